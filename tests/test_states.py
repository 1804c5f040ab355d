"""Streams: an answer after each step, states that go on, and prefixes, beside plain predict."""

import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError

from sklearn_rnn import GRUClassifier, GRURegressor, LSTMClassifier, LSTMRegressor, RecurrentState
from tests.helpers import (
    SIX,
    answers,
    fit_tiny,
    make_sequences,
    make_targets,
    object_array,
    packed,
    pickled,
    tiny,
    unchanged,
)

ROOT = Path(__file__).parents[1]
X = make_sequences()
POOLINGS = ["last", "mean", "max"]


def finest(estimator):
    """Give (predict, step, predict_prefixes) of the finest answer: probabilities, or numbers."""
    if is_classifier(estimator):
        return estimator.predict_proba, estimator.step_proba, estimator.predict_proba_prefixes
    return estimator.predict, estimator.step, estimator.predict_prefixes


def walk(step, x, state=None):
    """Feed one sequence, or many of one length (T, n, F), step by step."""
    found = []
    for x_t in x:
        answer, state = step(x_t, state)
        found.append(answer)
    return found, state


def assert_close(actual, expected, tolerance=1e-12):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def arrays_of(state):
    return [a for a in (state.h, state.c, state.pooled, state.n_steps) if a is not None]


def assert_same_state(one, other, tolerance=1e-12):
    for a, b in zip(arrays_of(one), arrays_of(other), strict=True):
        assert a.shape == b.shape
        assert_close(a, b, tolerance)


# --- step is predict ------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_step_is_predict_on_every_prefix(Estimator, dtype, num_layers, pooling):
    sequences = make_sequences(dtype=dtype)
    fitted = fit_tiny(Estimator, sequences, num_layers=num_layers, pooling=pooling)
    predict, step, _ = finest(fitted)
    for x in sequences[:4]:
        prefixes = [x[: t + 1] for t in range(len(x))]
        found, state = walk(step, x)
        expected = predict(prefixes)
        assert_close(found, expected, 1e-12 if dtype == np.float64 else 1e-5)
        assert {np.asarray(answer).dtype for answer in found} == {expected.dtype}
        assert state.n_steps.tolist() == [len(x)]
        if is_classifier(fitted):
            assert walk(fitted.step, x)[0] == fitted.predict(prefixes).tolist()


@pytest.mark.parametrize("Estimator", [GRUClassifier, GRURegressor])
def test_many_streams_are_many_single_ones(Estimator):
    fitted = fit_tiny(Estimator, num_layers=2, pooling="mean")
    _, step, _ = finest(fitted)
    streams = np.stack(make_sequences([6] * 5, seed=3), axis=1)
    together, joint = walk(step, streams)
    for i in range(5):
        alone, state = walk(step, streams[:, i])
        assert_close([answer[i] for answer in together], alone)
        assert_same_state(joint[i], state)


def multilabel(n):
    Y = np.random.default_rng(2).integers(2, size=(n, 3))
    Y[0], Y[1] = 0, 1
    return Y


TARGETS = {
    "binary": (GRUClassifier, np.arange(12) % 2 == 0),
    "one class": (GRUClassifier, np.full(12, "ash")),
    "multilabel": (GRUClassifier, multilabel(12)),
    "one output": (GRURegressor, np.arange(12.0)),
    "three outputs": (GRURegressor, np.arange(36.0).reshape(12, 3)),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_answers_have_the_shape_of_one_row_of_predict(kind):
    Estimator, y = TARGETS[kind]
    fitted = fit_tiny(Estimator, y=y)
    steps = {"predict": fitted.step}
    if is_classifier(fitted):
        steps["predict_proba"] = fitted.step_proba
    for name, step in steps.items():
        expected = getattr(fitted, name)(X)
        for i, x in enumerate(X):
            answer, _ = walk(step, x)
            assert np.shape(answer[-1]) == expected[i].shape
            assert np.asarray(answer[-1]).dtype == expected.dtype
            if expected.dtype.kind == "f":
                assert_close(answer[-1], expected[i])
            else:
                np.testing.assert_array_equal(answer[-1], expected[i])
        answer, _ = step(np.stack([x[0] for x in X]))
        assert answer.shape == expected.shape


def test_relu_steps_too():
    fitted = fit_tiny(SIX[0], nonlinearity="relu")
    assert_close(walk(fitted.step_proba, X[0])[0][-1], fitted.predict_proba(X)[0])


def test_a_model_of_flat_rows_takes_the_features_of_one_step(Estimator):
    rows = np.random.default_rng(0).normal(size=(12, 6))
    fitted = tiny(Estimator, n_timesteps=3).fit(rows, make_targets(tiny(Estimator)))
    predict, step, prefixes = finest(fitted)
    found, _ = walk(step, rows.reshape(12, 3, 2).transpose(1, 0, 2))
    assert_close(found[-1], predict(rows))
    assert prefixes(rows).shape[:2] == (12, 3)
    assert_close(prefixes(rows), np.stack(found, axis=1))
    with pytest.raises(ValueError, match=r"fitted on 2 feature\(s\) a step"):
        fitted.step(rows[0])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_japanese_vowels(pooling, japanese_vowels):
    data = japanese_vowels
    clf = LSTMClassifier(8, pooling=pooling, max_iter=3, random_state=0)
    clf.fit(data.X_train, data.y_train)
    expected = clf.predict_proba(data.X_test)
    prefixes = clf.predict_proba_prefixes(data.X_test)
    halves = [x[: len(x) // 2] for x in data.X_test], [x[len(x) // 2 :] for x in data.X_test]
    _, state = clf.predict(halves[0], return_state=True)
    assert_close(clf.predict_proba(halves[1], initial_state=state), expected, 1e-5)
    for i in range(0, 370, 25):
        found, _ = walk(clf.step_proba, data.X_test[i])
        assert_close(found, prefixes[i], 1e-5)
        assert_close(found[-1], expected[i], 1e-5)


# --- predict from a state -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted_ones():
    return [
        fit_tiny(Estimator, num_layers=2, pooling=pooling)
        for Estimator in SIX
        for pooling in POOLINGS
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    which=st.integers(0, 17),
    lengths=st.lists(st.lists(st.integers(1, 4), min_size=3, max_size=3), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_split_anywhere_it_is_the_whole(fitted_ones, which, lengths, seed):
    predict, step, prefixes = finest(fitted_ones[which])
    sequences = make_sequences(np.sum(lengths, axis=1), seed=seed)
    expected, final = predict(sequences, return_state=True)
    assert_close(expected, predict(sequences))
    cuts = np.cumsum(lengths, axis=1)
    state = None
    for k in range(3):
        begins = cuts[:, k - 1] if k else np.zeros(len(cuts), int)
        pieces = [x[a:b] for x, a, b in zip(sequences, begins, cuts[:, k], strict=True)]
        found, state = predict(pieces, initial_state=state, return_state=True)
    assert_close(found, expected)
    assert_same_state(state, final)
    for i, x in enumerate(sequences):
        steps, alone = walk(step, x)
        assert_close(steps, prefixes([x])[0])
        assert_same_state(final[i], alone)


def test_predict_and_step_take_turns(Estimator):
    fitted = fit_tiny(Estimator)
    predict, step, _ = finest(fitted)
    sequences = np.stack(make_sequences([7] * 4, seed=5))
    _, state = predict(sequences[:, :3], return_state=True)
    _, state = step(sequences[:, 3], state)
    answer = predict(packed(list(sequences[:, 4:])), initial_state=state)
    assert_close(answer, predict(sequences))


def test_labels_go_on_too(Classifier):
    fitted = fit_tiny(Classifier)
    labels, state = fitted.predict([x[:1] for x in X], return_state=True)
    np.testing.assert_array_equal(labels, fitted.predict([x[:1] for x in X]))
    long = [i for i, x in enumerate(X) if len(x) > 1]
    rest = fitted.predict([X[i][1:] for i in long], initial_state=state[long])
    np.testing.assert_array_equal(rest, fitted.predict(X)[long])


def test_an_earlier_run_leaves_nothing_to_a_later_one(Estimator):
    """States are written into workspaces: never into those of another call."""
    fitted = fit_tiny(Estimator)
    predict, _, _ = finest(fitted)
    expected, state = predict(X, return_state=True)
    predict(X, initial_state=state)
    np.testing.assert_array_equal(predict(X, return_state=True)[0], expected)
    np.testing.assert_array_equal(predict(X), predict(X))


# --- After each step ------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("num_layers", [1, 2])
def test_prefixes_are_predict_on_each_prefix(Estimator, num_layers, pooling):
    fitted = fit_tiny(Estimator, num_layers=num_layers, pooling=pooling)
    predict, _, prefixes = finest(fitted)
    found = prefixes(X)
    for x, each, label in zip(X, found, fitted.predict_prefixes(X), strict=True):
        parts = [x[: t + 1] for t in range(len(x))]
        assert_close(each, predict(parts))
        if is_classifier(fitted):
            np.testing.assert_array_equal(label, fitted.predict(parts))


def test_prefixes_come_in_the_container_that_x_deserves():
    fitted = fit_tiny(GRUClassifier)
    X3 = np.stack(make_sequences([4] * 5))
    padded = np.concatenate([X3, np.full((5, 1, 2), np.nan)], axis=1)
    expected = fitted.predict_proba_prefixes(X3)
    assert expected.shape == (5, 4, 3)
    assert fitted.predict_prefixes(X3).shape == (5, 4)
    for container in (padded, list(X3), object_array(list(X3)), packed(list(X3))):
        found = fitted.predict_proba_prefixes(container)
        assert (found.shape, found.dtype) == ((5,), object)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
        assert {labels.shape for labels in fitted.predict_prefixes(container)} == {(4,)}
    assert fitted.predict_prefixes([X3[0]]).shape == (1,)


@pytest.mark.parametrize(("n_outputs", "shape"), [(1, (5, 4)), (2, (5, 4, 2))])
def test_prefixes_of_regressors(n_outputs, shape):
    X3 = np.stack(make_sequences([4] * 5))
    y = np.arange(5.0 * n_outputs).reshape(5, n_outputs)
    fitted = fit_tiny(LSTMRegressor, X3, y)
    found = fitted.predict_prefixes(X3)
    assert found.shape == shape
    assert_close(found[:, -1], fitted.predict(X3))


# --- RecurrentState as a value --------------------------------------------------------------------


def test_what_a_state_says_of_itself():
    fitted = fit_tiny(LSTMClassifier, num_layers=2)
    _, state = fitted.predict(X, return_state=True)
    assert (state.h.shape, state.c.shape, state.pooled.shape) == ((2, 12, 4), (2, 12, 4), (12, 4))
    assert state.n_steps.tolist() == [len(x) for x in X]
    assert len(state) == 12
    assert (
        repr(state) == "RecurrentState(12 streams after 1 to 7 steps, 2 layers of 4 units, float64)"
    )
    assert repr(state[3]) == "RecurrentState(1 stream after 1 step, 2 layers of 4 units, float64)"
    assert "(0 streams" in repr(state[[]])
    assert fit_tiny(GRUClassifier).step(X[0][0])[1].c is None
    assert_close(state.h[-1], fitted.transform(X))
    assert state == state
    assert state != copy.copy(state)


def test_pooled_is_what_pooling_has_gathered():
    for pooling, gather in [("mean", np.sum), ("max", np.max), ("last", lambda h, axis: h[-1])]:
        fitted = fit_tiny(GRURegressor, pooling=pooling)
        _, state = fitted.predict(X, return_state=True)
        states = [np.array([s.h[0, 0] for s in all_states(fitted, x)]) for x in X]
        assert_close(state.pooled, [gather(h, axis=0) for h in states])


def all_states(fitted, x):
    states = []
    for x_t in x:
        states.append(fitted.step(x_t, states[-1] if states else None)[1])
    return states


def test_nothing_changes_a_state(Estimator):
    fitted = fit_tiny(Estimator, pooling="max")
    _, state = fitted.predict(X, return_state=True)
    before = [array.copy() for array in arrays_of(state)]
    for array in arrays_of(state):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for name in ("h", "c", "pooled", "n_steps", "other"):
        with pytest.raises(AttributeError):
            setattr(state, name, 0)
    fitted.step(np.ones((12, 2)), state)
    fitted.predict(X, initial_state=state)
    for array, kept in zip(arrays_of(state), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_one_state_may_go_two_ways(Estimator):
    fitted = fit_tiny(Estimator)
    predict, step, _ = finest(fitted)
    _, fork = walk(step, X[0])
    for x_t in ([1.0, 2.0], [-3.0, 0.5]):
        assert_close(step(x_t, fork)[0], predict([np.vstack([X[0], x_t])])[0])


KEYS = [3, -1, slice(2, 9, 3), [5, 0, 5], np.arange(12) % 2 == 0, np.array([1, 11]), []]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_streams_are_selected_like_the_rows_of_an_array(key):
    _, state = fit_tiny(LSTMClassifier, pooling="mean").predict(X, return_state=True)
    chosen = state[key]
    index = np.atleast_1d(np.arange(12)[key])
    assert len(chosen) == len(index)
    for part, whole in [
        (chosen.h, state.h[:, index]),
        (chosen.c, state.c[:, index]),
        (chosen.pooled, state.pooled[index]),
        (chosen.n_steps, state.n_steps[index]),
    ]:
        np.testing.assert_array_equal(part, whole)


@pytest.mark.parametrize(
    "key", [12, -13, [0, 12], np.zeros(3, bool), (0, 1), np.zeros((2, 2), int)]
)
def test_keys_that_select_nothing_are_index_errors(key):
    _, state = fit_tiny(GRUClassifier).predict(X, return_state=True)
    with pytest.raises(IndexError):
        state[key]


def test_streams_come_and_go(Estimator):
    fitted = fit_tiny(Estimator, pooling="mean", num_layers=2)
    predict, step, _ = finest(fitted)
    rng = np.random.default_rng(4)
    seen, state = {}, None
    for t in range(12):
        staying = sorted(i for i in seen if rng.random() < 0.8)
        if state is not None:
            state = state[[list(seen).index(i) for i in staying]]
        seen = {i: seen[i] for i in staying}
        newcomers = make_sequences([1] * (1 + t % 3), seed=t)
        born = predict(newcomers, return_state=True)[1]
        seen |= {(t, k): [x[0]] for k, x in enumerate(newcomers)}
        state = born if state is None else RecurrentState.concatenate([state, born])
        now = rng.normal(size=(len(seen), 2))
        for observed, x_t in zip(seen.values(), now, strict=True):
            observed.append(x_t)
        answer, state = step(now, state)
        assert_close(answer, predict([np.array(x) for x in seen.values()]))
    assert len(set(state.n_steps.tolist())) > 1


def test_states_concatenated_in_their_order():
    fitted = fit_tiny(LSTMRegressor)
    _, state = fitted.predict(X, return_state=True)
    parts = [state[[4, 2]], state[0], pickled(state[7:])]
    joined = RecurrentState.concatenate(iter(parts))
    assert_same_state(joined, state[[4, 2, 0, 7, 8, 9, 10, 11]], 0)


def test_what_cannot_be_concatenated():
    _, state = fit_tiny(GRUClassifier).step(X[0][0])
    _, other = fit_tiny(GRUClassifier, random_state=1).step(X[0][0])
    with pytest.raises(ValueError, match="no states to concatenate"):
        RecurrentState.concatenate([])
    with pytest.raises(ValueError, match=r"states\[0\] and states\[1\] are of different"):
        RecurrentState.concatenate([state, other])
    with pytest.raises(TypeError, match="got an object of type ndarray"):
        RecurrentState.concatenate([state, state.h])


# --- Which fit a state belongs to -----------------------------------------------------------------


@pytest.mark.parametrize("trip", [pickled, copy.deepcopy, copy.copy], ids=lambda f: f.__name__)
def test_copies_of_state_and_estimator_go_on_together(Estimator, trip):
    fitted = fit_tiny(Estimator, pooling="mean")
    _, step, _ = finest(fitted)
    _, state = walk(step, X[0])
    expected, end = step([0.5, 1.0], state)
    for model in (fitted, trip(fitted)):
        for start in (state, trip(state)):
            answer, after = finest(model)[1]([0.5, 1.0], start)
            np.testing.assert_array_equal(answer, expected)
            assert_same_state(after, end, 0)


def test_an_equal_fit_may_go_on(Estimator):
    one, other = fit_tiny(Estimator), fit_tiny(Estimator)
    _, state = one.step(X[0][0])
    other.step(X[0][1], state)


def test_a_pickled_state_holds_no_weights():
    wide = fit_tiny(LSTMClassifier, hidden_size=64)
    _, state = wide.step(X[0][0])
    assert len(pickle.dumps(state)) < 4000 < 0.1 * len(pickle.dumps(wide))


def test_another_process_goes_on(tmp_path):
    models = [fit_tiny(Estimator) for Estimator in SIX]
    states = [model.predict(X, return_state=True)[1] for model in models]
    joblib.dump((models, states, X), tmp_path / "in")
    code = (
        "import joblib, sys\n"
        "models, states, X = joblib.load(sys.argv[1])\n"
        "ends = [m.predict(X, s, True)[1].h for m, s in zip(models, states)]\n"
        "joblib.dump(ends, sys.argv[2])\n"
    )
    paths = [str(tmp_path / name) for name in ("in", "out")]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, cwd=ROOT)
    for model, state, end in zip(models, states, joblib.load(paths[1]), strict=True):
        np.testing.assert_array_equal(end, model.predict(X, state, True)[1].h)


@pytest.mark.parametrize("how", ["fit", "partial_fit", "warm_start"])
def test_a_refit_serves_no_old_weights_and_takes_no_old_state(Estimator, how):
    fitted = fit_tiny(Estimator, warm_start=how == "warm_start")
    predict, step, _ = finest(fitted)
    _, old = walk(step, X[0])
    if how == "fit":
        fitted.set_params(random_state=1)
    getattr(fitted, "partial_fit" if how == "partial_fit" else "fit")(X, make_targets(fitted))
    predict, step, _ = finest(fitted)
    for call in (lambda: step(X[0][0], old), lambda: predict(X[:1], initial_state=old)):
        with pytest.raises(ValueError, match="another model or another fit"):
            call()
    assert_close(walk(step, X[0])[0][-1], predict(X)[0])


def test_a_state_of_another_model_is_refused(Estimator):
    _, state = fit_tiny(Estimator).step(X[0][0])
    others = [fit_tiny(Estimator, pooling="max"), fit_tiny(Estimator, hidden_size=5)]
    others += [fit_tiny(Other) for Other in SIX if Other._cell_class is not Estimator._cell_class]
    for other in others:
        with pytest.raises(ValueError, match="another model or another fit"):
            other.step(X[0][0], state)


def test_a_step_leaves_the_estimator_as_it_was(Estimator):
    fitted = fit_tiny(Estimator)
    size = len(pickle.dumps(fitted))
    with unchanged(fitted):
        predict, step, prefixes = finest(fitted)
        walk(step, X[0])
        predict(X, return_state=True)
        prefixes(X)
    assert len(pickle.dumps(fitted)) == size
    fitted.set_params(hidden_size=9, pooling="max")  # parameters count from the next fit on
    assert_close(walk(step, X[0])[0][-1], predict(X)[0])


# --- Threads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
def test_threads_that_step_one_model_get_the_serial_answers(Estimator, pooling):
    fitted = fit_tiny(Estimator, hidden_size=16, num_layers=2, pooling=pooling)
    _, step, _ = finest(fitted)
    streams = make_sequences([30] * 16, seed=6)
    serial = [walk(step, x)[0] for x in streams]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda x: walk(step, x)[0], streams))
    finally:
        sys.setswitchinterval(interval)
    np.testing.assert_array_equal(found, serial)


def test_a_refit_in_another_thread_gives_the_old_answer_or_an_error():
    """Never a mixture: the new number of outputs with the old states, say."""
    y = {1: np.arange(12.0), 3: np.arange(36.0).reshape(12, 3)}
    reg = fit_tiny(GRURegressor, y=y[1])
    _, state = reg.step(X[0][0])
    expected, _ = reg.step(X[0][1], state)

    def refit():
        for k in range(6):
            reg.set_params(hidden_size=3 + k).fit(X, y[3 if k % 2 else 1])

    with ThreadPoolExecutor(1) as pool:
        fits = pool.submit(refit)
        while not fits.done():
            with suppress(ValueError):
                assert reg.step(X[0][1], state)[0] == expected
            assert np.shape(reg.step(X[0][0])[0]) in ((), (3,))
        fits.result()


# --- Input that is read, or refused ---------------------------------------------------------------


def test_an_observation_may_come_in_many_forms():
    pd = pytest.importorskip("pandas")
    sequences = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    fitted = fit_tiny(GRURegressor, sequences)
    row = np.array([3.0, 4.0])
    expected, _ = fitted.step(row)
    forms = [[3, 4], (3.0, 4.0), np.array([3, 4], np.int8), row.astype(np.float32), ["3", "4"]]
    forms += [pd.Series(row, ["a", "b"]), np.array([3.0, 4.0], object), np.ma.masked_array(row)]
    forms += [np.repeat(row, 2)[::2], np.array([3.0, 4.0], ">f8")]
    for form in forms:
        assert fitted.step(form)[0] == expected
    frame = pd.DataFrame([row, row], columns=["a", "b"])
    assert fitted.step(frame)[0].tolist() == [expected, expected]
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.step(frame[["b", "a"]])
    assert fitted.step(np.broadcast_to(row, (3, 2)))[0].tolist() == [expected] * 3


@pytest.mark.parametrize(
    ("x_t", "error", "message"),
    [
        ([1.0], ValueError, r"shape \(1,\), but .* 2 feature\(s\) a step"),
        (np.ones((2, 3)), ValueError, r"expected \(2,\) for one stream, or \(n_streams, 2\)"),
        (np.ones((1, 1, 2)), ValueError, "shape"),
        (np.ones((0, 2)), ValueError, "shape"),
        (3.0, ValueError, "shape"),
        (None, ValueError, "shape"),
        ([1.0, np.nan], ValueError, "contains NaN, in feature 1"),
        ([[1.0, 2.0], [-np.inf, 0.0]], ValueError, "contains infinity .*in stream 1, feature 0"),
        (np.array([1j, 2.0]), ValueError, "Complex data not supported"),
        (["a", "b"], ValueError, "could not convert string to float"),
        ([[1.0], [1.0, 2.0]], ValueError, "x_t is a list of items that differ in length"),
        (np.ma.masked_array([1.0, 2.0], [0, 1]), ValueError, "masked"),
        (np.array([1, 2], "M8[s]"), ValueError, "datetime64"),
        ({"a": 1}, TypeError, "dict"),
    ],
    ids=str,
)
def test_an_observation_that_is_refused(x_t, error, message):
    fitted = fit_tiny(GRUClassifier)
    _, state = fitted.step(X[0][0])
    for start in (None, state):
        with pytest.raises(error, match=message):
            fitted.step(x_t, start)


def test_what_float32_cannot_hold_is_refused_and_what_it_can_is_not():
    fitted = fit_tiny(LSTMRegressor, make_sequences(dtype=np.float32))
    with pytest.raises(ValueError, match="too large for float32, in feature 1"):
        fitted.step([1.0, 1e39])
    assert np.isfinite(fitted.step([1.0, 3e38])[0])  # its square is infinite


@pytest.mark.parametrize("state", [np.zeros((1, 1, 4)), "state", 0])
def test_a_state_that_is_none(state):
    fitted = fit_tiny(GRUClassifier)
    with pytest.raises(TypeError, match="must be the RecurrentState that an earlier call returned"):
        fitted.step(X[0][0], state)
    with pytest.raises(TypeError, match="must be the RecurrentState"):
        fitted.predict(X, initial_state=state)


def test_the_number_of_streams_must_be_that_of_the_state():
    fitted = fit_tiny(GRUClassifier)
    _, three = fitted.step(np.ones((3, 2)))
    for x_t in (np.ones(2), np.ones((2, 2))):
        with pytest.raises(ValueError, match=r"state is that of 3 stream\(s\), but . were given"):
            fitted.step(x_t, three)
    with pytest.raises(ValueError, match=r"that of 3 stream\(s\), but 12 were given"):
        fitted.predict(X, initial_state=three)


def calls(estimator, state=None):
    """Everything that goes step by step, as functions without arguments."""
    found = [
        lambda: estimator.step(X[0][0], state),
        lambda: estimator.predict_prefixes(X),
        lambda: estimator.predict(X, initial_state=state, return_state=True),
    ]
    if is_classifier(estimator):
        found += [
            lambda: estimator.step_proba(X[0][0], state),
            lambda: estimator.predict_proba_prefixes(X),
            lambda: estimator.predict_proba(X, initial_state=state, return_state=True),
        ]
    return found


def test_both_directions_have_no_state(Estimator):
    fitted = fit_tiny(Estimator, bidirectional=True)
    for call in calls(fitted):
        with pytest.raises(ValueError, match="reverse direction starts at a sequence's end"):
            call()
    assert answers(fitted, X)


def test_the_unfitted_have_no_state(Estimator):
    _, state = fit_tiny(Estimator).step(X[0][0])
    for unfitted in (tiny(Estimator), clone(fit_tiny(Estimator))):
        for start in (None, state, pickled(state)):
            for call in calls(unfitted, start):
                with pytest.raises(NotFittedError):
                    call()


@pytest.mark.parametrize("size", [1e-200, 1e300])
def test_floating_point_errors_are_no_exceptions(Estimator, size):
    """Neither where NumPy raises them, nor where it warns and warnings are errors, as here."""
    fitted = fit_tiny(Estimator)
    predict, step, _ = finest(fitted)
    x = X[0] * size
    expected = predict([x])[0]
    assert np.isfinite(expected).all()
    assert_close(walk(step, x)[0][-1], expected)
    with np.errstate(all="raise"):
        assert_close(walk(step, x)[0][-1], expected)


# --- Per-step targets ----------------------------------------------------------------------------


@pytest.mark.parametrize("Estimator", SIX)
def test_with_return_sequences_every_step_has_its_own_answer(Estimator):
    X = make_sequences([6] * 12)
    y = [np.resize(make_targets(Estimator()), 6) for _ in X]
    model = tiny(Estimator, return_sequences=True).fit(X, y)
    X3 = np.array(X)
    whole = model.predict(X3)
    np.testing.assert_array_equal(model.predict_prefixes(X3), whole)
    first, state = model.predict(X3[:, :4], return_state=True)
    rest, state = model.predict(X3[:, 4:], initial_state=state, return_state=True)
    joined = np.concatenate([first, rest], axis=1)
    state = None
    for t in range(6):
        answer, state = model.step(X3[:, t], state)
        if whole.dtype.kind == "f":
            np.testing.assert_allclose(answer, whole[:, t], rtol=1e-12)
            np.testing.assert_allclose(joined[:, t], whole[:, t], rtol=1e-12)
        else:
            np.testing.assert_array_equal(answer, whole[:, t])
            np.testing.assert_array_equal(joined[:, t], whole[:, t])
