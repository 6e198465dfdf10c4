"""Flow on pictures whose motion is known."""

import numpy as np
import pytest

from colorize.film.motion import find_motion, flow_shape


@pytest.fixture
def lightness(pictures):
    return (pictures["coffee"][:240, :320, 1] / 2.55).astype(np.float32)


def inner(values):
    return values[30:-30, 30:-30]


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 0), (0, -6), (5, 8)])
def test_shift_is_found_and_colours_arrive(lightness, down, right):
    motion = find_motion(lightness, np.roll(lightness, (down, right), axis=(0, 1)))
    rows, columns = np.indices(lightness.shape)
    assert abs(float(np.median(inner(motion.rows - rows))) + down) < 0.2
    assert abs(float(np.median(inner(motion.columns - columns))) + right) < 0.2
    colors = np.dstack([lightness, lightness[::-1]])
    error = np.abs(motion.carry(colors) - np.roll(colors, (down, right), axis=(0, 1)))
    assert float(np.median(inner(error))) < 0.5
    assert float(inner(motion.trust).mean()) > 0.9


def test_what_was_not_there_is_not_trusted(lightness):
    now = lightness.copy()
    now[80:160, 100:200] = 100 - now[80:160, 100:200]
    trust = find_motion(lightness, now).trust
    assert trust[90:150, 110:190].mean() < 0.4
    assert trust[:60].mean() > 0.9


def test_another_picture_is_not_trusted(lightness, pictures):
    other = (pictures["astronaut"][:240, :320, 1] / 2.55).astype(np.float32)
    assert find_motion(lightness, other).trust.mean() < 0.4


def test_light_that_changes_everywhere_is_trusted(lightness):
    assert find_motion(lightness, 0.8 * lightness + 5).trust.mean() > 0.9


def test_trust_is_a_share_and_large_frames_are_reduced(lightness):
    trust = find_motion(lightness, np.roll(lightness, 9, axis=1)).trust
    assert trust.min() >= 0
    assert trust.max() <= 1
    height, width = flow_shape((1080, 1920))
    assert height * width == pytest.approx(120_000, rel=0.01)
