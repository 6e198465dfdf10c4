"""The modules that the Python reference describes: one page each."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from pathlib import Path

import colorize

# A package and its function of the same name cannot both be told apart from the module between them.
HIDDEN = ("colorize.optimization.propagate",)


def public_modules() -> Iterator[str]:
    """Modules that a user may import: all but private ones and the command line, which have a page of their own."""
    yield "colorize"
    for name in module_names(Path(colorize.__file__).parent, "colorize"):
        parts = name.split(".")
        private = any(part.startswith("_") for part in parts) or parts[1] == "cli"
        if not private and name not in HIDDEN:
            yield name


def module_names(folder: Path, package: str) -> Iterator[str]:
    """Modules below a package's folder, found without importing any: some need packages that may not be there."""
    for module in pkgutil.iter_modules([str(folder)]):
        yield f"{package}.{module.name}"
        if module.ispkg:
            yield from module_names(folder / module.name, f"{package}.{module.name}")
