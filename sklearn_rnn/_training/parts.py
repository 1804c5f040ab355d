"""The parts that a large batch is cut into, and the loss and gradient of a part.

A batch is cut by its size alone, each part has random numbers of its own, and the gradients of the
parts are summed in their order. So the bits of a fit do not depend on what runs the parts: one
thread, several threads or several processes.

Dimension key: B sequences of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from sklearn_rnn._core.layout import Parameters
from sklearn_rnn._core.masks import Masks
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.packing import (
    TrainingData,
    WorkspacePool,
    gather,
    gather_objective,
    split_ragged,
    step_numbers,
)
from sklearn_rnn._training.dropout import Dropout


@dataclass(frozen=True)
class Part:
    """What is to be computed of one part of a batch."""

    number: int  # its place in the batch, and the number of its gradient
    index: Array  # the sequences
    normalizer: float  # what its loss is divided by
    seed: int | None  # of the masks of dropout, if there is dropout
    has_penalty: bool  # true for one part of a batch: the penalty belongs to the whole of it


@dataclass
class PartGradients:
    """Computes the losses and gradients of parts, one at a time, in workspaces of its own.

    Parameters
    ----------
    network : Network
    data : TrainingData
    theta : ndarray
        The weights. They may change between calls.
    dropout : Dropout
        Draws the masks.
    tbptt_steps : int or None
        The largest number of steps that errors run back through.
    """

    network: Network
    data: TrainingData
    theta: Array
    dropout: Dropout
    tbptt_steps: int | None = None
    _pools: dict[int, WorkspacePool] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._without_penalty = replace(self.network, alpha=0.0)
        self._parameters = self.network.layout.bind(self.theta)
        self._longest = int(self.data.lengths.max())

    def run(self, parts: list[Part], gradients: list[Parameters]) -> list[float]:
        """Return the losses of parts; write their gradients."""
        return [self.compute(part, gradients[part.number]) for part in parts]

    def compute(self, part: Part, gradient: Parameters) -> float:
        """Return the loss of a part; write its gradient."""
        (first, masks), *others = self._blocks(part)
        network = self.network if part.has_penalty else self._without_penalty
        loss = self._run(part, network, first, masks, gradient)
        if others:
            of_block = network.layout.bind(np.empty_like(gradient.vector))
            for index, masks in others:
                loss += self._run(part, self._without_penalty, index, masks, of_block)
                gradient.vector[...] += of_block.vector
        return loss

    def pool(self, n_columns: int) -> WorkspacePool:
        """Return the workspaces for parts of so many sequences, which run one after another.

        The parts of a batch differ by one sequence at most, so that there may be two of them.
        """
        if any(abs(n_columns - other) > 1 for other in self._pools):
            self._pools.clear()
        if n_columns not in self._pools:
            self._pools[n_columns] = WorkspacePool(
                self.network,
                self.theta.dtype,
                training=True,
                longest=self._longest,
                at_most=self.tbptt_steps,
            )
        return self._pools[n_columns]

    @property
    def n_columns(self) -> int:
        """How many sequences the workspaces in memory hold; 0 before there are any."""
        return max((pool.n_columns for pool in self._pools.values()), default=0)

    def _blocks(self, part: Part) -> Iterator[tuple[Array, Masks]]:
        """Yield the blocks that a part is run in, one unless it is ragged, and their masks."""
        lengths = self.data.lengths[part.index]
        rng = None if part.seed is None else np.random.default_rng(part.seed)
        for columns in split_ragged(lengths, step_numbers(self.network)):
            n_steps = int(lengths[columns].max())
            yield part.index[columns], self.dropout.draw(self.network, n_steps, len(columns), rng)

    def _run(
        self, part: Part, network: Network, index: Array, masks: Masks, gradient: Parameters
    ) -> float:
        """Return the loss of one block of a part; write its gradient."""
        data = self.data
        block = gather(data.values, data.offsets, index)
        objective = gather_objective(data, index, block, part.normalizer)
        workspaces = self.pool(len(part.index)).get(block.n_steps, block.n_columns)
        fits = block.n_steps <= workspaces[0][0].n_steps
        run = network.loss_gradient if fits else network.truncated_loss_gradient
        with np.errstate(all="ignore"):  # a new thread does not inherit the setting of its parent
            network.start(self._parameters, workspaces)
            return float(run(self._parameters, workspaces, block, objective, gradient, masks))
