import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn._core.lstm import LSTMCell
from sklearn_rnn._core.rnn import RNNCell

T, H = 100, 32
cells = {
    "RNN": (RNNCell(4, H), ":"),
    "LSTM, forget bias 0": (LSTMCell(4, H, forget_bias=0.0), "-."),
    "LSTM, forget bias 1": (LSTMCell(4, H, forget_bias=1.0), "-"),
    "LSTM, forget bias 3": (LSTMCell(4, H, forget_bias=3.0), "--"),
}
figure, ax = plt.subplots()
for name, (cell, style) in cells.items():
    rng = np.random.default_rng(0)
    parameters, gradients = ({"W": np.zeros(cell.parameter_shapes["W"])} for _ in range(2))
    cell.initialize(parameters, rng, longest=T)
    ws = cell.make_workspace(T, 8, float, training=True, input_gradient=True)
    ws.x[...] = rng.normal(size=ws.x.shape)
    cell.forward(parameters, ws, T)
    ws.dh[-1] = 1 / np.sqrt(H * 8)
    cell.backward(parameters, ws, T, T - 1, gradients)
    norm = np.linalg.norm(ws.dZ[::-1, :H], axis=(1, 2))
    ax.semilogy(np.arange(1, T + 1), norm, ls=style, label=name)
ax.set(
    xlabel="steps back from the end",
    ylabel="norm of dh",
    ylim=(1e-12, 10),
    title="What is left of an error, before training",
)
ax.legend()
