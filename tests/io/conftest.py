"""Colour profiles for the tests of reading and writing."""

import struct

import pytest

GAMMA = b"curv" + bytes(4) + struct.pack(">IH", 1, 563) + bytes(2)  # 563 / 256 = 2.2


@pytest.fixture
def gray_profile():
    """A function that makes a profile of gray; of a gamma of 2.2, unless said otherwise."""
    return _gray_profile


def _gray_profile(space=b"XYZ ", curve=GAMMA) -> bytes:
    name = b"gamma 2.2\0"
    description = b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78 + -len(name) % 4)
    tags = [(b"desc", description), (b"wtpt", b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061))]
    tags.append((b"kTRC", curve))
    body, table = b"", struct.pack(">I", len(tags))
    for tag, content in tags:
        table += tag + struct.pack(">2I", 132 + 12 * len(tags) + len(body), len(content))
        body += content
    head = bytearray(128)
    head[:4] = struct.pack(">I", 128 + len(table) + len(body))
    head[8:12], head[12:24], head[36:40] = b"\2\x10\0\0", b"mntrGRAY" + space, b"acsp"
    head[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    return bytes(head) + table + body
