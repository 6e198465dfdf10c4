"""Small clips: a window that moves over a photograph, written as a film of any kind."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

SHAPE = (96, 128)


@pytest.fixture(scope="session")
def pan(pictures):
    """A function that makes so many gray frames of a window moving over a photograph, `step` columns a frame."""

    def make(name, count, *, step=1, shape=SHAPE, grain=1.0):
        gray = pictures[name][..., 1]
        large = cv2.resize(gray, (shape[1] * 2, shape[0] * 2), interpolation=cv2.INTER_AREA)
        rng = np.random.default_rng(0)
        frames = []
        for number in range(count):
            left = number * step
            frame = large[20 : 20 + shape[0], left : left + shape[1]] + rng.normal(0, grain, shape)
            frames.append(np.clip(frame, 0, 255).astype(np.uint8))
        return frames

    return make


@pytest.fixture(scope="session")
def write_film():
    """A function that writes frames, (H, W) gray or (H, W, 3) sRGB, as a film, by default with sound."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")

    def write(
        path, frames, *, rate=12, pts=None, time_base=None, codec="libx264", pixels="yuv420p", sound="aac", **more
    ):
        with av.open(str(path), "w") as container:
            video = container.add_stream(codec, rate=rate)
            video.height, video.width, video.pix_fmt = *frames[0].shape[:2], pixels
            time_base = time_base or Fraction(1, rate)
            video.codec_context.time_base = video.time_base = time_base
            if codec == "libx264":
                video.options = {"qp": "0" if pixels == "gray" else "8", "preset": "ultrafast", "bf": "2"}
            if "aspect" in more:
                video.sample_aspect_ratio = more["aspect"]
            if "turn" in more:
                video.set_display_rotation(more["turn"])
            container.metadata.update(more.get("tags", {}))
            audio = container.add_stream(sound, rate=8000, layout="mono") if sound else None
            for number, frame in enumerate(frames):
                picture = av.VideoFrame.from_ndarray(frame, format="gray8" if frame.ndim == 2 else "rgb24")
                picture = picture.reformat(format=pixels)
                picture.pts, picture.time_base = number if pts is None else pts[number], time_base
                container.mux(video.encode(picture))
            container.mux(video.encode(None))
            if audio:
                _write_tone(av, container, audio, len(frames) / rate)
        return path

    return write


def _write_tone(av, container, audio, seconds):
    tone = (np.sin(np.arange(int(8000 * seconds)) / 9) * 9000).astype(np.int16)
    for start in range(0, len(tone), 1000):
        frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1000], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 8000, start
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))
