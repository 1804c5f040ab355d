"""Pooling over time: how the hidden states of all steps become one vector for the readout.

Dimension key: B columns (sequences of a block, or streams), T steps, H hidden, C pieces,
M answers of a block: B with pooling over time, T * B (step by step) without.

Each pooling is one class with two forms:

- For whole sequences, `forward` and `backward` see the states of all steps of a block at once.
  Training and prediction use this form. Padding never changes the result.
- For streams, which arrive step by step, a running total (H, B) stands for all steps so far.
  `add` takes one more step into the total, and `summary` returns what `forward` would return for
  the steps so far.

Each direction of a bidirectional layer is pooled separately and in its own time: "last" is the
state after the last step of a direction, which for the reverse direction is the first step of the
sequence. Mean, max and attention do not depend on the order of the steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.numerics import softmax
from sklearn_rnn._core.registry import Registry
from sklearn_rnn._core.workspace import Array

# Steps that streams have seen: one number for all streams, or one for each.
Steps = int | Array


class Pooling(ABC):
    """One way to summarize the hidden states over time, for whole sequences and for streams.

    w (H,) are the parameters of attention. Other poolings have none, and ignore w.
    """

    per_step = False  # whether every step has its own answer, so that nothing is summarized
    attends = False  # whether the pooling has parameters w (H,)
    in_pieces = True  # whether a long sequence can be pooled piece by piece, by `shares`

    # The name of the pooling in exports to ONNX, PyTorch and predictors, and its description there.
    # None: exports refuse models with this pooling.
    export_name: ClassVar[Literal["last", "mean", "max", "attention"] | None] = None
    description: ClassVar[str] = ""

    # ---- whole sequences ----

    @abstractmethod
    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the summary (H, M) of the states h (T, H, B), which are zero in the padding."""

    @abstractmethod
    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
        """Write the errors dh (T, H, B) that dpooled (H, M) causes, and dw, the gradient of w.

        Returns the first step with an error. Steps of dh before this one are not written.
        """

    def shares(self, values: Array, real: Array) -> Array:
        """Return the weight (C, H, B) that each piece's summary has in the summary of the whole.

        Reads values (C, H, B), the summaries of the pieces, and real (C, B), the numbers of real
        steps in the pieces.
        """
        raise TypeError(f"{type(self).__name__} cannot add up the summaries of pieces")

    def attention(self, h: Array, block: Block, w: Array) -> Array:
        """Return the weights (T, B) of the steps, which are zero in the padding."""
        raise TypeError(f"{type(self).__name__} has no attention")

    # ---- streams ----

    @abstractmethod
    def start(self, hidden_size: int, n_streams: int, dtype: np.dtype) -> Array:
        """Return the total (H, B) of streams without steps."""

    @abstractmethod
    def add(self, total: Array, h: Array, w: Array) -> Array:
        """Return the total after one more step, with states h (H, B)."""

    @abstractmethod
    def totals(self, h: Array, w: Array) -> Array:
        """Return the totals (T, H, B) after each of the first T steps, with states h (T, H, B).

        The result is a new array, or h itself.
        """

    def summary(self, total: Array, n_steps: Steps, dtype: np.dtype) -> Array:
        """Return the summary that a total after n_steps stands for, in `dtype`.

        Works for one total (H, B) and for many (T, H, B); n_steps must broadcast with `total`.
        """
        return total


class _KeepsLast(Pooling):
    """The form for streams of poolings that show the last state: total = the last h."""

    def start(self, hidden_size: int, n_streams: int, dtype: np.dtype) -> Array:
        """Return zeros."""
        return np.zeros((hidden_size, n_streams), dtype)

    def add(self, total: Array, h: Array, w: Array) -> Array:
        """Return h."""
        return h

    def totals(self, h: Array, w: Array) -> Array:
        """Return h."""
        return h


class LastPooling(_KeepsLast):
    """pooled = h at the last real step. Streams: total = the last h."""

    export_name = "last"
    description = "the last state"

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the state of each column after its last real step."""
        last: Array = h[-1]
        if block.ragged:
            last = h[block.lengths - 1, :, np.arange(block.n_columns)].T
        return last

    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
        """Write dpooled at the last step of each column, and zeros at other steps."""
        first = int(block.lengths.min()) - 1
        dh[first:] = 0
        dh[block.lengths - 1, :, np.arange(block.n_columns)] = dpooled.T
        return first

    def shares(self, values: Array, real: Array) -> Array:
        """Return 1 for the piece that a column ends in, and 0 for the others."""
        last = (real > 0).sum(axis=0) - 1
        return _one_hot(np.broadcast_to(last, values.shape[1:]), values)


class MeanPooling(Pooling):
    """pooled = sum of h over the real steps / their number. Streams: total = sum of h.

    The total is in float64: in float32, a sum stops growing after 2^24 steps.
    """

    export_name = "mean"
    description = "the mean over time"

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
        """Return which part of the real steps each piece has."""
        share = (real / real.sum(axis=0)).astype(values.dtype)
        return np.broadcast_to(share[:, None, :], values.shape)

    def start(self, hidden_size: int, n_streams: int, dtype: np.dtype) -> Array:
        """Return zeros, in float64."""
        return np.zeros((hidden_size, n_streams), np.float64)

    def add(self, total: Array, h: Array, w: Array) -> Array:
        """Return total + h."""
        return total + h

    def totals(self, h: Array, w: Array) -> Array:
        """Return the cumulative sums of h."""
        return np.add.accumulate(h, axis=0, dtype=np.float64)

    def summary(self, total: Array, n_steps: Steps, dtype: np.dtype) -> Array:
        """Return total / n_steps."""
        return (total / n_steps).astype(dtype, copy=False)


class MaxPooling(Pooling):
    """pooled = the largest h of each unit over the real steps (the first of equals).

    Streams: total = the largest h of each unit so far.
    """

    export_name = "max"
    description = "the largest value of each unit over time"

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the largest value of each unit."""
        largest: Array = np.take_along_axis(h, self._where(h, block), axis=0)[0]
        return largest

    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
        """Write dpooled at the step of the largest value of each unit, and zeros at other steps."""
        dh[...] = 0
        np.put_along_axis(dh, self._where(h, block), dpooled[None], axis=0)
        return 0

    def shares(self, values: Array, real: Array) -> Array:
        """Return 1 for the piece with the largest value (the first of equals), 0 for the others."""
        largest = np.where(real[:, None, :] > 0, values.real, -np.inf)
        return _one_hot(largest.argmax(axis=0), values)

    def start(self, hidden_size: int, n_streams: int, dtype: np.dtype) -> Array:
        """Return minus infinity."""
        return np.full((hidden_size, n_streams), -np.inf, dtype)

    def add(self, total: Array, h: Array, w: Array) -> Array:
        """Return the larger of total and h."""
        return np.maximum(total, h)

    def totals(self, h: Array, w: Array) -> Array:
        """Return the cumulative maxima of h."""
        return np.maximum.accumulate(h, axis=0)

    @staticmethod
    def _where(h: Array, block: Block) -> Array:
        """Return the step (1, H, B) of the largest h of each unit."""
        if block.ragged:
            h = np.where(block.real[:, None, :], h.real, -np.inf)
        where: Array = h.real.argmax(axis=0)[None]
        return where


class NoPooling(_KeepsLast):
    """pooled = the states of all steps side by side, (H, T * B). Streams: total = the last h."""

    per_step = True

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the states as one column for each step and sequence."""
        return h.transpose(1, 0, 2).reshape(h.shape[1], -1)

    def backward(
        self, h: Array, dpooled: Array, block: Block, dh: Array, w: Array, dw: Array
    ) -> int:
        """Write the error of each step at that step; errors in the padding are zero."""
        T, H, B = h.shape
        dh[...] = dpooled.reshape(H, T, B).transpose(1, 0, 2)
        return 0


class AttentionPooling(Pooling):
    """pooled = sum over the real steps of a_t h_t, with a = softmax over them of w . h_t.

    Raffel and Ellis (2016), with the simplest learned score of a state: its product with one
    vector w.

    Back, with pooled and a as above:

        da_t = dpooled . h_t        ds_t = a_t (da_t - dpooled . pooled)
        dh_t = a_t dpooled + ds_t w        dw = sum over t of ds_t h_t

    Streams: total = [sum of e_t h_t; sum of e_t; m] (H + 2, B) in float64, with
    e_t = exp(w . h_t - m) and m the largest score w . h_t so far. A new largest score rescales
    both sums, so that no exponential overflows.
    """

    attends = True
    in_pieces = False
    export_name = "attention"
    description = "the mean over time, weighted by attention"

    def forward(self, h: Array, block: Block, w: Array) -> Array:
        """Return the mean of the states, weighted by attention."""
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

    def attention(self, h: Array, block: Block, w: Array) -> Array:
        """Return a (T, B), which is zero in the padding and sums up to 1 in each column."""
        return softmax(np.einsum("h,thb->tb", w, h), block.real)

    def start(self, hidden_size: int, n_streams: int, dtype: np.dtype) -> Array:
        """Return sums of zero, and an m that every score exceeds; in float64."""
        total = np.zeros((hidden_size + 2, n_streams))
        total[-1] = -np.finfo(np.float64).max
        return total

    def add(self, total: Array, h: Array, w: Array) -> Array:
        """Return the total after one more step."""
        score = w @ h
        largest = np.maximum(total[-1], score)
        sums = total[:-1] * np.exp(total[-1] - largest)
        e = np.exp(score - largest)
        return np.concatenate((sums + np.concatenate((e * h, [e])), [largest]))

    def totals(self, h: Array, w: Array) -> Array:
        """Return the totals after each step."""
        T, H, B = h.shape
        total, totals = self.start(H, B, h.dtype), np.empty((T, H + 2, B))
        for t in range(T):
            total = totals[t] = self.add(total, h[t], w)
        return totals

    def summary(self, total: Array, n_steps: Steps, dtype: np.dtype) -> Array:
        """Return the mean of the states, weighted by attention."""
        return (total[..., :-2, :] / total[..., -2:-1, :]).astype(dtype, copy=False)


def _one_hot(piece: Array, values: Array) -> Array:
    """Return (C, H, B) in the dtype of values: 1 at the piece that `piece` (H, B) names, else 0."""
    pieces = np.arange(len(values))[:, None, None]
    return np.asarray(pieces == piece).astype(values.dtype)


# What the parameter `pooling` can be.
POOLINGS: Registry[Pooling] = Registry(
    "pooling",
    {
        "last": LastPooling(),
        "mean": MeanPooling(),
        "max": MaxPooling(),
        "attention": AttentionPooling(),
    },
)
# The pooling of networks that answer at every step (`return_sequences`).
NO_POOLING = NoPooling()
