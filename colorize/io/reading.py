"""Reading photographs of any common kind, and finding them in a folder.

Reading needs about 12 bytes per pixel at its peak beside the file itself (8 bit; 24 for 16-bit colour). One photograph
is decoded at a time in a process, because Pillow's size limit and Python's warning filters are global.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.ExifTags import Base

from colorize._support.files import reason
from colorize.exceptions import DamagedImageError, DatasetError, ImageTooLargeError, InvalidImageError
from colorize.io.faults import DECODER_ERRORS
from colorize.io.heif import color_notes, is_heif, register
from colorize.io.icc import MatrixProfile, convert
from colorize.io.metadata import (
    kept_exif,
    kept_iptc,
    kept_xmp,
    lost_chunks,
    read_orientation,
    read_resolution,
)
from colorize.io.png import plain_png
from colorize.io.profiles import gray_profile_applied, needs_profile, own_rgb_profile, srgb_matrix, to_srgb
from colorize.io.salvage import salvaged
from colorize.types import PhotoMetadata, RgbImage, described

MAX_PIXELS = 200_000_000
"""What a photograph may have at most, unless said otherwise."""

PHOTO_SUFFIXES = frozenset(
    ".avif .bmp .gif .heic .heif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()  # noqa: SIM905
)
"""File name endings, in lower case, that `find_photos` takes for photographs."""

# Formats in which photographs come (JPEG includes MPO). The rest of Pillow's decoders (textures, animations, documents)
# stay shut, and are not even imported: there are some forty.
_INPUT_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PPM", "JPEG2000", "AVIF")

# `Image.MAX_IMAGE_PIXELS` and the warning filters belong to the whole process: two threads that set
# and restore them in turn would leave the wrong ones behind.
_decoding = threading.RLock()


def read_photo(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS, salvage: bool = False) -> RgbImage:
    """Read a photograph of any common kind: gray, palette, RGB, CMYK or Lab, 8 or 16 bit, with or without opacity.

    Parameters
    ----------
    source : str, Path or bytes
        File name, or the bytes of a file.
    max_pixels : int, default 200_000_000
        Refuse a photograph whose header announces more, before decoding it.
    salvage : bool, default False
        Of a damaged photograph, return what can be read, if it is at least a tenth of its rows. The rest is black,
        which takes no colour, and ``metadata.damage`` and a note say so.

    Returns
    -------
    RgbImage
        sRGB, upright. uint16 for 16-bit PNG and TIFF and for float TIFF, else uint8. 16-bit files whose values fit
        into 12 bits (nearly black, taken as they are) are scaled to the whole range. An embedded colour profile is
        applied (to 16-bit colour at 8 bits where the profile is made of tables, as a note says). Of several pages or
        frames the first is read. HEIC needs the extra ``heif``.

    Raises
    ------
    InvalidImageError
        No such file or no photograph.
    DamagedImageError
        Its picture data is damaged, and `salvage` does not say to take what is left, or too little is.
    ImageTooLargeError
        More pixels than `max_pixels`.

    See Also
    --------
    read_frames : Every page or frame, not the first alone.
    count_pixels : What the header announces, without decoding.
    colorize.io.write_photo : The way back.
    colorize.color.to_gray : The stage after: the lightness that is coloured.

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
        return _decode(picture, data, notes, depths=[], salvage=salvage)


def read_frames(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS, salvage: bool = False) -> list[RgbImage]:
    """Read every page of a TIFF or every frame of an animation, as `read_photo` reads the first.

    16-bit pages whose values fit into 12 bits are scaled alike, by the range of the lightest.

    Parameters
    ----------
    source, salvage
        As for `read_photo`.
    max_pixels : int, default 200_000_000
        Refuse a file whose frames have more pixels together.

    Raises
    ------
    InvalidImageError, DamagedImageError, ImageTooLargeError
        As for `read_photo`, of any frame.

    See Also
    --------
    read_photo : The first frame alone.
    colorize.io.write_frames : The way back.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> pages = [Image.new("L", (3, 2), value) for value in (10, 20)]
    >>> pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    >>> [int(page.pixels.max()) for page in read_frames(file.getvalue())]
    [10, 20]
    """
    depths: list[int] = []
    with _decoding_errors(source, max_pixels) as data:
        frames = _frames(data, max_pixels, depths, salvage=salvage)
        if len(set(depths)) > 1:
            del frames  # before as many are made anew
            frames = _frames(data, max_pixels, [max(depths)], salvage=salvage)
        return frames


def _frames(data: bytes, max_pixels: int, depths: list[int], *, salvage: bool) -> list[RgbImage]:
    with _palettes_of_grays(), _opened(data, max_pixels) as picture:
        frames: list[RgbImage] = []
        left = max_pixels
        for index in range(getattr(picture, "n_frames", 1)):
            if picture.format == "TIFF" and index:  # a page without them would inherit those of the page before
                # Pillow keeps one `info` for all pages and only overwrites what a page states.
                for name in ("icc_profile", "dpi"):
                    picture.info.pop(name, None)
            picture.seek(index)
            left -= picture.size[0] * picture.size[1]
            if left < 0:
                raise ImageTooLargeError(f"its frames have more than the limit of {max_pixels / 1e6:g} megapixels")
            frames.append(_decode(picture, data, [], index, depths=depths, salvage=salvage))
        return frames


@contextlib.contextmanager
def _palettes_of_grays() -> Iterator[None]:
    """Have GIFs of grays read with their palettes: without one, Pillow loses those that later frames bring."""
    from PIL.GifImagePlugin import GifImageFile

    asked = GifImageFile._is_palette_needed
    GifImageFile._is_palette_needed = lambda *_: True  # type: ignore[method-assign]
    try:
        yield
    finally:
        GifImageFile._is_palette_needed = asked  # type: ignore[method-assign]


def count_pixels(source: str | Path | bytes, *, all_frames: bool = False, max_pixels: int = MAX_PIXELS) -> int:
    """Pixels that the header of a photograph announces; nothing is decoded.

    Parameters
    ----------
    source, max_pixels
        As for `read_photo`, whose errors it raises.
    all_frames : bool, default False
        Of all its frames together (as if all had the size of the first), not of the first alone.

    Examples
    --------
    >>> from colorize.io import encode_preview
    >>> count_pixels(encode_preview(np.zeros((8, 9, 3), np.uint8)))
    72
    """
    with _decoding_errors(source, max_pixels) as data, _opened(data, max_pixels) as picture:
        return picture.size[0] * picture.size[1] * (getattr(picture, "n_frames", 1) if all_frames else 1)


def read_xmp(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> bytes | None:
    """The XMP packet of a photograph, from its header alone; arguments and errors are those of `read_photo`.

    See Also
    --------
    colorize.recipe.note.find_note : Reads the note about colours in it.
    """
    with _decoding_errors(source, max_pixels) as data, _opened(data, max_pixels) as picture:
        return kept_xmp(picture, [])


@contextlib.contextmanager
def _decoding_errors(source: str | Path | bytes, max_pixels: int) -> Iterator[bytes]:
    """Bytes of a photograph; whatever goes wrong while they are decoded becomes one error that names it."""
    if not isinstance(source, (bytes, str, os.PathLike)):
        raise TypeError(f"source must be a path or the bytes of a file, got {described(source)}")
    name = "photograph in memory" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read_file(Path(source), max_pixels)
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Half the limit, for Pillow raises at twice its own; rounded up, so that it never refuses
        # what is allowed. `_opened` draws the exact line.
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels // 2 + 1
        try:
            yield data
        except InvalidImageError as error:
            # The same class again, so that callers can still tell a damaged file from one that is
            # too large; the cause is the decoder's, not the error that only lacked the name.
            raise type(error)(f"{name}: {error}") from error.__cause__
        except Image.DecompressionBombError as error:
            raise ImageTooLargeError(f"{name}: more than the limit of {max_pixels / 1e6:g} megapixels") from error
        # An OSError as well, so this comes before the decoders' errors.
        except UnidentifiedImageError as error:
            raise InvalidImageError(f"{name}: {_why_unidentified(data)}") from error
        except DECODER_ERRORS as error:
            raise InvalidImageError(f"{name}: the picture data is damaged ({reason(error)})") from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _why_unidentified(data: bytes) -> str:
    from PIL.TiffImagePlugin import COMPRESSION_INFO, ImageFileDirectory_v2

    if not data:
        return "the file is empty"
    file = io.BytesIO(data)
    try:
        tags = ImageFileDirectory_v2(file.read(16 if data[2:3] == b"+" else 8))
        file.seek(tags.next)
        tags.load(file)
        bits, photometric = tags[Base.BitsPerSample], tags[Base.PhotometricInterpretation]
        compression, n_channels = tags.get(Base.Compression, 1), tags.get(Base.SamplesPerPixel, 1)
        sample_format = tags.get(Base.SampleFormat, (1,))[0]
    except DECODER_ERRORS:
        return "not a photograph, or its header is damaged"
    colors = {0: "negative gray", 1: "gray", 2: "RGB", 5: "CMYK", 8: "Lab"}.get(photometric, f"colors {photometric}")
    form = {1: "", 2: " with sign", 3: " of floating point"}.get(sample_format, f" of format {sample_format}")
    packed = "" if compression in COMPRESSION_INFO else f", compression {compression}"
    kind = f"{colors}, {n_channels} channel{'s' * (n_channels != 1)} of {bits[0]} bits{form}{packed}"
    return f"a TIFF of a kind that cannot be read ({kind}); save it as plain gray or RGB of 8 or 16 bits"


def find_photos(folder: str | Path) -> list[Path]:
    """List the photographs of a folder and its folders by their file names, sorted; hidden ones are left out.

    Folders within it that cannot be listed are left out with a warning. Photographs are files that end in one of
    `PHOTO_SUFFIXES`, in any case of letters.

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

    def warn(error: OSError) -> None:
        warnings.warn(f"{error.filename}: cannot be listed ({reason(error)}); what is in it is left out", stacklevel=3)

    found: list[Path] = []
    for place, folders, files in os.walk(folder, onerror=warn):
        # In place, since os.walk goes on with this very list.
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += (Path(place, name) for name in files if not name.startswith("."))
    return sorted(path for path in found if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file())


def _read_file(path: Path, max_pixels: int) -> bytes:
    # Asked before reading: opening a folder fails differently on Linux and on Windows.
    if os.path.isdir(path):
        raise InvalidImageError(f"{path}: is a folder, not a photograph")
    try:
        size = path.stat().st_size
        if size <= 32 * max_pixels + 2**26:  # several pages of 16-bit colour, and then some
            return path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidImageError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise InvalidImageError(f"{path}: cannot be read ({reason(error)})") from error
    raise ImageTooLargeError(f"{path}: {size / 1e9:.1f} GB are too many for a photograph")


@contextlib.contextmanager
def _opened(data: bytes, max_pixels: int) -> Iterator[Image.Image]:
    """Open a picture whose header keeps the limit."""
    with Image.open(io.BytesIO(data), formats=_formats_for(data)) as picture:
        width, height = picture.size
        # Image.open has read the header alone: no memory has been asked for yet.
        if width * height > max_pixels:
            raise ImageTooLargeError(
                f"{width} x {height} pixels ({width * height / 1e6:.4g} megapixels) are more than the limit of "
                f"{max_pixels / 1e6:g} megapixels"
            )
        yield picture


def _decode(
    picture: Image.Image, data: bytes, notes: list[str], index: int = 0, *, depths: list[int], salvage: bool
) -> RgbImage:
    """The frame on which the picture stands; `depths` are those of the frames before it, and its own is added."""
    bits = _bits_that_are_cut(picture, data)
    notes += [f"{bits} bits per channel were read as 8"] if bits > 8 else []
    notes += color_notes(picture) if picture.format == "HEIF" else []
    # Of a TIFF alone: to ask a PNG loads it, and swallows what is wrong with it.
    as_stored = read_orientation(picture) if picture.format == "TIFF" else None
    original = None  # of a file that had to be rewritten
    if _has_planes_that_pillow_misreads(picture):
        original, data, index = picture, _interleaved(picture, data, index, as_stored or 1), 0
        picture = _standing_on(data, index)
    # Before loading: that empties the list of tiles, and with it the only sign of 16 bits.
    is_deep_color = _has_16_bit_color(picture)
    picture, n_rows, harm = _loaded(picture, data, index, salvage=salvage)
    notes += [f"the file is damaged: {harm}"] if harm else []
    orientation = read_orientation(picture)  # 1 for a sound TIFF: both decoders have turned it by now
    pixels, alpha = _pixels_of(picture, data, is_deep_color, notes, index, depths)
    # Before turning, while rows are still those of the file.
    pixels[n_rows:] = 0
    pixels, alpha = _turned(pixels, orientation), None if alpha is None else _turned(alpha, orientation)
    stated = original or picture
    notes += lost_chunks(stated)
    metadata = PhotoMetadata(
        exif=kept_exif(stated, notes),
        # What is stated is the resolution of the file as it lies, and a TIFF has been turned since.
        dpi=read_resolution(stated, as_stored or orientation, notes),
        xmp=kept_xmp(stated, notes),
        rgb_profile=own_rgb_profile(picture, notes),
        notes=tuple(notes),
        damage=harm,
        iptc=kept_iptc(stated),
    )
    return RgbImage(pixels, alpha, metadata)


def _loaded(picture: Image.Image, data: bytes, index: int, *, salvage: bool) -> tuple[Image.Image, int, str]:
    """The picture with its pixels, how many rows of them mean something, and what is wrong with it."""
    with _silent_stderr() if picture.format == "TIFF" else contextlib.nullcontext():
        try:
            _expect_native_order(picture)
            picture.load()
            return picture, picture.size[1], ""
        except DECODER_ERRORS as error:
            if not salvage:
                raise DamagedImageError(f"the picture data is damaged ({reason(error)})") from error
        # Opened anew from the bytes: a decoder that has failed cannot be asked to begin again.
        return salvaged(data, lambda content: _standing_on(content, index))


def _standing_on(data: bytes, index: int) -> ImageFile.ImageFile:
    picture = Image.open(io.BytesIO(data), formats=_formats_for(data))
    picture.seek(index)
    _expect_native_order(picture)
    return picture


def _expect_native_order(picture: Image.Image) -> None:
    """Read compressed TIFFs of big-endian long integers and floats right: Pillow swaps what libtiff has swapped."""
    tiles = getattr(picture, "tile", ())
    if tiles and tiles[0][0] == "libtiff" and sys.byteorder == "little":
        raw_mode, *rest = tiles[0][3]
        raw_mode = {"F;32BF": "F;32F", "I;16BS": "I;16S", "I;32BS": "I;32S"}.get(raw_mode, raw_mode)
        picture.tile = [(*tiles[0][:3], (raw_mode, *rest))]  # type: ignore[attr-defined]


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Keep libtiff and OpenCV from writing to the terminal: they do so from C, where no Python setting reaches them."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    if sys.stderr is not None:
        # What Python still holds back would go to nowhere with the rest.
        sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _formats_for(data: bytes) -> tuple[str, ...]:
    """What to try on the bytes of a file; HEIC is asked for only by a file that looks like it: its decoder is large."""
    if is_heif(data):
        register()
        return ("HEIF",)
    return _input_formats()


@cache
def _input_formats() -> tuple[str, ...]:
    # To import them makes them known to Pillow, which opens the other five unasked.
    from PIL import AvifImagePlugin, Jpeg2KImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401

    logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Python prints its errors where nobody logs
    # Negatives of 16 bits: Pillow's table has the little-endian ones alone.
    TiffImagePlugin.OPEN_INFO.setdefault((TiffImagePlugin.MM, 0, (1,), 1, (16,), ()), ("I;16B", "I;16B"))
    return _INPUT_FORMATS


def _has_more_frames(picture: Image.Image) -> bool:
    first = picture.tell()  # of a HEIC file the one that it names as its main picture
    try:
        is_animated = bool(getattr(picture, "is_animated", False))
    except (*DECODER_ERRORS, Image.DecompressionBombError):
        is_animated = False  # a damaged later frame does not concern the first
    picture.seek(first)
    return is_animated


def _tiff_tags(picture: Image.Image) -> Mapping[int, Any]:
    return getattr(picture, "tag_v2", {}) if picture.format == "TIFF" else {}


def _has_planes_that_pillow_misreads(picture: Image.Image) -> bool:
    """Tell of an uncompressed TIFF whether its channels lie one behind the other, in 16 bits or premultiplied.

    Pillow takes each sample of 16 bits for two pixels, and does not know the plane of such opacity.
    """
    tags = _tiff_tags(picture)
    is_misread = 16 in tags.get(Base.BitsPerSample, ()) or tags.get(Base.ExtraSamples, ())[:1] == (1,)
    is_raw = any(tile[0] == "raw" for tile in getattr(picture, "tile", ()))
    return is_misread and is_raw and tags.get(Base.PlanarConfiguration) == 2


def _interleaved(picture: Image.Image, data: bytes, index: int, orientation: int) -> bytes:
    """Rewrite a page of such a TIFF as one whose channels lie side by side."""
    import tifffile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else Python prints its warnings
    bands = picture.getbands()
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[index]
            # Checked before memory is asked for. Not the sides: Pillow's may have changed places, to stand upright.
            if page.size != page.samplesperpixel * picture.size[0] * picture.size[1]:
                raise ValueError("its planes have another size than the picture")
            if page.nbytes > len(data):
                raise ValueError("it ends too early")
            planes = page.asarray().reshape(page.samplesperpixel, page.imagelength, page.imagewidth)
            opacity = page.extrasamples[:1] if bands[-1] == "A" else None
            options = {"photometric": page.photometric, "extrasamples": opacity}
    except (tifffile.TiffFileError, *DECODER_ERRORS) as error:
        raise DamagedImageError(f"the picture data is damaged ({reason(error)})") from error
    pixels = planes[0] if len(bands) == 1 else planes[: len(bands)].transpose(1, 2, 0)
    tags = [(Base.Orientation, "H", 1, orientation, True)]
    rewritten = io.BytesIO()
    profile = picture.info.get("icc_profile")
    tifffile.imwrite(rewritten, pixels, **options, iccprofile=profile, metadata=None, extratags=tags)
    return rewritten.getvalue()


def _has_16_bit_color(picture: Image.Image) -> bool:
    """Tell whether Pillow is about to cut 16 bits of colour to 8; its tiles name the raw mode, such as RGB;16B."""
    tiles = getattr(picture, "tile", ())
    # Gray of 16 bits (modes I and I;16) Pillow reads whole; only colour is cut.
    is_deep = picture.format in ("PNG", "TIFF") and any(";16" in str(tile[3]) for tile in tiles)
    return is_deep and not picture.mode.startswith("I")


def _bits_that_are_cut(picture: Image.Image, data: bytes) -> int:
    """Bits per channel of formats that Pillow cuts to 8 in all but gray, without saying so; else 8 or less."""
    if picture.format == "HEIF":
        return int(picture.info.get("bit_depth", 8))
    if picture.mode.startswith("I") or picture.format not in ("PPM", "JPEG2000", "AVIF"):
        return 8
    if picture.format == "PPM":
        arguments = picture.tile[0][3]  # type: ignore[attr-defined]
        return 8 if isinstance(arguments, str) else int(arguments[1]).bit_length()
    # Where the code stream (marker SIZ: bits less one, and a sign) and the box of pixel depths state the first channel.
    mark, offset = (b"\xff\x4f\xff\x51", 42) if picture.format == "JPEG2000" else (b"pixi", 9)
    place = data.find(mark) + offset
    if place < offset or place >= len(data):
        return 8
    return (data[place] & 0x7F) + 1 if picture.format == "JPEG2000" else data[place]


def _pixels_of(
    picture: Image.Image, data: bytes, is_deep_color: bool, notes: list[str], index: int, depths: list[int]
) -> tuple[np.ndarray, np.ndarray | None]:
    """SRGB pixels and opacity, as they lie in the file."""
    if is_deep_color:
        deep = _decode_16_bit(data, index)
        profile = MatrixProfile.parse(picture.info["icc_profile"]) if needs_profile(picture) else srgb_matrix()
        if profile is None:
            notes.append("16 bits per channel were read as 8, because the color profile can only be applied so")
        elif deep is not None and _shows_the_same(deep[0], picture):
            bits = _depth(deep[0], notes, depths)
            pixels = _full_range(deep[0], bits)
            # A fourth channel can be something else than opacity: a mask of a picture editor.
            alpha = deep[1] if picture.has_transparency_data else None
            if alpha is not None and int(alpha.max()) < 2**bits:
                alpha = _full_range(alpha, bits)
            return pixels if profile is srgb_matrix() else convert(pixels, profile, srgb_matrix()), alpha
        else:
            notes.append("16 bits per channel were read as 8")
    if picture.mode in ("F", "I") or picture.mode.startswith("I;16"):
        return _deep_gray(picture, notes, depths)
    return _shallow(picture, notes)


def _decode_16_bit(data: bytes, index: int) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Colour of 16 bits by OpenCV; Pillow has found the file sound before."""
    import cv2

    is_png = data.startswith(b"\x89PNG")
    if is_png:
        # Rewritten, because files of the fuzzing run crashed OpenCV's decoder; later frames of an
        # animation have no plain form and are read at 8 bits.
        plain = plain_png(data) if index == 0 else None
        if plain is None:
            return None
        data = plain
    try:
        with _silent_stderr():
            buffer = np.frombuffer(data, np.uint8)
            if is_png or index == 0:
                array = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
            else:
                _, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED, range=(index, index + 1))
                array = pages[0] if pages else None
    except cv2.error:
        return None
    if array is None or array.dtype != np.uint16 or array.ndim != 3:
        return None
    if array.shape[2] == 4:
        # Copies, so that neither keeps the four channels of OpenCV's array alive.
        return np.ascontiguousarray(array[..., 2::-1]), np.ascontiguousarray(array[..., 3])
    # In place: a second one would be 6 bytes per pixel more at the peak of reading.
    for row in array:
        row[:] = row[:, ::-1]
    return array, None


def _shows_the_same(deep: np.ndarray, picture: Image.Image) -> bool:
    """Hold OpenCV's 16 bits against Pillow's 8, on every seventh row and column: it misreads some animations."""
    if deep.shape[:2] != picture.size[::-1]:
        return False
    # Seven has no factor in common with the 8 x 8 blocks, tiles and passes of file formats, so all
    # of their places are seen.
    width, height = picture.size
    rows = [picture.crop((0, row, width, row + 1)).convert("RGB") for row in range(0, height, 7)]
    shallow = np.concatenate([np.asarray(row)[:, ::7] for row in rows])
    # One code value is let pass: the low byte may have been cut or rounded.
    return int(np.abs(shallow.astype(np.int32) - (deep[::7, ::7] >> 8)).max()) <= 1


def _deep_gray(picture: Image.Image, notes: list[str], depths: list[int]) -> tuple[np.ndarray, np.ndarray | None]:
    values = np.asarray(picture)
    # Pillow turns negatives of 8 bits alone.
    is_negative = _tiff_tags(picture).get(Base.PhotometricInterpretation) == 0
    if values.dtype.kind == "f" or values.dtype.itemsize > 2:
        gray = _scaled_to_16_bit(values, notes)
        return _gray_to_rgb(~gray if is_negative else gray), None
    values = values.astype(np.uint16)  # native byte order
    key = picture.info.get("transparency")
    # Compared before the range is spread: the transparent value is stated in terms of the file.
    alpha = None if not isinstance(key, int) else np.where(values == key, 0, 65535).astype(np.uint16)
    gray = _full_range(values, _depth(values, notes, depths))
    return _gray_to_rgb(gray_profile_applied(~gray if is_negative else gray, picture, notes)), alpha


def _depth(values: np.ndarray, notes: list[str], depths: list[int]) -> int:
    """Bits that the values of a 16-bit file need; with its other pages, for one range makes them equally light."""
    highest = int(values.max())
    if highest == 0:  # black in any range
        return 16
    # Depths of scanners. At 13 bits and more a picture can be seen, and may be meant to be dark.
    own = next((bits for bits in (8, 10, 12) if highest < 2**bits), 16)
    bits = max([own, *depths])
    depths.append(bits)
    if bits < 16:
        notes.append(f"16-bit file with {bits}-bit values: scaled to the whole range")
    return bits


def _full_range(values: np.ndarray, bits: int) -> np.ndarray:
    """Spread data of few bits in a 16-bit file over 16 bits; taken as it is, it would be black to the eye."""
    if bits == 16:
        return values
    # 4095 x 65535 needs 28 bits.
    table = np.arange(2**bits, dtype=np.uint32) * 65535 // (2**bits - 1)
    return table.astype(np.uint16)[values]


def _scaled_to_16_bit(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Floats and long integers: 0..1, 0..255 and 0..65535 are taken as such, any other range is stretched.

    Floats may lie a quarter above the top, as sharpening and resampling leave them, and are cut off there.
    """
    margin = 1.25 if values.dtype.kind == "f" else 1
    # float32 would lose the low bits of long integers.
    values = values.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        raise InvalidImageError("the picture holds no finite value")
    low, high = float(values[finite].min()), float(values[finite].max())
    tops = [top for top in (1.0, 255.0, 65535.0) if low >= 0 and high <= top * margin]
    start, end = (0.0, tops[0]) if tops else (low, high)
    cut = ", and those above cut off" if high > end else ""
    notes.append(f"values from {start:g} to {end:g} were scaled to 16 bits{cut}")
    # What is not finite becomes black: its cast to an integer is undefined. The floor keeps a
    # picture of one value from dividing by zero.
    scaled = (np.where(finite, values, low) - start) * (65535 / max(end - start, 1e-12))
    return np.rint(np.minimum(scaled, 65535)).astype(np.uint16)


def _shallow(picture: Image.Image, notes: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Pictures of at most 8 bits per channel."""
    # Premultiplied colours are dark where the picture is transparent, and would look like shadows.
    if picture.mode in ("RGBa", "La"):
        picture = picture.convert("RGBA" if picture.mode == "RGBa" else "LA")
    alpha = None
    if picture.has_transparency_data:
        alpha = np.array(picture.convert("RGBA").getchannel("A"))
    if picture.mode in ("1", "L", "LA"):
        gray = np.array(picture.convert("L"))
        return _gray_to_rgb(gray_profile_applied(gray, picture, notes)), alpha
    # A copy: arrays that look into Pillow's memory are read-only, and the rows that a damaged file
    # lacks are still to be blackened.
    return np.array(to_srgb(picture, notes)), alpha


def _gray_to_rgb(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=2)


def _turned(array: np.ndarray, orientation: int) -> np.ndarray:
    """Stand a picture upright, by the EXIF orientation 1 to 8."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    flip_rows, flip_columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    # In one piece: a turned view has negative strides, and what follows goes along the rows.
    return np.ascontiguousarray(array[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])
