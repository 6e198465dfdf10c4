"""Joins the feature families into one matrix with named columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from colorize.features.analysis import PhotoAnalysis
from colorize.features.context import context
from colorize.features.gabor import N_ORIENTATIONS, N_SCALES, gabor
from colorize.features.intensity import N_BINS, intensity
from colorize.features.lbp import lbp
from colorize.features.position import position
from colorize.features.registry import FAMILIES, compute_own, in_order
from colorize.features.scene import scene
from colorize.features.semantic import semantic
from colorize.features.shape import shape
from colorize.features.surf import SCALES, surf, surf_descriptors
from colorize.types import FeatureMatrix, Float32

# Their share in a photograph is 64 columns that are the same for all of its regions: a model learns from them by
# photographs, of which there are hundreds, and more words would be told apart by too few.
N_WORDS = 64
MOST_DESCRIPTORS = 20_000  # three hundred for each word place them well enough, and k-means costs in proportion

Block = tuple[Float32, tuple[str, ...]]
"""Columns of a family, one row per region, and their names."""

_ALONE = {family.__name__: family for family in (intensity, position, shape, gabor, surf, lbp, semantic)}
_NEEDS = {"context": ("intensity", "gabor"), "scene": ("intensity", "gabor", "surf")}


class FeatureExtractor:
    """Turns a photograph and its superpixels into a feature matrix.

    Only the visual words of the scene family are learnt; everything else is the same for every photograph.

    Parameters
    ----------
    families : sequence of str
        Families to keep, in any order, also one's own (`register_family`); the columns always come
        in the order of `in_order`.
    random_state : int
        Seed of the k-means that finds the visual words.

    Attributes
    ----------
    words_ : ndarray, shape (n_words, 64), float32
        Visual words, after `fit`.

    See Also
    --------
    colorize.features.analysis.PhotoAnalysis : The stage before.
    colorize.training.classifier.FamilyScaler : The stage after: a common scale for all columns.
    colorize.features.registry.register_family : A family of your own.

    Examples
    --------
    >>> import numpy as np
    >>> from colorize.features.superpixels import segment
    >>> lightness = np.random.default_rng(0).uniform(0, 100, (96, 128)).astype(np.float32)
    >>> photo = PhotoAnalysis(lightness, segment(lightness, n_segments=40))
    >>> matrix = FeatureExtractor(families=("intensity", "gabor")).fit([photo]).transform(photo)
    >>> {name: columns.stop - columns.start for name, columns in matrix.families.items()}
    {'intensity': 23, 'gabor': 40}
    """

    WORD_SCALE = SCALES[1]
    """SURF scale of the descriptors that visual words are made of: a window of 60 pixels, two regions wide."""

    def __init__(self, families: Iterable[str] = FAMILIES, random_state: int = 0) -> None:
        self.families = in_order(families)
        self.random_state = random_state

    def fit(self, photos: Iterable[PhotoAnalysis]) -> FeatureExtractor:
        """Learn the visual words from the SURF descriptors of training photographs."""
        # Always as many rows: with few descriptors, words of zeros stand for what has no texture at all.
        self.words_ = np.zeros((N_WORDS, 64), np.float32)
        if "scene" not in self.families:  # which alone asks for them: no photograph has to be read
            return self
        from sklearn.cluster import KMeans  # for learning only: it takes a second to import

        rng = np.random.default_rng(self.random_state)
        pool = np.concatenate([surf_descriptors(photo, self.WORD_SCALE) for photo in photos])
        if len(pool) > MOST_DESCRIPTORS:
            pool = pool[np.sort(rng.choice(len(pool), MOST_DESCRIPTORS, replace=False))]
        k_means = KMeans(min(N_WORDS, len(pool)), n_init=1, max_iter=30, random_state=self.random_state)
        with threadpool_limits(1):  # sums over threads come in any order, and equal training must give equal bytes
            words = k_means.fit(pool).cluster_centers_.astype(np.float32)
        self.words_[: len(words)] = words
        return self

    def transform(self, photo: PhotoAnalysis) -> FeatureMatrix:
        """Describe every region of a photograph.

        Returns
        -------
        FeatureMatrix
            Unscaled; the classifier brings the columns to a common scale.

        Raises
        ------
        ValueError
            `fit` has not been called.
        """
        if not hasattr(self, "words_"):
            raise ValueError("FeatureExtractor must be fitted before transform: its visual words are learnt")
        # Families are made of each other: one that was not asked for is computed where another needs it, and left out.
        needed = set(self.families).union(*(_NEEDS.get(name, ()) for name in self.families))
        blocks = {name: describe(photo) for name, describe in _ALONE.items() if name in needed}
        if "context" in needed:
            blocks["context"] = context(photo, *_core(blocks))
        if "scene" in needed:
            blocks["scene"] = self._scene(photo, blocks)
        return _join({name: blocks.get(name) or compute_own(name, photo) for name in self.families})

    def _scene(self, photo: PhotoAnalysis, blocks: Mapping[str, Block]) -> Block:
        values, names = blocks["intensity"]
        first = names.index("histogram 0")
        at_word_scale = 64 * SCALES.index(self.WORD_SCALE)
        descriptors = blocks["surf"][0][:, at_word_scale : at_word_scale + 64]
        row, scene_names = scene(photo, values[:, first : first + N_BINS], blocks["gabor"][0], descriptors, self.words_)
        return np.tile(row, (photo.superpixels.n_superpixels, 1)), scene_names


def _core(blocks: Mapping[str, Block]) -> Block:
    """The columns whose neighbourhood is worth knowing: tones, texture by scale, texture by direction."""
    # 13 tones and 13 textures instead of 63 columns: context multiplies by five, and the finer
    # differences between the columns of a ring are averaged away anyway.
    tones, tone_names = blocks["intensity"]
    energy = blocks["gabor"][0].reshape(-1, N_SCALES, N_ORIENTATIONS)
    values = np.concatenate([tones[:, : 5 + N_BINS], energy.mean(axis=2), energy.mean(axis=1)], axis=1)
    names = tone_names[: 5 + N_BINS]
    names += tuple(f"texture at scale {i}" for i in range(N_SCALES))
    names += tuple(f"texture in direction {i}" for i in range(N_ORIENTATIONS))
    return values, names


def _join(blocks: Mapping[str, Block]) -> FeatureMatrix:
    families, names, start = {}, [], 0
    for family, (values, columns) in blocks.items():
        families[family] = slice(start, start + values.shape[1])
        names += [f"{family}:{column}" for column in columns]
        start += values.shape[1]
    return FeatureMatrix(np.concatenate([values for values, _ in blocks.values()], axis=1), families, tuple(names))
