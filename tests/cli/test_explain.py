"""`colorize explain`, thumbnails from `colorize train`, and the doubt that `colorize photo` can show."""

import json

import numpy as np
import pytest
from PIL import Image

from colorize.color import rgb_to_lab
from colorize.colorizer import Colorizer

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.fixture
def old(workplace, photos):
    Image.fromarray(photos[0].pixels).convert("L").save(workplace / "old.png")
    return "old.png"


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def last_line(result):
    return result.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_page_and_json(run, old, tiny_model, workplace):
    pytest.importorskip("jinja2")
    result = run(
        "explain", old, "--at", "60,80", "--at", "5, 7", "--model", tiny_model, "-o", "why.html", "--json", "why.json"
    )
    read = json.loads((workplace / "why.json").read_text())
    assert [(place["row"], place["col"]) for place in read["places"]] == [(60, 80), (5, 7)]
    assert (read["photo"], read["model"], read["height"], read["width"]) == ("old.png", "tiny", 120, 160)
    assert read["places"][0]["sentences"][0] in result.stdout
    page = (workplace / "why.html").read_text()
    assert "row 60, column 80" in page
    assert str(workplace) not in page + json.dumps(read)
    assert "wrote why.html" in result.stdout


@pytest.mark.slow
def test_places_are_chosen_and_told_in_text(run, old, tiny_model, workplace):
    result = run("explain", old, "-n", 2, "--model", tiny_model)
    assert result.stdout.count("% sure") == 2
    assert [path.name for path in workplace.iterdir()] == ["old.png"]
    assert run("explain", old, "-n", 1, "--model", tiny_model, "--quiet").stdout == ""


@pytest.mark.slow
def test_hints_are_explained(run, old, tiny_model, workplace):
    layer = np.zeros((120, 160, 4), np.uint8)
    layer[30:40, 40:50] = [170, 60, 50, 255]
    Image.fromarray(layer).save(workplace / "hints.png")
    run("explain", old, "--at", "35,45", "--hints", "hints.png", "--model", tiny_model, "--json", "why.json")
    effect = json.loads((workplace / "why.json").read_text())["places"][0]["hints"]
    assert effect["after"][0] > effect["before"][0] + 5
    result = run("explain", old, "--hints", "nowhere.png", "--model", tiny_model, status=1)
    assert result.stderr.startswith("Error: nowhere.png: ")


def test_doubt_is_shown_of_results_with_hints_too(run, old, tiny_model, workplace):
    layer = np.zeros((120, 160, 4), np.uint8)
    layer[30:40, 40:50] = [170, 60, 50, 255]
    Image.fromarray(layer).save(workplace / "hints.png")
    common = ("--hints", "hints.png", "--model", tiny_model)
    run("photo", old, "-o", "all.png", *common)
    run("photo", old, "-o", "sure.png", *common, "--only-confident", "0.9", "--confidence-map", "map.png")
    assert pixels("map.png").shape[1] == 480
    chroma = [np.hypot(*np.moveaxis(rgb_to_lab(pixels(name))[..., 1:], -1, 0)) for name in ("all.png", "sure.png")]
    assert np.mean(chroma[1] > 1) < np.mean(chroma[0] > 1)
    refused = ("photo", old, "--alternatives", 2, "-o", "x.png", "--confidence-map", "x.2.png", "--model", tiny_model)
    assert "more than one result would be written to x.2.png" in last_line(run(*refused, status=2))


@pytest.mark.parametrize("place", ["60", "60,80,90", "a,b", "60;80", "-1,5", "1.5,2", "", "²,3"])
def test_a_place_that_cannot_be_read_is_refused(run, old, tiny_model, place):
    result = run("explain", old, f"--at={place}", "--model", tiny_model, status=2)
    assert "is no place; write ROW,COL" in last_line(result)


def test_a_place_outside_the_photograph_is_one_line(run, old, tiny_model):
    result = run("explain", old, "--at", "120,0", "--model", tiny_model, status=1)
    assert result.stderr == (
        f"Error: {old}: place 120,0 lies outside the photograph: rows are 0 to 119, columns 0 to 159\n"
    )


def test_files_are_not_lost(run, old, tiny_model, workplace):
    (workplace / "why.json").write_text("mine")
    assert "exists already" in run("explain", old, "--json", "why.json", "--model", tiny_model, status=1).stderr
    for name in (old, "h.json"):
        result = run("explain", old, "--hints", "h.json", "--json", name, "--model", tiny_model, "--force", status=2)
        assert f"{name} is read by this command" in result.stderr
    assert (workplace / "why.json").read_text() == "mine"


def test_a_page_is_not_written_under_the_name_of_a_picture(run, old, tiny_model, workplace):
    result = run("explain", old, "--model", tiny_model, "-o", "why.png", status=2)
    assert last_line(result) == "Error: why.png: a page is HTML, so that its name must end in .html"
    assert not (workplace / "why.png").exists()


@pytest.mark.slow
def test_train_keeps_thumbnails_when_asked(run, workplace, photos):
    (workplace / "secret album").mkdir()
    for i, photo in enumerate(photos[:4]):
        Image.fromarray(photo.pixels).save(workplace / "secret album" / f"aunt{i}.png")
    small = ("--palette-size", 4, "--superpixels", 30, "--quiet")
    run("train", "secret album", "-o", "m.safetensors", "--thumbnails", 100, *small)
    assert Colorizer.load("m.safetensors").thumbnails_.names == ("aunt0.png", "aunt1.png", "aunt2.png", "aunt3.png")
    assert b"secret" not in (workplace / "m.safetensors").read_bytes()
    run("train", "secret album", "-o", "plain.safetensors", *small)
    assert b"aunt" not in (workplace / "plain.safetensors").read_bytes()
    result = run("train", "secret album", "-o", "none.safetensors", "--thumbnails", 1, *small, status=0)
    assert len(Colorizer.load("none.safetensors").thumbnails_.row) == 1
    assert result.stderr.startswith("Warning: secret album: 4 photographs are few")
    assert result.stderr.count("\n") == 1


def test_only_confident_leaves_the_rest_gray(run, old, tiny_model):
    run("photo", old, "-o", "all.png", "--model", tiny_model)
    run("photo", old, "-o", "sure.png", "--model", tiny_model, "--only-confident", "0.8")
    run("photo", old, "-o", "none.png", "--model", tiny_model, "--only-confident", "1")
    chroma = [np.hypot(*np.moveaxis(rgb_to_lab(pixels(name))[..., 1:], -1, 0)) for name in ("all.png", "sure.png")]
    assert 0 < np.mean(chroma[1] > 1) < np.mean(chroma[0] > 1)
    lightness = [rgb_to_lab(pixels(name))[..., 0] for name in (old, "sure.png")]
    assert np.abs(lightness[0] - lightness[1]).max() < 0.6  # two roundings to 8 bits


def test_confidence_map(run, old, tiny_model, workplace):
    run("photo", old, "--model", tiny_model, "--confidence-map", "map.png")
    assert pixels("map.png").shape[1] == 480
    assert (workplace / "old.colorized.png").exists()
    again = run("photo", old, "-o", "b.png", "--model", tiny_model, "--confidence-map", "map.png", status=1)
    assert "map.png: exists already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("old.png", "other.png", "--confidence-map", "map.png"), 2, "draws one photograph"),
        (("old.png", "--confidence-map", "old.png"), 2, "old.png is read by this command"),
        (
            ("old.png", "-o", "new.png", "--confidence-map", "new.png"),
            2,
            "more than one result would be written to new.png",
        ),
        (("old.png", "--confidence-map", "map.xyz"), 1, "map.xyz"),
        (("old.png", "--confidence-map", "nowhere/map.png"), 2, "there is no folder nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_work(run, old, workplace, arguments, status, message):
    result = run("photo", *arguments, status=status)
    assert message in last_line(result)
    assert [path.name for path in workplace.iterdir()] == ["old.png"]
