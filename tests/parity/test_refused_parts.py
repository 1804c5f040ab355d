"""Parts from outside the package: exports refuse those that have no counterpart, by name."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")
pytest.importorskip("torch")

import onnxruntime
import skl2onnx
import torch

from sklearn_rnn import GRURegressor, LSTMClassifier
from sklearn_rnn.interop import register_skl2onnx, to_onnx, to_torch
from tests.extensions.minimal_gated_unit import MGUClassifier
from tests.extensions.registering import registered_parts
from tests.helpers import fit_tiny, make_sequences

PER_PART = pytest.mark.parametrize(
    ("Estimator", "params", "part"),
    [
        (MGUClassifier, {}, "MGUCell"),
        (LSTMClassifier, dict(pooling="log_sum_exp"), "pooling='log_sum_exp'"),
    ],
    ids=["cell", "pooling"],
)


@pytest.fixture(autouse=True)
def registered():
    """Register the parts, for one test."""
    with registered_parts():
        yield


@PER_PART
def test_models_of_pytorch_are_refused(Estimator, params, part):
    with pytest.raises(ValueError, match=rf"{part} has no counterpart in .*PyTorch"):
        to_torch(fit_tiny(Estimator, **params))


@PER_PART
def test_models_of_onnx_are_refused(Estimator, params, part, tmp_path):
    with pytest.raises(ValueError, match=f"{part} has no counterpart in ONNX"):
        to_onnx(fit_tiny(Estimator, **params), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


@PER_PART
def test_pipelines_of_skl2onnx_are_refused(Estimator, params, part):
    register_skl2onnx()
    rows = np.random.default_rng(0).normal(size=(12, 6)).astype(np.float32)
    model = fit_tiny(Estimator, rows, n_timesteps=3, **params)
    with pytest.raises(ValueError, match=f"{part} has no counterpart in ONNX"):
        skl2onnx.to_onnx(model, rows[:1], target_opset=18)


def test_exports_need_the_link_of_a_loss_alone():
    """The link of the new loss is one that exports know, so they can have it."""
    X = np.array(make_sequences((5,) * 12))
    model = fit_tiny(GRURegressor, X, loss="log_cosh")
    with torch.no_grad():
        answers = to_torch(model)(torch.tensor(X)).numpy()
    np.testing.assert_allclose(answers, model.predict(X), rtol=1e-12)
    session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString())
    (answers,) = session.run(None, {"X": X.astype(np.float32)})
    np.testing.assert_allclose(answers, model.predict(X), rtol=1e-5)
