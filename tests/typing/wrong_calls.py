"""Calls that mypy --strict and pyright both refuse, each on a line that ends in `# wrong`.

tests/typing/test_types.py compares these lines with those of which the type checkers complain.
The script is never run.
"""

import numpy as np

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    RecurrentForecaster,
    SequenceArray,
    make_sequence_scorer,
    make_windows,
    sequences_from_frame,
)
from sklearn_rnn.datasets import load_japanese_vowels, make_parity
from sklearn_rnn.inspection import permutation_importance
from sklearn_rnn.preprocessing import TimestepTransformer

X = np.zeros((10, 4, 1))
y = np.zeros(10)

GRUClassifier(hidden_size="wide")  # wrong
GRUClassifier(hidden_size=8.5)  # wrong
GRUClassifier(8, 2)  # wrong
GRUClassifier(hidden_sizes=8)  # wrong
GRUClassifier(pooling="lst")  # wrong
GRUClassifier(batch_size="all")  # wrong
GRUClassifier(batch_size=None)  # wrong
GRUClassifier(early_stopping="yes")  # wrong
GRUClassifier(loss="huber")  # wrong
LSTMClassifier(solver="adagrad")  # wrong
LSTMClassifier(head_sizes=8)  # wrong
LSTMClassifier(class_weight="equal")  # wrong
GRURegressor(loss="mse")  # wrong
GRURegressor(learning_rate="linear")  # wrong

clf = GRUClassifier()
clf.fit()  # wrong
clf.fit(X)  # wrong
clf.fit("train.csv", y)  # wrong
clf.fit(X, y, weights=y)  # wrong
clf.predict()  # wrong
clf.predict(X, X)  # wrong
clf.predict(3)  # wrong
clf.step(X[0], 0)  # wrong
clf.hidden_states(X, layer="top")  # wrong
GRURegressor().partial_fit(X, y, y, y)  # wrong

RecurrentForecaster(window="48")  # wrong
RecurrentForecaster(strategy="both")  # wrong
RecurrentForecaster(normalize="first")  # wrong
RecurrentForecaster("gru")  # wrong
RecurrentForecaster().fit()  # wrong
RecurrentForecaster().predict("6")  # wrong
RecurrentForecaster().backtest(y, refit="yes")  # wrong
print(RecurrentForecaster().backtest(y).forecast)  # wrong

make_windows(y)  # wrong
make_windows(y, 3, stride=0.5)  # wrong
print(make_windows(y, 3).windows)  # wrong
make_windows(y, 3).gap = 2  # wrong
sequences_from_frame("data.csv", by="site", order="hour")  # wrong
sequences_from_frame(X, by="site")  # wrong
sequences_from_frame(X, by="site", order="hour", target_per_step="no")  # wrong
print(load_japanese_vowels().X)  # wrong
make_parity("many")  # wrong
SequenceArray(X)  # wrong
SequenceArray.from_concatenated(X)  # wrong
make_sequence_scorer("accuracy")  # wrong
make_sequence_scorer(np.dot, response_method="proba")  # wrong
permutation_importance(clf, X, y, by="step")  # wrong
TimestepTransformer()  # wrong
