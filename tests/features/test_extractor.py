"""The extractor: every family present, alive, finite, and the same alone as among the others."""

import numpy as np
import pytest

from colorize.color import to_gray
from colorize.features import FAMILIES, FeatureExtractor
from colorize.features.extractor import N_WORDS
from colorize.features.gabor import N_ORIENTATIONS, N_SCALES, gabor
from colorize.features.intensity import intensity
from colorize.features.scene import scene
from colorize.features.surf import surf_descriptors


@pytest.fixture(scope="module")
def extractor(textured):
    return FeatureExtractor().fit([textured])


@pytest.fixture(scope="module")
def matrices(extractor, photos, analyse):
    """Features of three different photographs."""
    return [extractor.transform(analyse(to_gray(photo).lightness)) for photo in photos[2:8:2]]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_column_of_every_family_varies(matrices, family):
    spread = np.ptp(np.concatenate([matrix.family(family) for matrix in matrices]), axis=0)
    assert [name for name, width in zip(names_of(matrices[0], family), spread, strict=True) if width == 0] == []


def names_of(matrix, family):
    return matrix.names[matrix.families[family]]


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "scene"])
def test_families_tell_the_regions_of_a_photograph_apart(matrices, family):
    for matrix in matrices:
        assert len(np.unique(matrix.family(family), axis=0)) > 0.9 * len(matrix.values)


def test_the_scene_is_the_same_for_all_regions_and_another_for_every_photograph(matrices):
    rows = [matrix.family("scene") for matrix in matrices]
    for row in rows:
        assert (row == row[0]).all()
    assert len(np.unique([row[0] for row in rows], axis=0)) == len(rows)


def test_nothing_to_see_gives_finite_numbers_of_modest_size(extractor, odd):
    matrix = extractor.transform(odd)
    assert len(matrix.values) == odd.superpixels.n_superpixels
    assert np.isfinite(matrix.values).all()
    assert np.abs(matrix.values).max() < 10


def test_columns_are_named_once_after_their_family(matrices):
    matrix = matrices[0]
    assert tuple(matrix.families) == FAMILIES
    assert len(set(matrix.names)) == matrix.values.shape[1]
    for family in FAMILIES:
        assert all(name.startswith(f"{family}:") for name in names_of(matrix, family))


@pytest.mark.parametrize("families", [*[(family,) for family in FAMILIES], ("scene", "shape", "context")])
def test_a_choice_of_families_gives_the_columns_of_the_whole(extractor, textured, families):
    whole = extractor.transform(textured)
    chosen = FeatureExtractor(families).fit([textured]).transform(textured)
    assert tuple(chosen.families) == tuple(family for family in FAMILIES if family in families)
    for family in families:
        np.testing.assert_array_equal(chosen.family(family), whole.family(family))
        assert names_of(chosen, family) == names_of(whole, family)


@pytest.mark.parametrize("family", ["intensity", "position", "shape", "context"])
def test_a_mirror_image_has_the_same_features(analyse, textured, extractor, family):
    # sides of 2^k + 1 pixels: then every level of the pyramid is mirrored too
    gray = 100 * textured.gray[:65, :129]
    labels = textured.superpixels.labels[:65, :129]
    one, other = analyse(gray, labels=labels), analyse(gray[:, ::-1], labels=labels[:, ::-1])
    values, mirrored = (extractor.transform(photo) for photo in (one, other))
    # directions are mirrored, and OpenCV enlarges a picture at its right border otherwise than at its left
    same = [not ("direction" in name or "band energy" in name) for name in names_of(values, family)]
    # 1e-4: float32 sums in another order
    np.testing.assert_allclose(values.family(family)[:, same], mirrored.family(family)[:, same], atol=1e-4)


def test_the_scene_is_made_of_the_tones_the_textures_and_the_words(extractor, textured):
    tones, names = intensity(textured)
    histogram = tones[:, [name.startswith("histogram") for name in names]]
    descriptors = surf_descriptors(textured, FeatureExtractor.WORD_SCALE)
    expected, names = scene(textured, histogram, gabor(textured)[0], descriptors, extractor.words_)
    matrix = extractor.transform(textured)
    # 1e-5: a view of the columns is multiplied in another order
    np.testing.assert_allclose(matrix.family("scene")[0], expected, atol=1e-5)
    assert names_of(matrix, "scene") == tuple(f"scene:{name}" for name in names)


def test_the_context_is_made_of_the_tones_and_of_texture_by_scale_and_by_direction(extractor, textured):
    matrix = extractor.transform(textured)
    energy = matrix.family("gabor").reshape(-1, N_SCALES, N_ORIENTATIONS)
    core = {
        "mean": matrix.family("intensity")[:, 0],
        "histogram 3": matrix.values[:, matrix.names.index("intensity:histogram 3")],
        "texture at scale 2": energy[:, 2].mean(axis=1),
        "texture in direction 5": energy[:, :, 5].mean(axis=1),
    }
    for name, column in core.items():
        found = matrix.values[:, matrix.names.index(f"context:ring 1, {name}")]
        np.testing.assert_allclose(found, textured.neighbours @ column, atol=1e-6)


def test_the_photograph_is_not_changed(analyse, extractor):
    photo = analyse(np.random.default_rng(0).uniform(0, 100, (32, 32)))
    before = photo.gray.copy()
    extractor.transform(photo)
    np.testing.assert_array_equal(photo.gray, before)


@pytest.fixture
def described_already(monkeypatch):
    """Photographs are their descriptors, shape (n, 64)."""
    monkeypatch.setattr("colorize.features.extractor.surf_descriptors", lambda descriptors, scale: descriptors)


def test_words_are_the_same_every_time(textured, extractor):
    np.testing.assert_array_equal(FeatureExtractor().fit([textured]).words_, extractor.words_)


def test_without_the_scene_no_photograph_is_read_for_words():
    read = iter([None])
    assert not FeatureExtractor(["intensity", "surf"]).fit(read).words_.any()
    assert list(read) == [None]


@pytest.mark.usefixtures("described_already")
def test_words_depend_on_the_seed():
    many = [np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)]
    first, again, other = (FeatureExtractor(random_state=seed).fit(many).words_ for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.usefixtures("described_already")
def test_only_some_descriptors_are_kept_for_the_words(monkeypatch):
    monkeypatch.setattr("colorize.features.extractor.MOST_DESCRIPTORS", 10)
    descriptors = [np.random.default_rng(seed).normal(size=(100, 64)).astype(np.float32) for seed in (0, 1)]
    words = FeatureExtractor().fit(descriptors).words_
    assert words.shape == (N_WORDS, 64)
    assert np.count_nonzero(words.any(axis=1)) == 10


def test_fewer_descriptors_than_words_are_enough(textured, extractor):
    assert textured.superpixels.n_superpixels < N_WORDS
    found = extractor.words_[: textured.superpixels.n_superpixels]
    descriptors = surf_descriptors(textured, FeatureExtractor.WORD_SCALE)
    # every descriptor is a word then: k-means has one centre each
    np.testing.assert_allclose(found[np.lexsort(found.T)], descriptors[np.lexsort(descriptors.T)], atol=1e-5)


@pytest.mark.parametrize(
    ("families", "message"),
    [
        (("gabor", "sift"), "some of intensity, .*; got sift"),
        ((), "some of intensity, .*; got none"),
        ("gabor", "a sequence of names, got the string 'gabor'"),
    ],
)
def test_unknown_families_are_named(families, message):
    with pytest.raises(ValueError, match=f"families must be {message}"):
        FeatureExtractor(families)


def test_transform_needs_fit(textured):
    with pytest.raises(ValueError, match="must be fitted before transform"):
        FeatureExtractor().transform(textured)
