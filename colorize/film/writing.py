"""Writing a film: segments of coloured frames, and all of them together with the sound of the original.

Pictures are H.264 by x264 without B-frames, so that packets come in the order of frames and segments can be put
together as they are; one thread, so that equal frames give equal bytes on every machine.
"""

from __future__ import annotations

import heapq
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize._support.files import refusals, write_atomically
from colorize._support.formats import container_format
from colorize.exceptions import FilmError, OutputError
from colorize.film.reading import Damage, Film, av, moving_pictures, open_input, packets_of

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

_UNWRITABLE = ("cannot be written", OutputError, (OSError, av.FFmpegError))

_BT709 = 1  # matrix, primaries and curve; sRGB has the same primaries
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_BLUE, _RED = (np.eye(3)[2] - _LUMA) / 1.8556, (np.eye(3)[0] - _LUMA) / 1.5748
# Limited range: 16..235 for luma, 16..240 for colour, as players expect unless told otherwise.
_TO_YUV = np.column_stack([np.array([219 * _LUMA, 224 * _BLUE, 224 * _RED]) / 255, [16, 128, 128]]).astype(np.float32)
_LIMITED = 1
_PRESET = "medium"
_FINE_COLOR = "chroma-qp-offset=-12"  # a fifth less flicker of colours in the file, for 2 % of its size


def pixel_format(shape: tuple[int, int]) -> str:
    """Colour at half the size where height and width are even; at full size where they are not, as H.264 demands."""
    return "yuv420p" if shape[0] % 2 == 0 and shape[1] % 2 == 0 else "yuv444p"


def to_yuv(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels, shape (H, W, 3), sRGB, as PyAV wants frames of `pixel_format`: BT.709, limited range.

    Written here because FFmpeg's own conversion rounds down, which is up to 0.5 L* in colours. With half the size,
    colour lies at every second column, between two rows, where H.264 has it.

    Examples
    --------
    >>> to_yuv(np.full((2, 2, 3), 255, np.uint8)).tolist()
    [[235, 235], [235, 235], [128, 128]]
    """
    shape = pixels.shape[:2]
    planes = cv2.transform(pixels.astype(np.float32), _TO_YUV)
    if pixel_format(shape) == "yuv444p":
        return np.ascontiguousarray(_rounded(planes).transpose(2, 0, 1))
    kernel = np.array([[1, 2, 1], [1, 2, 1]], np.float32) / 8
    chroma = cv2.filter2D(planes[..., 1:], -1, kernel, anchor=(1, 0), borderType=cv2.BORDER_REPLICATE)[::2, ::2]
    parts = [planes[..., 0], chroma[..., 0], chroma[..., 1]]
    return _rounded(np.concatenate([part.ravel() for part in parts])).reshape(-1, shape[1])


def _rounded(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    # The cast cuts off what is behind the point.
    return np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)


class SegmentWriter:
    """Encodes frames, of the size and pixel shape of a film, into a file; it has no name before `close`.

    `rate` is in frames per second, on average; `crf` is as for `colorize.film.run.colorize_film`.
    """

    def __init__(self, path: Path, film: Film, rate: Fraction, crf: int) -> None:
        self.path = path
        self._n_frames = 0
        # In memory, where seconds of a film take some megabytes: what is given up leaves nothing behind.
        self._packed = io.BytesIO()
        with refusals(path, *_UNWRITABLE):
            # MP4 whatever the output is: segments are only packets to be copied.
            self._container: OutputContainer = av.open(self._packed, "w", format="mp4")
            self._stream = self._container.add_stream("libx264", rate=rate.limit_denominator(60_000))
            stream = self._stream
            stream.height, stream.width = film.shape
            stream.pix_fmt = pixel_format(film.shape)
            stream.sample_aspect_ratio = film.pixel_aspect
            stream.options = {"crf": str(crf), "preset": _PRESET, "bf": "0", "x264-params": _FINE_COLOR}
            context = stream.codec_context
            context.thread_count = 1
            # Stated, since players guess BT.601 for small pictures.
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            context.color_range = _LIMITED
            context.time_base = 1 / Fraction(stream.codec_context.rate or rate)

    def write(self, pixels: NDArray[np.uint8]) -> None:
        """Encode a frame, shape (H, W, 3), sRGB."""
        frame = av.VideoFrame.from_ndarray(to_yuv(pixels), format=self._stream.pix_fmt)
        frame.pts = self._n_frames
        self._n_frames += 1
        with refusals(self.path, *_UNWRITABLE):
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file and give it its name."""
        with refusals(self.path, *_UNWRITABLE):
            self._container.mux(self._stream.encode(None))
            self._container.close()
        write_atomically(self.path, [self._packed.getvalue()])


def check_streams(film: Film, target: Path) -> tuple[str, ...]:
    """Refuse, by `FilmError`, a container that cannot hold the sound; tell of subtitles that it cannot hold."""
    # Only an open container says what it can hold; this one is written nowhere.
    with av.open(io.BytesIO(), "w", format=container_format(target)) as output:
        known = output.supported_codecs
    notes = []
    with open_input(film.path) as container:
        for stream in container.streams:
            if stream.type not in ("audio", "subtitle") or _codec(stream) in known:
                continue
            if stream.type == "audio":
                raise FilmError(
                    f"{target}: {target.suffix} cannot hold the sound of {film.path} ({_codec(stream)}) as it is; "
                    "name an output that ends in .mkv"
                )
            notes.append(f"subtitles of kind {_codec(stream)} have no place in {target.suffix} and are left out")
    in_ms = film.time_base * 1000
    if target.suffix.lower() == ".mkv" and in_ms.denominator != 1:
        notes.append("Matroska keeps time stamps to a millisecond")
    return tuple(notes)


def assemble(
    film: Film, segments: Sequence[Path], times: Sequence[tuple[int, int]], target: Path, comment: str, passing: Path
) -> None:
    """Put segments and the sound of the original together.

    Parameters
    ----------
    film : Film
        The original: sound and subtitles are copied from it packet by packet, tags and chapters as they are.
    segments : sequence of Path
        Files of `SegmentWriter`, in order.
    times : sequence of (int, int)
        Time stamp and length of every frame, in units of ``film.time_base``.
    target : Path
        Replaced if it is there; nothing is there under its name before all is written.
    comment : str
        Added to the comment that the original has.
    passing : Path
        Written first, on the same disk.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    with (
        refusals(target, *_UNWRITABLE),
        open_input(film.path) as source,
        open_input(segments[0]) as first,
        av.open(str(passing), "w", format=container_format(target)) as output,
    ):
        pictures = moving_pictures(source, film.path)
        copies: dict[int, Stream] = {}
        for stream in source.streams:
            if stream is pictures:
                video = output.add_stream_from_template(first.streams.video[0])
                # The film's own, so that time stamps are copied and not converted.
                video.time_base = film.time_base
                video.metadata.update(stream.metadata)
            elif stream.type in ("audio", "subtitle") and _codec(stream) in output.supported_codecs:
                copies[stream.index] = output.add_stream_from_template(stream)
                copies[stream.index].time_base = stream.time_base
                copies[stream.index].metadata.update(stream.metadata)
        output.metadata.update(_tags(source.metadata, comment))
        if source.chapters():
            output.set_chapters(source.chapters())
        painted = _painted(segments, times, film.time_base, video)
        # In order of time: players read ahead a little only, and would wait for sound that comes late.
        for _, packet in heapq.merge(painted, _copied(source, copies), key=lambda item: item[0]):
            output.mux(packet)
    with refusals(target, *_UNWRITABLE):
        with open(passing, "rb+") as file:  # Windows syncs only what could be written to
            # Else a power cut can leave the name with no content behind it.
            os.fsync(file.fileno())
        os.replace(passing, target)


def _painted(
    segments: Sequence[Path], times: Sequence[tuple[int, int]], time_base: Fraction, video: VideoStream
) -> Iterator[tuple[Fraction, Packet[Any]]]:
    """Packets of the coloured frames with the times of the original, each with its second."""
    remaining = iter(times)
    for segment in segments:
        with open_input(segment) as container:
            for packet in container.demux(container.streams.video[0]):
                # The last packet of a stream is empty and means its end.
                if packet.size:
                    pts, duration = next(remaining)
                    packet.stream, packet.time_base = video, time_base
                    # The same, because without B-frames nothing is decoded ahead of its turn.
                    packet.pts = packet.dts = pts
                    packet.duration = duration
                    yield pts * time_base, packet


def _copied(source: Any, copies: Mapping[int, Stream]) -> Iterator[tuple[Fraction, Packet[Any]]]:
    """Packets of sound and subtitles, as far as they can be read."""
    if not copies:
        return
    streams = [stream for stream in source.streams if stream.index in copies]
    for packet in packets_of(source, *streams, damage=Damage()):  # that was said already of the pictures
        time = packet.pts if packet.dts is None else packet.dts
        if time is None:  # the sign of the end of a stream
            continue
        packet.stream = copies[packet.stream_index]
        yield time * packet.time_base, packet


def _tags(metadata: Mapping[str, str], comment: str) -> dict[str, str]:
    """Tags of the original, with the note about colours behind its own comment."""
    own = [value.strip() for name, value in metadata.items() if name.lower() == "comment" and value.strip()]
    others = {name: value for name, value in metadata.items() if name.lower() != "comment"}
    # One comment under one spelling: containers keep one of several, and not always ours.
    return {**others, "comment": "\n".join([*own, comment])}


def _codec(stream: Stream) -> str:
    context = stream.codec_context
    return "unknown" if context is None else str(context.codec.canonical_name)


def durations(pts: Sequence[int], given: Iterable[int]) -> list[int]:
    """Length of every frame; where it is unknown, up to the next one, and the last as long as the one before.

    Examples
    --------
    >>> durations([0, 40, 120], [0, 0, 0])
    [40, 80, 80]
    """
    found: list[int] = []
    for number, length in enumerate(given):
        if number + 1 < len(pts):
            length = length or pts[number + 1] - pts[number]
        found.append(length or (found[-1] if found else 1))
    return found
