"""Weights of samples: w counts like w copies, 0 like none, and their unit does not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_rnn import LSTMRegressor
from tests.helpers import (
    assert_same_model,
    make_sequences,
    make_targets,
    same_model,
    scores_of,
    tiny,
)

X = make_sequences()
WEIGHT = np.array([2, 0, 1, 3, 1, 1, 0, 2, 1, 4, 1, 2])


def take(index, X=X):
    return [X[i] for i in index]


@pytest.mark.parametrize("T", [None, 30], ids=["ragged", "long"])
def test_a_weight_of_w_means_w_copies(Estimator, seed, T):
    """To the last bit, after hundreds of updates, while all distinct samples fit in a batch."""
    sequences = X if T is None else make_sequences([T] * 12)
    y = make_targets(Estimator())
    params = dict(random_state=seed, max_iter=100, learning_rate_init=0.02)
    weighted = tiny(Estimator, **params).fit(sequences, y, WEIGHT)
    index = np.random.default_rng(seed).permutation(np.repeat(np.arange(12), WEIGHT))
    copies = tiny(Estimator, **params).fit(take(index, sequences), y[index])
    assert_same_model(weighted, copies)


def test_full_batch_fit_does_not_depend_on_the_order_of_rows(Estimator, seed):
    y = make_targets(Estimator())
    order = np.random.default_rng(seed).permutation(12)
    plain = tiny(Estimator, max_iter=50).fit(X, y, WEIGHT)
    mixed = tiny(Estimator, max_iter=50).fit(take(order), y[order], WEIGHT[order])
    assert_same_model(mixed, plain)
    assert mixed.loss_curve_ == plain.loss_curve_


@pytest.mark.parametrize("batch_size", [12, 5], ids=["full-batch", "minibatches"])
def test_a_weight_of_zero_takes_a_sample_away(Estimator, batch_size):
    y = make_targets(Estimator())
    keep = np.flatnonzero(WEIGHT)
    zero = tiny(Estimator, batch_size=batch_size).fit(X, y, np.sign(WEIGHT))
    gone = tiny(Estimator, batch_size=batch_size).fit(take(keep), y[keep])
    assert_same_model(zero, gone)


@pytest.mark.parametrize("batch_size", [12, 5], ids=["full-batch", "minibatches"])
@pytest.mark.parametrize("unit", [2.0**-40, 2.0, 2.0**900])
def test_row_68_a_power_of_two_as_unit_changes_no_bit(Estimator, unit, batch_size):
    y = make_targets(Estimator())
    plain = tiny(Estimator, batch_size=batch_size).fit(X, y, WEIGHT)
    scaled = tiny(Estimator, batch_size=batch_size).fit(X, y, unit * WEIGHT)
    assert_same_model(scaled, plain)


@pytest.mark.parametrize("unit", [1e-300, 1e-3, 1e300])
def test_row_68_any_unit_will_do(Estimator, unit):
    y = make_targets(Estimator())
    plain = tiny(Estimator).fit(X, y, WEIGHT)
    scaled = tiny(Estimator).fit(X, y, unit * WEIGHT)
    np.testing.assert_allclose(scores_of(scaled, X), scores_of(plain, X), rtol=1e-9)


@pytest.mark.parametrize("weight", [1e-300, 1e300, 5e-324, 3.0])
def test_row_68_equal_weights_are_no_weights(Estimator, weight):
    y = make_targets(Estimator())
    assert_same_model(tiny(Estimator).fit(X, y, np.full(12, weight)), tiny(Estimator).fit(X, y))


@pytest.mark.parametrize("weight", [1, 2.5, np.float32(3), np.int64(2)])
def test_row_67_a_scalar_counts_for_all(Estimator, weight):
    y = make_targets(Estimator())
    assert_same_model(tiny(Estimator).fit(X, y, weight), tiny(Estimator).fit(X, y))


@pytest.mark.parametrize("make", ["list", "Series", "int8"])
def test_containers_of_weights(make):
    y = make_targets(LSTMRegressor())
    weight = WEIGHT
    if make == "Series":
        weight = pytest.importorskip("pandas").Series(WEIGHT)
    else:
        weight = {"list": WEIGHT.tolist(), "int8": WEIGHT.astype(np.int8)}[make]
    fitted = tiny(LSTMRegressor).fit(X, y, weight)
    assert_same_model(fitted, tiny(LSTMRegressor).fit(X, y, WEIGHT.astype(float)))


def test_weights_have_a_say(Estimator):
    y = make_targets(Estimator())
    for params in (dict(), dict(batch_size=5)):
        plain = tiny(Estimator, **params).fit(X, y)
        assert not same_model(tiny(Estimator, **params).fit(X, y, 1 + WEIGHT), plain)


def test_score_is_weighted(Estimator):
    y = make_targets(Estimator())
    fitted = tiny(Estimator).fit(X, y)
    index = np.repeat(np.arange(12), WEIGHT)
    np.testing.assert_allclose(fitted.score(X, y, WEIGHT), fitted.score(take(index), y[index]))


@given(
    repeats=st.lists(st.integers(0, 4), min_size=12, max_size=12).filter(any),
    order=st.permutations(range(12)),
    bidirectional=st.booleans(),
    pooling=st.sampled_from(["last", "mean", "max"]),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_weights_repeats_and_order(repeats, order, bidirectional, pooling):
    params = dict(bidirectional=bidirectional, pooling=pooling, batch_size=50)
    y, repeats, order = make_targets(LSTMRegressor()), np.array(repeats), np.array(order)
    weighted = tiny(LSTMRegressor, **params).fit(take(order), y[order], repeats[order])
    index = np.repeat(np.arange(12), repeats)
    assert_same_model(weighted, tiny(LSTMRegressor, **params).fit(take(index), y[index]))
