"""
When to stop: learning curves with and without early stopping
=============================================================

What ``early_stopping`` does: a part of the sequences is set aside, its score is looked at after
each epoch, and the weights of the best epoch are kept. The digits of scikit-learn are read here
as sequences of eight rows of eight pixels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_rnn import LSTMClassifier

X, y = load_digits(return_X_y=True)
X = X.reshape(-1, 8, 8) / 16  # 1,797 sequences of 8 steps of 8 features
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=400, random_state=0)

model = LSTMClassifier(
    early_stopping=True,
    validation_fraction=0.2,
    validation_scoring="loss",  # finer than accuracy on so few
    n_iter_no_change=30,
    random_state=0,
)
model.fit(X_train, y_train)
print(f"{model.n_iter_} epochs, test accuracy {model.score(X_test, y_test):.3f}")

# %%
# ``loss_curve_`` has the training loss of each epoch, ``validation_scores_`` the score on what was
# set aside: minus the loss here.

validation = -np.array(model.validation_scores_)
best = int(validation.argmin())
epochs = np.arange(1, model.n_iter_ + 1)

figure, ax = plt.subplots()
ax.plot(epochs, model.loss_curve_, label="training")
ax.plot(epochs, validation, "--", label="validation")
ax.axvline(best + 1, color="0.5", lw=1)
ax.annotate(
    f"kept: epoch {best + 1}",
    (best + 1, validation.max()),
    xytext=(6, -10),
    textcoords="offset points",
)
ax.set(yscale="log", xlabel="epoch", ylabel="log loss", title="Loss by epoch")
ax.legend()
plt.show()

# %%
# The training loss falls on and on. The validation loss turns: what is learned after that is the
# training digits by heart.
