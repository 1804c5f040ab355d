"""Recurrent neural networks as scikit-learn estimators, in NumPy."""

from sklearn_rnn._gru import GRUClassifier, GRURegressor
from sklearn_rnn._lstm import LSTMClassifier, LSTMRegressor
from sklearn_rnn._rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.metrics import make_sequence_scorer
from sklearn_rnn.sequences import SequenceArray

__all__ = [
    "GRUClassifier",
    "GRURegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "RNNClassifier",
    "RNNRegressor",
    "SequenceArray",
    "make_sequence_scorer",
]
__version__ = "0.1.0"
