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

import numpy as np
from numpy.typing import NDArray

from colorize._support.shrink import shrink_to
from colorize.color import rgb_to_lab, to_gray
from colorize.exceptions import InvalidImageError
from colorize.features.superpixels import region_means
from colorize.model import Model, View, as_rgb_image, check_several
from colorize.training.dataset import has_colors
from colorize.types import Float32, RgbImage


@dataclass(frozen=True, eq=False)
class Reference:
    """One reference photograph as a model sees it.

    Attributes
    ----------
    view : View
    ab : ndarray, shape (n_parts, 2), float32
        True colours of its parts.
    """

    view: View
    ab: Float32


@dataclass(frozen=True, eq=False)
class References:
    """Reference photographs and what follows from them for another one.

    Attributes
    ----------
    photos : tuple of Reference
    palette : ndarray, shape (n_colors,), float32
        Share of each palette colour in the references.

    See Also
    --------
    look_at : Makes them.
    colorize.guidance.guidance.GuidedView : Holds them for a photograph.
    """

    photos: tuple[Reference, ...]
    palette: Float32

    def __repr__(self) -> str:
        n_parts = sum(len(photo.ab) for photo in self.photos)
        return f"References({len(self.photos)} photographs, {n_parts} parts, {len(self.palette)} colours)"


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
    TypeError
        `photos` is no sequence.
    ValueError
        There are none.

    See Also
    --------
    colorize.guidance.session.Session : Takes them as guidance.
    """
    check_several(photos, "references")
    if not len(photos):
        raise ValueError("references must be at least one photograph")
    seen = tuple(_seen(model, number, photo) for number, photo in enumerate(photos))
    palette = model.palette
    shares = [
        np.bincount(palette.encode(one.ab), one.view.parts.superpixels.areas, minlength=len(palette.colors_))
        for one in seen
    ]
    # References count alike, whatever their number of parts and pixels.
    return References(seen, np.mean([share / share.sum() for share in shares], axis=0, dtype=np.float32))


def _seen(model: Model, number: int, photo: RgbImage | NDArray[Any]) -> Reference:
    photo = as_rgb_image(photo, number, "references")
    # Obeyed, a gray reference would take the colour out of everything.
    if not has_colors(photo):
        raise InvalidImageError(f"references[{number}]: gray or toned; a reference must have colours to borrow")
    view = model.look(to_gray(photo))
    parts = view.parts.superpixels
    return Reference(view, region_means(shrink_to(rgb_to_lab(photo.pixels)[..., 1:], parts.shape), parts))
