"""A fitted model as a value: it describes photographs, says how likely colours are, and decides.

Nothing here is learnt and nothing here needs scikit-learn; `Colorizer` learns, and makes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize._support.clock import Clock
from colorize._support.numbers import is_integer
from colorize._support.shrink import shrink_to
from colorize._support.threads import one_thread
from colorize.color import to_gray
from colorize.exceptions import InvalidImageError, ModelFileError
from colorize.features import FeatureExtractor, PhotoAnalysis
from colorize.features.encoder import Sight, expected_colors
from colorize.features.semantic import beliefs_in
from colorize.features.superpixels import region_means, segment, working_shape
from colorize.recognition.belief import Appearance, appearance
from colorize.recognition.decision import GAIN, SHARING, Decision, decide, share_evidence
from colorize.recognition.machine import CalibratedMachine, Scaling
from colorize.recognition.palette import Palette
from colorize.recognition.thumbnails import Thumbnails
from colorize.types import FeatureMatrix, Float32, GrayImage, RgbImage, Superpixels, described

Photo = RgbImage | NDArray[np.uint8] | NDArray[np.uint16]

# Heard on the 400 regions, 20 hints leave 2 % more error and 100 hints 5 %; 1600 parts are no
# better than 1000 (docs/hints.md).
FINER = 2.5
"""Parts that hints and references speak about, against the regions that the model colours (`describe_parts`)."""

RANGES = {
    "n_colors": (2, 256),
    "n_superpixels": (4, 2_000),
    "rows_per_photo": (1, 10_000),
    "n_sample_rows": (0, 10**6),
    "random_state": (0, 2**32 - 1),
}
"""What the numbers that a model is made with may be."""

_MOST_PARTS = RANGES["n_superpixels"][1]  # their covariance is dense


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

    See Also
    --------
    describe : Makes it.
    Recognizer.region_probabilities : The stage after.
    """

    lightness: Float32
    superpixels: Superpixels
    features: FeatureMatrix
    sight: Sight | None = None

    @cached_property
    def region_lightness(self) -> Float32:
        """Mean L* of the regions, shape (n_superpixels,)."""
        return region_means(self.lightness, self.superpixels)


def cut(photo: GrayImage, n_superpixels: int) -> tuple[Float32, Superpixels]:
    """Lightness and about `n_superpixels` regions of a photograph, at the working resolution.

    See Also
    --------
    colorize.features.superpixels.segment : Cuts.
    describe : The stage after.
    """
    # By area: texture that is finer than the working resolution must not turn into false grain.
    lightness = shrink_to(photo.lightness, working_shape(photo.shape))
    return lightness, segment(lightness, n_segments=n_superpixels)


def describe(
    photo: GrayImage, n_superpixels: int, extractor: FeatureExtractor, clock: Clock | None = None
) -> Description:
    """About `n_superpixels` regions of a photograph and their features, by an extractor with its visual words learnt.

    See Also
    --------
    cut : The stage before.
    colorize.features.FeatureExtractor : Describes.
    Recognizer : The stage after.
    """
    clock = clock or Clock()
    with clock("superpixels"):
        lightness, superpixels = cut(photo, n_superpixels)
    with clock("features"):
        return _described(lightness, superpixels, extractor)


def _described(
    lightness: Float32, superpixels: Superpixels, extractor: FeatureExtractor, sight: Sight | None = None
) -> Description:
    with one_thread():  # the same bits on any number of cores
        analysis = PhotoAnalysis(lightness, superpixels, sight)
        features = extractor.transform(analysis)
    # Asked for only if the family did: asking makes the encoder look.
    seen = analysis.sight if "semantic" in extractor.families else None
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
    encoder_share : float
        What the encoder's own belief counts beside the classifier, 0..1; 0 unless it was worth something in training.
    gain : float
        Factor on the chroma of its colours at vividness 0.5, as in `colorize.recognition.decision.dial`.

    See Also
    --------
    describe : The stage before.
    colorize.recognition.decision.decide : The stage after.
    colorize.training.recognizer.FittedRecognizer : One that can be fitted anew.
    """

    palette: Palette
    scaler: Scaling
    classifier: CalibratedMachine
    encoder_share: float = field(default=0.0, kw_only=True)
    gain: float = field(default=GAIN, kw_only=True)

    def region_probabilities(self, features: Float32) -> Float32:
        """Probability of every palette index, shape (n, n_colors), for rows of features, shape (n, n_features).

        A colour never seen as a class gets 0.
        """
        probabilities = np.zeros((len(features), len(self.palette.colors_)), np.float32)
        with one_thread():  # the same bits on any number of cores
            rows = self.scaler.transform(features)
            probabilities[:, self.classifier.classes_] = self.classifier.predict_proba(rows)
            if self.encoder_share:
                # A mean again, as between the voters of the classifier (Kittler et al. 1998).
                probabilities += np.float32(self.encoder_share) * (self.encoder_belief(features) - probabilities)
        return probabilities

    def encoder_belief(self, features: Float32) -> Float32:
        """What the encoder alone believes, in colours of the palette, shape (n, n_colors).

        A colour never seen as a class gets 0 here too.
        """
        seen = Palette()
        seen.colors_ = self.palette.colors_[self.classifier.classes_]
        believed = np.zeros((len(features), len(self.palette.colors_)), np.float32)
        beliefs = beliefs_in(features[:, self.scaler.families_["semantic"]])
        believed[:, self.classifier.classes_] = beliefs @ seen.encode_soft(expected_colors())
        return believed

    def decide(self, description: Description, probabilities: Float32, *, sharing: float = SHARING) -> Decision:
        """One colour per region, and the probabilities on the way to it; see `colorize.recognition.decision.decide`.

        `probabilities` are those of `region_probabilities` for the description's features.
        """
        return decide(
            probabilities,
            self.palette.colors_,
            description.superpixels,
            description.region_lightness,
            gain=self.gain,
            sharing=sharing,
        )

    def appearance(self, description: Description, probabilities: Float32, *, sharing: float = SHARING) -> Appearance:
        """What the errors of a photograph's regions depend on, for `colorize.recognition.belief`."""
        families, lightness = description.features.families, description.region_lightness
        evidence = share_evidence(probabilities, description.superpixels, lightness, sharing=sharing)
        # Families and not components: likeness weighs each by itself.
        scaled = self.scaler.scale(description.features.values)
        features = {name: scaled[:, columns] for name, columns in families.items()}
        return appearance(evidence, self.palette.colors_, features, lightness)


@dataclass(frozen=True, eq=False)
class Model(Recognizer):
    """What describes and what recognizes, together, and some of the rows that it was learnt from.

    Attributes
    ----------
    n_superpixels : int
        Regions per photograph, about.
    extractor : FeatureExtractor
        With its visual words learnt.
    sample : mapping of str to ndarray
        ``features`` (n, n_components) float16 as the classifier sees them, ``ab`` (n, 2) float16, ``photo`` (n,) int32.
    thumbnails : Thumbnails or None
        Pictures of sample rows and names of the photographs.
    random_state : int
        Seed that it was trained with; recipes name it.

    See Also
    --------
    View : A photograph as it sees it.
    colorize.colorizer.Colorizer : Learns one.
    colorize.predictor.Predictor : Colours photographs with one.
    """

    n_superpixels: int
    extractor: FeatureExtractor
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
        description = describe(as_gray_image(photo), self.n_superpixels, self.extractor, clock)
        # A family of a user may have changed since; a product of matrices would not say which.
        _check_families(description.features.families, self.scaler.families_)
        return description

    def describe_parts(self, description: Description) -> Description:
        """Cut a photograph that is described already into smaller regions, `FINER` times as many.

        Hints and references speak about them: a person points at smaller things than the model tells apart.
        """
        n_parts = min(round(FINER * self.n_superpixels), _MOST_PARTS)
        parts = segment(description.lightness, n_segments=n_parts)
        # The encoder has looked at the photograph, and what it said holds for any regions.
        return _described(description.lightness, parts, self.extractor, description.sight)

    def look(self, photo: GrayImage | Photo | NDArray[Any]) -> View:
        """Describe a photograph and say which colours its regions probably have: what is costly, once.

        Raises
        ------
        InvalidImageError, ModelFileError
            As `describe`.
        """
        clock = Clock()
        description = self.describe(photo, clock)
        with clock("classifier"):
            probabilities = self.region_probabilities(description.features.values)
        return View(self, description, probabilities, clock.seconds)


@dataclass(frozen=True, eq=False)
class View:
    """A photograph as a model sees it, before anybody has said anything.

    Attributes
    ----------
    model : Model
    description : Description
        The regions that the model colours, and their features.
    probabilities : ndarray, shape (n_superpixels, n_colors), float32
        Calibrated probabilities of the palette colours.
    seconds : mapping of str to float
        Wall seconds per stage.

    See Also
    --------
    Model.look : Makes it.
    colorize.guidance.guidance.GuidedView : The stage after: with what was said.
    """

    model: Model
    description: Description
    probabilities: Float32
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        height, width = self.description.lightness.shape
        n_regions, n_colors = self.probabilities.shape
        return f"View({width}x{height} pixels, {n_regions} regions, {n_colors} colours)"

    @cached_property
    def parts(self) -> Description:
        """The smaller regions that hints, references and alternatives speak about."""
        return self.model.describe_parts(self.description)

    @cached_property
    def part_probabilities(self) -> Float32:
        """Probabilities of the palette colours in the parts, shape (n_parts, n_colors)."""
        return self.model.region_probabilities(self.parts.features.values)

    @cached_property
    def parts_of_regions(self) -> NDArray[np.float64]:
        """Share of every region that lies in every part, shape (n_superpixels, n_parts); rows sum to 1."""
        regions, parts = self.description.superpixels, self.parts.superpixels
        shape = regions.n_superpixels, parts.n_superpixels
        # Parts are cut anew and not out of the regions, so any part may lie in several.
        pairs = np.ravel_multi_index((regions.labels.ravel(), parts.labels.ravel()), shape)
        return np.bincount(pairs, minlength=shape[0] * shape[1]).reshape(shape) / regions.areas[:, None]

    def over_parts(self, region_values: Float32) -> Float32:
        """Mean over every part of values of the regions, shape (n_parts, ...)."""
        return region_means(region_values[self.description.superpixels.labels], self.parts.superpixels)

    def over_regions(self, part_values: NDArray[np.floating]) -> Float32:
        """Mean over every region of values of the parts, shape (n_superpixels, ...)."""
        return region_means(part_values[self.parts.superpixels.labels], self.description.superpixels)


def check_ranges(parameters: Mapping[str, Any]) -> None:
    """Check the numbers that make a model.

    Raises
    ------
    ValueError
        One is no integer or out of its range.
    """
    for name, (low, high) in RANGES.items():
        value = parameters[name]
        if not is_integer(value) or not low <= value <= high:
            raise ValueError(f"{name} must be an integer in {low}..{high}, got {value!r}")


def _check_families(computed: Mapping[str, slice], learnt: Mapping[str, slice]) -> None:
    here = {name: columns.stop - columns.start for name, columns in computed.items()}
    there = {name: columns.stop - columns.start for name, columns in learnt.items()}
    if here != there:
        names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
        sizes = ", ".join(f"{name} ({there.get(name, 0)} columns, here {here.get(name, 0)})" for name in names)
        raise ModelFileError(
            f"the model was trained with other features than this version computes: {sizes}; train it again"
        )


def check_several(photos: object, name: str = "photos", *, once: bool = False) -> None:
    """Refuse what stands for photographs and is no sequence of them; `name` is the parameter's.

    What is gone through `once` may also be an iterator.

    Raises
    ------
    TypeError
        It is one photograph, a file name, or nothing to go through.

    See Also
    --------
    colorize.training.fit.checked_photos : For those that are learnt from.
    """
    if isinstance(photos, (str, Path)):
        raise TypeError(
            f"{name} must be a sequence of photographs, got {photos!r}; load_folder(...).photos reads a folder"
        )
    if isinstance(photos, RgbImage) or (isinstance(photos, np.ndarray) and photos.ndim in (2, 3)):
        what = "one RgbImage" if isinstance(photos, RgbImage) else f"an array of {described(photos)}"
        raise TypeError(f"{name} must be a sequence of photographs, got {what}; write [photo] for one")
    # A mapping is gone through by its keys, and those are no photographs.
    if isinstance(photos, Mapping) or not isinstance(photos, Iterable):
        how = "; its .photos is one" if hasattr(photos, "photos") else ""
        raise TypeError(f"{name} must be a sequence of photographs, got {type(photos).__name__}{how}")
    if not once and not (hasattr(photos, "__len__") and hasattr(photos, "__getitem__")):
        raise TypeError(f"{name} must be a sequence, because it is read several times, got {type(photos).__name__}")


def by_place(photos: Sequence[Photo]) -> Sequence[Photo]:
    """A Series of pandas as a list, all others as they are: it is read by label, which after a split is no place."""
    return list(photos) if hasattr(photos, "iloc") else photos


def as_rgb_image(photo: Photo, number: int | None = None, name: str = "photos") -> RgbImage:
    """An array as the photograph that it is; of several the `number` is told if it is none, and the parameter's `name`.

    See Also
    --------
    as_gray_image : The twin for photographs to be coloured.
    """
    try:
        return photo if isinstance(photo, RgbImage) else RgbImage(photo)
    except InvalidImageError as error:
        if number is None:
            raise
        raise InvalidImageError(f"{name}[{number}]: {error}") from error


def as_gray_image(photo: GrayImage | Photo | NDArray[Any]) -> GrayImage:
    """Anything that is a photograph, as its lightness.

    See Also
    --------
    as_rgb_image : The twin for photographs to learn from.
    colorize.color.to_gray : The conversion inside.
    """
    if isinstance(photo, GrayImage):
        return photo
    if isinstance(photo, np.ndarray) and photo.ndim == 2:
        if photo.dtype not in (np.uint8, np.uint16):
            raise InvalidImageError(
                f"a gray array must be uint8 or uint16, got {photo.dtype}; GrayImage takes lightness (L*, 0 to 100, "
                "float32)"
            )
        # Code values and not lightness: three equal channels go the way of every photograph.
        photo = np.repeat(photo[..., None], 3, axis=2)
    if not isinstance(photo, (RgbImage, np.ndarray)):
        how = "; give one at a time" if isinstance(photo, (list, tuple)) else ""
        raise InvalidImageError(
            f"a photograph must be a GrayImage, an RgbImage or an array, got {described(photo)}{how}"
        )
    return to_gray(as_rgb_image(photo))
