"""Errands: comparing models on one photograph, and colouring many. Neither needs the photograph that is open."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorize.app.core import Core, suffix_of
from colorize.app.pictures import jpeg, shrunk
from colorize.app.stages import Told, Work, told_stages, unheard
from colorize.app.uploads import free_name
from colorize.app.visits import Visit
from colorize.exceptions import ColorizeError, RequestError
from colorize.io import find_photos
from colorize.recipe.handling import Handling
from colorize.types import RgbImage

COMPARED_SIDE = 640
SHOWN_SIDE = 512
"""Longest side of a comparison's pictures on the page; they are made and measured a little larger."""
RULES = {"no colour": "gray", "colours by lightness and height": "lookup"}
"""Simple rules that a comparison can show, by their names on the page."""


@dataclass(frozen=True, eq=False)
class Compared:
    """One method's answer for a photograph."""

    name: str
    picture: bytes  # JPEG
    figures: Mapping[str, float]  # `colorfulness`; `ciede2000` and `psnr_rgb` too if the true colours are known
    seconds: float


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Many photographs, coloured, by their names.

    Each that is done has the name of its picture in the archive, and remarks on what reading and writing changed or
    left out, such as captions in IPTC form.
    """

    archive: Path  # of the pictures and a report
    done: Sequence[tuple[str, str, Sequence[str]]]
    failures: Mapping[str, str]
    n_left: int  # not begun

    def notes(self) -> dict[str, list[str]]:
        """The remarks, each with the photographs that it was made on."""
        found: dict[str, list[str]] = {}
        for name, _, remarks in self.done:
            for remark in remarks:
                found.setdefault(remark, []).append(name)
        return found

    def report(self) -> str:
        """A line on every photograph."""
        summary = f"{len(self.done)} coloured, {len(self.failures)} failed"
        lines = [summary + (f", {self.n_left} not begun" if self.n_left else ""), ""]
        for name, given, remarks in self.done:
            lines.append(" ".join([f"{name} -> {given}", *(f"({remark})" for remark in remarks)]))
        lines += [f"failed: {name}: {reason}" for name, reason in self.failures.items()]
        return "\n".join([*lines, ""])


class Errands:
    """What visitors ask for besides the photograph that they look at."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def methods(self) -> list[str]:
        """What a comparison can show: all models, and the simple rules."""
        return [*self.core.shelf.paths(), *RULES]

    def compare(
        self, key: str, path: Path, methods: Sequence[str], vividness: float = 0.5, told: Told = unheard
    ) -> tuple[list[Compared], bytes, bytes | None]:
        """Let several methods colour a photograph; besides, it comes gray and, if it has colours, as it is (JPEG)."""
        unknown = sorted({*methods} - {*self.methods()})
        if unknown or not methods:
            raise RequestError(f"there is no method {unknown[0]}" if unknown else "choose at least one to compare")
        paths = self.core.shelf.paths()
        specs = {shown: str(paths[shown]) if shown in paths else RULES[shown] for shown in methods}
        told(0.0, "Waiting for its turn")
        with self.core.at_work(self.core.visits.get(key)), self.core.long:
            # Small: all methods colour it one after the other while somebody waits.
            photo = RgbImage(shrunk(self.core.read(path).pixels, COMPARED_SIDE))
            return _compared(photo, specs, vividness, told)

    def batch(
        self,
        key: str,
        files: Sequence[Path],
        *,
        folder: str = "",
        model: str = "default",
        vividness: float = 0.5,
        kind: str = "JPEG",
        told: Told = unheard,
    ) -> BatchResult:
        """Colour many photographs, those in zips or in a folder of this machine, into one zip with a report.

        Folders stay folders. `stop_batch` ends it early, with what is done so far.
        """
        visit = self.core.visits.get(key)
        batch = _Batch(self.core, visit, suffix_of(kind), model, vividness, told)
        with self.core.at_work(visit), tempfile.TemporaryDirectory(dir=visit.folder) as scratch:
            source, left_out = self.core.photographs(files, folder, Path(scratch) / "photographs")
            # A place of its own: the zip before is offered on the page until this one is done.
            place = visit.folder / "batches" / secrets.token_hex(4)
            place.mkdir(parents=True)
            result = batch.run(source, left_out, place)
            for old in visit.folder.glob("batches/*"):
                if old != place:
                    shutil.rmtree(old, ignore_errors=True)
            return result

    def start_batch(self, key: str, files: Sequence[Path], **asked: Any) -> Work[BatchResult]:
        """Do what `batch` does behind the page: it goes on while that is away, which finds it in `batch_of` again."""
        visit = self.core.visits.get(key)
        with visit.turn:
            if visit.batch is not None and not visit.batch.done():
                raise RequestError("your batch is still going on: stop it first")
            visit.stopping.clear()
            visit.batch = Work(lambda told: self.batch(key, files, told=told, **asked))
            return visit.batch

    def batch_of(self, key: str) -> Work[BatchResult] | None:
        """The visitor's last batch, under way or done; none if its failure is known already."""
        work = self.core.visits.get(key).batch
        return None if work is None or (work.is_told and work.exception()) else work

    def know_batch(self, key: str) -> None:
        """The page has got what came of the visitor's batch."""
        work = self.core.visits.get(key).batch
        if work is not None and work.done():
            work.is_told = True

    def stop_batch(self, key: str) -> None:
        """End the visitor's `batch` after the photograph that is worked on."""
        self.core.visits.get(key).stopping.set()


class _Batch:
    """Photographs of one folder on their way into a zip with the same folders."""

    def __init__(self, core: Core, visit: Visit, suffix: str, model: str, vividness: float, told: Told) -> None:
        from colorize.recipe.work import make_recipe

        self.core, self.stopping, self.suffix, self.told = core, visit.stopping, suffix, told
        # Held to the end, whatever the shelf drops or a visitor renames meanwhile.
        self.colorizer = core.shelf.load(model)
        self.recipe = make_recipe(core.shelf.path(model), self.colorizer, vividness=vividness)
        self.handling = Handling(max_pixels=core.limits.pixels)

    def run(self, source: Path, left_out: Mapping[str, str], place: Path) -> BatchResult:
        """Do it, in a new `place`; a photograph that fails costs a line of the report."""
        photos = find_photos(source)
        if not photos and not left_out:
            raise RequestError("there are no photographs in that folder")
        archive, names, failures = place / "colorized.zip", set[str](), dict(left_out)
        done: list[tuple[str, str, Sequence[str]]] = []
        # Pictures are compressed already: deflating them again would take time and save nothing.
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as pack:
            for number, path in enumerate(photos):
                if self.stopping.is_set():
                    break
                name = path.relative_to(source).as_posix()
                # `a.jpg` and `a.png` may lie in one folder.
                given = free_name(name.removesuffix(path.suffix) + ".colorized", self.suffix, names.__contains__)
                names.add(given)
                picture = place / f"{number}{self.suffix}"
                try:
                    remarks = self._color(path, picture, number, len(photos))
                except (ColorizeError, MemoryError) as error:
                    reason = str(error).replace(f"{path}: ", "").replace(f"{picture}: ", "")
                    failures[name] = self.core.harmless(reason) or "not enough memory"
                else:
                    pack.write(picture, given.encode("utf-8", "replace").decode("utf-8"))
                    done.append((name, given, remarks))
                # Now and not at the end: the whole batch would lie on the disk twice.
                picture.unlink(missing_ok=True)
            n_left = len(photos) + len(left_out) - len(done) - len(failures)
            result = BatchResult(archive, done, failures, n_left)
            pack.writestr("report.txt", result.report())
        return result

    def _color(self, path: Path, target: Path, number: int, n_photos: int) -> Sequence[str]:
        """Colour the photograph of one file, that of a number among many, into another; what there is to remark."""
        from colorize.recipe.work import colorize_file

        def told(share: float, words: str) -> None:
            # A large photograph takes a while yet: who has pressed Stop wants to know that it was heard.
            then = ", then it stops" if self.stopping.is_set() else ""
            said = f"{number + 1} of {n_photos}, {path.name}: {words[0].lower()}{words[1:]}{then}"
            self.told((number + share) / n_photos, said)

        told(0.0, "waiting for its turn")
        # The turn is that of one photograph, not of the batch: a visitor who saves waits for one.
        with self.core.long, told_stages(told, 0.05, 0.9):
            told(0.0, "reading")
            return colorize_file(path, target, self.colorizer, self.recipe, self.handling)


def _compared(
    photo: RgbImage, specs: Mapping[str, str], vividness: float, told: Told
) -> tuple[list[Compared], bytes, bytes | None]:
    """Colour a photograph with methods by the names to be shown and those of `make_methods`; see `Errands.compare`."""
    from colorize.evaluation.measure import Observation, measure
    from colorize.evaluation.methods import RULE_NAMES, make_methods
    from colorize.evaluation.pictures import Gallery
    from colorize.training.dataset import has_colors

    methods = make_methods(list(specs.values()), vividness=vividness)
    # Beside several models a rule says of which it is; a model keeps the name that the page has for it.
    named = {
        f"{shown}{method.name.removeprefix(spec)}" if spec in RULE_NAMES else shown: method.method
        for (shown, spec), method in zip(specs.items(), methods, strict=True)
    }
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
            jpeg(picture.results[name]),
            {figure: means[name][figure] for figure in wanted},
            float(result.costs[name]["seconds"][0]),
        )
        for name in named
    ]
    return found, jpeg(picture.gray), None if picture.true is None else jpeg(picture.true)
