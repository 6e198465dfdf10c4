"""Hints followed through their shot: where the hinted points of a frame lie on the frames around it.

Points, not pictures, are followed: they do not blur. A point is given up where the flow back does not agree, where the
gray under it is no longer that of its hint, and at the edge of the picture; all end with the shot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colorize.film.motion import Gray, agreement, flow, flow_shape, sampled
from colorize.guidance.hints import HintPixels
from colorize.types import Float32

MOST_POINTS = 3000
"""Points that are followed from one frame; of larger hints an even sample."""

_AGREES = 0.3  # of both directions of the flow
_GRAY_STEP = 30.0  # 0..255: a point whose gray differs by more from that of its hint has slid off
_COLUMNS = 7  # frame, row, column, red, green, blue, reach


@dataclass(frozen=True, eq=False)
class Points:
    """Hinted points on one reduced frame.

    Attributes
    ----------
    places : ndarray, shape (n, 2), float32
        Row and column on the reduced frame.
    gray : ndarray, shape (n,), float32
        Gray where the hint was drawn.
    told : ndarray, shape (n, 4), int32
        Red, green, blue, reach.
    """

    places: Float32
    gray: Float32
    told: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.places)


def follow_hints(
    frames: Iterable[tuple[Gray, bool]], hints: Mapping[int, HintPixels], shape: tuple[int, int], backward: int
) -> NDArray[np.int32]:
    """Follow hints to the frames around theirs.

    Parameters
    ----------
    frames : iterable of (ndarray of shape `flow_shape`, bool)
        Gray of every frame of the film, and whether it starts a shot.
    hints : mapping of int to HintPixels
        By number of the frame that they were drawn on.
    shape : tuple of int
        Height and width of the film.
    backward : int
        Frames that a hint is followed back at most; forward it is to the end of its shot.

    Returns
    -------
    ndarray, shape (n, 7), int32
        One row per point and frame: number of the frame, row and column in pixels of the film, red, green, blue, and
        reach; ordered by frame. Points on the frame that they were drawn on are left out.
    """
    found: list[NDArray[np.int32]] = []
    # One more than is followed back: the frame of the hint is among them.
    past: deque[Gray] = deque(maxlen=backward + 1)
    under_way: list[Points] = []
    for number, (gray, is_start) in enumerate(frames):
        if is_start:
            past.clear()
            under_way = []
        if under_way:
            under_way = [points for points in step(under_way, past[-1], gray) if len(points)]
            found += [_rows(points, number, shape) for points in under_way]
        past.append(gray)
        if number in hints:
            points = start(hints[number], gray)
            under_way.append(points)
            found += _back(points, list(past), number, shape)
    rows = np.concatenate(found) if found else np.zeros((0, _COLUMNS), np.int32)
    # By frame, for `on_frame` searches; stable, so that where points meet the same one always wins.
    return rows[np.argsort(rows[:, 0], kind="stable")]


def on_frame(tracks: NDArray[np.int32], number: int, shape: tuple[int, int]) -> HintPixels | None:
    """Points of `follow_hints` that lie on a frame, as pixels of it; None if there are none."""
    first, last = np.searchsorted(tracks[:, 0], [number, number + 1])
    if first == last:
        return None
    rows = tracks[first:last]
    place = rows[:, 1], rows[:, 2]
    is_known, rgb, reach = np.zeros(shape, bool), np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8)
    is_known[place], rgb[place], reach[place] = True, rows[:, 3:6], rows[:, 6]
    return HintPixels(is_known, rgb, reach)


def start(pixels: HintPixels, gray: Gray) -> Points:
    """Points to follow from the pixels of a hint, on the reduced frame."""
    rows, columns = np.nonzero(pixels.is_known)
    # Evenly over the rows of the hint, and no dice: the same points every time.
    kept = np.linspace(0, len(rows) - 1, min(len(rows), MOST_POINTS)).round().astype(np.intp)
    rows, columns = rows[kept], columns[kept]
    height, width = pixels.is_known.shape
    scale = gray.shape[0] / height, gray.shape[1] / width
    # Centres of pixels onto centres: without the halves every point would drift up and left.
    places = np.column_stack([(rows + 0.5) * scale[0] - 0.5, (columns + 0.5) * scale[1] - 0.5]).astype(np.float32)
    told = np.column_stack([pixels.rgb[rows, columns], pixels.reach[rows, columns]]).astype(np.int32)
    return Points(places, _at(gray, places)[:, 0], told)


def step(followed: Iterable[Points], gray: Gray, other: Gray) -> list[Points]:
    """Follow points from one reduced frame to another; those that get lost are left out."""
    there = flow(gray, other)
    trust = agreement(there, flow(other, gray))
    # Flicker moves the gray of all points alike, and is no reason to give them up.
    light = float(other.mean()) - float(gray.mean())
    arrived = []
    for points in followed:
        moved = points.places + _at(there, points.places)[:, ::-1]
        inside = ((moved >= 0) & (moved <= np.array(gray.shape) - 1)).all(axis=1)
        alike = np.abs(_at(other, moved)[:, 0] - points.gray - light) < _GRAY_STEP
        kept = inside & alike & (_at(trust, points.places)[:, 0] > _AGREES)
        arrived.append(Points(moved[kept], points.gray[kept] + np.float32(light), points.told[kept]))
    return arrived


def _back(points: Points, past: list[Gray], number: int, shape: tuple[int, int]) -> list[NDArray[np.int32]]:
    """Rows of the frames before; `past` ends with the frame of the hint."""
    found = []
    for back in range(1, len(past)):
        (points,) = step([points], past[-back], past[-back - 1])
        if not len(points):
            break
        found.append(_rows(points, number - back, shape))
    return found


def _rows(points: Points, number: int, shape: tuple[int, int]) -> NDArray[np.int32]:
    scale = np.array(shape) / np.array(flow_shape(shape))
    places = np.clip(((points.places + 0.5) * scale).astype(np.int32), 0, np.array(shape) - 1)
    return np.column_stack([np.full(len(points), number), places, points.told]).astype(np.int32)


def _at(plane: np.ndarray, places: Float32) -> Float32:
    """Values between pixels, shape (n, channels)."""
    if not len(places):  # OpenCV samples no empty map
        return np.zeros((0, 1 if plane.ndim == 2 else plane.shape[2]), np.float32)
    rows, columns = (np.ascontiguousarray(places[:, axis : axis + 1]) for axis in (0, 1))
    return sampled(plane.astype(np.float32), rows, columns).reshape(len(places), -1)
