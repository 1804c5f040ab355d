"""imbalanced-learn: its samplers and pipelines, on rows and on sequences of unequal length."""

import numpy as np
import pytest

pytest.importorskip("imblearn", reason="imbalanced-learn is not installed")

from imblearn import FunctionSampler
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.metrics import geometric_mean_score
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier
from sklearn_rnn.preprocessing import TimestepTransformer

SMALL = dict(hidden_size=8, max_iter=20, learning_rate_init=0.02, random_state=0)


def few(X, y):
    """Six recordings of the first speaker, among thirty of each other."""
    kept = np.flatnonzero((y > 0) | (np.arange(len(y)) < 6))
    return X[kept], y[kept]


SAMPLERS = [
    RandomOverSampler(random_state=0),
    SMOTE(k_neighbors=3, random_state=0),
    RandomUnderSampler(random_state=0),
]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_rows(sampler, rows):
    X, y = few(rows.X_train, rows.y_train)
    network = GRUClassifier(n_timesteps=7, **SMALL)
    model = make_pipeline(sampler, StandardScaler(), network).fit(X, y)
    X_balanced, y_balanced = sampler.fit_resample(X, y)
    assert len(set(np.bincount(y_balanced))) == 1
    scaler = StandardScaler().fit(X_balanced)
    by_hand = GRUClassifier(n_timesteps=7, **SMALL).fit(scaler.transform(X_balanced), y_balanced)
    np.testing.assert_array_equal(
        model.predict_proba(rows.X_test), by_hand.predict_proba(scaler.transform(rows.X_test))
    )


def test_ensembles_of_balanced_samples(rows):
    X, y = few(rows.X_train, rows.y_train)
    network = GRUClassifier(n_timesteps=7, **SMALL)
    bagging = BalancedBaggingClassifier(network, n_estimators=3, random_state=0).fit(X, y)
    assert bagging.score(rows.X_test, rows.y_test) > 0.5
    alone = network.fit(X, y)
    first = rows.y_test == 0
    recalls = [np.mean(model.predict(rows.X_test[first]) == 0) for model in (bagging, alone)]
    assert recalls[0] > recalls[1]


def balanced(X, y):
    """Sample which sequences, not what is in them."""
    which = np.arange(len(y)).reshape(-1, 1)
    which, y = RandomOverSampler(random_state=0).fit_resample(which, y)
    return X[which.ravel()], y


def test_sequences_of_unequal_length(vowels):
    X, y = few(vowels.X_train, vowels.y_train)
    sampler = FunctionSampler(func=balanced, validate=False)
    X_balanced, y_balanced = sampler.fit_resample(X, y)
    assert np.bincount(y_balanced).tolist() == [30] * 9
    assert len(X_balanced) == 270
    scaler = TimestepTransformer(StandardScaler())
    model = make_pipeline(sampler, scaler, GRUClassifier(**SMALL))
    search = GridSearchCV(
        model,
        {"gruclassifier__hidden_size": [2, 8]},
        scoring=make_scorer(geometric_mean_score),
        cv=2,
    ).fit(X, y)
    assert search.best_params_["gruclassifier__hidden_size"] == 8
    assert geometric_mean_score(vowels.y_test, search.predict(vowels.X_test)) > 0.6


def test_samplers_themselves_want_rows(vowels):
    """Written down in works_with.md."""
    for X in (vowels.X_train.to_padded(), list(vowels.X_train)):
        with pytest.raises(ValueError, match="array"):
            RandomOverSampler().fit_resample(X, vowels.y_train)
