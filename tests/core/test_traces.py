"""States, gates and errors of every step, against plain runs and against shorter ones."""

from dataclasses import replace

import numpy as np
import pytest

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.traces import (
    error_bounds,
    error_norms,
    in_order,
    layer_gates,
    layer_states,
    step_errors,
)
from tests.core.helpers import CELLS, assert_close, random_problem


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def run(problem, *, n_steps=None):
    """Forward and backward in workspaces that keep every step's errors."""
    sizes = n_steps or problem.block.n_steps, problem.block.n_columns, np.float64
    workspaces = problem.network.stack.make_workspaces(*sizes, training=True, input_gradient=True)
    for row, row_states in zip(workspaces, problem.states, strict=True):
        for ws, state in zip(row, row_states, strict=True):
            ws.start_from(state)
    problem.loss_gradient(workspaces=workspaces)
    return workspaces


def test_directions_come_in_the_time_of_the_sequences():
    block = Block(np.zeros((4, 1, 2)), np.array([4, 2]))
    forward = np.arange(8.0).reshape(4, 1, 2)
    backward = -forward
    both = in_order([forward, backward], block)
    np.testing.assert_array_equal(both[:, 0], forward[:, 0])
    np.testing.assert_array_equal(both[:, 1, 0], backward[::-1, 0, 0])
    np.testing.assert_array_equal(both[:2, 1, 1], backward[1::-1, 0, 1])


@pytest.mark.parametrize("n_directions", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_gates_give_the_states(cell, n_directions):
    """Each layer's gates, put into the equations by hand, give its states."""
    problem = random_problem(cell, num_layers=2, n_directions=n_directions, ragged=True)
    stack, block, workspaces = problem.network.stack, problem.block, run(problem)
    names = stack.layers[0].activations_by_letter
    if not names:
        assert cell.startswith("rnn")
        return
    for layer, row in enumerate(workspaces):
        h = layer_states(row, block)
        parts = np.split(layer_gates(stack, layer, row, block), len(names), axis=1)
        gates = dict(zip(names, parts, strict=True))
        real = np.broadcast_to(block.real[:, None], h.shape)
        if cell == "lstm":
            expected = gates["o"] * np.tanh(gates["c"])
        else:
            h_prev = in_order([np.stack(ws.h_steps[: block.n_steps]) for ws in row], block)
            expected = gates["n"] + gates["z"] * (h_prev - gates["n"])
        assert_close(h[real], expected[real])


def test_gates_of_an_lstm_follow_from_its_weights():
    problem = random_problem("lstm")
    stack, block = problem.network.stack, problem.block
    (row,) = run(problem)
    i, f, g, o, c = np.split(layer_gates(stack, 0, row, block), 5, axis=1)
    weights = problem.network.layout.public(problem.theta)
    h_prev, c_prev = problem.states[0][0]
    for t in range(block.n_steps):
        z = weights["weight_ih_l0"] @ block.x[t] + weights["weight_hh_l0"] @ h_prev
        z += weights["bias_ih_l0"][:, None]
        z_i, z_f, z_g, z_o = np.split(z, 4)
        for gate, expected in ((i, sigmoid(z_i)), (f, sigmoid(z_f)), (o, sigmoid(z_o))):
            assert_close(gate[t], expected)
        assert_close(g[t], np.tanh(z_g))
        c_prev = f[t] * c_prev + i[t] * g[t]
        assert_close(c[t], c_prev)
        h_prev = o[t] * np.tanh(c_prev)


def test_gates_of_a_gru_follow_from_its_weights():
    problem = random_problem("gru")
    (row,) = run(problem)
    block = problem.block
    r, z, n = np.split(layer_gates(problem.network.stack, 0, row, block), 3, axis=1)
    weights = problem.network.layout.public(problem.theta)
    (h_prev,) = problem.states[0][0]
    for t in range(block.n_steps):
        from_x = weights["weight_ih_l0"] @ block.x[t] + weights["bias_ih_l0"][:, None]
        from_h = weights["weight_hh_l0"] @ h_prev + weights["bias_hh_l0"][:, None]
        (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(from_x, 3), np.split(from_h, 3)
        assert_close(r[t], sigmoid(x_r + h_r))
        assert_close(z[t], sigmoid(x_z + h_z))
        assert_close(n[t], np.tanh(x_n + r[t] * h_n))
        h_prev = n[t] + z[t] * (h_prev - n[t])


@pytest.mark.parametrize("columns", [4, 1024], ids=["small_chunks", "one_chunk"])
@pytest.mark.parametrize("spare", [0, 3], ids=["exact", "longer_workspace"])
@pytest.mark.parametrize("cell", CELLS)
def test_error_of_a_step_is_the_gradient_of_what_the_rest_starts_from(
    cell, spare, columns, chunk_columns
):
    """dL/dh_t of a long run is dL/dh_0 of a run over the steps after t."""
    chunk_columns(columns)
    problem = random_problem(cell, layer_norm=spare > 0)
    T = problem.block.n_steps
    ((ws,),) = run(problem, n_steps=T + spare)
    errors = step_errors(ws, T)
    for t in range(T - 1):
        rest = replace(
            problem,
            block=Block(problem.block.x[t + 1 :], problem.block.lengths - t - 1),
            states=[[tuple(state.copy() for state in ws.state_after(t + 1))]],
        )
        ((ws_rest,),) = run(rest)
        assert_close(errors[t], ws_rest.dZ[0, : ws.hidden_size])
    assert_close(errors[-1], ws.dh[T - 1])


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "none"])
@pytest.mark.parametrize("n_directions", [1, 2])
@pytest.mark.parametrize("cell", ["rnn-tanh", "rnn-relu"])
def test_no_error_is_larger_than_its_bound(cell, n_directions, pooling):
    problem = random_problem(
        cell, num_layers=2, n_directions=n_directions, pooling=pooling, ragged=True
    )
    workspaces, network = run(problem), problem.network
    cells = network.layout.bind(problem.theta).cells
    norms = error_norms(workspaces, problem.block)
    bounds = error_bounds(network.stack, cells, workspaces, problem.block)
    assert norms.shape == bounds.shape == (7, 2 * n_directions, 3)
    assert (norms <= bounds * (1 + 1e-12)).all()
    assert norms.any(axis=(0, 2)).all()
    assert not norms.transpose(1, 0, 2)[:, ~problem.block.real].any()


def test_bound_is_reached_by_a_linear_unit():
    """One unit that relu never cuts: each step back multiplies by w, which is sigma_max."""
    problem = random_problem("rnn-relu", H=1, F=1, B=1)
    weights = problem.parameters.cells
    weights[0][0]["W"][...] = [[0.7, 1.0, 0.1]]
    workspaces = run(problem)
    norms = error_norms(workspaces, problem.block)[:, 0, 0]
    bounds = error_bounds(problem.network.stack, weights, workspaces, problem.block)[:, 0, 0]
    assert_close(norms, norms[-1] * 0.7 ** np.arange(6, -1, -1))
    assert_close(bounds, norms)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gated_cells_have_no_bound(cell):
    problem = random_problem(cell)
    cells = problem.parameters.cells
    workspaces = run(problem)
    assert error_bounds(problem.network.stack, cells, workspaces, problem.block) is None
