"""`colorize photo`: colorize photographs."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize._support.formats import COLORIZED, output_format
from colorize._support.progress import telling
from colorize.cli import _hands, _shared, _training
from colorize.exceptions import ColorizeError

if TYPE_CHECKING:
    from colorize.guidance.references import References
    from colorize.predictor import Predictor
    from colorize.recipe.handling import Handling
    from colorize.recipe.note import Recipe

SAMPLE = ("sklearn", "datasets/images/flower.jpg")
# PNG whatever the input was: saving loses nothing.
SUFFIX = f"{COLORIZED}.png"
PAGES_SUFFIX = f"{COLORIZED}.tif"


@click.command("photo", short_help="Colorize photographs.")
@_shared.path_argument("inputs", nargs=-1, metavar="INPUT...")
@_shared.path_option(
    "-o",
    "--output",
    metavar="FILE|DIR",
    help=f"Where to write; the file's ending decides the format. Default: beside INPUT, as NAME{SUFFIX}.",
)
@_shared.model_option
@_shared.picture_vividness_option
@_hands.options
@_shared.flag_option("--sample", help="Colorize a photograph that comes with scikit-learn, into this folder.")
@click.option("--refine", metavar="FILE", help="A refiner of the model, from `colorize refine train`.")
@_training.device_option
@_shared.file_options
@click.pass_context
def command(
    context: click.Context,
    inputs: tuple[Path, ...],
    output: Path | None,
    model: str,
    vividness: float,
    by_hand: _hands.ByHand,
    sample: bool,
    refine: str | None,
    device: str,
    files: _shared.Files,
) -> None:
    """Colorize photographs; of a colour photograph only the lightness is used.

    With several INPUTs, -o names a folder, one that fails does not stop the others, and the exit status is then 3; what
    colorize has made is left out.
    """
    suffix = PAGES_SUFFIX if files.all_frames else SUFFIX
    jobs = plan_sample(inputs, output) if sample else plan_jobs(inputs, output, suffix)
    n_named = len(jobs)
    if n_named > 1:
        jobs = without_results(jobs, files)
    by_hand.check(n_named)
    targets = [path for _, target in jobs for path in by_hand.targets(target)]
    sources = [source for source, _ in jobs]
    _shared.check_apart([*targets, by_hand.confidence_map], [*sources, by_hand.hints_file, *by_hand.reference])
    if by_hand.confidence_map is not None:
        _shared.check_picture_target(by_hand.confidence_map, force=files.overwrite)
    if files.all_frames and (by_hand.any or refine is not None):
        raise click.UsageError("--all-frames goes without hints, references, alternatives, confidence and refiner")
    if device != "auto" and refine is None:
        raise click.UsageError("--device is for networks: it goes with --refine")
    n_failed = run_jobs(
        jobs,
        model=model,
        vividness=vividness,
        refine=refine,
        device=device,
        files=files,
        by_hand=by_hand,
        tell_notes=not sample,  # what is special about the sample's file is nobody's concern
    )
    if n_failed:
        if n_named > 1:
            click.echo(f"{n_failed} of {len(jobs)} photographs failed", err=True)
        context.exit(_shared.SOME_FAILED if n_named > 1 else 1)


def plan_sample(inputs: tuple[Path, ...], output: Path | None) -> list[tuple[Path, Path]]:
    """Pair the sample photograph with its output."""
    if inputs:
        raise click.UsageError("--sample needs no INPUT")
    package, name = SAMPLE
    spec = find_spec(package)  # finds it without the second that importing it takes
    if spec is None or not spec.submodule_search_locations:
        raise click.UsageError(f"--sample is a photograph of {package}, which is not installed")
    source = Path(spec.submodule_search_locations[0]) / name
    return [(source, output_path(source, output or Path.cwd(), SUFFIX))]


def plan_jobs(inputs: tuple[Path, ...], output: Path | None, suffix: str) -> list[tuple[Path, Path]]:
    """Pair every input with its output."""
    if not inputs:
        raise click.UsageError("name a photograph, or say --sample")
    if len(inputs) > 1 and output is not None and not output.is_dir():
        if output.exists() or output.suffix:
            raise click.UsageError(f"several photographs need a folder after -o, and {output} is none")
        _shared.check_target_folder(output)
        output.mkdir(parents=True)
    for source in inputs:
        if source.is_dir():
            raise click.UsageError(f"{source} is a folder; `colorize batch {source} DEST` colorizes what is in it")
    return [(source, output_path(source, output, suffix)) for source in inputs]


def without_results(jobs: list[tuple[Path, Path]], files: _shared.Files) -> list[tuple[Path, Path]]:
    """Those whose inputs colorize has not made itself: `*.png` means photographs, also the second time."""
    from colorize.recipe.work import is_result

    results = {source for source, _ in jobs if is_result(source, files.max_pixels)}
    if len(results) == len({source for source, _ in jobs}):
        raise click.UsageError("colorize made all of these itself; name one alone to colour it")
    for source in () if files.quiet else sorted(results):
        click.echo(f"Note: {source}: left out, since colorize made it; name it alone to colour it", err=True)
    return [(source, target) for source, target in jobs if source not in results]


def output_path(source: Path, output: Path | None, suffix: str) -> Path:
    """Where the colour version of a photograph goes."""
    if output is not None and not output.is_dir():
        return output
    return (output or source.parent) / f"{source.stem}{suffix}"


def run_jobs(
    jobs: list[tuple[Path, Path]],
    *,
    model: str,
    vividness: float,
    files: _shared.Files,
    by_hand: _hands.ByHand,
    tell_notes: bool,
    refine: str | None,
    device: str,
) -> int:
    """Colorize one after another; return how many failed."""
    todo = with_good_targets(jobs, by_hand, files)
    if not todo:
        return len(jobs)
    from colorize.recipe.work import colorize_file, make_recipe

    colorizer = _shared.load_painter(model, refine, device)
    recipe = make_recipe(model, colorizer, vividness=vividness, keep_tint=files.keep_tint, all_frames=files.all_frames)
    references = _hands.read_references(colorizer, by_hand.reference)
    n_done = 0
    # A bar of one step tells nothing.
    with _shared.progress_bars(quiet=files.quiet or len(jobs) == 1) as progress:
        for source, target in telling(progress, "photographs", todo):
            try:
                if by_hand.any or refine is not None:
                    notes = colorize_by_hand(source, target, colorizer, recipe, files, by_hand, references)
                else:
                    notes = colorize_file(source, target, colorizer, recipe, files)
            # One photograph that cannot be done must not cost the others.
            except (ColorizeError, OSError, MemoryError) as error:
                click.echo(f"Error: {_shared.one_line(error, source)}", err=True)
                continue
            n_done += 1
            if not files.quiet:
                click.echo(f"{source} -> {', '.join(map(str, by_hand.targets(target)))}")
                for note in notes if tell_notes else ():
                    click.echo(f"Note: {source}: {note}", err=True)
    return len(jobs) - n_done


def with_good_targets(
    jobs: list[tuple[Path, Path]], by_hand: _hands.ByHand, files: _shared.Files
) -> list[tuple[Path, Path]]:
    """Those whose outputs can be written; say of the others what is wrong, before any work."""
    todo = []
    for source, target in jobs:
        try:
            # Of the name that was given: those of alternatives have a number before its ending.
            output_format(target, all_frames=files.all_frames)
            for path in by_hand.targets(target):
                _shared.check_picture_target(path, force=files.overwrite, all_frames=files.all_frames)
        except (ColorizeError, click.UsageError) as error:
            click.echo(f"Error: {_shared.one_line(error, source)}", err=True)
        else:
            todo.append((source, target))
    return todo


def colorize_by_hand(
    source: Path,
    target: Path,
    colorizer: Predictor,
    recipe: Recipe,
    handling: Handling,
    by_hand: _hands.ByHand,
    references: References | tuple[()],
) -> tuple[str, ...]:
    """Read, colorize by hand, write one picture or several; return what there is to tell."""
    from colorize.color import to_gray
    from colorize.explanation.doubt import confidence_picture
    from colorize.io import write_photo
    from colorize.recipe.note import AID
    from colorize.recipe.work import Wishes, copy_times, file_digest, finished, read, reading_notes, refiner_of, signed
    from colorize.types import PhotoMetadata

    (photo,) = read(source, handling)
    hints = None if by_hand.hints_file is None else _hands.read_hints(by_hand.hints_file, photo.shape, by_hand.reach)
    digests, n = [file_digest(path) for path in by_hand.reference], by_hand.alternatives
    strength = _shared.given(reference_strength=by_hand.reference_strength)
    wishes = Wishes(hints, digests, chosen=by_hand.choose - 1, alternative=None if n is None else 0, **strength)
    wishes = replace(wishes, only_confident=by_hand.only_confident, refiner=refiner_of(colorizer))
    results = wishes.results(to_gray(photo), colorizer, recipe, references, n or 1)
    if by_hand.confidence_map is not None:
        picture = replace(confidence_picture(results[0]), metadata=PhotoMetadata(xmp=AID))
        write_photo(picture, by_hand.confidence_map, overwrite=handling.overwrite)
    images = [finished(photo, result, recipe, wishes) for result in results]
    told = [wishes] if n is None else [replace(wishes, alternative=number) for number in range(n)]
    if by_hand.sheet:
        images.append(_hands.contact_sheet(images))
        told.append(replace(wishes, alternative=None, sheet=True))
    recipe = replace(recipe, input_sha256=file_digest(source))
    notes = reading_notes([photo]) + results[0].notes
    for image, said, path in zip(images, told, by_hand.targets(target), strict=True):
        written = write_photo(signed(image, replace(recipe, said=said.noted())), path, overwrite=handling.overwrite)
        if handling.keep_times:
            copy_times(source, path)
    # Several pictures of one photograph lose the same things: each is said once.
    return tuple(dict.fromkeys(notes + written))
