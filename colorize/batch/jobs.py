"""What a batch says to its workers, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass

from colorize.recipe.handling import Handling


@dataclass(frozen=True)
class Settings(Handling):
    """What all photographs of a batch have in common: how they are handled, and what makes their `Recipe`."""

    model: str = "default"
    vividness: float = 0.5
    keep_tint: bool = False
    all_frames: bool = False


@dataclass(frozen=True)
class Job:
    """A photograph to colorize, or to take the palette of.

    Attributes
    ----------
    source : str
        File to read.
    target : str or None
        File to write; None where only the palette is wanted.
    replace : bool
        The target is an output of an earlier run and may be replaced.
    palette : tuple of float or None
        Shares of the palette colours that its album has.
    """

    source: str
    target: str | None = None
    replace: bool = False
    palette: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Result:
    """What became of a job.

    Attributes
    ----------
    status : str
        ``done``; ``failed``: this photograph cannot be done; ``stop``: none can (the disk is full, ...).
    message : str
        Why, or what was changed or left out.
    sha256 : str
        Digest of the photograph's file.
    seconds : float
        Wall time.
    palette : list of float or None
        Shares of the palette colours, where they were wanted.
    """

    status: str
    message: str = ""
    sha256: str = ""
    seconds: float = 0.0
    palette: list[float] | None = None
