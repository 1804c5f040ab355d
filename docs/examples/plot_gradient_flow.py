"""
Vanishing gradients, seen
=========================

How far back the errors of training reach, in a network and on data of your own:
``GradientFlowDisplay`` draws the norm of dL/dh against the distance from the end of a sequence.
Here the three cells learn, or do not, the adding problem over 60 steps: the sum of two marked
numbers, one of them more than 30 steps back.
"""

import matplotlib.pyplot as plt

from sklearn_rnn import GRURegressor, LSTMRegressor, RNNRegressor
from sklearn_rnn.datasets import make_adding_problem
from sklearn_rnn.inspection import GradientFlowDisplay

X, y = make_adding_problem(3200, n_timesteps=60, random_state=0)


def fitted(max_iter):
    options = dict(
        batch_size=64,
        learning_rate_init=0.01,
        learning_rate="one_cycle",
        early_stopping=False,
        random_state=0,
    )
    cells = {"RNN": RNNRegressor, "LSTM": LSTMRegressor, "GRU": GRURegressor}
    return {name: cell(24, max_iter=max_iter, **options).fit(X, y) for name, cell in cells.items()}


# %%
# After a single epoch, and after fourteen. Lines are medians over 200 sequences, shades go from the
# 10th to the 90th percentile; dotted is what an RNN's gradients cannot exceed (Pascanu, Mikolov and
# Bengio 2013).

figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), sharey=True)
for ax, max_iter in zip(axes, (1, 14), strict=True):
    models = fitted(max_iter)
    GradientFlowDisplay.from_estimator(models, X[:200], y[:200], ax=ax)
    ax.set_title(f"after {max_iter} epoch{'s' * (max_iter > 1)}")
axes[0].set_ylim(1e-9, 1e2)
plt.show()

# %%
# And their losses in the end; .5 is that of a network that remembers nothing.

for name, model in models.items():
    print(f"{name:4}  {model.loss_:.3f}")

# %%
# A step back multiplies an error by a matrix and a slope. In the plain network that is all there
# is: what lies 60 steps back has a ten-thousandth of a say, and is never learned. LSTM and GRU
# have a path about which gates alone decide. At first the GRU's gates let nothing through either;
# they learn to. :doc:`/theory/gradients` derives it.
