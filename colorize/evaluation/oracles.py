"""Where the error comes from: what the same pipeline would reach if one of its parts made no mistake."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.color import rgb_to_lab
from colorize.colorizer import Colorizer
from colorize.evaluation.compare import Method, WithTruth
from colorize.superpixels import region_means
from colorize.types import Colorization, Float32, GrayImage, RgbImage, Superpixels

__all__ = ["ORACLES", "Oracles", "true_region_ab"]

ORACLES = {
    "oracle: tint": "The model's colours, shifted by one offset per photograph to the true mean colour.",
    "oracle: palette": "The palette colour nearest to the true mean of every region: a perfect classifier.",
    "oracle: regions": "The true mean colour of every region: a perfect classifier with an endless palette.",
}
"""The oracles by their names in tables, each with what it stands for. What the last one leaves is regions and solve."""


class Oracles:
    """A model and its oracles, which share the regions of a photograph.

    Parameters
    ----------
    colorizer : Colorizer
        Fitted.
    vividness : float
        Setting of the model.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> from colorize.evaluation.compare import evaluate
    >>> photos = [RgbImage(picture[::8, ::8].copy()) for picture in load_sample_images().images]
    >>> model = Colorizer(n_colors=4, n_superpixels=40).fit(photos)
    >>> means = evaluate(Oracles(model).methods(), photos).means()
    >>> means["oracle: regions"]["ab_l2"] < means["oracle: palette"]["ab_l2"] < means["model"]["ab_l2"]
    True
    """

    def __init__(self, colorizer: Colorizer, *, vividness: float = 0.0) -> None:
        self.colorizer = colorizer
        self.vividness = vividness
        self._gray: GrayImage | None = None
        self._result: Colorization | None = None

    def methods(self) -> dict[str, Method]:
        """The model and the oracles, to be measured in this order."""
        functions = (self.true_tint, self.best_palette, self.true_regions)
        oracles = {name: WithTruth(function) for name, function in zip(ORACLES, functions, strict=True)}
        return {"model": self.predict, **oracles}

    def predict(self, gray: GrayImage) -> Colorization:
        """Colorize as the model does, and remember the photograph for the oracles."""
        self._result = self.colorizer.predict(gray, vividness=self.vividness)
        self._gray = gray
        return self._result

    def true_tint(self, gray: GrayImage, photo: RgbImage) -> Float32:
        """Shift the model's colours by one offset, ab of shape (H, W, 2)."""
        ab = self._of(gray).ab
        true_ab = rgb_to_lab(photo.pixels)[..., 1:]
        offset = true_ab.mean(axis=(0, 1), dtype=np.float64) - ab.mean(axis=(0, 1), dtype=np.float64)
        return ab + offset.astype(np.float32)

    def best_palette(self, gray: GrayImage, photo: RgbImage) -> Float32:
        """Spread the best palette colour of every region, ab of shape (H, W, 2)."""
        superpixels, palette = self._of(gray).superpixels, self.colorizer.palette_
        chosen = palette.colors_[palette.encode(true_region_ab(photo, superpixels))]
        return self.colorizer.spread(gray, superpixels, chosen).ab

    def true_regions(self, gray: GrayImage, photo: RgbImage) -> Float32:
        """Spread the true mean colour of every region, ab of shape (H, W, 2)."""
        superpixels = self._of(gray).superpixels
        return self.colorizer.spread(gray, superpixels, true_region_ab(photo, superpixels)).ab

    def _of(self, gray: GrayImage) -> Colorization:
        return self._result if self._gray is gray and self._result is not None else self.predict(gray)


def true_region_ab(photo: RgbImage, superpixels: Superpixels) -> Float32:
    """Mean true colour of every region, shape (n_superpixels, 2)."""
    ab = rgb_to_lab(photo.pixels)[..., 1:]
    if ab.shape[:2] != superpixels.shape:
        ab = cv2.resize(ab, superpixels.shape[::-1], interpolation=cv2.INTER_AREA)
    return region_means(ab, superpixels)
