"""Small pictures for reports: collected while a comparison runs, encoded to a budget of bytes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize._support.bits import to_8_bit
from colorize._support.optional import import_or_raise
from colorize._support.shrink import shrink
from colorize.color import gray_rgb, rgb_to_lab
from colorize.color.metrics import ciede2000
from colorize.evaluation.measure import Observation
from colorize.io import encode_preview

__all__ = ["Gallery", "Picture", "data_uri", "difference_map", "fitted"]

SIDE = 400
"""Longest side of the pictures kept, in pixels."""

# Errors come in regions, which show at this size; a report holds one map per photograph and method.
MAP_SIDE = 120
MAP_LIMIT = 30.0
"""CIEDE2000 at the bright end of difference maps."""

Pixels = NDArray[np.uint8]


@dataclass(eq=False)
class Picture:
    """One photograph of a report: what went in, what came out, and what is true.

    Attributes
    ----------
    gray, true : ndarray, shape (H, W, 3), uint8
        sRGB; true is None where it is not known.
    results : dict of str to ndarray
        Per method.
    """

    gray: Pixels
    true: Pixels | None
    results: dict[str, Pixels] = field(default_factory=dict)

    def map(self, method: str) -> Pixels:
        """CIEDE2000 to the truth (to the first method, if there is no truth) as colours, see `difference_map`."""
        reference = next(iter(self.results.values())) if self.true is None else self.true
        return difference_map(reference, self.results[method])


class Gallery:
    """Keeps small pictures of what it observes while methods are measured.

    Parameters
    ----------
    side : int
        Longest side in pixels.

    Attributes
    ----------
    pictures : dict of int to Picture
        By number of the photograph.
    """

    def __init__(self, side: int = SIDE) -> None:
        self.side = side
        self.pictures: dict[int, Picture] = {}

    def __call__(self, seen: Observation) -> None:
        """Take in one prediction."""
        if seen.index not in self.pictures:
            true = _small(seen.photo.pixels, self.side) if seen.has_truth else None
            # Gray as methods get it, not as the photograph may have been toned.
            self.pictures[seen.index] = Picture(_small(gray_rgb(seen.gray.lightness), self.side), true)
        self.pictures[seen.index].results[seen.method] = _small(seen.pixels, self.side)


def difference_map(true: Pixels, result: Pixels) -> Pixels:
    """Colour difference of two pictures as a small picture: dark blue for none, yellow for 30 and more (cividis)."""
    true, result = _small(true, MAP_SIDE), _small(result, MAP_SIDE)
    difference = ciede2000(rgb_to_lab(true), rgb_to_lab(result)) / MAP_LIMIT
    colors = import_or_raise("matplotlib", extra="report").colormaps["cividis"]
    return np.round(255 * colors(np.clip(difference * 255, 0, 255).astype(np.uint8))[..., :3]).astype(np.uint8)


def fitted(pixels: Pixels, n_bytes: int, *, longest: int = SIDE) -> bytes:
    """Encode a picture in at most `n_bytes`, if need be smaller and coarser (down to 96 pixels on the longer side)."""
    full = min(longest, max(pixels.shape[:2]))
    for side in (full, *(side for side in (640, SIDE, 320, 256, 200, 160, 128, 96) if side < full)):
        # Coarser before smaller: at 60 the colours, which reports are about, still look the same.
        for quality in (78, 60):
            encoded = encode_preview(_small(pixels, side), quality=quality)
            if len(encoded) <= n_bytes:
                return encoded
    return encode_preview(_small(pixels, 96), quality=30)


def data_uri(pixels: Pixels, n_bytes: int, *, longest: int = SIDE) -> str:
    """A picture as the address of an image that lies in the page itself."""
    return "data:image/webp;base64," + base64.b64encode(fitted(pixels, n_bytes, longest=longest)).decode("ascii")


def _small(pixels: NDArray[Any], side: int) -> Pixels:
    return shrink(to_8_bit(pixels), side)
