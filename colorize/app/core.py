"""What everybody in the app shares: visits, models, limits, whose turn it is, and errors in words fit for visitors.

What one visitor asks is done in turn. Small work of several visitors goes on side by side; of long work (saving at full
size, comparing, many photographs) one piece is done at a time, and nobody's small work waits for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from colorize.app.pictures import confidence_map, jpeg
from colorize.app.shelf import Shelf
from colorize.app.strokes import Strokes
from colorize.app.uploads import Limits, clean_name, gather
from colorize.app.visits import Photo, Visit, Visits
from colorize.exceptions import ColorizeError, InvalidImageError, RequestError
from colorize.io import read_photo
from colorize.models import user_folder
from colorize.types import Colorization, RgbImage

if TYPE_CHECKING:
    from colorize.guidance.session import Session

SAVED_AS = {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif"}


@dataclass(frozen=True, eq=False)
class View:
    """A photograph as the page shows it; pictures are JPEG."""

    photo: Photo
    color: bytes
    sure: bytes | None  # from orange (a guess) to blue (sure), if it is to be shown
    strokes: Strokes
    can_undo: bool
    can_redo: bool
    notes: tuple[str, ...]  # of reading and of colouring


class Core:
    """What the app's `Service` gives to each of its rooms.

    `models` is the folder of visitors' models, by default one of the user. The workspace is a new folder for temporary
    files, which `close` removes. Visitors may name folders of this machine only if they are its users.
    """

    def __init__(
        self, models: Path | None = None, *, limits: Limits | None = None, folders_allowed: bool = True
    ) -> None:
        self.shelf = Shelf(models or user_folder())
        self.limits = limits or Limits()
        self.workspace = Path(tempfile.mkdtemp(prefix="colorize-app-"))
        self.visits = Visits(self.workspace / "visits")
        self.folders_allowed = folders_allowed
        # Held by long work. At full size it takes memory for 64 megapixels: one piece at a time.
        self.long = threading.Lock()

    def warm_up(self) -> None:
        """Load what the first visitor would wait for, by colouring a small ramp of grays."""
        # Nobody listens to this thread; the first visitor will be told what is wrong.
        with suppress(RequestError):
            self.shelf.load("default").predict(np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1)))

    def close(self) -> None:
        """Forget everybody and remove all temporary files."""
        self.visits.close_all()
        shutil.rmtree(self.workspace, ignore_errors=True)

    # --- turns and words ---------------------------------------------------------------------------------------------

    @contextmanager
    def turn(self, key: str) -> Iterator[Visit]:
        """Have the visit to oneself; errors come out fit for a visitor, and leave it as it was."""
        visit = self.visits.get(key)
        # Gradio answers the events of one visitor in several threads: two strokes at once would
        # both be added to the same list, and one be lost.
        with visit.turn, self.at_work(visit):
            before = visit.wishes
            try:
                yield visit
            except BaseException:
                # After a failure of any kind the page shows what it did.
                if visit.wishes is not before:
                    visit.wishes = before
                    visit.forget_session()
                raise

    @contextmanager
    def at_work(self, visit: Visit) -> Iterator[None]:
        """Keep the visit meanwhile, and say errors in words that are fit for a visitor."""
        try:
            with self.visits.at_work(visit):
                yield
        except RequestError:
            raise
        except ColorizeError as error:
            raise RequestError(self.harmless(str(error))) from error
        except MemoryError as error:
            visit.forget_session()
            # Only what can be computed again was given up.
            raise RequestError("there is not enough memory for this; try a smaller photograph") from error

    def harmless(self, message: str) -> str:
        """A message without paths of this machine."""
        # Inner folders first: of an outer one replaced before, the rest would be left to read.
        for path in (str(self.workspace), str(self.shelf.folder), tempfile.gettempdir(), str(Path.home())):
            message = message.replace(path, "…")
        return message

    # --- what comes in -----------------------------------------------------------------------------------------------

    def read(self, path: Path) -> RgbImage:
        """Read a photograph, if it is within the limits."""
        name = clean_name(path.name)
        if path.stat().st_size > self.limits.file_bytes:
            raise RequestError(f"{name}: larger than {self.limits.file_bytes / 1e6:g} MB")
        try:
            return read_photo(path, max_pixels=self.limits.pixels)
        except InvalidImageError as error:
            raise RequestError(str(error).replace(str(path), name)) from error

    def photographs(self, files: Sequence[Path], folder: str, place: Path) -> tuple[Path, dict[str, str]]:
        """Where photographs lie, in a new `place` if they were sent, else where they are; and as `gather`."""
        if files:
            place.mkdir()
            return place, gather(files, place, self.limits)
        if not folder.strip():
            raise RequestError("choose photographs first")
        if not self.folders_allowed:
            raise RequestError("folders of this machine can be named only where the app runs for this machine alone")
        path = Path(os.path.expanduser(folder.strip()))  # that of Path raises where there is no such person
        if not path.is_dir():
            raise RequestError("there is no such folder on this machine")
        return path, {}

    # --- what is made of it ------------------------------------------------------------------------------------------

    def session(self, visit: Visit) -> Session:
        """The visitor's photograph, described, with the references and choices so far."""
        session = visit.session
        if session is None:
            photo, wishes = visit.need_photo(), visit.wishes
            references = [item.photo for item in wishes.references]
            session = self.shelf.load(visit.model).open(photo.gray, references, wishes.strength)
            for number, hints in wishes.steps:
                session = session.choose(number, hints)
            visit.session = session
            self.visits.opened(visit)
        return session

    def result(self, visit: Visit) -> Colorization:
        """Its colours, with everything that was said about them."""
        result = visit.result
        if result is None:
            result = visit.result = self.session(visit).with_hints(visit.hints(), visit.vividness)
        return result

    def view(self, visit: Visit) -> View:
        """What the page shows of it."""
        photo, result, wishes = visit.need_photo(), self.result(visit), visit.wishes
        return View(
            photo,
            jpeg(result.rgb),
            confidence_map(result, photo.gray) if visit.shows_sure else None,
            visit.strokes,
            wishes.now > 0,
            wishes.now < len(wishes.history) - 1,
            (*photo.notes, *result.notes),
        )


def suffix_of(kind: str) -> str:
    """The ending of files of one kind of `SAVED_AS`."""
    if kind not in SAVED_AS:
        raise RequestError(f"choose one of {', '.join(SAVED_AS)}")
    return SAVED_AS[kind]
