"""Feature families of one's own, known by name, beside those that come with the package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

FAMILIES = ("intensity", "position", "shape", "gabor", "surf", "lbp", "context", "scene", "semantic")
"""The families that come with the package, in the order of their columns."""

CLASSICAL = tuple(family for family in FAMILIES if family != "semantic")
"""Those of them in which nothing was learnt elsewhere."""

Family = Callable[[PhotoAnalysis], tuple[np.ndarray, Sequence[str]]]

# Of the process and not of an extractor: a loaded model knows its families by name only, and clones
# and copies of a model must find the same functions.
_own: dict[str, Family] = {}


def register_family(name: str, compute: Family) -> None:
    """Make a feature family of your own known, so that `Colorizer` can be told to use it.

    A model file keeps the name of a family, never its code: register the family again before such a
    model is loaded, most simply by importing the module that does it.

    Parameters
    ----------
    name : str
        An identifier that no family of the package has. A name that is registered already gets the new function.
    compute : callable
        Takes a `PhotoAnalysis` and returns ``values``, shape (n_superpixels, n_columns), finite
        numbers of any scale, one row per region, and ``names``, one short name per column. It must
        give as many columns for every photograph and the same numbers for the same photograph.

    Raises
    ------
    ValueError
        `name` is no identifier, or that of a family of the package.
    TypeError
        `compute` cannot be called.

    See Also
    --------
    colorize.features.analysis.PhotoAnalysis : What the function is given.
    colorize.features.extractor.FeatureExtractor : What asks it.
    colorize.evaluation.importance : What a family is worth.

    Examples
    --------
    >>> def contrast(photo):
    ...     low, high = photo.means(photo.pyramid[0]), photo.means(photo.gray**2)
    ...     return np.sqrt(np.maximum(high - low**2, 0))[:, None], ("contrast",)
    >>> register_family("contrast", contrast)
    >>> in_order(("contrast", "shape", "intensity"))
    ('intensity', 'shape', 'contrast')
    """
    if not isinstance(name, str) or not name.isidentifier() or name in FAMILIES:
        raise ValueError(f"name must be an identifier and none of {', '.join(FAMILIES)}; got {name!r}")
    if not callable(compute):
        raise TypeError(f"compute must be a function of a PhotoAnalysis, got {type(compute).__name__}")
    _own[name] = compute


def in_order(families: Iterable[str]) -> tuple[str, ...]:
    """Families in the order of their columns: those of the package as in `FAMILIES`, then one's own by name.

    Raises
    ------
    ValueError
        A family is neither of the package nor registered.

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins them in this order.
    """
    # One's own behind those of the package and by name: the order of columns must not depend on
    # which module happened to be imported first, or a saved model would read the wrong ones.
    if isinstance(families, str):  # would be a family per letter
        raise ValueError(f"families must be a sequence of names, got the string {families!r}")
    if not isinstance(families, Iterable):
        raise ValueError(f"families must be a sequence of names, got {families!r}")
    families = set(families)
    unknown = sorted(map(str, families - {*FAMILIES, *_own}))
    if unknown or not families:
        known = ", ".join([*FAMILIES, *sorted(_own)])
        how = " (a family of your own has to be registered first, in every process: colorize.features.register_family)"
        raise ValueError(f"families must be some of {known}; got {', '.join(unknown) or 'none'}{how * bool(unknown)}")
    return tuple(name for name in (*FAMILIES, *sorted(_own)) if name in families)


def compute_own(name: str, photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Values and column names of a registered family: one row of finite numbers per region, or a ValueError."""
    in_order((name,))  # a fitted model may have come here from another process
    # Checked at every photograph: a family may fail on a flat or a tiny one only, and one number
    # that is not finite spreads through the scaler to every column.
    found = _own[name](photo)
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise ValueError(f"family {name} must give a pair, numbers and their names, got {type(found).__name__}")
    values, names = np.asarray(found[0]), tuple(map(str, found[1]))
    wanted = (photo.superpixels.n_superpixels, len(names))
    if values.shape != wanted or not names or values.dtype.kind not in "fiub":
        raise ValueError(
            f"family {name} must give numbers of shape (n_superpixels, n_columns) and one name per column, "
            f"here {wanted}; got {values.dtype} {values.shape}"
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"family {name} gave numbers that are not finite")
    return values, names
