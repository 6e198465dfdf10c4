"""From photographs to a model: the visual words, a sample of described regions, what is learnt from them.

Two passes over the photographs: one over at most `WORD_PHOTOS` of them for the words, one over all for the rows and the
simple rules. Every photograph has random numbers of its own, so that what is described already need not be replayed.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize._support.progress import Progress, telling
from colorize._support.threads import one_thread
from colorize.color import rgb_to_lab, to_gray
from colorize.exceptions import DatasetError
from colorize.features import FeatureExtractor, PhotoAnalysis
from colorize.model import Photo, as_rgb_image, by_place, check_several, cut, describe
from colorize.recognition.rules import ColorSums, Lookup
from colorize.training.base import choose, in_summary
from colorize.training.classifier import CalibratedClassifier
from colorize.training.quantization import ColorPalette
from colorize.training.recognizer import FittedRecognizer, fit_palette, learn_alone, recalibrate
from colorize.training.rows import TrainingRows, draw, rows_of, share_of_rows

# At 400 regions each they give 24,000 descriptors, more than the 20,000 that k-means keeps; every
# one of these photographs has to be cut into regions twice.
WORD_PHOTOS = 60
"""Photographs that the visual words are learnt from."""


def checked_photos(photos: Sequence[Photo]) -> Sequence[Photo]:
    """Check that there is something to learn from; a Series of pandas becomes a list.

    Raises
    ------
    TypeError
        `photos` is no sequence.
    DatasetError
        They are fewer than two.

    See Also
    --------
    colorize.model.check_several : For those that are measured.
    """
    check_several(photos)
    if len(photos) < 2:
        raise DatasetError(f"training needs at least 2 photographs, got {len(photos)}")
    return by_place(photos)


def learn_words(
    photos: Sequence[Photo], families: Sequence[str], n_superpixels: int, random_state: int, say: Progress
) -> FeatureExtractor:
    """Make an extractor of these families, and learn its visual words from a sample of the photographs.

    See Also
    --------
    describe_photos : The stage after.
    colorize.features.FeatureExtractor.fit : The k-means inside.
    """
    extractor = FeatureExtractor(families, random_state)
    chosen = draw(len(photos), WORD_PHOTOS, random_state)
    # One after the other: an analysis is many times as large as what is learnt from it.
    return extractor.fit(
        PhotoAnalysis(*cut(to_gray(as_rgb_image(photos[number], number)), n_superpixels))
        for number in telling(say, "visual words", chosen)
    )


def describe_photos(
    photos: Sequence[Photo],
    n_superpixels: int,
    extractor: FeatureExtractor,
    described: MutableMapping[int, TrainingRows] | None,
    say: Progress,
    rows_per_photo: int,
    random_state: int,
    *,
    pictures: bool = False,
) -> tuple[TrainingRows, dict[str, Lookup]]:
    """Rows of a sample of the regions of every photograph, and the simple rules, in one pass.

    Parameters
    ----------
    photos : sequence of RgbImage or ndarray of shape (H, W, 3)
    n_superpixels : int
        Regions per photograph, about.
    extractor : FeatureExtractor
        With its visual words learnt.
    described : mutable mapping of int to TrainingRows, optional
        A cache: rows that are in it, by number of the photograph, are taken from there, others are put there; so are
        those that lack the pictures that are wanted.
    say : callable
        Told of the progress.
    rows_per_photo : int
        Regions to draw from each; fewer where there would be too many rows in all.
    random_state : int
    pictures : bool
        Keep thumbnails of the regions.

    See Also
    --------
    learn_words : The stage before.
    learn : The stage after.
    colorize.training.rows.rows_of : Rows of one photograph.
    """
    cache = {} if described is None else described
    n_rows = share_of_rows(rows_per_photo, len(photos))
    sums = ColorSums()
    for number in telling(say, "features", range(len(photos))):
        photo = as_rgb_image(photos[number], number)
        lab = rgb_to_lab(photo.pixels)
        sums.add(lab)  # also of photographs from the cache: it holds regions, the rules count pixels
        if number not in cache or (pictures and cache[number].picture is None):
            regions = rows_of(
                describe(to_gray(photo), n_superpixels, extractor), lab[..., 1:], number, pictures=pictures
            )
            # a seed of its own, so that the rows do not depend on which photographs were described before
            cache[number] = regions.where(draw(len(regions), n_rows, [random_state, number]))
    return TrainingRows.concatenate([cache[number] for number in range(len(photos))]), sums.rules()


def in_sample(rows: TrainingRows, n_sample_rows: int, random_state: int) -> NDArray[np.intp]:
    """Numbers of the rows that a model carries along, shape (n_sample_rows,) or fewer."""
    return draw(len(rows), n_sample_rows, random_state)


def learn(
    rows: TrainingRows,
    machine: CalibratedClassifier,
    *,
    n_colors: int,
    n_sample_rows: int,
    random_state: int,
    palette: ColorPalette | None = None,
    base: FittedRecognizer | None = None,
) -> tuple[FittedRecognizer, dict[str, np.ndarray], dict[str, Any]]:
    """Learn from rows: palette, scaler and a copy of the machine, on top of a base if that does better.

    Returns
    -------
    recognizer : FittedRecognizer
    sample : dict of str to ndarray
        Some of the rows (`in_sample`), for the model to carry along: ``features`` float16 as the classifier sees them,
        ``ab`` float16, ``photo`` int32.
    summary : dict
        The training in numbers.

    See Also
    --------
    describe_photos : The stage before: where rows come from.
    colorize.training.recognizer.learn_alone : What is learnt from rows alone.
    colorize.training.base.choose : Whether a base is kept.
    """
    if not isinstance(rows, TrainingRows):
        raise TypeError(f"rows must be TrainingRows, got {type(rows).__name__}; `fit` takes photographs")
    # A study hands over the palette, so that its twins differ in nothing else.
    palette = palette or fit_palette(rows, n_colors, random_state)
    with one_thread():  # equal rows give equal bytes on any number of cores
        choice = choose(rows, palette, base, machine, random_state)
        if base is not None and choice.keeps_base:
            learnt = recalibrate(rows, palette, base)
        else:
            learnt = learn_alone(rows, palette, machine)
        recognizer = replace(learnt, encoder_share=choice.encoder_share, gain=choice.gain)
        features = recognizer.scaler.transform(rows.features)
    summary: dict[str, Any] = {
        "n_photos": len(np.unique(rows.photo)),
        "n_rows": len(rows),
        "n_features": rows.features.shape[1],
    }
    # The components of a base were chosen for its rows; what they keep of these was never measured.
    if not choice.keeps_base:
        summary["explained_variance"] = round(recognizer.scaler.explained_, 4)
    if base is not None:
        summary |= in_summary(choice)
    kept = in_sample(rows, n_sample_rows, random_state)
    sample: dict[str, np.ndarray] = {
        # Half precision: 4000 rows of 128 components take 1 MB of the model file, and not 2.
        "features": features[kept].astype(np.float16),
        "ab": rows.ab[kept].astype(np.float16),
        "photo": rows.photo[kept],
    }
    return recognizer, sample, summary
