"""One photograph, from file to file, with the note that says how its colours were made."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize import __version__
from colorize._support.files import check_free, refusals
from colorize.color import lab_to_rgb, tint_of, to_gray
from colorize.exceptions import DamagedImageError, InvalidImageError, OutputFormatError, RecipeError
from colorize.guidance.alternatives import N_ALTERNATIVES
from colorize.guidance.hints import Hints
from colorize.io import MAX_PIXELS, output_format, read_frames, read_photo, read_xmp, write_frames, write_photo
from colorize.io.metadata import stated_caption
from colorize.models import find_model
from colorize.models.file import stated_digest
from colorize.recipe.note import REFINER, Recipe, add_note, can_extend, find_note
from colorize.types import RgbImage

if TYPE_CHECKING:
    from colorize.guidance.references import References
    from colorize.predictor import Predictor
    from colorize.refine.predictor import Refiner
    from colorize.types import Colorization, GrayImage

_LONGEST_HINTS = 50_000  # characters in an XMP packet; JPEG takes packets of 65502 bytes


@dataclass(frozen=True)
class Handling:
    """How files are read and written; the colours are the `Recipe`'s.

    Attributes
    ----------
    max_pixels : int
        Photographs whose header announces more are refused.
    keep_times : bool
        Give the output the times of the input.
    overwrite : bool
        Replace output files that are there.
    salvage : bool
        Colour what can be read of a damaged photograph.
    """

    max_pixels: int = MAX_PIXELS
    keep_times: bool = False
    overwrite: bool = False
    salvage: bool = False


def read(source: Path, handling: Handling, *, all_frames: bool = False) -> list[RgbImage]:
    """Read a photograph, or all its frames.

    Raises
    ------
    InvalidImageError
        It cannot be read, or is damaged and not to be salvaged.

    See Also
    --------
    colorize.io.read_photo, colorize.io.read_frames : What it calls.
    """
    try:
        if all_frames:
            return read_frames(source, max_pixels=handling.max_pixels, salvage=handling.salvage)
        return [read_photo(source, max_pixels=handling.max_pixels, salvage=handling.salvage)]
    except DamagedImageError as error:
        if handling.salvage:
            raise
        raise DamagedImageError(
            f"{error}; the commands photo and batch colorize what is left of it with --salvage"
        ) from error


def make_recipe(
    model: str | Path,
    colorizer: Predictor,
    *,
    vividness: float = 0.5,
    keep_tint: bool = False,
    all_frames: bool = False,
) -> Recipe:
    """Write down how photographs are about to be coloured.

    Parameters
    ----------
    model : str or Path
        Name of a shipped model, or its file.
    colorizer : Colorizer or Predictor
        The same, loaded.
    vividness, keep_tint, all_frames
        As in `colorize.recipe.note.Recipe`.

    See Also
    --------
    colorize_photo, colorize_file : Do what it says.
    """
    path = find_model(model)
    return Recipe(
        model=path.stem,
        model_sha256=stated_digest(path),
        version=__version__,
        seed=int(getattr(colorizer, "random_state", 0)),
        vividness=float(vividness),
        keep_tint=keep_tint,
        all_frames=all_frames,
    )


def colorize_photo(
    photo: RgbImage, colorizer: Predictor | Refiner, recipe: Recipe, references: References | tuple[()] = ()
) -> RgbImage:
    """Colour a photograph by a recipe.

    Parameters
    ----------
    photo : RgbImage
    colorizer : Colorizer, Predictor or Refiner
    recipe : Recipe
    references : References, optional
        Those whose files the recipe names.

    Returns
    -------
    RgbImage
        With the recipe in the XMP of its metadata.

    Raises
    ------
    RecipeError
        The recipe asks for what is not given, or for what this version cannot do.

    See Also
    --------
    colorize_file : From file to file.
    colorize.predictor.Predictor.predict : Without a note.
    """
    gray = to_gray(photo)
    # A refiner that the recipe does not name is refused there.
    if recipe.hints or hasattr(colorizer, "sha256_"):
        result = _guided(gray, colorizer, recipe, references)
    else:
        said: dict[str, Any] = {} if recipe.palette is None else {"palette": recipe.palette}
        result = colorizer.predict(gray, vividness=recipe.vividness, **said)
    return signed(finished(photo, result, recipe), recipe)


def _guided(
    gray: GrayImage, colorizer: Predictor | Refiner, recipe: Recipe, references: References | tuple[()]
) -> Colorization:
    """What `colorize photo` made of the wishes that a recipe holds."""
    from colorize.explanation.doubt import only_confident

    hints, wishes = repeated(recipe)
    if bool(references) != bool(wishes.get("references")):
        raise RecipeError("the references that it was made with are needed, and no others")
    refiner = wishes.get(REFINER)
    if refiner != getattr(colorizer, "sha256_", None):
        raise RecipeError(
            f"was made with the refiner of sha256 {refiner[:12]}...; name its file with --refine"
            if refiner
            else "was made without a refiner"
        )
    session = colorizer.open(gray, references, wishes.get("reference_strength", 1.0))
    if recipe.palette is not None:
        session = session.in_album(recipe.palette)
    number = wishes.get("chosen", 0)
    if "alternative" in wishes:
        session, number = session.choose(number, hints), wishes["alternative"]
    (result,) = session.alternatives(number + 1, hints, recipe.vividness, first=number)
    least = wishes.get("only_confident")
    return result if least is None else only_confident(result, gray, least)


def finished(photo: RgbImage, result: Colorization, recipe: Recipe) -> RgbImage:
    """The picture of a result, with the tint of the photograph over it if the recipe says so."""
    if not recipe.keep_tint:
        return result.image
    image = result.image
    pixels = lab_to_rgb(to_gray(photo).lightness, result.ab + tint_of(photo), bit_depth=image.bit_depth)
    return RgbImage(pixels, image.alpha, image.metadata)


def noted_hints(hints: Hints) -> dict[str, Any]:
    """Hints as a recipe keeps them; those too long for a note are named only."""
    text = hints.to_json()
    # As long as it will be in the packet, where every quote takes six characters.
    if len(text.replace('"', "&quot;")) > _LONGEST_HINTS:
        return {"hints too long for a note": len(hints)}
    return dict(json.loads(text))


def repeated(recipe: Recipe) -> tuple[Hints | None, dict[str, Any]]:
    """Read what was said about the colours: the hints, and other wishes by their names.

    Raises
    ------
    RecipeError
        They are not whole, or the note keeps too little of them: hints too long for it, references without digests,
        a sheet of pictures.
    """
    others = [said for said in recipe.hints if "hints" not in said]
    if not all(said and all(map(_is_repeatable, said, said.values())) for said in others):
        names = ", ".join(name for said in others for name in said)
        raise RecipeError(
            f"its note does not hold all that decided the colours beside hints ({names}); make it again as it was "
            "made, with the same options of `colorize photo` or in the app"
        )
    drawn = [said for said in recipe.hints if "hints" in said]
    wishes = {name: value for said in others for name, value in said.items()}
    try:
        return (Hints.from_json(json.dumps(*drawn)) if drawn else None), wishes
    except (TypeError, ValueError) as error:
        raise RecipeError(f"the hints in its note are damaged ({error})") from error


def _is_repeatable(name: str, value: object) -> bool:
    """Whether a wish is one that a note keeps whole; it may come from anybody."""
    if name in ("chosen", "alternative"):
        return isinstance(value, int) and 0 <= value < N_ALTERNATIVES
    if name in ("only_confident", "reference_strength"):
        return isinstance(value, (int, float)) and 0 <= value <= 1
    if name == "references":
        return isinstance(value, list) and all(isinstance(digest, str) for digest in value)
    return name == REFINER and isinstance(value, str)


def signed(image: RgbImage, recipe: Recipe) -> RgbImage:
    """Put the note into the metadata of a picture, and what is missing of the photograph into the note."""
    # Known only now: a recipe is made before the photograph is read.
    recipe = replace(recipe, damage=image.metadata.damage)
    packet = add_note(image.metadata.xmp, recipe, stated_caption(image.metadata))
    return replace(image, metadata=replace(image.metadata, xmp=packet))


def colorize_file(
    source: Path,
    target: Path,
    colorizer: Predictor | Refiner,
    recipe: Recipe,
    handling: Handling | None = None,
    references: References | tuple[()] = (),
) -> tuple[str, ...]:
    """Read a photograph, colour it, write it.

    Parameters
    ----------
    source, target : Path
    colorizer : Colorizer, Predictor or Refiner
    recipe : Recipe
        The digest of the photograph is added here if it is missing.
    handling : Handling, optional
    references : References, optional
        Those whose files the recipe names.

    Returns
    -------
    tuple of str
        One sentence for everything that reading and writing changed or left out.

    Raises
    ------
    InvalidImageError
        The photograph cannot be read.
    OutputExistsError, OutputFormatError, OutputError
        The picture cannot be written.

    See Also
    --------
    colorize_photo : A photograph in memory.
    colorize.batch.run.run_batch : A folder of photographs.
    """
    handling = handling or Handling()
    # Before the work as well as in writing: an answer in a millisecond, not after a minute.
    check_free(target, overwrite=handling.overwrite)
    photos = read(source, handling, all_frames=recipe.all_frames)
    recipe = replace(recipe, input_sha256=recipe.input_sha256 or file_digest(source))
    notes = reading_notes(photos)
    pictures = [colorize_photo(photo, colorizer, recipe, references) for photo in photos]
    del photos  # the encoder needs as much memory
    if recipe.all_frames:
        notes += write_frames(pictures, target, overwrite=handling.overwrite)
    else:
        notes += write_photo(pictures[0], target, overwrite=handling.overwrite)
    if handling.keep_times:
        copy_times(source, target)
    # Pages of one file mostly have the same to say.
    return tuple(dict.fromkeys(notes))


def reading_notes(photos: Sequence[RgbImage]) -> tuple[str, ...]:
    """What reading changed or left out, and what the note about colours cannot be added to."""
    notes = tuple(note for photo in photos for note in photo.metadata.notes)
    if any(photo.metadata.xmp and not can_extend(photo.metadata.xmp) for photo in photos):
        return (*notes, "the XMP data is damaged and was left out")
    return notes


def check_format(target: Path, *, all_frames: bool) -> None:
    """Refuse a name for the output whose format cannot be written, before the work.

    Raises
    ------
    OutputFormatError
        Another ending, or one for a single picture where all frames are wanted.
    """
    if output_format(target) != "TIFF" and all_frames:
        raise OutputFormatError(f"{target}: all frames together need a TIFF file; use .tif")


def is_made_by(target: Path, recipe: Recipe, *, max_pixels: int = MAX_PIXELS) -> bool:
    """Tell whether a file is what the recipe would make: an output of an earlier run that was cut off.

    Whatever else lies there, a picture of somebody else or no picture at all, is not.
    """
    try:
        note = find_note(read_xmp(target, max_pixels=max_pixels)) if target.is_file() else None
        # What is missing of a photograph shows only when it is read, and this asks before.
        return note is not None and replace(note, damage="") == recipe
    except (InvalidImageError, RecipeError):
        return False


def copy_times(source: Path, target: Path) -> None:
    """Give a file the times of last access and change of another."""
    status = source.stat()
    # In nanoseconds: a float of seconds rounds them, and copies would never look equal.
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises
    ------
    InvalidImageError
        It cannot be read.
    """
    with refusals(path, "cannot be read", InvalidImageError), open(path, "rb") as file:
        # In pieces: a film has gigabytes.
        return hashlib.file_digest(file, "sha256").hexdigest()
