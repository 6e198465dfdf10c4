"""Make the tables and plots of ``docs/evaluation.md`` anew: ``python scripts/make_evaluation_docs.py``.

Run it after the default model has been trained again. Tables go between the marks of the page, plots into
``docs/images``. The photographs are those of ``../shared/data``; none of them is shown, only figures about them. About
15 CPU-minutes for everything; ``--only`` picks parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click
from _pages import ROOT, put, save

from colorize._support.statistics import Interval
from colorize.colorizer import Colorizer
from colorize.evaluation import plots
from colorize.evaluation.importance import NOISE, SCORES, ImportanceResult, importance
from colorize.evaluation.oracles import ORACLES
from colorize.evaluation.report.evaluation import evaluation_plots
from colorize.evaluation.report.importance import color_figure, ranking_plots, redundancy_plots
from colorize.evaluation.report.page import Plot, capital
from colorize.evaluation.report.studies import category_plots, curve_plots
from colorize.evaluation.run import Evaluation, evaluate_model
from colorize.evaluation.study import study_categories, study_curve
from colorize.models import find_model
from colorize.training.dataset import TrainingSet, load_folder

DATA = ROOT.parent / "shared" / "data"
PARTS = ("evaluate", "categories-of-model", "importance", "curve", "categories")


@click.command()
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Make these parts only.")
@click.option("--limit", type=int, help="Use fewer photographs, to try the script out.")
@click.option("--model", default="default", show_default=True)
def main(only: tuple[str, ...], limit: int | None, model: str) -> None:
    """Measure, draw, and write the tables into the page."""
    colorizer = Colorizer.load(find_model(model))
    makers = {
        "evaluate": lambda: evaluation(colorizer, limit),
        "categories-of-model": lambda: categories_of_model(colorizer, limit),
        "importance": lambda: importances(colorizer, limit),
        "curve": lambda: curve(limit),
        "categories": lambda: categories(limit),
    }
    for part in only or PARTS:
        click.echo(part)
        for mark, text in makers[part]().items():
            put("evaluation.md", mark, text)


def draw(drawn: Iterable[Plot], names: Mapping[str, str]) -> None:
    """Save some plots of a report, by their titles."""
    figures = {title: figure for title, _, figure in drawn}
    for title, name in names.items():
        save(f"evaluation-{name}", figures[title], title)


def evaluation(colorizer: Colorizer, limit: int | None) -> dict[str, str]:
    """The default model on the validation photographs of BSDS500."""
    photos = load_folder(DATA / "bsds500" / "val", limit=limit, select=False)
    found = evaluate_model(colorizer, photos.photos, names=photos.names)
    draw(
        evaluation_plots(found),
        {
            "Colour difference": "error",
            "Where the error comes from": "parts",
            "Error and colour together": "trade-off",
        },
    )
    return {"evaluate": evaluation_table(found), "differences": difference_table(found), "costs": cost_table(found)}


def evaluation_table(found: Evaluation) -> str:
    """Figures of all methods."""
    intervals = found.result.intervals()
    lines = ["| | CIEDE2000 | AuC | AuC rebalanced | colourfulness | told from real |", "|---|---|---|---|---|---|"]
    for name, row in intervals.items():
        told = f"{found.verdicts[name].value:.0%}" if name in found.verdicts else ""
        cells = [str(row["ciede2000"]), str(row["auc"]), str(row["auc_rebalanced"]), str(row["colorfulness_ratio"])]
        lines.append(f"| {name} | " + " | ".join([*cells, told]) + " |")
    return "\n".join(lines)


def difference_table(found: Evaluation) -> str:
    """The model against each rule, on the same photographs."""
    lines = ["| model minus | CIEDE2000 | AuC |", "|---|---|---|"]
    for other, row in found.result.differences("model").items():
        if other not in ORACLES:
            lines.append(f"| {other} | {signed(row['ciede2000'])} | {signed(row['auc'])} |")
    return "\n".join(lines)


def cost_table(found: Evaluation) -> str:
    """Memory and time of the stages on one photograph."""
    costs = found.result.costs["model"]
    stages = {name.removeprefix("stage: "): v.mean() for name, v in costs.items() if name.startswith("stage: ")}
    time = ", ".join(f"{name} {seconds:.3f} s" for name, seconds in stages.items())
    memory = ", ".join(f"{name} {n_bytes / 1e6:.1f} MB" for name, n_bytes in found.memory.items())
    return (
        f"Per photograph of 481 x 321 pixels: {costs['cpu_seconds'].mean():.2f} s of processor time. "
        f"Wall time by stage: {time}. Peak of arrays by stage: {memory}."
    )


def categories_of_model(colorizer: Colorizer, limit: int | None) -> dict[str, str]:
    """The default model on 40 photographs of each category."""
    lines = ["| | gray | model | model minus gray | colourfulness |", "|---|---|---|---|---|"]
    rows: dict[str, list[Interval]] = {}
    for folder in sorted((DATA / "categories").iterdir()):
        if folder.is_dir():
            photos = load_folder(folder, limit=limit or 40)
            result = evaluate_model(colorizer, photos.photos).result
            intervals = result.intervals()
            rows[folder.name] = [intervals[name]["ciede2000"] for name in ("model", "gray")]
            difference = signed(result.differences("model")["gray"]["ciede2000"])
            cells = [f"{intervals[name]['ciede2000'].value:.2f}" for name in ("gray", "model")]
            ratio = f"{intervals['model']['colorfulness_ratio'].value:.2f}"
            lines.append(f"| {folder.name} | " + " | ".join([*cells, difference, ratio]) + " |")
    figure = plots.intervals(rows, "CIEDE2000, smaller is better", series=("model", "gray"))
    save("evaluation-categories", figure, "Colour difference by category")
    return {"categories-of-model": "\n".join(lines)}


def importances(colorizer: Colorizer, limit: int | None) -> dict[str, str]:
    """What the default model lives on; the refits learn from the photographs of the default model's kind."""
    photos = load_folder(DATA / "bsds500" / "val", limit=limit or 40)
    teachers = load_folder(DATA / "bsds500" / "train", limit=limit or 100)
    found = importance(colorizer, photos.photos, training_photos=teachers.photos)
    draw(ranking_plots(found), {capital(SCORES["log_loss"]): "importance"})
    draw(redundancy_plots(found), {"Who predicts whom": "redundancy"})
    save("evaluation-colours", color_figure(found), "Error added by family and true colour")
    return {"importance": importance_table(found), "warnings": "\n".join(f"- {w}" for w in found.warnings)}


def importance_table(found: ImportanceResult) -> str:
    """Permutation across photographs and refits."""
    columns = {
        "final ab error added": found.select("permutation", "across", "final_ab_error"),
        "region ab error added": found.select("permutation", "across", "region_ab_error"),
        "balanced score lost, points": found.select("permutation", "across", "balanced_score"),
        "nats added": found.select("permutation", "across", "log_loss"),
        "trained without: nats added": found.select("drop", "refit", "log_loss"),
        "trained on it alone: nats saved": found.select("only", "refit", "log_loss"),
    }
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    clusters = [name for name, _ in found.select("cluster", "across", "log_loss")]
    columns_of_clusters = [found.select("cluster", "across", score) for score in
                           ("final_ab_error", "region_ab_error", "balanced_score", "log_loss")]  # fmt: skip
    for name in [*found.ranking(score="log_loss"), NOISE, *clusters]:
        values = columns_of_clusters if name in clusters else list(columns.values())
        cells = [signed(value[name, ""], 3) if (name, "") in value else "" for value in values]
        lines.append(f"| {name} | " + " | ".join(cells + [""] * (len(columns) - len(cells))) + " |")
    return "\n".join(lines)


def curve(limit: int | None) -> dict[str, str]:
    """Models trained on growing parts of the BSDS500 training photographs."""
    train = load_folder(DATA / "bsds500" / "train", limit=limit)
    test = load_folder(DATA / "bsds500" / "val", limit=limit, select=False)
    found = study_curve(train.photos, test.photos, names=test.names)
    draw(curve_plots(found), {"More photographs": "curve"})
    lines = ["| photographs | CPU seconds | CIEDE2000 | step | colourfulness | lookup |", "|---|---|---|---|---|---|"]
    for size, spent, error, gain, _, ratio, lookup in found.rows():
        step = signed(gain) if gain.known else ""
        lines.append(f"| {size} | {spent:.0f} | {error} | {step} | {ratio:.2f} | {lookup:.2f} |")
    return {"curve": "\n".join(lines)}


def categories(limit: int | None) -> dict[str, str]:
    """One model per category, 60 photographs each, tested on all."""
    sets: dict[str, TrainingSet] = {}
    for folder in sorted((DATA / "categories").iterdir()):
        if folder.is_dir():
            sets[folder.name] = load_folder(folder, limit=limit or 60)
    found = study_categories(sets)
    draw(category_plots(found, "classical"), {"Error against gray": "matrix"})
    tested = found.categories
    lines = ["| trained on (photographs) | " + " | ".join(tested) + " |", "|---" * (len(tested) + 1) + "|"]
    lines.append("| gray | " + " | ".join(f"{value:.2f}" for value in found.gray()) + " |")
    for (name, n_photos), row in zip(found.training.items(), found.matrix("classical"), strict=True):
        cells = [f"**{x:.2f}**" if name == category else f"{x:.2f}" for x, category in zip(row, tested, strict=True)]
        lines.append(f"| {name} ({n_photos}) | " + " | ".join(cells) + " |")
    return {"categories": "\n".join(lines)}


def signed(interval: Interval, digits: int = 2) -> str:
    """A difference with its interval and signs."""
    return f"{interval:+.{digits}f}".replace("-", "−")


if __name__ == "__main__":
    main()
