"""`colorize photo`: colorize photographs."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize.commands import _shared
from colorize.exceptions import ColorizeError

if TYPE_CHECKING:
    from colorize.colorizer import Colorizer

SAMPLE = ("sklearn", "datasets/images/flower.jpg")
SUFFIX = ".colorized.png"
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
@click.option(
    "--only-confident",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Keep colour only where the model is at least this sure of it (0 to 1; try 0.85), the rest gray.",
)
@click.option(
    "--confidence-map",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write a picture of where the model is sure (blue) and where it guesses (orange); for one INPUT.",
)
@click.option("--sample", is_flag=True, help="Colorize a photograph that comes with scikit-learn, into this folder.")
@_shared.force_option
@_shared.quiet_option
@click.pass_context
def command(
    context: click.Context,
    inputs: tuple[Path, ...],
    output: Path | None,
    model: str,
    vividness: float,
    only_confident: float | None,
    confidence_map: Path | None,
    sample: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Colorize photographs; of a colour photograph only the lightness is used.

    With several INPUTs, -o names a folder, one that fails does not stop the others, and the exit status is then 3.
    """
    for name, value in (("--vividness", vividness), ("--only-confident", only_confident)):
        if value is not None and math.isnan(value):
            raise click.BadParameter("nan is not between 0 and 1", param_hint=name)
    jobs = plan_sample(inputs, output) if sample else plan_jobs(inputs, output)
    if confidence_map is not None:
        check_map(confidence_map, jobs, force=force)
    doubt = Doubt(only_confident, confidence_map)
    n_failed = run_jobs(jobs, model=model, vividness=vividness, force=force, quiet=quiet, doubt=doubt)
    if n_failed:
        if len(jobs) > 1:
            click.echo(f"{n_failed} of {len(jobs)} photographs failed", err=True)
        context.exit(BATCH_HAS_FAILED_FILES if len(jobs) > 1 else 1)


@dataclass(frozen=True)
class Doubt:
    """What is wanted to be seen of the model's confidence.

    Attributes
    ----------
    least : float or None
        Keep colour only where the confidence is at least this.
    map_file : Path or None
        Where to draw it.
    """

    least: float | None = None
    map_file: Path | None = None


def check_map(path: Path, jobs: list[tuple[Path, Path]], *, force: bool) -> None:
    """Refuse a confidence map that could not be written, before the work."""
    from colorize.io import output_format

    if len(jobs) > 1:
        raise click.UsageError("--confidence-map draws one photograph; several were named")
    if path.resolve() in {file.resolve() for job in jobs for file in job}:
        raise click.UsageError(f"{path} is the photograph or its colour version; name another file for the map")
    _shared.check_target(path, force=force)
    output_format(path)


def plan_sample(inputs: tuple[Path, ...], output: Path | None) -> list[tuple[Path, Path]]:
    """Pair the sample photograph with its output."""
    if inputs:
        raise click.UsageError("--sample needs no INPUT")
    package, name = SAMPLE
    source = Path(str(resources.files(package) / name))
    return [(source, output_path(source, output or Path.cwd()))]


def plan_jobs(inputs: tuple[Path, ...], output: Path | None) -> list[tuple[Path, Path]]:
    """Pair every input with its output, and refuse what would lose a file before any work is done."""
    if not inputs:
        raise click.UsageError("name a photograph, or say --sample")
    if len(inputs) > 1 and output is not None and not output.is_dir():
        if output.exists() or output.suffix:
            raise click.UsageError(f"several photographs need a folder after -o, and {output} is none")
        output.mkdir(parents=True)
    jobs = [(source, output_path(source, output)) for source in inputs]
    targets = Counter(target.resolve() for _, target in jobs)
    sources = {source.resolve() for source in inputs}
    for source, target in jobs:
        if targets[target.resolve()] > 1:
            raise click.UsageError(f"more than one photograph would be written to {target}")
        if target.resolve() in sources:
            raise click.UsageError(f"{target} is one of the photographs to colorize; it would be replaced by {source}")
    return jobs


def output_path(source: Path, output: Path | None) -> Path:
    """Where the colour version of a photograph goes."""
    if output is not None and not output.is_dir():
        return output
    return (output or source.parent) / f"{source.stem}{SUFFIX}"


def run_jobs(
    jobs: list[tuple[Path, Path]], *, model: str, vividness: float, force: bool, quiet: bool, doubt: Doubt
) -> int:
    """Colorize one after another; return how many failed."""
    from colorize.io import output_format

    todo = []
    for source, target in jobs:
        try:
            output_format(target)
        except ColorizeError as error:
            report_failure(error, source)
            continue
        if target.exists() and not force:
            report_failure(_shared.already_there(target), source)
        else:
            todo.append((source, target))
    if not todo:
        return len(jobs)
    colorizer = _shared.load_colorizer(model)
    n_done = 0
    with _shared.progress_bars(quiet=quiet or len(jobs) == 1) as progress:
        for position, (source, target) in enumerate(todo):
            progress("photographs", position, len(todo))
            try:
                notes = colorize_file(source, target, colorizer, vividness=vividness, force=force, doubt=doubt)
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


def colorize_file(
    source: Path, target: Path, colorizer: Colorizer, *, vividness: float, force: bool, doubt: Doubt
) -> tuple[str, ...]:
    """Read, colorize, write; return what reading and writing had to change or leave out."""
    from colorize.color import to_gray
    from colorize.io import read_photo, write_photo

    photo = read_photo(source)
    gray = to_gray(photo)
    result = colorizer.predict(gray, vividness=vividness)
    if doubt.map_file is not None:
        from colorize.doubt import confidence_picture

        write_photo(confidence_picture(result), doubt.map_file, overwrite=force)
    if doubt.least is not None:
        from colorize.doubt import only_confident

        result = only_confident(result, gray, doubt.least)
    return photo.metadata.notes + write_photo(result.image, target, overwrite=force)
