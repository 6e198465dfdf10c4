"""`colorize app`: the page in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from colorize.cli import _shared


@click.command("app", short_help="Open the app in the browser.")
@click.option(
    "--host",
    default="127.0.0.1",
    help="Address to listen on; others than this machine's own loopback need --auth or --no-auth.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=7860, help="0 takes a free one.")
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of your own models. Default: one in your home.",
)
@click.option("--max-upload", type=_shared.Size(), default="50MB", help="Largest photograph that can be sent.")
@_shared.flag_option("--no-browser", help="Do not open a browser.")
@click.option("--auth", metavar="USER:PASSWORD", help="Let in only those who know these.")
@_shared.flag_option("--no-auth", help="With another --host: let in everybody who can reach it.")
def command(
    host: str, port: int, models: Path | None, max_upload: int, no_browser: bool, auth: str | None, no_auth: bool
) -> None:
    """Colorize, correct, train and compare in the browser.

    Everything stays on this machine; the page asks nothing of the internet. Stop it with Ctrl-C.
    """
    from colorize.app.serve import LOOPBACK, serve

    login = read_login(auth)
    if auth is not None and no_auth:
        raise click.UsageError("say either --auth or --no-auth")
    if host not in LOOPBACK and login is None and not no_auth:
        raise click.UsageError(
            f"--host {host} can be reached by others: say --auth USER:PASSWORD, or --no-auth if everybody is welcome"
        )
    serve(
        host=host,
        port=port,
        models=models,
        max_upload=max_upload,
        open_browser=not no_browser,
        login=login,
        # Whoever comes from another machine must not read the folders of this one.
        folders_allowed=host in LOOPBACK,
        say=click.echo,
    )


def read_login(auth: str | None) -> tuple[str, str] | None:
    """Split USER:PASSWORD."""
    if auth is None:
        return None
    user, colon, password = auth.partition(":")
    if not (user and colon and password):
        raise click.BadParameter("write USER:PASSWORD", param_hint="--auth")
    return user, password
