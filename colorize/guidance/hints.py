"""Hints: what a person says about the colours of a photograph, and how it becomes pixels.

A hint layer is drawn on a photograph of one size and may be used on another: the full size of what was a small preview,
say. Hints are kept as they were drawn and turned into pixels (`Hints.rasterize`) for the size that is wanted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize._support.bits import to_8_bit
from colorize._support.numbers import is_integer, is_number
from colorize.exceptions import HintsError
from colorize.types import REACHES, Float32, check_unmasked, described

Shape = tuple[int, int]

DEFAULT_REACH = "here"
"""What is not said is meant so: a person hints the thing that differs."""

PLACES = {"point": "at", "stroke": "path", "region": "polygon", "pixels": "runs"}
"""Kinds of marks, each with the key of its places in JSON."""

_VERSION = 1
# Hints come from files that anybody may have written: a few bytes must not ask for all memory.
_MAX_SIDE = 100_000
_MAX_PIXELS = 250_000_000
_MAX_MARKS = 100_000


@dataclass(frozen=True, eq=False, init=False)
class Mark:
    """One thing that a person drew.

    Attributes
    ----------
    kind : {"point", "stroke", "region", "pixels"}
        Discs around places, a line through them, what they enclose, or runs of single pixels.
    places : ndarray, shape (n, 2), float64, or for pixels (n, 6), int64
        Row and column of each place, in pixels of the photograph it was drawn on; runs have a length and a colour
        besides.
    color : tuple of int
        sRGB, 0..255. Its lightness is not used. Of pixels, whose runs have their own, it is not used at all.
    radius : float
        Of points and strokes, in pixels of the photograph it was drawn on.
    reach : {"photo", "similar", "here", "pixels"}
        How far it is heard; ``pixels``, not at all: it holds the colour of these pixels and says nothing of others.
    """

    kind: str
    places: NDArray[Any]
    color: tuple[int, int, int]
    radius: float
    reach: str

    # The one of dataclasses would have type checkers refuse the lists that people write.
    def __init__(
        self,
        kind: str,
        places: ArrayLike,
        color: Sequence[int] = (0, 0, 0),
        radius: float = 3.0,
        reach: str = DEFAULT_REACH,
    ) -> None:
        if kind not in PLACES:
            raise HintsError(f"kind must be one of {', '.join(PLACES)}, got {kind!r}")
        if reach not in REACHES:
            raise HintsError(f"reach must be one of {', '.join(REACHES)}, got {reach!r}")
        if not (is_number(radius) and 0 <= radius <= _MAX_SIDE):
            raise HintsError(f"radius must be a number of pixels, at least 0, got {radius!r}")
        checked = {"kind": kind, "places": _checked_places(kind, places), "color": _checked_color(color)}
        # JSON has no word for numbers of NumPy.
        plain = radius.item() if isinstance(radius, np.generic) else radius
        for name, value in {**checked, "radius": plain, "reach": reach}.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False)
class HintPixels:
    """Hints as pixels of one photograph.

    Attributes
    ----------
    is_known : ndarray, shape (H, W), bool
        Hinted pixels.
    rgb : ndarray, shape (H, W, 3), uint8
        The colour wanted there, sRGB; 0 elsewhere.
    reach : ndarray, shape (H, W), uint8
        Index into `REACHES`; 0 elsewhere.
    notes : tuple of str
        One plain sentence for everything that was left out or overruled.

    See Also
    --------
    Hints.rasterize : Makes them.
    colorize.optimization.propagate : The stage after: `is_known` and `known_ab`.
    """

    is_known: NDArray[np.bool_]
    rgb: NDArray[np.uint8]
    reach: NDArray[np.uint8]
    notes: tuple[str, ...] = ()

    def on(self, lightness: Float32) -> WantedColors:
        """The colours as sRGB can show them on a photograph of this L*, shape (H, W)."""
        from colorize.color import map_to_gamut, rgb_to_lab  # compiled: a page that shows hints should not wait for it

        known = self.is_known
        wished = rgb_to_lab(self.rgb[known])[:, 1:]
        shown = map_to_gamut(lightness[known], wished)
        # Below one unit of ab or so nobody sees a difference, and rounding alone is nothing to tell.
        n_lost = np.count_nonzero(np.linalg.norm(wished - shown, axis=1) > 1)
        lost = (
            f"{n_lost} of {len(shown)} hinted pixels, too dark or too light for so strong a colour, get as much of it "
            "as can be shown"
        )
        return WantedColors(known, shown, self.reach[known], (*self.notes, lost) if n_lost else self.notes)

    def as_hints(self) -> Hints:
        """The same as marks, one of single pixels for each reach: a mark has one reach for all of it."""
        masks = {reach: self.is_known & (self.reach == number) for number, reach in enumerate(REACHES)}
        marks = [Mark("pixels", _runs(mask, self.rgb), reach=reach) for reach, mask in masks.items() if mask.any()]
        return Hints(self.is_known.shape, tuple(marks))


@dataclass(frozen=True, eq=False)
class WantedColors:
    """What hints ask of the pixels of one photograph.

    Attributes
    ----------
    is_known : ndarray, shape (H, W), bool
        Hinted pixels.
    ab : ndarray, shape (n, 2), float32
        a* and b* wanted there, row by row, inside the gamut of sRGB at the photograph's lightness.
    reach : ndarray, shape (n,), uint8
        Index into `REACHES`.
    notes : tuple of str
        One plain sentence for everything that was left out, overruled, or cannot be shown.

    See Also
    --------
    HintPixels.on : Makes them.
    colorize.guidance.canvas.Canvas.move : The stage after.
    """

    is_known: NDArray[np.bool_]
    ab: Float32
    reach: NDArray[np.uint8]
    notes: tuple[str, ...] = ()

    def field(self) -> Float32:
        """The colours as a picture, shape (H, W, 2), 0 where nothing is wanted."""
        ab = np.zeros((*self.is_known.shape, 2), np.float32)
        ab[self.is_known] = self.ab
        return ab


@dataclass(frozen=True, eq=False)
class Hints:
    """Marks on a photograph, in the order in which they were drawn: where two meet, the later counts.

    Attributes
    ----------
    shape : tuple of int
        Height and width of the photograph that they were drawn on.
    marks : tuple of Mark

    See Also
    --------
    colorize.guidance.session.Session : The stage after: colours that follow them.
    colorize.recognition.belief.Belief : What they teach about regions.

    Examples
    --------
    >>> hints = Hints((60, 80), (Mark("point", [[10, 20]], (0, 128, 0)), Mark("region", [[40, 0], [40, 80], [60, 0]],
    ...               (90, 90, 90), reach="here")))
    >>> hints.rasterize((120, 160)).is_known[[20, 118, 20], [40, 4, 80]].tolist()
    [True, True, False]
    """

    shape: Shape
    marks: tuple[Mark, ...] = ()

    def __post_init__(self) -> None:
        shape = tuple(self.shape) if isinstance(self.shape, Iterable) else ()
        if len(shape) != 2 or not all(is_integer(side) and 1 <= side <= _MAX_SIDE for side in shape):
            got = described(self.shape) if isinstance(self.shape, np.ndarray) else self.shape
            raise HintsError(f"the photo of the hints must be 1 to {_MAX_SIDE} pixels high and wide, got {got}")
        marks = tuple(self.marks) if isinstance(self.marks, Iterable) else (self.marks,)
        if other := [mark for mark in marks if not isinstance(mark, Mark)]:
            raise HintsError(f"marks must be a sequence of Mark, got one of {type(other[0]).__name__}")
        height, width = shape
        if height * width > _MAX_PIXELS:
            raise HintsError(f"the photo of the hints may have {_MAX_PIXELS} pixels at most, got {height} x {width}")
        if len(marks) > _MAX_MARKS:
            raise HintsError(f"at most {_MAX_MARKS} hints are taken, got {len(marks)}")
        object.__setattr__(self, "shape", (int(height), int(width)))
        object.__setattr__(self, "marks", marks)

    def __add__(self, later: Hints) -> Hints:
        """Both, those of the right side drawn later; on photographs of one shape."""
        if later.shape != self.shape:
            raise HintsError(f"hints for photographs of {self.shape} and {later.shape} pixels cannot be joined")
        return Hints(self.shape, self.marks + later.marks)

    def __len__(self) -> int:
        return len(self.marks)

    @classmethod
    def from_rgba(cls, layer: NDArray[np.uint8], photo_shape: Shape, *, reach: str = DEFAULT_REACH) -> Hints:
        """Read a hint layer: what is not fully transparent is a wish.

        Parameters
        ----------
        layer : ndarray, shape (h, w, 4), uint8 (or uint16)
            sRGB and opacity. Where opacity is above 0, the colour is wanted; gray is a wish too.
        photo_shape : tuple of int
            Height and width of the photograph. The layer has that shape, or another of the same aspect ratio.
        reach : {"photo", "similar", "here", "pixels"}
            How far its hints are heard.

        Raises
        ------
        HintsError
            The layer has no opacity, none of its pixels is opaque, its aspect ratio is another, or there is no such
            reach.
        """
        check_unmasked("layer", layer, HintsError)
        layer = np.asarray(layer)
        if layer.ndim != 3 or layer.shape[2] != 4 or layer.dtype not in (np.uint8, np.uint16):
            raise HintsError(
                f"a hint layer must be an RGBA picture, (h, w, 4) of uint8, got {layer.dtype} of shape {layer.shape}"
            )
        # The rims of a soft brush count, or thin strokes would vanish.
        opaque = layer[..., 3] > 0
        if not opaque.any():
            raise HintsError("the hint layer is transparent everywhere: paint on it what you know")
        hints = cls(opaque.shape, (Mark("pixels", _runs(opaque, to_8_bit(layer[..., :3])), reach=reach),))
        hints.check_shape(photo_shape)
        return hints

    @classmethod
    def from_json(cls, text: str) -> Hints:
        """Read hints written by `to_json`, or by hand.

        Parameters
        ----------
        text : str
            An object with ``photo``: {``height``, ``width``} of the photograph drawn on, and ``hints``: a list of
            objects with ``kind``, places (``at``, ``path``, ``polygon`` or ``runs``, pairs of row and column),
            ``color`` (``#rrggbb``), and if wanted ``radius`` (pixels) and ``reach``.

        Raises
        ------
        HintsError
            The text is no JSON or says something else; the message names the hint.
        TypeError
            `text` is no text.

        Examples
        --------
        >>> text = '{"photo": {"height": 60, "width": 80}, "hints": [{"kind": "point", "at": [[10, 20]], "color":'
        >>> Hints.from_json(text + ' "#008000", "reach": "here"}]}').marks[0].color
        (0, 128, 0)
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, got {type(text).__name__}; Path.read_text gives that of a file")
        try:
            # Editors of Windows put a mark of the encoding in front.
            content = json.loads(text.removeprefix("\ufeff"))
        # Brackets nested deeply enough end the parser with a RecursionError.
        except (ValueError, RecursionError) as error:
            raise HintsError(f"the hints are no JSON ({' '.join(str(error).split())})") from error
        if not isinstance(content, dict) or not isinstance(content.get("hints"), list):
            raise HintsError('the hints must be an object {"photo": {"height": H, "width": W}, "hints": [...]}')
        if content.get("version", _VERSION) != _VERSION:
            raise HintsError(f"the hints have version {content['version']!r}; this release reads {_VERSION}")
        photo = content.get("photo")
        if not isinstance(photo, dict) or not {"height", "width"} <= set(photo):
            raise HintsError('the hints must tell the photo they were drawn on: "photo": {"height": H, "width": W}')
        marks = []
        for number, item in enumerate(content["hints"], start=1):
            try:
                marks.append(_parsed_mark(item))
            except HintsError as error:
                # The same fault with the number of its hint; a chain of causes would tell it twice.
                raise HintsError(f"hint {number}: {error}") from None
        return cls((photo["height"], photo["width"]), tuple(marks))

    def to_json(self) -> str:
        """Text that `from_json` reads back, one line per hint."""
        height, width = self.shape
        # One hint a line, so that a person can find one and a difference shows one.
        lines = ",\n  ".join(json.dumps(_plain_mark(mark)) for mark in self.marks)
        photo = json.dumps({"height": height, "width": width})
        return f'{{"version": {_VERSION}, "photo": {photo}, "hints": [\n  {lines}\n]}}\n'

    def check_shape(self, shape: Shape) -> None:
        """Refuse a photograph of another aspect ratio than that of the one drawn on.

        Raises
        ------
        HintsError
            It has another, by more than a pixel of rounding and 1 %.
        """
        if not is_same_aspect(self.shape, shape):
            height, width = self.shape
            raise HintsError(
                f"the hints are for a photo of {height} x {width} pixels (height x width), and this one has "
                f"{shape[0]} x {shape[1]}: they must have the same aspect ratio"
            )

    def rasterize(self, shape: Shape) -> HintPixels:
        """Turn the marks into pixels of a photograph of this height and width.

        Raises
        ------
        HintsError
            The aspect ratio is another than that of the photograph drawn on, or no mark lies inside.
        """
        self.check_shape(shape)
        n = shape[0] * shape[1]
        is_known, is_overruled = np.zeros(n, bool), np.zeros(n, bool)
        rgb, reach = np.zeros((n, 3), np.uint8), np.zeros(n, np.uint8)
        notes = []
        for number, mark in enumerate(self.marks, start=1):
            covered, color = _covered(mark, self.shape, shape)
            outside = _outside(mark, self.shape)
            if outside is not None:
                place = f"({outside[0]:g}, {outside[1]:g})"
                left = "the part inside counts" if len(covered) else "it is left out"
                notes.append(
                    f"hint {number}: {place} lies outside the photo of {self.shape[0]} x {self.shape[1]} pixels; {left}"
                )
            differs = is_known[covered] & (rgb[covered] != color).any(axis=1)
            is_overruled[covered[differs]] = True  # a mask and no sum: a pixel overruled twice counts once
            is_known[covered], rgb[covered], reach[covered] = True, color, REACHES.index(mark.reach)
        if not is_known.any():
            raise HintsError("none of the hints lies on the photo" if self.marks else "there are no hints")
        if n_overruled := np.count_nonzero(is_overruled):
            notes.append(f"{n_overruled} pixels were hinted twice with different colours; the later hint counts")
        return HintPixels(is_known.reshape(shape), rgb.reshape(*shape, 3), reach.reshape(shape), tuple(notes))


def is_same_aspect(first: Shape, second: Shape) -> bool:
    """Whether height and width have one ratio, within a pixel of rounding or 1 %."""
    # Cross products: one pixel of rounding on a side shifts them by the length of the other.
    off = abs(first[0] * second[1] - first[1] * second[0])
    return off <= max(*first, *second, 0.01 * first[0] * second[1])


def _covered(mark: Mark, drawn_on: Shape, shape: Shape) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Flat numbers of the pixels of a photograph of `shape` that a mark covers, and their colour or colours."""
    scale = shape[0] / drawn_on[0], shape[1] / drawn_on[1]
    color = np.array(mark.color, np.uint8)
    if mark.kind == "pixels":
        return _covered_by_runs(mark.places, drawn_on, shape)
    # the middle of pixel (r, c) is (r + .5, c + .5) from the corner, at every scale
    # Farther out, scaling and differences of places could give infinity.
    places = (np.clip(mark.places, -1e12, 1e12) + 0.5) * scale - 0.5
    # The two scales may differ by rounding; their geometric mean keeps the area of a disc.
    radius = mark.radius * math.sqrt(scale[0] * scale[1])
    corner, size = _bounding_box(places, radius, shape)
    if min(size) <= 0:
        return np.empty(0, np.intp), color
    # As large as the mark alone: a hundred thousand points would else fill a photograph each.
    mask = np.zeros(size, np.uint8)
    _draw(mask, mark.kind, places - corner, radius)
    rows, columns = np.nonzero(mask)
    return (rows + corner[0]) * shape[1] + columns + corner[1], color


def _draw(mask: NDArray[np.uint8], kind: str, places: NDArray[Any], radius: float) -> None:
    """Fill one mark into a mask with 1; OpenCV's points are (column, row), with 4 bits for parts of a pixel."""
    # As much as covers every photograph from any of its pixels: OpenCV's whole numbers end soon after.
    radius = min(radius, 4.0 * _MAX_SIDE)
    # What is drawn around a place farther out, were it at a corner, reaches no pixel.
    margin = 1.5 * radius + 2
    low, high = np.full(2, -margin), np.array(mask.shape) + margin
    pieces = [places]
    if np.abs(places).max() > _MAX_SIDE:
        lines = pieces if kind == "region" else [places[k : k + 2] for k in range(len(places) - 1)]
        pieces = [piece for piece in (_cut(line, low, high) for line in lines) if len(piece)]
    # Sixteenths of a pixel, so that a scaled stroke does not jump to whole ones.
    bits = 4
    lines = [np.round(piece[:, None, ::-1] * (1 << bits)).astype(np.int32) for piece in pieces]
    if kind == "region":
        for line in lines:
            cv2.fillPoly(mask, [line], 1, shift=bits)
        return
    for row, column in np.round(places[((places >= low) & (places <= high)).all(axis=1)] * (1 << bits)):
        cv2.circle(mask, (int(column), int(row)), round(radius * (1 << bits)), 1, -1, shift=bits)
    if kind == "stroke":
        # OpenCV draws no thicker; the discs are as large as they should be.
        cv2.polylines(mask, lines, False, 1, min(max(1, round(2 * radius)), 32767), shift=bits)


def _cut(places: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    """The part of a polygon that lies in a box, after Sutherland and Hodgman (1974); of two places, the way and back.

    It keeps the direction of lines that lead far away, for which OpenCV has too few bits.
    """
    for axis, sign, limit in ((0, -1, -low[0]), (0, 1, high[0]), (1, -1, -low[1]), (1, 1, high[1])):
        depth = limit - sign * places[:, axis]
        kept = []
        for k, place in enumerate(places):
            # The one before the first is the last: the polygon is closed.
            if (depth[k] < 0) != (depth[k - 1] < 0):
                kept.append(places[k - 1] + (place - places[k - 1]) * (depth[k - 1] / (depth[k - 1] - depth[k])))
            if depth[k] >= 0:
                kept.append(place)
        places = np.reshape(kept, (-1, 2))
    return places


def _bounding_box(places: NDArray[Any], radius: float, shape: Shape) -> tuple[NDArray[np.intp], Shape]:
    """First pixel and size of the part of the photograph that a mark may touch."""
    # A pixel more on each side, for the rounding of what OpenCV draws.
    low = np.clip(np.floor(places.min(axis=0) - radius - 1), 0, shape).astype(np.intp)
    high = np.clip(np.ceil(places.max(axis=0) + radius + 2), 0, shape).astype(np.intp)
    return low, (int(high[0] - low[0]), int(high[1] - low[1]))


def _covered_by_runs(
    runs: NDArray[np.int64], drawn_on: Shape, shape: Shape
) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    height, width = drawn_on
    runs = runs[(runs[:, 0] >= 0) & (runs[:, 0] < height) & (runs[:, 1] >= 0) & (runs[:, 1] < width)]
    lengths = np.minimum(runs[:, 2], width - runs[:, 1])
    # Before anything of that length is made: runs may overlap and name any number of pixels.
    if lengths.sum() > height * width:
        raise HintsError(f"runs name more pixels than the photo of {height} x {width} has")
    steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    flat = np.repeat(runs[:, 0] * width + runs[:, 1], lengths) + steps
    color = np.repeat(runs[:, 3:].astype(np.uint8), lengths, axis=0)
    # A side that becomes shorter: what is touched is hinted, so that thin lines do not get lost.
    least = (min(height, shape[0]), min(width, shape[1]))
    rows, columns = np.divmod(flat, width)
    flat = rows * least[0] // height * least[1] + columns * least[1] // width
    if least == shape:
        return flat, color
    # One that becomes longer (other rounding may do both): every pixel asks the one that its centre lies in, as label
    # maps are enlarged, so that none is left out.
    source = np.full(least, -1, np.int32)
    source.reshape(-1)[flat] = np.arange(len(flat))
    centres = [(2 * np.arange(there) + 1) * here // (2 * there) for here, there in zip(least, shape, strict=True)]
    source = source[np.ix_(*centres)]
    covered = np.flatnonzero(source >= 0)
    return covered, color[source.reshape(-1)[covered]]


def _outside(mark: Mark, shape: Shape) -> NDArray[Any] | None:
    """The first place of a mark that is not on the photograph."""
    places = mark.places[:, :2]
    # The middle of a pixel is a whole number, so a photograph ends half a pixel further out; corners of a region may
    # touch that border from outside.
    edge = 1 if mark.kind == "region" else 0.5
    beyond = ((places < -edge) | (places > np.array(shape) - 1 + edge)).any(axis=1)
    return places[beyond][0] if beyond.any() else None


def _runs(opaque: NDArray[np.bool_], color: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels of a layer as runs of one colour along rows: row, column, length, red, green, blue."""
    rows, columns = np.nonzero(opaque)
    colors = color[rows, columns]
    starts = np.ones(len(rows), bool)
    starts[1:] = (np.diff(rows) != 0) | (np.diff(columns) != 1) | (colors[1:] != colors[:-1]).any(axis=1)
    first = np.flatnonzero(starts)
    return np.column_stack([rows[first], columns[first], np.diff(np.append(first, len(rows))), colors[first]])


def _parsed_mark(item: Any) -> Mark:
    if not isinstance(item, dict):
        raise HintsError(f"must be an object with kind, places and color, got {type(item).__name__}")
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in PLACES:
        raise HintsError(f"kind must be one of {', '.join(PLACES)}, got {kind!r}")
    needed = [PLACES[kind]] if kind == "pixels" else [PLACES[kind], "color"]
    for key in (*needed, *sorted(item)):
        if key not in item:
            raise HintsError(f"{key!r} is missing")
        if key not in ("kind", "radius", "reach", *needed):
            raise HintsError(f"{key!r} is not understood")
    options = {key: item[key] for key in ("radius", "reach") if key in item}
    if kind == "pixels":
        return Mark(kind, _parsed_runs(item["runs"]), **options)
    return Mark(kind, item[PLACES[kind]], parse_color(item["color"]), **options)


def _parsed_runs(runs: Any) -> NDArray[Any]:
    if not isinstance(runs, list) or not all(isinstance(run, list) and len(run) == 4 for run in runs):
        raise HintsError('runs must be a list of [row, column, length, "#rrggbb"]')
    # checked by the mark that they become
    return np.array([[*run[:3], *parse_color(run[3])] for run in runs], object)


def _plain_mark(mark: Mark) -> Mapping[str, Any]:
    if mark.kind == "pixels":
        runs = [[*run[:3], "#" + bytes(run[3:]).hex()] for run in mark.places.tolist()]
        return {"kind": mark.kind, "runs": runs, "reach": mark.reach}
    content = {"kind": mark.kind, PLACES[mark.kind]: mark.places.tolist(), "color": "#" + bytes(mark.color).hex()}
    if mark.kind != "region":
        content["radius"] = mark.radius
    return content | {"reach": mark.reach}


def parse_color(text: Any) -> tuple[int, int, int]:
    """Read a colour written as ``#rrggbb``.

    Raises
    ------
    HintsError
        It is written in another way.

    Examples
    --------
    >>> parse_color("#ff8000")
    (255, 128, 0)
    """
    if not isinstance(text, str) or not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise HintsError(f"color must be written #rrggbb, got {text!r}")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _checked_color(color: Sequence[int]) -> tuple[int, int, int]:
    values = tuple(color) if isinstance(color, Iterable) else ()
    if len(values) != 3 or not all(is_integer(v) and 0 <= v <= 255 for v in values):
        raise HintsError(f"color must be three whole numbers in 0..255, got {color!r}")
    return int(values[0]), int(values[1]), int(values[2])


def _checked_places(kind: str, places: Any) -> NDArray[Any]:
    width, least = (6, 1) if kind == "pixels" else (2, 3 if kind == "region" else 1)
    what = "[row, column, length, red, green, blue]" if kind == "pixels" else "[row, column]"
    try:
        array = np.array(places, np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != width or not np.isfinite(array).all():
        raise HintsError(f"{PLACES[kind]} must be a list of {what}")
    if len(array) < least:
        raise HintsError(f"{PLACES[kind]} needs at least {least} place{'s' if least > 1 else ''}, got {len(array)}")
    if kind == "pixels":
        color = array[:, 3:]
        if (array != np.floor(array)).any() or np.abs(array).max() > _MAX_SIDE or array[:, 2].min() < 1:
            raise HintsError("runs must be whole numbers of pixels, with lengths of at least 1")
        if color.min() < 0 or color.max() > 255:
            raise HintsError("colours of runs must lie in 0..255")
        array = array.astype(np.int64)
    # What was checked must not be changed afterwards: sessions keep answers to hints.
    array.flags.writeable = False
    return array
