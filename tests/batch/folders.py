"""What a folder of a batch holds."""

from __future__ import annotations

from pathlib import Path

from colorize.batch.manifest import NAME


def outputs(folder: Path) -> dict[str, bytes]:
    """Bytes of every file but the manifest and its lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and NAME not in path.name]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
