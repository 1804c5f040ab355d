"""Files of every release and format load for ever, and answer what they answered then."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import InconsistentVersionWarning

from sklearn_rnn import SKOPS_TRUSTED, Checkpoint, SequenceArray
from sklearn_rnn.persistence import load
from tests.golden import fits, forecasters
from tests.golden.make import answers, main, make_estimators
from tests.helpers import SIX

GOLDEN = Path(__file__).parent / "golden"
FORECASTERS = sorted(GOLDEN.glob("*-forecasters/*-*.pickle"))
STATES = sorted(GOLDEN.glob("*-forecasters/state.pickle"))
# Written in format 2, which had `checkpoint_epochs` and `checkpoint_seconds`: a model with both,
# one with a path alone, and one that is not fitted and has `checkpoint_epochs=4` without a path.
WITH_CHECKPOINTS = sorted((GOLDEN / "0.1.0-format-2-checkpoints").iterdir())
DIRECTORIES = sorted(path.parent for path in GOLDEN.glob("*/inputs.npz"))
FILES = [
    path
    for directory in DIRECTORIES
    for path in sorted(directory.iterdir())
    if path.stem in {Estimator.__name__ for Estimator in SIX}
]


def load_any(path):
    """Load one of our own files, of whatever kind, without a word about its age."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)  # scikit-learn's and our own
        if path.suffix == ".npz":
            return load(path)
        if path.suffix == ".pickle":
            return pickle.loads(path.read_bytes())
        return pytest.importorskip("skops.io").load(path, trusted=SKOPS_TRUSTED)


def read_inputs(path):
    with np.load(path.parent / "inputs.npz") as file:
        return SequenceArray(file["values"], file["offsets"])


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, answer in found.items():
        if answer.dtype.kind == "f":
            np.testing.assert_allclose(answer, expected[name], 1e-12, 1e-12, err_msg=name)
        else:
            np.testing.assert_array_equal(answer, expected[name], err_msg=name)


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}/{path.name}" for path in FILES])
def test_it_loads_and_answers_as_it_did(path):
    estimator, X = load_any(path), read_inputs(path)
    assert type(estimator).__name__ == path.stem
    with np.load(path.with_suffix(".answers.npz")) as file:
        assert_close(answers(estimator, X), dict(file))
    assert len(estimator.loss_curve_) == len(estimator.validation_scores_ or [1, 2]) == 2
    before = estimator.weights_["weight_out"]
    _, y = make_estimators({})[path.stem]
    assert not np.array_equal(estimator.partial_fit(X, y).weights_["weight_out"], before)


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda directory: directory.name)
def test_nothing_is_missing(directory):
    kinds = [".pickle"] if directory.name == "before-stamps" else [".npz", ".pickle", ".skops"]
    expected = [f"{Estimator.__name__}{kind}" for Estimator in SIX for kind in kinds]
    assert sorted(path.name for path in FILES if path.parent == directory) == sorted(expected)


@pytest.mark.parametrize("with_options", [False, True])
def test_the_script_still_makes_them(with_options, tmp_path):
    pytest.importorskip("skops.io")
    main(tmp_path / "new", with_options)
    made = {path.name for path in (tmp_path / "new").iterdir()}
    assert made == {path.name for path in (GOLDEN / "0.1.0-format-1").iterdir()}


@pytest.mark.parametrize("path", WITH_CHECKPOINTS, ids=lambda path: path.name)
def test_three_parameters_of_checkpoints_become_one(path):
    estimator = load_any(path)
    expected = {
        "both": Checkpoint("fit.npz", epochs=4, seconds=60.0),
        "path": "fit2.npz",
        "none": None,
    }
    # A file of `save` does not choose where the next fit writes.
    assert estimator.checkpoint == (None if path.suffix == ".npz" else expected[path.stem])
    assert estimator.get_params().keys() == type(estimator)().get_params().keys()
    assert not [name for name in vars(estimator) if name.startswith("checkpoint_")]
    if path.stem != "none":
        assert estimator.n_iter_ == len(estimator.history_["loss"]) == 2


def test_checkpoints_are_there_in_all_kinds_of_files():
    kinds, models = (".npz", ".pickle", ".skops"), ("both", "none", "path")
    assert [path.name for path in WITH_CHECKPOINTS] == [m + kind for m in models for kind in kinds]


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", FORECASTERS, ids=name_of)
def test_a_forecaster_loads_and_forecasts_as_it_did(path):
    with np.load(path.with_suffix(".answers.npz")) as file:
        assert_close(forecasters.forecasts(load_any(path)), dict(file))


@pytest.mark.parametrize("path", STATES, ids=name_of)
def test_a_state_loads_and_its_streams_go_on(path):
    model, state = load_any(path)
    with np.load(path.with_suffix(".answers.npz")) as file:
        expected = dict(file)
    prediction, after = model.step(expected.pop("x_t"), state)
    assert_close({"step": prediction, "h": after.h, "c": after.c}, expected)
    assert state.n_steps.tolist() == [5] * 5


def test_forecasters_and_states_are_all_there(tmp_path):
    assert len(FORECASTERS) >= 6
    assert STATES
    forecasters.main(tmp_path / "new")
    made = {path.name for path in (tmp_path / "new").iterdir()}
    assert made == {path.name for path in FORECASTERS[0].parent.iterdir()}


def test_fits_have_the_weights_that_they_had():
    """Up to rounding; `python -m tests.golden.fits compare` looks at every bit."""
    with np.load(fits.FITS_FILE) as file:
        expected = dict(file)
    found = fits.weights()
    assert found.keys() == expected.keys()
    for name, weights in found.items():
        tolerance = 1e-3 if weights.dtype == np.float32 else 1e-7
        assert weights.dtype == expected[name].dtype, name
        np.testing.assert_allclose(weights, expected[name], tolerance, tolerance, err_msg=name)


def test_the_script_sees_a_bit_that_has_changed(tmp_path, capsys):
    path = tmp_path / "fits.npz"
    assert fits.main(["write", str(path)]) == 0
    assert fits.main(["compare", str(path)]) == 0
    with np.load(path) as file:
        weights = dict(file)
    weights["gru tokens"][3] = np.nextafter(weights["gru tokens"][3], 1)
    np.savez(path, **weights)
    assert fits.main(["compare", str(path)]) == 1
    assert "gru tokens" in capsys.readouterr().out
