"""Permutation importance: who gets what from whom, and what it says of known dependences."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance as importance_of_columns
from sklearn.metrics import mean_absolute_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMRegressor, SequenceArray
from sklearn_rnn.inspection import permutation_importance
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import fit_tiny, make_sequences, tiny, unchanged


class Known(RegressorMixin, BaseEstimator):
    """Predicts the sum of one feature over a sequence's last third; keeps what it is shown."""

    def __init__(self, feature=1):
        self.feature = feature

    def fit(self, X, y=None):
        self.seen_ = []
        return self

    def predict(self, X):
        self.seen_.append(X)
        return np.array([x[2 * len(x) // 3 :, self.feature].sum() for x in X])


def marked(lengths, n_features=2):
    """Sequences whose every number says where it is from: sequence, step and feature."""
    return [
        100 * i + np.arange(length)[:, None] + 0.1 * np.arange(n_features)
        for i, length in enumerate(lengths)
    ]


def exchanges(X, y, **options):
    """What a model is shown, exchange by exchange, after X itself."""
    model = Known().fit(X)
    permutation_importance(model, X, y, scoring="neg_mean_absolute_error", **options)
    return model.seen_[1:]


def test_a_whole_series_of_one_feature_comes_from_one_other_sequence():
    X = np.array(marked([6] * 5, 3))
    shown = exchanges(X, np.zeros(5), n_repeats=4, random_state=0)
    assert len(shown) == 3 * 4
    for k, changed in enumerate(shown):
        feature = k // 4
        others = np.delete(np.arange(3), feature)
        np.testing.assert_array_equal(changed[:, :, others], X[:, :, others])
        donors = (changed[:, 0, feature] // 100).astype(int)
        assert sorted(donors) == list(range(5))
        np.testing.assert_array_equal(changed[:, :, feature], X[donors][:, :, feature])


def test_between_unequal_lengths_steps_come_from_the_same_share_of_the_length():
    lengths = [2, 4, 7, 1]
    X = marked(lengths)
    for k, changed in enumerate(exchanges(X, np.zeros(4), n_repeats=6, random_state=0)):
        assert isinstance(changed, list)
        feature, givers = k // 6, []
        for x, now in zip(X, changed, strict=True):
            np.testing.assert_array_equal(now[:, 1 - feature], x[:, 1 - feature])
            (donor,) = set((now[:, feature] // 100).astype(int))
            middles = (np.arange(len(x)) + 0.5) / len(x)
            steps = np.floor(middles * lengths[donor]).astype(int)
            np.testing.assert_array_equal(now[:, feature], X[donor][steps, feature])
            givers.append(donor)
        assert sorted(givers) == list(range(4))


def test_segments_are_equal_shares_of_each_length():
    X = marked([10, 5, 15])
    shown = exchanges(X, np.zeros(3), by="time", n_segments=5, n_repeats=3, random_state=1)
    assert len(shown) == 5 * 3
    for k, changed in enumerate(shown):
        for x, now in zip(X, changed, strict=True):
            share = len(x) // 5
            inside = np.arange(len(x)) // share == k // 3
            np.testing.assert_array_equal(now[~inside], x[~inside])
            donors = set((now[inside] // 100).ravel())
            assert len(donors) == 1


def test_only_what_the_model_reads_is_worth_something():
    X = np.random.default_rng(0).normal(size=(80, 9, 3))
    model = Known().fit(X)
    y = model.predict(X)
    features = permutation_importance(model, X, y, random_state=0)
    assert features.importances.shape == (3, 5)
    assert not features.importances[[0, 2]].any()
    assert features.importances_mean[1] > 1.5  # R^2 falls from 1 to -1 on average
    times = permutation_importance(model, X, y, by="time", n_segments=3, random_state=0)
    assert not times.importances[:2].any()
    both = permutation_importance(model, X, y, by="both", n_segments=3, random_state=0)
    assert both.importances.shape == (3, 3, 5)
    assert np.argwhere(both.importances_mean > 0).tolist() == [[1, 2]]
    for result in (features, times, both):
        np.testing.assert_array_equal(result.importances.mean(axis=-1), result.importances_mean)
        np.testing.assert_array_equal(result.importances.std(axis=-1), result.importances_std)


def test_one_step_sequences_have_the_importances_of_scikit_learn():
    """The same idea for columns: equal up to the luck of the permutations."""
    X = np.random.default_rng(0).normal(size=(300, 1, 3))
    y = 2 * X[:, 0, 0] + X[:, 0, 1]
    model = LSTMRegressor(hidden_size=8, n_timesteps=1, max_iter=30, random_state=0)
    model.fit(X[:, 0], y)
    ours = permutation_importance(model, X[:, 0], y, n_repeats=30, random_state=0)
    theirs = importance_of_columns(model, X[:, 0], y, n_repeats=30, random_state=1)
    np.testing.assert_allclose(ours.importances_mean, theirs.importances_mean, atol=0.05)


@pytest.mark.parametrize("by", ["feature", "time"])
def test_every_container_says_the_same(by):
    X3 = np.random.default_rng(0).normal(size=(12, 6, 2))
    X3[3, 4:] = np.nan
    X3[5, :1] = np.nan
    packed = SequenceArray.from_padded(X3)
    y = np.random.default_rng(1).normal(size=12)
    model = fit_tiny(GRURegressor, X3, y)
    results = [
        permutation_importance(model, X, y, by=by, n_segments=3, random_state=0).importances
        for X in (X3, packed, list(packed))
    ]
    assert results[0].any()
    np.testing.assert_allclose(results[1], results[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(results[2], results[1])


def test_rows_and_data_frames_stay_what_they_are():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 6)), columns=list("abcdef"))
    y = frame["e"].to_numpy()
    model = tiny(GRURegressor, n_timesteps=3).fit(frame, y)
    result = permutation_importance(model, frame, y, random_state=0)
    assert result.importances.shape == (2, 5)
    pipeline = make_pipeline(StandardScaler(), tiny(GRURegressor)).fit(frame, y)
    result = permutation_importance(pipeline, frame, y, by="time", n_segments=6, random_state=0)
    assert result.importances.shape == (6, 5)
    assert result.importances.any()


def test_pipelines_scorers_and_weights():
    X = make_sequences()
    y = np.arange(12.0)
    weight = np.r_[np.ones(6), np.zeros(6)]
    model = make_pipeline(TimestepTransformer(StandardScaler()), tiny(LSTMRegressor)).fit(X, y)

    def scorer(estimator, X, y, sample_weight=None):
        return -mean_absolute_error(y, estimator.predict(X), sample_weight=sample_weight)

    options = dict(random_state=0, sample_weight=weight)
    ours = permutation_importance(model, X, y, scoring=scorer, **options)
    named = permutation_importance(model, X, y, scoring="neg_mean_absolute_error", **options)
    np.testing.assert_array_equal(ours.importances, named.importances)
    unweighted = permutation_importance(model, X, y, scoring=scorer, random_state=0)
    assert (unweighted.importances != ours.importances).any()


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_jobs_do_not_change_the_result_nor_does_anything_else_change(backend):
    X = make_sequences()
    model = fit_tiny(GRURegressor, X)
    y = np.arange(12.0)
    before = [x.copy() for x in X]
    with unchanged(model):
        one = permutation_importance(model, X, y, by="both", n_segments=2, random_state=3)
        with parallel_config(backend):
            two = permutation_importance(
                model, X, y, by="both", n_segments=2, random_state=3, n_jobs=2
            )
    np.testing.assert_array_equal(one.importances, two.importances)
    other = permutation_importance(model, X, y, by="both", n_segments=2, random_state=4)
    assert (one.importances != other.importances).any()
    for x, was in zip(X, before, strict=True):
        np.testing.assert_array_equal(x, was)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(by="step"), '"feature", "time" or "both"; got \'step\''),
        (dict(n_repeats=0), "n_repeats must be a positive integer; got 0"),
        (dict(n_repeats=True), "n_repeats must be a positive integer; got True"),
        (dict(by="time", n_segments=2.0), "n_segments must be a positive integer; got 2.0"),
        (dict(scoring="best"), "scoring"),
    ],
)
def test_parameters_that_are_not_what_they_should_be(options, message):
    X = make_sequences()
    with pytest.raises(ValueError, match=message):
        permutation_importance(fit_tiny(GRURegressor, X), X, np.arange(12.0), **options)


def test_what_has_no_permutation():
    X = make_sequences()
    model = fit_tiny(GRURegressor, X)
    with pytest.raises(ValueError, match="one sequence, which has none to exchange"):
        permutation_importance(model, X[:1], [1.0])
    names = ["anna", "bob", "carla"]
    tokens = tiny(GRUClassifier, embedding_size=3).fit(names, [0, 1, 0])
    with pytest.raises(ValueError, match="X holds tokens: see integrated_gradients"):
        permutation_importance(tokens, names, [0, 1, 0])
