"""`Colorizer`: learns from colour photographs and colorizes gray ones, as an estimator of scikit-learn.

The road is that of Levin, Lischinski and Weiss, "Colorization using optimization", SIGGRAPH 2004; Zhang, Isola and
Efros, "Colorful image colorization", ECCV 2016 (quantised colours); Charpiat, Hofmann and Schoelkopf, "Automatic image
colorization via multimodal predictions", ECCV 2008 (probabilities first, one coherent decision afterwards).
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Self

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from colorize._support.progress import Progress, silent
from colorize.features import FAMILIES, FeatureExtractor
from colorize.model import Model, Photo, check_ranges
from colorize.models.file import load_model, save_model
from colorize.models.format import Trained, digest, pack, unpack
from colorize.predictor import Predictor
from colorize.recognition.thumbnails import Thumbnails, checked_names
from colorize.training.base import check_base
from colorize.training.fit import checked_photos, describe_photos, in_sample, learn, learn_words
from colorize.training.quantization import ColorPalette
from colorize.training.recognizer import FittedRecognizer, as_estimators, make_machine
from colorize.training.rows import TrainingRows


class Colorizer(Predictor, BaseEstimator):
    """Colorizes grayscale photographs after learning from colour photographs of a kind.

    A photograph is cut into superpixels; from texture, tone, place, surroundings and what is seen in each a support
    vector machine tells how likely every colour of a palette is; neighbours agree; an edge-aware sparse system spreads
    the colours over the pixels. Lightness is never touched.

    Parameters
    ----------
    n_colors : int
        Palette size. More colours are finer, and each is seen in fewer training photographs.
    n_superpixels : int
        Regions per photograph. Raise it if small things take the colour of what is behind them.
    families : sequence of str
        Feature families to use, some of ``colorize.features.FAMILIES`` and of your own (`register_family`).
    classifier : {"vote", "kernel"} or classifier
        ``kernel`` is `KernelSVM`, which scales to 100,000 regions; ``vote`` the mean of that and `NeuralNets`, which
        errs less than either; any other scikit-learn classifier is calibrated in the same way, but cannot be saved.
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
    encoder_share_ : float
        What the encoder's own belief counts beside the classifier: 0, 1/6 or 1/3, whichever served held-out rows best.
    gain_ : float
        Factor on chroma at vividness 0.5, with which held-out rows become about as colourful with every model.
    baselines_ : dict of str to Lookup
        The simple rules (mean colour, lookups) fitted on the same photographs, to measure against.
    sample_ : dict of str to ndarray
        ``features`` (n, n_components) float16 as the classifier sees them, ``ab`` (n, 2) float16, ``photo`` (n,) int32.
    thumbnails_ : Thumbnails or None
        Pictures of sample rows and names of the photographs, if they were asked for.
    summary_ : dict
        What the model was trained on, in numbers.
    parameters_ : dict
        The parameters that it was trained with: what `set_params` says afterwards counts from the next training.

    See Also
    --------
    colorize.training.dataset.load_folder : The stage before: photographs to learn from.
    colorize.evaluation.run.evaluate_model : The stage after: how good it is.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> photos = [picture[::4, ::4] for picture in load_sample_images().images]
    >>> model = Colorizer(n_colors=6, n_superpixels=60).fit(photos)
    >>> model.predict(photos[0][..., 1]).rgb.shape
    (107, 160, 3)
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

    __repr__ = BaseEstimator.__repr__  # that of a predictor needs a fitted model

    def fit(
        self,
        photos: Sequence[Photo],
        y: None = None,
        *,
        base: Colorizer | None = None,
        names: Sequence[str] = (),
        thumbnail_bytes: int = 0,
        described: MutableMapping[int, TrainingRows] | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from colour photographs.

        Parameters
        ----------
        photos : sequence of RgbImage or ndarray of shape (H, W, 3), uint8 or uint16
            sRGB. Gone through at most twice, so a sequence that reads from disk need not hold all of them at once.
        y : ignored
        base : Colorizer, optional
            A model of other photographs to build on. A fifth of these decides whether its machine is calibrated anew,
            or all is learnt from these alone (`colorize.training.base`).
        names : sequence of str, optional
            File names of the photographs. Kept only together with thumbnails, and without their folders.
        thumbnail_bytes : int
            Room for tiny pictures of training regions, which explanations show: 0 keeps none, 2.6 million one of each
            of 4000 sample rows. Whoever has the model can see them.
        described : mutable mapping of int to TrainingRows, optional
            A cache of the rows of every photograph, by its number. Given again after an interruption, with equal
            photographs and parameters, it spares describing them anew; the model is the same.
        progress : callable, optional
            Called with a stage's name, the steps done, and their number.

        Raises
        ------
        DatasetError
            Fewer than two photographs, too few distinct colours for the palette, or no room for a single thumbnail.
        InvalidImageError
            An item is no colour photograph.
        ColorizeError
            The base uses a classifier that no model file can hold (`save`), so it has no digest to be named by.
        TypeError
            `photos` is no sequence, or `base` no Colorizer.
        ValueError
            A parameter is out of its range, or not that of the base where regions and features must be.
        """
        # All that can be wrong is looked at before the first photograph: what follows takes minutes.
        check_ranges(self.get_params(deep=False))
        make_machine(self.classifier, self.random_state)
        if base is not None:
            if not isinstance(base, Colorizer):
                raise TypeError(f"base must be a Colorizer, which Colorizer.load gives, got {type(base).__name__}")
            check_base(base.model, self.n_superpixels, self.families)
        photos = checked_photos(photos)
        names = checked_names(names, len(photos), thumbnail_bytes) if thumbnail_bytes else ()
        say, size, seed = progress or silent, self.n_superpixels, self.random_state
        origin = {} if base is None else {"base": digest(base.trained)}
        # The machine of a base knows histograms of its own visual words and of no others.
        words = learn_words(photos, self.families, size, seed, say) if base is None else base.extractor_
        # For whoever watches a first training; a trained model keeps its own until its machine is replaced too.
        if not hasattr(self, "classifier_"):
            self.extractor_: FeatureExtractor = words
        rows, baselines = describe_photos(
            photos, size, words, described, say, self.rows_per_photo, seed, pictures=thumbnail_bytes > 0
        )
        say("learning", 0, 1)
        self.learn(rows, base=base)
        self.extractor_, self.baselines_ = words, baselines
        self.summary_ |= origin
        if thumbnail_bytes and rows.picture is not None and self.n_sample_rows:
            pictures = rows.picture[in_sample(rows, self.n_sample_rows, self.random_state)]
            self.thumbnails_: Thumbnails | None = Thumbnails.chosen(pictures, names, thumbnail_bytes)
        say("learning", 1, 1)
        return self

    def learn(self, rows: TrainingRows, *, palette: ColorPalette | None = None, base: Colorizer | None = None) -> Self:
        """Learn from regions that are described already: the part of `fit` that studies repeat.

        Without an extractor the model answers for rows (`recognizer`), not for photographs. `palette` is a fitted one
        to use instead of learning one; `base` is as in `fit`, and its features must be those of the rows.
        """
        found, sample, summary = learn(
            rows,
            make_machine(self.classifier, self.random_state),
            n_colors=self.n_colors,
            n_sample_rows=self.n_sample_rows,
            random_state=self.random_state,
            palette=palette,
            base=None if base is None else base.recognizer,
        )
        # Pictures of an earlier fit would show regions that are no longer in the sample.
        self.sample_, self.summary_, self.thumbnails_ = sample, summary, None
        return self._keep(found)

    def _keep(self, found: FittedRecognizer) -> Self:
        self.palette_, self.scaler_, self.classifier_ = found.palette, found.scaler, found.classifier
        self.encoder_share_, self.gain_ = found.encoder_share, found.gain
        self.parameters_ = self.get_params(deep=False)
        return self

    @property
    def recognizer(self) -> FittedRecognizer:
        """What was learnt of regions: enough to answer for rows of features (`learn`)."""
        check_is_fitted(self, "classifier_")
        parts = self.palette_, self.scaler_, self.classifier_
        return FittedRecognizer(*parts, encoder_share=self.encoder_share_, gain=self.gain_)

    @property
    def model(self) -> Model:
        """What was learnt, as a value."""
        check_is_fitted(self, ["classifier_", "extractor_"])
        return Model(
            **vars(self.recognizer),
            n_superpixels=self.parameters_["n_superpixels"],
            extractor=self.extractor_,
            sample=self.sample_,
            thumbnails=self.thumbnails_,
            random_state=self.parameters_["random_state"],
        )

    @property
    def trained(self) -> Trained:
        """The model with its parameters, rules and summary: what a file holds."""
        model = self.model
        # As learnt: `learn` may have been given another palette, and an extractor of other families.
        learnt = {"n_colors": len(model.palette.colors_), "families": model.extractor.families}
        return Trained(model, self.parameters_ | learnt, self.baselines_, self.summary_)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the model to one file that is pure data; `overwrite` replaces an existing one.

        Raises
        ------
        OutputExistsError
            The file exists and `overwrite` is False.
        ColorizeError
            The model was trained with another classifier than ``vote`` and ``kernel``, which the file cannot hold.
        """
        save_model(path, *pack(self.trained), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model file; errors as `Predictor.load`."""
        found = unpack(path, *load_model(path))
        model = found.model
        colorizer = cls(**found.parameters)._keep(as_estimators(model, found.parameters))
        colorizer.sample_, colorizer.summary_ = dict(model.sample), dict(found.summary)
        colorizer.thumbnails_ = model.thumbnails
        colorizer.extractor_, colorizer.baselines_ = model.extractor, found.baselines
        return colorizer
