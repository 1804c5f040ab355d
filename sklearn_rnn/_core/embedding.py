"""The embedding: a vector for each token, learned with the rest (Bengio et al. 2003).

Dimension key: B columns, T steps, V known tokens, D numbers a vector (the first layer's F).

A token is its row in E (V, D), an integer from 0 to V - 1; V stands for every unknown one:

    (1)  e_v = E_v           for v < V
         e_V = sum over v of E_v / V
    (2)  x_t = e_token_t

    (2') de_v = sum of dx_t over all steps with token_t = v
    (1') dE_v = de_v + de_V / V

An unknown token is thus read as what tokens have in common, and needs no training of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.workspace import Array


@dataclass(frozen=True)
class Embedding:
    """Between tokens and what the first layer reads; holds no arrays.

    Parameters
    ----------
    n_tokens, size : int
        V and D.
    """

    n_tokens: int
    size: int

    @property
    def shape(self) -> tuple[int, int]:
        """(V, D), that of E."""
        return self.n_tokens, self.size

    def vectors(self, E: Array) -> Array:
        """Return e (V + 1, D): a vector for each token, and the one for all others."""
        return np.concatenate([E, E.mean(axis=0, keepdims=True)])  # (1)

    def forward(self, E: Array, block: Block) -> Block:
        """Return a block of inputs x (T, D, B) for a block of tokens (T, 1, B)."""
        x = self.vectors(E).take(block.x[:, 0], axis=0)  # (2)
        return Block(x.transpose(0, 2, 1), block.lengths)

    def backward(self, block: Block, dx: Array, dE: Array) -> None:
        """Write dE (V, D), the gradient of E, from dx (T, D, B), zero in the padding."""
        de = np.zeros((self.n_tokens + 1, self.size), dx.dtype)
        # Equal tokens side by side, summed up run by run: 2 to 13 times faster than np.add.at.
        tokens = block.x.ravel()
        order = np.argsort(tokens, kind="stable")
        tokens = tokens[order]
        begins = np.flatnonzero(np.diff(tokens, prepend=-1))
        rows = dx.transpose(0, 2, 1).reshape(-1, self.size)[order]
        de[tokens[begins]] = np.add.reduceat(rows, begins)  # (2')
        np.add(de[:-1], de[-1] / self.n_tokens, out=dE)  # (1')
