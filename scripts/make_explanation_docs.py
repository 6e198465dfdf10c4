"""Make the table, plots and pictures of ``docs/explain.md`` anew: ``python scripts/make_explanation_docs.py``.

Run it after the default model has been trained again. The confidence is measured on photographs of ``../shared/data``,
of which none is shown; the pictures are of photographs that come with scikit-image and scikit-learn. The page whose
screenshot the docs show is written to ``--page``: a small model that keeps thumbnails, trained on pieces of these
photographs, explains a piece that it has not seen.
"""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
import skimage.data
from _pages import IMAGES, ROOT, put, save
from sklearn.datasets import load_sample_images

from colorize import Colorizer, RgbImage, find_model, load_folder, to_gray, write_photo
from colorize.evaluation.confidence import ConfidenceCheck, ConfidenceObserver
from colorize.evaluation.measure import measure
from colorize.evaluation.report import explanation_report
from colorize.evaluation.report.evaluation import confidence_plots
from colorize.explanation import Explainer
from colorize.explanation.doubt import confidence_picture, only_confident

DATA = ROOT.parent / "shared" / "data"
HEIGHT = 380


@click.command()
@click.option("--page", type=click.Path(path_type=Path), help="Write the page of the screenshot to this file.")
@click.option("--limit", type=int, help="Use fewer photographs, to try the script out.")
def main(page: Path | None, limit: int | None) -> None:
    """Measure, draw, and write the table into the page."""
    model = Colorizer.load(find_model("default"))
    draw_doubt(model)
    if page is not None:
        write_page(page)
    photos = load_folder(DATA / "bsds500" / "val", limit=limit, select=False)
    checks = {vividness: measured(model, photos.photos, vividness) for vividness in (0.0, 0.5)}
    for name, (title, _, figure) in zip(("reliability", "risk"), confidence_plots(checks[0.5]), strict=True):
        save(f"confidence-{name}", figure, title)
    put("explain.md", "confidence", table(checks))


def measured(model: Colorizer, photos: tuple[RgbImage, ...], vividness: float) -> ConfidenceCheck:
    """Confidence of one setting against the truth."""
    observer = ConfidenceObserver()
    measure({"model": lambda gray: model.predict(gray, vividness=vividness)}, photos, observers=[observer])
    return observer.check()


def table(checks: dict[float, ConfidenceCheck]) -> str:
    """What the confidence is worth."""
    lines = [
        "| vividness | CIEDE2000 of all pixels | of the surest quarter | surest against all | stated and true, least "
        "sure tenth | middle | surest tenth | mean error of stated |",
        "|---" * 8 + "|",
    ]
    for vividness, check in checks.items():
        pairs = [f"{check.stated[k]:.0%}, {check.accuracy[k].value:.0%}" for k in (0, 5, 9)]
        gain = f"{check.best_quarter.value / check.mean.value - 1:+.0%}".replace("-", "−")
        error = f"{100 * check.expected_error:.1f} points"
        lines.append(
            f"| {vividness:g} | {check.mean} | {check.best_quarter} | {gain} | " + " | ".join([*pairs, error]) + " |"
        )
    return "\n".join(lines)


def draw_doubt(model: Colorizer) -> None:
    """One photograph in colour, its confidence, and the colours that the model is sure of."""
    gray = to_gray(RgbImage(skimage.data.astronaut()))
    result = model.predict(gray)
    pictures = [result.rgb, confidence_picture(result).pixels, only_confident(result, gray, 0.7).rgb]
    height = max(len(picture) for picture in pictures)
    padded = [np.pad(p, ((0, height - len(p)), (0, 8), (0, 0)), constant_values=255) for p in pictures]
    strip = np.hstack(padded)[:, :-8]
    scale = HEIGHT / height
    small = cv2.resize(strip, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    write_photo(RgbImage(small), IMAGES / "confidence.jpg", overwrite=True)


def write_page(path: Path) -> None:
    """Explain a sixth of a photograph by a model of the other pieces and of those of other photographs."""
    china, flower = load_sample_images().images
    photos = {"china": china, "flower": flower, "astronaut": skimage.data.astronaut(), "cat": skimage.data.chelsea()}
    photos |= {"coffee": skimage.data.coffee(), "rocket": skimage.data.rocket()}
    pieces = {}
    for name, pixels in photos.items():
        for number, piece in enumerate(p for row in np.array_split(pixels, 2) for p in np.array_split(row, 3, axis=1)):
            pieces[f"{name} {number + 1}.jpg"] = np.ascontiguousarray(piece)
    unseen = pieces.pop("cat 2.jpg")
    model = Colorizer(n_colors=16)
    model.fit(list(pieces.values()), names=list(pieces), thumbnail_bytes=2_700_000)
    explainer = Explainer(model.open(unseen))
    found = [explainer.at(*place) for place in explainer.places(3)]
    path.write_text(explanation_report(explainer, found, name="cat 2.jpg", model="35 pieces"), encoding="utf-8")


if __name__ == "__main__":
    main()
