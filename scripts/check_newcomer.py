"""Do what a newcomer does in the first hour: ``python scripts/check_newcomer.py``; it stops at the first fault.

1. Clone the last commit, and run each of README's two commands as it stands in a bare environment of its own: the first
   writes one picture and prints one line, the second passes its tests.
2. Run, by name and in the second environment, the tests that hold the other promises to newcomers (`PROMISES`).

Names of tests (``scripts/check_newcomer.py tests/color/test_convert.py``) take the place of all tests in README's
second command, which take about ten minutes. ``--promises`` leaves out step 1 and runs in the environment at hand, in a
minute or two.

Needs git, pip's registry, and 3 GB of disk.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = "flower.colorized.png"
PROMISES = {
    "pages and messages install our distribution and no stranger's": (
        "tests/test_release.py::test_the_name_of_the_distribution_is_one",
        "tests/test_release.py::test_what_the_pages_tell_pip_is_ours",
        "tests/test_release.py::test_every_message_of_a_missing_library_names_an_extra_of_the_project",
    ),
    "a wrong place or ending of the output is noticed before a model is loaded or a photograph read": (
        "tests/cli/test_main.py::test_existing_output_is_found_before_the_model_is_loaded",
        "tests/cli/test_main.py::test_a_wrong_place_for_the_output_is_found_first",
        "tests/cli/test_batch.py::test_a_wrong_place_for_the_output_is_found_first",
        "tests/test_architecture.py::test_an_ending_that_cannot_be_written_is_refused_before_anything_is_loaded",
    ),
    "a damaged photograph is refused with the name of the option that colours what is left": (
        "tests/cli/test_replay.py::test_a_damaged_photograph_is_salvaged_when_asked_for",
        "tests/batch/test_run.py::test_damaged_photographs_are_salvaged_when_asked_for",
    ),
    "alternatives keep to one thread and find their modes once": (
        "tests/recognition/test_belief.py::test_dense_algebra_runs_on_one_thread",
        "tests/guidance/test_session.py::test_modes_are_computed_once_for_the_same_hints",
    ),
    "the same bytes on any number of cores": (
        "tests/test_colorizer.py::test_the_same_bytes_from_processes_started_with_one_and_with_two_threads",
    ),
    "models are pickled, copied, scored and searched": (
        "tests/test_colorizer.py::test_a_fitted_model_can_be_pickled_and_copied",
        "tests/test_colorizer.py::test_results_come_back_from_other_processes",
        "tests/test_colorizer.py::test_score_is_minus_what_evaluation_measures",
        "tests/test_colorizer.py::test_scikit_learn_searches_by_score",
    ),
    "an ablation is one command": ("tests/cli/test_main.py::test_an_ablation_is_one_command",),
    "methods are compared photograph by photograph": (
        "tests/_support/test_statistics.py::test_differences_are_paired",
        "tests/cli/test_studies.py::test_compare_measures_where_it_can_and_shows_the_rest",
    ),
    "one sha256 names a model everywhere, and models of every kind are described": (
        "tests/cli/test_replay.py::test_one_sha256_names_a_model_everywhere",
        "tests/test_without_torch.py::test_networks_are_described",
    ),
    "pictures can be read: no label over a ring, no text over another": (
        "tests/cli/test_hints.py::test_labels_of_suggestions_hide_neither_rings_nor_each_other",
        "tests/evaluation/test_plots.py::test_names_of_crowded_methods",
        "tests/evaluation/test_plots.py::test_other_plots_keep_their_texts_apart",
    ),
}
"""What is promised to newcomers beside README's two commands, and the tests that hold it."""


def main() -> None:
    """Check everything."""
    if sys.argv[1:] == ["--promises"]:
        keep_promises(Path(sys.executable), ROOT)
        return
    with tempfile.TemporaryDirectory(prefix="colorize-newcomer-") as name:
        folder = Path(name)
        clone = folder / "clone"
        run("git", "clone", "--quiet", ROOT, clone)
        first, second = readme_commands((clone / "README.md").read_text(encoding="utf-8"))
        colorize_the_sample(first, bare_environment(folder / "user"), clone)
        python = bare_environment(folder / "developer")
        run("bash", "-c", f"{second} {' '.join(sys.argv[1:])}", folder=clone, python=python)
        keep_promises(python, clone)
    print("a newcomer would be content")


def readme_commands(text: str) -> list[str]:
    """The commands of README's first section of commands."""
    section = text.partition("## Two commands")[2].partition("\n## ")[0]
    commands = re.findall(r"^```\n(.+)\n```$", section, re.MULTILINE)
    if len(commands) != 2:
        raise SystemExit(f"README should name two commands, not {commands}")
    return commands


def bare_environment(folder: Path) -> Path:
    """A new environment with nothing but pip; its interpreter."""
    run(sys.executable, "-m", "venv", folder)
    return folder / "bin" / "python"


def colorize_the_sample(command: str, python: Path, clone: Path) -> None:
    """Run README's first command: one picture, and one line of ours that tells where it is."""
    install, _, colorize = command.rpartition(" && ")
    run("bash", "-c", install, folder=clone, python=python)
    said = run("bash", "-c", f"{colorize} 2>&1", folder=clone, python=python)
    if not (clone / PICTURE).is_file() or not said.endswith(f"{PICTURE}\n") or said.count("\n") != 1:
        raise SystemExit(f"the first command should print one line, and write {PICTURE}:\n{said}")


def keep_promises(python: Path, folder: Path) -> None:
    """Run the tests that hold the other promises."""
    for promise, tests in PROMISES.items():
        print(f"== {promise}", flush=True)
        run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, folder=folder)


def run(*command: object, folder: Path | None = None, python: Path | None = None) -> str:
    """Run a command, in the environment of an interpreter if one is named, and return what it says."""
    dropped = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "NUMBA_CACHE_DIR", "PYTEST_ADDOPTS")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    if python is not None:
        environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
    print("$", *command, flush=True)
    start = time.monotonic()
    result = subprocess.run(list(map(str, command)), cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise SystemExit(f"{result.stdout}\nexit status {result.returncode}")
    print(f"{result.stdout[-1000:]}  {time.monotonic() - start:.0f} s", flush=True)
    return result.stdout


if __name__ == "__main__":
    main()
