"""What a visitor hears while photographs are coloured: the stages of the work, one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TypeVar

from colorize._support.clock import heard_by

Told = Callable[[float, str], object]
"""Takes the share that is done, 0 to 1, and what is being done."""

_Result = TypeVar("_Result")


def unheard(share: float, words: str) -> None:
    """Nobody wants to know how far it has come."""


class Work(Future[_Result]):
    """Long work in a thread of its own, which goes on whether somebody waits for its `result` or not."""

    def __init__(self, work: Callable[[Told], _Result]) -> None:
        super().__init__()
        # How far it has come. Replaced whole, so that no line has the share of one stage and the words of another.
        self.now, self.start = (0.0, "Beginning"), time.monotonic()
        # Whether somebody knows what came of it; said by who tells it.
        self.is_told = False
        # No pool of threads: those hold up the end of the app.
        threading.Thread(target=self._run, args=[work], daemon=True).start()

    def _run(self, work: Callable[[Told], _Result]) -> None:
        try:
            self.set_result(work(self._hear))
        except Exception as error:  # noqa: BLE001  - raised again where the visitor waits
            self.set_exception(error)

    def _hear(self, share: float, words: str) -> None:
        self.now = share, words

    def wait(self, seconds: float) -> bool:
        """Wait for so long at most; whether it is over."""
        return bool(wait([self], seconds).done)


SENTENCES = {
    "superpixels": "Finding regions",
    "features": "Looking at the regions",
    "classifier": "Remembering what looked like them",
    "decision": "Choosing colours",
    "belief": "Hearing what was said about the colours",
    "propagation": "Spreading the colours to every pixel",
    "color": "Making the picture",
}
_SHARES = {"superpixels": 0.0, "features": 0.02, "classifier": 0.04, "decision": 0.05, "color": 0.95}
_FIRST_SPREAD, _LAST_SPREAD = 0.06, 0.95
"""Spreading takes nearly all of the time of a large photograph, and as much of the bar."""


@contextmanager
def told_stages(told: Told, begin: float, end: float, *, n_spreads: int = 1) -> Iterator[None]:
    """Tell of the stages of colouring one photograph, which are the work from `begin` to `end` of the whole.

    Colours are spread `n_spreads` times: once, and once more for what was said about them.
    """
    reached, n_begun = 0.0, 0

    def hear(stage: str, share: float) -> None:
        nonlocal reached, n_begun
        here = _SHARES.get(stage, 0.0)
        if stage == "propagation":
            n_begun += share == 0
            spread = min((max(n_begun, 1) - 1 + share) / n_spreads, 1.0)
            here = _FIRST_SPREAD + (_LAST_SPREAD - _FIRST_SPREAD) * spread
        # Stages come again with references, hints and a second spreading; a bar never goes back.
        reached = max(reached, here)
        told(begin + (end - begin) * reached, SENTENCES.get(stage, "Colouring"))

    with heard_by(hear):
        yield
