"""The report of `colorize evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from colorize.decision import NEAR
from colorize.evaluation import plots
from colorize.evaluation.compare import FEW_PHOTOS, FIGURES, EvaluationResult
from colorize.evaluation.confidence import ConfidenceCheck
from colorize.evaluation.oracles import ORACLES
from colorize.evaluation.pictures import MAP_LIMIT, data_uri, share_budget
from colorize.evaluation.report.page import (
    LICENCE_NOTE,
    MAIN,
    N_BEST,
    N_LISTED,
    N_WORST,
    PICTURE_BYTES,
    cell,
    fact,
    figure_table,
    file_size,
    in_words,
    interval_cell,
    joined,
    judged,
    percent,
    percents,
    plot,
    render,
    signed,
)
from colorize.evaluation.run import Evaluation
from colorize.evaluation.statistics import Interval


def evaluation_report(found: Evaluation) -> str:
    """Tell what an evaluation found: failures first, then figures, reasons, costs, and every photograph.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    MissingDependencyError
        The extra ``report`` is not installed.
    """
    result = found.result
    order = [int(i) for i in result.order("model") if i in found.gallery.pictures]
    worst, best = order[:N_WORST], order[N_WORST:][::-1][:N_BEST]
    listed = order[:N_LISTED]
    budget = share_budget(
        PICTURE_BYTES,
        {
            "large": (3 * (len(worst) + len(best)), 5.0),
            "map": (len(worst) + len(best), 0.8),
            "small": (2 * len(listed), 1.0),
        },
    )
    categories = _category_table(result)
    sections = {
        "failures": "Failures",
        "figures": "Figures",
        "why": "What they say",
        "categories": "Categories",
        "cost": "Time and memory",
        "best": "Best",
        "all": "All photographs",
        "left-out": "Left out",
    }
    skipped = {"categories": not categories, "left-out": not found.left_out, "best": not best}
    return render(
        "evaluation.html",
        kind="evaluation",
        title=f"How well does “{found.model}” colour {found.source}?",
        lead=_evaluation_lead(found),
        facts=_evaluation_facts(found),
        warnings=_evaluation_warnings(found),
        sections=[(key, name) for key, name in sections.items() if not skipped.get(key)],
        map_limit=f"{MAP_LIMIT:g}",
        worst=[_shot(found, index, budget) for index in worst],
        best=[_shot(found, index, budget) for index in best],
        figures=figure_table(result),
        words=list(FIGURES.values()),
        oracles=[(name, meaning) for name, meaning in ORACLES.items() if name in result.figures],
        plots=_evaluation_plots(found),
        categories=categories,
        category_plots=_category_plots(result) if categories else [],
        cost_plots=_cost_plots(found),
        every=[_listed(found, index, budget, place < N_LISTED) for place, index in enumerate(order[: 4 * N_LISTED])],
        hidden=max(0, len(order) - 4 * N_LISTED),
        left_out=list(found.left_out.items()),
        footer=LICENCE_NOTE,
    )


def _evaluation_lead(found: Evaluation) -> list[str]:
    result = found.result
    error = result.intervals()["model"][MAIN]
    count = f"{result.n_photos} photograph{'s' if result.n_photos > 1 else ''}"
    lines = [
        f"Their colours were taken away and put back (vividness {found.vividness:g}). Over {count} the mean colour "
        f"difference to the truth is {in_words(error)} CIEDE2000."
    ]
    verdicts: dict[str, list[str]] = {}
    for other, row in result.differences("model").items():
        if other not in ORACLES:
            verdicts.setdefault(judged(row[MAIN]), []).append(f"{other} ({signed(row[MAIN])})")
    if verdicts:
        said = [f"{verdict} {joined(others)}" for verdict, others in verdicts.items()]
        lines.append(f"On the same photographs it is {joined(said)}.")
    if "oracle: palette" in result.figures:
        means = {name: row[MAIN] for name, row in result.means().items()}
        lines.append(
            f"With a perfect choice of palette colour for every region the error would be "
            f"{means['oracle: palette']:.2f}; with one true tint per photograph, {means['oracle: tint']:.2f}."
        )
    return lines


def _evaluation_facts(found: Evaluation) -> list[dict[str, str]]:
    means, intervals = found.result.means(), found.result.intervals()
    facts = [fact("CIEDE2000", f"{means['model'][MAIN]:.2f}", f"gray {means['gray'][MAIN]:.2f}; smaller is better")]
    ratio = intervals["model"]["colorfulness_ratio"]
    facts.append(fact("Colourfulness", f"{ratio.value:.0%}", "of that of the true photographs"))
    if "model" in found.verdicts:
        accuracy = found.verdicts["model"].accuracy
        facts.append(fact("Told from real", f"{accuracy.value:.0%}", f"of cases {percents(accuracy)}; 50 % is a guess"))
    cost = found.result.costs["model"]["cpu_seconds"]
    facts.append(fact("Time", f"{np.nanmean(cost):.2f} s", "of processor time per photograph"))
    if found.model_bytes:
        facts.append(fact("Model", file_size(found.model_bytes), "file size"))
    return facts


def _evaluation_warnings(found: Evaluation) -> list[str]:
    notes = []
    if not found.result.intervals()["model"][MAIN].known:
        notes.append(
            f"{found.result.n_photos} photographs are too few for intervals: the figures say little beyond themselves."
        )
    small = [name for name, indices in found.result.categories.items() if len(indices) < FEW_PHOTOS]
    if small:
        notes.append(f"Categories with fewer than {FEW_PHOTOS} photographs, read with care: {', '.join(small)}.")
    if not found.verdicts:
        notes.append("The realism test was not made: it needs at least 10 photographs.")
    return notes


def _evaluation_plots(found: Evaluation) -> list[dict[str, str]]:
    result = found.result
    intervals, means = result.intervals(), result.means()
    honest = [name for name in result.figures if name not in ORACLES]
    oracles = [name for name in result.figures if name in ORACLES]
    made = [
        plot(
            "Colour difference",
            "Mean with its 95 % interval. Oracles know the truth: they show what a perfect part would reach.",
            plots.intervals(
                {name: [intervals[name][MAIN]] for name in result.figures},
                "CIEDE2000, smaller is better",
                strong=["model"],
            ),
        )
    ]
    differences = result.differences("model")
    rivals = {name: [differences[name][MAIN]] for name in honest if name != "model"}
    if rivals:
        made.append(
            plot(
                "Against each rival",
                "Differences on the same photographs. An interval left of the line: the model is better.",
                plots.intervals(rivals, "model − rival, CIEDE2000", reference=0.0),
            )
        )
    if oracles:
        made.append(
            plot(
                "Where the error comes from",
                "What disappears when one part is replaced by the truth, one after another.",
                plots.bars(error_parts(means), "CIEDE2000"),
            )
        )
    points = {name: (means[name][MAIN], means[name]["colorfulness_ratio"]) for name in honest}
    made.append(
        plot(
            "Error and colour together",
            "Low error and brown haze go together: a method must be judged by both.",
            plots.trade_off(points, "CIEDE2000, smaller is better", "colourfulness, share of true", target=1.0),
        )
    )
    shown = {name: result.figures[name][MAIN] for name in ("model", "gray") if name in result.figures}
    made.append(plot("Photograph by photograph", "A mean hides much.", plots.ranked_errors(shown, "CIEDE2000")))
    if found.verdicts:
        rows = {name: [percent(found.verdicts[name].accuracy)] for name in found.verdicts}
        made.append(
            plot(
                "Can they be told from real photographs?",
                "A small classifier looks at colour statistics of photographs it has not seen. At 50 % it cannot tell.",
                plots.intervals(rows, "right answers, %", reference=50.0, note="cannot tell", strong=["model"]),
            )
        )
    return made + (_confidence_plots(found.confidence) if found.confidence else [])


def _confidence_plots(check: ConfidenceCheck) -> list[dict[str, str]]:
    words = (
        f"Where the model says 80 %, 80 % of the pixels should lie within {NEAR:g} units of ab of the truth. "
        f"On average it is {100 * check.reliability.expected_error:.0f} points off.",
        f"Error of the pixels it is surest of. The surest quarter: {in_words(check.best_quarter)}; "
        f"all pixels: {check.mean.value:.2f}.",
    )
    drawn = confidence_figures(check)
    return [plot(title, text, figure) for (_, title, figure), text in zip(drawn, words, strict=True)]


def confidence_figures(check: ConfidenceCheck) -> list[tuple[str, str, Any]]:
    """Reliability diagram and curve of risk against coverage, each with a short name and a title."""
    diagram = check.reliability
    stated = [(100 * x, percent(y)) for x, y in zip(diagram.confidence, check.accuracy, strict=True)]
    ideal = [(100 * x, Interval(100 * x)) for x in diagram.confidence[[0, -1]]]
    falling = [(100 * x, y) for x, y in zip(check.coverage, check.risk, strict=True)]
    mean = [(x, Interval(check.mean.value)) for x, _ in (falling[0], falling[-1])]
    reliability = plots.curves({"model": stated, "as it should be": ideal}, "stated, %", "true, %", log=False)
    risk = plots.curves(
        {"surest pixels": falling, "any pixels": mean}, "share of the pixels kept, %", "CIEDE2000", log=False
    )
    return [
        ("reliability", "Does its confidence mean what it says?", reliability),
        ("risk", "Does its confidence tell where it errs?", risk),
    ]


def error_parts(means: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Split the error of ``model`` by what disappears when one part after another is replaced by the truth."""
    error = {name: row[MAIN] for name, row in means.items()}
    return {
        "tint of the photo": error["model"] - error["oracle: tint"],
        "colours in the photo": error["oracle: tint"] - error["oracle: palette"],
        "palette size": error["oracle: palette"] - error["oracle: regions"],
        "regions and solve": error["oracle: regions"],
    }


def _cost_plots(found: Evaluation) -> list[dict[str, str]]:
    costs = found.result.costs
    stages = {
        name.removeprefix("stage: "): float(np.nanmean(v))
        for name, v in costs["model"].items()
        if name.startswith("stage: ")
    }
    made = []
    if stages:
        made.append(
            plot(
                "Time per stage",
                "Wall time of the model, mean per photograph.",
                plots.bars(stages, "seconds", "{:.3f}"),
            )
        )
    if found.memory:
        sizes = {name: n_bytes / 1e6 for name, n_bytes in found.memory.items()}
        made.append(
            plot(
                "Peak memory per stage",
                "Of arrays, on one photograph of the set; what compiled code holds for itself is not seen.",
                plots.bars(sizes, "megabytes", "{:.1f}"),
            )
        )
    times = {name: float(np.nanmean(columns["cpu_seconds"])) for name, columns in costs.items() if name not in ORACLES}
    made.append(
        plot("Time per method", "Processor time, mean per photograph.", plots.bars(times, "CPU seconds", "{:.3f}"))
    )
    return made


def _category_table(result: EvaluationResult) -> dict[str, Any] | None:
    groups = result.categories
    if not groups:
        return None
    shown = [name for name in ("gray", "L + height lookup", "model") if name in result.figures]
    rows = []
    for category, indices in groups.items():
        part = result.part(indices)
        means, intervals = part.means(), part.intervals()
        cells = [cell(f"{len(indices)}")]
        cells += [interval_cell(intervals[name][MAIN], ".2f") for name in shown]
        cells += [cell(f"{means['model'][MAIN] / max(means['gray'][MAIN], 1e-9):.2f}")]
        cells += [interval_cell(part.differences("model")["gray"][MAIN], "+.2f")]
        cells += [cell(f"{means['model']['colorfulness_ratio']:.2f}")]
        rows.append({"name": category + (" (few)" if len(indices) < FEW_PHOTOS else ""), "cells": cells})
    head = ["category", "photographs", *shown, "model / gray", "model − gray", "colourfulness"]
    return {"caption": "CIEDE2000 per sub-folder, with 95 % intervals", "head": head, "rows": rows}


def _category_plots(result: EvaluationResult) -> list[dict[str, str]]:
    rows = {}
    for category, indices in result.categories.items():
        intervals = result.part(indices).intervals()
        rows[category] = [intervals[name][MAIN] for name in ("model", "gray")]
    figure = plots.intervals(rows, "CIEDE2000, smaller is better", series=("model", "gray"))
    return [plot("Colour difference per category", "", figure)]


def _shot(found: Evaluation, index: int, budget: Mapping[str, int]) -> dict[str, Any]:
    picture, figures = found.gallery.pictures[index], found.result.figures
    result = picture.results["model"]
    layers = [{"key": "gray", "name": "gray", "uri": data_uri(picture.gray, budget["large"])}]
    if picture.true is not None:
        layers.append({"key": "true", "name": "true", "uri": data_uri(picture.true, budget["large"])})
    layers.append({"key": "map", "name": "error", "uri": data_uri(picture.map("model"), budget["map"])})
    return {
        "name": found.result.names[index],
        "width": result.shape[1],
        "height": result.shape[0],
        "result": data_uri(result, budget["large"]),
        "layers": layers,
        "caption": f"CIEDE2000 {figures['model'][MAIN][index]:.1f} (gray {figures['gray'][MAIN][index]:.1f})",
    }


def _listed(found: Evaluation, index: int, budget: Mapping[str, int], with_pictures: bool) -> dict[str, Any]:
    picture, figures = found.gallery.pictures[index], found.result.figures
    item: dict[str, Any] = {
        "name": found.result.names[index],
        "error": f"{figures['model'][MAIN][index]:.1f}",
        "gray": f"{figures['gray'][MAIN][index]:.1f}",
    }
    if with_pictures and picture.true is not None:
        item["result"] = data_uri(_thumbnail(picture.results["model"]), budget["small"])
        item["true"] = data_uri(_thumbnail(picture.true), budget["small"])
    return item


def _thumbnail(pixels: np.ndarray, side: int = 160) -> np.ndarray:
    step = max(1, -(-max(pixels.shape[:2]) // side))
    height, width = (max(1, n // step) for n in pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
