"""Colour transfer from the most similar training photograph (Welsh, Ashikhmin and Mueller 2002): the oldest rival."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import cv2
import numpy as np
from scipy.spatial import cKDTree

from colorize._support.shrink import shrink
from colorize.color import rgb_to_lab
from colorize.exceptions import DatasetError
from colorize.types import Float32, GrayImage, RgbImage

__all__ = ["WelshTransfer"]

_TINY = 8
_WINDOW = 5
_LONGEST_SIDE = 512
_N_SAMPLES = 200  # pixels kept of every training photograph


class WelshTransfer:
    """Give every pixel the colour of a pixel that looks like it, in the one training photograph that looks most alike.

    Looks: half lightness, half its standard deviation in a 5x5 window, after the training photograph's lightness has
    been brought to the mean and spread of the gray one's. About 200 pixels on a jittered grid stand for a training
    photograph. The paper lets a person choose that photograph; here the nearest tiny picture does it.

    Attributes
    ----------
    tiny_ : ndarray, shape (n_photos, 64), float32
        Lightness of the training photographs at 8 x 8 pixels.
    samples_ : ndarray, shape (n_photos, 200, 4), float32
        Lightness, its deviation, a* and b* of the kept pixels.
    tone_ : ndarray, shape (n_photos, 2), float32
        Mean and standard deviation of each photograph's lightness.

    See Also
    --------
    colorize.guidance.references.look_at : How references lend their colours in this package.
    colorize.recognition.rules.fit_rules : The other simple methods.

    References
    ----------
    T. Welsh, M. Ashikhmin, K. Mueller, "Transferring color to greyscale images", SIGGRAPH 2002, section 3. The choice
    of the photograph: A. Torralba, R. Fergus, W. Freeman, "80 million tiny images", TPAMI 30(11), 2008.

    Examples
    --------
    >>> blue, red = (RgbImage(np.full((16, 16, 3), color, np.uint8)) for color in ((60, 90, 160), (90, 30, 30)))
    >>> gray = GrayImage(np.full((8, 8), 38, np.float32))
    >>> WelshTransfer().fit([blue, red])(gray)[0, 0].round().tolist()
    [12.0, -41.0]
    """

    def fit(self, photos: Iterable[RgbImage]) -> Self:
        """Keep samples of colour photographs; DatasetError if there are none."""
        rng = np.random.default_rng(0)
        tiny, samples, tone = [], [], []
        for photo in photos:
            # Windows of 5 x 5 pixels see the same texture only if photographs are about one size.
            lab = rgb_to_lab(shrink(photo.pixels, _LONGEST_SIDE))
            lightness = np.ascontiguousarray(lab[..., 0])
            rows, columns = _jittered_grid(lightness.shape, _N_SAMPLES, rng)
            picked = lab[rows, columns]
            samples.append(np.column_stack([picked[:, 0], _deviation(lightness)[rows, columns], picked[:, 1:]]))
            tiny.append(_tiny(lightness))
            tone.append((lightness.mean(), lightness.std()))
        if not tiny:
            raise DatasetError("colour transfer needs at least one colour photograph to transfer from")
        self.tiny_ = np.stack(tiny)
        self.samples_ = np.stack(samples).astype(np.float32)
        self.tone_ = np.array(tone, np.float32)
        return self

    def __call__(self, gray: GrayImage) -> Float32:
        """Transfer a* and b*, shape (H, W, 2), float32, not mapped to the gamut."""
        lightness = gray.lightness
        nearest = int(((self.tiny_ - _tiny(lightness)) ** 2).sum(axis=1).argmin())
        samples, (mean, spread) = self.samples_[nearest], self.tone_[nearest]
        # A flat training photograph has no spread to divide by.
        stretch = lightness.std() / max(spread, 1e-3)
        likeness = np.column_stack([(samples[:, 0] - mean) * stretch + lightness.mean(), samples[:, 1] * stretch])
        pixels = np.stack([lightness, _deviation(lightness)], axis=-1).reshape(-1, 2)
        _, found = cKDTree(likeness).query(pixels)
        return samples[found, 2:].reshape(*lightness.shape, 2)


def _tiny(lightness: Float32) -> Float32:
    return cv2.resize(lightness, (_TINY, _TINY), interpolation=cv2.INTER_AREA).ravel()


def _deviation(lightness: Float32) -> Float32:
    """Standard deviation of lightness around every pixel, shape (H, W)."""
    window = (_WINDOW, _WINDOW)
    mean = cv2.blur(lightness, window, borderType=cv2.BORDER_REFLECT_101)
    square = cv2.blur(lightness * lightness, window, borderType=cv2.BORDER_REFLECT_101)
    # On flat places rounding brings the difference below 0.
    return np.sqrt(np.maximum(square - mean * mean, 0))


def _jittered_grid(shape: tuple[int, int], n_samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One random pixel in each cell of a grid of about `n_samples` cells; always exactly `n_samples` pixels."""
    n_columns = max(1, round((n_samples * shape[1] / shape[0]) ** 0.5))
    n_rows = -(-n_samples // n_columns)
    cell = np.arange(n_samples)
    # Jittered, as in the paper: a regular grid falls in step with windows, bricks and the like.
    rows = (cell // n_columns + rng.random(n_samples)) / n_rows * shape[0]
    columns = (cell % n_columns + rng.random(n_samples)) / n_columns * shape[1]
    return rows.astype(np.intp), columns.astype(np.intp)
