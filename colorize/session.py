"""A session: one photograph, described once, coloured many times as somebody says more about it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize._clock import Clock
from colorize.belief import Appearance, Belief, hint_noise, prior
from colorize.color import lab_to_rgb, map_to_gamut, rgb_to_lab
from colorize.decision import NEAR, SHARING, TOWARD, toward_palette
from colorize.hints import REACHES, HintPixels, Hints
from colorize.model import Description, Model
from colorize.optimization import Propagation, Propagator
from colorize.reference import References
from colorize.superpixels import region_means, resize_labels
from colorize.types import ColorField, Colorization, Float32, GrayImage, RgbImage, Superpixels

Pull = tuple[Float32, float]
"""Shares of the palette colours, shape (n_colors,), and how strongly probabilities are drawn towards them."""

Observations = tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]
"""Parts, their ab, noise and reach, all of length m."""

MOODS = {"colder": (-0.1, -1.1), "warmer": (0.55, 1.15), "greener": (-0.8, 0.65), "rosier": (0.65, -0.45)}
"""Steps from a picture to its alternatives: standard deviations of the photograph along the likeliest change of a* and
of b*. Fitted so that the best of the five pictures comes close to the truth."""

FIRM, FIRM_AROUND = 30.0, 3.0
"""Pull of colours on the pixels of a thing and around it, where the usual one is 1: so it ends within a few pixels."""

_LEVELS = 2  # changes of the photograph that are likely enough to be shown
N_ALTERNATIVES = 1 + _LEVELS * len(MOODS)
"""Most alternatives that are made of one photograph: the moods along the likeliest change, then along the second."""

_DEEP = 8  # pixels of the working resolution that are deep enough inside a region to click on
_APART = 12.0  # ab between two colours that are offered side by side


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A place worth clicking.

    Attributes
    ----------
    row, col : int
        Pixel of the photograph, well inside its region.
    label : int
        Number of the region.
    colors : ndarray, shape (m, 3), uint8
        The likeliest colours, sRGB at the lightness of that pixel's region, 1 to 5 of them, likeliest first.
    ab : ndarray, shape (m, 2), float32
        Their a* and b*.
    probabilities : ndarray, shape (m,), float32
        How likely each is; what is left to 1 is spread over the colours not shown.
    """

    row: int
    col: int
    label: int
    colors: NDArray[np.uint8]
    ab: Float32
    probabilities: Float32


@dataclass(frozen=True, eq=False)
class _Automatic:
    """What is made of the photograph at one vividness, before any hint."""

    region_ab: Float32
    confidence: Float32
    spread: Propagation


class Session:
    """One photograph and what is known about it. Made by `Colorizer.open`.

    Nothing that is asked of a session changes it: every answer depends on the arguments alone.

    Attributes
    ----------
    model : Model
    gray : GrayImage
    description : Description
        The regions that the model colours, and their features.
    parts : Description
        The smaller regions that hints, references and alternatives speak about. Made when they are first needed.
    probabilities : ndarray, shape (n_superpixels, n_colors), float32
        Calibrated probabilities of the palette colours, drawn towards the colours of the references if there are any.
    sharing : float
        How far regions share evidence, the `reach` of `share_evidence`: less beside references.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> from colorize.colorizer import Colorizer
    >>> from colorize.hints import Hints, Mark
    >>> photos = [picture[::4, ::4] for picture in load_sample_images().images]
    >>> session = Colorizer(n_colors=6, n_superpixels=60).fit(photos).open(photos[0])
    >>> red = Hints(session.gray.shape, (Mark("point", [[50, 80]], (200, 30, 30)),))
    >>> before, after = session.colorize(), session.with_hints(red)
    >>> bool(after.ab[50, 80, 0] > before.ab[50, 80, 0] + 10)
    True
    """

    def __init__(
        self,
        model: Model,
        gray: GrayImage,
        description: Description,
        probabilities: Float32,
        clock: Clock,
        references: References | None = None,
        reference_strength: float = 1.0,
    ) -> None:
        self.model = model
        self.gray = gray
        self.description = description
        self.sharing = SHARING if references is None else references.sharing(reference_strength)
        self._references = references, reference_strength
        self._pulls: tuple[Pull, ...] = () if references is None else (references.pull(reference_strength),)
        self.probabilities = self._drawn(probabilities, description.superpixels)
        self._opening = clock.seconds
        self._offset: Float32 | None = None  # a refiner's, added to the automatic colours of the regions
        self._chosen: NDArray[np.float64] | None = None  # the alternative gone on from, added to those of the parts
        self._automatic_at: tuple[float, _Automatic] | None = None
        self._directions_after: tuple[Hints | None, list[NDArray[np.float64]]] | None = None

    def __repr__(self) -> str:
        height, width = self.gray.shape
        return f"Session({width}x{height} pixels, {self.description.superpixels.n_superpixels} regions)"

    def colorize(self, vividness: float = 0.5) -> Colorization:
        """Colorize without hints; see `Colorizer.predict`, which is this."""
        clock = Clock(self._opening)
        found = self._automatic(vividness, clock)
        return self._finished(found, clock)

    def with_hints(self, hints: Hints, vividness: float = 0.5) -> Colorization:
        """Colorize with hints: exact where they are, and heard as far as they reach.

        Parameters
        ----------
        hints : Hints
            Drawn on this photograph, or on one of the same aspect ratio. Wishes that sRGB cannot show at the
            photograph's lightness lose chroma.
        vividness : float
            As in `Colorizer.predict`; of what is not hinted.

        Returns
        -------
        Colorization
            Its ``notes`` tell what could not be done as asked.

        Raises
        ------
        HintsError
            The hints are for another photograph, or none lies on it.
        ValueError
            `vividness` is outside [0, 1].
        """
        return self._colored(hints, vividness, 0)

    def suggest(self, n: int = 5, hints: Hints | None = None) -> list[Suggestion]:
        """Places where a hint would tell most about the photograph, the best first.

        Parameters
        ----------
        n : int
            Number of places.
        hints : Hints, optional
            What has been said already.

        Returns
        -------
        list of Suggestion
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n!r}")
        # A click tells about a thing, so it is chosen among regions: parts were the worse choice.
        areas = self._superpixels.areas / self._superpixels.areas.sum(dtype=np.float64)
        belief = self.prior(0.0)
        before = after = belief.merged(self._parts_of_regions, areas)
        if hints is not None:
            after = belief.told(*self.observations(hints)).merged(self._parts_of_regions, areas)
        return [self._suggestion(region, before, after) for region in after.telling(n)]

    def alternatives(self, n: int = 5, hints: Hints | None = None, vividness: float = 0.5) -> list[Colorization]:
        """Make n whole, coherent, visibly different pictures.

        The first is the usual one; the others are steps (`MOODS`) along the changes of the whole photograph that the
        present uncertainty makes likeliest (`Belief.directions`).

        Parameters
        ----------
        n : int
            1 to 9.
        hints : Hints, optional
            What has been said already: all pictures obey it.
        vividness : float
            As in `Colorizer.predict`.

        Returns
        -------
        list of Colorization
        """
        if not 1 <= n <= N_ALTERNATIVES:
            raise ValueError(f"n must be in 1..{N_ALTERNATIVES}, got {n!r}")
        return [self._colored(hints, vividness, number) for number in range(n)]

    def choose(self, number: int, hints: Hints | None = None) -> Session:
        """Go on from an alternative.

        Parameters
        ----------
        number : int
            Place in the list that `alternatives` gave, from 0.
        hints : Hints, optional
            Those that the alternatives were made with.

        Returns
        -------
        Session
            A new session with that alternative as its automatic colours; hints, suggestions and alternatives of its
            own start there.
        """
        if not 0 <= number < N_ALTERNATIVES:
            raise ValueError(f"number must be in 0..{N_ALTERNATIVES - 1}, got {number!r}")
        step = self._step(number, hints)
        other = copy(self)
        other._automatic_at = None
        other._chosen = step if self._chosen is None else self._chosen + step
        return other

    def shifted(self, offset: Float32) -> Session:
        """Go on with other automatic colours.

        Parameters
        ----------
        offset : ndarray, shape (n_superpixels, 2), float32
            What is added to a* and b* of every region, at every vividness.

        Returns
        -------
        Session
            A new session; hints, suggestions and alternatives of its own start from the shifted colours.

        Raises
        ------
        ValueError
            `offset` has another shape, or holds NaN.
        """
        if offset.shape != (self._superpixels.n_superpixels, 2) or not np.isfinite(offset).all():
            raise ValueError(
                f"offset must be {(self._superpixels.n_superpixels, 2)} finite numbers, got shape {offset.shape}"
            )
        other = copy(self)
        other._automatic_at = None
        other._offset = offset if self._offset is None else self._offset + offset
        return other

    def at_size(self, gray: GrayImage) -> Session:
        """Go on with the same photograph at another size: tried out small, made large.

        Regions, probabilities, and what was chosen stay those of this session, so the colours do too; only their
        spreading to pixels and the hinted pixels are of the new size.

        Parameters
        ----------
        gray : GrayImage
            The photograph at the other size.

        Returns
        -------
        Session
        """
        other = copy(self)
        other.gray, other._automatic_at, other._directions_after = gray, None, None
        for name in ("_part_labels", "_weight", "_propagator"):  # those that were made for the pixels
            other.__dict__.pop(name, None)
        return other

    def in_album(self, palette: Sequence[float]) -> Session:
        """Go on with the colours of an album.

        Parameters
        ----------
        palette : sequence of float
            As in `Colorizer.predict`.

        Returns
        -------
        Session
            A new session whose probabilities are drawn towards the colours of the album.

        Raises
        ------
        ValueError
            `palette` has not one share, 0 to 1, per palette colour.
        """
        wanted, n_colors = np.asarray(palette, np.float32), self.probabilities.shape[1]
        if wanted.shape != (n_colors,) or not ((wanted >= 0) & (wanted <= 1)).all():
            raise ValueError(f"palette must hold {n_colors} shares between 0 and 1")
        other = copy(self)
        other._pulls = (*self._pulls, (wanted, TOWARD))
        other.probabilities = toward_palette(self.probabilities, self._superpixels, wanted, strength=TOWARD)
        other._automatic_at, other._directions_after = None, None
        for name in ("_part_probabilities", "_appearance", "_prior_at_zero"):  # those that follow the probabilities
            other.__dict__.pop(name, None)
        return other

    def _colored(self, hints: Hints | None, vividness: float, number: int) -> Colorization:
        """Colorize with hints as an alternative; number 0 is the usual one."""
        if hints is None and number == 0:
            return self.colorize(vividness)
        clock = Clock()
        found = self._automatic(vividness, clock)
        is_known, residual_ab, own, certainty = None, None, None, None
        notes: tuple[str, ...] = ()
        with clock("belief"):
            before = belief = self._prior(found)
            if hints is not None:
                pixels, known_ab, notes = self._pixels(hints)
                belief, is_known = belief.told(*self._observed(pixels, known_ab)), pixels.is_known
                residual_ab = known_ab - found.spread.ab
                own = self._own_change(belief.apart, before.mean, found)
                certainty = belief.within(NEAR).astype(np.float32)
            shift = belief.mean + self._step(number, hints) - before.mean
        with clock("propagation"):
            shifted = self._shifted(found, shift, is_known, residual_ab, own)
        if certainty is not None:
            shifted = replace(shifted, confidence=smooth_map(certainty, self.parts.superpixels, self.gray.shape))
        return self._finished(shifted, clock, notes=notes)

    def _automatic(self, vividness: float, clock: Clock) -> _Automatic:
        """The colours before any hint; those of the last vividness asked for are kept."""
        if self._automatic_at is None or self._automatic_at[0] != vividness:
            with clock("decision"):
                region_ab, certainty = self.model.decide(
                    self.description, self.probabilities, vividness=vividness, reach=self.sharing
                )
                if self._offset is not None:
                    region_ab = region_ab + self._offset
            with clock("propagation"):
                spread = self.model.spread(self.gray, self._superpixels, region_ab)
            confidence = smooth_map(certainty, self._superpixels, self.gray.shape)
            found = self._corrected(_Automatic(region_ab, confidence, spread), vividness, clock)
            self._automatic_at = vividness, found
        return self._automatic_at[1]

    def _corrected(self, found: _Automatic, vividness: float, clock: Clock) -> _Automatic:
        """The model's own colours after references, and a step to a chosen alternative."""
        references, strength = self._references
        if references is None and self._chosen is None:
            return found
        with clock("belief"):
            shift = np.zeros((self.parts.superpixels.n_superpixels, 2)) if self._chosen is None else self._chosen
            if references is not None:
                part_ab = self._over_parts(found)
                shift = shift + references.correction(self.model, self._appearance, part_ab, strength, vividness)
        with clock("propagation"):
            return self._shifted(found, shift)

    def _shifted(
        self,
        found: _Automatic,
        shift: NDArray[np.float64],
        is_known: NDArray[np.bool_] | None = None,
        residual_ab: Float32 | None = None,
        own: tuple[Float32, Float32] | None = None,
    ) -> _Automatic:
        """Add a change of the parts' colours, and exact changes of some pixels, spread to all pixels together.

        What `own` adds to the changes and to their weight makes things one colour up to their edges.

        The equations are linear: to solve for the change is to solve for the changed colours, and where nothing
        changes every pixel keeps its colour.
        """
        target_ab, weight = shift.astype(np.float32)[self._part_labels], self._weight
        if own is not None:
            target_ab, weight = target_ab + own[0], weight * own[1]
        change = self._propagator.solve(target_ab, weight, is_known=is_known, known_ab=residual_ab, start_ab=target_ab)
        np.add(found.spread.ab, change.ab, out=change.ab)
        shift_of_regions = region_means(shift[self.parts.superpixels.labels], self._superpixels)
        return replace(found, region_ab=found.region_ab + shift_of_regions, spread=change)

    def _own_change(
        self, apart: NDArray[np.float64], part_ab: NDArray[np.float64], found: _Automatic
    ) -> tuple[Float32, Float32] | None:
        """Where things are of a colour of their own: what evens out the automatic colours there, and firmness."""
        if not apart.any():
            return None
        share = apart.astype(np.float32)[self._part_labels]
        even = share[..., None] * (part_ab.astype(np.float32)[self._part_labels] - found.spread.ab)
        return even, FIRM_AROUND + np.float32(FIRM - FIRM_AROUND) * share

    def _pixels(self, hints: Hints) -> tuple[HintPixels, Float32, tuple[str, ...]]:
        """Hints as pixels, their ab as sRGB can show it at the photograph's lightness, and what there is to tell."""
        pixels = hints.rasterize(self.gray.shape)
        known = pixels.is_known
        wished = rgb_to_lab(pixels.rgb[known])[:, 1:]
        shown = map_to_gamut(self.gray.lightness[known], wished)
        ab = np.zeros((*known.shape, 2), np.float32)
        ab[known] = shown
        n_lost = np.count_nonzero(np.linalg.norm(wished - shown, axis=1) > 1)
        if not n_lost:
            return pixels, ab, pixels.notes
        lost = (
            f"{n_lost} of {len(shown)} hinted pixels cannot be that colourful at their lightness and get as much of "
            "the colour as sRGB can show"
        )
        return pixels, ab, (*pixels.notes, lost)

    def observations(self, hints: Hints) -> Observations:
        """What hints say about parts: what `Belief.told` takes, one observation per part and reach."""
        return self._observed(*self._pixels(hints)[:2])

    def prior(self, vividness: float = 0.5) -> Belief:
        """What is believed about the parts before any hint."""
        return self._prior(self._automatic(vividness, Clock()))

    def _observed(self, pixels: HintPixels, known_ab: Float32) -> Observations:
        """One observation per part and reach: the mean of its hinted pixels."""
        known = pixels.is_known
        key = self._part_labels[known] * len(REACHES) + pixels.reach[known]
        groups, member = np.unique(key, return_inverse=True)
        seen = np.column_stack([self.gray.lightness[known], known_ab[known]])
        means = np.stack([np.bincount(member, values) for values in seen.T], axis=1) / np.bincount(member)[:, None]
        parts, reach = np.divmod(groups, len(REACHES))
        noise = hint_noise(means[:, 0], self._part_lightness[parts])
        return parts, means[:, 1:], noise, reach

    def _prior(self, found: _Automatic) -> Belief:
        return replace(self._prior_at_zero, mean=self._over_parts(found).astype(np.float64))

    def _step(self, number: int, hints: Hints | None) -> NDArray[np.float64]:
        """How alternative `number` differs from the usual picture."""
        if number == 0:
            return np.zeros((self.parts.superpixels.n_superpixels, 2))
        level, mood = divmod(number - 1, len(MOODS))
        return self._directions(hints)[: level + 1][-1] * list(MOODS.values())[mood]

    def _directions(self, hints: Hints | None) -> list[NDArray[np.float64]]:
        """The likeliest changes of the photograph after hints; those of the last hints asked for are kept."""
        if self._directions_after is None or self._directions_after[0] is not hints:
            belief = self._prior_at_zero
            if hints is not None:
                belief = belief.told(*self.observations(hints))
            self._directions_after = hints, belief.directions(_LEVELS)
        return self._directions_after[1]

    def _over_parts(self, found: _Automatic) -> Float32:
        """Mean automatic colours of the parts, shape (n_parts, 2)."""
        superpixels, ab = self.parts.superpixels, found.spread.ab
        if ab.shape[:2] != superpixels.shape:
            ab = cv2.resize(ab, superpixels.shape[::-1], interpolation=cv2.INTER_AREA)
        return region_means(ab, superpixels)

    @cached_property
    def parts(self) -> Description:
        """The smaller regions that hints, references and alternatives speak about."""
        return self.model.describe_parts(self.description)

    @cached_property
    def _part_probabilities(self) -> Float32:
        probabilities = self.model.region_probabilities(self.parts.features.values)
        return self._drawn(probabilities, self.parts.superpixels)

    @cached_property
    def _prior_at_zero(self) -> Belief:
        nothing = np.zeros((self.parts.superpixels.n_superpixels, 2))
        return prior(nothing, self._appearance, self.parts.superpixels, self._part_lightness)

    @cached_property
    def _appearance(self) -> Appearance:
        return self.model.appearance(self.parts, self._part_probabilities, reach=self.sharing)

    def _drawn(self, probabilities: Float32, superpixels: Superpixels) -> Float32:
        """Probabilities drawn towards the colours of references and albums."""
        for wanted, strength in self._pulls:
            probabilities = toward_palette(probabilities, superpixels, wanted, strength=strength)
        return probabilities

    @cached_property
    def _parts_of_regions(self) -> NDArray[np.float64]:
        """Share of every region that lies in every part, shape (n_superpixels, n_parts); rows sum to 1."""
        regions, parts = self._superpixels, self.parts.superpixels
        shape = regions.n_superpixels, parts.n_superpixels
        pairs = np.ravel_multi_index((regions.labels.ravel(), parts.labels.ravel()), shape)
        return np.bincount(pairs, minlength=shape[0] * shape[1]).reshape(shape) / regions.areas[:, None]

    def _suggestion(self, region: int, before: Belief, after: Belief) -> Suggestion:
        colors = self.model.palette.colors_
        chances = _updated(self.probabilities[region], colors, before, after, region)
        kept: list[int] = []
        for k in np.argsort(-chances, kind="stable"):
            if len(kept) == 5 or (len(kept) >= 3 and chances[k] < 0.03):
                break
            if all(np.linalg.norm(colors[k] - colors[other]) > _APART for other in kept):
                kept.append(int(k))
        lightness = np.full(len(kept), self._region_lightness[region], np.float32)
        row, col = self._typical(region)
        return Suggestion(
            row, col, region, np.asarray(lab_to_rgb(lightness, colors[kept]), np.uint8), colors[kept], chances[kept]
        )

    def _typical(self, region: int) -> tuple[int, int]:
        """A pixel of the photograph well inside a region where it is as light as on the whole: no edge, no speck."""
        inside = self._superpixels.labels == region
        depth = cv2.distanceTransform(np.pad(inside.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        unlike = np.abs(self._smooth_lightness - self._region_lightness[region])  # a pixel of depth against 1 L*
        best = np.where(inside, np.minimum(depth, _DEEP) - unlike, -np.inf).argmax()
        row, col = np.unravel_index(int(best), inside.shape)
        height, width = inside.shape
        return (
            int((row + 0.5) * self.gray.shape[0] / height),
            int((col + 0.5) * self.gray.shape[1] / width),
        )

    def _finished(self, found: _Automatic, clock: Clock, *, notes: Sequence[str] = ()) -> Colorization:
        photo, spread = self.gray, found.spread
        with clock("color"):
            pixels = lab_to_rgb(photo.lightness, spread.ab, bit_depth=photo.bit_depth)
        return Colorization(
            image=RgbImage(pixels, photo.alpha, photo.metadata),
            field=ColorField(spread.ab, found.confidence),
            superpixels=self._superpixels,
            probabilities=self.probabilities,
            region_ab=found.region_ab,
            report=spread.report,
            timings=clock.seconds,
            notes=tuple(notes),
        )

    @property
    def _superpixels(self) -> Superpixels:
        return self.description.superpixels

    @cached_property
    def _smooth_lightness(self) -> Float32:
        """Mean L* around every pixel at the working resolution, over about what a person clicks on."""
        return np.asarray(cv2.blur(self.description.lightness, (7, 7)), np.float32)

    @cached_property
    def _region_lightness(self) -> Float32:
        return region_means(self.description.lightness, self._superpixels)

    @cached_property
    def _part_lightness(self) -> Float32:
        return region_means(self.parts.lightness, self.parts.superpixels)

    @cached_property
    def _part_labels(self) -> NDArray[np.int32]:
        return resize_labels(self.parts.superpixels, self.gray.shape)

    @cached_property
    def _weight(self) -> Float32:
        return self.model.seed_weight(self.gray, self._superpixels)

    @cached_property
    def _propagator(self) -> Propagator:
        return Propagator(self.gray.lightness)


def _updated(chances: Float32, colors: Float32, before: Belief, after: Belief, region: int) -> Float32:
    """Probabilities of the palette colours of a region after hints: the change of a normal density, carried over."""
    if after is before:
        return chances
    spacing = 60.0  # variance within a palette entry
    fit = np.zeros(len(colors))
    for belief, sign in ((after, -0.5), (before, 0.5)):
        fit += sign * ((colors - belief.mean[region]) ** 2 / (belief.variance[region] + spacing)).sum(axis=1)
    weighed = chances * np.exp(fit - fit.max())
    return (weighed / weighed.sum()).astype(np.float32)


def smooth_map(region_values: Float32, superpixels: Superpixels, shape: tuple[int, int]) -> Float32:
    """Region values as a smooth map at full resolution: blurred by half a region, then enlarged."""
    spacing = (superpixels.areas.mean() ** 0.5) / 2
    blurred = cv2.GaussianBlur(region_values[superpixels.labels], (0, 0), max(0.5, spacing))
    return blurred if shape == blurred.shape else cv2.resize(blurred, shape[::-1], interpolation=cv2.INTER_LINEAR)
