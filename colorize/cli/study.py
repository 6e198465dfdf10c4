"""`colorize study`: experiments that train several models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from colorize._support.progress import Progress
from colorize.cli import _measuring, _shared
from colorize.exceptions import DatasetError

# The keys of `colorize.evaluation.study.TRAINERS`, written out: importing it loads scikit-learn,
# and --help should not wait for that.
TRAINERS = ("classical", "lookup", "mean")


@click.group("study", short_help="Train several models and compare them.")
def command() -> None:
    """Experiments that train several models: one per category, or on more and more photographs."""


@command.command("categories", short_help="One model per sub-folder, tested on all.")
@_shared.folder_argument
@click.option(
    "--method",
    "methods",
    multiple=True,
    type=click.Choice(TRAINERS),
    default=("classical",),
    help="How to learn; say it once per method.",
)
@click.option(
    "--hold-out",
    type=_shared.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    help="Share of each sub-folder that is tested on and never trained on.",
)
@_shared.palette_option
@_shared.superpixels_option
@click.option(
    "--limit", type=click.IntRange(min=10), metavar="N", help="Use a random sample of N photographs per sub-folder."
)
@_shared.seed_option
@_shared.output_options
def categories(
    folder: Path,
    methods: tuple[str, ...],
    hold_out: float,
    palette_size: int | None,
    superpixels: int | None,
    limit: int | None,
    seed: int,
    outputs: _shared.Outputs,
) -> None:
    """Train one model per sub-folder of FOLDER and on all together, and test each on the photographs held out of each.

    Does a portrait model pay for portraits, and what does it do to landscapes? Sub-folders with fewer than ten usable
    photographs are left out and named.
    """
    outputs.check()
    from colorize.evaluation.report import category_report
    from colorize.evaluation.study import study_categories

    with _shared.progress_bars(quiet=outputs.quiet) as progress:
        sets, unread = load_categories(folder, limit, seed, progress)
        found = study_categories(
            sets,
            methods=tuple(dict.fromkeys(methods)),
            fraction=hold_out,
            parameters=_shared.given(n_colors=palette_size, n_superpixels=superpixels),
            left_out=unread,
            random_state=seed,
            progress=progress,
        )
    used = [f"{name}: {_measuring.told(sets[name], 'used')}" for name in found.categories]
    left_out = [f"left out: {name}: {reason}" for name, reason in found.left_out.items()]
    text = "\n".join([*used, found.table(), *left_out])
    source = _shared.folder_name(folder)
    outputs.write(text, html=lambda: category_report(found, source=source), csv=found.to_csv, json=found.to_json)


@command.command("curve", short_help="Error against number of training photographs.")
@_shared.folder_argument
@_shared.path_option(
    "--test",
    "test_folder",
    metavar="FOLDER",
    help="Photographs to measure with; without it, a fifth of FOLDER is held out.",
)
@click.option("--sizes", metavar="N,N,...", help="Training photographs; by default 25, 50, 100 ... up to all.")
@_shared.palette_option
@_shared.superpixels_option
@_shared.limit_option
@_shared.seed_option
@_shared.output_options
def curve(
    folder: Path,
    test_folder: Path | None,
    sizes: str | None,
    palette_size: int | None,
    superpixels: int | None,
    limit: int | None,
    seed: int,
    outputs: _shared.Outputs,
) -> None:
    """Train on growing parts of FOLDER and measure each model on the same photographs: would more of them help?"""
    outputs.check()
    wanted = parse_sizes(sizes)
    from colorize.evaluation.report import curve_report
    from colorize.evaluation.study import study_curve
    from colorize.training.dataset import load_folder

    with _shared.progress_bars(quiet=outputs.quiet) as progress:
        training_set = load_folder(folder, limit=limit, random_state=seed, progress=progress)
        used = [_measuring.told(training_set, "used")]
        if test_folder is None:
            training_set, test_set = training_set.split(0.2, random_state=seed)
        else:
            test_set = _measuring.photos_with_colors(test_folder, limit=None, progress=progress)
            used.append(_measuring.told(test_set))
        with _shared.usage_errors():
            found = study_curve(
                training_set.photos,
                test_set.photos,
                sizes=wanted,
                names=test_set.names,
                parameters=_shared.given(n_colors=palette_size, n_superpixels=superpixels),
                random_state=seed,
                progress=progress,
            )
    source = _shared.folder_name(folder)
    text = "\n".join([*used, found.table()])
    outputs.write(text, html=lambda: curve_report(found, source=source), csv=found.to_csv, json=found.to_json)


def load_categories(
    folder: Path, limit: int | None, seed: int, progress: Progress
) -> tuple[dict[str, Any], dict[str, str]]:
    """Usable photographs of every sub-folder, and the sub-folders without any."""
    from colorize.training.dataset import load_folder

    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; name a folder with one sub-folder per category")
    sets, left_out = {}, {}
    for path in sorted(folder.iterdir()):
        # Editors and systems keep folders of their own among the categories.
        if path.is_dir() and not path.name.startswith("."):
            try:
                sets[path.name] = load_folder(path, limit=limit, random_state=seed, progress=progress)
            except DatasetError as error:
                left_out[path.name] = str(error).removeprefix(f"{path}: ")
    return sets, left_out


def parse_sizes(text: str | None) -> list[int] | None:
    """Numbers with commas between them."""
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of numbers such as 25,50,100", param_hint="--sizes") from None
