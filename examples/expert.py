"""The matrix by hand
==================

Levin's optimization with two scribbles, once by the library and once by SciPy. A person says that the flower is orange
and the leaves are green; everything else follows from lightness. The two answers agree to a hundredth of an ab unit or
so, and only one of the two ways works at 12 megapixels. Last, the cost as the paper prints it, which is another one.
"""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve
from sklearn.datasets import load_sample_image

from colorize import RgbImage, propagate, to_gray, write_photo
from colorize.color import lab_to_rgb
from colorize.optimization.reference import propagate_reference

SIGMA, FLOOR = 1.5, 1e-3

lightness = np.ascontiguousarray(to_gray(RgbImage(load_sample_image("flower.jpg"))).lightness[::3, ::3])
is_known = np.zeros(lightness.shape, bool)
known_ab = np.zeros((*lightness.shape, 2), np.float32)
for place, ab in ((np.s_[60:80, 95:120], (35, 50)), (np.s_[15:120, 10:16], (-25, 20))):
    is_known[place] = True
    known_ab[place] = ab
no_wish = np.zeros(lightness.shape, np.float32)

ours = propagate(
    lightness, known_ab, no_wish, is_known=is_known, known_ab=known_ab, sigma=SIGMA, floor=FLOOR, tolerance=1e-7
)
print(ours.report)

# W: exp(-(L_r - L_s)^2 / 2 sigma^2) + floor between each pixel and its eight neighbours
index = np.arange(lightness.size).reshape(lightness.shape)
W = sparse.csr_array((lightness.size, lightness.size))
for here, there in (
    (np.s_[:, :-1], np.s_[:, 1:]),
    (np.s_[:-1, :], np.s_[1:, :]),
    (np.s_[:-1, :-1], np.s_[1:, 1:]),
    (np.s_[:-1, 1:], np.s_[1:, :-1]),
):
    step = (lightness[here] - lightness[there]).ravel().astype(float)
    weight = np.exp(-(step**2) / (2 * SIGMA**2)) + FLOOR
    r, s = index[here].ravel(), index[there].ravel()
    W += sparse.csr_array((np.r_[weight, weight], (np.r_[r, s], np.r_[s, r])), shape=W.shape)

laplacian = (sparse.diags_array(W.sum(axis=1)) - W).tocsr()
known = is_known.ravel()
free = ~known
A = laplacian[free][:, free]
b = -laplacian[free][:, known] @ known_ab.reshape(-1, 2)[known]
exact = known_ab.reshape(-1, 2).astype(float)
exact[free] = spsolve(A.tocsc(), b)

print(f"largest difference to the exact solution: {np.abs(ours.ab.reshape(-1, 2) - exact).max():.4f} units of ab")
write_photo(RgbImage(lab_to_rgb(lightness, ours.ab)), "flower.scribbled.png")

# The paper's own weights and squared cost carry slopes on: colours go beyond those that were given.
paper = propagate_reference(
    lightness,
    known_ab,
    no_wish,
    is_known=is_known,
    known_ab=known_ab,
    affinity="local_variance",
    form="least_squares",
)
print(f"range of b*: ours {np.ptp(ours.ab[..., 1]):.0f}, the paper's cost {np.ptp(paper.ab[..., 1]):.0f}, given 30")
write_photo(RgbImage(lab_to_rgb(lightness, paper.ab)), "flower.paper.png")
