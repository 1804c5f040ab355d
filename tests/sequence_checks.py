"""Checks of an estimator on sequences, in the spirit of scikit-learn's `check_estimator`.

scikit-learn's own checks give every estimator 2-D input. `check_sequence_estimator` asks for the
same virtues on sequences, in each of the containers that hold them:

    array    3-D, all sequences of one length
    list     of arrays (T_i, F)
    padded   3-D, NaN in the steps after (and for some sequences before) the real ones
    object   a one-dimensional object array of arrays
    packed   a SequenceArray

A check is a function of an unfitted estimator and a `Case`, the data in one of the containers.
"""

import copy
import pickle
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils import _safe_indexing

from tests.helpers import (
    answers,
    assert_same_answers,
    assert_same_model,
    fingerprint,
    make_sequences,
    make_targets,
    object_array,
    packed,
)

ROUNDING = 1e-12  # between two ways to compute the same in float64
RAGGED = (5, 2, 7, 1, 4, 3, 6, 5, 2, 4)
EQUAL = (5,) * len(RAGGED)
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")


def pad(sequences):
    """Pad with NaN at the end; every third sequence at its beginning too."""
    longest = max(map(len, sequences)) + 1
    X = np.full((len(sequences), longest, sequences[0].shape[1]), np.nan, sequences[0].dtype)
    for i, sequence in enumerate(sequences):
        begin = longest - len(sequence) if i % 3 == 1 else 0
        X[i, begin : begin + len(sequence)] = sequence
    return X


CONTAINERS = {
    "array": np.array,
    "list": list,
    "padded": pad,
    "object": object_array,
    "packed": packed,
}


@dataclass
class Case:
    """Sequences in one container, and their targets."""

    container: str
    sequences: list
    y: np.ndarray

    @classmethod
    def make(cls, container, estimator, *, n_features=2, seed=0, dtype=np.float64):
        """Make up data for an estimator."""
        lengths = EQUAL if container == "array" else RAGGED
        sequences = make_sequences(lengths, n_features, seed, dtype)
        return cls(container, sequences, make_targets(estimator, len(lengths)))

    def pack(self, sequences):
        """Put sequences into the container."""
        return CONTAINERS[self.container](sequences)

    @property
    def X(self):
        """The data, new in memory each time."""
        return self.pack([sequence.copy() for sequence in self.sequences])


# --- The checks ----------------------------------------------------------------------------------


def check_clone(estimator, case):
    """A clone of a fitted estimator is unfitted, and learns the same."""
    fitted = clone(estimator).fit(case.X, case.y)
    copied = clone(fitted)
    assert copied.get_params() == estimator.get_params()
    assert not [name for name in vars(copied) if name.endswith("_")]
    assert_same_model(copied.fit(case.X, case.y), fitted)


def check_fit_returns_self(estimator, case):
    """`fit` and `partial_fit` return the estimator."""
    assert estimator.fit(case.X, case.y) is estimator
    assert estimator.partial_fit(case.X, case.y) is estimator


def check_unfitted(estimator, case):
    """Every method says that the estimator is not fitted yet."""
    for method in METHODS:
        if hasattr(estimator, method):
            with pytest.raises(NotFittedError):
                getattr(estimator, method)(case.X)
    with pytest.raises(NotFittedError):
        estimator.score(case.X, case.y)


def check_parameters_are_kept(estimator, case):
    """`fit` leaves the parameters as they are."""
    before = copy.deepcopy(estimator.get_params())
    estimator.fit(case.X, case.y)
    assert estimator.get_params() == before


def check_what_fit_saw(estimator, case):
    """Features and time steps are counted by sequences, not by columns."""
    estimator.fit(case.X, case.y)
    assert estimator.n_features_in_ == 2
    assert estimator.n_timesteps_in_ == (5 if case.container == "array" else None)
    assert not hasattr(estimator, "feature_names_in_")


def check_answers(estimator, case):
    """Answers have the right shapes, are finite, and agree with each other."""
    said = answers(estimator.fit(case.X, case.y), case.X)
    n = len(case.y)
    assert said["predict"].shape == (n,)
    assert said["transform"].shape == (n, len(estimator.get_feature_names_out()))
    for name, answer in said.items():
        assert len(answer) == n
        assert answer.dtype.kind in "OU" or np.isfinite(answer).all(), name
    if is_classifier(estimator):
        proba = said["predict_proba"]
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=ROUNDING)
        np.testing.assert_array_equal(estimator.classes_[proba.argmax(axis=1)], said["predict"])
    assert np.isscalar(estimator.score(case.X, case.y))


def check_predict_is_idempotent(estimator, case):
    """The same question gets the same bits, and asking changes nothing."""
    estimator.fit(case.X, case.y)
    before = fingerprint(estimator)
    first = answers(estimator, case.X)
    for name, answer in answers(estimator, case.X).items():
        np.testing.assert_array_equal(answer, first[name])
        assert not np.shares_memory(answer, first[name])
    assert fingerprint(estimator) == before


def check_subset_invariance(estimator, case):
    """A sequence gets the same answer alone, in a small and in a large batch."""
    estimator.fit(case.X, case.y)
    whole = answers(estimator, case.X)
    for size in (1, 3):
        batches = [
            answers(estimator, case.pack(case.sequences[begin : begin + size]))
            for begin in range(0, len(case.y), size)
        ]
        for name, answer in whole.items():
            if answer.dtype.kind == "f":
                parts = np.concatenate([batch[name] for batch in batches])
                np.testing.assert_allclose(parts, answer, rtol=ROUNDING, atol=ROUNDING)


def check_order_invariance(estimator, case):
    """The order of the sequences changes nothing but the order of the answers."""
    estimator.fit(case.X, case.y)
    order = np.random.default_rng(0).permutation(len(case.y))
    whole, mixed = answers(estimator, case.X), answers(estimator, _safe_indexing(case.X, order))
    for name, answer in whole.items():
        if answer.dtype.kind == "f":
            np.testing.assert_allclose(mixed[name], answer[order], rtol=ROUNDING, atol=ROUNDING)


def check_other_lengths(estimator, case):
    """Sequences of any length can be asked about, whatever lengths fit has seen."""
    estimator.fit(case.X, case.y)
    X = make_sequences([1, 12], seed=5)
    said = answers(estimator, X)
    for i, sequence in enumerate(X):
        for name, answer in answers(estimator, sequence[np.newaxis]).items():
            if answer.dtype.kind == "f":
                np.testing.assert_allclose(answer[0], said[name][i], rtol=ROUNDING, atol=ROUNDING)


def check_pickle(estimator, case):
    """What comes out of pickle gives the same bits."""
    estimator.fit(case.X, case.y)
    assert_same_answers(pickle.loads(pickle.dumps(estimator)), estimator, case.X)


def check_read_only_memory_map(estimator, case):
    """Data that joblib maps from disk, read-only, give the same bits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.joblib"
        joblib.dump((case.X, case.y), path)
        X, y = joblib.load(path, mmap_mode="r")
        mapped = clone(estimator).fit(X, y)
        in_memory = estimator.fit(case.X, case.y)
        assert_same_model(mapped, in_memory)
        for name, answer in answers(in_memory, case.X).items():
            np.testing.assert_array_equal(answers(mapped, X)[name], answer)
        del X, y, mapped


def check_data_are_not_written(estimator, case):
    """Neither X nor y nor the weights are written into."""
    data = case.X, case.y.copy(), np.arange(1.0, len(case.y) + 1)
    before = pickle.dumps(data)
    X, y, weight = data
    estimator.fit(X, y, weight).partial_fit(X, y, sample_weight=weight).score(X, y, weight)
    answers(estimator, X)
    assert pickle.dumps(data) == before


def check_weights_of_one(estimator, case):
    """No weights are weights of one."""
    plain = clone(estimator).fit(case.X, case.y)
    for weight in (np.ones(len(case.y)), 1, np.full(len(case.y), 4.0)):
        assert_same_model(clone(estimator).fit(case.X, case.y, weight), plain)


def check_weights_are_repeats(estimator, case):
    """A weight of w means w copies, in any order; 0 means that the sample is not there."""
    repeats = np.array([2, 0, 1, 3, 1, 1, 0, 2, 1, 1])
    weighted = clone(estimator).fit(case.X, case.y, sample_weight=repeats)
    index = np.random.default_rng(0).permutation(np.repeat(np.arange(len(repeats)), repeats))
    estimator.fit(case.pack([case.sequences[i] for i in index]), case.y[index])
    assert_same_model(weighted, estimator)


def check_number_of_features(estimator, case):
    """Sequences of another number of features are refused by every method."""
    estimator.fit(case.X, case.y)
    before = fingerprint(estimator)
    X = Case.make(case.container, estimator, n_features=3).X
    message = f"X has 3 features, but {type(estimator).__name__} is expecting 2 features"
    for method in METHODS:
        if hasattr(estimator, method):
            with pytest.raises(ValueError, match=message):
                getattr(estimator, method)(X)
    for method in ("partial_fit", "score"):
        with pytest.raises(ValueError, match=message):
            getattr(estimator, method)(X, case.y)
    assert fingerprint(estimator) == before


def check_fit_is_idempotent(estimator, case):
    """A second fit on the same data gives the same bits, also after a fit on others."""
    first = clone(estimator).fit(case.X, case.y)
    other = Case.make("list", estimator, n_features=3, seed=7)
    estimator.fit(other.X, other.y).fit(case.X, case.y)
    expected = fingerprint(first, seconds=False)
    assert fingerprint(estimator, seconds=False) == expected
    assert fingerprint(estimator.fit(case.X, case.y), seconds=False) == expected


def check_float32(estimator, case):
    """float32 in gives float32 weights and answers, near those of float64."""
    double = clone(estimator).set_params(max_iter=1).fit(case.X, case.y)
    case = Case.make(case.container, estimator, dtype=np.float32)
    single = clone(estimator).set_params(max_iter=1).fit(case.X, case.y)
    assert {weight.dtype for weight in single.weights_.values()} == {np.dtype(np.float32)}
    assert {weight.dtype for weight in double.weights_.values()} == {np.dtype(np.float64)}
    exact = answers(double, case.X)
    for name, answer in answers(single, case.X).items():
        if exact[name].dtype.kind == "f":
            assert (answer.dtype, exact[name].dtype) == (np.float32, np.float64)
            np.testing.assert_allclose(answer, exact[name], rtol=1e-3, atol=1e-4)


def check_containers_agree(estimator, case):
    """In whatever container they come, the same sequences are learned and answered alike."""
    in_list = clone(estimator).fit(case.sequences, case.y)
    estimator.fit(case.X, case.y)
    assert_same_model(estimator, in_list)
    assert_same_answers(estimator, in_list, case.X)
    for name, answer in answers(estimator, case.sequences).items():
        np.testing.assert_array_equal(answer, answers(estimator, case.X)[name])


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]


# --- Running them --------------------------------------------------------------------------------


def yield_sequence_checks(estimator):
    """Yield (name, container, check) for all checks; a check takes no arguments."""
    for check in CHECKS:
        for container in CONTAINERS:
            case = Case.make(container, estimator)
            yield check.__name__, container, partial(check, clone(estimator), case)


def check_sequence_estimator(estimator):
    """Run all checks on an estimator; the first that fails raises.

    Parameters
    ----------
    estimator : estimator instance
        With a `random_state`, and a `batch_size` of ten or more.

    Returns
    -------
    passed : list of (name, container)
        What was checked.
    """
    passed = []
    for name, container, check in yield_sequence_checks(estimator):
        try:
            check()
        except BaseException as error:
            error.add_note(f"in {name}, with X in the container {container!r}, of {estimator!r}")
            raise
        passed.append((name, container))
    return passed
