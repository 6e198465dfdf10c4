"""What several feature families need of a photograph, computed once: pyramid, centroids, neighbours."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from colorize._support.regions import averaging, region_graph
from colorize.features.encoder import Sight, see
from colorize.types import Float32, Superpixels

# The five scales of the Gabor family, and one more below them for the last band of the intensity
# family. A photograph of 500 pixels is then 16 pixels wide, and a region less than one.
N_LEVELS = 6


class PhotoAnalysis:
    """The lightness of one photograph, its regions, and shared intermediates, each computed when first asked for.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        CIE L*, 0..100, at the working resolution (about 0.25 megapixels).
    superpixels : Superpixels
        Of the same height and width.
    sight : Sight, optional
        What the encoder said of this photograph, if it was asked already.

    Attributes
    ----------
    gray : ndarray, shape (H, W), float32
        Lightness scaled to 0..1.
    superpixels : Superpixels

    See Also
    --------
    colorize.features.superpixels.segment : The stage before.
    colorize.features.extractor.FeatureExtractor.transform : The stage after.
    colorize.features.registry.register_family : A family of your own that is given one of these.

    Examples
    --------
    >>> import numpy as np
    >>> from colorize.features.superpixels import segment
    >>> lightness = np.tile(np.linspace(0, 100, 96, dtype=np.float32), (64, 1))
    >>> photo = PhotoAnalysis(lightness, segment(lightness, n_segments=20))
    >>> [level.shape for level in photo.pyramid]
    [(64, 96), (32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]
    """

    def __init__(self, lightness: Float32, superpixels: Superpixels, sight: Sight | None = None) -> None:
        if lightness.shape != superpixels.shape:
            raise ValueError(f"superpixels must have the shape {lightness.shape}, got {superpixels.shape}")
        self.gray: Float32 = np.ascontiguousarray(lightness, dtype=np.float32) / np.float32(100)
        self.superpixels = superpixels
        self._sight = sight

    @property
    def sight(self) -> Sight:
        """What the encoder says of the photograph, asked once."""
        if self._sight is None:
            self._sight = see(self.gray)
        return self._sight

    @cached_property
    def pyramid(self) -> list[Float32]:
        """Gaussian pyramid of `gray` (Burt and Adelson 1983): `N_LEVELS` levels, each half as large as the last."""
        levels = [self.gray]
        while len(levels) < N_LEVELS:
            levels.append(cv2.pyrDown(levels[-1]))
        return levels

    @cached_property
    def flat_labels(self) -> NDArray[np.int32]:
        """Region of every pixel in reading order, shape (H * W,)."""
        return self.superpixels.labels.ravel()

    @cached_property
    def relative_centroids(self) -> Float32:
        """Row and column of each region's centre as fractions of height and width, shape (n, 2)."""
        # Half a pixel, because centroids count from the centre of the first pixel and fractions from its edge.
        return ((self.superpixels.centroids + 0.5) / np.array(self.gray.shape)).astype(np.float32)

    @cached_property
    def neighbours(self) -> sparse.csr_array:
        """Row-normalised region adjacency, shape (n, n): multiplying averages over the touching regions."""
        graph = region_graph(self.superpixels)
        # A region that is alone averages over itself: the mean of nothing is no number.
        alone = sparse.diags_array((graph.sum(axis=1) == 0).astype(np.float64))
        return averaging(sparse.csr_array(graph + alone)).astype(np.float32)

    def means(self, values: Float32) -> Float32:
        """Mean of a map over every region: (H, W) to (n,)."""
        sums = np.bincount(self.flat_labels, values.ravel(), minlength=self.superpixels.n_superpixels)
        return (sums / self.superpixels.areas).astype(np.float32)

    def at_centroids(self, level_map: Float32, level: int = 0) -> Float32:
        """Bilinear samples of a map of a pyramid level at the region centres: (h, w) or (h, w, C) to (n[, C]).

        Pixel (row, col) of level k lies at pixel (row * 2^k, col * 2^k) of the photograph.
        """
        # `pyrDown` keeps every second pixel, the first one included, so levels have their origin in common
        # and no half pixel is added, as other ways of halving need it.
        rows, columns = (self.superpixels.centroids / np.float32(2**level)).T
        samples = cv2.remap(level_map, columns[None], rows[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return samples[0]
