import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn._core.rnn import RNNCell

T, H, rng = 60, 32, np.random.default_rng(0)
cell = RNNCell(input_size=1, hidden_size=H)
parameters = {"W": np.zeros(cell.parameter_shapes["W"])}
gradients = {"W": np.zeros_like(parameters["W"])}
cell.initialize(parameters, rng, longest=T)
orthogonal = parameters["W"][:, :H].copy()  # all singular values are 1

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
distance = np.arange(1, T + 1)
for ax, size, title in (
    (left, 1e-6, "near zero: tanh is linear"),
    (right, 1.0, "inputs of variance 1"),
):
    for sigma, style in ((0.8, ":"), (0.9, "-."), (1.0, "-"), (1.1, "--"), (1.2, (0, (5, 1)))):
        parameters["W"][:, :H] = sigma * orthogonal
        ws = cell.make_workspace(T, 1, float, training=True, input_gradient=True)
        ws.x[...] = size * rng.normal(size=ws.x.shape)
        cell.forward(parameters, ws, T)
        ws.dh[-1] = 1 / np.sqrt(H)  # an error of norm 1 enters at the last step
        cell.backward(parameters, ws, T, T - 1, gradients)
        norm = np.linalg.norm(ws.dZ[::-1, :H, 0], axis=1)  # |dh| after 1, 2, ... T steps back
        (line,) = ax.semilogy(distance, norm, ls=style, label=f"$\\sigma$ = {sigma}")
        ax.semilogy(distance, sigma**distance, color=line.get_color(), lw=5, alpha=0.2)
    ax.set(xlabel="steps back from the end", title=title)
left.set(ylabel="norm of the error", ylim=(1e-9, 1e5))
figure.legend(*left.get_legend_handles_labels(), loc="outside right center")
