"""Recurrent neural networks as scikit-learn estimators, in NumPy."""

from sklearn_rnn._core.state import RecurrentState
from sklearn_rnn._data.scale import DataScaleWarning
from sklearn_rnn._gru import GRUClassifier, GRURegressor
from sklearn_rnn._lstm import LSTMClassifier, LSTMRegressor
from sklearn_rnn._rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._training.checkpoints import Checkpoint
from sklearn_rnn._version import __version__
from sklearn_rnn.forecasting import RecurrentForecaster
from sklearn_rnn.frames import sequences_from_frame
from sklearn_rnn.metrics import make_sequence_scorer
from sklearn_rnn.persistence import SKOPS_TRUSTED
from sklearn_rnn.sequences import SequenceArray
from sklearn_rnn.windows import make_windows

__all__ = [
    "SKOPS_TRUSTED",
    "Checkpoint",
    "DataScaleWarning",
    "GRUClassifier",
    "GRURegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "RNNClassifier",
    "RNNRegressor",
    "RecurrentForecaster",
    "RecurrentState",
    "SequenceArray",
    "__version__",
    "make_sequence_scorer",
    "make_windows",
    "sequences_from_frame",
]
