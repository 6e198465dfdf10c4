"""The page of `colorize explain`: a photograph with places marked, and for each why it got its colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize._support.bits import to_8_bit
from colorize.color import gray_rgb, lab_to_rgb
from colorize.color.names import color_names
from colorize.evaluation.pictures import data_uri
from colorize.evaluation.plots import minus
from colorize.evaluation.report.page import Page
from colorize.explanation import Explainer, Explanation, HintEffect, Memories
from colorize.explanation.account import FAMILIES, MOVED, sentences, told_apart
from colorize.recognition.decision import NEAR

STEPS = {
    "start": ("any ordinary place", "before anything is known of this one"),
    "features": ("its features", "together: this model remembers no places of its training photographs"),
    "references": ("references or the album", "how often they show these colours"),
    "neighbours": ("places like it beside it", "they share their evidence"),
    "agreement": ("all its neighbours", "they agree on colours that go together"),
}
"""The steps that are no families, in plain words."""

N_COLORS = 8
N_HINTS = 6
_LISTED_SHARE = 0.02
_CROP_SIDE = 260
_UNSEEN = "They changed this place too little to be seen."
_FOOTER = (
    "An explanation tells why the model chose a colour, not that the colour is right: nobody can know it from gray. "
    "The photographs in this page belong to their owners."
)

Pixels = NDArray[np.uint8]


def explanation_report(
    explainer: Explainer, explanations: Sequence[Explanation], *, name: str = "photograph", model: str = "model"
) -> str:
    """Tell why places of a photograph got their colours, as HTML; they are numbered in the order of `explanations`."""
    result, gray = _pictures(explainer)
    places = [_place(explainer, item, number, result, gray) for number, item in enumerate(explanations, 1)]
    page = Page(
        "explanation",
        f"Why these colours? {name}",
        [
            "Every small region of the photograph is compared with what the model remembers from training; then "
            "neighbours agree. Pick a number to see what spoke for the colour of that place, and what against."
        ],
        facts=[
            ("Model", model, f"{len(explainer.model.palette.colors_)} palette colours"),
            ("Vividness", f"{explainer.vividness:g}", "0 faithful, 1 bold"),
            ("Regions", f"{explainer.superpixels.n_superpixels}", "each with one colour before blending"),
        ],
        warnings=_warnings(explainer),
        footer=_FOOTER,
    )
    photo = {
        "name": name,
        "width": result.shape[1],
        "height": result.shape[0],
        "result": data_uri(result, 220_000, longest=1000),
        "gray": data_uri(gray, 160_000, longest=1000),
    }
    hint = "Drag the handle to compare with gray. The numbers lead to the explanations below."
    overview = {"photo": photo, "places": places, "near": f"{NEAR:g}"}
    page.add("Photograph", ("overview", overview), title="The photograph", text=hint)
    for place in places:
        page.add(f"{place['number']} {place['title']}", ("place", place), title="", key=place["id"])
    return page.html()


def place_in_words(explainer: Explainer, found: Explanation) -> dict[str, Any]:
    """What the page says of one place, as plain values, for a page of another kind."""
    return _place(explainer, found, 1, *_pictures(explainer))


def _pictures(explainer: Explainer) -> tuple[Pixels, Pixels]:
    """The photograph in colour and in gray."""
    result = to_8_bit(explainer.result.image.pixels)
    return result, gray_rgb(explainer.session.gray.lightness)


def _warnings(explainer: Explainer) -> list[str]:
    if not len(explainer.model.sample["photo"]):
        return [
            "This model remembers no places of its training photographs: what a place resembles, and what each kind of "
            "evidence says, cannot be told. Train with sample rows (n_sample_rows) to have both."
        ]
    if explainer.model.thumbnails is None:
        return [
            "This model carries no thumbnails: what it remembers is shown as plain colours, and photographs by number. "
            "A model trained with thumbnails (an option of colorize train) shows them."
        ]
    return []


def _place(explainer: Explainer, found: Explanation, number: int, result: Pixels, gray: Pixels) -> dict[str, Any]:
    height, width = result.shape[:2]
    # What is outlined is what the colour was given to; a region may be half of it and half of something else.
    mask = explainer.superpixels.labels == found.region
    if found.hints is not None:
        mask = explainer.session.view.parts.superpixels.labels == found.hints.part
    names = color_names(found.colors, found.lightness)
    return {
        "id": f"place-{number}",
        "number": number,
        "title": found.named(found.given_ab),
        "row": found.row,
        "col": found.col,
        "left": f"{100 * (found.col + 0.5) / width:.2f}",
        "top": f"{100 * (found.row + 0.5) / height:.2f}",
        "sure": f"{found.confidence:.0%}",
        "hints": None if found.hints is None else _hints(found, found.hints),
        "given": paint(found, found.given_ab),
        "crops": [
            {"alt": f"place {number}, {kind}", "uri": data_uri(_crop(pixels, mask), 24_000)}
            for kind, pixels in (("gray", gray), ("in colour", result))
        ],
        "sentences": sentences(found),
        "colors": _colors(found, names),
        "winner": {"name": names[found.winner], "paint": paint(found, found.colors[found.winner])},
        "rival": {
            "name": told_apart(found.lightness, found.colors[found.rival], found.colors[found.winner], found.given_ab),
            "paint": paint(found, found.colors[found.rival]),
        },
        "steps": _steps(found),
        "total": odds(float(found.log_odds[-1])),
        "memories": None if found.memories is None else _memories(found, found.memories),
    }


def _colors(found: Explanation, names: Sequence[str]) -> list[dict[str, Any]]:
    """The palette colours that ever mattered, the most probable first, and the rest in one row."""
    best = found.probabilities.max(axis=0)
    order = np.argsort(-found.probabilities[-1], kind="stable")
    listed = [int(i) for i in order if best[i] >= _LISTED_SHARE][:N_COLORS]
    rows = [
        {
            "name": names[i],
            "note": minus(f"a {found.colors[i, 0]:z.0f}, b {found.colors[i, 1]:z.0f}"),
            "paint": paint(found, found.colors[i]),
            "strong": i == found.winner,
            "bars": [f"{100 * share / best.max():.1f}" for share in found.probabilities[:, i]],
            "shares": [f"{share:.0%}" for share in found.probabilities[:, i]],
        }
        for i in listed
    ]
    if len(listed) < len(names):
        rest = np.clip(1 - found.probabilities[:, listed].sum(axis=1), 0, None)
        # Without bars: many small ones together may be longer than the longest bar.
        others = {"name": f"{len(names) - len(listed)} others", "shares": [f"{share:.0%}" for share in rest]}
        rows.append({"note": "", "paint": "", "strong": False, "bars": [], **others})
    return rows


def _steps(found: Explanation) -> list[dict[str, Any]]:
    """What each step says, the families in the order of their weight."""
    steps = found.steps()
    families = [name for name in steps if name not in STEPS]
    families.sort(key=lambda name: -abs(steps[name]))
    order = ["start", "features", *families, "references", "neighbours", "agreement"]
    largest = max(0.7, *(abs(value) for value in steps.values()))
    rows = []
    for name in filter(steps.__contains__, order):
        title, note = STEPS.get(name, (FAMILIES.get(name, name), name if name in FAMILIES else ""))
        rows.append(
            {
                "title": title,
                "note": note,
                "for": steps[name] >= 0,
                "width": f"{50 * abs(steps[name]) / largest:.1f}",
                "odds": odds(steps[name]),
            }
        )
    return rows


def _memories(found: Explanation, memories: Memories) -> list[dict[str, Any]]:
    cards = []
    for k in range(len(memories.row)):
        picture = memories.picture[k]
        large = None if picture is None else cv2.resize(picture, (96, 96), interpolation=cv2.INTER_CUBIC)
        cards.append(
            {
                "uri": None if large is None else data_uri(large, 6000),
                "paint": paint(found, memories.ab[k]),
                "color": found.named(memories.ab[k]),
                "near": bool(memories.is_near[k]),
                "photo": memories.photo[k],
                "distance": f"{memories.distance[k] / memories.usual_distance:.2f}",
            }
        )
    return cards


def _hints(found: Explanation, effect: HintEffect) -> dict[str, Any]:
    seen = found.moved >= MOVED
    text, moved = "" if seen else _UNSEEN, "The hinted places that moved it most"
    if effect.is_exact:
        text = "The very place was hinted, and has the colour asked for, as far as it can be shown."
        moved = "What moved the pixels around it most"
    elif effect.is_hinted:
        text = "Some lie on it: their pixels have exactly the colour asked for."
    sizes = np.linalg.norm(effect.shift, axis=1)
    listed = [
        {
            "paint": paint(found, effect.ab[k]),
            "name": found.named(effect.ab[k]),
            "row": int(effect.place[k, 0]),
            "col": int(effect.place[k, 1]),
            "moved": f"{sizes[k]:.1f}",
            "width": f"{100 * sizes[k] / max(float(sizes.max()), 1e-9):.0f}",
        }
        for k in range(min(int((sizes >= 0.1).sum()), N_HINTS))
    ]
    return {
        "seen": seen,
        "before": paint(found, effect.before),
        "after": paint(found, found.given_ab),
        "text": text,
        "moved": moved,
        "listed": listed,
        "hidden": len(sizes) - len(listed),
    }


def odds(log_odds: float) -> str:
    """Log-odds as people say them: how many times more probable the winner becomes (or the rival, with a stroke).

    Examples
    --------
    >>> odds(np.log(2.5)), odds(-np.log(4)), odds(0.01)
    ('× 2.5', '÷ 4.0', '× 1.0')
    """
    factor = float(np.exp(min(abs(log_odds), 20.0)))
    sign = "÷" if log_odds < 0 and factor >= 1.05 else "×"
    return f"{sign} {factor:.0f}" if factor >= 10 else f"{sign} {factor:.1f}"


def paint(found: Explanation, ab: NDArray[Any]) -> str:
    """A colour as CSS, at the lightness of the region as far as one can still see a hue there."""
    red, green, blue = lab_to_rgb(np.clip(found.lightness, 35, 80), ab)
    return f"rgb({red} {green} {blue})"


def _crop(pixels: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """A square piece around a region, with the region outlined."""
    rows, cols = np.nonzero(mask)
    scale = np.array(pixels.shape[:2]) / mask.shape
    center = (np.array([rows.mean(), cols.mean()]) + 0.5) * scale
    reach = max(2.5 * float(len(rows)) ** 0.5, 12.0) * scale.mean()
    low = np.clip(center - reach, 0, None).astype(int)
    high = np.minimum(low + max(2, int(2 * reach)), pixels.shape[:2])
    low = np.maximum(high - max(2, int(2 * reach)), 0)
    piece = pixels[low[0] : high[0], low[1] : high[1]]
    size = (_CROP_SIDE, max(1, round(_CROP_SIDE * piece.shape[0] / piece.shape[1])))
    shown = cv2.resize(piece, size, interpolation=cv2.INTER_AREA if piece.shape[1] > _CROP_SIDE else cv2.INTER_CUBIC)
    at = [(np.linspace(low[k], high[k] - 1, size[1 - k]) / scale[k]).astype(int) for k in (0, 1)]
    inside = cv2.medianBlur(mask[np.ix_(*at)].astype(np.uint8), 5)
    outline, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, outline, -1, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.drawContours(shown, outline, -1, (255, 255, 255), 2, cv2.LINE_AA)
    return np.asarray(shown, np.uint8)
