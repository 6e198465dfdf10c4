"""Chunks of PNG files: put together, and left out of files whose 16-bit colours OpenCV is to read.

Pillow cuts those to 8 bits. OpenCV's decoder crashed on a damaged animation, so it is given the first picture alone.

Source: W3C, Portable Network Graphics (third edition), section 5 (chunks).
"""

from __future__ import annotations

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def plain_png(data: bytes) -> bytes | None:
    """A PNG file with nothing but header, transparent colour and pixels of its first picture; None if it has no end.

    What is in these chunks stays as it is: that they are sound, Pillow finds out before.
    """
    kept, place = [_SIGNATURE], len(_SIGNATURE)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if kind in (b"IHDR", b"tRNS", b"IDAT", b"IEND"):
            kept.append(data[place:end])
        if kind == b"IEND":
            return b"".join(kept)
        place = end
    return None


def chunk(kind: bytes, content: bytes) -> bytes:
    """Put a chunk together: length, name, content, checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
