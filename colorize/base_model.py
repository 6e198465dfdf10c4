"""Own photographs on top of a base model: what the base has learnt is kept if that helps, and left if it does not.

A base has seen many photographs, of other kinds. Its support vector machine says what a region looks like; its
calibration says which colours things of that look have. The second is what differs from one kind of photograph to the
next, and little data tells it: so the calibration is fitted anew, to a palette of one's own, and the machine is kept.
With many photographs of an unusual kind a machine of one's own is better. Photographs that are held out decide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from colorize.classifier import CalibratedClassifier, FamilyScaler
from colorize.exceptions import DatasetError
from colorize.palette import ColorPalette
from colorize.types import Float32

__all__ = [
    "Choice",
    "check_base",
    "choose",
    "describe_choice",
    "learn_alone",
    "recalibrate",
    "region_error",
    "region_probabilities",
]

_HELD_OUT = 0.2
_FEWEST_PHOTOS = 5  # with fewer, nothing is held out
_PENALTY = 0.5  # over the number of photographs: with 15 a penalty of 0.03 served best, with 160 one of 0.003


@dataclass(frozen=True)
class Choice:
    """What the held-out photographs said.

    Attributes
    ----------
    n_photos : int
        Photographs held out; 0 if there were too few to hold any out.
    own : float
        CIEDE2000 of a model of the other photographs alone; NaN, like the next two, if nothing was held out.
    recalibrated : float
        CIEDE2000 of the base with a calibration of the other photographs.
    base : float
        CIEDE2000 of the base as it is.
    """

    n_photos: int = 0
    own: float = math.nan
    recalibrated: float = math.nan
    base: float = math.nan

    @property
    def keeps_base(self) -> bool:
        """Whether the machine of the base is kept: it did no worse, or there was nothing to compare."""
        return not self.recalibrated > self.own


def check_base(colorizer: Any, base: Any) -> None:
    """Check that a fitted base cuts and describes photographs as the new model will.

    Raises
    ------
    ValueError
        It differs in the number of superpixels or in the families.
    sklearn.exceptions.NotFittedError
        It is not fitted.
    """
    check_is_fitted(base, "classifier_")
    for name in ("n_superpixels", "families"):
        ours, theirs = getattr(colorizer, name), getattr(base, name)
        if (set(ours) != set(theirs)) if name == "families" else (ours != theirs):
            raise ValueError(f"{name} must be that of the base, {theirs!r}, got {ours!r}")


def choose(
    rows: Mapping[str, Any], palette: ColorPalette, base: Any, machine: CalibratedClassifier, random_state: int
) -> Choice:
    """Hold out a fifth of the photographs, and try on them what the others can make of the base and without it.

    The figure is the mean CIEDE2000 of the regions' colours at the faithful setting, before neighbours agree.

    Parameters
    ----------
    rows : mapping
        As `Colorizer.learn` takes them.
    palette : ColorPalette
        Of all rows.
    base : Colorizer
    machine : CalibratedClassifier
        What a model of its own would use, not fitted.
    random_state : int
    """
    names = np.unique(rows["photo"])
    if len(names) < _FEWEST_PHOTOS:
        return Choice()
    drawn = np.random.default_rng(random_state).permutation(len(names))[: round(_HELD_OUT * len(names))]
    held_out = np.isin(rows["photo"], names[drawn])
    part = {name: values if name == "families" else values[~held_out] for name, values in rows.items()}
    rest = {name: values if name == "families" else values[held_out] for name, values in rows.items()}

    def error(scaler: FamilyScaler, fitted: CalibratedClassifier, colors: ColorPalette = palette) -> float:
        return region_error(rest, region_probabilities(scaler, fitted, colors, rest["features"]), colors)

    return Choice(
        len(drawn),
        error(*learn_alone(part, palette, machine)),
        error(*recalibrate(part, palette, base)),
        error(base.scaler_, base.classifier_, base.palette_),
    )


def learn_alone(
    rows: Mapping[str, Any], palette: ColorPalette, machine: CalibratedClassifier
) -> tuple[FamilyScaler, CalibratedClassifier]:
    """Scaler and machine (a copy of the one given) fitted to these rows and nothing else."""
    palette_index = palette.encode(rows["ab"])
    if len(np.unique(palette_index)) < 2:
        raise DatasetError("all regions have one and the same colour of the palette: add other photographs")
    scaler = FamilyScaler(rows["families"]).fit(rows["features"])
    fitted = clone(machine).fit(
        scaler.transform(rows["features"]),
        palette_index,
        groups=rows["photo"],
        sample_weight=rows["area"],
    )
    return scaler, fitted


def recalibrate(rows: Mapping[str, Any], palette: ColorPalette, base: Any) -> tuple[FamilyScaler, CalibratedClassifier]:
    """Scaler and machine of the base, with a calibration for these rows and this palette."""
    alpha = _PENALTY / len(np.unique(rows["photo"]))
    machine = base.classifier_.recalibrated(
        base.scaler_.transform(rows["features"]),
        palette.encode(rows["ab"]),
        alpha=alpha,
        groups=rows["photo"],
        sample_weight=rows["area"],
    )
    return base.scaler_, machine


def region_probabilities(
    scaler: FamilyScaler, machine: CalibratedClassifier, palette: ColorPalette, features: Float32
) -> Float32:
    """Probability of every palette index, shape (n, n_colors); a colour never seen as a class gets 0."""
    probabilities = np.zeros((len(features), len(palette.colors_)), np.float32)
    with threadpool_limits(1, user_api="blas"):  # the same bits on any number of cores
        probabilities[:, machine.classes_] = machine.predict_proba(scaler.transform(features))
    return probabilities


def in_summary(choice: Choice) -> dict[str, Any]:
    """Entries of a model's summary that tell what was chosen."""
    entries: dict[str, Any] = {"machine": "base" if choice.keeps_base else "own", "held_out_photos": choice.n_photos}
    if choice.n_photos:
        tried = {"own": choice.own, "recalibrated": choice.recalibrated, "base": choice.base}
        entries |= {f"held_out_{name}": round(value, 3) for name, value in tried.items()}
    return entries


def describe_choice(summary: Mapping[str, Any]) -> str:
    """Tell in sentences what was made of the base; empty for a model without one."""
    if "machine" not in summary:
        return ""
    lines = [f"Base: {summary['base']}"] if "base" in summary else []
    if "held_out_own" not in summary:
        lines.append(
            "Chosen: the machine of the base with a new calibration. With fewer than "
            f"{_FEWEST_PHOTOS} photographs nothing can be held out to compare."
        )
        return "\n".join(lines)
    own, recalibrated, base = (summary[f"held_out_{name}"] for name in ("own", "recalibrated", "base"))
    kept = "the machine of the base with a new calibration" if summary["machine"] == "base" else "own photographs alone"
    lines.append(
        f"Chosen: {kept}. CIEDE2000 of the regions of {summary['held_out_photos']} photographs held out: "
        f"{own:.2f} from own photographs alone, {recalibrated:.2f} with the base calibrated anew, {base:.2f} with the "
        "base as it is."
    )
    if base < min(own, recalibrated):
        lines.append("The base as it is did best: use it, or add photographs.")
    lines.append(
        "Training anew on these photographs and those of the base together was not tried; the page on base models in "
        "the documentation says what that gave elsewhere."
    )
    return "\n".join(lines)


def region_error(rows: Mapping[str, Any], probabilities: Float32, palette: ColorPalette) -> float:
    """Mean over photographs of the area-weighted CIEDE2000; lightness is the same on both sides and plays no part."""
    from colorize.metrics import ciede2000  # compiled when first imported: nobody who only colorizes should wait for it

    decided = palette.decode(probabilities)
    lightness = np.full((len(decided), 1), 50, np.float32)
    error = ciede2000(np.hstack([lightness, rows["ab"]]), np.hstack([lightness, decided]))
    _, photo = np.unique(rows["photo"], return_inverse=True)
    totals = np.bincount(photo, rows["area"] * error) / np.bincount(photo, rows["area"])
    return float(totals.mean())
