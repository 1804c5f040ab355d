"""The loss and gradient of a batch; large batches run as two halves in two threads.

Dimension key: B sequences of a batch, T steps, K outputs, M targets.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace

import numpy as np

from sklearn_rnn._core.losses import Objective
from sklearn_rnn._core.masks import Masks
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.truncation import clear_states, cut, start_from, states_after
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.packing import TrainingData, WorkspacePool, gather, gather_objective
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
            return self._part(0, index, normalizer, self._draw(index))
        first, second = np.array_split(index, 2)
        masks, second_masks = self._draw(first), self._draw(second)
        if self.executor is None:
            loss = self._part(0, first, normalizer, masks)
            loss += self._part(1, second, normalizer, second_masks)
        else:
            other = self.executor.submit(self._part, 1, second, normalizer, second_masks)
            loss = self._part(0, first, normalizer, masks) + other.result()
        self.gradient += self._second
        return loss

    def of_pieces(self, index: Array) -> Iterator[tuple[float, float]]:
        """Yield the loss of each piece of a batch, and its share of the steps of the batch.

        A piece is some consecutive steps of all sequences. Its gradient is written before its loss
        is yielded. The states pass from piece to piece, even if theta changes in between.
        """
        whole = gather(self.data.values, self.data.offsets, index)
        normalizer = len(index) * self._mean_weight
        y, weight, _ = gather_objective(self.data, index, whole, normalizer)
        workspaces = self._pools[0].get(whole.n_steps, whole.n_columns)
        self.network.start(self._parameters, workspaces)
        end = 0
        for piece, masks in cut(whole, workspaces[0][0].n_steps, self._draw(index)):
            begin, end = end, end + piece.n_steps * piece.n_columns
            share = piece.n_steps / whole.n_steps
            objective = Objective(y[:, begin:end], weight[begin:end], share * normalizer)
            loss = self.network.loss_gradient(
                self._parameters, workspaces, piece, objective, self._gradients[0], masks
            )
            after = states_after(workspaces, piece.n_steps)
            yield float(loss), share
            start_from(workspaces, after)
        clear_states(workspaces)

    def of_blocks(self, blocks: list[Array]) -> tuple[float, Array]:
        """Return the loss of all data, given as blocks of sequences, and its gradient (float64)."""
        loss, gradient = 0.0, np.zeros(self.theta.shape)
        normalizer = self.data.n_samples * self._mean_weight
        for k, index in enumerate(blocks):
            part = min(k, 1)  # the penalty belongs to the first block alone
            loss += self._part(part, index, normalizer, self._draw(index))
            gradient += self._second if part else self.gradient
        return loss, gradient

    def raw_predictions(self, theta: Array, batch_size: int) -> Array:
        """Return raw predictions of some sequences with these weights, without dropout.

        The sequences are as many as the workspaces in memory hold, so that no memory is added.
        """
        data, pool = self.data, self._pools[0]
        index = np.arange(min(pool.n_columns or batch_size, data.n_samples))
        block = gather(data.values, data.offsets, index)
        workspaces = pool.get(block.n_steps, block.n_columns)
        return self.network.raw_prediction(self.network.layout.bind(theta), workspaces, block)

    def _part(self, k: int, index: Array, normalizer: float, masks: Masks) -> float:
        """Return the loss of these samples; write gradient k: 0 is the first, 1 the second."""
        network, data = self._networks[k], self.data
        block = gather(data.values, data.offsets, index)
        objective = gather_objective(data, index, block, normalizer)
        workspaces = self._pools[k].get(block.n_steps, block.n_columns)
        fits = block.n_steps <= workspaces[0][0].n_steps
        run = network.loss_gradient if fits else network.truncated_loss_gradient
        with np.errstate(all="ignore"):  # a new thread does not inherit the setting of its parent
            network.start(self._parameters, workspaces)
            gradient = self._gradients[k]
            return float(run(self._parameters, workspaces, block, objective, gradient, masks))

    def _draw(self, index: Array) -> Masks:
        """Return masks for a block of these sequences."""
        return self.dropout.draw(self.network, int(self.data.lengths[index].max()), len(index))

    def _is_large(self, index: Array) -> bool:
        """Whether two threads with half of this batch each are faster than one thread."""
        hidden_size = self.network.stack.layers[0].hidden_size
        return len(index) > 1 and hidden_size**2 * len(index) >= LARGE_BATCH
