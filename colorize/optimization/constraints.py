"""What a propagation is given besides the photograph: wishes and certainties, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from colorize.optimization import upsampling
from colorize.types import Bool, Float32, GrayImage, as_array


@dataclass(frozen=True, eq=False)
class Constraints:
    """Wishes and certainties for every pixel, as `colorize.optimization.propagate` takes them; made by `checked`."""

    target_ab: Float32
    weight: Float32
    is_known: Bool | None
    known_ab: Float32 | None

    @classmethod
    def checked(
        cls,
        shape: tuple[int, int],
        target_ab: Float32,
        weight: Float32,
        is_known: Bool | None,
        known_ab: Float32 | None,
    ) -> Constraints:
        """Constraints for a photograph of a shape, or a ValueError that names what is wrong with them."""
        weight = as_array("weight", weight, np.float32)
        if weight.shape != shape:
            raise ValueError(f"weight must have the shape of lightness, {shape}, got {weight.shape}")
        if not (np.isfinite(weight).all() and weight.min() >= 0):
            raise ValueError("weight must be finite and at least 0 everywhere")
        target_ab = checked_colors("target_ab", target_ab, shape)
        if (is_known is None) != (known_ab is None):
            raise ValueError("is_known and known_ab belong together: give both or neither")
        if is_known is not None and known_ab is not None:
            is_known = as_array("is_known", is_known, bool)
            if is_known.shape != shape:
                raise ValueError(f"is_known must have the shape of lightness, {shape}, got {is_known.shape}")
            known_ab = checked_colors("known_ab", known_ab, shape)
        # Without any constraint every constant field is a solution: the matrix is singular.
        if not (weight > 0).any() and (is_known is None or not is_known.any()):
            raise ValueError(
                "nothing to propagate: weight is 0 everywhere and is_known marks no pixel; add a wish or a hint"
            )
        return cls(target_ab, weight, is_known, known_ab)

    def shrunk(self, shape: tuple[int, int]) -> Constraints:
        """The same on a smaller grid: means of the colours; a cell with a certain pixel is certain.

        Confidences add up. The smoothness term does not change with the grid (in two dimensions the squared step grows
        as the number of steps falls), so only the sum keeps the balance of the two.
        """
        if shape == self.weight.shape:
            return self
        cell = self.weight.size / (shape[0] * shape[1])
        target_ab, mean_weight = upsampling.weighted_shrink(self.target_ab, self.weight, shape)
        small = replace(self, target_ab=target_ab, weight=mean_weight * np.float32(cell))
        if self.is_known is None or self.known_ab is None:
            return small
        marks = self.is_known.astype(np.float32)
        known_ab, share = upsampling.weighted_shrink(self.known_ab, marks, shape)
        return replace(small, is_known=share > 0, known_ab=known_ab)

    def limits(self) -> list[tuple[float, float]]:
        """Lowest and highest a*, and b*, of all wishes and certainties."""
        pairs = [(self.target_ab, self.weight > 0)]
        if self.is_known is not None and self.known_ab is not None:
            pairs.append((self.known_ab, self.is_known))
        found = []
        for channel in range(2):
            lows = [float(ab[..., channel].min(where=where, initial=np.inf)) for ab, where in pairs]
            highs = [float(ab[..., channel].max(where=where, initial=-np.inf)) for ab, where in pairs]
            found.append((min(lows), max(highs)))
        return found


def checked_lightness(lightness: Float32) -> Float32:
    """A lightness as float32, or an error that says why it is none."""
    if isinstance(lightness, GrayImage):
        raise TypeError("lightness must be an array, got a GrayImage; its .lightness is one")
    lightness = as_array("lightness", lightness, np.float32)
    if lightness.ndim != 2 or lightness.size == 0:
        raise ValueError(f"lightness must be (H, W) with at least one pixel, got shape {lightness.shape}")
    low, high = float(lightness.min()), float(lightness.max())
    # One that was made smaller may overshoot a little; NaN is caught, too.
    if not (low >= -1 and high <= 101):
        raise ValueError(
            f"lightness must be L* in [0, 100], got values from {low:g} to {high:g}; colorize.to_gray(photo).lightness "
            "is that of a photograph"
        )
    return lightness


def checked_colors(name: str, ab: ArrayLike, shape: tuple[int, int]) -> Float32:
    """Colours as float32; refused if they are not of a photograph of this shape, or not numbers."""
    ab = as_array(name, ab, np.float32)
    if ab.shape != (*shape, 2):
        raise ValueError(f"{name} must have shape {(*shape, 2)}, got {ab.shape}")
    if not np.isfinite(ab).all():
        raise ValueError(f"{name} must be finite everywhere; it holds NaN or infinity")
    return ab
