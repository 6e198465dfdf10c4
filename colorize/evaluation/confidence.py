"""Whether the confidence of a model means what it says, and whether it tells where the model errs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from colorize._support.statistics import Bootstrap, Interval
from colorize.color import rgb_to_lab
from colorize.color.metrics import ciede2000
from colorize.evaluation.measure import Observation
from colorize.exceptions import DatasetError
from colorize.recognition.decision import NEAR
from colorize.types import Colorization

__all__ = ["ConfidenceCheck", "ConfidenceObserver", "check_confidence"]

# Equally many of every photograph, so that each weighs alike and all stack to one array; neighbours
# err together, so that more of them would tell little.
PIXELS_PER_PHOTO = 2000
_N_BINS = 10
# A multiple of four: the surest quarter is one of them.
_N_SHARES = 20


@dataclass(frozen=True, eq=False)
class ConfidenceCheck:
    """Confidence of pixels against what is true of them; every photograph weighs alike.

    Attributes
    ----------
    stated : ndarray, shape (10,), float64
        Mean confidence in ten bins of as many pixels each, from the least sure to the surest.
    accuracy : tuple of Interval
        Per bin, the share of pixels whose colour lies within 20 units of ab of the truth, with 95 % intervals over
        photographs, because the pixels of one photograph err together.
    coverage : ndarray, shape (20,), float64
        Shares of the pixels, the surest first, 0.05 to 1.
    risk : tuple of Interval
        Mean CIEDE2000 of these.
    """

    stated: NDArray[np.float64]
    accuracy: tuple[Interval, ...]
    coverage: NDArray[np.float64]
    risk: tuple[Interval, ...]

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean distance of `stated` from `accuracy`, 0..1."""
        return float(np.abs(self.stated - [interval.value for interval in self.accuracy]).mean())

    @property
    def best_quarter(self) -> Interval:
        """Mean CIEDE2000 of the surest quarter of the pixels."""
        return self.risk[_N_SHARES // 4 - 1]

    @property
    def mean(self) -> Interval:
        """Mean CIEDE2000 of all pixels."""
        return self.risk[-1]

    def to_dict(self) -> dict[str, Any]:
        """Plain values and intervals."""
        return {
            "stated": self.stated,
            "true": self.accuracy,
            "expected_error": self.expected_error,
            "coverage": self.coverage,
            "risk": self.risk,
            "best_quarter": self.best_quarter,
            "mean": self.mean,
        }


class ConfidenceObserver:
    """Collects some pixels of every `Colorization` while a method is measured; those without truth are left out."""

    def __init__(self) -> None:
        self._rows: list[NDArray[np.float32]] = []

    def __call__(self, seen: Observation) -> None:
        """Take in one prediction."""
        found = seen.prediction
        if not seen.has_truth or not isinstance(found, Colorization):
            return
        # Evenly spaced and not drawn: the same pixels at every run, and for every model compared.
        at = np.linspace(0, found.confidence.size - 1, PIXELS_PER_PHOTO).astype(np.intp)
        true = rgb_to_lab(seen.photo.pixels.reshape(1, -1, 3)[:, at])[0]
        ab = found.ab.reshape(-1, 2)[at]
        error = ciede2000(true, np.concatenate([true[:, :1], ab], axis=1))
        is_near = np.linalg.norm(true[:, 1:] - ab, axis=1) < NEAR
        self._rows.append(np.stack([found.confidence.reshape(-1)[at], is_near, error]).astype(np.float32))

    def check(self) -> ConfidenceCheck:
        """What `check_confidence` found; DatasetError if no photograph with truth was seen."""
        if not self._rows:
            raise DatasetError("there are no photographs to hold the confidence against")
        return check_confidence(*np.stack(self._rows, axis=1))


def check_confidence(confidence: NDArray[Any], is_near: NDArray[Any], error: NDArray[Any]) -> ConfidenceCheck:
    """Compare confidence with the truth.

    Parameters
    ----------
    confidence, is_near, error : ndarray, shape (n_photos, n_pixels)
        Stated, 0..1; whether the colour is as near to the truth as the confidence is about; CIEDE2000.

    References
    ----------
    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015
    (expected calibration error). Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural
    language processing models", EMNLP 2015 (bins of equal mass).
    El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 2010 (risk against coverage).

    Examples
    --------
    >>> sure = np.tile([0.9, 0.1], (5, 10))
    >>> found = check_confidence(sure, sure > 0.5, 10 * (1 - sure))
    >>> round(found.best_quarter.value, 3), round(found.mean.value, 3), [round(x.value, 2) for x in found.risk[::10]]
    (1.0, 5.0, [1.0, 1.73])
    """
    stated, near, errors = (np.asarray(values, np.float64) for values in (confidence, is_near, error))
    # From the surest pixel to the least sure; ties: each photograph in turn.
    place = rankdata(-stated.T, "ordinal").reshape(stated.T.shape).T - 1
    bootstrap = Bootstrap(len(stated))

    def mean_of(values: NDArray[np.float64], some: NDArray[np.bool_]) -> Interval:
        return bootstrap.ratio((values * some).sum(axis=1), some.sum(axis=1))

    # By rank, not by confidence: the pixels of a region are about equally sure, and no threshold
    # divides such ties into bins of equal mass.
    bins = [place * _N_BINS // stated.size == k for k in reversed(range(_N_BINS))]
    shares = range(1, _N_SHARES + 1)
    return ConfidenceCheck(
        stated=np.array([stated[some].mean() for some in bins]),
        accuracy=tuple(mean_of(near, some) for some in bins),
        coverage=np.array(shares) / _N_SHARES,
        risk=tuple(mean_of(errors, place * _N_SHARES < k * stated.size) for k in shares),
    )
