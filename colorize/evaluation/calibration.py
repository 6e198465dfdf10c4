"""Whether probabilities mean what they say: reliability of the top label, log-loss, and the entropy to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize.color import rgb_to_lab
from colorize.evaluation.compare import Observation
from colorize.evaluation.oracles import true_region_ab
from colorize.palette import ColorPalette
from colorize.types import Colorization

__all__ = ["ProbabilityObserver", "Reliability", "log_loss", "reliability", "translation"]

_TINY = 1e-12  # a true colour of probability 0 costs 27.6 nats, not infinity


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability diagram: bins of equal mass, from the least sure regions to the surest.

    Attributes
    ----------
    confidence : ndarray, shape (n_bins,), float64
        Weighted mean probability of the most probable colour in each bin.
    accuracy : ndarray, shape (n_bins,), float64
        Weighted share of each bin whose most probable colour is the true one.
    mass : ndarray, shape (n_bins,), float64
        Share of all weight in each bin; sums to 1, nearly equal unless single regions are very large.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    mass: NDArray[np.float64]

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean of ``|confidence - accuracy|`` over the bins, weighted by mass, 0..1."""
        return float(self.mass @ np.abs(self.confidence - self.accuracy))


def reliability(
    probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None, *, n_bins: int = 15
) -> Reliability:
    """Compare the probability of the most probable colour with how often it is the true one.

    Parameters
    ----------
    probabilities : array-like, shape (n, K)
        Rows sum to 1.
    truth : array-like, shape (n,), int
        True palette index of every region.
    weights : array-like, shape (n,), optional
        Areas of the regions; equal by default.
    n_bins : int
        Bins of equal mass along the probability; bins that stay empty are left out.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        The shapes do not match, there is no row, a weight is negative, or `n_bins` is not positive.

    References
    ----------
    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015
    (expected calibration error). Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural
    language processing models", EMNLP 2015 (bins of equal mass).

    Examples
    --------
    >>> diagram = reliability([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]], [0, 0, 1, 0], n_bins=2)
    >>> diagram.confidence.tolist(), diagram.accuracy.tolist(), round(diagram.expected_error, 3)
    ([0.6, 0.9], [0.5, 1.0], 0.1)
    """
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins!r}")
    rows, index, share = _checked(probabilities, truth, weights)
    top = rows.argmax(axis=1)
    sure, right = rows[np.arange(len(rows)), top], (top == index).astype(np.float64)
    order = np.argsort(sure, kind="stable")
    middle = np.cumsum(share[order]) - share[order] / 2
    bins = np.empty(len(rows), np.intp)
    bins[order] = np.minimum((middle * n_bins).astype(np.intp), n_bins - 1)
    mass = np.bincount(bins, share, minlength=n_bins).astype(np.float64)
    filled = mass > 0
    confidence, accuracy = (
        np.bincount(bins, share * values, minlength=n_bins)[filled] / mass[filled] for values in (sure, right)
    )
    return Reliability(confidence, accuracy, mass[filled])


def log_loss(probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean of ``-log p(true colour)`` in nats; lower is better.

    Compare it with the same for the class frequencies of the training photographs in every row: that is what a model
    which looks at nothing would pay.

    Parameters
    ----------
    probabilities : array-like, shape (n, K)
    truth : array-like, shape (n,), int
    weights : array-like, shape (n,), optional
        Areas of the regions; equal by default.

    Raises
    ------
    ValueError
        The shapes do not match, there is no row, or a weight is negative.

    Examples
    --------
    >>> round(log_loss([[0.5, 0.5], [0.5, 0.5]], [0, 1]), 4)
    0.6931
    """
    rows, index, share = _checked(probabilities, truth, weights)
    return float(-share @ np.log(np.maximum(rows[np.arange(len(rows)), index], _TINY)))


def translation(
    source: ColorPalette, target: ColorPalette, ab: ArrayLike, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """How the colours of one palette fall to those of another, shape (n_source, n_target); rows sum to 1.

    ``probabilities @ translation(...)`` are probabilities over the other palette, so that models with palettes of their
    own can be measured on a common one. A source colour is shared as the samples nearest to it are; with equal palettes
    nothing changes.

    Parameters
    ----------
    source, target : ColorPalette
    ab : array-like, shape (n, 2)
        Colours of training regions.
    weights : array-like, shape (n,), optional
        Their areas; equal by default.

    Examples
    --------
    >>> from colorize.palette import ColorPalette
    >>> ab = np.array([[0.0, 0.0], [40.0, 0.0], [0.0, 40.0]])
    >>> translation(ColorPalette(2).fit(ab), ColorPalette(3).fit(ab), ab).shape
    (2, 3)
    """
    counts = np.zeros((len(source.colors_), len(target.colors_)))
    np.add.at(counts, (source.encode(ab), target.encode(ab)), 1.0 if weights is None else np.asarray(weights))
    unseen = np.flatnonzero(counts.sum(axis=1) == 0)
    counts[unseen, target.encode(source.colors_[unseen])] = 1
    return counts / counts.sum(axis=1, keepdims=True)


class ProbabilityObserver:
    """Collects, while a comparison runs, what a model believes of every region, and what is true.

    Photographs weigh the same, regions by their areas within them; photographs without truth are left out.

    Parameters
    ----------
    method : str
        The method whose results are looked at; they must be of the type `Colorization`.
    palette : ColorPalette
        What true colours are counted by.
    table : ndarray, shape (n_colors, K), optional
        `translation` from the palette of the model to `palette`, if they differ.

    Attributes
    ----------
    probabilities : ndarray, shape (n, K)
    truth : ndarray, shape (n,), int
    weights : ndarray, shape (n,)
        After at least one photograph; arguments for `reliability` and `log_loss`.
    """

    def __init__(self, method: str, palette: ColorPalette, table: NDArray[np.float64] | None = None) -> None:
        self.method = method
        self.palette = palette
        self.table = table
        self._blocks: list[tuple[NDArray[Any], NDArray[np.intp], NDArray[Any]]] = []

    def __call__(self, observation: Observation) -> None:
        """Keep the regions of one photograph."""
        result = observation.prediction
        if observation.method != self.method or not observation.has_truth or not isinstance(result, Colorization):
            return
        believed = result.probabilities if self.table is None else result.probabilities @ self.table
        true_ab = rgb_to_lab(observation.photo.pixels)[..., 1:]
        truth = self.palette.encode(true_region_ab(true_ab, result.superpixels))
        self._blocks.append((believed, truth, result.superpixels.areas / result.superpixels.areas.sum()))

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Of all regions seen so far."""
        return np.concatenate([block[0] for block in self._blocks])

    @property
    def truth(self) -> NDArray[np.intp]:
        """Palette index of all regions seen so far."""
        return np.concatenate([block[1] for block in self._blocks])

    @property
    def weights(self) -> NDArray[np.float64]:
        """Share of its photograph of all regions seen so far."""
        return np.concatenate([block[2] for block in self._blocks])


def _checked(
    probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """The arrays with their shapes checked, the weights as shares of their sum."""
    rows, index = np.asarray(probabilities, np.float64), np.asarray(truth)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"probabilities must have shape (n, K) with n at least 1, got {rows.shape}")
    if index.shape != (len(rows),) or not np.issubdtype(index.dtype, np.integer):
        raise ValueError(f"truth must be ({len(rows)},) integers, got shape {index.shape}, {index.dtype}")
    if index.min() < 0 or index.max() >= rows.shape[1]:
        raise ValueError(f"truth must lie in 0..{rows.shape[1] - 1}, got {index.min()} to {index.max()}")
    share = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    if share.shape != (len(rows),) or (share < 0).any() or not share.sum() > 0:
        raise ValueError(f"weights must be ({len(rows)},), not negative and not all 0, got shape {share.shape}")
    return rows, index.astype(np.intp), share / share.sum()
