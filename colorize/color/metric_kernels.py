"""CIEDE2000 without trigonometry, in numba.

It is written so that the compiler can keep it in vector registers: no calls, no branches that depend on a pixel. It is
compiled for the signature given here, when this module is first imported, and kept in numba's cache.
"""

# The numba signatures are the type annotations here.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

import numpy as np
from numba import float32, njit, void

from colorize._support.compiling import keeps_compiled_code

_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz", "arcp"}}
_inner = njit(**_OPTIONS, inline="always")
_OPTIONS["cache"] = keeps_compiled_code()

_ONE, _TWO, _HALF = np.float32(1), np.float32(2), np.float32(0.5)
_TINY = np.float32(1e-12)
_OPPOSITE = np.float32(2e-6)  # sine of an angle: rounding must not push hues exactly opposite to the other side


def _turn(degrees: float) -> tuple[np.float32, np.float32]:
    return np.float32(math.cos(math.radians(degrees))), np.float32(math.sin(math.radians(degrees)))


_COS_30, _SIN_30 = _turn(30)
_COS_6, _SIN_6 = _turn(6)
_COS_63, _SIN_63 = _turn(63)
_COS_275, _SIN_275 = _turn(275)
_PER_25_DEGREES = np.float32(2 / math.radians(25) ** 2)
_TILT = np.float32(math.radians(60))


# ---------------------------------------------------------------------------------------- CIEDE2000


@_inner
def _chroma_share(chroma):
    """``sqrt(C^7 / (C^7 + 25^7))``, of equations (4) and (17)."""
    c = chroma * float32(1 / 25)
    seventh = c * c * c * (c * c * c) * c
    return np.sqrt(seventh / (seventh + _ONE))


@_inner
def _hue_scale(c, s):
    """T, equation (15), from the cosine and sine of the mean hue."""
    c2, s2 = c * c - s * s, _TWO * c * s
    c3, s3 = c2 * c - s2 * s, s2 * c + c2 * s
    c4, s4 = c2 * c2 - s2 * s2, _TWO * c2 * s2
    t = _ONE - float32(0.17) * (c * _COS_30 + s * _SIN_30) + float32(0.24) * c2
    return t + float32(0.32) * (c3 * _COS_6 - s3 * _SIN_6) - float32(0.20) * (c4 * _COS_63 + s4 * _SIN_63)


@_inner
def _tilt(c, s):
    """``sin(2 theta)``, equations (16) and (21): how far the ellipses turn around hue 275 degrees, the blues."""
    # The squared angle from there, by the series of the squared arc sine in y = 2 (1 - cosine): six terms are exact
    # where the bell below is not nearly zero. The paper's hues run from 0 to 360: the first quadrant is far away.
    y = _TWO - _TWO * (c * _COS_275 + s * _SIN_275)
    y = float32(4) if c > 0 and s >= 0 else y
    t = float32(1 / 1120) + y * (float32(1 / 6300) + y * float32(1 / 33264))
    t = y * (_HALF + y * (float32(1 / 24) + y * (float32(1 / 180) + y * t)))
    # exp(-t) as the 32nd power of a short series of exp(-t / 32)
    t = min(t * _PER_25_DEGREES, float32(20)) * float32(1 / 32)
    e = _ONE - t * (_ONE - t * (_HALF - t * (float32(1 / 6) - t * (float32(1 / 24) - t * float32(1 / 120)))))
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    x = _TILT * e  # at most 60 degrees, where the series of the sine is short
    xx = x * x
    sine = float32(1 / 120) - xx * (float32(1 / 5040) - xx * float32(1 / 362880))
    return x * (_ONE - xx * (float32(1 / 6) - xx * sine))


@njit(void(float32[:, ::1], float32[:, ::1], float32[::1]), **_OPTIONS)
def ciede2000(lab1, lab2, out):
    """CIEDE2000 of CIELAB colours in planes (3, n); equation numbers as in Sharma et al. 2005.

    A hue is a unit vector, or zero for gray: the mean hue is the direction of the sum, and half the
    length of the difference is the sine of half the angle between them.
    """
    for k in range(out.size):
        light1, a1, b1 = lab1[0, k], lab1[1, k], lab1[2, k]
        light2, a2, b2 = lab2[0, k], lab2[1, k], lab2[2, k]
        mean = _HALF * (np.sqrt(a1 * a1 + b1 * b1) + np.sqrt(a2 * a2 + b2 * b2))
        stretch = float32(1.5) - _HALF * _chroma_share(mean)  # (4): 1 + G
        a1 *= stretch  # (5)
        a2 *= stretch
        chroma1, chroma2 = np.sqrt(a1 * a1 + b1 * b1), np.sqrt(a2 * a2 + b2 * b2)  # (6)
        inverse1, inverse2 = _ONE / max(chroma1, _TINY), _ONE / max(chroma2, _TINY)
        x1, y1, x2, y2 = a1 * inverse1, b1 * inverse1, a2 * inverse2, b2 * inverse2  # (7)

        # (10), (14): hues exactly opposite meet halfway from the smaller one, which lies in the upper half plane
        cross, dot = x1 * y2 - y1 * x2, x1 * x2 + y1 * y2
        is_upper = (y1 > 0) | ((y1 == 0) & (x1 > 0))
        is_opposite = (dot < 0) & (abs(cross) <= _OPPOSITE)
        is_left = is_upper if is_opposite else cross >= 0
        sign = _ONE if is_left else -_ONE
        dx, dy = x2 - x1, y2 - y1
        x = sign * dy if dot < 0 else x1 + x2  # of wide angles the sum is nearly zero: stand upright on the difference
        y = -sign * dx if dot < 0 else y1 + y2
        inverse = _ONE / np.sqrt(max(x * x + y * y, _TINY))
        c, s = x * inverse, y * inverse

        d_light, d_chroma = light2 - light1, chroma2 - chroma1  # (8), (9)
        d_hue = sign * np.sqrt(chroma1 * chroma2 * (dx * dx + dy * dy))  # (11)
        chroma, from_middle = _HALF * (chroma1 + chroma2), _HALF * (light1 + light2) - float32(50)  # (13), (12)
        from_middle *= from_middle
        d_light /= _ONE + float32(0.015) * from_middle / np.sqrt(float32(20) + from_middle)  # (18)
        d_chroma /= _ONE + float32(0.045) * chroma  # (19)
        d_hue /= _ONE + float32(0.015) * chroma * _hue_scale(c, s)  # (20)
        rotation = -_TWO * _chroma_share(chroma) * _tilt(c, s)  # (21)
        squared = d_light * d_light + d_chroma * d_chroma + d_hue * d_hue + rotation * d_chroma * d_hue  # (22)
        out[k] = np.sqrt(max(squared, float32(0)))
