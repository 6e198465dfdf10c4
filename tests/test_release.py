"""What a release states of itself agrees with itself: versions, oldest libraries, what is packed."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from colorize import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENT = re.compile(r"([\w.-]+)>=([\d.]+)(?:,<[\d.]+)?")


def floors(requirements):
    """Oldest version of every library, by name."""
    found = [REQUIREMENT.fullmatch(text) for text in requirements]
    return {match[1]: match[2] for match in found}


def pins(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def numbers(version):
    return tuple(map(int, version.split(".")))


def test_the_oldest_versions_are_those_of_the_project():
    extras = PROJECT["optional-dependencies"]
    tools = [text for text in extras["dev"] if text.startswith(("pytest", "hypothesis", "pyamg"))]
    wanted = floors([*PROJECT["dependencies"], *extras["report"], *tools])
    pinned = pins("constraints-lowest.txt")
    assert sorted(pinned) == sorted(wanted)
    for name, floor in wanted.items():
        length = len(numbers(floor))
        assert numbers(pinned[name])[:length] == numbers(floor), name


def test_the_continuous_integration_pins_every_library():
    pinned = {re.sub(r"[-_.]+", "-", name).lower() for name in pins("constraints-ci.txt")}
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in floors(PROJECT["dependencies"])} <= pinned


def test_every_page_states_the_same_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    release = __version__.partition(".dev")[0]
    assert f"## [{release}]" in changes or ("dev" in __version__ and "## [Unreleased]" in changes)


@pytest.mark.slow
def test_the_release_is_sound():
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_release.py"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
