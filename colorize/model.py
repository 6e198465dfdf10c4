"""A fitted model as a value: it describes photographs, says how likely colours are, and decides.

Nothing here is learnt and nothing here needs scikit-learn; `Colorizer` learns, and makes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from colorize._clock import Clock
from colorize.belief import Appearance, appearance
from colorize.color import to_gray
from colorize.decision import SHARING, confidence, dial, mean_field, share_evidence
from colorize.exceptions import InvalidImageError, ModelFileError
from colorize.features import FeatureExtractor, PhotoAnalysis
from colorize.features.encoder import Sight
from colorize.optimization import Propagation, Propagator
from colorize.recognition.machine import CalibratedMachine, Scaling
from colorize.recognition.palette import Palette
from colorize.superpixels import region_map, region_means, resize_labels, segment, working_shape
from colorize.thumbnails import Thumbnails
from colorize.types import FeatureMatrix, Float32, GrayImage, RgbImage, Superpixels

Photo = RgbImage | NDArray[np.uint8] | NDArray[np.uint16]

SEED_WEIGHT = 0.03
"""Pull of a region's colour on its pixels at the working resolution; equal neighbours pull with weight 1."""

FINER = 2.5
"""Parts that hints and references speak about, against the regions that the model colours (`describe_parts`)."""

RANGES = {
    "n_colors": (2, 256),
    "n_superpixels": (4, 10_000),
    "rows_per_photo": (1, 10_000),
    "n_sample_rows": (0, 10**6),
    "random_state": (0, 2**32 - 1),
}
"""What the numbers that a model is made with may be."""

_MOST_PARTS = 2_000  # their covariance is dense


@dataclass(frozen=True, eq=False)
class Description:
    """What a model knows of a photograph before it thinks of colours.

    Attributes
    ----------
    lightness : ndarray, shape (h, w), float32
        CIE L* at the working resolution.
    superpixels : Superpixels
        The regions, at the working resolution.
    features : FeatureMatrix
        One row per region, unscaled.
    sight : Sight or None
        What the encoder said, if the model listens to it.
    """

    lightness: Float32
    superpixels: Superpixels
    features: FeatureMatrix
    sight: Sight | None = None


@dataclass(frozen=True, eq=False)
class Describer:
    """Cuts photographs into regions and describes them.

    Attributes
    ----------
    n_superpixels : int
        Regions per photograph, about.
    extractor : FeatureExtractor
        With its visual words learnt.
    """

    n_superpixels: int
    extractor: FeatureExtractor

    def segment(self, photo: GrayImage) -> tuple[Float32, Superpixels]:
        """Lightness and superpixels at the working resolution."""
        lightness = photo.lightness
        shape = working_shape(photo.shape)
        if shape != photo.shape:
            lightness = cv2.resize(lightness, shape[::-1], interpolation=cv2.INTER_AREA)
        return lightness, segment(lightness, n_segments=self.n_superpixels)

    def describe(self, photo: GrayImage, clock: Clock | None = None) -> Description:
        """Regions of a photograph and their features."""
        clock = clock or Clock()
        with clock("superpixels"):
            lightness, superpixels = self.segment(photo)
        with clock("features"):
            return self._described(lightness, superpixels)

    def describe_parts(self, description: Description) -> Description:
        """Cut a photograph that is described already into smaller regions, `FINER` times as many.

        Hints and references speak about them: a person points at smaller things than the model tells apart.
        """
        n_parts = max(self.n_superpixels, min(round(FINER * self.n_superpixels), _MOST_PARTS))
        parts = segment(description.lightness, n_segments=n_parts)
        return self._described(description.lightness, parts, description.sight)

    def _described(self, lightness: Float32, superpixels: Superpixels, sight: Sight | None = None) -> Description:
        with threadpool_limits(1, user_api="blas"):  # the same bits on any number of cores
            analysis = PhotoAnalysis(lightness, superpixels, sight)
            features = self.extractor.transform(analysis)
        seen = analysis.sight if "semantic" in self.extractor.families else None
        return Description(lightness, superpixels, features, seen)


@dataclass(frozen=True, eq=False)
class Recognizer:
    """Says which colours regions probably have, and decides on one for each.

    Attributes
    ----------
    palette : Palette
    scaler : Scaling
    classifier : CalibratedMachine
        Its classes are palette indices.
    """

    palette: Palette
    scaler: Scaling
    classifier: CalibratedMachine

    def region_probabilities(self, features: Float32) -> Float32:
        """Probability of every palette index, shape (n, n_colors), for rows of features, shape (n, n_features).

        A colour never seen as a class gets 0.
        """
        probabilities = np.zeros((len(features), len(self.palette.colors_)), np.float32)
        with threadpool_limits(1, user_api="blas"):  # the same bits on any number of cores
            rows = self.scaler.transform(features)
            probabilities[:, self.classifier.classes_] = self.classifier.predict_proba(rows)
        return probabilities

    def decide(
        self, description: Description, probabilities: Float32, *, vividness: float = 0.5, reach: float = SHARING
    ) -> tuple[Float32, Float32]:
        """One colour per region, shape (n_superpixels, 2), and how sure it is, shape (n_superpixels,), 0..1.

        `probabilities` are those of `region_probabilities` for the description's features; `reach` is that of
        `share_evidence`.
        """
        _, belief = self.agree(description, probabilities, reach=reach)
        region_ab = self.palette.decode(belief) * np.float32(dial(vividness))
        return region_ab, confidence(belief, self.palette.colors_, region_ab)

    def agree(
        self, description: Description, probabilities: Float32, *, reach: float = SHARING
    ) -> tuple[Float32, Float32]:
        """Probabilities after regions shared their evidence, and after neighbours agreed, both (n_superpixels, K)."""
        region_lightness = region_means(description.lightness, description.superpixels)
        evidence = share_evidence(probabilities, description.superpixels, region_lightness, reach=reach)
        return evidence, mean_field(evidence, self.palette.colors_, description.superpixels, region_lightness)

    def appearance(self, description: Description, probabilities: Float32, *, reach: float = SHARING) -> Appearance:
        """What the errors of a photograph's regions depend on, for `colorize.belief`."""
        superpixels, families = description.superpixels, description.features.families
        region_lightness = region_means(description.lightness, superpixels)
        evidence = share_evidence(probabilities, superpixels, region_lightness, reach=reach)
        scaled = self.scaler.scale(description.features.values)
        features = {name: scaled[:, columns] for name, columns in families.items()}
        return appearance(evidence, self.palette.colors_, features, region_lightness)


@dataclass(frozen=True, eq=False)
class Model(Describer, Recognizer):
    """What describes and what recognizes, together, and some of the rows that it was learnt from.

    Attributes
    ----------
    sample : mapping of str to ndarray
        ``features`` (n, n_components) float16 as the classifier sees them, ``ab`` (n, 2) float16, ``photo`` (n,) int32.
    thumbnails : Thumbnails or None
        Pictures of sample rows and names of the photographs.
    random_state : int
        Seed that it was trained with; recipes name it.
    """

    sample: Mapping[str, np.ndarray] = field(default_factory=dict)
    thumbnails: Thumbnails | None = None
    random_state: int = 0

    def __repr__(self) -> str:
        families = ", ".join(self.extractor.families)
        return f"Model({len(self.palette.colors_)} colours, {self.n_superpixels} regions, {families})"

    def describe(self, photo: GrayImage | Photo | NDArray[Any], clock: Clock | None = None) -> Description:
        """Regions of a photograph and their features.

        Raises
        ------
        InvalidImageError
            `photo` is no photograph.
        ModelFileError
            The model was trained with other features than this version computes.
        """
        description = super().describe(as_gray_image(photo), clock)
        _check_families(description.features.families, self.scaler.families or {})
        return description

    def spread(self, gray: GrayImage, superpixels: Superpixels, region_ab: Float32) -> Propagation:
        """Carry one colour per region, shape (n_superpixels, 2), to every pixel of the photograph."""
        photo = Propagator(gray.lightness, once=True)
        return photo.solve(region_map(region_ab, superpixels, gray.shape), _seed_weight(superpixels, gray.shape))

    def seed_weight(self, gray: GrayImage, superpixels: Superpixels) -> Float32:
        """Pull of the regions' colours on the pixels of the photograph, shape (H, W), float32.

        Colours spread over about 1 / sqrt(weight) pixels: the same share of the photograph at every resolution.
        """
        return _seed_weight(superpixels, gray.shape)


def check_ranges(parameters: Mapping[str, Any]) -> None:
    """Check the numbers that make a model.

    Raises
    ------
    ValueError
        One is no integer or out of its range.
    """
    for name, (low, high) in RANGES.items():
        value = parameters[name]
        if not isinstance(value, (int, np.integer)) or not low <= value <= high:
            raise ValueError(f"{name} must be an integer in {low}..{high}, got {value!r}")


def seeds(superpixels: Superpixels, shape: tuple[int, int]) -> tuple[NDArray[np.int32], Float32]:
    """Region of every pixel of a photograph, and how much that region's colour pulls on it; both of `shape`."""
    return resize_labels(superpixels, shape), _seed_weight(superpixels, shape)


def _seed_weight(superpixels: Superpixels, shape: tuple[int, int]) -> Float32:
    return np.broadcast_to(np.float32(SEED_WEIGHT * superpixels.labels.size / (shape[0] * shape[1])), shape)


def _check_families(computed: Mapping[str, slice], learnt: Mapping[str, slice]) -> None:
    here = {name: columns.stop - columns.start for name, columns in computed.items()}
    there = {name: columns.stop - columns.start for name, columns in learnt.items()}
    if here != there:
        names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
        sizes = ", ".join(f"{name} ({there.get(name, 0)} columns, here {here.get(name, 0)})" for name in names)
        raise ModelFileError(
            f"the model was trained with other features than this version computes: {sizes}; train it again"
        )


def as_rgb_image(photo: Photo) -> RgbImage:
    """An array as the photograph that it is."""
    return photo if isinstance(photo, RgbImage) else RgbImage(photo)


def as_gray_image(photo: GrayImage | Photo | NDArray[Any]) -> GrayImage:
    """Anything that is a photograph, as its lightness."""
    if isinstance(photo, GrayImage):
        return photo
    if isinstance(photo, np.ndarray) and photo.ndim == 2:
        photo = np.repeat(photo[..., None], 3, axis=2)
    if not isinstance(photo, (RgbImage, np.ndarray)):
        raise InvalidImageError(
            f"a photograph must be a GrayImage, an RgbImage or an array, got {type(photo).__name__}"
        )
    return to_gray(as_rgb_image(photo))
