"""Files appear whole or not at all."""

import pytest

from colorize._support.files import check_free, write_atomically
from colorize.exceptions import OutputError, OutputExistsError


def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path):
    def parts():
        yield b"half"
        raise OSError(28, "No space left on device")

    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"report\.html: cannot be written \(No space left on device\)"):
        write_atomically(path, parts())
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("report.html", b"old")]


def test_an_interrupted_write_leaves_nothing_either(tmp_path):
    def parts():
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "model.safetensors", parts())
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_answered_with_the_argument_of_python(tmp_path):
    with pytest.raises(OutputExistsError, match=r"exists already; name another file or say overwrite=True$"):
        check_free(tmp_path, overwrite=False)


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        write_atomically(tmp_path / "nowhere" / "a.json", [b"{}"])


def test_a_name_as_long_as_a_disk_takes_it(tmp_path):
    name = 83 * "\N{CJK UNIFIED IDEOGRAPH-5199}" + ".json"  # 254 bytes
    write_atomically(tmp_path / name, [b"{}"])
    assert [file.name for file in tmp_path.iterdir()] == [name]
