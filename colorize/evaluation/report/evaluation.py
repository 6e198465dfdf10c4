"""The report of `colorize evaluate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from colorize._support.shrink import shrink
from colorize._support.statistics import Interval
from colorize.evaluation import plots
from colorize.evaluation.confidence import ConfidenceCheck
from colorize.evaluation.measure import FEW_PHOTOS, FIGURES, MAIN, EvaluationResult
from colorize.evaluation.oracles import ORACLES
from colorize.evaluation.pictures import MAP_LIMIT, data_uri
from colorize.evaluation.report import page as parts
from colorize.evaluation.report.page import Block, Page, Plot
from colorize.evaluation.run import Evaluation
from colorize.recognition.decision import NEAR

N_WORST = 12
N_BEST = 6
N_LISTED = 100
_THUMBNAIL_SIDE = 160


def evaluation_report(found: Evaluation, *, model: str = "model", source: str = "photographs") -> str:
    """Tell what an evaluation found, as HTML: failures first, then figures, reasons, costs, and every photograph.

    `found` needs its pictures.
    """
    result = found.result
    order = result.order("model")
    worst, best, listed = order[:N_WORST], order[N_WORST:][::-1][:N_BEST], order[: 4 * N_LISTED]
    n_sliders = len(worst) + len(best)
    wishes = {"large": (3 * n_sliders, 5.0), "map": (n_sliders, 0.8), "small": (2 * min(len(order), N_LISTED), 1.0)}
    budget = parts.share_budget(wishes)
    hidden = f" {len(order) - len(listed)} more are in the CSV." if len(order) > len(listed) else ""
    meanings = {figure.title: figure.meaning for figure in FIGURES.values()} | ORACLES

    page = Page(
        "evaluation",
        f"How well does “{model}” colour {source}?",
        _lead(found),
        facts=_facts(found),
        warnings=_warnings(found),
    )
    sliders = [
        [_slider(found, i, budget, f"{letter}{i}") for i in some] for letter, some in (("w", worst), ("b", best))
    ]
    thumbs = [_thumb(found, i, budget, place < N_LISTED) for place, i in enumerate(listed)]
    page.add(
        "Failures",
        ("scale", ("colour difference in “error”", f"{MAP_LIMIT:g}")),
        ("sliders", sliders[0]),
        title="Where it fails most",
        text="The photographs with the largest colour difference come first. Drag the handle, or focus a picture and "
        "use the arrow keys.",
    )
    folded = ("folded", ("What the figures mean", meanings))
    page.add("Figures", parts.figure_table(result), folded, title="All figures")
    page.add("What they say", parts.drawn(*evaluation_plots(found)), title="What the figures say")
    if categories := result.categories():
        page.add(
            "Categories", _category_table(categories), parts.drawn(_category_plot(categories)), title="By category"
        )
    page.add("Time and memory", parts.drawn(*_cost_plots(found)))
    page.add("Best", ("sliders", sliders[1]), title="Where it does best")
    text = f"From worst to best: colorized, true, CIEDE2000 of the model (of gray).{hidden}"
    page.add("All photographs", ("thumbs", thumbs), text=text)
    page.add("Left out", ("words", found.left_out))
    return page.html()


def _lead(found: Evaluation) -> list[str]:
    result = found.result
    verdicts: dict[str, list[str]] = {}
    for other, row in result.differences("model").items():
        if other not in ORACLES:
            verdicts.setdefault(_judged(row[MAIN]), []).append(f"{other} ({parts.signed(row[MAIN])})")
    said = [f"{verdict} {parts.joined(others)}" for verdict, others in verdicts.items()]
    means = {name: row[MAIN] for name, row in result.means().items()}
    return [
        f"Their colours were taken away and put back (vividness {found.vividness:g}). Over "
        f"{parts.count(result.n_photos)} the mean colour difference to the truth is "
        f"{parts.in_words(result.intervals()['model'][MAIN])} CIEDE2000.",
        f"On the same photographs it is {parts.joined(said)}.",
        f"With a perfect choice of palette colour for every region the error would be "
        f"{means['oracle: palette']:.2f}; with one true tint per photograph, {means['oracle: tint']:.2f}.",
    ]


def _judged(difference: Interval) -> str:
    """What a difference in error says about the method that comes first."""
    if not difference.known:
        return "(too few to judge) compared with"
    if not difference.excludes(0):
        return "not told apart from"
    return "better than" if difference.value < 0 else "worse than"


def _facts(found: Evaluation) -> list[tuple[str, str, str]]:
    means, ratio = found.result.means(), found.result.intervals()["model"]["colorfulness_ratio"]
    facts = [
        ("CIEDE2000", f"{means['model'][MAIN]:.2f}", f"gray {means['gray'][MAIN]:.2f}; smaller is better"),
        ("Colourfulness", f"{ratio.value:.0%}", "of that of the true photographs"),
    ]
    if "model" in found.verdicts:
        right = found.verdicts["model"]
        between = f"({right.low:.0%} to {right.high:.0%})" if right.known else ""
        facts.append(("Told from real", f"{right.value:.0%}", f"of cases {between}; 50 % is a guess"))
    cost = found.result.costs["model"]["cpu_seconds"]
    facts.append(("Time", f"{np.nanmean(cost):.2f} s", "of processor time per photograph"))
    return facts + ([("Model", parts.file_size(found.model_bytes), "file size")] if found.model_bytes else [])


def _warnings(found: Evaluation) -> Iterator[str]:
    if not found.result.intervals()["model"][MAIN].known:
        few = f"{found.result.n_photos} photographs are too few for intervals"
        yield f"{few}: the figures say little beyond themselves."
    small = [name for name, part in found.result.categories().items() if part.n_photos < FEW_PHOTOS]
    if small:
        yield f"Categories with fewer than {FEW_PHOTOS} photographs, read with care: {', '.join(small)}."
    if not found.verdicts:
        yield "The realism test was not made: it needs at least 10 photographs."


def evaluation_plots(found: Evaluation) -> Iterator[Plot]:
    """What the figures say, as plots."""
    result = found.result
    intervals, means = result.intervals(), result.means()
    honest = [name for name in result.figures if name not in ORACLES]
    rows = {name: [intervals[name][MAIN]] for name in result.figures}
    yield (
        "Colour difference",
        "Mean with its 95 % interval. Oracles know the truth: they show what a perfect part would reach.",
        plots.intervals(rows, "CIEDE2000, smaller is better", strong=["model"]),
    )
    rivals = {name: [row[MAIN]] for name, row in result.differences("model").items() if name in honest}
    yield (
        "Against each rival",
        "Differences on the same photographs. An interval left of the line: the model is better.",
        plots.intervals(rivals, "model − rival, CIEDE2000", reference=0.0),
    )
    yield (
        "Where the error comes from",
        "What disappears when one part is replaced by the truth, one after another; below zero, it adds error.",
        plots.bars(_error_parts(means), "CIEDE2000"),
    )
    yield parts.trade_off(means, honest)
    shown = {name: result.figures[name][MAIN] for name in ("model", "gray")}
    yield "Photograph by photograph", "A mean hides much.", plots.ranked_errors(shown, "CIEDE2000")
    if found.verdicts:
        yield parts.told_apart(
            found.verdicts,
            "A small classifier looks at colour statistics of photographs it has not seen. At 50 % it cannot tell.",
            ["model"],
        )
    yield from confidence_plots(found.confidence)


def confidence_plots(check: ConfidenceCheck) -> Iterator[Plot]:
    """Reliability diagram and curve of risk against coverage."""
    stated = [(100 * x, parts.percent(y)) for x, y in zip(check.stated, check.accuracy, strict=True)]
    ideal = [(100 * x, Interval(100 * x)) for x in check.stated[[0, -1]]]
    falling = [(100 * x, y) for x, y in zip(check.coverage, check.risk, strict=True)]
    mean = [(x, Interval(check.mean.value)) for x, _ in (falling[0], falling[-1])]
    yield (
        "Does its confidence mean what it says?",
        f"Where the model says 80 %, 80 % of the pixels should lie within {NEAR:g} units of ab of the truth. "
        f"On average it is {100 * check.expected_error:.0f} points off.",
        plots.curves({"model": stated, "as it should be": ideal}, "stated, %", "true, %", log=False),
    )
    series, share = {"surest pixels": falling, "any pixels": mean}, "share of the pixels kept, %"
    yield (
        "Does its confidence tell where it errs?",
        f"Error of the pixels it is surest of. The surest quarter: {parts.in_words(check.best_quarter)}; "
        f"all pixels: {check.mean.value:.2f}.",
        plots.curves(series, share, "CIEDE2000", log=False),
    )


def _error_parts(means: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Split the error of ``model`` by what disappears when one part after another is replaced by the truth."""
    error = {name: row[MAIN] for name, row in means.items()}
    return {
        "tint of the photo": error["model"] - error["oracle: tint"],
        "colours in the photo": error["oracle: tint"] - error["oracle: palette"],
        "palette size": error["oracle: palette"] - error["oracle: regions"],
        "regions and solve": error["oracle: regions"],
    }


def _cost_plots(found: Evaluation) -> Iterator[Plot]:
    costs = found.result.costs
    means = {name: float(np.nanmean(values)) for name, values in costs["model"].items()}
    stages = {name.removeprefix("stage: "): mean for name, mean in means.items() if name.startswith("stage: ")}
    yield "Time per stage", "Wall time of the model, mean per photograph.", plots.bars(stages, "seconds", "{:.3f}")
    text = "Of arrays, on one photograph of the set; what compiled code holds for itself is not seen."
    sizes = {name: n_bytes / 1e6 for name, n_bytes in found.memory.items()}
    yield "Peak memory per stage", text, plots.bars(sizes, "megabytes", "{:.1f}")
    times = {name: float(np.nanmean(columns["cpu_seconds"])) for name, columns in costs.items() if name not in ORACLES}
    yield "Time per method", "Processor time, mean per photograph.", plots.bars(times, "CPU seconds", "{:.3f}")


def _category_table(categories: Mapping[str, EvaluationResult]) -> Block:
    shown = ("gray", "L + height lookup", "model")
    rows = []
    for category, part in categories.items():
        means, intervals = part.means(), part.intervals()
        cells = [f"{part.n_photos}", *(parts.interval_cell(intervals[name][MAIN], ".2f") for name in shown)]
        cells += [f"{means['model'][MAIN] / max(means['gray'][MAIN], 1e-9):.2f}"]
        cells += [parts.interval_cell(part.differences("model")["gray"][MAIN], "+z.2f")]
        cells += [f"{means['model']['colorfulness_ratio']:.2f}"]
        rows.append((category + (" (few)" if part.n_photos < FEW_PHOTOS else ""), cells))
    head = ["category", "photographs", *shown, "model / gray", "model − gray", "colourfulness"]
    return parts.table("CIEDE2000 per sub-folder, with 95 % intervals", head, rows)


def _category_plot(categories: Mapping[str, EvaluationResult]) -> Plot:
    found = {category: part.intervals() for category, part in categories.items()}
    rows = {category: [row[name][MAIN] for name in ("model", "gray")] for category, row in found.items()}
    figure = plots.intervals(rows, "CIEDE2000, smaller is better", series=("model", "gray"))
    return "Colour difference per category", "", figure


def _slider(found: Evaluation, index: int, budget: Mapping[str, int], group: str) -> dict[str, Any]:
    """A picture that the reader can slide away, to see gray, the truth or the error below it."""
    picture, figures = found.gallery.pictures[index], found.result.figures
    result, large = picture.results["model"], budget["large"]
    layers = [("gray", "gray", data_uri(picture.gray, large))]
    if picture.true is not None:
        layers.append(("true", "true", data_uri(picture.true, large)))
    return {
        "group": group,
        "name": found.result.names[index],
        "width": result.shape[1],
        "height": result.shape[0],
        "result": data_uri(result, large),
        "layers": [*layers, ("map", "error", data_uri(picture.map("model"), budget["map"]))],
        "caption": f"CIEDE2000 {figures['model'][MAIN][index]:.1f} (gray {figures['gray'][MAIN][index]:.1f})",
    }


def _thumb(found: Evaluation, index: int, budget: Mapping[str, int], has_pictures: bool) -> dict[str, Any]:
    """A line of the list of all photographs."""
    picture, figures = found.gallery.pictures[index], found.result.figures
    pair = () if picture.true is None or not has_pictures else (picture.results["model"], picture.true)
    return {
        "name": found.result.names[index],
        "error": f"{figures['model'][MAIN][index]:.1f}",
        "gray": f"{figures['gray'][MAIN][index]:.1f}",
        "pictures": [data_uri(shrink(pixels, _THUMBNAIL_SIDE), budget["small"]) for pixels in pair],
    }
