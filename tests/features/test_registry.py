"""Families of one's own: found by name, checked, kept by name in a file, clearly missed when they are not there."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from colorize import Colorizer
from colorize.exceptions import ModelFileError
from colorize.features import FAMILIES, FeatureExtractor, in_order, register_family, registry

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "own_family.py"


pytestmark = pytest.mark.usefixtures("nothing_registered")


def brightest(photo):
    return np.round(photo.relative_centroids * 10), ("row", "column")


def test_a_family_of_ones_own_stands_behind_those_of_the_package(textured):
    register_family("zebra", brightest)
    register_family("apple", brightest)
    matrix = FeatureExtractor(("zebra", "apple", "shape", "intensity")).fit([textured]).transform(textured)
    assert tuple(matrix.families) == ("intensity", "shape", "apple", "zebra")
    assert matrix.names[-2:] == ("zebra:row", "zebra:column")
    assert matrix.family("zebra").dtype == np.float32
    assert (matrix.family("zebra") == brightest(textured)[0].astype(np.float32)).all()


def test_registering_again_takes_the_new_function(textured):
    register_family("mine", brightest)
    register_family("mine", lambda photo: (np.ones((photo.superpixels.n_superpixels, 1)), ("one",)))
    assert FeatureExtractor(("mine",)).fit([textured]).transform(textured).names == ("mine:one",)


@pytest.mark.parametrize("name", ["gabor", "two words", "", 3])
def test_names_that_cannot_be(name):
    with pytest.raises(ValueError, match="name must be an identifier"):
        register_family(name, brightest)


def test_only_functions_can_be_registered():
    with pytest.raises(TypeError, match="compute must be a function"):
        register_family("mine", np.zeros(3))


@pytest.mark.parametrize("families", [("intensity", "mine"), (), ("intensity", None)])
def test_unknown_families_are_named(families):
    with pytest.raises(ValueError, match=r"got ((mine|None) \(a family of your own has to be registered first|none$)"):
        FeatureExtractor(families)


@pytest.mark.parametrize("families", ["gabor", None, 5])
def test_what_names_no_families_is_refused(families):
    with pytest.raises(ValueError, match="families must be a sequence of names, got"):
        FeatureExtractor(families)


@pytest.mark.parametrize(
    ("values", "names", "message"),
    [
        (lambda n: np.ones((n, 2)), ("a",), "must give numbers of shape"),
        (lambda n: np.ones((n + 1, 1)), ("a",), "must give numbers of shape"),
        (lambda n: np.ones((n, 0)), (), "must give numbers of shape"),
        (lambda n: np.full((n, 1), "x"), ("a",), "must give numbers of shape"),
        (lambda n: np.full((n, 1), np.nan), ("a",), "not finite"),
        (lambda n: np.full((n, 1), 1e300), ("a",), "not finite"),
    ],
)
def test_what_a_family_gives_is_checked(textured, values, names, message):
    register_family("mine", lambda photo: (values(photo.superpixels.n_superpixels), names))
    extractor = FeatureExtractor(("mine",)).fit([textured])
    with pytest.raises(ValueError, match=f"family mine.*{message}"):
        extractor.transform(textured)


@pytest.mark.parametrize("given", [None, np.ones((3, 1)), {"a": [1, 2, 3]}])
def test_a_family_without_names_is_told(textured, given):
    register_family("mine", lambda _photo: given)
    with pytest.raises(ValueError, match="family mine must give a pair, numbers and their names, got "):
        FeatureExtractor(("mine",)).fit([textured]).transform(textured)


def test_a_family_of_changing_width_is_told(photos):
    counts = iter((2, 2, 3))

    def mine(photo):
        n_columns = next(counts)
        return np.ones((photo.superpixels.n_superpixels, n_columns)), ("x",) * n_columns

    register_family("mine", mine)
    with pytest.raises(ValueError, match="family mine must give as many columns for every photograph, got 2 and 3"):
        Colorizer(n_colors=4, n_superpixels=30, families=("mine",), classifier="kernel").fit(photos[:3])


def test_a_model_keeps_the_name_and_misses_the_function(photos, tmp_path, monkeypatch):
    register_family("mine", brightest)
    families = (*FAMILIES[:2], "mine")
    model = Colorizer(n_colors=6, n_superpixels=40, families=families, classifier="kernel").fit(photos[:6])
    model.save(tmp_path / "mine.safetensors")
    loaded = Colorizer.load(tmp_path / "mine.safetensors")
    assert tuple(loaded.scaler_.families) == families == in_order(families)
    gray = photos[0].pixels[..., 1]
    assert (loaded.predict(gray).rgb == model.predict(gray).rgb).all()

    register_family("mine", lambda photo: (photo.relative_centroids[:, :1], ("row",)))
    with pytest.raises(ModelFileError, match=r"other features.*mine \(2 columns, here 1\)"):
        loaded.predict(gray)

    monkeypatch.setattr(registry, "_own", {})
    with pytest.raises(ModelFileError, match=r"mine\.safetensors: .*got mine \(a family of your own has to be regist"):
        Colorizer.load(tmp_path / "mine.safetensors")
    with pytest.raises(ValueError, match=r"got mine .* has to be registered first, in every process"):
        model.predict(gray)  # as in a process of scikit-learn's n_jobs


@pytest.mark.slow
def test_the_example_runs_and_its_family_shows_in_the_importance(workplace, capsys, analyse):
    example = runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert ("edges", "") in example["found"].select("permutation", "across", "log_loss")
    assert "edges +0.0" in (printed := capsys.readouterr().out) or "edges -0.0" in printed
    stripes = np.tile(50 + 40 * np.sin(np.arange(96) / 3), (64, 1))
    upright, _ = example["edges"](analyse(stripes))
    lying, _ = example["edges"](analyse(stripes.T))
    assert (upright.argmax(axis=1) == 0).all()
    assert (lying.argmax(axis=1) == 4).all()
