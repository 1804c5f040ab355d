"""warm_start and partial_fit: training stops and goes on as if it had never stopped."""

import copy
import pickle

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, LSTMClassifier, LSTMRegressor, RNNClassifier, RNNRegressor
from tests.helpers import (
    CLASSIFIERS,
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    fit_tiny,
    make_sequences,
    make_targets,
    pickled,
    same_model,
    tiny,
    unchanged,
)

X = make_sequences()
MINIBATCHES = dict(batch_size=5)


def partial_fit(estimator, X=X, y=None, **kwargs):
    y = make_targets(estimator, len(X)) if y is None else y
    if type(estimator) in CLASSIFIERS and not hasattr(estimator, "classes_"):
        kwargs.setdefault("classes", ["ash", "elm", "oak"])
    return estimator.partial_fit(X, y, **kwargs)


# --- warm_start ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        dict(),
        MINIBATCHES,
        dict(solver="sgd", **MINIBATCHES),
        dict(bidirectional=True, num_layers=2, **MINIBATCHES),
    ],
    ids=["full-batch", "minibatches", "sgd", "deep"],
)
def test_many_warm_fits_of_one_epoch_are_one_fit_of_many(Estimator, params):
    whole = fit_tiny(Estimator, max_iter=6, **params)
    warm = tiny(Estimator, max_iter=1, warm_start=True, **params)
    losses = []
    for _ in range(6):
        warm.fit(X, make_targets(warm))
        losses += warm.loss_curve_
        assert warm.n_iter_ == 1
    assert_same_model(warm, whole)
    assert losses == whole.loss_curve_
    assert warm.t_ == whole.t_


def test_a_fit_without_warm_start_begins_anew(Estimator):
    warm = fit_tiny(Estimator, warm_start=True).fit(X, make_targets(Estimator()))
    warm.set_params(warm_start=False).fit(X, make_targets(warm))
    assert_same_model(warm, fit_tiny(Estimator))


def test_warm_start_may_change_what_is_not_of_the_network(Estimator):
    warm = fit_tiny(Estimator, warm_start=True)
    before = warm.loss_
    warm.set_params(solver="sgd", learning_rate_init=0.1, batch_size=4, max_iter=20)
    assert warm.fit(X, make_targets(warm)).loss_ < before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(hidden_size=5), "hidden_size=4 and cannot go on with hidden_size=5"),
        (dict(num_layers=2), "num_layers=1"),
        (dict(bidirectional=True), "bidirectional=False"),
        (dict(pooling="mean"), "pooling='last'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_row_87_warm_start_with_another_network(Estimator, change, message):
    warm = fit_tiny(Estimator, warm_start=True)
    with unchanged(warm.set_params(**change)), pytest.raises(ValueError, match=message):
        warm.fit(X, make_targets(warm))


@pytest.mark.parametrize(
    ("Estimator", "change", "message"),
    [
        (LSTMClassifier, dict(forget_bias=0.0), "forget_bias=1.0"),
        (RNNRegressor, dict(nonlinearity="relu"), "nonlinearity='tanh'"),
    ],
    ids=["forget_bias", "nonlinearity"],
)
def test_row_87_warm_start_with_another_cell(Estimator, change, message):
    warm = fit_tiny(Estimator, warm_start=True)
    with unchanged(warm.set_params(**change)), pytest.raises(ValueError, match=message):
        warm.fit(X, make_targets(warm))


def test_row_87_warm_start_with_other_features(Estimator):
    warm = fit_tiny(Estimator, warm_start=True)
    message = "X has 3 features, but .* is expecting 2"
    with unchanged(warm), pytest.raises(ValueError, match=message):
        warm.fit(make_sequences(n_features=3), make_targets(warm))


def test_row_87_warm_start_with_other_classes(Classifier):
    warm = fit_tiny(Classifier, warm_start=True)
    y = np.where(make_targets(warm) == "elm", "fir", "oak")
    with unchanged(warm), pytest.raises(ValueError, match=r"labels \['fir'\], which are not in"):
        warm.fit(X, y)


def test_row_87_warm_start_with_other_outputs(Regressor):
    warm = fit_tiny(Regressor, warm_start=True)
    with (
        unchanged(warm),
        pytest.raises(ValueError, match="n_outputs=1 and cannot go on with n_outputs=2"),
    ):
        warm.fit(X, np.ones((12, 2)))


@pytest.mark.parametrize("send", [pickled, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_warm_start_goes_on_after_a_copy(Estimator, send):
    y = make_targets(Estimator())
    first = fit_tiny(Estimator, warm_start=True, **MINIBATCHES)
    copied = send(first)
    assert_same_model(copied.fit(X, y), first.fit(X, y))


# --- partial_fit ---------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [dict(), MINIBATCHES], ids=["full-batch", "minibatches"])
def test_many_partial_fits_are_one_fit_of_as_many_epochs(Estimator, params):
    parts = tiny(Estimator, **params)
    for k in range(1, 5):
        partial_fit(parts)
        assert parts.n_iter_ == k
    assert_same_model(parts, fit_tiny(Estimator, max_iter=4, **params))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_goes_on_bit_for_bit_after_pickle(Estimator, solver):
    stays, travels = (tiny(Estimator, solver=solver, batch_size=5) for _ in range(2))
    for k in range(4):
        some = slice(3 * (k % 2), None)
        y = make_targets(stays)[some]
        partial_fit(stays, X[some], y)
        travels = pickled(partial_fit(travels, X[some], y))
        assert_same_answers(travels, stays, X)


def test_a_copy_learns_on_its_own(Estimator):
    original = partial_fit(tiny(Estimator))
    copied = copy.deepcopy(original)
    with unchanged(original):
        partial_fit(copied)
    with unchanged(copied):
        partial_fit(original)
    assert_same_model(copied, original)


def test_partial_fit_after_fit_goes_on(Estimator):
    fitted = fit_tiny(Estimator, max_iter=3, learning_rate_init=0.005)
    before = fitted.weights_
    partial_fit(fitted)
    assert fitted.n_iter_ == 4
    assert not np.array_equal(fitted.weights_["weight_out"], before["weight_out"])
    largest = max(
        np.abs(fitted.weights_[name] - before[name]).max()
        for name in before
        if not name.endswith("_out")
    )
    assert largest < 2 * fitted.learning_rate_init


def test_fit_after_partial_fit_begins_anew(Estimator):
    fitted = partial_fit(tiny(Estimator)).fit(X, make_targets(Estimator()))
    assert_same_model(fitted, fit_tiny(Estimator))
    assert vars(fitted).keys() == vars(fit_tiny(Estimator)).keys()


def test_a_pickle_does_not_grow(Estimator):
    estimator = partial_fit(tiny(Estimator, hidden_size=2), X[:3])
    sizes = []
    for _ in range(50):
        partial_fit(estimator, X[:3])
        sizes.append(len(pickle.dumps(estimator)))
    # A history would take nine bytes a call; a random number's state may be a byte shorter.
    assert max(sizes) - min(sizes) < 20


def test_partial_fit_takes_weights(Estimator):
    kwargs = {} if Estimator not in CLASSIFIERS else {"classes": ["ash", "elm", "oak"]}
    weighted = partial_fit(tiny(Estimator), sample_weight=np.repeat([2, 0], 6), **kwargs)
    twice = partial_fit(tiny(Estimator), X[:6] * 2, np.tile(make_targets(weighted)[:6], 2))
    assert_same_model(weighted, twice)


def test_partial_fit_learns_a_little_more_each_time(Estimator):
    estimator = partial_fit(tiny(Estimator, learning_rate_init=0.02))
    before = estimator.loss_
    for _ in range(30):
        partial_fit(estimator)
    assert estimator.loss_ < before


def test_a_batch_need_not_show_all_classes(Classifier):
    y = make_targets(Classifier())
    estimator = partial_fit(tiny(Classifier), X[:2], y[:2])
    np.testing.assert_array_equal(estimator.classes_, ["ash", "elm", "oak"])
    partial_fit(estimator, X[2:], y[2:], classes=["oak", "ash", "elm"])
    assert estimator.predict_proba(X).shape == (12, 3)


def test_classes_may_come_in_any_order_and_are_not_kept(Classifier):
    classes = np.array(["oak", "ash", "elm"])
    estimator = partial_fit(tiny(Classifier), classes=classes)
    with unchanged(estimator):
        classes[...] = "x"
    assert_same_model(estimator, partial_fit(tiny(Classifier)))


def test_row_86_no_classes_first(Classifier):
    estimator = tiny(Classifier)
    with unchanged(estimator), pytest.raises(ValueError, match="classes must be passed on the"):
        estimator.partial_fit(X, make_targets(estimator))
    assert_unfitted(estimator)


def test_row_86_other_classes_later(Classifier):
    estimator = partial_fit(tiny(Classifier))
    with unchanged(estimator), pytest.raises(ValueError, match="not the same as in the first call"):
        partial_fit(estimator, classes=["ash", "elm"])


def test_row_86_a_new_class(Classifier):
    estimator = partial_fit(tiny(Classifier))
    message = r"labels \['fir'\], which are not in \['ash', 'elm', 'oak'\]"
    with unchanged(estimator), pytest.raises(ValueError, match=message):
        partial_fit(estimator, X, np.array(["ash", "fir"] * 6))
    first = tiny(Classifier)
    with pytest.raises(ValueError, match=message):
        partial_fit(first, X, np.array(["ash", "fir"] * 6))
    assert_unfitted(first)


def test_row_86_other_features(Estimator):
    estimator = partial_fit(tiny(Estimator))
    with unchanged(estimator), pytest.raises(ValueError, match="X has 3 features"):
        partial_fit(estimator, make_sequences(n_features=3))


def test_row_86_multilabel_after_single_label():
    estimator = partial_fit(tiny(GRUClassifier))
    with unchanged(estimator), pytest.raises(ValueError, match="y is a multilabel target"):
        partial_fit(estimator, X, np.tri(3, dtype=int)[np.arange(12) % 3])
    multilabel = tiny(GRUClassifier).partial_fit(X, np.tri(3, dtype=int)[[0, 1, 2] * 4], [0, 1, 2])
    with unchanged(multilabel), pytest.raises(ValueError, match="y is a single-label target"):
        multilabel.partial_fit(X, [0, 1, 2] * 4)


def test_partial_fit_ignores_early_stopping(Estimator):
    stopping = partial_fit(tiny(Estimator, early_stopping=True))
    assert_same_model(stopping, partial_fit(tiny(Estimator)))
    assert stopping.validation_scores_ is None


def test_partial_fit_keeps_the_unit_of_the_first_call():
    y = make_targets(LSTMRegressor())
    estimator = partial_fit(tiny(LSTMRegressor))
    weights = estimator.weights_
    estimator.set_params(learning_rate_init=1e-300).partial_fit(X, 1000 * y)
    for name, weight in estimator.weights_.items():
        np.testing.assert_allclose(weight, weights[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32")])
def test_training_goes_on_in_the_dtype_it_began_in(dtypes):
    first, second = (make_sequences(dtype=dtype) for dtype in dtypes)
    estimator = partial_fit(partial_fit(tiny(RNNClassifier), first), second)
    assert estimator.weights_["weight_out"].dtype == dtypes[0]
    assert estimator.predict_proba(second).dtype == dtypes[0]
    assert not same_model(estimator, partial_fit(tiny(RNNClassifier), first))
