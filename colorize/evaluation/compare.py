"""Several colorizers on the same photographs: their colours taken away, put back, and measured."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from colorize.color import to_gray
from colorize.exceptions import DatasetError
from colorize.metrics import photo_metrics
from colorize.types import Colorization, Float32, GrayImage, RgbImage

__all__ = ["EvaluationResult", "evaluate"]

Prediction = RgbImage | Colorization | Float32
Progress = Callable[[str, int, int], None]

_COLUMNS = {
    "ciede2000": ("CIEDE2000", ".2f"),
    "ab_l2": ("ab-L2", ".2f"),
    "auc": ("AuC", ".2f"),
    "auc_rebalanced": ("AuC reb.", ".2f"),
    "psnr_rgb": ("PSNR RGB", ".2f"),
    "psnr_ab": ("PSNR ab", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "colorfulness_ratio": ("colourfulness", ".2f"),
}


class Baseline(Protocol):
    """Anything with `predict_ab`, such as the rules of `colorize.evaluation.baselines`."""

    def predict_ab(self, gray: GrayImage) -> Float32:
        """Return a* and b*, shape (H, W, 2)."""


class Predictor(Protocol):
    """Anything with `predict`, such as a fitted `Colorizer`."""

    def predict(self, gray: GrayImage) -> Colorization:
        """Return the colorized photograph."""


Method = Callable[[GrayImage], Prediction] | Baseline | Predictor


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """Quality figures of several methods, photograph by photograph.

    Attributes
    ----------
    figures : mapping of str to mapping of str to ndarray, shape (n_photos,), float64
        Per method and figure of `colorize.metrics.photo_metrics`, one number per photograph, in their order.
    """

    figures: Mapping[str, Mapping[str, NDArray[np.float64]]]

    def __post_init__(self) -> None:
        frozen = {method: MappingProxyType(dict(columns)) for method, columns in self.figures.items()}
        for columns in frozen.values():
            for values in columns.values():
                values.flags.writeable = False
        object.__setattr__(self, "figures", MappingProxyType(frozen))

    @property
    def n_photos(self) -> int:
        """Number of photographs measured."""
        return len(next(iter(next(iter(self.figures.values())).values())))

    def means(self) -> dict[str, dict[str, float]]:
        """Average every figure over the photographs.

        Returns
        -------
        dict of str to dict of str to float
            Per method; ``colorfulness_ratio`` is the mean colourfulness of the results divided by that of the true
            photographs. Photographs without a figure (SSIM of tiny ones) are left out of its mean.
        """
        return {method: _with_ratio(columns) for method, columns in self.figures.items()}

    def table(self) -> str:
        """Lay the means out as text, one line per method."""
        means = self.means()
        width = max(map(len, means))
        titles = [title for title, _ in _COLUMNS.values()]
        lines = [" " * width + "".join(f"  {title:>9}" for title in titles)]
        for method, row in means.items():
            numbers = (f"  {row[name]:>{max(9, len(title))}{form}}" for name, (title, form) in _COLUMNS.items())
            lines.append(f"{method:<{width}}" + "".join(numbers))
        lines.append(f"means over {self.n_photos} photographs; colourfulness as a share of the true one")
        return "\n".join(lines)

    def to_json(self) -> str:
        """Write means and single figures as JSON; a figure that does not exist is null."""
        content = {
            "n_photos": self.n_photos,
            "means": {
                method: {name: _number(value) for name, value in row.items()} for method, row in self.means().items()
            },
            "photos": {
                method: {name: [_number(value) for value in values] for name, values in columns.items()}
                for method, columns in self.figures.items()
            },
        }
        return json.dumps(content, indent=1, allow_nan=False)


def evaluate(
    methods: Mapping[str, Method], photos: Iterable[RgbImage], *, progress: Progress | None = None
) -> EvaluationResult:
    """Let methods colorize the lightness of true photographs, and measure how near they come.

    Parameters
    ----------
    methods : mapping of str to method
        A method is a function of a `GrayImage`, or an object with `predict` or `predict_ab`. It gives back an
        `RgbImage`, a `Colorization`, or a* and b* as an array of shape (H, W, 2). The colour errors of the last two are
        taken before gamut mapping, those of the first after it, which is a little kinder.
    photos : iterable of RgbImage
        True colour photographs.
    progress : callable, optional
        Called as ``progress(stage, done, total)``; total is 0 where `photos` has no length.

    Returns
    -------
    EvaluationResult

    Raises
    ------
    DatasetError
        No photographs.
    ValueError
        No methods.
    TypeError
        A method is none of the three kinds, or gives back something else.

    Examples
    --------
    >>> from colorize.evaluation.baselines import GrayBaseline
    >>> photo = RgbImage(np.full((8, 8, 3), (60, 90, 160), np.uint8))
    >>> round(evaluate({"gray": GrayBaseline()}, [photo]).means()["gray"]["ab_l2"])
    43
    """
    if not methods:
        raise ValueError("methods must name at least one method to measure")
    functions = {name: _function_of(name, method) for name, method in methods.items()}
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in functions}
    total = len(photos) if isinstance(photos, Sized) else 0
    for done, photo in enumerate(photos):
        if progress:
            progress("measuring", done, total)
        gray = to_gray(photo)
        for name, function in functions.items():
            rows[name].append(_figures(name, photo, function(gray)))
    n_photos = len(rows[next(iter(rows))])
    if not n_photos:
        raise DatasetError("there are no photographs to measure with")
    if progress:
        progress("measuring", n_photos, n_photos)
    return EvaluationResult({name: _columns(figures) for name, figures in rows.items()})


def _function_of(name: str, method: Method) -> Callable[[GrayImage], Prediction]:
    for attribute in ("predict", "predict_ab"):
        function = getattr(method, attribute, None)
        if callable(function):
            return function
    if callable(method):
        return method
    raise TypeError(f"method {name!r} must be a function or have predict or predict_ab, got {type(method).__name__}")


def _figures(name: str, photo: RgbImage, prediction: Prediction) -> dict[str, float]:
    if isinstance(prediction, RgbImage):
        return photo_metrics(photo.pixels, prediction.pixels)
    ab = prediction.ab if isinstance(prediction, Colorization) else prediction
    if not isinstance(ab, np.ndarray):
        raise TypeError(
            f"method {name!r} must give an RgbImage, a Colorization or an array of ab, got {type(ab).__name__}"
        )
    return photo_metrics(photo.pixels, predicted_ab=ab)


def _columns(figures: list[dict[str, float]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array([row[name] for row in figures]) for name in figures[0]}


def _with_ratio(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    means = {}
    for name, values in columns.items():
        known = values[~np.isnan(values)]
        means[name] = float(known.mean()) if len(known) else math.nan
    true = means["true_colorfulness"]
    means["colorfulness_ratio"] = means["colorfulness"] / true if true else math.nan
    return means


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
