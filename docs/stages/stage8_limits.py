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
# What is unlike everything is painted like something familiar
# ------------------------------------------------------------
#
# A back of the eye has no place among the photographs that the model learnt from: it gets the colours of something
# that looks a little like it in gray. The eyes of the cat are taken for something more common than green eyes.

compare(skimage.data.retina()[::2, ::2], skimage.data.chelsea())

# %%
# One lightness, many hues
# ------------------------
#
# The wheel holds every hue; where two of them have the same lightness, the model sees one and the same gray. Red and
# green on the temple below are a milder case: beams and eaves are dark, and dark things are painted cautiously.

compare(skimage.data.colorwheel(), load_sample_image("china.jpg"))

# %%
# Colour in small spots
# ---------------------
#
# A colour is decided for a whole region. Galaxies are smaller: the red and the blue ones are left as gray as the sky
# around them.

compare(skimage.data.hubble_deep_field())

# %%
# What helps
# ----------
#
# Say what you know. Two strokes on the suit, left and right of its strap:

astronaut = skimage.data.astronaut()
session = model.open(to_gray(RgbImage(astronaut)))
strokes = ([[340, 130], [430, 150]], [[300, 300], [380, 340]])
hints = Hints(
    session.gray.shape,
    tuple(Mark("stroke", path, (225, 90, 50), radius=6, reach="similar") for path in strokes),
)
corrected = session.with_hints(hints).rgb
figure, panels = plt.subplots(1, 3, figsize=(12, 4.3), layout="constrained")
shown = ((session.colorize().rgb, "by itself"), (corrected, "with two strokes"), (astronaut, "true"))
for axes, (pixels, title) in zip(panels, shown, strict=True):
    axes.imshow(pixels)
    axes.set_title(f"{title}, {error(astronaut, pixels):.1f}" if title != "true" else title)
    axes.axis("off")

# %%
# Or train a model on photographs like yours (:doc:`/tutorial`), show it a colour photograph of the same kind
# (:doc:`/references`), or keep colour only where the model is sure (``--only-confident``, :doc:`/explain`). How often
# and how badly it fails on hundreds of photographs is in :doc:`/evaluation`.
