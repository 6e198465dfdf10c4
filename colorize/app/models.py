"""Training models, and taking along, renaming and deleting those that there are."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from colorize.app.core import Core
from colorize.app.training import Status, TrainingJob
from colorize.exceptions import RequestError


class Models:
    """The training of every visitor, and the models of all."""

    def __init__(self, core: Core) -> None:
        self.core = core
        # Another lock than that of long work: a training takes minutes, for which no saving should wait.
        self._turn = threading.Lock()

    def train(
        self,
        key: str,
        name: str,
        *,
        files: Sequence[Path] = (),
        folder: str = "",
        base: str = "",
        thumbnail_bytes: int = 0,
    ) -> None:
        """Train a model on photographs that were sent, or on those of a folder of this machine.

        With the name of a `base`, what that model has learnt is kept if that helps; see `Colorizer.fit`.
        """
        core, visit = self.core, self.core.visits.get(key)
        if visit.job is not None and visit.job.status.is_on:
            raise RequestError("your training is still running: stop it first")
        core.shelf.new_path(name)
        base_path = core.shelf.path(base) if base else None
        # Not in the visitor's folder, which goes when the page is closed: a training does not.
        place = core.workspace / "jobs" / secrets.token_hex(16)
        place.mkdir(parents=True)
        try:
            source, not_photos = core.photographs(files, folder, place / "photos")
        except RequestError:
            shutil.rmtree(place, ignore_errors=True)
            raise
        if visit.job is not None:
            # Only now: had the new photographs been refused, the stopped training could still go on.
            visit.job.stop()
            visit.job.abandon()
        visit.job = TrainingJob(
            place,
            source,
            self._turn,
            lambda model: self._keep(model, name),
            base=base_path,
            thumbnail_bytes=thumbnail_bytes,
            not_photos=not_photos,
        )
        visit.job.start()

    def _keep(self, model: Path, name: str) -> str:
        """Put what was trained for minutes on the shelf, under another name if its own was taken meanwhile."""
        shelf = self.core.shelf
        with shelf.naming:
            return shelf.add(model, shelf.free_name(name.strip()))

    def status(self, key: str) -> Status | None:
        """How the visitor's training stands, if there is one."""
        job = self.core.visits.get(key).job
        return None if job is None else job.status

    def stop(self, key: str) -> None:
        """Stop it; `resume` goes on."""
        job = self.core.visits.get(key).job
        if job is not None:
            job.stop()

    def resume(self, key: str) -> None:
        """Go on where it was stopped."""
        job = self.core.visits.get(key).job
        if job is None:
            raise RequestError("there is no training to go on with")
        job.start()

    def copy(self, key: str, name: str) -> Path:
        """Copy a model file into the visitor's folder, to be downloaded."""
        path = self.core.shelf.path(name)
        target = self.core.visits.get(key).folder / path.name
        shutil.copyfile(path, target)
        return target

    def rename(self, name: str, new_name: str) -> str:
        """Give one of the visitors' models another name."""
        self._check_owner()
        return self.core.shelf.rename(name, new_name)

    def delete(self, name: str) -> None:
        """Remove one of the visitors' models."""
        self._check_owner()
        self.core.shelf.delete(name)

    def _check_owner(self) -> None:
        if not self.core.folders_allowed:
            raise RequestError("models are changed only where the app runs for this machine alone: others use them too")
