"""
What the gates of an LSTM do
============================

How to look into a network that has learned something one knows. In the adding problem two of the
numbers of a sequence are marked, and their sum is asked for: so a network must open itself at the
marks, and only there. ``GateDisplay`` shows whether it does.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import LSTMRegressor
from sklearn_rnn.datasets import make_adding_problem
from sklearn_rnn.inspection import GateDisplay

X, y = make_adding_problem(3200, n_timesteps=30, random_state=0)
model = LSTMRegressor(
    12,
    batch_size=64,
    learning_rate_init=0.01,
    learning_rate="one_cycle",
    max_iter=20,
    early_stopping=False,
    random_state=0,
).fit(X, y)
X_test, y_test = make_adding_problem(500, n_timesteps=30, random_state=1)
print(f"squared error {np.mean((model.predict(X_test) - y_test) ** 2):.5f}, without memory .167")

# %%
# One sequence, and every unit's gates while it is read.

display = GateDisplay.from_estimator(model, X_test, sequence=0, gates="ifc")
display.figure_.set_size_inches(8, 7)
for image in display.images_.values():
    image.axes.grid(False)
plt.show()

# %%
# Some units open their input gate at the marks, let the number into their cell state, and keep
# it; the state is a staircase with a step at each mark. The same over 500 sequences, of the unit
# that does so most:

i, marked = model.gate_activations(X_test)["i"], X_test[:, :, 1] == 1
difference = i[marked].mean(axis=0) - i[~marked].mean(axis=0)
unit = difference.argmax()
print(
    f"open by {i[marked][:, unit].mean():.2f} at a mark, {i[~marked][:, unit].mean():.2f} elsewhere"
)
