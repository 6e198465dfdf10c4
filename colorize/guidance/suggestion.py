"""Where a hint would tell most, and which colours are likely there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.color import lab_to_rgb, rgb_to_lab
from colorize.color.names import color_names
from colorize.guidance.guidance import GuidedView
from colorize.model import Description
from colorize.recognition.belief import Belief
from colorize.types import Float32

_APART = 12.0  # ab between two colours that are offered side by side
_SPACING = 60.0  # variance of ab within a palette entry


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A place worth clicking.

    Attributes
    ----------
    row, col : int
        Pixel of the photograph, well inside its region.
    label : int
        Number of the region.
    colors : ndarray, shape (m, 3), uint8
        The likeliest colours, sRGB at the lightness of that pixel's region, 1 to 5 of them, likeliest first.
    ab : ndarray, shape (m, 2), float32
        Their a* and b*.
    probabilities : ndarray, shape (m,), float32
        How likely each is; what is left to 1 is spread over the colours not shown.

    See Also
    --------
    suggest_places : Makes them.
    colorize.guidance.hints.Mark : What a click becomes.
    """

    row: int
    col: int
    label: int
    colors: NDArray[np.uint8]
    ab: Float32
    probabilities: Float32

    def swatches(self) -> list[tuple[str, str, float]]:
        """The colours to be shown: each as ``#rrggbb``, in words, and how likely it is."""
        lab = rgb_to_lab(self.colors)
        shown = zip(self.colors, color_names(lab[:, 1:], lab[:, 0]), self.probabilities, strict=True)
        return [("#" + color.tobytes().hex(), name, float(chance)) for color, name, chance in shown]


def suggest_places(
    guided: GuidedView, before: Belief, after: Belief, n: int, shape: tuple[int, int]
) -> list[Suggestion]:
    """The n places of a photograph where a hint would tell most, the best first.

    Parameters
    ----------
    guided : GuidedView
    before, after : Belief
        About its parts, before and after what was said.
    n : int
    shape : tuple of int
        Height and width of the photograph.

    See Also
    --------
    colorize.recognition.belief.Belief.next_queries : Which regions those are.
    """
    # A click tells about a thing, so it is chosen among regions: parts were the worse choice.
    superpixels = guided.view.description.superpixels
    areas = superpixels.areas / superpixels.areas.sum(dtype=np.float64)
    shares, is_told = guided.view.parts_of_regions, after is not before
    before = before.merged(shares, areas)
    after = after.merged(shares, areas) if is_told else before
    return [_suggestion(guided, before, after, region, shape) for region in after.next_queries(n)]


def _suggestion(guided: GuidedView, before: Belief, after: Belief, region: int, shape: tuple[int, int]) -> Suggestion:
    colors = guided.view.model.palette.colors_
    chances = _updated(guided.probabilities[region], colors, before, after, region)
    kept: list[int] = []
    for k in np.argsort(-chances, kind="stable"):
        # Three at least to choose from, and nothing improbable after them.
        if len(kept) == 5 or (len(kept) >= 3 and chances[k] < 0.03):
            break
        if all(np.linalg.norm(colors[k] - colors[other]) > _APART for other in kept):
            kept.append(int(k))
    lightness = np.full(len(kept), guided.view.description.region_lightness[region], np.float32)
    shown = np.asarray(lab_to_rgb(lightness, colors[kept]), np.uint8)
    return Suggestion(*_typical(guided.view.description, region, shape), region, shown, colors[kept], chances[kept])


def _typical(description: Description, region: int, shape: tuple[int, int]) -> tuple[int, int]:
    """A pixel of the photograph well inside a region where it is as light as on the whole: no edge, no speck."""
    inside = description.superpixels.labels == region
    # The border of the photograph is an edge too: a place beside it is hard to hit.
    depth = cv2.distanceTransform(np.pad(inside.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    around = cv2.blur(description.lightness, (7, 7))  # about what a person clicks on
    unlike = np.abs(around - description.region_lightness[region])
    # A pixel of depth against 4 L*: against 1 L*, more places had other colours within reach of a click.
    best = np.where(inside, depth - unlike / 4, -np.inf).argmax()
    row, col = np.unravel_index(int(best), inside.shape)
    height, width = inside.shape
    return int((row + 0.5) * shape[0] / height), int((col + 0.5) * shape[1] / width)


def _updated(chances: Float32, colors: Float32, before: Belief, after: Belief, region: int) -> Float32:
    """Probabilities of the palette colours of a region after hints: the change of a normal density, carried over."""
    fit = np.zeros(len(colors))
    for belief, sign in ((after, -0.5), (before, 0.5)):
        fit += sign * ((colors - belief.mean[region]) ** 2 / (belief.variance[region] + _SPACING)).sum(axis=1)
    weighed = chances * np.exp(fit - fit.max())
    return (weighed / weighed.sum()).astype(np.float32)
