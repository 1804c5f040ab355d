"""What a new unit of the targets does to weights, and to the gradients that an optimizer remembers.

Raw predictions are to be multiplied by a factor for each output, as the targets are: the output
layer is multiplied by it.

Dimension key: O raw predictions.
"""

from __future__ import annotations

import numpy as np

from sklearn_rnn._core.layout import Layout
from sklearn_rnn._core.workspace import Array


def rescale_raw(layout: Layout, theta: Array, factor: Array) -> Array:
    """Return weights whose raw predictions are `factor` (O,) times those of theta."""
    theta = np.array(theta)
    layout.bind(theta).readout["W_out"][...] *= factor[:, None]
    return theta


def gradient_factors(layout: Layout, factor: Array, degree: int, dtype: np.dtype) -> Array:
    """Return what the gradient by each weight is multiplied by then, (size,).

    A loss of this degree grows by factor^degree, and so do its gradients by all weights below the
    output layer; those by the output layer itself grow by factor^(degree - 1). With several
    outputs the largest factor counts below the output layer, where their gradients are added.
    """
    with np.errstate(under="ignore"):
        factors = np.full(layout.size, factor.max() ** degree, dtype)
        layout.bind(factors).readout["W_out"][...] = factor[:, None] ** (degree - 1)
    return factors
