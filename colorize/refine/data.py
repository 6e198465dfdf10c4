"""Photographs as the networks see them: small, in CIELAB, cropped and mirrored at random, with a base's opinion."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from colorize._support.progress import Progress, silent, telling
from colorize._support.shrink import shrink_to
from colorize._support.threads import one_thread
from colorize.color import rgb_to_lab, to_gray
from colorize.colorizer import Colorizer
from colorize.exceptions import DatasetError
from colorize.features.superpixels import working_shape
from colorize.guidance.canvas import Canvas
from colorize.model import Description
from colorize.recognition.decision import Decision
from colorize.training.recognizer import recalibrate
from colorize.training.rows import TrainingRows, draw, rows_of, share_of_rows
from colorize.types import Float32, GrayImage, RgbImage

WORKING_PIXELS = 24_576
"""Pixels at which the networks work (192 x 128): larger photographs are reduced, smaller ones stay."""

N_FOLDS = 5
GUIDE_PLANES = 5
"""Planes of `guide_table`."""

_STORED_PIXELS = 2 * WORKING_PIXELS  # crops are taken larger than the networks see them, and reduced


@dataclass(frozen=True, eq=False)
class Example:
    """A colour photograph prepared for training.

    Attributes
    ----------
    lab : ndarray, shape (h, w, 3), float16
        CIELAB.
    base_ab : ndarray, shape (h, w, 2), float16, or None
        What the classical model makes of it, propagated; without one, None.
    labels : ndarray, shape (h, w), int32, or None
        The base's regions.
    guide : ndarray, shape (n_superpixels, GUIDE_PLANES), float32, or None
        What the base thinks of every region, see `guide_table`.
    """

    lab: NDArray[np.float16]
    base_ab: NDArray[np.float16] | None = None
    labels: NDArray[np.int32] | None = None
    guide: Float32 | None = None

    def planes(self, rows: slice = slice(None), columns: slice = slice(None)) -> Float32:
        """L*, a*, b* of a part, then the base's a* and b* and the guide if there are any: (h, w, channels)."""
        parts = [self.lab[rows, columns].astype(np.float32)]
        if self.base_ab is not None and self.labels is not None and self.guide is not None:
            parts += [self.base_ab[rows, columns].astype(np.float32), self.guide[self.labels[rows, columns]]]
        return np.concatenate(parts, axis=2)


def plain_example(photo: RgbImage) -> Example:
    """Prepare a photograph for a rival."""
    return Example(_small_lab(photo).astype(np.float16))


def guided_example(photo: RgbImage, base: Colorizer, description: Description) -> Example:
    """Prepare a photograph for the refiner, with what a base model makes of it that has not seen it."""
    lab = _small_lab(photo)
    probabilities = base.recognizer.region_probabilities(description.features.values)
    decision = base.recognizer.decide(description, probabilities)
    canvas = Canvas(GrayImage(np.ascontiguousarray(lab[..., 0])), description.superpixels)
    base_ab = canvas.spread(decision.ab(0.0)).ab
    return Example(lab.astype(np.float16), base_ab.astype(np.float16), canvas.labels, guide_table(decision))


def guide_table(decision: Decision) -> Float32:
    """What a base thinks of every region, in numbers of about unit size, shape (n_superpixels, GUIDE_PLANES).

    The faithful colour (a*, b*), how far the plausible colours spread around it (a*, b*), and the confidence. Nothing
    here depends on the size or order of the palette.
    """
    belief, colors = decision.agreed, decision.colors
    mean = belief @ colors
    variance = np.maximum(belief @ colors**2 - mean**2, 0)
    columns = (decision.ab(0.0) / 50, np.sqrt(variance) / 20, decision.confidence(decision.ab(0.0))[:, None] * 2 - 1)
    return np.concatenate(columns, axis=1).astype(np.float32)


def out_of_fold(
    photos: Sequence[RgbImage], base: Colorizer, *, random_state: int = 0, progress: Progress | None = None
) -> list[Example]:
    """Prepare photographs with what models make of them that have not seen them: an `Example` of each, in their order.

    On its own training photographs a base errs less than on new ones, and a network taught with those errors would
    trust it too much. So the photographs are dealt into five parts, and each is coloured by a model with the base's
    settings that learnt from the other four. The visual words and the palette of the base stay: they carry no colours
    from one photograph to another. So does the machine that the base kept of a base of its own: the other four
    calibrate it.

    Parameters
    ----------
    photos : sequence of RgbImage
        The base's own training photographs, or others of the kind.
    base : Colorizer
        Fitted.
    random_state : int
        Deals the photographs.
    progress : callable, optional

    Raises
    ------
    DatasetError
        Fewer than ten photographs.
    """
    if len(photos) < 2 * N_FOLDS:
        raise DatasetError(f"refining needs at least {2 * N_FOLDS} photographs to learn from, got {len(photos)}")
    say = progress or silent
    descriptions, blocks = [], []
    n_rows = share_of_rows(base.rows_per_photo, len(photos))
    for index, photo in enumerate(telling(say, "describing", photos)):
        descriptions.append(base.model.describe(to_gray(photo)))
        regions = rows_of(descriptions[-1], rgb_to_lab(photo.pixels)[..., 1:], index)
        blocks.append(regions.where(draw(len(regions), n_rows, [random_state, index])))
    rows = TrainingRows.concatenate(blocks)
    fold_of = np.random.default_rng(random_state).permutation(len(photos)) % N_FOLDS
    examples: dict[int, Example] = {}
    for fold in telling(say, "learning without a fifth", range(N_FOLDS)):
        model = _twin(base, rows.where(fold_of[rows.photo] != fold))
        for index in np.flatnonzero(fold_of == fold).tolist():
            examples[index] = guided_example(photos[index], model, descriptions[index])
    return [examples[index] for index in range(len(photos))]


def _twin(base: Colorizer, rows: TrainingRows) -> Colorizer:
    """What the base would be, had it learnt from these rows."""
    if base.summary_.get("machine") != "base":
        return clone(base).learn(rows, palette=base.palette_)
    twin = copy(base)
    with one_thread():  # as in `learn`: equal rows give equal bytes
        found = recalibrate(rows, base.palette_, base.recognizer)
    twin.classifier_, twin.encoder_share_, twin.gain_ = found.classifier, found.encoder_share, found.gain
    return twin


def draw_batch(examples: Sequence[Example], rng: np.random.Generator, *, size: int) -> tuple[Float32, Float32]:
    """Crop each photograph at a random place and scale, and mirror every second one.

    Crops have 0.6 to 1 times the shorter side of a photograph, with up to a tenth of stretching, brought to `size`
    pixels; contrast and brightness of the lightness change by up to 15 %. Gives their planes (`Example.planes`), shape
    (N, channels, size, size), and row and column of every pixel in the whole photograph, -1..1, shape (N, 2, size,
    size).
    """
    planes, places = zip(*(_draw_crop(example, rng, size) for example in examples), strict=True)
    return np.stack(planes), np.stack(places)


def whole(example: Example) -> Float32:
    """All planes of an example at the working resolution, shape (channels, h, w)."""
    planes = example.planes()
    return _resized(planes, working_shape(planes.shape[:2], pixels=WORKING_PIXELS)).transpose(2, 0, 1)


def digest(examples: Sequence[Example]) -> str:
    """Names the photographs of a training, in their order."""
    sha = hashlib.sha256()
    for example in examples:
        sha.update(example.lab.tobytes())
    return sha.hexdigest()[:12]


def _small_lab(photo: RgbImage) -> Float32:
    return shrink_to(rgb_to_lab(photo.pixels), working_shape(photo.shape, pixels=_STORED_PIXELS))


def _draw_crop(example: Example, rng: np.random.Generator, size: int) -> tuple[Float32, Float32]:
    height, width = example.lab.shape[:2]
    side = min(height, width) * rng.uniform(0.6, 1)
    shape = (max(1, int(side)), max(1, min(width, int(side * rng.uniform(0.9, 1.1)))))
    top, left = rng.integers(height - shape[0] + 1), rng.integers(width - shape[1] + 1)
    planes = _resized(example.planes(slice(top, top + shape[0]), slice(left, left + shape[1])), (size, size))
    rows = _places(top, shape[0], height, size)
    columns = _places(left, shape[1], width, size)
    if rng.random() < 0.5:
        planes, columns = planes[:, ::-1], -columns[::-1]
    contrast, brightness = 1 + 0.15 * rng.uniform(-1, 1), 7.5 * rng.uniform(-1, 1)
    planes = np.ascontiguousarray(planes.transpose(2, 0, 1))
    planes[0] = np.clip((planes[0] - 50) * contrast + 50 + brightness, 0, 100)
    return planes, np.stack(np.broadcast_arrays(rows[:, None], columns[None, :])).astype(np.float32)


def _places(start: int, length: int, whole_length: int, size: int) -> Float32:
    positions = np.linspace(start, start + length - 1, size, dtype=np.float32)
    return positions * (2 / max(1, whole_length - 1)) - 1


def _resized(planes: Float32, shape: tuple[int, int]) -> Float32:
    groups = [planes[..., first : first + 4] for first in range(0, planes.shape[2], 4)]  # OpenCV takes four at most
    return np.concatenate([shrink_to(np.ascontiguousarray(group), shape) for group in groups], axis=2)
