"""
Which features, and when? Permutation importance in time
========================================================

What the score owes to each feature in each part of the recordings: ``permutation_importance``
exchanges them between sequences of unequal length and looks how far the score falls. It takes any
estimator that predicts from sequences.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.inspection import permutation_importance
from sklearn_rnn.preprocessing import TimestepTransformer

data = load_japanese_vowels()
model = make_pipeline(TimestepTransformer(StandardScaler()), GRUClassifier(random_state=0))
model.fit(data.X_train, data.y_train)

options = dict(n_segments=4, n_repeats=3, random_state=0)
importance = permutation_importance(model, data.X_test, data.y_test, by="both", **options)
features = permutation_importance(model, data.X_test, data.y_test, n_repeats=3, random_state=0)

# %%
# On recordings that training has not seen.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=(1.3, 1), sharey=True)
image = left.imshow(importance.importances_mean, aspect="auto", vmin=0)
left.set_xticks(range(4), ["first quarter", "second", "third", "last"])
left.set(ylabel="feature", title="A feature in a quarter of the time")
left.set_yticks(range(12))
left.grid(False)
figure.colorbar(image, label="loss of accuracy")
right.barh(np.arange(12), features.importances_mean, xerr=features.importances_std)
right.set(xlabel="loss of accuracy", title="A feature, all the time")
plt.show()

# %%
# Feature 0 is worth most. In no quarter of the time is it worth much alone: what is exchanged
# there, the other quarters still tell. Features that say the same share their worth in the same
# way.
