"""Which photographs there are, and where their outputs go."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.batch.manifest import NAME
from colorize.batch.plan import _output_names, check_folders, make_plan
from colorize.exceptions import DatasetError, OutputError
from colorize.io import write_photo
from colorize.recipe.note import AID
from colorize.training.dataset import load_folder
from colorize.types import PhotoMetadata, RgbImage


@pytest.fixture
def source(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "in"

    return make


def pairs(plan):
    return {photo.input: photo.output for photo in plan.photos}


def test_layout_and_formats_are_kept(source, tmp_path):
    folder = source("b.JPG", "a/x.tiff", "a/deep/y.webp", "c.gif", "notes.txt", ".hidden.jpg", ".git/z.png", "d.bmp")
    plan = make_plan(folder, tmp_path / "out")
    assert pairs(plan) == {
        "a/deep/y.webp": "a/deep/y.webp",
        "a/x.tiff": "a/x.tiff",
        "b.JPG": "b.JPG",
        "c.gif": "c.png",
        "d.bmp": "d.png",
    }
    assert plan.n_others == 1
    assert [photo.album for photo in plan.photos] == ["a/deep", "a", "", "", ""]


def test_one_format_for_all(source, tmp_path):
    plan = make_plan(source("a.jpg", "b.png", "c.TIF"), tmp_path / "out", file_format="tif")
    assert pairs(plan) == {"a.jpg": "a.tif", "b.png": "b.tif", "c.TIF": "c.tif"}


@pytest.mark.parametrize(
    ("names", "outputs"),
    [
        (["a.jpg", "a.png"], ["a.jpg.png", "a.png"]),
        (["a.jpg", "a.gif"], ["a.gif.png", "a.jpg.png"]),
        (["a.jpg", "a.png", "a.jpg.png"], ["a.jpg.2.png", "a.jpg.png", "a.png"]),
        (["A.jpg", "a.gif"], ["A.jpg.png", "a.gif.png"]),
        (["a.jpg", "b.jpg"], ["a.png", "b.png"]),
    ],
)
def test_outputs_never_collide(source, tmp_path, names, outputs):
    plan = make_plan(source(*names), tmp_path / "out", file_format="png")
    assert [pairs(plan)[name] for name in sorted(names)] == outputs


@given(st.sets(st.from_regex(r"[aAb](\.(png|jpg))?\.(png|PNG|jpg|gif|bmp)", fullmatch=True)))
def test_names_are_unique_without_case(names):
    for file_format in ("keep", "png"):
        found = _output_names(sorted(names), set(), file_format)
        assert {name for name, _ in found} == names
        outputs = [output.casefold() for _, output in found]
        unlike = {name.casefold() for name in names}
        if len(unlike) == len(names):  # else the source itself lies on a disk that knows case
            assert len(set(outputs)) == len(names)


def test_what_earlier_runs_named_stays(source, tmp_path):
    known = {"a.jpg": "a.png"}
    plan = make_plan(source("a.jpg", "a.gif"), tmp_path / "out", file_format="png", known=known)
    assert pairs(plan) == {"a.jpg": "a.png", "a.gif": "a.gif.png"}


def test_outputs_within_the_source_are_not_photographs(source, tmp_path):
    folder = source("a.jpg", "out/b.jpg", "sub/c.jpg")
    assert list(pairs(make_plan(folder, folder / "out"))) == ["a.jpg", "sub/c.jpg"]
    for target in (folder, folder / "sub" / "..", tmp_path):
        with pytest.raises(OutputError, match="mixed"):
            check_folders(folder, target)
    check_folders(folder, folder / "out")
    for place, problem in (("a.jpg", "is not a folder"), ("none", "no such folder")):
        with pytest.raises(DatasetError, match=problem):
            check_folders(folder / place, tmp_path / "out")


def test_a_folder_without_photographs_is_refused_in_the_words_of_training(source, tmp_path):
    folder = source("note.txt", "sub/list.csv", "out/a.jpg")
    refused = []
    for work in (lambda: check_folders(folder, folder / "out"), lambda: load_folder(folder / "sub")):
        with pytest.raises(DatasetError, match="holds no photographs") as error:
            work()
        refused.append(str(error.value).partition(": ")[2])
    assert refused[0] == refused[1]


def test_what_batches_wrote_is_no_photograph(source, tmp_path):
    folder = source("a.jpg", f"out/{NAME}", "out/a.jpg", "out/sub/b.jpg", f"sub/new/{NAME}", "sub/new/c.jpg")
    plan = make_plan(folder, tmp_path / "again")
    assert list(pairs(plan)) == ["a.jpg"]
    assert plan.coloured == ("out", "sub/new")
    assert make_plan(folder, folder / "out").coloured == ("sub/new",)  # what goes on is not left alone
    assert list(pairs(make_plan(folder / "out", tmp_path / "again"))) == ["a.jpg", "sub/b.jpg"]  # named: as asked
    (folder / "a.jpg").unlink()
    with pytest.raises(DatasetError, match="nor in its sub-folders, but what batches wrote into out, sub/new"):
        check_folders(folder, tmp_path / "again")


def test_pictures_that_were_made_beside_their_photographs_are_none(source, tmp_path):
    folder = source("a.jpg", "old.colorized.png", "sub/b.jpg")
    ours = RgbImage(np.zeros((2, 2, 3), np.uint8), metadata=PhotoMetadata(xmp=AID))
    for name in ("a.colorized.png", "sub/b.colorized.1.tif", "sub/b.suggested.png", "mine.png"):
        write_photo(ours, folder / name)
    plan = make_plan(folder, tmp_path / "out")
    # By name and note: of any other name it is what somebody chose to keep.
    assert list(pairs(plan)) == ["a.jpg", "mine.png", "old.colorized.png", "sub/b.jpg"]
    assert (plan.n_results, plan.n_others) == (3, 0)
    for path in ("a.jpg", "sub/b.jpg", "mine.png", "old.colorized.png"):
        (folder / path).unlink()
    with pytest.raises(DatasetError, match="nor in its sub-folders, but 3 that colorize made"):
        check_folders(folder, tmp_path / "out")


def test_links_in_a_circle_end(source, tmp_path):
    folder = source("a.jpg", "sub/b.jpg")
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "sub" / "self").symlink_to("self")
    (folder / "linked.jpg").symlink_to("a.jpg")
    (folder / "dead.jpg").symlink_to("nothing.jpg")
    plan = make_plan(folder, tmp_path / "out")
    assert list(pairs(plan)) == ["a.jpg", "linked.jpg", "sub/b.jpg"]
    assert plan.n_linked_folders == 1
    assert plan.n_others == 2  # a link to nothing is no photograph, one to itself neither


def test_pipes_and_folders_with_names_of_photographs_are_left_alone(source, tmp_path):
    folder = source("a.jpg", "b.png/c.jpg")
    os.mkfifo(folder / "pipe.jpg")
    assert list(pairs(make_plan(folder, tmp_path / "out"))) == ["a.jpg", "b.png/c.jpg"]


def test_folder_that_cannot_be_listed_is_told(source, tmp_path, monkeypatch):
    folder = source("a.jpg", "locked/b.jpg", "open/c.jpg")
    scandir = os.scandir

    def refuse(path):  # root may list everything, so permissions alone do not make this case
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    stat = os.stat

    def hide(path, **more):
        if "locked/" in os.fspath(path):
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **more)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "stat", hide)
    plan = make_plan(folder, tmp_path / "out")
    assert list(pairs(plan)) == ["a.jpg", "open/c.jpg"]
    assert plan.unreadable == {"locked": "Permission denied"}


def test_names_of_any_bytes(source, tmp_path):
    name = os.fsdecode(b"\xff\n\xfe.jpg")
    assert pairs(make_plan(source(name), tmp_path / "out")) == {name: name}
