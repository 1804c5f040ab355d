"""The synthetic problems are the published ones."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import (
    load_sequential_digits,
    make_adding_problem,
    make_copy_memory,
    make_parity,
    make_temporal_order,
)

MAKERS = [make_adding_problem, make_copy_memory, make_temporal_order, make_parity]


@pytest.mark.parametrize("make", MAKERS)
def test_a_seed_gives_one_data_set(make):
    (X, y), (X2, y2), (X3, _) = (make(20, 30, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(X, X2)
    np.testing.assert_array_equal(y, y2)
    assert not np.array_equal(X, X3)
    assert X.dtype == np.float32


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("n_samples", "n_timesteps"), [(0, 20), (5, 0), (5, 2.5), (True, 20)])
def test_sizes_are_checked(make, n_samples, n_timesteps):
    with pytest.raises(ValueError, match="must be an integer of at least"):
        make(n_samples, n_timesteps)


@pytest.mark.parametrize("T", [2, 3, 100])
def test_adding_problem(T):
    X, y = make_adding_problem(500, T, random_state=0)
    numbers, marks = X[:, :, 0], X[:, :, 1]
    assert set(np.unique(marks)) <= {0, 1}
    assert (marks[:, : T // 2].sum(axis=1) == 1).all()
    assert (marks[:, T // 2 :].sum(axis=1) == 1).all()
    expected = [row[mark == 1].sum() for row, mark in zip(numbers, marks, strict=True)]
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    assert ((numbers >= 0) & (numbers < 1)).all()
    assert abs(y.mean() - 1) < 0.1
    assert abs(y.var() - 1 / 6) < 0.03
    assert len(np.unique(marks.argmax(axis=1))) == min(T // 2, 50)


@pytest.mark.parametrize(("T", "S"), [(1, 1), (20, 10), (50, 3)])
def test_copy_memory(T, S):
    X, y = make_copy_memory(50, T, n_symbols=S, random_state=0)
    assert X.shape == (50, T + 2 * S, 10)
    np.testing.assert_array_equal(X.sum(axis=2), 1)
    shown = X.argmax(axis=2)
    np.testing.assert_array_equal(shown[:, :S], y[:, -S:])
    assert ((shown[:, :S] >= 1) & (shown[:, :S] <= 8)).all()
    pause = shown[:, S:]
    assert (pause[:, T - 1] == 9).all()
    assert (np.delete(pause, T - 1, axis=1) == 0).all()
    assert (y[:, :-S] == 0).all()


@pytest.mark.parametrize("T", [10, 25, 100])
def test_temporal_order(T):
    X, y = make_temporal_order(400, T, random_state=0)
    shown = X.argmax(axis=2)
    relevant = shown >= 4
    assert (relevant.sum(axis=1) == 2).all()
    steps = np.argwhere(relevant)[:, 1].reshape(-1, 2)
    tenth = T // 10
    assert ((tenth <= steps[:, 0]) & (steps[:, 0] < 2 * tenth)).all()
    assert ((5 * tenth <= steps[:, 1]) & (steps[:, 1] < 6 * tenth)).all()
    words = ["".join("XY"[s - 4] for s in row[mask]) for row, mask in zip(shown, relevant)]
    np.testing.assert_array_equal(y, words)
    assert set(y) == {"XX", "XY", "YX", "YY"}


@pytest.mark.parametrize("T", [1, 50])
def test_parity(T):
    X, last = make_parity(200, T, random_state=0)
    _, each = make_parity(200, T, per_step=True, random_state=0)
    np.testing.assert_array_equal(each, np.bitwise_xor.accumulate(X[:, :, 0].astype(int), axis=1))
    np.testing.assert_array_equal(last, each[:, -1])


def test_sequential_digits():
    data, digits = load_sequential_digits(), load_digits()
    np.testing.assert_allclose(data.X.reshape(-1, 8, 8) * 16, digits.images)
    np.testing.assert_array_equal(data.y, digits.target)
    permuted = load_sequential_digits(permuted=True, random_state=0)
    assert sorted(permuted.order) == list(range(64))
    np.testing.assert_array_equal(permuted.X, data.X[:, permuted.order])
    assert not np.array_equal(permuted.X, data.X)


def test_a_gated_net_solves_short_temporal_order():
    X, y = make_temporal_order(600, 20, random_state=0)
    model = GRUClassifier(16, random_state=0, max_iter=40).fit(X[:500], y[:500])
    assert model.score(X[500:], y[500:]) > 0.95
