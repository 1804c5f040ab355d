"""The minimal gated unit (Zhou et al. 2016) as a cell that is added from outside the package.

For each step t, with s the logistic sigmoid:

    (1)  f = s(W_f Z_t)                          forget gate     Z_t = [h_{t-1}; 1; x_t]
    (2)  n = tanh(W_n Q_t)                       candidate       Q_t = [f h_{t-1}; 1; x_t]
    (3)  h = h_{t-1} + f (n - h_{t-1})

Back through time, with dh the sum of what enters at t from above and what comes back from t + 1:

    (3') dn_pre = dh f (1 - n^2)
    (2') dQ = W_n^T dn_pre
    (1') df_pre = (dh (n - h_{t-1}) + dQ_h h_{t-1}) f (1 - f)        dZ = W_f^T df_pre
         dh_{t-1} = dh (1 - f) + dQ_h f + dZ_h        dx_t = dQ_x + dZ_x

Zhou, G.-B., Wu, J., Zhang, C.-L. and Zhou, Z.-H. (2016). Minimal gated unit for recurrent neural
networks. International Journal of Automation and Computing 13, 226-234.
https://arxiv.org/abs/1603.09420
"""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn import GRUClassifier, GRURegressor
from sklearn_rnn._core.cell import Activation, Cell
from sklearn_rnn._core.init import chrono
from sklearn_rnn._core.numerics import sigmoid
from sklearn_rnn._core.workspace import Workspace, step_buffer
from sklearn_rnn._registry import Pair


class MGUWorkspace(Workspace):
    """Adds f and n (T, H, B) of every step."""

    def __init__(self, *sizes, training, **options):
        super().__init__(*sizes, training=training, **options)
        shape = self.n_steps, self.hidden_size, self.n_columns, self.dtype
        self.f, self.n = (step_buffer(*shape, keep=training) for _ in range(2))


@dataclass(frozen=True)
class MGUCell(Cell):
    """Minimal gated unit; the equations are at the top of this file."""

    gates = "fn"
    public_gates = "fn"
    activations_by_letter = {
        "f": Activation("forget gate f", (0, 1)),
        "n": Activation("candidate n", (-1, 1)),
    }
    workspace_class = MGUWorkspace

    def initialize(self, parameters, rng, longest):
        super().initialize(parameters, rng, longest)
        if self.init == "chrono":
            H = self.hidden_size
            parameters["W"][:H, H] = -chrono(rng, H, longest)  # a closed f keeps h

    def forward(self, parameters, ws, n_steps):
        for t in range(n_steps):
            if ws.masks_states:
                ws.apply_mask(t)
            ws.f[t], ws.n[t] = self._gates(parameters["W"], ws.Z[t])
            ws.h[t] = ws.h_prev[t] + ws.f[t] * (ws.n[t] - ws.h_prev[t])  # (3)

    def backward(self, parameters, ws, n_steps, first_error, gradients):
        H = self.hidden_size
        W_f, W_n = np.split(parameters["W"], 2)
        dW_f, dW_n = np.split(gradients["W"], 2)
        gradients["W"][...] = 0
        dh = ws.dh_last
        dh[...] = 0
        for t in range(n_steps - 1, -1, -1):
            if t >= first_error:
                np.add(dh, ws.dh[t], dh)
            Z, h_prev, f, n = ws.Z[t], ws.h_prev[t], ws.f[t], ws.n[t]
            dn_pre = dh * f * (1 - n * n)  # (3')
            dQ = W_n.T @ dn_pre  # (2')
            df_pre = (dh * (n - h_prev) + dQ[:H] * Z[:H]) * f * (1 - f)
            dZ = W_f.T @ df_pre  # (1')
            dZ += dQ * self._in_candidate(f, dQ)
            dW_f += df_pre @ Z.T
            dW_n += dn_pre @ (Z * self._in_candidate(f, Z)).T
            if ws.masks_states:
                dZ[:H] *= ws.mask
            dZ[:H] += dh * (1 - f)
            ws.dZ[t] = dZ[: ws.dZ.shape[1]]
            dh = ws.dh_prev_steps[t]

    def _gates(self, W, Z):
        """Return f and n (H, B)."""
        W_f, W_n = np.split(W, 2)
        f = sigmoid(W_f @ Z)  # (1)
        return f, np.tanh(W_n @ (Z * self._in_candidate(f, Z)))  # (2)

    @staticmethod
    def _in_candidate(f, Z):
        """Return what Z is multiplied by in the candidate, (R, B): f in the rows of h, else 1."""
        return np.concatenate((f, np.ones_like(Z[len(f) :])))

    def activations(self, ws, n_steps):
        return [ws.f[:n_steps], ws.n[:n_steps]]

    def step_weights(self, parameters):
        return (parameters["W"],)

    def step(self, weights, Z, state):
        (W,), (h,) = weights, state
        f, n = self._gates(W, Z)
        return (h + f * (n - h),)  # (3)


# The estimators take over the constructors of the GRU's, which have the parameters that the cell
# needs. An estimator of the package would have a constructor and a docstring of its own.
class MGUClassifier(GRUClassifier):
    """Predict labels from sequences with a minimal gated unit network."""

    _cell_class = MGUCell


class MGURegressor(GRURegressor):
    """Predict numbers from sequences with a minimal gated unit network."""

    _cell_class = MGUCell


PAIR = Pair(MGUClassifier, MGURegressor)
