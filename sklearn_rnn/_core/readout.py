"""From states to raw predictions: pooling over time, and the dense output layer.

Dimension key: B columns, T steps, H hidden, S directions, K outputs, M answers of a block: B
with pooling over time, T * B (step by step) without.

Pooling sums up each direction in its own time: "last" is the state after a direction's last
step, which for the reverse direction is the sequence's first; mean and max do not depend on
the order. Without pooling every step has an answer, which both directions' states at that step
give together. Padding has no say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.workspace import Array


class Pooling(ABC):
    """What the output layer sees of the states."""

    per_step = False

    @abstractmethod
    def forward(self, h: Array, block: Block) -> Array:
        """Return the summary (H, M) of the states h (T, H, B), zero in the padding."""

    @abstractmethod
    def backward(self, h: Array, dpooled: Array, block: Block, dh: Array) -> int:
        """Write the errors dh (T, H, B) that dpooled (H, M) causes.

        Returns the first step that an error enters at; dh is not written before it.
        """

    @abstractmethod
    def shares(self, values: Array, real: Array) -> Array:
        """Return (C, H, B): what share each of C pieces' summaries has in that of the whole.

        Reads values (C, H, B), the summaries, and real (C, B), the pieces' real steps.
        """


class LastPooling(Pooling):
    """pooled = h at the sequence's last step."""

    def forward(self, h: Array, block: Block) -> Array:
        """Return each column's state after its last real step."""
        last: Array = h[-1]
        if block.ragged:
            last = h[block.lengths - 1, :, np.arange(block.n_columns)].T
        return last

    def backward(self, h: Array, dpooled: Array, block: Block, dh: Array) -> int:
        """Write dpooled at each column's last step, and zeros beside it."""
        first = int(block.lengths.min()) - 1
        dh[first:] = 0
        dh[block.lengths - 1, :, np.arange(block.n_columns)] = dpooled.T
        return first

    def shares(self, values: Array, real: Array) -> Array:
        """Return 1 for the piece that a column ends in."""
        last = (real > 0).sum(axis=0) - 1
        return _one_hot(np.broadcast_to(last, values.shape[1:]), values)


class MeanPooling(Pooling):
    """pooled = sum of h over the real steps / their number."""

    def forward(self, h: Array, block: Block) -> Array:
        """Return the mean over the real steps."""
        mean: Array = h.sum(axis=0) / block.lengths.astype(h.dtype)
        return mean

    def backward(self, h: Array, dpooled: Array, block: Block, dh: Array) -> int:
        """Write an equal share of dpooled at every real step."""
        dh[...] = dpooled / block.lengths.astype(dpooled.dtype)
        block.zero_padding(dh)
        return 0

    def shares(self, values: Array, real: Array) -> Array:
        """Return the pieces' shares of the real steps."""
        share = (real / real.sum(axis=0)).astype(values.dtype)
        return np.broadcast_to(share[:, None, :], values.shape)


class MaxPooling(Pooling):
    """pooled = the largest h of each unit over the real steps (the first of equals)."""

    def forward(self, h: Array, block: Block) -> Array:
        """Return the largest value of each unit."""
        largest: Array = np.take_along_axis(h, self._where(h, block), axis=0)[0]
        return largest

    def backward(self, h: Array, dpooled: Array, block: Block, dh: Array) -> int:
        """Write dpooled at the step of each unit's largest value, and zeros beside it."""
        dh[...] = 0
        np.put_along_axis(dh, self._where(h, block), dpooled[None], axis=0)
        return 0

    def shares(self, values: Array, real: Array) -> Array:
        """Return 1 for the piece with the largest value (the first of equals)."""
        largest = np.where(real[:, None, :] > 0, values.real, -np.inf)
        return _one_hot(largest.argmax(axis=0), values)

    @staticmethod
    def _where(h: Array, block: Block) -> Array:
        if block.ragged:
            h = np.where(block.real[:, None, :], h.real, -np.inf)
        where: Array = h.real.argmax(axis=0)[None]
        return where


class NoPooling(Pooling):
    """pooled = the states of all steps side by side, (H, T * B)."""

    per_step = True

    def forward(self, h: Array, block: Block) -> Array:
        """Return the states, one column a step and sequence."""
        return h.transpose(1, 0, 2).reshape(h.shape[1], -1)

    def backward(self, h: Array, dpooled: Array, block: Block, dh: Array) -> int:
        """Write each step's error at that step; those in the padding are zero."""
        T, H, B = h.shape
        dh[...] = dpooled.reshape(H, T, B).transpose(1, 0, 2)
        return 0

    def shares(self, values: Array, real: Array) -> Array:
        """Raise: pieces' states stand side by side, and are not summed up."""
        raise TypeError("states of all steps have no common summary")


def _one_hot(piece: Array, values: Array) -> Array:
    """Return (C, H, B), 1 where piece (H, B) says and 0 elsewhere, in the dtype of values."""
    pieces = np.arange(len(values))[:, None, None]
    return np.asarray(pieces == piece).astype(values.dtype)


POOLINGS: dict[str, Pooling] = {
    "last": LastPooling(),
    "mean": MeanPooling(),
    "max": MaxPooling(),
    "none": NoPooling(),
}


@dataclass(frozen=True)
class Readout:
    """raw = W [pooled; 1], with W = [weight_out | bias_out] (K, S * H + 1).

    Parameters
    ----------
    input_size, n_outputs : int
        S * H and K.
    pooling : Pooling
        The summary over time.
    """

    input_size: int
    n_outputs: int
    pooling: Pooling

    def pool(self, states: list[Array], block: Block) -> Array:
        """Return what the directions' states, each in its own time, sum up to: (S * H, M)."""
        if self.pooling.per_step:
            states = [block.reverse(h) if d else h for d, h in enumerate(states)]
        return np.concatenate([self.pooling.forward(h, block) for h in states])

    def forward(self, W: Array, pooled: Array) -> Array:
        """Return the raw prediction (K, M)."""
        return W[:, :-1] @ pooled + W[:, -1:]

    def backward(self, W: Array, pooled: Array, draw: Array, dW: Array) -> Array:
        """Write dW, the gradient of the weights; return dpooled (S * H, M)."""
        dW[:, :-1] = draw @ pooled.T
        dW[:, -1] = draw.sum(axis=1)
        return W[:, :-1].T @ draw

    def scatter(
        self, states: list[Array], dpooled: Array, block: Block, errors: list[Array]
    ) -> int:
        """Write the errors (T, H, B) of each direction; return the first step they enter at."""
        parts = np.split(dpooled, len(states))
        first = min(
            self.pooling.backward(h, dpart, block, dh)
            for h, dpart, dh in zip(states, parts, errors, strict=True)
        )
        if self.pooling.per_step:
            for dh in errors[1:]:
                np.copyto(dh, block.reverse(dh))
        return first
