"""Training rows: regions of photographs, described, with their true colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize._support.shrink import shrink_to
from colorize.features.superpixels import region_means
from colorize.model import Description
from colorize.recognition.thumbnails import cut_thumbnails
from colorize.types import Float32

_MAX_ROWS = 60_000  # the kernel matrix of the support vector machine takes 0.3 GB then


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """What a model learns from: one row per region.

    Attributes
    ----------
    features : ndarray, shape (n, n_features), float32
        Unscaled.
    ab : ndarray, shape (n, 2), float32
        True colours.
    area : ndarray, shape (n,)
        Share of the photograph.
    photo : ndarray, shape (n,), int32
        Number of the photograph.
    families : mapping of str to slice
        Columns of each feature family; any names.
    picture : ndarray, shape (n, 648), uint8, or None
        Thumbnails of the regions (`colorize.recognition.thumbnails`).

    Raises
    ------
    ValueError
        The parts differ in their number of rows.

    See Also
    --------
    rows_of : Makes them of a photograph.
    colorize.training.fit.learn : Learns from them.

    Examples
    --------
    >>> ab, area, photo = np.zeros((3, 2), np.float32), np.full(3, 1 / 3), np.array([0, 0, 1], np.int32)
    >>> rows = TrainingRows(np.eye(3, dtype=np.float32), ab, area, photo, {"all": slice(0, 3)})
    >>> len(rows.where(rows.photo == 0)), len(TrainingRows.concatenate([rows, rows]))
    (2, 6)
    >>> rows
    TrainingRows(3 rows of 2 photographs, 3 columns, 0.0 MB)
    """

    features: Float32
    ab: Float32
    area: NDArray[np.floating]
    photo: NDArray[np.int32]
    families: Mapping[str, slice]
    picture: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        # Rows are picked by number in all parts: one that is shorter would pair features with colours of other regions.
        counts = {name: len(values) for name, values in self.arrays().items()}
        if len(set(counts.values())) > 1:
            raise ValueError(f"training rows must be equally many in every part, got {counts}")

    def __repr__(self) -> str:
        n_photos, n_columns = len(np.unique(self.photo)), self.features.shape[1]
        megabytes = sum(values.nbytes for values in self.arrays().values()) / 1e6
        return f"TrainingRows({len(self)} rows of {n_photos} photographs, {n_columns} columns, {megabytes:.1f} MB)"

    def __len__(self) -> int:
        return len(self.features)

    def arrays(self) -> dict[str, Any]:
        """The parts that have a row per region, by name."""
        # By type, so that pictures that were not asked for are passed over everywhere.
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: values for name, values in found.items() if isinstance(values, np.ndarray)}

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> TrainingRows:
        """Some of the rows: a mask, numbers or a slice says which."""
        return replace(self, **{name: values[chosen] for name, values in self.arrays().items()})

    @classmethod
    def concatenate(cls, blocks: Sequence[TrainingRows]) -> TrainingRows:
        """All rows of blocks that have the same families, in their order; with pictures if all blocks have them.

        Raises
        ------
        ValueError
            A family has more columns in one block than in another.
        """
        for block in blocks:
            for name, columns in block.families.items():
                n_columns, first = (s.stop - s.start for s in (columns, blocks[0].families.get(name, slice(0, 0))))
                if n_columns != first:
                    raise ValueError(
                        f"family {name} must give as many columns for every photograph, got {first} and {n_columns}"
                    )
        parts = [block.arrays() for block in blocks]
        names = [name for name in parts[0] if all(name in part for part in parts)]
        joined: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in names}
        return replace(blocks[0], **({"picture": None} | joined))


def rows_of(description: Description, true_ab: Float32, photo: int, *, pictures: bool = False) -> TrainingRows:
    """Rows of all regions of a photograph.

    Parameters
    ----------
    description : Description
    true_ab : ndarray, shape (H, W, 2), float32
        True colours, at the photograph's own size.
    photo : int
        Its number.
    pictures : bool
        Cut a thumbnail of every region.

    See Also
    --------
    colorize.model.describe : The stage before.
    draw : The stage after: which of them are kept.
    """
    lightness, superpixels = description.lightness, description.superpixels
    # By area: every pixel of the photograph has its part in the mean of its region.
    ab = shrink_to(true_ab, lightness.shape)
    return TrainingRows(
        features=description.features.values,
        ab=region_means(ab, superpixels),
        # A share, so that photographs of all sizes count alike.
        area=superpixels.areas / superpixels.areas.sum(),
        photo=np.full(superpixels.n_superpixels, photo, np.int32),
        families=dict(description.features.families),
        picture=cut_thumbnails(lightness, ab, superpixels) if pictures else None,
    )


def share_of_rows(n_wanted: int, n_photos: int) -> int:
    """Rows to draw from each of `n_photos` photographs: `n_wanted`, or fewer if 60,000 in all would be exceeded.

    Examples
    --------
    >>> share_of_rows(220, 100), share_of_rows(220, 1000)
    (220, 60)
    """
    # Fewer rows of each and not fewer photographs: rows of one photograph say much the same.
    return min(n_wanted, max(1, _MAX_ROWS // n_photos))


def draw(n: int, n_wanted: int, seed: int | Sequence[int]) -> NDArray[np.intp]:
    """Numbers below `n` drawn at random, ascending: `n_wanted` of them, or all if there are fewer."""
    # Ascending: whoever wants all rows gets them as they are.
    return np.sort(np.random.default_rng(seed).choice(n, min(n_wanted, n), replace=False))
