"""register_skl2onnx: whole pipelines on rows become ONNX, and onnxruntime says what they say."""

import numpy as np
import pytest

pytest.importorskip("skl2onnx")
pytest.importorskip("onnxruntime")

import skl2onnx
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import GRUClassifier, LSTMClassifier
from sklearn_rnn.interop import register_skl2onnx
from tests.helpers import CLASSIFIERS, REGRESSORS, fit_tiny
from tests.parity.models import ALL_OPTIONS
from tests.parity.models import run_onnx as run

PLAIN = {"zipmap": False}
rng = np.random.default_rng(0)
X = rng.normal(5, 3, size=(60, 12)).astype(np.float32)
NEW = rng.normal(5, 3, size=(30, 12)).astype(np.float32)
TARGETS = {
    "strings": np.array(["oak", "ash"])[(X[:, 0] > 5).astype(int)],
    "integers": rng.integers(3, size=60),
    "multilabel": rng.integers(2, size=(60, 3)),
}


@pytest.fixture(autouse=True)
def registered():
    register_skl2onnx()


def pipeline(Estimator, y, **params):
    """Scaled, rotated, read as four steps of three features."""
    params = {"n_timesteps": 4, "max_iter": 3, "random_state": 0, **params}
    return make_pipeline(StandardScaler(), PCA(12), Estimator(4, **params)).fit(X, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("Classifier", CLASSIFIERS)
def test_classifiers(Classifier, kind, dtype):
    model = pipeline(Classifier, TARGETS[kind], bidirectional=True, pooling="mean")
    proto = skl2onnx.to_onnx(model, X[:1].astype(dtype), options=PLAIN)
    said = run(proto, X=NEW.astype(dtype))
    assert said.keys() == {"label", "probabilities"}
    np.testing.assert_array_equal(said["label"], model.predict(NEW))
    np.testing.assert_allclose(said["probabilities"], model.predict_proba(NEW), atol=1e-5)


@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "quantile"])
@pytest.mark.parametrize("Regressor", REGRESSORS)
def test_regressors(Regressor, loss, n_targets):
    y = X[:, :n_targets] if n_targets > 1 else X[:, 0]
    model = pipeline(Regressor, y, loss=loss)
    said = run(skl2onnx.to_onnx(model, X[:1]), X=NEW)["variable"]
    expected = model.predict(NEW)
    assert said.shape == (expected.shape if expected.ndim > 1 else (30, 1))
    np.testing.assert_allclose(said.reshape(expected.shape), expected, rtol=1e-5, atol=1e-5)


def test_a_label_at_every_step():
    model = pipeline(GRUClassifier, rng.integers(3, size=(60, 4)), return_sequences=True)
    said = run(skl2onnx.to_onnx(model, X[:1], options=PLAIN), X=NEW)
    np.testing.assert_array_equal(said["label"], model.predict(NEW))
    np.testing.assert_allclose(said["probabilities"], model.predict_proba(NEW), atol=1e-5)
    with pytest.raises(ValueError, match='"zipmap": False'):
        skl2onnx.to_onnx(model, X[:1])


def test_probabilities_as_dictionaries_and_columns():
    model = pipeline(LSTMClassifier, TARGETS["strings"])
    expected = model.predict_proba(NEW)
    dictionaries = run(skl2onnx.to_onnx(model, X[:1]), X=NEW)["output_probability"]
    assert list(dictionaries[0]) == ["ash", "oak"]
    np.testing.assert_allclose([list(d.values()) for d in dictionaries], expected, atol=1e-5)
    columns = run(skl2onnx.to_onnx(model, X[:1], options={"zipmap": "columns"}), X=NEW)
    np.testing.assert_allclose(columns["sash"], expected[:, 0], atol=1e-5)
    numbered = run(skl2onnx.to_onnx(model, X[:1], options=PLAIN | {"nocl": True}), X=NEW)
    np.testing.assert_array_equal(numbered["label"], expected.argmax(axis=1))
    options = PLAIN | {"output_class_labels": True}
    labelled = run(skl2onnx.to_onnx(model, X[:1], options=options), X=NEW)
    np.testing.assert_array_equal(labelled["class_labels"], ["ash", "oak"])


def test_two_of_them_in_one_graph():
    """No name may be there twice."""
    from sklearn.ensemble import VotingClassifier

    y = TARGETS["integers"]
    model = VotingClassifier(
        [(f"gru_{k}", pipeline(GRUClassifier, y, random_state=k)) for k in range(2)],
        voting="soft",
        flatten_transform=False,  # True is not there in skl2onnx 1.20
    ).fit(X, y)
    said = run(skl2onnx.to_onnx(model, X[:1], options=PLAIN), X=NEW)
    np.testing.assert_allclose(said["probabilities"], model.predict_proba(NEW), atol=1e-5)


def test_columns_of_their_own():
    scaled = make_column_transformer(
        (StandardScaler(), [0, 1, 2, 3]), ("passthrough", [4, 5, 6, 7])
    )
    lstm = LSTMClassifier(4, n_timesteps=4, max_iter=3, random_state=0)
    model = make_pipeline(scaled, lstm).fit(X, TARGETS["strings"])
    said = run(skl2onnx.to_onnx(model, X[:1], options=PLAIN), X=NEW)
    np.testing.assert_allclose(said["probabilities"], model.predict_proba(NEW), atol=1e-5)


def test_sequences_are_not_for_skl2onnx():
    with pytest.raises(ValueError, match="fitted on sequences or tokens"):
        skl2onnx.to_onnx(fit_tiny(GRUClassifier), X[:1])


def test_opsets_that_are_too_old():
    model = pipeline(GRUClassifier, TARGETS["strings"])
    with pytest.raises(ValueError, match="target_opset=17 is too old"):
        skl2onnx.to_onnx(model, X[:1], options=PLAIN, target_opset=17)


@pytest.mark.parametrize("params", [dict(pooling="max"), ALL_OPTIONS], ids=["max", "all"])
def test_the_oldest_opset_that_does(params):
    model = pipeline(LSTMClassifier, TARGETS["strings"], **params)
    proto = skl2onnx.to_onnx(model, X[:1], options=PLAIN, target_opset=18)
    said = run(proto, X=NEW)["probabilities"]
    np.testing.assert_allclose(said, model.predict_proba(NEW), atol=1e-5)
