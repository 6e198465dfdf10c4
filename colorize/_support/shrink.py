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
    # Areas: other ways of sampling skip pixels, and grain becomes a pattern.
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
