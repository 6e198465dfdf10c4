"""Speed and memory, as ratios within one run: ``python benchmarks/speed.py``.

Every measurement runs in a process of its own (clean memory, one thread unless said otherwise) and reports CPU
seconds, which a busy machine disturbs less than wall time. Multigrid is run three or five times in that process and the
median counts: the first touch of memory that a virtual machine has not used before can cost as much as the solution.
Tables go to the screen and, with ``--save``, into ``benchmarks/results/speed-DATE.md``.

``--tables rivals scaling`` runs some tables only; ``--sizes`` sets the megapixels. Photographs come from
``../shared/data/large`` if it is there, else from scikit-image's samples, tiled; ``--photo FILE`` takes your own.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
LARGE = ROOT.parent / "shared" / "data" / "large"
HINTS = 300

Result = dict[str, Any]


# ------------------------------------------------------------------------------------------------ material


def photo(megapixels: float, path: str | None) -> tuple[np.ndarray, np.ndarray, str]:
    """Lightness and true ab of a photograph of that many megapixels, and its name."""
    import cv2

    from colorize.color import rgb_to_lab
    from colorize.io import read_photo

    files = [Path(path)] if path else sorted(LARGE.glob("landscape_valley*"))
    pixels: np.ndarray
    if files:
        pixels, name = read_photo(files[0]).pixels, files[0].stem
    else:
        from skimage import data

        pixels, name = data.astronaut(), "astronaut, tiled"
    scale = (megapixels * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    if scale > 1.02 and not files:
        times = int(np.ceil(scale))
        pixels = np.tile(pixels, (times, times, 1))[: int(512 * scale), : int(512 * scale)]
    else:
        size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    lab = rgb_to_lab(pixels)
    return np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:]), name


def hard_hints(ab: np.ndarray) -> dict[str, Any]:
    """`HINTS` pixels of true colour at random places, nothing else known."""
    is_known = np.zeros(ab.shape[:2], bool)
    is_known.flat[np.random.default_rng(0).choice(is_known.size, HINTS, replace=False)] = True
    known_ab = np.where(is_known[..., None], ab, np.float32(0))
    return {
        "target_ab": np.zeros_like(ab),
        "weight": np.zeros(ab.shape[:2], np.float32),
        "is_known": is_known,
        "known_ab": known_ab,
    }


def soft_regions(ab: np.ndarray) -> dict[str, Any]:
    """Blocks of mean colour, as the classifier gives them: about 1000 a photo, with a uniform confidence."""
    import cv2

    height, width = ab.shape[:2]
    side = (height * width / 1000) ** 0.5
    small = cv2.resize(ab, (max(1, round(width / side)), max(1, round(height / side))), interpolation=cv2.INTER_AREA)
    target = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    weight = np.full((height, width), 0.03 * 150_000 / (height * width), np.float32)
    return {"target_ab": target, "weight": weight}


def difference(lightness: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """CIEDE2000 between two colour fields of one photo."""
    from colorize.color.metrics import ciede2000

    return ciede2000(np.dstack([lightness, first]), np.dstack([lightness, second]))


# ------------------------------------------------------------------------------------------------ measuring


class Meter:
    """CPU seconds, wall seconds and the peak of memory added since the start (Linux; elsewhere 0)."""

    def __enter__(self) -> Meter:
        self._base = _memory("VmRSS")
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu, self.wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        self.peak = max(0, _memory("VmHWM") - self._base)

    def result(self, **more: Any) -> Result:
        """What was measured, ready for a table."""
        return {"cpu": self.cpu, "wall": self.wall, "peak": self.peak, **more}


def median(meters: list[Meter]) -> Meter:
    """The run with the median of CPU seconds, and the peak of the run that had to ask the system for memory."""
    middle = sorted(meters, key=lambda run: run.cpu)[len(meters) // 2]
    middle.peak = max(run.peak for run in meters)
    return middle


def _memory(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def measure(name: str, **options: Any) -> Result:
    """Run one of `CASES` in a fresh process with one thread for every library."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, __file__, "--case", name, "--options", json.dumps(options)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} {options} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


# ------------------------------------------------------------------------------------------------ cases


def case_multigrid(
    megapixels: float, path: str | None, constraints: str, compare: str | None = None, **options: Any
) -> Result:
    """Propagation by multigrid; `compare` names an exact field, else a far more exact multigrid solution serves."""
    from colorize.optimization import propagate

    lightness, ab, name = photo(megapixels, path)
    given = hard_hints(ab) if constraints == "hard" else soft_regions(ab)
    _warm_up(lightness)
    meters = [Meter() for _ in range(5 if lightness.size < 2e6 else 3)]
    for meter in meters:
        with meter:
            result = propagate(lightness, **given, memory_limit=10**11, **options)
    meter = median(meters)
    if compare:
        exact = np.load(compare)
    else:
        exact = propagate(lightness, **given, tolerance=0.003, maxiter=300, memory_limit=10**11, **options).ab
    error = difference(lightness, result.ab, exact)
    return meter.result(
        pixels=lightness.size, name=name, iterations=result.report.iterations,
        max_error=float(error.max()), p999=float(np.quantile(error, 0.999)),
    )  # fmt: skip


def case_threads(megapixels: float, path: str | None) -> Result:
    """Wall seconds with one and two threads, the better of five runs each, taken in turns."""
    from colorize.optimization import propagate

    lightness, ab, name = photo(megapixels, path)
    given = soft_regions(ab)
    _warm_up(lightness)
    walls: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(5):
        for threads, seconds in walls.items():
            os.environ["OMP_NUM_THREADS"] = str(threads)
            with Meter() as meter:
                propagate(lightness, **given, memory_limit=10**11)
            seconds.append(meter.wall)
    return meter.result(pixels=lightness.size, name=name, one=min(walls[1]), two=min(walls[2]))


def _warm_up(lightness: np.ndarray) -> None:
    """Load the compiled kernels."""
    from colorize.optimization import propagate

    corner = lightness[:64, :64]
    propagate(corner, np.zeros((*corner.shape, 2), np.float32), np.ones_like(corner))


def _matrix(lightness: np.ndarray, given: dict[str, Any], options: Result) -> Any:
    from colorize.optimization import affinity, reference, system

    return reference.as_matrix(system.stencil_system(affinity.gaussian(lightness, **options), **given))


def case_superlu(megapixels: float, path: str | None, constraints: str, save: str, **options: Any) -> Result:
    """SuperLU in symmetric mode with minimum degree; the solution is kept as the exact one."""
    import scipy.sparse.linalg as spla

    lightness, ab, name = photo(megapixels, path)
    system = _matrix(lightness, hard_hints(ab) if constraints == "hard" else soft_regions(ab), options)
    with Meter() as meter:
        order = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
        factors = spla.splu(system.matrix, **order)
        x = factors.solve(system.rhs)
    np.save(save, x.reshape(ab.shape).astype(np.float32))
    return meter.result(pixels=lightness.size, name=name, max_error=0.0)


def case_pyamg(megapixels: float, path: str | None, constraints: str, compare: str, **options: Any) -> Result:
    """Smoothed aggregation and CG, stopped as soon as the largest CIEDE2000 against the exact field is below 0.5."""
    import pyamg

    lightness, ab, name = photo(megapixels, path)
    system = _matrix(lightness, hard_hints(ab) if constraints == "hard" else soft_regions(ab), options)
    matrix, exact = system.matrix.tocsr(), np.load(compare)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    levels = pyamg.smoothed_aggregation_solver(matrix)
    iterates: list[list[np.ndarray]] = [[], []]
    for channel in range(2):
        keep = iterates[channel]
        levels.solve(
            system.rhs[:, channel], tol=1e-12, maxiter=40, accel="cg",
            callback=lambda x, keep=keep: keep.append(x.astype(np.float32)),
        )  # fmt: skip
    needed, error = 40, 0.0
    for k, pair in enumerate(zip(*iterates, strict=False), 1):
        error = float(difference(lightness, np.stack(pair, -1).reshape(ab.shape), exact).max())
        if error < 0.5:
            needed = k
            break
    del iterates, levels
    with Meter() as meter:
        levels = pyamg.smoothed_aggregation_solver(matrix)
        for channel in range(2):
            levels.solve(system.rhs[:, channel], tol=1e-12, maxiter=needed, accel="cg")
    return meter.result(pixels=lightness.size, name=name, iterations=needed, max_error=error)


def case_stroke(megapixels: float, path: str | None, constraints: str, **options: Any) -> Result:
    """One stroke of 12 x 200 pixels on a photo that is already coloured."""
    from colorize.optimization import propagate

    lightness, ab, name = photo(megapixels, path)
    given = hard_hints(ab) if constraints == "hard" else soft_regions(ab)
    before = {key: value.copy() for key, value in given.items()}
    height, width = lightness.shape
    given.setdefault("is_known", np.zeros(lightness.shape, bool))
    given.setdefault("known_ab", np.zeros_like(ab))
    stroke = np.s_[height // 3 : height // 3 + 12, width // 3 : width // 3 + 200]
    given["is_known"][stroke], given["known_ab"][stroke] = True, (50, 20)
    options["memory_limit"] = 10**11
    start_ab = propagate(lightness, **before, **options).ab
    meters = [Meter() for _ in range(5)]
    for meter in meters:
        with meter:
            result = propagate(lightness, **given, start_ab=start_ab, **options)
    meter = median(meters)
    cold = propagate(lightness, **given, tolerance=0.003, maxiter=300, **options)
    error = difference(lightness, result.ab, cold.ab)
    return meter.result(
        pixels=lightness.size, name=name, iterations=result.report.iterations, max_error=float(error.max()),
        p999=float(np.quantile(error, 0.999)),
    )  # fmt: skip


def case_stages(megapixels: float, path: str | None) -> Result:
    """Every stage of a photograph's way, with the shipped model, in CPU seconds."""
    from unittest import mock

    from colorize.colorizer import Colorizer
    from colorize.models import find_model
    from colorize.types import GrayImage

    lightness, _, name = photo(megapixels, path)
    gray = GrayImage(lightness)
    model = Colorizer.load(find_model())
    model.predict(GrayImage(np.ascontiguousarray(lightness[:256, :256])))
    with mock.patch("time.perf_counter", time.process_time), Meter() as meter:  # stages are timed in CPU seconds
        result = model.predict(gray)
    return meter.result(pixels=lightness.size, name=name, stages=dict(result.timings))


def case_command(megapixels: float, path: str | None) -> Result:
    """``colorize photo`` as a user runs it, everything included: start, reading, model, writing a JPEG."""
    import resource

    from colorize.color import lab_to_rgb
    from colorize.io import write_photo
    from colorize.types import RgbImage

    lightness, ab, name = photo(megapixels, path)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "photo.jpg", Path(folder) / "colorized.jpg"
        write_photo(RgbImage(lab_to_rgb(lightness, np.zeros_like(ab))), source)
        del ab
        program = "import sys; from colorize.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", program, "photo", "--quiet", str(source), "-o", str(target)]
        subprocess.run(command, check=True)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime
    return {"pixels": lightness.size, "name": name, "cpu": cpu, "peak": 1024 * usage.ru_maxrss}


def case_compile() -> Result:
    """First import of the kernels on a machine that has never compiled them, without numba's own import."""
    import numba

    with tempfile.TemporaryDirectory() as empty:
        numba.config.CACHE_DIR = empty
        with Meter() as meter:
            import colorize.color.kernels
            import colorize.color.metric_kernels
            import colorize.optimization.kernels  # noqa: F401
    return meter.result()


def case_load() -> Result:
    """The same import when numba's cache has them."""
    import numba  # noqa: F401

    with Meter() as meter:
        import colorize.color.kernels
        import colorize.color.metric_kernels
        import colorize.optimization.kernels  # noqa: F401
    return meter.result()


CASES: dict[str, Callable[..., Result]] = {
    name.removeprefix("case_"): value for name, value in list(globals().items()) if name.startswith("case_")
}


# ------------------------------------------------------------------------------------------------ tables


def table_rivals(sizes: list[float], path: str | None) -> list[str]:
    """Multigrid beside SuperLU and pyamg, at the sizes that they can do."""
    lines = ["## Solvers, one thread", ""]
    for constraints, floor in (("hard", 1e-3), ("hard", 1e-2), ("soft", 1e-3)):
        rows = []
        for size in [s for s in sizes if s <= 1]:
            with tempfile.TemporaryDirectory() as folder:
                exact = str(Path(folder) / "exact.npy")
                common = {"megapixels": size, "path": path, "constraints": constraints, "floor": floor}
                direct = measure("superlu", save=exact, **common)
                amg = measure("pyamg", compare=exact, **common)
                own = measure("multigrid", compare=exact, **common)
            for name, run in (("SuperLU", direct), ("pyamg + CG", amg), ("multigrid", own)):
                rows.append(
                    [f"{size:g} MP", name, f"{run['cpu']:.2f}", f"{run['cpu'] / own['cpu']:.1f}",
                     f"{run.get('iterations', 0)}", f"{run['max_error']:.2f}", f"{run['peak'] / 1e6:.0f}"]
                )  # fmt: skip
        kind = f"{HINTS} exact hints" if constraints == "hard" else "soft region colours"
        heading = ["size", "solver", "CPU s", "x multigrid", "steps", "max CIEDE2000", "added MB"]
        lines += [f"{kind}, floor {floor:g}", "", *markdown(heading, rows), ""]
    return lines


def table_scaling(sizes: list[float], path: str | None) -> list[str]:
    """Multigrid from small to large, with the exponent of time between the ends."""
    lines = ["## Multigrid from small to large, one thread", ""]
    for constraints, floor in (("hard", 1e-3), ("soft", 1e-3), ("soft", 1e-2)):
        runs = [measure("multigrid", megapixels=s, path=path, constraints=constraints, floor=floor) for s in sizes]
        rows = [
            [f"{run['pixels'] / 1e6:.2f}", f"{run['cpu']:.2f}", f"{1e9 * run['cpu'] / run['pixels']:.0f}",
             f"{run['iterations']}", f"{1e9 * run['cpu'] / run['pixels'] / (run['iterations'] + 1):.0f}",
             f"{run['max_error']:.2f}", f"{run['p999']:.3f}", f"{run['peak'] / run['pixels']:.0f}"]
            for run in runs
        ]  # fmt: skip
        heading = [
            "MP",
            "CPU s",
            "ns per pixel",
            "steps",
            "ns per pixel and step",
            "max CIEDE2000",
            "p99.9",
            "bytes per pixel",
        ]
        kind = f"{HINTS} exact hints" if constraints == "hard" else "soft region colours"
        lines += [f"{kind}, floor {floor:g} ({runs[0]['name']})", "", *markdown(heading, rows), ""]
        if len(runs) > 1:
            pixels, seconds = np.log([run["pixels"] for run in runs]), np.log([run["cpu"] for run in runs])
            lines += [
                f"Exponent of time: {np.polyfit(pixels, seconds, 1)[0]:.2f} (least squares in the logarithms).",
                "",
            ]
    return lines


def table_stroke(sizes: list[float], path: str | None) -> list[str]:
    """Answer to one stroke."""
    rows = []
    for constraints, floor in (("hard", 1e-3), ("soft", 1e-3)):
        for size in [s for s in sizes if s <= 4]:
            run = measure("stroke", megapixels=size, path=path, constraints=constraints, floor=floor)
            rows.append(
                [f"{size:g} MP", constraints, f"{run['cpu']:.2f}", f"{run['iterations']}", f"{run['p999']:.2f}"]
            )
    return [
        "## One stroke",
        "",
        *markdown(["size", "other constraints", "CPU s", "steps", "p99.9 CIEDE2000"], rows),
        "",
    ]


def table_threads(sizes: list[float], path: str | None) -> list[str]:
    """Wall time of two threads against one."""
    rows = []
    for size in [s for s in sizes if 4 <= s <= 12] or sizes[-1:]:
        run = measure("threads", megapixels=size, path=path)
        rows.append([f"{size:g} MP", f"{run['one']:.2f}", f"{run['two']:.2f}", f"{run['two'] / run['one']:.2f}"])
    return ["## Two threads", "", *markdown(["size", "wall s, 1 thread", "wall s, 2 threads", "ratio"], rows), ""]


def table_compile(sizes: list[float], path: str | None) -> list[str]:
    """Cost of compiled kernels: the first time, and every time after."""
    del sizes, path
    rows = [[name, f"{measure(case)['cpu']:.1f}"] for name, case in (("first time", "compile"), ("afterwards", "load"))]
    return ["## Compilation of the kernels", "", *markdown(["import", "CPU s"], rows), ""]


def table_stages(sizes: list[float], path: str | None) -> list[str]:
    """CPU seconds of every stage, and the whole command."""
    runs = [measure("stages", megapixels=size, path=path) for size in sizes]
    stages = list(runs[0]["stages"])
    rows = [
        [f"{run['pixels'] / 1e6:.2f}", *(f"{run['stages'][stage]:.2f}" for stage in stages), f"{run['cpu']:.2f}",
         f"{run['peak'] / 1e6:.0f}"]
        for run in runs
    ]  # fmt: skip
    lines = ["## Stages of a photograph, shipped model loaded, CPU s", ""]
    lines += [*markdown(["MP", *stages, "all", "added MB"], rows), ""]
    runs = [measure("command", megapixels=size, path=path) for size in sizes]
    rows = [[f"{run['pixels'] / 1e6:.2f}", f"{run['cpu']:.1f}", f"{run['peak'] / 1e6:.0f}"] for run in runs]
    return [
        *lines,
        "`colorize photo`, JPEG to JPEG, from start to end",
        "",
        *markdown(["MP", "CPU s", "peak MB"], rows),
        "",
    ]


TABLES: dict[str, Callable[[list[float], str | None], list[str]]] = {
    "rivals": table_rivals,
    "scaling": table_scaling,
    "stroke": table_stroke,
    "threads": table_threads,
    "stages": table_stages,
    "compile": table_compile,
}
"""Name of each table and its maker, called with the megapixels and the photo; returns lines of Markdown."""


def markdown(heading: list[str], rows: list[list[str]]) -> list[str]:
    """A table, numbers to the right."""
    widths = [max(len(row[k]) for row in [heading, *rows]) for k in range(len(heading))]
    lines = [
        "| " + " | ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in [heading, *rows]
    ]
    return [lines[0], "|" + "|".join("-" * (w + 1) + ":" for w in widths) + "|", *lines[1:]]


def main() -> None:
    """Parse the command line, make the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.15, 1, 4, 12, 24], help="megapixels")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--photo", help="photograph to measure on")
    parser.add_argument("--save", action="store_true", help="also write benchmarks/results/speed-DATE.md")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--options", default="{}", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        warnings.simplefilter("ignore")
        print(json.dumps(CASES[args.case](**json.loads(args.options))))
        return
    versions = (
        f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores, {platform.machine()}"
    )
    lines = [f"# Speed, {datetime.date.today().isoformat()}", "", versions, ""]
    print("\n".join(lines), flush=True)
    for name in args.tables:
        new = TABLES[name](args.sizes, args.photo)
        print("\n".join(new), flush=True)
        lines += new
    if args.save:
        target = ROOT / "benchmarks" / "results" / f"speed-{datetime.date.today().isoformat()}.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
