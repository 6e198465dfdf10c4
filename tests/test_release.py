"""What a release states of itself agrees with itself: versions, oldest libraries, what is packed."""

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from colorize import __version__
from colorize._support.optional import DISTRIBUTION, import_or_raise
from colorize.exceptions import MissingDependencyError

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
    tools = [text for text in extras["dev"] if text.startswith(("pytest", "hypothesis", "pyamg", "scikit-image"))]
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


def test_the_name_of_the_distribution_is_one():
    assert PROJECT["name"] == DISTRIBUTION
    requirements = [text for texts in PROJECT["optional-dependencies"].values() for text in texts]
    themselves = [text for text in requirements if "[" in text]
    assert themselves
    assert all(text.startswith(f"{DISTRIBUTION}[") for text in themselves)


PIP = re.compile(r"pip (install|uninstall) +([^`#&\n]+)")


def faults_of_pip(text):
    """What pip would not find, or would find with a stranger, of all that a text tells it to take."""
    known = set(PROJECT["optional-dependencies"])
    for match in PIP.finditer(text):
        words = re.sub(r"-c \S+", "", match[2]).split()
        for word in (word.strip("'\"") for word in words):
            extras = re.fullmatch(r"\.\[([\w,]+)\]", word)
            if extras and not known.issuperset(extras[1].split(",")):
                yield f"{word}: pyproject.toml has no such extra"
            elif word.startswith("colorize") and (match[1], word) != ("uninstall", DISTRIBUTION):
                yield f"{word}: until it is published, the package is installed from a checkout"


def test_what_the_pages_tell_pip_is_ours():
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/notebooks/*.md"),
        *ROOT.glob("constraints-*.txt"),
    ]
    told = {page: page.read_text(encoding="utf-8") for page in pages}
    assert sum(len(PIP.findall(text)) for text in told.values()) > 10
    assert [(page.name, fault) for page, text in told.items() for fault in faults_of_pip(text)] == []


@pytest.mark.parametrize(
    "wrong", ["colorize", '"colorize[app]"', '-c constraints-cpu.txt ".[networks]"', f"{DISTRIBUTION}"]
)
def test_a_wrong_word_to_pip_would_be_noticed(wrong):
    assert len(list(faults_of_pip(f"`python -m pip install {wrong}` and done"))) == 1


def test_every_message_of_a_missing_library_names_an_extra_of_the_project():
    calls = {
        match[1]
        for path in (ROOT / "colorize").rglob("*.py")
        for match in re.finditer(r'import_or_raise\([^)]*extra="(\w+)"\)', path.read_text(encoding="utf-8"))
    }
    assert {"report", "refine", "video", "app", "distributed", "heif"} <= calls
    assert calls <= set(PROJECT["optional-dependencies"])
    with pytest.raises(MissingDependencyError) as missing:
        import_or_raise("no_such_library", extra="report")
    assert PIP.search(str(missing.value))
    assert list(faults_of_pip(str(missing.value))) == []


def test_what_is_promised_to_newcomers_is_held_by_tests():
    newcomer = runpy.run_path(str(ROOT / "scripts" / "check_newcomer.py"))
    first, second = newcomer["readme_commands"]((ROOT / "README.md").read_text(encoding="utf-8"))
    assert (first.split()[:4], second.split()[:4]) == (["python", "-m", "pip", "install"],) * 2
    for test in (test for tests in newcomer["PROMISES"].values() for test in tests):
        file, _, name = test.partition("::")
        assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8"), test


@pytest.mark.slow
def test_the_release_is_sound():
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_release.py"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
