"""
How much data does it take? scikit-learn's tools on sequences
=============================================================

What a true estimator of scikit-learn brings with it: its tools work on ragged sequences as on
tables. ``LearningCurveDisplay`` fits a GRU on growing parts of the recordings, under
cross-validation, beside a linear model on the mean of each recording.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LearningCurveDisplay
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_rnn import GRUClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.preprocessing import TimestepTransformer

data = load_japanese_vowels()


def mean_over_time(X):
    return np.stack([x.mean(axis=0) for x in X])


models = {
    "GRU": make_pipeline(
        TimestepTransformer(StandardScaler()), GRUClassifier(16, max_iter=50, random_state=0)
    ),
    "logistic regression of the mean": make_pipeline(
        FunctionTransformer(mean_over_time), StandardScaler(), LogisticRegression()
    ),
}
figure, ax = plt.subplots()
for (name, model), style in zip(models.items(), ("o-", "s--"), strict=True):
    display = LearningCurveDisplay.from_estimator(
        model,
        data.X_train,
        data.y_train,
        train_sizes=[45, 90, 135, 180],
        cv=3,
        shuffle=True,
        random_state=0,
        score_type="test",
        score_name="accuracy (3 folds, ± std)",
        ax=ax,
        line_kw={"linestyle": style[1:], "marker": style[0]},
        fill_between_kw={"alpha": 0.15},
    )
    display.lines_[0].set_label(name)
ax.set(title="Nine speakers", xlabel="recordings to learn from")
ax.legend(loc="lower right")
plt.show()

# %%
# Always draw the simple model too: on these short recordings the mean of the sounds says who speaks
# nearly as well as their course in time.
