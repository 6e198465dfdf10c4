"""Training, seen from the page: a job that waits its turn, can be stopped and go on, and ends as a model."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from colorize.exceptions import ColorizeError

log = logging.getLogger(__name__)

STAGES = {
    "reading photographs": ("Reading the photographs", 0.06),
    "visual words": ("Learning what textures there are", 0.1),
    "features": ("Describing the photographs", 0.58),
    "learning": ("Learning the colours", 0.2),
    "measuring": ("Measuring on photographs it has not seen", 0.06),
}
"""Stages of a training in plain words, and the share of the time that each takes."""


@dataclass(frozen=True)
class Status:
    """How a training stands.

    Once the photographs have been read there is a report, ``n_used``, ``left_out`` (name, reason, detail), and ``few``,
    how many were better, if that is fewer without a base; later samples, ``n_photos`` learnt from and ``pictures``
    (gray, coloured, true; data addresses).
    """

    state: Literal["waiting", "running", "stopped", "failed", "done"] = "stopped"
    stage: str = "Beginning"  # in plain words
    fraction: float = 0.0  # that is done
    start: float = 0.0  # of its work, by `time.monotonic`
    report: dict[str, Any] = field(default_factory=dict)
    samples: dict[str, Any] = field(default_factory=dict)
    message: str = ""  # what went wrong, or the name of the model
    not_photos: dict[str, str] = field(default_factory=dict)  # left out before reading, and why

    @property
    def is_on(self) -> bool:
        """Whether it runs or waits for its turn."""
        return self.state in ("waiting", "running")

    @property
    def remaining(self) -> float | None:
        """Seconds left, as far as one can tell: guesses made early jump about."""
        if self.state != "running" or self.fraction <= 0.05:
            return None
        return (time.monotonic() - self.start) * (1 - self.fraction) / self.fraction


class TrainingJob:
    """One training, of the photographs in the folder `source`.

    Its own folder is removed when it is over. The job that runs holds the `turn`; `keep` puts a finished model file on
    the shelf and tells its name. A `base` is a model to build on, `thumbnail_bytes` as in `Colorizer.fit`.
    """

    def __init__(
        self,
        folder: Path,
        source: Path,
        turn: threading.Lock,
        keep: Callable[[Path], str],
        *,
        base: Path | None = None,
        thumbnail_bytes: int = 0,
        not_photos: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._turn, self._keep = turn, keep
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        # What was asked for last, by `start`; nothing after `stop`.
        self._wanted: object = None
        self._is_abandoned = False
        # Replaced whole, so that who looks at it sees one moment.
        self.status = Status(not_photos=not_photos or {})
        asked = [str(folder), str(source), str(thumbnail_bytes), *([str(base)] if base else [])]
        self._command = [sys.executable, "-m", "colorize.app.trainer", *asked]

    def start(self) -> None:
        """Begin, or go on where it was stopped."""
        with self._lock:
            if self.status.is_on or self.status.state == "done":
                return
            self._wanted = run = object()
            self._say(state="waiting", message="", fraction=0.0)
        threading.Thread(target=self._work, args=[run], daemon=True).start()

    def stop(self) -> None:
        """Stop at once; what is described is kept."""
        with self._lock:
            self._wanted = None
            if self._process is not None:
                self._process.terminate()
            # Its thread still waits; once it has its turn, it finds that nobody wants it, or another
            # one started since, and ends.
            if self.status.state == "waiting":
                self._say(state="stopped")

    def abandon(self) -> None:
        """Nobody asks any more: let it end if it runs, and remove its files then."""
        with self._lock:
            self._is_abandoned = True
            if self.status.is_on:
                return
        shutil.rmtree(self.folder, ignore_errors=True)

    def _say(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)

    def _work(self, run: object) -> None:
        with self._turn:
            with self._lock:
                if run is not self._wanted:
                    return
                # The clock starts with the work: waiting for
                # others must not count in the time that is left.
                self._say(state="running", start=time.monotonic())
            code = self._run_process()
        model, message = self.folder / "model.safetensors", self.status.message
        if self._wanted is None:
            self._say(state="stopped")
        elif code == 0 and model.is_file() and not message:
            self._finish(model)
        else:
            message = message or "the training ended unexpectedly; what it had described is kept"
            self._say(state="failed", message=message)
        if self._is_abandoned:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _finish(self, model: Path) -> None:
        try:
            name = self._keep(model)
        except (ColorizeError, OSError) as error:  # a full disk too: what was learnt waits to be kept
            self._say(state="failed", message=str(error))
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self._say(state="done", message=name, fraction=1.0)

    def _run_process(self) -> int:
        with open(self.folder / "errors.txt", "wb") as errors:
            # A process: it can be ended at once, computes beside the page instead of in turns with
            # it, and takes only itself down where memory runs out. Errors go to a file, since a
            # second pipe that nobody reads would fill up and stop it.
            with self._lock:
                if self._wanted is None:
                    return -1  # stopped since it had its turn
                self._process = process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
                )
            with process:
                for line in process.stdout or ():
                    self._take(line)
                process.wait()
        if process.returncode and self._wanted:
            log.error("a training ended with %d: %s", process.returncode, _last_line(self.folder / "errors.txt"))
        self._process = None
        return process.returncode

    def _take(self, line: str) -> None:
        """One line of the process; what is torn by its end is not read."""
        message: dict[str, Any] = {}
        with contextlib.suppress(json.JSONDecodeError):
            message = json.loads(line)
        self._say(**{name: message[name] for name in ("report", "samples", "message") if name in message})
        before = 0.0
        for name, (words, weight) in STAGES.items():
            if name == message.get("stage"):
                share = message["done"] / max(message["total"], 1)
                self._say(stage=words, fraction=before + weight * min(share, 1.0))
            before += weight


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"
