"""Draw the pictures of docs/propagation.md: ``python scripts/make_propagation_figures.py`` (needs matplotlib)."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from skimage import data

from colorize.color import lab_to_rgb, rgb_to_lab
from colorize.color.metrics import ciede2000
from colorize.optimization import affinity, multigrid, propagate, reference, system

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
NAMES = {"laplacian": "laplacian", "row_normalized": "row_normalized, I - W", "least_squares": "least_squares"}


def lab_photo(pixels: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Lightness and true ab at a given width."""
    height = round(pixels.shape[0] * width / pixels.shape[1])
    lab = rgb_to_lab(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])


def strokes(ab: np.ndarray, rows_cols: list[tuple[float, float]], *, length: float = 0.05) -> np.ndarray:
    """Mask of short horizontal strokes around relative positions."""
    height, width = ab.shape[:2]
    is_known = np.zeros((height, width), bool)
    for row, col in rows_cols:
        r, c, half = int(row * height), int(col * width), max(2, int(length * width / 2))
        is_known[max(0, r - 2) : r + 2, max(0, c - half) : c + half] = True
    return is_known


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The astronaut with strokes of the mean true colour under each."""
    lightness, ab = lab_photo(data.astronaut(), 220)
    places = [
        (0.10, 0.10), (0.10, 0.72), (0.45, 0.06), (0.25, 0.42), (0.18, 0.50), (0.30, 0.36), (0.50, 0.47), (0.62, 0.30),
        (0.75, 0.30), (0.90, 0.20), (0.78, 0.70), (0.93, 0.60), (0.88, 0.88), (0.30, 0.90), (0.50, 0.80), (0.04, 0.42),
        (0.62, 0.62), (0.70, 0.12), (0.40, 0.62), (0.22, 0.70), (0.97, 0.38), (0.60, 0.93), (0.36, 0.20), (0.56, 0.16),
    ]  # fmt: skip
    is_known = strokes(ab, places)
    count, labels = cv2.connectedComponents(is_known.astype(np.uint8))
    known_ab = np.zeros_like(ab)
    for label in range(1, count):
        known_ab[labels == label] = ab[labels == label].mean(axis=0)
    return lightness, ab, is_known, known_ab


def show(axes: Axes, lightness: np.ndarray, ab: np.ndarray, title: str) -> None:
    """One coloured photo with a title."""
    axes.imshow(lab_to_rgb(lightness, ab))
    axes.set_title(title, fontsize=8)
    axes.axis("off")


def save(figure: Figure, name: str) -> None:
    """Write a picture without a date inside."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / f"propagation-{name}.png", dpi=95, bbox_inches="tight", metadata={"Software": None})


def draw_matrix() -> None:
    """A photo of 4 x 5 pixels, its weights, its matrix before and after a hint."""
    rows = [[30, 31, 31, 80, 81], [30, 32, 33, 81, 80], [31, 31, 79, 80, 82], [30, 32, 80, 81, 80]]
    lightness = np.array(rows, np.float32)
    planes = affinity.gaussian(lightness, sigma=1.5, floor=0.02)
    weight, wish = np.zeros_like(lightness), np.zeros((4, 5, 2), np.float32)
    weight[0, 4] = 0.5
    is_known = np.zeros((4, 5), bool)
    is_known[2, 1] = True
    free, held = (
        reference.as_matrix(system.stencil_system(planes.copy(), wish, weight, **given)).matrix.toarray()
        for given in ({}, {"is_known": is_known, "known_ab": wish})
    )
    figure = Figure(figsize=(11, 3.4))
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.25, 1, 1])
    left.imshow(lightness, cmap="gray", vmin=0, vmax=100)
    directed = reference.directed_from_planes(planes)
    for values, (row, col) in zip(directed[:4], affinity.OFFSETS, strict=False):
        for i, j in zip(*np.nonzero(values), strict=True):
            w = float(values[i, j])
            left.plot([j, j + col], [i, i + row], color="tab:orange", lw=0.4 + 3 * w, alpha=0.35 + 0.6 * min(w, 1))
    for i in range(4):
        for j in range(5):
            left.text(j, i, str(5 * i + j), ha="center", va="center", fontsize=7, color="white",
                      bbox={"boxstyle": "circle,pad=0.15", "fc": "tab:blue", "ec": "none"})  # fmt: skip
    left.set_title("20 pixels and their weights w\n(wide: same surface, thin: edge)", fontsize=8)
    left.axis("off")
    titles = ("A = D - W + C: wish c = 0.5 at pixel 4", "pixel 11 is a hint: identity row and column")
    for axes, matrix, title in zip((middle, right), (free, held), titles, strict=True):
        axes.imshow(np.where(matrix == 0, np.nan, matrix), cmap="RdBu", vmin=-5, vmax=5)
        axes.set_title(title, fontsize=8)
        axes.set_xticks(range(0, 20, 5))
        axes.set_yticks(range(0, 20, 5))
        axes.tick_params(labelsize=6)
    save(figure, "matrix")


def draw_forms() -> None:
    """Three forms with the affinity that each is known for, and the default."""
    lightness, ab, is_known, known_ab = scene()
    none = np.zeros_like(lightness)
    figure = Figure(figsize=(11, 6.2))
    grid = figure.subplots(2, 4, gridspec_kw={"hspace": 0.42})
    shown = np.where(is_known[..., None], known_ab, 0)
    show(grid[0, 0], lightness, ab, "true colours")
    show(
        grid[1, 0], np.where(is_known, 60, lightness).astype(np.float32), shown.astype(np.float32), "the strokes given"
    )
    pairs = [(form, kind) for kind in ("gaussian", "local_variance") for form in NAMES]
    for axes, (form, kind) in zip(grid[:, 1:].ravel(), pairs, strict=True):
        result = reference.propagate_reference(
            lightness, np.zeros_like(ab), none, is_known=is_known, known_ab=known_ab, form=form, affinity=kind
        )
        error = difference(lightness, result.ab, ab)
        show(axes, lightness, result.ab, f"{NAMES[form]}\n{kind}\nmean CIEDE2000 {error:.2f}")
    save(figure, "forms")


def difference(lightness: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Mean CIEDE2000."""
    return float(ciede2000(np.dstack([lightness, first]), np.dstack([lightness, second])).mean())


def draw_parameters() -> None:
    """Sigma by floor with strokes; weight with a rough wish everywhere."""
    lightness, ab, is_known, known_ab = scene()
    none = np.zeros_like(lightness)
    figure = Figure(figsize=(9, 8))
    grid = figure.subplots(3, 4)
    for row, floor in enumerate((1e-4, 1e-3, 1e-2)):
        for col, sigma in enumerate((0.5, 1.5, 4, 12)):
            result = propagate(
                lightness,
                np.zeros_like(ab),
                none,
                is_known=is_known,
                known_ab=known_ab,
                sigma=sigma,
                floor=floor,
                maxiter=300,
            )
            error = difference(lightness, result.ab, ab)
            show(grid[row, col], lightness, result.ab, f"sigma {sigma:g}, floor {floor:g}\nCIEDE2000 {error:.2f}")
    save(figure, "parameters")
    height, width = lightness.shape
    blocks = cv2.resize(ab, (width // 11, height // 11), interpolation=cv2.INTER_AREA)
    wish = cv2.resize(blocks, (width, height), interpolation=cv2.INTER_NEAREST)
    figure = Figure(figsize=(11, 2.7))
    axes = figure.subplots(1, 5)
    show(axes[0], lightness, wish, f"the wishes: blocks\nCIEDE2000 {difference(lightness, wish, ab):.2f}")
    for place, weight in zip(axes[1:], (1.0, 0.1, 0.01, 0.0005), strict=True):
        result = propagate(lightness, wish, np.full_like(lightness, weight))
        show(place, lightness, result.ab, f"weight {weight:g}\nCIEDE2000 {difference(lightness, result.ab, ab):.2f}")
    save(figure, "weight")


def draw_convergence() -> None:
    """Largest error against the exact solution, step by step, for three floors."""
    lightness, ab = lab_photo(data.astronaut(), 512)
    is_known = np.zeros(lightness.shape, bool)
    is_known.flat[np.random.default_rng(0).choice(is_known.size, 300, replace=False)] = True
    figure = Figure(figsize=(5.4, 3.2))
    axes = figure.subplots()
    for floor in (1e-2, 3e-3, 1e-3):
        planes = affinity.gaussian(lightness, floor=floor)
        given = {"is_known": is_known, "known_ab": ab}
        none = np.zeros_like(ab), np.zeros_like(lightness)
        exact, _ = reference.solve(reference.as_matrix(system.stencil_system(planes.copy(), *none, **given)))
        errors = []
        for steps in range(1, 21):
            equations = system.stencil_system(planes.copy(), *none, **given)
            field, _ = multigrid.solve(equations, maxiter=steps, tolerance=0.0)
            errors.append(ciede2000(np.dstack([lightness, field]), np.dstack([lightness, exact])).max())
        axes.semilogy(range(1, 21), errors, ".-", label=f"floor {floor:g}")
    axes.axhline(0.5, color="0.7", lw=1)
    axes.set_xlabel("steps after the full-multigrid start")
    axes.set_ylabel("largest CIEDE2000 against exact")
    axes.set_ylim(1e-3, 50)
    axes.set_xticks(range(0, 21, 5))
    axes.legend()
    save(figure, "convergence")


def main() -> None:
    """Draw all."""
    warnings.simplefilter("ignore")
    draw_matrix()
    draw_forms()
    draw_parameters()
    draw_convergence()


if __name__ == "__main__":
    main()
