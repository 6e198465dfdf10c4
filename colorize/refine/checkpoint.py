"""Interrupted trainings: all that the next epoch depends on, in one file that is data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from colorize.exceptions import ModelFileError
from colorize.models.file import load_model, save_model

KIND = "training"

_NUMPY, _TORCH = "numpy", "random.torch"


def save_checkpoint(
    path: str | Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], rng: np.random.Generator
) -> None:
    """Write the state of a training, with that of the random generators, in place of an earlier one.

    Parameters
    ----------
    path : str or Path
        A reader never sees half a file.
    header : mapping
        JSON values: settings, epoch, history.
    arrays : mapping of str to ndarray
        Weights and optimizer states; all finite.
    rng : numpy.random.Generator
        Beside it, torch's generator on the CPU is kept.
    """
    states = {_NUMPY: rng.bit_generator.state}
    arrays = {**arrays, _TORCH: torch.get_rng_state().numpy()}
    save_model(path, {**header, "random": states}, arrays, kind=KIND, overwrite=True)


def load_checkpoint(
    path: str | Path, settings: Mapping[str, Any], rng: np.random.Generator
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read the state of a training and put the random generators back.

    Parameters
    ----------
    path : str or Path
    settings : mapping
        Those of the training that goes on; they must be those of the file.
    rng : numpy.random.Generator
        Set to the state that was saved.

    Returns
    -------
    header, arrays

    Raises
    ------
    ModelFileError
        The file is damaged, no checkpoint, or one of a training with other settings; the message names the first.
    """
    header, arrays = load_model(path, kind=KIND)
    try:
        before = header["settings"]
        differing = sorted(name for name in {*before, *settings} if before.get(name) != settings.get(name))
        if differing:
            name = differing[0]
            raise ModelFileError(
                f"{path}: a training with {name} {before.get(name)!r}, not {settings.get(name)!r}; "
                "resume with the same settings and photographs, or start anew"
            )
        rng.bit_generator.state = header["random"][_NUMPY]
        torch.set_rng_state(torch.from_numpy(arrays.pop(_TORCH)))
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path}: no checkpoint of a training ({error} is missing or wrong)") from error
    return header, arrays
