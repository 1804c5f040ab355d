"""A fit that ends worse than a constant prediction says so."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, RNNRegressor
from sklearn_rnn.preprocessing import TimestepTransformer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 5, 2))
U = X[:, :, 0].sum(axis=1)
NOISE = RNG.normal(size=80)
LOSSES = ["squared_error", "absolute_error", "huber", "quantile", "poisson"]
WORSE = r"worse than a constant prediction: .* Lower learning_rate_init \(it was 1000 .*scale X"


def targets(u, loss="squared_error"):
    return np.exp(u / 3) if loss == "poisson" else u


def caught(model, X, y):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        model.fit(X, y)
    return [w.category for w in found]


@pytest.mark.parametrize("max_iter", [2, 15])
@pytest.mark.parametrize("loss", LOSSES[:-1])
def test_a_far_too_large_rate(loss, max_iter):
    model = GRURegressor(6, loss=loss, learning_rate_init=1e3, max_iter=max_iter, random_state=0)
    with pytest.warns(ConvergenceWarning, match=WORSE) as record:
        model.fit(X, U)
    assert record[0].filename == __file__
    assert model.stop_reason_ == "max_iter"
    assert model.score(X, U) < 0


def test_a_far_too_large_rate_with_counts():
    model = GRURegressor(6, loss="poisson", learning_rate_init=10, max_iter=20, random_state=0)
    assert caught(model, X, targets(U, "poisson")) == [ConvergenceWarning]


@pytest.mark.parametrize("solver", ["adam", "adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("y", [U > 0, np.digitize(U, [-1, 1]), np.c_[U > 0, U > 1].astype(int)])
def test_classifiers(y, solver):
    model = GRUClassifier(6, solver=solver, learning_rate_init=1e3, max_iter=12, random_state=0)
    assert caught(model, X, y) == [ConvergenceWarning]


def test_steps_early_stopping_and_warm_starts():
    wild = {"learning_rate_init": 1e3, "max_iter": 12, "random_state": 0}
    steps = GRURegressor(6, return_sequences=True, **wild)
    assert caught(steps, X, X[:, :, 1]) == [ConvergenceWarning]
    stopped = GRURegressor(6, early_stopping=True, **wild)
    assert caught(stopped, X, U) == [ConvergenceWarning]
    warm = GRURegressor(6, warm_start=True, max_iter=2).fit(X, U).set_params(**wild)
    assert caught(warm, X, U) == [ConvergenceWarning]


def test_partial_fit():
    model = GRURegressor(6, learning_rate_init=1e3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="worse than a constant"):
        model.partial_fit(X, U)


def test_once_in_a_search_and_at_the_users_line():
    pipeline = make_pipeline(
        TimestepTransformer(StandardScaler()), GRURegressor(4, max_iter=3, random_state=0)
    )
    search = GridSearchCV(pipeline, {"gruregressor__learning_rate_init": [1e3, 1e4]}, cv=3)
    with pytest.warns(ConvergenceWarning, match="worse than a constant") as record:
        search.fit(X, U)
    assert len(record) == 1
    assert record[0].filename == __file__


@pytest.mark.parametrize("u", [U, NOISE, np.zeros(80), np.full(80, 1e6)], ids=range(4))
@pytest.mark.parametrize("max_iter", [1, 5, 20])
@pytest.mark.parametrize("loss", LOSSES)
def test_no_warning_of_ordinary_fits(loss, max_iter, u):
    """Not of noise, of constants, or of a few epochs."""
    if loss == "poisson" and u[0] == 1e6:
        u = np.zeros(80)
    model = GRURegressor(6, loss=loss, max_iter=max_iter, random_state=0)
    assert caught(model, X, targets(u, loss)) == []


@pytest.mark.parametrize("Estimator", [GRURegressor, RNNRegressor])
def test_no_warning_of_few_updates(Estimator):
    """Ten sequences are one batch, so that twelve epochs are twelve updates."""
    for seed in range(5):
        model = Estimator(8, max_iter=12, learning_rate_init=1e-4, random_state=seed)
        assert caught(model, X[:10], U[:10]) == []


@pytest.mark.parametrize("max_iter", [1, 20])
@pytest.mark.parametrize("positive", [1, 2, 40])
def test_no_warning_of_rare_classes(positive, max_iter):
    y = np.arange(80) < positive
    assert caught(LSTMClassifier(6, max_iter=max_iter, random_state=0), X, y) == []


def test_no_warning_of_a_large_penalty():
    model = GRURegressor(6, alpha=1e4, max_iter=30, random_state=0)
    assert caught(model, X, U) == []


def test_no_warning_with_dropout_of_noise():
    model = GRURegressor(6, dropout=0.8, recurrent_dropout=0.5, max_iter=20, random_state=0)
    assert caught(model, X, NOISE) == []
