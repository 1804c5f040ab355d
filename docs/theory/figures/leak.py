import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn._core.gru import GRUCell

T = 60
cell = GRUCell(input_size=1, hidden_size=3)  # three units that do not know each other
parameters = {name: np.zeros(shape) for name, shape in cell.parameter_shapes.items()}
H, W = 3, parameters["W"]  # rows r, z, n; columns h (3), 1, x
z = np.array([0.5, 0.9, 0.98])
W[H : 2 * H, H] = np.log(z / (1 - z))  # the update gates stand still at z
W[2 * H :, H + 1] = 3.0  # the candidate n is about the sign of x

ws = cell.make_workspace(T, 1, float, training=False, input_gradient=False)
ws.x[5:30] = 1.0
ws.x[30:] = -0.2
cell.forward(parameters, ws, T)

figure, ax = plt.subplots(figsize=(8, 3.6))
ax.step(np.arange(T), ws.x[:, 0, 0], color="0.6", where="post", label="x")
for unit, style in enumerate(("-", "--", "-.")):
    ax.plot(ws.h[:, unit, 0], style, label=f"h, z = {z[unit]} ({1 / (1 - z[unit]):.0f} steps)")
ax.set(title="The update gate is a memory's length", xlabel="step t")
ax.legend(loc="lower left", bbox_to_anchor=(1, 0))
