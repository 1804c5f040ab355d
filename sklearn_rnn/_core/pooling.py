"""Pooling over time: what the readout sees of one direction's states.

Dimension key: B columns, T steps, H hidden, C pieces, M answers of a block: B with pooling over
time, T * B (step by step) without.

Each direction is summed up in its own time: "last" is the state after a direction's last step,
which for the reverse direction is the sequence's first; mean, max and attention do not depend
on the order. Padding has no say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.numerics import softmax
from sklearn_rnn._core.workspace import Array


class Pooling(ABC):
    """What the output layer sees of the states."""

    # Whether there is an answer at every step; whether it has a weight w (H,); whether a long
    # sequence can be pooled piece by piece.
    per_step = False
    attends = False
    in_pieces = True

    @abstractmethod
    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the summary (H, M) of the states h (T, H, B), zero in the padding."""

    @abstractmethod
    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
        """Write the errors dh (T, H, B) that dpooled (H, M) causes, and dw, the gradient of w.

        Returns the first step that an error enters at; dh is not written before it.
        """

    def shares(self, values: Array, real: Array) -> Array:
        """Return (C, H, B): what share each of C pieces' summaries has in that of the whole.

        Reads values (C, H, B), the summaries, and real (C, B), the pieces' real steps.
        """
        raise TypeError(f"{type(self).__name__} has no summaries of pieces to add up")


class LastPooling(Pooling):
    """pooled = h at the sequence's last step."""

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return each column's state after its last real step."""
        last: Array = h[-1]
        if block.ragged:
            last = h[block.lengths - 1, :, np.arange(block.n_columns)].T
        return last

    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
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

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the mean over the real steps."""
        mean: Array = h.sum(axis=0) / block.lengths.astype(h.dtype)
        return mean

    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
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

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the largest value of each unit."""
        largest: Array = np.take_along_axis(h, self._where(h, block), axis=0)[0]
        return largest

    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
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

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the states, one column a step and sequence."""
        return h.transpose(1, 0, 2).reshape(h.shape[1], -1)

    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
        """Write each step's error at that step; those in the padding are zero."""
        T, H, B = h.shape
        dh[...] = dpooled.reshape(H, T, B).transpose(1, 0, 2)
        return 0


class AttentionPooling(Pooling):
    """pooled = sum over the real steps of a_t h_t, with a = softmax over them of w . h_t.

    Raffel and Ellis (2016), with the simplest learned function of a state that says how much it
    matters: a product with one vector w.

    Back, with pooled and a as above:

        da_t = dpooled . h_t        ds_t = a_t (da_t - dpooled . pooled)
        dh_t = a_t dpooled + ds_t w        dw = sum over t of ds_t h_t
    """

    attends = True
    in_pieces = False

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the states' mean by attention."""
        return np.asarray(np.einsum("tb,thb->hb", self.attention(h, block, w), h))

    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
        """Write errors at every real step, and the gradient of w."""
        a = self.attention(h, block, w)
        da = np.einsum("hb,thb->tb", dpooled, h)
        ds = a * (da - (a * da).sum(axis=0))
        np.multiply(a[:, None], dpooled, out=dh)
        dh += ds[:, None] * w[:, None]
        dw[...] = np.einsum("tb,thb->h", ds, h)
        return 0

    @staticmethod
    def attention(h: Array, block: Block, w: Array) -> Array:
        """Return a (T, B), which is zero in the padding and sums up to 1 in each column."""
        return softmax(np.einsum("h,thb->tb", w, h), block.real)


def _one_hot(piece: Array, values: Array) -> Array:
    """Return (C, H, B), 1 where piece (H, B) says and 0 elsewhere, in the dtype of values."""
    pieces = np.arange(len(values))[:, None, None]
    return np.asarray(pieces == piece).astype(values.dtype)


POOLINGS: dict[str, Pooling] = {
    "last": LastPooling(),
    "mean": MeanPooling(),
    "max": MaxPooling(),
    "attention": AttentionPooling(),
    "none": NoPooling(),
}
