"""How long the stages of a piece of work took, and how far it has come for whoever waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, float], object]
"""Takes the name of a stage, and the share of it that is done, 0 to 1."""

# Per thread: the app does the work of several visitors at once, each with its own listener.
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


class Clock:
    """Seconds per stage: wall time, or what another function of `time` counts."""

    def __init__(self, seconds: Mapping[str, float] | None = None, *, now: Callable[[], float] | None = None) -> None:
        self.seconds: dict[str, float] = dict(seconds or {})
        self.now = now or time.perf_counter

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what is done inside."""
        tell(stage, 0.0)
        start = self.now()
        try:
            yield
        finally:
            # Added up, since film does a stage for every frame; what failed took its time too.
            self.seconds[stage] = self.seconds.get(stage, 0.0) + self.now() - start


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Let somebody hear of the stages of what is done inside, in this thread.

    Examples
    --------
    >>> heard, clock = [], Clock()
    >>> with heard_by(lambda stage, share: heard.append((stage, share))), clock("propagation"):
    ...     tell("propagation", 0.5)
    >>> heard
    [('propagation', 0.0), ('propagation', 0.5)]
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(stage: str, share: float) -> None:
    """Tell the one who listens, if anybody does, how far a stage has come."""
    listener = _listener.get()
    if listener is not None:
        listener(stage, share)
