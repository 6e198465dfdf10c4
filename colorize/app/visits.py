"""Visitors: what each is working on, bounded in number and memory, forgotten after a while."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Any

from colorize.app.shelf import Label
from colorize.app.strokes import Strokes
from colorize.exceptions import RequestError
from colorize.guidance.hints import Hints
from colorize.types import Colorization, GrayImage, RgbImage

if TYPE_CHECKING:
    from colorize.app.stages import Work
    from colorize.app.training import TrainingJob
    from colorize.explanation import Explainer
    from colorize.guidance.session import Session

N_VISITS = 64
"""Visits kept; those with work or a training under way are kept besides."""
N_OPEN = 4
"""Visits whose computed part (about 150 MB) is kept in memory."""
IDLE_SECONDS = 86_400
"""A visit that was not heard of for so long is forgotten: its page may be open all the while, over lunch or a night."""
GRACE_SECONDS = 300
"""One whose page was closed is kept for so long: a page that is loaded again comes back to it."""

# An upload lies on the disk before the event that names it comes in: so young a file may belong to
# a visitor who has not said so yet.
_FRESH_SECONDS = 60
_TIDY_SECONDS = 30
_MOST_STEPS = 200


@dataclass(frozen=True, eq=False)
class Reference:
    """A colour photograph that lends its colours, small, with the name it was sent under."""

    name: str
    photo: RgbImage


Steps = tuple[tuple[int, Hints | None], ...]
"""Alternatives that were chosen one after the other, each with the hints that its list was made with."""
Offered = tuple[Steps, Hints | None, list[bytes]]
"""Alternatives to choose from: after which steps and with which hints they were made, and their pictures, JPEG."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph that a visitor is working on."""

    path: Path  # the file as it was sent, in the visitor's own folder and under a harmless name
    shape: tuple[int, int]  # at full size
    gray: GrayImage  # no larger than the page can edit at once
    notes: tuple[str, ...]  # what reading changed or left out


@dataclass(frozen=True, eq=False)
class Wishes:
    """What a visitor asks for: replaced whole, and gone back to when its colours cannot be made.

    Of the `history` of the strokes, what comes after `now` was taken back.
    """

    photo: Photo | None = None
    label: Label = field(default_factory=Label)
    references: tuple[Reference, ...] = ()
    strength: float = 1.0
    steps: Steps = ()
    offered: Offered | None = None
    history: tuple[Strokes, ...] = ((),)
    now: int = 0


@dataclass(eq=False)
class Visit:
    """One visitor: wishes and settings (small, kept) and what was computed (large, may be dropped at any time).

    The vividness and whether doubts are shown are no wishes: the page's switches for them stay as they were put.
    """

    folder: Path
    last_seen: float
    wishes: Wishes = Wishes()
    vividness: float = 0.5
    shows_sure: bool = False
    job: TrainingJob | None = None
    uploads: set[Path] = field(default_factory=set)
    session: Session | None = None
    result: Colorization | None = None
    explainer: Explainer | None = None
    batch: Work[Any] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    n_working: int = 0
    turn: threading.RLock = field(default_factory=threading.RLock)
    is_left: bool = False

    @property
    def token(self) -> str:
        """What the browser keeps to come back to this visit."""
        return self.folder.name

    @property
    def model(self) -> str:
        """The name of the model in use, as it is now."""
        return self.wishes.label.name

    @property
    def strokes(self) -> Strokes:
        """What was painted so far."""
        return self.wishes.history[self.wishes.now]

    @property
    def is_busy(self) -> bool:
        """Whether something is under way for its page, or that must not lose its folder."""
        is_trained_for = self.job is not None and self.job.status.is_on and not self.is_left
        return self.n_working > 0 or is_trained_for

    @property
    def patience(self) -> float:
        """Seconds after which it is forgotten, if nothing is heard of it."""
        # Of a batch no page may have been there at the end.
        has_unseen_batch = self.batch is not None and not self.batch.is_told
        return GRACE_SECONDS if self.is_left and not has_unseen_batch else IDLE_SECONDS

    def need_photo(self) -> Photo:
        """The photograph, or a word about the missing one."""
        if self.wishes.photo is None:
            # A page that was open while the app was started again shows what only the old one knew.
            raise RequestError("first choose a photograph; if you see one here, load the page again")
        return self.wishes.photo

    def hints(self) -> Hints | None:
        """What was painted, if anything was."""
        marks = tuple(stroke.mark for stroke in self.strokes)
        return Hints(self.need_photo().gray.shape, marks) if marks else None

    def paint(self, strokes: Strokes) -> None:
        """Have these strokes instead of those so far, which `step` brings back."""
        history = (*self.wishes.history[: self.wishes.now + 1][-_MOST_STEPS:], strokes)
        self.wishes = replace(self.wishes, history=history, now=len(history) - 1)
        self.forget_result()

    def step(self, by: int) -> None:
        """Have the strokes as they were a change before (-1) or after (1), if there is one."""
        now = self.wishes.now + by
        if 0 <= now < len(self.wishes.history):
            self.wishes = replace(self.wishes, now=now)
            self.forget_result()

    def start_over(self, photo: Photo) -> None:
        """Work on another photograph."""
        self.shows_sure = False
        self.wishes = Wishes(photo, self.wishes.label, strength=self.wishes.strength)
        self.forget_session()

    def start_from(self, **wishes: Any) -> None:
        """Start from other colours; choices so far are numbers of pictures that were made from those before."""
        self.wishes = replace(self.wishes, **wishes, steps=(), offered=None)
        self.forget_session()

    def go_on_from(self, steps: Steps) -> None:
        """Have other choices than those so far."""
        if steps != self.wishes.steps:
            session = self.session
            # A first pick is one step from here; for others the photograph is described anew.
            self.session = session.choose(*steps[-1]) if session and steps[:-1] == self.wishes.steps else None
            self.wishes = replace(self.wishes, steps=steps)
            self.forget_result()

    def forget_result(self) -> None:
        """The colours are to be made anew."""
        self.result = self.explainer = None

    def forget_session(self) -> None:
        """The photograph is to be described anew."""
        self.session = None
        self.forget_result()


class Visits:
    """Visits by key, each with a folder of its own in one; the least recently seen ones make room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._unwanted: set[Path] = set()
        # Reentrant: `come_back` closes and gets visits while it holds it.
        self._lock = threading.RLock()

    def get(self, key: str) -> Visit:
        """The visit of this key, a new one if there is none."""
        with self._lock:
            visit = self._visits.get(key)
            if visit is None:
                # The name is the token by which a browser comes back: nobody may guess another's.
                own = self.folder / secrets.token_hex(16)
                own.mkdir(parents=True)
                visit = self._visits[key] = Visit(own, monotonic())
            # The connection may drop under a page that goes on with the same key.
            visit.is_left = False
            visit.last_seen = monotonic()
            self._visits.move_to_end(key)
        self.tidy()
        return visit

    @contextmanager
    def at_work(self, visit: Visit) -> Iterator[None]:
        """Keep a visit while work on it is under way, however long that takes."""
        with self._lock:
            visit.n_working += 1
        try:
            yield
        finally:
            with self._lock:
                visit.n_working -= 1
                visit.last_seen = monotonic()

    def opened(self, visit: Visit) -> None:
        """Keep the computed part of this visit, and drop that of the least recently seen ones beyond the limit."""
        with self._lock:
            others = [other for other in reversed(self._visits.values()) if other.session and other is not visit]
            for other in others[N_OPEN - 1 :]:
                other.forget_session()

    def leave(self, key: str) -> None:
        """The page was closed: the visit is forgotten after a while, unless it is heard of again."""
        with self._lock:
            visit = self._visits.get(key)
            if visit is not None:
                visit.is_left, visit.last_seen = True, monotonic()

    def come_back(self, key: str, token: str) -> Visit:
        """The visit that the browser had before its page was loaded again; a new one if that is gone."""
        with self._lock:
            old = next((name for name, visit in self._visits.items() if visit.token == token), None)
            if old is not None and old != key:
                visit = self._visits.pop(old)
                self.close(key)
                # In place of the empty visit that the new page has got by now.
                self._visits[key] = visit
            return self.get(key)

    def close(self, key: str) -> None:
        """Forget a visit and remove its files; its batch stops, but a training that is running goes on to its end."""
        with self._lock:
            visit = self._visits.pop(key, None)
        if visit is not None:
            self._clear(visit)

    def keep(self, key: str, sent: Iterable[Path]) -> None:
        """Files that a visitor sent are needed until the visitor leaves."""
        visit = self.get(key)
        with self._lock:  # whoever tidies goes through the files of everybody
            visit.uploads.update(sent)

    def close_all(self) -> None:
        """Forget everybody."""
        for key in list(self._visits):
            self.close(key)

    def tidy(self) -> None:
        """Forget visits whose time is over, or that are too many, and remove files that nobody needs."""
        gone = []
        with self._lock:
            self._remove_uploads()
            free = [(visit.last_seen, key) for key, visit in self._visits.items() if not visit.is_busy]
            # By time alone: of the same time, the one that was asked for last is behind.
            free.sort(key=lambda item: item[0])
            for n_left, (seen, key) in zip(range(len(free), 0, -1), free, strict=True):
                if n_left > N_VISITS or monotonic() - seen > self._visits[key].patience:
                    gone.append(self._visits.pop(key))
        for visit in gone:
            self._clear(visit)

    def keep_tidy(self) -> None:
        """Be tidy also while nobody comes, as long as the app runs."""
        while True:
            sleep(_TIDY_SECONDS)
            self.tidy()

    def _clear(self, visit: Visit) -> None:
        """End what belongs to a visit that was taken out, without the lock: the next event of everybody needs it."""
        visit.stopping.set()
        if visit.job is not None:
            visit.job.abandon()
        with self._lock:
            self._unwanted |= visit.uploads
            self._remove_uploads()
        shutil.rmtree(visit.folder, ignore_errors=True)

    def _remove_uploads(self) -> None:
        """Remove files that nobody needs: equal files of several visitors are one, and one may just have come again."""
        self._unwanted -= {path for visit in self._visits.values() for path in visit.uploads}
        for path in self._unwanted:
            # Gone already, or refused, as on Windows while somebody reads: that one is removed another time.
            with suppress(OSError):
                # Files tell the time of the wall clock.
                if time() - path.stat().st_mtime >= _FRESH_SECONDS:
                    path.unlink()
        self._unwanted = {path for path in self._unwanted if os.path.exists(path)}
