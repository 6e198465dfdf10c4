"""The models that come with the package, each a `.safetensors` file with its card, a `.md` file, beside it."""

from __future__ import annotations

import os
import sys
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from colorize.exceptions import ModelFileError


class ShippedModel(NamedTuple):
    """A model of the package, by the name that `find_model` takes, with its card in Markdown."""

    name: str
    path: Path
    card: str


def available_models() -> list[ShippedModel]:
    """List the models of the package, the default first, the others by name.

    See Also
    --------
    find_model : The file of one of them.

    Examples
    --------
    >>> all(model.path.suffix == ".safetensors" for model in available_models())
    True
    """
    paths = sorted(_folder().glob("*.safetensors"), key=lambda path: (path.stem != "default", path.stem))
    return [ShippedModel(path.stem, path, _card(path)) for path in paths]


def find_model(name_or_path: str | Path = "default") -> Path:
    """Find the file of a model.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped model, or else the path of a model file.

    Returns
    -------
    Path
        An existing file; `Colorizer.load` checks whether it is a model.

    Raises
    ------
    ModelFileError
        Neither a shipped model nor a file.

    See Also
    --------
    available_models : What there is.
    colorize.predictor.Predictor.load : Loads the file.
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        raise TypeError(f"a model is found by its name or its file, got {type(name_or_path).__name__}")
    # Names go first, so that a file called `default` in the working folder changes nothing.
    shipped = {model.name: model.path for model in available_models()}
    if str(name_or_path) in shipped:
        return shipped[str(name_or_path)]
    path = Path(name_or_path)
    if path.is_file():
        return path
    names = ", ".join(shipped) or "none"
    raise ModelFileError(f"{name_or_path}: neither a file nor a shipped model (shipped: {names})")


def user_folder() -> Path:
    """Where a user's own models are kept, by the habits of the operating system."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "colorize" / "models"


def _card(path: Path) -> str:
    card = path.with_suffix(".md")
    return card.read_text(encoding="utf-8").strip() if card.is_file() else "(no card)"


def _folder() -> Path:
    return Path(str(resources.files(__name__)))
