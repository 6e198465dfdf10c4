"""`Colorizer`: learns from colour photographs and colorizes gray ones. It wires the stages and does nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from colorize.base_model import check_base, choose, in_summary, learn_alone, recalibrate
from colorize.classifier import FamilyScaler, KernelSVM, SubsampledSVC, Vote
from colorize.color import rgb_to_lab, to_gray
from colorize.evaluation.baselines import RULES
from colorize.exceptions import DatasetError
from colorize.features import FAMILIES, FeatureExtractor, PhotoAnalysis
from colorize.features.surf import surf_descriptors
from colorize.model import Describer, Model, Photo, Recognizer, as_rgb_image, check_ranges
from colorize.model_format import digest, pack, unpack
from colorize.nets import NeuralNets
from colorize.palette import ColorPalette
from colorize.persistence import load_model, save_model
from colorize.predictor import Predictor
from colorize.superpixels import region_means
from colorize.thumbnails import Thumbnails, cut_thumbnails, photo_name, room_for
from colorize.types import Float32

Progress = Callable[[str, int, int], None]
Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

_MAX_ROWS = 60_000
_WORD_PHOTOS = 60


class Colorizer(Predictor, BaseEstimator):
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
        Feature families to use, some of `colorize.features.registry.FAMILIES` and of those that you have registered
        (`colorize.features.register_family`).
    classifier : {"vote", "kernel", "svc"} or classifier
        ``kernel`` is `KernelSVM`, which scales to 100,000 regions; ``vote`` the mean of that and `NeuralNets`, which
        errs less than either; ``svc`` the exact RBF machine on a subsample; any other scikit-learn classifier is
        calibrated in the same way (only ``vote`` and ``kernel`` can be saved).
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
    classifier_ : Vote
        Its classes are palette indices.
    baselines_ : mapping of str to baseline
        The simple rules (mean colour, lookups) fitted on the same photographs, to measure against.
    sample_ : mapping of str to ndarray
        ``features`` (n, n_components) float16 as the classifier sees them, ``ab`` (n, 2) float16, ``photo`` (n,) int32.
    thumbnails_ : Thumbnails or None
        Pictures of sample rows and names of the photographs, if they were asked for.
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
        classifier: str | ClassifierMixin = "vote",
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
        self,
        photos: Sequence[Photo],
        y: None = None,
        *,
        base: Colorizer | None = None,
        names: Sequence[str] = (),
        thumbnail_bytes: int = 0,
        described: MutableMapping[int, Mapping[str, Any]] | None = None,
        progress: Progress | None = None,
        mapper: Mapper = map,
    ) -> Colorizer:
        """Learn from colour photographs.

        Parameters
        ----------
        photos : sequence of RgbImage or ndarray of shape (H, W, 3), uint8 or uint16
            sRGB. Gone through five times, so a sequence that reads from disk need not hold all of them at once.
        y : ignored
        base : Colorizer, optional
            A fitted model, of other photographs, to build on. A fifth of the photographs decides whether the new model
            keeps the machine of the base and fits its calibration anew, or learns from these photographs alone
            (`colorize.base_model`); `summary_` says which and by how much. Of the new model's photographs the base must
            have seen none.
        names : sequence of str, optional
            File names of the photographs. Kept only together with thumbnails, and without their folders.
        thumbnail_bytes : int
            Size of the tiny pictures of training regions that the model keeps, to show them in explanations; 0 keeps
            none, 2.6 million keeps one of each of 4000 sample rows. Whoever has the model can see them.
        described : mutable mapping, optional
            Filled while it goes with the rows of every photograph, by its number (see `learn`). Given again after an
            interruption, with the same photographs and parameters, what is in it is not described a second time, and
            the model is the same as if nothing had happened.
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
            Fewer than two photographs, too few distinct colours for the palette, or no room for a single thumbnail.
        InvalidImageError
            An item is no colour photograph.
        TypeError
            `photos` is no sequence.
        ValueError
            A parameter is out of its range, or not that of the base where regions and features must be.
        """
        self._check_parameters()
        if base is not None:
            check_base(self, base)
        if not (hasattr(photos, "__len__") and hasattr(photos, "__getitem__")):
            raise TypeError(f"photos must be a sequence, because it is read several times, got {type(photos).__name__}")
        if len(photos) < 2:
            raise DatasetError(f"training needs at least 2 photographs, got {len(photos)}")
        say = progress or (lambda stage, done, total: None)
        if thumbnail_bytes:
            names = tuple(map(photo_name, names or (f"photo {i + 1}" for i in range(len(photos)))))
            if len(names) != len(photos):
                raise ValueError(f"names must name {len(photos)} photographs, got {len(names)}")
            room_for(names, thumbnail_bytes)
        self.extractor_: FeatureExtractor = self._fit_extractor(photos, say) if base is None else base.extractor_
        rows = self._describe_all(photos, say, described, pictures=thumbnail_bytes > 0, mapper=mapper)
        say("learning", 0, 2)
        self.learn(rows, base=base)
        if base is not None:
            self.summary_["base"] = digest(base)
        if thumbnail_bytes and len(self.sample_["photo"]):
            kept = rows["picture"][self._sample_rows(len(rows["photo"]))]
            self.thumbnails_: Thumbnails | None = Thumbnails.chosen(kept, names, thumbnail_bytes)
        say("learning", 1, 2)
        self.baselines_ = MappingProxyType(
            {name: rule().fit(map(as_rgb_image, photos)) for name, rule in RULES.items()}
        )
        say("learning", 2, 2)
        return self

    def learn(
        self, rows: Mapping[str, Any], *, palette: ColorPalette | None = None, base: Colorizer | None = None
    ) -> Colorizer:
        """Learn from regions that are described already: the part of `fit` that studies repeat.

        Without an extractor the model answers for rows (`region_probabilities`), not for photographs.

        Parameters
        ----------
        rows : mapping
            ``features`` (n, n_features) float32, ``ab`` (n, 2) true colours, ``area`` (n,) shares of the photograph,
            ``photo`` (n,) int32, ``families`` (mapping of names to slices of the feature columns; any names).
        palette : ColorPalette, optional
            A fitted palette to use instead of learning one.
        base : Colorizer, optional
            A model to build on if that helps, see `fit`; its features must be those of the rows.

        Returns
        -------
        Colorizer
            Itself.
        """
        self.palette_ = palette or _fit_palette(self.n_colors, rows, self.random_state)
        machine = make_machine(self.classifier, self.random_state)
        with threadpool_limits(1, user_api="blas"):  # equal rows give equal bytes on any number of cores
            choice = None if base is None else choose(rows, self.palette_, base, machine, self.random_state)
            if choice is None or not choice.keeps_base:
                self.scaler_, self.classifier_ = learn_alone(rows, self.palette_, machine)
            else:
                self.scaler_, self.classifier_ = recalibrate(rows, self.palette_, base)
            features = self.scaler_.transform(rows["features"])
        self.sample_ = self._draw_sample(features, rows)
        self.thumbnails_ = None
        self.summary_ = {
            "n_photos": len(np.unique(rows["photo"])),
            "n_rows": len(features),
            "n_features": rows["features"].shape[1],
        }
        if choice is None or not choice.keeps_base:
            self.summary_["explained_variance"] = round(self.scaler_.explained_, 4)
        if choice is not None:
            self.summary_ |= in_summary(choice)
        return self

    @property
    def model(self) -> Model:
        """What was learnt, as a value.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Nothing was: the model is neither fitted nor loaded.
        """
        check_is_fitted(self, ["classifier_", "extractor_"])
        return Model(
            palette=self.palette_,
            scaler=self.scaler_,
            classifier=self.classifier_,
            n_superpixels=self.n_superpixels,
            extractor=self.extractor_,
            sample=self.sample_,
            thumbnails=self.thumbnails_,
            random_state=self.random_state,
        )

    @property
    def recognizer(self) -> Recognizer:
        """What was learnt of regions: enough to answer for rows of features (`learn`)."""
        check_is_fitted(self, "classifier_")
        return Recognizer(self.palette_, self.scaler_, self.classifier_)

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
            The model uses a classifier of another library, which a data file cannot hold.
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
        found = unpack(path, *load_model(path))
        model, colorizer = found.model, cls(**found.parameters)
        seed = colorizer.random_state
        machine = make_machine(colorizer.classifier, seed)
        colorizer.palette_ = _grown(ColorPalette(colorizer.n_colors, random_state=seed), model.palette)
        colorizer.scaler_ = _grown(FamilyScaler(n_components=len(model.scaler.components_)), model.scaler)
        colorizer.classifier_ = _grown(machine, model.classifier)
        colorizer.classifier_.estimator_ = _grown(clone(machine.estimator), model.classifier.estimator_)
        if model.classifier.partner_ is not None:
            colorizer.classifier_.partner_ = _grown(clone(machine.partner), model.classifier.partner_)
        colorizer.extractor_, colorizer.sample_, colorizer.thumbnails_ = model.extractor, model.sample, model.thumbnails
        colorizer.baselines_, colorizer.summary_ = found.baselines, found.summary
        return colorizer

    def score(self, photos: Iterable[Photo], y: None = None) -> float:
        """Tell how near the colours of photographs come, for the searches of scikit-learn: more is better.

        Parameters
        ----------
        photos : iterable of RgbImage or ndarray of shape (H, W, 3), uint8 or uint16
            With their true colours.
        y : ignored

        Returns
        -------
        float
            Minus the mean CIEDE2000 over photographs at `vividness` 0: the figure of `colorize evaluate`.

        Raises
        ------
        DatasetError
            There are no photographs.
        """
        from colorize.metrics import Truth  # compiled when first imported: who only colorizes should not wait for it

        errors = []
        for photo in map(as_rgb_image, photos):
            result = self.predict(photo, vividness=0)
            errors.append(Truth(photo.pixels).figures(result.rgb, result.ab)["ciede2000"])
        if not errors:
            raise DatasetError("there are no photographs to measure with")
        return -float(np.mean(errors))

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()  # with read-only mappings, which are neither pickled nor copied
        return {name: dict(value) if isinstance(value, MappingProxyType) else value for name, value in state.items()}

    def _check_parameters(self) -> None:
        check_ranges(self.get_params(deep=False))
        make_machine(self.classifier, self.random_state)

    def _fit_extractor(self, photos: Sequence[Photo], say: Progress) -> FeatureExtractor:
        extractor = FeatureExtractor(self.families, self.random_state)
        describer = Describer(self.n_superpixels, extractor)
        rng = np.random.default_rng(self.random_state)
        chosen = np.sort(rng.choice(len(photos), min(len(photos), _WORD_PHOTOS), replace=False))
        descriptors = []
        for done, index in enumerate(chosen):
            say("visual words", done, len(chosen))
            analysis = PhotoAnalysis(*describer.segment(to_gray(as_rgb_image(photos[index]))))
            descriptors.append(surf_descriptors(analysis, FeatureExtractor.WORD_SCALE))
        say("visual words", len(chosen), len(chosen))
        return extractor.fit_words(descriptors)

    def _describe_all(
        self,
        photos: Sequence[Photo],
        say: Progress,
        described: MutableMapping[int, Mapping[str, Any]] | None = None,
        *,
        pictures: bool = False,
        mapper: Mapper = map,
    ) -> dict[str, Any]:
        """Features, true ab, area, photograph and maybe picture of a sample of regions from every photograph."""
        rng = np.random.default_rng(self.random_state)
        budget = min(self.rows_per_photo, max(1, _MAX_ROWS // len(photos)))
        blocks = []
        described = {} if described is None else described
        missing = [index for index in range(len(photos)) if index not in described]
        describe = partial(self._describe_regions, pictures=pictures)
        regions = iter(mapper(describe, (photos[index] for index in missing)))
        for index in range(len(photos)):
            say("features", index, len(photos))
            if index in described:
                n = int(described[index]["n_regions"])
                rng.choice(n, min(budget, n), replace=False)  # the numbers that it drew when it was described
            else:
                described[index] = _drawn(next(regions), index, budget, rng)
            blocks.append(described[index])
        say("features", len(photos), len(photos))
        names = [name for name in blocks[0] if name not in ("n_regions", "families")]
        rows = {name: np.concatenate([block[name] for block in blocks]) for name in names}
        return rows | {"families": blocks[0]["families"]}

    def _describe_regions(self, item: Photo, *, pictures: bool) -> dict[str, Any]:
        """Features, true ab, area and maybe picture of every region; all of it can travel to another process."""
        photo = as_rgb_image(item)
        description = Describer(self.n_superpixels, self.extractor_).describe(to_gray(photo))
        lightness, superpixels, matrix = description.lightness, description.superpixels, description.features
        ab = cv2.resize(rgb_to_lab(photo.pixels)[..., 1:], lightness.shape[::-1], interpolation=cv2.INTER_AREA)
        found = {
            "features": matrix.values,
            "ab": region_means(ab, superpixels),
            "area": superpixels.areas / superpixels.areas.sum(),
            "families": dict(matrix.families),
        }
        return found | ({"picture": cut_thumbnails(lightness, ab, superpixels)} if pictures else {})

    def _sample_rows(self, n_rows: int) -> NDArray[np.intp]:
        rng = np.random.default_rng(self.random_state)
        return np.sort(rng.choice(n_rows, min(self.n_sample_rows, n_rows), replace=False))

    def _draw_sample(self, features: Float32, rows: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        kept = self._sample_rows(len(features))
        return MappingProxyType(
            {
                "features": features[kept].astype(np.float16),
                "ab": rows["ab"][kept].astype(np.float16),
                "photo": rows["photo"][kept],
            }
        )


def make_machine(classifier: str | ClassifierMixin, random_state: int) -> Vote:
    """What a `Colorizer` with these parameters fits: a calibrated classifier, with a partner if it is to vote.

    Raises
    ------
    ValueError
        `classifier` is neither the name of one nor a classifier.
    """
    if isinstance(classifier, str) and classifier in ("vote", "kernel"):
        partner = NeuralNets(random_state=random_state) if classifier == "vote" else None
        return Vote(KernelSVM(random_state=random_state), partner, random_state=random_state)
    if isinstance(classifier, str) and classifier == "svc":
        return Vote(SubsampledSVC(random_state=random_state), random_state=random_state)
    if hasattr(classifier, "fit") and not isinstance(classifier, type):
        return Vote(classifier, random_state=random_state)
    raise ValueError(f"classifier must be 'vote', 'kernel', 'svc' or a classifier, got {classifier!r}")


def _grown(estimator: Any, learnt: Any) -> Any:
    """An estimator that knows what was learnt before."""
    vars(estimator).update(vars(learnt))
    estimator.n_features_in_ = learnt.n_features
    return estimator


def _drawn(regions: Mapping[str, Any], photo: int, budget: int, rng: np.random.Generator) -> dict[str, Any]:
    """Rows of a sample of the regions of one photograph, and of how many they were drawn."""
    n = len(regions["area"])
    rows = np.sort(rng.choice(n, min(budget, n), replace=False))
    block = {name: values[rows] for name, values in regions.items() if name != "families"}
    return block | {"photo": np.full(len(rows), photo, np.int32), "n_regions": n, "families": regions["families"]}


def _fit_palette(n_colors: int, rows: Mapping[str, np.ndarray], random_state: int) -> ColorPalette:
    try:
        return ColorPalette(n_colors, random_state=random_state).fit(rows["ab"], sample_weight=rows["area"])
    except ValueError as error:
        raise DatasetError(f"no palette can be learnt from these photographs: {error}") from error
