"""`colorize man`: the manual page, made from what `--help` says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from colorize import __version__

STATUS = {
    "0": "Done.",
    "1": "An error; the line on standard error says which.",
    "2": "Wrong usage.",
    "3": "Of several photographs some failed.",
    "130": "Interrupted; files already written are complete.",
}
VARIABLES = {
    "OMP_NUM_THREADS": "At most so many threads.",
    "NUMBA_CACHE_DIR": "Folder for compiled code, if the folder of the package cannot be written to.",
    "XDG_DATA_HOME": "Folder for the models that the app keeps, in colorize/models.",
}


@click.command("man", short_help="Print the manual page.")
@click.pass_context
def command(context: click.Context) -> None:
    """Print the manual page in the form that man(1) reads.

    \b
    colorize man > colorize.1 && man ./colorize.1
    """
    root = click.Context(context.find_root().command, info_name="colorize")
    click.echo("\n".join(page(root)))


def page(root: click.Context) -> Iterator[str]:
    """The lines of the page."""
    about = inspect.cleandoc(root.command.help or "").split("\n\n")
    yield f'.TH COLORIZE 1 "" "colorize {roff(__version__)}" "User Commands"'
    yield from (".SH NAME", f"colorize \\- {roff(about[0].rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B colorize", roff("[OPTIONS] COMMAND [ARGS]..."))
    yield ".SH DESCRIPTION"
    yield from paragraphs("\n\n".join(about[1:]))
    yield ".SH OPTIONS"
    yield from options(root)
    yield ".SH COMMANDS"
    yield from commands(root)
    for title, table in (("EXIT STATUS", STATUS), ("ENVIRONMENT", VARIABLES)):
        yield f".SH {title}"
        for term, meaning in table.items():
            yield from (".TP", f".B {roff(term)}", roff(meaning))


def commands(context: click.Context) -> Iterator[str]:
    """A section per command; of a group, one per command in it."""
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        inner = group.get_command(context, name)
        if inner is None or inner.hidden:
            continue
        inside = click.Context(inner, info_name=name, parent=context)
        usage = " ".join(inner.collect_usage_pieces(inside))
        yield f".SS {roff(f'{inside.command_path} {usage}')}"
        yield from paragraphs(inspect.cleandoc(inner.help or ""))
        yield from options(inside)
        yield from commands(inside)


def options(context: click.Context) -> Iterator[str]:
    """Every option with its explanation."""
    for parameter in context.command.get_params(context):
        names, explanation = parameter.get_help_record(context) or ("", "")
        if explanation:
            yield from (".TP", f".B {roff(names)}", roff(explanation))


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs of a help text; one that begins with the mark of click is kept line by line."""
    for paragraph in filter(None, (part.strip("\n") for part in text.split("\n\n"))):
        if paragraph.startswith("\b"):
            yield from (".PP", ".nf", *map(roff, paragraph.splitlines()[1:]), ".fi")
        else:
            yield from (".PP", roff(" ".join(paragraph.split())))


def roff(text: str) -> str:
    """Text as roff takes it: nothing in it is an order, and a hyphen stays what can be typed."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha")
    return re.sub(r"^(?=[.'])", r"\\&", escaped, flags=re.MULTILINE)
