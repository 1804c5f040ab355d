"""Validation data of one's own, groups that stay together, and what scores them."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import is_classifier
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMRegressor, RNNClassifier, RNNRegressor
from sklearn_rnn._estimators import base
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import (
    assert_same_model,
    assert_unfitted,
    make_sequences,
    make_targets,
    object_array,
    packed,
    tiny,
    unchanged,
)

N = 24
X = make_sequences([3 + k % 5 for k in range(N)])
X_VAL = make_sequences([4] * 10, seed=5)


def data(estimator):
    """Give X, y, X_val and y_val."""
    return X, make_targets(estimator, N), X_VAL, make_targets(estimator, 10, seed=6)


def fit_with(estimator, **kwargs):
    X, y, X_val, y_val = data(estimator)
    return estimator.fit(X, y, **{"X_val": X_val, "y_val": y_val, **kwargs})


def spy_on_split(monkeypatch):
    """Keep (training data, held-out data, groups) of every split."""
    seen, split = [], base.split_off

    def spy(data, fraction, rng, *, strata, groups):
        parts = split(data, fraction, rng, strata=strata, groups=groups)
        seen.append((*parts, groups))
        return parts

    monkeypatch.setattr(base, "split_off", spy)
    return seen


# --- Instead of a part of X ----------------------------------------------------------------------


def test_all_of_X_is_trained_on(Estimator):
    """The losses are those of a fit without validation, epoch by epoch."""
    fitted = fit_with(tiny(Estimator, max_iter=10))
    X, y, _, _ = data(Estimator())
    plain = tiny(Estimator, max_iter=10).fit(X, y)
    assert fitted.loss_curve_ == plain.loss_curve_
    assert len(fitted.validation_scores_) == 10
    assert plain.validation_scores_ is None


def test_the_scores_are_those_of_the_validation_data(Estimator):
    X, y, X_val, y_val = data(Estimator())
    fitted = fit_with(tiny(Estimator, max_iter=8, learning_rate_init=0.1))
    for n_iter, score in enumerate(fitted.validation_scores_, start=1):
        plain = tiny(Estimator, max_iter=n_iter, learning_rate_init=0.1).fit(X, y)
        np.testing.assert_allclose(score, plain.score(X_val, y_val), rtol=1e-10)


def test_the_best_weights_are_kept(Estimator, seed):
    params = dict(random_state=seed, learning_rate_init=0.1, n_iter_no_change=100)
    fitted = fit_with(tiny(Estimator, max_iter=15, **params))
    X, y, X_val, y_val = data(fitted)
    best = int(np.argmax(fitted.validation_scores_))
    assert_same_model(fitted, tiny(Estimator, max_iter=best + 1, **params).fit(X, y))
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    np.testing.assert_allclose(fitted.score(X_val, y_val), fitted.best_validation_score_)


def test_training_stops_by_them(Estimator):
    fitted = fit_with(tiny(Estimator, max_iter=200, n_iter_no_change=4, tol=0.01))
    scores = fitted.validation_scores_
    assert 4 < fitted.n_iter_ < 200
    assert max(scores[-4:]) < max(scores[:-4]) + 0.01


def test_a_split_by_hand_is_the_split_inside(Estimator, monkeypatch):
    """Early stopping's own two parts, given by hand: the same model, to the last bit."""
    seen = spy_on_split(monkeypatch)
    params = dict(early_stopping=True, validation_fraction=0.25, max_iter=10, batch_size=5)
    X, y, _, _ = data(Estimator())
    inside = tiny(Estimator, **params).fit(X, y)
    ((train, held_out, _),) = seen
    places = {x.tobytes(): i for i, x in enumerate(X)}

    def rows(part):
        return [places[x.tobytes()] for x in np.split(part.values, part.offsets[1:-1])]

    here, there = rows(train), rows(held_out)
    assert sorted(here + there) == list(range(N))

    begin = Estimator._start

    def start_after_a_split(self, given, request):
        start = begin(self, given, request)
        start.rng.integers(2**31 - 1)
        return start

    monkeypatch.setattr(Estimator, "_start", start_after_a_split)
    X_val, y_val = [X[i] for i in there], y[there]
    by_hand = tiny(Estimator, **params).fit([X[i] for i in here], y[here], X_val=X_val, y_val=y_val)
    assert len(seen) == 1
    assert by_hand.validation_scores_ == inside.validation_scores_
    assert_same_model(by_hand, inside)


@pytest.mark.parametrize("early_stopping", ["auto", True, False])
def test_early_stopping_says_what_they_are_for(Estimator, early_stopping, monkeypatch):
    seen = spy_on_split(monkeypatch)
    params = dict(max_iter=12, learning_rate_init=0.1)
    fitted = fit_with(tiny(Estimator, early_stopping=early_stopping, **params))
    assert not seen
    if early_stopping is False:
        assert fitted.validation_scores_ is None
        X, y, _, _ = data(fitted)
        assert_same_model(fitted, tiny(Estimator, **params).fit(X, y))
    else:
        assert len(fitted.validation_scores_) == 12
    if not is_classifier(fitted):
        assert np.isfinite(fitted.predict_interval(X_VAL, 0.8)).all()


def test_weights_of_validation_samples(Estimator):
    weight = np.arange(10.0)
    X, y, X_val, y_val = data(Estimator())
    fitted = fit_with(tiny(Estimator), sample_weight_val=weight)
    expected = tiny(Estimator).fit(X, y).score(X_val, y_val, weight)
    np.testing.assert_allclose(fitted.validation_scores_[-1], expected)
    gone = tiny(Estimator).fit(X, y, X_val=X_val[1:], y_val=y_val[1:], sample_weight_val=weight[1:])
    assert gone.validation_scores_ == fitted.validation_scores_


def test_they_leave_no_trace(Estimator):
    """A pickle holds no validation data, and set_params shows none."""
    fitted = fit_with(tiny(Estimator))
    assert all("val" not in name for name in fitted.get_params() if "validation" not in name)
    assert not any(value is X_VAL for value in vars(fitted).values())


# --- In any container ----------------------------------------------------------------------------

CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "packed": packed,
    "object": object_array,
    "padded": lambda X: np.pad(np.array(X), ((0, 0), (0, 3), (0, 0)), constant_values=np.nan),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_containers_of_sequences(Estimator, container):
    expected = fit_with(tiny(Estimator))
    fitted = fit_with(tiny(Estimator), X_val=container(X_VAL))
    assert fitted.validation_scores_ == expected.validation_scores_


def test_frames_in_a_list():
    pd = pytest.importorskip("pandas")

    def frames(X):
        return [pd.DataFrame(x, columns=["load", "heat"]) for x in X]

    y, y_val = make_targets(GRURegressor(), N), make_targets(GRURegressor(), 10, seed=6)
    fitted = tiny(GRURegressor).fit(frames(X), y, X_val=frames(X_VAL), y_val=y_val)
    assert list(fitted.feature_names_in_) == ["load", "heat"]
    assert fitted.validation_scores_ == fit_with(tiny(GRURegressor)).validation_scores_


@pytest.mark.parametrize("library", [None, "pandas", "polars"])
@pytest.mark.parametrize("n_timesteps", [None, 3])
def test_rows(Estimator, n_timesteps, library):
    """Cut into steps as X is, with the same column names, and scored without a warning."""
    rng = np.random.default_rng(0)
    table, table_val = rng.normal(size=(N, 6)), rng.normal(size=(10, 6))
    y, y_val = make_targets(Estimator(), N), make_targets(Estimator(), 10)
    shape = (-1, n_timesteps or 6, 2 if n_timesteps else 1)
    expected = tiny(Estimator).fit(
        table.reshape(shape), y, X_val=table_val.reshape(shape), y_val=y_val
    )
    if library:
        make = pytest.importorskip(library).DataFrame
        table, table_val = (make({f"c{k}": a[:, k] for k in range(6)}) for a in (table, table_val))
    scorer = "accuracy" if is_classifier(expected) else "r2"
    fitted = tiny(Estimator, n_timesteps=n_timesteps, validation_scoring=scorer)
    fitted.fit(table, y, X_val=table_val, y_val=y_val)
    np.testing.assert_allclose(fitted.validation_scores_, expected.validation_scores_)


@pytest.mark.parametrize("kind", ["array", "list", "masked"])
def test_a_target_at_every_step(Estimator, kind):
    rng = np.random.default_rng(0)
    labels = is_classifier(Estimator())
    y = [rng.integers(3, size=len(x)) if labels else rng.normal(size=len(x)) for x in X]
    y_val = rng.integers(3, size=(10, 4)) if labels else rng.normal(size=(10, 4))
    if kind == "list":
        y_val = list(y_val)
    elif kind == "masked":
        y_val = np.ma.array(y_val, mask=rng.random((10, 4)) < 0.3)
    params = dict(return_sequences=True)
    fitted = tiny(Estimator, **params).fit(X, y, X_val=X_VAL, y_val=y_val)
    plain = tiny(Estimator, **params).fit(X, y)
    np.testing.assert_allclose(fitted.validation_scores_[-1], plain.score(X_VAL, y_val))


def test_single_precision_stays_what_it_is():
    single = make_sequences([3 + k % 5 for k in range(N)], dtype=np.float32)
    y, y_val = make_targets(GRURegressor(), N), make_targets(GRURegressor(), 10, seed=6)
    fitted = tiny(GRURegressor).fit(single, y, X_val=X_VAL, y_val=y_val)
    assert fitted.predict(X_VAL).dtype == np.float32
    np.testing.assert_allclose(fitted.validation_scores_[-1], fitted.score(X_VAL, y_val), rtol=1e-5)


# --- Bad validation data -------------------------------------------------------------------------

NOTE = "This is about the validation data"
BAD = {
    "width": (dict(X_val=make_sequences([4] * 10, n_features=3)), "X has 3 features"),
    "rows": (dict(X_val=np.zeros((10, 2))), "was fitted on sequences"),
    "length": (dict(X_val=X_VAL[:9]), r"inconsistent numbers of samples: \[9, 10\]"),
    "nan": (dict(X_val=[np.full((2, 2), np.nan)] * 10), "NaN"),
    "empty": (dict(X_val=[], y_val=[]), "0 s"),
    "scalar": (dict(y_val=3), "the scalar 3"),
    "weights": (dict(sample_weight_val=np.ones(9)), r"expected \(10,\)"),
    "no-weight": (dict(sample_weight_val=np.zeros(10)), "non-zero"),
    "negative": (dict(sample_weight_val=-np.ones(10)), "Negative"),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_with_validation_data_is_told(Estimator, change, message):
    estimator = tiny(Estimator)
    with pytest.raises(ValueError, match=message) as caught:
        fit_with(estimator, **change)
    assert any(NOTE in note for note in caught.value.__notes__)
    assert_unfitted(estimator)


@pytest.mark.parametrize(
    ("missing", "kept"), [("X_val", "y_val"), ("y_val", "X_val"), ("X_val", "sample_weight_val")]
)
def test_half_of_the_validation_data(Estimator, missing, kept):
    X, y, X_val, y_val = data(Estimator())
    given = dict(X_val=X_val, y_val=y_val, sample_weight_val=np.ones(10))
    estimator = tiny(Estimator)
    with pytest.raises(ValueError, match=f"{missing} is missing"):
        estimator.fit(X, y, **{kept: given[kept]})
    assert_unfitted(estimator)


def test_unknown_labels(Classifier):
    estimator = tiny(Classifier)
    with pytest.raises(ValueError, match=r"labels \['fir'\], which are not in") as caught:
        fit_with(estimator, y_val=["fir", *["ash"] * 9])
    assert any(NOTE in note for note in caught.value.__notes__)
    assert_unfitted(estimator)


def test_other_outputs(Regressor):
    estimator = tiny(Regressor)
    with pytest.raises(ValueError, match="output"):
        fit_with(estimator, y_val=np.ones((10, 2)))
    assert_unfitted(estimator)


def test_a_kind_that_holds_no_sequences(Estimator):
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="parse") as caught:
        fit_with(tiny(Estimator), X_val=sparse.csr_array((10, 3)))
    assert any(NOTE in note for note in caught.value.__notes__)


# --- Groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [np.arange(6), list("abcdef")], ids=["numbers", "text"])
def test_no_group_is_on_both_sides(Estimator, labels, monkeypatch, seed):
    """Seen by the values of the sequences, which carry their group's number."""
    seen = spy_on_split(monkeypatch)
    number = np.arange(N) % 6
    marked = [np.column_stack([x, np.full(len(x), g)]) for x, g in zip(X, number, strict=True)]
    params = dict(early_stopping=True, validation_fraction=0.3, random_state=seed)
    y = make_targets(Estimator(), N)
    tiny(Estimator, **params).fit(marked, y, groups=np.asarray(labels)[number])
    train, held_out, _ = seen[0]
    here, there = set(train.values[:, -1]), set(held_out.values[:, -1])
    assert not here & there
    assert here | there == set(range(6))
    assert len(there) == 2


@pytest.mark.parametrize(
    ("n_groups", "fraction", "expected"), [(2, 0.1, 1), (2, 0.9, 1), (5, 0.4, 2)]
)
def test_a_share_of_the_groups_but_one_at_least(n_groups, fraction, expected, monkeypatch):
    seen = spy_on_split(monkeypatch)
    groups = np.arange(N) % n_groups
    params = dict(early_stopping=True, validation_fraction=fraction)
    tiny(RNNRegressor, **params).fit(X, groups.astype(float), groups=groups)
    train, held_out, _ = seen[0]
    assert len(np.unique(held_out.y)) == expected
    assert len(np.unique(train.y)) == n_groups - expected


def test_groups_without_early_stopping_have_no_say(Estimator):
    X, y, _, _ = data(Estimator())
    plain = tiny(Estimator).fit(X, y)
    assert_same_model(tiny(Estimator).fit(X, y, groups=np.arange(N) % 3), plain)
    fitted = fit_with(tiny(Estimator), groups=np.arange(N) % 3)
    assert fitted.validation_scores_ == fit_with(tiny(Estimator)).validation_scores_


def test_samples_without_weight_leave_their_group(Estimator, monkeypatch):
    seen = spy_on_split(monkeypatch)
    X, y, _, _ = data(Estimator())
    groups = np.arange(N) % 4
    weight = (groups != 2).astype(float)
    params = dict(early_stopping=True, validation_fraction=0.3)
    zero = tiny(Estimator, **params).fit(X, y, weight, groups=groups)
    np.testing.assert_array_equal(seen[0][2], groups[groups != 2])
    keep = np.flatnonzero(weight)
    gone = tiny(Estimator, **params).fit([X[i] for i in keep], y[keep], groups=groups[keep])
    assert_same_model(zero, gone)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.zeros(N), "groups holds one group only"),
        (np.arange(N - 1), r"groups has shape \(23,\), but X has 24 sequences"),
        (np.zeros((N, 2)), r"groups has shape \(24, 2\).*expected \(24,\)"),
    ],
)
def test_groups_that_will_not_do(Estimator, groups, message):
    X, y, _, _ = data(Estimator())
    estimator = tiny(Estimator, early_stopping=True, validation_fraction=0.3)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y, groups=groups)
    assert_unfitted(estimator)


def test_one_group_is_left_after_weights():
    weight = np.where(np.arange(N) < 12, 1.0, 0.0)
    with pytest.raises(ValueError, match="one group only"):
        tiny(RNNRegressor, early_stopping=True, validation_fraction=0.3).fit(
            X, np.arange(N), weight, groups=np.arange(N) // 12
        )


# --- Routed by scikit-learn ----------------------------------------------------------------------


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def scaled(estimator, **params):
    return make_pipeline(TimestepTransformer(StandardScaler()), estimator, **params)


@pytest.mark.usefixtures("routing")
def test_a_pipeline_transforms_them(Estimator):
    """Scaled by the mean and deviation of X."""
    X, y, X_val, y_val = data(Estimator())
    member = tiny(Estimator).set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
    pipeline = scaled(member, transform_input=["X_val"])
    weight = np.arange(1.0, 11.0)
    pipeline.fit(X, y, X_val=[7 + 5 * x for x in X_val], y_val=y_val, sample_weight_val=weight)
    scaler = TimestepTransformer(StandardScaler()).fit(X)
    by_hand = tiny(Estimator).fit(
        scaler.transform(X),
        y,
        X_val=scaler.transform([7 + 5 * x for x in X_val]),
        y_val=y_val,
        sample_weight_val=weight,
    )
    assert pipeline[-1].validation_scores_ == by_hand.validation_scores_
    assert_same_model(pipeline[-1], by_hand)


@pytest.mark.usefixtures("routing")
def test_groups_through_a_search_and_a_pipeline(monkeypatch):
    """Both the folds and early stopping keep groups whole: GroupKFold asks for them by itself."""
    seen = spy_on_split(monkeypatch)
    params = dict(early_stopping=True, validation_fraction=0.3, max_iter=2)
    member = tiny(RNNClassifier, **params).set_fit_request(groups=True)
    groups = np.arange(N) // 3
    search = GridSearchCV(
        scaled(member), {"rnnclassifier__hidden_size": [2, 3]}, cv=GroupKFold(4), refit=True
    )
    search.fit(X, make_targets(member, N), groups=groups)
    assert len(seen) == 2 * 4 + 1
    assert [len(np.unique(kept)) for _, _, kept in seen] == [6] * 8 + [8]
    assert all(held_out.n_samples == 6 for _, held_out, _ in seen)  # two whole groups of three


@pytest.mark.usefixtures("routing")
def test_validation_data_through_a_search():
    """One validation set for all folds; as long as X, it would be split like a weight."""
    member = tiny(RNNRegressor).set_fit_request(X_val=True, y_val=True)
    search = GridSearchCV(member, {"hidden_size": [2, 3]}, cv=3)
    X, y, X_val, y_val = data(member)
    search.fit(X, y, X_val=X_val, y_val=y_val)
    assert len(search.best_estimator_.validation_scores_) == 3
    again = tiny(RNNRegressor, **search.best_params_).fit(X, y, X_val=X_val, y_val=y_val)
    assert_same_model(search.best_estimator_, again)


@pytest.mark.usefixtures("routing")
def test_what_nobody_asked_for_is_refused():
    X, y, X_val, y_val = data(GRURegressor())
    with pytest.raises(ValueError, match=r"X_val.* are passed but are not explicitly"):
        scaled(tiny(GRURegressor)).fit(X, y, X_val=X_val, y_val=y_val)


def test_without_routing_groups_go_by_the_step_s_name(monkeypatch):
    seen = spy_on_split(monkeypatch)
    member = tiny(GRURegressor, early_stopping=True, validation_fraction=0.3)
    X, y, _, _ = data(member)
    scores = cross_validate(
        scaled(member), X, y, cv=3, params={"gruregressor__groups": np.arange(N) % 5}
    )
    assert np.isfinite(scores["test_score"]).all()
    assert [len(groups) for _, _, groups in seen] == [16] * 3


# --- validation_scoring --------------------------------------------------------------------------


def test_None_is_what_score_computes(Estimator):
    default, same = (fit_with(tiny(Estimator, **p)) for p in ({}, dict(validation_scoring=None)))
    assert default.validation_scores_ == same.validation_scores_


def test_loss_of_a_classifier_is_minus_the_log_loss(Classifier):
    weight = np.arange(1.0, 11.0)
    fitted = fit_with(tiny(Classifier, validation_scoring="loss"), sample_weight_val=weight)
    _, _, X_val, y_val = data(fitted)
    expected = -log_loss(y_val, fitted.predict_proba(X_val), sample_weight=weight)
    np.testing.assert_allclose(fitted.best_validation_score_, expected)


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "poisson", "quantile"]
)
def test_loss_of_a_regressor_is_that_of_training(Regressor, loss):
    """On its own training data, one batch, minus the loss of the next epoch, which begins there."""
    y = np.abs(make_targets(Regressor(), N))
    params = dict(loss=loss, max_iter=6, batch_size=N)
    fitted = tiny(Regressor, validation_scoring="loss", **params).fit(X, y, X_val=X, y_val=y)
    np.testing.assert_allclose(
        np.negative(fitted.validation_scores_[:-1]), fitted.loss_curve_[1:], rtol=1e-9
    )


def test_loss_counts_classes_by_their_weights():
    y = np.where(np.arange(N) < 18, "common", "rare")
    params = dict(validation_scoring="loss", class_weight="balanced", batch_size=N, max_iter=6)
    fitted = tiny(GRUClassifier, **params).fit(X, y, X_val=X, y_val=y)
    np.testing.assert_allclose(
        np.negative(fitted.validation_scores_[:-1]), fitted.loss_curve_[1:], rtol=1e-9
    )


SCORERS = {
    "labels": (RNNClassifier, "balanced_accuracy"),
    "probabilities": (RNNClassifier, "neg_log_loss"),
    "several-classes": (GRUClassifier, "roc_auc_ovr"),
    "average": (GRUClassifier, "f1_macro"),
    "error": (RNNRegressor, "neg_mean_squared_error"),
    "variance": (LSTMRegressor, "explained_variance"),
}


@pytest.mark.parametrize(("Estimator", "name"), SCORERS.values(), ids=SCORERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_names_of_scorers(Estimator, name, weighted):
    estimator = tiny(Estimator, validation_scoring=name, max_iter=5, learning_rate_init=0.1)
    _, _, X_val, y_val = data(estimator)
    y_val[:3] = data(estimator)[1][:3]  # all classes are there
    weight = np.arange(1.0, 11.0) if weighted else None
    fitted = fit_with(estimator, y_val=y_val, sample_weight_val=weight)
    expected = get_scorer(name)(fitted, X_val, y_val, sample_weight=weight)
    np.testing.assert_allclose(fitted.best_validation_score_, expected)
    assert len(fitted.validation_scores_) == fitted.n_iter_ == 5


@pytest.mark.parametrize("kind", ["binary", "multilabel", "outputs"])
def test_scorers_see_targets_as_they_were_given(kind):
    rng = np.random.default_rng(0)
    y = {
        "binary": np.array(["no", "yes"])[np.arange(N) % 2],
        "multilabel": rng.integers(2, size=(N, 3)),
        "outputs": rng.normal(size=(N, 2)),
    }[kind]
    seen = []

    def scoring(estimator, X, y):
        seen.append(y)
        assert estimator.predict(X).shape == y.shape
        return 0.5

    Estimator = GRURegressor if kind == "outputs" else GRUClassifier
    fitted = tiny(Estimator, validation_scoring=scoring).fit(X, y, X_val=X, y_val=y)
    assert fitted.validation_scores_ == [0.5] * 3
    for given in seen:
        np.testing.assert_array_equal(given, y)


def test_a_callable_gets_weights_where_they_differ(Estimator):
    seen = []

    def scoring(estimator, X, y, sample_weight=None):
        seen.append(sample_weight)
        return 1.0

    estimator = tiny(Estimator, validation_scoring=scoring, max_iter=1)
    fit_with(estimator)
    fit_with(estimator, sample_weight_val=np.full(10, 3.0))
    fit_with(estimator, sample_weight_val=np.arange(10.0))
    assert seen[:2] == [None, None]
    np.testing.assert_array_equal(seen[2], np.arange(1.0, 10.0))


def test_larger_is_better(Estimator):
    """The weights of the epoch with the largest score are kept, whatever the score says."""
    marks = iter([0.1, 0.7, 0.3, 0.7, 0.2])
    params = dict(max_iter=5, learning_rate_init=0.1)
    scoring = lambda estimator, X, y: next(marks)  # noqa: E731
    fitted = fit_with(tiny(Estimator, validation_scoring=scoring, **params))
    assert fitted.validation_scores_ == [0.1, 0.7, 0.3, 0.7, 0.2]
    assert fitted.best_validation_score_ == 0.7
    X, y, _, _ = data(fitted)
    assert_same_model(fitted, tiny(Estimator, **{**params, "max_iter": 2}).fit(X, y))


def test_a_callable_at_every_step(Estimator):
    """It sees y with what is not scored masked, and predictions likewise, sequence by sequence."""
    rng = np.random.default_rng(0)
    labels = is_classifier(Estimator())
    y = [rng.integers(3, size=len(x)) if labels else rng.normal(size=len(x)) for x in X]
    y_val = np.ma.array(
        rng.integers(3, size=(10, 4)) if labels else rng.normal(size=(10, 4)),
        mask=rng.random((10, 4)) < 0.3,
    )
    seen = []

    def scoring(estimator, X, y):
        seen.append(y)
        errors = [np.ma.mean(p != t) for p, t in zip(estimator.predict(X), y, strict=True)]
        return -float(np.mean(errors))

    estimator = tiny(Estimator, return_sequences=True, validation_scoring=scoring)
    estimator.fit(X, y, X_val=X_VAL, y_val=y_val)
    for given, expected in zip(seen[0], y_val, strict=True):
        np.testing.assert_array_equal(np.ma.getmaskarray(given), np.ma.getmaskarray(expected))
        np.testing.assert_array_equal(given.compressed(), expected.compressed())


def test_a_scorer_of_samples_cannot_score_steps(Estimator):
    name = "accuracy" if is_classifier(Estimator()) else "r2"
    estimator = tiny(Estimator, return_sequences=True, validation_scoring=name)
    y = [np.zeros(len(x)) for x in X]
    with pytest.raises(ValueError, match=f"validation_scoring='{name}' scores one answer"):
        estimator.fit(X, y, X_val=X_VAL, y_val=np.zeros((10, 4)))
    assert_unfitted(estimator)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_an_error(Estimator, value):
    """And not taken for a training that diverged."""
    estimator = tiny(Estimator, validation_scoring=lambda estimator, X, y: value)
    with pytest.raises(ValueError, match=r"gave (nan|inf|-inf) on the 10 validation samples"):
        fit_with(estimator)
    assert_unfitted(estimator)


def failing_scoring(estimator, X, y):
    raise ZeroDivisionError("by whom?")


def test_an_error_in_a_callable_goes_through(Estimator):
    fitted = fit_with(tiny(Estimator)).set_params(validation_scoring=failing_scoring)
    with unchanged(fitted), pytest.raises(ZeroDivisionError, match="by whom"):
        fit_with(fitted)


@pytest.mark.parametrize("scoring", ["exactness", 3, ["r2"], True])
def test_wrong_scorings(Estimator, scoring):
    with pytest.raises(ValueError, match="'validation_scoring' parameter"):
        fit_with(tiny(Estimator, validation_scoring=scoring))


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("weighted", [False, True])
def test_scorers_under_routing(weighted):
    weight = np.arange(1.0, 11.0) if weighted else None
    estimator = tiny(RNNRegressor, validation_scoring="r2")
    fitted = fit_with(estimator, sample_weight_val=weight)
    expected = fit_with(tiny(RNNRegressor), sample_weight_val=weight)
    np.testing.assert_allclose(fitted.validation_scores_, expected.validation_scores_)


# --- Real data -----------------------------------------------------------------------------------


def test_groups_keep_engines_from_leaking(shared_data):
    """C-MAPSS: among overlapping windows of the same engines, a random split flatters."""
    data = shared_data("cmapss_fd001.npz")
    used = np.flatnonzero(data["X_train"].std(axis=0) > 1e-4 * np.abs(data["X_train"].mean(axis=0)))
    values = StandardScaler().fit_transform(data["X_train"][:, used]).astype(np.float32)
    engines = np.split(values, np.cumsum(data["len_train"])[:-1])[:30]
    windows, lives, groups = [], [], []
    for k, engine in enumerate(engines):
        for end in range(30, len(engine), 5):
            windows.append(engine[end - 30 : end])
            lives.append(min(125, len(engine) - end))
            groups.append(k)
    X, y = np.array(windows), np.array(lives, float)
    params = dict(hidden_size=16, max_iter=12, early_stopping=True, validation_fraction=0.3)
    leaky = GRURegressor(random_state=0, **params).fit(X, y)
    honest = GRURegressor(random_state=0, **params).fit(X, y, groups=groups)
    assert honest.best_validation_score_ < leaky.best_validation_score_ - 0.03
