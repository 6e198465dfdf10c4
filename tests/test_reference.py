"""References: each of the two things that they say is heard."""

import numpy as np
import pytest

from colorize.color import to_gray
from colorize.reference import look_at
from colorize.superpixels import from_labels


@pytest.fixture(scope="module")
def references(tiny_colorizer, photos):
    return look_at(tiny_colorizer, [photos[4], photos[8]])


def test_colours_that_the_reference_has_become_likelier(references):
    even, regions = np.full((1, 8), 1 / 8, np.float32), from_labels(np.array([[0]]))
    drawn = references.draw(even, regions, 1.0)
    assert drawn.sum() == pytest.approx(1, abs=1e-6)
    assert drawn.argmax() == references.palette.argmax()
    assert np.ptp(references.draw(even, regions, 0.5)) < np.ptp(drawn)
    np.testing.assert_allclose(references.draw(even, regions, 0.0), even)


def test_every_reference_counts_alike(tiny_colorizer, photos):
    one, other, both = (look_at(tiny_colorizer, [photos[k] for k in chosen]) for chosen in ((4,), (8,), (4, 8)))
    np.testing.assert_allclose(both.palette, (one.palette + other.palette) / 2, atol=1e-6)
    assert both.palette.sum() == pytest.approx(1)


def test_regions_share_less_evidence_beside_a_reference(tiny_colorizer, photos, references):
    gray = to_gray(photos[5])
    alone, half, whole = (
        tiny_colorizer.open(gray, given, reference_strength=strength)
        for given, strength in (((), 1.0), (references, 0.5), (references, 1.0))
    )
    assert whole.sharing < half.sharing < alone.sharing
    ignored = tiny_colorizer.open(gray, references, reference_strength=0.0)
    np.testing.assert_allclose(ignored.colorize(0.0).region_ab, alone.colorize(0.0).region_ab, atol=1e-4)


def test_a_photograph_that_is_its_own_reference_is_corrected_towards_its_colours(tiny_colorizer, photos):
    references = look_at(tiny_colorizer, [photos[4]])
    description = tiny_colorizer.describe(to_gray(photos[4]))
    drawn, reach = (
        references.draw(references.photos[0].probabilities, description.superpixels, 1.0),
        references.sharing(1),
    )
    automatic = tiny_colorizer.decide(description, drawn, vividness=0.0, reach=reach)[0]
    appearance = tiny_colorizer.appearance(description, drawn, reach=reach)
    error = references.photos[0].ab - automatic
    full, half = (references.correction(tiny_colorizer, appearance, s, 0.0) for s in (1.0, 0.5))
    assert np.linalg.norm(error - full) < 0.85 * np.linalg.norm(error)
    assert 0 < np.linalg.norm(half) < np.linalg.norm(full)
