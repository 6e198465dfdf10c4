"""A film from file to file: look through it, colour it piece by piece, put the pieces together with the sound."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize._support.clock import Clock
from colorize._support.files import check_free
from colorize._support.numbers import is_integer, is_number
from colorize._support.progress import Progress, silent
from colorize._support.threads import one_thread
from colorize.color import lab_to_rgb
from colorize.exceptions import HintsError, OutputError, OutputExistsError
from colorize.film import cuts
from colorize.film.motion import flow_shape
from colorize.film.painter import Painter
from colorize.film.plan import SEGMENT_SECONDS, Plan, listed, make_plan
from colorize.film.reading import Film, Frame, av, comment_of
from colorize.film.tracks import follow_hints, on_frame
from colorize.film.workshop import Workshop
from colorize.film.writing import SegmentWriter, assemble, check_streams
from colorize.guidance.hints import HintPixels, Hints
from colorize.recipe.work import file_digest

if TYPE_CHECKING:
    from colorize.predictor import Predictor
    from colorize.recipe.note import Recipe

# 0.57 L* from the film's lightness on average, below 2.3 in 99 % of the pixels, with grain.
CRF = 16
"""Quality of the pictures: cannot be told from the original by eye."""

BACKWARD_SECONDS = 10.0
"""A hint is followed back so far at most, because the frames before it have to be kept for that."""

Hinted = tuple[int | float, Hints]
"""Number of a frame (int) or seconds from the first (float), and what is hinted there."""


@dataclass
class FilmReport:
    """How it went.

    Attributes
    ----------
    n_frames, n_shots : int
    n_earlier : int
        Frames that earlier, interrupted runs had coloured.
    n_keys : int
        Frames of this run on which the model was asked.
    seconds : float
        Wall time of this run.
    cpu_seconds : dict of str to float
        Where the processor's time of this run went.
    notes : tuple of str
        One sentence for everything that was changed or left out.
    """

    n_frames: int = 0
    n_shots: int = 0
    n_earlier: int = 0
    n_keys: int = 0
    seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def colorize_film(
    source: str | Path,
    target: str | Path,
    colorizer: Predictor,
    recipe: Recipe,
    *,
    hints: Iterable[Hinted] = (),
    crf: int = CRF,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> FilmReport:
    """Colour a film.

    Sound, time stamps, tags and the number of frames stay what they are. Of its colours, if it has any, only the
    lightness is used. What is finished lies in a folder beside the output until all is; called again after an end of
    any kind, the work goes on there and ends with the same frames.

    Parameters
    ----------
    source : str or Path
    target : str or Path
        Ends in .mp4, .m4v, .mov or .mkv.
    colorizer : Colorizer or Predictor
    recipe : Recipe
        How colours are made (`colorize.recipe.work.make_recipe`); the digest of the film and the hints are added here.
    hints : iterable of (int or float, Hints), optional
        Each with the number of its frame (int, from 0) or with seconds from the first frame (float). They are met
        exactly on their frame and followed through their shot: forward to its end, back `BACKWARD_SECONDS`.
    crf : int
        Constant rate factor of x264, 1..40: 1 is nearly lossless and large, 16 looks like the original, 23 is common.
    overwrite : bool
        Replace an output that is there.
    progress : callable, optional
        Told a stage, how many frames are done, how many there are.

    Returns
    -------
    FilmReport

    Raises
    ------
    FilmError
        The film cannot be read, or its sound has no place in the output's container.
    HintsError
        Hints for a frame that is not there, or of another aspect ratio.
    ManifestError
        The folder beside the output holds other work, or another process works in it.
    OutputError, OutputExistsError, OutputFormatError
        The output cannot be written.

    See Also
    --------
    colorize.film.painter.Painter : Frames that come from elsewhere.
    colorize.recipe.work.make_recipe : Makes the recipe.
    """
    start, cpu = time.monotonic(), time.process_time()
    source, target = Path(source), Path(target)
    if not isinstance(crf, int) or not 1 <= crf <= 40:
        raise ValueError(f"crf must be a whole number in 1..40, got {crf!r}")
    _ = colorizer.model  # one that is not fitted says so here
    film = Film.open(source)
    notes = (*film.notes, *check_streams(film, target))
    # The order says nothing. No mapping: to a dict frame 12 and second 12.0 are one key.
    hints = sorted(map(_checked, hints), key=lambda said: (said[0], isinstance(said[0], float)))
    expected = listed(film) if hints else None
    for moment, wish in hints:
        wish.check_shape(film.shape)
        if expected is not None:
            expected.frame_at(moment, film)
    # The hints themselves would not fit into a note.
    marks = tuple({"moment": moment, "marks": len(wish)} for moment, wish in hints)
    # Of the film's bytes: another film under the same name must not be gone on with.
    recipe = replace(recipe, input_sha256=file_digest(source), said=marks)
    comment, workshop = f"{recipe.sentence()}\n{recipe.to_json()}", Workshop(target)
    is_whole = workshop.folder.is_dir() and comment_of(target).endswith(comment)  # killed while it cleared away
    _check_target(source, target, overwrite=overwrite or is_whole)
    # The lock is held until the folder is gone: a second process begins anew or not at all.
    with _one_thread(), workshop.open(_settings(recipe, hints, crf)):
        run = _Run(film, colorizer, recipe, workshop, crf, progress or silent)
        run.look(hints)
        if not is_whole:
            run.color()
            with run.meter("sound and container"):
                pieces = [workshop.segment(number) for number in range(len(run.segments))]
                assemble(film, pieces, run.plan.times, target, comment, workshop.folder / "whole.part")
        workshop.remove()
    report = run.report
    report.notes = tuple(dict.fromkeys((*notes, *run.plan.notes, *run.notes)))
    report.seconds = time.monotonic() - start
    report.cpu_seconds = {**run.meter.seconds, "all": time.process_time() - cpu}
    return report


class _Run:
    """The state of one call of `colorize_film`."""

    plan: Plan
    rate: Fraction
    painter: Painter

    def __init__(
        self, film: Film, colorizer: Predictor, recipe: Recipe, workshop: Workshop, crf: int, say: Progress
    ) -> None:
        self.film, self.workshop, self.crf, self.say = film, workshop, crf, say
        self.meter = Clock(now=time.process_time)
        self.colorizer, self.vividness = colorizer, recipe.vividness
        self.report = FilmReport()
        self.notes: tuple[str, ...] = ()
        self.exact: dict[int, HintPixels] = {}

    def look(self, hints: Sequence[Hinted]) -> None:
        """Find frames, shots, and where hints go; or remember what an earlier run found."""
        kept = self.workshop.plan()
        with self.meter("looking"):
            self.plan = make_plan(self.film, self.say) if kept is None else kept[0]
            self._place(hints)
            self.rate = self.plan.rate(self.film)
            self.tracks = self._follow() if kept is None else kept[1]
        if kept is None:
            self.workshop.keep_plan(self.plan, self.tracks)
        self.segments = self.plan.segments(max(1, round(SEGMENT_SECONDS * self.rate)))
        self.report.n_frames = self.report.n_earlier = self.plan.n_frames
        self.report.n_shots = self.plan.kinds.count(cuts.START)

    def color(self) -> None:
        """Colour all segments that are not finished."""
        n_finished = self.workshop.n_finished()
        todo = self.segments[n_finished:]
        self.painter = Painter(self.colorizer, vividness=self.vividness, rate=float(self.rate), meter=self.meter)
        self.report.n_earlier = self.segments[n_finished - 1][1] if n_finished else 0
        self.say("colouring", self.report.n_earlier, self.plan.n_frames)
        if not todo:
            return
        if n_finished:
            # The colours of the last frame, as they were: a cut in the work is none in the film.
            self.painter.state = self.workshop.state(n_finished - 1)
        # Those before are decoded though not used: decoders make frames out of them.
        frames = islice(self.film.frames(), todo[0][0], None)
        for number, (first, end) in enumerate(todo, start=n_finished):
            self._color_segment(number, frames, first, end)
        self.report.n_keys = self.painter.n_keys

    def _place(self, hints: Sequence[Hinted]) -> None:
        """Turn hints into pixels of their frames."""
        for moment, wish in hints:
            number = self.plan.frame_at(moment, self.film)
            if number in self.exact:
                raise HintsError(f"frame {number} has hints twice; name one", moment)
            pixels = wish.rasterize(self.film.shape)
            self.exact[number] = pixels
            self.notes += tuple(f"frame {number}: {note}" for note in pixels.notes)

    def _follow(self) -> NDArray[np.int32]:
        """Walk through the film once more, if there are hints to follow."""
        backward = round(BACKWARD_SECONDS * self.rate)
        if not self.exact:
            return follow_hints((), {}, self.film.shape, backward)
        size = flow_shape(self.film.shape)
        frames = (
            (frame.reduced(size), kind == cuts.START)
            for frame, kind in zip(self.film.frames(), self.plan.kinds, strict=False)
        )
        return follow_hints(frames, self.exact, self.film.shape, backward)

    def _color_segment(self, number: int, frames: Iterator[Frame], first: int, end: int) -> None:
        writer = SegmentWriter(self.workshop.segment(number), self.film, self.rate, self.crf)
        for position in range(first, end):
            with self.meter("decode"):
                frame = next(frames)
            pixels = self._colored(frame)
            with self.meter("encode"):
                writer.write(pixels)
            self.say("colouring", position + 1, self.plan.n_frames)
        if self.painter.state is not None:  # the first frame of a film starts a shot
            self.workshop.keep_state(number, self.painter.state)
        with self.meter("encode"):
            writer.close()

    def _colored(self, frame: Frame) -> NDArray[np.uint8]:
        kind = self.plan.kinds[frame.number]
        with self.meter("decode"):
            lightness = frame.lightness
        exact = self.exact.get(frame.number)
        if kind == cuts.START:
            self.painter.cut()
        if kind == cuts.HELD:
            ab = self.painter.hold(lightness, exact)
        else:
            ab = self.painter.paint(lightness, exact, on_frame(self.tracks, frame.number, self.film.shape))
        with self.meter("encode"):
            return np.asarray(lab_to_rgb(lightness, ab), np.uint8)


def _checked(said: Hinted) -> Hinted:
    """Hints with their moment in numbers of Python, which say by their type what they are."""
    is_pair = isinstance(said, (tuple, list)) and len(said) == 2 and isinstance(said[1], Hints)
    if not is_pair or not is_number(said[0]):
        raise TypeError("each of the hints must be a pair of a frame (int) or a second (float), and Hints")
    moment, wish = said
    return (int(moment) if is_integer(moment) else float(moment)), wish


def _check_target(source: Path, target: Path, *, overwrite: bool) -> None:
    if target.exists():
        # Asked even when overwriting is allowed: the film would be gone before it is read.
        if target.samefile(source):
            raise OutputExistsError(f"{target}: is the film itself; name another file")
        check_free(target, overwrite=overwrite)
    if not target.parent.is_dir():
        raise OutputError(f"{target}: there is no folder {target.parent}")


def _settings(recipe: Recipe, hints: Sequence[Hinted], crf: int) -> dict[str, Any]:
    """All that decides the frames."""
    said = "".join(f"{moment!r}\n{wish.to_json()}" for moment, wish in hints)
    digest = hashlib.sha256(said.encode()).hexdigest()
    # PyAV brings its own codecs: another version may give other frames halfway through a film.
    decided = {**asdict(recipe), "hints": digest, "crf": crf, "pyav": av.__version__}
    # Hints by their digest: the recipe has only their number.
    del decided["said"]
    return decided


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep OpenCV and the linear algebra to one thread: optical flow and sums depend on their number."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with one_thread():
            yield
    finally:
        cv2.setNumThreads(before)
