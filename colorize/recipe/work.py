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
from colorize.exceptions import DamagedImageError, InvalidImageError, RecipeError
from colorize.guidance.alternatives import N_ALTERNATIVES
from colorize.guidance.hints import Hints
from colorize.io import MAX_PIXELS, read_frames, read_photo, read_xmp, write_frames, write_photo
from colorize.io.metadata import stated_caption
from colorize.models import find_model
from colorize.models.file import stated_digest
from colorize.recipe.handling import Handling
from colorize.recipe.note import REFINER, Recipe, add_note, can_extend, find_note, is_ours
from colorize.types import RgbImage

if TYPE_CHECKING:
    from colorize.guidance.references import References
    from colorize.predictor import Predictor
    from colorize.types import Colorization, GrayImage

_LONGEST_HINTS = 50_000  # characters in an XMP packet; JPEG takes packets of 65502 bytes


def read(source: Path, handling: Handling, *, all_frames: bool = False) -> list[RgbImage]:
    """Read a photograph, or all its frames, as `colorize.io` does; the error of a damaged one names ``--salvage``."""
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
    """Write down how photographs are about to be coloured, for `colorize_photo` and `colorize_file`.

    Parameters
    ----------
    model : str or Path
        Name of a shipped model, or its file.
    colorizer : Colorizer, Predictor or Refiner
        The same, loaded, or a refiner of it.
    vividness, keep_tint, all_frames
        As in `colorize.recipe.note.Recipe`.
    """
    if not hasattr(type(colorizer), "model"):
        raise TypeError(f"colorizer must be a model, which Colorizer.load gives, got {type(colorizer).__name__}")
    path = find_model(model)
    return Recipe(
        model=path.stem,
        model_sha256=stated_digest(path),
        version=__version__,
        seed=int(colorizer.model.random_state),
        vividness=float(vividness),
        keep_tint=keep_tint,
        all_frames=all_frames,
    )


def colorize_photo(
    photo: RgbImage, colorizer: Predictor, recipe: Recipe, references: References | tuple[()] = ()
) -> RgbImage:
    """Colour a photograph by a recipe, which goes into the XMP of its metadata.

    Parameters
    ----------
    photo : RgbImage
    colorizer : Colorizer, Predictor or Refiner
    recipe : Recipe
    references : References, optional
        Those whose files the recipe names.

    Raises
    ------
    RecipeError
        The recipe asks for what is not given, or for what this version cannot do.

    See Also
    --------
    colorize.predictor.Predictor.predict : Without a note.
    """
    wishes = Wishes.of(recipe)
    (result,) = wishes.results(to_gray(photo), colorizer, recipe, references)
    return signed(finished(photo, result, recipe, wishes), recipe)


@dataclass(frozen=True)
class Wishes:
    """What a person said about the colours of one picture, by the names that its note has for it.

    References and refiner are digests of files. The picture is the one that was ``chosen`` of the alternatives, or,
    gone on from that, one of its own (``alternative``), both counted from 0; a ``sheet`` shows several.
    """

    hints: Hints | None = None
    references: Sequence[str] = ()
    reference_strength: float = 1.0
    chosen: int = 0
    alternative: int | None = None
    sheet: bool = False
    only_confident: float | None = None
    refiner: str | None = None

    @classmethod
    def of(cls, recipe: Recipe) -> Wishes:
        """Read what `noted` wrote.

        Raises
        ------
        RecipeError
            It is not whole, or the note keeps too little of it: hints too long for it, references without digests,
            a sheet of pictures.
        """
        others = [said for said in recipe.said if "hints" not in said]
        if not all(said and all(map(_is_repeatable, said, said.values())) for said in others):
            names = ", ".join(name for said in others for name in said)
            raise RecipeError(
                f"its note does not hold all that decided the colours beside hints ({names}); make it again as it was "
                "made, with the same options of `colorize photo` or in the app"
            )
        drawn = [said for said in recipe.said if "hints" in said]
        try:
            hints = Hints.from_json(json.dumps(*drawn)) if drawn else None
        except (TypeError, ValueError) as error:
            raise RecipeError(f"the hints in its note are damaged ({error})") from error
        return cls(hints, **{name: value for said in others for name, value in said.items()})

    def noted(self) -> tuple[dict[str, Any], ...]:
        """What the note of the picture says of them."""
        others = {
            "references": self.references or None,
            "reference_strength": self.reference_strength if self.references else None,
            "chosen": self.chosen or None,
            "sheet": self.sheet or None,
            # Gone on from a choice, the first picture is none that `--choose` makes.
            "alternative": self.alternative if self.alternative or self.chosen else None,
            "only_confident": self.only_confident or None,
            REFINER: self.refiner,
        }
        hints = () if self.hints is None else (_noted_hints(self.hints),)
        return (*hints, *({name: value} for name, value in others.items() if value is not None))

    def results(
        self,
        gray: GrayImage,
        colorizer: Predictor,
        recipe: Recipe,
        references: References | tuple[()],
        n: int = 1,
    ) -> list[Colorization]:
        """The picture and the n - 1 alternatives after it; what is too doubtful still has its colours."""
        if bool(references) != bool(self.references):
            raise RecipeError("the references that it was made with are needed, and no others")
        if self.refiner != refiner_of(colorizer):
            raise RecipeError(
                f"was made with the refiner of sha256 {self.refiner[:12]}...; name its file with --refine"
                if self.refiner
                else "was made without a refiner"
            )
        session, number = colorizer.open(gray, references, self.reference_strength), self.chosen
        if recipe.palette is not None:
            session = session.in_album(recipe.palette)
        # The chosen one is made as on the sheet: gone on from it, the hints would be heard anew.
        if self.alternative is not None:
            session, number = session.choose(number, self.hints), self.alternative
        return session.alternatives(number + n, self.hints, recipe.vividness, first=number)


def refiner_of(colorizer: Predictor) -> str | None:
    """Digest of a refiner; None of a model alone."""
    # By what only refiners have, and asked of the class: theirs is not there without torch.
    own = "sha256_"
    return str(getattr(colorizer, own)) if hasattr(type(colorizer), own) else None


def _noted_hints(hints: Hints) -> dict[str, Any]:
    """Hints as a note keeps them; those too long for it are named only."""
    text = hints.to_json()
    # As long as it will be in the packet, where every quote takes six characters.
    if len(text.replace('"', "&quot;")) > _LONGEST_HINTS:
        return {"hints too long for a note": len(hints)}
    return dict(json.loads(text))


def _is_repeatable(name: str, value: object) -> bool:
    """Whether a wish is one that a note keeps whole; it may come from anybody."""
    if name in ("chosen", "alternative"):
        return isinstance(value, int) and 0 <= value < N_ALTERNATIVES
    if name in ("only_confident", "reference_strength"):
        return isinstance(value, (int, float)) and 0 <= value <= 1
    if name == "references":
        return isinstance(value, list) and all(isinstance(digest, str) for digest in value)
    return name == REFINER and isinstance(value, str)


def finished(photo: RgbImage, result: Colorization, recipe: Recipe, wishes: Wishes) -> RgbImage:
    """The picture of a result: without what is too doubtful, with the tint of the photograph if the recipe says so."""
    if wishes.only_confident is not None:
        from colorize.explanation.doubt import only_confident

        result = only_confident(result, to_gray(photo), wishes.only_confident)
    if not recipe.keep_tint:
        return result.image
    image = result.image
    pixels = lab_to_rgb(to_gray(photo).lightness, result.ab + tint_of(photo), bit_depth=image.bit_depth)
    return RgbImage(pixels, image.alpha, image.metadata)


def signed(image: RgbImage, recipe: Recipe) -> RgbImage:
    """Put the note into the metadata of a picture, and what is missing of the photograph into the note."""
    # Known only now: a recipe is made before the photograph is read.
    recipe = replace(recipe, damage=image.metadata.damage)
    packet = add_note(image.metadata.xmp, recipe, stated_caption(image.metadata))
    return replace(image, metadata=replace(image.metadata, xmp=packet))


def is_result(path: Path, max_pixels: int = MAX_PIXELS) -> bool:
    """Tell, from its header, whether colorize made a picture; what cannot be read is told where it is coloured."""
    try:
        return is_ours(read_xmp(path, max_pixels=max_pixels))
    except InvalidImageError:
        return False


def colorize_file(
    source: str | Path,
    target: str | Path,
    colorizer: Predictor,
    recipe: Recipe,
    handling: Handling | None = None,
    references: References | tuple[()] = (),
) -> tuple[str, ...]:
    """Read a photograph, colour it, write it.

    Parameters
    ----------
    source, target : str or Path
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
    """
    source, target, handling = Path(source), Path(target), handling or Handling()
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
    """SHA-256 of a file, in hexadecimal, or an `InvalidImageError` if it cannot be read."""
    with refusals(path, "cannot be read", InvalidImageError), open(path, "rb") as file:
        # In pieces: a film has gigabytes.
        return hashlib.file_digest(file, "sha256").hexdigest()
