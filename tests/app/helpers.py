"""What tests of the app without its page share."""

from __future__ import annotations

import numpy as np

from colorize.io import read_photo


def decoded(jpeg: bytes) -> np.ndarray:
    return read_photo(jpeg).pixels


def stroke(row=100, col=130, color="#2040d0", **more):
    return {"path": [[row, col], [row, col + 30]], "color": color, "radius": 8, "reach": "similar"} | more
