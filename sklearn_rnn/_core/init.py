"""Initial weights, drawn from a Generator.

- Recurrent matrices: orthogonal, gate by gate (Saxe, McClelland and Ganguli 2014): all their
  singular values are 1, so that errors start out neither shrinking nor growing.
- Input matrices and the readout: uniform with the variance of Glorot and Bengio (2010).
- The LSTM's forget bias: a parameter, 1 unless said otherwise (Gers 2000; Jozefowicz 2015).
- With init "chrono", the bias of the gate that keeps the state (the LSTM's forget gate, the GRU's
  update gate) is the logarithm of a number uniform between 1 and T - 1, so that the units'
  memories are of all lengths up to T steps; the LSTM's input gate has minus that (Tallec and
  Ollivier 2018).
- With init "identity", a simple network's recurrent matrix is the identity and its input matrix
  normal with a deviation of 0.001; with relu that is the IRNN (Le, Jaitly and Hinton 2015).
- The readout's bias: the prior, handed in by the caller. All other biases: 0.
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
    """Return (fan_out, fan_in) numbers, uniform within sqrt(6 / (fan_in + fan_out))."""
    bound = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, (fan_out, fan_in))


def chrono(rng: np.random.Generator, size: int, longest: int) -> Array:
    """Return (size,) logarithms of numbers uniform between 1 and longest - 1."""
    return np.log(rng.uniform(1, max(longest - 1, 1), size))
