"""Where the error comes from: what the same pipeline would reach if one of its parts made no mistake."""

from __future__ import annotations

from functools import lru_cache, partial

import cv2
import numpy as np

from colorize._support.shrink import shrink_to
from colorize.color.metrics import Truth
from colorize.colorizer import Colorizer
from colorize.evaluation.measure import Method, WithTruth
from colorize.features.superpixels import region_means
from colorize.guidance.canvas import Canvas
from colorize.optimization import propagate
from colorize.types import Colorization, Float32, GrayImage, Superpixels

__all__ = ["ORACLES", "Oracles", "true_region_ab"]

ORACLES = {
    "oracle: tint": "The model's colours, shifted by one offset per photograph to the true mean colour.",
    "oracle: palette": "The palette colour nearest to the true mean of every region: a perfect classifier.",
    "oracle: regions": "The true mean colour of every region: a perfect classifier with an endless palette.",
}
"""The oracles by their names in tables, each with what it stands for. What the last one leaves is regions and solve."""

_TOLERANCE = 1.0  # of the solver, in units of a* and b*; tighter ones moved no mean figure by 0.001


class Oracles:
    """A model and its oracles, which share the regions of a photograph.

    Parameters
    ----------
    colorizer : Colorizer
        Fitted.
    vividness : float
        Setting of the model.

    See Also
    --------
    colorize.evaluation.run.evaluate_model : Measures them beside the model.
    true_region_ab : What two of them look at.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> from colorize.evaluation.measure import measure
    >>> from colorize.types import RgbImage
    >>> photos = [RgbImage(picture[::8, ::8].copy()) for picture in load_sample_images().images]
    >>> model = Colorizer(n_colors=4, n_superpixels=40).fit(photos)
    >>> means = measure(Oracles(model).methods(), photos).means()
    >>> means["oracle: regions"]["ab_l2"] < means["oracle: palette"]["ab_l2"] < means["model"]["ab_l2"]
    True
    """

    def __init__(self, colorizer: Colorizer, *, vividness: float = 0.0) -> None:
        self.colorizer = colorizer
        # An oracle may be asked without the model before it. By identity: `measure` hands one
        # object to all methods, and comparing pixels would cost something every time.
        self._result = result = lru_cache(1)(partial(colorizer.predict, vividness=vividness))
        self._canvas = lru_cache(1)(lambda gray: Canvas(gray, result(gray).superpixels))

    def methods(self) -> dict[str, Method]:
        """The model and the oracles, to be measured in this order."""
        functions = (self.true_tint, self.best_palette, self.true_regions)
        oracles = {name: WithTruth(function) for name, function in zip(ORACLES, functions, strict=True)}
        return {"model": self.predict, **oracles}

    def predict(self, gray: GrayImage) -> Colorization:
        """Colorize as the model does, and remember the photograph for the oracles."""
        return self._result(gray)

    def true_tint(self, gray: GrayImage, truth: Truth) -> Float32:
        """Shift the model's colours by one offset, ab of shape (H, W, 2)."""
        ab = self._result(gray).ab
        offset = np.subtract(cv2.mean(truth.ab)[:2], cv2.mean(ab)[:2])
        return ab + offset.astype(np.float32)

    def best_palette(self, gray: GrayImage, truth: Truth) -> Float32:
        """Spread the best palette colour of every region, ab of shape (H, W, 2)."""
        palette = self.colorizer.palette_
        return self._spread(gray, palette.colors_[palette.encode(self._true_ab(gray, truth))])

    def true_regions(self, gray: GrayImage, truth: Truth) -> Float32:
        """Spread the true mean colour of every region, ab of shape (H, W, 2)."""
        return self._spread(gray, self._true_ab(gray, truth))

    def _true_ab(self, gray: GrayImage, truth: Truth) -> Float32:
        return true_region_ab(truth.ab, self._result(gray).superpixels)

    def _spread(self, gray: GrayImage, region_ab: Float32) -> Float32:
        # Not by `Canvas.spread`, which stops later.
        canvas = self._canvas(gray)
        return propagate(gray.lightness, region_ab.take(canvas.labels, axis=0), canvas.weight, tolerance=_TOLERANCE).ab


def true_region_ab(true_ab: Float32, superpixels: Superpixels) -> Float32:
    """Mean true colour of every region, shape (n_superpixels, 2), from true ab (H, W, 2)."""
    return region_means(shrink_to(true_ab, superpixels.shape), superpixels)
