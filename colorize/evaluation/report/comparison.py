"""The report of `colorize compare`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from colorize._support.statistics import Interval
from colorize.evaluation import plots
from colorize.evaluation.measure import MAIN, EvaluationResult
from colorize.evaluation.pictures import MAP_LIMIT, Picture, data_uri
from colorize.evaluation.report import page as parts
from colorize.evaluation.report.page import Block, Cell, Page, Plot
from colorize.evaluation.run import Comparison


def comparison_report(found: Comparison, *, source: str = "photographs") -> str:
    """Show several methods side by side, failures first, as HTML; `found` needs its pictures."""
    result, names = found.result, [method.name for method in found.methods]
    errors = np.stack([result.figures[name][MAIN] for name in names])
    has_truth = ~np.isnan(errors[0])
    measured = result.n_measured
    hardest = np.where(has_truth, np.nan_to_num(errors, nan=-1).max(axis=0), -1)
    order = np.argsort(-hardest, kind="stable").tolist()
    per_photo = len(names) + 2
    shown = order[: max(6, int(parts.PICTURE_BYTES * 0.74 / (per_photo * 4_000)))]
    wishes = {"large": (per_photo * len(shown), 1.0), "map": (len(names) * len(shown), 0.2)}
    budget = parts.share_budget(wishes)
    few = "photographs with known colours are too few for intervals: look, and do not count."

    page = Page(
        "comparison",
        f"{len(names)} ways to colour {source}",
        [_lead(found, names, measured), *_setting(found)],
        warnings=[f"{measured} {few}"] if 0 < measured < 5 else [],
    )
    blocks = [_method_table(found)]
    if measured:
        blocks += [
            parts.figure_table(result),
            _difference_table(found.differences()),
            parts.drawn(*_plots(found, names)),
        ]
    page.add("Methods", *blocks, title="The methods")
    if measured:
        page.add("Failures", ("worst", _worst(result, names, shown)), title="Where each method is worst")
    origin = "from the truth, or where there is none from the first method" if measured else "from the first method"
    origin = "from the truth" if measured == len(order) else origin
    hidden = len(order) - len(shown)
    ordered = "The photographs on which some method does worst come first; those without known colours come last."
    page.add(
        "Side by side",
        ("toggle", "Show differences"),
        ("scale", (f"difference {origin}", f"{MAP_LIMIT:g}")),
        ("strips", [_entry(result, names, found.gallery.pictures[index], index, budget) for index in shown]),
        ("hint", f"{hidden} more photographs are not shown, to keep this page small." if hidden else ""),
        text=ordered if measured else "Nobody knows the true colours of these photographs: judge for yourself.",
    )
    page.add("Left out", ("words", found.left_out))
    return page.html()


def _lead(found: Comparison, names: Sequence[str], measured: int) -> str:
    result = found.result
    if not measured:
        return f"{parts.count(result.n_photos)} without known colours, coloured by {parts.joined(names)}."
    means = result.means()
    best = min(names, key=lambda name: means[name][MAIN])
    boldest = max(names, key=lambda name: means[name]["colorfulness"])
    # Without this the smallest of several means reads like a winner.
    others = {name: row[MAIN] for name, row in result.differences(best).items()}
    close = [name for name, other in others.items() if other.known and not other.excludes(0)]
    chance = f", which these photographs do not tell from {parts.joined(close)}" if close else ""
    known = f", {measured} of them" if measured < result.n_photos else ""
    return (
        f"{parts.count(result.n_photos)}{known} with known colours. "
        f"Smallest mean colour difference: {best} ({means[best][MAIN]:.2f} CIEDE2000){chance}; "
        f"most colourful: {boldest} ({means[boldest]['colorfulness_ratio']:.0%} of the truth)."
    )


def _setting(found: Comparison) -> list[str]:
    """How vivid the models were, if there are any: the same model looks like another one at another setting."""
    setting = parts.capital(found.setting())
    return [f"{setting} (0 is faithful, 1 is bold); colorize photo makes 0.5 unless told otherwise."] if setting else []


def _plots(found: Comparison, names: Sequence[str]) -> Iterator[Plot]:
    intervals = found.result.intervals()
    figure = plots.intervals({name: [intervals[name][MAIN]] for name in names}, "CIEDE2000, smaller is better")
    yield "Colour difference", "Mean over photographs with its 95 % interval.", figure
    yield parts.trade_off(found.result.means(), names)
    if found.verdicts:
        yield parts.told_apart(found.verdicts, "By a small classifier. At 50 % it cannot tell.")


def _method_table(found: Comparison) -> Block:
    result, rows = found.result, []
    for method in found.methods:
        costs, verdict = result.costs[method.name], found.verdicts.get(method.name)
        cells: list[Cell] = [
            f"{np.nanmean(result.figures[method.name]['colorfulness']):.1f}",
            f"{np.nanmean(costs['seconds']):.3f}",
            f"{np.nanmean(costs['cpu_seconds']):.3f}",
            parts.file_size(found.memory[method.name]),
            parts.file_size(method.n_bytes),
            f"{verdict.value:.0%}" if verdict else "–",
            {"value": method.description, "text": True},
        ]
        rows.append((method.name, cells))
    head = ["method", "colourfulness", "seconds", "CPU seconds", "peak memory", "stored size"]
    caption = "Colourfulness (Hasler and Süsstrunk; an everyday photograph has about 30) and cost per photograph"
    return parts.table(caption, [*head, "told from real", "what it is"], rows)


def _difference_table(differences: Mapping[str, Mapping[str, Mapping[str, Interval]]]) -> Block:
    def cell(first: str, second: str) -> Cell:
        if first == second:
            return ""
        interval = differences[first][second][MAIN]
        return parts.interval_cell(interval, "+z.2f", best=interval.excludes(0))

    rows = [(first, [cell(first, second) for second in differences]) for first in differences]
    caption = (
        "CIEDE2000 of the method of the row minus that of the column, on the same photographs, with 95 % intervals; "
        "▸ not by chance alone"
    )
    return parts.table(caption, ["minus", *differences], rows if len(rows) > 1 else [])


def _worst(result: EvaluationResult, names: Sequence[str], shown: Sequence[int]) -> list[tuple[str, list[Any]]]:
    """Per method the three photographs on which it does worst: number, name and error."""
    found = []
    for name in names:
        errors = result.figures[name][MAIN]
        order = [i for i in result.order(name) if i in shown and not np.isnan(errors[i])]
        found.append((name, [(i, result.names[i], f"{errors[i]:.1f}") for i in order[:3]]))
    return found


def _entry(
    result: EvaluationResult, names: Sequence[str], picture: Picture, index: int, budget: Mapping[str, int]
) -> dict[str, Any]:
    has_truth, large = picture.true is not None, budget["large"]
    shots = [] if "gray" in names else [parts.shot("input", picture.gray, large, "lightness alone")]
    errors = {name: result.figures[name][MAIN][index] for name in names}
    worst = max(errors, key=lambda name: errors[name]) if has_truth and len(names) > 1 else None
    for place, name in enumerate(names):
        note = f"colourfulness {result.figures[name]['colorfulness'][index]:.0f}"
        made = parts.shot(
            name, picture.results[name], large, f"CIEDE2000 {errors[name]:.1f}, {note}" if has_truth else note
        )
        made["worst"] = name == worst
        if has_truth or place > 0:
            made["map"] = data_uri(picture.map(name), budget["map"])
        shots.append(made)
    if picture.true is not None:
        true = result.figures[names[0]]["true_colorfulness"][index]
        shots.append(parts.shot("true", picture.true, large, f"colourfulness {true:.0f}"))
    note = "" if has_truth else "no known colours"
    return parts.strip(f"photo-{index}", result.names[index], note, shots, picture.gray.shape, pair=True)
