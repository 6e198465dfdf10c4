"""Comparing methods: figures per photograph, their means, and the reference rows of the project."""

import json

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from colorize.color import lab_to_rgb, rgb_to_lab
from colorize.colorizer import Colorizer
from colorize.evaluation.measure import EvaluationResult, measure
from colorize.evaluation.run import evaluate_model
from colorize.exceptions import DatasetError, InvalidImageError
from colorize.io import find_photos, read_photo
from colorize.recognition.rules import NO_COLOR, fit_rules
from colorize.types import ColorField, Colorization, GrayImage, RgbImage, SolveReport, Superpixels


def photo(seed: int, shape=(16, 20)) -> RgbImage:
    return RgbImage(np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8))


def oracle(true: RgbImage):
    """A method that knows the true photograph."""
    return lambda gray: rgb_to_lab(true.pixels)[..., 1:]


def test_figures_are_kept_per_photograph_and_averaged():
    photos = [photo(0), photo(1)]
    result = measure({"gray": NO_COLOR, "first": oracle(photos[0])}, photos)
    assert result.n_photos == 2
    errors = result.figures["first"]["ab_l2"]
    assert errors[0] == pytest.approx(0, abs=1e-4)
    assert errors[1] > 10
    means = result.means()
    assert means["first"]["ab_l2"] == pytest.approx(errors.mean())
    assert means["gray"]["colorfulness_ratio"] == 0
    with pytest.raises(ValueError, match="read-only"):
        errors[0] = 1


def test_colorfulness_ratio_is_a_ratio_of_means():
    columns = {"colorfulness": np.array([10.0, 20.0]), "true_colorfulness": np.array([5.0, 55.0])}
    assert EvaluationResult({"m": columns}).means()["m"]["colorfulness_ratio"] == pytest.approx(0.5)


def test_every_kind_of_method_is_understood():
    true = photo(0)

    def to_pixels(gray: GrayImage) -> RgbImage:
        return RgbImage(lab_to_rgb(gray.lightness, np.zeros((*gray.shape, 2))))

    class WithPredict:
        def predict(self, gray):
            return to_pixels(gray)

    methods = {"function": to_pixels, "array": lambda gray: np.zeros((*gray.shape, 2)), "object": WithPredict()}
    means = measure({**methods, "baseline": NO_COLOR}, [true]).means()
    for row in means.values():
        assert row["ab_l2"] == pytest.approx(means["baseline"]["ab_l2"], abs=1e-3)
    with pytest.raises(TypeError, match="'wrong'"):
        measure({"wrong": 5}, [true])
    with pytest.raises(TypeError, match="'text'"):
        measure({"text": lambda gray: "blue"}, [true])


def test_a_colorization_is_measured_by_its_ab_before_gamut_mapping():
    true = RgbImage(np.full((8, 8, 3), 250, np.uint8))  # nearly white: next to no chroma fits

    def colorize(gray: GrayImage) -> Colorization:
        ab = np.full((8, 8, 2), 30, np.float32)
        ones = np.ones(1, np.float32)
        return Colorization(
            image=RgbImage(lab_to_rgb(gray.lightness, ab)),
            field=ColorField(ab, np.ones((8, 8), np.float32)),
            superpixels=Superpixels(
                np.zeros((8, 8), np.int32), np.zeros((0, 2), np.int32), 64 * ones, ones[:, None] + [[2.5, 2.5]]
            ),
            probabilities=ones[:, None],
            region_ab=ab[0, :1],
            report=SolveReport("direct", 0, 0.0, True, 0.0, 0, (8, 8)),
            timings={},
        )

    means = measure({"field": colorize, "pixels": lambda gray: colorize(gray).image}, [true]).means()
    assert means["field"]["ab_l2"] == pytest.approx(30 * np.sqrt(2), rel=1e-4)
    assert means["pixels"]["ab_l2"] < 10
    assert means["field"]["psnr_rgb"] == means["pixels"]["psnr_rgb"]


def test_method_sees_lightness_only_and_its_input_cannot_be_changed():
    seen = []
    measure({"spy": lambda gray: seen.append(gray) or np.zeros((*gray.shape, 2))}, [photo(3)])
    assert isinstance(seen[0], GrayImage)
    assert not seen[0].lightness.flags.writeable


def test_table_and_json_tell_the_same():
    photos = [photo(0), photo(1, shape=(5, 5))]  # too small for SSIM
    result = measure({"gray": NO_COLOR, "mean colour": fit_rules(photos)["mean colour"]}, photos)
    content = json.loads(result.to_json())
    assert content["photos"]["gray"]["ssim"][1] is None
    assert content["n_photos"] == 2
    lines = result.table().splitlines()
    assert lines[0].split()[0] == "CIEDE2000"
    assert lines[2].startswith("mean colour")
    assert f"{content['means']['mean colour']['ciede2000']:.2f}" in lines[2]
    assert "nan" not in result.table()
    assert len({len(line) for line in lines[:3]}) == 1


def test_progress_is_told():
    told = []
    measure({"gray": NO_COLOR}, [photo(0), photo(1)], progress=lambda *step: told.append(step))
    assert told == [("measuring", 0, 2), ("measuring", 1, 2), ("measuring", 2, 2)]


def test_arrays_are_measured_as_they_are_learnt_from():
    pixels = np.full((8, 8, 3), (60, 90, 160), np.uint8)
    found = measure({"gray": NO_COLOR}, [pixels])
    assert found.means() == measure({"gray": NO_COLOR}, [RgbImage(pixels)]).means()
    with pytest.raises(TypeError, match=r"photos must be a sequence of photographs, got an array of shape \(8, 8, 3\)"):
        measure({"gray": NO_COLOR}, pixels)
    with pytest.raises(InvalidImageError, match=r"photos\[1\]: "):
        measure({"gray": NO_COLOR}, [pixels, "aunt.jpg"])


def test_nothing_to_measure_is_an_error():
    with pytest.raises(DatasetError, match="no photographs"):
        measure({"gray": NO_COLOR}, [])
    with pytest.raises(ValueError, match="methods"):
        measure({}, [photo(0)])
    with pytest.raises(TypeError, match=r"methods must be a mapping, such as \{'mine': model\}, got Colorizer"):
        measure(Colorizer(), [photo(0)])
    with pytest.raises(NotFittedError):
        evaluate_model(Colorizer(), [photo(0)])


def test_other_truths_and_names_than_photographs_are_refused_before_the_work():
    methods = {"gray": lambda gray: pytest.fail("measured")}
    for wrong in ({"has_truth": [True]}, {"names": ["a"]}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be as many as the photographs, 2, got 1"):
            measure(methods, [photo(0), photo(1)], **wrong)
    with pytest.raises(TypeError, match="photos must be a sequence, because it is read several times, got generator"):
        measure({"gray": NO_COLOR}, (photo(k) for k in range(2)))


@pytest.mark.data
@pytest.mark.slow
def test_reference_rows(data_folder):
    """The rows that the project has measured itself against from its first day (BSDS500: train on 200, measure on 100).

    They were taken on a part of the pixels, hence 1 %; ab was taken before gamut mapping. The fourth
    column is ours: theirs was taken from colours clipped into the gamut (0.21 for the mean colour; clipping moves
    lightness), and their lookup had other bins.
    """
    train = [read_photo(path) for path in find_photos(data_folder / "bsds500/train")]
    val = [read_photo(path) for path in find_photos(data_folder / "bsds500/val")]
    assert (len(train), len(val)) == (200, 100)
    means = measure({"gray": NO_COLOR, **fit_rules(train)}, val).means()
    expected = {
        "gray": (11.89, 16.47, 89.02, 0),
        "mean colour": (11.13, 14.62, 90.25, 0.226),
        "L lookup": (10.80, 14.21, 90.53, 0.347),
        "L + height lookup": (10.65, 13.98, 90.68, 0.469),
    }
    for name, row in expected.items():
        figures = [means[name][figure] for figure in ("ciede2000", "ab_l2", "auc", "colorfulness_ratio")]
        assert figures == pytest.approx(row, rel=0.01), name
