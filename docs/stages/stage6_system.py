"""
6. The sparse system: from regions back to pixels
=================================================

Every region has a colour now, with hard borders. The last stage asks for a colour per *pixel*, such that

1. each pixel is near the colour of its region, and
2. neighbouring pixels of like lightness have like colours.

The second wish is the idea of :ref:`Levin, Lischinski and Weiss (2004) <levin2004>`. Both are squares of differences,
so the best answer is the solution of one large system of linear equations.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, propagate, to_gray
from colorize.color import lab_to_rgb
from colorize.features.superpixels import region_map
from colorize.guidance.canvas import pull
from colorize.optimization import affinity, reference, system

model = Colorizer.load(find_model("default")).model
gray = to_gray(RgbImage(load_sample_image("china.jpg")))
described = model.describe(gray)
decision = model.decide(described, model.region_probabilities(described.features.values))

target_ab = region_map(decision.ab(), described.superpixels, gray.shape)
weight = np.full(gray.shape, pull(described.superpixels, gray.shape), np.float32)
spread = propagate(gray.lightness, target_ab, weight)
report = spread.report
print(f"{report.method}: {report.iterations} steps, {report.bytes / 1e6:.0f} MB, converged: {report.converged}")

# %%
# Left: the wish of every pixel, which is the colour of its region. Right: the solution. The borders of the regions
# have gone, the edges of the photograph have not.

figure, panels = plt.subplots(2, 2, figsize=(12, 7.2), layout="constrained")
part = np.s_[120:260, 150:360]
for row, cut in zip(panels, (np.s_[:, :], part), strict=True):
    for axes, ab, title in zip(row, (target_ab, spread.ab), ("wishes", "solution"), strict=True):
        axes.imshow(lab_to_rgb(gray.lightness[cut], ab[cut]))
        axes.set_title(title if cut is not part else f"{title}, enlarged")
        axes.axis("off")

# %%
# The weights
# -----------
#
# How strongly do two neighbours hold together? By a Gaussian of the difference of their lightness: 1 on an even
# surface, next to nothing across an edge. Each pixel has eight neighbours; here is the mean of its eight weights.

planes = affinity.gaussian(gray.lightness)
directed = reference.directed_from_planes(planes)
figure, axes = plt.subplots(figsize=(7, 3.9), layout="constrained")
shown = axes.imshow(directed.mean(axis=0), cmap="gray", vmin=0, vmax=1)
axes.axis("off")
figure.colorbar(shown, label="mean weight", shrink=0.85)

# %%
# The matrix
# ----------
#
# With one equation per pixel the matrix has 273,280 rows and as many columns, but only nine numbers per row are not
# zero: it is **sparse**. In the picture, the matrix of a piece of 8 x 8 pixels: blue on the diagonal, where a pixel
# meets itself, red where it meets a neighbour.

piece = np.ascontiguousarray(gray.lightness[200:208, 330:338])
no_wish = np.zeros((*piece.shape, 2), np.float32)
equations = system.stencil_system(affinity.gaussian(piece), no_wish, np.full(piece.shape, 0.03, np.float32))
figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
dense = reference.as_matrix(equations).matrix.toarray()
axes.imshow(np.where(dense == 0, np.nan, dense), cmap="RdBu", vmin=-4, vmax=4)
axes.set_title(f"64 equations, {np.count_nonzero(dense)} of {dense.size} entries")

# %%
# It is solved by *multigrid* in a time proportional to the number of pixels. Why that works, three ways to write the
# system, and what to turn when colours leak or wash out: :doc:`/propagation`. With the matrix in your own hands:
# :doc:`/gallery/expert`. The reference is :func:`colorize.optimization.propagate`; the forms of the literature are
# :func:`colorize.optimization.reference.propagate_reference`.
