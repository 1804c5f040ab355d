"""Searches on Ray, with workers that are processes: the results of this one."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from joblib import parallel_config

pytest.importorskip("ray", reason='needs Ray: pip install "sklearn-rnn[ray]"')

import ray
from ray.util.joblib import register_ray

from sklearn_rnn import SequenceArray
from tests.integration.searching import SEARCHES, assert_same_search, problem, search

X, y = problem()


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Start Ray on this machine, with two workers, and no token in the home directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=100 * 2**20,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": str(Path(__file__).parents[2])}},
        )
        register_ray()
        yield
        ray.shutdown()


class CountedSequences(SequenceArray):
    """Packed sequences that count how often they are pickled."""

    n_pickled = 0

    def __reduce__(self):
        CountedSequences.n_pickled += 1
        return SequenceArray, (self.values, self.offsets)


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_finds_what_it_finds_here(kind):
    here, there = search(kind).fit(X, y), search(kind).set_params(n_jobs=2)
    with parallel_config(backend="ray"):
        there.fit(X, y)
    assert_same_search(there, here)


def test_data_are_sent_with_every_task(monkeypatch):
    """What the user guide says of Ray: its backend sends nothing once."""
    monkeypatch.setattr(CountedSequences, "n_pickled", 0)
    counted = CountedSequences(X.values, X.offsets)
    with parallel_config(backend="ray"):
        search("randomized").set_params(n_jobs=2, refit=False).fit(counted, y)
    assert CountedSequences.n_pickled == 9  # 3 candidates, 3 folds


def score_or_die(marker, estimator, X, y):
    """Score; but the first process to come here is killed, as by the system."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return estimator.score(X, y)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_does_not_lose_the_search_if_ray_may_try_again(tmp_path):
    here, there = search("grid").fit(X, y), search("grid").set_params(n_jobs=2)
    marker = tmp_path / "killed"
    there.set_params(scoring=partial(score_or_die, str(marker)))
    with parallel_config(backend="ray", ray_remote_args={"max_restarts": 3, "max_task_retries": 3}):
        there.fit(X, y)
    assert marker.exists()
    assert_same_search(there, here)
