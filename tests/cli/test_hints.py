"""The command line for hints, references, alternatives and suggestions: what it writes, and one line per mistake."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize._support.labels import label_corners
from colorize.cli._hands import CAPTION
from colorize.cli.suggest import marked
from colorize.color import rgb_to_lab
from colorize.guidance.hints import Hints, Mark
from colorize.guidance.suggestion import Suggestion
from colorize.io import read_xmp
from colorize.recipe.note import find_note
from colorize.types import REACHES

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.fixture
def old(photos, workplace):
    """A photograph 120 x 160 to colorize."""
    Image.fromarray(photos[0].pixels).convert("L").save(workplace / "old.png")
    return "old.png"


@pytest.fixture
def go(run, tiny_model):
    """Run a command with the tiny model."""
    return lambda *arguments, status=0: run(*arguments, "--model", tiny_model, status=status)


def save_layer(path, shape=(120, 160), color=(60, 150, 60)):
    layer = np.zeros((*shape, 4), np.uint8)
    layer[20:30, 40:60] = (*color, 255)
    Image.fromarray(layer, "RGBA").save(path)
    return path


def ab_at(path, row, col):
    with Image.open(path) as picture:
        return rgb_to_lab(np.asarray(picture.convert("RGB"))[row, col])[1:]


WISHED = rgb_to_lab(np.uint8([60, 150, 60]))[1:]


def test_hints_from_a_picture(go, old):
    go("photo", old, "--hints", save_layer("hints.png"))
    ab = ab_at("old.colorized.png", 25, 50)
    assert ab @ WISHED / np.linalg.norm(ab) / np.linalg.norm(WISHED) > 0.97  # its hue; chroma may have to give way


def test_hints_from_json_and_what_there_is_to_tell(go, old):
    marks = (Mark("point", [[25, 50]], (60, 150, 60), 4), Mark("point", [[900, 5]], (60, 150, 60)))
    with open("hints.json", "w") as file:
        file.write(Hints((120, 160), marks).to_json())
    result = go("photo", old, "--hints", "hints.json", "-o", "new.png")
    assert ab_at("new.png", 25, 50)[0] < -10
    assert "Note: old.png: hint 2: (900, 5) lies outside the photo" in result.stderr


def test_json_from_windows(go, old):
    text = Hints((120, 160), (Mark("point", [[25, 50]], (60, 150, 60), 4),)).to_json()
    Path("hints.json").write_text(text, encoding="utf-8-sig")
    go("photo", old, "--hints", "hints.json", "-o", "new.png")
    assert ab_at("new.png", 25, 50)[0] < -10


@pytest.mark.slow
def test_a_painted_layer_is_heard_as_far_as_is_said(go, old):
    save_layer("hints.png", color=(200, 40, 160))
    go("photo", old, "-o", "plain.png")
    plain = np.asarray(Image.open("plain.png"), int)
    moved = {}
    for reach in ("default", *REACHES):
        said = () if reach == "default" else ("--reach", reach)
        go("photo", old, "--hints", "hints.png", "-o", f"{reach}.png", *said)
        moved[reach] = np.abs(np.asarray(Image.open(f"{reach}.png"), int) - plain).mean()
    assert moved["default"] == moved["here"] <= moved["similar"] < moved["photo"]
    for command in ("suggest", "explain"):
        go(command, old, "--hints", "hints.png", "--reach", "photo")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hints", "hints.png", "--reach", "far"), "'far' is not one of 'here', 'similar', 'photo'"),
        (("--reach", "photo"), "--reach is that of painted --hints"),
        (("--hints", "hints.json", "--reach", "photo"), "in JSON every hint has its own"),
    ],
)
@pytest.mark.parametrize("command", ["photo", "suggest", "explain"])
def test_a_reach_that_makes_no_sense_is_one_line(go, old, command, arguments, message):
    error = go(command, old, *arguments, status=2).stderr.splitlines()[-1]
    assert message in error


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        (("photo", "old.png"), "paint all on one layer"),
        (("suggest", "old.png"), "paint all on one layer"),
        (("learn", "default", "old.png", "-o", "new.safetensors"), "paint all on one layer"),
        (("film", "old.mp4", "new.mp4"), "put the hints of several frames into one folder"),
    ],
)
def test_a_second_layer_does_not_drop_the_first_in_silence(run, command, instead):
    error = run(*command, "--hints", "a.png", "--hints", "b.png", status=2).stderr
    assert error.splitlines()[-1] == f"Error: --hints can be said once; {instead}"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: save_layer("h.png", (120, 300)), "h.png: the hints are for a photo of 120 x 300 pixels"),
        (lambda: Image.new("RGB", (160, 120)).save("h.png"), "h.png: has no transparency"),
        (lambda: Image.new("RGBA", (160, 120)).save("h.png"), "h.png: the hint layer is transparent everywhere"),
        (
            lambda: Image.new("RGBA", (160, 120), (90, 90, 90, 255)).save("h.png"),
            "h.png: leaves no pixel unpainted: hide",
        ),
        (lambda: Path("h.png").write_bytes(b"no picture"), "h.png"),
        (lambda: None, "h.png: no such file"),
    ],
)
def test_layers_that_cannot_be_used(go, old, make, message):
    make()
    result = go("photo", old, "--hints", "h.png", status=1)
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not os.path.exists("old.colorized.png")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "h.json: the hints are no JSON"),
        (b"\xff\xfe", "h.json: the hints are no JSON (not UTF-8)"),
        (b'{"photo": {"height": 120, "width": 300}, "hints": []}', "h.json: the hints are for a photo of 120 x 300"),
        (b'{"photo": {"height": 120, "width": 160}, "hints": []}', "there are no hints"),
    ],
)
def test_json_that_cannot_be_used(go, old, content, message):
    with open("h.json", "wb") as file:
        file.write(content)
    result = go("photo", old, "--hints", "h.json", status=1)
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
def test_references(go, old, photos):
    Image.fromarray(photos[5].pixels).save("like.png")
    go("photo", old, "-o", "plain.png")
    go("photo", old, "-o", "like_it.png", "--reference", "like.png")
    go("photo", old, "-o", "hardly.png", "--reference", "like.png", "--reference-strength", "0.2")
    plain, like, hardly = (
        np.asarray(Image.open(n).convert("RGB"), float) for n in ("plain.png", "like_it.png", "hardly.png")
    )
    assert 0 < np.abs(hardly - plain).mean() < np.abs(like - plain).mean()


def test_a_gray_reference_is_one_line(go, old):
    result = go("photo", old, "--reference", old, status=1)
    assert result.stderr == "Error: old.png: gray or toned; a reference must have colours to borrow\n"


def test_alternatives_as_files_and_as_a_sheet(go, old):
    go("photo", old, "--alternatives", "3")
    names = [f"old.colorized.{k}.png" for k in (1, 2, 3)]
    pictures = [np.asarray(Image.open(name), int) for name in names]
    assert not os.path.exists("old.colorized.png")
    assert np.abs(pictures[0] - pictures[1]).mean() > 1
    go("photo", old, "--alternatives", "5", "--sheet", "-o", "sheet.png")
    sheet = np.asarray(Image.open("sheet.png"), int)
    captioned = 120 + CAPTION
    assert sheet.shape == (2 * captioned + 8, 3 * 160 + 16, 3)
    for k in range(5):
        top, left = k // 3 * (captioned + 8), k % 3 * 168
        single = np.asarray(Image.open(f"sheet.{k + 1}.png"), int)
        np.testing.assert_array_equal(sheet[top : top + 120, left : left + 160], single)
        caption = sheet[top + 120 : top + captioned, left : left + 160]
        assert 20 < (caption < 128).sum() / 3 < 200  # the strokes of one digit
    np.testing.assert_array_equal(np.asarray(Image.open("sheet.2.png"), int), pictures[1])
    assert [find_note(read_xmp(name)).said for name in ("sheet.1.png", "sheet.2.png", "sheet.png")] == [
        (), ({"alternative": 1},), ({"sheet": True},)
    ]  # fmt: skip
    go("photo", old, "--choose", "2", "-o", "chosen.png")
    np.testing.assert_array_equal(np.asarray(Image.open("chosen.png"), int), pictures[1])


def test_with_hints_too_the_chosen_picture_is_that_of_the_sheet(go, old):
    go("photo", old, "--hints", save_layer("hints.png"), "--alternatives", "3")
    go("photo", old, "--hints", "hints.png", "--choose", "3", "-o", "chosen.png")
    names = "chosen.png", "old.colorized.3.png", "old.colorized.1.png"
    chosen, shown, usual = (np.asarray(Image.open(name), int) for name in names)
    np.testing.assert_array_equal(chosen, shown)
    assert np.abs(chosen - usual).mean() > 1


def test_a_sheet_replaces_none_of_the_pictures_unasked(go, old):
    Path("sheet.2.png").write_text("mine")
    result = go("photo", old, "--alternatives", "2", "--sheet", "-o", "sheet.png", status=1)
    assert "sheet.2.png: exists already" in result.stderr
    assert [path.name for path in Path().glob("sheet*")] == ["sheet.2.png"]


def test_alternatives_of_a_name_without_ending_are_refused_by_that_name(go, old):
    error = go("photo", old, "--alternatives", "2", "--choose", "2", "-o", "x", status=1).stderr
    assert error.startswith("Error: old.png: x: cannot write a file without ending; use .png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.png", "b.png", "--hints", "h.png"], "--hints belong to one photograph"),
        (["a.png", "b.png", "--choose", "2"], "--choose belongs to one photograph"),
        (["a.png", "--sheet"], "--sheet needs --alternatives"),
        (["a.png", "--reference-strength", "1"], "--reference-strength needs --reference FILE"),
        (["a.png", "--alternatives", "10"], "10 is not in the range 1<=x<=9"),
    ],
)
def test_wrong_usage(run, arguments, message):
    assert message in run("photo", *arguments, status=2).stderr


def test_suggest_marks_and_lists_places(go, old):
    result = go("suggest", old, "-n", "3", "--json", "places.json")
    with Image.open("old.suggested.png") as marked:
        assert marked.size == (160, 120)
        assert np.asarray(marked.convert("RGB")).std(axis=2).max() > 3  # swatches on a gray photograph
    with open("places.json") as file:
        places = json.load(file)["places"]
    assert len(places) == 3
    lines = result.stdout.splitlines()
    for line, place in zip(lines[1:4], places, strict=True):
        assert f"{place['row']:5d} {place['col']:5d}" in line
        assert place["colors"][0]["color"] in line


def test_pictures_to_look_at_are_no_photographs(go, old):
    go("suggest", old)
    go("photo", old, "--confidence-map", "map.png")
    aids = ("map.png", "old.suggested.png")
    assert [find_note(read_xmp(name)) for name in aids] == [None, None]
    result = go("photo", old, *aids, "old.colorized.png", "--force")
    assert result.stdout == "old.png -> old.colorized.png\n"
    left_out = [line.partition(": left out")[0] for line in result.stderr.splitlines()]
    assert left_out == [f"Note: {name}" for name in ("map.png", "old.colorized.png", "old.suggested.png")]


def test_suggest_tells_what_it_makes_of_hints(go, old):
    marks = (Mark("point", [[25, 50]], (60, 150, 60), 4), Mark("point", [[900, 5]], (60, 150, 60)))
    Path("hints.json").write_text(Hints((120, 160), marks).to_json())
    result = go("suggest", old, "--hints", "hints.json")
    assert "Note: old.png: hint 2: (900, 5) lies outside the photo" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "old.png"), "old.png is read by this command"),
        (("--json", "old.png"), "old.png is read by this command"),
        (("--hints", "hints.json", "--json", "hints.json"), "hints.json is read by this command"),
        (("-o", "s.png", "--json", "s.png"), "more than one result would be written to s.png"),
    ],
)
def test_suggest_replaces_nothing_that_it_reads(go, old, arguments, message):
    before = Path(old).read_bytes()
    assert message in go("suggest", old, *arguments, "--force", status=2).stderr
    assert Path(old).read_bytes() == before


def suggestions(rng, shape, number):
    colors = rng.integers(0, 256, (number, 5, 3), np.uint8)
    rows, cols = (rng.integers(0, length, number) for length in shape)
    ab, chances = np.zeros((5, 2), np.float32), np.full(5, 0.2, np.float32)
    return [
        Suggestion(int(row), int(col), 0, color, ab, chances)
        for row, col, color in zip(rows, cols, colors, strict=True)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_suggestions_hide_neither_rings_nor_each_other(seed):
    unit, shape = 12, (480, 640)
    places = suggestions(np.random.default_rng(seed), shape, 12)
    rings, size = [(place.row, place.col) for place in places], (2 * unit, 12 * unit)
    corners = label_corners(rings, [size] * 12, shape, unit)
    covered = np.zeros(shape, int)
    for top, left in np.int64(corners):
        assert top + size[0] < shape[0]
        assert left + size[1] < shape[1]
        covered[top : top + size[0], left : left + size[1]] += 1
    assert covered.max() == 1
    for row, col in rings:
        assert not covered[max(0, row - unit) : row + unit, max(0, col - unit) : col + unit].any()


@pytest.mark.parametrize(("shape", "number"), [((400, 300), 100), ((40, 300), 9), ((12, 12), 3), ((2, 2), 1)])
def test_rings_are_seen_where_there_is_no_room_for_labels(shape, number):
    places = suggestions(np.random.default_rng(0), shape, number)
    pixels = marked(np.full(shape, 50, np.float32), places).pixels
    unit = max(4, round(min(shape) / 40))
    ends = np.array(shape) - 1
    room = np.minimum(5 * unit // 4 + 1, ends // 2)
    row, col = np.clip((places[-1].row, places[-1].col), room, ends - room)
    if row + unit < shape[0]:
        assert pixels[row + unit, col].min() > 200


@pytest.mark.parametrize(("row", "col"), [(0, 300), (479, 300), (240, 0), (240, 639)])
def test_the_ring_of_a_place_at_the_edge_is_whole(row, col):
    [place] = suggestions(np.random.default_rng(0), (1, 1), 1)
    there = replace(place, row=row, col=col)
    pixels = marked(np.full((480, 640), 50, np.float32), [there]).pixels
    inner = np.clip(row, 16, 463), np.clip(col, 16, 623)
    for step in ((-12, 0), (12, 0), (0, -12), (0, 12)):
        assert pixels[tuple(np.add(inner, step))].min() > 200  # white, on all four sides


def test_suggest_takes_hints_and_replaces_nothing(go, old):
    first = json_of(go, old, "one.json")
    hints = Hints((120, 160), (Mark("point", [[first["row"], first["col"]]], (60, 150, 60), 6),))
    with open("hints.json", "w") as file:
        file.write(hints.to_json())
    second = json_of(go, old, "two.json", "--hints", "hints.json", "--force")
    assert (first["row"], first["col"]) != (second["row"], second["col"])
    assert "exists already" in go("suggest", old, status=1).stderr


def json_of(go, photo, name, *options):
    go("suggest", photo, "-n", "1", "--json", name, *options)
    with open(name) as file:
        return json.load(file)["places"][0]
