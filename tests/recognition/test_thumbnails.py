"""Thumbnails: what they show, what they cost, what they give away, and that a model file with wrong ones is refused."""

import numpy as np
import pytest

from colorize.color import rgb_to_lab
from colorize.colorizer import Colorizer
from colorize.exceptions import DatasetError, ModelFileError
from colorize.features.superpixels import from_labels
from colorize.models.file import load_model, save_model
from colorize.recognition.thumbnails import Thumbnails, cut_thumbnails, photo_name
from colorize.training.corrections import learn_corrections

SMALL = {"n_colors": 4, "n_superpixels": 30, "n_sample_rows": 50}
NAMES = [f"/home/anna/secret album/aunt {i}.jpg" for i in range(4)]


@pytest.fixture(scope="module")
def model(photos):
    return Colorizer(**SMALL).fit(photos[:4], names=NAMES, thumbnail_bytes=100_000)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("thumbnails") / "model.safetensors"
    model.save(path)
    return path


def test_a_thumbnail_shows_the_region_in_its_surroundings():
    labels = np.repeat(np.repeat(np.arange(9).reshape(3, 3), 30, axis=0), 30, axis=1)
    rgb = np.zeros((90, 90, 3), np.uint8) + np.uint8([60, 120, 60])
    rgb[30:60, 30:60] = [200, 60, 50]
    lab = rgb_to_lab(rgb)
    pixels = cut_thumbnails(lab[..., 0], lab[..., 1:], from_labels(labels))
    shown = Thumbnails(np.arange(9, dtype=np.int32), pixels, ()).picture(4)
    assert shown.shape == (24, 24, 3)
    # colour is kept at a quarter of the resolution: a few code values, away from edges
    np.testing.assert_allclose(shown[12, 12], [200, 60, 50], atol=4)
    np.testing.assert_allclose(shown[2, 2], [60, 120, 60], atol=4)


def test_a_model_keeps_them_through_its_file(model, file):
    loaded = Colorizer.load(file).thumbnails_
    assert len(loaded.row) == len(model.sample_["photo"]) == 50
    assert loaded.names == ("aunt 0.jpg", "aunt 1.jpg", "aunt 2.jpg", "aunt 3.jpg")
    np.testing.assert_array_equal(loaded.pixels, model.thumbnails_.pixels)
    assert loaded.picture(50) is None


def test_the_middle_of_a_thumbnail_has_the_colour_of_its_row(model):
    middles = [rgb_to_lab(model.thumbnails_.picture(row))[10:14, 10:14, 1:].mean(axis=(0, 1)) for row in range(50)]
    distance = np.linalg.norm(np.array(middles) - model.sample_["ab"].astype(np.float32), axis=1)
    shuffled = np.linalg.norm(np.array(middles)[::-1] - model.sample_["ab"].astype(np.float32), axis=1)
    assert np.median(distance) < 0.5 * np.median(shuffled)


def test_equal_training_gives_equal_bytes(photos, file, tmp_path):
    Colorizer(**SMALL).fit(photos[:4], names=NAMES, thumbnail_bytes=100_000).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()


def test_folders_never_get_into_the_file(file):
    content = file.read_bytes()
    assert b"aunt 1.jpg" in content
    assert b"anna" not in content
    assert b"secret" not in content


@pytest.mark.slow
def test_nothing_is_kept_that_was_not_asked_for(photos, file, tmp_path):
    plain = Colorizer(**SMALL).fit(photos[:4], names=NAMES)
    assert plain.thumbnails_ is None
    plain.save(tmp_path / "plain.safetensors")
    assert b"aunt" not in (tmp_path / "plain.safetensors").read_bytes()
    assert Colorizer.load(tmp_path / "plain.safetensors").thumbnails_ is None


@pytest.mark.slow
@pytest.mark.parametrize("n_bytes", [2000, 10_000])
def test_the_budget_holds(photos, n_bytes, tmp_path):
    few = Colorizer(**SMALL).fit(photos[:4], names=NAMES, thumbnail_bytes=n_bytes)
    few.save(tmp_path / "few.safetensors")
    none = Colorizer(**SMALL).fit(photos[:4])
    none.save(tmp_path / "none.safetensors")
    more = (tmp_path / "few.safetensors").stat().st_size - (tmp_path / "none.safetensors").stat().st_size
    assert n_bytes - 660 - 400 < more < n_bytes + 400  # the header's words for two arrays
    rows = few.thumbnails_.row
    assert (np.diff(rows) > 0).all()
    assert 0 <= rows[0] <= rows[-1] < 50


def test_too_small_a_budget_is_refused_before_the_work(photos):
    with pytest.raises(DatasetError, match=r"0\.5 kB hold none beside the names of 4 photographs"):
        Colorizer(**SMALL).fit(photos[:4], names=NAMES, thumbnail_bytes=500)


def test_every_photograph_needs_a_name(photos):
    with pytest.raises(ValueError, match="names must name 4 photographs, got 3"):
        Colorizer(**SMALL).fit(photos[:4], names=NAMES[:3], thumbnail_bytes=100_000)


def test_corrections_leave_them_alone(model, photos, tmp_path):
    features = model.model.describe(photos[5]).features.values[:3]
    corrected = learn_corrections(model, features, np.full((3, 2), 10.0)).colorizer
    corrected.save(tmp_path / "corrected.safetensors")
    loaded = Colorizer.load(tmp_path / "corrected.safetensors")
    np.testing.assert_array_equal(loaded.thumbnails_.pixels, model.thumbnails_.pixels)
    assert loaded.thumbnails_.name(int(loaded.sample_["photo"][-1])) == "photo 5"
    assert loaded.thumbnails_.picture(len(loaded.sample_["photo"]) - 1) is None


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a/b\\c.jpg", "c.jpg"),
        ("x" * 100, "x" * 60),
        ("red\x1b[31m.jpg", "red?[31m.jpg"),
        ("line\nbreak", "line?break"),
    ],
)
def test_names_are_plain(name, kept):
    assert photo_name(name) == kept


def replaced(**arrays):
    return lambda header, old: (header, {**old, **{name.replace("_", ".", 1): a for name, a in arrays.items()}})


DAMAGES = {
    "rows beyond the sample": replaced(thumbnail_row=np.arange(1, 51, dtype=np.int32)),
    "rows not ascending": replaced(thumbnail_row=np.zeros(50, np.int32)),
    "negative row": replaced(thumbnail_row=np.arange(-1, 49, dtype=np.int32)),
    "rows of another type": replaced(thumbnail_row=np.arange(50, dtype=np.int64)),
    "no rows": replaced(thumbnail_row=np.zeros(0, np.int32), thumbnail_pixels=np.zeros((0, 648), np.uint8)),
    "pixels of another shape": replaced(thumbnail_pixels=np.zeros((50, 649), np.uint8)),
    "pixels of another type": replaced(thumbnail_pixels=np.zeros((50, 648), np.int8)),
    "fewer pixels": replaced(thumbnail_pixels=np.zeros((49, 648), np.uint8)),
    "another array": replaced(thumbnail_more=np.zeros(3, np.uint8)),
    "no names": lambda header, arrays: ({k: v for k, v in header.items() if k != "photo_names"}, arrays),
    "names that are no list": lambda header, arrays: (header | {"photo_names": "aunt"}, arrays),
    "names that are paths": lambda header, arrays: (header | {"photo_names": ["/etc/passwd"] * 4}, arrays),
    "names that are no text": lambda header, arrays: (header | {"photo_names": [1, 2, 3, 4]}, arrays),
    "names with control characters": lambda header, arrays: (header | {"photo_names": ["a\x1b[2J"] * 4}, arrays),
    "long names": lambda header, arrays: (header | {"photo_names": ["a" * 61] * 4}, arrays),
    "names without pictures": lambda header, arrays: (
        header,
        {name: array for name, array in arrays.items() if not name.startswith("thumbnail.")},
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_wrong_thumbnails_are_refused(file, tmp_path, damage):
    header, arrays = DAMAGES[damage](*load_model(file))
    save_model(tmp_path / "damaged.safetensors", header, arrays)
    with pytest.raises(ModelFileError, match="parts of the model do not fit together") as caught:
        Colorizer.load(tmp_path / "damaged.safetensors")
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
