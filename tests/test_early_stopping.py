"""Early stopping: a validation set is kept aside, and the weights that did best on it win."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from sklearn_rnn import GRUClassifier, LSTMClassifier, RNNClassifier, RNNRegressor
from sklearn_rnn._estimators.held_out import split_off
from tests.helpers import (
    CLASSIFIERS,
    assert_same_model,
    assert_unfitted,
    make_sequences,
    make_targets,
    same_model,
    tiny,
)

LABELS = {
    "int": [3, 1, 2],
    "negative": [-1, 5, 0],
    "float": [1.0, 2.0, 4.0],
    "bool": [True, False, True],
    "str": ["ash", "elm", "oak"],
    "object-str": np.array(["ash", "elm", "oak"], dtype=object),
}


# With fewer than 1,000 samples, and from there on.
AUTO = {
    "batch_size": (16, 32),
    "learning_rate_init": (0.003, 0.005),
    "n_iter_no_change": (50, 20),
    "early_stopping": (False, True),
}


def stopping(Estimator, **params):
    return tiny(Estimator, early_stopping=True, **{"validation_fraction": 0.25, **params})


def data(Estimator, n=24):
    X = make_sequences([3 + k % 5 for k in range(n)])
    return X, make_targets(Estimator(), n)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_row_84_labels_of_any_kind(Classifier, labels):
    X, _ = data(Classifier)
    codes = np.arange(24) % 3
    y = np.asarray(labels)[codes]
    fitted = stopping(Classifier).fit(X, y)
    assert fitted.classes_.dtype == y.dtype
    assert len(fitted.validation_scores_) == fitted.n_iter_
    assert set(fitted.predict(X)) <= set(labels)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_row_85_frames_bring_no_warnings(Estimator, library):
    """Warnings are errors here."""
    frames = pytest.importorskip(library)
    table = np.random.default_rng(0).normal(size=(24, 5))
    X = frames.DataFrame({f"step{k}": table[:, k] for k in range(5)})
    y = frames.Series(make_targets(Estimator(), 24).tolist())
    fitted = stopping(Estimator).fit(X, y)
    assert len(fitted.validation_scores_) == 3
    assert_same_model(fitted, stopping(Estimator).fit(table, make_targets(fitted, 24)))


def test_row_83_a_class_with_one_member_is_not_stratified(Classifier):
    """Which side it is on is left to chance, and no error."""
    X, _ = data(Classifier)
    y = np.array(["common"] * 23 + ["rare"])
    fitted = stopping(Classifier).fit(X, y)
    np.testing.assert_array_equal(fitted.classes_, ["common", "rare"])
    assert len(fitted.validation_scores_) == 3


def test_the_split_is_stratified(monkeypatch):
    """One validation sample of each class of four: with luck alone this would be rare."""
    X, _ = data(RNNClassifier)
    seen = []
    score = RNNClassifier._score_raw
    monkeypatch.setattr(
        RNNClassifier,
        "_score_raw",
        lambda self, raw, data: seen.append(data.y.sum(axis=0)) or score(self, raw, data),
    )
    for seed in range(5):
        stopping(RNNClassifier, random_state=seed, max_iter=1).fit(X, np.arange(24) % 6)
    np.testing.assert_array_equal(seen, np.ones((5, 6)))


@pytest.mark.parametrize(
    ("fraction", "n"), [(0.01, 24), (0.99, 24), (0.5, 2)], ids=["none", "all", "two-samples"]
)
def test_row_82_validation_set_too_small(Estimator, fraction, n):
    X, y = data(Estimator)
    estimator = stopping(Estimator, validation_fraction=fraction)
    with pytest.raises(ValueError, match="validation set of early_stopping would hold"):
        estimator.fit(X[:n], y[:n])
    assert_unfitted(estimator)


def one_step_each(Estimator, n):
    """So many sequences of one step, and one of no weight, which does not count."""
    table = np.random.default_rng(0).normal(size=(n + 1, 1))
    return table, make_targets(Estimator(), n + 1), np.append(np.ones(n), 0)


@pytest.mark.parametrize("n", [999, 1000])
@pytest.mark.parametrize("name", AUTO)
def test_auto_is_a_matter_of_the_number_of_samples(Estimator, name, n):
    """With a tolerance so large no epoch is better: it ends after the first one and the wait."""
    samples = one_step_each(Estimator, n)
    params = dict(early_stopping=False, n_iter_no_change=1, tol=1e9, validation_fraction=0.1)
    params |= dict(batch_size=500, learning_rate_init=0.01)
    params |= dict(max_iter=60 if name == "n_iter_no_change" else 1)
    with_few, with_many = AUTO[name]
    few, many = (
        tiny(Estimator, **{**params, name: value}).fit(*samples) for value in (with_few, with_many)
    )
    auto = tiny(Estimator, **{**params, name: "auto"}).fit(*samples)
    assert_same_model(auto, few if n < 1000 else many)
    assert not same_model(few, many)
    assert Estimator().get_params()[name] == "auto"


def test_partial_fit_counts_the_samples_that_it_is_given(Estimator):
    X, y, _ = one_step_each(Estimator, 99)
    given = {"classes": np.unique(y)} if hasattr(Estimator, "predict_proba") else {}
    auto = tiny(Estimator).partial_fit(X, y, **given)
    assert_same_model(
        auto, tiny(Estimator, batch_size=16, learning_rate_init=0.003).partial_fit(X, y, **given)
    )


def test_it_stops_when_the_score_no_longer_improves(Estimator):
    X, y = data(Estimator)
    fitted = stopping(Estimator, max_iter=200, n_iter_no_change=4, tol=0.01).fit(X, y)
    scores = fitted.validation_scores_
    assert 4 < fitted.n_iter_ < 200
    assert max(scores[-4:]) < max(scores[:-4]) + 0.01
    for end in range(5, fitted.n_iter_):
        assert max(scores[end - 4 : end]) >= max(scores[: end - 4]) + 0.01


def test_without_it_the_loss_decides(Estimator):
    X, y = data(Estimator)
    fitted = tiny(Estimator, max_iter=500, n_iter_no_change=5, tol=0.02).fit(X, y)
    losses = fitted.loss_curve_
    assert 5 < fitted.n_iter_ < 500
    assert min(losses[-5:]) > min(losses[:-5]) - 0.02
    for end in range(6, fitted.n_iter_):
        assert min(losses[end - 5 : end]) <= min(losses[: end - 5]) - 0.02


def test_the_best_weights_are_kept(Estimator, seed):
    """The first best epoch's, as a fit that ends there has them."""
    X, y = data(Estimator)
    params = dict(random_state=seed, learning_rate_init=0.1, tol=0.0, n_iter_no_change=100)
    fitted = stopping(Estimator, max_iter=12, **params).fit(X, y)
    best = int(np.argmax(fitted.validation_scores_))
    shorter = stopping(Estimator, max_iter=best + 1, **params).fit(X, y)
    assert_same_model(fitted, shorter)
    assert fitted.best_validation_score_ == shorter.validation_scores_[-1]


def test_the_score_is_that_of_the_held_out_samples(Estimator, monkeypatch):
    """Accuracy or R^2, weighted, of samples that training has not seen."""
    X, y = data(Estimator)
    weight = np.arange(1.0, 25.0)
    held_out = []

    def spy(*args, **kwargs):
        train, validation = split_off(*args, **kwargs)
        held_out.append(np.searchsorted(weight, validation.weight))
        assert set(train.weight).isdisjoint(validation.weight)
        return train, validation

    monkeypatch.setattr("sklearn_rnn._estimators.base.split_off", spy)
    fitted = stopping(Estimator, max_iter=1).fit(X, y, sample_weight=weight)
    (index,) = held_out
    metric = accuracy_score if Estimator in CLASSIFIERS else r2_score
    prediction = fitted.predict([X[i] for i in index])
    expected = metric(y[index], prediction, sample_weight=weight[index])
    np.testing.assert_allclose(fitted.best_validation_score_, expected)


def test_multilabel_targets():
    X, _ = data(LSTMClassifier)
    y = np.random.default_rng(0).integers(2, size=(24, 3))
    assert len(stopping(LSTMClassifier).fit(X, y).validation_scores_) == 3


def test_several_outputs():
    X, y = data(RNNRegressor)
    assert len(stopping(RNNRegressor).fit(X, np.c_[y, -y]).validation_scores_) == 3


def test_one_class():
    X, _ = data(GRUClassifier)
    fitted = stopping(GRUClassifier).fit(X, ["only"] * 24)
    assert fitted.validation_scores_ == [1.0] * 3


def test_two_fits_split_alike(Estimator):
    X, y = data(Estimator)
    assert_same_model(stopping(Estimator).fit(X, y), stopping(Estimator).fit(X, y))
