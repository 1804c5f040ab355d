"""Tokens to vectors and back: lookup, the mean for unknown ones, gradients by complex step."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.embedding import Embedding
from tests.core.helpers import CELLS, assert_close, input_gradient, random_problem
from tests.core.test_gradients import assert_gradient_along, unit_directions

V, D = 5, 2


def token_problem(cell="gru", *, tokens=None, seed=0, **sizes):
    """A random network with an embedding in front of it; V itself is the unknown token."""
    rng = np.random.default_rng(seed)
    plain = random_problem(cell, F=D, seed=seed, **sizes)
    shape = plain.block.n_steps, 1, plain.block.n_columns
    tokens = rng.integers(V + 1, size=shape) if tokens is None else np.broadcast_to(tokens, shape)
    return replace(
        plain,
        network=replace(plain.network, embedding=Embedding(V, D)),
        theta=np.append(plain.theta, rng.normal(size=V * D)),
        block=Block(tokens, plain.block.lengths),
    )


def vectors(problem):
    """(V + 1, D): the vector of each token, as the docs say it."""
    E = problem.network.layout.public(problem.theta)["weight_embedding"]
    return np.vstack([E, sum(E) / V])


def without_embedding(problem):
    """The same problem on the tokens' vectors instead of the tokens."""
    x = np.stack([vectors(problem)[t].T for t in problem.block.x[:, 0]])
    return replace(
        problem,
        network=replace(problem.network, embedding=None),
        theta=problem.theta[: -V * D],
        block=Block(x, problem.block.lengths),
    )


def scatter(problem, dx):
    """dE (V, D): the errors dx (T, D, B) go, one by one, where each token came from."""
    dE = np.zeros((V, D))
    for t, _, b in np.ndindex(problem.block.x.shape):
        if problem.block.real[t, b]:
            token = problem.block.x[t, 0, b]
            rows = range(V) if token == V else [token]
            for row in rows:
                dE[row] += dx[t, :, b] / len(rows)
    return dE


# --- Forward --------------------------------------------------------------------------------------


def test_a_token_becomes_its_row_and_an_unknown_one_the_mean_of_all_rows():
    E = np.arange(6.0).reshape(3, 2)
    block = Block(np.array([[[0, 2]], [[3, 1]]]), np.array([2, 2]))
    x = Embedding(3, 2).forward(E, block).x
    np.testing.assert_array_equal(x[0], [[0, 4], [1, 5]])
    np.testing.assert_array_equal(x[1], [[2, 2], [3, 3]])


@pytest.mark.parametrize("n_directions", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_network_sees_the_vectors(cell, n_directions):
    problem = token_problem(cell, n_directions=n_directions, num_layers=2, ragged=True)
    plain = without_embedding(problem)
    raw = problem.network.raw_prediction(problem.parameters, problem.workspaces(), problem.block)
    expected = plain.network.raw_prediction(plain.parameters, plain.workspaces(), plain.block)
    np.testing.assert_array_equal(raw, expected)


def test_pieces_of_a_long_block_change_nothing():
    problem = token_problem("lstm", T=20, pooling="mean", ragged=True)
    whole = problem.workspaces()
    short = problem.network.make_workspaces(6, 3, np.float64, training=False)
    for ws, start in zip(short, problem.states, strict=True):
        ws[0].start_from(start[0])
    raw = problem.network.raw_prediction(problem.parameters, short, problem.block)
    assert_close(raw, problem.network.raw_prediction(problem.parameters, whole, problem.block))


# --- Backward -------------------------------------------------------------------------------------

SHAPES = list(product(CELLS, (1, 2), (1, 2), ("equal", "ragged")))


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize(("cell", "num_layers", "n_directions", "lengths"), SHAPES)
def test_gradient_along_random_directions(cell, num_layers, n_directions, lengths, pooling):
    problem = token_problem(
        cell,
        num_layers=num_layers,
        n_directions=n_directions,
        ragged=lengths == "ragged",
        pooling=pooling,
    )
    assert_gradient_along(problem, unit_directions(problem, 3))


@pytest.mark.parametrize("tokens", [0, V, [[[0, V, V - 1]]]], ids=["one", "unknown", "columns"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_every_parameter(cell, tokens, chunk_columns):
    chunk_columns(6)
    problem = token_problem(cell, T=4, H=2, n_directions=2, ragged=True, tokens=tokens)
    assert_gradient_along(problem, np.eye(problem.theta.size))


@pytest.mark.parametrize("n_directions", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_errors_go_back_to_the_rows_that_the_inputs_came_from(cell, n_directions):
    problem = token_problem(cell, n_directions=n_directions, pooling="mean", ragged=True, alpha=0.0)
    value, gradient = problem.loss_gradient()
    plain = without_embedding(problem)
    workspaces = plain.workspaces(input_gradient=True)
    expected_value, expected = plain.loss_gradient(workspaces=workspaces)
    dE = scatter(problem, input_gradient(workspaces, plain.block))
    assert_close(value, expected_value)
    assert_close(gradient, np.append(expected, dE))


def test_tokens_in_the_padding_say_nothing():
    problem = token_problem(ragged=True, pooling="max", n_directions=2)
    value, gradient = problem.loss_gradient()
    tokens = np.where(problem.block.real[:, None], problem.block.x, 0)
    other, other_gradient = problem.loss_gradient(block=Block(tokens, problem.block.lengths))
    assert_close(other, value)
    assert_close(other_gradient, gradient)


def test_truncated_gradients_of_a_network_without_memory_are_exact():
    """Where no error would cross a cut anyway, the pieces' gradients add up to the whole's."""
    problem = token_problem("rnn-tanh", T=11, pooling="mean", ragged=True)
    cells = problem.parameters.cells
    cells[0][0]["W"][:, : problem.network.stack.layers[0].hidden_size] = 0
    value, gradient = problem.loss_gradient()
    short = problem.workspaces(n_steps=4)
    other, truncated = problem.truncated_loss_gradient(short)
    # The first piece starts from the problem's states, here and there.
    assert_close(other, value)
    assert_close(truncated, gradient)


def test_float32_is_float64_rounded():
    problem = token_problem("lstm", n_directions=2, ragged=True)
    value, gradient = problem.loss_gradient()
    value32, gradient32 = problem.loss_gradient(problem.theta.astype(np.float32))
    assert gradient32.dtype == np.float32
    assert_close(value32, value, 1e-5)
    assert_close(gradient32, gradient, 1e-4)


# --- Layout ---------------------------------------------------------------------------------------


def test_the_embedding_is_a_part_of_theta_and_a_penalised_weight():
    problem = token_problem()
    layout = problem.network.layout
    plain = without_embedding(problem).network.layout
    assert layout.size == plain.size + V * D
    assert np.shares_memory(layout.bind(problem.theta).embedding, problem.theta)
    public = layout.public(problem.theta)
    assert list(public) == ["weight_embedding", *plain.public(problem.theta)]
    assert not np.shares_memory(public["weight_embedding"], problem.theta)
    assert layout.public(layout.penalized)["weight_embedding"].all()


def test_initial_embeddings_are_random_and_the_rest_starts_as_without_them():
    layout = token_problem().network.layout
    theta = layout.initial(np.random.default_rng(0), np.zeros(2), 9)
    E = layout.public(theta)["weight_embedding"]
    assert len(np.unique(E)) == V * D
    plain = replace(layout, embedding=None)
    np.testing.assert_array_equal(
        theta[: -V * D], plain.initial(np.random.default_rng(0), np.zeros(2), 9)
    )
