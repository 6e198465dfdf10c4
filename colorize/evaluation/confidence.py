"""Whether the confidence of a model means what it says, and whether it tells where the model errs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize.color import rgb_to_lab
from colorize.decision import NEAR
from colorize.evaluation.calibration import Reliability
from colorize.evaluation.compare import Observation
from colorize.evaluation.statistics import Bootstrap, Interval
from colorize.metrics import ciede2000
from colorize.types import Colorization

__all__ = ["ConfidenceCheck", "ConfidenceObserver", "check_confidence"]

PIXELS_PER_PHOTO = 2000
_N_BINS = 10
_N_SHARES = 20


@dataclass(frozen=True, eq=False)
class ConfidenceCheck:
    """Confidence of pixels against what is true of them; every photograph weighs alike.

    Attributes
    ----------
    reliability : Reliability
        Stated confidence against the share of pixels whose colour lies within 20 units of ab of the truth.
    coverage : ndarray, shape (20,), float64
        Shares of the pixels, the surest first, 0.05 to 1.
    risk : ndarray, shape (20,), float64
        Mean CIEDE2000 of these.
    best_quarter, mean : Interval
        Mean CIEDE2000 of the surest quarter of the pixels, and of all, over photographs.
    """

    reliability: Reliability
    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    best_quarter: Interval
    mean: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values and intervals."""
        return {
            "stated": self.reliability.confidence,
            "true": self.reliability.accuracy,
            "expected_error": self.reliability.expected_error,
            "coverage": self.coverage,
            "risk": self.risk,
            "best_quarter": self.best_quarter,
            "mean": self.mean,
        }


class ConfidenceObserver:
    """Collects some pixels of every photograph while a comparison runs; those without truth are left out.

    Parameters
    ----------
    method : str
        The method to look at; it must give back a `Colorization`.
    """

    def __init__(self, method: str) -> None:
        self.method = method
        self._rows: list[NDArray[np.float32]] = []

    def __call__(self, seen: Observation) -> None:
        """Take in one prediction."""
        if seen.method != self.method or not seen.has_truth or not isinstance(seen.prediction, Colorization):
            return
        found = seen.prediction
        at = np.linspace(0, found.confidence.size - 1, PIXELS_PER_PHOTO).astype(np.intp)
        true = rgb_to_lab(seen.photo.pixels.reshape(1, -1, 3)[:, at])[0]
        ab = found.ab.reshape(-1, 2)[at]
        error = ciede2000(true, np.concatenate([true[:, :1], ab], axis=1))
        is_near = np.linalg.norm(true[:, 1:] - ab, axis=1) < NEAR
        self._rows.append(np.stack([found.confidence.reshape(-1)[at], is_near, error]).astype(np.float32))

    def check(self) -> ConfidenceCheck | None:
        """What was found; None if nothing was seen."""
        return check_confidence(*np.stack(self._rows, axis=1)) if self._rows else None


def check_confidence(confidence: NDArray, is_near: NDArray, error: NDArray) -> ConfidenceCheck:
    """Compare confidence with the truth.

    Parameters
    ----------
    confidence : ndarray, shape (n_photos, n_pixels)
        Stated, 0..1.
    is_near : ndarray, shape (n_photos, n_pixels)
        Whether the colour is as near to the truth as the confidence is about.
    error : ndarray, shape (n_photos, n_pixels)
        CIEDE2000.

    References
    ----------
    El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 2010 (risk against coverage).

    Examples
    --------
    >>> sure = np.tile([0.9, 0.1], (5, 10))
    >>> found = check_confidence(sure, sure > 0.5, 10 * (1 - sure))
    >>> round(found.best_quarter.value, 3), round(found.mean.value, 3), found.risk.round(2).tolist()[::10]
    (1.0, 5.0, [1.0, 1.73])
    """
    stated, near, errors = (np.asarray(values, np.float64) for values in (confidence, is_near, error))
    order = np.argsort(-stated.ravel(), kind="stable")
    bins = np.array_split(order[::-1], _N_BINS)
    rows = [[values.ravel()[some].mean() for some in bins] for values in (stated, near)]
    mass = np.array([len(some) / len(order) for some in bins])
    coverage = np.arange(1, _N_SHARES + 1) / _N_SHARES
    kept = np.ceil(coverage * len(order)).astype(np.intp)
    quarter = np.zeros(stated.shape, bool)
    quarter.ravel()[order[: -(-len(order) // 4)]] = True
    bootstrap = Bootstrap(len(stated))
    return ConfidenceCheck(
        reliability=Reliability(np.array(rows[0]), np.array(rows[1]), mass),
        coverage=coverage,
        risk=(np.cumsum(errors.ravel()[order]) / np.arange(1, len(order) + 1))[kept - 1],
        best_quarter=bootstrap.ratio((errors * quarter).sum(axis=1), quarter.sum(axis=1)),
        mean=bootstrap.mean(errors.mean(axis=1)),
    )
