"""Training: how often the photographs are read, and random numbers that belong to a photograph."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from colorize.colorizer import Colorizer
from colorize.recognition.rules import fit_rules
from colorize.training.fit import WORD_PHOTOS, describe_photos
from colorize.training.rows import TrainingRows, draw, share_of_rows

SMALL = {"n_colors": 6, "n_superpixels": 30}


class Counted(Sequence):
    """Photographs that note how often each is asked for."""

    def __init__(self, photos):
        self.photos, self.reads = photos, Counter()

    def __len__(self):
        return len(self.photos)

    def __getitem__(self, index):
        photo = self.photos[index]
        self.reads[int(index)] += 1
        return photo


@pytest.mark.slow
def test_training_goes_over_the_photographs_twice(photos):
    counted = Counted(photos[:4])
    Colorizer(**SMALL).fit(counted)
    assert counted.reads == dict.fromkeys(range(4), 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("families", "reads"),
    [(("intensity", "scene"), {2: WORD_PHOTOS, 1: 5}), (("intensity",), {1: WORD_PHOTOS + 5})],  # words are of scenes
)
def test_of_many_photographs_only_some_are_read_twice(photos, families, reads):
    many = Counted([photos[index % 4] for index in range(WORD_PHOTOS + 5)])
    Colorizer(**SMALL, families=families, rows_per_photo=5).fit(many)
    assert Counter(many.reads.values()) == reads


def test_on_a_base_they_are_read_once(photos, tiny_colorizer):
    counted = Counted(photos[:4])
    Colorizer(n_colors=5, n_superpixels=60).fit(counted, base=tiny_colorizer)
    assert counted.reads == dict.fromkeys(range(4), 1)


def described(photos, model, n_rows=7, cache=None):
    return describe_photos(photos, model.n_superpixels, model.extractor, cache, lambda *_: None, n_rows, 3)


def test_the_rows_of_a_photograph_do_not_depend_on_the_others(photos, tiny_colorizer):
    model = tiny_colorizer.model
    together, _ = described(photos[:3], model)
    other, _ = described([photos[5], photos[1], photos[2]], model)
    for number in (1, 2):
        one, again = (rows.where(rows.photo == number) for rows in (together, other))
        np.testing.assert_array_equal(one.features, again.features)
        np.testing.assert_array_equal(one.ab, again.ab)
    assert [int((together.photo == number).sum()) for number in range(3)] == [7, 7, 7]


def test_equal_photographs_give_other_rows(photos, tiny_colorizer):
    rows, _ = described([photos[0], photos[0]], tiny_colorizer.model)
    first, second = (rows.where(rows.photo == number) for number in range(2))
    assert not np.array_equal(first.features, second.features)


def test_the_rules_count_photographs_that_are_described_already(photos, tiny_colorizer):
    cache = {}
    described(photos[:2], tiny_colorizer.model, cache=cache)
    _, rules = described(photos[:3], tiny_colorizer.model, cache=cache)
    for name, rule in fit_rules(photos[:3]).items():
        np.testing.assert_array_equal(rules[name].table, rule.table)


@pytest.mark.slow
def test_rows_that_lack_the_pictures_are_described_anew(photos, tiny_colorizer):
    model, cache = tiny_colorizer.model, {}
    seen_by = model.n_superpixels, model.extractor
    plain, _ = described(photos[:2], model, cache=cache)
    for number in (0, 1, 2):  # none, some and all of the cache without pictures
        rows, _ = describe_photos(photos[:3], *seen_by, cache, lambda *_: None, 7, 3, pictures=True)
        assert rows.picture.shape[0] == len(rows) == 21
        np.testing.assert_array_equal(rows.features[:14], plain.features)
        cache[number] = replace(cache[number], picture=None)
    assert described(photos[:3], model, cache=cache)[0].picture is None


@pytest.mark.slow
def test_pictures_of_an_earlier_training_are_kept_only_if_asked_for(photos):
    cache = {}
    model = Colorizer(**SMALL)
    assert model.fit(photos[:3], described=cache, names=["a", "b", "c"], thumbnail_bytes=10**5).thumbnails_ is not None
    assert model.fit(photos[:3], described=cache).thumbnails_ is None


def test_many_photographs_give_fewer_rows_each():
    assert [share_of_rows(220, n) for n in (1, 272, 1300, 10**6)] == [220, 220, 46, 1]


def test_draws_are_ascending_and_without_repetition():
    assert draw(5, 9, 0).tolist() == [0, 1, 2, 3, 4]
    drawn = draw(100, 20, [0, 1])
    assert (np.diff(drawn) > 0).all()
    assert drawn.tolist() != draw(100, 20, [0, 2]).tolist()


def rows_of(n: int, picture: bool = False) -> TrainingRows:
    numbers = np.arange(n, dtype=np.float32)
    parts = numbers[:, None], np.stack([numbers, numbers], axis=1), numbers, numbers.astype(np.int32)
    return TrainingRows(*parts, {"all": slice(0, 1)}, numbers[:, None].astype(np.uint8) if picture else None)


@pytest.mark.parametrize("picture", [False, True])
@pytest.mark.parametrize(
    "chosen", [np.arange(6) > 3, np.array([4, 5]), slice(4, None)], ids=["mask", "numbers", "slice"]
)
def test_some_rows_and_rows_joined(chosen, picture):
    part = rows_of(6, picture).where(chosen)
    joined = TrainingRows.concatenate([part, rows_of(2, picture)])
    for name, values in joined.arrays().items():
        assert values.reshape(4, -1)[:, 0].tolist() == [4, 5, 0, 1], name
    assert joined.families == {"all": slice(0, 1)}
    assert (joined.picture is None) is not picture
    assert len(joined) == 4


def test_parts_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match=r"training rows must be equally many in every part, got .*'area': 3"):
        TrainingRows(np.ones((2, 1)), np.ones((2, 2)), np.ones(3), np.zeros(2, np.int32), {"all": slice(0, 1)})
