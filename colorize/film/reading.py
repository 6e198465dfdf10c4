"""Opening a film: its frames in order, upright, one after another; never by jumping, so that they are always the same.

Decoders conceal damage from what they saw before, and jump to different places in different containers. Decoding costs
about a hundredth of colouring, so a run that goes on decodes from the beginning again and passes over what is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from colorize._support.files import reason
from colorize._support.optional import import_or_raise
from colorize.color import rgb_to_lightness
from colorize.exceptions import FilmError
from colorize.types import Float32

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

av: Any = import_or_raise("av", extra="video")

# Old tags are in any encoding, and one stray byte must not refuse the film. From PyAV 19 on it keeps them unasked.
_ANY_TAGS = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}

_SOUND_GOES_ON = 0.5  # seconds by which sound often outlasts the pictures


@dataclass
class Damage:
    """What could not be read of a film."""

    n_packets: int = 0  # that the decoder refused
    end: str = ""  # why reading ended before the end; empty if it did not

    def notes(self, n_frames: int, promised: int, seconds: float, promised_seconds: float) -> tuple[str, ...]:
        """Say it for people: frames and seconds that were read, beside those that the header promises (0: none)."""
        notes = []
        if self.n_packets:
            notes.append(f"the film is damaged: {self.n_packets} pieces of it could not be decoded and are left out")
        is_early = promised_seconds - seconds > _SOUND_GOES_ON
        if self.end or n_frames < promised or is_early:
            frames = f" of {promised}" if promised > n_frames else ""
            length = f" of {promised_seconds:.1f} s" if is_early else ""
            why = f" ({self.end})" if self.end else ""
            notes.append(f"the film is cut short: {n_frames} frames{frames} ({seconds:.1f} s{length}) can be read{why}")
        return tuple(notes)


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a film.

    Attributes
    ----------
    number : int
        0 for the first.
    pts, duration : int
        Time stamp and length in units of the film's time base; a duration of 0 is unknown.
    quarter_turns : int
        Counterclockwise turns that bring it upright.
    picture : av.VideoFrame
        As decoded.
    """

    number: int
    pts: int
    duration: int
    quarter_turns: int
    picture: VideoFrame

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels, upright."""
        size = self.picture.height, self.picture.width
        return size if self.quarter_turns % 2 == 0 else size[::-1]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """Code values, shape (H, W, 3), sRGB."""
        flags = av.video.reformatter.Interpolation
        exact = flags.BICUBIC | flags.ACCURATE_RND | flags.FULL_CHR_H_INT  # the default is 0.2 L* too dark
        pixels = self.picture.to_ndarray(format="rgb24", interpolation=exact)
        return np.ascontiguousarray(np.rot90(pixels, self.quarter_turns))

    @cached_property
    def lightness(self) -> Float32:
        """CIE L*, shape (H, W); of a colour or toned film only this is used."""
        return rgb_to_lightness(self.pixels)

    def reduced(self, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """The gray of the frame at another size, upright, shape (h, w), uint8."""
        height, width = shape if self.quarter_turns % 2 == 0 else shape[::-1]
        # Scaled by FFmpeg from the luma itself: no colours are made that would be thrown away.
        small = self.picture.reformat(width=width, height=height, format="gray8", interpolation="AREA")
        return np.ascontiguousarray(np.rot90(small.to_ndarray(), self.quarter_turns))


@dataclass(frozen=True, eq=False)
class Film:
    """What the header and the first frame tell of a film.

    Attributes
    ----------
    path : Path
    shape : tuple of int
        Height and width in pixels, upright.
    time_base : Fraction
        Seconds per unit of a time stamp.
    rate : Fraction
        Frames per second, on average.
    pixel_aspect : Fraction
        Width of a pixel over its height, upright.
    n_promised : int
        Frames that the header promises; 0 if it does not.
    seconds_promised : float
        How long the film is by its header; 0 if it does not say.
    notes : tuple of str
        One sentence for everything that will be changed or left out.
    """

    path: Path
    shape: tuple[int, int]
    time_base: Fraction
    rate: Fraction
    pixel_aspect: Fraction
    n_promised: int
    seconds_promised: float
    notes: tuple[str, ...]

    @classmethod
    def open(cls, path: str | Path) -> Film:
        """Look at a film.

        Raises
        ------
        FilmError
            No such file, no film, nothing moving in it, or not one frame that can be decoded.
        """
        path = Path(path)
        with open_input(path) as container:
            stream = moving_pictures(container, path)
            frame = next(decoded(container, stream, path, Damage()), None)
            if frame is None:
                raise FilmError(f"{path}: not one frame of it can be decoded")
            aspect = stream.sample_aspect_ratio or Fraction(1)
            return cls(
                path,
                frame.shape,
                Fraction(stream.time_base or 1),
                # 25, as television in Europe has it, where no header states a rate.
                Fraction(stream.average_rate or stream.guessed_rate or 25),
                # A quarter turn makes wide pixels high ones.
                Fraction(aspect) if frame.quarter_turns % 2 == 0 else 1 / Fraction(aspect),
                stream.frames,
                # FFmpeg counts the length of containers in microseconds.
                (container.duration or 0) / 1_000_000,
                _notes(container, stream, frame),
            )

    def frames(self, damage: Damage | None = None) -> Iterator[Frame]:
        """All frames in order.

        Parameters
        ----------
        damage : Damage, optional
            Filled in with what could not be read.

        Raises
        ------
        FilmError
            The file is gone, the size of the picture changes, or time stamps are missing or stand still.
        """
        with open_input(self.path) as container:
            stream = moving_pictures(container, self.path)
            last = None
            for frame in decoded(container, stream, self.path, damage or Damage()):
                if frame.shape != self.shape:
                    raise FilmError(
                        f"{self.path}: frame {frame.number} has {frame.shape[1]} x {frame.shape[0]} pixels and the "
                        f"first {self.shape[1]} x {self.shape[0]}; cut the film where its size changes"
                    )
                # No container takes such packets; better said before the work than at its end.
                if last is not None and frame.pts <= last:
                    raise FilmError(f"{self.path}: the time does not advance at frame {frame.number}; remux the film")
                last = frame.pts
                yield frame


def open_input(path: Path) -> InputContainer:
    """Open a film for reading, or raise the `FilmError` that there is none."""
    try:
        return av.open(str(path), **_ANY_TAGS)
    except av.FFmpegError as error:
        # FFmpeg's own words for a folder or a missing file differ between systems.
        if isinstance(error, OSError) and not path.is_file():
            raise FilmError(f"{path}: {'a folder, no film' if path.is_dir() else 'no such file'}") from error
        raise FilmError(f"{path}: not a film that can be read ({reason(error)})") from error


def comment_of(path: Path) -> str:
    """The comment among the tags of a film; empty if there is none, or no film."""
    try:
        with open_input(path) as container:
            return next((value for name, value in container.metadata.items() if name.lower() == "comment"), "")
    except FilmError:
        return ""


def moving_pictures(container: InputContainer, path: Path) -> VideoStream:
    """The first stream of moving pictures; covers of albums are none. `FilmError` if there is no stream or decoder."""
    for stream in container.streams.video:
        if av.stream.Disposition.attached_pic not in stream.disposition:
            if stream.codec_context is None:
                raise FilmError(f"{path}: there is no decoder for its moving pictures")
            # with several threads, what is made of damaged frames depends on their timing
            stream.codec_context.thread_type, stream.codec_context.thread_count = "NONE", 1
            return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams}))
    raise FilmError(f"{path}: no moving pictures in it{f' ({kinds} only)' if kinds else ''}")


def packets_of(container: InputContainer, *streams: Stream, damage: Damage) -> Iterator[Packet[Any]]:
    """Packets of streams; nothing can be found behind a place where the container itself is torn."""
    try:
        yield from container.demux(*streams)
    except av.FFmpegError as error:
        damage.end = reason(error)


def decoded(container: InputContainer, stream: VideoStream, path: Path, damage: Damage) -> Iterator[Frame]:
    """Frames of a stream as far as they can be decoded."""
    number = 0
    for packet in packets_of(container, stream, damage=damage):
        try:
            pictures = packet.decode()
        except av.FFmpegError:
            # The decoder goes on at the next packet, and conceals what it misses.
            damage.n_packets += 1
            continue
        for picture in pictures:
            if picture.pts is None:
                raise FilmError(f"{path}: frame {number} has no time stamp; remux the film into a container that has")
            yield Frame(number, picture.pts, picture.duration or 0, round(picture.rotation / 90) % 4, picture)
            number += 1


def _notes(container: InputContainer, stream: VideoStream, frame: Frame) -> tuple[str, ...]:
    """What is about to be changed or left out."""
    notes = []
    parts = frame.picture.format.components
    if parts[0].bits > 8:
        notes.append(f"{parts[0].bits} bits per channel are read as 8")
    if any(part.is_alpha for part in parts):
        notes.append("opacity is left out")
    if frame.picture.interlaced_frame:
        notes.append("the film is interlaced and is coloured and written frame by frame, as progressive")
    if frame.quarter_turns:
        notes.append("the film is turned upright")
    others = sum(other.type not in ("audio", "subtitle") for other in container.streams if other is not stream)
    if others:
        notes.append(f"{others} other streams (covers, further pictures, data) are left out")
    return tuple(notes)
