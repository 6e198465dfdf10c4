"""Value types: what they refuse, that they cannot be changed; the error classes; the doctests of the package."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colorize
from colorize import exceptions
from colorize._support.optional import import_or_raise
from colorize.exceptions import ColorizeError, InvalidImageError, MissingDependencyError
from colorize.model import as_gray_image, as_rgb_image
from colorize.types import (
    ColorField,
    Colorization,
    ColorizedPhoto,
    FeatureMatrix,
    GrayImage,
    RgbImage,
    SolveReport,
    Superpixels,
    check_rgb_image,
)

MODULES = ["colorize", *(info.name for info in pkgutil.walk_packages(colorize.__path__, "colorize."))]


def two_regions(**changes):
    fields = {
        "labels": np.array([[0, 0, 1], [0, 1, 1]], np.int32),
        "adjacency": np.array([[0, 1]], np.int32),
        "areas": np.array([3, 3], np.float32),
        "centroids": np.array([[0.3, 0.3], [0.7, 1.7]], np.float32),
    }
    return Superpixels(**(fields | changes))


def colorization(**changes):
    fields = {
        "image": RgbImage(np.full((2, 3, 3), 7, np.uint8)),
        "field": ColorField(np.ones((2, 3, 2), np.float32), np.full((2, 3), 0.5, np.float32)),
        "superpixels": two_regions(),
        "probabilities": np.full((2, 4), 0.25, np.float32),
        "region_ab": np.zeros((2, 2), np.float32),
        "report": SolveReport("direct", 0, 0.0, True, 0.1, 100, (2, 3)),
        "timings": {"solve": 0.1},
    }
    return Colorization(**(fields | changes))


@given(
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    with_alpha=st.booleans(),
)
def test_rgb_image_takes_every_legal_photograph(height, width, dtype, with_alpha):
    alpha = np.zeros((height, width), dtype) if with_alpha else None
    image = RgbImage(np.zeros((height, width, 3), dtype), alpha)
    assert image.shape == (height, width)
    assert image.bit_depth == 8 * np.dtype(dtype).itemsize


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2, 3), np.float32),
        np.zeros((2, 2, 3), np.int16),
        np.zeros((0, 2, 3), np.uint8),
        [[[0, 0, 0]]],
        None,
    ],
)
def test_rgb_image_refuses(pixels):
    with pytest.raises(InvalidImageError, match="got"):
        RgbImage(pixels)


@pytest.mark.parametrize(
    "make",
    [
        lambda extras: RgbImage(np.zeros((2, 2, 3), np.uint8), **extras),
        lambda extras: GrayImage(np.zeros((2, 2), np.float32), **extras),
    ],
)
def test_what_goes_with_pixels_is_named_when_it_is_wrong(make):
    with pytest.raises(InvalidImageError, match=r"alpha must be .* got list"):
        make({"alpha": [[0, 0], [0, 0]]})
    for metadata in (None, {"dpi": (300, 300)}):
        with pytest.raises(TypeError, match="metadata must be a PhotoMetadata, got"):
            make({"metadata": metadata})


def test_what_a_mask_hides_is_no_photograph():
    mask = np.eye(3, dtype=bool)
    pixels = np.ma.array(np.zeros((3, 3, 3), np.uint8), mask=np.dstack([mask] * 3))
    for make in (
        lambda: RgbImage(pixels),
        lambda: as_rgb_image(pixels),
        lambda: as_gray_image(np.ma.array(pixels[..., 0], mask=mask)),
    ):
        with pytest.raises(InvalidImageError, match=r"^pixels has masked places.*pixels\.filled\(value\)"):
            make()
    with pytest.raises(InvalidImageError, match=r"^lightness has masked places"):
        GrayImage(np.ma.array(np.zeros((3, 3), np.float32), mask=mask))
    assert RgbImage(np.ma.array(pixels.data)).shape == (3, 3)


def test_a_result_is_no_photograph_but_holds_one():
    with pytest.raises(InvalidImageError, match=r"image must be an RgbImage, got Colorization \(its .image is one\)"):
        check_rgb_image(colorization())
    check_rgb_image(colorization().image)


@pytest.mark.parametrize("alpha", [np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.uint16)])
def test_alpha_must_fit(alpha):
    with pytest.raises(InvalidImageError, match="alpha"):
        RgbImage(np.zeros((2, 2, 3), np.uint8), alpha)
    with pytest.raises(InvalidImageError, match="alpha"):
        GrayImage(np.zeros((2, 2), np.float32), alpha=alpha)


@given(st.floats(0, 100, width=32))
def test_gray_image_takes_every_lightness(value):
    image = GrayImage(np.full((1, 2), value, np.float32))
    assert image.shape == (1, 2)
    assert image.bit_depth == 8


@pytest.mark.parametrize("value", [-0.5, 100.5, np.nan, np.inf, -np.inf])
def test_gray_image_refuses_what_is_no_lightness(value):
    lightness = np.full((2, 2), 50, np.float32)
    lightness[1, 0] = value
    with pytest.raises(InvalidImageError, match=r"L\* in \[0, 100\]"):
        GrayImage(lightness)


def test_gray_image_refuses_other_shapes_types_and_depths():
    for wrong in (np.zeros((2, 2)), np.zeros((2, 2, 1), np.float32), np.zeros((0, 3), np.float32), "gray"):
        with pytest.raises(InvalidImageError, match="got"):
            GrayImage(wrong)
    with pytest.raises(InvalidImageError, match="bit_depth"):
        GrayImage(np.zeros((2, 2), np.float32), bit_depth=12)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"labels": np.array([[0, 1]], np.int64)}, "labels"),
        ({"labels": np.array([0, 1], np.int32)}, "labels"),
        ({"labels": np.array([[0, 2]], np.int32)}, "0 to 1"),
        ({"labels": np.array([[1, 1]], np.int32)}, "0 to 1"),
        ({"adjacency": np.array([0, 1], np.int32)}, "adjacency"),
        ({"centroids": np.zeros((3, 2), np.float32)}, "centroids"),
    ],
)
def test_superpixels_refuse(changes, match):
    with pytest.raises(ValueError, match=match):
        two_regions(**changes)


def test_superpixels_know_their_size():
    regions = two_regions()
    assert regions.n_superpixels == 2
    assert regions.shape == (2, 3)


def feature_matrix(stop=3, n_names=3, **families):
    families = families or {"gabor": slice(0, 2), "surf": slice(2, stop)}
    return FeatureMatrix(np.arange(6, dtype=np.float32).reshape(2, 3), families, tuple("abcdef"[:n_names]))


def test_feature_matrix_gives_families_by_name():
    matrix = feature_matrix()
    np.testing.assert_array_equal(matrix.family("surf"), [[2], [5]])
    assert list(matrix.families) == ["gabor", "surf"]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"n_names": 2}, "3 columns"),
        ({"stop": 4}, "families"),
        ({"a": slice(0, 1), "b": slice(2, 3)}, "families"),
        ({"a": slice(1, 3)}, "families"),
    ],
)
def test_feature_matrix_refuses(changes, match):
    with pytest.raises(ValueError, match=match):
        feature_matrix(**changes)


def test_color_field_refuses():
    with pytest.raises(ValueError, match="ab must be"):
        ColorField(np.zeros((2, 2, 3), np.float32), np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="confidence must be"):
        ColorField(np.zeros((2, 2, 2), np.float32), np.zeros((2, 3), np.float32))


def test_confidence_on_a_smaller_grid_is_enlarged_when_it_is_asked_for():
    color = ColorField(np.zeros((4, 8, 2), np.float32), np.float32([[0, 1]]))
    assert color.confidence.tolist() == [[0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1]] * 4
    assert color.confidence is color.confidence
    assert not color.confidence.flags.writeable


def test_colorization_shows_its_parts():
    result = colorization()
    assert result.rgb is result.image.pixels
    assert result.ab is result.field.ab
    assert result.confidence is result.field.confidence


def test_colorization_refuses_what_does_not_fit_the_regions():
    with pytest.raises(ValueError, match="probabilities must have 2 rows"):
        colorization(probabilities=np.zeros((3, 4), np.float32))
    with pytest.raises(ValueError, match="region_ab"):
        colorization(region_ab=np.zeros((3, 2), np.float32))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (RgbImage(np.zeros((2, 2, 3), np.uint8)), "pixels"),
        (RgbImage(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8)), "alpha"),
        (GrayImage(np.zeros((2, 2), np.float32)), "lightness"),
        (GrayImage(np.zeros((2, 2), np.float32), 8, np.zeros((2, 2), np.uint8)), "alpha"),
        (two_regions(), "labels"),
        (feature_matrix(), "values"),
        (colorization().field, "ab"),
        (colorization(), "probabilities"),
    ],
)
def test_values_cannot_be_changed(value, name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(value, name)[0] = 1
    with pytest.raises(AttributeError):
        setattr(value, name, None)


def test_mappings_cannot_be_changed():
    with pytest.raises(TypeError):
        colorization().timings["solve"] = 0
    with pytest.raises(TypeError):
        feature_matrix().families["new"] = slice(0, 1)


def test_a_colorized_photo_checks_its_colours():
    image = RgbImage(np.full((2, 3, 3), 7, np.uint8))
    photo = ColorizedPhoto(image, np.ones((2, 3, 2), np.float32), {"network": 0.1})
    assert photo.rgb is image.pixels
    with pytest.raises(ValueError, match="read-only"):
        photo.ab[0] = 0
    with pytest.raises(TypeError):
        photo.timings["new"] = 1
    with pytest.raises(ValueError, match=r"ab must be \(2, 3, 2\) float32"):
        ColorizedPhoto(image, np.ones((3, 2, 2), np.float32), {})


def test_the_array_given_stays_writable():
    pixels = np.zeros((2, 2, 3), np.uint8)
    RgbImage(pixels)
    pixels[0] = 1


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("InvalidImageError", ValueError),
        ("ImageTooLargeError", ValueError),
        ("DatasetError", ValueError),
        ("ModelFileError", ValueError),
        ("OutputError", OSError),
        ("OutputExistsError", FileExistsError),
        ("OutputFormatError", ValueError),
        ("MissingDependencyError", ImportError),
        ("TrainingError", ArithmeticError),
        ("DeviceError", RuntimeError),
    ],
)
def test_errors_are_also_what_a_caller_expects(name, builtin):
    error = getattr(exceptions, name)
    assert issubclass(error, ColorizeError)
    assert issubclass(error, builtin)


def test_missing_library_names_its_extra():
    with pytest.raises(MissingDependencyError, match=r"'\.\[refine\]'"):
        import_or_raise("a_library_that_nobody_has", extra="refine")


def test_broken_library_keeps_its_own_message(tmp_path, monkeypatch):
    (tmp_path / "broken_library.py").write_text("import a_part_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_part_that_is_missing"):
        import_or_raise("broken_library", extra="refine")


def test_values_are_shown_without_their_pixels():
    photo = RgbImage(np.zeros((2, 3, 3), np.uint16), np.zeros((2, 3), np.uint16))
    assert repr(photo) == "RgbImage(2 rows x 3 columns, 16 bits, with alpha)"
    gray = GrayImage(np.zeros((2, 3), np.float32))
    assert repr(gray) == "GrayImage(2 rows x 3 columns, 8 bits)"
    assert repr(colorization()) == "Colorization(2 rows x 3 columns, 8 bits; 2 regions, 4 palette colours)"


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_registered")
@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        if not isinstance(error, MissingDependencyError) and error.name not in {"gradio", "torch"}:
            raise
        pytest.skip(str(error))
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
