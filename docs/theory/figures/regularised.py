import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import LSTMClassifier
from sklearn_rnn.datasets import load_japanese_vowels
from sklearn_rnn.preprocessing import TimestepTransformer

data = load_japanese_vowels()
X = list(data.X_train) + list(data.X_test)
y = np.concatenate([data.y_train, data.y_test])
train = np.zeros(len(y), bool)
train[:270:3] = True  # ten recordings of each speaker
scaler = TimestepTransformer(StandardScaler()).fit([X[i] for i in np.flatnonzero(train)])
X_train = scaler.transform([X[i] for i in np.flatnonzero(train)])
X_test = scaler.transform([X[i] for i in np.flatnonzero(~train)])

options = {
    "none": {},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2},
    "alpha = 1": {"alpha": 1.0},
    "dropout = 0.3": {"dropout": 0.3},
    "recurrent_dropout = 0.3": {"recurrent_dropout": 0.3},
    "both dropouts": {"dropout": 0.3, "recurrent_dropout": 0.3},
}
figure, ax = plt.subplots(figsize=(7.5, 3.4))
for row, option in enumerate(options.values()):
    scores = []
    for seed in range(5):
        model = LSTMClassifier(
            32, learning_rate_init=0.01, max_iter=60, random_state=seed, **option
        )
        scores.append(model.fit(X_train, y[train]).score(X_test, y[~train]))
    ax.plot(scores, np.full(5, row), "o", alpha=0.6, color="C0")
    ax.plot(np.median(scores), row, "|", ms=18, mew=2.5, color="C3")
ax.set_yticks(range(len(options)), options)
ax.invert_yaxis()
ax.set(xlabel="test accuracy (line: the median)", title="90 recordings to learn from")
