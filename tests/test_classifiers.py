"""The classifiers: labels of any kind, probabilities, class weights, multilabel, one class."""

from functools import partial

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from sklearn_rnn import GRUClassifier, LSTMClassifier, RNNClassifier
from tests.helpers import (
    STANDING_STILL,
    answers,
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    fit_tiny,
    make_sequences,
    make_targets,
    tiny,
)

X = make_sequences()
CODES = np.array([0, 1, 2, 1, 0, 2, 2, 1, 0, 1, 2, 2])
MULTILABEL = np.random.default_rng(3).integers(2, size=(12, 4))


# --- Labels --------------------------------------------------------------------------------------

LABELS = {
    "int": np.array([3, 10, 20]),
    "int8": np.array([-5, 0, 5], dtype=np.int8),
    "uint64": np.array([1, 2, 2**63], dtype=np.uint64),
    "float": np.array([-1.0, 0.0, 7.0]),
    "str": np.array(["ash", "elm", "oak"]),
    "object-str": np.array(["ash", "elm", "oak"], dtype=object),
}


@pytest.mark.parametrize("name", LABELS)
def test_row_55_labels_keep_their_dtype(Classifier, name):
    labels = LABELS[name]
    fitted = tiny(Classifier).fit(X, labels[CODES])
    np.testing.assert_array_equal(fitted.classes_, labels)
    assert fitted.classes_.dtype == fitted.predict(X).dtype == labels.dtype
    assert set(fitted.predict(X)) <= set(labels)


def test_row_55_bool_labels(Classifier):
    fitted = tiny(Classifier).fit(X, CODES == 1)
    np.testing.assert_array_equal(fitted.classes_, [False, True])
    assert fitted.predict(X).dtype == bool


@pytest.mark.parametrize("make", ["list", "tuple", "Series", "Categorical", "DataFrame", "polars"])
def test_containers_of_labels(make):
    y = make_targets(RNNClassifier())
    expected = fit_tiny(RNNClassifier, y=y)
    if make in ("list", "tuple"):
        y = {"list": list, "tuple": tuple}[make](y.tolist())
    elif make == "polars":
        y = pytest.importorskip("polars").Series(y.tolist())
    else:
        y = getattr(pytest.importorskip("pandas"), make)(y)
    fitted = tiny(RNNClassifier)
    if make == "DataFrame":
        with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
            fitted.fit(X, y)
    else:
        fitted.fit(X, y)
    assert_same_model(fitted, expected)
    assert list(fitted.classes_) == ["ash", "elm", "oak"]


def test_other_names_in_the_same_order_change_nothing_else(Classifier):
    plain = tiny(Classifier).fit(X, CODES)
    named = tiny(Classifier).fit(X, np.array(["a", "b", "c"])[CODES])
    np.testing.assert_array_equal(named.predict_proba(X), plain.predict_proba(X))
    np.testing.assert_array_equal(named.predict(X), np.array(["a", "b", "c"])[plain.predict(X)])


def test_row_62_all_labels_distinct(Classifier):
    few = tiny(Classifier).fit(X, np.arange(12))
    assert few.predict_proba(X).shape == (12, 12)
    many = make_sequences([2] * 25)
    fitted = tiny(Classifier)
    with pytest.warns(UserWarning, match="unique classes is greater than 50%"):
        fitted.fit(many, np.arange(25))
    assert len(fitted.classes_) == 25


# --- Probabilities -------------------------------------------------------------------------------


def test_two_classes(Classifier):
    fitted = tiny(Classifier).fit(X, np.where(CODES == 1, "yes", "no"))
    said = answers(fitted, X)
    score = said["decision_function"]
    assert score.shape == (12,)
    np.testing.assert_array_equal(said["predict"], np.where(score > 0, "yes", "no"))
    np.testing.assert_allclose(said["predict_proba"][:, 1], 1 / (1 + np.exp(-score)))
    assert (fitted.n_outputs_, fitted.out_activation_) == (1, "logistic")


def test_three_classes(Classifier):
    fitted = tiny(Classifier).fit(X, CODES)
    said = answers(fitted, X)
    assert said["decision_function"].shape == said["predict_proba"].shape == (12, 3)
    np.testing.assert_array_equal(said["predict"], said["decision_function"].argmax(axis=1))
    difference = said["decision_function"] - said["predict_log_proba"]
    np.testing.assert_allclose(difference, np.broadcast_to(difference[:, :1], (12, 3)))


@pytest.mark.parametrize("y", [CODES, CODES == 1, MULTILABEL], ids=["three", "two", "multilabel"])
def test_probabilities_never_leave_their_range(Classifier, y):
    """Raw predictions of thousands: no NaN, no log of zero, and no warning."""
    fitted = tiny(Classifier, solver="sgd", max_grad_norm=None, max_iter=1)
    fitted.set_params(learning_rate_init=1e5, nesterovs_momentum=False).fit(X, y)
    said = answers(fitted, X)
    assert np.abs(said["decision_function"]).max() > 1e3
    assert np.isfinite(said["predict_log_proba"]).all()
    assert said["predict_log_proba"].min() < -1e3
    assert said["predict_proba"].min() >= 0
    assert said["predict_proba"].max() <= 1


# --- One class, one sample, one step -------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 4])
def test_row_43_one_class(Classifier, n):
    fitted = tiny(Classifier).fit(X[:n], ["only"] * n)
    said = answers(fitted, X)
    np.testing.assert_array_equal(said["predict"], ["only"] * 12)
    np.testing.assert_array_equal(said["predict_proba"], np.ones((12, 1)))
    np.testing.assert_array_equal(said["predict_log_proba"], np.zeros((12, 1)))
    assert fitted.score(X[:n], ["only"] * n) == 1


def test_row_41_sequences_of_one_step(Classifier):
    table = np.random.default_rng(0).normal(size=(12, 3))
    fitted = tiny(Classifier).fit(table[:, np.newaxis], CODES)
    assert fitted.n_timesteps_in_ == 1
    assert_same_model(fitted, tiny(Classifier, n_timesteps=1).fit(table, CODES))


# --- Class weights -------------------------------------------------------------------------------


def test_class_weight_multiplies_sample_weight(Classifier):
    factors = {0: 0.5, 2: 4.0}  # and 1 for those that are not named
    weight = np.tile([1.0, 2.0, 0.0, 1.0], 3)
    by_class = tiny(Classifier, class_weight=factors).fit(X, CODES, weight)
    by_sample = tiny(Classifier).fit(X, CODES, weight * np.array([0.5, 1.0, 4.0])[CODES])
    assert_same_model(by_class, by_sample)


def test_balanced_gives_each_class_the_same_total(Classifier):
    y = np.array([0] * 8 + [1] * 3 + [2])
    balanced = tiny(Classifier, class_weight="balanced").fit(X, y)
    totals = tiny(Classifier).fit(X, y, 12 / (3 * np.array([8, 3, 1])[y]))
    assert_same_model(balanced, totals)


def test_balanced_counts_a_weight_as_copies(Classifier):
    repeats = np.array([3, 0, 1, 2, 2, 1, 0, 1, 4, 1, 1, 2])
    weighted = tiny(Classifier, class_weight="balanced").fit(X, CODES, repeats)
    index = np.repeat(np.arange(12), repeats)
    copies = tiny(Classifier, class_weight="balanced").fit([X[i] for i in index], CODES[index])
    np.testing.assert_allclose(weighted.predict_proba(X), copies.predict_proba(X), rtol=1e-9)


def test_class_weight_goes_with_names_of_classes(Classifier):
    named = fit_tiny(Classifier, class_weight={"ash": 3.0})
    weight = np.where(make_targets(named) == "ash", 3.0, 1.0)
    assert_same_model(named, tiny(Classifier).fit(X, make_targets(named), weight))


def test_class_weight_with_partial_fit(Classifier):
    params = dict(class_weight={"ash": 3.0, "oak": 0.1}, max_iter=1)
    by_parts = tiny(Classifier, **params)
    by_parts.partial_fit(X, make_targets(by_parts), classes=["ash", "elm", "oak"])
    assert_same_model(by_parts, fit_tiny(Classifier, **params))


def test_class_weight_turns_the_balance():
    """Noise as X: what is predicted is decided by the weights alone."""
    params = dict(max_iter=5, learning_rate_init=0.02)
    for label in range(3):
        weights = {k: 1.0 if k == label else 1e-3 for k in range(3)}
        fitted = tiny(RNNClassifier, class_weight=weights, **params).fit(X, CODES)
        np.testing.assert_array_equal(fitted.predict(X), [label] * 12)


@pytest.mark.parametrize(
    ("class_weight", "y", "message"),
    [
        ({0: 0.0, 1: 0.0, 2: 0.0}, CODES, "class_weight leaves no sample"),
        ({7: 1.0}, CODES, r"weights for \[7\], which y does not hold.*classes are \[0, 1, 2\]"),
        ("balanced", MULTILABEL, "class_weight is not supported for multilabel"),
        ("even", CODES, "'class_weight' parameter"),
    ],
    ids=["all-zero", "unknown-class", "multilabel", "unknown-word"],
)
def test_class_weights_that_are_refused(class_weight, y, message):
    estimator = tiny(GRUClassifier, class_weight=class_weight)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)
    assert_unfitted(estimator)


@pytest.mark.parametrize("by", ["sample_weight", "class_weight"])
def test_row_69_a_class_without_weight_is_never_predicted(Classifier, by):
    """It stays in classes_, for every seed, right after one epoch."""
    y = np.array([0, 1] * 6)
    for seed in range(10):
        estimator = tiny(Classifier, random_state=seed, max_iter=1)
        if by == "class_weight":
            estimator.set_params(class_weight={0: 0.0})
        estimator.fit(X, y, y if by == "sample_weight" else None)
        np.testing.assert_array_equal(estimator.classes_, [0, 1])
        np.testing.assert_array_equal(estimator.predict(X), np.ones(12))


# --- The prior -----------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 13.0)], ids=["plain", "weights"])
def test_the_readout_starts_at_the_prior(Classifier, weight):
    def bias(y):
        return tiny(Classifier, **STANDING_STILL).fit(X, y, weight).weights_["bias_out"]

    def share(y):
        return np.average(y, axis=0, weights=weight)

    assert_close = partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-12)
    assert_close(bias(CODES), np.log(share(np.eye(3)[CODES])))
    p = share(CODES == 1)
    assert_close(bias(CODES == 1), [np.log(p / (1 - p))])
    p = share(MULTILABEL)
    assert_close(bias(MULTILABEL), np.log(p / (1 - p)))


# --- Multilabel ----------------------------------------------------------------------------------


def test_multilabel(Classifier):
    fitted = tiny(Classifier).fit(X, MULTILABEL)
    said = answers(fitted, X)
    np.testing.assert_array_equal(fitted.classes_, np.arange(4))
    assert (fitted.n_outputs_, fitted.out_activation_) == (4, "logistic")
    for name in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        assert said[name].shape == (12, 4)
    np.testing.assert_array_equal(said["predict"], said["decision_function"] > 0)
    assert said["predict"].dtype.kind == "i"
    np.testing.assert_allclose(said["predict_proba"], 1 / (1 + np.exp(-said["decision_function"])))
    exact = (said["predict"] == MULTILABEL).all(axis=1).mean()
    assert fitted.score(X, MULTILABEL) == pytest.approx(exact)


def test_multilabel_learns():
    X3 = np.random.default_rng(0).normal(size=(60, 4, 2))
    y = (X3.sum(axis=1) > 0).astype(int)
    fitted = tiny(LSTMClassifier, max_iter=100, learning_rate_init=0.03).fit(X3, y)
    assert fitted.score(X3, y) > 0.9


@pytest.mark.parametrize(
    "make",
    [sparse.csr_array, sparse.coo_matrix, np.ndarray.tolist, lambda Y: Y.astype(bool)],
    ids=["csr_array", "coo_matrix", "list", "bool"],
)
def test_containers_of_multilabel_targets(make):
    fitted = tiny(GRUClassifier).fit(X, make(MULTILABEL))
    assert_same_answers(fitted, tiny(GRUClassifier).fit(X, MULTILABEL), X)


def test_labels_that_are_always_or_never_there(Classifier):
    y = np.c_[MULTILABEL[:, 0], np.zeros(12, int), np.ones(12, int)]
    proba = tiny(Classifier).fit(X, y).predict_proba(X)
    assert proba[:, 1].max() < 0.1
    assert proba[:, 2].min() > 0.9


def test_multilabel_partial_fit(Classifier):
    parts = tiny(Classifier)
    for _ in range(3):
        parts.partial_fit(X, MULTILABEL, classes=np.arange(4))
    assert_same_model(parts, tiny(Classifier).fit(X, MULTILABEL))
