"""`colorize completion`: let the shell complete commands, options, files and models."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_COLORIZE_COMPLETE"


@click.command("completion", short_help="Print a script that lets your shell complete commands.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script that lets your shell complete commands, options, file names and the names of models.

    \b
    bash: colorize completion bash > ~/.colorize-complete.bash
          echo '. ~/.colorize-complete.bash' >> ~/.bashrc
    zsh:  colorize completion zsh > ~/.colorize-complete.zsh
          echo '. ~/.colorize-complete.zsh' >> ~/.zshrc
    fish: colorize completion fish > ~/.config/fish/completions/colorize.fish

    Then open a new shell. Bash needs version 4.4 or newer.
    """
    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"this version of click knows no {shell}")
    click.echo(maker(context.find_root().command, {}, "colorize", VARIABLE).source())
