"""
Which pixels said so? Integrated gradients
==========================================

What a single answer was made of. ``integrated_gradients`` gives every number of a sequence a
share in the answer, and the shares add up to it (Sundararajan, Taly and Yan 2017). The digits of
scikit-learn were read pixel by pixel, so that the shares make a picture again.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import load_sequential_digits

digits = load_sequential_digits()
model = GRUClassifier(
    32,
    learning_rate_init=0.01,
    learning_rate="one_cycle",
    max_iter=20,
    early_stopping=False,
    random_state=0,
)
X_train, X, y_train, y = train_test_split(digits.X, digits.y, test_size=400, random_state=0)
print(f"test accuracy {model.fit(X_train, y_train).score(X, y):.3f}")

# %%
# Of each digit one that is recognised; an empty image is what its shares are measured from.

answers = model.predict(X)
chosen = [np.flatnonzero((y == digit) & (answers == digit))[0] for digit in (0, 3, 4, 6, 7)]
shares = model.integrated_gradients(X[chosen], n_steps=500)

figure, axes = plt.subplots(2, len(chosen), figsize=(9, 4.2))
for k, (above, below) in enumerate(axes.T):
    limit = np.abs(shares[k]).max()
    above.imshow(X[chosen[k]].reshape(8, 8), cmap="gray_r")
    above.set_title(f"a {y[chosen[k]]}")
    image = below.imshow(shares[k].reshape(8, 8), cmap="PuOr_r", vmin=-limit, vmax=limit)
    for ax in (above, below):
        ax.axis("off")
bar = figure.colorbar(image, ax=axes[1], ticks=[-limit, 0, limit])
bar.set_ticklabels(["against", "0", "for it"])
figure.suptitle("What speaks for the answer: orange pixels; against it: violet", fontsize="medium")
plt.show()

# %%
# They add up, which is what makes them shares: to the log-odds of the digit, less those of the
# empty image.

blank = np.zeros_like(X[:1])
for k, digit in zip(chosen, y[chosen], strict=True):
    p, p_blank = model.predict_proba(np.concatenate([X[[k]], blank]))[:, digit].astype(float)
    difference = np.log(p / (1 - p)) - np.log(p_blank / (1 - p_blank))
    print(f"{digit}: shares {shares[chosen.index(k)].sum():7.3f}, log-odds {difference:7.3f}")
