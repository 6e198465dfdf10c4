"""How strongly neighbouring pixels want the same colour: symmetric weights over the 3x3 window.

Weights are four bordered planes (east, south, south-east, south-west), shape ``(4, H + 2, W + 2)``:
each pair of neighbours once, at whichever of the two comes first in reading order. The affinities
of the paper, which are not symmetric, are in `colorize.optimization.reference`.
"""

from __future__ import annotations

import math

import numpy as np

from colorize._support.numbers import is_number
from colorize.optimization.workers import bands, run
from colorize.types import Float32

OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, -1), (-1, 0), (-1, -1), (-1, 1))
"""Row and column steps to the eight neighbours; number k + 4 is the opposite of number k."""

# Chosen on 20 photographs (the table of docs/propagation.md); values around them cost up to 7 % more error.
SIGMA = 1.5
FLOOR = 1e-3


def gaussian(lightness: Float32, *, sigma: float = SIGMA, floor: float = FLOOR) -> Float32:
    """One sigma for the whole photograph: ``w_rs = exp(-(L_r - L_s)^2 / (2 sigma^2)) + floor``.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    sigma : float
        Step of L* that still counts as the same surface. Colours leak over soft edges: smaller.
        Colours stop at texture and leave specks: larger. 1 to 2 served best on photographs.
    floor : float
        What an edge lets through, relative to flat ground. It keeps islands of texture connected.
        Specks keep a foreign colour, or the solver needs many steps: larger (0.01). Colour seeps
        over edges far from any hint: smaller (0.001).

    Returns
    -------
    ndarray, shape (4, H + 2, W + 2), float32
        Symmetric planes; every weight is a multiple of 2**-20.

    See Also
    --------
    colorize.optimization.system.stencil_system : What becomes of them.
    colorize.optimization.reference.local_variance : The paper's weights, a sigma per pixel.

    Notes
    -----
    The paper takes sigma from the variance around each pixel. That makes weights directed, hence the matrix
    unsymmetric, and on even ground it divides grain by itself: noise then stops colours as edges do. One sigma gives
    smaller errors on photographs (the table in docs/propagation.md) and a symmetric matrix.

    The ratio of the largest to the smallest weight, about 1 / floor, is the contrast of the diffusion problem, and with
    it the condition of the matrix grows: a floor is what makes it solvable in a few steps.

    Examples
    --------
    >>> import numpy as np
    >>> planes = gaussian(np.array([[50, 50, 90]], np.float32), sigma=1.5, floor=0.001)
    >>> planes[0, 1, 1:4].round(3).tolist()  # to the east: flat, edge, border of the photo
    [1.0010000467300415, 0.0010000000474974513, 0.0]
    """
    from colorize.optimization import kernels

    height, width = lightness.shape
    bordered = np.zeros((height + 2, width + 2), np.float32)
    bordered[1:-1, 1:-1] = lightness
    planes = np.zeros((4, height + 2, width + 2), np.float32)
    scale = np.float32(1 / (sigma * math.sqrt(2)))
    args = (planes, bordered, scale, np.float32(floor))
    run(kernels.gaussian_weights, args, bands(1, height + 1, width))
    return planes


def check(sigma: float, floor: float) -> None:
    """Refuse parameters of `gaussian` that mean nothing, or that the solver cannot promise to master."""
    if not (is_number(sigma) and math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma must be a positive step of L*, got {sigma!r}")
    # 1e-5 is ten of the units of 2**-20 in which weights are counted: a lower floor would be mostly rounding.
    if not (is_number(floor) and 1e-5 <= floor <= 1):
        raise ValueError(f"floor must lie in [1e-5, 1]: it keeps the pixels connected; got {floor!r}")
