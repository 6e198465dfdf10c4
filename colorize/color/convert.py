"""sRGB to CIELAB and back (D65, 2 degree observer), and the gamut rule: chroma gives way, lightness never.

This is the only code of the project that converts between the two spaces. Every function takes arrays of any
leading shape, works through them in blocks of 32768 pixels, and so needs its result plus about 3 MB, whatever the
size of the photograph (an input that is not C-contiguous is copied first). All arithmetic is float32.

Sources: IEC 61966-2-1 (sRGB); CIE 15:2004, section 8.2.1 (CIELAB), with the exact fractions 216/24389 and 24389/27.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from colorize.color import kernels
from colorize.types import Float32, GrayImage, RgbImage, as_array, check_rgb_image, check_unmasked

WHITE = (0.95047, 1.0, 1.08883)
"""XYZ of the D65 white point, 2 degree observer."""

# A plane of a block is 128 kB: the few that a conversion works with stay in the cache.
_BLOCK = 1 << 15
_TONES = 20  # levels of L* whose mean ab is the tint; in between it is interpolated
_EPSILON = np.float32(216 / 24389)  # below this share of white's light, L* is a straight line
_KAPPA = np.float32(24389 / 27)
_TOE = np.float32(0.0031308)  # sRGB's own straight line ends here, at the code value _TOE * 12.92


def _white_relative_matrix() -> NDArray[np.float64]:
    """Linear sRGB to XYZ divided by the white point, so that each row sums to 1."""
    # Solved from the chromaticities: printed matrices are rounded, and their rows do not quite sum
    # to 1, which `_mix` relies on.
    x, y = np.array([[0.64, 0.30, 0.15], [0.33, 0.60, 0.06]])  # chromaticities of R, G, B
    primaries = np.stack([x / y, np.ones(3), (1 - x - y) / y])
    luminances = np.linalg.solve(primaries, WHITE)
    return primaries * luminances / np.array(WHITE)[:, None]


_TO_XYZ = _white_relative_matrix()
_FROM_XYZ = np.linalg.inv(_TO_XYZ).astype(np.float32)


def rgb_to_lab(pixels: ArrayLike) -> Float32:
    """Convert sRGB to CIELAB.

    Parameters
    ----------
    pixels : array_like, shape (..., 3)
        sRGB: uint8 in 0..255, uint16 in 0..65535, or float in 0..1.

    Returns
    -------
    ndarray, shape (..., 3), float32
        L* in 0..100, a*, b*. Gray (r = g = b) has a* = b* = 0 exactly.

    Raises
    ------
    ValueError
        Another shape, dtype or range.

    See Also
    --------
    lab_to_rgb : The way back.
    rgb_to_lightness : L* alone.

    Examples
    --------
    >>> rgb_to_lab(np.uint8([255, 0, 0])).round().tolist()
    [53.0, 80.0, 67.0]
    """
    pixels = _checked_pixels(pixels)
    flat = pixels.reshape(-1, 3)
    lab = np.empty(flat.shape, np.float32)
    for block in _blocks(len(flat)):
        red, green, blue = _linearize(flat[block])
        fx, fy, fz = (_compress(_mix(row, red, green, blue)) for row in _TO_XYZ)
        lab[block, 0] = _lightness(fy)
        lab[block, 1] = 500 * (fx - fy)
        lab[block, 2] = 200 * (fy - fz)
    return lab.reshape(pixels.shape)


def rgb_to_lightness(pixels: ArrayLike) -> Float32:
    """Compute the L* of sRGB pixels: the first channel of `rgb_to_lab`, in a third of its time.

    Parameters
    ----------
    pixels
        As for `rgb_to_lab`, with the same errors.

    Returns
    -------
    ndarray, shape (...,), float32
        L* in 0..100.

    See Also
    --------
    rgb_to_lab : The colours too.
    to_gray : The same for a photograph with all that belongs to it.

    Examples
    --------
    >>> rgb_to_lightness(np.uint8([[0, 0, 0], [119, 119, 119], [255, 255, 255]])).round(1).tolist()
    [0.0, 50.0, 100.0]
    """
    pixels = _checked_pixels(pixels)
    flat = pixels.reshape(-1, 3)
    lightness = np.empty(len(flat), np.float32)
    for block in _blocks(len(flat)):
        part = flat[block]
        # Most of what is colorized is gray already: then one look-up gives the lightness.
        if part.dtype.kind == "u" and _is_gray(part):
            lightness[block] = _lightness_table(part.dtype.str).take(part[:, 0])
        else:
            lightness[block] = _lightness(_compress(_mix(_TO_XYZ[1], *_linearize(part))))
    return lightness.reshape(pixels.shape[:-1])


def lab_to_rgb(lightness: ArrayLike, ab: ArrayLike, *, bit_depth: int = 8) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Convert CIELAB to sRGB; a colour that sRGB lacks gives up chroma (`map_to_gamut`), never lightness.

    Parameters
    ----------
    lightness : array_like, shape (...,)
        L*, 0..100 (values outside are clipped).
    ab : array_like, shape (..., 2)
        a* and b*, of any size up to 1e18.
    bit_depth : {8, 16}, default 8
        Bits per channel of the result.

    Returns
    -------
    ndarray, shape (..., 3), uint8 or uint16
        sRGB code values. Their L* differs from `lightness` by rounding alone: at most 0.26 (8 bit) or 0.003
        (16 bit), around L* = 9. With ab = 0 the result is r = g = b, and the code value the lightness came from.

    Raises
    ------
    ValueError
        Shapes that do not fit, ab that is not finite, another bit depth.

    See Also
    --------
    rgb_to_lab : The way here.
    map_to_gamut : The rule for colours that sRGB lacks.
    lab_to_linear_rgb : The twin before rule and code values.
    gray_rgb : Without colours.

    Examples
    --------
    >>> lab_to_rgb(50, [0, 0]).tolist()
    [119, 119, 119]
    >>> lab_to_rgb(50, [500, 0]).tolist()  # far out of gamut: the strongest color of this hue and lightness
    [231, 0, 122]
    """
    if bit_depth not in (8, 16):
        raise ValueError(f"bit_depth must be 8 or 16, got {bit_depth!r}")
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    return _in_blocks(lambda light, colors: _encode(_shown(light, colors)[1], bit_depth), lightness, ab, 3, dtype)


def gray_rgb(lightness: ArrayLike) -> NDArray[np.uint8]:
    """Convert L* alone to sRGB of 8 bits: a black-and-white photograph as a screen shows it.

    Parameters
    ----------
    lightness : array_like, shape (...,)
        As for `lab_to_rgb`, with the same errors.

    Returns
    -------
    ndarray, shape (..., 3), uint8
        r = g = b.

    See Also
    --------
    lab_to_rgb : With colours, and with 16 bits.

    Examples
    --------
    >>> gray_rgb([0, 50, 100]).tolist()
    [[0, 0, 0], [119, 119, 119], [255, 255, 255]]
    """
    return np.asarray(lab_to_rgb(lightness, np.zeros((*np.shape(lightness), 2), np.float32)), np.uint8)


def map_to_gamut(lightness: ArrayLike, ab: ArrayLike) -> Float32:
    """Bring ab into the sRGB gamut at the given lightness by giving up chroma at constant hue.

    Parameters
    ----------
    lightness : array_like, shape (...,)
        L*, 0..100.
    ab : array_like, shape (..., 2)
        a* and b*, of any size up to 1e18.

    Returns
    -------
    ndarray, shape (..., 2), float32
        ``t * ab`` with the largest t in [0, 1] that sRGB can show at this L*; colours inside are returned unchanged.

    Raises
    ------
    ValueError
        Shapes that do not fit, or ab that is not finite.

    See Also
    --------
    lab_to_rgb : Does this and converts.
    colorize.color.kernels.chroma_scale : The loop inside.

    Notes
    -----
    t is found by bisection, for the colours outside alone. (Among pale yellows the gamut has a small dent: a colour
    beyond it comes to lie on one of the boundaries that its hue crosses.) Hue is CIELAB's hue angle: strong blues drift
    a little towards violet as they lose chroma, a known weakness of the space.

    Examples
    --------
    >>> map_to_gamut([50, 50], [[10, 20], [100, 0]]).round().tolist()
    [[10.0, 20.0], [79.0, 0.0]]
    """
    return _in_blocks(lambda light, colors: _shown(light, colors)[0], lightness, ab, 2, np.float32)


def lab_to_linear_rgb(lightness: ArrayLike, ab: ArrayLike) -> Float32:
    """Convert CIELAB to linear light in the sRGB primaries, neither gamut-mapped nor clipped.

    Parameters
    ----------
    lightness, ab
        As for `lab_to_rgb`, with the same errors.

    Returns
    -------
    ndarray, shape (..., 3), float32
        Linear red, green, blue; 0..1 inside the gamut, anything outside it.

    See Also
    --------
    lab_to_rgb : In gamut, as code values.
    colorize.color.kernels.linear_rgb : The loop inside.

    Examples
    --------
    >>> lab_to_linear_rgb(100, [0, 0]).tolist()
    [1.0, 1.0, 1.0]
    """
    return _in_blocks(
        lambda light, colors: _linear_rgb(light, np.ascontiguousarray(colors.T)), lightness, ab, 3, np.float32
    )


def to_gray(image: RgbImage) -> GrayImage:
    """Take the colour out of a photograph: its L*, with bit depth, alpha and metadata kept.

    Returns
    -------
    GrayImage

    Raises
    ------
    InvalidImageError
        `image` is no photograph.

    See Also
    --------
    rgb_to_lightness : The conversion inside.
    tint_of : What it leaves out of a toned photograph.

    Examples
    --------
    >>> to_gray(RgbImage(np.full((2, 3, 3), 255, np.uint8))).lightness.tolist()
    [[100.0, 100.0, 100.0], [100.0, 100.0, 100.0]]
    """
    check_rgb_image(image)
    return GrayImage(rgb_to_lightness(image.pixels), image.bit_depth, image.alpha, image.metadata)


def tint_of(image: RgbImage) -> Float32:
    """Find the tone that lies over a photograph (sepia, selenium, a yellowed print): ab as a function of lightness.

    Returns
    -------
    ndarray, shape (H, W, 2), float32
        The mean ab of pixels as light as this one. All 0 for a gray photograph. Of a colour photograph it is the cast.

    See Also
    --------
    to_gray : The photograph without its tone.

    Examples
    --------
    >>> sepia = RgbImage(np.full((2, 3, 3), (140, 120, 90), np.uint8))
    >>> bool(np.allclose(tint_of(sepia), rgb_to_lab(sepia.pixels)[..., 1:]))
    True
    """
    lab = rgb_to_lab(image.pixels)
    lightness, ab = lab[..., 0], lab[..., 1:]
    level = np.minimum(lightness * np.float32(_TONES / 100), _TONES - 1).astype(np.intp).ravel()
    count = np.bincount(level, minlength=_TONES)
    used = np.flatnonzero(count)
    # At the mean lightness of the pixels of a level and not at its middle: there the mean colour was found.
    places = np.bincount(level, lightness.ravel(), _TONES)[used] / count[used]
    tint = np.empty_like(ab)
    for channel in range(2):
        means = np.bincount(level, ab[..., channel].ravel(), _TONES)[used] / count[used]
        tint[..., channel] = np.interp(lightness, places, means)
    return tint


def _checked_pixels(pixels: ArrayLike) -> np.ndarray:
    check_unmasked("pixels", pixels)
    array = np.asarray(pixels)
    if array.ndim < 1 or array.shape[-1] != 3:
        raise ValueError(f"pixels must have shape (..., 3), got {array.shape}")
    if array.dtype in (np.uint8, np.uint16):
        return array
    if array.dtype.kind != "f":
        raise ValueError(f"pixels must be uint8, uint16 or float in [0, 1], got {array.dtype}")
    # Who resizes floats may overshoot by a rounding error.
    if array.size and not (array.min() >= -1e-6 and array.max() <= 1 + 1e-6):  # also catches NaN
        raise ValueError(f"float pixels must lie in [0, 1], got {array.min():g} to {array.max():g}")
    return array


def _in_blocks(
    convert: Callable[[Float32, Float32], np.ndarray],
    lightness: ArrayLike,
    ab: ArrayLike,
    n_channels: int,
    dtype: DTypeLike,
) -> np.ndarray:
    """Convert checked L* and ab: `convert` takes (n,) and (n, 2), and gives planes (n_channels, n)."""
    given = {"lightness": lightness, "ab": ab}
    lightness, ab = (np.asarray(as_array(*each, np.float32), order="C") for each in given.items())
    if ab.shape != (*lightness.shape, 2):
        raise ValueError(f"ab must have shape {(*lightness.shape, 2)} to go with lightness, got {ab.shape}")
    flat_lightness, flat_ab = lightness.reshape(-1), ab.reshape(-1, 2)
    converted = np.empty((len(flat_ab), n_channels), dtype)
    for block in _blocks(len(flat_ab)):
        light, colors = flat_lightness[block], flat_ab[block]
        # In blocks, or the check alone would need a mask as large as the photograph.
        if not np.isfinite(colors).all() or np.isnan(light).any():
            raise ValueError("lightness and ab must be finite, got NaN or infinity")
        converted[block] = convert(light, colors).T
    return converted.reshape(*lightness.shape, n_channels)


def _blocks(n_pixels: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, n_pixels, _BLOCK))


def _is_gray(pixels: np.ndarray) -> bool:
    return np.array_equal(pixels[:, 0], pixels[:, 1]) and np.array_equal(pixels[:, 0], pixels[:, 2])


@cache
def _linear_table(dtype: str) -> Float32:
    """Linear light of every code value of an integer dtype."""
    top = np.iinfo(dtype).max
    # The power in double precision once, and never for a pixel.
    return _decode_float(np.arange(top + 1) / top)


@cache
def _lightness_table(dtype: str) -> Float32:
    """L* of every gray code value of an integer dtype."""
    return _lightness(_compress(_linear_table(dtype)))


def _linearize(pixels: np.ndarray) -> list[Float32]:
    """Planes of linear light, each (n,), of sRGB pixels (n, 3)."""
    if pixels.dtype.kind == "f":
        return [_decode_float(pixels[:, channel]) for channel in range(3)]
    table = _linear_table(pixels.dtype.str)
    return [table.take(pixels[:, channel]) for channel in range(3)]


def _decode_float(code: np.ndarray) -> Float32:
    code = np.clip(code, 0, 1)
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _encode(linear: Float32, bit_depth: int) -> np.ndarray:
    """Code values of linear light: the power curve, and its straight toe without a branch."""
    linear = np.clip(linear, 0, 1)
    toe = np.minimum(linear - _TOE, 0)
    np.maximum(linear, _TOE, out=linear)
    top = np.float32(2**bit_depth - 1)
    code = np.power(linear, np.float32(1 / 2.4), out=linear)
    code *= np.float32(1.055) * top
    toe *= np.float32(12.92) * top
    code += toe
    # With a half added, cutting off the fraction rounds: one pass less.
    code += np.float32(0.5) - np.float32(0.055) * top
    return code.astype(np.uint8 if bit_depth == 8 else np.uint16)


def _mix(row: NDArray[np.float64], first: Float32, second: Float32, third: Float32) -> Float32:
    """Weighted sum with weights that sum to 1, written in differences: three equal inputs come out untouched."""
    mixed = np.float32(row[0]) * (first - second)
    mixed += np.float32(row[2]) * (third - second)
    mixed += second
    return mixed


def _compress(light: Float32) -> Float32:
    """CIELAB's f: a cube root that continues as a straight line below _EPSILON."""
    root = np.cbrt(np.maximum(light, _EPSILON))
    root += (_KAPPA / 116) * np.minimum(light - _EPSILON, 0)
    return root


def _lightness(fy: Float32) -> Float32:
    return np.maximum(116 * fy - 16, 0)


def _linear_rgb(lightness: Float32, ab: Float32) -> Float32:
    """Linear light, shape (3, n), of ab in planes (2, n)."""
    linear = np.empty((3, len(lightness)), np.float32)
    kernels.linear_rgb(lightness, ab, _FROM_XYZ, linear)
    return linear


def _shown(lightness: Float32, ab: Float32) -> tuple[Float32, Float32]:
    """Bring one block of colours, ab (n, 2), into the gamut: their ab (2, n) and their linear light (3, n)."""
    planes = np.array(ab.T, order="C")
    linear = _linear_rgb(lightness, planes)
    # The tolerance of the kernel: with two of them a colour could be outside here and inside there.
    tolerance = kernels.TOLERANCE
    is_outside = linear.min(axis=0) < -tolerance
    is_outside |= linear.max(axis=0) > 1 + tolerance
    # Few colours are outside as a rule, and the fourteen bisections are done for those alone.
    outside = np.flatnonzero(is_outside)
    if len(outside):
        light, colors, scale = lightness[outside], planes.take(outside, axis=1), np.empty(len(outside), np.float32)
        kernels.chroma_scale(light, colors, _FROM_XYZ, scale)
        colors *= scale
        planes[:, outside] = colors
        linear[:, outside] = _linear_rgb(light, colors)
    return planes, linear
