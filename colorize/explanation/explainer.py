"""Why a place of a photograph got its colour: opinions, neighbours, features, remembered regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from colorize._support.numbers import is_integer
from colorize._support.regions import region_graph
from colorize._support.tables import plain
from colorize._support.threads import one_thread
from colorize.color.names import color_names
from colorize.exceptions import PlaceError
from colorize.explanation.attribution import attribute
from colorize.guidance.hints import Hints
from colorize.guidance.session import Session
from colorize.model import Photo
from colorize.predictor import Predictor
from colorize.recognition.belief import Belief
from colorize.recognition.decision import NEAR
from colorize.types import Colorization, Float32, GrayImage, Superpixels

__all__ = ["Explainer", "Explanation", "HintEffect", "Memories", "explain"]

N_MEMORIES = 12
# With nine families 64 rows take less than a second, where nets vote too (docs/explain.md).
N_BACKGROUND = 64
STAGES = ("own", "shared", "agreed")
"""The opinions in their order: of the region alone, after evidence was shared, after neighbours agreed."""

# As `mean_field` cuts; odds of 0 have no logarithm.
_FAINTEST = 1e-9
_ROUNDING = 1e-3  # of logarithms of float32 probabilities


@dataclass(frozen=True, eq=False)
class Memories:
    """The training regions that a region resembles most, nearest first.

    Attributes
    ----------
    row : ndarray, shape (k,), int64
        Which rows of the model's sample they are.
    distance : ndarray, shape (k,), float32
        Euclidean, in the space of the classifier.
    ab : ndarray, shape (k, 2), float32
        Their true mean colours.
    is_near : ndarray, shape (k,), bool
        Whether that colour is within 20 units of ab of the one that the model decided for itself, before any hint.
    photo : tuple of str
        The photographs they come from: file names, or numbers if the model keeps no names.
    picture : tuple of ndarray of shape (24, 24, 3), uint8, or None
        The regions and their surroundings, as far as the model keeps them.
    usual_distance : float
        Median distance between a training region and the one most like it in another photograph.
    favourite : int
        The palette index that most of them have.

    See Also
    --------
    colorize.recognition.thumbnails.Thumbnails : Where the pictures come from.
    """

    row: NDArray[np.int64]
    distance: Float32
    ab: Float32
    is_near: NDArray[np.bool_]
    photo: tuple[str, ...]
    picture: tuple[NDArray[np.uint8] | None, ...]
    usual_distance: float
    favourite: int

    @property
    def agreement(self) -> float:
        """Share of them whose colour is near the one that the model decided, 0..1."""
        return float(self.is_near.mean())

    @property
    def strangeness(self) -> float:
        """Distance of the nearest against the usual one: above 1.3 or so the model has seen nothing like it."""
        return float(self.distance[0]) / self.usual_distance


@dataclass(frozen=True, eq=False)
class HintEffect:
    """How hints moved the colour of a place, more exactly of the small region, the *part*, that hints are heard on.

    One row per hinted part, those that moved it most first.

    Attributes
    ----------
    part : int
        The part, a label of ``session.view.parts.superpixels``.
    before, after : ndarray, shape (2,), float32
        ab of the part without and with hints.
    is_hinted : bool
        Whether the part has hints on itself: their pixels are exact whatever is decided for the rest of it.
    is_exact : bool
        Whether the very place is such a pixel.
    place : ndarray, shape (m, 2), int64
        Row and column of the hinted parts, in pixels of the photograph.
    ab : ndarray, shape (m, 2), float64
        The colours hinted there.
    shift : ndarray, shape (m, 2), float64
        What each adds; the sum is ``after - before``.

    See Also
    --------
    colorize.recognition.belief.Belief.posterior : What is split.
    """

    part: int
    before: Float32
    after: Float32
    is_hinted: bool
    is_exact: bool
    place: NDArray[np.int64]
    ab: NDArray[np.float64]
    shift: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why one region of a photograph got its colour.

    Attributes
    ----------
    row, col : int
        The place asked about, in pixels of the photograph.
    region : int
        Its superpixel.
    lightness : float
        Mean L* of the region.
    ab : ndarray, shape (2,), float32
        The colour decided for the region: a mean of the plausible colours, as vivid as was asked for, moved by what
        hints did to the region on the whole.
    pixel_ab : ndarray, shape (2,), float32
        The colour of the very pixel, after colours were spread.
    confidence : float
        What the model states at the place: the probability that the true colour is within 20 units of ab.
    colors : ndarray, shape (K, 2), float32
        ab of the palette.
    probabilities : ndarray, shape (3, K), float32
        What the classifier thinks of the region alone; after regions shared their evidence; after neighbours agreed.
    winner : int
        Palette index of the most probable colour in the end.
    rival : int
        Palette index of the most probable colour in the end that looks different: at least 20 units of ab away from the
        winner (the second most probable, if none is).
    attribution : mapping of str to float, or None
        The logarithm of the odds of winner against rival, by the region's own features: what it is for ordinary regions
        (``start``), and what each feature family adds; None if the model keeps no training rows to compare with.
    memories : Memories or None
        None if the model keeps no training rows.
    hints : HintEffect or None
        None without hints.

    See Also
    --------
    colorize.explanation.account.sentences : Tells it.
    """

    row: int
    col: int
    region: int
    lightness: float
    ab: Float32
    pixel_ab: Float32
    confidence: float
    colors: Float32
    probabilities: Float32
    winner: int
    rival: int
    attribution: Mapping[str, float] | None
    memories: Memories | None
    hints: HintEffect | None = None

    @property
    def given_ab(self) -> Float32:
        """The colour that the place was given, ab of shape (2,), which is what the account names.

        Without hints that of its region; with hints that of its part, for the region is a mean of what they moved and
        what they did not; where the very pixel is hinted, what was asked for.
        """
        if self.hints is None:
            return self.ab
        return self.pixel_ab if self.hints.is_exact else self.hints.after

    @property
    def moved(self) -> float:
        """Units of ab between what hints made of the place and what it would be without them; 0 without hints."""
        return 0.0 if self.hints is None else float(np.linalg.norm(self.given_ab - self.hints.before))

    @property
    def carried(self) -> float:
        """Units of ab between the colour of the pixel and the one that the place was given: what spreading brought."""
        return float(np.linalg.norm(self.pixel_ab - self.given_ab))

    @property
    def favourite(self) -> int:
        """Palette index that the classifier prefers for the region alone."""
        return int(self.probabilities[0].argmax())

    @property
    def log_odds(self) -> NDArray[np.float64]:
        """Logarithm of the odds of winner against rival at each of the three stages, shape (3,)."""
        return _log_odds(self.probabilities.astype(np.float64), self.winner, self.rival)

    def named(self, ab: Float32) -> str:
        """An everyday name for a colour, shape (2,), at the lightness of the region."""
        return color_names(ab[None], self.lightness)[0]

    def steps(self) -> dict[str, float]:
        """From no knowledge to the decision: what each step adds to the log-odds of the winner against the rival.

        The first is ``start`` (ordinary regions), then come the families, ``references`` if there are any or an album,
        ``neighbours`` (evidence shared) and ``agreement``. Their sum is the last of `log_odds`. Without an attribution
        the features and references are one step, ``features``.
        """
        own, shared, agreed = self.log_odds
        if self.attribution is None:
            steps = {"features": own}
        else:
            steps = dict(self.attribution)
            # The classifier knows of no references and no album: what its own answer lacks of the
            # drawn one is their part.
            by_references = own - sum(steps.values())
            if abs(by_references) > _ROUNDING:
                steps["references"] = by_references
        steps |= {"neighbours": shared - own, "agreement": agreed - shared}
        return {name: float(value) for name, value in steps.items()}

    def palette(self) -> dict[str, NDArray[Any]]:
        """The palette distribution as a tidy table: one row per palette colour, ready for a data frame."""
        a, b = self.colors.T
        return {"color": np.arange(len(a)), "a": a, "b": b} | dict(zip(STAGES, self.probabilities, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pictures, as plain values for JSON."""
        of_place = ("row", "col", "region", "lightness", "ab", "given_ab", "pixel_ab", "confidence")
        of_belief = ("winner", "rival", "favourite")
        of_memories = ("distance", "usual_distance", "ab", "is_near", "photo", "agreement", "favourite")
        return plain(
            {name: getattr(self, name) for name in of_place + of_belief}
            | {
                "palette": self.palette(),
                "log_odds": dict(zip(STAGES, self.log_odds, strict=True)),
                "steps": self.steps(),
                "memories": self.memories and {name: getattr(self.memories, name) for name in of_memories},
                "hints": self.hints,
            }
        )


class Explainer:
    """A photograph and its colours, ready to be asked about any place: the costly step once, the cheap one many times.

    Parameters
    ----------
    session : Session
        The photograph, opened by `Colorizer.open`.
    hints : Hints, optional
        What somebody has said about its colours.
    vividness : float
        0..1, as in `Colorizer.predict`.

    Attributes
    ----------
    result : Colorization
        The photograph in colour.
    superpixels : Superpixels
        Its regions, at the working resolution.

    Raises
    ------
    HintsError, ValueError
        As `Session.with_hints`.
    TypeError
        `session` is none.

    See Also
    --------
    explain : The same for one place.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> from colorize.colorizer import Colorizer
    >>> photos = [picture[::4, ::4] for picture in load_sample_images().images]
    >>> model = Colorizer(n_colors=6, n_superpixels=60).fit(photos)
    >>> why = Explainer(model.open(photos[0])).at(40, 60)
    >>> why.probabilities.shape, list(why.steps())[:3]
    ((3, 6), ['start', 'intensity', 'position'])
    """

    def __init__(self, session: Session, *, hints: Hints | None = None, vividness: float = 0.5) -> None:
        if not isinstance(session, Session):
            raise TypeError(f"session must be a Session, which Colorizer.open gives, got {type(session).__name__}")
        self.session = session
        self.model = session.view.model
        self.hints = hints
        self.vividness = vividness
        self.result: Colorization = session.with_hints(hints, vividness)
        self.superpixels = self.result.superpixels
        # Memories are held against what the model thought before any hint.
        self._automatic_ab = (self.result if hints is None else session.colorize(vividness)).region_ab
        self._features = session.description.features.values
        decision = session.guided.decision
        self._opinions = np.stack([decision.own, decision.shared, decision.agreed])

    def region_of(self, row: int, col: int) -> int:
        """The region at a pixel of the photograph; PlaceError if there is no such pixel."""
        height, width = self.result.image.shape
        if not (is_integer(row) and is_integer(col)):
            raise PlaceError(f"row and col must be whole numbers of pixels, got {row!r} and {col!r}")
        if not (0 <= row < height and 0 <= col < width):
            raise PlaceError(
                f"place {row},{col} lies outside the photograph: rows are 0 to {height - 1}, columns 0 to {width - 1}"
            )
        return self._label_at(self.superpixels, row, col)

    def at(self, row: int, col: int) -> Explanation:
        """Explain the colour of the region at a pixel.

        Raises
        ------
        PlaceError
            There is no such pixel.
        """
        region = self.region_of(row, col)
        # Small products: more threads only wait for each other, and sum up in another order.
        with one_thread():
            return self._explained(region, row, col)

    def _explained(self, region: int, row: int, col: int) -> Explanation:
        colors = self.model.palette.colors_
        opinions = self._opinions[:, region]
        winner, rival = _contenders(opinions[-1], colors)
        return Explanation(
            row=row,
            col=col,
            region=region,
            lightness=float(self.session.description.region_lightness[region]),
            ab=self.result.region_ab[region],
            pixel_ab=self.result.ab[row, col],
            confidence=float(self.result.confidence[row, col]),
            colors=colors,
            probabilities=opinions,
            winner=winner,
            rival=rival,
            attribution=self._attribution(region, winner, rival),
            memories=self._memories(region),
            hints=None if self.hints is None else self._hint_effect(self.hints, row, col),
        )

    def places(self, n: int = 5) -> list[tuple[int, int]]:
        """Rows and columns of at most `n` pixels worth asking about.

        Three in five lie in the largest areas of one colour, the others where the model is least sure.
        """
        area = _color_areas(self.superpixels, self._opinions[-1].argmax(axis=1))
        largest = np.argsort(-np.bincount(area, self.superpixels.areas), kind="stable")
        confidence = self.result.confidence[tuple(self._pixels_near(self.superpixels.centroids).T)]
        # Four times as many areas are tried as places are wanted, because many lie close together.
        in_areas = [_middle(self.superpixels, np.flatnonzero(area == one)) for one in largest[: 4 * n]]
        spread, centroids = 0.15 * np.hypot(*self.superpixels.shape), self.superpixels.centroids
        chosen: list[int] = []
        # Rounded up: a single place is in the largest area.
        for candidates, enough in ((in_areas, -(-3 * n // 5)), (np.argsort(confidence, kind="stable").tolist(), n)):
            for region in candidates:
                away = np.linalg.norm(centroids[chosen] - centroids[region], axis=1)
                if len(chosen) < enough and (away > spread).all():
                    chosen.append(region)
        return [self._pixel_in(self.superpixels, region) for region in chosen]

    @cached_property
    def _remembered(self) -> tuple[Float32, Float32, float]:
        """The sample's rows in the classifier's space, those of the background split by family, the usual distance."""
        sample = self.model.sample
        rows = sample["features"].astype(np.float32)
        # Rows lie in the order of the photographs, so even steps meet all of them without a seed.
        few = _evenly(len(rows), N_BACKGROUND)
        return rows, self.model.scaler.split_components(rows[few]), _usual_distance(rows, sample["photo"])

    @cached_property
    def _belief_before(self) -> Belief:
        return self.session.prior(self.vividness)

    def _attribution(self, region: int, winner: int, rival: int) -> dict[str, float] | None:
        classes = self.model.classifier.classes_
        # A palette colour that no region of the training had is no class, and has no odds to split.
        if not len(self.model.sample["photo"]) or not np.isin([winner, rival], classes).all():
            return None
        contenders = np.searchsorted(classes, [winner, rival])
        row = self.model.scaler.family_parts(self._features[region : region + 1])[:, 0]
        start, parts = attribute(
            lambda rows: _log_odds(self.model.classifier.predict_proba(rows), *contenders), row, self._remembered[1]
        )
        split = {"start": start, **dict(zip(self.model.scaler.families_, parts.tolist(), strict=True))}
        if self.model.encoder_share:
            said = self.model.region_probabilities(self._features[region : region + 1])[0]
            # What the encoder says beside the classifier is its family's doing too.
            split["semantic"] += float(_log_odds(said, winner, rival) - start - parts.sum())
        return split

    def _memories(self, region: int) -> Memories | None:
        sample, thumbnails = self.model.sample, self.model.thumbnails
        if not len(sample["photo"]):
            return None
        rows, _, usual = self._remembered
        here = self.model.scaler.transform(self._features[region : region + 1])
        # In the space of the classifier: what is near there is what it takes for alike.
        distances = np.linalg.norm(rows - here, axis=1)
        nearest = np.argsort(distances, kind="stable")[:N_MEMORIES]
        ab = sample["ab"][nearest].astype(np.float32)
        photos = sample["photo"][nearest]
        palette = self.model.palette
        votes = np.bincount(palette.encode(ab), minlength=len(palette.colors_))
        return Memories(
            row=nearest,
            distance=distances[nearest],
            ab=ab,
            is_near=np.linalg.norm(ab - self._automatic_ab[region], axis=1) < NEAR,
            photo=tuple(thumbnails.name(int(i)) if thumbnails else f"photo {i + 1}" for i in photos),
            picture=tuple(thumbnails.picture(int(row)) if thumbnails else None for row in nearest),
            usual_distance=usual,
            favourite=int(votes.argmax()),
        )

    def _hint_effect(self, hints: Hints, row: int, col: int) -> HintEffect:
        """Split the shift of the part at a pixel among the hinted parts.

        For given surprises and things it is linear in what was said; what evens out the shades of a thing goes to the
        strongest.
        """
        superpixels, before = self.session.view.parts.superpixels, self._belief_before
        said = self.session.observations(hints)
        parts, ab = said.regions, said.ab
        here = self._label_at(superpixels, row, col)
        # With surprises and things held as they are, each wish is tried alone beside wishes for what is there
        # already: so the shifts add up. The last two: none of them, all of them.
        every = np.arange(len(parts))
        tried = np.repeat(before.mean[parts][None], len(parts) + 2, axis=0)
        tried[every, every] = tried[-1] = ab
        means = before.posterior(said._replace(ab=tried), said).mean[..., here, :]
        # Broadcast, because without hinted parts the belief is what it was.
        *alone, evened, after = np.broadcast_to(means, (len(parts) + 2, 2))
        shift = np.reshape(alone, (-1, 2)) - evened
        if len(parts):
            shift[np.linalg.norm(shift, axis=1).argmax()] += evened - before.mean[here]
        order = np.argsort(-np.linalg.norm(shift, axis=1), kind="stable")
        is_exact = bool(hints.rasterize(self.session.gray.shape).is_known[row, col])
        return HintEffect(
            part=here,
            before=before.mean[here].astype(np.float32),
            after=after.astype(np.float32),
            is_hinted=is_exact or bool((parts == here).any()),
            is_exact=is_exact,
            place=np.array([self._pixel_in(superpixels, int(k)) for k in parts[order]], np.intp).reshape(-1, 2),
            ab=ab[order],
            shift=shift[order],
        )

    def _label_at(self, superpixels: Superpixels, row: int, col: int) -> int:
        """The label at a pixel of the photograph."""
        height, width = self.result.image.shape
        rows, cols = superpixels.shape
        return int(superpixels.labels[int((row + 0.5) * rows / height), int((col + 0.5) * cols / width)])

    def _pixel_in(self, superpixels: Superpixels, label: int) -> tuple[int, int]:
        """A pixel of the photograph inside a region, as near to its centroid as it gets."""
        inside = np.argwhere(superpixels.labels == label)
        # The centroid of a bent region may lie outside of it.
        best = inside[np.abs(inside - superpixels.centroids[label]).sum(axis=1).argmin()]
        row, col = self._pixels_near(best)
        return int(row), int(col)

    def _pixels_near(self, places: NDArray[Any]) -> NDArray[np.intp]:
        """Pixels of the photograph for places at the working resolution."""
        return ((places + 0.5) * self.result.image.shape / self.superpixels.shape).astype(np.intp)


def explain(
    predictor: Predictor,
    gray: GrayImage | Photo | NDArray[Any],
    row: int,
    col: int,
    *,
    hints: Hints | None = None,
    vividness: float = 0.5,
) -> Explanation:
    """Explain the colour of one place: an `Explanation`.

    Parameters
    ----------
    predictor : Colorizer or Predictor
        Fitted or loaded.
    gray : GrayImage, RgbImage or ndarray
        As `Colorizer.predict` takes it.
    row, col : int
        A pixel of the photograph.
    hints, vividness
        As of `Explainer`.

    Raises
    ------
    PlaceError
        There is no such pixel.

    See Also
    --------
    Explainer : For several places of a photograph.
    colorize.explanation.account.sentences : The stage after: plain sentences.
    """
    return Explainer(predictor.open(gray), hints=hints, vividness=vividness).at(row, col)


def _log_odds(probabilities: NDArray[Any], first: int, second: int) -> NDArray[Any]:
    """Of one palette index or class against another, in every row."""
    logs = np.log(np.maximum(probabilities[..., [first, second]], _FAINTEST))
    return logs[..., 0] - logs[..., 1]


def _contenders(belief: Float32, colors: Float32) -> tuple[int, int]:
    """The most probable colour, and the most probable one that looks different."""
    order = np.argsort(-belief, kind="stable")
    away = np.linalg.norm(colors[order] - colors[order[0]], axis=1) >= NEAR
    return int(order[0]), int(order[int(away.argmax()) if away.any() else 1])


def _usual_distance(rows: Float32, photo: NDArray[np.int32]) -> float:
    """Median distance from some of the rows to the nearest of another photograph; 1 if there is no other photograph."""
    # A sample: distances of all 4000 rows to each other would take 128 MB, these take 8.
    few = _evenly(len(rows), 4 * N_BACKGROUND)
    distances = cdist(rows[few], rows)
    # Rows of one photograph are alike anyway, and the one asked about comes from none of them.
    distances[photo[few][:, None] == photo] = np.inf
    usual = float(np.median(distances.min(axis=1)))
    return usual if 0 < usual < np.inf else 1.0


def _evenly(n: int, wanted: int) -> NDArray[np.intp]:
    return np.linspace(0, n - 1, min(n, wanted)).round().astype(np.intp)


def _color_areas(superpixels: Superpixels, favourite: NDArray[np.intp]) -> NDArray[np.int32]:
    """Number of the area of one colour that every region belongs to."""
    # Areas and not single regions: a sky is one thing to ask about, and has hundreds.
    low, high = superpixels.adjacency.T
    ties = region_graph(superpixels, favourite[low] == favourite[high])
    return connected_components(ties, directed=False)[1]


def _middle(superpixels: Superpixels, regions: Sequence[int] | NDArray[np.intp]) -> int:
    """Of some regions the one nearest to their common centre."""
    centroids = superpixels.centroids[regions]
    center = np.average(centroids, axis=0, weights=superpixels.areas[regions])
    return int(np.asarray(regions)[np.linalg.norm(centroids - center, axis=1).argmin()])
