"""The report of `colorize importance`."""

from __future__ import annotations

from typing import Any

import numpy as np

from colorize.evaluation import plots
from colorize.evaluation.importance import ANALYSES, NOISE, SCORES, ImportanceResult
from colorize.evaluation.report.page import (
    capital,
    cell,
    fact,
    interval_cell,
    is_sure,
    joined,
    number_of,
    part,
    plot,
    render,
    signed,
    swatch,
)
from colorize.evaluation.statistics import Interval


def importance_report(found: ImportanceResult, *, model: str = "model", source: str = "photographs") -> str:
    """Show which feature families a model lives on.

    Returns
    -------
    str
        HTML.
    """
    parts = [
        part("ranking", "What the model uses", _ranking_text(found), plots=_ranking_plots(found)),
        part("hidden", "Who hides whom", _hidden_text(found), plots=_redundancy_plots(found)),
        part(
            "refits",
            "What could be learnt without it, and from it alone",
            [
                "Twins of the model were trained without each family, and with each family alone. Drop: error added by its "
                "absence. Alone: error saved against knowing only how frequent colours are. Below zero, the twin is worse "
                f"than without: with few photographs a large family overfits. They learnt from {found.settings['refits_learn_from']}."
            ],
            plots=_refit_plots(found),
        ),
        part(
            "colours",
            "Which family decides which colour",
            [
                "Error added over the regions of one true colour when a family's numbers come from another photograph. Small pale numbers are not told from zero."
            ],
            plots=_color_plots(found),
        ),
        part(
            "details",
            "Within the families",
            [
                "Parts of a family, each permuted alone across photographs; the rest of the family can stand in for much of it."
            ],
            plots=_detail_plots(found),
        ),
        part("numbers", "All numbers", [], tables=[_importance_table(found)]),
    ]
    parts = [part for part in parts if part["plots"] or part["tables"]]
    settings = found.settings
    return render(
        "plots.html",
        kind="feature importance",
        title=f"What does “{model}” live on?",
        lead=_importance_lead(found, source),
        facts=[
            fact("Photographs", f"{settings['n_photos']}", f"{settings['n_regions']} regions"),
            fact("Region error", f"{found.baseline['region_ab_error'].value:.2f}", "ab units, untouched model"),
            fact("Pixel error", f"{found.baseline['final_ab_error'].value:.2f}", "ab units, after propagation"),
            fact("Repeats", f"{settings['n_repeats']}", "random orders per family"),
        ],
        warnings=list(found.warnings),
        sections=[(part["id"], part["title"]) for part in parts],
        parts=parts,
        footer="Intervals are 95 % bootstrap intervals over photographs. Equal inputs and seeds give equal numbers.",
    )


def _importance_lead(found: ImportanceResult, source: str) -> list[str]:
    surprise = found.select("permutation", "across", "log_loss")
    ranking = found.ranking(score="log_loss")
    sure = [name for name in ranking if surprise[name, ""].excludes(0) and surprise[name, ""].value > 0]
    first = f"Measured on {source}. "
    if sure:
        first += f"Taking away a family's numbers surprises the model most for {joined(sure[:3])}."
    else:
        first += "No single family is told from zero on these photographs."
    control = found.select("permutation", "across", "region_ab_error").get((NOISE, ""))
    lines = [first]
    if control is not None:
        fine = (
            "contains zero, as it must" if not control.excludes(0) else "does NOT contain zero: distrust these numbers"
        )
        lines.append(f"Control: a family of shuffled numbers has the importance {signed(control, 3)}, which {fine}.")
    return lines


def _ranking_text(found: ImportanceResult) -> list[str]:
    return [
        "All columns of a family take the numbers of other regions, with one order. Across photographs: each photograph "
        "takes those of another one. Within: regions of the same photograph change places, so what describes the whole "
        "photograph (scene) cannot show there.",
    ]


def _ranking_plots(found: ImportanceResult) -> list[dict[str, str]]:
    made = []
    for score, meaning in SCORES.items():
        across = found.select("permutation", "across", score)
        within = found.select("permutation", "within", score)
        names = sorted((name for name, _ in across if name != NOISE), key=lambda name: -across[name, ""].value)
        names += [name for name, _ in across if name == NOISE]
        rows = {name: [across[name, ""], *([within[name, ""]] if (name, "") in within else [])] for name in names}
        rows |= {name: [value] for (name, _), value in found.select("cluster", "across", score).items()}
        series = ("across photographs", "within") if within else ()
        unit = {"log_loss": "added, nats", "balanced_score": "lost, percentage points"}.get(score, "added, ab units")
        made.append(
            plot(
                capital(meaning),
                "Right of the line: the family matters.",
                plots.intervals(rows, unit, series=series, reference=0.0),
            )
        )
    return made


def _hidden_text(found: ImportanceResult) -> list[str]:
    text = "How much of a family's variance another family predicts linearly, on photographs not fitted to."
    if found.clusters:
        groups = "; ".join(" + ".join(group) for group in found.clusters)
        text += f" Families that were also permuted together: {groups}."
    return [text]


def _redundancy_plots(found: ImportanceResult) -> list[dict[str, str]]:
    if len(found.families) < 2:
        return []
    return [plot("Who predicts whom", "", plots.redundancy(found.redundancy, found.links, found.families))]


def _refit_plots(found: ImportanceResult) -> list[dict[str, str]]:
    made = []
    for analysis, title in (("drop", "Without the family"), ("only", "The family alone")):
        for score, unit in (("region_ab_error", "ab units"), ("log_loss", "nats")):
            rows = {name: [value] for (name, _), value in found.select(analysis, "refit", score).items()}
            if rows:
                ordered = dict(sorted(rows.items(), key=lambda item: -item[1][0].value))
                verb = "added" if analysis == "drop" else "saved"
                figure = plots.intervals(ordered, f"{verb}, {unit}", reference=0.0)
                made.append(
                    plot(
                        f"{title}: {'error' if score == 'region_ab_error' else 'surprise'}",
                        capital(ANALYSES[analysis]) + ".",
                        figure,
                    )
                )
    return made


def _color_plots(found: ImportanceResult) -> list[dict[str, str]]:
    cells = found.select("colour", "across", "region_ab_error")
    if not cells:
        return []
    colors = [name for name in found.swatches if any(part == name for _, part in cells)]
    families = [family for family in found.families if any(name == family for name, _ in cells)]
    values = np.array([[number_of(cells.get((family, color))) for family in families] for color in colors])
    faint = np.array([[not is_sure(cells.get((family, color))) for family in families] for color in colors])
    swatches = [[tuple(rgb / 255) for rgb in swatch(found.swatches[color])] for color in colors]
    figure = plots.heatmap(
        values, colors, families, "error added, ab units", center=0.0, faint=faint, swatches=swatches
    )
    return [plot("Family by true colour", "Colours are groups of palette entries, named by hue and strength.", figure)]


def _detail_plots(found: ImportanceResult) -> list[dict[str, str]]:
    cells = found.select("detail", "across", "log_loss")
    made = []
    for family in dict.fromkeys(name for name, _ in cells):
        rows = {part: [value] for (name, part), value in cells.items() if name == family}
        kinds = {"scale": {}, "direction": {}} if family == "gabor" else {"": rows}
        for part, value in rows.items() if family == "gabor" else ():
            kinds["direction" if part.endswith("deg") else "scale"][part] = value
        for kind, chosen in kinds.items():
            title = (
                f"{family}: wavelength" if kind == "scale" else f"{family}: direction of the wave" if kind else family
            )
            made.append(plot(title, "", plots.intervals(chosen, "surprise added, nats", reference=0.0)))
    return made


def _importance_table(found: ImportanceResult) -> dict[str, Any]:
    scores = list(SCORES)
    rows: dict[tuple[str, ...], dict[str, Interval]] = {}
    for analysis, scheme, family, part, score, *limits in found.table:
        if analysis in ("permutation", "cluster", "drop", "only"):
            rows.setdefault((analysis, scheme, family, part), {})[score] = Interval(*limits)
    table = []
    for (analysis, scheme, family, _), values in rows.items():
        cells = [cell(f"{analysis}, {scheme}")]
        cells += [interval_cell(values[score], "+.3f") if score in values else cell("–") for score in scores]
        table.append({"name": family, "cells": cells})
    head = ["family", "analysis", *(capital(SCORES[score].split(",")[0]) for score in scores)]
    return {
        "caption": "Importances with 95 % intervals; colours and parts of families are in the CSV",
        "head": head,
        "rows": table,
    }
