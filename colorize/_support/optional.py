"""Optional libraries: imported where they are used, with an error that says how to get them."""

import importlib
from types import ModuleType

from colorize.exceptions import MissingDependencyError

DISTRIBUTION = "colorize-photos"
"""What the package is called where packages are installed from; `colorize` is another project there."""


def import_or_raise(module: str, *, extra: str) -> ModuleType:
    """Import an optional library, or raise `MissingDependencyError`, which names the extra that brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(error.name + ".")):
            raise  # the library is there, but broken: its own message says more than ours would
        raise MissingDependencyError(
            f"{module} is not installed; install it from the checkout: pip install '.[{extra}]'"
        ) from error
