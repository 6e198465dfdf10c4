"""The pages in Markdown, taken apart: fenced blocks, commands, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ("docs/cli.md", "docs/api/", "docs/gallery/", "docs/guide/", "docs/results/", "docs/_build/")
_FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


class Block(NamedTuple):
    """A fenced block: its page, what stands after the fence, its text."""

    page: str
    language: str
    text: str


def pages() -> dict[str, str]:
    """Every page in Markdown that people write: name from the root of the repository, and text."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("colorize/models/*.md")]
    names = sorted(path.relative_to(ROOT).as_posix() for path in found)
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names if not name.startswith(GENERATED)}


def blocks(page: str, text: str) -> list[Block]:
    """The fenced blocks of a page."""
    return [Block(page, match[2].strip(), match[3]) for match in _FENCE.finditer(text)]


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Targets of links and pictures."""
    return _LINK.findall(_SPAN.sub("", prose(text)))


def spans(text: str) -> list[str]:
    """Inline code."""
    return _SPAN.findall(prose(text))


def commands(block: Block) -> Iterator[list[str]]:
    """Arguments of every call of `colorize` in a block of shell commands."""
    if block.language in ("", "sh", "bash", "shell", "console"):
        for line in block.text.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|", line.removeprefix("$ ")):
                if re.match(r"\s*colorize\s", part + " "):
                    yield shlex.split(part, comments=True)[1:]
