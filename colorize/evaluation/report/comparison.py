"""The report of `colorize compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from colorize.evaluation import plots
from colorize.evaluation.compare import EvaluationResult
from colorize.evaluation.methods import NamedMethod
from colorize.evaluation.pictures import MAP_LIMIT, Picture, data_uri, share_budget
from colorize.evaluation.realism import Verdict
from colorize.evaluation.report.page import (
    LICENCE_NOTE,
    MAIN,
    PICTURE_BYTES,
    cell,
    figure_table,
    file_size,
    interval_cell,
    joined,
    percent,
    plot,
    render,
)
from colorize.evaluation.run import Comparison
from colorize.evaluation.statistics import Interval


def comparison_report(found: Comparison, *, source: str = "photographs") -> str:
    """Show several methods side by side, failures first.

    Parameters
    ----------
    found : Comparison
        With pictures.
    source : str
        The photographs, as a reader knows them.

    Returns
    -------
    str
        HTML.
    """
    result, methods, gallery = found.result, found.methods, found.gallery
    verdicts, memory, left_out = found.verdicts, found.memory, found.left_out
    names = [method.name for method in methods]
    errors = np.stack([result.figures[name][MAIN] for name in names])
    has_truth = ~np.isnan(errors[0])
    hardest = np.where(has_truth, np.nan_to_num(errors, nan=-1).max(axis=0), -1)
    order = [int(i) for i in np.argsort(-hardest, kind="stable")]
    per_photo = len(names) + 2
    n_shown = max(6, min(len(order), int(PICTURE_BYTES * 0.74 / (per_photo * 4_000))))
    shown = order[:n_shown]
    n_pictures = per_photo * len(shown)
    budget = share_budget(PICTURE_BYTES, {"large": (n_pictures, 1.0), "map": (len(names) * len(shown), 0.2)})
    hidden = len(order) - len(shown)
    measured = int(has_truth.sum())
    sections = [("methods", "Methods"), ("failures", "Failures"), ("photos", "Side by side"), ("left-out", "Left out")]
    skipped = {"failures": not measured, "left-out": not left_out}
    return render(
        "comparison.html",
        kind="comparison",
        title=f"{len(names)} ways to colour {source}",
        lead=[_comparison_lead(result, names, measured)],
        facts=[],
        warnings=_comparison_warnings(result, measured),
        sections=[(key, name) for key, name in sections if not skipped.get(key)],
        methods=_method_table(result, methods, memory, verdicts),
        figures=figure_table(result) if measured else None,
        differences=_difference_table(found.differences()) if measured and len(names) > 1 else None,
        plots=_comparison_plots(result, names, verdicts, measured),
        worst=_worst_links(result, names, shown) if measured else [],
        entries=[_entry(result, names, gallery.pictures[index], index, budget) for index in shown],
        order_note="The photographs on which some method does worst come first; those without known colours come last."
        if measured
        else "Nobody knows the true colours of these photographs: judge for yourself.",
        map_note=_map_note(measured, len(order)),
        map_limit=f"{MAP_LIMIT:g}",
        hidden=f"{hidden} more photographs are not shown, to keep this page small." if hidden > 0 else "",
        left_out=list(left_out.items()),
        footer=LICENCE_NOTE,
    )


def _map_note(measured: int, n_photos: int) -> str:
    if measured == n_photos:
        return "from the truth"
    return "from the truth, or where there is none from the first method" if measured else "from the first method"


def _comparison_lead(result: EvaluationResult, names: Sequence[str], measured: int) -> str:
    count = f"{result.n_photos} photograph{'s' if result.n_photos > 1 else ''}"
    if not measured:
        return f"{count} without known colours, coloured by {joined(names)}."
    means = result.means()
    best = min(names, key=lambda name: means[name][MAIN])
    boldest = max(names, key=lambda name: means[name]["colorfulness"])
    text = f"{count}, {measured} of them with known colours. "
    text += f"Smallest mean colour difference: {best} ({means[best][MAIN]:.2f} CIEDE2000)"
    return f"{text}; most colourful: {boldest} ({means[boldest]['colorfulness_ratio']:.0%} of the truth)."


def _comparison_warnings(result: EvaluationResult, measured: int) -> list[str]:
    if 0 < measured < 5:
        return [f"{measured} photographs with known colours are too few for intervals: look, and do not count."]
    return []


def _comparison_plots(
    result: EvaluationResult, names: Sequence[str], verdicts: Mapping[str, Verdict], measured: int
) -> list[dict[str, str]]:
    if not measured:
        return []
    intervals, means = result.intervals(), result.means()
    points = {name: (means[name][MAIN], means[name]["colorfulness_ratio"]) for name in names}
    made = [
        plot("Colour difference", "Mean over photographs with its 95 % interval.",
              plots.intervals({name: [intervals[name][MAIN]] for name in names}, "CIEDE2000, smaller is better")),
        plot("Error and colour together", "Low error and brown haze go together: a method must be judged by both.",
              plots.trade_off(points, "CIEDE2000, smaller is better", "colourfulness, share of true", target=1.0)),
    ]  # fmt: skip
    if verdicts:
        rows = {name: [percent(verdicts[name].accuracy)] for name in names}
        made.append(plot("Can they be told from real photographs?", "By a small classifier. At 50 % it cannot tell.",
                          plots.intervals(rows, "right answers, %", reference=50.0, note="cannot tell")))  # fmt: skip
    return made


def _method_table(
    result: EvaluationResult, methods: Sequence[NamedMethod], memory: Mapping[str, int], verdicts: Mapping[str, Verdict]
) -> dict[str, Any]:
    rows = []
    for method in methods:
        costs = result.costs[method.name]
        colorful = float(np.nanmean(result.figures[method.name]["colorfulness"]))
        cells = [
            cell(f"{colorful:.1f}"),
            cell(f"{np.nanmean(costs['seconds']):.3f}"),
            cell(f"{np.nanmean(costs['cpu_seconds']):.3f}"),
            cell(file_size(memory[method.name]) if method.name in memory else "–"),
            cell(file_size(method.n_bytes)),
            cell(f"{verdicts[method.name].accuracy.value:.0%}" if method.name in verdicts else "–"),
            cell(method.description, text=True),
        ]
        rows.append({"name": method.name, "cells": cells})
    head = [
        "method",
        "colourfulness",
        "seconds",
        "CPU seconds",
        "peak memory",
        "stored size",
        "told from real",
        "what it is",
    ]
    caption = "Colourfulness (Hasler and Süsstrunk; an everyday photograph has about 30) and cost per photograph"
    return {"caption": caption, "head": head, "rows": rows}


def _difference_table(differences: Mapping[str, Mapping[str, Mapping[str, Interval]]]) -> dict[str, Any]:
    names = list(differences)
    rows = []
    for first, others in differences.items():
        found = {second: others[second][MAIN] for second in names if second != first}
        cells = [
            interval_cell(found[second], "+.2f") | {"best": found[second].excludes(0)} if second in found else cell("")
            for second in names
        ]
        rows.append({"name": first, "cells": cells})
    caption = (
        "CIEDE2000 of the method of the row minus that of the column, on the same photographs, with 95 % intervals; "
        "▸ not by chance alone"
    )
    return {"caption": caption, "head": ["minus", *names], "rows": rows}


def _worst_links(result: EvaluationResult, names: Sequence[str], shown: Sequence[int]) -> list[dict[str, Any]]:
    found = []
    for name in names:
        order = [int(i) for i in result.order(name) if int(i) in shown and not np.isnan(result.figures[name][MAIN][i])]
        links = [
            {"index": i, "name": result.names[i], "error": f"{result.figures[name][MAIN][i]:.1f}"} for i in order[:3]
        ]
        found.append({"method": name, "links": links})
    return found


def _entry(
    result: EvaluationResult, names: Sequence[str], picture: Picture, index: int, budget: Mapping[str, int]
) -> dict[str, Any]:
    shots: list[dict[str, Any]] = []
    if "gray" not in names:
        shots.append({"name": "input", "uri": data_uri(picture.gray, budget["large"]), "note": "lightness alone"})
    errors = {name: result.figures[name][MAIN][index] for name in names}
    worst = max(errors, key=lambda name: errors[name]) if picture.true is not None and len(names) > 1 else None
    for place, name in enumerate(names):
        has_map = picture.true is not None or place > 0
        colorful = f"colourfulness {result.figures[name]['colorfulness'][index]:.0f}"
        shots.append(
            {
                "name": name,
                "uri": data_uri(picture.results[name], budget["large"]),
                "map": data_uri(picture.map(name), budget["map"]) if has_map else "",
                "note": colorful if picture.true is None else f"CIEDE2000 {errors[name]:.1f}, {colorful}",
                "worst": name == worst,
            }
        )
    if picture.true is not None:
        true = result.figures[names[0]]["true_colorfulness"][index]
        shots.append(
            {"name": "true", "uri": data_uri(picture.true, budget["large"]), "note": f"colourfulness {true:.0f}"}
        )
    height, width = picture.gray.shape[:2]
    note = "no known colours" if picture.true is None else ""
    return {"index": index, "name": result.names[index], "shots": shots, "width": width, "height": height, "note": note}
