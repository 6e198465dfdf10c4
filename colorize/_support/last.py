"""The last answer of a function, kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Last(Generic[Key, Value]):
    """Makes a value anew only when it is asked for another key than the time before.

    For methods of objects that hold pictures: `functools.lru_cache` on a method ties its object to itself, and the
    memory of a large photograph would wait for the garbage collector.
    """

    def __init__(self) -> None:
        self._kept: tuple[Key, Value] | None = None

    def __call__(self, key: Key, make: Callable[[Key], Value]) -> Value:
        """The value of a key: the one that is kept, or a new one that is kept from now on."""
        kept = self._kept  # a local: another thread may ask for another key meanwhile
        if kept is None or kept[0] != key:
            self._kept = None  # not two large values side by side
            kept = self._kept = key, make(key)
        return kept[1]
