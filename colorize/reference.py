"""Reference photographs: "it should look like this one".

A reference says two things. Which colours its kind of photograph has, and how much of each: the probabilities are drawn
towards them. And how the model errs on such a photograph: what it got wrong there is put right here, in
regions that look alike, by the same Gaussian process that hears hints, and less where nothing in the reference is
similar. References are picked by a person; picked by a program, they were measured to do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.belief import Appearance, learnt_elsewhere
from colorize.color import rgb_to_lab, to_gray
from colorize.dataset import has_colors
from colorize.decision import SHARING, toward_palette
from colorize.exceptions import InvalidImageError
from colorize.superpixels import region_means
from colorize.types import Float32, RgbImage, Superpixels

if TYPE_CHECKING:
    from colorize.colorizer import Colorizer, Description

TRUST = 0.4
"""How far the shares of colours are drawn towards those of the references; 1 would give about theirs."""
ALONE = 0.1
"""How far regions share evidence beside references, against without: sharing blurs what a reference tells apart."""


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
    palette : ndarray, shape (n_colors,), float32
        Share of each palette colour in the references.
    """

    photos: tuple[Reference, ...]
    palette: Float32

    def draw(self, probabilities: Float32, superpixels: Superpixels, strength: float) -> Float32:
        """Probabilities, shape (n, n_colors), drawn towards the colours that the references have."""
        return toward_palette(probabilities, superpixels, self.palette, strength=TRUST * strength)

    @staticmethod
    def sharing(strength: float) -> float:
        """How far regions share evidence beside references, the `reach` of `share_evidence`."""
        return float(SHARING * ALONE**strength)

    def correction(
        self, colorizer: Colorizer, appearance: Appearance, strength: float, vividness: float
    ) -> NDArray[np.float64]:
        """What to add to the automatic colours of regions of this appearance, shape (n, 2).

        Both the automatic colours here and those in the references are decided from drawn probabilities.
        """
        reach = self.sharing(strength)
        appearances, errors = [], []
        for photo in self.photos:
            drawn = self.draw(photo.probabilities, photo.description.superpixels, strength)
            appearances.append(colorizer.appearance(photo.description, drawn, reach=reach))
            found, _ = colorizer.decide(photo.description, drawn, vividness=vividness, reach=reach)
            errors.append(photo.ab - found)
        return strength * learnt_elsewhere(appearance, appearances, errors)


def look_at(colorizer: Colorizer, photos: Sequence[RgbImage | NDArray[Any]]) -> References:
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
    shares = [
        np.bincount(palette.encode(one.ab), one.description.superpixels.areas, minlength=len(palette.colors_))
        for one in seen
    ]
    return References(seen, np.mean([share / share.sum() for share in shares], axis=0, dtype=np.float32))


def _seen(colorizer: Colorizer, number: int, photo: RgbImage | NDArray[Any]) -> Reference:
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
