"""The supervisor with workers that pretend: what it does when they crash, hang, are greedy, or never start."""

import errno
import itertools
import signal

import pytest

from colorize.batch import supervisor
from colorize.batch.jobs import Job, Result, Settings
from colorize.batch.run import _results
from colorize.batch.supervisor import WORKER_BYTES, Supervisor, need_of
from colorize.exceptions import OutputError, WorkerError

# Speaks as `colorize.batch.worker` does; what becomes of a job is written in its source.
PRETENDER = r"""
import json, os, signal, sys, time
from pathlib import Path
def say(**message): print(json.dumps(message), flush=True)
settings = json.loads(sys.stdin.readline())
say(ready=True)
for line in sys.stdin:
    job = json.loads(line)
    kind, _, detail = job["source"].partition(" ")
    if kind == "bug": sys.exit("a planted bug")
    if kind == "torn": print('{"status": "do', end="", flush=True); os.kill(os.getpid(), signal.SIGKILL)
    if kind == "crash": os.kill(os.getpid(), signal.SIGSEGV)
    if kind == "hang": time.sleep(100)
    if kind == "early": say(status="failed", message="cannot be read"); continue
    if kind == "once" and not Path(detail).exists(): Path(detail).touch(); os.kill(os.getpid(), signal.SIGKILL)
    say(pixels=int(detail) if kind == "big" else 0)
    refusal = json.loads(sys.stdin.readline())
    if refusal: say(status="failed", message=refusal); continue
    if kind == "stop": say(status="stop", message="out/x.png: No space left on device"); continue
    if kind == "big": time.sleep(0.1)
    if kind == "slow": time.sleep(0.3)
    say(status="done", seconds=time.monotonic())
"""


@pytest.fixture
def pretend(monkeypatch):
    monkeypatch.setattr(supervisor, "_BOOT", PRETENDER)


def work(sources, *, n_workers=2, memory=10**10, time_limit=60.0, stop_after=None, found=None):
    """Results by source, in the order in which they came; also put into `found`, for those before an error."""
    found: dict[str, Result] = {} if found is None else found
    jobs = [Job(source) for source in sources]
    with Supervisor(Settings(), n_workers=n_workers, memory=memory, time_limit=time_limit) as pool:
        for job, result in _results(pool, jobs):
            assert job.source not in found
            found[job.source] = result
            if len(found) == stop_after:
                pool.stop()
    assert all(worker.process.poll() is not None for worker in pool.workers)
    return found


@pytest.mark.usefixtures("pretend")
def test_every_job_has_one_result():
    sources = [f"ok {number}" for number in range(30)]
    found = work(sources)
    assert sorted(found) == sorted(sources)
    assert {result.status for result in found.values()} == {"done"}
    assert work([]) == {}


@pytest.mark.slow
@pytest.mark.usefixtures("pretend")
def test_crash_bug_and_hang_end_their_photograph_alone():
    sources = ["ok 1", "crash", "torn", "ok 2", "bug", "ok 3", "hang", "ok 4", "early", "ok 5"]
    found = work(sources, time_limit=1.5)
    assert sorted(found) == sorted(sources)
    assert {source for source, result in found.items() if result.status == "done"} == {f"ok {n}" for n in range(1, 6)}
    assert found["crash"].message == f"the worker process ended (signal {signal.SIGSEGV.value})"
    assert found["bug"].message == "the worker process ended (exit status 1: a planted bug)"
    assert found["hang"].message == "took more than 1.5 seconds"
    assert found["early"].message == "cannot be read"


@pytest.mark.usefixtures("pretend")
def test_a_killed_worker_loses_nothing(tmp_path):
    found = work([f"once {tmp_path / 'one'}", f"once {tmp_path / 'two'}", "ok"])
    assert {result.status for result in found.values()} == {"done"}
    assert len(found) == 3


@pytest.mark.usefixtures("pretend")
def test_a_full_disk_stops_the_run_and_loses_no_result():
    sources = ["slow 1", "stop", *(f"ok {number}" for number in range(50))]
    found: dict[str, Result] = {}
    with pytest.raises(OutputError, match="No space left"):
        work(sources, found=found)
    assert found["slow 1"].status == "done"  # it was in hand
    assert "stop" not in found
    assert len(found) < 50


@pytest.mark.usefixtures("pretend")
def test_stopping_finishes_what_is_in_hand():
    found = work([f"slow {number}" for number in range(20)], stop_after=1)
    assert 1 <= len(found) <= 2
    assert {result.status for result in found.values()} == {"done"}


@pytest.mark.usefixtures("pretend")
def test_memory_decides_what_may_go_side_by_side():
    room = need_of(1_000_000)
    sources = ["big 600000", "big 600001", "big 600002"]
    found = work(sources, n_workers=3, memory=room + 3 * WORKER_BYTES)
    ends = sorted(result.seconds for result in found.values())
    # each sleeps 0.1 s, so ends of photographs that were not side by side lie at least so far apart
    assert min(later - earlier for earlier, later in itertools.pairwise(ends)) >= 0.1


@pytest.mark.usefixtures("pretend")
def test_what_does_not_fit_alone_has_failed():
    found = work(["big 600000", "ok"], n_workers=1, memory=need_of(500_000) + WORKER_BYTES)
    assert "raise --memory" in found["big 600000"].message
    assert found["ok"].status == "done"
    with pytest.raises(WorkerError, match=r"4 workers need 1\.6 GB"):
        Supervisor(Settings(), n_workers=4, memory=10**9)


def test_a_model_that_is_none_is_one_error(monkeypatch):
    refusal = "import json; print(json.dumps({'refused': 'm.safetensors: damaged'}), flush=True)"
    monkeypatch.setattr(supervisor, "_BOOT", refusal)
    with pytest.raises(WorkerError, match=r"^m\.safetensors: damaged$"):
        work(["ok"])


def test_workers_that_do_not_start_are_one_error(monkeypatch):
    monkeypatch.setattr(supervisor, "_BOOT", "raise SystemExit('no such model')")
    with pytest.raises(WorkerError, match=r"do not start .exit status 1: no such model"):
        work(["ok"])


def test_a_system_that_starts_no_process_is_one_error(monkeypatch):
    def refuse(*_, **__):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(supervisor.subprocess, "Popen", refuse)
    with pytest.raises(WorkerError, match=r"^worker processes do not start .Resource temporarily unavailable"):
        work(["ok"])


@pytest.mark.usefixtures("pretend")
def test_an_error_of_who_takes_the_results_ends_the_workers():
    def take():
        with pool:
            for _ in pool.run([Job("ok 1"), Job("hang")]):
                raise OutputError("manifest: No space left on device")

    pool = Supervisor(Settings(), n_workers=2, memory=10**10)
    with pytest.raises(OutputError, match="manifest"):
        take()
    assert pool.workers
    assert all(worker.process.poll() is not None for worker in pool.workers)


@pytest.mark.usefixtures("pretend")
def test_one_pool_does_several_runs():
    with Supervisor(Settings(), n_workers=2, memory=10**10) as pool:
        for count in (3, 5):
            assert len(list(pool.run([Job(f"ok {number}") for number in range(count)]))) == count
        assert len(pool.workers) == 2


def test_the_plan_knows_what_the_solver_takes():
    from colorize.optimization.propagate import BYTES_PER_PIXEL, MEMORY_LIMIT

    assert need_of(1000) - 30 * 1000 == BYTES_PER_PIXEL * 1000
    assert need_of(50_000_000) == 30 * 50_000_000 + MEMORY_LIMIT
