"""What the app can do, without a page: everything comes in and goes out as plain values."""

from __future__ import annotations

from colorize.app.brush import Brush
from colorize.app.core import Core
from colorize.app.editor import Editor
from colorize.app.errands import Errands
from colorize.app.models import Models


class Service:
    """Everything the app does, for any number of visitors; what cannot be done raises `RequestError` in plain words.

    Examples
    --------
    >>> from pathlib import Path
    >>> service = Service(Core(Path("models")))
    >>> view = service.editor.open_sample("somebody", "flower")
    >>> view.photo.path.name, view.photo.shape, view.strokes
    ('flower.jpg', (427, 640), ())
    >>> service.core.close()
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.editor, self.brush = Editor(core), Brush(core)
        self.errands, self.models = Errands(core), Models(core)
