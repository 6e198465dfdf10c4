"""Strokes: what visitors paint, and the hints that it becomes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from colorize.exceptions import RequestError
from colorize.guidance.hints import DEFAULT_REACH, Mark, parse_color


@dataclass(frozen=True, eq=False)
class Stroke:
    """What a visitor painted, and the hint that it became.

    One that protects says "leave this as it is": its hint has the colours that were shown.
    """

    mark: Mark
    path: tuple[tuple[float, float], ...]  # rows and columns as painted, in pixels of the view
    radius: float
    protects: bool = False
    # By which it is asked for: its own as long as the app runs, and kept when it is edited.
    number: int = field(default_factory=itertools.count().__next__)

    @classmethod
    def of(cls, mark: Mark) -> Stroke:
        """A mark as a stroke; of single pixels a few stand for all."""
        places = mark.places[:: max(1, len(mark.places) // 300)] if mark.kind == "pixels" else mark.places
        # As a stroke that protects becomes a hint, and hints that were kept bring it back.
        protects = mark.kind == mark.reach == "pixels"
        path = tuple((float(place[0]), float(place[1])) for place in places)
        return cls(mark, path, float(mark.radius), protects=protects)

    @classmethod
    def drawn(cls, content: Mapping[str, Any]) -> Stroke:
        """A stroke as the page sends it."""
        path = content.get("path")
        if not isinstance(path, Sequence) or isinstance(path, str) or not 1 <= len(path) <= 20_000:
            raise RequestError("a stroke needs between 1 and 20000 places")
        kind = "point" if len(path) == 1 else "stroke"
        places: Any = path  # as lists; `Mark` checks them
        color, reach = parse_color(content.get("color")), content.get("reach", DEFAULT_REACH)
        return cls.of(Mark(kind, places, color, content.get("radius", 6.0), reach))


Strokes = tuple[Stroke, ...]
