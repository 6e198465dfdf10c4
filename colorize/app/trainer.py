"""The process that trains: ``python -m colorize.app.trainer FOLDER PHOTOS THUMBNAIL_BYTES [BASE]``.

It tells what it does in lines of JSON.

It runs apart from the page, so that it can be stopped at any moment and cannot take the page down. What it has
described lies in the folder; started again there, it goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from colorize.app.pictures import THUMBNAIL_SIDE, data_uri, gray_pixels, jpeg, shrunk
from colorize.app.shelf import SUFFIX
from colorize.color import to_gray
from colorize.colorizer import Colorizer
from colorize.evaluation.measure import Method, measure
from colorize.exceptions import ColorizeError, DatasetError
from colorize.models.file import load_model, save_model
from colorize.recognition.rules import NO_COLOR
from colorize.training.dataset import FEW_PHOTOS, TrainingSet, load_folder
from colorize.training.rows import TrainingRows
from colorize.types import RgbImage

N_SAMPLES = 3
PREVIEWS = (0.25, 0.5, 0.75)
"""Shares of the photographs after which held-out ones are coloured with what has been learnt so far."""

# The training stands still while a sketch is made: these few rows cost it seconds.
_PREVIEW_PHOTOS = 40
_PREVIEW_ROWS = 80


class Described(dict[int, TrainingRows]):
    """Rows of photographs, kept in a folder as they come; see `Colorizer.fit`."""

    def __init__(self, folder: Path, colorizer: Colorizer, n_photos: int, samples: tuple[RgbImage, ...]) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.colorizer, self.samples = folder, colorizer, samples
        self._preview_at = {round(n_photos * share) for share in PREVIEWS if samples and n_photos * share >= 4}
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            header, arrays = load_model(path, kind="rows")
            families = {name: slice(*columns) for name, *columns in header["families"]}
            super().__setitem__(int(path.stem), TrainingRows(**arrays, families=families))

    def __setitem__(self, index: int, block: TrainingRows) -> None:
        super().__setitem__(index, block)
        families = [(name, columns.start, columns.stop) for name, columns in block.families.items()]
        path = self.folder / f"{index:05d}{SUFFIX}"
        save_model(path, {"families": families}, block.arrays(), kind="rows", overwrite=True)
        if len(self) in self._preview_at:
            say_samples(self._preview(), self.samples, len(self))

    def _preview(self) -> Colorizer | None:
        """A quick model of a sample of the rows so far."""
        chosen = list(self.values())[:: max(1, len(self) // _PREVIEW_PHOTOS)]
        rows = TrainingRows.concatenate([block.where(slice(_PREVIEW_ROWS)) for block in chosen])
        model = Colorizer(**self.colorizer.get_params())
        # Fitted before the first photograph was described: the columns mean the same to both.
        model.extractor_ = self.colorizer.extractor_
        try:
            return model.learn(rows)
        except DatasetError:  # not enough colours yet
            return None


def main(folder: str, source: str, thumbnail_bytes: str, base: str = "") -> None:
    """Train what was asked for, and say what cannot be done without the paths of this machine."""
    try:
        run(Path(folder), Path(source), int(thumbnail_bytes), Colorizer.load(base) if base else None)
    except ColorizeError as error:
        say(message=str(error).replace(f"{source}: ", "").replace(base or "\0", "the base"))


def run(folder: Path, source: Path, thumbnail_bytes: int, base: Colorizer | None = None) -> None:
    """Read, train, measure, and write ``model.safetensors`` into the folder."""
    found = load_folder(source, progress=progress)
    report = found.report
    left_out = [[item.name, item.reason, item.detail] for item in report.left_out]
    few = FEW_PHOTOS if base is None and report.n_used < FEW_PHOTOS else 0
    say(report={"n_used": report.n_used, "left_out": left_out, "few": few})
    kept, held_out = hold_out(found)
    samples = held_out.photos[:N_SAMPLES] if held_out else ()
    # Rows of a base can be joined with those of the same regions and columns only.
    same: dict[str, Any] = {} if base is None else {"n_superpixels": base.n_superpixels, "families": base.families}
    colorizer = Colorizer(**same)
    described = Described(folder / f"described-{digest(kept)}", colorizer, len(kept), samples)
    colorizer.fit(
        kept.photos,
        base=base,
        names=kept.names,
        thumbnail_bytes=thumbnail_bytes,
        described=described,
        progress=progress,
    )
    if held_out:
        say_samples(colorizer, samples, len(kept))
        colorizer.summary_["held_out"] = errors(colorizer, held_out)
    colorizer.save(folder / "model.safetensors", overwrite=True)


def digest(photos: TrainingSet) -> str:
    """Tell these photographs from others: what was described of others must not be taken for these."""
    sha = hashlib.sha256()
    for name, photo in zip(photos.names, photos.photos, strict=True):
        sha.update(f"{name} {photo.shape}".encode())
        sha.update(photo.pixels.tobytes())
    return sha.hexdigest()[:16]


def hold_out(found: TrainingSet) -> tuple[TrainingSet, TrainingSet | None]:
    """Keep a part for showing and measuring: a sixth, at most 24; of fewer than 4 photographs none."""
    if len(found) < 4:
        return found, None
    return found.split(min(max(2, len(found) // 6), 24) / len(found))


def errors(colorizer: Colorizer, held_out: TrainingSet) -> dict[str, float]:
    """Mean CIEDE2000 of the model at its most faithful setting and of two simple rules; on how many photographs."""
    methods: dict[str, Method] = {
        "gray": NO_COLOR,
        "lookup": colorizer.baselines_["L + height lookup"],
        "model": partial(colorizer.predict, vividness=0.0),
    }
    means = measure(methods, held_out.photos, progress=progress).means()
    return {name: round(row["ciede2000"], 3) for name, row in means.items()} | {"n_photos": len(held_out)}


def progress(stage: str, done: int, total: int) -> None:
    """Pass on how far a stage has come."""
    say(stage=stage, done=done, total=total)


def say_samples(model: Colorizer | None, photos: tuple[RgbImage, ...], n_photos: int) -> None:
    """Show photographs that the model has never seen: gray, as it colours them, as they are."""
    if model is None:
        return
    pictures = []
    for photo in photos:
        small = RgbImage(shrunk(photo.pixels, THUMBNAIL_SIDE))
        now = model.predict(to_gray(photo)).rgb
        shown = gray_pixels(to_gray(small)), now, small.pixels
        pictures.append([data_uri(jpeg(item, THUMBNAIL_SIDE)) for item in shown])
    say(samples={"n_photos": n_photos, "pictures": pictures})


def say(**message: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(message) + "\n")
    # A pipe is written in blocks: the page would hear nothing for minutes.
    sys.stdout.flush()


def _end_with_the_app() -> None:
    """Stop when the other end of standard input is gone."""
    # The pipe ends with the app, however that ends; no signal does so on every system.
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.read(1):
            pass
    # `sys.exit` would end this thread alone.
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_app, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # strokes come before training
    main(*sys.argv[1:])
