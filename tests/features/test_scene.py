"""Scene family: one description for the whole photograph."""

import numpy as np
import pytest

from colorize.features.gabor import gabor
from colorize.features.intensity import N_BINS, intensity
from colorize.features.scene import TINY, scene, word_membership
from colorize.features.surf import surf_descriptors


@pytest.fixture(scope="module")
def words(textured):
    return surf_descriptors(textured, 3.0)[::5]


def scene_of(photo, words):
    values, names = intensity(photo)
    first = names.index("histogram 0")
    return scene(photo, values[:, first : first + N_BINS], gabor(photo)[0], surf_descriptors(photo, 3.0), words)


def block(values, names, start):
    return values[[name.startswith(start + " ") for name in names]]


def test_shares_sum_to_one(odd, words):
    values, names = scene_of(odd, words)
    assert block(values, names, "word").sum() == pytest.approx(1, abs=1e-4)
    assert block(values, names, "tone").sum() == pytest.approx(1, abs=1e-4)


def test_a_descriptor_belongs_to_its_own_word(words):
    membership = word_membership(words, words)
    np.testing.assert_allclose(membership.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(membership.argmax(axis=1), np.arange(len(words)))
    # halfway between two words it belongs to both alike, whatever their lengths
    two = np.array([[1, 0, 0], [0, 0.8, 0]], np.float32)
    np.testing.assert_allclose(word_membership(two.mean(axis=0)[None], two), 0.5, atol=1e-5)


def test_regions_count_by_their_area(textured, words):
    values, names = scene_of(textured, words)
    energies, areas = gabor(textured)[0].astype(np.float64), textured.superpixels.areas
    mean = np.average(energies, axis=0, weights=areas)
    deviation = np.sqrt(np.average((energies - mean) ** 2, axis=0, weights=areas))
    np.testing.assert_allclose(block(values, names, "mean gabor"), mean, atol=1e-5)
    np.testing.assert_allclose(block(values, names, "gabor deviation"), deviation, atol=1e-3)


def test_the_tiny_image_and_the_bands_are_means_of_blocks(analyse, words):
    lightness = np.random.default_rng(0).uniform(0, 100, (8 * TINY, 4 * TINY))
    values, names = scene_of(analyse(lightness), words)
    expected = lightness.reshape(TINY, 8, TINY, 4).mean(axis=(1, 3)) / 100
    np.testing.assert_allclose(block(values, names, "tiny"), expected.ravel(), atol=1e-5)
    np.testing.assert_allclose(block(values, names, "band lightness"), expected.mean(axis=1), atol=1e-5)


def test_stripes_have_contrast_along_their_bands_only_if_they_stand(analyse, words):
    stripes = np.tile(np.repeat([0, 100], 8), 4)[None, :].repeat(64, axis=0)
    for lightness, expected in ((stripes, 0.5), (stripes.T, 0)):
        values, names = scene_of(analyse(lightness), words)
        np.testing.assert_allclose(block(values, names, "band contrast"), expected, atol=1e-5)
