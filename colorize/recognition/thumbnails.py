"""Tiny pictures of training regions: an opt-in part of a model, so that an explanation can show what it remembers.

A picture is a row of bytes, never an encoded image: nothing has to be decoded, and a file cannot announce more pixels
than it holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.color import lab_to_rgb
from colorize.exceptions import DatasetError
from colorize.types import Float32, Superpixels

SIDE = 24
"""Height and width in pixels."""

REGIONS_ACROSS = 3.0
"""Regions that a thumbnail spans: the region that it is about, and its neighbours."""

# The eye looks for detail in lightness: with colour at full size a picture takes 1728 bytes and not 648.
_COLOR_SIDE = SIDE // 4
_N_LIGHTNESS = SIDE * SIDE
_N_BYTES = _N_LIGHTNESS + 2 * _COLOR_SIDE**2
_LONGEST_NAME = 60


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Pictures of some of the training regions that a model remembers, and the names of its photographs.

    Attributes
    ----------
    row : ndarray, shape (n,), int32
        Which rows of the model's sample they show, ascending.
    pixels : ndarray, shape (n, 648), uint8
        Each 24 x 24 pixels of lightness (255 is L* 100), then 6 x 6 of a* and b* (128 is neutral).
    names : tuple of str
        File names of the training photographs by number, without folders, at most 60 characters; photographs that the
        model learnt of later have none.

    Raises
    ------
    ValueError
        The parts do not fit together, or a name is no plain file name.

    See Also
    --------
    cut_thumbnails : The stage before.
    colorize.explanation.explainer.Memories : Shows them.
    """

    row: NDArray[np.int32]
    pixels: NDArray[np.uint8]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        # A model file may come from anybody: whoever shows a picture relies on what is checked here.
        row, pixels = self.row, self.pixels
        if row.dtype != np.int32 or row.ndim != 1 or not len(row) or row[0] < 0 or (np.diff(row) <= 0).any():
            raise ValueError("thumbnail.row must be ascending int32 rows of the sample, at least one")
        if pixels.dtype != np.uint8 or pixels.shape != (len(row), _N_BYTES):
            raise ValueError(
                f"thumbnail.pixels must be uint8 {(len(row), _N_BYTES)}, got {pixels.dtype} {pixels.shape}"
            )
        for name in self.names:
            if not isinstance(name, str) or name != photo_name(name):
                raise ValueError("photo_names must be plain file names of at most 60 characters")

    def picture(self, row: int) -> NDArray[np.uint8] | None:
        """sRGB pixels of a row of the sample, shape (24, 24, 3); None if there is no picture of it."""
        place = int(np.searchsorted(self.row, row))
        if place == len(self.row) or self.row[place] != row:
            return None
        values = self.pixels[place].astype(np.float32)
        lightness = values[:_N_LIGHTNESS].reshape(SIDE, SIDE) / 2.55
        ab = values[_N_LIGHTNESS:].reshape(_COLOR_SIDE, _COLOR_SIDE, 2) - 128
        ab = cv2.resize(ab, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        return np.asarray(lab_to_rgb(lightness, ab), np.uint8)

    def name(self, photo: int) -> str:
        """What a training photograph is called."""
        return self.names[photo] if 0 <= photo < len(self.names) else f"photo {photo + 1}"

    @classmethod
    def chosen(cls, pixels: NDArray[np.uint8], names: Sequence[str], n_bytes: int) -> Thumbnails:
        """As many of the rows of a sample as a budget allows, evenly spread.

        Parameters
        ----------
        pixels : ndarray, shape (n_sample_rows, 648), uint8
        names : sequence of str
            Of the photographs; folders are taken off.
        n_bytes : int
            For pictures and names together. All rows of the usual sample of 4000 take 2.6 million.
        """
        plain = tuple(map(photo_name, names))
        n_kept = min(room_for(plain, n_bytes), len(pixels))
        # Even steps, because rows lie in the order of the photographs: each of them keeps some.
        row = np.linspace(0, len(pixels) - 1, n_kept).round().astype(np.int32)
        return cls(row, np.ascontiguousarray(pixels[row]), plain)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Entries for the header and arrays of a model file."""
        return {"photo_names": list(self.names)}, {"thumbnail.pixels": self.pixels, "thumbnail.row": self.row}

    @classmethod
    def unpack(
        cls, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray], Thumbnails | None]:
        """Take the thumbnails out of what a model file holds: the rest of the header and arrays, and them or None.

        Raises
        ------
        ValueError
            Only some of the parts are there, or they do not fit together or to the sample.
        """
        others = {name: array for name, array in arrays.items() if not name.startswith("thumbnail.")}
        entries = {name: value for name, value in header.items() if name != "photo_names"}
        if len(others) == len(arrays) and len(entries) == len(header):
            return entries, others, None
        names, sample = header.get("photo_names"), arrays.get("sample.photo")
        if set(arrays) - set(others) != {"thumbnail.pixels", "thumbnail.row"} or not isinstance(names, list):
            raise ValueError("thumbnails need photo_names, thumbnail.pixels and thumbnail.row, and nothing else")
        found = cls(arrays["thumbnail.row"], arrays["thumbnail.pixels"], tuple(names))
        if sample is None or found.row[-1] >= sample.size:
            raise ValueError("thumbnail.row goes beyond the sample")
        return entries, others, found


def checked_names(names: Sequence[str], n_photos: int, n_bytes: int) -> tuple[str, ...]:
    """Names of the photographs as a model keeps them; numbers if there are none.

    Raises
    ------
    DatasetError
        No thumbnail fits beside them.
    ValueError
        They are not as many as the photographs.
    """
    plain = tuple(map(photo_name, names or (f"photo {i + 1}" for i in range(n_photos))))
    if len(plain) != n_photos:
        raise ValueError(f"names must name {n_photos} photographs, got {len(plain)}")
    room_for(plain, n_bytes)
    return plain


def room_for(names: Sequence[str], n_bytes: int) -> int:
    """How many thumbnails fit beside the names of their photographs.

    Raises
    ------
    DatasetError
        None does.
    """
    n_names = len(json.dumps(json.dumps(list(names))))  # as it lies in the header: text within text
    # Four bytes more for the row that a picture belongs to.
    n_kept = (n_bytes - n_names) // (_N_BYTES + 4)
    if n_kept < 1:
        raise DatasetError(
            f"thumbnails: {n_bytes / 1000:g} kB hold none beside the names of {len(names)} photographs, which take "
            f"{n_names / 1000:.1f} kB; allow more"
        )
    return n_kept


def cut_thumbnails(lightness: Float32, ab: Float32, superpixels: Superpixels) -> NDArray[np.uint8]:
    """A picture of every region of a photograph and its surroundings, shape (n_superpixels, 648), uint8.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        At the resolution of the superpixels.
    ab : ndarray, shape (H, W, 2), float32
        True colours.
    superpixels : Superpixels

    See Also
    --------
    Thumbnails.chosen : The stage after: those that a model keeps.
    """
    scale = SIDE / (REGIONS_ACROSS * float(superpixels.areas.mean()) ** 0.5)
    size = tuple(max(1, round(n * scale)) for n in lightness.shape[::-1])
    lab = np.dstack([lightness * 2.55, ab + 128]).astype(np.float32)
    small = cv2.resize(lab, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    half = SIDE // 2
    # Regions at the border have pictures too, and these have one size.
    padded = np.pad(small, ((half, half), (half, half), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE), axis=(0, 1))
    row, col = np.round((superpixels.centroids + 0.5) * [size[1], size[0]] / superpixels.shape).astype(np.intp).T
    patches = np.clip(np.round(windows[row, col]), 0, 255)  # region, channel, row, column
    colors = patches[:, 1:].reshape(-1, 2, _COLOR_SIDE, 4, _COLOR_SIDE, 4).mean(axis=(3, 5)).round()
    parts = (patches[:, 0].reshape(-1, _N_LIGHTNESS), np.moveaxis(colors, 1, -1).reshape(len(row), -1))
    return np.concatenate(parts, axis=1).astype(np.uint8)


def photo_name(name: str) -> str:
    """The file name alone, printable and short: a model file tells nobody where its photographs lay.

    Examples
    --------
    >>> photo_name("/home/anna/albums/aunt.jpg")
    'aunt.jpg'
    """
    # Both separators, because a model goes from one system to another.
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter if letter.isprintable() else "?" for letter in last)[:_LONGEST_NAME]
