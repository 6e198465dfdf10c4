"""Simple rules that any model has to beat: gray, one colour, colour by lightness, colour by lightness and height.

All are tables of mean ab colours over lightness and height in the picture. The smaller tables are marginals of the
largest, so that one pass over the photographs fits them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colorize.color import rgb_to_lab
from colorize.exceptions import DatasetError
from colorize.types import Float32, GrayImage, RgbImage

RULES = {"mean colour": (1, 1), "L lookup": (20, 1), "L + height lookup": (20, 10)}
"""Steps of lightness and of height of the rules that learn something, by the names that tables show."""


@dataclass(frozen=True, eq=False)
class Lookup:
    """The mean colour of all training pixels of similar lightness at a similar height in the picture.

    It knows that bright things above are often sky, and nothing else.

    Attributes
    ----------
    table : ndarray, shape (n_lightness_bins, n_height_bins, 2), float32
        Mean a* and b* over equal steps of L* from 0 to 100 and of the height from top to bottom.

    See Also
    --------
    fit_rules : Makes them.
    colorize.model.Model : What has to beat them.
    """

    table: Float32

    def __call__(self, gray: GrayImage) -> Float32:
        """Look up the colour of every pixel: a* and b*, shape (H, W, 2), float32, not mapped to the gamut."""
        return self.table.reshape(-1, 2).take(_bins(gray.lightness, self.table.shape[:2]), axis=0)


NO_COLOR = Lookup(np.zeros((1, 1, 2), np.float32))
"""No colour at all: what an untouched black-and-white photograph scores."""


class ColorSums:
    """Sums of the colours of pixels over lightness and height, to make the rules of.

    Attributes
    ----------
    totals : ndarray, shape (20, 10, 3), float64
        Sums of a*, sums of b*, counts. Every pixel counts the same, whatever photograph it comes from.

    See Also
    --------
    fit_rules : From photographs that are at hand.
    colorize.training.fit.describe_photos : In the pass that describes them.
    """

    def __init__(self) -> None:
        self.totals = np.zeros((*RULES["L + height lookup"], 3))

    def add(self, lab: Float32) -> None:
        """Count the pixels of a photograph, CIELAB, shape (H, W, 3)."""
        bins = _bins(lab[..., 0], self.totals.shape[:2]).ravel()
        weights = lab[..., 1].ravel(), lab[..., 2].ravel(), None
        cells = self.totals.reshape(-1, 3)
        for column, weight in enumerate(weights):
            cells[:, column] += np.bincount(bins, weight, minlength=len(cells))

    def rules(self) -> dict[str, Lookup]:
        """The rules of `RULES`.

        Raises
        ------
        DatasetError
            No pixel was counted.
        """
        if not self.totals[..., 2].any():
            raise DatasetError("simple rules need at least one photograph to learn from")
        marginals = {}
        for name, shape in RULES.items():
            # where a rule has a single bin, the bins of the largest table are added up
            summed = tuple(axis for axis, size in enumerate(shape) if size == 1)
            marginals[name] = Lookup(_means(self.totals.sum(axis=summed, keepdims=True)))
        return marginals


def fit_rules(photos: Iterable[RgbImage]) -> dict[str, Lookup]:
    """Learn the rules of `RULES` from colour photographs.

    Raises
    ------
    DatasetError
        There are no photographs.

    See Also
    --------
    ColorSums : One photograph after another.

    Examples
    --------
    >>> photo = RgbImage(np.full((4, 4, 3), (60, 90, 160), np.uint8))
    >>> gray = GrayImage(np.full((2, 3), 38, np.float32))
    >>> fit_rules([photo])["L + height lookup"](gray)[0, 0].round().tolist()
    [12.0, -41.0]
    """
    sums = ColorSums()
    for photo in photos:
        sums.add(rgb_to_lab(photo.pixels))
    return sums.rules()


def _bins(lightness: Float32, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Cell of every pixel in a table of this shape, flattened; shape (H, W)."""
    n_lightness, n_height = shape
    # White has L* 100, which begins a step that the table does not have.
    by_lightness = np.clip((lightness * (n_lightness / 100)).astype(np.intp), 0, n_lightness - 1)
    by_height = np.arange(len(lightness)) * n_height // len(lightness)
    return by_lightness * n_height + by_height[:, None]


def _means(totals: NDArray[np.float64]) -> Float32:
    """Mean colour per bin from sums and counts; empty bins take the mean of their row, empty rows that of all."""
    by_lightness, overall = totals.sum(axis=1, keepdims=True), totals.sum(axis=(0, 1), keepdims=True)
    # What no training pixel showed is borrowed from what is most like it: the same lightness at other heights.
    by_lightness = np.where(by_lightness[..., 2:] > 0, by_lightness, overall)
    filled = np.where(totals[..., 2:] > 0, totals, by_lightness)
    return (filled[..., :2] / filled[..., 2:]).astype(np.float32)
