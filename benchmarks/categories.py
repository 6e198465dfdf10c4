"""Models that know their kind: ``python benchmarks/categories.py --cache FOLDER``.

For each of the seven kinds of ``../shared/data/categories``: five folds by photograph with a fixed seed; on the
training folds a model of those photographs alone, and one on top of a base; which of the two counts is chosen inside
the training folds (`colorize.training.base.choose`), never by the photographs measured. Beside them gray, the mean
colour, the lookup by lightness and height, and the base as it is, on the same photographs.

The base of a kind is trained on ``cc0`` and four fifths of each *other* kind; it has seen no photograph of the kind at
all, so one base serves all five folds. It is never shipped. Its visual words are those of the default model (from
``cc0``).

Every photograph is described once and kept in the cache folder (about 2.5 GB; delete it when features or superpixels
change), at its working size, and measured there. Results per fold are kept there too, so that a run can be cut off and
continued: ``--afresh`` throws them away. ``--only face city`` measures some kinds, ``--no-save`` keeps no table.

``--few 10 25 50`` does something else: it trains on so many photographs of each kind, alone and on top of the default
model, and prints the error of the regions of the first fold (faithful, before neighbours agree).
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from colorize.color import lab_to_rgb, rgb_to_lab
from colorize.color.metrics import Truth, ciede2000, colorfulness
from colorize.colorizer import Colorizer
from colorize.features.superpixels import from_labels, region_means
from colorize.guidance.canvas import Canvas
from colorize.model import Description
from colorize.models import find_model
from colorize.recognition.rules import Lookup, fit_rules
from colorize.training.base import choose
from colorize.training.dataset import load_folder
from colorize.training.quantization import ColorPalette
from colorize.training.recognizer import FittedRecognizer, learn_alone, make_machine, recalibrate, region_error
from colorize.training.rows import TrainingRows, draw
from colorize.types import FeatureMatrix, Float32, GrayImage, RgbImage

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
KINDS = ("face", "city", "landscape150", "person", "animal", "buildings_hd", "landscape")
TARGETS = dict(zip(KINDS, (0.45, 0.85, 0.77, 0.91, 0.88, 0.89, 0.94), strict=True))
N_FOLDS = 5
BASE_ROWS = 40_000
DIALS = {"faithful": 0.0, "default": 0.5, "bold": 1.0}
SEED = 0


@dataclass(frozen=True)
class Photo:
    """A photograph from the cache: described, and with its true colours, at the working size."""

    features: Float32
    labels: np.ndarray
    pixels: np.ndarray
    ab: Float32

    @cached_property
    def lab(self) -> Float32:
        """True colours, shape (h, w, 3)."""
        return rgb_to_lab(self.pixels)

    @cached_property
    def areas(self) -> Float32:
        """Share of every region."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.ab))
        return (counts / counts.sum()).astype(np.float32)

    def description(self, families: Mapping[str, slice]) -> Description:
        """As `Model.describe` would give it."""
        names = tuple(f"column {i}" for i in range(self.features.shape[1]))
        matrix = FeatureMatrix(self.features, families, names)
        return Description(np.ascontiguousarray(self.lab[..., 0]), from_labels(self.labels), matrix)


def main() -> None:
    """Describe, train, measure, print, keep."""
    options = parse_arguments()
    default = Colorizer.load(find_model("default"))
    kinds = {kind: cached(options.cache, f"categories/{kind}", default) for kind in KINDS}
    if options.few:
        print_few(options, kinds, default)
        return
    others = cached(options.cache, "cc0", default)
    results = options.cache / "results"
    if options.afresh:
        shutil.rmtree(results, ignore_errors=True)
    results.mkdir(exist_ok=True)
    with threadpool_limits(1, user_api="blas"):
        for kind in options.only:
            missing = [k for k in range(N_FOLDS) if not (results / f"{kind}-{k}.json").is_file()]
            if missing:
                base = base_of(kind, kinds, others, default)
            for k in missing:
                show(f"{kind}: fold {k + 1} of {N_FOLDS}")
                rows = measure_fold(kinds[kind], k, base, default)
                (results / f"{kind}-{k}.json").write_text(json.dumps(rows), encoding="utf-8")
    folds = {
        kind: [json.loads((results / f"{kind}-{k}.json").read_text(encoding="utf-8")) for k in range(N_FOLDS)]
        for kind in options.only
    }
    text = report(folds)
    print(text)
    if options.save:
        path = ROOT / "benchmarks" / "results" / f"categories-{datetime.date.today().isoformat()}.md"
        path.write_text(text + "\n", encoding="utf-8")
        print(f"kept as {path.relative_to(ROOT)}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND")
    parser.add_argument("--afresh", action="store_true")
    parser.add_argument("--few", nargs="+", type=int, metavar="N")
    parser.add_argument("--save", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def cached(cache: Path, name: str, model: Colorizer) -> list[Photo]:
    """Photographs of a folder, described now or before."""
    folder = cache / name.replace("/", "_")
    if not (folder / "complete").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for index, photo in enumerate(load_folder(DATA / name).photos):
            show(f"{name}: {index}")
            described = model.model.describe(photo)
            size = described.lightness.shape[::-1]
            pixels = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
            ab = region_means(
                cv2.resize(rgb_to_lab(photo.pixels)[..., 1:], size, interpolation=cv2.INTER_AREA), described.superpixels
            )
            labels = described.superpixels.labels.astype(np.int16)
            np.savez(
                folder / f"{index:04}.npz", features=described.features.values, labels=labels, pixels=pixels, ab=ab
            )
        (folder / "complete").touch()
    return [read(path) for path in sorted(folder.glob("*.npz"))]


def read(path: Path) -> Photo:
    """One photograph from the cache."""
    with np.load(path) as arrays:
        return Photo(arrays["features"], arrays["labels"].astype(np.int32), arrays["pixels"], arrays["ab"])


def fold_of(photos: Sequence[Photo]) -> np.ndarray:
    """Fold of every photograph."""
    return np.random.default_rng(SEED).permutation(len(photos)) % N_FOLDS


def split(photos: Sequence[Photo], k: int) -> tuple[list[Photo], list[Photo]]:
    """Training and held-out photographs of fold k."""
    fold = fold_of(photos)
    kept = [photo for photo, number in zip(photos, fold, strict=True) if number != k]
    return kept, [photo for photo, number in zip(photos, fold, strict=True) if number == k]


def rows_of(photos: Sequence[Photo], families: Mapping[str, slice], per_photo: int) -> TrainingRows:
    """Training rows, as `Colorizer.learn` takes them."""
    blocks = []
    for number, photo in enumerate(photos):
        of = np.full(len(photo.ab), number, np.int32)
        regions = TrainingRows(photo.features, photo.ab, photo.areas, of, families)
        blocks.append(regions.where(draw(len(regions), per_photo, [SEED, number])))
    return TrainingRows.concatenate(blocks)


def base_of(kind: str, kinds: dict[str, list[Photo]], others: list[Photo], default: Colorizer) -> Colorizer:
    """A model of everything but this kind."""
    show(f"{kind}: base")
    photos = [*others, *(photo for name, album in kinds.items() if name != kind for photo in split(album, 0)[0])]
    rows = rows_of(photos, default.scaler_.families_, BASE_ROWS // len(photos))
    start = time.process_time()
    base = Colorizer(n_sample_rows=0, random_state=SEED).learn(rows)
    show(f"{kind}: base of {len(photos)} photographs, {time.process_time() - start:.0f} CPU seconds")
    return base


def measure_fold(photos: Sequence[Photo], k: int, base: Colorizer, default: Colorizer) -> dict[str, Any]:
    """Figures of every held-out photograph by every method, and what was chosen."""
    train, test = split(photos, k)
    start = time.process_time()
    rows = rows_of(train, default.scaler_.families_, Colorizer().rows_per_photo)
    palette = ColorPalette(Colorizer().n_colors, random_state=SEED).fit(rows.ab, sample_weight=rows.area)
    machine = make_machine("vote", SEED)
    choice = choose(rows, palette, base.recognizer, machine, SEED)
    # What was chosen for the one that is kept, for both: of the other it is not told.
    learnt = {"own": learn_alone(rows, palette, machine), "based": recalibrate(rows, palette, base.recognizer)}
    models = {
        name: ready(replace(model, encoder_share=choice.encoder_share, gain=choice.gain))
        for name, model in learnt.items()
    } | {"base": base}
    spent = time.process_time() - start
    winner = "based" if choice.keeps_base else "own"
    fitted = fit_rules(RgbImage(photo.pixels) for photo in train)
    rules = {"mean": fitted["mean colour"], "lookup": fitted["L + height lookup"]}
    figures = [figures_of(photo, models, winner, rules) for photo in test]
    return {"chosen": winner, "cpu_seconds": spent, "photos": figures}


def ready(learnt: FittedRecognizer) -> Colorizer:
    """A Colorizer that answers for described photographs."""
    model = Colorizer()
    model.palette_, model.scaler_, model.classifier_ = learnt.palette, learnt.scaler, learnt.classifier
    model.encoder_share_, model.gain_ = learnt.encoder_share, learnt.gain
    return model


def figures_of(photo: Photo, models: dict[str, Colorizer], winner: str, rules: dict[str, Lookup]) -> dict[str, Any]:
    """CIEDE2000 by every method; AuC and colourfulness of the chosen model at every setting."""
    gray = GrayImage(np.ascontiguousarray(photo.lab[..., 0]))
    described = photo.description(models["base"].scaler_.families_)
    found: dict[str, Any] = {"gray": error_of(photo, np.zeros((*gray.shape, 2), np.float32))}
    found |= {name: error_of(photo, rule(gray)) for name, rule in rules.items()}
    for name, model in models.items():
        probabilities = model.recognizer.region_probabilities(photo.features)
        for dial, vividness in DIALS.items():
            if dial != "faithful" and name != winner:
                continue
            decision = model.recognizer.decide(described, probabilities)
            ab = Canvas(gray, described.superpixels).spread(decision.ab(vividness)).ab
            if dial == "faithful":
                found[name] = error_of(photo, ab)
            if name == winner:
                found[dial] = error_of(photo, ab)
                figures = Truth(photo.pixels).figures(lab_to_rgb(gray.lightness, ab), ab)
                found[f"auc {dial}"], found[f"colourfulness {dial}"] = figures["auc"], figures["colorfulness"]
    found["colourfulness"] = colorfulness(photo.pixels)
    return found


def error_of(photo: Photo, ab: Float32) -> float:
    """Mean CIEDE2000, before gamut mapping."""
    return float(ciede2000(photo.lab, np.concatenate([photo.lab[..., :1], ab], axis=2)).mean(dtype=np.float64))


def print_few(options: argparse.Namespace, kinds: dict[str, list[Photo]], default: Colorizer) -> None:
    """Print what few photographs give, alone and on top of the default model."""
    print("| | gray | base as it is | " + " | ".join(f"{n} alone | {n} on the base" for n in options.few) + " |")
    print("|---" * (3 + 2 * len(options.few)) + "|")
    families = default.scaler_.families_
    for kind in options.only:
        train, test = split(kinds[kind], 0)
        rest = rows_of(test, families, 10_000)

        def error(model: FittedRecognizer, rest: TrainingRows = rest) -> float:
            return region_error(rest, model.region_probabilities(rest.features), model.palette)

        nothing = np.tile(np.eye(len(default.palette_.colors_), dtype=np.float32)[0], (len(rest), 1))
        cells = [
            region_error(rest, nothing, default.palette_),  # the first colour is neutral
            error(default.recognizer),
        ]
        for n in options.few:
            rows = rows_of(train[:n], families, Colorizer().rows_per_photo)
            palette = ColorPalette(Colorizer().n_colors, random_state=SEED).fit(rows.ab, sample_weight=rows.area)
            machine = make_machine("vote", SEED)
            share = choose(rows, palette, default.recognizer, machine, SEED).encoder_share
            cells += [
                error(replace(learn_alone(rows, palette, machine), encoder_share=share)),
                error(replace(recalibrate(rows, palette, default.recognizer), encoder_share=share)),
            ]
        print(f"| {kind} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |", flush=True)


def report(folds: dict[str, list[dict[str, Any]]]) -> str:
    """The tables as Markdown."""
    lines = [
        f"# Models that know their kind, {datetime.date.today().isoformat()}",
        "",
        f"`python benchmarks/categories.py`; {N_FOLDS} folds by photograph, seed {SEED}; means over held-out "
        "photographs, colour errors before gamut mapping; "
        f"Python {platform.python_version()}, {platform.machine()}.",
        "",
        "CIEDE2000 at the faithful setting (vividness 0); the ratio is that of the chosen model to gray.",
        "",
        "| | gray | mean colour | lookup | base as it is | own alone | on the base | **chosen** | ratio | target | "
        "base chosen in |",
        "|---" * 11 + "|",
    ]
    lines += [first_row(kind, rows) for kind, rows in folds.items()]
    lines += [
        "",
        "The chosen model at the three settings; colourfulness as a share of the true one.",
        "",
        "| | CIEDE2000 | | | AuC | | | colourfulness | | |",
        "|---" * 10 + "|",
        "| | " + " | ".join([*DIALS] * 3) + " |",
    ]
    lines += [second_row(kind, rows) for kind, rows in folds.items()]
    spent = [fold["cpu_seconds"] for rows in folds.values() for fold in rows]
    lines += ["", f"Learning one fold, both ways and the choice, took {np.mean(spent):.0f} CPU seconds on average."]
    return "\n".join(lines)


def first_row(kind: str, rows: Iterable[dict[str, Any]]) -> str:
    """A kind in the table of methods."""
    rows = list(rows)
    photos = [photo for fold in rows for photo in fold["photos"]]
    mean = {name: float(np.mean([photo[name] for photo in photos])) for name in photos[0]}
    names = ("gray", "mean", "lookup", "base", "own", "based")
    ratio = mean["faithful"] / mean["gray"]
    kept = sum(fold["chosen"] == "based" for fold in rows)
    cells = [kind, *(f"{mean[name]:.2f}" for name in names), f"**{mean['faithful']:.2f}**", f"{ratio:.3f}"]
    return "| " + " | ".join([*cells, f"{TARGETS[kind]:.2f}", f"{kept} of {len(rows)} folds"]) + " |"


def second_row(kind: str, rows: Iterable[dict[str, Any]]) -> str:
    """A kind in the table of settings."""
    photos = [photo for fold in rows for photo in fold["photos"]]
    mean = {name: float(np.mean([photo[name] for photo in photos])) for name in photos[0]}
    cells = [f"{mean[dial]:.2f}" for dial in DIALS] + [f"{mean[f'auc {dial}']:.2f}" for dial in DIALS]
    cells += [f"{mean[f'colourfulness {dial}'] / mean['colourfulness']:.2f}" for dial in DIALS]
    return f"| {kind} | " + " | ".join(cells) + " |"


def show(line: str) -> None:
    """Progress, on the error stream."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
