"""Locks, clocks, shrinking and tables, which several rooms share."""

import errno
import json
from dataclasses import dataclass

import numpy as np
import pytest

from colorize._support.clock import Clock
from colorize._support.locks import file_lock
from colorize._support.shrink import shrink
from colorize._support.tables import aligned, write_csv, write_json
from colorize.exceptions import ManifestError, OutputError


def test_a_lock_keeps_others_away_until_it_is_given_back(tmp_path):
    pytest.importorskip("fcntl")
    lock = tmp_path / ".lock"
    with file_lock(lock, "busy"), pytest.raises(ManifestError, match=r"^busy$"), file_lock(lock, "busy"):
        pass
    with pytest.raises(ZeroDivisionError), file_lock(lock, "busy"):
        _ = 1 / 0
    with file_lock(lock, "busy"):
        assert lock.read_bytes() == b""
    with pytest.raises(OutputError, match="nowhere"), file_lock(tmp_path / "nowhere" / ".lock", "busy"):
        pass


def test_a_drive_without_locks_is_not_taken_for_a_busy_one(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def flock(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OutputError, match=r"cannot be locked \(No locks"), file_lock(tmp_path / ".lock", "busy"):
        pass


def test_a_picture_is_averaged_and_never_lost():
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[::2] = 200
    small = shrink(pixels, 30)
    assert small.shape == (20, 30, 3)
    assert np.unique(small).tolist() == [100]
    np.testing.assert_array_equal(shrink(pixels, 60), pixels)
    assert shrink(np.zeros((1, 5000), np.float32), 50).shape == (1, 50)
    assert shrink(np.zeros((1, 5000), np.float32), 50, shortest=2).shape == (2, 50)


def test_a_clock_counts_work_that_fails():
    times = iter([1.0, 3.0, 10.0, 15.0])
    clock = Clock({"read": 0.5}, now=lambda: next(times))
    with clock("read"):
        pass
    with pytest.raises(ZeroDivisionError), clock("write"):
        _ = 1 / 0
    assert clock.seconds == {"read": 2.5, "write": 5.0}


@dataclass
class Point:
    row: np.int64
    said: tuple


def test_findings_become_text_without_what_readers_refuse():
    content = {"a": np.float32([1, np.nan]), 2: Point(np.int64(3), (True, None))}
    assert json.loads(write_json(content)) == {"a": [1, None], "2": {"row": 3, "said": [True, None]}}
    assert write_csv([("name", "error"), ("a,b", 1 / 3), ("c", float("nan"))]) == 'name,error\n"a,b",0.333333\nc,\n'
    lines = aligned([("", "share"), ("gray", "11"), ("mean colour", "1234567")], 6)
    assert lines == ["               share", "gray              11", "mean colour  1234567"]
