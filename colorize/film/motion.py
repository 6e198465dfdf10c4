"""Optical flow between two frames: where every pixel was, and how far that can be trusted.

Source: T. Kroeger, R. Timofte, D. Dai, L. Van Gool, "Fast optical flow using dense inverse search" (2016), as in
OpenCV; the check of both directions after N. Sundaram, T. Brox, K. Keutzer, "Dense point trajectories by
GPU-accelerated large displacement optical flow" (2010), eq. 5, made soft.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.types import Float32

Gray = NDArray[np.uint8]

# At this size flow takes 1.0 of the 5.0 CPU-seconds of a second of film (docs/film.md).
FLOW_PIXELS = 120_000
"""Frames are reduced to about so many pixels for the flow."""

_STEP = 4.0  # of L*: lightness that differs by this along the flow halves the trust, and more
_BENEFIT = 1.5  # trust multiplies from frame to frame: a little grain must not wear it out
_SLACK = 1.0  # pixels of the reduced frame by which both directions may differ


@dataclass(frozen=True, eq=False)
class Motion:
    """How a frame came out of the last one.

    Attributes
    ----------
    rows, columns : ndarray, shape (H, W), float32
        Where each pixel was in the last frame.
    trust : ndarray, shape (H, W), float32
        0..1: both directions agree, and lightness does.
    """

    rows: Float32
    columns: Float32
    trust: Float32

    def carry(self, values: Float32) -> Float32:
        """Bring an array of the last frame, shape (H, W) or (H, W, up to 4), to the places of this one."""
        return np.asarray(sampled(values, self.rows, self.columns), np.float32)


def sampled(values: np.ndarray, rows: Float32, columns: Float32) -> np.ndarray:
    """Values between pixels, of the shape of `rows`; beyond the edge those at the edge."""
    return np.asarray(cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def flow_shape(shape: tuple[int, int], pixels: int = FLOW_PIXELS) -> tuple[int, int]:
    """Height and width at which flow is computed, of about `pixels` at most.

    Examples
    --------
    >>> flow_shape((480, 854)), flow_shape((90, 120))
    ((260, 462), (90, 120))
    """
    scale = min(1.0, (pixels / (shape[0] * shape[1])) ** 0.5)
    # OpenCV's DIS raises an error on sides below 12 pixels, and its fast preset (`cuts`) halves a low, wide frame
    # until nothing is left of it: an error or a crash. At 32 pixels neither happens.
    return max(32, round(shape[0] * scale)), max(32, round(shape[1] * scale))


def flow_gray(lightness: Float32) -> Gray:
    """Lightness, shape (H, W), as the flow wants it: reduced, 8 bits."""
    small = _resized(lightness, flow_shape(lightness.shape))
    # L* of 0..100 onto the bytes that DIS takes.
    return np.clip(small * np.float32(2.55), 0, 255).astype(np.uint8)


def find_motion(last: Float32, lightness: Float32) -> Motion:
    """Follow every pixel of a frame back to the last frame.

    Parameters
    ----------
    last, lightness : ndarray, shape (H, W), float32
        L* of both frames. Light that changes all over the picture is allowed for.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_image
    >>> picture = load_sample_image("china.jpg")[::2, ::2, 1].astype(np.float32) / 2.55
    >>> motion = find_motion(picture, 0.8 * np.roll(picture, 4, axis=1))
    >>> float(np.median(motion.columns - np.arange(320))).__round__(), bool(np.median(motion.trust) > 0.8)
    (-4, True)
    """
    before, now = flow_gray(last), flow_gray(lightness)
    back, forth = flow(now, before), flow(before, now)
    shape = lightness.shape
    scale = shape[0] / before.shape[0], shape[1] / before.shape[1]
    places = np.indices(shape, dtype=np.float32)
    rows = places[0] + _resized(back[..., 1], shape) * np.float32(scale[0])
    columns = places[1] + _resized(back[..., 0], shape) * np.float32(scale[1])
    trust = _resized(agreement(back, forth), shape)
    # Beyond the edge `sampled` repeats the edge, which can look right and was never seen.
    trust *= (rows > -1) & (rows < shape[0]) & (columns > -1) & (columns < shape[1])
    moved = sampled(last, rows, columns)
    # Judged where both directions agree: elsewhere the moved frame shows other things.
    trust *= _same_light(moved, lightness, trust > 0.5)
    trust *= np.float32(_BENEFIT)
    return Motion(rows, columns, np.minimum(trust, np.float32(1)))


def flow(start: Gray, end: Gray) -> Float32:
    """Displacement of every pixel from one reduced frame to another, columns first, shape (h, w, 2)."""
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(estimator.calc(start, end, None), np.float32)


def agreement(there: Float32, back: Float32) -> Float32:
    """1 where two flows, there and back, end where they began, falling to 0 where they do not, shape (h, w)."""
    rows, columns = np.indices(there.shape[:2], dtype=np.float32)
    returned = sampled(back, rows + there[..., 1], columns + there[..., 0])
    missed = ((there + returned) ** 2).sum(axis=2)
    # Long ways may miss by more: a hundredth of their squared length, as in the paper.
    allowed = 0.01 * ((there**2).sum(axis=2) + (returned**2).sum(axis=2)) + _SLACK
    return np.asarray(np.exp(-((missed / allowed) ** 2)), np.float32)


def _same_light(moved: Float32, lightness: Float32, followed: NDArray[np.bool_]) -> Float32:
    """1 where lightness agrees after a change of light all over the picture, shape (H, W).

    The change is found where the flow is sure (`followed`). Grain and the pixel that flow is off at an edge are
    averaged out first.
    """
    moved, now = (cv2.GaussianBlur(plane, (0, 0), 1.0) for plane in (moved, lightness))
    seen = [plane[followed] if followed.any() else plane for plane in (moved, now)]
    # One unit of contrast is added to both, or a blank frame would give a wild ratio; more than a
    # factor of two is no change of light.
    gain = np.clip((seen[1].std() + 1) / (seen[0].std() + 1), 0.5, 2.0)
    difference = now - seen[1].mean() - np.float32(gain) * (moved - seen[0].mean())
    return np.asarray(np.exp(-((difference / np.float32(_STEP)) ** 2)), np.float32)


def _resized(plane: Float32, shape: tuple[int, int]) -> Float32:
    smaller = shape[0] * shape[1] < plane.size
    # Averages on the way down: single samples would turn grain into motion.
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(plane), shape[::-1], interpolation=method), np.float32)
