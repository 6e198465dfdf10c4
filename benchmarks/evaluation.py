"""What measuring costs beside colorizing: ``python benchmarks/evaluation.py``.

Everything that ``colorize evaluate --html --csv --json`` does after the photographs are read, as a multiple of
colorizing the same photographs with the model and scoring that one method with all figures. One thread, CPU seconds,
all sides in one run: the model alone is measured first and last, and averaged.

``--test FOLDER`` (default ``../shared/data/bsds500/val``), ``--limit N``, ``--model FILE``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
from threadpoolctl import threadpool_limits

from colorize.colorizer import Colorizer
from colorize.evaluation.measure import EvaluationResult, measure
from colorize.evaluation.oracles import ORACLES, with_oracles
from colorize.evaluation.report import evaluation_report
from colorize.evaluation.run import Evaluation, evaluate_model
from colorize.models import find_model
from colorize.recognition.rules import NO_COLOR, RULES
from colorize.training.dataset import load_folder

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "bsds500"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", type=Path, default=DATA / "val", metavar="FOLDER")
    parser.add_argument("--limit", type=int, metavar="N")
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    photos = load_folder(options.test, limit=options.limit, select=False).photos
    with threadpool_limits(1):
        print(table(Colorizer.load(find_model(options.model)), photos))


def table(colorizer: Colorizer, photos: Any) -> str:
    """Seconds per photograph and multiples of the model alone, as Markdown."""
    first = photos[:1]
    evaluation_report(evaluate_model(colorizer, first, pictures=True))  # compiled kernels, fonts
    model = {"model": with_oracles(colorizer)["model"]}
    everything = {"gray": NO_COLOR, **colorizer.baselines_, **with_oracles(colorizer)}
    _, before = timed(lambda: measure(model, photos))
    result, methods = timed(lambda: measure(everything, photos))
    found, evaluated = timed(lambda: evaluate_model(colorizer, photos, pictures=True))
    _, written = timed(lambda: write(found))
    _, after = timed(lambda: measure(model, photos))
    alone = (before + after) / 2
    rules, oracles = (spent(result, names) for names in (["gray", *RULES], ORACLES))
    rows = {
        "the model, colorized and scored": alone,
        "gray and three rules, colorized": rules,
        "three oracles, colorized": oracles,
        "seven more methods, scored": methods - alone - rules - oracles,
        "realism, pictures, memory": evaluated - methods,
        "report, JSON, CSV": written,
        "**everything**": evaluated + written,
        "all methods, colorized and scored": methods,
    }
    lines = [f"| {len(photos)} photographs, one thread | CPU s per photograph | x the model alone |", "|---|---:|---:|"]
    lines += [f"| {name} | {value / len(photos):.4f} | {value / alone:.2f} |" for name, value in rows.items()]
    return "\n".join([*lines, "", f"Everything over all methods: {(evaluated + written) / methods:.2f}."])


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """Call, and say how many CPU seconds that took."""
    start = time.process_time()
    value = function()
    return value, time.process_time() - start


def spent(result: EvaluationResult, names: Any) -> float:
    """CPU seconds that these methods took to colorize."""
    return float(sum(result.costs[name]["cpu_seconds"].sum() for name in names))


def write(found: Evaluation) -> None:
    """Make all that the command writes."""
    evaluation_report(found)
    found.to_json()
    found.result.to_csv()


if __name__ == "__main__":
    main()
