"""What many test files need: the six classes, small data, and ways to compare two models."""

import pickle
from contextlib import contextmanager

import joblib
import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn import SequenceArray
from sklearn_rnn._core.network import Network
from sklearn_rnn._registry import ESTIMATORS
from tests.benchmarks.machine import forced

CLASSIFIERS = [pair.classifier for pair in ESTIMATORS]
REGRESSORS = [pair.regressor for pair in ESTIMATORS]
SIX = CLASSIFIERS + REGRESSORS

# Parameters of a fit that leaves the weights where they start, to 300 digits.
STANDING_STILL = dict(max_iter=1, learning_rate_init=1e-300)

LENGTHS = (5, 2, 7, 1, 4, 3, 6, 5, 2, 4, 7, 3)


def unset_forced(monkeypatch):
    """Unset variables that force kernels, as benchmarks do when they run as programs."""
    for name in forced():
        monkeypatch.delenv(name)


def tiny(Estimator, **params):
    """Make an estimator that is fitted in a few milliseconds."""
    return Estimator(**{"hidden_size": 4, "max_iter": 3, "random_state": 0, **params})


def make_sequences(lengths=LENGTHS, n_features=2, seed=0, dtype=np.float64):
    """Make a list of (T_i, F) arrays."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, n_features)).astype(dtype) for length in lengths]


def make_targets(estimator, n=12, seed=1):
    """Make y: three classes of strings for a classifier, numbers for a regressor."""
    rng = np.random.default_rng(seed)
    if is_classifier(estimator):
        return np.array(["ash", "elm", "oak"])[np.append([0, 1, 2], rng.integers(3, size=n - 3))]
    return rng.normal(10, 3, size=n)


def object_array(items):
    """Put sequences into a one-dimensional array of dtype object."""
    return np.fromiter(items, dtype=object, count=len(items))


def fit_tiny(Estimator, X=None, y=None, **params):
    """Make a tiny estimator and fit it, on ragged sequences unless X is given."""
    X = make_sequences() if X is None else X
    estimator = tiny(Estimator, **params)
    return estimator.fit(X, make_targets(estimator, len(X)) if y is None else y)


BATCHES = 3  # an epoch of `trained`: 12 samples in batches of 5


def trained(Estimator, n_epochs, **params):
    """Make a tiny estimator and fit it for so many epochs of three batches."""
    return fit_tiny(Estimator, batch_size=5, max_iter=n_epochs, **params)


def answers(estimator, X):
    """Give everything that a fitted estimator says about X, by method."""
    methods = ["predict", "predict_log_proba", "predict_proba", "decision_function", "transform"]
    return {name: getattr(estimator, name)(X) for name in methods if hasattr(estimator, name)}


def scores_of(estimator, X):
    """Give the finest answer: log-probabilities, or a regressor's predictions."""
    return getattr(estimator, "predict_log_proba", estimator.predict)(X)


def assert_same_answers(one, other, X, tolerance=0.0):
    """Assert that two models say the same about X; with tolerance 0 to the last bit."""
    expected = answers(one, X)
    for name, answer in answers(other, X).items():
        assert answer.dtype == expected[name].dtype
        if tolerance and answer.dtype.kind == "f":
            np.testing.assert_allclose(
                answer, expected[name], rtol=tolerance, atol=tolerance, err_msg=name
            )
        else:
            np.testing.assert_array_equal(answer, expected[name], err_msg=name)


def same_model(one, other):
    """Whether two models are the same to the last bit, whatever they have learned."""
    a, b = one.weights_, other.weights_
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def assert_same_model(one, other):
    """Assert that two models hold the same weights, to the last bit."""
    expected = one.weights_
    assert expected.keys() == other.weights_.keys()
    for name, weight in other.weights_.items():
        assert weight.dtype == expected[name].dtype
        np.testing.assert_array_equal(weight, expected[name], err_msg=name)


def fingerprint(estimator, *, seconds=True):
    """Give a hash of all that an estimator holds, perhaps but for the seconds that epochs took."""
    held = dict(vars(estimator))
    if not seconds and "history_" in held:
        held["history_"] = {**held["history_"], "seconds": None}
    return joblib.hash(held)


@contextmanager
def unchanged(*estimators):
    """Assert that estimators hold the same after the block as before it."""
    before = [fingerprint(estimator) for estimator in estimators]
    yield
    assert [fingerprint(estimator) for estimator in estimators] == before


def assert_unfitted(estimator):
    """Assert that an estimator says that it is not fitted, and has no trace of a fit."""
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    with pytest.raises(NotFittedError):
        estimator.predict(make_sequences())
    assert [name for name in vars(estimator) if name.endswith("_")] == []


def pickled(estimator):
    """Send an estimator through pickle."""
    return pickle.loads(pickle.dumps(estimator))


def packed(sequences):
    """Pack a list of sequences."""
    return SequenceArray.from_sequences(sequences)


@contextmanager
def at_batch(monkeypatch, k, effect):
    """Let `effect` turn the loss of a training's k-th batch, counted from 1, into what it likes."""
    original, calls = Network.loss_gradient, []

    def loss_gradient(self, *args):
        calls.append(1)
        loss = original(self, *args)
        return effect(loss) if len(calls) == k else loss

    with monkeypatch.context() as patch:
        patch.setattr(Network, "loss_gradient", loss_gradient)
        yield


def raising(error):
    """Make an effect that raises."""

    def effect(loss):
        raise error

    return effect
