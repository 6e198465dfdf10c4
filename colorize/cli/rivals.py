"""`colorize rivals`: networks that colour by themselves, for comparison."""

from __future__ import annotations

from pathlib import Path

import click

from colorize.cli import _shared, _training

# as in colorize.refine, which cannot be asked without torch
GENERATORS = ("unet", "unet-large", "resnet50", "lite0")
ENCODERS = ("resnet50", "lite0")
OBJECTIVES = ("l1", "l2", "l1+gan", "l1+wgan-gp", "classification")


@click.group("rivals", short_help="Train neural networks to compare with.")
def command() -> None:
    """Neural networks that colour by themselves, to measure the classical model against; needs the extra `refine`."""


@command.command("train", short_help="Train a network on a folder of colour photographs.")
@_shared.folder_argument
@click.option("--generator", type=click.Choice(GENERATORS), default="unet", help="The network.")
@click.option("--objective", type=click.Choice(OBJECTIVES), default="l1", help="What it is trained for.")
@_shared.path_option(
    "--encoder",
    metavar="FILE",
    help="Weights (safetensors) of the frozen encoder of the generator resnet50 or lite0; random without it.",
)
@_training.options
def train(folder: Path, generator: str, objective: str, encoder: Path | None, job: _training.Job) -> None:
    """Train a network on the colour photographs of FOLDER; use the result with `colorize compare --method MODEL`."""
    if encoder is not None and generator not in ENCODERS:
        raise click.UsageError("--encoder belongs to --generator resnet50 or lite0")
    job.check(encoder)
    from colorize.refine.predictor import Rival

    rival = Rival(generator, objective, encoder, device=job.device, random_state=job.seed, **job.length)
    if generator in ENCODERS and encoder is None and not job.quiet:
        click.echo("Note: without --encoder the frozen encoder has random weights.", err=True)
    _training.run(job, rival, folder)
