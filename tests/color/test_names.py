"""Names of colours: what people would say, at every lightness."""

import numpy as np
import pytest

from colorize.color import rgb_to_lab
from colorize.color.names import _known, color_names


@pytest.mark.parametrize(
    ("lightness", "ab", "name"),
    [
        (70, (14, 18), "pinkish tan"),  # fair skin
        (40, (14, 18), "cocoa"),  # dark skin
        (64, (47, 71), "orange"),
        (30, (20, 35), "brown"),  # orange, but dark
        (48, (70, 58), "red"),
        (85, (20, 2), "light pink"),  # red, but light
        (97, (-20, 90), "yellow"),
        (45, (-12, 45), "olive"),  # yellow, but dark
        (78, (-5, -30), "light blue"),  # sky
        (35, (-14, 32), "army green"),  # trees
        (5, (0, 2), "black"),
        (30, (2, 0), "dark gray"),
        (60, (-2, 1), "gray"),
        (80, (0, -3), "light gray"),
        (99, (1, 1), "white"),
    ],
)
def test_lightness_is_part_of_a_name(lightness, ab, name):
    assert color_names(np.array([ab], np.float32), lightness) == [name]


def test_every_colour_has_the_name_it_has_in_the_survey():
    names, lab = _known()
    survey = pytest.importorskip("matplotlib.colors").XKCD_COLORS
    assert len(set(names)) == len(names) > 70
    assert color_names(lab[:, 1:].astype(np.float32), lab[:, 0]) == names
    for name, color in zip(names, lab, strict=True):
        code = survey["xkcd:" + name.replace("gray", "grey")]
        assert rgb_to_lab(np.array(list(bytes.fromhex(code[1:])), np.uint8)) == pytest.approx(color, abs=1e-4), name
