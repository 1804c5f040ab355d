"""`n_jobs` as scikit-learn means it, and 1 where the cores are shared out already."""

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import joblib
import pytest

from sklearn_rnn._running.jobs import count_jobs


def test_none_is_one_and_minus_one_is_all():
    assert count_jobs(None) == 1
    assert count_jobs(1) == 1
    assert count_jobs(3) == 3
    assert count_jobs(-1) == joblib.cpu_count()
    assert count_jobs(-1000) == 1


def test_zero_has_no_meaning():
    with pytest.raises(ValueError, match="n_jobs=0 has no meaning"):
        count_jobs(0)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_none_is_what_a_context_of_joblib_says(backend):
    with joblib.parallel_config(backend, n_jobs=3):
        assert count_jobs(None) == 3
        assert count_jobs(2) == 2
    assert count_jobs(None) == 1


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_a_job_of_joblib_has_one(backend):
    jobs = joblib.Parallel(2, backend=backend)(joblib.delayed(count_jobs)(n) for n in (4, -1))
    assert jobs == [1, 1]


def test_a_worker_of_a_pool_has_one():
    """Its process could not start others."""
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(count_jobs, (4,)) == 1


def test_a_thread_of_the_user_may_have_more():
    with ThreadPoolExecutor(1) as executor:
        assert executor.submit(count_jobs, 4).result() == 4
