"""Starting and stopping the app."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from colorize._support.optional import import_or_raise
from colorize.exceptions import RequestError

LOOPBACK = ("127.0.0.1", "localhost")
"""Hosts that nobody but this machine reaches. (Gradio does not know that ::1 is one.)"""


def serve(
    *,
    host: str,
    port: int,
    models: Path | None,
    max_upload: int,
    open_browser: bool,
    login: tuple[str, str] | None,
    folders_allowed: bool,
    say: Callable[[str], object],
) -> None:
    """Run the app until it is interrupted, then remove all temporary files.

    It is asked for as by the options of `colorize app`, and `folders_allowed` as in `Core`; `login` is a name and a
    password, and `say` is told the address. A port that is taken and a host that is no address of this machine are
    refused.
    """
    try:
        free_port(host)
    except OSError as error:
        raise RequestError(f"{host} is no address of this machine; name another --host") from error
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"  # asked by Gradio besides what its page is told
    # Said before the import of Gradio, which takes seconds.
    say("Starting the app ...")
    import_or_raise("gradio", extra="app")
    from colorize.app.core import Core
    from colorize.app.uploads import Limits

    core = Core(models, limits=Limits(file_bytes=max_upload), folders_allowed=folders_allowed)
    os.environ["GRADIO_TEMP_DIR"] = str(core.workspace)  # uploads go where everything else goes, and is removed
    return_freed_memory()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: nothing is left behind
    try:
        from starlette.middleware import Middleware

        from colorize.app import web
        from colorize.app.guard import OnlyFrom
        from colorize.app.look import look
        from colorize.app.service import Service

        page = web.build(Service(core))
        # Whoever is let in from other machines may call this one by any name.
        guard = [Middleware(OnlyFrom, hosts=LOOPBACK)] if host in LOOPBACK else []
        try:
            _, address, _ = page.launch(
                server_name=host,
                server_port=port or free_port(host),
                # Gradio has one limit for all zones: that of a
                # zip. `Core` has the one of a photograph.
                max_file_size=core.limits.total_bytes,
                auth=login,
                inbrowser=open_browser,
                # The address is told, and the models are loaded, only once the page is up.
                prevent_thread_lock=True,
                quiet=True,
                app_kwargs={"middleware": guard},
                **look(),
            )
        except OSError as error:
            raise RequestError(f"port {port} of {host} is taken or not allowed; name another --port") from error
        say(f"The app runs at {address} (stop it with Ctrl-C)")
        for work in (core.warm_up, core.visits.keep_tidy):
            threading.Thread(target=work, daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            page.block_thread()
    finally:
        core.close()


def return_freed_memory() -> None:
    """Have every array of 1 MB and more go back to the system when it is dropped, where malloc is glibc's."""
    # glibc keeps arrays of up to 32 MB for later ones, which fit badly: after four photographs of 12 megapixels the app
    # held 170 MB more, and peaked 130 MB higher. The price is one CPU-second in thirty.
    threshold = -3  # M_MMAP_THRESHOLD of malloc.h
    # Windows and macOS have other functions, and nothing to set.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(threshold, 1 << 20)


def free_port(host: str) -> int:
    """A port that nobody listens on."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
