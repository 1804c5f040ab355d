"""Small data and trainers for the tests of the training loop."""

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.losses import Objective
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._training.optimizers import Adam
from sklearn_rnn._training.schedules import Schedule
from sklearn_rnn._training.trainer import Trainer, TrainingOptions
from tests.core.helpers import random_problem


def pack(sequences):
    """Packed values and offsets of a list of (T_i, F)."""
    lengths = [len(sequence) for sequence in sequences]
    return np.concatenate(sequences), np.concatenate([[0], np.cumsum(lengths)])


def make_data(n=14, F=2, K=1, *, longest=5, ragged=True, weighted=True, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, longest + 1, size=n) if ragged else np.full(n, longest)
    values, offsets = pack([rng.normal(size=(length, F)) for length in lengths])
    weight = rng.uniform(0.2, 2, size=n) if weighted else np.ones(n)
    return TrainingData(values, offsets, rng.normal(size=(n, K)), weight)


def sequences_of(data):
    return [data.values[a:b] for a, b in zip(data.offsets, data.offsets[1:], strict=False)]


def make_network(cell="rnn-tanh", **options):
    """A network of one layer of three units on two features, and its random weights."""
    problem = random_problem(cell, **{"K": 1, "alpha": 0.0, **options})
    return problem.network, problem.theta


def make_adam(theta):
    return Adam(theta, 0.01, 0.9, 0.999, 1e-8)


def make_trainer(data=None, network=None, theta=None, optimizer=None, **options):
    """A trainer on its own copy of theta; options of TrainingOptions, and `validate`: a score."""
    made, start = make_network()
    theta = (start if theta is None else theta).copy()
    validate = scores_only(options.pop("validate", None))
    defaults = dict(
        batch_size=4,
        max_iter=4,
        shuffle=True,
        tol=0.0,
        n_iter_no_change=100,
        max_grad_norm=None,
        tbptt_steps=None,
        average_epochs=1,
        verbose=False,
    )
    optimizer = optimizer or make_adam(theta)
    return Trainer(
        network=network or made,
        data=data or make_data(),
        options=TrainingOptions(**{**defaults, **options}),
        theta=theta,
        optimizer=optimizer,
        schedule=Schedule("constant", optimizer.learning_rate, 4),
        rng=np.random.default_rng(0),
        validate=validate,
    )


def objective(network, theta, data):
    """Weighted mean of the loss over all data, and its gradient, one sequence at a time."""
    value, total = 0.0, np.zeros_like(theta)
    for i, x in enumerate(sequences_of(data)):
        part, gradient = loss_gradient(network, theta, x, data.y[i], data.weight[i])
        value, total = value + part, total + gradient
    return value / data.weight.sum(), total / data.weight.sum()


def loss_gradient(network, theta, x, y, weight):
    """Weighted loss of one sequence (T, F), and its gradient; only without penalty."""
    gradient = np.empty_like(theta)
    bind = network.layout.bind
    workspaces = network.make_workspaces(len(x), 1, theta.dtype, training=True)
    block = Block(x[:, :, None], np.array([len(x)]))
    objective = Objective(y[:, None], np.array([weight]), 1.0)
    value = network.loss_gradient(bind(theta), workspaces, block, objective, bind(gradient))
    return value, gradient


def scores_only(score):
    """Make a validation of a function that gives scores; the loss is minus the score."""
    if score is None:
        return None

    def validate(theta):
        value = score(theta)
        return value, -value

    return validate


def losses_of(result):
    return [epoch.loss for epoch in result.last.history]


def scores_of(result):
    assert result.validated
    return [epoch.validation_score for epoch in result.last.history]


def timeless(history):
    """A history without the seconds, as text: NaN is NaN there."""
    return [repr(epoch._replace(seconds=0.0)) for epoch in history]


def assert_same_snapshot(one, other):
    """Assert that training stands at the same point, to the last bit; seconds aside."""
    assert len(one.recent) == len(other.recent)
    for a, b in zip(one.recent, other.recent, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.best_theta, other.best_theta)
    assert one.optimizer["t"] == other.optimizer["t"]
    for a, b in zip(one.optimizer["moments"], other.optimizer["moments"], strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.rng == other.rng
    assert one.best == other.best
    assert one.pace == other.pace
    assert timeless(one.history) == timeless(other.history)


def assert_same_result(result, expected):
    """Assert that two training results are the same to the last bit, whatever ended them."""
    assert_same_snapshot(result.last, expected.last)
    assert result.validated == expected.validated
