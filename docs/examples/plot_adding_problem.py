"""
How far back can each cell learn? The adding problem
====================================================

What vanishing gradients do to learning, measured: two numbers of a long sequence are marked, and
the target is their sum (Hochreiter and Schmidhuber 1997). Nothing else matters, and the longer
the sequence is, the farther back is what does. A network that remembers nothing has a squared
error of .167. Data are made, since here one wants to know the truth; everything else is as
always.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import GRURegressor, LSTMRegressor, RNNRegressor
from sklearn_rnn.datasets import make_adding_problem

lengths = [10, 20, 40, 60]
cells = {"RNN": RNNRegressor, "LSTM": LSTMRegressor, "GRU": GRURegressor}
errors = {name: [] for name in cells}
for n_timesteps in lengths:
    X, y = make_adding_problem(3200, n_timesteps, random_state=0)
    X_test, y_test = make_adding_problem(500, n_timesteps, random_state=1)
    for name, estimator in cells.items():
        model = estimator(
            24,
            batch_size=64,
            learning_rate_init=0.01,
            learning_rate="one_cycle",
            max_iter=14,
            early_stopping=False,
            random_state=0,
        ).fit(X, y)
        errors[name].append(np.mean((model.predict(X_test) - y_test) ** 2))

# %%
# 700 updates of the weights for each; the same for all.

figure, ax = plt.subplots()
for (name, values), style in zip(errors.items(), ("o:", "s-", "^--"), strict=True):
    ax.semilogy(lengths, values, style, ms=7, label=name)
ax.axhline(1 / 6, color="0.5", lw=1)
ax.text(10, 0.18, "remembers nothing", color="0.4")
ax.set(
    xlabel="steps of a sequence",
    ylabel="squared error",
    ylim=(1e-4, 0.4),
    xticks=lengths,
    title="The adding problem after 700 updates",
)
ax.legend(loc="lower right")
plt.show()

# %%
# Over 10 and 20 steps all three have learned something, the gated cells nearly all there is. At
# 40 the plain RNN fails, and at 60 it is where it would be without a memory.
# :doc:`/theory/gradients` says why, and :doc:`/theory/lstm` and :doc:`/theory/gru` what the other
# two do about it.
