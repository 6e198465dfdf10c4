"""The inner loops of CIELAB to linear light and of the gamut rule, in numba.

Constants, equations and the rule are those of `colorize.color`, the only caller. All arithmetic is float32. No sum is
reordered: with ab = 0, red, green and blue must come out equal to the last bit.
"""

# The numba signatures are the type annotations here.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np
from numba import float32, njit, types, void

from colorize._support.compiling import keeps_compiled_code

_PLANE = types.Array(float32, 1, "C", readonly=True)
_PLANES = _MATRIX = types.Array(float32, 2, "C", readonly=True)
_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_inner = njit(**_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)
_OPTIONS["cache"] = keeps_compiled_code()

_DELTA = np.float32(6 / 29)
_SLOPE = np.float32(3 * (6 / 29) ** 2)  # 116 / kappa

# Linear values this far outside [0, 1] count as inside: twenty times the rounding error of float32, and at most
# 0.002 of L* when clipped away at black, where L* is steepest.
TOLERANCE = np.float32(2e-6)
_MAX_CHROMA = np.float32(180)  # no sRGB colour has more than 134
_BISECTIONS = 14  # leaves at most 180 / 2**14 = 0.011 of chroma unused


@_inner
def _expand(root):
    """Inverse of CIELAB's f: a cube that continues as a straight line below _DELTA."""
    held = max(root, _DELTA)
    return held * held * held + _SLOPE * min(root - _DELTA, float32(0))


@_inner
def _channel(matrix, row, x, y, z):
    """Weighted sum with weights that sum to 1, written in differences: three equal inputs come out untouched."""
    return matrix[row, 0] * (x - y) + matrix[row, 2] * (z - y) + y


@_inner
def _split(lightness, a, b):
    """Fy, fx - fy and fy - fz of a colour; L* is clipped to 0..100."""
    fy = (min(max(lightness, float32(0)), float32(100)) + float32(16)) / float32(116)
    return fy, a / float32(500), b / float32(200)


@_inner
def _linear(matrix, fy, da, db):
    x, y, z = _expand(fy + da), _expand(fy), _expand(fy - db)
    return _channel(matrix, 0, x, y, z), _channel(matrix, 1, x, y, z), _channel(matrix, 2, x, y, z)


@njit(void(_PLANE, _PLANES, _MATRIX, float32[:, ::1]), **_OPTIONS)
def linear_rgb(lightness, ab, matrix, linear):
    """Linear light (3, n) of L* (n,) and ab (2, n); `matrix` leads there from white-relative XYZ."""
    for k in range(lightness.size):
        fy, da, db = _split(lightness[k], ab[0, k], ab[1, k])
        linear[0, k], linear[1, k], linear[2, k] = _linear(matrix, fy, da, db)


@njit(void(_PLANE, _PLANES, _MATRIX, float32[::1]), **_OPTIONS)
def chroma_scale(lightness, ab, matrix, scale):
    """Largest scale in [0, 1] of every ab (2, n) that sRGB can show at this L*, for colours that it cannot show."""
    outside = np.empty_like(scale)
    for k in range(scale.size):
        a, b = ab[0, k], ab[1, k]
        scale[k] = 0
        # However far away a wish lies, bisection starts where sRGB may still have colours. The
        # chroma is not 0: gray is never outside.
        outside[k] = min(_MAX_CHROMA / np.sqrt(a * a + b * b), float32(1))
    # Rounds outside and pixels inside: the inner loop has no branch and fits vector registers.
    for _ in range(_BISECTIONS):
        for k in range(scale.size):
            fy, da, db = _split(lightness[k], ab[0, k], ab[1, k])
            middle = float32(0.5) * (scale[k] + outside[k])
            red, green, blue = _linear(matrix, fy, middle * da, middle * db)
            low, high = min(red, min(green, blue)), max(red, max(green, blue))
            is_inside = (low >= -TOLERANCE) & (high <= float32(1) + TOLERANCE)
            scale[k] = middle if is_inside else scale[k]
            outside[k] = outside[k] if is_inside else middle
