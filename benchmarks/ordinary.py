"""The shipped models on ordinary photographs: ``python benchmarks/ordinary.py --former OLD_MODEL``.

Measures, on the same photographs in one run, gray, the lookup by lightness and height, the model ``--former`` (an older
file), ``classic``, the encoder's own colours with and without Levin's step, and ``default`` at three settings: on
``../shared/data/everyday``, the validation photographs of BSDS500, and the seven categories (the default model has seen
no photograph of any of them). Then skin: where OpenCV's cascade finds a frontal face, whether the middle of the face
has the hue of skin. ``--limit N`` takes N photographs of each category, ``--only NAME`` some folders; ``--faded`` gives
every method the lightness of a faded print. The tables are kept as ``benchmarks/results/ordinary-DATE.md`` or
``faded-DATE.md``.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from colorize.color import rgb_to_lab, to_gray
from colorize.colorizer import Colorizer
from colorize.evaluation.head import encoder_ab
from colorize.evaluation.measure import EvaluationResult, measure
from colorize.models import find_model
from colorize.recognition.rules import NO_COLOR
from colorize.training.dataset import load_folder
from colorize.types import Colorization, Float32, GrayImage, RgbImage

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
KINDS = ("face", "city", "landscape150", "person", "animal", "buildings_hd", "landscape")
FOLDERS = {"everyday": DATA / "everyday", "bsds500/val": DATA / "bsds500" / "val"}
FOLDERS |= {kind: DATA / "categories" / kind for kind in KINDS}
FACES = ("everyday", "person")
CASCADE = Path("/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml")
"""Debian's package `opencv-data`; the wheels of OpenCV 5 bring no cascades."""
FADED = np.float32(30), np.float32(75)
"""L* of black and white in a faded print, as in the palest of the old scans that were looked at."""
DIALS = {"faithful": 0.0, "default": 0.5, "bold": 1.0}
Method = Callable[[GrayImage], Colorization | Float32]


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--former", type=Path, metavar="FILE")
    parser.add_argument("--limit", type=int, metavar="N")
    parser.add_argument("--only", nargs="+", choices=list(FOLDERS), default=list(FOLDERS))
    parser.add_argument("--faded", action="store_true")
    parser.add_argument("--skin", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--save", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    if options.skin and not CASCADE.is_file():
        parser.error(f"{CASCADE} is missing (Debian's package opencv-data); --no-skin measures the rest")
    methods = make_methods(options.former)
    if options.faded:
        methods = {name: method if method is NO_COLOR else on_faded(method) for name, method in methods.items()}
    what = "ordinary photographs, faded" if options.faded else "ordinary photographs"
    lines = [f"# The shipped models on {what}, {datetime.date.today().isoformat()}", ""]
    for name in options.only:
        limit = options.limit if name in KINDS else None
        photographs = load_folder(FOLDERS[name], limit=limit, select=False)
        shown = {method: f for method, f in methods.items() if name not in KINDS or not method.startswith("encoder")}
        lines += [*table(name, measure(shown, photographs.photos)), ""]
        print("\n".join(lines[-len(shown) - 6 :]), flush=True)
    if options.skin:
        portraits = [p for name in FACES for p in load_folder(FOLDERS[name], select=False).photos]
        models = {name: f for name, f in methods.items() if f is not NO_COLOR and not name.startswith("encoder")}
        lines += skin(models, portraits)
        print("\n".join(lines[-len(models) - 4 :]))
    if options.save:
        kept = f"{'faded' if options.faded else 'ordinary'}-{datetime.date.today().isoformat()}.md"
        path = ROOT / "benchmarks" / "results" / kept
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_methods(former: Path | None) -> dict[str, Method]:
    """Everything that is compared, by name."""
    default, classic = (Colorizer.load(find_model(name)) for name in ("default", "classic"))
    methods: dict[str, Method] = {"gray": NO_COLOR, "lookup": default.baselines_["L + height lookup"]}
    if former:
        methods["former default"] = partial(Colorizer.load(former).predict, vividness=0.5)
    methods["classic"] = partial(classic.predict, vividness=0.5)
    methods |= {"encoder": encoder_ab, "encoder + Levin": partial(encoder_ab, levin=True)}
    return methods | {name: partial(default.predict, vividness=dial) for name, dial in DIALS.items()}


def on_faded(method: Method) -> Method:
    """The method, given a faded print; its colours are measured at the true lightness, like all others."""

    def colors_of(photo: GrayImage) -> Float32:
        black, white = FADED
        return ab_of(method(GrayImage(black + (white - black) / np.float32(100) * photo.lightness)))

    return colors_of


def ab_of(answer: Colorization | Float32) -> Float32:
    """The colours of an answer; the lookup answers with ab alone."""
    return answer.ab if isinstance(answer, Colorization) else answer


def table(name: str, result: EvaluationResult) -> list[str]:
    """Error beside gray's, on how many photographs it is better, and how colourful."""
    gray = result.figures["gray"]["ciede2000"]
    lines = [
        f"{name}, {result.n_photos} photographs",
        "",
        "| | CIEDE2000 | of gray | better than gray on | colourfulness | ab-L2 |",
        "|---|---|---|---|---|---|",
    ]
    for method, row in result.means().items():
        better = np.mean(result.figures[method]["ciede2000"] < gray)
        ratio, colourful = row["ciede2000"] / gray.mean(), row["colorfulness_ratio"]
        lines.append(
            f"| {method} | {row['ciede2000']:.2f} | {ratio:.3f} | {better:.0%} | {colourful:.2f} | {row['ab_l2']:.2f} |"
        )
    return lines


def skin(methods: dict[str, Method], photographs: Iterable[RgbImage]) -> list[str]:
    """Of the faces whose true colours are those of skin: how many have them, and how many are green or blue."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for photo in photographs:
        faces = frontal_faces(photo)
        truth = [is_skin(tone(photo.pixels, face)) for face in faces]
        if not any(truth):
            continue
        for name, method in methods.items():
            ab = ab_of(method(to_gray(photo)))
            found[name] += [tone(ab, face) for face, true in zip(faces, truth, strict=True) if true]
    lines = ["Skin: faces of `everyday` and `person` whose true colours have the hue of skin", ""]
    lines += ["| | faces | hue of skin, chroma 8 or more | green or blue |", "|---|---|---|---|"]
    for name, tones in found.items():
        wrong = [100 <= hue <= 280 and chroma > 6 for hue, chroma in tones]
        lines.append(f"| {name} | {len(tones)} | {np.mean([is_skin(t) for t in tones]):.0%} | {np.mean(wrong):.1%} |")
    return lines


def frontal_faces(photo: RgbImage) -> list[tuple[slice, slice]]:
    """The middle of every face that the cascade finds."""
    cascade = cv2.CascadeClassifier(str(CASCADE))
    gray = cv2.cvtColor(np.asarray(photo.pixels, np.uint8), cv2.COLOR_RGB2GRAY)
    faces = cascade.detectMultiScale(gray, 1.1, 6, minSize=(32, 32))
    return [(slice(y + h // 3, y + 2 * h // 3), slice(x + w // 3, x + 2 * w // 3)) for x, y, w, h in faces]


def tone(picture: np.ndarray, place: tuple[slice, slice]) -> tuple[float, float]:
    """Hue in degrees and chroma of the mean colour of a place; the picture is sRGB or ab."""
    part = picture[place]
    a, b = (rgb_to_lab(part)[..., 1:] if part.shape[2] == 3 else part).reshape(-1, 2).mean(axis=0)
    return float(np.degrees(np.arctan2(b, a)) % 360), float(np.hypot(a, b))


def is_skin(tone: tuple[float, float]) -> bool:
    """Whether a colour has the hue of skin, and enough of it."""
    hue, chroma = tone
    return 20 <= hue <= 80 and chroma >= 8


if __name__ == "__main__":
    main()
