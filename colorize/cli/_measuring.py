"""What the commands that measure share: photographs with true colours, each once, and words for what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from colorize._support.progress import Progress
from colorize.exceptions import DatasetError

if TYPE_CHECKING:
    from colorize.training.dataset import TrainingSet


def photos_with_colors(folder: Path, *, limit: int | None, progress: Progress) -> TrainingSet:
    """Photographs of a folder whose colours are known, one at least; the report says why others were left out."""
    from colorize.training.dataset import has_colors, load_folder

    # Unselected: a dark photograph teaches little, but can be measured.
    found = load_folder(folder, limit=limit, select=False, progress=progress)
    gray = [name for name, photo in zip(found.names, found.photos, strict=True) if not has_colors(photo)]
    if len(gray) == len(found):
        raise DatasetError(
            f"{folder}: none of its {len(found)} photographs has colours to measure with; "
            "`colorize compare` shows what models make of them"
        )
    details = dict.fromkeys(gray, "gray or toned: there are no true colours to measure with")
    colored = without(found, "gray", details)
    # Twice the same would make intervals narrower than they are. After the gray ones: of such a copy the colours count.
    return without(colored, "duplicate", colored.doubles())


def without(found: TrainingSet, reason: str, details: Mapping[str, str]) -> TrainingSet:
    """Leave some photographs out, given by name with what was found."""
    from colorize.training.dataset import LeftOut

    kept = found.only([name not in details for name in found.names])
    left_out = (*found.report.left_out, *(LeftOut(name, reason, detail) for name, detail in details.items()))
    return replace(kept, report=replace(found.report, n_used=len(kept), left_out=left_out))


def reasons(found: TrainingSet) -> dict[str, str]:
    """Why photographs were left out, by name."""
    return {item.name: item.detail for item in found.report.left_out}


def told(found: TrainingSet, done: str = "measured") -> str:
    """How many photographs were measured, or what was done with them, and why others were not."""
    report, left_out = found.report, reasons(found)
    lines = [f"{len(found)} photographs {done}; {report.n_examined} of {report.n_files} files examined"]
    if left_out:
        lines.append(f"{len(left_out)} not {done}:")
    return "\n".join([*lines, *(f"  {name}: {reason}" for name, reason in left_out.items())])
