"""What the app can do, without a page: everything comes in and goes out as plain values."""

from __future__ import annotations

from colorize.app.brush import Brush
from colorize.app.desk import Desk
from colorize.app.errands import Errands
from colorize.app.house import House
from colorize.app.workshop import Workshop


class Service:
    """Everything the app does, for any number of visitors; what cannot be done raises `RequestError` in plain words.

    Parameters
    ----------
    house : House
        What its parts share.

    Attributes
    ----------
    desk : Desk
        Photographs, their colours, and what is saved of them.
    brush : Brush
        Strokes on them.
    errands : Errands
        Comparing, and many photographs at once.
    workshop : Workshop
        Training, and the models.

    Examples
    --------
    >>> from pathlib import Path
    >>> service = Service(House(Path("models")))
    >>> view = service.desk.open_sample("somebody", "flower")
    >>> view.photo.name, view.photo.shape, view.strokes
    ('flower.jpg', (427, 640), ())
    >>> service.house.close()
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.desk, self.brush = Desk(house), Brush(house)
        self.errands, self.workshop = Errands(house), Workshop(house)
