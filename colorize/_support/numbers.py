"""What passes for a number where one is wanted: those of Python and NumPy, and neither truth values nor arrays."""

from __future__ import annotations

from typing import TypeGuard

import numpy as np


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is an integer or a floating-point number."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def is_integer(value: object) -> TypeGuard[int]:
    """Whether it is an integer."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
