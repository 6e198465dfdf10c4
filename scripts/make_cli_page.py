"""Writes the page of the command line from what the commands say of themselves; the build of the pages calls it.

Run: ``python scripts/make_cli_page.py PAGE.md``
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from colorize.cli import main

INTRODUCTION = """# The command line

Every command and every option, as `--help` prints them. Exit status: 0 done, 1 error (one line says which), 2 wrong
usage, 3 several photographs of which some failed, 130 interrupted.
"""


def cli_page() -> str:
    """The page, as MyST Markdown."""
    top = click.Context(main, info_name="colorize", **main.context_settings)
    return "\n".join([INTRODUCTION, *(section(context) for context in contexts(top))])


def contexts(context: click.Context) -> Iterator[click.Context]:
    """A command and all commands below it."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from contexts(click.Context(command, info_name=name, parent=context))


def section(context: click.Context) -> str:
    """Heading, usage, help and options of one command."""
    usage = " ".join(context.command.collect_usage_pieces(context))
    text = inspect.cleandoc(context.command.help or "").replace("\b\n", "")
    lines = [f"## {context.command_path}", "", "```text", f"{context.command_path} {usage}", "```", "", text, ""]
    for parameter in context.command.get_params(context):
        names, meaning = parameter.get_help_record(context) or ("", "")
        if meaning:
            lines += [f"`{names}`", f": {' '.join(meaning.split())}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(cli_page(), encoding="utf-8")
