"""What comes out today, in numbers: whoever moves the house finds here that nothing was lost on the way.

The numbers are colours on a coarse grid, not digests: compiled arithmetic differs in the last bits from one kind of
processor to another, and a change of the order of a sum should not read as a change of colour. That equal input gives
equal bytes on one machine is tested where each thing lives.

A change that is meant is written down with ``python tests/test_golden.py``, and told in the changelog.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from colorize.color import to_gray
from colorize.colorizer import Colorizer
from colorize.film.painter import Painter
from colorize.guidance.hints import Hints, Mark
from colorize.models import find_model
from colorize.predictor import Predictor
from colorize.types import RgbImage

GOLDEN = Path(__file__).with_name("golden.json")
TOLERANCE = 0.15
"""In ab: the solvers stop at 0.3, and stop at the same step wherever nothing but rounding differs."""


def small(picture):
    return RgbImage(np.ascontiguousarray(picture[::3, ::3]))


def grid(ab):
    """Colours at 6 x 8 places, row by row."""
    rows, cols = (np.linspace(0, size - 1, n).astype(int) for size, n in zip(ab.shape, (6, 8), strict=False))
    return [round(float(value), 2) for value in ab[np.ix_(rows, cols)].ravel()]


def measured():
    """Every case by name, each a list of numbers."""
    china, flower = (small(picture) for picture in load_sample_images().images)
    gray = to_gray(flower)
    strokes = (
        Mark("stroke", [[60, 90], [60, 120]], (200, 40, 60), radius=4, reach="here"),
        Mark("point", [[20, 20]], (90, 120, 60), radius=5, reach="similar"),
        Mark("point", [[120, 190]], (128, 128, 128), radius=5, reach="photo"),
    )
    hints = Hints(gray.shape, strokes)
    model = Predictor.load(find_model("default"))
    session = model.open(gray)
    found = {f"vividness {v}": grid(session.colorize(v).ab) for v in (0.0, 0.5, 1.0)}
    found["confidence"] = grid(session.colorize().confidence)
    found["hints"] = grid(session.with_hints(hints).ab)
    found["alternative"] = grid(session.alternatives(4)[3].ab)
    found["alternative chosen, hints"] = grid(session.choose(2).with_hints(hints).ab)
    found["album"] = grid(session.in_album(model.palette_shares(china)).colorize().ab)
    found["reference"] = grid(model.open(gray, [china], 0.8).colorize(0.7).ab)
    found["film key frame"] = grid(Painter(model).paint(gray.lightness))
    found["film key frame, hints"] = grid(Painter(model).paint(gray.lightness, hints.rasterize(gray.shape)))
    found["places"] = [float(number) for place in session.suggest(3) for number in (place.row, place.col)]
    fitted = Colorizer(n_colors=8, n_superpixels=80).fit([china, flower])
    found["fit: palette"] = [round(float(value), 2) for value in fitted.palette_.colors_.ravel()]
    found["fit: prediction"] = grid(fitted.predict(gray).ab)
    with TemporaryDirectory() as folder:
        fitted.save(Path(folder, "model.safetensors"))
        found["fit: prediction of the saved model"] = grid(
            Predictor.load(Path(folder, "model.safetensors")).predict(gray).ab
        )
    return found


@pytest.fixture(scope="module")
def now():
    return measured()


@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else ["none"])
def test_what_comes_out_is_what_came_out(now, case):
    np.testing.assert_allclose(now[case], json.loads(GOLDEN.read_text(encoding="utf-8"))[case], atol=TOLERANCE)


def test_every_case_is_written_down(now):
    assert sorted(now) == sorted(json.loads(GOLDEN.read_text(encoding="utf-8")))


if __name__ == "__main__":
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(numbers)}" for name, numbers in measured().items())
    GOLDEN.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
