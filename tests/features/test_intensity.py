"""Intensity family: statistics of regions against loops, ranks and histograms with known answers."""

import numpy as np
import pytest

from colorize.features.intensity import N_BINS, intensity

HALVES = np.repeat([0, 1], 20)[None, :].repeat(40, axis=0)


def columns_of(photo):
    values, names = intensity(photo)
    return dict(zip(names, values.T, strict=True))


def test_mean_and_deviation_are_those_of_a_loop(textured):
    columns = columns_of(textured)
    for k in range(textured.superpixels.n_superpixels):
        inside = textured.gray[textured.superpixels.labels == k].astype(np.float64)
        # mean of squares minus square of the mean, in float32: half the digits
        assert columns["mean"][k] == pytest.approx(inside.mean(), abs=1e-6)
        assert columns["deviation"][k] == pytest.approx(inside.std(), abs=1e-3)
        assert columns["contrast to photo"][k] == pytest.approx(inside.mean() - textured.gray.mean(), abs=1e-5)


def test_ranks_of_a_dark_and_a_light_half(analyse):
    columns = columns_of(analyse(np.where(HALVES, 80, 20), labels=HALVES))
    assert columns["rank"].tolist() == [0.25, 0.75]
    np.testing.assert_allclose(columns["contrast to photo"], [-0.3, 0.3], atol=1e-6)


def test_ranks_do_not_change_when_all_tones_are_stretched(analyse):
    steps = np.random.default_rng(0).integers(0, 20, (30, 30))
    labels = np.arange(900).reshape(30, 30) // 90
    ranks = [columns_of(analyse(scale * steps, labels=labels))["rank"] for scale in (1, 5)]
    np.testing.assert_allclose(*ranks, atol=1e-6)


def test_the_gradient_of_a_ramp_is_its_slope(analyse):
    ramp = np.tile(np.linspace(0, 100, 41), (41, 1))  # 2.5 L* per pixel
    photo = analyse(ramp, labels=(np.indices(ramp.shape)[1] == 20).astype(int))
    assert columns_of(photo)["gradient"][1] == pytest.approx(0.025, abs=1e-6)


def test_the_histogram_splits_a_tone_between_two_bins(analyse):
    tones = np.array([0, 100, 100 * 2.25 / (N_BINS - 1)])
    photo = analyse(tones[None, :].repeat(2, axis=0), labels=np.array([[0, 1, 2]] * 2))
    histograms = np.stack([columns_of(photo)[f"histogram {i}"] for i in range(N_BINS)], axis=1)
    expected = np.zeros((3, N_BINS))
    expected[0, 0] = expected[1, -1] = 1
    expected[2, 2:4] = 0.75, 0.25
    np.testing.assert_allclose(histograms, expected, atol=1e-6)


def test_histograms_sum_to_one(textured):
    columns = columns_of(textured)
    np.testing.assert_allclose(sum(columns[f"histogram {i}"] for i in range(N_BINS)), 1, atol=1e-6)


def test_a_plain_picture_has_its_tone_at_every_scale_and_no_band_energy(analyse):
    columns = columns_of(analyse(np.full((48, 64), 70)))
    for scale in range(1, 6):
        np.testing.assert_allclose(columns[f"lightness at scale {scale}"], 0.7, atol=1e-6)
        np.testing.assert_allclose(columns[f"band energy at scale {scale}"], 0, atol=1e-6)
    assert not columns["gradient"].any()


def test_fine_noise_has_its_energy_in_the_finest_band(analyse):
    columns = columns_of(analyse(np.random.default_rng(0).uniform(0, 100, (128, 128)), 4))
    energies = [columns[f"band energy at scale {scale}"].mean() for scale in range(1, 6)]
    assert energies == sorted(energies, reverse=True)
    assert energies[0] > 5 * energies[4]
