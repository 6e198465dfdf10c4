"""Where one shot ends and the next begins.

A frame belongs to the shot before it if the last frame, moved by optical flow, explains its structure: the correlation
of both after their means over a neighbourhood are taken out. Light that changes (a fade, flicker, a lamp) changes
neither sign nor place of structure, so the correlation stays near 1; between different scenes it stays near 0, because
flow can bend a picture but not make it another. What comes back after a few frames was a flash, no cut. A dissolve has
no frame that the one before it does not explain: it is no cut, and new colours take over as the old ones lose trust.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import cv2
import numpy as np

from colorize.film.motion import Gray, sampled
from colorize.types import Float32

SAME = 0.35
"""Correlation from which on two frames show one shot; see `docs/film.md` for what photographs measure."""

PIXELS = 160 * 120
"""Size at which frames are compared: grain averages out, and a comparison takes less than a millisecond."""

_FLASH = 4  # frames: longer than any flash bulb, shorter than any shot
_BLANK = 2.5  # standard deviation of gray, 0..255, below which there is nothing to compare
_NEIGHBOURHOOD = 6.0  # pixels
_NOISE = 2.0  # variance of gray that counts as no structure

START, STEADY, HELD = "start", "steady", "held"


def similarity(first: Gray, second: Gray) -> float:
    """Correlation of the structure of two frames, after motion, -1..1.

    Parameters
    ----------
    first, second : ndarray, shape (h, w), uint8
        Gray, of about `PIXELS` pixels.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> china, flower = (cv2.resize(picture[..., 1], (160, 107)) for picture in load_sample_images().images)
    >>> darker = (0.6 * np.roll(china, 3, axis=1)).astype(np.uint8)
    >>> similarity(china, darker) > 0.6, similarity(china, flower) < 0.2
    (True, True)
    """
    # The fast preset: a cut needs no exact flow, and every frame of the film pays for this.
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(second, first, None)
    rows, columns = np.indices(second.shape, dtype=np.float32)
    a, b = _structure(sampled(first, rows + flow[..., 1], columns + flow[..., 0])), _structure(second)
    # Keeps the ratio away from 0/0, and lets structure as faint as grain count for little.
    noise = a.size * _NOISE
    return float((a * b).sum() / np.sqrt(((a * a).sum() + noise) * ((b * b).sum() + noise)))


def find_shots(frames: Iterable[Gray]) -> Iterator[str]:
    """Tell of every frame whether it starts a shot.

    Parameters
    ----------
    frames : iterable of ndarray, shape (h, w), uint8
        Gray, of about `PIXELS` pixels.

    Yields
    ------
    str
        `START` for the first frame of a shot; `STEADY` for one that goes on from the last; `HELD` for one inside a
        shot that shows too little of it to carry colours (a flash, black between two shots).

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> china, flower = (cv2.resize(picture[..., 1], (160, 107)) for picture in load_sample_images().images)
    >>> list(find_shots([china, china, np.full_like(china, 255), china, flower]))
    ['start', 'steady', 'held', 'steady', 'start']
    """
    source = iter(frames)
    # A few frames only: a film does not fit into memory.
    ahead: list[Gray] = list(islice(source, 1 + _FLASH))
    last: Gray | None = None
    while ahead:
        kind = START if last is None else _kind(last, ahead)
        yield kind
        # After a flash the frame before it is compared, not the flash.
        if last is None or kind != HELD:
            last = ahead[0]
        ahead = [*ahead[1:], *islice(source, 1)]


def _kind(last: Gray, ahead: list[Gray]) -> str:
    gray = ahead[0]
    if gray.std() < _BLANK:
        return STEADY if last.std() < _BLANK else HELD
    if last.std() < _BLANK:  # the film opened on black
        return START
    if similarity(last, gray) >= SAME:
        return STEADY
    comes_back = any(later.std() >= _BLANK and similarity(last, later) >= SAME for later in ahead[1:])
    return HELD if comes_back else START


def _structure(gray: Gray) -> Float32:
    values = gray.astype(np.float32)
    return values - cv2.GaussianBlur(values, (0, 0), _NEIGHBOURHOOD)
