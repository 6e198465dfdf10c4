"""The commands that train and use networks: what they write, print and refuse."""

import csv

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from colorize.evaluation.methods import make_methods  # noqa: E402
from colorize.io import read_xmp  # noqa: E402
from colorize.models.file import model_kind, stated_digest  # noqa: E402
from colorize.recipe.note import find_note  # noqa: E402
from colorize.refine.predictor import Rival  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("workplace")]

TRAIN_RIVAL = ("rivals", "train", "album", "-o", "r.safetensors", "--epochs", 2, "--device", "cpu")


@pytest.fixture
def album(workplace, photos):
    folder = workplace / "album"
    folder.mkdir()
    for index, photo in enumerate(photos):
        Image.fromarray(photo.pixels).save(folder / f"{index:02d}.png")
    return folder


def errors(result):
    return [line for line in result.stderr.splitlines() if line]


def test_a_refiner_is_trained_and_used(run, album, tiny_model, workplace):
    (workplace / "base.safetensors").write_bytes(tiny_model.read_bytes())
    arguments = ("refine", "train", album, "--base", "base.safetensors", "-o", "x.safetensors", "--epochs", 2)
    result = run(*arguments, "--device", "cpu")
    assert "photographs used" in result.stdout
    assert "epoch 2: ciede2000" in result.stdout
    assert model_kind("x.safetensors") == "refiner"
    run("photo", album / "00.png", "--model", "base.safetensors", "--refine", "x.safetensors", "-o", "a.png")
    assert Image.open("a.png").size == (160, 120)
    assert find_note(read_xmp("a.png")).said[0].keys() == {"refiner"}
    replay = ("replay", "a.png", album / "00.png", "--model", "base.safetensors")
    assert "name its file with --refine" in run(*replay, status=1).stderr
    assert "the same, byte for byte" in run(*replay, "--refine", "x.safetensors").stdout
    run("photo", album / "00.png", "--model", "base.safetensors", "-o", "plain.png")
    replay = ("replay", "plain.png", *replay[2:], "--refine", "x.safetensors")
    assert "plain.png: was made without a refiner" in run(*replay, status=1).stderr
    table = run("compare", album, "--method", "x.safetensors", "--method", "base.safetensors", "--limit", 2).stdout
    assert "CIEDE2000" in table


def test_a_rival_is_trained_and_compared(run, album, workplace):
    pytest.importorskip("matplotlib")
    result = run(*TRAIN_RIVAL, "--objective", "classification", "--seed", 3)
    folder = workplace / "r.training"
    assert {path.name for path in folder.iterdir()} == {
        *("checkpoint.safetensors", "error.svg", "losses.csv", "losses.svg"),
        *("samples-epoch-0001.png", "samples-epoch-0002.png"),
    }
    with open(folder / "losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert all(np.isfinite(float(row["ciede2000"])) for row in rows)
    assert "n_epochs 2" in result.stdout
    assert "r " in run("compare", album, "--method", "gray", "--method", "r.safetensors", "--limit", 2).stdout


def test_training_twice_gives_equal_bytes_and_resuming_changes_nothing(run, album, workplace):
    run(*TRAIN_RIVAL, "--quiet")
    first = (workplace / "r.safetensors").read_bytes()
    run(*TRAIN_RIVAL, "--quiet", "--resume", "--force")
    assert (workplace / "r.safetensors").read_bytes() == first
    run(*TRAIN_RIVAL, "--quiet", "--force")
    assert (workplace / "r.safetensors").read_bytes() == first


def test_patience_ends_a_training_early(run, album, workplace):
    run("rivals", "train", album, "-o", "r.safetensors", "--epochs", 40, "--patience", 1, "--device", "cpu", "--quiet")
    with open(workplace / "r.training" / "losses.csv", newline="") as file:
        errors_held_out = [float(row["ciede2000"]) for row in csv.DictReader(file)][1:]
    assert len(errors_held_out) < 40
    assert errors_held_out[-1] >= min(errors_held_out[:-1])  # the last one was no better


@pytest.mark.parametrize(
    ("arguments", "status", "match"),
    [
        (["--minutes", 1], 2, "--epochs or --minutes, not both"),
        (["--resume"], 2, "--resume: there is no"),
        (["--encoder", "w.safetensors"], 2, "--encoder belongs to --generator resnet50 or lite0"),
        (["--generator", "vgg"], 2, "Invalid value for '--generator'"),
        (["--generator", "resnet50", "--encoder", "w.safetensors"], 1, "w.safetensors: no safetensors file"),
        (["-o", "model.pth"], 2, "must end in .safetensors"),
        (["-o", "nowhere/r.safetensors"], 2, "there is no folder"),
    ],
)
def test_what_cannot_be_trained_is_refused(run, album, arguments, status, match):
    assert match in errors(run(*TRAIN_RIVAL, *arguments, status=status))[-1]


def test_an_earlier_training_is_not_written_over(run, album, workplace):
    (workplace / "r.training").mkdir()
    (workplace / "r.training" / "checkpoint.safetensors").write_bytes(b"mine")
    (line,) = errors(run(*TRAIN_RIVAL, status=1))
    assert "go on with --resume, or start anew with --force" in line
    (line,) = errors(run(*TRAIN_RIVAL, "--resume", status=1))
    assert "checkpoint.safetensors: cut short" in line
    assert (workplace / "r.training" / "checkpoint.safetensors").read_bytes() == b"mine"


def test_files_of_every_kind_are_described(run, network_files, rival):
    described = {kind: run("models", path).stdout for kind, path in network_files.items()}
    for kind, text in described.items():
        assert f"kind {kind}, " in text
    assert f"Base: {stated_digest(network_files['classical'])}" in described["refiner"]
    line = described["rival"].splitlines()[2]
    assert "generator unet, objective classification" in line
    assert f"ciede2000_held_out {rival.summary_['ciede2000_held_out']:g}" in line
    (method,) = make_methods([str(network_files["rival"])])
    assert method.description == f"Model file rival.safetensors: {line}."


def test_a_refiner_of_another_model_is_refused(run, album, network_files):
    result = run("photo", album / "00.png", "--refine", network_files["refiner"], status=1)  # the default model
    assert "name the model that it was trained on" in errors(result)[-1]


def test_cuda_without_a_device_is_refused_in_one_line(run, album, network_files, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    base = ("--model", network_files["classical"], "--refine", network_files["refiner"])
    for arguments in (("photo", album / "00.png", *base), TRAIN_RIVAL):
        result = run(*arguments, "--device", "cuda", status=1)
        assert errors(result)[-1].startswith("Error: device cuda was asked for, but ")


def test_a_device_without_a_network_is_refused(run, album):
    result = run("photo", album / "00.png", "--device", "cpu", status=2)
    assert "--device is for networks: it goes with --refine" in result.stderr


def test_random_weights_are_said_to_be_random(run, album, monkeypatch):
    from colorize.cli import _training

    monkeypatch.setattr(_training, "run", lambda job, network, folder: None)
    for generator in ("resnet50", "lite0"):
        result = run(*TRAIN_RIVAL, "--generator", generator)
        assert "Note: without --encoder the frozen encoder has random weights." in result.stderr
    assert errors(run(*TRAIN_RIVAL, "--generator", "unet")) == []


@pytest.mark.parametrize(("best", "error", "is_said"), [(6, 13.65, True), (6, 13.0, False), (0, 13.28, False)])
def test_a_rival_that_was_better_untrained_is_told(run, album, monkeypatch, best, error, is_said):
    summary = {"best_epoch": best, "ciede2000_before": 13.28, "ciede2000_held_out": error}
    monkeypatch.setattr(Rival, "fit", lambda self, *_, **__: setattr(self, "summary_", summary))
    monkeypatch.setattr(Rival, "save", lambda self, path, **_: path.write_bytes(b""))
    told = run(*TRAIN_RIVAL).stdout
    assert ("No epoch was better than the untrained network" in told) == is_said


def test_choices_are_those_of_the_networks():
    from colorize.cli import _training, rivals
    from colorize.refine import learners, losses, networks

    assert rivals.GENERATORS == networks.GENERATORS
    assert tuple(networks.ENCODERS) == rivals.ENCODERS
    assert rivals.OBJECTIVES == losses.OBJECTIVES
    assert _training.DEVICES == learners.DEVICES
