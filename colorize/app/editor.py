"""Colouring one photograph: opened, shown, seen in other ways, explained and saved."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from colorize.app.core import Core, View, suffix_of
from colorize.app.pictures import SAMPLES, THUMBNAIL_SIDE, fitted, gray_pixels, jpeg, proxy, sample_path, shrunk
from colorize.app.shelf import Label
from colorize.app.stages import Told, told_stages, unheard
from colorize.app.uploads import clean_name
from colorize.app.visits import Photo, Reference, Steps, Visit
from colorize.exceptions import ColorizeError, RequestError
from colorize.io import write_photo
from colorize.recipe.note import DECIDED_AT, Recipe
from colorize.types import RgbImage

N_REFERENCES = 8
REFERENCE_SIDE = 640
N_ALTERNATIVES = 5  # the picture as it is, and one for each of a session's moods
EXPLANATION_SIDE = 512
SHARED_SIDE = 1000


class Editor:
    """The photograph of every visitor: edited at the size of a screen (see `proxy`), made at full size when saved."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def open_photo(self, key: str, path: Path, told: Told = unheard, *, name: str = "") -> View:
        """Take a photograph from a file, which is copied, and colour it; `told` hears how far that has come."""
        from colorize.color import to_gray

        with self.core.turn(key) as visit, told_stages(told, 0.6, 1.0):
            told(0.0, "Reading the photograph")
            read = self.core.read(path)
            kept = _place_for(visit) / clean_name(name or path.name)
            # Saving reads the file again, and Gradio removes uploads after a day.
            shutil.copyfile(path, kept)
            visit.start_over(Photo(kept, read.shape, proxy(to_gray(read)), read.metadata.notes))
            return self.core.view(visit)

    def open_sample(self, key: str, name: str, told: Told = unheard) -> View:
        """Take one of the `SAMPLES`."""
        if name not in SAMPLES:
            raise RequestError("there is no such sample")
        path = sample_path(name)
        return self.open_photo(key, path, told, name=f"{name}{path.suffix}")

    def view(self, key: str) -> View | None:
        """What the visitor has open, if anything."""
        with self.core.turn(key) as visit:
            return self.core.view(visit) if visit.wishes.photo else None

    def set_style(
        self, key: str, *, model: str | None = None, vividness: float | None = None, shows_sure: bool | None = None
    ) -> View | None:
        """Colour with another model or another vividness, or show how sure the model is; hints stay.

        Without a photograph there is nothing to show: it is kept for the one that comes.
        """
        with self.core.turn(key) as visit:
            if model is not None and model != visit.model:
                # At once, also if there is nothing to be coloured yet: a damaged one is not what was chosen.
                label = self.core.shelf.label(model)
                self.core.shelf.load(label.name)
                visit.start_from(label=label)
            if vividness is not None and vividness != visit.vividness:
                visit.vividness = float(np.clip(vividness, 0, 1))
                visit.forget_result()
            visit.shows_sure = visit.shows_sure if shows_sure is None else shows_sure
            return self.core.view(visit) if visit.wishes.photo else None

    def lost_model(self, key: str) -> str:
        """The name of the visitor's model if that is gone, where the default one takes its place; else nothing."""
        # No rename meanwhile: between its file and its label a model would seem gone.
        with self.core.turn(key) as visit, self.core.shelf.naming:
            model = visit.model
            if model in self.core.shelf.names():
                return ""
            visit.start_from(label=Label())
            return model

    # --- files -------------------------------------------------------------------------------------------------------

    def save(self, key: str, kind: str, told: Told = unheard) -> Path:
        """Write the photograph at full size, as one kind of `SAVED_AS`, into the visitor's folder.

        It has its metadata and a note on its colours; `told` hears how far it has come.
        """
        from colorize.color import to_gray
        from colorize.recipe.work import signed

        suffix = suffix_of(kind)
        with self.core.turn(key) as visit:
            # All that is needed is taken out here: the visitor can paint on while the file is written.
            photo, session, recipe = visit.need_photo(), self.core.session(visit), self._recipe(visit)
            hints, vividness = visit.hints(), visit.vividness
            # Each of these is one more propagation, and the bar moves with them.
            n_spreads = 1 + bool(visit.wishes.references or visit.wishes.steps) + (hints is not None)
        told(0.0, "Waiting for its turn")
        with self.core.at_work(visit), self.core.long, told_stages(told, 0.05, 0.9, n_spreads=n_spreads):
            told(0.0, f"Reading {photo.shape[0] * photo.shape[1] / 1e6:.1f} megapixels")
            large = session.at_size(to_gray(self.core.read(photo.path)))
            # Decided on the small picture, spread at full size: what is saved is what was seen.
            image = large.with_hints(hints, vividness).image
            # Lightness and colours of 64 megapixels are a gigabyte, and the encoder wants as much.
            del large
            told(0.9, f"Writing the {kind}")
            path = photo.path.with_suffix(f".colorized{suffix}")
            write_photo(signed(image, recipe), path, overwrite=True)
            return path

    def is_shown(self, key: str, path: Path) -> bool:
        """Whether a saved file is of the photograph that the visitor looks at now."""
        photo = self.core.visits.get(key).wishes.photo
        return photo is not None and photo.path.parent == path.parent

    def share(self, key: str) -> Path:
        """Write one picture with the gray photograph and its colours side by side, to be shown to others."""
        from colorize.recipe.work import signed

        with self.core.turn(key) as visit:
            photo, result = visit.need_photo(), self.core.result(visit)
            both = _side_by_side(*(shrunk(pixels, SHARED_SIDE) for pixels in (gray_pixels(photo.gray), result.rgb)))
            path = photo.path.with_suffix(".before-after.jpg")
            write_photo(signed(RgbImage(both), self._recipe(visit)), path, overwrite=True)
            return path

    def _recipe(self, visit: Visit) -> Recipe:
        """How the colours of the visitor's photograph are made; what `colorize replay` cannot repeat is named."""
        from colorize.recipe.work import Wishes, file_digest, make_recipe

        photo, wishes, shelf = visit.need_photo(), visit.wishes, self.core.shelf
        recipe = make_recipe(shelf.path(visit.model), shelf.load(visit.model), vividness=visit.vividness)
        others: dict[str, Any] = {
            "references": len(wishes.references),
            "chosen": [number for number, _ in wishes.steps],
            DECIDED_AT: list(photo.gray.shape) if photo.gray.shape != photo.shape else None,
        }
        said = (*Wishes(visit.hints()).noted(), *({name: value} for name, value in others.items() if value))
        return replace(recipe, said=said, input_sha256=file_digest(photo.path))

    # --- alternatives and references ---------------------------------------------------------------------------------

    def alternatives(self, key: str) -> list[bytes]:
        """Small pictures of other ways to see the photograph, the present one first; JPEG."""
        with self.core.turn(key) as visit:
            # Five propagations for pictures that are only chosen from.
            small = self.core.session(visit).at_size(fitted(visit.need_photo().gray, THUMBNAIL_SIDE))
            hints = visit.hints()
            pictures = [jpeg(result.rgb) for result in small.alternatives(N_ALTERNATIVES, hints, visit.vividness)]
            visit.wishes = replace(visit.wishes, offered=(visit.wishes.steps, hints, pictures))
            return pictures

    def offered(self, key: str) -> list[bytes]:
        """The last `alternatives`, as long as one can `choose` from them."""
        offered = self.core.visits.get(key).wishes.offered
        return offered[2] if offered else []

    def choose(self, key: str, number: int) -> View:
        """Go on from one of the last `alternatives`, counted from 0; -1 goes back to the model's own colours.

        Another one of the same list takes the place of the one before.
        """
        with self.core.turn(key) as visit:
            if not -1 <= number < N_ALTERNATIVES:
                raise RequestError("there is no such picture")
            if number < 0:
                steps: Steps = ()
            elif visit.wishes.offered is None:
                raise RequestError("ask for other versions first: these are not of the present colours")
            else:
                # From where the list was made and with its hints: picks before and strokes since
                # must not change what was clicked.
                steps, hints, _ = visit.wishes.offered
                steps += ((number, hints),) if number else ()
            visit.go_on_from(steps)
            return self.core.view(visit)

    def add_references(self, key: str, files: Sequence[Path], strength: float = 1.0) -> View:
        """Colour as these colour photographs look, and those that lend their colours already."""
        with self.core.turn(key) as visit:
            visit.need_photo()
            references = visit.wishes.references
            if not files and not references:
                raise RequestError("choose a colour photograph first")
            if len(files) + len(references) > N_REFERENCES:
                raise RequestError(f"at most {N_REFERENCES} photographs can be looked at")
            for path in files:
                small = shrunk(self.core.read(path).pixels, REFERENCE_SIDE)
                references += (Reference(clean_name(path.name), RgbImage(small)),)
            visit.start_from(references=references, strength=float(np.clip(strength, 0, 1)))
            try:
                return self.core.view(visit)
            except ColorizeError as error:
                names = [item.name for item in references]
                message = re.sub(r"references\[(\d+)\]", lambda found: names[int(found[1])], str(error))
                raise RequestError(message) from error

    def drop_references(self, key: str, number: int | None = None) -> View:
        """Borrow no longer from one of the `references`, or from none of them: then colour as the model does."""
        with self.core.turn(key) as visit:
            before = visit.wishes.references
            kept = () if number is None else before[:number] + before[number + 1 :]
            if kept != before:
                visit.start_from(references=kept)
            return self.core.view(visit)

    def references(self, key: str) -> list[tuple[str, bytes]]:
        """Names of the photographs that lend their colours, and small pictures of them; JPEG."""
        found = self.core.visits.get(key).wishes.references
        return [(item.name, jpeg(item.photo.pixels, THUMBNAIL_SIDE)) for item in found]

    # --- why ---------------------------------------------------------------------------------------------------------

    def explain(self, key: str, row: float, col: float) -> dict[str, Any]:
        """Why a place, in pixels of the view, got its colour; plain values for a page."""
        from colorize.evaluation.report.explanation import place_in_words
        from colorize.explanation import Explainer

        with self.core.turn(key) as visit:
            session = self.core.session(visit)
            # A local, as in `Core`: others may take a visit's memory away at any moment.
            explainer = visit.explainer
            if explainer is None:
                small = session.at_size(fitted(visit.need_photo().gray, EXPLANATION_SIDE))
                explainer = visit.explainer = Explainer(small, hints=visit.hints(), vividness=visit.vividness)
            (height, width), shape = explainer.session.gray.shape, session.gray.shape
            found = explainer.at(int(row * height / shape[0]), int(col * width / shape[1]))
            return place_in_words(explainer, found)


def _place_for(visit: Visit) -> Path:
    """A folder for another photograph; of those before it the last is kept, for what is on its way to the browser.

    While other work than this opening is under way all are kept: a saving in line reads its photograph when it has its
    turn, and writes beside it.
    """
    place = visit.folder / "photographs" / secrets.token_hex(4)
    place.mkdir(parents=True)
    last = visit.wishes.photo.path.parent if visit.wishes.photo else None
    for old in place.parent.iterdir():
        if old not in (place, last) and visit.n_working == 1:
            shutil.rmtree(old, ignore_errors=True)
    return place


def _side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures of one size beside each other, very wide ones one above the other, with a white stripe between."""
    height, width = left.shape[:2]
    gap, axis = max(2, round(0.008 * min(height, width))), 1 if width <= 2 * height else 0
    stripe = np.full((height, gap, 3) if axis else (gap, width, 3), 255, np.uint8)
    return np.concatenate([left, stripe, right], axis=axis)
