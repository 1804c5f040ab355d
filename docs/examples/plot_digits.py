"""
Digits, pixel by pixel
======================

How far back a network remembers: the digits of scikit-learn come one pixel a step, row by row, and
only after 64 steps is the answer asked for. A tanh RNN, a GRU and an LSTM of the same width learn
it under the same conditions.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_rnn import GRUClassifier, LSTMClassifier, RNNClassifier
from sklearn_rnn.datasets import load_sequential_digits

digits = load_sequential_digits()
split = train_test_split(digits.X, digits.y, random_state=0, stratify=digits.y)
X_train, X_test, y_train, y_test = split

models = {"RNN": RNNClassifier, "LSTM": LSTMClassifier, "GRU": GRUClassifier}
for name, estimator in models.items():
    models[name] = estimator(
        hidden_size=32,
        learning_rate_init=0.01,
        learning_rate="one_cycle",
        max_iter=20,
        early_stopping=False,
        random_state=0,
    ).fit(X_train, y_train)

# %%
# How sure is each of the right answer while the pixels come in?

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9))
for (name, model), style in zip(models.items(), ("-", "--", "-."), strict=True):
    left.plot(np.arange(1, model.n_iter_ + 1), model.loss_curve_, style, label=name)
    answers = model.predict_prefixes(X_test)
    accuracy = (answers == y_test[:, np.newaxis]).mean(axis=0)
    right.plot(np.arange(1, 65), accuracy, style, label=f"{name}: {accuracy[-1]:.2f} in the end")
left.xaxis.get_major_locator().set_params(integer=True)
left.set(xlabel="epoch", ylabel="log loss", title="Training")
right.set(xlabel="pixels seen", ylabel="accuracy", title=f"{len(X_test)} test digits", ylim=(0, 1))
right.set_xticks(range(0, 65, 8))
right.legend(loc="upper left")
plt.show()

# %%
# All three remember. That the plain RNN does is owed to its orthogonal start, at which errors
# neither shrink nor grow, and to clipped gradients; over some hundred steps it fails
# (:doc:`/theory/gradients`). All are asked after the last pixel only: what they would say before
# is nothing that training has looked at.
