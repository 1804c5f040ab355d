"""What is read of workspaces comes back in the sequences' order, whatever blocks they ran in."""

from dataclasses import replace

import numpy as np
import pytest

from sklearn_rnn._core.traces import error_norms, layer_states
from sklearn_rnn._running import prediction
from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._running.traces import read_backward, read_forward
from tests.core.helpers import random_problem

LENGTHS = np.array([3, 1, 7, 7, 2, 5, 4])


def make_run(**options):
    """A network, weights, and data of unequal lengths in no order."""
    problem = random_problem("gru", learn_initial_state=True, **options)
    rng = np.random.default_rng(0)
    network = replace(problem.network, alpha=0.0)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    n_answers = offsets[-1] if network.per_step else len(LENGTHS)
    data = TrainingData(
        rng.normal(size=(offsets[-1], 2)),
        offsets,
        rng.normal(size=(n_answers, 2)),
        rng.uniform(size=n_answers),
        per_step=network.per_step,
    )
    return network, problem.theta, data


def read_all(network, theta, data):
    """States and norms of the errors, (sum of T_i, ...)."""
    states = read_forward(
        *(network, theta, *data.packed),
        lambda workspaces, block: layer_states(workspaces[-1], block),
        training=False,
    )
    return states, read_backward(network, theta, data, error_norms)


@pytest.mark.parametrize("pooling", ["last", "mean", "none"])
@pytest.mark.parametrize("n_directions", [1, 2])
def test_blocks_change_nothing(n_directions, pooling, monkeypatch):
    network, theta, data = make_run(n_directions=n_directions, pooling=pooling, num_layers=2)
    states, norms = read_all(network, theta, data)
    assert states.shape == (29, 3 * n_directions)
    assert norms.shape == (29, 2 * n_directions)
    for i in range(len(LENGTHS)):
        rows = slice(data.offsets[i], data.offsets[i + 1])
        alone = read_all(network, theta, data.take(np.array([i])))
        np.testing.assert_allclose(states[rows], alone[0], rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(norms[rows], alone[1], rtol=1e-10, atol=1e-14)
    monkeypatch.setattr(prediction, "COLUMNS", 2)
    for whole, cut in zip((states, norms), read_all(network, theta, data), strict=True):
        np.testing.assert_allclose(cut, whole, rtol=1e-10, atol=1e-14)


def test_weights_of_zero_send_nothing_back():
    network, theta, data = make_run()
    weight = np.where(np.arange(len(LENGTHS)) == 2, 0.0, 1.0)
    norms = read_backward(network, theta, replace(data, weight=weight), error_norms)
    silent = np.repeat(weight == 0, LENGTHS)
    assert not norms[silent].any()
    assert norms[~silent].all()
