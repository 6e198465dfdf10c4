"""The methods of a comparison: simple rules, colour transfer and model files, all called in the same way."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from colorize.colorizer import Colorizer
from colorize.evaluation.head import encoder_ab
from colorize.evaluation.loader import NETWORKS, describe, load_any_model, network_facts
from colorize.evaluation.measure import Method
from colorize.evaluation.welsh import WelshTransfer
from colorize.exceptions import DatasetError
from colorize.features.encoder import read_encoder
from colorize.guidance.canvas import Canvas
from colorize.model import Photo, as_rgb_image, check_several
from colorize.models import available_models, find_model
from colorize.models.file import model_kind
from colorize.recognition.rules import NO_COLOR, Lookup, fit_rules
from colorize.types import GrayImage, RgbImage

__all__ = ["RULE_NAMES", "NamedMethod", "make_methods", "peak_memory", "stage_memory"]

RULE_NAMES = ("gray", "mean", "lookup", "welsh", "encoder", "encoder+levin")
"""What a comparison knows besides model files."""

_BASELINES = {"mean": "mean colour", "lookup": "L + height lookup"}


@dataclass(frozen=True, eq=False)
class NamedMethod:
    """A way to colorize, as a comparison shows it.

    Attributes
    ----------
    name : str
        Short and unique within the comparison.
    method : Method
        See `colorize.evaluation.measure.measure`.
    n_bytes : int
        What has to be stored for it: the model file, a table, samples of training photographs; 0 for nothing.
    description : str
        One sentence.
    vividness : float, optional
        The setting that it colours at; None for what has none, the simple rules and colour transfer.
    """

    name: str
    method: Method
    n_bytes: int
    description: str
    vividness: float | None = None


def make_methods(
    specs: Sequence[str], *, vividness: float = 0.5, references: Sequence[Photo] = ()
) -> list[NamedMethod]:
    """Turn the words of a command line into methods, each a `NamedMethod`.

    Parameters
    ----------
    specs : sequence of str
        ``gray``, ``mean``, ``lookup``, ``welsh``, ``encoder`` and ``encoder+levin`` (the encoder's own colours,
        enlarged or propagated), names of shipped models, or paths of model files.
    vividness : float
        Setting of the models.
    references : sequence of RgbImage or ndarray of shape (H, W, 3)
        Colour photographs for ``welsh``, and for the tables of ``mean`` and ``lookup``; without them, these two come
        out of the first model file of one's own, or else of the first shipped model (of the default one, if no model
        is named). Of several models their names tell which: ``lookup of mine``.

    Raises
    ------
    DatasetError
        ``welsh`` without references.
    ModelFileError
        A word that is neither a rule, nor a shipped model, nor a file; or a file that is no model.
    ValueError
        No method, or the same one twice.
    TypeError
        `specs` is one string.

    See Also
    --------
    colorize.evaluation.run.compare_methods : What they are made for.
    """
    if isinstance(specs, str):  # would be a method per letter
        raise TypeError(f"specs must be a sequence of names, got the string {specs!r}")
    if not specs:
        raise ValueError("name at least one method")
    paths = {spec: find_model(spec) for spec in specs if spec not in RULE_NAMES}
    # Names are the keys of all tables: the second would hide the first.
    meant = [paths[spec].resolve() if spec in paths else spec for spec in specs]
    repeated = [spec for spec, one in zip(specs, meant, strict=True) if meant.count(one) > 1]
    if repeated:
        raise ValueError(f"a method is named twice: {', '.join(repeated)}")
    check_several(references, "references")
    examples = [as_rgb_image(photo, number, "references") for number, photo in enumerate(references)]
    models = {spec: load_any_model(path) for spec, path in paths.items()}
    names = _short_names(paths)
    tables, teacher = _tables(specs, paths, models, examples)
    teachers = f"the training photographs of {names.get(teacher, teacher)}" if teacher else "the references"
    # With one model nobody takes them for those of another; tables and files show the name alone.
    suffix = f" of {names[teacher]}" if len(paths) > 1 and teacher in names else ""
    made = []
    for spec in specs:
        if spec in models:
            path = paths[spec]
            method = partial(models[spec].predict, vividness=vividness)
            network = f": {describe(network_facts(path))}" if model_kind(path) in NETWORKS else ""
            description = f"Model file {path.name}{network}."
            made.append(NamedMethod(names[spec], method, path.stat().st_size, description, vividness))
        elif spec == "gray":
            made.append(NamedMethod(spec, NO_COLOR, 0, "No colour at all."))
        elif spec == "welsh":
            made.append(_welsh(examples))
        elif spec.startswith("encoder"):
            made.append(_head(spec, vividness))
        else:
            table = tables[_BASELINES[spec]]
            what = "one colour for everything" if spec == "mean" else "mean colour by lightness and height"
            made.append(NamedMethod(f"{spec}{suffix}", table, table.table.nbytes, f"Of {teachers}: {what}."))
    return made


def peak_memory(function: Callable[..., object], *arguments: object) -> int:
    """Most bytes that Python and NumPy held at once during a call, beyond what they held before.

    Temporary buffers inside OpenCV and compiled kernels are not seen. The call takes longer than usual.
    """
    # A trace that the caller began must go on after this one; its peak alone is lost.
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        function(*arguments)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not was_tracing:
            tracemalloc.stop()


def stage_memory(colorizer: Colorizer, gray: GrayImage) -> dict[str, int]:
    """Peak memory of every stage of a model on one photograph, in bytes; see `peak_memory`."""
    model = colorizer.model
    # Once before they are traced: every stage needs what the one before gives.
    described = model.describe(gray)
    rows, regions = described.features.values, described.superpixels
    probabilities = model.region_probabilities(rows)
    region_ab = model.decide(described, probabilities).ab()
    stages: dict[str, Callable[[], object]] = {
        "description": lambda: model.describe(gray),
        "classifier": lambda: model.region_probabilities(rows),
        "decision": lambda: model.decide(described, probabilities),
        "propagation": lambda: Canvas.fitting(gray, regions).spread(region_ab),
        "whole photograph": lambda: colorizer.predict(gray),
    }
    return {name: peak_memory(function) for name, function in stages.items()}


def _head(spec: str, vividness: float) -> NamedMethod:
    levin = spec == "encoder+levin"
    how = "propagated to the pixels" if levin else "enlarged"
    description = f"What the encoder of the semantic features believes by itself, {how}: no regions, no classifier."
    method = partial(encoder_ab, vividness=vividness, levin=levin)
    return NamedMethod(spec, method, len(read_encoder().network), description, vividness)


def _welsh(references: Sequence[RgbImage]) -> NamedMethod:
    if not len(references):
        raise DatasetError("method welsh transfers colours from photographs: give some as references")
    transfer = WelshTransfer().fit(references)
    n_bytes = transfer.samples_.nbytes + transfer.tiny_.nbytes + transfer.tone_.nbytes
    description = f"Colour transfer from the nearest of {len(references)} photographs (Welsh et al. 2002)."
    return NamedMethod("welsh", transfer, n_bytes, description)


def _tables(
    specs: Sequence[str], paths: Mapping[str, Path], models: Mapping[str, Any], references: Sequence[RgbImage]
) -> tuple[Mapping[str, Lookup], str]:
    """The simple rules, and the model whose photographs they learnt from; none if it is the references."""
    if not any(spec in _BASELINES for spec in specs):
        return {}, ""
    if len(references):
        return fit_rules(references), ""
    # The rules of a model learnt from the photographs that it learnt from itself: whatever lies between
    # them is then the method, not the photographs. A model of one's own goes first, because it is the one
    # that is being judged: rules of other photographs are worse on these, and would flatter it.
    shipped = {model.path for model in available_models()}
    for spec in sorted(paths, key=lambda spec: paths[spec] in shipped):
        if getattr(models[spec], "baselines_", None):
            return models[spec].baselines_, spec
    # Without a model or references: the rules need no photographs of the user's then.
    return Colorizer.load(find_model("default")).baselines_, "default"


def _short_names(paths: Mapping[str, Path]) -> dict[str, str]:
    """File names without their ending; with their folders where two are equal; as they were said if those are too."""
    stems = [*RULE_NAMES, *(path.stem for path in paths.values())]
    names = {
        spec: path.stem if stems.count(path.stem) == 1 else f"{path.resolve().parent.name}/{path.stem}"
        for spec, path in paths.items()
    }
    return names if len(set(names.values())) == len(paths) else {spec: spec for spec in paths}
