"""A folder of photographs, checked: what can teach colours is kept, the rest is left out with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize._support.bits import to_8_bit
from colorize._support.formats import NOTES
from colorize._support.progress import Progress
from colorize._support.shrink import shrink
from colorize.color import rgb_to_lab, rgb_to_lightness
from colorize.exceptions import ColorizeError, DatasetError, InvalidImageError
from colorize.io import find_photos, read_photo
from colorize.types import Float32, RgbImage

# Ten photographs alone did worse than the default model on all four kinds measured, 25 better (docs/base_models.md).
FEW_PHOTOS = 25
"""With fewer the colours of a model are mostly those of the single photographs."""

_LEAST_SIDE = 64  # of a photograph to learn from, once it is scaled

# Set by measuring 1,300 photographs of everyday scenes, portraits and streets, and 22 scans of old prints.
# In ab units: gray prints and evenly toned ones reach 1.1, colour photographs start at 1.3. A strongly toned print with
# stains or retouching has up to 3.4 and passes: by no measure tried does it differ from a photograph of sand.
_MIN_TINT_DEVIATION = 1.25
_GRAY_CHROMA = 2.0  # mean chroma that separates "gray" from "toned" in the report; both are left out
_MAX_EXTREME_SHARE = 0.85  # of pixels nearly black (L* < 5) or nearly white (L* > 97); real photographs stay below 0.72
# A cut-out has no surroundings to learn from; round corners or a thin frame do no harm.
_MAX_TRANSPARENT_SHARE = 0.1
_SAME_PICTURE = 0.98  # correlation; a rescaled, recompressed copy has at least 0.996, different pictures at most 0.95
# A small copy tells as well whether there are colours, and the averaging takes out the coloured
# grain of sensors, which would count as colour.
_MEASURING_SIDE = 128
# Coarse, so that scaling and compression do not show; 10,000 photographs take 10 MB.
_THUMBNAIL_SIDE = 16


@dataclass(frozen=True)
class LeftOut:
    """One photograph that is not used.

    Attributes
    ----------
    name : str
        Path relative to the folder, with forward slashes.
    reason : str
        A group of its own in the report: unreadable, too small, colorized, transparent, too dark, too bright, gray,
        toned, duplicate.
    detail : str
        What was found.
    """

    name: str
    reason: str
    detail: str


@dataclass(frozen=True)
class DatasetReport:
    """What became of the files of a folder.

    Attributes
    ----------
    n_files : int
        Photograph files found.
    n_examined : int
        Files opened; with a limit, opening stops when enough are found.
    n_used : int
        Photographs in the set.
    left_out : tuple of LeftOut
        The rest of the examined files, by name.
    """

    n_files: int
    n_examined: int
    n_used: int
    left_out: tuple[LeftOut, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Photographs left out, per reason, most frequent first."""
        return dict(Counter(item.reason for item in self.left_out).most_common())

    def __str__(self) -> str:
        lines = [f"{self.n_used} photographs used; {self.n_examined} of {self.n_files} files examined"]
        width = max((len(item.name) for item in self.left_out), default=0)
        for reason, count in self.counts.items():
            lines.append(f"{count} left out: {reason}")
            lines += [f"  {item.name:<{width}}  {item.detail}" for item in self.left_out if item.reason == reason]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Photographs ready for training or measuring, in the order of their names.

    Attributes
    ----------
    photos : tuple of RgbImage
        8-bit sRGB, no larger than asked for, without alpha and metadata.
    names : tuple of str
        Path of each relative to the folder, with forward slashes.
    report : DatasetReport
        What was left out and why.

    See Also
    --------
    load_folder : Makes one.
    colorize.colorizer.Colorizer.fit : Learns from its photographs.
    """

    photos: tuple[RgbImage, ...]
    names: tuple[str, ...]
    report: DatasetReport

    def __len__(self) -> int:
        return len(self.photos)

    def split(self, fraction: float = 0.2, *, random_state: int = 0) -> tuple[TrainingSet, TrainingSet]:
        """Cut the set in two by photograph: most of it, and a part held out.

        Parameters
        ----------
        fraction : float
            Share held out, between 0 and 1; each part gets at least one photograph.
        random_state : int
            Seed of the choice.

        Returns
        -------
        kept, held_out : TrainingSet
            Both with the report of the whole set.

        Raises
        ------
        ValueError
            `fraction` is not between 0 and 1, or there are fewer than two photographs.

        Examples
        --------
        >>> photos = tuple(RgbImage(np.zeros((2, 2, 3), np.uint8)) for _ in range(5))
        >>> whole = TrainingSet(photos, tuple("abcde"), DatasetReport(5, 5, 5, ()))
        >>> kept, held_out = whole.split(0.4)
        >>> len(kept), len(held_out)
        (3, 2)
        """
        if not 0 < fraction < 1:
            raise ValueError(f"fraction must lie between 0 and 1, got {fraction!r}")
        if len(self) < 2:
            raise ValueError(f"a set of {len(self)} photograph cannot be split")
        # Rounding must leave neither part empty.
        n_held_out = min(max(round(fraction * len(self)), 1), len(self) - 1)
        order = np.random.default_rng(random_state).permutation(len(self))
        return self._part(order[n_held_out:]), self._part(order[:n_held_out])

    def only(self, wanted: Sequence[bool]) -> TrainingSet:
        """Keep the photographs marked True; the report stays that of the whole set."""
        return self._part(np.flatnonzero(wanted))

    def doubles(self) -> dict[str, str]:
        """Photographs that are nearly the same as one before, also mirrored, by name; each with what it repeats."""
        gallery = _Gallery(len(self))
        found = {
            name: gallery.add(name, to_8_bit(photo.pixels)) for name, photo in zip(self.names, self.photos, strict=True)
        }
        return {name: problem[1] for name, problem in found.items() if problem}

    def _part(self, indices: NDArray[np.intp]) -> TrainingSet:
        # In the order of names, so that the order of drawing plays no part in what is learnt.
        chosen = sorted(indices.tolist())
        return TrainingSet(tuple(self.photos[i] for i in chosen), tuple(self.names[i] for i in chosen), self.report)


def load_folder(
    folder: str | Path,
    *,
    limit: int | None = None,
    max_side: int = 640,
    select: bool = True,
    random_state: int = 0,
    progress: Progress | None = None,
) -> TrainingSet:
    """Read the photographs of a folder and its sub-folders, and leave out what cannot teach colours.

    Left out are files that cannot be read, pictures that were colorized (a note in the file says so), and photographs
    whose shorter side has less than 64 pixels once they are scaled, that are mostly transparent, nearly all black or
    white, gray, toned in one colour (sepia: the colour follows from the lightness), or nearly the same as another one,
    also mirrored. When too much is left out, read ``report``: it has a line for every file.

    Parameters
    ----------
    folder : str or Path
        Searched with its sub-folders.
    limit : int, optional
        Use at most this many: a random sample of what is usable, chosen by `random_state`. Files are opened in random
        order until there are enough, so that a small sample of a large folder is quick.
    max_side : int
        Larger photographs are scaled down to this many pixels on the longer side (area averaging). One photograph
        then takes at most ``3 * max_side**2`` bytes, commonly 0.9 MB.
    select : bool
        False keeps every photograph that can be read, is large enough and was not colorized: for measuring, not for
        training.
    random_state : int
        Seed of the sample.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    TrainingSet

    Raises
    ------
    DatasetError
        The folder does not exist or holds no photographs, or fewer than two of them (one, without `select`) are usable.
    ValueError
        `limit` or `max_side` is too small.

    See Also
    --------
    load_photo : A single photograph, whatever its colours.
    colorize.io.find_photos : The stage before: which files are photographs.
    colorize.colorizer.Colorizer.fit : The stage after.
    """
    folder = Path(folder)
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit!r}")
    if max_side < _LEAST_SIDE:
        raise ValueError(f"max_side must be at least {_LEAST_SIDE}, got {max_side!r}")
    names = _photo_names(folder)
    # Without a limit the order of names: of two equal pictures the same one stays on every machine.
    order = np.random.default_rng(random_state).permutation(len(names)) if limit else np.arange(len(names))
    wanted = min(limit or len(names), len(names))
    gallery = _Gallery(len(names))
    found: dict[str, RgbImage] = {}
    left_out: list[LeftOut] = []
    for index in order:
        name = names[index]
        outcome = _examine(folder / name, name, max_side, gallery if select else None)
        if isinstance(outcome, LeftOut):
            left_out.append(outcome)
        else:
            found[name] = outcome
        if progress:
            # With a limit, reading ends when enough are found, however many were opened for it.
            progress("reading photographs", len(found) if limit else len(found) + len(left_out), wanted)
        if len(found) == wanted:
            break
    left_out.sort(key=lambda item: item.name)
    report = DatasetReport(len(names), len(found) + len(left_out), len(found), tuple(left_out))
    # Training needs a second photograph, because calibration holds out every other one.
    at_least = 2 if select else 1
    if report.n_used < at_least:
        reasons = ", ".join(f"{count} {reason}" for reason, count in report.counts.items()) or "none left out"
        raise DatasetError(
            f"{folder}: {report.n_used} of {report.n_examined} photographs usable ({reasons}); "
            f"at least {at_least} needed"
        )
    chosen = sorted(found)
    return TrainingSet(tuple(found[name] for name in chosen), tuple(chosen), report)


def load_photo(path: str | Path, *, max_side: int = 640) -> TrainingSet:
    """Read one photograph as a set of its own, scaled as `load_folder` does; it is used whatever its colours.

    Raises
    ------
    InvalidImageError
        It cannot be read, or has less than 16 pixels on a side.

    See Also
    --------
    load_folder : Many photographs, chosen.
    colorize.evaluation.run.evaluate_model : Measures on it.
    """
    path = Path(path)
    pixels = shrink(to_8_bit(read_photo(path).pixels), max_side)
    if min(pixels.shape[:2]) < 16:
        raise InvalidImageError(f"{path}: {pixels.shape[1]} x {pixels.shape[0]} pixels, 16 needed on each side")
    return TrainingSet((RgbImage(pixels),), (path.name,), DatasetReport(1, 1, 1, ()))


def has_colors(photo: RgbImage) -> bool:
    """Whether a photograph has colours that one could measure against: it is neither gray nor toned in one colour.

    See Also
    --------
    load_folder : Leaves such photographs out.
    colorize.guidance.references.look_at : Refuses them.

    Examples
    --------
    >>> has_colors(RgbImage(np.full((64, 64, 3), 90, np.uint8)))
    False
    """
    lab = rgb_to_lab(shrink(to_8_bit(photo.pixels), _MEASURING_SIDE)).reshape(-1, 3)
    return _tint_deviation(lab[:, 0], lab[:, 1:]) >= _MIN_TINT_DEVIATION


def _photo_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        raise DatasetError(f"{folder}: {what}; name a folder of photographs")
    names = sorted(path.relative_to(folder).as_posix() for path in find_photos(folder))
    if not names:
        raise DatasetError(f"{folder}: holds no photographs, neither itself nor in its sub-folders")
    return names


def _examine(path: Path, name: str, max_side: int, gallery: _Gallery | None) -> RgbImage | LeftOut:
    """The photograph as it will be used, or why it will not."""
    try:
        photo = read_photo(path)
    # One damaged file must not end the reading of a large folder.
    except (ColorizeError, OSError) as error:
        return LeftOut(name, "unreadable", _without_path(error, path))
    # Scaled first: a panorama can be large enough in the file and too low once it fits.
    pixels = shrink(to_8_bit(photo.pixels), max_side)
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        height, width = photo.shape
        return LeftOut(name, "too small", f"{width} x {height} pixels, {_LEAST_SIDE} needed after scaling")
    if NOTES in (photo.metadata.xmp or b""):
        # Learning from what a model guessed, the next would only be surer of it; and it is no truth to measure with.
        return LeftOut(name, "colorized", "a note in the file says that its colours are simulated")
    if gallery is not None:
        # The gallery comes last: what is left out for its colours must not make a later photograph its duplicate.
        problem = _transparency_problem(photo) or _colour_problem(pixels) or gallery.add(name, pixels)
        if problem:
            return LeftOut(name, *problem)
    return RgbImage(pixels)


def _without_path(error: Exception, path: Path) -> str:
    message = (error.strerror or "cannot be read") if isinstance(error, OSError) else str(error)
    return " ".join(message.removeprefix(f"{path}: ").split())


def _transparency_problem(photo: RgbImage) -> tuple[str, str] | None:
    if photo.alpha is None:
        return None
    share = float(np.mean(photo.alpha < np.iinfo(photo.alpha.dtype).max // 2))
    if share <= _MAX_TRANSPARENT_SHARE:
        return None
    return "transparent", f"{share:.0%} of the pixels are transparent"


def _colour_problem(pixels: NDArray[np.uint8]) -> tuple[str, str] | None:
    lab = rgb_to_lab(shrink(pixels, _MEASURING_SIDE)).reshape(-1, 3)
    lightness, ab = lab[:, 0], lab[:, 1:]
    # Before the colours: a black picture has none either, and "too dark" says more than "gray".
    dark, bright = float(np.mean(lightness < 5)), float(np.mean(lightness > 97))
    if dark > _MAX_EXTREME_SHARE:
        return "too dark", f"{dark:.0%} of the pixels are nearly black"
    if bright > _MAX_EXTREME_SHARE:
        return "too bright", f"{bright:.0%} of the pixels are nearly white"
    deviation = _tint_deviation(lightness, ab)
    if deviation >= _MIN_TINT_DEVIATION:
        return None
    chroma = float(np.hypot(ab[:, 0], ab[:, 1]).mean())
    detail = f"mean chroma {chroma:.1f}, colour beyond one tint {deviation:.1f}"
    return ("gray" if chroma < _GRAY_CHROMA else "toned"), detail


def _tint_deviation(lightness: Float32, ab: Float32) -> float:
    """Root mean square distance of ab from the mean ab of equally light pixels: 0 for gray and for an even tone."""
    # A tone follows lightness slowly: within 5 L* it is one colour, and what is left is colour that
    # lightness does not tell.
    level = np.minimum(lightness / 5, 19).astype(np.intp)
    count = np.maximum(np.bincount(level, minlength=20), 1)
    tint = np.stack([np.bincount(level, weights=channel, minlength=20) / count for channel in ab.T], axis=1)
    return float(np.sqrt(np.mean(np.sum((ab - tint[level]) ** 2, axis=1))))


class _Gallery:
    """Tiny lightness pictures of the photographs accepted so far, to recognise one that comes again."""

    def __init__(self, capacity: int) -> None:
        # One block for all: adding arrays one by one would copy them again with every photograph.
        self._vectors = np.empty((capacity, _THUMBNAIL_SIDE**2), np.float32)
        self._names: list[str] = []

    def add(self, name: str, pixels: NDArray[np.uint8]) -> tuple[str, str] | None:
        """Take a photograph in, or say which earlier one it repeats."""
        # The newcomer is mirrored, so that what was accepted is kept once.
        straight, mirrored = _thumbnails(pixels)
        known = self._vectors[: len(self._names)]
        for vector, relation in ((straight, "same picture as"), (mirrored, "mirror image of")):
            likeness = known @ vector
            if likeness.size and likeness.max() > _SAME_PICTURE:
                return "duplicate", f"{relation} {self._names[int(likeness.argmax())]}"
        self._vectors[len(self._names)] = straight
        self._names.append(name)
        return None


def _thumbnails(pixels: NDArray[np.uint8]) -> tuple[Float32, Float32]:
    """Unit vectors of a tiny lightness picture and of its mirror image."""
    size = (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE)
    thumbnail = rgb_to_lightness(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    # Without mean and length a product of two is their correlation: exposure and contrast drop out.
    # An even picture has no length; it is to be like nothing, and not NaN.
    thumbnail = thumbnail - thumbnail.mean()
    thumbnail /= max(float(np.linalg.norm(thumbnail)), 1e-3)
    return thumbnail.ravel(), thumbnail[:, ::-1].ravel()
