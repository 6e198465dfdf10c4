"""The reader against damaged files, in short: `benchmarks/fuzz.py` with a few hundred seeds of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "fuzz.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits memory and looks into /proc")
def test_damaged_files_are_read_or_refused_in_one_line():
    command = [sys.executable, str(SCRIPT), "--files", "400", "--first", "5000000"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 failures" in result.stdout
    n_read, n_refused = (int(part.split()[-1]) for part in result.stdout.split(": ")[1].split(" r")[:2])
    assert n_read + n_refused == 400
    assert min(n_read, n_refused) > 40  # damage is neither hopeless nor harmless
