"""The note that every colorized file carries: its colours are simulated, and this is how to simulate them again.

The note is an XMP block, which PNG, JPEG, TIFF and WebP can hold. A packet that the photograph brought along (titles,
captions, rights) is kept, and the note is added to it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any, Never
from xml.etree.ElementTree import ParseError, XMLParser

from colorize._support.formats import NOTES
from colorize.exceptions import RecipeError

DECIDED_AT, REFINER = "decided at", "refiner"
"""Entries of `Recipe.said` that no person said: the height and width at which the regions of a larger photograph were
described, the digest of a refiner."""

_NAMESPACE = f"{NOTES.decode()}1"
_NAME = f"{{{_NAMESPACE}}}recipe"
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
# Replaced by patterns, not by a parser of XML: packets come from anybody, with bad markup too, and
# what is not ours must stay byte for byte.
_RECIPE = re.compile(rb'colorize:recipe="([^"]*)"')
_QUOTED = rb"""(?:"[^"<]*"|'[^'<]*')"""
# What an earlier note left, in this order: its sentence, the block that held it, and its attributes
# and elements where an editor merged the block into the description of a person. Of source types a picture has
# one, and that of the photograph is not that of the picture.
_EARLIER = [
    re.compile(pattern)
    for pattern in (
        rb'<dc:description[^<>]*>\s*<rdf:Alt>\s*<rdf:li xml:lang="x-default">The colours of this picture are simulated,'
        rb" not recorded: made by colorize [^<]*, vividness [^ <]*(?:, guided by a person)?\."
        rb"(?: The file of the photograph is damaged: [^<]*)?</rdf:li>\s*</rdf:Alt>\s*</dc:description>\s*",
        rb"<rdf:Description rdf:about=%s xmlns:colorize=%s colorize:recipe=%s colorize:note=%s xmlns:Iptc4xmpExt=%s"
        rb" Iptc4xmpExt:DigitalSourceType=%s></rdf:Description>\s*" % (6 * (_QUOTED,)),
        rb"\s(?:colorize:recipe|colorize:note|Iptc4xmpExt:DigitalSourceType)=%s" % _QUOTED,
        rb"<colorize:(recipe|note)>[^<]*</colorize:\1>\s*",
        rb"<Iptc4xmpExt:DigitalSourceType[^<>]*(?:/>|>[^<]*</Iptc4xmpExt:DigitalSourceType>)\s*",
    )
]
# All descriptions of one packet must name the same thing, or readers may drop ours.
_ABOUT = re.compile(rb'<rdf:Description[^>]*?rdf:about=("[^"<]*"|\'[^\'<]*\')')
_END = b"</rdf:RDF>"
# Mark of byte order and id are those of the XMP standard: programs look for them.
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
).encode()
AID = _EMPTY.replace(
    _END,
    f'<rdf:Description rdf:about="" xmlns:colorize="{_NAMESPACE}" colorize:note="Made by colorize"/>'.encode() + _END,
)
"""Packet of a picture that only shows something about a photograph, such as where hints would tell most."""


@dataclass(frozen=True)
class Recipe:
    """All that decides the colours of a picture, beside the photograph itself.

    Attributes
    ----------
    model : str
        Name of the model, for people.
    model_sha256 : str
        What its file states of itself (`colorize.models.file.stated_digest`), for `colorize replay`.
    version : str
        Version of colorize.
    seed : int
        Seed with which the model was trained.
    vividness : float
        0 faithful ... 1 bold.
    said : tuple
        What a person said about the colours, as JSON values: hints (`colorize.guidance.hints.Hints.to_json`), and other
        wishes by name (`colorize.recipe.work.Wishes`; `DECIDED_AT`, `REFINER`); empty if nobody did. The note calls all
        of it hints.
    palette : tuple of float or None
        Share of every palette colour that the album should have.
    keep_tint : bool
        The tint of the photograph (sepia, a yellowed print) was laid over the colours.
    all_frames : bool
        Every page or frame of the file was colorized, not the first alone.
    input_sha256 : str
        Digest of the photograph's file.
    damage : str
        How much of the photograph could be read, if its file is damaged (`colorize.types.PhotoMetadata`); left out of
        the note of a sound one.

    See Also
    --------
    colorize.recipe.work.make_recipe : Makes one for a model.

    Examples
    --------
    >>> recipe = Recipe("default", "ab" * 32, "1.0", 0, 0.5)
    >>> Recipe.from_json(recipe.to_json()) == recipe
    True
    """

    model: str
    model_sha256: str
    version: str
    seed: int
    vividness: float
    said: tuple[Any, ...] = ()
    palette: tuple[float, ...] | None = None
    keep_tint: bool = False
    all_frames: bool = False
    input_sha256: str = ""
    damage: str = ""

    def to_json(self) -> str:
        """One line of ASCII, names sorted."""
        # Left out when empty: notes of sound photographs are what they were before it existed.
        noted = {name: value for name, value in asdict(self).items() if value or name != "damage"}
        noted["hints"] = noted.pop("said")
        return json.dumps(noted, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read what `to_json` wrote.

        Raises
        ------
        RecipeError
            The text is none of ours, or damaged.
        """
        try:
            found = json.loads(text)
        # RecursionError: a note of ten thousand brackets.
        except (ValueError, RecursionError) as error:
            raise RecipeError("the note about its colours is damaged") from error
        names = {field.name for field in fields(cls)} - {"said"} | {"hints"}
        if not isinstance(found, dict) or {*found, "damage"} != names:
            raise RecipeError("the note about its colours is damaged, or of another version")
        _check_values(found)
        said, palette = tuple(found.pop("hints")), found.pop("palette")
        return cls(**found, said=said, palette=None if palette is None else tuple(palette))

    def sentence(self) -> str:
        """Say it for people."""
        by_a_person = any(set(said) - {DECIDED_AT, REFINER} for said in self.said)
        hints = ", guided by a person" if by_a_person else ""
        harm = f" The file of the photograph is damaged: {self.damage}." if self.damage else ""
        return (
            f"The colours of this picture are simulated, not recorded: made by colorize {self.version} with the model "
            f"{self.model} (sha256 {self.model_sha256[:12]}), seed {self.seed}, "
            f"vividness {self.vividness:g}{hints}.{harm}"
        )


def add_note(xmp: bytes | None, recipe: Recipe, caption: str = "") -> bytes:
    """Put the note into an XMP packet, in place of an earlier note and of another digital source type.

    Parameters
    ----------
    xmp : bytes or None
        The packet, UTF-8, that the photograph had; one of which `can_extend` says no is given up.
    recipe : Recipe
    caption : str
        What the photograph says of itself elsewhere. If the packet has no description, it becomes that, in place of
        the note's sentence: many programs show the description and nothing else.

    Examples
    --------
    >>> recipe = Recipe("default", "ab" * 32, "1.0", 0, 0.5)
    >>> find_note(add_note(None, recipe)) == recipe
    True
    """
    packet = xmp if xmp and can_extend(xmp) else _EMPTY
    for pattern in _EARLIER:
        packet = pattern.sub(b"", packet)
    about = _ABOUT.search(packet)
    # The words of a person go first; a packet may have one description only.
    has_description = b"<dc:description" in packet
    description = "" if has_description else caption or recipe.sentence()
    block = _block(recipe, about.group(1) if about else b'""', description)
    head, tail = packet.rsplit(_END, 1)
    return head + block + _END + tail


def can_extend(xmp: bytes | None) -> bool:
    """Tell whether a packet is one that a note can be added to: UTF-8, with one list of descriptions."""
    # With two lists nobody could say which counts; with none (UTF-16 too) there is no place.
    return xmp is not None and xmp.count(_END) == 1


def find_note(xmp: bytes | None) -> Recipe | None:
    """Read the note of a picture that was colorized; None if there is no note.

    Raises
    ------
    RecipeError
        There is one, and it is damaged.

    See Also
    --------
    colorize.io.read_xmp : Reads the packet of a file.

    Examples
    --------
    >>> find_note(b"<x:xmpmeta/>") is None
    True
    """
    packet, notes = xmp or b"", _Notes()
    with suppress(LookupError, ParseError, ValueError):  # LookupError, ValueError: encodings that nobody knows
        parser = XMLParser(target=notes)
        parser.feed(packet)
        parser.close()
    # In bad markup at least as `add_note` writes it.
    found = notes.found or [[html.unescape(text.decode("ascii", "replace"))] for text in _RECIPE.findall(packet)]
    # Of several the last, because `add_note` adds at the end.
    return Recipe.from_json("".join(found[-1])) if found else None


def is_ours(xmp: bytes | None) -> bool:
    """Tell whether colorize made the picture: one with a note, be it damaged, or an `AID`.

    Examples
    --------
    >>> is_ours(AID), is_ours(b"<x:xmpmeta/>"), is_ours(None)
    (True, False, False)
    """
    return NOTES in (xmp or b"")


class _Notes:
    """Recipes that a parser of XML comes by, in pieces: attributes or elements of our namespace, of any prefix.

    Editors write a packet anew in their own way: ExifTool makes elements of attributes, each namespace in a description
    of its own.
    """

    def __init__(self) -> None:
        self.found: list[list[str]] = []
        self._is_inside = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if _NAME in attributes:
            self.found.append([attributes[_NAME]])
        self._is_inside = tag == _NAME
        if self._is_inside:
            self.found.append([])

    def data(self, text: str) -> None:
        if self._is_inside:
            self.found[-1].append(text)

    def end(self, _tag: str) -> None:
        self._is_inside = False

    def doctype(self, *_: object) -> Never:
        # XMP has none, and entities that grow need one.
        raise ParseError("a document type")


def _block(recipe: Recipe, about: bytes, description: str) -> bytes:
    alternatives = f'<rdf:Alt><rdf:li xml:lang="x-default">{html.escape(description, quote=False)}</rdf:li></rdf:Alt>'
    element = (
        f'<dc:description xmlns:dc="http://purl.org/dc/elements/1.1/">{alternatives}</dc:description>'
        if description
        else ""
    )
    return (
        f"<rdf:Description rdf:about={about.decode('utf-8', 'replace')}"
        f' xmlns:colorize="{_NAMESPACE}" colorize:recipe={_quoted(recipe.to_json())}'
        f" colorize:note={_quoted(recipe.sentence())}"
        f' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' Iptc4xmpExt:DigitalSourceType="{_SOURCE_TYPE}">{element}</rdf:Description>'
    ).encode("utf-8", "replace")  # names of files need not be UTF-8; the recipe is ASCII


def _quoted(text: str) -> str:
    """The value of an attribute, in double quotes, which `_RECIPE` looks for."""
    # Not with xml.sax, which loads all that it takes to talk to a server.
    escaped = html.escape(text, quote=False).replace('"', "&quot;")
    for space in "\t\n\r":
        escaped = escaped.replace(space, f"&#{ord(space)};")
    return f'"{escaped}"'


def _check_values(found: Mapping[str, Any]) -> None:
    """Values that are used as they are must be what they seem: the note may come from anybody."""
    kinds = {"model": str, "model_sha256": str, "version": str, "input_sha256": str, "seed": int, "hints": list}
    kinds |= {"keep_tint": bool, "all_frames": bool} | ({"damage": str} if "damage" in found else {})
    palette, vividness = found["palette"], found["vividness"]
    is_sound = (
        all(isinstance(found[name], kind) for name, kind in kinds.items())
        and all(isinstance(said, dict) for said in found["hints"])
        and _is_share(vividness)
        and (palette is None or (isinstance(palette, list) and all(_is_share(share) for share in palette)))
    )
    if not is_sound:
        raise RecipeError("the note about its colours is damaged")


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1
