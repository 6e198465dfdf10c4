"""The note in colorized files: what it says, where it stands, and that a damaged one does no harm."""

import json
from dataclasses import replace
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.exceptions import RecipeError
from colorize.recipe.note import AID, Recipe, add_note, find_note, is_ours

RECIPE = Recipe('my <model> & "co"', "ab" * 32, "1.2", 7, 0.25, ({"at": [1, 2], "color": "#00ff00"},), (0.5, 0.5))
FOREIGN = (
    b'<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="uuid:1"'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">Grandmother'
    b"</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def descriptions(packet: bytes) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(packet.decode().partition("?>")[2].rpartition("</x:xmpmeta>")[0] + "</x:xmpmeta>")
    return root.findall(f"{RDF}RDF/{RDF}Description")


def test_new_packet_is_xml_and_says_it_in_words():
    packet = add_note(None, RECIPE)
    (description,) = descriptions(packet)
    text = "".join(description.itertext())
    assert text == RECIPE.sentence()
    assert "simulated" in text
    assert 'my <model> & "co" (sha256 abababababab)' in text
    assert "seed 7, vividness 0.25, guided by a person" in text
    assert any(value.endswith("algorithmicallyEnhanced") for value in description.attrib.values())
    assert find_note(packet) == RECIPE


def test_note_joins_the_packet_of_the_photograph():
    packet = add_note(FOREIGN, RECIPE)
    assert b"Grandmother" in packet
    theirs, ours = descriptions(packet)
    assert theirs.get(f"{RDF}about") == ours.get(f"{RDF}about") == "uuid:1"  # XMP wants one subject
    assert "".join(ours.itertext()) == ""  # their caption stays the only one
    assert find_note(packet) == RECIPE


@pytest.mark.parametrize("packet", [None, FOREIGN, FOREIGN.replace(b"dc:description", b"dc:title")])
def test_a_caption_from_elsewhere_is_the_description(packet):
    caption = "Müller & <Co>, 1932"
    noted = add_note(packet, RECIPE, caption)
    text = "".join("".join(description.itertext()) for description in descriptions(noted)).strip()
    assert (caption in text) == (packet != FOREIGN)  # which has a description of its own
    assert "simulated" not in text
    assert find_note(noted) == RECIPE
    again = add_note(noted, replace(RECIPE, model="other"), caption)
    assert again.count(b"<dc:description") == 1
    assert find_note(again).model == "other"


@pytest.mark.parametrize("packet", [None, FOREIGN])
def test_a_second_note_takes_the_place_of_the_first(packet):
    other = replace(RECIPE, vividness=1, model="other")
    again = add_note(add_note(packet, RECIPE), other)
    assert again == add_note(packet, other)
    assert find_note(again) == other


def merged(packet: bytes) -> bytes:
    """As editors do it: the note in the one description of a person, written over several lines."""
    theirs = (
        b'<rdf:Description rdf:about=""\n xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n xmp:Rating="5"\n xmlns:colorize='
    )
    title = b'<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">Grandmother 1932</dc:title>'
    packet = packet.replace(b'<rdf:Description rdf:about="" xmlns:colorize=', theirs)
    return packet.replace(b"</rdf:Description>", title + b"\n</rdf:Description>")


@pytest.mark.parametrize("damage", ["", "half of it is black"])
def test_a_note_merged_into_what_a_person_wrote_is_taken_out_of_it_alone(damage):
    other = replace(RECIPE, vividness=1, model="other", damage=damage)
    packet = add_note(merged(add_note(None, other)), RECIPE)
    theirs, ours = descriptions(packet)
    assert "".join(theirs.itertext()).strip() == "Grandmother 1932"
    assert theirs.attrib.pop("{http://ns.adobe.com/xap/1.0/}Rating") == "5"
    assert theirs.attrib.keys() == {f"{RDF}about"}
    assert "".join(ours.itertext()) == RECIPE.sentence()
    assert find_note(packet) == RECIPE


def rewritten(prefix: str) -> bytes:
    """As ExifTool writes it: elements, and a description for every namespace."""
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "\n<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\n\n <rdf:Description rdf:about=''\n"
        f"  xmlns:{prefix}='urn:colorize:recipe:1'>\n  <{prefix}:note>{escape(RECIPE.sentence())}</{prefix}:note>\n"
        f"  <{prefix}:recipe>{escape(RECIPE.to_json())}</{prefix}:recipe>\n </rdf:Description>\n\n"
        " <rdf:Description rdf:about=''\n  xmlns:xmp='http://ns.adobe.com/xap/1.0/'>\n  <xmp:Rating>5</xmp:Rating>\n"
        " </rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end='w'?>"
    ).encode()


@pytest.mark.parametrize("prefix", ["colorize", "ns1"])
def test_a_note_that_an_editor_wrote_anew_is_found_and_replaced(prefix):
    packet = rewritten(prefix)
    assert find_note(packet) == RECIPE
    assert find_note(packet.decode().encode("utf-16")) == RECIPE
    assert find_note(packet[: packet.index(b"<xmp:Rating")]) == RECIPE  # cut off
    other = replace(RECIPE, vividness=1, model="other")
    again = add_note(packet, other)
    assert find_note(again) == other
    assert b"<xmp:Rating>5</xmp:Rating>" in again
    if prefix == "colorize":
        assert again.count(b"made by colorize") == again.count(b"made by colorize 1.2 with the model other") == 2
        assert again.count(b"input_sha256") == 1


def test_a_note_in_other_quotes_and_with_another_prefix_is_found():
    packet = add_note(None, RECIPE).replace(b"colorize:", b"ns1:").replace(b"xmlns:colorize", b"xmlns:ns1")
    packet = packet.replace(b'ns1:recipe="', b"ns1:recipe='").replace(b'" ns1:note', b"' ns1:note")
    packet = packet.replace(b"urn:ns1:recipe", b"urn:colorize:recipe")
    assert b"ns1:recipe='{&quot;" in packet
    assert find_note(packet) == RECIPE


def test_entities_are_not_followed():
    entities = f"<!DOCTYPE x [<!ENTITY recipe '{RECIPE.to_json()}'>]>".encode().replace(b"&", b"")
    element = b"<colorize:recipe xmlns:colorize='urn:colorize:recipe:1'>&recipe;</colorize:recipe>"
    assert find_note(entities + element) is None


def test_words_added_to_the_sentence_of_a_note_are_kept():
    packet = add_note(None, RECIPE).replace(b"a person.</rdf:li>", b"a person. Ann in 1932</rdf:li>")
    again = add_note(packet, replace(RECIPE, model="other"))
    assert b"Ann in 1932" in again
    assert [description.get("{urn:colorize:recipe:1}recipe") is None for description in descriptions(again)] == [1, 0]


def test_a_closed_description_does_not_take_the_next_one_along():
    closed = b'<rdf:Description rdf:about="uuid:1" xmlns:colorize="urn:colorize:recipe:1" colorize:recipe="{}"/>'
    packet = FOREIGN.replace(b"<rdf:Description", closed + b"<rdf:Description", 1)
    assert b"Grandmother" in add_note(packet, RECIPE)
    assert find_note(add_note(packet, RECIPE)) == RECIPE


NEGATIVE = "http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm"


@pytest.mark.parametrize(
    "told",
    [
        f' Iptc4xmpExt:DigitalSourceType="{NEGATIVE}"/>',
        f"><Iptc4xmpExt:DigitalSourceType>{NEGATIVE}</Iptc4xmpExt:DigitalSourceType></rdf:Description>",
        f'><Iptc4xmpExt:DigitalSourceType rdf:resource="{NEGATIVE}"/></rdf:Description>',
    ],
)
def test_the_source_type_of_the_photograph_gives_way(told):
    theirs = f'<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"{told}<rdf:Description'
    packet = add_note(FOREIGN.replace(b"<rdf:Description", theirs.encode(), 1), RECIPE)
    assert packet.count(b"digitalsourcetype/") == 1
    assert len(descriptions(packet)) == 3


def test_a_file_name_that_is_not_utf8_is_no_error():
    recipe = replace(RECIPE, model="\udcff")
    assert find_note(add_note(None, recipe)) == recipe


@pytest.mark.parametrize("packet", [b"", b"rubbish", "</rdf:RDF>".encode("utf-16"), FOREIGN + FOREIGN])
def test_packet_that_cannot_be_extended_gives_way(packet):
    assert add_note(packet, RECIPE) == add_note(None, RECIPE)


@given(st.text(), st.floats(0, 1), st.booleans())
def test_every_recipe_comes_back(name, vividness, flag):
    recipe = replace(RECIPE, model=name, vividness=vividness, keep_tint=flag, palette=None)
    assert find_note(add_note(None, recipe)) == recipe


def test_damage_is_told_of_damaged_photographs_alone():
    assert "damage" not in RECIPE.to_json() + RECIPE.sentence()
    harmed = replace(RECIPE, damage="74 % of its rows could be read, the rest is black")
    assert harmed.sentence() == f"{RECIPE.sentence()} The file of the photograph is damaged: {harmed.damage}."
    assert find_note(add_note(None, harmed)) == harmed


def test_there_may_be_no_note():
    assert find_note(None) is None
    assert find_note(FOREIGN) is None


@pytest.mark.parametrize(
    "change",
    [
        {"vividness": 2},
        {"vividness": "1"},
        {"vividness": float("nan")},
        {"model": 3},
        {"seed": None},
        {"hints": "abc"},
        {"hints": [1]},
        {"palette": [2]},
        {"palette": 1},
        {"keep_tint": 1},
        {"extra": 1},
        {"damage": 1},
    ],
    ids=str,
)
def test_damaged_note_is_one_error(change):
    values = json.loads(RECIPE.to_json()) | change
    with pytest.raises(RecipeError, match="damaged"):
        Recipe.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "null"])
def test_what_is_no_recipe_is_one_error(text):
    with pytest.raises(RecipeError, match="damaged"):
        Recipe.from_json(text)


def test_what_colorize_made_is_known_by_its_packet():
    assert is_ours(AID)
    assert find_note(AID) is None
    assert is_ours(add_note(FOREIGN, RECIPE))
    assert not is_ours(FOREIGN)
    # Coloured all the same, it has one note: that of a colorized picture.
    again = add_note(AID, RECIPE)
    assert find_note(again) == RECIPE
    assert again.count(b"colorize:note=") == 1
    ElementTree.fromstring(again)
