"""A session: one photograph, described once, coloured many times as somebody says more about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from colorize._support.clock import Clock
from colorize._support.last import Last
from colorize._support.shrink import shrink_to
from colorize.color import lab_to_rgb
from colorize.features.superpixels import region_means, resize_labels
from colorize.guidance.alternatives import N_ALTERNATIVES, N_MODES, step_to
from colorize.guidance.canvas import Canvas
from colorize.guidance.guidance import Start
from colorize.guidance.hints import Hints, WantedColors
from colorize.guidance.suggestion import Suggestion, suggest_places
from colorize.model import Description
from colorize.optimization import Propagation
from colorize.recognition.belief import Belief, Observations, observe
from colorize.recognition.decision import NEAR, Decision
from colorize.types import ColorField, Colorization, Float32, GrayImage, RgbImage


@dataclass(frozen=True, eq=False)
class _Picture:
    """Colours of regions and of pixels, how sure those of regions are, what hints leave of the doubt in the parts."""

    region_ab: Float32
    confidence: Float32
    spread: Propagation
    seconds: Mapping[str, float]
    doubt_left: Float32 | None = None  # no hints


class Session:
    """One photograph and what is known about it. Made by `Colorizer.open`.

    What stays said about the photograph (references, an album, an alternative) makes another session; what changes
    with every stroke (hints, vividness) is said with every call. Nothing that is asked of a session changes it: every
    answer depends on the arguments alone.

    Parameters
    ----------
    start : Start
        The automatic colours of regions and parts.
    photo : GrayImage
    canvas : Canvas
        Its pixels, or fewer where the solver has no room for all: see `Canvas.fitting`.

    Attributes
    ----------
    gray : GrayImage
    model : Model
    description : Description
        The regions that the model colours, and their features.

    See Also
    --------
    colorize.guidance.guidance.GuidedView : What the regions look like after what was said.
    colorize.guidance.canvas.Canvas : How they become pixels.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> from colorize.colorizer import Colorizer
    >>> from colorize.guidance.hints import Hints, Mark
    >>> photos = [picture[::4, ::4] for picture in load_sample_images().images]
    >>> session = Colorizer(n_colors=6, n_superpixels=60).fit(photos).open(photos[0])
    >>> red = Hints(session.gray.shape, (Mark("point", [[50, 80]], (200, 30, 30)),))
    >>> before, after = session.colorize(), session.with_hints(red)
    >>> bool(after.ab[50, 80, 0] > before.ab[50, 80, 0] + 10)
    True
    """

    def __init__(self, start: Start, photo: GrayImage, canvas: Canvas) -> None:
        self.start, self.gray, self.canvas = start, photo, canvas
        view = start.guided.view
        self.view, self.model, self.description = view, view.model, view.description
        self._pictures: Last[float, _Picture] = Last()
        # Hints are compared by identity: enough for a page that asks again with the same ones.
        self._modes: Last[Hints | None, list[NDArray[np.float64]]] = Last()

    def __repr__(self) -> str:
        height, width = self.gray.shape
        regions, said = self.description.superpixels.n_superpixels, self.start.guided.guidance
        return f"Session({width}x{height} pixels, {regions} regions, {said!r})"

    @property
    def parts(self) -> Description:
        """The smaller regions that hints, references and alternatives speak about; made when first needed."""
        return self.view.parts

    @property
    def probabilities(self) -> Float32:
        """Probabilities of the palette colours, drawn towards those of references and album."""
        return self.start.guided.probabilities

    def colorize(self, vividness: float = 0.5) -> Colorization:
        """Colorize without hints; see `Colorizer.predict`, which is this."""
        return self._colored(None, vividness)[0]

    def with_hints(self, hints: Hints | None, vividness: float = 0.5) -> Colorization:
        """Colorize with hints: exact where they are, and heard as far as they reach.

        Parameters
        ----------
        hints : Hints or None
            Drawn on this photograph, or on one of the same aspect ratio. Wishes that sRGB cannot show at the
            photograph's lightness lose chroma; the result's ``notes`` say so. None: `colorize`.
        vividness : float
            As in `Colorizer.predict`; of what is not hinted.

        Raises
        ------
        HintsError
            The hints are for another photograph, or none lies on it.
        ValueError
            `vividness` is outside [0, 1].
        """
        return self._colored(hints, vividness)[0]

    def suggest(self, n: int = 5, hints: Hints | None = None) -> list[Suggestion]:
        """The n places where a hint would tell most about the photograph after these, the best first."""
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n!r}")
        before = self.start.belief()
        return suggest_places(self.start.guided, before, self._after(before, hints), n, self.gray.shape)

    def alternatives(
        self, n: int = 5, hints: Hints | None = None, vividness: float = 0.5, *, first: int = 0
    ) -> list[Colorization]:
        """Make n whole, coherent, visibly different pictures, 1 to 9, which all obey the hints, or those from `first`.

        The first is the usual one; the others are steps (`colorize.guidance.alternatives.MOODS`) along the changes of
        the whole photograph that the present uncertainty makes likeliest (`Belief.modes`).
        """
        if not 1 <= n <= N_ALTERNATIVES:
            raise ValueError(f"n must be in 1..{N_ALTERNATIVES}, got {n!r}")
        if not 0 <= first < n:
            raise ValueError(f"first must be in 0..{n - 1}, got {first!r}")
        return self._colored(hints, vividness, range(first, n))

    def choose(self, number: int, hints: Hints | None = None) -> Session:
        """Go on from an alternative: its colours are the automatic ones of the new session.

        Parameters
        ----------
        number : int
            Place in the list that `alternatives` gave, from 0; `hints` are those that it was made with.
        """
        if not 0 <= number < N_ALTERNATIVES:
            raise ValueError(f"number must be in 0..{N_ALTERNATIVES - 1}, got {number!r}")
        if number == 0:
            return self
        step = step_to(self._modes(hints, lambda said: self._modes_after(self._heard(said))), number)
        return Session(self.start.stepped(step), self.gray, self.canvas)

    def shifted(self, offset: Float32) -> Session:
        """Go on with other automatic colours of the regions; see `Start.shifted`."""
        return Session(self.start.shifted(offset), self.gray, self.canvas)

    def in_album(self, palette: Sequence[float]) -> Session:
        """Go on with the colours of an album; see `Start.in_album`."""
        return Session(self.start.in_album(palette), self.gray, self.canvas)

    def at_size(self, gray: GrayImage) -> Session:
        """Go on with the same photograph at another size: tried out small, made large.

        Regions, probabilities, and what was chosen stay those of this session, so the colours do too; only their
        spreading to pixels and the hinted pixels are of the new size.
        """
        return Session(self.start, gray, Canvas.fitting(gray, self.canvas.regions))

    def decide(self, vividness: float = 0.5) -> Decision:
        """The decision about the regions before any hint: probabilities, colours, confidence."""
        return self.start.guided.decide(vividness)

    def region_colors(self, hints: Hints | None = None, vividness: float = 0.5) -> Float32:
        """Colours of the regions after hints, shape (n_superpixels, 2), without a solve: for whoever spreads them.

        They differ from `Colorization.region_ab` by what the edges of the pixels add to the colours of the parts.
        """
        if hints is None and not self.start.corrects_parts:
            return self.start.region_ab(vividness)
        return self.start.after(self._after(self.start.belief(vividness), hints), vividness)

    def observations(self, hints: Hints) -> Observations:
        """What hints say about parts: what `Belief.posterior` takes."""
        return self._observed(_wanted(hints, self.canvas.gray))

    def prior(self, vividness: float = 0.5) -> Belief:
        """What is believed about the parts before any hint."""
        return self._believed(self._pictures(vividness, self._automatic))

    def _colored(self, hints: Hints | None, vividness: float, numbers: Sequence[int] = (0,)) -> list[Colorization]:
        """Decide, spread, believe, move, finish. Number 0 is the usual picture, others are alternatives to it."""
        picture = self._pictures(vividness, self._automatic)
        # No belief then: it would make dense matrices of a thousand parts and change nothing.
        if hints is None and not any(numbers):
            return [_finished(self, picture)]
        clock = Clock(picture.seconds)
        with clock("belief"):
            wanted = self._heard(hints)
            # From the pixels and not from the decision: the solve has moved colours across the parts, and
            # a hint that repeats what is seen must change nothing.
            before = self._believed(picture)
            after = before if wanted is None else before.posterior(self._observed(wanted))
            modes = self._modes(hints, lambda _: self._modes_after(wanted)) if any(numbers) else []
        said = None if wanted is None else (wanted, before, after)

        def pictured(number: int) -> _Picture:
            if said is None and number == 0:
                return picture
            own = Clock(clock.seconds)
            with own("propagation"):
                shift = after.mean - before.mean
                moved = self._moved(picture, shift + step_to(modes, number) if number else shift, said)
            return replace(moved, seconds=own.seconds)

        return [_finished(self, pictured(number), hints, wanted) for number in numbers]

    def _automatic(self, vividness: float) -> _Picture:
        """The colours before any hint."""
        clock = Clock(self.view.seconds)
        with clock("decision"):
            decision, region_ab = self.decide(vividness), self.start.region_ab(vividness)
        with clock("propagation"):
            spread = self.canvas.spread(region_ab)
        picture = _Picture(region_ab, decision.confidence, spread, clock.seconds)
        if not self.start.corrects_parts:
            return picture
        with clock("belief"):
            shift = self.start.correction(self._part_ab(picture), vividness)
        with clock("propagation"):
            return replace(self._moved(picture, shift), seconds=clock.seconds)

    def _moved(
        self, picture: _Picture, shift: NDArray[np.float64], said: tuple[WantedColors, Belief, Belief] | None = None
    ) -> _Picture:
        """A picture after a change of its parts and, with hints and the beliefs around them, after those."""
        wanted = apart = part_ab = doubt_left = None
        if said is not None:
            wanted, before, after = said
            # The doubt of the decision, which has not heard the hints, less by what they took from that of
            # the belief: where nothing was heard nothing changes.
            left = (1 - after.within(NEAR)) / np.maximum(1 - before.within(NEAR), 1e-6)
            doubt_left = left.astype(np.float32)
            # A hint for the whole photograph sets nothing apart, and both become fields of its size.
            if after.apart.any():
                apart, part_ab = after.apart.astype(np.float32), before.mean.astype(np.float32)
        parts, change = self.parts.superpixels, shift.astype(np.float32)
        spread = self.canvas.move(picture.spread.ab, parts, change, wanted, apart, part_ab)
        region_ab = picture.region_ab + self.view.over_regions(shift)
        return replace(picture, region_ab=region_ab, spread=spread, doubt_left=doubt_left)

    def _after(self, before: Belief, hints: Hints | None) -> Belief:
        return before if hints is None else before.posterior(self.observations(hints))

    def _observed(self, wanted: WantedColors) -> Observations:
        labels = resize_labels(self.parts.superpixels, self.canvas.gray.shape)
        lightness, said = self.canvas.gray.lightness, (wanted.is_known, wanted.ab, wanted.reach)
        return observe(self.start.guided.things, labels, self.parts.region_lightness, lightness, *said)

    def _believed(self, picture: _Picture) -> Belief:
        return self.start.guided.belief(self._part_ab(picture))

    def _part_ab(self, picture: _Picture) -> Float32:
        parts = self.parts.superpixels
        # Shrinking by area is a mean already, so the means of a large photograph cost no label map of its size.
        return region_means(shrink_to(picture.spread.ab, parts.shape), parts)

    def _heard(self, hints: Hints | None) -> WantedColors | None:
        return None if hints is None else _wanted(hints, self.canvas.gray)

    def _modes_after(self, wanted: WantedColors | None) -> list[NDArray[np.float64]]:
        """The likeliest changes of the photograph after hints."""
        if wanted is None:
            return self.start.guided.modes
        return self.start.belief().posterior(self._observed(wanted)).modes(N_MODES)

    def _confidence(self, picture: _Picture) -> Float32:
        """Confidence of every pixel of the canvas, shape (H, W)."""
        confidence = self.canvas.smooth(picture.confidence, self.canvas.regions)
        if picture.doubt_left is None:
            return confidence
        return 1 - (1 - confidence) * self.canvas.smooth(picture.doubt_left, self.parts.superpixels)


def _wanted(hints: Hints, photo: GrayImage) -> WantedColors:
    if not isinstance(hints, Hints):
        raise TypeError(
            f"hints must be Hints, got {type(hints).__name__}; Hints.from_rgba and Hints.from_json make them "
            "of a painted layer and of a written list"
        )
    return hints.rasterize(photo.shape).on(photo.lightness)


def _finished(
    session: Session, picture: _Picture, hints: Hints | None = None, wanted: WantedColors | None = None
) -> Colorization:
    """A picture as people get it: of the photograph's size, in sRGB, with everything that is known about it."""
    photo, clock = session.gray, Clock(picture.seconds)
    with clock("color"):
        is_enlarged = photo.shape != session.canvas.gray.shape
        # Exact on every pixel that was painted, not on the cells that hold them.
        if is_enlarged and hints is not None:
            wanted = _wanted(hints, photo)
        spread = session.canvas.enlarged(picture.spread, photo)
        if is_enlarged and wanted is not None:
            spread.ab[wanted.is_known] = wanted.ab
        pixels = lab_to_rgb(photo.lightness, spread.ab, bit_depth=photo.bit_depth)
    return Colorization(
        image=RgbImage(pixels, photo.alpha, photo.metadata),
        field=ColorField(spread.ab, session._confidence(picture)),
        superpixels=session.description.superpixels,
        probabilities=session.probabilities,
        region_ab=picture.region_ab,
        report=spread.report,
        timings=clock.seconds,
        notes=() if wanted is None else wanted.notes,
    )
