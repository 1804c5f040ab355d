"""The first-order recurrent cell (Elman 1990).

For each step t, with f = tanh or relu:

    (1)  z_t = W_hh h_{t-1} + b + W_ih x_t
    (2)  h_t = f(z_t)

Errors run back through time (Werbos 1990), with dh_t the sum of what enters at t from above
and what comes back from t + 1:

    (2') dz_t = f'(z_t) dh_t           f' = 1 - h_t^2 (tanh),  [h_t > 0] (relu)
    (1') dh_{t-1} = W_hh^T dz_t        dx_t = W_ih^T dz_t
         dW = sum over t of dz_t Z_t^T

Each dh_{t-1} is W_hh^T f'(z_t) times dh_t. A product of T such factors makes gradients vanish or
explode (Bengio, Simard and Frasconi 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.cell import Cell, OnnxOperator
from sklearn_rnn._core.init import IDENTITY_INPUT_SCALE
from sklearn_rnn._core.workspace import Array, Workspace, step_buffer


class RNNWorkspace(Workspace):
    """The buffers of an RNN: also dz of one chunk, first the local derivatives, then the errors."""

    def __init__(self, *sizes: Any, training: bool, **options: bool) -> None:
        super().__init__(*sizes, training=training, **options)
        if training:
            H, B, C = self.hidden_size, self.n_columns, self.chunk
            self.dz = step_buffer(C, H, B, self.dtype)
            self.dz_steps = list(self.dz)


@dataclass(frozen=True)
class RNNCell(Cell):
    """h_t = f(W_hh h_{t-1} + b + W_ih x_t).

    Parameters
    ----------
    nonlinearity : {"tanh", "relu"}
        f.
    """

    nonlinearity: str = "tanh"

    gates = "h"
    public_gates = "h"
    torch_module = "RNN"
    torch_arguments = ("nonlinearity",)
    workspace_class = RNNWorkspace

    @property
    def onnx_operator(self) -> OnnxOperator:
        """ONNX's RNN, whose activation is tanh unless it is told otherwise."""
        is_relu = self.nonlinearity == "relu"
        return OnnxOperator("RNN", "h", {"activations": ["Relu"]} if is_relu else {})

    @property
    def predictor_variant(self) -> str:
        """The pieces are named after the nonlinearity."""
        return self.nonlinearity

    def initialize(
        self, parameters: dict[str, Array], rng: np.random.Generator, longest: int
    ) -> None:
        """Write initial weights into zeroed parameters."""
        super().initialize(parameters, rng, longest)
        H, W = self.hidden_size, parameters["W"]
        if self.init == "identity":
            W[:, :H] = np.eye(H)
            W[:, H + 1 :] = rng.normal(scale=IDENTITY_INPUT_SCALE, size=(H, self.input_size))

    def forward(self, parameters: dict[str, Array], ws: RNNWorkspace, n_steps: int) -> None:
        """Run (1) and (2) over time. Reads ws.x and ws.h0; writes ws.h."""
        W = parameters["W"]
        zero, is_tanh = np.zeros((), ws.dtype), self.nonlinearity == "tanh"
        steps = zip(ws.Z_steps[:n_steps], ws.h_steps[1:], strict=False)
        for t, (Z, h) in enumerate(steps):
            if ws.masks_states:
                ws.apply_mask(t)
            W.dot(Z, h)  # (1)
            np.tanh(h, h) if is_tanh else np.maximum(h, zero, out=h)  # (2)

    def backward(
        self,
        parameters: dict[str, Array],
        ws: RNNWorkspace,
        n_steps: int,
        first_error: int,
        gradients: dict[str, Array],
    ) -> None:
        """Run (2') and (1') back through time. Reads ws.dh, ws.Z; writes dW, ws.dZ."""
        WT = ws.transposed(parameters["W"])
        dW = gradients["W"]
        dW[...] = 0
        dh = ws.dh_last
        dh[...] = 0
        for begin, end in ws.chunks(n_steps):
            self._local_derivative(ws, begin, end)
            for t in range(end - 1, begin - 1, -1):
                dz = ws.dz_steps[t - begin]
                if t >= first_error:
                    np.add(dh, ws.dh_steps[t], dh)
                np.multiply(dz, dh, dz)  # (2')
                WT.dot(dz, ws.dZ_steps[t])  # (1')
                dh = ws.dh_prev_steps[t]
                if ws.masks_states:
                    np.multiply(dh, ws.mask, dh)
            ws.add_product(ws.dz[: end - begin], ws.Z[begin:end], dW)

    def _local_derivative(self, ws: RNNWorkspace, begin: int, end: int) -> None:
        h, L = ws.h[begin:end], ws.dz[: end - begin]
        if self.nonlinearity == "tanh":
            np.multiply(h, h, L)
            np.subtract(ws.one, L, L)
        else:
            np.greater(h, 0, out=L, casting="unsafe")

    def error_factor(self, parameters: dict[str, Array]) -> float:
        """Return the largest singular value of W_hh; the slopes of tanh and relu are at most 1."""
        return float(np.linalg.norm(parameters["W"][:, : self.hidden_size], 2))

    def step_weights(self, parameters: dict[str, Array]) -> tuple[Array, ...]:
        """Return W."""
        return (parameters["W"],)

    def step(
        self, weights: tuple[Array, ...], Z: Array, state: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """Return (h,) after (1) and (2)."""
        (W,) = weights
        z = W.dot(Z)  # (1)
        if self.nonlinearity == "tanh":
            return (np.tanh(z, z),)  # (2)
        return (np.maximum(z, 0, out=z),)  # (2)
