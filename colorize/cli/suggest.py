"""`colorize suggest`: where a hint would tell most."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colorize._support.files import write_atomically
from colorize._support.formats import SUGGESTED
from colorize.cli import _hands, _shared

if TYPE_CHECKING:
    import numpy as np

    from colorize.guidance.suggestion import Suggestion
    from colorize.types import RgbImage

SUFFIX = f"{SUGGESTED}.png"


@click.command("suggest", short_help="Show where a hint would tell most.")
@_shared.path_argument("photo")
@click.option("-n", "--number", type=click.IntRange(1, 100), default=5, help="Number of places.")
@_shared.path_option(
    "-o", "--output", metavar="FILE", help=f"The marked picture. Default: beside PHOTO, as NAME{SUFFIX}."
)
@_hands.hints_option
@_hands.reach_option
@_shared.model_option
@_shared.path_option("--json", "json_file", metavar="FILE", help="Write the places as JSON.")
@_shared.force_option
def command(
    photo: Path, number: int, output: Path | None, hints_file: Path | None, reach: str | None, model: str,
    json_file: Path | None, force: bool,
) -> None:  # fmt: skip
    """Mark the places of PHOTO whose true colours would tell most, each with its likeliest colours.

    Say what is there with `colorize photo PHOTO --hints`. With --hints here, what they tell already is left out.
    """
    _hands.check_reach(hints_file, reach)
    target = output or photo.parent / f"{photo.stem}{SUFFIX}"
    _shared.check_apart([target, json_file], [photo, hints_file])
    _shared.check_picture_target(target, force=force)
    if json_file is not None:
        _shared.check_target(json_file, force=force)
    from colorize.color import to_gray
    from colorize.io import read_photo, write_photo

    source = read_photo(photo)
    hints = None if hints_file is None else _hands.read_hints(hints_file, source.shape, reach)
    session = _shared.load_predictor(model).open(to_gray(source))
    places = session.suggest(number, hints)
    for note in () if hints is None else hints.rasterize(source.shape).on(session.gray.lightness).notes:
        click.echo(f"Note: {photo}: {note}", err=True)
    write_photo(marked(session.gray.lightness, places), target, overwrite=force)
    if json_file is not None:
        text = json.dumps({"places": [plain(place) for place in places]}, indent=1)
        write_atomically(json_file, [f"{text}\n".encode()])
    click.echo("   row    col  likely colours")
    for position, place in enumerate(places, start=1):
        chances = ", ".join(f"{color} {chance:.0%}" for color, _, chance in place.swatches())
        click.echo(f"{position}. {place.row:5d} {place.col:5d}  {chances}")
    click.echo(f"{photo} -> {target}")


def plain(place: Suggestion) -> dict[str, Any]:
    """A place as JSON."""
    colors = [{"color": color, "probability": round(chance, 4)} for color, _, chance in place.swatches()]
    return {"row": place.row, "col": place.col, "colors": colors}


def marked(lightness: np.ndarray, places: Sequence[Suggestion]) -> RgbImage:
    """The gray photograph with a ring at every place, and near it a label: its number and its likeliest colours."""
    import cv2
    import numpy as np

    from colorize._support.labels import label_corners
    from colorize.color import gray_rgb
    from colorize.recipe.note import AID
    from colorize.types import PhotoMetadata, RgbImage

    picture = gray_rgb(lightness)
    unit = max(4, round(min(lightness.shape) / 40))
    # A ring is moved in from the edge, which would cut it.
    ends = np.array(lightness.shape) - 1
    room = np.minimum(unit * 5 // 4 + 1, ends // 2)
    rings = [tuple(np.clip((place.row, place.col), room, ends - room).tolist()) for place in places]
    sizes = [(2 * unit, 2 * unit * (len(place.colors) + 1)) for place in places]
    corners = [(round(top), round(left)) for top, left in label_corners(rings, sizes, lightness.shape, unit)]
    for (row, col), (height, width), (top, left) in zip(rings, sizes, corners, strict=True):
        # Lines first: labels lie over them.
        end = int(np.clip(col, left, left + width)), int(np.clip(row, top, top + height))
        cv2.line(picture, (col, row), end, (255, 255, 255), max(1, unit // 6), cv2.LINE_AA)
    for number, (place, corner) in enumerate(zip(places, corners, strict=True), start=1):
        _draw_label(picture, number, place.colors, corner, 2 * unit)
    for row, col in rings:  # last: nothing hides a ring
        for shade, thickness in ((0, unit // 2 + 2), (255, max(1, unit // 4))):
            cv2.circle(picture, (col, row), unit, (shade, shade, shade), thickness, cv2.LINE_AA)
    return RgbImage(picture, metadata=PhotoMetadata(xmp=AID))


def _draw_label(picture: np.ndarray, number: int, colors: np.ndarray, corner: tuple[int, int], side: int) -> None:
    """A number and boxes of colours, each as wide and high as a side, on white."""
    import cv2

    (top, left), white, black = corner, (255, 255, 255), (0, 0, 0)
    cv2.rectangle(picture, (left - 1, top - 1), (left + side * (len(colors) + 1), top + side), white, -1)
    scale = side / 32 if number < 100 else side / 45
    foot = left + (side // 5 if number < 10 else 0), top + side - side // 5
    cv2.putText(
        picture, str(number), foot, cv2.FONT_HERSHEY_SIMPLEX, scale if number < 10 else 0.7 * scale, black,
        max(1, round(scale * 1.5)), cv2.LINE_AA,
    )  # fmt: skip
    for k, color in enumerate(colors, start=1):
        start, box = left + k * side, tuple(int(channel) for channel in color)
        cv2.rectangle(picture, (start, top), (start + side - 2, top + side - 1), box, -1)
