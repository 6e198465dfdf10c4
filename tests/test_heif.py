"""HEIC photographs: with the extra they come whole, without it the error names it."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize.color import rgb_to_lightness
from colorize.exceptions import InvalidImageError
from colorize.io import count_pixels, find_photos, heif, read_frames, read_photo, write_photo

pytestmark = pytest.mark.extras

HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.fixture
def encode():
    """Encode pictures as HEIC."""
    plugin = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    plugin.register_heif_opener()

    def encode(picture: Image.Image, **options) -> bytes:
        buffer = io.BytesIO()
        picture.save(buffer, "HEIF", **({"quality": 95} | options))
        return buffer.getvalue()

    return encode


@pytest.fixture
def picture(pictures) -> Image.Image:
    return Image.fromarray(pictures["coffee"][100:220, 100:260])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HEAD, True),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", True),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf", False),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", False),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", False),
        (b"\xff\xd8\xff\xe0 a JPEG file begins so", False),
        (b"", False),
    ],
)
def test_a_file_is_known_by_its_first_bytes(data, expected):
    assert heif.is_heif(data) == expected


def test_without_the_extra_the_error_names_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heif.register.cache_clear()
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(HEAD)
    for call in (read_photo, read_frames, count_pixels):
        with pytest.raises(InvalidImageError, match=r"IMG_0001.HEIC: a HEIC photograph.*pip install '\.\[heif\]'"):
            call(path)


def test_they_are_found_in_folders(tmp_path):
    for name in ("a.HEIC", "b.heif", "c.mov"):
        (tmp_path / name).touch()
    assert [path.name for path in find_photos(tmp_path)] == ["a.HEIC", "b.heif"]


@pytest.mark.heif
def test_pixels_exif_and_xmp_come_along(encode, picture, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Grandmother's telephone"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- hers --></x:xmpmeta>'
    data = encode(picture, exif=exif.tobytes(), xmp=xmp)
    assert count_pixels(data) == 120 * 160
    photo = read_photo(data)
    assert photo.shape == (120, 160)
    assert photo.metadata.notes == ()
    assert np.abs(rgb_to_lightness(photo.pixels) - rgb_to_lightness(np.asarray(picture))).mean() < 1
    assert photo.metadata.xmp == xmp
    write_photo(photo, tmp_path / "out.jpg")
    assert Image.open(tmp_path / "out.jpg").getexif()[0x010F] == "Grandmother's telephone"


@pytest.mark.heif
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_stands_upright_and_once_only(encode, picture, orientation):
    """The file turns its picture itself; the EXIF tag that says so too must not turn it again."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", exif=exif, quality=95)
    expected, found = read_photo(jpeg.getvalue()), read_photo(encode(picture, exif=exif.tobytes()))
    assert found.shape == expected.shape
    assert np.abs(rgb_to_lightness(found.pixels) - rgb_to_lightness(expected.pixels)).mean() < 1.5


@pytest.mark.heif
def test_a_profile_of_wide_colors_is_applied_and_kept(encode, picture, data_profile):
    photo = read_photo(encode(picture, icc_profile=data_profile))
    assert photo.metadata.rgb_profile == data_profile
    plain = read_photo(encode(picture))
    assert np.abs(photo.pixels.astype(int) - plain.pixels).max() > 10  # it is no sRGB


@pytest.fixture
def data_profile():
    """A matrix profile of another name than sRGB, with its columns of red and blue exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"#XYZ").replace(b"bXYZ", b"rXYZ").replace(b"#XYZ", b"bXYZ")
    return profile.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))


@pytest.mark.heif
def test_ten_bits_are_read_as_eight_and_a_note_says_so(encode):
    import pillow_heif

    ramp = np.linspace(0, 65535, 64 * 96).reshape(64, 96).astype(np.uint16)
    deep = pillow_heif.from_bytes("RGB;16", (96, 64), np.repeat(ramp[..., None], 3, axis=2).tobytes())
    buffer = io.BytesIO()
    deep.save(buffer, quality=-1, chroma=444)
    photo = read_photo(buffer.getvalue())
    assert photo.metadata.notes == ("10 bits per channel were read as 8",)
    assert photo.pixels.dtype == np.uint8
    assert np.abs(photo.pixels[..., 0] - ramp / 257).max() < 3


@pytest.mark.heif
@pytest.mark.parametrize(
    ("primaries", "curve", "expected"),
    [(1, 13, []), (12, 13, ["wide colors"]), (9, 16, ["high dynamic range"]), (9, 18, ["high dynamic range"])],
)
def test_colors_that_no_profile_describes_are_told_of(encode, picture, primaries, curve, expected):
    notes = read_photo(encode(picture, color_primaries=primaries, transfer_characteristics=curve)).metadata.notes
    assert len(notes) == len(expected)
    for note, words in zip(notes, expected, strict=True):
        assert words in note


@pytest.mark.heif
def test_the_main_picture_is_read_and_the_others_are_told_of(encode, picture):
    other = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    data = encode(other, save_all=True, append_images=[picture], primary_index=1)
    photo = read_photo(data)
    assert "several pictures" in photo.metadata.notes[0]
    assert np.abs(photo.pixels.astype(int) - np.asarray(picture)).mean() < 4
    assert len(read_frames(data)) == 2


@pytest.mark.heif
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_damaged_file_is_refused(encode, picture, share):
    data = encode(picture)
    for salvage in (False, True):
        with pytest.raises(InvalidImageError):
            read_photo(data[: int(share * len(data))], salvage=salvage)


@pytest.mark.heif
def test_the_limit_of_pixels_holds_before_decoding(encode, picture):
    with pytest.raises(InvalidImageError, match="more than the limit"):
        read_photo(encode(picture), max_pixels=10_000)
