import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn._core.block import Block
from sklearn_rnn._core.gru import GRUCell
from sklearn_rnn._core.losses import Objective, SquaredError
from sklearn_rnn._core.lstm import LSTMCell
from sklearn_rnn._core.network import Network
from sklearn_rnn._core.pooling import POOLINGS
from sklearn_rnn._core.rnn import RNNCell
from sklearn_rnn._core.stack import Stack
from sklearn_rnn.datasets import make_adding_problem

T, B, H = 120, 64, 16
X, y = make_adding_problem(B, T, random_state=0)
block = Block(X.transpose(1, 2, 0).astype(float), np.full(B, T))
pieces = [2, 3, 4, 6, 10, 15, 20, 30, 40, 60, 120]

figure, ax = plt.subplots()
for (name, cell), style in zip(
    {"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell}.items(), ("o:", "s-", "^--"), strict=True
):
    network = Network.compose(
        Stack((cell(2, H),), n_directions=1),
        pooling=POOLINGS["mean"],
        n_outputs=1,
        loss=SquaredError(),
        alpha=0.0,
    )
    bind = network.layout.bind
    theta = network.layout.initial(np.random.default_rng(0), np.zeros(1), longest=T)
    gradients = []
    for k in pieces:
        ws = network.make_workspaces(k, B, float, training=True)
        gradient = np.empty_like(theta)
        compute = network.loss_gradient if k == T else network.truncated_loss_gradient
        objective = Objective(y[np.newaxis].astype(float), np.ones(B), normalizer=float(B))
        compute(bind(theta), ws, block, objective, bind(gradient))
        gradients.append(gradient)
    whole = gradients[-1]
    error = [np.linalg.norm(g - whole) / np.linalg.norm(whole) for g in gradients[:-1]]
    ax.loglog(pieces[:-1], error, style, label=name)
ax.set(
    xlabel="tbptt_steps, of 120",
    ylabel="relative error of the gradient",
    title="What truncation leaves out (adding problem, before training)",
)
ax.set_xticks([2, 5, 10, 20, 40, 60], ["2", "5", "10", "20", "40", "60"], minor=False)
ax.xaxis.set_minor_formatter("")
ax.legend()
