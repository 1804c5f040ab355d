"""Every gradient against a derivative that knows nothing of backpropagation.

The complex step: Im f(theta + i h d) / h is the derivative of f along d to the last bits, since
no difference is taken. It needs the whole core to run in complex128, which it does.
"""

from itertools import cycle, islice, product
from random import Random

import numpy as np
import pytest

from sklearn_rnn._core.block import Block
from tests.core import reference
from tests.core.helpers import (
    CELLS,
    LOSSES,
    assert_close,
    input_gradient,
    random_problem,
    state_gradients,
    write_states,
)

STEP = 1e-30
STEPS = (1, 2, 7, 100)
POOLINGS = ("last", "mean", "max", "none")


def complex_derivatives(problem, directions):
    """Derivative of the objective by theta along each direction, by complex step."""
    workspaces = problem.workspaces(np.complex128)

    def value(direction):
        return problem.loss_gradient(problem.theta + 1j * STEP * direction, workspaces)[0]

    return np.array([value(direction).imag / STEP for direction in directions])


def assert_gradient_along(problem, directions, rounding=1e-14):
    """Assert that the gradient has the derivatives along directions of length 1."""
    value, gradient = problem.loss_gradient()
    derivatives = complex_derivatives(problem, directions)
    assert_close(directions @ gradient, derivatives, 1e-12, scale=np.abs(gradient).max())
    assert np.abs(derivatives).max() > 1e-3 * np.abs(gradient).max()
    complex_value, complex_gradient = problem.loss_gradient(problem.theta + 0j)
    assert_close(complex_value.real, value, rounding)
    assert_close(complex_gradient, gradient, rounding)


def unit_directions(problem, n, seed=0):
    directions = np.random.default_rng(seed).normal(size=(n, problem.theta.size))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def smallest_pre_activation(problem):
    """How far every unit of a relu network is from its kink."""
    weights = problem.network.layout.public(problem.theta)
    smallest = np.inf
    for column, x in enumerate(problem.sequences()):
        _, tapes = reference.stack_forward("rnn-relu", weights, x, problem.states_of(column))
        for layer, row in enumerate(tapes):
            for direction, tape in enumerate(row):
                w = reference.cell_weights(weights, layer, direction)
                for x_t, h_prev, _ in tape:
                    z = sum(reference.pre_activations(w, x_t, h_prev))
                    smallest = min(smallest, np.abs(z).min())
    return smallest


# --- Complex step ---------------------------------------------------------------------------------

# Every combination of what shapes the recurrences, twice; what is independent of it takes turns,
# in an order that has nothing to do with the first.
SHAPES = list(product(CELLS, (1, 2, 3), (1, 2), POOLINGS, ("equal", "ragged"))) * 2
TURNS = list(islice(cycle(product(LOSSES, STEPS, (8, 1024))), len(SHAPES)))
Random(0).shuffle(TURNS)
NETWORKS = [(*shape, *turn) for shape, turn in zip(SHAPES, TURNS, strict=True)]


@pytest.mark.parametrize(
    ("cell", "num_layers", "n_directions", "pooling", "lengths", "loss", "T", "columns"), NETWORKS
)
def test_gradient_along_random_directions(
    cell, num_layers, n_directions, pooling, lengths, loss, T, columns, chunk_columns
):
    chunk_columns(columns)
    problem = random_problem(
        cell,
        T=T,
        num_layers=num_layers,
        n_directions=n_directions,
        pooling=pooling,
        ragged=lengths == "ragged",
        loss=loss,
    )
    assert_gradient_along(problem, unit_directions(problem, 3))


@pytest.mark.parametrize("pooling", ["mean", "none"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_every_parameter(cell, n_directions, loss, pooling, chunk_columns):
    chunk_columns(6)
    problem = random_problem(
        cell,
        T=5,
        H=2,
        num_layers=2,
        n_directions=n_directions,
        loss=loss,
        pooling=pooling,
        ragged=True,
    )
    assert_gradient_along(problem, np.eye(problem.theta.size))


@pytest.mark.parametrize("T", STEPS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_every_parameter_where_all_sizes_are_one(cell, pooling, T):
    problem = random_problem(cell, T=T, F=1, H=1, B=1, K=1, pooling=pooling, seed=1)
    assert_gradient_along(problem, np.eye(problem.theta.size))


@pytest.mark.parametrize("sizes", [dict(F=1), dict(H=1), dict(B=1), dict(K=1)], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_where_one_size_is_one(cell, sizes):
    problem = random_problem(cell, num_layers=2, n_directions=2, ragged=True, **sizes)
    assert_gradient_along(problem, unit_directions(problem, 5))


@pytest.mark.parametrize("T", STEPS)
@pytest.mark.parametrize("pooling", ["mean", "none"])
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_the_inputs(cell, n_directions, pooling, T, chunk_columns):
    chunk_columns(8)
    problem = random_problem(
        cell, T=T, num_layers=2, n_directions=n_directions, pooling=pooling, ragged=True
    )
    workspaces = problem.workspaces(input_gradient=True)
    problem.loss_gradient(workspaces=workspaces)
    dx = input_gradient(workspaces, problem.block)
    assert not dx.transpose(0, 2, 1)[~problem.block.real].any()

    workspaces = problem.workspaces(np.complex128)
    x = problem.block.x
    every_one = np.ndindex(x.shape) if T <= 7 else [(0, 0, 1), (T // 2, 1, 0), (T - 1, 1, 2)]
    for place in every_one:
        moved = x.astype(np.complex128)
        moved[place] += 1j * STEP
        block = Block(moved, problem.block.lengths)
        value, _ = problem.loss_gradient(problem.theta + 0j, workspaces, block)
        assert_close(dx[place], value.imag / STEP, 1e-12, scale=np.abs(dx).max())


@pytest.mark.parametrize("T", STEPS)
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_the_initial_states(cell, n_directions, T, chunk_columns):
    chunk_columns(8)
    problem = random_problem(cell, T=T, num_layers=2, n_directions=n_directions, ragged=True)
    workspaces = problem.workspaces()
    problem.loss_gradient(workspaces=workspaces)
    gradients = state_gradients(workspaces)
    rng = np.random.default_rng(0)
    for layer, row in enumerate(problem.states):
        for direction, state in enumerate(row):
            for which, start in enumerate(state):
                along = rng.normal(size=start.shape)
                moved = [[list(state) for state in row] for row in problem.states]
                moved[layer][direction][which] = start + 1j * STEP * along
                workspaces = problem.workspaces(np.complex128)
                write_states(workspaces, moved)
                value, _ = problem.loss_gradient(problem.theta + 0j, workspaces)
                gradient = gradients[layer][direction][which]
                derivative = value.imag / STEP
                assert_close((gradient * along).sum(), derivative, scale=np.abs(gradient).max())
                assert T == 100 or derivative != 0


@pytest.mark.parametrize("last", [0, 2, 5])
@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])  # relu units may be at rest anywhere
def test_no_input_after_the_last_scored_step_has_a_gradient(cell, last):
    problem = random_problem(cell, T=7, num_layers=2, pooling="none")
    problem.weight.reshape(7, 3)[last + 1 :] = 0
    problem.weight.reshape(7, 3)[last] = 1
    workspaces = problem.workspaces(input_gradient=True)
    problem.loss_gradient(workspaces=workspaces)
    dx = input_gradient(workspaces, problem.block)
    assert dx[: last + 1].any(axis=1).all()
    assert not dx[last + 1 :].any()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
def test_what_stands_in_steps_that_are_not_scored_has_no_say(n_directions, loss):
    problem = random_problem(n_directions=n_directions, loss=loss, pooling="none", ragged=True)
    value, gradient = problem.loss_gradient()
    problem.y[:, problem.weight == 0] += 5
    again, gradient_again = problem.loss_gradient()
    assert again == value
    np.testing.assert_array_equal(gradient_again, gradient)


# --- What production runs: float64 and float32 ----------------------------------------------------


@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "ragged"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", CELLS)
def test_central_differences(cell, loss, ragged):
    for seed in range(100):
        problem = random_problem(
            cell,
            num_layers=2,
            n_directions=2,
            pooling="mean",
            loss=loss,
            ragged=ragged,
            seed=seed,
        )
        if cell != "rnn-relu" or smallest_pre_activation(problem) > 1e-3:
            break
    else:
        pytest.fail("found no relu network with all units away from 0")
    workspaces = problem.workspaces()
    _, gradient = problem.loss_gradient(workspaces=workspaces)
    directions, h = unit_directions(problem, 10), 1e-5
    differences = [
        problem.loss_gradient(problem.theta + h * d, workspaces)[0]
        - problem.loss_gradient(problem.theta - h * d, workspaces)[0]
        for d in directions
    ]
    expected = np.array(differences) / (2 * h)
    assert_close(directions @ gradient, expected, 1e-7, scale=np.abs(gradient).max())


@pytest.mark.parametrize("T", STEPS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_float32_is_float64_rounded(cell, pooling, loss, T):
    problem = random_problem(
        cell, T=T, num_layers=2, n_directions=2, pooling=pooling, loss=loss, ragged=True
    )
    value, gradient = problem.loss_gradient()
    value32, gradient32 = problem.loss_gradient(problem.theta.astype(np.float32))
    assert gradient32.dtype == np.float32
    assert_close(value32, value, 1e-5)
    assert_close(gradient32, gradient, 1e-4)
