"""A model that remembers corrections: what a person said of the regions of a photograph becomes part of the model.

The support vector machine stays. Its calibration is fitted anew to the corrected regions and, so that nothing else is
forgotten, to the model's own answers for the training rows that its file carries. It takes a second or two.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize._support.threads import one_thread
from colorize.exceptions import ColorizeError
from colorize.features.superpixels import resize_labels
from colorize.models.format import Trained, digest
from colorize.training.classifier import CalibratedClassifier
from colorize.training.recognizer import FittedRecognizer
from colorize.types import Float32, Superpixels

FAR = 20.0
"""Distance in ab from the nearest palette colour at which a wish is reported as beyond the model's palette."""

_PENALTY = 0.01


class Fitted(Protocol):
    """What is needed of a `Colorizer`, which is above this room and imports from it."""

    classifier_: CalibratedClassifier
    sample_: dict[str, np.ndarray]
    summary_: dict[str, Any]

    @property
    def recognizer(self) -> FittedRecognizer:
        """What was learnt of regions."""

    @property
    def trained(self) -> Trained:
        """What its file holds."""


_AnyFitted = TypeVar("_AnyFitted", bound=Fitted)


@dataclass(frozen=True, eq=False)
class Learnt(Generic[_AnyFitted]):
    """A model that has learnt corrections.

    Attributes
    ----------
    colorizer : Colorizer
        The new model; the old one is as it was.
    n_regions : int
        Corrected regions.
    before, after : float
        Mean probability that the old and the new model give the wanted palette colours in those regions, 0..1.
    n_beyond_palette : int
        Regions whose wanted colour is far (`FAR`) from every palette colour; the model learnt the nearest.
    """

    colorizer: _AnyFitted
    n_regions: int
    before: float
    after: float
    n_beyond_palette: int

    def __str__(self) -> str:
        far = f"\n{self.n_beyond_palette} of them want colours far from all of the model's; it learnt the nearest."
        return (
            f"Learnt {self.n_regions} regions: the model gave their colours a probability of {self.before:.2f} before, "
            f"{self.after:.2f} now.{far if self.n_beyond_palette else ''}"
        )


def hinted_regions(
    superpixels: Superpixels, is_known: NDArray[np.bool_], ab: Float32
) -> tuple[NDArray[np.intp], Float32, Float32]:
    """Regions that hints touch, and what is wanted there.

    Parameters
    ----------
    superpixels : Superpixels
        Of the photograph, at any size.
    is_known : ndarray, shape (H, W), bool
        Hinted pixels, at the photograph's own size.
    ab : ndarray, shape (H, W, 2), float32
        Wanted a* and b* of the hinted pixels; anything elsewhere.

    Returns
    -------
    region : ndarray, shape (n,), int
        Numbers of the touched regions, ascending.
    wanted : ndarray, shape (n, 2), float32
        Mean of the wishes in each.
    weight : ndarray, shape (n,), float32
        Share of each region that is hinted, 0..1: a stroke that strays over an edge says little about what is there.

    See Also
    --------
    colorize.guidance.hints.HintPixels.on : The stage before: what hints ask of pixels.
    learn_corrections : The stage after.

    Examples
    --------
    >>> from colorize.features.superpixels import from_labels
    >>> regions = from_labels(np.array([[0, 0, 1, 2]]))
    >>> wishes = np.full((1, 4, 2), 30, np.float32)
    >>> region, wanted, weight = hinted_regions(regions, np.array([[True, False, False, True]]), wishes)
    >>> region.tolist(), wanted.tolist(), weight.tolist()
    ([0, 2], [[30.0, 30.0], [30.0, 30.0]], [0.5, 1.0])
    """
    # At the size of the hints: a thin stroke would be lost at the working resolution.
    labels = resize_labels(superpixels, is_known.shape)
    touched = labels[is_known]
    n = superpixels.n_superpixels
    count = np.bincount(touched, minlength=n)
    region = np.flatnonzero(count)
    sums = [np.bincount(touched, channel, minlength=n)[region] for channel in ab[is_known].T]
    size = np.bincount(labels.ravel(), minlength=n)[region]
    wanted = np.column_stack(sums) / count[region, None]
    return region, wanted.astype(np.float32), (count[region] / size).astype(np.float32)


def learn_corrections(
    colorizer: _AnyFitted,
    features: ArrayLike,
    ab: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    strength: float = 0.05,
) -> Learnt[_AnyFitted]:
    """Make a model that has learnt what is wanted in some regions of a photograph.

    Parameters
    ----------
    colorizer : Colorizer
        Fitted; it must carry training rows (`n_sample_rows` above 0).
    features : array-like, shape (n, n_features)
        Of the corrected regions, as `Model.describe` gives them.
    ab : array-like, shape (n, 2)
        Wanted colours.
    weight : array-like, shape (n,), optional
        How much each region counts among the others; equal by default.
    strength : float
        Weight of the photograph against everything that the model has learnt before. Raise it (to 1 or so) for
        a photograph that stands for many more like it; lower it if other photographs suffer.

    Returns
    -------
    Learnt

    Raises
    ------
    ColorizeError
        The model carries no training rows.
    ValueError
        The shapes do not match, there is no region, a wish is not finite, a weight is negative or infinite, all are 0,
        or `strength` is not positive and finite.

    See Also
    --------
    hinted_regions : The stage before: what is wanted, and where.
    colorize.guidance.session.Session.with_hints : The twin that changes a photograph and no model.
    colorize.training.classifier.CalibratedClassifier.moved : The step inside.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, and Li and Hoiem, "Learning without
    forgetting", ECCV 2016: the model's own answers for old examples hold it in place while it learns new ones.
    """
    model = colorizer.recognizer
    rows, wanted, share = _checked(features, ab, weight)
    if not 0 < strength < math.inf:
        raise ValueError(f"strength must be positive and finite, got {strength!r}")
    kept = colorizer.sample_["features"].astype(np.float32)
    if not len(kept):
        raise ColorizeError("the model carries no training rows to hold on to; train it with n_sample_rows above 0")
    with one_thread():  # equal corrections give equal bytes on any number of cores
        scaled = model.scaler.transform(rows)
        classes = model.classifier.classes_
        # A wish between palette colours goes to the nearest few. Where none of them is a class, nothing is asked.
        targets = _rows_to_one(model.palette.encode_soft(wanted)[:, classes])
        asked = targets
        # Beside the encoder the machine is heard less, and has to be moved further for the same colour.
        loudness = strength / (1 - model.encoder_share) ** 2
        if model.encoder_share:
            # What the machine has to say for the mean with the encoder to be the target, as far as it can.
            believed = model.encoder_belief(rows)[:, classes]
            asked = _rows_to_one(np.maximum(targets - np.float32(model.encoder_share) * believed, 0))
        machine = model.classifier.moved(
            np.concatenate([kept, scaled]),
            np.concatenate([model.classifier.predict_proba(kept), asked]),
            alpha=_PENALTY,
            # Old rows weigh 1 together, the photograph `strength`, however many regions were hinted. Louder,
            # photographs never touched lose more than the hinted ones are worth (docs/base_models.md).
            sample_weight=np.concatenate([np.full(len(kept), 1 / len(kept), np.float32), loudness * share]),
        )
        before, after = (
            float(share @ (found.region_probabilities(rows)[:, classes] * targets).sum(axis=1))
            for found in (model, replace(model, classifier=machine))
        )
    distance = np.linalg.norm(wanted[:, None] - model.palette.colors_, axis=2).min(axis=1)
    return Learnt(
        _with_corrections(colorizer, machine, scaled, wanted),
        len(rows),
        before,
        after,
        int((distance > FAR).sum()),
    )


def _with_corrections(
    colorizer: _AnyFitted, machine: CalibratedClassifier, scaled: Float32, wanted: Float32
) -> _AnyFitted:
    """Copy a model with another calibration, and the corrected regions among its rows."""
    old, summary = colorizer.sample_, colorizer.summary_
    # Beyond all photographs of the training, also those of which no row was kept.
    number = max(int(old["photo"].max()) + 1, summary.get("n_photos", 0))
    photo = np.full(len(scaled), number, np.int32)
    added = {"features": scaled.astype(np.float16), "ab": wanted.astype(np.float16), "photo": photo}
    # Shallow is enough: what changes below is replaced and never written into.
    model = copy(colorizer)
    model.classifier_ = machine
    model.sample_ = {name: np.concatenate([old[name], added[name]]) for name in old}
    model.summary_ = summary | {
        "corrected": digest(colorizer.trained),
        "n_corrected_photos": summary.get("n_corrected_photos", 0) + 1,
        "n_corrected_regions": summary.get("n_corrected_regions", 0) + len(scaled),
    }
    return model


def _rows_to_one(values: Float32) -> Float32:
    # Rows of nothing stay, instead of becoming NaN.
    return values / np.maximum(values.sum(axis=1, keepdims=True), np.float32(1e-6))


def _checked(features: ArrayLike, ab: ArrayLike, weight: ArrayLike | None) -> tuple[Float32, Float32, Float32]:
    """The arrays with their shapes checked, the weights as shares of their sum."""
    rows, wanted = np.asarray(features, np.float32), np.asarray(ab, np.float32)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"features must have shape (n, n_features) with n at least 1, got {rows.shape}")
    if wanted.shape != (len(rows), 2):
        raise ValueError(f"ab must have shape ({len(rows)}, 2), got {wanted.shape}")
    if not np.isfinite(wanted).all():
        raise ValueError("ab must be finite, got NaN or an infinity")
    share = np.ones(len(rows), np.float32) if weight is None else np.asarray(weight, np.float32)
    if share.shape != (len(rows),) or (share < 0).any() or not 0 < share.sum() < math.inf:
        raise ValueError(f"weight must be ({len(rows)},), finite, not negative and not all 0, got shape {share.shape}")
    return rows, wanted, share / share.sum()
