"""Writing photographs: whole or not at all, and the same picture always as the same bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from colorize._support.bits import to_8_bit
from colorize._support.files import Part, check_free, write_atomically
from colorize._support.formats import output_format
from colorize._support.numbers import is_integer
from colorize.exceptions import OutputFormatError
from colorize.io.faults import DECODER_ERRORS
from colorize.io.metadata import LONGEST_IPTC, iptc_segment, tiff_block
from colorize.io.png import chunk
from colorize.io.profiles import in_own_colors
from colorize.types import RgbImage, check_rgb_image

_Endian = Literal["<", ">"]

_LONGEST_EXIF = 65_000  # a JPEG segment ends at 65533 bytes

_LONGEST_XMP = 65_502  # the same, less the name of the block


def write_photo(image: RgbImage, path: str | Path, *, overwrite: bool = False, quality: int = 96) -> tuple[str, ...]:
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
    quality : int, default 96
        JPEG quality, 95 to 100: below, blocks would show in the lightness.

    Returns
    -------
    tuple of str
        One sentence for everything the format could not hold. Opacity is dropped in JPEG (not blended: the picture
        beneath stays as it is).

    Raises
    ------
    OutputExistsError
        The file is there, and `overwrite` is False.
    OutputFormatError
        Another ending, or a picture too large for the format.
    OutputError
        The folder is missing, or the disk refuses.
    InvalidImageError
        `image` is no photograph.
    ValueError
        `quality` is not in 95..100.

    See Also
    --------
    write_frames : Several pictures as pages of one file.
    colorize.io.output_format : Whether a name can be written, before the work.
    colorize.io.read_photo : The way back.

    Examples
    --------
    >>> import tempfile
    >>> from colorize.io import read_photo
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_photo(RgbImage(np.zeros((2, 3, 3), np.uint8)), folder / "black.png")
    ()
    >>> read_photo(folder / "black.png").shape
    (2, 3)
    """
    check_rgb_image(image)
    path = Path(path)
    file_format = output_format(path, image.shape)
    if not (is_integer(quality) and 95 <= quality <= 100):
        raise ValueError(f"quality must be an integer in 95..100, got {quality!r}")
    check_free(path, overwrite=overwrite)
    notes: list[str] = []
    write_atomically(path, _encode(image, file_format, quality, notes))
    return tuple(notes)


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
        One sentence for everything that was left out.

    Raises
    ------
    OutputExistsError, OutputFormatError, OutputError, InvalidImageError
        As for `write_photo`.
    ValueError
        `images` is empty.

    See Also
    --------
    write_photo : One picture, in any of the formats.
    colorize.io.read_frames : The way back.

    Examples
    --------
    >>> import tempfile
    >>> from colorize.io import read_frames
    >>> file = Path(tempfile.mkdtemp()) / "pages.tif"
    >>> write_frames([RgbImage(np.zeros((2, 3, 3), np.uint8))] * 2, file)
    ()
    >>> len(read_frames(file))
    2
    """
    if not images:
        raise ValueError("images must hold at least one photograph")
    for image in images:
        check_rgb_image(image)
    path = Path(path)
    output_format(path, all_frames=True)
    check_free(path, overwrite=overwrite)
    notes: list[str] = []
    write_atomically(path, _tiff(images, notes))
    # Every page says the same: once is enough.
    return tuple(dict.fromkeys(notes))


def encode_preview(pixels: np.ndarray, *, quality: int = 70) -> bytes:
    """Encode a small picture, shape (H, W, 3), uint8, sRGB, for a page: lossy WebP, nothing carried over.

    `quality` goes from 0 (small) to 100 (good). `encode_screen` is ten times as fast, and its files are larger.

    Examples
    --------
    >>> encode_preview(np.zeros((8, 8, 3), np.uint8))[:4]
    b'RIFF'
    """
    return _saved(Image.fromarray(np.ascontiguousarray(pixels)), "WEBP", {"quality": quality, "method": 2})


def encode_screen(pixels: np.ndarray) -> bytes:
    """Encode a picture, shape (H, W, 3), uint8, sRGB, for a screen that waits for it: JPEG with full colour resolution.

    Examples
    --------
    >>> encode_screen(np.zeros((8, 8, 3), np.uint8))[:2].hex()
    'ffd8'
    """
    import cv2

    # Else OpenCV halves the resolution of colour, which is all that a colorized picture adds.
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    encoded, buffer = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92, *sampling])
    if not encoded:
        raise OutputFormatError("the picture cannot be encoded as JPEG")
    return buffer.tobytes()


def _encode(image: RgbImage, file_format: str, quality: int, notes: list[str]) -> list[Part]:
    """The parts of a file, not put together: of a large photograph each is as large as the photograph."""
    if image.metadata.iptc and file_format in ("PNG", "WEBP"):
        notes.append(f"{file_format} holds no captions in IPTC form: they were left out")
    if file_format == "PNG":
        return _png(image)
    if file_format == "TIFF":
        return _tiff([image], notes)
    if image.bit_depth == 16:
        notes.append(f"{file_format} holds 8 bits per channel: 16 were rounded")
    alpha = image.alpha
    if alpha is not None and file_format == "JPEG":
        # An alpha channel that is opaque everywhere says nothing: no note.
        if int(alpha.min()) < np.iinfo(alpha.dtype).max:
            notes.append("JPEG holds no opacity: it was left out")
        alpha = None
    # To 8 bits first: Pillow converts profiles at 8 bits alone.
    pixels, profile = in_own_colors(to_8_bit(image.pixels), image.metadata.rgb_profile)
    layers = _layers(pixels, None if alpha is None else to_8_bit(alpha))
    picture = Image.fromarray(np.ascontiguousarray(layers))
    options = {"icc_profile": profile, **_save_options(image, file_format, quality, notes)}
    return [_saved(picture, file_format, options)]


def _saved(picture: Image.Image, file_format: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def _save_options(image: RgbImage, file_format: str, quality: int, notes: list[str]) -> dict[str, Any]:
    exif, xmp, iptc = image.metadata.exif, image.metadata.xmp, image.metadata.iptc
    if file_format == "WEBP":
        # Exact: else colours under transparent pixels are thrown away. Without loss, method and quality are effort
        # alone.
        options: dict[str, Any] = {"lossless": True, "exact": True, "method": 0, "quality": 20}
        if image.metadata.dpi:
            notes.append("WebP holds no resolution: it was left out")
    else:
        # 4:4:4: at half the resolution colours run over edges, where clipping then moves lightness.
        options = {"quality": quality, "subsampling": 0}
        if image.metadata.dpi:
            options["dpi"] = image.metadata.dpi
        if exif and len(exif) > _LONGEST_EXIF:
            notes.append("the EXIF data is too long for JPEG and was left out")
            exif = None
        if xmp and len(xmp) > _LONGEST_XMP:
            notes.append("the XMP data is too long for JPEG and was left out")
            xmp = None
        if iptc and len(iptc) > LONGEST_IPTC:
            notes.append("the captions in IPTC form are too long for JPEG and were left out")
        elif iptc:
            options["extra"] = iptc_segment(iptc)
    return options | {name: block for name, block in (("exif", exif), ("xmp", xmp)) if block}


def _png(image: RgbImage) -> list[Part]:
    import cv2

    pixels, profile = in_own_colors(image.pixels, image.metadata.rgb_profile)
    # Of 8 bits as small as by Pillow at its level 3, which is 3 % more than at 6 in three fifths of the time; the lower
    # half of 16 bits is noise, and more work makes it no smaller.
    effort = [] if image.bit_depth == 16 else [cv2.IMWRITE_PNG_COMPRESSION, 3]
    # OpenCV, since Pillow writes no colour of 16 bits; it wants blue first.
    encoded, buffer = cv2.imencode(".png", _layers(pixels[..., ::-1], image.alpha), effort)
    if not encoded:
        raise OutputFormatError("the picture cannot be written as PNG; use .tif")
    chunks = [(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile))]
    if image.metadata.dpi:
        # PNG counts pixels per metre; 1 names that unit.
        per_meter = (round(value / 0.0254) for value in image.metadata.dpi)
        chunks.append((b"pHYs", struct.pack(">2IB", *per_meter, 1)))
    if image.metadata.exif:
        # PNG names the block by its chunk: the prefix belongs to JPEG.
        chunks.append((b"eXIf", image.metadata.exif.removeprefix(b"Exif\0\0")))
    if image.metadata.xmp:
        # By its name, not compressed, of no language.
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + image.metadata.xmp))
    png = buffer.data
    # Behind 8 bytes of signature and 25 of header: profile and resolution must come before the first pixels.
    return [png[:33], *(chunk(kind, content) for kind, content in chunks), png[33:]]


def _tiff(images: Sequence[RgbImage], notes: list[str]) -> list[Part]:
    """Pages of a TIFF file, uncompressed: the noise in the lower bits leaves nothing to gain."""
    # Comments in the EXIF, and what a camera's maker wrote there, are in the byte order of their file.
    is_big = any((image.metadata.exif or b"").startswith(b"Exif\0\0MM") for image in images[:1])
    endian: _Endian = ">" if is_big else "<"
    directory = bytearray((b"MM\0*" if is_big else b"II*\0") + bytes(4))
    parts: list[Part] = [directory]
    size, link = 8, 4  # link: where the page before, or the head, states the place of the next one
    for image in images:
        pixels, profile = in_own_colors(image.pixels, image.metadata.rgb_profile)
        layers = _layers(pixels, image.alpha)
        layers = layers.astype(layers.dtype.newbyteorder(endian), copy=False)
        directory[link : link + 4] = struct.pack(f"{endian}I", size)
        directory = _tiff_directory(image, layers, profile, size, endian, notes)
        link = 2 + 12 * struct.unpack_from(f"{endian}H", directory)[0]
        padding = bytearray((len(directory) + layers.nbytes) % 2)  # pages begin at even places
        parts += [directory, layers.reshape(-1).view(np.uint8).data, padding]
        size += len(directory) + layers.nbytes + len(padding)
        if size >= 2**32:
            raise OutputFormatError("TIFF holds at most 4 GB; use .png, or fewer pages")
    return parts


def _tiff_directory(
    image: RgbImage, layers: np.ndarray, profile: bytes, place: int, endian: _Endian, notes: list[str]
) -> bytearray:
    """What a TIFF says of a page: its layout, EXIF, XMP, profile; the pixels follow, in one strip."""
    n_rows, n_columns, n_channels = layers.shape
    dpi = image.metadata.dpi
    tags = {
        **{0x0100: n_columns, 0x0101: n_rows, 0x0102: (8 * layers.itemsize,) * n_channels},
        **{0x0103: 1, 0x0106: 2, 0x0115: n_channels, 0x011C: 1},  # not compressed; RGB, side by side
        **{0x0111: 0, 0x0116: n_rows, 0x0117: layers.nbytes},  # the strip; Pillow adds where the directory ends
        **({0x011A: dpi[0], 0x011B: dpi[1]} if dpi else {0x011A: 1.0, 0x011B: 1.0}),
        0x0128: 2 if dpi else 1,  # inches; no unit
        # Not premultiplied, and said so: else a reader may divide by it, or pass it over.
        **({0x0152: 2} if n_channels == 4 else {}),
        0x8773: profile,
    }
    metadata = image.metadata
    try:
        return _directory_bytes(tiff_block(metadata), tags, place, endian)
    except DECODER_ERRORS:  # read well enough, but made of values that cannot be written again
        if metadata.exif is None:
            raise
    notes.append("the EXIF data could not be written and was left out")
    return _directory_bytes(tiff_block(replace(metadata, exif=None)), tags, place, endian)


def _directory_bytes(block: Image.Exif, tags: Mapping[int, Any], place: int, endian: _Endian) -> bytearray:
    block.endian = endian
    for tag, value in tags.items():
        block[tag] = value
    return bytearray(block.tobytes(place)[14:])  # behind the name of the block and the head of the file


def _layers(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    return pixels if alpha is None else np.dstack([pixels, alpha])
