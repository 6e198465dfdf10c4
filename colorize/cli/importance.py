"""`colorize importance`: which feature families a model lives on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize._support.tables import aligned
from colorize.cli import _measuring, _shared

if TYPE_CHECKING:
    from colorize.evaluation.importance import ImportanceResult


@click.command("importance", short_help="Find out which features a model lives on.")
@click.argument("model", metavar="MODEL", shell_complete=_shared.complete_model)
@_shared.folder_argument
@_shared.path_option(
    "--train",
    "training_folder",
    metavar="FOLDER",
    help="Photographs for the refits and the control; without it they learn from halves of FOLDER.",
)
@click.option("--repeats", type=click.IntRange(min=1), default=5, help="Random orders per family.")
@click.option("--detail-repeats", type=click.IntRange(min=0), default=2, help="The same per part of a family.")
@click.option("--refits/--no-refits", default=True, help="Train without and with single families.")
@_shared.vividness_option
@_shared.limit_option
@_shared.seed_option
@_shared.output_options
def command(
    model: str,
    folder: Path,
    training_folder: Path | None,
    repeats: int,
    detail_repeats: int,
    refits: bool,
    vividness: float,
    limit: int | None,
    seed: int,
    outputs: _shared.Outputs,
) -> None:
    """Measure what each feature family is worth to MODEL on the photographs of FOLDER, which it was not trained on.

    Families are permuted as a whole, within and across photographs; twins of the model are trained without each family
    and with each alone; a family of shuffled numbers serves as control. Equal inputs and seeds give equal numbers.
    About 40 photographs are enough.
    """
    outputs.check()
    from colorize.evaluation.importance import importance
    from colorize.evaluation.report import importance_report
    from colorize.training.dataset import load_folder

    colorizer = _shared.load_colorizer(model)
    with _shared.progress_bars(quiet=outputs.quiet) as progress:
        test_set = _measuring.photos_with_colors(folder, limit=limit, progress=progress)
        teachers = load_folder(training_folder, progress=progress) if training_folder else None
        found = importance(
            colorizer,
            test_set.photos,
            training_photos=teachers.photos if teachers else None,
            n_repeats=repeats,
            n_detail_repeats=detail_repeats,
            refits=refits,
            vividness=vividness,
            random_state=seed,
            progress=progress,
        )
    used = [_measuring.told(test_set), *([_measuring.told(teachers, "learnt from")] if teachers else [])]
    outputs.write(
        "\n".join([*used, summary(found)]),
        html=lambda: importance_report(found, model=Path(model).stem, source=_shared.folder_name(folder)),
        csv=found.to_csv,
        json=found.to_json,
    )


def summary(found: ImportanceResult) -> str:
    """Put the findings in text for a terminal."""
    titles = {"region_ab_error": "region ab error", "final_ab_error": "final ab error", "log_loss": "log-loss"}
    titles |= {"balanced_score": "balanced score lost"}
    worth = [found.select("permutation", "across", score) for score in titles]
    controls = [family for family, _ in worth[0] if family.startswith("noise")]
    rows = [["", *titles.values()]]
    for family in [*found.ranking(score="log_loss"), *controls]:
        values = [by_family.get((family, "")) for by_family in worth]
        rows.append([family, *("" if value is None else f"{value:+.3f}" for value in values)])
    caption = "added by permuting a family across photographs; in the order of the log-loss added, in nats"
    return "\n".join([caption, *aligned(rows), *(f"Note: {warning}" for warning in found.warnings)])
