"""How far a colorized photograph is from the true one: colour errors, structure, colourfulness.

All numbers are taken per photograph and are meant to be averaged over photographs; only the colourfulness ratio is a
ratio of two such means, because a nearly gray true photo would otherwise outweigh all others. Colour errors punish a
plausible but different colour as hard as a wrong one, and reward caution: read them together with that ratio.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize.color import metric_kernels
from colorize.color.convert import rgb_to_lab
from colorize.types import Float32

MAX_PSNR = 100.0
"""PSNR of two equal pictures, in dB: infinite by its formula, which no mean over photographs survives."""

_BLOCK = 1 << 13
_SSIM_WINDOW = 7
# The thresholds and the bins of Zhang et al., so that figures can be held against theirs; the peak
# is the range of a* and b* in 8 bits.
_AUC_THRESHOLD = 150.0
_AB_PEAK = 255.0
_BIN = 10.0


def ciede2000(lab1: ArrayLike, lab2: ArrayLike) -> np.ndarray:
    """Colour difference CIEDE2000 (kL = kC = kH = 1), pixel by pixel.

    Parameters
    ----------
    lab1, lab2 : array_like, shape (..., 3), same shape
        CIELAB colours.

    Returns
    -------
    ndarray, shape (...,), float32
        Differences; 1 is about what a trained eye just sees. Within 1e-4 of the formula in double precision.

    Raises
    ------
    ValueError
        The shapes differ, or the last axis is not 3.

    See Also
    --------
    colorize.color.metric_kernels.ciede2000 : The loop inside.
    colorize.color.rgb_to_lab : The stage before.

    References
    ----------
    G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test
    data, and mathematical observations", Color Research and Application 30(1), 2005.

    Examples
    --------
    >>> round(float(ciede2000([50, 2.5, 0], [50, 0, -2.5])), 4)
    4.3065
    """
    first, second = _same_shape(lab1, lab2, channels=3)
    return _ciede2000(_planes(first), _planes(second)).reshape(first.shape[:-1])


def psnr_rgb(true_pixels: ArrayLike, predicted_pixels: ArrayLike) -> float:
    """Peak signal-to-noise ratio over the sRGB code values, in dB, at most `MAX_PSNR`.

    Parameters
    ----------
    true_pixels, predicted_pixels : array_like, shape (..., 3), uint8 or uint16, same shape and dtype

    See Also
    --------
    ssim : Structure instead of size.

    Examples
    --------
    >>> round(psnr_rgb(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 51, np.uint8)), 2)
    13.98
    """
    true, predicted = _same_pixels(true_pixels, predicted_pixels)
    # OpenCV adds up the differences of integers and makes no copy of the pictures in floats.
    squares = cv2.norm(true.reshape(-1, 3), predicted.reshape(-1, 3), cv2.NORM_L2SQR)
    return _psnr(squares / true.size, np.iinfo(true.dtype).max)


def ssim(true_pixels: ArrayLike, predicted_pixels: ArrayLike) -> float:
    """Structural similarity (7x7 window), averaged over R, G and B.

    Parameters
    ----------
    true_pixels, predicted_pixels : array_like, shape (H, W, 3), uint8 or uint16, same shape and dtype
        H and W at least 7.

    Returns
    -------
    float
        1 for equal pictures; NaN where a side is shorter than 7 pixels.

    See Also
    --------
    psnr_rgb : Size instead of structure.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", IEEE Transactions on Image Processing 13(4), 2004; the choices of
    scikit-image: uniform window, sample covariance, windows that lie inside the picture.

    Examples
    --------
    >>> picture = np.zeros((8, 8, 3), np.uint8)
    >>> ssim(picture, picture)
    1.0
    """
    true, predicted = _same_pixels(true_pixels, predicted_pixels)
    if min(true.shape[:2]) < _SSIM_WINDOW:
        return float("nan")
    # One channel after the other: of 12 megapixels each of a dozen arrays takes 100 MB, and not 300.
    return float(np.mean([_channel_ssim(true[..., k], predicted[..., k]) for k in range(3)]))


def _channel_ssim(true: np.ndarray, predicted: np.ndarray) -> float:
    top = np.iinfo(true.dtype).max
    # Variances are small differences of large numbers: single precision has no digits left for them.
    x, y = true.astype(np.float64), predicted.astype(np.float64)
    mean_x, mean_y, mean_squares, mean_product = map(_window_means, (x, y, x * x + y * y, x * y))
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    unbiased = _SSIM_WINDOW**2 / (_SSIM_WINDOW**2 - 1)
    variances, covariance = unbiased * (mean_squares - squares), unbiased * (mean_product - product)
    small, smaller = (0.03 * top) ** 2, (0.01 * top) ** 2  # K2 and K1 of the paper
    likeness = (2 * product + smaller) * (2 * covariance + small)  # (13)
    return float((likeness / ((squares + smaller) * (variances + small))).mean())


def _window_means(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over all windows that lie inside an image."""
    margin = _SSIM_WINDOW // 2
    return cv2.blur(image, (_SSIM_WINDOW, _SSIM_WINDOW))[margin:-margin, margin:-margin]


def colorfulness(pixels: ArrayLike) -> float:
    """How colourful a photograph looks to people: 0 for gray, about 30 for an everyday photo, 80 for a strong one.

    Parameters
    ----------
    pixels : array_like, shape (..., 3), uint8 or uint16
        sRGB; 16 bit is scaled to 0..255.

    Raises
    ------
    ValueError
        Another shape or dtype.

    References
    ----------
    D. Hasler, S. Suesstrunk, "Measuring colourfulness in natural images", Human Vision and Electronic Imaging VIII,
    2003, the measure M3.

    Examples
    --------
    >>> colorfulness(np.full((4, 4, 3), 90, np.uint8))
    0.0
    """
    array, _ = _same_pixels(pixels, pixels)
    # Single precision holds the differences of 16-bit values exactly, and double their sums.
    red, green, blue = np.moveaxis(array.astype(np.float32), -1, 0)
    first, second = red - green, (red + green) / 2 - blue
    spread, mean = (np.hypot(of(first, dtype=np.float64), of(second, dtype=np.float64)) for of in (np.std, np.mean))
    return float((spread + 0.3 * mean) * 255 / np.iinfo(array.dtype).max)


class Truth:
    """A true photograph, prepared once for all the predictions that are measured against it.

    Parameters
    ----------
    pixels : array_like, shape (H, W, 3), uint8 or uint16
        sRGB.

    Attributes
    ----------
    pixels : ndarray, shape (H, W, 3)
    lightness : ndarray, shape (H, W), float32
        L*.
    ab : ndarray, shape (H, W, 2), float32
        a* and b*.
    colorfulness : float

    See Also
    --------
    ciede2000, psnr_rgb, ssim : One number at a time.
    colorize.evaluation.run.evaluate_model : The stage around it.

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful image colorization", ECCV 2016, section 3.1: raw accuracy, the area under
    the cumulative curve of the ab error over thresholds from 0 to 150, and its class-rebalanced form.

    Examples
    --------
    >>> photo = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    >>> Truth(photo).figures(photo)["auc"]
    100.0
    """

    def __init__(self, pixels: ArrayLike) -> None:
        self.pixels = np.asarray(pixels)
        lab = rgb_to_lab(self.pixels)
        self.lightness, self.ab = lab[..., 0], lab[..., 1:]
        self.colorfulness = colorfulness(self.pixels)
        # In planes, as the compiled loop wants them, once for all predictions.
        self._lab = [_planes(part) for part in _blocks(lab)]
        self._weights = list(_blocks(_class_weights(self.ab)[..., None]))

    def figures(self, pixels: ArrayLike, ab: ArrayLike | None = None) -> dict[str, float]:
        """All quality figures of one prediction.

        Parameters
        ----------
        pixels : array_like, shape (H, W, 3), dtype of the true pixels
            The colorized photograph, sRGB.
        ab : array_like, shape (H, W, 2), optional
            The a* and b* that it was made of, before they were mapped to the gamut: if given, the colour errors are
            taken from them, beside the true lightness. (Gamut mapping takes chroma out of dark and bright colours and
            with it some error: on everyday photos a constant colour scores 11.1 before it and 10.8 after. Compare like
            with like.)

        Returns
        -------
        dict of str to float
            ``ciede2000``, ``ab_l2`` (means over pixels; smaller is better), ``auc``, ``auc_rebalanced`` (percent; on
            everyday photographs even gray scores about 89), ``psnr_rgb``, ``psnr_ab`` (dB), ``ssim``,
            ``colorfulness``, ``true_colorfulness``.

        Raises
        ------
        ValueError
            Shapes or dtypes that differ.
        """
        true, predicted = _same_pixels(self.pixels, pixels)
        if ab is not None:
            _, ab = _same_shape(self.ab, ab, channels=2)
        difference, error, clipped, rebalanced, squares = self._color_errors(predicted, ab)
        return {
            "ciede2000": difference,
            "ab_l2": error,
            "auc": _auc(clipped),
            "auc_rebalanced": _auc(rebalanced),
            "psnr_rgb": psnr_rgb(true, predicted),
            "psnr_ab": _psnr(squares / 2, _AB_PEAK),
            "ssim": ssim(true, predicted),
            "colorfulness": colorfulness(predicted),
            "true_colorfulness": self.colorfulness,
        }

    def _color_errors(self, pixels: np.ndarray, ab: np.ndarray | None) -> list[float]:
        """Means over pixels of CIEDE2000, ab error, clipped ab error, the same rebalanced, squared ab error."""
        totals = np.zeros(6)
        for true, weights, part in zip(self._lab, self._weights, _blocks(pixels if ab is None else ab), strict=True):
            lab = _planes(rgb_to_lab(part)) if ab is None else np.concatenate([true[:1], _planes(part)])
            squares = np.square(lab[1:] - true[1:]).sum(axis=0)
            error = np.sqrt(squares)
            clipped = np.minimum(error, _AUC_THRESHOLD)
            columns = (_ciede2000(true, lab), error, clipped, squares)
            totals[:4] += [values.sum(dtype=np.float64) for values in columns]
            totals[4:] += clipped @ weights[:, 0], weights.sum()
        difference, error_mean, clipped_mean, square_mean = (totals[:4] / self.lightness.size).tolist()
        return [difference, error_mean, clipped_mean, float(totals[4] / totals[5]), square_mean]


def _class_weights(true_ab: Float32) -> NDArray[np.float64]:
    """Weights that let every colour count the same, however rare: one over the number of pixels in its ab bin."""
    bins = np.floor(true_ab / _BIN).astype(np.int64)
    # One number per bin, so that counting needs no sorting.
    keys = (bins[..., 0] - bins[..., 0].min()) * (np.ptp(bins[..., 1]) + 1) + bins[..., 1] - bins[..., 1].min()
    return 1 / np.bincount(keys.ravel())[keys]


def _same_shape(first: ArrayLike, second: ArrayLike, *, channels: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape or a.ndim < 1 or a.shape[-1] != channels:
        raise ValueError(f"both arrays must have one shape (..., {channels}), got {a.shape} and {b.shape}")
    return a, b


def _same_pixels(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(first), np.asarray(second)
    if a.dtype != b.dtype or a.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"both pictures must be uint8 or both uint16, got {a.dtype} and {b.dtype}")
    return _same_shape(a, b, channels=3)


def _planes(colors: np.ndarray) -> NDArray[np.float32]:
    """Channels (..., k) as planes (k, n)."""
    return np.ascontiguousarray(colors.reshape(-1, colors.shape[-1]).T, np.float32)


def _blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Pixels (H, W, k) in pieces (n, k) small enough for the cache; fresh memory for whole photographs is slow."""
    flat = array.reshape(-1, array.shape[-1])
    return (flat[start : start + _BLOCK] for start in range(0, len(flat), _BLOCK))


def _auc(clipped_error: float) -> float:
    """The share of pixels within a threshold, averaged over all of them, in percent: no curve needs to be drawn."""
    return float(100 * (1 - clipped_error / _AUC_THRESHOLD))


def _ciede2000(planes1: NDArray[np.float32], planes2: NDArray[np.float32]) -> NDArray[np.float32]:
    difference = np.empty(planes1.shape[1], np.float32)
    metric_kernels.ciede2000(planes1, planes2, difference)
    return difference


def _psnr(mean_square: float, peak: float) -> float:
    # The floor stands for equal pictures, whose error has no logarithm.
    return min(MAX_PSNR, float(-10 * np.log10(max(mean_square / peak**2, 1e-30))))
