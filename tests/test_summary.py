"""The summary of a fitted model: its parameters counted, its costs measured."""

import tracemalloc

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, LSTMRegressor, RNNRegressor
from sklearn_rnn._estimators.summary import _with_unit
from tests.helpers import SIX, fit_tiny, make_sequences, tiny

KINDS = {
    "plain": {},
    "deep_both_ways": dict(num_layers=3, bidirectional=True),
    "mean": dict(pooling="mean"),
    "all_options": dict(
        num_layers=2,
        pooling="attention",
        layer_norm=True,
        residual=True,
        learn_initial_state=True,
        head_sizes=(6, 5),
    ),
}


@pytest.mark.parametrize("params", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("Estimator", SIX)
def test_parameters_add_up(Estimator, params):
    model = fit_tiny(Estimator, **params)
    summary = model.summary()
    assert summary.cost is None
    assert summary.n_parameters == model.n_parameters_
    assert sum(n for *_, n in summary.layers) == model.n_parameters_
    layers = [layer for layer in summary.layers if " layer " in layer[0] and "relu" not in layer[0]]
    assert len(layers) == model.num_layers
    assert {shape for _, shape, _ in layers} == {f"(n, T, {4 * (1 + model.bidirectional)})"}


def test_the_table_of_tokens_with_an_answer_at_every_step():
    names = ["anna", "bob"]
    y = [list(range(4)), list(range(3))]
    model = tiny(GRURegressor, embedding_size=3, return_sequences=True).fit(names, y)
    assert str(model.summary()).splitlines() == [
        "GRURegressor",
        "--------------------------------------------",
        "layer                  output     parameters",
        "--------------------------------------------",
        "embedding of 4 tokens  (n, T, 3)          12",
        "GRU layer 0            (n, T, 4)         100",
        "readout                (n, T, 1)           5",
        "--------------------------------------------",
        "total                                    117",
    ]
    assert repr(model.summary()) == str(model.summary())


def test_the_table_of_all_options():
    model = fit_tiny(LSTMRegressor, bidirectional=True, **KINDS["all_options"])
    assert model.summary().layers == (
        ("LSTM layer 0, both directions, normalised", "(n, T, 8)", 2 * (112 + 8 + 8)),
        ("LSTM layer 1, both directions, residual, normalised", "(n, T, 8)", 2 * (208 + 8 + 8)),
        ("pooling: attention", "(n, 8)", 8),
        ("dense layer 0, relu", "(n, 6)", 54),
        ("dense layer 1, relu", "(n, 5)", 35),
        ("readout", "(n, 1)", 6),
    )


def test_operations_are_two_for_each_weight_a_step_reads():
    X = np.zeros((20, 7, 3)) + np.arange(20)[:, None, None]
    model = tiny(LSTMClassifier, hidden_size=5, num_layers=2, batch_size=8).fit(
        X, np.arange(20) % 2
    )
    cost = model.summary(X).cost
    of_step = 4 * 5 * (5 + 1 + 3) + 4 * 5 * (5 + 1 + 5)
    assert cost.forward_operations == 2 * (of_step * 7 + 5 + 1) * 20
    assert cost.update_operations == 3 * cost.forward_operations * 8 / 20
    assert (cost.n_sequences, cost.shortest, cost.longest, cost.batch_size) == (20, 7, 7, 8)


def test_the_costs_are_printed_and_shown():
    X = make_sequences()
    summary = fit_tiny(GRUClassifier, X).summary(X)
    text, html = str(summary), summary._repr_html_()
    for words in ("12 sequences of 1 to 7 steps", "memory of training", "update by 12 sequences"):
        assert words in text
        assert words in html
    assert html.count("<table>") == html.count("</table>") == 1
    assert html.count("<tr>") == html.count("</tr>")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_500, "1 MB"), (12_345_678, "12.3 MB")],
)
def test_units(number, text):
    assert _with_unit(number, "B") == text


def peak_of(run):
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


MEASURED = {
    "lstm": (LSTMRegressor, {}),
    "gru_deep_both_ways": (GRURegressor, dict(num_layers=2, bidirectional=True)),
    "rnn_mean": (RNNRegressor, dict(pooling="mean")),
    "lstm_truncated": (LSTMRegressor, dict(tbptt_steps=50)),
    "gru_all_data": (GRURegressor, dict(solver="lbfgs")),
    "gru_all_options": (
        GRURegressor,
        dict(num_layers=2, layer_norm=True, residual=True, dropout=0.1, recurrent_dropout=0.1),
    ),
    "lstm_large_batch": (LSTMRegressor, dict(hidden_size=64, batch_size=128)),
}


@pytest.mark.parametrize("case", MEASURED)
def test_memory_is_what_is_measured(case):
    """Within a tenth of what is allocated at most, beside X."""
    Estimator, params = MEASURED[case]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 150, 4))
    y = rng.normal(size=160)
    params = dict(hidden_size=32, max_iter=2, random_state=0) | params
    model = Estimator(**params).fit(X, y)
    cost = model.summary(X).cost
    training = peak_of(lambda: Estimator(**params).fit(X, y))
    assert cost.training_bytes == pytest.approx(training, rel=0.1)
    prediction = peak_of(lambda: model.predict(X))
    assert cost.prediction_bytes == pytest.approx(prediction, rel=0.1)
