"""Feature importance: known answers, the control, equal numbers, and what it refuses."""

import csv
import io
import json

import numpy as np
import pytest

from colorize.color import lab_to_rgb
from colorize.colorizer import Colorizer
from colorize.evaluation.importance import NOISE, detail_groups, importance
from colorize.exceptions import DatasetError, ModelFileError
from colorize.features import CLASSICAL
from colorize.types import RgbImage

pytestmark = pytest.mark.slow

SHAPE = (96, 128)
CELL = 32
RED, BLUE = (40.0, 20.0), (0.0, -40.0)


def photo_of_height(seed: int) -> RgbImage:
    """Blue above, red below, whatever the lightness: smooth noise."""
    rng = np.random.default_rng(seed)
    noise = np.kron(rng.normal(size=(12, 16)), np.ones((8, 8)))
    lightness = np.float32(50 + 8 * noise + rng.normal(size=SHAPE))
    is_blue = np.arange(SHAPE[0])[:, None] < SHAPE[0] // 2
    return paint(lightness, np.broadcast_to(is_blue, SHAPE))


def photo_of_texture(seed: int) -> RgbImage:
    """Cells of upright or lying stripes at random: upright is blue. Lightness and place say nothing."""
    rng = np.random.default_rng(seed)
    is_blue = np.kron(rng.random((SHAPE[0] // CELL, SHAPE[1] // CELL)) < 0.5, np.ones((CELL, CELL))) > 0
    rows, columns = np.indices(SHAPE)
    stripes = np.where(is_blue, np.sin(columns * np.pi / 4), np.sin(rows * np.pi / 4))
    return paint(np.float32(50 + 15 * stripes + rng.normal(size=SHAPE)), is_blue)


def paint(lightness, is_blue) -> RgbImage:
    ab = np.where(is_blue[..., None], BLUE, RED) + np.random.default_rng(0).normal(0, 2, (*SHAPE, 2))
    return RgbImage(lab_to_rgb(np.clip(lightness, 5, 95), ab.astype(np.float32)))


def study(make, *, families=None, **options):
    photos = [make(seed) for seed in range(16)]
    parameters = {} if families is None else {"families": families}
    model = Colorizer(n_colors=3, n_superpixels=80, random_state=0, **parameters).fit(photos[:10])
    options = {"n_repeats": 2, "n_detail_repeats": 0, "refits": False} | options
    return importance(model, photos[10:], **options)


@pytest.fixture(scope="module")
def height():
    return study(photo_of_height, refits=True, families=("intensity", "position", "gabor", "lbp"))


@pytest.fixture(scope="module")
def texture():
    return study(photo_of_texture, n_detail_repeats=1, families=CLASSICAL)  # the encoder sees stripes too


def test_height_is_found_first(height):
    for score in ("region_ab_error", "log_loss", "final_ab_error"):
        assert height.ranking("across", score)[0] == "position"
    assert height.ranking("within")[0] == "position"
    found = height.select("permutation", "across", "region_ab_error")
    assert found["position", ""].excludes(0)
    assert found["position", ""].value > 5 * found["lbp", ""].value


def test_texture_is_found_first_and_so_is_its_part(texture):
    assert texture.ranking("across")[0] == "gabor"
    assert texture.ranking("within")[0] == "gabor"
    parts = texture.select("detail", "across", "log_loss")
    scales = {part: value.value for (family, part), value in parts.items() if family == "gabor" and part.endswith("px")}
    assert max(scales, key=scales.get) in ("4 px", "8 px")  # stripes of 8 pixels and their edges


def test_refits_agree_that_only_height_matters(height):
    alone = height.select("only", "refit", "region_ab_error")
    assert max(alone, key=lambda key: alone[key].value) == ("position", "")
    without = height.select("drop", "refit", "region_ab_error")
    assert max(without, key=lambda key: without[key].value) == ("position", "")
    assert without["position", ""].excludes(0)


def test_noise_is_worth_nothing(height, texture):
    for result in (height, texture):
        for score in ("region_ab_error", "log_loss"):
            control = result.select("permutation", "across", score)[NOISE, ""]
            best = result.select("permutation", "across", score)[result.ranking("across", score)[0], ""]
            assert abs(control.value) < 0.05 * best.value


def test_colours_are_told_apart(height):
    cells = height.select("colour", "across", "region_ab_error")
    colors = {part for _, part in cells}
    assert {"sky blue", "salmon"} <= colors
    for color in colors - {"gray"}:
        assert max((f for f, part in cells if part == color), key=lambda f: cells[f, color].value) == "position"


def test_equal_seeds_give_equal_numbers_and_the_files_say_the_same(height):
    again = study(photo_of_height, refits=True, families=("intensity", "position", "gabor", "lbp"))
    assert again.to_csv() == height.to_csv()
    assert again.to_json() == height.to_json()
    rows = list(csv.DictReader(io.StringIO(height.to_csv())))
    assert len(rows) == len(height.table) == len(json.loads(height.to_json())["table"])
    columns = height.tidy()
    assert set(columns) == set(rows[0])
    assert {len(column) for column in columns.values()} == {len(rows)}
    assert float(rows[0]["value"]) == pytest.approx(columns["value"][0], rel=1e-5)


def test_every_repeat_counts_in_every_score():
    model = Colorizer(n_colors=3, n_superpixels=40, families=("intensity", "position"), classifier="kernel")
    model.fit([photo_of_height(seed) for seed in range(6)])
    photos = [photo_of_height(seed) for seed in range(10, 14)]
    # A repeat has the orders of the seed with its number added.
    both, first, second = (
        importance(model, photos, n_repeats=n, n_detail_repeats=0, refits=False, random_state=seed)
        for n, seed in ((2, 0), (1, 0), (1, 1))
    )
    for score in ("region_ab_error", "final_ab_error"):
        values = [found.select("permutation", "across", score)["position", ""].value for found in (both, first, second)]
        assert values[0] == pytest.approx((values[1] + values[2]) / 2, rel=1e-5)
        assert values[1] != values[2]


def test_families_that_know_the_same_are_reported(height):
    share = height.redundancy
    assert np.allclose(np.diag(share), 1)
    assert ((share >= 0) & (share <= 1)).all()
    position = height.families.index("position")
    assert share[position, height.families.index("lbp")] < 0.2  # noise everywhere alike


def test_teachers_of_the_refits_can_be_others():
    others = [photo_of_height(seed) for seed in range(30, 36)]
    result = study(photo_of_height, training_photos=others, families=("position", "lbp"), refits=True, n_repeats=1)
    assert result.settings["refits_learn_from"] == "6 photographs"
    assert result.select("only", "refit", "region_ab_error")["position", ""].value > 5


def test_twins_learn_from_as_many_regions_as_the_model_did(monkeypatch):
    photos, counts, learn = [photo_of_height(seed) for seed in range(8)], [], Colorizer.learn
    model = Colorizer(n_colors=3, n_superpixels=80, rows_per_photo=20, families=("intensity", "position"))
    model.fit(photos[:4])

    def spy(self, rows, **options):
        counts.append(np.bincount(rows.photo, minlength=4).tolist())
        return learn(self, rows, **options)

    monkeypatch.setattr(Colorizer, "learn", spy)
    importance(model, photos[4:], n_repeats=1, n_detail_repeats=0, refits=False)
    assert np.sum(counts[:2], axis=0).tolist() == [20] * 4  # one half each


def test_parts_of_families():
    names = ["ring 1, mean", "ring 1, histogram 0", "ring 2, mean", "ring 2, histogram 0"]
    groups = detail_groups(names)
    assert {name: columns.tolist() for name, columns in groups.items()} == {
        "ring 1": [0, 1],
        "mean": [0, 2],
        "histogram": [1, 3],
        "ring 2": [2, 3],
    }
    assert detail_groups(["alone"]) == {}


def test_arrays_are_studied_as_photographs(tiny_colorizer, photos):
    options = {"n_repeats": 1, "n_detail_repeats": 0, "refits": False}
    found = importance(tiny_colorizer, [photo.pixels for photo in photos[:4]], **options)
    assert found.to_csv() == importance(tiny_colorizer, photos[:4], **options).to_csv()


def test_what_is_refused(tiny_colorizer, photos):
    with pytest.raises(DatasetError, match="at least 4"):
        importance(tiny_colorizer, photos[:3])
    with pytest.raises(TypeError, match="photos must be a sequence of photographs, got one RgbImage"):
        importance(tiny_colorizer, photos[0])
    for n_repeats in (0, 2.5):
        with pytest.raises(ValueError, match=f"n_repeats must be at least 1, got {n_repeats}"):
            importance(tiny_colorizer, photos, n_repeats=n_repeats)
    with pytest.raises(TypeError, match="training_photos must be a sequence of photographs, got one RgbImage"):
        importance(tiny_colorizer, photos, training_photos=photos[0])
    with pytest.raises(ValueError, match="n_detail_repeats"):
        importance(tiny_colorizer, photos, n_detail_repeats=-1)
    for few in ([], photos[:1]):
        with pytest.raises(DatasetError, match="at least 2 training photographs"):
            importance(tiny_colorizer, photos, training_photos=few)


def test_a_model_of_other_features_is_refused(tiny_model, photos):
    model = Colorizer.load(tiny_model)
    model.scaler_.families_ = {**model.scaler_.families_, "lbp": slice(0, 7)}
    with pytest.raises(ModelFileError, match=r"lbp \(7 columns, here 20\)"):
        importance(model, photos[:4])
