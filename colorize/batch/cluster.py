"""Batches on a Dask cluster.

Every Dask worker gets the model once, when it joins (also when it joins late, or again after a crash), and does its
photographs in a worker process of its own, under the same `Supervisor` as on one machine: a photograph that crashes or
hangs ends neither the Dask worker nor its neighbours. Photographs travel as paths, in shards of about five seconds of
work; all machines must see both folders under the same names. A shard whose worker is lost is given to another one,
which recognises the outputs that are there by the recipe in them and does the rest.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from colorize import __version__
from colorize._support.optional import import_or_raise
from colorize._support.threads import usable_cores
from colorize.batch.jobs import Job, Result, Settings
from colorize.batch.run import OpenPool, free_memory
from colorize.batch.supervisor import Supervisor
from colorize.exceptions import WorkerError
from colorize.models import find_model

distributed: Any = import_or_raise("distributed", extra="distributed")
_dask: Any = import_or_raise("dask", extra="distributed")

SHARD_SECONDS = 5.0
# Before anything is measured: a guess of 1.25 s per photograph, as for some three megapixels.
_FIRST_SHARD = 4
# A lost worker costs its whole shard, and the results of a shard come all at once.
_LONGEST_SHARD = 1000
_LOSSES = 10  # of the worker of one shard, before its photographs count as failed
_CONNECT_SECONDS = 30
_QUIET = {  # what watches over Dask workers many times a second, and nobody looks at here
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.tick.interval": "500ms",
}


def cluster_pool(
    client: Any, source: Path, target: Path, *, memory: int | None = None, time_limit: float = 300.0
) -> OpenPool:
    """The workers of a Dask cluster, as `run_batch` takes them.

    Parameters
    ----------
    client : distributed.Client
    source, target : Path
        The folders of the batch, which every machine must see.
    memory : int, optional
        Bytes for each thread of each worker; by default three quarters of what is free on its machine, shared out.
    time_limit : float
        Seconds for one photograph.
    """

    @contextlib.contextmanager
    def opened(settings: Settings) -> Iterator[ClusterPool]:
        _check_workers(client, [str(source.absolute()), str(target.absolute())])
        model = find_model(settings.model)
        # The bytes, not the path: a model of one's own need not lie where other machines see it.
        host = Host(replace(settings, model=model.stem), model.read_bytes(), memory, time_limit)
        client.register_plugin(host, name=host.name)
        try:
            yield ClusterPool(client, host.name)
        finally:
            with contextlib.suppress(OSError, RuntimeError, TimeoutError):  # the cluster may be gone by now
                client.unregister_worker_plugin(host.name)

    return opened


@contextlib.contextmanager
def connect(scheduler: str | None = None, n_local: int | None = None) -> Iterator[Any]:
    """A client, for `cluster_pool`, of the cluster at an address, or of a new one on this machine with so many workers.

    Raises
    ------
    WorkerError
        Nobody answers there.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # losses of workers are our daily bread
    with contextlib.ExitStack() as stack:
        if n_local is not None:
            stack.enter_context(_dask.config.set(_QUIET))
            cluster = distributed.LocalCluster(
                n_workers=n_local,
                threads_per_worker=1,
                processes=True,
                # Any free port: the usual one is taken as soon as two batches run.
                dashboard_address=":0",
                memory_limit=0,  # the supervisor watches over it
                silence_logs=logging.CRITICAL,
            )
            scheduler = stack.enter_context(cluster).scheduler_address
        try:
            client = stack.enter_context(distributed.Client(scheduler, timeout=_CONNECT_SECONDS))
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise WorkerError(f"{scheduler}: no cluster with workers answers there ({error})") from error
        yield client


class Host(distributed.WorkerPlugin):
    """What every Dask worker holds for a batch: the model, and a supervised process per thread."""

    def __init__(self, settings: Settings, model: bytes, memory: int | None, time_limit: float) -> None:
        self.name = f"colorize-{secrets.token_hex(6)}"
        self.settings, self.model, self.memory, self.time_limit = settings, model, memory, time_limit

    def setup(self, worker: Any) -> None:
        """Keep the model as a file; its name is part of every picture's note."""
        folder = Path(worker.local_directory) / self.name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.settings.model}.safetensors"
        path.write_bytes(self.model)
        self.local = replace(self.settings, model=str(path))
        # As many Dask workers as cores may live on this machine, and each asks the same question.
        self.share = self.memory or free_memory() * 3 // 4 // max(usable_cores(), worker.state.nthreads)
        self.pools: dict[int, Supervisor] = {}

    def teardown(self, worker: Any) -> None:
        """End the processes."""
        for pool in self.pools.values():
            pool.close()

    def do(self, jobs: list[Job]) -> list[tuple[Job, Result]]:
        """Do the jobs of a shard, up to the first result that says stop."""
        found: list[tuple[Job, Result]] = []
        # One for each thread: a supervisor's loop is not made to be entered twice.
        thread = threading.get_ident()
        if thread not in self.pools:
            self.pools[thread] = Supervisor(self.local, n_workers=1, memory=self.share, time_limit=self.time_limit)
        for outcome in self.pools[thread].run(jobs):
            found.append(outcome)
            if outcome[1].status == "stop":
                break
        return found


def do_shard(name: str, jobs: list[Job]) -> list[tuple[Job, Result]]:
    """Do a shard on the Dask worker that this runs on."""
    return distributed.get_worker().plugins[name].do(jobs)


class ClusterPool:
    """Does jobs on a cluster; `cluster_pool` opens it."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name
        self._is_stopping = False
        self._seconds, self._count = 0.0, 0
        self._losses: Counter[Job] = Counter()  # of workers, by the first job of a shard

    def stop(self) -> None:
        """Hand out no further shard."""
        self._is_stopping = True

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        """Do all jobs; gives each with its one result, a shard's together, unless the run is stopped.

        Raises
        ------
        WorkerError
            The cluster is gone.
        """
        todo = deque(jobs)
        again: deque[list[Job]] = deque()
        under_way: dict[Any, list[Job]] = {}
        finished = distributed.as_completed()
        while True:
            if self._is_stopping:
                todo.clear()
                again.clear()
            # Asked every time: workers join and leave.
            n_threads = max(1, sum(self.client.nthreads().values()))
            # Two per thread: while one is done the next lies ready. More would escape a stop.
            while (again or todo) and len(under_way) < 2 * n_threads:
                shard = again.popleft() if again else self._cut(todo, n_threads)
                # Not pure: else Dask takes a shard that is handed out again for one that is done.
                future = self.client.submit(do_shard, self.name, shard, pure=False)
                under_way[future] = shard
                finished.add(future)
            if not under_way:
                break
            future = next(finished)
            shard = under_way.pop(future)
            results = self._collect(future, shard)
            if results is None:
                again.append(shard)
            else:
                yield from results

    def _cut(self, todo: deque[Job], n_threads: int) -> list[Job]:
        """The next shard: about five seconds of work, less near the end so that all finish together."""
        mean = self._seconds / self._count if self._count else SHARD_SECONDS / _FIRST_SHARD
        size = min(_LONGEST_SHARD, round(SHARD_SECONDS / max(mean, 1e-3)), -(-len(todo) // (2 * n_threads)))
        return [todo.popleft() for _ in range(min(max(1, size), len(todo)))]

    def _collect(self, future: Any, shard: list[Job]) -> list[tuple[Job, Result]] | None:
        """The results of a shard; None if it has to be done again."""
        # One that is lost is none of these: Dask does it anew, and `exception` waits for that.
        if future.status == "cancelled":
            # Nobody cancels shards here: so end those whose scheduler has gone.
            raise WorkerError("the cluster is gone; run the same command again to go on")
        error = future.exception()
        if isinstance(error, (distributed.KilledWorker, KeyError)):  # KeyError: the worker has just joined
            self._losses[shard[0]] += 1
            lost = Result("failed", f"its worker was lost {_LOSSES} times")
            return None if self._losses[shard[0]] < _LOSSES else [(job, lost) for job in shard]
        if error is not None:
            raise WorkerError(f"a worker of the cluster failed ({error})") from error
        found: list[tuple[Job, Result]] = future.result()
        # By the worker's own clock: waiting in the queue says nothing of the size of shards.
        self._seconds += sum(result.seconds for _, result in found)
        self._count += len(found)
        return found


def _check_workers(client: Any, folders: list[str]) -> None:
    """Refuse workers of another version, or that do not see the folders, before a photograph fails of it."""
    for address, (version, missing) in client.run(_look_around, folders).items():
        if version != __version__:
            raise WorkerError(f"{address}: has colorize {version}, this is {__version__}; install the same everywhere")
        if missing:
            raise WorkerError(f"{address}: sees no folder {missing[0]}; mount it under the same name everywhere")


def _look_around(folders: list[str]) -> tuple[str, list[str]]:
    return __version__, [folder for folder in folders if not os.path.isdir(folder)]
