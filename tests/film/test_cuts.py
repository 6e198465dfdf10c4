"""Cuts with known answers, and what must not be taken for one."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from colorize.film.cuts import HELD, SAME, START, STEADY, find_shots, similarity

NAMES = ("astronaut", "chelsea", "china", "coffee", "flower", "rocket")


def shots(frames):
    return list(find_shots(frames))


def test_cuts_are_where_they_are(pan):
    lengths = [5, 1, 7, 4, 6, 3]
    frames = [frame for name, length in zip(NAMES, lengths, strict=True) for frame in pan(name, length, step=3)]
    expected = [kind for length in lengths for kind in [START] + [STEADY] * (length - 1)]
    assert shots(frames) == expected


@pytest.mark.parametrize("step", [0, 4, 10])
def test_camera_that_moves_is_no_cut(pan, step):
    assert shots(pan("china", 12, step=step)) == [START] + [STEADY] * 11


def test_zoom_and_turn_are_no_cut(pictures):
    gray = cv2.resize(pictures["coffee"][..., 1], (160, 107))
    turns = [cv2.getRotationMatrix2D((80, 53), 2.0 * k, 1.2 + 0.03 * k) for k in range(10)]
    assert shots([cv2.warpAffine(gray, turn, (160, 107)) for turn in turns]) == [START] + [STEADY] * 9


def test_light_that_flickers_and_grain_are_no_cut(pan):
    rng = np.random.default_rng(1)
    frames = [
        np.clip(frame * rng.uniform(0.6, 1.3) + rng.uniform(-15, 15), 0, 255).astype(np.uint8)
        for frame in pan("astronaut", 20, step=2, grain=12)
    ]
    assert shots(frames) == [START] + [STEADY] * 19


def test_fade_to_black_and_up_again_in_the_same_scene(pan):
    light = np.abs(np.linspace(1, -1, 25))
    frames = [(frame * share).astype(np.uint8) for frame, share in zip(pan("china", 25), light, strict=True)]
    found = shots(frames)
    assert found.count(START) == 1
    assert found[12] == HELD


def test_fade_to_black_and_up_in_another_scene_is_one_cut(pan):
    light = np.abs(np.linspace(1, -1, 25))
    scenes = [*pan("china", 12), *pan("coffee", 13)]
    found = shots([(frame * share).astype(np.uint8) for frame, share in zip(scenes, light, strict=True)])
    assert found.count(START) == 2
    assert 12 <= found.index(START, 1) <= 14  # frame 12 is black


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_flash_is_no_cut(pan, length, strength):
    frames = pan("chelsea", 12)
    for number in range(5, 5 + length):
        frames[number] = (frames[number] * (1 - strength) + 255 * strength).astype(np.uint8)
    found = shots(frames)
    assert found.count(START) == 1
    assert strength < 1 or found[5 : 5 + length] == [HELD] * length


def test_film_that_opens_on_black(pan):
    black = [np.zeros((96, 128), np.uint8)] * 3
    assert shots([*black, *pan("coffee", 3)]) == [START, STEADY, STEADY, START, STEADY, STEADY]


def test_no_frames_and_one():
    assert shots([]) == []
    assert shots([np.zeros((90, 120), np.uint8)]) == [START]


def test_dissolve_is_no_cut(pan):
    pairs = zip(pan("china", 24), pan("coffee", 24), np.linspace(0, 1, 24), strict=True)
    found = shots([(a * (1 - t) + b * t).astype(np.uint8) for a, b, t in pairs])
    assert found.count(START) == 1


@pytest.mark.data
def test_photographs_are_far_from_the_threshold(data_folder):
    from colorize.io import read_photo

    grays = []
    for path in sorted((data_folder / "bsds500" / "val").glob("*.jpg"))[:40]:
        pixels = read_photo(path).pixels
        grays.append(cv2.resize(np.ascontiguousarray(pixels[:300, :300, 1]), (140, 140), interpolation=cv2.INTER_AREA))
    between = [similarity(a, b) for a, b in pairwise(grays)]
    within = [similarity(gray, np.roll(gray, 5, axis=1)) for gray in grays]
    assert max(between) < SAME - 0.1  # 0.19 was the largest of 400 pairs
    assert min(within) > SAME + 0.1
