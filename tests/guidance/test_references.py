"""References: each of the two things that they say is heard."""

import math
import pickle
from copy import copy

import numpy as np
import pytest

from colorize.color import to_gray
from colorize.features.superpixels import from_labels
from colorize.guidance.guidance import ENRICHMENT, GuidedView
from colorize.guidance.references import look_at


@pytest.fixture(scope="module")
def references(tiny_colorizer, photos):
    return look_at(tiny_colorizer.model, [photos[4], photos[8]])


def test_colours_that_the_reference_has_become_likelier(references):
    even, regions = np.full((1, 8), 1 / 8, np.float32), from_labels(np.array([[0]]))
    view = references.photos[0].view
    none, half, full = (GuidedView(view, references, strength)._drawn(even, regions) for strength in (0.0, 0.5, 1.0))
    assert full.sum() == pytest.approx(1, abs=1e-6)
    assert full.argmax() == references.palette.argmax()
    assert np.ptp(half) < np.ptp(full)
    np.testing.assert_allclose(none, even)


def test_every_reference_counts_alike(tiny_colorizer, photos):
    one, other, both = (look_at(tiny_colorizer.model, [photos[k] for k in chosen]) for chosen in ((4,), (8,), (4, 8)))
    np.testing.assert_allclose(both.palette, (one.palette + other.palette) / 2, atol=1e-6)
    assert both.palette.sum() == pytest.approx(1)


def test_a_gain_is_a_shift_of_the_dial(tiny_colorizer, photos):
    weak = copy(tiny_colorizer)
    weak.gain_ = math.sqrt(tiny_colorizer.gain_)
    usual, other = (
        model.open(to_gray(photos[5]), [photos[4]]).colorize(vividness).region_ab
        for model, vividness in ((tiny_colorizer, 0.25), (weak, 0.5))
    )
    np.testing.assert_allclose(usual, other, atol=1e-3)


def test_regions_share_less_evidence_beside_a_reference(tiny_colorizer, photos, references):
    gray = to_gray(photos[5])
    alone, half, whole = (
        tiny_colorizer.open(gray, given, reference_strength=strength)
        for given, strength in (((), 1.0), (references, 0.5), (references, 1.0))
    )
    assert whole.guided.sharing < half.guided.sharing < alone.guided.sharing
    ignored = tiny_colorizer.open(gray, references, reference_strength=0.0)
    np.testing.assert_allclose(ignored.colorize(0.0).region_ab, alone.colorize(0.0).region_ab, atol=1e-4)


def test_a_photograph_that_is_its_own_reference_is_corrected_towards_its_colours(tiny_colorizer, photos):
    references = look_at(tiny_colorizer.model, [photos[4]])
    seen, true_ab = references.photos[0].view, references.photos[0].ab
    full, half = (GuidedView(seen, references, strength) for strength in (1.0, 0.5))
    automatic = seen.over_parts(full.decision.ab(0.0))
    full, half = (guided.learnt(automatic, 0.0) for guided in (full, half))
    error = true_ab - automatic
    assert np.linalg.norm(error - full) < 0.85 * np.linalg.norm(error)
    assert 0 < np.linalg.norm(half) < np.linalg.norm(full)


def test_colours_gain_chroma_where_nothing_is_to_be_learnt(references, monkeypatch):
    guided = GuidedView(references.photos[0].view, references)
    ab = np.random.default_rng(0).normal(0, 20, (len(references.photos[0].ab), 2)).astype(np.float32)
    gained = guided.learnt(ab, 0.0)
    monkeypatch.setattr("colorize.guidance.guidance.ENRICHMENT", 0.0)
    learnt = guided.learnt(ab, 0.0)
    np.testing.assert_allclose(gained, learnt + ENRICHMENT * (ab + learnt))


def test_what_is_looked_at_is_shown_by_its_sizes(tiny_colorizer, photos, references):
    guided = tiny_colorizer.open(photos[5], references).guided
    height, width = guided.view.description.lightness.shape
    n_regions = guided.view.description.superpixels.n_superpixels
    n_parts = sum(len(one.ab) for one in references.photos)
    assert repr(guided.view) == f"View({width}x{height} pixels, {n_regions} regions, 8 colours)"
    assert repr(guided) == f"GuidedView({guided.view!r}, guided by references)"
    assert repr(references) == f"References(2 photographs, {n_parts} parts, 8 colours)"


def test_references_of_another_model_are_refused(tiny_colorizer, photos, references):
    other = copy(tiny_colorizer)
    # One palette is not enough: the shipped models have the same, and other features.
    other.scaler_ = copy(tiny_colorizer.scaler_)
    other.scaler_.mean_ = other.scaler_.mean_ + 1
    with pytest.raises(ValueError, match="references are those of another model; look_at"):
        other.open(photos[5], references)
    through_a_file = pickle.loads(pickle.dumps(references))  # noqa: S301  - what was pickled here
    assert tiny_colorizer.open(photos[5], through_a_file).guided.references is through_a_file


def test_what_is_no_series_of_references_is_told(tiny_colorizer, photos):
    with pytest.raises(ValueError, match="references must be at least one photograph"):
        look_at(tiny_colorizer.model, [])
    with pytest.raises(TypeError, match="references must be a sequence of photographs, got one RgbImage"):
        look_at(tiny_colorizer.model, photos[4])
