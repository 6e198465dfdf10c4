"""`colorize learn`: make a model that remembers the corrections of a photograph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize.commands import _shared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from colorize.corrections import Learnt
    from colorize.types import Float32

_SAME_RATIO = 0.02


@click.command("learn", short_help="Make a model that remembers your hints for a photograph.")
@click.argument("model", metavar="MODEL")
@click.argument("photo", type=click.Path(path_type=Path))
@click.option(
    "--hints",
    required=True,
    type=click.Path(path_type=Path),
    metavar="HINTS.png",
    help="A picture of the photograph's size or shape; where it is not transparent, its colour is right.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="NEW.safetensors",
    help="The model file to write.",
)
@click.option(
    "--strength",
    type=click.FloatRange(0, 10, min_open=True),
    default=0.05,
    show_default=True,
    help="Weight of this photograph against everything that MODEL knows.",
)
@_shared.force_option
@_shared.quiet_option
def command(model: str, photo: Path, hints: Path, output: Path, strength: float, force: bool, quiet: bool) -> None:
    """Learn from corrections: MODEL (a name or a file) with what your hints say about PHOTO, as a new model.

    The new model colours what looks like the hinted regions more as you want it, in this photograph and in others.
    MODEL stays as it is. Hints for several photographs are learnt one after the other, each from the model before.
    """
    if output.suffix != ".safetensors":
        raise click.UsageError(f"{output}: a model file's name must end in .safetensors")
    _shared.check_target(output, force=force)
    from colorize.color import to_gray
    from colorize.corrections import hinted_regions, learn_corrections
    from colorize.io import read_photo

    colorizer = _shared.load_colorizer(model)
    gray = to_gray(read_photo(photo))
    is_known, ab = read_layer(hints, gray.shape)
    description = colorizer.describe(gray)
    region, wanted, weight = hinted_regions(description.superpixels, is_known, ab)
    learnt = learn_corrections(colorizer, description.features.values[region], wanted, weight, strength=strength)
    learnt.colorizer.save(output, overwrite=force)
    if not quiet:
        click.echo(describe(learnt))
        click.echo(f"{model} -> {output} ({output.stat().st_size / 1e6:.1f} MB)")


def read_layer(path: Path, shape: tuple[int, int]) -> tuple[NDArray[np.bool_], Float32]:
    """Hinted pixels, shape (H, W), and their a* and b*, shape (H, W, 2), at the size of the photograph.

    Raises
    ------
    InvalidImageError
        The layer has no transparency, nothing is drawn on it, or its shape is another.
    """
    import cv2
    import numpy as np

    from colorize.color import rgb_to_lab
    from colorize.exceptions import InvalidImageError
    from colorize.io import read_photo

    layer = read_photo(path)
    if layer.alpha is None:
        raise InvalidImageError(
            f"{path}: has no transparency, so nothing says where the hints are; save it as a PNG with transparency"
        )
    if not layer.alpha.any():
        raise InvalidImageError(f"{path}: is transparent everywhere; draw at least one hint")
    ratio = (layer.shape[1] / layer.shape[0]) / (shape[1] / shape[0])
    if abs(ratio - 1) > _SAME_RATIO:
        raise InvalidImageError(
            f"{path}: {layer.shape[1]} x {layer.shape[0]} pixels, the photograph has {shape[1]} x {shape[0]}; "
            "draw the hints on a copy of the photograph"
        )
    is_known, ab = layer.alpha > 0, rgb_to_lab(layer.pixels)[..., 1:]
    if layer.shape != shape:
        is_known = cv2.resize(is_known.astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT) > 0
        ab = cv2.resize(ab, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return is_known, ab


def describe(learnt: Learnt) -> str:
    """Tell what was learnt."""
    lines = [
        f"Learnt {learnt.n_regions} regions: the model gave their colours a probability of {learnt.before:.2f} before, "
        f"{learnt.after:.2f} now."
    ]
    if learnt.n_beyond_palette:
        lines.append(
            f"{learnt.n_beyond_palette} of them want colours far from all of the model's; it learnt the nearest."
        )
    return "\n".join(lines)
