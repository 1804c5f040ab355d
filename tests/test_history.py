"""history_: what each epoch was like, and why training ended."""

import pickle

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMRegressor
from tests.helpers import (
    CLASSIFIERS,
    at_batch,
    fit_tiny,
    make_sequences,
    make_targets,
    raising,
    tiny,
)

X = make_sequences()
COLUMNS = [
    *("epoch", "seconds", "loss", "validation_loss", "validation_score"),
    *("learning_rate", "gradient_norm"),
]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("stops", [False, True], ids=["plain", "early-stopping"])
def test_columns_of_one_length_for_a_data_frame(Estimator, solver, stops):
    pd = pytest.importorskip("pandas")
    params = dict(early_stopping=stops, validation_fraction=0.3)
    fitted = fit_tiny(Estimator, solver=solver, max_iter=4, **params)
    frame = pd.DataFrame(fitted.history_)
    assert list(frame.columns) == COLUMNS
    assert frame["epoch"].tolist() == [1, 2, 3, 4]
    assert frame["epoch"].dtype.kind == "i"
    assert (frame["seconds"] > 0).all()
    assert frame["loss"].tolist() == fitted.loss_curve_
    assert (frame["gradient_norm"] > 0).all()
    validation = frame[["validation_loss", "validation_score"]].to_numpy()
    assert np.isfinite(validation).all() if stops else np.isnan(validation).all()
    rates = frame["learning_rate"]
    assert rates.isna().all() if solver == "lbfgs" else (rates == 0.003).all()
    assert fitted.validation_scores_ == (frame["validation_score"].tolist() if stops else None)


def test_the_validation_loss_is_what_scoring_by_loss_gives(Estimator):
    params = dict(early_stopping=True, validation_fraction=0.3)
    by_score = fit_tiny(Estimator, **params)
    by_loss = fit_tiny(Estimator, validation_scoring="loss", **params)
    np.testing.assert_array_equal(
        by_score.history_["validation_loss"], by_loss.history_["validation_loss"]
    )
    assert by_loss.validation_scores_ == [-loss for loss in by_loss.history_["validation_loss"]]


def test_a_validation_loss_without_any_weight_is_nan():
    """Only if nothing depends on it."""
    y = make_targets(GRUClassifier())
    X_val = [x for x, label in zip(X, y, strict=True) if label == "ash"]
    params = dict(class_weight={"ash": 0.0}, early_stopping=True)
    kwargs = dict(X_val=X_val, y_val=["ash"] * len(X_val))
    fitted = tiny(GRUClassifier, **params).fit(X, y, **kwargs)
    assert np.isnan(fitted.history_["validation_loss"]).all()
    with pytest.raises(ValueError, match="leaves no sample"):
        tiny(GRUClassifier, validation_scoring="loss", **params).fit(X, y, **kwargs)


def test_the_learning_rate_is_the_one_that_was_used():
    X = np.random.default_rng(0).normal(size=(60, 8, 1))
    params = dict(solver="sgd", learning_rate_init=0.3, n_iter_no_change=2, tol=1e-3, max_iter=60)
    history = GRURegressor(4, learning_rate="adaptive", random_state=0, **params).fit(
        X, X.sum(axis=(1, 2))
    )
    rates = history.history_["learning_rate"]
    assert rates[0] == 0.3
    assert set(np.round(rates[1:] / rates[:-1], 12)) == {1.0, 0.2}


def test_partial_fit_keeps_the_last_call_and_counts_on(Estimator):
    estimator = fit_tiny(Estimator, max_iter=4)
    sizes = set()
    for k in range(5, 9):
        estimator.partial_fit(X, make_targets(estimator))
        assert estimator.history_["epoch"].tolist() == [k]
        assert estimator.loss_curve_ == [estimator.loss_]
        assert estimator.stop_reason_ == "max_iter"
        sizes.add(len(pickle.dumps(estimator.history_)))
    assert len(sizes) == 1


def test_warm_start_keeps_the_last_fit(Estimator):
    estimator = fit_tiny(Estimator, warm_start=True)
    estimator.set_params(max_iter=2).fit(X, make_targets(estimator))
    assert estimator.history_["epoch"].tolist() == [1, 2]


def test_curves_are_there_after_fit_only(Estimator):
    for name in ("history_", "loss_curve_", "validation_scores_", "stop_reason_"):
        assert not hasattr(tiny(Estimator), name)


def test_reasons(Estimator, monkeypatch):
    assert fit_tiny(Estimator).stop_reason_ == "max_iter"
    assert fit_tiny(Estimator, tol=10.0, n_iter_no_change=1).stop_reason_ == "converged"
    for effect, reason in (
        (lambda loss: np.nan, "diverged"),
        (raising(KeyboardInterrupt()), "interrupted"),
    ):
        with at_batch(monkeypatch, 3, effect), pytest.warns(ConvergenceWarning, match=reason):
            fitted = fit_tiny(Estimator)
        assert fitted.stop_reason_ == reason
        assert len(fitted.history_["loss"]) == fitted.n_iter_


# --- average_epochs -------------------------------------------------------------------------------


def mean_of_epochs(Estimator, epochs, **params):
    models = [fit_tiny(Estimator, max_iter=n, **params)._theta_ for n in epochs]
    return np.mean(models, axis=0)


@pytest.mark.parametrize("k", [2, 3, 9])
def test_the_average_is_of_the_last_epochs(Estimator, k):
    params = dict(batch_size=5)
    fitted = fit_tiny(Estimator, max_iter=4, average_epochs=k, **params)
    epochs = range(max(1, 4 - k + 1), 5)
    np.testing.assert_allclose(
        fitted._theta_, mean_of_epochs(Estimator, epochs, **params), rtol=1e-13, atol=1e-15
    )
    assert fitted.loss_curve_ == fit_tiny(Estimator, max_iter=4, **params).loss_curve_


@pytest.mark.parametrize("k", [2, 4])
def test_averages_and_steps_of_training_do_not_mix(Estimator, k):
    """Warm fits and calls of partial_fit go on from the last weights, not from their mean."""
    params = dict(batch_size=5, average_epochs=k)
    whole, y = fit_tiny(Estimator, max_iter=5, **params), make_targets(Estimator())
    warm = tiny(Estimator, warm_start=True, max_iter=1, **params)
    parts = tiny(Estimator, **params)
    classes = {"classes": ["ash", "elm", "oak"]} if Estimator in CLASSIFIERS else {}
    for _ in range(5):
        warm = pickle.loads(pickle.dumps(warm.fit(X, y)))
        parts.partial_fit(X, y, **classes)
    np.testing.assert_array_equal(warm._theta_, whole._theta_)
    np.testing.assert_array_equal(parts._theta_, whole._theta_)


@pytest.mark.slow
def test_an_average_calms_a_noisy_end():
    """A learning rate that is too large to settle: the mean of the last weights has settled."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 6, 1))
    y = X.sum(axis=(1, 2)) + rng.normal(size=240)
    train, test = slice(0, 120), slice(120, None)
    params = dict(batch_size=4, learning_rate_init=0.03, max_iter=40, n_iter_no_change=1000)
    gains = []
    for seed in range(3):
        plain, averaged = (
            LSTMRegressor(8, average_epochs=k, random_state=seed, **params).fit(X[train], y[train])
            for k in (1, 15)
        )
        gains.append(averaged.score(X[test], y[test]) - plain.score(X[test], y[test]))
    assert np.mean(gains) > 0.02
    assert np.median(gains) > 0


def test_lbfgs_takes_no_average():
    with pytest.raises(ValueError, match=r"no noise that an average .* set average_epochs=1"):
        fit_tiny(GRURegressor, solver="lbfgs", average_epochs=2)
