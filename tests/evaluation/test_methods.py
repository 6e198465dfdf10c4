"""Methods of a comparison: colour transfer, names of rules and files, memory, oracles, realism."""

import numpy as np
import pytest

from colorize import Colorizer
from colorize.color import lab_to_rgb, metrics, rgb_to_lab, to_gray
from colorize.evaluation.measure import WithTruth, measure
from colorize.evaluation.methods import make_methods, peak_memory, stage_memory
from colorize.evaluation.oracles import ORACLES, true_region_ab, with_oracles
from colorize.evaluation.realism import FEWEST_PHOTOS, RealismObserver, color_statistics, two_sample_test
from colorize.evaluation.welsh import WelshTransfer
from colorize.exceptions import DatasetError, ModelFileError
from colorize.guidance.canvas import Canvas
from colorize.types import GrayImage, RgbImage


def flat(color, shape=(24, 32)) -> RgbImage:
    return RgbImage(np.full((*shape, 3), color, np.uint8))


def two_halves(dark, light) -> RgbImage:
    pixels = np.empty((24, 32, 3), np.uint8)
    pixels[:, :16], pixels[:, 16:] = dark, light
    return RgbImage(pixels)


class TestWelsh:
    def test_takes_the_colours_of_the_most_similar_photograph_by_lightness(self):
        sea_and_sand = two_halves((20, 30, 90), (230, 200, 140))
        grass_and_sky = RgbImage(two_halves((30, 80, 20), (150, 200, 250)).pixels[:, ::-1].copy())
        transfer = WelshTransfer().fit([sea_and_sand, grass_and_sky])
        for photo in (sea_and_sand, grass_and_sky):
            ab = transfer(to_gray(photo))
            assert np.abs(ab - rgb_to_lab(photo.pixels)[..., 1:]).max() < 1e-3  # the very colours come back

    def test_tells_textures_of_equal_lightness_apart(self):
        rng = np.random.default_rng(0)
        lightness = np.full((40, 60), 50, np.float32)
        lightness[:, 30:] += rng.choice([-20, 20], (40, 30)).astype(np.float32)
        ab = np.zeros((40, 60, 2), np.float32)
        ab[:, :30, 0], ab[:, 30:, 1] = 30, 30
        photo = RgbImage(lab_to_rgb(lightness, ab))
        found = WelshTransfer().fit([photo])(to_gray(photo))
        assert found[:, 5:25, 0].mean() > 25
        assert found[:, 35:55, 1].mean() > 25

    def test_tone_is_matched_before_pixels_are(self):
        photo = two_halves((20, 30, 90), (230, 200, 140))
        transfer = WelshTransfer().fit([photo])
        lightness = to_gray(photo).lightness
        darker = GrayImage((lightness * 0.5).astype(np.float32))
        ab = transfer(darker)
        assert ab[0, 0, 1] < -20  # the dark half stays sea
        assert ab[0, 31, 1] > 20

    def test_nothing_to_transfer_from(self):
        with pytest.raises(DatasetError, match="at least one"):
            WelshTransfer().fit([])


class TestMakeMethods:
    def test_rules_and_files_by_name(self, tiny_model, photos):
        made = make_methods(["gray", "lookup", str(tiny_model)], vividness=0.3)
        assert [method.name for method in made] == ["gray", "lookup", "tiny"]
        assert made[0].n_bytes == 0
        assert made[1].n_bytes == 20 * 10 * 2 * 4
        assert made[2].n_bytes == tiny_model.stat().st_size
        means = measure({method.name: method.method for method in made}, photos[:2]).means()
        assert means["gray"]["colorfulness"] < 0.5
        assert means["tiny"]["colorfulness"] > 1

    def test_references_replace_the_tables_of_the_model(self, tiny_model, photos):
        blue = [flat((20, 40, 160))]
        made = {method.name: method for method in make_methods(["mean", "welsh", str(tiny_model)], references=blue)}
        assert made["mean"].method(to_gray(photos[0]))[0, 0, 1] < -40
        assert made["welsh"].n_bytes > 0
        assert made["mean"].description == "Of the references: one colour for everything."
        arrays = {method.name: method for method in make_methods(["mean", "welsh"], references=[blue[0].pixels])}
        assert np.array_equal(arrays["mean"].method.table, made["mean"].method.table)
        with pytest.raises(TypeError, match="references must be a sequence of photographs"):
            make_methods(["welsh"], references="album")
        with pytest.raises(ValueError, match=r"references\[0\]: pixels must be"):
            make_methods(["welsh"], references=[blue[0].pixels / 255])

    def test_the_tables_name_the_model_that_they_come_out_of(self, tiny_model):
        made = make_methods(["lookup", str(tiny_model)])
        assert made[0].description == "Of the training photographs of tiny: mean colour by lightness and height."
        assert make_methods(["mean"])[0].description.startswith("Of the training photographs of default: ")

    @pytest.mark.parametrize("models", [["default", "tiny"], ["tiny", "default"]])
    def test_beside_several_models_a_table_is_named_after_ones_own(self, tiny_model, tiny_colorizer, models):
        """The rules of the shipped model know other photographs: worse on these, they flattered one's own model."""
        paths = {"default": "default", "tiny": str(tiny_model)}
        made = make_methods(["gray", "mean", "lookup", *(paths[name] for name in models)])
        assert [method.name for method in made] == ["gray", "mean of tiny", "lookup of tiny", *models]
        own = tiny_colorizer.baselines_["L + height lookup"].table
        np.testing.assert_allclose(made[2].method.table, own, atol=0.01)  # stored in half precision

    def test_of_shipped_models_alone_the_first_one_lends_its_tables(self):
        assert make_methods(["classic", "lookup", "default"])[1].name == "lookup of classic"

    def test_tables_of_references_are_no_models(self, tiny_model, photos):
        made = make_methods(["mean", str(tiny_model), "default"], references=photos[:1])
        assert made[0].name == "mean"

    def test_only_what_has_a_setting_tells_it(self, tiny_model):
        made = make_methods(["gray", "mean", "encoder", str(tiny_model)], vividness=0.3)
        assert [method.vividness for method in made] == [None, None, 0.3, 0.3]

    def test_equal_file_names_are_told_apart(self, tiny_model, tmp_path):
        copy = tmp_path / "other" / "tiny.safetensors"
        copy.parent.mkdir()
        copy.write_bytes(tiny_model.read_bytes())
        names = [method.name for method in make_methods([str(tiny_model), str(copy)])]
        assert len(set(names)) == 2
        assert names[1] == "other/tiny"

    def test_no_file_takes_the_name_of_a_rule_or_of_another_file(self, tiny_model, tmp_path):
        files = [tmp_path / name for name in ("gray.safetensors", "a/m/x.safetensors", "b/m/x.safetensors")]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(tiny_model.read_bytes())
        names = [method.name for method in make_methods(["gray", str(files[0]), str(tiny_model)])]
        assert names == ["gray", f"{tmp_path.name}/gray", "tiny"]
        assert [method.name for method in make_methods([*map(str, files[1:])])] == [*map(str, files[1:])]

    def test_one_string_is_no_sequence_of_names(self):
        with pytest.raises(TypeError, match="specs must be a sequence of names, got the string 'gray'"):
            make_methods("gray")

    def test_one_file_is_one_method_however_it_is_named(self, tiny_model, tmp_path):
        (tmp_path / "link.safetensors").symlink_to(tiny_model)
        with pytest.raises(ValueError, match=r"named twice: .*tiny\.safetensors, .*link\.safetensors"):
            make_methods(["gray", str(tiny_model), str(tmp_path / "link.safetensors")])

    @pytest.mark.parametrize(
        ("specs", "error", "match"),
        [
            ([], ValueError, "at least one"),
            (["gray", "gray"], ValueError, "twice"),
            (["welsh"], DatasetError, "give some as references$"),
            ([Colorizer()], TypeError, "found by its name or its file, got Colorizer"),
            (["nonsense"], ModelFileError, "nonsense"),
        ],
    )
    def test_what_cannot_be_made(self, specs, error, match):
        with pytest.raises(error, match=match):
            make_methods(specs)


def test_peak_memory_sees_arrays():
    assert peak_memory(lambda: np.ones(10**6)) == pytest.approx(8e6, rel=0.05)
    assert peak_memory(lambda: None) < 1e5


def test_stage_memory_names_the_stages(tiny_colorizer, photos):
    memory = stage_memory(tiny_colorizer, to_gray(photos[0]))
    assert list(memory) == ["description", "classifier", "decision", "propagation", "whole photograph"]
    assert memory["whole photograph"] >= 0.5 * max(memory.values())


def test_oracles_are_ordered_by_what_they_know(tiny_colorizer, photos):
    result = measure(with_oracles(tiny_colorizer), photos[::4])
    assert list(result.figures) == ["model", *ORACLES]
    error = {name: row["ab_l2"] for name, row in result.means().items()}
    assert error["oracle: regions"] < error["oracle: palette"]
    assert error["oracle: regions"] < error["oracle: tint"] < error["model"]


def test_oracles_ask_the_model_for_the_photograph_at_hand(tiny_colorizer, photos):
    methods, fresh = with_oracles(tiny_colorizer), with_oracles(tiny_colorizer)
    grays = [to_gray(photo) for photo in photos[:2]]
    methods["model"](grays[0])
    truth = metrics.Truth(photos[1].pixels)
    late, alone = (oracle["oracle: regions"].function(grays[1], truth) for oracle in (methods, fresh))
    np.testing.assert_array_equal(late, alone)


def test_oracles_spread_their_colors_as_the_model_does(tiny_colorizer, photos):
    methods, gray, truth = with_oracles(tiny_colorizer), to_gray(photos[0]), metrics.Truth(photos[0].pixels)
    superpixels = methods["model"](gray).superpixels
    expected = Canvas(gray, superpixels).spread(true_region_ab(truth.ab, superpixels)).ab
    for name in ("oracle: palette", "oracle: regions"):  # the second goes on from the answer of the first
        field = methods[name].function(gray, truth)
    error = np.abs(field - expected)
    assert error.max() < 1.5  # the solver's tolerance is 1
    assert error.mean() < 0.02


class TestRealism:
    def test_the_same_statistics_cannot_be_told_apart(self):
        rows = np.random.default_rng(0).normal(size=(40, 12))
        assert two_sample_test(rows, rows).value == pytest.approx(0.5)

    def test_two_samples_of_one_kind_stay_near_a_guess(self):
        rng = np.random.default_rng(1)
        accuracy = two_sample_test(rng.normal(size=(60, 8)), rng.normal(size=(60, 8)))
        assert accuracy.low < 0.5 + 0.1  # 120 fair answers have a standard error of 0.05
        assert 0.35 < accuracy.value < 0.65

    def test_haze_is_recognised(self, photos):
        observer = RealismObserver()
        haze = {"haze": lambda gray: np.full((*gray.shape, 2), 6, np.float32)}
        measure({"true": WithTruth(lambda gray, truth: truth.ab), **haze}, photos, observers=[observer])
        verdicts = observer.verdicts()
        assert verdicts["haze"].value > 0.9
        assert verdicts["true"].value < 0.75

    def test_few_photographs_are_refused(self):
        rows = np.zeros((FEWEST_PHOTOS - 1, 3))
        with pytest.raises(DatasetError, match="at least 10"):
            two_sample_test(rows, rows)

    def test_statistics_are_finite_for_anything(self):
        for color in ((0, 0, 0), (255, 255, 255), (200, 10, 10)):
            for shape in ((24, 32), (1, 1), (1, 9), (9, 1)):
                assert np.isfinite(color_statistics(flat(color, shape).pixels)).all()
        deep = flat((200, 10, 10)).pixels.astype(np.uint16) * 257
        np.testing.assert_allclose(color_statistics(deep), color_statistics(flat((200, 10, 10)).pixels), atol=1e-3)
