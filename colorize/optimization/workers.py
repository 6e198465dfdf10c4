"""Threads that share the rows of an image between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from colorize._support.threads import usable_cores

_WORTH_SHARING = 60_000  # pixels: below this, waking a thread costs more than it saves
_FEWEST_ROWS = 16  # the rows that wait on both ends of a range, see kernels.smooth, must not meet


def available_cores() -> int:
    """Processor cores that this process may use: no more than OMP_NUM_THREADS says, as in other numerical libraries.

    Examples
    --------
    >>> available_cores() >= 1
    True
    """
    cores = usable_cores()
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(limit)) if limit.isdecimal() and int(limit) else cores


@lru_cache(maxsize=4)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """A pool for this process: a forked child inherits the pool of its parent, but not the threads in it."""
    del process
    return ThreadPoolExecutor(threads, thread_name_prefix="colorize")


def bands(first: int, last: int, width: int) -> list[tuple[int, int]]:
    """Cut ``first <= row < last`` into one range of rows for each core, or fewer where that is not worth it.

    Examples
    --------
    >>> bands(1, 11, 500)
    [(1, 11)]
    """
    rows = last - first
    count = min(available_cores(), rows // _FEWEST_ROWS)
    if count < 2 or rows * width < _WORTH_SHARING:
        return [(first, last)]
    cuts = [first + 2 * (k * rows // (2 * count)) for k in range(count)]  # all of one parity, as the colours need
    return list(zip(cuts, [*cuts[1:], last], strict=True))


def run(kernel: Callable[..., None], args: tuple[object, ...], ranges: Sequence[tuple[object, ...]]) -> None:
    """Call ``kernel(*args, *range)`` for every range, at the same time when there are several."""
    if len(ranges) == 1:
        kernel(*args, *ranges[0])
        return
    pool = _pool(len(ranges), os.getpid())
    jobs = [pool.submit(kernel, *args, *each) for each in ranges[1:]]
    kernel(*args, *ranges[0])
    for job in jobs:
        job.result()
