"""The log-cosh loss, added from outside the package: smooth, and straight far away from 0."""

import numpy as np

from sklearn_rnn._core.losses import Loss
from sklearn_rnn._core.numerics import softplus


class LogCosh(Loss):
    """log(cosh(raw - y)), summed over the outputs."""

    out_activation = "identity"
    robust = True

    def value_gradient(self, raw, y, weight):
        """Return sum of w log(cosh(d)), and w tanh(d), with d = raw - y.

        log(cosh(d)) = |d| + log(1 + exp(-2 |d|)) - log(2), which does not overflow.
        """
        d = raw - y
        distance = np.where(d.real < 0, -d, d)
        value = weight * (distance + softplus(-2 * distance) - np.log(2).astype(raw.real.dtype))
        return value.sum(dtype=np.result_type(raw.dtype, np.float64)), weight * np.tanh(d)
