"""`colorize replay` and the options about files that it shares with `colorize photo`."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from colorize.colorizer import Colorizer
from colorize.io import read_frames, read_photo, read_xmp, write_frames, write_photo
from colorize.recipe.note import add_note, find_note

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.fixture
def old(workplace, photos):
    write_photo(photos[0], workplace / "old.png")
    return workplace / "old.png"


@pytest.mark.parametrize("options", [[], ["--vividness", "1", "--keep-tint"]])
def test_replay_gives_the_same_bytes(run, old, tiny_model, options):
    run("photo", old, "-o", "new.jpg", "--model", tiny_model, *options)
    result = run("replay", "new.jpg", old, "--model", tiny_model)
    assert "new.replayed.jpg: the same, byte for byte" in result.stdout


@pytest.mark.parametrize("wishes", [[], ["--alternatives", "2", "--sheet"]])
def test_a_damaged_photograph_is_salvaged_when_asked_for(run, old, tiny_model, wishes):
    old.write_bytes(old.read_bytes()[: old.stat().st_size * 3 // 4])
    error = run("photo", old, "-o", "new.png", "--model", tiny_model, *wishes, status=1).stderr
    assert "damaged" in error
    assert "--salvage" in error
    assert error.count("\n") == 1
    said = run("photo", old, "-o", "new.png", "--model", tiny_model, "--salvage", *wishes).stderr
    damage = find_note(read_xmp("new.png")).damage
    assert damage.endswith("% of its rows could be read, the rest is black")
    assert f"the file is damaged: {damage}" in said
    if not wishes:
        assert not read_photo("new.png").pixels[-1].any()
        assert "byte for byte" in run("replay", "new.png", old, "--model", tiny_model).stdout


def test_replay_replaces_neither_picture_nor_photograph(run, old, tiny_model, workplace):
    run("photo", old, "-o", "new.png", "--model", tiny_model)
    before = {name: (workplace / name).read_bytes() for name in ("old.png", "new.png")}
    for name in before:
        result = run("replay", "new.png", "old.png", "-o", name, "--model", tiny_model, "--force", status=2)
        assert f"{name} is read by this command" in result.stderr
    assert {name: (workplace / name).read_bytes() for name in before} == before


def test_replay_finds_a_shipped_model_by_its_digest(run, old, tiny_model, monkeypatch):
    from colorize import models

    run("photo", old, "-o", "new.png", "--model", tiny_model)
    assert "--model" in run("replay", "new.png", old, status=1).stderr
    monkeypatch.setattr(models, "_folder", lambda: tiny_model.parent)
    assert run("replay", "new.png", old, "--quiet").stdout == ""


def test_replay_tells_when_the_result_differs(run, old, tiny_model, workplace):
    run("photo", old, "-o", "new.png", "--model", tiny_model)
    image = read_photo("new.png")
    edited = image.pixels.copy()
    edited[0, 0] ^= 1
    Image.fromarray(edited).save("edited.png", pnginfo=png_note(image.metadata.xmp))
    assert "not the same as edited.png" in run("replay", "edited.png", old, "--model", tiny_model, status=1).stdout
    Image.fromarray(image.pixels).save("stripped.png", pnginfo=png_note(image.metadata.xmp))
    assert "the same pixels" in run("replay", "stripped.png", old, "--model", tiny_model).stdout


@pytest.mark.slow
def test_replay_looks_at_every_page_and_at_opacity(run, workplace, photos, tiny_model):
    pages = [Image.fromarray(photo.pixels) for photo in photos[:2]]
    pages[0].save("old.tif", save_all=True, append_images=pages[1:])
    run("photo", "old.tif", "-o", "new.tif", "--model", tiny_model, "--all-frames")
    first, second = read_frames("new.tif")
    altered = {"pixels": 255 - second.pixels, "alpha": np.full(second.shape, 9, np.uint8)}
    for name, pages in {
        "same": [first, second],
        "short": [first],
        **{kind: [first, replace(second, **{kind: values})] for kind, values in altered.items()},
    }.items():
        write_frames([replace(page, metadata=replace(page.metadata, dpi=(7, 7))) for page in pages], f"{name}.tif")
        is_same = name == "same"
        said = run("replay", f"{name}.tif", "old.tif", "--model", tiny_model, status=int(not is_same)).stdout
        assert ("the same pixels" if is_same else f"not the same as {name}.tif") in said


def test_replay_holds_the_picture_to_the_limit_of_pixels_too(run, old, tiny_model):
    run("photo", old, "-o", "new.png", "--model", tiny_model)
    error = run("replay", "new.png", old, "--model", tiny_model, "--max-pixels", 100, status=1).stderr
    assert error.startswith("Error: new.png: ")
    assert "more than the limit" in error


def png_note(xmp):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return info


def test_replay_refuses_what_it_cannot_repeat(run, old, tiny_model, workplace, photos):
    run("photo", old, "-o", "new.png", "--model", tiny_model)
    write_photo(photos[1], "other.png")
    Colorizer(n_colors=6, n_superpixels=40).fit(photos[:3]).save("another.safetensors")
    for arguments, message in (
        (["old.png", "old.png"], "holds no note"),
        (["new.png", "other.png"], "was made from another file"),
        (["new.png", "old.png", "--model", "another.safetensors"], "is another model than tiny"),
        (["new.png", "nothing.png"], "nothing.png: cannot be read"),
        (["new.png", "old.png", "-o", "other.png"], "--force"),
    ):
        lines = run("replay", *arguments, status=1).stderr.splitlines()
        assert len(lines) == 1
        assert message in lines[0]
    packet = read_xmp("new.png").replace(b"&quot;seed&quot;:0", b"&quot;seed&quot;:{")
    Image.fromarray(photos[0].pixels).save("damaged.png", pnginfo=png_note(packet))
    assert "damaged.png: the note" in run("replay", "damaged.png", "old.png", status=1).stderr


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_replay_repeats_hints(run, old, tiny_model, photos, ending):
    layer = np.zeros((*photos[0].shape, 4), np.uint8)
    layer[20:30, 40:60] = (60, 150, 60, 255)
    Image.fromarray(layer, "RGBA").save("hints.png")
    run("photo", old, "-o", f"plain.{ending}", "--model", tiny_model, "--keep-tint")
    run("photo", old, "-o", f"new.{ending}", "--model", tiny_model, "--keep-tint", "--hints", "hints.png")
    assert (read_photo(f"plain.{ending}").pixels != read_photo(f"new.{ending}").pixels).any()
    result = run("replay", f"new.{ending}", old, "--model", tiny_model)
    assert "the same, byte for byte" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wish", "picture"),
    [
        (["--reference", "like.png", "--reference", "too.png", "--reference-strength", 0.5], "new.png"),
        (["--alternatives", 2], "new.2.png"),
        (["--choose", 2, "--hints", "dots.png"], "new.png"),
        (["--choose", 2, "--hints", "dots.png", "--alternatives", 1], "new.1.png"),
        (["--only-confident", 0.9, "--choose", 3, "--keep-tint"], "new.png"),
    ],
)
def test_replay_repeats_other_wishes(run, old, tiny_model, photos, wish, picture):
    write_photo(photos[1], "like.png")
    write_photo(photos[2], "too.png")
    dots = np.zeros((*photos[0].shape, 4), np.uint8)
    dots[20:30, 40:60] = (60, 150, 60, 255)
    Image.fromarray(dots, "RGBA").save("dots.png")
    run("photo", old, "-o", "plain.png", "--model", tiny_model)
    run("photo", old, "-o", "new.png", "--model", tiny_model, *wish)
    assert b"guided by a person" in read_xmp(picture)
    assert (read_photo("plain.png").pixels != read_photo(picture).pixels).any()
    named = ["--reference", "too.png", "--reference", "like.png"] if "--reference" in wish else []
    result = run("replay", picture, old, "--model", tiny_model, *named)
    assert "the same, byte for byte" in result.stdout


def test_replay_asks_for_the_references_and_for_no_others(run, old, tiny_model, photos):
    write_photo(photos[1], "like.png")
    write_photo(photos[2], "other.png")
    run("photo", old, "-o", "new.png", "--model", tiny_model, "--reference", "like.png")
    for named, message in (
        ([], "new.png: 1 of the 1 references that it was made with are missing; name each with --reference"),
        (["--reference", "other.png"], "other.png: is no reference that new.png was made with"),
    ):
        (line,) = run("replay", "new.png", old, "--model", tiny_model, *named, status=1).stderr.splitlines()
        assert line == f"Error: {message}"


@pytest.mark.parametrize("wish", [["--alternatives", 2, "--sheet"], ["--hints", "noise.png"]])
def test_pictures_of_which_the_note_holds_too_little_are_refused(run, old, tiny_model, photos, wish):
    noise = np.random.default_rng(0).integers(0, 256, (*photos[0].shape, 4), np.uint8)
    Image.fromarray(noise, "RGBA").save("noise.png")
    run("photo", old, "-o", "new.png", "--model", tiny_model, *wish)
    assert b"guided by a person" in read_xmp("new.png")
    (line,) = run("replay", "new.png", old, "--model", tiny_model, status=1).stderr.splitlines()
    assert line.startswith("Error: new.png: its note does not hold all that decided the colours beside hints (")
    assert "same options of `colorize photo`" in line


def test_confidence_map_leaves_the_picture_as_it_is(run, old, tiny_model):
    run("photo", old, "-o", "new.png", "--model", tiny_model, "--confidence-map", "map.png")
    assert "the same, byte for byte" in run("replay", "new.png", old, "--model", tiny_model).stdout


def test_frames_go_without_wishes(run, old, tiny_model):
    result = run("photo", old, "--all-frames", "--only-confident", 0.9, "--model", tiny_model, status=2)
    assert "--all-frames goes without" in result.stderr


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"hints": "none"}, "the hints in its note are damaged ("),
        ({"at": [1, 2], "color": "#00ff00"}, "its note does not hold all that decided the colours beside hints (at, "),
    ],
)
def test_wishes_of_a_note_that_are_none_are_named(run, old, tiny_model, said, message):
    run("photo", old, "-o", "new.png", "--model", tiny_model)
    packet = add_note(None, replace(find_note(read_xmp("new.png")), said=(said,)))
    Image.fromarray(read_photo("new.png").pixels).save("hinted.png", pnginfo=png_note(packet))
    (line,) = run("replay", "hinted.png", old, "--model", tiny_model, status=1).stderr.splitlines()
    assert line.startswith(f"Error: hinted.png: {message}")


@pytest.mark.slow
def test_one_sha256_names_a_model_everywhere(run, old, tiny_model, workplace):
    named = run("models", tiny_model, "--quiet").stdout.strip()
    run("photo", old, "-o", "new.png", "--model", tiny_model)
    assert find_note(read_xmp("new.png")).model_sha256 == named
    (workplace / "in").mkdir()
    shutil.copy(old, "in")
    run("batch", "in", "out", "--model", tiny_model, "--workers", 1)
    head = json.loads((workplace / "out" / "colorize-manifest.jsonl").read_text().partition("\n")[0])
    assert named in json.dumps(head)


def test_size_limit_of_photo(run, old, tiny_model):
    result = run("photo", old, "--model", tiny_model, "--max-pixels", 100, status=1)
    assert "more than the limit" in result.stderr


def test_all_frames_of_photo(run, workplace, photos, tiny_model):
    pages = [Image.fromarray(photo.pixels) for photo in photos[:2]]
    pages[0].save("old.tif", save_all=True, append_images=pages[1:])
    run("photo", "old.tif", "--model", tiny_model, "--all-frames")
    with Image.open("old.colorized.tif") as written:
        assert written.n_frames == 2
    assert "use .tif" in run("photo", "old.tif", "-o", "x.png", "--all-frames", status=1).stderr
    result = run("photo", "old.tif", "--model", tiny_model)
    assert "only the first" in result.stderr
    assert np.ptp(read_photo("old.colorized.png").pixels.astype(int), axis=2).max() > 0


def test_films_are_not_replayed(run, workplace):
    for name in ("new.mp4", "old.MP4"):
        (workplace / name).write_bytes(b"a film")
    (line,) = run("replay", "new.mp4", "old.MP4", status=1).stderr.splitlines()
    assert line == "Error: new.mp4: films are not replayed; run `colorize film` again, with what its comment says"
