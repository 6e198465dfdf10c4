"""Pictures for the screen: no larger than they are looked at, 8 bits, JPEG; and the samples one can begin with."""

from __future__ import annotations

import base64
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize._support.bits import to_8_bit
from colorize._support.shrink import shrink
from colorize.io import encode_screen, read_photo
from colorize.types import Colorization, GrayImage

PROXY_SIDE = 1024
"""Longest side of a photograph that is edited, if it is no panorama: a person waits for it."""
THUMBNAIL_SIDE = 280
SAMPLES = {
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "photographer": ("skimage", "data/camera.png"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "astronaut": ("skimage", "data/astronaut.png"),
    "coffee": ("skimage", "data/coffee.png"),
}
"""Photographs that come with scikit-learn and the libraries of the extra `app`, the best results first."""

_SAMPLE_SIDE = 120
_SURE_SIDE = 640


def shrunk(pixels: NDArray[Any], side: int) -> NDArray[np.uint8]:
    """Pixels of 8 bits, no more than `side` a side."""
    return shrink(to_8_bit(pixels), side)


def jpeg(pixels: NDArray[Any], side: int | None = None) -> bytes:
    """Pixels as a JPEG, no more than `side` a side if one is given."""
    return encode_screen(to_8_bit(pixels) if side is None else shrunk(pixels, side))


def data_uri(picture: bytes) -> str:
    """A JPEG as an address that holds it."""
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")


def fitted(gray: GrayImage, side: int) -> GrayImage:
    """The photograph no larger than `side` pixels a side, for the screen: 8 bits, without opacity and metadata."""
    return GrayImage(np.clip(shrink(gray.lightness, side), 0, 100))


def proxy(gray: GrayImage) -> GrayImage:
    """The photograph at the size at which it is edited: a ribbon with as many pixels as one of two by one."""
    return fitted(gray, round(PROXY_SIDE * max(1.0, (max(gray.shape) / min(gray.shape) / 2) ** 0.5)))


def gray_pixels(gray: GrayImage) -> NDArray[np.uint8]:
    """The photograph without colours."""
    from colorize.color import gray_rgb

    return gray_rgb(gray.lightness)


def confidence_map(result: Colorization, gray: GrayImage) -> bytes:
    """How sure the model is, from orange (a guess) to blue (sure), over the gray photograph; JPEG."""
    from colorize.explanation.doubt import tinted

    return jpeg(tinted(gray.lightness, result.confidence), _SURE_SIDE)


def sample_path(name: str) -> Path:
    """Where one of the `SAMPLES` lies; its library is not imported for it."""
    package, inner = SAMPLES[name]
    found = find_spec(package)
    return Path(str(found.origin if found else "")).parent / inner


def sample_pictures() -> dict[str, bytes]:
    """Thumbnails of the samples, gray as the eye takes it: what measures lightness is not loaded for them."""
    found = {}
    for name in SAMPLES:
        pixels = shrunk(np.asarray(read_photo(sample_path(name)).pixels, np.uint8), _SAMPLE_SIDE)
        luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        found[name] = encode_screen(np.repeat(luma[..., None], 3, axis=2))
    return found
