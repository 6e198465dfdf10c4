"""Learning to recognize colours: palette, scaler and machine, from rows alone or on top of what a base knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from colorize.exceptions import DatasetError
from colorize.model import Recognizer
from colorize.recognition.palette import Palette
from colorize.training.classifier import CalibratedClassifier, FamilyScaler, KernelSVM
from colorize.training.perceptrons import NeuralNets
from colorize.training.quantization import ColorPalette
from colorize.training.rows import TrainingRows
from colorize.types import Float32

_PENALTY = 0.5  # over the number of photographs: with 15 a penalty of 0.03 served best, with 160 one of 0.003

Estimator = TypeVar("Estimator", bound=BaseEstimator)


@dataclass(frozen=True, eq=False)
class FittedRecognizer(Recognizer):
    """A recognizer whose parts are estimators, so that they can be fitted anew; attributes as in its parent.

    See Also
    --------
    colorize.model.Recognizer : The same without scikit-learn.
    as_estimators : Makes one of what a file holds.
    """

    palette: ColorPalette
    scaler: FamilyScaler
    classifier: CalibratedClassifier


def make_machine(classifier: str | ClassifierMixin, random_state: int) -> CalibratedClassifier:
    """What a `Colorizer` with these parameters fits: a calibrated classifier, with a partner if it is to vote.

    Raises
    ------
    ValueError
        `classifier` is neither the name of one nor a classifier that can say how sure it is.

    See Also
    --------
    learn_alone : The stage after: fits it.
    colorize.training.classifier.CalibratedClassifier : What is made.
    """
    partner = None
    # The mean of two that err differently is better than either: 10.64 against 10.78 and 10.71 in
    # the folds of docs/colors.md.
    if isinstance(classifier, str) and classifier in ("vote", "kernel"):
        partner = NeuralNets(random_state=random_state) if classifier == "vote" else None
        classifier = KernelSVM(random_state=random_state)
    answers = hasattr(classifier, "decision_function") or hasattr(classifier, "predict_proba")
    # A class has a `fit` too, and would fail much later, for want of `self`.
    if not (hasattr(classifier, "fit") and answers) or isinstance(classifier, type):
        raise ValueError(
            "classifier must be 'vote', 'kernel' or a classifier with decision_function or predict_proba, "
            f"got {classifier!r}"
        )
    return CalibratedClassifier(classifier, partner=partner, random_state=random_state)


def fit_palette(rows: TrainingRows, n_colors: int, random_state: int) -> ColorPalette:
    """Learn a palette from the true colours of rows.

    Raises
    ------
    DatasetError
        There are too few distinct colours.

    See Also
    --------
    learn_alone : The stage after.
    colorize.training.quantization.ColorPalette : What is made.
    """
    try:
        # By area: a palette is of surfaces, and busy places have many small regions.
        return ColorPalette(n_colors, random_state=random_state).fit(rows.ab, sample_weight=rows.area)
    except ValueError as error:
        raise DatasetError(f"no palette can be learnt from these photographs: {error}") from error


def learn_alone(rows: TrainingRows, palette: ColorPalette, machine: CalibratedClassifier) -> FittedRecognizer:
    """Fit a scaler and a copy of the machine to these rows and nothing else.

    Raises
    ------
    DatasetError
        All rows have one colour of the palette, or all that are not held out for the calibration.

    See Also
    --------
    fit_palette, make_machine : The stages before.
    recalibrate : The twin that builds on a base.
    """
    palette_index = _palette_index(rows, palette)
    scaler = FamilyScaler(rows.families).fit(rows.features)
    scaled = scaler.transform(rows.features)
    # A copy, because `choose` fits the same machine to other rows.
    fitted = clone(machine).fit(scaled, palette_index, groups=rows.photo, sample_weight=rows.area)
    return FittedRecognizer(palette, scaler, fitted)


def recalibrate(rows: TrainingRows, palette: ColorPalette, base: FittedRecognizer) -> FittedRecognizer:
    """Keep scaler and machine of the base, with a calibration for these rows and this palette.

    Raises
    ------
    DatasetError
        All rows have one colour of the palette.

    See Also
    --------
    learn_alone : The twin that learns everything anew.
    colorize.training.classifier.CalibratedClassifier.recalibrated : The step inside.
    """
    machine = base.classifier.recalibrated(
        base.scaler.transform(rows.features),
        _palette_index(rows, palette),
        alpha=_PENALTY / len(np.unique(rows.photo)),
        groups=rows.photo,
        sample_weight=rows.area,
    )
    return FittedRecognizer(palette, base.scaler, machine)


def _palette_index(rows: TrainingRows, palette: Palette) -> NDArray[np.intp]:
    found = palette.encode(rows.ab)
    if len(np.unique(found)) < 2:
        raise DatasetError("all regions have one and the same colour of the palette: add other photographs")
    return found


def region_error(rows: TrainingRows, probabilities: Float32, palette: Palette) -> float:
    """Mean over photographs of the area-weighted CIEDE2000 of the regions' faithful colours.

    Lightness is the same on both sides and plays no part.

    See Also
    --------
    colorize.color.metrics.ciede2000 : The difference of two colours.
    colorize.training.base.choose : Decides by it.
    """
    # compiled when first imported: nobody who only colorizes should wait for it
    from colorize.color.metrics import ciede2000

    decided = palette.decode(probabilities)
    lightness = np.full((len(decided), 1), 50, np.float32)
    return _mean_of_photos(rows, ciede2000(np.hstack([lightness, rows.ab]), np.hstack([lightness, decided])))


def chroma_share(rows: TrainingRows, probabilities: Float32, palette: Palette) -> float:
    """Mean over photographs of the area-weighted chroma of the regions' faithful colours, as a share of the true one.

    See Also
    --------
    region_error : How wrong they are.
    colorize.training.base.choose : Sets the gain by it.
    """
    decided, true = (_mean_of_photos(rows, np.hypot(*ab.T)) for ab in (palette.decode(probabilities), rows.ab))
    return decided / max(true, 1e-6)


def _mean_of_photos(rows: TrainingRows, values: NDArray[np.floating]) -> float:
    # A mean per photograph first, so that each counts alike, however many rows were drawn of it.
    _, photo = np.unique(rows.photo, return_inverse=True)
    return float((np.bincount(photo, rows.area * values) / np.bincount(photo, rows.area)).mean())


def as_estimators(found: Recognizer, parameters: Mapping[str, Any]) -> FittedRecognizer:
    """Make estimators of what a file holds, with the parameters of the `Colorizer` that learnt it.

    See Also
    --------
    colorize.models.format.unpack : The stage before: reads a file.
    colorize.colorizer.Colorizer.load : Calls it.
    """
    # As many as were kept: rows of few columns have fewer components than were asked for.
    seed, n_components = parameters["random_state"], len(found.scaler.components_)
    machine = make_machine(parameters["classifier"], seed)
    # What was learnt brings its plain machines along; they give way to estimators, or the model could not be a base.
    classifier = _taught(machine, found.classifier, n_components)
    classifier.estimator_ = _taught(clone(machine.estimator), found.classifier.estimator_, n_components)
    if found.classifier.partner_ is not None:
        classifier.partner_ = _taught(clone(machine.partner), found.classifier.partner_, n_components)
    return FittedRecognizer(
        _taught(ColorPalette(parameters["n_colors"], random_state=seed), found.palette, 2),
        _taught(FamilyScaler(found.scaler.families_, n_components=n_components), found.scaler, len(found.scaler.mean_)),
        classifier,
        encoder_share=found.encoder_share,
        gain=found.gain,
    )


def _taught(estimator: Estimator, learnt: object, n_features: int) -> Estimator:
    """An estimator that knows what was learnt before."""
    vars(estimator).update(vars(learnt))
    # scikit-learn holds the width of every input against it.
    estimator.n_features_in_ = n_features
    return estimator
