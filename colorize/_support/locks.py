"""Keeping a second process away from work that one is doing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from colorize._support.files import reason, refusals
from colorize.exceptions import ManifestError, OutputError


@contextmanager
def file_lock(path: Path, busy: str) -> Iterator[None]:
    """Hold a lock that ends with the process, however that ends; Windows knows none, there it holds nobody off.

    Raises `ManifestError`, which says `busy`, if another process holds it, `OutputError` if the file, an empty one,
    cannot be made or locked.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with refusals(path, "cannot be made"):
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            # Of the system, not a file that means `taken`: the system lets go of it when the
            # process is killed. Without waiting, because the other may work for days.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ManifestError(busy) from error
        except OSError as error:  # drives of a network may know no locks
            raise OutputError(f"{path}: cannot be locked ({reason(error)})") from error
        yield
    finally:
        # The file stays: were it removed, two processes could each hold a lock under its name, one
        # on a file that has none any more.
        os.close(lock)
