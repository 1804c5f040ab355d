"""Searches and blocks on Dask, with workers that are processes: the results of this one."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from joblib import parallel_config

pytest.importorskip("distributed", reason='needs Dask: pip install "sklearn-rnn[distributed]"')

from distributed import Client, LocalCluster

from sklearn_rnn import GRUClassifier, LSTMRegressor
from sklearn_rnn._running.jobs import count_jobs
from sklearn_rnn.distributed import dask_backend, partial_fit_blocks, predict_blocks
from tests.helpers import assert_same_model
from tests.integration.searching import SEARCHES, assert_same_search, problem, search
from tests.integration.wire import bytes_written
from tests.test_docs import ROOT, assert_page_runs

X, y = problem()


def start(n_workers=2):
    """Start a cluster of worker processes of one thread each."""
    return LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0")


@pytest.fixture(scope="module")
def client():
    with start() as cluster, Client(cluster) as client:
        assert len(set(client.run(os.getpid).values()) - {os.getpid()}) == 2
        yield client


@pytest.fixture(params=["joblib's", "ours"])
def backend(request, client):
    """joblib's backend as it is, and with copies of the data."""
    return (
        (lambda: parallel_config(backend="dask"))
        if request.param == "joblib's"
        else (lambda: dask_backend(client))
    )


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_finds_what_it_finds_here(kind, backend):
    here, there = search(kind).fit(X, y), search(kind)
    with backend():
        there.fit(X, y)
    assert_same_search(there, here)


def test_a_task_has_one_job(client):
    """The cores are shared out among the workers already."""
    assert client.submit(count_jobs, 4).result() == 1
    assert count_jobs(4) == 4


# ---- sent once ----


def test_packed_sequences_are_sent_once_and_lists_with_every_task(client):
    """Of 2 workers: data take client, scheduler, worker, and perhaps the other worker."""
    X, y = problem(n=2000, longest=40)
    size = X.values.nbytes

    def fit(X, **options):
        with parallel_config(backend="dask", **options):
            search("grid", max_iter=1).set_params(refit=False).fit(X, y)

    as_list = bytes_written(client, lambda: fit(list(X)))
    packed = bytes_written(client, lambda: fit(X))
    scattered = bytes_written(client, lambda: fit(X, scatter=[X, y]))
    with dask_backend(client):
        model = search("grid", max_iter=1).set_params(refit=False)
        copied = bytes_written(client, lambda: model.fit(X, y))
    # joblib sends four tasks one by one (two a worker), and the other eight in batches whose size
    # depends on how quick the first were: five messages or more, twice each, by the scheduler
    assert as_list > 8 * size
    for sent in (packed, scattered, copied):
        assert 2 * size < sent < 4 * size


# ---- workers that die ----


def kill_a_worker_at_work(cluster, deaths):
    """Kill the worker that has begun the most, as soon as both have work; note its address."""
    with Client(cluster, set_as_default=False) as observer:
        pids = observer.run(os.getpid)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            at_work = {worker: keys for worker, keys in observer.processing().items() if keys}
            if len(at_work) == 2:
                break
        victim = max(at_work, key=lambda worker: len(observer.has_what()[worker]))
        os.kill(pids[victim], signal.SIGKILL)
        deaths.append(victim)


@pytest.mark.parametrize("kind", ["grid", "halving"])
def test_a_killed_worker_does_not_lose_the_search(kind):
    here, there, deaths = search(kind, max_iter=30).fit(X, y), search(kind, max_iter=30), []
    with start() as cluster, Client(cluster) as client:
        killer = threading.Thread(target=kill_a_worker_at_work, args=(cluster, deaths))
        with dask_backend(client):
            killer.start()
            there.fit(X, y)
        killer.join()
        assert deaths[0] not in client.scheduler_info()["workers"]
    assert_same_search(there, here)


def test_the_memory_manager_rests_only_meanwhile(client):
    def failing_search():
        with dask_backend(client):
            assert not client.amm.running()
            raise RuntimeError("inside")

    assert client.amm.running()
    with pytest.raises(RuntimeError, match="inside"):
        failing_search()
    assert client.amm.running()


def test_no_copies_are_refused(client):
    with (
        pytest.raises(ValueError, match="copies is 0: at least one"),
        dask_backend(client, copies=0),
    ):
        pass


# ---- blocks on workers ----


def test_blocks_on_workers(client):
    """Blocks that lie on the workers, of a list, an array and a bag."""
    da, db = pytest.importorskip("dask.array"), pytest.importorskip("dask.bag")
    packed = [X[:100], X[100:180], X[180:]]
    targets = [y[:100], y[100:180], y[180:]]
    here = GRUClassifier(4, random_state=0)
    for X_block, y_block in zip(packed, targets, strict=True):
        here.partial_fit(X_block, y_block, classes=["down", "up"])
    futures = client.scatter(packed)
    model = GRUClassifier(4, random_state=0)
    model = partial_fit_blocks(model, futures, targets, classes=["down", "up"])
    assert_same_model(model, here)

    answers = client.gather(client.compute(predict_blocks(model, futures, method="predict_proba")))
    np.testing.assert_allclose(np.concatenate(answers), here.predict_proba(X), atol=1e-12)
    bag = db.from_sequence(list(X), npartitions=4)
    assert predict_blocks(model, bag).compute() == here.predict(X).tolist()

    array = da.random.default_rng(0).normal(size=(90, 6, 2), chunks=(40, 6, 2))
    values = array.compute()
    regressor = LSTMRegressor(4, random_state=0).fit(values, values[:, -1])
    answer = predict_blocks(regressor, array)
    np.testing.assert_allclose(answer.compute(), regressor.predict(values), atol=1e-12)


# ---- the user guide ----


def test_the_page_runs():
    pytest.importorskip("dask.array")
    assert_page_runs(ROOT / "docs" / "user_guide" / "distributed.md")
