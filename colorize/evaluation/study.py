"""Studies that train: one model per category tested on each, and how error falls with more photographs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize._support.progress import Progress, silent, telling
from colorize._support.statistics import Bootstrap, Interval
from colorize._support.tables import aligned, write_csv, write_json
from colorize._support.threads import one_thread
from colorize.colorizer import Colorizer
from colorize.evaluation.measure import FEW_PHOTOS, FIGURES, MAIN, EvaluationResult, Method, Observation, measure
from colorize.exceptions import DatasetError
from colorize.recognition.rules import NO_COLOR, fit_rules
from colorize.training.dataset import TrainingSet
from colorize.types import RgbImage

__all__ = ["ALL", "TRAINERS", "CategoryStudy", "LearningCurve", "study_categories", "study_curve", "usual_sizes"]

ALL = "all together"
ALL_EQUAL = "all, as many photographs"
GRAY = "gray"

_COLUMNS = (*FIGURES, f"{MAIN}_low", f"{MAIN}_high")


def _train_classical(photos: Sequence[RgbImage], random_state: int, parameters: Mapping[str, Any]) -> Method:
    return partial(Colorizer(random_state=random_state, **parameters).fit(photos).predict, vividness=0)


TRAINERS: dict[str, Callable[[Sequence[RgbImage], int, Mapping[str, Any]], Method]] = {
    "classical": _train_classical,
    "lookup": lambda photos, *_: fit_rules(photos)["L + height lookup"],
    "mean": lambda photos, *_: fit_rules(photos)["mean colour"],
}
"""Ways to learn from photographs, by the names of the command line; a rival is one more entry."""


@dataclass(frozen=True, eq=False)
class CategoryStudy:
    """Models trained on one category each, and on all, tested on every category.

    Attributes
    ----------
    results : mapping of str to EvaluationResult
        Per category tested: figures of gray and of every ``method: training set`` on its held-out photographs.
    methods : tuple of str
    training : mapping of str to int
        Photographs in each training set.
    seconds : mapping of str to float
        CPU seconds of each training, by ``method: training set``.
    pictures : mapping of str to mapping of str to ndarray
        Per category: one held-out photograph (``true``, ``gray``) and every model's colours for it, uint8 sRGB.
    left_out : mapping of str to str
        Categories that were not used, and why.
    """

    results: Mapping[str, EvaluationResult]
    methods: tuple[str, ...]
    training: Mapping[str, int]
    seconds: Mapping[str, float]
    pictures: Mapping[str, Mapping[str, NDArray[np.uint8]]]
    left_out: Mapping[str, str]

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories."""
        return tuple(self.results)

    def matrix(self, method: str) -> NDArray[np.float64]:
        """Mean CIEDE2000, shape (n_training_sets, n_categories): rows trained on (`training`), columns tested on."""
        means = [result.means() for result in self.results.values()]
        return np.array([[of[f"{method}: {name}"][MAIN] for of in means] for name in self.training])

    def cells(self, method: str) -> list[list[Interval]]:
        """`matrix` with intervals over the held-out photographs."""
        intervals = [result.intervals() for result in self.results.values()]
        return [[of[f"{method}: {name}"][MAIN] for of in intervals] for name in self.training]

    def against_own(self, method: str) -> list[list[Interval]]:
        """Paired difference of each cell from the model trained on the tested category itself."""

        def difference(name: str, category: str) -> Interval:
            result = self.results[category]
            other, own = (result.figures[f"{method}: {learnt}"][MAIN] for learnt in (name, category))
            return Bootstrap(result.n_photos).mean(other - own)

        return [[difference(name, category) for category in self.results] for name in self.training]

    def gray(self) -> list[float]:
        """What untouched gray scores on each category."""
        return [result.means()[GRAY][MAIN] for result in self.results.values()]

    def table(self) -> str:
        """The matrices as text."""
        lines = [f"{FIGURES[MAIN].title}, held-out photographs, lower is better"]
        for method in self.methods:
            rows = zip((GRAY, *self.training), (self.gray(), *self.matrix(method)), strict=True)
            cells = [[name, *(f"{value:.2f}" for value in row)] for name, row in rows]
            lines += ["", method, *aligned([["trained on / tested on", *self.categories], *cells])]
        return "\n".join(lines)

    def to_csv(self) -> str:
        """One row per method, training set and tested category."""
        rows: list[list[Any]] = [["method", "trained_on", "tested_on", "n_test", *_COLUMNS]]
        for category, result in self.results.items():
            for name, figures in result.intervals().items():
                method, _, trained_on = name.partition(": ")
                rows.append([method, trained_on, category, result.n_photos, *_numbers(figures)])
        return write_csv(rows)

    def to_json(self) -> str:
        """Everything but the pictures."""
        tested = {
            category: {"n_photos": result.n_photos, "names": result.names, "figures": result.intervals()}
            for category, result in self.results.items()
        }
        sets = {"training_photos": self.training, "left_out": self.left_out}
        return write_json(sets | {"tested": tested, "cpu_seconds": self.seconds})


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """How the error on held-out photographs falls with more training photographs.

    Attributes
    ----------
    sizes : tuple of int
        Training photographs; each set holds the smaller ones.
    result : EvaluationResult
        Figures of gray, and of ``classical: SIZE`` and ``lookup: SIZE``, on the held-out photographs.
    seconds : mapping of str to float
        CPU seconds of each training.
    """

    sizes: tuple[int, ...]
    result: EvaluationResult
    seconds: Mapping[str, float]

    def points(self, method: str = "classical", figure: str = MAIN) -> list[Interval]:
        """Figure of one method at every size."""
        intervals = self.result.intervals()
        return [intervals[f"{method}: {size}"][figure] for size in self.sizes]

    def gains(self) -> list[Interval]:
        """Paired CIEDE2000 difference of every size from the one before; the first has none."""
        columns = [self.result.figures[f"classical: {size}"][MAIN] for size in self.sizes]
        bootstrap = Bootstrap(self.result.n_photos)
        steps = [bootstrap.mean(after - before) for before, after in pairwise(columns)]
        return [Interval(math.nan), *steps]

    def rows(self) -> Iterator[tuple[int, float, Interval, Interval, float, float, float]]:
        """Per size: photographs, CPU seconds, CIEDE2000, its gain, AuC, colourfulness, CIEDE2000 of the lookup."""
        means = self.result.means()
        for size, error, gain in zip(self.sizes, self.points(), self.gains(), strict=True):
            figures, lookup = means[f"classical: {size}"], means[f"lookup: {size}"]
            spent = self.seconds[f"classical: {size}"]
            yield size, spent, error, gain, figures["auc"], figures["colorfulness_ratio"], lookup[MAIN]

    def table(self) -> str:
        """The curve as text."""
        rows = [["photos", "CPU s", "CIEDE2000 (95 % interval)", "AuC", "colourf.", "lookup"]]
        for size, spent, error, _, *numbers in self.rows():
            rows.append([f"{size}", f"{spent:.1f}", f"{error}", *(f"{number:.2f}" for number in numbers)])
        gray = self.result.means()[GRAY][MAIN]
        return "\n".join([*aligned(rows), f"measured on {self.result.n_photos} photographs; gray {gray:.2f}"])

    def to_csv(self) -> str:
        """One row per method and size."""
        rows: list[list[Any]] = [["method", "n_photos", "cpu_seconds", *_COLUMNS]]
        for name, figures in self.result.intervals().items():
            method, _, size = name.partition(": ")
            rows.append([method, size, self.seconds.get(name, ""), *_numbers(figures)])
        return write_csv(rows)

    def to_json(self) -> str:
        """Everything."""
        figures = self.result.intervals()
        sets = {"sizes": self.sizes, "n_test": self.result.n_photos}
        return write_json(sets | {"figures": figures, "cpu_seconds": self.seconds})


def study_categories(
    sets: Mapping[str, TrainingSet],
    *,
    methods: Sequence[str] = ("classical",),
    fraction: float = 0.2,
    parameters: Mapping[str, Any] | None = None,
    left_out: Mapping[str, str] | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> CategoryStudy:
    """Train a model per category, one on all, one on as many of all as a category has; test each: a `CategoryStudy`.

    Parameters
    ----------
    sets : mapping of str to TrainingSet
        At least two; those with fewer than ten photographs are left out.
    methods : sequence of str
        Keys of `TRAINERS`.
    fraction : float
        Share of each category held out for testing, by a fixed seed.
    parameters : mapping, optional
        Of the `Colorizer`.
    left_out : mapping of str to str, optional
        Categories that could not be read, and why; reported.
    random_state : int
    progress : callable, optional

    Raises
    ------
    DatasetError
        Fewer than two usable categories.
    ValueError
        An unknown method.
    """
    unknown = [method for method in methods if method not in TRAINERS]
    if unknown or not methods:
        raise ValueError(f"methods must be some of {', '.join(TRAINERS)}, got {', '.join(unknown) or 'none'}")
    few = {name: len(photos) for name, photos in sets.items() if len(photos) < FEW_PHOTOS}
    kept = {name: photos for name, photos in sets.items() if name not in few}
    reasons = {**(left_out or {}), **{name: f"{n} usable photographs, {FEW_PHOTOS} needed" for name, n in few.items()}}
    if len(kept) < 2:
        detail = "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "no others"
        raise DatasetError(
            f"a study of categories needs at least 2 sub-folders of photographs, got {len(kept)} ({detail})"
        )
    splits = {name: photos.split(fraction, random_state=random_state) for name, photos in kept.items()}
    training = _training_sets({name: learnt.photos for name, (learnt, _) in splits.items()}, random_state)
    jobs = [(method, name, photos) for method in methods for name, photos in training.items()]
    say = progress or silent
    with one_thread():
        models, seconds = _trained(jobs, random_state, parameters or {}, say)
        results, pictures = {}, {}
        for name, (_, test) in telling(say, "testing", splits.items()):
            results[name], pictures[name] = _measured(models, test)
    sizes = {name: len(photos) for name, photos in training.items()}
    return CategoryStudy(results, tuple(methods), sizes, seconds, pictures, reasons)


def usual_sizes(n_photos: int) -> tuple[int, ...]:
    """Sizes of a learning curve: 25, 50, 100 ... up to all photographs.

    Examples
    --------
    >>> usual_sizes(160), usual_sizes(20)
    ((25, 50, 100, 160), (5, 10, 20))
    """
    sizes = [25 if n_photos >= 50 else max(2, n_photos // 4)]
    # Two sizes almost alike would cost a training, and their step could not be told from chance.
    while 1.25 * sizes[-1] <= n_photos:
        sizes.append(2 * sizes[-1])
    return (*sizes[:-1], n_photos)


def study_curve(
    training_photos: Sequence[RgbImage],
    test_photos: Sequence[RgbImage],
    *,
    sizes: Sequence[int] | None = None,
    names: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    random_state: int = 0,
    progress: Progress | None = None,
) -> LearningCurve:
    """Train on growing parts of a set, and measure each model on the same photographs: a `LearningCurve`.

    Parameters
    ----------
    training_photos : sequence of RgbImage
        The parts are taken in one random order, so that each holds the smaller ones.
    test_photos : sequence of RgbImage
    sizes : sequence of int, optional
        `usual_sizes` by default.
    names : sequence of str, optional
        Of the test photographs.
    parameters, random_state, progress
        As of `study_categories`.

    Raises
    ------
    ValueError
        A size is less than 2 or more than there are.
    """
    wanted = tuple(sorted(set(sizes or usual_sizes(len(training_photos)))))
    if wanted[0] < 2 or wanted[-1] > len(training_photos):
        raise ValueError(f"sizes must lie in 2..{len(training_photos)} (the training photographs), got {wanted}")
    order = np.random.default_rng(random_state).permutation(len(training_photos))
    # Sorted: the part with all photographs is then the very training that `colorize train` does.
    parts = {size: [training_photos[i] for i in np.sort(order[:size])] for size in wanted}
    jobs = [(method, str(size), part) for size, part in parts.items() for method in ("lookup", "classical")]
    with one_thread():
        models, seconds = _trained(jobs, random_state, parameters or {}, progress or silent)
        result = measure(models, test_photos, names=names, progress=progress)
    return LearningCurve(wanted, result, seconds)


def _trained(
    jobs: Sequence[tuple[str, str, Sequence[RgbImage]]], random_state: int, parameters: Mapping[str, Any], say: Progress
) -> tuple[dict[str, Method], dict[str, float]]:
    """Gray and a model for every job (method, name of the photographs, photographs), and the CPU seconds of each."""
    models: dict[str, Method] = {GRAY: NO_COLOR}
    seconds = {}
    for method, name, photos in telling(say, "training", jobs):
        start = time.process_time()
        models[f"{method}: {name}"] = TRAINERS[method](photos, random_state, parameters)
        seconds[f"{method}: {name}"] = time.process_time() - start
    return models, seconds


def _numbers(figures: Mapping[str, Interval]) -> list[float]:
    """What stands under `_COLUMNS`."""
    return [*(figures[name].value for name in FIGURES), figures[MAIN].low, figures[MAIN].high]


def _training_sets(parts: Mapping[str, Sequence[RgbImage]], random_state: int) -> dict[str, Sequence[RgbImage]]:
    """The categories, all of them, and an equal number drawn from all."""
    everything = [photo for photos in parts.values() for photo in photos]
    usual = round(len(everything) / len(parts))
    # Against this one the models of single categories tell what their kind is worth; against all
    # photographs together their smaller number would count too.
    chosen = np.random.default_rng(random_state).permutation(len(everything))[:usual]
    return {**parts, ALL_EQUAL: [everything[i] for i in np.sort(chosen)], ALL: everything}


def _measured(models: Mapping[str, Method], test: TrainingSet) -> tuple[EvaluationResult, dict[str, NDArray[np.uint8]]]:
    """Figures of all models, and one of the photographs in the colours of every model."""
    shown = len(test) // 2
    pictures = {"true": np.asarray(test.photos[shown].pixels, np.uint8)}

    def keep(found: Observation) -> None:
        if found.index == shown:
            pictures[found.method] = np.asarray(found.pixels, np.uint8)

    return measure(models, test.photos, names=test.names, observers=[keep]), pictures
