"""A cell, a loss and a pooling that are added from outside the package, through registries alone.

Each stands in one file beside this one, and does all that the package's own parts do. Exports that
cannot have a part refuse the model, and say which part it is.
"""

from importlib import import_module

import numpy as np
import pytest
from sklearn.base import is_classifier

from sklearn_rnn import GRURegressor, LSTMClassifier
from sklearn_rnn._core.losses import LOSSES, SquaredError
from sklearn_rnn.inspection import GateDisplay
from sklearn_rnn.interop import export_predictor
from sklearn_rnn.persistence import load, save
from tests.core import helpers
from tests.core.helpers import random_problem
from tests.core.test_gradients import assert_gradient_along, unit_directions
from tests.extensions.log_cosh import LogCosh
from tests.extensions.minimal_gated_unit import MGUCell, MGUClassifier, MGURegressor
from tests.extensions.registering import registered_parts
from tests.helpers import (
    assert_same_answers,
    fit_tiny,
    make_sequences,
    pickled,
    tiny,
)
from tests.sequence_checks import check_sequence_estimator

# An estimator with each of the parts alone, and with all of them.
CASES = {
    "cell, labels": (MGUClassifier, {}),
    "cell, numbers": (MGURegressor, {}),
    "loss": (GRURegressor, dict(loss="log_cosh")),
    "pooling": (LSTMClassifier, dict(pooling="log_sum_exp")),
    "all": (MGURegressor, dict(loss="log_cosh", pooling="log_sum_exp", num_layers=2)),
}
PER_CASE = pytest.mark.parametrize(("Estimator", "params"), CASES.values(), ids=CASES)


@pytest.fixture
def registered():
    """Register the three parts, for one test."""
    with registered_parts():
        yield


# --- Gradients ------------------------------------------------------------------------------------


@pytest.fixture
def problem_of(registered, monkeypatch):
    """Give a function that makes random networks with the parts."""
    monkeypatch.setitem(helpers.CELLS, "mgu", MGUCell)
    monkeypatch.setitem(helpers.LOSSES, "log_cosh", LogCosh())
    return random_problem


@pytest.mark.parametrize("lengths", ["equal", "ragged"])
@pytest.mark.parametrize("n_directions", [1, 2], ids=["one_way", "both_ways"])
@pytest.mark.parametrize(
    ("cell", "loss", "pooling"),
    [
        ("mgu", "squared_error", "last"),
        ("mgu", "multiclass_log_loss", "none"),
        ("mgu", "log_cosh", "log_sum_exp"),
        ("gru", "log_cosh", "mean"),
        ("lstm", "squared_error", "log_sum_exp"),
    ],
)
def test_gradient_by_complex_step(problem_of, cell, loss, pooling, n_directions, lengths):
    problem = problem_of(
        cell,
        loss=loss,
        pooling=pooling,
        num_layers=2,
        n_directions=n_directions,
        ragged=lengths == "ragged",
    )
    assert_gradient_along(problem, np.eye(problem.theta.size))


@pytest.mark.parametrize("pooling", ["last", "log_sum_exp"])
def test_gradient_with_all_options(problem_of, pooling):
    problem = problem_of(
        "mgu",
        loss="log_cosh",
        pooling=pooling,
        num_layers=3,
        head_sizes=(4,),
        dropout=True,
        layer_norm=True,
        residual=True,
        learn_initial_state=True,
    )
    assert_gradient_along(problem, unit_directions(problem, 5), rounding=1e-12)


def test_biases_and_initial_states_of_the_cell_are_not_penalised(problem_of):
    layout = problem_of("mgu", learn_initial_state=True).network.layout
    penalized = layout.public(layout.penalized)
    assert penalized.keys() >= {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "h_0_l0"}
    for name, mask in penalized.items():
        assert mask.all() if name.startswith("weight") else not mask.any()


# --- What they compute ----------------------------------------------------------------------------


def test_states_of_the_cell_follow_its_equations(registered):
    X = make_sequences()
    model = fit_tiny(MGURegressor, X)
    W = {name.removesuffix("_l0"): array for name, array in model.weights_.items()}
    states, gates = model.hidden_states(X), model.gate_activations(X)
    for i, x in enumerate(X):
        h = np.zeros(4)
        for t, x_t in enumerate(x):
            from_x = W["weight_ih"] @ x_t + W["bias_ih"]
            f = 1 / (1 + np.exp(-from_x[:4] - W["weight_hh"][:4] @ h))
            n = np.tanh(from_x[4:] + W["weight_hh"][4:] @ (f * h))
            h = (1 - f) * h + f * n
            np.testing.assert_allclose(states[i][t], h, rtol=1e-12)
            np.testing.assert_allclose(gates["f"][i][t], f, rtol=1e-12)
            np.testing.assert_allclose(gates["n"][i][t], n, rtol=1e-12)


def test_pooled_states_are_the_log_sum_exp_of_the_states(registered):
    X = make_sequences()
    model = fit_tiny(LSTMClassifier, X, pooling="log_sum_exp", bidirectional=True)
    for pooled, states in zip(model.transform(X), model.hidden_states(X), strict=True):
        np.testing.assert_allclose(pooled, np.log(np.exp(states).sum(axis=0)), rtol=1e-12)


def test_value_of_the_loss():
    rng = np.random.default_rng(0)
    raw, y, weight = rng.normal(size=(2, 5)), rng.normal(size=(2, 5)), rng.uniform(size=5)
    value, _ = LogCosh().value_gradient(raw, y, weight)
    np.testing.assert_allclose(value, (weight * np.log(np.cosh(raw - y))).sum(), rtol=1e-13)
    far, _ = LogCosh().value_gradient(raw + 1e6, y, weight)
    assert np.isfinite(far)


@PER_CASE
def test_training_learns(registered, Estimator, params):
    X = np.random.default_rng(0).normal(size=(60, 5, 2))
    y = X[:, :, 0].sum(axis=1)
    if is_classifier(Estimator()):
        y = y > 0
    training = dict(max_iter=60, learning_rate_init=0.02, hidden_size=8)
    assert tiny(Estimator, **training, **params).fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("name", ["cell, labels", "all"])
def test_checks_of_estimators_on_sequences(registered, name):
    Estimator, params = CASES[name]
    assert check_sequence_estimator(tiny(Estimator, max_iter=1, hidden_size=2, **params))


@PER_CASE
def test_steps_of_a_stream_agree_with_whole_sequences(registered, Estimator, params):
    X = make_sequences()
    model = fit_tiny(Estimator, X, **params)
    prefixes = model.predict_prefixes(X)
    for x, expected in zip(X, prefixes, strict=True):
        state = None
        for t, x_t in enumerate(x):
            answer, state = model.step(x_t, pickled(state))
            whole = model.predict([x[: t + 1]])[0]
            if isinstance(answer, str):
                assert answer == expected[t] == whole
            else:
                np.testing.assert_allclose([answer, expected[t]], whole, rtol=1e-12)
    assert f"of {model.hidden_size} units" in repr(state)


# --- Files ----------------------------------------------------------------------------------------


@PER_CASE
def test_saved_and_pickled_models_are_the_same(registered, Estimator, params, tmp_path):
    X = make_sequences()
    model = fit_tiny(Estimator, X, **params)
    save(model, tmp_path / "model.npz")
    for again in (load(tmp_path / "model.npz"), pickled(model)):
        assert type(again) is Estimator
        assert_same_answers(again, model, X)


def test_files_with_parts_that_are_not_registered_are_refused(tmp_path):
    X = make_sequences()
    with registered_parts():
        save(fit_tiny(MGUClassifier, X), tmp_path / "cell")
        save(fit_tiny(GRURegressor, X, loss="log_cosh"), tmp_path / "loss")
        save(fit_tiny(LSTMClassifier, X, pooling="log_sum_exp"), tmp_path / "pooling")
    with pytest.raises(ValueError, match=r"holds no estimator of this release.*MGUClassifier"):
        load(tmp_path / "cell")
    with pytest.raises(TypeError, match=r"save takes one of .* got a MGUClassifier"):
        save(MGUClassifier(), tmp_path / "another")
    for name, value in {"loss": "log_cosh", "pooling": "log_sum_exp"}.items():
        with pytest.raises(ValueError, match=f"{name}='{value}' is not registered"):
            load(tmp_path / name).predict(X)


# --- Parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [dict(loss="log_cosh"), dict(pooling="log_sum_exp")])
def test_parameters_follow_the_registries(params):
    (name, value), estimator = *params.items(), tiny(GRURegressor, **params)
    X, y = make_sequences(), np.arange(12.0)
    with pytest.raises(ValueError, match=f"'{name}' parameter .* Got '{value}' instead"):
        estimator.fit(X, y)
    with registered_parts():
        assert estimator.fit(X, y).predict(X).shape == (12,)


def test_pooling_that_needs_all_steps_refuses_pieces(registered):
    with pytest.raises(ValueError, match=r"pooling='log_sum_exp' weighs all steps"):
        fit_tiny(GRURegressor, pooling="log_sum_exp", tbptt_steps=3)


def test_loss_with_a_link_that_regressors_do_not_know_is_refused(monkeypatch):
    class Softplus(SquaredError):
        out_activation = "softplus"

    monkeypatch.setitem(LOSSES, "softplus", Softplus)
    with pytest.raises(ValueError, match=r"loss='softplus' .* by 'softplus', which regressors"):
        fit_tiny(GRURegressor, loss="softplus")


# --- What other rooms show ------------------------------------------------------------------------


def test_the_cell_is_shown_under_its_own_names(registered):
    model = fit_tiny(MGUClassifier)
    assert "MGU layer 0" in str(model.summary())
    pytest.importorskip("matplotlib").use("Agg")
    display = GateDisplay.from_estimator(model, make_sequences())
    titles = [display.axes_[gate].get_title(loc="left") for gate in "fn"]
    assert titles == ["forget gate f", "candidate n"]
    assert [display.images_[gate].get_clim() for gate in "fn"] == [(0, 1), (-1, 1)]


# --- Exports, of which tests/parity has those to other packages -----------------------------------


@pytest.mark.parametrize(
    ("Estimator", "params", "part"),
    [
        (MGUClassifier, {}, "MGUCell"),
        (LSTMClassifier, dict(pooling="log_sum_exp"), "pooling='log_sum_exp'"),
    ],
    ids=["cell", "pooling"],
)
def test_exported_predictors_are_refused(registered, Estimator, params, part, tmp_path):
    with pytest.raises(ValueError, match=f"{part} has no counterpart in exported predictors"):
        export_predictor(fit_tiny(Estimator, **params), tmp_path / "model.py")
    assert list(tmp_path.iterdir()) == []


def test_a_predictor_needs_the_link_of_a_loss_alone(registered, tmp_path, monkeypatch):
    """The link of the new loss is one that predictors know, so they can have it."""
    X = make_sequences()
    model = fit_tiny(GRURegressor, X, loss="log_cosh")
    export_predictor(model, tmp_path / "log_cosh_model.py")
    monkeypatch.syspath_prepend(tmp_path)
    predictor = import_module("log_cosh_model")
    np.testing.assert_allclose(predictor.predict(X), model.predict(X), rtol=1e-12)
