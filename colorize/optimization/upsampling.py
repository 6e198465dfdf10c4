"""Working below a photograph's own resolution, for the photographs that do not fit the memory budget.

Source: K. He, J. Sun, "Fast guided filter" (2015).
"""

from __future__ import annotations

import cv2
import numpy as np

from colorize._support.shrink import shrink_to
from colorize.types import Float32

_RADIUS = 2  # low-resolution pixels
_VARIANCE = 1.0  # of L*: steps well above its root count as edges


def weighted_shrink(ab: Float32, weight: Float32, shape: tuple[int, int]) -> tuple[Float32, Float32]:
    """Means of `ab` weighted by `weight`, shape ``(*shape, 2)``, and the mean weight on a smaller grid."""
    mean_weight = shrink_to(weight, shape)
    divisor = np.where(mean_weight > 0, mean_weight, np.float32(1))
    means = [shrink_to(np.ascontiguousarray(ab[..., channel]) * weight, shape) / divisor for channel in range(2)]
    return np.stack(means, axis=-1), mean_weight


def guided_enlarge(ab: Float32, small_lightness: Float32, lightness: Float32) -> Float32:
    """Colours of a small photo brought to full size, edges following the full-size lightness.

    Around each small pixel, colour is fitted as ``slope * L + offset``; slopes and offsets are smooth, so they may
    be enlarged, and the full-size lightness puts the edges where they belong.

    Parameters
    ----------
    ab : ndarray, shape (h, w, 2), float32
    small_lightness : ndarray, shape (h, w), float32
        CIE L*, 0..100.
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    """
    size = lightness.shape[::-1]
    mean_l = _mean(small_lightness)
    variance = _mean(small_lightness * small_lightness) - mean_l * mean_l
    large = np.empty((*lightness.shape, 2), np.float32)
    for channel in range(2):
        slope, offset = _lines(np.ascontiguousarray(ab[..., channel]), small_lightness, mean_l, variance)
        large[..., channel] = cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR).reshape(lightness.shape)
        large[..., channel] *= lightness
        large[..., channel] += cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR).reshape(lightness.shape)
    return large


def _lines(color: Float32, lightness: Float32, mean_l: Float32, variance: Float32) -> tuple[Float32, Float32]:
    """Slope and offset of the lines through colour over lightness, fitted around every pixel."""
    mean_c = _mean(color)
    covariance = _mean(lightness * color) - mean_l * mean_c
    slope = np.divide(covariance, variance + _VARIANCE, dtype=np.float32)
    return _mean(slope), _mean(mean_c - slope * mean_l)


def _mean(image: np.ndarray) -> Float32:
    side = 2 * _RADIUS + 1
    blurred = cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32).reshape(image.shape)
