"""scikit-learn's callbacks: they see each epoch, may stop a fit, and leave no trace."""

import pickle

import numpy as np
import pytest
from sklearn import callback
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import Checkpoint, GRUClassifier, GRURegressor, LSTMClassifier
from tests.helpers import (
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    at_batch,
    fingerprint,
    make_sequences,
    make_targets,
    raising,
    tiny,
    unchanged,
)

X = make_sequences()


class Recorder:
    """Keeps what each hook is told, and the models, if it is to ask for them."""

    def __init__(self, stop_at=None, fail_at=None):
        self.stop_at, self.fail_at = stop_at, fail_at
        self.calls = []

    def setup(self, estimator, context):
        self._note("setup", estimator, context)

    def teardown(self, estimator, context):
        self._note("teardown", estimator, context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self._note("begin", estimator, context, X, y, metadata)

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        self._note("end", estimator, context, X, y, metadata)
        return (context.task_name, context.task_id) == ("epoch", self.stop_at)

    def _note(self, hook, estimator, context, *data):
        self.calls.append((hook, context.task_name, context.task_id, estimator, data))
        if self.fail_at == (hook, context.task_name, context.task_id):
            raise RuntimeError("mine")

    @property
    def names(self):
        return [call[:3] for call in self.calls]


class Models(Recorder):
    """Keeps the model at the begin and the end of each task."""

    def __init__(self):
        super().__init__()
        self.models = {}

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator=None):
        self.models["begin", context.task_name, context.task_id] = fitted_estimator

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.models["end", context.task_name, context.task_id] = fitted_estimator


def fit(estimator, **kwargs):
    return estimator.fit(X, make_targets(estimator), **kwargs)


def make(Estimator, *callbacks, **params):
    return tiny(Estimator, **{"batch_size": 5, **params}).set_callbacks(*callbacks)


def epochs(n, first=0):
    return [(hook, "epoch", k) for k in range(first, n) for hook in ("begin", "end")]


# --- Which tasks there are ------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_each_epoch_is_a_task(Estimator, solver):
    recorder = Recorder()
    fitted = fit(make(Estimator, recorder, solver=solver))
    assert recorder.names == [
        *[("setup", "fit", 0), ("begin", "fit", 0)],
        *epochs(3),
        *[("end", "fit", 0), ("teardown", "fit", 0)],
    ]
    assert all(call[3] is fitted for call in recorder.calls)
    assert_same_model(fitted, fit(make(Estimator, solver=solver)))
    assert fitted.stop_reason_ == "max_iter"


def test_lbfgs_ends_every_task_that_it_begins():
    """Also where the line search gives up, or there is nothing to do from the start."""
    for tol, max_iter in ((0.0, 2000), (10.0, 5)):
        recorder = Recorder()
        params = dict(solver="lbfgs", max_iter=max_iter, tol=tol, n_iter_no_change=1)
        fitted = fit(make(GRURegressor, recorder, hidden_size=2, **params))
        n = (len(recorder.calls) - 4) // 2
        assert recorder.names[2:-2] == epochs(n)
        assert n - fitted.n_iter_ in (0, 1)


def test_data_are_passed_as_they_were_given(Estimator):
    recorder = Recorder()
    estimator = make(Estimator, recorder)
    y, weight = make_targets(estimator).tolist(), list(range(12))
    estimator.fit(X, y, weight)
    hooks = [call[4] for call in recorder.calls if call[0] in ("begin", "end")]
    assert len(hooks) == 8
    for X_seen, y_seen, metadata in hooks:
        assert X_seen is X
        assert y_seen is y
        assert metadata == {"sample_weight": weight}
        assert metadata["sample_weight"] is weight
    recorder.calls.clear()
    estimator.fit(X, y)
    assert all(call[4][2] is None for call in recorder.calls if call[4])


def test_while_it_runs_the_estimator_is_as_it_was():
    seen = []

    class Look(Recorder):
        def on_fit_task_end(self, estimator, context):
            seen.append(hasattr(estimator, "n_iter_") and estimator.n_iter_)

    estimator = fit(make(GRUClassifier, Look()))
    assert seen == [False] * 4
    fit(estimator.set_params(max_iter=5))
    assert seen[4:] == [3] * 6


def test_partial_fit_tells_nobody():
    recorder = Recorder()
    estimator = fit(make(GRUClassifier, recorder))
    recorder.calls.clear()
    estimator.partial_fit(X, make_targets(estimator))
    assert recorder.calls == []


# --- They stop and they fail ----------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("k", [0, 1])
def test_a_callback_stops_a_fit(Estimator, solver, k):
    recorder = Recorder(stop_at=k)
    stopped = fit(make(Estimator, recorder, solver=solver))
    assert (stopped.n_iter_, stopped.stop_reason_) == (k + 1, "callback")
    assert_same_model(stopped, fit(make(Estimator, solver=solver, max_iter=k + 1)))
    assert recorder.names[-3:] == [("end", "epoch", k), ("end", "fit", 0), ("teardown", "fit", 0)]


def test_a_callback_stops_where_training_ends_anyway():
    assert fit(make(GRUClassifier, Recorder(stop_at=2))).stop_reason_ == "max_iter"


PLACES = [
    *[("setup", "fit", 0), ("begin", "fit", 0), ("begin", "epoch", 0), ("end", "epoch", 0)],
    *[("begin", "epoch", 1), ("end", "epoch", 2), ("end", "fit", 0), ("teardown", "fit", 0)],
]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_fault_22_an_exception_in_a_callback(place, solver):
    """It passes; the estimator is as it was, fitted or not, and other callbacks are torn down."""
    fitted = fit(make(GRUClassifier, solver=solver))
    for estimator in (make(LSTMClassifier, solver=solver), fitted):
        recorder, other = Recorder(fail_at=place), Recorder()
        estimator.set_callbacks(other, recorder).set_params(max_iter=3, alpha=0.1)
        before = {name: value for name, value in vars(estimator).items() if name[:5] != "_skl_"}
        with pytest.raises(RuntimeError, match="mine"):
            fit(estimator)
        after = {name: value for name, value in vars(estimator).items() if name[:5] != "_skl_"}
        assert after.keys() == before.keys()
        assert all(after[name] is before[name] for name in before)
        assert other.names[-1] == ("teardown", "fit", 0)
    assert_unfitted(make(LSTMClassifier))


def test_a_fit_that_fails_tears_down_and_changes_nothing(monkeypatch):
    recorder = Recorder()
    estimator = make(GRUClassifier, recorder)
    with (
        at_batch(monkeypatch, 5, raising(MemoryError("no room"))),
        pytest.raises(MemoryError, match="no room"),
    ):
        fit(estimator)
    assert recorder.names[-1] == ("teardown", "fit", 0)
    assert_unfitted(estimator)
    with pytest.raises(ValueError, match="max_iter"):
        fit(make(GRUClassifier, recorder, max_iter=0))


# --- The model of an epoch ------------------------------------------------------------------------

COURSES = {
    "plain": {},
    "early-stopping": dict(early_stopping=True, validation_fraction=0.3),
    "average": dict(average_epochs=2),
    "lbfgs": dict(solver="lbfgs"),
    "warm-start": dict(warm_start=True),
}


@pytest.mark.parametrize("course", COURSES)
def test_fitted_estimator_is_fit_of_as_many_epochs(Estimator, course):
    models, params = Models(), COURSES[course]
    fitted = fit(make(Estimator, models, **params))
    for k in range(3):
        expected = fit(make(Estimator, max_iter=k + 1, **params))
        model = models.models["end", "epoch", k]
        assert_same_answers(model, expected, X)
        assert_same_model(model, expected)
        assert vars(model).keys() - {"_skl_callbacks"} == vars(expected).keys()
        assert model.n_iter_ == k + 1
        if k < 2:
            assert_same_model(models.models["begin", "epoch", k + 1], model)
        assert_same_model(pickle.loads(pickle.dumps(model.set_callbacks())), model)
    assert models.models["begin", "epoch", 0] is None
    assert models.models["begin", "fit", 0] is None
    assert_same_model(models.models["end", "fit", 0], fitted)


def test_fitted_estimator_holds_nothing_of_an_earlier_fit():
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    models = Models()
    estimator = make(GRUClassifier, models, warm_start=True)
    estimator.fit(frames, make_targets(estimator))
    fit(estimator.set_params(warm_start=False))
    model = models.models["end", "epoch", 1]
    assert not hasattr(model, "feature_names_in_")
    assert not hasattr(model, "_resume_")


def test_intervals_of_a_fitted_estimator_are_calibrated():
    models, X_val, y_val = Models(), X * 2, make_targets(GRURegressor(), 24, seed=3)
    fit(make(GRURegressor, models), X_val=X_val, y_val=y_val)
    expected = fit(make(GRURegressor, max_iter=2), X_val=X_val, y_val=y_val)
    model = models.models["end", "epoch", 1]
    np.testing.assert_array_equal(model.predict_interval(X), expected.predict_interval(X))


def test_no_model_is_made_unless_asked_for(monkeypatch):
    def model_at(*args, **kwargs):
        raise AssertionError("made")

    monkeypatch.setattr(GRUClassifier, "_model_at", model_at)
    fit(make(GRUClassifier, Recorder()))
    with pytest.raises(AssertionError, match="made"):
        fit(make(GRUClassifier, Models()))


# --- No trace -------------------------------------------------------------------------------------


def test_contexts_do_not_stay(Estimator):
    with_callback, without = fit(make(Estimator, Recorder())), fit(make(Estimator))
    assert vars(with_callback).keys() - {"_skl_callbacks"} == vars(without).keys()
    with_callback.set_callbacks()
    assert fingerprint(with_callback, seconds=False) == fingerprint(without, seconds=False)


def test_clone_shares_the_callbacks_as_scikit_learn_does():
    recorder = Recorder()
    copied = clone(fit(make(GRUClassifier, recorder)))
    recorder.calls.clear()
    assert_unfitted(copied)
    fit(copied)
    assert len(recorder.calls) == 4 + 2 * 3


def test_callbacks_are_checked_by_scikit_learn():
    estimator = tiny(GRUClassifier)
    with unchanged(estimator), pytest.raises(TypeError, match="FitCallback protocol"):
        estimator.set_callbacks(print)


# --- scikit-learn's own ---------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_scoring_monitor_has_a_score_an_epoch(Estimator, weighted):
    # By name: with scoring=None, scikit-learn 1.9.1's own monitor fails on every estimator.
    name = "accuracy" if is_classifier(Estimator()) else "r2"
    monitor = callback.ScoringMonitor(scoring=name)
    estimator = make(Estimator, monitor)
    y, weight = make_targets(estimator), np.arange(1.0, 13) if weighted else None
    estimator.fit(X, y, weight)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in rows] == [0, 1, 2]
    for k, row in enumerate(rows):
        expected = make(Estimator, max_iter=k + 1).fit(X, y, weight).score(X, y, weight)
        assert row[name] == expected


def test_scoring_monitor_with_validation_data_given():
    monitor = callback.ScoringMonitor(scoring="r2")
    estimator = make(GRURegressor, monitor)
    fit(estimator, X_val=X, y_val=make_targets(estimator))
    assert len(monitor.get_logs().data) == 1 + 3


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_progress_bars_in_a_search(n_jobs, capsys):
    pytest.importorskip("rich")
    search = GridSearchCV(
        tiny(GRUClassifier), {"hidden_size": [2, 3]}, cv=2, n_jobs=n_jobs, refit=True
    )
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None))
    fit_to = search.fit(np.array(make_sequences([5] * 12)), np.repeat(["ash", "elm"], 6))
    out = capsys.readouterr().out
    assert "GridSearchCV" in out
    assert out.count("GRUClassifier") >= 5
    assert_traceless(fit_to.best_estimator_)


def assert_traceless(estimator):
    assert not [name for name in vars(estimator) if "callback" in name]


def test_propagated_callbacks_are_not_torn_down_inside():
    """A search owns them; inside, the fit is one of its tasks, and its epochs are below it."""

    class Propagated(Recorder):
        max_propagation_depth = None

    recorder = Propagated()
    search = GridSearchCV(tiny(GRUClassifier), {"hidden_size": [2, 3]}, cv=2, refit=False)
    search.set_callbacks(recorder)
    search.fit(np.array(make_sequences([5] * 12)), np.repeat(["ash", "elm"], 6))
    hooks = [call[0] for call in recorder.calls]
    assert (hooks.count("setup"), hooks.count("teardown")) == (1, 1)
    assert sum(name == "epoch" for _, name, _ in recorder.names) == 2 * 4 * 3


# --- Beside the rest ------------------------------------------------------------------------------


def test_tasks_go_on_with_the_epochs_of_a_checkpoint(tmp_path, monkeypatch):
    path = str(tmp_path / "fit.npz")
    with at_batch(monkeypatch, 8, raising(RuntimeError("killed"))), pytest.raises(RuntimeError):
        fit(make(GRUClassifier, checkpoint=path, max_iter=5))
    recorder = Recorder()
    fit(make(GRUClassifier, recorder, checkpoint=path, max_iter=5))
    assert recorder.names[2:-2] == epochs(5, first=2)


def test_a_fit_that_a_callback_stopped_goes_on_from_its_checkpoint(tmp_path):
    params = dict(checkpoint=Checkpoint(tmp_path / "fit.npz", epochs=4), max_iter=6)
    stopped = fit(make(GRUClassifier, Recorder(stop_at=2), **params))
    assert stopped.n_iter_ == 3
    recorder = Recorder()
    resumed = fit(make(GRUClassifier, recorder, **params))
    assert recorder.names[2:-2] == epochs(6, first=3)
    assert_same_model(resumed, fit(make(GRUClassifier, max_iter=6)))
