"""Realism without truth: can a small classifier tell colorized photographs from real ones?

Low error and brown haze go together, because caution is rewarded. A classifier two-sample test sees the haze: if its
accuracy on photographs it has not seen is 50 %, it found nothing that gives the colorized ones away; at 100 % every
one of them is recognised. It looks at colour statistics, not at content, so it punishes neither a plausible wrong
colour nor a blue horse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from colorize._support.shrink import shrink
from colorize._support.statistics import Bootstrap, Interval
from colorize.color import rgb_to_lab
from colorize.evaluation.measure import Observation
from colorize.exceptions import DatasetError
from colorize.types import Float32

__all__ = ["FEWEST_PHOTOS", "RealismObserver", "color_statistics", "two_sample_test"]

FEWEST_PHOTOS = 10
"""Photographs below which the test is not made: a classifier cannot be trained and tested on less."""

_SIDE = 96
_N_FOLDS, _N_REPEATS = 5, 4  # cross-validation, repeated with other folds
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def color_statistics(pixels: NDArray[Any]) -> Float32:
    """Describe the colours of a photograph, not its content, as one row of numbers, float32.

    Columns: quantiles of chroma; share of neutral pixels; spread of a* and b*, alone and within dark, middle and light
    tones; correlation of a*, b* and chroma with lightness; soft hue histogram of the coloured pixels; how much colour
    changes from pixel to pixel, along and across edges of lightness; number of distinct colours.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, 3), uint8 or uint16
        sRGB; reduced to 96 pixels on the longer side.
    """
    lab = rgb_to_lab(shrink(pixels, _SIDE, shortest=2))
    lightness, ab = lab[..., 0], lab[..., 1:]
    chroma = np.hypot(ab[..., 0], ab[..., 1])
    values = [
        np.quantile(chroma, _QUANTILES) / 20,
        [np.mean(chroma < 3), np.mean(chroma > 25)],
        ab.reshape(-1, 2).mean(axis=0) / 10,
        ab.reshape(-1, 2).std(axis=0) / 10,
        _spread_by_tone(lightness, ab),
        [_correlation(lightness, ab[..., 0]), _correlation(lightness, ab[..., 1]), _correlation(lightness, chroma)],
        _hue_histogram(ab, chroma),
        _changes(lightness, ab),
        [_distinct_colors(ab) / 100],
    ]
    return np.concatenate([np.asarray(part, np.float32).ravel() for part in values])


def two_sample_test(real: NDArray[Any], colorized: NDArray[Any]) -> Interval:
    """Train a small classifier to tell two sets apart, and see how often it is right on what it has not seen.

    Gives the share of right answers, 0.5 (cannot tell) to 1 (always), with a bootstrap interval over photographs.

    Parameters
    ----------
    real, colorized : ndarray, shape (n_photos, n_columns)
        `color_statistics` of the same photographs, true and colorized.

    Raises
    ------
    DatasetError
        Fewer than `FEWEST_PHOTOS` photographs.

    References
    ----------
    D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> same = two_sample_test(rng.normal(size=(40, 3)), rng.normal(size=(40, 3)))
    >>> far = two_sample_test(rng.normal(size=(40, 3)), rng.normal(9, 1, size=(40, 3)))
    >>> same.value < 0.65, far.value > 0.95
    (True, True)
    """
    n_photos = len(real)
    if n_photos < FEWEST_PHOTOS:
        raise DatasetError(f"the realism test needs at least {FEWEST_PHOTOS} photographs, got {n_photos}")
    rows = np.concatenate([real, colorized])
    is_colorized = np.repeat([False, True], n_photos)
    right = np.zeros(n_photos)
    rng = np.random.default_rng(0)
    # Linear and strongly penalized: with ten photographs there are more columns than rows.
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    for _ in range(_N_REPEATS):
        # A photograph and its colorized twin always share a fold: with one of them learnt, the
        # other would be known by its content.
        folds = PredefinedSplit(np.tile(rng.permutation(n_photos) % _N_FOLDS, 2))
        is_right = cross_val_predict(classifier, rows, is_colorized, cv=folds) == is_colorized
        right += is_right.reshape(2, n_photos).sum(axis=0)
    return Bootstrap(n_photos).mean(right / (2 * _N_REPEATS))


class RealismObserver:
    """Collects colour statistics while methods are measured; photographs without truth are left out."""

    def __init__(self) -> None:
        self._real: dict[int, Float32] = {}
        self._colorized: dict[str, list[Float32]] = {}

    def __call__(self, seen: Observation) -> None:
        """Take in one prediction."""
        if not seen.has_truth:
            return
        if seen.index not in self._real:
            self._real[seen.index] = color_statistics(seen.photo.pixels)
        self._colorized.setdefault(seen.method, []).append(color_statistics(seen.pixels))

    def verdicts(self) -> dict[str, Interval]:
        """Test every method by `two_sample_test`; empty with fewer than `FEWEST_PHOTOS` photographs."""
        if len(self._real) < FEWEST_PHOTOS:
            return {}
        real = np.stack(list(self._real.values()))
        return {method: two_sample_test(real, np.stack(rows)) for method, rows in self._colorized.items()}


def _distinct_colors(ab: Float32) -> int:
    """Number of squares of 5x5 in the a*b* plane that hold a pixel."""
    square = np.floor(ab / 5).astype(np.intp) + 32  # sRGB reaches 108 from gray
    return int(np.count_nonzero(np.bincount(square.reshape(-1, 2) @ [64, 1])))


def _spread_by_tone(lightness: Float32, ab: Float32) -> list[float]:
    tone = np.searchsorted(np.quantile(lightness, (1 / 3, 2 / 3)), lightness)
    parts = [ab[tone == level] for level in range(3)]
    return [float(part.std(axis=0).mean()) / 10 if len(part) > 1 else 0.0 for part in parts]


def _correlation(first: Float32, second: Float32) -> float:
    a, b = first - first.mean(), second - second.mean()
    # Gray results have no spread at all: no correlation, not 0 / 0.
    return float((a * b).mean() / max(a.std() * b.std(), 1e-3))


def _hue_histogram(ab: Float32, chroma: Float32) -> NDArray[np.float64]:
    counts, _ = np.histogram(np.arctan2(ab[..., 1], ab[..., 0]), 12, (-np.pi, np.pi), weights=chroma)
    # Square roots bring out hues of small share; what is gray altogether has 0 everywhere.
    return np.sqrt(counts / max(counts.sum(), 1e-6))


def _changes(lightness: Float32, ab: Float32) -> list[float]:
    """Mean step of colour from pixel to pixel: everywhere, and at the strongest and weakest edges of lightness."""
    steps = np.hypot(*np.moveaxis(np.diff(ab, axis=1), -1, 0)).ravel()
    edges = np.abs(np.diff(lightness, axis=1)).ravel()
    if not edges.size:  # one column
        return [0.0, 0.0, 0.0]
    weak, strong = np.quantile(edges, (0.5, 0.9))
    return [float(steps.mean()) / 5, float(steps[edges <= weak].mean()) / 5, float(steps[edges >= strong].mean()) / 5]
