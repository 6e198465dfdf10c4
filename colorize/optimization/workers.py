"""Threads that share the rows of an image between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

_WORTH_SHARING = 60_000  # pixels: below this, waking a thread costs more than it saves


def available_cores() -> int:
    """Processor cores that this process may use.

    Examples
    --------
    >>> available_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="colorize")


def bands(first: int, last: int, width: int, threads: int) -> list[tuple[int, int]]:
    """Cut ``first <= row < last`` into ranges of rows for the threads; each range but the last has an even length."""
    rows = last - first
    if threads == 1 or rows * width < _WORTH_SHARING:
        return [(first, last)]
    height = 2 * -(-rows // (2 * threads))
    return [(start, min(start + height, last)) for start in range(first, last, height)]


def run(kernel: Callable[..., None], args: tuple[object, ...], ranges: Sequence[tuple[object, ...]]) -> None:
    """Call ``kernel(*args, *range)`` for every range, at the same time when there are several."""
    if len(ranges) == 1:
        kernel(*args, *ranges[0])
        return
    pool = _pool(len(ranges))
    jobs = [pool.submit(kernel, *args, *each) for each in ranges[1:]]
    kernel(*args, *ranges[0])
    for job in jobs:
        job.result()
