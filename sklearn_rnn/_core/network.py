"""The whole network: embedding, stack of layers, readout and loss.

Dimension key: B columns, T steps, F inputs, S * H pooled, K outputs, M answers of a block: one
for each sequence (B) or, with `per_step`, one for each step and sequence (T * B).

The objective of a block is

    sum over m of weight_m loss(raw_m, y_m) / normalizer + alpha / 2 |weights|^2

If workspaces hold fewer steps than a block, the block is run piece by piece (see truncation.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.cached import cached_property
from sklearn_rnn._core.embedding import Embedding
from sklearn_rnn._core.layout import Layout, Parameters
from sklearn_rnn._core.losses import Loss, Objective
from sklearn_rnn._core.masks import NO_MASKS, Masks
from sklearn_rnn._core.pooling import Pooling
from sklearn_rnn._core.readout import Readout
from sklearn_rnn._core.stack import Stack
from sklearn_rnn._core.truncation import (
    States,
    clear_states,
    cut,
    real_steps,
    start_from,
    states_after,
)
from sklearn_rnn._core.workspace import Array, Workspace


@dataclass(frozen=True)
class Network:
    """Sizes and parts of a network; holds no weights.

    Parameters
    ----------
    stack : Stack
    readout : Readout
    loss : Loss
    alpha : float
        Strength of the L2 penalty on weights (not on biases).
    embedding : Embedding or None
        For blocks of tokens.
    """

    stack: Stack
    readout: Readout
    loss: Loss
    alpha: float = 0.0
    embedding: Embedding | None = None

    @classmethod
    def compose(
        cls,
        stack: Stack,
        *,
        pooling: Pooling,
        head_sizes: tuple[int, ...] = (),
        n_outputs: int,
        loss: Loss,
        alpha: float,
        embedding: Embedding | None = None,
    ) -> Network:
        """Return a network with this stack of layers, and a readout that fits."""
        readout = Readout(stack.output_size, n_outputs, pooling, head_sizes)
        return cls(stack, readout, loss, alpha, embedding)

    @property
    def per_step(self) -> bool:
        """Whether there is an answer at every step."""
        return self.readout.pooling.per_step

    @property
    def runs_in_pieces(self) -> bool:
        """Whether long blocks can be run piece by piece, from the first step to the last."""
        return self.stack.n_directions == 1 and self.readout.pooling.in_pieces

    @cached_property
    def layout(self) -> Layout:
        """The places of the parameters in theta."""
        return Layout(self.stack, self.readout, self.embedding)

    def make_workspaces(
        self, n_steps: int, n_columns: int, dtype: Any, *, training: bool
    ) -> list[list[Workspace]]:
        """Allocate the buffers for blocks of up to n_steps steps of n_columns sequences."""
        return self.stack.make_workspaces(
            n_steps,
            n_columns,
            dtype,
            training=training,
            input_gradient=training and self.embedding is not None,
        )

    def start(self, parameters: Parameters, workspaces: list[list[Workspace]]) -> None:
        """Write the states that sequences start from. Call this before any gradient."""
        self.stack.start(parameters.cells, workspaces)

    def forward(
        self,
        parameters: Parameters,
        workspaces: list[list[Workspace]],
        block: Block,
        masks: Masks = NO_MASKS,
    ) -> list[Array]:
        """Run embedding and layers; return the outputs (T, H, B) of each direction on top."""
        if self.embedding is not None:
            block = self.embedding.forward(parameters.embedding, block)
        return self.stack.forward(parameters.cells, workspaces, block, masks)

    def pooled_states(
        self, parameters: Parameters, workspaces: list[list[Workspace]], block: Block
    ) -> Array:
        """Return the pooled states of the top layer (S * H, M), which the readout reads."""
        values = list(self._pooled_pieces(parameters, workspaces, block))
        if len(values) == 1:
            return values[0]
        if self.per_step:
            return np.concatenate(values, axis=1)
        return self._combine(np.array(values), block, workspaces)[0]

    def raw_prediction(
        self, parameters: Parameters, workspaces: list[list[Workspace]], block: Block
    ) -> Array:
        """Return the raw predictions (K, M): predictions before the inverse link."""
        readout = parameters.readout
        if not self.per_step:
            return self.readout.forward(readout, self.pooled_states(parameters, workspaces, block))
        pieces = self._pooled_pieces(parameters, workspaces, block)
        return np.concatenate([self.readout.forward(readout, piece) for piece in pieces], axis=1)

    def loss_gradient(
        self,
        parameters: Parameters,
        workspaces: list[list[Workspace]],
        block: Block,
        objective: Objective,
        gradient: Parameters,
        masks: Masks = NO_MASKS,
    ) -> Any:
        """Return the objective of a block; write its gradient by the parameters.

        Reads the parameters, the objective, and the states that the workspaces start from (see
        `start`). Writes the gradient.
        """
        states = self.forward(parameters, workspaces, block, masks)
        pooled = self.readout.pool(parameters.readout, states, block)
        loss, dpooled = self._readout_gradient(parameters, pooled, objective, gradient, masks)
        self._backward(parameters, workspaces, block, states, dpooled, gradient, masks)
        return loss + self._penalty(parameters, gradient)

    def truncated_loss_gradient(
        self,
        parameters: Parameters,
        workspaces: list[list[Workspace]],
        block: Block,
        objective: Objective,
        gradient: Parameters,
        masks: Masks = NO_MASKS,
    ) -> Any:
        """Return the objective of a long block; write its truncated gradient (see truncation.py).

        For blocks with more steps than the workspaces hold, and one answer for each sequence. The
        gradient differs from that of `loss_gradient`: no error crosses a cut between two pieces.
        """
        # First run: the summaries of all pieces, and the states that each piece starts from.
        starts: list[States] = []
        values = np.array(list(self._pooled_pieces(parameters, workspaces, block, starts, masks)))
        pooled, shares = self._combine(values, block, workspaces)
        gradient.vector[...] = 0
        loss, dpooled = self._readout_gradient(parameters, pooled, objective, gradient, masks)
        # Second run: workspaces keep the histories of one piece only. So each piece runs forward
        # again before the errors run back through it, and the gradients of the pieces add up.
        of_piece = self.layout.bind(np.zeros_like(gradient.vector))
        for k, (piece, piece_masks) in enumerate(self._cut(block, workspaces, masks)):
            if not shares[k].any():  # no error enters this piece
                continue
            start_from(workspaces, starts[k])
            if k == 0:  # here, and not after a cut, learned initial states have a gradient
                self.start(parameters, workspaces)
            states = self.forward(parameters, workspaces, piece, piece_masks)
            dpiece = shares[k] * dpooled
            self._backward(parameters, workspaces, piece, states, dpiece, of_piece, piece_masks)
            gradient.vector[...] += of_piece.vector
        clear_states(workspaces)
        return loss + self._penalty(parameters, gradient)

    def _readout_gradient(
        self,
        parameters: Parameters,
        pooled: Array,
        objective: Objective,
        gradient: Parameters,
        masks: Masks,
    ) -> tuple[Any, Array]:
        """Return the loss and dpooled (S * H, M); write the gradients of the dense layers."""
        readout = parameters.readout
        kept = pooled if masks.pooled is None else pooled * masks.pooled
        activations = self.readout.activations(readout, kept)
        value, draw = self.loss.value_gradient(activations[-1], objective.y, objective.weight)
        draw /= objective.normalizer
        dpooled = self.readout.backward(readout, activations, draw, gradient.readout)
        if masks.pooled is not None:
            dpooled *= masks.pooled
        return value / objective.normalizer, dpooled

    def _backward(
        self,
        parameters: Parameters,
        workspaces: list[list[Workspace]],
        block: Block,
        states: list[Array],
        dpooled: Array,
        gradient: Parameters,
        masks: Masks,
    ) -> None:
        """Run back from the pooled states; write all gradients but those of the dense layers."""
        errors = [ws.dh[: block.n_steps] for ws in workspaces[-1]]
        first_error = self.readout.scatter(
            parameters.readout, states, dpooled, block, errors, gradient.readout
        )
        self.stack.backward(parameters.cells, workspaces, block, first_error, gradient.cells, masks)
        if self.embedding is not None:
            dx = self.stack.input_gradient(workspaces, block, masks)
            self.embedding.backward(block, dx, gradient.embedding)

    def _pooled_pieces(
        self,
        parameters: Parameters,
        workspaces: list[list[Workspace]],
        block: Block,
        starts: list[States] | None = None,
        masks: Masks = NO_MASKS,
    ) -> Iterator[Array]:
        """Yield the pooled states of each piece; append the states it starts from to `starts`."""
        pieces = self._cut(block, workspaces, masks)
        self.start(parameters, workspaces)
        for piece, piece_masks in pieces:
            if starts is not None:
                starts.append(states_after(workspaces, 0))
            states = self.forward(parameters, workspaces, piece, piece_masks)
            yield self.readout.pool(parameters.readout, states, piece)
            if len(pieces) > 1:
                start_from(workspaces, states_after(workspaces, piece.n_steps))
        if len(pieces) > 1:
            clear_states(workspaces)

    def _combine(
        self, values: Array, block: Block, workspaces: list[list[Workspace]]
    ) -> tuple[Array, Array]:
        """Return the pooled states (S * H, B) of all pieces, and the share of each piece."""
        real = real_steps(block, workspaces[0][0].n_steps)
        shares = self.readout.pooling.shares(values, real)
        return (shares * values).sum(axis=0), shares

    def _cut(
        self, block: Block, workspaces: list[list[Workspace]], masks: Masks
    ) -> list[tuple[Block, Masks]]:
        n_steps = workspaces[0][0].n_steps
        return [(block, masks)] if block.n_steps <= n_steps else cut(block, n_steps, masks)

    def _penalty(self, parameters: Parameters, gradient: Parameters) -> Any:
        """Return the L2 penalty; add its gradient to `gradient`."""
        if self.alpha == 0:
            return 0.0
        weights = np.where(self.layout.penalized, parameters.vector, 0)
        gradient.vector[...] += self.alpha * weights
        return 0.5 * self.alpha * (weights @ weights)
