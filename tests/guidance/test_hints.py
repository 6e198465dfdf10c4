"""Hints: what was drawn is what is wanted, at every size, and what cannot be meant is refused in one line."""

import dataclasses
import inspect
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from colorize.exceptions import HintsError
from colorize.guidance.hints import DEFAULT_REACH, Hints, Mark, parse_color
from colorize.types import REACHES

SHAPE = (40, 60)
RED, GREEN = (200, 30, 30), (30, 160, 40)


def layer_with(*patches, shape=SHAPE):
    layer = np.zeros((*shape, 4), np.uint8)
    for place, color in patches:
        layer[place] = (*color, 255)
    return layer


def text_with(*items, **others):
    return json.dumps({"photo": {"height": 40, "width": 60}, "hints": list(items)} | others)


POINT = {"kind": "point", "at": [[10, 20]], "color": "#c81e1e"}


# Layers


def test_a_layer_is_wanted_where_it_is_not_transparent():
    layer = layer_with((np.s_[5:9, 10:20], RED), (np.s_[30, 3], (90, 90, 90)))
    layer[0, 0] = (1, 2, 3, 1)
    pixels = Hints.from_rgba(layer, SHAPE).rasterize(SHAPE)
    np.testing.assert_array_equal(pixels.is_known, layer[..., 3] > 0)
    np.testing.assert_array_equal(pixels.rgb[pixels.is_known], layer[..., :3][pixels.is_known])
    assert pixels.notes == ()


def test_a_layer_of_16_bits_is_read_too():
    layer = layer_with((np.s_[5:9, 10:20], RED))
    pixels = Hints.from_rgba(layer.astype(np.uint16) * 257, SHAPE).rasterize(SHAPE)
    assert pixels.rgb[6, 12].tolist() == list(RED)


@given(arrays(np.uint8, (4, 5, 4), elements=st.sampled_from([0, 90, 255])))
def test_layers_survive_json(layer):
    if not layer[..., 3].any():
        return
    hints = Hints.from_rgba(layer, (4, 5))
    again = Hints.from_json(hints.to_json())
    before, after = hints.rasterize((4, 5)), again.rasterize((4, 5))
    np.testing.assert_array_equal(before.is_known, after.is_known)
    np.testing.assert_array_equal(before.rgb, after.rgb)


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_a_small_layer_fills_the_large_photograph(factor):
    layer = layer_with((np.s_[5:9, 10:20], RED))
    pixels = Hints.from_rgba(layer, (40 * factor, 60 * factor)).rasterize((40 * factor, 60 * factor))
    expected = np.kron(layer[..., 3] > 0, np.ones((factor, factor))) > 0
    np.testing.assert_array_equal(pixels.is_known, expected)


@pytest.mark.parametrize("shape", [(300, 301), (301, 300), (299, 301), (301, 299)])
def test_a_layer_whose_sides_were_rounded_otherwise_has_neither_gaps_nor_lost_lines(shape):
    whole = layer_with((np.s_[:], RED), shape=(300, 300))
    assert Hints.from_rgba(whole, shape).rasterize(shape).is_known.all()
    for k in (0, 150, 299):
        row, column = (layer_with((place, RED), shape=(300, 300)) for place in (np.s_[k], np.s_[:, k]))
        assert Hints.from_rgba(row, shape).rasterize(shape).is_known.all(axis=1).any()
        assert Hints.from_rgba(column, shape).rasterize(shape).is_known.all(axis=0).any()


def test_a_thin_line_does_not_get_lost_in_a_small_photograph():
    layer = layer_with((np.s_[:, 17], RED), shape=(400, 600))
    assert Hints.from_rgba(layer, SHAPE).rasterize(SHAPE).is_known[:, 1].all()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (np.zeros((40, 60, 4), np.uint8), "the hint layer is transparent everywhere"),
        (np.zeros((40, 60, 3), np.uint8), r"must be an RGBA picture, \(h, w, 4\) of uint8, got uint8 of shape"),
        (np.zeros((40, 60, 4)), "must be an RGBA picture, .* got float64"),
        (np.ma.masked_less(np.zeros((40, 60, 4), np.uint8), 1), "layer has masked places"),
        (np.full((60, 40, 4), 255, np.uint8), "60 x 40 pixels .* 40 x 60: they must have the same aspect ratio"),
    ],
)
def test_what_is_no_layer_for_this_photograph(layer, message):
    with pytest.raises(HintsError, match=message):
        Hints.from_rgba(layer, SHAPE)


@pytest.mark.parametrize("shape", [(41, 60), (399, 600), (13, 20), (20, 30), (2667, 4000)])
def test_rounding_of_sizes_is_no_other_aspect_ratio(shape):
    Hints(SHAPE, (Mark("point", [[20, 30]], RED, 5),)).rasterize(shape)


# Marks


def test_type_checkers_take_lists_of_places():
    # As docs/hints.md writes them: with an array asked for, `mypy --strict` refused the page's own example.
    assert inspect.get_annotations(Mark.__init__)["places"] == "ArrayLike"
    mark = Mark("point", [[10, 20]], RED)
    assert dataclasses.replace(mark, radius=9).places.tolist() == [[10, 20]]


def test_points_are_discs():
    is_known = Hints(SHAPE, (Mark("point", [[10, 20], [30, 50]], RED, radius=4),)).rasterize(SHAPE).is_known
    rows, columns = np.indices(SHAPE)
    distance = np.minimum(np.hypot(rows - 10, columns - 20), np.hypot(rows - 30, columns - 50))
    assert is_known[distance <= 3.4].all()
    assert not is_known[distance > 4.8].any()


def test_the_smallest_point_is_one_pixel():
    is_known = Hints(SHAPE, (Mark("point", [[10, 20]], RED, radius=0),)).rasterize(SHAPE).is_known
    assert is_known[10, 20]
    assert is_known.sum() == 1


def test_strokes_are_lines_and_regions_are_filled():
    stroke = Mark("stroke", [[5, 5], [5, 50], [30, 50]], RED, radius=2)
    region = Mark("region", [[20, 5], [20, 30], [35, 30], [35, 5]], GREEN)
    pixels = Hints(SHAPE, (stroke, region)).rasterize(SHAPE)
    assert (pixels.rgb[5, 5:50] == RED).all()
    assert (pixels.rgb[5:30, 50] == RED).all()
    assert (pixels.rgb[21:35, 6:30] == GREEN).all()
    assert not pixels.is_known[12:18, 10:40].any()


@pytest.mark.slow
@pytest.mark.parametrize("radius", [16_384, 100_000])
def test_a_stroke_as_thick_as_allowed_covers_the_photograph(radius):
    hints = Hints(SHAPE, (Mark("stroke", [[5, 5], [30, 50]], RED, radius=radius),))
    assert hints.rasterize(SHAPE).is_known.all()
    assert hints.rasterize((4000, 6000)).is_known.all()


@pytest.mark.parametrize("far", [1e6, 1e11])
@pytest.mark.parametrize("way", [(1.0, 0.2), (-0.7, 1.0), (-1.0, -1.0), (0.0, 1.0)])
def test_lines_that_lead_far_away_keep_their_direction(far, way):
    shape, middle, way = (120, 120), np.array([60.0, 60.0]), np.array(way)
    across = way[::-1] * (1, -1)

    def covered(length):
        stroke = Mark("stroke", [middle, middle + length * way], RED, radius=2)
        region = Mark("region", [middle - 200 * way, middle + length * way, middle + length * across], RED)
        return [Hints(shape, (mark,)).rasterize(shape).is_known for mark in (stroke, region)]

    for one, other in zip(covered(far), covered(2000), strict=True):
        assert (one != other).sum() <= 60  # single pixels along the lines


@pytest.mark.parametrize("kind", ["point", "stroke", "region"])
@pytest.mark.parametrize("factor", [0.5, 2, 10])
def test_marks_scale_with_the_photograph(kind, factor):
    hints = Hints((400, 600), (Mark(kind, [[100, 100], [100, 400], [300, 300]], RED, radius=20),))
    shape = (int(400 * factor), int(600 * factor))
    share, expected = (hints.rasterize(size).is_known.mean() for size in (shape, (400, 600)))
    assert share == pytest.approx(expected, rel=0.06)  # the outline, at half size


def test_a_hint_is_meant_for_its_thing_unless_said_otherwise():
    layer = np.full((*SHAPE, 4), 255, np.uint8)
    text = text_with(POINT)
    for hints in (Hints.from_rgba(layer, SHAPE), Hints(SHAPE, (Mark("point", [[1, 1]]),)), Hints.from_json(text)):
        assert hints.marks[0].reach == DEFAULT_REACH == "here"
    assert Hints.from_rgba(layer, SHAPE, reach="photo").marks[0].reach == "photo"
    with pytest.raises(HintsError, match="reach must be one of photo, similar, here, pixels, got 'far'"):
        Hints.from_rgba(layer, SHAPE, reach="far")


def test_reach_is_kept_per_pixel():
    marks = [Mark("point", [[10, 10 + 20 * k]], RED, reach=reach) for k, reach in enumerate(REACHES)]
    reach = Hints(SHAPE, tuple(marks)).rasterize(SHAPE).reach
    assert reach[10, [10, 30, 50]].tolist() == [0, 1, 2]


def test_the_later_of_two_hints_counts_and_it_is_reported():
    one, other = Mark("point", [[10, 20]], RED, radius=0), Mark("point", [[10, 20]], GREEN, radius=3)
    for first, second in ((one, other), (other, one)):
        pixels = Hints(SHAPE, (first, second)).rasterize(SHAPE)
        assert tuple(pixels.rgb[10, 20]) == second.color
        assert pixels.notes == ("1 pixels were hinted twice with different colours; the later hint counts",)
    assert Hints(SHAPE, (one, one)).rasterize(SHAPE).notes == ()


def test_points_outside_are_reported():
    mark = Mark("point", [[10, 20], [400, 20]], RED)
    pixels = Hints(SHAPE, (mark, Mark("point", [[-9, 5]], RED))).rasterize(SHAPE)
    assert pixels.notes == (
        "hint 1: (400, 20) lies outside the photo of 40 x 60 pixels; the part inside counts",
        "hint 2: (-9, 5) lies outside the photo of 40 x 60 pixels; it is left out",
    )


@pytest.mark.parametrize("places", [[[1e9, 1e9]], [[-1e308, 5]], [[40, 5]]])
def test_nothing_inside_is_an_error(places):
    with pytest.raises(HintsError, match="none of the hints lies on the photo"):
        Hints(SHAPE, (Mark("point", places, RED, radius=0),)).rasterize(SHAPE)


def test_no_hints_is_an_error():
    with pytest.raises(HintsError, match="there are no hints"):
        Hints(SHAPE).rasterize(SHAPE)


def test_hints_are_joined():
    joined = Hints(SHAPE, (Mark("point", [[5, 5]], RED),)) + Hints(SHAPE, (Mark("point", [[5, 5]], GREEN),))
    assert tuple(joined.rasterize(SHAPE).rgb[5, 5]) == GREEN
    assert len(joined) == 2
    with pytest.raises(HintsError, match="cannot be joined"):
        _ = joined + Hints((41, 60))


# JSON


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["point", "stroke", "region"]),
            st.lists(st.tuples(st.floats(-50, 80), st.floats(-50, 80)), min_size=3, max_size=5),
            st.tuples(*[st.integers(0, 255)] * 3),
            st.floats(0, 20),
            st.sampled_from(REACHES),
        ),
        max_size=4,
    )
)
def test_json_gives_back_what_was_written(items):
    hints = Hints(SHAPE, tuple(Mark(*item) for item in items))
    again = Hints.from_json(hints.to_json())
    assert again.shape == SHAPE
    for one, other in zip(hints.marks, again.marks, strict=True):
        assert (one.kind, one.color, one.reach) == (other.kind, other.color, other.reach)
        np.testing.assert_array_equal(one.places, other.places)
        assert one.kind == "region" or one.radius == other.radius


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the hints are no JSON"),
        ("[" * 100_000, "the hints are no JSON"),
        ("[]", "the hints must be an object"),
        ('{"hints": 3}', "the hints must be an object"),
        ('{"hints": []}', "must tell the photo they were drawn on"),
        (text_with(photo={"height": 40}), "must tell the photo they were drawn on"),
        (text_with(photo={"height": 40, "width": "wide"}), "must be 1 to 100000 pixels high and wide"),
        (text_with(photo={"height": 10**5, "width": 10**5}), "may have 250000000 pixels at most"),
        (text_with(version=2), "the hints have version 2; this release reads 1"),
        (text_with(7), "hint 1: must be an object with kind, places and color, got int"),
        (text_with(POINT, {"kind": "blob"}), "hint 2: kind must be one of point, stroke, region, pixels, got 'blob'"),
        (text_with({"kind": "point", "color": "#000000"}), "hint 1: 'at' is missing"),
        (text_with({"kind": "point", "at": [[1, 2]]}), "hint 1: 'color' is missing"),
        (text_with(POINT | {"size": 3}), "hint 1: 'size' is not understood"),
        (text_with(POINT | {"color": "red"}), "hint 1: color must be written #rrggbb, got 'red'"),
        (text_with(POINT | {"color": None}), "hint 1: color must be written #rrggbb, got None"),
        (text_with(POINT | {"reach": "everywhere"}), "hint 1: reach must be one of photo, similar, here, pixels"),
        (text_with(POINT | {"radius": -1}), "hint 1: radius must be a number of pixels, at least 0, got -1"),
        (text_with(POINT | {"at": [1, 2]}), r"hint 1: at must be a list of \[row, column\]"),
        (text_with(POINT | {"at": [["a", 2]]}), r"hint 1: at must be a list of \[row, column\]"),
        (text_with(POINT | {"at": []}), r"hint 1: at must be a list of \[row, column\]"),
        (text_with({"kind": "region", "polygon": [[0, 0], [1, 1]], "color": "#000000"}), "needs at least 3 places"),
        (text_with({"kind": "pixels", "runs": [[0, 0, 0, "#000000"]]}), "lengths of at least 1"),
        (text_with({"kind": "pixels", "runs": [[0.5, 0, 1, "#000000"]]}), "whole numbers of pixels"),
        (
            text_with({"kind": "pixels", "runs": [[0, 0, 1]]}),
            r"hint 1: runs must be a list of \[row, column, length, \"#",
        ),
        (text_with({"kind": "pixels", "runs": [[0, 0, 1, "red"]]}), "hint 1: color must be written #rrggbb, got 'red'"),
    ],
)
def test_json_that_says_something_else(text, message):
    with pytest.raises(HintsError, match=message) as caught:
        Hints.from_json(text)
    assert "\n" not in str(caught.value)


def test_runs_that_would_fill_the_memory_are_refused():
    mark = Mark("pixels", [[0, 0, 60, *RED]] * 41)
    with pytest.raises(HintsError, match="runs name more pixels than the photo of 40 x 60 has"):
        Hints(SHAPE, (mark,)).rasterize(SHAPE)


def test_colors():
    assert parse_color("#C81e1E") == RED
    with pytest.raises(HintsError, match=r"color must be three whole numbers in 0\.\.255"):
        Mark("point", [[1, 2]], (1, 2, 300))
    with pytest.raises(HintsError, match=r"color must be three whole numbers in 0\.\.255, got None"):
        Mark("point", [[1, 2]], None)


@pytest.mark.parametrize("radius", [np.float32(2.5), np.int64(2)])
def test_numbers_of_numpy_go_into_json(radius):
    hints = Hints(SHAPE, (Mark("point", np.array([[1, 2]]), np.uint8(RED), radius=radius),))
    assert Hints.from_json(hints.to_json()).marks[0].radius == radius


@pytest.mark.parametrize("shape", [(*SHAPE, 3), 40, None, np.zeros((2, 3))])
def test_a_shape_is_height_and_width(shape):
    with pytest.raises(HintsError, match="must be 1 to 100000 pixels high and wide, got"):
        Hints(shape)


@pytest.mark.parametrize("marks", [Mark("point", [[1, 2]]).places, None, [POINT], ["here"]])
def test_marks_are_marks(marks):
    with pytest.raises(HintsError, match="marks must be a sequence of Mark, got one of"):
        Hints(SHAPE, marks)


def test_a_file_of_hints_is_not_their_text(tmp_path):
    with pytest.raises(TypeError, match=r"text must be a str, got \w*Path; Path\.read_text gives that of a file"):
        Hints.from_json(tmp_path / "hints.json")
