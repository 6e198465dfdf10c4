"""A committee of small neural networks over the same features as the support vector machine, to vote beside it."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from colorize._support.threads import one_thread
from colorize.recognition.machine import Committee
from colorize.types import Float32


class NeuralNets(Committee, ClassifierMixin, BaseEstimator):
    """Mean opinion of a few small networks, each taught by other photographs.

    Every member is a perceptron with two hidden layers of rectified linear units, stopped after a few passes over a
    random share of the photographs (bagging by photograph: rows of one photograph say the same thing). One such net is
    overconfident; their mean errs differently from a kernel machine, which is what makes it worth asking.

    Parameters
    ----------
    n_nets : int
    hidden : tuple of int
        Units of the hidden layers.
    share : float
        Share of the photographs that each member sees.
    n_epochs : int
        Passes over them; more make the nets braver and less right.
    alpha : float
        L2 penalty of the weights, as in `sklearn.neural_network.MLPClassifier`.
    random_state : int

    Attributes
    ----------
    classes_, weights_, biases_
        As in `colorize.recognition.machine.Committee`.

    See Also
    --------
    colorize.training.classifier.KernelSVM : The machine that it votes beside.

    References
    ----------
    Breiman, "Bagging predictors", Machine Learning 24, 1996. Kingma and Ba, "Adam", ICLR 2015 (how a net is fitted).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 2))
    >>> y = (np.hypot(*X.T) > 1).astype(int)
    >>> NeuralNets(n_nets=2, n_epochs=20, alpha=1e-3).fit(X, y).score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        # In the folds of docs/colors.md one net gave 10.69, six 10.64, twelve 10.67.
        n_nets: int = 6,
        hidden: tuple[int, ...] = (256, 128),
        share: float = 0.7,
        n_epochs: int = 4,
        alpha: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.n_nets = n_nets
        self.hidden = hidden
        self.share = share
        self.n_epochs = n_epochs
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> NeuralNets:
        """Fit to rows X, shape (n_samples, n_features), of classes y, shape (n_samples,).

        `groups` is the photograph of every row; None takes every row as its own photograph.

        Raises
        ------
        ValueError
            A parameter is out of range, the shapes do not match, y holds a single class, or the scale of X is so far
            from 1 that half precision cannot hold the weights.
        """
        self._check_parameters()
        rows, targets = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(targets)
        check_consistent_length(rows, groups)
        self.classes_, index = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"NeuralNets needs at least two classes, got one class: {self.classes_[0]}")
        names, photo = np.unique(np.arange(len(rows)) if groups is None else groups, return_inverse=True)
        # One scale for all columns: their proportions say what matters, and initial weights expect numbers around 1.
        scale = rows.std() or np.float32(1)
        rows = rows / scale
        rng = np.random.default_rng(self.random_state)
        members = []
        for _ in range(self.n_nets):
            seen = np.zeros(len(names), bool)
            seen[rng.permutation(len(names))[: max(1, round(self.share * len(names)))]] = True
            # Seeds come from one generator in turn: with more nets the first ones stay what they were.
            members.append(self._fit_net(rows[seen[photo]], index[seen[photo]], int(rng.integers(2**31))))
        # two classes share one output in scikit-learn: its two-sided form is the same function
        layers = [_two_sided(net) for net in members]
        for weights, _ in layers:
            # Into the weights, so that neither a file nor a prediction needs to know of it.
            weights[0] /= scale
        largest = max(np.abs(weights[0]).max() for weights, _ in layers)
        # Half precision ends at 65504, and below 1e-5 it is too coarse to tell weights apart.
        if not 1e-5 < largest < np.finfo(np.float16).max:
            raise ValueError(f"X varies by {scale:.3g}, and weights are held in half precision: scale X to about 1")
        stacked = (np.stack(layer) for layer in zip(*(weights for weights, _ in layers), strict=True))
        self.weights_ = tuple(weights.astype(np.float16).astype(np.float32) for weights in stacked)
        self.biases_ = tuple(np.stack(layer)[:, None] for layer in zip(*(biases for _, biases in layers), strict=True))
        return self

    def predict_proba(self, X: ArrayLike) -> Float32:
        """Mean of the members' probabilities, shape (n_samples, n_classes), float32; columns as in `classes_`."""
        check_is_fitted(self)
        return super().predict_proba(validate_data(self, X, dtype=np.float32, reset=False))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Most probable class, shape (n_samples,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def _fit_net(self, rows: Float32, index: NDArray[np.intp], seed: int) -> MLPClassifier:
        # scikit-learn warns of batches that are larger than the data.
        net = MLPClassifier(
            self.hidden, alpha=self.alpha, learning_rate_init=5e-4, batch_size=min(256, len(rows)), random_state=seed
        )
        with one_thread():  # small matrices: more threads only wait for each other
            for _ in range(self.n_epochs):
                # Not `fit`, which warns of nets that are stopped early, as these are meant to be.
                # All classes are named, because the photographs of one member may lack some.
                net.partial_fit(rows, index, classes=np.arange(len(self.classes_)))
        return net

    def _check_parameters(self) -> None:
        hidden = self.hidden if isinstance(self.hidden, tuple) else (self.hidden,)
        for name, value in (("n_nets", self.n_nets), ("n_epochs", self.n_epochs), *(("hidden", n) for n in hidden)):
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        if not isinstance(self.share, Real) or not 0 < self.share <= 1:
            raise ValueError(f"share must be in (0, 1], got {self.share!r}")
        if not (isinstance(self.alpha, Real) and self.alpha >= 0):
            raise ValueError(f"alpha must be at least 0, got {self.alpha!r}")


def _two_sided(net: MLPClassifier) -> tuple[list[Float32], list[Float32]]:
    """Weights and biases per layer, with one output per class."""
    weights: list[Float32] = [part.astype(np.float32) for part in net.coefs_]
    biases: list[Float32] = [part.astype(np.float32) for part in net.intercepts_]
    if weights[-1].shape[1] == 1:
        weights[-1] = np.hstack([np.zeros_like(weights[-1]), weights[-1]])
        biases[-1] = np.concatenate([np.zeros_like(biases[-1]), biases[-1]])
    return weights, biases
