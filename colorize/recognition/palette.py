"""The palette as it is used: soft encoding of colours, and decoding of probabilities."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize.types import Float32, Float64

Floats = TypeVar("Floats", Float32, Float64)

N_NEAREST, WIDTH = 5, 5.0
"""Colours that share the weight of one, and the width of the Gaussian by which they do, in ab units."""

_RATE = np.float32(0.045)  # at which CIEDE2000 forgives differences in chroma


class Palette:
    """Quantised ab colours; `colorize.training.quantization.ColorPalette` is one that is learnt.

    Attributes
    ----------
    colors_ : ndarray, shape (K, 2), float32
        ab of every palette index, sorted by hue, the neutral one first.
    frequencies_ : ndarray, shape (K,), float32
        Share of the training weight that fell to each colour.

    See Also
    --------
    colorize.training.quantization.ColorPalette : Learns it.
    mean_color : The colour that it decodes to.
    """

    colors_: Float32
    frequencies_: Float32

    def encode(self, ab: ArrayLike) -> NDArray[np.intp]:
        """Palette index of the nearest colour, shape (n,)."""
        return np.argmin(self._squared_distances(ab), axis=1)

    def encode_soft(self, ab: ArrayLike) -> Float32:
        """Weights over the `N_NEAREST` nearest colours (Zhang et al. 2016, sec. 2.1), shape (n, K), rows sum to 1.

        Raises
        ------
        ValueError
            `ab` has another shape than (n, 2).
        """
        squared = self._squared_distances(ab)
        kept = np.argsort(squared, axis=1, kind="stable")[:, :N_NEAREST]
        distances = np.take_along_axis(squared, kept, axis=1)
        # Relative to the nearest one: far from all colours every weight would round to 0.
        weights = np.exp(-(distances - distances[:, :1]) / (2 * WIDTH**2))
        encoded = np.zeros(squared.shape, np.float32)
        np.put_along_axis(encoded, kept, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32), axis=1)
        return encoded

    def decode(self, probabilities: Float32, *, temperature: float = 1.0) -> Float32:
        """Colours for rows of probabilities by annealed mean (`mean_color`), shape (n, 2), float32.

        Parameters
        ----------
        probabilities : ndarray, shape (n, K)
            Rows sum to 1.
        temperature : float
            1 is the expectation (safe, and brownish where colours compete), 0 the most probable colour (bold, and
            patchy); in between the probabilities are sharpened before averaging (Zhang et al. 2016, eq. 5).

        Raises
        ------
        ValueError
            The temperature is outside [0, 1] or the number of columns is not K.
        """
        if probabilities.ndim != 2 or probabilities.shape[1] != len(self.colors_):
            raise ValueError(f"probabilities must have shape (n, {len(self.colors_)}), got {probabilities.shape}")
        return mean_color(anneal(probabilities, temperature), self.colors_)

    def _squared_distances(self, ab: ArrayLike) -> NDArray[np.float64]:
        points = np.asarray(ab, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(f"ab must have shape (n, 2), got {points.shape}")
        return ((points[:, None, :] - self.colors_.astype(np.float64)) ** 2).sum(axis=2)


def anneal(probabilities: Float32, temperature: float) -> Float32:
    """Sharpen rows of probabilities: p^(1/T), normalised (Zhang et al. 2016, eq. 5); T = 0 keeps only the largest.

    See Also
    --------
    mean_color : The stage after.
    Palette.decode : Both.

    Examples
    --------
    >>> import numpy as np
    >>> anneal(np.array([[0.2, 0.8]], np.float32), 0.5).round(3).tolist()
    [[0.05900000035762787, 0.9409999847412109]]
    """
    if not 0 <= temperature <= 1:
        raise ValueError(f"temperature must be in [0, 1], got {temperature}")
    if temperature == 0:
        return np.eye(probabilities.shape[1], dtype=np.float32)[np.argmax(probabilities, axis=1)]
    # The smallest temperature that float32 bears is as good as 0, except that it shares between equals.
    logs = np.log(np.maximum(probabilities, 1e-12)) / np.float32(max(temperature, 1e-6))
    return np.asarray(softmax(logs), np.float32)


def softmax(scores: NDArray[Any]) -> NDArray[Any]:
    """Scores as probabilities, along the last axis.

    Examples
    --------
    >>> softmax(np.log([[1.0, 3.0]])).round(6).tolist()
    [[0.25, 0.75]]
    """
    # SciPy has one, among special functions that nothing else here needs and that take 40 ms to load. The largest
    # exponent becomes 0, so that nothing overflows.
    odds = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def mean_color(shares: Float32, colors: Float32) -> Float32:
    """The mean of colours where differences are what CIEDE2000 says they are, shape (n, 2), float32.

    CIEDE2000 divides a difference in chroma by ``1 + 0.045 C``, so strong colours lie closer together than their ab
    tells. Along a hue that makes a scale ``ln(1 + 0.045 C) / 0.045``; the mean is taken there and carried back. It is
    paler than the mean in ab where gray and a strong colour compete, and errs less when it is made as colourful.

    Parameters
    ----------
    shares : ndarray, shape (n, K), float32
        Rows sum to 1.
    colors : ndarray, shape (K, 2), float32
        ab.

    See Also
    --------
    anneal : The stage before, where probabilities are sharpened.
    colorize.recognition.decision.Decision : Decides by it.

    References
    ----------
    Luo, Cui and Rigg, "The development of the CIE 2000 colour-difference formula: CIEDE2000", Color Research and
    Application 26, 2001 (the weight of chroma). Cui et al., "Uniform colour spaces based on the DIN99 colour-difference
    formula", Color Research and Application 27, 2002 (the logarithmic scale).

    Examples
    --------
    >>> mean_color(np.array([[0.5, 0.5]], np.float32), np.array([[0, 0], [60, 0]], np.float32)).round(1).tolist()
    [[20.5, 0.0]]
    """
    return expand(shares @ compress(colors))


def compress(ab: Floats) -> Floats:
    """ab on the scale of chroma that `mean_color` speaks of, shape (n, 2): equal steps look about equally large.

    See Also
    --------
    expand : The way back.
    colorize.training.quantization.ColorPalette : Learns its colours on this scale.
    """
    chroma = _RATE * np.hypot(ab[:, :1], ab[:, 1:])
    return ab * _ratio(np.log1p(chroma), chroma)


def expand(compressed: Floats) -> Floats:
    """The way back from `compress`, shape (n, 2)."""
    chroma = _RATE * np.hypot(compressed[:, :1], compressed[:, 1:])
    return compressed * _ratio(np.expm1(chroma), chroma)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Quotient of two numbers that are alike near 0, where it is 1."""
    # At 0 the quotient has its limit, 1: gray must stay gray and not become NaN.
    return np.divide(above, below, out=np.ones_like(above), where=below > 0)
