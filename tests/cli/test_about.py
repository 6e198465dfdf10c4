"""What the program tells of itself: `colorize info`, and what a shell completes."""

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from colorize import __version__
from colorize.cli import environment
from colorize.cli.environment import describe_environment
from colorize.models import find_model
from colorize.models.file import check_file

pytestmark = [pytest.mark.extras, pytest.mark.usefixtures("workplace")]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder with a good model and a damaged one in it."""
    models = tmp_path / "anna" / ".local" / "share" / "colorize" / "models"
    models.mkdir(parents=True)
    shutil.copy(find_model(), models / "good.safetensors")
    damaged = bytearray(find_model().read_bytes())
    damaged[-5] ^= 1
    (models / "damaged.safetensors").write_bytes(damaged)
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path / "anna")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path / "anna"


# --- info ------------------------------------------------------------------------------------------------------------


def test_info_names_versions_caches_and_models(run, home, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("SECRET_TOKEN", "do not tell")
    result = run("info").stdout
    assert result.startswith(f"colorize {__version__} in ")
    assert f"numpy {metadata.version('numpy')}" in result
    assert "OMP_NUM_THREADS=1" in result.splitlines()
    assert "do not tell" not in result
    assert f"sha256 {check_file(find_model())['sha256'][:12]}" in result
    assert "compiled kernels (numba): " in result


def test_info_as_json_says_the_same(run, home):
    facts = json.loads(run("info", "--json").stdout)
    assert facts["colorize"]["version"] == __version__
    assert facts["system"]["usable_cores"] >= 1
    assert facts["libraries"]["numpy"] == metadata.version("numpy")
    models = {model["name"]: model for model in facts["models"]}
    assert models["default"]["kind"] == models["good"]["kind"] == "classical"
    assert models["default"]["sha256"] == models["good"]["sha256"] == check_file(find_model())["sha256"]
    assert "sha256" not in models["damaged"]
    assert "damaged" in models["damaged"]["problem"]


def test_no_name_of_a_person_is_told(run, home):
    text = run("info").stdout + run("info", "--json").stdout
    assert "~/.local/share/colorize/models/good.safetensors" in text
    assert "anna" not in text


def test_missing_libraries_and_two_opencvs_are_problems(monkeypatch):
    monkeypatch.setattr(
        metadata, "requires", lambda name: ["numpy>=2.0", "nobody-has-this>=1; extra == 'wish'", "nor-this"]
    )
    monkeypatch.setattr(metadata, "packages_distributions", lambda: {"cv2": ["opencv-python", "opencv-contrib-python"]})
    facts = describe_environment()
    assert facts["libraries"] == {"numpy": metadata.version("numpy"), "nor-this": None}
    assert facts["extras"] == {"wish": {"nobody-has-this": None}}
    assert [problem.split()[0] for problem in facts["problems"]] == ["nor-this", "opencv-contrib-python"]


def test_torch_is_asked_for_gpus_only_where_it_is_installed(monkeypatch):
    monkeypatch.setattr(environment.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "torch", None)  # an import would fail
    assert "not installed" in describe_environment()["cuda"]
    monkeypatch.setattr(environment.util, "find_spec", lambda name: object())
    assert "broken" in describe_environment()["cuda"]
    names = ["Big GPU", "Small GPU"]
    cuda = SimpleNamespace(device_count=lambda: len(names), get_device_name=names.__getitem__)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert describe_environment()["cuda"] == names
    names.clear()
    assert describe_environment()["cuda"] == "none found by torch"


@pytest.mark.slow
def test_the_folder_of_compiled_kernels_is_the_one_that_numba_uses(monkeypatch, tmp_path):
    script = "from colorize.color import kernels; from colorize.cli import environment\n"
    script += "print(kernels.linear_rgb._cache.cache_path, environment._kernel_folder())"
    for variables in ({}, {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}):
        result = subprocess.run(
            [sys.executable, "-c", script],
            env={name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"} | variables,
            capture_output=True,
            text=True,
            check=True,
        )
        used, told = map(Path, result.stdout.split())
        assert used.is_relative_to(told)
    monkeypatch.setattr(environment.os, "access", lambda path, mode: False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert environment._kernel_folder().name == "numba"


# --- completion ------------------------------------------------------------------------------------------------------


def completed(words, shell="bash"):
    """What a shell is offered for the last of some words, as `type,value`."""
    environment = os.environ | {
        "_COLORIZE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1) if shell == "bash" else words[-1],
    }
    code = "import sys; sys.argv[0] = 'colorize'\nfrom colorize.cli import main\nmain()"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return result.stdout.split()


def test_commands_options_models_and_files_are_completed():
    assert completed(["colorize", "ph"]) == ["plain,photo"]
    assert "plain,--vividness" in completed(["colorize", "photo", "--v"])
    assert completed(["colorize", "photo", "--model", "de"]) == ["plain,default"]
    assert completed(["colorize", "photo", "--model", "./mi"]) == ["file,./mi"]
    assert completed(["colorize", "photo", "grand"]) == ["file,grand"]
    assert completed(["colorize", "models", "de"]) == ["plain,default"]


def test_bash_takes_the_script_that_the_docs_name(tmp_path):
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    scripts = tmp_path / "bin"
    scripts.mkdir()
    program = scripts / "colorize"
    program.write_text(f"#!{sys.executable}\nfrom colorize.cli import main\nmain(prog_name='colorize')\n")
    program.chmod(0o755)
    asked = (
        'eval "$(_COLORIZE_COMPLETE=bash_source colorize)"; complete -p colorize; COMP_WORDS=(colorize study cu); '
        'COMP_CWORD=2; _colorize_completion colorize; echo "${COMPREPLY[@]}"'
    )
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "--norc", "-c", asked], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True
    )
    first, last = result.stdout.splitlines()
    assert "_colorize_completion" in first
    assert last == "curve"
