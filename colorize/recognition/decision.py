"""From probabilities to one colour per region: neighbours share evidence and agree; a dial says how brave to be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from colorize._support.numbers import is_number
from colorize._support.regions import averaging, graph_laplacian, likeness, region_graph
from colorize.recognition.palette import mean_color, softmax
from colorize.types import Float32, Superpixels

NEAR = 20.0
"""Distance in ab within which a colour counts as right when confidence is stated."""

SHARING = 10.0
"""How far regions share evidence (`share_evidence`) when nobody but the model speaks."""

TOWARD = 0.5
"""How far the shares of colours are drawn towards those of an album (`toward_palette`)."""

GAIN = 1.42
"""Factor on chroma at vividness 0.5 (`dial`), unless training found another."""


def dial(vividness: float, gain: float = GAIN) -> float:
    """What a vividness in [0, 1] means: a factor on the chroma of the mean of all plausible colours.

    0 is faithful (that mean as it is: smallest error), 0.5 multiplies by the gain, 1 is bold: by `GAIN` once more; in
    between by equal ratios for equal steps. A mean of colours that compete is paler than any of them; made stronger it
    errs less than the likeliest colour, and the hue is the same at every setting.

    Parameters
    ----------
    vividness : float
        0..1.
    gain : float
        The factor at 0.5. A model that is sure of its colours, as one of studio portraits is, needs little; training
        finds what makes photographs that are held out about as colourful with every model (`colorize.training.base`).

    Raises
    ------
    ValueError
        `vividness` is outside [0, 1].

    See Also
    --------
    Decision.ab : Where the chroma is multiplied.
    colorize.recognition.palette.mean_color : The mean that is made stronger.

    Examples
    --------
    >>> [round(dial(vividness), 2) for vividness in (0, 0.5, 1)]
    [1.0, 1.42, 2.02]
    """
    if not (is_number(vividness) and 0 <= vividness <= 1):
        raise ValueError(f"vividness must be in [0, 1], got {vividness!r}")
    # The default model is 0.36, 0.51 and 0.73 as colourful as everyday photographs are, at 0, 0.5
    # and 1, and errs least at 0 (docs/compare.md).
    return float(gain ** min(2 * vividness, 1) * GAIN ** max(2 * vividness - 1, 0))


@dataclass(frozen=True, eq=False)
class Decision:
    """One colour per region, and the probabilities on the way to it.

    Attributes
    ----------
    own : ndarray, shape (n_superpixels, K), float32
        Probabilities of the palette colours from each region's own features.
    shared : ndarray, shape (n_superpixels, K), float32
        After regions that belong together shared their evidence (`share_evidence`).
    agreed : ndarray, shape (n_superpixels, K), float32
        After neighbours agreed (`mean_field`): those that decide.
    colors : ndarray, shape (K, 2), float32
        The palette, ab.
    gain : float
        Of the model, as in `dial`.

    See Also
    --------
    decide : Makes it.
    colorize.guidance.canvas.Canvas.spread : The stage after.
    """

    own: Float32
    shared: Float32
    agreed: Float32
    colors: Float32
    gain: float = GAIN

    @cached_property
    def faithful_ab(self) -> Float32:
        """Mean of all plausible colours, shape (n_superpixels, 2)."""
        # Kept: a dial that is turned asks for it a hundred times.
        return mean_color(self.agreed, self.colors)

    def ab(self, vividness: float = 0.5) -> Float32:
        """The colour of every region, shape (n_superpixels, 2); ValueError as `dial`."""
        return self.faithful_ab * np.float32(dial(vividness, self.gain))

    def confidence(self, region_ab: Float32) -> Float32:
        """Probability that the true colour lies within `NEAR` of some colour, shape (n_superpixels,), 0..1.

        Parameters
        ----------
        region_ab : ndarray, shape (n_superpixels, 2)
            The colours that are shown: those of `ab`, or what a refiner, a reference or a choice made of them.

        See Also
        --------
        colorize.explanation.doubt : Shows it.
        """
        distances = np.linalg.norm(region_ab[:, None, :] - self.colors, axis=2)
        # Of those before neighbours agreed: talked over, all are surer than they are right (on everyday
        # photographs 0.90 where 0.76 is true; 0.81 so).
        return (self.shared * (distances < NEAR)).sum(axis=1).astype(np.float32)


def decide(
    probabilities: Float32,
    colors: Float32,
    superpixels: Superpixels,
    region_lightness: Float32,
    *,
    gain: float = GAIN,
    sharing: float = SHARING,
) -> Decision:
    """Choose one colour per region: share evidence, agree, take the mean; `Decision.ab` asks how brave to be.

    Parameters
    ----------
    probabilities : ndarray, shape (n_superpixels, K), float32
        Of the palette colours, for every region alone.
    colors : ndarray, shape (K, 2), float32
        The palette, ab.
    superpixels : Superpixels
    region_lightness : ndarray, shape (n_superpixels,), float32
        Mean L* of the regions.
    gain : float
        As in `dial`.
    sharing : float
        As in `share_evidence`.

    Returns
    -------
    Decision

    See Also
    --------
    share_evidence, mean_field, colorize.recognition.palette.mean_color : The three steps.
    """
    shared = share_evidence(probabilities, superpixels, region_lightness, sharing=sharing)
    agreed = mean_field(shared, colors, superpixels, region_lightness)
    return Decision(probabilities, shared, agreed, colors, gain=gain)


def share_evidence(
    probabilities: Float32,
    superpixels: Superpixels,
    region_lightness: Float32,
    *,
    sharing: float = SHARING,
    lightness_scale: float = 2.0,
) -> Float32:
    """Let regions that belong together decide together.

    A wall or a sky is many regions, each with an opinion of its own, and a region beside a face thinks of skin.
    Evidence (the logarithm l of the probabilities) is therefore spread over the region graph by the system that spreads
    colours over pixels later: ``min sum_i a_i |l_i - log p_i|^2 + sharing sum_{i~j} w_ij |l_i - l_j|^2`` with a_i the
    area of a region against the mean area and ``w_ij = exp(-|L_i - L_j| / lightness_scale)``. Means of logarithms are
    products of experts: a colour must be plausible to all regions that are tied together.

    Parameters
    ----------
    probabilities : ndarray, shape (n_superpixels, K), float32
    superpixels : Superpixels
    region_lightness : ndarray, shape (n_superpixels,), float32
        Mean L* of the regions.
    sharing : float
        0 leaves the regions alone; lower it if small things take the colour of their surroundings, raise it if walls
        and skies are blotchy.
    lightness_scale : float
        Difference in L* at which the tie between neighbours has weakened to a third.

    Returns
    -------
    ndarray, shape (n_superpixels, K), float32
        Rows sum to 1.

    See Also
    --------
    mean_field : The stage after.
    colorize.optimization.propagate : The same system on pixels.

    References
    ----------
    Levin, Lischinski and Weiss, "Colorization using optimization", SIGGRAPH 2004 (the system, here on regions, in its
    symmetric form). Hinton, "Training products of experts by minimizing contrastive divergence", 2002.

    Examples
    --------
    >>> from colorize.features.superpixels import from_labels
    >>> regions = from_labels(np.array([[0, 1, 2]]))
    >>> unsure = np.array([[0.9, 0.1], [0.4, 0.6], [0.9, 0.1]], np.float32)
    >>> share_evidence(unsure, regions, np.full(3, 50, np.float32)).argmax(axis=1).tolist()
    [0, 0, 0]
    """
    # Large regions hold on to what they think; specks follow.
    area = superpixels.areas.astype(np.float64) / superpixels.areas.mean()
    ties = sharing * likeness(superpixels, region_lightness, lightness_scale)
    system = sparse.diags_array(area) + graph_laplacian(region_graph(superpixels, ties))
    # One factor serves all K colours. Logarithms are cut at 1e-6, because a classifier that is sure and
    # wrong would otherwise outvote any number of neighbours.
    evidence = splu(sparse.csc_array(system)).solve(area[:, None] * np.log(np.maximum(probabilities, 1e-6)))
    return softmax(evidence).astype(np.float32)


def palette_shares(probabilities: Float32, superpixels: Superpixels) -> Float32:
    """Share of every palette colour in a photograph, shape (K,): the mean of its regions' probabilities by area.

    See Also
    --------
    toward_palette : The stage after.

    Examples
    --------
    >>> from colorize.features.superpixels import from_labels
    >>> halves = from_labels(np.array([[0, 0, 0, 1]]))
    >>> palette_shares(np.array([[1, 0], [0, 1]], np.float32), halves).tolist()
    [0.75, 0.25]
    """
    return np.average(probabilities, axis=0, weights=superpixels.areas).astype(np.float32)


def toward_palette(
    probabilities: Float32, superpixels: Superpixels, wanted: Float32, *, strength: float = TOWARD, floor: float = 0.003
) -> Float32:
    """Draw a photograph towards the colours that its album has, so that a series looks like one.

    ``p'(k) ~ p(k) ((wanted(k) + floor) / (own(k) + floor))^strength`` with the photograph's own shares.

    Parameters
    ----------
    probabilities : ndarray, shape (n_superpixels, K), float32
    superpixels : Superpixels
    wanted : ndarray, shape (K,), float32
        Shares of the palette colours in the album (`palette_shares`, averaged over its photographs).
    strength : float
        0 changes nothing, 1 gives about the album's shares. Lower it if photographs of other things take its colours.
    floor : float
        Share below which a colour counts as absent in both.

    Returns
    -------
    ndarray, shape (n_superpixels, K), float32
        Rows sum to 1.

    See Also
    --------
    palette_shares : The stage before: where the shares come from.
    share_evidence : The stage after.

    References
    ----------
    Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities: a simple
    procedure", Neural Computation 14, 2002 (the ratio of shares; here tempered, and to the photograph's own shares
    instead of those of the training).

    Examples
    --------
    >>> from colorize.features.superpixels import from_labels
    >>> regions = from_labels(np.array([[0, 1]]))
    >>> unsure = np.array([[0.5, 0.5], [0.5, 0.5]], np.float32)
    >>> toward_palette(unsure, regions, np.array([0.9, 0.1], np.float32), strength=1, floor=0).tolist()[0]
    [0.8999999761581421, 0.10000000149011612]
    """
    # `floor` keeps a colour that neither has from being divided by nothing.
    own = palette_shares(probabilities, superpixels)
    drawn = probabilities * ((wanted + floor) / (own + floor)) ** strength
    return (drawn / drawn.sum(axis=1, keepdims=True)).astype(np.float32)


def mean_field(
    probabilities: Float32,
    colors: Float32,
    superpixels: Superpixels,
    region_lightness: Float32,
    *,
    coupling: float = 2.0,
    color_scale: float = 15.0,
    lightness_scale: float = 8.0,
    n_rounds: int = 10,
) -> Float32:
    """Let neighbouring regions agree: mean-field inference in a Markov random field over the region graph.

    Each round multiplies a region's probabilities by exp(coupling * agreement), where the agreement with colour k is
    the weighted mean over its neighbours of their belief in colours near k: ``Q_i(k) ~ p_i(k) exp(coupling sum_j w_ij
    sum_l exp(-|c_k - c_l|^2 / 2 color_scale^2) Q_j(l))``. Neighbours of similar lightness weigh most
    (``w_ij ~ exp(-|L_i - L_j| / lightness_scale) + 0.05``, rows normalised).

    Parameters
    ----------
    probabilities : ndarray, shape (n_superpixels, K), float32
    colors : ndarray, shape (K, 2), float32
    superpixels : Superpixels
    region_lightness : ndarray, shape (n_superpixels,), float32
    coupling : float
        0 leaves the regions alone; too much floods the photograph with its commonest colour.
        Above 4 or so the rounds may not settle, because neighbours swap opinions.
    color_scale : float
        Distance in ab within which two colours count as the same.
    lightness_scale : float
        Difference in L* at which the tie between neighbours has weakened to a third.
    n_rounds : int

    Returns
    -------
    ndarray, shape (n_superpixels, K), float32
        Rows sum to 1.

    See Also
    --------
    share_evidence : The stage before.
    colorize.recognition.palette.mean_color : The stage after.

    References
    ----------
    Boykov and Jolly, "Interactive graph cuts for optimal boundary and region segmentation", ICCV 2001 (ties that look
    at the contrast). Kraehenbuehl and Koltun, "Efficient inference in fully connected CRFs with Gaussian edge
    potentials", NIPS 2011, algorithm 1 (the update).

    Examples
    --------
    >>> from colorize.features.superpixels import from_labels
    >>> regions = from_labels(np.array([[0, 1, 2]]))
    >>> unsure = np.array([[0.9, 0.1], [0.5, 0.5], [0.9, 0.1]], np.float32)
    >>> colors = np.array([[0, 0], [60, 60]], np.float32)
    >>> bool(mean_field(unsure, colors, regions, np.full(3, 50, np.float32))[1, 0] > 0.7)
    True
    """
    # The floor lets neighbours of any contrast have a say: a region is never alone with its opinion.
    ties = likeness(superpixels, region_lightness, lightness_scale) + 0.05
    mean_of_neighbours = averaging(region_graph(superpixels, ties)).astype(np.float32)
    squared = ((colors[:, None, :] - colors) ** 2).sum(axis=2)
    # Agreement between colours and not between palette entries: two greens beside each other agree, also
    # where they are two entries.
    alike = np.exp(-squared / (2 * color_scale**2)).astype(np.float32)
    # Sharing alone leaves single wrong regions, this alone carries skin into the backdrop of heads
    # (docs/colors.md): so it comes second, and looks over edges that sharing stops at.
    evidence = np.log(np.maximum(probabilities, 1e-9))
    belief = probabilities
    # A fixed number of rounds: neighbours that go on swapping opinions would never pass a test.
    for _ in range(n_rounds):
        belief = softmax(evidence + coupling * ((mean_of_neighbours @ belief) @ alike))
    return belief
