"""Corrections that become part of a model: it moves where it was told to, and stays where it was not."""

from pathlib import Path

import numpy as np
import pytest

from colorize.color import lab_to_rgb, to_gray
from colorize.colorizer import Colorizer
from colorize.exceptions import ColorizeError
from colorize.features.superpixels import from_labels
from colorize.guidance.hints import Hints, Mark
from colorize.io import write_photo
from colorize.models.format import digest
from colorize.training.corrections import hinted_regions, learn_corrections
from colorize.types import RgbImage

RED = np.array([45, 30], np.float32)


@pytest.fixture(scope="module")
def described(tiny_colorizer, photos):
    return tiny_colorizer.model.describe(photos[2])


@pytest.fixture(scope="module")
def told(tiny_colorizer, described):
    """A model that was told, more than once and loudly, that six regions are red."""
    return learn_corrections(tiny_colorizer, described.features.values[:6], np.tile(RED, (6, 1)), strength=1.0)


def chance_of_red(model: Colorizer, features: np.ndarray) -> np.ndarray:
    near = np.linalg.norm(model.palette_.colors_ - RED, axis=1) < 30
    assert near.any()
    return model.model.region_probabilities(features)[:, near].sum(axis=1)


# Regions


def test_hints_at_full_size_fall_to_the_regions_at_working_size():
    regions = from_labels(np.array([[0, 1], [2, 3]]))
    is_known = np.zeros((8, 8), bool)
    is_known[:4, :4] = True  # all of region 0
    is_known[7, 4:] = True  # a quarter of region 3
    ab = np.zeros((8, 8, 2), np.float32)
    ab[:4, :4, 0] = np.arange(4) * 10
    ab[7] = -7
    region, wanted, weight = hinted_regions(regions, is_known, ab)
    assert region.tolist() == [0, 3]
    np.testing.assert_allclose(wanted, [[15, 0], [-7, -7]], atol=1e-5)
    np.testing.assert_allclose(weight, [1, 0.25])


def test_no_hints_no_regions():
    region, wanted, weight = hinted_regions(from_labels(np.array([[0, 1]])), np.zeros((2, 2), bool), np.ones((2, 2, 2)))
    assert (len(region), wanted.shape, len(weight)) == (0, (0, 2), 0)


# Learning


def test_the_wanted_color_becomes_likelier_in_the_corrected_regions_and_in_their_like(tiny_colorizer, described, told):
    features = described.features.values
    assert told.n_regions == 6
    assert told.after > told.before + 0.05
    before, after = (chance_of_red(model, features) for model in (tiny_colorizer, told.colorizer))
    assert after[:6].mean() > before[:6].mean() + 0.1
    assert np.all(after[6:12] > before[6:12] - 1e-3)  # their neighbours look alike


def test_other_photographs_change_less(tiny_colorizer, photos, described, told):
    def change(features):
        old, new = (model.model.region_probabilities(features) for model in (tiny_colorizer, told.colorizer))
        return np.abs(new - old).sum(axis=1).mean()

    elsewhere = np.mean([change(tiny_colorizer.model.describe(photo).features.values) for photo in photos[6:10]])
    assert elsewhere < 0.7 * change(described.features.values[:6])


def test_a_gentle_correction_changes_less_than_a_loud_one(tiny_colorizer, described, told):
    features, wanted = described.features.values[:6], np.tile(RED, (6, 1))
    gentle = learn_corrections(tiny_colorizer, features, wanted, strength=0.01)
    assert gentle.before == pytest.approx(told.before)
    assert gentle.before < gentle.after < told.after


def test_being_told_what_it_thinks_already_changes_nothing(tiny_colorizer, described):
    machine = tiny_colorizer.classifier_
    rows = tiny_colorizer.scaler_.transform(described.features.values)
    same = machine.moved(rows, machine.predict_proba(rows), alpha=0)
    np.testing.assert_allclose(same.weights_, machine.weights_, atol=1e-3)


@pytest.mark.parametrize(("shape", "alpha"), [((3, 7), 0.1), ((2, 8), 0.1), ((3, 8), -1)])
def test_a_map_that_cannot_be_moved(tiny_colorizer, described, shape, alpha):
    rows = tiny_colorizer.scaler_.transform(described.features.values[:3])
    with pytest.raises(ValueError, match=r"alpha must be at least 0|targets must have shape \(3, 8\)"):
        tiny_colorizer.classifier_.moved(rows, np.zeros(shape), alpha=alpha)


def test_weights_say_which_regions_count(tiny_colorizer, described):
    features = described.features.values[:2]
    opposite = np.array([RED, -RED])
    for loud in (0, 1):
        weight = np.where(np.arange(2) == loud, 1, 1e-6)
        learnt = learn_corrections(tiny_colorizer, features, opposite, weight, strength=1.0)
        alone = learn_corrections(tiny_colorizer, features[[loud]], opposite[[loud]], strength=1.0)
        np.testing.assert_allclose(
            learnt.colorizer.classifier_.weights_, alone.colorizer.classifier_.weights_, atol=0.05
        )


def test_the_old_model_stays_and_the_new_one_has_the_rows(tiny_colorizer, told):
    new, old = told.colorizer, tiny_colorizer
    assert new.classifier_.estimator_ is old.classifier_.estimator_
    assert not np.array_equal(new.classifier_.weights_, old.classifier_.weights_)
    assert len(new.sample_["ab"]) == len(old.sample_["ab"]) + 6
    assert set(new.sample_["photo"][-6:]) == {12}
    assert new.summary_["corrected"] == digest(old.trained)
    assert new.summary_["n_corrected_photos"] == 1
    again = learn_corrections(new, np.zeros((1, new.scaler_.n_features_in_), np.float32), [[0, 0]]).colorizer
    assert again.summary_["n_corrected_photos"] == 2
    assert again.summary_["n_corrected_regions"] == 7


def test_learning_twice_gives_the_same_file_and_it_comes_back(tiny_colorizer, described, told, photos, tmp_path):
    again = learn_corrections(tiny_colorizer, described.features.values[:6], np.tile(RED, (6, 1)), strength=1.0)
    for name, model in (("one", told.colorizer), ("other", again.colorizer)):
        model.save(tmp_path / f"{name}.safetensors")
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "other.safetensors").read_bytes()
    loaded = Colorizer.load(tmp_path / "one.safetensors")
    np.testing.assert_array_equal(loaded.predict(photos[2]).rgb, told.colorizer.predict(photos[2]).rgb)


def test_a_wish_beyond_the_palette_is_counted(tiny_colorizer, described):
    assert told_far(tiny_colorizer, described, [[0, -120]]) == 1
    assert told_far(tiny_colorizer, described, [[0, 0]]) == 0


def told_far(model, described, wanted):
    return learn_corrections(model, described.features.values[:1], wanted).n_beyond_palette


@pytest.mark.slow
def test_a_model_without_rows_cannot_hold_on(photos, described):
    bare = Colorizer(n_colors=6, n_superpixels=60, n_sample_rows=0).fit(photos[:4])
    with pytest.raises(ColorizeError, match="carries no training rows to hold on to; train it with n_sample_rows"):
        learn_corrections(bare, described.features.values[:1], [[0, 0]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.zeros((0, 650))}, r"features must have shape \(n, n_features\) with n at least 1"),
        ({"ab": [[1, 2]]}, r"ab must have shape \(2, 2\), got \(1, 2\)"),
        ({"weight": [0, 0]}, r"weight must be \(2,\), finite, not negative and not all 0"),
        ({"weight": [1, float("inf")]}, r"weight must be \(2,\), finite, not negative and not all 0"),
        ({"ab": [[1, 2], [float("nan"), 0]]}, "ab must be finite"),
        ({"strength": 0}, "strength must be positive and finite, got 0"),
        ({"strength": float("inf")}, "strength must be positive and finite, got inf"),
    ],
)
def test_corrections_that_do_not_fit(tiny_colorizer, described, change, message):
    arguments = {"features": described.features.values[:2], "ab": np.zeros((2, 2))} | change
    with pytest.raises(ValueError, match=message):
        learn_corrections(tiny_colorizer, **arguments)


# The command line


@pytest.fixture
def album(workplace, photos):
    """A photograph, and a layer with a red patch for it."""
    write_photo(photos[2], workplace / "old.png")
    gray = to_gray(photos[2])
    red = lab_to_rgb(np.full(gray.shape, 50, np.float32), np.broadcast_to(RED, (*gray.shape, 2)))
    alpha = np.zeros(gray.shape, np.uint8)
    alpha[:40, :60] = 255
    write_photo(RgbImage(red, alpha), workplace / "hints.png")
    return workplace


def test_learn(run, tiny_model, album, photos):
    out = run("learn", tiny_model, "old.png", "--hints", "hints.png", "-o", "new.safetensors").stdout
    assert "the model gave their colours a probability of" in out
    new, old = Colorizer.load("new.safetensors"), Colorizer.load(tiny_model)
    assert new.predict(photos[2]).ab[:40, :60, 0].mean() > old.predict(photos[2]).ab[:40, :60, 0].mean() + 1
    assert (
        "exists already"
        in run("learn", tiny_model, "old.png", "--hints", "hints.png", "-o", "new.safetensors", status=1).output
    )


def test_learning_tells_of_hints_as_colouring_does(run, tiny_model, album):
    marks = (Mark("point", [[25, 50]], (200, 60, 60), 9), Mark("point", [[900, 5]], (200, 60, 60)))
    Path("hints.json").write_text(Hints((120, 160), marks).to_json())
    result = run("learn", tiny_model, "old.png", "--hints", "hints.json", "-o", "new.safetensors")
    assert result.stderr.startswith("Note: old.png: hint 2: (900, 5) lies outside the photo")
    assert "hint 2" not in result.stdout


def test_a_smaller_layer_is_enlarged(run, tiny_model, album):
    opacity = np.full((30, 40), 255, np.uint8)
    opacity[0, 0] = 0
    write_photo(RgbImage(np.full((30, 40, 3), (200, 60, 60), np.uint8), opacity), "small.png")
    assert "Learnt 6" in run("learn", tiny_model, "old.png", "--hints", "small.png", "-o", "new.safetensors").stdout


@pytest.mark.parametrize(
    ("shape", "alpha", "message"),
    [
        ((120, 160), None, "hints.png: has no transparency, so that it cannot be told what is a hint"),
        ((120, 160), 0, "hints.png: the hint layer is transparent everywhere"),
        ((160, 120), 255, "hints.png: the hints are for a photo of 160 x 120 pixels"),
    ],
)
def test_layers_that_say_nothing(run, tiny_model, album, shape, alpha, message):
    pixels = np.full((*shape, 3), 90, np.uint8)
    opacity = None if alpha is None else np.full(shape, alpha, np.uint8)
    write_photo(RgbImage(pixels, opacity), "hints.png", overwrite=True)
    refusal = run("learn", tiny_model, "old.png", "--hints", "hints.png", "-o", "new.safetensors", status=1)
    assert message in refusal.output
    assert len(refusal.output.strip().splitlines()) == 1


def test_the_new_file_is_a_model_file(run, tiny_model, album):
    refusal = run("learn", tiny_model, "old.png", "--hints", "hints.png", "-o", "new.png", status=2)
    assert "must end in .safetensors" in refusal.output
