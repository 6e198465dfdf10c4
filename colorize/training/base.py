"""What photographs that are held out decide: whether a base helps, how much the encoder counts, how strong colours are.

A base has seen many photographs, of other kinds. Its support vector machine says what a region looks like; its
calibration says which colours things of that look have. The second is what differs from one kind of photograph to the
next, and little data tells it: so the calibration is fitted anew, to a palette of one's own, and the machine is kept.
With many photographs of an unusual kind a machine of one's own is better.

The encoder says colours too, and of everyday things it knows more than 200 photographs teach; of a kind that is
narrower, such as portraits of one studio, they teach more than it knows (docs/colors.md).

And a model that is sure needs no help from the dial, where one that is not is pale: so the dial is set for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from colorize.model import Model
from colorize.recognition.decision import GAIN
from colorize.training.classifier import CalibratedClassifier
from colorize.training.quantization import ColorPalette
from colorize.training.recognizer import FittedRecognizer, chroma_share, learn_alone, recalibrate, region_error
from colorize.training.rows import TrainingRows

_HELD_OUT = 0.2
_SHARES = 0.0, 1 / 6, 1 / 3  # of the encoder: nothing, or up to as much as the machine and the nets each
_AS_COLORFUL = 0.73  # as held-out regions are, at vividness 0.5; about 0.5 of it is left in whole pictures
_GAINS = 1.1, 1.55  # bounds: the dial does something with every model, and overrules none
# A fifth of four is less than one photograph.
_FEWEST_PHOTOS = 5  # with fewer, nothing is held out


@dataclass(frozen=True)
class Choice:
    """What the held-out photographs said.

    Attributes
    ----------
    keeps_base : bool
        Whether the machine of the base is kept: it did no worse, or there was nothing to compare.
    encoder_share : float
        What the encoder should count beside the machine that is kept.
    gain : float
        Factor on the chroma of that machine at vividness 0.5.
    n_photos : int
        Photographs held out; 0 if there were too few to hold any out.
    errors : mapping of str to float
        CIEDE2000 of a model of the other photographs alone (``own``), of the base with a calibration of them
        (``recalibrated``) and of the ``base`` as it is, as far as they were tried.
    """

    keeps_base: bool
    encoder_share: float
    gain: float = GAIN
    n_photos: int = 0
    errors: Mapping[str, float] = field(default_factory=dict)


def check_base(base: Model, n_superpixels: int, families: Sequence[str]) -> None:
    """Check that a base cuts and describes photographs as the new model will.

    Raises
    ------
    ValueError
        It differs in the number of superpixels or in the families.

    See Also
    --------
    choose : The stage after.
    """
    # Margins were learnt on regions of that size and on those columns; on others they mean nothing.
    if n_superpixels != base.n_superpixels:
        raise ValueError(f"n_superpixels must be that of the base, {base.n_superpixels!r}, got {n_superpixels!r}")
    if set(families) != set(base.extractor.families):
        raise ValueError(f"families must be that of the base, {base.extractor.families!r}, got {families!r}")


def choose(
    rows: TrainingRows,
    palette: ColorPalette,
    base: FittedRecognizer | None,
    machine: CalibratedClassifier,
    random_state: int,
) -> Choice:
    """Hold out a fifth of the photographs, and try on them what the others can make of the base and without it.

    Each is tried with the encoder's own belief beside it too, if its family is among the features. The figure is the
    mean CIEDE2000 of the regions' colours at the faithful setting, before neighbours agree. The gain is what brings
    their chroma to a share of the true one that is the same for every model, within bounds.

    Parameters
    ----------
    rows : TrainingRows
    palette : ColorPalette
        Of all rows.
    base : FittedRecognizer or None
    machine : CalibratedClassifier
        What a model of its own would use, not fitted.
    random_state : int

    See Also
    --------
    colorize.training.recognizer.learn_alone : What is tried.
    colorize.training.recognizer.recalibrate : The same on the base.
    colorize.training.fit.learn : Does what was chosen.
    """
    names = np.unique(rows.photo)
    shares = _SHARES if "semantic" in rows.families else _SHARES[:1]
    if len(names) < _FEWEST_PHOTOS:
        # Nothing to choose by. So few teach less than the encoder knows.
        return Choice(base is not None, shares[-1])
    drawn = np.random.default_rng(random_state).permutation(len(names))[: round(_HELD_OUT * len(names))]
    # Whole photographs: a machine knows the regions of one it has learnt by their neighbours.
    held_out = np.isin(rows.photo, names[drawn])
    part, rest = rows.where(~held_out), rows.where(held_out)

    def error(model: FittedRecognizer) -> float:
        return region_error(rest, model.region_probabilities(rest.features), model.palette)

    def best(model: FittedRecognizer) -> tuple[float, float, float]:
        # What `region_probabilities` mixes, each asked once.
        alone = replace(model, encoder_share=0.0).region_probabilities(rest.features)
        seen = model.encoder_belief(rest.features) if any(shares) else alone
        said = {share: alone + np.float32(share) * (seen - alone) for share in shares}
        least, share = min((region_error(rest, said[share], model.palette), share) for share in shares)
        chroma = chroma_share(rest, said[share], model.palette)
        return least, share, round(float(np.clip(_AS_COLORFUL / max(chroma, 1e-6), *_GAINS)), 2)

    own, share, gain = best(learn_alone(part, palette, machine))
    if base is None:
        return Choice(False, share, gain, len(drawn), {"own": own})
    recalibrated, other_share, other_gain = best(recalibrate(part, palette, base))
    # The base as it is is no candidate, but told: whoever trains should see when it was of no use.
    errors = {"own": own, "recalibrated": recalibrated, "base": error(base)}
    if recalibrated <= own:
        return Choice(True, other_share, other_gain, len(drawn), errors)
    return Choice(False, share, gain, len(drawn), errors)


def in_summary(choice: Choice) -> dict[str, Any]:
    """Entries of a model's summary that tell what was chosen."""
    entries: dict[str, Any] = {"machine": "base" if choice.keeps_base else "own", "held_out_photos": choice.n_photos}
    return entries | {f"held_out_{name}": round(value, 3) for name, value in choice.errors.items()}


def describe_choice(summary: Mapping[str, Any], base_name: str | None = None) -> str:
    """Tell in sentences what was made of the base, which may have a name; empty for a model without one."""
    if "machine" not in summary:
        return ""
    lines = [f"Base: {summary['base']}{f' ({base_name})' if base_name else ''}"] if "base" in summary else []
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
