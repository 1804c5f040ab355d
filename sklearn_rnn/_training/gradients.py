"""The loss and gradient of a batch, of all data, or of one piece of a batch after another.

Dimension key: B sequences of a batch, T steps, K outputs, M targets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from sklearn_rnn._core.masks import Masks
from sklearn_rnn._core.truncation import clear_states, start_from, states_after
from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.cutting import count_parts
from sklearn_rnn._running.packing import (
    gather,
    gather_objective,
    is_ragged,
    split_ragged,
    step_numbers,
)
from sklearn_rnn._training.crew import Crew
from sklearn_rnn._training.parts import Part


class BatchGradients:
    """Computes losses and gradients of batches of one data set, at the current theta.

    Parameters
    ----------
    crew : Crew
        Runs the parts of a batch. Its worker knows the weights, which may change between calls.
    rng : Generator
        Draws the seeds of dropout's masks.
    """

    def __init__(self, crew: Crew, rng: np.random.Generator) -> None:
        self._worker, self._crew, self._rng = crew.worker, crew, rng
        worker = self._worker
        self._parameters = worker.network.layout.bind(worker.theta)
        data = worker.data
        # The mean over all data, not the batch: a batch of light samples must have little effect.
        self._mean_weight = float(data.weight.sum(dtype=np.float64)) / data.n_samples

    @property
    def gradient(self) -> Array:
        """The gradient of the last batch, or of the last piece of a batch."""
        return self._crew.gradients[0].vector

    def of_batch(self, index: Array) -> float:
        """Return the loss of a batch; write its gradient."""
        normalizer = len(index) * self._mean_weight
        n_parts = count_parts(self._worker.network.stack.hidden_size, len(index))
        columns = np.array_split(index, n_parts) if n_parts > 1 else [index]
        seeds = self._draw_seeds(n_parts)
        parts = [Part(k, columns[k], normalizer, seeds[k], k == 0) for k in range(n_parts)]
        losses = self._crew.run(parts)
        for other in self._crew.gradients[1:n_parts]:
            np.add(self.gradient, other.vector, out=self.gradient)
        return sum(losses)

    def of_blocks(self, blocks: list[Array]) -> tuple[float, Array]:
        """Return the loss of all data, given as blocks of sequences, and its gradient (float64)."""
        loss, gradient = 0.0, np.zeros(len(self.gradient))
        rows = self._crew.gradients
        normalizer = self._worker.data.n_samples * self._mean_weight
        for begin in range(0, len(blocks), len(rows)):
            parts = [
                Part(k, index, normalizer, None, begin + k == 0)
                for k, index in enumerate(blocks[begin : begin + len(rows)])
            ]
            loss += sum(self._crew.run(parts))
            for row in rows[: len(parts)]:
                gradient += row.vector
        return loss, gradient

    def _draw_seeds(self, n_parts: int) -> list[int | None]:
        """Return seeds of masks; without dropout, no random number is drawn."""
        if self._worker.dropout.is_off:
            return [None] * n_parts
        return self._rng.integers(2**63, size=n_parts).tolist()

    def of_pieces(self, index: Array) -> Iterator[tuple[float, float]]:
        """Yield the loss of each piece of a batch, and its share of the steps of the batch.

        A piece is some consecutive steps of all sequences. Its gradient is written before its loss
        is yielded. The states pass from piece to piece, even if theta changes in between.
        """
        data, network = self._worker.data, self._worker.network
        lengths = data.lengths[index]
        normalizer, longest = len(index) * self._mean_weight, int(lengths.max())
        workspaces = self._worker.pool(len(index)).get(longest, len(index))
        n_steps = workspaces[0][0].n_steps
        network.start(self._parameters, workspaces)
        all_masks = self._masks_of_pieces(index, n_steps)
        for begin, masks in zip(range(0, longest, n_steps), all_masks, strict=True):
            piece = gather(data.values, data.offsets, index, begin, begin + n_steps)
            share = piece.n_steps / longest
            objective = gather_objective(data, index, piece, share * normalizer, begin)
            loss = network.loss_gradient(
                self._parameters, workspaces, piece, objective, self._crew.gradients[0], masks
            )
            after = states_after(workspaces, piece.n_steps)
            yield float(loss), share
            start_from(workspaces, after)
        clear_states(workspaces)

    def _masks_of_pieces(self, index: Array, n_steps: int) -> Iterator[Masks]:
        """Yield the masks of each piece of a batch: of a ragged one, drawn piece by piece."""
        worker = self._worker
        lengths = worker.data.lengths[index]
        longest = int(lengths.max())
        draw = partial(worker.dropout.draw, worker.network, rng=self._rng)
        if is_ragged(lengths, step_numbers(worker.network)):
            states = draw(1, len(index)).states  # which stay the same for all steps
            for begin in range(0, longest, n_steps):
                masks = draw(min(n_steps, longest - begin), len(index))
                yield replace(masks, states=states)
        else:
            masks = draw(longest, len(index))
            for begin in range(0, longest, n_steps):
                yield masks if n_steps >= longest else masks.piece(begin, begin + n_steps)

    def raw_predictions(self, theta: Array, batch_size: int) -> Array:
        """Return raw predictions of some sequences with these weights, without dropout.

        The sequences are as many as the workspaces in memory hold, so that no memory is added.
        """
        data, network = self._worker.data, self._worker.network
        n_columns = min(self._worker.n_columns or batch_size, data.n_samples)
        index, pool = np.arange(n_columns), self._worker.pool(n_columns)
        parameters, answers = network.layout.bind(theta), []
        for columns in split_ragged(data.lengths[index], step_numbers(network)):
            block = gather(data.values, data.offsets, index[columns])
            workspaces = pool.get(block.n_steps, block.n_columns)
            answers.append(network.raw_prediction(parameters, workspaces, block))
        return np.concatenate(answers, axis=1)
