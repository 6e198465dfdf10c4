"""Hinted points on the frames around theirs."""

import numpy as np
import pytest

from colorize.film import tracks
from colorize.film.motion import flow
from colorize.film.tracks import MOST_POINTS, follow_hints, on_frame
from colorize.guidance.hints import HintPixels

SHAPE = (96, 128)
STEP = 2


@pytest.fixture
def frames(pan):
    """A window that moves STEP columns a frame, so that what it shows moves to the left."""
    return pan("coffee", 20, step=STEP)


def hint(rows=slice(40, 50), columns=slice(60, 72), reach=1):
    is_known = np.zeros(SHAPE, bool)
    is_known[rows, columns] = True
    rgb = np.zeros((*SHAPE, 3), np.uint8)
    rgb[is_known] = (10, 20, 200)
    return HintPixels(is_known, rgb, np.where(is_known, reach, 0).astype(np.uint8))


def followed(frames, hints, starts=(0,), backward=100):
    pairs = ((frame, number in starts) for number, frame in enumerate(frames))
    return follow_hints(pairs, hints, SHAPE, backward)


def test_points_move_with_the_picture_both_ways(frames):
    points = followed(frames, {10: hint()})
    for number in (2, 6, 9, 11, 14, 18):
        pixels = on_frame(points, number, SHAPE)
        rows, columns = np.nonzero(pixels.is_known)
        assert abs(rows.mean() - 44.5) < 1  # pixels, over 8 frames
        assert abs(columns.mean() - (65.5 - STEP * (number - 10))) < 1.5
        assert (pixels.rgb[pixels.is_known] == (10, 20, 200)).all()
        assert (pixels.reach[pixels.is_known] == 1).all()


def test_own_frame_is_left_out(frames):
    assert on_frame(followed(frames, {10: hint()}), 10, SHAPE) is None


def test_they_end_with_the_shot(frames):
    found = followed(frames, {10: hint()}, starts=(0, 6, 15))[:, 0]
    assert (found.min(), found.max()) == (6, 14)


def test_they_go_back_so_far_at_most(frames):
    assert followed(frames, {10: hint()}, backward=3)[:, 0].min() == 7


def test_they_end_at_the_edge(frames):
    left = followed(frames, {10: hint(columns=slice(2, 6))})
    assert left[:, 0].max() < 14
    assert left[:, 2].min() >= 0


def test_points_that_are_covered_are_given_up(frames):
    frames = [frame.copy() for frame in frames]
    for frame in frames[13:]:
        frame[30:60, 40:90] = 250 - frame[30:60, 40:90] // 4
    found = followed(frames, {10: hint()})[:, 0]
    assert np.count_nonzero(found == 12) > 100
    assert np.count_nonzero(found == 14) < 10


def test_large_hints_are_sampled(frames):
    everything = hint(slice(None), slice(None))
    found = followed(frames[:3], {1: everything})[:, 0]
    assert everything.is_known.sum() > MOST_POINTS
    assert 0.8 * MOST_POINTS < np.count_nonzero(found == 2) <= MOST_POINTS


def test_several_hints(frames):
    found = followed(frames, {3: hint(), 12: hint(slice(10, 14), slice(30, 40))})
    assert on_frame(found, 3, SHAPE) is not None
    assert (np.diff(found[:, 0]) >= 0).all()


def test_hints_of_a_shot_share_the_flow(frames, monkeypatch):
    asked = []
    monkeypatch.setattr(tracks, "flow", lambda *pair: asked.append(1) or flow(*pair))
    together = followed(frames[:6], {0: hint(), 1: hint(slice(10, 14), slice(30, 40))}, backward=0)
    assert len(asked) == 2 * 5  # there and back, between neighbours
    assert set(together[:, 0]) == {1, 2, 3, 4, 5}


def test_no_hints():
    assert follow_hints((), {}, SHAPE, 10).shape == (0, 7)
