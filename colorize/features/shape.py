"""Shape family: size, elongation and direction of a region."""

from __future__ import annotations

import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32


def shape(photo: PhotoAnalysis) -> tuple[Float32, tuple[str, ...]]:
    """Describe the outline of every region by its area and second moments.

    Columns: log of the area against the photograph's mean area, elongation (0 round, 1 a line), its direction as the
    cosine of twice the angle (1 lying, -1 standing), scaled by the elongation, and the number of neighbours.

    Returns
    -------
    values : ndarray, shape (n_superpixels, 4), float32
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.superpixels.segment : What the outlines follow.

    Notes
    -----
    SLIC makes regions of one size and round where there is nothing to follow; the shape of one says what there was.
    With the eigenvalues p >= q of the second moments, elongation is ``(p - q) / (p + q)``, and ``(cc - rr, 2 rc)`` is
    that difference as a vector at twice the angle: a line has no direction that its other end has not as well.
    """
    superpixels = photo.superpixels
    height, width = superpixels.shape
    labels, areas, (mean_row, mean_column) = photo.flat_labels, superpixels.areas, superpixels.centroids.T
    rows = np.repeat(np.arange(height, dtype=np.float32), width) - mean_row[labels]
    columns = np.tile(np.arange(width, dtype=np.float32), height) - mean_column[labels]
    rr, cc, rc = (np.bincount(labels, p) / areas for p in (rows * rows, columns * columns, rows * columns))
    spread = rr + cc + 1 / 6  # a pixel is a square, not a point: 1/12 along either axis
    elongation = np.hypot(cc - rr, 2 * rc) / spread
    lying = (cc - rr) / spread
    # Regions of a plane have nearly six neighbours in the mean (Euler), so this is about 1.
    degree = np.bincount(superpixels.adjacency.ravel(), minlength=len(areas))
    values = np.column_stack([np.log(areas / areas.mean()), elongation, lying, degree / 6])
    return values.astype(np.float32), ("log area", "elongation", "lying", "neighbours")
