"""What the encoder sees: crops of colour photographs, made to look like the gray ones that people bring."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.color import rgb_to_lab
from colorize.features.encoder import full_range
from colorize.training.dataset import TrainingSet, load_folder

CROP = 160
STRIDE = 4
"""Pixels of the photograph per place for which colours are predicted, along each side."""

_MAX_SIDE = 360
_SCALES = 0.68, 1.5  # sides of a crop, before it is scaled, in units of CROP
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)

Gray = NDArray[np.float32]


@dataclass(frozen=True)
class Collection:
    """Photographs of several folders, and which of them the encoder is never shown."""

    names: tuple[str, ...]
    pixels: tuple[NDArray[np.uint8], ...]

    def part(self, held_out: bool) -> Collection:
        """The photographs held out, or all others; by name, so that it is the same in every run."""
        chosen = [i for i, name in enumerate(self.names) if is_held_out(name) == held_out]
        return Collection(tuple(self.names[i] for i in chosen), tuple(self.pixels[i] for i in chosen))


def is_held_out(name: str) -> bool:
    """Whether a photograph is kept for the machine that judges what the encoder says: one in five, by its name."""
    import hashlib

    return hashlib.sha256(name.encode()).digest()[0] < 256 / 5


def load_collection(folders: Sequence[Path]) -> Collection:
    """Read folders of colour photographs, without those that must be shared alike (`SOURCES.csv`, column licence)."""
    names: list[str] = []
    pixels: list[NDArray[np.uint8]] = []
    for folder in folders:
        found = load_folder(folder, max_side=_MAX_SIDE)
        kept = found.only([not is_share_alike(licence) for licence in licences(folder, found)])
        names += [f"{folder.name}/{name}" for name in kept.names]
        pixels += [np.asarray(photo.pixels, np.uint8) for photo in kept.photos]
    return Collection(tuple(names), tuple(pixels))


def licences(folder: Path, photographs: TrainingSet) -> list[str]:
    """Licence of every photograph, where the folder has a table of them, else nothing."""
    table = folder / "SOURCES.csv"
    if not table.is_file():
        return [""] * len(photographs)
    with table.open(encoding="utf-8", newline="") as file:
        stated = {row["file"]: row.get("licence") or "" for row in csv.DictReader(file)}
    return [stated.get(name, "") for name in photographs.names]


def is_share_alike(licence: str) -> bool:
    """Whether a licence asks that works made from the photograph bear the same one."""
    return any(word in licence for word in ("-SA", "ShareAlike", "GFDL"))


@dataclass(frozen=True)
class Crop:
    """A square part of a photograph."""

    lightness: Gray
    """As film may have seen it, (CROP, CROP), 0..1."""
    ab: NDArray[np.float32]
    """True colours at STRIDE, (CROP / STRIDE, CROP / STRIDE, 2)."""
    rgb: NDArray[np.uint8]
    """As it was, (CROP, CROP, 3)."""


def crop(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Crop:
    """Cut out a part of random size and place, scale and age it."""
    height, width = pixels.shape[:2]
    longest = min(height, width)
    side = int(np.clip(np.exp(rng.uniform(*np.log(_SCALES))) * CROP, min(48, longest), longest))
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    part = pixels[top : top + side, left : left + side]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    method = cv2.INTER_AREA if side > CROP else cv2.INTER_LINEAR
    part = cv2.resize(np.ascontiguousarray(part), (CROP, CROP), interpolation=method)
    lab = rgb_to_lab(part)
    ab = cv2.resize(lab[..., 1:], (CROP // STRIDE, CROP // STRIDE), interpolation=cv2.INTER_AREA)
    lightness = lab[..., 0] / np.float32(100)
    if rng.random() < 0.3:
        lightness = _film(part, lightness, rng)
    return Crop(_aged(lightness, rng), ab, part)


def _film(part: NDArray[np.uint8], lightness: Gray, rng: np.random.Generator) -> Gray:
    """Another film: early emulsions saw blue as light and red as dark; sRGB levels are nearly linear in L*."""
    weights = (_LUMA + rng.uniform(0, 1) * (rng.dirichlet((0.7, 1.5, 1.5)) - _LUMA)).astype(np.float32)
    linear = (part.astype(np.float32) / 255) ** np.float32(2.2)
    seen: Gray = np.power(linear @ weights, np.float32(1 / 2.4))
    share = np.float32(rng.uniform(0.3, 1))
    return lightness + share * (seen - lightness)


def _aged(lightness: Gray, rng: np.random.Generator) -> Gray:
    """Fading, wrong exposure, soft lenses, low resolution, grain, blotches, scratches: each on some photographs."""
    aged = lightness
    if rng.random() < 0.15:
        small = max(40, int(CROP * rng.uniform(0.3, 0.8)))
        aged = cv2.resize(cv2.resize(aged, (small, small), interpolation=cv2.INTER_AREA), (CROP, CROP))
    if rng.random() < 0.2:
        aged = cv2.GaussianBlur(aged, (0, 0), float(rng.uniform(0.5, 1.6)))
    if rng.random() < 0.6:
        aged = np.clip(aged, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.5:
        contrast, black = rng.uniform(0.6, 1.15), rng.uniform(0, 1)
        aged = (aged - 0.5) * np.float32(contrast) + np.float32(0.5 + (black - 0.5) * max(0, 1 - contrast))
    if rng.random() < 0.1:
        blotch = cv2.resize(rng.normal(0, 1, (4, 4)).astype(np.float32), (CROP, CROP), interpolation=cv2.INTER_CUBIC)
        aged = aged + np.float32(rng.uniform(0.02, 0.07)) * blotch
    if rng.random() < 0.35:
        grain = rng.standard_normal((CROP, CROP), dtype=np.float32)
        if rng.random() < 0.5:
            grain = cv2.GaussianBlur(grain, (0, 0), 0.8) * np.float32(2.5)
        aged = aged + np.float32(rng.uniform(0.005, 0.06)) * grain
    if rng.random() < 0.06:
        aged = np.ascontiguousarray(aged)
        for _ in range(int(rng.integers(1, 5))):
            ends = rng.integers(0, CROP, (2, 2)).tolist()
            cv2.line(aged, ends[0], ends[1], float(rng.choice([0.05, 0.95])), 1, cv2.LINE_AA)
    return np.clip(aged, 0, 1).astype(np.float32)


def whole(pixels: NDArray[np.uint8], side: int) -> tuple[Gray, NDArray[np.float32]]:
    """A photograph as the encoder sees it: of full range, sides multiples of 32, the longer about `side`."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = tuple(max(64, 32 * round(scale * n / 32)) for n in (width, height))
    lab = rgb_to_lab(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    ab = cv2.resize(lab[..., 1:], (size[0] // STRIDE, size[1] // STRIDE), interpolation=cv2.INTER_AREA)
    return full_range(lab[..., 0] / np.float32(100)), ab
