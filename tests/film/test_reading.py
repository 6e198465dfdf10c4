"""Opening films of many kinds, and files that are none."""

from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra `video` is not installed")

from colorize.color import rgb_to_lab, rgb_to_lightness  # noqa: E402
from colorize.exceptions import FilmError  # noqa: E402
from colorize.film.plan import make_plan  # noqa: E402
from colorize.film.reading import Damage, Film  # noqa: E402

pytestmark = pytest.mark.video


def quiet(stage, done, total):
    pass


@pytest.fixture
def frames(pan):
    return pan("coffee", 6, step=2)


def test_gray_without_loss_is_read_exactly(write_film, frames, tmp_path):
    film = Film.open(write_film(tmp_path / "a.mkv", frames, codec="ffv1", pixels="gray", sound=None))
    for frame, expected in zip(film.frames(), frames, strict=True):
        assert np.abs(frame.lightness - rgb_to_lightness(np.repeat(expected[..., None], 3, axis=2))).max() < 0.3


def test_header(write_film, frames, tmp_path):
    film = Film.open(write_film(tmp_path / "a.mp4", frames, rate=12, aspect=Fraction(4, 3)))
    assert (film.shape, film.rate, film.pixel_aspect, film.n_promised) == ((96, 128), 12, Fraction(4, 3), 6)
    assert film.notes == ()
    assert [frame.pts * film.time_base for frame in film.frames()] == [Fraction(n, 12) for n in range(6)]


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_turned_films_are_read_upright(write_film, pictures, tmp_path, turn):
    upright = pictures["coffee"][:96, :128]
    stored = np.ascontiguousarray(np.rot90(upright, -turn // 90))  # shown turned counterclockwise by `turn`
    path = write_film(tmp_path / "a.mp4", [stored], sound=None, turn=turn, aspect=Fraction(2, 1))
    film = Film.open(path)
    assert film.shape == (96, 128)
    assert film.pixel_aspect == (Fraction(2) if turn == 180 else Fraction(1, 2))
    frame = next(film.frames())
    assert np.abs(frame.lightness - rgb_to_lightness(upright)).mean() < 1.5  # what the codec costs
    assert np.abs(frame.reduced((48, 64)).mean() - np.mean(upright @ [0.299, 0.587, 0.114])) < 20
    assert frame.reduced((48, 64)).shape == (48, 64)
    assert "the film is turned upright" in film.notes


@pytest.mark.parametrize(
    ("pixels", "codec", "note"),
    [
        ("yuv420p10le", "libx264", "10 bits per channel are read as 8"),
        ("yuva420p", "ffv1", "opacity is left out"),
        ("yuv444p", "libx264", None),
        ("rgb24", "huffyuv", None),
        ("gray16le", "ffv1", "16 bits per channel are read as 8"),
    ],
)
def test_kinds_of_pixels(write_film, pictures, tmp_path, pixels, codec, note):
    colors = pictures["coffee"][:96, :128]
    suffix = ".avi" if codec == "huffyuv" else ".mkv"
    film = Film.open(write_film(tmp_path / f"a{suffix}", [colors] * 2, codec=codec, pixels=pixels, sound=None))
    lightness = next(film.frames()).lightness
    assert np.abs(lightness - rgb_to_lightness(colors)).mean() < 2
    assert film.notes == (() if note is None else (note,))


def test_of_colours_only_lightness_is_read(write_film, pictures, tmp_path):
    colors = pictures["coffee"][:96, :128]
    film = Film.open(write_film(tmp_path / "a.avi", [colors], codec="huffyuv", pixels="rgb24", sound=None))
    frame = next(film.frames())
    assert np.array_equal(frame.lightness, rgb_to_lab(colors)[..., 0])


@pytest.mark.parametrize("name", ["text.mp4", "empty.mp4"])
def test_no_film(tmp_path, name):
    (tmp_path / name).write_bytes(b"" if name == "empty.mp4" else b"not a film at all, but a letter\n" * 30)
    with pytest.raises(FilmError, match="not a film that can be read"):
        Film.open(tmp_path / name)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FilmError, match="no such file"):
        Film.open(tmp_path / "none.mp4")
    with pytest.raises(FilmError, match="folder"):
        Film.open(tmp_path)


def test_sound_alone(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        audio = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    with pytest.raises(FilmError, match=r"no moving pictures in it \(audio only\)"):
        Film.open(tmp_path / "a.mp4")


def test_no_frames(write_film, frames, tmp_path):
    path = write_film(tmp_path / "a.mkv", frames, sound=None)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75") + 40])  # the beginning of the first frame
    with pytest.raises(FilmError, match="not one frame of it can be decoded"):
        Film.open(path)
    with av.open(str(tmp_path / "b.mov"), "w") as container:
        video = container.add_stream("libx264", rate=12)
        video.height, video.width, video.pix_fmt = 96, 128, "yuv420p"
        container.start_encoding()
    with pytest.raises(FilmError, match=r"no moving pictures in it$"):
        Film.open(tmp_path / "b.mov")


def test_film_that_is_cut_short_is_read_so_far(write_film, pan, tmp_path):
    path = write_film(tmp_path / "a.mkv", pan("coffee", 24), sound=None)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    film = Film.open(path)
    damage = Damage()
    n_frames = len(list(film.frames(damage)))
    assert 6 < n_frames < 20
    moov = write_film(tmp_path / "b.mp4", pan("coffee", 24), sound=None)
    moov.write_bytes(moov.read_bytes()[: moov.stat().st_size * 6 // 10])
    with pytest.raises(FilmError, match="not a film that can be read"):
        Film.open(moov)


def test_damaged_pictures_are_told(write_film, pan, tmp_path):
    path = write_film(tmp_path / "a.mkv", pan("coffee", 24), sound=None, codec="ffv1", pixels="gray")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    plan = make_plan(Film.open(path), quiet)
    assert 5 < plan.n_frames <= 24
    assert plan.n_frames == 24 or "cut short" in plan.notes[-1]


def test_promised_frames_that_are_missing_are_told():
    assert Damage().notes(24, 24, 2.0, 2.0) == ()
    assert Damage().notes(24, 0, 2.0, 2.3) == ()  # sound is often a little longer
    (note,) = Damage().notes(10, 24, 0.8, 2.0)
    assert note == "the film is cut short: 10 frames of 24 (0.8 s of 2.0 s) can be read"
    (note,) = Damage(end="Invalid data").notes(10, 0, 0.8, 0.8)
    assert note == "the film is cut short: 10 frames (0.8 s) can be read (Invalid data)"
    assert "3 pieces" in Damage(n_packets=3).notes(24, 24, 2.0, 2.0)[0]


def test_size_that_changes_is_refused(write_film, pan, tmp_path):
    parts = [write_film(tmp_path / f"{h}.ts", pan("coffee", 4, shape=(h, 128)), sound=None) for h in (96, 64)]
    (tmp_path / "a.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(FilmError, match="has 128 x 64 pixels and the first 128 x 96"):
        list(Film.open(tmp_path / "a.ts").frames())
