"""Initial weights, drawn from a random generator.

- Recurrent matrices: orthogonal for each gate (Saxe, McClelland and Ganguli 2014). All singular
  values are 1, so that these matrices neither shrink nor enlarge errors at first.
- Input matrices and the readout: uniform with the variance of Glorot and Bengio (2010).
- The bias of the LSTM's forget gate: a parameter, 1 by default (Gers 2000; Jozefowicz 2015).
- With init "chrono", the bias of the gate that keeps the state (the forget gate of the LSTM, the
  update gate of the GRU) is the logarithm of a number drawn uniformly between 1 and T - 1. So the
  units remember for all numbers of steps up to T. The bias of the LSTM's input gate is minus that
  of its forget gate (Tallec and Ollivier 2018).
- With init "identity", the recurrent matrix of an RNN is the identity, and its input matrix is
  normal with standard deviation 0.001. With relu, this is the IRNN (Le, Jaitly and Hinton 2015).
- The bias of the readout: the prior of the targets, which the caller gives. All other biases: 0.
"""

from __future__ import annotations

import numpy as np

from sklearn_rnn._core.workspace import Array

IDENTITY_INPUT_SCALE = 0.001


def orthogonal(rng: np.random.Generator, size: int) -> Array:
    """Return a random orthogonal (size, size) matrix, uniform over all of them."""
    Q, R = np.linalg.qr(rng.standard_normal((size, size)))
    # Without the signs of R's diagonal, Q is not uniform (Mezzadri 2007).
    return np.asarray(Q * np.sign(np.diag(R)))


def glorot_uniform(rng: np.random.Generator, fan_out: int, fan_in: int) -> Array:
    """Return (fan_out, fan_in) numbers, uniform between +-sqrt(6 / (fan_in + fan_out))."""
    bound = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, (fan_out, fan_in))


def chrono(rng: np.random.Generator, size: int, longest: int) -> Array:
    """Return (size,) logarithms of numbers uniform between 1 and longest - 1."""
    return np.log(rng.uniform(1, max(longest - 1, 1), size))
