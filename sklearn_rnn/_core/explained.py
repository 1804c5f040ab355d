"""What a gradient by the inputs explains: a number that stands behind an answer.

Dimension key: K outputs, M answers of a block (one a sequence, or one a step and sequence).

Each is a `Loss` in form, so that the network's own `loss_gradient` runs it through time: the
weighted sum over answers of the number, and its gradient by the raw prediction. `y` (K, M) says
which output is meant, and in which unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.losses import Loss
from sklearn_rnn._core.workspace import Array


class RawOutput(Loss):
    """y raw: a raw prediction in the unit y; of a single logistic output, +-1 its log-odds."""

    out_activation = "identity"

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w y raw, and w y."""
        return (weight * y * raw).sum(), weight * y


class ExponentialOutput(Loss):
    """y exp(raw): the mean of counts, whose logarithm the readout gives."""

    out_activation = "identity"

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w y exp(raw), and w y exp(raw)."""
        value = weight * y * np.exp(raw)
        return value.sum(), value


class LogOdds(Loss):
    """raw_k - log(sum over j != k of exp(raw_j)) = log(p_k / (1 - p_k)), with y one-hot at k."""

    out_activation = "identity"

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w (raw_k - log sum exp raw_j), and w (y - softmax over j != k)."""
        others = np.where(y > 0, -np.inf, raw)
        largest = others.max(axis=0)
        exponentials = np.exp(others - largest)
        total = exponentials.sum(axis=0)
        value = (y * raw).sum(axis=0) - largest - np.log(total)
        return (weight * value).sum(), weight * (y - exponentials / total)


@dataclass(frozen=True)
class SortedOutput(Loss):
    """y raw with the raw quantiles of each output in ascending order, as predictions are.

    Parameters
    ----------
    n_quantiles : int
        Neighbouring rows of raw that are the quantiles of one output.
    """

    n_quantiles: int

    out_activation = "identity"

    def value_gradient(self, raw: Array, y: Array, weight: Array) -> tuple[Any, Array]:
        """Return sum of w y sorted(raw), and w y at the rows that the sorted values come from."""
        shape = -1, self.n_quantiles, raw.shape[1]
        order = np.argsort(raw.reshape(shape), axis=1, kind="stable")
        gradient = np.empty(order.shape, raw.dtype)
        np.put_along_axis(gradient, order, (weight * y).reshape(shape), axis=1)
        gradient = gradient.reshape(raw.shape)
        return (gradient * raw).sum(), gradient
