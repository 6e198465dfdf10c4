"""What a person says about a photograph on the command line: hints, references, a choice, what is too doubtful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colorize.cli import _shared
from colorize.exceptions import ColorizeError, HintsError, InvalidImageError

if TYPE_CHECKING:
    from colorize.guidance.hints import Hints
    from colorize.guidance.references import References
    from colorize.predictor import Predictor
    from colorize.types import RgbImage

SHEET_SIDE = 800
"""Longest side of a picture on a contact sheet, in pixels."""
CAPTION = 32
"""Height of the strip below each picture that holds its number, in pixels."""


def hints_path_option(name: str, *, instead: str = "paint all on one layer", **more: Any) -> _shared.Decorator:
    """`--hints`, once: of several click takes the last and drops the others without a word."""

    def only(_context: click.Context, _parameter: click.Parameter, given: tuple[Path, ...]) -> Path | None:
        if len(given) > 1:
            raise click.UsageError(f"--hints can be said once; {instead}")
        return given[0] if given else None

    return _shared.path_option("--hints", name, multiple=True, callback=only, **more)


hints_option = hints_path_option(
    "hints_file",
    metavar="FILE",
    help="Colours that you know: an RGBA picture painted on the photograph, or JSON.",
)

reach_option = click.option(
    "--reach",
    type=click.Choice(("here", "similar", "photo", "pixels")),
    help="Who hears a painted layer: the things painted on (here, the default), what looks like them, everything; or "
    "the painted pixels alone.",
)


@dataclass(frozen=True)
class ByHand:
    """What the options below say."""

    hints_file: Path | None = None
    reach: str | None = None
    reference: tuple[Path, ...] = ()
    reference_strength: float | None = None
    alternatives: int | None = None
    sheet: bool = False
    choose: int = 1
    only_confident: float | None = None
    confidence_map: Path | None = None

    @property
    def any(self) -> bool:
        """Whether anything was said at all."""
        return self != ByHand()

    def check(self, n_photos: int) -> None:
        """Refuse what makes no sense."""
        if n_photos > 1 and self.hints_file is not None:
            raise click.UsageError("--hints belong to one photograph; name one INPUT")
        check_reach(self.hints_file, self.reach)
        if n_photos > 1 and self.choose > 1:
            raise click.UsageError("--choose belongs to one photograph; name one INPUT")
        if n_photos > 1 and self.confidence_map is not None:
            raise click.UsageError("--confidence-map draws one photograph; several were named")
        if self.reference_strength is not None and not self.reference:
            raise click.UsageError("--reference-strength needs --reference FILE")
        if self.sheet and self.alternatives is None:
            raise click.UsageError("--sheet needs --alternatives N")

    def targets(self, target: Path) -> list[Path]:
        """Files that will be written for one photograph."""
        if self.alternatives is None:
            return [target]
        numbered = [target.with_name(f"{target.stem}.{k + 1}{target.suffix}") for k in range(self.alternatives)]
        return [*numbered, target] if self.sheet else numbered


options = _shared.bundled(
    "by_hand",
    ByHand,
    hints_option,
    reach_option,
    _shared.path_option(
        "--reference",
        multiple=True,
        metavar="FILE",
        help="A colour photograph that it should look like; may be given several times.",
    ),
    _shared.share_option("--reference-strength", help="How much the references count; 1 if not said."),
    click.option(
        "--alternatives", type=click.IntRange(1, 9), metavar="N", help="Write N different pictures, FILE.1 to FILE.N."
    ),
    _shared.flag_option("--sheet", help="Put the alternatives on a contact sheet too, FILE, with numbers."),
    click.option("--choose", type=click.IntRange(1, 9), default=1, metavar="K", help="Start from alternative K."),
    _shared.share_option(
        "--only-confident",
        metavar="P",
        help="Keep colour only where the model is at least this sure of it (0 to 1; try 0.7), the rest gray.",
    ),
    _shared.path_option(
        "--confidence-map",
        metavar="FILE",
        help="Also write a picture of where the model is sure (blue) and where it guesses (orange); for one INPUT.",
    ),
)


def check_reach(path: Path | None, reach: str | None) -> None:
    """Refuse a reach that nothing would be done with."""
    if reach is not None and path is None:
        raise click.UsageError("--reach is that of painted --hints")
    if reach is not None and path is not None and path.suffix.lower() == ".json":
        raise click.UsageError("--reach is that of a painted layer; in JSON every hint has its own")


def read_hints(path: Path, shape: tuple[int, int], reach: str | None = None) -> Hints:
    """Read hints for a photograph of this height and width from an RGBA picture, heard so far, or a JSON file."""
    import numpy as np

    from colorize.guidance.hints import DEFAULT_REACH, Hints
    from colorize.io import read_photo

    try:
        if path.suffix.lower() == ".json":
            hints = Hints.from_json(path.read_text(encoding="utf-8"))
            hints.check_shape(shape)
            return hints
        layer = read_photo(path)
        if layer.alpha is None:
            raise HintsError("has no transparency, so that it cannot be told what is a hint: save it as RGBA PNG")
        hints = Hints.from_rgba(np.dstack([layer.pixels, layer.alpha]), shape, reach=reach or DEFAULT_REACH)
        # As painting programs write all that is visible: every gray of the photograph would be a wish.
        if layer.alpha.all():
            raise HintsError("leaves no pixel unpainted: hide the photograph, and save the painted layer alone")
        return hints
    except UnicodeDecodeError as error:
        raise HintsError(f"{path}: the hints are no JSON (not UTF-8)") from error
    except (ColorizeError, OSError) as error:
        raise HintsError(_shared.one_line(error, path)) from error


def read_references(colorizer: Predictor, paths: Sequence[Path]) -> References | tuple[()]:
    """Read and describe reference photographs."""
    from colorize.guidance.references import look_at
    from colorize.io import read_photo
    from colorize.training.dataset import has_colors

    photos = []
    for path in paths:
        photo = read_photo(path)
        # It would take the colours away that the model has, without a word.
        if not has_colors(photo):
            raise InvalidImageError(f"{path}: gray or toned; a reference must have colours to borrow")
        photos.append(photo)
    return look_at(colorizer.model, photos) if photos else ()


def contact_sheet(images: Sequence[RgbImage]) -> RgbImage:
    """Pictures of one size side by side, up to three in a row, reduced in size, each above its number, from 1."""
    import cv2
    import numpy as np

    from colorize._support.bits import to_8_bit
    from colorize._support.shrink import shrink
    from colorize.types import PhotoMetadata, RgbImage

    pixels = [shrink(to_8_bit(image.pixels), SHEET_SIDE) for image in images]
    size = pixels[0].shape[1::-1]
    # Four in a square, not three and one.
    columns = 2 if len(pixels) in (2, 4) else min(3, len(pixels))
    gap, rows = 8, -(-len(pixels) // columns)
    cell = size[0] + gap, size[1] + CAPTION + gap
    sheet = np.full((rows * cell[1] - gap, columns * cell[0] - gap, 3), 255, np.uint8)
    for k, picture in enumerate(pixels):
        top, left = k // columns * cell[1], k % columns * cell[0]
        sheet[top : top + size[1], left : left + size[0]] = picture
        foot = left + 2, top + size[1] + CAPTION - 8
        cv2.putText(sheet, str(k + 1), foot, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2, cv2.LINE_AA)
    return RgbImage(sheet, metadata=PhotoMetadata(damage=images[0].metadata.damage))
