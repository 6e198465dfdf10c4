"""The loop around a learner: epochs, validation, checkpoints, samples, and when to stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from colorize._support.numbers import is_integer, is_number
from colorize._support.progress import Progress, silent
from colorize._support.statistics import Bootstrap
from colorize.color import lab_to_rgb
from colorize.color.metrics import ciede2000
from colorize.exceptions import ModelFileError, TrainingError
from colorize.models.file import load_model, save_model
from colorize.refine.data import Example, draw_batch, whole
from colorize.refine.learners import Learner, clock_of, part_of, weights_of
from colorize.types import Float32

CHECKPOINT_KIND = "training"

_N_SAMPLES = 6  # held-out photographs in a grid of samples
_SAMPLE_HEIGHT = 96

# Every epoch is validated out of the same minutes: more photographs would leave less to learn.
_LARGEST_VALIDATION = 60


@dataclass(eq=False, repr=False, kw_only=True)
class Settings:
    """How long and on what to train: parameters of these names, which `colorize.refine.predictor.Refiner` explains."""

    epochs: int | None = None
    minutes: float | None = None
    batch_size: int = 16
    crop: int = 128
    patience: int | None = None
    hold_out: float = 0.1
    random_state: int = 0

    def check(self) -> None:
        """Raise ValueError for the first that is not one of its legal values."""
        if self.epochs is not None and self.minutes is not None:
            raise ValueError("give either epochs or minutes")
        if self.epochs is not None and not (is_integer(self.epochs) and self.epochs >= 1):
            raise ValueError(f"epochs must be at least 1, got {self.epochs!r}")
        if self.minutes is not None and not (is_number(self.minutes) and 0 < self.minutes < math.inf):
            raise ValueError(f"minutes must be a positive number, got {self.minutes!r}")
        for name, low in (("batch_size", 2), ("crop", 16), ("patience", 1)):
            value = getattr(self, name)
            if value is not None and not (is_integer(value) and value >= low):
                raise ValueError(f"{name} must be at least {low}, got {value!r}")
        if not (is_number(self.hold_out) and 0 < self.hold_out < 1):
            raise ValueError(f"hold_out must lie between 0 and 1, got {self.hold_out!r}")

    @property
    def n_epochs(self) -> int | None:
        """Epochs to train; None where minutes decide."""
        return 60 if self.epochs is None and self.minutes is None else self.epochs


@dataclass(frozen=True, eq=False)
class Epoch:
    """What an observer is told after every epoch.

    Attributes
    ----------
    number : int
        0 is the state before the first step.
    history : list of dict
        Per epoch so far: ``epoch``, ``seconds``, ``ciede2000`` on the held-out photographs, and the losses by name.
    samples : ndarray, shape (H, W, 3), uint8, or None
        At epochs 1, 2, 5, 10, 20, 50 and so on: the same held-out photographs, one per row, gray, (base,) result, true.
    """

    number: int
    history: list[dict[str, float]]
    samples: NDArray[np.uint8] | None


Observer = Callable[[Epoch], None]


@dataclass(eq=False)
class Trainer:
    """Trains a learner and keeps its best epoch.

    Parameters
    ----------
    learner : Learner
    training, held_out : sequence of Example
        Of different photographs; two to train on at least, and one held out.
    settings : Settings
    recipe : dict
        Plain values that a checkpoint must share with a training that resumes from it.
    checkpoint, resume, progress, observe
        As for `colorize.refine.predictor.Refiner.fit`.
    seconds : float
        Spent already, before this training.
    cautious : bool
        An epoch is better than none only if its mean error on the photographs held out is smaller with a paired 95 %
        interval that excludes zero; otherwise the untrained network is the outcome. False never gives that one back.

    Attributes
    ----------
    weights : dict of str to ndarray
        Of the epoch with the smallest validation error; see `cautious`.
    best : dict of str to float
        The entry of that epoch in the history.
    history : list of dict
        See `Epoch`.
    """

    learner: Learner
    training: Sequence[Example]
    held_out: Sequence[Example]
    settings: Settings
    recipe: dict[str, Any] = field(default_factory=dict)
    checkpoint: str | Path | None = None
    resume: bool = False
    progress: Progress = silent
    observe: Observer | None = None
    seconds: float = 0.0
    cautious: bool = False
    weights: dict[str, np.ndarray] = field(init=False, default_factory=dict)
    best: dict[str, float] = field(init=False, default_factory=dict)
    history: list[dict[str, float]] = field(init=False, default_factory=list)

    def run(self) -> Self:
        """Train; gives itself back, with the outcome.

        Raises
        ------
        TrainingError
            A loss or a weight is no longer finite; the message names the last good checkpoint.
        ModelFileError
            The checkpoint to resume from does not belong to this training.
        """
        self._rng = np.random.default_rng(self.settings.random_state)
        self._first = np.empty(0)
        self._validation = [whole(example) for example in self.held_out[:_LARGEST_VALIDATION]]
        if self.resume and self.checkpoint is not None:
            self._take_up(self.checkpoint)
        self._clock = clock_of(self.learner.device)
        self._started = self._clock() - self.seconds
        # Epoch 0 is the start: of a refiner it is the base itself, which every epoch has to beat.
        if not self.history:
            self._finish_epoch({})
        while not self._is_over():
            self._finish_epoch(self._epoch())
        return self

    def _epoch(self) -> dict[str, float]:
        """Show every photograph once; means of the losses."""
        order = self._rng.permutation(len(self.training))
        n_batches = max(1, len(order) // self.settings.batch_size)
        seen: list[dict[str, float]] = []
        for index, chosen in enumerate(np.array_split(order, n_batches)):
            share = self._share(index / n_batches)
            if share >= 1:  # the minutes are over
                break
            self._tell(share)
            planes, place = draw_batch([self.training[i] for i in chosen], self._rng, size=self.settings.crop)
            seen.append(self.learner.step(planes, place, share))
            for name, loss in seen[-1].items():
                if not math.isfinite(loss):
                    raise TrainingError(self._bad_end(f"{name} became {loss} in step {index + 1}"))
        return {name: float(np.mean([losses[name] for losses in seen])) for name in seen[0]} if seen else {}

    def _finish_epoch(self, losses: dict[str, float]) -> None:
        number = len(self.history)
        results = [self.learner.colors(planes[None])[0] for planes in self._validation]
        errors = np.array([_error(planes, ab) for planes, ab in zip(self._validation, results, strict=True)])
        error = float(errors.mean())
        self.seconds = self._clock() - self._started
        entry = {"epoch": float(number), "seconds": self.seconds, "ciede2000": error, **losses}
        bad = self.learner.broken() or ("" if math.isfinite(error) else "the validation error")
        if bad:
            raise TrainingError(self._bad_end(f"{bad} is no longer finite"))
        self.history.append(entry)
        if number == 0:
            self._first = errors
        if self._is_better(errors):
            self.best, self.weights = entry, weights_of(self.learner.average)
        if self.checkpoint is not None:
            self._keep(self.checkpoint)
        if self.observe is not None:
            is_shown = str(number).rstrip("0") in ("1", "2", "5")  # 1, 2, 5, 10, 20, 50 and so on
            samples = _sample_grid(self._validation[:_N_SAMPLES], results) if is_shown else None
            self.observe(Epoch(number, list(self.history), samples))

    def _is_better(self, errors: NDArray[np.float64]) -> bool:
        """Whether an epoch takes the place of the best so far."""
        if not self.best:
            return True
        if self.cautious and not Bootstrap(len(errors)).mean(errors - self._first).high < 0:
            return False
        # Any epoch replaces the start of a rival, which has learnt nothing, however small its error.
        return errors.mean() < self.best["ciede2000"] or (self.best["epoch"] == 0 and not self.cautious)

    def _share(self, within: float) -> float:
        """How much of the training is over."""
        if self.settings.minutes is not None:
            return (self._clock() - self._started) / (60 * self.settings.minutes)
        return (len(self.history) - 1 + within) / (self.settings.n_epochs or 1)

    def _is_over(self) -> bool:
        patience = self.settings.patience
        waited = len(self.history) - 1 - self.best["epoch"]
        return self._share(0.0) >= 1 or (patience is not None and waited >= patience)

    def _tell(self, share: float) -> None:
        n_epochs = self.settings.n_epochs
        total = n_epochs or max(1, round(60 * (self.settings.minutes or 0)))
        self.progress(f"training, {'epochs' if n_epochs else 'seconds'}", min(total, int(share * total)), total)

    def _keep(self, path: str | Path) -> None:
        """Write all that the next epoch depends on, in place of an earlier checkpoint."""
        arrays = {**self.learner.state(), **{f"best.{name}": array for name, array in self.weights.items()}}
        header = {
            "settings": self._all_settings(),
            "seconds": self.seconds,
            "history": self.history,
            "best": self.best,
            "first": self._first.tolist(),
            "random": {"numpy": self._rng.bit_generator.state},
        }
        arrays["random.torch"] = torch.get_rng_state().numpy()
        save_model(path, header, arrays, kind=CHECKPOINT_KIND, overwrite=True)

    def _take_up(self, path: str | Path) -> None:
        """Go on from a checkpoint, with the random numbers that came next."""
        header, arrays = load_model(path, kind=CHECKPOINT_KIND)
        try:
            before, now = header["settings"], self._all_settings()
            differing = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
            if differing:
                name = differing[0]
                raise ModelFileError(
                    f"{path}: a training with {name} {before.get(name)!r}, not {now.get(name)!r}; "
                    "resume with the same settings and photographs, or start anew"
                )
            self._rng.bit_generator.state = header["random"]["numpy"]
            torch.set_rng_state(torch.from_numpy(arrays["random.torch"]))
            self.learner.load_state(arrays)
            self.seconds, self.history, self.best = header["seconds"], header["history"], header["best"]
            self._first = np.array(header["first"])
            self.weights = part_of(arrays, "best.")
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelFileError(f"{path}: no checkpoint of a training ({error} is missing or wrong)") from error

    def _all_settings(self) -> dict[str, Any]:
        names = [item.name for item in fields(Settings)]
        return {name: getattr(self.settings, name) for name in names} | {"epochs": self.settings.n_epochs} | self.recipe

    def _bad_end(self, what: str) -> str:
        kept = f"; the last good state is {self.checkpoint}" if self.checkpoint and self.history else ""
        return (
            f"training stopped in epoch {len(self.history)}: {what}{kept}; train on other photographs, "
            "with another seed or for fewer epochs"
        )


@contextmanager
def forked_randomness(random_state: int) -> Iterator[None]:
    """A context in which torch's random numbers start from a seed, and after which they go on as before."""
    with torch.random.fork_rng():
        torch.manual_seed(random_state)
        yield


def _sample_grid(planes: Sequence[Float32], results: Sequence[Float32]) -> NDArray[np.uint8]:
    """The `samples` of an `Epoch`, of planes (channels, h, w) and results (2, h, w)."""
    rows = [_sample_row(photo, ab) for photo, ab in zip(planes, results, strict=False)]
    width = max(row.shape[1] for row in rows)
    return np.concatenate(
        [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    )


def _sample_row(planes: Float32, ab: Float32) -> NDArray[np.uint8]:
    colors = [np.zeros_like(ab), *([planes[3:5]] if len(planes) > 3 else []), ab, planes[1:3]]
    pictures = [lab_to_rgb(planes[0], np.moveaxis(color, 0, -1)) for color in colors]
    size = round(_SAMPLE_HEIGHT * planes.shape[2] / planes.shape[1]), _SAMPLE_HEIGHT
    return np.concatenate([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures], axis=1)


def _error(planes: Float32, ab: Float32) -> float:
    true = np.moveaxis(planes[:3], 0, -1)
    found = np.concatenate([true[..., :1], np.moveaxis(ab, 0, -1)], axis=2).astype(np.float32)
    return float(ciede2000(np.ascontiguousarray(true), found).mean())
