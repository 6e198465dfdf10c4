"""Endings that can be written."""

from pathlib import Path

import pytest

from colorize._support.formats import container_format, output_format
from colorize.exceptions import OutputFormatError


def test_names_of_pictures():
    assert output_format(Path("a.JPG")) == "JPEG"
    assert output_format(Path("a.tiff"), all_frames=True) == "TIFF"
    with pytest.raises(OutputFormatError, match=r"a\.png: all frames together need a TIFF file; use \.tif"):
        output_format(Path("a.png"), all_frames=True)


def test_names_of_films():
    assert container_format(Path("a.MOV")) == "mov"
    with pytest.raises(OutputFormatError, match=r"\.mp4, \.m4v, \.mov, \.mkv"):
        container_format(Path("a.avi"))
