"""Pooling that can stop after any step and go on later: a total, and what it says so far.

Dimension key: B columns (streams), T steps, H hidden.

The poolings are those of readout.py, which sees all of a block's states at once. Here a total
(H, B) stands for the steps before, and `summary` makes of it what the readout sees.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from sklearn_rnn._core.workspace import Array

Steps = int | Array


class RunningPooling(ABC):
    """A summary of the states over time that grows with every step."""

    @abstractmethod
    def start(self, hidden_size: int, n_columns: int, dtype: np.dtype) -> Array:
        """Return the total (H, B) of no steps."""

    @abstractmethod
    def add(self, total: Array, h: Array) -> Array:
        """Return the total after one more step, with states h (H, B)."""

    @abstractmethod
    def each(self, h: Array) -> Array:
        """Return the totals (T, H, B) after each of the first T steps, with states h (T, H, B).

        A new array, or h itself.
        """

    def summary(self, total: Array, n_steps: Steps, dtype: np.dtype) -> Array:
        """Return what totals say after n_steps, in `dtype`; shapes must broadcast."""
        return total


class RunningLast(RunningPooling):
    """total = h."""

    def start(self, hidden_size: int, n_columns: int, dtype: np.dtype) -> Array:
        """Return zeros."""
        return np.zeros((hidden_size, n_columns), dtype)

    def add(self, total: Array, h: Array) -> Array:
        """Return h."""
        return h

    def each(self, h: Array) -> Array:
        """Return h."""
        return h


class RunningMean(RunningPooling):
    """total = sum of h, in float64: a stream's sum must not stop to grow after 2^24 steps."""

    def start(self, hidden_size: int, n_columns: int, dtype: np.dtype) -> Array:
        """Return zeros."""
        return np.zeros((hidden_size, n_columns), np.float64)

    def add(self, total: Array, h: Array) -> Array:
        """Return total + h."""
        return total + h

    def each(self, h: Array) -> Array:
        """Return the cumulative sums of h."""
        return np.add.accumulate(h, axis=0, dtype=np.float64)

    def summary(self, total: Array, n_steps: Steps, dtype: np.dtype) -> Array:
        """Return total / n_steps."""
        return (total / n_steps).astype(dtype, copy=False)


class RunningMax(RunningPooling):
    """total = the largest h of each unit."""

    def start(self, hidden_size: int, n_columns: int, dtype: np.dtype) -> Array:
        """Return minus infinity."""
        return np.full((hidden_size, n_columns), -np.inf, dtype)

    def add(self, total: Array, h: Array) -> Array:
        """Return the larger of total and h."""
        return np.maximum(total, h)

    def each(self, h: Array) -> Array:
        """Return the cumulative maxima of h."""
        return np.maximum.accumulate(h, axis=0)


RUNNING: dict[str, RunningPooling] = {
    "last": RunningLast(),
    "mean": RunningMean(),
    "max": RunningMax(),
}
