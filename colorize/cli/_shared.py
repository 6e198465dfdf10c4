"""What several commands need: options, progress bars, checks of output paths."""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from colorize._support import files
from colorize._support.files import OVERWRITE, check_free, check_writable, write_atomically
from colorize._support.formats import output_format
from colorize._support.progress import Progress, silent
from colorize.exceptions import ColorizeError
from colorize.recipe.handling import Handling

if TYPE_CHECKING:
    from colorize.colorizer import Colorizer
    from colorize.predictor import Predictor

# Exit statuses. Neither 1, nothing was done, nor 2, with which click refuses a command line: scripts
# can tell that some photographs are there. 130 is 128 + SIGINT, as shells have it.
SOME_FAILED = 3
INTERRUPTED = 130

# The log of a night stays short enough to be read.
_SECONDS_BETWEEN_LINES = 30.0


def complete_model(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a shipped model, or else that of a file."""
    from colorize.models import available_models

    names = [model.name for model in available_models() if model.name.startswith(incomplete)]
    return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, type="file")]


class Size(click.ParamType):
    """A number of bytes, such as 4GB or 800MB; less than a kilobyte was meant otherwise."""

    name = "size"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number and its unit."""
        match = re.fullmatch(r"(\d{1,12}(?:\.\d+)?)\s*([KMGT]?)B?", str(value).strip().upper())
        # Powers of 1000, as all sizes that are printed.
        n_bytes = int(float(match[1]) * 1000 ** " KMGT".index(match[2] or " ")) if match else 0
        if not 1000 <= n_bytes < 10**15:
            self.fail(f"{value!r} is no size such as 4GB or 800MB", param, ctx)
        return n_bytes


class FloatRange(click.FloatRange):
    """A range without nan and inf: click lets nan through, on the wrong side of neither end."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number and hold it to the range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{number} is no finite number", param, ctx)
        return number


Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def bundled(name: str, kind: type, *options: Decorator) -> Decorator:
    """Give a command options as one parameter, a dataclass whose fields have their names; --help keeps their order."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def command(**given: Any) -> None:
            said = {field.name: given.pop(field.name) for field in fields(kind)}
            function(**{name: kind(**said)}, **given)

        decorated: Callable[..., None] = command
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


path_option = partial(click.option, type=click.Path(path_type=Path))
path_argument = partial(click.argument, type=click.Path(path_type=Path))
count_option = partial(click.option, type=click.IntRange(min=1), metavar="N")
share_option = partial(click.option, type=FloatRange(0, 1))
flag_option = partial(click.option, is_flag=True)
model_option = click.option(
    "--model",
    default="default",
    metavar="NAME|FILE",
    shell_complete=complete_model,
    help="A shipped model (see `colorize models`) or a model file.",
)
_force = partial(flag_option, help="Replace existing output files.")
force_option = _force("--force")
quiet_option = flag_option("--quiet", help="Print nothing but errors and warnings.")
limit_option = count_option("--limit", help="Use a random sample of N photographs.")
folder_argument = path_argument("folder")
palette_option = click.option(
    "--palette-size", type=click.IntRange(2, 256), metavar="K", help="Colours that a model can tell apart."
)
superpixels_option = click.option(
    "--superpixels", type=click.IntRange(4, 10_000), metavar="N", help="Regions per photograph."
)
picture_vividness_option = share_option("--vividness", default=0.5, help="0 is faithful and pale, 1 is bold.")
vividness_option = share_option("--vividness", default=0.0, help="Setting of the models: 0 is faithful, 1 is bold.")
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of every random choice.")
max_pixels_option = count_option(
    "--max-pixels",
    default=Handling.max_pixels,
    help="Refuse photographs with more pixels, before they are decoded.",
)


@dataclass(frozen=True, kw_only=True)
class Files(Handling):
    """How photographs are read and written; what its parts mean say the options below."""

    keep_tint: bool
    all_frames: bool
    quiet: bool


file_options = bundled(
    "files",
    Files,
    max_pixels_option,
    flag_option(
        "--salvage",
        help="Colorize what can be read of damaged photographs; the rest stays black, and the notes say so.",
    ),
    flag_option("--keep-tint", help="Lay the tint of a toned print (sepia, yellowed paper) over the colours."),
    flag_option("--all-frames", help="Colorize every page or frame of a file, not the first alone; output as TIFF."),
    flag_option("--keep-times", help="Give output files the times of their inputs."),
    _force("--force", "overwrite"),
    quiet_option,
)


@dataclass(frozen=True)
class Outputs:
    """What a study is asked to print and to write."""

    html: Path | None = None
    csv: Path | None = None
    json: Path | None = None
    force: bool = False
    quiet: bool = False

    def check(self, *sources: Path | None) -> None:
        """Refuse, before the work, what could not be written after it, or would replace what it reads."""
        wanted = [path for path in (self.html, self.csv, self.json) if path is not None]
        check_apart(wanted, sources)
        for path in wanted:
            check_target(path, force=self.force)
        if self.html is not None:
            if self.html.suffix.lower() not in (".html", ".htm"):
                raise click.UsageError(f"{self.html}: a page is HTML, so that its name must end in .html")
            from colorize.evaluation.report import check_installed

            check_installed()

    def write(self, summary: str, **texts: Callable[[], str]) -> None:
        """Print a summary, then write what was asked for, and say so."""
        if not self.quiet:
            click.echo(summary)
        for name, path in (("html", self.html), ("csv", self.csv), ("json", self.json)):
            if path is not None:
                write_atomically(path, [(texts[name]().rstrip("\n") + "\n").encode("utf-8", "backslashreplace")])
                if not self.quiet:
                    click.echo(f"wrote {path}")


output_options = bundled(
    "outputs",
    Outputs,
    path_option("-o", "--html", metavar="PAGE.html", help="Write a report to read to this file."),
    path_option("--csv", metavar="FILE", help="Write a table to this file."),
    path_option("--json", metavar="FILE", help="Write all figures to this file."),
    force_option,
    quiet_option,
)


@contextmanager
def progress_bars(*, quiet: bool, lines: bool = False) -> Iterator[Progress]:
    """Draw one bar per stage on the terminal; where there is none, print a line every half minute if asked to."""
    if quiet or not sys.stderr.isatty():
        yield Lines() if lines and not quiet else silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    # rich would send redirected standard output to the terminal too
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as bars:
        begun: dict[str, tuple[Any, int, float]] = {}

        def show(stage: str, done: int, total: int) -> None:
            now = time.monotonic()
            if stage not in begun:
                begun[stage] = bars.add_task(stage, total=total or None, completed=done, rate=""), done, now
            task, first, start = begun[stage]
            # Not rich's own, which is that between two tellings: of two that were there already, hundreds a second.
            rate = pace((done - first) / (now - start)) if done > first and now > start else ""
            bars.update(task, completed=done, total=total or None, rate=rate)

        yield show


class Lines:
    """Progress for log files."""

    def __init__(self) -> None:
        self.stage, self.start, self.first, self.last = "", 0.0, 0, 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Print a line if the last one is long ago."""
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.start, self.first, self.last = stage, now, done, now
        if now - self.last < _SECONDS_BETWEEN_LINES:
            return
        self.last = now
        # From where this run began: what earlier runs have done came at no speed.
        rate = (done - self.first) / (now - self.start)
        left = f", {(total - done) / rate / 60:.0f} min left" if rate else ""
        click.echo(f"{stage}: {done} of {total}, {pace(rate)}{left}", err=True)


def pace(rate: float) -> str:
    """How many a second; a minute, where that would be less than one."""
    return f"{rate:.1f} a second" if rate >= 1 else f"{60 * rate:.1f} a minute"


@contextmanager
def usage_errors() -> Iterator[None]:
    """Tell of values that the library refuses as of options that are wrong."""
    try:
        yield
    # Some errors of the package are ValueErrors too, and have words and a status of their own.
    except ColorizeError:
        raise
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def given(**parameters: Any) -> dict[str, Any]:
    """Those that somebody chose: the library knows the others best."""
    return {name: value for name, value in parameters.items() if value is not None}


def load_colorizer(model: str) -> Colorizer:
    """Load a shipped model by name, or a model file."""
    from colorize.colorizer import Colorizer
    from colorize.models import find_model

    return Colorizer.load(find_model(model))


def load_predictor(model: str) -> Predictor:
    """Load what colorizes with a shipped model or a model file; far sooner there than one that can also learn."""
    from colorize.models import find_model
    from colorize.predictor import Predictor

    return Predictor.load(find_model(model))


def load_painter(model: str, refine: str | None, device: str = "auto") -> Predictor:
    """Load what colorizes with a model: the model itself, or a refiner of it."""
    if refine is None:
        return load_predictor(model)
    from colorize.refine.predictor import Refiner

    # A refiner asks its base for more than colours; all others take what loads sooner.
    return Refiner.load(refine, load_colorizer(model), device=device)


def check_target(path: Path, *, force: bool) -> None:
    """Refuse an output file that could not be written, before the work that it is meant for."""
    if path.is_dir():
        raise click.UsageError(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise click.UsageError(f"{path}: there is no folder {path.parent}")
    check_free(path, overwrite=force)
    check_writable(path.parent)


def check_picture_target(path: Path, *, force: bool, all_frames: bool = False) -> None:
    """Refuse a picture that could not be written, for its place or its ending."""
    check_target(path, force=force)
    output_format(path, all_frames=all_frames)


def check_model_target(path: Path, *sources: Path | None, force: bool) -> None:
    """Refuse a model file that could not be written, would not be found again or replace a source of the training."""
    check_apart([path], sources)
    if path.suffix != ".safetensors":
        raise click.UsageError(f"{path}: a model file's name must end in .safetensors")
    check_target(path, force=force)


def check_apart(targets: Iterable[Path | None], sources: Iterable[Path | None]) -> None:
    """Refuse outputs that would replace what the command reads, or each other: --force does not mean these."""
    # Resolved: two names can be one file.
    read = {path.resolve() for path in sources if path is not None}
    written: set[Path] = set()
    for path in targets:
        if path is None:
            continue
        if path.resolve() in read:
            raise click.UsageError(f"{path} is read by this command, and would be replaced; name another file")
        if path.resolve() in written:
            raise click.UsageError(f"more than one result would be written to {path}; name different files")
        written.add(path.resolve())


def check_target_folder(path: Path) -> None:
    """Refuse an output folder that can be neither made nor written to, before the work."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise click.UsageError(f"{there} is a file; name a folder")
    check_writable(there)


def shown(name: str) -> str:
    """A name of a file for the screen: line breaks and what would steer a terminal are spelt out."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def one_line(error: BaseException, path: Path | None = None) -> str:
    """Say what went wrong in one line that names the file."""
    # The library speaks of its own arguments.
    message = files.one_line(error).replace(OVERWRITE, "name another output or add --force")
    name = "" if path is None else " ".join(str(path).split())
    return message if name in message else f"{name}: {message}"


def folder_name(folder: Path) -> str:
    """What a report calls a folder: its name and that of the folder around it, not where they lie."""
    return "/".join(folder.resolve().parts[-2:])
