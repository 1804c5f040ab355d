import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.losses import Objective, SquaredError
from sklearn_rnn._core.lstm import LSTMCell
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.pooling import POOLINGS
from sklearn_rnn._core.stack import Stack

rng = np.random.default_rng(0)
T, B = 30, 4
network = Network.compose(
    Stack((LSTMCell(input_size=3, hidden_size=8),), n_directions=1),
    pooling=POOLINGS["last"],
    n_outputs=1,
    loss=SquaredError(),
    alpha=0.0,
)
block = Block(rng.normal(size=(T, 3, B)), np.full(B, T))
y, weight = rng.normal(size=(1, B)), np.ones(B)
theta = network.layout.initial(rng, np.zeros(1), longest=T)
direction = rng.normal(size=theta.size)


def loss(theta, gradient=None):
    ws = network.make_workspaces(T, B, theta.dtype, training=True)
    out = np.empty_like(theta) if gradient is None else gradient
    bind = network.layout.bind
    objective = Objective(y, weight, normalizer=float(B))
    return network.loss_gradient(bind(theta), ws, block, objective, bind(out))


gradient = np.empty_like(theta)
loss(theta, gradient)
exact = gradient @ direction  # by back-propagation through time

steps = np.logspace(-14, 0, 57)
central = [(loss(theta + s * direction) - loss(theta - s * direction)) / (2 * s) for s in steps]
complex_step = [loss(theta + 1j * s * direction).imag / s for s in steps]

figure, ax = plt.subplots()
for name, values, style in (
    ("central differences", central, "-"),
    ("complex step", complex_step, "--"),
):
    error = np.abs(np.array(values) / exact - 1)
    ax.loglog(steps, np.maximum(error, 1e-17), style, label=name)
ax.axhline(np.finfo(float).eps, color="0.5", lw=1)
ax.text(1, 1.2 * np.finfo(float).eps, "precision of float64", ha="right", va="bottom", color="0.4")
ax.set(
    title="Back-propagation through time, checked by two numerical derivatives",
    xlabel="step size s",
    ylabel="relative difference",
)
ax.legend(loc="upper left")
