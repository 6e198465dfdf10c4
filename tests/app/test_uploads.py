"""What visitors send: names, zips that mean harm, limits."""

from __future__ import annotations

import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.app.uploads import Limits, clean_name, gather
from colorize.exceptions import RequestError

LIMITS = Limits(file_bytes=3_000_000, total_bytes=5_000_000, n_files=5)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "target"
    path.mkdir()
    return path


@pytest.fixture
def pack(tmp_path):
    """Make a zip of names and contents."""

    def pack(*members, **options):
        path = tmp_path / "album.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return path

    return pack


@given(st.text(max_size=200))
def test_a_cleaned_name_is_one_plain_name(name):
    cleaned = clean_name(name)
    assert 0 < len(cleaned) <= 80
    assert not set(cleaned) & set('/\\:*?"<>|\n\r\t\0')
    assert cleaned[0] != "."
    assert cleaned == cleaned.strip()
    assert clean_name(cleaned) == cleaned


def test_photographs_and_those_in_zips_come_together_under_names_of_their_own(folder, pack, tmp_path):
    single = tmp_path / "one.jpg"
    single.write_bytes(b"1")
    packed = pack(
        ("a/one.jpg", b"2"), ("b/one.jpg", b"3"), ("notes.txt", b"4"), ("__MACOSX/one.jpg", b"5"), ("in.zip", b"PK")
    )
    left_out = gather([single, packed], folder, LIMITS)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.jpg")}
    assert found == {"one.jpg": b"1", "a/one.jpg": b"2", "b/one.jpg": b"3"}
    assert left_out == {
        "notes.txt": "not a photograph by its name",
        "in.zip": "not a photograph by its name (a zip inside a zip is not opened)",
    }


def test_of_files_that_are_left_out_none_hides_another_of_its_name(folder, pack):
    names = [f"{year}/film.mov" for year in (1938, 1939, 1940)]
    assert list(gather([pack(*((name, b"1") for name in names))], folder, LIMITS)) == names


@pytest.mark.parametrize("name", ["../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", "C:/evil.jpg", "..\\evil.jpg"])
def test_a_zip_that_points_outside_is_refused_whole(folder, pack, name):
    with pytest.raises(RequestError, match=r"album\.zip: .*outside"):
        gather([pack(("fine.jpg", b"1"), (name, b"2"))], folder, LIMITS)
    assert not list(folder.iterdir())


def test_a_link_in_a_zip_is_refused(folder, tmp_path):
    info = zipfile.ZipInfo("link.jpg")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(RequestError, match="link"):
        gather([tmp_path / "z.zip"], folder, LIMITS)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([("bomb.jpg", bytes(2_900_000))], "suspicious size"),
        ([("large.jpg", bytes(3_100_000))], "larger than 3 MB"),
        ([(f"{k}.jpg", b"1") for k in range(6)], "more than 5 files"),
    ],
)
def test_bombs_and_crowds_are_refused(folder, pack, members, expected):
    with pytest.raises(RequestError, match=expected):
        gather([pack(*members)], folder, LIMITS)


def test_the_total_counts_over_all_files(folder, tmp_path):
    path = tmp_path / "x.jpg"
    path.write_bytes(bytes(2_000_000))
    with pytest.raises(RequestError, match="take more than 5 MB"):
        gather([path] * 3, folder, LIMITS)


def test_a_zip_that_announces_less_than_it_holds_is_refused(folder, pack):
    path = pack(("a.jpg", b"x" * 5000))
    data = bytearray(path.read_bytes())
    where = data.rfind(b"PK\x01\x02") + 24  # uncompressed size in the directory
    data[where : where + 4] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(RequestError, match=r"zip"):
        gather([path], folder, LIMITS)


def test_damaged_and_locked_zips_are_refused(folder, pack):
    path = pack(("a.jpg", b"x" * 5000))
    data = bytearray(path.read_bytes())
    data[40:45] = b"?????"
    path.write_bytes(data)
    with pytest.raises(RequestError, match="damaged"):
        gather([path], folder, LIMITS)
    path = pack(("a.jpg", b"x"))
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1  # encrypted, says the directory
    path.write_bytes(data)
    with pytest.raises(RequestError, match="password"):
        gather([path], folder, LIMITS)
