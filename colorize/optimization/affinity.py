"""How strongly neighbouring pixels want the same colour: three affinities over the 3x3 window.

``planes`` are symmetric weights as four bordered planes (east, south, south-east, south-west), shape
``(4, H + 2, W + 2)``; ``directed`` weights ``w_rs`` need not equal ``w_sr``, shape ``(8, H, W)`` in the order of
`OFFSETS`, zero where the neighbour lies outside the photograph.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, -1), (-1, 0), (-1, -1), (-1, 1))
"""Row and column steps to the eight neighbours; number k + 4 is the opposite of number k."""

SIGMA = 1.5
FLOOR = 1e-3
_SMALLEST_VARIANCE = 0.02  # of L*, 0..100: flat paper still has grain of about this size


def gaussian(lightness: Float32, *, sigma: float = SIGMA, floor: float = FLOOR, threads: int = 1) -> Float32:
    """One sigma for the whole photograph: ``w_rs = exp(-(L_r - L_s)^2 / (2 sigma^2)) + floor``.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    sigma : float
        Step of L* that still counts as the same surface. Colours leak over soft edges: smaller. Colours stop at
        texture and leave specks: larger. 1 to 2 served best on photographs.
    floor : float
        What an edge lets through, relative to flat ground. It keeps islands of texture connected. Specks keep a
        foreign colour, or the solver needs many steps: larger (0.01). Colour seeps over edges far from any hint:
        smaller (0.001).
    threads : int
        Threads that share the rows.

    Returns
    -------
    ndarray, shape (4, H + 2, W + 2), float32
        Symmetric planes; every weight is a multiple of 2**-20.

    Examples
    --------
    >>> import numpy as np
    >>> planes = gaussian(np.array([[50, 50, 90]], np.float32), sigma=1.5, floor=0.001)
    >>> planes[0, 1, 1:4].round(3).tolist()  # to the east: flat, edge, border of the photo
    [1.0010000467300415, 0.0010000000474974513, 0.0]
    """
    from colorize.optimization import kernels
    from colorize.optimization.workers import bands, run

    height, width = lightness.shape
    bordered = np.zeros((height + 2, width + 2), np.float32)
    bordered[1:-1, 1:-1] = lightness
    planes = np.zeros((4, height + 2, width + 2), np.float32)
    scale = np.float32(1 / (sigma * math.sqrt(2)))
    run(kernels.gaussian_weights, (planes, bordered, scale, np.float32(floor)), bands(1, height + 1, width, threads))
    return planes


def local_variance(lightness: Float32, *, radius: int = 1) -> Float32:
    """Weights of Levin, Lischinski and Weiss (2004), eq. 2: sigma is the spread of the lightness around each pixel.

    ``w_rs = exp(-(L_r - L_s)^2 / (2 sigma_r^2))``, then scaled so that the weights of every pixel sum to 1.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    radius : int
        Half width of the window in which the variance is measured, in pixels. Noisy scans: larger.

    Returns
    -------
    ndarray, shape (8, H, W), float32
        Directed weights.

    Examples
    --------
    >>> import numpy as np
    >>> weights = local_variance(np.zeros((3, 3), np.float32))
    >>> weights[:, 1, 1].tolist()
    [0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125]
    """
    _, variance = _local_moments(lightness, radius)
    weights = _neighbour_steps(lightness)
    np.square(weights, out=weights)
    weights /= -2 * variance
    np.exp(weights, out=weights)
    return _normalized(weights)


def correlation(lightness: Float32, *, radius: int = 1) -> Float32:
    """Correlation weights of Levin, Lischinski and Weiss (2004), eq. 3: lightness and colour are locally affine.

    ``w_rs = 1 + (L_r - mu_r) (L_s - mu_r) / sigma_r^2``, then scaled so that the weights of every pixel sum to 1.
    Weights can be negative: colours may leave the range of the hints, and only direct solvers are safe.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    radius : int
        Half width of the window of mean and variance, in pixels.

    Returns
    -------
    ndarray, shape (8, H, W), float32
        Directed weights.
    """
    mean, variance = _local_moments(lightness, radius)
    weights = _neighbour_steps(lightness)
    weights += lightness - mean
    weights *= (lightness - mean) / variance
    weights += 1
    return _normalized(weights)


def directed_from_planes(planes: Float32) -> Float32:
    """The eight directed weights of symmetric planes.

    Examples
    --------
    >>> import numpy as np
    >>> directed = directed_from_planes(gaussian(np.zeros((1, 2), np.float32), floor=0.0))
    >>> directed[0].tolist(), directed[4].tolist()
    ([[1.0, 0.0]], [[0.0, 1.0]])
    """
    height, width = planes.shape[1] - 2, planes.shape[2] - 2
    directed = np.empty((8, height, width), np.float32)
    for k, (row, col) in enumerate(OFFSETS):
        top, left = (1, 1) if k < 4 else (1 + row, 1 + col)
        directed[k] = planes[k % 4, top : top + height, left : left + width]
    return directed


def planes_from_directed(directed: Float32, *, floor: float = 0.0) -> Float32:
    """Symmetric planes ``(w_rs + w_sr + floor / 4) / 2``: a floor relative to flat ground, where weights are 1/8."""
    _, height, width = directed.shape
    planes = np.zeros((4, height + 2, width + 2), np.float32)
    back = np.zeros((height + 2, width + 2), np.float32)
    for k, (row, col) in enumerate(OFFSETS[:4]):
        back[1:-1, 1:-1] = directed[k + 4]
        reverse = back[1 + row : 1 + row + height, 1 + col : 1 + col + width]
        planes[k, 1:-1, 1:-1] = (directed[k] + reverse) / 2
        top, left = 1, 1 + max(0, -col)
        planes[k, top : 1 + height - row, left : 1 + width - max(0, col)] += np.float32(floor / 8)
    return planes


def _local_moments(lightness: Float32, radius: int) -> tuple[Float32, Float32]:
    from scipy import ndimage  # a tenth of the start of `colorize photo`, which has no use for it

    size = 2 * radius + 1
    inside = ndimage.uniform_filter(np.ones(lightness.shape), size, mode="constant")
    mean = ndimage.uniform_filter(lightness.astype(np.float64), size, mode="constant") / inside
    square = ndimage.uniform_filter(np.square(lightness, dtype=np.float64), size, mode="constant") / inside
    variance = np.maximum(square - mean**2, _SMALLEST_VARIANCE)
    return mean.astype(np.float32), variance.astype(np.float32)


def _neighbour_steps(lightness: Float32) -> Float32:
    """``L_s - L_r`` for the eight neighbours; NaN outside."""
    height, width = lightness.shape
    padded = np.pad(lightness, 1, constant_values=np.nan)
    shifted = [padded[1 + row : 1 + row + height, 1 + col : 1 + col + width] for row, col in OFFSETS]
    return np.stack(shifted) - lightness


def _normalized(weights: Float32) -> Float32:
    np.nan_to_num(weights, copy=False, nan=0.0)
    total = weights.sum(axis=0)
    # A correlation sum of 0 is possible though rare; such a pixel takes no part rather than an infinite one.
    weights /= np.where(np.abs(total) > 1e-6, total, np.inf)
    return weights
