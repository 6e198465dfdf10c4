"""Colours frame after frame: what the model thinks of key frames, carried along the motion, one sparse system each.

Every frame is solved as a photograph is (`colorize.optimization`), with two kinds of wishes per pixel: the colour that
it had in the frame before, and the colour that the model gave its region on the last key frame, carried here. A wish
of the second kind weighs as it does in a photograph; one of the first kind weighs as many times that as frames have
been heard, up to `MEMORY_SECONDS`: together they are a running mean of opinions, so a new opinion comes in over
seconds and nothing pops. Both weigh only as much as the flow to them is trusted; where nothing is, colour comes from
neighbours of like lightness, as in Levin's paper. Of a film that stands still the colours are exactly those of its
photograph, however long it lasts: weights of both kinds drop out of the equations when they agree.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np

from colorize._support.clock import Clock
from colorize.features.superpixels import region_map
from colorize.film.motion import find_motion
from colorize.guidance.canvas import pull
from colorize.guidance.hints import HintPixels
from colorize.optimization import propagate
from colorize.predictor import Predictor
from colorize.types import Float32, GrayImage

MEMORY_SECONDS = 2.0
"""A new opinion has come in to two thirds after so long. Longer is steadier, and slower to mend a first mistake."""

KEY_SECONDS = 0.5
"""The model is asked this often at least."""

_UNHEARD = 0.1  # share of the frame that no opinion reaches any more: then the model is asked earlier
_REST = 4  # frames between two opinions at least
_NEWCOMER = 8.0  # frames that colours of just uncovered places weigh as much as
_HINT_WEIGHT = 1.0  # pull of a carried hint: as much as between two equal neighbours
_LEAST = 1e-3  # of the weight of an opinion: where nothing is trusted, the system still has an answer


@dataclass(frozen=True, eq=False)
class State:
    """What a frame hands to the next.

    Attributes
    ----------
    lightness, ab : ndarray, shapes (H, W) and (H, W, 2), float32
    opinion : ndarray, shape (H, W, 2), float32
        Colours of the regions of the last key frame, carried here.
    heard : ndarray, shape (H, W), float32
        0..1: how far that opinion is still to be trusted.
    age : ndarray, shape (H, W), float32
        Frames of opinion that are in the colours.
    weight : float
        Of an opinion in the system.
    since : int
        Frames since the last key frame.
    """

    lightness: Float32
    ab: Float32
    opinion: Float32
    heard: Float32
    age: Float32
    weight: float
    since: int


class Painter:
    """Colours the frames of a film in order.

    Parameters
    ----------
    colorizer : Colorizer or Predictor
    vividness : float
        0 faithful ... 1 bold.
    rate : float
        Frames per second.
    meter : Clock, optional

    Attributes
    ----------
    state : State or None
        Of the last frame; None before a shot begins. Set it to go on from where another painter was.
    n_keys : int
        Key frames so far.

    See Also
    --------
    colorize.film.run.colorize_film : From file to file.

    Examples
    --------
    >>> from sklearn.datasets import load_sample_images
    >>> from colorize.colorizer import Colorizer
    >>> photos = [picture[::4, ::4] for picture in load_sample_images().images]
    >>> painter = Painter(Colorizer(n_colors=6, n_superpixels=60).fit(photos), rate=25.0)
    >>> first, second = (painter.paint(np.roll(photos[0][..., 1], k, axis=1) / np.float32(2.55)) for k in (0, 1))
    >>> first.shape, painter.n_keys, bool(np.abs(np.roll(first, 1, axis=1) - second)[:, 5:-5].mean() < 1)
    ((107, 160, 2), 1, True)
    """

    def __init__(
        self, colorizer: Predictor, *, vividness: float = 0.5, rate: float = 24.0, meter: Clock | None = None
    ) -> None:
        self.colorizer, self.vividness, self.meter = colorizer, vividness, meter or Clock(now=time.process_time)
        # In frames, so that a film of 12 frames a second remembers as long as one of 60.
        self.memory = max(1.0, MEMORY_SECONDS * rate)
        self.interval = max(_REST, round(KEY_SECONDS * rate))
        self.state: State | None = None
        self.n_keys = 0

    def cut(self) -> None:
        """A new shot begins: forget."""
        self.state = None

    def paint(self, lightness: Float32, exact: HintPixels | None = None, carried: HintPixels | None = None) -> Float32:
        """Colour the next frame.

        Parameters
        ----------
        lightness : ndarray, shape (H, W), float32
            L*.
        exact : HintPixels, optional
            Hints drawn on this frame: met exactly.
        carried : HintPixels, optional
            Hints drawn on others of the shot, followed to this one: wishes.

        Returns
        -------
        ndarray, shape (H, W, 2), float32
            a* and b*, hinted pixels met exactly as far as sRGB can show them.
        """
        state = self._carried(lightness)
        if exact is not None or self._is_due(state):
            state = self._decided(state, lightness, [pixels for pixels in (carried, exact) if pixels is not None])
        target, weight = _wishes(state, lightness, carried)
        wanted = None if exact is None else exact.on(lightness)
        known, known_ab = (None, None) if wanted is None else (wanted.is_known, wanted.field())
        # The last colours are nearly the answer, which saves rounds of the solver; a shot's first
        # frame has none, and starts as a photograph does.
        with self.meter("solve"):
            start_ab = None if state.since < 0 else state.ab
            spread = propagate(lightness, target, weight, is_known=known, known_ab=known_ab, start_ab=start_ab)
        # Not below: places just uncovered would else change with every opinion. Not above: the mean
        # would stop running, and no new opinion come in.
        age = np.clip(state.age + state.heard, _NEWCOMER, max(_NEWCOMER, self.memory)).astype(np.float32)
        self.state = replace(state, ab=spread.ab, age=age, since=max(0, state.since) + 1)
        return spread.ab

    def hold(self, lightness: Float32, exact: HintPixels | None = None) -> Float32:
        """Colour a frame that shows too little to follow (a flash, black): the last colours stay where they were."""
        state = self.state
        if state is None:
            return np.zeros((*lightness.shape, 2), np.float32)
        if exact is None:
            return state.ab
        wanted = exact.on(lightness)
        return np.where(wanted.is_known[..., None], wanted.field(), state.ab)

    def _carried(self, lightness: Float32) -> State:
        """The last state, at the places of this frame; before the first frame a blank one."""
        last = self.state
        shape = lightness.shape
        if last is None:
            nothing = np.zeros((*shape, 2), np.float32)
            # -1: not even a key frame came before.
            return State(lightness, nothing, nothing, np.zeros(shape, np.float32), np.zeros(shape, np.float32), 0.0, -1)
        with self.meter("flow"):
            motion = find_motion(last.lightness, lightness)
            # Four channels at once, as many as OpenCV samples: one walk over the picture instead of two.
            colors = motion.carry(np.concatenate([last.ab, last.opinion], axis=2))
            # Trust multiplies belief, not colour: an untrusted colour stays what it is and weighs less.
            belief = motion.carry(np.stack([last.heard, last.age], axis=2)) * motion.trust[..., None]
        ab, opinion = (np.ascontiguousarray(part) for part in np.split(colors, 2, axis=2))
        return replace(last, lightness=lightness, ab=ab, opinion=opinion, heard=belief[..., 0], age=belief[..., 1])

    def _is_due(self, state: State) -> bool:
        if state.since < 0 or state.since >= self.interval:
            return True
        # Not on frames in a row, however fast the picture changes: each asks the whole model.
        return state.since >= _REST and float((state.heard < 0.5).mean()) > _UNHEARD

    def _decided(self, state: State, lightness: Float32, said: list[HintPixels]) -> State:
        """Ask the model what it thinks of this frame."""
        self.n_keys += 1
        with self.meter("model"):
            session = self.colorizer.open(GrayImage(lightness))
            hints = reduce(add, (pixels.as_hints() for pixels in said)) if said else None
            region_ab = session.region_colors(hints, self.vividness)
            regions = session.description.superpixels
        return replace(
            state,
            opinion=region_map(region_ab, regions, lightness.shape),
            heard=np.ones(lightness.shape, np.float32),
            weight=pull(regions, lightness.shape),
            # The first frame stays at -1: `paint` starts its solve afresh by that.
            since=min(state.since, 0),
        )


def _wishes(state: State, lightness: Float32, carried: HintPixels | None) -> tuple[Float32, Float32]:
    """What every pixel should look like, shape (H, W, 2), and how much that weighs, shape (H, W)."""
    # Never zero: with no weight anywhere the Laplacian alone is singular.
    of_last = np.float32(state.weight) * (state.age + np.float32(_LEAST))
    of_model = np.float32(state.weight) * state.heard
    weight = of_last + of_model
    share = (of_model / weight)[..., None]
    target = state.ab + share * (state.opinion - state.ab)
    if carried is not None:
        where = carried.is_known
        # Set, not mixed in: next to a hint the model's opinion is no evidence.
        target[where] = carried.on(lightness).ab
        weight[where] += np.float32(_HINT_WEIGHT)
    return target, weight
