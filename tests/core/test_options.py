"""What a network may have besides its cells: against the plain network, and by complex step.

Dropout's masks, layer normalisation, residual connections, learned initial states, attention,
heads; each by itself and all together.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.masks import NO_MASKS
from sklearn_rnn._core.norm import EPSILON
from sklearn_rnn._core.numerics import softmax
from sklearn_rnn._core.pooling import POOLINGS
from sklearn_rnn._core.stepper import Stepper
from tests.core.helpers import CELLS, assert_close, input_gradient, random_problem
from tests.core.test_gradients import STEP, assert_gradient_along, unit_directions

OPTIONS = {
    "layer_norm": dict(layer_norm=True),
    "residual": dict(residual=True),
    "start": dict(learn_initial_state=True),
    "head": dict(head_sizes=(5, 4)),
    "attention": dict(pooling="attention"),
    "dropout": dict(dropout=True),
}
ALL = {name: value for option in OPTIONS.values() for name, value in option.items()}
SETS = {
    **OPTIONS,
    "all": ALL,
    "all_per_step": {**ALL, "pooling": "none"},
    "norm_and_residual_mean": dict(layer_norm=True, residual=True, pooling="mean"),
}
SHAPES = [(1, 1), (3, 1), (3, 2)]

all_cells = pytest.mark.parametrize("cell", CELLS)
all_sets = pytest.mark.parametrize("options", SETS.values(), ids=SETS)
all_shapes = pytest.mark.parametrize(
    ("num_layers", "n_directions"), SHAPES, ids=["one", "three", "three_both_ways"]
)
both_lengths = pytest.mark.parametrize("ragged", [False, True], ids=["equal", "ragged"])


def make_problem(cell, options, **sizes):
    return random_problem(cell, **{"T": 6, "B": 4, "H": 4, **sizes, **options})


@both_lengths
@all_shapes
@all_sets
@all_cells
def test_network_is_the_plain_one(cell, options, num_layers, n_directions, ragged):
    problem = make_problem(
        cell, options, num_layers=num_layers, n_directions=n_directions, ragged=ragged
    )
    expected = problem.reference_raw()
    value, _ = problem.loss_gradient()
    scored = ~np.isnan(expected).any(axis=0)
    difference = np.where(scored, expected, 0) - problem.y
    loss = (problem.weight * difference**2)[:, scored].sum() / 2 / problem.normalizer
    penalized = problem.network.layout.penalized
    penalty = problem.network.alpha / 2 * (problem.theta[penalized] ** 2).sum()
    assert_close(value, loss + penalty)


@all_sets
@all_cells
def test_predictions_know_no_dropout(cell, options):
    problem = replace(make_problem(cell, options, num_layers=2, ragged=True), masks=NO_MASKS)
    expected = problem.reference_raw()
    real = ~np.isnan(expected).any(axis=0)
    for n_steps in (6, 2):  # at once, and in pieces
        if n_steps == 2 and not problem.network.runs_in_pieces:
            continue
        workspaces = problem.workspaces(training=False, n_steps=n_steps)
        raw = problem.network.raw_prediction(problem.parameters, workspaces, problem.block)
        assert_close(raw[:, real], expected[:, real])


@both_lengths
@all_shapes
@all_sets
@all_cells
def test_gradient_along_random_directions(
    cell, options, num_layers, n_directions, ragged, chunk_columns
):
    chunk_columns(8)
    problem = make_problem(
        cell, options, num_layers=num_layers, n_directions=n_directions, ragged=ragged
    )
    assert_gradient_along(problem, unit_directions(problem, 4), rounding=1e-12)


@all_sets
@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_gradient_of_every_parameter(cell, options, chunk_columns):
    chunk_columns(6)
    problem = make_problem(
        cell, options, T=4, H=2, B=3, num_layers=2, n_directions=2, ragged=True, loss="huber"
    )
    assert_gradient_along(problem, np.eye(problem.theta.size), rounding=1e-12)


@all_sets
@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_gradient_of_the_inputs(cell, options):
    # With another seed, a relu head of the tanh network happens to be at rest everywhere.
    problem = make_problem(cell, options, num_layers=2, n_directions=2, ragged=True, seed=1)
    workspaces = problem.workspaces(input_gradient=True)
    problem.loss_gradient(workspaces=workspaces)
    stack, block = problem.network.stack, problem.block
    dx = stack.input_gradient(workspaces, block, problem.masks)
    assert dx.any()
    assert not dx.transpose(0, 2, 1)[~block.real].any()
    if problem.masks is NO_MASKS:
        np.testing.assert_array_equal(dx, input_gradient(workspaces, block))
    workspaces = problem.workspaces(np.complex128)
    for place in product((0, 2, 5), (0, 1), (0, 3)):
        moved = block.x.astype(np.complex128)
        moved[place] += 1j * STEP
        value, _ = problem.loss_gradient(
            problem.theta + 0j, workspaces, Block(moved, block.lengths)
        )
        assert_close(dx[place], value.imag / STEP, 1e-12, scale=np.abs(dx).max())


@all_sets
@all_cells
def test_float32_is_float64_rounded(cell, options):
    problem = make_problem(cell, options, num_layers=2, n_directions=2, ragged=True)
    value, gradient = problem.loss_gradient()
    value32, gradient32 = problem.loss_gradient(problem.theta.astype(np.float32))
    assert gradient32.dtype == np.float32
    assert_close(value32, value, 1e-5)
    assert_close(gradient32, gradient, 1e-4)


# --- Piece by piece -------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@all_cells
def test_truncated_gradient_of_one_piece_is_the_whole_one(cell, pooling):
    problem = make_problem(cell, {**ALL, "pooling": pooling}, num_layers=2, ragged=True)
    value, gradient = problem.loss_gradient()
    again, truncated = problem.truncated_loss_gradient(problem.workspaces())
    assert_close(again, value)
    assert_close(truncated, gradient)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@all_cells
def test_pieces_change_errors_and_not_the_loss(cell, pooling):
    """And only the first piece knows the learned state that sequences begin with."""
    options = {**ALL, "pooling": pooling, "layer_norm": False}
    problem = make_problem(cell, options, num_layers=2)
    value, gradient = problem.loss_gradient()
    again, truncated = problem.truncated_loss_gradient(problem.workspaces(n_steps=2))
    assert_close(again, value)
    dreadout = problem.network.layout.bind(truncated).readout
    expected = problem.network.layout.bind(gradient).readout
    for name, array in expected.items():
        assert_close(dreadout[name], array)
    start = problem.network.layout.public(truncated)["h_0_l0"]
    if pooling == "last":
        assert not start.any()
    if pooling == "mean":
        assert start.any()
    assert not np.allclose(truncated, gradient)


def test_the_masks_of_pieces_are_those_of_the_whole():
    for options in (dict(dropout=True), dict(dropout=True, pooling="none")):
        masks = make_problem("gru", options, num_layers=2, T=7, B=3, H=4).masks
        pieces = [masks.piece(begin, begin + 3) for begin in (0, 3, 6)]
        joined = np.concatenate([piece.x for piece in pieces])
        np.testing.assert_array_equal(joined, masks.x)
        outs = np.concatenate([piece.out(0, 0) for piece in pieces])
        np.testing.assert_array_equal(outs, masks.out(0, 0))
        if "pooling" in options:
            pooled = np.concatenate([piece.pooled for piece in pieces], axis=1)
            np.testing.assert_array_equal(pooled, masks.pooled)
        else:
            assert all(piece.pooled is masks.pooled for piece in pieces)
        assert all(piece.states is masks.states for piece in pieces)


# --- A step at a time -----------------------------------------------------------------------------


# Where every step has its own answer, streams are those of pooling "last".
@pytest.mark.parametrize("options", [o for o in SETS.values() if o.get("pooling") != "none"])
@all_cells
def test_step_by_step_is_the_plain_network_on_each_prefix(cell, options):
    problem = replace(make_problem(cell, options, num_layers=2), masks=NO_MASKS)
    zero = [[tuple(np.zeros_like(s) for s in state) for state in row] for row in problem.states]
    problem = replace(problem, states=zero)
    stepper = Stepper(problem.network, problem.theta)
    state = stepper.start(problem.block.n_columns, None)
    for t in range(problem.block.n_steps):
        raw, state = stepper.step(problem.block.x[t], state, None)
        x = problem.block.x[: t + 1]
        prefix = replace(problem, block=Block(x, np.full(x.shape[2], t + 1)))
        assert_close(raw, prefix.reference_raw())


def test_attention_of_a_stream_does_not_overflow():
    rng = np.random.default_rng(0)
    h, w = rng.normal(size=(50, 3, 4)), np.array([1e4, -1e4, 3e3])
    attention = POOLINGS["attention"]
    totals = attention.totals(h, w)
    pooled = attention.summary(totals, 0, np.dtype(float))
    assert np.isfinite(pooled).all()
    real = np.ones((50, 4), bool)
    a = softmax(np.einsum("h,thb->tb", w, h), real)
    assert_close(pooled[-1], np.einsum("tb,thb->hb", a, h))


# --- Parts ----------------------------------------------------------------------------------------


def test_softmax_is_zero_in_the_padding_and_does_not_overflow():
    x = np.array([[1e4, -1e4], [0.0, 5.0], [1e300, 5.0]])
    real = np.array([[True, True], [True, True], [False, True]])
    np.testing.assert_array_equal(softmax(x, real), [[1, 0], [0, 0.5], [0, 0.5]])


def test_normalised_outputs_have_mean_zero_and_variance_one():
    problem = random_problem("lstm", H=50, layer_norm=True)
    cells = problem.parameters.cells
    cells[0][0]["norm"][0], cells[0][0]["norm"][1] = 1, 0
    (out,) = problem.network.stack.forward(cells, problem.workspaces(), problem.block)
    assert np.abs(out.mean(axis=1)).max() < 1e-14
    variance = problem.workspaces()[0][0].h.var(axis=1)
    assert np.abs(out.var(axis=1) - 1).max() < EPSILON / max(variance.min(), 1e-4)


@all_cells
def test_nothing_of_the_options_is_there_unless_asked_for(cell):
    problem = random_problem(cell, num_layers=2, n_directions=2)
    for row in problem.workspaces():
        for ws in row:
            assert ws.out is ws.h
            assert np.shares_memory(ws.h, ws.Z)
            assert not ws.masks_states
    assert not any(
        "norm" in name or "_0" in name for name in problem.network.layout.public(problem.theta)
    )
