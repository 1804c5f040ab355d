"""Packed sequences with their targets, blocks gathered from them, and workspaces for the blocks.

Dimension key: N sequences, F features, K outputs, B columns of a block, T its steps, M targets:
one for each sequence (N), or one for each step (the sum of all T_i).

Packed sequences are stored one after another in one array: values (sum of all T_i, F) and
offsets (N + 1,), where sequence i is values[offsets[i]:offsets[i + 1]].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.cached import cached_property
from sklearn_rnn._core.losses import Objective
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array, Workspace

# A block of no more numbers (of inputs and states) is not worth cutting, however ragged it is.
LITTLE = 2**19


@dataclass(frozen=True)
class TrainingData:
    """Packed sequences with their targets and weights.

    Parameters
    ----------
    values : ndarray (sum of all T_i, F)
    offsets : ndarray of int (N + 1,)
    y : ndarray (M, K)
    weight : ndarray (M,)
    per_step : bool
        Whether there is a target for every step. Targets of weight 0 are not scored.
    """

    values: Array
    offsets: Array
    y: Array
    weight: Array
    per_step: bool = False

    @property
    def n_samples(self) -> int:
        """N, the number of sequences."""
        return len(self.offsets) - 1

    @property
    def packed(self) -> tuple[Array, Array]:
        """Values and offsets."""
        return self.values, self.offsets

    @cached_property
    def lengths(self) -> Array:
        """(N,) the number of steps of each sequence."""
        return np.diff(self.offsets)

    def take(self, index: Array) -> TrainingData:
        """Return the chosen sequences, packed into new arrays."""
        rows = rows_of_sequences(self.offsets, index)
        offsets = np.concatenate([[0], np.cumsum(self.lengths[index])])
        targets = rows if self.per_step else index
        return TrainingData(
            self.values[rows], offsets, self.y[targets], self.weight[targets], self.per_step
        )

    def weighty(self) -> Array:
        """Return the indices of the sequences with a positive weight."""
        weighty = self.weight > 0
        if self.per_step:
            weighty = np.logical_or.reduceat(weighty, self.offsets[:-1])
        return np.flatnonzero(weighty)

    def astype(self, dtype: Any) -> TrainingData:
        """Return the data with y in `dtype`, and weights in `dtype` divided by the largest one."""
        weight = (self.weight / self.weight.max()).astype(dtype)
        return replace(self, y=self.y.astype(dtype), weight=weight)


def rows_of_sequences(offsets: Array, index: Array) -> Array:
    """Return the packed rows of the chosen sequences, one sequence after another."""
    lengths = offsets[index + 1] - offsets[index]
    begins = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(lengths.sum()) + np.repeat(offsets[index] - begins, lengths))


def step_numbers(network: Network) -> int:
    """Return how many numbers the layers keep for one step of one sequence."""
    cells = network.stack.layers
    return network.stack.n_directions * sum(
        cell.input_size + 4 * cell.hidden_size for cell in cells
    )


def is_ragged(lengths: Array, numbers: int) -> bool:
    """Return whether a block of these sequences would be mostly padding, and large.

    `numbers` are those of one step of one sequence.
    """
    n_cells = int(lengths.max()) * len(lengths)
    return n_cells > 2 * int(lengths.sum()) and n_cells * numbers > LITTLE


def split_ragged(lengths: Array, numbers: int) -> list[Array]:
    """Return the positions of the sequences of each block that a ragged batch is run in.

    No block is longer than twice its shortest sequence, or larger than two of the longest, but for
    small ones. So a batch takes at most twice the memory of its longest sequence, instead of that
    memory for every sequence. All other batches are one block.
    """
    if not is_ragged(lengths, numbers):
        return [np.arange(len(lengths))]
    order = np.argsort(-lengths, kind="stable")
    largest = max(2 * int(lengths.max()), LITTLE // numbers)
    blocks, begin = [], 0
    while begin < len(order):
        rest = lengths[order[begin:]]
        n_columns = len(rest)
        if n_columns * rest[0] * numbers > LITTLE:
            n_columns = np.searchsorted(-2 * rest, -rest[0], side="right")
            n_columns = max(1, min(int(n_columns), largest // int(rest[0])))
        blocks.append(order[begin : begin + n_columns])
        begin += n_columns
    return blocks


def rows_of_steps(offsets: Array, index: Array, begin: int = 0, end: int | None = None) -> Array:
    """Return (T, B): the packed rows of the chosen sequences, or of their steps begin to end.

    Each sequence's last row fills its padding.
    """
    lengths = offsets[index + 1] - offsets[index]
    longest = int(lengths.max())
    steps = np.arange(begin, longest if end is None else min(end, longest))[:, None]
    return np.asarray(offsets[index] + np.minimum(steps, lengths - 1))


def gather(
    values: Array, offsets: Array, index: Array, begin: int = 0, end: int | None = None
) -> Block:
    """Return the chosen sequences, or their steps begin to end, as a block, zero in the padding.

    A sequence that ends before has one step there, of zeros: see `_core.truncation`.
    """
    rows = rows_of_steps(offsets, index, begin, end)
    left = offsets[index + 1] - offsets[index] - begin
    lengths = np.minimum(np.maximum(left, 1), len(rows))  # 4 us less than `clip`
    block = Block(values.take(rows, axis=0).transpose(0, 2, 1), lengths)
    block.zero_padding(block.x)
    if begin:
        block.x[0, :, left < 1] = 0
    return block


def gather_objective(
    data: TrainingData, index: Array, block: Block, normalizer: float, begin: int = 0
) -> Objective:
    """Return the targets and weights of a block of these sequences, from this step on."""
    if not data.per_step:
        return Objective(data.y[index].T, data.weight[index], normalizer)
    end = begin + block.n_steps
    rows = rows_of_steps(data.offsets, index, begin, end).ravel()
    real = np.arange(begin, end)[:, None] < data.lengths[index]
    return Objective(data.y[rows].T, data.weight[rows] * real.ravel(), normalizer)


class WorkspacePool:
    """The workspaces of one fit or predict, reused from block to block.

    Workspaces can run all blocks with the same number of columns, and with at most their number of
    steps: all batches of an epoch, except perhaps the last one. For other blocks, new workspaces
    take their place. This costs little time (0.3 ms in an epoch of 10 ms), and keeping both would
    cost memory.

    Parameters
    ----------
    network : Network
    dtype : dtype
    training : bool
        Whether the workspaces are for training.
    longest : int
        The number of steps of the longest block, if known. All workspaces have at least this many
        steps.
    at_most : int or None
        The largest number of steps of a workspace. Longer blocks run piece by piece. It has no
        effect where that is impossible: with two directions, or with attention.

    Attributes
    ----------
    n_columns : int
        The number of columns of the workspaces in memory; 0 before the first ones are made.
    """

    def __init__(
        self,
        network: Network,
        dtype: Any,
        *,
        training: bool,
        longest: int = 0,
        at_most: int | None = None,
    ) -> None:
        self._network, self._dtype, self._training = network, dtype, training
        self._at_most = at_most if network.runs_in_pieces else None
        self._longest = self._limit(longest)
        self.n_columns = 0
        self._workspaces: list[list[Workspace]] = []

    def get(self, n_steps: int, n_columns: int) -> list[list[Workspace]]:
        """Return workspaces for a block of this shape."""
        n_steps = self._limit(n_steps)
        if n_columns != self.n_columns or self._workspaces[0][0].n_steps < n_steps:
            self._workspaces = []  # freed before the new workspaces are made
            self._workspaces = self._network.make_workspaces(
                self._n_steps_for_all(n_steps, n_columns),
                n_columns,
                self._dtype,
                training=self._training,
            )
            self.n_columns = n_columns
        return self._workspaces

    def _n_steps_for_all(self, n_steps: int, n_columns: int) -> int:
        """Return the steps of the longest block, if workspaces that long need little memory."""
        numbers = self._longest * n_columns * step_numbers(self._network)
        is_little = self._longest <= 2 * n_steps or numbers <= LITTLE
        return max(n_steps, self._longest) if is_little else n_steps

    def _limit(self, n_steps: int) -> int:
        return n_steps if self._at_most is None else min(n_steps, self._at_most)
