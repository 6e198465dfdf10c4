"""Folders of small photographs, and a pool that does its jobs in this process."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.batch.jobs import Settings
from colorize.batch.worker import Studio
from colorize.io import write_photo
from colorize.recipe.work import colorize_file, make_recipe
from colorize.types import RgbImage

from .folders import outputs


class Here:
    """Does jobs one after another, here; counts them."""

    n_jobs = 0

    def __init__(self, settings: Settings) -> None:
        self.studio, self.is_stopping = Studio(settings), False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stop(self):
        self.is_stopping = True

    def run(self, jobs):
        for job in list(jobs):
            if self.is_stopping:
                return
            Here.n_jobs += 1
            yield job, self.studio.do(job, lambda pixels: None)


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(Here, "n_jobs", 0)
    return Here


@pytest.fixture
def settings(tiny_model):
    return Settings(model=str(tiny_model))


@pytest.fixture
def album(tmp_path, photos):
    """A function that makes a folder with so many small gray photographs, in two sub-folders."""

    def make(count):
        folder = tmp_path / "in"
        for number in range(count):
            path = folder / ("even" if number % 2 else "odd") / f"{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = photos[number % len(photos)].pixels[: 90 + number]
            write_photo(RgbImage(np.repeat(pixels[..., 1:2], 3, axis=2)), path)
        return folder

    return make


@pytest.fixture
def expected(tiny_model, tiny_colorizer, tmp_path):
    """A function that says what a batch should write for a folder: its photographs, coloured one by one."""

    def make(source):
        folder, recipe = tmp_path / "expected", make_recipe(tiny_model, tiny_colorizer)
        for path in sorted(source.rglob("*.png")):
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            colorize_file(path, target, tiny_colorizer, recipe)
        return outputs(folder)

    return make
