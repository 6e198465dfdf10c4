"""Colour for grayscale photographs: classical, explainable, trainable in minutes, on a laptop CPU.

The names below are loaded when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colorize.color import to_gray
    from colorize.colorizer import Colorizer
    from colorize.exceptions import ColorizeError
    from colorize.io import read_photo, write_photo
    from colorize.models import find_model
    from colorize.optimization import propagate
    from colorize.training.dataset import load_folder
    from colorize.training.quantization import ColorPalette
    from colorize.types import Colorization, GrayImage, RgbImage, Superpixels

__version__ = "0.1.0.dev0"

_HOMES = {
    "ColorPalette": "training.quantization",
    "Colorization": "types",
    "ColorizeError": "exceptions",
    "Colorizer": "colorizer",
    "GrayImage": "types",
    "RgbImage": "types",
    "Superpixels": "types",
    "find_model": "models",
    "load_folder": "training.dataset",
    "propagate": "optimization",
    "read_photo": "io",
    "to_gray": "color",
    "write_photo": "io",
}

__all__ = [
    "ColorPalette",
    "Colorization",
    "ColorizeError",
    "Colorizer",
    "GrayImage",
    "RgbImage",
    "Superpixels",
    "find_model",
    "load_folder",
    "propagate",
    "read_photo",
    "to_gray",
    "write_photo",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
