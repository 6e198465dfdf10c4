"""The models that the app offers: those of the package, and those in one folder, where new ones are put too."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from colorize._support.files import write_atomically
from colorize.exceptions import ModelFileError, RequestError
from colorize.models import available_models
from colorize.models.file import model_kind

if TYPE_CHECKING:
    from colorize.colorizer import Colorizer

SUFFIX = ".safetensors"
N_LOADED = 3
"""Models kept in memory; the least recently used one makes room."""

# No dots, no slashes: a name is the name of a file too.
_NAME = re.compile(r"[^\W_][\w -]{0,39}")


class NameTakenError(RequestError):
    """Another model has that name."""


@dataclass(frozen=True)
class Card:
    """What a visitor is told of a model.

    Its palette comes in swatches, the most frequent colour first: as CSS, in words, and the share of training regions
    that had it. The figures are mean CIEDE2000 (``gray``, ``lookup``, ``model``) on the ``n_photos`` photographs held
    out of its training; there are none if they were not measured.
    """

    name: str
    text: str  # Markdown, or empty
    n_photos: int  # that it was trained on
    swatches: tuple[tuple[str, str, float], ...]
    figures: Mapping[str, float]
    n_bytes: int  # of its file


@dataclass(eq=False)
class Label:
    """What a model is called, for those who use it: a rename changes the label, and they go on with the model."""

    name: str = "default"


class Shelf:
    """Models by name; those of visitors lie in a folder, which is made when the first one comes.

    Whatever cannot be done with one raises `RequestError`: there is none of that name, its file is damaged, it came
    with the package and stays as it is, or a new name is taken (`NameTakenError`) or is no plain name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = lru_cache(N_LOADED)(_read)
        # Held while a file is read: two visitors who want the same model read it once.
        self._lock = threading.RLock()
        # Held from looking for a free name until its file is there. Another one: reading takes a second.
        self.naming = threading.RLock()
        self._labels: dict[str, Label] = {}

    def paths(self) -> dict[str, Path]:
        """All models, those of the package first."""
        own = sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []
        shipped = {model.name: model.path for model in available_models()}
        # A file of one's own never hides a shipped model: everybody takes its name for that.
        return shipped | {path.stem: path for path in own if path.stem not in shipped}

    def names(self) -> list[str]:
        """Models that can colorize with hints and explanations: those of this package's own kind."""
        return [name for name, path in self.paths().items() if _kind(path) == "classical"]

    def path(self, name: str) -> Path:
        """The file of a model."""
        paths = self.paths()
        if name not in paths:
            raise RequestError(f"there is no model named {name}; choose another one")
        return paths[name]

    def load(self, name: str) -> Colorizer:
        """Read a model, or take it from memory."""
        path = self.path(name)
        with self._lock:
            try:
                return self._read(path, path.stat().st_mtime_ns)
            except ModelFileError as error:
                raise RequestError(str(error).replace(str(path), f"model {name}")) from error

    def card(self, name: str) -> Card:
        """What there is to tell of a model."""
        colorizer, path = self.load(name), self.path(name)
        text = next((model.card for model in available_models() if model.path == path), "")
        summary: dict[str, Any] = colorizer.summary_
        figures = summary.get("held_out")
        figures = figures if isinstance(figures, dict) else {}
        return Card(
            name,
            text,
            int(summary.get("n_photos", 0)),
            _swatches(colorizer),
            {name: float(value) for name, value in figures.items() if isinstance(value, (int, float))},
            path.stat().st_size,
        )

    def label(self, name: str) -> Label:
        """That of a model, to be kept by who uses it."""
        with self.naming:
            self.path(name)  # refuses a name that no model has
            return self._labels.setdefault(name, Label(name))

    def rename(self, name: str, new_name: str) -> str:
        """Give a model of one's own another name, which it tells and those who use it have from now on."""
        with self.naming:
            given = self._own_path(name).rename(self.new_path(new_name)).stem
            label = self._labels[given] = self._labels.pop(name, Label())
            label.name = given
            return given

    def delete(self, name: str) -> None:
        """Remove a model of one's own for good."""
        with self.naming:
            self._own_path(name).unlink()
            self._labels.pop(name, None)

    def _own_path(self, name: str) -> Path:
        path = self.path(name)
        if any(model.name == name for model in available_models()):
            raise RequestError(f"{name} came with the package: it stays as it is")
        return path

    def free_name(self, name: str) -> str:
        """The name, or with a number behind it if it is taken."""
        # Windows and macOS take names that differ in capitals for one file.
        taken = {other.casefold() for other in self.paths()}
        found, number = name, 2
        while found.casefold() in taken:
            found, number = f"{name[:36]} {number}", number + 1
        return found

    def new_path(self, name: str) -> Path:
        """Where a new model of this name goes; nothing is ever written over."""
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise RequestError(
                "give the model a name of 1 to 40 letters, digits, spaces, - or _, beginning with a letter or digit"
            )
        if self.free_name(name) != name:
            raise NameTakenError(f"there is a model named {name} already; choose another name")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RequestError(
                "the folder of the models cannot be made; start the app with another --models"
            ) from error
        return self.folder / f"{name}{SUFFIX}"

    def add(self, source: Path, name: str) -> str:
        """Take in a model file that a visitor brings, after all of it has been checked."""
        from colorize.colorizer import Colorizer

        self.new_path(name)  # before the work of checking
        try:
            if model_kind(source) == "classical":
                Colorizer.load(source)
            else:
                raise ModelFileError("a model of another kind; the app takes models made by `colorize train`")
        except ModelFileError as error:
            raise RequestError(str(error).replace(str(source), f"{name.strip()}{SUFFIX}")) from error
        with self.naming:
            target = self.new_path(name)
            write_atomically(target, [source.read_bytes()])
        return target.stem


def _read(path: Path, _changed: int) -> Colorizer:
    """The model of a file; one that was replaced since is another."""
    from colorize.colorizer import Colorizer

    return Colorizer.load(path)


def _kind(path: Path) -> str:
    try:
        return model_kind(path)
    except ModelFileError:
        return "damaged"


def _swatches(colorizer: Colorizer) -> tuple[tuple[str, str, float], ...]:
    from colorize.color import lab_to_rgb
    from colorize.color.names import SWATCH_LIGHTNESS, color_names

    palette = colorizer.palette_
    colors, shares = palette.colors_, palette.frequencies_ / max(float(palette.frequencies_.sum()), 1e-9)
    pixels = lab_to_rgb(np.full(len(colors), SWATCH_LIGHTNESS, np.float32), colors)
    names = color_names(colors, SWATCH_LIGHTNESS)
    order = np.argsort(-shares, kind="stable")
    return tuple(("#" + pixels[i].tobytes().hex(), names[i], float(shares[i])) for i in order)
