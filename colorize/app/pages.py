"""Pieces of the page as HTML: the macros of `templates/pieces.html`, which escape everything from outside."""

from __future__ import annotations

import re
from typing import Any

import jinja2
from markupsafe import Markup, escape

from colorize.app.pictures import data_uri


def markdown(text: str) -> Markup:
    """The few forms of Markdown that model cards use, as HTML."""
    blocks = []
    for block in re.split(r"\n\s*\n", str(escape(text))):
        lines = block.splitlines()
        if lines[0].startswith("#"):
            blocks.append(f"<h4>{lines[0].lstrip('# ')}</h4>")
        elif lines[0].startswith("|"):
            rows = (line.strip("| ").split("|") for line in lines if not re.fullmatch(r"[|\s:-]+", line))
            cells = ("".join(f"<td>{cell.strip()}</td>" for cell in row) for row in rows)
            blocks.append(f'<div class="scroll"><table>{"".join(f"<tr>{row}</tr>" for row in cells)}</table></div>')
        else:
            blocks.append(f"<p>{' '.join(lines)}</p>")
    html = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", "".join(blocks))
    return Markup(re.sub(r"`(.+?)`", r"<code>\1</code>", html))


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:g} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:g} MB"


def _percent(share: float) -> str:
    return "under 1\u00a0%" if 0 < share < 0.01 else f"{share:.0%}".replace("%", "\u00a0%")


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} minutes"


_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("colorize.app"), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
)
_environment.filters |= {
    "markdown": markdown,
    "size": _size,
    "percent": _percent,
    "duration": _duration,
    "uri": data_uri,
}
pieces: Any = _environment.get_template("pieces.html").module
"""Functions that give a piece each, such as ``pieces.card(card)``."""
