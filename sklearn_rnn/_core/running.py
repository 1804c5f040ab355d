"""Pooling that can stop after any step and go on later: a total, and what it says so far.

Dimension key: B columns (streams), T steps, H hidden.

The poolings are those of pooling.py, which sees all of a block's states at once. Here a total
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


class RunningAttention(RunningPooling):
    """total = [sum of e_t h_t; sum of e_t; m] (H + 2, B), e_t = exp(w . h_t - m), m the largest.

    In float64. Whenever a larger score comes, the sums are put in its unit, so nothing overflows.
    """

    def __init__(self, w: Array) -> None:
        self.w = w

    def start(self, hidden_size: int, n_columns: int, dtype: np.dtype) -> Array:
        """Return sums of nothing, and a score that every other is larger than."""
        total = np.zeros((hidden_size + 2, n_columns))
        total[-1] = -np.finfo(np.float64).max
        return total

    def add(self, total: Array, h: Array) -> Array:
        """Return the total after one more step."""
        score = self.w @ h
        largest = np.maximum(total[-1], score)
        scores = total[:-1] * np.exp(total[-1] - largest)
        e = np.exp(score - largest)
        return np.concatenate((scores + np.concatenate((e * h, [e])), [largest]))

    def each(self, h: Array) -> Array:
        """Return the totals after each step."""
        T, H, B = h.shape
        total, totals = self.start(H, B, h.dtype), np.empty((T, H + 2, B))
        for t in range(T):
            total = totals[t] = self.add(total, h[t])
        return totals

    def summary(self, total: Array, n_steps: Steps, dtype: np.dtype) -> Array:
        """Return the states' mean by attention."""
        return (total[..., :-2, :] / total[..., -2:-1, :]).astype(dtype, copy=False)


RUNNING: dict[str, RunningPooling] = {
    "last": RunningLast(),
    "mean": RunningMean(),
    "max": RunningMax(),
}


def running_pooling(name: str, parameters: dict[str, Array]) -> RunningPooling:
    """Return the running form of a pooling, which attention needs the readout's parameters for."""
    return RunningAttention(parameters["attention"]) if name == "attention" else RUNNING[name]
