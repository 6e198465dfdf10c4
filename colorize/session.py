"""A session: one photograph, described once, coloured many times as somebody says more about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize import alternatives, suggestion
from colorize._clock import Clock
from colorize.belief import PIXELS, Belief, hint_noise
from colorize.canvas import Canvas
from colorize.color import lab_to_rgb
from colorize.decision import NEAR, Decision
from colorize.guidance import GuidedView
from colorize.hints import Hints, WantedColors
from colorize.model import Description
from colorize.optimization import Propagation
from colorize.suggestion import Suggestion
from colorize.superpixels import resize_labels
from colorize.types import REACHES, ColorField, Colorization, Float32, GrayImage, RgbImage

Observations = tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]
"""Parts, their ab, noise and reach, all of length m."""


@dataclass(frozen=True, eq=False)
class _Picture:
    """Colours of regions and of pixels, how sure they are, and how long it took."""

    region_ab: Float32
    confidence: Float32
    spread: Propagation
    seconds: Mapping[str, float]


class Session:
    """One photograph and what is known about it. Made by `Colorizer.open`.

    What stays said about the photograph (references, an album, an alternative) makes another session; what changes
    with every stroke (hints, vividness) is said with every call. Nothing that is asked of a session changes it: every
    answer depends on the arguments alone.

    Parameters
    ----------
    guided : GuidedView
        The photograph as the model sees it, and what was said about it.
    canvas : Canvas
        Its pixels.
    offset : ndarray, shape (n_superpixels, 2), float32, optional
        Change of the colours of its regions: a refiner's.
    chosen : ndarray, shape (n_parts, 2), float64, optional
        Change of the colours of its parts: the alternative gone on from.

    Attributes
    ----------
    gray : GrayImage
    model : Model
    description : Description
        The regions that the model colours, and their features.

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
        guided: GuidedView,
        canvas: Canvas,
        *,
        offset: Float32 | None = None,
        chosen: NDArray[np.float64] | None = None,
    ) -> None:
        self.guided, self.canvas, self.gray = guided, canvas, canvas.gray
        self.model, self.description = guided.view.model, guided.view.description
        self.offset, self.chosen = offset, chosen
        # The last answer alone: that of a large photograph takes 150 MB.
        self._automatic = lru_cache(maxsize=1)(self._uncached_automatic)
        self._modes = lru_cache(maxsize=1)(self._uncached_modes)

    def __repr__(self) -> str:
        height, width = self.gray.shape
        regions, said = self.description.superpixels.n_superpixels, self.guided.guidance
        return f"Session({width}x{height} pixels, {regions} regions, {said!r})"

    @property
    def parts(self) -> Description:
        """The smaller regions that hints, references and alternatives speak about; made when first needed."""
        return self.guided.view.parts

    @property
    def probabilities(self) -> Float32:
        """Probabilities of the palette colours, drawn towards those of references and album."""
        return self.guided.probabilities

    def colorize(self, vividness: float = 0.5) -> Colorization:
        """Colorize without hints; see `Colorizer.predict`, which is this."""
        return self._colored(None, vividness, 0)

    def with_hints(self, hints: Hints | None, vividness: float = 0.5) -> Colorization:
        """Colorize with hints: exact where they are, and heard as far as they reach.

        Parameters
        ----------
        hints : Hints or None
            Drawn on this photograph, or on one of the same aspect ratio. Wishes that sRGB cannot show at the
            photograph's lightness lose chroma. None: `colorize`.
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
        before = self._belief()
        return suggestion.suggest(self.guided, before, self._after(before, hints), n, self.gray.shape)

    def alternatives(self, n: int = 5, hints: Hints | None = None, vividness: float = 0.5) -> list[Colorization]:
        """Make n whole, coherent, visibly different pictures.

        The first is the usual one; the others are steps (`colorize.alternatives.MOODS`) along the changes of the whole
        photograph that the present uncertainty makes likeliest (`Belief.directions`).

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
        if not 1 <= n <= alternatives.N_ALTERNATIVES:
            raise ValueError(f"n must be in 1..{alternatives.N_ALTERNATIVES}, got {n!r}")
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
        alternatives.check_number(number)
        step = alternatives.step(self._modes(hints), number)
        return self._with(chosen=step if self.chosen is None else self.chosen + step)

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
        shape = self.description.superpixels.n_superpixels, 2
        if offset.shape != shape or not np.isfinite(offset).all():
            raise ValueError(f"offset must be {shape} finite numbers, got shape {offset.shape}")
        return self._with(offset=offset if self.offset is None else self.offset + offset)

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
        guidance = replace(self.guided.guidance, album=wanted)
        return self._with(guided=GuidedView(self.guided.view, guidance))

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
        return self._with(canvas=Canvas(gray, self.canvas.regions))

    def decide(self, vividness: float = 0.5) -> Decision:
        """The decision about the regions before any hint: probabilities, colours, confidence."""
        return self.guided.decide(vividness)

    def region_colors(self, hints: Hints | None = None, vividness: float = 0.5) -> Float32:
        """Colours of the regions after hints, shape (n_superpixels, 2), without a solve: for whoever spreads them.

        They differ from `Colorization.region_ab` by what the edges of the pixels add to the colours of the parts.
        """
        region_ab = self._region_ab(vividness)
        if hints is None and not self._is_corrected:
            return region_ab
        part_ab, automatic = self.guided.view.over_parts(region_ab), self._automatic_parts(vividness)
        after = self._after(self._belief(automatic), hints)
        return region_ab + self.guided.view.over_regions(after.mean - part_ab)

    def observations(self, hints: Hints) -> Observations:
        """What hints say about parts: what `Belief.told` takes, one observation per part and reach."""
        return self._observed(self._wanted(hints))

    def prior(self, vividness: float = 0.5) -> Belief:
        """What is believed about the parts before any hint."""
        return self.guided.belief(self._part_means(self._automatic(vividness)))

    def _with(self, **changed: Any) -> Session:
        """Another session, in which everything else is as it is here."""
        here = {name: getattr(self, name) for name in ("guided", "canvas", "offset", "chosen")}
        return Session(**here | changed)

    @property
    def _is_corrected(self) -> bool:
        """Whether references or a chosen alternative change the colours of parts."""
        return self.chosen is not None or self.guided.guidance.references is not None

    def _region_ab(self, vividness: float) -> Float32:
        ab = self.guided.decide(vividness).ab
        return ab if self.offset is None else ab + self.offset

    def _correction(self, part_ab: Float32, vividness: float) -> NDArray[np.float64]:
        """What references and a chosen alternative change in such colours of the parts, shape (n_parts, 2)."""
        learnt = self.guided.learnt(part_ab, vividness)
        return learnt if self.chosen is None else self.chosen + learnt

    def _automatic_parts(self, vividness: float) -> Float32:
        """Colours of the parts before any hint, shape (n_parts, 2), as far as they can be told without pixels."""
        part_ab = self.guided.view.over_parts(self._region_ab(vividness))
        return (part_ab + self._correction(part_ab, vividness)).astype(np.float32)

    def _belief(self, part_ab: Float32 | None = None) -> Belief:
        """What is believed about the parts before any hint; their faithful colours if no others are given."""
        return self.guided.belief(self._automatic_parts(0.0) if part_ab is None else part_ab)

    def _colored(self, hints: Hints | None, vividness: float, number: int) -> Colorization:
        """Decide, spread, believe, move, finish. Number 0 is the usual picture, others are alternatives to it."""
        picture = self._automatic(vividness)
        if hints is None and number == 0:
            return self._finished(picture)
        clock = Clock(picture.seconds)
        wanted = None if hints is None else self._wanted(hints)
        with clock("belief"):
            before = after = self._belief(self._part_means(picture))
            if wanted is not None:
                after = before.told(*self._observed(wanted))
            shift = after.mean - before.mean
            if number:
                shift += alternatives.step(self._modes(hints), number)
        with clock("propagation"):
            moved = self._moved(picture, shift, wanted, before, after)
        return self._finished(replace(moved, seconds=clock.seconds), () if wanted is None else wanted.notes)

    def _uncached_automatic(self, vividness: float) -> _Picture:
        """The colours before any hint."""
        clock = Clock(self.guided.view.seconds)
        with clock("decision"):
            decision, region_ab = self.decide(vividness), self._region_ab(vividness)
        with clock("propagation"):
            spread = self.canvas.spread(region_ab)
        confidence = self.canvas.smooth(decision.confidence, self.canvas.regions)
        picture = _Picture(region_ab, confidence, spread, clock.seconds)
        if not self._is_corrected:
            return picture
        with clock("belief"):
            shift = self._correction(self._part_means(picture), vividness)
        with clock("propagation"):
            return replace(self._moved(picture, shift), seconds=clock.seconds)

    def _moved(
        self,
        picture: _Picture,
        shift: NDArray[np.float64],
        wanted: WantedColors | None = None,
        before: Belief | None = None,
        after: Belief | None = None,
    ) -> _Picture:
        """A picture after a change of its parts and, where hints were heard, with their exact colours."""
        apart = part_ab = None
        if before is not None and after is not None and after.apart.any():
            apart = after.apart.astype(np.float32)[self._part_labels]
            part_ab = before.mean.astype(np.float32)[self._part_labels]
        spread = self.canvas.move(
            picture.spread.ab,
            shift.astype(np.float32)[self._part_labels],
            is_known=None if wanted is None else wanted.is_known,
            known_ab=None if wanted is None else wanted.ab,
            apart=apart,
            part_ab=part_ab,
        )
        confidence = picture.confidence
        if wanted is not None and after is not None:
            confidence = self.canvas.smooth(after.within(NEAR).astype(np.float32), self.parts.superpixels)
        region_ab = picture.region_ab + self.guided.view.over_regions(shift)
        return replace(picture, region_ab=region_ab, confidence=confidence, spread=spread)

    def _wanted(self, hints: Hints) -> WantedColors:
        return hints.rasterize(self.gray.shape).on(self.gray.lightness)

    def _after(self, before: Belief, hints: Hints | None) -> Belief:
        return before if hints is None else before.told(*self.observations(hints))

    def _observed(self, wanted: WantedColors) -> Observations:
        """One observation per part and reach: the mean of its hinted pixels that speak of more than themselves."""
        heard = wanted.is_known & (wanted.reach != PIXELS)
        # One number for each pair of part and reach, so that one sort groups the pixels of both.
        key = self._part_labels[heard] * len(REACHES) + wanted.reach[heard]
        groups, member = np.unique(key, return_inverse=True)
        seen = np.column_stack([self.gray.lightness[heard], wanted.ab[heard]])
        means = np.stack([np.bincount(member, values) for values in seen.T], axis=1) / np.bincount(member)[:, None]
        parts, reach = np.divmod(groups, len(REACHES))
        return parts, means[:, 1:], hint_noise(means[:, 0], self.parts.region_lightness[parts]), reach

    def _uncached_modes(self, hints: Hints | None) -> list[NDArray[np.float64]]:
        """The likeliest changes of the photograph after hints."""
        if hints is None:
            return self.guided.modes
        return self._after(self._belief(), hints).directions(alternatives.N_MODES)

    def _part_means(self, picture: _Picture) -> Float32:
        return self.canvas.means(picture.spread.ab, self.parts.superpixels)

    def _finished(self, picture: _Picture, notes: Sequence[str] = ()) -> Colorization:
        photo, spread, clock = self.gray, picture.spread, Clock(dict(picture.seconds))
        with clock("color"):
            pixels = lab_to_rgb(photo.lightness, spread.ab, bit_depth=photo.bit_depth)
        return Colorization(
            image=RgbImage(pixels, photo.alpha, photo.metadata),
            field=ColorField(spread.ab, picture.confidence),
            superpixels=self.description.superpixels,
            probabilities=self.probabilities,
            region_ab=picture.region_ab,
            report=spread.report,
            timings=clock.seconds,
            notes=tuple(notes),
        )

    @cached_property
    def _part_labels(self) -> NDArray[np.int32]:
        return resize_labels(self.parts.superpixels, self.gray.shape)
