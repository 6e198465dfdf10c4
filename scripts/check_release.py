"""Check what would be released: ``python scripts/check_release.py``; it says what it does and stops at the first fault.

1. Build the sdist, a wheel of the checkout, and a wheel of the unpacked sdist: the wheels must hold the same, byte for
   byte, the package, its models, its pages and the mark `py.typed`, and nothing else.
2. Install the wheel into a bare environment with the versions of ``constraints-ci.txt`` and use it as a stranger would:
   `colorize info`, the sample photograph, training on a few photographs, colouring with that model; a program that uses
   the public names passes `mypy --strict`.
3. With ``--tests``, run the tests of the unpacked sdist in that environment (``--tests -m "not slow"`` and the like).

Needs hatchling, pip's registry, and 2 GB of disk.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = str(ROOT / "constraints-ci.txt")
TEST_TOOLS = ("pytest", "hypothesis", "pyamg", "scikit-image")
NEEDED = (
    "py.typed", "models/default.safetensors", "models/default.md", "app/static/stage.js", "cli/main.py",
    "evaluation/report/templates/page.html", "app/templates/pieces.html",
)  # fmt: skip

MAKE_PHOTOGRAPHS = """
import sys
from pathlib import Path

from sklearn.datasets import load_sample_images

from colorize import RgbImage, write_photo

for number, picture in enumerate(load_sample_images().images):
    for piece in range(6):
        top, left = 213 * (piece // 3), 213 * (piece % 3)
        pixels = picture[top : top + 213, left : left + 213].copy()
        write_photo(RgbImage(pixels), Path(sys.argv[1]) / f"{number}{piece}.png")
"""
CONSUMER = """
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import colorize
from colorize import Colorization, Colorizer, find_model, read_photo, to_gray, write_photo


def paint(source: Path, target: Path) -> NDArray[np.float32]:
    model: Colorizer = Colorizer.load(find_model("default"))
    result: Colorization = model.predict(to_gray(read_photo(source)), vividness=0.5)
    write_photo(result.image, target)
    print(colorize.__version__.upper(), result.confidence.mean())
    return result.ab
"""
WRONG_CONSUMER = CONSUMER + "\npaint(1, Path())\nColorizer.load(find_model('default')).predict('old.jpg')\n"


def main() -> None:
    """Check everything that was asked for."""
    tests = sys.argv[2:] if sys.argv[1:2] == ["--tests"] else None
    with tempfile.TemporaryDirectory(prefix="colorize-release-") as name:
        folder = Path(name)
        wheel, sources = check_packages(folder)
        python = make_environment(folder / "environment", wheel)
        check_commands(python, folder)
        check_types(python, folder)
        if tests is not None:
            run_tests(python, sources, tests)
    print("the release is sound")


def run(*command: object, folder: Path | None = None, status: int = 0) -> str:
    """Run a command in a folder, without what this process has in its environment; its output."""
    dropped = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "NUMBA_CACHE_DIR")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    print("$", *(str(part) if len(str(part)) < 80 else "..." for part in command), flush=True)
    result = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    if result.returncode != status:
        raise SystemExit(f"{result.stdout}\nexit status {result.returncode}, expected {status}")
    return result.stdout


def check_packages(folder: Path) -> tuple[Path, Path]:
    """Build, compare; the wheel of the sdist and the unpacked sdist."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder / "tree", folder=ROOT)
    with tarfile.open(next((folder / "tree").glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "sdist", filter="data")
    sources = next((folder / "sdist").iterdir())
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "wheel", folder=sources)
    wheel = next((folder / "wheel").glob("*.whl"))
    first, second = contents(next((folder / "tree").glob("*.whl"))), contents(wheel)
    different = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    if different:
        raise SystemExit(f"the wheel of the sdist differs in {', '.join(different)}")
    missing = [name for name in NEEDED if f"colorize/{name}" not in second]
    own = ("colorize/", wheel.name.partition("-")[0] + "-")  # the package, and what pip records of it
    strange = [name for name in second if not name.startswith(own) or name.endswith(".pyc")]
    if missing or strange:
        raise SystemExit(f"the wheel lacks {missing}, and should not have {strange}")
    return wheel, sources


def contents(wheel: Path) -> dict[str, bytes]:
    """Every file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def make_environment(folder: Path, wheel: Path) -> Path:
    """A bare environment with the wheel in it; its interpreter."""
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", CONSTRAINTS, wheel)
    run(python, "-m", "pip", "check")
    return python


def check_commands(python: Path, folder: Path) -> None:
    """The first minutes of a stranger."""
    program, place = python.with_name("colorize"), folder / "place"
    (place / "photos").mkdir(parents=True)
    print(run(program, "info", folder=place))
    run(program, "photo", "--sample", folder=place)
    run(python, "-c", MAKE_PHOTOGRAPHS, "photos", folder=place)
    run(program, "train", "photos", "-o", "mine.safetensors", "--quiet", folder=place)
    run(program, "photo", "photos/00.png", "--model", "mine.safetensors", folder=place)
    for output in ("flower.colorized.png", "mine.safetensors", "photos/00.colorized.png"):
        if not (place / output).is_file():
            raise SystemExit(f"{output} was not written")
    error = run(program, "evaluate", "photos", "--html", "report.html", folder=place, status=1)
    if error:
        raise SystemExit(f"without the extra `report` this must be one line on standard error, not:\n{error}")


def check_types(python: Path, folder: Path) -> None:
    """A type checker sees the types of the installed package, and faults in their use."""
    run(python, "-m", "pip", "install", "--quiet", "--constraint", CONSTRAINTS, "mypy")
    for name, text, status in (("right", CONSUMER, 0), ("wrong", WRONG_CONSUMER, 1)):
        path = folder / "place" / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        said = run(python, "-m", "mypy", "--strict", path.name, folder=path.parent, status=status)
        if status and said.count("arg-type") != 2:
            raise SystemExit(f"mypy should find two wrong arguments:\n{said}")


def run_tests(python: Path, sources: Path, options: list[str]) -> None:
    """The tests of the sdist against the installed wheel."""
    run(python, "-m", "pip", "install", "--quiet", "--constraint", CONSTRAINTS, "matplotlib", "jinja2", *TEST_TOOLS)
    print(run(python, "-P", "-m", "pytest", "-q", *options, folder=sources)[-2000:])


if __name__ == "__main__":
    main()
