"""Real worker processes and what can befall them: kills at any moment, crashing and hanging decoders, Ctrl-C."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from colorize.batch import supervisor
from colorize.batch.jobs import Settings
from colorize.batch.manifest import NAME, read_manifest
from colorize.batch.run import local_pool, run_batch

from .folders import outputs

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from colorize.cli import main; main()", "batch"]


def start(source, target, model, *options, workers=1):
    command = [*COMMAND, str(source), str(target), "--model", str(model), "--workers", str(workers), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def n_lines(target: Path) -> int:
    with contextlib.suppress(OSError):
        return (target / NAME).read_bytes().count(b"\n")
    return 0


def wait_for_lines(process, target, count):
    while process.poll() is None and n_lines(target) < count:
        time.sleep(0.002)


def check_whole(source, target, wanted):
    """Every output right, none twice, none missing, nothing else."""
    assert outputs(target) == wanted
    lines = read_manifest(target / NAME)
    assert sorted(line.input for line in lines) == sorted(outputs(source))
    assert {line.status for line in lines} == {"done"}
    assert (target / NAME).read_bytes().count(b"\n") == 1 + len(lines)


def kill_and_go_on(source, target, model, n_kills, rng):
    """Kill the batch so many times, each a little further on, then let it finish."""
    n_photos = len(outputs(source))
    for kill in range(n_kills):
        process = start(source, target, model, workers=2)
        wait_for_lines(process, target, 1 + min(n_photos - 1, round((kill + rng.random()) * n_photos / n_kills)))
        time.sleep(rng.random() * 0.05)
        process.kill()
        process.communicate()
    process = start(source, target, model)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


def test_kill_9_at_any_moment_and_going_on(album, expected, tiny_model, tmp_path):
    source = album(12)
    wanted = expected(source)
    kill_and_go_on(source, tmp_path / "out", tiny_model, 2, random.Random(0))
    check_whole(source, tmp_path / "out", wanted)


@pytest.mark.parametrize("seed", range(2))
def test_twenty_kills(album, expected, tiny_model, tmp_path, seed):
    source = album(60)
    wanted = expected(source)
    kill_and_go_on(source, tmp_path / "out", tiny_model, 20, random.Random(seed))
    check_whole(source, tmp_path / "out", wanted)


@pytest.mark.skipif(os.name != "posix", reason="looks into /proc")
def test_killed_workers_lose_nothing(album, expected, tiny_model, tmp_path):
    source = album(12)
    wanted = expected(source)
    process = start(source, tmp_path / "out", tiny_model, workers=2)
    for count in (4,):
        wait_for_lines(process, tmp_path / "out", count)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    check_whole(source, tmp_path / "out", wanted)


def test_ctrl_c_finishes_what_is_in_hand(album, expected, tiny_model, tmp_path):
    source = album(30)
    wanted = expected(source)
    process = start(source, tmp_path / "out", tiny_model)
    wait_for_lines(process, tmp_path / "out", 3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    done = outputs(tmp_path / "out")
    if process.returncode != 0:  # else it was done before the signal came
        assert process.returncode == 130
        assert errors.splitlines()[-1] == "Interrupted; run the same command again to go on."
        assert sorted(line.input for line in read_manifest(tmp_path / "out" / NAME)) == sorted(done)
    assert done == {name: wanted[name] for name in done}
    assert start(source, tmp_path / "out", tiny_model, "--quiet").communicate(timeout=300) == ("", "")
    check_whole(source, tmp_path / "out", wanted)


# `colorize.io.read_photo` of a worker with planted faults: what decoders in C can do to a process.
FAULTY = """
import ctypes, os, time
import colorize.io as photo_io
read = photo_io.read_photo
def read_photo(path, **options):
    if path.name == 'hang.png': time.sleep(1000)
    if path.name == 'crash.png': ctypes.string_at(0)
    if path.name == 'greedy.png': bytearray(10**15)
    return read(path, **options)
photo_io.read_photo = read_photo
"""


def test_crashing_and_hanging_decoders_cost_their_photograph(album, expected, tiny_model, tmp_path, monkeypatch):
    source = album(4)
    wanted = expected(source)
    for name in ("hang.png", "crash.png", "greedy.png"):
        (source / name).write_bytes((source / "odd" / "00.png").read_bytes())
    start_up, worker = supervisor._BOOT.split("; from ")
    monkeypatch.setattr(supervisor, "_BOOT", f"{start_up}\n{FAULTY}\nfrom {worker}")
    pool = local_pool(n_workers=2, memory=2 * 10**9, time_limit=5)
    report = run_batch(source, tmp_path / "out", Settings(model=str(tiny_model)), open_pool=pool)
    assert outputs(tmp_path / "out") == wanted
    assert report.failed["hang.png"] == "took more than 5 seconds"
    assert "signal 11" in report.failed["crash.png"]
    assert report.failed["greedy.png"] == "not enough memory"


def test_model_that_is_none_is_one_error(album, tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"rubbish")
    process = start(album(1), tmp_path / "out", tmp_path / "broken.safetensors")
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert "broken.safetensors" in errors
