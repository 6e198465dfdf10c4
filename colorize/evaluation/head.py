"""The encoder's own colours, without regions and without a support vector machine: to see what these add."""

from __future__ import annotations

import cv2
import numpy as np

from colorize._support.shrink import shrink_to
from colorize.features.encoder import expected_colors, see
from colorize.features.superpixels import working_shape
from colorize.guidance.canvas import PULL
from colorize.optimization import propagate
from colorize.recognition.decision import dial
from colorize.recognition.palette import mean_color
from colorize.types import Float32, GrayImage

__all__ = ["encoder_ab"]


def encoder_ab(gray: GrayImage, vividness: float = 0.5, *, levin: bool = False) -> Float32:
    """Colour every place as the encoder believes (`colorize.features.encoder.see`), and enlarge that to the photograph.

    Gives a* and b*, shape (H, W, 2), not mapped to the gamut; `vividness` is that of `Colorizer.predict`. With `levin`
    they are carried to the pixels by Levin's optimization, which keeps to edges; otherwise they are interpolated.

    Examples
    --------
    >>> encoder_ab(GrayImage(np.full((40, 60), 50, np.float32))).shape
    (40, 60, 2)
    """
    height, width = working_shape(gray.shape)
    # The working size of the superpixels, at which the feature family asks the encoder too: the
    # comparison is about what comes after it.
    small: Float32 = shrink_to(gray.lightness, (height, width))
    beliefs = see(small / np.float32(100)).beliefs
    colors = expected_colors()
    places = mean_color(beliefs.reshape(len(colors), -1).T, colors) * np.float32(dial(vividness))
    coarse = places.reshape(*beliefs.shape[1:], 2)
    ab = cv2.resize(coarse, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if not levin:
        return ab
    # As `colorize.guidance.canvas.pull`: colours spread over the same share of the photograph as those of a
    # model, so that the propagation is no difference between the two.
    weight = np.full(gray.shape, PULL * height * width / (gray.shape[0] * gray.shape[1]), np.float32)
    return propagate(gray.lightness, ab, weight).ab
