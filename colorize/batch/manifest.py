"""The manifest: one line of JSON for every photograph of a batch, appended when its output stands on the disk.

A process that is killed can tear the last line at most. `Manifest.open` reads what is there, drops what is torn, out of
date or to be done again, and goes on: there is one line per finished photograph, never two.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from colorize._support.files import refusals, write_atomically
from colorize._support.locks import file_lock
from colorize.exceptions import ManifestError

NAME = "colorize-manifest.jsonl"
VERSION = 1
# A sync waits for the disk, and all workers would wait with it. What a power cut takes from the
# last second is recognised by the recipe in its output.
_SYNC_SECONDS = 1.0


@dataclass(frozen=True)
class Line:
    """What became of a photograph.

    Attributes
    ----------
    input : str
        Path within the source folder, with forward slashes.
    sha256 : str
        Digest of its file; empty if it could not be read.
    output : str
        Path within the output folder, of one that failed that of an earlier run; empty if there is none.
    status : str
        ``done`` or ``failed``.
    seconds : float
        Wall time of the work.
    message : str
        Why it failed, or what was changed or left out.
    modified : int
        Time of last change of the input in nanoseconds; a photograph that has changed since is done again. -1 of an
        output that is to be made again, or whose input is gone.
    """

    input: str
    sha256: str
    output: str
    status: str
    seconds: float
    message: str
    modified: int

    def __post_init__(self) -> None:
        texts = (self.input, self.sha256, self.output, self.status, self.message)
        if not all(isinstance(text, str) for text in texts) or not isinstance(self.modified, int):
            raise TypeError("a value of another kind")


@dataclass(eq=False)
class Manifest:
    """The manifest file of an output folder, open for appending, locked against a second batch.

    Use `Manifest.open`; `read_manifest` reads one without opening it for work. ``lines`` maps inputs to their `Line`;
    ``albums`` maps folders to the palette they share; ``outputs`` maps inputs to the outputs that this and earlier runs
    gave them.
    """

    path: Path
    file: IO[bytes]
    lines: dict[str, Line]
    albums: dict[str, list[float]]
    outputs: dict[str, str]
    _synced: float = field(default_factory=time.monotonic)

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, settings: Mapping[str, Any], keep: Callable[[Line], bool]) -> Iterator[Manifest]:
        """Start a manifest, or go on with the one that is there.

        Parameters
        ----------
        path : Path
        settings : mapping
            All that decides the outputs; JSON values.
        keep : callable
            Tells whether a photograph that has its line is finished; if not, its line counts no longer.

        Raises
        ------
        ManifestError
            The file is no manifest, of a batch with other settings, or a batch is running on it.
        OutputError
            It cannot be written.
        """
        # A file of its own: the manifest is replaced below, and its lock would go with the old one.
        lock = path.with_name(f".{path.name}.lock")
        with file_lock(lock, f"{path}: another batch is working on this folder"):
            head = {"manifest": VERSION, **settings}
            lines, albums = _read(path, head)
            # Before lines are dropped: a photograph that is done again keeps its name, and may
            # replace its own output. Of those that had the same output the last has it.
            owners = {line.output: name for name, line in lines.items() if line.output}
            outputs = {name: output for output, name in owners.items()}
            kept = {name: line for name, line in lines.items() if keep(line)}
            dropped = [replace(lines[name], modified=-1) for name in outputs if name not in kept]
            body = [head, *({"album": name, "palette": shares} for name, shares in albums.items())]
            # Those dropped too: an interruption must not make the batch forget which outputs are its own.
            body += [asdict(line) for line in (*dropped, *kept.values())]
            # Written anew rather than appended to: a torn line would swallow the next one.
            write_atomically(path, (_encoded(entry) for entry in body))
            with refusals(path, "cannot be written"):
                file = open(path, "ab")  # noqa: SIM115 - closed below
            with file:
                manifest = cls(path, file, kept, albums, outputs)
                yield manifest
                manifest.sync()

    def add(self, line: Line) -> None:
        """Append a line; it reaches the disk within a second or so."""
        self.lines[line.input] = line
        self._append(asdict(line))

    def add_album(self, name: str, palette: list[float]) -> None:
        """Append the palette of an album."""
        self.albums[name] = palette
        self._append({"album": name, "palette": palette})

    def _append(self, entry: Mapping[str, Any]) -> None:
        with refusals(self.path, "cannot be written"):
            self.file.write(_encoded(entry))
            # To the system: from there on a kill loses nothing, only a power cut does.
            self.file.flush()
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Have everything on the disk."""
        with refusals(self.path, "cannot be written"):
            os.fsync(self.file.fileno())
        self._synced = time.monotonic()


def read_manifest(path: str | Path) -> list[Line]:
    """Read the lines of a manifest, in the order in which photographs were finished; `ManifestError` if it is none."""
    lines, _ = _read(Path(path), None)
    return list(lines.values())


def _encoded(entry: Mapping[str, Any]) -> bytes:
    # ASCII: odd file names come as lone surrogates, which UTF-8 refuses and JSON escapes.
    return json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"


def _read(path: Path, head: Mapping[str, Any] | None) -> tuple[dict[str, Line], dict[str, list[float]]]:
    """Lines by input and palettes by album; what is torn is passed over, and the photograph done again."""
    with refusals(path, "cannot be read", ManifestError):
        data = path.read_bytes() if head is None or path.exists() else b""
    # With their ends, by which a whole line is told from a torn one.
    rows = data.splitlines(keepends=True)
    if rows:
        _check_head(path, _parsed(rows[0]), head)
    lines: dict[str, Line] = {}
    albums: dict[str, list[float]] = {}
    for row in rows[1:]:
        entry = _parsed(row)
        # A line that is JSON and of another shape counts as torn.
        with contextlib.suppress(TypeError, ValueError, KeyError):
            if "album" in entry:
                albums[entry["album"]] = [float(share) for share in entry["palette"]]
            elif entry:
                line = Line(**entry)
                # In the order of the last lines: of two photographs with one output the later has it.
                lines.pop(line.input, None)
                lines[line.input] = line
    return lines, albums


def _parsed(row: bytes) -> dict[str, Any]:
    """One line; empty if it is torn."""
    # Cut inside a number, a line can still be JSON, and say something else.
    if not row.endswith(b"\n"):
        return {}
    try:
        entry = json.loads(row)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _check_head(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> None:
    if found.get("manifest") != VERSION:
        raise ManifestError(f"{path}: not a manifest of this version; move it away, or name another folder")
    if wanted is None:
        return
    differing = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
    if differing:
        changes = ", ".join(f"{name} was {found.get(name)}, is now {wanted.get(name)}" for name in differing)
        raise ManifestError(f"{path}: the batch was begun with other settings ({changes}); name another output folder")
