"""Log-sum-exp pooling, added from outside the package: a smooth maximum over time."""

import numpy as np

from sklearn_rnn._core.numerics import softmax
from sklearn_rnn._core.pooling import Pooling


class LogSumExpPooling(Pooling):
    """pooled = log(sum of exp(h) over the real steps), unit by unit. Streams: total = that so far.

    The total is in float64, so that long streams lose nothing.
    """

    in_pieces = False

    def forward(self, h, block, w):
        """Return the logarithms (H, B)."""
        real = block.real[:, None]
        largest = np.where(real, h.real, -np.inf).max(axis=0)
        powers = np.where(real, np.exp(np.where(real, h - largest, 0)), 0)
        return largest + np.log(powers.sum(axis=0))

    def backward(self, h, dpooled, block, dh, w, dw):
        """Write dpooled times each step's softmax, zero in the padding."""
        np.multiply(softmax(h, block.real[:, None]), dpooled, out=dh)
        return 0

    def start(self, hidden_size, n_streams, dtype):
        """Return the logarithm of nothing, in float64."""
        return np.full((hidden_size, n_streams), -np.inf)

    def add(self, total, h, w):
        """Return the total after one more step."""
        return np.logaddexp(total, h)

    def totals(self, h, w):
        """Return the totals after each step."""
        return np.logaddexp.accumulate(h.astype(np.float64), axis=0)

    def summary(self, total, n_steps, dtype):
        """Return the total."""
        return total.astype(dtype, copy=False)
