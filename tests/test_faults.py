"""When things go wrong: a fit is all or nothing, and nothing outside of it is touched."""

import copy
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import (
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_rnn._core.network import Network
from tests.helpers import (
    BATCHES,
    answers,
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    at_batch,
    fingerprint,
    fit_tiny,
    make_sequences,
    make_targets,
    raising,
    scores_of,
    tiny,
    trained,
    unchanged,
)

X = make_sequences()

# --- A fit that fails ----------------------------------------------------------------------------


def test_a_refit_that_fails_leaves_the_old_model(Estimator):
    fitted = fit_tiny(Estimator)
    before = answers(fitted, X)
    broken = [np.full((3, 2), np.nan), *X[1:]]
    for method in (fitted.fit, fitted.partial_fit):
        with unchanged(fitted), pytest.raises(ValueError, match="contains NaN"):
            method(broken, make_targets(fitted))
    for name, answer in answers(fitted, X).items():
        np.testing.assert_array_equal(answer, before[name])


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_fault_17_out_of_memory(Estimator, k, monkeypatch):
    """In any batch: the error is passed on, and the estimator is as it was."""
    fitted, unfitted = fit_tiny(Estimator, batch_size=5), tiny(Estimator, batch_size=5)
    for estimator in (fitted, unfitted):
        with (
            at_batch(monkeypatch, k, raising(MemoryError("injected"))),
            unchanged(estimator),
            pytest.raises(MemoryError, match="injected"),
        ):
            estimator.fit(X, make_targets(estimator))
    assert_unfitted(unfitted)
    assert_same_model(unfitted.fit(X, make_targets(unfitted)), fitted)


def test_fault_18_out_of_memory_in_predict(Estimator, monkeypatch):
    fitted = fit_tiny(Estimator)
    before = fitted.predict(X)
    with monkeypatch.context() as patch, unchanged(fitted):
        patch.setattr(Network, "raw_prediction", lambda *args: raising(MemoryError())(0))
        with pytest.raises(MemoryError):
            fitted.predict(X)
    np.testing.assert_array_equal(fitted.predict(X), before)


def test_fault_26_no_answer_depends_on_the_one_before(Estimator):
    """Large and long, then small and short, in one estimator and in fresh ones."""
    fitted = fit_tiny(Estimator, bidirectional=True, num_layers=2)
    batches = [make_sequences(lengths, seed=9) for lengths in ([40] * 30, [1], [2, 9, 3], [5] * 2)]
    fresh = [scores_of(fit_tiny(Estimator, bidirectional=True, num_layers=2), b) for b in batches]
    for batch, expected in zip(batches, fresh, strict=True):
        np.testing.assert_array_equal(scores_of(fitted, batch), expected)


# --- Loss and gradient that are not finite -------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf], ids=["nan", "inf"])
def test_fault_1_a_loss_that_is_not_finite_before_an_epoch_is_whole(Estimator, value, monkeypatch):
    fitted, unfitted = fit_tiny(Estimator, batch_size=5), tiny(Estimator, batch_size=5)
    for estimator in (fitted, unfitted):
        estimator.set_params(learning_rate_init=0.0123)
        with (
            at_batch(monkeypatch, 2, lambda loss: value),
            unchanged(estimator),
            pytest.raises(ValueError, match="diverged in epoch 1, update 2") as caught,
        ):
            estimator.fit(X, make_targets(estimator))
        assert "the loss is not finite" in str(caught.value)
        assert "learning_rate_init=0.0123" in str(caught.value)
        assert "lower learning_rate_init" in str(caught.value)
    assert_unfitted(unfitted)


def test_fault_1_a_loss_that_is_not_finite_later(Estimator, monkeypatch):
    """The model is that of the last whole epoch, bit for bit, and a warning says so."""
    estimator = tiny(Estimator, batch_size=5, max_iter=6)
    with (
        at_batch(monkeypatch, 3 * BATCHES + 2, lambda loss: np.nan),
        pytest.warns(ConvergenceWarning, match="diverged in epoch 4: .* end of epoch 3"),
    ):
        estimator.fit(X, make_targets(estimator))
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 3
    expected = trained(Estimator, 3)
    assert_same_model(estimator, expected)
    assert estimator.t_ == expected.t_
    assert estimator.loss_curve_ == expected.loss_curve_
    assert estimator.loss_ == expected.loss_


def test_fault_1_a_gradient_that_is_not_finite(Estimator, monkeypatch):
    original = Network.loss_gradient

    def loss_gradient(self, *args):
        loss = original(self, *args)
        args[4].vector[0] = np.inf  # the gradient, an output
        return loss

    monkeypatch.setattr(Network, "loss_gradient", loss_gradient)
    with pytest.raises(ValueError, match="diverged in epoch 1, update 1: the gradient is not fin"):
        fit_tiny(Estimator)


DIVERGING = dict(solver="sgd", max_grad_norm=None, max_iter=20)


@pytest.mark.parametrize("early_stopping", [False, True], ids=["plain", "early-stopping"])
@pytest.mark.parametrize(
    ("Estimator", "params"),
    [
        (RNNRegressor, dict(nonlinearity="relu", learning_rate_init=1e2)),
        (RNNRegressor, dict(nonlinearity="relu", learning_rate_init=1e300)),
        (RNNClassifier, dict(nonlinearity="relu", learning_rate_init=1e6)),
        (LSTMRegressor, dict(learning_rate_init=1e300)),
        (GRURegressor, dict(learning_rate_init=1e300)),
        (RNNRegressor, dict(learning_rate_init=1e300)),
    ],
    ids=lambda value: (
        value.__name__ if isinstance(value, type) else "-".join(map(str, value.values()))
    ),
)
def test_fault_1_for_real(Estimator, params, early_stopping):
    """A learning rate that is far too high: an error, or a model that gives finite answers."""
    long = make_sequences([30] * 24)
    estimator = tiny(Estimator, early_stopping=early_stopping, **DIVERGING, **params)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        try:
            estimator.fit(long, make_targets(estimator, 24))
        except ValueError as error:
            said = [str(error)]
            assert_unfitted(estimator)
        else:
            said = [str(warning.message) for warning in caught]
            assert_finite(estimator, long)
    assert said or early_stopping  # which may stop in time
    assert all("diverged in epoch" in message for message in said)


def assert_finite(estimator, X):
    assert all(np.isfinite(array).all() for array in estimator.weights_.values())
    assert np.isfinite(estimator.loss_curve_).all()
    for name, answer in answers(estimator, X).items():
        assert answer.dtype.kind in "UO" or np.isfinite(answer).all(), name


def test_fault_1_at_the_end_of_training():
    """Weights that no batch has tried yet are not handed out untried."""
    long = make_sequences([30] * 12)
    params = dict(nonlinearity="relu", learning_rate_init=1e300, **{**DIVERGING, "max_iter": 1})
    estimator = tiny(RNNRegressor, **params)
    with pytest.raises(ValueError, match="diverged in epoch 1"):
        estimator.fit(long, make_targets(estimator))
    assert_unfitted(estimator)


@pytest.mark.parametrize("limit", [1e-3, 1.0])
def test_fault_2_gradients_are_clipped(Estimator, limit):
    """With SGD without momentum, an update is never longer than rate times limit."""
    params = dict(solver="sgd", momentum=0.0, learning_rate_init=0.5, batch_size=12, random_state=3)
    y = make_targets(Estimator())
    clipped, free = (
        tiny(Estimator, max_grad_norm=max_norm, **{**params, "max_iter": 1})
        for max_norm in (limit, None)
    )
    start = tiny(Estimator, **{**params, "max_iter": 1, "learning_rate_init": 1e-300})
    before = np.asarray(start.fit(X, y)._theta_)
    step = np.linalg.norm(np.asarray(clipped.fit(X, y)._theta_) - before)
    free_step = np.linalg.norm(np.asarray(free.fit(X, y)._theta_) - before)
    np.testing.assert_allclose(step, min(0.5 * limit, free_step), rtol=1e-9)


# --- What is outside of the fit ------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [dict(), dict(solver="sgd", batch_size=5), dict(early_stopping=True, validation_fraction=0.3)],
    ids=["adam", "sgd", "early-stopping"],
)
def test_fault_34_numpy_may_be_told_to_raise(Estimator, params):
    """All warnings are errors in these tests anyway."""
    with np.errstate(all="raise", under="ignore"):
        for dtype in (np.float32, np.float64):
            sequences = make_sequences(dtype=dtype)
            fitted = fit_tiny(Estimator, sequences, max_iter=20, **params)
            fitted.partial_fit(sequences, make_targets(fitted)).score(
                sequences, make_targets(fitted)
            )
            assert all(len(answer) for answer in answers(fitted, sequences).values())


def test_fault_34_numpy_raises_and_the_answers_are_the_same(Estimator):
    before = np.geterr()
    with np.errstate(all="raise", under="ignore"):
        strict = fit_tiny(Estimator)
    assert_same_model(strict, fit_tiny(Estimator))
    assert np.geterr() == before


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)], ids=["int", "instance"])
def test_fault_35_the_global_random_numbers_are_left_alone(Estimator, random_state):
    def state():
        return joblib.hash(np.random.mtrand._rand.get_state())

    before = state()
    fitted = fit_tiny(Estimator, random_state=random_state, batch_size=5)
    fitted.set_params(early_stopping=True, validation_fraction=0.3).fit(X, make_targets(fitted))
    fitted.partial_fit(X, make_targets(fitted))
    fitted.predict(X)
    assert state() == before


def test_an_int_seeds_and_an_instance_goes_on(Estimator):
    rng = np.random.RandomState(3)
    first, second = (fit_tiny(Estimator, random_state=rng) for _ in range(2))
    assert not np.array_equal(first.weights_["weight_out"], second.weights_["weight_out"])
    rng = np.random.RandomState(3)
    assert_same_model(fit_tiny(Estimator, random_state=rng), first)


@pytest.mark.parametrize("kind", ["list", "array", "rows"])
def test_fault_27_what_the_caller_does_to_the_data_afterwards(Estimator, kind):
    """X, y and weights may be overwritten; the model does not hold on to them."""
    equal = make_sequences([5] * 12)
    data = {"list": X, "array": np.array(equal), "rows": np.array(equal)[:, :, 0]}[kind]
    given, y, weight = copy.deepcopy(data), make_targets(Estimator()), np.arange(1.0, 13)
    expected = tiny(Estimator, warm_start=True).fit(data, y.copy(), weight.copy())
    fitted = tiny(Estimator, warm_start=True).fit(given, y, weight)
    for array in [*given, weight]:
        array[...] = 1e9
    y[...] = y[0]
    assert fingerprint(fitted, seconds=False) == fingerprint(expected, seconds=False)
    assert_same_answers(fitted, expected, data)


def test_fault_27_what_the_caller_does_to_answers(Estimator):
    fitted = fit_tiny(Estimator, warm_start=True)
    before = answers(fitted, X)
    expected = {name: answer.copy() for name, answer in before.items()}
    with unchanged(fitted):
        for answer in [*answers(fitted, X).values(), *fitted.weights_.values()]:
            answer[...] = answer.reshape(-1)[0]
    for name, answer in answers(fitted, X).items():
        np.testing.assert_array_equal(answer, expected[name])
        np.testing.assert_array_equal(before[name], expected[name])


def test_random_state_none_gives_other_weights_each_time(Estimator):
    first, second = (fit_tiny(Estimator, random_state=None) for _ in range(2))
    assert not np.array_equal(first.weights_["weight_out"], second.weights_["weight_out"])


# --- Weights in read-only memory -----------------------------------------------------------------


@pytest.mark.parametrize("warm_start", [False, True])
def test_fault_28_weights_on_disk(Estimator, warm_start, tmp_path):
    """joblib maps them read-only: predict, partial_fit and fit go on as in memory."""
    in_memory = fit_tiny(Estimator, warm_start=warm_start, batch_size=5)
    joblib.dump(in_memory, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert isinstance(mapped._theta_, np.memmap)
    assert_same_answers(mapped, in_memory, X)
    y = make_targets(in_memory)
    for method in ("partial_fit", "fit"):
        assert_same_model(getattr(mapped, method)(X, y), getattr(in_memory, method)(X, y))
    assert_same_model(mapped.partial_fit(X, y), in_memory.partial_fit(X, y))


def test_fault_28_read_only_weights(Estimator):
    fitted = fit_tiny(Estimator, warm_start=True)
    frozen = fit_tiny(Estimator, warm_start=True)
    frozen._theta_.flags.writeable = False
    for moment in frozen._resume_["optimizer"]["moments"]:
        moment.flags.writeable = False
    y = make_targets(fitted)
    assert_same_answers(frozen, fitted, X)
    assert_same_model(frozen.fit(X, y), fitted.fit(X, y))
    assert_same_model(clone(frozen).fit(X, y), fit_tiny(Estimator))


def test_multilabel_and_several_outputs_are_all_or_nothing_too():
    for estimator, y in (
        (tiny(LSTMClassifier), np.tri(3, dtype=int)[[0, 1, 2] * 4]),
        (tiny(LSTMRegressor), np.ones((12, 2)) * np.arange(12)[:, None]),
    ):
        estimator.fit(X, y)
        with unchanged(estimator), pytest.raises(ValueError, match="inconsistent numbers"):
            estimator.fit(X, y[:-1])
