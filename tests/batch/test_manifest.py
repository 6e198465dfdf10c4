"""The manifest: what a killed process leaves of it, and what is never lost or doubled."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from colorize.batch.manifest import NAME, Line, Manifest, read_manifest
from colorize.exceptions import ManifestError, OutputError

SETTINGS = {"model": "default", "vividness": 0.5}
LINES = [Line(f"{name}.jpg", "ab", f"{name}.jpg", "done", 0.25, "", 7) for name in ("a", "sub/b", "\udcff\n\u00fc")]
LINES.append(Line("bad.png", "", "", "failed", 0.0, "no photograph", 7))


def everything(line):
    return True


@pytest.fixture
def path(tmp_path):
    with Manifest.open(tmp_path / NAME, SETTINGS, everything) as manifest:
        for line in LINES:
            manifest.add(line)
        manifest.add_album("sub", [0.25, 0.75])
    return tmp_path / NAME


def test_lines_come_back_in_order(path):
    assert read_manifest(path) == LINES
    assert all(json.loads(row) for row in path.read_text("ascii").splitlines())
    with Manifest.open(path, SETTINGS, everything) as manifest:
        assert manifest.lines == {line.input: line for line in LINES}
        assert manifest.albums == {"sub": [0.25, 0.75]}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_a_cut_at_any_byte_loses_the_last_line_at_most(tmp_path, data):
    path = tmp_path / NAME
    path.unlink(missing_ok=True)
    with Manifest.open(path, SETTINGS, everything) as manifest:
        for line in LINES:
            manifest.add(line)
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    end = data.draw(st.integers(head, len(whole)))
    path.write_bytes(whole[:end])
    complete = whole[:end].count(b"\n") - 1
    with Manifest.open(path, SETTINGS, everything) as manifest:
        assert list(manifest.lines.values()) == LINES[:complete]
        for line in LINES[complete:]:
            manifest.add(line)
    assert read_manifest(path) == LINES
    assert path.read_bytes().count(b"\n") == 1 + len(LINES)


def test_lines_that_do_not_count_any_more_are_dropped_but_their_outputs_known(path):
    with Manifest.open(path, SETTINGS, lambda line: line.status == "done") as manifest:
        assert "bad.png" not in manifest.lines
        again = replace(LINES[3], status="done", output="bad.png")
        manifest.add(again)
    assert read_manifest(path) == [*LINES[:3], again]
    with Manifest.open(path, SETTINGS, lambda line: False) as manifest:
        assert manifest.lines == {}
        assert manifest.outputs == {line.input: line.output for line in [*LINES[:3], again]}
    # Interrupted at once: the next run still knows them.
    assert read_manifest(path) == [replace(line, modified=-1) for line in [*LINES[:3], again]]


def test_an_output_that_went_from_one_photograph_to_another_has_one_owner(path):
    for name in ("a.gif", "a.jpg", "a.gif"):
        with Manifest.open(path, SETTINGS, lambda line: False) as manifest:
            manifest.add(replace(LINES[0], input=name))
    with Manifest.open(path, SETTINGS, lambda line: False) as manifest:
        assert [name for name, output in manifest.outputs.items() if output == "a.jpg"] == ["a.gif"]


def test_errors_of_the_batch_are_not_the_manifests(path):
    with pytest.raises(OSError, match=r"^no process$"), Manifest.open(path, SETTINGS, everything):
        raise OSError("no process")


@pytest.mark.parametrize("rubbish", [b"{\n", b"[]\n", b"7\n", b'{"input":1}\n', b"\xff\xfe\n", b"[" * 50_000 + b"\n"])
def test_rubbish_in_between_is_passed_over(path, rubbish):
    head, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(head + b"\n" + rubbish + rest)
    assert read_manifest(path) == LINES


@pytest.mark.parametrize("content", [b"mine\n", b'{"manifest":2}\n', b"{}\n", b'{"manifest":1'])
def test_what_is_no_manifest_is_not_touched(tmp_path, content):
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(ManifestError, match="not a manifest"), Manifest.open(path, SETTINGS, everything):
        pass
    assert path.read_bytes() == content


def test_other_settings_are_refused_by_name(path):
    before = path.read_bytes()
    changed = SETTINGS | {"vividness": 1.0}
    with (
        pytest.raises(ManifestError, match=r"vividness was 0\.5, is now 1\.0"),
        Manifest.open(path, changed, everything),
    ):
        pass
    assert path.read_bytes() == before


def test_two_batches_do_not_share_a_folder(path):
    with (
        Manifest.open(path, SETTINGS, everything),
        pytest.raises(ManifestError, match="another batch"),
        Manifest.open(path, SETTINGS, everything),
    ):
        pass


def test_the_lock_ends_with_a_killed_process(path):
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom colorize.batch.manifest import Manifest\n"
        f"with Manifest.open(Path(sys.argv[1]), {SETTINGS!r}, bool):\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -9
    with Manifest.open(path, SETTINGS, everything) as manifest:
        assert len(manifest.lines) == 4


def test_a_full_disk_is_one_error(tmp_path):
    full = open("/dev/full", "ab", buffering=0)  # noqa: SIM115 - closing it would fail once more, with a buffer
    with pytest.raises(OutputError, match="No space left"):
        Manifest(tmp_path / NAME, full, {}, {}, {}).add(LINES[0])
    full.close()


def test_missing_folder_and_missing_manifest(tmp_path):
    with pytest.raises(OutputError, match="No such file"), Manifest.open(tmp_path / "x" / NAME, SETTINGS, everything):
        pass
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / NAME)


def test_opening_leaves_no_file_behind_but_the_lock(path):
    assert sorted(os.listdir(path.parent)) == [f".{NAME}.lock", NAME]
    assert Path(path.parent / f".{NAME}.lock").stat().st_size == 0


@pytest.mark.parametrize("line", ['{"album": "a"}', '{"album": "a", "palette": ["x"]}', '{"album": "a", "palette": 3}'])
def test_a_line_of_another_shape_counts_as_torn(path, line):
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")
    with Manifest.open(path, SETTINGS, everything) as manifest:
        assert manifest.albums == {"sub": [0.25, 0.75]}
        assert len(manifest.lines) == len(LINES)
