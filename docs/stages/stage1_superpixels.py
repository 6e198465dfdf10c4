"""
1. Superpixels: from pixels to regions
======================================

A photograph of 640 x 427 pixels has 273,280 of them, and a single pixel tells nothing about its colour: it is a
number. A small *region* of like pixels tells more, because it has a texture, a shape, a place and neighbours. So the
first stage cuts the photograph into a few hundred regions, called **superpixels**.

The method is SLIC (:ref:`Achanta et al. 2012 <achanta2012>`): k-means clustering of the pixels by lightness and place.
Each cluster starts on a grid and takes the pixels that are near and alike.
"""

import matplotlib.pyplot as plt
from skimage.segmentation import mark_boundaries
from sklearn.datasets import load_sample_image

from colorize import RgbImage, to_gray
from colorize.features.superpixels import region_means, segment

gray = to_gray(RgbImage(load_sample_image("china.jpg")))
superpixels = segment(gray.lightness, n_segments=400)

print(f"{superpixels.n_superpixels} regions, {superpixels.areas.mean():.0f} pixels each on average")
print(f"{len(superpixels.adjacency)} pairs of regions touch")

# %%
# The borders follow what edges there are, and otherwise stay compact. On the right every region has its mean
# lightness: this is nearly all that the next stages see of the photograph's layout.

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.2), layout="constrained")
left.imshow(mark_boundaries(gray.lightness / 100, superpixels.labels, color=(1, 0.55, 0.1), mode="thick"))
means = region_means(gray.lightness, superpixels)
right.imshow(means[superpixels.labels], cmap="gray", vmin=0, vmax=100)
for axes in (left, right):
    axes.axis("off")

# %%
# What to turn
# ------------
#
# More regions (``n_segments``) follow finer detail and cost time in proportion. ``compactness`` says how many units of
# lightness weigh as much as the distance between two region centres. Left: 100 regions. Middle: the default
# compactness of 10. Right: 2, where regions crawl along every faint texture.

figure, panels = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
settings = ({"n_segments": 100}, {"n_segments": 400}, {"n_segments": 400, "compactness": 2})
for axes, setting in zip(panels, settings, strict=True):
    labels = segment(gray.lightness, **setting).labels
    axes.imshow(mark_boundaries(gray.lightness / 100, labels, color=(1, 0.55, 0.1))[120:320, 200:500])
    axes.set_title(", ".join(f"{name}={value}" for name, value in setting.items()))
    axes.axis("off")

# %%
# A border that misses an edge by a pixel does no harm in the end: the last stage works on pixels again. Photographs
# larger than about 0.25 megapixels are cut at that size, so the cost of this and the next stages does not grow with
# the scan. The reference is :func:`colorize.features.superpixels.segment`; regions from any other segmentation are made
# by :func:`colorize.features.superpixels.from_labels`.
