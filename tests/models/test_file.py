"""Model files: what goes in comes out, equal models give equal bytes, and nothing else is ever accepted."""

import gzip
import hashlib
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file

from colorize.exceptions import ModelFileError, OutputError, OutputExistsError
from colorize.models import file as persistence
from colorize.models.file import load_model, model_digest, model_kind, save_model, stated_digest

HEADER = {"n_colors": 32, "name": "Zürich", "families": ["gabor", "surf"], "c": 0.1, "nested": {"b": None, "a": True}}
ARRAYS = {
    "palette/ab": np.arange(6, dtype=np.float32).reshape(3, 2) / 7,
    "counts": np.array([1, 2, 3], np.int32),
    "mask": np.array([0, 255], np.uint8),
    "half": np.array([[0.5]], np.float16),
    "scalar": np.array(2.5),
    "none": np.zeros((0, 4), np.float32),
}


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, HEADER, ARRAYS)
    return path


def refuse(path: Path, data: bytes, match: str | None = None) -> None:
    """Loading these bytes must fail with one line that names the file."""
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=match) as caught:
        load_model(path)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert len(message) < 400


def forge(metadata: dict[str, object], entries: dict[str, object] | None = None, payload: bytes = b"") -> bytes:
    """A file whose digest is right, as an attacker would write it."""
    base = {"format": "colorize-model", "format_version": "1", "kind": "classical", "header": "{}", "sha256": "0" * 64}
    meta = {**base, **metadata}
    document = {"__metadata__": meta, **(entries or {})}
    meta["sha256"] = hashlib.sha256(persistence._pack_header(document) + payload).hexdigest()
    return persistence._pack_header(document) + payload


def test_round_trip(model_file):
    header, arrays = load_model(model_file)
    assert header == HEADER
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)


def test_file_is_readable_by_the_safetensors_library(model_file):
    arrays = load_file(model_file)
    np.testing.assert_array_equal(arrays["palette/ab"], ARRAYS["palette/ab"], strict=True)
    with safe_open(model_file, framework="np") as file:
        metadata = file.metadata()
    assert metadata["format"] == "colorize-model"
    assert json.loads(metadata["header"]) == HEADER


def test_equal_models_give_equal_bytes_whatever_the_order(tmp_path):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    save_model(first, HEADER, ARRAYS)
    save_model(second, dict(reversed(HEADER.items())), dict(reversed(ARRAYS.items())))
    assert first.read_bytes() == second.read_bytes()


def test_memory_layout_and_byte_order_do_not_matter(tmp_path):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    save_model(first, {}, {"x": matrix})
    save_model(second, {}, {"x": np.asfortranarray(matrix).astype(">f4")})
    assert first.read_bytes() == second.read_bytes()


def test_every_array_is_aligned(model_file):
    data = model_file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert length % 8 == 0
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            assert entry["data_offsets"][0] % ARRAYS[name].dtype.itemsize == 0, name


@pytest.mark.slow
def test_any_flipped_bit_is_refused(tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_model(path, {"k": [1, 2.5]}, {"x": np.array([1, 2], np.float32), "y": np.array([3], np.uint8)})
    intact = path.read_bytes()
    assert len(intact) < 1000  # the loop below loads the file eight times per byte
    for position in range(len(intact)):
        for bit in range(8):
            damaged = bytearray(intact)
            damaged[position] ^= 1 << bit
            refuse(path, bytes(damaged))
    path.write_bytes(intact)
    load_model(path)


def test_any_cut_end_is_refused(model_file):
    intact = model_file.read_bytes()
    for stop in range(len(intact)):
        refuse(model_file, intact[:stop])


@pytest.mark.parametrize("tail", [b"\0", b" ", b"\n", b"x" * 1000])
def test_extra_bytes_are_refused(model_file, tail):
    refuse(model_file, model_file.read_bytes() + tail, "damaged")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.one_of(st.integers(0, 64), st.integers(0, 2**64 - 1)), body=st.binary(max_size=200))
def test_garbage_is_refused(tmp_path, start, body):
    refuse(tmp_path / "garbage.safetensors", struct.pack("<Q", start) + body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    metadata=st.dictionaries(st.sampled_from(["format", "kind", "header", "extra"]), json_values), entries=json_values
)
def test_forged_headers_are_refused(tmp_path, metadata, entries):
    if set(metadata) <= {"header"}:
        metadata["kind"] = "other"
    extra = {"x": entries}  # never a valid tensor entry
    refuse(tmp_path / "forged.safetensors", forge(metadata, extra))


def test_forging_helper_makes_files_that_load(tmp_path):
    path = tmp_path / "forged.safetensors"
    path.write_bytes(forge({"header": '{"a":1}'}, {"x": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}, b"ab"))
    header, arrays = load_model(path)
    assert header == {"a": 1}
    assert arrays["x"].tolist() == [97, 98]


@pytest.mark.parametrize(
    ("entry", "payload"),
    [
        ({"dtype": "U8", "shape": [3], "data_offsets": [0, 2]}, b"ab"),
        ({"dtype": "U8", "shape": [-2], "data_offsets": [0, 2]}, b"ab"),
        ({"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}, b"abc"),
        ({"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}, b"abc"),
        ({"dtype": "U8", "shape": [2**63, 2], "data_offsets": [0, 0]}, b""),
        ({"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}, b"ab"),
        ({"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}, b"abcdefgh"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, b"\0\0\xc0\x7f"),
        ({"dtype": "object", "shape": [1], "data_offsets": [0, 8]}, b"abcdefgh"),
    ],
)
def test_dishonest_arrays_with_a_right_digest_are_refused(tmp_path, entry, payload):
    refuse(tmp_path / "forged.safetensors", forge({}, {"x": entry}, payload))


@pytest.mark.parametrize(
    ("metadata", "match"),
    [
        ({"format_version": "2"}, "version '2'"),
        ({"format_version": 1}, "version '1'|damaged"),
        ({"format": "other"}, "not a colorize model"),
        ({"kind": "refiner"}, "kind 'refiner'"),
        ({"extra": "x"}, "damaged"),
        ({"header": "[]"}, "no JSON object"),
        ({"header": "{"}, "no JSON"),
        ({"header": '{"a":NaN}'}, "no JSON"),
        ({"header": "[" * 100_000}, "no JSON"),
    ],
)
def test_wrong_metadata_is_refused(tmp_path, metadata, match):
    refuse(tmp_path / "forged.safetensors", forge(metadata), match)


def test_kind_must_match(tmp_path):
    path = tmp_path / "refiner.safetensors"
    save_model(path, {}, {}, kind="refiner")
    assert load_model(path, kind="refiner") == ({}, {})
    with pytest.raises(ModelFileError, match="kind 'refiner', not 'classical'"):
        load_model(path)


class Bomb:
    def __reduce__(self):
        return (os.mkdir, ("exploded",))


@pytest.mark.parametrize("protocol", range(6))
def test_pickle_is_refused_and_not_run(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps([Bomb(), "x" * 5000], protocol=protocol)
    refuse(tmp_path / "model.safetensors", pickled, "not a colorize model")
    assert not (tmp_path / "exploded").exists()


def test_other_kinds_of_files_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(Bomb()))
    refuse(path, path.read_bytes(), "zip archive")
    np.save(tmp_path / "x.npy", np.zeros(3))
    refuse(path, (tmp_path / "x.npy").read_bytes(), "NumPy")
    refuse(path, gzip.compress(b"x" * 100), "not a colorize model")
    refuse(path, b"", "empty")
    refuse(path, b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not a colorize model")


def test_huge_header_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "model.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", 2**31))
        file.truncate(2**31 + 8)  # sparse: takes no room on the disk
    with pytest.raises(ModelFileError, match=r"too large|not a colorize model"):
        load_model(path)
    refuse(path, struct.pack("<Q", persistence.MAX_HEADER_BYTES + 8) + b" " * (persistence.MAX_HEADER_BYTES + 8))


def test_constants_that_are_no_json_are_refused(tmp_path):
    intact = forge({"kind": "classical"}, {"x": 1.0})
    refuse(tmp_path / "model.safetensors", intact.replace(b'"x":1.0', b'"x":NaN'), "damaged")


def test_deeply_nested_header_is_refused(tmp_path):
    refuse(tmp_path / "deep.safetensors", struct.pack("<Q", 200_000) + b"[" * 200_000, "no JSON")


def test_plain_safetensors_file_is_refused(tmp_path):
    from safetensors.numpy import save

    refuse(tmp_path / "other.safetensors", save({"x": np.zeros(3, np.float32)}), "not a colorize model")


def test_missing_file_folder_and_pipe_are_refused(tmp_path):
    with pytest.raises(ModelFileError, match=r"nothing\.safetensors: no such file; colorize.find_model"):
        load_model(tmp_path / "nothing.safetensors")
    with pytest.raises(ModelFileError, match=r"cannot be read|not a regular file"):
        load_model(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="not a regular file"):
        load_model(tmp_path / "pipe")


@pytest.mark.parametrize(
    "array",
    [
        np.array([object()]),
        np.array([1.0, np.nan], np.float32),
        np.array([np.inf], np.float16),
        np.array(["text"]),
        np.array([1 + 2j]),
        np.zeros(2, dtype=[("a", "f4")]),
    ],
)
def test_save_rejects_arrays_that_are_no_plain_numbers(tmp_path, array):
    with pytest.raises(ValueError, match="array 'x'"):
        save_model(tmp_path / "model.safetensors", {}, {"x": array})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "__metadata__", "naïve", "a b", "\ud800"])
def test_save_rejects_odd_array_names(tmp_path, name):
    with pytest.raises(ValueError, match="array name"):
        save_model(tmp_path / "model.safetensors", {}, {name: np.zeros(1)})


@pytest.mark.parametrize("header", [{"x": float("nan")}, {1: 2}, {"a": [{2: 3}]}, {"x": "y" * (5 << 20)}])
def test_save_rejects_headers_that_would_not_come_back(tmp_path, header):
    with pytest.raises(ValueError, match=r"header|JSON compliant"):
        save_model(tmp_path / "model.safetensors", header, {})


def test_save_rejects_what_json_cannot_hold(tmp_path):
    with pytest.raises(TypeError, match="JSON"):
        save_model(tmp_path / "model.safetensors", {"x": np.zeros(2)}, {})


def test_no_overwrite_without_leave(model_file):
    before = model_file.read_bytes()
    with pytest.raises(OutputExistsError, match=r"model\.safetensors"):
        save_model(model_file, {}, {})
    assert model_file.read_bytes() == before
    save_model(model_file, {}, {}, overwrite=True)
    assert load_model(model_file) == ({}, {})


def test_folder_is_never_replaced(tmp_path):
    with pytest.raises(OutputExistsError, match="folder"):
        save_model(tmp_path, {}, {}, overwrite=True)


def test_failed_write_leaves_the_old_file_and_nothing_else(model_file, monkeypatch):
    before = model_file.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(persistence.os, "replace", fail)
    with pytest.raises(OutputError, match=r"model\.safetensors: cannot be written \(No space"):
        save_model(model_file, {}, {}, overwrite=True)
    assert model_file.read_bytes() == before
    assert list(model_file.parent.iterdir()) == [model_file]


def test_missing_folder_is_one_line(tmp_path):
    with pytest.raises(OutputError, match=r"nowhere.m\.safetensors: cannot be written"):
        save_model(tmp_path / "nowhere" / "m.safetensors", {}, {})


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.dictionaries(st.text(), json_values, max_size=4))
def test_any_json_header_comes_back(tmp_path, header):
    path = tmp_path / "model.safetensors"
    save_model(path, header, {"x": np.zeros(2, np.float32)}, overwrite=True)
    assert load_model(path)[0] == header
    load_file(path)


def test_a_digest_names_a_model_whether_it_is_saved_or_not(model_file, tmp_path):
    assert stated_digest(model_file) == model_digest(HEADER, ARRAYS)
    save_model(tmp_path / "other.safetensors", HEADER, ARRAYS, kind="other")
    assert model_kind(tmp_path / "other.safetensors") == "other"
    assert stated_digest(tmp_path / "other.safetensors") == model_digest(HEADER, ARRAYS, kind="other")
    assert model_digest(HEADER, ARRAYS, kind="other") != model_digest(HEADER, ARRAYS)
    assert model_digest({**HEADER, "c": 0.2}, ARRAYS) != model_digest(HEADER, ARRAYS)


def test_a_look_at_a_file_reads_its_header_alone(model_file):
    os.truncate(model_file, 100_000_000)  # the disk keeps no zeros
    tracemalloc.start()
    assert model_kind(model_file) == "classical"
    assert stated_digest(model_file) == model_digest(HEADER, ARRAYS)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_peeking_at_something_else_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelFileError, match="never opened"):
        stated_digest(tmp_path / "x")
    with pytest.raises(ModelFileError, match="no such file"):
        stated_digest(tmp_path / "y")
