"""`colorize train`: make a model from a folder of colour photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from colorize.cli import _shared
from colorize.models import find_model


def check_families(_context: click.Context, _parameter: click.Parameter, names: str | None) -> tuple[str, ...] | None:
    """The families that were named, in the order of their columns."""
    if names is None:
        return None
    from colorize.features.registry import in_order

    try:
        return in_order(name.strip() for name in names.split(","))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("train", short_help="Train a model on a folder of colour photographs.")
@_shared.folder_argument
@_shared.path_option("-o", "--output", required=True, metavar="MODEL.safetensors", help="The model file to write.")
@click.option(
    "--base",
    metavar="NAME|FILE",
    shell_complete=_shared.complete_model,
    help="Build on a shipped model or a model file, if photographs held out say that it helps.",
)
@_shared.limit_option
@_shared.seed_option
@_shared.palette_option
@_shared.superpixels_option
@click.option(
    "--classifier",
    type=click.Choice(["vote", "kernel"]),
    help="What learns the colours: a support vector machine and small nets that vote (the default), or the machine "
    "alone, kernel.",
)
@click.option(
    "--families",
    callback=check_families,
    metavar="NAME,...",
    help="Feature families to describe regions by, such as intensity,gabor,lbp; all of the package by default.",
)
@click.option(
    "--thumbnails",
    type=click.IntRange(min=1),
    metavar="KB",
    help="Keep tiny pictures of training regions and the photographs' file names in the model, in at most KB kilobytes "
    "(try 2000), so that `colorize explain` can show them. Whoever gets the model sees them.",
)
@_shared.force_option
@_shared.quiet_option
def command(
    folder: Path,
    output: Path,
    base: str | None,
    limit: int | None,
    seed: int,
    palette_size: int | None,
    superpixels: int | None,
    classifier: str | None,
    families: tuple[str, ...] | None,
    thumbnails: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Train a model on the colour photographs of FOLDER and its sub-folders.

    About 200 photographs of the kind you want to colorize are a good start. Photographs that cannot teach colours
    (gray or toned, coloured by colorize, too small, too dark, duplicates, unreadable) are left out and listed.

    With --base, fewer do: what the base knows about the look of things is kept, and only which colours go with it is
    learnt, unless your photographs alone serve better. The base must not have been trained on them.
    """
    _shared.check_model_target(output, find_model(base) if base else None, force=force)
    from colorize.colorizer import Colorizer
    from colorize.evaluation.loader import describe
    from colorize.training.base import describe_choice
    from colorize.training.dataset import FEW_PHOTOS, load_folder

    base_model = None if base is None else _shared.load_colorizer(base)
    # What a base knows are rows of its own regions and columns: others cannot be joined to them.
    if base_model is not None and superpixels not in (None, base_model.n_superpixels):
        raise click.UsageError(f"--superpixels must be that of the base, {base_model.n_superpixels}, or left out")
    if base_model is not None and families and set(families) != set(base_model.families):
        raise click.UsageError(f"--families must be those of the base, {','.join(base_model.families)}, or left out")
    parameters = _shared.given(
        n_colors=palette_size, n_superpixels=superpixels, classifier=classifier, families=families
    )
    if base_model is not None:
        parameters |= {"n_superpixels": base_model.n_superpixels, "families": base_model.families}
    with _shared.progress_bars(quiet=quiet) as progress:
        training_set = load_folder(folder, limit=limit, random_state=seed, progress=progress)
        if not quiet:
            click.echo(str(training_set.report))
        if base is None and len(training_set) < FEW_PHOTOS:
            click.echo(
                f"Warning: {folder}: {len(training_set)} photographs are few to learn colours from; look first at what "
                "the default model makes of some, and use it as it is unless `colorize compare` says that one on top "
                "of it (--base default) is better",
                err=True,
            )
        # Names of files are often names of people: they go into a model only if somebody asks.
        kept: dict[str, Any] = {"names": training_set.names, "thumbnail_bytes": 1000 * thumbnails} if thumbnails else {}
        colorizer = Colorizer(random_state=seed, **parameters)
        colorizer.fit(training_set.photos, base=base_model, progress=progress, **kept)
    colorizer.save(output, overwrite=force)
    if not quiet:
        click.echo(describe_choice(colorizer.summary_, base) or describe(colorizer.summary_))
        click.echo(f"{folder} -> {output} ({output.stat().st_size / 1e6:.1f} MB)")
