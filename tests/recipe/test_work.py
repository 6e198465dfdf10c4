"""One photograph from file to file: what is kept, what is added, and that it can be repeated."""

import json
import os
import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from colorize import __version__
from colorize.color import rgb_to_lab, rgb_to_lightness
from colorize.exceptions import ImageTooLargeError, InvalidImageError, OutputExistsError, RecipeError
from colorize.io import read_frames, read_xmp, write_photo
from colorize.recipe.handling import Handling
from colorize.recipe.note import Recipe, find_note
from colorize.recipe.work import (
    Wishes,
    colorize_file,
    colorize_photo,
    is_made_by,
    make_recipe,
    signed,
)
from colorize.types import PhotoMetadata, RgbImage


@pytest.fixture
def recipe(tiny_model, tiny_colorizer):
    return make_recipe(tiny_model, tiny_colorizer)


@pytest.fixture
def photo_file(photos, tmp_path):
    path = tmp_path / "old.png"
    write_photo(photos[0], path)
    return path


def sepia(photo):
    """A gray photograph toned brown."""
    lightness = rgb_to_lightness(photo.pixels)[..., None] / 100
    return RgbImage(np.uint8(np.rint(lightness * np.array([235, 200, 160]))))


def test_recipe_names_the_model_by_its_bytes(recipe, tiny_model, tiny_colorizer, tmp_path):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(tiny_model.read_bytes())
    assert make_recipe(copy, tiny_colorizer).model_sha256 == recipe.model_sha256
    assert (recipe.model, recipe.version, recipe.seed, recipe.vividness) == ("tiny", __version__, 0, 0.5)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("depth", [8, 16])
def test_output_carries_the_note(tmp_path, photos, tiny_colorizer, recipe, suffix, depth):
    pixels = photos[0].pixels if depth == 8 else photos[0].pixels.astype(np.uint16) * 257
    write_photo(RgbImage(pixels, metadata=PhotoMetadata(xmp=b"<rdf:RDF>Ann</rdf:RDF>")), tmp_path / "old.tif")
    colorize_file(tmp_path / "old.tif", tmp_path / f"new{suffix}", tiny_colorizer, recipe)
    packet = read_xmp(tmp_path / f"new{suffix}")
    assert b"Ann" in packet
    note = find_note(packet)
    assert replace(note, input_sha256="") == recipe
    assert is_made_by(tmp_path / f"new{suffix}", note)
    assert not is_made_by(tmp_path / f"new{suffix}", replace(note, vividness=0.1))
    assert not is_made_by(tmp_path / f"new{suffix}", note, max_pixels=100)


def test_what_is_not_ours_is_not_taken_for_ours(tmp_path, photo_file, recipe):
    (tmp_path / "text.png").write_text("mine")
    for path in (photo_file, tmp_path / "text.png", tmp_path / "nothing.png", tmp_path):
        assert not is_made_by(path, recipe)


def test_the_recipe_repeats_the_bytes(tmp_path, photo_file, tiny_colorizer, recipe):
    recipe = replace(recipe, keep_tint=True, palette=(1 / 8,) * 8, vividness=0.9)
    colorize_file(photo_file, tmp_path / "one.png", tiny_colorizer, recipe)
    note = find_note(read_xmp(tmp_path / "one.png"))
    colorize_file(photo_file, tmp_path / "two.png", tiny_colorizer, note)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(),
        Wishes(references=["ab", "cd"], reference_strength=0.0),
        Wishes(chosen=2),
        Wishes(chosen=2, alternative=0),
        Wishes(alternative=3, only_confident=0.5, refiner="ef"),
    ],
)
def test_wishes_are_read_back_from_their_note(recipe, wishes):
    text = replace(recipe, said=wishes.noted()).to_json()
    assert Wishes.of(Recipe.from_json(text)) == wishes
    assert json.loads(text)["hints"] == list(wishes.noted())  # the name that notes of all versions have for it


def test_sepia_is_coloured_by_its_lightness_and_its_tint_kept_on_request(photos, tiny_colorizer, recipe):
    toned = sepia(photos[0])
    plain = colorize_photo(toned, tiny_colorizer, recipe)
    kept = colorize_photo(toned, tiny_colorizer, replace(recipe, keep_tint=True))
    lightness = rgb_to_lightness(toned.pixels)
    for image in (plain, kept):
        np.testing.assert_allclose(rgb_to_lightness(image.pixels), lightness, atol=0.3)  # rounding to 8 bits
    assert not np.array_equal(plain.pixels, toned.pixels)
    shift = (rgb_to_lab(kept.pixels) - rgb_to_lab(plain.pixels))[..., 1:].mean(axis=(0, 1))
    wanted = rgb_to_lab(toned.pixels)[..., 1:].mean(axis=(0, 1))
    np.testing.assert_allclose(shift, wanted, atol=1.5)  # ab; colours out of gamut give way a little


def test_keeping_the_tint_of_a_gray_photograph_changes_nothing(photos, tiny_colorizer, recipe):
    gray = RgbImage(np.repeat(photos[0].pixels[..., 1:2], 3, axis=2))
    plain, kept = (colorize_photo(gray, tiny_colorizer, replace(recipe, keep_tint=keep)) for keep in (False, True))
    np.testing.assert_array_equal(plain.pixels, kept.pixels)


@pytest.mark.slow
def test_all_frames_become_pages(tmp_path, photos, tiny_colorizer, recipe):
    pages = [Image.fromarray(photo.pixels) for photo in photos[:3]]
    pages[0].save(tmp_path / "old.gif", save_all=True, append_images=pages[1:])
    colorize_file(tmp_path / "old.gif", tmp_path / "new.tif", tiny_colorizer, replace(recipe, all_frames=True))
    back = read_frames(tmp_path / "new.tif")
    assert len(back) == 3
    for page, photo in zip(back, read_frames(tmp_path / "old.gif"), strict=True):
        np.testing.assert_array_equal(page.pixels, colorize_photo(photo, tiny_colorizer, recipe).pixels)
    notes = colorize_file(tmp_path / "old.gif", tmp_path / "first.tif", tiny_colorizer, recipe)
    assert any("first" in note for note in notes)


def test_times_go_along_on_request(tmp_path, photo_file, tiny_colorizer, recipe):
    os.utime(photo_file, ns=(10**18, 5 * 10**17))
    colorize_file(photo_file, tmp_path / "now.png", tiny_colorizer, recipe)
    assert (tmp_path / "now.png").stat().st_mtime > 10**9
    colorize_file(photo_file, tmp_path / "then.png", tiny_colorizer, recipe, Handling(keep_times=True))
    assert (tmp_path / "then.png").stat().st_mtime_ns == 5 * 10**17


def test_paths_may_be_text_and_a_model_may_not(tmp_path, photo_file, tiny_model, tiny_colorizer, recipe):
    colorize_file(str(photo_file), str(tmp_path / "new.png"), tiny_colorizer, recipe)
    assert find_note(read_xmp(tmp_path / "new.png")).model == recipe.model
    with pytest.raises(TypeError, match=r"colorizer must be a model, which Colorizer\.load gives, got str"):
        make_recipe(tiny_model, "default")


def test_what_is_refused(tmp_path, photo_file, tiny_colorizer, recipe):
    with pytest.raises(ImageTooLargeError, match="megapixels"):
        colorize_file(photo_file, tmp_path / "a.png", tiny_colorizer, recipe, Handling(max_pixels=100))
    with pytest.raises(InvalidImageError, match=r"none\.png: no such file"):
        colorize_file(tmp_path / "none.png", tmp_path / "a.png", tiny_colorizer, recipe)
    with pytest.raises(OutputExistsError, match="overwrite=True"):
        colorize_file(photo_file, photo_file, tiny_colorizer, recipe)
    with pytest.raises(RecipeError, match="hints"):
        colorize_photo(RgbImage(np.zeros((2, 2, 3), np.uint8)), tiny_colorizer, replace(recipe, said=({},)))
    assert [path.name for path in tmp_path.iterdir()] == ["old.png"]


def test_xmp_that_gives_way_is_noted(tmp_path, photos, tiny_colorizer, recipe):
    write_photo(RgbImage(photos[0].pixels, metadata=PhotoMetadata(xmp=b"rubbish")), tmp_path / "old.png")
    notes = colorize_file(tmp_path / "old.png", tmp_path / "new.png", tiny_colorizer, recipe)
    assert notes == ("the XMP data is damaged and was left out",)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("place", ["IPTC", "EXIF"])
def test_captions_in_older_forms_stay_what_a_picture_says_of_itself(photos, recipe, place, encoding):
    caption = "Großmutter am Zürichsee".encode(encoding)
    exif = Image.Exif()
    exif[0x010E] = b"of a scanner" if place == "IPTC" else caption
    iptc = b"\x1c\x02\x05\0\x03Ann\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption + b"\x1c\x02\x5a\0\x01x"
    metadata = PhotoMetadata(exif=exif.tobytes(), iptc=iptc if place == "IPTC" else None)
    packet = signed(replace(photos[0], metadata=metadata), recipe).metadata.xmp.decode()
    assert packet.count("<dc:description") == 1
    assert '<rdf:li xml:lang="x-default">Großmutter am Zürichsee</rdf:li>' in packet
    assert "simulated" in packet  # in the note


@pytest.mark.parametrize("exif", [None, b"", b"Exif\0\0rubbish"])
def test_without_a_caption_the_description_tells_of_the_colours(photos, recipe, exif):
    photo = replace(photos[0], metadata=PhotoMetadata(exif=exif, iptc=b"\x1c\x02\x78\0"))
    assert '<rdf:li xml:lang="x-default">The colours' in signed(photo, recipe).metadata.xmp.decode()


def test_signing_changes_nothing_but_the_note(photos, recipe):
    image = RgbImage(photos[0].pixels, metadata=PhotoMetadata(dpi=(72.0, 72.0)))
    done = signed(image, recipe)
    np.testing.assert_array_equal(done.pixels, image.pixels)
    assert done.metadata.dpi == (72.0, 72.0)
    assert find_note(done.metadata.xmp) == recipe
