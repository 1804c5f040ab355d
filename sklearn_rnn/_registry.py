"""The registry of estimators: a classifier and a regressor for each cell.

Persistence, exports and tests read it whenever they need to know which estimators there are. A new
cell is added with one line here, or from outside with ``ESTIMATORS.append(Pair(...))``.
"""

from __future__ import annotations

from typing import NamedTuple

from sklearn_rnn._core.cell import Cell
from sklearn_rnn._estimators.classifier import RecurrentClassifier
from sklearn_rnn._estimators.regressor import RecurrentRegressor
from sklearn_rnn._gru import GRUClassifier, GRURegressor
from sklearn_rnn._lstm import LSTMClassifier, LSTMRegressor
from sklearn_rnn._rnn import RNNClassifier, RNNRegressor


class Pair(NamedTuple):
    """The two estimators of one cell."""

    classifier: type[RecurrentClassifier]
    regressor: type[RecurrentRegressor]

    @property
    def cell(self) -> type[Cell]:
        """The class of the cell."""
        return self.classifier._cell_class


ESTIMATORS = [
    Pair(RNNClassifier, RNNRegressor),
    Pair(LSTMClassifier, LSTMRegressor),
    Pair(GRUClassifier, GRURegressor),
]


def estimators_by_name() -> dict[str, type[RecurrentClassifier] | type[RecurrentRegressor]]:
    """Return all registered estimators by the names of their classes."""
    return {Estimator.__name__: Estimator for pair in ESTIMATORS for Estimator in pair}
