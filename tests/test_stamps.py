"""Pickles say which release made them; those of others warn, those of later formats are refused."""

import copy
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_rnn
from sklearn_rnn import (
    SKOPS_TRUSTED,
    Checkpoint,
    GRUClassifier,
    GRURegressor,
    RecurrentForecaster,
)
from sklearn_rnn._estimators.stamps import FORMAT
from sklearn_rnn.persistence import ModelVersionWarning
from tests.helpers import SIX, assert_same_answers, fit_tiny, make_sequences, pickled

X = make_sequences()


def stamped(estimator, **stamp):
    """Return the state of an estimator with another stamp."""
    names = {"version": "_sklearn_rnn_version", "format": "_sklearn_rnn_format"}
    return {**estimator.__getstate__(), **{names[key]: value for key, value in stamp.items()}}


def restored(estimator, state):
    back = object.__new__(type(estimator))
    back.__setstate__(state)
    return back


def test_a_pickle_carries_version_and_format(Estimator):
    state = fit_tiny(Estimator).__getstate__()
    assert state["_sklearn_rnn_version"] == sklearn_rnn.__version__
    assert state["_sklearn_rnn_format"] == FORMAT
    assert [name for name in vars(pickled(fit_tiny(Estimator))) if "sklearn_rnn" in name] == []


@pytest.mark.parametrize("version", ["0.0.1", "99.0"])
def test_another_release_warns(Estimator, version):
    fitted = fit_tiny(Estimator)
    with pytest.warns(ModelVersionWarning, match=rf"{Estimator.__name__} was .* {version}") as seen:
        back = restored(fitted, stamped(fitted, version=version))
    assert issubclass(ModelVersionWarning, InconsistentVersionWarning)
    warning = seen[0].message
    assert (warning.original_version, warning.current_version) == (version, sklearn_rnn.__version__)
    assert_same_answers(back, fitted, X)


def test_a_newer_format_is_refused(Estimator):
    fitted = fit_tiny(Estimator)
    with pytest.raises(ValueError, match=rf"9\.0 in format {FORMAT + 1}, .* to {FORMAT}: load"):
        restored(fitted, stamped(fitted, version="9.0", format=FORMAT + 1))


def test_copies_and_clones_do_not_warn():
    fitted = fit_tiny(GRUClassifier)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for copied in (copy.copy(fitted), copy.deepcopy(fitted), clone(fitted), pickled(fitted)):
            assert copied.get_params() == fitted.get_params()


def test_a_forecaster_is_stamped_too():
    forecaster = RecurrentForecaster(window=4, horizon=1, random_state=0)
    with pytest.warns(ModelVersionWarning, match="RecurrentForecaster"):
        restored(forecaster, stamped(forecaster, version="0.0.1"))


def test_an_option_that_an_older_release_did_not_have_is_off():
    fitted = fit_tiny(GRURegressor)
    state = fitted.__getstate__()
    del state["bidirectional"], state["max_iter"]
    state["_architecture_"] = {
        name: value for name, value in fitted._architecture_.items() if name != "bidirectional"
    }
    before = copy.deepcopy(state)
    back = restored(fitted, state)
    assert back.bidirectional is False
    assert back.max_iter == GRURegressor().max_iter
    assert back._architecture_ == fitted._architecture_
    assert_same_answers(back, fitted, X)
    assert state["_architecture_"] == before["_architecture_"]


def test_nothing_is_added_to_what_is_complete(Estimator):
    fitted = fit_tiny(Estimator, warm_start=True)
    assert vars(restored(fitted, fitted.__getstate__())).keys() == vars(fitted).keys()
    assert pickled(fitted)._architecture_ == fitted._architecture_


# --- skops ----------------------------------------------------------------------------------------


def test_skops_trusted_names_the_six_and_what_they_may_hold():
    classes = [*SIX, Checkpoint]
    assert sorted(SKOPS_TRUSTED) == sorted(f"{C.__module__}.{C.__name__}" for C in classes)


def mapped(estimator, tmp_path):
    joblib.dump(estimator, tmp_path / "model.joblib")
    back = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert isinstance(back._theta_, np.memmap)
    return back


@pytest.mark.parametrize("how", ["fitted", "memory-mapped"])
def test_skops_trusts_the_six(Estimator, how, tmp_path):
    skops_io = pytest.importorskip("skops.io")
    fitted = fit_tiny(Estimator, warm_start=True)
    dumped = skops_io.dumps(mapped(fitted, tmp_path) if how == "memory-mapped" else fitted)
    assert skops_io.get_untrusted_types(data=dumped) == [
        f"{Estimator.__module__}.{Estimator.__name__}"
    ]
    assert_same_answers(skops_io.loads(dumped, trusted=SKOPS_TRUSTED), fitted, X)


def test_skops_trusts_a_pipeline(Estimator):
    skops_io = pytest.importorskip("skops.io")
    fitted = fit_tiny(Estimator, np.random.default_rng(0).normal(size=(12, 6)), n_timesteps=3)
    pipeline = make_pipeline(StandardScaler().fit(np.eye(6)), fitted)
    dumped = skops_io.dumps(pipeline)
    assert set(skops_io.get_untrusted_types(data=dumped)) <= set(SKOPS_TRUSTED)
    rows = np.random.default_rng(1).normal(size=(4, 6))
    back = skops_io.loads(dumped, trusted=SKOPS_TRUSTED)
    np.testing.assert_array_equal(back.predict(rows), pipeline.predict(rows))
