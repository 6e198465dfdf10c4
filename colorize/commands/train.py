"""`colorize train`: make a model from a folder of colour photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from colorize.commands import _shared


@click.command("train", short_help="Train a model on a folder of colour photographs.")
@_shared.folder_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="MODEL.safetensors",
    help="The model file to write.",
)
@_shared.limit_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every random choice.")
@click.option("--palette-size", type=click.IntRange(2, 256), metavar="K", help="Colours that the model can tell apart.")
@click.option("--superpixels", type=click.IntRange(4, 10_000), metavar="N", help="Regions per photograph.")
@_shared.cluster_options
@_shared.force_option
@_shared.quiet_option
def command(
    folder: Path,
    output: Path,
    limit: int | None,
    seed: int,
    palette_size: int | None,
    superpixels: int | None,
    scheduler: str | None,
    local_cluster: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Train a model on the colour photographs of FOLDER and its sub-folders.

    About 200 photographs of the kind you want to colorize are a good start. Photographs that cannot teach colours
    (gray or toned, too small, too dark, duplicates, unreadable) are left out and listed.
    """
    if output.suffix != ".safetensors":
        raise click.UsageError(f"{output}: a model file's name must end in .safetensors")
    _shared.check_target(output, force=force)
    from colorize.colorizer import Colorizer
    from colorize.dataset import load_folder

    chosen = {"n_colors": palette_size, "n_superpixels": superpixels}
    parameters: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    with _shared.cluster(scheduler, local_cluster) as client, _shared.progress_bars(quiet=quiet) as progress:
        training_set = load_folder(folder, limit=limit, random_state=seed, progress=progress)
        if not quiet:
            click.echo(str(training_set.report))
        spread = {} if client is None else {"mapper": mapper_of(client)}
        colorizer = Colorizer(random_state=seed, **parameters).fit(training_set.photos, progress=progress, **spread)
    colorizer.save(output, overwrite=force)
    if not quiet:
        click.echo(describe(colorizer.summary_))
        click.echo(f"{folder} -> {output} ({output.stat().st_size / 1e6:.1f} MB)")


def mapper_of(client: Any) -> Any:
    """A map over photographs on a cluster."""
    from colorize.batch.cluster import cluster_mapper

    return cluster_mapper(client)


def describe(summary: dict[str, Any]) -> str:
    """Put the plain entries of a training summary in one line."""
    plain = {name: value for name, value in summary.items() if isinstance(value, (int, float, str))}
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in plain.items()
    )
