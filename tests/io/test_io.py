"""Reading and writing photographs: every kind of pixel, nothing silent, nothing half written."""

import contextlib
import csv
import errno
import io
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

from colorize._support.bits import to_8_bit
from colorize.color import rgb_to_lightness
from colorize.exceptions import (
    ColorizeError,
    DamagedImageError,
    DatasetError,
    ImageTooLargeError,
    InvalidImageError,
    OutputError,
    OutputExistsError,
    OutputFormatError,
)
from colorize.io import (
    count_pixels,
    find_photos,
    profiles,
    read_frames,
    read_photo,
    read_xmp,
    reading,
    write_frames,
    write_photo,
    writing,
)
from colorize.io.icc import MatrixProfile
from colorize.types import PhotoMetadata, RgbImage

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "data" / "badinput"

ORIENTATION, MAKE, SOFTWARE, ARTIST, EXPOSURE, LENS = 0x0112, 0x010F, 0x0131, 0x013B, 0x829A, 0xA434
DOCUMENT_NAME, RATING, XP_KEYWORDS, COMMENT = 0x010D, 0x4746, 0x9C9E, 0x9286


def random_pixels(shape=(23, 31), bit_depth=8, seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 2**bit_depth, (*shape, channels), f"uint{bit_depth}")


@contextlib.contextmanager
def traced():
    """Bytes that NumPy and Python ask for at most, in a list that is filled at the end."""
    peak = []
    tracemalloc.start()
    try:
        yield peak
    finally:
        peak.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()


def smooth_pixels(shape=(64, 96)):
    rows, columns = np.mgrid[: shape[0], : shape[1]] / 20
    waves = np.stack([np.sin(rows), np.cos(columns), np.sin(rows + columns)], axis=-1)
    return np.uint8(127 + 110 * waves)


def encoded(picture: Image.Image, file_format="PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def exif_of(path) -> Image.Exif:
    with Image.open(path) as picture:
        picture.load()
        return picture.getexif()


def some_exif(orientation=1) -> bytes:
    exif = Image.Exif()
    exif[MAKE] = "Kodak"
    exif[ORIENTATION] = orientation
    exif.get_ifd(0x8769)[EXPOSURE] = 0.25
    return exif.tobytes()


def red_and_blue_swapped_profile(space=b"RGB ") -> bytes:
    """The sRGB profile with its red and blue primaries exchanged, and another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"tmp0").replace(b"bXYZ", b"rXYZ").replace(b"tmp0", b"bXYZ")
    return profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


# --- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "La", "RGBa"])
def test_every_mode_becomes_srgb(mode):
    picture = Image.fromarray(smooth_pixels())
    for step in {"PA": ("P", "PA"), "La": ("LA", "La"), "RGBa": ("RGBA", "RGBa")}.get(mode, (mode,)):
        picture = picture.convert(step)
    pixels, alpha = reading._shallow(picture, [])
    assert pixels.shape == (64, 96, 3)
    assert pixels.dtype == np.uint8
    assert (alpha is not None) == (mode in ("LA", "PA", "RGBA", "La", "RGBa"))
    gray = np.repeat(np.array(Image.fromarray(smooth_pixels()).convert("L"))[..., None], 3, axis=2)
    if mode in ("L", "LA", "La"):
        np.testing.assert_array_equal(pixels, gray)
    elif mode not in ("1", "P", "PA"):
        assert np.abs(pixels.astype(int) - smooth_pixels()).max() <= 3  # YCbCr rounds twice


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_gray_of_16_bits_is_kept(file_format):
    values = random_pixels((9, 11), 16, channels=1)[..., 0]
    image = read_photo(encoded(Image.fromarray(values), file_format))
    np.testing.assert_array_equal(image.pixels, np.repeat(values[..., None], 3, axis=2))
    assert image.metadata.notes == ()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_color_of_16_bits_is_kept(channels, compression):
    values, file = random_pixels((9, 11), 16, channels=channels), io.BytesIO()
    tifffile.imwrite(
        file, values, photometric="rgb", compression=compression, extrasamples=["unassalpha"] * (channels - 3)
    )
    image = read_photo(file.getvalue())
    np.testing.assert_array_equal(image.pixels, values[..., :3])
    if channels == 4:
        np.testing.assert_array_equal(image.alpha, values[..., 3])


def tiff(values, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, metadata=None, **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16)}, {"rowsperstrip": 7, "byteorder": ">"}])
def test_tiff_of_16_bits_in_planes_is_kept(channels, orientation, layout):
    values, extra = random_pixels((19, 31), 16, channels=channels), ["unassalpha"] * (channels - 3)
    tags = [(ORIENTATION, "H", 1, orientation, True)]
    options = {"photometric": "rgb", "extrasamples": extra, "extratags": tags} | layout
    data = tiff(values.transpose(2, 0, 1), planarconfig="separate", **options)
    image, expected = read_photo(data), reading._turned(values, orientation)
    np.testing.assert_array_equal(image.pixels, expected[..., :3])
    assert image.metadata.notes == ()
    if channels == 4:
        np.testing.assert_array_equal(image.alpha, expected[..., 3])
    with pytest.raises(DamagedImageError, match="damaged"):
        read_photo(cut(data, 0.7))


def test_pages_in_planes_are_each_read():
    pages = random_pixels((3, 19), 16, channels=31)  # three channels of 19 x 31, twice
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for planes in (pages, pages[::-1]):
            writer.write(planes, photometric="rgb", planarconfig="separate", metadata=None)
    first, second = read_frames(file.getvalue())
    np.testing.assert_array_equal(first.pixels, pages.transpose(1, 2, 0))
    np.testing.assert_array_equal(second.pixels, first.pixels[..., ::-1])


@pytest.mark.parametrize("bit_depth", [8, 16])
@pytest.mark.parametrize("kind", ["premultiplied", "CMYK"])
def test_planes_and_pixels_of_a_tiff_look_the_same(bit_depth, kind):
    values = random_pixels((19, 31), bit_depth, channels=4)
    values[..., :3] = np.minimum(values[..., :3], values[..., 3:])
    options = {"photometric": "separated"} if kind == "CMYK" else {"photometric": "rgb", "extrasamples": ["assocalpha"]}
    planes = read_photo(tiff(values.transpose(2, 0, 1), planarconfig="separate", **options))
    pixels = read_photo(tiff(values, **options))
    np.testing.assert_array_equal(planes.pixels, pixels.pixels)
    assert planes.metadata.notes == pixels.metadata.notes
    if kind == "premultiplied":
        np.testing.assert_array_equal(planes.alpha, pixels.alpha)


def test_a_fourth_channel_of_16_bits_that_is_no_opacity_is_not_taken_for_it():
    values = random_pixels((9, 11), 16, channels=4)
    image = read_photo(tiff(values, photometric="rgb", extrasamples=["unspecified"]))
    np.testing.assert_array_equal(image.pixels, values[..., :3])
    assert image.alpha is None


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_a_tiff_in_which_white_is_zero_is_turned(kind, compression, byteorder):
    values = random_pixels((9, 11), channels=1)[..., 0].astype(kind)
    if kind == "uint16":
        values *= 257
    values[0, :2] = 0, np.iinfo(kind).max if kind != "float32" else 255
    image = read_photo(tiff(values, photometric="miniswhite", byteorder=byteorder, compression=compression))
    expected = values.max() - values
    np.testing.assert_array_equal(image.pixels[..., 0], expected * (257 if kind == "float32" else 1))


def test_a_negative_of_12_bits_uses_the_whole_range():
    values = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    image = read_photo(tiff(values, photometric="miniswhite"))
    assert (image.pixels[0, 0, 0], image.pixels[-1, -1, 0]) == (65535, 0)


@pytest.mark.parametrize("kind", ["int16", "int32", "float32"])
def test_a_compressed_tiff_is_the_same_in_either_byte_order(kind):
    values = random_pixels((9, 11), channels=1)[..., 0].astype(kind)
    data = [tiff(values, byteorder=order, compression="zlib") for order in "<>"]
    little, big = (read_photo(content, salvage=True) for content in data)
    np.testing.assert_array_equal(big.pixels, little.pixels)
    assert big.metadata.notes == little.metadata.notes


def test_color_that_is_cut_to_8_bits_is_noted():
    values = random_pixels((40, 50), 16)
    files = {16: b"P6 50 40 65535\n" + values.astype(">u2").tobytes()}
    files[12] = b"P6 50 40 4095\n" + (values >> 4).astype(">u2").tobytes()
    files[8] = b"P6 50 40 255\n" + (values >> 8).astype(np.uint8).tobytes()
    for bits, data in files.items():
        expected = () if bits == 8 else (f"{bits} bits per channel were read as 8",)
        assert read_photo(data).metadata.notes == expected
    for kind, expected in (("uint16", ("16 bits per channel were read as 8",)), ("uint8", ())):
        assert read_photo(cv2.imencode(".jp2", values.astype(kind))[1].tobytes()).metadata.notes == expected
    assert read_photo(cv2.imencode(".jp2", values[..., 0])[1].tobytes()).bit_depth == 16


@pytest.mark.skipif(not cv2.haveImageWriter("deep.avif"), reason="this OpenCV writes no AVIF")
@pytest.mark.parametrize("bits", [8, 10])
def test_avif_of_10_bits_is_noted(bits):
    values = random_pixels((9, 11), 16)
    kind = np.uint8 if bits == 8 else np.uint16
    options = [cv2.IMWRITE_AVIF_DEPTH, bits]
    data = cv2.imencode(".avif", (values >> (16 - bits)).astype(kind), options)[1].tobytes()
    assert read_photo(data).metadata.notes == (() if bits == 8 else ("10 bits per channel were read as 8",))


def test_signed_gray_of_16_bits_is_not_said_to_be_read_at_8():
    image = read_photo(tiff(np.arange(99, dtype=np.int16).reshape(9, 11)))
    assert image.metadata.notes == ("values from 0 to 255 were scaled to 16 bits",)


@pytest.mark.parametrize(("bits", "noted"), [(8, True), (10, True), (12, True), (16, False)])
def test_low_range_16_bit_becomes_neither_black_nor_white(bits, noted):
    values = np.linspace(0, 2**bits - 1, 64).astype(np.uint16).reshape(8, 8)
    image = read_photo(encoded(Image.fromarray(values)))
    assert image.pixels.min() == 0
    assert image.pixels.max() == 65535
    assert 0.45 < image.pixels.mean() / 65535 < 0.55
    assert bool(image.metadata.notes) == noted


def test_opacity_of_12_bits_is_spread_with_the_colors():
    values = random_pixels((9, 11), 16, channels=4) >> 4
    values[0, 0], values[..., 3] = 4095, 4095
    image = read_photo(tiff(values, photometric="rgb", extrasamples=["unassalpha"]))
    assert (int(image.pixels[0, 0, 0]), int(image.alpha.min())) == (65535, 65535)
    values[..., 3] = 65535  # as it should be
    assert read_photo(tiff(values, photometric="rgb", extrasamples=["unassalpha"])).alpha.min() == 65535


@pytest.mark.parametrize("highest", [(900, 4000, 0, 200), (4000, 900), (900, 4000, 9000)])
def test_pages_share_one_range(highest):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for value in highest:
            writer.write(np.full((4, 5), value, np.uint16), metadata=None)
    pages = read_frames(file.getvalue())
    scale = 65535 / 4095 if max(highest) < 4096 else 1
    assert [int(page.pixels.max()) for page in pages] == [int(value * scale) for value in highest]
    assert all(bool(page.metadata.notes) == (scale > 1 and page.pixels.any()) for page in pages)


def test_a_float_tiff_may_overshoot():
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    values[-1, -1] = 1.01
    image = read_photo(tiff(values))
    assert (int(image.pixels[-1, -1, 0]), int(image.pixels[4, 0, 0])) == (65535, round(65535 * 32 / 63))
    assert "cut off" in image.metadata.notes[0]
    assert read_photo(tiff((values * 100).astype(np.int32))).pixels.max() == 101 * 257  # whole numbers do not


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 255), (0, 65535), (-3, 5)])
def test_float_tiff_is_scaled_by_its_range(low, high):
    values = np.linspace(low, high, 64, dtype=np.float32).reshape(8, 8)
    image = read_photo(encoded(Image.fromarray(values), "TIFF"))
    expected = np.linspace(0, 65535, 64).reshape(8, 8)
    assert np.abs(image.pixels[..., 0] - expected).max() <= 1
    assert "scaled" in image.metadata.notes[0]


def test_a_deep_tiff_is_read_and_written_without_copies_of_its_pixels(tmp_path):
    path = tmp_path / "deep.tif"
    image = RgbImage(random_pixels((600, 800), bit_depth=16))
    with traced() as peak:
        write_photo(image, path)
    assert peak[0] < 0.5 * image.pixels.nbytes
    with traced() as peak:
        read = read_photo(path)
    assert peak[0] < 2.5 * image.pixels.nbytes  # the file and the pixels
    assert (read.pixels == image.pixels).all()


def test_float_tiff_without_any_number_is_refused():
    with pytest.raises(InvalidImageError, match="no finite"):
        read_photo(encoded(Image.fromarray(np.full((3, 3), np.nan, np.float32)), "TIFF"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png16", "tiff16"])
def test_orientation_is_applied_and_reset(orientation, kind, tmp_path):
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16, 0] = 255  # red above left, green above right, blue below left
    upright[:8, 16:, 1] = 255
    upright[8:, :16, 2] = 255
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that lays the picture the EXIF way
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    if kind == "jpeg":
        data = encoded(stored, "JPEG", quality=100, subsampling=0, exif=some_exif(orientation))
    else:
        deep = RgbImage(np.asarray(stored).astype(np.uint16) * 257, metadata=PhotoMetadata(exif=some_exif(orientation)))
        if kind == "png16":
            data = b"".join(writing._png(deep))
        else:
            file = io.BytesIO()
            tags = [(ORIENTATION, "H", 1, orientation, True)]
            tifffile.imwrite(file, deep.pixels, photometric="rgb", extratags=tags, metadata=None)
            data = file.getvalue()
    image = read_photo(data)
    scale = 257 if image.bit_depth == 16 else 1
    assert np.abs(image.pixels.astype(int) // scale - upright).max() <= 8  # JPEG
    write_photo(image, tmp_path / "upright.png")
    assert exif_of(tmp_path / "upright.png").get(ORIENTATION, 1) == 1


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_the_sides_that_a_camera_stated_turn_with_the_photograph(tmp_path, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif.get_ifd(0x8769).update({0xA002: 32, 0xA003: 16})
    image = read_photo(encoded(Image.new("RGB", (32, 16)), "JPEG", exif=exif))
    write_photo(image, tmp_path / "out.jpg")
    camera = exif_of(tmp_path / "out.jpg").get_ifd(0x8769)
    assert (camera[0xA003], camera[0xA002]) == image.shape


def test_color_profile_is_applied_and_written_back(tmp_path):
    profile = red_and_blue_swapped_profile()
    image = read_photo(encoded(Image.new("RGB", (4, 4), (250, 10, 10)), icc_profile=profile))
    assert np.abs(image.pixels.astype(int) - [10, 10, 250]).max() <= 3
    assert image.metadata.notes == ()
    for suffix in (".png", ".jpg", ".tif", ".webp"):
        write_photo(image, tmp_path / f"out{suffix}")
        with Image.open(tmp_path / f"out{suffix}") as written:
            assert written.info["icc_profile"] == profile
            assert np.abs(np.asarray(written).astype(int) - [250, 10, 10]).max() <= 3  # 1 but for JPEG


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_profile_of_16_bit_color_is_written_back(tmp_path, suffix):
    profile = red_and_blue_swapped_profile()
    image = read_photo(deep_red_with_profile(profile))
    write_photo(image, tmp_path / f"out{suffix}")
    with Image.open(tmp_path / f"out{suffix}") as written:
        assert written.info["icc_profile"] == profile
    back = read_photo(tmp_path / f"out{suffix}")
    assert np.abs(back.pixels.astype(int) - image.pixels).max() <= 2  # of 65535, rounded twice


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_lightness_survives_the_way_through_a_profile(tmp_path, bit_depth):
    profile = red_and_blue_swapped_profile()
    start = profile.index(b"para")
    gamma = b"para" + bytes(8) + struct.pack(">i", round(2.2 * 65536)) + bytes(16)  # the curve of Adobe RGB
    profile = profile.replace(profile[start : start + 32], gamma)
    pixels = smooth_pixels() if bit_depth == 8 else smooth_pixels().astype(np.uint16) * 257
    write_photo(RgbImage(pixels, metadata=PhotoMetadata(rgb_profile=profile)), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as written:
        assert written.info["icc_profile"] == profile
    change = np.abs(rgb_to_lightness(read_photo(tmp_path / "out.png").pixels) - rgb_to_lightness(pixels))
    assert change.max() <= (0.5 if bit_depth == 8 else 0.01)  # rounded to codes twice


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_gray_and_cmyk_profiles_are_replaced_by_srgb(tmp_path, mode):
    image = read_photo(encoded(Image.new(mode, (4, 4)), "TIFF", icc_profile=red_and_blue_swapped_profile()))
    write_photo(image, tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as written:
        assert written.info["icc_profile"] == profiles._srgb_bytes()


def test_srgb_profile_costs_nothing():
    pixels = random_pixels()
    np.testing.assert_array_equal(
        read_photo(encoded(Image.fromarray(pixels), icc_profile=profiles._srgb_bytes())).pixels, pixels
    )


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_a_profile_is_told_by_its_content_and_not_by_its_name(bit_depth):
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # "sRGB built-in"
    start = linear.index(b"para")
    linear = linear.replace(linear[start : start + 32], b"para" + bytes(8) + struct.pack(">i", 65536) + bytes(16))
    picture = np.full((4, 4, 3), 55, np.uint8)
    data = encoded(Image.fromarray(picture), icc_profile=linear)
    if bit_depth == 16:
        file = io.BytesIO()
        deep = picture.astype(np.uint16) * 257
        tifffile.imwrite(file, deep, photometric="rgb", iccprofile=linear, metadata=None)
        data = file.getvalue()
    codes = read_photo(data).pixels / (1 if bit_depth == 8 else 257)
    assert np.abs(codes - 128.1).max() < 1  # 55 / 255 of the light


def deep_red_with_profile(profile) -> bytes:
    file = io.BytesIO()
    red = np.full((4, 4, 3), (64000, 2600, 2600), np.uint16)
    tifffile.imwrite(file, red, photometric="rgb", iccprofile=profile, metadata=None)
    return file.getvalue()


def test_matrix_profile_of_16_bit_color_is_applied_to_all_bits():
    image = read_photo(deep_red_with_profile(red_and_blue_swapped_profile()))
    assert image.bit_depth == 16
    # red and blue light change places; 40 of 65535 for the rounding of primaries to 16 bits in the profile
    assert np.abs(image.pixels.astype(int) - [2600, 2600, 64000]).max() <= 40
    assert image.metadata.notes == ()


def test_profile_of_tables_is_applied_to_16_bit_color_at_8_bits_and_noted():
    profile = red_and_blue_swapped_profile().replace(b"cprt", b"A2B0")  # now it claims to hold a table
    image = read_photo(deep_red_with_profile(profile))
    assert image.bit_depth == 8
    assert any("read as 8" in note for note in image.metadata.notes)


def test_a_gray_profile_is_applied_to_16_bits_without_steps(gray_profile):
    ramp = np.arange(20000, 50000, dtype=np.uint16).reshape(100, 300)
    image = read_photo(encoded(Image.fromarray(ramp), "TIFF", icc_profile=gray_profile()))
    steps = np.diff(image.pixels[..., 1].ravel().astype(int))
    # a gamma of 2.2 goes up in sRGB at 0.9 to 1.1 of a code per code there
    assert steps.min() >= 0
    assert steps.max() <= 2
    assert np.count_nonzero(steps) >= 0.85 * len(steps)
    assert image.metadata.notes == ()
    image = read_photo(encoded(Image.fromarray(ramp), "TIFF", icc_profile=gray_profile(space=b"Lab ")))
    assert any("256 steps" in note for note in image.metadata.notes)


def test_a_gray_profile_is_applied_to_8_bits_to_the_nearest_code(gray_profile):
    codes = np.arange(256, dtype=np.uint8)
    found = read_photo(encoded(Image.fromarray(codes[None]), icc_profile=gray_profile())).pixels[0, :, 1]
    light = (codes / 255) ** (563 / 256)
    exact = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255  # IEC 61966-2-1
    assert np.abs(found - exact).max() <= 0.51


@pytest.mark.parametrize("profile", [b"rubbish", red_and_blue_swapped_profile()])
def test_profile_that_is_broken_or_of_another_kind_is_noted(profile):
    gray = Image.fromarray(random_pixels(channels=1)[..., 0])
    image = read_photo(encoded(gray, icc_profile=profile))
    np.testing.assert_array_equal(image.pixels[..., 1], np.asarray(gray))
    assert "profile" in image.metadata.notes[0]


@pytest.mark.parametrize("bit_depth", [8, 16])
def test_profile_that_little_cms_refuses_is_not_written_back(tmp_path, bit_depth):
    profile = red_and_blue_swapped_profile()
    damaged = profile[:36] + b"none" + profile[40:]  # its signature; matrix and curves are there
    assert MatrixProfile.parse(damaged) is not None
    if bit_depth == 8:
        image = read_photo(encoded(Image.fromarray(smooth_pixels()), icc_profile=damaged))
        np.testing.assert_array_equal(image.pixels, smooth_pixels())
    else:
        image = read_photo(deep_red_with_profile(damaged))
    assert "damaged" in image.metadata.notes[-1]
    write_photo(image, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as written:
        assert written.info["icc_profile"] == profiles._srgb_bytes()


def test_transparency_of_every_kind_is_kept():
    alpha = random_pixels(channels=1)[..., 0]
    picture = Image.fromarray(np.dstack([random_pixels(), alpha]))
    np.testing.assert_array_equal(read_photo(encoded(picture)).alpha, alpha)
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.putpixel((1, 0), 1)
    assert read_photo(encoded(palette, transparency=1)).alpha.tolist() == [[255, 0]]
    gray = Image.fromarray(np.array([[0, 65535]], np.uint16))
    assert read_photo(encoded(gray, transparency=65535)).alpha.tolist() == [[65535, 0]]


def test_only_the_first_frame_is_read_and_noted():
    frames = [Image.new("L", (5, 4), value) for value in (10, 200)]
    image = read_photo(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert image.pixels[0, 0, 0] == 10
    assert "first" in image.metadata.notes[0]


@pytest.mark.parametrize("file_format", ["TIFF", "GIF", "PNG", "WEBP"])
def test_every_frame_can_be_read(file_format):
    frames = [Image.new("L", (5, 4), value) for value in (10, 120, 200)]
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    assert [int(frame.pixels[0, 0, 0]) for frame in read_frames(data)] == [10, 120, 200]
    assert all(frame.metadata.notes == () for frame in read_frames(data))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_every_frame_is_turned_alike(file_format):
    frames = [Image.new("L", (5, 4), value) for value in (10, 120, 200)]
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], exif=some_exif(orientation=6))
    assert [frame.shape for frame in read_frames(data)] == [(5, 4)] * 3


def test_every_frame_of_an_animation_of_grays_has_its_own_tones():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)  # a palette of all grays, which Pillow takes for none
    frames = [ramp, np.random.default_rng(0).choice(np.uint8([7, 99, 200]), (16, 16)), ramp[::-1], ramp // 2]
    first, *others = [Image.fromarray(frame) for frame in frames]
    found = read_frames(encoded(first, "GIF", save_all=True, append_images=others))
    for image, frame in zip(found, frames, strict=True):
        np.testing.assert_array_equal(image.pixels, np.repeat(frame[..., None], 3, axis=2))
        assert image.alpha is None


def test_pages_of_unlike_kinds_are_written_and_read_again(tmp_path):
    deep = RgbImage(random_pixels((9, 11), 16), metadata=PhotoMetadata(dpi=(300.0, 300.0), xmp=b"<a/>"))
    own = PhotoMetadata(rgb_profile=red_and_blue_swapped_profile())
    pages = [deep, RgbImage(random_pixels((7, 5)), random_pixels((7, 5), channels=1)[..., 0]), deep]
    pages.append(RgbImage(smooth_pixels(), metadata=own))
    assert write_frames(pages, tmp_path / "out.tif") == ()
    back = read_frames(tmp_path / "out.tif")
    assert [page.metadata.dpi for page in back] == [pytest.approx((300, 300)), None, pytest.approx((300, 300)), None]
    assert [page.metadata.xmp for page in back] == [b"<a/>", None, b"<a/>", None]
    assert [bool(page.metadata.rgb_profile) for page in back] == [False, False, False, True]
    for page, original in zip(back[:3], pages, strict=False):
        np.testing.assert_array_equal(page.pixels, original.pixels)
    np.testing.assert_array_equal(back[1].alpha, pages[1].alpha)
    assert np.abs(back[3].pixels.astype(int) - smooth_pixels()).max() <= 2  # through the profile and back


def test_there_are_pages_to_write(tmp_path):
    with pytest.raises(ValueError, match="at least one photograph"):
        write_frames([], tmp_path / "none.tif")
    with pytest.raises(InvalidImageError):
        write_frames([np.zeros((2, 2, 3), np.uint8)], tmp_path / "none.tif")
    assert not list(tmp_path.iterdir())


def test_frames_share_the_limit_of_pixels():
    frames = [Image.new("L", (50, 40), value) for value in (10, 120, 200)]
    data = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert len(read_frames(data, max_pixels=6000)) == 3
    with pytest.raises(ImageTooLargeError, match="frames"):
        read_frames(data, max_pixels=5999)


def test_pages_go_into_tiff_alone(tmp_path):
    with pytest.raises(OutputFormatError, match=r"use \.tif"):
        write_frames([RgbImage(random_pixels())], tmp_path / "out.png")
    (tmp_path / "out.tif").write_bytes(b"precious")
    with pytest.raises(OutputExistsError):
        write_frames([RgbImage(random_pixels())], tmp_path / "out.tif")


def test_pixels_are_counted_in_the_header():
    data = encoded(Image.new("L", (300, 200)))
    assert count_pixels(data[:60]) == 60_000  # what comes after the header is not looked at
    with pytest.raises(ImageTooLargeError, match="megapixels"):
        count_pixels(data, max_pixels=59_999)
    frames = [Image.new("L", (5, 4), value) for value in (10, 120, 200)]
    animation = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (count_pixels(animation), count_pixels(animation, all_frames=True)) == (20, 60)


def test_xmp_is_read_within_the_limit_of_pixels():
    data = encoded(Image.new("L", (300, 200)), xmp=b"<a/>", file_format="WEBP")
    assert read_xmp(data, max_pixels=60_000) == b"<a/>"
    with pytest.raises(ImageTooLargeError, match="megapixels"):
        read_xmp(data, max_pixels=59_999)


def test_header_size_is_checked_before_decoding():
    data = encoded(Image.new("L", (300, 200)))
    with pytest.raises(ImageTooLargeError, match="megapixels"):
        read_photo(data, max_pixels=59_999)
    assert read_photo(data, max_pixels=60_000).shape == (200, 300)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s2I5B", 13, b"IHDR", 10**6, 10**6, 8, 2, 0, 0, 0)
    with pytest.raises(InvalidImageError):
        read_photo(header + bytes(4))


def test_pillows_own_settings_come_back():
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(InvalidImageError):
        read_photo(b"no photograph", max_pixels=10)
    assert before == Image.MAX_IMAGE_PIXELS


def test_threads_may_read_at_once():
    data, shapes = encoded(Image.fromarray(random_pixels((200, 300)))), []
    threads = [threading.Thread(target=lambda: shapes.append(read_photo(data).shape)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == [(200, 300)] * 4


@pytest.mark.parametrize("source", [None, ["a.png"], np.zeros((2, 2, 3), np.uint8), io.BytesIO(b"")])
def test_what_is_neither_path_nor_bytes_is_named(source):
    for read in (read_photo, read_frames, read_xmp, count_pixels):
        with pytest.raises(TypeError, match=r"^source must be a path or the bytes of a file, got"):
            read(source)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path, "no such file"),
        (lambda path: path.mkdir(), "folder"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"<html>404</html>"), "not a photograph"),
        (lambda path: path.write_bytes(encoded(Image.fromarray(random_pixels()))[:-40]), "damaged"),
        (lambda path: path.write_bytes(encoded(Image.fromarray(smooth_pixels()), "JPEG")[:-200]), "damaged"),
    ],
)
def test_errors_name_the_file_in_one_line(tmp_path, capfd, make, message):
    path = tmp_path / "holiday.jpg"
    make(path)
    with pytest.raises(InvalidImageError, match=message) as caught:
        read_photo(path)
    assert str(caught.value).count(str(path)) == 1
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("channels", "kind", "options", "named"),
    [
        (1, "float64", {}, "gray, 1 channel of 64 bits of floating point"),
        (1, "float64", {"bigtiff": True}, "gray, 1 channel of 64 bits of floating point"),
        (3, "float32", {"photometric": "rgb"}, "RGB, 3 channels of 32 bits of floating point"),
        (3, "uint16", {"photometric": "cielab"}, "Lab, 3 channels of 16 bits"),
        (2, "uint16", {"photometric": "minisblack", "extrasamples": ["unassalpha"]}, "gray, 2 channels of 16 bits"),
    ],
)
def test_kinds_of_tiff_that_cannot_be_read_are_named(channels, kind, options, named):
    values = np.zeros((9, 11, channels), kind)
    with pytest.raises(InvalidImageError, match=named):
        read_photo(tiff(values[..., 0] if channels == 1 else values, **options))


def test_an_unknown_compression_of_a_tiff_is_named():
    data = tiff(np.zeros((9, 11), np.uint8))
    known, unknown = (struct.pack("<HHII", 0x0103, 3, 1, number) for number in (1, 34887))
    assert data.count(known) == 1
    with pytest.raises(InvalidImageError, match="compression 34887"):
        read_photo(data.replace(known, unknown))


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def salvage_cases():
    color = Image.fromarray(smooth_pixels((300, 200)) + random_pixels((300, 200)) // 32)
    deep = Image.fromarray(random_pixels((300, 200), 16, channels=1)[..., 0])
    return {
        "jpeg": encoded(color, "JPEG"),
        "gray jpeg": encoded(color.convert("L"), "JPEG"),
        "png": encoded(color),
        "palette": encoded(color.quantize(50)),
        "opacity": encoded(color.convert("RGBA")),
        "16 bits": encoded(deep),
        "tiff": encoded(color, "TIFF"),
    }


@pytest.mark.parametrize("kind", salvage_cases())
@pytest.mark.parametrize("share", [0.6, 0.95])
def test_what_a_damaged_file_holds_can_be_salvaged(kind, share):
    data = salvage_cases()[kind]
    whole, torn = read_photo(data), cut(data, share)
    with pytest.raises(DamagedImageError, match="damaged"):
        read_photo(torn)
    found = read_photo(torn, salvage=True)
    percent = int(found.metadata.damage.split(" % of its rows could be read, the rest is black")[0])
    assert 100 * share - 20 < percent < 100 * share + 10
    assert found.metadata.notes[0] == f"the file is damaged: {found.metadata.damage}"
    n_rows = np.flatnonzero(found.pixels.reshape(300, -1).any(axis=1)).max() + 1
    assert n_rows * 100 // 300 == percent
    np.testing.assert_array_equal(found.pixels[:n_rows], whole.pixels[:n_rows])
    np.testing.assert_array_equal(found.pixels[n_rows:], 0)
    assert found.metadata.notes[1:] == whole.metadata.notes
    assert read_photo(data, salvage=True).metadata.damage == ""


def test_black_rows_of_a_damaged_photograph_count_as_read():
    pixels = smooth_pixels((300, 200))
    pixels[40:] = 0
    found = read_photo(cut(encoded(Image.fromarray(pixels), "TIFF"), 0.9), salvage=True)
    assert found.metadata.damage.startswith("8")


def test_progressive_jpeg_loses_detail_not_rows():
    picture = Image.fromarray(smooth_pixels((300, 200)) + random_pixels((300, 200)) // 32)
    data = encoded(picture, "JPEG", progressive=True)
    found = read_photo(cut(data, 0.7), salvage=True)
    assert found.metadata.damage == "all of its rows could be read, some in less detail"
    assert 0 < np.abs(found.pixels.astype(int) - read_photo(data).pixels).mean() < 5
    with pytest.raises(DamagedImageError, match="less than 10%"):  # ends in the first scan
        read_photo(cut(data, 0.06), salvage=True)


def test_a_salvaged_photograph_stands_upright():
    exif = some_exif(orientation=6)
    data = cut(encoded(Image.fromarray(smooth_pixels((300, 200)) | 1), "JPEG", exif=exif), 0.7)
    found = read_photo(data, salvage=True)
    assert found.shape == (200, 300)
    is_black = ~found.pixels.any(axis=(0, 2))
    assert is_black[0]  # rows from the top of the file are columns from the right
    assert not is_black[-1]


@pytest.mark.parametrize("data", [b"", b"no photograph", cut(encoded(Image.fromarray(random_pixels())), 0.1)])
def test_too_little_is_refused_all_the_same(data):
    with pytest.raises(InvalidImageError):
        read_photo(data, salvage=True)


def test_damaged_pages_are_salvaged_too():
    pages = [Image.fromarray(smooth_pixels()), Image.fromarray(smooth_pixels()[::-1])]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    position = data.rindex(pages[1].tobytes()[-3000:])
    first, second = read_frames(data[: position + 100], salvage=True)
    assert (first.metadata.damage, second.metadata.damage[2:23]) == ("", " % of its rows could ")


@pytest.mark.extras
def test_importing_loads_no_heavy_library():
    code = "import sys, colorize.io; print([m for m in ('cv2', 'tifffile', 'scipy', 'skimage') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# --- writing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize(
    ("suffix", "bit_depth"), [(".png", 8), (".tif", 8), (".webp", 8), (".png", 16), (".tiff", 16), (".PNG", 8)]
)
def test_lossless_formats_give_back_every_pixel(tmp_path, suffix, bit_depth, has_alpha):
    alpha = random_pixels(bit_depth=bit_depth, channels=1, seed=1)[..., 0] if has_alpha else None
    image = RgbImage(random_pixels(bit_depth=bit_depth), alpha)
    assert write_photo(image, tmp_path / f"out{suffix}") == ()
    back = read_photo(tmp_path / f"out{suffix}")
    np.testing.assert_array_equal(back.pixels, image.pixels)
    assert back.pixels.dtype == image.pixels.dtype
    if has_alpha:
        np.testing.assert_array_equal(back.alpha, alpha)
    else:
        assert back.alpha is None


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("bit_depth", [8, 16])
def test_metadata_goes_along_and_bytes_repeat(tmp_path, suffix, bit_depth):
    metadata = PhotoMetadata(exif=some_exif(), dpi=(300.0, 300.0), xmp=b"<x:xmpmeta>title</x:xmpmeta>")
    image = RgbImage(random_pixels(bit_depth=bit_depth), metadata=metadata)
    notes = write_photo(image, tmp_path / f"a{suffix}")
    write_photo(image, tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    back = read_photo(tmp_path / f"a{suffix}")
    exif = exif_of(tmp_path / f"a{suffix}")
    assert exif[MAKE] == "Kodak"
    assert exif.get_ifd(0x8769)[EXPOSURE] == pytest.approx(0.25)
    assert back.metadata.xmp == metadata.xmp
    if suffix != ".webp":  # which has no such field
        assert back.metadata.dpi == pytest.approx((300, 300), abs=0.01)
    assert any("resolution" in note for note in notes) == (suffix == ".webp")
    with Image.open(tmp_path / f"a{suffix}") as picture:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert any("rounded" in note for note in notes) == (bit_depth == 16 and suffix in (".jpg", ".webp"))


def test_the_embedded_profile_bears_no_date():
    assert profiles._srgb_bytes()[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


def test_jpeg_keeps_lightness_and_full_color_resolution(tmp_path):
    image = RgbImage(smooth_pixels(), np.full((64, 96), 200, np.uint8))
    notes = write_photo(image, tmp_path / "out.jpg")
    assert "opacity" in notes[0]
    with Image.open(tmp_path / "out.jpg") as picture:
        assert all(sampling[1:3] == (1, 1) for sampling in picture.layer)
    back = read_photo(tmp_path / "out.jpg")
    # 0.6: what the project promises for lossy files
    assert np.abs(rgb_to_lightness(back.pixels) - rgb_to_lightness(image.pixels)).mean() < 0.6


def test_opaque_alpha_is_no_loss_for_jpeg(tmp_path):
    assert write_photo(RgbImage(smooth_pixels(), np.full((64, 96), 255, np.uint8)), tmp_path / "out.jpg") == ()


def test_16_bits_round_to_the_nearest_8(tmp_path):
    codes = np.arange(65536)
    expected = np.rint(codes / 257)
    np.testing.assert_array_equal(to_8_bit(codes.astype(np.uint16)), expected)
    np.testing.assert_array_equal(to_8_bit(np.arange(256, dtype=np.uint16) * 257), np.arange(256))


def test_exif_of_a_tiff_is_freed_from_the_layout_of_the_file(tmp_path):
    exif = Image.Exif()
    exif[MAKE], exif[SOFTWARE] = "Leica", "darkroom"
    image = read_photo(encoded(Image.fromarray(random_pixels()), "TIFF", exif=exif, compression="tiff_lzw"))
    write_photo(image, tmp_path / "out.jpg")
    kept = exif_of(tmp_path / "out.jpg")
    assert (kept[MAKE], kept[SOFTWARE]) == ("Leica", "darkroom")
    assert not {0x0100, 0x0103, 0x0111, 0x0117} & set(kept)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("bit_depth", [8, 16])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_letters_beyond_ascii_stay_in_the_exif(tmp_path, suffix, bit_depth, encoding):
    artist, lens = ("Jürgen Müller".encode(encoding), "Weitwinkel für Nähe".encode(encoding))
    exif = Image.Exif()
    exif[ARTIST] = artist
    exif.get_ifd(0x8769)[LENS] = "?" * len(lens)  # in place of it: Pillow would write it as ASCII
    image = read_photo(encoded(Image.new("RGB", (8, 8)), "JPEG", exif=exif.tobytes().replace(b"?" * len(lens), lens)))
    if bit_depth == 16:
        image = RgbImage(image.pixels.astype(np.uint16) * 257, metadata=image.metadata)
    write_photo(image, tmp_path / f"out{suffix}")
    written = exif_of(tmp_path / f"out{suffix}")
    assert written[ARTIST].encode("latin-1") == artist  # as Pillow reads whatever bytes there are
    assert written.get_ifd(0x8769)[LENS].encode("latin-1") == lens


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("bit_depth", [8, 16])
def test_places_ratings_and_comments_stay_in_the_exif(tmp_path, suffix, bit_depth):
    exif = Image.Exif()
    exif[RATING], exif[XP_KEYWORDS] = 4, "Ännchen\0".encode("utf-16-le")
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 21.0, 58.5)})
    exif.get_ifd(0x8769)[COMMENT] = b"ASCII\0\0\0box 17"
    image = read_photo(encoded(Image.new("RGB", (8, 8)), "JPEG", exif=exif.tobytes()))
    if bit_depth == 16:
        image = RgbImage(image.pixels.astype(np.uint16) * 257, metadata=image.metadata)
    write_photo(image, tmp_path / f"out{suffix}")
    written = exif_of(tmp_path / f"out{suffix}")
    assert (written[RATING], written[XP_KEYWORDS]) == (exif[RATING], exif[XP_KEYWORDS])
    assert written.get_ifd(0x8825) == {1: "N", 2: (47.0, 21.0, 58.5)}
    assert written.get_ifd(0x8769)[COMMENT] == b"ASCII\0\0\0box 17"
    # its type is 7, undefined: of another one exiv2 shows numbers, and libtiff nothing
    entry = struct.pack("<HHI", COMMENT, 7, 14), struct.pack(">HHI", COMMENT, 7, 14)
    assert any(form in (tmp_path / f"out{suffix}").read_bytes() for form in entry)


@pytest.mark.parametrize("endian", ["<", ">"])
def test_a_tiff_has_the_byte_order_of_its_exif(tmp_path, endian):
    exif = Image.Exif()
    exif.endian = endian
    exif.get_ifd(0x8769)[COMMENT] = b"UNICODE\0" + "Müller".encode("utf-16-le" if endian == "<" else "utf-16-be")
    image = RgbImage(random_pixels(bit_depth=16), metadata=PhotoMetadata(exif=exif.tobytes()))
    write_frames([image, image], tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.byteorder == endian  # a comment is in the order of its file
        assert len(file.pages) == 2
    np.testing.assert_array_equal(read_frames(tmp_path / "out.tif")[1].pixels, image.pixels)


def test_exif_of_a_big_tiff_is_kept(tmp_path):
    exif = Image.Exif()
    exif[MAKE] = "Leica"
    image = read_photo(encoded(Image.fromarray(random_pixels()), "TIFF", exif=exif, big_tiff=True))
    for suffix in (".png", ".jpg", ".tif", ".webp"):
        assert write_photo(image, tmp_path / f"out{suffix}") == ()
        assert exif_of(tmp_path / f"out{suffix}")[MAKE] == "Leica"


def test_pages_are_written_as_the_standard_says(tmp_path):
    pages = [
        RgbImage(random_pixels((3, 5), seed=1)),
        RgbImage(random_pixels((2, 3), 16), random_pixels((2, 3), 16)[..., 0]),
    ]
    write_frames(pages, tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:  # another reader
        for page, image in zip(file.pages, pages, strict=True):
            assert page.offset % 2 == 0
            layers = [image.pixels] if image.alpha is None else [image.pixels, image.alpha]
            np.testing.assert_array_equal(page.asarray(), np.dstack(layers))
            assert [tag.code for tag in page.tags] == sorted(tag.code for tag in page.tags)
        assert file.pages[1].extrasamples == (2,)


def test_exif_that_cannot_be_written_is_noted(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9204] = 1.0  # exposure bias
    broken = exif.tobytes().replace(struct.pack("<HH", 0x9204, 10), struct.pack("<HH", 0x9204, 7))
    image = RgbImage(random_pixels(), metadata=PhotoMetadata(exif=broken))
    write_photo(image, tmp_path / "out.tif")
    np.testing.assert_array_equal(read_photo(tmp_path / "out.tif").pixels, image.pixels)


def test_exif_too_long_for_jpeg_is_noted(tmp_path):
    exif = Image.Exif()
    exif[MAKE] = "x" * 70_000
    image = RgbImage(random_pixels(), metadata=PhotoMetadata(exif=exif.tobytes()))
    assert "too long" in write_photo(image, tmp_path / "out.jpg")[0]


def test_xmp_too_long_for_jpeg_is_noted(tmp_path):
    image = RgbImage(random_pixels(), metadata=PhotoMetadata(xmp=b"x" * 65_503))
    assert "XMP" in write_photo(image, tmp_path / "out.jpg")[0]
    assert write_photo(image, tmp_path / "out.png") == ()


def test_xmp_stays_when_the_exif_cannot_be_written(tmp_path):
    broken = PhotoMetadata(exif=b"Exif\0\0II+\0", xmp=b"<a/>")
    notes = write_photo(RgbImage(random_pixels(), metadata=broken), tmp_path / "out.tif")
    assert "could not be written" in notes[0]
    assert read_photo(tmp_path / "out.tif").metadata.xmp == b"<a/>"


@pytest.mark.parametrize(
    "kinds",
    [
        b'<rdf:Description rdf:about="" tiff:Orientation="6" dc:format="x"/>',
        b'<rdf:Description rdf:about=""\n  tiff:Orientation="6"/>',
        b"<rdf:Description rdf:about=''><tiff:Orientation>6</tiff:Orientation></rdf:Description>",
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_photograph_that_only_its_xmp_turns_is_not_turned_twice(tmp_path, kinds, suffix):
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", kinds.decode())
    image = read_photo(encoded(Image.new("L", (3, 2)), pnginfo=texts))
    assert image.shape == (3, 2)
    write_photo(image, tmp_path / f"out{suffix}")
    assert read_photo(tmp_path / f"out{suffix}").shape == (3, 2)
    assert b"Orientation" not in read_xmp(tmp_path / f"out{suffix}")
    assert read_xmp(tmp_path / f"out{suffix}").startswith(kinds[:28])


def test_thumbnails_in_the_xmp_are_left_out():
    thumbnail = b"<xmp:Thumbnails><rdf:Alt><xmpGImg:image>/9j/\n</xmpGImg:image></rdf:Alt></xmp:Thumbnails>"
    packet = b"<rdf:Description>" + 2 * thumbnail + b"<dc:title>Anna</dc:title></rdf:Description>"
    data = encoded(Image.new("L", (3, 2)), "JPEG", xmp=packet)
    assert read_photo(data).metadata.xmp == b"<rdf:Description><dc:title>Anna</dc:title></rdf:Description>"


def test_xmp_beyond_one_segment_of_a_jpeg_is_left_out_and_noted():
    data = encoded(Image.new("L", (3, 2)), "JPEG", xmp=b'<rdf:Description dc:format="x" xmpNote:HasExtendedXMP="B2"/>')
    segment = b"http://ns.adobe.com/xmp/extension/\0" + b"B2".ljust(32) + struct.pack(">2I", 4, 0) + b"<a/>"
    metadata = read_photo(data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]).metadata
    assert metadata.xmp == b'<rdf:Description dc:format="x"/>'
    assert "beyond 64 KB" in metadata.notes[0]


def captioned(file_format: str, caption: bytes) -> bytes:
    """A photograph with captions in IPTC form: of JPEG among other resources, of TIFF as long integers."""
    if file_format == "TIFF":
        file = io.BytesIO()
        longs = struct.unpack(f">{len(caption) // 4}I", caption)
        tag = (0x83BB, "I", len(longs), longs, True)
        tifffile.imwrite(file, smooth_pixels(), photometric="rgb", metadata=None, extratags=[tag], byteorder=">")
        return file.getvalue()
    resources = [(0x03ED, bytes(16)), (0x0404, caption), (0x040C, b"thumbnail")]
    segment = b"Photoshop 3.0\0" + b"".join(
        b"8BIM" + struct.pack(">2HI", number, 0, len(content)) + content + b"\0" * (len(content) % 2)
        for number, content in resources
    )
    data = encoded(Image.fromarray(smooth_pixels()), "JPEG")
    return data[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
@pytest.mark.parametrize("bit_depth", [8, 16])
def test_captions_in_iptc_form_are_kept_where_there_is_a_place_for_them(tmp_path, file_format, bit_depth):
    caption = b"\x1c\x02\x78\x00\x07M\xfcller."  # Latin-1: bytes stay as they are
    image = read_photo(captioned(file_format, caption))
    assert (image.metadata.iptc, image.metadata.notes) == (caption, ())
    if bit_depth == 16:
        image = RgbImage(image.pixels.astype(np.uint16) * 257, metadata=image.metadata)
    for suffix in (".jpg", ".tif"):
        assert not any("IPTC" in note for note in write_photo(image, tmp_path / f"out{suffix}"))
        assert read_photo(tmp_path / f"out{suffix}").metadata.iptc == caption
    for suffix in (".png", ".webp"):
        assert "IPTC" in write_photo(image, tmp_path / f"out{suffix}")[0]


def test_captions_too_long_for_jpeg_are_noted(tmp_path):
    for length, n_notes in ((65_505, 0), (65_506, 0), (65_507, 1)):
        image = RgbImage(smooth_pixels(), metadata=PhotoMetadata(iptc=b"x" * length))
        assert len(write_photo(image, tmp_path / "out.jpg", overwrite=True)) == n_notes
        assert (read_photo(tmp_path / "out.jpg").metadata.iptc is None) == (n_notes == 1)


def test_texts_of_formats_are_left_out_and_noted():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Grandmother")
    texts.add_itxt("Author", "Anna")
    texts.add_itxt("XML:com.adobe.xmp", "<a/>")  # which is kept
    (note,) = read_photo(encoded(Image.new("L", (3, 2)), pnginfo=texts)).metadata.notes
    assert note == "texts of the PNG file were left out: Title, Author"
    for file_format in ("JPEG", "GIF"):
        (note,) = read_photo(encoded(Image.new("L", (3, 2)), file_format, comment=b"Grandmother")).metadata.notes
        assert "comment" in note


@pytest.mark.parametrize(("gamma", "others", "n_notes"), [(100000, {}, 1), (45455, {}, 0), (55556, {"sRGB": b"\0"}, 0)])
def test_an_unusual_gamma_of_a_png_is_noted(gamma, others, n_notes):
    chunks = PngImagePlugin.PngInfo()
    for name, content in {**others, "gAMA": struct.pack(">I", gamma)}.items():
        chunks.add(name.encode(), content)
    notes = read_photo(encoded(Image.new("L", (3, 2)), pnginfo=chunks)).metadata.notes
    assert len([note for note in notes if "gamma" in note]) == n_notes


def test_names_in_a_note_stay_on_its_line():
    texts = PngImagePlugin.PngInfo()
    for name in ("a\nb", "2", "3", "4", "5", "6", "7"):
        texts.add_text(name, "text")
    (note,) = read_photo(encoded(Image.new("L", (3, 2)), pnginfo=texts)).metadata.notes
    assert note.endswith("'a\\nb', 2, 3, 4, 5 and 2 more")


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_exif_tags_are_kept_or_named(tmp_path, file_format):
    exif = Image.Exif()
    exif[RATING], exif[DOCUMENT_NAME], exif[0xC7A1] = 5, "page 7", "unheard of"
    image = read_photo(encoded(Image.new("L", (3, 2)), file_format, exif=exif))
    assert image.metadata.notes == ("EXIF tags were left out: 0xc7a1",)
    for suffix in (".png", ".jpg", ".tif", ".webp"):
        write_photo(image, tmp_path / f"out{suffix}")
        written = exif_of(tmp_path / f"out{suffix}")
        assert (written[RATING], written[DOCUMENT_NAME], written.get(0xC7A1)) == (5, "page 7", None)


def test_nothing_is_replaced_unless_said(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match=r"out\.png"):
        write_photo(RgbImage(random_pixels()), path)
    assert path.read_bytes() == b"precious"
    write_photo(RgbImage(random_pixels()), path, overwrite=True)
    assert read_photo(path).shape == (23, 31)


def test_a_failed_write_leaves_nothing_behind_and_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")

    def full_disk(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        write_photo(RgbImage(random_pixels()), path, overwrite=True)
    assert path.read_bytes() == b"precious"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("out.gif", {}, OutputFormatError, r"\.gif"),
        ("out", {}, OutputFormatError, "without ending"),
        ("missing/out.png", {}, OutputError, "No such file"),
        ("out.jpg", {"quality": 80}, ValueError, "quality"),
        ("out.jpg", {"quality": "high"}, ValueError, "quality must be an integer"),
    ],
)
def test_bad_outputs_are_refused(tmp_path, name, options, error, message):
    with pytest.raises(error, match=message):
        write_photo(RgbImage(random_pixels()), tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_webp_has_a_largest_side(tmp_path):
    with pytest.raises(OutputFormatError, match="16383"):
        write_photo(RgbImage(np.zeros((1, 16384, 3), np.uint8)), tmp_path / "out.webp")


# --- folders -------------------------------------------------------------------------------------------------------


def test_find_photos_sorts_and_skips_what_is_no_photograph(tmp_path):
    names = ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "sub/c.tif", "sub.png/d.webp", ".thumbnails/e/f.png")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"")
    names = [path.relative_to(tmp_path).as_posix() for path in find_photos(str(tmp_path))]
    assert names == ["a.png", "b.JPG", "sub/c.tif", "sub.png/d.webp"]
    with pytest.raises(DatasetError, match="no such folder"):
        find_photos(tmp_path / "elsewhere")


def test_find_photos_tells_of_folders_that_it_cannot_list(tmp_path, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("sub"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    (tmp_path / "sub").mkdir()
    (tmp_path / "a.png").touch()
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.warns(UserWarning, match=r"sub: cannot be listed .Permission denied"):
        assert [path.name for path in find_photos(tmp_path)] == ["a.png"]


# --- the corpus of hard and broken files ---------------------------------------------------------------------------

KNOWN_GAPS: frozenset[str] = frozenset()  # files that should load and do not, yet


def corpus() -> list[dict[str, str]]:
    if not (CORPUS / "EXPECTED.csv").is_file():
        pytest.skip("the corpus of broken files (../shared/data/badinput) is not here")
    with open(CORPUS / "EXPECTED.csv", newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


@pytest.mark.slow
@pytest.mark.data
def test_corpus_loads_or_fails_cleanly(capfd):
    surprises = []
    for row in corpus():
        try:
            read_photo(CORPUS / row["file"])
            loaded = True
        except ColorizeError as error:
            loaded = False
            if "\n" in str(error) or row["file"] not in str(error):
                surprises.append(f"{row['file']}: {error!r}")
        allowed = {"valid-must-load": {True}, "either-ok": {True, False}}.get(row["expected"], {False})
        if loaded not in allowed and row["file"] not in KNOWN_GAPS:
            surprises.append(f"{row['file']}: {row['expected']}, but loaded is {loaded}")
    assert surprises == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.data
def test_whatever_loads_can_be_written_and_read_again(tmp_path):
    for row in corpus():
        if row["expected"] == "valid-must-load":
            image = read_photo(CORPUS / row["file"])
            for suffix in (".png", ".tif", ".jpg", ".webp"):
                write_photo(image, tmp_path / f"out{suffix}", overwrite=True)
                back = read_photo(tmp_path / f"out{suffix}")
                if suffix != ".jpg" and back.bit_depth == image.bit_depth:
                    np.testing.assert_array_equal(back.pixels, image.pixels, err_msg=row["file"] + suffix)


@pytest.mark.data
@pytest.mark.parametrize("pattern", ["exif/Portrait_*.jpg", "pillow/hopper_orientation_*.jpg", "pillow/g4_orient*.tif"])
def test_corpus_orientations_all_look_the_same(pattern):
    corpus()
    first, *others = (read_photo(path).pixels for path in sorted(CORPUS.glob(pattern)))
    assert len(others) >= 3
    for other in others:
        assert other.shape == first.shape
        assert np.abs(other.astype(int) - first).mean() < 6  # each is a JPEG of its own


@pytest.mark.data
def test_corpus_kinds_of_one_photo_look_the_same():
    corpus()
    true = read_photo(CORPUS / "synthetic/rgb16.png")
    assert true.bit_depth == 16
    for name in ("jpeg_named.png", "webp_named.jpeg", "P_adaptive.png", "cmyk.jpg", "lab.tif", "UPPER.JPG"):
        other = read_photo(CORPUS / "synthetic" / name).pixels
        assert np.abs(other.astype(int) - (true.pixels >> 8)).mean() < 8, name


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_the_resolution_turns_with_the_photograph(tmp_path, kind):
    path = tmp_path / "turned"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 4), (90, 120, 60)).save(path, kind, exif=exif, dpi=(300, 150))
    photo = read_photo(path)
    assert photo.shape == (8, 4)
    assert photo.metadata.dpi == pytest.approx((150, 300))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_a_resolution_that_cannot_be_true_is_left_out_and_noted(tmp_path, mode, suffix):
    image = read_photo(encoded(Image.new(mode, (8, 4)), "TIFF", dpi=(4e9, 4e9)))
    assert image.metadata.dpi is None
    assert "resolution" in image.metadata.notes[0]
    write_photo(image, tmp_path / f"out{suffix}")
    assert read_photo(encoded(Image.new(mode, (8, 4)), "TIFF", dpi=(12800, 12800))).metadata.dpi == (12800, 12800)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((2, 2, 3), np.uint8), r"image must be an RgbImage, got ndarray \(RgbImage\(array\) makes one\)"),
        ("photo.jpg", "image must be an RgbImage, got str"),
    ],
)
def test_what_is_no_photograph_is_not_written(tmp_path, given, message):
    with pytest.raises(InvalidImageError, match=message):
        write_photo(given, tmp_path / "out.png")
