"""References: each of the two things that they say is heard."""

import numpy as np
import pytest

from colorize.color import to_gray
from colorize.reference import look_at


@pytest.fixture(scope="module")
def references(tiny_colorizer, photos):
    return look_at(tiny_colorizer, [photos[4], photos[8]])


def test_colours_that_the_reference_has_become_likelier(tiny_colorizer, references):
    even = np.full((1, 8), 1 / 8, np.float32)
    weighed = references.reweigh(even, 1.0)
    assert weighed.sum() == pytest.approx(1, abs=1e-6)
    assert weighed.argmax() == references.ratio.argmax()
    assert np.ptp(references.reweigh(even, 0.5)) < np.ptp(weighed)
    np.testing.assert_allclose(references.reweigh(even, 0.0), even)


def test_every_reference_counts_alike(tiny_colorizer, photos):
    one, other, both = (look_at(tiny_colorizer, [photos[k] for k in chosen]) for chosen in ((4,), (8,), (4, 8)))
    between = np.sort([one.ratio, other.ratio], axis=0)
    assert (both.ratio >= between[0] - 1e-5).all()
    assert (both.ratio <= between[1] + 1e-5).all()


def test_a_photograph_that_is_its_own_reference_is_corrected_towards_its_colours(tiny_colorizer, photos):
    references = look_at(tiny_colorizer, [photos[4]])
    description = tiny_colorizer.describe(to_gray(photos[4]))
    weighed = references.reweigh(references.photos[0].probabilities, 1.0)
    automatic = tiny_colorizer.decide(description, weighed, vividness=0.0)[0]
    appearance = tiny_colorizer.appearance(description, weighed)
    error = references.photos[0].ab - automatic
    full, half = (references.correction(tiny_colorizer, appearance, s, 0.0) for s in (1.0, 0.5))
    assert np.linalg.norm(error - full) < 0.85 * np.linalg.norm(error)
    assert 0 < np.linalg.norm(half) < np.linalg.norm(full)
