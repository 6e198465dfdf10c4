"""
8. Limits and failures
======================

What a colorizer cannot do is best seen on photographs where it fails. These come with scikit-image and scikit-learn;
the model is the default one, its dial at the default of 0.5, and nothing was chosen to look good. In each row: what
the model was given, its answer, the truth. The number is the mean colour difference CIEDE2000 (:ref:`Sharma et al.
2005 <sharma2005>`) of the answer, and in brackets that of the gray picture itself. **Where the first number is the
larger one, leaving the photograph gray would have been better.**
"""

import matplotlib.pyplot as plt
import numpy as np
import skimage.data
from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, to_gray
from colorize.color import lab_to_rgb, rgb_to_lab
from colorize.color.metrics import ciede2000
from colorize.guidance.hints import Hints, Mark

model = Colorizer.load(find_model("default"))


def error(true, pixels):
    """Mean CIEDE2000 of a picture."""
    return ciede2000(rgb_to_lab(true), rgb_to_lab(pixels)).mean()


def compare(*photos):
    """Rows of given, answer and truth."""
    _, rows = plt.subplots(len(photos), 3, figsize=(12, 2.9 * len(photos)), layout="constrained", squeeze=False)
    for row, true in zip(rows, photos, strict=True):
        gray = to_gray(RgbImage(true))
        answer = model.predict(gray).rgb
        plain = lab_to_rgb(gray.lightness, np.zeros((*gray.shape, 2), np.float32))
        title = f"{error(true, answer):.1f} (gray {error(true, plain):.1f})"
        for axes, pixels, text in zip(row, (plain, answer, true), ("given", title, "true"), strict=True):
            axes.imshow(pixels)
            axes.set_title(text)
            axes.axis("off")


# %%
# Things of any colour
# --------------------
#
# Cups, motorcycles, clothes, painted walls and doors may have any colour, and their lightness does not tell which. The
# mean of everything possible is nearly gray, and that is what they get. No model can know better; one that paints the
# motorcycle red has guessed, or has seen it.

compare(skimage.data.coffee(), skimage.data.stereo_motorcycle()[0], skimage.data.astronaut())

# %%
# What is smooth and light becomes sky, what is blurred becomes leaves
# --------------------------------------------------------------------
#
# A back of the eye has no place among the landscapes, animals, faces and streets that the model learnt from. It finds
# something smooth, shaded and light, and half of it becomes sky. The blurred room behind the cat becomes a meadow,
# because behind most animals of the training photographs there was one.

compare(skimage.data.retina()[::2, ::2], skimage.data.chelsea())

# %%
# One lightness, many hues
# ------------------------
#
# The wheel holds every hue; where two of them have the same lightness, the model sees one and the same gray. Red and
# green on the temple below are a milder case: beams and eaves are dark, and dark things are painted cautiously.

compare(skimage.data.colorwheel(), load_sample_image("china.jpg"))

# %%
# Colour that is nearly gray
# --------------------------
#
# Where the truth has hardly any colour, every tint is a mistake. A sky full of galaxies is better left alone.

compare(skimage.data.hubble_deep_field())

# %%
# What helps
# ----------
#
# Say what you know. Two strokes on the suit, one on the flag:

astronaut = skimage.data.astronaut()
session = model.open(to_gray(RgbImage(astronaut)))
hints = Hints(
    session.gray.shape,
    (
        Mark("stroke", [[340, 130], [430, 150]], (225, 90, 50), radius=6, reach="similar"),
        Mark("stroke", [[270, 235], [300, 245]], (225, 90, 50), radius=5, reach="similar"),
        Mark("stroke", [[120, 20], [240, 24]], (150, 30, 50), radius=5, reach="here"),
    ),
)
corrected = session.with_hints(hints).rgb
figure, panels = plt.subplots(1, 3, figsize=(12, 4.2), layout="constrained")
shown = ((session.colorize().rgb, "by itself"), (corrected, "with three strokes"), (astronaut, "true"))
for axes, (pixels, title) in zip(panels, shown, strict=True):
    axes.imshow(pixels)
    axes.set_title(f"{title}, {error(astronaut, pixels):.1f}" if title != "true" else title)
    axes.axis("off")

# %%
# Or train a model on photographs like yours (:doc:`/tutorial`), show it a colour photograph of the same kind
# (:doc:`/references`), or keep colour only where the model is sure (``--only-confident``, :doc:`/explain`). How often
# and how badly it fails on hundreds of photographs is in :doc:`/evaluation`.
