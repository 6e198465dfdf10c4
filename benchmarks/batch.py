"""Batches: throughput, memory, manifest, kills, cluster: ``python benchmarks/batch.py``.

500 photographs of 481 x 321 pixels (``../shared/data/bsds500`` if it is there, else crops of scikit-image's samples)
are colorized one after another in one process, by ``colorize batch`` with two workers, and on a Dask cluster of two
workers, in one run. On a machine that others use as well, wall times depend on them: the table therefore gives CPU
seconds too, and the throughput that they allow on free cores. Outputs are compared byte for byte with those of the
first run.

``--tables throughput kills cluster`` runs some tables only, ``--photos N`` takes fewer photographs, ``--save`` keeps
the tables in ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BSDS = ROOT.parent / "shared" / "data" / "bsds500"
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
COLORIZE = [sys.executable, "-m", "benchmarks.batch", "--colorize"]
N_WORKERS = 2
N_KILLS = 20


def make_folder(folder: Path, count: int) -> Path:
    """So many photographs in four sub-folders, as links to the files."""
    files = [path for part in ("train", "val") for path in sorted((BSDS / part).glob("*.jpg"))]
    if not files:
        files = write_samples(folder.parent / "samples")
    for number in range(count):
        path = folder / f"album{number % 4}" / f"{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(files[number % len(files)])
    return folder


def write_samples(folder: Path) -> list[Path]:
    """Crops of 481 x 321 pixels."""
    import skimage.data

    from colorize.io import write_photo
    from colorize.types import RgbImage

    folder.mkdir()
    files = []
    for name in ("astronaut", "coffee", "rocket", "chelsea"):
        pixels = getattr(skimage.data, name)()
        for step in range(0, pixels.shape[1] - 480, 4):
            for row in range(0, max(1, pixels.shape[0] - 320), 16):
                files.append(folder / f"{name}{row}-{step}.jpg")
                crop = pixels[row : row + 321, step : step + 481]
                write_photo(RgbImage(crop), files[-1])
    return files


class Usage:
    """Wall and CPU seconds of a command and the processes that it started, and the highest memory of each."""

    def __init__(self, command: list[str], watch: Callable[[int], None] | None = None) -> None:
        self.peaks: dict[int, float] = {}
        before, start = children_seconds(), time.monotonic()
        process = subprocess.Popen(command, env=ONE_THREAD, cwd=ROOT, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            self._look(process.pid)
            if watch:
                watch(process.pid)
            time.sleep(0.1)
        if process.returncode:
            raise SystemExit(f"{command} ended with status {process.returncode}")
        self.wall, self.cpu = time.monotonic() - start, children_seconds() - before
        self.load = os.getloadavg()[0]

    def _look(self, pid: int) -> None:
        for child in descendants(pid):
            peak = memory_of(child)
            if peak:
                self.peaks[child] = max(peak, self.peaks.get(child, 0.0))


def children_seconds() -> float:
    """CPU seconds of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def descendants(pid: int) -> Iterator[int]:
    """Processes below a process."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield child
        yield from descendants(child)


def memory_of(pid: int) -> float:
    """Highest resident memory of a worker process in MB so far; 0 for other processes."""
    try:
        if b"colorize.batch.worker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return 0.0
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


# ------------------------------------------------------------------------------------------------ what is compared


def one_by_one(source: Path, target: Path) -> None:
    """The yardstick: one process, one photograph after another, the same code for each."""
    import cv2

    from colorize.batch.jobs import Job, Settings
    from colorize.batch.worker import Studio

    cv2.setNumThreads(1)
    studio = Studio(Settings())
    for path in sorted(source.rglob("*.jpg")):
        result = studio.do(Job(str(path), str(target / path.relative_to(source))), lambda pixels: None)
        if result.status != "done":
            raise SystemExit(result.message)


def batch_command(source: Path, target: Path, *options: str) -> list[str]:
    """``colorize batch`` as a user would run it, in a process of its own."""
    return [*COLORIZE, "batch", str(source), str(target), "--quiet", *options]


def local(source: Path, target: Path) -> list[str]:
    """The batch on two workers."""
    return batch_command(source, target, "--workers", str(N_WORKERS))


def on_cluster(source: Path, target: Path) -> list[str]:
    """The batch on a cluster of two workers."""
    return batch_command(source, target, "--local-cluster", str(N_WORKERS))


def check(target: Path, reference: Path, count: int) -> str:
    """Every output right, one final line each; a sentence, or the end of the run."""
    from colorize.batch.manifest import NAME, read_manifest

    lines = read_manifest(target / NAME)
    names = [line.input for line in lines]
    wrong = [name for name in names if (target / name).read_bytes() != (reference / name).read_bytes()]
    others = [path for path in target.rglob("*") if path.is_file() and NAME not in path.name]
    rows = (target / NAME).read_bytes().count(b"\n")
    if wrong or not (len(names) == len(set(names)) == len(others) == rows - 1 == count):
        raise SystemExit(f"{target}: {len(wrong)} wrong, {len(names)} lines, {len(others)} outputs for {count} photos")
    return f"all {count} outputs right, none twice, none missing"


def steady_rate(target: Path) -> float:
    """Photographs a second between the first and the last line: without the start of the processes."""
    from colorize.batch.manifest import NAME

    moments = [path.stat().st_mtime for path in target.rglob("*.jpg") if NAME not in path.name]
    return (len(moments) - 1) / max(max(moments) - min(moments), 1e-9)


# ------------------------------------------------------------------------------------------------ tables


def throughput(source: Path, work: Path, count: int) -> list[str]:
    """One process against two workers against a cluster of two."""
    runs = {
        "one process": (work / "one", [sys.executable, "-m", "benchmarks.batch", "--one"]),
        "batch, 2 workers": (work / "local", None),
        "Dask, 2 workers": (work / "dask", None),
    }
    rows, usages = [], {}
    for name, (target, command) in runs.items():
        make = {"batch, 2 workers": local, "Dask, 2 workers": on_cluster}.get(name)
        used = usages[name] = Usage(make(source, target) if make else [*(command or []), str(source), str(target)])
        peak = f"{max(used.peaks.values()):.0f}" if used.peaks else ""
        rows.append(
            f"| {name} | {count / used.wall:.2f} | {steady_rate(target):.2f} | {used.cpu:.1f} "
            f"| {used.cpu / count * 1000:.0f} | {peak} | {used.load:.1f} |"
        )
    one, two, dask = usages.values()
    head = [
        "## Throughput and memory",
        "",
        f"{count} photographs of 481 x 321 pixels; {os.cpu_count()} cores, which others may use as well (load).",
        "",
        "| | photos/s | without start | CPU s | ms of CPU per photo | peak MB of a worker | load |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    return [
        *head,
        *rows,
        "",
        f"Two workers against one process: {one.wall / two.wall:.2f} times the throughput as measured; "
        f"{N_WORKERS * one.cpu / two.cpu:.2f} times on two free cores, by the CPU seconds.",
        f"Dask against the local batch: {two.wall / dask.wall:.2f} as measured, {two.cpu / dask.cpu:.2f} by the CPU "
        f"seconds, {steady_rate(work / 'dask') / steady_rate(work / 'local'):.2f} without the start.",
        f"Local: {check(work / 'local', work / 'one', count)}. Dask: {check(work / 'dask', work / 'one', count)}.",
        *manifest_overhead(work, two.cpu / count, two.wall / count),
    ]


def manifest_overhead(work: Path, cpu: float, wall: float) -> list[str]:
    """What the lines cost, against what a photograph costs."""
    from colorize.batch.manifest import NAME, Manifest, read_manifest

    lines = read_manifest(work / "local" / NAME)
    (work / "again").mkdir()
    start_cpu, start = time.process_time(), time.monotonic()
    with Manifest.open(work / "again" / NAME, {}, bool) as manifest:
        for line in lines:
            manifest.add(line)
    spent_cpu, spent = (time.process_time() - start_cpu) / len(lines), (time.monotonic() - start) / len(lines)
    return [
        f"Manifest: {spent_cpu * 1e6:.0f} microseconds of CPU per line ({spent_cpu / cpu:.3%} of a photograph's), "
        f"{spent * 1e6:.0f} of wall time ({spent / wall:.3%}), all on the disk.",
    ]


def kills(source: Path, work: Path, count: int) -> list[str]:
    """Kill the batch at random moments, go on, and compare every byte."""
    target, reference, rng = work / "killed", reference_of(source, work), random.Random(0)
    n_lines = []
    for kill in range(N_KILLS):
        process = subprocess.Popen(local(source, target), env=ONE_THREAD, cwd=ROOT)
        wanted = round((kill + rng.random()) * count / N_KILLS)
        while process.poll() is None and lines_in(target) < wanted:
            time.sleep(0.005)
        time.sleep(rng.random() * 0.3)
        process.send_signal(signal.SIGKILL)
        process.wait()
        n_lines.append(max(0, lines_in(target) - 1))
    Usage(local(source, target))
    return [
        "",
        f"## {N_KILLS} kills",
        "",
        f"The batch of {count} photographs was ended by SIGKILL after {', '.join(map(str, n_lines))} finished "
        f"photographs and begun again each time: {check(target, reference, count)}.",
    ]


def cluster(source: Path, work: Path, count: int) -> list[str]:
    """Kill a Dask worker every ten seconds for a minute, and compare every byte."""
    reference, target, killed = reference_of(source, work), work / "losses", []
    moments = iter(range(10, 70, 10))
    start, due = time.monotonic(), [next(moments)]

    def kill_one(pid: int) -> None:
        if due and time.monotonic() - start > due[0]:
            workers = [child for child in descendants(pid) if is_dask_worker(child)]
            if workers:
                victim = random.Random(due[0]).choice(workers)
                os.kill(victim, signal.SIGKILL)
                killed.append(lines_in(target) - 1)
                due[:] = [moment] if (moment := next(moments, None)) else []

    used = Usage(on_cluster(source, target), kill_one)
    return [
        "",
        "## Workers of a cluster that are lost",
        "",
        f"A Dask worker was killed every 10 s, {len(killed)} times (after {', '.join(map(str, killed))} photographs), "
        f"in a batch of {count} that took {used.wall:.0f} s: {check(target, reference, count)}.",
    ]


def is_dask_worker(pid: int) -> bool:
    """Tell whether a process is one that a nanny of Dask started."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"spawn_main" in command


def lines_in(target: Path) -> int:
    """Lines of the manifest so far, the first included."""
    from colorize.batch.manifest import NAME

    return (target / NAME).read_bytes().count(b"\n") if (target / NAME).exists() else 0


def reference_of(source: Path, work: Path) -> Path:
    """The outputs of the yardstick, made if no other table has made them."""
    if not (work / "one").exists():
        one_by_one(source, work / "one")
    return work / "one"


TABLES = {"throughput": throughput, "kills": kills, "cluster": cluster}


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder that is gone in the end."""
    folder = Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Run from the command line."""
    if sys.argv[1:2] == ["--colorize"]:
        from colorize.cli import main as colorize

        sys.argv[1:] = sys.argv[2:]
        colorize()
    if sys.argv[1:2] == ["--one"]:
        one_by_one(*map(Path, sys.argv[2:]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    today = datetime.date.today().isoformat()
    text = [f"# Batches, {today}", "", f"Python {platform.python_version()}, {os.cpu_count()} cores", ""]
    with workplace() as work:
        source = make_folder(work / "source", options.photos)
        for name in options.tables:
            part = TABLES[name](source, work, options.photos)
            print("\n".join(part), flush=True)
            text += part
    if options.save:
        (ROOT / "benchmarks" / "results" / f"batch-{today}.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
