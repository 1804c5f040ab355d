"""Estimates of the cost of a run: bytes and floating-point operations, from sizes alone.

Dimension key: N sequences, T_i steps, F features, B columns of a block, K outputs, P parameters.

The operations are those of the matrix products: a product and a sum for each weight that a step,
or an answer, reads. Elementwise functions are not counted. The backward pass costs twice as much
as the forward pass, once for the errors and once for the gradients of the weights.

The memory is that of the workspaces, measured on workspaces of a few steps, and of arrays of
similar size. X and most short-lived arrays are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, prod
from typing import Any

import numpy as np

from sklearn_rnn._core.cell import Cell
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import COLUMNS_PER_CHUNK, Array
from sklearn_rnn._running.cutting import count_parts, suits_threads
from sklearn_rnn._running.packing import split_ragged, step_numbers
from sklearn_rnn._running.prediction import STEPS, iter_indices

# The number of vectors of the size of theta in training with Adam: theta, two moments, a buffer,
# and in each of two snapshots theta and both moments. Each part of a batch has a gradient, too.
VECTORS = 10
# The bytes of a view of an array. Workspaces keep some views for each step.
VIEW = 128


def forward_operations(network: Network, lengths: Array) -> int:
    """Return the number of operations of a forward pass over sequences of these lengths."""
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
    """Return the mean number of operations of an update with a batch of these sequences."""
    batch = min(batch_size, len(lengths)) / len(lengths)
    return round(3 * forward_operations(network, lengths) * batch)


def training_bytes(
    network: Network,
    lengths: Array,
    n_features: int,
    dtype: Any,
    batch_size: int,
    at_most: Any,
    *,
    is_cut: bool = True,
) -> int:
    """Return the bytes of training: workspaces, and vectors of the size of theta.

    The workspaces are those of the longest sequences that are run at the same time: of one part of
    a batch, or of two where two threads gain.

    Parameters
    ----------
    network : Network
    lengths : ndarray of int (N,)
    n_features : int
    dtype : dtype
    batch_size : int
    at_most : int or None
        The largest number of steps of a workspace.
    is_cut : bool
        Whether large batches are cut into parts.
    """
    n_columns = min(batch_size, len(lengths))
    hidden_size = network.stack.hidden_size
    n_parts = count_parts(hidden_size, n_columns) if is_cut else 1
    of_part = ceil(n_columns / n_parts)
    n_threads = 2 if n_parts > 1 and suits_threads(hidden_size, of_part) else 1
    longest_lengths = np.sort(lengths)[-n_threads * of_part :]
    split = split_ragged(longest_lengths, step_numbers(network))
    blocks = [longest_lengths[columns] for columns in split]
    longest, n_columns = max(((int(b.max()), len(b)) for b in blocks), key=prod)
    n_steps = min(longest, at_most) if at_most and network.runs_in_pieces else longest
    itemsize = np.dtype(dtype).itemsize
    inputs = longest * n_columns * n_features * itemsize
    workspaces = workspace_bytes(network, n_steps, n_columns, dtype, training=True)
    return inputs + workspaces + (VECTORS + n_parts) * network.layout.size * itemsize


def prediction_bytes(network: Network, lengths: Array, n_features: int, dtype: Any) -> int:
    """Return the bytes of a prediction: workspaces, inputs and answers of the largest block."""
    index = next(iter_indices(network, lengths, n_features))
    longest, n_columns = int(lengths[index].max()), len(index)
    n_steps = min(longest, STEPS) if network.runs_in_pieces else longest
    n_answers = int(lengths.sum()) if network.per_step else len(lengths)
    of_answers = n_answers * network.readout.n_outputs
    if network.per_step:  # also the pooled states of a piece, and the answers of the block
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

    # Beyond the largest chunk, each further step adds the same number of bytes.
    few = min(n_steps, COLUMNS_PER_CHUNK // n_columns + 2)
    total = count(few)
    if few < n_steps:
        total += (n_steps - few) * (total - count(few - 1))
    if (
        network.stack.layer_norm
    ):  # it makes two temporary arrays of the size of the states of a layer
        hidden_size = network.stack.hidden_size
        total += 2 * n_steps * n_columns * hidden_size * np.dtype(dtype).itemsize
    return total


def _bytes_of(cell: Cell, workspace: Any) -> int:
    """Return the bytes of a workspace: its arrays, without counting memory twice, and its views.

    Also those of two arrays that backward makes, which hold the columns of a chunk.
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
