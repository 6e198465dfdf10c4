"""Context family: means over rings and over what lies above and below, against loops."""

import numpy as np

from colorize.features.context import N_RINGS, context

NAMES = ("one", "two")


def core_of(photo, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(photo.superpixels.n_superpixels, len(NAMES))).astype(np.float32)


def test_rings_are_means_over_touching_regions_again_and_again(textured):
    core = core_of(textured)
    values, names = context(textured, core, NAMES)
    touching = [[] for _ in core]
    for one, other in textured.superpixels.adjacency:
        touching[one].append(other)
        touching[other].append(one)
    ring = core.astype(np.float64)
    for i in range(N_RINGS):
        ring = np.array([ring[others].mean(axis=0) for others in touching])
        # 1e-5: float32 sums
        np.testing.assert_allclose(values[:, 2 * i : 2 * i + 2], ring, atol=1e-5)
        assert names[2 * i] == f"ring {i + 1}, one"


def test_above_and_below_are_weighted_means_of_a_loop(textured):
    core = core_of(textured)
    values, names = context(textured, core, NAMES)
    areas = textured.superpixels.areas.astype(np.float64)
    places = textured.superpixels.centroids.astype(np.float64) / min(textured.gray.shape)
    for k in range(0, len(core), 5):
        down, aside = (places - places[k]).T
        near = areas * np.exp(-((aside / 0.12) ** 2) - np.abs(down) / 0.5)
        for name, side in (("above", down < -0.02), ("below", down > 0.02)):
            weights = near * side
            weights[k] += 0.1 * areas.mean()
            first = names.index(f"{name}, one")
            np.testing.assert_allclose(values[k, first : first + 2], weights @ core / weights.sum(), atol=1e-5)


def test_sky_is_above_and_grass_is_below(analyse):
    labels = np.arange(25).reshape(5, 5).repeat(10, axis=0).repeat(10, axis=1)
    photo = analyse(np.zeros((50, 50)), labels=labels)
    row = (np.arange(25) // 5).astype(np.float32)[:, None]
    values, names = context(photo, row, ("row",))
    columns = dict(zip(names, values.T, strict=True))
    middle = np.flatnonzero(row[:, 0] == 2)
    assert (columns["above, row"][middle] < 1.5).all()
    assert (columns["below, row"][middle] > 2.5).all()


def test_what_is_the_same_everywhere_stays_the_same(odd):
    core = np.full((odd.superpixels.n_superpixels, 1), 0.7, np.float32)
    np.testing.assert_allclose(context(odd, core, ("same",))[0], 0.7, atol=1e-5)


def test_a_mirror_image_has_the_same_surroundings(textured, mirrored):
    core = core_of(textured)
    np.testing.assert_allclose(context(textured, core, NAMES)[0], context(mirrored, core, NAMES)[0], atol=1e-4)
