"""optuna: OptunaSearchCV, with and without pruning."""

import numpy as np
import pytest

pytest.importorskip("optuna", reason="optuna is not installed")
pytest.importorskip("optuna_integration", reason="optuna-integration is not installed")

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna_integration import OptunaSearchCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, LSTMRegressor
from sklearn_rnn.preprocessing import TimestepTransformer

pytestmark = [
    pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental"),
    # The search itself calls what optuna has deprecated.
    pytest.mark.filterwarnings("ignore:`optuna.terminator` module:FutureWarning"),
]


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture(scope="module")
def half(vowels):
    """Half of the recordings to train on."""
    return vowels._replace(X_train=vowels.X_train[::2], y_train=vowels.y_train[::2])


def test_search(half, pack):
    X, y, X_test, y_test = half
    model = make_pipeline(TimestepTransformer(StandardScaler()), GRUClassifier(max_iter=8))
    model.set_params(gruclassifier__random_state=0)
    choices = {
        "gruclassifier__hidden_size": IntDistribution(2, 16),
        "gruclassifier__learning_rate_init": FloatDistribution(1e-3, 1e-1, log=True),
    }
    search = OptunaSearchCV(model, choices, n_trials=3, cv=2, random_state=0)
    search.fit(pack(X), y)
    assert len(search.trials_) == 3
    scores = cross_val_score(model.set_params(**search.best_params_), X, y, cv=2)
    assert search.best_score_ == pytest.approx(scores.mean())
    assert search.best_score_ == max(trial.value for trial in search.trials_)
    assert search.score(pack(X_test), y_test) > 0.8


def test_one_seed_one_answer(next_values):
    X, y, X_test, _ = next_values
    choices = {"hidden_size": IntDistribution(1, 8)}
    network = LSTMRegressor(max_iter=5, random_state=0)
    one, other = (
        OptunaSearchCV(network, choices, n_trials=3, cv=3, random_state=0).fit(X, y)
        for _ in range(2)
    )
    assert one.best_params_ == other.best_params_
    np.testing.assert_array_equal(one.predict(X_test), other.predict(X_test))


def test_pruning_trains_epoch_by_epoch(half, pack):
    """By `partial_fit`, an epoch at a time: a trial that falls behind is given up."""
    X, y, X_test, y_test = half
    search = OptunaSearchCV(
        GRUClassifier(random_state=0, learning_rate_init=0.02),
        {"hidden_size": IntDistribution(1, 12)},
        n_trials=7,
        cv=2,
        random_state=0,
        enable_pruning=True,
        max_iter=8,
    ).fit(pack(X), y)
    epochs = {trial.state.name: len(trial.intermediate_values) for trial in search.trials_}
    assert epochs["COMPLETE"] == 8
    assert epochs["PRUNED"] < 8
    assert search.score(pack(X_test), y_test) > 0.8
