"""The pixels of a photograph: colours of regions become colours of pixels here, one sparse solve each."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize._support.shrink import shrink_to
from colorize.features.superpixels import region_map, resize_labels
from colorize.guidance.hints import WantedColors
from colorize.optimization import Propagation, propagate
from colorize.optimization.propagate import fitting_shape
from colorize.optimization.upsampling import guided_enlarge
from colorize.types import Float32, GrayImage, Superpixels

# Colours then spread over 6 pixels or so: pulled harder, the borders of regions show; less, and
# small things lose their colour (docs/propagation.md).
PULL = 0.03
"""Pull of a region's colour on its pixels at the working resolution; equal neighbours pull with weight 1."""

FIRM, FIRM_AROUND = 30.0, 3.0
"""Pull of colours on the pixels of a thing and around it, where the usual one is 1: so it ends within a few pixels."""


def pull(regions: Superpixels, shape: tuple[int, int]) -> float:
    """Weight of a region's colour on each of its pixels in a photograph of this shape.

    Colours spread over about ``1 / sqrt(pull)`` pixels: the same share of the photograph at every size.
    """
    return PULL * regions.labels.size / (shape[0] * shape[1])


class Canvas:
    """One photograph at one size, ready to be coloured.

    Parameters
    ----------
    gray : GrayImage
    regions : Superpixels
        Of the same photograph, at any size.

    Examples
    --------
    >>> from colorize.features.superpixels import from_labels
    >>> lightness = np.repeat(np.float32([[20, 80]]), 8, axis=1).repeat(4, axis=0)
    >>> halves = from_labels(np.repeat([[0, 1]], 8, axis=1).repeat(4, axis=0))
    >>> canvas = Canvas(GrayImage(lightness), halves)
    >>> canvas.spread(np.float32([[30, 10], [0, -40]])).ab[3, [0, 15]].round().tolist()
    [[30.0, 10.0], [0.0, -40.0]]

    See Also
    --------
    colorize.recognition.decision.decide : Where the colours of the regions come from.
    colorize.optimization.propagate : The solve.
    """

    def __init__(self, gray: GrayImage, regions: Superpixels) -> None:
        self.gray = gray
        self.regions = regions

    @classmethod
    def fitting(cls, photo: GrayImage, regions: Superpixels) -> Canvas:
        """The canvas that a photograph is coloured on: of its own size, or of the largest that the solver has room for.

        What is coloured below the photograph's size is brought there by `enlarged`.
        """
        shape = fitting_shape(photo.shape)
        if shape == photo.shape:
            return cls(photo, regions)
        return cls(GrayImage(np.clip(shrink_to(photo.lightness, shape), 0, 100)), regions)

    def enlarged(self, spread: Propagation, photo: GrayImage) -> Propagation:
        """Colours of this canvas at the size of the photograph; its edges are where its own lightness has them."""
        if photo.shape == self.gray.shape:
            return spread
        ab = guided_enlarge(spread.ab, self.gray.lightness, photo.lightness)
        for channel in range(2):  # a line through colour over lightness goes on beyond the colours it was fitted to
            low, high = spread.ab[..., channel].min(), spread.ab[..., channel].max()
            np.clip(ab[..., channel], low, high, out=ab[..., channel])
        return Propagation(ab, replace(spread.report, reduced=True))

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """Region of every pixel, shape (H, W)."""
        return resize_labels(self.regions, self.gray.shape)

    @property
    def weight(self) -> Float32:
        """`pull`, for every pixel, shape (H, W)."""
        # A view: one number need not take the room of a photograph.
        return np.broadcast_to(np.float32(pull(self.regions, self.gray.shape)), self.gray.shape)

    def spread(self, region_ab: Float32) -> Propagation:
        """Carry one colour per region, shape (n_superpixels, 2), to every pixel."""
        return propagate(self.gray.lightness, region_map(region_ab, self.regions, self.gray.shape), self.weight)

    def move(
        self,
        ab: Float32,
        parts: Superpixels,
        shift: Float32,
        wanted: WantedColors | None = None,
        apart: Float32 | None = None,
        part_ab: Float32 | None = None,
    ) -> Propagation:
        """Add a change of the colours of parts, and exact colours of some pixels, to a picture.

        The equations are linear: to solve for the change is to solve for the changed colours, and where nothing
        changes every pixel keeps its colour.

        Parameters
        ----------
        ab : ndarray, shape (H, W, 2), float32
            The colours so far.
        parts : Superpixels
            Of the same photograph, at any size.
        shift : ndarray, shape (n_parts, 2), float32
            The change asked of every part.
        wanted : WantedColors, optional
            Pixels whose colour is certain.
        apart : ndarray, shape (n_parts,), float32, optional
            0..1: how far a part is of a thing with a colour of its own, which is one colour up to its edges.
        part_ab : ndarray, shape (n_parts, 2), float32, optional
            With it: the mean of the colours so far in every part.
        """
        # Nothing of the photograph's size gets a name here: the solver lets go of what it is given before it makes its
        # own, larger arrays. The change asked for is near the solution already, so it starts from that.
        change = propagate(
            self.gray.lightness,
            self._asked(ab, parts, shift, apart, part_ab),
            self.weight if apart is None else self._held(parts, apart),
            is_known=None if wanted is None else wanted.is_known,
            known_ab=None if wanted is None else replace(wanted, ab=wanted.ab - ab[wanted.is_known]).field(),
            from_wishes=True,
        )
        # In place: one more field of 12 megapixels is 96 MB.
        np.add(ab, change.ab, out=change.ab)
        return change

    def _asked(
        self, ab: Float32, parts: Superpixels, shift: Float32, apart: Float32 | None, part_ab: Float32 | None
    ) -> Float32:
        """The change asked of every pixel, shape (H, W, 2); arguments as of `move`."""
        asked = region_map(shift, parts, self.gray.shape)
        if apart is not None and part_ab is not None:
            shades = region_map(part_ab, parts, self.gray.shape)
            shades -= ab
            shades *= region_map(apart, parts, self.gray.shape)[..., None]
            asked += shades  # takes the shades out of what is one colour
        return asked

    def _held(self, parts: Superpixels, apart: Float32) -> Float32:
        """Weight of the change for every pixel, shape (H, W): more where a thing is one colour up to its edges."""
        firmness = FIRM_AROUND + np.float32(FIRM - FIRM_AROUND) * apart
        return region_map(np.float32(pull(self.regions, self.gray.shape)) * firmness, parts, self.gray.shape)

    def smooth(self, region_values: Float32, superpixels: Superpixels) -> Float32:
        """Values of superpixels as a smooth map, shape (H, W): blurred by half a region, then enlarged."""
        # Half a region hides the borders of the regions and keeps what is larger than one.
        spacing = (superpixels.areas.mean() ** 0.5) / 2
        blurred = cv2.GaussianBlur(region_values[superpixels.labels], (0, 0), max(0.5, spacing))
        if blurred.shape == self.gray.shape:
            return blurred
        return cv2.resize(blurred, self.gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
