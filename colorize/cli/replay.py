"""`colorize replay`: make a colorized picture again from the note in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colorize._support.formats import CONTAINERS, output_format
from colorize.cli import _hands, _shared
from colorize.exceptions import RecipeError
from colorize.recipe.handling import Handling

if TYPE_CHECKING:
    from colorize.recipe.note import Recipe


@click.command("replay", short_help="Make a colorized picture again from the note in it.")
@_shared.path_argument("picture")
@_shared.path_argument("photo")
@_shared.path_option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to write. Default: beside PICTURE, as NAME.replayed with its ending.",
)
@click.option(
    "--model",
    metavar="FILE",
    shell_complete=_shared.complete_model,
    help="The model file, if the picture was made with one that is not shipped.",
)
@_shared.path_option(
    "--reference", multiple=True, metavar="FILE", help="A reference that the picture was made with; name them all."
)
@click.option("--refine", metavar="FILE", help="The refiner, if the picture was made with one.")
@_shared.max_pixels_option
@_shared.force_option
@_shared.quiet_option
@click.pass_context
def command(
    context: click.Context,
    picture: Path,
    photo: Path,
    output: Path | None,
    model: str | None,
    reference: tuple[Path, ...],
    refine: str | None,
    max_pixels: int,
    force: bool,
    quiet: bool,
) -> None:
    """Colorize PHOTO as PICTURE was colorized, and say whether the result is the same.

    PICTURE is a file that colorize wrote: the note in it names the model, the version, the seed, the vividness and the
    rest. PHOTO is the photograph that it was made from; references and a refiner have to be named, too. The exit status
    is 1 if the pictures differ.
    """
    from colorize.recipe.work import colorize_file, file_digest

    if picture.suffix.lower() in CONTAINERS:
        raise RecipeError(f"{picture}: films are not replayed; run `colorize film` again, with what its comment says")
    output = output or picture.with_name(f"{picture.stem}.replayed{picture.suffix}")
    _shared.check_apart([output], [picture, photo, *reference])
    _shared.check_target(output, force=force)
    try:
        recipe = read_recipe(picture, max_pixels)
        output_format(output, all_frames=recipe.all_frames)
        if file_digest(photo) != recipe.input_sha256:
            raise RecipeError(f"{photo}: {picture} was made from another file (sha256 {recipe.input_sha256[:12]}...)")
        path = str(find_recipe_model(recipe, model, picture))
        colorizer = _shared.load_painter(path, refine)
        references = _hands.read_references(colorizer, find_references(recipe, reference, picture))
        # Damaged or not, the file is the one that was read then.
        handling = Handling(max_pixels=max_pixels, overwrite=force, salvage=True)
        colorize_file(photo, output, colorizer, recipe, handling, references)
    # What is wrong with the note is told by functions that do not know its file.
    except RecipeError as error:
        raise RecipeError(_shared.one_line(error, picture)) from error
    verdict, is_same = compare(picture, output, recipe, max_pixels)
    if not quiet:
        click.echo(f"{photo} -> {output}: {verdict}")
    if not is_same:
        context.exit(1)


def read_recipe(picture: Path, max_pixels: int) -> Recipe:
    """Read the note of a colorized picture."""
    from colorize.io import read_xmp
    from colorize.recipe.note import find_note

    recipe = find_note(read_xmp(picture, max_pixels=max_pixels))
    if recipe is None:
        raise RecipeError(f"{picture}: holds no note of colorize; it was made by something else, or the note was lost")
    return recipe


def find_references(recipe: Recipe, named: Sequence[Path], picture: Path) -> list[Path]:
    """Put the references that were named in the order of a recipe; refuse others, and too few."""
    from colorize.recipe.work import Wishes, file_digest

    wanted = Wishes.of(recipe).references
    given = {file_digest(path): path for path in named}
    for digest, path in given.items():
        if digest not in wanted:
            raise RecipeError(f"{path}: is no reference that {picture} was made with")
    n_missing = sum(digest not in given for digest in wanted)
    if n_missing:
        raise RecipeError(
            f"{picture}: {n_missing} of the {len(wanted)} references that it was made with are missing; name each with "
            "--reference"
        )
    return [given[digest] for digest in wanted]


def find_recipe_model(recipe: Recipe, model: str | None, picture: Path) -> Path:
    """Find the very model of a recipe: the one that was named, or a shipped one."""
    from colorize.models import find_model
    from colorize.models.file import find_shipped, stated_digest

    wanted = f"{recipe.model} (sha256 {recipe.model_sha256[:12]}...)"
    if model is not None:
        path = find_model(model)
        # By digest: a file of that name may hold another model by now.
        if stated_digest(path) != recipe.model_sha256:
            raise RecipeError(f"{path}: is another model than {wanted}, with which {picture} was made")
        return path
    shipped = find_shipped(recipe.model_sha256)
    if shipped is None:
        raise RecipeError(
            f"{picture}: was made with the model {wanted}, which is not shipped here; name it with --model"
        )
    return shipped.path


def compare(picture: Path, output: Path, recipe: Recipe, limit: int) -> tuple[str, bool]:
    """Say how the new picture relates to the old one."""
    import numpy as np

    from colorize import __version__
    from colorize.io import read_frames, read_photo

    def pages(path: Path) -> list[Any]:
        frames = read_frames(path, max_pixels=limit) if recipe.all_frames else [read_photo(path, max_pixels=limit)]
        return [values for page in frames for values in (page.pixels, page.alpha)]

    if picture.read_bytes() == output.read_bytes():
        return "the same, byte for byte", True
    # Another version of a library may pack the same pixels otherwise.
    one, other = pages(picture), pages(output)
    if len(one) == len(other) and all(map(np.array_equal, one, other)):
        return "the same pixels", True
    made_by = "" if recipe.version == __version__ else f" (made by version {recipe.version}, this is {__version__})"
    return f"not the same as {picture}{made_by}", False
