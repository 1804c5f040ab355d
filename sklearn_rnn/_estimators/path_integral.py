"""Integrated gradients: the way from a baseline to X, and the integral of the gradient along it.

The integral over a piece of the way is a Gauss-Legendre quadrature. How far the explained number
itself moves between the ends of the piece says how wrong the quadrature is, so that the pieces
where it is wrong, and they alone, are halved. Of each sequence: sequences do not see each other.

Dimension key: n sequences, T_i steps, M answers (one a sequence, or one a step), F features.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sklearn_rnn._core.attribution import Explained
from sklearn_rnn._core.block import Block
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.workspace import Array, Workspace
from sklearn_rnn._running.packing import TrainingData, rows_of_sequences
from sklearn_rnn._running.prediction import run_in_blocks
from sklearn_rnn._running.traces import read_backward

# The shares of a sequence add up if they miss the difference by no more than this part of it, or
# by no more than this part of the sum of their sizes, where shares of both signs cancel.
TOLERANCE, CANCELING = 0.01, 0.001
# The part of that which a piece of a divided way may miss.
SHARE_OF_PIECE = 1 / 8
# Gradients of a piece, at most. With 3 a path costs as much, with 8 or 16 more.
NODES = 5
# A path is divided until it costs this many times the gradients of the first attempt.
REFINEMENT = 40

# From a share of the way, 0 at the baseline and 1 at X, to the weights and data there.
Way = Callable[[float], tuple[Array, TrainingData]]


class Shares(NamedTuple):
    """The integral of each number of X, and how far the sums are from what they should be.

    Attributes
    ----------
    rows : ndarray (sum of T_i, F)
    sums, differences : ndarray (n,)
        What the shares of each sequence add up to, and should add up to.
    tolerances : ndarray (n,)
        How much these may differ.
    """

    rows: Array
    sums: Array
    differences: Array
    tolerances: Array


class _Piece(NamedTuple):
    """A piece of the way of some sequences, between shares, with the numbers at its ends."""

    chosen: Array
    begin: float
    end: float
    number_at_begin: Array
    number_at_end: Array

    def halves(self, middle: float, number_at_middle: Array, kept: Array) -> tuple[_Piece, _Piece]:
        """Return both halves, of those sequences that are kept."""
        at_begin, at_end = self.number_at_begin[kept], self.number_at_end[kept]
        chosen = self.chosen[kept]
        return (
            _Piece(chosen, self.begin, middle, at_begin, number_at_middle),
            _Piece(chosen, middle, self.end, number_at_middle, at_end),
        )


@dataclass(frozen=True)
class Path:
    """The straight ways of all sequences from their baselines.

    Parameters
    ----------
    network : Network
        Its loss is the number that is explained.
    difference : ndarray (sum of T_i, F)
        How far X is from the baseline.
    at : callable
        The weights and the data at a share of the way.
    """

    network: Network
    difference: Array
    at: Way

    def integrate(self, n_nodes: int) -> Shares:
        """Return the shares of all sequences: of n_nodes gradients, or more where they need it."""
        theta, data = self.at(1.0)
        every = np.arange(data.n_samples)
        numbers = self._numbers(0.0, every), self._numbers(1.0, every)
        differences = numbers[1] - numbers[0]
        whole = _Piece(every, 0.0, 1.0, *numbers)
        rows = self._shares_of(whole, n_nodes)
        sums = _sums(rows, data.offsets)
        cancel = CANCELING * _sums(np.abs(rows), data.offsets)
        rounding = 1000 * np.finfo(theta.dtype).eps * np.abs(numbers).max(axis=0)
        tolerances = np.max([TOLERANCE * np.abs(differences), cancel, rounding], axis=0)
        missed = ~(np.abs(sums - differences) <= tolerances)
        if missed.any():
            rows[rows_of_sequences(data.offsets, every[missed])] = 0
            halves = whole.halves(0.5, self._numbers(0.5, every[missed]), missed)
            self._refine(halves, n_nodes, tolerances * SHARE_OF_PIECE, rows)
            sums = _sums(rows, data.offsets)
        return Shares(rows, sums, differences, tolerances)

    def _refine(
        self, pieces: tuple[_Piece, ...], n_nodes: int, tolerances: Array, rows: Array
    ) -> None:
        """Add the shares of these pieces to rows, and halve those that need it."""
        _, data = self.at(1.0)
        budget = np.full(data.n_samples, REFINEMENT * n_nodes)
        n_nodes = min(n_nodes, NODES)
        queue = deque(pieces)
        for piece in queue:
            budget[piece.chosen] -= n_nodes
        while queue:
            piece = queue.popleft()
            part = self._shares_of(piece, n_nodes)
            lengths = data.lengths[piece.chosen]
            offsets = np.concatenate([[0], np.cumsum(lengths)])
            gaps = np.abs(_sums(part, offsets) - (piece.number_at_end - piece.number_at_begin))
            halved = ~(gaps <= tolerances[piece.chosen])
            halved &= budget[piece.chosen] >= 2 * n_nodes
            done = np.repeat(~halved, lengths)
            rows[rows_of_sequences(data.offsets, piece.chosen)[done]] += part[done]
            if halved.any():
                index = piece.chosen[halved]
                budget[index] -= 2 * n_nodes
                middle = (piece.begin + piece.end) / 2
                queue.extend(piece.halves(middle, self._numbers(middle, index), halved))

    def _shares_of(self, piece: _Piece, n_nodes: int) -> Array:
        """Return the integral over a piece, of its sequences (sum of their T_i, F)."""
        width = piece.end - piece.begin
        nodes, shares = np.polynomial.legendre.leggauss(n_nodes)
        total = None
        for node, share in zip((nodes + 1) / 2, shares / 2, strict=True):
            theta, data = self._at(piece.begin + width * node, piece.chosen)
            gradient = width * share * read_backward(self.network, theta, data, self._gradients)
            total = gradient if total is None else total + gradient
        rows = rows_of_sequences(self.at(1.0)[1].offsets, piece.chosen)
        return np.asarray(self.difference[rows] * total)

    def _at(self, share: float, index: Array) -> tuple[Array, TrainingData]:
        """Return the weights, and the data of some sequences, at a share of the way."""
        theta, data = self.at(share)
        return theta, data if len(index) == data.n_samples else data.take(index)

    def _numbers(self, share: float, index: Array) -> Array:
        """Return the explained number of some sequences at a share of the way."""
        theta, data = self._at(share, index)
        loss = self.network.loss
        assert isinstance(loss, Explained)
        raw = run_in_blocks(self.network, self.network.raw_prediction, theta, *data.packed)
        numbers = np.asarray(data.weight * loss.values(raw.T, data.y.T), np.float64)
        return np.add.reduceat(numbers, data.offsets[:-1]) if data.per_step else numbers

    def _gradients(self, workspaces: list[list[Workspace]], block: Block) -> Array:
        return self.network.stack.input_gradient(workspaces, block)


def numbers_path(network: Network, theta: Array, data: TrainingData, base: Array) -> Path:
    """Return the path from numbers `base` (sum of T_i, F), or (F,) at every step, to X."""
    difference = data.values - base

    def at(share: float) -> tuple[Array, TrainingData]:
        values = base + data.values.dtype.type(share) * difference
        return theta, replace(data, values=values)

    return Path(network, difference, at)


def tokens_path(network: Network, theta: Array, data: TrainingData, code: int | None) -> Path:
    """Return the path from the vector of the token with this code to those of the tokens of X.

    With None it begins at the vector of an unknown token. Moving all vectors e_v to base + share
    (e_v - base) moves those of every sequence, and their mean, the unknown token's, with them: so
    the weights go the way, and the tokens stay.
    """
    embedding, E = network.embedding, network.layout.bind(theta).embedding
    assert embedding is not None
    vectors = embedding.vectors(E)
    base = vectors[-1 if code is None else code]

    def at(share: float) -> tuple[Array, TrainingData]:
        moved_theta = np.array(theta)
        moved = network.layout.bind(moved_theta).embedding
        moved[...] = base + moved_theta.dtype.type(share) * (E - base)
        return moved_theta, data

    return Path(network, vectors[data.values[:, 0]] - base, at)


def _sums(rows: Array, offsets: Array) -> Array:
    """Return the sum of the rows of each sequence, (n,)."""
    return np.asarray(np.add.reduceat(rows.sum(axis=1, dtype=np.float64), offsets[:-1]))
