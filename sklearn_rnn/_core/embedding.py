"""The embedding: a learned vector for each token (Bengio et al. 2003).

Dimension key: B columns, T steps, V known tokens, D numbers in a vector (F of the first layer).

A token is the number of its row in E (V, D), from 0 to V - 1. The number V stands for all unknown
tokens:

    (1)  e_v = E_v           for v < V
         e_V = sum over v of E_v / V
    (2)  x_t = e_token_t

    (2') de_v = sum of dx_t over all steps with token_t = v
    (1') dE_v = de_v + de_V / V

So the vector of unknown tokens is the mean of all vectors, and needs no training of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.workspace import Array


@dataclass(frozen=True)
class Embedding:
    """The map from tokens to the inputs of the first layer; holds no arrays.

    Parameters
    ----------
    n_tokens, size : int
        V and D.
    """

    n_tokens: int
    size: int

    @property
    def shape(self) -> tuple[int, int]:
        """(V, D), the shape of E."""
        return self.n_tokens, self.size

    def vectors(self, E: Array) -> Array:
        """Return e (V + 1, D): the vectors of the tokens, and last that of unknown tokens."""
        return np.concatenate([E, E.mean(axis=0, keepdims=True)])  # (1)

    def forward(self, E: Array, block: Block) -> Block:
        """Return a block of inputs x (T, D, B) for a block of tokens (T, 1, B)."""
        x = self.vectors(E).take(block.x[:, 0], axis=0)  # (2)
        return Block(x.transpose(0, 2, 1), block.lengths)

    def backward(self, block: Block, dx: Array, dE: Array) -> None:
        """Write dE (V, D), the gradient of E, from dx (T, D, B), zero in the padding."""
        de = np.zeros((self.n_tokens + 1, self.size), dx.dtype)
        # Sort, then sum the rows of equal tokens: 2 to 13 times faster than np.add.at.
        tokens = block.x.ravel()
        order = np.argsort(tokens, kind="stable")
        tokens = tokens[order]
        begins = np.flatnonzero(np.diff(tokens, prepend=-1))
        rows = dx.transpose(0, 2, 1).reshape(-1, self.size)[order]
        de[tokens[begins]] = np.add.reduceat(rows, begins)  # (2')
        np.add(de[:-1], de[-1] / self.n_tokens, out=dE)  # (1')
