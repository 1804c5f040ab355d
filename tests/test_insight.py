"""What a fitted model computed: against predictions, differences, and what must add up."""

import numpy as np
import pytest
from scipy.special import logit, softmax
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceArray,
)
from tests.helpers import (
    fit_tiny,
    make_sequences,
    make_targets,
    object_array,
    tiny,
    unchanged,
)

ARCHITECTURES = {
    "plain": {},
    "deep_both_ways": dict(num_layers=2, bidirectional=True),
    "mean": dict(pooling="mean", num_layers=2),
    "max": dict(pooling="max", bidirectional=True),
    "all_options": dict(
        num_layers=3,
        pooling="attention",
        layer_norm=True,
        residual=True,
        learn_initial_state=True,
        head_sizes=(6, 5),
        dropout=0.2,
        recurrent_dropout=0.2,
    ),
    "all_options_both_ways": dict(
        num_layers=2,
        bidirectional=True,
        pooling="attention",
        layer_norm=True,
        residual=True,
        learn_initial_state=True,
        init="orthogonal",
    ),
}
architectures = pytest.mark.parametrize("params", ARCHITECTURES.values(), ids=ARCHITECTURES)
GATED = [LSTMClassifier, GRURegressor]
NAMES = ["unknown", "anna", "bob", "carla", "bobby", "ann", "al", "abba"]


def explained_by(model, X, target=None):
    """The number of each sequence that gradients explain, through the public methods."""
    if not is_classifier(model):
        return model.predict(X)
    probabilities = model.predict_proba(X)
    if target is None:
        codes = probabilities.argmax(axis=1)
    else:
        codes = np.full(len(probabilities), list(model.classes_).index(target))
    return logit(probabilities[np.arange(len(codes)), codes])


def attended(h, model):
    """The states (T, S * H) of one sequence, pooled by each direction's attention."""
    w = model.weights_["weight_attention"]
    n_directions = len(w) // model.hidden_size
    scores = (h * w).reshape(len(h), n_directions, -1).sum(axis=2)
    shares = np.repeat(softmax(scores, axis=0), model.hidden_size, axis=1)
    return (shares * h).sum(axis=0)


def difference_quotients(f, sequences, step=1e-5):
    """d f(sequences)[i] / d sequences[i], by central differences, for each i."""
    gradients = [np.empty_like(sequence) for sequence in sequences]
    for t, k in np.ndindex(max(map(len, sequences)), sequences[0].shape[1]):
        touched = [i for i, sequence in enumerate(sequences) if t < len(sequence)]
        moved = {+1: [s.copy() for s in sequences], -1: [s.copy() for s in sequences]}
        for sign, copies in moved.items():
            for i in touched:
                copies[i][t, k] += sign * step
        slope = (f(moved[1]) - f(moved[-1])) / (2 * step)
        for i in touched:
            gradients[i][t, k] = slope[i]
    return gradients


# --- States and gates -----------------------------------------------------------------------------


@architectures
def test_hidden_states_are_those_that_transform_pools(Estimator, params):
    X = make_sequences()
    model = fit_tiny(Estimator, X, **params)
    states, embeddings, H = model.hidden_states(X), model.transform(X), model.hidden_size
    for h, embedding in zip(states, embeddings, strict=True):
        if model.pooling == "attention":
            pooled = attended(h, model)
        else:
            pooled = {"last": h[-1], "mean": h.mean(axis=0), "max": h.max(axis=0)}[model.pooling]
        if model.pooling == "last" and model.bidirectional:
            pooled = np.concatenate([h[-1, :H], h[0, H:]])
        np.testing.assert_allclose(embedding, pooled, rtol=1e-12)


def test_hidden_states_of_a_lower_layer_are_those_of_a_network_without_the_upper_one():
    X = make_sequences()
    model = fit_tiny(LSTMClassifier, X, num_layers=2)
    lower = fit_tiny(LSTMClassifier, X)
    weights = model._make_network().layout.bind(model._theta_).cells[0][0]["W"]
    lower = lower._with_weights(np.array(lower._theta_))
    lower._make_network().layout.bind(lower._theta_).cells[0][0]["W"][...] = weights
    for ours, theirs in zip(model.hidden_states(X, layer=0), lower.hidden_states(X), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_states_with_an_answer_at_every_step_are_those_of_transform():
    X = np.random.default_rng(0).normal(size=(6, 5, 2))
    y = np.random.default_rng(1).normal(size=(6, 5))
    model = tiny(LSTMRegressor, return_sequences=True, bidirectional=True).fit(X, y)
    np.testing.assert_allclose(model.hidden_states(X), model.transform(X), rtol=1e-12)


@pytest.mark.parametrize("Estimator", GATED)
def test_gates_give_the_states(Estimator):
    X = make_sequences()
    model = fit_tiny(Estimator, X, num_layers=2)
    for layer in (0, 1):
        states = model.hidden_states(X, layer=layer)
        gates = model.gate_activations(X, layer=layer)
        for i, h in enumerate(states):
            g = {name: values[i] for name, values in gates.items()}
            h_prev = np.vstack([np.zeros_like(h[:1]), h[:-1]])
            if Estimator is LSTMClassifier:
                assert list(g) == ["i", "f", "g", "o", "c"]
                c_prev = np.vstack([np.zeros_like(h[:1]), g["c"][:-1]])
                np.testing.assert_allclose(g["c"], g["f"] * c_prev + g["i"] * g["g"], rtol=1e-12)
                expected = g["o"] * np.tanh(g["c"])
            else:
                assert list(g) == ["r", "z", "n"]
                expected = g["n"] + g["z"] * (h_prev - g["n"])
            np.testing.assert_allclose(h, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("Estimator", [RNNClassifier, RNNRegressor])
def test_an_rnn_says_that_it_has_no_gates(Estimator):
    model = fit_tiny(Estimator)
    with pytest.raises(ValueError, match=f"{Estimator.__name__} has no gates: hidden_states"):
        model.gate_activations(make_sequences())


@pytest.mark.parametrize("layer", [2, -3, 0.0, True, None, "top"])
def test_layers_that_are_not_there(layer):
    model, X = fit_tiny(LSTMClassifier, num_layers=2), make_sequences()
    for method in (model.hidden_states, model.gate_activations):
        with pytest.raises(ValueError, match=r"layer must be an integer from -2 to 1"):
            method(X, layer=layer)


def test_answers_have_the_form_of_x():
    X3 = np.random.default_rng(0).normal(size=(6, 5, 2))
    padded = X3.copy()
    padded[0, 3:] = np.nan
    model = fit_tiny(GRURegressor, X3)
    gates = {name: values.shape for name, values in model.gate_activations(X3).items()}
    assert gates == dict.fromkeys("rzn", (6, 5, 4))
    assert model.hidden_states(X3).shape == (6, 5, 4)
    assert model.input_gradients(X3).shape == X3.shape
    assert model.gradient_flow(X3, np.arange(6.0)).norms["l0"].shape == (6, 5)

    ragged = model.hidden_states(padded)
    assert ragged.dtype == object
    assert [len(h) for h in ragged] == [3, 5, 5, 5, 5, 5]
    gradients = model.input_gradients(padded)
    np.testing.assert_array_equal(np.isnan(gradients), np.isnan(padded))

    packed = SequenceArray.from_padded(padded)
    assert isinstance(model.input_gradients(packed), SequenceArray)
    np.testing.assert_array_equal(model.input_gradients(packed).values[:3], gradients[0, :3])
    as_list = model.integrated_gradients(list(packed))
    assert isinstance(as_list, list)
    assert [a.shape for a in as_list] == [x.shape for x in packed]

    rows = X3.reshape(6, -1)
    flat = fit_tiny(GRURegressor, rows, n_timesteps=5)
    assert flat.input_gradients(rows).shape == (6, 5, 2)
    one = fit_tiny(GRURegressor, rows)
    assert one.input_gradients(rows).shape == rows.shape


def test_float32_stays_float32(Estimator):
    X = make_sequences(dtype=np.float32)
    model = fit_tiny(Estimator, X)
    assert model.hidden_states(X)[0].dtype == np.float32
    assert model.input_gradients(X)[0].dtype == np.float32
    assert model.integrated_gradients(X)[0].dtype == np.float32
    assert model.gradient_flow(X, make_targets(model)).norms["l0"][0].dtype == np.float32


# --- Gradients by the input -----------------------------------------------------------------------


@architectures
def test_input_gradients_are_difference_quotients(Estimator, params):
    X = make_sequences((5, 2, 7, 1, 4), seed=3)
    model = fit_tiny(Estimator, **params)
    target = "elm" if is_classifier(model) else None
    expected = difference_quotients(lambda X: explained_by(model, X, target), X)
    for ours, theirs in zip(model.input_gradients(X, target), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


@architectures
def test_integrated_gradients_are_complete(Estimator, params):
    """They add up to the difference of the predictions: Sundararajan's completeness."""
    X = make_sequences(seed=3)
    model = fit_tiny(Estimator, **params)
    target = "oak" if is_classifier(model) else None
    baseline, n_steps, tolerance = make_sequences(seed=4), 200, 1e-8
    if model.pooling == "max":  # the gradient jumps on the way
        tolerance = 0.05
    if model.layer_norm:  # it changes fast: a short way is enough
        baseline = [x + 0.01 * b for x, b in zip(X, baseline, strict=True)]
        n_steps, tolerance = 30, 0.01
    shares = model.integrated_gradients(X, baseline, target, n_steps=n_steps)
    difference = explained_by(model, X, target) - explained_by(model, baseline, target)
    atol = np.abs(difference).max() * tolerance
    np.testing.assert_allclose([a.sum() for a in shares], difference, rtol=0, atol=atol)
    assert np.abs(difference).max() > 1e-4


def test_an_incomplete_sum_is_warned_of():
    X = make_sequences(seed=3)
    model = fit_tiny(GRURegressor, **ARCHITECTURES["all_options"])
    baseline = make_sequences(seed=4)
    message = r"sequence \d add up to .* differ by .* 41 times n_steps=1 gradients.* Raise n_steps"
    with pytest.warns(UserWarning, match=message) as record:
        shares = model.integrated_gradients(X, baseline, n_steps=1)
    assert record[0].filename == __file__
    difference = model.predict(X) - model.predict(baseline)
    gaps = np.abs([a.sum() for a in shares] - difference)
    assert (gaps > 0.01 * np.abs(difference)).any()


def saturated(Estimator=LSTMRegressor):
    """Return a model, and sequences so large that its gates switch right beside the baseline."""
    X = make_sequences(seed=3)
    model = fit_tiny(Estimator, X, max_iter=30, learning_rate_init=0.05)
    return model, [1000 * x for x in X]


@pytest.mark.parametrize("n_steps", [10, 50])
@pytest.mark.parametrize("Estimator", [GRURegressor, LSTMRegressor, RNNRegressor])
def test_a_path_is_divided_until_the_sum_is_right(Estimator, n_steps):
    model, X = saturated(Estimator)
    shares = model.integrated_gradients(X, n_steps=n_steps)
    difference = model.predict(X) - model.predict([np.zeros_like(x) for x in X])
    sums, sizes = ([f(a).sum() for a in shares] for f in (np.asarray, np.abs))
    gaps = np.abs(sums - difference)
    assert (gaps <= np.maximum(0.01 * np.abs(difference), 0.001 * np.array(sizes))).all()


def test_a_divided_path_does_not_depend_on_the_other_sequences():
    model, X = saturated()
    together = model.integrated_gradients(X, n_steps=10)
    for x, shares in zip(X[:4], together[:4], strict=True):
        (alone,) = model.integrated_gradients([x], n_steps=10)
        np.testing.assert_allclose(alone, shares, rtol=1e-9, atol=1e-12)


def test_a_smooth_path_is_that_of_one_quadrature():
    """No more than `n_steps` gradients where the sum is right at once."""
    X = make_sequences(seed=3)
    model = fit_tiny(LSTMRegressor)
    nodes, weights = np.polynomial.legendre.leggauss(6)
    expected = [np.zeros_like(x) for x in X]
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        for total, gradient in zip(
            expected, model.input_gradients([node * x for x in X]), strict=True
        ):
            total += weight * gradient
    for x, total, shares in zip(X, expected, model.integrated_gradients(X, n_steps=6), strict=True):
        np.testing.assert_allclose(shares, x * total, rtol=1e-12, atol=1e-15)


def test_the_baseline_is_zero_unless_said_otherwise():
    X = make_sequences()
    model = fit_tiny(LSTMRegressor)
    given = model.integrated_gradients(X, [0.0, 0.0])
    for a, b in zip(model.integrated_gradients(X), given, strict=True):
        np.testing.assert_array_equal(a, b)
    ones = model.integrated_gradients(X, [1.0, 1.0])
    difference = model.predict(X) - model.predict([np.ones_like(x) for x in X])
    np.testing.assert_allclose([a.sum() for a in ones], difference, rtol=1e-8)


def test_the_predicted_class_is_explained_unless_said_otherwise():
    X = make_sequences()
    model = fit_tiny(GRUClassifier, max_iter=30)
    labels = model.predict(X)
    assert len(set(labels)) > 1
    ours = model.input_gradients(X)
    for label in model.classes_:
        chosen = model.input_gradients(X, target=label)
        for i in np.flatnonzero(labels == label):
            np.testing.assert_array_equal(ours[i], chosen[i])


def test_two_classes_have_opposite_log_odds():
    X = make_sequences()
    y = np.array([True, False] * 6)
    model = fit_tiny(LSTMClassifier, X, y)
    second = model.input_gradients(X)
    for a, b, c in zip(
        second, model.input_gradients(X, True), model.input_gradients(X, False), strict=True
    ):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, -c)


@pytest.mark.parametrize("loss", ["poisson", "quantile", "huber"])
def test_several_outputs_each_in_its_own_unit(loss):
    X = make_sequences()
    rng = np.random.default_rng(2)
    y = rng.poisson([2, 200], size=(12, 2)).astype(float)
    model = fit_tiny(LSTMRegressor, X, y, loss=loss, quantiles=(0.2, 0.8))
    indices = [(k, q) for k in range(2) for q in range(2)] if loss == "quantile" else [0, 1]
    for index in indices:
        key = (slice(None), *np.atleast_1d(index))
        expected = difference_quotients(lambda X, key=key: model.predict(X)[key], X)
        scale = max(np.abs(e).max() for e in expected)
        for ours, theirs in zip(model.input_gradients(X, index), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-7 * scale)


def test_labels_of_multilabel_targets():
    X = make_sequences()
    Y = np.random.default_rng(0).integers(2, size=(12, 3))
    model = fit_tiny(GRUClassifier, X, Y)
    expected = difference_quotients(lambda X: model.decision_function(X)[:, 2], X)
    for ours, theirs in zip(model.input_gradients(X, 2), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("step", [None, 0, -1])
def test_one_step_or_all_with_an_answer_at_every_step(step):
    X = make_sequences((4, 6, 3))
    y = [np.sin(x[:, 0]) for x in X]
    model = tiny(LSTMRegressor, return_sequences=True, bidirectional=True).fit(X, y)

    def answer(X):
        return np.array([p.sum() if step is None else p[step] for p in model.predict(X)])

    expected = difference_quotients(answer, X)
    for ours, theirs in zip(model.input_gradients(X, step=step), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
    sums = [a.sum() for a in model.integrated_gradients(X, step=step)]
    baseline = answer([np.zeros_like(x) for x in X])
    np.testing.assert_allclose(sums, answer(X) - baseline, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_tokens_share_the_difference_from_the_unknown_token(pooling):
    y = np.arange(8) % 2
    model = tiny(GRUClassifier, embedding_size=3, pooling=pooling).fit(NAMES, y)
    shares = model.integrated_gradients(NAMES)
    assert [s.shape for s in shares] == [(len(name),) for name in NAMES]
    unknown = ["?" * len(name) for name in NAMES]
    with pytest.warns(UserWarning, match="No token of X is known"):
        difference = model.decision_function(NAMES) - model.decision_function(unknown)
    np.testing.assert_allclose([s.sum() for s in shares], difference, rtol=1e-8, atol=1e-12)
    shares = model.integrated_gradients(NAMES, baseline="a")
    difference = model.decision_function(NAMES) - model.decision_function(
        ["a" * len(name) for name in NAMES]
    )
    np.testing.assert_allclose([s.sum() for s in shares], difference, rtol=1e-8, atol=1e-12)


def test_gradients_by_the_vectors_of_tokens_add_up_to_that_of_the_embedding():
    model = tiny(GRURegressor, embedding_size=3).fit(NAMES, np.arange(8.0))
    gradients = model.input_gradients(NAMES)
    assert [g.shape for g in gradients] == [(len(name), 3) for name in NAMES]
    token, step = list(model.vocabulary_).index("b"), 1e-5
    expected = np.empty((8, 3))
    for k in range(3):
        answers = []
        for sign in (1, -1):
            moved = model._with_weights(np.array(model._theta_))
            E = moved._make_network().layout.bind(moved._theta_).embedding
            E[token, k] += sign * step
            answers.append(moved.predict(NAMES))
        expected[:, k] = (answers[0] - answers[1]) / (2 * step)
    for name, gradient, slope in zip(NAMES, gradients, expected, strict=True):
        of_b = gradient[[letter == "b" for letter in name]].sum(axis=0)
        np.testing.assert_allclose(of_b, slope, rtol=1e-5, atol=1e-8)


# --- Errors through time --------------------------------------------------------------------------


def test_gradient_flow_is_that_of_each_sequence_alone(Estimator):
    X = make_sequences()
    model = fit_tiny(Estimator, X, num_layers=2, bidirectional=True)
    y = make_targets(model)
    flow = model.gradient_flow(X, y)
    assert list(flow.norms) == ["l0", "l0_reverse", "l1", "l1_reverse"]
    for i in range(len(X)):
        alone = model.gradient_flow(X[i : i + 1], y[i : i + 1])
        for name, norms in flow.norms.items():
            np.testing.assert_allclose(np.ravel(alone.norms[name][0]), norms[i], rtol=1e-9)


def test_gradient_flow_ends_with_what_the_readout_sends_back():
    """At the last step of the top layer, dL/dh = W_out^T (p - y)."""
    X = make_sequences()
    model = fit_tiny(LSTMClassifier, X)
    y = make_targets(model)
    norms = model.gradient_flow(X, y).norms["l0"]
    errors = model.predict_proba(X) - (y[:, None] == model.classes_)
    expected = np.linalg.norm(errors @ model.weights_["weight_out"], axis=1)
    np.testing.assert_allclose([n[-1] for n in norms], expected, rtol=1e-12)


@architectures
def test_bounds_hold_and_follow_from_sigma_max(params):
    X = make_sequences()
    model = fit_tiny(RNNRegressor, X, **params)
    flow = model.gradient_flow(X, make_targets(model))
    assert flow.bounds.keys() == flow.norms.keys()
    for name, bounds in flow.bounds.items():
        sigma = np.linalg.svd(model.weights_[f"weight_hh_{name}"])[1][0]
        assert flow.sigma_max[name] == pytest.approx(sigma)
        for norms, bound in zip(flow.norms[name], bounds, strict=True):
            assert (norms <= bound * (1 + 1e-10)).all()
        if params == {}:
            for norms, bound in zip(flow.norms[name], bounds, strict=True):
                k = np.arange(len(norms))[::-1]
                np.testing.assert_allclose(bound, sigma**k * norms[-1], rtol=1e-10)


def test_steps_without_a_target_send_nothing_back():
    X = np.random.default_rng(0).normal(size=(4, 6, 2))
    y = np.random.default_rng(1).normal(size=(4, 6))
    model = tiny(GRURegressor, return_sequences=True).fit(X, y)
    y[:, 3:] = np.nan
    norms = model.gradient_flow(X, y).norms["l0"]
    assert (norms[:, :3] > 0).all()
    assert not norms[:, 3:].any()


def test_gradient_flow_does_not_depend_on_parameters_set_after_the_fit():
    X = make_sequences()
    model = fit_tiny(LSTMRegressor, X)
    y = make_targets(model)
    before = model.gradient_flow(X, y).norms["l0"]
    model.set_params(loss="poisson", return_sequences=True, pooling="max")
    for a, b in zip(before, model.gradient_flow(X, y).norms["l0"], strict=True):
        np.testing.assert_array_equal(a, b)


# --- What all of them keep to ---------------------------------------------------------------------


def test_nothing_is_changed(Estimator):
    X = make_sequences()
    before = [x.copy() for x in X]
    model = fit_tiny(Estimator, X)
    y = make_targets(model)
    with unchanged(model):
        model.hidden_states(X)
        model.gradient_flow(X, y)
        model.input_gradients(X)
        model.integrated_gradients(X, [0.5, 1.0], n_steps=50)
        model.summary(X)
    for x, was in zip(X, before, strict=True):
        np.testing.assert_array_equal(x, was)


def test_unfitted_models_say_so(Estimator):
    model, X = Estimator(), make_sequences()
    for look in (
        lambda: model.hidden_states(X),
        lambda: model.gate_activations(X),
        lambda: model.gradient_flow(X, np.zeros(12)),
        lambda: model.input_gradients(X),
        lambda: model.integrated_gradients(X),
        lambda: model.summary(X),
    ):
        with pytest.raises(NotFittedError):
            look()


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (lambda: fit_tiny(LSTMClassifier), dict(target="fir"), "one of the classes .*got 'fir'"),
        (lambda: fit_tiny(LSTMRegressor), dict(target=0), "target must be None: there is one"),
        (lambda: fit_tiny(LSTMRegressor), dict(step=0), "needs return_sequences=True"),
        (
            lambda: fit_tiny(GRURegressor, y=np.zeros((12, 3))),
            {},
            "an integer below 3.*got None",
        ),
        (lambda: fit_tiny(GRURegressor, y=np.zeros((12, 3))), dict(target=3), "got 3"),
        (lambda: fit_tiny(GRURegressor, y=np.zeros((12, 3))), dict(target=(0, 1)), "got"),
        (
            lambda: fit_tiny(GRURegressor, y=np.arange(24.0).reshape(12, 2), loss="quantile"),
            dict(target=1),
            r"a tuple of integers below \(2, 3\)",
        ),
        (lambda: fit_tiny(RNNClassifier, y=np.zeros(12)), {}, "knows one class only"),
    ],
)
def test_what_cannot_be_explained(make, options, message):
    model = make()
    for explain in (model.input_gradients, model.integrated_gradients):
        with pytest.raises(ValueError, match=message):
            explain(make_sequences(), **options)


@pytest.mark.parametrize("step", [1, -2, 0.0, True])
def test_steps_that_some_sequence_does_not_have(step):
    X = make_sequences()
    model = tiny(LSTMRegressor, return_sequences=True).fit(X, [x[:, 0] for x in X])
    with pytest.raises(ValueError, match=r"from -1 to 0, since the shortest sequence"):
        model.input_gradients(X, step=step)


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ([1.0], "a finite number for each of 2 feature"),
        ([], "a finite number for each of 2 feature"),
        ([1.0, np.nan], "a finite number for each of 2 feature"),
        (make_sequences((5, 2)), "as many sequences as X, of the same lengths: got 2"),
        (make_sequences(n_features=3), "features"),
        ("zero", "could not convert string"),
    ],
)
def test_baselines_that_do_not_fit(baseline, message):
    with pytest.raises((ValueError, TypeError), match=message):
        fit_tiny(LSTMRegressor).integrated_gradients(make_sequences(), baseline)


def test_a_baseline_of_tokens_is_one_token():
    model = tiny(GRUClassifier, embedding_size=3).fit(NAMES, np.arange(8) % 2)
    with pytest.raises(ValueError, match="baseline must be a token"):
        model.integrated_gradients(NAMES, baseline=["a", "b"])


@pytest.mark.parametrize("n_steps", [0, -1, 2.5, True, None])
def test_numbers_of_nodes_that_are_none(n_steps):
    with pytest.raises(ValueError, match="n_steps must be a positive integer"):
        fit_tiny(LSTMRegressor).integrated_gradients(make_sequences(), n_steps=n_steps)


def test_long_and_many_sequences_come_in_blocks():
    """The same whether a sequence comes alone or with 600 others, and at chunks' borders."""
    X = make_sequences(np.random.default_rng(0).integers(1, 300, size=600), seed=5)
    model = fit_tiny(GRURegressor)
    together = model.input_gradients(X)
    for i in (0, 17, 599):
        (alone,) = model.input_gradients([X[i]])
        np.testing.assert_allclose(together[i], alone, rtol=1e-8, atol=1e-12)


def test_object_arrays_are_sequences_too():
    X = make_sequences()
    model = fit_tiny(LSTMRegressor)
    for a, b in zip(model.input_gradients(object_array(X)), model.input_gradients(X), strict=True):
        np.testing.assert_array_equal(a, b)
