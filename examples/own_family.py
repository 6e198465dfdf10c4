"""A feature family of your own
============================

Which way do the edges of a region run? A family that tells, a model that uses it, and what it is worth to that model.
It is trained on pieces of one photograph and asked about those of another, which is quick and makes no good model.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colorize import Colorizer, RgbImage
from colorize.evaluation.importance import importance
from colorize.features import FAMILIES, PhotoAnalysis, register_family

N_DIRECTIONS = 8


# start of the family
def edges(photo: PhotoAnalysis) -> tuple[np.ndarray, list[str]]:
    """How strong the edges of every region are, by direction: (n_superpixels, 8), and a name per column."""
    by_row, by_column = np.gradient(photo.gray)  # lightness, 0..1, at the working resolution
    strength = np.hypot(by_row, by_column)
    direction = np.arctan2(by_row, by_column) % np.pi  # an edge has no front and no back
    bins = np.minimum(direction * (N_DIRECTIONS / np.pi), N_DIRECTIONS - 1).astype(int)

    n_regions = photo.superpixels.n_superpixels
    places = photo.flat_labels * N_DIRECTIONS + bins.ravel()  # one counter per region and direction
    sums = np.bincount(places, strength.ravel(), n_regions * N_DIRECTIONS).reshape(n_regions, N_DIRECTIONS)
    values = np.sqrt(sums / photo.superpixels.areas[:, None])  # the root lets faint edges count too
    return values, [f"{180 * i / N_DIRECTIONS:g} deg" for i in range(N_DIRECTIONS)]


register_family("edges", edges)
# end of the family


def pieces(pixels: NDArray[np.uint8], size: int = 160) -> list[RgbImage]:
    """A photograph cut into squares."""
    rows, columns = (range(0, n - size + 1, size) for n in pixels.shape[:2])
    return [RgbImage(np.ascontiguousarray(pixels[r : r + size, c : c + size])) for r in rows for c in columns]


if __name__ == "__main__":  # a program that only wants the family imports this file
    from sklearn.datasets import load_sample_image

    training, others = (pieces(load_sample_image(name)) for name in ("flower.jpg", "china.jpg"))

    model = Colorizer(n_colors=12, n_superpixels=120, families=(*FAMILIES, "edges")).fit(training)
    model.save("with_edges.safetensors", overwrite=True)
    again = Colorizer.load(Path("with_edges.safetensors"))  # works, because the family is registered here
    print(f"trained on {len(training)} pieces, families: {', '.join(again.families)}")

    found = importance(again, others, training_photos=training, n_repeats=2, n_detail_repeats=0, refits=False)
    for (family, _), worth in found.select("permutation", "across", "log_loss").items():
        print(f"{family:>16} {worth.value:+.3f} ({worth.low:+.3f} to {worth.high:+.3f}) nats")
