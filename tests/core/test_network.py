"""The whole network is the plain one, and its objective the documented one."""

from dataclasses import replace

import numpy as np
import pytest

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.pooling import POOLINGS
from sklearn_rnn._core.stack import Stack
from tests.core import reference
from tests.core.helpers import CELLS, LOSSES, assert_close, assert_same_gradients, random_problem


@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "ragged"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "none"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", CELLS)
def test_network_is_the_plain_one(cell, loss, pooling, ragged):
    problem = random_problem(
        cell, B=4, num_layers=2, n_directions=2, loss=loss, pooling=pooling, ragged=ragged
    )
    value, gradient = problem.loss_gradient()
    raw = problem.network.raw_prediction(problem.parameters, problem.workspaces(), problem.block)
    expected, expected_raw, gradients, _, _ = problem.reference()
    assert_close(value, expected)
    answered = ~np.isnan(expected_raw).any(axis=0)
    assert_close(raw[:, answered], expected_raw[:, answered])
    assert_same_gradients(problem.network.layout.public(gradient), gradients)


def test_pooled_states_are_what_the_readout_sees():
    problem = random_problem("lstm", num_layers=2, n_directions=2, pooling="mean", ragged=True)
    pooled = problem.network.pooled_states(problem.parameters, problem.workspaces(), problem.block)
    weights = problem.network.layout.public(problem.theta)
    for column, x in enumerate(problem.sequences()):
        states, _ = reference.stack_forward("lstm", weights, x, problem.states_of(column))
        expected = np.concatenate([h.mean(axis=0) for h in states])
        assert_close(pooled[:, column], expected)
    raw = problem.network.raw_prediction(problem.parameters, problem.workspaces(), problem.block)
    assert_close(weights["weight_out"] @ pooled + weights["bias_out"][:, None], raw)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0, 20.0])
def test_the_objective_is_the_documented_one(alpha):
    """sum of weight loss / normalizer + alpha / 2 |weights|^2."""
    problem = random_problem("gru", alpha=alpha)
    raw = problem.network.raw_prediction(problem.parameters, problem.workspaces(), problem.block)
    losses = ((raw - problem.y) ** 2).sum(axis=0) / 2
    weights = problem.network.layout.public(problem.theta)
    squares = sum((weights[f"weight_{which}"] ** 2).sum() for which in ("ih_l0", "hh_l0", "out"))
    value, _ = problem.loss_gradient()
    assert_close(value, losses @ problem.weight / problem.normalizer + alpha / 2 * squares)


def test_the_gradient_of_the_penalty_is_alpha_times_the_weights():
    problem = random_problem("lstm", alpha=0.25, num_layers=2)
    _, gradient = problem.loss_gradient()
    without = replace(problem, network=replace(problem.network, alpha=0.0))
    _, gradient_without = without.loss_gradient()
    for name, difference in problem.network.layout.public(gradient - gradient_without).items():
        weight = problem.network.layout.public(problem.theta)[name]
        expected = 0.25 * weight if name.startswith("weight") else 0 * weight
        assert_close(difference, expected, scale=1)


def test_the_normalizer_divides_loss_and_gradient():
    problem = random_problem("lstm", alpha=0.0)
    value, gradient = problem.loss_gradient()
    tenth, gradient_tenth = replace(problem, normalizer=10 * problem.normalizer).loss_gradient()
    assert_close(10 * tenth, value)
    assert_close(10 * gradient_tenth, gradient)


def test_a_weight_of_w_is_w_copies():
    problem = random_problem("gru", B=3, ragged=True)
    weighted = replace(problem, weight=np.array([2.0, 0.0, 3.0]))
    value, gradient = weighted.loss_gradient()
    index = [0, 0, 2, 2, 2]
    copies = replace(
        problem,
        block=Block(problem.block.x[:, :, index], problem.block.lengths[index]),
        y=problem.y[:, index],
        weight=np.ones(5),
        states=[[tuple(s[:, index] for s in state) for state in row] for row in problem.states],
    )
    expected, gradient_copies = copies.loss_gradient()
    assert_close(value, expected)
    assert_close(gradient, gradient_copies)


def test_zero_input_weights_make_the_input_immaterial():
    problem = random_problem("lstm", n_directions=2, num_layers=2)
    for parameters in problem.parameters.cells[0]:
        parameters["W"][:, problem.network.stack.layers[0].hidden_size + 1 :] = 0
    other = Block(problem.block.x + 3, problem.block.lengths)
    value, gradient = problem.loss_gradient()
    again, gradient_again = problem.loss_gradient(block=other)
    assert again == value
    assert not np.array_equal(gradient_again, gradient)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_compose_takes_the_options_apart(bidirectional):
    layers = (CELLS["gru"](2, 3), CELLS["gru"](6 if bidirectional else 3, 4))
    network = Network.compose(
        Stack(layers, 1 + bidirectional),
        pooling=POOLINGS["max"],
        n_outputs=5,
        loss=LOSSES["squared_error"],
        alpha=0.5,
    )
    workspaces = network.make_workspaces(6, 2, np.float32, training=True)
    theta = np.random.default_rng(0).normal(size=network.layout.size).astype(np.float32)
    block = Block(np.ones((6, 2, 2)), np.array([6, 6]))
    raw = network.raw_prediction(network.layout.bind(theta), workspaces, block)
    weights = network.layout.public(theta)
    zeros = [[(np.zeros(c.hidden_size),)] * (1 + bidirectional) for c in layers]
    states, _ = reference.stack_forward("gru", weights, np.ones((6, 2)), zeros)
    pooled = np.concatenate([h.max(axis=0) for h in states])
    expected = weights["weight_out"] @ pooled + weights["bias_out"]
    assert raw.dtype == np.float32
    assert_close(raw, np.tile(expected[:, None], 2), 1e-5)
    assert network.alpha == 0.5
