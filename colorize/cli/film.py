"""`colorize film`: colorize a film, resumable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize._support.formats import container_format
from colorize.cli import _hands, _shared
from colorize.exceptions import HintsError

if TYPE_CHECKING:
    from colorize.film.run import FilmReport, Hinted

_MOMENT = re.compile(r"(\d+)|(\d+(?:\.\d+)?)s")
_HINT_SUFFIXES = (".png", ".tif", ".tiff", ".webp", ".json")


@click.command("film", short_help="Colorize a film, resumable.")
@_shared.path_argument("source", metavar="IN")
@_shared.path_argument("target", metavar="OUT")
@_shared.model_option
@_shared.picture_vividness_option
@_hands.hints_path_option(
    "hints_path",
    instead="put the hints of several frames into one folder",
    metavar="FILE|DIR",
    help="Colours that you know, as for a photograph, named after their frame: 000123.png, or 12.5s.json for a time.",
)
@_hands.reach_option
@click.option(
    "--crf",
    type=click.IntRange(1, 40),
    default=16,
    help="Quality of the H.264 pictures: lower is better and larger; 16 looks like the original.",
)
@_shared.force_option
@_shared.quiet_option
@click.pass_context
def command(
    context: click.Context,
    source: Path,
    target: Path,
    model: str,
    vividness: float,
    hints_path: Path | None,
    reach: str | None,
    crf: int,
    force: bool,
    quiet: bool,
) -> None:
    """Colorize the film IN into OUT (.mp4, .m4v, .mov or .mkv), without flicker; needs the extra `video`.

    Sound and time stamps are those of IN; of its colours only the lightness is used. Finished pieces are kept in
    OUT.part until all is done: run the same command again after an interruption of any kind and it goes on.
    """
    _hands.check_reach(hints_path, reach)
    may_be_whole = Path(f"{target}.part").is_dir()  # the last run was cut off as it cleared away
    _shared.check_target(target, force=force or may_be_whole)
    container_format(target)
    from colorize.film.reading import Film
    from colorize.film.run import colorize_film
    from colorize.recipe.work import make_recipe

    film = Film.open(source)
    hints = {} if hints_path is None else read_moments(hints_path, film.shape, reach)
    colorizer = _shared.load_predictor(model)
    try:
        with _shared.progress_bars(quiet=quiet, lines=True) as progress:
            report = colorize_film(
                source,
                target,
                colorizer,
                make_recipe(model, colorizer, vividness=vividness),
                hints=[said for _, said in hints.values()],
                crf=crf,
                overwrite=force,
                progress=progress,
            )
    except HintsError as error:
        # Which frames there are is known by then; of files the library knows nothing.
        file, _ = hints.get(str(error.moment), (None, None))
        raise HintsError(_shared.one_line(error, file)) from error
    except KeyboardInterrupt:
        click.echo(f"Interrupted; {target}.part keeps finished pieces: run the same command again to go on.", err=True)
        context.exit(_shared.INTERRUPTED)
    if not quiet:
        tell(source, target, report)


def read_moments(path: Path, shape: tuple[int, int], reach: str | None = None) -> dict[str, tuple[Path, Hinted]]:
    """Hints of a file named after its frame (int) or second (float), or of all such files of a folder, by moment."""
    if not path.exists():
        raise HintsError(f"{path}: no such file or folder")
    files = [path]
    if path.is_dir():
        # Paint programs leave files of their own beside what they save, and macOS a ._000123.png.
        seen = (file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        files = sorted(file for file in seen if file.suffix.lower() in _HINT_SUFFIXES)
        if not files:
            raise HintsError(f"{path}: there are no hints in this folder, such as 000123.png or 12.5s.json")
    found: dict[str, tuple[Path, Hinted]] = {}
    for file in files:
        match = _MOMENT.fullmatch(file.stem)
        if match is None:
            raise HintsError(f"{file}: name it after its frame (000123{file.suffix}) or its time (12.5s{file.suffix})")
        moment = float(match.group(2)) if match.group(1) is None else int(match.group(1))
        # As text: frame 12 and second 12.0 are equal numbers.
        if str(moment) in found:
            raise HintsError(f"{file}: there are other hints for the same frame")
        found[str(moment)] = file, (moment, _hands.read_hints(file, shape, reach))
    return found


def tell(source: Path, target: Path, report: FilmReport) -> None:
    """Print what became of the film."""
    for note in report.notes:
        click.echo(f"Note: {source}: {note}", err=True)
    earlier = f", {report.n_earlier} of them by earlier runs" if report.n_earlier else ""
    frames = "1 frame" if report.n_frames == 1 else f"{report.n_frames} frames"
    shots = "1 shot" if report.n_shots == 1 else f"{report.n_shots} shots"
    click.echo(f"{source} -> {target}: {frames}{earlier}, {shots}; {report.seconds:.1f} s")
