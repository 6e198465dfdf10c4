"""Reference photographs: "it should look like this one".

A reference says two things. Which colours its kind of photograph has, more and less than the model expects: that
re-weighs the palette. And which colour goes with which look: regions that resemble regions of the reference take over
their colours. Both fade where nothing in the reference is similar. References are picked by a person; picked by a
program, they were measured to do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.color import rgb_to_lab, to_gray
from colorize.dataset import has_colors
from colorize.exceptions import InvalidImageError
from colorize.superpixels import region_means
from colorize.types import Float32, RgbImage

if TYPE_CHECKING:
    from colorize.colorizer import Colorizer

RARE = 0.003
"""Share of a photograph below which a colour counts as absent."""
TRUST = 0.5
"""Power of the re-weighing: 1 would believe that the photograph has the colours of the reference to the letter."""
LARGEST_SHARE = 0.7
"""What a perfectly similar region of the reference may say in a region's colour."""
ENOUGH = 0.01
"""Similar share of the reference at which it has half its say."""
WIDTH = 0.5
"""Distance of features, relative to their mean norm, at which likeness has fallen to 0.6."""


@dataclass(frozen=True, eq=False)
class References:
    """What reference photographs say, in a model's own terms.

    Attributes
    ----------
    features : ndarray, shape (m, n_components), float32
        Scaled features of all their regions.
    ab : ndarray, shape (m, 2), float32
        True colours of the regions.
    shares : ndarray, shape (m,), float32
        Share of each region in all references together.
    true_shares, predicted_shares : ndarray, shape (n_colors,), float32
        Share of each palette colour in the references, and what the model would have thought.
    """

    features: Float32
    ab: Float32
    shares: Float32
    true_shares: Float32
    predicted_shares: Float32

    def reweigh(self, probabilities: Float32, strength: float) -> Float32:
        """Probabilities, shape (n, n_colors), moved towards the colours that the references have."""
        ratio = (self.true_shares + RARE) / (self.predicted_shares + RARE)
        weighed = probabilities * ratio ** np.float32(TRUST * strength)
        return weighed / weighed.sum(axis=1, keepdims=True)

    def matched(self, features: Float32, strength: float) -> tuple[Float32, Float32]:
        """Colours of similar regions, shape (n, 2), and what they should count, shape (n,), 0..1."""
        scale = float(np.linalg.norm(self.features, axis=1) @ self.shares) * WIDTH
        squared = (features**2).sum(axis=1)[:, None] + (self.features**2).sum(axis=1)
        squared -= 2 * features @ self.features.T
        likeness = np.exp(-np.maximum(squared, 0) / (2 * scale**2)) * self.shares
        mass = likeness.sum(axis=1)
        ab = likeness @ self.ab / np.maximum(mass, 1e-12)[:, None]
        return ab, (strength * LARGEST_SHARE * mass / (mass + ENOUGH)).astype(np.float32)


def look_at(colorizer: Colorizer, photos: Sequence[RgbImage | NDArray]) -> References:
    """Describe reference photographs as a model sees them.

    Parameters
    ----------
    colorizer : Colorizer
        Fitted.
    photos : sequence of RgbImage or ndarray of shape (H, W, 3), uint8 or uint16
        At least one. sRGB.

    Returns
    -------
    References

    Raises
    ------
    InvalidImageError
        One is no photograph or has no colours.
    """
    parts = [_described(colorizer, number, photo) for number, photo in enumerate(photos)]
    features, ab, shares, probabilities = (np.concatenate(blocks) for blocks in zip(*parts, strict=True))
    shares = (shares / shares.sum()).astype(np.float32)
    palette = colorizer.palette_
    true_shares = np.bincount(palette.encode(ab), shares, minlength=len(palette.colors_))
    return References(features, ab, shares, true_shares.astype(np.float32), shares @ probabilities)


def _described(colorizer: Colorizer, number: int, photo: RgbImage | NDArray) -> tuple[Float32, ...]:
    photo = photo if isinstance(photo, RgbImage) else RgbImage(photo)
    if not has_colors(photo):
        raise InvalidImageError(f"references[{number}]: it is gray or toned; a reference must have colours to borrow")
    description = colorizer.describe(to_gray(photo))
    superpixels, values = description.superpixels, description.features.values
    ab = rgb_to_lab(photo.pixels)[..., 1:]
    if ab.shape[:2] != superpixels.shape:
        ab = cv2.resize(ab, superpixels.shape[::-1], interpolation=cv2.INTER_AREA)
    shares = superpixels.areas / superpixels.areas.sum()
    return (
        colorizer.scaler_.transform(values),
        region_means(ab, superpixels),
        shares,
        colorizer.region_probabilities(values),
    )
