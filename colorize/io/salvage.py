"""Reading what is left of a damaged photograph.

A decoder writes rows from the top until the data end or turn to nonsense. It is given two pictures to write over, one
of zeros and one of ones: a row that is the same in both afterwards was written, and is the photograph's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFile

from colorize.exceptions import DamagedImageError

LEAST_READABLE = 0.1
"""Share of the rows that must be there, counted from the top."""

# Markers of JPEG: end of image, start of a progressive frame, start of a scan.
_JPEG_END, _PROGRESSIVE, _SCAN = b"\xff\xd9", b"\xff\xc2", b"\xff\xda"


def salvaged(data: bytes, open_picture: Callable[[bytes], ImageFile.ImageFile]) -> tuple[ImageFile.ImageFile, int, str]:
    """Load what can be read of a picture that `open_picture` opens, standing on the wanted frame.

    Gives the picture, how many of its rows, from the top as they lie in the file, could be read (what is below means
    nothing), and a sentence that says so. Raises `DamagedImageError` for less than `LEAST_READABLE` of them.
    """
    is_progressive = bool(open_picture(data).info.get("progressive"))
    ended = data + _JPEG_END if is_progressive else data  # every scan adds detail everywhere: nothing is written before
    # Pillow's own LOAD_TRUNCATED_IMAGES counts for the whole process and does not say where data
    # ended. 0 and 1 are values of every mode, that of one bit included.
    picture, other = (_written_over(open_picture(ended), value) for value in (0, 1))
    height = picture.size[1]
    is_read = (np.asarray(picture) == np.asarray(other)).reshape(height, -1).all(axis=1)
    # Up to the first gap: below it, a row can be the same in both and mean nothing.
    n_rows = height if is_read.all() else int(is_read.argmin())
    # The last marker of a progressive frame, since a thumbnail in the EXIF brings its own. The
    # first scan alone is a mosaic of 8 x 8 blocks.
    ends_in_first_scan = is_progressive and data.count(_SCAN, data.rfind(_PROGRESSIVE)) < 2
    if n_rows < LEAST_READABLE * height or ends_in_first_scan:
        raise DamagedImageError(f"the picture data is damaged, and less than {LEAST_READABLE:.0%} of it can be read")
    if n_rows < height:
        return picture, n_rows, f"{100 * n_rows // height} % of its rows could be read, the rest is black"
    return picture, n_rows, f"all of its rows could be read{', some in less detail' if is_progressive else ''}"


def _written_over(picture: ImageFile.ImageFile, value: int) -> ImageFile.ImageFile:
    """Decode onto a picture that has this value everywhere."""
    n_bands = len(picture.getbands())
    picture.im = Image.new(picture.mode, picture.size, value if n_bands == 1 else (value,) * n_bands).im
    # The error is known already: it is why we are here.
    with contextlib.suppress(OSError):
        picture.load()
    picture.tile = []  # loaded, as far as it goes
    return picture
