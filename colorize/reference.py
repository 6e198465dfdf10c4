"""Reference photographs: "it should look like this one".

A reference says two things. Which colours its kind of photograph has, more and less than the model expects: that
re-weighs the palette. And how the model errs on such a photograph: what it got wrong there is put right here, in
regions that look alike, by the same Gaussian process that hears hints. Both fade where nothing in the reference is
similar. References are picked by a person; picked by a program, they were measured to do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.belief import Appearance, learnt_elsewhere
from colorize.color import rgb_to_lab, to_gray
from colorize.dataset import has_colors
from colorize.exceptions import InvalidImageError
from colorize.superpixels import region_means
from colorize.types import Float32, RgbImage

if TYPE_CHECKING:
    from colorize.colorizer import Colorizer, Description

RARE = 0.003
"""Share of a photograph below which a colour counts as absent."""
TRUST = 0.5
"""Power of the re-weighing: 1 would believe that the photograph has the colours of the reference to the letter."""


@dataclass(frozen=True, eq=False)
class Reference:
    """One reference photograph as a model sees it.

    Attributes
    ----------
    description : Description
    probabilities : ndarray, shape (m, n_colors), float32
        What the model thinks of its regions.
    ab : ndarray, shape (m, 2), float32
        True colours of its regions.
    """

    description: Description
    probabilities: Float32
    ab: Float32


@dataclass(frozen=True, eq=False)
class References:
    """Reference photographs and what follows from them for another one.

    Attributes
    ----------
    photos : tuple of Reference
    ratio : ndarray, shape (n_colors,), float32
        True share of each palette colour in the references, against the share that the model expected.
    """

    photos: tuple[Reference, ...]
    ratio: Float32

    def reweigh(self, probabilities: Float32, strength: float) -> Float32:
        """Probabilities, shape (n, n_colors), moved towards the colours that the references have."""
        weighed = probabilities * self.ratio ** np.float32(TRUST * strength)
        return weighed / weighed.sum(axis=1, keepdims=True)

    def correction(
        self, colorizer: Colorizer, appearance: Appearance, strength: float, vividness: float
    ) -> NDArray[np.float64]:
        """What to add to the automatic colours of regions of this appearance, shape (n, 2).

        Both the automatic colours here and those in the references are decided from re-weighed probabilities.
        """
        appearances, errors = [], []
        for photo in self.photos:
            weighed = self.reweigh(photo.probabilities, strength)
            appearances.append(colorizer.appearance(photo.description, weighed))
            errors.append(photo.ab - colorizer.decide(photo.description, weighed, vividness=vividness)[0])
        return strength * learnt_elsewhere(appearance, appearances, errors)


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
    seen = tuple(_seen(colorizer, number, photo) for number, photo in enumerate(photos))
    palette = colorizer.palette_
    n = len(palette.colors_)
    true, expected = np.zeros(n), np.zeros(n)
    for one in seen:
        areas = one.description.superpixels.areas
        shares = areas / areas.sum()
        true += np.bincount(palette.encode(one.ab), shares, minlength=n) / len(seen)
        expected += shares @ one.probabilities / len(seen)
    return References(seen, ((true + RARE) / (expected + RARE)).astype(np.float32))


def _seen(colorizer: Colorizer, number: int, photo: RgbImage | NDArray) -> Reference:
    photo = photo if isinstance(photo, RgbImage) else RgbImage(photo)
    if not has_colors(photo):
        raise InvalidImageError(f"references[{number}]: gray or toned; a reference must have colours to borrow")
    description = colorizer.describe(to_gray(photo))
    superpixels = description.superpixels
    ab = rgb_to_lab(photo.pixels)[..., 1:]
    if ab.shape[:2] != superpixels.shape:
        ab = cv2.resize(ab, superpixels.shape[::-1], interpolation=cv2.INTER_AREA)
    probabilities = colorizer.region_probabilities(description.features.values)
    return Reference(description, probabilities, region_means(ab, superpixels))
