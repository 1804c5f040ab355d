"""scikit-learn's handwritten digits, read pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.utils import check_random_state

from sklearn_rnn._records import Record
from sklearn_rnn._typing import RandomState

__all__ = ["SequentialDigits", "load_sequential_digits"]


@dataclass(frozen=True, eq=False, repr=False)
class SequentialDigits(Record):
    """Digits as sequences of pixels; `load_sequential_digits` describes the fields."""

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    order: NDArray[np.int64]
    DESCR: str


def load_sequential_digits(
    *, permuted: bool = False, random_state: RandomState = None
) -> SequentialDigits:
    """Load 1,797 handwritten digits of 8 x 8 pixels as sequences of 64 steps.

    The pixels come row by row: to name the digit, a net must remember what it saw up to 64 steps
    ago. The small relative of pixel-by-pixel MNIST.

    Parameters
    ----------
    permuted : bool, default=False
        Whether the pixels come in a random order instead, the same for all digits: neighbours in
        the image are then far apart in time.
    random_state : int, RandomState instance or None, default=None
        Draws that order.

    Returns
    -------
    data : SequentialDigits
        A record, whose fields are attributes and keys, ``data.X`` and ``data["X"]``:

        X : ndarray of shape (1797, 64, 1), float32
            Pixels between 0 and 1.
        y : ndarray of shape (1797,), int64
            The digits, 0 to 9.
        order : ndarray of shape (64,)
            The pixel, counted row by row, of each step.
        DESCR : str
            scikit-learn's description of the data.

    References
    ----------
    Le, Q. V., Jaitly, N. and Hinton, G. E. (2015). A simple way to initialize recurrent networks
    of rectified linear units. https://arxiv.org/abs/1504.00941 (for MNIST).

    Examples
    --------
    >>> from sklearn_rnn.datasets import load_sequential_digits
    >>> data = load_sequential_digits()
    >>> data.X.shape, data.y.shape
    ((1797, 64, 1), (1797,))
    """
    digits = load_digits()
    order = np.arange(64)
    if permuted:
        order = check_random_state(random_state).permutation(order)
    X = (digits.data[:, order, np.newaxis] / 16).astype(np.float32)
    y = digits.target.astype(np.int64)
    return SequentialDigits(X=X, y=y, order=order, DESCR=digits.DESCR)
