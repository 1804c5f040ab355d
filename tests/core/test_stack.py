"""Layers and directions against the plain network, and the symmetries of time."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_rnn._core.block import Block
from tests.core import reference
from tests.core.helpers import (
    CELLS,
    assert_close,
    assert_same_gradients,
    input_gradient,
    merge_biases,
    random_problem,
    state_gradients,
)

SHAPES = pytest.mark.parametrize(
    ("num_layers", "n_directions"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2)]
)


def run_stack(problem, errors):
    """States, all gradients, dx and dstates, with errors that enter at every step."""
    network, block, cells = problem.network, problem.block, problem.parameters.cells
    gradient = np.full_like(problem.theta, np.nan)
    dparameters = network.layout.bind(gradient)
    dparameters.readout["W_out"][...] = 0
    workspaces = problem.workspaces(input_gradient=True)
    states = [h.copy() for h in network.stack.forward(cells, workspaces, block)]
    for ws, dh in zip(workspaces[-1], errors, strict=True):
        ws.dh[...] = dh
        block.zero_padding(ws.dh)
    network.stack.backward(cells, workspaces, block, 0, dparameters.cells)
    dx = input_gradient(workspaces, block)
    return states, network.layout.public(gradient), dx, state_gradients(workspaces)


def random_errors(problem, seed=3):
    T, _, B = problem.block.x.shape
    stack = problem.network.stack
    size = (stack.n_directions, T, stack.layers[-1].hidden_size, B)
    return np.random.default_rng(seed).normal(size=size)


@SHAPES
@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "ragged"])
@pytest.mark.parametrize("cell", CELLS)
def test_stack_is_the_plain_one(cell, num_layers, n_directions, ragged, chunk_columns):
    chunk_columns(10)
    problem = random_problem(
        cell, B=4, num_layers=num_layers, n_directions=n_directions, ragged=ragged
    )
    errors = random_errors(problem)
    states, gradients, dx, dstates = run_stack(problem, errors)

    weights = problem.network.layout.public(problem.theta)
    total = reference.zeros_like(weights)
    for column, x in enumerate(problem.sequences()):
        length = len(x)
        expected, tapes = reference.stack_forward(cell, weights, x, problem.states_of(column))
        for h, plain in zip(states, expected, strict=True):
            assert_close(h[:length, :, column], plain)
            assert not h[length:, :, column].any()
        dhs = list(errors[:, :length, :, column])
        plain_dx, plain_dstates, dw = reference.stack_backward(cell, weights, tapes, dhs)
        assert_close(dx[:length, :, column], plain_dx)
        assert not dx[length:, :, column].any()
        pairs = zip(chain(*chain(*dstates)), chain(*chain(*plain_dstates)), strict=True)
        for made, plain in pairs:
            assert_close(made[:, column], plain, scale=np.abs(made).max())
        total |= {name: total[name] + array for name, array in dw.items()}
    assert_same_gradients(gradients, merge_biases(cell, total))


@pytest.mark.parametrize("cell", CELLS)
def test_states_begin_at_zero_unless_somebody_writes_them(cell):
    problem = random_problem(cell, num_layers=2, n_directions=2)
    zeros = [[tuple(0 * s for s in state) for state in row] for row in problem.states]
    cells = problem.parameters.cells
    workspaces = problem.network.make_workspaces(7, 3, np.float64, training=True)
    states = problem.network.stack.forward(cells, workspaces, problem.block)
    expected = problem.network.stack.forward(
        cells, replace(problem, states=zeros).workspaces(), problem.block
    )
    np.testing.assert_array_equal(states, expected)


@pytest.mark.parametrize("cell", CELLS)
def test_errors_may_enter_late(cell):
    """Lower layers get errors at every step, even where the top gets them at the last alone."""
    problem = random_problem(cell, num_layers=2, n_directions=2)
    errors = random_errors(problem)
    errors[:, :-1] = 0
    _, expected, dx, _ = run_stack(problem, errors)
    network, gradient = problem.network, np.zeros_like(problem.theta)
    workspaces = problem.workspaces(input_gradient=True)
    cells = network.layout.bind(problem.theta).cells
    network.stack.forward(cells, workspaces, problem.block)
    for row in workspaces:
        for ws in row:
            ws.dh[...] = np.nan
    for ws, dh in zip(workspaces[-1], errors, strict=True):
        ws.dh[-1] = dh[-1]
    network.stack.backward(cells, workspaces, problem.block, 6, network.layout.bind(gradient).cells)
    assert_same_gradients(network.layout.public(gradient), expected, 1e-15)
    np.testing.assert_array_equal(input_gradient(workspaces, problem.block), dx)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(list(CELLS)),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4).map(np.array),
    seed=st.integers(0, 1000),
)
def test_reversed_input_is_reversed_direction(cell, lengths, seed):
    """Swap the directions' weights and turn every sequence round: the states swap too."""
    problem = random_problem(
        cell, T=lengths.max(), B=len(lengths), n_directions=2, seed=seed, num_layers=1
    )
    block = Block(problem.block.x, lengths)
    turned = Block(block.reverse(block.x), lengths)
    (directions,) = problem.parameters.cells
    forward = problem.network.stack.forward

    def without_initial_states():
        sizes = block.n_steps, block.n_columns, np.float64
        return problem.network.make_workspaces(*sizes, training=False)

    one, other = forward([directions], without_initial_states(), block)
    swapped = forward([directions[::-1]], without_initial_states(), turned)
    np.testing.assert_array_equal(swapped, [other, one])


def test_the_reverse_direction_starts_at_each_true_end():
    """Its first state is the one after the sequence's last step, whatever the padding."""
    problem = random_problem("rnn-tanh", n_directions=2, B=4, ragged=True)
    cells = problem.parameters.cells
    _, reverse = problem.network.stack.forward(cells, problem.workspaces(), problem.block)
    w = reference.cell_weights(problem.network.layout.public(problem.theta), 0, 1)
    for column, x in enumerate(problem.sequences()):
        h0 = problem.states[0][1][0][:, column]
        z = sum(reference.pre_activations(w, x[-1], h0))
        assert_close(reverse[0, :, column], np.tanh(z))


def test_the_input_is_only_read():
    problem = random_problem("gru", n_directions=2, num_layers=2, ragged=True)
    for array in (problem.block.x, problem.block.lengths, problem.theta, problem.y, problem.weight):
        array.setflags(write=False)
    problem.loss_gradient()


def test_the_first_layer_does_not_compute_what_nobody_reads():
    for k, row in enumerate(random_problem("gru", num_layers=3, n_directions=2).workspaces()):
        assert {ws.input_gradient for ws in row} == {k > 0}
        assert {ws.dZ.strides[0] > 0 for ws in row} == {k > 0}


def test_output_size_counts_both_directions():
    stack = random_problem("gru", H=3, n_directions=2).network.stack
    assert stack.output_size == 6
    assert random_problem("gru", H=3).network.stack.output_size == 3
