"""Everyday names for palette colours, so that a table can say "sky blue" instead of "palette index 23"."""

from __future__ import annotations

import numpy as np

from colorize.types import Float32

__all__ = ["color_names"]

_NEUTRAL_CHROMA = 6.0
_STRONG_CHROMA = 32.0

# Hue angle in the a*b* plane (degrees) up to which a name holds, the name when weak, the name when strong.
_SECTORS: tuple[tuple[int, str, str], ...] = (
    (15, "dusty pink", "pink"),
    (42, "skin and brick", "red"),
    (68, "brown", "orange"),
    (88, "sand and straw", "golden yellow"),
    (108, "olive", "yellow green"),
    (135, "foliage green", "grass green"),
    (175, "gray green", "green"),
    (215, "sea green", "turquoise"),
    (282, "gray blue", "sky blue"),
    (308, "slate blue", "deep blue"),
    (335, "lilac", "violet"),
    (360, "mauve", "magenta"),
)


def color_names(ab: Float32) -> list[str]:
    """Name colours by their hue and chroma.

    The names are of colours one meets in photographs; without lightness they are rough, and several colours share one.

    Parameters
    ----------
    ab : ndarray, shape (n, 2)
        a* and b*.

    Returns
    -------
    list of str

    See Also
    --------
    colorize.explanation.account.told_apart : Names two colours that must not be confused.

    Examples
    --------
    >>> color_names(np.array([[0, 0], [-8, -38], [-15, 20], [10, 20]]))
    ['neutral', 'sky blue', 'foliage green', 'brown']
    """
    chroma = np.hypot(ab[:, 0], ab[:, 1])
    hue = np.degrees(np.arctan2(ab[:, 1], ab[:, 0])) % 360
    # The remainder, because an angle just below 0 may round to 360, beyond the last limit.
    sectors = np.searchsorted([limit for limit, _, _ in _SECTORS], hue, side="right") % len(_SECTORS)
    names = []
    for sector, strength in zip(sectors, chroma, strict=True):
        _, weak, strong = _SECTORS[sector]
        names.append("neutral" if strength < _NEUTRAL_CHROMA else strong if strength >= _STRONG_CHROMA else weak)
    return names
