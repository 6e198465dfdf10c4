"""What is believed about the colours of a photograph: mean and variance of ab per region, and how hints change them.

A Gaussian process over the regions of one photograph. Its prior mean are the automatic colours; its prior variance
comes from the calibrated probabilities; regions that look alike, lie close to each other or are merely in the same
photograph err alike. A hint is an observation of "true colour minus automatic colour" at a region, and one small dense
solve tells what follows everywhere else.

That holds for errors of the usual kind. A hint far from what was believed says more about the thing it lies on than
about the photograph: the farther, the less the process hears of it (`SURPRISE`), and the thing (`Things`) takes the
colour.

The numbers of the process were fitted on photographs that the model had not been trained on; those of surprises and
things were mostly set. Each group below says how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh

from colorize._support.regions import graph_laplacian, likeness, region_graph
from colorize._support.threads import one_thread
from colorize.recognition.machine import rbf_kernel
from colorize.recognition.things import HERE, PHOTO, PIXELS, Things
from colorize.types import REACHES, Float32, Float64, Superpixels

# Fitted by marginal likelihood on the training photographs of BSDS500, with models of the other folds, then rounded
# after a look at the error itself (docs/hints.md).
SCALE = (1.22, 0.85)
"""Variance of the error of a* and b* relative to what the probabilities promise."""
VARIANCE_FLOOR = 0.5
"""What is added to the promise, in squared units of ab."""
WHOLE, ALIKE, SURFACE = 0.16, 0.67, 0.17
"""Shares of the variance that are common to the whole photograph, to regions that look alike, to one surface."""
FAMILY_WEIGHTS = {"intensity": 0.27, "position": 0.05, "gabor": 0.036, "lbp": 0.106, "context": 0.09}
"""What the feature families count in looking alike: squared distances on the common scale times these. (Shape and SURF
were fitted too and count nothing.)"""
LIGHTNESS_WIDTH = 50.0
"""How far regions that look alike may differ in L*."""
TIE, TIE_LIGHTNESS = 5000.0, 2.0
"""Strength of Levin's ties between neighbours of equal lightness, and the step of L* that weakens them to a third. The
strength grows with the number of regions: 2000 for 400 of them binds as far across the photograph as 5000 for 1000."""
NOISE = 0.02
"""Variance of a hint as an observation of its region, relative to the variance of the error."""
MISFIT = 0.14
"""What is added to it for hinted pixels that are 10 L* lighter or darker than their region, growing with the square."""

# Fitted by the error of portraits and landscapes with references (docs/references.md).
ELSEWHERE_WEIGHTS = {"intensity": 1.2, "position": 0.6, "gabor": 0.6, "lbp": 2.0, "context": 0.8}
"""What `FAMILY_WEIGHTS` are between photographs: there likeness is stricter, and texture counts more."""
KINSHIP_WIDTH, NOISE_ELSEWHERE = 0.9, 0.2
"""How far apart the scenes of photographs may be that err alike, and the variance of an error seen in another
photograph; see `learnt_elsewhere`."""

# Set by hand. Where it says "seen in", other values or what was before were compared in that file of
# benchmarks/results, on the very photographs that `benchmarks/hints.py` measures on: elsewhere expect a little less. Of
# the rest no other value is on record.
OPINION_WIDTH = 0.30
"""How far regions that look alike may differ in the square roots of their probabilities. Fitted as 0.32; softer
probabilities, since the encoder has a word of its own, ask for less: seen in hints-2026-11-29, "At night"."""
QUERY_NOISE = 5 * NOISE
"""`NOISE` of an answer that is yet to be given, as if hints were a little rough."""
SURPRISE = 3.0
"""What is added to `NOISE` for a surprise, growing with the odds of one: how little a hint says about the photograph.
`Belief.posterior` notes what it does."""
ALOOF = 0.95
"""How surprising a hint for one thing (`HERE`) counts at least, for the rest of the photograph, of which it was not
said: such that a small correction moves few of the pixels outside by 5 ab; seen in hints-2026-11-29."""
RIVALRY = 2.0
"""Power of the odds by which hints are weighed where several are heard."""
OWN = 25.0
"""What the odds of a sure hint for its own region are larger by, so that no other thing takes that: seen, as the four
numbers that follow, in strokes in turn, hints-2026-11-30."""
HOLDING, REPEATS = 1.5, 100
"""What is taken from the odds of a hint that repeats what was believed, which is to hold a place rather than to name a
thing: all of it at surprise 0, falling with this power of ``1 - surprise``."""
STRANGE, SURPRISES = 10.0, 8
"""What is taken from the odds of a hint for parts that another stroke got, if one of the two surprises: all of it at
surprise 1, falling with this power."""
DOUBT_OF_THINGS = 0.2
"""Share of the variance that is left where a hint is taken over: a thing may end earlier than it seems."""


_TINY = np.finfo(np.float64).tiny
_ALIKE_GAMMA = 0.5  # a Gaussian of deviation 1 on the scale of `Appearance.points`
_MOST = 60.0  # squared deviations of an error: beyond it, one surprise is like another


class Observations(NamedTuple):
    """What was said about some regions; one region may be named several times.

    Attributes
    ----------
    regions : ndarray, shape (m,), int
    ab : ndarray, shape (m, 2), float64
    noise : ndarray, shape (m,), float64
        Variance in units of `Belief.deviation` squared; see `hint_noise`.
    reach : ndarray, shape (m,), int
        Index into `REACHES`.
    stroke : ndarray, shape (m,), int
        Number of the stroke that each is of: those of one stroke are meant for one thing. See `Things.strokes`.
    """

    regions: NDArray[np.intp]
    ab: Float64
    noise: Float64
    reach: NDArray[np.intp]
    stroke: NDArray[np.intp]


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
    areas : ndarray, shape (n,)
        Share of the photograph that each region covers.
    things : Things, optional
        Which regions are of one thing; None of `merged` regions, which only hear of the whole photograph.
    apart : ndarray, shape (n,), float64
        How far a region has a colour of its own, 0..1: that of a hint which surprised, instead of the automatic one
        with a change.
    """

    mean: Float64
    deviation: Float64
    correlation: Float64
    areas: Float64
    things: Things | None
    apart: Float64

    @property
    def variance(self) -> Float64:
        """Variance of each channel of ab, shape (n, 2)."""
        return self.deviation**2 * np.diag(self.correlation)[:, None]

    def within(self, distance: float) -> Float64:
        """Probability that the true colour lies within a distance in ab of the mean, shape (n,)."""
        # As if both channels had their mean variance: then the squared distance is exponential, exactly.
        return 1 - np.exp(-(distance**2) / self.variance.sum(axis=1))

    def surprise(self, regions: NDArray[np.intp], ab: Float64, reach: NDArray[np.intp]) -> Float64:
        """How surprising hints are, shape (m,), 0..1: the probability of an error smaller than the one they tell of.

        Nothing that is said about the whole photograph is a surprise: it is meant so.
        """
        squared = (((ab - self.mean[regions]) / self.deviation[regions]) ** 2).sum(axis=1)
        # expm1, because 1 - exp(-x) has no digits left for the small x of a hint that repeats what was
        # believed, and such a hint must change nothing.
        return np.where(reach == PHOTO, 0, -np.expm1(-np.minimum(squared, _MOST) / 2))

    @one_thread()
    def posterior(self, said: Observations, judged: Observations | None = None) -> Belief:
        """What is believed after some colours have been told.

        Parameters
        ----------
        said : Observations
        judged : Observations, optional
            By whose colours surprises are told and things are sought: `said`, if not given. For given ones the new mean
            is linear in ``said.ab``, of which there may be several then, shape (k, m, 2): the mean is of shape
            (k, n, 2).

        Returns
        -------
        Belief

        Raises
        ------
        ValueError
            A hint is for a thing, and these regions know of none.

        Notes
        -----
        The Gaussian process hears every hint with a noise that grows with the odds of its surprise, which bounds what
        the rest of the photograph makes of it: an error of one deviation moves it most, one of four not at all. (It is
        the posterior of a mixture: either the error is one of the usual kind, or this thing is of a colour of its own.)
        What is then left of hints for things goes, whole, to the regions of the likeliest thing.
        """
        regions, ab, noise, reach, _ = said
        if len(regions) == 0:
            return self
        wished = (said if judged is None else judged).ab
        surprise = self.surprise(regions, wished, reach)
        # The odds and not the probability: of a sure surprise the photograph must hear nothing at all.
        heard = np.where(reach == HERE, np.maximum(surprise, ALOOF), surprise)
        noise_in_photo = noise + SURPRISE * heard / (1 - heard)
        # Only the hinted regions are factored, so the cost grows with what was said, not with the
        # photograph: C_h + noise is m x m.
        factor = cho_factor(self.correlation[np.ix_(regions, regions)] + np.diag(noise_in_photo))
        across = self.correlation[:, regions]
        gain = cho_solve(factor, across.T).T
        # The residual is scaled by each region's own deviation: where the model was sure, the same evidence moves less.
        left = (ab - self.mean[regions]) / self.deviation[regions]
        told = replace(
            self,
            mean=self.mean + self.deviation * (gain @ left),
            correlation=self.correlation - across @ gain.T,
        )
        return told if (reach == PHOTO).all() else told._with_things(said, wished, surprise)

    def _with_things(self, said: Observations, wished: Float64, surprise: Float64) -> Belief:
        """Give things the colours of their hints: as a change where those are usual, as their own where not."""
        regions, ab, noise, reach, stroke = said
        if self.things is None:
            raise ValueError("merged regions can be told about the whole photograph only; tell the parts, then merge")
        # A stroke over the dark eyes in a light face names the face less surely, as its noise says.
        odds = self.things.log_odds(regions, reach, wished) - np.log(np.maximum(noise / NOISE, 1))[:, None]
        # Who repeats the present colour protects a place, and where that ends was not said: a stroke that changes
        # something has the better claim to what lies between them.
        odds -= HOLDING * (1 - surprise[:, None]) ** REPEATS
        # The region under a stroke is the one that nobody need guess about, unless the hand slipped there.
        odds[np.arange(len(regions)), regions] += OWN * np.minimum(1, NOISE / noise)
        # Strokes compete, not their observations: a region near one end of a stroke is of its thing, however far
        # the other end may be.
        best = np.full((stroke.max() + 1, odds.shape[1]), -np.inf)
        np.maximum.at(best, stroke, odds)
        thing = self.things.likeliest(best)
        is_held = thing >= 0
        # Between a red thing and a blue one purple is nobody's wish, so a surprise ends where another stroke's thing
        # begins. Small corrections of both go on over that border: a step there would show.
        strange, strange_thing = surprise**SURPRISES, np.zeros(len(best))
        np.maximum.at(strange_thing, stroke, strange)
        is_other = stroke[:, None] != thing
        odds -= STRANGE * is_other * np.maximum(strange[:, None], strange_thing[thing])
        # Columns sum to 1, or are 0 where nothing is held; the best odds become 0, so that nothing overflows.
        share = is_held * np.exp(RIVALRY * (odds - odds.max(axis=0)))
        share /= np.maximum(share.sum(axis=0), _TINY)
        apart = surprise @ share
        # With surprise s a hint h on a region of colour m asks for h - (1 - s) m, which is the change
        # h - m where s is 0 (shades stay) and the colour h where s is 1 (`apart` takes them away).
        own = self.mean[..., regions, :]
        color = share.T @ (ab - (1 - surprise)[:, None] * own)
        mean = self.mean + color - apart[:, None] * self.mean
        doubt = np.where(is_held, DOUBT_OF_THINGS**0.5, 1)
        return replace(self, mean=mean, apart=apart, correlation=doubt[:, None] * self.correlation * doubt)

    @one_thread()
    def merged(self, shares: Float64, areas: Float64) -> Belief:
        """The same belief about larger regions.

        Parameters
        ----------
        shares : ndarray, shape (k, n), float64
            Share of each of k larger regions that lies in every present one; rows sum to 1.
        areas : ndarray, shape (k,)
            Share of the photograph that each of those covers.
        """
        # Deviations are averaged like colours: exact only where parts of a region err as one, which is
        # what makes them parts of a region.
        correlation = shares @ self.correlation @ shares.T
        return Belief(shares @ self.mean, shares @ self.deviation, correlation, areas, None, shares @ self.apart)

    @one_thread()
    def next_queries(self, n: int) -> list[int]:
        """Regions whose colours would tell most about the photograph, the best first.

        Greedy variance reduction: ``argmax_j sum_i area_i sd_i^2 C_ij^2 / (C_jj + QUERY_NOISE)``, with C the covariance
        that is left when the regions chosen before are known (Krause, Singh and Guestrin, "Near-optimal sensor
        placements in Gaussian processes", JMLR 2008, for the idea). Then each choice is thought over, knowing the
        others, twice; that lowered the error after five hints by another 3 %.
        """
        n = min(n, len(self.areas))
        chosen: list[int] = []
        for _ in range(n):
            chosen.append(self._best_query(chosen, range(len(self.areas))))
        for place in 2 * list(range(n)):
            others = chosen[:place] + chosen[place + 1 :]
            chosen[place] = self._best_query(others, range(len(self.areas)))
        best_first: list[int] = []
        for _ in range(n):
            best_first.append(self._best_query(best_first, chosen))
        return best_first

    def _best_query(self, known: list[int], candidates: Sequence[int]) -> int:
        """The candidate, not known yet, whose colour leaves least variance."""
        left = self.correlation
        # Which places are known decides the variance that is left; which colours they had does not. So
        # all queries can be planned before the first is answered.
        if known:
            factor = cho_factor(left[np.ix_(known, known)] + QUERY_NOISE * np.eye(len(known)))
            left = left - left[:, known] @ cho_solve(factor, left[known])
        gain = (self.areas * (self.deviation**2).sum(axis=1)) @ left**2 / (np.diag(left) + QUERY_NOISE)
        # Infinities and not a shorter list: numbers stay those of the regions.
        open_to = np.full(len(gain), -np.inf)
        open_to[list(candidates)] = 0
        open_to[known] = -np.inf
        return int((gain + open_to).argmax())

    @one_thread()
    def modes(self, n: int) -> list[Float64]:
        """The n fields of change that the present uncertainty makes likeliest, each of shape (n_regions, 2).

        Field k holds, for a* and for b*, the k-th eigenvector of the covariance of that channel over the regions,
        weighted by area, times the square root of its eigenvalue: one standard deviation of the photograph along it.
        Signs are such that on the whole the field reddens and yellows.
        """
        # D^1/2 C D^1/2 has the eigenvalues of C D and is symmetric, so the likeliest change counts
        # pixels and not regions, and a cheaper solver does.
        weight = np.sqrt(self.areas)
        fields = np.zeros((min(n, len(weight)), *self.mean.shape))
        for channel, scale in enumerate(self.deviation.T):
            covariance = (weight * scale)[:, None] * self.correlation * (weight * scale)
            values, vectors = eigh(covariance, subset_by_index=[len(weight) - len(fields), len(weight) - 1])
            for k, field in enumerate(fields, start=1):
                eigen = vectors[:, -k] * np.sqrt(max(values[-k], 0))
                # An eigenvector has no sign of its own; without this one the pictures would change places
                # from one processor to another.
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
    # Between square roots of distributions the distance is Hellinger's: it does not blow up where one of
    # them is 0, and one colour more or less in the palette hardly changes it.
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
    # E[c^2] - E[c]^2 may round below 0 for a region that is sure.
    variance = np.maximum(probabilities @ colors**2 - (probabilities @ colors) ** 2, 0)
    deviation = np.sqrt((variance + VARIANCE_FLOOR) * np.array(SCALE))
    scene = features["scene"][0] if "scene" in features else np.zeros(0)
    return Appearance(points, points_elsewhere, deviation, scene.astype(np.float64))


@one_thread()
def prior(
    mean: NDArray[np.floating], looks: Appearance, things: Things, superpixels: Superpixels, region_lightness: Float32
) -> Belief:
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
    things : Things
        Which of them are of one thing.
    superpixels : Superpixels
        The regions.
    region_lightness : ndarray, shape (n,), float32
        Mean L* of the regions.

    Returns
    -------
    Belief
    """
    alike = rbf_kernel(looks.points, looks.points, _ALIKE_GAMMA)
    correlation = WHOLE + ALIKE * alike + SURFACE * surface_covariance(superpixels, region_lightness)
    areas = superpixels.areas.astype(np.float64) / superpixels.areas.sum()
    return Belief(mean.astype(np.float64), looks.deviation, correlation, areas, things, np.zeros(len(mean)))


@one_thread()
def learnt_elsewhere(
    looks: Appearance, others: Sequence[Appearance], errors: Sequence[NDArray[np.floating]]
) -> Float64:
    """Error to expect in a photograph from the errors seen in others that a person calls alike, shape (n, k, 2).

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
    errors : sequence of ndarray, shape (m, k, 2)
        True minus automatic ab of their regions, or k terms that such errors are sums of: the answer is linear in
        them, and the costly factor of the covariance serves all.
    """
    # Single precision, because eight references are 8000 regions; the noise keeps the system well conditioned.
    points = np.concatenate([other.points_elsewhere for other in others]).astype(np.float32)
    photo = np.repeat(np.arange(len(others)), [len(other.points_elsewhere) for other in others])
    kin = _kinship(looks.scene, np.stack([other.scene for other in others]))[photo].astype(np.float32)
    among = rbf_kernel(points, points, _ALIKE_GAMMA)
    among *= np.where(photo[:, None] == photo, np.float32(1), kin[:, None] * kin)
    among[np.diag_indices(len(points))] += NOISE_ELSEWHERE
    across = rbf_kernel(looks.points_elsewhere.astype(np.float32), points, _ALIKE_GAMMA) * kin
    scaled = np.concatenate([error / other.deviation[:, None] for error, other in zip(errors, others, strict=True)])
    factor = cho_factor(among, overwrite_a=True, check_finite=False)
    learnt = across @ cho_solve(factor, scaled.reshape(len(points), -1))
    return looks.deviation[:, None] * learnt.reshape(len(looks.points), *scaled.shape[1:])


@one_thread()
def observe(
    things: Things,
    labels: NDArray[np.integer],
    region_lightness: Float32,
    lightness: Float32,
    is_known: NDArray[np.bool_],
    ab: Float32,
    reach: NDArray[np.uint8],
) -> Observations:
    """What hinted pixels say about regions: one observation per region and reach, the mean of its pixels.

    Pixels of reach ``pixels`` speak of themselves alone and are left out.

    Parameters
    ----------
    things : Things
        Of the regions.
    labels : ndarray, shape (H, W), int
        Region of every pixel.
    region_lightness : ndarray, shape (n,), float32
        Mean L* of the regions.
    lightness : ndarray, shape (H, W), float32
        L* of the pixels.
    is_known, ab, reach
        As in `colorize.guidance.hints.WantedColors`.
    """
    speaks = reach != PIXELS
    heard = is_known.copy()
    heard[is_known] = speaks
    # One number for each pair of region and reach, so that one sort groups the pixels of both.
    key = labels[heard] * len(REACHES) + reach[speaks]
    groups, member, n_pixels = np.unique(key, return_inverse=True, return_counts=True)
    seen = np.column_stack([lightness[heard], ab[speaks]])
    means = np.stack([np.bincount(member, values) for values in seen.T], axis=1) / n_pixels[:, None]
    regions, reaches = np.divmod(groups, len(REACHES))
    mean_lightness, mean_ab = means[:, 0], means[:, 1:]
    noise, stroke = hint_noise(mean_lightness, region_lightness[regions]), np.arange(len(regions))
    # Else the graph of the regions is not asked for: what is meant for the photograph is for no thing.
    if (reaches != PHOTO).any():
        stroke = things.strokes(regions, mean_ab, reaches)
        noise *= np.where(reaches == PHOTO, 1, things.slips(regions, mean_ab, stroke, n_pixels))
    return Observations(regions, mean_ab, noise, reaches, stroke)


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
    ties = TIE * likeness(superpixels, region_lightness, TIE_LIGHTNESS)
    system = np.eye(superpixels.n_superpixels) + graph_laplacian(region_graph(superpixels, ties)).toarray()
    # Dense and inverted, because all of the inverse is needed; at 1000 regions that is a tenth of a second.
    covariance = np.linalg.inv(system)
    # Ones on the diagonal: how doubtful a region is stands in its deviation, and must not depend on how
    # many neighbours it has.
    scale = 1 / np.sqrt(np.diag(covariance))
    return covariance * scale[:, None] * scale


def _kinship(scene: Float64, others: Float64) -> Float64:
    """Share of the errors that a photograph of this scene has in common with others, 0..1, shape (len(others),)."""
    # The fourth power has a plateau: photographs of one afternoon teach each other fully, and beyond it
    # the fall is steep.
    return np.exp(-((np.linalg.norm(others - scene, axis=1) / KINSHIP_WIDTH) ** 4))
