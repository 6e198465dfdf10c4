"""Keeping other websites away from an app that only this machine is meant to reach."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OnlyFrom:
    """Middleware that answers those alone who name one of some hosts, and come from a page of theirs.

    A browser sends the requests of any page to this machine as well. It tells which page asks (Origin), and after DNS
    rebinding, where a strange name stands for this machine's address, which name was called (Host).
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            called = [f"//{headers.get('host', '')}", *headers.getlist("origin")]
            if any(_host(address) not in self.hosts for address in called):
                await PlainTextResponse("this page is for the machine that it runs on", 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # half of an IPv6 address
        return None
