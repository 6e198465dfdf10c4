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

from colorize.color import rgb_to_lab, to_gray
from colorize.exceptions import InvalidImageError
from colorize.features.superpixels import region_means
from colorize.model import Model, View
from colorize.recognition.belief import Appearance, learnt_elsewhere
from colorize.recognition.decision import SHARING, dial, toward_palette
from colorize.training.dataset import has_colors
from colorize.types import Float32, RgbImage

# Drawing further lowers both mean errors and spoils more landscapes (docs/references.md).
TRUST = 0.45
"""How far the shares of colours are drawn towards those of the references; 1 would give about theirs."""
ALONE = 0.1
"""How far regions share evidence beside references, against without: sharing blurs what a reference tells apart."""
ENRICHMENT = 0.04
"""What colours gain in chroma beside references: what is learnt is an average, and averages are paler than things."""


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
class Lesson:
    """What references teach about one photograph, at every vividness.

    The errors seen in a reference are its true colours minus the faithful ones times the dial, and what follows from
    errors is linear in them: so both terms are carried over once.

    Attributes
    ----------
    true, faithful : ndarray, shape (n_parts, 2), float64
        What follows from the true and from the faithful colours of the references.
    strength : float
        0..1.
    gain : float
        Of the model, as in `colorize.recognition.decision.dial`.

    See Also
    --------
    References.lesson : Makes it.
    colorize.recognition.belief.learnt_elsewhere : The Gaussian process inside.
    """

    true: NDArray[np.float64]
    faithful: NDArray[np.float64]
    strength: float
    gain: float

    def correction(self, part_ab: Float32, vividness: float) -> NDArray[np.float64]:
        """What to add to the automatic colours of the parts, shape (n_parts, 2)."""
        # A reference's automatic colours grow with the dial, its true ones do not: the bolder, the more
        # there is to take back.
        learnt = self.true - dial(vividness, self.gain) * self.faithful
        return self.strength * (learnt + ENRICHMENT * (part_ab + learnt))


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
    colorize.guidance.guidance.Guidance : Holds them for a photograph.
    """

    photos: tuple[Reference, ...]
    palette: Float32

    def __repr__(self) -> str:
        n_parts = sum(len(photo.ab) for photo in self.photos)
        return f"References({len(self.photos)} photographs, {n_parts} parts, {len(self.palette)} colours)"

    def pull(self, strength: float) -> tuple[Float32, float]:
        """Shares of the palette colours, and how strongly photographs are drawn towards them (`toward_palette`)."""
        return self.palette, TRUST * strength

    @staticmethod
    def sharing(strength: float) -> float:
        """How far regions share evidence beside references, as in `share_evidence`."""
        # Geometric: equal steps of strength weaken the ties by equal factors.
        return float(SHARING * ALONE**strength)

    def lesson(self, looks: Appearance, strength: float) -> Lesson:
        """What the references teach about a photograph whose parts look like this.

        Its colours and those in the references are decided from probabilities drawn alike.
        """
        wanted, pull = self.pull(strength)
        sharing = self.sharing(strength)
        others, errors = [], []
        for photo in self.photos:
            view = photo.view
            model, regions, parts = view.model, view.description, view.parts
            # A reference is judged as the photograph is, drawn and shared alike: its errors are those that
            # will be made there.
            drawn = toward_palette(view.probabilities, regions.superpixels, wanted, strength=pull)
            faithful_ab = model.decide(regions, drawn, sharing=sharing).faithful_ab
            errors.append(np.stack([photo.ab, view.over_parts(faithful_ab)], axis=1))
            drawn = toward_palette(view.part_probabilities, parts.superpixels, wanted, strength=pull)
            others.append(model.appearance(parts, drawn, sharing=sharing))
        # One call for both columns: the costly factor does not depend on what is carried over.
        learnt = learnt_elsewhere(looks, others, errors)
        return Lesson(learnt[:, 0], learnt[:, 1], strength, self.photos[0].view.model.gain)


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

    See Also
    --------
    colorize.guidance.session.Session : Takes them as guidance.
    """
    seen = tuple(_seen(model, number, photo) for number, photo in enumerate(photos))
    palette = model.palette
    shares = [
        np.bincount(palette.encode(one.ab), one.view.parts.superpixels.areas, minlength=len(palette.colors_))
        for one in seen
    ]
    # References count alike, whatever their number of parts and pixels.
    return References(seen, np.mean([share / share.sum() for share in shares], axis=0, dtype=np.float32))


def _seen(model: Model, number: int, photo: RgbImage | NDArray[Any]) -> Reference:
    photo = photo if isinstance(photo, RgbImage) else RgbImage(photo)
    # Obeyed, a gray reference would take the colour out of everything.
    if not has_colors(photo):
        raise InvalidImageError(f"references[{number}]: gray or toned; a reference must have colours to borrow")
    view = model.look(to_gray(photo))
    parts = view.parts.superpixels
    ab = rgb_to_lab(photo.pixels)[..., 1:]
    if ab.shape[:2] != parts.shape:
        ab = cv2.resize(ab, parts.shape[::-1], interpolation=cv2.INTER_AREA)
    return Reference(view, region_means(ab, parts))
