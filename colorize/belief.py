"""What is believed about the colours of a photograph: mean and variance of ab per region, and how hints change them.

A Gaussian process over the regions of one photograph. Its prior mean are the automatic colours; its prior variance
comes from the calibrated probabilities; regions that look alike, lie close to each other or are merely in the same
photograph err alike. A hint is an observation of "true colour minus automatic colour" at a region, and one small dense
solve tells what follows everywhere else.

The numbers below were fitted by marginal likelihood on photographs that the model had not been trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh
from threadpoolctl import threadpool_limits

from colorize.types import Float32, Superpixels

Float64 = NDArray[np.float64]

REACHES = ("photo", "similar", "here")
"""How far a hint is heard, widest first."""

SCALE = (1.22, 0.85)
"""Variance of the error of a* and b* relative to what the probabilities promise."""
VARIANCE_FLOOR = 0.5
"""What is added to the promise, in squared units of ab."""
WHOLE, ALIKE, SURFACE = 0.16, 0.67, 0.17
"""Shares of the variance that are common to the whole photograph, to regions that look alike, to one surface."""
FAMILY_WEIGHTS = {"intensity": 0.27, "position": 0.05, "gabor": 0.036, "lbp": 0.106, "context": 0.09}
"""What the feature families count in looking alike: squared distances on the common scale times these. (Shape and SURF
were fitted too and count nothing.)"""
OPINION_WIDTH, LIGHTNESS_WIDTH = 0.32, 50.0
"""How far regions that look alike may differ in the square roots of their probabilities and in L*."""
ELSEWHERE_WEIGHTS = {"intensity": 1.2, "position": 0.6, "gabor": 0.6, "lbp": 2.0, "context": 0.8}
"""The same between photographs: there likeness is stricter, and texture counts more."""
TIE, TIE_LIGHTNESS = 5000.0, 2.0
"""Strength of Levin's ties between neighbours of equal lightness, and the step of L* that weakens them to a third. The
strength grows with the number of regions: 2000 for 400 of them binds as far across the photograph as 5000 for 1000."""
NOISE = 0.02
"""Variance of a hint as an observation of its region, relative to the variance of the error."""
KINSHIP_WIDTH, NOISE_ELSEWHERE = 0.9, 0.2
"""Of reference photographs, see `learnt_elsewhere`. They and `ELSEWHERE_WEIGHTS` were fitted by the error of portraits
and landscapes with references."""
MISFIT = 0.14
"""What is added to it for hinted pixels that are 10 L* lighter or darker than their region, growing with the square."""


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit dense algebra to one thread: at this size more of them burn time while they wait for each other."""
    with threadpool_limits(1, user_api="blas"):
        yield


@dataclass(frozen=True, eq=False)
class Belief:
    """Mean and variance of ab per region, and how the errors of regions hang together.

    Attributes
    ----------
    mean : ndarray, shape (n, 2), float64
        Believed ab of every region.
    deviation : ndarray, shape (n, 2), float64
        Standard deviation of the error of each channel before anything was told, in units of ab.
    correlation : ndarray, shape (n, n), float64
        Covariance of the errors in units of `deviation`, the same for both channels.
    kernels : mapping of str to ndarray of shape (n, n)
        The part of the prior covariance that a hint of each reach speaks about, in the same units.
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

    def within(self, distance: float) -> Float64:
        """Probability that the true colour lies within a distance in ab of the mean, shape (n,)."""
        return 1 - np.exp(-(distance**2) / self.variance.sum(axis=1))

    @_one_thread()
    def told(self, regions: NDArray[np.intp], ab: Float64, noise: Float64, reach: NDArray[np.intp]) -> Belief:
        """What is believed after some colours have been told.

        Parameters
        ----------
        regions : ndarray, shape (m,), int
            Region of each hint; a region may be named several times.
        ab : ndarray, shape (m, 2)
            Its colour.
        noise : ndarray, shape (m,)
            Variance of each hint in units of `deviation` squared; see `hint_noise`.
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

    @_one_thread()
    def merged(self, shares: Float64, areas: Float64) -> Belief:
        """The same belief about larger regions.

        Parameters
        ----------
        shares : ndarray, shape (k, n), float64
            Share of each of k larger regions that lies in every present one; rows sum to 1.
        areas : ndarray, shape (k,)
            Share of the photograph that each of those covers.
        """
        kernels = {name: shares @ kernel @ shares.T for name, kernel in self.kernels.items()}
        correlation = shares @ self.correlation @ shares.T
        return Belief(shares @ self.mean, shares @ self.deviation, correlation, kernels, areas)

    @_one_thread()
    def telling(self, n: int, *, noise: float = 5 * NOISE) -> list[int]:
        """Regions whose colours would tell most about the photograph, the best first.

        Greedy variance reduction: ``argmax_j sum_i area_i sd_i^2 C_ij^2 / (C_jj + noise)``, where C is the covariance
        that is left when the regions chosen before are known (Krause, Singh and Guestrin, "Near-optimal sensor
        placements in Gaussian processes", JMLR 2008, for the idea). Then each choice is thought over, knowing the
        others, twice; that lowered the error after five hints by another 3 %.
        """
        n = min(n, len(self.areas))
        chosen: list[int] = []
        for _ in range(n):
            chosen.append(self._most_telling(chosen, range(len(self.areas)), noise))
        for place in 2 * list(range(n)):
            others = chosen[:place] + chosen[place + 1 :]
            chosen[place] = self._most_telling(others, range(len(self.areas)), noise)
        best_first: list[int] = []
        for _ in range(n):
            best_first.append(self._most_telling(best_first, chosen, noise))
        return best_first

    def _most_telling(self, known: list[int], candidates: Sequence[int], noise: float) -> int:
        """The candidate, not known yet, whose colour leaves least variance."""
        left = self.correlation
        if known:
            factor = cho_factor(left[np.ix_(known, known)] + noise * np.eye(len(known)))
            left = left - left[:, known] @ cho_solve(factor, left[known])
        gain = (self.areas * (self.deviation**2).sum(axis=1)) @ left**2 / (np.diag(left) + noise)
        open_to = np.full(len(gain), -np.inf)
        open_to[list(candidates)] = 0
        open_to[known] = -np.inf
        return int((gain + open_to).argmax())

    @_one_thread()
    def directions(self, n: int) -> list[Float64]:
        """The n fields of change that the present uncertainty makes likeliest, each of shape (n_regions, 2).

        Field k holds, for a* and for b*, the k-th eigenvector of the covariance of that channel over the regions,
        weighted by area, times the square root of its eigenvalue: one standard deviation of the photograph along it.
        Signs are such that on the whole the field reddens and yellows.
        """
        weight = np.sqrt(self.areas)
        fields = np.zeros((min(n, len(weight)), *self.mean.shape))
        for channel, scale in enumerate(self.deviation.T):
            covariance = (weight * scale)[:, None] * self.correlation * (weight * scale)
            values, vectors = eigh(covariance, subset_by_index=[len(weight) - len(fields), len(weight) - 1])
            for k, field in enumerate(fields, start=1):
                eigen = vectors[:, -k] * np.sqrt(max(values[-k], 0))
                field[:, channel] = np.copysign(1, weight @ eigen) * eigen / weight
        return list(fields)


@dataclass(frozen=True, eq=False)
class Appearance:
    """What the errors of regions depend on.

    Attributes
    ----------
    points : ndarray, shape (n, d), float64
        Regions that look alike lie close: at distance 1 the likeness is 0.6.
    points_elsewhere : ndarray, shape (n, d), float64
        The same for likeness to regions of other photographs.
    deviation : ndarray, shape (n, 2), float64
        Standard deviation of the error of each channel of ab.
    scene : ndarray, shape (d,), float64
        The scene features of the photograph; empty if the model has none, and all its photographs count as one scene.
    """

    points: Float64
    points_elsewhere: Float64
    deviation: Float64
    scene: Float64


def appearance(
    probabilities: Float32, colors: Float32, features: Mapping[str, Float32], region_lightness: Float32
) -> Appearance:
    """What regions look like.

    Parameters
    ----------
    probabilities : ndarray, shape (n, K), float32
        Probabilities of the palette colours, evidence shared between neighbours.
    colors : ndarray, shape (K, 2), float32
        The palette.
    features : mapping of str to ndarray, shape (n, n_columns), float32
        The feature families on their common scale; those that `FAMILY_WEIGHTS` names and the scene are used.
    region_lightness : ndarray, shape (n,), float32
        Mean L* of the regions.
    """
    opinion = [np.sqrt(probabilities) / OPINION_WIDTH, region_lightness[:, None] / LIGHTNESS_WIDTH]
    points, points_elsewhere = (
        np.concatenate(
            [features[name] * np.float32(weight**0.5) for name, weight in weights.items() if name in features]
            + opinion,
            axis=1,
            dtype=np.float64,
        )
        for weights in (FAMILY_WEIGHTS, ELSEWHERE_WEIGHTS)
    )
    variance = np.maximum(probabilities @ colors**2 - (probabilities @ colors) ** 2, 0)
    deviation = np.sqrt((variance + VARIANCE_FLOOR) * np.array(SCALE))
    scene = features["scene"][0] if "scene" in features else np.zeros(0)
    return Appearance(points, points_elsewhere, deviation, scene.astype(np.float64))


@_one_thread()
def prior(mean: NDArray[np.floating], looks: Appearance, superpixels: Superpixels, region_lightness: Float32) -> Belief:
    """What is believed before anybody has said anything.

    The covariance of the errors of regions i and j is ``sd_i sd_j (WHOLE + ALIKE F_ij + SURFACE G_ij)``, with
    ``sd_i^2 = SCALE (v_i + VARIANCE_FLOOR)`` and v the variance of the palette colours under the probabilities, per
    channel. F is a Gaussian of the differences in features, probabilities and lightness; G the covariance that Levin's
    system on the graph of the regions stands for. (Being close added nothing to these three.)

    Parameters
    ----------
    mean : ndarray, shape (n, 2)
        Automatic ab of the regions.
    looks : Appearance
        Of the regions.
    superpixels : Superpixels
        The regions.
    region_lightness : ndarray, shape (n,), float32
        Mean L* of the regions.

    Returns
    -------
    Belief
    """
    here = SURFACE * surface_covariance(superpixels, region_lightness)
    similar = ALIKE * _likeness(looks.points, looks.points) + here
    kernels = {"photo": similar + WHOLE, "similar": similar, "here": here}
    areas = superpixels.areas.astype(np.float64) / superpixels.areas.sum()
    return Belief(mean.astype(np.float64), looks.deviation, kernels["photo"], kernels, areas)


@_one_thread()
def learnt_elsewhere(looks: Appearance, others: Sequence[Appearance], errors: Sequence[NDArray[Any]]) -> Float64:
    """Error to expect in a photograph from the errors seen in others that a person calls alike, shape (n, 2).

    The covariance between regions here and in another photograph is the likeness of the regions times the kinship of
    the photographs, which falls with the distance d of their scenes as ``exp(-(d / KINSHIP_WIDTH)^4)``: portraits teach
    each other more than landscapes do. The others are akin through this photograph alone: by the product of their
    kinships to it, which makes a covariance of any set of them.

    Parameters
    ----------
    looks : Appearance
        Of the n regions of the photograph.
    others : sequence of Appearance
        Of the other photographs.
    errors : sequence of ndarray, shape (m, 2)
        True minus automatic ab of their regions.
    """
    points = np.concatenate([other.points_elsewhere for other in others])
    photo = np.repeat(np.arange(len(others)), [len(other.points_elsewhere) for other in others])
    kin = _kinship(looks.scene, np.stack([other.scene for other in others]))[photo]
    among = _likeness(points, points) * np.where(photo[:, None] == photo, 1, kin[:, None] * kin)
    among[np.diag_indices(len(points))] += NOISE_ELSEWHERE
    across = _likeness(looks.points_elsewhere, points) * kin
    scaled = np.concatenate([error / other.deviation for error, other in zip(errors, others, strict=True)])
    return looks.deviation * (across @ cho_solve(cho_factor(among), scaled))


def hint_noise(lightness: NDArray[np.floating], region_lightness: NDArray[np.floating]) -> Float64:
    """Variance of hints, shape (m,), by the mean L* of their pixels and of their regions.

    A stroke over the dark eyes in a light face says little about the face.
    """
    misfit = (np.asarray(lightness, np.float64) - region_lightness) / 10
    return NOISE + MISFIT * misfit**2


def surface_covariance(superpixels: Superpixels, region_lightness: Float32) -> Float64:
    """Levin's system on the graph of the regions, turned into a covariance with ones on the diagonal, shape (n, n).

    Minimising ``sum_i |u_i|^2 + TIE sum_{i~j} w_ij |u_i - u_j|^2`` is what a Gaussian does whose covariance is the
    inverse of that matrix; ``w_ij = exp(-|L_i - L_j| / TIE_LIGHTNESS)``.
    """
    n = superpixels.n_superpixels
    low, high = superpixels.adjacency.T
    step = np.abs(region_lightness[low].astype(np.float64) - region_lightness[high])
    tie = TIE * np.exp(-step / TIE_LIGHTNESS)
    system = np.zeros((n, n))
    system[low, high] = system[high, low] = -tie
    system[np.diag_indices(n)] = 1 - system.sum(axis=1)
    covariance = np.linalg.inv(system)
    scale = 1 / np.sqrt(np.diag(covariance))
    return covariance * scale[:, None] * scale


def _likeness(points: Float64, others: Float64) -> Float64:
    """How alike regions look, 0..1, shape (len(points), len(others))."""
    squared = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * points @ others.T
    return np.exp(-np.maximum(squared, 0) / 2)


def _kinship(scene: Float64, others: Float64) -> Float64:
    """Share of the errors that a photograph of this scene has in common with others, 0..1, shape (len(others),)."""
    return np.exp(-((np.linalg.norm(others - scene, axis=1) / KINSHIP_WIDTH) ** 4))
