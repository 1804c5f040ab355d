"""A block run piece by piece: the same answers, and gradients that no cut lets through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_rnn._core.masks import NO_MASKS
from sklearn_rnn._core.truncation import cut, real_steps, start_from, states_after
from tests.core import reference
from tests.core.helpers import (
    CELLS,
    assert_close,
    assert_same_gradients,
    merge_biases,
    random_problem,
)

POOLINGS = ("last", "mean", "max")


def make_problem(cell="lstm", **options):
    """A problem whose sequences start from zero states, as they do in training."""
    problem = random_problem(cell, **{"T": 9, "B": 4, "num_layers": 2, "ragged": True, **options})
    for row in problem.states:
        for state in row:
            for array in state:
                array[...] = 0
    return problem


def short_workspaces(problem, n_steps, **options):
    return problem.network.make_workspaces(
        n_steps, problem.block.n_columns, np.float64, **{"training": True, **options}
    )


def truncated(problem, n_steps):
    return problem.truncated_loss_gradient(short_workspaces(problem, n_steps))


def plain_pieces(problem, weights, x, n_steps):
    """One sequence by the plain reference: (states, tapes) of each piece, top layer last."""
    state = [tuple(np.zeros_like(s[:, 0]) for s in row[0]) for row in problem.states]
    pieces = []
    for begin in range(0, len(x), n_steps):
        h, tapes = x[begin : begin + n_steps], []
        for layer in range(len(state)):
            w = reference.cell_weights(weights, layer, 0)
            h, state[layer], tape = reference.CELLS[problem.cell].forward(w, h, state[layer])
            tapes.append([tape])
        pieces.append((h, tapes))
    return pieces


def plain_truncated(problem, n_steps):
    """Truncated gradients of the cells' weights, one sequence and piece at a time."""
    weights = problem.network.layout.public(problem.theta)
    alpha = problem.network.alpha
    total = {k: alpha * w if k.startswith("weight") else 0 * w for k, w in weights.items()}
    for column, x in enumerate(problem.sequences()):
        pieces = plain_pieces(problem, weights, x, n_steps)
        h = np.concatenate([states for states, _ in pieces])
        pooled = reference.pool(h, problem.pooling)
        raw = weights["weight_out"] @ pooled + weights["bias_out"]
        _, draw = reference.loss(problem.loss, raw, problem.y[:, column])
        draw *= problem.weight[column] / problem.normalizer
        total["weight_out"] += np.outer(draw, pooled)
        total["bias_out"] += draw
        dh = reference.pool_backward(h, weights["weight_out"].T @ draw, problem.pooling)
        for begin, (_, tapes) in zip(range(0, len(x), n_steps), pieces, strict=True):
            errors = [dh[begin : begin + n_steps]]
            _, _, gradients = reference.stack_backward(problem.cell, weights, tapes, errors)
            for name, gradient in gradients.items():
                total[name] += gradient
    return total


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("n_steps", [1, 4, 8])
@pytest.mark.parametrize("cell", CELLS)
def test_truncated_gradients_are_the_plain_ones(cell, n_steps, pooling):
    problem = make_problem(cell, pooling=pooling)
    value, gradient = truncated(problem, n_steps)
    full_value, _ = problem.loss_gradient()
    assert_close(value, full_value)
    expected = merge_biases(cell, plain_truncated(problem, n_steps))
    assert_same_gradients(problem.network.layout.public(gradient), expected)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_piece_that_holds_the_sequence_gives_the_full_gradient(pooling):
    problem = make_problem(pooling=pooling)
    value, gradient = truncated(problem, problem.block.n_steps)
    full_value, full = problem.loss_gradient()
    assert value == full_value
    np.testing.assert_array_equal(gradient, full)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", [*POOLINGS, "none"])
@settings(max_examples=15, deadline=None, derandomize=True)
@given(n_steps=st.integers(1, 10), training=st.booleans(), seed=st.integers(0, 99))
def test_answers_do_not_depend_on_the_pieces(cell, pooling, n_steps, training, seed):
    problem = make_problem(cell, pooling=pooling, seed=seed)
    network, parameters, block = problem.network, problem.parameters, problem.block
    workspaces = short_workspaces(problem, n_steps, training=training)
    for compute in (network.raw_prediction, network.pooled_states):
        expected = compute(parameters, problem.workspaces(), block)
        for _ in range(2):  # and a run leaves nothing behind for the next one
            actual = compute(parameters, workspaces, block)
            if pooling == "none":
                real = block.real.ravel()
                actual, wanted = actual[:, real], expected[:, real]
            else:
                wanted = expected
            assert_close(actual, wanted)


def test_pieces_cover_the_block():
    block = make_problem(T=9).block
    pieces = [piece for piece, _ in cut(block, 4, NO_MASKS)]
    assert [piece.n_steps for piece in pieces] == [4, 4, 1]
    np.testing.assert_array_equal(np.concatenate([piece.x for piece in pieces]), block.x)
    np.testing.assert_array_equal(real_steps(block, 4).sum(axis=0), block.lengths)


@pytest.mark.parametrize("cell", CELLS)
def test_states_are_copies_that_a_run_goes_on_from(cell):
    problem = make_problem(cell, ragged=False)
    workspaces = short_workspaces(problem, 9)
    cells = problem.parameters.cells
    (whole,) = problem.network.stack.forward(cells, workspaces, problem.block)
    whole = whole.copy()
    middle = states_after(workspaces, 5)
    start_from(workspaces, middle)
    rest = type(problem.block)(problem.block.x[5:], problem.block.lengths - 5)
    (again,) = problem.network.stack.forward(cells, workspaces, rest)
    assert_close(again, whole[5:])
    again[...] = np.nan
    assert all(np.isfinite(array).all() for row in middle for state in row for array in state)
