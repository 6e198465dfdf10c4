"""Model files: one `.safetensors` file that is data and nothing else, with a digest over every byte.

Layout: eight bytes with the length of the header (little endian), the header as canonical JSON padded with spaces to a
multiple of eight, then the arrays. This is the safetensors format, written here rather than by its library: the library
orders the metadata differently from run to run, and arrays otherwise than the files that are there, so that the digest
of a model that is loaded would not be the one that its file, its refiners and the notes in its pictures state.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from colorize._support.files import check_free, refusals, write_atomically
from colorize.exceptions import ModelFileError, OutputExistsError
from colorize.models import ShippedModel, available_models

FORMAT_NAME = "colorize-model"
FORMAT_VERSION = 1
# Limits on what is read before the digest can be checked.
MAX_HEADER_BYTES = 4 << 20
MAX_FILE_BYTES = 2 << 30

_DTYPES = {
    f"{kind}{bits}": f"{kind[0].upper()}{bits}"
    for kind, sizes in (("uint", (8, 16, 32)), ("int", (8, 16, 32, 64)), ("float", (16, 32, 64)))
    for bits in sizes
}
_METADATA_KEYS = {"format", "format_version", "kind", "header", "sha256"}
_BLANK_DIGEST = "0" * 64
_ARRAY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*")
_FOREIGN_FILES = {
    # What people name by mistake: a PyTorch or scikit-learn model gets its own word.
    b"PK\x03\x04": "a zip archive (pickles inside one are never opened),",
    b"\x93NUMPY": "a NumPy array file,",
    b"\x1f\x8b": "a gzip file,",
    **{bytes([0x80, protocol]): "a Python pickle (those are never opened)," for protocol in range(2, 6)},
}


def save_model(
    path: str | Path,
    header: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    kind: str = "classical",
    overwrite: bool = False,
) -> None:
    """Write a model as one file whose bytes depend on nothing but its content.

    Parameters
    ----------
    path : str or Path
        File to write, by custom ``*.safetensors``. It appears under this name only when it is complete.
    header : mapping of str to JSON values
        Parameters, names, summaries: strings, finite numbers, booleans, None, lists and dicts of them. Put neither
        dates nor paths in it, or equal training no longer gives equal bytes. At most 4 MiB as JSON.
    arrays : mapping of str to ndarray
        Integer or float arrays of at most 64 bits per item (no uint64); floats must be finite.
    kind : str
        What the file holds; `load_model` must be asked for the same kind.
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    OutputExistsError
        `path` exists and `overwrite` is false, or `path` is a folder.
    ValueError
        `header` or `arrays` holds something that a model file cannot hold; the message names it.
    TypeError
        `header` holds something that JSON has no word for.
    OutputError
        The folder is missing, or the disk refuses.

    See Also
    --------
    load_model : The way back.
    model_digest : The digest that the file will state.
    colorize.models.format.pack : Header and arrays of a model.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tiny.safetensors"
    ...     save_model(file, {"n_colors": 2}, {"palette": np.zeros((2, 2), np.float32)})
    ...     header, arrays = load_model(file)
    >>> header, arrays["palette"].shape
    ({'n_colors': 2}, (2, 2))
    """
    path = Path(path)
    if path.is_dir():
        raise OutputExistsError(f"{path}: is a folder; name a file inside it")
    check_free(path, overwrite=overwrite)
    head, payload, _ = _assemble(header, arrays, kind)
    write_atomically(path, [head, *payload])


def model_digest(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], *, kind: str = "classical") -> str:
    """Return the sha256 that a file of this content states of itself: a name for a model that nobody can change.

    It is taken over the whole file with the digest's own place filled with zeros, so it is not what `sha256sum` prints.

    Examples
    --------
    >>> len(model_digest({"n_colors": 2}, {"palette": np.zeros((2, 2), np.float32)}))
    64
    """
    return _assemble(header, arrays, kind)[2]


def load_model(path: str | Path, *, kind: str = "classical") -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a model file and check all of it; no byte of it is ever run as code.

    The digest shows damage. It is no signature: whoever can write a file can also compute its digest.

    Parameters
    ----------
    path : str or Path
        A file written by `save_model`.
    kind : str
        What the file must hold.

    Returns
    -------
    header : dict
        The header given to `save_model` (tuples come back as lists).
    arrays : dict of str to ndarray
        The arrays, in the machine's byte order.

    Raises
    ------
    ModelFileError
        The file is missing, damaged, cut, of another version or kind, or no model file at all; the message is one
        line that names the file and what is wrong.

    See Also
    --------
    save_model : Writes such a file.
    check_file : Checks it and unpacks nothing.
    model_kind, stated_digest : What it says of itself, unchecked.
    """
    path = Path(path)
    data = _read(path)
    metadata = _checked_metadata(path, data)
    if metadata["kind"] != kind:
        raise ModelFileError(f"{path}: a model of kind {metadata['kind']!r}, not {kind!r}")
    return _parse_user_header(path, metadata["header"]), _unpack_arrays(path, data)


def check_file(path: str | Path) -> dict[str, str]:
    """Find a model file sound or say what is wrong with it; its arrays stay bytes.

    Returns
    -------
    dict of str to str
        Its ``format``, ``format_version``, ``kind`` and ``sha256`` (see `model_digest`).

    Raises
    ------
    ModelFileError
        As `load_model`, of any kind.
    """
    path = Path(path)
    metadata = _checked_metadata(path, _read(path))
    return {name: metadata[name] for name in ("format", "format_version", "kind", "sha256")}


def model_kind(path: str | Path) -> str:
    """Tell what a model file holds (``classical`` for those of `Colorizer`).

    Raises
    ------
    ModelFileError
        The file cannot be read, or is no model file.
    """
    return str(_metadata(Path(path), _read(Path(path), whole=False)).get("kind"))


def stated_digest(path: str | Path) -> str:
    """The sha256 that a model file states of itself, see `model_digest`; only `load_model` checks whether it is true.

    Raises
    ------
    ModelFileError
        The file cannot be read, or is no model file.

    See Also
    --------
    model_digest : How it is made.
    check_file : Whether it is true.
    """
    return str(_metadata(Path(path), _read(Path(path), whole=False)).get("sha256"))


def find_shipped(digest: object) -> ShippedModel | None:
    """The shipped model that states this sha256, if there is one."""
    return next((model for model in available_models() if stated_digest(model.path) == digest), None)


def _assemble(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray], kind: str) -> tuple[bytes, list[bytes], str]:
    """The first bytes of a file, the arrays in its order, and the digest that is in the former."""
    _check_keys(header, "header")
    metadata = {
        "format": FORMAT_NAME,
        "format_version": str(FORMAT_VERSION),
        "kind": kind,
        "header": _canonical_json(header),
        "sha256": _BLANK_DIGEST,
    }
    entries: dict[str, Any] = {"__metadata__": metadata}
    payload: list[bytes] = []
    start = 0
    packed = [(name, _as_stored(name, array)) for name, array in arrays.items()]
    # wide types first: every array then starts at a multiple of its item size
    for name, array in sorted(packed, key=lambda item: (-item[1].dtype.itemsize, item[0])):
        place = [start, start := start + array.nbytes]
        entries[name] = {"dtype": _DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": place}
        # In C order whatever the array's own is: equal content, equal bytes.
        payload.append(array.tobytes())
    blank = _pack_header(entries)
    if len(blank) - 8 > MAX_HEADER_BYTES:
        raise ValueError(f"header takes {len(blank) - 8} bytes, a model file allows {MAX_HEADER_BYTES}")
    if len(blank) + start > MAX_FILE_BYTES:
        raise ValueError(f"arrays take more than the {MAX_FILE_BYTES} bytes that a model file may have")
    # Over the zeros: a digest cannot cover itself. It has their length, so no offset moves.
    metadata["sha256"] = _digest(blank, *payload)
    return _pack_header(entries), payload, metadata["sha256"]


def _canonical_json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _check_keys(value: object, where: str) -> None:
    """Refuse keys that JSON would silently turn into strings."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{where} has the key {key!r}; keys must be strings")
            _check_keys(inner, f"{where}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check_keys(inner, where)


def _as_stored(name: str, array: np.ndarray) -> np.ndarray:
    """An array as a file holds it, or a ValueError if none may."""
    if name == "__metadata__" or not _ARRAY_NAME.fullmatch(name):
        raise ValueError(f"array name {name!r} must be made of letters, digits and _ . : / - only")
    array = np.asarray(array)
    if array.dtype.name not in _DTYPES:
        raise ValueError(f"array {name!r} has dtype {array.dtype}; a model file holds {', '.join(_DTYPES)}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"array {name!r} holds values that are not finite")
    # The order of the file on every machine, or digests would differ.
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _pack_header(entries: Mapping[str, Any]) -> bytes:
    text = _canonical_json(entries).encode("ascii")
    # Arrays then start at a multiple of eight, and can be used where they lie.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _digest(*parts: bytes | memoryview) -> str:
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()


def _read(path: Path, *, whole: bool = True) -> bytes:
    """The file, or its header alone, once its size agrees with what its first bytes announce."""

    def open_without_waiting(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))  # a named pipe must not hang the program

    if not os.path.lexists(path):
        raise ModelFileError(f"{path}: no such file; colorize.find_model gives that of a model that ships")
    with refusals(path, "cannot be read", ModelFileError), open(path, "rb", opener=open_without_waiting) as file:
        # Of the open file, not of its name: nobody can change what the name means in between.
        status = os.fstat(file.fileno())
        # A device or pipe has no size, and may have no end.
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileError(f"{path}: not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise ModelFileError(f"{path}: {status.st_size} bytes is too large for a model file")
        start = file.read(8)
        _check_start(path, start, status.st_size)
        file.seek(0)
        return file.read(status.st_size if whole else _payload_start(start))


def _check_start(path: Path, start: bytes, size: int) -> None:
    length = int.from_bytes(start, "little")
    # Two bytes are the shortest JSON object. The length may be anything in a foreign file, so
    # nothing is read by it before this.
    if len(start) == 8 and 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
        return
    descriptions = [text for magic, text in _FOREIGN_FILES.items() if start.startswith(magic)]
    what = descriptions[0] if descriptions else "cut short, or" if start else "empty,"
    raise ModelFileError(f"{path}: {what} not a colorize model file")


def _metadata(path: Path, data: bytes) -> dict[str, Any]:
    """What the header says of the file as a whole; nothing of it is checked but its version."""
    try:
        entries = json.loads(data[8 : _payload_start(data)].decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: damaged or not a colorize model file (header is no JSON)") from error
    metadata = entries.get("__metadata__") if isinstance(entries, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT_NAME:
        raise ModelFileError(f"{path}: damaged or not a colorize model file (no {FORMAT_NAME} header)")
    if metadata.get("format_version") != str(FORMAT_VERSION):
        version = str(metadata.get("format_version"))[:20]
        raise ModelFileError(f"{path}: model format version {version!r}, this release reads version {FORMAT_VERSION}")
    return metadata


def _payload_start(data: bytes) -> int:
    return 8 + int.from_bytes(data[:8], "little")


def _checked_metadata(path: Path, data: bytes) -> dict[str, str]:
    """The metadata, after the digest over every byte of the file has been found right."""
    metadata = _metadata(path, data)
    if set(metadata) != _METADATA_KEYS or not all(isinstance(value, str) for value in metadata.values()):
        raise ModelFileError(f"{path}: damaged (the header must have exactly {', '.join(sorted(_METADATA_KEYS))})")
    start, stated = _payload_start(data), metadata["sha256"]
    # The first match is the digest's place: the model's own header is a string in there, and has its quotes escaped.
    blank = data[:start].replace(f'"sha256":"{stated}"'.encode(), f'"sha256":"{_BLANK_DIGEST}"'.encode(), 1)
    # A view, since a slice of bytes would copy the arrays once more.
    if _digest(blank, memoryview(data)[start:]) != stated:
        raise ModelFileError(f"{path}: damaged (the sha256 does not match the content); fetch or train the model again")
    return metadata


def _parse_user_header(path: Path, text: str) -> dict[str, Any]:
    try:
        # Python reads NaN and Infinity, which are no JSON; `save_model` never writes them.
        header = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: the model's own header is no JSON") from error
    if not isinstance(header, dict):
        raise ModelFileError(f"{path}: the model's own header is no JSON object")
    return header


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _unpack_arrays(path: Path, data: bytes) -> dict[str, np.ndarray]:
    # the library checks offsets, overlaps, holes and shapes: a right digest does not make a header honest
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        for name, array in arrays.items():
            _as_stored(name, array)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        # The library quotes from the file, which may be of any length and have any line ends.
        detail = " ".join(str(error).split())[:120]
        raise ModelFileError(f"{path}: the arrays do not fit the file ({detail})") from error
    return arrays
