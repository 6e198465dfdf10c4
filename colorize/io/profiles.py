"""Colour profiles: from a photograph's own colours to sRGB, and back for the output.

Pillow applies profiles at 8 bits; at 16 bits ``colorize.io.icc`` does, for profiles that are no tables.
"""

from __future__ import annotations

import io
import struct
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageCms

from colorize._support.bits import to_8_bit
from colorize.io.faults import DECODER_ERRORS
from colorize.io.icc import MatrixProfile, convert, gray_to_srgb, is_alike


def needs_profile(picture: Image.Image) -> bool:
    """Tell whether a colour profile says anything but sRGB; going from sRGB to sRGB would cost a code value."""
    profile = picture.info.get("icc_profile")
    return bool(profile) and not _is_srgb(profile)


# A batch meets the same few profiles again and again, and is asked twice per photograph.
@lru_cache(maxsize=8)
def _is_srgb(profile: bytes) -> bool:
    if profile == _srgb_bytes():  # of our own outputs: no curves need be made
        return True
    matrix = MatrixProfile.parse(profile)
    if matrix is not None:  # not by its name: "Linear sRGB" is another space
        return is_alike(matrix, srgb_matrix())
    try:
        return "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, *DECODER_ERRORS):
        # No error: the profile is then tried, and its failure noted there.
        return False


def _through_profile(picture: Image.Image, notes: list[str]) -> Image.Image | None:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        return ImageCms.profileToProfile(picture, profile, _srgb(), outputMode="RGB")
    except (ImageCms.PyCMSError, *DECODER_ERRORS):
        notes.append("the color profile does not fit the picture or is damaged, and was not applied")
        return None


def own_rgb_profile(picture: Image.Image, notes: list[str]) -> bytes | None:
    """The profile to which the output is converted back: that of RGB colours that are not sRGB."""
    # A profile of gray or CMYK cannot stand in an output of RGB.
    if not needs_profile(picture) or picture.mode not in ("RGB", "RGBA", "RGBX", "RGBa", "P", "PA"):
        return None
    profile = bytes(picture.info["icc_profile"])
    if MatrixProfile.parse(profile) is None:
        notes.append("the color profile is made of tables that lead one way, so the output is in sRGB")
    elif not _leads_both_ways(profile):
        notes.append("the color profile is damaged, so the output is in sRGB")
    else:
        return profile
    return None


@lru_cache(maxsize=8)
def _leads_both_ways(profile: bytes) -> bool:
    """Ask Little CMS, which converts the output at 8 bits: it refuses some profiles that `MatrixProfile` reads."""
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        for source, target in ((own, _srgb()), (_srgb(), own)):
            ImageCms.buildTransform(source, target, "RGB", "RGB")
    except (ImageCms.PyCMSError, *DECODER_ERRORS):
        return False
    return True


def to_srgb(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Convert a colour picture to RGB through its profile, or by Pillow's plain formulas where it has none."""
    if picture.mode in ("P", "PA", "RGBA", "RGBX"):
        picture = picture.convert("RGB")
    if picture.mode == "LAB":
        # Pillow's `convert` knows no way out of Lab.
        converted = ImageCms.profileToProfile(picture, ImageCms.createProfile("LAB"), _srgb(), outputMode="RGB")
        return converted or picture
    if needs_profile(picture):
        converted = _through_profile(picture, notes)
        if converted is not None:
            return converted
    elif picture.mode == "CMYK":
        notes.append("CMYK without a color profile: converted by a plain formula")
    return picture.convert("RGB")


def gray_profile_applied(values: np.ndarray, picture: Image.Image, notes: list[str]) -> np.ndarray:
    """Apply a gray profile by its curve; one of another kind by Little CMS, at 256 levels."""
    if not needs_profile(picture):
        return values
    codes = gray_to_srgb(picture.info["icc_profile"], srgb_matrix())
    if codes is None:
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        ramp.info = picture.info
        converted = _through_profile(ramp, notes)
        if converted is None:
            return values
        if values.dtype == np.uint16:
            notes.append("the color profile of 16-bit gray is of an unusual kind and was applied in 256 steps")
        # Of gray all three channels are equal: any of them will do. 257 = 65535 / 255: where the 8-bit
        # levels lie among those of 16 bits.
        curve = np.asarray(converted)[0, :, 1] * 257.0
        codes = np.rint(np.interp(np.arange(65536) / 257, np.arange(256), curve)).astype(np.uint16)
    return codes[values] if values.dtype == np.uint16 else to_8_bit(codes[::257])[values]


@cache
def srgb_matrix() -> MatrixProfile:
    """The profile of sRGB that 16-bit colours are converted with."""
    profile = MatrixProfile.parse(_srgb_bytes())
    if profile is None:
        raise RuntimeError("Pillow's sRGB profile is no matrix profile")
    return profile


def in_own_colors(pixels: np.ndarray, profile: bytes | None) -> tuple[np.ndarray, bytes]:
    """Pixels in the colours of the photograph's own profile, and the profile to embed."""
    matrix = None if profile is None else MatrixProfile.parse(profile)
    if profile is None or matrix is None:
        return pixels, _srgb_bytes()
    if pixels.dtype == np.uint16:
        return convert(pixels, srgb_matrix(), matrix), profile
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return np.asarray(ImageCms.profileToProfile(picture, _srgb(), own)), profile


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _srgb_bytes() -> bytes:
    """Return the profile that every output file carries, its date of creation (bytes 24 to 35) fixed."""
    profile = _srgb().tobytes()
    # Little CMS writes the time of its call there, and equal pictures would differ in bytes.
    return profile[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + profile[36:]
