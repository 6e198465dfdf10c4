"""`colorize photo`: colorize photographs."""

from __future__ import annotations

import math
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import click

from colorize.commands import _shared
from colorize.exceptions import ColorizeError

SAMPLE = ("sklearn", "datasets/images/flower.jpg")
SUFFIX = ".colorized.png"
PAGES_SUFFIX = ".colorized.tif"
BATCH_HAS_FAILED_FILES = 3


@click.command("photo", short_help="Colorize photographs.")
@click.argument("inputs", nargs=-1, type=click.Path(path_type=Path), metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help=f"Where to write; the file's ending decides the format. Default: beside INPUT, as NAME{SUFFIX}.",
)
@_shared.model_option
@click.option(
    "--vividness",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="0 is faithful and pale, 1 is bold.",
)
@click.option("--sample", is_flag=True, help="Colorize a photograph that comes with scikit-learn, into this folder.")
@_shared.file_options
@_shared.force_option
@_shared.quiet_option
@click.pass_context
def command(
    context: click.Context,
    inputs: tuple[Path, ...],
    output: Path | None,
    model: str,
    vividness: float,
    sample: bool,
    max_pixels: int,
    keep_tint: bool,
    all_frames: bool,
    keep_times: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Colorize photographs; of a colour photograph only the lightness is used.

    With several INPUTs, -o names a folder, one that fails does not stop the others, and the exit status is then 3.
    """
    if math.isnan(vividness):
        raise click.BadParameter("nan is not between 0 and 1", param_hint="--vividness")
    suffix = PAGES_SUFFIX if all_frames else SUFFIX
    jobs = plan_sample(inputs, output) if sample else plan_jobs(inputs, output, suffix)
    n_failed = run_jobs(
        jobs,
        model=model,
        colors={"vividness": vividness, "keep_tint": keep_tint, "all_frames": all_frames},
        files={"max_pixels": max_pixels, "keep_times": keep_times, "overwrite": force},
        quiet=quiet,
    )
    if n_failed:
        if len(jobs) > 1:
            click.echo(f"{n_failed} of {len(jobs)} photographs failed", err=True)
        context.exit(BATCH_HAS_FAILED_FILES if len(jobs) > 1 else 1)


def plan_sample(inputs: tuple[Path, ...], output: Path | None) -> list[tuple[Path, Path]]:
    """Pair the sample photograph with its output."""
    if inputs:
        raise click.UsageError("--sample needs no INPUT")
    package, name = SAMPLE
    source = Path(str(resources.files(package) / name))
    return [(source, output_path(source, output or Path.cwd(), SUFFIX))]


def plan_jobs(inputs: tuple[Path, ...], output: Path | None, suffix: str) -> list[tuple[Path, Path]]:
    """Pair every input with its output, and refuse what would lose a file before any work is done."""
    if not inputs:
        raise click.UsageError("name a photograph, or say --sample")
    if len(inputs) > 1 and output is not None and not output.is_dir():
        if output.exists() or output.suffix:
            raise click.UsageError(f"several photographs need a folder after -o, and {output} is none")
        output.mkdir(parents=True)
    jobs = [(source, output_path(source, output, suffix)) for source in inputs]
    targets = Counter(target.resolve() for _, target in jobs)
    sources = {source.resolve() for source in inputs}
    for source, target in jobs:
        if targets[target.resolve()] > 1:
            raise click.UsageError(f"more than one photograph would be written to {target}")
        if target.resolve() in sources:
            raise click.UsageError(f"{target} is one of the photographs to colorize; it would be replaced by {source}")
    return jobs


def output_path(source: Path, output: Path | None, suffix: str) -> Path:
    """Where the colour version of a photograph goes."""
    if output is not None and not output.is_dir():
        return output
    return (output or source.parent) / f"{source.stem}{suffix}"


def run_jobs(
    jobs: list[tuple[Path, Path]], *, model: str, colors: dict[str, Any], files: dict[str, Any], quiet: bool
) -> int:
    """Colorize one after another; return how many failed."""
    from colorize.batch.work import Handling, check_format, colorize_file, make_recipe

    todo = []
    for source, target in jobs:
        try:
            check_format(target, all_frames=colors["all_frames"])
        except ColorizeError as error:
            report_failure(error, source)
            continue
        if target.exists() and not files["overwrite"]:
            report_failure(_shared.already_there(target), source)
        else:
            todo.append((source, target))
    if not todo:
        return len(jobs)
    colorizer = _shared.load_colorizer(model)
    recipe, handling = make_recipe(model, colorizer, **colors), Handling(**files)
    n_done = 0
    with _shared.progress_bars(quiet=quiet or len(jobs) == 1) as progress:
        for position, (source, target) in enumerate(todo):
            progress("photographs", position, len(todo))
            try:
                notes = colorize_file(source, target, colorizer, recipe, handling)
            except (ColorizeError, OSError, MemoryError) as error:
                report_failure(error, source)
                continue
            n_done += 1
            if not quiet:
                click.echo(f"{source} -> {target}")
                for note in notes:
                    click.echo(f"Note: {source}: {note}", err=True)
        progress("photographs", len(todo), len(todo))
    return len(jobs) - n_done


def report_failure(error: BaseException, source: Path) -> None:
    """Say in one line why a photograph failed."""
    click.echo(f"Error: {_shared.one_line(error, source)}", err=True)
