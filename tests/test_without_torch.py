"""Without torch everything but the networks works, and asking for a network says which extra to install."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from colorize.evaluation.loader import load_any_model
from colorize.exceptions import MissingDependencyError, RequestError
from colorize.models import find_model
from colorize.models.file import save_model, stated_digest

pytestmark = pytest.mark.extras


@pytest.fixture
def no_torch(monkeypatch):
    """An installation without torch."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch" or "colorize.refine" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.fixture
def album(workplace, photos):
    folder = workplace / "album"
    folder.mkdir()
    for index in range(3):
        Image.fromarray(photos[index].pixels).save(folder / f"{index}.png")
    return folder


@pytest.mark.usefixtures("no_torch")
@pytest.mark.parametrize(
    "arguments",
    [
        ["refine", "train", "album", "--base", "default", "-o", "x.safetensors"],
        ["rivals", "train", "album", "-o", "x.safetensors"],
        ["photo", "album/0.png", "--refine", "refiner.safetensors"],
        ["compare", "album", "--method", "rival.safetensors"],
        ["compare", "album", "--method", "gray", "--method", "refiner.safetensors"],
    ],
)
def test_networks_name_their_extra_in_one_line(run, album, arguments):
    for kind in ("refiner", "rival"):
        save_model(f"{kind}.safetensors", {}, {}, kind=kind)
    result = run(*arguments, status=1)
    (line,) = result.stderr.splitlines()
    assert line == "Error: torch is not installed; install it from the checkout: pip install '.[refine]'"
    assert not Path("x.training").exists()


@pytest.mark.usefixtures("no_torch")
def test_the_room_itself_cannot_be_entered():
    with pytest.raises(MissingDependencyError, match=r"'\.\[refine\]'"):
        import colorize.refine  # noqa: F401


@pytest.mark.usefixtures("no_torch")
def test_classical_models_are_loaded_and_compared(run, album, tiny_model):
    assert type(load_any_model(tiny_model)).__name__ == "Colorizer"
    assert "CIEDE2000" in run("compare", album, "--method", "gray", "--method", tiny_model).stdout


@pytest.mark.usefixtures("no_torch", "workplace")
def test_networks_are_described(run):
    summary = {"n_photos": 30, "n_epochs": 12, "ciede2000_held_out": 8.5}
    rival = {"generator": "resnet50", "objective": "l1+gan", "summary": {**summary, "encoder": "random"}}
    save_model("rival.safetensors", rival, {}, kind="rival")
    for name, base in (("refiner", "ab" * 32), ("of_default", stated_digest(find_model("default")))):
        save_model(f"{name}.safetensors", {"base_sha256": base, "summary": summary}, {}, kind="refiner")
    trained = "n_epochs 12, n_photos 30"
    assert run("models", "rival.safetensors", "refiner.safetensors").stdout.splitlines() == [
        "rival.safetensors",
        stated_digest("rival.safetensors"),
        f"kind rival, generator resnet50, objective l1+gan, ciede2000_held_out 8.5, encoder random, {trained}",
        "refiner.safetensors",
        stated_digest("refiner.safetensors"),
        f"kind refiner, ciede2000_held_out 8.5, {trained}",
        f"Base: {'ab' * 32}",
    ]
    assert run("models", "of_default.safetensors").stdout.endswith(f"Base: {base} (default)\n")
    assert run("models", "rival.safetensors", "--quiet").stdout.split() == [stated_digest("rival.safetensors")]


@pytest.mark.usefixtures("no_torch", "workplace")
@pytest.mark.parametrize(
    ("kind", "header", "match"),
    [("rival", {"summary": [1]}, "parts of the model do not fit together"), ("training", {}, "kind 'training'")],
)
def test_what_is_no_network_is_refused_in_one_line(run, kind, header, match):
    save_model("x.safetensors", header, {}, kind=kind)
    (line,) = run("models", "x.safetensors", status=1).stderr.splitlines()
    assert line.startswith("Error: x.safetensors: ")
    assert match in line


@pytest.mark.usefixtures("no_torch")
def test_the_app_says_what_a_network_needs(album, workplace):
    from colorize.app.core import Core
    from colorize.app.service import Service

    (workplace / "models").mkdir()
    save_model("models/mine.safetensors", {}, {}, kind="rival")
    service = Service(Core(workplace / "models"))
    with pytest.raises(RequestError, match=r"torch is not installed; .*'\.\[refine\]'"):
        service.errands.compare("somebody", album / "0.png", ["default", "mine"])
    service.core.close()


@pytest.mark.slow
def test_classical_commands_never_load_torch(album, tiny_model, workplace):
    script = (
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.partition('.')[0] == 'torch': raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "from colorize.cli import main\n"
        f"main(['photo', 'album/0.png', '--model', {str(tiny_model)!r}], standalone_mode=False)\n"
        f"main(['compare', 'album', '--method', {str(tiny_model)!r}], standalone_mode=False)\n"
        "assert not any(name.startswith('colorize.refine') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=workplace)
    assert (workplace / "album" / "0.colorized.png").exists()
