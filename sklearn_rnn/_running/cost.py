"""What a run will cost: bytes and floating point operations, told from sizes alone.

Dimension key: N sequences, T_i steps, F features, B columns of a block, K outputs, P parameters.

Arithmetic is that of the matrix products: two operations, a product and a sum, for each weight
that a step, or an answer, reads. Elementwise functions are left out. The way back costs twice as
much, once for the errors and once for the gradients of the weights.

Memory is that of the workspaces, read off workspaces of a few steps, and of the arrays beside
them. X itself is left out, and so is most of what lives for a moment only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_rnn._core.cell import Cell
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import COLUMNS_PER_CHUNK, Array
from sklearn_rnn._running.prediction import STEPS, iter_indices

# Vectors like theta that training with Adam keeps: theta, the gradients of two halves of a batch,
# two moments and a scratch, and in each of two checkpoints theta and both moments.
VECTORS = 12
# Bytes of a view of an array, of which workspaces keep some for each step.
VIEW = 128


def forward_operations(network: Network, lengths: Array) -> int:
    """Return the operations of a forward pass over sequences of these lengths."""
    parameters = network.layout.bind(np.empty(network.layout.size, bool))
    readout = parameters.readout
    of_step = sum(arrays["W"].size for row in parameters.cells for arrays in row)
    if "attention" in readout:
        of_step += 2 * readout["attention"].size  # for the scores, and for the weighted sum
    of_answer = sum(readout[name].size for name in network.readout.dense_layers)
    n_steps = int(lengths.sum())
    n_answers = n_steps if network.per_step else len(lengths)
    return 2 * (of_step * n_steps + of_answer * n_answers)


def update_operations(network: Network, lengths: Array, batch_size: int) -> int:
    """Return the operations of one update, by a batch of sequences of these lengths' mean."""
    batch = min(batch_size, len(lengths)) / len(lengths)
    return round(3 * forward_operations(network, lengths) * batch)


def training_bytes(
    network: Network, lengths: Array, n_features: int, dtype: Any, batch_size: int, at_most: Any
) -> int:
    """Return the memory of training: the workspaces of the longest batch, and theta's like.

    `at_most` is the number of steps that no workspace exceeds, or None.
    """
    longest, n_columns = int(lengths.max()), min(batch_size, len(lengths))
    n_steps = min(longest, at_most) if at_most and network.runs_in_pieces else longest
    itemsize = np.dtype(dtype).itemsize
    inputs = longest * n_columns * n_features * itemsize
    workspaces = workspace_bytes(network, n_steps, n_columns, dtype, training=True)
    return inputs + workspaces + VECTORS * network.layout.size * itemsize


def prediction_bytes(network: Network, lengths: Array, n_features: int, dtype: Any) -> int:
    """Return the memory of a prediction: the largest block's workspaces, inputs and answers."""
    index = next(iter_indices(network, lengths, n_features))
    longest, n_columns = int(lengths[index].max()), len(index)
    n_steps = min(longest, STEPS) if network.runs_in_pieces else longest
    n_answers = int(lengths.sum()) if network.per_step else len(lengths)
    of_answers = n_answers * network.readout.n_outputs
    if network.per_step:  # the pooled states of a piece, and the block's answers before they go out
        of_answers += longest * n_columns * network.readout.n_outputs
        of_answers += n_steps * n_columns * network.readout.input_size
    itemsize = np.dtype(dtype).itemsize
    inputs = longest * n_columns * n_features
    workspaces = workspace_bytes(network, n_steps, n_columns, dtype, training=False)
    return workspaces + (inputs + of_answers) * itemsize


def workspace_bytes(
    network: Network, n_steps: int, n_columns: int, dtype: Any, *, training: bool
) -> int:
    """Return the bytes of all workspaces for a block of this shape."""

    def count(n_steps: int) -> int:
        workspaces = network.make_workspaces(n_steps, n_columns, dtype, training=training)
        rows = zip(network.stack.layers, workspaces, strict=True)
        return sum(_bytes_of(cell, ws) for cell, row in rows for ws in row)

    # From as many steps as a chunk may have on, each one more brings the same.
    few = min(n_steps, COLUMNS_PER_CHUNK // n_columns + 2)
    total = count(few)
    if few < n_steps:
        total += (n_steps - few) * (total - count(few - 1))
    if network.stack.layer_norm:  # which makes two arrays like the states of a layer on its way
        hidden_size = network.stack.layers[0].hidden_size
        total += 2 * n_steps * n_columns * hidden_size * np.dtype(dtype).itemsize
    return total


def _bytes_of(cell: Cell, workspace: Any) -> int:
    """Return the bytes of a workspace: of its arrays, each memory counted once, and its views.

    With those of the two arrays that it gathers the columns of a chunk in, on the way back.
    """
    owners, views = {}, 0
    for value in vars(workspace).values():
        if isinstance(value, list):
            views += VIEW * sum(1 for _ in _flat(value))
        elif isinstance(value, np.ndarray):
            while getattr(value, "base", None) is not None:
                value = value.base
            owners[id(value)] = value.nbytes
    gathered = 0
    if hasattr(workspace, "dh"):
        rows = cell.n_gate_rows + cell.hidden_size + 1 + cell.input_size
        gathered = workspace.chunk * workspace.n_columns * rows * workspace.dtype.itemsize
    return sum(owners.values()) + views + gathered


def _flat(items: Any) -> Iterator[Any]:
    for item in items:
        if isinstance(item, tuple):
            yield from item
        else:
            yield item
