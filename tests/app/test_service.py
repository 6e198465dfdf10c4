"""The app without its page: photographs, hints, errors, visitors, training."""

from __future__ import annotations

import gc
import io
import json
import re
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from colorize.app.house import House
from colorize.app.pages import pieces
from colorize.app.pictures import fitted, proxy
from colorize.app.serve import serve
from colorize.app.service import Service
from colorize.app.training import TrainingJob
from colorize.app.uploads import Limits
from colorize.color import rgb_to_lab, rgb_to_lightness
from colorize.exceptions import OutputError, RequestError
from colorize.io import heif, read_photo, write_photo
from colorize.recipe.note import find_note
from colorize.types import ColorField, GrayImage, RgbImage


@pytest.fixture
def service(tmp_path, tiny_model):
    """A service whose only model of its own is the tiny one."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.safetensors").write_bytes(tiny_model.read_bytes())
    service = Service(House(folder, workspace=tmp_path / "work", limits=Limits(file_bytes=3_000_000, pixels=3_000_000)))
    yield service
    service.house.close()


@pytest.fixture
def photo_file(tmp_path, pictures):
    """A photograph with EXIF, larger than what is edited."""
    pixels = np.kron(pictures["chelsea"], np.ones((2, 2, 1), np.uint8))[100:460, 300:780]
    exif = Image.Exif()
    exif[0x010F] = "Grandfather's camera"
    path = tmp_path / "Oma & Opa.jpg"
    Image.fromarray(pixels).save(path, exif=exif, quality=95, dpi=(300, 300))
    return path


@pytest.fixture
def opened(service, photo_file, monkeypatch):
    """The service with that photograph opened by visitor v, with the tiny model, and edited at a tiny size."""
    monkeypatch.setattr("colorize.app.pictures.PROXY_SIDE", 256)
    service.desk.set_style("v", model="tiny")
    service.desk.open_photo("v", photo_file, photo_file.name)
    return service


def gray_copy(source, target):
    """Take the colours away."""
    Image.open(source).convert("L").save(target)
    return target


def decoded(jpeg: bytes) -> np.ndarray:
    return read_photo(jpeg).pixels


def ended(job, seconds=120):
    """How a training stands once it no longer runs."""
    end = time.monotonic() + seconds
    while job.status.is_on and time.monotonic() < end:
        time.sleep(0.05)
    return job.status


def stroke(row=100, col=130, color="#2040d0", **more):
    return {"path": [[row, col], [row, col + 30]], "color": color, "radius": 8, "reach": "similar"} | more


def test_a_photograph_is_shown_small_and_saved_whole_with_its_metadata(opened, photo_file):
    view = opened.desk.set_style("v", vividness=0.3)
    assert view.photo.shape == (360, 480)
    assert view.photo.gray.shape == (192, 256)
    assert decoded(view.color).shape == (192, 256, 3)
    for kind in ("PNG", "JPEG", "TIFF"):
        saved = read_photo(opened.desk.save("v", kind))
        assert saved.shape == (360, 480)
        assert b"Grandfather's camera" in saved.metadata.exif
        assert saved.metadata.dpi == pytest.approx((300, 300), abs=0.1)
    lightness = rgb_to_lightness(read_photo(photo_file).pixels)
    kept = rgb_to_lightness(read_photo(opened.desk.save("v", "PNG")).pixels)
    assert np.abs(kept - lightness).max() < 0.3  # rounding to 8 bits


def test_a_stroke_is_met_where_it_is_painted_and_at_full_size_too(opened):
    before = opened.desk.view("v")
    after = opened.brush.paint("v", stroke())
    assert len(after.strokes) == 1
    moved = rgb_to_lab(decoded(after.color))[96:104, 132:158, 2] - rgb_to_lab(decoded(before.color))[96:104, 132:158, 2]
    assert moved.mean() < -15  # towards blue
    full = rgb_to_lab(read_photo(opened.desk.save("v", "PNG")).pixels)
    spot = full[180:196, 255:285].mean(axis=(0, 1))
    shown = rgb_to_lab(decoded(after.color))[96:104, 136:152].mean(axis=(0, 1))
    assert np.abs(spot - shown)[1:].max() < 3  # JPEG on the screen, PNG on the disk
    assert decoded(opened.brush.undo("v").color).tolist() == decoded(before.color).tolist()


def test_a_saved_picture_notes_how_it_was_made(opened):
    opened.desk.set_style("v", vividness=0.3)
    note = find_note(read_photo(opened.desk.save("v", "JPEG")).metadata.xmp)
    assert (note.model, note.vividness, note.hints) == ("tiny", 0.3, ({"decided at": [192, 256]},))
    assert "guided by a person" not in note.sentence()
    opened.brush.paint("v", stroke())
    note = find_note(read_photo(opened.desk.save("v", "PNG")).metadata.xmp)
    assert len(note.hints) == 2
    assert "guided by a person" in note.sentence()


def test_of_a_large_photograph_the_pixels_alone_are_left_when_they_are_encoded(opened, monkeypatch):
    alive = []

    def write(image, path, **options):
        found = (value for value in gc.get_objects() if type(value) in (GrayImage, ColorField))
        alive.extend(value for value in found if value.shape == image.shape)
        return write_photo(image, path, **options)

    monkeypatch.setattr("colorize.app.desk.write_photo", write)
    opened.brush.paint("v", stroke())
    opened.desk.save("v", "TIFF")
    assert alive == []


def test_undo_and_clear_of_nothing_change_nothing(opened):
    before = opened.desk.view("v")
    assert opened.brush.undo("v").color == before.color
    assert opened.brush.clear("v").color == before.color


def test_strokes_are_edited_and_erased_one_by_one_and_every_change_is_taken_back(opened):
    views = [opened.desk.view("v")]
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


def test_what_is_protected_can_be_explained_and_comes_back_protected(opened):
    opened.brush.paint("v", {"path": [[100, 130], [100, 160]], "radius": 8, "protects": True})
    assert opened.desk.explain("v", 100, 140)
    assert opened.desk.explain("v", 20, 20)
    path = opened.brush.save("v")
    opened.brush.clear("v")
    view = opened.brush.load("v", path)
    assert [stroke.protects for stroke in view.strokes] == [True]


def test_hints_travel_as_json_also_to_another_size(opened, service, tmp_path, pictures):
    painted = opened.brush.paint("v", stroke())
    path = opened.brush.save("v")
    content = json.loads(path.read_text())
    assert content["photo"] == {"height": 192, "width": 256}
    opened.brush.clear("v")
    assert decoded(opened.brush.load("v", path).color).tolist() == decoded(painted.color).tolist()
    small = tmp_path / "small.png"
    write_photo(RgbImage(np.ascontiguousarray(pictures["chelsea"][:300, :400])), small)
    service.desk.open_photo("w", small, "small.png")
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
    assert len(opened.desk.view("v").strokes) == 0


def test_a_stroke_is_forgotten_whatever_went_wrong_with_it(opened, monkeypatch):
    before = opened.brush.paint("v", stroke())
    monkeypatch.setattr("colorize.app.house.jpeg", lambda pixels: 1 / 0)
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
        assert len(opened.desk.view("v").strokes) == 0
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
    assert len(opened.desk.view("v").strokes) == 1


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


def test_alternatives_differ_and_a_chosen_one_stays_until_taken_back(opened):
    before = opened.desk.view("v")
    small = opened.desk.alternatives("v")
    assert len(set(small)) == len(small) == 5
    chosen = opened.desk.choose("v", 1)
    assert decoded(chosen.color).tolist() != decoded(before.color).tolist()
    opened.house.visits.get("v").forget_session()  # as if others had needed the memory
    assert opened.desk.view("v").color == chosen.color
    assert opened.desk.choose("v", -1).color == before.color


def test_a_page_that_is_loaded_again_offers_the_same_versions(opened):
    assert opened.desk.offered("v") == []
    pictures = opened.desk.alternatives("v")
    opened.house.visits.come_back("v2", opened.house.visits.get("v").token)
    assert opened.desk.offered("v2") == pictures
    opened.desk.choose("v2", 1)
    assert opened.desk.offered("v2") == pictures  # another one takes its place
    opened.desk.open_sample("v2", "coffee")
    assert opened.desk.offered("v2") == []


def test_every_pick_of_one_list_gives_what_was_clicked(opened, tmp_path, pictures):
    opened.brush.paint("v", stroke())
    before = opened.desk.choose("v", -1)
    opened.desk.alternatives("v")
    first = {number: opened.desk.choose("v", number).color for number in (0, 1)}
    assert first[0] == before.color
    for number in (2, 1, 1, 0):
        picked = opened.desk.choose("v", number).color
        assert picked == first.setdefault(number, picked)
    assert len(set(first.values())) == 3
    opened.brush.paint("v", stroke(row=30, color="#c03020"))
    painted = opened.desk.choose("v", 1)
    assert len(painted.strokes) == 2  # what is painted on it stays
    opened.brush.undo("v")
    assert opened.desk.choose("v", 1).color == first[1]  # and does not change what was picked
    opened.desk.alternatives("v")  # of what was picked
    assert opened.desk.choose("v", 0).color == first[1]
    assert opened.desk.choose("v", 2).color not in first.values()
    write_photo(RgbImage(np.ascontiguousarray(pictures["coffee"][:200, :300])), tmp_path / "a.png")
    opened.desk.add_references("v", [("cup.png", tmp_path / "a.png")])
    with pytest.raises(RequestError, match="other versions first"):
        opened.desk.choose("v", 1)


def test_references_lend_their_colors_and_are_refused_by_name(opened, tmp_path, pictures, monkeypatch):
    before = opened.desk.view("v")
    write_photo(RgbImage(np.ascontiguousarray(pictures["coffee"][:200, :300])), tmp_path / "a.png")
    with pytest.raises(RequestError, match=r"cup\.png: gray"):
        opened.desk.add_references("v", [("cup.png", gray_copy(tmp_path / "a.png", tmp_path / "b.png"))])
    assert opened.desk.view("v").color == before.color
    with monkeypatch.context() as patched:
        patched.setattr("colorize.app.house.jpeg", lambda pixels: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            opened.desk.add_references("v", [("cup.png", tmp_path / "a.png")])
    assert opened.desk.view("v").color == before.color
    lent = opened.desk.add_references("v", [("cup.png", tmp_path / "a.png")])
    assert lent.color != before.color
    write_photo(RgbImage(np.ascontiguousarray(pictures["astronaut"][:200, :300])), tmp_path / "c.png")
    both = opened.desk.add_references("v", [("suit.png", tmp_path / "c.png")], 0.5)
    assert both.color != lent.color
    visit = opened.house.visits.come_back("v2", opened.house.visits.get("v").token)
    assert (opened.desk.view("v2").color, visit.wishes.strength) == (both.color, 0.5)
    assert [name for name, _ in opened.desk.references("v2")] == ["cup.png", "suit.png"]
    opened.desk.drop_references("v2", 1)
    assert opened.desk.add_references("v2", [], 1.0).color == lent.color  # no new ones: those there are
    assert opened.desk.drop_references("v2").color == before.color
    assert opened.desk.references("v2") == []
    with pytest.raises(RequestError, match="choose a colour photograph"):
        opened.desk.add_references("v2", [])


def test_confidence_and_explanation_are_about_this_photograph(opened):
    assert opened.desk.view("v").sure is None
    assert decoded(opened.desk.set_style("v", shows_sure=True).sure).shape == (192, 256, 3)
    assert opened.desk.set_style("v", vividness=0.8).sure is not None  # it stays until it is not wanted any more
    assert opened.desk.set_style("v", shows_sure=False).sure is None
    page = pieces.explanation(opened.desk.explain("v", 90, 120))
    assert "What spoke for it" in page
    assert "data:image" in page


def test_a_bad_upload_is_refused_by_name_and_the_photograph_stays(opened, tmp_path):
    bad = tmp_path / "secret-place" / "x"
    bad.parent.mkdir()
    bad.write_bytes(b"GIF89a but not really")
    with pytest.raises(RequestError, match=r"^holiday\.png: ") as error:
        opened.desk.open_photo("v", bad, "../holiday.png")
    assert "secret-place" not in str(error.value)
    assert opened.desk.view("v").photo.name == "Oma _ Opa.jpg"


def test_without_the_extra_a_heic_photograph_is_refused_with_its_name(opened, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heif.register.cache_clear()
    path = tmp_path / "upload"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(RequestError, match=r"^IMG 1.HEIC: a HEIC photograph.*'\.\[heif\]' \(or save"):
        opened.desk.open_photo("v", path, "IMG 1.HEIC")


def test_too_many_pixels_and_too_many_bytes_are_refused(service, tmp_path):
    large = tmp_path / "large.png"
    Image.new("L", (3000, 2000)).save(large)
    with pytest.raises(RequestError, match=r"a\.png: .*megapixels"):
        service.desk.open_photo("v", large, "a.png")
    large.write_bytes(bytes(3_000_001))
    with pytest.raises(RequestError, match=r"a\.png: larger than 3 MB"):
        service.desk.open_photo("v", large, "a.png")


def test_without_a_photograph_every_wish_gets_a_plain_answer(service):
    desk, brush = service.desk, service.brush
    for wish in (brush.undo, brush.redo, brush.clear, brush.suggestions, brush.save, desk.share, desk.alternatives):
        with pytest.raises(RequestError, match="first choose a photograph"):
            wish("nobody")


def test_a_style_that_is_chosen_before_the_photograph_waits_for_it(service, photo_file):
    (service.house.shelf.folder / "bad.safetensors").write_bytes(b"not a model")
    with pytest.raises(RequestError, match="model bad"):
        service.desk.set_style("v", model="bad")
    assert service.desk.set_style("v", model="tiny", vividness=0.8) is None
    service.desk.open_photo("v", photo_file, "a.jpg")
    note = find_note(read_photo(service.desk.save("v", "PNG")).metadata.xmp)
    assert (note.model, note.vividness) == ("tiny", 0.8)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.desk.set_style("v", model="damaged"),
        lambda s: s.desk.open_sample("v", "coffee"),
        lambda s: s.brush.undo("v"),
        lambda s: s.brush.redo("v"),
        lambda s: s.desk.choose("v", -1),
    ],
)
def test_what_cannot_be_shown_is_not_gone_on_with(opened, monkeypatch, change):
    opened.desk.alternatives("v")
    opened.desk.choose("v", 2)
    for row in (60, 100):
        opened.brush.paint("v", stroke(row=row))
    before = opened.brush.undo("v")
    path = opened.house.shelf.path("tiny")
    # what a copy that was broken off leaves: its head is whole
    path.with_name("damaged.safetensors").write_bytes(path.read_bytes()[:-100])
    with monkeypatch.context() as patched:
        patched.setattr("colorize.app.house.House.view", lambda *_: 1 / 0)
        with pytest.raises((RequestError, ZeroDivisionError)):
            change(opened)
    after = opened.desk.view("v")
    assert after.photo is before.photo
    assert (after.color, after.can_undo, after.can_redo) == (before.color, True, True)
    assert opened.house.visits.get("v").wishes.model == "tiny"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda s: s.desk.set_style("v", model="../tiny"), "no model named"),
        (lambda s: s.desk.save("v", "EXE"), "choose one of"),
        (lambda s: s.desk.choose("v", 99), "no such picture"),
        (lambda s: s.brush.erase("v", -1), "no such stroke"),
        (lambda s: s.brush.edit("v", -1, color="#ffffff"), "no such stroke"),
        (lambda s: s.brush.learn("v", "new"), "nothing has been painted"),
        (lambda s: s.brush.learn("v", "tiny"), "already"),
        (lambda s: s.workshop.rename("default", "mine"), "came with the package"),
        (lambda s: s.workshop.delete("default"), "came with the package"),
        (lambda s: s.workshop.delete("nothing"), "no model named"),
        (lambda s: s.workshop.rename("tiny", "Default"), "already"),
        (lambda s: s.workshop.train("v", "new", folder="x", base="nothing"), "no model named"),
        (lambda s: s.errands.batch("v", [], folder="/nowhere/at/all"), "no such folder"),
        (lambda s: s.errands.batch("v", [], folder=str(s.house.shelf.folder)), "no photographs in that folder"),
        (lambda s: s.desk.open_sample("v", "nothing"), "no such sample"),
        (lambda s: s.desk.explain("v", 5000, 1), "outside"),
        (lambda s: s.errands.compare("v", s.desk.save("v", "PNG"), "a", ["nonsense"]), "no method nonsense"),
        (lambda s: s.errands.compare("v", s.desk.save("v", "PNG"), "a", []), "at least one"),
        (lambda s: s.errands.batch("v", []), "choose photographs"),
        (lambda s: s.workshop.train("v", "new"), "choose photographs"),
        (lambda s: s.workshop.train("v", "tiny", folder="x"), "already"),
        (lambda s: s.workshop.train("v", "a/b", folder="x"), "name of 1 to 40"),
        (lambda s: s.workshop.train("v", "new", folder="/nowhere/at/all"), "no such folder"),
        (lambda s: s.workshop.resume("v"), "no training"),
    ],
)
def test_what_cannot_be_done_is_said(opened, call, expected):
    with pytest.raises(RequestError, match=expected):
        call(opened)


def test_a_comparison_measures_only_against_true_colors(service, tmp_path, pictures):
    path = tmp_path / "a.png"
    write_photo(RgbImage(np.ascontiguousarray(pictures["coffee"][:120, :160])), path)
    said = []
    found, _, true = service.errands.compare(
        "v", path, "a.png", ["tiny", "no colour"], told=lambda share, words: said.append((share, words))
    )
    assert said == [
        (0.0, "Waiting for its turn"),
        (0.0, "Colouring with “tiny”"),
        (0.5, "Colouring with “no colour”"),
        (1.0, "Putting the pictures side by side"),
    ]
    assert [item.name for item in found] == ["tiny", "no colour"]
    assert true is not None
    assert found[1].figures["colorfulness"] == 0
    assert "nearest to the truth" in pieces.comparison(found, b"", true)
    gray = np.repeat(pictures["coffee"][:120, :160, 1:2], 3, axis=2)
    write_photo(RgbImage(gray), path, overwrite=True)
    found, _, true = service.errands.compare("v", path, "a.png", ["tiny"])
    assert true is None
    assert set(found[0].figures) == {"colorfulness"}


def test_a_batch_gives_a_zip_and_says_what_failed(service, tmp_path, pictures):
    good, bad, packed = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    buffer = io.BytesIO()
    Image.fromarray(pictures["coffee"][:100, :120]).save(buffer, "PNG")
    good.write_bytes(buffer.getvalue())
    bad.write_bytes(b"no")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/inside.png", buffer.getvalue())
        archive.writestr("readme.txt", "hello")
    files = [("a.png", good), ("a.png", good), ("b.jpg", bad), ("c.zip", packed)]
    result = service.errands.batch("v", files, model="tiny", kind="PNG")
    assert len(result.done) == 3
    assert result.failures == {
        "b.jpg": "not a photograph, or its header is damaged",
        "readme.txt": "not a photograph by its name",
    }
    with zipfile.ZipFile(result.archive) as archive:
        assert sorted(archive.namelist()) == [
            *("a 2.colorized.png", "a.colorized.png", "folder/inside.colorized.png", "report.txt")
        ]
        inside = read_photo(archive.read("folder/inside.colorized.png"))
        assert inside.shape == (100, 120)
        assert find_note(inside.metadata.xmp).model == "tiny"
        report = archive.read("report.txt").decode()
    assert "3 coloured, 2 failed" in report
    assert str(tmp_path) not in report


def test_a_batch_says_what_photographs_lost(service, tmp_path, pictures):
    captioned = tmp_path / "with <caption>.tif"
    Image.fromarray(pictures["coffee"][:80, :100]).save(captioned, tiffinfo={0x83BB: b"\x1c\x02\x78\0\x03Ann"})
    plain = tmp_path / "plain.png"
    Image.fromarray(pictures["coffee"][:80, :100]).save(plain)
    result = service.errands.batch("v", [(path.name, path) for path in (captioned, plain)], model="tiny", kind="PNG")
    assert len(result.done) == 2
    [(note, names)] = result.notes().items()
    assert "IPTC" in note
    shown = pieces.batch(result)
    assert f"1 × {note}" in shown
    assert "with &lt;caption&gt;.tif" in shown or names[0] in shown
    assert "plain" not in shown


def test_a_folder_of_this_machine_is_coloured_in_its_own_order_and_can_be_stopped(service, tmp_path, pictures):
    for name in ("1938/summer/a.png", "1938/b.png", "c.png"):
        path = tmp_path / "albums" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures["coffee"][:80, :100]).save(path)
    result = service.errands.batch("v", [], folder=str(tmp_path / "albums"), model="tiny", kind="PNG")
    with zipfile.ZipFile(result.archive) as archive:
        assert sorted(archive.namelist()) == [
            *("1938/b.colorized.png", "1938/summer/a.colorized.png", "c.colorized.png", "report.txt")
        ]
    assert len(list((tmp_path / "albums").rglob("*.png"))) == 3  # as they were

    shares, said = [], []

    def stop_at_the_second(share, words):
        shares.append(share)
        said.append(words)
        if words.startswith("2 of 3"):
            service.errands.stop_batch("v")

    result = service.errands.batch("v", [], folder=str(tmp_path / "albums"), model="tiny", told=stop_at_the_second)
    assert shares == sorted(shares)
    assert 0.6 < shares[-1] < 2 / 3  # the second of three, nearly done
    assert said[-1].endswith(", then it stops")
    assert "stops" not in said[0]
    assert (len(result.done), result.n_left) == (2, 1)
    assert "1 was not begun" in pieces.batch(result)
    with zipfile.ZipFile(result.archive) as archive:
        assert "1 not begun" in archive.read("report.txt").decode()


@pytest.fixture
def album(tmp_path, pictures):
    """A folder of three small photographs."""
    folder = tmp_path / "album"
    folder.mkdir()
    for name in "abc":
        Image.fromarray(pictures["coffee"][:80, :100]).save(folder / f"{name}.png")
    return folder


def test_a_visit_with_a_batch_under_way_is_not_forgotten(service, album):
    clock, visits = [0.0], service.house.visits
    visits._clock = lambda: clock[0]

    def somebody_comes_much_later(share, words):
        clock[0] += visits.idle_seconds + 1
        visits.get("w")

    result = service.errands.batch("v", [], folder=str(album), model="tiny", told=somebody_comes_much_later)
    assert (len(result.done), result.failures) == (3, {})
    clock[0] += visits.idle_seconds - 1  # there is time to fetch it
    visits.get("w")
    assert result.archive.is_file()
    clock[0] += 2
    visits.get("w")
    assert not result.archive.exists()


@pytest.fixture
def held(service, album):
    """A batch that waits for its second photograph until it is let go."""
    reached, gate = threading.Event(), threading.Event()
    batch = service.errands.batch

    def wait_at_the_second(*asked, told, **more):
        def hear(share, words):
            told(share, words)
            if words.startswith("2 of 3"):
                reached.set()
                gate.wait(60)

        return batch(*asked, told=hear, **more)

    service.errands.batch = wait_at_the_second
    work = service.errands.start_batch("v", [], folder=str(album), model="tiny")
    assert reached.wait(60)
    yield service, work, gate
    gate.set()
    work.wait(60)


def test_a_batch_goes_on_while_its_page_is_away_and_is_found_again(held):
    service, work, gate = held
    clock = [time.monotonic()]
    service.house.visits._clock = lambda: clock[0]
    visit = service.house.visits.get("v")

    def pass_by(seconds):
        """As when so much time is over."""
        clock[0] += seconds
        visit.leaving.function(*visit.leaving.args)
        service.house.visits.get("somebody else")

    service.house.visits.leave("v")
    pass_by(7200)
    gate.set()
    assert work.wait(60)
    assert len(work.result().done) == 3
    pass_by(7200)  # a night, with no page
    assert work.result().archive.is_file()
    service.house.visits.come_back("v2", visit.token)
    assert service.errands.batch_of("v2") is work
    service.errands.know_batch("v2")
    service.house.visits.leave("v2")
    pass_by(service.house.visits.grace_seconds + 1)
    assert not work.result().archive.exists()


def test_a_second_batch_waits_for_the_first_and_the_zip_on_offer_stays_whole(held, album):
    service, work, gate = held
    with pytest.raises(RequestError, match="still going on"):
        service.errands.start_batch("v", [], folder=str(album), model="tiny")
    service.errands.stop_batch("v")
    gate.set()
    assert work.wait(60)
    first = work.result()
    assert (len(first.done), first.n_left) == (2, 1)
    content = first.archive.read_bytes()
    gate.clear()
    work = service.errands.start_batch("v", [], folder=str(album), model="tiny")
    while not work.now[1].startswith("2 of 3"):
        time.sleep(0.01)
    assert first.archive.read_bytes() == content
    gate.set()
    assert work.wait(60)
    second = work.result()
    assert len(second.done) == 3
    assert [path.parent for path in second.archive.parent.parent.glob("*/*")] == [second.archive.parent]


def test_a_batch_that_failed_is_told_of_once(service):
    work = service.errands.start_batch("v", [])
    assert work.wait(60)
    assert service.errands.batch_of("v") is work
    with pytest.raises(RequestError, match="choose photographs first"):
        work.result()
    service.errands.know_batch("v")
    assert service.errands.batch_of("v") is None


def test_a_batch_ends_with_its_visit_and_says_nothing_of_this_machine(service, album):
    seen = []

    def close_at_the_second(share, words):
        seen.append(words[:6])
        if words.startswith("2 of 3"):
            service.house.visits.close("v")

    result = service.errands.batch("v", [], folder=str(album), model="tiny", told=close_at_the_second)
    assert "3 of 3" not in seen
    assert (len(result.done), result.n_left) == (1, 1)
    assert not any(str(service.house.workspace) in why for why in result.failures.values())
    assert list(result.failures) == ["b.png"]


def test_long_work_holds_nobody_else_up(opened, photo_file):
    """With one lock for everybody the calls within the saving would wait for ever."""
    before = opened.desk.view("v")
    said = []

    def meanwhile(share, words):
        said.append(words)
        if words == "Choosing colours":
            assert others.submit(opened.desk.open_sample, "w", "coffee").result(60).photo.name == "coffee.png"
            assert len(others.submit(opened.brush.paint, "v", stroke()).result(60).strokes) == 1

    with ThreadPoolExecutor(1) as others:
        saved = read_photo(opened.desk.save("v", "PNG", meanwhile))
    assert list(dict.fromkeys(said)) == [
        *("Waiting for its turn", "Reading 0.2 megapixels", "Choosing colours", "Spreading the colours to every pixel"),
        *("Making the picture", "Writing the PNG"),
    ]
    opened.brush.undo("v")
    assert opened.desk.view("v").color == before.color
    assert saved.pixels.tolist() == read_photo(opened.desk.save("v", "PNG")).pixels.tolist()  # as when it was begun


def test_the_bar_moves_through_all_stages_and_never_back(opened, photo_file):
    said = []
    opened.desk.open_photo("v", photo_file, photo_file.name, lambda share, words: said.append((share, words)))
    assert list(dict.fromkeys(words for _, words in said)) == [
        *("Reading the photograph", "Finding regions", "Looking at the regions", "Remembering what looked like them"),
        *("Choosing colours", "Spreading the colours to every pixel", "Making the picture"),
    ]
    opened.brush.paint("v", stroke(reach="here"))
    said.append((-1, "saving"))
    opened.desk.save("v", "PNG", lambda share, words: said.append((share, words)))
    opening, saving = said[: said.index((-1, "saving"))], said[said.index((-1, "saving")) :]
    for told in (opening, saving):
        shares = [share for share, _ in told]
        assert shares == sorted(shares)
        assert shares[-1] <= 1
        spread = {share for share, words in told if words.startswith("Spreading")}
        assert len(spread) >= 4  # it moves within the longest stage
    spread = [share for share, words in saving if words.startswith("Spreading")]
    assert min(spread) < 0.15  # colours are spread twice, once for the hint: half of the bar each
    assert max(spread) > 0.7


def test_a_saved_file_belongs_to_its_photograph(opened, photo_file):
    path = opened.desk.save("v", "JPEG")
    assert opened.desk.is_shown("v", path)
    opened.desk.open_sample("v", "coffee")
    assert not opened.desk.is_shown("v", path)
    assert path.is_file()  # it may be on its way to the browser


def test_a_saving_in_line_keeps_its_photograph_while_others_are_opened(opened, photo_file):
    with ThreadPoolExecutor(1) as others:
        with opened.house.long:
            waits = threading.Event()
            saving = others.submit(opened.desk.save, "v", "PNG", lambda share, words: waits.set())
            assert waits.wait(60)
            while not opened.house.visits.get("v").n_working:
                threading.Event().wait(0.01)
            for _ in range(3):
                opened.desk.open_photo("v", photo_file, "other.jpg")
        assert read_photo(saving.result(60)).shape == (360, 480)
    assert saving.result().name == "Oma _ Opa.colorized.png"
    for _ in range(2):
        opened.desk.open_photo("v", photo_file, "other.jpg")
    assert not saving.result().exists()


def test_before_and_after_are_one_picture_with_a_note(opened):
    picture = read_photo(opened.desk.share("v"))
    height, width = picture.shape
    assert height == 192
    assert width == pytest.approx(2 * 256, abs=8)
    chroma = np.hypot(*np.moveaxis(rgb_to_lab(picture.pixels)[..., 1:], 2, 0))
    assert chroma[:, :250].mean() < 1.5 < chroma[:, 262:].mean()
    assert find_note(picture.metadata.xmp).model == "tiny"


def test_a_page_that_is_loaded_again_comes_back_to_its_visit(opened):
    view = opened.brush.paint("v", stroke())
    opened.desk.set_style("v", vividness=0.3)
    token = opened.house.visits.get("v").token
    opened.house.visits.leave("v")
    visit = opened.house.visits.come_back("v2", token)
    again = opened.desk.view("v2")
    assert len(again.strokes) == 1
    assert again.photo is view.photo
    assert (visit.wishes.model, visit.vividness, visit.shows_sure) == ("tiny", 0.3, False)
    assert opened.house.visits.come_back("v3", "a token that nobody has").wishes.photo is None
    assert len(opened.desk.view("v2").strokes) == 1


def test_a_page_comes_back_although_its_model_is_gone(opened):
    opened.brush.paint("v", stroke())
    opened.desk.alternatives("v")
    opened.desk.choose("v", 1)
    visit = opened.house.visits.get("v")
    visit.forget_session()  # as if others had needed the memory
    opened.workshop.delete("tiny")
    assert opened.house.visits.come_back("v2", visit.token) is visit
    assert opened.desk.lost_model("v2") == "tiny"
    assert visit.wishes.model == "default"
    view = opened.desk.view("v2")
    assert opened.desk.lost_model("v2") == ""
    assert len(view.strokes) == 1
    assert not visit.wishes.steps


def test_every_answer_of_the_page_says_in_words_what_cannot_be(service):
    pytest.importorskip("gradio", reason="the extra app is not installed")
    from colorize.app import web

    (service.house.shelf.folder / "bad.safetensors").write_bytes(b"not a model")
    answers = [step.fn for step in web.build(service).fns.values() if step.fn]
    bare = {answer.__name__ for answer in answers if not hasattr(answer, "__wrapped__")}
    assert bare == {"leave", "know"}  # they ask for nothing that can be refused
    cards = [answer for answer in answers if answer.__name__ == "show"]
    assert len(cards) == 2
    for card in cards:
        assert "model bad: " in card("bad")
        assert card(None) is None  # of a list whose model was deleted


def test_what_is_offered_or_was_sent_is_kept_for_a_day_and_missed_in_words(service, tmp_path):
    pytest.importorskip("gradio", reason="the extra app is not installed")
    from colorize.app import web
    from colorize.app.answers import sent

    assert web.build(service).delete_cache[1] >= service.house.visits.idle_seconds == 86_400
    with pytest.raises(RequestError, match=r"old\.jpg is no longer here"):
        sent(service.house, SimpleNamespace(session_hash="v"), [str(tmp_path / "old.jpg")])


def test_a_host_that_is_none_of_this_machine_is_said_to_be_so(tmp_path):
    said = []
    with pytest.raises(RequestError, match=r"^203\.0\.113\.7 is no address of this machine; name another --host$"):
        serve(
            host="203.0.113.7",  # of documents alone, says RFC 5737
            port=0,
            models=tmp_path,
            max_upload=1,
            open_browser=False,
            login=None,
            folders_allowed=True,
            say=said.append,
        )
    assert said == []


def test_learning_from_corrections_makes_another_model(opened):
    opened.brush.paint("v", stroke())
    name, words = opened.brush.learn("v", " Corrected ")
    assert name == "Corrected"
    assert "probability of" in words
    assert opened.house.shelf.load("Corrected").summary_["n_corrected_photos"] == 1
    opened.desk.set_style("v", model="Corrected")
    assert opened.workshop.rename("Corrected", "Better") == "Better"
    note = find_note(read_photo(opened.desk.save("v", "PNG")).metadata.xmp)
    assert note.model == "Better"  # who uses it goes on with it
    assert "Corrected" not in opened.house.shelf.names()
    opened.workshop.delete("Better")
    assert opened.house.shelf.names() == ["default", "classic", "tiny"]


def test_visitors_do_not_see_each_other_and_leave_nothing_behind(service, photo_file):
    service.desk.open_photo("a", photo_file, "a.jpg")
    service.desk.open_sample("b", "coffee")
    assert service.desk.view("a").photo.name == "a.jpg"
    assert service.desk.view("b").photo.name == "coffee.png"
    folder = service.house.visits.get("a").folder
    service.desk.save("a", "PNG")
    service.house.visits.close("a")
    assert not folder.exists()
    assert service.desk.view("a") is None
    service.house.close()
    assert not service.house.workspace.exists()


def test_many_at_once_all_get_their_own(service, tmp_path, pictures):
    names = sorted(pictures)[:4]
    for name in names:
        write_photo(RgbImage(np.ascontiguousarray(pictures[name][:150, :200])), tmp_path / f"{name}.png")
    found = {}

    def visit(name):
        service.desk.open_photo(name, tmp_path / f"{name}.png", f"{name}.png")
        found[name] = service.desk.set_style(name, model="tiny")

    threads = [threading.Thread(target=visit, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        lightness = found[name].photo.gray.lightness
        assert np.abs(lightness - rgb_to_lightness(pictures[name][:150, :200])).max() < 0.01  # float32


def test_a_failing_job_leaves_the_service_running(opened, monkeypatch):
    monkeypatch.setattr("colorize.app.house.jpeg", lambda pixels: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        opened.desk.set_style("v", vividness=0.9)
    monkeypatch.undo()
    assert opened.desk.set_style("v", vividness=0.8).color
    monkeypatch.setattr("colorize.guidance.session.Session.with_hints", lambda *_: np.empty(1 << 50))
    with pytest.raises(RequestError, match="memory"):
        opened.desk.set_style("v", vividness=0.7)


def test_the_proxy_keeps_its_range():
    gray = GrayImage(np.full((10, 3000), 100, np.float32))
    assert fitted(gray, 1000).shape == (3, 1000)
    assert fitted(gray, 4000).shape == (10, 3000)


@pytest.mark.parametrize(
    ("shape", "expected"), [((1024, 1024), (1024, 1024)), ((3000, 2000), (1024, 683)), ((300, 3000), (229, 2290))]
)
def test_a_photograph_is_edited_at_the_size_of_a_screen_and_a_panorama_at_more(shape, expected):
    assert proxy(GrayImage(np.full(shape, 50, np.float32))).shape == expected


def test_training_ends_with_a_model_and_figures_also_after_a_stop(service, tmp_path, photos):
    packed = tmp_path / "photos.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number, photo in enumerate(photos):
            buffer = io.BytesIO()
            Image.fromarray(photo.pixels).save(buffer, "PNG")
            archive.writestr(f"{number}.png", buffer.getvalue())
        archive.writestr("twin.png", buffer.getvalue())
    service.workshop.train("v", "My own", files=[("photos.zip", packed)])
    with pytest.raises(RequestError, match="still running"):
        service.workshop.train("v", "Another", files=[("photos.zip", packed)])
    job = service.house.visits.get("v").job
    described = lambda: list(job.folder.glob("described-*/*.safetensors"))  # noqa: E731
    while job.status.is_on and len(described()) < 2:
        threading.Event().wait(0.05)
    service.workshop.stop("v")
    assert ended(job).state == "stopped"
    kept = {path: path.stat().st_mtime_ns for path in described()}
    assert kept
    service.workshop.resume("v")
    seen = {}
    while job.status.is_on:
        seen |= {path: path.stat().st_mtime_ns for path in kept if path.exists()}
        threading.Event().wait(0.05)
    status = ended(job)
    assert status.state == "done", status.message
    assert seen == kept  # what was described before the stop was not described again
    assert status.report["left_out"][0][1] == "duplicate"
    assert len(status.samples["pictures"][0]) == 3
    assert "My own" in service.house.shelf.names()
    card = service.house.shelf.card("My own")
    assert card.n_photos == 10
    assert card.figures["n_photos"] == 2
    assert 0 < card.figures["model"] < 40
    assert sum(share for _, _, share in card.swatches) == pytest.approx(1, abs=1e-5)
    assert "My own" in pieces.training(status)
    assert not job.folder.exists()


def test_training_builds_on_a_model(service, tmp_path, photos):
    folder = tmp_path / "few"
    folder.mkdir()
    for number, photo in enumerate(photos[:8]):
        Image.fromarray(photo.pixels).save(folder / f"{number}.png")
    service.workshop.train("v", "On top", folder=str(folder), base="tiny")
    status = ended(service.house.visits.get("v").job)
    assert status.state == "done", status.message
    assert service.house.shelf.load("On top").summary_["base"]
    assert "better to build on" not in pieces.training(status)


def test_training_that_cannot_work_says_why_and_can_be_left(service, tmp_path):
    gray = tmp_path / "gray.png"
    Image.new("RGB", (100, 100), (90, 90, 90)).save(gray)
    service.workshop.train("v", "Gray", files=[("gray.png", gray)])
    job = service.house.visits.get("v").job
    status = ended(job)
    assert status.state == "failed"
    assert "usable" in status.message
    assert str(service.house.workspace) not in status.message
    service.house.visits.close("v")
    assert not job.folder.exists()


@pytest.fixture
def trained(monkeypatch, tiny_model):
    """Make trainings end at once, with the tiny model; tells the folders of those that ran."""
    ran = []

    def run(job):
        ran.append(job.folder)
        job.folder.mkdir(exist_ok=True)
        (job.folder / "model.safetensors").write_bytes(tiny_model.read_bytes())
        return 0

    monkeypatch.setattr(TrainingJob, "_run_process", run)
    return ran


def test_a_training_stopped_and_begun_again_while_it_waits_runs_once(tmp_path, trained):
    turn, before = threading.Lock(), {*threading.enumerate()}
    job = TrainingJob(tmp_path, tmp_path, turn, lambda model: "mine")
    with turn:
        job.start()
        job.stop()
        job.start()
        waiting = {*threading.enumerate()} - before
    for thread in waiting:
        thread.join(30)
    assert len(waiting) == 2
    assert trained == [tmp_path]
    assert (job.status.state, job.status.message) == ("done", "mine")


def test_a_training_stopped_as_its_turn_comes_begins_no_process(tmp_path, monkeypatch):
    run, begun = TrainingJob._run_process, []

    def stopped_first(job):
        job.stop()
        return run(job)

    monkeypatch.setattr(TrainingJob, "_run_process", stopped_first)
    monkeypatch.setattr("subprocess.Popen", lambda *args, **kwargs: begun.append(args))
    job = TrainingJob(tmp_path, tmp_path, threading.Lock(), lambda model: "mine")
    job.start()
    assert ended(job).state == "stopped"
    assert not begun


def test_a_model_whose_name_was_taken_while_it_was_trained_is_kept_under_another(service, tmp_path, trained):
    with service.workshop._turn:
        service.workshop.train("v", " My own", folder=str(tmp_path))
        service.house.shelf.rename("tiny", "my OWN")
    status = ended(service.house.visits.get("v").job)
    assert (status.state, status.message) == ("done", "My own 2")
    assert service.house.shelf.names() == ["default", "classic", "My own 2", "my OWN"]


def test_a_full_disk_at_the_end_of_a_training_ends_it(tmp_path, trained):
    def keep(model):
        raise OutputError("models: no space left")

    job = TrainingJob(tmp_path, tmp_path, threading.Lock(), keep)
    job.start()
    status = ended(job)
    assert (status.state, status.message) == ("failed", "models: no space left")
    assert (tmp_path / "model.safetensors").is_file()  # what was learnt waits to be kept


def test_a_visitor_may_not_name_folders_of_a_foreign_machine_or_change_its_models(tmp_path, tiny_model):
    service = Service(House(tmp_path / "models", folders_allowed=False))
    service.house.shelf.add(tiny_model, "tiny")
    for wish in (
        lambda: service.workshop.train("v", "New", folder=str(tmp_path)),
        lambda: service.errands.batch("v", [], folder=str(tmp_path)),
        lambda: service.workshop.rename("tiny", "mine"),
        lambda: service.workshop.delete("tiny"),
    ):
        with pytest.raises(RequestError, match="this machine alone"):
            wish()
    service.house.close()
