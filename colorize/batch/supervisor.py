"""Worker processes and the one that watches over them.

A worker goes round like this::

    STARTING --ready--> IDLE --job--> MEASURING --pixels--> WAITING --memory is free--> WORKING --result--> IDLE
                                          '--------------- result (it cannot be read, ...) ---------------^

and leaves the round in two ways: it takes longer than the time limit and is killed, which ends its photograph; or its
process ends by itself. If a signal ended it (out of memory, somebody's kill), its photograph is tried again, twice at
most; if it was a bug, the photograph has failed. Either way a new worker takes its place.

Only the supervisor knows the memory: a photograph waits until its megapixels fit beside those under way, in the order
of arrival, so that large ones are not overtaken for ever. What does not fit alone has failed.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from queue import Empty, SimpleQueue
from typing import Any

from colorize._support.files import reason
from colorize.batch.jobs import Job, Result, Settings
from colorize.exceptions import WorkerError

# 322 MB were measured at 0.15 megapixels, 410 MB at one (docs/cluster.md).
WORKER_BYTES = 400_000_000
"""Memory of a worker with its model and a photograph of up to a megapixel."""

BYTES_PER_PIXEL = 30
"""Memory that every pixel takes beyond that at the peak: 20 were measured with 8 bits, a third more is for 16."""

SOLVE_BYTES = 300_000_000
"""Most that the solver takes: it solves larger photographs at the size that this has room for."""


def need_of(pixels: int) -> int:
    """Bytes that a photograph of so many pixels takes beyond `WORKER_BYTES` at its peak."""
    return BYTES_PER_PIXEL * pixels + min(SOLVE_BYTES, 70 * pixels)


_RETRIES = 2
_START_SECONDS = 300.0  # compiling the kernels for the first time, on a busy machine
# One start may fall to a moment without memory; three in a row say that none will succeed.
_STARTS = 3
# A plain start of Python: fork would copy threads of linear algebra half alive, and the library's
# spawn runs the caller's main module again. The path leads to this very package.
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from colorize.batch.worker import main; main()"
_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    # glibc: keep the memory of small arrays from photograph to photograph; giving it back and fetching it again costs
    # 6 % of the CPU, and half as much again under the trimming threshold that Dask sets
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
}


class State(enum.Enum):
    """Where a worker stands."""

    STARTING = enum.auto()
    IDLE = enum.auto()
    MEASURING = enum.auto()
    WAITING = enum.auto()
    WORKING = enum.auto()


class Worker:
    """A worker process, as the supervisor sees it."""

    def __init__(self, settings: Settings, events: SimpleQueue[Any]) -> None:
        self.state = State.STARTING
        self.job: Job | None = None
        self.need = 0
        self.deadline = time.monotonic() + _START_SECONDS
        self.is_overdue = False
        # A file, no pipe: a pipe that nobody empties fills up and stops the worker.
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env={**os.environ, **_ENVIRONMENT},
            start_new_session=True,  # Ctrl-C reaches the supervisor alone
        )
        # A thread for each, since pipes cannot be waited for together on Windows; daemon, so that
        # one that hangs does not keep the program from ending.
        threading.Thread(target=self._listen, args=(events,), daemon=True).start()
        self.send(asdict(settings))

    def _listen(self, events: SimpleQueue[Any]) -> None:
        # A line that a kill tore in two is the last one.
        with self.process.stdout as lines, contextlib.suppress(ValueError):  # type: ignore[union-attr]
            for line in lines:
                events.put((self, json.loads(line)))
        events.put((self, None))

    def send(self, message: Any) -> None:
        """Write a line to the worker; if it is gone, the end of its output will tell."""
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(message).encode("ascii") + b"\n")  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]

    def begin(self, job: Job, seconds: float) -> None:
        """Hand the worker a photograph."""
        self.state, self.job, self.need, self.deadline = State.MEASURING, job, 0, time.monotonic() + seconds
        self.send(asdict(job))

    def go_on(self, seconds: float, refusal: str = "") -> None:
        """Let the worker decode and colorize the photograph that it has measured, or refuse it."""
        self.state, self.deadline = State.WORKING, time.monotonic() + seconds
        self.send(refusal)

    def finish(self) -> Job:
        """Take the photograph back; the worker is idle."""
        job, self.job, self.state, self.need = self.job, None, State.IDLE, 0
        if job is None:
            raise WorkerError("a worker answered without being asked")
        return job

    def last_words(self) -> str:
        """How the process ended, and the last line that it wrote to its standard error."""
        status = self.process.wait()
        # The end is enough: a library may have written for hours.
        self._words.seek(max(0, self._words.seek(0, os.SEEK_END) - 2000))
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return f"{how}: {lines[-1].strip()}" if lines else how

    def end(self, *, at_once: bool) -> None:
        """Close the worker's input, upon which it ends, or kill it."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        if not at_once:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        self.process.kill()
        self.process.wait()
        self._words.close()


class Supervisor:
    """Does jobs in worker processes (`colorize.batch.worker.main`); use it as a context.

    Parameters are those of `colorize.batch.run.local_pool`, which opens one with sizes that fit the machine.

    Raises
    ------
    WorkerError
        Workers do not start, or the memory is not enough for them.
    """

    def __init__(self, settings: Settings, *, n_workers: int, memory: int, time_limit: float = 300.0) -> None:
        self.settings, self.n_workers, self.time_limit = settings, n_workers, time_limit
        self.room = memory - n_workers * WORKER_BYTES
        if self.room < 0:
            least = n_workers * WORKER_BYTES / 1e9
            raise WorkerError(f"{n_workers} workers need {least:.1f} GB, and {memory / 1e9:.1f} GB are allowed")
        self.workers: list[Worker] = []
        self._events: SimpleQueue[Any] = SimpleQueue()
        self._todo: deque[Job] = deque()
        self._waiting: deque[Worker] = deque()
        self._tries: dict[Job, int] = {}
        self._bad_starts = 0
        self._is_stopping = False

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(at_once=kind is not None)

    def close(self, *, at_once: bool = False) -> None:
        """End the workers; what they have in hand is finished if it takes seconds, or given up `at_once`."""
        for worker in self.workers:
            worker.end(at_once=at_once)

    def stop(self) -> None:
        """Begin no further photograph; may be called from a signal handler or another thread."""
        self._is_stopping = True
        # Wakes the loop, which would else sleep until the next answer.
        self._events.put((None, None))

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        """Do all jobs; gives each with its one result as soon as that is known, unless the run is stopped."""
        self._todo, self._tries = deque(jobs), {}
        while True:
            self._hand_out()
            self._let_go_on()
            if not self._todo and not any(worker.job for worker in self.workers):
                break
            yield from self._take_event()
            self._kill_overdue()

    def _hand_out(self) -> None:
        """Give every idle worker a photograph."""
        # Each round: `stop` may come from a signal in the middle of this, so it only sets a flag.
        if self._is_stopping:
            self._todo.clear()
        n_busy = sum(worker.job is not None for worker in self.workers)
        # Not more than there is work for: a start costs seconds of CPU.
        while len(self.workers) < min(self.n_workers, n_busy + len(self._todo)):
            try:
                self.workers.append(Worker(self.settings, self._events))
            except OSError as error:
                raise WorkerError(f"worker processes do not start ({reason(error)})") from error
        for worker in self.workers:
            # An overdue worker that answered just before its kill looks idle, and would take the photograph with it.
            if worker.state is State.IDLE and not worker.is_overdue and self._todo:
                worker.begin(self._todo.popleft(), self.time_limit)

    def _let_go_on(self) -> None:
        """Give memory to those that wait for it, in order."""
        while self._waiting:
            worker = self._waiting[0]
            # Summed anew, no running total: a worker that dies cannot leave its share behind.
            in_use = sum(other.need for other in self.workers if other.state is State.WORKING)
            if worker.need > self.room:
                need, allowed = (size / 1e9 for size in (worker.need + WORKER_BYTES, self.room + WORKER_BYTES))
                refusal = f"needs about {need:.1f} GB of memory, and {allowed:.1f} GB are allowed; raise --memory"
                worker.go_on(self.time_limit, refusal)
            elif in_use + worker.need <= self.room:
                worker.go_on(self.time_limit)
            else:
                return
            self._waiting.popleft()

    def _take_event(self) -> Iterator[tuple[Job, Result]]:
        """Wait for news of a worker; gives what became of its photograph, if that is the news."""
        try:
            worker, message = self._events.get(timeout=self._seconds_left())
        except Empty:
            return
        # Words of a worker that is buried can still lie in the queue.
        if worker is None or worker not in self.workers:
            return
        if message is None:
            yield from self._bury(worker)
        elif "refused" in message:
            raise WorkerError(message["refused"])
        elif "ready" in message:
            # Bad starts are counted in a row: a batch of days may see single ones.
            worker.state, self._bad_starts = State.IDLE, 0
        elif "pixels" in message:
            worker.state, worker.need = State.WAITING, need_of(int(message["pixels"]))
            self._waiting.append(worker)
        else:
            yield worker.finish(), Result(**message)

    def _seconds_left(self) -> float:
        """Until the next worker is overdue."""
        # Waiting for memory is no fault of the photograph, and has no limit.
        deadlines = [worker.deadline for worker in self.workers if worker.state not in (State.IDLE, State.WAITING)]
        # A queue refuses to wait for less than nothing.
        return max(0.01, min(deadlines, default=time.monotonic() + 1) - time.monotonic())

    def _kill_overdue(self) -> None:
        for worker in self.workers:
            if worker.state not in (State.IDLE, State.WAITING) and time.monotonic() > worker.deadline:
                worker.is_overdue = True
                # Only killed: the end of its output brings it to `_bury`, as every other end does.
                worker.process.kill()

    def _bury(self, worker: Worker) -> Iterator[tuple[Job, Result]]:
        """A process has ended: what of its photograph, and is it worth starting another?"""
        self.workers.remove(worker)
        # Before `end`, which closes the file of its last words.
        words = worker.last_words()
        worker.end(at_once=True)
        if worker in self._waiting:
            self._waiting.remove(worker)
        if worker.state is State.STARTING:
            self._bad_starts += 1
            if self._bad_starts == _STARTS:
                raise WorkerError(f"worker processes do not start ({words})")
        if worker.job is None:
            return
        job = worker.job
        tries = self._tries[job] = self._tries.get(job, 0) + 1
        if worker.is_overdue:
            yield job, Result("failed", f"took more than {self.time_limit:g} seconds")
        elif words.startswith("signal") and tries <= _RETRIES:
            # In front: what kills its workers is told of soon, not after the whole archive.
            self._todo.appendleft(job)
        else:
            yield job, Result("failed", f"the worker process ended ({words})")
