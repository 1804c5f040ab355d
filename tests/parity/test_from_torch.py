"""from_torch: modules trained with PyTorch become fitted estimators, or are refused, and why."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from sklearn_rnn import GRUClassifier, LSTMRegressor
from sklearn_rnn.interop import from_torch, to_torch
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import (
    assert_same_answers,
    fit_tiny,
    make_sequences,
    make_targets,
    pickled,
    same_model,
)
from tests.parity.models import ALL_OPTIONS, all_models, finest_answer, new_data

F, H = 2, 4
RECURRENT = {
    "rnn": lambda **options: nn.RNN(F, H, **options),
    "relu": lambda **options: nn.RNN(F, H, nonlinearity="relu", **options),
    "lstm": lambda **options: nn.LSTM(F, H, **options),
    "gru": lambda **options: nn.GRU(F, H, **options),
}
TOLERANCE = dict(rtol=1e-12, atol=1e-12)


@pytest.fixture(autouse=True)
def doubles():
    """Modules are made in float64, from one seed."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def states_of(module, X):
    """PyTorch's output (n, T, S * H), zero in the padding, lengths, and h_n (S, n, H)."""
    packed = pack_sequence([torch.tensor(x) for x in X], enforce_sorted=False)
    with torch.no_grad():
        output, final = module(packed)
        final = final[0] if isinstance(final, tuple) else final
        return *pad_packed_sequence(output, batch_first=True), final


def pooled(module, X, pooling):
    output, lengths, final = states_of(module, X)
    if pooling == "last":
        return torch.cat(list(final[-1 - module.bidirectional :]), dim=1)
    if pooling == "mean":
        return output.sum(dim=1) / lengths[:, None]
    return torch.stack([row[:T].amax(dim=0) for row, T in zip(output, lengths, strict=True)])


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(batch_first=True, num_layers=2),
        dict(bidirectional=True, num_layers=2),
        dict(bias=False),
        dict(num_layers=2, dropout=0.5),
    ],
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.parametrize("cell", RECURRENT)
def test_probabilities_are_those_of_pytorch(cell, options, pooling):
    module = RECURRENT[cell](**options).eval()
    linear = nn.Linear(H * (1 + module.bidirectional), 3)
    model = from_torch(module, linear, classes=["ash", "elm", "oak"], pooling=pooling)
    X = make_sequences()
    with torch.no_grad():
        expected = linear(pooled(module, X, pooling)).softmax(dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(X), expected, **TOLERANCE)
    np.testing.assert_array_equal(model.predict(X), model.classes_[expected.argmax(axis=1)])


@pytest.mark.parametrize("cell", RECURRENT)
def test_it_is_a_fitted_estimator(cell):
    module, linear = RECURRENT[cell](num_layers=2), nn.Linear(H, 2)
    model = from_torch(module, linear, classes=[3, 5])
    X = make_sequences()
    assert model.n_features_in_ == F
    np.testing.assert_array_equal(model.classes_, [3, 5])
    top, lengths, _ = states_of(module, X)
    last = top[np.arange(len(X)), lengths - 1].numpy()
    np.testing.assert_allclose(model.transform(X), last, **TOLERANCE)
    assert_same_answers(model, pickled(model), X)
    assert clone(model).get_params() == model.get_params()
    state = None
    for x_t in X[0]:
        probability, state = model.step_proba(x_t, state)
    np.testing.assert_allclose(probability, model.predict_proba(X[:1])[0], **TOLERANCE)
    assert 0 <= model.score(X, np.array([3, 5] * 6)) <= 1
    with pytest.raises(ValueError, match=r"3 features, but .* is expecting 2"):
        model.predict(make_sequences(n_features=3))


def test_it_has_all_that_a_fit_sets():
    for model in (fit_tiny(GRUClassifier), fit_tiny(LSTMRegressor)):
        made = to_torch(model)
        kind = {"classes": model.classes_} if hasattr(model, "classes_") else {}
        back = from_torch(made.recurrence, made.head, **kind)
        assert vars(back).keys() == vars(model).keys()
        assert (back.n_iter_, back.loss_curve_, back.validation_scores_) == (0, [], None)


def test_weights_are_pytorchs_with_merged_biases():
    for cell, kept in (("lstm", slice(0, 0)), ("gru", slice(2 * H, 3 * H))):
        module, linear = RECURRENT[cell](), nn.Linear(H, 3)
        weights = from_torch(module, linear, classes=[0, 1, 2]).weights_
        named = {name: p.detach().numpy() for name, p in module.named_parameters()}
        np.testing.assert_array_equal(weights["weight_hh_l0"], named["weight_hh_l0"])
        both = weights["bias_ih_l0"] + weights["bias_hh_l0"]
        np.testing.assert_allclose(both, named["bias_ih_l0"] + named["bias_hh_l0"], **TOLERANCE)
        np.testing.assert_array_equal(weights["bias_hh_l0"][kept], named["bias_hh_l0"][kept])
        assert np.count_nonzero(weights["bias_hh_l0"]) == len(named["bias_hh_l0"][kept])


def test_partial_fit_goes_on_from_there():
    module, linear = RECURRENT["gru"](), nn.Linear(H, 3)
    model = from_torch(module, linear, classes=["ash", "elm", "oak"])
    X, y = make_sequences(), make_targets(GRUClassifier())
    before = model.weights_["weight_hh_l0"]
    model.set_params(learning_rate_init=1e-4).partial_fit(X, y)
    change = np.abs(model.weights_["weight_hh_l0"] - before)
    assert 0 < change.max() < 1e-3


# --- What outputs mean ----------------------------------------------------------------------------


def logits(module, linear, X):
    with torch.no_grad():
        return linear(pooled(module, X, "last"))


@pytest.mark.parametrize("classes", [["no", "yes"], ["yes", "no"]])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_two_classes(n_outputs, classes):
    module, linear = RECURRENT["lstm"](), nn.Linear(H, n_outputs)
    X = make_sequences()
    model = from_torch(module, linear, classes=classes)
    raw = logits(module, linear, X)
    second = raw.sigmoid()[:, 0] if n_outputs == 1 else raw.softmax(dim=1)[:, 1]
    column = model.classes_.tolist().index(classes[1])
    np.testing.assert_allclose(model.predict_proba(X)[:, column], second.numpy(), **TOLERANCE)


def test_classes_in_the_order_of_the_outputs():
    module, linear, X = RECURRENT["gru"](), nn.Linear(H, 3), make_sequences()
    model = from_torch(module, linear, classes=["oak", "ash", "elm"])
    expected = logits(module, linear, X).softmax(dim=1).numpy()[:, [1, 2, 0]]
    np.testing.assert_allclose(model.predict_proba(X), expected, **TOLERANCE)
    assert model.classes_.tolist() == ["ash", "elm", "oak"]


def test_multilabel():
    module, linear, X = RECURRENT["gru"](), nn.Linear(H, 3), make_sequences()
    model = from_torch(module, linear, multilabel=True)
    expected = logits(module, linear, X).sigmoid().numpy()
    np.testing.assert_allclose(model.predict_proba(X), expected, **TOLERANCE)
    np.testing.assert_array_equal(model.predict(X), expected > 0.5)


def test_a_regressor_in_units_of_its_own():
    module, linear, X = RECURRENT["lstm"](), nn.Linear(H, 2), make_sequences()
    model = from_torch(module, linear, y_mean=[100.0, -1.0], y_scale=[10.0, 2.0])
    expected = logits(module, linear, X).numpy() * [10, 2] + [100, -1]
    np.testing.assert_allclose(model.predict(X), expected, **TOLERANCE)
    one = from_torch(module, nn.Linear(H, 1), y_mean=7)
    assert one.predict(X).shape == (12,)


def test_poisson():
    module, linear, X = RECURRENT["lstm"](), nn.Linear(H, 1), make_sequences()
    model = from_torch(module, linear, loss="poisson", y_scale=3)
    expected = logits(module, linear, X).exp()[:, 0].numpy() * 3
    np.testing.assert_allclose(model.predict(X), expected, **TOLERANCE)


def test_quantiles():
    module, linear, X = RECURRENT["gru"](), nn.Linear(H, 6), make_sequences()
    model = from_torch(module, linear, loss="quantile", quantiles=[0.1, 0.5, 0.9])
    expected = np.sort(logits(module, linear, X).numpy().reshape(12, 2, 3), axis=2)
    np.testing.assert_allclose(model.predict(X), expected, **TOLERANCE)


@pytest.mark.parametrize("per_step", [False, True])
def test_a_head_of_several_layers(per_step):
    module, X = RECURRENT["gru"](), make_sequences([4] * 5)
    head = nn.Sequential(nn.Linear(H, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 3)).eval()
    model = from_torch(module, head, classes=[0, 1, 2], return_sequences=per_step)
    assert model.head_sizes == (5,)
    states = states_of(module, X)[0]
    with torch.no_grad():
        expected = head(states if per_step else states[:, -1]).softmax(dim=-1).numpy()
    np.testing.assert_allclose(np.stack(list(model.predict_proba(X))), expected, **TOLERANCE)


def test_an_answer_at_every_step():
    module, linear, X = RECURRENT["lstm"](bidirectional=True), nn.Linear(2 * H, 3), make_sequences()
    model = from_torch(module, linear, classes=[0, 1, 2], return_sequences=True)
    with torch.no_grad():
        expected = linear(states_of(module, X)[0]).softmax(dim=2).numpy()
    for ours, theirs, x in zip(model.predict_proba(X), expected, X, strict=True):
        np.testing.assert_allclose(ours, theirs[: len(x)], **TOLERANCE)


def test_tokens():
    embedding, module, linear = nn.Embedding(3, F), RECURRENT["gru"](), nn.Linear(H, 2)
    parts = nn.Sequential(embedding, module, linear)
    model = from_torch(parts, classes=[0, 1], vocabulary=["c", "a", "b"])
    assert model.vocabulary_.tolist() == ["a", "b", "c"]
    vectors = [embedding(torch.tensor(codes)).detach().numpy() for codes in ([1, 2, 0], [0, 0])]
    expected = logits(module, linear, vectors).softmax(dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(["abc", "cc"]), expected, **TOLERANCE)
    unknown = embedding.weight.detach().mean(dim=0).numpy()[None]
    expected = logits(module, linear, [unknown]).softmax(dim=1).numpy()
    with pytest.warns(UserWarning, match="No token of X is known"):
        probabilities = model.predict_proba(["?"])
    np.testing.assert_allclose(probabilities, expected, **TOLERANCE)


def test_rows():
    module, linear = RECURRENT["gru"](), nn.Linear(H, 1)
    X = np.random.default_rng(0).normal(size=(9, 10))
    model = from_torch(module, linear, n_timesteps=5)
    assert model.n_features_in_ == 10
    expected = logits(module, linear, X.reshape(9, 5, 2)).numpy()[:, 0]
    np.testing.assert_allclose(model.predict(X), expected, **TOLERANCE)


def test_float32():
    module, linear = RECURRENT["lstm"]().float(), nn.Linear(H, 3).float()
    model = from_torch(module, linear, classes=[0, 1, 2])
    X = make_sequences(dtype=np.float32)
    assert model.weights_["weight_out"].dtype == np.float32
    assert model.predict_proba(X).dtype == np.float32
    expected = logits(module, linear, X).softmax(dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-5)


def test_in_a_pipeline_after_a_scaler():
    X = make_sequences()
    scaler = TimestepTransformer(StandardScaler()).fit(X)
    module, linear = RECURRENT["gru"](), nn.Linear(H, 2)
    model = make_pipeline(scaler, from_torch(module, linear, classes=[0, 1]))
    expected = logits(module, linear, scaler.transform(X)).softmax(dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(X), expected, **TOLERANCE)


def test_the_module_stays_as_it_is():
    module, linear = RECURRENT["lstm"](), nn.Linear(H, 1)
    model, X = from_torch(module, linear), make_sequences()
    before = model.predict(X)
    with torch.no_grad():
        for parameter in [*module.parameters(), *linear.parameters()]:
            parameter.add_(1)
    np.testing.assert_array_equal(model.predict(X), before)


# --- There and back -------------------------------------------------------------------------------


@all_models
def test_there_and_back(make):
    model = make(np.float64)
    back = from_torch(to_torch(model))
    assert same_model(back, model)
    assert back.get_params() == model.get_params()
    X = new_data(model)
    np.testing.assert_array_equal(finest_answer(back, X), finest_answer(model, X))


@pytest.mark.parametrize("params", [dict(bidirectional=True), ALL_OPTIONS], ids=["plain", "all"])
def test_back_after_training_further(params):
    X, y = make_sequences(), np.arange(12) % 3
    model = fit_tiny(GRUClassifier, X, y, **params)
    module = to_torch(model)
    nn.functional.cross_entropy(module.scores(module.read(X)), torch.tensor(y)).backward()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter -= 0.1 * parameter.grad
    back = from_torch(module)
    assert not same_model(back, model)
    with torch.no_grad():
        expected = module(module.read(X)).numpy()
    np.testing.assert_allclose(back.predict_proba(X), expected, **TOLERANCE)


def test_unknown_tokens_that_went_their_own_way():
    module = to_torch(GRUClassifier(3, embedding_size=2, max_iter=1).fit(["ab", "ba"], [0, 1]))
    with torch.no_grad():
        module.embedding.weight[-1] += 1
    with pytest.raises(ValueError, match="is not the mean of the others"):
        from_torch(module)


# --- What is refused ------------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.linear = nn.LSTM(F, H), nn.Linear(H, 2)


LSTM, OUT = lambda **options: nn.LSTM(F, H, **options), lambda n=2: nn.Linear(H, n)
REFUSED = {
    "projection": (lambda: (LSTM(proj_size=3), nn.Linear(3, 2)), "proj_size=3: states that are"),
    "cell": (lambda: (nn.GRUCell(F, H), OUT()), "into an nn.GRU of one layer"),
    "own_module": (lambda: (Net(),), r"Net has no counterpart .* from_torch\(net.lstm"),
    "transformer": (lambda: (nn.TransformerEncoderLayer(4, 2), OUT()), "has no counterpart"),
    "no_readout": (lambda: (LSTM(),), "readout is missing"),
    "softmax": (lambda: (LSTM(), nn.Sequential(OUT(), nn.Softmax(1))), "Leave a last softmax"),
    "convolution": (lambda: (LSTM(), nn.Conv1d(4, 2, 1)), "an estimator has an nn.Linear"),
    "empty": (lambda: (nn.Sequential(),), "holds no recurrent layers"),
    "too_many": (lambda: (nn.Sequential(LSTM(), OUT()), OUT()), "holds all parts already"),
    "narrow": (lambda: (LSTM(bidirectional=True), OUT()), "two directions of .* are 8 numbers"),
    "half": (lambda: (LSTM().half(), OUT().half()), "is in torch.float16"),
    "mixed": (lambda: (LSTM().float(), OUT()), "differ in dtype"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_modules_that_no_estimator_can_be(case):
    make, message = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(*make(), classes=[0, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(classes=[0, 1, 2]), "readout has 2 outputs, but classes are 3"),
        (dict(classes=[1, 1]), "two different labels"),
        (dict(classes=np.array([1, "a"], object)), "all strings or all numbers"),
        (dict(classes=[0, 1], loss="huber"), "loss='huber' is a regressor's"),
        (dict(classes=[0, 1], y_mean=3.0), "y_mean=3.0 is a regressor's"),
        (dict(classes=[0, 1], pooling="sum"), "'pooling' parameter of LSTMClassifier"),
        (dict(loss="quantile", quantiles=[0.1, 0.5, 0.9]), "no multiple of the 3 quantiles"),
        (dict(y_mean=[1.0, 2.0, 3.0]), r"y_mean has shape \(3,\)"),
        (dict(y_scale=0), "y_scale above zero"),
        (dict(loss="poisson", y_mean=1), "y_mean is 0"),
        (dict(vocabulary=["a"]), "a vocabulary an embedding"),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        from_torch(LSTM(), OUT(), **arguments)


@pytest.mark.parametrize(
    ("embedding", "vocabulary", "message"),
    [
        (lambda: nn.Embedding(5, F), ["a", "b"], "5 rows, but vocabulary 2 tokens"),
        (lambda: nn.Embedding(2, 3), ["a", "b"], "vectors of 3 numbers"),
        (lambda: nn.Embedding(2, F), ["a", "a"], "a token twice"),
        (lambda: nn.Embedding(2, F), [0.5, 1.5], "must be integers or strings"),
        (lambda: nn.Embedding(2, F, max_norm=1), ["a", "b"], "max_norm=1"),
        (lambda: nn.Embedding(3, F), ["a", "b"], "is not the mean of the others"),
        (lambda: nn.Linear(2, 2), ["a", "b"], "must be an nn.Embedding, got Linear"),
    ],
)
def test_embeddings_that_do_not_fit(embedding, vocabulary, message):
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(LSTM(), OUT(), embedding=embedding(), vocabulary=vocabulary)


def test_weights_that_are_not_finite():
    module = LSTM()
    with torch.no_grad():
        module.weight_hh_l0[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        from_torch(module, OUT())
