"""`Predictor`: colours photographs with a model that was fitted before. `Colorizer` is one that also learns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colorize._support.numbers import is_number
from colorize.exceptions import DatasetError
from colorize.guidance.automatic import Automatic
from colorize.guidance.canvas import Canvas
from colorize.guidance.guidance import GuidedView
from colorize.guidance.hints import Hints
from colorize.guidance.references import References, look_at
from colorize.guidance.session import Session
from colorize.model import Model, Photo, as_gray_image, as_rgb_image, check_several
from colorize.models.file import load_model
from colorize.models.format import unpack
from colorize.recognition.decision import dial, palette_shares
from colorize.types import Colorization, Float32, GrayImage


class Predictor:
    """Colours photographs with a fitted model; needs no scikit-learn, which takes a second to import.

    Parameters
    ----------
    model : Model

    See Also
    --------
    colorize.colorizer.Colorizer : One that also learns.
    colorize.guidance.session.Session : What `open` gives.

    Examples
    --------
    >>> import numpy as np
    >>> from colorize.models import find_model
    >>> predictor = Predictor.load(find_model("default"))
    >>> predictor.predict(GrayImage(np.full((60, 90), 50, np.float32))).rgb.shape
    (60, 90, 3)
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.random_state = model.random_state

    @classmethod
    def load(cls, path: str | Path) -> Predictor:
        """Read a model file.

        Raises
        ------
        ModelFileError
            The file is missing, damaged, of another version, or its parts do not fit together.
        """
        # Not `cls`: a `Colorizer` takes its parameters and loads more than a model.
        return Predictor(unpack(path, *load_model(path)).model)

    @property
    def model(self) -> Model:
        """What was learnt."""
        return self._model

    def __repr__(self) -> str:
        return f"Predictor({self.model!r})"

    def predict(
        self,
        gray: GrayImage | Photo | NDArray[Any],
        *,
        vividness: float = 0.5,
        hints: Hints | None = None,
        palette: ArrayLike | None = None,
    ) -> Colorization:
        """Colorize a photograph.

        Parameters
        ----------
        gray : GrayImage, RgbImage or ndarray
            The photograph; of colours only the lightness is used. An array is gray (H, W) or sRGB (H, W, 3), uint8 or
            uint16.
        vividness : float
            0 faithful, 0.5 the default, 1 bold. Lower it if colours are wrong, raise it if they are dull.
        hints : Hints, optional
            What a person drew on it; for several tries with one photograph, `open` it.
        palette : array_like of float, shape (n_colors,), optional
            Share of every palette colour in the album that the photograph belongs to (means of `palette_shares`); its
            colours are drawn towards them.

        Returns
        -------
        Colorization

        Raises
        ------
        InvalidImageError
            `gray` is no photograph.
        HintsError
            The hints are for another photograph, or none lies on it.
        ValueError
            `vividness` is outside [0, 1], or `palette` has not one share per palette colour.
        sklearn.exceptions.NotFittedError
            The model is neither fitted nor loaded.
        """
        # Checked first: to describe a photograph takes long for a wrong number.
        dial(vividness)
        session = self.open(gray)
        return (session if palette is None else session.in_album(palette)).with_hints(hints, vividness)

    def open(
        self,
        gray: GrayImage | Photo | NDArray[Any],
        references: Sequence[Photo] | References = (),
        reference_strength: float = 1.0,
    ) -> Session:
        """Describe a photograph once, to colour it many times: with hints, in other ways, as a reference looks.

        Parameters
        ----------
        gray : GrayImage, RgbImage or ndarray
            As in `predict`.
        references : sequence of RgbImage or ndarray of shape (H, W, 3), or References
            Colour photographs that this one should look like. `colorize.guidance.references.look_at` describes them
            once for many photographs.
        reference_strength : float
            0 ignores the references, 1 follows them; lower it if colours come from the wrong parts of a reference.

        Returns
        -------
        Session

        Raises
        ------
        InvalidImageError
            `gray` is no photograph, or a reference has no colours.
        ValueError
            `reference_strength` is outside [0, 1].
        sklearn.exceptions.NotFittedError
            The model is neither fitted nor loaded.
        """
        if not (is_number(reference_strength) and 0 <= reference_strength <= 1):
            raise ValueError(f"reference_strength must be in [0, 1], got {reference_strength!r}")
        if isinstance(references, References):
            seen: References | None = references
        else:
            check_several(references, "references")
            seen = look_at(self.model, references) if len(references) else None
        photo = as_gray_image(gray)
        view = self.model.look(photo)
        canvas = Canvas.fitting(photo, view.description.superpixels)
        return Session(Automatic(GuidedView(view, seen, reference_strength)), photo, canvas)

    def palette_shares(self, gray: GrayImage | Photo | NDArray[Any]) -> Float32:
        """Share of every palette colour that a photograph probably has, shape (n_colors,), sum 1.

        The mean over the photographs of an album is what `predict` takes as `palette`.
        """
        view = self.model.look(gray)
        return palette_shares(view.probabilities, view.description.superpixels)

    def score(self, photos: Iterable[Photo], y: None = None) -> float:
        """Minus the mean CIEDE2000 of colour photographs at `vividness` 0, for the searches of scikit-learn.

        Raises `DatasetError` if there are none, `TypeError` if it is one photograph or a name.
        """
        # compiled when first imported: who only colorizes should not wait for it
        from colorize.color.metrics import Truth

        check_several(photos, once=True)
        errors = []
        for number, item in enumerate(photos):
            photo = as_rgb_image(item, number)
            # The setting of least error: at others a search would prefer pale models.
            result = self.predict(photo, vividness=0)
            errors.append(Truth(photo.pixels).figures(result.rgb, result.ab)["ciede2000"])
        if not errors:
            raise DatasetError("there are no photographs to measure with")
        return -float(np.mean(errors))
