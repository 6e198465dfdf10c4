"""The report of `colorize importance`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from colorize._support.statistics import Interval
from colorize.color import lab_to_rgb
from colorize.color.names import SWATCH_LIGHTNESS
from colorize.evaluation import plots
from colorize.evaluation.importance import ANALYSES, HIDES, NOISE, SCORES, ImportanceResult
from colorize.evaluation.report.page import Block, Page, Plot, capital, drawn, interval_cell, joined, signed, table

_UNKNOWN = Interval(np.nan)


def importance_report(found: ImportanceResult, *, model: str = "model", source: str = "photographs") -> str:
    """Show which feature families a model lives on, as HTML."""
    settings, baseline = found.settings, found.baseline
    page = Page(
        "feature importance",
        f"What does “{model}” live on?",
        _lead(found, source),
        facts=[
            ("Photographs", f"{settings['n_photos']}", f"{settings['n_regions']} regions"),
            ("Region error", f"{baseline['region_ab_error'].value:.2f}", "ab units, untouched model"),
            ("Pixel error", f"{baseline['final_ab_error'].value:.2f}", "ab units, after propagation"),
            ("Repeats", f"{settings['n_repeats']}", "random orders per family"),
        ],
        warnings=found.warnings,
        footer="Intervals are 95 % bootstrap intervals over photographs. Equal inputs and seeds give equal numbers.",
    )
    page.add(
        "Use",
        drawn(*ranking_plots(found)),
        title="What the model uses",
        text="All columns of a family take the numbers of other regions, with one order. Across: each photograph "
        "takes those of another one. Within: regions of the same photograph change places, so what describes the "
        "whole photograph (scene) cannot show there.",
    )
    hidden = "How much of a family's variance another family predicts linearly, on photographs not fitted to."
    if found.clusters:
        groups = "; ".join(" + ".join(group) for group in found.clusters)
        hidden += f" Families that were also permuted together: {groups}."
    page.add("Hidden", drawn(*redundancy_plots(found)), title="Who hides whom", text=hidden)
    page.add(
        "Refits",
        drawn(*_refit_plots(found)),
        title="What could be learnt without it, and from it alone",
        text="Twins of the model were trained without each family, and with each family alone. Without: error added by "
        "its absence. Alone: error saved against knowing only how frequent colours are. Left of the line the twin "
        "is worse than without: with few photographs a large family overfits. "
        f"They learnt from {settings['refits_learn_from']}.",
    )
    hues = "Colours are groups of palette entries, named by hue and strength."
    page.add(
        "Colours",
        drawn(("Family by true colour", hues, color_figure(found))),
        title="Which family decides which colour",
        text="Error added over the regions of one true colour when a family's numbers come from another photograph. "
        "Small pale numbers are not told from zero.",
    )
    page.add(
        "Parts",
        drawn(*_detail_plots(found)),
        title="Within the families",
        text="Parts of a family, each permuted alone across photographs; the rest of the family can stand in for much "
        "of it.",
    )
    page.add("Numbers", _numbers(found), title="All numbers")
    return page.html()


def _lead(found: ImportanceResult, source: str) -> list[str]:
    surprise = found.select("permutation", "across", "log_loss")
    sure = [name for name in found.ranking(score="log_loss") if surprise[name, ""].low > 0]
    # The largest need not be among them: one that is used in few photographs has a wide interval.
    lives = f"told from zero, the largest first: {joined(sure)}" if sure else "no single family is told from zero"
    control = found.select("permutation", "across", "region_ab_error")[NOISE, ""]
    fine = "which contains zero, as it must"
    if not control.known:
        fine = "too few photographs to tell that from zero"
    elif control.excludes(0):
        fine = "which does NOT contain zero: distrust these numbers"
    added = f"adds {signed(control, 3)} ab units to the region error"
    return [
        f"Measured on {source}. By log-loss, its surprise at the true palette colour, {lives}. "
        "Other measures rank families otherwise: all four are below.",
        f"Control: a family of shuffled numbers {added}, {fine}.",
    ]


def ranking_plots(found: ImportanceResult) -> Iterator[Plot]:
    """What permuting each family adds, by each score of `SCORES`."""
    for score, meaning in SCORES.items():
        across = found.select("permutation", "across", score)
        within = found.select("permutation", "within", score)
        names = [*found.ranking(score=score), *(name for name, _ in across if name == NOISE)]
        rows = {name: [across[name, ""], *([within[name, ""]] if (name, "") in within else [])] for name in names}
        rows |= {name: [value] for (name, _), value in found.select("cluster", "across", score).items()}
        series = ("across photographs", "within") if within else ()
        unit = {"log_loss": "added, nats", "balanced_score": "lost, percentage points"}.get(score, "added, ab units")
        figure = plots.intervals(rows, unit, series=series, reference=0.0)
        yield capital(meaning), "Right of the line: the family matters.", figure


def redundancy_plots(found: ImportanceResult) -> Iterator[Plot]:
    """Which family predicts which."""
    if len(found.families) > 1:
        figure = plots.redundancy(found.redundancy, found.links, found.families, 1 - HIDES)
        text = "In percent. Row: the family that predicts. Column: the family that is predicted."
        yield "Who predicts whom", text, figure


def _refit_plots(found: ImportanceResult) -> Iterator[Plot]:
    for analysis, title, verb in (("drop", "Without the family", "added"), ("only", "The family alone", "saved")):
        for score, name, unit in (("region_ab_error", "error", "ab units"), ("log_loss", "surprise", "nats")):
            values = {family: value for (family, _), value in found.select(analysis, "refit", score).items()}
            rows = {family: [values[family]] for family in sorted(values, key=lambda family: -values[family].value)}
            if rows:
                figure = plots.intervals(rows, f"{verb}, {unit}", reference=0.0)
                yield f"{title}: {name}", capital(ANALYSES[analysis]) + ".", figure


def color_figure(found: ImportanceResult) -> Any:
    """Draw the error that each family adds over the regions of each true colour."""
    cells, families = found.select("colour", "across", "region_ab_error"), found.families
    # Of every family the same colours: those that the photographs have.
    colors = [name for name in found.swatches if (families[0], name) in cells]
    grid = [[cells[family, color] for family in families] for color in colors]
    values = np.array([[cell.value for cell in row] for row in grid])
    faint = np.array([[not cell.excludes(0) for cell in row] for row in grid])
    light = {color: np.full(len(found.swatches[color]), SWATCH_LIGHTNESS, np.float32) for color in colors}
    swatches = [[tuple(rgb / 255) for rgb in lab_to_rgb(light[color], found.swatches[color])] for color in colors]
    return plots.heatmap(values, colors, families, "error added, ab units", center=0.0, faint=faint, swatches=swatches)


def _detail_plots(found: ImportanceResult) -> Iterator[Plot]:
    cells = found.select("detail", "across", "log_loss")
    for family in dict.fromkeys(name for name, _ in cells):
        rows = {piece: [value] for (name, piece), value in cells.items() if name == family}
        groups = {family: rows}
        if family == "gabor":
            directions = {piece: value for piece, value in rows.items() if piece.endswith("deg")}
            scales = {piece: value for piece, value in rows.items() if piece not in directions}
            groups = {"gabor: wavelength": scales, "gabor: direction of the wave": directions}
        for title, chosen in groups.items():
            yield title, "", plots.intervals(chosen, "surprise added, nats", reference=0.0)


def _numbers(found: ImportanceResult) -> Block:
    rows: dict[tuple[str, ...], dict[str, Interval]] = {}
    for analysis, scheme, family, piece, score, *limits in found.table:
        if analysis in ("permutation", "cluster", "drop", "only"):
            rows.setdefault((analysis, scheme, family, piece), {})[score] = Interval(*limits)
    return table(
        "Importances with 95 % intervals; colours and parts of families are in the CSV",
        ["family", "analysis", *(capital(meaning.split(",")[0]) for meaning in SCORES.values())],
        [
            (family, [f"{analysis}, {scheme}", *(interval_cell(row.get(score, _UNKNOWN), "+z.3f") for score in SCORES)])
            for (analysis, scheme, family, _), row in rows.items()
        ],
    )
