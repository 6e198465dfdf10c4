"""From 16 bits per channel to 8, by rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_8_bit(values: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Round 16-bit values to the nearest of the 8-bit values v, which stand for 257 v; leave 8-bit ones as they are.

    Examples
    --------
    >>> to_8_bit(np.uint16([0, 128, 129, 65535])).tolist()
    [0, 0, 1, 255]
    """
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    import cv2

    return np.asarray(cv2.convertScaleAbs(values, alpha=1 / 257), np.uint8).reshape(values.shape)
