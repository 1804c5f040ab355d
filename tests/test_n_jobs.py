"""`n_jobs` of fit: the same bits, nothing left behind, and clear words where something breaks."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_rnn._running import cutting
from sklearn_rnn._running.jobs import STARTING_HELPER
from sklearn_rnn._training import crew, helpers
from sklearn_rnn._training.trainer import Trainer
from tests.helpers import assert_same_model, make_sequences, make_targets, tiny

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture
def small_parts(monkeypatch):
    """Batches are cut into parts of two or three sequences."""
    monkeypatch.setattr(cutting, "COLUMNS_OF_PART", 2)
    monkeypatch.setattr(cutting, "SIZE_OF_PART", 1)


@pytest.fixture
def with_helpers(small_parts, monkeypatch):
    """Helpers start at once, and fits wait for them. Yields the parts that helpers have run."""

    def wait_until_ready(helper):
        if not helper._is_ready:
            assert helper._connection.poll(100)
        return is_ready(helper)

    def count(helper, their_parts):
        done.extend(their_parts)
        send(helper, their_parts)

    done, is_ready, send = [], helpers.Helper.is_ready, helpers.Helper.send
    monkeypatch.setattr(crew, "START_AFTER", 0.0)
    monkeypatch.setattr(helpers.Helper, "is_ready", wait_until_ready)
    monkeypatch.setattr(helpers.Helper, "send", count)
    yield done
    assert STARTING_HELPER not in {child.name for child in active_children()}


def fit_with(n_jobs, Estimator, X, y, **params):
    return tiny(Estimator, n_jobs=n_jobs, **{"batch_size": 8, "max_iter": 3, **params}).fit(X, y)


SHAPES = {
    "plain": (LSTMClassifier, {}),
    "dropout": (GRUClassifier, dict(dropout=0.3, recurrent_dropout=0.2, num_layers=2)),
    "truncated": (RNNRegressor, dict(tbptt_steps=2, pooling="mean")),
    "stops early": (LSTMRegressor, dict(early_stopping=True, validation_fraction=0.3)),
    "penalty": (GRURegressor, dict(alpha=0.1, solver="adamw", average_epochs=2)),
    "both directions": (
        LSTMClassifier,
        dict(bidirectional=True, layer_norm=True, pooling="attention", learn_initial_state=True),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_bits_do_not_depend_on_n_jobs(name, with_helpers):
    Estimator, params = SHAPES[name]
    X = make_sequences()
    y = make_targets(Estimator())
    one = fit_with(1, Estimator, X, y, **params)
    assert not with_helpers
    for n_jobs in (2, 4) if name == "plain" else (3,):
        assert_same_model(fit_with(n_jobs, Estimator, X, y, **params), one)
        assert with_helpers
        with_helpers.clear()


def test_bits_of_tokens_and_answers_at_each_step(with_helpers):
    rng = np.random.default_rng(0)
    words = [rng.choice(list("abcd"), size=rng.integers(1, 7)).tolist() for _ in range(16)]
    tags = [[word > "b" for word in sentence] for sentence in words]
    params = dict(embedding_size=3, return_sequences=True)
    one, two = (fit_with(n, GRUClassifier, words, tags, **params) for n in (1, 2))
    assert_same_model(two, one)
    assert with_helpers


def test_bits_of_ragged_sequences_and_weights(with_helpers, monkeypatch):
    monkeypatch.setattr("sklearn_rnn._running.packing.LITTLE", 10)  # so that parts are split
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in (1, 30, 2, 3, 40, 1, 2, 5) * 2]
    y, weight = rng.normal(size=16), rng.uniform(0, 2, size=16)
    one, two = (
        tiny(LSTMRegressor, n_jobs=n, batch_size=8, dropout=0.2).fit(X, y, weight) for n in (1, 2)
    )
    assert_same_model(two, one)
    assert with_helpers


def test_bits_of_lbfgs(with_helpers, monkeypatch):
    monkeypatch.setattr("sklearn_rnn._training.lbfgs.COLUMNS", 4)
    X = make_sequences()
    y = make_targets(GRURegressor())
    one, three = (fit_with(n, GRURegressor, X, y, solver="lbfgs", alpha=0.1) for n in (1, 3))
    assert_same_model(three, one)
    assert with_helpers


def test_a_fit_goes_on_from_a_checkpoint_with_other_n_jobs(with_helpers, tmp_path):
    X = make_sequences()
    y = make_targets(LSTMClassifier())
    params = dict(batch_size=8, random_state=0, dropout=0.2)
    whole = tiny(LSTMClassifier, max_iter=4, **params).fit(X, y)
    path = tmp_path / "fit.checkpoint"
    broken = tiny(LSTMClassifier, max_iter=4, n_jobs=2, checkpoint=path, **params)
    calls = []

    def interrupt(self, snapshot, *args):
        calls.append(snapshot)
        keep(self, snapshot, *args)
        if len(calls) == 2:
            raise MemoryError("as if it were killed")

    keep = Trainer._tell
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_tell", interrupt)
        with pytest.raises(MemoryError):
            broken.fit(X, y)
    resumed = tiny(LSTMClassifier, max_iter=4, n_jobs=3, checkpoint=path, **params).fit(X, y)
    assert_same_model(resumed, whole)


def test_small_fits_start_no_process(monkeypatch):
    def refuse(*args):
        raise AssertionError("a process was started")

    monkeypatch.setattr(helpers.Helper, "__init__", refuse)
    X = make_sequences()
    fit_with(4, LSTMClassifier, X, make_targets(LSTMClassifier()), hidden_size=64)
    monkeypatch.setattr(crew, "START_AFTER", 0.0)  # batches of one part
    fit_with(4, LSTMClassifier, X, make_targets(LSTMClassifier()))


def test_a_search_shares_the_cores_out_by_itself(small_parts, monkeypatch):
    """Its jobs start no processes, whatever n_jobs their estimator has."""
    monkeypatch.setattr(crew, "START_AFTER", 0.0)
    monkeypatch.setattr(helpers.Helper, "__init__", None)  # not to be called
    X = make_sequences()
    y = make_targets(RNNClassifier())
    model = tiny(RNNClassifier, n_jobs=2, max_iter=2)
    search = GridSearchCV(model, {"hidden_size": [2, 3]}, cv=2, n_jobs=2, refit=False)
    with joblib.parallel_config("threading"):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 2


def test_n_jobs_is_checked():
    X = make_sequences()
    y = make_targets(RNNClassifier())
    for wrong in (0, 1.5, "all", True):
        with pytest.raises(ValueError, match="n_jobs"):
            tiny(RNNClassifier, n_jobs=wrong).fit(X, y)


def test_a_helper_that_is_killed_is_an_error_and_leaves_the_estimator_as_it_was(
    with_helpers, monkeypatch
):
    X = make_sequences()
    y = make_targets(LSTMClassifier())
    model = fit_with(1, LSTMClassifier, X, y)
    before = dict(vars(model))
    calls = []

    def kill(helper, their_parts):
        calls.append(their_parts)
        if len(calls) == 5:
            helper._process.kill()
            helper._process.join()
        send(helper, their_parts)

    send = helpers.Helper.send
    monkeypatch.setattr(helpers.Helper, "send", kill)
    model.set_params(n_jobs=2, max_iter=30)
    with pytest.raises(RuntimeError, match=r"ended \(exit code .*smaller n_jobs"):
        model.fit(X, y)
    assert {**before, "n_jobs": 2, "max_iter": 30}.keys() == vars(model).keys()
    assert all(vars(model)[name] is before[name] for name in before if name.endswith("_"))


def test_shared_memory_is_not_used_for_anything_else_meanwhile(with_helpers, monkeypatch):
    """Python gives freed memory to the next array that is shared: another fit in a thread."""

    def share_more(helper, their_parts):
        for size in (10, 100, 1000):
            others.append(helpers.SharedArray(np.full(size, np.nan)))
        send(helper, their_parts)

    others, send = [], helpers.Helper.send
    X = make_sequences()
    y = make_targets(GRURegressor())
    one = fit_with(1, GRURegressor, X, y)
    monkeypatch.setattr(helpers.Helper, "send", share_more)
    assert_same_model(fit_with(2, GRURegressor, X, y), one)
    assert with_helpers


def test_what_goes_wrong_in_a_helper_goes_wrong_here(with_helpers, monkeypatch):
    """The helper cannot allocate workspaces: here, since a message asks for a wrong part."""

    def spoil(helper, their_parts):
        helper._connection.send([None])

    monkeypatch.setattr(helpers.Helper, "send", spoil)
    X = make_sequences()
    with pytest.raises(AttributeError, match="NoneType"):
        fit_with(2, LSTMClassifier, X, make_targets(LSTMClassifier()))


# --- Scripts --------------------------------------------------------------------------------------

FIT = """
import multiprocessing, os, sys, time
import numpy as np
from sklearn_rnn import LSTMClassifier
from sklearn_rnn._running import cutting
from sklearn_rnn._training import crew, helpers

cutting.COLUMNS_OF_PART, cutting.SIZE_OF_PART, crew.START_AFTER = 2, 1, 0.0

def fit(n_jobs=3):
    X = np.random.default_rng(0).normal(size=(12, 5, 2))
    y = np.arange(12) % 2
    send = helpers.Helper.send

    def tell(helper, parts):
        helpers.Helper.send = send
        print("works", *[child.pid for child in multiprocessing.active_children()], flush=True)
        send(helper, parts)

    helpers.Helper.send = tell
    model = LSTMClassifier(
        2, batch_size=8, max_iter=10**6, n_iter_no_change=10**6, early_stopping=False, n_jobs=n_jobs
    )
    return model.fit(X, y)
"""
GUARDED = FIT + '\nif __name__ == "__main__":\n    {}\n'


def start(tmp_path, text):
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[1],
    )


def helpers_of(process):
    """Wait until helpers work; return their process numbers."""
    line = process.stdout.readline()
    assert line.startswith("works"), line + process.stderr.read()
    pids = [int(word) for word in line.split()[1:]]
    assert len(pids) == 2
    return pids


def wait_until_gone(pids):
    deadline = time.monotonic() + 20
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"{alive} still live"
        time.sleep(0.05)


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # dead, but nobody has asked


def test_a_script_without_main_guard_is_told_what_to_do(tmp_path):
    process = start(tmp_path, FIT + "\nfit()\n")
    _, error = process.communicate(timeout=100)
    assert process.returncode == 1
    assert 'only below `if __name__ == "__main__":`' in error
    assert "RuntimeError: A helper process of fit ended (exit code 1) when it should start" in error


@LINUX
def test_ctrl_c_ends_all_and_keeps_the_model(tmp_path):
    then = "model = fit(); print(model.stop_reason_, flush=True)"
    process = start(tmp_path, GUARDED.format(then))
    pids = helpers_of(process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the group
    output, error = process.communicate(timeout=100)
    assert output.strip() == "interrupted"
    assert "KeyboardInterrupt" not in error
    wait_until_gone(pids)


@LINUX
@pytest.mark.parametrize("whom", ["alone", "with a copy of it"])
def test_helpers_end_with_a_parent_that_is_killed(tmp_path, whom):
    """Also where a fork of the parent holds its ends of the connections open."""
    before = set(os.listdir("/dev/shm"))
    text = GUARDED.format("fit()")
    if whom != "alone":
        copy = "if not os.fork():\n            time.sleep(60); os._exit(0)"
        text = text.replace(
            "        send(helper, parts)", f"        {copy}\n        send(helper, parts)"
        )
    process = start(tmp_path, text)
    try:
        pids = helpers_of(process)
        os.kill(process.pid, signal.SIGKILL)
        wait_until_gone([process.pid, *pids])
        left = {name for name in set(os.listdir("/dev/shm")) - before if name.startswith("pym")}
        assert not left
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
