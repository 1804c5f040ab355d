"""MAPIE: intervals and sets of classes that hold as often as asked."""

import numpy as np
import pytest

pytest.importorskip("mapie", reason="MAPIE is not installed")

from mapie.classification import CrossConformalClassifier, SplitConformalClassifier
from mapie.regression import (
    ConformalizedQuantileRegressor,
    CrossConformalRegressor,
    JackknifeAfterBootstrapRegressor,
    SplitConformalRegressor,
    TimeSeriesRegressor,
)
from mapie.subsample import BlockBootstrap
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, GRURegressor
from sklearn_rnn.preprocessing import TimestepTransformer

SMALL = dict(hidden_size=8, max_iter=20, learning_rate_init=0.02, random_state=0)


def covered(intervals, y):
    return np.mean((intervals[:, 0, 0] <= y) & (y <= intervals[:, 1, 0]))


def test_cross_conformal_intervals(next_values, pack):
    X, y, X_test, y_test = next_values
    model = make_pipeline(TimestepTransformer(StandardScaler()), GRURegressor(**SMALL))
    conformal = CrossConformalRegressor(model, confidence_level=0.9, cv=3, random_state=0)
    conformal.fit_conformalize(pack(X), y)
    forecast, intervals = conformal.predict_interval(pack(X_test))
    assert 0.85 < covered(intervals, y_test) < 0.99
    assert np.corrcoef(forecast, y_test)[0, 1] > 0.7


def test_cross_conformal_sets(vowels, pack):
    X, y, X_test, y_test = vowels
    model = make_pipeline(TimestepTransformer(StandardScaler()), GRUClassifier(**SMALL))
    conformal = CrossConformalClassifier(model, confidence_level=0.9, cv=3, random_state=0)
    conformal.fit_conformalize(pack(X), y)
    answer, sets = conformal.predict_set(pack(X_test))
    assert np.mean(answer == y_test) > 0.8
    assert sets[np.arange(len(y_test)), y_test, 0].mean() > 0.85
    assert sets.sum(axis=1).mean() < 3


def test_resampled_intervals(next_values):
    """The jackknife after the bootstrap, and intervals for time series (EnbPI)."""
    X, y, X_test, y_test = next_values
    network = GRURegressor(**{**SMALL, "max_iter": 10})
    jackknife = JackknifeAfterBootstrapRegressor(
        network, confidence_level=0.9, resampling=20, random_state=0
    )
    intervals = jackknife.fit_conformalize(X, y).predict_interval(X_test)[1]
    assert 0.8 < covered(intervals, y_test) < 0.99
    blocks = BlockBootstrap(n_resamplings=20, n_blocks=9, random_state=0)
    series = TimeSeriesRegressor(network, cv=blocks).fit(X, y)
    intervals = series.predict(X_test, confidence_level=0.9)[1]
    assert 0.8 < covered(intervals, y_test) < 0.99


@pytest.fixture(scope="module")
def steps(rows):
    """The first coefficient of the seventh step, after six of three: rows of 18."""
    X, _, X_test, _ = rows
    return X[:, :-3], X[:, -3], X_test[:, :-3], X_test[:, -3]


def test_split_conformal_intervals_of_a_fitted_model(steps):
    X, y, X_test, y_test = steps
    model = make_pipeline(StandardScaler(), GRURegressor(n_timesteps=6, **SMALL))
    model.fit(X[::2], y[::2])
    conformal = SplitConformalRegressor(model, confidence_level=0.9, prefit=True)
    _, intervals = conformal.conformalize(X[1::2], y[1::2]).predict_interval(X_test)
    assert 0.82 < covered(intervals, y_test) < 0.98


def test_conformalized_quantiles(steps):
    """In MAPIE's order: lower, upper, median."""
    X, y, X_test, y_test = steps
    fitted = [
        GRURegressor(loss="quantile", quantiles=q, n_timesteps=6, **SMALL).fit(X[::2], y[::2])
        for q in (0.05, 0.95, 0.5)
    ]
    conformal = ConformalizedQuantileRegressor(fitted, confidence_level=0.9, prefit=True)
    _, intervals = conformal.conformalize(X[1::2], y[1::2]).predict_interval(X_test)
    assert 0.82 < covered(intervals, y_test) < 0.98


@pytest.mark.parametrize("prefit", [False, True])
def test_split_conformal_wants_rows(prefit, next_values, vowels):
    """It tries whether a model is fitted on one row of zeros: written down in works_with.md."""
    for Conformal, network, (X, y, _, _) in (
        (SplitConformalRegressor, GRURegressor(**SMALL), next_values),
        (SplitConformalClassifier, GRUClassifier(**SMALL), vowels),
    ):
        conformal = Conformal(network.fit(X[::2], y[::2]) if prefit else network, prefit=prefit)
        if not prefit:
            conformal.fit(X[::2], y[::2])
        with pytest.raises(UserWarning, match="failed a minimal prediction test"):
            conformal.conformalize(X[1::2], y[1::2])
