"""Scaling, support vector machine and calibration: known solutions, no worse step, no photograph on both sides."""

from typing import ClassVar

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import cdist, pdist
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from colorize.exceptions import DatasetError
from colorize.training.classifier import CalibratedClassifier, FamilyScaler, KernelSVM, rbf_kernel
from colorize.training.perceptrons import NeuralNets

JITTER = 1e-5  # on the diagonal of the landmarks' kernel
FAMILIES = {"small": slice(0, 3), "large": slice(3, 5), "single": slice(5, 6)}


ORDER = "check_methods_sample_order_invariance"
WEIGHT = "check_sample_weight_equivalence_on_dense_data"


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (FamilyScaler(), {ORDER: "float32 sums over rows in another order differ by more than its 1e-9"}),
        (
            KernelSVM(n_landmarks=50, random_state=0),
            {
                WEIGHT: "landmarks are drawn from the rows, whatever their weight",
                "check_methods_subset_invariance": "float32 margins near 0 differ by more than its 1e-7",
            },
        ),
        (
            CalibratedClassifier(KernelSVM(n_landmarks=20, random_state=0)),
            {WEIGHT: "rows go to the folds, whatever their weight"},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_scikit_learn_manners(estimator, expected):
    check_estimator(estimator, expected_failed_checks=expected, on_skip=None)


def three_classes(n: int, seed: int = 0, distance: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Clouds of deviation 1; coordinates that float16 holds exactly, as landmarks are rounded to it."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    X = rng.normal(size=(n, 2)) + distance * np.array([[0, 0], [1, 0], [0, 1]])[y]
    return X.astype(np.float16).astype(np.float32), y


def families_of_columns(n: int = 200) -> np.ndarray:
    scales = np.array([1, 10, 0.1, 1e3, 1, 5])
    return (np.random.default_rng(1).normal(size=(n, 6)) * scales + scales).astype(np.float32)


# FamilyScaler


def scaled(scaler: FamilyScaler, X: np.ndarray) -> np.ndarray:
    return np.clip((X - scaler.mean_) * scaler.factor_, -scaler.bound_, scaler.bound_)


def test_families_weigh_alike():
    X = families_of_columns()
    scaler = FamilyScaler(FAMILIES).fit(X)
    for columns in FAMILIES.values():
        squared = ((X - scaler.mean_) * scaler.factor_)[:, columns] ** 2
        # 1e-4: float32 sums
        assert squared.sum(axis=1).mean() == pytest.approx(1, abs=1e-4)


def test_all_components_keep_distances():
    X = families_of_columns()
    scaler = FamilyScaler(FAMILIES, n_components=6).fit(X)
    np.testing.assert_allclose(pdist(scaler.transform(X)), pdist(scaled(scaler, X)), atol=1e-4)
    assert scaler.explained_ == pytest.approx(1, abs=1e-6)


def test_components_are_the_axes_of_largest_variance():
    X = families_of_columns()
    X[:, 1] = 10 * X[:, 0]
    scaler = FamilyScaler(FAMILIES, n_components=4).fit(X)
    variances = scaler.transform(X).var(axis=0)
    assert (np.diff(variances) <= 0).all()
    np.testing.assert_allclose(scaler.components_ @ scaler.components_.T, np.eye(4), atol=1e-5)
    total = scaled(scaler, X).var(axis=0).sum()
    assert scaler.explained_ == pytest.approx(variances.sum() / total, abs=1e-4)
    assert 0.5 < scaler.explained_ < 1


def test_outliers_are_clipped():
    X = families_of_columns()
    scaler = FamilyScaler(FAMILIES, n_components=6, clip=2.0).fit(X)
    far = X[:1] + np.array([1e6, 0, 0, 0, 0, 0], np.float32)
    farther = X[:1] + np.array([1e9, 0, 0, 0, 0, 0], np.float32)
    np.testing.assert_array_equal(scaler.transform(far), scaler.transform(farther))
    assert np.abs(scaled(scaler, far)[0, 0]) == pytest.approx(2 / 3**0.5, abs=1e-6)


def test_a_constant_column_says_nothing():
    X = families_of_columns()
    X[:, 4] = 7
    scaler = FamilyScaler(FAMILIES, n_components=6).fit(X)
    other = X.copy()
    other[:, 4] = 100
    np.testing.assert_array_equal(scaler.transform(other), scaler.transform(X))
    assert np.isfinite(scaler.transform(X)).all()


@pytest.mark.parametrize("families", [{"some": slice(0, 2)}, {"all": slice(0, 6), "more": slice(6, 8)}])
def test_families_must_cover_the_columns(families):
    with pytest.raises(ValueError, match="families must cover the 6 columns of X"):
        FamilyScaler(families).fit(families_of_columns())


# KernelSVM


def objective(kernel, among, signs, alpha, coef, intercept) -> float:
    """Mean squared hinge loss plus alpha times the squared kernel norm, summed over the classes."""
    hinge = np.maximum(0, 1 - signs * (kernel @ coef + intercept))
    return float((hinge**2).mean(axis=0).sum() + alpha * (coef * (among @ coef)).sum())


def problem(svm: KernelSVM, X: np.ndarray, y: np.ndarray) -> tuple:
    """The arguments of `objective` that a fitted machine leaves open, in float64."""
    landmarks = svm.landmarks_.astype(np.float64)
    among = rbf_kernel(landmarks, landmarks, svm.gamma) + JITTER * np.eye(len(landmarks))
    signs = np.where(y[:, None] == svm.classes_, 1.0, -1.0)
    return rbf_kernel(X.astype(np.float64), landmarks, svm.gamma), among, signs, svm.alpha


def test_no_step_of_the_majorisation_makes_the_objective_larger():
    X, y = three_classes(200)
    values = []
    for max_iter in (1, 2, 4, 8, 16):
        svm = KernelSVM(n_landmarks=40, gamma=0.5, alpha=1e-3, max_iter=max_iter, random_state=0).fit(X, y)
        values.append(objective(*problem(svm, X, y), svm.coef_.astype(np.float64), svm.intercept_))
    # 1e-5: coefficients are float32
    assert (np.diff(values) < 1e-5).all()
    assert values[-1] < values[0] - 1e-3


def test_the_first_step_is_the_least_squares_machine():
    X, y = three_classes(60)
    svm = KernelSVM(n_landmarks=60, gamma=0.5, alpha=0.01, max_iter=1, random_state=0).fit(X, y)
    # Suykens and Vandewalle 1999: K c + n alpha c + b = s and sum c = 0
    system = np.ones((61, 61))
    system[:60, :60] = rbf_kernel(X.astype(np.float64), X.astype(np.float64), 0.5) + 60 * 0.01 * np.eye(60)
    system[60, 60] = 0
    signs = np.where(y[:, None] == np.arange(3), 1.0, -1.0)
    solution = np.linalg.solve(system, np.append(signs, np.zeros((1, 3)), axis=0))
    expected = rbf_kernel(X.astype(np.float64), X.astype(np.float64), 0.5) @ solution[:60] + solution[60]
    # 1e-3: the jitter of 1e-5 on the kernel, and float32
    np.testing.assert_allclose(svm.decision_function(X), expected, atol=1e-3)


def test_many_steps_reach_the_minimum():
    X, y = three_classes(80)
    svm = KernelSVM(n_landmarks=12, gamma=0.5, alpha=0.01, max_iter=500, random_state=0).fit(X, y)
    kernel, among, signs, alpha = problem(svm, X, y)

    def loss(flat):
        coef, intercept = flat[:-3].reshape(12, 3), flat[-3:]
        hinge = np.maximum(0, 1 - signs * (kernel @ coef + intercept))
        slope = -2 * signs * hinge / len(X)
        gradient = kernel.T @ slope + 2 * alpha * among @ coef
        value = objective(kernel, among, signs, alpha, coef, intercept)
        return value, np.append(gradient.ravel(), slope.sum(axis=0))

    best = minimize(loss, np.zeros(39), jac=True, method="BFGS", options={"maxiter": 2000, "gtol": 1e-8})
    found = objective(kernel, among, signs, alpha, svm.coef_.astype(np.float64), svm.intercept_)
    assert found == pytest.approx(best.fun, rel=1e-4)
    margins = kernel @ best.x[:-3].reshape(12, 3) + best.x[-3:]
    # 0.01 of margins about 1: the valley is flat
    np.testing.assert_allclose(svm.decision_function(X), margins, atol=0.01)


def test_a_row_of_weight_two_is_worth_two_rows():
    X, y = three_classes(80)
    twice = np.arange(80) < 30
    settings = {"n_landmarks": 200, "gamma": 0.5, "alpha": 0.01, "random_state": 0}
    weighted = KernelSVM(**settings).fit(X, y, sample_weight=1 + twice)
    repeated = KernelSVM(**settings).fit(np.append(X, X[twice], axis=0), np.append(y, y[twice]))
    # 0.01: landmarks that coincide share the jitter
    np.testing.assert_allclose(weighted.decision_function(X), repeated.decision_function(X), atol=0.01)


def test_rows_are_decided_on_one_by_one():
    X, y = three_classes(60)
    svm = KernelSVM(n_landmarks=40, gamma=0.5, random_state=0).fit(X, y)
    alone = np.concatenate([svm.decision_function(X[i : i + 1]) for i in range(60)])
    # 1e-4: float32 sums of 40 products
    np.testing.assert_allclose(alone, svm.decision_function(X), atol=1e-4)


def test_two_classes_have_one_margin_of_the_second():
    X, y = three_classes(100)
    y = np.where(y == 0, "dark", "light")
    svm = KernelSVM(n_landmarks=50, gamma=0.5, random_state=0).fit(X, y)
    margins = svm.decision_function(X)
    assert margins.shape == (100,)
    np.testing.assert_array_equal(svm.predict(X), np.where(margins > 0, "light", "dark"))
    assert svm.score(X, y) > 0.8


def test_landmarks_are_float16_numbers_of_some_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 3)).astype(np.float32), rng.integers(0, 2, 50)
    svm = KernelSVM(n_landmarks=10, random_state=0).fit(X, y)
    assert svm.landmarks_.shape == (10, 3)
    np.testing.assert_array_equal(svm.landmarks_.astype(np.float16), svm.landmarks_)
    # 1e-3: a float16 has eleven bits
    assert cdist(svm.landmarks_, X).min(axis=1).max() < 1e-2


def test_equal_rows_do_no_harm():
    X, y = np.repeat(np.eye(2, dtype=np.float32), 20, axis=0), np.repeat([0, 1], 20)
    assert KernelSVM(n_landmarks=40, random_state=0).fit(X, y).score(X, y) == 1


def test_the_kernel_is_that_of_its_definition():
    A, B = (np.random.default_rng(seed).normal(size=(n, 4)) for seed, n in ((0, 20), (1, 30)))
    expected = np.exp(-0.3 * cdist(A, B, "sqeuclidean"))
    np.testing.assert_allclose(rbf_kernel(A, B, 0.3), expected, atol=1e-12)
    single = rbf_kernel(A.astype(np.float32), B.astype(np.float32), 0.3)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, atol=1e-6)
    assert rbf_kernel(1e3 + A.astype(np.float32), 1e3 + A.astype(np.float32), 0.3).max() <= 1


# CalibratedClassifier


class Spy(ClassifierMixin, BaseEstimator):
    """Knows the classes and notes the photographs (first column) that it is fitted on and asked about."""

    calls: ClassVar[list[tuple[str, np.ndarray]]] = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.calls.append(("fit", X[:, 0]))
        return self

    def predict_proba(self, X):
        self.calls.append(("predict", X[:, 0]))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


@pytest.mark.parametrize("n_folds", [2, 5])
def test_no_photograph_is_on_both_sides(n_folds):
    Spy.calls.clear()
    groups = np.repeat(np.arange(13), 7)
    CalibratedClassifier(Spy(), n_folds=n_folds).fit(groups[:, None], np.arange(91) % 3, groups=groups)
    *folds, (last, all_rows) = Spy.calls
    assert last == "fit"
    np.testing.assert_array_equal(all_rows, groups)
    assert [call for call, _ in folds] == ["fit", "predict"] * n_folds
    for (_, learnt), (_, asked) in zip(folds[::2], folds[1::2], strict=True):
        assert not set(learnt) & set(asked)
        assert len(learnt) + len(asked) == 91
    np.testing.assert_array_equal(np.sort(np.concatenate([asked for _, asked in folds[1::2]])), groups)


def noisy_photographs(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regions of 20 photographs; those of a photograph are shifted together, so that other photographs say little."""
    X, y = three_classes(400, seed)
    groups = np.repeat(np.arange(20), 20)
    return X + np.random.default_rng(seed).normal(scale=0.7, size=(20, 2))[groups], y, groups


def test_calibrated_probabilities_are_better_than_those_of_raw_margins():
    unseen, truth = three_classes(400, seed=1, distance=4)
    model = CalibratedClassifier(KernelSVM(100, gamma=0.2, random_state=0)).fit(*three_classes(400, distance=4))
    raw = softmax(model.estimator_.decision_function(unseen), axis=1)
    before, after = (-np.log(p[np.arange(400), truth]).mean() for p in (raw, model.predict_proba(unseen)))
    assert after < 0.7 * before


@pytest.mark.parametrize(
    "estimator",
    [
        None,
        KernelSVM(50, gamma=0.5, random_state=0),
        SVC(gamma=0.5),
        LogisticRegression(),
        RandomForestClassifier(10, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_any_classifier_is_accepted(estimator):
    X, y, groups = noisy_photographs(0)
    names = np.array(["gray", "green", "red"])[y]
    model = CalibratedClassifier(estimator).fit(X, names, groups=groups)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (400, 3)
    assert probabilities.dtype == np.float32
    # 1e-5: float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(model.predict(X), model.classes_[probabilities.argmax(axis=1)])
    assert model.score(X, names) > 0.5


@pytest.mark.parametrize(
    "partner", [LogisticRegression(), NeuralNets(2, n_epochs=1)], ids=lambda one: type(one).__name__
)
def test_a_partner_is_told_groups_as_groups_and_no_weights(partner):
    X, y, groups = noisy_photographs(0)
    told = {"groups": groups} if isinstance(partner, NeuralNets) else {}
    model = CalibratedClassifier(KernelSVM(50, random_state=0), partner=partner).fit(X, y, groups=groups)
    X32 = X.astype(np.float32)
    np.testing.assert_array_equal(
        model.partner_.predict_proba(X32), clone(partner).fit(X32, y, **told).predict_proba(X32)
    )


def test_margins_that_say_nothing_give_the_weighted_shares_of_the_classes():
    y = np.repeat([0, 1, 2], [50, 30, 20])
    weight = np.where(y == 2, 4.0, 1.0)
    nothing = CalibratedClassifier(DummyClassifier(strategy="uniform")).fit(np.zeros((100, 1)), y, sample_weight=weight)
    # 1e-3: the minimiser stops there
    np.testing.assert_allclose(nothing.predict_proba(np.zeros((1, 1)))[0], [50 / 160, 30 / 160, 80 / 160], atol=1e-3)


@pytest.mark.parametrize(
    "estimator", [KernelSVM(50, random_state=0), LogisticRegression()], ids=lambda estimator: type(estimator).__name__
)
@pytest.mark.parametrize("n_common", [2, 3])
def test_a_class_of_a_single_photograph_is_unseen_in_a_fold_and_kept(estimator, n_common):
    X, y, groups = noisy_photographs(0)
    y = y % n_common
    y[groups == 7] = 9
    X[groups == 7] += 6
    model = CalibratedClassifier(estimator).fit(X, y, groups=groups)
    assert model.classes_.tolist() == [*range(n_common), 9]
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    # it was never recognised on an unseen photograph, which is no reason for confidence
    assert probabilities[groups == 7, -1].mean() > probabilities[groups != 7, -1].mean()


def test_the_same_seed_gives_the_same_probabilities():
    X, y, groups = noisy_photographs(0)
    one, other = (CalibratedClassifier(random_state=3).fit(X, y, groups=groups).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(one, other)


# Errors


def test_margins_of_pairs_of_classes_are_refused():
    X, y = three_classes(80)
    y[::4] = 3  # of three classes there are as many pairs
    with pytest.raises(ValueError, match=r"^SVC: .* one margin per class, got 6 for 4 classes"):
        CalibratedClassifier(SVC(decision_function_shape="ovo")).fit(X, y)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (FamilyScaler(n_components=0), "n_components must be at least 1, got 0"),
        (FamilyScaler(clip=0), "clip must be greater than 0, got 0"),
        (KernelSVM(n_landmarks=0), "n_landmarks must be at least 1, got 0"),
        (KernelSVM(n_landmarks=2.5), r"n_landmarks must be at least 1, got 2\.5"),
        (KernelSVM(gamma=0), "gamma must be greater than 0, got 0"),
        (KernelSVM(gamma=float("nan")), "gamma must be greater than 0, got nan"),
        (KernelSVM(alpha=-1), "alpha must be greater than 0, got -1"),
        (KernelSVM(max_iter=True), "max_iter must be at least 1, got True"),
        (CalibratedClassifier(n_folds=1), "n_folds must be at least 2, got 1"),
        (CalibratedClassifier(alpha=-1), "alpha must be at least 0, got -1"),
    ],
)
def test_parameters_out_of_range_are_named(estimator, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(*three_classes(20))


def test_calibration_needs_groups_for_all_folds_and_rows():
    X, y = three_classes(20)
    with pytest.raises(ValueError, match="calibration on 4 folds needs as many groups, got 3"):
        CalibratedClassifier(n_folds=4).fit(X, y, groups=np.arange(20) % 3)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[20, 5\]"):
        CalibratedClassifier().fit(X, y, groups=np.arange(5))


def test_a_fold_that_leaves_one_class_is_refused():
    X, _ = three_classes(20)
    with pytest.raises(DatasetError, match="the others have one colour of the palette only: add photographs"):
        CalibratedClassifier().fit(X, np.repeat([0, 1], 10), groups=np.repeat([0, 1], 10))


def test_landmarks_beyond_half_precision_are_refused():
    X, y = three_classes(20)
    with pytest.raises(ValueError, match=r"X reaches \d.*e\+0[67], .* half precision: scale X to about 1"):
        KernelSVM().fit(X * 1e6, y)


@pytest.mark.parametrize("estimator", [KernelSVM(), CalibratedClassifier()])
def test_one_class_and_negative_weights_are_refused(estimator):
    X, y = three_classes(20)
    with pytest.raises(ValueError, match="at least two classes, got one class: 1"):
        estimator.fit(X, np.ones(20, int))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        estimator.fit(X, y, sample_weight=-np.ones(20))
