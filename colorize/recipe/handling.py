"""How files are read and written; light, for those who only hand it on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Handling:
    """How files are read and written; the colours are the `Recipe`'s.

    Attributes
    ----------
    max_pixels : int
        Photographs whose header announces more are refused.
    keep_times : bool
        Give the output the times of the input.
    overwrite : bool
        Replace output files that are there.
    salvage : bool
        Colour what can be read of a damaged photograph.
    """

    max_pixels: int = 200_000_000
    keep_times: bool = False
    overwrite: bool = False
    salvage: bool = False
