"""The decision: probabilities stay probabilities, regions share evidence unless lightness parts them, the dial."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from colorize.features.superpixels import from_labels
from colorize.recognition.decision import (
    GAIN,
    NEAR,
    Decision,
    dial,
    mean_field,
    palette_shares,
    share_evidence,
    toward_palette,
)
from colorize.types import Superpixels

COLORS = np.array([[0, 0], [60, 40], [-40, 50], [5, -60]], np.float32)
LABELS = np.arange(16).reshape(4, 4).repeat([2, 1, 1, 3], axis=0)
REGIONS = from_labels(LABELS)
EVEN = np.full(16, 50, np.float32)
PROBABILITIES = hnp.arrays(np.float32, (16, 4), elements=st.floats(0.0625, 1, width=32)).map(
    lambda rows: rows / rows.sum(axis=1, keepdims=True)
)
LIGHTNESS = hnp.arrays(np.float32, 16, elements=st.floats(0, 100, width=32))


def beliefs(favourites: list[int], strength: float) -> np.ndarray:
    """Every region believes in its favourite with the given probability, in the others alike."""
    rest = (1 - strength) / (len(COLORS) - 1)
    return np.where(np.array(favourites)[:, None] == np.arange(len(COLORS)), strength, rest).astype(np.float32)


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Of every colour against every other, shape (n, K, K)."""
    logs = np.log(probabilities.astype(np.float64))
    return logs[:, :, None] - logs[:, None, :]


# The dial


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_dial_makes_colors_stronger(one, other):
    assert 1 <= dial(min(one, other)) <= dial(max(one, other))


def test_the_ends_of_the_dial_differ():
    assert dial(0) == 1  # the mean as it is
    assert dial(1) > 1.2


@given(st.floats(1, 3))
def test_the_gain_is_reached_in_the_middle_and_the_usual_one_added_at_the_end(gain):
    assert dial(0, gain) == 1
    assert dial(0.5, gain) == pytest.approx(gain)
    assert dial(1, gain) == pytest.approx(gain * GAIN)


@pytest.mark.parametrize("vividness", [-0.01, 1.01, float("nan")])
def test_vividness_out_of_range(vividness):
    with pytest.raises(ValueError, match=r"vividness must be in \[0, 1\], got"):
        dial(vividness)


# Confidence


@given(PROBABILITIES, hnp.arrays(np.float32, (16, 2), elements=st.floats(-80, 80, width=32)))
def test_confidence_is_the_probability_of_the_colors_nearby(probabilities, region_ab):
    found = Decision(probabilities, probabilities, probabilities, COLORS).confidence(region_ab)
    for row, ab, value in zip(probabilities, region_ab, found, strict=True):
        near = [p for p, color in zip(row, COLORS, strict=True) if np.linalg.norm(ab - color) < NEAR]
        assert value == pytest.approx(sum(near), abs=1e-5)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-6


# Sharing evidence


@pytest.mark.slow
@given(PROBABILITIES, LIGHTNESS, st.floats(0, 1000))
def test_beliefs_stay_probabilities(probabilities, lightness, sharing):
    belief = share_evidence(probabilities, REGIONS, lightness, sharing=sharing)
    assert belief.dtype == np.float32
    assert belief.min() >= 0
    np.testing.assert_allclose(belief.sum(axis=1), 1, atol=1e-5)


def test_the_system_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    probabilities, lightness = rng.dirichlet(np.ones(4), 16).astype(np.float32), rng.uniform(40, 60, 16)
    system = np.diag(REGIONS.areas / REGIONS.areas.mean()).astype(np.float64)
    right = system @ np.log(probabilities.astype(np.float64))
    for i, j in REGIONS.adjacency:
        tie = 7 * np.exp(-abs(lightness[i] - lightness[j]) / 3)
        system[[i, j], [i, j]] += tie
        system[[i, j], [j, i]] -= tie
    expected = np.exp(np.linalg.solve(system, right))
    belief = share_evidence(probabilities, REGIONS, lightness.astype(np.float32), sharing=7, lightness_scale=3)
    # 1e-5: float32 lightness and result
    np.testing.assert_allclose(belief, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)


@given(PROBABILITIES, LIGHTNESS)
def test_without_sharing_nothing_changes(probabilities, lightness):
    np.testing.assert_allclose(share_evidence(probabilities, REGIONS, lightness, sharing=0), probabilities, atol=1e-5)


@given(PROBABILITIES)
def test_with_endless_sharing_all_believe_the_geometric_mean(probabilities):
    belief = share_evidence(probabilities, REGIONS, EVEN, sharing=1e7)
    mean = np.exp(np.average(np.log(probabilities.astype(np.float64)), axis=0, weights=REGIONS.areas))
    # 1e-4: what a finite sharing leaves
    np.testing.assert_allclose(belief, np.tile(mean / mean.sum(), (16, 1)), atol=1e-4)


@given(PROBABILITIES, LIGHTNESS, st.floats(0, 1000))
def test_no_odds_leave_the_range_of_those_given(probabilities, lightness, sharing):
    given_odds, odds = (
        log_odds(rows) for rows in (probabilities, share_evidence(probabilities, REGIONS, lightness, sharing=sharing))
    )
    # 1e-3: float32 probabilities down to 0.02
    assert (odds >= given_odds.min(axis=0) - 1e-3).all()
    assert (odds <= given_odds.max(axis=0) + 1e-3).all()


@given(PROBABILITIES, LIGHTNESS)
def test_where_all_agree_nothing_changes(probabilities, lightness):
    same = np.tile(probabilities[:1], (16, 1))
    np.testing.assert_allclose(share_evidence(same, REGIONS, lightness), same, atol=1e-5)


def test_a_region_without_neighbours_is_left_alone():
    probabilities = beliefs([2], 0.5)
    alone = from_labels(np.zeros((3, 3), int))
    np.testing.assert_allclose(share_evidence(probabilities, alone, EVEN[:1]), probabilities, atol=1e-6)


@given(PROBABILITIES, LIGHTNESS, st.permutations(range(16)), st.permutations(range(4)))
def test_the_numbers_of_regions_and_colors_mean_nothing(probabilities, lightness, regions, colors):
    renamed = from_labels(np.argsort(regions)[LABELS])  # region regions[k] is called k now
    belief = share_evidence(probabilities, REGIONS, lightness)
    other = share_evidence(probabilities[np.ix_(regions, colors)], renamed, lightness[regions])
    # 1e-5: float32
    np.testing.assert_allclose(other, belief[np.ix_(regions, colors)], atol=1e-5)


def test_a_lone_dissenter_follows_its_equals_unless_lightness_sets_it_apart():
    favourites = [1] * 16
    favourites[5] = 2
    probabilities = beliefs(favourites, 0.8)
    assert share_evidence(probabilities, REGIONS, EVEN).argmax(axis=1).tolist() == [1] * 16
    apart = EVEN.copy()
    apart[5] = 90
    np.testing.assert_allclose(share_evidence(probabilities, REGIONS, apart), probabilities, atol=1e-3)


def test_a_large_region_outweighs_a_small_one():
    pair = from_labels(np.array([[0, 1, 1, 1]]))
    assert share_evidence(beliefs([1, 2], 0.8), pair, EVEN[:2]).argmax(axis=1).tolist() == [2, 2]


def test_a_color_that_one_of_them_rules_out_is_ruled_out_for_all():
    pair = from_labels(np.array([[0, 1]]))
    probabilities = np.array([[0.6, 0.4, 0, 0], [0, 0.4, 0.6, 0]], np.float32)
    assert share_evidence(probabilities, pair, EVEN[:2]).argmax(axis=1).tolist() == [1, 1]


# Mean field


def ring(n: int) -> Superpixels:
    """Regions of one pixel that touch in a circle: every tie is half of both ends' ties."""
    labels = np.arange(n, dtype=np.int32)[None, :]
    pairs = sorted([[0, n - 1], *([i, i + 1] for i in range(n - 1))])
    return Superpixels(labels, np.array(pairs, np.int32), np.ones(n, np.float32), np.zeros((n, 2), np.float32))


@given(PROBABILITIES, LIGHTNESS, st.floats(0, 10))
def test_mean_field_beliefs_stay_probabilities(probabilities, lightness, coupling):
    belief = mean_field(probabilities, COLORS, REGIONS, lightness, coupling=coupling)
    assert belief.dtype == np.float32
    assert belief.min() >= 0
    np.testing.assert_allclose(belief.sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
@given(PROBABILITIES, LIGHTNESS)
def test_without_coupling_or_rounds_or_neighbours_nothing_changes(probabilities, lightness):
    for unchanged in (
        mean_field(probabilities, COLORS, REGIONS, lightness, coupling=0),
        mean_field(probabilities, COLORS, REGIONS, lightness, n_rounds=0),
    ):
        np.testing.assert_allclose(unchanged, probabilities, atol=1e-6)
    alone = mean_field(probabilities[:1], COLORS, from_labels(np.zeros((3, 3), int)), lightness[:1])
    np.testing.assert_allclose(alone, probabilities[:1], atol=1e-6)


def test_a_round_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    probabilities, lightness = rng.dirichlet(np.ones(4), 16).astype(np.float32), rng.uniform(40, 60, 16)
    alike = np.exp(-((COLORS[:, None] - COLORS) ** 2).sum(axis=2) / (2 * 40**2))
    ties = np.zeros((16, 16))
    for i, j in REGIONS.adjacency:
        ties[i, j] = ties[j, i] = np.exp(-abs(lightness[i] - lightness[j]) / 5) + 0.05
    ties /= ties.sum(axis=1, keepdims=True)
    expected = probabilities.astype(np.float64)
    for _ in range(3):
        expected = probabilities * np.exp(1.5 * ties @ expected @ alike)
        expected /= expected.sum(axis=1, keepdims=True)
    options = {"coupling": 1.5, "color_scale": 40, "lightness_scale": 5, "n_rounds": 3}
    belief = mean_field(probabilities, COLORS, REGIONS, lightness.astype(np.float32), **options)
    # 1e-5: float32
    np.testing.assert_allclose(belief, expected, atol=1e-5)


@given(PROBABILITIES, st.floats(0.1, 2))
def test_no_round_raises_the_free_energy_where_ties_are_mutual(probabilities, coupling):
    alike = np.exp(-((COLORS[:, None] - COLORS) ** 2).sum(axis=2) / (2 * 15**2))
    energies = []
    for n_rounds in range(6):
        belief = mean_field(probabilities, COLORS, ring(16), EVEN, coupling=coupling, n_rounds=n_rounds)
        around = (np.roll(belief, 1, axis=0) + np.roll(belief, -1, axis=0)) / 2
        agreement = (belief * (around @ alike)).sum()
        surprise = (belief * np.log(np.maximum(belief, 1e-30) / probabilities)).sum()
        energies.append(surprise - coupling / 2 * agreement)
    # 1e-4: float32. Beyond a coupling of 2 neighbours can go on swapping their opinions.
    assert (np.diff(energies) < 1e-4).all()


@given(PROBABILITIES, LIGHTNESS, st.permutations(range(16)), st.permutations(range(4)))
def test_the_numbers_of_regions_and_colors_mean_nothing_to_the_mean_field(probabilities, lightness, regions, colors):
    renamed = from_labels(np.argsort(regions)[LABELS])
    belief = mean_field(probabilities, COLORS, REGIONS, lightness)
    other = mean_field(probabilities[np.ix_(regions, colors)], COLORS[colors], renamed, lightness[regions])
    # 1e-3: ten rounds of float32
    np.testing.assert_allclose(other, belief[np.ix_(regions, colors)], atol=1e-3)


def test_a_lone_dissenter_joins_its_equals_unless_it_is_sure():
    favourites = [1] * 16
    favourites[5] = 2
    belief = mean_field(beliefs(favourites, 0.5), COLORS, REGIONS, EVEN)
    assert belief.argmax(axis=1).tolist() == [1] * 16
    belief = mean_field(beliefs(favourites, 0.97), COLORS, REGIONS, EVEN)
    assert belief.argmax(axis=1).tolist() == favourites


def test_a_step_of_lightness_protects_a_group_of_dissenters():
    middle = [5, 6, 9, 10]
    favourites = np.full(16, 1)
    favourites[middle] = 2
    probabilities = beliefs(favourites, 0.9)
    probabilities[middle] = beliefs([2], 0.3)
    assert mean_field(probabilities, COLORS, REGIONS, EVEN).argmax(axis=1).tolist() == [1] * 16
    lightness = EVEN.copy()
    lightness[middle] = 90
    np.testing.assert_array_equal(mean_field(probabilities, COLORS, REGIONS, lightness).argmax(axis=1), favourites)


def test_similar_colors_support_each_other():
    colors = np.array([[0, 0], [50, 0], [54, 4]], np.float32)
    probabilities = np.tile(np.array([[0.4, 0.3, 0.3]], np.float32), (16, 1))
    assert mean_field(probabilities, colors, REGIONS, EVEN)[0, 1:].sum() > 0.7
    assert mean_field(probabilities, colors, REGIONS, EVEN, color_scale=0.1)[0, 0] > 0.4


# Albums


@given(st.integers(0, 2**32 - 1))
def test_palette_of_an_album_draws_a_photograph_towards_it(seed):
    rng = np.random.default_rng(seed)
    regions = from_labels(np.arange(12, dtype=np.int32).reshape(3, 4))
    probabilities = rng.dirichlet(np.ones(5), 12).astype(np.float32)
    wanted = rng.dirichlet(np.ones(5)).astype(np.float32)
    own = palette_shares(probabilities, regions)
    drawn = toward_palette(probabilities, regions, wanted)
    np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-5)  # float32
    # the divergence from the album's palette falls: each factor is monotone in wanted / own
    assert divergence(wanted, palette_shares(drawn, regions)) <= divergence(wanted, own) + 1e-6
    np.testing.assert_array_equal(
        toward_palette(probabilities, regions, wanted, strength=0).argmax(1), probabilities.argmax(1)
    )
    np.testing.assert_allclose(toward_palette(probabilities, regions, own), probabilities, atol=1e-6)


def divergence(wanted, shares):
    return float(np.sum(wanted * np.log(wanted / shares)))
