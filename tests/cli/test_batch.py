"""`colorize batch`: options, exit status, what is printed."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from colorize.batch import run as batch_run
from colorize.batch.jobs import Settings
from colorize.batch.run import BatchReport
from colorize.cli._shared import Lines, pace, progress_bars
from colorize.exceptions import OutputError

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.fixture
def stub(monkeypatch):
    """`run_batch` that remembers what it was asked, and answers what it was told to."""
    asked = {}
    report = BatchReport(3, n_done=3)

    def run_batch(source, target, settings, **options):
        asked.update(options, source=source, target=target, settings=settings)
        return report

    def local_pool(**options):
        asked.update(options)

    monkeypatch.setattr(batch_run, "run_batch", run_batch)
    monkeypatch.setattr(batch_run, "local_pool", local_pool)
    return asked, report


def test_options_reach_the_library(run, stub):
    asked, _ = stub
    run("batch", "in", "out")
    assert asked["settings"] == Settings()
    assert (asked["file_format"], asked["album"], asked["retry_failed"]) == ("keep", False, False)
    assert (asked["n_workers"], asked["memory"], asked["time_limit"]) == (None, None, 300)
    options = (
        "--vividness 1 --keep-tint --all-frames --max-pixels 5 --keep-times --force --salvage --format tif --album"
    )
    run("batch", "in", "out", *options.split(), "--workers", 3, "--memory", "1.5GB", "--retry-failed")
    assert asked["settings"] == Settings(
        "default", 1.0, True, True, max_pixels=5, keep_times=True, overwrite=True, salvage=True
    )
    assert (asked["file_format"], asked["album"], asked["retry_failed"]) == ("tif", True, True)
    assert (asked["n_workers"], asked["memory"]) == (3, 1_500_000_000)


def test_all_frames_without_a_format_for_them_are_a_wrong_command_line(run, stub):
    asked, _ = stub
    assert "--format tif" in run("batch", "in", "out", "--all-frames", status=2).stderr
    assert not asked


@pytest.mark.parametrize("size", ["much", "0", "-1GB", "nan", "", "1e99GB"])
def test_sizes_that_are_none_are_refused(run, stub, size):
    assert "no size" in run("batch", "in", "out", "--memory", size, status=2).stderr


def test_exit_status_and_lines_tell(run, stub):
    _, report = stub
    assert "3 of 3 photographs done, 0 failed" in run("batch", "in", "out").stdout
    report.failed["b.jpg"] = "no photograph"
    report.notes["a.jpg"] = "the first of several"
    report.n_others = 2
    result = run("batch", "in", "out", status=3)
    assert result.stderr.splitlines() == ["Error: b.jpg: no photograph", "Note: a.jpg: the first of several"]
    assert "left alone: 2 other files" in result.stdout
    assert run("batch", "in", "out", "--quiet", status=3).output == "Error: b.jpg: no photograph\n"
    report.is_interrupted = True
    assert "run the same command again" in run("batch", "in", "out", status=130).stderr


def test_names_of_files_neither_break_lines_nor_steer_the_terminal(run, stub):
    _, report = stub
    report.failed["a\nb\x1b[31m  é👵.jpg"] = "no photograph"
    assert run("batch", "in", "out", status=3).stderr == "Error: a\\nb\\x1b[31m  é👵.jpg: no photograph\n"


def test_a_disk_that_is_full_is_one_line(run, stub, monkeypatch):
    def full(*arguments, **options):
        raise OutputError("out/a.png: cannot be written (No space left on device)")

    monkeypatch.setattr(batch_run, "run_batch", full)
    result = run("batch", "in", "out", status=1)
    assert result.stderr == "Error: out/a.png: cannot be written (No space left on device)\n"


def test_the_counts_say_what_they_count(run, stub):
    _, report = stub
    report.n_photos, report.n_done, report.n_earlier, report.n_others = 5, 4, 3, 1
    report.failed["b.jpg"] = "no photograph"
    told, left_alone = run("batch", "in", "out", status=3).stdout.splitlines()
    assert told.startswith("4 of 5 photographs done, 1 failed; earlier runs saw to 3 of all; ")
    assert left_alone == "left alone: 1 other file"
    report.coloured = ("out", "1932/ne\nw")
    said = run("batch", "in", "out", status=3).stdout.splitlines()[-1]
    assert said == "left alone: 1 other file, what batches wrote into out, 1932/ne\\nw"
    report.coloured, report.n_results = (), 1
    assert run("batch", "in", "out", status=3).stdout.endswith(
        "left alone: 1 other file, 1 picture that colorize made\n"
    )


def test_progress_for_log_files(capsys, monkeypatch):
    from colorize.cli import _shared as command

    clock = iter([0.0, 10.0, 40.0, 50.0])
    monkeypatch.setattr(command.time, "monotonic", lambda: next(clock))
    lines = Lines()
    for done in (100, 110, 140, 150):
        lines("photographs", done, 400)
    assert capsys.readouterr().err == "photographs: 140 of 400, 1.0 a second, 4 min left\n"


def test_the_bar_tells_the_pace_of_this_run(monkeypatch):
    from colorize.cli import _shared as command

    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", screen)
    clock = [0.0]
    monkeypatch.setattr(command.time, "monotonic", lambda: clock[0])
    with progress_bars(quiet=False) as tell:
        for clock[0], done in ((0.0, 45), (0.001, 46), (0.002, 47), (5.0, 48)):  # two were there already
            tell("photographs", done, 48)
    assert "36.0 a minute" in screen.getvalue()


@pytest.mark.parametrize(("rate", "said"), [(3.24, "3.2 a second"), (1, "1.0 a second"), (0.02, "1.2 a minute")])
def test_slow_work_is_told_by_the_minute(rate, said):
    assert pace(rate) == said


@pytest.mark.slow
def test_real_run_with_a_bad_file(run, workplace, photos, tiny_model):
    for name in ("a.png", "sub/b.jpg"):
        (workplace / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photos[0].pixels).save(workplace / "in" / name)
    (workplace / "in" / "c.tif").write_bytes(b"broken")
    result = run("batch", "in", "out", "--model", tiny_model, "--workers", 1, status=3)
    assert "Error: c.tif: " in result.stderr
    assert result.stderr.count("c.tif") == 1
    assert "2 of 3 photographs done, 1 failed" in result.stdout
    for name in ("a.png", "sub/b.jpg"):
        assert run("replay", f"out/{name}", f"in/{name}", "--model", tiny_model).stdout.endswith("byte for byte\n")
    shutil.rmtree("in/sub")
    assert "1 of 2 photographs done" in run("batch", "in", "out", "--model", tiny_model, status=3).stdout


def test_a_wrong_place_for_the_output_is_found_first(run, monkeypatch, workplace):
    monkeypatch.setattr(batch_run, "run_batch", lambda *arguments, **options: pytest.fail("begun"))
    (workplace / "in").mkdir()
    (workplace / "file").write_text("mine")
    assert "file is a file; name a folder" in run("batch", "in", "file/out", status=2).stderr
    if Path("/proc").is_dir():
        assert "/proc: cannot be written to" in run("batch", "in", "/proc/out", status=1).stderr


def test_cluster_options(run, stub, monkeypatch):
    import sys

    assert "not both" in run("batch", "in", "out", "--scheduler", "x", "--local-cluster", 2, status=2).stderr
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "colorize.batch.cluster", raising=False)
    result = run("batch", "in", "out", "--local-cluster", 2, status=1)
    assert result.stderr.splitlines() == [
        "Error: distributed is not installed; install it from the checkout: pip install '.[distributed]'"
    ]
