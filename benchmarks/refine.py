"""The refiner and the rivals, measured: ``python benchmarks/refine.py bsds|landscape|frozen|speed``.

``bsds`` trains the classical model, a refiner of it and the rival ``unet`` with ``l1`` on
``../shared/data/bsds500/train`` and measures them on ``val``. ``landscape`` trains everything for equal CPU-minutes on
one category, four fifths of its photographs, and measures on the last fifth. ``frozen`` asks on the photographs of
``bsds`` what ImageNet is worth to a frozen encoder: the rival ``lite0`` with ``l1``, with the weights of
``--encoder FILE`` (docs/refine.md tells how to get them) and with random ones. ``speed`` times the refinement of a
small and a large photograph, each in a process of its own. Tables are kept as
``benchmarks/results/refine-WHAT-DATE.md``, figures as ``.json``.

One thread. ``--minutes N`` sets the CPU-minutes of the rivals, ``--refiner-minutes N`` those of the refiner. Trained
models are kept in ``--work FOLDER`` and used again if they are there.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from colorize._support.tables import write_json
from colorize.color import to_gray
from colorize.colorizer import Colorizer
from colorize.evaluation.measure import FIGURES, EvaluationResult, Method, measure
from colorize.io import read_photo
from colorize.recognition.rules import NO_COLOR
from colorize.refine.predictor import Refiner, Rival
from colorize.training.dataset import load_folder
from colorize.types import GrayImage, RgbImage

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
LARGE = DATA / "large"
SHOWN = ("ciede2000", "ab_l2", "auc", "auc_rebalanced", "ssim", "colorfulness_ratio")
LANDSCAPE_RIVALS = (
    ("unet", "l1"),
    ("unet", "l2"),
    ("unet", "l1+gan"),
    ("unet", "l1+wgan-gp"),
    ("unet", "classification"),
    ("unet-large", "l1"),
    ("unet-large", "l1+gan"),
    ("resnet50", "l1"),
)
CLASSICAL, REFINED = "classical", "classical + refiner"


def main() -> None:
    """Train what is missing, measure, print, keep."""
    options = parse_arguments()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    text, content = {"bsds": bsds, "landscape": landscape, "frozen": frozen, "speed": speed}[options.what](options)
    print(text)
    if options.save:
        stem = ROOT / "benchmarks" / "results" / f"refine-{options.what}-{datetime.date.today().isoformat()}"
        stem.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
        if content:
            stem.with_suffix(".json").write_text(write_json(content) + "\n", encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("bsds", "landscape", "frozen", "speed"))
    parser.add_argument("--work", type=Path, default=Path("refine-benchmark"), metavar="FOLDER")
    parser.add_argument("--minutes", type=float, default=12.0, metavar="N")
    parser.add_argument("--refiner-minutes", type=float, default=10.0, metavar="N")
    parser.add_argument("--batch-size", type=int, default=16, metavar="N", help="of the rivals")
    parser.add_argument("--category", type=Path, default=DATA / "categories" / "landscape", metavar="FOLDER")
    parser.add_argument("--encoder", type=Path, metavar="FILE", help="ImageNet weights of EfficientNet-Lite0")
    parser.add_argument("--save", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def bsds(options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The figures that the project asks of its networks."""
    train = load_folder(DATA / "bsds500" / "train").photos
    test = load_folder(DATA / "bsds500" / "val", select=False)
    return compared("bsds500/train and val", train, test.photos, (("unet", "l1"),), options)


def frozen(options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """One generator with a frozen encoder that has seen ImageNet, and with one that has seen nothing."""
    train = load_folder(DATA / "bsds500" / "train").photos
    test = load_folder(DATA / "bsds500" / "val", select=False).photos
    base = kept(options.work / "bsds500-classical.safetensors", Colorizer.load, lambda: Colorizer().fit(train))
    methods: dict[str, Method] = {"gray": NO_COLOR, **base.baselines_}
    methods[CLASSICAL] = partial(base.predict, vividness=0.0)
    networks: dict[str, Any] = {}
    for knowledge, encoder in (("ImageNet", options.encoder), ("random", None)):
        title, file = f"lite0, l1, {knowledge}", options.work / f"bsds500-lite0-{knowledge}.safetensors"
        make = partial(train_rival, "lite0", "l1", train, options, encoder)
        networks[title] = kept(file, partial(Rival.load, device="cpu"), make)
        methods[title] = partial(networks[title].predict, vividness=0.0)
    result = measure(methods, test)
    return report("bsds500/train and val", result, networks, dict.fromkeys(networks, options.minutes), len(train)), {}


def landscape(options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """All rivals on one category."""
    kept, held_out = load_folder(options.category).split(0.2, random_state=0)
    return compared(options.category.name, kept.photos, held_out.photos, LANDSCAPE_RIVALS, options)


def compared(
    name: str,
    train: Sequence[RgbImage],
    test: Sequence[RgbImage],
    rivals: Sequence[tuple[str, str]],
    options: argparse.Namespace,
) -> tuple[str, dict[str, Any]]:
    """Train on some photographs and measure on others, everything beside the simple rules."""
    prefix = f"{name.split('/')[0]}-"
    base = kept(options.work / f"{prefix}classical.safetensors", Colorizer.load, lambda: Colorizer().fit(train))
    refiner = kept(
        options.work / f"{prefix}refiner.safetensors",
        partial(Refiner.load, base=base, device="cpu"),
        lambda: Refiner(base, minutes=options.refiner_minutes, device="cpu").fit(train),
    )
    methods: dict[str, Method] = {"gray": NO_COLOR, **base.baselines_}
    methods[CLASSICAL] = partial(base.predict, vividness=0.0)
    methods[REFINED] = partial(refiner.predict, vividness=0.0)
    networks: dict[str, Refiner | Rival] = {REFINED: refiner}
    histories: dict[str, list[dict[str, float]]] = {}
    for generator, objective in rivals:
        title = f"{generator}, {objective}"
        file = options.work / f"{prefix}{generator}-{objective}.safetensors".replace("+", "-")
        networks[title] = kept(
            file,
            partial(Rival.load, device="cpu"),
            partial(train_rival, generator, objective, train, options),
        )
        methods[title] = partial(networks[title].predict, vividness=0.0)
        if history_file(file).exists():
            histories[title] = json.loads(history_file(file).read_text(encoding="utf-8"))
    result = measure(methods, test)
    minutes = dict.fromkeys(networks, options.minutes) | {REFINED: options.refiner_minutes}
    text = report(name, result, networks, minutes, len(train))
    return text, {
        "means": result.means(),
        "intervals": result.intervals(),
        "differences": result.differences(CLASSICAL),
        "histories": histories,
    }


def train_rival(
    generator: str,
    objective: str,
    train: Sequence[RgbImage],
    options: argparse.Namespace,
    encoder: Path | None = None,
) -> Rival:
    """One rival, for so many CPU-minutes."""
    rival = Rival(generator, objective, encoder, minutes=options.minutes, batch_size=options.batch_size, device="cpu")
    return rival.fit(train)


def kept(path: Path, load: Callable[[Path], Any], make: Callable[[], Any]) -> Any:
    """A model from its file, or made and written to it."""
    if not path.exists():
        start = time.process_time()
        made = make()
        made.save(path)
        history_file(path).write_text(json.dumps(getattr(made, "history_", [])), encoding="utf-8")
        print(f"{path.stem}: {time.process_time() - start:.0f} CPU-seconds, {made.summary_}", flush=True)
    return load(path)


def history_file(path: Path) -> Path:
    """Where the history of a training stays."""
    return path.with_suffix(".history.json")


def report(
    name: str,
    result: EvaluationResult,
    networks: dict[str, Any],
    minutes: dict[str, float],
    n_train: int,
) -> str:
    """The tables as Markdown."""
    means, intervals = result.means(), result.intervals()
    lines = [
        f"# Refiner and rivals on {name}, {datetime.date.today().isoformat()}",
        "",
        f"{n_train} photographs trained on, {result.n_photos} others measured; vividness 0; one thread; "
        f"Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()}. Means over photographs, "
        "95 % bootstrap intervals.",
        "",
        "| | " + " | ".join(FIGURES[figure].title for figure in SHOWN) + " | CIEDE2000, interval | CPU s per photo |",
        "|---" * (len(SHOWN) + 3) + "|",
    ]
    for method, row in means.items():
        cells = [format(row[figure], FIGURES[figure].form) for figure in SHOWN]
        limits = intervals[method]["ciede2000"]
        seconds = result.costs[method]["cpu_seconds"].mean()
        lines.append(
            f"| {method} | " + " | ".join(cells) + f" | {limits.low:.2f} to {limits.high:.2f} | {seconds:.3f} |"
        )
    lines += ["", "| network | weights | CPU-minutes | epochs | best epoch | CIEDE2000 held out, before and after |"]
    lines.append("|---|---|---|---|---|---|")
    for title, model in networks.items():
        summary = model.summary_
        n_weights = sum(weights.numel() for weights in model.network_.parameters())
        lines.append(
            f"| {title} | {n_weights / 1e6:.2f} M | {minutes[title]:g} | {summary['n_epochs']} | "
            f"{summary['best_epoch']} | {summary['ciede2000_before']:.2f}, {summary['ciede2000_held_out']:.2f} |"
        )
    lines += ["", "| difference on the same photographs | CIEDE2000 | ab-L2 | AuC |", "|---|---|---|---|"]
    for other in networks:
        change = result.differences(other)[CLASSICAL]
        lines.append(f"| {other} − classical | {change['ciede2000']} | {change['ab_l2']} | {change['auc']} |")
    lookup = means["L + height lookup"]["ciede2000"]
    lines += ["", "CIEDE2000 as a share of that of the L + height lookup: " + ", ".join(
        f"{method} {row['ciede2000'] / lookup:.3f}" for method, row in means.items() if method in (CLASSICAL, *networks)
    ) + "."]  # fmt: skip
    return "\n".join(lines)


def speed(options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """CPU seconds and memory with and without a refiner, each in a fresh process."""
    lines = [
        f"# Speed of the refiner, {datetime.date.today().isoformat()}",
        "",
        "Classical model of `bsds` alone and with its refiner; one thread; median of five (0.15 MP) or of two runs.",
        "",
        "| photograph | classical, CPU s | with refiner, CPU s | refinement alone, s | ratio | peak GB, with refiner |",
        "|---|---|---|---|---|---|",
    ]
    for megapixels, repeats in ((0.154, 5), (12.0, 2)):
        found = [
            json.loads(
                subprocess.run(
                    [sys.executable, "-c", _PROBE, str(options.work), str(megapixels), str(repeats), str(int(refined))],
                    env={**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
                    check=True, capture_output=True, text=True,
                ).stdout
            )
            for refined in (False, True)
        ]  # fmt: skip
        plain_run, refined_run = found
        lines.append(
            f"| {megapixels:g} MP | {plain_run['seconds']:.2f} | {refined_run['seconds']:.2f} | "
            f"{refined_run['refinement']:.3f} | {refined_run['seconds'] / plain_run['seconds']:.2f} | "
            f"{refined_run['peak']:.2f} |"
        )
    return "\n".join(lines), {}


_PROBE = "import sys; from benchmarks.refine import probe; probe(*sys.argv[1:])"


def probe(work: str, megapixels: str, repeats: str, refined: str) -> None:
    """Time one photograph; runs in a process of its own."""
    import cv2
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    file = next(iter(sorted(LARGE.glob("landscape_valley*"))), None)
    pixels = (
        read_photo(file).pixels if file else np.tile(np.arange(256, dtype=np.uint8), (256, 1))[..., None].repeat(3, 2)
    )
    scale = (float(megapixels) * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
    gray = to_gray(RgbImage(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)))
    del pixels
    model: Any = Colorizer.load(Path(work) / "bsds500-classical.safetensors")
    if int(refined):
        model = Refiner.load(Path(work) / "bsds500-refiner.safetensors", model, device="cpu")
    times, refinement = [], []
    with threadpool_limits(1):
        for _ in range(int(repeats) + 1):  # the first run warms up
            start = time.process_time()
            model.predict(gray)
            times.append(time.process_time() - start)
            if int(refined):
                refinement.append(residual_seconds(model, gray))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(
        json.dumps({"seconds": np.median(times[1:]), "refinement": np.median(refinement[1:] or 0), "peak": peak / 1e9})
    )


def residual_seconds(refiner: Refiner, gray: GrayImage) -> float:
    """CPU seconds of the network alone, with what it needs to see."""
    session = refiner.base.open(gray)
    start = time.process_time()
    refiner.residual(session.description, session.guided.probabilities)
    return time.process_time() - start


if __name__ == "__main__":
    main()
