import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn._core.rnn import RNNCell
from sklearn_rnn.datasets import load_japanese_vowels

cell = RNNCell(input_size=12, hidden_size=16)
parameters = {"W": np.zeros(cell.parameter_shapes["W"])}
cell.initialize(parameters, np.random.default_rng(0), longest=20)

x = load_japanese_vowels().X_train[0]  # one recording, (T, 12)
ws = cell.make_workspace(len(x), 1, float, training=False, input_gradient=False)
ws.x[:, :, 0] = x
cell.forward(parameters, ws, len(x))

figure, ax = plt.subplots(figsize=(8, 3))
limit = np.abs(ws.h).max()
image = ax.imshow(ws.h[:, :, 0].T, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
ax.set(title="The state that reads a recording", xlabel="step t", ylabel="unit")
ax.grid(False)
figure.colorbar(image, label="$h_t$")
