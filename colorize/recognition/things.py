"""Which regions of a photograph are of one thing: those that a hint for a thing colours.

Four questions. Which observations are of one stroke (`Things.strokes`)? Where did the hand slip onto something else
(`Things.slips`)? How likely is a region of the thing that a hint lies on, by itself (`Things.log_odds`)? And which
regions are then the likeliest things together, without holes and with borders where edges are (`Things.likeliest`)?
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from colorize.types import REACHES, Float32, Float64, Superpixels

PHOTO, SIMILAR, HERE, PIXELS = range(len(REACHES))

SAME, STEP = 3.38, 3.22
"""Log odds that neighbours are of one thing: ``SAME - STEP d``, d their distance in looks."""
THING, ROUTE, UNLIKE, AFAR = 3.6, 0.55, 1.67, 7.3
"""Log odds that any two regions are of one thing: `THING`, less by the cheapest route over neighbours, by the distance
in looks, and by that in the photograph in longest sides. Fitted, as `SAME`, to things in photographs of BSDS500 train
and of people, half a percent to a third of the photograph; `THING` such that of the rest less than 5 % follows."""
KIND, KIND_UNLIKE = 1.87, 2.15
"""Log odds that they are of one kind, wherever they are, fitted likewise: ``KIND - KIND_UNLIKE d``."""
NEAR_WISH, MOST_AGAINST = 12.0, 2.0
"""Distance in ab at which a colour of the palette hardly speaks for a wish any more (the width of a Gaussian), and the
most that what a region could be counts against it, in log odds. Set by eye: a stroke of dark red on a pullover took the
whole face beside it. One stroke of any hue at all fills up to 1.4 % of a thing less with it (hints-2026-11-30)."""
GRAYNESS, ONE_HUE = 5.0, 0.9
"""Chroma at which a colour is as much gray as colour, and the cosine of ``(a, b, GRAYNESS)`` from which on two wishes
are one. Not their distance: what a pale sky makes of dark red is pink."""
AGREES, SLIP = 0.6, 4.0
"""An observation that agrees with its stroke less than this share of what the best of it does has slipped: its variance
grows by the lack to this power. Set, with `THING`, by strokes that run out onto something else, and by eye."""

_LEAST = 1e-3  # chance of a colour that a model thinks impossible; beside it, one such region is like another
_MOST_ODDS = 50.0  # beyond it, one certainty is like another
_MOST_ROUNDS = 4  # two or three are enough, nearly always
_UNITS = 1e4  # the flow is of whole numbers


@dataclass(frozen=True, eq=False)
class Things:
    """Which regions of a photograph are of one thing.

    Attributes
    ----------
    points : ndarray, shape (n, d), float64
        Looks of the regions; see `colorize.recognition.belief.Appearance`.
    places : ndarray, shape (n, 2), float64
        Their centres, in longest sides of the photograph.
    ties : csr_array, shape (n, n)
        What it costs to step from a region to a neighbour of larger number: minus the logarithm of the probability that
        both are of one thing.
    probabilities : ndarray, shape (n, K), float32
        Of the colours of the palette in the regions.
    colors : ndarray, shape (K, 2), float32
        The palette.

    See Also
    --------
    colorize.recognition.belief.Belief.posterior : What hints change in a thing.

    Examples
    --------
    Four regions in a row, the last of another look:

    >>> from colorize.features.superpixels import from_labels
    >>> points = np.array([[0.0], [0.2], [0.1], [3.0]])
    >>> red_or_blue = np.full((4, 2), 0.5), np.array([[50.0, 30.0], [0.0, -40.0]])
    >>> things = Things.of(points, from_labels(np.repeat([[0, 1, 2, 3]], 4, axis=0)), *red_or_blue)
    >>> odds = things.log_odds(np.array([1]), np.array([HERE]), np.array([[50.0, 30.0]]))
    >>> things.likeliest(odds).tolist()
    [0, 0, 0, -1]
    """

    points: Float64
    places: Float64
    ties: csr_array
    probabilities: Float32
    colors: Float32

    @classmethod
    def of(cls, points: Float64, superpixels: Superpixels, probabilities: Float32, colors: Float32) -> Things:
        """Tie neighbours that look alike."""
        low, high = superpixels.adjacency.T
        # -log sigmoid(SAME - STEP d) = log(1 + exp(STEP d - SAME)), which does not overflow.
        step = np.linalg.norm(points[low] - points[high], axis=1)
        n = superpixels.n_superpixels
        ties = csr_array((np.logaddexp(0, STEP * step - SAME), (low, high)), shape=(n, n))
        places = superpixels.centroids.astype(np.float64) / max(superpixels.shape)
        return cls(points, places, ties, probabilities, colors)

    def log_odds(self, regions: NDArray[np.intp], reach: NDArray[np.integer], ab: Float64) -> Float64:
        """Log odds that every region is of the thing (of reach ``similar``: of the kind) of some, shape (m, n).

        Parameters
        ----------
        regions, reach : ndarray, shape (m,)
            Regions that were hinted, and how far each hint reaches.
        ab : ndarray, shape (m, 2)
            The colours wished there.
        """
        from scipy.spatial.distance import cdist

        odds = self._joined(regions) - AFAR * cdist(self.places[regions], self.places)
        has_kin = reach == SIMILAR
        if has_kin.any():
            # The better of two reasons and not their sum: looking alike is in both already.
            one_kind = KIND - KIND_UNLIKE * cdist(self.points[regions[has_kin]], self.points)
            odds[has_kin] = np.maximum(odds[has_kin], one_kind)
        return odds - self._against(regions, ab)

    def _against(self, regions: NDArray[np.intp], ab: Float64) -> Float64:
        """What speaks against regions as parts of things of some colours, shape (m, n), in log odds, 0 or more.

        A thing has one colour, so a region is the likelier of it, the likelier it has that colour (Bayes): by its
        probability of it, as a share of that of the hinted region. What is likelier still is no evidence.
        """
        from scipy.spatial.distance import cdist

        speaks = np.exp(-cdist(ab, self.colors, "sqeuclidean") / (2 * NEAR_WISH**2))
        chance = speaks @ self.probabilities.T + _LEAST
        own = chance[np.arange(len(regions)), regions]
        return np.clip(np.log(own[:, None] / chance), 0, MOST_AGAINST)

    def _joined(self, regions: NDArray[np.intp]) -> Float64:
        """Log odds that every region is of the thing of some wherever it lies, shape (m, n)."""
        # Ten libraries each, and scipy.special besides: not for those who hint at nothing.
        from scipy.sparse.csgraph import dijkstra
        from scipy.spatial.distance import cdist

        # Costs are minus logarithms of probabilities, so the cheapest route is the likeliest chain of
        # neighbours that are all of one thing: it goes around an edge that does not close.
        route = dijkstra(self.ties, directed=False, indices=regions)
        return THING - ROUTE * route - UNLIKE * cdist(self.points[regions], self.points)

    def likeliest(self, odds: Float64) -> NDArray[np.intp]:
        """The likeliest things: for every region the number of the one that it is of, or -1, shape (n,).

        By itself every region would be of the thing of the best odds, or of none if they are all negative. But
        neighbours that look alike are of one thing or both not, so things have no holes, and end at edges or, where
        there is none, along short lines.

        Parameters
        ----------
        odds : ndarray, shape (k, n), float64
            Log odds that every region is of each of k hinted things.

        Notes
        -----
        What is maximised is the sum of the odds, less the ties of neighbours of different things: tie_ij are the log
        odds that they are of one, where these are positive. Of one thing a minimum cut finds the maximum (Greig,
        Porteous and Seheult 1989; Boykov and Jolly 2001 for strokes); of several, cuts that offer each of them in turn
        to all regions come near it (alpha expansion: Boykov, Veksler and Zabih 2001).
        """
        odds = np.clip(odds, -_MOST_ODDS, _MOST_ODDS)
        every = np.arange(odds.shape[1])
        # Together first: two strokes in one thing, each of which would be too little for it, help each other.
        is_held = self._taken_over(odds.max(axis=0), np.full(len(every), -1), 0)
        thing = np.where(is_held, odds.argmax(axis=0), -1)
        own = np.vstack([odds, np.zeros(len(every))])  # the last is that of none, which is -1
        for _ in range(_MOST_ROUNDS if len(odds) > 1 else 0):
            before = thing.copy()
            for offered in range(-1, len(odds)):
                thing[self._taken_over(own[offered] - own[thing, every], thing, offered)] = offered
            if (thing == before).all():
                break
        return thing

    def _taken_over(self, gain: Float64, thing: NDArray[np.intp], offered: int) -> NDArray[np.bool_]:
        """The regions that had best go over to a thing together, for what each gains by itself, shape (n,)."""
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow

        n = len(gain)
        low, high = self.ties.nonzero()
        # The log odds of a probability exp(-cost), in a form that does not overflow.
        tie = np.maximum(-self.ties.data - np.log1p(-np.exp(-self.ties.data)), 0)
        # What is lost at a tie, by who goes over: nobody, the second alone, the first alone. Nothing if both do.
        nobody, second, first = (
            tie * (a != b) for a, b in ((thing[low], thing[high]), (thing[low], offered), (offered, thing[high]))
        )
        gain = gain + np.bincount(low, nobody - first, n) + np.bincount(high, first, n)
        source, sink, every = np.full(n, n), np.full(n, n + 1), np.arange(n)
        capacity = np.concatenate([np.maximum(gain, 0), np.maximum(-gain, 0), first + second - nobody])
        # Of 32 bits: SciPy 1.14 takes no others.
        ends = np.concatenate([[source, every], [every, sink], [high, low]], axis=1, dtype=np.int32)
        graph = csr_array((np.rint(_UNITS * capacity).astype(np.int32), tuple(ends)), shape=(n + 2, n + 2))
        left = graph - maximum_flow(graph, n, n + 1).flow
        is_reached = np.zeros(n + 2, bool)
        is_reached[breadth_first_order(left > 0, n, return_predecessors=False)] = True
        return is_reached[:n]

    def strokes(self, regions: NDArray[np.intp], ab: Float64, reach: NDArray[np.integer]) -> NDArray[np.intp]:
        """Number of the stroke of every observation, shape (m,): one colour on neighbouring regions."""
        from scipy.sparse.csgraph import connected_components

        wish = np.column_stack([ab, np.full(len(ab), GRAYNESS)])
        strength = np.linalg.norm(wish, axis=1)
        is_one_wish = (wish @ wish.T > ONE_HUE * np.outer(strength, strength)) & (reach[:, None] == reach)
        touches = (self.ties + self.ties.T)[regions][:, regions].toarray() > 0
        return connected_components(csr_array(touches & is_one_wish))[1]

    def slips(
        self, regions: NDArray[np.intp], ab: Float64, stroke: NDArray[np.intp], n_pixels: NDArray[np.integer]
    ) -> Float64:
        """By how much the variance of observations grows because the hand may have slipped, shape (m,), 1 or more.

        A stroke names one thing. Where it runs out onto another, that region is unlike most of the stroke, and often
        cannot even show the colour.

        Parameters
        ----------
        regions, ab, stroke
            As of `colorize.recognition.belief.Observations`.
        n_pixels : ndarray, shape (m,), int
            Hinted pixels of each.
        """
        is_one_stroke = stroke[:, None] == stroke
        strength = np.hypot(np.linalg.norm(ab, axis=1), GRAYNESS)
        # Wherever they lie: the ends of a long stroke are far from each other.
        alike = np.exp(-np.logaddexp(0, -self._joined(regions)[:, regions]))
        agreement = strength * ((is_one_stroke * alike) @ n_pixels) / (is_one_stroke @ n_pixels)
        best = np.zeros(len(regions))
        np.maximum.at(best, stroke, agreement)
        return np.maximum(1, AGREES * best[stroke] / agreement) ** SLIP
