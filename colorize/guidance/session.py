"""A session: one photograph, described once, coloured many times as somebody says more about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize._support.clock import Clock
from colorize._support.numbers import is_integer
from colorize.guidance.alternatives import N_ALTERNATIVES, N_MODES, step_to
from colorize.guidance.automatic import Automatic
from colorize.guidance.canvas import Canvas
from colorize.guidance.guidance import GuidedView
from colorize.guidance.hints import Hints, WantedColors, is_same_aspect
from colorize.guidance.picture import Picture, wanted_of
from colorize.guidance.suggestion import Suggestion, suggest_places
from colorize.model import Description, View
from colorize.recognition.belief import Belief, Observations
from colorize.types import Colorization, Float32, GrayImage, as_array, described


class _Last:
    """The last answer, kept: made anew only when it is asked for another key than the time before.

    `functools.lru_cache` on a method would tie a session to itself, and the memory of a large photograph would wait for
    the garbage collector.
    """

    def __init__(self) -> None:
        self._kept: tuple[object, Any] | None = None

    def __call__(self, key: object, make: Callable[[], Any]) -> Any:
        kept = self._kept  # a local: another thread may ask for another key meanwhile
        if kept is None or kept[0] != key:
            self._kept = None  # not two large values side by side
            kept = self._kept = key, make()
        return kept[1]


@dataclass(frozen=True, eq=False, repr=False)
class Session:
    """One photograph and what is known about it. Made by `Colorizer.open`.

    What stays said about the photograph (references, an album, an alternative) makes another session; what changes
    with every stroke (hints, vividness) is said with every call. Nothing that is asked of a session changes it: every
    answer depends on the arguments alone.

    Attributes
    ----------
    automatic : Automatic
        The photograph as the model sees it, what was said about it, and what it is coloured like then.
    gray : GrayImage
    canvas : Canvas
        Its pixels, or fewer where the solver has no room for all: see `Canvas.fitting`.

    See Also
    --------
    colorize.guidance.automatic.Automatic : The colours of the regions.
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

    automatic: Automatic
    gray: GrayImage
    canvas: Canvas
    _pictures: _Last = field(init=False, default_factory=_Last)
    # Hints are compared by identity: enough for a page that asks again with the same ones.
    _modes: _Last = field(init=False, default_factory=_Last)

    def __repr__(self) -> str:
        height, width = self.gray.shape
        return f"Session({width}x{height} pixels, {self.guided!r})"

    @property
    def guided(self) -> GuidedView:
        """The photograph, and what was said about it."""
        return self.automatic.guided

    @property
    def view(self) -> View:
        """The photograph as the model sees it."""
        return self.guided.view

    @property
    def description(self) -> Description:
        """The regions that the model colours, and their features."""
        return self.view.description

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
        if not (is_integer(n) and n >= 1):
            raise ValueError(f"n must be at least 1, got {n!r}")
        before = self.automatic.rough_prior()
        return suggest_places(self.guided, before, self._after(before, self._heard(hints)), n, self.gray.shape)

    def alternatives(
        self, n: int = 5, hints: Hints | None = None, vividness: float = 0.5, *, first: int = 0
    ) -> list[Colorization]:
        """Make n whole, coherent, visibly different pictures, 1 to 9, which all obey the hints, or those from `first`.

        The first is the usual one; the others are steps (`colorize.guidance.alternatives.MOODS`) along the changes of
        the whole photograph that the present uncertainty makes likeliest (`Belief.modes`).
        """
        if not (is_integer(n) and 1 <= n <= N_ALTERNATIVES):
            raise ValueError(f"n must be in 1..{N_ALTERNATIVES}, got {n!r}")
        if not (is_integer(first) and 0 <= first < n):
            raise ValueError(f"first must be in 0..{n - 1}, got {first!r}")
        return self._colored(hints, vividness, range(first, n))

    def choose(self, number: int, hints: Hints | None = None) -> Session:
        """Go on from an alternative: its colours are the automatic ones of the new session.

        Parameters
        ----------
        number : int
            Place in the list that `alternatives` gave, from 0; `hints` are those that it was made with.
        """
        if not (is_integer(number) and 0 <= number < N_ALTERNATIVES):
            raise ValueError(f"number must be in 0..{N_ALTERNATIVES - 1}, got {number!r}")
        if number == 0:
            return self
        step = step_to(self._modes(hints, lambda: self._modes_after(self._heard(hints))), number)
        return replace(self, automatic=self.automatic.stepped(step))

    def shifted(self, offset: ArrayLike) -> Session:
        """Go on with other automatic colours of the regions.

        Parameters
        ----------
        offset : array_like of float, shape (n_superpixels, 2)
            What is added to a* and b* of every region, at every vividness.

        Raises
        ------
        ValueError
            `offset` has another shape, or holds NaN.
        """
        return replace(self, automatic=self.automatic.shifted(offset))

    def in_album(self, palette: ArrayLike) -> Session:
        """Go on with probabilities drawn towards the colours of an album.

        Parameters
        ----------
        palette : array_like of float, shape (n_colors,)
            As in `Predictor.predict`.

        Raises
        ------
        ValueError
            `palette` has not one share, 0 to 1, per palette colour.
        """
        # A copy: a session does not change with an array of its caller's.
        guided = replace(self.guided, album=as_array("palette", palette, np.float32).copy())
        return replace(self, automatic=replace(self.automatic, guided=guided))

    def at_size(self, gray: GrayImage) -> Session:
        """Go on with the same photograph at another size: tried out small, made large.

        Regions, probabilities, and what was chosen stay those of this session, so the colours do too; only their
        spreading to pixels and the hinted pixels are of the new size.

        Raises
        ------
        TypeError
            `gray` is no `GrayImage`.
        ValueError
            It has another aspect ratio, so it is another photograph.
        """
        if not isinstance(gray, GrayImage):
            raise TypeError(f"gray must be a GrayImage, which colorize.to_gray gives, got {described(gray)}")
        if not is_same_aspect(self.gray.shape, gray.shape):
            raise ValueError(f"gray must have the aspect ratio of {self.gray.shape} pixels, got {gray.shape}")
        return replace(self, gray=gray, canvas=Canvas.fitting(gray, self.canvas.regions))

    def region_colors(self, hints: Hints | None = None, vividness: float = 0.5) -> Float32:
        """Colours of the regions after hints, shape (n_superpixels, 2), without a solve: for whoever spreads them.

        They differ from `Colorization.region_ab` by what the edges of the pixels add to the colours of the parts.
        """
        region_ab = self.automatic.region_ab(vividness)
        if hints is None and not self.automatic.moves_parts:
            return region_ab
        after = self._after(self.automatic.rough_prior(vividness), self._heard(hints))
        # Only the change goes to the parts and back: colours that took this way would be blurred by it.
        return region_ab + self.view.over_regions(after.mean - self.view.over_parts(region_ab))

    def observations(self, hints: Hints) -> Observations:
        """What hints say about parts: what `Belief.posterior` takes."""
        return self.guided.observations(wanted_of(hints, self.canvas.gray), self.canvas.gray)

    def prior(self, vividness: float = 0.5) -> Belief:
        """What is believed about the parts before any hint."""
        return self.guided.belief(self._picture(vividness).part_ab())

    def _colored(self, hints: Hints | None, vividness: float, numbers: Sequence[int] = (0,)) -> list[Colorization]:
        """Decide, spread, believe, move, finish. Number 0 is the usual picture, others are alternatives to it."""
        picture = self._picture(vividness)
        # No belief then: it would make dense matrices of a thousand parts and change nothing.
        if hints is None and not any(numbers):
            return [picture.finished(self.gray)]
        clock = Clock(picture.seconds)
        with clock("belief"):
            wanted = self._heard(hints)
            # From the pixels and not from the decision: the solve has moved colours across the parts, and
            # a hint that repeats what is seen must change nothing.
            before = self.guided.belief(picture.part_ab())
            after = self._after(before, wanted)
            modes = self._modes(hints, lambda: self._modes_after(wanted)) if any(numbers) else []
        said = None if wanted is None else (wanted, before, after)

        def pictured(number: int) -> Picture:
            if said is None and number == 0:
                return picture
            own = Clock(clock.seconds)
            with own("propagation"):
                shift = after.mean - before.mean
                moved = picture.moved(shift + step_to(modes, number) if number else shift, said)
            return replace(moved, seconds=own.seconds)

        return [pictured(number).finished(self.gray, hints) for number in numbers]

    def _picture(self, vividness: float) -> Picture:
        """That before any hint."""
        return self._pictures(vividness, lambda: Picture.before_hints(self.automatic, self.canvas, vividness))

    def _after(self, before: Belief, wanted: WantedColors | None) -> Belief:
        return before if wanted is None else before.posterior(self.guided.observations(wanted, self.canvas.gray))

    def _heard(self, hints: Hints | None) -> WantedColors | None:
        return None if hints is None else wanted_of(hints, self.canvas.gray)

    def _modes_after(self, wanted: WantedColors | None) -> list[NDArray[np.float64]]:
        """The likeliest changes of the photograph after hints."""
        return self.guided.modes if wanted is None else self._after(self.automatic.rough_prior(), wanted).modes(N_MODES)
