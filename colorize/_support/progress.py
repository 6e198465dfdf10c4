"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

Item = TypeVar("Item")

Progress = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``; total is 0 where nobody knows it."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def telling(say: Progress, stage: str, items: Collection[Item]) -> Iterator[Item]:
    """Go through items, and tell before each and after the last how many are done."""
    for done, item in enumerate(items):
        say(stage, done, len(items))
        yield item
    say(stage, len(items), len(items))
