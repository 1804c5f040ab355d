"""Runs whose workspaces are read: what happened at every step, of all sequences.

Dimension key: N sequences, T_i steps, F features, B columns of a block, R rows of the result.

Every block has new workspaces, which keep all of its steps: what is read of them must not be
what an earlier block has left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array, Workspace
from sklearn_rnn._running.packing import TrainingData, gather_objective, rows_of_steps
from sklearn_rnn._running.prediction import iter_blocks

# Of the workspaces after a run, and its block: (T, R, B).
Read = Callable[[list[list[Workspace]], Block], Array]


def read_forward(
    network: Network, theta: Array, values: Array, offsets: Array, read: Read, *, training: bool
) -> Array:
    """Return (sum of all T_i, R): what `read` finds after forward.

    `training` says whether it needs the histories of the gates.
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
    """Return (sum of all T_i, R): what `read` finds after the errors of the loss have run back.

    The loss is that of the network, summed over the answers times their weights.
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
    """Return (sum of all T_i, R), the real steps of what `run` gives of each block, (T, R, B)."""
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
