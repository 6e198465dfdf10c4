"""What is believed about the colours of a photograph: mean and variance of ab per region, and how hints change them.

A Gaussian process over the regions of one photograph. Its prior mean are the automatic colours; its prior variance
comes from the calibrated probabilities; regions that look alike, lie close to each other or are merely in the same
photograph err alike. A hint is an observation of "true colour minus automatic colour" at a region, and one small dense
solve tells what follows everywhere else.

The numbers below were fitted by marginal likelihood on photographs that the model had not been trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from colorize.types import Float32, Superpixels

Float64 = NDArray[np.float64]

REACHES = ("photo", "similar", "here")
"""How far a hint is heard, widest first."""

SCALE = (0.29, 0.21)
"""Variance of the error of a* and b* relative to the variance that the probabilities promise."""
VARIANCE_FLOOR = 2.0
WHOLE, ALIKE, ALIKE_AND_NEAR, NEAR = 1.17, 0.79, 0.31, 0.12
FEATURE_WIDTH, OPINION_WIDTH, PLACE_WIDTH = 0.92, 0.17, 0.21
NOISE = 0.05
"""Variance of a hint as an observation of its region, relative to the prior scale."""


@dataclass(frozen=True, eq=False)
class Belief:
    """Mean and variance of ab per region, and how the errors of regions hang together.

    Attributes
    ----------
    mean : ndarray, shape (n, 2), float64
        Believed ab of every region.
    deviation : ndarray, shape (n, 2), float64
        Prior scale of the error of each channel, in units of ab.
    correlation : ndarray, shape (n, n), float64
        Covariance of the errors in units of `deviation`, the same for both channels.
    kernels : mapping of str to ndarray of shape (n, n)
        What a hint of each reach may change, in the same units; ``photo`` is the prior correlation.
    areas : ndarray, shape (n,)
        Share of the photograph that each region covers.
    """

    mean: Float64
    deviation: Float64
    correlation: Float64
    kernels: Mapping[str, Float64]
    areas: Float64

    @property
    def variance(self) -> Float64:
        """Variance of each channel of ab, shape (n, 2)."""
        return self.deviation**2 * np.diag(self.correlation)[:, None]

    def told(self, regions: NDArray[np.intp], ab: Float64, noise: Float64, reach: NDArray[np.intp]) -> Belief:
        """What is believed after some colours have been told.

        Parameters
        ----------
        regions : ndarray, shape (m,), int
            Region of each hint; a region may be named several times.
        ab : ndarray, shape (m, 2)
            Its colour.
        noise : ndarray, shape (m,)
            Variance of each hint relative to the prior scale; `NOISE` if nothing is known.
        reach : ndarray, shape (m,), int
            Index into `REACHES`.

        Returns
        -------
        Belief

        Notes
        -----
        Hints of the widest reach come first; what they leave unexplained at all hints so far is then explained by the
        kernel of the next reach, and so on. The variance is that of all hints together, each seen through its kernel.
        """
        if len(regions) == 0:
            return self
        mean = self.mean
        for level in np.unique(reach):
            heard = reach <= level
            kernel = self.kernels[REACHES[level]]
            at, left = regions[heard], ab[heard] - mean[regions[heard]]
            factor = cho_factor(kernel[np.ix_(at, at)] + np.diag(noise[heard]))
            mean = mean + self.deviation * (kernel[:, at] @ cho_solve(factor, left / self.deviation[at]))
        return replace(self, mean=mean, correlation=self._correlation_told(regions, noise, reach))

    def _correlation_told(self, regions: NDArray[np.intp], noise: Float64, reach: NDArray[np.intp]) -> Float64:
        """Posterior covariance: a hint of small reach observes only its part of the error."""
        across = np.stack([self.kernels[REACHES[level]][:, at] for level, at in zip(reach, regions, strict=True)], 1)
        narrower = np.maximum(reach[:, None], reach)
        among = np.choose(narrower, [self.kernels[name][np.ix_(regions, regions)] for name in REACHES])
        half = np.linalg.solve(np.linalg.cholesky(among + np.diag(noise)), across.T)
        return self.correlation - half.T @ half

    def telling(self, n: int, *, noise: float = NOISE) -> list[int]:
        """Regions whose colour would tell most about the photograph, best first, each chosen knowing those before.

        Greedy variance reduction: ``argmax_j sum_i area_i sd_i^2 C_ij^2 / (C_jj + noise)``, then C is deflated as if
        the colour of j were known (Krause, Singh and Guestrin, "Near-optimal sensor placements in Gaussian processes",
        JMLR 2008, for the idea).
        """
        stake = self.areas * (self.deviation**2).sum(axis=1)
        left = self.correlation.copy()
        chosen: list[int] = []
        for _ in range(min(n, len(stake))):
            gain = stake @ left**2 / (np.diag(left) + noise)
            gain[chosen] = -1
            best = int(gain.argmax())
            chosen.append(best)
            left -= np.outer(left[:, best], left[best]) / (left[best, best] + noise)
        return chosen

    def directions(self, n: int) -> list[Float64]:
        """The n fields of change that the present uncertainty makes likeliest, each of shape (n_regions, 2).

        Eigenvectors of the covariance over both channels, regions weighted by area, times the square roots of their
        eigenvalues: one standard deviation of the photograph along each.
        """
        weight = np.sqrt(self.areas)
        fields: list[tuple[float, Float64]] = []
        for channel in range(2):
            scale = self.deviation[:, channel]
            covariance = (weight * scale)[:, None] * self.correlation * (weight * scale)
            values, vectors = np.linalg.eigh(covariance)
            for k in range(1, min(n, len(values)) + 1):
                field = np.zeros((len(scale), 2))
                field[:, channel] = vectors[:, -k] * np.sqrt(max(values[-k], 0)) / weight
                field *= 1 if (field * self.areas[:, None]).sum() >= 0 else -1  # the sign is arbitrary: fix it
                fields.append((float(values[-k]), field))
        fields.sort(key=lambda pair: -pair[0])
        return [field for _, field in fields[:n]]

    def moved(self, field: Float64) -> Belief:
        """The same uncertainty around another mean."""
        return replace(self, mean=self.mean + field)


def prior(
    mean: Float32,
    probabilities: Float32,
    colors: Float32,
    features: Float32,
    superpixels: Superpixels,
    region_lightness: Float32,
) -> Belief:
    """What is believed before anybody has said anything.

    Parameters
    ----------
    mean : ndarray, shape (n, 2), float32
        Automatic ab of the regions.
    probabilities : ndarray, shape (n, K), float32
        Calibrated probabilities of the palette colours.
    colors : ndarray, shape (K, 2), float32
        The palette.
    features : ndarray, shape (n, n_components), float32
        Scaled features of the regions.
    superpixels : Superpixels
        The regions.
    region_lightness : ndarray, shape (n,), float32
        Mean L* of the regions.

    Returns
    -------
    Belief
    """
    expected = probabilities @ colors
    variance = probabilities @ colors**2 - expected**2
    deviation = np.sqrt((np.maximum(variance, 0) + VARIANCE_FLOOR) * np.array(SCALE))
    kernels = _kernels(features, probabilities, superpixels, region_lightness)
    areas = superpixels.areas.astype(np.float64) / superpixels.areas.sum()
    return Belief(mean.astype(np.float64), deviation.astype(np.float64), kernels["photo"], kernels, areas)


def _kernels(
    features: Float32, probabilities: Float32, superpixels: Superpixels, region_lightness: Float32
) -> dict[str, Float64]:
    """How the errors of two regions hang together, for each reach of a hint."""
    scaled = features[:, :30] / max(float(np.linalg.norm(features[:, :30], axis=1).mean()), 1e-6) * 0.94
    alike = _gaussian(scaled, FEATURE_WIDTH) * _gaussian(np.sqrt(probabilities), OPINION_WIDTH)
    places = superpixels.centroids / min(superpixels.shape)
    near = _gaussian(places, PLACE_WIDTH)
    similar = alike * (ALIKE + ALIKE_AND_NEAR * near) + NEAR * near
    return {"photo": similar + WHOLE, "similar": similar, "here": _surface(superpixels, region_lightness)}


def _gaussian(points: NDArray[np.floating], width: float) -> Float64:
    points = np.asarray(points, np.float64)
    squares = (points**2).sum(axis=1)
    return np.exp(-np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0) / (2 * width**2))


def _surface(superpixels: Superpixels, region_lightness: Float32) -> Float64:
    """Levin's system on the region graph as a covariance: regions are tied along paths of even lightness."""
    n = superpixels.n_superpixels
    low, high = superpixels.adjacency.T
    tie = 20.0 * np.exp(-np.abs(region_lightness[low].astype(np.float64) - region_lightness[high]) / 2.0)
    system = np.eye(n)
    np.add.at(system, (low, low), tie)
    np.add.at(system, (high, high), tie)
    system[low, high] -= tie
    system[high, low] -= tie
    covariance = np.linalg.inv(system)
    scale = 1 / np.sqrt(np.diag(covariance))
    return covariance * scale[:, None] * scale
