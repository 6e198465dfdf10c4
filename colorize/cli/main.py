"""The command line: commands, exit status, one line per error.

Exit status: 0 done, 1 error, 2 wrong usage, 3 several photographs of which some failed, 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import io
import sys
import warnings
from typing import Any

import click

from colorize import __version__
from colorize.cli import (
    _shared,
    app,
    batch,
    compare,
    evaluate,
    explain,
    film,
    importance,
    info,
    learn,
    models,
    photo,
    refine,
    replay,
    rivals,
    study,
    suggest,
    train,
)
from colorize.exceptions import ColorizeError


class Group(click.Group):
    """A command group that turns the errors a user can cause into one line and an exit status."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as the program, which ends with the command."""
        # Python looks for garbage when it ends, and through all that the libraries hold: a tenth of the time of a small
        # photograph, for memory that goes with the process. What was frozen is passed over.
        if kwargs.get("standalone_mode", True):
            atexit.register(gc.freeze)
            for stream in (sys.stdout, sys.stderr):
                # Names of files need not fit the encoding of a terminal, or any.
                if isinstance(stream, io.TextIOWrapper):
                    stream.reconfigure(errors="backslashreplace")
        return super().__call__(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            # Commands are called inside other programs too, tests among them: theirs stay as they were.
            with warnings.catch_warnings():
                warnings.showwarning = show_warning
                return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read the output has gone; click ends quietly
        except (ColorizeError, MemoryError, OSError) as error:
            message, status = f"Error: {_shared.one_line(error)}", 1
        except KeyboardInterrupt:
            message, status = "Interrupted; files already written are complete.", _shared.INTERRUPTED
        click.echo(message, err=True)
        ctx.exit(status)


def show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Print a warning as one line, without the place in the code that it came from."""
    click.echo(f"Warning: {' '.join(str(message).split())}", err=True)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="colorize")
def main() -> None:
    """Colour for grayscale photographs: classical, explainable, trainable in minutes, on a laptop CPU.

    Try `colorize photo --sample`, then `colorize photo` with a photograph of your own.
    """


making = (photo, explain, suggest, batch, film, replay, app)
learning = (train, learn, models, refine, rivals)
measuring = (evaluate, compare, importance, study)
for module in (*making, *learning, *measuring, info):
    main.add_command(module.command)
