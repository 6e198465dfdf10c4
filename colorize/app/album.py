"""What became of many photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Many photographs, coloured, by their names.

    Each that is done has the name of its picture in the archive, and remarks on what reading and writing changed or
    left out, such as captions in IPTC form.
    """

    archive: Path  # of the pictures and a report
    done: Sequence[tuple[str, str, Sequence[str]]]
    failures: Mapping[str, str]
    n_left: int  # not begun

    def notes(self) -> dict[str, list[str]]:
        """The remarks, each with the photographs that it was made on."""
        found: dict[str, list[str]] = {}
        for name, _, remarks in self.done:
            for remark in remarks:
                found.setdefault(remark, []).append(name)
        return found

    def report(self) -> str:
        """A line on every photograph."""
        summary = f"{len(self.done)} coloured, {len(self.failures)} failed"
        lines = [summary + (f", {self.n_left} not begun" if self.n_left else ""), ""]
        for name, given, remarks in self.done:
            lines.append(" ".join([f"{name} -> {given}", *(f"({remark})" for remark in remarks)]))
        lines += [f"failed: {name}: {reason}" for name, reason in self.failures.items()]
        return "\n".join([*lines, ""])
