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

from colorize.color import lab_to_rgb, rgb_to_lab

__all__ = [
    "ab_auc",
    "ab_l2",
    "ciede2000",
    "class_weights",
    "colorfulness",
    "photo_metrics",
    "psnr_ab",
    "psnr_rgb",
    "ssim",
]

MAX_PSNR = 100.0
"""PSNR of two equal pictures, in dB: infinite by its formula, which no mean over photographs survives."""

_BLOCK = 1 << 14
_SSIM_WINDOW = 7
_AUC_THRESHOLD = 150.0
_AB_PEAK = 255.0
_OPPOSITE = np.float32(
    2e-6
)  # radians: rounding must not push hues exactly opposite over the paper's limit of 180 degrees


def ciede2000(lab1: ArrayLike, lab2: ArrayLike) -> np.ndarray:
    """Colour difference CIEDE2000 (kL = kC = kH = 1), pixel by pixel.

    Parameters
    ----------
    lab1, lab2 : array_like, shape (..., 3), same shape
        CIELAB colours.

    Returns
    -------
    ndarray, shape (...,)
        Differences; 1 is about what a trained eye just sees. float32 where both inputs are, else float64.

    Raises
    ------
    ValueError
        The shapes differ, or the last axis is not 3.

    References
    ----------
    G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test
    data, and mathematical observations", Color Research and Application 30(1), 2005.

    Examples
    --------
    >>> ciede2000([50, 2.5, 0], [50, 0, -2.5]).round(4).tolist()
    4.3065
    """
    first, second = _same_shape(lab1, lab2, channels=3)
    dtype = np.float32 if first.dtype == second.dtype == np.float32 else np.float64
    flat1, flat2 = (lab.reshape(-1, 3).astype(dtype, copy=False) for lab in (first, second))
    difference = np.empty(len(flat1), dtype)
    for block in _blocks(len(flat1)):
        difference[block] = _ciede2000_planes(*flat1[block].T, *flat2[block].T)
    return difference.reshape(first.shape[:-1])


def ab_l2(true_ab: ArrayLike, predicted_ab: ArrayLike) -> np.ndarray:
    """Euclidean distance in the a*b* plane, pixel by pixel.

    Parameters
    ----------
    true_ab, predicted_ab : array_like, shape (..., 2), same shape

    Returns
    -------
    ndarray, shape (...,)

    Examples
    --------
    >>> ab_l2([[0.0, 0.0]], [[3.0, 4.0]]).tolist()
    [5.0]
    """
    first, second = _same_shape(true_ab, predicted_ab, channels=2)
    difference = first - second
    return np.hypot(difference[..., 0], difference[..., 1])


def ab_auc(error: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Area under the cumulative curve of the ab error over thresholds from 0 to 150, in percent.

    The share of pixels within a threshold, averaged over all thresholds. This equals
    ``1 - mean(min(error, 150)) / 150``, so no curve needs to be drawn. On everyday photographs even gray scores
    about 89: compare with that, not with 0.

    Parameters
    ----------
    error : array_like, shape (...,)
        ab error per pixel, see `ab_l2`.
    weights : array_like, same shape, optional
        Weight of every pixel; with `class_weights` this is the class-rebalanced form.

    Returns
    -------
    float
        0 (all errors above 150) to 100 (no error).

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful image colorization", ECCV 2016, section 3.1 (raw accuracy).

    Examples
    --------
    >>> ab_auc([0.0, 75.0])
    75.0
    """
    clipped = np.minimum(np.asarray(error, np.float64), _AUC_THRESHOLD)
    mean = np.average(clipped, weights=None if weights is None else np.asarray(weights, np.float64))
    return float(100 * (1 - mean / _AUC_THRESHOLD))


def class_weights(true_ab: ArrayLike, *, bin_size: float = 10.0) -> NDArray[np.float64]:
    """Weights that let every colour count the same, however rare: one over the number of pixels in its ab bin.

    Parameters
    ----------
    true_ab : array_like, shape (..., 2)
        True colours; bins are squares of `bin_size` in the a*b* plane.
    bin_size : float, default 10

    Returns
    -------
    ndarray, shape (...,), float64
        Sums to 1 within every bin that occurs.

    Examples
    --------
    >>> class_weights([[1.0, 1.0], [2.0, 2.0], [50.0, 50.0]]).tolist()
    [0.5, 0.5, 1.0]
    """
    bins = np.floor(np.asarray(true_ab) / bin_size).astype(np.int64)
    keys = (bins[..., 0] - bins[..., 0].min()) * (np.ptp(bins[..., 1]) + 1) + bins[..., 1] - bins[..., 1].min()
    return 1 / np.bincount(keys.ravel())[keys]


def psnr_rgb(true_pixels: ArrayLike, predicted_pixels: ArrayLike) -> float:
    """Peak signal-to-noise ratio over the sRGB code values, in dB, at most `MAX_PSNR`.

    Parameters
    ----------
    true_pixels, predicted_pixels : array_like, shape (..., 3), uint8 or uint16, same shape and dtype

    Returns
    -------
    float

    Examples
    --------
    >>> round(psnr_rgb(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 51, np.uint8)), 2)
    13.98
    """
    true, predicted = _same_pixels(true_pixels, predicted_pixels)
    return _psnr(true.astype(np.float32) - predicted.astype(np.float32), np.iinfo(true.dtype).max)


def psnr_ab(true_ab: ArrayLike, predicted_ab: ArrayLike) -> float:
    """Peak signal-to-noise ratio over a* and b*, in dB, at most `MAX_PSNR`.

    Parameters
    ----------
    true_ab, predicted_ab : array_like, shape (..., 2), same shape

    Returns
    -------
    float
        The peak is 255, the span of a* and b* in the usual 8-bit coding.

    Examples
    --------
    >>> psnr_ab([[0.0, 0.0]], [[25.5, 25.5]])
    20.0
    """
    true, predicted = _same_shape(true_ab, predicted_ab, channels=2)
    return _psnr(true - predicted, _AB_PEAK)


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
    top = np.float32(np.iinfo(true.dtype).max)
    x, y = true.astype(np.float32) / top, predicted.astype(np.float32) / top
    mean_x, mean_y = _window_means(x), _window_means(y)
    unbiased = np.float32(_SSIM_WINDOW**2 / (_SSIM_WINDOW**2 - 1))
    variances = unbiased * (_window_means(x * x + y * y) - mean_x * mean_x - mean_y * mean_y)
    covariance = unbiased * (_window_means(x * y) - mean_x * mean_y)
    small, smaller = np.float32(0.03**2), np.float32(0.01**2)
    similarity = (2 * mean_x * mean_y + smaller) * (2 * covariance + small)
    similarity /= (mean_x * mean_x + mean_y * mean_y + smaller) * (variances + small)
    return float(similarity.mean(dtype=np.float64))


def colorfulness(pixels: ArrayLike) -> float:
    """How colourful a photograph looks to people: 0 for gray, about 30 for an everyday photo, 80 for a strong one.

    Parameters
    ----------
    pixels : array_like, shape (..., 3), uint8 or uint16
        sRGB; 16 bit is scaled to 0..255.

    Returns
    -------
    float

    References
    ----------
    D. Hasler, S. Suesstrunk, "Measuring colourfulness in natural images", Human Vision and Electronic Imaging VIII,
    2003, the measure M3.

    Examples
    --------
    >>> colorfulness(np.full((4, 4, 3), 90, np.uint8))
    0.0
    """
    array = np.asarray(pixels)
    red, green, blue = (np.float32(array[..., channel]) for channel in range(3))
    opponents = np.stack([red - green, (red + green) / 2 - blue]).reshape(2, -1)
    spread = np.hypot(*opponents.std(axis=1, dtype=np.float64))
    mean = np.hypot(*opponents.mean(axis=1, dtype=np.float64))
    return float((spread + 0.3 * mean) * 255 / np.iinfo(array.dtype).max)


def photo_metrics(
    true_pixels: ArrayLike, predicted_pixels: ArrayLike | None = None, *, predicted_ab: ArrayLike | None = None
) -> dict[str, float]:
    """All quality figures of one photograph.

    Parameters
    ----------
    true_pixels : array_like, shape (H, W, 3), uint8 or uint16
        The true colour photograph, sRGB.
    predicted_pixels : array_like, same shape and dtype
        The colorized photograph, sRGB. Give this or `predicted_ab`.
    predicted_ab : array_like, shape (H, W, 2)
        Predicted a* and b*. Colour errors are taken from it as it is, beside the true lightness; everything else from
        the pixels that `lab_to_rgb` makes of it. (Gamut mapping takes chroma out of dark and bright colours and with
        it some error: on everyday photos a constant colour scores 11.1 before it and 10.8 after. Compare like with
        like.)

    Returns
    -------
    dict of str to float
        ``ciede2000``, ``ab_l2`` (means over pixels; smaller is better), ``auc``, ``auc_rebalanced`` (percent),
        ``psnr_rgb``, ``psnr_ab`` (dB), ``ssim``, ``colorfulness``, ``true_colorfulness``.

    Raises
    ------
    ValueError
        Neither or both predictions given, or shapes or dtypes that differ.

    Examples
    --------
    >>> photo = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    >>> photo_metrics(photo, photo)["ciede2000"]
    0.0
    """
    if (predicted_pixels is None) == (predicted_ab is None):
        raise ValueError("give either predicted_pixels or predicted_ab")
    true = np.asarray(true_pixels)
    true_lab = rgb_to_lab(true)
    if predicted_ab is None:
        predicted = np.asarray(predicted_pixels)
        predicted_lab = rgb_to_lab(predicted)
    else:
        lightness = true_lab[..., :1]
        predicted = lab_to_rgb(lightness[..., 0], predicted_ab, bit_depth=8 * true.dtype.itemsize)
        predicted_lab = np.concatenate([lightness, np.asarray(predicted_ab, np.float32)], axis=-1)
    error = ab_l2(true_lab[..., 1:], predicted_lab[..., 1:])
    return {
        "ciede2000": float(ciede2000(true_lab, predicted_lab).mean(dtype=np.float64)),
        "ab_l2": float(error.mean(dtype=np.float64)),
        "auc": ab_auc(error),
        "auc_rebalanced": ab_auc(error, class_weights(true_lab[..., 1:])),
        "psnr_rgb": psnr_rgb(true, predicted),
        "psnr_ab": psnr_ab(true_lab[..., 1:], predicted_lab[..., 1:]),
        "ssim": ssim(true, predicted),
        "colorfulness": colorfulness(predicted),
        "true_colorfulness": colorfulness(true),
    }


def _same_shape(first: ArrayLike, second: ArrayLike, *, channels: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape or a.ndim < 1 or a.shape[-1] != channels:
        raise ValueError(f"both arrays must have one shape (..., {channels}), got {a.shape} and {b.shape}")
    return a, b


def _same_pixels(first: ArrayLike | None, second: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(first), np.asarray(second)
    if a.dtype != b.dtype or a.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"both pictures must be uint8 or both uint16, got {a.dtype} and {b.dtype}")
    return _same_shape(a, b, channels=3)


def _window_means(values: np.ndarray) -> np.ndarray:
    """Means over all windows that lie inside the picture."""
    border = _SSIM_WINDOW // 2
    return cv2.blur(values, (_SSIM_WINDOW, _SSIM_WINDOW))[border:-border, border:-border]


def _blocks(n_pixels: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, n_pixels, _BLOCK))


def _psnr(difference: np.ndarray, peak: float) -> float:
    mean_square = float(np.mean(np.square(difference), dtype=np.float64)) / peak**2
    return min(MAX_PSNR, float(-10 * np.log10(max(mean_square, 1e-30))))


def _ciede2000_planes(
    light1: np.ndarray, a1: np.ndarray, b1: np.ndarray, light2: np.ndarray, a2: np.ndarray, b2: np.ndarray
) -> np.ndarray:
    """Difference of two blocks of colours; names and equation numbers as in Sharma et al. 2005."""
    stretch = 1.5 - 0.5 * _chroma_share((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)  # (4): 1 + G
    a1, a2 = a1 * stretch, a2 * stretch  # (5)
    chroma1, chroma2 = np.hypot(a1, b1), np.hypot(a2, b2)  # (6)
    both = chroma1 * chroma2
    hue_step, hue = _hue_step_and_mean(_hue(a1, b1), _hue(a2, b2), both)

    d_light, d_chroma = light2 - light1, chroma2 - chroma1  # (8), (9)
    d_hue = 2 * np.sqrt(both) * np.sin(hue_step / 2)  # (11)
    light, chroma = (light1 + light2) / 2, (chroma1 + chroma2) / 2  # (12), (13)
    s_light, s_chroma, s_hue = _scales(light, chroma, hue)
    light_term, chroma_term, hue_term = d_light / s_light, d_chroma / s_chroma, d_hue / s_hue
    squared = light_term**2 + chroma_term**2 + hue_term**2 + _rotation(chroma, hue) * chroma_term * hue_term  # (22)
    return np.sqrt(np.maximum(squared, 0))


def _chroma_share(chroma: np.ndarray) -> np.ndarray:
    """``sqrt(C^7 / (C^7 + 25^7))``, of equations (4) and (17)."""
    seventh = (chroma / 25) ** 7
    return np.sqrt(seventh / (seventh + 1))


def _hue(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hue angle in [0, 2 pi), equation (7)."""
    angle = np.arctan2(b, a)
    return np.where(angle < 0, angle + angle.dtype.type(2 * np.pi), angle)


def _hue_step_and_mean(hue1: np.ndarray, hue2: np.ndarray, both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Way from one hue to the other and the hue halfway, equations (10) and (14); `both` is 0 if a colour is gray."""
    half, full = hue1.dtype.type(np.pi), hue1.dtype.type(2 * np.pi)
    step, total = hue2 - hue1, hue1 + hue2
    across = np.abs(step) > half + _OPPOSITE  # the short way passes hue 0
    step = np.where(across, step - np.copysign(full, step), step)
    mean = np.where(across, total + np.where(total < full, full, -full), total) / 2
    return step, np.where(both == 0, total, mean)


def _scales(light: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """SL, SC and SH, equations (15), (18), (19), (20)."""
    t = 1 - 0.17 * np.cos(hue - np.pi / 6) + 0.24 * np.cos(2 * hue)
    t += 0.32 * np.cos(3 * hue + np.pi / 30) - 0.20 * np.cos(4 * hue - 63 * np.pi / 180)
    from_middle = (light - 50) ** 2
    return 1 + 0.015 * from_middle / np.sqrt(20 + from_middle), 1 + 0.045 * chroma, 1 + 0.015 * chroma * t


def _rotation(chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """RT, equations (16), (17), (21): the tilt of the ellipses among the blues."""
    degrees = np.degrees(hue) % 360
    tilt = np.exp(-(((degrees - 275) / 25) ** 2)) * (np.pi / 3)
    return -2 * _chroma_share(chroma) * np.sin(tilt)
