"""
2. Features: a region in 821 numbers
====================================

A classifier cannot look at a region; it is given a row of numbers, its *features*. Which numbers? Those of which
somebody who guesses colours would ask: How light is it? How fine is its texture, and which way does it run? Where in
the picture is it? What is around it? Numbers that belong together are called a **family**.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, to_gray
from colorize.color import lab_to_rgb
from colorize.features import PhotoAnalysis
from colorize.features.gabor import gabor_magnitudes

model = Colorizer.load(find_model("default")).model
gray = to_gray(RgbImage(load_sample_image("china.jpg")))
described = model.describe(gray)
labels, features = described.superpixels.labels, described.features

for name, columns in features.families.items():
    print(f"{name:>10}: {columns.stop - columns.start:3} numbers, such as {features.names[columns][0].split(':')[1]!r}")

# %%
# Gabor: how much texture, how fine, which way
# --------------------------------------------
#
# A **Gabor filter** is a small wave inside a bell curve. Where the photograph has stripes of the wave's length and
# direction, the answer is strong; its strength is called energy. Five wavelengths by eight directions give 40 numbers
# per region. Here are four of the eight directions at the finest wavelength: the first answers to upright stripes
# (columns), the third to lying ones (tiles and eaves).

analysis = PhotoAnalysis(described.lightness, described.superpixels)
energy = gabor_magnitudes(analysis.pyramid[0])
figure, panels = plt.subplots(1, 4, figsize=(12, 2.4), layout="constrained")
for axes, direction in zip(panels, (0, 2, 4, 6), strict=True):
    axes.imshow(np.cbrt(energy[..., direction]), cmap="magma", vmin=0, vmax=0.4)
    axes.set_title(f"wave at {22.5 * direction:g} degrees")
    axes.axis("off")

# %%
# What the classifier gets is one number per region. The same photograph at three wavelengths, mean of all directions:

block = features.family("gabor").reshape(-1, 5, 8).mean(axis=2)
figure, panels = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
for axes, scale in zip(panels, (0, 2, 4), strict=True):
    axes.imshow(block[labels, scale], cmap="magma")
    axes.set_title(f"texture of {4 * 2**scale} pixels")
    axes.axis("off")

# %%
# SURF: the pattern around the centre
# -----------------------------------
#
# **SURF** (:ref:`Bay et al. 2006 <bay2006>`) was made to find the same spot again in another photograph. Around a
# point it lays a grid of 4 x 4 cells, turned into the direction in which the pattern runs, and sums up in each how
# lightness rises along and across: 64 numbers. It is computed at the centre of every region, at three sizes. As
# pictures these numbers say little; what they do say is which regions look alike. Below, every region's likeness to
# the one with the white ring, which lies on a roof.

descriptors = features.family("surf")
chosen = labels[112, 190]
likeness = descriptors @ descriptors[chosen] / 3  # each of the three descriptors has length 1
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.2), layout="constrained")
left.imshow(gray.lightness, cmap="gray", vmin=0, vmax=100)
shown = right.imshow(likeness[labels], cmap="viridis", vmin=0, vmax=1)
for axes in (left, right):
    row, col = described.superpixels.centroids[chosen]
    axes.plot(col, row, "o", ms=14, mfc="none", mec="white", mew=2)
    axes.axis("off")
figure.colorbar(shown, ax=right, label="likeness of SURF descriptors", shrink=0.8)

# %%
# The other eaves answer, and so does the far shore: a pattern is not yet a thing.
#
# Context: what is around
# -----------------------
#
# A smooth light region may be sky or wall. Its **context** decides: tones and textures averaged over the regions that
# touch it, over those that touch these, and so on, and over everything above and below. Here, the mean lightness of
# each region itself, of the first and third ring around it, and of what is above it.

block = features.family("context")
names = [name.removeprefix("context:") for name in features.names[features.families["context"]]]
wanted = ("ring 1, mean", "ring 3, mean", "above, mean")
figure, panels = plt.subplots(1, 4, figsize=(12, 2.4), layout="constrained")
panels[0].imshow(features.family("intensity")[labels, 0], cmap="gray", vmin=0, vmax=1)
panels[0].set_title("the region itself")
for axes, name in zip(panels[1:], wanted, strict=True):
    axes.imshow(block[labels, names.index(name)], cmap="gray", vmin=0, vmax=1)
    axes.set_title(name)
for axes in panels:
    axes.axis("off")

# %%
# Semantics: what it is
# ---------------------
#
# No texture tells a face from a pebble. The **semantic** family comes from a small network that was taught to expect
# colours where it sees things, the :doc:`encoder </encoder>`. The classifier hears it beside the other families, and in
# the next stages it has a vote of its own. Its expectation alone, region by region, at the lightness of the photograph:

block = features.family("semantic")
first = features.names[features.families["semantic"]].index("semantic:expected a")
expected = 20 * block[:, first : first + 2][labels]
figure, axes = plt.subplots(figsize=(6, 4.2), layout="constrained")
axes.imshow(lab_to_rgb(described.lightness, expected))
axes.axis("off")

# %%
# The other families: *intensity* (tones and how they are spread), *position*, *shape*, *lbp* (local binary patterns,
# the finest texture; :ref:`Ojala et al. 2002 <ojala2002>`) and *scene* (one description of the whole photograph, the
# same for all of its regions). Which of them matter is measured: see :doc:`/evaluation` and the notebook
# :doc:`/notebooks/importance`. You can :doc:`add a family of your own </own_family>`. The reference is
# :mod:`colorize.features`.
