"""What the app needs of the rest: sessions at another size, training that goes on, quick JPEG, the kind of a file."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

import colorize.training.fit
from colorize.app.pages import pieces
from colorize.app.pictures import fitted
from colorize.app.training import Status
from colorize.color import to_gray
from colorize.colorizer import Colorizer
from colorize.exceptions import ModelFileError
from colorize.guidance.hints import Hints, Mark
from colorize.io import encode_screen, read_photo
from colorize.models.file import model_kind, save_model


class Interrupted(Exception):
    """The power goes out."""


@pytest.mark.slow
def test_training_that_was_interrupted_goes_on_to_the_same_bytes(photos, tmp_path, monkeypatch):
    asked = {"n_colors": 6, "n_superpixels": 40}
    Colorizer(**asked).fit(photos[:6]).save(tmp_path / "whole")

    def stop_at_the_fourth(stage, done, total):
        if stage == "features" and done == 3:
            raise Interrupted

    described = {}
    with pytest.raises(Interrupted):
        Colorizer(**asked).fit(photos[:6], described=described, progress=stop_at_the_fourth)
    assert sorted(described) == [0, 1, 2]
    before, seen = dict(described), []
    describe = colorize.training.fit.describe
    monkeypatch.setattr(
        colorize.training.fit, "describe", lambda photo, *how: seen.append(photo) or describe(photo, *how)
    )
    Colorizer(**asked).fit(photos[:6], described=described).save(tmp_path / "resumed")
    assert len(seen) == 3  # what is missing alone
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()
    assert all(described[index] is rows for index, rows in before.items())


@pytest.mark.slow
def test_a_session_at_another_size_has_the_same_regions_and_colors(tiny_colorizer, pictures):
    gray = to_gray(read_photo(encode_screen(pictures["coffee"])))
    small = fitted(gray, 200)
    session = tiny_colorizer.open(small).choose(1)
    before = session.colorize(0.4)
    large = session.at_size(gray)
    after = large.colorize(0.4)
    assert after.image.shape == gray.shape
    assert (after.region_ab == before.region_ab).all()
    assert (large.guided.probabilities == session.guided.probabilities).all()
    # propagated apart, at different sizes: the same picture, not the same pixels
    there = after.ab[1::3, 1::3][: small.shape[0], : small.shape[1]]
    assert np.abs(there.mean(axis=(0, 1)) - before.ab.mean(axis=(0, 1))).max() < 1
    hints = Hints(small.shape, (Mark("point", np.array([[60.0, 90.0]]), (200, 30, 30)),))
    hinted = large.with_hints(hints)
    row, col = (np.array([60.5, 90.5]) * gray.shape / small.shape).astype(int)
    assert hinted.ab[row, col, 0] > 20
    assert session.gray is small  # the first session is as it was
    assert session.colorize(0.4).image.pixels.tolist() == before.image.pixels.tolist()


def test_a_picture_for_the_screen_is_nearly_the_picture(pictures):
    pixels = pictures["coffee"]
    shown = read_photo(encode_screen(pixels)).pixels
    assert np.abs(shown.astype(int) - pixels).mean() < 3


def test_the_kind_of_a_model_file_is_told_from_its_header(tmp_path, tiny_model):
    assert model_kind(tiny_model) == "classical"
    save_model(tmp_path / "other", {}, {}, kind="deep")
    assert model_kind(tmp_path / "other") == "deep"
    (tmp_path / "cut").write_bytes(tiny_model.read_bytes()[:100])
    for name in ("cut", "missing"):
        with pytest.raises(ModelFileError, match=name):
            model_kind(tmp_path / name)


def test_the_pictures_of_the_finished_model_are_not_called_early():
    samples = {"n_photos": 25, "pictures": [["gray.jpg", "now.jpg", "true.jpg"]]}
    assert "quick sketch" in pieces.training(Status("running", samples=samples))
    assert "quick sketch" not in pieces.training(Status("done", samples=samples))


def test_few_photographs_are_told_what_the_pages_say_of_them():
    found = [pieces.training(Status(report={"n_used": 8, "left_out": [], "few": few})) for few in (25, 0)]
    advice = "With fewer than 25, look first at what the default model makes of some: it often serves better as it is"
    assert [advice in html for html in found] == [True, False]


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc, which is left as it is")
def test_memory_of_dropped_arrays_goes_back_to_the_system():
    program = """
from pathlib import Path
import sys
import numpy as np
from colorize.app.serve import return_freed_memory

def resident():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000

if "with" in sys.argv:
    return_freed_memory()
np.ones(16 << 20, np.uint8)  # once dropped, glibc by itself keeps whatever is smaller
before = resident()
arrays, between = [], []
for _ in range(30):
    arrays.append(np.ones(8 << 20, np.uint8))
    between.append(bytes(100_000))
arrays.clear()
print(resident() - before)
"""
    # Dask, once imported, leaves settings of malloc behind for whatever is started later.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}

    def kept_by(how):
        run = subprocess.run([sys.executable, "-c", program, how], env=plain, check=True, capture_output=True)
        return float(run.stdout)

    kept = {how: kept_by(how) for how in ("with", "without")}
    assert kept["with"] < 30
    assert kept["without"] > 100  # else this shows nothing
