"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``; total is 0 where nobody knows it."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""
