"""What visitors send: names made harmless, zips opened with care, sizes bounded."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from colorize.exceptions import RequestError
from colorize.io import PHOTO_SUFFIXES

_BLOCK = 1 << 20
_DEEPEST = 8  # folders in folders that are kept
_SWELLING = 200  # times that a file in a zip may be larger than it is packed; photographs hardly shrink at all
# What `zipfile` raises for damage; NotImplementedError for a
# method that it does not know, RuntimeError for a password.
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)
_ODD = re.compile(r"[^\w .()+,=@-]+")


@dataclass(frozen=True)
class Limits:
    """What one visitor may send."""

    file_bytes: int = 50_000_000  # of one photograph, sent alone or in a zip
    total_bytes: int = 2_000_000_000  # of one zip, and of all files of one upload, unpacked
    n_files: int = 5000  # of one upload, those in zips counted one by one
    pixels: int = 64_000_000  # of one photograph


def clean_name(name: str) -> str:
    """Make a file name harmless: no folders, no control characters, no leading dot, at most 80 characters.

    Examples
    --------
    >>> clean_name("../../etc/passwd"), clean_name("C:\\\\photos\\\\Oma 1938.JPG"), clean_name("..")
    ('passwd', 'Oma 1938.JPG', 'photo')
    """
    # Names from Windows may have backslashes, which other systems take for letters.
    base = _ODD.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    stem, dot, suffix = base.rpartition(".")
    if not dot or len(suffix) > 12:
        stem, dot, suffix = base, "", ""
    return f"{stem[: 79 - len(suffix)].strip(' .') or 'photo'}{dot}{suffix}"


def free_name(stem: str, suffix: str, is_taken: Callable[[str], bool]) -> str:
    """A file name that is not taken: this one, or with a number before its ending."""
    name, number = stem + suffix, 2
    while is_taken(name):
        name, number = f"{stem} {number}{suffix}", number + 1
    return name


def gather(files: Sequence[Path], folder: Path, limits: Limits) -> dict[str, str]:
    """Copy photographs, and those inside zips with the folders they lie in, into an empty folder.

    Tells what is no photograph by its name, with the folders it lies in, and why it is left out. Too many files are
    refused, and a zip that is damaged, locked, tries to write outside, or unpacks to more than the limits allow:
    nothing of the upload is to be used then.
    """
    left_out: dict[str, str] = {}
    n_bytes = 0
    for number, (name, blocks) in enumerate(_all(files, limits)):
        if number == limits.n_files:
            raise RequestError(f"more than {limits.n_files} files: send fewer at a time")
        parts = PurePosixPath(name.replace("\\", "/")).parts[-_DEEPEST:] or ("",)
        *parents, cleaned = [clean_name(part) for part in parts]
        wanted = Path(cleaned)
        if wanted.suffix.lower() in PHOTO_SUFFIXES:
            n_bytes += _copied(cleaned, blocks, _free_path(folder, parents, wanted), limits, n_bytes)
        else:
            inner = " (a zip inside a zip is not opened)" if cleaned.lower().endswith(".zip") else ""
            left_out["/".join([*parents, cleaned])] = f"not a photograph by its name{inner}"
    return left_out


def _all(files: Sequence[Path], limits: Limits) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Names and contents of all files, of zips those of the files in them."""
    for path in files:
        if zipfile.is_zipfile(path):
            yield from _members(path, limits)
        else:
            with open(path, "rb") as file:
                yield path.name, _blocks(file)


def _copied(name: str, blocks: Iterator[bytes], path: Path, limits: Limits, before: int) -> int:
    """Write a file; how many bytes it has, where those of its upload had so many `before`."""
    n_bytes = 0
    with open(path, "xb") as file:
        for block in blocks:
            n_bytes += len(block)
            # Before writing: the disk never holds more than is allowed.
            if n_bytes > limits.file_bytes:
                raise RequestError(f"{name}: larger than {limits.file_bytes / 1e6:g} MB")
            if before + n_bytes > limits.total_bytes:
                raise RequestError(f"the files take more than {limits.total_bytes / 1e6:g} MB: send fewer at a time")
            file.write(block)
    return n_bytes


def _free_path(folder: Path, parents: Sequence[str], wanted: Path) -> Path:
    """Where a file goes in folders of a folder; where a file has the name of one of these already, in the outer one."""
    place = folder.joinpath(*parents)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        place = folder
    return place / free_name(wanted.stem, wanted.suffix, lambda name: (place / name).exists())


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def _members(path: Path, limits: Limits) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Names and contents of the files of a zip, the whole directory checked first."""
    shown = clean_name(path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir() and not _is_clutter(info.filename)]
            for info in infos:
                _check_member(shown, info, limits)
            if sum(info.file_size for info in infos) > limits.total_bytes:
                raise RequestError(f"{shown}: unpacks to more than {limits.total_bytes / 1e6:g} MB")
            for info in infos:
                yield info.filename, _unpacked(archive, info)
    except _ZIP_ERRORS as error:
        raise RequestError(f"{shown}: the zip is damaged or of a kind that cannot be opened") from error


def _is_clutter(filename: str) -> bool:
    """Whether an entry is bookkeeping of an operating system."""
    parts = PurePosixPath(filename).parts
    return "__MACOSX" in parts or parts[-1:] in (("Thumbs.db",), (".DS_Store",), ("desktop.ini",))


def _check_member(shown: str, info: zipfile.ZipInfo, limits: Limits) -> None:
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0] == "/" or ":" in parts[0]:
        raise RequestError(f"{shown}: holds a file that points outside of the zip, so none of it was opened")
    # The upper half is the mode of Unix, 0 in zips from elsewhere.
    if stat.S_ISLNK(info.external_attr >> 16):
        raise RequestError(f"{shown}: holds a link, so none of it was opened")
    if info.flag_bits & 1:
        raise RequestError(f"{shown}: is locked with a password")
    if info.file_size > limits.file_bytes:
        raise RequestError(f"{shown}: {clean_name(info.filename)} is larger than {limits.file_bytes / 1e6:g} MB")
    # What unpacks to less than a block harms nobody, and blank pictures do pack that well.
    if info.file_size > _BLOCK and info.file_size > _SWELLING * max(info.compress_size, 1):
        raise RequestError(
            f"{shown}: {clean_name(info.filename)} unpacks to a suspicious size, so none of it was opened"
        )


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of an entry; `zipfile` reads no more of it than it announces, and checks that this was all."""
    try:
        with archive.open(info) as file:
            yield from _blocks(file)
    except _ZIP_ERRORS as error:
        raise RequestError(f"{clean_name(info.filename)}: its zip is damaged") from error
