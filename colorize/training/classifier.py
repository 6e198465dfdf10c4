"""From features to probabilities of palette colours: scaling, support vector machine, calibration.

The steps are scikit-learn estimators of their own: `FamilyScaler` brings the feature families to a common scale,
`KernelSVM` separates the colours, and `CalibratedClassifier` turns margins into probabilities on photographs that the
margins were not learnt from, and asks a second opinion if it has a partner.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from colorize._support.threads import one_thread
from colorize.exceptions import DatasetError
from colorize.recognition.machine import CalibratedMachine, KernelMachine, Scaling, rbf_kernel
from colorize.types import Float32


class FamilyScaler(Scaling, TransformerMixin, BaseEstimator):
    """Bring feature families to a common scale and keep their principal components.

    Every column is z-scored and clipped, then divided by the square root of its family's size, so that families weigh
    alike in a distance whatever their number of columns. Principal components afterwards keep distances, cost less and
    make small model files.

    Parameters
    ----------
    families : mapping of str to slice, optional
        Columns of each family; None takes all columns as one family.
    n_components : int
        Principal components to keep; fewer blur the rarer differences between regions.
    clip : float
        Largest absolute z-score.

    Attributes
    ----------
    families_, mean_, factor_, bound_, center_, components_
        As in `colorize.recognition.machine.Scaling`.
    explained_ : float
        Share of the variance that the components keep.

    See Also
    --------
    KernelSVM : The stage after.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 6)) * [1, 1, 1, 50, 50, 50]
    >>> FamilyScaler({"small": slice(0, 3), "large": slice(3, 6)}, n_components=4).fit_transform(X).shape
    (100, 4)
    """

    # 128 components did as well as 1200 Nystroem features of 650 columns, within noise, and made
    # files of 2 MB instead of 6 (docs/architecture.md).
    def __init__(self, families: Mapping[str, slice] | None = None, n_components: int = 128, clip: float = 5.0) -> None:
        self.families = families
        self.n_components = n_components
        self.clip = clip

    def fit(self, X: ArrayLike, y: None = None) -> FamilyScaler:
        """Learn scales and components from X, shape (n_samples, n_features).

        Raises
        ------
        ValueError
            A parameter is out of range, or the families do not cover the columns of X.
        """
        _check_number("n_components", self.n_components, Integral, 1)
        _check_number("clip", self.clip, Real, 0, open_=True)
        rows: Float32 = validate_data(self, X, dtype=np.float32, ensure_min_samples=2)
        families = self.families or {"all": slice(0, rows.shape[1])}
        if sum(columns.stop - columns.start for columns in families.values()) != rows.shape[1]:
            raise ValueError(f"families must cover the {rows.shape[1]} columns of X, got {dict(families)}")
        self.families_ = families
        # In double precision: sums over 60,000 rows lose digits in float32.
        self.mean_ = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        deviation = rows.std(axis=0, dtype=np.float64)
        # A column that never changes tells nothing: its factor is 0 and not an infinity.
        self.factor_ = np.where(deviation > 1e-6, 1 / np.maximum(deviation, 1e-6), 0).astype(np.float32)
        # One odd texture would otherwise rule every distance from its region.
        self.bound_ = np.full(rows.shape[1], self.clip, np.float32)
        for columns in families.values():
            size = np.float32(columns.stop - columns.start) ** 0.5
            self.factor_[columns] /= size
            self.bound_[columns] /= size
        scaled = self.scale(rows)
        self.center_ = scaled.mean(axis=0, dtype=np.float64).astype(np.float32)
        scaled -= self.center_
        with one_thread():  # a small problem: more threads only wait for each other
            # Of columns by columns, which does not grow with the photographs as a decomposition of all rows would.
            variances, vectors = np.linalg.eigh((scaled.T @ scaled).astype(np.float64))
        kept = np.argsort(variances)[::-1][: self.n_components]
        vectors = vectors[:, kept]
        # The sign is arbitrary: fix it.
        vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(kept))])
        self.components_ = vectors.T.astype(np.float32)
        self.explained_ = float(variances[kept].sum() / max(variances.sum(), 1e-12))
        return self

    def transform(self, X: ArrayLike) -> Float32:
        """Scaled principal components, shape (n_samples, n_components), float32."""
        check_is_fitted(self)
        return super().transform(validate_data(self, X, dtype=np.float32, reset=False))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class KernelSVM(KernelMachine, ClassifierMixin, BaseEstimator):
    """One-vs-rest support vector machine with an RBF kernel on a reduced set of landmarks.

    The decision of class k is ``sum_j coef[j, k] exp(-gamma |x - z_j|^2) + intercept[k]`` over a random subset z of the
    training rows (the reduced SVM of Lee and Mangasarian 2001, the Nystroem approximation of Williams and Seeger 2000).
    It minimises the mean squared hinge loss plus ``alpha`` times the squared kernel norm. The squared hinge is
    majorised by a quadratic with one matrix for all classes and all iterations, so that one Cholesky factor and a few
    matrix products train everything: some seconds for 40,000 rows.

    Parameters
    ----------
    n_landmarks : int
        Size of the reduced set. More follow finer distinctions at a cost that grows with the square.
    gamma : float
        Width of the kernel: raise it if similar regions get the same colour wrongly, lower it if colours look random.
    alpha : float
        Regularisation, relative to the mean loss; raise it with few or noisy photographs.
    max_iter : int
        Majorisation steps; the first is the least-squares SVM of Suykens and Vandewalle (1999), later ones stop
        pulling at rows that are already far on the right side.
    random_state : int, RandomState or None

    Attributes
    ----------
    classes_, landmarks_, coef_, intercept_
        As in `colorize.recognition.machine.KernelMachine`.

    See Also
    --------
    FamilyScaler, CalibratedClassifier : The stages before and after.

    References
    ----------
    Lee and Mangasarian, "RSVM: Reduced support vector machines", SDM 2001. Williams and Seeger, "Using the Nystroem
    method to speed up kernel machines", NIPS 2000. Hunter and Lange, "A tutorial on MM algorithms", 2004.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> y = (np.hypot(*X.T) > 1).astype(int)
    >>> KernelSVM(n_landmarks=100, gamma=1.0, alpha=1e-3, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        # 2000 landmarks changed less than 0.1 CIEDE2000. A penalty of 0.005 was 0.07 better in the
        # folds and 0.05 worse on the validation photographs (docs/colors.md).
        n_landmarks: int = 1200,
        gamma: float = 0.05,
        alpha: float = 0.03,
        max_iter: int = 8,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_landmarks = n_landmarks
        self.gamma = gamma
        self.alpha = alpha
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> KernelSVM:
        """Fit to rows X, shape (n_samples, n_features), of classes y, shape (n_samples,).

        Raises
        ------
        ValueError
            A parameter is out of range, the shapes do not match, a weight is negative, y holds a single class, or a
            landmark is beyond half precision.
        """
        _check_number("n_landmarks", self.n_landmarks, Integral, 1)
        _check_number("max_iter", self.max_iter, Integral, 1)
        _check_number("gamma", self.gamma, Real, 0, open_=True)
        _check_number("alpha", self.alpha, Real, 0, open_=True)
        rows, targets = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(targets)
        weight = _check_sample_weight(sample_weight, rows, dtype=np.float32, ensure_non_negative=True)
        self.classes_, index = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"KernelSVM needs at least two classes, got one class: {self.classes_[0]}")
        rng = check_random_state(self.random_state)
        chosen = np.sort(rng.choice(len(rows), min(self.n_landmarks, len(rows)), replace=False))
        largest = np.abs(rows[chosen]).max()
        if largest > np.finfo(np.float16).max:
            raise ValueError(f"X reaches {largest:.3g}, and landmarks are held in half precision: scale X to about 1")
        self.landmarks_ = rows[chosen].astype(np.float16).astype(np.float32)
        signs = np.where(index[:, None] == np.arange(len(self.classes_)), 1, -1).astype(np.float32)
        self._solve(rbf_kernel(rows, self.landmarks_, self.gamma), signs, weight / weight.sum())
        return self

    def decision_function(self, X: ArrayLike) -> Float32:
        """Margins, shape (n_samples, n_classes), or (n_samples,) for the second of two classes."""
        check_is_fitted(self)
        return super().decision_function(validate_data(self, X, dtype=np.float32, reset=False))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Class of the largest margin, shape (n_samples,)."""
        margins = self.decision_function(X)
        return self.classes_[(margins > 0).astype(int) if margins.ndim == 1 else margins.argmax(axis=1)]

    def _solve(self, kernel: Float32, signs: Float32, weight: Float32) -> None:
        """Minimise sum_i weight_i max(0, 1 - s_i f_i)^2 + alpha coef' K coef; the intercept is not penalised.

        Where s f > 1 the loss is majorised by (f - s max(1, s f_old))^2, elsewhere it is (f - s)^2 itself: with targets
        s max(1, s f_old) every step is a weighted least-squares problem with the same matrix. In the coordinates
        F = kernel R^-T with R R' = K (landmarks with themselves) the penalty is the identity, which float32 bears.
        """
        # Landmarks that look alike make this matrix nearly singular, so it is factored in double
        # precision; what is as tall as the rows are many stays in float32.
        among = self.landmarks_.astype(np.float64)
        among = rbf_kernel(among, among, self.gamma)
        among[np.diag_indices_from(among)] += 1e-5  # landmarks may coincide
        root = np.linalg.cholesky(among)
        # In the room of the kernel, which nobody needs afterwards: at 60,000 rows each such matrix is 0.3 GB.
        solved = solve_triangular(root.astype(np.float32), kernel.T, lower=True, check_finite=False, overwrite_b=True)
        design = np.concatenate([solved.T, np.ones((len(kernel), 1), np.float32)], axis=1)
        del kernel, solved
        weighted = design * weight[:, None]
        matrix = (weighted.T @ design).astype(np.float64)
        # The last entry of the diagonal belongs to the intercept and is left out.
        matrix[np.diag_indices(len(root))] += self.alpha
        factor = cho_factor(matrix, overwrite_a=True)
        targets = signs
        # With the factor at hand a step costs a few products: so few steps need no test for an end.
        for _ in range(self.max_iter):
            solution = cho_solve(factor, (weighted.T @ targets).astype(np.float64))
            targets = signs * np.maximum(1, signs * (design @ solution.astype(np.float32)))
        self.coef_ = solve_triangular(root, solution[:-1], lower=True, trans="T").astype(np.float32)
        self.intercept_ = solution[-1].astype(np.float32)
        self.n_iter_ = self.max_iter


class CalibratedClassifier(CalibratedMachine, ClassifierMixin, BaseEstimator):
    """Probabilities for any classifier, calibrated on groups (photographs) that it was not fitted on.

    The classifier is fitted once without each fold of groups to get out-of-fold margins; a multinomial logistic map
    from standardised margins to classes is fitted to those; the classifier kept is fitted on everything. With a partner
    that errs differently, the answer is the mean of both probabilities (the sum rule).

    Parameters
    ----------
    estimator : classifier
        Any scikit-learn classifier with ``decision_function`` or ``predict_proba`` (whose logarithm is then used).
    n_folds : int
    alpha : float
        L2 penalty of the map, relative to the mean log-loss.
    random_state : int
    partner : classifier, optional
        Has ``predict_proba``; it is told the groups if its ``fit`` has an argument of that name, and never the weights.

    Attributes
    ----------
    estimator_, partner_ : classifier
        Fitted on all rows; a partner may be None.
    classes_, margin_classes_, mean_, deviation_, weights_
        As in `colorize.recognition.machine.CalibratedMachine`.

    See Also
    --------
    KernelSVM : What it calibrates.
    colorize.training.perceptrons.NeuralNets : What it asks too.
    colorize.recognition.decision.decide : The stage after.

    References
    ----------
    Platt, "Probabilistic outputs for support vector machines", 1999, for the idea; the multinomial form is the matrix
    scaling of Guo et al., "On calibration of modern neural networks", ICML 2017. Kittler, Hatef, Duin and Matas, "On
    combining classifiers", IEEE PAMI 20(3), 1998 (the sum rule).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(400, 2)), np.repeat(np.arange(20), 20)
    >>> y = (X[:, 0] + rng.normal(size=400) > 0).astype(int)
    >>> model = CalibratedClassifier(KernelSVM(50, gamma=0.2, random_state=0)).fit(X, y, groups=groups)
    >>> model.predict_proba([[2.0, 0.0], [-2.0, 0.0]]).round().tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        # Every fold trains the machine once more, and two already hold out every photograph.
        n_folds: int = 2,
        alpha: float = 2e-3,
        random_state: int = 0,
        partner: BaseEstimator | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_folds = n_folds
        self.alpha = alpha
        self.random_state = random_state
        self.partner = partner

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> CalibratedClassifier:
        """Fit classifier and calibration.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
        y : array-like, shape (n_samples,)
        groups : array-like, shape (n_samples,), optional
            Photograph of every row; None takes every row as its own photograph.
        sample_weight : array-like, shape (n_samples,), optional
            Areas of the regions; they weigh in the calibration.

        Raises
        ------
        DatasetError
            Without the groups of a fold, one class only.
        ValueError
            Fewer groups than folds, one class only, shapes that do not match, a negative weight, a parameter out of
            range, or margins that are not one per class.
        """
        _check_number("n_folds", self.n_folds, Integral, 2)
        _check_number("alpha", self.alpha, Real, 0)
        rows, targets = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(targets)
        check_consistent_length(rows, groups)
        weight = _check_sample_weight(sample_weight, rows, dtype=np.float32, ensure_non_negative=True)
        self.classes_, index = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"calibration needs at least two classes, got one class: {self.classes_[0]}")
        estimator = KernelSVM(random_state=self.random_state) if self.estimator is None else self.estimator
        self.margin_classes_ = self.classes_
        margins = np.empty((len(rows), len(self.classes_)), np.float32)
        folds = self._folds(np.arange(len(rows)) if groups is None else np.asarray(groups))
        if any(len(np.unique(index[~held_out])) < 2 for held_out in folds):
            raise DatasetError(
                "some photographs must be held out to calibrate, and the others have one colour of the palette only: "
                "add photographs"
            )
        # Margins of rows that a machine has learnt are too sure, and the map would believe them.
        for held_out in folds:
            fitted = clone(estimator).fit(rows[~held_out], targets[~held_out])
            margins[held_out] = self._margins(fitted, rows[held_out])
        self._fit_map(margins, index, weight / weight.sum())
        self.estimator_ = clone(estimator).fit(rows, targets)
        self._fit_partner(rows, targets, groups)
        return self

    def recalibrated(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        alpha: float,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> CalibratedClassifier:
        """Keep the fitted classifier and fit the map from its margins anew, to rows that the classifier has not seen.

        A partner is fitted anew too. The classes may be others than before: what the margins say together tells them
        apart. Nothing has to be held out, because these rows had no part in the margins.

        Parameters
        ----------
        X, y, groups, sample_weight
            As in `fit`; of the groups only a partner is told.
        alpha : float
            L2 penalty of the new map; raise it with few photographs.

        Returns
        -------
        CalibratedClassifier
            A new one; this one stays as it is.

        Raises
        ------
        ValueError
            One class only, shapes that do not match, a negative weight, or `alpha` is negative.

        See Also
        --------
        CalibratedClassifier.moved : The twin that keeps the classes and most of the map.
        """
        check_is_fitted(self)
        _check_number("alpha", alpha, Real, 0)
        rows, targets = validate_data(self, X, y, dtype=np.float32, reset=False)
        weight = _check_sample_weight(sample_weight, rows, dtype=np.float32, ensure_non_negative=True)
        other = clone(self).set_params(alpha=alpha)
        other.classes_, index = np.unique(targets, return_inverse=True)
        if len(other.classes_) < 2:
            raise ValueError(f"calibration needs at least two classes, got one class: {other.classes_[0]}")
        other.n_features_in_, other.margin_classes_ = self.n_features_in_, self.margin_classes_
        other.estimator_ = self.estimator_
        other._fit_map(other._margins(self.estimator_, rows), index, weight / weight.sum())
        other._fit_partner(rows, targets, groups)
        return other

    def moved(
        self, X: ArrayLike, targets: ArrayLike, *, alpha: float, sample_weight: ArrayLike | None = None
    ) -> CalibratedClassifier:
        """Keep classifier and classes, and move the map towards other probabilities, no further than they ask for.

        A partner stays too: the map moves until the mean is as wanted. Minimises the cross entropy against `targets`
        plus ``alpha/2 |weights - weights_|^2``.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
        targets : array-like, shape (n_samples, n_classes)
            Wanted probabilities; rows sum to 1.
        alpha : float
            Penalty on the distance from the present map.
        sample_weight : array-like, shape (n_samples,), optional
            Used as they are, not divided by their sum.

        Returns
        -------
        CalibratedClassifier
            A new one; this one stays as it is.

        Raises
        ------
        ValueError
            Shapes that do not match, a negative weight, or `alpha` is negative.

        See Also
        --------
        CalibratedClassifier.recalibrated : The twin that makes a new map.
        """
        check_is_fitted(self)
        _check_number("alpha", alpha, Real, 0)
        rows: Float32 = validate_data(self, X, dtype=np.float32, reset=False)
        wanted = np.asarray(targets, np.float32)
        if wanted.shape != (len(rows), len(self.classes_)):
            raise ValueError(f"targets must have shape {(len(rows), len(self.classes_))}, got {wanted.shape}")
        weight = _check_sample_weight(sample_weight, rows, dtype=np.float32, ensure_non_negative=True)[:, None]
        if self.partner_ is not None:
            # what the calibrated one has to say for the mean to be the target, as far as it can
            wanted = np.maximum(2 * wanted - self.partner_.predict_proba(rows), 0)
            wanted /= np.maximum(wanted.sum(axis=1, keepdims=True), np.float32(1e-6))
        design = self._standardise(self._margins(self.estimator_, rows))

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            step = flat.reshape(self.weights_.shape).astype(np.float32)
            probabilities = softmax(design @ (self.weights_ + step), axis=1)
            # Summed in double precision: near the end float32 steps would look like noise to the line search.
            entropy = -(weight * wanted * np.log(np.maximum(probabilities, 1e-12))).sum(dtype=np.float64)
            gradient = design.T @ ((probabilities - wanted) * weight) + alpha * step
            return float(entropy + 0.5 * alpha * (step**2).sum()), gradient.ravel().astype(np.float64)

        # The start is the present map, which is near the end already: fewer rounds than for a new one.
        found = minimize(loss, np.zeros(self.weights_.size), jac=True, method="L-BFGS-B", options={"maxiter": 60})
        other = copy(self)
        other.weights_ = self.weights_ + found.x.reshape(self.weights_.shape).astype(np.float32)
        return other

    def predict_proba(self, X: ArrayLike) -> Float32:
        """Calibrated probabilities, shape (n_samples, n_classes), float32; columns as in `classes_`."""
        check_is_fitted(self)
        return super().predict_proba(validate_data(self, X, dtype=np.float32, reset=False))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Most probable class, shape (n_samples,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def _fit_partner(self, rows: Float32, targets: NDArray[Any], groups: ArrayLike | None) -> None:
        self.partner_ = None
        if self.partner is not None:
            # By name: the third argument of most classifiers is the weight.
            told = {"groups": groups} if has_fit_parameter(self.partner, "groups") else {}
            self.partner_ = clone(self.partner).fit(rows, targets, **told)

    def _folds(self, groups: NDArray[Any]) -> list[NDArray[np.bool_]]:
        names, member = np.unique(groups, return_inverse=True)
        if len(names) < self.n_folds:
            raise ValueError(f"calibration on {self.n_folds} folds needs as many groups, got {len(names)}")
        # Whole photographs are dealt out, as equally as can be: regions of one err together.
        fold = np.random.default_rng(self.random_state).permutation(len(names)) % self.n_folds
        return [fold[member] == k for k in range(self.n_folds)]

    def _fit_map(self, margins: Float32, index: NDArray[np.intp], weight: Float32) -> None:
        """Minimise the weighted log-loss plus alpha/2 |weights|^2 (not the intercept), starting from the identity."""
        self.mean_ = margins.mean(axis=0)
        self.deviation_ = margins.std(axis=0) + np.float32(1e-6)
        design = self._standardise(margins)
        shape = design.shape[1], len(self.classes_)
        truth = np.eye(shape[1], dtype=np.float32)[index]

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights = flat.reshape(shape).astype(np.float32)
            probabilities = softmax(design @ weights, axis=1)
            log_loss = -weight @ np.log(np.maximum(probabilities[np.arange(len(index)), index], 1e-12))
            penalised = weights.copy()
            # The intercept holds how common a colour is; drawn to 0 it would call all colours alike.
            penalised[-1] = 0
            gradient = design.T @ ((probabilities - truth) * weight[:, None]) + self.alpha * penalised
            return float(log_loss + 0.5 * self.alpha * (penalised**2).sum()), gradient.ravel().astype(np.float64)

        start = np.eye(*shape).ravel()
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100})
        self.weights_ = found.x.reshape(shape).astype(np.float32)


def _check_number(name: str, value: Any, kind: Any, low: float, *, open_: bool = False) -> None:
    # To Python, True is a number.
    legal = isinstance(value, kind) and not isinstance(value, bool) and (value > low if open_ else value >= low)
    if not legal:
        raise ValueError(f"{name} must be {'greater than' if open_ else 'at least'} {low}, got {value!r}")
