"""The memory that workspaces take is told without making all of them."""

import tracemalloc

import numpy as np
import pytest

from sklearn_rnn._running.cost import forward_operations, workspace_bytes
from tests.core.helpers import CELLS, random_problem


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("n_columns", [1, 40])
@pytest.mark.parametrize("cell", CELLS)
def test_bytes_of_workspaces_are_those_that_are_allocated(cell, n_columns, training):
    network = random_problem(cell, H=20, num_layers=2, n_directions=2).network
    sizes = 1100, n_columns, np.float64
    tracemalloc.start()
    workspaces = network.make_workspaces(*sizes, training=training)
    allocated, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(workspaces) == 2
    told = workspace_bytes(network, *sizes, training=training)
    # The views that a step needs weigh more than its numbers where there is one column.
    assert told == pytest.approx(allocated, rel=0.25 if n_columns == 1 else 0.15)


def test_float32_takes_half_of_the_numbers():
    network = random_problem("lstm", H=64).network
    double, single = (
        workspace_bytes(network, 300, 64, dtype, training=True)
        for dtype in (np.float64, np.float32)
    )
    assert single == pytest.approx(double / 2, rel=0.01)


@pytest.mark.parametrize("pooling", ["last", "none", "attention"])
def test_operations_of_a_forward_pass(pooling):
    network = random_problem("rnn-tanh", F=2, H=3, K=2, pooling=pooling, head_sizes=(4,)).network
    lengths = np.array([5, 2])
    of_cells = 3 * (3 + 1 + 2) * 7
    of_attention = 2 * 3 * 7 if pooling == "attention" else 0
    n_answers = 7 if pooling == "none" else 2
    of_answers = (4 * (3 + 1) + 2 * (4 + 1)) * n_answers
    assert forward_operations(network, lengths) == 2 * (of_cells + of_attention + of_answers)
