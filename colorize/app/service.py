"""What the app can do, without a page: visitors, photographs, models. Everything comes in and goes out as plain values.

One heavy job runs at a time; others wait for it. Photographs are edited at no more than `PROXY_SIDE` pixels a side and
made at full size when they are saved.
"""

from __future__ import annotations

import base64
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize._bits import to_8_bit
from colorize.app.shelf import Shelf
from colorize.app.training import Status, TrainingJob
from colorize.app.uploads import Limits, clean_name, gather
from colorize.app.visits import Photo, Visit, Visits
from colorize.batch.work import file_digest, make_recipe, noted_hints, signed
from colorize.color import lab_to_rgb, to_gray
from colorize.exceptions import ColorizeError, InvalidImageError, RequestError
from colorize.hints import DEFAULT_REACH, REACHES, Hints, Mark, parse_color
from colorize.io import encode_screen, read_photo, write_photo
from colorize.models import user_folder
from colorize.recipe import DECIDED_AT, Recipe
from colorize.session import MOODS
from colorize.types import Colorization, GrayImage, RgbImage

if TYPE_CHECKING:
    from colorize.app.errands import BatchResult, Compared

PROXY_SIDE = 1024
THUMBNAIL_SIDE = 280
REFERENCE_SIDE = 640
EXPLANATION_SIDE = 512
N_REFERENCES = 8
N_ALTERNATIVES = 1 + len(MOODS)
N_MARKS = 2000
COMPARED_SIDE = 640
RULES = {"no colour": "gray", "colours by lightness and height": "lookup"}
"""Simple rules that a comparison can show, by their names on the page."""
SAVED_AS = {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif"}
SAMPLES = {
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "temple": ("sklearn", "datasets/images/china.jpg"),
    "astronaut": ("skimage", "data/astronaut.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "photographer": ("skimage", "data/camera.png"),
}
"""Photographs that come with libraries that are there anyway."""

_SURE, _UNSURE = np.array([38, 120, 178]), np.array([235, 140, 35])

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class View:
    """A photograph as the page shows it.

    Attributes
    ----------
    name : str
    shape, full_shape : tuple of int
        Height and width: of the pictures here, and of the photograph.
    gray, color : bytes
        JPEG.
    n_marks : int
        Hints painted so far.
    notes : tuple of str
        What there is to tell.
    """

    name: str
    shape: tuple[int, int]
    full_shape: tuple[int, int]
    gray: bytes
    color: bytes
    n_marks: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A place worth clicking, in pixels of the view, with likely colours as ``#rrggbb`` and how likely they are."""

    row: int
    col: int
    colors: tuple[str, ...]
    names: tuple[str, ...]
    chances: tuple[float, ...]


class Service:
    """Everything the app does, for any number of visitors.

    Parameters
    ----------
    models : Path, optional
        Folder of visitors' models; by default a folder of the user.
    limits : Limits, optional
    workspace : Path, optional
        Folder for temporary files; by default a new one. It is removed by `close`.
    folders_allowed : bool
        Whether visitors may name folders of this machine to train on: only if they are its users.
    visits : dict, optional
        Arguments of `Visits`.

    Examples
    --------
    >>> service = Service(Path("models"))
    >>> view = service.open_sample("somebody", "flower")
    >>> view.shape, view.full_shape, view.n_marks
    ((427, 640), (427, 640), 0)
    >>> service.close()
    """

    def __init__(
        self,
        models: Path | None = None,
        *,
        limits: Limits | None = None,
        workspace: Path | None = None,
        folders_allowed: bool = True,
        visits: dict[str, Any] | None = None,
    ) -> None:
        self.shelf = Shelf(models or user_folder())
        self.limits = limits or Limits()
        self.workspace = workspace or Path(tempfile.mkdtemp(prefix="colorize-app-"))
        self.visits = Visits(self.workspace / "visits", **(visits or {}))
        self.folders_allowed = folders_allowed
        self._work, self._training = threading.Lock(), threading.Lock()

    def close(self) -> None:
        """Forget everybody and remove all temporary files."""
        self.visits.close_all()
        shutil.rmtree(self.workspace, ignore_errors=True)

    # --- the photograph ----------------------------------------------------------------------------------------------

    def open_photo(self, key: str, path: Path, name: str) -> View:
        """Take a photograph from a file, which is copied, and colour it.

        Raises
        ------
        RequestError
            It cannot be read, or is too large.
        """
        name = clean_name(name)
        if path.stat().st_size > self.limits.file_bytes:
            raise RequestError(f"{name}: larger than {self.limits.file_bytes / 1e6:g} MB")
        with self._working(key) as visit:
            kept = visit.folder / "original"
            read = self._read(path, name)
            shutil.copyfile(path, kept)
            gray = fitted(to_gray(read), PROXY_SIDE)
            visit.photo = Photo(name, kept, read.shape, gray, encode_screen(_gray_pixels(gray)), read.metadata.notes)
            visit.marks, visit.steps, visit.references = [], (), ()
            visit.forget_session()
            return self._view(visit)

    def open_sample(self, key: str, name: str) -> View:
        """Take one of the `SAMPLES`."""
        if name not in SAMPLES:
            raise RequestError("there is no such sample")
        package, inner = SAMPLES[name]
        return self.open_photo(key, Path(str(resources.files(package) / inner)), f"{name}{Path(inner).suffix}")

    def set_style(self, key: str, *, model: str | None = None, vividness: float | None = None) -> View:
        """Colour with another model or another vividness; hints stay."""
        with self._working(key) as visit:
            if model is not None and model != visit.model:
                self.shelf.path(model)
                visit.model, visit.steps = model, ()
                visit.forget_session()
            if vividness is not None and vividness != visit.vividness:
                visit.vividness = float(np.clip(vividness, 0, 1))
                visit.forget_result()
            return self._view(visit)

    def confidence_map(self, key: str) -> bytes:
        """How sure the model is, from orange (a guess) to blue (sure), over the gray photograph; JPEG."""
        with self._working(key) as visit:
            result, gray = self._result(visit), visit.need_photo().gray
            sure = result.confidence[..., None]
            tint = _UNSURE + (_SURE - _UNSURE) * sure
            pixels = 0.45 * _gray_pixels(gray) + 0.55 * tint
            return encode_screen(shrunk(pixels.astype(np.uint8), 640))

    def save(self, key: str, kind: str) -> Path:
        """Write the photograph at full size, with its metadata and a note on its colours, into the visitor's folder.

        Parameters
        ----------
        key : str
        kind : {"PNG", "JPEG", "TIFF"}

        Returns
        -------
        Path
        """
        if kind not in SAVED_AS:
            raise RequestError(f"choose one of {', '.join(SAVED_AS)}")
        with self._working(key) as visit:
            photo = visit.need_photo()
            gray = to_gray(self._read(photo.path, photo.name))
            session = self._session(visit).at_size(gray)
            result = _colored(session, visit)
            path = visit.folder / f"{Path(photo.name).stem}.colorized{SAVED_AS[kind]}"
            write_photo(signed(result.image, self._recipe(visit)), path, overwrite=True)
            return path

    # --- hints -------------------------------------------------------------------------------------------------------

    def add_hint(self, key: str, mark: dict[str, Any]) -> View:
        """Paint: a stroke of places (row, column) in pixels of the view, with a colour, a radius and a reach."""
        with self._working(key) as visit:
            visit.need_photo()
            if len(visit.marks) >= N_MARKS:
                raise RequestError(f"at most {N_MARKS} strokes can be painted on one photograph")
            visit.marks.append(_mark(mark))
            visit.forget_result()
            try:
                return self._view(visit)
            except ColorizeError:
                visit.marks.pop()  # a stroke beside the photograph
                raise

    def undo(self, key: str) -> View:
        """Take the last stroke back."""
        with self._working(key) as visit:
            visit.need_photo()
            visit.marks[-1:] = []
            visit.forget_result()
            return self._view(visit)

    def clear(self, key: str) -> View:
        """Take all strokes back."""
        with self._working(key) as visit:
            visit.need_photo()
            visit.marks = []
            visit.forget_result()
            return self._view(visit)

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
            if path.stat().st_size > 20_000_000:
                raise RequestError("the file is too large for hints")
            try:
                found = Hints.from_json(path.read_text(encoding="utf-8"))
            except UnicodeDecodeError as error:
                raise RequestError("the hints are no JSON text") from error
            before, visit.marks = visit.marks, list(_rescaled(found, shape).marks)
            visit.forget_result()
            try:
                return self._view(visit)
            except ColorizeError:
                visit.marks = before
                visit.forget_result()
                raise

    def suggestions(self, key: str, n: int = 5) -> list[Place]:
        """Places where a hint would tell most, with likely colours."""
        from colorize.evaluation.colors import color_names

        with self._working(key) as visit:
            found = self._session(visit).suggest(n, visit.hints())
            return [
                Place(
                    item.row,
                    item.col,
                    tuple("#" + bytes(color).hex() for color in item.colors.tolist()),
                    tuple(color_names(item.ab)),
                    tuple(float(chance) for chance in item.probabilities),
                )
                for item in found
            ]

    # --- alternatives and references ---------------------------------------------------------------------------------

    def alternatives(self, key: str) -> list[bytes]:
        """Small pictures of other ways to see the photograph, the present one first; JPEG."""
        with self._working(key) as visit:
            small = self._session(visit).at_size(fitted(visit.need_photo().gray, THUMBNAIL_SIDE))
            results = small.alternatives(N_ALTERNATIVES, visit.hints(), visit.vividness)
            return [encode_screen(to_8_bit(result.rgb)) for result in results]

    def choose(self, key: str, number: int) -> View:
        """Go on from one of the alternatives, counted from 0; -1 goes back to the model's own colours."""
        with self._working(key) as visit:
            if not -1 <= number < N_ALTERNATIVES:
                raise RequestError("there is no such picture")
            if number < 0:
                visit.steps = ()
                visit.forget_session()
            elif number:
                hints = visit.hints()
                visit.session = self._session(visit).choose(number, hints)
                visit.steps += ((number, hints),)
                visit.forget_result()
            return self._view(visit)

    def set_references(self, key: str, files: Sequence[tuple[str, Path]], strength: float = 1.0) -> View:
        """Colour as these colour photographs look; none of them: as the model does."""
        if len(files) > N_REFERENCES:
            raise RequestError(f"at most {N_REFERENCES} photographs can be looked at")
        with self._working(key) as visit:
            visit.need_photo()
            photos = tuple(
                RgbImage(shrunk(self._read(path, clean_name(name)).pixels, REFERENCE_SIDE)) for name, path in files
            )
            before = visit.references, visit.strength
            visit.references, visit.strength, visit.steps = photos, float(np.clip(strength, 0, 1)), ()
            visit.forget_session()
            try:
                return self._view(visit)
            except ColorizeError as error:
                visit.references, visit.strength = before
                visit.forget_session()
                message = re.sub(r"references\[(\d+)\]", lambda found: clean_name(files[int(found[1])][0]), str(error))
                raise RequestError(message) from error

    # --- why ---------------------------------------------------------------------------------------------------------

    def explain(self, key: str, row: float, col: float) -> dict[str, Any]:
        """Why a place, in pixels of the view, got its colour; plain values for a page."""
        from colorize.evaluation.report.explanation import place_in_words
        from colorize.explanation import Explainer

        with self._working(key) as visit:
            session = self._session(visit)
            if visit.explainer is None:
                small = session.at_size(fitted(visit.need_photo().gray, EXPLANATION_SIDE))
                visit.explainer = Explainer(small, hints=visit.hints(), vividness=visit.vividness)
            (height, width), shape = visit.explainer.session.gray.shape, session.gray.shape
            found = visit.explainer.at(int(row * height / shape[0]), int(col * width / shape[1]))
            return place_in_words(visit.explainer, found)

    # --- errands -----------------------------------------------------------------------------------------------------

    def methods(self) -> list[str]:
        """What a comparison can show: all models, and the simple rules."""
        return [*self.shelf.paths(), *RULES]

    def compare(
        self, key: str, path: Path, name: str, methods: Sequence[str], vividness: float = 0.5
    ) -> tuple[list[Compared], bytes, bytes | None]:
        """Let several methods colour a photograph; see `colorize.app.errands.compare`."""
        from colorize.app import errands

        unknown = sorted({*methods} - {*self.methods()})
        if unknown or not methods:
            raise RequestError(f"there is no method {unknown[0]}" if unknown else "choose at least one to compare")
        paths = self.shelf.paths()
        specs = {shown: str(paths[shown]) if shown in paths else RULES[shown] for shown in methods}
        with self._working(key):
            photo = RgbImage(shrunk(self._read(path, clean_name(name)).pixels, COMPARED_SIDE))
            return errands.compare(photo, specs, vividness=vividness)

    def batch(
        self,
        key: str,
        files: Sequence[tuple[str, Path]],
        *,
        model: str = "default",
        vividness: float = 0.5,
        kind: str = "JPEG",
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> BatchResult:
        """Colour many photographs, and those in zips, into one zip with a report."""
        from colorize.app import errands

        if kind not in SAVED_AS:
            raise RequestError(f"choose one of {', '.join(SAVED_AS)}")
        if not files:
            raise RequestError("choose photographs first")
        visit = self.visits.get(key)
        colorizer = self.shelf.load(model)
        with tempfile.TemporaryDirectory(dir=visit.folder) as place:
            left_out = gather(files, Path(place), self.limits)
            return errands.colorize_all(
                colorizer,
                Path(place),
                visit.folder / "colorized.zip",
                suffix=SAVED_AS[kind],
                recipe=make_recipe(self.shelf.path(model), colorizer, vividness=vividness),
                max_pixels=self.limits.pixels,
                left_out=left_out,
                turn=lambda: self._working(key),
                progress=progress,
            )

    # --- training ----------------------------------------------------------------------------------------------------

    def train(
        self,
        key: str,
        name: str,
        *,
        files: Sequence[tuple[str, Path]] = (),
        folder: str = "",
        thumbnail_bytes: int = 0,
    ) -> Status:
        """Train a model on photographs that were sent, or on those of a folder of this machine.

        Raises
        ------
        RequestError
            No photographs, a bad zip, a name that is taken, or another training of this visitor is on.
        """
        visit = self.visits.get(key)
        if visit.job is not None and visit.job.is_running:
            raise RequestError("your training is still running: stop it first")
        self.shelf.new_path(name)
        if not files and not folder.strip():
            raise RequestError("choose photographs to learn from")
        place = self.workspace / "jobs" / secrets.token_hex(16)
        (place / "photos").mkdir(parents=True)
        try:
            not_photos = gather(files, place / "photos", self.limits) if files else {}
            source = place / "photos" if files else self._named_folder(folder)
        except RequestError:
            shutil.rmtree(place, ignore_errors=True)
            raise
        if visit.job is not None:
            visit.job.discard()
        visit.job = TrainingJob(
            place,
            source,
            self._training,
            lambda model: self.shelf.add(model, name),
            thumbnail_bytes=thumbnail_bytes,
            not_photos=not_photos,
        )
        visit.job.start()
        return visit.job.status()

    def training(self, key: str) -> Status | None:
        """How the visitor's training stands, if there is one."""
        job = self.visits.get(key).job
        return None if job is None else job.status()

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

    def _named_folder(self, folder: str) -> Path:
        if not self.folders_allowed:
            raise RequestError("folders of this machine can be named only where the app runs for this machine alone")
        path = Path(folder.strip()).expanduser()
        if not path.is_dir():
            raise RequestError("there is no such folder on this machine")
        return path

    def copy_of_model(self, key: str, name: str) -> Path:
        """Copy a model file into the visitor's folder, to be downloaded."""
        path = self.shelf.path(name)
        target = self.visits.get(key).folder / path.name
        shutil.copyfile(path, target)
        return target

    # --- inside ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _working(self, key: str) -> Iterator[Visit]:
        """Wait for the job that is running, then have the visit to oneself; errors come out fit for a visitor."""
        visit = self.visits.get(key)
        with self._work:
            try:
                yield visit
            except RequestError:
                raise
            except ColorizeError as error:
                raise RequestError(self._harmless(str(error))) from error
            except MemoryError as error:
                visit.forget_session()
                raise RequestError("there is not enough memory for this; try a smaller photograph") from error

    def _harmless(self, message: str) -> str:
        """A message without paths of this machine."""
        for path in (str(self.workspace), str(self.shelf.folder), tempfile.gettempdir(), str(Path.home())):
            message = message.replace(path, "…")
        return message

    def _read(self, path: Path, name: str) -> RgbImage:
        try:
            return read_photo(path, max_pixels=self.limits.pixels)
        except InvalidImageError as error:
            raise RequestError(str(error).replace(str(path), name)) from error

    def _session(self, visit: Visit) -> Any:
        if visit.session is None:
            photo = visit.need_photo()
            options: dict[str, Any] = {}
            if visit.references:
                options = {"references": visit.references, "reference_strength": visit.strength}
            session = self.shelf.load(visit.model).open(photo.gray, **options)
            for number, hints in visit.steps:
                session = session.choose(number, hints)
            visit.session = session
            self.visits.opened(visit)
        return visit.session

    def _recipe(self, visit: Visit) -> Recipe:
        """How the colours of the visitor's photograph are made; what `colorize replay` cannot repeat is named."""
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
        if visit.result is None:
            visit.result = _colored(self._session(visit), visit)
        return visit.result

    def _view(self, visit: Visit) -> View:
        photo, result = visit.need_photo(), self._result(visit)
        return View(
            photo.name,
            photo.gray.shape,
            photo.shape,
            photo.preview,
            encode_screen(to_8_bit(result.rgb)),
            len(visit.marks),
            (*photo.notes, *result.notes),
        )


def data_uri(picture: bytes) -> str:
    """A JPEG as an address that holds it."""
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")


def fitted(gray: GrayImage, side: int) -> GrayImage:
    """The photograph no larger than `side` pixels a side, for the screen: 8 bits, without opacity and metadata."""
    lightness = gray.lightness
    scale = side / max(lightness.shape)
    if scale < 1:
        size = max(1, round(lightness.shape[1] * scale)), max(1, round(lightness.shape[0] * scale))
        lightness = np.clip(cv2.resize(lightness, size, interpolation=cv2.INTER_AREA), 0, 100)
    return GrayImage(np.ascontiguousarray(lightness, np.float32))


def _colored(session: Any, visit: Visit) -> Colorization:
    hints = visit.hints()
    return session.colorize(visit.vividness) if hints is None else session.with_hints(hints, visit.vividness)


def _mark(content: dict[str, Any]) -> Mark:
    """A stroke as the page sends it."""
    path = content.get("path")
    reach = content.get("reach", DEFAULT_REACH)
    if not isinstance(path, Sequence) or isinstance(path, str) or not 1 <= len(path) <= 20_000:
        raise RequestError("a stroke needs between 1 and 20000 places")
    kind = "point" if len(path) == 1 else "stroke"
    places: Any = path  # as lists; `Mark` checks them
    return Mark(kind, places, parse_color(content.get("color")), content.get("radius", 6.0), reach)


def _rescaled(hints: Hints, shape: tuple[int, int]) -> Hints:
    """Hints drawn on a photograph of another size, as if drawn on one of `shape`; `rasterize` checks the aspect."""
    if hints.shape == shape:
        return hints
    pixels = hints.rasterize(shape)
    layers = []
    for reach in range(len(REACHES)):
        mine = pixels.is_known & (pixels.reach == reach)
        if mine.any():
            rgba = np.dstack([pixels.rgb, np.where(mine, 255, 0).astype(np.uint8)])
            layers.append(Hints.from_rgba(rgba, shape, reach=REACHES[reach]))
    return Hints(shape, tuple(mark for layer in layers for mark in layer.marks))


def _gray_pixels(gray: GrayImage) -> NDArray[np.uint8]:
    return np.asarray(lab_to_rgb(gray.lightness, np.zeros((*gray.shape, 2), np.float32)), np.uint8)


def shrunk(pixels: NDArray[Any], side: int) -> NDArray[np.uint8]:
    """Pixels of 8 bits, no more than `side` a side."""
    pixels = to_8_bit(pixels)
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
