"""The file of the encoder that the `semantic` features come from: an ONNX network, and beside it what it means."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

from colorize.exceptions import ModelFileError
from colorize.types import Float32


class EncoderFile(NamedTuple):
    """The encoder, read and checked."""

    network: bytes  # ONNX: the input `lightness`, the outputs `scores` and `features`
    colors: Float32  # (K, 2): ab of the colours whose scores the network gives
    digest: str  # of both, which a model that was trained with this encoder notes


@lru_cache(maxsize=1)
def read_encoder(folder: Path | None = None) -> EncoderFile:
    """Read ``encoder.onnx`` and ``encoder.json`` of a folder, by default those of the package.

    Raises
    ------
    ModelFileError
        One is missing, or they are not what was written together.

    Examples
    --------
    >>> read_encoder().colors.shape
    (72, 2)
    """
    folder = folder or Path(str(resources.files("colorize.models")))
    path = folder / "encoder.onnx"
    try:
        network = path.read_bytes()
        note = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        colors = np.array(note["colors"], np.float32)
        stated = note["sha256"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelFileError(
            f"{path}: the encoder of this installation cannot be read ({error}); install it again"
        ) from error
    if encoder_digest(network, colors) != stated:
        raise ModelFileError(f"{path}: the encoder of this installation is damaged; install it again")
    return EncoderFile(network, colors, stated)


def encoder_digest(network: bytes, colors: Float32) -> str:
    """Sha256 of an encoder: its network, then its colours as little-endian float32."""
    return hashlib.sha256(network + np.ascontiguousarray(colors, "<f4").tobytes()).hexdigest()
