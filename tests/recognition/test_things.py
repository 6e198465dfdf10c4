"""Things: the likeliest set of regions, without holes, and strokes that slip."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.features.superpixels import from_labels
from colorize.recognition.things import HERE, MOST_AGAINST, SAME, SIMILAR, STEP, Things

ROWS, COLUMNS = 3, 5


def make_things(looks, rows=ROWS, columns=COLUMNS):
    """Regions in a grid, whose looks are one number each."""
    points = np.reshape(np.asarray(looks, float), (-1, 1))
    regions = from_labels(np.arange(rows * columns).reshape(rows, columns))
    return Things.of(points, regions, *nothing_known(len(points)))


def nothing_known(n):
    """One colour, which all regions have: no wish is likelier in one than in another."""
    return np.ones((n, 1), np.float32), np.zeros((1, 2), np.float32)


def slips(things, regions, ab, n_pixels, reach=HERE):
    """The same colour, or one for each, on some regions."""
    regions, colors = np.array(regions), np.broadcast_to(np.array(ab, float), (len(regions), 2))
    stroke = things.strokes(regions, colors, np.full(len(regions), reach))
    return things.slips(regions, colors, stroke, np.array(n_pixels))


def is_of_it(things, odds):
    """Which regions are of the one thing."""
    return things.likeliest(np.array(odds, float)[None]) == 0


def test_a_doubtful_region_within_a_thing_is_of_it_and_a_sure_one_outside_is_not():
    odds = np.full(ROWS * COLUMNS, 2.0)
    odds[7] = -1  # in the middle, all around are of the thing
    assert is_of_it(make_things(np.zeros(15)), odds).all()
    odds[7] = -15
    assert np.flatnonzero(~is_of_it(make_things(np.zeros(15)), odds)).tolist() == [7]
    alone = np.full(ROWS * COLUMNS, -2.0)
    alone[7] = 1
    assert not is_of_it(make_things(np.zeros(15)), alone).any()


def test_a_thing_ends_at_the_edge_and_not_where_its_odds_do():
    columns = np.tile(np.arange(COLUMNS), ROWS)
    things = make_things(np.where(columns < 4, 0, 9))
    assert (is_of_it(things, 1.8 - columns) == (columns < 4)).all()  # the odds alone: columns 0 and 1


@pytest.mark.slow
@given(st.data(), st.integers(1, 2))
def test_no_other_things_are_likelier(data, n_things):
    looks = data.draw(st.lists(st.floats(0, 2), min_size=6, max_size=6))
    odds = data.draw(st.lists(st.lists(st.floats(-4, 4), min_size=6, max_size=6), min_size=n_things, max_size=n_things))
    things, odds = make_things(looks, 2, 3), np.array(odds)
    low, high = from_labels(np.arange(6).reshape(2, 3)).adjacency.T
    tie = np.maximum(SAME - STEP * np.abs(np.subtract(*np.array(looks)[[low, high]])), 0)

    def score(chosen):
        chosen = np.array(chosen)
        own = np.vstack([odds, np.zeros(6)])[chosen, np.arange(6)]
        return own.sum() - tie[chosen[low] != chosen[high]].sum()

    most = max(score(chosen) for chosen in product(range(-1, n_things), repeat=6))
    found = score(things.likeliest(odds))
    if n_things == 1:
        assert found == pytest.approx(most, abs=0.01)  # odds are rounded to 1e-4, 13 numbers
    else:  # expansion ends within twice the loss of the best (Boykov, Veksler and Zabih 2001, theorem 6.1)
        best_alone = np.maximum(odds.max(axis=0), 0).sum()
        assert best_alone - found <= 2 * (best_alone - most) + 0.01


@pytest.mark.parametrize("odds", [3.0, -3.0, 1e6, -1e6])
def test_one_region_and_odds_of_any_size(odds):
    assert is_of_it(make_things([0], 1, 1), [odds]).tolist() == [odds > 0]


def test_looks_may_be_as_far_apart_as_they_like():
    things = make_things([0, 1e3, 0, 1e6], 1, 4)
    assert things.likeliest(things.log_odds(np.array([0]), np.array([HERE]), np.zeros((1, 2))))[[1, 3]].tolist() == [
        -1,
        -1,
    ]
    assert (slips(things, [0, 1, 3], (40, 20), [9, 9, 9]) == 1).all()  # none of them agrees with another


def test_two_strokes_on_one_thing_share_it_along_a_short_line():
    columns = np.tile(np.arange(COLUMNS), ROWS)
    odds = np.stack([2.0 - columns, columns - 2.0])
    odds[:, 7] = [-1, 0]  # alone it would be of none or of either
    things = make_things(np.zeros(15)).likeliest(odds)
    assert set(things[columns < 2]) == {0}
    assert set(things[columns > 2]) == {1}
    assert -1 not in things


def test_a_stroke_that_runs_out_onto_another_thing_is_doubted_there():
    things = make_things([0, 0.1, 0, 4, 4], 1, 5)
    found = slips(things, [0, 1, 2, 3], (40, 20), [30, 40, 30, 15])
    assert (found[:3] == 1).all()
    assert found[3] > 20
    assert (slips(things, [0, 1, 2], (40, 20), [30, 40, 30]) == 1).all()
    # so does one that names two things in equal parts: nobody can say which was meant
    assert (slips(things, [1, 2, 3, 4], (40, 20), [30, 30, 30, 30]) == 1).all()


def test_what_is_another_stroke_is_no_slip():
    things = make_things([0, 0, 0, 4, 4], 1, 5)
    apart = slips(things, [0, 1, 4], (40, 20), [50, 50, 5])
    other_color = slips(things, [1, 2, 3], [(40, 20), (40, 20), (-30, 0)], [50, 50, 5])
    for found in (apart, other_color):
        assert found.tolist() == [1, 1, 1]
    assert slips(things, [3], (0, 0), [1]).tolist() == [1]


def test_pink_where_the_rest_is_red_is_doubted():
    things = make_things([0, 0, 0], 1, 3)
    found = slips(things, [0, 1, 2], [(46, 37), (46, 37), (10, 8)], [40, 40, 40])
    assert found[2] > 10 * found[0]
    grays = slips(things, [0, 1, 2], (0, 0), [40, 40, 40])
    assert grays.tolist() == [1, 1, 1]


def test_reaches_are_strokes_of_their_own():
    things, two = make_things([0, 0, 0], 1, 3), np.full((3, 2), 20.0)
    first, second, third = things.strokes(np.arange(3), two, np.array([HERE, HERE, SIMILAR]))
    assert first == second != third


def test_a_thing_leaves_what_can_hardly_have_its_color():
    """Skin beside red cloth that looks much like it: not what is wished decides, but how likely it is there."""
    red, skin = (45.0, 25.0), (15.0, 20.0)
    colors = np.array([red, skin], np.float32)
    chances = np.float32([[0.5, 0.5], [0.5, 0.5], [0.02, 0.98], [0.5, 0.5]])
    regions = from_labels(np.repeat([[0, 1, 2, 3]], 4, axis=0))
    things = Things.of(np.array([[0.0], [0.1], [1.2], [2.0]]), regions, chances, colors)

    def odds(wish):
        return things.log_odds(np.array([0]), np.array([HERE]), np.array([wish]))[0]

    plain = odds(skin)  # as likely in the hinted region as anywhere
    np.testing.assert_allclose((plain - odds(red))[[0, 1, 3]], 0, atol=1e-6)
    assert (plain - odds(red))[2] == pytest.approx(MOST_AGAINST)
    far_off = (-60.0, -60.0)  # impossible everywhere alike
    np.testing.assert_allclose(odds(far_off), plain, atol=1e-6)
