"""Findings as text: JSON and comma-separated values for programs, columns for a terminal."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from itertools import zip_longest
from typing import Any


def plain(value: Any) -> Any:
    """Arrays, mappings, dataclasses and numbers as JSON knows them; a number that is not finite becomes None."""
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    # By name, so that the command line can lay out its tables without NumPy.
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    # JSON has no NaN: Python would write one, and other readers refuse the file.
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(content: Mapping[str, Any]) -> str:
    """Whatever `plain` knows as text."""
    # What it overlooked fails here, and not in the program of a reader.
    return json.dumps(plain(content), indent=1, allow_nan=False)


def write_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as comma-separated text; a number that is not finite is an empty cell."""
    buffer = io.StringIO()
    # The module's own line end is that of Windows, on every system.
    csv.writer(buffer, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def aligned(rows: Iterable[Sequence[str]], least: int = 0) -> list[str]:
    """Lines of a table: first cells flush left, others flush right, at least `least` wide; rows may end early.

    Examples
    --------
    >>> for line in aligned([("", "error", "share"), ("gray", "11.92", "0.00")]):
    ...     print(line)
          error  share
    gray  11.92   0.00
    """
    rows = list(rows)
    first, *widths = (max(map(len, column)) for column in zip_longest(*rows, fillvalue=""))
    widths = [max(least, width) for width in widths]
    return ["  ".join([name.ljust(first), *map(str.rjust, cells, widths)]) for name, *cells in rows]


def _cell(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return f"{value:.6g}" if math.isfinite(value) else ""
