"""The unit of y: float32 of X does not coarsen targets."""

import numpy as np
import pytest

from sklearn_rnn import GRURegressor
from sklearn_rnn._data.target_units import dtype_of_predictions
from sklearn_rnn.interop import to_onnx, to_torch
from tests.helpers import make_sequences, tiny
from tests.test_predictor import exported

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5, 2)).astype(np.float32)
U = 1.4 * X[:, :, 0].sum(axis=1).astype(np.float64)
LOSSES = ["squared_error", "absolute_error", "huber", "quantile"]
# Pairs of offset and scale that float32 is too coarse for, or has no numbers for.
TOO_COARSE = [(5.3e6, 1.0), (1e8, 1.0), (-1e12, 1.0), (0.0, 1e-44), (0.0, 1e-30), (0.0, 1e30)]


def fit(y, **params):
    params = {"hidden_size": 6, "max_iter": 20, "learning_rate_init": 0.02, **params}
    return GRURegressor(random_state=0, **params).fit(X, y)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("offset", "scale"), TOO_COARSE)
def test_predictions_are_as_fine_as_in_another_unit(offset, scale, loss):
    plain = fit(U, loss=loss, early_stopping=True)
    model = fit(offset + scale * U, loss=loss, early_stopping=True)
    assert model._theta_.dtype == np.float32
    tolerance = {"rtol": 1e-4, "atol": 2e-3 if abs(offset) >= 1e12 else 1e-4}

    def assert_same(theirs, ours, origin=0.0):
        assert theirs.dtype == np.float64
        np.testing.assert_allclose((theirs - origin) / scale, ours, **tolerance)

    assert_same(model.predict(X), plain.predict(X), offset)
    assert_same(model.step(X[:, 0])[0], plain.step(X[:, 0])[0], offset)
    assert_same(model.predict_prefixes(X), plain.predict_prefixes(X), offset)
    assert_same(model.predict_interval(X, 0.5), plain.predict_interval(X, 0.5), offset)
    target = 1 if loss == "quantile" else None
    gradients = (m.input_gradients(X, target=target) for m in (model, plain))
    assert_same(*gradients)
    shares = (m.integrated_gradients(X[:5], target=target, n_steps=5) for m in (model, plain))
    assert_same(*shares)
    assert model.score(X, offset + scale * U) == pytest.approx(plain.score(X, U), abs=1e-3)
    best = plain.best_validation_score_
    assert model.best_validation_score_ == pytest.approx(best, abs=1e-3)


def test_weights_in_the_unit_of_y_are_as_fine():
    weights, plain = fit(1e8 + U).weights_, fit(U).weights_
    np.testing.assert_allclose(weights["bias_out"] - 1e8, plain["bias_out"], atol=1e-5)
    assert weights["weight_out"].dtype == np.float64
    assert weights["weight_hh_l0"].dtype == np.float32


def test_ordinary_targets_stay_in_float32():
    assert fit(U).predict(X).dtype == np.float32
    assert fit(300 + U).predict(X).dtype == np.float32
    assert fit(300 + U).weights_["weight_out"].dtype == np.float32


def test_one_coarse_output_of_several_is_enough():
    model = fit(np.c_[U, 1e8 + U])
    np.testing.assert_allclose(model.predict(X).std(axis=0), U.std(), rtol=0.2)


def test_float64_stays_float64():
    one = np.ones(1)
    assert dtype_of_predictions(1e300 * one, one, np.dtype(np.float64)) == np.float64


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-160, 1e160, 1e300])
@pytest.mark.parametrize("loss", LOSSES)
def test_scores_of_huge_and_tiny_targets(scale, loss):
    """The squares of their errors are beyond float64."""
    sequences, y = make_sequences(), np.linspace(-1, 1, 12)
    plain, model = (tiny(GRURegressor, loss=loss).fit(sequences, s * y) for s in (1, scale))
    ours, theirs = plain.score(sequences, y), model.score(sequences, scale * y)
    assert theirs == pytest.approx(ours, abs=0.01)


def test_counts_far_beyond_float32():
    y = np.exp(U / 4)
    plain, model = fit(y, loss="poisson"), fit(1e34 * y, loss="poisson")
    np.testing.assert_allclose(model.predict(X) / 1e34, plain.predict(X), rtol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_exported_predictors_are_as_fine(tmp_path, loss):
    model = fit(1e8 + U, loss=loss)
    module = exported(model, tmp_path)
    np.testing.assert_allclose(module.predict(X) - 1e8, model.predict(X) - 1e8, atol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_modules_of_torch_are_as_fine(loss):
    torch = pytest.importorskip("torch")
    model = fit(1e8 + U, loss=loss)
    said = to_torch(model)(torch.from_numpy(X)).detach().numpy()
    np.testing.assert_allclose(said - 1e8, model.predict(X) - 1e8, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", LOSSES)
def test_models_of_onnx_are_as_fine(loss, dtype):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    model = GRURegressor(6, max_iter=20, loss=loss, random_state=0).fit(X.astype(dtype), 1e8 + U)
    session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString())
    (said,) = session.run(None, {"X": X})
    np.testing.assert_allclose(said - 1e8, model.predict(X.astype(dtype)) - 1e8, atol=1e-4)
