"""The belief: hints are heard where they reach, variance only falls, and clicks go where they tell most."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

import colorize.recognition.belief
from colorize.features.superpixels import from_labels
from colorize.recognition.belief import (
    NOISE,
    Appearance,
    Observations,
    appearance,
    hint_noise,
    learnt_elsewhere,
    prior,
    surface_covariance,
)
from colorize.recognition.things import Things
from colorize.types import REACHES

ROWS, COLUMNS = 4, 6
N = ROWS * COLUMNS
PHOTO, SIMILAR, HERE = range(3)
SCENE = np.zeros(4)
NOTHING_KNOWN = np.ones((N, 1), np.float32), np.zeros((1, 2), np.float32)  # of the colours of regions
LEFT = np.arange(N) % COLUMNS < 3  # a dark half and a light half, which look unlike


def make_prior(*, mean=0.0, areas=None):
    labels = np.arange(N).reshape(ROWS, COLUMNS)
    if areas is not None:
        labels = np.repeat(labels, areas, axis=1)
    lightness = np.where(LEFT, 20, 80).astype(np.float32)
    rng = np.random.default_rng(0)
    points = np.where(LEFT, 0, 3)[:, None] + 0.2 * rng.normal(size=(N, 3))
    looks = Appearance(points, 2 * points, np.full((N, 2), [10.0, 20.0]), SCENE)
    regions = from_labels(labels)
    return prior(np.full((N, 2), mean), looks, Things.of(points, regions, *NOTHING_KNOWN), regions, lightness)


def tell(belief, *hints, noise=1e-6):
    """Hints are (region, (a, b), reach), a stroke each."""
    regions, ab, reach = (np.array(values) for values in zip(*hints, strict=True))
    n = len(regions)
    return belief.posterior(Observations(regions, ab.astype(float), np.full(n, noise), reach, np.arange(n)))


def test_several_wishes_judged_alike_are_heard_at_once():
    belief, regions = make_prior(), np.array([3, 8, 20])
    said = Observations(
        regions, np.array([[30.0, 0], [0, 40], [-20, 5]]), np.full(3, NOISE), np.array([2, 1, 0]), regions
    )
    several = np.random.default_rng(1).normal(0, 20, (4, 3, 2))
    means = belief.posterior(said._replace(ab=several), said).mean
    for ab, mean in zip(several, means, strict=True):
        np.testing.assert_allclose(mean, belief.posterior(said._replace(ab=ab), said).mean, atol=1e-9)


@pytest.mark.parametrize("reach", range(3))
def test_a_hint_is_met_at_its_region(reach):
    told = tell(make_prior(), (8, (30, -20), reach))
    np.testing.assert_allclose(told.mean[8], [30, -20], rtol=1e-4)  # the noise of 1e-6 against a share of 0.16
    assert told.variance[8].sum() < make_prior().variance[8].sum()


def test_reach_decides_who_hears():
    means = {reach: tell(make_prior(), (8, (30, -20), level)).mean for level, reach in enumerate(REACHES[:3])}
    alike, unlike = 13, 11
    # the whole photograph shares 16 % of the variance, those that look alike most of it
    assert means["photo"][alike, 0] > 25
    assert 2 < means["photo"][unlike, 0] < 10
    for reach in ("similar", "here"):
        assert means[reach][alike, 0] > 28  # one thing
        assert abs(means[reach][unlike, 0]) < 1


def test_things_end_where_looks_change_and_kinds_do_not():
    columns = np.arange(N) % COLUMNS
    looks = Appearance(np.isin(columns, (2, 3))[:, None] * 3.0, np.zeros((N, 1)), np.full((N, 2), 10.0), SCENE)
    regions = from_labels(np.arange(N).reshape(ROWS, COLUMNS))
    things = Things.of(looks.points, regions, *NOTHING_KNOWN)
    belief = prior(np.zeros((N, 2)), looks, things, regions, np.full(N, 50, np.float32))
    here, similar = (tell(belief, (6, (50, 0), reach)).mean[:, 0] for reach in (HERE, SIMILAR))
    for told in (here, similar):
        assert (told[columns < 2] > 49).all()
        assert (np.abs(told[np.isin(columns, (2, 3))]) < 1).all()
    assert (np.abs(here[columns > 3]) < 1).all()
    assert (similar[columns > 3] > 49).all()


def test_the_more_surprising_a_hint_the_less_it_says_about_the_photograph():
    unlike = 11
    moved = [tell(make_prior(), (8, (error, 0), SIMILAR), noise=NOISE).mean[unlike, 0] for error in (2, 10, 40, 80)]
    assert moved[0] > 0.1
    assert max(moved) == moved[1]
    assert abs(moved[2]) < 0.01
    assert abs(moved[3]) < 1e-6
    of_one_thing = tell(make_prior(), (8, (2, 0), HERE), noise=NOISE).mean[unlike, 0]
    assert 0 < of_one_thing < moved[0] / 5  # a small correction of one thing was not meant for others either
    tint = [tell(make_prior(), (8, (error, 0), PHOTO)).mean[unlike, 0] for error in (10, 80)]
    assert tint[1] == pytest.approx(8 * tint[0])  # what is meant for all is heard by all


def test_a_surprising_thing_is_of_one_colour_and_a_usual_one_keeps_its_shades():
    shades = np.arange(2.0 * N).reshape(N, 2) / 10
    belief = replace(make_prior(), mean=shades)
    usual, surprising = (tell(belief, (8, shades[8] + (error, 0), HERE)) for error in (1.4, 60))
    near = [2, 7, 8, 14]
    assert np.ptp(surprising.mean[near, 0]) < 1e-6
    np.testing.assert_allclose(surprising.apart[near], 1)
    np.testing.assert_allclose(surprising.apart[~LEFT], 0)
    assert np.ptp(usual.mean[near, 0]) > 0.9 * np.ptp(shades[near, 0])
    assert usual.apart.max() < 0.01


def test_a_second_hint_keeps_its_neighbourhood():
    red, as_it_is = (8, (40, 0), HERE), (7, (0, 0), HERE)
    alone, both = tell(make_prior(), red).mean, tell(make_prior(), red, as_it_is).mean
    assert alone[7, 0] > 39
    np.testing.assert_allclose(both[[8, 7], 0], [40, 0], atol=0.1)


def test_what_is_left_as_it_is_takes_less_of_a_surface_than_what_is_changed():
    regions = from_labels(np.arange(9).reshape(1, 9))
    looks = Appearance(np.zeros((9, 1)), np.zeros((9, 1)), np.full((9, 2), 10.0), SCENE)
    things = Things.of(looks.points, regions, np.ones((9, 1)), np.zeros((1, 2)))
    belief = prior(np.zeros((9, 2)), looks, things, regions, np.full(9, 50, np.float32))
    changed = tell(belief, (0, (60, 0), HERE), (8, (0, 0), HERE)).mean[:, 0] > 30
    assert changed[:5].all()  # up to the middle and with it
    assert not changed[8]
    rivals = tell(belief, (0, (60, 0), HERE), (8, (0, 60), HERE)).mean
    assert abs((rivals[:, 0] > 30).sum() - (rivals[:, 1] > 30).sum()) <= 1  # even


def test_two_strokes_meet_and_neither_undoes_the_other():
    belief, red, blue = make_prior(), (60, 0), (0, -60)
    one = tell(belief, (1, red, HERE)).mean
    both = tell(belief, (1, red, HERE), (19, blue, HERE)).mean
    is_red, is_blue = both[:, 0] > 30, both[:, 1] < -30
    assert (one[LEFT, 0] > 30).all()
    assert is_red[:6][LEFT[:6]].all()
    assert is_blue[18:][LEFT[18:]].all()
    assert (is_red | is_blue)[LEFT].all()  # nothing between them is left alone, nor mixed


def test_a_tint_of_the_photograph_leaves_the_thing_that_a_stroke_coloured():
    told = tell(make_prior(), (8, (60, 0), HERE), (11, (0, 30), PHOTO)).mean
    np.testing.assert_allclose(told[LEFT], np.tile([60, 0], (LEFT.sum(), 1)), atol=0.5)
    assert (told[~LEFT, 1] > 15).all()


def test_merged_regions_know_no_things():
    merged = make_prior().merged(np.eye(N), np.full(N, 1 / N))
    tell(merged, (8, (30, 0), PHOTO))
    with pytest.raises(ValueError, match="tell the parts, then merge"):
        tell(merged, (8, (30, 0), HERE))


def test_a_hint_that_says_what_is_believed_changes_no_mean():
    belief = make_prior(mean=7.0)
    told = tell(belief, (3, (7, 7), PHOTO), (20, (7, 7), HERE))
    np.testing.assert_allclose(told.mean, belief.mean, atol=1e-9)
    assert (told.variance < belief.variance + 1e-9).all()


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.integers(0, N - 1), st.tuples(st.floats(-60, 60), st.floats(-60, 60)), st.integers(0, 2)
        ),
        min_size=1,
        max_size=8,
    )
)  # fmt: skip
def test_variance_falls_and_stays_positive(hints):
    belief = make_prior()
    told = tell(belief, *hints, noise=0.02)
    assert np.isfinite(told.mean).all()
    assert (told.variance <= belief.variance * (1 + 1e-9)).all()
    assert np.linalg.eigvalsh(told.correlation).min() > -1e-9
    np.testing.assert_allclose(told.correlation, told.correlation.T, atol=1e-12)


def test_hints_of_several_reaches_are_all_met():
    hints = [(0, (30, 0), PHOTO), (23, (-10, 5), SIMILAR), (9, (0, 40), HERE), (2, (10, 10), PHOTO)]
    told = tell(make_prior(), *hints, noise=1e-8)  # on one surface errors differ by less than a thousandth
    for region, ab, _ in hints:
        np.testing.assert_allclose(told.mean[region], ab, atol=0.05)


def test_two_hints_for_one_region_are_averaged():
    told = tell(make_prior(), (8, (30, 0), PHOTO), (8, (10, 0), PHOTO))
    assert told.mean[8, 0] == pytest.approx(20, abs=0.01)


def test_the_scale_of_a_channel_does_not_mix_with_the_other():
    told = tell(make_prior(), (8, (30, 0), PHOTO))
    np.testing.assert_allclose(told.mean[:, 1], 0, atol=1e-12)


def test_clicks_cover_what_is_large_and_what_is_unlike():
    first, second = make_prior().next_queries(2)
    assert LEFT[first] != LEFT[second]
    areas = np.ones(ROWS * COLUMNS, int)[:COLUMNS].copy()
    areas[4] = 30
    assert make_prior(areas=areas).next_queries(1)[0] % COLUMNS in (3, 4, 5)
    assert len(set(make_prior().next_queries(100))) == N


def test_clicks_avoid_what_is_known():
    belief = make_prior()
    told = tell(belief, *((k, (0, 0), PHOTO) for k in np.flatnonzero(LEFT)))
    assert not LEFT[told.next_queries(1)[0]]


def test_merged_regions_are_believed_to_have_the_mean_of_their_parts():
    belief = make_prior(mean=np.arange(2.0 * N).reshape(N, 2))
    pairs = np.repeat(np.eye(N // 2), 2, axis=1) / 2
    merged = belief.merged(pairs, np.full(N // 2, 2 / N))
    np.testing.assert_allclose(merged.mean[0], belief.mean[:2].mean(axis=0))
    # variance of a mean: a quarter of the sum over both parts and, twice, what they share
    wanted = (belief.deviation[0] ** 2 * belief.correlation[:2, :2].sum() / 4).sum()
    assert merged.variance[0].sum() == pytest.approx(wanted)
    assert len({*merged.next_queries(3)}) == 3


def test_directions_are_the_largest_part_of_the_variance():
    belief = make_prior()
    fields = belief.modes(4)
    for channel in range(2):
        size = [float(belief.areas @ field[:, channel] ** 2) for field in fields]
        total = float(belief.areas @ belief.variance[:, channel])
        assert size == sorted(size, reverse=True)
        assert sum(size) <= total * (1 + 1e-9)
        assert size[0] > 0.3 * total
        every = belief.modes(N)
        assert sum(belief.areas @ field[:, channel] ** 2 for field in every) == pytest.approx(total)
    assert len(belief.modes(2 * N)) == N
    assert (belief.areas @ fields[0] >= 0).all()


def test_within_is_a_probability_that_grows_with_knowledge():
    belief = make_prior()
    before, after = belief.within(20), tell(belief, (8, (0, 0), PHOTO)).within(20)
    assert (before >= 0).all()
    assert (after <= 1).all()
    assert after[8] > 0.99
    assert (after >= before).all()


def test_surfaces_end_at_edges():
    covariance = surface_covariance(
        from_labels(np.arange(N).reshape(ROWS, COLUMNS)), np.where(LEFT, 20, 80).astype(np.float32)
    )
    np.testing.assert_allclose(np.diag(covariance), 1)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert covariance[0, 2] > 0.9
    assert covariance[0, 5] < 0.05


def test_dark_strokes_in_light_regions_say_little():
    assert hint_noise(np.array([50.0]), np.array([50.0]))[0] == NOISE
    assert hint_noise(np.array([20.0]), np.array([70.0]))[0] > 1


def test_appearance_knows_doubt_and_likeness():
    colors = np.array([[0, 0], [40, 0]], np.float32)
    probabilities = np.array([[1, 0], [0.5, 0.5]], np.float32)
    looks = appearance(probabilities, colors, {"gabor": np.zeros((2, 3), np.float32)}, np.full(2, 50, np.float32))
    assert looks.deviation[1, 0] == pytest.approx((1.22 * 400.5) ** 0.5)  # half 0, half 40: variance 400
    assert looks.deviation[0, 0] == pytest.approx(looks.deviation[1, 1] * (1.22 / 0.85) ** 0.5)


def test_errors_elsewhere_are_expected_in_like_regions():
    def make_looks(*points, scene=SCENE):
        column = np.array(points)[:, None]
        return Appearance(column, 2 * column, np.full((len(points), 2), 10.0), scene)

    elsewhere, errors = make_looks(0.0, 3.0), np.array([[[20, 0]], [[-20, 0]]])
    looks = make_looks(0.0, 3.0, 50.0, scene=SCENE + 0.25)
    learnt = learnt_elsewhere(looks, [elsewhere], [errors])
    assert learnt[0, 0, 0] > 3
    assert learnt[1, 0, 0] < -3
    np.testing.assert_allclose(learnt[2], 0, atol=0.1)
    twice = learnt_elsewhere(looks, [elsewhere] * 2, [errors] * 2)
    assert learnt[0, 0, 0] < twice[0, 0, 0] < 20
    stranger = replace(looks, scene=SCENE + 5)
    np.testing.assert_allclose(learnt_elsewhere(stranger, [elsewhere], [errors]), 0, atol=1e-6)
    unknown = replace(looks, scene=np.zeros(0))  # of a model without scene features
    assert learnt_elsewhere(unknown, [replace(elsewhere, scene=np.zeros(0))], [errors])[0, 0, 0] > learnt[0, 0, 0]


def test_what_follows_from_a_sum_of_errors_is_the_sum_of_what_follows():
    points = np.random.default_rng(0).normal(size=(7, 3))
    looks, other = (Appearance(part, part, np.full((len(part), 2), 9.0), SCENE) for part in (points[:3], points[3:]))
    terms = np.random.default_rng(1).normal(0, 20, (4, 2, 2))
    learnt = learnt_elsewhere(looks, [other], [terms])
    together = learnt_elsewhere(looks, [other], [terms.sum(axis=1, keepdims=True)])
    np.testing.assert_allclose(learnt.sum(axis=1, keepdims=True), together, atol=1e-9)


def test_any_set_of_other_photographs_is_a_possible_one():
    # likeness that falls as the fourth power of a distance is no covariance by itself: three scenes in a row show it
    points = np.zeros((50, 1))
    row = [Appearance(points, points, np.full((50, 2), 10.0), np.array([step])) for step in (0.0, 0.42, 0.84)]
    learnt = learnt_elsewhere(replace(row[0], scene=np.array([0.2])), row, [np.full((50, 1, 2), 5.0)] * 3)
    assert ((learnt > 3) & (learnt < 6)).all()


def test_dense_algebra_runs_on_one_thread(monkeypatch):
    n_threads = []

    def spy(module, name):
        plain = getattr(module, name)

        def watched(*arguments, **options):
            n_threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
            return plain(*arguments, **options)

        monkeypatch.setattr(module, name, watched)

    steps = {
        "inv": make_prior,
        "cholesky": lambda: tell(belief, (3, (7, 7), PHOTO)),
        "cho_factor": lambda: belief.next_queries(3),
        "eigh": lambda: belief.modes(2),
    }
    belief = make_prior()
    for name in steps:
        spy(np.linalg if name in ("inv", "cholesky") else colorize.recognition.belief, name)
    with threadpool_limits(2, user_api="blas"):
        for name, step in steps.items():
            n_threads.clear()
            step()
            assert n_threads, name
            assert set(n_threads) == {1}, name
