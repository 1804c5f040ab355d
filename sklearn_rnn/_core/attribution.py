"""The numbers that input gradients explain: raw predictions, means of counts, log-odds.

Dimension key: K outputs, M answers of a block (one a sequence, or one a step and sequence).

Each number has the form of a `Loss`, so that `Network.loss_gradient` can differentiate it: the
value is the weighted sum of the number over the answers, with its gradient by the raw predictions
(K, M). `y` (K, M) selects the output and holds its unit.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.losses import Loss
from sklearn_rnn._core.workspace import Array


class Explained(Loss):
    """One explained number for each answer."""

    out_activation = "identity"

    @abstractmethod
    def values(self, raw: Array, y: Array) -> Array:
        """Return the numbers (M,)."""

    @abstractmethod
    def gradient(self, raw: Array, y: Array) -> Array:
        """Return their gradients (K, M) by `raw`."""

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return the weighted sum of the numbers, and its gradient by `raw`."""
        return (weight * self.values(raw, y)).sum(), weight * self.gradient(raw, y)


class RawOutput(Explained):
    """y raw: a raw prediction in the unit y. With one logistic output and y = +-1, its log-odds."""

    def values(self, raw: Array, y: Array) -> Array:
        """Return y raw, summed over the outputs."""
        return np.asarray((y * raw).sum(axis=0))

    def gradient(self, raw: Array, y: Array) -> Array:
        """Return y."""
        return y


class ExponentialOutput(Explained):
    """y exp(raw): the mean of counts. The readout returns its logarithm."""

    def values(self, raw: Array, y: Array) -> Array:
        """Return y exp(raw), summed over the outputs."""
        return np.asarray((y * np.exp(raw)).sum(axis=0))

    def gradient(self, raw: Array, y: Array) -> Array:
        """Return y exp(raw)."""
        return np.asarray(y * np.exp(raw))


class LogOdds(Explained):
    """raw_k - log(sum over j != k of exp(raw_j)) = log(p_k / (1 - p_k)), with y one-hot at k."""

    def values(self, raw: Array, y: Array) -> Array:
        """Return the log-odds."""
        others, largest = self._others(raw, y)
        return np.asarray((y * raw).sum(axis=0) - largest - np.log(others.sum(axis=0)))

    def gradient(self, raw: Array, y: Array) -> Array:
        """Return y - softmax over j != k."""
        others, _ = self._others(raw, y)
        return np.asarray(y - others / others.sum(axis=0))

    @staticmethod
    def _others(raw: Array, y: Array) -> tuple[Array, Array]:
        """Return exp(raw_j - largest) for j != k, 0 at k, and the largest raw_j (M,)."""
        others = np.where(y > 0, -np.inf, raw)
        largest = others.max(axis=0)
        return np.exp(others - largest), largest


@dataclass(frozen=True)
class SortedOutput(Explained):
    """y raw with the raw quantiles of each output sorted in ascending order, like predictions.

    Parameters
    ----------
    n_quantiles : int
        Number of adjacent rows of raw that are the quantiles of one output.
    """

    n_quantiles: int

    def values(self, raw: Array, y: Array) -> Array:
        """Return y sorted(raw), summed over outputs and quantiles."""
        return np.asarray((self.gradient(raw, y) * raw).sum(axis=0))

    def gradient(self, raw: Array, y: Array) -> Array:
        """Return y at the rows that the sorted values come from."""
        shape = -1, self.n_quantiles, raw.shape[1]
        order = np.argsort(raw.reshape(shape), axis=1, kind="stable")
        gradient = np.empty(order.shape, raw.dtype)
        np.put_along_axis(gradient, order, y.reshape(shape), axis=1)
        return gradient.reshape(raw.shape)
