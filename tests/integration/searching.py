"""Three searches over ragged sequences, and what must be equal wherever they run."""

import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV

from sklearn_rnn import GRUClassifier, SequenceArray
from tests.helpers import assert_same_model

GRID = {"hidden_size": [3, 5], "learning_rate_init": [0.01, 0.05]}
SEARCHES = {
    "grid": lambda model: GridSearchCV(model, GRID, cv=3),
    "randomized": lambda model: RandomizedSearchCV(model, GRID, n_iter=3, cv=3, random_state=0),
    "halving": lambda model: HalvingGridSearchCV(model, GRID, cv=3, random_state=0),
}


def problem(n=300, longest=20, n_features=3):
    """Ragged sequences, packed, and whether their last step lies above their first.

    With 300 of them an array of indices is large enough for joblib to send it on its own.
    """
    rng = np.random.default_rng(0)
    lengths = rng.integers(4, longest, size=n)
    X = SequenceArray.from_concatenated(rng.normal(size=(lengths.sum(), n_features)), lengths)
    return X, np.array(["down", "up"])[[int(s[-1, 0] > s[0, 0]) for s in X]]


def search(kind, **params):
    """Make a search that takes a moment."""
    return SEARCHES[kind](GRUClassifier(**{"max_iter": 3, "random_state": 0, **params}))


def assert_same_search(there, here):
    """Assert that two searches found the same, but for the seconds that they took."""
    assert there.cv_results_.keys() == here.cv_results_.keys()
    for name, column in here.cv_results_.items():
        if "time" not in name:
            np.testing.assert_array_equal(there.cv_results_[name], column, err_msg=name)
    assert there.best_params_ == here.best_params_
    assert_same_model(there.best_estimator_, here.best_estimator_)
