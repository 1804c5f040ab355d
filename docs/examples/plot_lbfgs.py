"""
Small data: L-BFGS beside Adam
==============================

``solver="lbfgs"`` looks at all sequences before each step, picks its own step size and draws
nothing at random but the initial weights. On some hundred sequences it comes to a small loss in
few passes over the data, without a learning rate to search for.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import LSTMClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.preprocessing import TimestepTransformer

data = load_japanese_vowels()
scaler = TimestepTransformer(StandardScaler()).fit(data.X_train)
X_train, X_test = scaler.transform(data.X_train), scaler.transform(data.X_test)

models = {
    "Adam, learning rate 0.01": LSTMClassifier(
        16, learning_rate_init=0.01, max_iter=60, random_state=0
    ),
    "Adam, learning rate 0.001": LSTMClassifier(
        16, learning_rate_init=0.001, max_iter=60, random_state=0
    ),
    "L-BFGS": LSTMClassifier(16, solver="lbfgs", alpha=0.03, max_iter=60, random_state=0),
}
figure, ax = plt.subplots()
for (name, model), style in zip(models.items(), ("-", "-.", "--"), strict=True):
    model.fit(X_train, data.y_train)
    score = model.score(X_test, data.y_test)
    epochs = np.arange(1, model.n_iter_ + 1)
    ax.plot(epochs, model.loss_curve_, style, label=f"{name}: test accuracy {score:.3f}")
ax.set(
    yscale="log",
    xlabel="epoch, or iteration",
    ylabel="training loss",
    title="Japanese Vowels, 270 sequences",
)
ax.legend()
plt.show()

# %%
# With a little penalty on the weights (``alpha``), so that there is a minimum to find, L-BFGS is as
# good as Adam at its best learning rate here. Each of its iterations is at least one pass over all
# data, like an epoch.
