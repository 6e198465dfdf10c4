"""What was learnt, as it is used: from features to probabilities of palette colours, in NumPy alone.

The estimators of `colorize.training.classifier` and `colorize.training.perceptrons` are these and can be fitted. They
need scikit-learn, which takes a second to import and which whoever colorizes does not need.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from colorize.recognition.palette import softmax
from colorize.types import Float32


class Scaling:
    """Brings feature families to a common scale and into principal components; learnt by `FamilyScaler`.

    Attributes
    ----------
    families_ : mapping of str to slice
        Columns of each family.
    mean_, factor_ : ndarray, shape (n_features,), float32
        z-score and family weight in one: ``(x - mean_) * factor_``.
    bound_ : ndarray, shape (n_features,), float32
        Largest absolute value of the scaled column: the clip of the z-scores in its units.
    center_ : ndarray, shape (n_features,), float32
    components_ : ndarray, shape (n_components, n_features), float32

    See Also
    --------
    colorize.training.classifier.FamilyScaler : Learns it.
    KernelMachine : The stage after.
    """

    families_: Mapping[str, slice]
    mean_: Float32
    factor_: Float32
    bound_: Float32
    center_: Float32
    components_: Float32

    def transform(self, rows: Float32) -> Float32:
        """Scaled principal components, shape (n, n_components), of rows, shape (n, n_features)."""
        scaled = self.scale(rows)
        scaled -= self.center_
        return np.asarray(scaled @ self.components_.T, np.float32)

    def scale(self, rows: Float32) -> Float32:
        """Rows, shape (n, n_features), on the common scale of the families, before the principal components."""
        scaled: Float32 = rows - self.mean_
        scaled *= self.factor_  # in place, as the step that follows: in training the rows are hundreds of megabytes
        np.clip(scaled, -self.bound_, self.bound_, out=scaled)
        return scaled

    def family_parts(self, rows: Float32) -> Float32:
        """What each family, in their order, adds to the components: shape (n_families, n_samples, n_components).

        The sum over families is `transform`.
        """
        scaled = self.scale(rows) - self.center_
        return np.stack([scaled[:, c] @ self.components_[:, c].T for c in self.families_.values()])

    def split_components(self, components: Float32) -> Float32:
        """Like `family_parts`, for rows of which only the components, shape (n_samples, n_components), were kept.

        The rows are first carried back to the features: what the components had lost is missing from the parts, and
        the parts still sum to the components.
        """
        return np.stack(
            [(components @ self.components_[:, c]) @ self.components_[:, c].T for c in self.families_.values()]
        )


class KernelMachine:
    """Support vector machine with an RBF kernel on landmarks; learnt by `KernelSVM`.

    Attributes
    ----------
    gamma, alpha : float
        Width of the kernel; regularisation that it was learnt with.
    classes_ : ndarray, shape (n_classes,)
    landmarks_ : ndarray, shape (n_landmarks, n_features), float32
        Rounded to float16 before the rest is learnt, so that a file can hold them in half the space without any change.
    coef_ : ndarray, shape (n_landmarks, n_classes), float32
    intercept_ : ndarray, shape (n_classes,), float32

    See Also
    --------
    colorize.training.classifier.KernelSVM : Learns it.
    CalibratedMachine : The stage after: margins become probabilities.
    """

    gamma: float
    alpha: float
    classes_: NDArray[Any]
    landmarks_: Float32
    coef_: Float32
    intercept_: Float32

    def decision_function(self, rows: Float32) -> Float32:
        """Margins, shape (n, n_classes), or (n,) for the second of two classes."""
        margins = rbf_kernel(rows, self.landmarks_, self.gamma) @ self.coef_ + self.intercept_
        return margins[:, 1] if len(self.classes_) == 2 else margins


class Committee:
    """A few small perceptrons that vote; learnt by `NeuralNets`.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    weights_ : tuple of ndarray, shapes (n_nets, n_in, n_out), float32
        One per layer, rounded to float16 as the landmarks of `KernelMachine` are.
    biases_ : tuple of ndarray, shapes (n_nets, 1, n_out), float32

    See Also
    --------
    colorize.training.perceptrons.NeuralNets : Learns it.
    CalibratedMachine : Asks it beside the machine.
    """

    classes_: NDArray[Any]
    weights_: tuple[Float32, ...]
    biases_: tuple[Float32, ...]

    def predict_proba(self, rows: Float32) -> Float32:
        """Mean of the members' probabilities, shape (n, n_classes), float32; columns as in `classes_`."""
        signal = rows
        for weights, biases in zip(self.weights_[:-1], self.biases_[:-1], strict=True):
            signal = np.maximum(signal @ weights + biases, 0)
        # Each net by itself: a mean of scores would be ruled by the net that is surest.
        return softmax(signal @ self.weights_[-1] + self.biases_[-1]).mean(axis=0)


class Classifier(Protocol):
    """Any fitted classifier of scikit-learn; ``decision_function``, if it has one, is asked instead.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    """

    classes_: NDArray[Any]

    def predict_proba(self, rows: Float32, /) -> NDArray[Any]:
        """Probabilities, shape (n, n_classes)."""


class CalibratedMachine:
    """Margins of a machine turned into probabilities, and a partner that is asked too.

    Learnt by `CalibratedClassifier`.

    Attributes
    ----------
    estimator_ : KernelMachine or Classifier
    margin_classes_ : ndarray, shape (n_margins,)
        Classes of `estimator_`, the columns of its margins; those of `classes_`, unless the map was fitted anew to
        others.
    classes_ : ndarray, shape (n_classes,)
    mean_, deviation_ : ndarray, shape (n_margins,), float32
        Of margins for rows that the machine has not learnt from.
    weights_ : ndarray, shape (n_margins + 1, n_classes), float32
        The map to the logits of the classes; the last row is its intercept.
    partner_ : Committee or Classifier, or None
        Its probabilities count as much.

    See Also
    --------
    colorize.training.classifier.CalibratedClassifier : Learns it.
    KernelMachine, Committee : The stages before.
    colorize.recognition.decision.decide : The stage after.
    """

    estimator_: KernelMachine | Classifier
    margin_classes_: NDArray[Any]
    classes_: NDArray[Any]
    mean_: Float32
    deviation_: Float32
    weights_: Float32
    partner_: Committee | Classifier | None = None

    def predict_proba(self, rows: Float32) -> Float32:
        """Calibrated probabilities, shape (n, n_classes), float32; columns as in `classes_`."""
        calibrated = softmax(self._standardise(self._margins(self.estimator_, rows)) @ self.weights_)
        # A mean and not a product, which one opinion that is sure and wrong can spoil (Kittler et al. 1998).
        return calibrated if self.partner_ is None else (calibrated + self.partner_.predict_proba(rows)) / 2

    def _margins(self, fitted: KernelMachine | Classifier, rows: Float32) -> Float32:
        """Margins with one column per class of `margin_classes_`, whichever of them the classifier has seen."""
        if hasattr(fitted, "decision_function"):
            seen = np.asarray(fitted.decision_function(rows), dtype=np.float32)
            seen = np.column_stack([-seen, seen]) if seen.ndim == 1 else seen
            if seen.shape[1] != len(fitted.classes_):
                raise ValueError(
                    f"{type(fitted).__name__}: its decision_function must give one margin per class, got "
                    f"{seen.shape[1]} for {len(fitted.classes_)} classes (of SVC: decision_function_shape='ovr')"
                )
        else:
            seen = np.log(np.maximum(fitted.predict_proba(rows), 1e-6)).astype(np.float32)
        # A class that a fold has never seen is as unlikely there as the least likely one that it has.
        margins = np.repeat(seen.min(axis=1, keepdims=True), len(self.margin_classes_), axis=1)
        margins[:, np.searchsorted(self.margin_classes_, fitted.classes_)] = seen
        return margins

    def _standardise(self, margins: Float32) -> Float32:
        scaled = (margins - self.mean_) / self.deviation_
        return np.concatenate([scaled, np.ones((len(margins), 1), np.float32)], axis=1)


def rbf_kernel(A: NDArray[Any], B: NDArray[Any], gamma: float) -> NDArray[Any]:
    """``exp(-gamma |a - b|^2)`` for all pairs of rows, shape (len(A), len(B)), in the precision of A and B."""
    squared = A @ B.T
    # In place: for 60,000 rows this matrix is 0.3 GB, and every step out of place one more.
    squared *= -2
    squared += (A * A).sum(axis=1)[:, None]
    squared += (B * B).sum(axis=1)
    # Rounding may leave a distance below 0, and a region more than alike.
    np.maximum(squared, 0, out=squared)
    squared *= -float(gamma)
    return np.exp(squared, out=squared)
