"""HEIC photographs, as telephones make them: decoded by pillow-heif where the extra ``heif`` is installed."""

from __future__ import annotations

from functools import cache

from PIL import Image

from colorize._support.optional import import_or_raise
from colorize.exceptions import InvalidImageError, MissingDependencyError

_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
# The length is the file's own claim: not followed further than any real list of brands.
_LONGEST_HEADER = 256

# Of ITU-T H.273: what may be taken for sRGB (or is not stated), and transfer curves of high dynamic range.
_SRGB_PRIMARIES, _HDR_CURVES = (1, 2), (16, 18)


def is_heif(data: bytes) -> bool:
    """Tell by the first bytes of a file; AVIF is packed alike, but Pillow reads that itself."""
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), _LONGEST_HEADER)
    # The main brand, four bytes of version, then the compatible ones. AVIF files name mif1 as well,
    # so their own brands decide.
    brands = {data[8:12], *(data[k : k + 4] for k in range(16, end, 4))}
    return bool(brands & _BRANDS) and not brands & _AVIF_BRANDS


@cache
def register() -> None:
    """Teach Pillow to open them; without the extra an `InvalidImageError` names it."""
    try:
        plugin = import_or_raise("pillow_heif", extra="heif")
    except MissingDependencyError as error:
        # Of the photograph, not of the installation: whatever `read_photo` cannot read is an
        # InvalidImageError, and the other photographs of a folder are gone on with.
        raise InvalidImageError(f"a HEIC photograph, and {error} (or save the photograph as JPEG)") from error
    # Previews and depth maps would be decoded too, and nobody looks at them.
    plugin.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def color_notes(picture: Image.Image) -> list[str]:
    """What is lost of the colours of a HEIC photograph, which are described twice over."""
    stated = picture.info.get("nclx_profile") or {}
    if stated.get("transfer_characteristics") in _HDR_CURVES:
        return ["its high dynamic range was read as if it were sRGB: lightness is off"]
    if stated.get("color_primaries", 2) not in _SRGB_PRIMARIES and not picture.info.get("icc_profile"):
        return ["its wide colors come without a color profile and were taken for sRGB"]
    return []
