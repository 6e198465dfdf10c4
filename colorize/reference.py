"""Reference photographs: "it should look like this one".

A reference says two things. Which colours its kind of photograph has, and how much of each: the probabilities are drawn
towards them. And how the model errs on such a photograph: what it got wrong there is put right here, in
regions that look alike, by the same Gaussian process that hears hints, and less where nothing in the reference is
similar. References are picked by a person; picked by a program, they were measured to do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.belief import Appearance, learnt_elsewhere
from colorize.color import rgb_to_lab, to_gray
from colorize.dataset import has_colors
from colorize.decision import SHARING, toward_palette
from colorize.exceptions import InvalidImageError
from colorize.model import Description, Model
from colorize.superpixels import region_means
from colorize.types import Float32, RgbImage

TRUST = 0.45
"""How far the shares of colours are drawn towards those of the references; 1 would give about theirs."""
ALONE = 0.1
"""How far regions share evidence beside references, against without: sharing blurs what a reference tells apart."""
GAIN = 0.04
"""What colours gain in chroma beside references: what is learnt is an average, and averages are paler than things."""


@dataclass(frozen=True, eq=False)
class Reference:
    """One reference photograph as a model sees it.

    Attributes
    ----------
    regions : Description
        Those that the model colours.
    probabilities : ndarray, shape (n_regions, n_colors), float32
        What the model thinks of them.
    parts : Description
        The smaller ones that are compared with the parts of another photograph.
    part_probabilities : ndarray, shape (n_parts, n_colors), float32
        What the model thinks of them.
    ab : ndarray, shape (n_parts, 2), float32
        Their true colours.
    """

    regions: Description
    probabilities: Float32
    parts: Description
    part_probabilities: Float32
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

    def pull(self, strength: float) -> tuple[Float32, float]:
        """Shares of the palette colours, and how strongly photographs are drawn towards them (`toward_palette`)."""
        return self.palette, TRUST * strength

    @staticmethod
    def sharing(strength: float) -> float:
        """How far regions share evidence beside references, the `reach` of `share_evidence`."""
        return float(SHARING * ALONE**strength)

    def correction(
        self, model: Model, looks: Appearance, part_ab: Float32, strength: float, vividness: float
    ) -> NDArray[np.float64]:
        """What to add to the automatic colours of parts that look like this, shape (n_parts, 2).

        Both those colours, `part_ab`, and those in the references are decided from drawn probabilities.
        """
        wanted, pull = self.pull(strength)
        reach = self.sharing(strength)
        others, errors = [], []
        for photo in self.photos:
            regions, parts = photo.regions.superpixels, photo.parts.superpixels
            drawn = toward_palette(photo.probabilities, regions, wanted, strength=pull)
            found, _ = model.decide(photo.regions, drawn, vividness=vividness, reach=reach)
            errors.append(photo.ab - region_means(found[regions.labels], parts))
            drawn = toward_palette(photo.part_probabilities, parts, wanted, strength=pull)
            others.append(model.appearance(photo.parts, drawn, reach=reach))
        learnt = learnt_elsewhere(looks, others, errors)
        return strength * (learnt + GAIN * (part_ab + learnt))


def look_at(model: Model, photos: Sequence[RgbImage | NDArray[Any]]) -> References:
    """Describe reference photographs as a model sees them.

    Parameters
    ----------
    model : Model
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
    seen = tuple(_seen(model, number, photo) for number, photo in enumerate(photos))
    palette = model.palette
    shares = [
        np.bincount(palette.encode(one.ab), one.parts.superpixels.areas, minlength=len(palette.colors_)) for one in seen
    ]
    return References(seen, np.mean([share / share.sum() for share in shares], axis=0, dtype=np.float32))


def _seen(model: Model, number: int, photo: RgbImage | NDArray[Any]) -> Reference:
    photo = photo if isinstance(photo, RgbImage) else RgbImage(photo)
    if not has_colors(photo):
        raise InvalidImageError(f"references[{number}]: gray or toned; a reference must have colours to borrow")
    regions = model.describe(to_gray(photo))
    parts = model.describe_parts(regions)
    ab = rgb_to_lab(photo.pixels)[..., 1:]
    if ab.shape[:2] != parts.superpixels.shape:
        ab = cv2.resize(ab, parts.superpixels.shape[::-1], interpolation=cv2.INTER_AREA)
    probabilities, part_probabilities = (model.region_probabilities(one.features.values) for one in (regions, parts))
    return Reference(regions, probabilities, parts, part_probabilities, region_means(ab, parts.superpixels))
