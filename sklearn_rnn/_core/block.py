"""A block: sequences that run through the network side by side, one in each column.

Dimension key: B columns, T steps of the longest column, F inputs.

Every column starts at step 0, and padding follows the shorter ones. The cells need no masks for
the padding: nothing reads the states after the end of a column, and no error enters there, so that
the padding adds exactly zero to every gradient. The reverse direction reads each column backward
from its last real step, so that its padding also comes last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_rnn._core.cached import cached_property
from sklearn_rnn._core.workspace import Array


@dataclass(frozen=True)
class Block:
    """Inputs and lengths of B sequences.

    Parameters
    ----------
    x : ndarray (T, F, B), or of int (T, 1, B)
        The inputs, or tokens for an embedding. Numbers in the padding must be finite, too. May be
        a view.
    lengths : ndarray of int (B,)
        The steps of each sequence; the largest is T.
    """

    x: Array
    lengths: Array

    @property
    def n_steps(self) -> int:
        """T."""
        return self.x.shape[0]

    @property
    def n_columns(self) -> int:
        """B."""
        return self.x.shape[2]

    @cached_property
    def ragged(self) -> bool:
        """Whether any column is shorter than T."""
        return bool((self.lengths != self.n_steps).any())

    @cached_property
    def real(self) -> Array:
        """(T, B) bool: steps that are not padding."""
        return np.arange(self.n_steps)[:, None] < self.lengths

    @cached_property
    def _reversal(self) -> Array:
        """(T, 1, B): the step that takes the place of each step in reversed time."""
        steps = np.arange(self.n_steps)[:, None]
        return np.where(self.real, self.lengths - 1 - steps, steps)[:, None, :]

    def reverse(self, A: Array) -> Array:
        """Return A (T, rows, B) with the real steps of each column in reversed order."""
        return np.take_along_axis(A, self._reversal, axis=0) if self.ragged else A[::-1]

    def zero_padding(self, A: Array) -> None:
        """Write zeros into the padding of A (T, rows, B)."""
        if self.ragged:
            begin = self.lengths.min()  # no column has padding before this step
            A[begin:].transpose(0, 2, 1)[~self.real[begin:]] = 0
