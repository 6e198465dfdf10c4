"""The command line: what it writes, what it refuses, its exit status, and that an error is one line."""

import json
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from colorize import __version__
from colorize import io as photo_io
from colorize.cli import _shared, main, photo
from colorize.color import rgb_to_lightness
from colorize.exceptions import ConvergenceWarning, InvalidImageError
from colorize.features.registry import FAMILIES
from colorize.predictor import Predictor
from colorize.training import dataset
from colorize.types import RgbImage

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.mark.parametrize(("said", "frozen"), [("", "True"), (", standalone_mode=False", "False")])
def test_the_end_of_the_program_looks_for_no_garbage_but_that_of_another_stays_as_it_was(said, frozen):
    # Registered first, so asked last.
    script = "import atexit, gc\natexit.register(lambda: print(gc.get_freeze_count() > 0))\n"
    script += f"from colorize.cli import main\nmain(['models', '--help']{said})"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split()[-1] == frozen


def test_the_module_is_the_command():
    command = [sys.executable, "-m", "colorize"]
    result = subprocess.run([*command, "photo"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("Usage: python -m colorize photo ")
    assert subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout.count(__version__)


class StubColorizer(Predictor):
    """Paints everything red, except photographs 7 pixels wide, which it refuses."""

    def __init__(self):
        self.vividness, self._model = [], SimpleNamespace(random_state=0)

    def open(self, gray, *_):
        if gray.shape[1] == 7:
            raise InvalidImageError("seven is an unlucky number")
        if gray.shape[1] == 8:
            raise MemoryError
        if gray.shape[1] == 9:
            raise KeyboardInterrupt
        if gray.shape[1] == 10:
            warnings.warn("not converged\nafter 3 steps", ConvergenceWarning, stacklevel=1)
        pixels = np.zeros((*gray.shape, 3), np.uint8)
        pixels[..., 0] = 200

        def alternatives(n, hints, vividness, *, first):
            self.vividness.append(vividness)
            return [SimpleNamespace(image=RgbImage(pixels, gray.alpha))]

        return SimpleNamespace(alternatives=alternatives)


@pytest.fixture
def stub(monkeypatch):
    colorizer = StubColorizer()
    monkeypatch.setattr(_shared, "load_predictor", lambda model: colorizer)
    return colorizer


def gray_file(path, width=6):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((5, width), 90, np.uint8)).save(path)
    return path


def red(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))[..., 0].min() > 150


def error_lines(result):
    return [line for line in result.stderr.splitlines() if line]


# --- photo -----------------------------------------------------------------------------------------------------------


def test_default_output_is_beside_the_input(run, stub, workplace):
    gray_file(workplace / "album" / "old.jpg")
    result = run("photo", "album/old.jpg")
    assert red("album/old.colorized.png")
    assert "album/old.jpg -> album/old.colorized.png" in result.stdout
    assert stub.vividness == [0.5]
    assert sorted(os.listdir("album")) == ["old.colorized.png", "old.jpg"]


@pytest.mark.parametrize(("ending", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("tif", "TIFF"), ("webp", "WEBP")])
def test_output_name_decides_the_format(run, stub, workplace, ending, kind):
    gray_file(workplace / "old.png")
    run("photo", "old.png", "-o", f"new.{ending}", "--vividness", "0.25")
    with Image.open(f"new.{ending}") as picture:
        assert picture.format == kind
    assert stub.vividness == [0.25]


def test_the_same_command_again_takes_its_own_pictures_for_no_photographs(run, stub, workplace):
    for name in ("a.png", "b.png"):
        gray_file(workplace / name)
    run("photo", "a.png", "b.png")
    Path("broken.png").write_bytes(Path("a.colorized.png").read_bytes()[:40])
    everything = sorted(path.name for path in workplace.glob("*.png"))
    result = run("photo", *everything, "--force", status=3)
    note, other, error, count = error_lines(result)
    assert note == "Note: a.colorized.png: left out, since colorize made it; name it alone to colour it"
    assert other.startswith("Note: b.colorized.png: left out")
    assert error.startswith("Error: broken.png: ")
    assert count == "1 of 3 photographs failed"
    assert result.stdout.splitlines() == ["a.png -> a.colorized.png", "b.png -> b.colorized.png"]
    assert len(error_lines(run("photo", *everything, "--force", "--quiet", status=3))) == 2
    run("photo", "a.colorized.png")
    assert red("a.colorized.colorized.png")
    refused = run("photo", "a.colorized.png", "b.colorized.png", status=2)
    assert error_lines(refused)[-1] == "Error: colorize made all of these itself; name one alone to colour it"
    # Several were named, so it is the status of several, although one is left.
    one_left = run("photo", "a.colorized.png", "broken.png", "--force", status=3)
    assert error_lines(one_left)[-1] == "1 of 1 photographs failed"


def test_output_folder_for_one_photograph(run, stub, workplace):
    gray_file(workplace / "old.png")
    (workplace / "out").mkdir()
    run("photo", "old.png", "-o", "out")
    assert red("out/old.colorized.png")


def test_output_folder_for_several_is_made(run, stub, workplace):
    names = [gray_file(workplace / name) for name in ("a.png", "b.jpg")]
    run("photo", *names, "-o", "new/folder")
    assert sorted(os.listdir("new/folder")) == ["a.colorized.png", "b.colorized.png"]


def test_one_bad_photograph_does_not_stop_the_others(run, stub, workplace):
    names = [gray_file(workplace / "a.png"), gray_file(workplace / "b.png", width=7), gray_file(workplace / "c.png", 8)]
    (workplace / "d.png").write_bytes(b"broken")
    gray_file(workplace / "e.png")
    result = run("photo", *names, "d.png", "missing.png", "e.png", status=3)
    assert red("a.colorized.png")
    assert red("e.colorized.png")
    lines = error_lines(result)
    assert len(lines) == 5
    assert re.search(r"b\.png.*unlucky", lines[0])
    assert re.search(r"c\.png.*not enough memory", lines[1])
    assert "d.png" in lines[2]
    assert "missing.png: no such file" in lines[3]
    assert lines[4] == "4 of 6 photographs failed"


def test_one_bad_photograph_alone_is_status_1(run, stub, workplace):
    gray_file(workplace / "b.png", width=7)
    result = run("photo", "b.png", status=1)
    assert error_lines(result) == ["Error: b.png: seven is an unlucky number"]


def test_nothing_is_overwritten_without_force(run, stub, workplace):
    gray_file(workplace / "a.png")
    gray_file(workplace / "b.png")
    (workplace / "a.colorized.png").write_text("mine")
    result = run("photo", "a.png", status=1)
    assert len(error_lines(result)) == 1
    assert "--force" in result.stderr
    run("photo", "a.png", "b.png", status=3)
    assert (workplace / "a.colorized.png").read_text() == "mine"
    assert red("b.colorized.png")
    run("photo", "a.png", "--force")
    assert red("a.colorized.png")


def test_existing_output_is_found_before_the_model_is_loaded(run, monkeypatch, workplace):
    monkeypatch.setattr(_shared, "load_predictor", lambda model: pytest.fail("loaded"))
    gray_file(workplace / "a.png")
    gray_file(workplace / "a.colorized.png")
    run("photo", "a.png", status=1)


NOWHERE = "/proc"  # a folder in which nobody, not even root, can make a file


@pytest.mark.skipif(not Path(NOWHERE).is_dir(), reason="there is no /proc")
@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("none/x", "there is no folder none"),
        (f"{NOWHERE}/x", f"{NOWHERE}: cannot be written to"),
        ("there", "there{}: exists already; name another output or add --force"),
    ],
)
@pytest.mark.parametrize(
    ("command", "ending"),
    [
        (["photo", "a.png", "-o"], ".png"),
        (["photo", "a.png", "--alternatives", "1", "-o"], ".png"),
        (["film", "a.png"], ".mp4"),
        (["explain", "a.png", "-o"], ".html"),
        (["explain", "a.png", "--json"], ".json"),
    ],
)
def test_a_wrong_place_for_the_output_is_found_first(run, monkeypatch, workplace, command, ending, place, problem):
    monkeypatch.setattr(_shared, "load_predictor", lambda model: pytest.fail("loaded"))
    monkeypatch.setattr(photo_io, "read_photo", lambda *args, **options: pytest.fail("read"))
    gray_file(workplace / "a.png")
    numbered = ".1" if "--alternatives" in command else ""
    (workplace / f"there{numbered}{ending}").write_text("mine")
    result = CliRunner().invoke(main, [*command, f"{place}{ending}"])
    assert result.exit_code in (1, 2)
    assert problem.format(f"{numbered}{ending}") in result.stderr
    assert (workplace / f"there{numbered}{ending}").read_text() == "mine"


def test_a_folder_of_photographs_is_for_batch(run, stub, workplace):
    gray_file(workplace / "album" / "a.png")
    result = run("photo", "album", status=2)
    assert "album is a folder; `colorize batch album DEST`" in result.stderr
    assert os.listdir("album") == ["a.png"]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "name a photograph"),
        (["--sample", "a.png"], "needs no INPUT"),
        (["a.png", "b.png", "-o", "c.png"], "need a folder"),
        (["a.png", "b.png", "-o", "a.png"], "need a folder"),
        (["a.png", "sub/a.jpg", "-o", "sub"], "more than one result would be written to"),
        (["a.png", "a.jpg"], "more than one result would be written to"),
        (["a.png", "./a.png"], "more than one result would be written to"),
        (["a.png", "-o", "a.png", "--force"], "is read by this command, and would be replaced"),
        (["sub/a.1.png", "-o", "sub/a.png", "--alternatives", "2", "--force"], "sub/a.1.png is read by this command"),
        (["a.png", "--hints", "b.png", "-o", "b.png", "--force"], "b.png is read by this command"),
        (["a.png", "--reference", "b.png", "-o", "b.png", "--force"], "b.png is read by this command"),
        (["a.png", "a.colorized.png", "--force"], "is read by this command, and would be replaced"),
        (["a.png", "--vividness", "1.5"], "not in the range"),
        (["a.png", "--nonsense"], "No such option"),
    ],
)
def test_wrong_usage_is_refused_before_any_work(run, monkeypatch, workplace, arguments, match):
    monkeypatch.setattr(_shared, "load_predictor", lambda model: pytest.fail("loaded"))
    for name in ("a.png", "b.png", "a.jpg", "sub/a.jpg", "sub/a.1.png", "a.colorized.png"):
        gray_file(workplace / name)
    before = {path: path.stat().st_mtime_ns for path in workplace.rglob("*")}
    result = run("photo", *arguments, status=2)
    assert match in result.stderr
    assert {path: path.stat().st_mtime_ns for path in workplace.rglob("*")} == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("photo", "a.png", "--reference", "a.png", "--reference-strength"),
        ("photo", "a.png", "--only-confident"),
        ("explain", "a.png", "--vividness"),
        ("film", "a.mp4", "b.mp4", "--vividness"),
        ("batch", "a", "b", "--vividness"),
        ("batch", "a", "b", "--time-limit"),
        ("learn", "default", "a.png", "--hints", "h.png", "-o", "b.safetensors", "--strength"),
        ("evaluate", "a", "--vividness"),
        ("importance", "a", "--vividness"),
        ("compare", "a", "--vividness"),
        ("study", "categories", "a", "--hold-out"),
        ("refine", "train", "a", "-o", "b.safetensors", "--minutes"),
    ],
)
@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_numbers_that_are_not_finite_are_wrong_usage(run, workplace, arguments, number):
    error = run(*arguments, number, status=2).stderr
    assert f"Invalid value for '{arguments[-1]}': {number} is n" in error
    assert os.listdir(workplace) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("learn", "./a.safetensors", "a.png", "--hints", "b.png"),
        ("train", "album", "--base", "a.safetensors"),
        ("refine", "train", "album", "--base", "a.safetensors"),
        ("rivals", "train", "album", "--generator", "lite0", "--encoder", "a.safetensors"),
    ],
    ids=" ".join,
)
def test_no_model_is_written_over_the_one_it_is_made_from(run, workplace, arguments):
    (workplace / "album").mkdir()
    (workplace / "a.safetensors").write_bytes(b"a model")
    result = run(*arguments, "-o", "a.safetensors", "--force", status=2)
    assert "a.safetensors is read by this command, and would be replaced" in result.stderr


def test_quiet_prints_nothing(run, stub, workplace):
    names = [gray_file(workplace / "a.png"), gray_file(workplace / "b.png")]
    assert run("photo", *names, "--quiet").output == ""


def test_warning_is_one_line(run, stub, workplace):
    gray_file(workplace / "a.png", width=10)
    assert error_lines(run("photo", "a.png")) == ["Warning: not converged after 3 steps"]


def test_what_a_format_cannot_hold_is_said(run, stub, workplace):
    Image.fromarray(np.zeros((5, 6, 4), np.uint8), "RGBA").save("a.png")
    assert "Note: a.png: " in run("photo", "a.png", "-o", "b.jpg").stderr


def test_interruption_is_status_130(run, stub, workplace):
    names = [gray_file(workplace / "a.png"), gray_file(workplace / "b.png", width=9), gray_file(workplace / "c.png")]
    result = run("photo", *names, status=130)
    assert red("a.colorized.png")
    assert not (workplace / "c.colorized.png").exists()
    assert len(error_lines(result)) == 1


def test_unknown_ending_is_refused(run, stub, workplace):
    gray_file(workplace / "a.png")
    assert error_lines(run("photo", "a.png", "-o", "b.xyz", status=1)) == [
        "Error: a.png: b.xyz: cannot write .xyz; use .png, .jpg, .jpeg, .tif, .tiff, .webp"
    ]
    assert not (workplace / "b.xyz").exists()


@pytest.mark.parametrize("name", ["nothing", "broken.safetensors"])
def test_model_that_is_none_is_refused(run, workplace, name):
    gray_file(workplace / "a.png")
    (workplace / "broken.safetensors").write_bytes(b"\x80\x04pickle")
    result = run("photo", "a.png", "--model", name, status=1)
    assert len(error_lines(result)) == 1
    assert name in result.stderr


def test_sample_lies_in_the_wheel_and_is_written_here(run, stub, workplace):
    assert run("photo", "--sample").stderr == ""  # the captions in its file are nobody's concern
    (written,) = workplace.iterdir()
    assert written.name.endswith(photo.SUFFIX)
    assert red(written)
    run("photo", "--sample", "-o", "mine.jpg")
    assert red("mine.jpg")


def test_real_model_keeps_the_lightness_and_gives_equal_bytes(run, tiny_model, photos, workplace):
    Image.fromarray(photos[0].pixels).save("a.png")
    run("photo", "a.png", "--model", tiny_model, "-o", "first.png")
    run("photo", "a.png", "--model", tiny_model, "-o", "second.png")
    assert (workplace / "first.png").read_bytes() == (workplace / "second.png").read_bytes()
    written = np.asarray(Image.open("first.png").convert("RGB"))
    # 8-bit rounding moves L* by at most 0.3
    np.testing.assert_allclose(rgb_to_lightness(written), rgb_to_lightness(photos[0].pixels), atol=0.3)
    assert np.ptp(written.astype(int), axis=2).max() > 5  # it is not gray


# --- train, evaluate, models -----------------------------------------------------------------------------------------


@pytest.fixture
def album(workplace, photos):
    """Six photographs, a copy of one of them, and a broken file."""
    folder = workplace / "album"
    folder.mkdir()
    for index, name in enumerate("abcdef"):
        Image.fromarray(photos[2 * index].pixels).save(folder / f"{name}.png")
    Image.fromarray(photos[0].pixels).save(folder / "g.png")
    (folder / "h.jpg").write_bytes(b"broken")
    return folder


@pytest.mark.slow
def test_training_writes_the_same_model_twice(run, album, workplace):
    options = ["--limit", 4, "--seed", 3, "--palette-size", 6, "--superpixels", 40]
    result = run("train", album, "-o", "first.safetensors", *options)
    assert run("train", album, "-o", "second.safetensors", *options, "--quiet").stdout == ""
    assert (workplace / "first.safetensors").read_bytes() == (workplace / "second.safetensors").read_bytes()
    assert "4 photographs used" in result.stdout
    run("photo", album / "a.png", "--model", "first.safetensors", "-o", "a.png")


class StubTrainer:
    """Takes the place of Colorizer and remembers what it was given."""

    made: list = []  # noqa: RUF012

    def __init__(self, **parameters):
        self.parameters = parameters
        self.made.append(self)

    def fit(self, photos, *, base=None, progress=None):
        self.n_photos = len(photos)
        progress("fitting", 1, 1)
        self.summary_ = {"n_photos": len(photos), "n_rows": 10, "loss": 0.5, "families": ["x"]}
        return self

    def save(self, path, overwrite=False):
        path.write_text("model")


@pytest.fixture
def trainer(monkeypatch):
    from colorize import colorizer

    monkeypatch.setattr(colorizer, "Colorizer", StubTrainer)
    monkeypatch.setattr(StubTrainer, "made", [])
    return StubTrainer


def test_training_passes_its_options_on_and_reports(run, trainer, album):
    result = run("train", album, "-o", "m.safetensors", "--palette-size", 16, "--superpixels", 99, "--seed", 5)
    (made,) = trainer.made
    assert made.parameters == {"random_state": 5, "n_colors": 16, "n_superpixels": 99}
    assert made.n_photos == 6
    assert "same picture as a.png" in result.stdout
    assert "h.jpg" in result.stdout
    assert "n_photos 6, n_rows 10, loss 0.5" in result.stdout


def test_classifier_and_families_are_passed_on(run, trainer, album):
    run("train", album, "-o", "m.safetensors", "--classifier", "kernel", "--families", "gabor, position")
    assert trainer.made[0].parameters == {
        "random_state": 0, "classifier": "kernel", "families": ("position", "gabor")
    }  # fmt: skip


def test_an_ablation_is_one_command(run, album, workplace):
    from colorize.colorizer import Colorizer

    small = ("--palette-size", 6, "--superpixels", 40, "--limit", 4)
    run("train", album, "-o", "a.safetensors", "--classifier", "kernel", "--families", "intensity,position", *small)
    model = Colorizer.load(workplace / "a.safetensors")
    assert (model.classifier, model.families) == ("kernel", ("intensity", "position"))
    base = ("--base", "a.safetensors", "--families")
    refused = run("train", album, "-o", "b.safetensors", *base, "gabor", status=2)
    assert "--families must be those of the base, intensity,position, or left out" in refused.stderr


def test_a_family_that_is_not_there_is_answered_with_those_that_are(run, trainer, album):
    result = run("train", album, "-o", "m.safetensors", "--families", "gabor,colour", status=2)
    line = error_lines(result)[-1]
    assert "--families" in line
    assert f"some of {', '.join(FAMILIES)}; got colour" in line
    assert "none" in error_lines(run("train", album, "-o", "m.safetensors", "--families", "", status=2))[-1]
    assert "'vote', 'kernel'" in run("train", album, "-o", "m.safetensors", "--classifier", "svc", status=2).stderr
    assert trainer.made == []


def test_few_photographs_are_warned_of(run, trainer, album, monkeypatch):
    (line,) = error_lines(run("train", album, "-o", "m.safetensors", "--quiet"))
    assert "6 photographs are few to learn colours from; look first at what the default model makes of some" in line
    assert "use it as it is unless `colorize compare` says that one on top of it (--base default) is better" in line
    monkeypatch.setattr(dataset, "FEW_PHOTOS", 6)
    assert run("train", album, "-o", "m.safetensors", "--force").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "status", "match"),
    [
        (["album"], 2, "--output"),
        (["album", "-o", "m.pkl"], 2, ".safetensors"),
        (["album", "-o", "no/where/m.safetensors"], 2, "no folder"),
        (["album", "-o", "folder.safetensors"], 2, "is a folder"),
        (["album", "-o", "there.safetensors"], 1, "--force"),
        (["nowhere", "-o", "m.safetensors"], 1, "nowhere: no such folder"),
        (["empty", "-o", "m.safetensors"], 1, "holds no photographs"),
        (["album", "-o", "m.safetensors", "--limit", "1"], 1, "at least 2 needed"),
        (["album", "-o", "m.safetensors", "--palette-size", "1"], 2, "--palette-size"),
        (["album", "-o", "m.safetensors", "--seed", "-1"], 2, "--seed"),
    ],
)
def test_training_refuses_before_it_trains(run, trainer, album, workplace, arguments, status, match):
    (workplace / "empty").mkdir()
    (workplace / "folder.safetensors").mkdir()
    (workplace / "there.safetensors").write_text("mine")
    result = run("train", *arguments, status=status)
    assert match in result.stderr
    assert trainer.made == []
    assert (workplace / "there.safetensors").read_text() == "mine"


def test_training_replaces_with_force(run, trainer, album, workplace):
    (workplace / "there.safetensors").write_text("mine")
    run("train", album, "-o", "there.safetensors", "--force")
    assert (workplace / "there.safetensors").read_text() == "model"


@pytest.mark.slow
def test_evaluation_prints_a_table_and_writes_json(run, tiny_model, album, workplace):
    result = run("evaluate", album, "--model", tiny_model, "--json", "figures.json")
    assert "6 photographs measured; 8 of 8 files examined\n2 not measured:\n  h.jpg: " in result.stdout
    assert "\n  g.png: same picture as a.png\n" in result.stdout  # as `train` leaves it out
    assert "CIEDE2000" in result.stdout
    assert re.search(r"^gray .*^model ", result.stdout, re.MULTILINE | re.DOTALL)
    assert re.search(r"\(all: [\d.]+, by 2000 pixels a photograph\)", result.stdout)  # the table has all pixels
    figures = (workplace / "figures.json").read_text()
    content = json.loads(figures)
    assert content["names"] == [f"{name}.png" for name in "abcdef"]
    assert list(content["left_out"]) == ["h.jpg", "g.png"]
    assert len(content["photos"]["model"]["ciede2000"]) == 6
    assert content["means"]["gray"]["colorfulness_ratio"] == pytest.approx(0, abs=0.05)  # of 1; gray has none
    assert content["means"]["model"]["colorfulness_ratio"] > 0.05
    refused = run("evaluate", album, "--model", tiny_model, "--json", "figures.json", status=1)
    assert "--force" in refused.stderr
    assert (workplace / "figures.json").read_text() == figures


def test_models_are_listed_with_their_cards(run, tmp_path, monkeypatch):
    from colorize import models

    (tmp_path / "default.safetensors").write_bytes(b"x" * 2_000_000)
    (tmp_path / "default.md").write_text("# Good at skies")
    (tmp_path / "faces.safetensors").write_bytes(b"x")
    monkeypatch.setattr(models, "_folder", lambda: tmp_path / "nothing")
    assert error_lines(run("models")) == ["This installation holds no models; train one with `colorize train`."]
    monkeypatch.setattr(models, "_folder", lambda: tmp_path)
    assert "default (2.0 MB)\n\n# Good at skies" in run("models").stdout
    assert run("models", "--quiet").stdout.split() == ["default", "faces"]
    assert models.find_model() == tmp_path / "default.safetensors"
    assert models.find_model("faces") == tmp_path / "faces.safetensors"
    assert models.find_model(tmp_path / "default.md") == tmp_path / "default.md"
    with pytest.raises(models.ModelFileError, match=r"nobody: neither .* \(shipped: default, faces\)"):
        models.find_model("nobody")


# --- all commands ----------------------------------------------------------------------------------------------------


def test_every_command_and_option_has_help(run):
    names = "photo explain suggest batch film replay train learn evaluate compare importance study models app"
    names += " info refine rivals"
    assert set(main.commands) == set(names.split())
    listing = run("--help").stdout
    for name, command in main.commands.items():
        assert name in listing
        assert command.short_help in listing
        assert len(command.help) > len(command.short_help)
        text = run(name, "--help").stdout
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{name} {parameter.name}"
                assert parameter.opts[-1] in text


@pytest.mark.slow
def test_ctrl_c_ends_the_program_with_one_line():
    script = (
        "import colorize.io, time, types\n"
        "def read_photo(path, **limits):\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "colorize.io.read_photo = read_photo\n"
        "from colorize.cli import _shared\n"
        "class Loaded:\n    model = types.SimpleNamespace(random_state=0)\n"
        "_shared.load_predictor = lambda model: Loaded()\n"
        "from colorize.cli import main\nmain(['photo', 'x.png', '-o', 'y.png'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines() == ["Interrupted; files already written are complete."]
