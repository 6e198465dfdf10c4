"""How long the stages of a piece of work took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Seconds per stage: wall time, or what another function of `time` counts."""

    def __init__(self, seconds: dict[str, float] | None = None, *, now: Callable[[], float] | None = None) -> None:
        self.seconds: dict[str, float] = dict(seconds or {})
        self.now = now or time.perf_counter

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what is done inside."""
        start = self.now()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + self.now() - start
