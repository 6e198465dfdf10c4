"""Whole films: what stays, what is refused, going on after any end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra `video` is not installed")

from sklearn.exceptions import NotFittedError  # noqa: E402

from colorize import Colorizer  # noqa: E402
from colorize.color import map_to_gamut, rgb_to_lab  # noqa: E402
from colorize.exceptions import HintsError, ManifestError, OutputExistsError  # noqa: E402
from colorize.film import plan, run  # noqa: E402
from colorize.film.painter import Painter  # noqa: E402
from colorize.film.reading import Film, comment_of  # noqa: E402
from colorize.film.run import colorize_film  # noqa: E402
from colorize.film.workshop import Workshop  # noqa: E402
from colorize.guidance.hints import Hints, Mark  # noqa: E402
from colorize.recipe.note import Recipe  # noqa: E402
from colorize.recipe.work import make_recipe  # noqa: E402

pytestmark = pytest.mark.video

COMMAND = [sys.executable, "-c", "from colorize.cli import main; main()", "film"]


@pytest.fixture
def color(tiny_model, tiny_colorizer):
    """A function that colours a film with the tiny model."""

    def color(source, target, vividness=0.5, **options):
        recipe = make_recipe(tiny_model, tiny_colorizer, vividness=vividness)
        return colorize_film(source, target, tiny_colorizer, recipe, **options)

    return color


@pytest.fixture
def short_segments(monkeypatch):
    monkeypatch.setattr(plan, "SEGMENT_SECONDS", 0.5)
    monkeypatch.setattr(run, "SEGMENT_SECONDS", 0.5)


@pytest.fixture
def film(write_film, pan, tmp_path):
    """Two shots of 9 and 7 frames, 12 a second, with sound."""
    return write_film(tmp_path / "a.mp4", [*pan("china", 9), *pan("coffee", 7)])


def frames_of(path):
    return [frame.pixels for frame in Film.open(path).frames()]


def same(first, second):
    return len(first) == len(second) and all(map(np.array_equal, first, second))


def test_what_stays_and_what_is_noted(color, film, tmp_path):
    target = tmp_path / "out.mp4"
    report = color(film, target)
    assert (report.n_frames, report.n_shots, report.n_earlier) == (16, 2, 0)
    before, after = Film.open(film), Film.open(target)
    pairs = list(zip(before.frames(), after.frames(), strict=True))
    assert [a.pts for a, _ in pairs] == [b.pts for _, b in pairs]
    assert before.time_base == after.time_base
    assert np.mean([np.abs(a.lightness - b.lightness).mean() for a, b in pairs]) < 1  # of the codec
    assert min(np.linalg.norm(rgb_to_lab(b.pixels)[..., 1:], axis=2).mean() for _, b in pairs) > 3  # it has colours
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4", "out.mp4"]
    with av.open(str(target)) as container:
        sentence, recipe = container.metadata["comment"].splitlines()
    assert "simulated" in sentence
    assert Recipe.from_json(recipe).model == "tiny"


def test_lightness_is_exact_in_the_array(color, film, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(run.SegmentWriter, "write", lambda self, pixels: written.append(pixels))
    monkeypatch.setattr(run.SegmentWriter, "close", lambda self: None)
    monkeypatch.setattr(run, "assemble", lambda *arguments: None)
    color(film, tmp_path / "out.mp4")
    for frame, pixels in zip(Film.open(film).frames(), written, strict=True):
        assert np.abs(rgb_to_lab(pixels)[..., 0] - frame.lightness).max() < 0.3  # rounding to 8 bits


def test_times_of_any_rate_are_kept(color, write_film, pan, tmp_path):
    pts = [0, 1, 2, 10, 11, 30, 31, 33, 40, 41]
    film = write_film(tmp_path / "a.mp4", pan("coffee", 10), pts=pts, time_base=Fraction(1, 30), sound=None)
    color(film, tmp_path / "out.mp4")
    seconds = [[frame.pts * f.time_base for frame in f.frames()] for f in map(Film.open, (film, tmp_path / "out.mp4"))]
    assert seconds[0] == [Fraction(n, 30) for n in pts]
    assert seconds[1] == seconds[0]


def test_twice_the_same_bytes(color, film, tmp_path):
    for name in ("one.mp4", "two.mp4"):
        color(film, tmp_path / name)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


@pytest.mark.parametrize("shape", [(8, 8), (16, 1600), (1600, 16)])
def test_a_film_too_small_for_optical_flow(color, write_film, pan, tmp_path, shape):
    film = write_film(tmp_path / "small.mp4", [np.resize(frame, shape) for frame in pan("china", 3)], sound=None)
    assert color(film, tmp_path / "out.mp4").n_frames == 3
    assert [frame.shape for frame in frames_of(tmp_path / "out.mp4")] == [(*shape, 3)] * 3


def test_turned_odd_and_toned_film(color, write_film, pictures, tmp_path):
    sepia = (pictures["coffee"][:99, :129, 1:2] / 255.0 * [230, 200, 150]).astype(np.uint8)
    film = write_film(tmp_path / "a.avi", [sepia] * 3, codec="huffyuv", pixels="rgb24", sound=None)
    color(film, tmp_path / "out.mkv")
    assert [frame.shape for frame in frames_of(tmp_path / "out.mkv")] == [(99, 129, 3)] * 3
    turned = write_film(tmp_path / "b.mp4", [sepia[:96, :128]] * 3, sound=None, turn=90, aspect=Fraction(4, 3))
    report = color(turned, tmp_path / "out.mp4")
    assert "the film is turned upright" in report.notes
    after = Film.open(tmp_path / "out.mp4")
    assert (after.shape, after.pixel_aspect) == ((128, 96), Fraction(3, 4))


def test_hint_is_met_on_its_frame_and_heard_around_it(color, film, tmp_path, monkeypatch):
    fields = []
    paint = Painter.paint
    monkeypatch.setattr(Painter, "paint", lambda *arguments: fields.append(paint(*arguments)) or fields[-1])
    color(film, tmp_path / "plain.mp4", vividness=0)
    plain, fields[:] = list(fields), []
    wish = Hints((96, 128), (Mark("point", [[40, 60]], (200, 60, 60), 6, "here"),))
    color(film, tmp_path / "told.mp4", vividness=0, hints=[(5, wish)])
    known = wish.rasterize((96, 128)).is_known
    lightness = [frame.lightness for frame in Film.open(film).frames()]
    wanted = map_to_gamut(
        lightness[5][known], np.broadcast_to(rgb_to_lab(np.uint8([200, 60, 60]))[1:], (known.sum(), 2))
    )
    assert np.allclose(fields[5][known], wanted)
    for number in (2, 8):  # one column a frame
        place = slice(36, 45), slice(60 + 5 - number - 3, 60 + 5 - number + 3)
        distance = [np.linalg.norm(f[number][place] - wanted.mean(axis=0), axis=2).mean() for f in (plain, fields)]
        assert distance[1] < 0.5 * distance[0]
    assert all(np.array_equal(a, b) for a, b in zip(plain[9:], fields[9:], strict=True))  # the next shot


def test_hints_by_time_and_for_frames_that_are_not_there(color, film, tmp_path, monkeypatch):
    wish = Hints((96, 128), (Mark("point", [[40, 60]], (200, 60, 60)),))
    looked = plan.make_plan(Film.open(film), lambda *step: None)
    numbers = [looked.frame_at(moment, Film.open(film)) for moment in (0, 3, 0.0, 0.08, 0.5, 1.3)]
    assert numbers == [0, 3, 0, 0, 6, 15]
    monkeypatch.setattr(run, "make_plan", None)  # told before the walk
    for moment, message in ((16, "numbered 0 to 15"), (1.4, "1.333 s long"), (-1, "no frame -1")):
        with pytest.raises(HintsError, match=message):
            color(film, tmp_path / "out.mp4", hints=[(moment, wish)])
    monkeypatch.undo()
    with pytest.raises(HintsError, match="aspect ratio"):
        color(film, tmp_path / "out.mp4", hints=[(0, Hints((100, 100), wish.marks))])
    with pytest.raises(HintsError, match="frame 6 has hints twice"):
        color(film, tmp_path / "out.mp4", hints=[(6, wish), (0.5, wish)])
    for hints in ({0: wish}, [(0, "hints.png")], [("0", wish)], [wish]):
        with pytest.raises(TypeError, match="each of the hints must be a pair"):
            color(film, tmp_path / "out.mp4", hints=hints)
    with pytest.raises(HintsError, match="no frame 16:"):  # an integer of NumPy is no second
        color(film, tmp_path / "out.mp4", hints=[(np.int64(16), wish)])
    # What was refused does not stand in the way; frame 1 and second 1 are two places.
    assert color(film, tmp_path / "out.mp4", hints=[(1.0, wish), (1, wish)]).n_frames == 16
    assert '"moment":1},{"marks":1,"moment":1.0}' in comment_of(tmp_path / "out.mp4")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mpg"])
def test_containers_list_the_frames_that_are_found(write_film, pan, tmp_path, monkeypatch, name):
    codec = {"a.avi": "mpeg4", "a.mpg": "mpeg2video"}.get(name, "libx264")
    gaps = [0, 1, 2, 4, 5, 6, 9, 10, 11] if codec == "libx264" else None
    path = write_film(tmp_path / name, pan("china", 9), pts=gaps, codec=codec, sound=None, rate=25)
    if name == "a.mkv":
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    film = Film.open(path)
    found, listed = plan.make_plan(film, lambda *step: None), plan.listed(film)
    assert listed.times[: found.n_frames - 1] == found.times[:-1]  # of the last one the length may be cut off
    assert listed.n_frames >= found.n_frames
    monkeypatch.setattr(plan, "packets_of", lambda *film, damage: [SimpleNamespace(size=9, pts=None, duration=0)])
    assert plan.listed(film) is None


def test_a_model_that_is_not_fitted_leaves_no_folder(film, tiny_model, tiny_colorizer, tmp_path):
    with pytest.raises(NotFittedError):
        colorize_film(film, tmp_path / "out.mp4", Colorizer(), make_recipe(tiny_model, tiny_colorizer))
    assert not list(tmp_path.glob("out*"))


def test_outputs_are_not_replaced_unasked(color, film, tmp_path):
    (tmp_path / "out.mp4").write_text("mine")
    with pytest.raises(OutputExistsError, match="exists already"):
        color(film, tmp_path / "out.mp4")
    with pytest.raises(OutputExistsError, match="the film itself"):
        color(film, film, overwrite=True)
    assert (tmp_path / "out.mp4").read_text() == "mine"
    color(film, tmp_path / "out.mp4", overwrite=True)
    assert len(frames_of(tmp_path / "out.mp4")) == 16


class Stopped(Exception):
    pass


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("at", [0, 5, 6, 8, 9, 13, 15])
def test_going_on_gives_the_same_bytes(color, film, tmp_path, monkeypatch, at):
    color(film, tmp_path / "whole.mp4")
    colored = run._Run._colored

    def stop(self, frame):
        if frame.number == at:
            raise Stopped
        return colored(self, frame)

    monkeypatch.setattr(run._Run, "_colored", stop)
    with pytest.raises(Stopped):
        color(film, tmp_path / "out.mp4")
    monkeypatch.undo()
    monkeypatch.setattr(run, "SEGMENT_SECONDS", 0.5)
    report = color(film, tmp_path / "out.mp4")
    assert report.n_earlier == max(n for n in (0, 6, 9, 15) if n <= at)
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert not (tmp_path / "out.mp4.part").exists()


def test_killed_while_it_cleared_away(color, film, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Workshop, "remove", lambda self: self.segment(0).unlink())
        color(film, tmp_path / "out.mp4")
    before = (tmp_path / "out.mp4").read_bytes()
    with pytest.raises(OutputExistsError):
        color(film, tmp_path / "out.mp4", vividness=1)
    assert color(film, tmp_path / "out.mp4").n_earlier == 16
    assert (tmp_path / "out.mp4").read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4", "out.mp4"]


@pytest.fixture
def begun(color, film, tmp_path, monkeypatch, short_segments):
    """The folder of a film whose pieces are done, and not put together yet."""

    def stop(*arguments):
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(run, "assemble", stop)
        with pytest.raises(Stopped):
            color(film, tmp_path / "out.mp4")
    return tmp_path / "out.mp4.part"


@pytest.mark.usefixtures("begun")
def test_work_of_other_settings_is_refused(color, film, tmp_path):
    for options, name in (({"vividness": 1}, "vividness"), ({"crf": 20}, "crf")):
        with pytest.raises(ManifestError, match=f"{name} differ"):
            color(film, tmp_path / "out.mp4", **options)
    film.write_bytes(film.read_bytes() + b"\0")
    with pytest.raises(ManifestError, match="input_sha256 differ"):
        color(film, tmp_path / "out.mp4")


def test_folder_of_somebody_else_is_left_alone(color, film, tmp_path):
    (tmp_path / "out.mp4.part").mkdir()
    (tmp_path / "out.mp4.part" / "letter.txt").write_text("mine")
    with pytest.raises(ManifestError, match="something else is in this folder"):
        color(film, tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4.part" / "letter.txt").read_text() == "mine"


def test_damaged_state_is_one_error(color, film, tmp_path, begun):
    last = sorted(begun.glob("*.mp4"))[-1]
    last.unlink()
    (begun / f"{int(last.stem) - 1:06d}.npz").write_bytes(b"rubbish")
    with pytest.raises(ManifestError, match="damaged"):
        color(film, tmp_path / "out.mp4")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x93NUMPY\x01\x00v\x00{", b"[1, 2]"])
def test_a_damaged_plan_is_one_error(tmp_path, content):
    workshop = Workshop(tmp_path / "out.mp4")
    workshop.folder.mkdir()
    kept = plan.Plan(((0, 1),), ("start",), ())
    workshop.keep_plan(kept, np.zeros((0, 4), np.int32))
    assert workshop.plan()[0] == kept
    (workshop.folder / "plan.npz").write_bytes(content)
    with pytest.raises(ManifestError, match="damaged; remove"):
        workshop.plan()


def test_disk_that_is_full_is_one_error_and_goes_on_later(color, film, tmp_path, monkeypatch, short_segments):
    from colorize.exceptions import OutputError

    replace = os.replace

    def full(passing, path):
        if str(path).endswith("000001.mp4"):  # a string where numba keeps what it compiles
            raise OSError(28, "No space left on device")
        replace(passing, path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OutputError, match="No space left"):
            color(film, tmp_path / "out.mp4")
    assert not list((tmp_path / "out.mp4.part").glob(".*.part"))
    assert color(film, tmp_path / "out.mp4").n_earlier == 6


# ------------------------------------------------------------------------------------------------ real processes


def start(source, target, model):
    command = [*COMMAND, str(source), str(target), "--model", str(model)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(process, condition):
    while process.poll() is None and not condition():
        time.sleep(0.002)


def n_segments(target):
    return len(list(target.with_name(f"{target.name}.part").glob("[0-9]*.mp4")))


@pytest.fixture
def six_shots(write_film, pan, tmp_path):
    shots = [pan(name, 6) for name in ("china", "coffee", "astronaut", "rocket", "flower", "chelsea")]
    return write_film(tmp_path / "six.mp4", [frame for shot in shots for frame in shot])


def kill_and_go_on(source, target, model, kills, rng):
    for count in kills:
        process = start(source, target, model)
        wait_for(process, lambda count=count: n_segments(target) >= count)
        time.sleep(rng.random() * 0.05)
        process.kill()
        process.communicate()
    if target.exists() and not target.with_name(f"{target.name}.part").exists():
        return ""  # it was done before the last kill
    process = start(source, target, model)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return out


def test_kill_9_and_going_on(color, six_shots, tiny_model, tmp_path):
    color(six_shots, tmp_path / "whole.mp4")
    out = kill_and_go_on(six_shots, tmp_path / "out.mp4", tiny_model, [3], random.Random(0))
    assert "of them by earlier runs" in out
    assert same(frames_of(tmp_path / "out.mp4"), frames_of(tmp_path / "whole.mp4"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.mp4", "six.mp4", "whole.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_many_kills(color, six_shots, tiny_model, tmp_path, seed):
    color(six_shots, tmp_path / "whole.mp4")
    kill_and_go_on(six_shots, tmp_path / "out.mp4", tiny_model, [0, 1, 1, 2, 3, 4, 5, 6], random.Random(seed))
    assert same(frames_of(tmp_path / "out.mp4"), frames_of(tmp_path / "whole.mp4"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.mp4", "six.mp4", "whole.mp4"]


def test_ctrl_c_says_how_to_go_on(color, six_shots, tiny_model, tmp_path):
    target = tmp_path / "out.mp4"
    process = start(six_shots, target, tiny_model)
    wait_for(process, lambda: n_segments(target) >= 2)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert errors.splitlines() == [
        f"Interrupted; {target}.part keeps finished pieces: run the same command again to go on."
    ]
    assert not target.exists()
    assert json.loads((tmp_path / "out.mp4.part" / "settings.json").read_text())["crf"] == 16
    assert color(six_shots, target).n_frames == 36


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_no_more_room_on_the_disk(color, six_shots, tiny_model, tmp_path):
    import resource

    command = [*COMMAND, str(six_shots), str(tmp_path / "out.mp4"), "--model", str(tiny_model)]
    process = subprocess.run(
        command,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9000, resource.RLIM_INFINITY)),
    )
    assert process.returncode == 1
    assert process.stderr.count("\n") == 1
    assert "cannot be written" in process.stderr
    assert color(six_shots, tmp_path / "out.mp4").n_frames == 36


def test_two_processes_on_one_output(color, six_shots, tmp_path):
    with Workshop(tmp_path / "out.mp4").open({}), pytest.raises(ManifestError, match="another process"):
        color(six_shots, tmp_path / "out.mp4")
