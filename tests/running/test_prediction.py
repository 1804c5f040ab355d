"""Any number of sequences, in blocks: the order of the input, in bounded memory."""

import threading
import time
import tracemalloc

import numpy as np
import pytest

from sklearn_rnn._core.stepper import Stepper
from sklearn_rnn._running import prediction
from sklearn_rnn._running.prediction import run_each_step, run_from_state, run_in_blocks
from tests.core import reference
from tests.core.helpers import assert_close
from tests.training.helpers import make_network, pack


def make_sequences(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, 2)) for length in lengths]


LENGTHS = np.random.default_rng(1).integers(1, 12, size=37)


@pytest.mark.parametrize("columns", [1, 5, 256])
@pytest.mark.parametrize("numbers", [1, 3000, 2**22])
@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_each_sequence_gets_its_own_answer(cell, columns, numbers, monkeypatch):
    monkeypatch.setattr(prediction, "COLUMNS", columns)
    monkeypatch.setattr(prediction, "NUMBERS", numbers)
    network, theta = make_network(cell, num_layers=2, n_directions=2, K=3, pooling="mean")
    sequences = make_sequences(LENGTHS)
    sizes = []

    def compute(parameters, workspaces, block):
        sizes.append(block.x.shape)
        return network.raw_prediction(parameters, workspaces, block)

    raw = run_in_blocks(network, compute, theta, *pack(sequences))
    weights = network.layout.public(theta)
    n_states = 2 if cell == "lstm" else 1
    start = [[(np.zeros(3),) * n_states] * 2] * 2
    for x, answer in zip(sequences, raw, strict=True):
        states, _ = reference.stack_forward(cell, weights, x, start)
        pooled = np.concatenate([h.mean(axis=0) for h in states])
        assert_close(answer, weights["weight_out"] @ pooled + weights["bias_out"])

    left = sorted(LENGTHS, reverse=True)
    per_step = 2 * ((2 + 4 * 3) + (6 + 4 * 3))  # inputs and states, by layer and direction
    for T, _, B in sizes:
        assert left[0] == T
        assert min(columns, len(left), max(1, numbers // (T * per_step))) == B
        del left[:B]
    assert not left


@pytest.mark.parametrize("pooling", ["last", "none"])
def test_threads_share_the_blocks_and_change_no_bit(pooling, monkeypatch):
    monkeypatch.setattr(prediction, "COLUMNS", 4)
    network, theta = make_network("gru", K=2, pooling=pooling)
    packed = pack(make_sequences(LENGTHS))
    names = set()

    def compute(*args):
        names.add(threading.current_thread().name)
        time.sleep(0.01)  # so that no thread is done before the others begin
        return network.raw_prediction(*args)

    expected = run_in_blocks(network, compute, theta, *packed)
    run_in_blocks(network, compute, theta, *packed, n_jobs=3)
    assert len(names) == 1  # so little data
    monkeypatch.setattr(prediction, "LITTLE", 0)
    for n_jobs in (1, 2, 3):
        names.clear()
        raw = run_in_blocks(network, compute, theta, *packed, n_jobs=n_jobs)
        np.testing.assert_array_equal(raw, expected)
        assert len(names) == n_jobs


def test_pooled_states_have_a_row_each():
    network, theta = make_network("gru", n_directions=2)
    sequences = make_sequences(LENGTHS)
    pooled = run_in_blocks(network, network.pooled_states, theta, *pack(sequences))
    assert pooled.shape == (37, 6)
    for x, expected in zip(sequences, pooled, strict=True):
        (alone,) = run_in_blocks(network, network.pooled_states, theta, *pack([x]))
        assert_close(alone, expected)


def test_theta_decides_the_dtype():
    network, theta = make_network("lstm")
    packed = pack(make_sequences(LENGTHS))
    raw = run_in_blocks(network, network.raw_prediction, theta, *packed)
    raw32 = run_in_blocks(network, network.raw_prediction, theta.astype(np.float32), *packed)
    assert (raw.dtype, raw32.dtype) == (np.float64, np.float32)
    assert_close(raw32, raw, 1e-5)


def test_read_only_arrays_are_only_read():
    network, theta = make_network("lstm")
    values, offsets = pack(make_sequences(LENGTHS))
    expected = run_in_blocks(network, network.raw_prediction, theta, values, offsets)
    for array in (theta, values, offsets):
        array.setflags(write=False)
    again = run_in_blocks(network, network.raw_prediction, theta, values, offsets)
    np.testing.assert_array_equal(again, expected)


def test_floating_point_errors_are_no_exceptions():
    network, theta = make_network("rnn-relu")
    values, offsets = pack(make_sequences(LENGTHS))
    with np.errstate(all="raise"):
        raw = run_in_blocks(network, network.raw_prediction, theta, values * 1e300, offsets)
        network_lstm, theta = make_network("lstm")
        run_in_blocks(network_lstm, network_lstm.raw_prediction, theta, values * 1e300, offsets)
    assert raw.shape == (37, 1)


def peak_beyond_the_result(n, cell):
    network, theta = make_network(cell, H=8)
    lengths = np.random.default_rng(0).integers(2, 80, size=n)
    values, offsets = pack(make_sequences(lengths))
    tracemalloc.start()
    try:
        raw = run_in_blocks(network, network.raw_prediction, theta, values, offsets)
        return tracemalloc.get_traced_memory()[1] - raw.nbytes - 8 * len(offsets) * 3
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_memory_does_not_grow_with_the_number_of_sequences(cell, monkeypatch):
    """Of many lengths, so that the blocks have many different numbers of columns."""
    monkeypatch.setattr(prediction, "NUMBERS", 2**15)
    assert peak_beyond_the_result(3000, cell) < 1.2 * peak_beyond_the_result(300, cell)


def test_one_long_sequence_takes_a_workspace_and_no_more():
    network, theta = make_network("lstm")
    T = 10_000
    values, offsets = pack(make_sequences([T]))
    tracemalloc.start()
    try:
        run_in_blocks(network, network.raw_prediction, theta, values, offsets)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2000 * T


# --- From a state, and after each step ------------------------------------------------------------


def make_stepper(cell="lstm", pooling="mean", **options):
    network, theta = make_network(cell, num_layers=2, K=3, pooling=pooling, **options)
    return Stepper(network, theta)


@pytest.mark.parametrize("columns", [1, 5, 256])
@pytest.mark.parametrize("numbers", [1, 3000, 2**22])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_a_state_comes_back_in_the_order_of_the_sequences(
    cell, pooling, columns, numbers, monkeypatch
):
    monkeypatch.setattr(prediction, "COLUMNS", columns)
    monkeypatch.setattr(prediction, "NUMBERS", numbers)
    stepper, sequences = make_stepper(cell, pooling), make_sequences(LENGTHS)
    start = stepper.start(37, None)
    raw, state = run_from_state(stepper, *pack(sequences), start, None)
    network, theta = stepper.network, stepper.theta
    assert_close(raw, run_in_blocks(network, network.raw_prediction, theta, *pack(sequences)))
    np.testing.assert_array_equal(state.n_steps, LENGTHS)
    for i, x in enumerate(sequences):
        expected = stepper.start(1, None)
        for x_t in x:
            alone, expected = stepper.step(x_t[:, None], expected, None)
        assert_close(raw[i], alone[:, 0])
        assert_close(state.h[:, i], expected.h[:, 0])
        assert_close(state.pooled[i], expected.pooled[0])
        if cell == "lstm":
            assert_close(state.c[:, i], expected.c[:, 0])
    assert not start.h.any()


@pytest.mark.parametrize("columns", [1, 5, 256])
@pytest.mark.parametrize("numbers", [1, 3000, 2**22])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_each_step_of_each_sequence_gets_its_own_answer(pooling, columns, numbers, monkeypatch):
    monkeypatch.setattr(prediction, "COLUMNS", columns)
    monkeypatch.setattr(prediction, "NUMBERS", numbers)
    stepper, sequences = make_stepper("gru", pooling), make_sequences(LENGTHS)
    raw = run_each_step(stepper, *pack(sequences))
    rows = iter(raw)
    for x in sequences:
        state = stepper.start(1, None)
        for x_t in x:
            alone, state = stepper.step(x_t[:, None], state, None)
            assert_close(next(rows), alone[:, 0])


def test_memory_from_a_state_does_not_grow_with_length(monkeypatch):
    monkeypatch.setattr(prediction, "NUMBERS", 2**15)
    stepper = make_stepper("lstm")

    def peak(T):
        packed = pack(make_sequences([T, T - 1, 3]))
        tracemalloc.start()
        try:
            run_from_state(stepper, *packed, stepper.start(3, None), None)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20_000) < 1.1 * peak(5_000)
