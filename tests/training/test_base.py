"""Own photographs on top of a base: what is kept, what is chosen, and that the file says so."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from colorize.color import rgb_to_lab, to_gray
from colorize.colorizer import Colorizer
from colorize.exceptions import ColorizeError, DatasetError
from colorize.features import CLASSICAL
from colorize.features.encoder import expected_colors
from colorize.models.format import digest
from colorize.recognition.decision import GAIN
from colorize.training.base import choose, describe_choice
from colorize.training.classifier import CalibratedClassifier, KernelSVM
from colorize.training.fit import describe_photos
from colorize.training.quantization import ColorPalette
from colorize.training.rows import TrainingRows
from colorize.types import RgbImage

BIG = {"n_colors": 5, "n_superpixels": 60}


@pytest.fixture(scope="module")
def swapped(photos) -> list[RgbImage]:
    """A kind of photograph of its own: red and blue change places."""
    return [RgbImage(np.ascontiguousarray(photo.pixels[..., ::-1])) for photo in photos]


@pytest.fixture(scope="module")
def based(tiny_colorizer, swapped) -> Colorizer:
    return Colorizer(**BIG).fit(swapped, base=tiny_colorizer)


def described(model: Colorizer, photos: list[RgbImage]) -> TrainingRows:
    seen_by = model.n_superpixels, model.extractor_
    return describe_photos(photos, *seen_by, None, lambda *_: None, model.rows_per_photo, model.random_state)[0]


# The calibration


def separable(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)).astype(np.float32)
    return X, (X[:, 0] > 0) + 2 * (X[:, 1] > 0)


def test_a_new_calibration_tells_other_classes_apart():
    X, quadrant = separable(600, 0)
    machine = CalibratedClassifier(KernelSVM(60, gamma=0.3, random_state=0)).fit(X, quadrant)
    X, quadrant = separable(300, 1)
    renamed = np.array([7, 3, 3, 9])[quadrant]  # one class fewer, other names
    other = machine.recalibrated(X, renamed, alpha=1e-3)
    assert other.classes_.tolist() == [3, 7, 9]
    assert (other.predict(X) == renamed).mean() > 0.9
    assert other.estimator_ is machine.estimator_
    assert (machine.predict(X) == quadrant).mean() > 0.9  # the old one is as it was


def test_a_new_calibration_learns_new_frequencies():
    X, quadrant = separable(600, 0)
    machine = CalibratedClassifier(KernelSVM(60, gamma=0.3, random_state=0)).fit(X, quadrant)
    coin = np.random.default_rng(2).uniform(size=600) < 0.2  # nothing that the features could tell
    np.testing.assert_allclose(machine.recalibrated(X, coin, alpha=1.0).predict_proba(X)[:, 1], 0.2, atol=0.05)


@pytest.mark.parametrize(
    ("y", "alpha", "message"),
    [([1, 1], 0.1, "at least two classes, got one class: 1"), ([0, 1], -1, "alpha must be at least 0, got -1")],
)
def test_what_no_calibration_can_be_fitted_to(y, alpha, message):
    X, quadrant = separable(100, 0)
    machine = CalibratedClassifier(KernelSVM(20, random_state=0)).fit(X, quadrant)
    with pytest.raises(ValueError, match=message):
        machine.recalibrated(X[:2], y, alpha=alpha)


# The choice


@pytest.mark.slow
@pytest.mark.parametrize(("own", "recalibrated", "base", "kept"), [(9.0, 8.5, 10.0, True), (8.0, 8.5, 7.0, False)])
def test_the_best_of_the_photographs_held_out_is_chosen(
    photos, tiny_colorizer, monkeypatch, own, recalibrated, base, kept
):
    monkeypatch.setattr("colorize.training.base._SHARES", (0.0,))
    found = iter((own, recalibrated, base))
    monkeypatch.setattr("colorize.training.base.region_error", lambda *_: next(found))
    machine = CalibratedClassifier(KernelSVM(random_state=0))
    rows = described(tiny_colorizer, photos)
    choice = choose(rows, tiny_colorizer.palette_, tiny_colorizer.recognizer, machine, 0)
    assert choice.keeps_base is kept
    assert choice.errors == {"own": own, "recalibrated": recalibrated, "base": base}


@pytest.mark.slow
def test_a_base_that_knows_the_photographs_is_kept(photos, tiny_colorizer):
    """Twelve photographs of a kind that the base knows by heart, and too few of them to learn from."""
    palette = tiny_colorizer.palette_
    machine = CalibratedClassifier(KernelSVM(random_state=0))
    choice = choose(described(tiny_colorizer, photos), palette, tiny_colorizer.recognizer, machine, 0)
    assert choice.n_photos == 2
    assert choice.keeps_base
    assert choice.errors["recalibrated"] < choice.errors["own"]


@pytest.mark.slow
def test_a_base_that_knows_nothing_is_left(photos):
    # without the encoder, whose many columns ten photographs are too few for
    tiny_colorizer = Colorizer(n_colors=8, n_superpixels=60, families=CLASSICAL, random_state=0).fit(photos)
    rows = described(tiny_colorizer, photos)
    noise = np.random.default_rng(0)
    useless = clone(tiny_colorizer).learn(replace(rows, features=noise.normal(size=rows.features.shape)))
    machine = CalibratedClassifier(KernelSVM(random_state=0))
    assert choose(rows, tiny_colorizer.palette_, useless.recognizer, machine, 0).keeps_base is False
    model = Colorizer(**BIG).learn(rows, base=useless)
    assert model.summary_["machine"] == "own"
    assert "Chosen: own photographs alone" in describe_choice(model.summary_)
    alone = Colorizer(**BIG).learn(rows)
    np.testing.assert_array_equal(
        model.recognizer.region_probabilities(rows.features), alone.recognizer.region_probabilities(rows.features)
    )


def test_few_photographs_calibrate_the_base_without_a_contest(swapped, tiny_colorizer):
    model = Colorizer(**BIG).fit(swapped[:2], base=tiny_colorizer)
    assert model.summary_["machine"] == "base"
    assert model.summary_["held_out_photos"] == 0
    assert "fewer than 5 photographs" in describe_choice(model.summary_)


def believing(rows: TrainingRows, ab: np.ndarray) -> TrainingRows:
    """The rows, of which the encoder believes these colours."""
    nearest = ((ab[:, None] - expected_colors()) ** 2).sum(axis=-1).argmin(axis=1)
    features = rows.features.copy()
    start = rows.families["semantic"].start
    features[:, start : start + len(expected_colors())] = np.log(np.eye(len(expected_colors()))[nearest] + 1e-3)
    return replace(rows, features=features)


@pytest.mark.slow
def test_the_encoder_counts_as_much_as_serves_photographs_held_out(photos, tiny_colorizer):
    rows = described(tiny_colorizer, photos)
    machine = CalibratedClassifier(KernelSVM(random_state=0))
    useless = replace(rows, features=np.random.default_rng(0).normal(size=rows.features.shape).astype(np.float32))
    for truth, share in ((rows.ab, 1 / 3), (-rows.ab, 0)):
        choice = choose(believing(useless, truth), tiny_colorizer.palette_, None, machine, 0)
        assert choice.encoder_share == share
        assert list(choice.errors) == ["own"]
    classical = replace(rows, families={"all": slice(0, rows.features.shape[1])})
    assert choose(classical, tiny_colorizer.palette_, None, machine, 0).encoder_share == 0


@pytest.mark.slow
def test_a_model_that_is_pale_on_photographs_held_out_gets_the_stronger_dial(photos, tiny_colorizer):
    rows = described(tiny_colorizer, photos)
    machine = CalibratedClassifier(KernelSVM(random_state=0))
    silent = {"all": slice(0, rows.features.shape[1])}
    noise = np.random.default_rng(0).normal(size=rows.features.shape).astype(np.float32)
    told = np.repeat(rows.ab, 8, axis=1)[:, : rows.features.shape[1]].astype(np.float32)
    unsure, sure = (
        choose(replace(rows, features=features, families=silent), tiny_colorizer.palette_, None, machine, 0)
        for features in (noise, np.pad(told, ((0, 0), (0, rows.features.shape[1] - told.shape[1]))))
    )
    assert 1 < sure.gain < unsure.gain < 2
    model = Colorizer(**BIG).learn(replace(rows, features=noise, families=silent))
    assert model.gain_ == model.recognizer.gain > GAIN


@pytest.mark.slow
def test_of_few_photographs_the_encoder_knows_more(photos, tiny_colorizer):
    rows = described(tiny_colorizer, photos[:4])
    model = Colorizer(**BIG).learn(rows)
    assert model.encoder_share_ == 1 / 3
    found = model.recognizer
    alone = replace(found, encoder_share=0)
    believed = found.encoder_belief(rows.features)
    np.testing.assert_allclose(believed.sum(axis=1), 1, atol=1e-5)
    mean = alone.region_probabilities(rows.features) * 2 / 3 + believed / 3
    np.testing.assert_allclose(found.region_probabilities(rows.features), mean, atol=1e-6)


# The model


def test_the_new_model_has_colors_of_its_own(based, tiny_colorizer, swapped):
    assert len(based.palette_.colors_) == 5
    result, before = (model.predict(swapped[0], vividness=0) for model in (based, tiny_colorizer))
    assert result.probabilities.shape[1] == 5
    true = rgb_to_lab(swapped[0].pixels)[..., 1:]
    assert np.abs(result.ab - true).mean() < np.abs(before.ab - true).mean()


def test_the_summary_names_the_base(based, tiny_colorizer):
    assert based.summary_["base"] == digest(tiny_colorizer.trained)
    text = describe_choice(based.summary_)
    assert digest(tiny_colorizer.trained) in text
    assert "of 2 photographs held out" in text
    assert describe_choice(tiny_colorizer.summary_) == ""


def test_the_file_comes_back(based, swapped, tmp_path):
    based.save(tmp_path / "based.safetensors")
    loaded = Colorizer.load(tmp_path / "based.safetensors")
    assert loaded.summary_ == based.summary_
    gray = to_gray(swapped[1])
    np.testing.assert_array_equal(loaded.predict(gray).rgb, based.predict(gray).rgb)
    loaded.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "based.safetensors").read_bytes()


@pytest.mark.slow
def test_equal_training_on_a_loaded_base_gives_equal_bytes(tiny_colorizer, tiny_model, swapped, tmp_path):
    for name, base in (("one", tiny_colorizer), ("other", Colorizer.load(tiny_model))):
        model = Colorizer(**BIG).fit(swapped[:6], base=base)
        model.save(tmp_path / f"{name}.safetensors")
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "other.safetensors").read_bytes()


@pytest.mark.slow
def test_a_based_model_can_be_a_base(based, photos, tmp_path):
    again = Colorizer(n_colors=7, n_superpixels=60).fit(photos[:4], base=based)
    again.save(tmp_path / "again.safetensors")
    assert Colorizer.load(tmp_path / "again.safetensors").predict(photos[5]).probabilities.shape[1] == 7
    assert again.summary_["base"] == digest(based.trained)


def test_the_base_is_no_parameter(based):
    assert set(based.get_params()) == set(Colorizer().get_params())
    assert not hasattr(clone(based), "classifier_")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_superpixels": 61}, "n_superpixels must be that of the base, 60, got 61"),
        ({"n_superpixels": 60, "families": ("gabor", "surf")}, r"families must be that of the base, .* got \('gabor'"),
    ],
)
def test_a_base_that_describes_photographs_otherwise(tiny_colorizer, photos, parameters, message):
    with pytest.raises(ValueError, match=message):
        Colorizer(**parameters).fit(photos, base=tiny_colorizer)


def test_a_base_that_no_file_can_hold_is_refused_before_any_photograph_is_described(photos):
    base = Colorizer(**BIG, classifier=LogisticRegression()).fit(photos[:4])
    described: dict[int, TrainingRows] = {}
    with pytest.raises(ColorizeError, match="a model file cannot hold LogisticRegression"):
        Colorizer(**BIG).fit(photos[:4], base=base, described=described)
    assert not described


@pytest.mark.slow
def test_a_palette_of_ones_own_is_kept(tiny_colorizer, photos):
    rows = described(tiny_colorizer, photos[:6])
    palette = ColorPalette(4).fit(rows.ab)
    assert Colorizer(n_superpixels=60).learn(rows, palette=palette, base=tiny_colorizer).palette_ is palette


@pytest.mark.slow
def test_regions_of_one_colour_teach_nothing(tiny_colorizer, photos):
    rows = described(tiny_colorizer, photos[:6])
    gray = replace(rows, ab=np.zeros_like(rows.ab))
    with pytest.raises(DatasetError, match="one and the same colour of the palette"):
        Colorizer(n_superpixels=60).learn(gray, palette=ColorPalette(4).fit(rows.ab))
    few = gray.where(gray.photo < 2)  # too few to hold any out: the base is kept
    with pytest.raises(DatasetError, match="one and the same colour of the palette"):
        Colorizer(n_superpixels=60).learn(few, palette=ColorPalette(4).fit(rows.ab), base=tiny_colorizer)


def test_of_two_photographs_one_of_a_single_colour_teaches_too_little(tiny_colorizer, photos):
    rows = described(tiny_colorizer, photos[:2])
    half_gray = replace(rows, ab=np.where(rows.photo[:, None] == 0, 0, rows.ab))
    with pytest.raises(DatasetError, match="add photographs"):
        Colorizer(n_colors=4, n_superpixels=60).learn(half_gray)


# The command line


@pytest.mark.slow
def test_train_with_a_base(run, tiny_model, tiny_colorizer, swapped, workplace, monkeypatch):
    from colorize.io import write_photo

    (workplace / "mine").mkdir()
    for index, photo in enumerate(swapped[:5]):
        write_photo(photo, workplace / "mine" / f"{index}.png")
    out = run("train", "mine", "-o", "mine.safetensors", "--base", tiny_model, "--palette-size", 5).stdout
    assert f"Base: {digest(tiny_colorizer.trained)} ({tiny_model})" in out
    assert "Chosen: " in out
    described = run("models", "mine.safetensors").stdout
    mine = digest(Colorizer.load("mine.safetensors").trained)
    assert mine in described
    assert f"Base: {digest(tiny_colorizer.trained)}\n" in described
    monkeypatch.setattr("colorize.models._folder", lambda: tiny_model.parent)  # as if it were shipped
    assert f"Base: {digest(tiny_colorizer.trained)} ({tiny_model.stem})\n" in run("models", "mine.safetensors").stdout
    assert run("models", "mine.safetensors", "--quiet").stdout.strip() == mine
    refusal = run("train", "mine", "-o", "m.safetensors", "--base", tiny_model, "--superpixels", 90, status=2)
    assert "--superpixels must be that of the base, 60, or left out" in refusal.output
