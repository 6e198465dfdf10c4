"""What is written: exact colours, sound bit for bit, all times."""

from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra `video` is not installed")

from colorize.color import rgb_to_lab  # noqa: E402
from colorize.exceptions import FilmError, OutputError  # noqa: E402
from colorize.film.reading import Film, open_input  # noqa: E402
from colorize.film.writing import SegmentWriter, assemble, check_streams, to_yuv  # noqa: E402

pytestmark = pytest.mark.video


def segment(path, film, frames, crf=8):
    writer = SegmentWriter(path, film, film.rate, crf)
    for frame in frames:
        writer.write(frame)
    writer.close()
    return path


def packets(path, kind):
    with av.open(str(path)) as container:
        stream = container.streams.get({kind: 0})[0]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


@pytest.fixture
def colors(pictures):
    return pictures["coffee"][:96, :128]


@pytest.mark.parametrize("shape", [(96, 128), (95, 127), (96, 127)])
def test_colours_come_back(write_film, pan, colors, tmp_path, shape):
    film = Film.open(
        write_film(tmp_path / "a.mkv", pan("coffee", 1, shape=shape), codec="ffv1", pixels="gray", sound=None)
    )
    film = Film.open(segment(tmp_path / "s.mp4", film, [colors[: shape[0], : shape[1]]], crf=1))
    frame = next(film.frames())
    assert frame.shape == shape
    error = rgb_to_lab(frame.pixels) - rgb_to_lab(colors[: shape[0], : shape[1]])
    assert np.abs(error[..., 0]).mean() < 0.6  # colour at half the size, 8 bits
    assert abs(error[..., 0].mean()) < 0.05
    assert np.abs(error[..., 1:]).mean() < (2.0 if shape == (96, 128) else 1.0)


def test_conversion_matches_the_definition():
    pixels = np.uint8([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]])  # odd: not subsampled
    assert to_yuv(pixels).squeeze().T.tolist() == [[63, 102, 240], [173, 42, 26], [32, 240, 118]]  # BT.709, table


def test_even_colours_stay_even():
    planes = to_yuv(np.full((4, 6, 3), (200, 100, 50), np.uint8))
    assert planes.shape == (6, 6)
    assert [np.unique(part).size for part in (planes[:4], planes[4:5], planes[5:])] == [1, 1, 1]


def test_nothing_is_there_before_the_end(write_film, pan, colors, tmp_path):
    film = Film.open(write_film(tmp_path / "a.mp4", pan("coffee", 2)))
    writer = SegmentWriter(tmp_path / "s.mp4", film, film.rate, 16)
    writer.write(colors)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4"]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_is_copied_bit_for_bit(write_film, pan, colors, tmp_path, suffix):
    path = write_film(
        tmp_path / f"a{suffix}", pan("coffee", 12), tags={"title": "Old film", "comment": "found in 1932"}
    )
    film = Film.open(path)
    times = [(frame.pts, frame.duration) for frame in film.frames()]
    parts = [segment(tmp_path / f"{n}.mp4", film, [colors] * count) for n, count in enumerate((5, 7))]
    target = tmp_path / f"out{suffix}"
    assemble(film, parts, times, target, "simulated", tmp_path / "passing")
    assert packets(target, "audio") == packets(path, "audio")
    assert len(packets(target, "audio")) > 5
    assert [second for second, _ in packets(target, "video")] == [Fraction(pts) * film.time_base for pts, _ in times]
    with av.open(str(target)) as container:
        tags = {name.lower(): value for name, value in container.metadata.items()}
        assert (tags["title"], tags["comment"]) == ("Old film", "found in 1932\nsimulated")
        assert len(list(container.decode(video=0))) == 12


def test_tags_in_another_encoding_refuse_no_film(write_film, pan, colors, tmp_path):
    path = write_film(tmp_path / "a.mp4", pan("coffee", 2), tags={"title": "Cafe 1932"})
    path.write_bytes(path.read_bytes().replace(b"Cafe 1932", b"Caf\xe9 1932"))  # Latin-1
    film = Film.open(path)
    times = [(frame.pts, frame.duration) for frame in film.frames()]
    part = segment(tmp_path / "0.mp4", film, [colors] * 2)
    assemble(film, [part], times, tmp_path / "out.mp4", "simulated", tmp_path / "passing")
    with open_input(tmp_path / "out.mp4") as container:
        assert container.metadata["title"].startswith("Caf")
        assert container.metadata["title"].endswith(" 1932")


def test_sound_without_a_place_is_refused_before_the_work(write_film, pan, tmp_path):
    film = Film.open(write_film(tmp_path / "a.avi", pan("coffee", 2), sound="pcm_s16le", codec="mpeg4"))
    assert check_streams(film, tmp_path / "out.mkv") != ()  # times in ms
    other = Film.open(write_film(tmp_path / "a.avi", pan("coffee", 2), sound="pcm_mulaw", codec="mpeg4"))
    assert check_streams(other, tmp_path / "out.mov") == ()
    with pytest.raises(FilmError, match=r"\.mp4 cannot hold the sound of .*a\.avi \(pcm_mulaw\).*\.mkv"):
        check_streams(other, tmp_path / "out.mp4")


def test_what_the_disk_refuses_is_one_error(write_film, pan, colors, tmp_path):
    film = Film.open(write_film(tmp_path / "a.mp4", pan("coffee", 2)))
    with pytest.raises(OutputError, match="cannot be written"):
        segment(tmp_path / "none" / "s.mp4", film, [colors])
