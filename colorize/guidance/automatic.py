"""The automatic colours of a photograph's regions, and how what was said before any hint changes those of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize.guidance.guidance import GuidedView
from colorize.recognition.belief import Belief
from colorize.types import Float32


@dataclass(frozen=True, eq=False, repr=False)
class Automatic:
    """What a photograph is coloured like before any hint, whatever its size.

    A value beside `GuidedView` and no part of it, because a chosen alternative leaves standing what that has computed.

    Attributes
    ----------
    guided : GuidedView
        The photograph, and what was said about it.
    offset : ndarray, shape (n_superpixels, 2), float32, optional
        Change of the colours of the regions: a refiner's.
    chosen : ndarray, shape (n_parts, 2), float64, optional
        Change of those of the parts: the alternative gone on from.
    """

    guided: GuidedView
    offset: Float32 | None = None
    chosen: NDArray[np.float64] | None = None

    def shifted(self, offset: ArrayLike) -> Automatic:
        """With an offset more, shape (n_superpixels, 2); ValueError if it has another shape or holds NaN."""
        shape = self.guided.view.description.superpixels.n_superpixels, 2
        # A copy: what follows does not change with an array of its caller's.
        added = np.array(offset, np.float32)
        # A single NaN would spread over the whole photograph in the solve.
        if added.shape != shape or not np.isfinite(added).all():
            got = "NaN or infinity" if added.shape == shape else f"shape {added.shape}"
            raise ValueError(f"offset must be {shape} finite numbers, got {got}")
        return replace(self, offset=added if self.offset is None else self.offset + added)

    def stepped(self, step: NDArray[np.float64]) -> Automatic:
        """With an alternative chosen (`colorize.guidance.alternatives.step_to`), after those chosen before."""
        return replace(self, chosen=step if self.chosen is None else self.chosen + step)

    def region_ab(self, vividness: float) -> Float32:
        """Colours of the regions before their parts are moved, shape (n_superpixels, 2)."""
        ab = self.guided.decision.ab(vividness)
        return ab if self.offset is None else ab + self.offset

    @property
    def moves_parts(self) -> bool:
        """Whether references or a chosen alternative change the colours of parts."""
        return self.chosen is not None or self.guided.references is not None

    def part_shift(self, part_ab: Float32, vividness: float) -> NDArray[np.float64]:
        """What they change in such colours of the parts, shape (n_parts, 2)."""
        learnt = self.guided.learnt(part_ab, vividness)
        return learnt if self.chosen is None else self.chosen + learnt

    def rough_prior(self, vividness: float = 0.0) -> Belief:
        """What is believed about the parts before any hint, as far as it can be told without pixels."""
        part_ab = self.guided.view.over_parts(self.region_ab(vividness))
        return self.guided.belief((part_ab + self.part_shift(part_ab, vividness)).astype(np.float32))
