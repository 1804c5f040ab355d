"""
Which rows decide? Pooling by attention
=======================================

A digit of 8 rows is a sequence of 8 steps, read from top to bottom. ``pooling="attention"``
learns how much each step counts in the summary that the classifier sees, and
``attention_weights`` says so for every digit.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_rnn import GRUClassifier

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.images / 16, digits.target, stratify=digits.target, random_state=0
)

# %%
# Four ways to sum up the states
# ------------------------------
# "last" takes the state after the last row; the others look at the states after all of them. On
# eight rows "last" is the best: by then everything has been seen. Attention pays where the
# evidence may lie anywhere in a long sequence.

models = {
    pooling: GRUClassifier(
        24, pooling=pooling, learning_rate_init=0.01, max_iter=40, random_state=0
    ).fit(X_train, y_train)
    for pooling in ("last", "mean", "max", "attention")
}
for pooling, model in models.items():
    print(f"{pooling:9s} {model.score(X_test, y_test):.3f}")

# %%
# Where attention goes
# --------------------
# Each bar is the weight of the state after one row; those of a digit sum up to one. The state
# after a row knows all rows above it.

attentive = models["attention"]
shown = X_test[[np.flatnonzero(y_test == digit)[0] for digit in (0, 1, 4, 7, 9)]]
weights, labels = attentive.attention_weights(shown), attentive.predict(shown)

fig, axes = plt.subplots(2, 5, figsize=(10, 4.6), sharey=True, layout="constrained")
for (above, below), image, weight, label in zip(axes.T, shown, weights, labels, strict=True):
    above.imshow(image, cmap="gray_r")
    above.set_title(f"read as {label}")
    above.set_xticks([])
    below.barh(np.arange(8), weight, color="#0072B2")
    below.set(xlim=(0, weights.max()), xlabel="attention")
for ax in axes[:, 0]:
    ax.set_ylabel("row, from the top")
fig.suptitle("What each row's state counts in the answer")

# %%
# The mean over all test digits: what tells digits apart has been seen after two thirds of them.

for row, weight in enumerate(attentive.attention_weights(X_test).mean(axis=0)):
    print(f"row {row}: {weight:.2f}")
