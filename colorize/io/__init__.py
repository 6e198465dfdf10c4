"""Opening and writing photographs: the only code of the project that does either.

Whatever the file holds, a photograph comes in as sRGB, upright, 8 or 16 bits per channel, and everything that had to be
changed or left out on the way is a sentence in ``image.metadata.notes``. Whatever goes wrong is one `InvalidImageError`
of one line. Output files appear whole or not at all, and the same picture always gives the same bytes.

Pillow reads and writes; where it would cut 16 bits to 8, OpenCV (colour PNG and TIFF), tifffile (planes of a TIFF),
``colorize.io.icc`` (colour profiles) and ``colorize.io.writing`` (TIFF output) step in.
"""

from colorize._support.formats import output_format
from colorize.io.reading import MAX_PIXELS, PHOTO_SUFFIXES, count_pixels, find_photos, read_frames, read_photo, read_xmp
from colorize.io.writing import encode_preview, encode_screen, write_frames, write_photo

__all__ = [
    "MAX_PIXELS",
    "PHOTO_SUFFIXES",
    "count_pixels",
    "encode_preview",
    "encode_screen",
    "find_photos",
    "output_format",
    "read_frames",
    "read_photo",
    "read_xmp",
    "write_frames",
    "write_photo",
]
