"""Several colorizers on the same photographs: their colours taken away, put back, and measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from colorize._support.progress import Progress, silent, telling
from colorize._support.statistics import Bootstrap, Interval
from colorize._support.tables import aligned, write_csv, write_json
from colorize.color import lab_to_rgb, to_gray
from colorize.color.metrics import Truth, colorfulness
from colorize.exceptions import DatasetError
from colorize.model import Photo, as_rgb_image, check_several
from colorize.types import Colorization, ColorizedPhoto, Float32, GrayImage, RgbImage

__all__ = ["FIGURES", "EvaluationResult", "Figure", "Observation", "WithTruth", "measure", "only"]

Prediction = RgbImage | Colorization | ColorizedPhoto | Float32
Columns = Mapping[str, NDArray[np.float64]]

FEW_PHOTOS = 10
"""A category with fewer photographs is too small for a table of its own to say much; reports mark it."""


@dataclass(frozen=True)
class Figure:
    """A quality figure as tables show it.

    Attributes
    ----------
    title : str
    form : str
        Format of the number.
    better : int
        -1 if smaller is better, 1 if larger is, 0 if neither (nearest to that of the truth).
    meaning : str
        One sentence for a reader who has never met it.
    """

    title: str
    form: str
    better: int
    meaning: str


FIGURES: dict[str, Figure] = {
    "ciede2000": Figure(
        "CIEDE2000", ".2f", -1, "Mean colour difference as the eye weighs it; 1 is just visible to a trained eye."
    ),
    "ab_l2": Figure("ab-L2", ".2f", -1, "Mean distance from the true colour in the a*b* plane."),
    "auc": Figure(
        "AuC",
        ".2f",
        1,
        "Share of pixels within a threshold of ab error, averaged over thresholds 0 to 150, in percent.",
    ),
    "auc_rebalanced": Figure("AuC reb.", ".2f", 1, "The same with every colour counting alike, however rare."),
    "psnr_rgb": Figure("PSNR RGB", ".2f", 1, "Peak signal-to-noise ratio over sRGB, in dB."),
    "psnr_ab": Figure("PSNR ab", ".2f", 1, "Peak signal-to-noise ratio over a* and b*, in dB."),
    "ssim": Figure("SSIM", ".3f", 1, "Structural similarity; lightness is given, so all methods score high."),
    "colorfulness_ratio": Figure(
        "colourfulness", ".2f", 0, "Colourfulness of the results divided by that of the true photographs."
    ),
}
"""The columns of the quality protocol, in order."""

RATIO = "colorfulness_ratio"
"""The figure that whole sets have, and no single photograph."""

_UNKNOWN = {name: math.nan for name in (*FIGURES, "colorfulness", "true_colorfulness") if name != RATIO}

MAIN = "ciede2000"
"""The figure that reports put first."""


class Predictor(Protocol):
    """Anything with `predict`, such as a fitted `Colorizer`."""

    def predict(self, gray: GrayImage) -> Colorization:
        """Return the colorized photograph."""


@dataclass(frozen=True)
class WithTruth:
    """A method that may look at the true photograph, to show what an ideal part would reach.

    Its function takes the `GrayImage` and the `Truth`, and gives back what any method does.
    """

    function: Callable[[GrayImage, Truth], Prediction]


Method = Callable[[GrayImage], Prediction] | Predictor | WithTruth


@dataclass(frozen=True, eq=False)
class Observation:
    """One method's answer for one photograph, handed to observers while a comparison runs.

    Attributes
    ----------
    index : int
        Number of the photograph.
    method : str
    photo, gray : RgbImage, GrayImage
        The photograph, true if `has_truth`, and what the method got of it.
    prediction : RgbImage, Colorization or ndarray
        The answer as it was given.
    pixels : ndarray, shape (H, W, 3)
        The answer as sRGB.
    has_truth : bool
    """

    index: int
    method: str
    photo: RgbImage
    gray: GrayImage
    prediction: Prediction
    pixels: NDArray[Any]
    has_truth: bool


Observer = Callable[[Observation], None]


def only(methods: Collection[str], observe: Observer) -> Observer:
    """An observer that hears of some methods and not of the others."""
    return lambda seen: observe(seen) if seen.method in methods else None


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """Quality figures of several methods, photograph by photograph.

    Attributes
    ----------
    figures : mapping of str to mapping of str to ndarray, shape (n_photos,), float64
        Per method and figure of `colorize.color.metrics.Truth.figures`, one number per photograph, in their order; NaN
        where there is none (SSIM of tiny photographs, errors of photographs without truth).
    names : tuple of str
        Names of the photographs; those in folders belong to the category of their first folder.
    costs : mapping of str to mapping of str to ndarray, shape (n_photos,), float64
        Per method: ``seconds`` (wall), ``cpu_seconds``, and for models one column ``stage: NAME`` per stage (wall).
    """

    figures: Mapping[str, Columns]
    names: tuple[str, ...] = ()
    costs: Mapping[str, Columns] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in (self.figures, self.costs):
            for values in (values for columns in table.values() for values in columns.values()):
                # Intervals and tables are computed from these when asked for, and must stay of one piece.
                values.flags.writeable = False
        if not self.names:
            object.__setattr__(self, "names", tuple(f"photo {i + 1}" for i in range(self.n_photos)))

    @property
    def n_photos(self) -> int:
        """Number of photographs measured."""
        return len(next(iter(next(iter(self.figures.values())).values())))

    @property
    def n_measured(self) -> int:
        """Number of photographs whose truth is known."""
        return int(np.count_nonzero(~np.isnan(next(iter(self.figures.values()))[MAIN])))

    @property
    def folders(self) -> NDArray[np.str_]:
        """First-level folder of every photograph; empty where all have the same."""
        found = [name.partition("/")[0] if "/" in name else "(folder itself)" for name in self.names]
        return np.array(found if len(set(found)) > 1 else [""] * len(found))

    def categories(self) -> dict[str, EvaluationResult]:
        """The photographs of every first-level folder by themselves; empty if there are fewer than two folders."""
        folders = self.folders
        return {str(folder): self._part(folders == folder) for folder in np.unique(folders) if folder}

    def _part(self, chosen: NDArray[np.bool_]) -> EvaluationResult:
        figures, costs = (
            {method: {name: values[chosen] for name, values in columns.items()} for method, columns in table.items()}
            for table in (self.figures, self.costs)
        )
        return EvaluationResult(figures, tuple(compress(self.names, chosen)), costs)

    def means(self) -> dict[str, dict[str, float]]:
        """Means over photographs per method and figure; photographs without a figure are left out of its mean.

        ``colorfulness_ratio`` is the mean colourfulness of the results divided by that of the true photographs.
        """
        return {
            method: {name: _mean(*_parts(columns, name)) for name in (*columns, RATIO)}
            for method, columns in self.figures.items()
        }

    def intervals(self) -> dict[str, dict[str, Interval]]:
        """Means with 95 % bootstrap intervals over photographs, per method and figure of `FIGURES`."""
        bootstrap = Bootstrap(self.n_photos)
        return {
            method: {name: bootstrap.ratio(*_parts(columns, name)) for name in FIGURES}
            for method, columns in self.figures.items()
        }

    def differences(self, method: str) -> dict[str, dict[str, Interval]]:
        """Paired differences per other method and figure: that of `method` minus that of the other, same resamples."""
        bootstrap = Bootstrap(self.n_photos)
        return {
            other: {name: bootstrap.ratio(*_parts(self.figures[method], name, columns)) for name in FIGURES}
            for other, columns in self.figures.items()
            if other != method
        }

    def order(self, method: str) -> list[int]:
        """Photographs from worst to best by the CIEDE2000 of one method; those without it come last."""
        # NaN is sorted to the end.
        return np.argsort(-self.figures[method][MAIN], kind="stable").tolist()

    def table(self) -> str:
        """Lay the means out as text, one line per method."""
        rows = [["", *(figure.title for figure in FIGURES.values())]]
        for method, means in self.means().items():
            rows.append([method, *(format(means[name], figure.form) for name, figure in FIGURES.items())])
        lines = aligned(rows, 9)
        lines.append(f"means over {self.n_measured} photographs; colourfulness as a share of the true one")
        return "\n".join(lines)

    def to_json(self, **more: Any) -> str:
        """Write means, intervals, single figures and `more` as JSON; a figure that does not exist is null."""
        content = {
            "n_photos": self.n_photos,
            "means": self.means(),
            "intervals": {
                method: {name: [interval.low, interval.high] for name, interval in row.items()}
                for method, row in self.intervals().items()
            },
            "photos": self.figures,
            "names": self.names,
            "costs": self.costs,
        }
        return write_json(content | more)

    def to_csv(self) -> str:
        """Write one row per photograph and method: name, category, the figures, seconds."""
        names = list(next(iter(self.figures.values())))
        costs = [name for name in ("seconds", "cpu_seconds") if self.costs]
        rows: list[list[Any]] = [["photo", "category", "method", *names, *costs]]
        for method, figures in self.figures.items():
            numbers = [figures[name] for name in names] + [self.costs[method][name] for name in costs]
            for name, folder, *row in zip(self.names, self.folders.tolist(), *numbers, strict=True):
                rows.append([name, folder, method, *row])
        return write_csv(rows)


def measure(
    methods: Mapping[str, Method],
    photos: Sequence[Photo],
    *,
    names: Sequence[str] = (),
    has_truth: Sequence[bool] = (),
    observers: Sequence[Observer] = (),
    progress: Progress | None = None,
) -> EvaluationResult:
    """Let methods colorize the lightness of true photographs, and measure how near they come: an `EvaluationResult`.

    Parameters
    ----------
    methods : mapping of str to method
        A method is a function of a `GrayImage`, an object with `predict`, or `WithTruth`. It gives back an `RgbImage`,
        a `Colorization`, or a* and b* as an array of shape (H, W, 2). The colour errors of the last two are taken
        before gamut mapping, those of the first after it, which is a little kinder.
    photos : sequence of RgbImage or ndarray of shape (H, W, 3)
        True colour photographs.
    names : sequence of str, optional
        One per photograph; ``folder/name`` puts it in a category.
    has_truth : sequence of bool, optional
        False for photographs that are gray themselves: their results are looked at, not measured.
    observers : sequence of callable
        Called with an `Observation` after every prediction, outside the time that is measured.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Raises
    ------
    DatasetError
        No photographs.
    ValueError
        No methods, or names or truths of another number than the photographs.
    TypeError
        A method is none of the three kinds, or gives back something else.

    See Also
    --------
    colorize.evaluation.run.evaluate_model : A model beside its baselines and oracles.
    colorize.color.metrics.Truth : Where the figures come from.

    Examples
    --------
    >>> from colorize.recognition.rules import NO_COLOR
    >>> photo = RgbImage(np.full((8, 8, 3), (60, 90, 160), np.uint8))
    >>> round(measure({"gray": NO_COLOR}, [photo]).means()["gray"]["ab_l2"])
    43
    """
    if not isinstance(methods, Mapping):
        raise TypeError(f"methods must be a mapping, such as {{'mine': model}}, got {type(methods).__name__}")
    if not methods:
        raise ValueError("methods must name at least one method to measure")
    functions = {name: function_of(name, method) for name, method in methods.items()}
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in functions}
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in functions}
    check_several(photos)
    if not len(photos):
        raise DatasetError("there are no photographs to measure with")
    if names and len(names) != len(photos):
        raise ValueError(f"names must be as many as the photographs, {len(photos)}, got {len(names)}")
    if len(has_truth) not in (0, len(photos)):
        raise ValueError(f"has_truth must be as many as the photographs, {len(photos)}, got {len(has_truth)}")
    # Photographs outside, methods inside: what belongs to a photograph (its truth in CIELAB, the
    # regions of the oracles) is made once, and let go before the next.
    for index, item in enumerate(telling(progress or silent, "measuring", photos)):
        photo = as_rgb_image(item, index)
        gray = to_gray(photo)
        truth = Truth(photo.pixels)
        is_true = not len(has_truth) or bool(has_truth[index])
        for name, function in functions.items():
            # Both clocks: wall time is what a person waits, processor time hardly changes with other work.
            start, cpu = time.perf_counter(), time.process_time()
            prediction = function(gray, truth)
            spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
            timings = getattr(prediction, "timings", {})  # of models alone
            pixels, ab = _colors(name, prediction, gray)
            known = truth.figures(pixels, ab) if is_true else {"colorfulness": colorfulness(pixels)}
            figures[name].append(_UNKNOWN | known)
            costs[name].append(spent | {f"stage: {stage}": seconds for stage, seconds in timings.items()})
            for observe in observers:
                observe(Observation(index, name, photo, gray, prediction, pixels, is_true))
    tables = ({name: _columns(rows) for name, rows in table.items()} for table in (figures, costs))
    return EvaluationResult(next(tables), tuple(names), next(tables))


def function_of(name: str, method: Method) -> Callable[[GrayImage, Truth], Prediction]:
    """What a method does, as a function of the gray photograph and the truth, at which few look."""
    if isinstance(method, WithTruth):
        return method.function
    function = getattr(method, "predict", method)
    if not callable(function):
        raise TypeError(f"method {name!r} must be a function or have predict, got {type(method).__name__}")
    return lambda gray, _truth: function(gray)


def _colors(name: str, prediction: Prediction, gray: GrayImage) -> tuple[NDArray[Any], Float32 | None]:
    """What a method gave back: sRGB pixels, shape (H, W, 3), and the ab that they were made of, if it told."""
    if isinstance(prediction, RgbImage):
        return prediction.pixels, None
    if isinstance(prediction, (Colorization, ColorizedPhoto)):
        return prediction.image.pixels, prediction.ab
    if isinstance(prediction, np.ndarray):
        return lab_to_rgb(gray.lightness, prediction, bit_depth=gray.bit_depth), prediction
    raise TypeError(
        f"method {name!r} must give an RgbImage, a Colorization or an array of ab, got {type(prediction).__name__}"
    )


def _columns(rows: Sequence[Mapping[str, float]]) -> Columns:
    return {name: np.array([row.get(name, math.nan) for row in rows]) for name in rows[0]}


def _parts(
    columns: Columns, name: str, other: Columns | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numerator and denominator of a mean figure, or of its difference from another method's, per photograph."""
    # A ratio of sums, not a mean of ratios: a nearly gray photograph
    # would divide by almost 0, and be all that the mean tells.
    top = "colorfulness" if name == RATIO else name
    values = columns[top] if other is None else columns[top] - other[top]
    bottom = columns["true_colorfulness"] if name == RATIO else np.ones_like(values)
    # 0 on both sides where the figure is not known: resamples keep their size, and neither sum changes.
    known = ~np.isnan(values + bottom)
    return np.where(known, values, 0), np.where(known, bottom, 0)


def _mean(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> float:
    return float(top.sum() / bottom.sum()) if bottom.sum() else math.nan
