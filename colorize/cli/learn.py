"""`colorize learn`: make a model that remembers the corrections of a photograph."""

from __future__ import annotations

from pathlib import Path

import click

from colorize.cli import _hands, _shared
from colorize.models import find_model


@click.command("learn", short_help="Make a model that remembers your hints for a photograph.")
@click.argument("model", metavar="MODEL", shell_complete=_shared.complete_model)
@_shared.path_argument("photo")
@_hands.hints_path_option(
    "hints",
    required=True,
    metavar="FILE",
    help="As for `colorize photo`: a picture that is transparent where there is no hint, or a JSON list.",
)
@_shared.path_option("-o", "--output", required=True, metavar="NEW.safetensors", help="The model file to write.")
@click.option(
    "--strength",
    type=_shared.FloatRange(0, 10, min_open=True),
    default=0.05,
    help="Weight of this photograph against everything that MODEL knows.",
)
@_shared.force_option
@_shared.quiet_option
def command(model: str, photo: Path, hints: Path, output: Path, strength: float, force: bool, quiet: bool) -> None:
    """Learn from corrections: MODEL (a name or a file) with what your hints say about PHOTO, as a new model.

    The new model colours what looks like the hinted regions more as you want it, in this photograph and in others.
    MODEL stays as it is. Hints for several photographs are learnt one after the other, each from the model before.
    """
    _shared.check_model_target(output, find_model(model), photo, hints, force=force)
    from colorize.color import to_gray
    from colorize.io import read_photo
    from colorize.training.corrections import hinted_regions, learn_corrections

    colorizer = _shared.load_colorizer(model)
    gray = to_gray(read_photo(photo))
    wishes = _hands.read_hints(hints, gray.shape).rasterize(gray.shape).on(gray.lightness)
    description = colorizer.model.describe(gray)
    region, wanted, weight = hinted_regions(description.superpixels, wishes.is_known, wishes.field())
    learnt = learn_corrections(colorizer, description.features.values[region], wanted, weight, strength=strength)
    learnt.colorizer.save(output, overwrite=force)
    if not quiet:
        for note in wishes.notes:
            click.echo(f"Note: {photo}: {note}", err=True)
        click.echo(str(learnt))
        click.echo(f"{model} -> {output} ({output.stat().st_size / 1e6:.1f} MB)")
