"""save and load: the same estimator to the last bit, and never anything else."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline

from sklearn_rnn import (
    Checkpoint,
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RecurrentForecaster,
    RNNRegressor,
    _files,
)
from sklearn_rnn._estimators.stamps import FORMAT
from sklearn_rnn.persistence import load, save
from tests.helpers import (
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    fit_tiny,
    make_sequences,
    make_targets,
    tiny,
    trained,
)
from tests.test_files import assert_same
from tests.test_persistence import TRAINED

ROOT = Path(__file__).parents[1]
X = make_sequences()
X3 = np.random.default_rng(3).normal(size=(12, 5, 2))
Y3 = np.random.default_rng(4).normal(size=(12, 3))


def frames(X):
    pandas = pytest.importorskip("pandas")
    return [pandas.DataFrame(x, columns=["level", "größe"]) for x in X]


def labels(values):
    return np.array(values, dtype=object)


VARIANTS = {
    "tokens": lambda: fit_tiny(GRUClassifier, ["abc", "ba", "a", "cab"] * 3, embedding_size=2),
    "integer tokens": lambda: fit_tiny(LSTMRegressor, [[3, 10**12], [3]] * 6, embedding_size=2),
    "labels of objects": lambda: fit_tiny(GRUClassifier, y=labels(["ash", "a longer one"] * 6)),
    "boolean labels": lambda: fit_tiny(GRUClassifier, y=np.array([True, False] * 6)),
    "labels of int8": lambda: fit_tiny(LSTMClassifier, y=np.array([3, -1, 7] * 4, np.int8)),
    "one class": lambda: fit_tiny(LSTMClassifier, y=["only"] * 12),
    "multilabel": lambda: fit_tiny(LSTMClassifier, y=Y3 > 0),
    "class weights": lambda: fit_tiny(
        GRUClassifier, y=[0, 2, 5] * 4, class_weight={0: 1, 2: np.float64(2), 5: 0.5}
    ),
    "feature names": lambda: fit_tiny(GRUClassifier, frames(X)),
    "flat": lambda: fit_tiny(GRURegressor, X3.reshape(12, -1), n_timesteps=5),
    "several outputs": lambda: fit_tiny(RNNRegressor, y=Y3, nonlinearity="relu"),
    "intervals": lambda: tiny(GRURegressor, loss="quantile", quantiles=[0.1, 0.9]).fit(
        X, Y3, X_val=X, y_val=Y3
    ),
    "per step": lambda: fit_tiny(GRURegressor, X3, X3[..., 0], return_sequences=True),
    "numpy parameters": lambda: fit_tiny(
        GRURegressor, alpha=np.float32(0.1), hidden_size=np.int64(3), quantiles=(0.5,)
    ),
    "pandas out": lambda: fit_tiny(GRURegressor).set_output(transform="pandas"),
    "lbfgs": lambda: fit_tiny(RNNRegressor, solver="lbfgs", warm_start=True),
}


def through_file(estimator, tmp_path):
    save(estimator, tmp_path / "model.npz")
    return load(tmp_path / "model.npz")


def assert_same_estimator(back, original):
    assert type(back) is type(original)
    assert_same(vars(back), vars(original))


@pytest.mark.parametrize("how", TRAINED)
def test_the_same_to_the_last_bit(Estimator, how, tmp_path):
    fitted = TRAINED[how](Estimator)
    back = through_file(fitted, tmp_path)
    assert_same_estimator(back, fitted)
    assert_same_answers(back, fitted, X)
    y = make_targets(fitted)
    assert_same_model(back.partial_fit(X, y), fitted.partial_fit(X, y))


@pytest.mark.parametrize("how", VARIANTS)
def test_whatever_was_learned(how, tmp_path):
    fitted = VARIANTS[how]()
    assert_same_estimator(through_file(fitted, tmp_path), fitted)


def test_an_unfitted_one_stays_unfitted(Estimator, tmp_path):
    back = through_file(tiny(Estimator, alpha=0.5), tmp_path)
    assert_unfitted(back)
    assert_same_estimator(back, tiny(Estimator, alpha=0.5))


@pytest.mark.parametrize("solver", ["adam", "adamw", "rmsprop", "sgd"])
def test_training_goes_on_as_if_it_had_never_stopped(Estimator, solver, tmp_path):
    params = dict(warm_start=True, solver=solver, tol=0.0)
    through, y = trained(Estimator, 2, **params), make_targets(tiny(Estimator))
    straight = trained(Estimator, 2, **params)
    through = through_file(through, tmp_path)
    for _ in range(2):
        assert_same_model(through.fit(X, y), straight.fit(X, y))
        through = through_file(through, tmp_path)


def test_a_memory_mapped_estimator_can_be_saved(Estimator, tmp_path):
    fitted = fit_tiny(Estimator, warm_start=True)
    joblib.dump(fitted, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert isinstance(mapped._theta_, np.memmap)
    assert_same_estimator(through_file(mapped, tmp_path), fitted)


def test_the_same_estimator_makes_the_same_file(Estimator, tmp_path):
    fitted = fit_tiny(Estimator)
    save(fitted, tmp_path / "one.npz")
    save(through_file(fitted, tmp_path), tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_a_file_is_little_more_than_the_parameters(Estimator, tmp_path):
    fitted = fit_tiny(Estimator, hidden_size=64)
    save(fitted, tmp_path / "model.npz")
    assert os.path.getsize(tmp_path / "model.npz") <= fitted._theta_.nbytes + 8192


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "value", "what"),
    [
        ("random_state", np.random.RandomState(0), "a RandomState"),
        ("validation_scoring", accuracy_score, "a function"),
    ],
)
def test_parameters_that_are_not_plain(Estimator, parameter, value, what, tmp_path):
    fitted = fit_tiny(Estimator).set_params(**{parameter: value})
    with pytest.raises(TypeError, match=rf"parameters\.{parameter} is {what}"):
        save(fitted, tmp_path / "model.npz")
    assert os.listdir(tmp_path) == []
    assert_same_answers(through_file(fitted.set_params(**{parameter: None}), tmp_path), fitted, X)


def test_parameters_that_fit_would_refuse(Estimator, tmp_path):
    """They are refused before anything is written, since `load` would refuse the file."""
    fitted = fit_tiny(Estimator).set_params(alpha=-1.0)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        save(fitted, tmp_path / "model.npz")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("checkpoint", ["fit.npz", Path("fit.npz"), Checkpoint("fit.npz")])
def test_a_checkpoint_is_not_restored(checkpoint, tmp_path):
    """A file does not choose where the next fit writes."""
    estimator = GRUClassifier(checkpoint=checkpoint)
    assert through_file(estimator, tmp_path).checkpoint is None
    content, _ = _files.read(tmp_path / "model.npz", kind="estimator", newest=FORMAT)
    parameters = {**content["parameters"], "checkpoint": "elsewhere.npz"}
    write(tmp_path / "model.npz", {"parameters": parameters})
    assert load(tmp_path / "model.npz").checkpoint is None


class Derived(GRUClassifier):
    """Somebody's own estimator: its class could not be looked up."""


Impostor = type("GRUClassifier", (GRUClassifier,), {})


@pytest.mark.parametrize(
    "estimator",
    [Derived(), Impostor(), RecurrentForecaster(), make_pipeline(GRUClassifier()), None],
    ids=lambda estimator: type(estimator).__name__,
)
def test_only_the_six(estimator, tmp_path):
    name = type(estimator).__name__
    with pytest.raises(TypeError, match=f"save takes one of RNNClassifier, .*, and got a {name}"):
        save(estimator, tmp_path / "model.npz")


def write(path, changes, number=FORMAT):
    save(GRUClassifier(), path)
    content, _ = _files.read(path, kind="estimator", newest=FORMAT)
    _files.write(path, {**content, **changes}, kind="estimator", format=number)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class": "os.system"}, "no estimator of this release"),
        ({"class": ["GRUClassifier"]}, "no estimator of this release"),
        ({"learned": None}, "no estimator of this release"),
        ({"learned": {"predict": 1, "fit": 2}}, "GRUClassifier with fit, predict, which this"),
        ({"parameters": {"units": 3}}, "GRUClassifier with units, which this release"),
    ],
)
def test_contents_that_no_release_has_written(changes, message, tmp_path):
    """Among them what a later release may write: an option that this one cannot follow."""
    write(tmp_path / "model.npz", changes)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "model.npz")


def test_a_newer_format(tmp_path):
    write(tmp_path / "model.npz", {}, number=FORMAT + 1)
    with pytest.raises(ValueError, match=rf"in format {FORMAT + 1}, .*, reads formats up to"):
        load(tmp_path / "model.npz")


def test_another_file(tmp_path):
    path = tmp_path / "model.npz"
    with pytest.raises(FileNotFoundError):
        load(path)
    path.write_bytes(pickle.dumps(GRUClassifier()))
    with pytest.raises(ValueError, match="not written by sklearn_rnn"):
        load(path)
    _files.write(path, {}, kind="checkpoint", format=1)
    with pytest.raises(ValueError, match="its kind is 'checkpoint', and 'estimator' is"):
        load(path)


def test_load_needs_no_pickle(tmp_path):
    """In a process in which pickle cannot load anything."""
    fitted = fit_tiny(GRUClassifier, warm_start=True)
    save(fitted, tmp_path / "model.npz")
    code = (
        "import pickle, sys\n"
        "from sklearn_rnn.persistence import load\n"
        "def refuse(*args, **kwargs): raise AssertionError('unpickled')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = pickle._Unpickler = refuse\n"
        "print(load(sys.argv[1]).n_parameters_)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model.npz")]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    assert int(done.stdout) == fitted.n_parameters_
