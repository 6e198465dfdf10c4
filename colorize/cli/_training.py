"""What the commands that train networks share: options, and the folder that shows how the training goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colorize._support.files import write_atomically
from colorize.cli import _shared
from colorize.exceptions import MissingDependencyError, OutputExistsError

if TYPE_CHECKING:
    from colorize.refine.predictor import Refiner, Rival
    from colorize.refine.training import Epoch

DEVICES = ("auto", "cpu", "cuda")
CHECKPOINT = "checkpoint.safetensors"

device_option = click.option(
    "--device",
    type=click.Choice(DEVICES),
    default="auto",
    show_default=True,
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

    def check(self) -> None:
        """Refuse, before the work, what could not be written after it."""
        if self.epochs is not None and self.minutes is not None:
            raise click.UsageError("say --epochs or --minutes, not both")
        _shared.check_model_target(self.output, force=self.force)
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
    click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="Epochs to train; 60 by default."),
    click.option(
        "--minutes",
        type=_shared.FloatRange(min=0, min_open=True),
        metavar="N",
        help="CPU-minutes to train (on a GPU: minutes), instead of epochs.",
    ),
    click.option(
        "--patience",
        type=click.IntRange(min=1),
        metavar="N",
        help="Stop after N epochs without a smaller error on the photographs held out.",
    ),
    _shared.limit_option,
    device_option,
    _shared.seed_option,
    click.option("--resume", is_flag=True, help="Go on with a training that was interrupted."),
    _shared.force_option,
    _shared.quiet_option,
)


def run(job: Job, network: Refiner | Rival, folder: Path) -> None:
    """Train a network on the usable photographs of a folder and write its model file."""
    from colorize.training.dataset import load_folder

    job.folder.mkdir(exist_ok=True)
    with _shared.progress_bars(quiet=job.quiet) as progress:
        training_set = load_folder(folder, limit=job.limit, random_state=job.seed, progress=progress)
        if not job.quiet:
            click.echo(str(training_set.report))
        network.fit(
            training_set.photos,
            progress=progress,
            checkpoint=job.folder / CHECKPOINT,
            resume=job.resume,
            observe=Diary(job.folder, quiet=job.quiet),
        )
    network.save(job.output, overwrite=job.force)
    if not job.quiet:
        click.echo(", ".join(f"{name} {value}" for name, value in network.summary_.items()))
        # Of a rival alone: a refiner that is no better stays at epoch 0.
        found = network.summary_
        if found["best_epoch"] > 0 and found["ciede2000_held_out"] >= found["ciede2000_before"]:
            click.echo("No epoch was better than the untrained network on the photographs held out: train longer.")
        click.echo(f"{folder} -> {job.output} ({job.output.stat().st_size / 1e6:.1f} MB)")


class Diary:
    """Writes down how a training goes: a table and plots of the losses after every epoch, samples now and then."""

    def __init__(self, folder: Path, *, quiet: bool) -> None:
        self._folder = folder
        self._quiet = quiet
        self._plots = True

    def __call__(self, epoch: Epoch) -> None:
        """Take in one epoch."""
        from colorize._support.tables import write_csv

        columns = list(dict.fromkeys(name for entry in epoch.history for name in entry))
        rows = [[entry.get(name, "") for name in columns] for entry in epoch.history]
        write_atomically(self._folder / "losses.csv", [write_csv([columns, *rows]).encode("utf-8")])
        if self._plots:
            self._plot(epoch.history)
        if epoch.samples is not None:
            from colorize.io import write_photo
            from colorize.types import RgbImage

            name = f"samples-epoch-{epoch.number:04d}.png"
            write_photo(RgbImage(epoch.samples), self._folder / name, overwrite=True)
        if not self._quiet:
            last = epoch.history[-1]
            losses = ", ".join(f"{name} {last[name]:.4g}" for name in last if name not in ("epoch", "seconds"))
            click.echo(f"epoch {epoch.number}: {losses}")

    def _plot(self, history: list[dict[str, float]]) -> None:
        from colorize._support.statistics import Interval
        from colorize.evaluation.plots import curves, to_svg

        def drawn(names: list[str], label: str) -> bytes:
            series = {
                name: [(entry["epoch"], Interval(entry[name])) for entry in history if name in entry] for name in names
            }
            return to_svg(curves(series, "epoch", label, log=False), label, standalone=True).encode("utf-8")

        losses = [name for name in history[-1] if name not in ("epoch", "seconds", "ciede2000")]
        try:
            write_atomically(self._folder / "error.svg", [drawn(["ciede2000"], "CIEDE2000, held out")])
            if losses:
                write_atomically(self._folder / "losses.svg", [drawn(losses, "training losses")])
        except MissingDependencyError as error:
            # Said once, not after every epoch.
            self._plots = False
            click.echo(f"Note: no plots of the losses, only the table losses.csv: {error}", err=True)
