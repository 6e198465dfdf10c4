"""What the file of a classical model holds, and the checks that make its parts fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from colorize._support.files import refusals
from colorize._support.tables import plain
from colorize.exceptions import ColorizeError, ModelFileError
from colorize.features import FeatureExtractor, in_order
from colorize.features.encoder import read_encoder
from colorize.features.extractor import N_WORDS
from colorize.model import Model, check_ranges
from colorize.models.file import model_digest
from colorize.recognition.decision import GAIN
from colorize.recognition.machine import CalibratedMachine, Committee, KernelMachine, Scaling
from colorize.recognition.palette import Palette
from colorize.recognition.rules import RULES, Lookup
from colorize.recognition.thumbnails import Thumbnails

# Array name -> (fitted part, its attribute, dtype, shape). A letter stands for one size in the whole file:
# K palette colours, C classes, M margins (as many as classes, unless the calibration was fitted anew to another
# palette), F features, P principal components, L landmarks, S sample rows (none is fine), N nets of two hidden layers
# with G and H units.
_ARRAYS: dict[str, tuple[str, str, str, tuple[str | int, ...]]] = {
    "palette.colors": ("palette", "colors_", "float32", ("K", 2)),
    "palette.frequencies": ("palette", "frequencies_", "float32", ("K",)),
    "extractor.words": ("extractor", "words_", "float32", (N_WORDS, 64)),
    "scaler.mean": ("scaler", "mean_", "float32", ("F",)),
    "scaler.factor": ("scaler", "factor_", "float32", ("F",)),
    "scaler.bound": ("scaler", "bound_", "float32", ("F",)),
    "scaler.center": ("scaler", "center_", "float32", ("F",)),
    "scaler.components": ("scaler", "components_", "float32", ("P", "F")),
    "svm.landmarks": ("svm", "landmarks_", "float16", ("L", "P")),
    "svm.coef": ("svm", "coef_", "float32", ("L", "M")),
    "svm.intercept": ("svm", "intercept_", "float32", ("M",)),
    "calibration.classes": ("calibration", "classes_", "int32", ("C",)),
    "calibration.mean": ("calibration", "mean_", "float32", ("M",)),
    "calibration.deviation": ("calibration", "deviation_", "float32", ("M",)),
    "calibration.weights": ("calibration", "weights_", "float32", ("M+1", "C")),
    "sample.features": ("sample", "features", "float16", ("S", "P")),
    "sample.ab": ("sample", "ab", "float16", ("S", 2)),
    "sample.photo": ("sample", "photo", "int32", ("S",)),
}
_LAYERS: dict[str, tuple[str, int, str, tuple[str | int, ...]]] = {
    "nets.weights.0": ("weights_", 0, "float16", ("N", "P", "G")),
    "nets.weights.1": ("weights_", 1, "float16", ("N", "G", "H")),
    "nets.weights.2": ("weights_", 2, "float16", ("N", "H", "C")),
    "nets.biases.0": ("biases_", 0, "float32", ("N", 1, "G")),
    "nets.biases.1": ("biases_", 1, "float32", ("N", 1, "H")),
    "nets.biases.2": ("biases_", 2, "float32", ("N", 1, "C")),
}
"""Of the second opinion, if the model has one: array name -> (attribute, layer, dtype, shape)."""

_PARAMETERS = ("n_colors", "n_superpixels", "families", "rows_per_photo", "n_sample_rows", "random_state")
_SVM = ("gamma", "alpha")


@dataclass(frozen=True, eq=False)
class Trained:
    """A model, and what is known of its training: all that a model file holds.

    Attributes
    ----------
    model : Model
    parameters : mapping
        Of the `Colorizer` that learnt it.
    baselines : dict of str to Lookup
        The simple rules of the same photographs.
    summary : mapping
        The training in numbers.
    """

    model: Model
    parameters: Mapping[str, Any]
    baselines: dict[str, Lookup]
    summary: Mapping[str, Any]


def pack(trained: Trained) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a model file.

    Raises
    ------
    ColorizeError
        The classifier is neither ``kernel`` nor ``vote``.

    See Also
    --------
    unpack : The way back.
    colorize.models.file.save_model : Writes it.
    """
    model = trained.model
    machine = model.classifier
    svm = machine.estimator_
    if not isinstance(svm, KernelMachine):
        raise ColorizeError(
            f"a model file cannot hold {type(svm).__name__}; train with classifier='vote' or 'kernel' to save the model"
        )
    if not isinstance(trained.parameters["classifier"], str):
        # Read back it would be called "kernel", and be trained anew with other parameters.
        raise ColorizeError(
            "a model file holds no parameters of a classifier that was handed in; train with classifier='kernel'"
        )
    parts = {"palette": model.palette, "extractor": model.extractor, "scaler": model.scaler}
    parts |= {"svm": svm, "calibration": machine}
    arrays = {}
    for name, (part, attribute, dtype, _) in _ARRAYS.items():
        value = model.sample[attribute] if part == "sample" else getattr(parts[part], attribute)
        # float16 for the large ones halves the file.
        arrays[name] = np.ascontiguousarray(value, dtype=dtype)
    if machine.partner_ is not None:
        for name, (attribute, layer, dtype, _) in _LAYERS.items():
            arrays[name] = np.ascontiguousarray(getattr(machine.partner_, attribute)[layer], dtype=dtype)
    arrays |= {_rule_name(name): rule.table for name, rule in trained.baselines.items()}
    families = model.scaler.families_
    header: dict[str, Any] = {
        "parameters": {name: plain(trained.parameters[name]) for name in _PARAMETERS},
        "families": {name: columns.stop - columns.start for name, columns in families.items()},
        "svm": {name: float(getattr(svm, name)) for name in _SVM},
        "summary": dict(trained.summary),
    }
    if "semantic" in families:
        # Columns of another encoder mean other things, and nothing else in the file would show it.
        header["encoder"] = read_encoder().digest
    if model.encoder_share:  # left out where it is 0: files from before it was asked keep their digest
        header["encoder_share"] = model.encoder_share
    if model.gain != GAIN:  # likewise
        header["gain"] = model.gain
    if model.thumbnails is not None:
        more_header, more_arrays = model.thumbnails.pack()
        header, arrays = header | more_header, arrays | more_arrays
    return header, arrays


def digest(trained: Trained) -> str:
    """Sha256 that the file of a model states of itself; see `colorize.models.file.model_digest`."""
    return model_digest(*pack(trained))


def unpack(path: str | Path, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Trained:
    """What `pack` was given, from what it gave.

    Raises
    ------
    ModelFileError
        Something is missing, superfluous, or does not fit the rest; `path` is named.

    See Also
    --------
    pack : The way there.
    colorize.models.file.load_model : Reads it.
    """
    with refusals(path, "parts of the model do not fit together", ModelFileError, (TypeError, ValueError)):
        return _unpacked(header, arrays)


def _unpacked(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Trained:
    header, arrays, thumbnails = Thumbnails.unpack(header, arrays)
    _check_arrays(arrays)
    _check_header(header)
    parameters = {**header["parameters"], "families": tuple(header["parameters"]["families"])}
    check_ranges(parameters)
    parameters["classifier"] = "vote" if "nets.weights.0" in arrays else "kernel"
    extractor = FeatureExtractor(parameters["families"], parameters["random_state"])
    parts: dict[str, Any] = {"palette": Palette(), "extractor": extractor, "scaler": Scaling()}
    parts |= {"svm": KernelMachine(), "calibration": CalibratedMachine()}
    for name, (part, attribute, _, _) in _ARRAYS.items():
        if part != "sample":
            setattr(parts[part], attribute, arrays[name])
    parts["scaler"].families_ = _slices(header["families"], parameters["families"])
    for name in _SVM:
        setattr(parts["svm"], name, header["svm"][name])
    _finish(parts, arrays, parameters["n_colors"])
    model = Model(
        palette=parts["palette"],
        scaler=parts["scaler"],
        classifier=parts["calibration"],
        n_superpixels=parameters["n_superpixels"],
        extractor=extractor,
        sample={name: arrays[f"sample.{name}"] for name in ("features", "ab", "photo")},
        thumbnails=thumbnails,
        random_state=parameters["random_state"],
        encoder_share=header.get("encoder_share", 0.0),
        gain=header.get("gain", GAIN),
    )
    rules = {name: _rule(name, arrays) for name in RULES}
    return Trained(model, parameters, rules, dict(header["summary"]))


def _finish(parts: Mapping[str, Any], arrays: Mapping[str, np.ndarray], n_colors: int) -> None:
    """Attributes that follow from the arrays; checks that arrays and parameters agree."""
    palette, classes = arrays["palette.colors"], arrays["calibration.classes"]
    # A digest says that a file is whole, not that its parts belong together.
    if n_colors != len(palette):
        raise ValueError(f"n_colors is {n_colors!r}, but the palette has {len(palette)}")
    if len(classes) < 2 or (np.diff(classes) <= 0).any() or classes[0] < 0 or classes[-1] >= n_colors:
        raise ValueError("classes must be at least two ascending palette indices")
    if (arrays["calibration.deviation"] <= 0).any():
        raise ValueError("calibration.deviation must be positive")
    n_features = len(arrays["scaler.mean"])
    if sum(columns.stop - columns.start for columns in parts["scaler"].families_.values()) != n_features:
        raise ValueError(f"families must have {n_features} columns together")
    svm, calibration = parts["svm"], parts["calibration"]
    # Kept at half precision, computed at single, for which there is BLAS.
    svm.landmarks_ = svm.landmarks_.astype(np.float32)
    n_margins = len(svm.intercept_)
    # After a new calibration margins are the base's palette's, whose entries are just numbered.
    svm.classes_ = calibration.margin_classes_ = classes if n_margins == len(classes) else np.arange(n_margins)
    calibration.estimator_ = svm
    if "nets.weights.0" in arrays:
        calibration.partner_ = nets = Committee()
        nets.classes_ = classes
        for attribute in ("weights_", "biases_"):
            layers = [name for name, (whose, *_) in _LAYERS.items() if whose == attribute]
            setattr(nets, attribute, tuple(arrays[name].astype(np.float32) for name in layers))


def _check_header(header: Mapping[str, Any]) -> None:
    """Every entry there, and the numbers that are used as they are within what they can mean."""
    entries = {"parameters": _PARAMETERS, "families": None, "svm": _SVM, "summary": None}
    unknown = set(header) - {"encoder", "encoder_share", "gain"} ^ set(entries)
    if unknown:
        raise ValueError(f"header entries missing or unknown: {', '.join(sorted(unknown))}")
    for name, keys in entries.items():
        if not isinstance(header[name], dict) or (keys and set(header[name]) != set(keys)):
            raise ValueError(f"{name} must hold {', '.join(keys or ['names'])}")
    seeing = "semantic" in header["families"]
    if header.get("encoder") != (read_encoder().digest if seeing else None):
        raise ValueError("trained with another encoder than this version has; train it again")
    share = header.get("encoder_share", 0)
    if not isinstance(share, (int, float)) or not 0 <= share < 1 or (share and not seeing):
        raise ValueError(f"encoder_share must be from 0 to below 1, got {share!r}")
    gain = header.get("gain", GAIN)
    if not isinstance(gain, (int, float)) or not 1 <= gain <= 3:
        raise ValueError(f"gain must be from 1 to 3, got {gain!r}")
    for name in _SVM:
        value = header["svm"][name]
        # A right digest does not make them sensible: below 0 the kernel would grow without bound.
        if not isinstance(value, (int, float)) or not 0 < value < 1e6:
            raise ValueError(f"{name} must be a number between 0 and 1e6, got {value!r}")


def _check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Every array there, of its dtype, and the sizes the same wherever a letter stands."""
    shapes = {name: (dtype, shape) for name, (_, _, dtype, shape) in _ARRAYS.items()}
    if any(name in arrays for name in _LAYERS):
        shapes |= {name: (dtype, shape) for name, (_, _, dtype, shape) in _LAYERS.items()}
    wanted = {*shapes, *map(_rule_name, RULES)}
    if set(arrays) != wanted:
        raise ValueError(f"arrays missing or unknown: {', '.join(sorted(set(arrays) ^ wanted))}")
    sizes: dict[str, int] = {}
    for name, (dtype, shape) in shapes.items():
        array = arrays[name]
        if array.dtype != dtype or array.ndim != len(shape):
            raise ValueError(f"{name} must be {dtype} with {len(shape)} dimensions, got {array.dtype} {array.shape}")
        for size, wish in zip(array.shape, shape, strict=True):
            if isinstance(wish, int):
                expected = wish
            else:
                # Known by now: the arrays are in the order of the table above.
                expected = sizes["M"] + 1 if wish == "M+1" else sizes.setdefault(wish, size)
            if size != expected:
                raise ValueError(f"{name} has shape {array.shape}, expected {expected} where it has {size}")
            # A model without remembered regions is whole; it only has no examples to show.
            if size == 0 and wish != "S":
                raise ValueError(f"{name} is empty")


def _rule_name(name: str) -> str:
    return "baseline." + name.replace(" + ", "_").replace(" ", "_")


def _rule(name: str, arrays: Mapping[str, np.ndarray]) -> Lookup:
    table = arrays[_rule_name(name)]
    if table.shape != (*RULES[name], 2) or table.dtype != np.float32:
        raise ValueError(f"the table of {name} has shape {table.shape}, {table.dtype}")
    return Lookup(table)


def _slices(sizes: Mapping[str, int], families: Sequence[str]) -> dict[str, slice]:
    """Columns of every family, in the order that features have: a file keeps its header sorted by name."""
    if set(sizes) != set(families):
        raise ValueError(f"families must be {', '.join(families)}, got columns of {', '.join(sizes)}")
    slices, start = {}, 0
    for family in in_order(sizes):
        size = sizes[family]
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"family {family} must have a positive number of columns, got {size!r}")
        slices[family] = slice(start, start + size)
        start += size
    return slices
