"""Colour: sRGB and CIELAB, the gamut, names of colours, and how far two colours are apart."""

from colorize.color.convert import (
    gray_rgb,
    lab_to_linear_rgb,
    lab_to_rgb,
    map_to_gamut,
    rgb_to_lab,
    rgb_to_lightness,
    tint_of,
    to_gray,
)

__all__ = [
    "gray_rgb",
    "lab_to_linear_rgb",
    "lab_to_rgb",
    "map_to_gamut",
    "rgb_to_lab",
    "rgb_to_lightness",
    "tint_of",
    "to_gray",
]
