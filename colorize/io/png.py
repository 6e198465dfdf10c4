"""PNG files made plain: only what a decoder needs for the pixels of the first picture, and all of it checked.

OpenCV reads the 16-bit colours that Pillow cuts to 8, but its decoder writes to the terminal about small damages and
has been seen to crash on a bad filter byte in an animation. It is given nothing but plain files.

Source: W3C, Portable Network Graphics (third edition), sections 5 (chunks), 8.1 (interlacing), 9 (filters).
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# By colour type: gray, RGB, palette, gray with alpha, RGB with alpha.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: first row and column of each pass, then its steps.
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def plain_png(data: bytes) -> bytes | None:
    """Rewrite a PNG file with its header, its transparent colour and its pixels alone; None if these are damaged."""
    try:
        chunks = _chunks(data)
        header = chunks[b"IHDR"]
        width, height, depth, color, _, _, interlace = struct.unpack(">2I5B", header)
        rows = _rows(width, height, depth * _CHANNELS[color], interlace)
        size = sum(count * length for count, length in rows)
        inflater = zlib.decompressobj()
        # No more than the header announces: a bomb stays small. One byte more shows a surplus.
        pixels = inflater.decompress(chunks[b"IDAT"], size + 1)
    except (KeyError, ValueError, struct.error, zlib.error):
        return None
    if len(pixels) != size or not _filters_are_known(pixels, rows):
        return None
    # Stored, not compressed: it is inflated again at once.
    kept = [(b"IHDR", header), (b"IDAT", zlib.compress(pixels, 0)), (b"IEND", b"")]
    # Three numbers of 16 bits; in another length it would be one more thing to stumble over.
    if color == 2 and len(chunks.get(b"tRNS", b"")) == 6:
        kept.insert(1, (b"tRNS", chunks[b"tRNS"]))
    return _SIGNATURE + b"".join(chunk(kind, content) for kind, content in kept)


def chunk(kind: bytes, content: bytes) -> bytes:
    """Put a chunk together: length, name, content, checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """Content by name; of several chunks of one name, all IDAT joined and else the first; ValueError if damaged."""
    if not data.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    found: dict[bytes, bytes] = {}
    pieces = []
    place = len(_SIGNATURE)
    # A file that ends before ends this too: unpacking beyond the data raises.
    while b"IEND" not in found:
        length, kind = struct.unpack_from(">I4s", data, place)
        content = data[place + 8 : place + 8 + length]
        if kind in (b"IHDR", b"IDAT", b"tRNS", b"IEND"):
            if struct.unpack_from(">I", data, place + 8 + length)[0] != zlib.crc32(kind + content):
                raise ValueError("a checksum is wrong")
            if kind == b"IDAT":
                pieces.append(content)
            found.setdefault(kind, content)
        place += 12 + length
    found[b"IDAT"] = b"".join(pieces)
    return found


def _rows(width: int, height: int, bits: int, interlace: int) -> list[tuple[int, int]]:
    """How many rows of how many bytes each, the filter's included, for every pass."""
    passes = _PASSES if interlace == 1 else ((0, 0, 1, 1),)
    found = []
    for top, left, down, right in passes:
        columns, count = -(-(width - left) // right), -(-(height - top) // down)
        # Passes of small pictures can be empty, and then have no filter bytes either.
        if columns > 0 and count > 0:
            found.append((count, 1 + (columns * bits + 7) // 8))
    return found


def _filters_are_known(pixels: bytes, rows: list[tuple[int, int]]) -> bool:
    array, start = np.frombuffer(pixels, np.uint8), 0
    for count, length in rows:
        stop = start + count * length
        # Filters are 0 to 4; another value is what crashed the decoder.
        if array[start:stop:length].max() > 4:
            return False
        start = stop
    return True
