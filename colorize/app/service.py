"""What the app can do, without a page: visitors, photographs, models. Everything comes in and goes out as plain values.

What one visitor asks is done in turn. Small work of several visitors goes on side by side; of long work (saving at full
size, comparing, many photographs) one piece is done at a time, and nobody's small work waits for it. Photographs are
edited at the size of a screen (see `proxy`) and made at full size when they are saved.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from colorize._support.bits import to_8_bit
from colorize.app.pictures import (
    SAMPLES,
    THUMBNAIL_SIDE,
    confidence_map,
    fitted,
    gray_pixels,
    jpeg,
    proxy,
    sample_path,
    shrunk,
)
from colorize.app.shelf import Shelf
from colorize.app.stages import Told, Work, told_stages
from colorize.app.training import Status, TrainingJob
from colorize.app.uploads import Limits, clean_name, gather
from colorize.app.visits import Photo, Reference, Steps, Stroke, Visit, Visits
from colorize.exceptions import ColorizeError, InvalidImageError, RequestError
from colorize.guidance.hints import DEFAULT_REACH, Hints, Mark, parse_color
from colorize.io import read_photo, write_photo
from colorize.models import user_folder
from colorize.recipe.note import DECIDED_AT, Recipe
from colorize.types import Colorization, RgbImage

if TYPE_CHECKING:
    from colorize.app.errands import BatchResult, Compared
    from colorize.guidance.session import Session
    from colorize.guidance.suggestion import Suggestion

# Sides of what is worked on: no larger than it is looked at, because a person waits for it.
REFERENCE_SIDE = 640
EXPLANATION_SIDE = 512
N_REFERENCES = 8
N_ALTERNATIVES = 5  # the picture as it is, and one for each of a session's moods
# Every answer carries all strokes, and the page draws all of them.
N_MARKS = 2000
SHARED_SIDE = 1000
COMPARED_SIDE = 640
RULES = {"no colour": "gray", "colours by lightness and height": "lookup"}
"""Simple rules that a comparison can show, by their names on the page."""
SAVED_AS = {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif"}


def _unheard(share: float, words: str) -> None:
    """Nobody wants to know how far it has come."""


@dataclass(frozen=True, eq=False)
class View:
    """A photograph as the page shows it.

    Attributes
    ----------
    photo : Photo
    color : bytes
        JPEG.
    sure : bytes or None
        How sure the model is, from orange (a guess) to blue (sure); JPEG. None if it is not to be shown.
    strokes : tuple of Stroke
        What was painted so far, in that order.
    can_undo, can_redo : bool
        Whether there is a change to take back, or one taken back.
    notes : tuple of str
        What there is to tell, of reading and of colouring.
    """

    photo: Photo
    color: bytes
    sure: bytes | None
    strokes: tuple[Stroke, ...]
    can_undo: bool
    can_redo: bool
    notes: tuple[str, ...]


class Service:
    """Everything the app does, for any number of visitors; what cannot be done raises `RequestError` in plain words.

    Parameters
    ----------
    models : Path, optional
        Folder of visitors' models; by default a folder of the user.
    limits : Limits, optional
    workspace : Path, optional
        Folder for temporary files; by default a new one. It is removed by `close`.
    folders_allowed : bool
        Whether visitors may name folders of this machine to train on: only if they are its users.

    Examples
    --------
    >>> service = Service(Path("models"))
    >>> view = service.open_sample("somebody", "flower")
    >>> view.photo.name, view.photo.shape, view.strokes
    ('flower.jpg', (427, 640), ())
    >>> service.close()
    """

    def __init__(
        self,
        models: Path | None = None,
        *,
        limits: Limits | None = None,
        workspace: Path | None = None,
        folders_allowed: bool = True,
    ) -> None:
        self.shelf = Shelf(models or user_folder())
        self.limits = limits or Limits()
        self.workspace = workspace or Path(tempfile.mkdtemp(prefix="colorize-app-"))
        self.visits = Visits(self.workspace / "visits")
        self.folders_allowed = folders_allowed
        # Work at full size takes memory for 64 megapixels: one piece at a time. A training takes
        # minutes, for which no saving should wait: it has a lock of its own.
        self._long, self._training = threading.Lock(), threading.Lock()

    def warm_up(self) -> None:
        """Load what the first visitor would wait for, by colouring a small ramp of grays."""
        # Nobody listens to this thread; the first visitor will be told what is wrong.
        with suppress(RequestError):
            self.shelf.load("default").predict(np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1)))

    def close(self) -> None:
        """Forget everybody and remove all temporary files."""
        self.visits.close_all()
        shutil.rmtree(self.workspace, ignore_errors=True)

    # --- the photograph ----------------------------------------------------------------------------------------------

    def open_photo(self, key: str, path: Path, name: str, told: Told = _unheard) -> View:
        """Take a photograph from a file, which is copied, and colour it; `told` hears how far that has come."""
        from colorize.color import to_gray

        name = clean_name(name)
        with self._working(key) as visit, told_stages(told, 0.6, 1.0):
            told(0.0, "Reading the photograph")
            read = self._read(path, name)
            kept = _place_for(visit) / "original"
            # Saving reads the file again, and Gradio removes uploads after a day.
            shutil.copyfile(path, kept)
            gray = proxy(to_gray(read))
            notes = read.metadata.notes
            visit.start_over(Photo(name, kept, read.shape, gray, jpeg(gray_pixels(gray)), notes))
            return self._view(visit)

    def lost_model(self, key: str) -> str:
        """The name of the visitor's model if that is gone, where the default one takes its place; else nothing."""
        with self._working(key) as visit:
            if visit.model in self.shelf.names():
                return ""
            lost, visit.model = visit.model, "default"
            visit.forget_choices()
            return lost

    def open_sample(self, key: str, name: str, told: Told = _unheard) -> View:
        """Take one of the `SAMPLES`."""
        if name not in SAMPLES:
            raise RequestError("there is no such sample")
        path = sample_path(name)
        return self.open_photo(key, path, f"{name}{path.suffix}", told)

    def set_style(
        self, key: str, *, model: str | None = None, vividness: float | None = None, shows_sure: bool | None = None
    ) -> View | None:
        """Colour with another model or another vividness, or show how sure the model is; hints stay.

        Without a photograph there is nothing to show: it is kept for the one that comes.
        """
        with self._working(key) as visit:
            if model is not None and model != visit.model:
                # At once, also if there is nothing to be coloured yet: a damaged one is not what was chosen.
                self.shelf.load(model)
                visit.model = model
                visit.forget_choices()
            if vividness is not None and vividness != visit.vividness:
                visit.vividness = float(np.clip(vividness, 0, 1))
                visit.forget_result()
            visit.shows_sure = visit.shows_sure if shows_sure is None else shows_sure
            return self._view(visit) if visit.photo else None

    def save(self, key: str, kind: str, told: Told = _unheard) -> Path:
        """Write the photograph at full size, as one kind of `SAVED_AS`, into the visitor's folder.

        It has its metadata and a note on its colours; `told` hears how far it has come.
        """
        from colorize.color import to_gray
        from colorize.recipe.work import signed

        if kind not in SAVED_AS:
            raise RequestError(f"choose one of {', '.join(SAVED_AS)}")
        with self._working(key) as visit:
            # All that is needed is taken out here: the visitor can paint on while the file is written.
            photo, session, recipe = visit.need_photo(), self._session(visit), self._recipe(visit)
            hints, vividness = visit.hints(), visit.vividness
            # Each of these is one more propagation, and the bar moves with them.
            n_spreads = 1 + bool(visit.references or visit.steps) + (hints is not None)
        told(0.0, "Waiting for its turn")
        with self._said(visit), self._long, told_stages(told, 0.05, 0.9, n_spreads=n_spreads):
            told(0.0, f"Reading {photo.shape[0] * photo.shape[1] / 1e6:.1f} megapixels")
            large = session.at_size(to_gray(self._read(photo.path, photo.name)))
            # Decided on the small picture, spread at full size: what is saved is what was seen.
            image = large.with_hints(hints, vividness).image
            # Lightness and colours of 64 megapixels are a gigabyte, and the encoder wants as much.
            del large
            told(0.9, f"Writing the {kind}")
            path = photo.path.with_name(f"{Path(photo.name).stem}.colorized{SAVED_AS[kind]}")
            write_photo(signed(image, recipe), path, overwrite=True)
            return path

    def is_shown(self, key: str, path: Path) -> bool:
        """Whether a saved file is of the photograph that the visitor looks at now."""
        photo = self.visits.get(key).photo
        return photo is not None and photo.path.parent == path.parent

    def share(self, key: str) -> Path:
        """Write one picture with the gray photograph and its colours side by side, to be shown to others."""
        from colorize.recipe.work import signed

        with self._working(key) as visit:
            photo, result = visit.need_photo(), self._result(visit)
            pair = [shrunk(pixels, SHARED_SIDE) for pixels in (gray_pixels(photo.gray), result.rgb)]
            height, width = pair[0].shape[:2]
            gap, axis = max(2, round(0.008 * min(height, width))), 1 if width <= 2 * height else 0
            stripe = np.full((height, gap, 3) if axis else (gap, width, 3), 255, np.uint8)
            both = np.concatenate([pair[0], stripe, pair[1]], axis=axis)
            path = photo.path.with_name(f"{Path(photo.name).stem}.before-after.jpg")
            write_photo(signed(RgbImage(both), self._recipe(visit)), path, overwrite=True)
            return path

    # --- hints -------------------------------------------------------------------------------------------------------

    def add_hint(self, key: str, mark: dict[str, Any]) -> View:
        """Paint: a stroke of places (row, column) in pixels of the view, with a colour, a radius and a reach.

        One that ``protects`` has no colour: it holds what is shown there now.
        """
        with self._working(key) as visit:
            visit.need_photo()
            painted = self._protecting(visit, mark) if mark.get("protects") else _painted(_mark(mark))
            return self._repainted(visit, (*visit.strokes, painted))

    def edit_hint(self, key: str, number: int, *, color: str | None = None, reach: str | None = None) -> View:
        """Give the stroke of this number (`Stroke.number`) another colour or reach."""
        with self._working(key) as visit:
            place = _place_of(number, visit.strokes)
            old = visit.strokes[place]
            mark = old.mark if color is None else replace(old.mark, color=parse_color(color))
            new = replace(old, mark=mark if reach is None else replace(mark, reach=reach))
            return self._repainted(visit, (*visit.strokes[:place], new, *visit.strokes[place + 1 :]))

    def erase_hint(self, key: str, number: int) -> View:
        """Take the stroke of this number away."""
        with self._working(key) as visit:
            place = _place_of(number, visit.strokes)
            return self._repainted(visit, (*visit.strokes[:place], *visit.strokes[place + 1 :]))

    def clear(self, key: str) -> View:
        """Take all strokes away."""
        with self._working(key) as visit:
            return self._repainted(visit, ()) if visit.strokes else self._view(visit)

    def undo(self, key: str) -> View:
        """Take the last change of the strokes back."""
        with self._working(key) as visit:
            visit.step(-1)
            return self._view(visit)

    def redo(self, key: str) -> View:
        """Make a change again that `undo` took back."""
        with self._working(key) as visit:
            visit.step(1)
            return self._view(visit)

    def _repainted(self, visit: Visit, strokes: tuple[Stroke, ...]) -> View:
        """Show the photograph with other strokes."""
        if len(strokes) > N_MARKS:
            raise RequestError(f"at most {N_MARKS} strokes can be painted on one photograph")
        visit.paint(strokes)
        return self._view(visit)

    def _protecting(self, visit: Visit, content: dict[str, Any]) -> Stroke:
        """A stroke whose hint is, pixel by pixel, what is shown under it."""
        # Only the shape of this stroke is used; its colour and reach mean nothing.
        drawn = _painted(_mark(content | {"color": "#000000", "reach": "here"}))
        shape = visit.need_photo().gray.shape
        is_covered = Hints(shape, (drawn.mark,)).rasterize(shape).is_known
        rgba = np.dstack([to_8_bit(self._result(visit).rgb), np.where(is_covered, 255, 0).astype(np.uint8)])
        return replace(drawn, mark=Hints.from_rgba(rgba, shape, reach="pixels").marks[0], protects=True)

    def save_hints(self, key: str) -> Path:
        """Write the hints as JSON into the visitor's folder."""
        visit = self.visits.get(key)
        photo, hints = visit.need_photo(), visit.hints()
        if hints is None:
            raise RequestError("nothing has been painted yet")
        path = visit.folder / f"{Path(photo.name).stem}.hints.json"
        path.write_text(hints.to_json(), encoding="utf-8")
        return path

    def load_hints(self, key: str, path: Path) -> View:
        """Replace the hints by those of a JSON file."""
        with self._working(key) as visit:
            shape = visit.need_photo().gray.shape
            # JSON takes many times its size while it is read.
            if path.stat().st_size > 20_000_000:
                raise RequestError("the file is too large for hints")
            try:
                found = Hints.from_json(path.read_text(encoding="utf-8"))
            except UnicodeDecodeError as error:
                raise RequestError("the hints are no JSON text") from error
            # Drawn on a photograph of another size; `rasterize` checks the aspect.
            hints = found if found.shape == shape else found.rasterize(shape).as_hints()
            return self._repainted(visit, tuple(_painted(mark) for mark in hints.marks))

    def learn(self, key: str, name: str) -> tuple[str, str]:
        """Make a new model that remembers the visitor's hints; its name, and a sentence on what it learnt."""
        from colorize.training.corrections import hinted_regions, learn_corrections

        self.shelf.new_path(name)
        with self._working(key) as visit:
            session, hints = self._session(visit), visit.hints()
            if hints is None:
                raise RequestError("nothing has been painted yet")
            wishes = hints.rasterize(session.gray.shape).on(session.gray.lightness)
            description = session.description
            region, wanted, weight = hinted_regions(description.superpixels, wishes.is_known, wishes.field())
            learnt = learn_corrections(
                self.shelf.load(visit.model), description.features.values[region], wanted, weight
            )
            with self.shelf.naming:
                learnt.colorizer.save(self.shelf.new_path(name))
        return name.strip(), str(learnt)

    def suggestions(self, key: str, n: int = 5) -> list[Suggestion]:
        """Places where a hint would tell most, with likely colours, in pixels of the view."""
        with self._working(key) as visit:
            return self._session(visit).suggest(n, visit.hints())

    # --- alternatives and references ---------------------------------------------------------------------------------

    def alternatives(self, key: str) -> list[bytes]:
        """Small pictures of other ways to see the photograph, the present one first; JPEG."""
        with self._working(key) as visit:
            # Five propagations for pictures that are only chosen from.
            small = self._session(visit).at_size(fitted(visit.need_photo().gray, THUMBNAIL_SIDE))
            hints = visit.hints()
            results = small.alternatives(N_ALTERNATIVES, hints, visit.vividness)
            visit.offered = visit.steps, hints, [jpeg(result.rgb) for result in results]
            return visit.offered[2]

    def offered(self, key: str) -> list[bytes]:
        """The last `alternatives`, as long as one can `choose` from them."""
        offered = self.visits.get(key).offered
        return offered[2] if offered else []

    def choose(self, key: str, number: int) -> View:
        """Go on from one of the last `alternatives`, counted from 0; -1 goes back to the model's own colours.

        Another one of the same list takes the place of the one before.
        """
        with self._working(key) as visit:
            if not -1 <= number < N_ALTERNATIVES:
                raise RequestError("there is no such picture")
            if number < 0:
                steps: Steps = ()
            elif visit.offered is None:
                raise RequestError("ask for other versions first: these are not of the present colours")
            else:
                # From where the list was made and with its hints: picks before and strokes since
                # must not change what was clicked.
                steps, hints, _ = visit.offered
                steps += ((number, hints),) if number else ()
            if steps != visit.steps:
                session = visit.session
                # A first pick is one step from here; for others the photograph is described anew.
                visit.session = session.choose(*steps[-1]) if session and steps[:-1] == visit.steps else None
                visit.steps = steps
                visit.forget_result()
            return self._view(visit)

    def add_references(self, key: str, files: Sequence[tuple[str, Path]], strength: float = 1.0) -> View:
        """Colour as these colour photographs look, and those that lend their colours already."""
        with self._working(key) as visit:
            visit.need_photo()
            if not files and not visit.references:
                raise RequestError("choose a colour photograph first")
            if len(files) + len(visit.references) > N_REFERENCES:
                raise RequestError(f"at most {N_REFERENCES} photographs can be looked at")
            named = [(clean_name(name), path) for name, path in files]
            visit.references += tuple(
                Reference(name, RgbImage(shrunk(self._read(path, name).pixels, REFERENCE_SIDE))) for name, path in named
            )
            visit.strength = float(np.clip(strength, 0, 1))
            visit.forget_choices()
            try:
                return self._view(visit)
            except ColorizeError as error:
                names = [item.name for item in visit.references]
                message = re.sub(r"references\[(\d+)\]", lambda found: names[int(found[1])], str(error))
                raise RequestError(message) from error

    def drop_references(self, key: str, number: int | None = None) -> View:
        """Borrow no longer from one of the `references`, or from none of them: then colour as the model does."""
        with self._working(key) as visit:
            kept = () if number is None else visit.references[:number] + visit.references[number + 1 :]
            if kept != visit.references:
                visit.references = kept
                visit.forget_choices()
            return self._view(visit)

    def references(self, key: str) -> list[tuple[str, bytes]]:
        """Names of the photographs that lend their colours, and small pictures of them; JPEG."""
        found = self.visits.get(key).references
        return [(item.name, jpeg(item.photo.pixels, THUMBNAIL_SIDE)) for item in found]

    # --- why ---------------------------------------------------------------------------------------------------------

    def explain(self, key: str, row: float, col: float) -> dict[str, Any]:
        """Why a place, in pixels of the view, got its colour; plain values for a page."""
        from colorize.evaluation.report.explanation import place_in_words
        from colorize.explanation import Explainer

        with self._working(key) as visit:
            session = self._session(visit)
            # A local, here and below: others may take a visit's memory away at any moment.
            explainer = visit.explainer
            if explainer is None:
                small = session.at_size(fitted(visit.need_photo().gray, EXPLANATION_SIDE))
                explainer = visit.explainer = Explainer(small, hints=visit.hints(), vividness=visit.vividness)
            (height, width), shape = explainer.session.gray.shape, session.gray.shape
            found = explainer.at(int(row * height / shape[0]), int(col * width / shape[1]))
            return place_in_words(explainer, found)

    # --- errands -----------------------------------------------------------------------------------------------------

    def methods(self) -> list[str]:
        """What a comparison can show: all models, and the simple rules."""
        return [*self.shelf.paths(), *RULES]

    def compare(
        self,
        key: str,
        path: Path,
        name: str,
        methods: Sequence[str],
        vividness: float = 0.5,
        told: Told = _unheard,
    ) -> tuple[list[Compared], bytes, bytes | None]:
        """Let several methods colour a photograph; see `colorize.app.errands.compare`."""
        from colorize.app import errands

        unknown = sorted({*methods} - {*self.methods()})
        if unknown or not methods:
            raise RequestError(f"there is no method {unknown[0]}" if unknown else "choose at least one to compare")
        paths = self.shelf.paths()
        specs = {shown: str(paths[shown]) if shown in paths else RULES[shown] for shown in methods}
        told(0.0, "Waiting for its turn")
        with self._said(self.visits.get(key)), self._long:
            # Small: all methods colour it one after the other while somebody waits.
            photo = RgbImage(shrunk(self._read(path, clean_name(name)).pixels, COMPARED_SIDE))
            return errands.compare(photo, specs, vividness=vividness, told=told)

    def batch(
        self,
        key: str,
        files: Sequence[tuple[str, Path]],
        *,
        folder: str = "",
        model: str = "default",
        vividness: float = 0.5,
        kind: str = "JPEG",
        told: Told = _unheard,
    ) -> BatchResult:
        """Colour many photographs, those in zips or in a folder of this machine, into one zip with a report.

        Folders stay folders. `stop_batch` ends it early, with what is done so far.
        """
        from colorize.app import errands
        from colorize.recipe.work import Handling, colorize_file, make_recipe

        if kind not in SAVED_AS:
            raise RequestError(f"choose one of {', '.join(SAVED_AS)}")
        visit = self.visits.get(key)
        # Held by the batch to its end, whatever the shelf drops or a visitor renames meanwhile.
        colorizer = self.shelf.load(model)
        recipe = make_recipe(self.shelf.path(model), colorizer, vividness=vividness)

        def colorize(path: Path, target: Path, told: Told) -> Sequence[str]:
            told(0.0, "waiting for its turn")
            # The turn is that of one photograph, not of the batch: a visitor who saves waits for one.
            with self._long, told_stages(told, 0.05, 0.9):
                told(0.0, "reading")
                return colorize_file(path, target, colorizer, recipe, Handling(max_pixels=self.limits.pixels))

        with self._said(visit), tempfile.TemporaryDirectory(dir=visit.folder) as scratch:
            source, left_out = self._photographs(files, folder, Path(scratch) / "photographs")
            # A place of its own: the zip before is offered on the page until this one is done.
            target = visit.folder / "batches" / secrets.token_hex(4)
            target.mkdir(parents=True)
            result = errands.colorize_all(
                source,
                target / "colorized.zip",
                SAVED_AS[kind],
                colorize,
                left_out=left_out,
                stopping=visit.stopping,
                harmless=self._harmless,
                told=told,
            )
            for old in visit.folder.glob("batches/*"):
                if old != target:
                    shutil.rmtree(old, ignore_errors=True)
            return result

    def start_batch(self, key: str, files: Sequence[tuple[str, Path]], **asked: Any) -> Work[BatchResult]:
        """Do what `batch` does behind the page: it goes on while that is away, which finds it in `batch_of` again."""
        visit = self.visits.get(key)
        with visit.turn:
            if visit.batch is not None and not visit.batch.wait(0):
                raise RequestError("your batch is still going on: stop it first")
            visit.stopping.clear()
            visit.batch = Work(lambda told: self.batch(key, files, told=told, **asked))
            return visit.batch

    def batch_of(self, key: str) -> Work[BatchResult] | None:
        """The visitor's last batch, under way or done; none if its failure is known already."""
        work = self.visits.get(key).batch
        return None if work is None or (work.is_told and work.has_failed) else work

    def know_batch(self, key: str) -> None:
        """The page has got what came of the visitor's batch."""
        work = self.visits.get(key).batch
        if work is not None and work.wait(0):
            work.is_told = True

    def stop_batch(self, key: str) -> None:
        """End the visitor's `batch` after the photograph that is worked on."""
        self.visits.get(key).stopping.set()

    # --- training ----------------------------------------------------------------------------------------------------

    def train(
        self,
        key: str,
        name: str,
        *,
        files: Sequence[tuple[str, Path]] = (),
        folder: str = "",
        base: str = "",
        thumbnail_bytes: int = 0,
    ) -> Status:
        """Train a model on photographs that were sent, or on those of a folder of this machine.

        With the name of a `base`, what that model has learnt is kept if that helps; see `Colorizer.fit`.
        """
        visit = self.visits.get(key)
        if visit.job is not None and visit.job.status.is_on:
            raise RequestError("your training is still running: stop it first")
        self.shelf.new_path(name)
        base_path = self.shelf.path(base) if base else None
        # Not in the visitor's folder, which goes when the page is closed: a training does not.
        place = self.workspace / "jobs" / secrets.token_hex(16)
        place.mkdir(parents=True)
        try:
            source, not_photos = self._photographs(files, folder, place / "photos")
        except RequestError:
            shutil.rmtree(place, ignore_errors=True)
            raise
        if visit.job is not None:
            # Only now: had the new photographs been refused, the stopped training could still go on.
            visit.job.stop()
            visit.job.abandon()
        visit.job = TrainingJob(
            place,
            source,
            self._training,
            lambda model: self._keep_trained(model, name),
            base=base_path,
            thumbnail_bytes=thumbnail_bytes,
            not_photos=not_photos,
        )
        visit.job.start()
        return visit.job.status

    def _keep_trained(self, model: Path, name: str) -> str:
        """Put what was trained for minutes on the shelf, under another name if its own was taken meanwhile."""
        with self.shelf.naming:
            return self.shelf.add(model, self.shelf.free_name(name.strip()))

    def training(self, key: str) -> Status | None:
        """How the visitor's training stands, if there is one."""
        job = self.visits.get(key).job
        return None if job is None else job.status

    def stop_training(self, key: str) -> None:
        """Stop it; `resume_training` goes on."""
        job = self.visits.get(key).job
        if job is not None:
            job.stop()

    def resume_training(self, key: str) -> None:
        """Go on where it was stopped."""
        job = self.visits.get(key).job
        if job is None:
            raise RequestError("there is no training to go on with")
        job.start()

    def _photographs(self, files: Sequence[tuple[str, Path]], folder: str, place: Path) -> tuple[Path, dict[str, str]]:
        """Where photographs lie, in a new `place` if they were sent, else where they are; and as `gather`."""
        if files:
            place.mkdir()
            return place, gather(files, place, self.limits)
        if not folder.strip():
            raise RequestError("choose photographs first")
        if not self.folders_allowed:
            raise RequestError("folders of this machine can be named only where the app runs for this machine alone")
        path = Path(folder.strip()).expanduser()
        if not path.is_dir():
            raise RequestError("there is no such folder on this machine")
        return path, {}

    def copy_of_model(self, key: str, name: str) -> Path:
        """Copy a model file into the visitor's folder, to be downloaded."""
        path = self.shelf.path(name)
        target = self.visits.get(key).folder / path.name
        shutil.copyfile(path, target)
        return target

    def rename_model(self, name: str, new_name: str) -> str:
        """Give one of the visitors' models another name, by which those who use it go on with it."""
        self._check_owner()
        given = self.shelf.rename(name, new_name)
        self.visits.follow(name, given)
        return given

    def delete_model(self, name: str) -> None:
        """Remove one of the visitors' models."""
        self._check_owner()
        self.shelf.delete(name)

    def _check_owner(self) -> None:
        if not self.folders_allowed:
            raise RequestError("models are changed only where the app runs for this machine alone: others use them too")

    # --- inside ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _working(self, key: str) -> Iterator[Visit]:
        """Have the visit to oneself; errors come out fit for a visitor, and leave it as it was."""
        visit = self.visits.get(key)
        # Gradio answers the events of one visitor in several threads: two strokes at once would
        # both be added to the same list, and one be lost.
        with visit.turn, self._said(visit), visit.unless_it_fails():
            yield visit

    @contextmanager
    def _said(self, visit: Visit) -> Iterator[None]:
        """Keep the visit meanwhile, and say errors in words that are fit for a visitor."""
        try:
            with self.visits.at_work(visit):
                yield
        except RequestError:
            raise
        except ColorizeError as error:
            raise RequestError(self._harmless(str(error))) from error
        except MemoryError as error:
            visit.forget_session()
            # Only what can be computed again was given up.
            raise RequestError("there is not enough memory for this; try a smaller photograph") from error

    def _harmless(self, message: str) -> str:
        """A message without paths of this machine."""
        # Inner folders first: of an outer one replaced before, the rest would be left to read.
        for path in (str(self.workspace), str(self.shelf.folder), tempfile.gettempdir(), str(Path.home())):
            message = message.replace(path, "…")
        return message

    def _read(self, path: Path, name: str) -> RgbImage:
        if path.stat().st_size > self.limits.file_bytes:
            raise RequestError(f"{name}: larger than {self.limits.file_bytes / 1e6:g} MB")
        try:
            return read_photo(path, max_pixels=self.limits.pixels)
        except InvalidImageError as error:
            raise RequestError(str(error).replace(str(path), name)) from error

    def _session(self, visit: Visit) -> Session:
        session = visit.session
        if session is None:
            photo, references = visit.need_photo(), [item.photo for item in visit.references]
            session = self.shelf.load(visit.model).open(photo.gray, references, visit.strength)
            for number, hints in visit.steps:
                session = session.choose(number, hints)
            visit.session = session
            self.visits.opened(visit)
        return session

    def _recipe(self, visit: Visit) -> Recipe:
        """How the colours of the visitor's photograph are made; what `colorize replay` cannot repeat is named."""
        from colorize.recipe.work import file_digest, make_recipe, noted_hints

        photo, hints = visit.need_photo(), visit.hints()
        recipe = make_recipe(self.shelf.path(visit.model), self.shelf.load(visit.model), vividness=visit.vividness)
        others: dict[str, Any] = {
            "references": len(visit.references),
            "chosen": [number for number, _ in visit.steps],
            DECIDED_AT: list(photo.gray.shape) if photo.gray.shape != photo.shape else None,
        }
        said: tuple[dict[str, Any], ...] = () if hints is None else (noted_hints(hints),)
        said += tuple({name: value} for name, value in others.items() if value)
        return replace(recipe, hints=said, input_sha256=file_digest(photo.path))

    def _result(self, visit: Visit) -> Colorization:
        result = visit.result
        if result is None:
            result = visit.result = self._session(visit).with_hints(visit.hints(), visit.vividness)
        return result

    def _view(self, visit: Visit) -> View:
        photo, result = visit.need_photo(), self._result(visit)
        return View(
            photo,
            jpeg(result.rgb),
            confidence_map(result, photo.gray) if visit.shows_sure else None,
            visit.strokes,
            visit.now > 0,
            visit.now < len(visit.history) - 1,
            (*photo.notes, *result.notes),
        )


def _place_for(visit: Visit) -> Path:
    """A folder for another photograph; of those before it the last is kept, for what is on its way to the browser.

    While other work than this opening is under way all are kept: a saving in line reads its photograph when it has its
    turn, and writes beside it.
    """
    place = visit.folder / "photographs" / secrets.token_hex(4)
    place.mkdir(parents=True)
    last = visit.photo.path.parent if visit.photo else None
    for old in place.parent.iterdir():
        if old not in (place, last) and visit.n_working == 1:
            shutil.rmtree(old, ignore_errors=True)
    return place


def _place_of(number: int, strokes: Sequence[Stroke]) -> int:
    """Where a stroke lies in the list now: what a page asks may be older than the last change."""
    numbers = [stroke.number for stroke in strokes]
    if number not in numbers:
        raise RequestError("there is no such stroke any more")
    return numbers.index(number)


def _painted(mark: Mark) -> Stroke:
    """A mark as a stroke; of single pixels a few stand for all."""
    places = mark.places[:: max(1, len(mark.places) // 300)] if mark.kind == "pixels" else mark.places
    protects = mark.kind == mark.reach == "pixels"  # as `add_hint` keeps it, and hints that were saved bring it back
    path = tuple((float(place[0]), float(place[1])) for place in places)
    return Stroke(mark, path, float(mark.radius), protects=protects)


def _mark(content: dict[str, Any]) -> Mark:
    """A stroke as the page sends it."""
    path = content.get("path")
    reach = content.get("reach", DEFAULT_REACH)
    if not isinstance(path, Sequence) or isinstance(path, str) or not 1 <= len(path) <= 20_000:
        raise RequestError("a stroke needs between 1 and 20000 places")
    kind = "point" if len(path) == 1 else "stroke"
    places: Any = path  # as lists; `Mark` checks them
    return Mark(kind, places, parse_color(content.get("color")), content.get("radius", 6.0), reach)
