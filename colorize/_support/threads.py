"""Cores that may be used, and one thread for dense algebra, whoever else in the process asks for the same."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
_limits: list[Any] = []


def usable_cores() -> int:
    """Processor cores that this process may use: containers and taskset leave fewer than there are, and Linux tells.

    Examples
    --------
    >>> usable_cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS to one thread: sums of several come in any order, and small matrices only wait for each other.

    The limit is of the process, so it stays until the last of those who asked for it is done: were each to restore what
    it found, one of them would go on with the threads that another gave back.

    Examples
    --------
    >>> from threadpoolctl import threadpool_info
    >>> with one_thread():
    ...     {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}
    {1}
    """
    global _inside
    with _lock:
        _inside += 1
        # Asked anew each time: SciPy brings a BLAS of its own when it is first imported.
        libraries = ThreadpoolController().select(user_api="blas")
        if any(library["num_threads"] > 1 for library in libraries.info()):
            _limits.append(libraries.limit(limits=1))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            while _limits and not _inside:
                _limits.pop().restore_original_limits()
