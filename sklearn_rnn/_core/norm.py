"""Layer normalization of the outputs of a layer (Ba, Kiros and Hinton 2016).

Dimension key: B columns, T steps, H hidden.

For each step and column, with the mean and the variance taken over the H units of u:

    (1)  y = (u - mean) / s,  s = sqrt(variance + epsilon)
    (2)  out = gain y + bias

    (2') dgain = sum of dout y        dbias = sum of dout        dy = dout gain
    (1') du = (dy - mean(dy) - y mean(dy y)) / s

It works on the outputs of a layer and not inside the recurrence, so that the time loops need no
change.
"""

from __future__ import annotations

import numpy as np

from sklearn_rnn._core.workspace import Array, Workspace

EPSILON = 1e-5


def normalize(norm: Array, u: Array) -> tuple[Array, Array]:
    """Normalize u (T, H, B) in place; return y (T, H, B) and 1 / s (T, 1, B).

    Reads norm (2, H): gain and bias.
    """
    y = u - u.mean(axis=1, keepdims=True)
    inverse_s = 1 / np.sqrt((y * y).mean(axis=1, keepdims=True) + u.dtype.type(EPSILON))
    y *= inverse_s  # (1)
    gain, bias = norm[:, :, None]
    np.multiply(gain, y, out=u)
    u += bias  # (2)
    return y, inverse_s


def normalize_backward(norm: Array, ws: Workspace, dout: Array, begin: int, dnorm: Array) -> None:
    """Turn dout (T, H, B), the errors from step `begin` on, into du, in place; write dnorm (2, H).

    Reads ws.normalized and ws.inverse_deviation.
    """
    steps = slice(begin, begin + len(dout))
    y, inverse_s = ws.normalized[steps], ws.inverse_deviation[steps]
    dnorm[0] = np.einsum("thb,thb->h", dout, y)
    dnorm[1] = dout.sum(axis=(0, 2))  # (2')
    dout *= norm[0][:, None]
    mean_dy = dout.mean(axis=1, keepdims=True)
    mean_dy_y = (dout * y).mean(axis=1, keepdims=True)
    dout -= mean_dy
    dout -= y * mean_dy_y
    dout *= inverse_s  # (1')
