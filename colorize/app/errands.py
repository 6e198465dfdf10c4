"""Comparing models on one photograph, and colouring many photographs: errands that need no visit to come back to."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from colorize.app.stages import Told
from colorize.app.uploads import free_name
from colorize.evaluation.measure import Observation, measure
from colorize.evaluation.methods import make_methods
from colorize.evaluation.pictures import Gallery
from colorize.exceptions import ColorizeError, RequestError
from colorize.io import encode_screen, find_photos
from colorize.training.dataset import has_colors
from colorize.types import RgbImage

SHOWN_SIDE = 512
"""Longest side of a comparison's pictures on the page; they are made and measured a little larger."""


@dataclass(frozen=True, eq=False)
class Compared:
    """One method's answer for a photograph.

    Attributes
    ----------
    name : str
    picture : bytes
        JPEG.
    figures : mapping of str to float
        ``ciede2000``, ``psnr_rgb``, ``colorfulness``; without the errors if the true colours are not known.
    seconds : float
    """

    name: str
    picture: bytes
    figures: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Many photographs, coloured.

    Attributes
    ----------
    archive : Path
        Zip of the pictures and of a report.
    n_done : int
    failures : mapping of str to str
        Names of photographs that failed, and why.
    notes : mapping of str to list of str
        What reading and writing changed or left out, such as captions in IPTC form, and of which photographs.
    n_left : int
        Photographs that were not begun.
    """

    archive: Path
    n_done: int
    failures: Mapping[str, str]
    notes: Mapping[str, list[str]]
    n_left: int = 0


def compare(
    photo: RgbImage, specs: Mapping[str, str], *, vividness: float, told: Told
) -> tuple[list[Compared], bytes, bytes | None]:
    """Let several methods colour a photograph.

    Parameters
    ----------
    photo : RgbImage
        No larger than it is to be compared at.
    specs : mapping of str to str
        Names to show, and what `make_methods` calls the methods.
    vividness : float
    told : callable
        Hears how far it has come.

    Returns
    -------
    list of Compared
    gray, true : bytes
        JPEG; no true one if the photograph has no colours.
    """
    methods = make_methods(list(specs.values()), vividness=vividness)
    named = {shown: method.method for shown, method in zip(specs, methods, strict=True)}
    is_colored = has_colors(photo)
    gallery = Gallery(side=SHOWN_SIDE)
    said = [*(f"Colouring with “{name}”" for name in named), "Putting the pictures side by side"]

    def tell(seen: Observation) -> None:
        # Observers hear of a method when it is done: what is told is the one that comes now.
        n_done = list(named).index(seen.method) + 1
        told(n_done / len(named), said[n_done])

    told(0.0, said[0])
    result = measure(named, [photo], has_truth=[is_colored], observers=[gallery, tell])
    means, picture = result.means(), gallery.pictures[0]
    wanted = ("ciede2000", "psnr_rgb", "colorfulness") if is_colored else ("colorfulness",)
    found = [
        Compared(
            name,
            encode_screen(picture.results[name]),
            {figure: means[name][figure] for figure in wanted},
            float(result.costs[name]["seconds"][0]),
        )
        for name in named
    ]
    return found, encode_screen(picture.gray), None if picture.true is None else encode_screen(picture.true)


def colorize_all(
    folder: Path,
    archive: Path,
    suffix: str,
    colorize: Callable[[Path, Path, Told], Sequence[str]],
    *,
    left_out: Mapping[str, str],
    stopping: threading.Event,
    harmless: Callable[[str], str],
    told: Told,
) -> BatchResult:
    """Colour the photographs of a folder into a zip with the same folders; one that fails costs a line of the report.

    Parameters
    ----------
    folder : Path
        Photographs, which stay as they are.
    archive : Path
        The zip to write; pictures on their way into it lie beside it.
    suffix : str
        Of the pictures.
    colorize : callable
        Colours the photograph of one file into another, tells how far it has come, and gives remarks.
    left_out : mapping of str to str
        Files that failed already.
    stopping : threading.Event
        Once it is set, the photographs that were not begun are left.
    harmless : callable
        Makes a reason fit for the report.
    told : callable
        Hears how far it has come.
    """
    failures, done, notes = dict(left_out), list[str](), dict[str, list[str]]()
    photos = find_photos(folder)
    if not photos and not failures:
        raise RequestError("there are no photographs in that folder")
    names: set[str] = set()
    # Pictures are compressed already: deflating them again would take time and save nothing.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as pack:
        for number, path in enumerate(photos):
            if stopping.is_set():
                break
            name = path.relative_to(folder).as_posix()
            # `a.jpg` and `a.png` may lie in one folder.
            given = free_name(name.removesuffix(path.suffix) + ".colorized", suffix, names.__contains__)
            names.add(given)
            target = archive.with_name(f"{number}{suffix}")
            try:
                remarks = colorize(path, target, _told_of_one(told, number, len(photos), path.name, stopping))
            except (ColorizeError, MemoryError) as error:
                reason = str(error).replace(f"{path}: ", "").replace(f"{target}: ", "")
                failures[name] = harmless(reason) or "not enough memory"
            else:
                pack.write(target, given)
                done.append(" ".join([f"{name} -> {given}", *(f"({remark})" for remark in remarks)]))
                for remark in remarks:
                    notes.setdefault(remark, []).append(name)
            # Now and not at the end: the whole batch would lie on the disk twice.
            target.unlink(missing_ok=True)
        n_left = len(photos) + len(left_out) - len(done) - len(failures)
        failed = [f"failed: {name}: {reason}" for name, reason in failures.items()]
        summary = f"{len(done)} coloured, {len(failures)} failed" + (f", {n_left} not begun" if n_left else "")
        pack.writestr("report.txt", "\n".join([summary, "", *done, *failed, ""]))
    return BatchResult(archive, len(done), failures, notes, n_left)


def _told_of_one(told: Told, number: int, n_photos: int, name: str, stopping: threading.Event) -> Told:
    """Who listens to the work on one photograph, for one who listens to that on all."""

    def hear(share: float, words: str) -> None:
        # A large photograph takes a while yet: who has pressed Stop wants to know that it was heard.
        then = ", then it stops" if stopping.is_set() else ""
        told((number + share) / n_photos, f"{number + 1} of {n_photos}, {name}: {words[0].lower()}{words[1:]}{then}")

    return hear
