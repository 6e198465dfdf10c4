"""Plain PNG files: the same pixels, and nothing in them that a decoder could stumble over."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from colorize.io import read_photo
from colorize.io.png import _SIGNATURE, chunk, plain_png


def deep_png(channels=3) -> tuple[bytes, np.ndarray]:
    pixels = np.random.default_rng(0).integers(0, 65536, (9, 13, channels), np.uint16)
    return cv2.imencode(".png", pixels)[1].tobytes(), pixels


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("channels", [3, 4])
def test_pixels_stay(channels):
    data, pixels = deep_png(channels)
    np.testing.assert_array_equal(decoded(plain_png(data)), pixels)


def test_everything_else_goes():
    data, pixels = deep_png()
    extra = chunk(b"tEXt", b"note\0mine") + chunk(b"acTL", struct.pack(">2I", 2, 0)) + chunk(b"zzzz", b"x" * 99)
    plain = plain_png(data[:33] + extra + data[33:])
    assert b"tEXt" not in plain
    assert b"acTL" not in plain
    np.testing.assert_array_equal(decoded(plain), pixels)


def test_the_transparent_colour_stays():
    data, pixels = deep_png()
    key = chunk(b"tRNS", pixels[0, 0, ::-1].astype(">u2").tobytes())
    image = read_photo(data[:33] + key + data[33:])
    assert image.bit_depth == 16
    assert image.alpha[0, 0] == 0
    assert image.alpha[1:].min() == 65535


def interlaced(pixels: np.ndarray) -> bytes:
    """An Adam7 file of 16-bit RGB without filters (PNG specification, section 8.1)."""
    height, width, _ = pixels.shape
    rows = []
    for top, left, down, right in (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):
        part = pixels[top::down, left::right]
        rows += [b"\0" + row.astype(">u2").tobytes() for row in part if row.size]
    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, 16, 2, 0, 0, 1))
    return _SIGNATURE + header + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("shape", [(9, 13), (1, 1), (2, 5), (8, 8), (5, 2)])
def test_interlaced_files_stay_readable(shape):
    pixels = np.random.default_rng(1).integers(0, 65536, (*shape, 3), np.uint16)
    np.testing.assert_array_equal(decoded(plain_png(interlaced(pixels)))[..., ::-1], pixels)


def with_pixels(data: bytes, change) -> bytes:
    """The same file with changed filter bytes and samples."""
    length = struct.unpack(">I", data[33:37])[0]
    pixels = bytearray(zlib.decompress(data[41 : 41 + length]))
    change(pixels)
    return data[:33] + chunk(b"IDAT", zlib.compress(bytes(pixels))) + chunk(b"IEND", b"")


def test_what_a_decoder_could_stumble_over_is_declined():
    data, _ = deep_png()
    row = 1 + 13 * 6

    def bad_filter(pixels):
        pixels[2 * row] = 5

    assert plain_png(with_pixels(data, lambda pixels: None)) is not None
    assert plain_png(with_pixels(data, bad_filter)) is None
    assert plain_png(with_pixels(data, lambda pixels: pixels.pop())) is None
    assert plain_png(with_pixels(data, lambda pixels: pixels.append(0))) is None
    assert plain_png(data[:-20]) is None
    assert plain_png(data[:50] + bytes([data[50] ^ 1]) + data[51:]) is None
    assert plain_png(data.replace(b"IHDR", b"JHDR")) is None


def test_a_file_that_is_declined_is_read_at_8_bits_or_refused():
    data, _ = deep_png()
    wrong_end = data[:-4] + bytes(4)
    assert "read as 8" in read_photo(wrong_end).metadata.notes[0]


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(rest):
    data, _ = deep_png()
    assert plain_png(rest) is None
    plain_png(data[:60] + rest)


def test_a_bomb_is_not_inflated():
    header = chunk(b"IHDR", struct.pack(">2I5B", 10, 10, 16, 2, 0, 0, 0))
    bomb = zlib.compress(bytes(50_000_000), 9)
    assert plain_png(_SIGNATURE + header + chunk(b"IDAT", bomb) + chunk(b"IEND", b"")) is None


def test_shallow_files_do_not_come_here():
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    assert read_photo(file.getvalue()).bit_depth == 8
