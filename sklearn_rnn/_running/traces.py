"""States, gates and errors at every step of any number of sequences.

Dimension key: N sequences, T_i steps, F features, B columns of a block, R rows of the result.

Each block has new workspaces for all of its steps, so that nothing of an earlier block can be read.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array, Workspace
from sklearn_rnn._running.packing import TrainingData, gather_objective, rows_of_steps
from sklearn_rnn._running.prediction import iter_blocks

# Returns (T, R, B) from the workspaces after a run, and the block of the run.
Read = Callable[[list[list[Workspace]], Block], Array]


def read_forward(
    network: Network, theta: Array, values: Array, offsets: Array, read: Read, *, training: bool
) -> Array:
    """Return (sum of all T_i, R): the results of `read` after a forward run.

    `training` says whether `read` needs the gates of all steps.
    """
    parameters = network.layout.bind(theta)

    def run(index: Array, block: Block) -> Array:
        sizes = block.n_steps, block.n_columns, theta.dtype
        workspaces = network.make_workspaces(*sizes, training=training)
        network.start(parameters, workspaces)
        network.forward(parameters, workspaces, block)
        return read(workspaces, block)

    return _gather_steps(network, values, offsets, run)


def read_backward(network: Network, theta: Array, data: TrainingData, read: Read) -> Array:
    """Return (sum of all T_i, R): the results of `read` after a backward run.

    The errors are those of the loss of the network, summed over the weighted answers.
    """
    parameters = network.layout.bind(theta)
    gradient = network.layout.bind(np.empty_like(theta))

    def run(index: Array, block: Block) -> Array:
        sizes = block.n_steps, block.n_columns, theta.dtype
        workspaces = network.stack.make_workspaces(*sizes, training=True, input_gradient=True)
        network.start(parameters, workspaces)
        objective = gather_objective(data, index, block, normalizer=1.0)
        network.loss_gradient(parameters, workspaces, block, objective, gradient)
        return read(workspaces, block)

    return _gather_steps(network, *data.packed, run)


def _gather_steps(
    network: Network, values: Array, offsets: Array, run: Callable[[Array, Block], Array]
) -> Array:
    """Return (sum of all T_i, R): the real steps of the results (T, R, B) of `run`."""
    longest = int(np.diff(offsets).max())
    result = None
    with np.errstate(all="ignore"):
        for index, block in iter_blocks(network, values, offsets, longest):
            answer = run(index, block).transpose(0, 2, 1)
            if result is None:
                result = np.empty((len(values), answer.shape[2]), answer.dtype)
            result[rows_of_steps(offsets, index)[block.real]] = answer[block.real]
    assert result is not None
    return result
