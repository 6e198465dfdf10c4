"""What the scripts that make parts of the docs share: tables between marks of a page, plots as files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from colorize.evaluation.plots import to_svg

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
IMAGES = DOCS / "images"


def put(name: str, mark: str, text: str) -> None:
    """Replace what stands between two marks of a page of the docs."""
    path = DOCS / name
    pattern = re.compile(rf"(<!-- begin {mark} -->\n).*?(<!-- end {mark} -->)", re.DOTALL)
    page, n_found = pattern.subn(
        lambda found: f"{found[1]}{text.strip()}\n{found[2]}", path.read_text(encoding="utf-8")
    )
    if not n_found:
        raise SystemExit(f"{name} has no marks for {mark}")
    path.write_text(page, encoding="utf-8")


def save(name: str, figure: Any, title: str) -> None:
    """Write a plot as a file of its own."""
    (IMAGES / f"{name}.svg").write_text(to_svg(figure, title, standalone=True), encoding="utf-8")
