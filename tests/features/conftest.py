"""Photographs for the tests of the feature families."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from colorize.color import to_gray
from colorize.features import PhotoAnalysis
from colorize.features.superpixels import from_labels, segment

Analyse = Callable[..., PhotoAnalysis]


@pytest.fixture(scope="session")
def analyse() -> Analyse:
    """Analysis of a lightness map, cut into about n_segments superpixels or along the given labels."""

    def analysis(lightness: np.ndarray, n_segments: int = 40, labels: np.ndarray | None = None) -> PhotoAnalysis:
        lightness = np.asarray(lightness, dtype=np.float32)
        return PhotoAnalysis(
            lightness, segment(lightness, n_segments=n_segments) if labels is None else from_labels(labels)
        )

    return analysis


@pytest.fixture(scope="session")
def textured(photos, analyse) -> PhotoAnalysis:
    """A real photograph with texture, 120 x 160."""
    return analyse(to_gray(photos[2]).lightness)


@pytest.fixture(scope="session")
def mirrored(textured, analyse) -> PhotoAnalysis:
    """The mirror image of `textured`, with the mirror image of its regions under the same numbers."""
    return analyse(100 * textured.gray[:, ::-1], labels=textured.superpixels.labels[:, ::-1])


@pytest.fixture(scope="session", params=["black", "white", "pixel", "row", "column", "noise"])
def odd(request, analyse) -> PhotoAnalysis:
    """Pictures that hold little or nothing to describe, or nothing but noise."""
    rng = np.random.default_rng(0)
    pictures = {
        "black": np.zeros((30, 40)),
        "white": np.full((30, 40), 100),
        "pixel": np.full((1, 1), 60),
        "row": rng.uniform(0, 100, (1, 50)),
        "column": rng.uniform(0, 100, (50, 1)),
        "noise": rng.uniform(0, 100, (33, 47)),
    }
    return analyse(pictures[request.param])
