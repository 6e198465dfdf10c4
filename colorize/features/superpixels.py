"""Superpixels: a photograph cut into a few hundred regions, and statistics over them.

SLIC (Achanta et al. 2012) on lightness. Regions are what the features describe and the classifier colours; the
propagation afterwards works on pixels again, so a region border that misses an edge by a pixel or two does no harm.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize.types import Float32, Superpixels, as_array

WORKING_PIXELS = 250_000
"""Pixels at which a photograph is segmented and described; larger ones are reduced to about this."""

_MAX_SIDE = 32_000  # OpenCV samples no map with a side of 32767 or more

# Ten rounds suffice for most pictures (Achanta et al. 2012, sec. 3).
_ITERATIONS = 10

# Per cent of the mean area: smaller pieces that a cluster left elsewhere are given to a neighbour. Much more would eat
# thin things that are regions of their own, much less leaves regions of a few pixels, whose features are noise.
_SMALLEST_PART = 25


def working_shape(shape: tuple[int, int], *, pixels: int = WORKING_PIXELS) -> tuple[int, int]:
    """Height and width at which a photograph is analysed: about `pixels` at most, aspect ratio kept.

    See Also
    --------
    segment : The stage after.

    Examples
    --------
    >>> working_shape((321, 481))
    (321, 481)
    >>> working_shape((3000, 4000))
    (433, 577)
    """
    scale = min(1.0, (pixels / (shape[0] * shape[1])) ** 0.5, _MAX_SIDE / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def segment(lightness: Float32, *, n_segments: int = 400, compactness: float = 10.0, sigma: float = 1.0) -> Superpixels:
    """Cut a photograph into about `n_segments` regions of similar lightness.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100.
    n_segments : int
        Wished number of regions; the real number differs by some percent. More regions follow finer
        detail and cost time in proportion.
    compactness : float
        Units of L* that weigh as much as the spacing of the region centres (m of Achanta et al.,
        eq. 3). Raise it if regions crawl along faint textures, lower it if they cross edges.
    sigma : float
        Standard deviation in pixels of the smoothing before segmentation; raise it for grainy scans.

    Returns
    -------
    Superpixels

    Raises
    ------
    ValueError
        A parameter is out of its range, or `lightness` no map of finite numbers.

    See Also
    --------
    from_labels : Regions from any other segmentation.
    colorize.color.to_gray : The stage before: the lightness of a photograph.
    colorize.features.analysis.PhotoAnalysis : The stage after: what the regions look like.

    Notes
    -----
    SLIC is k-means in the space of lightness and place. A pixel at the distance d of a centre whose lightness differs
    by l counts as ``l^2 + (compactness d / spacing)^2`` away, and only centres within a spacing are asked: that makes
    it linear in the number of pixels. On colour pictures l is a distance in CIELAB; here it is L* alone.

    References
    ----------
    Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", TPAMI 34(11), 2012.

    Examples
    --------
    >>> import numpy as np
    >>> halves = np.full((60, 80), 20, np.float32)
    >>> halves[:, 40:] = 80
    >>> regions = segment(halves, n_segments=12)
    >>> bool(np.intersect1d(regions.labels[:, :40], regions.labels[:, 40:]).size == 0)
    True
    """
    if n_segments < 1:
        raise ValueError(f"n_segments must be at least 1, got {n_segments}")
    if compactness <= 0:
        raise ValueError(f"compactness must be positive, got {compactness}")
    if sigma < 0:
        raise ValueError(f"sigma must not be negative, got {sigma}")
    lightness = np.ascontiguousarray(as_array("lightness", lightness, np.float32))
    if lightness.ndim != 2 or not lightness.size or not np.isfinite(lightness).all():
        got = "NaN or infinity" if lightness.ndim == 2 and lightness.size else f"shape {lightness.shape}"
        raise ValueError(f"lightness must be finite L* of shape (H, W), got {got}")
    if sigma > 0:
        # Grain breaks clusters into crumbs, which are then given to whichever neighbour, across edges too.
        lightness = cv2.GaussianBlur(lightness, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return from_labels(_slic(lightness, n_segments, compactness))


def from_labels(labels: NDArray[np.integer]) -> Superpixels:
    """Make superpixels of any integer label map: renumber it and measure its regions.

    See Also
    --------
    segment : The segmentation that models are trained with.

    Examples
    --------
    >>> import numpy as np
    >>> regions = from_labels(np.array([[7, 7, 3], [7, 7, 3]]))
    >>> regions.areas.tolist(), regions.centroids.tolist(), regions.adjacency.tolist()
    ([2.0, 4.0], [[0.5, 2.0], [0.5, 0.5]], [[0, 1]])
    """
    used, flat = np.unique(labels, return_inverse=True)
    renumbered = flat.reshape(labels.shape).astype(np.int32)
    flat, n = renumbered.ravel(), len(used)
    areas = np.bincount(flat, minlength=n)
    rows, columns = np.indices(labels.shape, dtype=np.float32)
    centroids = np.stack([np.bincount(flat, x.ravel(), minlength=n) / areas for x in (rows, columns)], axis=1)
    return Superpixels(renumbered, region_adjacency(renumbered), areas.astype(np.float32), centroids.astype(np.float32))


def region_adjacency(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Pairs of regions that share a pixel edge, shape (n_edges, 2), smaller label first, sorted.

    See Also
    --------
    colorize._support.regions.region_graph : The same with weights, as a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> region_adjacency(np.array([[0, 0, 1], [2, 2, 1]], np.int32)).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    # A pair as one integer, so that finding each once is sorting numbers and not rows. Of 64 bits, because n^2 passes
    # 32 bits from 46,341 regions on. Pixels that meet at a corner alone do not touch: regions are 4-connected.
    n = int(labels.max()) + 1
    pairs = []
    for one, other in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        differ = one != other
        low, high = np.minimum(one[differ], other[differ]), np.maximum(one[differ], other[differ])
        pairs.append(low.astype(np.int64) * n + high)
    keys = np.unique(np.concatenate(pairs))
    return np.stack([keys // n, keys % n], axis=1).astype(np.int32)


def region_means(values: np.ndarray, superpixels: Superpixels) -> Float32:
    """Mean of every channel over every region.

    Parameters
    ----------
    values : ndarray, shape (H, W) or (H, W, C)
    superpixels : Superpixels
        Of the same height and width.

    Returns
    -------
    ndarray, shape (n_superpixels,) or (n_superpixels, C), float32

    See Also
    --------
    resize_labels : The way back: values of regions to pixels, ``values[labels]``.

    Examples
    --------
    >>> import numpy as np
    >>> region_means(np.array([[1.0, 3.0], [5.0, 7.0]]), from_labels(np.array([[0, 0], [1, 1]]))).tolist()
    [2.0, 6.0]
    """
    if values.shape[:2] != superpixels.shape:
        raise ValueError(f"values must have shape {superpixels.shape} (+ channels), got {values.shape}")
    flat = superpixels.labels.ravel()
    channels = values.reshape(len(flat), -1)
    sums = [np.bincount(flat, channels[:, c], minlength=superpixels.n_superpixels) for c in range(channels.shape[1])]
    means = (np.stack(sums, axis=1) / superpixels.areas[:, None]).astype(np.float32)
    return means[:, 0] if values.ndim == 2 else means


def resize_labels(superpixels: Superpixels, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Carry the label map to another resolution by nearest neighbour, shape `shape`, int32.

    See Also
    --------
    colorize.optimization.propagate : The stage after, which takes the colours of regions as wishes of pixels.

    Examples
    --------
    >>> import numpy as np
    >>> resize_labels(from_labels(np.array([[0, 1]])), (2, 4)).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    return _nearest(superpixels.labels, shape)


def region_map(values: np.ndarray, superpixels: Superpixels, shape: tuple[int, int]) -> np.ndarray:
    """Give every pixel the value of its region: ``values[resize_labels(superpixels, shape)]`` without a label map.

    Examples
    --------
    >>> import numpy as np
    >>> region_map(np.array([10, 20]), from_labels(np.array([[0, 1]])), (2, 4)).tolist()
    [[10, 10, 20, 20], [10, 10, 20, 20]]
    """
    return _nearest(values.take(superpixels.labels, axis=0), shape)


def _nearest(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """An image at another resolution by nearest neighbour: columns first, so that rows are copied whole."""
    # Sampled at the centres of the new pixels. OpenCV's usual nearest neighbour samples at their corners, which moves
    # a map that is made smaller by half a pixel; its exact one takes no labels of 32 bits.
    rows, columns = (
        ((np.arange(there) + 0.5) * here / there).astype(np.intp)
        for here, there in zip(image.shape, shape, strict=False)
    )
    return image.take(columns, axis=1).take(rows, axis=0)


def _slic(lightness: Float32, n_segments: int, compactness: float) -> NDArray[np.int32]:
    height, width = lightness.shape
    spacing = round((height * width / n_segments) ** 0.5)
    if spacing < 2 or min(height, width) < 2 * spacing:  # too few pixels for the centres' grid: plain squares
        rows, columns = np.arange(height) // max(1, spacing), np.arange(width) // max(1, spacing)
        return (rows[:, None] * (columns[-1] + 1) + columns[None, :]).astype(np.int32)
    # OpenCV's ruler is in its own 8-bit units: 255 of them are 100 L*.
    levels = np.uint8(np.clip(lightness * 2.55 + 0.5, 0, 255))
    slic = cv2.ximgproc.createSuperpixelSLIC(levels, cv2.ximgproc.SLIC, spacing, compactness * 2.55)
    slic.iterate(_ITERATIONS)
    slic.enforceLabelConnectivity(_SMALLEST_PART)
    return slic.getLabels()
