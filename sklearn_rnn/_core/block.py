"""A block: the sequences that run through the network side by side, one a column.

Dimension key: B columns, T steps of the longest column, F inputs.

Every column starts at step 0; a shorter one is followed by padding. Padding needs no masks in
the cells: what runs on after a column's end is read by nobody, and as no error enters there,
every gradient there is exactly zero. The reverse direction reads each column from its true
end, so that it too has its padding at the end of its own time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_rnn._core.workspace import Array


@dataclass(frozen=True)
class Block:
    """Inputs and lengths of B sequences.

    Parameters
    ----------
    x : ndarray (T, F, B), or of int (T, 1, B)
        The inputs, finite numbers in the padding too; or tokens, for an embedding. A view will do.
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
        """(T, 1, B): the step that each step changes places with in reversed time."""
        steps = np.arange(self.n_steps)[:, None]
        return np.where(self.real, self.lengths - 1 - steps, steps)[:, None, :]

    def reverse(self, A: Array) -> Array:
        """Return A (T, rows, B) with each column's real steps in reversed order."""
        return np.take_along_axis(A, self._reversal, axis=0) if self.ragged else A[::-1]

    def zero_padding(self, A: Array) -> None:
        """Write zeros into the padding of A (T, rows, B)."""
        if self.ragged:
            begin = self.lengths.min()  # before it, there is none: blocks are of like lengths
            A[begin:].transpose(0, 2, 1)[~self.real[begin:]] = 0
