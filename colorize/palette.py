"""The palette: quantised ab colours, soft encoding, and decoding of probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from colorize.types import Float32


class ColorPalette(BaseEstimator):
    """A few dozen ab colours learnt from photographs, one of them neutral gray.

    Most of the world is nearly gray, so plain k-means would spend its centres there. Here every sample weighs
    density^-rarity (density: a histogram of ab with bins of 5 units), which moves centres out to the rarer, more
    colourful places.

    Parameters
    ----------
    n_colors : int
        Palette size K. More colours are finer and have fewer training regions each.
    rarity : float
        0 is plain k-means; 0.25 is a good compromise; at 1 every occupied place of the ab plane counts alike.
    random_state : int

    Attributes
    ----------
    colors_ : ndarray, shape (K, 2), float32
        ab of every palette index, sorted by hue, the neutral one first.
    neutral_index_ : int
        Palette index of neutral gray (ab = 0).
    frequencies_ : ndarray, shape (K,), float32
        Share of the training weight that fell to each colour.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> ab = np.concatenate([rng.normal(m, 2, (100, 2)) for m in ((0, 0), (40, 30), (-30, 30))])
    >>> palette = ColorPalette(n_colors=3).fit(ab)
    >>> np.round(palette.colors_, -1).tolist()
    [[0.0, 0.0], [40.0, 30.0], [-30.0, 30.0]]
    """

    def __init__(self, n_colors: int = 32, rarity: float = 0.25, random_state: int = 0) -> None:
        self.n_colors = n_colors
        self.rarity = rarity
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None, sample_weight: ArrayLike | None = None) -> ColorPalette:
        """Learn the palette.

        Parameters
        ----------
        X : array-like, shape (n_samples, 2)
            ab of regions or pixels.
        y : ignored
        sample_weight : array-like, shape (n_samples,), optional
            Areas of the regions; a sample of weight 0 counts as absent.

        Raises
        ------
        ValueError
            `X` has another shape, holds fewer distinct colours than wanted, a weight is negative, or a parameter is
            out of range.
        """
        ab: NDArray[np.float64] = validate_data(self, X, dtype=np.float64)
        if ab.shape[1] != 2:
            raise ValueError(f"X must be (n_samples, 2) ab colours, got {ab.shape[1]} features")
        if not isinstance(self.n_colors, (int, np.integer)) or not 2 <= self.n_colors <= 256:
            raise ValueError(f"n_colors must be an integer in 2..256, got {self.n_colors!r}")
        if not 0 <= self.rarity <= 1:
            raise ValueError(f"rarity must be in [0, 1], got {self.rarity!r}")
        weight = _check_sample_weight(sample_weight, ab, dtype=np.float64, ensure_non_negative=True)
        ab, weight = ab[weight > 0], weight[weight > 0]
        n_distinct = len(np.unique(ab, axis=0))
        if n_distinct < self.n_colors:
            raise ValueError(f"n_colors={self.n_colors} needs as many distinct colours, got {n_distinct}")
        # A neutral photograph is worth a palette entry of its own, and a person may ask for it: one centre stays at 0.
        k_means = KMeans(self.n_colors, n_init=3, random_state=self.random_state)
        with threadpool_limits(1):  # sums over threads come in any order, and equal training must give equal bytes
            centers = k_means.fit(ab, sample_weight=weight * _density(ab, weight) ** -self.rarity).cluster_centers_
        nearest = int(np.argmin((centers**2).sum(axis=1)))
        centers[nearest] = 0
        others = np.delete(centers, nearest, axis=0)
        others = others[np.argsort(np.arctan2(others[:, 1], others[:, 0]) % (2 * np.pi), kind="stable")]
        self.colors_ = np.concatenate([centers[[nearest]], others]).astype(np.float32)
        self.neutral_index_ = 0
        self.frequencies_ = np.bincount(self.encode(ab), weight, minlength=self.n_colors).astype(np.float32)
        self.frequencies_ /= self.frequencies_.sum()
        return self

    def encode(self, ab: ArrayLike) -> NDArray[np.intp]:
        """Palette index of the nearest colour, shape (n,)."""
        check_is_fitted(self)
        return np.argmin(self._squared_distances(ab), axis=1)

    def encode_soft(self, ab: ArrayLike, *, n_nearest: int = 5, sigma: float = 5.0) -> Float32:
        """Weights over the nearest colours (Zhang et al. 2016, sec. 2.2), shape (n, K), rows sum to 1.

        Parameters
        ----------
        ab : array-like, shape (n, 2)
        n_nearest : int
            Colours that share the weight.
        sigma : float
            Width of the Gaussian, in ab units.

        Raises
        ------
        ValueError
            `ab` has another shape, or a parameter is out of range.
        """
        check_is_fitted(self)
        if n_nearest < 1:
            raise ValueError(f"n_nearest must be at least 1, got {n_nearest}")
        if not sigma > 0:
            raise ValueError(f"sigma must be positive, got {sigma}")
        squared = self._squared_distances(ab)
        kept = np.argsort(squared, axis=1, kind="stable")[:, :n_nearest]
        distances = np.take_along_axis(squared, kept, axis=1)
        weights = np.exp(-(distances - distances[:, :1]) / (2 * sigma**2))
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
        check_is_fitted(self)
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
    sharp = np.exp(logs - logs.max(axis=1, keepdims=True))
    return (sharp / sharp.sum(axis=1, keepdims=True)).astype(np.float32)


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
    rate = np.float32(0.045)
    chroma = rate * np.hypot(colors[:, :1], colors[:, 1:])
    mean = shares @ (colors * _ratio(np.log1p(chroma), chroma))
    chroma = rate * np.hypot(mean[:, :1], mean[:, 1:])
    return mean * _ratio(np.expm1(chroma), chroma)


def _ratio(above: Float32, below: Float32) -> Float32:
    """Quotient of two numbers that are alike near 0, where it is 1."""
    return np.divide(above, below, out=np.ones_like(above), where=below > 0)


def _density(ab: NDArray[np.float64], weight: NDArray[np.float64], bin_width: float = 5.0) -> NDArray[np.float64]:
    """Weight per histogram bin of the ab plane, looked up for every sample."""
    bins = np.floor(ab / bin_width).astype(np.int64)
    _, index = np.unique(bins, axis=0, return_inverse=True)
    index = index.ravel()
    return np.bincount(index, weight).astype(np.float64)[index]
