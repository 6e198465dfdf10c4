"""Everyday names for colours, so that a sentence can say "pale brown" instead of "a 8, b 23"."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize.color.convert import rgb_to_lab
from colorize.types import Float32

SWATCH_LIGHTNESS = 62.0
"""L* at which the colours of a palette are shown and named where there is no photograph: one for all."""

_NEUTRAL_CHROMA = 6.0
_GRAYS = ((12, "black"), (40, "dark gray"), (70, "gray"), (92, "light gray"), (np.inf, "white"))  # L* up to which

# What people call these sRGB colours: R. Munroe, "Color survey results", blog.xkcd.com, 2010 (rgb.txt, CC0). Chosen so
# that what photographs have a name near it, which is mostly muted.
_SURVEY = """
    red #e50000, dark red #840000, maroon #650021, brick #a03623, rust #a83c09, reddish brown #7f2b0a,
    terracotta #ca6641, salmon #ff796c, coral #fc5a50, pale red #d9544d, dull red #bb3f3f,
    orange #f97306, light orange #fdaa48, dark orange #c65102, dusty orange #f0833a,
    brown #653700, dark brown #341c02, light brown #ad8150, pale brown #b1916e, dull brown #876e4b, cocoa #875f42,
    pinkish brown #b17261, taupe #b9a281, dark taupe #7f684e,
    peach #ffb07c, light peach #ffd8b1, dark peach #de7e5d, pinkish tan #d99b82, tan #d1b26f, dark tan #af884a,
    beige #e6daa6, cream #ffffc2, sand #e2ca76,
    yellow #ffff14, pale yellow #ffff84, gold #dbb40c, ochre #bf9005, khaki #aaa662, olive #6e750e,
    dark olive #373e02, drab #828344,
    green #15b01a, light green #96f97b, dark green #033500, pale green #c7fdb5, yellow green #c0fb2d,
    grass green #3f9b0b, moss green #658b38, olive green #677a04, army green #4b5d16,
    gray green #789b73, light gray green #b7e1a1, sage #87ae73, dark sage #598556, sea green #53fca1,
    blue green #137e6d,
    teal #029386, dark teal #014d4e, dusty teal #4c9085, gray teal #5e9b8a, turquoise #06c2ac, pale turquoise #a5fbd5,
    cyan #00ffff,
    blue #0343df, light blue #95d0fc, dark blue #00035b, pale blue #d0fefe, medium blue #2c6fbb, sky blue #75bbfd,
    ocean blue #03719c, navy blue #001146,
    dull blue #49759c, gray blue #6b8ba4, light gray blue #9dbcd4, dark gray blue #29465b, dusky blue #475f94,
    purple #7e1e9c, light purple #bf77f6, dark purple #35063e, pale purple #b790d4, dusty purple #825f87,
    violet #9a0eea, light violet #d6b4fc, lavender #c79fef, dark lavender #856798, dusty lavender #ac86a8,
    plum #580f41,
    pink #ff81c0, light pink #ffd1df, dark pink #cb416b, dusty pink #d58a94, magenta #c20078,
    mauve #ae7181, dark mauve #874c62,
    brownish gray #86775f, pinkish gray #c8aca9, greenish gray #96ae8d, bluish gray #748b97, grayish purple #887191,
"""


@cache
def _known() -> tuple[list[str], NDArray[np.float64]]:
    """The names, and the L*, a*, b* of each."""
    pairs = [entry.rsplit(maxsplit=1) for entry in _SURVEY.replace("\n", " ").rstrip(" ,").split(",")]
    pixels = np.array([list(bytes.fromhex(code.removeprefix("#"))) for _, code in pairs], np.uint8)
    return [name.strip() for name, _ in pairs], rgb_to_lab(pixels).astype(np.float64)


def color_names(ab: Float32, lightness: ArrayLike) -> list[str]:
    """Name colours: grays by their lightness, all others as the nearest of some eighty that people have named.

    Parameters
    ----------
    ab : ndarray, shape (n, 2)
        a* and b*.
    lightness : array_like, shape (n,) or ()
        L*: a dark orange is a brown, a light red is a pink.

    See Also
    --------
    colorize.explanation.account.told_apart : Names two colours that must not be confused.

    Notes
    -----
    Nearest by CIE94, the least formula in which hue counts more than chroma: most colours of photographs are paler than
    those that names are given to.

    Examples
    --------
    >>> color_names(np.array([[0, 0], [-5, -30], [14, 18], [14, 18]]), [62, 80, 70, 40])
    ['gray', 'light blue', 'pinkish tan', 'cocoa']
    """
    names, known = _known()
    colors = np.column_stack([np.broadcast_to(lightness, len(ab)), ab]).astype(np.float64)
    chroma, known_chroma = np.hypot(colors[:, 1], colors[:, 2]), np.hypot(known[:, 1], known[:, 2])
    difference = colors[:, None] - known
    apart = chroma[:, None] - known_chroma
    hue = np.maximum((difference[..., 1:] ** 2).sum(axis=-1) - apart**2, 0)
    mean = np.sqrt(chroma[:, None] * known_chroma)
    distance = difference[..., 0] ** 2 + (apart / (1 + 0.045 * mean)) ** 2 + hue / (1 + 0.015 * mean) ** 2
    return [
        names[nearest] if strength >= _NEUTRAL_CHROMA else next(gray for limit, gray in _GRAYS if light <= limit)
        for nearest, strength, light in zip(distance.argmin(axis=1), chroma, colors[:, 0], strict=True)
    ]
