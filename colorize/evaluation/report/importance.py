"""The report of `colorize importance`."""

from __future__ import annotations

from typing import Any

import numpy as np

from colorize.evaluation import plots
from colorize.evaluation.importance import ANALYSES, HIDES, NOISE, SCORES, ImportanceResult
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

_COLOR_TEXT = (
    "Error added over the regions of one true colour when a family's numbers come from another photograph. Small pale "
    "numbers are not told from zero."
)
_DETAIL_TEXT = (
    "Parts of a family, each permuted alone across photographs; the rest of the family can stand in for much of it."
)


def importance_report(found: ImportanceResult, *, model: str = "model", source: str = "photographs") -> str:
    """Show which feature families a model lives on.

    Returns
    -------
    str
        HTML.
    """
    parts = [
        part("use", "What the model uses", _ranking_text(found), plots=_ranking_plots(found)),
        part("hidden", "Who hides whom", _hidden_text(found), plots=_redundancy_plots(found)),
        part(
            "refits",
            "What could be learnt without it, and from it alone",
            _refit_text(found),
            plots=_refit_plots(found),
        ),
        part("colours", "Which family decides which colour", [_COLOR_TEXT], plots=_color_plots(found)),
        part("parts", "Within the families", [_DETAIL_TEXT], plots=_detail_plots(found)),
        part("numbers", "All numbers", [], tables=[_importance_table(found)]),
    ]
    parts = [section for section in parts if section["plots"] or section["tables"]]
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
        sections=[(section["id"], section["id"].capitalize()) for section in parts],
        parts=parts,
        footer="Intervals are 95 % bootstrap intervals over photographs. Equal inputs and seeds give equal numbers.",
    )


def _importance_lead(found: ImportanceResult, source: str) -> list[str]:
    surprise = found.select("permutation", "across", "log_loss")
    ranking = found.ranking(score="log_loss")
    sure = [name for name in ranking if surprise[name, ""].excludes(0) and surprise[name, ""].value > 0]
    first = f"Measured on {source}. "
    if sure:
        first += f"By log-loss, its surprise at the true palette colour, the model lives most on {joined(sure[:3])}."
    else:
        first += "By log-loss, its surprise at the true palette colour, no single family is told from zero."
    first += " Other measures rank families otherwise: all four are below."
    control = found.select("permutation", "across", "region_ab_error").get((NOISE, ""))
    lines = [first]
    if control is not None:
        fine = (
            "contains zero, as it must" if not control.excludes(0) else "does NOT contain zero: distrust these numbers"
        )
        added = f"adds {signed(control, 3)} ab units to the region error"
        lines.append(f"Control: a family of shuffled numbers {added}, which {fine}.")
    return lines


def _ranking_text(found: ImportanceResult) -> list[str]:
    return [
        "All columns of a family take the numbers of other regions, with one order. Across: each photograph "
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
    figure = plots.redundancy(found.redundancy, found.links, found.families, 1 - HIDES)
    text = "In percent. Row: the family that predicts. Column: the family that is predicted."
    return [plot("Who predicts whom", text, figure)]


def _refit_text(found: ImportanceResult) -> list[str]:
    return [
        "Twins of the model were trained without each family, and with each family alone. Without: error added by its "
        "absence. Alone: error saved against knowing only how frequent colours are. Left of the line the twin is worse "
        "than without: with few photographs a large family overfits. "
        f"They learnt from {found.settings['refits_learn_from']}."
    ]


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
    if not found.select("colour", "across", "region_ab_error"):
        return []
    text = "Colours are groups of palette entries, named by hue and strength."
    return [plot("Family by true colour", text, color_figure(found))]


def color_figure(found: ImportanceResult) -> Any:
    """Draw the error that each family adds over the regions of each true colour."""
    cells = found.select("colour", "across", "region_ab_error")
    colors = [name for name in found.swatches if any(piece == name for _, piece in cells)]
    families = [family for family in found.families if any(name == family for name, _ in cells)]
    values = np.array([[number_of(cells.get((family, color))) for family in families] for color in colors])
    faint = np.array([[not is_sure(cells.get((family, color))) for family in families] for color in colors])
    swatches = [[tuple(rgb / 255) for rgb in swatch(found.swatches[color])] for color in colors]
    return plots.heatmap(values, colors, families, "error added, ab units", center=0.0, faint=faint, swatches=swatches)


def _detail_plots(found: ImportanceResult) -> list[dict[str, str]]:
    cells = found.select("detail", "across", "log_loss")
    made = []
    for family in dict.fromkeys(name for name, _ in cells):
        rows = {piece: [value] for (name, piece), value in cells.items() if name == family}
        groups = {family: rows}
        if family == "gabor":
            directions = {piece: value for piece, value in rows.items() if piece.endswith("deg")}
            scales = {piece: value for piece, value in rows.items() if piece not in directions}
            groups = {"gabor: wavelength": scales, "gabor: direction of the wave": directions}
        for title, chosen in groups.items():
            made.append(plot(title, "", plots.intervals(chosen, "surprise added, nats", reference=0.0)))
    return made


def _importance_table(found: ImportanceResult) -> dict[str, Any]:
    scores = list(SCORES)
    rows: dict[tuple[str, ...], dict[str, Interval]] = {}
    for analysis, scheme, family, piece, score, *limits in found.table:
        if analysis in ("permutation", "cluster", "drop", "only"):
            rows.setdefault((analysis, scheme, family, piece), {})[score] = Interval(*limits)
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
