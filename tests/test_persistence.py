"""Saved, sent and copied estimators give the same bits, take little room and hold plain data."""

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone

from tests.helpers import (
    SIX,
    answers,
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    fingerprint,
    fit_tiny,
    make_sequences,
    make_targets,
    packed,
    tiny,
    unchanged,
)

ROOT = Path(__file__).parents[1]
X = make_sequences()


def through_joblib(estimator, tmp_path, **kwargs):
    joblib.dump(estimator, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib", **kwargs)


def through_joblib_compressed(estimator, tmp_path):
    joblib.dump(estimator, tmp_path / "model.joblib.gz", compress=3)
    return joblib.load(tmp_path / "model.joblib.gz")


TRIPS = {
    **{
        f"pickle-{protocol}": lambda estimator, _, protocol=protocol: pickle.loads(
            pickle.dumps(estimator, protocol)
        )
        for protocol in (2, pickle.HIGHEST_PROTOCOL)
    },
    "joblib": through_joblib,
    "joblib-compressed": through_joblib_compressed,
    "joblib-mmap": lambda estimator, tmp_path: through_joblib(estimator, tmp_path, mmap_mode="r"),
    "cloudpickle": lambda estimator, _: pickle.loads(cloudpickle.dumps(estimator)),
    "deepcopy": lambda estimator, _: copy.deepcopy(estimator),
    "copy": lambda estimator, _: copy.copy(estimator),
}
TRAINED = {
    "fit": lambda E: fit_tiny(E),
    "float32": lambda E: fit_tiny(E, make_sequences(dtype=np.float32), bidirectional=True),
    "warm-start": lambda E: fit_tiny(E, warm_start=True, batch_size=5),
    "partial-fit": lambda E: fit_tiny(E).partial_fit(X, make_targets(E())),
    "early-stopping": lambda E: fit_tiny(E, early_stopping=True, validation_fraction=0.3),
}


@pytest.mark.parametrize("how", TRAINED)
@pytest.mark.parametrize("trip", TRIPS)
def test_round_trip(Estimator, trip, how, tmp_path):
    fitted = TRAINED[how](Estimator)
    back = TRIPS[trip](fitted, tmp_path)
    assert_same_answers(back, fitted, X)
    assert_same_model(back, fitted)
    assert back.get_params() == fitted.get_params()
    assert vars(back).keys() == vars(fitted).keys()
    y = make_targets(fitted)
    assert_same_model(back.partial_fit(X, y), fitted.partial_fit(X, y))


@pytest.mark.parametrize("trip", TRIPS)
def test_an_unfitted_one_stays_unfitted(Estimator, trip, tmp_path):
    back = TRIPS[trip](tiny(Estimator), tmp_path)
    assert_unfitted(back)
    assert_same_model(back.fit(X, make_targets(back)), fit_tiny(Estimator))


def test_a_fit_with_a_random_state_instance_can_be_saved(Estimator):
    fitted = fit_tiny(Estimator, random_state=np.random.RandomState(0))
    assert_same_answers(pickle.loads(pickle.dumps(fitted)), fitted, X)


@pytest.mark.parametrize("hidden_size", [1, 8, 64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_pickle_is_little_more_than_the_parameters(Estimator, hidden_size, dtype):
    """With default parameters, after as many epochs as they allow: 56 bytes each, in history_."""
    fitted = Estimator(hidden_size, random_state=0, tol=0.0, n_iter_no_change=1000)
    sequences = make_sequences(dtype=dtype)
    fitted.fit(sequences, make_targets(fitted))
    assert fitted.n_iter_ == fitted.max_iter
    parameters = fitted.n_parameters_ * np.dtype(dtype).itemsize
    allowed = 1.05 * parameters + 4096 + 7 * 8 * fitted.n_iter_
    for dumps in (pickle.dumps, cloudpickle.dumps):
        assert len(dumps(fitted)) <= allowed
    buffer = io.BytesIO()
    joblib.dump(fitted, buffer)
    assert len(buffer.getvalue()) <= allowed


def test_a_fit_holds_no_data_and_no_buffers(Estimator):
    """What is held does not depend on the number and the length of the sequences."""
    small = fit_tiny(Estimator, batch_size=4)
    large = fit_tiny(Estimator, make_sequences([50] * 60), batch_size=4)
    assert len(pickle.dumps(large)) <= len(pickle.dumps(small)) + 100


def test_another_process_gives_the_same_answers(tmp_path):
    """Fitted here, asked there: all six at once, since a process takes its time."""
    models = [fit_tiny(Estimator) for Estimator in SIX]
    joblib.dump((models, X), tmp_path / "models.joblib")
    code = (
        "import joblib, sys\n"
        "models, X = joblib.load(sys.argv[1])\n"
        "joblib.dump([model.transform(X) for model in models], sys.argv[2])\n"
        "joblib.dump([model.predict(X) for model in models], sys.argv[3])\n"
    )
    paths = [str(tmp_path / name) for name in ("models.joblib", "states", "predictions")]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, cwd=ROOT)
    for model, states, prediction in zip(
        models, joblib.load(paths[1]), joblib.load(paths[2]), strict=True
    ):
        np.testing.assert_array_equal(states, model.transform(X))
        np.testing.assert_array_equal(prediction, model.predict(X))


# --- Copies --------------------------------------------------------------------------------------


def test_clone_is_unfitted_and_has_the_same_parameters(Estimator):
    params = dict(bidirectional=True, pooling="max", n_timesteps=None, alpha=0.1)
    fitted = fit_tiny(Estimator, **params)
    copied = clone(fitted)
    assert_unfitted(copied)
    assert copied.get_params() == fitted.get_params()
    assert not [name for name in fitted.get_params() if name.endswith("_")]


def test_clone_keeps_what_is_no_parameter(Estimator):
    pytest.importorskip("pandas")
    configured = tiny(Estimator).set_output(transform="pandas")
    with config_context(enable_metadata_routing=True):
        configured.set_fit_request(sample_weight=True)
    copied = clone(configured)
    assert copied._sklearn_output_config == {"transform": "pandas"}
    assert copied._metadata_request is not None
    fitted = copied.fit(X, make_targets(copied))
    assert fitted._sklearn_output_config == {"transform": "pandas"}
    assert fitted._metadata_request is not None


def test_a_copy_is_independent_both_ways(Estimator):
    original = fit_tiny(Estimator, warm_start=True)
    for copied in (copy.deepcopy(original), copy.copy(original)):
        before = answers(original, X)
        with unchanged(original):
            copied.fit(X, make_targets(copied))
            copied.partial_fit(X, make_targets(copied))
        for name, answer in answers(original, X).items():
            np.testing.assert_array_equal(answer, before[name])


# --- What is inside ------------------------------------------------------------------------------


def plain(value):
    """Whether a fitted attribute is made of numbers, text and arrays alone."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(plain, value))
    return value is None or type(value) in (bool, int, float, str, np.ndarray)


@pytest.mark.parametrize("how", TRAINED)
def test_fitted_attributes_are_plain(Estimator, how):
    fitted = TRAINED[how](Estimator)
    odd = [name for name, value in vars(fitted).items() if not plain(value)]
    assert odd == []


@pytest.mark.parametrize("how", TRAINED)
def test_skops_needs_to_trust_our_class_alone(Estimator, how):
    skops_io = pytest.importorskip("skops.io")
    fitted = TRAINED[how](Estimator)
    dumped = skops_io.dumps(fitted)
    trusted = skops_io.get_untrusted_types(data=dumped)
    assert trusted == [f"{Estimator.__module__}.{Estimator.__name__}"]
    assert_same_answers(skops_io.loads(dumped, trusted=trusted), fitted, X)


def test_joblib_hash_is_that_of_what_was_learned(Estimator):
    """Equal fits are equal to joblib's cache, too, but for the seconds that their epochs took."""
    one, other = fit_tiny(Estimator), fit_tiny(Estimator, packed(X))
    assert fingerprint(one, seconds=False) == fingerprint(other, seconds=False)
    different = fit_tiny(Estimator, random_state=1)
    assert fingerprint(one, seconds=False) != fingerprint(different, seconds=False)


def test_classes_of_text_survive_as_text(Classifier, tmp_path):
    fitted = fit_tiny(Classifier)
    for trip in TRIPS.values():
        assert trip(fitted, tmp_path).classes_.tolist() == ["ash", "elm", "oak"]
