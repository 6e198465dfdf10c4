"""Whether numba can keep what it compiles: a start without that takes some ten seconds, but it is a start."""

from __future__ import annotations

import warnings
from functools import cache

from numba import njit


@cache
def keeps_compiled_code() -> bool:
    """Find out if numba has a folder for compiled code; warn once if it has none.

    Read-only installations whose user has no home, as in some containers, leave numba no place; kernels that insist on
    one (``cache=True``) could then not be imported at all.
    """
    try:
        # Nothing is compiled here: numba looks for its folder when the function is decorated.
        njit(_nothing, cache=True)
    except RuntimeError:
        warnings.warn(
            "neither the folder of the package nor the user's cache can be written to: kernels are compiled anew at "
            "every start, which takes some ten seconds; set NUMBA_CACHE_DIR to a folder that can",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def _nothing() -> None: ...
