"""A batch: all photographs of a folder, by whatever pool of workers, with a manifest to go on from."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from colorize import __version__
from colorize._support.files import refusals, remove_leftovers
from colorize._support.progress import Progress, silent
from colorize._support.threads import usable_cores
from colorize.batch.jobs import Job, Result, Settings
from colorize.batch.manifest import NAME, Line, Manifest
from colorize.batch.plan import Photo, Plan, check_folders, make_plan
from colorize.batch.supervisor import WORKER_BYTES, Supervisor
from colorize.exceptions import OutputError, OutputFormatError
from colorize.models import find_model
from colorize.models.file import stated_digest

# Of a mean of shares 40 photographs are enough, and a folder may hold thousands.
ALBUM_SAMPLE = 40
"""Photographs of a folder that decide the palette of its album."""


class Pool(Protocol):
    """Something that does jobs: `Supervisor`, or a cluster."""

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        """Do all jobs, in any order, and give each with its one result, unless it is told to stop."""

    def stop(self) -> None:
        """Begin no further job."""


OpenPool = Callable[[Settings], contextlib.AbstractContextManager[Pool]]


@dataclass
class BatchReport:
    """How a batch went.

    Attributes
    ----------
    n_photos : int
        Photographs in the source folder.
    n_done : int
        Outputs that stand, of this run and earlier ones.
    n_earlier : int
        Photographs that earlier runs finished.
    failed : dict of str to str
        Inputs that failed, in this run or earlier ones, and why.
    notes : dict of str to str
        Inputs of this run about which reading or writing had something to say.
    n_others, n_linked_folders : int
        Files that are no photographs, links to folders: left alone.
    coloured : tuple of str
        Folders within the source that an earlier batch wrote: left alone too.
    n_results : int
        Pictures among the photographs that colorize made: left alone as well.
    seconds : float
        Wall time of this run.
    is_interrupted : bool
        Somebody stopped it; running it again goes on.
    """

    n_photos: int
    n_done: int = 0
    n_earlier: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    n_others: int = 0
    n_linked_folders: int = 0
    coloured: tuple[str, ...] = ()
    n_results: int = 0
    seconds: float = 0.0
    is_interrupted: bool = False


def run_batch(
    source: str | Path,
    target: str | Path,
    settings: Settings | None = None,
    *,
    open_pool: OpenPool | None = None,
    file_format: str = "keep",
    album: bool = False,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> BatchReport:
    """Colorize the photographs of a folder and its sub-folders into another folder of the same layout.

    Every finished photograph has a line in ``colorize-manifest.jsonl`` in the output folder; called again after an end
    of any kind, the batch goes on with what has none.

    Parameters
    ----------
    source, target : str or Path
        Folders; the output folder is made.
    settings : Settings, optional
        Model, vividness, limits.
    open_pool : callable, optional
        Makes the pool of workers; by default `local_pool`.
    file_format : str
        ``keep``, ``png``, ``jpg``, ``tif`` or ``webp``.
    album : bool
        Photographs of one folder share a palette, so that a series looks like one.
    retry_failed : bool
        Try photographs again that failed in an earlier run.
    progress : callable, optional
        Told a stage, how many photographs are done, how many there are.

    Returns
    -------
    BatchReport

    Raises
    ------
    DatasetError
        No such source folder.
    ManifestError
        The output folder holds the manifest of a batch with other settings, or another batch works on it.
    OutputError
        The disk is full or refuses; what is done is kept.
    WorkerError
        Workers do not start.

    See Also
    --------
    local_pool : Workers on this machine.
    colorize.batch.cluster.cluster_pool : Workers of a cluster.
    colorize.batch.manifest.read_manifest : What became of every photograph.
    """
    settings, source, target = settings or Settings(), Path(source), Path(target)
    # Before anything is made: neither folder nor manifest is left of a command that cannot work.
    if settings.all_frames and file_format != "tif":
        raise OutputFormatError("all frames of a file together need a TIFF file; say --format tif")
    start = time.monotonic()
    check_folders(source, target)
    with refusals(target, "cannot be made"):
        target.mkdir(parents=True, exist_ok=True)
    head = _head(settings, file_format, album)
    with Manifest.open(target / NAME, head, lambda line: _is_final(line, source, target, retry_failed)) as manifest:
        remove_leftovers(target)
        # Swept only under the lock: before it, files that another batch is writing would have gone.
        plan = make_plan(source, target, file_format=file_format, known=manifest.outputs)
        report = BatchReport(len(plan.photos))
        report.n_others, report.n_linked_folders, report.coloured = plan.n_others, plan.n_linked_folders, plan.coloured
        report.n_results = plan.n_results
        run = _Run(source, target, manifest, report, progress or silent)
        run.note_earlier(plan)
        with (open_pool or local_pool())(settings) as pool, _interruptible(pool, report):
            if album:
                run.find_palettes(pool, plan.photos)
            run.colorize(pool, plan.photos, album=album)
        remove_leftovers(target)  # of workers that were killed in the middle of a file
    report.seconds = time.monotonic() - start
    return report


def local_pool(*, n_workers: int | None = None, memory: int | None = None, time_limit: float = 300.0) -> OpenPool:
    """Worker processes on this machine.

    Parameters
    ----------
    n_workers : int, optional
        By default one per processor core that may be used, or fewer if the memory is not enough for them.
    memory : int, optional
        Bytes that they may take together; by default three quarters of what is free.
    time_limit : float
        Seconds for one photograph.
    """
    # A quarter is left for the cache of the disk and whatever else runs.
    memory = memory or free_memory() * 3 // 4
    # Half of the memory for the processes, so that the other half can hold large photographs.
    n_workers = n_workers or max(1, min(usable_cores(), memory // (2 * WORKER_BYTES)))
    return lambda settings: Supervisor(settings, n_workers=n_workers, memory=memory, time_limit=time_limit)


def free_memory() -> int:
    """Bytes of memory that could be had now; 4 GB where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            # Not MemFree: after a while the cache has filled it up, though it would give way.
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 4_000_000_000


class _Run:
    """The state of one call of `run_batch`."""

    def __init__(self, source: Path, target: Path, manifest: Manifest, report: BatchReport, say: Progress) -> None:
        self.source, self.target, self.manifest, self.report, self.say = source, target, manifest, report, say
        # Whoever had them: what was x.gif may be x.png by now.
        self.own_outputs = set(manifest.outputs.values())

    def note_earlier(self, plan: Plan) -> None:
        """Count what earlier runs finished, and record folders that cannot be listed."""
        for photo in plan.photos:
            line = self.manifest.lines.get(photo.input)
            if line is not None:
                self.report.n_earlier += 1
                self._count(line)
        for folder, reason in plan.unreadable.items():
            # The slash marks a folder: such a line is never final, so the next run looks again.
            line = Line(f"{folder}/", "", "", "failed", 0.0, f"the folder cannot be listed ({reason})", 0)
            self.manifest.add(line)
            self._count(line)

    def find_palettes(self, pool: Pool, photos: list[Photo]) -> None:
        """Take the palette of every album that has none yet, from a sample of its photographs."""
        albums: dict[str, list[Photo]] = {}
        for photo in photos:
            if photo.album not in self.manifest.albums:
                albums.setdefault(photo.album, []).append(photo)
        samples = {name: _evenly(members, ALBUM_SAMPLE) for name, members in albums.items()}
        members = {Job(self._path(photo)): photo for sample in samples.values() for photo in sample}
        palettes: dict[str, dict[str, list[float] | None]] = {name: {} for name in samples}
        for done, (job, result) in enumerate(_results(pool, members), start=1):
            album, found = members[job].album, palettes[members[job].album]
            found[job.source] = result.palette
            # In the order of names: float sums depend on it, and photographs finish in any order.
            shares = [palette for _, palette in sorted(found.items()) if palette is not None]
            if len(found) == len(samples[album]) and shares:
                # Rounded before use: a run that goes on reads the same digits from the manifest.
                self.manifest.add_album(album, [round(float(share), 6) for share in np.mean(shares, axis=0)])
            self.say("albums", done, len(members))

    def colorize(self, pool: Pool, photos: list[Photo], *, album: bool) -> None:
        """Do all photographs that have no line yet."""
        todo = [photo for photo in photos if photo.input not in self.manifest.lines]
        albums = {name: tuple(palette) for name, palette in self.manifest.albums.items()} if album else {}
        jobs = {self._job(photo, albums): photo for photo in todo}
        n_before = len(photos) - len(todo)
        self.say("photographs", n_before, len(photos))
        # Of now: a photograph that changes while the batch is at work is done again by the next run.
        modified = {photo.input: _modified(self.source / photo.input) for photo in todo}
        for done, (job, result) in enumerate(_results(pool, jobs), start=n_before + 1):
            photo = jobs[job]
            output = photo.output if result.status == "done" else self.manifest.outputs.get(photo.input, "")
            seconds, message = result.seconds, result.message
            line = Line(photo.input, result.sha256, output, result.status, seconds, message, modified[photo.input])
            self.manifest.add(line)
            self._count(line)
            if result.status == "done" and message:
                self.report.notes[photo.input] = message
            self.say("photographs", done, len(photos))

    def _job(self, photo: Photo, albums: Mapping[str, tuple[float, ...]]) -> Job:
        return Job(
            self._path(photo),
            # Absolute: a worker on another machine stands in another folder.
            str((self.target / photo.output).absolute()),
            replace=photo.output in self.own_outputs,
            palette=albums.get(photo.album),
        )

    def _path(self, photo: Photo) -> str:
        return str((self.source / photo.input).absolute())

    def _count(self, line: Line) -> None:
        if line.status == "done":
            self.report.n_done += 1
        else:
            self.report.failed[line.input] = line.message


def _results(pool: Pool, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
    """What became of jobs; a disk that is full or refuses ends them, once those in hand are finished."""
    refusal = ""
    for job, result in pool.run(jobs):
        if result.status == "stop":
            pool.stop()
            # The first one: the others only follow from it.
            refusal = refusal or result.message
        else:
            yield job, result
    if refusal:
        raise OutputError(refusal)


def _head(settings: Settings, file_format: str, album: bool) -> dict[str, Any]:
    """All that decides the outputs, for the first line of the manifest."""
    model = find_model(settings.model)
    return {
        # Limits, salvage and times are not here: they decide which photographs are done, not how
        # they look, and may be widened for a second run.
        "version": __version__,
        "model": model.stem,
        "model_sha256": stated_digest(model),
        "vividness": settings.vividness,
        "keep_tint": settings.keep_tint,
        "all_frames": settings.all_frames,
        "format": file_format,
        "album": album,
    }


def _is_final(line: Line, source: Path, target: Path, retry_failed: bool) -> bool:
    """Tell whether a photograph of an earlier run need not be done again."""
    if line.input.endswith("/") or line.modified != _modified(source / line.input):
        return False
    if line.status == "done":
        return (target / line.output).is_file()
    return not retry_failed


def _modified(path: Path) -> int:
    """Time of last change in nanoseconds; 0 if there is no such file any more."""
    try:
        # Whole nanoseconds: as a float of seconds the last digits would be lost.
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _evenly(photos: list[Photo], count: int) -> list[Photo]:
    """At most so many, spread evenly."""
    step = max(1.0, len(photos) / count)
    return [photos[int(index * step)] for index in range(min(count, len(photos)))]


@contextlib.contextmanager
def _interruptible(pool: Pool, report: BatchReport) -> Iterator[None]:
    """Let the first Ctrl-C finish the photographs in hand, and the second end everything."""
    # Python lets only the main thread set signal handlers; in the app nobody presses Ctrl-C.
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_interrupt(number: int, frame: object) -> None:
        if report.is_interrupted:
            # Through the context of the pool, which kills its workers at once.
            raise KeyboardInterrupt
        report.is_interrupted = True
        pool.stop()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
