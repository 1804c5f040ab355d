"""One long sequence beside short ones: the memory is that of the long one, the result the same."""

import tracemalloc

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMRegressor, RNNRegressor
from sklearn_rnn._running import packing
from sklearn_rnn._running.packing import split_ragged
from tests.helpers import make_sequences, tiny

SHORT = [1, 3] * 20


def peak(function, *arguments):
    tracemalloc.start()
    try:
        function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def data(lengths, params):
    X = make_sequences(lengths)
    y = [x[:, 0] for x in X] if params.get("return_sequences") else np.arange(float(len(X)))
    if "embedding_size" in params:
        X = [(x[:, 0] > 0).astype(int) for x in X]
    return X, y


def one_epoch(Estimator, **params):
    return tiny(Estimator, hidden_size=8, max_iter=1, batch_size=64, **params)


WAYS = {
    "last": {},
    "both directions": dict(bidirectional=True, num_layers=2),
    "attention": dict(pooling="attention", layer_norm=True),
    "dropout": dict(dropout=0.2, recurrent_dropout=0.2, num_layers=2),
    "tokens": dict(embedding_size=3),
    "lbfgs": dict(solver="lbfgs"),
    "every step": dict(return_sequences=True),
    "truncated": dict(tbptt_steps=400),
    "truncated at every step": dict(tbptt_steps=400, return_sequences=True, dropout=0.2),
}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("Estimator", [GRURegressor, LSTMRegressor])
def test_a_fit_takes_twice_the_memory_of_the_longest_sequence_at_most(Estimator, how):
    """Here the padding would take forty times as much."""
    if how.startswith("truncated") and Estimator is LSTMRegressor:
        pytest.skip("one cell is enough")
    estimator = one_epoch(Estimator, **WAYS[how])
    alone = peak(estimator.fit, *data([800], WAYS[how]))
    beside = peak(estimator.fit, *data([800, *SHORT], WAYS[how]))
    # In truncated training, few steps of all sequences are in memory at once.
    assert beside < (12 if how.startswith("truncated") else 2) * alone + 1e6


@pytest.mark.parametrize(
    "method",
    ["predict", "transform", "predict_prefixes", "gate_activations", "input_gradients"],
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_predictions_take_twice_the_memory_of_the_longest_sequence(method, bidirectional):
    if bidirectional and method == "predict_prefixes":
        pytest.skip("there are no prefixes in two directions")
    X, y = data([4000, *SHORT], {})
    model = one_epoch(GRURegressor, bidirectional=bidirectional).fit(X[-9:], y[-9:])
    assert peak(getattr(model, method), X) < 2 * peak(getattr(model, method), X[:1]) + 2e6


@pytest.mark.parametrize("how", [how for how in WAYS if "dropout" not in WAYS[how]])
@pytest.mark.parametrize("Estimator", [GRUClassifier, RNNRegressor])
def test_a_ragged_batch_learns_the_same_in_blocks(Estimator, how, monkeypatch):
    """Up to rounding: the batch has the same members, and gradients are sums over them."""
    params = {**WAYS[how], "alpha": 0.01}
    params = {**params, "tbptt_steps": 5} if "tbptt_steps" in params else params
    X, y = data([60, 1, 20, 3, 1, 2, 40, 1, 2, 1], params)
    if Estimator is GRUClassifier:
        y = [part > 0 for part in y] if params.get("return_sequences") else np.arange(10) % 3
    models = []
    for little in (2**19, 1):
        monkeypatch.setattr(packing, "LITTLE", little)
        models.append(tiny(Estimator, max_iter=3, batch_size=10, **params).fit(X, y))
    expected, found = (model._theta_ for model in models)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    for answer, other in zip(models[1].predict(X), models[0].predict(X), strict=True):
        if Estimator is RNNRegressor:
            np.testing.assert_allclose(answer, other, rtol=1e-6, atol=1e-9)


def test_dropout_of_a_ragged_batch_is_deterministic(monkeypatch):
    monkeypatch.setattr(packing, "LITTLE", 1)
    for how in ("dropout", "truncated at every step"):
        X, y = data([60, 1, 20, 3, 1], WAYS[how])
        params = {**WAYS[how], "max_iter": 2, "batch_size": 5}
        one, other = (tiny(GRURegressor, **params).fit(X, y) for _ in range(2))
        np.testing.assert_array_equal(one._theta_, other._theta_)
        assert np.isfinite(one._theta_).all()


@pytest.mark.parametrize("seed", range(20))
def test_blocks_of_a_ragged_batch(seed):
    """All sequences once, the longest first, and no block of more than two of the longest."""
    rng = np.random.default_rng(seed)
    lengths = (rng.pareto(0.5, size=rng.integers(1, 60)) * 50).clip(1, 10**5).astype(int)
    numbers = int(rng.integers(1, 500))
    blocks = split_ragged(lengths, numbers)
    assert sorted(np.concatenate(blocks)) == list(range(len(lengths)))
    cells = [int(lengths[block].max()) * len(block) for block in blocks]
    if len(blocks) > 1:
        assert max(cells) <= max(2 * lengths.max(), packing.LITTLE / numbers)
        firsts = [lengths[block].max() for block in blocks]
        assert firsts == sorted(firsts, reverse=True)
    else:
        ordinary = cells[0] <= 2 * lengths.sum() or cells[0] * numbers <= packing.LITTLE
        assert ordinary
        np.testing.assert_array_equal(blocks[0], np.arange(len(lengths)))
