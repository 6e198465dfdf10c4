"""Frozen value types that the stages pass to each other, validated once when they are built.

Arrays inside them are set read-only, so that a value can be shared without a copy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize.exceptions import InvalidImageError

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


def _freeze(value: object, *names: str) -> None:
    """Make arrays and mappings of a frozen dataclass read-only, at the end of its `__post_init__`."""
    for name in names:
        given = getattr(value, name)
        if isinstance(given, Mapping):
            # A copy behind a read-only face: else whoever holds the dict could still change it.
            given = MappingProxyType(dict(given))
        elif given is not None:
            # A view: the caller's own array stays writable.
            given = given.view()
            given.flags.writeable = False
        # The only way to set an attribute while a frozen dataclass is made.
        object.__setattr__(value, name, given)


class _HasMapping:
    """Makes a frozen dataclass picklable and copyable, which read-only mappings are not."""

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        values = [getattr(self, each.name) for each in fields(self)]  # type: ignore[arg-type]
        return type(self), tuple(dict(value) if isinstance(value, Mapping) else value for value in values)


REACHES = ("photo", "similar", "here", "pixels")
"""How far a hint is heard, widest first: the whole photograph, what looks alike, this thing, these pixels alone."""


@dataclass(frozen=True, eq=False)
class PhotoMetadata:
    """What a photo file carries besides its pixels.

    Attributes
    ----------
    exif : bytes or None
        The EXIF block as read, orientation already reset to 1 because `io` applied it.
    dpi : tuple of float or None
        Horizontal and vertical resolution in dots per inch.
    notes : tuple of str
        One plain sentence for everything that reading changed or left out ("second page ignored").
    xmp : bytes or None
        The XMP packet as read: titles, captions, rights, and `colorize.recipe.note`'s note of how a picture was made.
    rgb_profile : bytes or None
        The ICC profile of the RGB colours that the file had, if they were not sRGB; the output is converted back to it.
    damage : str
        How much of a damaged file could be read ("74 % of its rows could be read, the rest is black"); empty if all.
    iptc : bytes or None
        Captions in the form that is older than XMP (IPTC-IIM), as read from JPEG or TIFF.

    See Also
    --------
    colorize.io.read_photo : Fills it in.
    """

    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    xmp: bytes | None = None
    rgb_profile: bytes | None = None
    damage: str = ""
    iptc: bytes | None = None


@dataclass(frozen=True, eq=False)
class RgbImage:
    """A colour photograph in sRGB.

    Attributes
    ----------
    pixels : ndarray, shape (H, W, 3), uint8 or uint16
        sRGB code values; uint16 uses the whole range 0..65535.
    alpha : ndarray, shape (H, W), same dtype as `pixels`, or None
        Opacity, not premultiplied.
    metadata : PhotoMetadata

    See Also
    --------
    GrayImage : Its lightness.
    colorize.io.read_photo, colorize.io.write_photo : From a file and into one.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None = None
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)

    def __post_init__(self) -> None:
        p = self.pixels
        if not isinstance(p, np.ndarray) or p.ndim != 3 or p.shape[2] != 3 or p.dtype not in (np.uint8, np.uint16):
            # What other libraries mostly hold.
            is_float = isinstance(p, np.ndarray) and p.dtype.kind == "f"
            how = "; of floats from 0 to 1 numpy.uint8(numpy.rint(255 * pixels)) makes them" if is_float else ""
            raise InvalidImageError(f"pixels must be (H, W, 3) uint8 or uint16, got {described(p)}{how}")
        _check_whole("pixels", p)
        _check_extras(self, p.dtype)
        _freeze(self, "pixels", "alpha")

    def __repr__(self) -> str:
        return f"RgbImage({_size(self)}{'' if self.alpha is None else ', with alpha'})"

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def bit_depth(self) -> int:
        """Bits per channel, 8 or 16."""
        return 8 * self.pixels.dtype.itemsize


@dataclass(frozen=True, eq=False)
class GrayImage:
    """The lightness of a photograph: what a colorizer is given and must never change.

    Attributes
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    bit_depth : int
        Bits per channel of the photograph it came from (8 or 16); output is written with as many.
    alpha : ndarray, shape (H, W), uint8 or uint16, or None
    metadata : PhotoMetadata

    See Also
    --------
    colorize.color.to_gray : Makes it of a photograph.
    colorize.predictor.Predictor.predict : Colours it.
    """

    lightness: Float32
    bit_depth: int = 8
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None = None
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)

    def __post_init__(self) -> None:
        lightness = self.lightness
        if not isinstance(lightness, np.ndarray) or lightness.ndim != 2 or lightness.dtype != np.float32:
            raise InvalidImageError(f"lightness must be (H, W) float32, got {described(lightness)}")
        _check_whole("lightness", lightness)
        low, high = float(lightness.min()), float(lightness.max())
        if not (low >= -0.01 and high <= 100.01):  # also catches NaN
            raise InvalidImageError(f"lightness must be L* in [0, 100], got values from {low:g} to {high:g}")
        if self.bit_depth not in (8, 16):
            raise InvalidImageError(f"bit_depth must be 8 or 16, got {self.bit_depth!r}")
        _check_extras(self, np.dtype(f"uint{self.bit_depth}"))
        _freeze(self, "lightness", "alpha")

    def __repr__(self) -> str:
        return f"GrayImage({_size(self)}{'' if self.alpha is None else ', with alpha'})"

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.lightness.shape[0], self.lightness.shape[1]


@dataclass(frozen=True, eq=False)
class Superpixels:
    """A photograph cut into small regions of similar lightness.

    Attributes
    ----------
    labels : ndarray, shape (H, W), int32
        Region of every pixel, 0..n_superpixels-1, every number used.
    adjacency : ndarray, shape (n_edges, 2), int32
        Pairs of touching regions, smaller number first, sorted, none twice.
    areas : ndarray, shape (n_superpixels,), float32
        Pixels per region.
    centroids : ndarray, shape (n_superpixels, 2), float32
        Mean row and column of each region, in pixels.

    See Also
    --------
    colorize.features.superpixels.segment : Makes them.
    """

    labels: NDArray[np.int32]
    adjacency: NDArray[np.int32]
    areas: Float32
    centroids: Float32

    def __post_init__(self) -> None:
        n = len(self.areas)
        if self.labels.ndim != 2 or self.labels.dtype != np.int32:
            raise ValueError(f"labels must be (H, W) int32, got {described(self.labels)}")
        if self.adjacency.ndim != 2 or self.adjacency.shape[1] != 2:
            raise ValueError(f"adjacency must be (n_edges, 2), got {described(self.adjacency)}")
        if self.centroids.shape != (n, 2):
            raise ValueError(f"centroids must be ({n}, 2), got {described(self.centroids)}")
        # Regions are looked up by label: a negative one would silently mean the last region.
        if int(self.labels.min()) != 0 or int(self.labels.max()) != n - 1:
            raise ValueError(f"labels must run from 0 to {n - 1}")
        _freeze(self, "labels", "adjacency", "areas", "centroids")

    @property
    def n_superpixels(self) -> int:
        """Number of regions."""
        return len(self.areas)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the label map in pixels."""
        return self.labels.shape[0], self.labels.shape[1]


@dataclass(frozen=True, eq=False)
class FeatureMatrix(_HasMapping):
    """One row of numbers per region, in named blocks of columns.

    Attributes
    ----------
    values : ndarray, shape (n_superpixels, n_features), float32
    families : mapping of str to slice
        Columns of each family, in order, without gaps.
    names : tuple of str
        One name per column, ``family:detail``.

    See Also
    --------
    colorize.features.FeatureExtractor : Makes it.
    """

    values: Float32
    families: Mapping[str, slice]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise ValueError(f"values must be (n_superpixels, n_features) float32, got {described(self.values)}")
        if len(self.names) != self.values.shape[1]:
            raise ValueError(f"names must name {self.values.shape[1]} columns, got {len(self.names)}")
        stops = [0, *(columns.stop for columns in self.families.values())]
        if [columns.start for columns in self.families.values()] != stops[:-1] or stops[-1] != self.values.shape[1]:
            raise ValueError("families must cover the columns in order and without gaps")
        _freeze(self, "values", "families")

    def family(self, name: str) -> Float32:
        """Columns of one family, shape (n_superpixels, n_columns)."""
        return self.values[:, self.families[name]]


@dataclass(frozen=True)
class SolveReport:
    """What a solver did.

    Attributes
    ----------
    method : str
        Solver used: multigrid or direct.
    iterations : int
        Iterations of the outer loop; 0 for a direct solver.
    relative_residual : float
        Norm of ``b - A x`` over the rows that are not exact constraints, divided by the norm of ``b``, which holds what
        these pass on to their neighbours.
    converged : bool
    seconds : float
        Wall time of the solver.
    bytes : int
        Memory the solver allocated at its peak, estimated from the arrays it holds.
    shape : tuple of int
        Height and width at which the system was solved.
    reduced : bool
        True if the memory budget made the solver work below the photograph's own resolution.

    See Also
    --------
    colorize.optimization.propagate : Makes it.
    """

    method: str
    iterations: int
    relative_residual: float
    converged: bool
    seconds: float
    bytes: int
    shape: tuple[int, int]
    reduced: bool = False


@dataclass(frozen=True, eq=False)
class ColorField:
    """Colour without lightness, for every pixel.

    Attributes
    ----------
    ab : ndarray, shape (H, W, 2), float32
        CIELAB a* and b*.
    confidence_grid : ndarray, shape (h, w), float32
        0 (a guess) to 1 (certain); of the photograph's size, or a smaller one where it was coloured at that.

    See Also
    --------
    Colorization : Has one, and the picture made of it.
    """

    ab: Float32
    confidence_grid: Float32

    def __post_init__(self) -> None:
        if self.ab.ndim != 3 or self.ab.shape[2] != 2 or self.ab.dtype != np.float32:
            raise ValueError(f"ab must be (H, W, 2) float32, got {described(self.ab)}")
        grid = self.confidence_grid
        if grid.ndim != 2 or grid.shape[0] > self.ab.shape[0] or grid.shape[1] > self.ab.shape[1]:
            raise ValueError(f"confidence must be {self.ab.shape[:2]} or on a smaller grid, got {described(grid)}")
        _freeze(self, "ab", "confidence_grid")

    # Made when it is asked for: at 49 megapixels it takes 200 MB, and who saves a picture does not ask.
    @cached_property
    def confidence(self) -> Float32:
        """Confidence of every pixel, shape (H, W)."""
        if self.confidence_grid.shape == self.shape:
            return self.confidence_grid
        import cv2

        confidence = cv2.resize(self.confidence_grid, self.shape[::-1], interpolation=cv2.INTER_LINEAR)
        confidence.flags.writeable = False
        return np.asarray(confidence, np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.ab.shape[0], self.ab.shape[1]


@dataclass(frozen=True, eq=False)
class Colorization(_HasMapping):
    """A colorized photograph and everything that led to it.

    Attributes
    ----------
    image : RgbImage
        The result, of the size and bit depth of the input; its L* is the input's.
    field : ColorField
        The ab of every pixel before gamut mapping, and the confidence.
    superpixels : Superpixels
        The regions, at the working resolution.
    probabilities : ndarray, shape (n_superpixels, n_colors), float32
        Calibrated probability of every palette colour (column: palette index) in every region.
    region_ab : ndarray, shape (n_superpixels, 2), float32
        The colour decided for every region, before propagation.
    report : SolveReport
        How the propagation went.
    timings : mapping of str to float
        Seconds of wall time per stage.
    notes : tuple of str
        One plain sentence for every hint that could not be followed as it was given.

    See Also
    --------
    colorize.predictor.Predictor.predict : Makes it.
    ColorizedPhoto : Of methods that know no regions.
    """

    image: RgbImage
    field: ColorField
    superpixels: Superpixels
    probabilities: Float32
    region_ab: Float32
    report: SolveReport
    timings: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = self.superpixels.n_superpixels
        if self.probabilities.ndim != 2 or len(self.probabilities) != n:
            raise ValueError(f"probabilities must have {n} rows, got {described(self.probabilities)}")
        if self.region_ab.shape != (n, 2):
            raise ValueError(f"region_ab must be ({n}, 2), got {described(self.region_ab)}")
        _freeze(self, "probabilities", "region_ab", "timings")

    def __repr__(self) -> str:
        regions = f"{self.superpixels.n_superpixels} regions, {self.probabilities.shape[1]} palette colours"
        return f"Colorization({_size(self.image)}; {regions})"

    @property
    def rgb(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """sRGB pixels, shape (H, W, 3)."""
        return self.image.pixels

    @property
    def ab(self) -> Float32:
        """CIELAB a* and b* before gamut mapping, shape (H, W, 2)."""
        return self.field.ab

    @property
    def confidence(self) -> Float32:
        """Confidence of every pixel, shape (H, W), 0..1."""
        return self.field.confidence


@dataclass(frozen=True, eq=False)
class ColorizedPhoto(_HasMapping):
    """A photograph colorized by a method that knows neither regions nor confidence.

    Attributes
    ----------
    image : RgbImage
        The result, of the size and bit depth of the input; its L* is the input's.
    ab : ndarray, shape (H, W, 2), float32
        CIELAB a* and b* before gamut mapping.
    timings : mapping of str to float
        Seconds of wall time per stage.

    See Also
    --------
    Colorization : With regions and confidence.
    """

    image: RgbImage
    ab: Float32
    timings: Mapping[str, float]

    def __post_init__(self) -> None:
        if self.ab.shape != (*self.image.shape, 2) or self.ab.dtype != np.float32:
            raise ValueError(f"ab must be {(*self.image.shape, 2)} float32, got {described(self.ab)}")
        _freeze(self, "ab", "timings")

    @property
    def rgb(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """sRGB pixels, shape (H, W, 3)."""
        return self.image.pixels


def _size(image: RgbImage | GrayImage) -> str:
    return f"{image.shape[0]} rows x {image.shape[1]} columns, {image.bit_depth} bits"


def described(array: object) -> str:
    """What was given instead of an array, and how one is made of it.

    See Also
    --------
    check_rgb_image : For whole photographs.

    Examples
    --------
    >>> described("old.jpg"), described(np.zeros((2, 3)))
    ('str (colorize.read_photo reads a file)', 'shape (2, 3), float64')
    """
    if isinstance(array, np.ndarray):
        return f"shape {array.shape}, {array.dtype}"
    if isinstance(array, (str, os.PathLike)):
        return f"{type(array).__name__} (colorize.read_photo reads a file)"
    # Pictures of Pillow have the one, tensors of torch the other.
    if hasattr(array, "__array_interface__") or hasattr(array, "__array__"):
        return f"{type(array).__name__} (numpy.asarray makes an array of it)"
    return type(array).__name__


def check_rgb_image(image: object) -> None:
    """Check that something is a photograph, and not an array or a name that stands for one.

    Raises
    ------
    InvalidImageError
        It is no `RgbImage`.

    See Also
    --------
    colorize.model.as_rgb_image : Makes one of an array.
    """
    if not isinstance(image, RgbImage):
        how = " (its .image is one)" if isinstance(image, Colorization) else ""
        how = " (RgbImage(array) makes one)" if isinstance(image, np.ndarray) else how
        raise InvalidImageError(
            f"image must be an RgbImage, got {type(image).__name__ + how if how else described(image)}"
        )


def check_unmasked(name: str, array: object, error: type[ValueError] = ValueError) -> None:
    """Refuse an array of which a mask hides values: they would be taken for what they are not."""
    if np.ma.is_masked(array):
        raise error(f"{name} has masked places, and a value is needed everywhere; {name}.filled(value) gives them one")


def as_array(name: str, values: ArrayLike, dtype: type) -> NDArray[Any]:
    """Values as an array, or an error that names the parameter of which none can be made."""
    check_unmasked(name, values)
    try:
        return np.asarray(values, dtype)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be an array of numbers, got {described(values)}") from error


def _check_whole(name: str, array: np.ndarray) -> None:
    if array.shape[0] < 1 or array.shape[1] < 1:
        raise InvalidImageError(f"a photograph needs at least one pixel, got shape {array.shape}")
    check_unmasked(name, array, InvalidImageError)


def _check_extras(image: RgbImage | GrayImage, dtype: np.dtype) -> None:
    alpha, metadata = image.alpha, image.metadata
    if alpha is not None and not (
        isinstance(alpha, np.ndarray) and alpha.shape == image.shape and alpha.dtype == dtype
    ):
        raise InvalidImageError(f"alpha must be {image.shape} {np.dtype(dtype)}, got {described(alpha)}")
    if not isinstance(metadata, PhotoMetadata):
        raise TypeError(f"metadata must be a PhotoMetadata, got {type(metadata).__name__}")
