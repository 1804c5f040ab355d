"""Fits that are killed and started again, each in a process of its own: `python -m tests.killing`.

Imports take a second and a fit a tenth of that, so all processes are forks of this one. The
arguments are a number of rounds, and perhaps the names of some scenarios. It prints
a line of JSON a scenario: how many processes were killed, and whether the survivor is, to the last
bit, the estimator that was never interrupted.
"""

import json
import os
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import joblib
import numpy as np

from sklearn_rnn import (
    Checkpoint,
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    RNNRegressor,
    _files,
)
from sklearn_rnn._core.network import Network
from tests.helpers import fingerprint, make_sequences, make_targets, tiny

# In memory, where the disk need not be waited for: a killed process loses nothing there, either.
PLACE = "/dev/shm" if os.path.isdir("/dev/shm") else None
X = make_sequences()
STOPS = dict(early_stopping=True, validation_fraction=0.3)
PLATEAUS = dict(learning_rate="adaptive", learning_rate_init=0.3, n_iter_no_change=2, tol=1e-2)
SCENARIOS = {
    "minibatches": (GRUClassifier, {}),
    "early stopping": (GRURegressor, STOPS),
    "plateaus": (LSTMClassifier, dict(solver="sgd", **PLATEAUS)),
    "average": (RNNRegressor, dict(solver="rmsprop", average_epochs=3)),
    "average, early stopping": (RNNRegressor, dict(average_epochs=3, **STOPS)),
    "dropout": (LSTMClassifier, dict(dropout=0.3, recurrent_dropout=0.2)),
    "chance": (GRUClassifier, dict(random_state=None)),
    "rarely": (GRURegressor, dict(solver="adamw", alpha=0.1)),
}
EPOCHS = {"rarely": 4}  # from one checkpoint to the next; 1 in all other scenarios


def make(name, checkpoint=None):
    Estimator, params = SCENARIOS[name]
    if checkpoint is not None:
        checkpoint = Checkpoint(checkpoint, epochs=EPOCHS.get(name, 1))
    params = {"batch_size": 5, "max_iter": 12, "checkpoint": checkpoint, **params}
    return tiny(Estimator, **params)


def identity(estimator):
    """A hash of all that was learned; what it was asked to keep where is not."""
    estimator = estimator.set_params(checkpoint=None)
    return fingerprint(estimator, seconds=False)


def fit(name, checkpoint=None):
    # random_state=None draws from here: the first process draws 5, and later ones something else.
    is_first = checkpoint is None or not os.path.exists(checkpoint)
    np.random.mtrand._rand.seed(5 if is_first else time.monotonic_ns() % 2**32)
    estimator = make(name, checkpoint)
    return identity(estimator.fit(X, make_targets(estimator)))


def in_process(name, checkpoint, answer, prepare):
    """Start a fit in a fork of this process; return its number."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            answer.write_text(fit(name, checkpoint))
        finally:
            os._exit(0 if answer.exists() else 1)
    return child


def killing_itself(k):
    """Make the k-th of all batches, files on disk and renames, counted from 0, a process's last."""

    def prepare():
        left = iter(range(k, -1, -1))

        def counted(function):
            def call(*args, **kwargs):
                if next(left, -1) == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)

            return call

        Network.loss_gradient = counted(Network.loss_gradient)
        _files.os.fsync = counted(os.fsync)
        _files.os.replace = counted(os.replace)

    return prepare


def survive(name, directory, kills):
    """Run a fit until a process comes to its end; return its answer and the number killed."""
    checkpoint, answer = Path(directory, "checkpoint.npz"), Path(directory, "answer")
    for n_killed, (wait, prepare) in enumerate(kills):
        child = in_process(name, str(checkpoint), answer, prepare)
        if wait is not None:
            time.sleep(wait)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0, f"{name}: the fit failed"
            assert os.listdir(directory).count("checkpoint.npz") == 1
            return answer.read_text(), n_killed
        assert os.WTERMSIG(status) == signal.SIGKILL
        answer.unlink(missing_ok=True)  # killed on its very last line
    raise AssertionError(f"{name}: no process survived")


def nowhere():
    pass


def at_places(rng):
    """Kills at places drawn by chance; the last process lives."""
    for _ in range(4):
        yield None, killing_itself(int(rng.integers(1, 60)))
    yield None, nowhere


def at_times(rng, whole):
    """Kills at times drawn by chance within that of a whole fit; the last process lives."""
    for _ in range(6):
        yield float(rng.uniform(0, whole)), nowhere
    yield None, nowhere


def main(n_rounds, names, seed=0):
    warnings.simplefilter("error")
    rng = np.random.default_rng(seed)
    for name in names:
        expected = fit(name)
        with tempfile.TemporaryDirectory(dir=PLACE) as directory:
            begin = time.monotonic()
            fit(name, str(Path(directory, "whole.npz")))
            whole = time.monotonic() - begin
        answers, n_killed = [], 0
        for turn in range(2 * n_rounds):
            kills = at_times(rng, whole) if turn % 2 else at_places(rng)
            with tempfile.TemporaryDirectory(dir=PLACE) as directory:
                answer, n = survive(name, directory, kills)
            answers.append(answer)
            n_killed += n
        equal = set(answers) == {expected}
        print(json.dumps({"scenario": name, "killed": n_killed, "equal": equal}), flush=True)


if __name__ == "__main__":
    joblib.hash(0)  # imported before the first fork
    main(int(sys.argv[1]), sys.argv[2:] or SCENARIOS)
