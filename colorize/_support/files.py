"""Writing files whole: under a passing name first, then renamed, so that nobody ever sees half a file."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from colorize.exceptions import ColorizeError, OutputError, OutputExistsError

Part = bytes | bytearray | memoryview

OVERWRITE = "name another file or say overwrite=True"
"""What helps where a file is in the way."""

# Twelve random digits, so that no file of a person's is taken for a leftover.
_PASSING = re.compile(r"\..*\.[0-9a-f]{12}\.part")


def reason(error: BaseException) -> str:
    """The reason that an error gives, without the lines for programmers."""
    # An error of the system as text begins with its number and repeats the file's name.
    text = str(getattr(error, "strerror", None) or error)
    return (text.splitlines() or [type(error).__name__])[0].strip()


def one_line(error: BaseException) -> str:
    """All that an error says, with its file, in one line: one per failure is what scripts count."""
    if isinstance(error, OSError) and error.strerror:
        # `str` of it would begin with a number that tells a person nothing.
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = "not enough memory" if isinstance(error, MemoryError) else str(error) or type(error).__name__
    return " ".join(text.split())


@contextlib.contextmanager
def refusals(
    path: str | Path,
    what: str,
    kind: type[ColorizeError] = OutputError,
    errors: tuple[type[Exception], ...] = (OSError,),
) -> Iterator[None]:
    """Say in one line what a disk or the content of a file refuses: the path, what is wrong with it, and why."""
    try:
        yield
    except errors as error:
        raise kind(f"{path}: {what} ({reason(error)})") from error


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse, by `OutputExistsError`, to replace a file that nobody said may be replaced."""
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path}: exists already; {OVERWRITE}")


def check_writable(folder: Path) -> None:
    """Refuse, by `OutputError`, a folder in which no file can be made."""
    # Tried, not asked: `os.access` knows nothing of read-only disks, quotas and network drives.
    with refusals(folder, "cannot be written to"), tempfile.TemporaryFile(dir=folder):
        pass


def write_atomically(path: Path, parts: Iterable[Part]) -> None:
    """Write a file of these parts, or leave everything as it was and raise `OutputError`.

    An existing file is replaced: whether that is wanted, `check_free` asks before.
    """
    # In the same folder, for only within one disk a rename is one step; hidden, so that no viewer
    # lists it; cut, because names end at 255 bytes.
    name = os.fsencode(path.name)[:100].decode(errors="ignore")
    passing = path.with_name(f".{name}.{os.urandom(6).hex()}.part")
    try:
        with refusals(path, "cannot be written"):
            # Never into a file that is there already, were it by a link that somebody laid.
            with open(passing, "xb") as file:
                file.writelines(parts)
                file.flush()
                # Before the rename: after a power cut some disks have the new name and no content.
                os.fsync(file.fileno())
            os.replace(passing, path)
    finally:
        with contextlib.suppress(OSError):
            # On Ctrl-C too; after the rename there is nothing under this name any more.
            passing.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> int:
    """Remove the passing files that killed processes left in a folder and its sub-folders; say how many.

    A process that is still writing one of them fails to finish its file, and nothing else.
    """
    leftovers = [path for path in folder.rglob(".*.part") if _PASSING.fullmatch(path.name)]
    for path in leftovers:
        with contextlib.suppress(OSError):
            path.unlink()
    return len(leftovers)
