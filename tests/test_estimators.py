"""The six estimators: what fit leaves behind, embeddings, and that each parameter has a say."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError

import sklearn_rnn
from sklearn_rnn import LSTMClassifier, LSTMRegressor, RNNClassifier, RNNRegressor
from tests import forward
from tests.helpers import (
    CLASSIFIERS,
    SIX,
    STANDING_STILL,
    answers,
    assert_same_model,
    fit_tiny,
    make_sequences,
    make_targets,
    packed,
    same_model,
    tiny,
)

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
TRAINING_PARAMETERS = [
    *("alpha", "dropout", "recurrent_dropout"),
    # Solver
    *("solver", "batch_size", "learning_rate_init", "learning_rate", "max_grad_norm"),
    *("tbptt_steps", "shuffle", "average_epochs"),
    # Stopping and validation
    *("max_iter", "tol", "n_iter_no_change"),
    *("early_stopping", "validation_fraction", "validation_scoring"),
    # Run
    *("warm_start", "random_state", "n_jobs", "verbose", "checkpoint"),
    # Rarely changed
    *("power_t", "momentum", "nesterovs_momentum", "beta_1", "beta_2", "epsilon"),
]


def n_gates(estimator):
    return GATES[type(estimator).__name__.removesuffix("Classifier").removesuffix("Regressor")]


# --- Parameters ----------------------------------------------------------------------------------


def test_the_six_are_public():
    assert {Estimator.__name__ for Estimator in SIX} <= set(sklearn_rnn.__all__)
    assert "SequenceArray" in sklearn_rnn.__all__


def test_signature(Estimator):
    own = {"LSTM": ["forget_bias", "init"], "RNN": ["nonlinearity", "init"], "GRU": ["init"]}[
        Estimator.__name__.removesuffix("Classifier").removesuffix("Regressor")
    ]
    losses = ["loss", "quantiles", "huber_delta"]
    targets = ["class_weight"] if Estimator in CLASSIFIERS else losses
    parameters = inspect.signature(Estimator).parameters
    network = ["hidden_size", "num_layers", "bidirectional", "pooling", "return_sequences"]
    network += ["n_timesteps", "embedding_size"]
    network += ["layer_norm", "residual", "learn_initial_state", "head_sizes"]
    assert list(parameters) == [*network, *own, *targets, *TRAINING_PARAMETERS]
    assert parameters["hidden_size"].default == 64
    kinds = [parameter.kind for parameter in parameters.values()]
    assert kinds[0] is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert set(kinds[1:]) == {inspect.Parameter.KEYWORD_ONLY}


def test_all_six_have_the_same_defaults():
    defaults = [
        {name: p.default for name, p in inspect.signature(Estimator).parameters.items()}
        for Estimator in SIX
    ]
    for name in ["hidden_size", "num_layers", "bidirectional", "pooling", *TRAINING_PARAMETERS]:
        assert len({repr(default[name]) for default in defaults}) == 1, name


CHANGES = {
    "hidden_size": 5,
    "num_layers": 2,
    "bidirectional": True,
    "pooling": "mean",
    "layer_norm": True,
    "learn_initial_state": True,
    "head_sizes": (3,),
    "solver": "sgd",
    "alpha": 1.0,
    "dropout": 0.3,
    "recurrent_dropout": 0.3,
    "batch_size": 3,
    "learning_rate_init": 0.02,
    "learning_rate": "cosine",
    "max_grad_norm": 1e-3,
    "tbptt_steps": 2,
    "max_iter": 4,
    "early_stopping": True,
    "average_epochs": 2,
    "random_state": 1,
    "beta_1": 0.5,
    "beta_2": 0.5,
    "epsilon": 0.1,
}
# What has a say only together with something else, which comes first.
CHANGES_BESIDE = {
    "residual": (dict(num_layers=2), True),
    "shuffle": (dict(batch_size=4), False),
    "tol": (dict(n_iter_no_change=1, max_iter=9), 10.0),
    "n_iter_no_change": (dict(tol=10.0, max_iter=9), 2),
    "validation_fraction": (dict(early_stopping=True), 0.4),
    "power_t": (dict(learning_rate="invscaling"), 0.3),
    "momentum": (dict(solver="sgd"), 0.1),
    "nesterovs_momentum": (dict(solver="sgd"), False),
}
TESTED_ELSEWHERE = ("n_timesteps", "validation_scoring", "n_jobs", "verbose", "checkpoint")
BY_NAME = {**{name: ({}, value) for name, value in CHANGES.items()}, **CHANGES_BESIDE}


@pytest.mark.parametrize("name", BY_NAME)
def test_parameter_has_a_say(Estimator, name):
    beside, value = BY_NAME[name]
    beside = {"validation_fraction": 0.2, **beside}
    before = fit_tiny(Estimator, **beside)
    assert getattr(before, name) != value
    assert not same_model(before, fit_tiny(Estimator, **{**beside, name: value}))


@pytest.mark.parametrize(
    ("Estimator", "name", "value"),
    [
        (RNNClassifier, "nonlinearity", "relu"),
        (RNNRegressor, "nonlinearity", "relu"),
        (RNNClassifier, "init", "identity"),
        (RNNRegressor, "init", "identity"),
        *((E, "init", "chrono") for E in SIX if not E.__name__.startswith("RNN")),
        (LSTMClassifier, "forget_bias", 0.0),
        (LSTMRegressor, "forget_bias", -1.5),
        *((Estimator, "class_weight", {"ash": 5, "oak": 0.1}) for Estimator in CLASSIFIERS),
    ],
)
def test_own_parameter_has_a_say(Estimator, name, value):
    assert not same_model(fit_tiny(Estimator), fit_tiny(Estimator, **{name: value}))


def test_warm_start_has_a_say(Estimator):
    """Other parameters, such as n_timesteps and verbose, are tested on their own."""
    X, y = make_sequences(), make_targets(Estimator())
    cold, warm = (tiny(Estimator, warm_start=warm).fit(X, y).fit(X, y) for warm in (False, True))
    assert not same_model(cold, warm)
    assert {*BY_NAME, *TESTED_ELSEWHERE, "warm_start"} >= set(TRAINING_PARAMETERS)


def test_n_timesteps_cuts_rows_into_steps(Estimator):
    X = np.random.default_rng(0).normal(size=(12, 3, 2))
    rows, y = X.reshape(12, -1), make_targets(Estimator())
    flat = tiny(Estimator, n_timesteps=3).fit(rows, y)
    assert_same_model(flat, tiny(Estimator).fit(X, y))
    assert (flat.n_features_in_, flat.n_timesteps_in_) == (6, 3)
    for name, answer in answers(flat, rows).items():
        np.testing.assert_array_equal(answer, answers(tiny(Estimator).fit(X, y), X)[name])
    assert not same_model(flat, tiny(Estimator).fit(rows, y))


def test_parameters_that_are_set_after_fit_wait_for_the_next_fit(Estimator):
    rows = np.random.default_rng(0).normal(size=(12, 6))
    fitted = fit_tiny(Estimator, rows, n_timesteps=3)
    before = answers(fitted, rows)
    changes = {**CHANGES, "n_timesteps": 6, "forget_bias": 0.5, "nonlinearity": "relu"}
    fitted.set_params(**{k: v for k, v in changes.items() if k in fitted.get_params()})
    for name, answer in answers(fitted, rows).items():
        np.testing.assert_array_equal(answer, before[name])


def test_verbose_prints_a_line_an_epoch(Estimator, capsys):
    quiet = fit_tiny(Estimator)
    assert capsys.readouterr().out == ""
    loud = fit_tiny(Estimator, verbose=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for epoch, (line, loss) in enumerate(zip(lines, loud.loss_curve_, strict=True), start=1):
        assert line.startswith(
            f"Epoch {epoch}: loss {loss:.6f}, learning rate 0.003, gradient norm"
        )
    assert_same_model(loud, quiet)
    validated = fit_tiny(Estimator, verbose=True, early_stopping=True, validation_fraction=0.3)
    for line, score in zip(
        capsys.readouterr().out.splitlines(), validated.validation_scores_, strict=True
    ):
        assert f", validation score {score:.4f}, " in line


@pytest.mark.parametrize(
    ("weight", "batch_size"), [(1.0, 12), (1.0, 4), (3.0, 12)], ids=["plain", "batches", "weights"]
)
def test_alpha_is_divided_by_the_sum_of_the_weights(Estimator, weight, batch_size):
    """loss + alpha / 2 |weights|^2 / sum of sample_weight; biases are left alone."""
    X, y = make_sequences(), make_targets(Estimator())
    params = dict(batch_size=batch_size, **STANDING_STILL)
    without, penalized = (
        tiny(Estimator, alpha=alpha, **params).fit(X, y, np.full(12, weight))
        for alpha in (0.0, 0.5)
    )
    weights = without.weights_
    if not is_classifier(without):
        weights["weight_out"] /= y.std()  # targets are standardised inside
    squares = sum((array**2).sum() for name, array in weights.items() if "weight" in name)
    np.testing.assert_allclose(
        penalized.loss_ - without.loss_, 0.5 / 2 * squares / (12 * weight), rtol=1e-9
    )


# --- Attributes ----------------------------------------------------------------------------------


def test_attributes(Estimator):
    fitted = fit_tiny(Estimator, batch_size=5, max_iter=4)
    assert fitted.n_features_in_ == 2
    assert fitted.n_timesteps_in_ is None
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 4
    assert fitted.t_ == 4 * 3
    assert fitted.loss_ == fitted.loss_curve_[-1]
    assert fitted.best_loss_ == min(fitted.loss_curve_)
    assert all(type(loss) is float and np.isfinite(loss) for loss in fitted.loss_curve_)
    assert fitted.validation_scores_ is None
    assert fitted.best_validation_score_ is None
    if is_classifier(fitted):
        np.testing.assert_array_equal(fitted.classes_, ["ash", "elm", "oak"])
        assert (fitted.n_outputs_, fitted.out_activation_) == (3, "softmax")
    else:
        assert (fitted.n_outputs_, fitted.out_activation_) == (1, "identity")


def test_attributes_of_early_stopping(Estimator):
    fitted = fit_tiny(Estimator, early_stopping=True, validation_fraction=0.3, max_iter=5)
    assert fitted.best_loss_ is None
    assert len(fitted.validation_scores_) == len(fitted.loss_curve_) == fitted.n_iter_
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert all(type(score) is float for score in fitted.validation_scores_)


def test_attributes_are_there_after_fit_only(Estimator):
    unfitted = Estimator()
    for name in ("weights_", "n_parameters_"):
        assert not hasattr(unfitted, name)
    with pytest.raises(NotFittedError):
        _ = unfitted.weights_
    with pytest.raises(NotFittedError):
        unfitted.get_feature_names_out()


def test_feature_names_of_a_frame_and_of_a_list_of_frames(Estimator):
    pd = pytest.importorskip("pandas")
    names = ["left", "right"]
    frames = [pd.DataFrame(sequence, columns=names) for sequence in make_sequences()]
    fitted = fit_tiny(Estimator, frames)
    np.testing.assert_array_equal(fitted.feature_names_in_, names)
    assert_same_model(fitted, fit_tiny(Estimator))
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict([frame[["right", "left"]] for frame in frames])
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(12, 2)), columns=names)
    np.testing.assert_array_equal(fit_tiny(Estimator, table).feature_names_in_, names)
    assert not hasattr(fit_tiny(Estimator, table).fit(*plain_data(Estimator)), "feature_names_in_")


def plain_data(Estimator):
    return make_sequences(), make_targets(Estimator())


def test_n_timesteps_in(Estimator):
    equal = make_sequences([6] * 12)
    assert fit_tiny(Estimator, equal).n_timesteps_in_ == 6
    assert fit_tiny(Estimator, np.array(equal)).n_timesteps_in_ == 6
    assert fit_tiny(Estimator, np.array(equal)[:, :, 0]).n_timesteps_in_ == 6


ARCHITECTURES = {
    "plain": dict(),
    "two-layers": dict(num_layers=2),
    "both-ways": dict(bidirectional=True),
    "three-layers-both-ways-mean": dict(num_layers=3, bidirectional=True, pooling="mean"),
    "both-ways-max": dict(bidirectional=True, pooling="max"),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_have_pytorchs_names_and_shapes(Estimator, name):
    params = ARCHITECTURES[name]
    fitted = fit_tiny(Estimator, hidden_size=3, **params)
    H, G, K = 3, 3 * n_gates(fitted), fitted.n_outputs_
    directions = ["", "_reverse"] if fitted.bidirectional else [""]
    shapes = {}
    for layer in range(fitted.num_layers):
        inputs = 2 if layer == 0 else H * len(directions)
        for suffix in directions:
            shapes[f"weight_ih_l{layer}{suffix}"] = (G, inputs)
            shapes[f"weight_hh_l{layer}{suffix}"] = (G, H)
            shapes[f"bias_ih_l{layer}{suffix}"] = (G,)
            shapes[f"bias_hh_l{layer}{suffix}"] = (G,)
    shapes |= {"weight_out": (K, H * len(directions)), "bias_out": (K,)}
    weights = fitted.weights_
    assert {name: array.shape for name, array in weights.items()} == shapes
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float64)}
    assert all(np.isfinite(array).all() for array in weights.values())
    assert fitted.n_parameters_ <= sum(array.size for array in weights.values())


def test_weights_are_copies(Estimator):
    fitted = fit_tiny(Estimator)
    before = answers(fitted, make_sequences())
    for array in fitted.weights_.values():
        array[...] = np.nan
    for name, answer in answers(fitted, make_sequences()).items():
        np.testing.assert_array_equal(answer, before[name])


def test_number_of_parameters(Estimator):
    """Each gate's bias counts once, but for the GRU's candidate, which has two."""
    fitted = fit_tiny(Estimator, hidden_size=3, num_layers=2)
    gates, K = n_gates(fitted), fitted.n_outputs_
    second_bias = 3 if gates == 3 else 0
    layers = sum(gates * 3 * (inputs + 3 + 1) + second_bias for inputs in (2, 3))
    assert fitted.n_parameters_ == layers + K * (3 + 1)


def test_forget_bias_is_the_initial_one():
    for Estimator in (LSTMClassifier, LSTMRegressor):
        fitted = fit_tiny(Estimator, **STANDING_STILL, forget_bias=2.5)
        bias = np.zeros(16)
        bias[4:8] = 2.5  # i, f, g, o
        weights = fitted.weights_
        np.testing.assert_allclose(
            weights["bias_ih_l0"] + weights["bias_hh_l0"], bias, rtol=0, atol=1e-200
        )


def test_initial_recurrent_weights_are_orthogonal(Estimator):
    fitted = fit_tiny(Estimator, **STANDING_STILL)
    for gate in np.split(fitted.weights_["weight_hh_l0"], n_gates(fitted)):
        np.testing.assert_allclose(gate @ gate.T, np.eye(4), atol=1e-14)


# --- weights_ alone reproduce every answer -------------------------------------------------------


NETWORKS = [
    *((Estimator, name, {}) for Estimator in SIX for name in ARCHITECTURES),
    *(
        (Estimator, name, {"nonlinearity": "relu"})
        for Estimator in (RNNClassifier, RNNRegressor)
        for name in ARCHITECTURES
    ),
]


@pytest.mark.parametrize(
    ("Estimator", "name", "own"),
    NETWORKS,
    ids=["-".join([E.__name__, name, *own.values()]) for E, name, own in NETWORKS],
)
@pytest.mark.parametrize("targets", ["plain", "two", "several"])
def test_weights_reproduce_the_answers(Estimator, name, own, targets):
    options = {**ARCHITECTURES[name], **own}
    X, y = make_sequences(), make_targets(Estimator())
    if targets == "two":
        y = np.where(y == "ash", "ash", "elm") if Estimator in CLASSIFIERS else 1e6 + y
    if targets == "several":
        y = np.random.default_rng(0).integers(2, size=(12, 3))
        y = y if Estimator in CLASSIFIERS else 50.0 + y
    fitted = tiny(Estimator, learning_rate_init=0.1, **options).fit(X, y)

    how = {name: value for name, value in options.items() if name in ("pooling", "nonlinearity")}
    weights = fitted.weights_
    embeddings = np.array([forward.embedding(weights, x, **how) for x in X])
    np.testing.assert_allclose(fitted.transform(X), embeddings, rtol=0, atol=1e-12)
    raw = np.array([forward.raw_prediction(weights, x, **how) for x in X])
    if Estimator not in CLASSIFIERS:
        np.testing.assert_allclose(fitted.predict(X), raw if targets == "several" else raw[:, 0])
        return
    if fitted.out_activation_ == "softmax":
        proba = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    else:
        proba = forward.sigmoid(raw)
        if targets == "two":
            proba = np.hstack([1 - proba, proba])
    np.testing.assert_allclose(fitted.predict_proba(X), proba, rtol=1e-12)
    np.testing.assert_allclose(fitted.predict_log_proba(X), np.log(proba), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        fitted.decision_function(X), raw[:, 0] if targets == "two" else raw, atol=1e-12
    )


# --- Embeddings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_transform(Estimator, name):
    fitted = fit_tiny(Estimator, **ARCHITECTURES[name])
    width = 8 if fitted.bidirectional else 4
    embeddings = fitted.transform(make_sequences())
    assert embeddings.shape == (12, width)
    names = fitted.get_feature_names_out()
    lower = Estimator.__name__.lower()
    np.testing.assert_array_equal(names, [f"{lower}{k}" for k in range(width)])
    again = clone(fitted).fit_transform(make_sequences(), make_targets(fitted))
    np.testing.assert_array_equal(again, embeddings)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(Estimator, library):
    frames = pytest.importorskip(library)
    fitted = fit_tiny(Estimator).set_output(transform=library)
    plain = fit_tiny(Estimator).transform(make_sequences())
    for X in (make_sequences(), packed(make_sequences())):
        embeddings = fitted.transform(X)
        assert isinstance(embeddings, frames.DataFrame)
        assert list(embeddings.columns) == list(fitted.get_feature_names_out())
        np.testing.assert_array_equal(embeddings.to_numpy(), plain)
    assert isinstance(fitted.predict(make_sequences()), np.ndarray)
    refitted = fitted.fit(make_sequences(), make_targets(fitted))
    assert isinstance(refitted.transform(make_sequences()), frames.DataFrame)


def test_set_output_keeps_the_index_of_a_frame(Estimator):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(12, 3)), columns=list("abc"))
    table.index = [f"row{i}" for i in range(12)]
    fitted = fit_tiny(Estimator, table).set_output(transform="pandas")
    assert list(fitted.transform(table).index) == list(table.index)
