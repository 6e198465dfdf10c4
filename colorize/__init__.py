"""Colour for grayscale photographs: classical, explainable, trainable in minutes, on a laptop CPU."""

__version__ = "0.1.0.dev0"
