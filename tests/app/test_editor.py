"""One photograph: opened, seen in other ways, explained, saved."""

from __future__ import annotations

import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from colorize.app.pages import pieces
from colorize.app.pictures import confidence_map, fitted, proxy
from colorize.color import rgb_to_lab, rgb_to_lightness
from colorize.exceptions import RequestError
from colorize.io import heif, read_photo, write_photo
from colorize.recipe.note import find_note
from colorize.types import ColorField, GrayImage, RgbImage

from .helpers import decoded, stroke


def test_a_photograph_is_shown_small_and_saved_whole_with_its_metadata(opened, photo_file):
    view = opened.editor.set_style("v", vividness=0.3)
    assert view.photo.shape == (360, 480)
    assert view.photo.gray.shape == (192, 256)
    assert decoded(view.color).shape == (192, 256, 3)
    for kind in ("PNG", "JPEG", "TIFF"):
        saved = read_photo(opened.editor.save("v", kind))
        assert saved.shape == (360, 480)
        assert b"Grandfather's camera" in saved.metadata.exif
        assert saved.metadata.dpi == pytest.approx((300, 300), abs=0.1)
    lightness = rgb_to_lightness(read_photo(photo_file).pixels)
    kept = rgb_to_lightness(read_photo(opened.editor.save("v", "PNG")).pixels)
    assert np.abs(kept - lightness).max() < 0.3  # rounding to 8 bits


@pytest.mark.parametrize(
    ("shape", "expected"), [((1024, 1024), (1024, 1024)), ((3000, 2000), (1024, 683)), ((300, 3000), (229, 2290))]
)
def test_a_photograph_is_edited_at_the_size_of_a_screen_and_a_panorama_at_more(shape, expected):
    assert proxy(GrayImage(np.full(shape, 50, np.float32))).shape == expected


def test_the_proxy_keeps_its_range():
    gray = GrayImage(np.full((10, 3000), 100, np.float32))
    assert fitted(gray, 1000).shape == (3, 1000)
    assert fitted(gray, 4000).shape == (10, 3000)


def test_a_style_that_is_chosen_before_the_photograph_waits_for_it(service, photo_file):
    (service.core.shelf.folder / "bad.safetensors").write_bytes(b"not a model")
    with pytest.raises(RequestError, match="model bad"):
        service.editor.set_style("v", model="bad")
    assert service.editor.set_style("v", model="tiny", vividness=0.8) is None
    service.editor.open_photo("v", photo_file)
    note = find_note(read_photo(service.editor.save("v", "PNG")).metadata.xmp)
    assert (note.model, note.vividness) == ("tiny", 0.8)


def test_a_bad_upload_is_refused_by_name_and_the_photograph_stays(opened, tmp_path):
    bad = tmp_path / "secret-place" / "holi\nday.png"
    bad.parent.mkdir()
    bad.write_bytes(b"GIF89a but not really")
    with pytest.raises(RequestError, match=r"^holi_day\.png: ") as error:
        opened.editor.open_photo("v", bad)
    assert "secret-place" not in str(error.value)
    assert opened.editor.view("v").photo.path.name == "Oma _ Opa.jpg"


def test_without_the_extra_a_heic_photograph_is_refused_with_its_name(opened, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    heif.register.cache_clear()
    path = tmp_path / "IMG 1.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(RequestError, match=r"^IMG 1.HEIC: a HEIC photograph.*'\.\[heif\]' \(or save"):
        opened.editor.open_photo("v", path)


def test_too_many_pixels_and_too_many_bytes_are_refused(service, tmp_path):
    large = tmp_path / "a.png"
    Image.new("L", (3000, 2000)).save(large)
    with pytest.raises(RequestError, match=r"a\.png: .*megapixels"):
        service.editor.open_photo("v", large)
    large.write_bytes(bytes(3_000_001))
    with pytest.raises(RequestError, match=r"a\.png: larger than 3 MB"):
        service.editor.open_photo("v", large)


def test_the_bar_moves_through_all_stages_and_never_back(opened, photo_file):
    said = []
    opened.editor.open_photo("v", photo_file, lambda share, words: said.append((share, words)))
    assert list(dict.fromkeys(words for _, words in said)) == [
        *("Reading the photograph", "Finding regions", "Looking at the regions", "Remembering what looked like them"),
        *("Choosing colours", "Spreading the colours to every pixel", "Making the picture"),
    ]
    opened.brush.paint("v", stroke(reach="here"))
    said.append((-1, "saving"))
    opened.editor.save("v", "PNG", lambda share, words: said.append((share, words)))
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


def test_a_saved_picture_notes_how_it_was_made(opened):
    opened.editor.set_style("v", vividness=0.3)
    note = find_note(read_photo(opened.editor.save("v", "JPEG")).metadata.xmp)
    assert (note.model, note.vividness, note.said) == ("tiny", 0.3, ({"decided at": [192, 256]},))
    assert "guided by a person" not in note.sentence()
    opened.brush.paint("v", stroke())
    note = find_note(read_photo(opened.editor.save("v", "PNG")).metadata.xmp)
    assert len(note.said) == 2
    assert "guided by a person" in note.sentence()


def test_of_a_large_photograph_the_pixels_alone_are_left_when_they_are_encoded(opened, monkeypatch):
    alive = []

    def write(image, path, **options):
        found = (value for value in gc.get_objects() if type(value) in (GrayImage, ColorField))
        alive.extend(value for value in found if value.shape == image.shape)
        return write_photo(image, path, **options)

    monkeypatch.setattr("colorize.app.editor.write_photo", write)
    opened.brush.paint("v", stroke())
    opened.editor.save("v", "TIFF")
    assert alive == []


def test_a_saved_file_belongs_to_its_photograph(opened, photo_file):
    path = opened.editor.save("v", "JPEG")
    assert opened.editor.is_shown("v", path)
    opened.editor.open_sample("v", "coffee")
    assert not opened.editor.is_shown("v", path)
    assert path.is_file()  # it may be on its way to the browser


@pytest.mark.slow
def test_a_saving_in_line_keeps_its_photograph_while_others_are_opened(opened, photo_file):
    with ThreadPoolExecutor(1) as others:
        with opened.core.long:
            waits = threading.Event()
            saving = others.submit(opened.editor.save, "v", "PNG", lambda share, words: waits.set())
            assert waits.wait(60)
            while not opened.core.visits.get("v").n_working:
                threading.Event().wait(0.01)
            for _ in range(3):
                opened.editor.open_photo("v", photo_file)
        assert read_photo(saving.result(60)).shape == (360, 480)
    assert saving.result().name == "Oma _ Opa.colorized.png"
    for _ in range(2):
        opened.editor.open_photo("v", photo_file)
    assert not saving.result().exists()


def test_before_and_after_are_one_picture_with_a_note(opened):
    picture = read_photo(opened.editor.share("v"))
    height, width = picture.shape
    assert height == 192
    assert width == pytest.approx(2 * 256, abs=8)
    chroma = np.hypot(*np.moveaxis(rgb_to_lab(picture.pixels)[..., 1:], 2, 0))
    assert chroma[:, :250].mean() < 1.5 < chroma[:, 262:].mean()
    assert find_note(picture.metadata.xmp).model == "tiny"


@pytest.mark.slow
def test_alternatives_differ_and_a_chosen_one_stays_until_taken_back(opened):
    before = opened.editor.view("v")
    small = opened.editor.alternatives("v")
    assert len(set(small)) == len(small) == 5
    chosen = opened.editor.choose("v", 1)
    assert decoded(chosen.color).tolist() != decoded(before.color).tolist()
    opened.core.visits.get("v").forget_session()  # as if others had needed the memory
    assert opened.editor.view("v").color == chosen.color
    assert opened.editor.choose("v", -1).color == before.color


@pytest.mark.slow
def test_every_pick_of_one_list_gives_what_was_clicked(opened, tmp_path, pictures):
    opened.brush.paint("v", stroke())
    before = opened.editor.choose("v", -1)
    opened.editor.alternatives("v")
    first = {number: opened.editor.choose("v", number).color for number in (0, 1)}
    assert first[0] == before.color
    for number in (2, 1, 1, 0):
        picked = opened.editor.choose("v", number).color
        assert picked == first.setdefault(number, picked)
    assert len(set(first.values())) == 3
    opened.brush.paint("v", stroke(row=30, color="#c03020"))
    painted = opened.editor.choose("v", 1)
    assert len(painted.strokes) == 2  # what is painted on it stays
    opened.brush.undo("v")
    assert opened.editor.choose("v", 1).color == first[1]  # and does not change what was picked
    opened.editor.alternatives("v")  # of what was picked
    assert opened.editor.choose("v", 0).color == first[1]
    assert opened.editor.choose("v", 2).color not in first.values()
    write_photo(RgbImage(np.ascontiguousarray(pictures["coffee"][:200, :300])), tmp_path / "cup.png")
    opened.editor.add_references("v", [tmp_path / "cup.png"])
    with pytest.raises(RequestError, match="other versions first"):
        opened.editor.choose("v", 1)


def gray_copy(source, target):
    """Take the colours away."""
    Image.open(source).convert("L").save(target)
    return target


@pytest.mark.slow
def test_references_lend_their_colors_and_are_refused_by_name(opened, tmp_path, pictures, monkeypatch):
    before = opened.editor.view("v")
    cup, suit = tmp_path / "cup.png", tmp_path / "suit.png"
    write_photo(RgbImage(np.ascontiguousarray(pictures["coffee"][:200, :300])), cup)
    with pytest.raises(RequestError, match=r"gray cup\.png: gray"):
        opened.editor.add_references("v", [gray_copy(cup, tmp_path / "gray cup.png")])
    assert opened.editor.view("v").color == before.color
    with monkeypatch.context() as patched:
        patched.setattr("colorize.app.core.jpeg", lambda pixels: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            opened.editor.add_references("v", [cup])
    assert opened.editor.view("v").color == before.color
    lent = opened.editor.add_references("v", [cup])
    assert lent.color != before.color
    write_photo(RgbImage(np.ascontiguousarray(pictures["astronaut"][:200, :300])), suit)
    both = opened.editor.add_references("v", [suit], 0.5)
    assert both.color != lent.color
    visit = opened.core.visits.come_back("v2", opened.core.visits.get("v").token)
    assert (opened.editor.view("v2").color, visit.wishes.strength) == (both.color, 0.5)
    assert [name for name, _ in opened.editor.references("v2")] == ["cup.png", "suit.png"]
    opened.editor.drop_references("v2", 1)
    assert opened.editor.add_references("v2", [], 1.0).color == lent.color  # no new ones: those there are
    assert opened.editor.drop_references("v2").color == before.color
    assert opened.editor.references("v2") == []
    with pytest.raises(RequestError, match="choose a colour photograph"):
        opened.editor.add_references("v2", [])


def test_a_guess_is_orange_and_what_is_sure_blue():
    confidence = np.repeat(np.float32([0.5, 0.95]), 40)[None].repeat(40, axis=0)  # between these most of it lies
    shown = decoded(
        confidence_map(SimpleNamespace(confidence=confidence), GrayImage(np.full((40, 80), 60, np.float32)))
    )
    blue_to_yellow = rgb_to_lab(shown)[..., 2].mean(axis=0)
    assert blue_to_yellow[:30].min() > 20
    assert blue_to_yellow[50:].max() < -20


@pytest.mark.slow
def test_confidence_and_explanation_are_about_this_photograph(opened):
    assert opened.editor.view("v").sure is None
    assert decoded(opened.editor.set_style("v", shows_sure=True).sure).shape == (192, 256, 3)
    assert opened.editor.set_style("v", vividness=0.8).sure is not None  # it stays until it is not wanted any more
    assert opened.editor.set_style("v", shows_sure=False).sure is None
    page = pieces.explanation(opened.editor.explain("v", 90, 120))
    assert "What spoke for it" in page
    assert "data:image" in page
