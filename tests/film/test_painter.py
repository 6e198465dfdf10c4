"""Colours from frame to frame: a still film is its photograph, nothing pops, hints are met and carried."""

from itertools import pairwise

import numpy as np
import pytest

from colorize.color import map_to_gamut, rgb_to_lab
from colorize.film.painter import Painter
from colorize.guidance.canvas import pull
from colorize.guidance.hints import HintPixels
from colorize.guidance.session import Session
from colorize.optimization import affinity, multigrid
from colorize.types import GrayImage


@pytest.fixture
def still(pan):
    return (pan("coffee", 1, grain=0)[0] / 2.55).astype(np.float32)


@pytest.fixture
def painter(tiny_colorizer):
    return Painter(tiny_colorizer, vividness=1, rate=12)


def lightness_of(frames):
    return [(frame / 2.55).astype(np.float32) for frame in frames]


def spot(shape, rows, columns, rgb=(200, 40, 30), reach=2):
    is_known = np.zeros(shape, bool)
    is_known[rows, columns] = True
    color = np.zeros((*shape, 3), np.uint8)
    color[is_known] = rgb
    return HintPixels(is_known, color, np.where(is_known, reach, 0).astype(np.uint8))


def test_first_frame_is_the_photograph(painter, still, tiny_colorizer):
    photo = tiny_colorizer.predict(GrayImage(still), vividness=1)
    assert np.abs(painter.paint(still) - photo.ab).max() < 1  # the tolerance of the solver


@pytest.mark.slow
def test_still_film_neither_drifts_nor_bleaches(painter, still):
    first = painter.paint(still)
    for _ in range(60):
        last = painter.paint(still)
    assert painter.n_keys > 5
    assert np.abs(last - first).mean() < 0.5
    assert np.linalg.norm(last, axis=2).mean() > 0.97 * np.linalg.norm(first, axis=2).mean()


@pytest.mark.slow
def test_flicker_is_at_most_a_fifth_of_frame_by_frame(painter, pan, tiny_colorizer):
    rng = np.random.default_rng(0)
    frames = lightness_of([np.clip(frame * rng.uniform(0.95, 1.05), 0, 255) for frame in pan("china", 12, grain=4)])

    def flicker(fields):  # one column per frame, known
        pairs = pairwise(fields)
        return np.mean([np.linalg.norm(a[:, 2:-1] - b[:, 1:-2], axis=2).mean() for a, b in pairs])

    ours = flicker([painter.paint(frame) for frame in frames])
    theirs = flicker([tiny_colorizer.predict(GrayImage(frame), vividness=1).ab for frame in frames])
    assert ours < theirs / 5


@pytest.mark.slow
def test_new_opinion_comes_in_slowly(painter, still, monkeypatch):
    painter.paint(still)
    before = painter.paint(still)
    decided = Session.region_colors
    monkeypatch.setattr(Session, "region_colors", lambda *said: decided(*said) + np.float32([30, 0]))
    steps = []
    for _ in range(60):
        after = painter.paint(still)
        steps.append(np.abs(after - before)[..., 0].mean())
        before = after
    assert max(steps) < 4  # of 30: no pop
    assert 20 < sum(steps) < 31  # and it does come in


def test_cut_forgets(painter, pan, still, tiny_colorizer):
    for frame in lightness_of(pan("astronaut", 3)):
        painter.paint(frame)
    painter.cut()
    alone = Painter(tiny_colorizer, vividness=1, rate=12).paint(still)
    assert np.array_equal(painter.paint(still), alone)


def test_moving_object_keeps_its_colour_and_leaves_none_behind(painter, pan, monkeypatch):
    def bright_is_red(session, hints, vividness):
        is_bright = session.description.region_lightness > 70
        return np.where(is_bright[:, None], np.float32([40, 30]), np.float32(0))

    monkeypatch.setattr(Session, "region_colors", bright_is_red)
    ground = lightness_of(pan("china", 1, grain=0))[0] * np.float32(0.4)
    for number in range(20):
        frame = ground.copy()
        frame[40:60, 10 + 3 * number : 30 + 3 * number] = 90
        ab = painter.paint(frame)
    assert ab[45:55, 72:82, 0].mean() > 30
    assert ab[42:58, 15:55, 0].mean() < 4  # where it was
    assert ab[42:58, 100:120, 0].mean() < 4  # where it will be


def test_hint_is_met_exactly_on_its_frame(painter, pan):
    first, second = lightness_of(pan("coffee", 2))
    painter.paint(first)
    hint = spot(first.shape, slice(30, 40), slice(50, 70), rgb=(40, 90, 160))
    ab = painter.paint(second, exact=hint)
    known = hint.is_known
    assert np.allclose(ab[known], map_to_gamut(second[known], rgb_to_lab(hint.rgb[known])[:, 1:]))


def test_carried_hint_is_a_wish(painter, still):
    plain = painter.paint(still)
    painter.cut()
    hint = spot(still.shape, slice(30, 40), slice(50, 70), rgb=(40, 90, 200))
    ab = painter.paint(still, carried=hint)
    wish = map_to_gamut(still[hint.is_known], rgb_to_lab(hint.rgb[hint.is_known])[:, 1:])
    distance = [np.linalg.norm(field[hint.is_known] - wish, axis=1).mean() for field in (plain, ab)]
    assert distance[1] < 0.35 * distance[0]


def test_a_hinted_key_frame_takes_one_solve_and_one_set_of_affinities(painter, still, monkeypatch):
    count = []
    for module, name in ((affinity, "gaussian"), (multigrid, "solve")):
        plain = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, _n=name, _p=plain, **k: count.append(_n) or _p(*a, **k))
    painter.paint(still, exact=spot(still.shape, slice(30, 40), slice(50, 70)))
    assert painter.n_keys == 1
    assert sorted(count) == ["gaussian", "solve"]


def test_held_frame_changes_nothing(painter, still):
    first = painter.paint(still)
    state = painter.state
    assert painter.hold(np.full_like(still, 100)) is first
    assert painter.state is state


def test_held_frame_meets_its_hint(painter, still):
    painter.paint(still)
    hint = spot(still.shape, slice(0, 5), slice(0, 5), rgb=(120, 120, 120))
    assert np.abs(painter.hold(still, exact=hint)[:5, :5]).max() < 1e-3  # gray is a colour


def test_nothing_trusted_is_still_an_answer(painter, still):
    painter.paint(still)
    noise = np.random.default_rng(0).uniform(0, 100, still.shape).astype(np.float32)
    assert np.isfinite(painter.paint(noise)).all()


def test_going_on_from_a_state_is_the_same(tiny_colorizer, pan):
    frames = lightness_of(pan("china", 8))
    whole, first, second = (Painter(tiny_colorizer, rate=12) for _ in range(3))
    expected = [whole.paint(frame) for frame in frames]
    for frame in frames[:5]:
        first.paint(frame)
    second.state = first.state
    assert all(np.array_equal(second.paint(frame), ab) for frame, ab in zip(frames[5:], expected[5:], strict=True))


def test_weights_are_those_of_a_photograph(tiny_colorizer, still, painter):
    painter.paint(still)
    assert painter.state.weight == pull(tiny_colorizer.open(GrayImage(still)).description.superpixels, still.shape)
