"""What several commands need: options, progress bars, checks of output paths."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize.exceptions import OutputExistsError

if TYPE_CHECKING:
    from colorize.colorizer import Colorizer

Progress = Callable[[str, int, int], None]

model_option = click.option(
    "--model",
    default="default",
    show_default=True,
    metavar="NAME|FILE",
    help="A shipped model (see `colorize models`) or a model file.",
)
force_option = click.option("--force", is_flag=True, help="Replace existing output files.")
quiet_option = click.option("--quiet", is_flag=True, help="Print nothing but errors and warnings.")
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Use a random sample of N photographs."
)
folder_argument = click.argument("folder", type=click.Path(path_type=Path))


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[Progress]:
    """Draw one bar per stage on the terminal, if there is one to draw on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    hidden = quiet or not console.is_terminal
    # rich would send redirected standard output to the terminal too
    with Progress(*columns, console=console, disable=hidden, redirect_stdout=sys.stdout.isatty()) as bars:
        tasks = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage)
            bars.update(tasks[stage], completed=done, total=total)

        yield show


def load_colorizer(model: str) -> Colorizer:
    """Load a shipped model by name, or a model file."""
    from colorize.colorizer import Colorizer
    from colorize.models import find_model

    return Colorizer.load(find_model(model))


def check_target(path: Path, *, force: bool) -> None:
    """Refuse an output file that could not be written, before the work that it is meant for."""
    if path.is_dir():
        raise click.UsageError(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise click.UsageError(f"{path}: there is no folder {path.parent}")
    if path.exists() and not force:
        raise already_there(path)


def already_there(path: Path) -> OutputExistsError:
    """Make the error for an output that exists."""
    return OutputExistsError(f"{path}: exists already; name another file or say --force")


def one_line(error: BaseException, path: Path | None = None) -> str:
    """Say what went wrong in one line that names the file."""
    if isinstance(error, OSError) and error.strerror:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif isinstance(error, MemoryError):
        message = "not enough memory"
    else:
        message = str(error) or type(error).__name__
    if path is not None and str(path) not in message:
        message = f"{path}: {message}"
    return " ".join(message.split())
