"""Pooling and the output layer, forward and backward, against plain loops."""

import numpy as np
import pytest

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.pooling import NO_POOLING, POOLINGS
from sklearn_rnn._core.readout import Readout
from tests.core import reference
from tests.core.helpers import assert_close

T, H, B = 6, 3, 4
LENGTHS = {"equal": np.full(B, T), "ragged": np.array([4, 6, 2, 3])}

NO_W = np.empty(0)  # the weight of poolings that have none
SUMMARIES = ["last", "mean", "max"]
all_poolings = pytest.mark.parametrize("pooling", SUMMARIES)
all_lengths = pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)


def make_states(lengths, seed=0, shift=0.0):
    """States (T, H, B), zero in the padding, and their block."""
    block = Block(np.zeros((T, 1, B)), lengths)
    h = np.random.default_rng(seed).normal(size=(T, H, B)) + shift
    block.zero_padding(h)
    return h, block


@all_poolings
@all_lengths
@pytest.mark.parametrize("shift", [0, -9, 9], ids=["any_sign", "negative", "positive"])
def test_pooling_forward_is_the_plain_one(pooling, lengths, shift):
    h, block = make_states(lengths, shift=shift)
    pooled = POOLINGS[pooling].forward(h, block, NO_W)
    for column, length in enumerate(lengths):
        assert_close(pooled[:, column], reference.pool(h[:length, :, column], pooling), 1e-15)


@all_poolings
@all_lengths
@pytest.mark.parametrize("shift", [0, -9, 9], ids=["any_sign", "negative", "positive"])
def test_pooling_backward_is_the_plain_one(pooling, lengths, shift):
    h, block = make_states(lengths, shift=shift)
    dpooled = np.random.default_rng(1).normal(size=(H, B))
    dh = np.full_like(h, np.nan)
    first = POOLINGS[pooling].backward(h, dpooled, block, dh, NO_W, NO_W)
    assert np.isnan(dh[:first]).all()  # no error enters there, and nothing is written
    dh[:first] = 0
    for column, length in enumerate(lengths):
        expected = reference.pool_backward(h[:length, :, column], dpooled[:, column], pooling)
        assert_close(dh[:length, :, column], expected, 1e-15)
        assert not dh[length:, :, column].any()


@all_lengths
def test_where_errors_enter_first(lengths):
    h, block = make_states(lengths)
    dpooled, dh = np.ones((H, B)), np.empty_like(h)
    first = {name: POOLINGS[name].backward(h, dpooled, block, dh, NO_W, NO_W) for name in SUMMARIES}
    assert first == {"last": lengths.min() - 1, "mean": 0, "max": 0}


def test_the_first_of_equal_maxima_wins():
    block = Block(np.zeros((T, 1, B)), LENGTHS["ragged"])
    h, dh = np.ones((T, H, B)), np.full((T, H, B), np.nan)
    h[0] = 0
    POOLINGS["max"].backward(h, np.full((H, B), 5.0), block, dh, NO_W, NO_W)
    expected = np.zeros((T, H, B))
    expected[1] = 5
    np.testing.assert_array_equal(dh, expected)


@all_poolings
@all_lengths
def test_pooling_backward_by_complex_step(pooling, lengths):
    """The derivative of u . pool(h) along v is backward(u) . v."""
    h, block = make_states(lengths)
    rng = np.random.default_rng(2)
    along, u = rng.normal(size=h.shape), rng.normal(size=(H, B))
    dh = np.zeros_like(h)
    POOLINGS[pooling].backward(h, u, block, dh, NO_W, NO_W)
    moved = h + 1e-30j * along
    block.zero_padding(moved)
    derivative = (u * POOLINGS[pooling].forward(moved, block, NO_W)).sum().imag / 1e-30
    assert_close((dh * along).sum(), derivative)


@pytest.mark.parametrize("pooling", [*(POOLINGS[name] for name in SUMMARIES), NO_POOLING])
def test_pooling_keeps_float32(pooling):
    h, block = make_states(LENGTHS["ragged"])
    expected = pooling.forward(h, block, NO_W)
    pooled = pooling.forward(h.astype(np.float32), block, NO_W)
    assert pooled.dtype == np.float32
    assert_close(pooled, expected, 1e-6)


@all_lengths
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
def test_without_pooling_every_step_has_its_own_column(n_directions, lengths):
    """Both directions' states of one step lie below each other, each in the sequence's time."""
    states = [make_states(lengths, seed=d)[0] for d in range(n_directions)]
    block = make_states(lengths)[1]
    readout = Readout(n_directions * H, 1, NO_POOLING)
    assert readout.pooling.per_step
    pooled = readout.pool({}, states, block)
    assert pooled.shape == (n_directions * H, T * B)
    assert not any(np.shares_memory(pooled, h) for h in states)
    for column, length in enumerate(lengths):
        hidden = [h[:length, :, column] for h in states]
        answers = pooled.reshape(-1, T, B)[:, :length, column]
        np.testing.assert_array_equal(answers.T, reference.seen(hidden, "none"))


@all_lengths
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
def test_without_pooling_every_step_has_its_own_error(n_directions, lengths):
    states = [make_states(lengths, seed=d)[0] for d in range(n_directions)]
    block = make_states(lengths)[1]
    dpooled = np.random.default_rng(3).normal(size=(n_directions * H, T, B))
    dpooled[:, ~block.real] = 0  # as the weights of the padding make it
    errors = [np.full((T, H, B), np.nan) for _ in states]
    readout = Readout(n_directions * H, 1, NO_POOLING)
    first = readout.scatter({}, states, dpooled.reshape(n_directions * H, -1), block, errors, {})
    assert first == 0
    for column, length in enumerate(lengths):
        hidden = [h[:length, :, column] for h in states]
        dseen = dpooled[:, :length, column].T
        expected = reference.seen_backward(hidden, dseen, "none")
        for dh, dh_expected in zip(errors, expected, strict=True):
            np.testing.assert_array_equal(dh[:length, :, column], dh_expected)
            assert not dh[length:, :, column].any()


def test_output_layer_both_ways():
    rng = np.random.default_rng(0)
    K, S = 2, 5
    readout = Readout(S, K, POOLINGS["last"])
    W, pooled, draw = rng.normal(size=(K, S + 1)), rng.normal(size=(S, B)), rng.normal(size=(K, B))
    dW = np.full_like(W, np.nan)
    raw = readout.forward({"W_out": W}, pooled)
    dpooled = readout.backward({"W_out": W}, [pooled, raw], draw, {"W_out": dW})
    expected_dW = np.zeros_like(W)
    for b in range(B):
        assert_close(raw[:, b], W[:, :S] @ pooled[:, b] + W[:, S])
        assert_close(dpooled[:, b], W[:, :S].T @ draw[:, b])
        expected_dW[:, :S] += np.outer(draw[:, b], pooled[:, b])
        expected_dW[:, S] += draw[:, b]
    assert_close(dW, expected_dW)


@all_poolings
def test_each_direction_has_its_own_rows(pooling):
    readout = Readout(2 * H, 1, POOLINGS[pooling])
    (forward, block), (reverse, _) = (
        make_states(LENGTHS["ragged"]),
        make_states(LENGTHS["ragged"], seed=1),
    )
    pooled = readout.pool({}, [forward, reverse], block)
    np.testing.assert_array_equal(pooled[:H], POOLINGS[pooling].forward(forward, block, NO_W))
    np.testing.assert_array_equal(pooled[H:], POOLINGS[pooling].forward(reverse, block, NO_W))

    dpooled = np.random.default_rng(2).normal(size=(2 * H, B))
    errors, expected = np.zeros((2, 2, T, H, B))
    first = readout.scatter({}, [forward, reverse], dpooled, block, list(errors), {})
    for direction, h in enumerate((forward, reverse)):
        rows = dpooled[direction * H : (direction + 1) * H]
        assert first == POOLINGS[pooling].backward(h, rows, block, expected[direction], NO_W, NO_W)
    np.testing.assert_array_equal(errors, expected)


def test_the_pooled_state_is_not_a_view_of_the_workspace():
    h, block = make_states(LENGTHS["equal"])
    assert not np.shares_memory(Readout(H, 1, POOLINGS["last"]).pool({}, [h], block), h)
