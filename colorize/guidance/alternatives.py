"""Other ways to see a photograph: whole, coherent pictures along the changes that the model's doubt makes likeliest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# On training photographs steps longer by a third would be better; on validation photographs, which are soberer, these
# are. Thirty or more fitted numbers, by hue, did no better (docs/alternatives.md).
MOODS = {"colder": (-0.1, -1.1), "warmer": (0.55, 1.15), "greener": (-0.8, 0.65), "rosier": (0.65, -0.45)}
"""Steps from a picture to its alternatives: standard deviations of the photograph along the likeliest change of a* and
of b*. Fitted so that the best of the five pictures comes close to the truth."""

N_MODES = 2
"""Modes of change of a photograph that are likely enough to be shown."""

N_ALTERNATIVES = 1 + N_MODES * len(MOODS)
"""Most alternatives that are made of one photograph: the moods along the likeliest change, then along the second."""


def step_to(modes: Sequence[NDArray[np.float64]], number: int) -> NDArray[np.float64]:
    """How alternative `number` differs from the usual picture, number 0, in the colours of parts, shape (n_parts, 2).

    Parameters
    ----------
    modes : sequence of ndarray, shape (n_parts, 2)
        The `N_MODES` likeliest changes of the photograph (`Belief.modes`); a photograph of few parts has fewer.
    number : int
        1 to 8.

    See Also
    --------
    colorize.recognition.belief.Belief.modes : The stage before.
    colorize.guidance.session.Session.alternatives : Makes the pictures.
    """
    level, mood = divmod(number - 1, len(MOODS))
    # A photograph of few parts has no second mode; the last that it has stands in.
    return modes[: level + 1][-1] * list(MOODS.values())[mood]
