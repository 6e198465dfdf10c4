"""Whole evaluations and comparisons: the measuring, the oracles, the realism test, the costs, the pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sklearn.utils.validation import check_is_fitted

from colorize._support.progress import Progress
from colorize._support.statistics import Interval
from colorize._support.tables import write_csv
from colorize.color import to_gray
from colorize.color.metrics import Truth
from colorize.colorizer import Colorizer
from colorize.evaluation.confidence import ConfidenceCheck, ConfidenceObserver
from colorize.evaluation.measure import EvaluationResult, Observer, function_of, measure, only
from colorize.evaluation.methods import NamedMethod, peak_memory, stage_memory
from colorize.evaluation.oracles import ORACLES, with_oracles
from colorize.evaluation.pictures import Gallery
from colorize.evaluation.realism import RealismObserver
from colorize.model import Photo, as_rgb_image
from colorize.recognition.rules import NO_COLOR

__all__ = ["Comparison", "Evaluation", "compare_methods", "evaluate_model"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything that an evaluation found out about one model.

    Attributes
    ----------
    result : EvaluationResult
        Of gray, the simple rules, ``model`` and the oracles.
    vividness : float
    gallery : Gallery
        Pictures of the method ``model``; empty if none were wanted.
    verdicts : mapping of str to Interval
        Share of right answers of the realism test per method; empty with fewer than ten photographs.
    memory : mapping of str to int
        Peak bytes per stage on one photograph.
    model_bytes : int
        Size of the model file; 0 if there is none.
    left_out : mapping of str to str
        Photographs that were not measured, and why.
    confidence : ConfidenceCheck
        Whether the confidence of the method ``model`` means what it says.
    """

    result: EvaluationResult
    vividness: float
    gallery: Gallery
    verdicts: Mapping[str, Interval]
    memory: Mapping[str, int]
    model_bytes: int
    left_out: Mapping[str, str]
    confidence: ConfidenceCheck

    def to_json(self) -> str:
        """All figures, differences, categories, realism, confidence and costs as JSON."""
        result = self.result
        return result.to_json(
            vividness=self.vividness,
            differences_of_model=result.differences("model"),
            categories={
                name: {"n_photos": part.n_photos, "intervals": part.intervals()}
                for name, part in result.categories().items()
            },
            told_from_real=self.verdicts,
            confidence=self.confidence.to_dict(),
            peak_bytes=self.memory,
            model_bytes=self.model_bytes,
            left_out=self.left_out,
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several methods on the same photographs.

    Attributes
    ----------
    result : EvaluationResult
    methods : tuple of NamedMethod
    gallery : Gallery
        Pictures of all methods; empty if none were wanted.
    memory : mapping of str to int
        Peak bytes per method on one photograph.
    verdicts, left_out
        As of `Evaluation`.
    """

    result: EvaluationResult
    methods: tuple[NamedMethod, ...]
    gallery: Gallery
    verdicts: Mapping[str, Interval]
    memory: Mapping[str, int]
    left_out: Mapping[str, str]

    def setting(self) -> str:
        """The vividness that models coloured at, in words; nothing if all methods are simple rules."""
        found = sorted({method.vividness for method in self.methods if method.vividness is not None})
        return f"models at vividness {' and '.join(f'{one:g}' for one in found)}" if found else ""

    def differences(self) -> dict[str, dict[str, dict[str, Interval]]]:
        """Paired differences per first method, second method and figure: that of the first minus that of the second."""
        return {name: self.result.differences(name) for name in self.result.figures}

    def to_csv(self) -> str:
        """The rows of `EvaluationResult.to_csv`; below them, for every pair of methods, mean difference and limits."""
        columns = list(next(iter(self.result.figures.values())))
        names = list(self.result.figures)
        rows = []
        for first, others in self.differences().items():
            for second in names[: names.index(first)]:
                found = [others[second].get(name, Interval(math.nan)) for name in columns]
                for kind, limit in (("difference", "value"), ("difference, low", "low"), ("difference, high", "high")):
                    cells = [getattr(interval, limit) for interval in found]
                    # Every row of a CSV must have as many cells as its head, and differences have no costs.
                    rows.append([kind, "", f"{first} minus {second}", *cells, "", ""])
        return self.result.to_csv() + write_csv(rows)

    def to_json(self) -> str:
        """All figures, differences, realism and costs as JSON."""
        return self.result.to_json(
            differences=self.differences(),
            methods={
                method.name: {name: getattr(method, name) for name in ("description", "n_bytes", "vividness")}
                for method in self.methods
            },
            told_from_real=self.verdicts,
            peak_bytes=self.memory,
            left_out=self.left_out,
        )


def evaluate_model(
    colorizer: Colorizer,
    photos: Sequence[Photo],
    *,
    names: Sequence[str] = (),
    vividness: float = 0.0,
    model_bytes: int = 0,
    left_out: Mapping[str, str] | None = None,
    pictures: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a model beside its baselines and oracles: an `Evaluation`.

    Parameters
    ----------
    colorizer : Colorizer
        Fitted or loaded.
    photos, names, progress
        As of `measure`.
    vividness, model_bytes, left_out
        See `Evaluation`.
    pictures : bool
        Keep small pictures of all results (about 0.5 MB per photograph), for the HTML report.

    Raises
    ------
    DatasetError
        No photographs.
    sklearn.exceptions.NotFittedError
        The model is neither fitted nor loaded.

    See Also
    --------
    compare_methods : Several models or rules side by side.
    colorize.evaluation.importance.importance : What the features of the model are worth.
    """
    check_is_fitted(colorizer, "baselines_")
    # The model comes before its oracles, which go on from the regions that it has just found.
    methods = {"gray": NO_COLOR, **colorizer.baselines_, **with_oracles(colorizer, vividness=vividness)}
    gallery, realism, confidence = Gallery(), RealismObserver(), ConfidenceObserver()
    observers = [only(methods.keys() - ORACLES, realism), only(("model",), confidence)]
    observers += [only(("model",), gallery)] if pictures else []
    result = measure(methods, photos, names=names, observers=observers, progress=progress)
    # One photograph alone: tracing every allocation is slow, and the sizes hardly differ.
    memory = stage_memory(colorizer, to_gray(as_rgb_image(next(iter(photos)))))
    verdicts, check = realism.verdicts(), confidence.check()
    return Evaluation(result, vividness, gallery, verdicts, memory, model_bytes, left_out or {}, check)


def compare_methods(
    methods: Sequence[NamedMethod],
    photos: Sequence[Photo],
    *,
    names: Sequence[str] = (),
    has_truth: Sequence[bool] = (),
    left_out: Mapping[str, str] | None = None,
    pictures: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Let several methods colour the same photographs, and measure where the truth is known: a `Comparison`.

    Parameters
    ----------
    methods : sequence of NamedMethod
        `colorize.evaluation.methods.make_methods` knows them by their names.
    photos, names, has_truth, progress
        As of `measure`.
    left_out, pictures
        As of `evaluate_model`.
    """
    gallery, realism = Gallery(), RealismObserver()
    observers: list[Observer] = [realism, gallery] if pictures else [realism]
    table = {method.name: method.method for method in methods}
    result = measure(table, photos, names=names, has_truth=has_truth, observers=observers, progress=progress)
    first = as_rgb_image(next(iter(photos)))
    seen = to_gray(first), Truth(first.pixels)
    memory = {method.name: peak_memory(function_of(method.name, method.method), *seen) for method in methods}
    return Comparison(result, tuple(methods), gallery, realism.verdicts(), memory, left_out or {})
