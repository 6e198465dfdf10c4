"""Simple rules that any model has to beat: gray, one colour, colour by lightness, colour by lightness and height.

All four are one table of mean ab colours over lightness and height in the picture, of growing size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from colorize.color import rgb_to_lab
from colorize.exceptions import DatasetError
from colorize.types import Float32, GrayImage, RgbImage

__all__ = ["RULES", "GrayBaseline", "LightnessHeightLookup", "LightnessLookup", "MeanColorBaseline"]


class LightnessHeightLookup:
    """The mean colour of all training pixels of similar lightness at a similar height in the picture.

    It knows that bright things above are often sky, and nothing else.

    Parameters
    ----------
    n_lightness_bins : int, default 20
        Equal steps of L* from 0 to 100.
    n_height_bins : int, default 10
        Equal steps from the top of the picture to its bottom.

    Attributes
    ----------
    table_ : ndarray, shape (n_lightness_bins, n_height_bins, 2), float32
        Mean a* and b*; a bin without training pixels holds the mean of its lightness, or of everything.

    Examples
    --------
    >>> photo = RgbImage(np.full((4, 4, 3), (60, 90, 160), np.uint8))
    >>> gray = GrayImage(np.full((2, 3), 38, np.float32))
    >>> LightnessHeightLookup().fit([photo]).predict_ab(gray)[0, 0].round().tolist()
    [12.0, -41.0]
    """

    def __init__(self, n_lightness_bins: int = 20, n_height_bins: int = 10) -> None:
        self.n_lightness_bins = n_lightness_bins
        self.n_height_bins = n_height_bins

    def fit(self, photos: Iterable[RgbImage]) -> Self:
        """Learn the table from colour photographs.

        Parameters
        ----------
        photos : iterable of RgbImage
            Every pixel counts the same, whatever photograph it comes from.

        Returns
        -------
        self

        Raises
        ------
        DatasetError
            No photographs.
        """
        n_bins = self.n_lightness_bins * self.n_height_bins
        totals = np.zeros((n_bins, 3))  # sums of a*, sums of b*, counts
        for photo in photos:
            lab = rgb_to_lab(photo.pixels)
            bins = self._bins(lab[..., 0]).ravel()
            for channel in (0, 1):
                totals[:, channel] += np.bincount(bins, lab[..., channel + 1].ravel(), minlength=n_bins)
            totals[:, 2] += np.bincount(bins, minlength=n_bins)
        if not totals[:, 2].any():
            raise DatasetError("a baseline needs at least one photograph to learn from")
        self.table_ = _means(totals.reshape(self.n_lightness_bins, self.n_height_bins, 3))
        return self

    def predict_ab(self, gray: GrayImage) -> Float32:
        """Look up the colour of every pixel.

        Parameters
        ----------
        gray : GrayImage

        Returns
        -------
        ndarray, shape (H, W, 2), float32
            a* and b*, not mapped to the gamut.
        """
        return self.table_.reshape(-1, 2).take(self._bins(gray.lightness), axis=0)

    def _bins(self, lightness: Float32) -> NDArray[np.intp]:
        """Bin of every pixel, shape (H, W)."""
        n_rows = len(lightness)
        by_lightness = np.minimum(
            (lightness * (self.n_lightness_bins / 100)).astype(np.intp), self.n_lightness_bins - 1
        )
        by_height = np.arange(n_rows) * self.n_height_bins // n_rows
        return np.maximum(by_lightness, 0) * self.n_height_bins + by_height[:, None]


class LightnessLookup(LightnessHeightLookup):
    """The mean colour of all training pixels of similar lightness.

    Parameters
    ----------
    n_lightness_bins : int, default 20
        Equal steps of L* from 0 to 100.

    Attributes
    ----------
    table_ : ndarray, shape (n_lightness_bins, 1, 2), float32

    Examples
    --------
    >>> LightnessLookup().fit([RgbImage(np.zeros((2, 2, 3), np.uint8))]).table_.shape
    (20, 1, 2)
    """

    def __init__(self, n_lightness_bins: int = 20) -> None:
        super().__init__(n_lightness_bins, n_height_bins=1)


class MeanColorBaseline(LightnessHeightLookup):
    """One colour for everything: the mean of all training pixels.

    Attributes
    ----------
    table_ : ndarray, shape (1, 1, 2), float32

    Examples
    --------
    >>> MeanColorBaseline().fit([RgbImage(np.zeros((2, 2, 3), np.uint8))]).table_.tolist()
    [[[0.0, 0.0]]]
    """

    def __init__(self) -> None:
        super().__init__(n_lightness_bins=1, n_height_bins=1)


class GrayBaseline:
    """No colour at all: what an untouched black-and-white photograph scores.

    Examples
    --------
    >>> GrayBaseline().fit([]).predict_ab(GrayImage(np.zeros((1, 2), np.float32))).tolist()
    [[[0.0, 0.0], [0.0, 0.0]]]
    """

    def fit(self, photos: Iterable[RgbImage]) -> Self:
        """Learn nothing.

        Parameters
        ----------
        photos : iterable of RgbImage
            Not looked at.

        Returns
        -------
        self
        """
        return self

    def predict_ab(self, gray: GrayImage) -> Float32:
        """Colour nothing.

        Parameters
        ----------
        gray : GrayImage

        Returns
        -------
        ndarray, shape (H, W, 2), float32
            Zeros.
        """
        return np.zeros((*gray.shape, 2), np.float32)


RULES: dict[str, Callable[[], LightnessHeightLookup]] = {
    "mean colour": MeanColorBaseline,
    "L lookup": LightnessLookup,
    "L + height lookup": LightnessHeightLookup,
}
"""The rules that learn something, by the names that tables show."""


def _means(totals: NDArray[np.float64]) -> Float32:
    """Mean colour per bin from sums and counts; empty bins take the mean of their row, empty rows that of all."""
    by_lightness, overall = totals.sum(axis=1, keepdims=True), totals.sum(axis=(0, 1), keepdims=True)
    by_lightness = np.where(by_lightness[..., 2:] > 0, by_lightness, overall)
    filled = np.where(totals[..., 2:] > 0, totals, by_lightness)
    return (filled[..., :2] / filled[..., 2:]).astype(np.float32)
