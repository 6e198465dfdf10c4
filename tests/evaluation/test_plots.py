"""Plots of the reports: with crowded points, long names and large numbers, no text lies over another or is cut off."""

from itertools import combinations

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage

from colorize._support.labels import label_corners
from colorize._support.statistics import Interval
from colorize.evaluation import plots

matplotlib = pytest.importorskip("matplotlib")

NAMES = "gray|mean colour|L + height lookup|welsh|default|classic|encoder|encoder+levin|mine, with quite a long name"
METHODS = NAMES.split("|")
FAMILIES = "gabor lbp intensity position context scene shape surf semantic".split()  # noqa: SIM905


def texts(figure):
    """Boxes of all texts that are drawn, in pixels, a little smaller than they are."""
    from matplotlib.text import Text

    drawn, draw = [], Text.draw
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", lambda text, renderer: (drawn.append(text), draw(text, renderer)))
        figure.draw_without_rendering()
    named = {text: text.get_text() for text in drawn if text.get_visible() and text.get_text().strip()}
    assert named
    return {
        f"{name} {number}": Text.get_window_extent(text).padded(-1) for number, (text, name) in enumerate(named.items())
    }


def check(figure, *, rotated=()):
    """No text over another, none cut off; boxes of rotated texts say nothing of each other."""
    boxes = {name: box for name, box in texts(figure).items() if name.rsplit(" ", 1)[0] not in rotated}
    over = [(one, other) for one, other in combinations(boxes, 2) if boxes[one].overlaps(boxes[other])]
    assert over == []
    frame = figure.bbox.padded(1)
    assert [name for name, box in boxes.items() if not frame.containsx(box.x0) or not frame.containsx(box.x1)] == []


def around(value, width=0.3):
    return Interval(value, value - width, value + width)


@pytest.mark.parametrize("seed", range(4))
def test_names_of_crowded_methods(seed):
    rng = np.random.default_rng(seed)
    points = {name: (10 + 0.4 * rng.normal(), 0.8 + 0.1 * rng.normal()) for name in METHODS}
    points["gray"] = (11.9, 0.0)
    check(plots.trade_off(points))


def test_names_of_equal_methods():
    check(plots.trade_off(dict.fromkeys(METHODS[:5], (10.0, 0.5))))


def test_numbers_of_a_heat_map_stay_in_their_cells():
    values = 40 * np.random.default_rng(0).normal(size=(12, 9)) - 100
    rows = [f"strong yellowish green {number}" for number in range(12)]
    figure = plots.heatmap(
        values, rows, FAMILIES, "error", center=0.0, faint=values > -100, swatches=[[(0, 0, 0)]] * 12
    )
    check(figure, rotated=FAMILIES)


def test_nothing_has_no_sign_in_a_heat_map():
    figure = plots.heatmap(np.array([[-0.04, -0.06]]), ["a"], ["b", "c"], "error")
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.0", "−0.1"]


def test_other_plots_keep_their_texts_apart():
    rng = np.random.default_rng(0)
    rows = {name: [around(value) for value in rng.normal(size=2)] for name in METHODS}
    check(plots.intervals(rows, "added, nats", series=("across photographs", "within"), reference=0.0))
    check(plots.intervals({name: [around(50)] for name in METHODS}, "%", reference=50.0, note="cannot tell"))
    sizes = (25, 50, 100, 180, 190, 200)
    check(plots.curves({name: [(size, around(10)) for size in sizes] for name in METHODS[:5]}, "photographs", "error"))
    check(plots.curves({"model": [(200, around(10))]}, "photographs", "error"))
    check(plots.bars(dict.fromkeys(METHODS, 1.9), "seconds", "{:.3f}"))
    links = linkage(rng.random((9, 3)), "average")
    check(plots.redundancy(rng.random((9, 9)), links, FAMILIES, 0.5), rotated=FAMILIES)


def test_photographs_in_a_row_are_numbered_in_whole_numbers():
    figure = plots.ranked_errors({"model": np.arange(20.0)}, "error")
    ticks = figure.axes[0].get_xticks()
    assert len(ticks) > 2
    assert all(tick == round(tick) for tick in ticks)


def test_dollars_in_names_are_no_mathematics():
    rows = {name: [around(1)] for name in ("a$_$b", "$5 to $10")}
    with matplotlib.rc_context({"axes.formatter.use_mathtext": True}):
        text = plots.to_svg(plots.intervals(rows, "from $1 to $2"), "$ and $")
    for words in (">a$_$b<", ">$5 to $10<", ">from $1 to $2<"):
        assert words in text
    assert "mathdefault" not in text


def test_labels_without_room_lie_within_the_picture():
    corners = label_corners([(5, 5)] * 20, [(10, 30)] * 20, (40, 60), 3)
    assert len(set(corners)) > 5
    assert all(0 < top <= 30 and 0 < left <= 30 for top, left in corners)
    assert label_corners([(0, 0)], [(10, 30)], (2, 2), 3) == [(1, 1)]
