"""The folder beside the output in which a film is made: what is finished stays there, whatever happens.

``settings.json`` says what is being made, ``plan.npz`` keeps the first walk through the film, and ``000000.mp4``,
``000001.mp4``, ... are finished segments. ``000001.npz`` is the state that segment 1 handed on; it is written before
the segment gets its name, so a segment that is there can be gone on from.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize._support.files import refusals, remove_leftovers, write_atomically
from colorize._support.locks import file_lock
from colorize.exceptions import ColorizeError, ManifestError
from colorize.film.painter import State
from colorize.film.plan import Plan


class Workshop:
    """The working folder of an output, beside it, with its name and ``.part``."""

    def __init__(self, target: Path) -> None:
        self.folder = target.with_name(target.name + ".part")

    @contextlib.contextmanager
    def open(self, settings: Mapping[str, Any]) -> Iterator[None]:
        """Begin, or go on with what is there; other processes are kept away meanwhile.

        `settings` are all that decides the result, as JSON values. An error before the first walk is kept leaves no
        folder.

        Raises
        ------
        ManifestError
            The folder holds the work of other settings, something else, or another process works in it.
        OutputError
            It cannot be written.
        """
        path = self.folder / "settings.json"
        with refusals(self.folder, "cannot be made"):
            self.folder.mkdir(exist_ok=True)
        with file_lock(self.folder / ".lock", f"{self.folder}: another process is making this film"):
            # No settings, so not ours: nothing in it is touched.
            if not path.exists() and any(not file.name.startswith(".") for file in self.folder.iterdir()):
                raise ManifestError(f"{self.folder}: something else is in this folder; move it away")
            if not path.exists() or not self._is_continued(path, settings):
                # It belongs to the other settings: hints decide tracks, the film decides the rest.
                self._plan.unlink(missing_ok=True)
                write_atomically(path, [json.dumps(settings, indent=1, sort_keys=True).encode()])
            remove_leftovers(self.folder)
            try:
                yield
            except ColorizeError:
                # What was refused before anything was found out leaves no folder that says so.
                if not self._plan.is_file() and not self.n_finished():
                    self.remove()
                raise

    def remove(self) -> None:
        """The film is whole: nothing of the work is needed any more."""
        others = [file for file in self.folder.iterdir() if file.name != "settings.json"]
        for file in others:  # the settings last: with them, the rest can be removed later
            with contextlib.suppress(OSError):
                file.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def segment(self, number: int) -> Path:
        """File of a segment."""
        return self.folder / f"{number:06d}.mp4"

    def n_finished(self) -> int:
        """Segments that are there, from the first on."""
        number = 0
        while self.segment(number).is_file():
            number += 1
        return number

    def keep_plan(self, plan: Plan, tracks: NDArray[np.int32]) -> None:
        """Remember the first walk through the film."""
        _write(self._plan, **vars(plan), tracks=tracks)

    def plan(self) -> tuple[Plan, NDArray[np.int32]] | None:
        """What `keep_plan` kept; None if it did not get so far, ManifestError if the file is damaged."""
        if not self._plan.is_file():
            return None
        with self._reading(self._plan):
            found = _read(self._plan)
            times = tuple((int(pts), int(length)) for pts, length in found["times"])
            return Plan(times, tuple(found["kinds"].tolist()), tuple(found["notes"].tolist())), found["tracks"]

    def keep_state(self, number: int, state: State) -> None:
        """Remember what segment `number` hands on, before it gets its name."""
        _write(self._state(number), **vars(state))
        with contextlib.suppress(OSError):
            # The one before last: until this segment has its name, a kill goes back to the last.
            self._state(number - 2).unlink(missing_ok=True)

    def state(self, number: int) -> State:
        """What segment `number` handed on; ManifestError if the file is damaged or missing."""
        with self._reading(self._state(number)):
            found = _read(self._state(number))
            return State(**{**found, "weight": float(found["weight"]), "since": int(found["since"])})

    @property
    def _plan(self) -> Path:
        return self.folder / "plan.npz"

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"

    def _is_continued(self, path: Path, settings: Mapping[str, Any]) -> bool:
        """Tell whether the work there is what is wanted; what has no finished piece may be begun anew."""
        with self._reading(path):
            found = json.loads(path.read_text(encoding="utf-8"))
            differing = [name for name in {**found, **settings} if found.get(name) != settings.get(name)]
        # Without a finished piece nothing is lost by beginning anew.
        if differing and self.n_finished():
            names = ", ".join(sorted(differing))
            raise ManifestError(
                f"{self.folder}: begun with other settings ({names} differ); go on with those, or remove the folder"
            )
        return not differing

    @contextlib.contextmanager
    def _reading(self, path: Path) -> Iterator[None]:
        """Turn what a cut or altered file leads to into one line."""
        try:
            yield
        # BadZipFile, which NumPy passes on, is no kind of ValueError.
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ManifestError(f"{path}: damaged; remove {self.folder} to begin again") from error


def _write(path: Path, **values: Any) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **values)
    write_atomically(path, [buffer.getvalue()])


def _read(path: Path) -> dict[str, Any]:
    # No pickles: loading those runs code.
    with np.load(path, allow_pickle=False) as values:
        return dict(values)
