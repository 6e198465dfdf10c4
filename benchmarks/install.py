"""What an installation weighs and how long the first picture takes: ``python benchmarks/install.py``.

Builds a wheel of this checkout, installs it into a fresh environment in a temporary folder with the versions of
``constraints-ci.txt``, adds up what lies there, and colorizes the sample photograph: cold, without any code that numba
has compiled, and again. Of ``--repeats`` runs the median and the least (on a busy machine the better estimate) are
shown; CPU seconds are those of the program and its children. Files were just written, so they come from memory: a disk
that has to turn for them is not measured. ``--extras report app`` installs and weighs extras too, one after the other.
With ``--save`` the tables go into ``benchmarks/results/install-DATE.md`` as well. Needs pip's registry, hatchling, and
2 GB of disk.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
LARGEST = 12


class Cost(NamedTuple):
    """Seconds of wall time and of processors."""

    wall: float
    cpu: float


def main() -> None:
    """Measure and print."""
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="colorize-install-") as name:
        lines = list(measure(Path(name), options))
    text = "\n".join(lines) + "\n"
    print(text)
    if options.save:
        target = ROOT / "benchmarks" / "results" / f"install-{datetime.date.today().isoformat()}.md"
        target.write_text(text, encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--extras", nargs="*", default=[], help="extras to weigh as well")
    parser.add_argument("--save", action="store_true", help="also write benchmarks/results/install-DATE.md")
    return parser.parse_args()


def measure(folder: Path, options: argparse.Namespace) -> Iterator[str]:
    """The page, line by line."""
    wheel = build_wheel(folder / "wheel")
    python = make_environment(folder / "environment")
    cost = install(python, str(wheel))
    packages = site_packages(python)
    yield f"# Installation, {datetime.date.today().isoformat()}"
    yield f"\nPython {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}; {load()}\n"
    size = wheel.stat().st_size / 1e6
    yield f"Wheel {size:.1f} MB; `pip install` took {cost.wall:.0f} s, {cost.cpu:.0f} CPU-seconds.\n"
    yield from weights(packages)
    yield from times(python, packages, folder / "pictures", options.repeats)
    if options.extras:
        yield from ("\n## Extras\n", "| extra | MB more |", "|---|---:|")
    for extra in options.extras:
        before = total(packages)
        install(python, f"{wheel}[{extra}]")
        yield f"| `{extra}` | {(total(packages) - before) / 1e6:.0f} |"


def load() -> str:
    """How busy the machine is."""
    return f"load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load average unknown"


def clean_variables() -> dict[str, str]:
    """The environment without what a user does not have: nothing kept from compiling, one thread."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "NUMBA_CACHE_DIR", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def timed(command: list[str], folder: Path | None = None) -> Cost:
    """Run a command and say what it cost."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, cwd=folder, env=clean_variables(), stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - start, cpu)


def build_wheel(folder: Path) -> Path:
    """Make a wheel of this checkout."""
    timed([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], ROOT)
    return next(folder.glob("*.whl"))


def make_environment(folder: Path) -> Path:
    """A bare environment; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder / "bin" / "python"


def install(python: Path, what: str) -> Cost:
    """Install with the versions of the continuous integration."""
    constraints = str(ROOT / "constraints-ci.txt")
    return timed([str(python), "-m", "pip", "install", "--quiet", "--constraint", constraints, what])


def site_packages(python: Path) -> Path:
    """Where the environment keeps packages."""
    return next(python.parents[1].glob("lib/python*/site-packages"))


def total(packages: Path) -> int:
    """Bytes of everything installed, the tools that install left out."""
    return sum(parts(packages).values())


def parts(packages: Path) -> Counter[str]:
    """Bytes per installed package; the bundled libraries of a wheel count with it."""
    found: Counter[str] = Counter()
    for path in packages.rglob("*"):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(packages).parts[0]
            if name.split("-")[0] not in TOOLS:
                found[OWNER.get(name.removesuffix(".libs"), name.removesuffix(".libs"))] += path.stat().st_size
    return found


OWNER = {"opencv_contrib_python_headless": "cv2", "PIL": "pillow"}


def weights(packages: Path) -> Iterator[str]:
    """The largest parts."""
    found = parts(packages)
    rest = sum(found.values()) - sum(size for _, size in found.most_common(LARGEST))
    yield from (f"## Size: {sum(found.values()) / 1e6:.0f} MB\n", "| package | MB |", "|---|---:|")
    for name, size in found.most_common(LARGEST):
        yield f"| {name} | {size / 1e6:.0f} |"
    yield f"| {len(found) - LARGEST} others | {rest / 1e6:.0f} |\n"


def times(python: Path, packages: Path, folder: Path, repeats: int) -> Iterator[str]:
    """Cost of the first picture, of later ones, and of `--help`."""
    folder.mkdir()
    program = str(python.with_name("colorize"))
    picture = [program, "photo", "--sample", "--quiet", "--force"]
    cold = []
    for _ in range(repeats):
        forget(packages / "colorize")
        cold.append(timed(picture, folder))
    rows = {
        "first picture, nothing compiled": cold,
        "later pictures": [timed(picture, folder) for _ in range(repeats)],
        "`colorize --help`": [timed([program, "--help"], folder) for _ in range(repeats)],
        "`colorize info`": [timed([program, "info"], folder) for _ in range(repeats)],
    }
    yield "## Time\n"
    yield f"The sample is a photograph of 640 x 427 pixels. Median of {repeats}; {load()}.\n"
    yield from ("| | wall s, median | fastest | CPU s, median | least |", "|---|---:|---:|---:|---:|")
    for name, costs in rows.items():
        figures = [f(column) for column in zip(*costs, strict=True) for f in (statistics.median, min)]
        yield f"| {name} | {' | '.join(f'{figure:.1f}' for figure in figures)} |"


def forget(package: Path) -> None:
    """Remove what Python and numba have compiled of the package."""
    for cache in list(package.rglob("__pycache__")):
        shutil.rmtree(cache)


if __name__ == "__main__":
    main()
