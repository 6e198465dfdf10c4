"""The reports of `colorize study`."""

from __future__ import annotations

import math
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
from colorize.evaluation.study import GRAY, CategoryStudy, LearningCurve


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
        made = [
            plot("Error against gray", "CIEDE2000 divided by that of gray on the same photographs: below 1 it helps.",
                  plots.heatmap(ratio, trained, tested, "rows: trained on; columns: tested on", form="{:.2f}")),
            plot("Against the model of the category itself", "Paired difference in CIEDE2000; small pale numbers are not told from zero.",
                  plots.heatmap(own, trained, tested, "rows: trained on; columns: tested on", form="{:+.1f}", center=0.0, faint=faint)),
        ]  # fmt: skip
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
        rows = [{"name": name, "cells": [cell(reason)]} for name, reason in found.left_out.items()]
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
        sections=[(part["id"], part["title"]) for part in parts],
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
            f"{method}: a model tested on its own category scores {own:.2f} CIEDE2000 on average, on another category "
            f"{others:.2f}, one trained on everything {matrix[names.index('all together')].mean():.2f}; gray {np.mean(found.gray()):.2f}."
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
    points, lookup = found.points(), found.points("lookup")
    seconds = [found.seconds[f"classical: {size}"] for size in found.sizes]
    colorful = found.points("classical", "colorfulness_ratio")
    made = [
        plot("More photographs", "Mean over held-out photographs with its 95 % interval.",
              plots.curves({"model": list(zip(found.sizes, points, strict=True)), "L + height lookup": list(zip(found.sizes, lookup, strict=True))},
                           "training photographs", "CIEDE2000")),
        plot("More time", "Processor time of training, features included.",
              plots.curves({"model": list(zip(seconds, points, strict=True))}, "CPU seconds", "CIEDE2000")),
        plot("More colour?", "",
              plots.curves({"model": list(zip(found.sizes, colorful, strict=True))}, "training photographs", "colourfulness, share of true")),
        plot("What each step gains", "Paired difference from the size before, on the same photographs.",
              plots.intervals({f"{a} → {b}": [gain] for a, b, gain in zip(found.sizes, found.sizes[1:], found.gains()[1:], strict=False)} or {"–": [Interval(math.nan)]},
                              "difference in CIEDE2000", reference=0.0)),
    ]  # fmt: skip
    rows = []
    for size, error, gain in zip(found.sizes, points, found.gains(), strict=True):
        means = found.result.means()[f"classical: {size}"]
        cells = [cell(f"{found.seconds[f'classical: {size}']:.1f}"), interval_cell(error, ".2f"), interval_cell(gain, "+.2f"),
                 cell(f"{means['auc']:.2f}"), cell(f"{means['colorfulness_ratio']:.2f}")]  # fmt: skip
        rows.append({"name": f"{size}", "cells": cells})
    table = {
        "caption": "The curve in numbers",
        "head": ["photographs", "CPU seconds", "CIEDE2000", "step", "AuC", "colourfulness"],
        "rows": rows,
    }
    last = found.gains()[-1]
    verdict = f"The last step changed the error by {signed(last)}" if last.known else "There is one size only"
    return render(
        "plots.html",
        kind="learning curve",
        title=f"Would more photographs help? {source}",
        lead=[
            f"Models trained on {joined([str(size) for size in found.sizes])} photographs, all measured on the same {found.result.n_photos}.",
            f"{verdict}.",
        ],
        facts=[],
        warnings=[],
        sections=[("curve", "The curve"), ("numbers", "All numbers")],
        parts=[part("curve", "The curve", [], plots=made), part("numbers", "All numbers", [], tables=[table])],
        footer="Larger sets hold the smaller ones. Intervals are 95 % bootstrap intervals over photographs.",
    )
