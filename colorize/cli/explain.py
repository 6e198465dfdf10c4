"""`colorize explain`: why places of a photograph got their colours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from colorize._support.tables import write_json
from colorize.cli import _hands, _shared
from colorize.exceptions import PlaceError

if TYPE_CHECKING:
    from colorize.explanation import Explainer, Explanation


class Place(click.ParamType):
    """ROW,COL: two whole numbers."""

    name = "place"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read it."""
        parts = str(value).split(",")
        if len(parts) != 2 or not all(part.strip().isdecimal() and part.strip().isascii() for part in parts):
            self.fail(f"{value!r} is no place; write ROW,COL in pixels of the photograph, such as 120,340", param, ctx)
        return int(parts[0]), int(parts[1])


@click.command("explain", short_help="Tell why places of a photograph got their colours.")
@_shared.path_argument("photo")
@click.option(
    "--at",
    "places",
    multiple=True,
    type=Place(),
    metavar="ROW,COL",
    help="A place to explain, in pixels from the top left; may be given several times. Without it, some places that "
    "matter: large areas, and where the model is least sure.",
)
@click.option("-n", "n_places", type=click.IntRange(1, 20), default=5, help="Places without --at.")
@_shared.path_option("-o", "--output", metavar="PAGE.html", help="Write a page to read.")
@_shared.path_option("--json", "json_file", metavar="FILE", help="Write everything as JSON.")
@_shared.model_option
@_hands.hints_option
@_hands.reach_option
@_shared.picture_vividness_option
@_shared.force_option
@_shared.quiet_option
def command(
    photo: Path,
    places: tuple[tuple[int, int], ...],
    n_places: int,
    output: Path | None,
    json_file: Path | None,
    model: str,
    hints_file: Path | None,
    reach: str | None,
    vividness: float,
    force: bool,
    quiet: bool,
) -> None:
    """Tell why places of PHOTO got their colours.

    For every place: how probable each colour was before and after neighbours agreed, which feature families spoke for
    it and against it, and which regions of the training photographs it reminds the model of. The page needs the extra
    `report`.
    """
    _hands.check_reach(hints_file, reach)
    outputs = _shared.Outputs(html=output, json=json_file, force=force, quiet=quiet)
    outputs.check(photo, hints_file)
    from colorize.color import to_gray
    from colorize.explanation import Explainer
    from colorize.io import read_photo
    from colorize.models import find_model

    gray = to_gray(read_photo(photo))
    hints = None if hints_file is None else _hands.read_hints(hints_file, gray.shape, reach)
    explainer = Explainer(_shared.load_predictor(model).open(gray), hints=hints, vividness=vividness)
    for note in explainer.result.notes:
        click.echo(f"Note: {photo}: {note}", err=True)
    try:
        found = [explainer.at(*place) for place in places or explainer.places(n_places)]
    except PlaceError as error:
        raise PlaceError(f"{photo}: {error}") from error
    name = find_model(model).stem
    outputs.write(
        account(found),
        html=lambda: page(explainer, found, photo.name, name),
        json=lambda: as_json(explainer, found, photo.name, name),
    )


def account(found: list[Explanation]) -> str:
    """Put the explanations in text for a terminal."""
    from colorize.explanation.account import sentences

    parts = []
    for item in found:
        lines = [f"{item.row},{item.col}: {item.named(item.given_ab)}, {item.confidence:.0%} sure", *sentences(item)]
        parts.append("\n  ".join(lines))
    return "\n".join(parts)


def page(explainer: Explainer, found: list[Explanation], photo: str, model: str) -> str:
    """Make the HTML page."""
    from colorize.evaluation.report import explanation_report  # brings scikit-learn along

    return explanation_report(explainer, found, name=photo, model=model)


def as_json(explainer: Explainer, found: list[Explanation], photo: str, model: str) -> str:
    """Everything but the pictures."""
    from colorize.explanation.account import sentences

    height, width = explainer.result.image.shape
    content = {
        "photo": photo,
        "height": height,
        "width": width,
        "model": model,
        "vividness": explainer.vividness,
        "places": [item.to_dict() | {"sentences": sentences(item)} for item in found],
    }
    return write_json(content)
