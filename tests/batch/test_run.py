"""A batch: what is done, what is left alone, and that going on never doubles or forgets a photograph."""

import errno
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from colorize._support import files as _files
from colorize.batch import run, worker
from colorize.batch.jobs import Job, Result, Settings
from colorize.batch.manifest import NAME, read_manifest
from colorize.batch.run import _evenly, free_memory, local_pool, run_batch
from colorize.batch.supervisor import WORKER_BYTES
from colorize.exceptions import DatasetError, ManifestError, OutputError, OutputFormatError
from colorize.io import read_photo, read_xmp
from colorize.recipe.note import find_note

from .folders import outputs


@pytest.mark.slow
def test_a_folder_is_done_and_its_layout_kept(album, expected, here, settings, tmp_path):
    source, target = album(5), tmp_path / "out"
    (source / "notes.txt").write_text("mine")
    calls = []
    report = run_batch(source, target, settings, open_pool=here, progress=lambda *call: calls.append(call))
    assert (report.n_photos, report.n_done, report.n_earlier, report.failed) == (5, 5, 0, {})
    assert report.n_others == 1
    assert calls == [("photographs", done, 5) for done in range(6)]
    assert outputs(target) == expected(source)
    lines = read_manifest(target / NAME)
    assert [line.input for line in lines] == sorted(outputs(source).keys() - {"notes.txt"})
    assert all(len(line.sha256) == 64 and line.seconds > 0 and line.status == "done" for line in lines)


def test_what_a_killed_worker_leaves_half_written_goes(album, here, settings, tmp_path):
    source, target = album(2), tmp_path / "out"
    half = target / "odd" / ".00.png.0123456789ab.part"

    def leave_half(stage, done, total):
        half.parent.mkdir(exist_ok=True)
        half.write_bytes(b"half")

    run_batch(source, target, settings, open_pool=here, progress=leave_half)
    assert set(outputs(target)) == {"even/01.png", "odd/00.png"}


def test_a_second_batch_of_the_folder_leaves_the_first_alone(album, here, settings, tmp_path):
    source = album(2)
    run_batch(source, source / "out", settings, open_pool=here)
    (source / "00.colorized.png").write_bytes((source / "out" / "odd" / "00.png").read_bytes())
    report = run_batch(source, tmp_path / "again", settings, open_pool=here)
    assert (report.n_photos, report.coloured, report.n_results) == (2, ("out",), 1)
    assert set(outputs(tmp_path / "again")) == {"even/01.png", "odd/00.png"}


def test_nothing_is_done_twice(album, here, settings, tmp_path):
    source, target = album(4), tmp_path / "out"
    run_batch(source, target, settings, open_pool=here)
    before = (target / NAME).read_bytes()
    report = run_batch(source, target, settings, open_pool=here)
    assert here.n_jobs == 4
    assert (report.n_done, report.n_earlier) == (4, 4)
    assert (target / NAME).read_bytes() == before


def test_new_changed_and_lost_photographs_are_done(album, here, settings, tmp_path):
    source, target = album(4), tmp_path / "out"
    run_batch(source, target, settings, open_pool=here)
    shutil.copy(source / "odd/00.png", source / "odd/new.png")
    shutil.copy(source / "odd/02.png", source / "even/01.png")  # another picture, and a later time
    os.utime(source / "even/01.png", ns=(1, 1))
    (target / "even/03.png").unlink()
    report = run_batch(source, target, settings, open_pool=here)
    assert here.n_jobs == 4 + 3
    assert (report.n_done, report.failed) == (5, {})
    assert len(read_manifest(target / NAME)) == 5
    one, other = (read_photo(target / name) for name in ("even/01.png", "odd/02.png"))
    np.testing.assert_array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("how", ["interrupted", "failed"])
def test_a_changed_photograph_replaces_its_output_after_a_run_that_did_not(album, here, settings, tmp_path, how):
    source, target = album(2), tmp_path / "out"
    run_batch(source, target, settings, open_pool=here)
    shutil.copy(source / "odd/00.png", source / "even/01.png")
    os.utime(source / "even/01.png", ns=(1, 1))

    class Unlucky(here):
        def run(self, jobs):
            return iter([(job, Result("failed", "not today")) for job in jobs] if how == "failed" else [])

    report = run_batch(source, target, settings, open_pool=Unlucky)
    assert list(report.failed) == ["even/01.png"] * (how == "failed")
    os.utime(source / "even/01.png", ns=(2, 2))
    report = run_batch(source, target, settings, open_pool=here)
    assert (report.n_done, report.failed) == (2, {})
    one, other = (read_photo(target / name) for name in ("even/01.png", "odd/00.png"))
    np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_photograph_may_take_over_the_output_of_one_that_is_gone(album, here, settings, tmp_path):
    source, target = album(1), tmp_path / "out"
    (source / "odd/00.png").rename(source / "odd/x.gif")
    run_batch(source, target, settings, open_pool=here)
    (source / "odd/x.gif").rename(source / "odd/x.png")
    assert run_batch(source, target, settings, open_pool=here).failed == {}
    shutil.copy(source / "odd/x.png", source / "odd/x.gif")
    report = run_batch(source, target, settings, open_pool=here)
    assert (report.n_done, report.failed) == (2, {})
    assert set(outputs(target)) == {"odd/x.png", "odd/x.gif.png"}


def test_a_photograph_that_changes_meanwhile_is_done_again(album, here, settings, tmp_path):
    source, target = album(2), tmp_path / "out"

    class Meanwhile(here):
        def run(self, jobs):
            for job, result in super().run(jobs):
                if job.source.endswith("01.png"):
                    shutil.copy(source / "odd/00.png", source / "even/01.png")
                yield job, result

    run_batch(source, target, settings, open_pool=Meanwhile)
    run_batch(source, target, settings, open_pool=here)
    one, other = (read_photo(target / name) for name in ("even/01.png", "odd/00.png"))
    np.testing.assert_array_equal(one.pixels, other.pixels)


def test_an_output_is_recognised_within_the_limit_of_pixels(tmp_path, tiny_model, monkeypatch):
    asked = []
    monkeypatch.setattr(worker, "is_made_by", lambda *_, max_pixels: asked.append(max_pixels) or True)
    (tmp_path / "old.png").write_bytes(b"")
    studio = worker.Studio(Settings(model=str(tiny_model), max_pixels=400_000_000))
    result = studio.do(Job(str(tmp_path / "old.png"), str(tmp_path / "new.png")), lambda n: None)
    assert (result.message, asked) == ("was there already", [400_000_000])


def test_an_output_without_its_line_is_recognised(album, here, settings, tmp_path):
    """Killed between the output and the line: the picture bears its recipe, so it need not be made again."""
    source, target = album(3), tmp_path / "out"
    run_batch(source, target, settings, open_pool=here)
    rows = (target / NAME).read_bytes().splitlines(keepends=True)
    (target / NAME).write_bytes(b"".join(rows[:-1]))
    before = (target / "odd/02.png").stat().st_mtime_ns
    run_batch(source, target, settings, open_pool=here)
    assert (target / "odd/02.png").stat().st_mtime_ns == before
    assert read_manifest(target / NAME)[-1].message == "was there already"


def test_files_of_others_are_not_replaced(album, here, settings, tmp_path):
    source, target = album(2), tmp_path / "out"
    (target / "odd").mkdir(parents=True)
    (target / "odd/00.png").write_text("mine")
    report = run_batch(source, target, settings, open_pool=here)
    assert report.n_done == 1
    assert "--force" in report.failed["odd/00.png"]
    assert (target / "odd/00.png").read_text() == "mine"
    forced = replace(settings, overwrite=True)
    assert run_batch(source, target, forced, open_pool=here, retry_failed=True).n_done == 2


def test_failures_stay_until_asked_for(album, here, settings, tmp_path):
    source, target = album(2), tmp_path / "out"
    good = (source / "odd/00.png").read_bytes()
    (source / "odd/00.png").write_bytes(good[:200])
    os.utime(source / "odd/00.png", ns=(1, 1))
    report = run_batch(source, target, settings, open_pool=here)
    assert list(report.failed) == ["odd/00.png"]
    assert "damaged" in report.failed["odd/00.png"]
    (source / "odd/00.png").write_bytes(good)
    os.utime(source / "odd/00.png", ns=(1, 1))  # as if its storage had failed before
    assert list(run_batch(source, target, settings, open_pool=here).failed) == ["odd/00.png"]
    report = run_batch(source, target, settings, open_pool=here, retry_failed=True)
    assert (report.n_done, report.failed) == (2, {})
    assert len(read_manifest(target / NAME)) == 2


def test_damaged_photographs_are_salvaged_when_asked_for(album, here, settings, tmp_path):
    source, target = album(2), tmp_path / "out"
    path = source / "odd/00.png"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    report = run_batch(source, target, settings, open_pool=here, album=True)
    assert "--salvage" in report.failed["odd/00.png"]
    salvaging = replace(settings, salvage=True)  # no other batch: what is sound comes out the same
    report = run_batch(source, target, salvaging, open_pool=here, album=True, retry_failed=True)
    assert (report.n_done, report.n_earlier) == (2, 1)
    damage = find_note(read_xmp(target / "odd/00.png")).damage
    assert damage.endswith("% of its rows could be read, the rest is black")
    assert read_manifest(target / NAME)[-1].message == f"the file is damaged: {damage}"
    rows = (target / NAME).read_bytes().splitlines(keepends=True)
    (target / NAME).write_bytes(b"".join(rows[:-1]))  # killed between the output and its line
    run_batch(source, target, salvaging, open_pool=here, album=True)
    assert read_manifest(target / NAME)[-1].message == "was there already"


def test_leftovers_of_killed_workers_are_swept(album, here, settings, tmp_path):
    source, target = album(2), tmp_path / "out"
    (target / "odd").mkdir(parents=True)
    (target / "odd/.00.png.0123456789ab.part").write_bytes(b"half a pict")
    (target / "odd/.mine.part").write_bytes(b"not ours")
    run_batch(source, target, settings, open_pool=here)
    assert sorted(os.listdir(target / "odd")) == [".mine.part", "00.png"]


def test_notes_are_in_the_manifest(album, here, settings, tmp_path, photos):
    from PIL import Image

    source, target = album(1), tmp_path / "out"
    pages = [Image.fromarray(photo.pixels) for photo in photos[:2]]
    pages[0].save(source / "pages.tif", save_all=True, append_images=pages[1:])
    report = run_batch(source, target, settings, open_pool=here)
    assert "first" in report.notes["pages.tif"]
    assert "first" in read_manifest(target / NAME)[-1].message
    with pytest.raises(OutputFormatError, match="--format tif"):
        run_batch(source, tmp_path / "all", replace(settings, all_frames=True), open_pool=here)
    run_batch(source, tmp_path / "all", replace(settings, all_frames=True), open_pool=here, file_format="tif")
    with Image.open(tmp_path / "all" / "pages.tif") as written:
        assert written.n_frames == 2


@pytest.mark.slow
def test_albums_share_a_palette(album, here, settings, tmp_path, tiny_colorizer):
    source, target = album(6), tmp_path / "out"
    run_batch(source, target, settings, open_pool=here, album=True)
    assert here.n_jobs == 12
    wanted = np.mean([tiny_colorizer.palette_shares(read_photo(path)) for path in (source / "odd").glob("*")], axis=0)
    notes = {path.name: find_note(read_xmp(path)) for path in target.rglob("*.png")}
    for number in (0, 2, 4):
        np.testing.assert_allclose(notes[f"{number:02d}.png"].palette, wanted, atol=2e-6)  # six digits
    assert notes["00.png"].palette != notes["01.png"].palette
    first = outputs(target)
    (target / "odd/00.png").unlink()
    run_batch(source, target, settings, open_pool=here, album=True)
    assert here.n_jobs == 13  # the palettes are in the manifest
    assert outputs(target) == first


def test_album_that_cannot_be_read_has_no_palette(album, here, settings, tmp_path):
    source = album(2)
    (source / "odd/00.png").write_bytes(b"broken")
    report = run_batch(source, tmp_path / "out", settings, open_pool=here, album=True)
    assert (report.n_done, list(report.failed)) == (1, ["odd/00.png"])


def test_folders_that_cannot_be_listed_are_failures(album, here, settings, tmp_path, monkeypatch):
    source, scandir = album(3), os.scandir

    def refuse(path):
        if str(path).endswith("odd") and "in" in Path(path).parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = run_batch(source, tmp_path / "out", settings, open_pool=here)
    assert (report.n_done, report.failed) == (1, {"odd/": "the folder cannot be listed (Permission denied)"})
    monkeypatch.setattr(os, "scandir", scandir)
    report = run_batch(source, tmp_path / "out", settings, open_pool=here)
    assert (report.n_done, report.failed) == (3, {})


def test_workers_are_as_many_as_cores_may_be_used(settings, monkeypatch):
    asked = []
    monkeypatch.setattr(run, "Supervisor", lambda settings, *, n_workers, memory, time_limit: asked.append(n_workers))
    monkeypatch.setattr(run, "usable_cores", lambda: 3)
    local_pool(memory=2**40)(settings)
    local_pool(memory=2 * WORKER_BYTES)(settings)
    assert asked == [3, 1]


def test_what_is_refused_before_anything_is_written(album, here, settings, tmp_path):
    source = album(1)
    with pytest.raises(DatasetError, match="no such folder"):
        run_batch(tmp_path / "nowhere", tmp_path / "out", settings, open_pool=here)
    with pytest.raises(OutputError, match="mixed"):
        run_batch(source, source, settings, open_pool=here)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        run_batch(source, tmp_path / "file" / "out", settings, open_pool=here)
    run_batch(source, tmp_path / "out", settings, open_pool=here)
    with pytest.raises(ManifestError, match="vividness was"):
        run_batch(source, tmp_path / "out", replace(settings, vividness=1.0), open_pool=here)
    assert not (tmp_path / "nowhere").exists()


# --- full disks and disks that refuse --------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_disk_that_refuses_stops_the_batch_and_it_goes_on_later(album, here, settings, tmp_path, monkeypatch, code):
    source, target, replace_file, n_left = album(5), tmp_path / "out", os.replace, [3]  # the manifest and two pictures

    def refuse(passing, path):
        if not n_left[0]:
            raise OSError(code, os.strerror(code))
        n_left[0] -= 1
        replace_file(passing, path)

    with monkeypatch.context() as patch:
        patch.setattr(_files.os, "replace", refuse)
        with pytest.raises(OutputError, match=os.strerror(code)) as caught:
            run_batch(source, target, settings, open_pool=here)
    assert "\n" not in str(caught.value)
    assert len(read_manifest(target / NAME)) == len(outputs(target)) == 2
    assert run_batch(source, target, settings, open_pool=here).n_done == 5
    assert here.n_jobs == 3 + 3


def test_a_name_that_is_too_long_ends_its_photograph_alone(album, here, settings, tmp_path):
    source = album(2)
    (source / "odd/00.png").rename(source / f"{'x' * 251}.gif")
    report = run_batch(source, tmp_path / "out", settings, open_pool=here, file_format="webp")
    assert report.n_done == 1
    assert "File name too long" in next(iter(report.failed.values()))


@pytest.fixture
def small_disk(tmp_path):
    """A function that mounts a disk of so many kilobytes, and changes the one that is mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options):
        is_mounted = os.path.ismount(disk)
        command = ["mount", "-t", "tmpfs", "-o", f"{'remount,' * is_mounted}{options}", "tmpfs", str(disk)]
        if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no disk can be mounted here; the tests with planted errors stand in")
        return disk

    yield mount
    if os.path.ismount(disk):
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_disk_that_is_really_full(album, expected, here, settings, small_disk):
    source, disk = album(8), small_disk("size=120k")
    with pytest.raises(OutputError, match="No space left"):
        run_batch(source, disk / "out", settings, open_pool=here)
    n_done = len(outputs(disk / "out"))
    assert 0 < n_done < 8
    small_disk("size=10m")
    assert run_batch(source, disk / "out", settings, open_pool=here).n_earlier >= n_done - 1
    assert outputs(disk / "out") == expected(source)
    assert len(read_manifest(disk / "out" / NAME)) == 8


def test_a_disk_that_is_really_read_only(album, here, settings, small_disk):
    source, disk = album(2), small_disk("size=1m,rw")
    small_disk("ro")
    with pytest.raises(OutputError, match="Read-only file system"):
        run_batch(source, disk / "out", settings, open_pool=here)
    small_disk("rw")
    (disk / "out").mkdir()
    small_disk("ro")
    with pytest.raises(OutputError, match="Read-only file system"):
        run_batch(source, disk / "out", settings, open_pool=here)
    small_disk("rw")
    assert run_batch(source, disk / "out", settings, open_pool=here).n_done == 2


# --- small parts -----------------------------------------------------------------------------------------------------


def test_a_sample_is_spread_evenly():
    assert _evenly([*range(100)], 4) == [0, 25, 50, 75]
    assert _evenly([*range(3)], 4) == [0, 1, 2]
    assert _evenly([], 4) == []


def test_the_size_of_the_pool_follows_the_memory(settings):
    assert free_memory() > 10**8
    with local_pool(memory=900_000_000)(settings) as pool:
        assert pool.n_workers == 1
    with local_pool(n_workers=3, memory=2 * 10**9, time_limit=5)(settings) as pool:
        assert (pool.n_workers, pool.time_limit) == (3, 5)


@pytest.mark.data
@pytest.mark.slow
def test_the_corpus_of_hard_and_broken_files(data_folder, here, settings, tmp_path):
    """Every row behaves as it says, and the batch comes to its end."""
    import csv

    from colorize.io import PHOTO_SUFFIXES

    source = data_folder / "badinput"
    with open(source / "EXPECTED.csv", newline="", encoding="utf-8") as table:
        rows = {row["file"]: row["expected"] for row in csv.DictReader(table)}
    report = run_batch(source, tmp_path / "out", settings, open_pool=here)
    lines = {line.input: line for line in read_manifest(tmp_path / "out" / NAME)}
    named = {name for name in rows if Path(name).suffix.lower() in PHOTO_SUFFIXES}
    assert set(lines) == named
    assert report.n_photos == len(named) > 200
    for name, line in lines.items():
        allowed = {"valid-must-load": {"done"}, "either-ok": {"done", "failed"}}.get(rows[name], {"failed"})
        assert line.status in allowed, f"{name}: {rows[name]}, but {line.status} ({line.message})"
        assert "\n" not in line.message
