"""`Colorizer`: learns from colour photographs and colorizes gray ones. It wires the stages and does nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from colorize.classifier import CalibratedClassifier, FamilyScaler, KernelSVM, SubsampledSVC
from colorize.color import lab_to_rgb, rgb_to_lab, to_gray
from colorize.decision import confidence, dial, mean_field, palette_shares, rebalance, share_evidence, toward_palette
from colorize.evaluation.baselines import RULES
from colorize.exceptions import DatasetError, InvalidImageError, ModelFileError
from colorize.features import FAMILIES, FeatureExtractor, PhotoAnalysis
from colorize.features.surf import surf_descriptors
from colorize.model_format import pack, unpack
from colorize.optimization import Propagation, propagate
from colorize.palette import ColorPalette
from colorize.persistence import load_model, save_model
from colorize.superpixels import region_means, resize_labels, segment, working_shape
from colorize.types import ColorField, Colorization, FeatureMatrix, Float32, GrayImage, RgbImage, Superpixels

Progress = Callable[[str, int, int], None]
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
Photo = RgbImage | NDArray[np.uint8] | NDArray[np.uint16]

SEED_WEIGHT = 0.03
"""Pull of a region's colour on its pixels at the working resolution; equal neighbours pull with weight 1."""

_MAX_ROWS = 60_000
_WORD_PHOTOS = 60


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
    """

    lightness: Float32
    superpixels: Superpixels
    features: FeatureMatrix


class Colorizer(BaseEstimator):
    """Colorizes grayscale photographs after learning from colour photographs of a kind.

    A photograph is cut into superpixels; each is described by texture, tone, place and surroundings; a support vector
    machine gives the probability of every colour of a palette; neighbours agree on a colour each; an edge-aware sparse
    system spreads those colours over the pixels. Lightness is never touched.

    Parameters
    ----------
    n_colors : int
        Palette size. More colours are finer, and each is seen in fewer training photographs.
    n_superpixels : int
        Regions per photograph. Raise it if small things take the colour of what is behind them.
    families : sequence of str
        Feature families to use (`colorize.features.FAMILIES`).
    classifier : {"kernel", "svc"} or classifier
        ``kernel`` is `KernelSVM`, which scales to 100,000 regions; ``svc`` the exact RBF machine on a subsample; any
        other scikit-learn classifier is calibrated in the same way (only `KernelSVM` can be saved).
    rows_per_photo : int
        Training regions drawn from each photograph.
    n_sample_rows : int
        Training rows that the model file carries, for explanations and for extending the model; 0 keeps none.
    random_state : int
        Seed of every random choice; equal photographs and seeds give equal models, byte for byte.

    Attributes
    ----------
    palette_ : ColorPalette
    extractor_ : FeatureExtractor
    scaler_ : FamilyScaler
    classifier_ : CalibratedClassifier
        Its classes are palette indices.
    baselines_ : mapping of str to baseline
        The simple rules (mean colour, lookups) fitted on the same photographs, to measure against.
    sample_ : mapping of str to ndarray
        ``features`` (n, n_components) float16 as the classifier sees them, ``ab`` (n, 2) float16, ``photo`` (n,) int32.
    summary_ : dict
        What the model was trained on, in numbers.

    References
    ----------
    Levin, Lischinski and Weiss, "Colorization using optimization", SIGGRAPH 2004. Zhang, Isola and Efros, "Colorful
    image colorization", ECCV 2016 (quantised colours, annealed mean). Charpiat, Hofmann and Schoelkopf, "Automatic
    image colorization via multimodal predictions", ECCV 2008 (probabilities first, one coherent decision afterwards).

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> photos = [picture[::4, ::4] for picture in load_sample_images().images]
    >>> model = Colorizer(n_colors=6, n_superpixels=60).fit(photos)
    >>> result = model.predict(photos[0][..., 1])
    >>> result.rgb.shape, result.ab.shape, result.probabilities.shape[1]
    ((107, 160, 3), (107, 160, 2), 6)
    """

    def __init__(
        self,
        n_colors: int = 32,
        n_superpixels: int = 400,
        families: Sequence[str] = FAMILIES,
        classifier: str | ClassifierMixin = "kernel",
        rows_per_photo: int = 220,
        n_sample_rows: int = 4000,
        random_state: int = 0,
    ) -> None:
        self.n_colors = n_colors
        self.n_superpixels = n_superpixels
        self.families = families
        self.classifier = classifier
        self.rows_per_photo = rows_per_photo
        self.n_sample_rows = n_sample_rows
        self.random_state = random_state

    def fit(
        self, photos: Sequence[Photo], y: None = None, *, progress: Progress | None = None, mapper: Mapper = map
    ) -> Colorizer:
        """Learn from colour photographs.

        Parameters
        ----------
        photos : sequence of RgbImage or ndarray of shape (H, W, 3), uint8 or uint16
            sRGB. Gone through five times, so a sequence that reads from disk need not hold all of them at once.
        y : ignored
        progress : callable, optional
            Called with a stage's name, the steps done, and their number.
        mapper : callable
            Applies a function to every photograph, in order: ``map``, or one that spreads the work over a cluster
            (`colorize.batch.cluster.cluster_mapper`). The model is the same, byte for byte.

        Returns
        -------
        Colorizer
            Itself.

        Raises
        ------
        DatasetError
            Fewer than two photographs, or too few distinct colours for the palette.
        InvalidImageError
            An item is no colour photograph.
        TypeError
            `photos` is no sequence.
        ValueError
            A parameter is out of its range.
        """
        self._check_parameters()
        if not (hasattr(photos, "__len__") and hasattr(photos, "__getitem__")):
            raise TypeError(f"photos must be a sequence, because it is read several times, got {type(photos).__name__}")
        if len(photos) < 2:
            raise DatasetError(f"training needs at least 2 photographs, got {len(photos)}")
        say = progress or (lambda stage, done, total: None)
        self.extractor_ = self._fit_extractor(photos, say)
        rows = self._describe_all(photos, say, mapper)
        say("learning", 0, 2)
        self.learn(rows)
        say("learning", 1, 2)
        self.baselines_ = MappingProxyType(
            {name: rule().fit(map(_as_rgb_image, photos)) for name, rule in RULES.items()}
        )
        say("learning", 2, 2)
        return self

    def learn(self, rows: Mapping[str, Any], *, palette: ColorPalette | None = None) -> Colorizer:
        """Learn from regions that are described already: the part of `fit` that studies repeat.

        Without an extractor the model answers for rows (`region_probabilities`), not for photographs.

        Parameters
        ----------
        rows : mapping
            ``features`` (n, n_features) float32, ``ab`` (n, 2) true colours, ``area`` (n,) shares of the photograph,
            ``photo`` (n,) int32, ``families`` (mapping of names to slices of the feature columns; any names).
        palette : ColorPalette, optional
            A fitted palette to use instead of learning one.

        Returns
        -------
        Colorizer
            Itself.
        """
        self.palette_ = palette or _fit_palette(self.n_colors, rows, self.random_state)
        self.scaler_ = FamilyScaler(rows["families"]).fit(rows["features"])
        features = self.scaler_.transform(rows["features"])
        self.classifier_ = CalibratedClassifier(self._make_classifier(), random_state=self.random_state).fit(
            features, self.palette_.encode(rows["ab"]), groups=rows["photo"], sample_weight=rows["area"]
        )
        self.sample_ = self._draw_sample(features, rows)
        self.summary_ = {
            "n_photos": len(np.unique(rows["photo"])),
            "n_rows": len(features),
            "n_features": rows["features"].shape[1],
            "explained_variance": round(self.scaler_.explained_, 4),
        }
        return self

    def predict(
        self, gray: GrayImage | Photo | NDArray, *, vividness: float = 0.5, palette: Sequence[float] | None = None
    ) -> Colorization:
        """Colorize a photograph.

        Parameters
        ----------
        gray : GrayImage, RgbImage or ndarray
            The photograph; of colours only the lightness is used. An array is gray (H, W) or sRGB (H, W, 3), uint8 or
            uint16.
        vividness : float
            0 faithful, 0.5 the default, 1 bold. Lower it if colours are wrong, raise it if they are dull.
        palette : sequence of float, optional
            Share of every palette colour in the album that the photograph belongs to (means of `palette_shares`); its
            colours are drawn towards them.

        Returns
        -------
        Colorization

        Raises
        ------
        InvalidImageError
            `gray` is no photograph.
        ValueError
            `vividness` is outside [0, 1], or `palette` has not one share per palette colour.
        sklearn.exceptions.NotFittedError
            The model is neither fitted nor loaded.
        """
        check_is_fitted(self, "classifier_")
        dial(vividness)
        wanted = None if palette is None else self._checked_palette(palette)
        photo = _as_gray_image(gray)
        clock = _Clock()
        description = self.describe(photo, clock)
        with clock("classifier"):
            probabilities = self.region_probabilities(description.features.values)
        with clock("decision"):
            if wanted is not None:
                probabilities = toward_palette(probabilities, description.superpixels, wanted)
            region_ab, region_confidence = self.decide(description, probabilities, vividness=vividness)
        with clock("propagation"):
            spread = self.spread(photo, description.superpixels, region_ab)
        with clock("color"):
            pixels = lab_to_rgb(photo.lightness, spread.ab, bit_depth=photo.bit_depth)
        return Colorization(
            image=RgbImage(pixels, photo.alpha, photo.metadata),
            field=ColorField(spread.ab, _smooth_map(region_confidence, description.superpixels, photo.shape)),
            superpixels=description.superpixels,
            probabilities=probabilities,
            region_ab=region_ab,
            report=spread.report,
            timings=clock.seconds,
        )

    def palette_shares(self, gray: GrayImage | Photo | NDArray) -> Float32:
        """Share of every palette colour that a photograph probably has, shape (n_colors,), sum 1.

        The mean over the photographs of an album is what `predict` takes as `palette`.
        """
        description = self.describe(gray)
        return palette_shares(self.region_probabilities(description.features.values), description.superpixels)

    def describe(self, gray: GrayImage | Photo | NDArray, clock: _Clock | None = None) -> Description:
        """Cut a photograph into regions and describe them: the first stages of `predict`.

        Raises
        ------
        InvalidImageError
            `gray` is no photograph.
        ModelFileError
            The model was trained with other features than this version computes.
        """
        clock = clock or _Clock()
        with clock("superpixels"):
            lightness, superpixels = self._segment(_as_gray_image(gray))
        with clock("features"):
            features = self.extractor_.transform(PhotoAnalysis(lightness, superpixels))
        if hasattr(self, "scaler_"):
            _check_families(features.families, self.scaler_.families or {})
        return Description(lightness, superpixels, features)

    def region_probabilities(self, features: Float32) -> Float32:
        """Probability of every palette index, shape (n, n_colors), for rows of features, shape (n, n_features).

        A colour never seen as a class gets 0.
        """
        probabilities = np.zeros((len(features), len(self.palette_.colors_)), np.float32)
        probabilities[:, self.classifier_.classes_] = self.classifier_.predict_proba(self.scaler_.transform(features))
        return probabilities

    def decide(
        self, description: Description, probabilities: Float32, *, vividness: float = 0.5
    ) -> tuple[Float32, Float32]:
        """One colour per region, shape (n_superpixels, 2), and how sure it is, shape (n_superpixels,), 0..1.

        `probabilities` are those of `region_probabilities` for the description's features.
        """
        temperature, strength = dial(vividness)
        colors, superpixels = self.palette_.colors_, description.superpixels
        region_lightness = region_means(description.lightness, superpixels)
        evidence = share_evidence(probabilities, superpixels, region_lightness)
        belief = mean_field(evidence, colors, superpixels, region_lightness)
        region_ab = self.palette_.decode(rebalance(belief, colors, strength), temperature=temperature)
        return region_ab, confidence(belief, colors, region_ab)

    def spread(self, gray: GrayImage, superpixels: Superpixels, region_ab: Float32) -> Propagation:
        """Carry one colour per region, shape (n_superpixels, 2), to every pixel of the photograph."""
        labels = resize_labels(superpixels, gray.shape)
        # colours spread over about 1 / sqrt(weight) pixels: the same share of the photograph at every resolution
        weight = np.full(gray.shape, SEED_WEIGHT * superpixels.labels.size / labels.size, np.float32)
        return propagate(gray.lightness, region_ab[labels], weight)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the model to one file that is pure data.

        Parameters
        ----------
        path : str or Path
        overwrite : bool
            Replace an existing file.

        Raises
        ------
        OutputExistsError
            The file exists and `overwrite` is False.
        ColorizeError
            The model uses a classifier other than `KernelSVM`, which a data file cannot hold.
        """
        check_is_fitted(self, "classifier_")
        header, arrays = pack(self)
        save_model(path, header, arrays, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> Colorizer:
        """Read a model file.

        Raises
        ------
        ModelFileError
            The file is missing, damaged, of another version, or its parts do not fit together.
        """
        header, arrays = load_model(path)
        try:
            colorizer = unpack(cls, header, arrays)
            colorizer._check_parameters()
        except (TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: parts of the model do not fit together ({error})") from error
        return colorizer

    def _check_parameters(self) -> None:
        for name, low, high in (
            ("n_colors", 2, 256),
            ("n_superpixels", 4, 10_000),
            ("rows_per_photo", 1, 10_000),
            ("n_sample_rows", 0, 10**6),
            ("random_state", 0, 2**32 - 1),
        ):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or not low <= value <= high:
                raise ValueError(f"{name} must be an integer in {low}..{high}, got {value!r}")
        self._make_classifier()

    def _checked_palette(self, palette: Sequence[float]) -> Float32:
        wanted = np.asarray(palette, np.float32)
        if wanted.shape != (len(self.palette_.colors_),) or not ((wanted >= 0) & (wanted <= 1)).all():
            raise ValueError(f"palette must hold {len(self.palette_.colors_)} shares between 0 and 1")
        return wanted

    def _make_classifier(self) -> ClassifierMixin:
        if self.classifier == "kernel":
            return KernelSVM(random_state=self.random_state)
        if self.classifier == "svc":
            return SubsampledSVC(random_state=self.random_state)
        if hasattr(self.classifier, "fit") and not isinstance(self.classifier, type):
            return self.classifier
        raise ValueError(f"classifier must be 'kernel', 'svc' or a classifier, got {self.classifier!r}")

    def _segment(self, photo: GrayImage) -> tuple[Float32, Superpixels]:
        """Lightness and superpixels at the working resolution."""
        lightness = photo.lightness
        shape = working_shape(photo.shape)
        if shape != photo.shape:
            lightness = cv2.resize(lightness, shape[::-1], interpolation=cv2.INTER_AREA)
        return lightness, segment(lightness, n_segments=self.n_superpixels)

    def _fit_extractor(self, photos: Sequence[Photo], say: Progress) -> FeatureExtractor:
        extractor = FeatureExtractor(self.families, self.random_state)
        rng = np.random.default_rng(self.random_state)
        chosen = np.sort(rng.choice(len(photos), min(len(photos), _WORD_PHOTOS), replace=False))
        descriptors = []
        for done, index in enumerate(chosen):
            say("visual words", done, len(chosen))
            analysis = PhotoAnalysis(*self._segment(to_gray(_as_rgb_image(photos[index]))))
            descriptors.append(surf_descriptors(analysis, FeatureExtractor.WORD_SCALE))
        say("visual words", len(chosen), len(chosen))
        return extractor.fit_words(descriptors)

    def _describe_all(self, photos: Sequence[Photo], say: Progress, mapper: Mapper) -> dict[str, Any]:
        """Features, true ab, area and photograph of a sample of regions from every photograph."""
        rng = np.random.default_rng(self.random_state)
        budget = min(self.rows_per_photo, max(1, _MAX_ROWS // len(photos)))
        blocks: dict[str, list[np.ndarray]] = {"features": [], "ab": [], "area": [], "photo": []}
        families: Mapping[str, slice] = {}
        one_by_one = (photos[index] for index in range(len(photos)))
        say("features", 0, len(photos))
        for index, (features, families, ab, area) in enumerate(mapper(self._describe_colors, one_by_one)):  # noqa: B007
            n = len(features)
            rows = np.sort(rng.choice(n, min(budget, n), replace=False))
            blocks["features"].append(features[rows])
            blocks["ab"].append(ab[rows])
            blocks["area"].append(area[rows] / area.sum())
            blocks["photo"].append(np.full(len(rows), index, np.int32))
            say("features", index + 1, len(photos))
        return {name: np.concatenate(block) for name, block in blocks.items()} | {"families": families}

    def _describe_colors(self, photo: Photo) -> tuple[Float32, dict[str, slice], Float32, Float32]:
        """Features, their families, true ab and area of every region; all of it can travel to another process."""
        photo = _as_rgb_image(photo)
        lightness, superpixels = self._segment(to_gray(photo))
        matrix = self.extractor_.transform(PhotoAnalysis(lightness, superpixels))
        ab = cv2.resize(rgb_to_lab(photo.pixels)[..., 1:], lightness.shape[::-1], interpolation=cv2.INTER_AREA)
        return matrix.values, dict(matrix.families), region_means(ab, superpixels), superpixels.areas

    def _draw_sample(self, features: Float32, rows: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        rng = np.random.default_rng(self.random_state)
        kept = np.sort(rng.choice(len(features), min(self.n_sample_rows, len(features)), replace=False))
        return MappingProxyType(
            {
                "features": features[kept].astype(np.float16),
                "ab": rows["ab"][kept].astype(np.float16),
                "photo": rows["photo"][kept],
            }
        )


def _fit_palette(n_colors: int, rows: Mapping[str, np.ndarray], random_state: int) -> ColorPalette:
    try:
        return ColorPalette(n_colors, random_state=random_state).fit(rows["ab"], sample_weight=rows["area"])
    except ValueError as error:
        raise DatasetError(f"no palette can be learnt from these photographs: {error}") from error


def _check_families(computed: Mapping[str, slice], learnt: Mapping[str, slice]) -> None:
    here = {name: columns.stop - columns.start for name, columns in computed.items()}
    there = {name: columns.stop - columns.start for name, columns in learnt.items()}
    if here != there:
        names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
        sizes = ", ".join(f"{name} ({there.get(name, 0)} columns, here {here.get(name, 0)})" for name in names)
        raise ModelFileError(
            f"the model was trained with other features than this version computes: {sizes}; train it again"
        )


def _as_rgb_image(photo: Photo) -> RgbImage:
    return photo if isinstance(photo, RgbImage) else RgbImage(photo)


def _as_gray_image(photo: GrayImage | Photo | NDArray) -> GrayImage:
    if isinstance(photo, GrayImage):
        return photo
    if isinstance(photo, np.ndarray) and photo.ndim == 2:
        photo = np.repeat(photo[..., None], 3, axis=2)
    if not isinstance(photo, (RgbImage, np.ndarray)):
        raise InvalidImageError(
            f"a photograph must be a GrayImage, an RgbImage or an array, got {type(photo).__name__}"
        )
    return to_gray(_as_rgb_image(photo))


def _smooth_map(region_values: Float32, superpixels: Superpixels, shape: tuple[int, int]) -> Float32:
    """Region values as a smooth map at full resolution: blurred by half a region, then enlarged."""
    spacing = (superpixels.areas.mean() ** 0.5) / 2
    blurred = cv2.GaussianBlur(region_values[superpixels.labels], (0, 0), max(0.5, spacing))
    return blurred if shape == blurred.shape else cv2.resize(blurred, shape[::-1], interpolation=cv2.INTER_LINEAR)


class _Clock:
    """Wall seconds per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - start
