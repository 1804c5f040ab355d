"""Checkpoints: a fit that was stopped and started again is the fit that never stopped."""

import copy
import errno
import json
import os
import pickle
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import (
    SKOPS_TRUSTED,
    Checkpoint,
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    RNNRegressor,
    _files,
)
from sklearn_rnn._core.network import Network
from sklearn_rnn._training import checkpoints
from tests.helpers import (
    assert_same_model,
    assert_unfitted,
    at_batch,
    fingerprint,
    make_sequences,
    make_targets,
    pickled,
    raising,
    same_model,
    tiny,
    unchanged,
)

ROOT = Path(__file__).parents[1]
X = make_sequences()
BATCHES = 3


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "fit.npz")


def make(Estimator, **params):
    return tiny(Estimator, **{"batch_size": 5, "max_iter": 6, **params})


def fit(estimator, **kwargs):
    return estimator.fit(X, make_targets(estimator), **kwargs)


def stop_at(monkeypatch, estimator, k, **kwargs):
    """Fit until the k-th batch, where the process might as well have died."""
    with (
        at_batch(monkeypatch, k, raising(RuntimeError("killed"))),
        pytest.raises(RuntimeError, match="killed"),
    ):
        fit(estimator, **kwargs)


def assert_same_fit(one, other):
    """Assert that two estimators hold the same, but for seconds and where they kept checkpoints."""
    a, b = (pickle.loads(pickle.dumps(e)).set_params(checkpoint=None) for e in (one, other))
    assert fingerprint(a, seconds=False) == fingerprint(b, seconds=False)


@pytest.fixture
def no_batch(monkeypatch):
    """Let no batch be trained."""

    def start():
        def loss_gradient(self, *args):
            raise AssertionError("trained")

        monkeypatch.setattr(Network, "loss_gradient", loss_gradient)

    return start


# --- The same call goes on ------------------------------------------------------------------------

STOPS = dict(early_stopping=True, validation_fraction=0.3)
COURSES = {
    "plain": {},
    "early-stopping": STOPS,
    "sgd": dict(solver="sgd"),
    "average": dict(average_epochs=3),
    "average-early-stopping": dict(average_epochs=3, **STOPS),
    "one-cycle": dict(learning_rate="one_cycle"),
    "dropout": dict(dropout=0.3, recurrent_dropout=0.2, num_layers=2, layer_norm=True),
    "warm-start": dict(warm_start=True),
}


@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize("k", [2, 4, 8, 9, 12])
def test_fault_7_a_fit_goes_on_where_it_was_stopped(Estimator, k, course, path, monkeypatch):
    params = COURSES[course]
    stop_at(monkeypatch, make(Estimator, checkpoint=path, **params), k)
    resumed = fit(make(Estimator, checkpoint=path, **params))
    assert_same_fit(resumed, fit(make(Estimator, **params)))


def test_a_plateau_is_kept(path, monkeypatch):
    params = dict(learning_rate="adaptive", tol=10.0, n_iter_no_change=2, max_iter=8)
    whole = fit(make(GRURegressor, **params))
    assert len(set(whole.history_["learning_rate"])) == 3
    for k in (4, 8, 12, 16, 20):
        stop_at(monkeypatch, make(GRURegressor, checkpoint=path, **params), k)
        assert_same_fit(fit(make(GRURegressor, checkpoint=path, **params)), whole)
        os.remove(path)


def test_convergence_comes_at_the_same_epoch(path, monkeypatch):
    params = dict(tol=10.0, n_iter_no_change=3)
    whole = fit(make(GRUClassifier, **params))
    assert (whole.n_iter_, whole.stop_reason_) == (4, "converged")
    for k in (4, 10):
        stop_at(monkeypatch, make(GRUClassifier, checkpoint=path, **params), k)
        assert_same_fit(fit(make(GRUClassifier, checkpoint=path, **params)), whole)
        os.remove(path)


@pytest.mark.parametrize("k", range(4, 16))
def test_divergence_is_the_same_after_a_stop(k, path, monkeypatch):
    """Also where the first loss after it says that the weights before it were bad."""
    original = Network.loss_gradient

    def broken_from(t, stop):
        calls = []

        def loss_gradient(self, *args):
            calls.append(1)
            if len(calls) == stop:
                raise RuntimeError("killed")
            return original(self, *args) if len(calls) < t else np.nan

        return loss_gradient

    params = dict(max_iter=9)
    for update in (10, 11):  # the first and the second of epoch 4
        with monkeypatch.context() as patch:
            patch.setattr(Network, "loss_gradient", broken_from(update, 0))
            with pytest.warns(ConvergenceWarning, match="diverged in epoch"):
                whole = fit(make(GRUClassifier, **params))
        if k >= update:
            continue
        estimator = make(GRUClassifier, checkpoint=path, **params)
        with monkeypatch.context() as patch:
            patch.setattr(Network, "loss_gradient", broken_from(update, k))
            with pytest.raises(RuntimeError, match="killed"):
                fit(estimator)
            done = BATCHES * ((k - 1) // BATCHES)
            patch.setattr(Network, "loss_gradient", broken_from(update - done, 0))
            with pytest.warns(ConvergenceWarning, match="diverged in epoch"):
                assert_same_fit(fit(estimator), whole)
        os.remove(path)


def test_a_fit_by_chance_goes_on_by_its_own(path, monkeypatch):
    params = dict(random_state=None)
    chance = np.random.mtrand._rand
    state = chance.get_state()
    try:
        chance.seed(3)
        whole = fit(make(GRUClassifier, **params))
        chance.seed(3)
        stop_at(monkeypatch, make(GRUClassifier, checkpoint=path, **params), 8)
        chance.seed(4)
        assert_same_fit(fit(make(GRUClassifier, checkpoint=path, **params)), whole)
    finally:
        chance.set_state(state)


def test_a_random_state_instance_goes_on(path, monkeypatch):
    def estimator(checkpoint):
        rng = np.random.RandomState(7)
        return make(GRUClassifier, random_state=rng, checkpoint=checkpoint)

    stop_at(monkeypatch, estimator(path), 8)
    assert_same_model(fit(estimator(path)), fit(estimator(None)))


def test_validation_data_and_groups_go_on(path, monkeypatch):
    y = make_targets(GRURegressor())
    for kwargs in (dict(X_val=X[:4], y_val=y[:4]), dict(groups=np.arange(12) // 3)):
        params = dict(early_stopping=True, validation_fraction=0.3)
        stop_at(monkeypatch, make(GRURegressor, checkpoint=path, **params), 5, **kwargs)
        resumed = fit(make(GRURegressor, checkpoint=path, **params), **kwargs)
        assert_same_fit(resumed, fit(make(GRURegressor, **params), **kwargs))
        os.remove(path)


def test_ctrl_c_leaves_a_fit_that_goes_on(Estimator, path, monkeypatch):
    with (
        at_batch(monkeypatch, 8, raising(KeyboardInterrupt())),
        pytest.warns(ConvergenceWarning, match="interrupted in epoch 3"),
    ):
        stopped = fit(make(Estimator, checkpoint=path))
    assert (stopped.n_iter_, stopped.stop_reason_) == (2, "interrupted")
    assert_same_fit(fit(make(Estimator, checkpoint=path)), fit(make(Estimator)))


def test_a_checkpoint_changes_nothing(Estimator, path):
    assert_same_fit(fit(make(Estimator, checkpoint=path)), fit(make(Estimator)))


# --- The parameter --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(path=None), TypeError, "path of a Checkpoint must be a string or .*, got None"),
        (dict(path=b"fit.npz"), TypeError, "must be a string or a path-like object, got b'fit"),
        (dict(path=3), TypeError, "got 3. Without checkpoints, set checkpoint=None"),
        (dict(epochs=0), ValueError, "epochs of a Checkpoint must be an integer of at least 1"),
        *((dict(epochs=bad), TypeError, "an integer") for bad in (1.5, True, "x", None, np.nan)),
        (dict(seconds=-1), ValueError, "seconds of a Checkpoint must be a finite number of"),
        *((dict(seconds=bad), ValueError, "finite number") for bad in (np.nan, np.inf)),
        *((dict(seconds=bad), TypeError, "finite number") for bad in ("x", True, None)),
    ],
)
def test_bad_checkpoints(arguments, error, message):
    with pytest.raises(error, match=message):
        Checkpoint(**{"path": "fit.npz", **arguments})


def test_a_checkpoint_is_a_value():
    checkpoint = Checkpoint("fit.npz", epochs=2, seconds=60)
    assert repr(checkpoint) == "Checkpoint(path='fit.npz', epochs=2, seconds=60.0)"
    same = Checkpoint(Path("fit.npz"), epochs=np.int64(2), seconds=np.float32(60))
    assert (checkpoint, hash(checkpoint)) == (same, hash(same))
    assert checkpoint not in (Checkpoint("fit.npz", epochs=2), Checkpoint("a", epochs=2), "fit.npz")
    with pytest.raises(AttributeError, match="cannot assign"):
        checkpoint.epochs = 3


def through_skops(estimator, path):
    skops_io = pytest.importorskip("skops.io")
    return skops_io.loads(skops_io.dumps(estimator), trusted=SKOPS_TRUSTED)


@pytest.mark.parametrize(
    "through",
    [
        *(lambda estimator, _, f=f: f(estimator) for f in (clone, copy.deepcopy, pickled)),
        through_skops,
    ],
    ids=["clone", "deepcopy", "pickle", "skops"],
)
def test_an_estimator_keeps_its_checkpoint(through, path):
    checkpoint = Checkpoint(path, epochs=2, seconds=60)
    estimator = GRUClassifier().set_params(checkpoint=checkpoint)
    assert through(estimator, f"{path}.model").checkpoint == checkpoint
    fitted = fit(make(GRUClassifier, checkpoint=checkpoint))
    assert through(fitted, f"{path}.model").get_params() == fitted.get_params()


def test_a_search_over_checkpoints(path):
    """With one split and without a refit there is one fit for each path."""
    checkpoints = [Checkpoint(path), Checkpoint(f"{path}.rare", epochs=3)]
    split = [(np.arange(9), np.arange(9, 12))]
    search = GridSearchCV(
        make(GRURegressor), {"checkpoint": checkpoints}, cv=split, refit=False, error_score="raise"
    )
    fit(search)
    assert search.best_params_["checkpoint"] in checkpoints
    assert all(Path(checkpoint.path).exists() for checkpoint in checkpoints)


def test_a_path_is_a_checkpoint_with_its_defaults(path, no_batch):
    first = fit(make(GRUClassifier, checkpoint=path))
    no_batch()
    again = fit(make(GRUClassifier, checkpoint=Checkpoint(path)))
    assert fingerprint(again.set_params(checkpoint=path)) == fingerprint(first)


# --- How often ------------------------------------------------------------------------------------


@pytest.fixture
def written(monkeypatch):
    """The epochs that checkpoints were written at, and why the training ended."""
    seen = []
    original = _files.write

    def write(path, content, **kwargs):
        seen.append((len(content["now"]["history"]), content["reason"]))
        original(path, content, **kwargs)

    monkeypatch.setattr(_files, "write", write)
    return seen


def test_every_few_epochs(path, written):
    fit(make(GRUClassifier, checkpoint=Checkpoint(path, epochs=4), max_iter=10))
    assert written == [(4, None), (8, None), (10, "max_iter")]


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, [1, 2, 3, 4]), (10, [1, 3]), (1000, [1])])
def test_every_few_seconds(seconds, expected, path, written, monkeypatch):
    clock = iter(range(0, 10_000, 5))  # it is looked at before each checkpoint, and after it
    monkeypatch.setattr(checkpoints, "monotonic", lambda: float(next(clock)))
    fit(make(GRUClassifier, checkpoint=Checkpoint(path, seconds=seconds), max_iter=4))
    assert written == [*((epoch, None) for epoch in expected), (4, "max_iter")]


def test_how_often_may_change(path, monkeypatch):
    stop_at(monkeypatch, make(GRUClassifier, checkpoint=path), 8)
    resumed = make(GRUClassifier, checkpoint=Checkpoint(path, epochs=3), verbose=True)
    assert_same_model(fit(resumed), fit(make(GRUClassifier)))


# --- Complete -------------------------------------------------------------------------------------


@pytest.mark.parametrize("course", COURSES)
def test_a_complete_fit_returns_the_same_model_at_once(Estimator, course, path, no_batch):
    params = COURSES[course]
    first = fit(make(Estimator, checkpoint=path, **params))
    no_batch()
    again = fit(make(Estimator, checkpoint=path, **params))
    assert fingerprint(again) == fingerprint(first)


def test_a_diverged_fit_is_complete_and_warns_again(path, no_batch, monkeypatch):
    estimator = make(GRUClassifier, checkpoint=path)
    with (
        at_batch(monkeypatch, 8, lambda loss: np.nan),
        pytest.warns(ConvergenceWarning, match="diverged in epoch 3"),
    ):
        first = fingerprint(fit(estimator))
    no_batch()
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 3"):
        assert fingerprint(fit(make(GRUClassifier, checkpoint=path))) == first


def test_without_the_file_training_begins_anew(path):
    first = fit(make(GRUClassifier, checkpoint=path))
    os.remove(path)
    again = fit(make(GRUClassifier, checkpoint=path))
    assert again.history_["seconds"].tolist() != first.history_["seconds"].tolist()
    assert_same_model(again, first)


# --- Killed processes -----------------------------------------------------------------------------


def killed(n_rounds, *scenarios):
    code = [sys.executable, "-m", "tests.killing", str(n_rounds), *scenarios]
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == (len(scenarios) or 8)
    assert all(result["equal"] for result in results), results
    return sum(result["killed"] for result in results)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are copies of one")
def test_faults_7_and_8_killed_anywhere():
    """In batches, between a write and its rename, at random times: see tests/killing.py."""
    assert killed(1, "minibatches", "average, early stopping") > 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are copies of one")
def test_faults_7_and_8_killed_often():
    assert killed(6) > 75


def test_what_a_killed_writer_leaves_is_removed(path):
    """But not what another writer may be about to finish."""
    old, young, other = (
        Path(path).with_name(name) for name in (".fit.npz.0a.tmp", ".fit.npz.1b.tmp", "mine.tmp")
    )
    for file in (old, young, other):
        file.write_text("half")
    os.utime(old, (0, 0))
    fit(make(GRUClassifier, checkpoint=path))
    assert sorted(os.listdir(Path(path).parent)) == [".fit.npz.1b.tmp", "fit.npz", "mine.tmp"]


# --- Disks ----------------------------------------------------------------------------------------


def test_fault_9_a_full_disk_is_warned_of_once(path, monkeypatch):
    """Training goes on; the old checkpoint is whole, and nothing else lies about."""
    estimator = make(GRUClassifier, checkpoint=path)
    real, count = os.fsync, []

    def fsync(descriptor):
        count.append(1)
        if len(count) > 2:  # the file and the directory of the first epoch
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(_files.os, "fsync", fsync)
    with pytest.warns(RuntimeWarning, match="could not be written .*No space left") as caught:
        fit(estimator)
    assert len(caught) == 1
    monkeypatch.undo()
    assert_same_fit(estimator, fit(make(GRUClassifier)))
    assert os.listdir(Path(path).parent) == ["fit.npz"]
    content, _ = _files.read(path, kind="checkpoint", newest=1)
    assert len(content["now"]["history"]) == 1
    assert_same_fit(fit(make(GRUClassifier, checkpoint=path)), estimator)


@pytest.mark.parametrize("wrong", ["a directory", "no directory", "not writable"])
def test_fault_10_a_place_where_nothing_can_be_written(wrong, tmp_path, no_batch):
    place, error, message = {
        "a directory": (tmp_path, IsADirectoryError, "must be a file, not a directory"),
        "no directory": (tmp_path / "no" / "fit.npz", FileNotFoundError, "no such directory"),
        "not writable": (Path("/proc/fit.npz"), OSError, "cannot be written to this directory"),
    }[wrong]
    if wrong == "not writable" and not Path("/proc/self").exists():
        pytest.skip("needs a directory that even root cannot write to")
    estimator = make(GRUClassifier, checkpoint=place)
    no_batch()
    with unchanged(estimator), pytest.raises(error, match=message):
        fit(estimator)
    assert_unfitted(estimator)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_fault_10_a_directory_without_permission(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(PermissionError, match="cannot be written to this directory"):
            fit(make(GRUClassifier, checkpoint=tmp_path / "fit.npz"))
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_fault_11_on_the_disk_before_it_takes_its_place(path, monkeypatch):
    order = []

    def spy(name):
        real = getattr(os, name)

        def call(*args):
            order.append(name)
            return real(*args)

        monkeypatch.setattr(_files.os, name, call)

    for name in ("fsync", "replace"):
        spy(name)
    fit(make(GRUClassifier, checkpoint=path, max_iter=1))
    assert order == ["fsync", "replace", "fsync"] * 2  # the last one says that it is complete


# --- Damage and strangers -------------------------------------------------------------------------


def refused(estimator, message, error=ValueError, **kwargs):
    with unchanged(estimator), pytest.raises(error, match=message):
        fit(estimator, **kwargs)


@pytest.fixture
def stopped(path, monkeypatch):
    """A checkpoint of two epochs, as bytes."""
    stop_at(monkeypatch, make(GRUClassifier, checkpoint=path), 8)
    return Path(path).read_bytes()


def test_fault_12_a_truncated_checkpoint(stopped, path):
    for length in [0, 1, 100, *range(500, len(stopped), 500), len(stopped) - 1]:
        Path(path).write_bytes(stopped[:length])
        refused(make(GRUClassifier, checkpoint=path), "damaged|not written by sklearn_rnn")


def test_fault_12_flipped_bits(stopped, path):
    rng = np.random.default_rng(0)
    for place, bit in zip(rng.integers(len(stopped), size=100), rng.integers(8, size=100)):
        content = bytearray(stopped)
        content[place] ^= 1 << bit
        Path(path).write_bytes(content)
        refused(make(GRUClassifier, checkpoint=path), "damaged|not written by sklearn_rnn")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(learning_rate_init=0.02), "learning_rate_init was 'auto' and is 0.02"),
        (dict(max_iter=7), "max_iter was 6 and is 7"),
        (dict(hidden_size=5), "hidden_size was 4 and is 5"),
        (dict(solver="sgd"), "solver was 'adam' and is 'sgd'"),
        (dict(random_state=1), "random_state was seeded by .* and is seeded by"),
        (dict(random_state=None), "random_state was seeded by .* and is None"),
        (dict(class_weight="balanced"), "class_weight was None and is 'balanced'"),
        (dict(average_epochs=2), "average_epochs was 1 and is 2"),
        (dict(validation_scoring=max), r"validation_scoring was None and is builtins\.max"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_fault_13_other_parameters(stopped, path, change, message):
    refused(make(GRUClassifier, checkpoint=path, **change), f"belongs to another fit: .*{message}")


def test_fault_13_another_class(stopped, path):
    refused(make(LSTMClassifier, checkpoint=path), "the class was GRUClassifier and is LSTMClass")


def test_fault_13_other_data(stopped, path):
    estimator = make(GRUClassifier, checkpoint=path)
    y = make_targets(estimator)
    moved = [x.copy() for x in X]
    moved[3][0, 0] += 1e-12
    others = {
        "X": (moved, y, None),
        "y": (X, np.roll(y, 1), None),
        "sample_weight": (X, y, np.arange(1.0, 13)),
        "dtype": ([x.astype(np.float32) for x in X], y, None),
    }
    for data in others.values():
        with unchanged(estimator), pytest.raises(ValueError, match=r"training data .* was \w+ and"):
            estimator.fit(*data)
    refused(estimator, "the validation data was none", X_val=X, y_val=y)
    refused(estimator, "groups was none", groups=np.arange(12))


def test_fault_14_a_stranger_runs_nothing(stopped, path, tmp_path):
    class Malice:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    np.savez(path, header=np.array([Malice()], dtype=object))
    refused(make(GRUClassifier, checkpoint=path), "not written by sklearn_rnn")
    Path(path).write_bytes(pickle.dumps(Malice()))
    refused(make(GRUClassifier, checkpoint=path), "not written by sklearn_rnn")
    assert not (tmp_path / "ran").exists()


def test_a_newer_format(stopped, path):
    content, _ = _files.read(path, kind="checkpoint", newest=1)
    _files.write(path, content, kind="checkpoint", format=2)
    refused(make(GRUClassifier, checkpoint=path), "in format 2, and this release, .* up to 1")


def test_a_file_of_another_kind(path):
    _files.write(path, {"a": 1}, kind="estimator", format=1)
    refused(
        make(GRUClassifier, checkpoint=path),
        "its kind is 'estimator', and 'checkpoint' is expected",
    )


@pytest.mark.parametrize("missing", ["now", "seed", "identity", "rng", "history"])
def test_a_file_without_its_parts(stopped, path, missing):
    content, _ = _files.read(path, kind="checkpoint", newest=1)
    content.pop(missing, None)
    content.get("now", {}).pop(missing, None)
    _files.write(path, content, kind="checkpoint", format=1)
    refused(make(GRUClassifier, checkpoint=path), f"holds no training .*{missing}.* Delete it")


# --- One path, several fits -----------------------------------------------------------------------


def test_fault_15_two_writers_are_told_apart(path):
    """A second fit that began before there was a file: one of the two is told, none is torn."""
    errors, finished = [], []

    def run():
        try:
            finished.append(fit(make(GRUClassifier, checkpoint=path, max_iter=60)))
        except ValueError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("Another fit writes to the checkpoint" in error for error in errors)
    assert len(errors) + len(finished) == 2
    whole = fit(make(GRUClassifier, max_iter=60))
    for model in [*finished, fit(make(GRUClassifier, checkpoint=path, max_iter=60))]:
        assert_same_model(model, whole)


def test_fault_15_a_second_writer_is_refused(path, monkeypatch):
    estimator = make(GRUClassifier, checkpoint=path)
    original, calls = checkpoints.CheckpointWriter.keep, []

    def keep(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            _files.write(path, {"somebody": "else"}, kind="checkpoint", format=1)
        original(self, *args, **kwargs)

    monkeypatch.setattr(checkpoints.CheckpointWriter, "keep", keep)
    refused(estimator, "Another fit writes to the checkpoint .* a path of its own")


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_fault_16_a_search_cannot_share_a_path(path, n_jobs):
    estimator = make(GRUClassifier, checkpoint=path)
    search = GridSearchCV(estimator, {"hidden_size": [2, 3]}, cv=2, n_jobs=n_jobs, refit=False)
    y = np.repeat(["ash", "elm"], 6)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.set_params(error_score=-1.0).fit(X, y)
    said = [str(w.message) for w in caught if issubclass(w.category, FitFailedWarning)]
    assert len(said) == 1
    assert "fits share the path but not the data: set checkpoint=None there" in said[0]
    scores = [search.cv_results_[f"split{k}_test_score"] for k in range(2)]
    assert np.sum(np.ravel(scores) == -1.0) >= 2
    search.set_params(estimator__checkpoint=None).fit(X, y)
    assert (search.cv_results_["mean_test_score"] >= 0).all()


# --- warm_start, partial_fit, L-BFGS --------------------------------------------------------------


def test_with_warm_start_each_fit_has_a_checkpoint_of_its_own(tmp_path, monkeypatch):
    """Run once more from the top, a script takes the fits that are complete from their files."""

    def script(first, second):
        estimator = make(GRUClassifier, warm_start=True, checkpoint=first)
        fit(estimator)
        return fit(estimator.set_params(checkpoint=second, learning_rate_init=0.001))

    whole = script(None, None)
    paths = str(tmp_path / "1.npz"), str(tmp_path / "2.npz")
    for k in (8, BATCHES * 6 + 8):
        with (
            at_batch(monkeypatch, k, raising(RuntimeError("killed"))),
            pytest.raises(RuntimeError, match="killed"),
        ):
            script(*paths)
    assert_same_fit(script(*paths), whole)


def test_another_warm_fit_does_not_take_the_first_ones_checkpoint(path):
    estimator = fit(make(GRUClassifier, warm_start=True, checkpoint=path))
    refused(estimator, r"the model to go on from \(warm_start\) was none and is \w+.*path of its")


def test_partial_fit_neither_reads_nor_writes_it(path):
    estimator = fit(make(GRUClassifier, checkpoint=path))
    before = Path(path).read_bytes()
    estimator.partial_fit(X[:5], make_targets(estimator)[:5])
    estimator.set_params(checkpoint="/no/such/place").partial_fit(X, make_targets(estimator))
    assert Path(path).read_bytes() == before


def test_lbfgs_has_none(path):
    estimator = make(RNNRegressor, solver="lbfgs", checkpoint=path)
    refused(estimator, "cannot go on from a checkpoint .* set checkpoint=None, or take another")
    assert not os.path.exists(path)


def test_paths_of_all_kinds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = fit(make(GRUClassifier))
    for path in ("plain.npz", tmp_path / "path.npz", "odd [name]*.npz"):
        assert same_model(fit(make(GRUClassifier, checkpoint=path)), expected)
        assert os.path.exists(path)
