"""The fast kernels against the plain ones, and what a cell may do to its buffers."""

import threading
import tracemalloc
from dataclasses import replace

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

pytestmark = pytest.mark.parametrize("cell", CELLS)


def run_both_ways(problem, ws, n_steps, dh, first_error=0):
    """Run the first cell alone over x; return copies of its states and all its gradients."""
    cell = problem.network.stack.layers[0]
    gradient = np.full_like(problem.theta, np.nan, dtype=ws.dtype)
    parameters = problem.network.layout.bind(problem.theta.astype(ws.dtype)).cells[0][0]
    gradients = problem.network.layout.bind(gradient).cells[0][0]
    ws.x[:n_steps] = problem.block.x[:n_steps]
    cell.forward(parameters, ws, n_steps)
    h = ws.h[:n_steps].copy()
    ws.dh[first_error:n_steps] = dh[first_error:]
    cell.backward(parameters, ws, n_steps, first_error, gradients)
    gradients = {name: array.copy() for name, array in gradients.items()}
    ((state,),) = state_gradients([[ws]])
    dstate = dict(zip(("dh0", "dc0"), state, strict=False))
    return {"h": h, "dx": ws.dx[:n_steps].copy(), **gradients, **dstate}


def assert_equal(actual, expected):
    """Assert that two dicts of arrays are the same to the last bit."""
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(actual[name], array, err_msg=name)


def poison(ws):
    """Write NaN wherever a cell may write, and so must not rely on what it finds."""
    kept = {name: getattr(ws, name).copy() for name in ("h0", "c0") if hasattr(ws, name)}
    for name, buffer in vars(ws).items():
        buffers = buffer if isinstance(buffer, list) else [buffer]
        for array in buffers:
            if isinstance(array, np.ndarray) and name not in ("one", "half"):
                array[...] = np.nan
    ws.Z[:, ws.hidden_size] = 1
    for name, array in kept.items():
        getattr(ws, name)[...] = array


def chosen_columns(problem, index):
    """The same problem with some of its columns, in this order."""
    lengths = problem.block.lengths[index]
    return replace(
        problem,
        block=Block(problem.block.x[: lengths.max()][:, :, index], lengths),
        y=problem.y[:, index],
        weight=problem.weight[index],
        states=[[tuple(s[:, index] for s in state) for state in row] for row in problem.states],
    )


def errors_of(problem, seed=9):
    """Errors that enter at every step."""
    T, _, B = problem.block.x.shape
    H = problem.network.stack.layers[0].hidden_size
    return np.random.default_rng(seed).normal(size=(T, H, B))


# --- The plain reference --------------------------------------------------------------------------


@pytest.mark.parametrize("T", [1, 2, 7, 100])
@pytest.mark.parametrize("sizes", [{}, dict(F=1, H=1, B=1), dict(F=5, H=2, B=4)], ids=str)
def test_cell_is_the_plain_one(cell, sizes, T, chunk_columns):
    chunk_columns(12)
    problem = random_problem(cell, T=T, **sizes)
    dh = errors_of(problem)
    ((ws,),) = problem.workspaces(input_gradient=True)
    made = run_both_ways(problem, ws, T, dh)

    weights = reference.cell_weights(problem.network.layout.public(problem.theta), 0, 0)
    plain = reference.CELLS[cell]
    total = reference.zeros_like(weights)
    for column, x in enumerate(problem.sequences()):
        h, _, tape = plain.forward(weights, x, problem.states_of(column)[0][0])
        dx, dstate, dw = plain.backward(weights, tape, dh[:, :, column])
        assert_close(made["h"][:, :, column], h)
        assert_close(made["dx"][:, :, column], dx)
        for name, expected in zip(("dh0", "dc0"), dstate, strict=False):
            assert_close(made[name][:, column], expected, scale=np.abs(made[name]).max())
        total = {name: total[name] + dw[name] for name in total}

    gradient = np.zeros_like(problem.theta)
    views = problem.network.layout.bind(gradient).cells[0][0]
    for name, view in views.items():
        view[...] = made[name]
    public = reference.cell_weights(problem.network.layout.public(gradient), 0, 0)
    assert_same_gradients(public, merge_biases(cell, total))


def test_many_columns_make_many_chunks_without_being_asked(cell):
    problem = random_problem(cell, T=9, B=300, ragged=True)
    workspaces = problem.workspaces()
    assert len(workspaces[0][0].chunks(9)) > 2
    value, gradient = problem.loss_gradient(workspaces=workspaces)
    expected, _, gradients, _, _ = problem.reference()
    assert_close(value, expected)
    assert_same_gradients(problem.network.layout.public(gradient), gradients)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "ragged"])
def test_sequence_by_sequence_equals_batched(cell, ragged, pooling, chunk_columns):
    chunk_columns(10)
    problem = random_problem(cell, B=5, n_directions=2, num_layers=2, ragged=ragged, alpha=0.0)
    workspaces = problem.workspaces(input_gradient=True)
    value, gradient = problem.loss_gradient(workspaces=workspaces)
    dx = input_gradient(workspaces, problem.block)

    values, gradients = 0, 0
    for column, x in enumerate(problem.sequences()):
        alone = chosen_columns(problem, [column])
        workspaces = alone.workspaces(input_gradient=True)
        value_alone, gradient_alone = alone.loss_gradient(workspaces=workspaces)
        dx_alone = input_gradient(workspaces, alone.block)[:, :, 0]
        assert_close(dx[: len(x), :, column], dx_alone)
        values, gradients = values + value_alone, gradients + gradient_alone
    assert_close(value, values)
    assert_close(gradient, gradients)


@pytest.mark.parametrize("first_error", [0, 3, 6])
def test_no_error_before_the_first_is_an_error_of_zero(cell, first_error, chunk_columns):
    chunk_columns(6)
    problem = random_problem(cell)
    dh = errors_of(problem)
    dh[:first_error] = 0
    ((ws,),) = problem.workspaces(input_gradient=True)
    expected = run_both_ways(problem, ws, 7, dh)
    poison(ws)
    assert_equal(run_both_ways(problem, ws, 7, dh, first_error), expected)


# --- Buffers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_steps", [1, 4, 7])
def test_a_workspace_serves_shorter_blocks(cell, n_steps, chunk_columns):
    chunk_columns(9)
    problem = random_problem(cell)
    dh = errors_of(problem)[:n_steps]
    ((ws,),) = problem.workspaces(input_gradient=True)
    expected = run_both_ways(problem, ws, n_steps, dh)
    ((longer,),) = problem.workspaces(n_steps=20, input_gradient=True)
    run_both_ways(problem, longer, 7, errors_of(problem, seed=5))
    assert_equal(run_both_ways(problem, longer, n_steps, dh), expected)


def test_stale_and_poisoned_buffers_change_nothing(cell, chunk_columns):
    chunk_columns(6)
    problem = random_problem(cell, num_layers=2, n_directions=2, ragged=True)
    other = random_problem(cell, num_layers=2, n_directions=2, ragged=True, seed=1)
    workspaces = problem.workspaces()
    expected, gradient = problem.loss_gradient(workspaces=workspaces)
    for spoil in (
        lambda: other.loss_gradient(workspaces=workspaces),
        lambda: [poison(ws) for row in workspaces for ws in row],
    ):
        spoil()
        again, gradient_again = problem.loss_gradient(workspaces=workspaces)
        assert again == expected
        np.testing.assert_array_equal(gradient_again, gradient)


def test_without_training_the_states_are_the_same(cell):
    problem = random_problem(cell, num_layers=2, n_directions=2, ragged=True)
    predict = problem.network.raw_prediction
    trained = problem.workspaces(training=True)
    expected = predict(problem.parameters, trained, problem.block)
    workspaces = problem.workspaces(training=False)
    for _ in range(2):
        raw = predict(problem.parameters, workspaces, problem.block)
        np.testing.assert_array_equal(raw, expected)
        for ws in workspaces[0] + workspaces[1]:
            poison(ws)


def test_without_training_the_histories_are_not_kept(cell):
    problem = random_problem(cell, T=300, B=10)

    def size(training):
        tracemalloc.start()
        try:
            kept = problem.workspaces(training=training)
            return tracemalloc.get_traced_memory()[0] if kept else 0
        finally:
            tracemalloc.stop()

    assert size(training=False) < 0.75 * size(training=True)


def test_steps_are_views_of_the_same_buffers_for_good(cell):
    problem = random_problem(cell)
    ((ws,),) = problem.workspaces(input_gradient=True)
    assert np.shares_memory(ws.h[0], ws.Z[1])
    assert np.shares_memory(ws.x[0], ws.Z[0])
    assert np.shares_memory(ws.h0, ws.Z[0])
    assert np.shares_memory(ws.dx[0], ws.dZ_steps[0])
    before = addresses(ws)
    run_both_ways(problem, ws, 7, errors_of(problem))
    assert addresses(ws) == before


def arrays_of(ws):
    return {name: a for name, a in vars(ws).items() if isinstance(a, np.ndarray)}


def addresses(ws):
    return {name: array.__array_interface__["data"] for name, array in arrays_of(ws).items()}


def test_the_time_loop_allocates_nothing(cell):
    """Not even for a moment: the peak stays below one state of one step.

    The state is larger than the two buffers in which NumPy converts booleans (72 kB in all).
    """
    problem = random_problem(cell, T=50, B=4000)
    ((ws,),) = problem.workspaces(input_gradient=True)
    parameters = problem.parameters.cells[0][0]
    gradients = problem.network.layout.bind(np.empty_like(problem.theta)).cells[0][0]
    ws.x[...] = problem.block.x
    ws.dh[...] = errors_of(problem)

    def run():
        problem.network.stack.layers[0].forward(parameters, ws, 50)
        problem.network.stack.layers[0].backward(parameters, ws, 50, 0, gradients)

    run()  # the scratch for the large products grows once
    tracemalloc.start()
    try:
        run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < ws.h[0].nbytes


# --- Types and threads ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_backward_gives_back_what_forward_took(cell, dtype):
    problem = random_problem(cell)
    dh = errors_of(problem)
    ((ws,),) = problem.workspaces(dtype, input_gradient=True)
    made = run_both_ways(problem, ws, 7, dh)
    ((plain,),) = problem.workspaces(input_gradient=True)
    expected = run_both_ways(problem, plain, 7, dh)
    shapes = problem.network.stack.layers[0].parameter_shapes
    shapes |= {"h": dh.shape, "dx": problem.block.x.shape, "dh0": dh[0].shape, "dc0": dh[0].shape}
    for name, array in made.items():
        assert array.dtype == dtype
        assert array.shape == shapes[name]
        assert_close(array, expected[name], 1e-5)
    assert {buffer.dtype for buffer in arrays_of(ws).values()} == {np.dtype(dtype)}


def test_two_threads_give_the_serial_answer(cell):
    problems = [random_problem(cell, T=30, H=8, B=6, num_layers=2, seed=s) for s in (0, 1)]
    expected = [problem.loss_gradient() for problem in problems]
    wrong = []
    barrier = threading.Barrier(2)

    def work(problem, value, gradient):
        workspaces = problem.workspaces()
        barrier.wait()
        for _ in range(20):
            again = problem.loss_gradient(workspaces=workspaces)
            if again[0] != value or not np.array_equal(again[1], gradient):
                wrong.append(again)

    threads = [
        threading.Thread(target=work, args=(problem, *answer))
        for problem, answer in zip(problems, expected, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# --- Invariances ----------------------------------------------------------------------------------

INVARIANCE = settings(max_examples=15, deadline=None, derandomize=True)
SIZES = st.fixed_dictionaries(
    dict(
        T=st.integers(1, 8),
        B=st.integers(1, 5),
        F=st.integers(1, 3),
        H=st.integers(1, 4),
        num_layers=st.integers(1, 2),
        n_directions=st.integers(1, 2),
        pooling=st.sampled_from(["last", "mean", "max"]),
        ragged=st.booleans(),
        seed=st.integers(0, 1000),
    )
)


@INVARIANCE
@given(sizes=SIZES, padding=st.integers(0, 4), garbage=st.floats(-1e6, 1e6))
def test_padding_has_no_say(cell, sizes, padding, garbage):
    problem = random_problem(cell, **sizes)
    value, gradient = problem.loss_gradient()
    x, lengths = problem.block.x, problem.block.lengths
    padded = np.concatenate([x, np.zeros((padding, *x.shape[1:]))])
    padded = np.where(np.arange(len(padded))[:, None, None] < lengths, padded, garbage)
    workspaces = problem.workspaces(n_steps=len(padded))
    again, gradient_again = problem.loss_gradient(
        workspaces=workspaces, block=Block(padded, lengths)
    )
    assert_close(again, value, 1e-13)
    assert_close(gradient_again, gradient, 1e-13)


@INVARIANCE
@given(sizes=SIZES, order=st.randoms(use_true_random=False))
def test_order_of_the_columns_has_no_say(cell, sizes, order):
    problem = random_problem(cell, **sizes)
    value, gradient = problem.loss_gradient()
    index = list(range(problem.block.n_columns))
    order.shuffle(index)
    again, gradient_again = chosen_columns(problem, index).loss_gradient()
    assert_close(again, value, 1e-13)
    assert_close(gradient_again, gradient, 1e-13)


@pytest.mark.parametrize("cut", [1, 3, 6])
def test_a_sequence_goes_on_where_its_first_part_ended(cell, cut):
    problem = random_problem(cell, T=7, B=4)
    (kernel,), ((parameters,),) = (
        problem.network.stack.layers,
        problem.parameters.cells,
    )
    ((whole,),), ((first,),), ((second,),) = (problem.workspaces() for _ in range(3))
    for ws, x in ((whole, problem.block.x), (first, problem.block.x[:cut])):
        ws.x[: len(x)] = x
        kernel.forward(parameters, ws, len(x))
    second.x[: 7 - cut] = problem.block.x[cut:]
    second.h0[...] = first.h[cut - 1]
    if cell == "lstm":
        second.c0[...] = first.gates[cut, 4].reshape(second.c0.shape)
    kernel.forward(parameters, second, 7 - cut)
    np.testing.assert_array_equal(first.h[:cut], whole.h[:cut])
    np.testing.assert_array_equal(second.h[: 7 - cut], whole.h[cut:])


@INVARIANCE
@given(sizes=SIZES, share=st.floats(0, 1))
def test_a_batch_is_the_sum_of_its_parts(cell, sizes, share):
    problem = random_problem(cell, alpha=0.0, **sizes)
    value, gradient = problem.loss_gradient()
    B = problem.block.n_columns
    cut = int(share * B)
    parts = [
        chosen_columns(problem, list(part)).loss_gradient()
        for part in (range(cut), range(cut, B))
        if part
    ]
    assert_close(sum(value for value, _ in parts), value, 1e-13)
    assert_close(sum(gradient for _, gradient in parts), gradient, 1e-13)
