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
from colorize.types import Float32, GrayImage, Superpixels

__all__ = ["ORACLES", "true_region_ab", "with_oracles"]

ORACLES = {
    "oracle: tint": "The model's colours, shifted by one offset per photograph to the true mean colour.",
    "oracle: palette": "The palette colour nearest to the true mean of every region: a perfect classifier.",
    "oracle: regions": "The true mean colour of every region: a perfect classifier with an endless palette.",
}
"""The oracles by their names in tables, each with what it stands for. What the last one leaves is regions and solve."""

_TOLERANCE = 1.0  # of the solver, in units of a* and b*; tighter ones moved no mean figure by 0.001


def with_oracles(colorizer: Colorizer, *, vividness: float = 0.0) -> dict[str, Method]:
    """A fitted model, as ``model``, and its `ORACLES`, which share its regions; to be measured in this order.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> from colorize.evaluation.measure import measure
    >>> from colorize.types import RgbImage
    >>> photos = [RgbImage(picture[::8, ::8].copy()) for picture in load_sample_images().images]
    >>> model = Colorizer(n_colors=4, n_superpixels=40).fit(photos)
    >>> means = measure(with_oracles(model), photos).means()
    >>> means["oracle: regions"]["ab_l2"] < means["oracle: palette"]["ab_l2"] < means["model"]["ab_l2"]
    True
    """
    palette = colorizer.palette_
    # An oracle may be asked without the model before it. By identity: `measure` hands one
    # object to all methods, and comparing pixels would cost something every time.
    colorized = lru_cache(1)(partial(colorizer.predict, vividness=vividness))
    canvas_of = lru_cache(1)(lambda gray: Canvas(gray, colorized(gray).superpixels))

    def tint(gray: GrayImage, truth: Truth) -> Float32:
        ab = colorized(gray).ab
        offset = np.subtract(cv2.mean(truth.ab)[:2], cv2.mean(ab)[:2])
        return ab + offset.astype(np.float32)

    def true_ab(gray: GrayImage, truth: Truth) -> Float32:
        return true_region_ab(truth.ab, colorized(gray).superpixels)

    def spread(gray: GrayImage, region_ab: Float32) -> Float32:
        # Not by `Canvas.spread`, which stops later.
        canvas = canvas_of(gray)
        return propagate(gray.lightness, region_ab.take(canvas.labels, axis=0), canvas.weight, tolerance=_TOLERANCE).ab

    def best_palette(gray: GrayImage, truth: Truth) -> Float32:
        return spread(gray, palette.colors_[palette.encode(true_ab(gray, truth))])

    def true_regions(gray: GrayImage, truth: Truth) -> Float32:
        return spread(gray, true_ab(gray, truth))

    functions = zip(ORACLES, (tint, best_palette, true_regions), strict=True)
    return {"model": colorized, **{name: WithTruth(function) for name, function in functions}}


def true_region_ab(true_ab: Float32, superpixels: Superpixels) -> Float32:
    """Mean true colour of every region, shape (n_superpixels, 2), from true ab (H, W, 2)."""
    return region_means(shrink_to(true_ab, superpixels.shape), superpixels)
