"""The architecture's options at the estimators' level, from dropout to initial weights."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, LSTMRegressor, RNNClassifier
from sklearn_rnn._running import cutting
from sklearn_rnn._training.dropout import Dropout
from tests.helpers import (
    SIX,
    assert_same_answers,
    assert_same_model,
    fit_tiny,
    make_sequences,
    make_targets,
    pickled,
    same_model,
    scores_of,
    tiny,
)

DROPOUT = dict(dropout=0.3, recurrent_dropout=0.2)
ARCHITECTURE = dict(layer_norm=True, residual=True, learn_initial_state=True, head_sizes=(5, 3))
STILL, TINY = dict(max_iter=1, learning_rate_init=1e-300), 1e-299
ALL = dict(num_layers=2, pooling="attention", **ARCHITECTURE, **DROPOUT)

all_six = pytest.mark.parametrize("Estimator", SIX)
gated = pytest.mark.parametrize("Estimator", [E for E in SIX if not E.__name__.startswith("RNN")])


# --- Everything at once ---------------------------------------------------------------------------


@all_six
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
def test_all_options_together(Estimator, bidirectional):
    X = make_sequences()
    fitted = fit_tiny(Estimator, bidirectional=bidirectional, **ALL)
    assert_same_model(fitted, fit_tiny(Estimator, bidirectional=bidirectional, **ALL))
    assert_same_answers(fitted, pickled(fitted), X)
    assert fitted.transform(X).shape == (12, 4 * (1 + bidirectional))
    alone = [scores_of(fitted, [x])[0] for x in X]  # whatever the batch, and its padding
    np.testing.assert_allclose(np.array(alone), scores_of(fitted, X), rtol=1e-12, atol=1e-12)


@all_six
def test_a_long_sequence_is_pooled_as_a_short_one(Estimator):
    """Predictions run through long sequences in pieces, where pooling allows it."""
    X = make_sequences([300, 5, 140])
    for pooling in ("attention", "last"):
        fitted = fit_tiny(Estimator, **{**ALL, "pooling": pooling})
        prefixes = (
            fitted.predict_proba_prefixes
            if hasattr(fitted, "classes_")
            else fitted.predict_prefixes
        )
        whole = fitted.predict_proba(X) if hasattr(fitted, "classes_") else fitted.predict(X)
        for answer, prefix in zip(whole, prefixes(X), strict=True):
            np.testing.assert_allclose(answer, prefix[-1], rtol=1e-10)


@all_six
@pytest.mark.parametrize("pooling", ["attention", "mean"])
def test_streams_begin_where_training_has_learned_to(Estimator, pooling):
    X = make_sequences([6, 6, 6])
    fitted = fit_tiny(Estimator, **{**ALL, "pooling": pooling}, max_iter=20)
    assert fitted.weights_["h_0_l0"].any()
    expected, state = fitted.predict_prefixes(X), None
    for t in range(6):
        answer, state = fitted.step(np.array([x[t] for x in X]), state)
        now = np.array([prefix[t] for prefix in expected])
        assert (answer == now).all() if answer.dtype.kind == "U" else np.allclose(answer, now)
    _, after = fitted.predict(X, return_state=True)
    np.testing.assert_allclose(after.h, state.h, rtol=1e-12)
    np.testing.assert_allclose(after.pooled, state.pooled, rtol=1e-10)


@all_six
def test_per_step_answers_with_all_options(Estimator):
    X = make_sequences()
    rng = np.random.default_rng(0)
    labels = hasattr(Estimator, "predict_proba")
    y = [rng.integers(3, size=len(x)) if labels else rng.normal(size=len(x)) for x in X]
    params = {**ALL, "return_sequences": True}
    fitted = tiny(Estimator, **params).fit(X, y)
    assert [len(answer) for answer in fitted.predict(X)] == [len(x) for x in X]
    pieces = tiny(Estimator, **params, tbptt_steps=3).fit(X, y)
    assert not same_model(fitted, pieces)


def test_tokens_with_dropout():
    words = ["abba", "acab", "baca", "cabb", "bbac", "caca"] * 4
    y = [word.count("a") for word in words]
    fitted = GRURegressor(embedding_size=4, random_state=0, max_iter=100, **DROPOUT)
    assert fitted.fit(words, y).score(words, y) > 0.5


# --- Dropout --------------------------------------------------------------------------------------


@all_six
@pytest.mark.parametrize("name", DROPOUT)
def test_dropout_is_of_training_alone(Estimator, name):
    """No prediction is random, and what is learned depends on the seed."""
    X = make_sequences()
    fitted = fit_tiny(Estimator, **{name: 0.5})
    np.testing.assert_array_equal(scores_of(fitted, X), scores_of(fitted, X))
    assert not same_model(fitted, fit_tiny(Estimator))
    assert not same_model(fitted, fit_tiny(Estimator, **{name: 0.5}, random_state=1))


def test_threads_change_no_bit_of_dropout(monkeypatch):
    monkeypatch.setattr(cutting, "COLUMNS_OF_PART", 2)
    monkeypatch.setattr(cutting, "SIZE_OF_PART", 1)
    monkeypatch.setattr(cutting, "SIZE_FOR_THREADS", 1)
    one = fit_tiny(GRUClassifier, **DROPOUT)
    monkeypatch.setattr("sklearn_rnn._estimators.base.single_blas_thread", _two_threads)
    assert_same_model(one, fit_tiny(GRUClassifier, **DROPOUT))


class _two_threads:
    def __enter__(self):
        return 2

    def __exit__(self, *args):
        return False


@all_six
def test_partial_fits_draw_other_masks(Estimator):
    """k warm epochs draw what one fit of k epochs draws."""
    X = make_sequences()
    y = make_targets(Estimator())
    whole = tiny(Estimator, max_iter=3, **DROPOUT).fit(X, y)
    warm = tiny(Estimator, max_iter=1, warm_start=True, **DROPOUT)
    for _ in range(3):
        warm.fit(X, y)
    assert_same_model(warm, whole)


@pytest.mark.parametrize("rate", [0.2, 0.6])
def test_masks_keep_the_expectation(rate):
    fitted = LSTMClassifier(6, num_layers=2, bidirectional=True).fit(np.eye(4), [0, 1, 0, 1])
    network = fitted._make_network()
    dropout = Dropout(rate, rate, np.float32)
    masks = dropout.draw(network, 50, 400, np.random.default_rng(0))
    for mask in (masks.x, masks.out(0, 1), masks.states[1][0], masks.pooled):
        assert mask.dtype == np.float32
        assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / (1 - rate))}
        assert abs(mask.mean() - 1) < 5 / np.sqrt(mask.size)
    assert masks.states[0][0].shape == (6, 400)  # one mask for all steps


@pytest.mark.parametrize("Estimator", [GRUClassifier, LSTMClassifier])
@pytest.mark.parametrize("name", DROPOUT)
def test_dropout_keeps_a_small_set_from_being_learned_by_heart(Estimator, name):
    """A network that knows 100 noisy samples by heart is sure, and wrong: what dropout is for."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 10, 4))
    y = X[:, :, 0].sum(axis=1) + 2 * rng.normal(size=400) > 0
    losses = []
    for rate in (0.0, 0.5):
        fitted = Estimator(32, max_iter=60, n_iter_no_change=60, random_state=0, **{name: rate})
        fitted.fit(X[:100], y[:100])
        losses.append(log_loss(y[100:], fitted.predict_proba(X[100:])))
    assert losses[1] < 0.8 * losses[0]


# --- Initial weights ------------------------------------------------------------------------------


@gated
def test_chrono_biases_are_of_the_longest_training_sequence(Estimator):
    X = make_sequences([40, 3, 101, 7, 50, 9, 20, 20, 20, 20, 20, 20])
    fitted = fit_tiny(Estimator, X, hidden_size=500, init="chrono", **STILL)
    bias = fitted.weights_["bias_ih_l0"].reshape(-1, 500)
    if "LSTM" in Estimator.__name__:
        keep = bias[1]
        np.testing.assert_array_equal(bias[0], -keep)
    else:
        keep = bias[1]
        assert np.abs(bias[0]).max() < TINY
    times = np.exp(keep)
    assert 1 <= times.min() < 3
    assert 98 < times.max() <= 100
    assert abs(times.mean() - 50.5) < 5


def test_identity_is_the_irnn():
    fitted = fit_tiny(RNNClassifier, init="identity", nonlinearity="relu", **STILL)
    assert np.abs(fitted.weights_["weight_hh_l0"] - np.eye(4)).max() < TINY
    assert 0 < np.abs(fitted.weights_["weight_ih_l0"]).max() < 0.005
    assert np.abs(fitted.weights_["bias_ih_l0"]).max() < TINY


def test_options_start_where_they_change_nothing():
    """Gains of one, biases and initial states of zero, attention that is the mean."""
    weights = fit_tiny(LSTMRegressor, **ALL, **STILL).weights_
    for name, array in weights.items():
        if name.startswith("norm_weight"):
            np.testing.assert_array_equal(array, 1)
        if name.startswith(("norm_bias", "h_0", "c_0", "weight_attention", "bias_head")):
            assert np.abs(array).max() < TINY
    mean, attention = (fit_tiny(LSTMRegressor, pooling=p, **STILL) for p in ("mean", "attention"))
    X = make_sequences()
    np.testing.assert_allclose(mean.predict(X), attention.predict(X), rtol=1e-12)


# --- What they are for ----------------------------------------------------------------------------


def test_attention_finds_the_marked_step():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 20, 2))
    X[:, :, 1] = 0
    marked = rng.integers(20, size=400)
    X[np.arange(400), marked, 1] = 1
    y = X[np.arange(400), marked, 0]
    fitted = GRURegressor(16, pooling="attention", max_iter=60, random_state=0)
    assert fitted.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.9
    found = fitted.attention_weights(X[300:]).argmax(axis=1)
    assert np.mean(found == marked[300:]) > 0.8


def test_a_learned_start_answers_what_no_input_says():
    """With inputs of zero and no bias to move, the first answer is that of the initial state."""
    X, y = np.zeros((40, 3, 1)), np.tile([1.0, -1.0, 0.5], (40, 1))
    params = dict(return_sequences=True, max_iter=250, n_iter_no_change=250, random_state=0)
    learned = GRURegressor(4, learn_initial_state=True, **params).fit(X, y)
    assert np.abs(learned.predict(X[:1]) - y[:1]).max() < 0.1
    assert learned.weights_["h_0_l0"].any()


@all_six
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
def test_attention_weights_make_the_embedding(Estimator, bidirectional):
    X = make_sequences()
    fitted = fit_tiny(Estimator, pooling="attention", bidirectional=bidirectional, max_iter=20)
    weights, states = fitted.attention_weights(X), fitted.hidden_states(X)
    for a, h, embedding in zip(weights, states, fitted.transform(X), strict=True):
        a = a.reshape(len(h), -1)
        assert (a >= 0).all()
        np.testing.assert_allclose(a.sum(axis=0), 1)
        assert len(h) == 1 or a.std() > 0
        pooled = [a_d @ h_d for a_d, h_d in zip(a.T, np.split(h, a.shape[1], axis=1), strict=True)]
        np.testing.assert_allclose(np.concatenate(pooled), embedding, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(fitted.attention_weights(np.zeros((2, 5, 2))).shape[:2], (2, 5))


@all_six
def test_attention_weights_of_another_pooling(Estimator):
    with pytest.raises(ValueError, match="pooling='last', and has no attention: fit it with"):
        fit_tiny(Estimator).attention_weights(make_sequences())


# --- What cannot be -------------------------------------------------------------------------------


@all_six
@pytest.mark.parametrize(
    ("params", "message"),
    [
        (dict(dropout=1.0), "dropout"),
        (dict(recurrent_dropout=-0.1), "recurrent_dropout"),
        (dict(dropout=True), "dropout"),
        (dict(head_sizes=(0,)), "head_sizes must hold"),
        (dict(head_sizes=(3.5,)), "head_sizes must hold"),
        (dict(head_sizes=[True]), "head_sizes must hold"),
        (dict(head_sizes=5), "head_sizes"),
        (dict(layer_norm="yes"), "layer_norm"),
        (dict(init="zeros"), "init"),
        (dict(solver="lbfgs", dropout=0.1), "needs the same objective"),
        (dict(solver="lbfgs", recurrent_dropout=0.1), "needs the same objective"),
        (dict(pooling="attention", tbptt_steps=3), "weighs all steps against each other"),
    ],
)
def test_bad_options(Estimator, params, message):
    estimator = tiny(Estimator, **params)
    with pytest.raises(ValueError, match=message):
        estimator.fit(make_sequences(), make_targets(estimator))
    assert not hasattr(estimator, "n_iter_")


@all_six
@pytest.mark.parametrize("name", ["layer_norm", "residual", "learn_initial_state", "head_sizes"])
def test_a_warm_start_keeps_the_architecture(Estimator, name):
    X, fitted = make_sequences(), fit_tiny(Estimator, warm_start=True)
    fitted.set_params(**{name: (2,) if name == "head_sizes" else True})
    with pytest.raises(ValueError, match=f"cannot go on with {name}="):
        fitted.fit(X, make_targets(fitted))


@all_six
def test_a_warm_start_may_change_dropout(Estimator):
    X, fitted = make_sequences(), fit_tiny(Estimator, warm_start=True)
    fitted.set_params(**DROPOUT).fit(X, make_targets(fitted))
    assert clone(fitted).get_params()["dropout"] == 0.3
