"""The reports of `colorize study`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from colorize.evaluation import plots
from colorize.evaluation.pictures import data_uri, share_budget
from colorize.evaluation.report.page import (
    LICENCE_NOTE,
    MAIN,
    PICTURE_BYTES,
    cell,
    interval_cell,
    joined,
    part,
    plot,
    render,
    signed,
)
from colorize.evaluation.statistics import Interval
from colorize.evaluation.study import ALL, GRAY, CategoryStudy, LearningCurve


def category_report(found: CategoryStudy, *, source: str = "photographs") -> str:
    """Show models of one category each, tested on all.

    Returns
    -------
    str
        HTML.
    """
    parts = []
    for method in found.methods:
        ratio = found.matrix(method) / np.array(found.gray())
        against = found.against_own(method)
        faint = np.array([[not cell.excludes(0) for cell in row] for row in against])
        own = np.array([[cell.value for cell in row] for row in against])
        trained, tested = list(found.training), list(found.categories)
        axes = "rows: trained on; columns: tested on"
        made = [
            plot(
                "Error against gray",
                "CIEDE2000 divided by that of gray on the same photographs: below 1 it helps.",
                plots.heatmap(ratio, trained, tested, axes, form="{:.2f}", center=1.0),
            ),
            plot(
                "Against the model of the category itself",
                "Paired difference in CIEDE2000; small pale numbers are not told from zero.",
                plots.heatmap(own, trained, tested, axes, form="{:+.1f}", center=0.0, faint=faint),
            ),
        ]
        parts.append(part(f"m-{method}", f"Method: {method}", [], plots=made, tables=[_matrix_table(found, method)]))
    parts.append(
        part(
            "pictures",
            "One photograph of each category",
            ["Held out from training, not chosen."],
            strips=_category_strips(found),
        )
    )
    if found.left_out:
        rows = [{"name": name, "cells": [cell(reason, text=True)]} for name, reason in found.left_out.items()]
        parts.append(
            part(
                "left-out",
                "Left out",
                [],
                tables=[{"caption": "Sub-folders not used", "head": ["sub-folder", "why"], "rows": rows}],
            )
        )
    return render(
        "plots.html",
        kind="study of categories",
        title=f"Does a model of its own kind pay? {source}",
        lead=_category_lead(found),
        facts=[],
        warnings=[],
        sections=[(section["id"], section["title"]) for section in parts],
        parts=parts,
        footer=LICENCE_NOTE,
    )


def _category_lead(found: CategoryStudy) -> list[str]:
    lines = [f"{len(found.categories)} categories; a fifth of each was held out and never trained on."]
    for method in found.methods:
        matrix, names = found.matrix(method), list(found.training)
        own = float(np.mean(np.diag(matrix[: len(found.categories)])))
        others = matrix[: len(found.categories)][~np.eye(len(found.categories), dtype=bool)].mean()
        lines.append(
            f"{method}: tested on its own category a model scores {own:.2f} CIEDE2000 on average, on another one "
            f"{others:.2f}; a model of everything scores {matrix[names.index(ALL)].mean():.2f}, "
            f"gray {np.mean(found.gray()):.2f}."
        )
    return lines


def _matrix_table(found: CategoryStudy, method: str) -> dict[str, Any]:
    rows = [{"name": GRAY, "cells": [cell(""), *(cell(f"{value:.2f}") for value in found.gray())]}]
    for (name, n_photos), cells in zip(found.training.items(), found.cells(method), strict=True):
        shown = [interval_cell(cell, ".2f") for cell in cells]
        for place, category in enumerate(found.categories):
            shown[place]["best"] = name == category
        rows.append({"name": name, "cells": [cell(f"{n_photos}"), *shown]})
    return {"caption": "CIEDE2000 on held-out photographs with 95 % intervals; marked: the category's own model",
            "head": ["trained on", "photographs", *found.categories], "rows": rows}  # fmt: skip


def _category_strips(found: CategoryStudy) -> list[dict[str, Any]]:
    n_pictures = sum(len(shots) for shots in found.pictures.values())
    budget = share_budget(PICTURE_BYTES, {"large": (n_pictures, 1.0)})["large"]
    strips = []
    for category, shots in found.pictures.items():
        result = found.results[category]
        index = result.n_photos // 2
        cells = []
        for name, pixels in shots.items():
            known = name in result.figures
            note = f"CIEDE2000 {result.figures[name][MAIN][index]:.1f}" if known else ""
            cells.append(
                {"name": name.replace("classical: ", "trained on "), "uri": data_uri(pixels, budget), "note": note}
            )
        height, width = shots["true"].shape[:2]
        strips.append(
            {"title": category, "note": result.names[index], "shots": cells, "width": width, "height": height}
        )
    return strips


def curve_report(found: LearningCurve, *, source: str = "photographs") -> str:
    """Show how error falls with more photographs and more time.

    Returns
    -------
    str
        HTML.
    """
    made, table = _curve_plots(found), _curve_table(found)
    last = found.gains()[-1]
    verdict = f"The last step changed the error by {signed(last)}" if last.known else "There is one size only"
    return render(
        "plots.html",
        kind="learning curve",
        title=f"Would more photographs help? {source}",
        lead=[
            f"Models trained on {joined(map(str, found.sizes))} photographs, "
            f"all measured on the same {found.result.n_photos}.",
            f"{verdict}.",
        ],
        facts=[],
        warnings=[],
        sections=[("curve", "The curve"), ("numbers", "All numbers")],
        parts=[part("curve", "The curve", [], plots=made), part("numbers", "All numbers", [], tables=[table])],
        footer="Larger sets hold the smaller ones. Intervals are 95 % bootstrap intervals over photographs.",
    )


def _curve_plots(found: LearningCurve) -> list[dict[str, str]]:
    points, lookup = found.points(), found.points("lookup")
    seconds = [found.seconds[f"classical: {size}"] for size in found.sizes]
    by_size = {"model": _pairs(found.sizes, points), "L + height lookup": _pairs(found.sizes, lookup)}
    colorful = {"model": _pairs(found.sizes, found.points("classical", "colorfulness_ratio"))}
    made = [
        plot(
            "More photographs",
            "Mean over held-out photographs with its 95 % interval.",
            plots.curves(by_size, "training photographs", "CIEDE2000"),
        ),
        plot(
            "More time",
            "Processor time of training, features included.",
            plots.curves({"model": _pairs(seconds, points)}, "CPU seconds", "CIEDE2000"),
        ),
        plot("More colour?", "", plots.curves(colorful, "training photographs", "colourfulness, share of true")),
    ]
    steps = zip(pairwise(found.sizes), found.gains()[1:], strict=True)
    gains = {f"{before} → {after}": [gain] for (before, after), gain in steps}
    if gains:
        figure = plots.intervals(gains, "difference in CIEDE2000", reference=0.0)
        made.append(plot("What each step gains", "Paired difference, on the same photographs.", figure))
    return made


def _curve_table(found: LearningCurve) -> dict[str, Any]:
    rows = []
    for size, error, gain in zip(found.sizes, found.points(), found.gains(), strict=True):
        name = f"classical: {size}"
        means = found.result.means()[name]
        cells = [
            cell(f"{found.seconds[name]:.1f}"),
            interval_cell(error, ".2f"),
            interval_cell(gain, "+.2f"),
            cell(f"{means['auc']:.2f}"),
            cell(f"{means['colorfulness_ratio']:.2f}"),
        ]
        rows.append({"name": f"{size}", "cells": cells})
    head = ["photographs", "CPU seconds", "CIEDE2000", "step", "AuC", "colourfulness"]
    return {"caption": "The curve in numbers", "head": head, "rows": rows}


def _pairs(places: Sequence[float], values: Sequence[Interval]) -> list[tuple[float, Interval]]:
    return list(zip(places, values, strict=True))
