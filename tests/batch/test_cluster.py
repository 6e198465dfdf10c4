"""Batches and training on a Dask cluster: the same bytes as on one machine, whatever happens to the workers."""

import errno
import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest

distributed = pytest.importorskip("distributed", reason="the extra `distributed` is not installed")

from colorize import __version__  # noqa: E402
from colorize.batch import cluster  # noqa: E402
from colorize.batch.cluster import ClusterPool, cluster_pool, connect  # noqa: E402
from colorize.batch.jobs import Job, Result  # noqa: E402
from colorize.batch.manifest import NAME, read_manifest  # noqa: E402
from colorize.batch.run import run_batch  # noqa: E402
from colorize.exceptions import WorkerError  # noqa: E402

from .folders import outputs  # noqa: E402

pytestmark = [
    pytest.mark.distributed,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def client():
    with connect(n_local=2) as client:
        yield client


def test_the_same_bytes_as_on_one_machine_also_when_workers_are_killed(client, album, here, settings, tmp_path):
    source = album(24)
    run_batch(source, tmp_path / "one", settings, open_pool=here)
    pids = set(client.run(os.getpid).values())

    def kill_one():
        while not (tmp_path / "two" / NAME).exists() or len(read_manifest(tmp_path / "two" / NAME)) < 4:
            time.sleep(0.01)
        os.kill(min(pids), signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    pool = cluster_pool(client, source, tmp_path / "two")
    report = run_batch(source, tmp_path / "two", settings, open_pool=pool)
    killer.join()
    assert (report.n_done, report.failed) == (24, {})
    assert outputs(tmp_path / "two") == outputs(tmp_path / "one")
    lines = read_manifest(tmp_path / "two" / NAME)
    assert len({line.input for line in lines}) == len(lines) == 24
    assert run_batch(source, tmp_path / "two", settings, open_pool=pool).n_earlier == 24


def test_a_bad_photograph_costs_its_line_alone(client, album, settings, tmp_path):
    source = album(3)
    (source / "bad.png").write_bytes(b"broken")
    pool = cluster_pool(client, source, tmp_path / "out")
    report = run_batch(source, tmp_path / "out", settings, open_pool=pool, album=True)
    assert (report.n_done, list(report.failed)) == (3, ["bad.png"])


def test_nothing_is_left_on_the_workers(client, album, settings, tmp_path):
    source = album(2)
    run_batch(source, tmp_path / "out", settings, open_pool=cluster_pool(client, source, tmp_path / "out"))

    def plugins(dask_worker):
        return [name for name in dask_worker.plugins if name.startswith("colorize")]

    assert not any(client.run(plugins).values())


def test_nobody_at_the_address_is_one_error(monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:1", "nonsense://x"):
        with pytest.raises(WorkerError, match="no cluster with workers answers"), connect(address):
            pass


class Elsewhere:
    """A client whose workers answer what they are told to."""

    def __init__(self, version=__version__, missing=()):
        self.answer = (version, list(missing))

    def run(self, function, *arguments):
        return {"tcp://10.0.0.1:1": self.answer}


@pytest.mark.parametrize(
    ("client", "message"),
    [
        (Elsewhere("0.0.1"), r"tcp://10\.0\.0\.1:1: has colorize 0\.0\.1"),
        (Elsewhere(missing=["/in"]), "sees no folder /in"),
    ],
)
def test_workers_that_cannot_do_the_work_are_refused(client, message, settings, tmp_path):
    with pytest.raises(WorkerError, match=message), cluster_pool(client, tmp_path, tmp_path)(settings):
        pass


def pool_with(seconds=0.0, count=0):
    pool = ClusterPool(None, "name")
    pool._seconds, pool._count = seconds, count
    return pool


@pytest.mark.parametrize(
    ("seconds", "count", "left", "expected"),
    [
        (0, 0, 1000, 4),  # nothing is known yet
        (20, 100, 1000, 25),  # 0.2 s each: five seconds' worth
        (20, 100, 40, 10),  # the rest is shared out: 2 threads, twice
        (20, 100, 1, 1),
        (900, 100, 1000, 1),  # 9 s each
        (0, 100, 10**4, 1000),
    ],
)
def test_shards_are_sized_by_time(seconds, count, left, expected):
    from collections import deque

    todo = deque([Job(str(number)) for number in range(left)])
    shard = pool_with(seconds, count)._cut(todo, 2)
    assert len(shard) == expected
    assert len(todo) == left - expected
    assert shard[0] == Job("0")


class Future:
    """What is left of a shard."""

    def __init__(self, error=None, found=None, status="finished"):
        self.error, self.found, self.status = error, found, status

    def exception(self):
        return self.error

    def result(self):
        return self.found


def test_a_shard_whose_workers_always_die_has_failed():
    shard, pool = [Job("a"), Job("b")], pool_with()
    lost = Future(distributed.KilledWorker("shard", None, 3))
    for _ in range(9):
        assert pool._collect(lost, shard) is None
    told = pool._collect(lost, shard)
    assert [(job.source, result.status) for job, result in told] == [("a", "failed"), ("b", "failed")]


def test_a_disk_that_refuses_and_a_cluster_that_is_gone():
    shard, pool = [Job("a"), Job("b")], pool_with()
    found = [(Job("b"), Result("done", seconds=2.0)), (Job("a"), Result("stop", os.strerror(errno.ENOSPC)))]
    assert pool._collect(Future(found=found), shard) == found
    host = cluster.Host(cluster.Settings(), b"", None, 1.0)
    host.pools = {threading.get_ident(): SimpleNamespace(run=lambda jobs: iter([*found, (Job("c"), Result("done"))]))}
    assert host.do([*shard, Job("c")]) == found
    for future, message in ((Future(status="cancelled"), "is gone"), (Future(ValueError("x")), "a worker .* failed")):
        with pytest.raises(WorkerError, match=message):
            pool_with()._collect(future, shard)


def test_a_result_whose_worker_died_before_it_was_fetched_is_waited_for():
    found = [(Job("a"), Result("done", seconds=2.0))]
    assert pool_with()._collect(Future(found=found, status="lost"), [Job("a")]) == found
