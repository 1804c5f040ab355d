"""From packed sequences to blocks: which sequences go together, in which order.

Dimension key: N sequences, F features, K outputs, B columns of a block, T its steps, M targets:
one a sequence (N), or one a step (the sum of all T_i).

Sequences come packed: values (sum of all T_i, F) and offsets (N + 1,), where sequence i is
values[offsets[i]:offsets[i + 1]].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.losses import Objective
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array, Workspace

# Batches are cut from pools of this many, sorted by length: enough to leave little padding,
# few enough to keep their composition random.
BATCHES_PER_POOL = 32


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
        Whether there is a target at every step. Those of weight 0 are not scored.
    """

    values: Array
    offsets: Array
    y: Array
    weight: Array
    per_step: bool = False

    @property
    def n_samples(self) -> int:
        """N."""
        return len(self.offsets) - 1

    @property
    def packed(self) -> tuple[Array, Array]:
        """Values and offsets."""
        return self.values, self.offsets

    @cached_property
    def lengths(self) -> Array:
        """(N,) steps of each sequence."""
        return np.diff(self.offsets)

    def take(self, index: Array) -> TrainingData:
        """Return the chosen sequences, packed anew."""
        lengths = self.lengths[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[index] - offsets[:-1], lengths)
        targets = rows if self.per_step else index
        return TrainingData(
            self.values[rows], offsets, self.y[targets], self.weight[targets], self.per_step
        )

    def weighty(self) -> Array:
        """Return the indices of the sequences that have any weight."""
        weighty = self.weight > 0
        if self.per_step:
            weighty = np.logical_or.reduceat(weighty, self.offsets[:-1])
        return np.flatnonzero(weighty)

    def astype(self, dtype: Any) -> TrainingData:
        """Return y in `dtype`, and weights, in units of the largest, likewise."""
        weight = (self.weight / self.weight.max()).astype(dtype)
        return replace(self, y=self.y.astype(dtype), weight=weight)


def merge_duplicates(data: TrainingData, limit: int) -> TrainingData:
    """Return the distinct (sequence, target) pairs, weights added up, in the order of their bytes.

    Where there are more than `limit` of them, they do not fit into one batch, and `data` is
    returned as it is.

    Training on all data at once, the order of the samples and the difference between a weight
    of w and w copies change sums by rounding only. But training is chaotic: it blows a
    rounding error of 1e-16 up to a visible one within some hundred updates. In this canonical
    form both are exactly the same computation.
    """
    places: dict[tuple[bytes, bytes], int] = {}
    first: list[int] = []
    weights: list[Array] = []
    for i in range(data.n_samples):
        steps = slice(data.offsets[i], data.offsets[i + 1])
        targets = steps if data.per_step else slice(i, i + 1)
        key = data.values[steps].tobytes(), data.y[targets].tobytes()
        if key not in places:
            if len(places) == limit:
                return data
            places[key] = len(places)
            first.append(i)
            weights.append(np.zeros_like(data.weight[targets]))
        weights[places[key]] += data.weight[targets]
    order = [place for _, place in sorted(places.items())]
    merged = data.take(np.array(first)[order])
    return replace(merged, weight=np.concatenate([weights[place] for place in order]))


def iter_batches(
    lengths: Array, batch_size: int, rng: np.random.Generator | None
) -> Iterator[Array]:
    """Yield the indices of each batch of an epoch; in the given order where `rng` is None.

    With unequal lengths, shuffled sequences are sorted by length within large pools before
    they are cut into batches, and the batches of a pool are shuffled: little padding, and
    still other batches each epoch, as far as lengths allow. Data that one pool holds are sorted
    as a whole: there, sequences of like length keep company.
    """
    n = len(lengths)
    if rng is None:
        yield from np.split(np.arange(n), range(batch_size, n, batch_size))
        return
    order = rng.permutation(n)
    if (lengths == lengths[0]).all():
        yield from np.split(order, range(batch_size, n, batch_size))
        return
    pool_size = BATCHES_PER_POOL * batch_size
    for pool in np.split(order, range(pool_size, n, pool_size)):
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches = np.split(pool, range(batch_size, len(pool), batch_size))
        for k in rng.permutation(len(batches)):
            yield batches[k]


def rows_of_steps(offsets: Array, index: Array) -> Array:
    """Return (T, B): the packed row of each step of the chosen sequences; their last in padding."""
    begins, lengths = offsets[index], offsets[index + 1] - offsets[index]
    steps = np.arange(lengths.max())[:, None]
    return np.asarray(begins + np.minimum(steps, lengths - 1))


def gather(values: Array, offsets: Array, index: Array) -> Block:
    """Return the chosen sequences as a block, zero in the padding."""
    rows = rows_of_steps(offsets, index)
    lengths = offsets[index + 1] - offsets[index]
    block = Block(values.take(rows, axis=0).transpose(0, 2, 1), lengths)
    block.zero_padding(block.x)
    return block


def gather_objective(
    data: TrainingData, index: Array, block: Block, normalizer: float
) -> Objective:
    """Return the targets and weights of a block of these sequences."""
    if not data.per_step:
        return Objective(data.y[index].T, data.weight[index], normalizer)
    rows = rows_of_steps(data.offsets, index).ravel()
    return Objective(data.y[rows].T, data.weight[rows] * block.real.ravel(), normalizer)


class WorkspacePool:
    """The workspaces of one fit or predict, reused from block to block.

    They serve all blocks of their number of columns that have no more than their steps, which
    are all batches of an epoch but perhaps the last one. For any other block they are made anew,
    which costs little (an epoch of 10 ms takes 0.3 ms longer); to keep both would cost memory.

    Parameters
    ----------
    network : Network
    dtype : dtype
    training : bool
        Whether to train.
    longest : int
        The steps of the longest block, if known: so long are all workspaces then.
    at_most : int or None
        No workspace has more steps; longer blocks are run piece by piece. Of no effect with two
        directions, or attention, where that cannot be.

    Attributes
    ----------
    n_columns : int
        The columns of the workspaces in memory; 0 before the first.
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
            self._workspaces = []  # before others take their place in memory
            self._workspaces = self._network.make_workspaces(
                max(n_steps, self._longest), n_columns, self._dtype, training=self._training
            )
            self.n_columns = n_columns
        return self._workspaces

    def _limit(self, n_steps: int) -> int:
        return n_steps if self._at_most is None else min(n_steps, self._at_most)
