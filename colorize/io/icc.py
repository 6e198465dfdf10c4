"""Colour profiles without tables, RGB by a matrix and gray by a curve, applied to 16 bits (Pillow applies them at 8).

Source: ICC.1:2022 (profile version 4.4), sections 7.2 and 7.3 (header, tag table), 10.6 (curve), 10.18 (parametric
curve), annexes F.2 (monochrome) and F.3 (three-component matrix-based profiles).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEVELS = 65536
_BLOCK = 1 << 20  # pixels
_ROOTS = 1 << 18  # steps of a table of code values by the root of light, in which dark tones get their share
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}  # of the parametric curves, by kind


@dataclass(frozen=True, eq=False)
class MatrixProfile:
    """An RGB colour space: one curve per channel, then one matrix."""

    curves: NDArray[np.float64]  # (3, 65536): light, 0..1, of every code value; never falling
    matrix: NDArray[np.float64]  # (3, 3): from light to XYZ of the profile connection space (D50)

    @classmethod
    def parse(cls, profile: bytes) -> MatrixProfile | None:
        """Read a profile; None if it is of another kind (gray, CMYK, tables) or damaged."""
        try:
            tags = _tags(profile, b"RGB ")
            # Numbers of 16 bits before the point and 16 behind it, after the type and four spare bytes.
            columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
            matrix = np.stack(columns, axis=1) / 65536
            curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
        except (KeyError, ValueError, struct.error):
            return None
        # Curves are inverted by a sorted search, which needs them never to fall.
        is_sound = np.isfinite(curves).all() and (np.diff(curves) >= 0).all() and np.ptp(curves, axis=1).min() > 0
        return cls(curves, matrix) if is_sound and abs(np.linalg.det(matrix)) > 1e-6 else None


def is_alike(one: MatrixProfile, other: MatrixProfile) -> bool:
    """Whether two colour spaces give every 8-bit value about the same colour: within one such step."""
    codes = np.arange(0, _LEVELS, 257)
    meant = [np.searchsorted(there, here[codes]) for here, there in zip(one.curves, other.curves, strict=True)]
    return bool(np.abs(meant - codes).max() <= 257 and np.abs(one.matrix - other.matrix).max() < 2e-3)


def gray_to_srgb(profile: bytes, srgb: MatrixProfile) -> NDArray[np.uint16] | None:
    """Code value of sRGB for each of the 65536 of a gray profile with one curve; None if another kind or damaged."""
    try:
        light = _curve(_tags(profile, b"GRAY")[b"kTRC"])
    except (KeyError, ValueError, struct.error):
        return None
    if not np.isfinite(light).all() or not np.ptp(light) > 0:
        return None
    return np.searchsorted((srgb.curves[1, 1:] + srgb.curves[1, :-1]) / 2, light).astype(np.uint16)


def convert(pixels: NDArray[np.uint16], source: MatrixProfile, target: MatrixProfile) -> NDArray[np.uint16]:
    """Carry 16-bit pixels (H, W, 3) to another colour space (relative colorimetric; what does not fit is clipped)."""
    # One product for both ways: source to XYZ, XYZ to target.
    mix = np.linalg.solve(target.matrix, source.matrix)
    codes = [_codes_by_root(curve) for curve in target.curves]
    # Not empty_like, which keeps a transposed order of its argument: then `out` would be a copy.
    result = np.empty(pixels.shape, pixels.dtype)
    flat, out = pixels.reshape(-1, 3), result.reshape(-1, 3)
    # In blocks: light in float64 takes 24 bytes per pixel, 4.8 GB of the largest photograph.
    for start in range(0, len(flat), _BLOCK):
        block = slice(start, start + _BLOCK)
        light = mix @ np.stack([curve[flat[block, channel]] for channel, curve in enumerate(source.curves)])
        roots = np.sqrt(np.clip(light, 0, 1)) * (_ROOTS - 1)
        for channel, table in enumerate(codes):
            out[block, channel] = table[np.rint(roots[channel]).astype(np.int32)]
    return result


def _codes_by_root(curve: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Code value whose light is nearest to the square of every root in 0..1."""
    light = (np.arange(_ROOTS) / (_ROOTS - 1)) ** 2
    # Midpoints between code values: their search finds the nearest code, and at most 65535.
    return np.searchsorted((curve[1:] + curve[:-1]) / 2, light).astype(np.uint16)


def _tags(profile: bytes, space: bytes) -> dict[bytes, bytes]:
    """Content of every tag by its signature; ValueError unless the profile leads from this space to XYZ by curves."""
    (count,) = struct.unpack_from(">I", profile, 128)
    # A damaged count can be 4 billion; sound profiles have some twenty tags.
    if count > 200:
        raise ValueError("too many tags")
    found = {}
    for index in range(count):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        found[name] = profile[start : start + size]
    # Where a profile has tables too (A2B0), the standard lets them decide.
    if profile[16:24] != space + b"XYZ " or b"A2B0" in found:
        raise ValueError("a profile of another kind")
    return found


def _curve(tag: bytes) -> NDArray[np.float64]:
    """Light of all 65536 code values."""
    x = np.arange(_LEVELS) / (_LEVELS - 1)
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        return _parametric(kind, x, *(value / 65536 for value in struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)))
    if tag[:4] != b"curv":
        raise ValueError("not a curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return x
    if count == 1:
        # A single entry is no table but an exponent, with 8 bits behind the point.
        return x ** (struct.unpack_from(">H", tag, 12)[0] / 256)
    table = np.frombuffer(tag, ">u2", count, 12) / 65535
    return np.interp(x, np.linspace(0, 1, count), table)


def _parametric(kind: int, x: NDArray[np.float64], gamma: float, *others: float) -> NDArray[np.float64]:
    """Table 68 of the standard: a power above a threshold d, a straight line below it; `others` are a to f."""
    a, b, c, d, e, f = (*others, *(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)[len(others) :])
    if a <= 0:
        raise ValueError("a curve without slope")
    if kind in (1, 2):  # these begin where the power does, and c lies under both parts
        c, d, e, f = 0, -b / a, c, c
    # Both parts are computed everywhere; a negative base would give NaN.
    return np.where(x >= d, np.maximum(a * x + b, 0) ** gamma + e, c * x + f)
