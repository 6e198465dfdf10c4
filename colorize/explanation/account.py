"""An explanation in plain sentences, for the terminal, the page and the app."""

from __future__ import annotations

import numpy as np

from colorize.color.names import color_names
from colorize.explanation.explainer import Explanation, Memories
from colorize.recognition.decision import NEAR
from colorize.types import Float32

__all__ = ["FAMILIES", "sentences", "told_apart"]

FAMILIES = {
    "intensity": "its tones",
    "position": "its place in the picture",
    "shape": "its form",
    "gabor": "its grain and stripes",
    "surf": "its corners and edges",
    "lbp": "its fine texture",
    "context": "what surrounds it",
    "scene": "the kind of photograph",
    "semantic": "what kind of thing it seems to be",
}
"""Feature families in plain words; one that is not here stands by its name."""

STRANGE = 1.3
"""Distance to the nearest training region, against the usual one, from which on a region is called unlike any.

With the default model a tenth of the regions of everyday photographs lies beyond it.
"""

CARRIED = 8.0
"""Units of ab between a pixel and the colour that its place was given, from which on it is said to have its colour from
beside: one pixel in a thousand before hints."""

MOVED = 2.3
"""Units of ab by which hints moved a place at least, if they are worth a word: less nobody sees (Mahy et al. 1994)."""


def sentences(found: Explanation) -> list[str]:
    """Tell in a few sentences why a region got its colour.

    See Also
    --------
    colorize.explanation.explainer.Explainer.at : The stage before.
    colorize.evaluation.report.explanation : The twin that draws.
    """
    names = color_names(found.colors, found.lightness)
    own, _, agreed = found.probabilities
    winner, rival, favourite = found.winner, found.rival, found.favourite
    said = [_shown_and_believed(found, names[winner])]
    if found.carried > CARRIED:
        said.append(
            f"The very place is {found.named(found.pixel_ab)}, {found.carried:.0f} away where {MOVED:g} is just "
            "visible: the colour came over from beside, where the photograph is about as light."
        )
    if found.hints is not None and found.moved >= MOVED:
        # A small move may leave the name as it was: "dark brown, moved; without hints dark brown" tells nothing.
        before = told_apart(found.lightness, found.hints.before, found.given_ab)
        said.append(
            f"Hints moved it by {found.moved:.1f} where {MOVED:g} is just visible; without them it would be {before}."
        )
    # The rival and not the second most probable: two browns are no contest. Told apart from what is
    # shown as well, which may have the rival's name and not the winner's.
    shown = found.colors[winner], found.given_ab
    rival_name, favourite_name = (
        told_apart(found.lightness, found.colors[index], *shown) for index in (rival, favourite)
    )
    said.append(f"The likeliest colour that looks different from {names[winner]}: {rival_name} ({agreed[rival]:.0%}).")
    if favourite == winner:
        said.append(f"Taken by itself it looked like {names[winner]} already ({own[winner]:.0%}).")
    else:
        first, second = (f"{own[index]:.0%}" for index in (favourite, winner))
        looked = f"more like {favourite_name} ({first}, against {second})"
        if first == second:  # nobody would believe "more" of two equal numbers
            looked = f"as much like {favourite_name} ({first} each)"
        said.append(f"Taken by itself it looked {looked}: its surroundings outvoted it.")
    if found.attribution is not None:
        parts = {name: value for name, value in found.attribution.items() if name != "start"}
        order = sorted(parts, key=lambda name: -parts[name])
        # A tenth of log-odds changes odds by a tenth: less is not worth a sentence.
        helped = [FAMILIES.get(name, name) for name in order[:2] if parts[name] > 0.1]
        hindered = [FAMILIES.get(name, name) for name in order[::-1][:1] if parts[name] < -0.1]
        against = f" Most against it: {hindered[0]}." if hindered else ""
        said.append((f"Most for it: {' and '.join(helped)}." if helped else "Nothing about it spoke for it.") + against)
    if found.memories is not None:
        said.append(_agreement(found, found.memories))
    return said


def _shown_and_believed(found: Explanation, likeliest: str) -> str:
    """The colour that is shown, and what the model believes: the mean of many colours is none of them."""
    # Said, because the mean of a belief in red and one in green is a brown that is not believed in.
    is_near = float(np.linalg.norm(found.colors[found.winner] - found.given_ab)) <= NEAR
    origin = "a mean of the colours that the model thinks possible"
    believed = f"; {found.confidence:.0%} of what the model believes is near it"
    if found.hints is not None and found.hints.is_exact:
        origin, believed = "as hinted on this very place", ""
    elif found.moved >= MOVED:
        origin = "as hints moved it"
    return (
        f"Shown is {found.named(found.given_ab)}, {origin}{believed}. The single colour that the model finds likeliest "
        f"by itself is {likeliest} ({found.probabilities[-1][found.winner]:.0%}), "
        f"{'near it' if is_near else 'apart from it'}."
    )


def _agreement(found: Explanation, memories: Memories) -> str:
    names = color_names(found.colors, found.lightness)
    count = int(memories.is_near.sum())
    text = f"{count} of the {len(memories.row)} remembered places most like it have a colour near the model's own"
    if memories.favourite == found.favourite:
        text += "; their commonest colour is also the model's first guess."
    else:
        text += (
            f"; their commonest colour is {names[memories.favourite]}, the model's first guess "
            f"{told_apart(found.lightness, found.colors[found.favourite], found.colors[memories.favourite])}."
        )
    if memories.strangeness > STRANGE:
        text += " None of them is really like it, so take the colour for a guess."
    return text


def told_apart(lightness: float, ab: Float32, *others: Float32) -> str:
    """Name a colour, ab of shape (2,), so that it is not confused with others of the same lightness.

    See Also
    --------
    colorize.color.names.color_names : One name at a time.

    Examples
    --------
    >>> brown, dull, gray = np.array([[10, 30], [8, 20], [0, 0]])
    >>> told_apart(62, brown, gray), told_apart(62, brown, gray, dull)
    ('pale brown', 'a stronger pale brown')
    """
    colors = np.stack([ab, *others])
    name, *names = color_names(colors, lightness)
    # At one lightness, colours that share a name differ in strength most often.
    own, *strengths = np.linalg.norm(colors, axis=1)
    same = [strength for strength, other in zip(strengths, names, strict=True) if other == name and strength != own]
    if not same:
        return name
    return f"{'a stronger' if own > max(same) else 'a grayer' if own < min(same) else 'another'} {name}"
