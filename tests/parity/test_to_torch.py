"""to_torch: an nn.Module that says what the estimator says, to rounding, and trains like any."""

import copy
import io
import pickle

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch.nn.utils.rnn import PackedSequence, pack_sequence, pad_packed_sequence

from sklearn_rnn import GRUClassifier, LSTMClassifier, LSTMRegressor, RNNRegressor
from sklearn_rnn.interop import to_torch
from tests.helpers import fit_tiny, make_sequences, packed, unchanged
from tests.parity.models import (
    ALL_OPTIONS,
    all_models,
    finest_answer,
    is_per_step,
    new_data,
    rows,
)

TOLERANCE = dict(rtol=1e-12, atol=1e-12)


def answer(module, *arguments):
    """What the module says, as arrays."""
    with torch.no_grad():
        said = module(*arguments)
    return said.data.numpy() if isinstance(said, PackedSequence) else said.numpy()


def padded(module, X):
    """What the module reads of X: padded with numbers that must have no say, and lengths."""
    x, lengths = pad_packed_sequence(module.read(X), batch_first=True)
    for sequence, length in zip(x, lengths, strict=True):
        sequence[length:] = 1 if x.dtype == torch.int64 else 1e3
    return x, lengths


@all_models
def test_ragged_sequences(make):
    model = make(np.float64)
    module, X = to_torch(model), new_data(model)
    x, lengths = padded(module, X)
    expected = finest_answer(model, X)
    said = answer(module, x, lengths)
    if is_per_step(model):
        real = np.arange(said.shape[1]) < lengths.numpy()[:, None]
        assert not said[~real].any()
        said = rows(said, lengths)
    assert said.shape == expected.shape
    np.testing.assert_allclose(said, expected, **TOLERANCE)


@all_models
def test_packed_sequences(make):
    model = make(np.float64)
    module, X = to_torch(model), new_data(model)
    with torch.no_grad():
        said = module(module.read(X))
    if is_per_step(model):
        assert isinstance(said, PackedSequence)
        said = rows(*pad_packed_sequence(said, batch_first=True))
    np.testing.assert_allclose(said, finest_answer(model, X), **TOLERANCE)


@all_models
def test_sequences_of_one_length(make):
    model = make(np.float64)
    module = to_torch(model)
    longest = max(map(len, new_data(model)))
    X = [sequence for sequence in new_data(model) if len(sequence) == longest]
    x, _ = padded(module, X)
    said = answer(module, x)
    if is_per_step(model):
        said = said.reshape(-1, *said.shape[2:])
    np.testing.assert_allclose(said, finest_answer(model, X), **TOLERANCE)


def test_float32():
    X = make_sequences(dtype=np.float32)
    model = fit_tiny(LSTMRegressor, X, bidirectional=True)
    module = to_torch(model)
    assert {p.dtype for p in [*module.parameters(), *module.buffers()]} == {torch.float32}
    said = answer(module, module.read(X))
    assert said.dtype == np.float32
    np.testing.assert_allclose(said, model.predict(X), rtol=1e-5)


def test_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 12))
    model = GRUClassifier(4, n_timesteps=4, max_iter=2, random_state=0).fit(X, X[:, 0] > 0)
    module = to_torch(model)
    for x in (torch.tensor(X.reshape(20, 4, 3)), module.read(X)):
        np.testing.assert_allclose(answer(module, x), model.predict_proba(X), **TOLERANCE)


def test_scores_are_those_of_the_estimator():
    X = make_sequences()
    for y in (np.arange(12) % 2, np.arange(12) % 3, np.eye(12, 4, dtype=int)):
        model = fit_tiny(LSTMClassifier, X, y)
        with torch.no_grad():
            scores = to_torch(model).scores(to_torch(model).read(X)).numpy()
        expected = model.decision_function(X)
        np.testing.assert_allclose(scores.reshape(expected.shape), expected, **TOLERANCE)


def test_quantiles_ascend_even_where_outputs_cross():
    module = to_torch(fit_tiny(LSTMRegressor, loss="quantile"))
    x = module.read(make_sequences())
    before = answer(module, x)
    with torch.no_grad():
        for parameter in module.head.parameters():
            parameter.copy_(parameter.flip(0))
    np.testing.assert_array_equal(answer(module, x), before)


def test_the_parts_are_those_of_pytorch():
    module = to_torch(fit_tiny(GRUClassifier, num_layers=2, bidirectional=True))
    assert type(module.recurrence) is torch.nn.GRU
    assert module.recurrence.batch_first
    assert type(module.head) is torch.nn.Linear
    assert not module.training
    assert module.answer.classes == ["ash", "elm", "oak"]
    assert "recurrence.weight_hh_l1_reverse" in module.state_dict()


def test_the_estimator_and_the_generator_stay_as_they_are():
    model = fit_tiny(LSTMClassifier)
    before = torch.get_rng_state()
    with unchanged(model):
        module = to_torch(model)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(1)
    assert torch.equal(torch.get_rng_state(), before)


def test_layers_one_by_one_where_something_is_between_them():
    module = to_torch(fit_tiny(GRUClassifier, **ALL_OPTIONS))
    assert [type(layer) for layer in module.recurrence.layers] == [torch.nn.GRU] * 3
    assert [type(part) for part in module.head] == [
        torch.nn.Linear,
        torch.nn.ReLU,
        torch.nn.Linear,
    ]
    assert "recurrence.norms.2.1.weight" in module.state_dict()


@pytest.mark.parametrize("params", [dict(bidirectional=True), ALL_OPTIONS], ids=["plain", "all"])
@pytest.mark.parametrize("way", ["pickle", "torch.save", "deepcopy", "state_dict"])
def test_saving(way, params):
    model = fit_tiny(RNNRegressor, **params)
    module, X = to_torch(model), make_sequences()
    if way == "pickle":
        other = pickle.loads(pickle.dumps(module))
    elif way == "deepcopy":
        other = copy.deepcopy(module)
    else:
        file = io.BytesIO()
        torch.save(module if way == "torch.save" else module.state_dict(), file)
        file.seek(0)
        if way == "torch.save":
            other = torch.load(file, weights_only=False)
        else:
            other = to_torch(fit_tiny(RNNRegressor, y=np.arange(12.0), **params))
            other.load_state_dict(torch.load(file, weights_only=True))
    np.testing.assert_array_equal(answer(other, other.read(X)), answer(module, module.read(X)))


@pytest.mark.parametrize(
    "params",
    [dict(num_layers=2, bidirectional=True, pooling="max"), ALL_OPTIONS],
    ids=["plain", "all"],
)
def test_training_further(params):
    """Gradients reach every parameter, and steps along them make the loss smaller."""
    X = make_sequences()
    y = torch.tensor(np.arange(12) % 3)
    module = to_torch(fit_tiny(LSTMClassifier, X, **params))
    x, loss = module.read(X), torch.nn.CrossEntropyLoss()
    losses = []
    for _ in range(60):
        module.zero_grad()
        value = loss(module.scores(x), y)
        value.backward()
        with torch.no_grad():
            for parameter in module.parameters():
                assert parameter.grad.any()
                parameter -= 0.5 * parameter.grad
        losses.append(value.item())
    assert losses[-1] < 0.8 * losses[0]


def test_read_refuses_what_the_estimator_refuses():
    module = to_torch(fit_tiny(GRUClassifier))
    with pytest.raises(ValueError, match="3 features, but GRUClassifier is expecting 2"):
        module.read(make_sequences(n_features=3))


def test_read_and_pack_sequence_agree():
    X = make_sequences()
    module = to_torch(fit_tiny(GRUClassifier))
    by_hand = pack_sequence([torch.tensor(x) for x in X], enforce_sorted=False)
    np.testing.assert_array_equal(answer(module, by_hand), answer(module, module.read(X)))
    np.testing.assert_array_equal(answer(module, by_hand), answer(module, module.read(packed(X))))


def test_real_data(japanese_vowels):
    data = japanese_vowels
    model = GRUClassifier(8, num_layers=2, bidirectional=True, max_iter=3, random_state=0)
    model.fit([x.astype(float) for x in data.X_train], data.y_train)
    X = [x.astype(float) for x in data.X_test]
    module = to_torch(model)
    said = answer(module, module.read(X))
    np.testing.assert_allclose(said, model.predict_proba(X), **TOLERANCE)


def test_what_is_no_estimator_of_ours():
    with pytest.raises(TypeError, match="got a int"):
        to_torch(3)
