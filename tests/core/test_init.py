"""Initial weights have the distributions that they are said to have."""

from itertools import pairwise

import numpy as np
import pytest

from sklearn_rnn._core.init import glorot_uniform, orthogonal
from sklearn_rnn._core.lstm import LSTMCell
from tests.core.helpers import CELLS, random_problem

BIAS_OUT = np.array([0.5, -1.5])


def initial(cell, seed=0, longest=9, **sizes):
    """Public names of the initial weights, and the cell."""
    network = random_problem(cell, **{"H": 4, "F": 3, "num_layers": 2, **sizes}).network
    theta = network.layout.initial(np.random.default_rng(seed), BIAS_OUT, longest)
    assert theta.dtype == np.float64
    return network.layout.public(theta)


@pytest.mark.parametrize("size", [1, 2, 10])
def test_orthogonal(size):
    Q = orthogonal(np.random.default_rng(0), size)
    np.testing.assert_allclose(Q @ Q.T, np.eye(size), atol=1e-14)


def test_orthogonal_is_uniform():
    """Every entry is symmetric around 0, which LAPACK's Q without the correction is not."""
    rng = np.random.default_rng(0)
    draws = np.array([orthogonal(rng, 3) for _ in range(2000)])
    standard_error = np.sqrt(1 / 3 / len(draws))
    assert np.abs(draws.mean(axis=0)).max() < 4 * standard_error
    assert np.abs((draws**2).mean(axis=0) - 1 / 3).max() < 0.03
    assert abs(np.mean(np.linalg.det(draws) > 0) - 0.5) < 0.05


@pytest.mark.parametrize(("fan_out", "fan_in"), [(200, 100), (3, 20_000)])
def test_glorot(fan_out, fan_in):
    W = glorot_uniform(np.random.default_rng(0), fan_out, fan_in)
    bound = np.sqrt(6 / (fan_in + fan_out))
    assert W.shape == (fan_out, fan_in)
    assert 0.999 * bound < np.abs(W).max() <= bound
    np.testing.assert_allclose(W.var(), 2 / (fan_in + fan_out), rtol=0.03)
    assert abs(W.mean()) < 0.02 * bound


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_weights_are_orthogonal_gate_by_gate(cell):
    for layer in (0, 1):
        blocks = np.split(initial(cell)[f"weight_hh_l{layer}"], len(CELLS[cell](3, 4).gates))
        for block in blocks:
            np.testing.assert_allclose(block @ block.T, np.eye(4), atol=1e-14)
        for one, other in pairwise(blocks):
            assert not np.allclose(one, other)


@pytest.mark.parametrize("cell", CELLS)
def test_input_weights_are_those_of_glorot_gate_by_gate(cell):
    weights = initial(cell, F=300, H=20)
    for layer, fan_in in enumerate((300, 20)):
        bound = np.sqrt(6 / (fan_in + 20))
        for block in np.split(weights[f"weight_ih_l{layer}"], len(CELLS[cell](3, 4).gates)):
            assert 0.9 * bound < np.abs(block).max() <= bound


@pytest.mark.parametrize("cell", CELLS)
def test_biases_are_zero_but_for_the_forget_gate_and_the_prior(cell):
    weights = initial(cell, n_directions=2)
    np.testing.assert_array_equal(weights.pop("bias_out"), BIAS_OUT)
    for name, array in weights.items():
        if name.startswith("bias_ih") and cell == "lstm":
            np.testing.assert_array_equal(array, np.repeat([0.0, 1.0, 0.0, 0.0], 4))
        elif name.startswith("bias"):
            assert not array.any()


def test_the_forget_bias_is_a_parameter():
    cell = LSTMCell(3, 4, forget_bias=2.5)
    W = np.zeros(cell.parameter_shapes["W"])
    cell.initialize({"W": W}, np.random.default_rng(0), 9)
    forget = W.reshape(4, 4, -1)[cell.gates.index("f")]
    np.testing.assert_array_equal(forget[:, 4], 2.5)
    assert np.count_nonzero(W[:, 4]) == 4


@pytest.mark.parametrize("cell", CELLS)
def test_readout_weights_are_those_of_glorot(cell):
    W = initial(cell, H=300, num_layers=1)["weight_out"]
    bound = np.sqrt(6 / (2 + 300))
    assert 0.95 * bound < np.abs(W).max() <= bound


@pytest.mark.parametrize("cell", CELLS)
def test_the_generator_decides_everything(cell):
    one, same, other = initial(cell), initial(cell), initial(cell, seed=1)
    for name, array in one.items():
        np.testing.assert_array_equal(array, same[name])
        assert name.startswith("bias") or not np.array_equal(array, other[name])
