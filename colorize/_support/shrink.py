"""Pictures no larger than somebody can use."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def shrink(pixels: NDArray[Any], longest: int, *, shortest: int = 1) -> NDArray[Any]:
    """Average a picture over areas, so that its longer side has at most `longest` pixels; a smaller one stays as it is.

    The shorter side of a very long picture keeps `shortest` pixels.
    """
    scale = longest / max(pixels.shape[:2])
    if scale >= 1:
        return np.ascontiguousarray(pixels)
    height, width = (max(shortest, round(side * scale)) for side in pixels.shape[:2])
    return shrink_to(pixels, (height, width))


def shrink_to(pixels: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Average a picture, shape (H, W) or (H, W, channels), over areas on a smaller grid; one of that shape is itself.

    Examples
    --------
    >>> shrink_to(np.float32([[0, 2], [4, 6]]), (1, 1)).tolist()
    [[3.0]]
    """
    if pixels.shape[:2] == shape:
        return pixels
    # Areas: other ways of sampling skip pixels, and grain becomes a pattern.
    small = cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small).reshape(*shape, *pixels.shape[2:])
