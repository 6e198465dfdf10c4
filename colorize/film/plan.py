"""The first walk through a film: how many frames, when, in which shots; and the pieces in which it will be coloured."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from colorize._support.progress import Progress
from colorize.exceptions import HintsError
from colorize.film import cuts
from colorize.film.motion import Gray, flow_shape
from colorize.film.reading import Damage, Film, moving_pictures, open_input, packets_of
from colorize.film.writing import durations

SEGMENT_SECONDS = 4.0
"""Longest piece that is coloured before it is kept: what a kill costs at most."""


@dataclass(frozen=True)
class Plan:
    """What there is to colour.

    Attributes
    ----------
    times : tuple of (int, int)
        Time stamp and length of every frame, in units of the film's time base.
    kinds : tuple of str
        ``start``, ``steady`` or ``held`` for every frame (`colorize.film.cuts`).
    notes : tuple of str
        What could not be read.
    """

    times: tuple[tuple[int, int], ...]
    kinds: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.times)

    def rate(self, film: Film) -> Fraction:
        """Frames per second, on average; that of the header if there is one frame."""
        # From the time stamps, since headers of old or variable-rate films state anything.
        span = (self.times[-1][0] - self.times[0][0]) * film.time_base
        return (self.n_frames - 1) / span if span else film.rate

    def segments(self, longest: int) -> list[tuple[int, int]]:
        """Pieces of at most so many frames: first frame, and the frame after the last. Cuts are ends of pieces.

        Examples
        --------
        >>> Plan(((0, 1),) * 5, ("start", "steady", "steady", "start", "steady")).segments(2)
        [(0, 2), (2, 3), (3, 5)]
        """
        starts = [number for number, kind in enumerate(self.kinds) if kind == cuts.START or number == 0]
        edges = [*starts, self.n_frames]
        return [
            (first, min(first + longest, end)) for begin, end in pairwise(edges) for first in range(begin, end, longest)
        ]

    def frame_at(self, moment: int | float, film: Film) -> int:
        """Number of the frame that a hint is for: a number, or seconds from the first frame.

        Raises
        ------
        HintsError
            There is no such frame.
        """
        last = self.n_frames - 1
        # By type, as 12 and 12.0 mean a frame and a second.
        if isinstance(moment, int):
            if not 0 <= moment <= last:
                raise HintsError(f"there is no frame {moment}: the film has {last + 1}, numbered 0 to {last}", moment)
            return moment
        begin, length = self.times[0][0], self.times[-1][1]
        end = (self.times[-1][0] + length - begin) * film.time_base
        if not 0 <= moment < end:
            raise HintsError(f"there is no frame at {moment:g} s: the film is {float(end):.3f} s long", moment)
        # Half a millisecond is allowed for: times in file names are rounded to milliseconds, and
        # the frame that begins then is meant.
        after = bisect_right([pts for pts, _ in self.times], begin + (moment + 5e-4) / float(film.time_base))
        return after - 1


def listed(film: Film) -> Plan | None:
    """The frames that the container lists, none of them decoded, and no shots; None if it does not say when they are.

    Takes a moment where `make_plan` takes minutes, which finds the same frames, or fewer in a damaged film.
    """
    with open_input(film.path) as container:
        packets = packets_of(container, moving_pictures(container, film.path), damage=Damage())
        stamps = [(packet.pts, packet.duration or 0) for packet in packets if packet.size]
    times = sorted((pts, length) for pts, length in stamps if pts is not None)
    if len(times) < len(stamps):
        return None
    pts = [stamp for stamp, _ in times]
    return Plan(tuple(zip(pts, durations(pts, (length for _, length in times)), strict=True)), ())


def make_plan(film: Film, progress: Progress) -> Plan:
    """Walk through a film and find its frames and shots.

    Parameters
    ----------
    film : Film
    progress : callable
        Told a stage, how many frames are done, how many the header promises.

    Raises
    ------
    FilmError
        As for `colorize.film.reading.Film.frames`.

    See Also
    --------
    colorize.film.cuts.find_shots : Finds the shots.
    """
    pts: list[int] = []
    lengths: list[int] = []
    damage = Damage()
    size = flow_shape(film.shape, cuts.PIXELS)

    def reduced() -> Iterator[Gray]:
        for frame in film.frames(damage):
            pts.append(frame.pts)
            lengths.append(frame.duration)
            # A header that promises too few must not make it more than all.
            progress("looking", len(pts), max(len(pts), film.n_promised))
            yield frame.reduced(size)

    # One walk for all: the frames pass through here on their way to the cuts.
    kinds = tuple(cuts.find_shots(reduced()))
    lengths = durations(pts, lengths)
    seconds = float((pts[-1] + lengths[-1] - pts[0]) * film.time_base)
    notes = damage.notes(len(pts), film.n_promised, seconds, film.seconds_promised)
    return Plan(tuple(zip(pts, lengths, strict=True)), kinds, notes)
