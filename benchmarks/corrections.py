"""Learning from corrections: ``python benchmarks/corrections.py --cache FOLDER``.

Photographs of a kind are corrected one after the other, ten random regions each with their true colours, and learnt by
the default model (`colorize.training.corrections.learn_corrections`, as `colorize learn` does). Measured before and
after: the regions of the corrected photographs that nobody hinted at, and thirty photographs of the kind that were
never touched. Figures are the mean CIEDE2000 of regions at the faithful setting, before neighbours agree. The cache is
that of `categories.py`. In the same run: the same rows put into a support vector machine that is trained again with the
rows that the model file carries, own rows weighted five times.

``--strength 0.1 1`` tries several strengths.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from categories import KINDS, Photo, cached
from threadpoolctl import threadpool_limits

from colorize.color.metrics import ciede2000
from colorize.colorizer import Colorizer
from colorize.models import find_model
from colorize.training.classifier import CalibratedClassifier, KernelSVM
from colorize.training.corrections import learn_corrections
from colorize.types import Float32

N_HINTS, N_UNTOUCHED = 10, 30
SIZES = (1, 5, 20)
Probabilities = Callable[[Float32], Float32]


def main() -> None:
    """Correct, learn, measure, print."""
    options = parse_arguments()
    default = Colorizer.load(find_model("default"))
    print("| kind | corrected | how | hinted photographs, elsewhere | untouched photographs | CPU seconds |")
    print("|---|---|---|---|---|---|")
    with threadpool_limits(1, user_api="blas"):
        for kind in options.only:
            photos = cached(options.cache, f"categories/{kind}", default)
            for n in SIZES:
                measure(kind, photos, n, default, options.strength)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND")
    parser.add_argument("--strength", nargs="+", type=float, default=[0.02, 0.05, 0.1])
    return parser.parse_args()


def measure(kind: str, photos: Sequence[Photo], n: int, model: Colorizer, strengths: Sequence[float]) -> None:
    """Print the rows of one kind and number of corrected photographs."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(photos))
    corrected = [photos[i] for i in order[:n]]
    untouched = [photos[i] for i in order[-N_UNTOUCHED:]]
    hinted = [np.sort(rng.choice(len(photo.ab), N_HINTS, replace=False)) for photo in corrected]

    def line(name: str, probabilities: Probabilities, spent: float) -> None:
        elsewhere = np.mean(
            [error(model, probabilities, photo, rows) for photo, rows in zip(corrected, hinted, strict=True)]
        )
        others = np.mean([error(model, probabilities, photo, np.array([], int)) for photo in untouched])
        print(f"| {kind} | {n} | {name} | {elsewhere:.2f} | {others:.2f} | {spent:.1f} |", flush=True)

    line("before", model.model.region_probabilities, 0)
    for strength in strengths:
        start = time.process_time()
        learnt = model
        for photo, rows in zip(corrected, hinted, strict=True):
            learnt = learn_corrections(learnt, photo.features[rows], photo.ab[rows], strength=strength).colorizer
        line(f"learnt, strength {strength:g}", learnt.model.region_probabilities, time.process_time() - start)
    start = time.process_time()
    features = np.concatenate([photo.features[rows] for photo, rows in zip(corrected, hinted, strict=True)])
    ab = np.concatenate([photo.ab[rows] for photo, rows in zip(corrected, hinted, strict=True)])
    again = trained_again(model, features, ab)
    line("machine trained again", again, time.process_time() - start)


def trained_again(model: Colorizer, features: Float32, ab: Float32) -> Probabilities:
    """Train a machine on the rows of the model file and the hinted ones, these weighted five times."""
    sample = model.sample_
    rows = np.concatenate([sample["features"].astype(np.float32), model.scaler_.transform(features)])
    truth = model.palette_.encode(np.concatenate([sample["ab"].astype(np.float32), ab]))
    weight = np.where(np.arange(len(rows)) < len(sample["ab"]), 1, 5)
    photo = np.concatenate([sample["photo"], sample["photo"].max() + 1 + np.arange(len(ab)) // N_HINTS])
    repeated = np.repeat(np.arange(len(rows)), weight)
    machine = CalibratedClassifier(KernelSVM(random_state=0)).fit(
        rows[repeated], truth[repeated], groups=photo[repeated]
    )

    def probabilities(features: Float32) -> Float32:
        all_colors = np.zeros((len(features), len(model.palette_.colors_)), np.float32)
        all_colors[:, machine.classes_] = machine.predict_proba(model.scaler_.transform(features))
        return all_colors

    return probabilities


def error(model: Colorizer, probabilities: Probabilities, photo: Photo, left_out: np.ndarray) -> float:
    """Area-weighted CIEDE2000 of the regions of a photograph, some left out."""
    decided = model.palette_.decode(probabilities(photo.features))
    lightness = np.full((len(decided), 1), 50, np.float32)
    errors = ciede2000(np.hstack([lightness, photo.ab]), np.hstack([lightness, decided]))
    return float(np.average(errors, weights=np.where(np.isin(np.arange(len(errors)), left_out), 0, photo.areas)))


if __name__ == "__main__":
    main()
