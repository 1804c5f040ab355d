"""Fitted estimators of every kind, and their answers, for the frameworks that must agree.

All were fitted on a few small ragged sequences. Their answers come one below the other: a row for
each sequence, or for each step.
"""

import numpy as np
import pytest

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, LSTMRegressor, RNNClassifier
from tests.helpers import LENGTHS, SIX, fit_tiny, make_sequences, make_targets, tiny

ALL_OPTIONS = dict(
    num_layers=3,
    bidirectional=True,
    layer_norm=True,
    residual=True,
    learn_initial_state=True,
    pooling="attention",
    head_sizes=(5,),
)
ARCHITECTURES = {
    "one_layer": {},
    "both_ways": dict(bidirectional=True),
    "three_layers": dict(num_layers=3),
    "two_layers_both_ways_mean": dict(num_layers=2, bidirectional=True, pooling="mean"),
    "two_layers_both_ways_max": dict(num_layers=2, bidirectional=True, pooling="max"),
    "max": dict(pooling="max"),
    "layer_norm": dict(layer_norm=True, num_layers=2, bidirectional=True),
    "residual": dict(residual=True, num_layers=3, bidirectional=True, pooling="mean"),
    "learned_start": dict(learn_initial_state=True, num_layers=2, bidirectional=True),
    "head": dict(head_sizes=(5, 3)),
    "attention": dict(pooling="attention", bidirectional=True),
    "all_options": ALL_OPTIONS,
}

TOKENS = [list(text) for text in ["abca", "cb", "abbbcaa", "c", "cabb", "abc"] * 2]


def _random(seed=3):
    return np.random.default_rng(seed)


def _on_sequences(Estimator, y, **params):
    def make(dtype):
        return fit_tiny(Estimator, make_sequences(dtype=dtype), y(), **params)

    return make


def _steps(draw):
    return lambda: [draw(length) for length in LENGTHS]


def _tokens(Estimator, tokens, **params):
    def make(dtype):
        model = tiny(Estimator, embedding_size=3, **params)
        return model.fit(tokens, make_targets(model, len(tokens)))

    return make


# Everything that an answer can be. Each is a function of the dtype.
KINDS = {
    "binary": _on_sequences(LSTMClassifier, lambda: np.arange(12) % 2),
    "one_class": _on_sequences(GRUClassifier, lambda: np.ones(12)),
    "strings": _on_sequences(GRUClassifier, lambda: np.array(["oak", "ash", "elm"] * 4)),
    "bools": _on_sequences(GRUClassifier, lambda: np.arange(12) % 3 == 0),
    "floats": _on_sequences(GRUClassifier, lambda: np.arange(12) % 2 * 2.0),
    "multilabel": _on_sequences(RNNClassifier, lambda: _random().integers(0, 2, (12, 3))),
    "relu": _on_sequences(
        RNNClassifier, lambda: np.arange(12) % 3, nonlinearity="relu", bidirectional=True
    ),
    "several_targets": _on_sequences(GRURegressor, lambda: _random().normal(9, 3, (12, 2))),
    "absolute_error": _on_sequences(
        LSTMRegressor, lambda: _random().normal(size=12), loss="absolute_error"
    ),
    "huber": _on_sequences(GRURegressor, lambda: _random().normal(size=12), loss="huber"),
    "poisson": _on_sequences(GRURegressor, lambda: _random().poisson(4.0, 12), loss="poisson"),
    "quantiles": _on_sequences(LSTMRegressor, lambda: _random().normal(size=12), loss="quantile"),
    "one_quantile": _on_sequences(
        GRURegressor, lambda: _random().normal(size=12), loss="quantile", quantiles=0.3
    ),
    "quantiles_of_several": _on_sequences(
        LSTMRegressor, lambda: _random().normal(size=(12, 2)), loss="quantile"
    ),
    "binary_per_step": _on_sequences(
        LSTMClassifier, _steps(lambda T: np.arange(T) % 2), return_sequences=True
    ),
    "classes_per_step": _on_sequences(
        GRUClassifier,
        _steps(lambda T: np.arange(T) % 3),
        return_sequences=True,
        bidirectional=True,
    ),
    "labels_per_step": _on_sequences(
        RNNClassifier, _steps(lambda T: np.eye(T, 3, dtype=int)), return_sequences=True
    ),
    "target_per_step": _on_sequences(
        LSTMRegressor, _steps(lambda T: np.arange(T) * 1.0), return_sequences=True
    ),
    "quantiles_per_step": _on_sequences(
        GRURegressor,
        _steps(lambda T: _random().normal(size=(T, 2))),
        return_sequences=True,
        loss="quantile",
    ),
    "all_options_per_step": _on_sequences(
        LSTMClassifier,
        _steps(lambda T: np.arange(T) % 3),
        return_sequences=True,
        **ALL_OPTIONS,
    ),
    "letters": _tokens(GRUClassifier, TOKENS, bidirectional=True),
    "letters_with_all_options": _tokens(RNNClassifier, TOKENS, **ALL_OPTIONS),
    "numbers_as_tokens": _tokens(
        LSTMRegressor, [[7 * ord(letter) for letter in text] for text in TOKENS]
    ),
}


def all_models(function):
    """Run a test on each class with each architecture, and on each kind of answer.

    It is given `make`, a function of the dtype.
    """
    cases = [
        pytest.param(_architecture(Estimator, params), id=f"{Estimator.__name__}-{name}")
        for Estimator in SIX
        for name, params in ARCHITECTURES.items()
    ]
    cases += [pytest.param(make, id=name) for name, make in KINDS.items()]
    return pytest.mark.parametrize("make", cases)(function)


def _architecture(Estimator, params):
    return lambda dtype: fit_tiny(Estimator, make_sequences(dtype=dtype), **params)


def new_data(model):
    """Give sequences that the model has not seen, in float64 or as tokens, one of them unknown."""
    if not model._reads_tokens:
        return make_sequences(LENGTHS[::-1], seed=5)
    known = model.vocabulary_.tolist()
    unknown = "?" if isinstance(known[0], str) else -5
    return [[*known, unknown], known[:1], [unknown], known[::-1]]


def rows(answers, lengths):
    """Lay the answers for sequences, or padded ones (n, T, ...) for steps, below each other."""
    return np.concatenate([np.asarray(a)[:T] for a, T in zip(answers, lengths, strict=True)])


def finest_answer(model, X):
    """Give probabilities or predictions, one row for each sequence or step."""
    answer = getattr(model, "predict_proba", model.predict)(X)
    return np.concatenate(list(answer)) if is_per_step(model) else answer


def is_per_step(model):
    return model.get_params()["return_sequences"]


def run_onnx(proto, **inputs):
    """Give what onnxruntime says, by the outputs' names."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))
