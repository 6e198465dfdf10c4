"""The encoder: a small convolutional network, trained by this project, that says which colours it expects where.

It is a file of the package (`colorize.models`), an ONNX network, and beside it what it means: pure data, and OpenCV
runs it: neither torch nor a GPU is needed. Its card tells what it was taught with.
"""

from __future__ import annotations

import hashlib
import json
import threading
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from colorize.exceptions import ModelFileError
from colorize.types import Float32

SIDE = 320
"""About how many pixels the longer side of a photograph has when the encoder sees it."""

OUTLIERS = 0.5
"""Percent of the pixels at either end of the tones that may be lost when they are stretched (`full_range`)."""
STEEPEST = 3.0
"""What tones are stretched by at most: beyond it there is more grain than picture."""

_UNIT = 32  # sides must be multiples of the coarsest stride
_LEAST_SIDE = 2 * _UNIT  # with a coarsest map of one row OpenCV 4 and 5 differ
_MEAN, _DEVIATION = np.float32(0.449), np.float32(0.226)  # of the photographs that the first weights were learnt from
_running = threading.Lock()  # the network keeps its input and its maps between calls


class Sight(NamedTuple):
    """What the encoder says of a photograph, for every place of a grid of one point per four pixels.

    Attributes
    ----------
    beliefs : ndarray, shape (K, h, w), float32
        Probability of each of the encoder's own colours (`expected_colors`).
    features : ndarray, shape (C, h, w), float32
        The last map of its decoder: what it knows of a place before it thinks of colours.
    """

    beliefs: Float32
    features: Float32


def see(gray: Float32) -> Sight:
    """Show a photograph to the encoder.

    Parameters
    ----------
    gray : ndarray, shape (H, W), float32
        Lightness, L* / 100. It is scaled to about `SIDE` pixels on the longer side, each side a multiple of 32, and its
        tones are stretched to the `full_range`.

    Returns
    -------
    Sight

    Raises
    ------
    ModelFileError
        The encoder's file is missing or damaged.

    See Also
    --------
    colorize.features.semantic.semantic : What the features are made of it.
    read_encoder : The file.

    References
    ----------
    Tan and Le, "EfficientNet", ICML 2019 (its trunk, in the Lite variant). Lin et al., "Feature pyramid networks", CVPR
    2017 (its decoder). Zhang, Isola and Efros, "Colorful image colorization", ECCV 2016 (what it is taught).

    Examples
    --------
    >>> sight = see(np.full((60, 90), 0.5, np.float32))
    >>> sight.beliefs.shape[1:], round(float(sight.beliefs[:, 0, 0].sum()), 3)
    ((56, 80), 1.0)
    """
    scale = SIDE / max(gray.shape)
    height, width = (max(_LEAST_SIDE, _UNIT * round(scale * side / _UNIT)) for side in gray.shape)
    # Area means on the way down: point samples of a fine texture would show the network one that is not there.
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = full_range(cv2.resize(np.ascontiguousarray(gray, np.float32), (width, height), interpolation=method))
    network = _network()
    # Copies, because the maps are the network's own and the next call overwrites them.
    with _running:
        network.setInput(((scaled - _MEAN) / _DEVIATION)[None, None])
        scores, features = (maps[0].copy() for maps in network.forward(["scores", "features"]))
    # A softmax in place: 72 maps need no second set beside them.
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return Sight(scores, features)


def full_range(gray: Float32) -> Float32:
    """Stretch the tones of a photograph from black to white, as in a good print.

    A faded scan has fewer than most photographs that the encoder learnt from, and shown as it is it is judged worse
    (docs/encoder.md has the figures).

    Parameters
    ----------
    gray : ndarray, shape (H, W), float32
        Lightness, L* / 100.

    Returns
    -------
    ndarray, shape (H, W), float32
        In 0..1. What has hardly any tones is stretched `STEEPEST` times, and stays as bright as that leaves room for.

    Examples
    --------
    >>> full_range(np.array([[0.2, 0.4, 0.6]], np.float32)).round(3)
    array([[0. , 0.5, 1. ]], dtype=float32)
    """
    low, high = np.percentile(gray, (OUTLIERS, 100 - OUTLIERS)).astype(np.float32)
    gain = 1 / max(high - low, np.float32(1 / STEEPEST))
    middle, half = (low + high) / 2, gain * (high - low) / 2
    return np.clip((gray - middle) * gain + np.clip(middle, half, 1 - half), 0, 1, dtype=np.float32)


def expected_colors() -> Float32:
    """The colours that the encoder tells apart, shape (K, 2), ab."""
    return read_encoder().colors


@lru_cache(maxsize=1)
def _network() -> Any:
    return cv2.dnn.readNetFromONNX(np.frombuffer(read_encoder().network, np.uint8))


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
