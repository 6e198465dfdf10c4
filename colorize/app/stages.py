"""What a visitor hears while a photograph is coloured: the stages of the work, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from colorize._support.clock import heard_by

Told = Callable[[float, str], object]
"""Takes the share that is done, 0 to 1, and what is being done."""

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
    """Tell of the stages of colouring one photograph, which are the work from `begin` to `end`.

    Parameters
    ----------
    told : callable
    begin, end : float
        Shares of the whole work.
    n_spreads : int
        How often colours are spread: once, and once more for what was said about them.
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
