"""Model files of every kind: the header of a file says which class reads it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize.colorizer import Colorizer
from colorize.exceptions import ModelFileError
from colorize.models.file import find_shipped, load_model, model_kind, stated_digest

# Networks need torch; files of all other kinds are read without it.
if TYPE_CHECKING:
    from colorize.refine.predictor import Refiner, Rival

__all__ = ["NETWORKS", "describe", "find_base", "load_any_model", "network_facts"]

NETWORKS = ("refiner", "rival")
"""Kinds of model files that hold neural networks."""


def load_any_model(path: str | Path, *, device: str = "auto") -> Colorizer | Refiner | Rival:
    """Read a model file, whatever kind of model it holds.

    Parameters
    ----------
    path : str or Path
    device : {"auto", "cpu", "cuda"}
        For models that are neural networks.

    Returns
    -------
    Colorizer, or Refiner or Rival of `colorize.refine`
        All have ``predict(gray, vividness=...)``. The base of a refiner is found by `find_base`.

    Raises
    ------
    ModelFileError
        The file is missing, damaged or of an unknown kind, or the base of a refiner is not found.
    MissingDependencyError
        The model is a neural network, and torch is not installed.

    Examples
    --------
    >>> from colorize.models import find_model
    >>> type(load_any_model(find_model("default"))).__name__
    'Colorizer'
    """
    kind = model_kind(path)
    if kind == "classical":
        return Colorizer.load(path)
    if kind == "refiner":
        from colorize.refine.predictor import Refiner

        return Refiner.load(path, Colorizer.load(find_base(path)), device=device)
    if kind == "rival":
        from colorize.refine.predictor import Rival

        return Rival.load(path, device=device)
    raise ModelFileError(f"{path}: a file of kind {kind!r}, which colorizes nothing")


def network_facts(path: str | Path) -> dict[str, Any]:
    """Tell what a neural network is and how it was trained, from the header of its file: torch is not needed.

    Returns
    -------
    dict of str to str, int or float
        ``kind``; of a rival ``generator`` and ``objective``, of a refiner ``base_sha256``; then its summary:
        photographs, epochs, errors before and after, and where the weights of a frozen ``encoder`` came from.

    Raises
    ------
    ModelFileError
        The file is missing, damaged, or holds no network.
    """
    kind = model_kind(path)
    if kind not in NETWORKS:
        raise ModelFileError(f"{path}: a file of kind {kind!r}, which holds no network that colorizes")
    header, _ = load_model(path, kind=kind)
    summary = header.pop("summary", {})
    if not isinstance(summary, dict):
        raise ModelFileError(f"{path}: parts of the model do not fit together (its summary is none)")
    return {"kind": kind, **header, **summary}


def find_base(refiner: str | Path) -> Path:
    """Find the model that a refiner was trained on: among the shipped models, then beside the refiner's own file.

    Raises
    ------
    ModelFileError
        `refiner` is no file of a refiner, or its base is in neither place.
    """
    refiner = Path(refiner)
    wanted = load_model(refiner, kind="refiner")[0].get("base_sha256")
    if shipped := find_shipped(wanted):
        return shipped.path
    for path in sorted(refiner.parent.glob("*.safetensors")):
        # A damaged file that lies in the same folder is not the refiner's fault: look on.
        with suppress(ModelFileError):
            if model_kind(path) == "classical" and stated_digest(path) == wanted:
                return path
    raise ModelFileError(
        f"{refiner}: refines the model with sha256 {str(wanted)[:12]}..., which is neither shipped nor in the "
        "same folder; put its file there"
    )


def describe(summary: Mapping[str, Any]) -> str:
    """Put the plain entries of a summary in one line."""
    plain = ((name, value) for name, value in summary.items() if isinstance(value, (int, float, str)))
    return ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in plain)
