"""A user's script that mypy --strict and pyright accept; run by tests/typing/test_types.py.

`assert_type` says what the type checkers infer, so that an editor offers the right completions.
Every call is also right at run time: the script runs.
"""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    RecurrentForecaster,
    RecurrentState,
    RNNClassifier,
    SequenceArray,
    make_sequence_scorer,
    make_windows,
    sequences_from_frame,
)
from sklearn_rnn.datasets import (
    JapaneseVowels,
    load_japanese_vowels,
    load_sequential_digits,
    make_adding_problem,
)
from sklearn_rnn.forecasting import Backtest
from sklearn_rnn.frames import FrameSequences
from sklearn_rnn.inspection import PermutationImportance, permutation_importance
from sklearn_rnn.preprocessing import TimestepTransformer
from sklearn_rnn.windows import Windows

Array = NDArray[Any]
rng = np.random.default_rng(0)


def classify() -> None:
    X = [rng.normal(size=(n, 2)) for n in (3, 5, 4, 6)]
    y = ["up", "down", "up", "down"]
    clf = LSTMClassifier(
        8,
        num_layers=2,
        pooling="mean",
        head_sizes=[4],
        solver="adamw",
        batch_size=64,
        learning_rate_init=0.01,
        learning_rate="cosine",
        max_grad_norm=None,
        n_iter_no_change=5,
        early_stopping=False,
        class_weight="balanced",
        max_iter=1,
        random_state=0,
    )
    assert_type(clf.hidden_size, int)
    fitted = clf.fit(X, y, sample_weight=[1.0, 1.0, 2.0, 1.0])
    assert_type(fitted, LSTMClassifier)
    assert_type(fitted.partial_fit(X, y), LSTMClassifier)
    assert_type(fitted.predict(X), Array)
    assert_type(fitted.predict_proba(SequenceArray.from_sequences(X)), Array)
    assert_type(fitted.predict_log_proba(X), Array)
    assert_type(fitted.decision_function(X), Array)
    assert_type(fitted.transform(X), Array)
    assert_type(fitted.hidden_states(X), Array)
    assert_type(fitted.gate_activations(X)["f"], Array)
    assert_type(fitted.score(X, y), float)
    assert_type(fitted.classes_, Array)
    assert_type(fitted.loss_curve_, list[float])
    assert_type(fitted.weights_, dict[str, Array])


def read_text() -> None:
    names = ["anna", "karl", "laura", "paul"]
    clf = RNNClassifier(4, embedding_size=3, max_iter=1, random_state=0)
    assert_type(clf.fit(names, ["f", "m", "f", "m"]).predict(["lara"]), Array)


def stream() -> None:
    X = rng.normal(size=(20, 6, 2))
    reg = GRURegressor(4, loss="huber", max_iter=1, random_state=0).fit(X, X[:, -1, 0])
    prediction, state = reg.step(X[:3, 0])
    assert_type(state, RecurrentState)
    prediction, state = reg.step(X[:3, 1], state)
    rest, state = reg.predict(X[:3, 2:], state, return_state=True)
    assert_type(rest, Array)
    assert_type(state, RecurrentState)
    assert_type(reg.predict(X, None, True), tuple[Array, RecurrentState])
    assert_type(reg.predict(X[:3], initial_state=state), Array)
    assert_type(reg.predict_prefixes(X), Array)
    print(prediction)


def forecast() -> None:
    series = 100 + 10 * np.sin(0.3 * np.arange(120))
    windows = make_windows(series, window=12, horizon=3)
    assert_type(windows, Windows)
    assert_type(windows.X, Array)
    assert_type(windows.gap, int)
    assert_type(windows["X"], Any)

    network = GRURegressor(4, max_iter=1, random_state=0)
    forecaster = RecurrentForecaster(
        network, window=12, horizon=3, strategy="recursive", normalize=None
    )
    assert_type(forecaster.fit(series), RecurrentForecaster)
    print(forecaster.predict(6).shape, forecaster.predict_interval(coverage=0.5))
    result = forecaster.backtest(series, initial=100, coverage=0.5)
    assert_type(result, Backtest)
    assert_type(result.forecasts, Array)
    assert_type(result.errors, NDArray[np.float64])
    assert_type(result.error, float)
    assert_type(result.intervals, Array | None)


def load() -> None:
    data = load_japanese_vowels()
    assert_type(data, JapaneseVowels)
    assert_type(data.X_train, SequenceArray)
    assert_type(data.X_train[0], Array)
    assert_type(data.X_train[:3], SequenceArray)
    assert_type(data.feature_names, list[str])
    assert_type(load_sequential_digits(permuted=True, random_state=0).X, NDArray[np.float32])
    X, y = make_adding_problem(30, 10, random_state=0)
    assert_type(y, NDArray[np.float32])

    reg = GRURegressor(4, max_iter=1, random_state=0).fit(X, y)
    assert_type(
        permutation_importance(reg, X, y, by="time", n_segments=2, n_repeats=1),
        PermutationImportance,
    )
    assert_type(reg.gradient_flow(X, y).norms, dict[str, Array])


def read_frame(frame: Array) -> None:
    """Any table that NumPy converts may be the frame: pandas ships no complete types."""
    data = sequences_from_frame(frame, by=["site", "day"], order="hour", regular="1h")
    assert_type(data, FrameSequences)
    assert_type(data.y, Array | None)
    assert_type(data.ids, Array)


def compose() -> None:
    def metric(y_true: Array, y_pred: Array) -> float:
        return float(np.mean(y_true == y_pred))

    X = rng.normal(size=(10, 4, 1))
    clf = GRUClassifier(4, return_sequences=True, max_iter=1, random_state=0)
    clf = clf.fit(X, np.where(X[:, :, 0] > 0, 1, 0))
    scorer = make_sequence_scorer(metric, response_method="predict")
    transformer = TimestepTransformer(StandardScaler())
    assert_type(transformer.fit(X), TimestepTransformer)
    assert_type(transformer.inverse_transform(X), Any)
    assert_type(scorer(clf, X, np.where(X[:, :, 0] > 0, 1, 0)), float)


if __name__ == "__main__":
    classify()
    read_text()
    stream()
    forecast()
    load()
    compose()
