"""The gated recurrent unit (Cho 2014), with the reset gate after the product.

For each step t, with s the logistic sigmoid:

    (1)  r = s(W_ir x_t + b_r + W_hr h_{t-1})       reset gate
         z = s(W_iz x_t + b_z + W_hz h_{t-1})       update gate
    (2)  m = W_hn h_{t-1} + b_hn                    what the reset gate multiplies
         n = tanh(W_in x_t + b_n + r m)             candidate
    (3)  h = n + z (h_{t-1} - n)

Back through time, with dh the sum of what enters at t from above and what comes back from
t + 1, the error of every gate is dh times a number that is known after the forward pass:

    (3') dn_pre = dh (1-z)(1-n^2)      dz_pre = dh (h_{t-1}-n) z(1-z)
    (2') dm = dn_pre r                 dr_pre = dn_pre m r(1-r)
    (1') dh_{t-1} = z dh + W_hh^T [dr_pre; dz_pre; dm],  dx_t = W_ih^T [dr_pre; dz_pre; dn_pre]

The reset gate acts after the product, as in cuDNN, PyTorch and ONNX (linear_before_reset = 1). So
b_hn is part of m, which r multiplies, and cannot be merged with b_n.

How the loops are made fast
---------------------------
- The products with x are computed for a chunk of steps at once, before the steps run. The
  recurrent product is one call in each step. (One matrix for both, with blocks of zeros for m
  and n, would save one call in each step, but cost a third more arithmetic.)
- The rows of a step are stored in the order m, r, z, n, and their errors as dm, dr, dz, dn. So
  the three that W_hh^T multiplies are one block, and the three that W_ih^T multiplies also.
- s(z) = (1 + tanh(z / 2)) / 2 with halved rows of W, as in the LSTM.
- The five factors of dh are computed for a chunk of steps at once, as the local derivatives L.
  The backward loop then needs three calls in each step. The first call turns L into errors, in
  place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from sklearn_rnn._core.cell import Activation, Cell, OnnxOperator
from sklearn_rnn._core.init import chrono
from sklearn_rnn._core.workspace import Array, Workspace, step_buffer, without_copies


class ForwardStep(NamedTuple):
    """The arrays of one step of the forward loop, by the letters of the equations.

    Gates that lie side by side in memory also have a common view, so that one call computes all
    of them. Each gate is flat (H * B,). Only Z and mrz are in rows, for the matrix product.
    """

    Z: Array  # (H + 1, B), [h_{t-1}; 1]
    mrz: Array  # (3 * H, B), W_hidden Z: m, and what r and z get from h_{t-1}
    rz: Array
    m: Array
    r: Array
    z: Array
    n: Array
    rz_from_x: Array  # W_ih x_t + b of r and z
    n_from_x: Array  # W_ih x_t + b of n
    h_prev: Array
    h: Array


class BackwardStep(NamedTuple):
    """The arrays of one step of the backward loop: views of L (see GRUWorkspace)."""

    L: Array  # (5, H, B), all blocks, which dh multiplies
    dz_hidden: Array  # (3 * H, B), blocks 0 to 2 times dh: dm, dr, dz
    z_dh: Array  # (H, B), block 4 times dh: the direct path from h to h_prev


class GRUWorkspace(Workspace):
    """The buffers of a GRU: also the gates of every step, and derivatives of one chunk of steps.

    Attributes
    ----------
    gates : ndarray (T, 4, H * B)
        m, r, z, n of each step.
    from_x : ndarray (C, 3 * H, B)
        For C steps: W_ih x_t + b for r, z, n.
    L : ndarray (C, 5, H * B)
        For C steps: what multiplies dh, then the products: dm, dr, dz, dn and z dh.
    dz_hidden, dz_input : ndarray (C, 3 * H, B)
        Views of L. dz_hidden: dm, dr, dz. dz_input: dr, dz, dn.
    """

    def __init__(self, *sizes: Any, training: bool, **options: bool) -> None:
        super().__init__(*sizes, training=training, **options)
        H, B, T, C = self.hidden_size, self.n_columns, self.n_steps, self.chunk
        # Matrix products need a step in rows (rows, B). Elementwise calls are faster on flat arrays
        # (H * B,). Both are views of the same memory.
        gate_rows = step_buffer(T, 4 * H, B, self.dtype, keep=training)
        self.gates = gate_rows.reshape(T, 4, H * B)
        self.from_x = step_buffer(C, 3 * H, B, self.dtype)
        self.scratch = np.empty(H * B, self.dtype)
        self.forward_steps = self._forward_steps(gate_rows)
        if training:
            L_rows = step_buffer(C, 5 * H, B, self.dtype)
            self.L = L_rows.reshape(C, 5, H * B)
            self.dz_hidden, self.dz_input = L_rows[:, : 3 * H], L_rows[:, H : 4 * H]
            self.backward_steps = [
                BackwardStep(L=L.reshape(5, H, B), dz_hidden=L[: 3 * H], z_dh=L[4 * H :])
                for L in L_rows
            ]

    def _forward_steps(self, gate_rows: Array) -> list[ForwardStep]:
        """Return the arrays of each step; gate_rows (T, 4 * H, B) are the gates in rows."""
        H = self.hidden_size
        h = [state.reshape(-1) for state in self.h_steps]
        from_x = self.from_x.reshape(self.chunk, 3, -1)
        steps = []
        for t in range(self.n_steps):
            m, r, z, n = self.gates[t]
            steps.append(
                ForwardStep(
                    Z=self.Z[t, : H + 1],
                    mrz=gate_rows[t, : 3 * H],
                    rz=self.gates[t, 1:3],
                    m=m,
                    r=r,
                    z=z,
                    n=n,
                    # from_x holds one chunk at a time, so that all chunks share its memory.
                    rz_from_x=from_x[t % self.chunk, :2],
                    n_from_x=from_x[t % self.chunk, 2],
                    h_prev=h[t],
                    h=h[t + 1],
                )
            )
        return steps


@dataclass(frozen=True)
class GRUCell(Cell):
    """Gated recurrent unit; the equations are at the top of this file."""

    gates = "rzn"
    public_gates = "rzn"
    second_biases: ClassVar = {"n": "b_hn"}
    activations_by_letter: ClassVar = {
        "r": Activation("reset gate r", (0, 1)),
        "z": Activation("update gate z", (0, 1)),
        "n": Activation("candidate n", (-1, 1)),
    }
    torch_module = "GRU"
    onnx_operator = OnnxOperator("GRU", "zrn", {"linear_before_reset": 1})
    predictor_variant = "gru"
    workspace_class = GRUWorkspace

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """W = [W_hh | b | W_ih] of r, z, n, and b_hn, the second bias of the candidate."""
        return {**super().parameter_shapes, "b_hn": (self.hidden_size,)}

    def forward(self, parameters: dict[str, Array], ws: GRUWorkspace, n_steps: int) -> None:
        """Run (1) to (3) over time. Reads ws.x, ws.h0; writes ws.h, gates."""
        H, half, scratch = self.hidden_size, ws.half, ws.scratch
        W_hidden, W_input = self._split(parameters)
        W_hidden[H:] *= half
        W_input[: 2 * H] *= half
        for begin in range(0, n_steps, ws.chunk):
            end = min(begin + ws.chunk, n_steps)
            np.matmul(W_input, ws.Z[begin:end, H:], ws.from_x[: end - begin])
            steps = enumerate(ws.forward_steps[begin:end], begin)
            for t, (Z, mrz, rz, m, r, z, n, rz_from_x, n_from_x, h_prev, h) in steps:
                if ws.masks_states:
                    ws.apply_mask(t)
                W_hidden.dot(Z, mrz)
                np.add(rz, rz_from_x, rz)
                np.tanh(rz, rz)
                np.multiply(rz, half, rz)
                np.add(rz, half, rz)  # (1)
                np.multiply(r, m, scratch)
                np.add(n_from_x, scratch, n)
                np.tanh(n, n)  # (2)
                np.subtract(h_prev, n, scratch)
                np.multiply(z, scratch, scratch)
                np.add(n, scratch, h)  # (3)

    @without_copies()
    def backward(
        self,
        parameters: dict[str, Array],
        ws: GRUWorkspace,
        n_steps: int,
        first_error: int,
        gradients: dict[str, Array],
    ) -> None:
        """Run (3') to (1') back through time. Reads ws.dh, histories; writes dW, ws.dZ."""
        H = self.hidden_size
        W_hidden, W_input = self._split(parameters)
        WT = W_hidden[:, :H].T.copy()
        dW_hidden, dW_input = np.zeros_like(W_hidden), np.zeros_like(W_input)
        dh = ws.dh_last
        dh[...] = 0
        for begin, end in ws.chunks(n_steps):
            self._local_derivatives(ws, begin, end)
            for t in range(end - 1, begin - 1, -1):
                L, dz_hidden, z_dh = ws.backward_steps[t - begin]
                if t >= first_error:
                    np.add(dh, ws.dh_steps[t], dh)
                np.multiply(L, dh, L)  # (3') and (2')
                dh = ws.dh_prev_steps[t]
                WT.dot(dz_hidden, dh)
                if ws.masks_states:
                    np.multiply(dh, ws.mask, dh)
                np.add(dh, z_dh, dh)  # (1')
            n = end - begin
            if ws.input_gradient:
                np.matmul(W_input[:, 1:].T, ws.dz_input[:n], ws.dx[begin:end])
            ws.add_product(ws.dz_hidden[:n], ws.Z[begin:end, : H + 1], dW_hidden)
            ws.add_product(ws.dz_input[:n], ws.Z[begin:end, H:], dW_input)
        dW = gradients["W"]
        dW[: 2 * H, :H], dW[2 * H :, :H] = dW_hidden[H:, :H], dW_hidden[:H, :H]
        dW[:, H:] = dW_input
        gradients["b_hn"][...] = dW_hidden[:H, H]

    def initialize(
        self, parameters: dict[str, Array], rng: np.random.Generator, longest: int
    ) -> None:
        """Write initial weights into zeroed parameters."""
        super().initialize(parameters, rng, longest)
        H = self.hidden_size
        if self.init == "chrono":
            parameters["W"][H : 2 * H, H] = chrono(rng, H, longest)  # z, which keeps h

    def _split(self, parameters: dict[str, Array]) -> tuple[Array, Array]:
        """Return W_hidden (3H, H + 1), rows m, r, z, and W_input (3H, 1 + F), rows r, z, n."""
        H, W = self.hidden_size, parameters["W"]
        W_hidden = np.zeros_like(W, shape=(3 * H, H + 1))
        W_hidden[:H, :H], W_hidden[H:, :H] = W[2 * H :, :H], W[: 2 * H, :H]
        W_hidden[:H, H] = parameters["b_hn"]
        return W_hidden, W[:, H:].copy()

    @staticmethod
    def _local_derivatives(ws: GRUWorkspace, begin: int, end: int) -> None:
        """Write ws.L: the factors of dh in dm, dr, dz, dn and in z dh, the direct path."""
        gates, L = ws.gates[begin:end], ws.L[: end - begin]
        h_prev = ws.h_prev[begin:end]
        m, r, z, n = (gates[:, k] for k in range(4))
        L_m, L_r, L_z, L_n, L_direct = (L[:, k] for k in range(5))
        np.multiply(n, n, L_n)
        np.subtract(ws.one, L_n, L_n)  # 1 - n^2
        np.subtract(ws.one, z, L_direct)  # 1 - z, for now
        np.multiply(L_n, L_direct, L_n)
        np.multiply(L_n, r, L_m)
        np.subtract(ws.one, r, L_r)
        np.multiply(L_r, L_m, L_r)
        np.multiply(L_r, m, L_r)
        np.subtract(h_prev, n.reshape(h_prev.shape), L_z.reshape(h_prev.shape))
        np.multiply(L_z, z, L_z)
        np.multiply(L_z, L_direct, L_z)
        np.copyto(L_direct, z)

    def activations(self, ws: GRUWorkspace, n_steps: int) -> list[Array]:
        """Return views of r, z and n of each step."""
        return [ws.gates[:n_steps, k].reshape(n_steps, *ws.h0.shape) for k in (1, 2, 3)]

    def step_weights(self, parameters: dict[str, Array]) -> tuple[Array, ...]:
        """Return one matrix, with the rows of r and z halved, and the number 1/2.

        Its row blocks are r, z, m, and the part of n that comes from x. m does not read x, and the
        last block does not read h, so that both have blocks of zeros. These cost a third more
        arithmetic than two products would, but save two calls.
        """
        H, W = self.hidden_size, parameters["W"]
        half_rz, m, n_from_x = 0.5 * W[: 2 * H], W[2 * H :].copy(), W[2 * H :].copy()
        m[:, H] = parameters["b_hn"]
        m[:, H + 1 :] = 0
        n_from_x[:, :H] = 0
        return np.concatenate((half_rz, m, n_from_x)), np.array(0.5, W.dtype)

    def step(
        self, weights: tuple[Array, ...], Z: Array, state: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """Return (h,) after (1) to (3)."""
        H, (half_W, half), (h,) = self.hidden_size, weights, state
        a = half_W.dot(Z)
        rz, m, n_from_x = a[: 2 * H], a[2 * H : 3 * H], a[3 * H :]
        np.tanh(rz, rz)
        np.multiply(rz, half, rz)
        np.add(rz, half, rz)
        r, z = rz[:H], rz[H:]  # (1)
        np.multiply(r, m, m)
        np.add(n_from_x, m, m)
        n = np.tanh(m, m)  # (2)
        return (n + z * (h - n),)  # (3)
