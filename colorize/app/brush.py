"""Correcting by hand: strokes on the photograph, where they would tell most, and a model that learns from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from colorize._support.bits import to_8_bit
from colorize.app.core import Core, View
from colorize.app.strokes import Stroke, Strokes
from colorize.app.visits import Visit
from colorize.exceptions import RequestError
from colorize.guidance.hints import Hints, parse_color

if TYPE_CHECKING:
    from colorize.guidance.suggestion import Suggestion

# Every answer carries all strokes, and the page draws all of them.
N_STROKES = 2000
N_PLACES = 5


class Brush:
    """The strokes of every visitor, in pixels of the view."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def paint(self, key: str, stroke: Mapping[str, Any]) -> View:
        """Add a stroke: its ``path`` of places (row, column), ``color``, ``radius`` and ``reach``.

        One that ``protects`` has no colour: it holds what is shown there now.
        """
        with self.core.turn(key) as visit:
            visit.need_photo()
            painted = self._protecting(visit, stroke) if stroke.get("protects") else Stroke.drawn(stroke)
            return self._repainted(visit, (*visit.strokes, painted))

    def edit(self, key: str, number: int, *, color: str | None = None, reach: str | None = None) -> View:
        """Give the stroke of this number (`Stroke.number`) another colour or reach."""
        with self.core.turn(key) as visit:
            old = _stroke(number, visit)
            mark = old.mark if color is None else replace(old.mark, color=parse_color(color))
            new = replace(old, mark=mark if reach is None else replace(mark, reach=reach))
            return self._repainted(visit, tuple(new if stroke is old else stroke for stroke in visit.strokes))

    def erase(self, key: str, number: int) -> View:
        """Take the stroke of this number away."""
        with self.core.turn(key) as visit:
            gone = _stroke(number, visit)
            return self._repainted(visit, tuple(stroke for stroke in visit.strokes if stroke is not gone))

    def clear(self, key: str) -> View:
        """Take all strokes away."""
        with self.core.turn(key) as visit:
            return self._repainted(visit, ()) if visit.strokes else self.core.view(visit)

    def undo(self, key: str) -> View:
        """Take the last change of the strokes back."""
        with self.core.turn(key) as visit:
            visit.step(-1)
            return self.core.view(visit)

    def redo(self, key: str) -> View:
        """Make a change again that `undo` took back."""
        with self.core.turn(key) as visit:
            visit.step(1)
            return self.core.view(visit)

    def save(self, key: str) -> Path:
        """Write the hints as JSON into the visitor's folder."""
        visit = self.core.visits.get(key)
        photo, hints = visit.need_photo(), _need_hints(visit)
        path = visit.folder / f"{photo.path.stem}.hints.json"
        path.write_text(hints.to_json(), encoding="utf-8")
        return path

    def load(self, key: str, path: Path) -> View:
        """Replace the hints by those of a JSON file."""
        with self.core.turn(key) as visit:
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
            return self._repainted(visit, tuple(Stroke.of(mark) for mark in hints.marks))

    def suggestions(self, key: str) -> list[Suggestion]:
        """Places where a hint would tell most, with likely colours."""
        with self.core.turn(key) as visit:
            return self.core.session(visit).suggest(N_PLACES, visit.hints())

    def learn(self, key: str, name: str) -> tuple[str, str]:
        """Make a new model that remembers the visitor's hints; its name, and a sentence on what it learnt."""
        from colorize.training.corrections import hinted_regions, learn_corrections

        shelf = self.core.shelf
        shelf.new_path(name)
        with self.core.turn(key) as visit:
            session, hints = self.core.session(visit), _need_hints(visit)
            wishes = hints.rasterize(session.gray.shape).on(session.gray.lightness)
            description = session.description
            region, wanted, weight = hinted_regions(description.superpixels, wishes.is_known, wishes.field())
            learnt = learn_corrections(shelf.load(visit.model), description.features.values[region], wanted, weight)
            with shelf.naming:
                learnt.colorizer.save(shelf.new_path(name))
        return name.strip(), str(learnt)

    def _repainted(self, visit: Visit, strokes: Strokes) -> View:
        if len(strokes) > N_STROKES:
            raise RequestError(f"at most {N_STROKES} strokes can be painted on one photograph")
        visit.paint(strokes)
        return self.core.view(visit)

    def _protecting(self, visit: Visit, content: Mapping[str, Any]) -> Stroke:
        """A stroke whose hint is, pixel by pixel, what is shown under it."""
        # Only the shape of this stroke is used; its colour and reach mean nothing.
        drawn = Stroke.drawn({**content, "color": "#000000", "reach": "here"})
        shape = visit.need_photo().gray.shape
        is_covered = Hints(shape, (drawn.mark,)).rasterize(shape).is_known
        rgba = np.dstack([to_8_bit(self.core.result(visit).rgb), np.where(is_covered, 255, 0).astype(np.uint8)])
        return replace(drawn, mark=Hints.from_rgba(rgba, shape, reach="pixels").marks[0], protects=True)


def _stroke(number: int, visit: Visit) -> Stroke:
    """The stroke of a number, if there is one: what a page asks may be older than the last change."""
    for stroke in visit.strokes:
        if stroke.number == number:
            return stroke
    raise RequestError("there is no such stroke any more")


def _need_hints(visit: Visit) -> Hints:
    hints = visit.hints()
    if hints is None:
        raise RequestError("nothing has been painted yet")
    return hints
