"""The Colorizer: any photograph in, the same lightness out, the same bytes every time, one line for every mistake."""

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from colorize.color import rgb_to_lightness, to_gray
from colorize.color.metrics import colorfulness
from colorize.colorizer import Colorizer
from colorize.evaluation.measure import measure
from colorize.exceptions import ColorizeError, DatasetError, InvalidImageError
from colorize.features import FAMILIES
from colorize.models.format import digest
from colorize.training.classifier import KernelSVM
from colorize.training.dataset import DatasetReport, TrainingSet
from colorize.training.fit import describe_photos
from colorize.training.quantization import ColorPalette
from colorize.types import GrayImage, PhotoMetadata, RgbImage

STAGES = ["superpixels", "features", "classifier", "decision", "propagation", "color"]
SMALL = {"n_colors": 6, "n_superpixels": 30}


def as_16_bit(photo: RgbImage) -> RgbImage:
    """The photograph with 16 bits per channel, the lower ones filled with noise."""
    noise = np.random.default_rng(0).integers(0, 257, photo.pixels.shape, np.uint16)
    return RgbImage(photo.pixels.astype(np.uint16) * 256 + np.minimum(noise, 255))


# Predicting

INPUTS = {
    "gray 8": lambda photo: photo.pixels[..., 1],
    "gray 16": lambda photo: as_16_bit(photo).pixels[..., 1],
    "rgb 8": lambda photo: photo.pixels,
    "rgb 16": lambda photo: as_16_bit(photo).pixels,
    "RgbImage": lambda photo: photo,
    "GrayImage": to_gray,
}


@pytest.mark.parametrize("kind", INPUTS)
def test_every_kind_of_photograph_is_colorized_at_its_own_size_and_depth(tiny_colorizer, photos, kind):
    result = tiny_colorizer.predict(INPUTS[kind](photos[0]))
    assert result.rgb.shape == (120, 160, 3)
    assert result.rgb.dtype == (np.uint16 if kind.endswith("16") else np.uint8)
    assert result.ab.shape == (120, 160, 2)
    assert result.confidence.shape == (120, 160)
    assert result.superpixels.shape == (120, 160)
    n = result.superpixels.n_superpixels
    assert result.probabilities.shape == (n, 8)
    assert result.region_ab.shape == (n, 2)
    assert result.report.converged
    assert list(result.timings) == STAGES
    assert min(result.timings.values()) >= 0


@pytest.mark.slow
@pytest.mark.parametrize("vividness", [0, 0.5, 1])
def test_lightness_is_sacred(tiny_colorizer, photos, vividness):
    for photo in photos[:6]:
        for given, tolerance in ((photo, 0.3), (as_16_bit(photo), 0.01)):  # half a step of 8 and 16 bits, in dark tones
            result = tiny_colorizer.predict(given, vividness=vividness)
            before = rgb_to_lightness(given.pixels)
            assert np.abs(rgb_to_lightness(result.rgb) - before).max() <= tolerance


def test_probabilities_and_confidence_are_shares(tiny_colorizer, photos):
    for photo in photos[:4]:
        result = tiny_colorizer.predict(photo)
        np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, atol=1e-5)
        assert result.probabilities.min() >= 0
        assert result.confidence.min() >= 0
        assert result.confidence.max() <= 1 + 1e-5


def test_of_colors_only_the_lightness_is_used(tiny_colorizer, photos):
    photo = photos[3]
    np.testing.assert_array_equal(tiny_colorizer.predict(photo).rgb, tiny_colorizer.predict(to_gray(photo)).rgb)


def test_a_gray_array_is_a_photograph_of_equal_channels(tiny_colorizer, photos):
    gray = photos[3].pixels[..., 0]
    np.testing.assert_array_equal(
        tiny_colorizer.predict(gray).rgb, tiny_colorizer.predict(gray[..., None].repeat(3, axis=2)).rgb
    )


def test_alpha_and_metadata_are_carried_along(tiny_colorizer, photos):
    alpha = np.arange(120 * 160, dtype=np.uint8).reshape(120, 160)
    metadata = PhotoMetadata(exif=b"Exif", dpi=(300, 300), notes=("second page ignored",))
    lightness = to_gray(photos[0]).lightness
    for given in (RgbImage(photos[0].pixels, alpha, metadata), GrayImage(lightness, 8, alpha, metadata)):
        image = tiny_colorizer.predict(given).image
        np.testing.assert_array_equal(image.alpha, alpha)
        assert image.metadata is metadata


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 2), (2, 2), (3, 3), (1, 200), (200, 1), (37, 91), (700, 900), (1, 40_000)], ids=str
)
def test_photographs_of_any_size(tiny_colorizer, shape):
    gray = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    result = tiny_colorizer.predict(gray)
    assert result.rgb.shape == (*shape, 3)
    assert result.confidence.shape == shape
    # half a step of 8 bits, in dark tones
    assert np.abs(rgb_to_lightness(result.rgb) - to_gray(RgbImage(np.dstack([gray] * 3))).lightness).max() <= 0.3


@pytest.mark.parametrize("tone", [0, 128, 255])
def test_a_plain_picture_is_colorized_without_complaint(tiny_colorizer, tone):
    rgb = tiny_colorizer.predict(np.full((50, 60), tone, np.uint8)).rgb
    assert rgb.shape == (50, 60, 3)
    if tone != 128:
        assert (rgb == tone).all()  # black and white have no colour


@pytest.mark.slow
def test_bolder_is_more_colorful(tiny_colorizer, photos):
    def mean_colorfulness(vividness):
        return np.mean([colorfulness(tiny_colorizer.predict(photo, vividness=vividness).rgb) for photo in photos[::2]])

    faithful, default, bold = (mean_colorfulness(vividness) for vividness in (0, 0.5, 1))
    assert faithful < default < bold


def test_predicting_twice_gives_the_same(tiny_colorizer, photos):
    one, other = (tiny_colorizer.predict(photos[5]) for _ in range(2))
    np.testing.assert_array_equal(one.rgb, other.rgb)
    np.testing.assert_array_equal(one.ab, other.ab)
    np.testing.assert_array_equal(one.confidence, other.confidence)


# Training


def landscapes(n: int) -> list[RgbImage]:
    """Light blue, smooth sky over dark green, rough grass."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(n):
        noise = rng.normal(size=(60, 80, 1))
        is_sky = (np.arange(60) < rng.integers(20, 40))[:, None, None]
        pixels = np.where(is_sky, np.array([110, 160, 230]) + 2 * noise, np.array([50, 90, 30]) + 20 * noise)
        made.append(RgbImage(pixels.clip(0, 255).astype(np.uint8)))
    return made


@pytest.mark.slow
def test_it_learns_that_skies_are_blue_and_grass_is_green():
    *training, unseen = landscapes(6)
    model = Colorizer(n_colors=3, n_superpixels=40).fit(training)
    ab = model.predict(unseen).ab
    assert (ab[:15, :, 1] < -20).mean() > 0.9
    assert (ab[-15:, :, 1] > 10).mean() > 0.9


def test_a_color_without_training_regions_has_no_probability():
    # All landscapes are colourful: the palette's neutral entry belongs to none of their regions.
    model = Colorizer(n_colors=3, n_superpixels=40).fit(landscapes(4))
    assert model.classifier_.classes_.tolist() == [1, 2]
    assert (model.predict(landscapes(1)[0]).probabilities[:, 0] == 0).all()


@pytest.mark.slow
def test_equal_training_gives_equal_bytes(photos, tmp_path):
    paths = [tmp_path / name for name in ("one.safetensors", "other.safetensors")]
    for path in paths:
        Colorizer(**SMALL, random_state=3).fit(photos[:5]).save(path)
    one, other = (path.read_bytes() for path in paths)
    assert one == other
    Colorizer(**SMALL, random_state=4).fit(photos[:5]).save(paths[0], overwrite=True)
    assert paths[0].read_bytes() != other


class Lazy(Sequence):
    """Photographs that are made when they are asked for, as if read from a disk."""

    def __init__(self, photos):
        self.photos = photos

    def __len__(self):
        return len(self.photos)

    def __getitem__(self, index):
        if not 0 <= index < len(self.photos):
            raise IndexError(index)
        return self.photos[index].pixels.copy()


@pytest.mark.slow
def test_photographs_may_come_from_anything_with_a_length_and_numbers(photos):
    at_once, one_by_one = (Colorizer(**SMALL).fit(given) for given in (photos[:4], Lazy(photos[:4])))
    np.testing.assert_array_equal(at_once.predict(photos[0]).rgb, one_by_one.predict(photos[0]).rgb)


def test_what_is_kept_of_the_training(tiny_colorizer):
    sample, n_rows = tiny_colorizer.sample_, tiny_colorizer.summary_["n_rows"]
    assert tiny_colorizer.summary_["n_photos"] == 12
    assert len(sample["features"]) == len(sample["ab"]) == len(sample["photo"]) == n_rows
    assert set(sample["photo"]) == set(range(12))
    assert set(tiny_colorizer.baselines_) == {"mean colour", "L lookup", "L + height lookup"}


def test_no_more_rows_are_used_and_kept_than_wished(photos):
    model = Colorizer(**SMALL, rows_per_photo=9, n_sample_rows=10).fit(photos[:3])
    assert model.summary_["n_rows"] == 27
    assert {len(array) for array in model.sample_.values()} == {10}


def test_progress_reaches_the_end_of_every_stage(photos):
    calls = []
    Colorizer(**SMALL).fit(photos[:3], progress=lambda *call: calls.append(call))
    stages = list(dict.fromkeys(stage for stage, _, _ in calls))
    assert stages == ["visual words", "features", "learning"]
    for stage in stages:
        done = [done for name, done, _ in calls if name == stage]
        (total,) = {total for name, _, total in calls if name == stage}
        assert done == list(range(total + 1))


@pytest.mark.parametrize("families", [("intensity",), ["scene", "position"]], ids=str)
def test_a_choice_of_families_is_enough(photos, families, tmp_path):
    model = Colorizer(**SMALL, families=families).fit(photos[:4])
    assert list(model.scaler_.families) == [family for family in FAMILIES if family in families]
    model.save(tmp_path / "model.safetensors")
    loaded = Colorizer.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict(photos[0]).rgb, model.predict(photos[0]).rgb)


@pytest.mark.parametrize("classifier", [SVC(gamma=0.05), LogisticRegression()], ids=str)
def test_other_classifiers_work_but_are_not_saved(photos, classifier, tmp_path):
    model = Colorizer(**SMALL, classifier=classifier).fit(photos[:4])
    result = model.predict(photos[0])
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, atol=1e-5)
    with pytest.raises(ColorizeError, match=rf"^a model file cannot hold {type(classifier).__name__}; .*='vote' or"):
        model.save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_parameters_of_a_machine_that_the_file_would_lose_are_not_saved(photos, tmp_path):
    model = Colorizer(**SMALL, classifier=KernelSVM(50, gamma=0.5, random_state=0)).fit(photos[:4])
    with pytest.raises(ColorizeError, match="holds no parameters of a classifier that was handed in"):
        model.save(tmp_path / "model.safetensors")


def test_what_is_saved_is_what_was_learnt(photos, tmp_path):
    path = tmp_path / "model.safetensors"
    model = Colorizer(**SMALL, families=("intensity", "position")).fit(photos[:4])
    model.set_params(n_colors=8, families=("gabor",)).save(path)
    loaded = Colorizer.load(path)
    assert (loaded.n_colors, loaded.families) == (6, ("intensity", "position"))
    rows, _ = describe_photos(photos[:4], SMALL["n_superpixels"], model.extractor_, None, lambda *_: None, 220, 0)
    model.learn(rows, palette=ColorPalette(4).fit(rows.ab)).save(path, overwrite=True)
    assert Colorizer.load(path).n_colors == 4


def test_parameters_count_from_the_next_training(photos):
    model = Colorizer(**SMALL, families=("intensity", "position")).fit(photos[:4])
    before, colors = digest(model.trained), model.predict(photos[0]).rgb
    model.set_params(n_colors=8, n_superpixels=90, classifier=SVC(), rows_per_photo=9, n_sample_rows=9, random_state=3)
    assert digest(model.trained) == before
    np.testing.assert_array_equal(model.predict(photos[0]).rgb, colors)
    assert model.fit(photos[:4]).model.n_superpixels == 90


def test_a_training_that_is_interrupted_leaves_the_model_as_it_was(tiny_colorizer, photos):
    model = copy.deepcopy(tiny_colorizer)
    before = digest(model.trained)

    def stop(stage, done, total):
        if stage == "features":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(photos[6:], progress=stop)
    assert digest(model.trained) == before


def test_the_classifier_handed_in_is_not_touched(photos):
    classifier = LogisticRegression()
    Colorizer(**SMALL, classifier=classifier).fit(photos[:3])
    assert not hasattr(classifier, "classes_")


def test_parameters_are_stored_as_given_and_cloned():
    parameters = {
        "n_colors": 5,
        "n_superpixels": 50,
        "families": ("gabor", "lbp"),
        "classifier": "kernel",
        "rows_per_photo": 7,
        "n_sample_rows": 3,
        "random_state": 9,
    }
    model = Colorizer(**parameters)
    assert model.get_params() == parameters
    assert clone(model).get_params() == parameters
    assert Colorizer().set_params(**parameters).get_params() == parameters


def test_it_shows_its_parameters_before_and_after_training(tiny_colorizer):
    assert repr(Colorizer(n_colors=5)) == "Colorizer(n_colors=5)"
    assert repr(tiny_colorizer) == "Colorizer(n_colors=8, n_superpixels=60)"


# Mistakes


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_colors": 1}, r"n_colors must be an integer in 2\.\.256, got 1"),
        ({"n_colors": "many"}, r"n_colors must be an integer in 2\.\.256, got 'many'"),
        ({"n_superpixels": 3}, r"n_superpixels must be an integer in 4\.\.2000, got 3"),
        ({"n_superpixels": 40.5}, r"n_superpixels must be an integer in 4\.\.2000, got 40\.5"),
        ({"rows_per_photo": True}, r"rows_per_photo must be an integer in 1\.\.10000, got True"),
        ({"rows_per_photo": 0}, r"rows_per_photo must be an integer in 1\.\.10000, got 0"),
        ({"n_sample_rows": -1}, r"n_sample_rows must be an integer in 0\.\.1000000, got -1"),
        ({"random_state": None}, r"random_state must be an integer in 0\.\.4294967295, got None"),
        ({"families": ("gabor", "sift")}, "families must be some of .*; got sift"),
        ({"families": "gabor"}, "families must be a sequence of names, got the string 'gabor'"),
        ({"classifier": "svc"}, "classifier must be 'vote', 'kernel' or a classifier with .*, got 'svc'"),
        ({"classifier": LogisticRegression}, "classifier must be 'vote', 'kernel' or a classifier with .*, got <class"),
        ({"classifier": KMeans(3)}, "a classifier with decision_function or predict_proba, got KMeans"),
        ({"classifier": LinearRegression()}, "a classifier with decision_function or predict_proba, got LinearReg"),
        ({"classifier": 5}, "classifier must be 'vote', 'kernel' or a classifier with .*, got 5"),
    ],
)
def test_parameters_out_of_range_are_named_before_any_photograph_is_read(parameters, message):
    class Unread(Lazy):
        def __getitem__(self, index):
            pytest.fail("a photograph was read")

    with pytest.raises(ValueError, match=message):
        Colorizer(**parameters).fit(Unread(range(3)))


@pytest.mark.parametrize("n", [0, 1])
def test_training_needs_two_photographs(photos, n):
    with pytest.raises(DatasetError, match=f"training needs at least 2 photographs, got {n}"):
        Colorizer().fit(photos[:n])


def test_training_needs_colors(photos):
    gray = [RgbImage(photo.pixels[..., :1].repeat(3, axis=2)) for photo in photos[:2]]
    with pytest.raises(DatasetError, match="no palette can be learnt from these photographs: n_colors=6 needs"):
        Colorizer(**SMALL).fit(gray)


def test_training_needs_color_photographs(photos):
    with pytest.raises(InvalidImageError, match=r"pixels must be \(H, W, 3\) uint8 or uint16, got shape \(120, 160\)"):
        Colorizer(**SMALL).fit([photo.pixels[..., 0] for photo in photos[:2]])


@pytest.mark.parametrize(
    ("gray", "message"),
    [
        (np.zeros((4, 5, 3)), r"pixels must be \(H, W, 3\) uint8 or uint16, got shape \(4, 5, 3\), float64"),
        (np.zeros((4, 5, 4), np.uint8), r"pixels must be \(H, W, 3\) uint8 or uint16, got shape \(4, 5, 4\)"),
        (np.zeros((0, 5), np.uint8), "a photograph needs at least one pixel"),
        ([[1, 2], [3, 4]], "a photograph must be a GrayImage, an RgbImage or an array, got list; give one at a time"),
        ("photo.jpg", r"must be a GrayImage, an RgbImage or an array, got str \(colorize.read_photo reads a file\)"),
        (Image.new("L", (5, 4)), r"an array, got Image \(numpy.asarray makes an array of it\)"),
        (np.zeros((4, 5), np.float32), "a gray array must be uint8 or uint16, got float32; GrayImage takes lightness"),
    ],
    ids=["float", "four channels", "no pixel", "list", "name", "picture of Pillow", "lightness"],
)
def test_what_is_no_photograph(tiny_colorizer, gray, message):
    with pytest.raises(InvalidImageError, match=message):
        tiny_colorizer.predict(gray)


def test_lightness_that_is_no_number(tiny_colorizer):
    with pytest.raises(InvalidImageError, match=r"lightness must be L\* in \[0, 100\], got values from nan to nan"):
        tiny_colorizer.predict(GrayImage(np.full((4, 4), np.nan, np.float32)))


@pytest.mark.parametrize("vividness", [-0.1, 1.1, float("nan"), None, "bold"])
def test_vividness_out_of_range(tiny_colorizer, photos, vividness):
    with pytest.raises(ValueError, match=r"vividness must be in \[0, 1\], got"):
        tiny_colorizer.predict(photos[0], vividness=vividness)


def test_nothing_works_before_fit(photos, tmp_path):
    with pytest.raises(NotFittedError):
        Colorizer().predict(photos[0])
    with pytest.raises(NotFittedError):
        Colorizer().save(tmp_path / "model.safetensors")
    with pytest.raises(NotFittedError):
        _ = Colorizer().trained


def test_photographs_that_can_be_read_only_once_are_refused(photos):
    with pytest.raises(TypeError, match="photos must be a sequence, because it is read several times, got generator"):
        Colorizer().fit(photo for photo in photos)


@pytest.mark.parametrize(
    ("photos", "message"),
    [
        ("my_photos", r"got 'my_photos'; load_folder\(...\).photos reads a folder"),
        (Path("my_photos"), r"got .*Path\('my_photos'\); load_folder"),
        (TrainingSet((), (), DatasetReport(0, 0, 0, ())), "got TrainingSet; its .photos is one"),
        (RgbImage(np.zeros((4, 4, 3), np.uint8)), r"got one RgbImage; write \[photo\]"),
        (np.zeros((4, 4, 3), np.uint8), r"got an array of shape \(4, 4, 3\), uint8; write \[photo\]"),
        (5, "got int"),
        ({"a.jpg": np.zeros((4, 4, 3), np.uint8)}, "got dict"),
    ],
    ids=["name", "path", "training set", "photograph", "array", "number", "mapping"],
)
def test_what_is_no_sequence_of_photographs_says_how_to_make_one(photos, message):
    with pytest.raises(TypeError, match=message):
        Colorizer().fit(photos)
    with pytest.raises(TypeError, match=message):
        Colorizer().score(photos)


@pytest.mark.slow
def test_a_series_of_pandas_is_read_by_place(photos, tiny_colorizer):
    class ByLabel(list):
        """What a Series is after a split: its items have labels, and a number is one of them."""

        iloc = property(list)

        def __getitem__(self, label):
            raise KeyError(label)

    model = Colorizer(**SMALL, classifier="kernel").fit(ByLabel(photos[:2]))
    assert model.score(ByLabel(photos[:2])) == Colorizer(**SMALL, classifier="kernel").fit(photos[:2]).score(photos[:2])


def test_a_base_and_references_that_are_none_are_named(tiny_colorizer, photos):
    with pytest.raises(TypeError, match="rows must be TrainingRows, got list; `fit` takes photographs"):
        Colorizer().learn(photos)
    with pytest.raises(TypeError, match=r"base must be a Colorizer, which Colorizer\.load gives, got str"):
        Colorizer(**SMALL).fit(photos[:2], base="default")
    for one, what in ((photos[1], "one RgbImage"), (photos[1].pixels, "an array of shape"), ("like.jpg", "'like.jpg'")):
        with pytest.raises(TypeError, match=f"references must be a sequence of photographs, got {what}"):
            tiny_colorizer.open(photos[0], references=one)
    with pytest.raises(TypeError, match=r"references must be a sequence, .* got generator"):
        tiny_colorizer.open(photos[0], references=(photo for photo in photos[1:2]))


def test_of_many_photographs_the_one_that_is_none_is_told(tiny_colorizer, photos):
    many = [*photos[:2], photos[2].pixels / 255, *photos[3:5]]
    for call in (Colorizer(**SMALL).fit, tiny_colorizer.score):
        with pytest.raises(InvalidImageError, match=r"photos\[2\]: pixels must be .*numpy\.rint\(255 \* pixels\)"):
            call(many)
    with pytest.raises(InvalidImageError, match=r"references\[1\]: pixels must be"):
        tiny_colorizer.open(photos[0], [photos[1], "like.jpg"])


def test_the_same_bits_on_any_number_of_cores(tiny_colorizer, pictures):
    gray = to_gray(RgbImage(pictures["astronaut"]))
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            results.append(tiny_colorizer.open(gray))
    np.testing.assert_array_equal(*(session.description.features.values for session in results))
    np.testing.assert_array_equal(*(session.guided.probabilities for session in results))


@pytest.mark.slow
def test_the_same_bytes_from_processes_started_with_one_and_with_two_threads(pictures, tmp_path):
    corner = slice(0, 300), slice(0, 451)  # small sums are made by one thread anyway
    np.save(tmp_path / "photos.npy", [pictures[name][corner] for name in ("chelsea", "coffee", "china", "flower")])
    script = (
        "import numpy as np\n"
        "from colorize.colorizer import Colorizer\n"
        "from colorize.models.format import digest\n"
        "photos = np.load('photos.npy')\n"
        "print(digest(Colorizer(n_colors=8, n_superpixels=800, random_state=0).fit(list(photos)).trained))\n"
    )
    digests = set()
    for threads in ("1", "2"):
        started = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        result = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=started, capture_output=True, text=True, check=True
        )
        digests.add(result.stdout)
    assert len(digests) == 1


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301  - what was pickled here


def test_a_fitted_model_can_be_pickled_and_copied(tiny_colorizer, photos):
    gray = to_gray(photos[0])
    expected = tiny_colorizer.predict(gray).rgb
    for other in (through_pickle(tiny_colorizer), copy.deepcopy(tiny_colorizer)):
        assert digest(other.trained) == digest(tiny_colorizer.trained)
        assert other.baselines_.keys() == tiny_colorizer.baselines_.keys()
        np.testing.assert_array_equal(other.predict(gray).rgb, expected)


def test_results_come_back_from_other_processes(tiny_colorizer, photos):
    gray = to_gray(photos[0])
    result, description = tiny_colorizer.predict(gray), tiny_colorizer.model.describe(gray)
    again, described = through_pickle((result, description))
    np.testing.assert_array_equal(again.rgb, result.rgb)
    assert dict(again.timings) == dict(result.timings)
    assert dict(described.features.families) == dict(description.features.families)
    with pytest.raises(TypeError):
        again.timings["features"] = 0


@pytest.mark.slow
def test_score_is_minus_what_evaluation_measures(tiny_colorizer, photos):
    found = measure({"model": lambda gray: tiny_colorizer.predict(gray, vividness=0)}, photos[:3])
    assert tiny_colorizer.score(photos[:3]) == pytest.approx(-found.means()["model"]["ciede2000"])
    assert tiny_colorizer.score(photos[:3]) < -1
    with pytest.raises(DatasetError, match="no photographs"):
        tiny_colorizer.score([])


@pytest.mark.slow
def test_scikit_learn_searches_by_score(photos):
    search = GridSearchCV(Colorizer(**SMALL, classifier="kernel"), {"n_colors": [2, 6]}, cv=2).fit(photos[:6])
    scores = search.cv_results_["mean_test_score"]
    assert search.best_params_["n_colors"] == (2, 6)[int(scores.argmax())]
    assert (scores < 0).all()
    assert scores[0] != scores[1]
