"""Model files of the Colorizer: all of it comes back, and parts that do not fit together are refused by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colorize.color import to_gray
from colorize.colorizer import Colorizer
from colorize.exceptions import ModelFileError
from colorize.models.file import load_model, save_model
from colorize.recognition.decision import GAIN

Header = dict[str, Any]
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def loaded(tiny_model) -> Colorizer:
    return Colorizer.load(tiny_model)


@pytest.fixture
def parts(tiny_model) -> tuple[Header, Arrays]:
    """Header and arrays of a sound model, to be damaged."""
    return load_model(tiny_model)


def refusal(folder: Path, header: Header, arrays: Arrays) -> str:
    """What loading a file of these parts says; one line that names the file."""
    path = folder / "damaged.safetensors"
    save_model(path, header, arrays, overwrite=True)
    with pytest.raises(ModelFileError) as caught:
        Colorizer.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: parts of the model do not fit together (")
    assert "\n" not in message
    return message


# Sound files


@pytest.mark.parametrize("vividness", [0, 1])
def test_a_loaded_model_predicts_the_same(tiny_colorizer, loaded, photos, vividness):
    before, after = (model.predict(photos[1], vividness=vividness) for model in (tiny_colorizer, loaded))
    np.testing.assert_array_equal(after.rgb, before.rgb)
    np.testing.assert_array_equal(after.probabilities, before.probabilities)
    np.testing.assert_array_equal(after.confidence, before.confidence)


def test_a_loaded_model_is_saved_as_the_same_bytes(loaded, tiny_model, tmp_path):
    loaded.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == tiny_model.read_bytes()


def test_a_loaded_model_knows_all_that_the_trained_one_knew(tiny_colorizer, loaded):
    assert loaded.get_params() == tiny_colorizer.get_params()
    assert loaded.summary_ == tiny_colorizer.summary_
    assert dict(loaded.scaler_.families) == dict(tiny_colorizer.scaler_.families)
    for name, array in tiny_colorizer.sample_.items():
        np.testing.assert_array_equal(loaded.sample_[name], array)
        assert loaded.sample_[name].dtype == array.dtype


def test_the_baselines_come_along(tiny_colorizer, loaded, photos):
    gray = to_gray(photos[0])
    assert list(loaded.baselines_) == list(tiny_colorizer.baselines_)
    for name, rule in tiny_colorizer.baselines_.items():
        np.testing.assert_array_equal(loaded.baselines_[name](gray), rule(gray))


@pytest.mark.slow
def test_a_loaded_model_can_be_trained_again(loaded, photos, tmp_path):
    again = Colorizer(**loaded.get_params()).fit(photos)
    again.save(tmp_path / "again.safetensors")
    loaded.save(tmp_path / "loaded.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "loaded.safetensors").read_bytes()


def test_a_model_may_keep_no_training_rows(photos, tmp_path):
    Colorizer(n_colors=4, n_superpixels=30, n_sample_rows=0).fit(photos[:3]).save(tmp_path / "lean.safetensors")
    assert [len(array) for array in Colorizer.load(tmp_path / "lean.safetensors").sample_.values()] == [0, 0, 0]


# Damaged arrays


def test_no_array_may_be_missing(parts, tmp_path):
    header, arrays = parts
    for name in arrays:
        others = {other: array for other, array in arrays.items() if other != name}
        assert f"arrays missing or unknown: {name}" in refusal(tmp_path, header, others)


def test_no_array_may_be_added(parts, tmp_path):
    header, arrays = parts
    message = refusal(tmp_path, header, {**arrays, "palette.names": np.zeros(3)})
    assert "arrays missing or unknown: palette.names" in message


DAMAGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "another dtype": lambda array: array.astype(np.int64 if array.dtype != np.int32 else np.float32),
    "a dimension more": lambda array: array[None],
    "a row less": lambda array: array[:-1],
    "a column less": lambda array: array[..., :-1],
    "empty": lambda array: array[:0],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_array_may_have_another_type_or_shape(parts, tmp_path, damage):
    header, arrays = parts
    for name, array in arrays.items():
        refusal(tmp_path, header, {**arrays, name: DAMAGES[damage](array)})


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 8], "beyond the palette"),
        ([-1, 1, 2, 3, 4, 5, 6, 7], "negative"),
        ([0, 1, 2, 3, 5, 4, 6, 7], "not ascending"),
        ([0, 1, 2, 3, 3, 5, 6, 7], "twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_classes_must_be_palette_indices(parts, tmp_path, classes, reason):
    header, arrays = parts
    message = refusal(tmp_path, header, {**arrays, "calibration.classes": np.array(classes, np.int32)})
    assert "classes must be at least two ascending palette indices" in message


def test_a_single_class_is_no_model(parts, tmp_path):
    header, arrays = parts
    for name in ("svm.intercept", "calibration.classes", "calibration.mean", "calibration.deviation"):
        arrays[name] = arrays[name][:1]
    for name in ("svm.coef", "nets.weights.2", "nets.biases.2"):
        arrays[name] = arrays[name][..., :1]
    arrays["calibration.weights"] = arrays["calibration.weights"][:2, :1]
    assert "classes must be at least two ascending palette indices" in refusal(tmp_path, header, arrays)


def test_deviations_must_be_positive(parts, tmp_path):
    header, arrays = parts
    arrays["calibration.deviation"] = np.zeros_like(arrays["calibration.deviation"])
    assert "calibration.deviation must be positive" in refusal(tmp_path, header, arrays)


# Damaged headers


@pytest.mark.parametrize("entry", ["parameters", "families", "svm", "summary"])
@pytest.mark.parametrize("value", [None, 5, "text", ["gabor"]], ids=str)
def test_every_entry_of_the_header_must_hold_names(parts, tmp_path, entry, value):
    header, arrays = parts
    assert f"{entry} must hold " in refusal(tmp_path, {**header, entry: value}, arrays)


@pytest.mark.parametrize("entry", ["parameters", "families", "svm", "summary"])
def test_no_entry_of_the_header_may_be_missing(parts, tmp_path, entry):
    header, arrays = parts
    del header[entry]
    assert f"header entries missing or unknown: {entry}" in refusal(tmp_path, header, arrays)


def test_no_entry_may_be_added_to_the_header(parts, tmp_path):
    header, arrays = parts
    assert "header entries missing or unknown: code" in refusal(tmp_path, {**header, "code": "import os"}, arrays)


@pytest.mark.parametrize(
    ("entry", "name", "value", "message"),
    [
        ("parameters", "n_colors", 9, "n_colors is 9, but the palette has 8"),
        ("parameters", "n_colors", 8.0, "n_colors must be an integer"),
        ("parameters", "n_superpixels", 0, "n_superpixels must be an integer in 4..2000, got 0"),
        ("parameters", "n_superpixels", 10**9, "n_superpixels must be an integer in 4..2000"),
        ("parameters", "n_superpixels", "60", "n_superpixels must be an integer in 4..2000, got '60'"),
        ("parameters", "random_state", "seed", "random_state must be an integer"),
        ("parameters", "families", 5, "int"),
        ("parameters", "families", ["gabor"], "families must be gabor, got columns of"),
        ("parameters", "families", ["sift"], "families must be some of"),
        ("parameters", "classifier", "svc", "parameters must hold n_colors"),
        ("families", "gabor", 41, "columns together"),
        ("families", "gabor", 0, "family gabor must have a positive number of columns, got 0"),
        ("families", "gabor", 40.0, "family gabor must have a positive number of columns, got 40.0"),
        ("families", "sift", 128, "families must be intensity, position"),
        ("svm", "gamma", "wide", "gamma must be a number between 0 and 1e6, got 'wide'"),
        ("svm", "gamma", -0.05, "gamma must be a number between 0 and 1e6, got -0.05"),
        ("svm", "alpha", 1e300, "alpha must be a number between 0 and 1e6"),
        ("svm", "max_iter", 3, "svm must hold gamma, alpha"),
    ],
)
def test_wrong_values_in_the_header_are_named(parts, tmp_path, entry, name, value, message):
    header, arrays = parts
    header[entry] = {**header[entry], name: value}
    assert message in refusal(tmp_path, header, arrays)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("encoder_share", [-0.1, 1, "much", None], "encoder_share must be from 0 to below 1"),
        ("gain", [0.9, 3.1, "much", None], "gain must be from 1 to 3"),
    ],
)
def test_what_training_chose_is_within_what_it_can_mean(parts, tmp_path, name, values, message):
    header, arrays = parts
    for value in values:
        assert message in refusal(tmp_path, {**header, name: value}, arrays)


def test_files_from_before_the_encoder_had_a_share_are_as_they_were(parts, tmp_path, photos):
    header, arrays = parts
    before = {name: value for name, value in header.items() if name != "encoder_share"}
    for name, entries in (("old", before), ("share", before | {"encoder_share": 1 / 3})):
        save_model(tmp_path / f"{name}.safetensors", entries, arrays)
    old, heard = (Colorizer.load(tmp_path / f"{name}.safetensors") for name in ("old", "share"))
    assert (old.encoder_share_, heard.encoder_share_) == (0, 1 / 3)
    old.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "old.safetensors").read_bytes()
    assert not np.array_equal(old.predict(photos[1]).probabilities, heard.predict(photos[1]).probabilities)


def test_files_from_before_models_had_a_gain_have_the_usual_one(parts, tmp_path, photos):
    header, arrays = parts
    before = {name: value for name, value in header.items() if name != "gain"}
    for name, entries in (("old", before), ("pale", before | {"gain": 1.1})):
        save_model(tmp_path / f"{name}.safetensors", entries, arrays)
    old, pale = (Colorizer.load(tmp_path / f"{name}.safetensors") for name in ("old", "pale"))
    assert (old.gain_, pale.gain_) == (GAIN, 1.1)
    old.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "old.safetensors").read_bytes()
    strong, weak = (np.abs(model.predict(photos[1]).region_ab).mean() for model in (old, pale))
    assert weak < 0.9 * strong


def test_families_may_come_in_any_order(parts, tmp_path, tiny_colorizer):
    header, arrays = parts
    header["parameters"]["families"].reverse()
    save_model(tmp_path / "reversed.safetensors", header, arrays)
    reordered = Colorizer.load(tmp_path / "reversed.safetensors")
    assert dict(reordered.scaler_.families) == dict(tiny_colorizer.scaler_.families)
