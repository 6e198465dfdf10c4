"""Matrix profiles: curves of every kind, and 16-bit colours there and back."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from colorize.io import profiles
from colorize.io.icc import MatrixProfile, _curve, _parametric, convert, gray_to_srgb

LEVELS = np.arange(65536) / 65535


def adobe_like() -> MatrixProfile:
    """A plain gamma curve and the primaries of Adobe RGB (1998), adapted to D50 (its annex B.1)."""
    matrix = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
    return MatrixProfile(np.tile(LEVELS ** (563 / 256), (3, 1)), matrix)


def test_srgb_profile_has_the_curve_of_its_standard():
    srgb = profiles.srgb_matrix()
    expected = np.where(LEVELS <= 0.04045, LEVELS / 12.92, ((LEVELS + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    assert np.abs(srgb.curves - expected).max() < 1e-4  # the profile holds 16-bit numbers
    np.testing.assert_allclose(srgb.matrix.sum(axis=1), [0.9642, 1, 0.8249], atol=2e-4)  # D50


def test_neutral_stays_neutral():
    gray = np.repeat(np.arange(0, 65536, 257, dtype=np.uint16)[:, None, None], 3, axis=2)
    there = convert(gray, profiles.srgb_matrix(), adobe_like())
    assert np.ptp(there.astype(int), axis=2).max() <= 12  # of 65535; both matrices are given to five digits


@settings(max_examples=10)  # every one fills tables of 262144 entries
@given(st.integers(0, 2**32 - 1))
def test_there_and_back_changes_little(seed):
    pixels = np.random.default_rng(seed).integers(0, 65536, (8, 8, 3), np.uint16)
    back = convert(convert(pixels, profiles.srgb_matrix(), adobe_like()), adobe_like(), profiles.srgb_matrix())
    # all of sRGB but its strongest greens lies within; dark codes of the wider space are coarser (slope at black)
    difference = np.abs(back.astype(int) - pixels)
    assert np.median(difference) <= 2
    assert difference[pixels.min(axis=2) > 8000].max(initial=0) <= 16


def test_curves_of_every_kind():
    np.testing.assert_array_equal(_curve(b"curv" + bytes(4) + struct.pack(">I", 0)), LEVELS)
    np.testing.assert_allclose(_curve(b"curv" + bytes(4) + struct.pack(">IH", 1, 512)), LEVELS**2)
    table = struct.pack(">I3H", 3, 0, 0, 65535)
    np.testing.assert_allclose(_curve(b"curv" + bytes(4) + table), np.maximum(2 * LEVELS - 1, 0), atol=1e-12)
    for kind, numbers in enumerate([(2,), (2, 1, 0), (2, 1, 0, 0), (2, 1, 0, 1, 0), (2, 1, 0, 1, 0, 0, 0)]):
        tag = b"para" + bytes(4) + struct.pack(f">H2x{len(numbers)}i", kind, *(65536 * number for number in numbers))
        np.testing.assert_allclose(_curve(tag), LEVELS**2, atol=1e-12)
    assert _parametric(2, np.array([0.1, 0.9]), 1, 1, -0.5, 0.25).tolist() == pytest.approx([0.25, 0.65])
    assert _parametric(4, np.array([0.1, 0.9]), 1, 1, 0, 2, 0.5, 0.01, 0.02).tolist() == pytest.approx([0.22, 0.91])


def test_gray_goes_to_srgb_with_all_its_bits(gray_profile):
    codes = gray_to_srgb(gray_profile(), profiles.srgb_matrix()) / 65535
    light = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    assert np.abs(light - LEVELS ** (563 / 256)).max() < 1e-4  # the profile of sRGB holds 16-bit numbers
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    by_little_cms = ImageCms.profileToProfile(
        ramp, ImageCms.ImageCmsProfile(io.BytesIO(gray_profile())), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert np.abs(codes[::257] * 255 - np.asarray(by_little_cms)[0, :, 1]).max() < 1.1  # it calculates with 8 bits


def test_gray_profiles_of_other_kinds_are_declined(gray_profile):
    flat = b"curv" + bytes(4) + struct.pack(">I2H", 2, 7, 7)
    others = [gray_profile(space=b"Lab "), gray_profile(curve=flat), gray_profile().replace(b"kTRC", b"A2B0")]
    for profile in (*others, b"rubbish", profiles._srgb_bytes()):
        assert gray_to_srgb(profile, profiles.srgb_matrix()) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:140],
        lambda data: data.replace(b"rTRC", b"none"),
        lambda data: data.replace(b"RGB ", b"GRAY"),
        lambda data: data.replace(b"cprt", b"A2B0"),
        lambda data: data[:128] + b"\xff" * 4 + data[132:],
        lambda data: data.replace(b"para\0\0\0\0\0\3", b"para\0\0\0\0\0\7"),
    ],
)
def test_other_and_damaged_profiles_are_declined(damage):
    assert MatrixProfile.parse(profiles._srgb_bytes()) is not None
    assert MatrixProfile.parse(damage(profiles._srgb_bytes())) is None


def test_pixels_in_another_order_of_memory_have_the_same_colours():
    srgb = MatrixProfile.parse(profiles._srgb_bytes())
    pixels = np.random.default_rng(0).integers(0, 65536, (5, 7, 3)).astype(np.uint16)
    np.testing.assert_array_equal(convert(np.asfortranarray(pixels), srgb, srgb), convert(pixels, srgb, srgb))
