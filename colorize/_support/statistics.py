"""How sure a mean over photographs is: bootstrap intervals, and differences between methods on the same photographs.

The photograph is the unit: pixels and regions of one photograph are not independent of each other, so intervals taken
over them would be far too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

N_RESAMPLES = 2000
"""With replacement; so many fix the limits of an interval to a few percent of its width."""

CONFIDENCE = 0.95
"""Share of such intervals that hold the true mean."""

FEWEST = 5
"""Photographs below which no interval is given: resampling four values says little about anything else."""


@dataclass(frozen=True)
class Interval:
    """An estimate, NaN where no photograph has the figure, and its limits, NaN where there are too few photographs.

    Examples
    --------
    >>> str(Interval(1.0, 0.5, 1.5)), f"{Interval(1.0, 0.5, 1.5):+.1f}", Interval(1.0, 0.5, 1.5).excludes(0)
    ('1.00 (0.50 to 1.50)', '+1.0 (+0.5 to +1.5)', True)
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def known(self) -> bool:
        """Whether there are limits."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    def excludes(self, number: float) -> bool:
        """Whether the whole interval lies on one side of a number; False without limits."""
        return self.known and not self.low <= number <= self.high

    def __format__(self, form: str) -> str:
        form = form or "z.2f"  # no number is minus nothing
        limits = f" ({self.low:{form}} to {self.high:{form}})" if self.known else ""
        return f"{self.value:{form}}{limits}"

    def __str__(self) -> str:
        return format(self)


class Bootstrap:
    """Resamples of a set of photographs, drawn once and used for every figure, so that differences are paired.

    References
    ----------
    Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13 (percentile intervals). Hesterberg, "What
    teachers should know about the bootstrap", The American Statistician 69(4), 2015 (expanded percentiles).

    Examples
    --------
    >>> before, after = np.arange(20.0), np.arange(20.0) - 0.5
    >>> Bootstrap(20).mean(after - before)
    Interval(value=-0.5, low=-0.5, high=-0.5)
    """

    def __init__(self, n_photos: int, *, random_state: int = 0) -> None:
        if n_photos < 1:
            raise ValueError(f"n_photos must be at least 1, got {n_photos}")
        self.n_photos = n_photos
        rng = np.random.default_rng(random_state)
        # As counts, so that a mean over all resamples is one product of matrices; every row sums to 1.
        self.weights = rng.multinomial(n_photos, np.full(n_photos, 1 / n_photos), N_RESAMPLES) / n_photos

    def mean(self, values: ArrayLike) -> Interval:
        """Mean over photographs, those without a value (NaN) left out."""
        numbers = np.asarray(values, np.float64)
        known = ~np.isnan(numbers)
        return self.ratio(np.where(known, numbers, 0), known.astype(np.float64))

    def ratio(self, numerator: ArrayLike, denominator: ArrayLike) -> Interval:
        """Ratio of two means, such as the colourfulness of results to that of the true photographs; no NaN."""
        top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
        if top.shape != (self.n_photos,) or bottom.shape != top.shape:
            raise ValueError(f"values must have shape ({self.n_photos},), got {top.shape} and {bottom.shape}")
        value = top.sum() / bottom.sum() if bottom.sum() else math.nan
        tops, bottoms = self.weights @ top, self.weights @ bottom
        # A resample can miss every photograph that has the figure; such ones are left out of quantiles.
        ratios = np.divide(tops, bottoms, out=np.full_like(tops, np.nan), where=bottoms != 0)
        return self.limits(value, ratios, int(np.count_nonzero(bottom)))

    def limits(self, value: float, resampled: NDArray[np.float64], n_values: int | None = None) -> Interval:
        """Make an interval of an estimate and its values on the resamples; `n_values` photographs have the figure."""
        n = self.n_photos if n_values is None else n_values
        if n < FEWEST:
            return Interval(value)
        # plain percentiles are too narrow for few values: Hesterberg's tail makes them as wide as Student's interval
        quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
        tail = float(stats.norm.cdf(-math.sqrt(n / (n - 1)) * quantile))
        low, high = np.nanquantile(resampled, [tail, 1 - tail])
        return Interval(float(value), float(low), float(high))
