"""PNG files made plain: only what a decoder needs for the pixels of the first picture, and all of it checked.

OpenCV reads the 16-bit colours that Pillow cuts to 8, but its decoder writes to the terminal about small damages and
has been seen to crash on a damaged animation. It is given nothing but plain files.

Source: W3C, Portable Network Graphics (third edition), section 5 (chunks).
"""

from __future__ import annotations

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"tRNS", b"IDAT", b"IEND")


def plain_png(data: bytes) -> bytes | None:
    """Reduce a PNG file to its header, its transparent colour and its pixels; None if a chunk of these is damaged."""
    found: dict[bytes, list[bytes]] = {kind: [] for kind in _KEPT}
    place = len(_SIGNATURE)
    while not found[b"IEND"]:
        if not data.startswith(_SIGNATURE) or len(data) < place + 12:
            return None
        length, kind = struct.unpack_from(">I4s", data, place)
        piece = data[place : place + 12 + length]
        place += len(piece)
        if kind in found and piece != chunk(kind, piece[8:-4]):  # the file ends in it, or its checksum is wrong
            return None
        # Pixels may come in several pieces; of everything else the first counts.
        if kind == b"IDAT" or found.get(kind) == []:
            found[kind].append(piece)
    is_whole = found[b"IHDR"] and found[b"IDAT"]
    return _SIGNATURE + b"".join(piece for pieces in found.values() for piece in pieces) if is_whole else None


def chunk(kind: bytes, content: bytes) -> bytes:
    """Put a chunk together: length, name, content, checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
