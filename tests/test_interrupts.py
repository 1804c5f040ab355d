"""Ctrl-C: a fit keeps the model of its last whole epoch, or the estimator is as it was."""

import signal
import sys
import warnings
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info

import sklearn_rnn
from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RecurrentForecaster,
    RNNClassifier,
)
from tests.helpers import (
    BATCHES,
    assert_same_model,
    assert_unfitted,
    at_batch,
    fingerprint,
    make_sequences,
    make_targets,
    raising,
    tiny,
    trained,
    unchanged,
)

X = make_sequences()


@pytest.mark.parametrize("k", [1, 2, 3])
def test_fault_5_ctrl_c_before_an_epoch_is_whole(Estimator, k, monkeypatch):
    fitted, unfitted = trained(Estimator, 2), tiny(Estimator, batch_size=5)
    for estimator in (fitted, unfitted):
        with (
            at_batch(monkeypatch, k, raising(KeyboardInterrupt())),
            unchanged(estimator),
            pytest.raises(KeyboardInterrupt),
        ):
            estimator.fit(X, make_targets(estimator))
    assert_unfitted(unfitted)


@pytest.mark.parametrize(
    "params",
    [dict(), dict(early_stopping=True, validation_fraction=0.3)],
    ids=["plain", "early-stopping"],
)
@pytest.mark.parametrize("k", [4, 5, 6, 7, 12])
def test_fault_4_ctrl_c_in_a_later_epoch(Estimator, k, params, monkeypatch):
    estimator = tiny(Estimator, batch_size=5, max_iter=20, **params)
    batches = 2 if params else BATCHES  # 8 of the 12 samples
    whole = (k - 1) // batches
    with (
        at_batch(monkeypatch, k, raising(KeyboardInterrupt())),
        pytest.warns(
            ConvergenceWarning,
            match=f"was interrupted in epoch {whole + 1}: .* end of epoch {whole}",
        ),
    ):
        estimator.fit(X, make_targets(estimator))
    assert estimator.n_iter_ == whole
    assert_same_fit(estimator, trained(Estimator, whole, **params))


def assert_same_fit(estimator, expected):
    assert_same_model(estimator, expected)
    names = ("n_iter_", "t_", "loss_", "loss_curve_", "best_loss_", "validation_scores_")
    for name in (*names, "best_validation_score_"):
        assert getattr(estimator, name) == getattr(expected, name), name


def test_training_goes_on_after_ctrl_c(Estimator, monkeypatch):
    """With warm_start, what was interrupted and resumed equals what ran through."""
    estimator = tiny(Estimator, batch_size=5, max_iter=20, warm_start=True)
    with (
        at_batch(monkeypatch, 2 * BATCHES + 2, raising(KeyboardInterrupt())),
        pytest.warns(ConvergenceWarning),
    ):
        estimator.fit(X, make_targets(estimator))
    estimator.set_params(max_iter=3).fit(X, make_targets(estimator))
    assert_same_model(estimator, trained(Estimator, 5))


def search(**params):
    grid = {"alpha": [0.0, 0.1]}
    return GridSearchCV(tiny(GRUClassifier, batch_size=5), grid, cv=2, **params)


def fit_in_joblib(estimator, X, y):
    with joblib.parallel_config(n_jobs=1):
        joblib.Parallel()(joblib.delayed(clone(estimator).fit)(X, y) for _ in range(2))


CLASSIFIER = tiny(GRUClassifier, batch_size=5)
FLAT = clone(CLASSIFIER).set_params(n_timesteps=2)
MANY = {
    "search": lambda y: search().fit(X, y),
    "random search": lambda y: RandomizedSearchCV(
        CLASSIFIER, {"alpha": [0.0, 0.1]}, n_iter=2, cv=2
    ).fit(X, y),
    "search of pipelines": lambda y: GridSearchCV(
        make_pipeline("passthrough", CLASSIFIER), {"gruclassifier__alpha": [0.0, 0.1]}, cv=2
    ).fit(X, y),
    "cross-validation": lambda y: cross_val_score(CLASSIFIER, X, y, cv=2),
    "voting": lambda y: VotingClassifier([("a", CLASSIFIER), ("b", CLASSIFIER)]).fit(X, y),
    "bagging": lambda y: BaggingClassifier(FLAT, n_estimators=2).fit(ROWS, y),
    "boosting": lambda y: AdaBoostClassifier(FLAT, n_estimators=2).fit(ROWS, y),
    "one a class": lambda y: OneVsRestClassifier(CLASSIFIER).fit(X, y),
    "joblib": lambda y: fit_in_joblib(CLASSIFIER, X, y),
}
ROWS = np.random.default_rng(0).normal(size=(12, 4))


@pytest.mark.parametrize("how", MANY)
def test_ctrl_c_stops_all_fits_of_a_search(how, monkeypatch):
    """One of several fits raises, in whatever epoch: the others would go on without a word."""
    with (
        at_batch(monkeypatch, 2 * BATCHES, raising(KeyboardInterrupt())),
        pytest.raises(KeyboardInterrupt),
    ):
        MANY[how](make_targets(GRUClassifier()))


def test_ctrl_c_stops_a_backtest(monkeypatch):
    forecaster = RecurrentForecaster(tiny(GRURegressor, batch_size=5), window=4, horizon=2)
    y = np.sin(np.arange(40.0))
    assert forecaster.fit(y).estimator_.n_iter_ == 3
    with (
        at_batch(monkeypatch, 5, raising(KeyboardInterrupt())),  # in the second epoch of the first
        pytest.raises(KeyboardInterrupt),
    ):
        forecaster.backtest(y, initial=20, step=10)


ONE = {
    "pipeline": lambda y: make_pipeline("passthrough", CLASSIFIER).fit(X, y)[-1],
    "target": lambda y: (
        TransformedTargetRegressor(tiny(GRURegressor, batch_size=5))
        .fit(X, np.arange(12.0))
        .regressor_
    ),
    "refit": lambda y: GridSearchCV(CLASSIFIER, {"alpha": [0.1]}, cv=2).fit(X, y).best_estimator_,
}


@pytest.mark.parametrize("how", ONE)
def test_ctrl_c_in_a_single_fit_inside_another_estimator(how, monkeypatch):
    """A usable model, and of a search nothing is lost: its last fit is a single one."""
    k = 2 * 3 * 2 + 5 if how == "refit" else 5  # two fits of three epochs of two batches before
    with (
        at_batch(monkeypatch, k, raising(KeyboardInterrupt())),
        pytest.warns(ConvergenceWarning, match="was interrupted in epoch 2"),
    ):
        model = ONE[how](make_targets(GRUClassifier()))
    assert model.stop_reason_ == "interrupted"
    assert model.n_iter_ == 1


def test_a_search_that_was_stopped_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    y, path = make_targets(GRUClassifier()), tmp_path / "fit.npz"
    estimator, expected = (
        tiny(GRUClassifier, batch_size=5, checkpoint=path),
        trained(GRUClassifier, 3),
    )
    with (
        at_batch(monkeypatch, 2 * BATCHES, raising(KeyboardInterrupt())),
        unchanged(estimator),
        pytest.raises(KeyboardInterrupt),
    ):
        fit_in_joblib(estimator, X, y)
    with at_batch(monkeypatch, 2 * BATCHES + 1, raising(AssertionError("it began anew"))):
        assert_same_model(estimator.fit(X, y), expected)


def outcome_of(fit, estimator, models):
    """Assert that an interrupted fit left one of the models, or nothing, and say which."""
    before = fingerprint(estimator)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fit(estimator)
    except KeyboardInterrupt:
        if fingerprint(estimator) == before:
            return "as before"
    assert_same_fit(estimator, models[estimator.n_iter_])
    return estimator.n_iter_


PACKAGE = str(Path(sklearn_rnn.__file__).parent)


class LineTracer:
    """Counts the lines of the package that run, and raises KeyboardInterrupt before one of them."""

    def __init__(self, stop=None):
        self.stop, self.count = stop, 0

    def __call__(self, frame, event, arg):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            self.count += 1
            if self.count == self.stop:
                raise KeyboardInterrupt
        return self

    def run(self, function, *args):
        before = sys.gettrace()
        # A trace function, unlike a signal, can raise on the way out of a `with np.errstate`.
        with np.errstate():
            sys.settrace(self)
            try:
                function(*args)
            finally:
                sys.settrace(before)


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info()]


@pytest.mark.parametrize("Estimator", [RNNClassifier, LSTMRegressor])
def test_fault_4_ctrl_c_at_any_line(Estimator):
    """Before every so manyth line of the package, from the first to the last of a fit."""
    y, n_epochs = make_targets(Estimator()), 4
    models = {n: trained(Estimator, n) for n in range(1, n_epochs + 1)}

    def make():
        return tiny(Estimator, batch_size=5, max_iter=n_epochs)

    def fit(tracer, estimator):
        tracer.run(estimator.fit, X, y)

    counter = LineTracer()
    fit(counter, make())
    threads, outcomes = blas_threads(), set()
    for stop in np.linspace(1, counter.count, 150).astype(int):
        tracer = LineTracer(stop)
        outcomes.add(outcome_of(partial(fit, tracer), make(), models))
        assert tracer.count == stop
        assert blas_threads() == threads
    assert outcomes == {"as before", *range(1, n_epochs + 1)}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that send signals")
@pytest.mark.parametrize("Estimator", [GRUClassifier, GRURegressor])
def test_fault_4_ctrl_c_at_a_random_instant(Estimator, monkeypatch):
    """A real signal, which arrives anywhere, in Python or in C."""
    y, n_epochs = make_targets(Estimator()), 40
    params = dict(n_iter_no_change=1000, hidden_size=8)
    models = {n: trained(Estimator, n, **params) for n in range(1, n_epochs + 1)}
    rng = np.random.default_rng(0)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    def fit(estimator):
        try:
            signal.setitimer(signal.ITIMER_PROF, rng.uniform(0.001, 0.06))
            estimator.fit(X, y)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    before = signal.signal(signal.SIGPROF, interrupt)
    try:
        for _ in range(15):
            estimator = tiny(Estimator, batch_size=5, max_iter=n_epochs, **params)
            outcome_of(fit, estimator, models)
    finally:
        signal.signal(signal.SIGPROF, before)
