"""Small photographs with constraints."""

import numpy as np
import pytest


@pytest.fixture
def scene():
    """A dark and a light half with grain, and no constraints yet."""
    rng = np.random.default_rng(0)
    lightness = np.where(np.arange(50) < 23, 30, 75) + rng.normal(0, 0.5, (37, 50))
    return lightness.astype(np.float32), np.zeros((37, 50, 2), np.float32), np.zeros((37, 50), np.float32)


@pytest.fixture
def hints():
    """One known colour on each half."""
    is_known, known_ab = np.zeros((37, 50), bool), np.zeros((37, 50, 2), np.float32)
    is_known[5, 3], is_known[30, 44] = True, True
    known_ab[5, 3], known_ab[30, 44] = (60, -20), (-15, 40)
    return is_known, known_ab


@pytest.fixture
def photo_like():
    """Makes lightness, ab, weight and is_known of a shape."""
    return _photo_like


def _photo_like(height, width):
    """Smooth shapes with hard edges and grain, sparse wishes and a few known pixels."""
    rng = np.random.default_rng(height * width)
    rows, cols = np.mgrid[:height, :width]
    lightness = 50 + 20 * np.sign(np.sin(rows / 9) * np.sin(cols / 7 + rows / 30)) + rng.normal(0, 0.8, (height, width))
    ab = rng.uniform(-60, 60, (height, width, 2)).astype(np.float32)
    weight = np.where(rng.random((height, width)) < 0.02, 0.1, 0).astype(np.float32)
    is_known = rng.random((height, width)) < 0.01
    is_known[height // 2, width // 2] = True
    return lightness.astype(np.float32), ab, weight, is_known
