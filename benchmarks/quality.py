"""Quality of the classical model on BSDS500: ``python benchmarks/quality.py``.

Trains on ``../shared/data/bsds500/train`` (200 photographs), measures on ``val`` (100) at vividness 0, 0.5 and 1 beside
gray, the simple rules and the oracles, and prints the table with intervals, differences and costs, and whether its
probabilities mean what they say: log-loss, weighted by area, on a palette of 32 colours of the training photographs
(the benchmark's own, whatever palette the model has), and the calibration error of the likeliest colour. The tables
are kept as ``benchmarks/results/quality-DATE.md``. The measuring is that of `colorize.evaluation`.

``--limit N`` uses N photographs of each folder, ``--model FILE`` measures a trained model, ``--no-save`` keeps nothing,
``--train`` and ``--test`` name other folders.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import resource
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from colorize._support.statistics import Interval
from colorize.color import rgb_to_lab, to_gray
from colorize.colorizer import Colorizer
from colorize.evaluation.measure import FIGURES, EvaluationResult, Method, Observation, measure, only
from colorize.evaluation.oracles import ORACLES, true_region_ab, with_oracles
from colorize.evaluation.realism import RealismObserver
from colorize.features.superpixels import segment, working_shape
from colorize.recognition.rules import NO_COLOR
from colorize.training.dataset import TrainingSet, load_folder
from colorize.training.quantization import ColorPalette
from colorize.types import Colorization

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "bsds500"
DIALS = {"faithful (vividness 0)": 0.0, "default (0.5)": 0.5, "bold (1)": 1.0}
FAITHFUL = next(iter(DIALS))
N_COLORS = 32
N_BINS = 15
TINY = 1e-12  # a true colour of probability 0 costs 27.6 nats, not infinity


def main() -> None:
    """Train, measure, print, keep."""
    options = parse_arguments()
    test_set = load_folder(options.test, limit=options.limit, select=False)
    colorizer, training = trained(options)
    methods = methods_of(colorizer)
    realism = RealismObserver()
    believed = probability_observer(colorizer, options)
    observers = [only(methods.keys() - ORACLES, realism), only((FAITHFUL,), believed)]
    result = measure(methods, test_set.photos, names=test_set.names, observers=observers, progress=show)
    verdicts = realism.verdicts()
    honesty = honesty_of(believed)
    text = report(result, verdicts, training, test_set, honesty)
    print(text)
    if options.save:
        path = ROOT / "benchmarks" / "results" / f"quality-{datetime.date.today().isoformat()}.md"
        path.write_text(text + "\n", encoding="utf-8")
        print(f"kept as {path.relative_to(ROOT)}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, default=DATA / "train", metavar="FOLDER")
    parser.add_argument("--test", type=Path, default=DATA / "val", metavar="FOLDER")
    parser.add_argument("--limit", type=int, metavar="N")
    parser.add_argument("--model", type=Path, metavar="FILE")
    parser.add_argument("--save", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def trained(options: argparse.Namespace) -> tuple[Colorizer, dict[str, Any]]:
    """A model, and what its training took."""
    if options.model:
        return Colorizer.load(options.model), {"model": options.model.name}
    training_set = load_folder(options.train, limit=options.limit)
    start = time.process_time()
    colorizer = Colorizer(random_state=0).fit(training_set.photos, progress=show)
    spent = time.process_time() - start
    # kilobytes on Linux, bytes on macOS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return colorizer, {"photographs": len(training_set), "cpu_seconds": spent, "peak_bytes_of_the_process": peak}


def probability_observer(colorizer: Colorizer, options: argparse.Namespace) -> ProbabilityObserver:
    """Watch the probabilities of the model on a palette of the training photographs."""
    blocks = []
    for photo in load_folder(options.train, limit=options.limit).photos:
        shape = working_shape(photo.shape)
        superpixels = segment(cv2.resize(to_gray(photo).lightness, shape[::-1], interpolation=cv2.INTER_AREA))
        share = superpixels.areas / superpixels.areas.sum()
        blocks.append(np.column_stack([true_region_ab(rgb_to_lab(photo.pixels)[..., 1:], superpixels), share]))
    ab, area = np.split(np.concatenate(blocks), [2], axis=1)
    palette = ColorPalette(N_COLORS, random_state=0).fit(ab, sample_weight=area.ravel())
    return ProbabilityObserver(palette, translation(colorizer.palette_, palette, ab, area.ravel()))


def honesty_of(believed: ProbabilityObserver) -> dict[str, float]:
    """Log-loss of the model and of the class frequencies of the training photographs, and the calibration error."""
    probabilities, truth, weights = believed.found()
    frequencies = np.tile(believed.palette.frequencies_, (len(truth), 1))
    loss, blind = (log_loss(rows, truth, weights) for rows in (probabilities, frequencies))
    stated, true, mass = reliability(probabilities, truth, weights)
    return {
        "log_loss": loss,
        "class_frequencies": blind,
        "gain": blind - loss,
        "calibration_error": float(mass @ np.abs(stated - true)),
    }


def log_loss(probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """Weighted mean of ``-log p(true colour)`` in nats; lower is better."""
    given = np.maximum(probabilities[np.arange(len(truth)), truth], TINY)
    return float(-np.average(np.log(given), weights=weights))


def reliability(
    probabilities: np.ndarray, truth: np.ndarray, weights: np.ndarray, n_bins: int = N_BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per bin, from the least sure regions to the surest: probability of the likeliest colour, share where it is the
    true one, and share of all weight.

    Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015; the bins
    of equal mass: Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural language processing
    models", EMNLP 2015.
    """
    share = weights / weights.sum()
    top = probabilities.argmax(axis=1)
    sure, right = probabilities[np.arange(len(top)), top], top == truth
    # Bins of equal mass, not of equal width: few regions are sure of one colour among many, and the
    # accuracy of a nearly empty bin is noise.
    order = np.argsort(sure, kind="stable")
    middle = np.cumsum(share[order]) - share[order] / 2
    bins = np.empty(len(order), np.intp)
    bins[order] = (middle * n_bins).astype(np.intp)
    mass = np.bincount(bins, share, minlength=n_bins)
    # A large region can reach over several bins; those in between stay empty, and would be 0 / 0.
    filled = mass > 0
    stated, true = (np.bincount(bins, share * of, minlength=n_bins)[filled] / mass[filled] for of in (sure, right))
    return stated, true, mass[filled]


def translation(source: ColorPalette, target: ColorPalette, ab: Any, weights: Any = None) -> np.ndarray:
    """How the colours of one palette fall to those of another, shape (n_source, n_target); rows sum to 1.

    ``probabilities @ translation(...)`` are probabilities over the other palette, so that models with palettes of their
    own are measured on a common one. A source colour is shared as the regions nearest to it are (`ab`, weighed by
    `weights`); with equal palettes nothing changes.
    """
    counts = np.zeros((len(source.colors_), len(target.colors_)))
    np.add.at(counts, (source.encode(ab), target.encode(ab)), 1.0 if weights is None else np.asarray(weights))
    unseen = np.flatnonzero(counts.sum(axis=1) == 0)
    counts[unseen, target.encode(source.colors_[unseen])] = 1
    return counts / counts.sum(axis=1, keepdims=True)


class ProbabilityObserver:
    """Collects, while a comparison runs, what a model believes of every region, and what is true.

    Photographs weigh the same, regions by their areas within them; photographs without truth are left out. `table` is
    the `translation` from the palette of the model to `palette`.
    """

    def __init__(self, palette: ColorPalette, table: np.ndarray) -> None:
        self.palette, self.table = palette, table
        self._blocks: list[tuple[np.ndarray, ...]] = []

    def __call__(self, observation: Observation) -> None:
        """Keep the regions of one photograph."""
        result = observation.prediction
        if not observation.has_truth or not isinstance(result, Colorization):
            return
        true_ab = rgb_to_lab(observation.photo.pixels)[..., 1:]
        truth = self.palette.encode(true_region_ab(true_ab, result.superpixels))
        areas = result.superpixels.areas
        self._blocks.append((result.probabilities @ self.table, truth, areas / areas.sum()))

    def found(self) -> list[np.ndarray]:
        """Probabilities, true palette indices and weights of all regions, as `reliability` and `log_loss` take them."""
        return [np.concatenate(blocks) for blocks in zip(*self._blocks, strict=True)]


def methods_of(colorizer: Colorizer) -> dict[str, Method]:
    """Gray, the rules, the model at its settings, the oracles of the faithful setting."""
    ideal = with_oracles(colorizer, vividness=0.0)
    methods: dict[str, Method] = {"gray": NO_COLOR, **colorizer.baselines_, FAITHFUL: ideal.pop("model")}
    methods |= {name: partial(colorizer.predict, vividness=dial) for name, dial in list(DIALS.items())[1:]}
    return methods | ideal


def report(
    result: EvaluationResult,
    verdicts: dict[str, Interval],
    training: dict[str, Any],
    test_set: TrainingSet,
    honesty: dict[str, float],
) -> str:
    """The tables as Markdown."""
    lines = [
        f"# Quality, {datetime.date.today().isoformat()}",
        "",
        f"`python benchmarks/quality.py`; {len(test_set)} photographs measured; "
        + ", ".join(f"{name.replace('_', ' ')} {in_words(name, value)}" for name, value in training.items())
        + f"; Python {platform.python_version()}, {platform.machine()}.",
        "",
        "Means over photographs, colour errors before gamut mapping; 95 % bootstrap intervals over photographs.",
        "",
        *figure_table(result),
        "",
        *difference_table(result),
        "",
        *cost_table(result, verdicts),
        "",
        f"Probabilities of {N_COLORS} colours, weighted by area: log-loss {honesty['log_loss']:.3f} nats, that of the "
        f"class frequencies of the training photographs {honesty['class_frequencies']:.3f}, so {honesty['gain']:.3f} "
        f"below; expected calibration error of the likeliest colour, {N_BINS} bins of equal mass, "
        f"{honesty['calibration_error']:.3f}.",
    ]
    return "\n".join(lines)


def figure_table(result: EvaluationResult) -> list[str]:
    """All figures of all methods."""
    means, intervals = result.means(), result.intervals()
    lines = [
        "| | " + " | ".join(figure.title for figure in FIGURES.values()) + " | CIEDE2000, interval |",
        "|---" * (len(FIGURES) + 2) + "|",
    ]
    for method, row in means.items():
        numbers = [format(row[name], figure.form) for name, figure in FIGURES.items()]
        limits = intervals[method]["ciede2000"]
        between = f"{limits.low:.2f} to {limits.high:.2f}" if limits.known else ""
        lines.append(f"| {method} | " + " | ".join(numbers) + f" | {between} |")
    return lines


def difference_table(result: EvaluationResult) -> list[str]:
    """Paired differences of the model at each setting from the rules."""
    lines = ["| difference on the same photographs | CIEDE2000 | ab-L2 | AuC |", "|---|---|---|---|"]
    for dial in DIALS:
        for other, row in result.differences(dial).items():
            if other not in ORACLES and other not in DIALS:
                cells = (str(row[name]) for name in ("ciede2000", "ab_l2", "auc"))
                lines.append(f"| {dial} − {other} | " + " | ".join(cells) + " |")
    return lines


def cost_table(result: EvaluationResult, verdicts: dict[str, Interval]) -> list[str]:
    """Time, and how often a small classifier recognises the results."""
    lines = ["| | CPU seconds per photograph | told from real |", "|---|---|---|"]
    for method, columns in result.costs.items():
        if method not in ORACLES:
            told = f"{verdicts[method].value:.0%}" if method in verdicts else ""
            lines.append(f"| {method} | {columns['cpu_seconds'].mean():.3f} | {told} |")
    return lines


def in_words(name: str, value: Any) -> str:
    """A number with its unit."""
    if name.startswith("peak_bytes"):
        return f"{value / 1e9:.2f} GB"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def show(stage: str, done: int, total: int) -> None:
    """One line per stage on the terminal."""
    if sys.stderr.isatty():
        print(f"\r{stage} {done}/{total}   ", end="\n" if done == total else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
