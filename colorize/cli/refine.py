"""`colorize refine`: networks that correct a classical model."""

from __future__ import annotations

from pathlib import Path

import click

from colorize.cli import _shared, _training
from colorize.models import find_model


@click.group("refine", short_help="Train a small network that corrects a model.")
def command() -> None:
    """A small network that corrects the colours of a classical model; needs the extra `refine` (torch)."""


@command.command("train", short_help="Train a refiner on a model's training photographs.")
@_shared.folder_argument
@click.option("--base", required=True, metavar="NAME|FILE", help="The classical model to refine.")
@_training.options
def train(folder: Path, base: str, job: _training.Job) -> None:
    """Train a refiner of the model --base on the photographs of FOLDER: those that the base was trained on.

    The result works with that base only: `colorize photo PHOTO --model BASE --refine MODEL`. `colorize compare`
    with photographs that neither has seen tells whether it helps.
    """
    job.check(find_model(base))
    from colorize.refine.predictor import Refiner

    refiner = Refiner(_shared.load_colorizer(base), device=job.device, random_state=job.seed, **job.length)
    _training.run(job, refiner, folder)
    if not job.quiet and refiner.summary_["best_epoch"] == 0:
        click.echo("No epoch was better than the base beyond doubt: this refiner changes nothing.")
