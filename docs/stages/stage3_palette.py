"""
3. The palette: colour as a list to choose from
===============================================

A photograph's colour has three numbers per pixel. In the space **CIELAB** one of them is *lightness* L*, from 0
(black) to 100 (white). The other two are colour alone: a* from green to red, b* from blue to yellow; both 0 is gray.
So colorizing means: lightness is given, find a* and b*. A pair of them is called *ab* here, its distance from gray
*chroma*, its direction *hue*.

One could predict the two numbers directly. But then a coat that is either red or blue gets the mean of both, which is
a dull violet that it surely is not. It is better to ask *which* of a list of colours, and how probable each is. The
list is the **palette**.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from colorize import Colorizer, ColorPalette, find_model
from colorize.color import lab_to_rgb, rgb_to_lab

palette = Colorizer.load(find_model("default")).palette_
print(f"{palette.n_colors} colours, the first is neutral: {palette.colors_[0].tolist()}")

# %%
# A palette is learnt from the training photographs by k-means, on a scale of chroma on which equal steps look about
# equally large (:doc:`/colors`; :ref:`Zhang et al. 2016 <zhang2016>` quantise ab by a grid). Most pixels of most
# photographs are nearly gray, so plain k-means would spend all colours there; here a pixel weighs by the density of its
# colour to the power of -0.25, which gives rare colours a place. Gray itself is always in the list.
#
# Left: the palette of the default model; the size of a dot is how often its colour occurred. Behind it, what sRGB can
# show at L* = 60. Right: the true colours of one photograph, which are what a model should find.

ab_grid = np.stack(np.meshgrid(np.arange(-80, 81), np.arange(-80, 81)), axis=-1).astype(np.float32)
plane = lab_to_rgb(np.full(ab_grid.shape[:2], 60, np.float32), ab_grid)
true = rgb_to_lab(load_sample_image("china.jpg"))

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
left.imshow(plane, extent=(-80.5, 80.5, 80.5, -80.5), alpha=0.35)
dots = lab_to_rgb(np.full(palette.n_colors, 65, np.float32), palette.colors_) / 255
left.scatter(*palette.colors_.T, c=dots, s=60 + 4000 * palette.frequencies_, edgecolor="black", linewidth=0.6)
right.hist2d(*true[..., 1:].reshape(-1, 2).T, bins=np.arange(-80, 81, 2), cmap="Greys", norm="log")
for axes, title in ((left, "the palette"), (right, "the true colours of china.jpg")):
    axes.set(xlim=(-80, 80), ylim=(-80, 80), aspect="equal", xlabel="a* (green to red)", ylabel="b* (blue to yellow)")
    axes.axhline(0, color="gray", lw=0.5)
    axes.axvline(0, color="gray", lw=0.5)
    axes.set_title(title)

# %%
# Does a list of 32 colours limit the result? Every region of the photograph gets the palette colour next to its true
# one:

nearest = palette.colors_[palette.encode(true[..., 1:].reshape(-1, 2))].reshape(true[..., 1:].shape)
error = np.linalg.norm(nearest - true[..., 1:], axis=-1).mean()
print(f"mean distance to the nearest palette colour: {error:.1f} ab units")

few = ColorPalette(n_colors=8, random_state=0).fit(true[::4, ::4, 1:].reshape(-1, 2))
figure, panels = plt.subplots(1, 3, figsize=(12, 2.9), layout="constrained")
shown = (
    ("true", true[..., 1:]),
    ("nearest of the default model's 32", nearest),
    ("nearest of 8, learnt from this photograph", few.colors_[few.encode(true[..., 1:].reshape(-1, 2))]),
)
for axes, (title, ab) in zip(panels, shown, strict=True):
    axes.imshow(lab_to_rgb(true[..., 0], ab.reshape(true[..., 1:].shape)))
    axes.set_title(title)
    axes.axis("off")

# %%
# It hardly does. In the tables of :doc:`/evaluation` this is *oracle: palette*: with the best palette colour for every
# region the error would be less than half of what it is. The hard part is choosing. The reference is
# :class:`colorize.training.quantization.ColorPalette`.
