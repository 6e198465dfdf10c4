"""Scene family: the whole photograph in a few numbers, the same for all of its regions."""

from __future__ import annotations

import cv2
import numpy as np

from colorize.features.analysis import PhotoAnalysis
from colorize.types import Float32

# These columns vary from photograph to photograph only, so a model has no more samples of them than
# photographs: 64 numbers, not the 1024 of the tiny images of Torralba et al.
TINY = 8

# Of half the squared distance between descriptors of unit length, which are about 0.8 apart: a word at 0.8 beside one
# at 0.6 keeps 6 %. Smaller, and a descriptor between two words falls to either by chance.
_SOFTNESS = 0.05


def scene(
    photo: PhotoAnalysis, histogram: Float32, gabor: Float32, surf: Float32, words: Float32
) -> tuple[Float32, tuple[str, ...]]:
    """Describe the photograph as a whole.

    Columns: the photograph at 8 x 8 pixels; its tone histogram; mean and deviation of the Gabor energies over the
    regions; its bag of visual words; lightness and contrast of eight horizontal bands.

    Parameters
    ----------
    photo : PhotoAnalysis
    histogram : ndarray, shape (n_superpixels, N_BINS)
        Soft lightness histograms of the regions (from the intensity family).
    gabor : ndarray, shape (n_superpixels, 40)
    surf : ndarray, shape (n_superpixels, 64)
        SURF descriptors of one scale.
    words : ndarray, shape (n_words, 64)
        Visual words: centres of a k-means over training descriptors.

    Returns
    -------
    values : ndarray, shape (n_columns,), float32
    names : tuple of str

    See Also
    --------
    colorize.features.extractor.FeatureExtractor : Joins the families.
    colorize.features.context.context : What surrounds a single region.

    References
    ----------
    Torralba, Fergus and Freeman, "80 million tiny images", TPAMI 30(11), 2008 (tiny image). Csurka
    et al., "Visual categorization with bags of keypoints", ECCV workshops, 2004. Oliva and
    Torralba, "Modeling the shape of the scene", IJCV 42(3), 2001 (pooled Gabor energy).
    """
    # Regions count by area: a photograph is what most of its pixels show, however finely it was cut.
    share = photo.superpixels.areas / photo.superpixels.areas.sum()
    tiny = cv2.resize(photo.gray, (TINY, TINY), interpolation=cv2.INTER_AREA)
    bands = cv2.resize(photo.gray, (4 * TINY, TINY), interpolation=cv2.INTER_AREA)
    pooled = share @ gabor
    deviation = np.sqrt(np.maximum(share @ (gabor * gabor) - pooled * pooled, 0))
    blocks = {
        "tiny": tiny.ravel(),
        "tone": share @ histogram,
        "mean gabor": pooled,
        "gabor deviation": deviation,
        "word": share @ word_membership(surf, words),
        "band lightness": bands.mean(axis=1),
        "band contrast": bands.std(axis=1),
    }
    names = tuple(f"{block} {i}" for block, values in blocks.items() for i in range(len(values)))
    return np.concatenate(list(blocks.values())).astype(np.float32), names


def word_membership(descriptors: Float32, words: Float32) -> Float32:
    """Soft assignment of descriptors to visual words, rows sum to 1, shape (n, n_words)."""
    # Half the squared distance with the sign turned, but for |d|^2 / 2, which is the same for all words and falls out.
    similarity = descriptors @ words.T - 0.5 * (words * words).sum(axis=1)
    similarity = (similarity - similarity.max(axis=1, keepdims=True)) / _SOFTNESS
    weights = np.exp(similarity)
    return weights / weights.sum(axis=1, keepdims=True)
