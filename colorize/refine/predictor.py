"""`Refiner` and `Rival`: networks in the shape of `Colorizer`, with `fit`, `predict`, `save` and `load`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import nn

from colorize._support.clock import Clock
from colorize._support.files import refusals
from colorize._support.progress import Progress, silent
from colorize._support.shrink import shrink_to
from colorize._support.statistics import FEWEST
from colorize.color import lab_to_rgb
from colorize.colorizer import Colorizer
from colorize.exceptions import DatasetError, ModelFileError
from colorize.features.superpixels import region_means, resize_labels, working_shape
from colorize.guidance.references import References
from colorize.guidance.session import Session
from colorize.model import Description, Model, Photo, as_gray_image, as_rgb_image
from colorize.models.file import load_model, model_digest, save_model
from colorize.models.format import digest as digest_of
from colorize.optimization.upsampling import guided_enlarge
from colorize.predictor import Predictor
from colorize.recognition.decision import dial
from colorize.refine import learners
from colorize.refine.data import WORKING_PIXELS, Example, digest, guide_table, out_of_fold, plain_example
from colorize.refine.losses import OBJECTIVES
from colorize.refine.networks import ENCODERS, GENERATORS, make_generator
from colorize.refine.training import Observer, Settings, Trainer, forked_randomness
from colorize.training.quantization import ColorPalette
from colorize.types import ColorizedPhoto, Float32, GrayImage, RgbImage

REFINER_KIND, RIVAL_KIND = "refiner", "rival"

_N_CLASSES = 64
_PALETTE_PIXELS = 40_000
_MISFIT = ("parts of the model do not fit together", ModelFileError, (KeyError, TypeError, ValueError))


# Dataclasses make the constructors that scikit-learn asks for: every parameter named once, and stored as it is.
@dataclass(eq=False, repr=False, kw_only=True)
class _Network(BaseEstimator, Settings):
    """What both kinds share: how long to train, on what device, and the outcome of a training."""

    device: str = "auto"

    def _split(self, examples: Sequence[Example], fewest: int) -> tuple[list[Example], list[Example]]:
        """Examples to train on, and examples held out, `fewest` at least, each a photograph."""
        if len(examples) < fewest + 2:
            raise DatasetError(f"training needs at least {fewest + 2} photographs, got {len(examples)}")
        order = np.random.default_rng(self.random_state).permutation(len(examples)).tolist()
        n_held_out = min(max(round(self.hold_out * len(order)), fewest), len(order) - 2)
        kept, held_out = sorted(order[n_held_out:]), sorted(order[:n_held_out])
        return [examples[i] for i in kept], [examples[i] for i in held_out]

    def _keep(self, outcome: Trainer, n_photos: int) -> None:
        self.network_ = outcome.learner.average
        learners.load_weights(self.network_, outcome.weights)
        self.history_ = outcome.history
        self.summary_: dict[str, Any] = {
            "n_photos": n_photos,
            "n_epochs": len(outcome.history) - 1,
            "best_epoch": int(outcome.best["epoch"]),
            "ciede2000_before": round(outcome.history[0]["ciede2000"], 3),
            "ciede2000_held_out": round(outcome.best["ciede2000"], 3),
        }

    def _place(self) -> torch.device:
        return next(self.network_.parameters()).device


@dataclass(eq=False, repr=False)
class Refiner(_Network, Predictor):
    """A small network that corrects the colours of a classical model.

    It sees a photograph of 192 x 128 pixels: its lightness, the colour that the classical model gives every region, how
    far that model's plausible colours spread, and its confidence. It answers with a residual of ab, which is added to
    the colours of the regions before the propagation at full resolution. Lightness and exact hints therefore stay as
    they were, and an untrained refiner changes nothing at all. The correction is learnt at vividness 0 and is the same
    at every setting. Training keeps the untrained one unless the photographs held out show an improvement beyond doubt
    (a paired 95 % interval that excludes zero).

    Parameters
    ----------
    base : Colorizer
        The fitted model to refine. A refiner works with this model only.
    epochs : int, optional
        Times that every photograph is seen; 60 if `minutes` is not given either.
    minutes : float, optional
        Instead of epochs: CPU-minutes of all threads together (wall minutes on a GPU), the preparation included. A
        training by minutes does not give the same bytes twice.
    batch_size, crop : int
        Photographs per step, and side of their crops in pixels.
    patience : int, optional
        Stop after so many epochs without a better validation error.
    hold_out : float
        Share of the photographs that choose the best epoch and are not trained on; five at least, or there would be no
        interval.
    device : {"auto", "cpu", "cuda"}
    random_state : int
        Seed of every random choice.

    Attributes
    ----------
    network_ : Module
    history_ : list of dict
        Per epoch: losses, seconds and ``ciede2000`` on the photographs held out; epoch 0 is the base alone.
    summary_ : dict
    base_ : Colorizer
        The base as it was then: what is refined, whatever `base` learns or is set to afterwards.
    base_sha256_ : str
        Digest of the base's model file.
    sha256_ : str
        Digest of the refiner's own model file.

    See Also
    --------
    Rival : A network that needs no base.
    colorize.predictor.Predictor.predict : Colorizes, as all models do.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> china, flower = (picture[::4, ::4] for picture in load_sample_images().images)
    >>> photos = [picture[:, first : first + 100] for picture in (china, flower) for first in range(0, 50, 10)]
    >>> base = Colorizer(n_colors=4, n_superpixels=30).fit(photos)
    >>> refiner = Refiner(base, epochs=1, crop=32, device="cpu").fit(photos)
    >>> refiner.predict(china).rgb.shape
    (107, 160, 3)
    """

    base: Colorizer
    hold_out: float = field(default=0.2, kw_only=True)

    def __sklearn_clone__(self) -> Self:
        # With the base as it is: scikit-learn would hand on one that has learnt nothing.
        return type(self)(**self.get_params(deep=False))

    def fit(
        self,
        photos: Sequence[Photo],
        y: None = None,
        *,
        progress: Progress | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        observe: Observer | None = None,
    ) -> Self:
        """Learn what the base gets wrong on photographs that it has not seen.

        Parameters
        ----------
        photos : sequence of RgbImage or ndarray, shape (H, W, 3)
            Those that the base was trained on, at least ten; see `colorize.refine.data.out_of_fold`.
        y : ignored
        progress : callable, optional
        checkpoint : path, optional
            File that keeps the state of the training after every epoch.
        resume : bool
            Go on from that file. With the same photographs and seed, a training by epochs on the CPU then ends with the
            same bytes as one that was not interrupted.
        observe : callable, optional
            Called with a `colorize.refine.training.Epoch` after every epoch.

        Raises
        ------
        DatasetError
            Too few photographs.
        TrainingError
            A loss is no longer a number.
        DeviceError
            The device is not there.
        ModelFileError
            The checkpoint is not one of this training.
        """
        _check_base(self.base)
        self.check()
        device = learners.choose_device(self.device)
        clock = learners.clock_of(device)
        started = clock()
        # A shallow copy: another training of the base exchanges its parts and changes none of them.
        self.base_, self.base_sha256_ = copy(self.base), digest_of(self.base.trained)
        pictures = [as_rgb_image(photo, number) for number, photo in enumerate(photos)]
        examples = out_of_fold(pictures, self.base, random_state=self.random_state, progress=progress)
        training, held_out = self._split(examples, FEWEST)
        with forked_randomness(self.random_state):
            outcome = Trainer(
                learners.RefinerLearner(device), training, held_out, self,
                recipe={"kind": REFINER_KIND, "base_sha256": self.base_sha256_, "photographs": digest(examples)},
                checkpoint=checkpoint, resume=resume, progress=progress or silent, observe=observe,
                seconds=clock() - started, cautious=True,
            ).run()  # fmt: skip
        self._keep(outcome, len(pictures))
        return self

    @property
    def model(self) -> Model:
        """What the base has learnt."""
        check_is_fitted(self, "base_")
        return self.base_.model

    def open(
        self,
        gray: GrayImage | Photo | NDArray[Any],
        references: Sequence[Photo] | References = (),
        reference_strength: float = 1.0,
    ) -> Session:
        """Describe a photograph once, to colour it many times; as `Colorizer.open`, with corrected colours."""
        check_is_fitted(self, "network_")
        session = self.base_.open(gray, references, reference_strength)
        return session.shifted(self.residual(session.description, session.guided.probabilities))

    def residual(self, description: Description, probabilities: Float32) -> Float32:
        """Correction of ab for every region of a photograph that the base described, shape (n_superpixels, 2)."""
        decision = self.base_.recognizer.decide(description, probabilities)
        shape = working_shape(description.lightness.shape, pixels=WORKING_PIXELS)
        lightness = shrink_to(description.lightness, shape)
        labels = resize_labels(description.superpixels, shape)
        guide = guide_table(decision)[labels]
        device = self._place()
        planes = (lightness[None, None], np.ascontiguousarray(guide.transpose(2, 0, 1))[None])
        found = learners.refine(self.network_, *(torch.tensor(plane, device=device) for plane in planes))
        size = description.superpixels.shape
        large = cv2.resize(found[0].transpose(1, 2, 0), size[::-1], interpolation=cv2.INTER_LINEAR)
        return region_means(large.reshape(*size, 2), description.superpixels)

    @property
    def sha256_(self) -> str:
        """Digest of the refiner's own model file."""
        return model_digest(*self._parts(), kind=REFINER_KIND)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the refiner, without its base, to a model file; see `Colorizer.save`."""
        check_is_fitted(self, "network_")
        save_model(path, *self._parts(), kind=REFINER_KIND, overwrite=overwrite)

    def _parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"base_sha256": self.base_sha256_, "summary": self.summary_}, learners.weights_of(self.network_)

    @classmethod
    def load(cls, path: str | Path, base: Colorizer, *, device: str = "auto") -> Refiner:  # type: ignore[override]  # needs a base
        """Read a model file.

        Raises
        ------
        ModelFileError
            The file is missing, damaged, of another kind or version, or made for another base.
        DeviceError
            The device is not there.
        TypeError
            `base` is no Colorizer.
        """
        _check_base(base)
        place = learners.choose_device(device)
        header, arrays = load_model(path, kind=REFINER_KIND)
        refiner = cls(base, device=device)
        refiner.base_ = copy(base)
        with refusals(path, *_MISFIT):
            refiner.base_sha256_, refiner.summary_ = str(header["base_sha256"]), dict(header["summary"])
            refiner.network_ = _ready(learners.make_refiner, arrays, place)
        wanted, found = refiner.base_sha256_, digest_of(base.trained)
        if wanted != found:
            raise ModelFileError(
                f"{path}: refines the model with sha256 {wanted[:12]}..., the given one has {found[:12]}...; "
                "name the model that it was trained on"
            )
        return refiner


@dataclass(eq=False, repr=False)
class Rival(_Network):
    """A network that colours by itself, to measure the classical model against.

    It works on 192 x 128 pixels; the result is brought to full size by a guided filter on the photograph's own
    lightness.

    Parameters
    ----------
    generator : {"unet", "unet-large", "resnet50", "lite0"}
    objective : {"l1", "l2", "l1+gan", "l1+wgan-gp", "classification"}
        What it is trained for; any generator goes with any objective.
    encoder : path, optional
        A safetensors file with the weights of the frozen encoder: torchvision's of ResNet-50 for the generator
        ``resnet50``, those of EfficientNet-Lite0 for ``lite0``. Without it that encoder is random; ``summary_`` says
        which.
    epochs, minutes, batch_size, crop, patience, hold_out, device, random_state
        As for `Refiner`; one photograph held out is enough.

    Attributes
    ----------
    network_ : Module
    classes_ : tuple of ndarray, shapes (K, 2) and (K,), or None
        Colours and frequencies of the objective ``classification``.
    history_, summary_
        As for `Refiner`; epoch 0 is the untrained network.

    See Also
    --------
    Refiner : A network that corrects a model.
    colorize.evaluation.methods.make_methods : Compares model files of every kind.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> photos = [picture[::4, ::4] for picture in load_sample_images().images]
    >>> rival = Rival("unet", "l1", epochs=1, crop=32, batch_size=2, device="cpu").fit([*photos, photos[0][:, ::-1]])
    >>> rival.predict(photos[0]).rgb.shape
    (107, 160, 3)
    """

    generator: str = "unet"
    objective: str = "l1"
    encoder: str | Path | None = None

    def fit(
        self,
        photos: Sequence[Photo],
        y: None = None,
        *,
        progress: Progress | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
        observe: Observer | None = None,
    ) -> Self:
        """Learn from colour photographs; parameters and errors as for `Refiner.fit`, and three photographs are enough.

        Raises
        ------
        ModelFileError
            The file of the encoder's weights is missing or holds other weights.
        ValueError
            A parameter is none of its legal values.
        """
        self._check_kind()
        if self.encoder is not None and self.generator not in ENCODERS:
            raise ValueError(f"encoder belongs to the generators resnet50 and lite0, got {self.generator!r}")
        self.check()
        device = learners.choose_device(self.device)
        clock = learners.clock_of(device)
        started = clock()
        encoder, made = None, {"encoder": "random"} if self.generator in ENCODERS else {}
        if self.encoder is not None:
            encoder = read_encoder(self.encoder, self.generator)
            # In words that do not depend on the place of the file.
            made["encoder"] = f"from a file with sha256 {hashlib.sha256(Path(self.encoder).read_bytes()).hexdigest()}"
        examples = [plain_example(as_rgb_image(photo, number)) for number, photo in enumerate(photos)]
        training, held_out = self._split(examples, 1)
        self.classes_ = _color_classes(training, self.random_state) if self.objective == "classification" else None
        with forked_randomness(self.random_state):
            learner = learners.RivalLearner(
                self.generator, self.objective, device, classes=self.classes_, encoder=encoder
            )
            outcome = Trainer(
                learner, training, held_out, self,
                recipe={"kind": RIVAL_KIND, **self._kind(), "photographs": digest(examples), **made},
                checkpoint=checkpoint, resume=resume, progress=progress or silent, observe=observe,
                seconds=clock() - started,
            ).run()  # fmt: skip
        self._keep(outcome, len(examples))
        self.summary_ |= made
        return self

    def predict(self, gray: GrayImage | Photo | NDArray[Any], *, vividness: float = 0.5) -> ColorizedPhoto:
        """Colorize a photograph.

        Parameters
        ----------
        gray : GrayImage, RgbImage or ndarray
            As for `Colorizer.predict`.
        vividness : float
            How sharply the histograms of ``classification`` are decoded: 0 takes their mean, 1 nearly their likeliest
            colour; a network of another objective knows one colour only and takes any setting for the same.
        """
        check_is_fitted(self, "network_")
        dial(vividness)
        # 1, the mean of the histogram, at 0; a half in the middle; 0.2, nearly its mode, at 1. Zhang et al. chose 0.38.
        temperature = 1 - 1.2 * vividness + 0.4 * vividness**2
        photo, clock = as_gray_image(gray), Clock()
        with clock("network"):
            shape = working_shape(photo.shape, pixels=WORKING_PIXELS)
            small = shrink_to(photo.lightness, shape)
            device = self._place()
            classes = None if self.classes_ is None else torch.from_numpy(self.classes_[0]).to(device)
            planes = torch.tensor(small[None, None], device=device)  # a copy: a photograph cannot be written to
            ab = learners.rival_colors(self.network_, planes, classes, temperature=temperature)[0]
        with clock("enlargement"):
            ab = guided_enlarge(np.ascontiguousarray(ab.transpose(1, 2, 0)), small, photo.lightness)
        with clock("color"):
            pixels = lab_to_rgb(photo.lightness, ab, bit_depth=photo.bit_depth)
        return ColorizedPhoto(RgbImage(pixels, photo.alpha, photo.metadata), ab, clock.seconds)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the rival to a model file; see `Colorizer.save`."""
        check_is_fitted(self, "network_")
        header = {**self._kind(), "summary": self.summary_}
        arrays = {f"network.{name}": array for name, array in learners.weights_of(self.network_).items()}
        if self.classes_ is not None:
            arrays |= {"classes.colors": self.classes_[0], "classes.frequencies": self.classes_[1]}
        save_model(path, header, arrays, kind=RIVAL_KIND, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path, *, device: str = "auto") -> Rival:
        """Read a model file.

        Raises
        ------
        ModelFileError
            The file is missing, damaged, or of another kind or version.
        DeviceError
            The device is not there.
        """
        place = learners.choose_device(device)
        header, arrays = load_model(path, kind=RIVAL_KIND)
        with refusals(path, *_MISFIT):
            rival = cls(header["generator"], header["objective"], device=device)
            rival._check_kind()
            classes = learners.part_of(arrays, "classes.")
            rival.classes_ = (classes["colors"], classes["frequencies"]) if classes else None
            make = partial(make_generator, rival.generator, len(classes["colors"]) if classes else 2)
            rival.network_ = _ready(make, learners.part_of(arrays, "network."), place)
            rival.summary_ = dict(header["summary"])
        return rival

    def _kind(self) -> dict[str, str]:
        return {"generator": self.generator, "objective": self.objective}

    def _check_kind(self) -> None:
        for name, choices in (("generator", GENERATORS), ("objective", OBJECTIVES)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")


def _check_base(base: Colorizer) -> None:
    if not isinstance(base, Colorizer):
        raise TypeError(f"base must be a Colorizer, which Colorizer.load gives, got {type(base).__name__}")


def read_encoder(path: str | Path, generator: str) -> dict[str, np.ndarray]:
    """Read the weights of a generator's frozen encoder from a safetensors file, without those that only name things.

    Raises
    ------
    ModelFileError
        The file is missing, no safetensors file, or holds other weights.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    encoder = ENCODERS[generator]
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError, TypeError, ValueError) as error:  # TypeError: numbers that NumPy lacks
        detail = " ".join(str(error).split())[:120]
        raise ModelFileError(f"{path}: no safetensors file with weights of {encoder.title} ({detail})") from error
    # Names and shapes alone: no memory is taken and no random number drawn.
    with torch.device("meta"):
        network = encoder()
    # Files of old versions lack the counters, which a frozen network does not use.
    counters = {name: np.zeros((), np.int64) for name in network.state_dict() if name.endswith("num_batches_tracked")}
    weights = counters | {name: array for name, array in arrays.items() if not name.startswith(encoder.classifier)}
    if wrong := learners.misfits(network, weights):
        raise ModelFileError(f"{path}: no weights of {encoder.title}: {wrong}")
    return {name: array.astype(np.int64 if name in counters else np.float32) for name, array in weights.items()}


def _color_classes(examples: Sequence[Example], random_state: int) -> tuple[Float32, Float32]:
    """Colours of the objective ``classification`` and how frequent they are, from a sample of pixels."""
    rng = np.random.default_rng(random_state)
    # Equally many of every photograph: a large one must not choose the colours.
    budget = max(1, _PALETTE_PIXELS // len(examples))
    pixels = [example.lab[..., 1:].reshape(-1, 2) for example in examples]
    sample = np.concatenate([rng.permutation(ab)[:budget] for ab in pixels]).astype(np.float32)
    try:
        palette = ColorPalette(_N_CLASSES, random_state=random_state).fit(sample)
    except ValueError as error:
        raise DatasetError(f"no palette can be learnt from these photographs: {error}") from error
    return palette.colors_, palette.frequencies_


def _ready(make: Callable[[], nn.Module], weights: Mapping[str, np.ndarray], device: torch.device) -> nn.Module:
    """A network with these weights, ready for use."""
    # It draws its first weights, which are written over and none of the caller's random numbers.
    with forked_randomness(0):
        network = make()
    learners.load_weights(network, weights)
    return network.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
