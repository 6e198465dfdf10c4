"""Colours on their way from the regions of a photograph to its pixels: spread, moved by what was said, finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from colorize._support.clock import Clock
from colorize._support.shrink import shrink_to
from colorize.color import lab_to_rgb
from colorize.features.superpixels import region_means
from colorize.guidance.automatic import Automatic
from colorize.guidance.canvas import Canvas
from colorize.guidance.guidance import GuidedView
from colorize.guidance.hints import Hints, WantedColors
from colorize.optimization import Propagation
from colorize.recognition.belief import Belief
from colorize.recognition.decision import NEAR
from colorize.types import ColorField, Colorization, Float32, GrayImage, RgbImage


@dataclass(frozen=True, eq=False)
class Picture:
    """One answer of a `Session`, at the size that it is solved at.

    Attributes
    ----------
    guided : GuidedView
    canvas : Canvas
    region_ab : ndarray, shape (n_superpixels, 2), float32
    confidence : ndarray, shape (n_superpixels,), float32
        How sure the colours of the regions are before any hint.
    spread : Propagation
        Colours of the pixels.
    seconds : mapping of str to float
        Wall seconds per stage so far.
    wanted : WantedColors, optional
        What hints want of the pixels of the canvas; None without hints.
    doubt_left : ndarray, shape (n_parts,), float32, optional
        What they leave of the doubt in the parts.
    """

    guided: GuidedView
    canvas: Canvas
    region_ab: Float32
    confidence: Float32
    spread: Propagation
    seconds: Mapping[str, float]
    wanted: WantedColors | None = None
    doubt_left: Float32 | None = None

    @classmethod
    def before_hints(cls, automatic: Automatic, canvas: Canvas, vividness: float) -> Picture:
        """Decide the colours of the regions, spread them, and move those of the parts by what stays said."""
        guided, clock = automatic.guided, Clock(automatic.guided.view.seconds)
        with clock("decision"):
            region_ab = automatic.region_ab(vividness)
            confidence = guided.decision.confidence(region_ab)
        with clock("propagation"):
            spread = canvas.spread(region_ab)
        picture = cls(guided, canvas, region_ab, confidence, spread, clock.seconds)
        if not automatic.moves_parts:
            return picture
        with clock("belief"):
            shift = automatic.part_shift(picture.part_ab(), vividness)
        with clock("propagation"):
            return replace(picture.moved(shift), seconds=clock.seconds)

    def part_ab(self) -> Float32:
        """Colours of the parts, shape (n_parts, 2): means of their pixels."""
        parts = self.guided.view.parts.superpixels
        # Shrinking by area is a mean already, so the means of a large photograph cost no label map of its size.
        return region_means(shrink_to(self.spread.ab, parts.shape), parts)

    def moved(self, shift: NDArray[np.float64], said: tuple[WantedColors, Belief, Belief] | None = None) -> Picture:
        """After a change of the parts and, with what hints want and the beliefs before and after them, after those."""
        wanted = apart = part_ab = doubt_left = None
        unhinted = shift
        if said is not None:
            wanted, before, after = said
            unhinted = shift - (after.mean - before.mean)
            # The doubt of the decision, which has not heard the hints, less by what they took from that of
            # the belief: where nothing was heard nothing changes.
            left = (1 - after.within(NEAR)) / np.maximum(1 - before.within(NEAR), 1e-6)
            doubt_left = left.astype(np.float32)
            # A hint for the whole photograph sets nothing apart, and both become fields of its size.
            if after.apart.any():
                apart, part_ab = after.apart.astype(np.float32), before.mean.astype(np.float32)
        parts, change = self.guided.view.parts.superpixels, shift.astype(np.float32)
        spread = self.canvas.move(self.spread.ab, parts, change, wanted, apart, part_ab)
        over_regions = self.guided.view.over_regions
        return replace(
            self,
            region_ab=self.region_ab + over_regions(shift),
            confidence=self.guided.decision.confidence(self.region_ab + over_regions(unhinted)),
            spread=spread,
            wanted=wanted,
            doubt_left=doubt_left,
        )

    def finished(self, photo: GrayImage, hints: Hints | None = None) -> Colorization:
        """The picture as people get it: of the photograph's size, in sRGB, with everything that is known about it."""
        clock = Clock(self.seconds)
        with clock("color"):
            is_enlarged, wanted = photo.shape != self.canvas.gray.shape, self.wanted
            # Exact on every pixel that was painted, not on the cells that hold them.
            if is_enlarged and hints is not None:
                wanted = wanted_of(hints, photo)
            spread = self.canvas.enlarged(self.spread, photo)
            if is_enlarged and wanted is not None:
                spread.ab[wanted.is_known] = wanted.ab
            pixels = lab_to_rgb(photo.lightness, spread.ab, bit_depth=photo.bit_depth)
        return Colorization(
            image=RgbImage(pixels, photo.alpha, photo.metadata),
            field=ColorField(spread.ab, self._confidence()),
            superpixels=self.guided.view.description.superpixels,
            probabilities=self.guided.probabilities,
            region_ab=self.region_ab,
            report=spread.report,
            timings=clock.seconds,
            notes=() if wanted is None else wanted.notes,
        )

    def _confidence(self) -> Float32:
        """Confidence of every pixel of the canvas, shape (H, W)."""
        confidence = self.canvas.smooth(self.confidence, self.canvas.regions)
        if self.doubt_left is not None:
            confidence = 1 - (1 - confidence) * self.canvas.smooth(self.doubt_left, self.guided.view.parts.superpixels)
        if self.wanted is not None:
            confidence[self.wanted.is_known] = 1  # nobody is asked twice, though the map around is smooth
        return confidence


def wanted_of(hints: Hints, photo: GrayImage) -> WantedColors:
    """What hints want of the pixels of a photograph."""
    if not isinstance(hints, Hints):
        raise TypeError(
            f"hints must be Hints, got {type(hints).__name__}; Hints.from_rgba and Hints.from_json make them "
            "of a painted layer and of a written list"
        )
    return hints.rasterize(photo.shape).on(photo.lightness)
