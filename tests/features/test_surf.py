"""SURF family: a descriptor for every region, and that of the library where it describes one itself."""

import numpy as np
import pytest
from mahotas.features import surf as mahotas_surf

from colorize.color import rgb_to_lightness
from colorize.features.surf import SCALES, surf, surf_descriptors


@pytest.mark.parametrize("scale", SCALES)
def test_regions_at_the_border_are_described_too(analyse, scale):
    lightness = np.random.default_rng(0).uniform(0, 100, (20, 30))
    descriptors = surf_descriptors(analyse(lightness, labels=np.arange(600).reshape(20, 30)), scale)
    assert descriptors.shape == (600, 64)
    # every pixel is a region here: all of them see texture
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("scale", SCALES)
def test_descriptors_of_inner_regions_are_the_librarys_own(pictures, analyse, scale):
    photo = analyse(rgb_to_lightness(pictures["coffee"]))
    centroids = photo.superpixels.centroids.astype(np.float64)
    reach = 18.2 * scale + 3
    inner = np.all((centroids > reach) & (centroids < np.array(photo.gray.shape) - reach), axis=1)
    assert inner.sum() >= 4
    points = np.zeros((inner.sum(), 5))
    points[:, :2], points[:, 2], points[:, 4] = centroids[inner], scale, 1
    expected = mahotas_surf.descriptors(photo.gray.astype(np.float64), points, descriptor_only=True)
    assert len(expected) == inner.sum()
    # 1e-5: sums over a larger integral image round otherwise
    np.testing.assert_allclose(surf_descriptors(photo, scale)[inner], expected, atol=1e-5)


def test_three_scales_stand_side_by_side(textured):
    values, names = surf(textured)
    assert values.shape == (textured.superpixels.n_superpixels, 192)
    assert len(set(names)) == 192
    for i, scale in enumerate(SCALES):
        np.testing.assert_array_equal(values[:, 64 * i : 64 * i + 64], surf_descriptors(textured, scale))


def test_descriptors_turn_with_the_photograph(textured, analyse):
    turned = analyse(100 * np.rot90(textured.gray), labels=np.rot90(textured.superpixels.labels))
    likeness = (surf_descriptors(textured, 6.0) * surf_descriptors(turned, 6.0)).sum(axis=1)
    # the grid of samples turns in steps, and a tie between two directions may fall the other way
    assert np.median(likeness) > 0.95


@pytest.mark.parametrize("scale", SCALES)
def test_a_flat_photograph_gives_zeros(analyse, scale):
    assert not surf_descriptors(analyse(np.full((40, 50), 50)), scale).any()


@pytest.mark.parametrize("scale", SCALES)
def test_light_and_contrast_change_nothing(textured, analyse, scale):
    fainter = analyse(30 * textured.gray + 20, labels=textured.superpixels.labels)
    likeness = (surf_descriptors(fainter, scale) * surf_descriptors(textured, scale)).sum(axis=1)
    # both have unit length; 1e-3: rounding may turn the direction in a flat region
    assert np.quantile(likeness, 0.1) > 1 - 1e-3
