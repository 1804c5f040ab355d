"""PyTorch's side of the learning benchmark: the same settings, and a loop that trains."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, RNNRegressor
from tests.benchmarks.learning.__main__ import main
from tests.benchmarks.learning.task import Stream
from tests.benchmarks.learning.tasks import TASKS
from tests.benchmarks.learning.theirs import TorchModel
from tests.benchmarks.real_data import DATA
from tests.helpers import unset_forced

PLAIN = {"batch_size": 32, "early_stopping": False, "learning_rate_init": 0.02}
RUNNABLE = [
    name
    for name, task in TASKS.items()
    if task.beside and (DATA.exists() or isinstance(task, Stream))
]


@pytest.fixture
def ragged():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(T, 2)).astype(np.float32) for T in rng.integers(3, 9, 120)]


@pytest.mark.parametrize("name", RUNNABLE)
def test_each_task_trains_a_little(name):
    figure, _ = TASKS[name].smallest().run(0, TorchModel)
    assert figure > 0


@pytest.mark.parametrize("bidirectional", [False, True])
def test_learns_labels(ragged, bidirectional):
    y = np.array(["up" if x[-1, 0] > 0 else "down" for x in ragged])
    model = TorchModel(GRUClassifier(16, bidirectional=bidirectional, max_iter=60, **PLAIN), 0)
    assert np.mean(model.fit(ragged, y).predict(ragged) == y) > 0.95


def test_learns_a_label_a_step(ragged):
    y = [(x[:, 0] > 0).astype(int) + 5 for x in ragged]
    model = TorchModel(LSTMClassifier(16, return_sequences=True, max_iter=40, **PLAIN), 0)
    predicted = model.fit(ragged, y).predict(ragged)
    assert [len(part) for part in predicted] == [len(x) for x in ragged]
    assert np.mean(np.concatenate(predicted) == np.concatenate(y)) > 0.95


def test_learns_several_labels_a_step(ragged):
    y = [(x > 0).astype(int) for x in ragged]
    model = TorchModel(GRUClassifier(16, return_sequences=True, max_iter=40, **PLAIN), 0)
    p = np.concatenate(model.fit(ragged, y).predict_proba(ragged))
    assert np.mean((p > 0.5) == np.concatenate(y)) > 0.95


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_learns_numbers_in_their_own_unit(ragged, n_outputs):
    y = np.array([100 + 10 * x[-1] for x in ragged])
    y = y[:, 0] if n_outputs is None else y
    model = TorchModel(RNNRegressor(16, max_iter=60, **PLAIN), 0)
    predicted = model.fit(ragged, y).predict(ragged)
    assert predicted.shape == y.shape
    assert np.mean((predicted - y) ** 2) < 0.1 * y.var()


def test_padding_changes_nothing(ragged):
    y = np.array([x[0, 0] for x in ragged])
    model = TorchModel(GRURegressor(8, bidirectional=True, max_iter=2, **PLAIN), 0).fit(ragged, y)
    alone = np.concatenate([model.predict([x]) for x in ragged[:10]])
    np.testing.assert_allclose(model.predict(ragged)[:10], alone, atol=1e-5)


def test_the_best_epoch_of_validation_data_is_kept(ragged):
    """Labels drawn by lot: whatever is learned of them makes others' likelihood worse."""
    rng = np.random.default_rng(1)
    y, y_val = rng.integers(0, 2, (2, 120))
    losses = []
    for max_iter in (1, 60):
        model = TorchModel(GRUClassifier(32, max_iter=max_iter, **PLAIN), 0)
        model.fit(ragged[:60], y[:60], X_val=ragged[60:], y_val=y_val[60:])
        losses.append(model._loss_of(*model._read(ragged[60:], y_val[60:])))
    assert losses[1] <= losses[0] + 1e-6


@pytest.mark.parametrize("init", ["pytorch", "ours"])
def test_forget_bias(ragged, init):
    y = np.arange(120) % 2
    estimator = LSTMClassifier(4, forget_bias=3.0, max_iter=1, **PLAIN)
    model = TorchModel(estimator.set_params(learning_rate_init=1e-12), 0, init).fit(ragged, y)
    recurrent = model.net.recurrent
    total = (recurrent.bias_ih_l0 + recurrent.bias_hh_l0).detach().numpy()
    np.testing.assert_allclose(total[4:8], 3, atol=1e-6)


@pytest.mark.parametrize("init", ["pytorch", "ours"])
@pytest.mark.parametrize(("Classifier", "kept"), [(LSTMClassifier, 1), (GRUClassifier, 1)])
def test_chrono(ragged, Classifier, kept, init):
    """The gate that keeps has biases log U(1, T - 1), T = 8; an LSTM's input gate minus those."""
    estimator = Classifier(50, init="chrono", max_iter=1, **PLAIN)
    y = np.arange(120) % 2
    model = TorchModel(estimator.set_params(learning_rate_init=1e-12), 0, init).fit(ragged, y)
    recurrent = model.net.recurrent
    gates = (recurrent.bias_ih_l0 + recurrent.bias_hh_l0).detach().numpy().reshape(-1, 50)
    times = np.exp(gates[kept])
    assert 1 <= times.min() < 2
    assert 6 < times.max() <= 7
    if Classifier is LSTMClassifier:
        np.testing.assert_allclose(gates[0], -gates[1], atol=1e-6)


def test_the_draw_of_ours_is_orthogonal(ragged):
    estimator = GRUClassifier(6, max_iter=1, **{**PLAIN, "learning_rate_init": 1e-12})
    model = TorchModel(estimator, 0, "ours").fit(ragged, np.arange(120) % 2)
    for gate in model.net.recurrent.weight_hh_l0.detach().split(6):
        np.testing.assert_allclose(gate @ gate.T, np.eye(6), atol=1e-5)


def test_both_columns(tmp_path, monkeypatch):
    unset_forced(monkeypatch)
    path = tmp_path / "r.json"
    main(["temporal_order_rnn", "--smallest", "--seeds", "0", "--json", str(path)])
    report = json.loads(path.read_text())
    (row,) = report["rows"].values()
    assert row["pytorch"]["init"] == "pytorch"
    assert len(row["pytorch"]["figures"]) == 1
    assert "torch" in report["versions"]
