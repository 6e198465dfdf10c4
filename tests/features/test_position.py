"""Position family: where regions lie, alike for a photograph and its mirror image."""

import numpy as np

from colorize.features.position import position


def columns_of(photo):
    values, names = position(photo)
    return dict(zip(names, values.T, strict=True))


def test_a_mirror_image_has_the_same_values(textured, mirrored):
    # 1e-6: float32
    np.testing.assert_allclose(position(textured)[0], position(mirrored)[0], atol=1e-6)


def test_an_upside_down_image_has_other_rows(textured, analyse):
    turned = analyse(100 * textured.gray[::-1], labels=textured.superpixels.labels[::-1])
    before, after = columns_of(textured), columns_of(turned)
    np.testing.assert_allclose(after["row"], 1 - before["row"], atol=1e-6)
    np.testing.assert_allclose(after["band 4"], before["band 0"], atol=1e-5)
    np.testing.assert_allclose(after["from border"], before["from border"], atol=1e-6)


def test_known_places(analyse):
    labels = np.arange(15).reshape(3, 5).repeat(2, axis=0).repeat(2, axis=1)
    columns = columns_of(analyse(np.zeros(labels.shape), labels=labels))
    top_left, middle, bottom_right = 0, 7, 14
    places = [top_left, middle, bottom_right]
    np.testing.assert_allclose(columns["row"][places], [1 / 6, 1 / 2, 5 / 6], atol=1e-6)
    np.testing.assert_allclose(columns["row squared"], columns["row"] ** 2, atol=1e-6)
    np.testing.assert_allclose(columns["off centre"][places], [0.8, 0, 0.8], atol=1e-6)
    np.testing.assert_allclose(columns["from border"][places], [0.2, 1, 0.2], atol=1e-6)
    np.testing.assert_allclose([columns[f"band {i}"][middle] for i in range(5)], [0, 0, 1, 0, 0], atol=1e-6)


def test_values_lie_between_0_and_1_and_bands_share_every_height(odd):
    values, names = position(odd)
    assert values.min() >= 0
    assert values.max() <= 1
    np.testing.assert_allclose(values[:, names.index("band 0") :].sum(axis=1), 1, atol=1e-5)
