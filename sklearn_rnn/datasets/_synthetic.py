"""Generated problems that measure memory: the answer depends on steps long ago.

Dimension key: n sequences, T time steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from sklearn_rnn._typing import RandomState

__all__ = ["make_adding_problem", "make_copy_memory", "make_parity", "make_temporal_order"]


def make_adding_problem(
    n_samples: int = 1000, n_timesteps: int = 100, *, random_state: RandomState = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make the adding problem: the sum of the two marked numbers of a long sequence.

    Each step has a number, uniform between 0 and 1, and a mark, which is 1 at one random step of
    the first half and one of the second, and 0 elsewhere. The mean of y is 1 and its variance
    1/6 = .167: the squared error of a model that remembers nothing.

    Parameters
    ----------
    n_samples : int, default=1000
        Sequences, n.
    n_timesteps : int, default=100
        Steps of each, T; at least 2.
    random_state : int, RandomState instance or None, default=None
        Draws the numbers and the marks.

    Returns
    -------
    X : ndarray of shape (n, T, 2), float32
        Number and mark of each step.
    y : ndarray of shape (n,), float32
        The sum of the two marked numbers.

    References
    ----------
    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8),
    1735-1780. In the form of Arjovsky, M., Shah, A. and Bengio, Y. (2016). Unitary evolution
    recurrent neural networks. ICML 48, 1120-1128. https://arxiv.org/abs/1511.06464

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_adding_problem
    >>> X, y = make_adding_problem(n_samples=3, n_timesteps=50, random_state=0)
    >>> X.shape, y.shape
    ((3, 50, 2), (3,))
    >>> bool(abs((X[:, :, 0] * X[:, :, 1]).sum(axis=1) - y).max() < 1e-6)
    True
    """
    _check_sizes(n_samples, n_timesteps=n_timesteps, smallest=2)
    rng, rows = check_random_state(random_state), np.arange(n_samples)
    half = n_timesteps // 2
    X = np.zeros((n_samples, n_timesteps, 2), np.float32)
    X[:, :, 0] = rng.uniform(size=(n_samples, n_timesteps))
    X[rows, rng.randint(0, half, n_samples), 1] = 1
    X[rows, rng.randint(half, n_timesteps, n_samples), 1] = 1
    return X, (X[:, :, 0] * X[:, :, 1]).sum(axis=1)


def make_copy_memory(
    n_samples: int = 1000,
    n_timesteps: int = 100,
    *,
    n_symbols: int = 10,
    random_state: RandomState = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Make the copying memory problem: repeat symbols that were shown before a long pause.

    A sequence is `n_symbols` symbols, each one of eight, then a pause of `n_timesteps` blanks
    whose last one is a sign to start, then `n_symbols` blanks. The target is blank until the sign
    has been seen, and then the symbols in their order. A model that remembers nothing does best
    to guess: its log loss a step is n_symbols log(8) / (n_timesteps + 2 n_symbols).

    Parameters
    ----------
    n_samples : int, default=1000
        Sequences, n.
    n_timesteps : int, default=100
        Length of the pause, at least 1.
    n_symbols : int, default=10
        How many symbols there are to remember, at least 1.
    random_state : int, RandomState instance or None, default=None
        Draws the symbols.

    Returns
    -------
    X : ndarray of shape (n, n_timesteps + 2 * n_symbols, 10), float32
        Steps, one-hot: blank, the eight symbols, the sign to start.
    y : ndarray of shape (n, n_timesteps + 2 * n_symbols), int64
        Target of each step: 0 for blank, 1 to 8 for the symbols. For `return_sequences`.

    References
    ----------
    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8),
    1735-1780. In the form of Arjovsky, M., Shah, A. and Bengio, Y. (2016). Unitary evolution
    recurrent neural networks. ICML 48, 1120-1128. https://arxiv.org/abs/1511.06464

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_copy_memory
    >>> X, y = make_copy_memory(n_samples=2, n_timesteps=4, n_symbols=3, random_state=0)
    >>> X.argmax(axis=2)[0]
    array([5, 8, 6, 0, 0, 0, 9, 0, 0, 0])
    >>> y[0]
    array([0, 0, 0, 0, 0, 0, 0, 5, 8, 6])
    """
    _check_sizes(n_samples, n_timesteps=n_timesteps, n_symbols=n_symbols)
    rng = check_random_state(random_state)
    symbols = rng.randint(1, 9, size=(n_samples, n_symbols))
    length = n_timesteps + 2 * n_symbols
    shown, y = np.zeros((2, n_samples, length), np.int64)
    shown[:, :n_symbols] = symbols
    shown[:, n_symbols + n_timesteps - 1] = 9
    y[:, -n_symbols:] = symbols
    return np.eye(10, dtype=np.float32)[shown], y


def make_temporal_order(
    n_samples: int = 1000, n_timesteps: int = 100, *, random_state: RandomState = None
) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Make the temporal order problem: tell in which order two rare symbols came.

    Two steps of the sequence, one between 10 and 20 % of its length and one between 50 and 60 %,
    are X or Y; all others are one of four symbols without meaning. The class is the pair: XX, XY,
    YX or YY. Chance is 25 %.

    Parameters
    ----------
    n_samples : int, default=1000
        Sequences, n.
    n_timesteps : int, default=100
        Steps of each, T; at least 10.
    random_state : int, RandomState instance or None, default=None
        Draws the symbols and their places.

    Returns
    -------
    X : ndarray of shape (n, T, 6), float32
        Steps, one-hot: four symbols without meaning, X, Y.
    y : ndarray of shape (n,) of str
        "XX", "XY", "YX" or "YY".

    References
    ----------
    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8),
    1735-1780, experiment 6. In the form of Martens, J. and Sutskever, I. (2011). Learning
    recurrent neural networks with Hessian-free optimization. ICML 28, 1033-1040.

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_temporal_order
    >>> X, y = make_temporal_order(n_samples=3, n_timesteps=20, random_state=0)
    >>> X.shape, y
    ((3, 20, 6), array(['YX', 'XY', 'YX'], dtype='<U2'))
    """
    _check_sizes(n_samples, n_timesteps=n_timesteps, smallest=10)
    rng, rows = check_random_state(random_state), np.arange(n_samples)
    tenth = n_timesteps // 10
    shown = rng.randint(4, size=(n_samples, n_timesteps))
    pair = rng.randint(2, size=(2, n_samples))
    for symbol, begin in zip(pair, (tenth, 5 * tenth), strict=True):
        shown[rows, rng.randint(begin, begin + tenth, n_samples)] = 4 + symbol
    names = np.array([["XX", "XY"], ["YX", "YY"]])
    return np.eye(6, dtype=np.float32)[shown], names[pair[0], pair[1]]


def make_parity(
    n_samples: int = 1000,
    n_timesteps: int = 50,
    *,
    per_step: bool = False,
    random_state: RandomState = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Make the parity problem: tell whether the number of ones is odd.

    One bit of memory solves it, but no answer that looks at some of the bits is better than
    chance, so that gradients say little until everything is right.

    Parameters
    ----------
    n_samples : int, default=1000
        Sequences, n.
    n_timesteps : int, default=50
        Steps of each, T; at least 1.
    per_step : bool, default=False
        Whether y has the parity after every step, for `return_sequences`, which makes the
        problem much easier.
    random_state : int, RandomState instance or None, default=None
        Draws the bits.

    Returns
    -------
    X : ndarray of shape (n, T, 1), float32
        Random bits.
    y : ndarray of shape (n,) or (n, T), int64
        1 if the number of ones in the sequence, or up to a step of it, is odd.

    References
    ----------
    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8),
    1735-1780, section 5.

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_parity
    >>> X, y = make_parity(n_samples=2, n_timesteps=5, per_step=True, random_state=0)
    >>> X[0, :, 0], y[0]
    (array([0., 1., 1., 0., 1.], dtype=float32), array([0, 1, 0, 0, 1]))
    """
    _check_sizes(n_samples, n_timesteps=n_timesteps)
    bits = check_random_state(random_state).randint(2, size=(n_samples, n_timesteps))
    parity = bits.cumsum(axis=1) % 2
    return bits[:, :, None].astype(np.float32), parity if per_step else parity[:, -1]


def _check_sizes(n_samples: int, smallest: int = 1, **sizes: int) -> None:
    for name, value in {"n_samples": n_samples, **sizes}.items():
        least = smallest if name == "n_timesteps" else 1
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}.")
