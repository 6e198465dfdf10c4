"""Showing doubt: a map of where the model guesses, and a picture that keeps only the colours it is sure of."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.color import lab_to_rgb, rgb_to_lightness
from colorize.types import ColorField, Colorization, Float32, GrayImage, RgbImage

__all__ = ["confidence_picture", "only_confident", "tinted"]

SOFT_EDGE = 0.06
"""Confidence below the limit over which colour fades to gray."""

LOW, HIGH = 0.4, 1.0
"""Confidence at the two ends of the map's scale; less than the low end looks like it."""

_GUESS = np.array([28, 62], np.float32)
_SURE = np.array([2, -48], np.float32)  # ab: orange and blue, told apart by all eyes
_LIGHTEST, _DARKEST = 88.0, 38.0  # L* at which both can be seen
# Below the first the legend cannot be read; above the second nobody looks closer, and there are the numbers.
_SHORTEST, _LONGEST = 480, 1600


def only_confident(result: Colorization, gray: GrayImage, least: float) -> Colorization:
    """Keep colour only where the model is sure enough of it; the rest is left gray.

    Colours are unchanged where the confidence is at least `least`, and gone where it is `SOFT_EDGE` below that; in
    between they fade. Lightness stays as it is everywhere.

    Parameters
    ----------
    result : Colorization
    gray : GrayImage
        The photograph that it was made of.
    least : float
        0 (everything) to 1. Confidence is the probability that the model gives to colours near the one it chose; most
        lies between 0.5 and 0.95.

    Raises
    ------
    ValueError
        `least` is outside [0, 1].

    See Also
    --------
    confidence_picture : The twin that shows doubt as colour.
    colorize.recognition.decision.Decision.confidence : Where the confidence comes from.
    """
    if not 0 <= least <= 1:
        raise ValueError(f"least must be in [0, 1], got {least!r}")
    share = np.clip((result.confidence - (least - SOFT_EDGE)) / SOFT_EDGE, 0, 1)
    # Smooth at both ends: the eye draws a line where a straight fade begins.
    share = share * share * (3 - 2 * share)
    ab = result.ab * share[..., None].astype(np.float32)
    pixels = lab_to_rgb(gray.lightness, ab, bit_depth=gray.bit_depth)
    return replace(
        result,
        image=RgbImage(pixels, result.image.alpha, result.image.metadata),
        field=ColorField(ab, result.confidence),
    )


def confidence_picture(result: Colorization) -> RgbImage:
    """Draw the confidence over the photograph: orange where the colour is a guess, blue where the model is sure.

    Returns
    -------
    RgbImage
        8-bit, about 480 to 1600 pixels wide, with a scale below the photograph; beside a photograph that would be more
        than 1600 pixels high there is white. For numbers take ``result.confidence``.

    See Also
    --------
    only_confident : The twin that takes doubtful colours away.
    colorize.recognition.decision.Decision.confidence : Where the confidence comes from.
    """
    lightness, confidence = rgb_to_lightness(result.image.pixels), result.confidence
    height, width = lightness.shape
    scale = min(max(1, _SHORTEST / width), _LONGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small, sure = (cv2.resize(values, size, interpolation=way) for values in (lightness, confidence))
    legend = _legend(max(_SHORTEST, size[0]))
    beside = legend.shape[1] - size[0]
    drawn = np.pad(tinted(small, sure), ((0, 0), (beside // 2, beside - beside // 2), (0, 0)), constant_values=255)
    return RgbImage(np.concatenate([drawn, legend]))


def tinted(lightness: Float32, confidence: Float32) -> NDArray[np.uint8]:
    """A photograph, orange where its colour is a guess, blue where the model is sure; both (H, W), the result 8-bit."""
    # Near black and white sRGB has no colours, and the map would be blind in shadows and lights.
    visible = _DARKEST + lightness * ((_LIGHTEST - _DARKEST) / 100)
    place = np.clip((confidence - LOW) / (HIGH - LOW), 0, 1)[..., None]
    # through neutral: two hues that fade into each other would cross a third
    ab = _GUESS * np.clip(1 - 2 * place, 0, 1) + _SURE * np.clip(2 * place - 1, 0, 1)
    return np.asarray(lab_to_rgb(visible.astype(np.float32), ab.astype(np.float32)), np.uint8)


def _legend(width: int) -> NDArray[np.uint8]:
    """The scale and what it means."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, min(0.6, width / 1100)
    line = round(34 * size)
    margin, bar = round(0.04 * width), round(0.9 * line)
    legend = np.full((4 * line + bar, width, 3), 255, np.uint8)
    inside = width - 2 * margin
    steps = np.linspace(LOW, HIGH, inside, dtype=np.float32)[None]
    top = round(1.7 * line)
    legend[top : top + bar, margin:-margin] = tinted(np.full_like(steps, 60), steps)
    title = "How sure the model is that the true colour is near the one it chose"
    cv2.putText(legend, title, (margin, round(1.15 * line)), font, size, (30, 30, 30), 1, cv2.LINE_AA)
    for percent in range(round(100 * LOW), round(100 * HIGH) + 1, 10):
        text = f"{percent}%" if percent > 100 * LOW else f"to {percent}%"
        wide = cv2.getTextSize(text, font, size, 1)[0][0]
        at = margin + inside * (percent / 100 - LOW) / (HIGH - LOW)
        left = min(max(margin, at - wide / 2), width - margin - wide)
        foot = top + bar + round(1.1 * line)
        cv2.putText(legend, text, (round(left), foot), font, size, (60, 60, 60), 1, cv2.LINE_AA)
    return legend
