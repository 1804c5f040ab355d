"""The loss and gradient of a batch; large batches run as two halves in two threads.

Dimension key: B sequences of a batch, T steps, K outputs, M targets.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from sklearn_rnn._core.layout import Parameters
from sklearn_rnn._core.masks import Masks
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.truncation import clear_states, start_from, states_after
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.packing import (
    TrainingData,
    WorkspacePool,
    gather,
    gather_objective,
    is_ragged,
    split_ragged,
    step_numbers,
)
from sklearn_rnn._training.dropout import Dropout

# From this hidden_size**2 * batch on, the two halves of a batch run separately. Measured on 2
# cores: two threads with half a batch each are 1.3 to 1.8 times faster from 64**2 * 64 on (a GRU of
# this size 1.04 times). For smaller batches they are slower, since threads wait for Python more
# than they compute.
LARGE_BATCH = 2**18


@dataclass
class BatchGradients:
    """Computes losses and gradients of batches of one data set, at the current theta.

    Parameters
    ----------
    network : Network
    data : TrainingData
    theta : ndarray
        The weights. They may change between calls.
    dropout : Dropout
        Draws the masks of every batch.
    tbptt_steps : int or None
        The largest number of steps that errors run back through.
    executor : Executor or None
        Runs the second half of a large batch at the same time as the first. Without it, the result
        has the same bits.

    Attributes
    ----------
    gradient : ndarray
        The gradient of the last batch, or of the last piece of a batch.
    """

    network: Network
    data: TrainingData
    theta: Array
    dropout: Dropout
    tbptt_steps: int | None = None
    executor: Executor | None = None
    gradient: Array = field(init=False)

    def __post_init__(self) -> None:
        data, theta = self.data, self.theta
        # The mean over all data, not the batch: a batch of light samples must have little effect.
        self._mean_weight = float(data.weight.sum(dtype=np.float64)) / data.n_samples
        # The penalty belongs to the batch, not to each of its halves.
        self._networks = [self.network, replace(self.network, alpha=0.0)]
        longest = int(data.lengths.max())
        self._pools = [
            WorkspacePool(
                self.network,
                theta.dtype,
                training=True,
                longest=longest,
                at_most=self.tbptt_steps,
            )
            for _ in range(2)
        ]
        bind = self.network.layout.bind
        self._parameters = bind(theta)
        self._gradients = bind(np.empty_like(theta)), bind(np.empty_like(theta))
        self.gradient, self._second = (gradient.vector for gradient in self._gradients)

    def of_batch(self, index: Array) -> float:
        """Return the loss of a batch; write its gradient."""
        normalizer = len(index) * self._mean_weight
        if not self._is_large(index):
            return self._part(0, self._blocks(index), normalizer)
        first, second = (self._blocks(half) for half in np.array_split(index, 2))
        if self.executor is None:
            loss = self._part(0, first, normalizer)
            loss += self._part(1, second, normalizer)
        else:
            other = self.executor.submit(self._part, 1, second, normalizer)
            loss = self._part(0, first, normalizer) + other.result()
        self.gradient += self._second
        return loss

    def of_pieces(self, index: Array) -> Iterator[tuple[float, float]]:
        """Yield the loss of each piece of a batch, and its share of the steps of the batch.

        A piece is some consecutive steps of all sequences. Its gradient is written before its loss
        is yielded. The states pass from piece to piece, even if theta changes in between.
        """
        data, lengths = self.data, self.data.lengths[index]
        normalizer, longest = len(index) * self._mean_weight, int(lengths.max())
        workspaces = self._pools[0].get(longest, len(index))
        n_steps = workspaces[0][0].n_steps
        self.network.start(self._parameters, workspaces)
        all_masks = self._masks_of_pieces(index, n_steps)
        for begin, masks in zip(range(0, longest, n_steps), all_masks, strict=True):
            piece = gather(data.values, data.offsets, index, begin, begin + n_steps)
            share = piece.n_steps / longest
            objective = gather_objective(data, index, piece, share * normalizer, begin)
            loss = self.network.loss_gradient(
                self._parameters, workspaces, piece, objective, self._gradients[0], masks
            )
            after = states_after(workspaces, piece.n_steps)
            yield float(loss), share
            start_from(workspaces, after)
        clear_states(workspaces)

    def _masks_of_pieces(self, index: Array, n_steps: int) -> Iterator[Masks]:
        """Yield the masks of each piece of a batch: of a ragged one, drawn piece by piece."""
        lengths = self.data.lengths[index]
        longest, draw = int(lengths.max()), partial(self.dropout.draw, self.network)
        if is_ragged(lengths, step_numbers(self.network)):
            states = draw(1, len(index)).states  # which stay the same for all steps
            for begin in range(0, longest, n_steps):
                masks = draw(min(n_steps, longest - begin), len(index))
                yield replace(masks, states=states)
        else:
            masks = draw(longest, len(index))
            for begin in range(0, longest, n_steps):
                yield masks if n_steps >= longest else masks.piece(begin, begin + n_steps)

    def of_blocks(self, blocks: list[Array]) -> tuple[float, Array]:
        """Return the loss of all data, given as blocks of sequences, and its gradient (float64)."""
        loss, gradient = 0.0, np.zeros(self.theta.shape)
        normalizer = self.data.n_samples * self._mean_weight
        for k, index in enumerate(blocks):
            part = min(k, 1)  # the penalty belongs to the first block alone
            loss += self._part(part, self._blocks(index), normalizer)
            gradient += self._second if part else self.gradient
        return loss, gradient

    def raw_predictions(self, theta: Array, batch_size: int) -> Array:
        """Return raw predictions of some sequences with these weights, without dropout.

        The sequences are as many as the workspaces in memory hold, so that no memory is added.
        """
        data, pool = self.data, self._pools[0]
        index = np.arange(min(pool.n_columns or batch_size, data.n_samples))
        parameters, answers = self.network.layout.bind(theta), []
        for columns in split_ragged(data.lengths[index], step_numbers(self.network)):
            block = gather(data.values, data.offsets, index[columns])
            workspaces = pool.get(block.n_steps, block.n_columns)
            answers.append(self.network.raw_prediction(parameters, workspaces, block))
        return np.concatenate(answers, axis=1)

    def _blocks(self, index: Array) -> list[tuple[Array, Masks]]:
        """Return the blocks that a batch is run in, one unless it is ragged, and their masks."""
        lengths = self.data.lengths[index]
        blocks = [index[columns] for columns in split_ragged(lengths, step_numbers(self.network))]
        return [
            (b, self.dropout.draw(self.network, int(self.data.lengths[b].max()), len(b)))
            for b in blocks
        ]

    def _part(self, k: int, blocks: list[tuple[Array, Masks]], normalizer: float) -> float:
        """Return the loss of these samples; write gradient k: 0 is the first, 1 the second."""
        gradient, (first, *others) = self._gradients[k], blocks
        loss = self._run(k, self._networks[k], *first, normalizer, gradient)
        if others:
            of_block = self.network.layout.bind(np.empty_like(gradient.vector))
            for block in others:
                loss += self._run(k, self._networks[1], *block, normalizer, of_block)
                gradient.vector[...] += of_block.vector
        return loss

    def _run(
        self,
        k: int,
        network: Network,
        index: Array,
        masks: Masks,
        normalizer: float,
        gradient: Parameters,
    ) -> float:
        """Return the loss of one block of samples, in the workspaces of part k."""
        data = self.data
        block = gather(data.values, data.offsets, index)
        objective = gather_objective(data, index, block, normalizer)
        workspaces = self._pools[k].get(block.n_steps, block.n_columns)
        fits = block.n_steps <= workspaces[0][0].n_steps
        run = network.loss_gradient if fits else network.truncated_loss_gradient
        with np.errstate(all="ignore"):  # a new thread does not inherit the setting of its parent
            network.start(self._parameters, workspaces)
            return float(run(self._parameters, workspaces, block, objective, gradient, masks))

    def _is_large(self, index: Array) -> bool:
        """Whether two threads with half of this batch each are faster than one thread."""
        hidden_size = self.network.stack.layers[0].hidden_size
        return len(index) > 1 and hidden_size**2 * len(index) >= LARGE_BATCH
