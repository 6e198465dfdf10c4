"""What the commands that train networks share: options, and the folder that shows how the training goes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colorize._support.files import write_atomically
from colorize.cli import _shared
from colorize.exceptions import OutputExistsError

if TYPE_CHECKING:
    from colorize.refine.predictor import Refiner, Rival
    from colorize.refine.training import Epoch

DEVICES = ("auto", "cpu", "cuda")
CHECKPOINT = "checkpoint.safetensors"

device_option = click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    help="Where networks run; auto takes a CUDA device if there is one.",
)


@dataclass(frozen=True)
class Job:
    """A training as the command line asks for it; what its parts mean say the options below."""

    output: Path
    epochs: int | None
    minutes: float | None
    patience: int | None
    limit: int | None
    device: str
    seed: int
    resume: bool
    force: bool
    quiet: bool

    @property
    def length(self) -> dict[str, Any]:
        """How long to train, as parameters of the networks' classes."""
        return {"epochs": self.epochs, "minutes": self.minutes, "patience": self.patience}

    @property
    def folder(self) -> Path:
        """Beside the model file: checkpoint, samples, losses."""
        return self.output.with_suffix(".training")

    def check(self, source: Path | None) -> None:
        """Refuse, before the work, what could not be written after it, or would replace what it reads."""
        if self.epochs is not None and self.minutes is not None:
            raise click.UsageError("say --epochs or --minutes, not both")
        _shared.check_model_target(self.output, source, force=self.force)
        # A checkpoint is hours of work: neither lost nor gone on with unless somebody says so.
        found = (self.folder / CHECKPOINT).exists()
        if self.resume and not found:
            raise click.UsageError(f"--resume: there is no {self.folder / CHECKPOINT}")
        if found and not self.resume and not self.force:
            raise OutputExistsError(
                f"{self.folder}: holds an earlier training; go on with --resume, or start anew with --force"
            )


options = _shared.bundled(
    "job",
    Job,
    _shared.path_option(
        "-o",
        "--output",
        required=True,
        metavar="MODEL.safetensors",
        help="The model file to write. MODEL.training, beside it, gets the checkpoint, samples and losses.",
    ),
    _shared.count_option("--epochs", help="Epochs to train; 60 by default."),
    click.option(
        "--minutes",
        type=_shared.FloatRange(min=0, min_open=True),
        metavar="N",
        help="CPU-minutes to train (on a GPU: minutes), instead of epochs.",
    ),
    _shared.count_option("--patience", help="Stop after N epochs without a smaller error on the photographs held out."),
    _shared.limit_option,
    device_option,
    _shared.seed_option,
    _shared.flag_option("--resume", help="Go on with a training that was interrupted."),
    _shared.force_option,
    _shared.quiet_option,
)


def run(job: Job, network: Refiner | Rival, folder: Path) -> None:
    """Train a network on the usable photographs of a folder and write its model file."""
    from colorize.training.dataset import load_folder

    job.folder.mkdir(exist_ok=True)
    has_plots = find_spec("matplotlib") is not None
    if not has_plots:
        missing = "matplotlib is not installed; install it from the checkout: pip install '.[report]'"
        click.echo(f"Note: no plots of the losses, only the table losses.csv: {missing}", err=True)
    with _shared.progress_bars(quiet=job.quiet) as progress:
        training_set = load_folder(folder, limit=job.limit, random_state=job.seed, progress=progress)
        if not job.quiet:
            click.echo(str(training_set.report))
        network.fit(
            training_set.photos,
            progress=progress,
            checkpoint=job.folder / CHECKPOINT,
            resume=job.resume,
            observe=partial(record, folder=job.folder, has_plots=has_plots, quiet=job.quiet),
        )
    network.save(job.output, overwrite=job.force)
    if not job.quiet:
        click.echo(", ".join(f"{name} {value}" for name, value in network.summary_.items()))
        # Of a rival alone: a refiner that is no better stays at epoch 0.
        found = network.summary_
        if found["best_epoch"] > 0 and found["ciede2000_held_out"] >= found["ciede2000_before"]:
            click.echo("No epoch was better than the untrained network on the photographs held out: train longer.")
        click.echo(f"{folder} -> {job.output} ({job.output.stat().st_size / 1e6:.1f} MB)")


def record(epoch: Epoch, *, folder: Path, has_plots: bool, quiet: bool) -> None:
    """Write down how a training goes: a table and plots of the losses after every epoch, samples now and then."""
    from colorize._support.tables import write_csv

    history = epoch.history
    columns = list(dict.fromkeys(name for entry in history for name in entry))
    rows = [[entry.get(name, "") for name in columns] for entry in history]
    write_atomically(folder / "losses.csv", [write_csv([columns, *rows]).encode("utf-8")])
    losses = [name for name in history[-1] if name not in ("epoch", "seconds", "ciede2000")]
    if has_plots:
        write_atomically(folder / "error.svg", [plotted(history, ["ciede2000"], "CIEDE2000, held out")])
    if has_plots and losses:
        write_atomically(folder / "losses.svg", [plotted(history, losses, "training losses")])
    if epoch.samples is not None:
        from colorize.io import write_photo
        from colorize.types import RgbImage

        write_photo(RgbImage(epoch.samples), folder / f"samples-epoch-{epoch.number:04d}.png", overwrite=True)
    if not quiet:
        told = {name: value for name, value in history[-1].items() if name not in ("epoch", "seconds")}
        click.echo(f"epoch {epoch.number}: {', '.join(f'{name} {value:.4g}' for name, value in told.items())}")


def plotted(history: list[dict[str, float]], names: list[str], label: str) -> bytes:
    """Figures of a training by epoch, as SVG."""
    from colorize._support.statistics import Interval
    from colorize.evaluation.plots import curves, to_svg

    series = {name: [(entry["epoch"], Interval(entry[name])) for entry in history if name in entry] for name in names}
    return to_svg(curves(series, "epoch", label, log=False), label, standalone=True).encode("utf-8")
