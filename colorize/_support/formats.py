"""The endings that can be written, and the mark of what colorize wrote; light, and asked before anything is loaded."""

from __future__ import annotations

from pathlib import Path

from colorize.exceptions import OutputFormatError

OUTPUT_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}

NOTES = b"urn:colorize:recipe:"
"""Begins the XML namespace of the notes in our pictures, of every version: what has it was made by colorize."""

COLORIZED, SUGGESTED = ".colorized", ".suggested"
"""End the names, before their ending, of pictures that are written beside their photographs."""

# libjpeg stops at 65500 though the format has 16 bits; WebP has 14 bits for a side, PNG 31.
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "PNG": 2**31 - 1, "TIFF": 2**31 - 1}


def output_format(path: Path, shape: tuple[int, int] = (1, 1), *, all_frames: bool = False) -> str:
    """Name of the format that a path's ending asks for; worth knowing before the work of making a picture.

    Parameters
    ----------
    path : Path
    shape : tuple of int
        Height and width of the picture to be written.
    all_frames : bool, default False
        It will hold several pictures.

    Raises
    ------
    OutputFormatError
        No format that can be written has this ending, or the format cannot hold so many pixels a side, or pictures.

    Examples
    --------
    >>> output_format(Path("album/grandmother.jpg"))
    'JPEG'
    """
    try:
        file_format = OUTPUT_FORMATS[path.suffix.lower()]
    except KeyError:
        raise OutputFormatError(
            f"{path}: cannot write {path.suffix or 'a file without ending'}; use {', '.join(OUTPUT_FORMATS)}"
        ) from None
    if all_frames and file_format != "TIFF":
        raise OutputFormatError(f"{path}: all frames together need a TIFF file; use .tif")
    if max(shape) > _LONGEST_SIDE[file_format]:
        raise OutputFormatError(
            f"{path}: {file_format} holds at most {_LONGEST_SIDE[file_format]} pixels a side, "
            f"the picture has {max(shape)}; use .png or .tif"
        )
    return file_format


def container_format(target: Path) -> str:
    """The container that a film's name asks for; `OutputFormatError` for another ending.

    Examples
    --------
    >>> container_format(Path("film.MKV"))
    'matroska'
    """
    try:
        return CONTAINERS[target.suffix.lower()]
    except KeyError:
        raise OutputFormatError(f"{target}: films are written as {', '.join(CONTAINERS)}") from None
