"""Threads and processes: the answers are the serial ones, to the last bit."""

import functools
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
)
from tests.helpers import (
    answers,
    assert_same_model,
    fingerprint,
    fit_tiny,
    make_sequences,
    make_targets,
    packed,
    scores_of,
    tiny,
)

X = make_sequences()


@pytest.fixture(autouse=True)
def switch_often():
    """Let Python change threads a hundred times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(function, arguments, n_threads=8):
    """Call a function in threads that start together; give the results in order."""
    start = threading.Barrier(n_threads)

    def work(mine):
        start.wait(30)
        return [function(argument) for argument in mine]

    with ThreadPoolExecutor(n_threads) as pool:
        parts = list(pool.map(work, [arguments[k::n_threads] for k in range(n_threads)]))
    results = [None] * len(arguments)
    for k, part in enumerate(parts):
        results[k::n_threads] = part
    return results


# --- predict -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["transform", "predict", "predict_log_proba"])
def test_fault_23_one_model_asked_by_eight_threads(Estimator, method):
    """Batches of all shapes at once: a buffer that two calls share would mix them."""
    fitted = fit_tiny(Estimator, hidden_size=16, bidirectional=True)
    if not hasattr(fitted, method):
        method = "predict"
    rng = np.random.default_rng(0)
    batches = [
        make_sequences(rng.integers(1, 30, size=rng.integers(1, 40)), seed=k) for k in range(20)
    ]
    ask = getattr(fitted, method)
    serial = [ask(batch) for batch in batches]
    for k, answer in enumerate(in_threads(ask, batches * 4)):
        np.testing.assert_array_equal(answer, serial[k % 20])


@pytest.mark.parametrize("n_threads", [1, 2])
def test_fault_33_threads_of_blas_do_not_change_answers(Estimator, n_threads):
    fitted = fit_tiny(Estimator, hidden_size=64)
    batch = make_sequences([6] * 300)
    expected = scores_of(fitted, batch)
    with threadpool_limits(n_threads):
        np.testing.assert_allclose(scores_of(fitted, batch), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("hidden_size", [32, 160])  # a batch as a whole, and in halves
def test_threads_of_blas_do_not_change_a_fit(Estimator, hidden_size, n_threads):
    expected = fit_tiny(Estimator, hidden_size=hidden_size)
    with threadpool_limits(n_threads):
        assert_same_model(fit_tiny(Estimator, hidden_size=hidden_size), expected)


@pytest.mark.parametrize(
    ("Estimator", "params"),
    [
        (GRURegressor, dict(loss="quantile", quantiles=[0.1, 0.9])),
        (LSTMRegressor, dict(bidirectional=True)),
        (LSTMClassifier, dict(early_stopping=True)),
    ],
)
def test_threads_of_blas_do_not_change_any_fitted_attribute(Estimator, params):
    rng = np.random.default_rng(0)
    X_val, y_val = rng.normal(size=(300, 5, 2)), make_targets(Estimator(), 300)
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            model = tiny(Estimator, hidden_size=64, max_iter=1, **params)
            model.fit(X, make_targets(model), X_val=X_val, y_val=y_val)
        found.append(fingerprint(model, seconds=False))
    assert found[0] == found[1]


# --- fit -----------------------------------------------------------------------------------------


def test_fault_24_clones_fitted_in_threads(Estimator):
    def fit(seed):
        return fit_tiny(Estimator, random_state=seed, max_iter=10)

    before = threadpool_info()
    serial = [fit(seed) for seed in range(16)]
    for one, other in zip(in_threads(fit, range(16)), serial, strict=True):
        assert_same_model(one, other)
    assert threadpool_info() == before


def test_a_fit_leaves_the_threads_of_blas_as_they_were(Estimator):
    with threadpool_limits(2, user_api="blas"):
        before = threadpool_info()
        fitted = fit_tiny(Estimator)
        assert threadpool_info() == before
        with pytest.raises(ValueError, match="contains NaN"):
            fitted.fit([np.full((2, 2), np.nan)] * 12, make_targets(fitted))
        assert threadpool_info() == before


def test_a_fit_uses_one_thread_of_blas(Estimator, monkeypatch):
    seen = []
    original = Estimator._cell_class.forward

    def forward(self, *args):
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return original(self, *args)

    monkeypatch.setattr(Estimator._cell_class, "forward", forward)
    with threadpool_limits(2, user_api="blas"):
        fit_tiny(Estimator, max_iter=1)
    assert seen
    assert set(seen) == {1}


# Other in every respect that predict looks at: sizes, directions, pooling, and what y is.
TWO_MODELS = [
    (LSTMClassifier, "classes"),
    (RNNClassifier, "classes"),
    (LSTMRegressor, "numbers"),
]


@pytest.mark.parametrize(("Estimator", "targets"), TWO_MODELS)
def test_fault_25_predict_while_fit_runs_on_the_same_object(Estimator, targets):
    """An answer is that of the old model or of the new one, never of a bit of both."""
    wide = dict(hidden_size=9, bidirectional=True, pooling="mean", num_layers=2)
    narrow = dict(hidden_size=2, bidirectional=False, pooling="last", num_layers=1)
    y = {
        "classes": [make_targets(Estimator()), np.array(["x", "y"] * 6)],
        "numbers": [make_targets(Estimator()), np.c_[make_targets(Estimator()), np.arange(12)]],
    }[targets]
    settings = list(zip([wide, narrow], y, strict=True))
    expected = [answers(tiny(Estimator, **params).fit(X, target), X) for params, target in settings]

    shared = tiny(Estimator, **wide).fit(X, y[0])
    stop, wrong, seen = threading.Event(), [], [0, 0]

    def ask():
        while not stop.is_set():
            for name in expected[0]:
                answer = getattr(shared, name)(X)
                equal = [np.array_equal(answer, model[name]) for model in expected]
                if any(equal):
                    seen[equal.index(True)] += 1
                else:
                    wrong.append((name, answer))

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        try:
            for k in range(1000):
                params, target = settings[k % 2]
                shared.__dict__.update(params)  # set_params is not atomic, and no part of this
                shared.fit(X, target)
                if k >= 20 and min(seen) > 0:
                    break
        finally:
            stop.set()
        for future in asking:
            future.result(60)
    assert wrong == []
    assert min(seen) > 0


def test_partial_fit_while_others_predict():
    """Each answer is that of one of the states that partial_fit went through."""
    y = make_targets(RNNRegressor())
    steps = tiny(RNNRegressor).partial_fit(X, y)
    states = [steps.predict(X)]
    states += [steps.partial_fit(X, y).predict(X) for _ in range(20)]
    known = {state.tobytes() for state in states}

    shared = tiny(RNNRegressor).partial_fit(X, y)
    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(lambda: [shared.predict(X) for _ in range(60)]) for _ in range(3)]
        for _ in range(20):
            shared.partial_fit(X, y)
        heard = {answer.tobytes() for future in asking for answer in future.result(60)}
    assert heard <= known


# --- Processes -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serial_search():
    return search(n_jobs=1)


def search(n_jobs):
    grid = {"hidden_size": [2, 5], "pooling": ["last", "max"]}
    return GridSearchCV(tiny(GRUClassifier, max_iter=8), grid, cv=3, n_jobs=n_jobs).fit(
        packed(make_sequences([1 + k % 6 for k in range(45)])), np.arange(45) % 3
    )


def results_of(search):
    return {name: values for name, values in search.cv_results_.items() if "time" not in name}


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_a_parallel_search_is_the_serial_one(serial_search, backend):
    """Scores to the last bit, and the model that is fitted at its end."""
    with joblib.parallel_backend(backend):
        parallel = search(n_jobs=2)
    one, other = results_of(parallel), results_of(serial_search)
    assert one.keys() == other.keys()
    for name, values in other.items():
        np.testing.assert_array_equal(one[name], values, err_msg=name)
    assert parallel.best_score_ == serial_search.best_score_
    assert parallel.best_params_ == serial_search.best_params_
    assert_same_model(parallel.best_estimator_, serial_search.best_estimator_)


def test_fits_in_workers_are_those_at_home(Estimator):
    """Weights to the last bit; joblib hands X out as a read-only memory map, above a megabyte."""
    data = packed(make_sequences([50] * 12, n_features=250))
    assert data.values.nbytes > 2**20
    y = make_targets(Estimator())
    at_home = tiny(Estimator, batch_size=5, max_iter=2).fit(data, y)
    jobs = [joblib.delayed(clone(at_home).fit)(data, y) for _ in range(2)]
    for fitted in joblib.Parallel(n_jobs=2)(jobs):
        assert_same_model(fitted, at_home)


def test_cross_val_predict_in_workers():
    y = np.arange(12) % 2
    estimator = tiny(LSTMClassifier)
    serial, parallel = (
        cross_val_predict(estimator, packed(X), y, cv=3, n_jobs=n, method="predict_proba")
        for n in (1, 2)
    )
    np.testing.assert_array_equal(parallel, serial)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_fits_that_was_forked_while_another_thread_fits():
    """No lock that the other thread holds keeps the child waiting."""
    stop, y = threading.Event(), make_targets(RNNClassifier())

    def fit_on():
        while not stop.is_set():
            tiny(RNNClassifier, max_iter=1).fit(X, y)

    thread = threading.Thread(target=fit_on)
    thread.start()
    try:
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                try:
                    signal.alarm(60)  # kills a child that hangs
                    tiny(RNNClassifier, max_iter=1).fit(X, y)
                    os._exit(0)
                finally:
                    os._exit(1)
            _, status = os.waitpid(pid, 0)
            assert os.waitstatus_to_exitcode(status) == 0
    finally:
        stop.set()
        thread.join()


def test_no_property_has_a_lock():
    """That of functools has one before Python 3.12, which a fork copies in whatever state."""
    locked = [
        name
        for module in list(sys.modules.values())
        if module.__name__.startswith("sklearn_rnn")
        for thing in vars(module).values()
        if isinstance(thing, type) and thing.__module__.startswith("sklearn_rnn")
        for name, value in vars(thing).items()
        if type(value) is functools.cached_property and hasattr(value, "lock")
    ]
    assert locked == []
