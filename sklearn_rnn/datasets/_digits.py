"""scikit-learn's handwritten digits, read pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.utils import Bunch, check_random_state

__all__ = ["load_sequential_digits"]


def load_sequential_digits(*, permuted: bool = False, random_state: Any = None) -> Bunch:
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
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

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
    return Bunch(X=X, y=digits.target.astype(np.int64), order=order, DESCR=digits.DESCR)
