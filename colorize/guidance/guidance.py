"""What stays said about a photograph, and what its regions look like then.

No pixels here: see `colorize.guidance.canvas`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from colorize.features.superpixels import resize_labels
from colorize.guidance.alternatives import N_MODES
from colorize.guidance.hints import WantedColors
from colorize.guidance.references import References
from colorize.model import Model, View
from colorize.recognition.belief import Appearance, Belief, Observations, learnt_elsewhere, observe, prior
from colorize.recognition.decision import SHARING, TOWARD, Decision, dial, toward_palette
from colorize.recognition.things import Things
from colorize.types import Float32, GrayImage, Superpixels

# Drawing further lowers both mean errors and spoils more landscapes (docs/references.md).
TRUST = 0.45
"""How far the shares of colours are drawn towards those of the references; 1 would give about theirs."""
ALONE = 0.1
"""How far regions share evidence beside references, against without: sharing blurs what a reference tells apart."""
ENRICHMENT = 0.04
"""What colours gain in chroma beside references: what is learnt is an average, and averages are paler than things."""


@dataclass(frozen=True, eq=False)
class GuidedView:
    """A photograph as a model sees it, with what holds for it whatever is drawn on it.

    Nothing depends on its size in pixels, so one serves the preview and the large photograph. Everything is computed
    when it is first asked for, and once.

    Attributes
    ----------
    view : View
    references : References, optional
        Photographs that it should look like.
    reference_strength : float
        0 ignores them, 1 follows them.
    album : ndarray, shape (n_colors,), float32, optional
        Shares of the palette colours in its series.

    See Also
    --------
    colorize.model.View : The stage before: nothing said yet.
    colorize.guidance.references.look_at : Makes the references.
    colorize.guidance.session.Session : The stage after: adds pixels, hints, and what changes the colours since.
    """

    view: View
    references: References | None = None
    reference_strength: float = 1.0
    album: Float32 | None = None

    def __post_init__(self) -> None:
        wanted, n_colors = self.album, len(self.view.model.palette.colors_)
        if wanted is not None and (wanted.shape != (n_colors,) or not ((wanted >= 0) & (wanted <= 1)).all()):
            raise ValueError(f"palette must hold {n_colors} shares between 0 and 1")
        if self.references is not None and not all(_is_by(self.view.model, one.view) for one in self.references.photos):
            raise ValueError(
                "references are those of another model; look_at(model, photos) describes them for this one"
            )

    def __repr__(self) -> str:
        said = [name for name in ("references", "album") if getattr(self, name) is not None]
        return f"GuidedView({self.view!r}, guided by {' and '.join(said) or 'nothing'})"

    @property
    def sharing(self) -> float:
        """How far regions share evidence, as in `share_evidence`: less beside references."""
        # Geometric: equal steps of strength weaken the ties by equal factors.
        return SHARING if self.references is None else float(SHARING * ALONE**self.reference_strength)

    @cached_property
    def probabilities(self) -> Float32:
        """Of the palette colours in the regions, drawn towards references and album, (n_superpixels, n_colors)."""
        return self._drawn(self.view.probabilities, self.view.description.superpixels)

    @cached_property
    def part_probabilities(self) -> Float32:
        """Of the palette colours in the parts, shape (n_parts, n_colors)."""
        return self._drawn(self.view.part_probabilities, self.view.parts.superpixels)

    @cached_property
    def decision(self) -> Decision:
        """What is decided about the regions before any hint: probabilities, colours, confidence."""
        description = self.view.description
        return self.view.model.decide(description, self.probabilities, sharing=self.sharing)

    def learnt(self, part_ab: Float32, vividness: float) -> NDArray[np.float64]:
        """What references change in such automatic colours of the parts, shape (n_parts, 2); 0 without references."""
        if self._lesson is None:
            return np.zeros(part_ab.shape)
        true, faithful = self._lesson
        # A reference's automatic colours grow with the dial, its true ones do not: the bolder, the more
        # there is to take back.
        learnt = true - dial(vividness, self.view.model.gain) * faithful
        return self.reference_strength * (learnt + ENRICHMENT * (part_ab + learnt))

    def belief(self, part_ab: Float32) -> Belief:
        """What is believed about the parts, whose automatic colours, shape (n_parts, 2), are these, before any hint."""
        # The covariance, a dense matrix of all parts, does not depend on vividness; the mean alone is exchanged.
        return replace(self._prior, mean=part_ab.astype(np.float64))

    def observations(self, wanted: WantedColors, gray: GrayImage) -> Observations:
        """What wishes for pixels of the photograph at this size say about its parts."""
        parts = self.view.parts
        labels = resize_labels(parts.superpixels, gray.shape)
        said = wanted.is_known, wanted.ab, wanted.reach
        return observe(self.things, labels, parts.region_lightness, gray.lightness, *said)

    @cached_property
    def things(self) -> Things:
        """Which parts are of one thing."""
        palette = self.view.model.palette.colors_
        return Things.of(self._appearance.points, self.view.parts.superpixels, self.part_probabilities, palette)

    @cached_property
    def modes(self) -> list[NDArray[np.float64]]:
        """The likeliest changes of the whole photograph, see `Belief.modes`."""
        # Kept, because these are the eigenvectors of a dense matrix, for nine pictures and every choice.
        return self._prior.modes(N_MODES)

    def _drawn(self, probabilities: Float32, superpixels: Superpixels) -> Float32:
        """Probabilities drawn towards the colours of references and album, shape (n, n_colors)."""
        if self.references is not None:
            strength = TRUST * self.reference_strength
            probabilities = toward_palette(probabilities, superpixels, self.references.palette, strength=strength)
        if self.album is not None:
            probabilities = toward_palette(probabilities, superpixels, self.album, strength=TOWARD)
        return probabilities

    @cached_property
    def _appearance(self) -> Appearance:
        return self.view.model.appearance(self.view.parts, self.part_probabilities, sharing=self.sharing)

    @cached_property
    def _prior(self) -> Belief:
        parts = self.view.parts
        # Whoever asks brings the mean: it is the part that changes.
        nothing = np.zeros((parts.superpixels.n_superpixels, 2))
        believed = prior(nothing, self._appearance, self.things, parts.superpixels, parts.region_lightness)
        # Sessions hand these out, and go on with them.
        for values in (believed.deviation, believed.correlation, believed.areas, believed.apart):
            values.flags.writeable = False
        return believed

    @cached_property
    def _lesson(self) -> NDArray[np.float64] | None:
        """What follows from the true and from the faithful colours of the references, shape (2, n_parts, 2)."""
        if self.references is None:
            return None
        # A reference is judged as the photograph is, drawn and shared alike: its errors are those that will be made
        # here. They are its true colours minus the faithful ones times the dial, and what follows from errors is
        # linear in them: both terms are carried over once, for every vividness.
        photos = self.references.photos
        judged = [replace(self, view=photo.view, album=None) for photo in photos]
        errors = [
            np.stack([photo.ab, seen.view.over_parts(seen.decision.faithful_ab)], axis=1)
            for photo, seen in zip(photos, judged, strict=True)
        ]
        learnt = learnt_elsewhere(self._appearance, [seen._appearance for seen in judged], errors)
        return np.moveaxis(learnt, 1, 0)


def _is_by(model: Model, seen: View) -> bool:
    """Whether a photograph was seen by a model that knows these colours and features; it may be a copy."""
    other = seen.model
    return np.array_equal(model.palette.colors_, other.palette.colors_) and np.array_equal(
        model.scaler.mean_, other.scaler.mean_
    )
