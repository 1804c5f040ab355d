"""Sigmoid, softplus and softmax without overflow, in the dtype of their input.

The gradient check by complex step runs this whole folder in complex128. So nothing here takes an
absolute value, a conjugate, or a maximum of anything but real parts.
"""

from __future__ import annotations

import numpy as np

from sklearn_rnn._core.workspace import Array


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), as (1 + tanh(x / 2)) / 2, which cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)). It never takes the exponential of a positive number."""
    positive = x.real > 0
    return np.where(positive, x, 0) + np.log1p(np.exp(np.where(positive, -x, x)))


def log_softmax(x: Array) -> Array:
    """Return x - log(sum(exp(x))) over the first axis, after subtracting the largest x."""
    shifted: Array = x - x.real.max(axis=0)
    log_sum: Array = np.log(np.exp(shifted).sum(axis=0))
    return shifted - log_sum


def softmax(x: Array, real: Array) -> Array:
    """Return exp(x) / sum(exp(x)) over the entries of the first axis in `real`, 0 elsewhere."""
    largest = np.where(real, x.real, -np.inf).max(axis=0)
    powers = np.where(real, np.exp(np.where(real, x - largest, 0)), 0)
    result: Array = powers / powers.sum(axis=0)
    return result
