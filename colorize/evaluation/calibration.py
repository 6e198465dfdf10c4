"""Whether probabilities mean what they say: reliability of the top label, log-loss, and the entropy to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Reliability", "log_loss", "reliability"]

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
    """Compare the probability of the most probable colour with how often it is the true one: a `Reliability`.

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

    Raises
    ------
    ValueError
        The shapes do not match, there is no row, a weight is negative, or `n_bins` is not positive.

    See Also
    --------
    log_loss : The same probabilities in one number.
    colorize.evaluation.confidence.check_confidence : The same for the confidence of pixels.

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
    # Bins of equal mass, not of equal width: few regions are sure of one colour among many, and the
    # accuracy of a nearly empty bin is noise.
    order = np.argsort(sure, kind="stable")
    middle = np.cumsum(share[order]) - share[order] / 2
    bins = np.empty(len(rows), np.intp)
    # The middle of the last region lies at exactly 1 if its weight is 0.
    bins[order] = np.minimum((middle * n_bins).astype(np.intp), n_bins - 1)
    mass = np.bincount(bins, share, minlength=n_bins).astype(np.float64)
    # A large region can reach over several bins; those in between stay empty, and would be 0 / 0.
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
    probabilities, truth, weights
        As of `reliability`, errors too.

    See Also
    --------
    reliability : Whether the probabilities are too sure, or too little.

    Examples
    --------
    >>> round(log_loss([[0.5, 0.5], [0.5, 0.5]], [0, 1]), 4)
    0.6931
    """
    rows, index, share = _checked(probabilities, truth, weights)
    return float(-share @ np.log(np.maximum(rows[np.arange(len(rows)), index], _TINY)))


def _checked(
    probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """The arrays with their shapes checked, the weights as shares of their sum."""
    rows, index = np.asarray(probabilities, np.float64), np.asarray(truth)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"probabilities must have shape (n, K) with n at least 1, got {rows.shape}")
    if index.shape != (len(rows),) or not np.issubdtype(index.dtype, np.integer):
        raise ValueError(f"truth must be ({len(rows)},) integers, got shape {index.shape}, {index.dtype}")
    # NumPy would take -1 for the last colour without a word.
    if index.min() < 0 or index.max() >= rows.shape[1]:
        raise ValueError(f"truth must lie in 0..{rows.shape[1] - 1}, got {index.min()} to {index.max()}")
    # All weights 0 would end as NaN in every figure, far from here.
    share = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    if share.shape != (len(rows),) or (share < 0).any() or not share.sum() > 0:
        raise ValueError(f"weights must be ({len(rows)},), not negative and not all 0, got shape {share.shape}")
    return rows, index.astype(np.intp), share / share.sum()
