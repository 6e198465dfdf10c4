"""`colorize suggest`: where a hint would tell most."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colorize._files import write_atomically
from colorize.commands import _hands, _shared

if TYPE_CHECKING:
    import numpy as np

    from colorize.session import Suggestion
    from colorize.types import RgbImage

SUFFIX = ".suggested.png"


@click.command("suggest", short_help="Show where a hint would tell most.")
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("-n", "--number", type=click.IntRange(1, 100), default=5, show_default=True, help="Number of places.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"The marked picture. Default: beside PHOTO, as NAME{SUFFIX}.",
)
@_hands.hints_option
@_hands.reach_option
@_shared.model_option
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the places as JSON.")
@_shared.force_option
def command(
    photo: Path, number: int, output: Path | None, hints_file: Path | None, reach: str | None, model: str,
    json_file: Path | None, force: bool,
) -> None:  # fmt: skip
    """Mark the places of PHOTO whose true colours would tell most, each with its likeliest colours.

    Say what is there with `colorize photo PHOTO --hints`. With --hints here, what they tell already is left out.
    """
    from colorize.color import to_gray
    from colorize.io import read_photo, write_photo

    _hands.check_reach(hints_file, reach)
    target = output or photo.parent / f"{photo.stem}{SUFFIX}"
    for path in (target, json_file):
        if path is not None:
            _shared.check_target(path, force=force)
    source = read_photo(photo)
    hints = None if hints_file is None else _hands.read_hints(hints_file, source.shape, reach)
    session = _shared.load_colorizer(model).open(to_gray(source))
    places = session.suggest(number, hints)
    write_photo(marked(session.gray.lightness, places), target, overwrite=force)
    if json_file is not None:
        text = json.dumps({"places": [plain(place) for place in places]}, indent=1)
        write_atomically(json_file, [f"{text}\n".encode()])
    click.echo("   row    col  likely colours")
    for position, place in enumerate(places, start=1):
        chances = ", ".join(f"{color} {chance:.0%}" for color, chance in swatches(place))
        click.echo(f"{position}. {place.row:5d} {place.col:5d}  {chances}")
    click.echo(f"{photo} -> {target}")


def swatches(place: Suggestion) -> list[tuple[str, float]]:
    """Colours as ``#rrggbb``, each with its probability."""
    return [("#" + color.tobytes().hex(), float(p)) for color, p in zip(place.colors, place.probabilities, strict=True)]


def plain(place: Suggestion) -> dict[str, Any]:
    """A place as JSON."""
    colors = [{"color": color, "probability": round(chance, 4)} for color, chance in swatches(place)]
    return {"row": place.row, "col": place.col, "colors": colors}


def marked(lightness: np.ndarray, places: Sequence[Suggestion]) -> RgbImage:
    """The gray photograph with a numbered ring at every place and its likeliest colours beside it."""
    import cv2
    import numpy as np

    from colorize.color import lab_to_rgb
    from colorize.types import RgbImage

    picture = np.asarray(lab_to_rgb(lightness, np.zeros((*lightness.shape, 2), np.float32)), np.uint8)
    height, width = lightness.shape
    unit = max(4, round(min(height, width) / 40))
    taken: list[tuple[int, int, int]] = []
    for position, place in enumerate(places, start=1):
        center = place.col, place.row
        for color, thickness in (((0, 0, 0), unit // 2 + 2), ((255, 255, 255), max(1, unit // 4))):
            cv2.circle(picture, center, unit, color, thickness, cv2.LINE_AA)
        side = 2 * unit
        total = side * (len(place.colors) + 1)
        left = int(np.clip(place.col - total // 2, 1, max(1, width - total - 1)))
        top = _free_row(place.row, left, left + total, side, height, taken)
        taken.append((top, left, left + total))
        cv2.rectangle(picture, (left - 1, top - 1), (left + total, top + side), (255, 255, 255), -1)
        scale = side / 32
        cv2.putText(
            picture, str(position), (left + side // 5, top + side - side // 5), cv2.FONT_HERSHEY_SIMPLEX, scale,
            (0, 0, 0), max(1, round(scale * 1.5)), cv2.LINE_AA,
        )  # fmt: skip
        for k, color in enumerate(place.colors, start=1):
            corner = left + k * side
            box = tuple(int(channel) for channel in color)
            cv2.rectangle(picture, (corner, top), (corner + side - 2, top + side - 1), box, -1)
    return RgbImage(picture)


def _free_row(row: int, left: int, right: int, side: int, height: int, taken: Sequence[tuple[int, int, int]]) -> int:
    """Row at which a label as high as `side` hides no other: below its place, above it, then farther off."""
    for offset in (1, -2, 2, -3, 3, -4):
        top = row + offset * side
        hides = any(abs(top - other) <= side and left <= end and start <= right for other, start, end in taken)
        if 0 < top < height - side and not hides:
            return top
    return int(np.clip(row + side, 1, max(1, height - side - 1)))
