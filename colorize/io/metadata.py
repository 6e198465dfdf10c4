"""EXIF, XMP and resolution: what is kept of them in reading, and the form in which each format takes them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from PIL import Image
from PIL.ExifTags import TAGS

from colorize.io.faults import DECODER_ERRORS
from colorize.types import PhotoMetadata

ORIENTATION = 0x0112

_CAMERA = 0x8769  # the camera's part: exposure, date, lens

# Those of them that tifffile can write as text: names, camera, date, author.
_TEXT_TAGS = (0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0132, 0x013B, 0x013C, 0x8298)

# Tags of the main EXIF directory that speak of the photograph.
_KEPT_TAGS = frozenset(
    (*_TEXT_TAGS, ORIENTATION, 0x0131, 0x4746, 0x4749, _CAMERA, 0x8825, *range(0x9C9B, 0x9CA0))  # 0x474_: ratings
)

# Tags that describe a file's own layout, or what is kept or named elsewhere: profile, XMP, IPTC; and filling.
_LAYOUT_TAGS = frozenset((*range(0x00FE, 0x0215), 0x02BC, 0x83BB, 0x8649, 0x8773, 0xC4A5, 0xEA1C))

# Packets have some kilobytes. Every output carries them and the search for a note reads them.
_LONGEST_KEPT_XMP = 1 << 20

_FINEST_RESOLUTION = 65535  # dots per inch: what JPEG can state, and ten times what any scanner has

_KEPT_TEXTS = ("XML:com.adobe.xmp", "Raw profile type exif")  # of PNG: XMP, and EXIF as it was before there was a chunk

_XMP, _IPTC_IN_TIFF, _IPTC_IN_JPEG = 0x02BC, 0x83BB, 0x0404


def read_orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none."""
    try:
        value = picture.getexif().get(ORIENTATION, 1)
    except DECODER_ERRORS:
        return 1
    return value if value in range(1, 9) else 1


def kept_exif(picture: Image.Image, notes: list[str]) -> bytes | None:
    """EXIF without orientation, thumbnail and the tags of a TIFF's own layout."""
    stored = read_orientation(picture)
    try:
        exif = picture.getexif()
        if others := set(exif) - _KEPT_TAGS - _LAYOUT_TAGS:
            notes.append(f"EXIF tags were left out: {_listed(TAGS.get(tag, hex(tag)) for tag in sorted(others))}")
        # A set of its own: entries are deleted under way.
        for tag in set(exif) - _KEPT_TAGS:
            del exif[tag]
        if not set(exif) - {ORIENTATION}:
            return None
        _keep_bytes_of_texts(exif)
        # The pixels stand upright by now; a viewer would turn them once more.
        exif[ORIENTATION] = 1
        kept = exif.tobytes()
        # The frames of an animation share this block, and each is still to be turned.
        exif[ORIENTATION] = stored
        return kept
    except DECODER_ERRORS:
        notes.append("the EXIF data is damaged and was left out")
        return None


class _Text(str):
    """A text of the EXIF data: Pillow reads it as Latin-1, but would write it as ASCII, with question marks."""

    def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
        return super().encode("latin-1", errors)


def _keep_bytes_of_texts(exif: Image.Exif) -> None:
    """Have texts written as the bytes that they were read from, whatever letters they stand for (most often UTF-8)."""
    for block in (exif, exif.get_ifd(_CAMERA) if _CAMERA in exif else {}):
        for tag, value in list(block.items()):
            if isinstance(value, str):
                block[tag] = _Text(value)


def kept_xmp(picture: Image.Image, notes: list[str]) -> bytes | None:
    """The XMP packet; captions in the older IPTC form are named, for they are left out."""
    resources = picture.info.get("photoshop")
    # JPEG has IPTC among Photoshop's resources, TIFF in a tag of its own.
    has_iptc = isinstance(resources, dict) and _IPTC_IN_JPEG in resources
    if has_iptc or _IPTC_IN_TIFF in (getattr(picture, "tag_v2", None) or ()):
        notes.append("the captions in IPTC form were left out")
    packet = picture.info.get("xmp")
    if not isinstance(packet, bytes) or not packet:
        return None
    if len(packet) > _LONGEST_KEPT_XMP:
        notes.append("the XMP data is too long and was left out")
        return None
    # Some writers end the packet with zero bytes, which are no XML.
    return packet.strip(b"\0")


def lost_texts(picture: Image.Image) -> list[str]:
    """Notes on texts that formats have of their own, of which none is kept."""
    if picture.format == "PNG":
        texts = [str(name) for name, value in picture.info.items() if isinstance(value, str)]
        left_out = [name for name in texts if name not in _KEPT_TEXTS]
        return [f"texts of the PNG file were left out: {_listed(left_out)}"] if left_out else []
    has_comment = picture.format in ("JPEG", "MPO", "GIF") and picture.info.get("comment")
    return ["the comment in the file was left out"] if has_comment else []


def _listed(names: Iterable[str]) -> str:
    """Some names on one line; they come from the file."""
    names = [name if name.isprintable() else ascii(name) for name in names]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def read_resolution(picture: Image.Image, orientation: int, notes: list[str]) -> tuple[float, float] | None:
    """Dots per inch of the upright picture, horizontal and vertical."""
    try:
        # Most photographs state no resolution (KeyError); others one that is no pair of numbers.
        horizontal, vertical = (float(value) for value in picture.info["dpi"])
    except DECODER_ERRORS:
        return None
    # 1 is that of a TIFF without unit.
    if not (math.isfinite(horizontal) and math.isfinite(vertical) and min(horizontal, vertical) > 1):
        return None
    if max(horizontal, vertical) > _FINEST_RESOLUTION:
        notes.append("the resolution it states cannot be true and was left out")
        return None
    return (vertical, horizontal) if orientation >= 5 else (horizontal, vertical)


def exif_option(exif: bytes | None, xmp: bytes | None, notes: list[str]) -> dict[str, Any]:
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
            _keep_bytes_of_texts(block)
        return block
    except DECODER_ERRORS:
        notes.append("the EXIF data could not be written and was left out")
        return Image.Exif()


def png_info(xmp: bytes) -> Any:
    """XMP as Pillow writes it into a PNG file."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add(b"iTXt", xmp_chunk(xmp))
    return info


def xmp_chunk(xmp: bytes) -> bytes:
    """Content of the PNG chunk that holds XMP: its name, not compressed, no language."""
    return b"XML:com.adobe.xmp\0\0\0\0\0" + xmp


def text_tags(metadata: PhotoMetadata, notes: list[str]) -> list[tuple[int, str, int, str | bytes, bool]]:
    """The texts of the EXIF data, and the XMP packet, as tags of a TIFF page."""
    tags: list[tuple[int, str, int, str | bytes, bool]] = []
    if metadata.xmp:
        tags.append((_XMP, "B", len(metadata.xmp), metadata.xmp, True))
    block = _exif_block(metadata.exif, notes)
    if set(block) - {*_TEXT_TAGS, ORIENTATION}:
        notes.append("16-bit and multi-page TIFF holds only the texts of the EXIF data: camera, date, author")
    # Tags of the right number and a wrong type would end the writing of the whole page.
    texts = {tag: block[tag] for tag in _TEXT_TAGS if isinstance(block.get(tag), str)}
    return tags + [(tag, "s", 0, text.encode("latin-1"), True) for tag, text in texts.items()]
