"""`colorize film`: options, names of hints, exit status, one line per error."""

import numpy as np
import pytest
from PIL import Image

from colorize.cli.film import read_moments
from colorize.exceptions import HintsError

pytestmark = [pytest.mark.extras, pytest.mark.usefixtures("workplace")]

SHAPE = (48, 64)


def layer(path, shape=SHAPE):
    pixels = np.zeros((*shape, 4), np.uint8)
    pixels[10:20, 10:20] = (200, 30, 30, 255)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_hints_are_named_after_their_frames(workplace):
    folder = workplace / "hints"
    for name in ("000123.png", "7.png", "12.5s.png", "7s.png"):
        layer(folder / name)
    (folder / "notes.txt").write_text("no hints")
    (folder / "._7.png").write_bytes(b"what macOS leaves beside a file on other disks")
    (folder / "8.png").mkdir()
    found = read_moments(folder, SHAPE)
    assert {str(moment): file.name for file, (moment, _) in found.values()} == {
        "12.5": "12.5s.png", "123": "000123.png", "7": "7.png", "7.0": "7s.png"
    }  # fmt: skip
    assert [moment for _, (moment, _) in read_moments(folder / "7.png", SHAPE).values()] == [7]


@pytest.mark.parametrize(
    ("name", "message"),
    [("face.png", "name it after its frame"), ("-3.png", "name it after its frame"), ("1.5.png", "name it after")],
)
def test_names_that_say_no_frame(workplace, name, message):
    with pytest.raises(HintsError, match=message):
        read_moments(layer(workplace / "hints" / name).parent, SHAPE)


def test_hints_that_are_none(workplace):
    with pytest.raises(HintsError, match="no such file or folder"):
        read_moments(workplace / "none", SHAPE)
    (workplace / "empty").mkdir()
    with pytest.raises(HintsError, match="no hints in this folder"):
        read_moments(workplace / "empty", SHAPE)
    layer(workplace / "two" / "7.png")
    layer(workplace / "two" / "007.png")
    with pytest.raises(HintsError, match="other hints for the same frame"):
        read_moments(workplace / "two", SHAPE)
    with pytest.raises(HintsError, match=r"5\.png.*aspect ratio"):
        read_moments(layer(workplace / "wrong" / "5.png", (30, 90)), SHAPE)


@pytest.fixture
def film(write_film, workplace):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, SHAPE, np.uint8) // 2 + 60 for _ in range(3)]
    return write_film(workplace / "old.mp4", frames)


@pytest.mark.video
def test_a_film(run, film, tiny_model, monkeypatch):
    monkeypatch.setattr("colorize.cli._shared._SECONDS_BETWEEN_LINES", 1e9)  # the machine may be slow
    result = run("film", "old.mp4", "new.mp4", "--model", tiny_model)
    assert result.stdout.startswith("old.mp4 -> new.mp4: 3 frames, ")
    assert result.stderr == ""
    assert run("film", "old.mp4", "new.mp4", "--model", tiny_model, "--force", "--quiet").output == ""


@pytest.mark.video
def test_one_frame_is_no_frames(run, write_film, workplace, tiny_model):
    write_film(workplace / "one.mp4", [np.full(SHAPE, 90, np.uint8)])
    assert ": 1 frame, 1 shot; " in run("film", "one.mp4", "new.mp4", "--model", tiny_model).stdout


@pytest.mark.video
def test_errors_are_one_line(run, film, workplace, tiny_model):
    layer(workplace / "hints" / "00099.png")
    for name in ("0s", "000000"):
        layer(workplace / "same" / f"{name}.png")
    (workplace / "letter.mp4").write_text("not a film")
    (workplace / "there.mp4").write_text("mine")
    for arguments, message in (
        (("letter.mp4", "new.mp4"), "Error: letter.mp4: not a film that can be read"),
        (("none.mp4", "new.mp4"), "Error: none.mp4: no such file"),
        (("old.mp4", "new.avi"), "Error: new.avi: films are written as .mp4, .m4v, .mov, .mkv"),
        (("old.mp4", "there.mp4"), "Error: there.mp4: exists already; name another output or add --force"),
        (
            ("old.mp4", "new.mp4", "--hints", "hints"),
            "Error: hints/00099.png: there is no frame 99: the film has 3, numbered 0 to 2",
        ),
        (("old.mp4", "new.mp4", "--hints", "same"), "Error: same/0s.png: frame 0 has hints twice; name one"),
        (("old.mp4", "new.mp4", "--model", "none"), "Error: "),
    ):
        result = run("film", *arguments, *(() if "--model" in arguments else ("--model", tiny_model)), status=1)
        assert result.stderr.startswith(message)
        assert result.stderr.count("\n") == 1
    assert not (workplace / "new.mp4.part").exists()
    assert run("film", "old.mp4", "none/new.mp4", status=2).stderr.count("there is no folder") == 1
    assert run("film", "old.mp4", "new.mp4", "--crf", "0", status=2)


def test_missing_pyav_is_one_line(run, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "colorize.film.reading", raising=False)
    result = run("film", "old.mp4", "new.mp4", status=1)
    assert result.stderr == "Error: av is not installed; install it from the checkout: pip install '.[video]'\n"
