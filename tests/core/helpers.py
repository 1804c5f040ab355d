"""Random networks with blocks, targets and initial states, and the plain reference's answer."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.gru import GRUCell
from sklearn_rnn._core.losses import (
    AbsoluteError,
    BinaryLogLoss,
    Huber,
    MulticlassLogLoss,
    Objective,
    PinballLoss,
    PoissonLoss,
    SquaredError,
)
from sklearn_rnn._core.lstm import LSTMCell
from sklearn_rnn._core.masks import NO_MASKS, Masks
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.pooling import NO_POOLING, POOLINGS
from sklearn_rnn._core.rnn import RNNCell
from sklearn_rnn._core.stack import Stack
from sklearn_rnn._training.dropout import Dropout
from tests.core import reference

CELLS = {
    "rnn-tanh": partial(RNNCell, nonlinearity="tanh"),
    "rnn-relu": partial(RNNCell, nonlinearity="relu"),
    "lstm": LSTMCell,
    "gru": GRUCell,
}
LOSSES = {
    "squared_error": SquaredError(),
    "absolute_error": AbsoluteError(),
    "huber": Huber(reference.HUBER_DELTA),
    "poisson": PoissonLoss(),
    "pinball": PinballLoss(reference.QUANTILES),
    "binary_log_loss": BinaryLogLoss(),
    "multiclass_log_loss": MulticlassLogLoss(),
}


@dataclass(frozen=True)
class Problem:
    """A network with all that one call of loss_gradient needs.

    With pooling "none", y is (K, T * B) and weight (T * B,), zero in the padding.
    `states[layer][direction]` is the initial state, a tuple of (H, B): h0, and the LSTM's c0.
    """

    cell: str
    pooling: str
    loss: str
    network: Network
    theta: np.ndarray
    block: Block
    y: np.ndarray
    weight: np.ndarray
    normalizer: float
    states: list
    masks: Masks = NO_MASKS

    @property
    def parameters(self):
        """The weights by their places, as views of theta."""
        return self.network.layout.bind(self.theta)

    def workspaces(
        self, dtype: Any = np.float64, *, training=True, n_steps=None, input_gradient=False
    ):
        """Workspaces for this block, or longer ones, with the initial states written."""
        sizes = n_steps or self.block.n_steps, self.block.n_columns, dtype
        if input_gradient:
            make = self.network.stack.make_workspaces
            workspaces = make(*sizes, training=True, input_gradient=True)
        else:
            workspaces = self.network.make_workspaces(*sizes, training=training)
        write_states(workspaces, self.states)
        return workspaces

    def loss_gradient(self, theta=None, workspaces=None, block=None):
        """Objective and gradient, in the dtype of theta; what is not written stays NaN."""
        theta = self.theta if theta is None else theta
        workspaces = self.workspaces(theta.dtype) if workspaces is None else workspaces
        return self._run(self.network.loss_gradient, theta, workspaces, block or self.block)

    def truncated_loss_gradient(self, workspaces):
        """The same, piece by piece, in workspaces of fewer steps."""
        run = self.network.truncated_loss_gradient
        return self._run(run, self.theta, workspaces, self.block)

    def _run(self, run, theta, workspaces, block):
        gradient = np.full_like(theta, np.nan)
        parameters, gradient_views = map(self.network.layout.bind, (theta, gradient))
        y, weight = (a.astype(theta.real.dtype) for a in (self.y, self.weight))
        self.network.start(parameters, workspaces)
        objective = Objective(y, weight, self.normalizer)
        value = run(parameters, workspaces, block, objective, gradient_views, self.masks)
        return value, gradient

    def sequences(self):
        """The block as a list of (T_i, F)."""
        columns = zip(self.block.x.transpose(2, 0, 1), self.block.lengths, strict=True)
        return [x[:length] for x, length in columns]

    def states_of(self, column):
        return [[tuple(s[:, column] for s in state) for state in row] for row in self.states]

    def answers_of(self, column):
        """Where the answers of one sequence are in y and weight."""
        if not self.network.per_step:
            return [column]
        return np.arange(self.block.lengths[column]) * self.block.n_columns + column

    def reference_raw(self, theta=None):
        """Raw predictions (K, M) of the plain network with all options, NaN in the padding."""
        weights = self.network.layout.public(self.theta if theta is None else theta)
        raw = np.full((self.network.readout.n_outputs, self.y.shape[1]), np.nan)
        for column, x in enumerate(self.sequences()):
            answers = self.answers_of(column)
            raw[:, answers] = np.transpose(
                reference.raw_predictions(
                    self.cell,
                    weights,
                    x,
                    self.states_of(column),
                    self.pooling,
                    residual=self.network.stack.residual,
                    masks=self.masks_of(column),
                )
            )
        return raw

    def masks_of(self, column):
        """The masks of one sequence, as the plain network takes them, ones where there are none.

        "x" (T, F), "outs" and "states" [layer][direction] (T, H) and (H,), "pooled" (M, S * H).
        """
        masks, length = self.masks, self.block.lengths[column]
        one = [[1.0] * self.network.stack.n_directions for _ in self.network.stack.layers]
        if masks is NO_MASKS:
            return {"x": 1.0, "outs": one, "states": one, "pooled": 1.0}
        return {
            "x": masks.x[:length, :, column],
            "outs": [[mask[:length, :, column] for mask in row] for row in masks.outs],
            "states": [[mask[:, column] for mask in row] for row in masks.states],
            "pooled": masks.pooled[:, self.answers_of(column)].T,
        }

    def reference(self):
        """What loss_gradient must say, by the plain network, one sequence at a time.

        Returns value, raw (K, M), NaN in the padding, gradients under the public names, the
        gradients dx, a list of (T_i, F), and those of the states, a list of [layer][direction]
        tuples.
        """
        weights = self.network.layout.public(self.theta)
        penalized = {k: w for k, w in weights.items() if k.startswith("weight")}
        alpha = self.network.alpha
        value = alpha / 2 * sum((w**2).sum() for w in penalized.values())
        total = {name: alpha * penalized.get(name, 0 * w) for name, w in weights.items()}
        K, M = self.network.readout.n_outputs, self.y.shape[1]
        raw, dxs, dstates = np.full((K, M), np.nan), [], []
        for column, x in enumerate(self.sequences()):
            answers = self.answers_of(column)
            sample, sample_raw, gradients, dx, dstate = reference.sample_loss_gradient(
                self.cell,
                weights,
                x,
                self.states_of(column),
                self.pooling,
                self.loss,
                self.y[:, answers].T,
                self.weight[answers] / self.normalizer,
            )
            value += sample
            for name, gradient in gradients.items():
                total[name] += gradient
            raw[:, answers] = np.transpose(sample_raw)
            dxs.append(dx)
            dstates.append(dstate)
        return value, raw, merge_biases(self.cell, total), dxs, dstates


def random_problem(
    cell="lstm",
    *,
    T=7,
    B=3,
    F=2,
    H=3,
    K=2,
    num_layers=1,
    n_directions=1,
    pooling="last",
    loss="squared_error",
    ragged=False,
    alpha=0.1,
    seed=0,
    head_sizes=(),
    dropout=False,
    **stack_options,
):
    """Everything drawn at random and nothing zero: weights, biases, initial states, weights.

    Save with pooling "none": about every third step is not scored, its weight is zero.
    """
    rng = np.random.default_rng(seed)
    sizes = [F, *[n_directions * H] * (num_layers - 1)]
    stack = Stack(
        tuple(CELLS[cell](size, H) for size in sizes),
        n_directions,
        masks_states=dropout,
        **stack_options,
    )
    network = Network.compose(
        stack,
        pooling=NO_POOLING if pooling == "none" else POOLINGS[pooling],
        head_sizes=head_sizes,
        n_outputs=n_answers(loss, K),
        loss=LOSSES[loss],
        alpha=alpha,
    )
    n_states = 2 if cell == "lstm" else 1
    scale = 0.5 if loss == "poisson" else 1.0  # relu states grow, and exp(raw) must not overflow
    theta = rng.normal(scale=scale / np.sqrt(H + F), size=network.layout.size)
    block = random_block(rng, T, F, B, ragged=ragged)
    M = T * B if network.per_step else B
    y, weight = random_targets(rng, loss, K, M), rng.uniform(0.3, 2, size=M)
    if network.per_step:
        scored = rng.random(size=M) < 2 / 3
        scored[0] = True
        weight *= scored & block.real.ravel()
    return Problem(
        cell=cell,
        pooling=pooling,
        loss=loss,
        network=network,
        theta=theta,
        block=block,
        y=y,
        weight=weight,
        normalizer=1.7 * B,
        masks=Dropout(0.4, 0.3, np.float64).draw(network, T, B, rng) if dropout else NO_MASKS,
        states=[
            [tuple(rng.normal(scale=0.5, size=(n_states, H, B))) for _ in range(n_directions)]
            for _ in sizes
        ],
    )


def random_block(rng, T, F, B, *, ragged=False):
    """Inputs with garbage in the padding; ragged from T steps down to one."""
    lengths = np.full(B, T)
    if ragged and B > 1:
        lengths = rng.permutation([T, 1, *rng.integers(1, T + 1, size=B - 2)])
    return Block(rng.normal(size=(T, F, B)), lengths)


def n_answers(loss, K):
    """How many raw predictions the loss wants for K targets: one, or one for each quantile."""
    return K * len(reference.QUANTILES) if loss == "pinball" else K


def random_targets(rng, loss, K, B):
    if loss == "multiclass_log_loss":
        return np.eye(K)[rng.integers(K, size=B)].T
    if loss == "binary_log_loss":
        return rng.integers(2, size=(K, B)).astype(np.float64)
    if loss == "poisson":
        return rng.poisson(1.5, size=(K, B)).astype(np.float64)
    return rng.normal(size=(K, B))


def write_states(workspaces, states):
    """Write the initial states into the workspaces."""
    for row, row_states in zip(workspaces, states, strict=True):
        for ws, (h0, *c0) in zip(row, row_states, strict=True):
            ws.h0[...] = h0
            if c0:
                ws.c0[...] = c0[0]


def input_gradient(workspaces, block):
    """dx (T, F, B), which loss_gradient leaves in the workspaces of the first layer."""
    dx = [ws.dx[: block.n_steps] for ws in workspaces[0]]
    return dx[0] + block.reverse(dx[1]) if len(dx) == 2 else dx[0].copy()


def state_gradients(workspaces):
    """Gradients of the initial states, which loss_gradient leaves in the workspaces."""

    def of_one(ws):
        dh0 = ws.dZ[0, : ws.hidden_size].copy()
        return (dh0, ws.dc.copy()) if hasattr(ws, "c0") else (dh0,)

    return [[of_one(ws) for ws in row] for row in workspaces]


def merge_biases(cell, gradients):
    """As the package has them: a second bias for the GRU's candidate alone, elsewhere zero."""
    merged = {name: gradient.copy() for name, gradient in gradients.items()}
    for name, gradient in merged.items():
        if name.startswith("bias_hh"):
            gradient[: 2 * len(gradient) // 3 if cell == "gru" else None] = 0
    return merged


def assert_close(actual, expected, tolerance=1e-12, scale=None, err_msg=""):
    """Assert that no number is further off than tolerance times the largest expected one."""
    scale = np.abs(expected).max() if scale is None else scale
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale, err_msg=err_msg)


def assert_same_gradients(actual, expected, tolerance=1e-12):
    """Compare dicts of gradients, on the scale of the largest of all."""
    assert actual.keys() == expected.keys()
    scale = max(np.abs(gradient).max() for gradient in expected.values())
    for name, gradient in expected.items():
        assert_close(actual[name], gradient, tolerance, scale, err_msg=name)
