"""The reports of `colorize study`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from colorize._support.statistics import Interval
from colorize.evaluation import plots
from colorize.evaluation.measure import MAIN
from colorize.evaluation.report import page as parts
from colorize.evaluation.report.page import Block, Page, Plot
from colorize.evaluation.study import ALL, GRAY, CategoryStudy, LearningCurve


def category_report(found: CategoryStudy, *, source: str = "photographs") -> str:
    """Show models of one category each, tested on all, as HTML."""
    page = Page("study of categories", f"Does a model of its own kind pay? {source}", _lead(found))
    for method in found.methods:
        page.add(f"Method: {method}", parts.drawn(*category_plots(found, method)), _matrix_table(found, method))
    page.add("One photograph of each category", ("strips", _strips(found)), text="Held out from training, not chosen.")
    page.add("Left out", ("words", found.left_out), text="Sub-folders not used.")
    return page.html()


def _lead(found: CategoryStudy) -> list[str]:
    n_categories = len(found.categories)
    held_out = sum(result.n_photos for result in found.results.values())
    n_photos = held_out + sum(found.training[name] for name in found.categories)
    lines = [
        f"{n_categories} categories; {held_out} of their {n_photos} photographs were held out and never trained on."
    ]
    for method in found.methods:
        matrix, names = found.matrix(method), list(found.training)
        single = matrix[:n_categories]
        lines.append(
            f"{method}: tested on its own category a model scores {np.diag(single).mean():.2f} CIEDE2000 on average, "
            f"on another one {single[~np.eye(n_categories, dtype=bool)].mean():.2f}; a model of everything scores "
            f"{matrix[names.index(ALL)].mean():.2f}, gray {np.mean(found.gray()):.2f}."
        )
    return lines


def category_plots(found: CategoryStudy, method: str) -> Iterator[Plot]:
    """Errors of the models of one method, against gray and against the model of the category itself."""
    against = found.against_own(method)
    faint = np.array([[not cell.excludes(0) for cell in row] for row in against])
    own = np.array([[cell.value for cell in row] for row in against])
    ratio = found.matrix(method) / np.array(found.gray())
    axes = list(found.training), list(found.categories), "rows: trained on; columns: tested on"
    yield (
        "Error against gray",
        "CIEDE2000 divided by that of gray on the same photographs: below 1 it helps.",
        plots.heatmap(ratio, *axes, form="{:.2f}", center=1.0),
    )
    yield (
        "Against the model of the category itself",
        "Paired difference in CIEDE2000; small pale numbers are not told from zero.",
        plots.heatmap(own, *axes, form="{:+z.1f}", center=0.0, faint=faint),
    )


def _matrix_table(found: CategoryStudy, method: str) -> Block:
    rows: list[tuple[str, list[Any]]] = [(GRAY, ["", *(f"{value:.2f}" for value in found.gray())])]
    for (name, n_photos), cells in zip(found.training.items(), found.cells(method), strict=True):
        pairs = zip(cells, found.categories, strict=True)
        shown = [parts.interval_cell(cell, ".2f", best=name == category) for cell, category in pairs]
        rows.append((name, [f"{n_photos}", *shown]))
    known = " with 95 % intervals" if any(cell.known for row in found.cells(method) for cell in row) else ""
    caption = f"CIEDE2000 on held-out photographs{known}; marked: the category's own model"
    return parts.table(caption, ["trained on", "photographs", *found.categories], rows)


def _strips(found: CategoryStudy) -> list[dict[str, Any]]:
    n_pictures = sum(len(shots) for shots in found.pictures.values())
    n_bytes = parts.share_budget({"large": (n_pictures, 1.0)})["large"]
    strips = []
    for category, pictures in found.pictures.items():
        result = found.results[category]
        index = result.n_photos // 2
        errors = {name: f"CIEDE2000 {figures[MAIN][index]:.1f}" for name, figures in result.figures.items()}
        shots = [
            parts.shot(name.replace("classical: ", "trained on "), pixels, n_bytes, errors.get(name, ""))
            for name, pixels in pictures.items()
        ]
        strips.append(parts.strip("", category, result.names[index], shots, pictures["true"].shape))
    return strips


def curve_report(found: LearningCurve, *, source: str = "photographs") -> str:
    """Show how error falls with more photographs and more time, as HTML."""
    page = Page(
        "learning curve",
        f"Would more photographs help? {source}",
        [
            f"Models trained on {parts.joined(map(str, found.sizes))} photographs, "
            f"all measured on the same {found.result.n_photos}.",
            f"The last step changed the error by {parts.signed(found.gains()[-1])}."
            if len(found.sizes) > 1
            else "There is one size only.",
        ],
        footer="Larger sets hold the smaller ones. Intervals are 95 % bootstrap intervals over photographs.",
    )
    page.add("The curve", parts.drawn(*curve_plots(found)))
    page.add("All numbers", _curve_table(found))
    return page.html()


def curve_plots(found: LearningCurve) -> Iterator[Plot]:
    """Error and colourfulness over photographs, time and steps."""

    def over(places: Sequence[float], method: str = "classical", figure: str = MAIN) -> list[tuple[float, Interval]]:
        return list(zip(places, found.points(method, figure), strict=True))

    by_size = {"model": over(found.sizes), "L + height lookup": over(found.sizes, "lookup")}
    by_time = {"model": over([found.seconds[f"classical: {size}"] for size in found.sizes])}
    colorful = {"model": over(found.sizes, figure="colorfulness_ratio")}
    size = "training photographs"
    mean = "Mean over held-out photographs with its 95 % interval."
    yield "More photographs", mean, plots.curves(by_size, size, "CIEDE2000")
    time = "Processor time of training, features included."
    yield "More time", time, plots.curves(by_time, "CPU seconds", "CIEDE2000")
    yield "More colour?", "", plots.curves(colorful, size, "colourfulness, share of true")
    steps = zip(pairwise(found.sizes), found.gains()[1:], strict=True)
    gains = {f"{before} → {after}": [gain] for (before, after), gain in steps}
    if gains:
        figure = plots.intervals(gains, "difference in CIEDE2000", reference=0.0)
        yield "What each step gains", "Paired difference, on the same photographs.", figure


def _curve_table(found: LearningCurve) -> Block:
    rows = []
    for size, spent, error, gain, *numbers in found.rows():
        cells = [f"{spent:.1f}", parts.interval_cell(error, ".2f"), parts.interval_cell(gain, "+z.2f")]
        rows.append((f"{size}", [*cells, *(f"{number:.2f}" for number in numbers)]))
    head = ["photographs", "CPU seconds", "CIEDE2000", "step", "AuC", "colourfulness", "lookup"]
    caption = "The curve in numbers; lookup: CIEDE2000 of the mean colour by lightness and height"
    return parts.table(caption, head, rows)
