"""Film: cost, flicker, colour error: ``python benchmarks/film.py``.

A clip of 10 s, 854 x 480 pixels, 24 frames per second, is made from photographs of scikit-learn and scikit-image: three
shots in which the camera pans and zooms over one photograph while another passes in front of it, with film grain and a
light that flickers. Its true colours and its true motion are known. The gray clip is coloured by ``colorize film`` and
frame by frame, by the same model.

Flicker is the mean change of ab from frame to frame along the true motion, where the gray is steady (within 3 L*) and
both frames show the same thing. To a file, rounding to 8 bits and the codec add their own, which is the same for all;
``--tables rounding`` tells how much that is, on the first second of the clip, also of colours averaged over 9 x 9
pixels, where rounding counts less.

``--tables film rounding`` runs some tables only, ``--seconds N`` makes a shorter clip, ``--save`` keeps the tables in
``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from sklearn.datasets import load_sample_images

from colorize import Colorizer, find_model
from colorize.color import gray_rgb, lab_to_rgb, rgb_to_lab, rgb_to_lightness
from colorize.color.metrics import ciede2000
from colorize.film.painter import Painter
from colorize.film.plan import make_plan
from colorize.film.reading import Film
from colorize.film.run import colorize_film
from colorize.film.writing import SegmentWriter
from colorize.recipe.work import make_recipe
from colorize.types import GrayImage

ROOT = Path(__file__).resolve().parents[1]
SHAPE = (480, 854)
RATE = 24
STEADY = 3.0


@dataclass(frozen=True)
class Shot:
    """A camera over one photograph, and a disc cut out of another that passes in front of it.

    Attributes
    ----------
    back, front : ndarray
        sRGB photographs.
    pan : tuple of float
        Rows and columns per frame that the camera moves.
    zoom : float
        Growth per frame.
    speed : tuple of float
        Rows and columns per frame that the disc moves.
    begin : tuple of float
        Row and column, 0..1, where the disc begins.
    seed : int
        Of grain and flicker.
    """

    back: np.ndarray
    front: np.ndarray
    pan: tuple[float, float]
    zoom: float
    speed: tuple[float, float]
    begin: tuple[float, float]
    seed: int

    @cached_property
    def radius(self) -> float:
        """Of the disc, in pixels."""
        return SHAPE[0] / 4

    @cached_property
    def disc(self) -> np.ndarray:
        """The front photograph at the size of the disc."""
        scale = 2.2 * self.radius / min(self.front.shape[:2])
        return cv2.resize(self.front, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)

    def camera(self, frame: int) -> np.ndarray:
        """From pixels of the back photograph to pixels of a frame, as a 2 x 3 matrix, columns first."""
        fit = 1.4 * max(SHAPE[0] / self.back.shape[0], SHAPE[1] / self.back.shape[1])
        scale = fit * (1 + self.zoom * frame)
        return np.array([[scale, 0, -20 - self.pan[1] * frame], [0, scale, -20 - self.pan[0] * frame]])

    def place(self, frame: int) -> tuple[float, float]:
        """Row and column of the middle of the disc."""
        return (
            SHAPE[0] * self.begin[0] + self.speed[0] * frame,
            SHAPE[1] * self.begin[1] + self.speed[1] * frame,
        )

    def mask(self, frame: int) -> np.ndarray:
        """Share of the disc in every pixel, shape (H, W)."""
        row, column = self.place(frame)
        rows, columns = np.indices(SHAPE, dtype=np.float32)
        return np.clip(self.radius - np.hypot(rows - row, columns - column), 0, 1)

    def colors(self, frame: int) -> np.ndarray:
        """True colours, shape (H, W, 3), sRGB."""
        size = SHAPE[::-1]
        back = cv2.warpAffine(
            self.back, self.camera(frame), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        row, column = self.place(frame)
        move = np.array([[1, 0, column - self.disc.shape[1] / 2], [0, 1, row - self.disc.shape[0] / 2]])
        front = cv2.warpAffine(self.disc, move, size, flags=cv2.INTER_LINEAR)
        share = self.mask(frame)[..., None]
        return np.round(back * (1 - share) + front * share).astype(np.uint8)

    def gray(self, frame: int) -> np.ndarray:
        """What the film shows, shape (H, W), uint8: no colours, grain, a light that flickers by 3 %."""
        rng = np.random.default_rng((self.seed, frame))
        plain = gray_rgb(rgb_to_lightness(self.colors(frame)))[..., 0]
        grain = cv2.GaussianBlur(rng.normal(0, 5, SHAPE), (0, 0), 0.7)
        return np.clip(plain * (1 + 0.03 * rng.uniform(-1, 1)) + grain, 0, 255).round().astype(np.uint8)

    def motion(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Where pixels of a frame were in the one before: columns and rows, (H, W, 2), and whether they were there."""
        rows, columns = np.indices(SHAPE, dtype=np.float64)
        now, before = (np.vstack([self.camera(k), [0, 0, 1]]) for k in (frame, frame - 1))
        step = before @ np.linalg.inv(now)
        source = np.stack([step[0, 0] * columns + step[0, 2], step[1, 1] * rows + step[1, 2]], axis=2)
        is_front, was_front = self.mask(frame) == 1, self.mask(frame - 1) == 1
        is_back, was_back = self.mask(frame) == 0, self.mask(frame - 1) == 0
        source[is_front] = np.stack([columns, rows], axis=2)[is_front] - np.array(self.speed)[::-1]
        source = source.astype(np.float32)
        was = {True: was_front, False: was_back}
        same = np.zeros(SHAPE, bool)
        for front, here in ((True, is_front), (False, is_back)):
            there = cv2.remap(was[front].astype(np.float32), source, None, cv2.INTER_LINEAR)
            same |= (cv2.erode(here.astype(np.uint8), np.ones((5, 5))) > 0) & (there > 0.999)
        return source, same


def shots() -> list[Shot]:
    """The three shots."""
    china, flower = load_sample_images().images
    astronaut, coffee, rocket = skimage.data.astronaut(), skimage.data.coffee(), skimage.data.rocket()
    return [
        Shot(china, flower, (0.2, 2.0), 0.0005, (0.5, 5.0), (0.5, 0.2), 1),
        Shot(coffee, astronaut, (-0.2, 0.5), 0.002, (-0.3, -4.0), (0.55, 0.85), 2),
        Shot(rocket, skimage.data.chelsea(), (0.8, 1.0), 0.0, (0.0, 3.0), (0.65, 0.15), 3),
    ]


@dataclass(frozen=True)
class Clip:
    """All frames of the clip: its shots, and how many frames each has."""

    shots: Sequence[Shot]
    frames_per_shot: int

    def __len__(self) -> int:
        return len(self.shots) * self.frames_per_shot

    def __iter__(self) -> Iterator[tuple[Shot, int]]:
        return ((shot, frame) for shot in self.shots for frame in range(self.frames_per_shot))

    def write(self, path: Path) -> None:
        """Write the gray film, without loss."""
        import av

        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=RATE)
            stream.height, stream.width, stream.pix_fmt = *SHAPE, "gray"
            stream.options = {"qp": "0", "preset": "ultrafast"}
            for shot, number in self:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(shot.gray(number), format="gray")))
            container.mux(stream.encode(None))


@dataclass
class Score:
    """Flicker and colour error, summed up frame by frame."""

    flicker: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    difference: list[float] = field(default_factory=list)
    last: np.ndarray | None = None

    def add(
        self,
        lab: np.ndarray,
        truth: np.ndarray,
        gray: Sequence[np.ndarray],
        motion: tuple[np.ndarray, np.ndarray] | None,
    ) -> None:
        """Take in a frame: its Lab and the true one, (H, W, 3); the gray of the last frame and of this one; motion."""
        self.error.append(float(np.linalg.norm(lab[..., 1:] - truth[..., 1:], axis=2).mean()))
        pair = [np.dstack([truth[..., 0], colors[..., 1:]]) for colors in (truth, lab)]
        self.difference.append(float(ciede2000(*pair).mean()))
        if motion is not None and self.last is not None:
            source, same = motion
            before = cv2.remap(np.dstack([gray[0], self.last]), source, None, cv2.INTER_LINEAR)
            where = same & (np.abs(before[..., 0] - gray[1]) < STEADY)
            self.flicker.append(float(np.linalg.norm(before[..., 1:] - lab[..., 1:], axis=2)[where].mean()))
        self.last = np.ascontiguousarray(lab[..., 1:])

    def row(self, name: str) -> str:
        """One line of the table."""
        ab, color = np.mean(self.error), np.mean(self.difference)
        return f"| {name} | {np.mean(self.flicker):.4f} | {ab:.2f} | {color:.2f} |"


def score(clip: Clip, ways: Mapping[str, Iterable[np.ndarray]]) -> dict[str, Score]:
    """Compare the frames of several ways with the truth."""
    found = {name: Score() for name in ways}
    gray = np.zeros(SHAPE, np.float32)
    for (shot, number), *labs in zip(clip, *ways.values(), strict=True):
        truth = rgb_to_lab(shot.colors(number))
        last, gray = gray, rgb_to_lightness(np.repeat(shot.gray(number)[..., None], 3, axis=2))
        motion = shot.motion(number) if number else None
        for each, lab in zip(found.values(), labs, strict=True):
            each.add(lab, truth, (last, gray), motion)
    return found


def carried(path: Path, model: Colorizer) -> Iterator[np.ndarray]:
    """Lab of every frame as `colorize film` makes it, before it is encoded."""
    film = Film.open(path)
    plan = make_plan(film, lambda stage, done, total: None)
    painter = Painter(model, rate=RATE)
    for frame in film.frames():
        if plan.kinds[frame.number] == "start":
            painter.cut()
        yield np.dstack([frame.lightness, painter.paint(frame.lightness)])


def one_by_one(path: Path, model: Colorizer) -> Iterator[np.ndarray]:
    """Lab of every frame as `colorize photo` makes it."""
    for frame in Film.open(path).frames():
        yield np.dstack([frame.lightness, model.predict(GrayImage(frame.lightness)).ab])


def from_file(path: Path) -> Iterator[np.ndarray]:
    """Lab of every frame of a film."""
    return (rgb_to_lab(frame.pixels) for frame in Film.open(path).frames())


def encoded(path: Path, film: Film, labs: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Pass frames on, and write them as a film the way `colorize film` does."""
    writer = SegmentWriter(path, film, film.rate, 16)
    for lab in labs:
        writer.write(np.asarray(lab_to_rgb(lab[..., 0], lab[..., 1:]), np.uint8))
        yield lab
    writer.close()


def cost(source: Path, target: Path, model: Colorizer, seconds: float) -> list[str]:
    """Processor's time of the whole way from file to file."""
    start = time.process_time()
    report = colorize_film(source, target, model, make_recipe("default", model))
    total = time.process_time() - start
    lines = [
        "## Cost",
        "",
        f"{report.n_frames} frames of {SHAPE[1]} x {SHAPE[0]} pixels, {seconds:g} s, {report.n_shots} shots found, "
        f"the model asked {report.n_keys} times; one thread.",
        "",
        "| part | CPU s per second of film | ms per frame |",
        "|---|--:|--:|",
    ]
    parts = {name: spent for name, spent in report.cpu_seconds.items() if name != "all"}
    parts["the rest"] = total - sum(parts.values())
    parts["all"] = total
    return [
        *lines,
        *(
            f"| {name} | {spent / seconds:.2f} | {1000 * spent / report.n_frames:.1f} |"
            for name, spent in parts.items()
        ),
        "",
        "looking: decoding and finding cuts; encode: to sRGB, to YCbCr, x264.",
    ]


def lightness_kept(source: Path, target: Path) -> str:
    """What the lossy codec adds to lightness."""
    pairs = zip(Film.open(source).frames(), Film.open(target).frames(), strict=True)
    change = [np.abs(a.lightness - b.lightness) for a, b in pairs]
    mean, most = np.mean([c.mean() for c in change]), np.mean([np.percentile(c, 99) for c in change])
    return f"Lightness in the file: changed by {mean:.2f} L* on average, by less than {most:.1f} in 99 % of the pixels."


def table(clip: Clip, source: Path, target: Path, model: Colorizer) -> list[str]:
    """Flicker and colour error of ours, of frame by frame, and of simple baselines."""
    film = Film.open(source)
    plain = target.with_name("one.mp4")
    mean = np.mean([rgb_to_lab(shot.colors(0))[..., 1:].mean(axis=(0, 1)) for shot in clip.shots], axis=0)
    ways = {
        "colorize film": carried(source, model),
        "frame by frame": encoded(plain, film, one_by_one(source, model)),
        "gray": tinted(film, (0, 0)),
        "the true mean colour": tinted(film, mean),
        "the true colours": (rgb_to_lab(shot.colors(number)) for shot, number in clip),
    }
    found = score(clip, ways)
    files = score(
        clip, {"colorize film, from the file": from_file(target), "frame by frame, from a file": from_file(plain)}
    )
    ours, theirs, *baselines = found.items()
    rows = [each.row(name) for name, each in (ours, theirs, *files.items(), *baselines)]
    ratio = np.mean(ours[1].flicker) / np.mean(theirs[1].flicker)
    return [
        "## Flicker and colour error",
        "",
        "| | flicker, ab | ab error | CIEDE2000 |",
        "|---|--:|--:|--:|",
        *rows,
        "",
        f"Flicker against frame by frame: {ratio:.3f} ({1 / ratio:.1f} times less).",
    ]


def tinted(film: Film, ab: Sequence[float]) -> Iterator[np.ndarray]:
    """Lab of every frame under one tint."""
    return (
        np.dstack([frame.lightness, np.broadcast_to(np.asarray(ab, np.float32), (*SHAPE, 2))])
        for frame in film.frames()
    )


def rounding(source: Path, target: Path, model: Colorizer) -> list[str]:
    """How much of the flicker in a file is rounding."""
    clip = Clip(shots()[:1], RATE)
    clip.write(source)
    film = Film.open(source)
    lines = [
        "## Rounding",
        "",
        f"{len(clip)} frames of the first shot.",
        "",
        "| flicker, ab | before rounding | 8-bit sRGB | in the file | in the file, 9 x 9 pixels |",
        "|---|--:|--:|--:|--:|",
    ]
    ways = {
        "one faint tint": tinted(film, (0.5, 1.5)),
        "colorize film": carried(source, model),
        "frame by frame": one_by_one(source, model),
    }
    smooth = {}
    for name, labs in ways.items():
        kept = list(encoded(target, film, labs))
        stages = [kept, map(rounded, kept), from_file(target), map(averaged, from_file(target))]
        scores = score(clip, {str(number): stage for number, stage in enumerate(stages)})
        figures = [float(np.mean(each.flicker)) for each in scores.values()]
        smooth[name] = figures[-1]
        lines.append(f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    ratio = smooth["colorize film"] / smooth["frame by frame"]
    return [*lines, "", f"In the files, over 9 x 9 pixels, flicker against frame by frame: {ratio:.3f}."]


def rounded(lab: np.ndarray) -> np.ndarray:
    """Lab of the 8-bit sRGB pixels."""
    return rgb_to_lab(lab_to_rgb(lab[..., 0], lab[..., 1:]))


def averaged(lab: np.ndarray) -> np.ndarray:
    """Colours averaged over 9 x 9 pixels."""
    return np.dstack([lab[..., 0], cv2.blur(np.ascontiguousarray(lab[..., 1:]), (9, 9))])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=("film", "rounding"), default=["film", "rounding"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    today = datetime.date.today().isoformat()
    text = [f"# Film, {today}", "", f"Python {platform.python_version()}, {os.cpu_count()} cores", ""]
    clip = Clip(shots(), max(2, round(options.seconds * RATE / 3)))
    model = Colorizer.load(find_model("default"))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "gray.mp4", Path(folder) / "colour.mp4"
        if "film" in options.tables:
            clip.write(source)
            text += [*cost(source, target, model, len(clip) / RATE), "", lightness_kept(source, target), ""]
            text += [*table(clip, source, target, model), ""]
        if "rounding" in options.tables:
            text += rounding(source, target, model)
    print("\n".join(text))
    if options.save:
        (ROOT / "benchmarks" / "results" / f"film-{today}.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
