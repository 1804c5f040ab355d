"""Data that come block by block: the same updates as if they had all been in memory."""

import copy
import runpy
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, LSTMRegressor, RNNRegressor
from tests.helpers import CLASSIFIERS, assert_same_model, make_targets, tiny

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "plot_larger_than_memory.py"
BATCH = 8


def problem(Estimator, n=64):
    X = np.random.default_rng(0).normal(size=(n, 6, 2))
    return X, make_targets(Estimator(), n)


def started(Estimator, X, y, **params):
    """An estimator whose classes, units and first bias have been fixed by the first block."""
    params = {"batch_size": BATCH, "shuffle": False, **params}
    classes = {"classes": ["ash", "elm", "oak"]} if Estimator in CLASSIFIERS else {}
    return tiny(Estimator, **params).partial_fit(X[:16], y[:16], **classes)


@pytest.mark.parametrize("solver", ["adam", "adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("n_batches", [2, 3])
def test_blocks_are_the_same_updates_bit_for_bit(Estimator, solver, n_batches):
    X, y = problem(Estimator)
    whole = started(Estimator, X, y, solver=solver, learning_rate="invscaling")
    blocks = copy.deepcopy(whole)
    whole.partial_fit(X, y)
    size = n_batches * BATCH
    for begin in range(0, len(X), size):
        blocks.partial_fit(X[begin : begin + size], y[begin : begin + size])
    assert_same_model(blocks, whole)
    assert blocks.t_ == whole.t_


def test_blocks_of_one_batch_are_the_same_but_for_rounding(Estimator):
    """In a single batch samples are put into an order of their own, which changes sums."""
    X, y = problem(Estimator)
    whole = started(Estimator, X, y)
    blocks = copy.deepcopy(whole)
    whole.partial_fit(X, y)
    for begin in range(0, len(X), BATCH):
        blocks.partial_fit(X[begin : begin + BATCH], y[begin : begin + BATCH])
    np.testing.assert_allclose(blocks._theta_, whole._theta_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("Estimator", [GRUClassifier, LSTMRegressor])
def test_a_block_of_a_file_is_a_block_in_memory(Estimator, tmp_path):
    X, y = problem(Estimator)
    on_disk = np.memmap(tmp_path / "X.dat", float, "w+", shape=X.shape)
    on_disk[...] = X
    on_disk.flush()
    mapped = np.memmap(tmp_path / "X.dat", float, "r", shape=X.shape)
    in_memory, from_disk = (started(Estimator, data, y) for data in (X, mapped))
    for begin in range(0, 64, 16):
        in_memory.partial_fit(X[begin : begin + 16], y[begin : begin + 16])
        from_disk.partial_fit(mapped[begin : begin + 16], y[begin : begin + 16])
    assert_same_model(from_disk, in_memory)


def test_memory_is_that_of_a_block(tmp_path):
    """However many blocks there are."""
    X = np.memmap(tmp_path / "X.dat", np.float32, "w+", shape=(4096, 50, 4))
    X[...] = np.random.default_rng(0).normal(size=X.shape)
    y = X[:, :, 0].sum(axis=1)
    model = RNNRegressor(8, random_state=0)
    peaks = []
    for begin in range(0, len(X), 256):
        tracemalloc.start()
        model.partial_fit(X[begin : begin + 256], y[begin : begin + 256])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    block = 256 * 50 * 4 * 4
    assert max(peaks) < 10 * block < X.nbytes
    assert max(peaks[1:]) < 1.1 * min(peaks[1:])


@pytest.mark.slow
def test_the_example_keeps_its_word(monkeypatch):
    pytest.importorskip("matplotlib").use("agg")
    found = runpy.run_path(str(EXAMPLE))
    assert found["score"] > 0.9
    assert found["peak"] < 0.1 * found["n_bytes"]
