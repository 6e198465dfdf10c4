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

from colorize.exceptions import DamagedImageError
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


def adam7(pixels: np.ndarray) -> bytes:
    """The rows of 16-bit RGB, interlaced, without filters (PNG specification, section 8.1)."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    parts = [pixels[top::down, left::right] for top, left, down, right in passes]
    return b"".join(b"\0" + row.astype(">u2").tobytes() for part in parts for row in part if row.size)


def png(shape: tuple[int, int], rows: bytes, *, interlace: int = 0) -> bytes:
    header = chunk(b"IHDR", struct.pack(">2I5B", shape[1], shape[0], 16, 2, 0, 0, interlace))
    return _SIGNATURE + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("shape", [(9, 13), (1, 1), (2, 5), (8, 8), (5, 2)])
def test_interlaced_files_stay_readable(shape):
    pixels = np.random.default_rng(1).integers(0, 65536, (*shape, 3), np.uint16)
    image = read_photo(png(shape, adam7(pixels), interlace=1))
    np.testing.assert_array_equal(image.pixels, pixels)


def test_what_a_decoder_could_stumble_over_is_refused():
    rows = np.random.default_rng(1).integers(0, 5, 9 * (1 + 13 * 6), np.uint8).tobytes()
    assert read_photo(png((9, 13), rows)).bit_depth == 16
    sound = png((9, 13), rows)
    damaged = (
        png((9, 13), b"\5" + rows[1:]),  # no such filter
        png((9, 13), rows[:-1]),
        png((10**4, 10**4), rows),
        sound[:50],
        sound[:43] + bytes([sound[43] ^ 1]) + sound[44:],
    )
    for data in damaged:
        with pytest.raises(DamagedImageError, match="data is damaged"):
            read_photo(data)


def test_what_is_left_of_a_damaged_file_is_read_at_8_bits():
    rows = np.random.default_rng(2).integers(0, 5, 9 * (1 + 13 * 6), np.uint8)
    rows[6 * (1 + 13 * 6)] = 5  # no such filter
    image = read_photo(png((9, 13), rows.tobytes()), salvage=True)
    assert image.bit_depth == 8
    assert image.metadata.notes[1] == "16 bits per channel were read as 8"


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(rest):
    plain_png(rest)
    plain_png(deep_png()[0][:60] + rest)


def test_shallow_files_do_not_come_here():
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    assert read_photo(file.getvalue()).bit_depth == 8
