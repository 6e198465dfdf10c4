"""What all reports are made of: a page of sections, its tables, plots and pictures, and words for numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from colorize import __version__
from colorize._support.optional import import_or_raise
from colorize._support.statistics import Interval
from colorize.evaluation import plots
from colorize.evaluation.measure import FIGURES, MAIN, EvaluationResult
from colorize.evaluation.oracles import ORACLES
from colorize.evaluation.pictures import data_uri

PICTURE_BYTES = 2_350_000
"""For all pictures of a report together, as text; plots and words take a few hundred kilobytes more."""

LICENCE_NOTE = "The photographs in this page belong to their owners: mind their licences before you pass the page on."

Block = tuple[str, Any]
"""The macro of `templates/blocks.html` that draws a part of a section, and what it draws; nothing if that is empty."""

Cell = str | dict[str, Any]
"""``value``, and maybe a ``note`` below it, ``best`` and ``text`` (words that may wrap); a string is a value."""

Plot = tuple[str, str, Any]
"""Title, a line of text, and the figure."""


def share_budget(wishes: Mapping[str, tuple[int, float]]) -> dict[str, int]:
    """Bytes for one picture of each kind, by how many there are and how large one should be beside the others."""
    total = sum(count * weight for count, weight in wishes.values())
    # Base64 writes four characters for three bytes (0.75); the rest is for the words around.
    unit = 0.74 * PICTURE_BYTES / max(total, 1e-9)
    # A few photographs must not fill the whole budget: beyond this more bytes show nothing.
    return {kind: int(min(unit, 26_000) * weight) for kind, (_, weight) in wishes.items()}


def check_installed() -> None:
    """Make sure that reports can be written, before the work that they are about.

    Raises
    ------
    MissingDependencyError
        jinja2 or matplotlib is not installed; the message names the extra.
    """
    for module in ("jinja2", "matplotlib"):
        import_or_raise(module, extra="report")


@dataclass
class Page:
    """A page from top to bottom: title, opening lines, facts (name, value, note), warnings, sections of blocks."""

    kind: str
    title: str
    lead: Sequence[str]
    facts: Sequence[tuple[str, str, str]] = ()
    warnings: Iterable[str] = ()
    footer: str = LICENCE_NOTE
    sections: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, *blocks: Block, title: str | None = None, key: str = "", text: str = "") -> None:
        """Append a section, unless none of its blocks has anything to show; `name` stands in the navigation."""
        filled = [block for block in blocks if block[1]]
        key, title = key or name.lower().replace(" ", "-"), name if title is None else title
        if filled:
            self.sections.append({"id": key, "name": name, "title": title, "text": text, "blocks": filled})

    def html(self) -> str:
        """The page as one file."""
        jinja2 = import_or_raise("jinja2", extra="report")
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("colorize.evaluation.report"),
            autoescape=True,
            trim_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        return str(environment.get_template("page.html").render(version=__version__, **vars(self))) + "\n"


def drawn(*items: Plot) -> Block:
    """Plots side by side."""
    return "plots", [(title, text, plots.to_svg(figure, title)) for title, text, figure in items]


def table(
    caption: str, head: Sequence[str], rows: Iterable[tuple[str, Sequence[Cell]]], *, strong: str | None = None
) -> Block:
    """A table; each row has its name and its cells."""
    found = [(name, [{"value": cell} if isinstance(cell, str) else cell for cell in cells]) for name, cells in rows]
    return "table", {"caption": caption, "head": head, "rows": found, "strong": strong} if found else None


def shot(name: str, pixels: np.ndarray, n_bytes: int, note: str = "") -> dict[str, Any]:
    """A picture in a strip, with lines of text below it, divided by commas."""
    return {"name": name, "uri": data_uri(pixels, n_bytes), "note": note, "map": "", "worst": False}


def strip(
    key: str, title: str, note: str, shots: Sequence[Any], shape: Sequence[int], *, pair: bool = False
) -> dict[str, Any]:
    """Pictures of one shape in a row; `pair` lets the reader slide between any two."""
    height, width = shape[:2]
    return {"id": key, "title": title, "note": note, "shots": shots, "width": width, "height": height, "pair": pair}


def figure_table(result: EvaluationResult) -> Block:
    """All figures of all methods, the best of each marked."""
    intervals = result.intervals()
    best = {name: _best(intervals, name) for name in FIGURES}
    arrows = {-1: " ↓", 1: " ↑", 0: ""}
    known = " with 95 % intervals" if any(row[MAIN].known for row in intervals.values()) else ""
    return table(
        f"Means over {result.n_measured} photographs{known}; ▸ best mean without knowing the truth "
        "(of colourfulness, the nearest to 1)",
        ["method", *(figure.title + arrows[figure.better] for figure in FIGURES.values())],
        [
            (method, [interval_cell(row[name], FIGURES[name].form, best=best[name] == method) for name in FIGURES])
            for method, row in intervals.items()
        ],
        strong="model",
    )


def _best(intervals: Mapping[str, Mapping[str, Interval]], name: str) -> str | None:
    better = FIGURES[name].better
    values = {method: row[name].value for method, row in intervals.items() if method not in ORACLES}
    values = {method: better * value if better else -abs(value - 1) for method, value in values.items()}
    finite = {method: value for method, value in values.items() if np.isfinite(value)}
    return max(finite, key=lambda method: finite[method]) if len(finite) > 1 else None


def interval_cell(interval: Interval, form: str, *, best: bool = False) -> Cell:
    """A cell with an estimate and, small, its interval."""
    if math.isnan(interval.value):
        return {"value": "–", "best": best}
    note = f"{interval.low:{form}} to {interval.high:{form}}" if interval.known else ""
    return {"value": plots.minus(f"{interval.value:{form}}"), "note": plots.minus(note), "best": best}


def count(n_photos: int) -> str:
    """So many photographs."""
    return f"{n_photos} photograph{'s' if n_photos > 1 else ''}"


def in_words(interval: Interval) -> str:
    """An estimate and its interval in a sentence."""
    return f"{interval:.2f}".replace("(", "(95 % interval ")


def signed(interval: Interval, digits: int = 2) -> str:
    """A difference and its interval, with signs."""
    return plots.minus(f"{interval:+z.{digits}f}".replace(" (", ", ").removesuffix(")"))


def percent(interval: Interval) -> Interval:
    """A share as percent."""
    return Interval(100 * interval.value, 100 * interval.low, 100 * interval.high)


def file_size(n_bytes: int) -> str:
    """Bytes for people."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} B"


def joined(items: Iterable[str]) -> str:
    """Words with commas and an "and"."""
    *others, last = list(items) or ["nothing"]
    return f"{', '.join(others)} and {last}" if others else last


def capital(text: str) -> str:
    """Begin with a capital letter."""
    return text[:1].upper() + text[1:]


def trade_off(means: Mapping[str, Mapping[str, float]], methods: Iterable[str]) -> Plot:
    """Error against colourfulness."""
    points = {name: (means[name][MAIN], means[name]["colorfulness_ratio"]) for name in methods}
    return (
        "Error and colour together",
        "Low error and brown haze go together: a method must be judged by both.",
        plots.trade_off(points),
    )


def told_apart(verdicts: Mapping[str, Interval], text: str, strong: Sequence[str] = ()) -> Plot:
    """How often a classifier is right about each method."""
    rows = {name: [percent(right)] for name, right in verdicts.items()}
    figure = plots.intervals(rows, "right answers, %", reference=50.0, note="cannot tell", strong=strong)
    return "Can they be told from real photographs?", text, figure
