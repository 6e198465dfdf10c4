"""Which feature families a model lives on: permutation, refits, colours, details, and a control made of noise.

*Permutation* asks what a trained model uses: a family's numbers are taken from elsewhere, all its columns with one
order, and the error grows by what the model had from them. Families that know the same hide each other: the model
reads on in the other one. *Refits* ask what could be learnt: without the family (can the others stand in?), and with
nothing else (what does it know alone?). Read both, and the table of who can predict whom.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from colorize._support.numbers import is_integer
from colorize._support.progress import Progress, silent, telling
from colorize._support.statistics import Bootstrap, Interval
from colorize._support.tables import write_csv, write_json
from colorize._support.threads import one_thread
from colorize.color import rgb_to_lab, to_gray
from colorize.color.names import SWATCH_LIGHTNESS, color_names
from colorize.colorizer import Colorizer
from colorize.exceptions import DatasetError
from colorize.guidance.canvas import Canvas
from colorize.model import Description, Photo, as_rgb_image, by_place, check_several
from colorize.training.rows import TrainingRows, draw, rows_of, share_of_rows
from colorize.types import Float32, GrayImage

__all__ = ["ANALYSES", "NOISE", "ImportanceResult", "detail_groups", "importance"]

NOISE = "noise (control)"
"""A family of shuffled numbers in a twin of the model: its importance must not differ from zero."""

ANALYSES = {
    "permutation": "error added when the family's numbers come from elsewhere",
    "cluster": "the same for families that know much of each other, permuted together",
    "colour": "the same, for regions of one true colour",
    "detail": "the same for a part of a family",
    "drop": "error added when the model is trained without the family",
    "only": "error saved by the family alone against knowing nothing",
}
"""The analyses and what their values mean. Positive: it matters."""

SCORES = {
    "region_ab_error": "ab error of the regions, weighted by area",
    "final_ab_error": "ab error of the pixels after propagation",
    "log_loss": "surprise at the true palette colour, in nats",
    "balanced_score": "probability given to the true palette colour, every colour counting alike, in percent",
}

HIDES = 0.4
"""Share of a family's variance that another one must predict linearly to be warned about."""

# Refits without training photographs learn from one half and answer for the other: two in each, at least.
_MIN_PHOTOS = 4
# Of the variance of standardized columns: the Gram matrix can be inverted where columns repeat each
# other or never change, and what one family knows of another is hardly shrunk.
_RIDGE = 1e-2
# The surprise at one region is at most 9.2 nats: a single one must not decide a mean.
_SMALLEST = 1e-4
Row = tuple[Any, ...]
Sums = NDArray[np.float64]
Score = NDArray[np.float64]
_COLUMNS = ("analysis", "scheme", "family", "part", "score", "value", "low", "high")


@dataclass(frozen=True, eq=False)
class ImportanceResult:
    """Importances in one long table, and how much the families know of each other.

    Attributes
    ----------
    table : tuple of tuple
        Rows of analysis (`ANALYSES`), scheme (within, across, refit), family, part (colour, detail or empty), score
        (`SCORES`), value, low, high. Values are differences of means over photographs, positive where the family
        matters; limits are of 95 % bootstrap intervals.
    families : tuple of str
    baseline : mapping of str to Interval
        The scores of the untouched model.
    redundancy : ndarray, shape (n_families, n_families)
        Share of the variance of family j that family i predicts linearly on photographs not fitted to.
    links : ndarray
        Hierarchical clustering of the families (`scipy.cluster.hierarchy.linkage`), distance 1 - redundancy.
    clusters : tuple of tuple of str
        Families that belong together, where there are at least two.
    warnings : tuple of str
        One sentence for each family that others can stand in for.
    swatches : mapping of str to ndarray, shape (n, 2)
        The palette colours behind each colour name.
    settings : mapping
        What was done, in numbers.
    """

    table: tuple[tuple[Any, ...], ...]
    families: tuple[str, ...]
    baseline: Mapping[str, Interval]
    redundancy: NDArray[np.float64]
    links: NDArray[np.float64]
    clusters: tuple[tuple[str, ...], ...]
    warnings: tuple[str, ...]
    swatches: Mapping[str, Float32]
    settings: Mapping[str, Any]

    def tidy(self) -> dict[str, NDArray[Any]]:
        """The table as columns of equal length, ready for a data frame."""
        columns = zip(*self.table, strict=True)
        return {name: np.array(column) for name, column in zip(_COLUMNS, columns, strict=True)}

    def select(self, analysis: str, scheme: str, score: str) -> dict[tuple[str, str], Interval]:
        """Rows of one kind: interval by family and part, in their order."""
        return {
            (family, part): Interval(*limits)
            for kind, way, family, part, figure, *limits in self.table
            if (kind, way, figure) == (analysis, scheme, score)
        }

    def ranking(self, scheme: str = "across", score: str = "region_ab_error") -> list[str]:
        """Families by permutation importance, the most important first, the control left out."""
        found = self.select("permutation", scheme, score)
        names = [family for family, _ in found if family != NOISE]
        return sorted(names, key=lambda family: -found[family, ""].value)

    def to_csv(self) -> str:
        """The table as comma-separated text."""
        return write_csv([_COLUMNS, *self.table])

    def to_json(self) -> str:
        """Everything as JSON."""
        content = {name: getattr(self, name) for name in ("settings", "baseline", "families", "clusters", "warnings")}
        table = [dict(zip(_COLUMNS, row, strict=True)) for row in self.table]
        return write_json(content | {"table": table, "redundancy": self.redundancy, "colors": self.swatches})


def importance(
    colorizer: Colorizer,
    photos: Sequence[Photo],
    *,
    training_photos: Sequence[Photo] | None = None,
    n_repeats: int = 5,
    n_detail_repeats: int = 2,
    refits: bool = True,
    vividness: float = 0.0,
    random_state: int = 0,
    progress: Progress | None = None,
) -> ImportanceResult:
    """Measure how much a model owes to each feature family: an `ImportanceResult`.

    Parameters
    ----------
    colorizer : Colorizer
        Fitted or loaded.
    photos : sequence of RgbImage or ndarray of shape (H, W, 3)
        Colour photographs that the model was not trained on, at least four; about 40 give useful intervals.
    training_photos : sequence of the same, optional
        What the refits and the control learn from. None takes `photos` themselves in two halves, each measured by
        what the other taught.
    n_repeats : int
        Random orders per family; the intervals are over photographs, repeats only steady each photograph's value.
    n_detail_repeats : int
        The same for parts of families; 0 leaves them out.
    refits : bool
        Train without each family and with each family alone. The control needs one refit in any case. A model that
        kept the machine of a base is refitted without it: that machine knows all families and no others.
    vividness : float
        Setting of the model.
    random_state : int
        Equal seeds give equal numbers.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Raises
    ------
    DatasetError
        Fewer than four photographs, or fewer than two training photographs.
    ModelFileError
        The model knows other features than this version computes.
    ValueError
        `n_repeats` is less than 1, or `n_detail_repeats` less than 0.

    See Also
    --------
    colorize.explanation.explainer.Explainer : What families said of a single place.

    References
    ----------
    L. Breiman, "Random forests", Machine Learning 45, 2001 (permutation). B. Gregorutti, B. Michel, P. Saint-Pierre,
    "Grouped variable importance with random forests", CSDA 90, 2015 (groups). J. Lei et al., "Distribution-free
    predictive inference for regression", JASA 113, 2018 (refits without a variable).
    """
    if not (is_integer(n_repeats) and n_repeats >= 1):
        raise ValueError(f"n_repeats must be at least 1, got {n_repeats!r}")
    if not (is_integer(n_detail_repeats) and n_detail_repeats >= 0):
        raise ValueError(f"n_detail_repeats must be at least 0, got {n_detail_repeats!r}")
    check_several(photos)
    photos = by_place(photos)
    if training_photos is not None:
        check_several(training_photos, "training_photos")
        training_photos = by_place(training_photos)
    if training_photos is not None and len(training_photos) < 2:
        raise DatasetError(f"refits and control need at least 2 training photographs, got {len(training_photos)}")
    if len(photos) < _MIN_PHOTOS:
        raise DatasetError(f"feature importance needs at least {_MIN_PHOTOS} photographs, got {len(photos)}")
    say = progress or silent
    with one_thread():  # hundreds of small products: threads would only wait for each other
        held_out = _describe(colorizer, photos, say)
        study = _Study(colorizer, held_out, vividness, random_state)
        redundancy = _redundancy(held_out)
        families = tuple(held_out.regions.families)
        links, clusters = _clusters(redundancy, families)
        teachers = None if training_photos is None else _describe(colorizer, training_photos, say)
        table = (
            *study.permutations(clusters, n_repeats, say),
            *study.details(n_detail_repeats, say),
            *study.refits(teachers, n_repeats, refits, say),
        )
    return ImportanceResult(
        table=table,
        families=families,
        baseline=study.baseline(),
        redundancy=redundancy,
        links=links,
        clusters=clusters,
        warnings=_warnings(redundancy, families),
        swatches={name: colorizer.palette_.colors_[study.names == name] for name in dict.fromkeys(study.names)},
        settings={
            "n_photos": len(photos),
            "n_regions": len(held_out.regions),
            "refits_learn_from": "the other half" if teachers is None else f"{teachers.n_photos} photographs",
            "n_repeats": n_repeats,
            "n_detail_repeats": n_detail_repeats,
            "refits": refits,
            "vividness": vividness,
            "random_state": random_state,
        },
    )


def detail_groups(names: Sequence[str]) -> dict[str, NDArray[np.intp]]:
    """Columns of the parts of a family, by the names of its columns; empty if the family does not divide.

    A name such as ``4 px, 22.5 deg`` belongs to two parts, ``4 px`` and ``22.5 deg``; numbers at the end are counters
    and are left out (``histogram 3`` belongs to ``histogram``).

    Examples
    --------
    >>> groups = detail_groups(["4 px, 0 deg", "4 px, 90 deg", "8 px, 0 deg", "8 px, 90 deg"])
    >>> {part: columns.tolist() for part, columns in groups.items()}
    {'4 px': [0, 1], '0 deg': [0, 2], '90 deg': [1, 3], '8 px': [2, 3]}
    """
    groups: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        # The number of a ring or scale says which one it is, and is no counter.
        keys = (re.sub(r"(?<!^ring)(?<!^scale)(^|\s+)[\d.]+$", "", part.strip()) for part in name.split(","))
        for key in dict.fromkeys(filter(None, keys)):
            groups.setdefault(key, []).append(column)
    # A part with all columns is the family again.
    useful = {key: np.array(columns) for key, columns in groups.items() if 0 < len(columns) < len(names)}
    # Every part costs a permutation of the whole set, and nobody reads a plot of more.
    return useful if 1 < len(useful) <= 24 else {}


@dataclass(frozen=True, eq=False)
class _Described:
    """Photographs with their descriptions, and the rows of all their regions."""

    photos: Sequence[Photo]
    grays: list[GrayImage]
    descriptions: list[Description]
    regions: TrainingRows

    @property
    def n_photos(self) -> int:
        return len(self.grays)

    def with_families(self, families: Sequence[str], **extra: Float32) -> TrainingRows:
        """The rows with the columns of some families, and other ones behind them."""
        blocks = {family: self.regions.features[:, self.regions.families[family]] for family in families} | extra
        slices, start = {}, 0
        for name, block in blocks.items():
            slices[name] = slice(start, start + block.shape[1])
            start += block.shape[1]
        return replace(self.regions, features=np.concatenate(list(blocks.values()), axis=1), families=slices)


class _Study:
    """One model on one set of described photographs.

    A *score* says how well some probabilities do: error, surprise and probability of the true colour, each summed over
    the area of every true colour in every photograph, shape (3, n_photos, n_colors).
    """

    def __init__(self, colorizer: Colorizer, data: _Described, vividness: float, random_state: int) -> None:
        self.colorizer = colorizer
        self.data, self.regions = data, data.regions
        self.vividness = vividness
        self.random_state = random_state
        self.bootstrap = Bootstrap(data.n_photos, random_state=random_state)
        self.true_index = colorizer.palette_.encode(data.regions.ab)
        self.area_by_color = self._by_color(1.0)
        self.names = np.array(color_names(colorizer.palette_.colors_, SWATCH_LIGHTNESS))
        self.untouched, region_ab = self.score(self.answer(data.regions.features))
        self.final = self.final_error(region_ab)

    def baseline(self) -> dict[str, Interval]:
        return self._figures(*self.untouched) | {"final_ab_error": self.bootstrap.mean(self.final)}

    def score(self, probabilities: Float32) -> tuple[Score, Float32]:
        """Decide every photograph's colours from probabilities of all regions: their score, and ab (n_rows, 2)."""
        region_ab = np.empty_like(self.regions.ab)
        for index, description in enumerate(self.data.descriptions):
            rows = self.regions.photo == index
            decision = self.colorizer.recognizer.decide(description, probabilities[rows])
            region_ab[rows] = decision.ab(self.vividness)
        given = probabilities[np.arange(len(probabilities)), self.true_index]
        values = np.hypot(*(region_ab - self.regions.ab).T), -np.log(np.maximum(given, _SMALLEST)), given
        return np.stack([self._by_color(value) for value in values]), region_ab

    def final_error(self, region_ab: Float32) -> NDArray[np.float64]:
        """Pixel ab error after propagation, shape (n_photos,)."""
        data, errors = self.data, np.empty(self.data.n_photos)
        for index, (gray, description) in enumerate(zip(data.grays, data.descriptions, strict=True)):
            canvas = Canvas(gray, description.superpixels)
            spread = canvas.spread(region_ab[self.regions.photo == index])
            true_ab = rgb_to_lab(as_rgb_image(data.photos[index]).pixels)[..., 1:]
            errors[index] = np.hypot(*np.moveaxis(spread.ab - true_ab, -1, 0)).mean(dtype=np.float64)
        return errors

    def permutations(self, clusters: Sequence[Sequence[str]], n_repeats: int, say: Progress) -> Iterator[Row]:
        """Every family, within and across photographs; clusters across photographs."""
        jobs = [("permutation", way, [name]) for way in ("across", "within") for name in self.regions.families]
        jobs += [("cluster", "across", list(members)) for members in clusters]
        for analysis, way, members in telling(say, "permuting", jobs):
            columns = np.r_[tuple(self.regions.families[member] for member in members)]
            score, region_abs = self.permuted(self.regions, columns, way, n_repeats, self.answer)
            name = " + ".join(members)
            yield from self._rows(analysis, way, name, score)
            # Across photographs alone: a solve per photograph and repeat costs more than all the rest.
            if way == "across":
                errors = np.mean([self.final_error(region_ab) for region_ab in region_abs], axis=0)
                yield analysis, way, name, "", "final_ab_error", *astuple(self.bootstrap.mean(errors - self.final))
            if analysis == "permutation" and way == "across":
                yield from self._color_rows(name, score)

    def details(self, n_repeats: int, say: Progress) -> Iterator[Row]:
        """Parts of families, across photographs."""
        jobs = []
        for family, columns in self.regions.families.items() if n_repeats else ():
            names = [name.partition(":")[2] for name in self.data.descriptions[0].features.names[columns]]
            jobs += [(family, part, chosen + columns.start) for part, chosen in detail_groups(names).items()]
        for family, part, chosen in telling(say, "permuting parts", jobs):
            score, _ = self.permuted(self.regions, chosen, "across", n_repeats, self.answer)
            yield from self._rows("detail", "across", family, score, part)

    def refits(self, teachers: _Described | None, n_repeats: int, families_too: bool, say: Progress) -> Iterator[Row]:
        """Train twins: with a noise family, and (if wanted) without each family and with each alone."""
        everything = tuple(self.regions.families)
        twins = _Twins(self.colorizer, self.data, teachers, self.random_state)
        jobs = [("drop", name) for name in everything if len(everything) > 1 and families_too]
        jobs += [("only", name) for name in everything if families_too]
        total = len(jobs) + 2
        say("refitting", 0, total)
        noisy, answer = twins.with_noise()
        before, _ = self.score(answer(noisy.features))
        for way in ("across", "within"):
            after, _ = self.permuted(noisy, noisy.families[NOISE], way, n_repeats, answer)
            yield from self._rows("permutation", way, NOISE, after, before=before)
        if jobs:
            (full, _), (nothing, _) = self.score(twins.predict(everything)), self.score(twins.prior())
        for done, (analysis, name) in enumerate(jobs):
            say("refitting", done + 1, total)
            kept = tuple(f for f in everything if f != name) if analysis == "drop" else (name,)
            found, _ = self.score(twins.predict(kept))
            before, after = (full, found) if analysis == "drop" else (found, nothing)
            yield from self._rows(analysis, "refit", name, after, before=before)
        say("refitting", total, total)

    def answer(self, features: Float32) -> Float32:
        """Probabilities that the model gives."""
        return self.colorizer.recognizer.region_probabilities(features)

    def permuted(
        self,
        rows: TrainingRows,
        columns: NDArray[np.intp] | slice,
        way: str,
        n_repeats: int,
        answer: Callable[[Float32], Float32],
    ) -> tuple[Score, list[Float32]]:
        """Mean score of the answers to rows whose columns come from elsewhere, and the colours of every repeat."""
        scores, region_abs = [], []
        for repeat in range(n_repeats):
            features = rows.features.copy()
            # The same orders for every family: their differences are then none of luck.
            donors = _donors(rows.photo, way, self.random_state + repeat)
            features[:, columns] = rows.features[donors][:, columns]
            score, region_ab = self.score(answer(features))
            scores.append(score)
            region_abs.append(region_ab)
        return np.mean(scores, axis=0), region_abs

    def _rows(
        self, analysis: str, way: str, family: str, after: Score, part: str = "", before: Score | None = None
    ) -> Iterator[Row]:
        error, surprise, given = after - (self.untouched if before is None else before)
        for score, interval in self._figures(error, surprise, -given).items():
            yield analysis, way, family, part, score, *astuple(interval)

    def _figures(self, error: Sums, surprise: Sums, given: Sums) -> dict[str, Interval]:
        return {
            "region_ab_error": self.bootstrap.mean(error.sum(axis=1)),
            "log_loss": self.bootstrap.mean(surprise.sum(axis=1)),
            "balanced_score": self._balanced(given),
        }

    def _color_rows(self, family: str, after: Score) -> Iterator[Row]:
        """Added error over the regions of every named colour."""
        added = after[0] - self.untouched[0]
        for name in dict.fromkeys(self.names):
            chosen = self.names == name
            interval = self.bootstrap.ratio(added[:, chosen].sum(axis=1), self.area_by_color[:, chosen].sum(axis=1))
            if np.isfinite(interval.value):
                yield "colour", "across", family, name, "region_ab_error", *astuple(interval)

    def _balanced(self, given: Sums) -> Interval:
        """Mean over colours of the probability given to the true one (or of its change), in percent."""
        # Sums over photographs before the division, in every resample too: a single photograph
        # lacks most colours, so that a mean over photographs of such ratios does not exist.
        weights = np.concatenate([np.ones((1, self.data.n_photos)), self.bootstrap.weights * self.data.n_photos])
        area = weights @ self.area_by_color
        present = area > 1e-9
        values = np.divide(weights @ given, area, out=np.zeros_like(area), where=present)
        # A rare colour may be missing from a resample; the mean is over those that are there.
        means = 100 * values.sum(axis=1) / present.sum(axis=1)
        return self.bootstrap.limits(means[0], means[1:])

    def _by_color(self, values: NDArray[np.floating] | float) -> Sums:
        """Sums over the area of every true colour in every photograph, shape (n_photos, n_colors)."""
        n_colors = len(self.colorizer.palette_.colors_)
        cell = self.regions.photo * n_colors + self.true_index
        sums = np.bincount(cell, values * self.regions.area, minlength=self.data.n_photos * n_colors)
        return sums.astype(np.float64).reshape(-1, n_colors)


class _Twins:
    """Twins of a model, trained on described photographs, that answer for photographs they were not trained on."""

    def __init__(self, model: Colorizer, data: _Described, teachers: _Described | None, random_state: int) -> None:
        self.model, self.data, self.teachers = model, data, teachers or data
        self.random_state = random_state
        photo, asked = self.teachers.regions.photo, data.regions.photo
        # Twins learn from as many regions as the model did.
        n_teachers = self.teachers.n_photos if teachers else self.teachers.n_photos // 2
        n_rows = share_of_rows(model.rows_per_photo, n_teachers)
        drawn = np.zeros(len(photo), bool)
        for number in range(self.teachers.n_photos):
            own = np.flatnonzero(photo == number)
            drawn[own[draw(len(own), n_rows, [random_state, number])]] = True
        # Rows to learn from, and rows to answer for.
        self.folds = [(drawn, np.ones(len(asked), bool))]
        if teachers is None:
            # Whole photographs: regions of one resemble each other too much to lie on both sides.
            half = np.random.default_rng(random_state).permutation(data.n_photos) % 2
            self.folds = [((half[photo] != k) & drawn, half[asked] == k) for k in range(2)]

    def predict(self, families: Sequence[str]) -> Float32:
        """Probabilities of all regions from models that know some families only."""
        return self._taught(self.teachers.with_families(families))(self.data.with_families(families).features)

    def prior(self) -> Float32:
        """Probabilities of somebody who knows the frequencies of colours and sees nothing."""
        palette = self.model.palette_
        probabilities = np.empty((len(self.data.regions), len(palette.colors_)), np.float32)
        for learnt, asked in self.folds:
            rows = self.teachers.regions.where(learnt)
            share = np.bincount(palette.encode(rows.ab), rows.area, len(palette.colors_))
            probabilities[asked] = share / share.sum()
        return probabilities

    def with_noise(self) -> tuple[TrainingRows, Callable[[Float32], Float32]]:
        """All regions with the noise behind their families, and how twins answer that learnt with such noise."""
        # Where both are the same photographs, a row keeps its number in learning and in asking, as in any real family.
        salt = 1 if self.teachers is self.data else 2
        return self._noisy(self.data, 1), self._taught(self._noisy(self.teachers, salt))

    def _noisy(self, data: _Described, salt: int) -> TrainingRows:
        """The noise is the Gabor family (or the first one) in a random order: real numbers that mean nothing."""
        regions = data.regions
        source = regions.families.get("gabor") or next(iter(regions.families.values()))
        order = np.random.default_rng([self.random_state, salt]).permutation(len(regions))
        return data.with_families(tuple(regions.families), **{NOISE: regions.features[order][:, source]})

    def _taught(self, rows: TrainingRows) -> Callable[[Float32], Float32]:
        """How twins answer for the features of all regions: one for each fold, taught what it may learn from."""
        model = self.model
        twins = [clone(model).learn(rows.where(learnt), palette=model.palette_) for learnt, _ in self.folds]

        def answer(features: Float32) -> Float32:
            probabilities = np.empty((len(features), len(model.palette_.colors_)), np.float32)
            for twin, (_, asked) in zip(twins, self.folds, strict=True):
                probabilities[asked] = twin.recognizer.region_probabilities(features[asked])
            return probabilities

        return answer


def _describe(colorizer: Colorizer, photos: Sequence[Photo], say: Progress) -> _Described:
    grays, descriptions, blocks = [], [], []
    for index, item in enumerate(telling(say, "describing", photos)):
        photo = as_rgb_image(item, index)
        grays.append(to_gray(photo))
        descriptions.append(colorizer.model.describe(grays[-1]))
        blocks.append(rows_of(descriptions[-1], rgb_to_lab(photo.pixels)[..., 1:], index))
    return _Described(photos, grays, descriptions, TrainingRows.concatenate(blocks))


def _donors(photo: NDArray[np.int32], way: str, seed: int) -> NDArray[np.intp]:
    """Row that each row takes its numbers from.

    ``within``: the rows of each photograph in a random order. ``across``: each photograph takes the rows of one other,
    in a random order, some left out or used again where it has fewer or more: what is the same for a whole photograph
    stays so.
    """
    rng = np.random.default_rng([seed, 0 if way == "within" else 1])
    n_photos = int(photo.max()) + 1
    own = [np.flatnonzero(photo == index) for index in range(n_photos)]
    sources = [rng.permutation(rows) for rows in own]
    circle = rng.permutation(n_photos)  # everybody takes from the next in a circle: nobody from itself
    following = np.roll(circle, -1) if way == "across" else circle
    donors = np.empty(len(photo), np.intp)
    for taker, giver in zip(circle, following, strict=True):
        # Photographs differ in their number of regions: too few donors are repeated, too many cut.
        donors[own[taker]] = np.resize(sources[giver], len(own[taker]))
    return donors


def _redundancy(data: _Described) -> NDArray[np.float64]:
    """Share of the variance of family j that a ridge regression on family i predicts, on photographs not fitted to."""
    fitted = data.regions.photo % 2 == 0
    values = StandardScaler().fit_transform(data.regions.features.astype(np.float64))
    families = data.regions.families.values()
    total = np.square(values[~fitted])
    shares = np.eye(len(families))
    for i, source in enumerate(values[:, columns] for columns in families):
        ridge = Ridge(_RIDGE * len(values), fit_intercept=False).fit(source[fitted], values[fitted])
        left = np.square(values[~fitted] - ridge.predict(source[~fitted]))
        for j, columns in enumerate(families):
            if i != j:
                shares[i, j] = 1 - left[:, columns].sum() / max(total[:, columns].sum(), 1e-12)
    # On photographs not fitted to, a guess can be worse than the mean: that is no knowledge.
    return np.clip(shares, 0, 1)


def _clusters(
    redundancy: NDArray[np.float64], families: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[tuple[str, ...], ...]]:
    if len(families) < 2:
        return np.zeros((0, 4)), ()
    # The stronger direction: for one to be hidden it is enough that the other can stand in for it.
    distance = 1 - np.maximum(redundancy, redundancy.T)
    np.fill_diagonal(distance, 0)
    links = linkage(squareform(distance, checks=False), "average")
    member = fcluster(links, 1 - HIDES, "distance")
    groups = [tuple(f for f, m in zip(families, member, strict=True) if m == k) for k in sorted(set(member))]
    # All families together would be the whole model, with nothing left to read on in.
    return links, tuple(group for group in groups if 1 < len(group) < len(families))


def _warnings(redundancy: NDArray[np.float64], families: Sequence[str]) -> tuple[str, ...]:
    found = []
    for j, family in enumerate(families):
        others = [(redundancy[i, j], families[i]) for i in range(len(families)) if i != j and redundancy[i, j] >= HIDES]
        if others:
            names = ", ".join(f"{name} ({share:.0%})" for share, name in sorted(others, reverse=True))
            found.append(
                f"{family}: much of it can be predicted from {names}; permuting it alone may show less than it knows."
            )
    return tuple(found)
