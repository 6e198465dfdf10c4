"""Plots of the reports, as SVG: small enough for a telephone, side by side on a wide screen.

Each is a `matplotlib.figure.Figure`. Colours are names of CSS variables inside a page, so that a plot follows its dark
or light dress, and plain colours in a file of its own. They are from the palette of Okabe and Ito, told apart without
colour vision; shapes differ as well.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize._support.labels import label_corners
from colorize._support.optional import import_or_raise
from colorize._support.statistics import Interval

__all__ = ["bars", "curves", "heatmap", "intervals", "minus", "ranked_errors", "redundancy", "to_svg", "trade_off"]

WIDTH = 5.2
"""Inches: 374 pixels, the width of a telephone, at which the letters have their natural size."""

# Stand-ins that a page replaces by variables and a file by colours; no plot uses these exact values otherwise.
_PAINT = {
    "#010101": ("ink", "#1d1f21"),
    "#020202": ("muted", "#62666b"),
    "#030303": ("line", "#d9dbdd"),
    "#040404": ("blue", "#0072b2"),
    "#050505": ("orange", "#d55e00"),
    "#060606": ("green", "#009e73"),
    "#070707": ("purple", "#a6559d"),
    "#080808": ("paper", "#ffffff"),
}
INK, MUTED, LINE, BLUE, ORANGE, GREEN, PURPLE, PAPER = _PAINT
SERIES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "D"), (PURPLE, "^"), (MUTED, "v"))
"""Colour and marker of each series of a plot, in order."""

_STYLE: dict[str, Any] = {
    # Letters, not outlines: a report can be searched, and they take the font of the page.
    "svg.fonttype": "none",
    # A name or label may hold dollars, which would be read as mathematics.
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "font.size": 11.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "xtick.bottom": False,
    "ytick.left": False,
    "figure.facecolor": "none",
    "legend.frameon": False,
}

_DASHED: dict[str, Any] = {"color": MUTED, "lw": 1, "dashes": (3, 2)}
_NOTE: dict[str, Any] = {"textcoords": "offset points", "color": MUTED, "fontsize": 10}
_LONGEST_LABEL = 24


@contextmanager
def _style(hash_salt: str | None = None) -> Iterator[None]:
    """Draw under the project's style, whatever the reader's own settings are."""
    # Names of clipping paths are random without a salt, and equal figures would be unequal files.
    style = _STYLE | {"svg.hashsalt": hash_salt}
    with import_or_raise("matplotlib", extra="report").rc_context(style):
        yield


@_style()
def intervals(
    rows: Mapping[str, Sequence[Interval]],
    label: str,
    *,
    series: Sequence[str] = (),
    reference: float | None = None,
    strong: Sequence[str] = (),
    note: str = "",
) -> Any:
    """Draw estimates with their intervals, one line per row, first row on top.

    Parameters
    ----------
    rows : mapping of str to sequence of Interval
        One interval per series; NaN values are left out.
    label : str
        What is measured, and which side is better.
    series : sequence of str
        Names for the legend, if there is more than one.
    reference : float, optional
        A vertical line, such as no difference.
    strong : sequence of str
        Rows to set in bold.
    note : str
        Written beside the reference line.
    """
    n_series = max(len(values) for values in rows.values())
    height = 0.85 + len(rows) * (0.3 + 0.12 * (n_series - 1)) + (0.3 if series else 0)
    figure, axes = _lines(height, rows, label, strong)
    for k, (color, marker) in enumerate(SERIES[:n_series]):
        y = np.arange(len(rows)) + (k - (n_series - 1) / 2) * 0.26
        drawn = [values[k] if k < len(values) else Interval(np.nan) for values in rows.values()]
        low, high = [value.low for value in drawn], [value.high for value in drawn]
        axes.plot([low, high], [y, y], color=color, lw=2, solid_capstyle="round")
        name = series[k] if series else None
        axes.plot([value.value for value in drawn], y, marker, color=color, ms=5.5, label=name, mec=PAPER, mew=0.6)
    if reference is not None:
        axes.axvline(reference, **_DASHED)
        place = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
        axes.annotate(note, (reference, 1), (0, 2), **place, **_NOTE)
    axes.locator_params(axis="x", nbins=5)
    if series:
        _legend(figure, series)
    return figure


@_style()
def trade_off(points: Mapping[str, tuple[float, float]]) -> Any:
    """Draw methods as points in the plane of CIEDE2000 and share of the true colourfulness, each named beside it."""
    figure, axes = _plane(3.6, "CIEDE2000, smaller is better", "colourfulness, share of true")
    for (x, y), (color, marker) in zip(points.values(), cycle(SERIES), strict=False):
        axes.plot(x, y, marker, color=color, ms=8, mec=PAPER, mew=0.8)
    axes.margins(0.12)
    axes.axhline(1.0, **_DASHED)
    note = axes.annotate("the true photographs", (0, 1.0), (2, 3), xycoords=("axes fraction", "data"), **_NOTE)
    _name_points(figure, axes, points, note)
    return figure


@_style()
def ranked_errors(columns: Mapping[str, NDArray[np.float64]], label: str) -> Any:
    """Draw every photograph's figure, photographs in the order of the first method's."""
    figure, axes = _plane(3.2, "photographs, from easy to hard", label, grid="y")
    order = np.argsort(next(iter(columns.values())), kind="stable")
    places = np.arange(1, len(order) + 1)
    for (name, values), (color, marker) in zip(columns.items(), SERIES, strict=False):
        axes.plot(places, values[order], marker, color=color, ms=3.2, label=_short(name), alpha=0.85)
    axes.set_ylim(bottom=0)
    axes.xaxis.get_major_locator().set_params(integer=True)  # there is no photograph 2.5
    _legend(figure, columns)
    return figure


@_style()
def bars(parts: Mapping[str, float], label: str, form: str = "{:z.2f}") -> Any:
    """Draw amounts as horizontal bars with their numbers."""
    figure, axes = _lines(0.8 + 0.32 * len(parts), parts, label)
    values = list(parts.values())
    axes.barh(range(len(values)), values, color=BLUE, height=0.55)
    for place, value in enumerate(values):
        at = max(value, 0), place
        axes.annotate(minus(form.format(value)), at, (4, 0), textcoords="offset points", va="center", fontsize=10.5)
    axes.set_xlim(min(0, *values), max(*values, 1e-9) * 1.18)
    return figure


@_style()
def curves(
    series: Mapping[str, Sequence[tuple[float, Interval]]], x_label: str, y_label: str, *, log: bool = True
) -> Any:
    """Draw figures over an amount, with intervals."""
    figure, axes = _plane(3.4, x_label, y_label)
    for (name, points), (color, marker) in zip(series.items(), SERIES, strict=False):
        x = [place for place, _ in points]
        y = [value.value for _, value in points]
        axes.plot(x, y, marker + "-", color=color, ms=5.5, lw=1.6, label=_short(name), mec=PAPER)
        low, high = ([getattr(v, end) if v.known else v.value for _, v in points] for end in ("low", "high"))
        axes.fill_between(x, low, high, color=color, alpha=0.13, lw=0)
    if log:
        axes.set_xscale("log")
        marks = _far_apart(sorted({place for points in series.values() for place, _ in points}))
        axes.set_xticks(marks, [f"{mark:.3g}" for mark in marks])
        axes.xaxis.minorticks_off()
    _legend(figure, series)
    return figure


@_style()
def heatmap(
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    label: str,
    *,
    form: str = "{:z.1f}",
    center: float | None = None,
    faint: NDArray[np.bool_] | None = None,
    swatches: Sequence[Sequence[tuple[float, float, float]]] = (),
) -> Any:
    """Draw a matrix as coloured cells with their numbers: dark blue low, yellow high, or blue and red around a centre.

    Parameters
    ----------
    values : ndarray, shape (n_rows, n_columns)
    rows, columns, label, form
        Names of the rows and columns, a title, and the format of the numbers.
    center : float, optional
        Value of the middle of a two-sided scale.
    faint : ndarray of bool, optional
        Cells that are not told from the centre; their numbers are set small and pale.
    swatches : sequence of sequence of RGB colours in 0..1
        Drawn beside the row labels.
    """
    matplotlib = import_or_raise("matplotlib", extra="report")
    figure, axes = _lines(1.15 + 0.34 * len(rows), rows)
    # As far to both sides: white is then the centre.
    span = np.abs(values - center).max() if center is not None else 1.0
    low, high = (center - span, center + span) if center is not None else (values.min(), values.max())
    scale = matplotlib.colormaps["RdBu_r" if center is not None else "cividis"]
    normal = (values - low) / max(high - low, 1e-9)
    # About how wide the cells are, in points.
    names = 6.6 * min(_LONGEST_LABEL, max(map(len, rows)))
    cell = (72 * WIDTH - names - 20) / (len(columns) + (0.8 if swatches else 0))
    # A digit is about 0.58 of its height wide: numbers stay inside their cells.
    size = min(9.5, cell / (0.58 * max(len(form.format(value)) for value in values.flat)))
    for (i, j), share in np.ndenumerate(normal):
        color = scale(float(share))
        axes.barh(i, 0.96, 0.92, j - 0.48, color=color, clip_on=False)
        weak = faint is not None and bool(faint[i, j])
        # Luma decides which of the two can be read on either end of the scale.
        text = "#000000" if np.dot(color[:3], (0.299, 0.587, 0.114)) > 0.5 else "#ffffff"
        axes.text(j, i, minus(form.format(values[i, j])), ha="center", va="center", color=text,
                  fontsize=0.8 * size if weak else size, alpha=0.7 if weak else 1)  # fmt: skip
    for place, colors in enumerate(swatches):
        for k, color in enumerate(list(colors)[:4]):
            axes.barh(place, 0.14, 0.6, -0.62 - 0.17 * (k + 1), color=color, clip_on=False)
    axes.grid(False)
    left = -0.55 - (0.17 * min(4, max(map(len, swatches))) + 0.1 if swatches else 0)
    axes.set_xlim(left, len(columns) - 0.5)
    axes.spines["bottom"].set_visible(False)
    angle = {"rotation": 35 if cell > 30 else 60, "rotation_mode": "anchor", "ha": "right", "va": "center"}
    axes.set_xticks(range(len(columns)), [_short(name, 16) for name in columns], color=INK, **angle)
    figure.suptitle(label, x=0.01, ha="left", color=MUTED, fontsize=10)
    return figure


@_style()
def redundancy(shares: NDArray[np.float64], links: NDArray[np.float64], names: Sequence[str], limit: float) -> Any:
    """Draw which family (row) predicts which (column), in percent, and the tree of families that know the same.

    Families that the tree joins below `limit` belong together.
    """
    from scipy.cluster.hierarchy import dendrogram

    tree = dendrogram(links, no_plot=True)
    order = tree["leaves"]
    ordered = [names[i] for i in order]
    figure = heatmap(100 * shares[np.ix_(order, order)], ordered, ordered, "", form="{:.0f}")
    figure.set_layout_engine("none")  # it knows nothing of the tree: inches by hand
    longest = max(map(len, names))
    left, below, cells, tree_height = 0.25 + 0.09 * longest, 0.25 + 0.08 * min(longest, 16), 0.34 * len(names), 0.75
    height = below + cells + tree_height + 0.4
    figure.set_size_inches(WIDTH, height)
    axes = figure.axes[0]
    axes.set_position((left / WIDTH, below / height, 1 - (left + 0.1) / WIDTH, cells / height))
    top = axes.inset_axes((0, 1 + 0.08 / cells, 1, tree_height / cells), sharex=axes)
    for x, y in zip(tree["icoord"], tree["dcoord"], strict=True):
        # SciPy puts the leaves at 5, 15, 25 and so on.
        top.plot((np.array(x) - 5) / 10, y, color=BLUE, lw=1.6)
    top.axhline(limit, **_DASHED)
    top.set_ylim(0, 1.05)
    top.set_axis_off()
    hidden = "joined below the dashed line: they hide each other"
    top.annotate(hidden, (0, 1), (0, 2), xycoords="axes fraction", va="bottom", **_NOTE)
    return figure


def to_svg(figure: Any, title: str, *, standalone: bool = False) -> str:
    """Write a figure as SVG text.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    title : str
        What it shows, for those who hear the page.
    standalone : bool
        True for a file of its own: plain colours on white, with size and XML header. False for a part of a page:
        colours by the variables --ink, --muted, --line, --blue, --orange, --green, --purple and --paper.
    """
    buffer = io.StringIO()
    # Several plots share one page: equal names of clipping paths would cut one plot by another's.
    with _style(hash_salt=title):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    text = buffer.getvalue()
    # Matplotlib names its own fonts in every text; the page has others.
    text = re.sub(r"font: ([^;\"]*?)px [^;\"]*", r"font: \1px var(--font)", text)
    for stand_in, (name, color) in _PAINT.items():
        text = text.replace(stand_in, color if standalone else f"var(--{name})")
    if standalone:
        text = text.replace("var(--font)", "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif")
        return re.sub(r"(<svg [^>]*>)", r'\1<rect width="100%" height="100%" fill="#ffffff"/>', text, count=1)
    body = text[text.index("<svg ") :]
    head, _, rest = body.partition(">")
    # Without width and height: how large a plot is, the page decides.
    view = re.search(r'viewBox="[^"]+"', head)
    rest = re.sub(r"<metadata>.*?</metadata>", "", rest, flags=re.DOTALL)
    return f'<svg {view.group() if view else ""} role="img" aria-label="{escape(title)}">{rest}'


def minus(number: str) -> str:
    """A number with a minus, as the axes have it, for a hyphen: lines break behind those."""
    return number.replace("-", "−")


def _figure(height: float) -> tuple[Any, Any]:
    figures = import_or_raise("matplotlib.figure", extra="report")
    # Not by pyplot, which keeps every figure in memory and looks for a window system.
    figure = figures.Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def _lines(height: float, names: Collection[str], label: str = "", strong: Sequence[str] = ()) -> tuple[Any, Any]:
    """A figure with one named line below the other."""
    figure, axes = _figure(height)
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    for tick, name in zip(axes.get_yticklabels(), names, strict=True):
        tick.set_fontweight("bold" if name in strong else "normal")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(label)
    return figure, axes


def _plane(height: float, x_label: str, y_label: str, *, grid: str = "both") -> tuple[Any, Any]:
    """A figure whose two axes both measure something."""
    figure, axes = _figure(height)
    axes.grid(False)
    axes.grid(True, axis=grid)
    axes.tick_params(axis="y", colors=MUTED)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    return figure, axes


def _legend(figure: Any, names: Iterable[str]) -> None:
    """A legend above the plot, in as many columns as there is room for."""
    names = [_short(name) for name in names]
    n_columns = max(1, min(len(names), int(72 * WIDTH // (6.5 * max(map(len, names)) + 32))))
    figure.legend(loc="outside upper right", ncols=n_columns, fontsize=10.5, handletextpad=0.2, columnspacing=1.2)
    # Further rows of the legend would be taken from the height of the plot.
    figure.set_figheight(figure.get_figheight() + 0.22 * ((len(names) - 1) // n_columns))


def _name_points(figure: Any, axes: Any, points: Mapping[str, tuple[float, float]], note: Any) -> None:
    """Write the name of every point near it, over no other point, name or note, with a line where it is farther off."""
    texts = [axes.text(0, 0, _short(name), transform=axes.transAxes, fontsize=10.5, va="bottom") for name in points]
    figure.draw_without_rendering()  # only now is known how large the axes and the names are
    area, unit = axes.get_window_extent(), figure.dpi / 16  # the radius of a marker
    places = [(area.y1 - y, x - area.x0) for x, y in axes.transData.transform(list(points.values()))]
    sizes = [(box.height, box.width) for box in (text.get_window_extent() for text in texts)]
    box = note.get_window_extent()
    taken = area.y1 - box.y1, box.x0 - area.x0, area.y1 - box.y0, box.x1 - area.x0
    corners = label_corners(places, sizes, (area.height, area.width), unit, [taken])
    for text, point, (row, col), (height, width), (top, left) in zip(
        texts, points.values(), places, sizes, corners, strict=True
    ):
        text.set_position((left / area.width, 1 - (top + height) / area.height))
        near = np.clip(row, top, top + height), np.clip(col, left, left + width)
        if np.hypot(near[0] - row, near[1] - col) > 3 * unit:
            axes.annotate(
                "", point, (near[1] / area.width, 1 - near[0] / area.height), textcoords="axes fraction",
                arrowprops={"arrowstyle": "-", "color": MUTED, "lw": 0.6, "shrinkA": 0, "shrinkB": 4},
            )  # fmt: skip


def _far_apart(marks: Sequence[float]) -> list[float]:
    """Those of the marks of a logarithmic axis whose numbers do not touch, the last one among them."""
    gap = 0.1 * np.log(marks[-1] / marks[0])
    kept = [marks[-1]]
    for mark in marks[-2::-1]:
        if np.log(kept[-1] / mark) >= gap:
            kept.append(mark)
    return kept[::-1]


def _short(name: str, longest: int = _LONGEST_LABEL) -> str:
    if len(name) > longest and " + " in name:
        middle = name.find(" + ", len(name) // 2 - 4)
        return name if middle < 0 else f"{name[:middle]}\n{name[middle + 1 :]}"
    return name if len(name) <= longest else name[: longest - 1] + "…"
