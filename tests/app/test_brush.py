"""Strokes on a photograph, hints that are kept, and models that learn from them."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from colorize.color import rgb_to_lab
from colorize.exceptions import RequestError
from colorize.io import read_photo, write_photo
from colorize.recipe.note import find_note
from colorize.types import RgbImage

from .helpers import decoded, stroke


def test_a_stroke_is_met_where_it_is_painted_and_at_full_size_too(opened):
    before = opened.editor.view("v")
    after = opened.brush.paint("v", stroke())
    assert len(after.strokes) == 1
    moved = rgb_to_lab(decoded(after.color))[96:104, 132:158, 2] - rgb_to_lab(decoded(before.color))[96:104, 132:158, 2]
    assert moved.mean() < -15  # towards blue
    full = rgb_to_lab(read_photo(opened.editor.save("v", "PNG")).pixels)
    spot = full[180:196, 255:285].mean(axis=(0, 1))
    shown = rgb_to_lab(decoded(after.color))[96:104, 136:152].mean(axis=(0, 1))
    assert np.abs(spot - shown)[1:].max() < 3  # JPEG on the screen, PNG on the disk
    assert decoded(opened.brush.undo("v").color).tolist() == decoded(before.color).tolist()


def test_undo_and_clear_of_nothing_change_nothing(opened):
    before = opened.editor.view("v")
    assert opened.brush.undo("v").color == before.color
    assert opened.brush.clear("v").color == before.color


def test_strokes_are_edited_and_erased_one_by_one_and_every_change_is_taken_back(opened):
    views = [opened.editor.view("v")]
    views.append(opened.brush.paint("v", stroke()))
    views.append(opened.brush.paint("v", stroke(row=40, color="#c03020", reach="photo")))
    views.append(opened.brush.edit("v", views[2].strokes[1].number, color="#20c040", reach="here"))
    assert views[3].strokes[1].mark.color == (0x20, 0xC0, 0x40)
    assert views[3].strokes[1].mark.reach == "here"
    views.append(opened.brush.erase("v", views[2].strokes[0].number))
    views.append(opened.brush.clear("v"))
    assert [len(view.strokes) for view in views] == [0, 1, 2, 2, 1, 0]
    assert len({view.color for view in views}) == 5  # the last is the first
    for view in reversed(views[:-1]):
        assert opened.brush.undo("v").color == view.color
    assert not opened.brush.undo("v").can_undo
    for view in views[1:]:
        assert opened.brush.redo("v").color == view.color
    assert not opened.brush.redo("v").can_redo


def test_what_is_asked_of_a_stroke_that_is_gone_changes_no_other(opened):
    for row in (30, 90, 150):
        view = opened.brush.paint("v", stroke(row=row))
    first, second, third = (painted.number for painted in view.strokes)
    opened.brush.erase("v", first)
    with pytest.raises(RequestError, match="no such stroke any more"):
        opened.brush.erase("v", first)  # a double click
    with pytest.raises(RequestError, match="no such stroke any more"):
        opened.brush.edit("v", first, color="#ffffff")
    view = opened.brush.edit("v", third, color="#20c040")  # as a page asks that has three of them yet
    assert [painted.number for painted in view.strokes] == [second, third]
    assert view.strokes[1].mark.color == (0x20, 0xC0, 0x40)
    opened.brush.undo("v")
    assert [painted.number for painted in opened.brush.undo("v").strokes] == [first, second, third]


def test_a_stroke_that_protects_has_the_colors_that_are_shown(opened):
    before = opened.brush.paint("v", stroke(row=40))
    view = opened.brush.paint("v", {"path": [[100, 130], [100, 160]], "radius": 8, "protects": True})
    assert view.strokes[1].protects
    assert view.strokes[1].mark.reach == "pixels"
    change = np.abs(decoded(view.color).astype(int) - decoded(before.color))
    assert change[96:104, 134:156].mean() < 1  # nothing to see there yet
    loud = opened.brush.paint("v", stroke(row=120, color="#c03020", reach="here"))
    moved = np.abs(rgb_to_lab(decoded(loud.color)) - rgb_to_lab(decoded(before.color)))[..., 1:].max(axis=2)
    assert moved[96:104, 134:156].mean() < 2  # JPEG
    assert moved[112:128, 134:156].mean() > 20  # blue before, and as near as the brush allows


def test_a_protected_place_stays_where_the_whole_photograph_is_tinted(opened):
    before = opened.brush.paint("v", {"path": [[100, 130], [100, 160]], "radius": 8, "protects": True})
    loud = opened.brush.paint("v", stroke(row=170, color="#c03020", reach="photo"))
    moved = np.abs(rgb_to_lab(decoded(loud.color)) - rgb_to_lab(decoded(before.color)))[..., 1:].max(axis=2)
    assert moved[96:104, 134:156].mean() < 2  # JPEG
    assert np.median(moved) > 3


def test_a_stroke_that_protects_changes_nothing_elsewhere(opened):
    before = opened.brush.paint("v", stroke(row=40))
    view = opened.brush.paint("v", {"path": [[100, 130], [100, 160]], "radius": 8, "protects": True})
    assert np.abs(decoded(view.color).astype(int) - decoded(before.color)).mean() < 1


@pytest.mark.slow
def test_what_is_protected_can_be_explained_and_comes_back_protected(opened):
    opened.brush.paint("v", {"path": [[100, 130], [100, 160]], "radius": 8, "protects": True})
    assert opened.editor.explain("v", 100, 140)
    assert opened.editor.explain("v", 20, 20)
    path = opened.brush.save("v")
    opened.brush.clear("v")
    view = opened.brush.load("v", path)
    assert [stroke.protects for stroke in view.strokes] == [True]


@pytest.mark.slow
def test_hints_travel_as_json_also_to_another_size(opened, service, tmp_path, pictures):
    painted = opened.brush.paint("v", stroke())
    path = opened.brush.save("v")
    content = json.loads(path.read_text())
    assert content["photo"] == {"height": 192, "width": 256}
    opened.brush.clear("v")
    assert decoded(opened.brush.load("v", path).color).tolist() == decoded(painted.color).tolist()
    small = tmp_path / "small.png"
    write_photo(RgbImage(np.ascontiguousarray(pictures["chelsea"][:300, :400])), small)
    service.editor.open_photo("w", small)
    assert len(service.brush.load("w", path).strokes) >= 1


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ({"path": []}, "between 1 and"),
        ({"path": "here"}, "between 1 and"),
        ({"path": [[1, "x"]], "color": "#ffffff"}, "list of"),
        ({"path": [[1, 1]], "color": "blue"}, "#rrggbb"),
        ({"path": [[1, 1]], "color": "#ffffff", "reach": "moon"}, "reach"),
        ({"path": [[1, 1]], "color": "#ffffff", "radius": -3}, "radius"),
        ({"path": [[9000, 9000]], "color": "#ffffff", "radius": 3}, "none of the hints"),
        ({"path": [[9000, 9000]], "protects": True}, "none of the hints"),
    ],
)
def test_a_bad_stroke_is_refused_and_forgotten(opened, mark, expected):
    with pytest.raises(RequestError, match=expected):
        opened.brush.paint("v", mark)
    assert len(opened.editor.view("v").strokes) == 0


def test_a_stroke_is_forgotten_whatever_went_wrong_with_it(opened, monkeypatch):
    before = opened.brush.paint("v", stroke())
    monkeypatch.setattr("colorize.app.core.jpeg", lambda pixels: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        opened.brush.paint("v", stroke(row=40))
    monkeypatch.undo()
    after = opened.brush.undo("v")
    assert len(before.strokes) == 1
    assert len(after.strokes) == 0


@pytest.mark.parametrize("n_more", [0, 1])
def test_a_file_has_no_more_hints_than_may_be_painted(opened, tmp_path, monkeypatch, n_more):
    monkeypatch.setattr("colorize.app.brush.N_STROKES", 3)
    points = [{"kind": "point", "at": [[10 * k, 10]], "color": "#aa2020"} for k in range(3 + n_more)]
    path = tmp_path / "many.json"
    path.write_text(json.dumps({"photo": {"height": 192, "width": 256}, "hints": points}))
    if n_more:
        with pytest.raises(RequestError, match="at most 3 strokes"):
            opened.brush.load("v", path)
        assert len(opened.editor.view("v").strokes) == 0
    else:
        assert len(opened.brush.load("v", path).strokes) == 3
        with pytest.raises(RequestError, match="at most 3 strokes"):
            opened.brush.paint("v", stroke())


def test_hints_of_another_photograph_are_refused_and_the_old_ones_kept(opened, tmp_path):
    opened.brush.paint("v", stroke())
    path = tmp_path / "hints.json"
    path.write_text(
        '{"photo": {"height": 100, "width": 900}, "hints": [{"kind": "point", "at": [[1, 1]], "color": "#ffffff"}]}'
    )
    with pytest.raises(RequestError, match="aspect ratio"):
        opened.brush.load("v", path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequestError, match="no JSON"):
        opened.brush.load("v", path)
    assert len(opened.editor.view("v").strokes) == 1


def test_suggested_places_lie_on_the_photograph_and_come_with_colors(opened):
    places = opened.brush.suggestions("v")
    assert len(places) == 5
    for place in places:
        assert 0 <= place.row < 192
        assert 0 <= place.col < 256
        colors, names, chances = zip(*place.swatches(), strict=True)
        assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)
        assert all(names)
        assert list(chances) == sorted(chances, reverse=True)


@pytest.mark.slow
def test_learning_from_corrections_makes_another_model(opened):
    opened.brush.paint("v", stroke())
    name, words = opened.brush.learn("v", " Corrected ")
    assert name == "Corrected"
    assert "probability of" in words
    assert opened.core.shelf.load("Corrected").summary_["n_corrected_photos"] == 1
    opened.editor.set_style("v", model="Corrected")
    assert opened.models.rename("Corrected", "Better") == "Better"
    note = find_note(read_photo(opened.editor.save("v", "PNG")).metadata.xmp)
    assert note.model == "Better"  # who uses it goes on with it
    assert "Corrected" not in opened.core.shelf.names()
    opened.models.delete("Better")
    assert opened.core.shelf.names() == ["default", "classic", "tiny"]
