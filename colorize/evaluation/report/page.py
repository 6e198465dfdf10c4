"""Parts that all reports are made of: the page, its tables, plots and words for numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from colorize import __version__
from colorize._optional import import_or_raise
from colorize.color import lab_to_rgb
from colorize.evaluation import plots
from colorize.evaluation.compare import FIGURES, EvaluationResult
from colorize.evaluation.oracles import ORACLES
from colorize.evaluation.statistics import Interval

PICTURE_BYTES = 2_350_000
"""For all pictures of a report together, as text; plots and words take a few hundred kilobytes more."""

N_WORST = 12
N_BEST = 6
N_LISTED = 100
MAIN = "ciede2000"
LICENCE_NOTE = "The photographs in this page belong to their owners: mind their licences before you pass the page on."


def check_installed() -> None:
    """Make sure that reports can be written, before the work that they are about.

    Raises
    ------
    MissingDependencyError
        jinja2 or matplotlib is not installed; the message names the extra.
    """
    for module in ("jinja2", "matplotlib"):
        import_or_raise(module, extra="report")


def render(template: str, **content: Any) -> str:
    """Fill a template."""
    jinja2 = import_or_raise("jinja2", extra="report")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("colorize.evaluation.report"),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return str(environment.get_template(template).render(version=__version__, **content)) + "\n"


def part(
    name: str,
    title: str,
    text: Sequence[str],
    *,
    plots: Sequence[Any] = (),
    tables: Sequence[Any] = (),
    strips: Sequence[Any] = (),
) -> dict[str, Any]:
    """A section of a page of plots."""
    return {"id": name, "title": title, "text": text, "plots": plots, "tables": tables, "strips": strips}


def plot(title: str, text: str, figure: Any) -> dict[str, str]:
    """A plot with its title and a line of text."""
    return {"title": title, "text": text, "svg": plots.to_svg(figure, title)}


def fact(name: str, value: str, note: str) -> dict[str, str]:
    """One of the large numbers at the top."""
    return {"name": name, "value": value, "note": note}


def figure_table(result: EvaluationResult) -> dict[str, Any]:
    """All figures of all methods, the best of each marked."""
    intervals = result.intervals()
    best = {name: _best(intervals, name) for name in FIGURES}
    rows = []
    for method, row in intervals.items():
        cells = [
            interval_cell(row[name], figure.form) | {"best": best[name] == method} for name, figure in FIGURES.items()
        ]
        rows.append({"name": method, "cells": cells, "strong": method == "model"})
    return {
        "caption": f"Means over {result.n_measured} photographs with 95 % intervals; ▸ best without knowing the truth",
        "head": ["method", *(figure.title + {-1: " ↓", 1: " ↑", 0: ""}[figure.better] for figure in FIGURES.values())],
        "rows": rows,
    }


def _best(intervals: Mapping[str, Mapping[str, Interval]], name: str) -> str | None:
    figure = FIGURES[name]
    values = {
        method: row[name].value
        for method, row in intervals.items()
        if method not in ORACLES and np.isfinite(row[name].value)
    }
    if not values or len(values) < 2:
        return None
    if not figure.better:
        return min(values, key=lambda method: abs(values[method] - 1))
    return max(values, key=lambda method: figure.better * values[method])


def cell(value: str, *, text: bool = False) -> dict[str, Any]:
    """A cell of a table: a number, or words that may wrap."""
    return {"value": value, "text": text}


def interval_cell(interval: Interval, form: str) -> dict[str, Any]:
    """A cell with an estimate and, small, its interval."""
    if math.isnan(interval.value):
        return {"value": "–"}
    note = f"{format(interval.low, form)} to {format(interval.high, form)}" if interval.known else ""
    return {"value": format(interval.value, form), "note": note}


def in_words(interval: Interval) -> str:
    """An estimate and its interval in a sentence."""
    return f"{interval.value:.2f}" + (
        f" (95 % interval {interval.low:.2f} to {interval.high:.2f})" if interval.known else ""
    )


def signed(interval: Interval, digits: int = 2) -> str:
    """A difference and its interval, with signs."""
    text = f"{interval.value:+.{digits}f}"
    if interval.known:
        text += f", {interval.low:+.{digits}f} to {interval.high:+.{digits}f}"
    return text.replace("-", "−")


def judged(difference: Interval) -> str:
    """What a difference in error says about the method that comes first."""
    if not difference.known:
        return "(too few to judge) compared with"
    if not difference.excludes(0):
        return "not told apart from"
    return "better than" if difference.value < 0 else "worse than"


def percent(interval: Interval) -> Interval:
    """A share as percent."""
    return Interval(100 * interval.value, 100 * interval.low, 100 * interval.high)


def percents(interval: Interval) -> str:
    """The interval of a share, in brackets."""
    return f"({interval.low:.0%} to {interval.high:.0%})" if interval.known else ""


def file_size(n_bytes: int) -> str:
    """Bytes for people."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} B"


def joined(items: Iterable[str]) -> str:
    """Words with commas and an "and"."""
    words = list(items)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "nothing"


def capital(text: str) -> str:
    """Begin with a capital letter."""
    return text[:1].upper() + text[1:]


def number_of(interval: Interval | None) -> float:
    """The value of an interval; NaN for none."""
    return math.nan if interval is None else interval.value


def is_sure(interval: Interval | None) -> bool:
    """Whether an interval excludes zero."""
    return interval is not None and interval.excludes(0)


def swatch(ab: np.ndarray) -> np.ndarray:
    """Colours to show for ab, shape (n, 3), uint8."""
    return lab_to_rgb(np.full(len(ab), 62, np.float32), ab)
