"""The long short-term memory (Hochreiter and Schmidhuber 1997; Gers 2000 for the forget gate).

For each step t, with s the logistic sigmoid:

    (1)  i = s(W_i Z_t)      input gate        Z_t = [h_{t-1}; 1; x_t]
         f = s(W_f Z_t)      forget gate
         g = tanh(W_g Z_t)   candidate
         o = s(W_o Z_t)      output gate
    (2)  c = f c_prev + i g
    (3)  h = o tanh(c)

Back through time, with dh the sum of what enters at t from above and what comes back from
t + 1, and dc what comes back along the cell state:

    (3') do = dh tanh(c)             dc = dc + dh o (1 - tanh(c)^2)
    (2') di = dc g     df = dc c_prev     dg = dc i     dc_prev = dc f
    (1') dz = [do o(1-o); di i(1-i); df f(1-f); dg (1-g^2)]
         dh_{t-1} = W_hh^T dz,  dx_t = W_ih^T dz,  dW = sum over t of dz Z_t^T

Along the cell state, dc is multiplied by f alone: while f is near 1, the error neither vanishes nor
explodes. For this reason the bias of the forget gate starts at 1 (Jozefowicz 2015).

How the loops are made fast
---------------------------
- s(z) = (1 + tanh(z / 2)) / 2. With the rows of o, i and f in W halved, once in each block, one
  call of tanh computes all four gates.
- The rows of a step are stored in the order o, i, f, g, c_prev. So o, i, f are one block for the
  linear part of the sigmoid, and the pairs (i, f) and (g, c_prev) are two blocks: one call
  computes both i g and f c_prev. A forward step needs eight calls.
- The factors of dh and dc in (3') to (1') are known before the backward loop. They are computed
  for a chunk of steps at once, as the local derivatives L. The loop then needs six calls in each
  step, which turn L into errors, in place. The two factors of dh have a call each: one call for
  both would have to broadcast dh, which takes longer (1.1 us instead of 0.8 at 16 x 32). For
  the three factors of dc, one call that broadcasts is the faster one.
- With the products h = o tanh(c), i g and f c_prev, L takes 12 passes over a gate instead of 16:
  tanh(c) o (1-o) = h - h o, o (1-tanh(c)^2) = o - h tanh(c), i (1-g^2) = i - g (i g), and so on.
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
    of them. Each gate is flat (H * B,). Only Z and oifg are in rows, for the matrix product.
    """

    Z: Array  # (R, B), [h_{t-1}; 1; x_t]
    oifg: Array  # (4 * H, B), all gates
    oif: Array  # the three gates with a sigmoid
    i_f: Array  # the factors of g and c_prev
    g_c_prev: Array
    c: Array
    tanh_c: Array
    o: Array
    h: Array


class BackwardStep(NamedTuple):
    """The arrays of one step of the backward loop: views of L (see LSTMWorkspace)."""

    do: Array  # (H, B), what dh multiplies, then o's row of dz
    difg: Array  # (3, H, B), what dc multiplies, then the other rows of dz
    dc_from_h: Array  # (H, B), what dh multiplies, then the part of dc that comes from h
    dz: Array  # (4 * H, B), do and difg


class LSTMWorkspace(Workspace):
    """The buffers of an LSTM: also gates and cell states, and derivatives of one chunk of steps.

    Attributes
    ----------
    c0 : ndarray (H, B)
        The cell state before the first step; zeros by default.
    gates : ndarray (T + 1, 5, H * B)
        o, i, f, g and c_prev of each step.
    tanh_c : ndarray (T, H * B)
    L : ndarray (C, 5, H * B)
        For C steps: what multiplies dh (blocks 0 and 4) and dc (blocks 1 to 3); then the
        products: dz of o, i, f, g, and the part of dc that comes from h.
    dz : ndarray (C, 4 * H, B)
        View of the blocks 0 to 3 of L.
    """

    def __init__(self, *sizes: Any, training: bool, **options: bool) -> None:
        super().__init__(*sizes, training=training, **options)
        H, B, T = self.hidden_size, self.n_columns, self.n_steps
        self.c0 = np.zeros((H, B), self.dtype)
        # Matrix products need a step in rows (rows, B). Elementwise calls are faster on flat arrays
        # (H * B,). Both are views of the same memory.
        rows = step_buffer(T + 1, 5 * H, B, self.dtype, keep=training)
        self.gates = rows.reshape(T + 1, 5, H * B)
        self.tanh_c = step_buffer(T, H, B, self.dtype, keep=training).reshape(T, H * B)
        self.products = np.empty((2, H * B), self.dtype)
        self.forward_steps = [
            ForwardStep(
                Z=self.Z[t],
                oifg=rows[t, : 4 * H],
                oif=self.gates[t, :3],
                i_f=self.gates[t, 1:3],
                g_c_prev=self.gates[t, 3:5],
                c=self.gates[t + 1, 4],  # c_prev of the next step
                tanh_c=self.tanh_c[t],
                o=self.gates[t, 0],
                h=self.h[t].reshape(H * B),
            )
            for t in range(T)
        ]
        if training:
            C = self.chunk
            L_rows = step_buffer(C, 5 * H, B, self.dtype)
            self.dz, self.L = L_rows[:, : 4 * H], L_rows.reshape(C, 5, H * B)
            self.dc = np.zeros((H, B), self.dtype)
            self.f_steps = list(rows[:, 2 * H : 3 * H])
            self.backward_steps = [
                BackwardStep(
                    do=L[:H],
                    difg=L[H : 4 * H].reshape(3, H, B),
                    dc_from_h=L[4 * H :],
                    dz=L[: 4 * H],
                )
                for L in L_rows
            ]

    def start_from(self, state: tuple[Array, ...], *, learned: bool = False) -> None:
        """Write the state before the first step."""
        super().start_from(state, learned=learned)
        np.copyto(self.c0, state[1])

    def state_after(self, n_steps: int) -> tuple[Array, ...]:
        """Return views of the state after n_steps steps of forward; of the first state after 0."""
        c = self.gates[n_steps, 4].reshape(self.c0.shape) if n_steps else self.c0
        return (*super().state_after(n_steps), c)

    def state_errors(self) -> tuple[Array, ...]:
        """Return views of dL/dh_0 and dL/dc_0, after backward."""
        return (*super().state_errors(), self.dc)

    def clear_state(self) -> None:
        """Let the first step start from zero."""
        super().clear_state()
        self.c0[...] = 0


@dataclass(frozen=True)
class LSTMCell(Cell):
    """Long short-term memory; the equations are at the top of this file.

    Parameters
    ----------
    forget_bias : float
        The initial bias of the forget gate. With init "chrono" it has no effect.
    """

    forget_bias: float = 1.0

    gates = "oifg"
    public_gates = "ifgo"
    states = "hc"
    activations_by_letter: ClassVar = {
        "i": Activation("input gate i", (0, 1)),
        "f": Activation("forget gate f", (0, 1)),
        "g": Activation("candidate g", (-1, 1), drawn=False),
        "o": Activation("output gate o", (0, 1)),
        "c": Activation("cell state c", None),
    }
    torch_module = "LSTM"
    onnx_operator = OnnxOperator("LSTM", "iofg", {})
    predictor_variant = "lstm"
    workspace_class = LSTMWorkspace

    def initialize(
        self, parameters: dict[str, Array], rng: np.random.Generator, longest: int
    ) -> None:
        """Write initial weights, and the bias of the forget gate, into zeroed parameters."""
        super().initialize(parameters, rng, longest)
        H = self.hidden_size
        bias = parameters["W"][:, H].reshape(4, H)  # of o, i, f, g
        bias[2] = self.forget_bias
        if self.init == "chrono":
            bias[2] = chrono(rng, H, longest)
            bias[1] = -bias[2]

    def forward(self, parameters: dict[str, Array], ws: LSTMWorkspace, n_steps: int) -> None:
        """Run (1) to (3) over time. Reads ws.x, ws.h0, ws.c0; writes ws.h, gates, tanh_c."""
        half_W = parameters["W"].copy()
        half_W[: 3 * self.hidden_size] *= ws.half
        half, products, (ig, fc) = ws.half, ws.products, ws.products
        ws.gates[0, 4] = ws.c0.reshape(-1)
        steps = ws.forward_steps[:n_steps]
        for t, (Z, oifg, oif, i_f, g_c_prev, c, tanh_c, o, h) in enumerate(steps):
            if ws.masks_states:
                ws.apply_mask(t)
            half_W.dot(Z, oifg)
            np.tanh(oifg, oifg)
            np.multiply(oif, half, oif)
            np.add(oif, half, oif)  # (1)
            np.multiply(i_f, g_c_prev, products)
            np.add(ig, fc, c)  # (2)
            np.tanh(c, tanh_c)
            np.multiply(o, tanh_c, h)  # (3)

    @without_copies()
    def backward(
        self,
        parameters: dict[str, Array],
        ws: LSTMWorkspace,
        n_steps: int,
        first_error: int,
        gradients: dict[str, Array],
    ) -> None:
        """Run (3') to (1') back through time. Reads ws.dh, histories; writes dW, ws.dZ."""
        WT = ws.transposed(parameters["W"])
        dW = gradients["W"]
        dW[...] = 0
        dh, dc = ws.dh_last, ws.dc
        dh[...] = 0
        dc[...] = 0
        for begin, end in ws.chunks(n_steps):
            self._local_derivatives(ws, begin, end)
            for t in range(end - 1, begin - 1, -1):
                do, difg, dc_from_h, dz = ws.backward_steps[t - begin]
                if t >= first_error:
                    np.add(dh, ws.dh_steps[t], dh)
                np.multiply(dc_from_h, dh, dc_from_h)
                np.add(dc, dc_from_h, dc)  # (3')
                np.multiply(do, dh, do)
                np.multiply(difg, dc, difg)  # (1')
                np.multiply(ws.f_steps[t], dc, dc)  # (2')
                WT.dot(dz, ws.dZ_steps[t])
                dh = ws.dh_prev_steps[t]
                if ws.masks_states:
                    np.multiply(dh, ws.mask, dh)
            ws.add_product(ws.dz[: end - begin], ws.Z[begin:end], dW)

    @staticmethod
    def _local_derivatives(ws: LSTMWorkspace, begin: int, end: int) -> None:
        """Write ws.L: tanh(c) o(1-o); g i(1-i), c_prev f(1-f), i(1-g^2); o(1-tanh(c)^2)."""
        gates, tanh_c, L = ws.gates[begin:end], ws.tanh_c[begin:end], ws.L[: end - begin]
        h = ws.h[begin:end].reshape(tanh_c.shape)
        o, i, i_f, g, g_c_prev = gates[:, 0], gates[:, 1], gates[:, 1:3], gates[:, 3], gates[:, 3:5]
        L_o, L_if, L_g, L_c = L[:, 0], L[:, 1:3], L[:, 3], L[:, 4]
        ig_fc = L[:, 3:5]  # for now
        np.multiply(i_f, g_c_prev, ig_fc)
        np.multiply(i_f, ig_fc, L_if)
        np.subtract(ig_fc, L_if, L_if)
        np.multiply(g, L_g, L_g)
        np.subtract(i, L_g, L_g)
        np.multiply(h, tanh_c, L_c)
        np.subtract(o, L_c, L_c)
        np.multiply(h, o, L_o)
        np.subtract(h, L_o, L_o)

    def activations(self, ws: LSTMWorkspace, n_steps: int) -> list[Array]:
        """Return views of i, f, g, o and of the cell state after each step."""
        kept = [ws.gates[:n_steps, k] for k in (1, 2, 3, 0)]
        kept.append(ws.gates[1 : n_steps + 1, 4])
        return [array.reshape(n_steps, *ws.c0.shape) for array in kept]

    def step_weights(self, parameters: dict[str, Array]) -> tuple[Array, ...]:
        """Return W, with the rows of o, i and f halved, and the number 1/2."""
        half_W = parameters["W"].copy()
        half_W[: 3 * self.hidden_size] *= 0.5
        return half_W, np.array(0.5, half_W.dtype)

    def step(
        self, weights: tuple[Array, ...], Z: Array, state: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """Return (h, c) after (1) to (3)."""
        H, (half_W, half), (_, c) = self.hidden_size, weights, state
        a = half_W.dot(Z)
        np.tanh(a, a)
        oif = a[: 3 * H]
        np.multiply(oif, half, oif)
        np.add(oif, half, oif)
        o, i, f, g = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]  # (1)
        c = f * c + i * g  # (2)
        return o * np.tanh(c), c  # (3)
