"""What the networks are shown: crops that fit their places, and guides from models that have not seen them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from colorize.color import rgb_to_lab  # noqa: E402
from colorize.colorizer import Colorizer  # noqa: E402
from colorize.exceptions import DatasetError  # noqa: E402
from colorize.refine import data  # noqa: E402
from colorize.training import rows as training_rows  # noqa: E402
from colorize.types import RgbImage  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_plain_example_is_the_photograph(scenes):
    example = data.plain_example(scenes[0])
    # half precision keeps L* to 0.03 and ab to 0.06
    np.testing.assert_allclose(data.whole(example), rgb_to_lab(scenes[0].pixels).transpose(2, 0, 1), atol=0.07)


def test_large_photographs_are_reduced_to_the_working_resolution():
    photo = RgbImage(np.full((400, 800, 3), 90, np.uint8))
    planes = data.whole(data.plain_example(photo))
    assert planes.shape[1] * planes.shape[2] == pytest.approx(data.WORKING_PIXELS, rel=0.02)
    assert planes.shape[2] == 2 * planes.shape[1]


def gradient_example() -> data.Example:
    """a* is the column, b* the row, each from -1 to 1 times 50."""
    rows, columns = np.meshgrid(np.linspace(-50, 50, 60), np.linspace(-50, 50, 80), indexing="ij")
    return data.Example(np.stack([np.full_like(rows, 50), columns, rows], axis=2).astype(np.float16))


def test_crops_know_their_places_also_when_mirrored():
    rng = np.random.default_rng(0)
    crops, places = data.draw_batch([gradient_example()] * 8, rng, size=24)
    assert crops.shape == (8, 3, 24, 24)
    slopes = np.sign(crops[:, 1, 0, -1] - crops[:, 1, 0, 0])
    assert set(slopes) == {-1, 1}  # some are mirrored
    for planes, place, slope in zip(crops, places, slopes, strict=True):
        # reduction averages over up to 2.5 pixels of 1/80 of the width each
        np.testing.assert_allclose(planes[2] / 50, place[0], atol=0.05)
        np.testing.assert_allclose(slope * planes[1] / 50, place[1], atol=0.05)


def test_crops_change_the_lightness_within_bounds():
    crops, _ = data.draw_batch([gradient_example()] * 20, np.random.default_rng(0), size=16)
    lightness = crops[:, 0].mean(axis=(1, 2))
    assert lightness.std() > 1
    assert np.abs(lightness - 50).max() <= 7.5 + 1e-3


@pytest.fixture(scope="module")
def examples(photos, tiny_colorizer):
    return data.out_of_fold(photos, tiny_colorizer)


def test_an_example_carries_the_opinion_of_a_base(examples, photos, tiny_colorizer):
    assert len(examples) == len(photos)
    example = examples[3]
    assert example.guide.shape == (example.labels.max() + 1, data.GUIDE_PLANES)
    assert example.base_ab.shape == (*photos[3].shape, 2)
    planes = data.whole(example)
    assert planes.shape == (5 + data.GUIDE_PLANES, *photos[3].shape)
    region_ab = 50 * example.guide[:, :2][example.labels]
    assert np.abs(region_ab - example.base_ab.astype(np.float32)).mean() < 5  # propagation moves colours a little
    assert (example.guide[:, 2:4] >= 0).all()
    assert (np.abs(example.guide[:, 4]) <= 1).all()


def test_every_photograph_is_coloured_by_a_model_that_has_not_seen_it(photos, quick_colorizer, monkeypatch):
    learnt, coloured = [], []
    learn, guided = Colorizer.learn, data.guided_example

    def spy_learn(self, rows, **options):
        self.seen = set(np.unique(rows.photo).tolist())
        learnt.append(self.seen)
        return learn(self, rows, **options)

    def spy_guided(photo, base, description):
        coloured.append((next(i for i, other in enumerate(photos) if other is photo), base.seen))
        return guided(photo, base, description)

    monkeypatch.setattr(Colorizer, "learn", spy_learn)
    monkeypatch.setattr(data, "guided_example", spy_guided)
    data.out_of_fold(photos, quick_colorizer)
    assert len(learnt) == data.N_FOLDS
    assert sorted(index for index, _ in coloured) == list(range(len(photos)))
    assert all(index not in seen for index, seen in coloured)
    assert all(len(seen) >= len(photos) * 0.7 for seen in learnt)


def test_of_many_photographs_fewer_rows_are_drawn(photos, quick_colorizer, monkeypatch):
    counts, learn = [], Colorizer.learn

    def spy(self, rows, **options):
        counts.append(np.bincount(rows.photo).max())
        return learn(self, rows, **options)

    monkeypatch.setattr(Colorizer, "learn", spy)
    monkeypatch.setattr(training_rows, "_MAX_ROWS", 20 * len(photos))
    data.out_of_fold(photos, quick_colorizer)
    assert counts == [20] * data.N_FOLDS


def test_the_machine_that_a_base_kept_of_its_own_base_stays(photos, tiny_colorizer, monkeypatch):
    based = Colorizer(n_colors=5, n_superpixels=60).fit(photos[:4], base=tiny_colorizer)
    assert based.summary_["machine"] == "base"
    twins, guided = [], data.guided_example

    def spy(photo, base, description):
        twins.append(base.classifier_)
        return guided(photo, base, description)

    monkeypatch.setattr(data, "guided_example", spy)
    data.out_of_fold(photos, based)
    assert all(twin.estimator_ is tiny_colorizer.classifier_.estimator_ for twin in twins)
    assert len({twin.weights_.tobytes() for twin in twins}) == data.N_FOLDS  # each calibrated by the other four


def test_few_photographs_are_refused(photos, tiny_colorizer):
    with pytest.raises(DatasetError, match="at least 10 photographs"):
        data.out_of_fold(photos[:9], tiny_colorizer)
