"""Opening and writing photographs: the only code of the project that does either.

Whatever the file holds, a photograph comes in as sRGB, upright, 8 or 16 bits per channel, and everything that had to be
changed or left out on the way is a sentence in ``image.metadata.notes``. Whatever goes wrong is one `InvalidImageError`
of one line. Output files appear whole or not at all, and the same picture always gives the same bytes.

Pillow reads and writes; where it would cut 16 bits to 8, OpenCV (colour PNG and TIFF), tifffile (TIFF output) and
``colorize._icc`` (colour profiles) step in. Reading needs about 12 bytes per pixel at its peak beside the file itself
(8 bit; 24 for 16-bit colour). One photograph is decoded at a time in a process, because Pillow's size limit and
Python's warning filters are global.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import struct
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from colorize._files import write_atomically
from colorize._icc import MatrixProfile, convert
from colorize._png import chunk, plain_png
from colorize.exceptions import (
    DatasetError,
    ImageTooLargeError,
    InvalidImageError,
    OutputExistsError,
    OutputFormatError,
)
from colorize.types import PhotoMetadata, RgbImage

if TYPE_CHECKING:
    from PIL import ImageCms

__all__ = [
    "PHOTO_SUFFIXES",
    "count_pixels",
    "encode_preview",
    "encode_screen",
    "find_photos",
    "output_format",
    "read_frames",
    "read_photo",
    "read_xmp",
    "write_frames",
    "write_photo",
]

MAX_PIXELS = 200_000_000
"""What a photograph may have at most, unless said otherwise."""

PHOTO_SUFFIXES = frozenset(
    ".avif .bmp .gif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()  # noqa: SIM905
)
"""File name endings, in lower case, that `find_photos` takes for photographs."""

_OUTPUT_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "PNG": 2**31 - 1, "TIFF": 2**31 - 1}

# Formats in which photographs come. The rest of Pillow's decoders (textures, animations, documents) stay shut.
_INPUT_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")  # JPEG includes MPO

# What Pillow, its plugins and NumPy have been seen to raise on damaged files. Bugs of ours can hide here, so only calls
# into decoders are wrapped with it.
_DECODER_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_decoding = threading.RLock()

_ORIENTATION = 0x0112
# Tags of the main EXIF directory that speak of the photograph; the rest of a TIFF's tags describe its own layout.
_KEPT_TAGS = frozenset(
    (0x010E, 0x010F, 0x0110, _ORIENTATION, 0x0131, 0x0132, 0x013B, 0x8298, 0x8769, 0x8825, *range(0x9C9B, 0x9CA0))
)
_TEXT_TAGS = (0x010E, 0x010F, 0x0110, 0x0132, 0x013B, 0x8298)  # those of them that tifffile can write as text
_LONGEST_EXIF = 65_000  # a JPEG segment ends at 65533 bytes
_LONGEST_XMP = 65_502  # the same, less the name of the block
_LONGEST_KEPT_XMP = 1 << 20
_XMP, _IPTC_IN_TIFF, _IPTC_IN_JPEG = 0x02BC, 0x83BB, 0x0404


def read_photo(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> RgbImage:
    """Read a photograph of any common kind: gray, palette, RGB, CMYK or Lab, 8 or 16 bit, with or without opacity.

    Parameters
    ----------
    source : str, Path or bytes
        File name, or the bytes of a file.
    max_pixels : int, default 200_000_000
        Refuse a photograph whose header announces more, before decoding it.

    Returns
    -------
    RgbImage
        sRGB, upright. uint16 for 16-bit PNG and TIFF and for float TIFF, else uint8. 16-bit files whose values fit
        into 12 bits (nearly black, taken as they are) are scaled to the whole range. An embedded colour profile is
        applied (to 16-bit colour at 8 bits where the profile is made of tables, as a note says). Of several pages or
        frames the first is read.

    Raises
    ------
    InvalidImageError
        No such file, no photograph, or a damaged one.
    ImageTooLargeError
        More pixels than `max_pixels`.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("L", (3, 2), 128).save(file, "PNG")
    >>> read_photo(file.getvalue()).shape
    (2, 3)
    """
    with _decoding_errors(source, max_pixels) as data, _opened(data, max_pixels) as picture:
        notes = ["only the first of several pictures in the file was used"] if _has_more_frames(picture) else []
        return _decode(picture, data, notes)


def read_frames(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> list[RgbImage]:
    """Read every page of a TIFF or every frame of an animation, as `read_photo` reads the first.

    Parameters
    ----------
    source : str, Path or bytes
        File name, or the bytes of a file.
    max_pixels : int, default 200_000_000
        Refuse a file whose frames have more pixels together.

    Raises
    ------
    InvalidImageError
        No such file, no photograph, or one of its frames is damaged.
    ImageTooLargeError
        More pixels than `max_pixels`.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> pages = [Image.new("L", (3, 2), value) for value in (10, 20)]
    >>> pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    >>> [int(page.pixels.max()) for page in read_frames(file.getvalue())]
    [10, 20]
    """
    with _decoding_errors(source, max_pixels) as data, _opened(data, max_pixels) as picture:
        frames: list[RgbImage] = []
        left = max_pixels
        for index in range(getattr(picture, "n_frames", 1)):
            if picture.format == "TIFF" and index:  # a page without them would inherit those of the page before
                for name in ("icc_profile", "dpi"):
                    picture.info.pop(name, None)
            picture.seek(index)
            left -= picture.size[0] * picture.size[1]
            if left < 0:
                raise ImageTooLargeError(f"its frames have more than the limit of {max_pixels / 1e6:g} megapixels")
            frames.append(_decode(picture, data, [], index))
        return frames


def count_pixels(source: str | Path | bytes, *, all_frames: bool = False, max_pixels: int = MAX_PIXELS) -> int:
    """Pixels that the header of a photograph announces; nothing is decoded.

    Parameters
    ----------
    source : str, Path or bytes
        File name, or the bytes of a file.
    all_frames : bool, default False
        Of all its frames together (as if all had the size of the first), not of the first alone.
    max_pixels : int, default 200_000_000
        As for `read_photo`.

    Raises
    ------
    InvalidImageError
        No such file or no photograph.
    ImageTooLargeError
        More pixels than `max_pixels`.

    Examples
    --------
    >>> count_pixels(encode_preview(np.zeros((8, 9, 3), np.uint8)))
    72
    """
    with _decoding_errors(source, max_pixels) as data, _opened(data, max_pixels) as picture:
        return picture.size[0] * picture.size[1] * (getattr(picture, "n_frames", 1) if all_frames else 1)


def read_xmp(source: str | Path | bytes) -> bytes | None:
    """The XMP packet of a photograph, from its header alone.

    Raises
    ------
    InvalidImageError
        No such file or no photograph.
    """
    with _decoding_errors(source, MAX_PIXELS) as data, _opened(data, MAX_PIXELS) as picture:
        return _kept_xmp(picture, [])


@contextlib.contextmanager
def _decoding_errors(source: str | Path | bytes, max_pixels: int) -> Iterator[bytes]:
    """Bytes of a photograph; whatever goes wrong while they are decoded becomes one error that names it."""
    name = "photograph in memory" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read_file(Path(source), max_pixels)
    with _quiet_decoders(max_pixels):
        try:
            yield data
        except InvalidImageError as error:
            raise type(error)(f"{name}: {error}") from error.__cause__
        except Image.DecompressionBombError as error:
            raise ImageTooLargeError(f"{name}: more than the limit of {max_pixels / 1e6:g} megapixels") from error
        except UnidentifiedImageError as error:
            reason = "the file is empty" if not data else "not a photograph, or its header is damaged"
            raise InvalidImageError(f"{name}: {reason}") from error
        except _DECODER_ERRORS as error:
            raise InvalidImageError(f"{name}: the picture data is damaged ({_first_line(error)})") from error


def write_photo(image: RgbImage, path: str | Path, *, overwrite: bool = False, quality: int = 95) -> tuple[str, ...]:
    """Write a photograph as PNG, JPEG, TIFF or WebP, with its EXIF, XMP, resolution and colour profile.

    The profile is the photograph's own if it had one for RGB colours (the pixels are converted back to it), else sRGB.

    PNG, TIFF and WebP (written lossless, since lossy WebP halves the resolution of colour) give back the very pixels;
    JPEG is written with full colour resolution (4:4:4). The file appears under its name only when it is complete.

    Parameters
    ----------
    image : RgbImage
        16 bits per channel are kept in PNG and TIFF and rounded to 8 in JPEG and WebP.
    path : str or Path
        The ending says the format: .png, .jpg, .jpeg, .tif, .tiff or .webp.
    overwrite : bool, default False
        Replace a file that is already there.
    quality : int, default 95
        JPEG quality, 95 to 100: below, blocks would show in the lightness.

    Returns
    -------
    tuple of str
        One sentence for everything the format could not hold. Opacity is dropped in JPEG (not blended: the picture
        beneath stays as it is); of the EXIF, 16-bit TIFF holds the texts (camera, date, author) alone.

    Raises
    ------
    OutputExistsError
        The file is there, and `overwrite` is False.
    OutputFormatError
        Another ending, or a picture too large for the format.
    OutputError
        The folder is missing, or the disk refuses.
    ValueError
        `quality` out of range.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_photo(RgbImage(np.zeros((2, 3, 3), np.uint8)), folder / "black.png")
    ()
    >>> read_photo(folder / "black.png").shape
    (2, 3)
    """
    path = Path(path)
    file_format = output_format(path, image.shape)
    if not 95 <= quality <= 100:
        raise ValueError(f"quality must be between 95 and 100, got {quality!r}")
    _check_free(path, overwrite)
    data, notes = _encode(image, file_format, quality)
    write_atomically(path, [data])
    return notes


def write_frames(images: Sequence[RgbImage], path: str | Path, *, overwrite: bool = False) -> tuple[str, ...]:
    """Write several photographs as the pages of one TIFF file, uncompressed.

    Parameters
    ----------
    images : sequence of RgbImage
        At least one; sizes and bit depths may differ.
    path : str or Path
        Must end in .tif or .tiff.
    overwrite : bool, default False
        Replace a file that is already there.

    Returns
    -------
    tuple of str
        One sentence for everything that was left out: of the EXIF, pages hold the texts (camera, date, author) alone.

    Raises
    ------
    OutputExistsError, OutputFormatError, OutputError
        As for `write_photo`.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "pages.tif"
    >>> write_frames([RgbImage(np.zeros((2, 3, 3), np.uint8))] * 2, file)
    ()
    >>> len(read_frames(file))
    2
    """
    path = Path(path)
    if output_format(path) != "TIFF":
        raise OutputFormatError(f"{path}: several pages need a TIFF file; use .tif")
    _check_free(path, overwrite)
    notes: list[str] = []
    data = _tiff(images, notes)
    write_atomically(path, [data])
    return tuple(dict.fromkeys(notes))


def _check_free(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path}: exists already; say overwrite (--force) to replace it")


def encode_preview(pixels: np.ndarray, *, quality: int = 70) -> bytes:
    """Encode a small picture for a page: lossy WebP, nothing carried over.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, 3), uint8
        sRGB.
    quality : int, default 70
        0 (small) to 100 (good).

    Returns
    -------
    bytes

    Examples
    --------
    >>> encode_preview(np.zeros((8, 8, 3), np.uint8))[:4]
    b'RIFF'
    """
    return _saved(Image.fromarray(np.ascontiguousarray(pixels)), "WEBP", {"quality": quality, "method": 2})


def encode_screen(pixels: np.ndarray, *, quality: int = 92) -> bytes:
    """Encode a picture for a screen that waits for it: JPEG with full colour resolution, nothing carried over.

    About ten times as fast as `encode_preview`, and larger.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, 3), uint8
        sRGB.
    quality : int, default 92
        0 (small) to 100 (good).

    Returns
    -------
    bytes

    Examples
    --------
    >>> encode_screen(np.zeros((8, 8, 3), np.uint8))[:2].hex()
    'ffd8'
    """
    import cv2

    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    encoded, buffer = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality, *sampling])
    if not encoded:
        raise OutputFormatError("the picture cannot be encoded as JPEG")
    return buffer.tobytes()


def find_photos(folder: str | Path, *, recursive: bool = True) -> list[Path]:
    """List the photographs of a folder by their file names, sorted; hidden files are left out.

    Parameters
    ----------
    folder : str or Path
    recursive : bool, default True
        Look into its folders too.

    Returns
    -------
    list of Path
        Files that end in one of `PHOTO_SUFFIXES`, in any case of letters.

    Raises
    ------
    DatasetError
        No such folder.

    Examples
    --------
    >>> import tempfile
    >>> find_photos(tempfile.mkdtemp())
    []
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(
        path
        for path in found
        if path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


# --- reading ---------------------------------------------------------------------------------------------------------


def _read_file(path: Path, max_pixels: int) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InvalidImageError(f"{path}: is a folder, not a photograph")
        if size > 32 * max_pixels + 2**26:  # several pages of 16-bit colour, and then some
            raise ImageTooLargeError(f"{path}: {size / 1e9:.1f} GB are too many for a photograph")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidImageError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise InvalidImageError(f"{path}: cannot be read ({_first_line(error)})") from error


@contextlib.contextmanager
def _quiet_decoders(max_pixels: int) -> Iterator[None]:
    """Hold Pillow to our size limit (it raises at twice its own) and keep its warnings from the screen."""
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels // 2 + 1
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@contextlib.contextmanager
def _opened(data: bytes, max_pixels: int) -> Iterator[Image.Image]:
    """Open a picture whose header keeps the limit."""
    with Image.open(io.BytesIO(data), formats=_input_formats()) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise ImageTooLargeError(
                f"{width} x {height} pixels ({width * height / 1e6:.4g} megapixels) are more than the limit of "
                f"{max_pixels / 1e6:g} megapixels"
            )
        yield picture


def _decode(picture: Image.Image, data: bytes, notes: list[str], index: int = 0) -> RgbImage:
    """The frame on which the picture stands."""
    is_deep_color = _has_16_bit_color(picture)
    with _silent_stderr() if picture.format == "TIFF" else contextlib.nullcontext():
        picture.load()
    orientation = _orientation(picture)  # 1 for TIFF: both decoders have turned it by now
    pixels, alpha = _pixels_of(picture, data, is_deep_color, notes, index)
    pixels, alpha = _turned(pixels, orientation), None if alpha is None else _turned(alpha, orientation)
    metadata = PhotoMetadata(
        exif=_kept_exif(picture, notes),
        dpi=_resolution(picture, orientation),
        xmp=_kept_xmp(picture, notes),
        rgb_profile=_own_rgb_profile(picture, notes),
        notes=tuple(notes),
    )
    return RgbImage(pixels, alpha, metadata)


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Keep libtiff from writing to the terminal: it does so from C, where no Python setting reaches it."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@cache
def _input_formats() -> tuple[str, ...]:
    Image.init()
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Python prints its errors where nobody logs
    return tuple(name for name in _INPUT_FORMATS if name in Image.OPEN)


def _has_more_frames(picture: Image.Image) -> bool:
    try:
        is_animated = bool(getattr(picture, "is_animated", False))
    except (*_DECODER_ERRORS, Image.DecompressionBombError):
        is_animated = False  # a damaged later frame does not concern the first
    picture.seek(0)
    return is_animated


def _orientation(picture: Image.Image) -> int:
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except _DECODER_ERRORS:
        return 1
    return value if value in range(1, 9) else 1


def _has_16_bit_color(picture: Image.Image) -> bool:
    """Tell whether Pillow is about to cut 16 bits of colour to 8; its tiles name the raw mode, such as RGB;16B."""
    tiles = getattr(picture, "tile", ())
    is_deep = picture.format in ("PNG", "TIFF") and any(";16" in str(tile[3]) for tile in tiles)
    return is_deep and not picture.mode.startswith("I;16")


def _pixels_of(
    picture: Image.Image, data: bytes, is_deep_color: bool, notes: list[str], index: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """SRGB pixels and opacity, as they lie in the file."""
    if is_deep_color:
        deep = _decode_16_bit(data, index)
        profile = MatrixProfile.parse(picture.info["icc_profile"]) if _needs_profile(picture) else _srgb_matrix()
        if profile is None:
            notes.append("16 bits per channel were read as 8, because the color profile can only be applied so")
        elif deep is not None and _shows_the_same(deep[0], picture):
            pixels = _full_range(deep[0], notes)
            return pixels if profile is _srgb_matrix() else convert(pixels, profile, _srgb_matrix()), deep[1]
        else:
            notes.append("16 bits per channel were read as 8")
    if picture.mode in ("F", "I") or picture.mode.startswith("I;16"):
        return _deep_gray(picture, notes)
    return _shallow(picture, notes)


def _decode_16_bit(data: bytes, index: int) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Colour of 16 bits by OpenCV; Pillow has found the file sound before."""
    import cv2

    is_png = data.startswith(b"\x89PNG")
    if is_png:
        plain = plain_png(data) if index == 0 else None
        if plain is None:
            return None
        data = plain
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        buffer = np.frombuffer(data, np.uint8)
        if is_png or index == 0:
            array = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        else:
            _, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED, range=(index, index + 1))
            array = pages[0] if pages else None
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(level)
    if array is None or array.dtype != np.uint16 or array.ndim != 3:
        return None
    alpha = np.ascontiguousarray(array[..., 3]) if array.shape[2] == 4 else None
    return np.ascontiguousarray(array[..., 2::-1]), alpha


def _shows_the_same(deep: np.ndarray, picture: Image.Image) -> bool:
    """Hold OpenCV's 16 bits against Pillow's 8, on every seventh row and column: it misreads some animations."""
    if deep.shape[:2] != picture.size[::-1]:
        return False
    shallow = np.asarray(picture.convert("RGB"))[::7, ::7]
    return int(np.abs(shallow.astype(np.int32) - (deep[::7, ::7] >> 8)).max()) <= 1


def _deep_gray(picture: Image.Image, notes: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    values = np.asarray(picture)
    if values.dtype.kind == "f" or values.dtype.itemsize > 2:
        return _gray_to_rgb(_scaled_to_16_bit(values, notes)), None
    values = values.astype(np.uint16)  # native byte order
    key = picture.info.get("transparency")
    alpha = None if not isinstance(key, int) else np.where(values == key, 0, 65535).astype(np.uint16)
    return _gray_to_rgb(_gray_profile_applied(_full_range(values, notes), picture, notes)), alpha


def _full_range(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Spread data of 8, 10 or 12 bits in a 16-bit file over 16 bits; taken as it is, it would be black to the eye."""
    highest = int(values.max())
    for bits in (8, 10, 12):
        if 0 < highest < 2**bits:
            notes.append(f"16-bit file with {bits}-bit values: scaled to the whole range")
            table = np.arange(2**bits, dtype=np.uint32) * 65535 // (2**bits - 1)
            return table.astype(np.uint16)[values]
    return values


def _scaled_to_16_bit(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Floats and long integers: 0..1, 0..255 and 0..65535 are taken as such, any other range is stretched."""
    values = values.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        raise InvalidImageError("the picture holds no finite value")
    low, high = float(values[finite].min()), float(values[finite].max())
    tops = [top for top in (1.0, 255.0, 65535.0) if low >= 0 and high <= top]
    start, end = (0.0, tops[0]) if tops else (low, high)
    notes.append(f"values from {start:g} to {end:g} were scaled to 16 bits")
    scaled = (np.where(finite, values, low) - start) * (65535 / max(end - start, 1e-12))
    return np.rint(scaled).astype(np.uint16)


def _shallow(picture: Image.Image, notes: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Pictures of at most 8 bits per channel."""
    if picture.mode in ("RGBa", "La"):
        picture = picture.convert("RGBA" if picture.mode == "RGBa" else "LA")
    alpha = None
    if picture.has_transparency_data:
        alpha = np.array(picture.convert("RGBA").getchannel("A"))
    if picture.mode in ("1", "L", "LA"):
        gray = np.array(picture.convert("L"))
        return _gray_to_rgb(_gray_profile_applied(gray, picture, notes)), alpha
    return np.array(_to_srgb(picture, notes)), alpha


def _to_srgb(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Convert a colour picture to RGB through its profile, or by Pillow's plain formulas where it has none."""
    if picture.mode in ("P", "PA", "RGBA", "RGBX"):
        picture = _with_info(picture.convert("RGB"), picture)
    if picture.mode == "LAB":
        from PIL import ImageCms

        converted = ImageCms.profileToProfile(picture, ImageCms.createProfile("LAB"), _srgb(), outputMode="RGB")
        return converted or picture
    if _needs_profile(picture):
        converted = _through_profile(picture, "RGB", notes)
        if converted is not None:
            return converted
    elif picture.mode == "CMYK":
        notes.append("CMYK without a color profile: converted by a plain formula")
    return picture.convert("RGB")


def _gray_profile_applied(values: np.ndarray, picture: Image.Image, notes: list[str]) -> np.ndarray:
    """Apply a gray profile as a curve, taken at 256 levels and interpolated for 16 bits."""
    if not _needs_profile(picture):
        return values
    ramp = _with_info(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), picture)
    converted = _through_profile(ramp, "RGB", notes)
    if converted is None:
        return values
    curve = np.asarray(converted)[0, :, 1].astype(np.float64)
    if values.dtype == np.uint8:
        return curve.astype(np.uint8)[values]
    levels = np.interp(np.arange(65536) / 257, np.arange(256), curve)
    return np.rint(levels * 257).astype(np.uint16)[values]


def _with_info(picture: Image.Image, original: Image.Image) -> Image.Image:
    picture.info["icc_profile"] = original.info.get("icc_profile")
    return picture


def _gray_to_rgb(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=2)


def _turned(array: np.ndarray, orientation: int) -> np.ndarray:
    """Stand a picture upright, by the EXIF orientation 1 to 8."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    flip_rows, flip_columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(array[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])


def _kept_exif(picture: Image.Image, notes: list[str]) -> bytes | None:
    """EXIF without orientation, thumbnail and the tags of a TIFF's own layout."""
    try:
        exif = picture.getexif()
        for tag in set(exif) - _KEPT_TAGS:
            del exif[tag]
        if not set(exif) - {_ORIENTATION}:
            return None
        exif[_ORIENTATION] = 1
        return exif.tobytes()
    except _DECODER_ERRORS:
        notes.append("the EXIF data is damaged and was left out")
        return None


def _kept_xmp(picture: Image.Image, notes: list[str]) -> bytes | None:
    """The XMP packet; captions in the older IPTC form are named, for they are left out."""
    resources = picture.info.get("photoshop")
    has_iptc = isinstance(resources, dict) and _IPTC_IN_JPEG in resources
    if has_iptc or _IPTC_IN_TIFF in (getattr(picture, "tag_v2", None) or ()):
        notes.append("the captions in IPTC form were left out")
    packet = picture.info.get("xmp")
    if not isinstance(packet, bytes) or not packet:
        return None
    if len(packet) > _LONGEST_KEPT_XMP:
        notes.append("the XMP data is too long and was left out")
        return None
    return packet.strip(b"\0")


def _resolution(picture: Image.Image, orientation: int) -> tuple[float, float] | None:
    try:
        horizontal, vertical = (float(value) for value in picture.info["dpi"])
    except _DECODER_ERRORS:
        return None
    if not (
        math.isfinite(horizontal) and math.isfinite(vertical) and min(horizontal, vertical) > 1
    ):  # 1: a TIFF without unit
        return None
    return (vertical, horizontal) if orientation >= 5 else (horizontal, vertical)


def _first_line(error: BaseException) -> str:
    text = str(error.strerror if isinstance(error, OSError) and error.strerror else error)
    return (text.splitlines() or [type(error).__name__])[0]


# --- colour profiles -------------------------------------------------------------------------------------------------


def _needs_profile(picture: Image.Image) -> bool:
    """Tell whether a colour profile says anything but sRGB; going from sRGB to sRGB would cost a code value."""
    profile = picture.info.get("icc_profile")
    return bool(profile) and "sRGB" not in _profile_name(profile)


@lru_cache(maxsize=8)
def _profile_name(profile: bytes) -> str:
    from PIL import ImageCms

    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, *_DECODER_ERRORS):
        return ""


def _through_profile(picture: Image.Image, mode: str, notes: list[str]) -> Image.Image | None:
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        return ImageCms.profileToProfile(picture, profile, _srgb(), outputMode=mode)
    except (ImageCms.PyCMSError, *_DECODER_ERRORS):
        notes.append("the color profile does not fit the picture or is damaged, and was not applied")
        return None


def _own_rgb_profile(picture: Image.Image, notes: list[str]) -> bytes | None:
    """The profile to which the output is converted back: that of RGB colours that are not sRGB."""
    if not _needs_profile(picture) or picture.mode not in ("RGB", "RGBA", "RGBX", "RGBa", "P", "PA"):
        return None
    profile = bytes(picture.info["icc_profile"])
    if MatrixProfile.parse(profile) is not None:
        return profile
    notes.append("the color profile is made of tables that lead one way, so the output is in sRGB")
    return None


@cache
def _srgb_matrix() -> MatrixProfile:
    profile = MatrixProfile.parse(_srgb_bytes())
    if profile is None:
        raise RuntimeError("Pillow's sRGB profile is no matrix profile")
    return profile


def _in_own_colors(pixels: np.ndarray, profile: bytes | None) -> tuple[np.ndarray, bytes]:
    """Pixels in the colours of the photograph's own profile, and the profile to embed."""
    matrix = None if profile is None else MatrixProfile.parse(profile)
    if profile is None or matrix is None:
        return pixels, _srgb_bytes()
    if pixels.dtype == np.uint16:
        return convert(pixels, _srgb_matrix(), matrix), profile
    from PIL import ImageCms

    picture = Image.fromarray(np.ascontiguousarray(pixels))
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return np.asarray(ImageCms.profileToProfile(picture, _srgb(), own)), profile


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _srgb_bytes() -> bytes:
    """Return the profile that every output file carries, its date of creation (bytes 24 to 35) fixed."""
    profile = _srgb().tobytes()
    return profile[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + profile[36:]


# --- writing ---------------------------------------------------------------------------------------------------------


def output_format(path: Path, shape: tuple[int, int] = (1, 1)) -> str:
    """Name of the format that a path's ending asks for; worth knowing before the work of making a picture.

    Parameters
    ----------
    path : Path
    shape : tuple of int
        Height and width of the picture to be written.

    Raises
    ------
    OutputFormatError
        No format that can be written has this ending, or the format cannot hold so many pixels a side.

    Examples
    --------
    >>> output_format(Path("album/grandmother.jpg"))
    'JPEG'
    """
    try:
        file_format = _OUTPUT_FORMATS[path.suffix.lower()]
    except KeyError:
        raise OutputFormatError(
            f"{path}: cannot write {path.suffix or 'a file without ending'}; use {', '.join(_OUTPUT_FORMATS)}"
        ) from None
    if max(shape) > _LONGEST_SIDE[file_format]:
        raise OutputFormatError(
            f"{path}: {file_format} holds at most {_LONGEST_SIDE[file_format]} pixels a side, "
            f"the picture has {max(shape)}; use .png or .tif"
        )
    return file_format


def _encode(image: RgbImage, file_format: str, quality: int) -> tuple[bytes, tuple[str, ...]]:
    notes: list[str] = []
    if image.bit_depth == 16 and file_format == "PNG":
        return _png_16_bit(image), ()
    if image.bit_depth == 16 and file_format == "TIFF":
        return _tiff([image], notes), tuple(notes)
    if image.bit_depth == 16:
        notes.append(f"{file_format} holds 8 bits per channel: 16 were rounded")
    alpha = image.alpha
    if alpha is not None and file_format == "JPEG":
        if int(alpha.min()) < np.iinfo(alpha.dtype).max:
            notes.append("JPEG holds no opacity: it was left out")
        alpha = None
    pixels, profile = _in_own_colors(_to_8_bit(image.pixels), image.metadata.rgb_profile)
    if alpha is not None:
        pixels = np.dstack([pixels, _to_8_bit(alpha)])
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    options = {"icc_profile": profile, **_save_options(image, file_format, quality, notes)}
    try:
        return _saved(picture, file_format, options), tuple(notes)
    except _DECODER_ERRORS:
        if "exif" not in options:
            raise
    del options["exif"]  # read well enough, but made of values that cannot be written again
    notes.append("the EXIF data could not be written and was left out")
    if file_format == "TIFF":
        options |= _exif_option(None, image.metadata.xmp, notes)
    return _saved(picture, file_format, options), tuple(notes)


def _saved(picture: Image.Image, file_format: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def _save_options(image: RgbImage, file_format: str, quality: int, notes: list[str]) -> dict[str, Any]:
    formats: dict[str, dict[str, Any]] = {
        "PNG": {"compress_level": 3},
        "JPEG": {"quality": quality, "subsampling": 0},
        "TIFF": {},  # uncompressed: Pillow's compressed TIFF cannot hold the camera's part of the EXIF
        "WEBP": {"lossless": True, "exact": True, "method": 0, "quality": 20},
    }
    options = formats[file_format]
    exif, xmp = image.metadata.exif, image.metadata.xmp
    if exif and file_format == "JPEG" and len(exif) > _LONGEST_EXIF:
        notes.append("the EXIF data is too long for JPEG and was left out")
        exif = None
    if xmp and file_format == "JPEG" and len(xmp) > _LONGEST_XMP:
        notes.append("the XMP data is too long for JPEG and was left out")
        xmp = None
    if file_format == "TIFF":
        options |= _exif_option(exif, xmp, notes)
    elif exif:
        options["exif"] = exif
    if xmp and file_format == "PNG":
        options["pnginfo"] = _png_info(xmp)
    elif xmp:
        options["xmp"] = xmp  # TIFF does not look at it
    if image.metadata.dpi and file_format != "WEBP":
        options["dpi"] = image.metadata.dpi
    return options


def _exif_option(exif: bytes | None, xmp: bytes | None, notes: list[str]) -> dict[str, Any]:
    """EXIF and XMP as Pillow writes them into a TIFF: both are tags of the file itself."""
    block = _exif_block(exif, notes)
    if xmp:
        block[_XMP] = xmp
    return {"exif": block} if len(block) else {}


def _exif_block(exif: bytes | None, notes: list[str]) -> Image.Exif:
    block = Image.Exif()
    try:
        if exif:
            block.load(exif)
            len(block)  # it is parsed when it is looked at
        return block
    except _DECODER_ERRORS:
        notes.append("the EXIF data could not be written and was left out")
        return Image.Exif()


def _png_info(xmp: bytes) -> Any:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add(b"iTXt", _xmp_chunk(xmp))
    return info


def _xmp_chunk(xmp: bytes) -> bytes:
    """Content of the PNG chunk that holds XMP: its name, not compressed, no language."""
    return b"XML:com.adobe.xmp\0\0\0\0\0" + xmp


@cache
def _rounding_table() -> np.ndarray:
    codes = np.arange(65536, dtype=np.uint32)
    return ((codes + 128) // 257).astype(np.uint8)


def _to_8_bit(array: np.ndarray) -> np.ndarray:
    """Round 16 bits to the nearest of the 8-bit values v, which stand for 257 v."""
    return array if array.dtype == np.uint8 else _rounding_table()[array]


def _png_16_bit(image: RgbImage) -> bytes:
    import cv2

    pixels, profile = _in_own_colors(image.pixels, image.metadata.rgb_profile)
    blue_first = np.dstack([pixels[..., ::-1], *_alpha_layer(image)])
    encoded, buffer = cv2.imencode(".png", blue_first)
    if not encoded:
        raise OutputFormatError("the picture cannot be written as 16-bit PNG; use .tif")
    chunks = [(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))]
    if image.metadata.dpi:
        per_meter = (round(value / 0.0254) for value in image.metadata.dpi)
        chunks.append((b"pHYs", struct.pack(">2IB", *per_meter, 1)))
    if image.metadata.exif:
        chunks.append((b"eXIf", image.metadata.exif.removeprefix(b"Exif\0\0")))
    if image.metadata.xmp:
        chunks.append((b"iTXt", _xmp_chunk(image.metadata.xmp)))
    return _with_chunks(buffer.tobytes(), chunks)


def _with_chunks(png: bytes, chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Put chunks behind the header of a PNG file: 8 bytes of signature, 25 of header."""
    return png[:33] + b"".join(chunk(kind, content) for kind, content in chunks) + png[33:]


def _tiff(images: Sequence[RgbImage], notes: list[str]) -> bytes:
    """Pages of a TIFF file, uncompressed: the noise in the lower bits leaves nothing to gain."""
    import tifffile

    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for image in images:
            pixels, profile = _in_own_colors(image.pixels, image.metadata.rgb_profile)
            writer.write(
                np.dstack([pixels, *_alpha_layer(image)]),
                photometric="rgb",
                extrasamples=["unassalpha"] if image.alpha is not None else None,
                iccprofile=profile,
                resolution=image.metadata.dpi,
                resolutionunit="INCH" if image.metadata.dpi else None,
                metadata=None,
                software=False,
                contiguous=False,
                extratags=_text_tags(image.metadata, notes),
            )
    return file.getvalue()


def _alpha_layer(image: RgbImage) -> list[np.ndarray]:
    return [] if image.alpha is None else [image.alpha]


def _text_tags(metadata: PhotoMetadata, notes: list[str]) -> list[tuple[int, str, int, str | bytes, bool]]:
    """The texts of the EXIF data, and the XMP packet, as tags of a TIFF page."""
    tags: list[tuple[int, str, int, str | bytes, bool]] = []
    if metadata.xmp:
        tags.append((_XMP, "B", len(metadata.xmp), metadata.xmp, True))
    block = _exif_block(metadata.exif, notes)
    if set(block) - {*_TEXT_TAGS, _ORIENTATION}:
        notes.append("16-bit and multi-page TIFF holds only the texts of the EXIF data: camera, date, author")
    texts = {tag: block[tag] for tag in _TEXT_TAGS if isinstance(block.get(tag), str)}
    return tags + [(tag, "s", 0, text.encode("ascii", "replace").decode(), True) for tag, text in texts.items()]
