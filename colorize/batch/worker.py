"""A worker process: reads one job per line from its standard input, writes what became of it to its standard output.

Lines are JSON. The first tells the settings; the answer ``{"ready": true}`` means that the model is loaded and its
kernels are compiled, ``{"refused": why}`` that there is no such model. A job is answered in two steps:
``{"pixels": n}``, upon which the worker waits for a line that is empty or says why the photograph is refused, then the
result. It ends when its input does, so it never outlives the process that started it by more than a photograph.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from colorize._support.files import one_line, refusals
from colorize.batch.jobs import Job, Result, Settings
from colorize.color import to_gray
from colorize.exceptions import ColorizeError, ImageTooLargeError, OutputError, OutputExistsError
from colorize.io import count_pixels
from colorize.models import find_model
from colorize.predictor import Predictor
from colorize.recipe.work import colorize_file, copy_times, file_digest, is_made_by, make_recipe, read
from colorize.types import GrayImage

# Errors of the disk that lie in the name or size of one file; all others would meet every photograph.
_ONE_FILE = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EFBIG}


class Studio:
    """A loaded model that does jobs."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.colorizer = settings, Predictor.load(find_model(settings.model))
        self.recipe = make_recipe(
            settings.model,
            self.colorizer,
            vividness=settings.vividness,
            keep_tint=settings.keep_tint,
            all_frames=settings.all_frames,
        )

    def warm_up(self) -> None:
        """Have the kernels compiled, so that no photograph's time is spent on it."""
        # A ramp, not one gray: with regions and edges to tell apart, every kernel is called.
        self.colorizer.predict(GrayImage(np.linspace(0, 100, 64 * 64, dtype=np.float32).reshape(64, 64)))

    def do(self, job: Job, wait: Callable[[int], None]) -> Result:
        """Do a job; ``wait`` is told the pixels of the photograph and returns when there is memory for them."""
        start, digest = time.perf_counter(), ""
        # Warnings belong to the photograph's line; on standard error nobody knows whose they are.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            try:
                # First of all: the recipe that finished outputs are recognised by contains it.
                digest = file_digest(Path(job.source))
                result = self._do(job, digest, wait)
            # What a photograph or a disk can cause. Any other error is a bug: it ends this process,
            # and the supervisor reports its last line.
            except (ColorizeError, MemoryError, OSError) as error:
                reason = one_line(error).removeprefix(f"{job.source}: ")  # the line has the name already
                result = Result("stop" if _meets_all(error) else "failed", reason)
        said = [result.message, *(str(warning.message) for warning in caught)] if result.status == "done" else []
        message = "; ".join(" ".join(text.split()) for text in said if text) or result.message
        return replace(result, message=message, sha256=digest, seconds=round(time.perf_counter() - start, 3))

    def _do(self, job: Job, digest: str, wait: Callable[[int], None]) -> Result:
        source, limit = Path(job.source), self.settings.max_pixels
        if job.target is None:
            wait(count_pixels(source, max_pixels=limit))
            gray = to_gray(read(source, self.settings)[0])
            return Result("done", palette=[round(float(share), 6) for share in self.colorizer.palette_shares(gray)])
        target = Path(job.target)
        recipe = replace(self.recipe, input_sha256=digest, palette=job.palette and tuple(job.palette))
        if is_made_by(target, recipe, max_pixels=limit):  # the run was cut off before the photograph had its line
            # The end may have come between writing and setting the times.
            if self.settings.keep_times:
                copy_times(source, target)
            return Result("done", "was there already")
        may_replace = job.replace or self.settings.overwrite
        if target.exists() and not may_replace:
            raise OutputExistsError(f"{target}: exists already, and is not of this batch; say --force to replace it")
        # Asked after everything that can be refused cheaply, and before memory is taken.
        wait(count_pixels(source, all_frames=recipe.all_frames, max_pixels=limit))
        with refusals(target.parent, "cannot be made"):  # its cause goes along: `_meets_all` reads the number of it
            target.parent.mkdir(parents=True, exist_ok=True)
        notes = colorize_file(source, target, self.colorizer, recipe, replace(self.settings, overwrite=may_replace))
        return Result("done", "; ".join(notes))


def _meets_all(error: BaseException) -> bool:
    """Tell whether other photographs would meet this error too."""
    return isinstance(error, OutputError) and getattr(error.__cause__, "errno", None) not in _ONE_FILE


def main() -> None:
    """Work until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one decides what an interruption means
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what libraries print is no answer
    # Workers are the parallelism: threads of each would only fight over the same cores.
    cv2.setNumThreads(1)

    def answer(message: Mapping[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        # Through a pipe Python writes in blocks, and the supervisor waits for the line.
        answers.flush()

    def wait(pixels: int) -> None:
        answer({"pixels": pixels})
        line = sys.stdin.readline()
        if not line:
            # Whoever would give the word is gone.
            sys.exit()
        if refusal := json.loads(line):
            raise ImageTooLargeError(refusal)

    try:
        studio = Studio(Settings(**json.loads(sys.stdin.readline())))
    except ColorizeError as error:
        answer({"refused": one_line(error)})
        return
    # Before the answer, so that compiling counts against the start and not the first photograph.
    studio.warm_up()
    answer({"ready": True})
    while line := sys.stdin.readline():
        answer(asdict(studio.do(Job(**json.loads(line)), wait)))
