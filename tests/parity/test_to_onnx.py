"""to_onnx: onnxruntime says what the estimator says, to 1e-5 in float32."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
import onnxruntime
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, LSTMRegressor, RNNClassifier
from sklearn_rnn.interop import to_onnx
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import fit_tiny, make_sequences, packed, unchanged
from tests.parity.models import ALL_OPTIONS, all_models, is_per_step, new_data, rows
from tests.parity.models import run_onnx as run

TOLERANCE = dict(rtol=1e-5, atol=1e-5)


def padded(model, X):
    """X as the model of ONNX takes it, with what must have no say in the padding; and lengths."""
    lengths = np.array([len(x) for x in X])
    if not model._reads_tokens:
        return packed(X).to_padded(np.nan).astype(np.float32), lengths
    filler = "a" if model.vocabulary_.dtype.kind == "U" else 7
    kind = object if isinstance(filler, str) else np.int64
    filled = [[*x, *[filler] * (lengths.max() - len(x))] for x in X]
    return np.array(filled, dtype=kind), lengths


def assert_said(model, said, X, lengths):
    """Assert that labels are equal, and numbers close."""
    expected = {"prediction": model.predict(X)}
    if hasattr(model, "classes_"):
        expected = {"label": model.predict(X), "probabilities": model.predict_proba(X)}
    assert said.keys() == expected.keys()
    for name, theirs in said.items():
        ours = expected[name]
        if is_per_step(model):
            ours, theirs = np.concatenate(list(ours)), rows(theirs, lengths)
        assert theirs.shape == ours.shape
        if name == "label":
            np.testing.assert_array_equal(theirs, ours)
        else:
            scale = np.abs(ours).max()
            np.testing.assert_allclose(theirs / scale, ours / scale, **TOLERANCE)


@all_models
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ragged_sequences(dtype, make):
    model = make(dtype)
    X = new_data(model)
    x, lengths = padded(model, X)
    assert_said(model, run(to_onnx(model), X=x, lengths=lengths), X, lengths)


@all_models
def test_sequences_of_one_length(make):
    model = make(np.float32)
    longest = max(map(len, new_data(model)))
    X = [sequence for sequence in new_data(model) if len(sequence) == longest]
    x, lengths = padded(model, X)
    assert_said(model, run(to_onnx(model, lengths=False), X=x), X, lengths)


REAL = {
    "rnn": (RNNClassifier, {}),
    "relu": (RNNClassifier, dict(nonlinearity="relu", bidirectional=True)),
    "lstm": (LSTMClassifier, dict(num_layers=2, bidirectional=True)),
    "lstm_mean": (LSTMClassifier, dict(bidirectional=True, pooling="mean")),
    "gru": (GRUClassifier, dict(num_layers=2)),
    "gru_max": (GRUClassifier, dict(bidirectional=True, pooling="max")),
    "all_options": (LSTMClassifier, ALL_OPTIONS),
}


@pytest.mark.parametrize("case", REAL)
def test_real_data_with_the_scaling_of_its_steps(case, japanese_vowels):
    """270 recordings to learn from, 370 of 7 to 29 steps to compare on."""
    Classifier, params = REAL[case]
    data = japanese_vowels
    model = make_pipeline(
        TimestepTransformer(StandardScaler()),
        Classifier(16, max_iter=5, random_state=0, **params),
    ).fit(data.X_train, data.target_names[data.y_train])
    said = run(to_onnx(model), X=data.X_test.to_padded(), lengths=data.X_test.lengths)
    np.testing.assert_array_equal(said["label"], model.predict(data.X_test))
    np.testing.assert_allclose(
        said["probabilities"], model.predict_proba(data.X_test), rtol=0, atol=1e-5
    )


def test_real_data_with_an_answer_at_every_step(japanese_vowels):
    X, X_test = japanese_vowels.X_train, japanese_vowels.X_test
    y = [x[:, :2] * 100 for x in X]
    model = make_pipeline(
        TimestepTransformer(MinMaxScaler(clip=True)),
        LSTMRegressor(
            16, return_sequences=True, bidirectional=True, loss="quantile", max_iter=3,
            random_state=0,
        ),
    ).fit(X, y)  # fmt: skip
    said = run(to_onnx(model), X=X_test.to_padded(), lengths=X_test.lengths)["prediction"]
    expected = np.concatenate(list(model.predict(X_test)))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(rows(said, X_test.lengths) / scale, expected / scale, **TOLERANCE)


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        MinMaxScaler((-2, 1), clip=True),
        MaxAbsScaler(),
        RobustScaler(),
        RobustScaler(with_centering=False, with_scaling=False),
        make_pipeline(RobustScaler(), "passthrough", MinMaxScaler()),
    ],
    ids=str,
)
def test_scalers_of_steps_and_of_rows(scaler):
    rng = np.random.default_rng(0)
    X = rng.normal(50, [[[1, 30, 0.1]]], size=(20, 4, 3)).astype(np.float32)
    new = rng.normal(50, [[[2, 60, 0.2]]], size=(9, 4, 3)).astype(np.float32)
    y = X[:, -1, 0]
    steps = make_pipeline(TimestepTransformer(scaler), GRURegressor(4, max_iter=3, random_state=0))
    expected = steps.fit(X, y).predict(new)
    said = run(to_onnx(steps), X=new)["prediction"]
    np.testing.assert_allclose(said, expected, rtol=1e-5)

    flat = make_pipeline(scaler, GRURegressor(4, n_timesteps=4, max_iter=3, random_state=0))
    X, new = X.reshape(20, 12), new.reshape(9, 12)
    expected = flat.fit(X, y).predict(new)
    np.testing.assert_allclose(run(to_onnx(flat), X=new)["prediction"], expected, rtol=1e-5)


def test_the_numbers_of_sequences_and_steps_are_free():
    model = fit_tiny(LSTMClassifier, bidirectional=True, pooling="mean")
    proto = to_onnx(model)
    for n, T in ((1, 1), (1, 40), (30, 2)):
        X = make_sequences([T] * n, seed=n)
        x, lengths = padded(model, X)
        assert_said(model, run(proto, X=x, lengths=lengths), X, lengths)


def test_rows_have_no_lengths():
    X = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    model = GRURegressor(4, max_iter=2, random_state=0).fit(X, X[:, 0])
    proto = to_onnx(model)
    assert [value.name for value in proto.graph.input] == ["X"]
    np.testing.assert_allclose(run(proto, X=X)["prediction"], model.predict(X), rtol=1e-5)
    with pytest.raises(ValueError, match="fitted on rows"):
        to_onnx(model, lengths=True)


def test_lengths_where_training_sequences_were_of_one_length():
    X = np.random.default_rng(0).normal(size=(20, 6, 2)).astype(np.float32)
    model = GRUClassifier(4, max_iter=2, random_state=0).fit(X, X[:, 0, 0] > 0)
    assert [value.name for value in to_onnx(model).graph.input] == ["X"]
    ragged = [x[: 2 + i % 4] for i, x in enumerate(X)]
    x, lengths = padded(model, ragged)
    proto = to_onnx(model, lengths=True)
    assert_said(model, run(proto, X=x, lengths=lengths), ragged, lengths)


def test_the_file(tmp_path):
    model, X = fit_tiny(GRUClassifier), make_sequences(dtype=np.float32)
    with unchanged(model):
        proto = to_onnx(model, tmp_path / "model.onnx")
    assert onnx.load(tmp_path / "model.onnx") == proto
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    x, lengths = padded(model, X)
    label, _ = session.run(None, {"X": x, "lengths": lengths})
    np.testing.assert_array_equal(label, model.predict(X))


def test_the_nodes_are_the_standard_ones():
    proto = to_onnx(fit_tiny(GRUClassifier, num_layers=2, bidirectional=True))
    (domain,) = proto.opset_import[:1]
    assert (domain.domain, domain.version) == ("", 18)
    grus = [node for node in proto.graph.node if node.op_type == "GRU"]
    assert len(grus) == 2
    for node in grus:
        options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        assert options == {
            "hidden_size": 4,
            "linear_before_reset": 1,
            "direction": b"bidirectional",
        }


@pytest.mark.parametrize("params", [{}, dict(pooling="mean", num_layers=2), dict(pooling="max")])
def test_onnx_s_own_evaluator_agrees_where_it_may_ignore_lengths(params):
    """It ignores sequence_lens: one direction, or sequences of one length, are right anyway."""
    from onnx.reference import ReferenceEvaluator

    for model, X in (
        (fit_tiny(LSTMClassifier, **params), make_sequences()),
        (fit_tiny(GRUClassifier, bidirectional=True, **params), make_sequences([5] * 12)),
    ):
        x, lengths = padded(model, X)
        label, probabilities = ReferenceEvaluator(to_onnx(model)).run(
            None, {"X": x, "lengths": lengths}
        )
        said = {"label": label, "probabilities": probabilities}
        assert_said(model, said, X, lengths)


# --- What is refused ------------------------------------------------------------------------------


def test_transformers_that_are_not_known():
    steps = TimestepTransformer(PowerTransformer())
    model = make_pipeline(steps, GRUClassifier(2, max_iter=1))
    model.fit(make_sequences(), np.arange(12) % 2)
    with pytest.raises(TypeError, match=r"does not know PowerTransformer: .*StandardScaler"):
        to_onnx(model)


def test_labels_that_onnx_does_not_have():
    y = np.array([(1,), (2,)] * 6 + [None], dtype=object)[:12]
    model = fit_tiny(GRUClassifier, y=np.arange(12) % 2)
    model.classes_ = np.array(y[:2])
    with pytest.raises(TypeError, match="numbers or strings"):
        to_onnx(model)


def test_what_is_no_estimator_of_ours():
    with pytest.raises(TypeError, match="got a StandardScaler"):
        to_onnx(make_pipeline(StandardScaler()))
