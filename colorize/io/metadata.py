"""EXIF, XMP and resolution: what is kept of them in reading, and the form in which each format takes them."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable

from PIL import Image, TiffTags
from PIL.ExifTags import IFD, TAGS, Base

from colorize.io.faults import DECODER_ERRORS
from colorize.types import PhotoMetadata

# Tags of the camera's part whose type is "undefined" (EXIF 2.32, tables 7 and 8): comment, maker's note, components,
# sensitivities, kinds of file and scene. Pillow's table lacks them, and it would write bytes as a row of numbers, which
# is how other programs then show a comment.
for _tag in (0x8828, 0x9101, 0x927C, 0x9286, 0xA20C, 0xA300, 0xA301, 0xA302, 0xA40B):
    TiffTags.TAGS_V2_GROUPS[IFD.Exif].setdefault(_tag, TiffTags.TagInfo(_tag, type=TiffTags.UNDEFINED, length=1))

# Tags of the main EXIF directory that speak of the photograph.
_KEPT_TAGS = frozenset(
    # Names, camera, date, program, author, computer, rights; 0x474_ are ratings.
    (0x010D, 0x010E, 0x010F, 0x0110, 0x011D, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298)
).union((Base.Orientation, IFD.Exif, IFD.GPSInfo, *range(0x9C9B, 0x9CA0)))

# Tags that describe a file's own layout, or what is kept or named elsewhere: profile, XMP, IPTC; and filling.
_LAYOUT_TAGS = frozenset((*range(0x00FE, 0x0215), 0x02BC, 0x83BB, 0x8649, 0x8773, 0xC4A5, 0xEA1C))

# Packets have some kilobytes. Every output carries them and the search for a note reads them.
_LONGEST_KEPT_XMP = 1 << 20

# What a packet says of the file's own layout: the pixels stand upright by now, its thumbnails are gray, and further
# segments are not there. A pattern finds it, so that the rest stays byte for byte.
_LAYOUT_IN_XMP = re.compile(
    rb'\s+tiff:Orientation="[^"<]*"'  # in the forms that Pillow looks for
    rb"|<tiff:Orientation>[^<]*</tiff:Orientation>"
    rb'|\s+xmpNote:HasExtendedXMP="[^"<]*"|<xmpNote:HasExtendedXMP>[^<]*</xmpNote:HasExtendedXMP>'
    rb"|<(xmp|xap):Thumbnails\b[^<>]*>.*?</\1:Thumbnails>",
    re.DOTALL,
)

_USUAL_GAMMA = 1 / 2.2

_FINEST_RESOLUTION = 65535  # dots per inch: what JPEG can state, and ten times what any scanner has

_KEPT_TEXTS = ("XML:com.adobe.xmp", "Raw profile type exif")  # of PNG: XMP, and EXIF as it was before there was a chunk

_IPTC_IN_JPEG = 0x0404  # number of a resource of Photoshop

_IPTC_CAPTION = b"\x1c\x02\x78"  # begins the data set 2:120; two bytes of length follow

_LONGEST_CAPTION = 2000  # what IPTC allows

LONGEST_IPTC = 65_506
"""Bytes of captions that a segment of JPEG holds: 65533, less the names around them and a filling byte."""


def read_orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none."""
    try:
        value = picture.getexif().get(Base.Orientation, 1)
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
        if not set(exif) - {Base.Orientation}:
            return None
        _keep_bytes_of_texts(exif)
        # The pixels stand upright by now; a viewer would turn them once more.
        exif[Base.Orientation] = 1
        exif.bigtiff = False  # the block has the form of a plain TIFF, wherever it comes from
        _exchange_sides(exif, stored)
        kept = exif.tobytes()
        # The frames of an animation share this block, and each is still to be turned.
        exif[Base.Orientation] = stored
        _exchange_sides(exif, stored)
        return kept
    except DECODER_ERRORS:
        notes.append("the EXIF data is damaged and was left out")
        return None


def _exchange_sides(exif: Image.Exif, orientation: int) -> None:
    """Have width and height, where the camera stated both, follow a picture that is turned by a quarter."""
    camera = exif.get_ifd(IFD.Exif) if IFD.Exif in exif else {}
    width, height = Base.ExifImageWidth, Base.ExifImageHeight
    if orientation >= 5 and width in camera and height in camera:
        camera[width], camera[height] = camera[height], camera[width]


class _Text(str):
    """A text of the EXIF data: Pillow reads it as Latin-1, but would write it as ASCII, with question marks."""

    def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
        return super().encode("latin-1", errors)


def _keep_bytes_of_texts(exif: Image.Exif) -> None:
    """Have texts written as the bytes that they were read from, whatever letters they stand for (most often UTF-8)."""
    for block in (exif, exif.get_ifd(IFD.Exif) if IFD.Exif in exif else {}):
        for tag, value in list(block.items()):
            if isinstance(value, str):
                block[tag] = _Text(value)


def kept_iptc(picture: Image.Image) -> bytes | None:
    """Captions in IPTC form: JPEG has them among Photoshop's resources, TIFF in a tag of its own."""
    if picture.format == "TIFF":
        # As it lies in the file: of the type "long", which is common, Pillow decodes the first four bytes alone.
        return getattr(picture.tag_v2, "_tagdata", {}).get(Base.IPTCNAA) or None  # type: ignore[attr-defined]
    resources = picture.info.get("photoshop")
    found = resources.get(_IPTC_IN_JPEG) if isinstance(resources, dict) else None
    return found if isinstance(found, bytes) and found else None


def stated_caption(metadata: PhotoMetadata) -> str:
    """The caption that a photograph has in IPTC form or in its EXIF data; empty if it has none, or a very long one."""
    _, _, rest = (metadata.iptc or b"").partition(_IPTC_CAPTION)
    found = rest[2 : 2 + int.from_bytes(rest[:2], "big")]
    if not found.strip() and metadata.exif:
        exif = Image.Exif()
        try:
            exif.load(metadata.exif)
            stated = exif.get(Base.ImageDescription)
        except DECODER_ERRORS:
            stated = None
        found = stated.encode("latin-1") if isinstance(stated, str) else b""  # as it was read
    try:
        text = found.decode("utf-8")
    except UnicodeDecodeError:
        text = found.decode("latin-1")
    text = "".join(letter for letter in text if letter.isprintable() or letter in "\t\n").strip()
    return text if len(text) <= _LONGEST_CAPTION else ""


def iptc_segment(iptc: bytes) -> bytes:
    """At most `LONGEST_IPTC` bytes of captions as a segment of a JPEG file."""
    resource = b"8BIM" + struct.pack(">2HI", _IPTC_IN_JPEG, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)
    content = b"Photoshop 3.0\0" + resource
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def kept_xmp(picture: Image.Image, notes: list[str]) -> bytes | None:
    """The XMP packet, less orientation and thumbnails."""
    packet = picture.info.get("xmp")
    if not isinstance(packet, bytes) or not packet:
        return None
    # What does not fit into one segment of a JPEG goes on in others, which Pillow does not join.
    segments = getattr(picture, "applist", ())
    if any(content.startswith(b"http://ns.adobe.com/xmp/extension/") for _, content in segments):
        notes.append("the XMP data beyond 64 KB (long captions or histories) was left out")
    packet = _LAYOUT_IN_XMP.sub(b"", packet)
    if len(packet) > _LONGEST_KEPT_XMP:
        notes.append("the XMP data is too long and was left out")
        return None
    # Some writers end the packet with zero bytes, which are no XML.
    return packet.strip(b"\0")


def lost_chunks(picture: Image.Image) -> list[str]:
    """Notes on what formats have of their own, texts and gamma, of which none is kept."""
    if picture.format == "PNG":
        texts = [str(name) for name, value in picture.info.items() if isinstance(value, str)]
        left_out = [name for name in texts if name not in _KEPT_TEXTS]
        notes = [f"texts of the PNG file were left out: {_listed(left_out)}"] if left_out else []
        # A profile or the word sRGB goes before it; nearly all others state 1 / 2.2, which is meant to be sRGB.
        gamma = picture.info.get("gamma", _USUAL_GAMMA)
        if not {"icc_profile", "srgb"} & set(picture.info) and abs(gamma - _USUAL_GAMMA) > 0.01:
            notes.append(f"the gamma that the PNG file states ({gamma:g}) was not applied")
        return notes
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


def tiff_block(metadata: PhotoMetadata) -> Image.Exif:
    """EXIF, XMP and IPTC as a TIFF holds them: as tags of the file itself."""
    block = Image.Exif()
    if metadata.exif:
        block.load(metadata.exif)
        _keep_bytes_of_texts(block)
    for tag, content in ((Base.XMLPacket, metadata.xmp), (Base.IPTCNAA, metadata.iptc)):
        if content:
            block[tag] = content
    return block
