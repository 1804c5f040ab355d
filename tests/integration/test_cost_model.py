"""The simulation of the cost model, where its answer can be written down."""

import numpy as np
import pytest

from tests.benchmarks.distributed import Costs, arrivals, simulate

FREE = Costs(dispatch=0.0, hop=0.0)


def test_work_alone_is_shared_evenly():
    for n_workers in (1, 2, 5, 12, 100):
        rounds = np.ceil(12 / n_workers)
        assert simulate([3.0] * 12, n_workers, FREE) == pytest.approx(3 * rounds)


def test_tasks_that_take_nothing_take_their_scheduling():
    assert simulate([0.0] * 50, 7, Costs(0.01, 0.0)) == pytest.approx(0.5)


def test_more_workers_than_can_be_fed_are_of_no_use():
    """The last task ends after all have been dispatched and one has run."""
    costs = Costs(dispatch=0.1, hop=0.0)
    assert simulate([1.0] * 200, 10, costs) == pytest.approx(21.0)
    assert simulate([1.0] * 200, 1000, costs) == pytest.approx(21.0)
    assert simulate([1.0] * 200, 5, costs) > 40


def test_data_double_with_every_hop():
    assert arrivals(1, 2.0) == [4]
    assert arrivals(7, 1.0) == [2, 3, 4, 4, 5, 5, 5]
    assert arrivals(1000, 1.0)[-1] == 3 + 9  # 2 * 2**9 >= 1000 > 2 * 2**8


def test_workers_wait_for_their_data():
    assert simulate([1.0] * 2, 2, Costs(0.0, 10.0)) == pytest.approx(22.0)
    assert simulate([1.0] * 2, 2, Costs(0.0, 0.1)) == pytest.approx(1.3)


def test_cores_are_shared():
    assert simulate([1.0] * 8, 4, FREE, n_cores=2) == pytest.approx(4.0)
    assert simulate([1.0, 2.0], 2, FREE, n_cores=1) == pytest.approx(3.0)
    assert simulate([1.0] * 8, 1, FREE, n_cores=0.5) == pytest.approx(16.0)


def test_no_order_of_any_tasks_beats_the_bounds():
    rng = np.random.default_rng(0)
    for n_workers in (1, 3, 8):
        durations = rng.exponential(size=40)
        took = simulate(durations, n_workers, Costs(0.01, 0.05), n_cores=3)
        work = durations.sum() / min(n_workers, 3)
        longest = durations.max()
        assert max(work, longest) <= took
        assert took <= (durations.sum() / min(n_workers, 3) + longest * n_workers + 40 * 0.01 + 1)
