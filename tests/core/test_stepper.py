"""Single steps against the kernels over whole sequences, and both forms of the poolings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.pooling import POOLINGS
from sklearn_rnn._core.state import RecurrentState
from sklearn_rnn._core.stepper import Stepper
from tests.core import reference
from tests.core.helpers import CELLS, assert_close, random_problem

NO_W = np.empty(0)
SUMMARIES = ["last", "mean", "max"]  # poolings without parameters of their own


def make_stepper(problem):
    return Stepper(problem.network, problem.theta)


def make_state(problem):
    """The problem's own random initial states, as streams that have seen nothing."""
    start = make_stepper(problem).start(problem.block.n_columns, "origin")
    layers = tuple(tuple(np.array(s) for s in row[0]) for row in problem.states)
    return RecurrentState(layers, start._total, 0, "origin")


def run(stepper, x, state):
    """Step through x (T, F, B); return the raw prediction and the state after each step."""
    raws, states = [], []
    for x_t in x:
        raw, state = stepper.step(x_t, state, "origin")
        raws.append(raw)
        states.append(state)
    return raws, states


# --- One cell -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    cell=st.sampled_from(list(CELLS)),
    T=st.integers(1, 8),
    B=st.integers(1, 4),
    F=st.integers(1, 4),
    H=st.integers(1, 5),
    dtype=st.sampled_from([np.float64, np.float32]),
    seed=st.integers(0, 1000),
)
def test_steps_are_forward(cell, T, B, F, H, dtype, seed):
    problem = random_problem(cell, T=T, B=B, F=F, H=H, seed=seed)
    recurrent = problem.network.stack.layers[0]
    theta = problem.theta.astype(dtype)
    parameters = problem.network.layout.bind(theta).cells[0][0]
    ((ws,),) = problem.workspaces(dtype, training=False)
    ws.x[:T] = problem.block.x
    state = tuple(s.astype(dtype) for s in problem.states[0][0])
    weights = recurrent.step_weights(parameters)
    recurrent.forward(parameters, ws, T)
    for t in range(T):
        Z = np.concatenate((state[0], np.ones((1, B)), problem.block.x[t])).astype(dtype)
        for array in (*weights, Z, *state):
            array.setflags(write=False)
        state = recurrent.step(weights, Z, state)
        assert len(state) == recurrent.n_states
        assert {array.dtype for array in state} == {np.dtype(dtype)}
        assert_close(state[0], ws.h[t], 1e-12 if dtype == np.float64 else 1e-5, scale=1)
    for array, kernel in zip(state, ws.state_after(T), strict=True):
        assert_close(array, kernel, 1e-12 if dtype == np.float64 else 1e-5, scale=1)


@pytest.mark.parametrize("cell", CELLS)
def test_a_workspace_starts_from_a_state_and_ends_in_one(cell):
    problem = random_problem(cell, T=5)
    recurrent = problem.network.stack.layers[0]
    parameters = problem.parameters.cells[0][0]
    weights = reference.cell_weights(problem.network.layout.public(problem.theta), 0, 0)
    ws = recurrent.make_workspace(7, 3, np.float64, training=False, input_gradient=False)
    ws.start_from(problem.states[0][0])
    ws.x[:5] = problem.block.x
    recurrent.forward(parameters, ws, 5)
    for column, x in enumerate(problem.sequences()):
        start = problem.states_of(column)[0][0]
        _, expected, _ = reference.CELLS[cell].forward(weights, x, start)
        for made, plain in zip(ws.state_after(5), expected, strict=True):
            assert_close(made[:, column], plain)


# --- The whole network ----------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", SUMMARIES)
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_network_step_by_step_is_the_plain_one_on_each_prefix(cell, num_layers, pooling):
    problem = random_problem(cell, num_layers=num_layers, pooling=pooling)
    raws, _ = run(make_stepper(problem), problem.block.x, make_state(problem))
    weights = problem.network.layout.public(problem.theta)
    for column, x in enumerate(problem.sequences()):
        start = problem.states_of(column)
        (h,), _ = reference.stack_forward(cell, weights, x, start)
        for t, raw in enumerate(raws):
            pooled = reference.pool(h[: t + 1], pooling)
            expected = weights["weight_out"] @ pooled + weights["bias_out"]
            assert_close(raw[:, column], expected)


def test_a_step_writes_into_nothing_that_it_is_given():
    problem = random_problem("lstm", num_layers=2, pooling="mean")
    problem.theta.setflags(write=False)
    problem.block.x.setflags(write=False)
    state = make_state(problem)
    for array in (state._total, *(s for layer in state._layers for s in layer)):
        array.setflags(write=False)
    stepper = make_stepper(problem)
    once, _ = stepper.step(problem.block.x[0], state, "origin")
    again, _ = stepper.step(problem.block.x[0], state, "origin")
    np.testing.assert_array_equal(once, again)


def test_a_step_carries_the_origin_and_counts():
    problem = random_problem("gru")
    _, states = run(make_stepper(problem), problem.block.x, make_state(problem))
    assert [state.n_steps.tolist() for state in states] == [[t] * 3 for t in range(1, 8)]
    assert {state._origin for state in states} == {"origin"}


def test_fingerprints_tell_models_apart():
    base = random_problem("gru")
    other_weights = base.theta.copy()
    other_weights[-1] += 1e-12
    steppers = [
        make_stepper(base),
        Stepper(base.network, other_weights),
        Stepper(random_problem("gru", pooling="mean").network, base.theta),
        Stepper(base.network, base.theta.astype(np.float32)),
        make_stepper(random_problem("rnn-tanh")),
        Stepper(random_problem("rnn-relu").network, random_problem("rnn-tanh").theta),
    ]
    assert len({stepper.fingerprint for stepper in steppers}) == len(steppers)
    assert make_stepper(random_problem("gru")).fingerprint == steppers[0].fingerprint


# --- Pooling of streams ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SUMMARIES)
def test_pooling_of_a_stream_is_pooling_of_each_prefix(name, dtype):
    h = np.random.default_rng(0).normal(size=(6, 3, 4)).astype(dtype)
    pooling = POOLINGS[name]
    total = pooling.start(3, 4, np.dtype(dtype))
    each = pooling.totals(h, NO_W)
    for t in range(6):
        expected = pooling.forward(h[: t + 1], Block(h[: t + 1], np.full(4, t + 1)), NO_W)
        total = pooling.add(total, h[t], NO_W)
        for made in (total, each[t]):
            summary = pooling.summary(made, t + 1, np.dtype(dtype))
            assert summary.dtype == dtype
            assert_close(summary, expected, 1e-12 if dtype == np.float64 else 1e-6)


def test_a_long_stream_keeps_its_mean():
    """A sum in float32 would stop to grow at 2^24."""
    mean, n = POOLINGS["mean"], 2**24
    total = mean.start(1, 1, np.dtype(np.float32)) + float(n)
    for _ in range(8):
        total = mean.add(total, np.ones((1, 1), np.float32), NO_W)
    assert total == n + 8
