"""The modules that the Python reference describes: one page each."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator

import colorize

# A package and its function of the same name cannot both be told apart from the module between them.
HIDDEN = ("colorize.optimization.propagate",)


def public_modules() -> Iterator[str]:
    """Modules that a user may import: all but private ones and the commands, which have a page of their own."""
    yield "colorize"
    for module in pkgutil.walk_packages(colorize.__path__, "colorize."):
        parts = module.name.split(".")
        private = any(part.startswith("_") for part in parts) or parts[1] in ("cli", "commands")
        if not private and module.name not in HIDDEN:
            yield module.name
