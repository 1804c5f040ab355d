"""Blocks of Dask's collections: what one call after another does in memory."""

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

pytest.importorskip("dask", reason='needs Dask: pip install "sklearn-rnn[distributed]"')

import dask
import dask.array as da
import dask.bag as db

from sklearn_rnn import GRUClassifier, LSTMRegressor
from sklearn_rnn.distributed import partial_fit_blocks, predict_blocks
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import (
    assert_same_model,
    assert_unfitted,
    fit_tiny,
    make_sequences,
    make_targets,
    packed,
    tiny,
    unchanged,
)

CUTS = [slice(0, 5), slice(5, 8), slice(8, 12)]
CLASSES = ["ash", "elm", "oak"]


@pytest.fixture(autouse=True)
def scheduler():
    with dask.config.set(scheduler="synchronous"):
        yield


def classes_for(estimator):
    return {"classes": CLASSES} if hasattr(estimator, "predict_proba") else {}


def one_after_another(estimator, X, y):
    """Train on the blocks of arrays in memory."""
    first = classes_for(estimator)
    for cut in CUTS:
        estimator.partial_fit(X[cut], y[cut], **first)
    return estimator


def array(values):
    return da.from_array(values, chunks=((5, 3, 4), *values.shape[1:]))


def problem(Estimator):
    return np.random.default_rng(0).normal(size=(12, 5, 2)), make_targets(Estimator())


def in_lists(X, y):
    return [X[cut] for cut in CUTS], [y[cut] for cut in CUTS]


def delayed(X, y):
    return [dask.delayed(X[cut]) for cut in CUTS], [dask.delayed(y[cut]) for cut in CUTS]


def in_bags(X, y):
    """A bag of sequences, three partitions of 5, 3, and 4."""
    parts = [[dask.delayed(list(values[cut])) for cut in CUTS] for values in (X, y)]
    return tuple(db.from_delayed(part) for part in parts)


def in_bags_of_packed(X, y):
    """Partitions of two SequenceArrays each, of which the second has one sequence."""
    parts = [[X[cut][:-1], X[cut][-1:]] for cut in CUTS]
    return db.from_delayed([dask.delayed(part) for part in parts]), in_bags(X, y)[1]


# ---- training ----


def test_blocks_of_an_array_bit_for_bit(Estimator):
    X, y = problem(Estimator)
    model = partial_fit_blocks(tiny(Estimator), array(X), array(y), **classes_for(tiny(Estimator)))
    here = one_after_another(tiny(Estimator), X, y)
    assert_same_model(model, here)
    assert model.n_iter_ == 3


@pytest.mark.parametrize("collect", [in_lists, delayed, in_bags, in_bags_of_packed])
def test_blocks_of_ragged_sequences_bit_for_bit(collect, Estimator):
    X, y = packed(make_sequences()), make_targets(Estimator())
    X_blocks, y_blocks = collect(X, y)
    first = classes_for(tiny(Estimator))
    model = partial_fit_blocks(tiny(Estimator), X_blocks, y_blocks, **first)
    assert_same_model(model, one_after_another(tiny(Estimator), X, y))


def test_a_target_at_every_step():
    X = packed(make_sequences())
    y = [np.where(sequence[:, 0] > 0, "elm", "ash") for sequence in X]
    model = tiny(GRUClassifier, return_sequences=True)
    here = tiny(GRUClassifier, return_sequences=True)
    for cut in CUTS:
        here.partial_fit(X[cut], y[cut], classes=CLASSES)
    trained = partial_fit_blocks(model, *in_bags(X, y), classes=CLASSES)
    assert_same_model(trained, here)


def test_training_goes_on_from_a_fitted_model(Estimator):
    X, y = problem(Estimator)
    fitted = fit_tiny(Estimator, X, y, warm_start=True)
    with unchanged(fitted):
        model = partial_fit_blocks(fitted, array(X), array(y))
    fitted.partial_fit(X[CUTS[0]], y[CUTS[0]])
    fitted.partial_fit(X[CUTS[1]], y[CUTS[1]])
    assert_same_model(model, fitted.partial_fit(X[CUTS[2]], y[CUTS[2]]))


def test_one_block_at_a_time():
    """A block is made when the one before it has been trained on."""
    made = []

    class Watched(LSTMRegressor):
        def partial_fit(self, X, y):
            made.append("trained")
            return super().partial_fit(X, y)

    def make(k):
        made.append("made")
        return np.random.default_rng(k).normal(size=(4, 3, 1))

    X = [dask.delayed(make)(k) for k in range(3)]
    partial_fit_blocks(tiny(Watched), X, [np.arange(4.0)] * 3)
    assert made == ["made", "trained"] * 3


def test_a_bad_block_changes_nothing(Regressor):
    X, y = problem(Regressor)
    X[9, 2, 1] = np.nan
    model = tiny(Regressor)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        partial_fit_blocks(model, array(X), array(y))
    assert_unfitted(model)


# ---- prediction ----


def answering(model):
    names = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]
    return [name for name in names if hasattr(model, name)]


def assert_close(answer, expected):
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(answer, expected, rtol=1e-12, atol=1e-12)
    else:
        np.testing.assert_array_equal(answer, expected)


def test_predicted_arrays(Estimator):
    X, y = problem(Estimator)
    model = fit_tiny(Estimator, X, y)
    for method in answering(model):
        lazy, expected = predict_blocks(model, array(X), method=method), getattr(model, method)(X)
        assert isinstance(lazy, da.Array)
        assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
        assert lazy.chunks[0] == (5, 3, 4)
        assert_close(lazy.compute(), expected)


def test_predicted_lists_and_bags(Estimator):
    X, y = packed(make_sequences()), make_targets(Estimator())
    model = fit_tiny(Estimator, X, y)
    for method in answering(model):
        expected = getattr(model, method)(X)
        for collect in (in_lists, delayed):
            blocks = dask.compute(*predict_blocks(model, collect(X, y)[0], method=method))
            assert_close(np.concatenate(blocks), expected)
        for collect in (in_bags, in_bags_of_packed):
            lazy = predict_blocks(model, collect(X, y)[0], method=method)
            assert isinstance(lazy, db.Bag)
            assert_close(np.array(lazy.compute()), expected)


def test_a_bag_of_which_a_partition_is_empty():
    model = fit_tiny(LSTMRegressor)
    X = make_sequences()
    bag = db.from_delayed([dask.delayed(part) for part in (X[:5], [], X[5:])])
    assert_close(np.array(predict_blocks(model, bag).compute()), model.predict(X))


def test_chunks_of_unknown_size():
    X, y = problem(LSTMRegressor)
    model, lazy = fit_tiny(LSTMRegressor, X, y), array(X)
    some = lazy[lazy[:, 0, 0] > 0]
    assert np.isnan(some.shape[0])
    assert_close(predict_blocks(model, some).compute(), model.predict(X[X[:, 0, 0] > 0]))


def test_a_pipeline_and_rows_and_steps():
    X, y = problem(GRUClassifier)
    scaled = make_pipeline(TimestepTransformer(StandardScaler()), tiny(GRUClassifier)).fit(X, y)
    rows = tiny(GRUClassifier, n_timesteps=5).fit(X.reshape(12, -1), y)
    steps = tiny(GRUClassifier, return_sequences=True).fit(X, np.tile(y[:, None], 5))
    for model, values in [(scaled, X), (rows, X.reshape(12, -1)), (steps, X)]:
        lazy = predict_blocks(model, array(values))
        assert lazy.shape == model.predict(values).shape
        assert_close(lazy.compute(), model.predict(values))


# ---- what is refused ----


@pytest.mark.parametrize(("chunks", "axis"), [((5, 2, 2), 1), ((5, 5, 1), 2), ((5, 2, 1), 1)])
def test_chunks_along_time_or_features(chunks, axis):
    X, y = problem(LSTMRegressor)
    cut, model = da.from_array(X, chunks=chunks), fit_tiny(LSTMRegressor, X, y)
    with pytest.raises(ValueError, match=rf"along axis {axis}.*X\.rechunk\(\{{1: -1, 2: -1\}}\)"):
        predict_blocks(model, cut)
    with pytest.raises(ValueError, match=rf"along axis {axis}"):
        partial_fit_blocks(model, cut, da.from_array(y, chunks=5))


@pytest.mark.parametrize("collection", [np.zeros((4, 3, 2)), packed(make_sequences()), None])
def test_no_collection(collection):
    model = fit_tiny(LSTMRegressor)
    with pytest.raises(TypeError, match=r"X is a .*: expected a dask Array, a dask Bag, or a list"):
        predict_blocks(model, collection)
    with pytest.raises(TypeError, match=r"y is a .*: expected a dask Array, a dask Bag, or a list"):
        partial_fit_blocks(model, [np.zeros((4, 3, 2))], collection)


def test_targets_in_other_blocks():
    X, y = problem(LSTMRegressor)
    with pytest.raises(ValueError, match="X has 3 blocks and y has 2"):
        partial_fit_blocks(tiny(LSTMRegressor), array(X), da.from_array(y, chunks=6))
    with pytest.raises(ValueError, match=r"have \(5, 3, 4\) samples and those of y \(4, 4, 4\)"):
        partial_fit_blocks(tiny(LSTMRegressor), array(X), da.from_array(y, chunks=4))


def test_no_blocks():
    with pytest.raises(ValueError, match="X has no blocks"):
        partial_fit_blocks(tiny(LSTMRegressor), [], [])


def test_not_fitted_and_no_such_method():
    X, y = problem(LSTMRegressor)
    with pytest.raises(NotFittedError):
        predict_blocks(LSTMRegressor(), array(X))
    with pytest.raises(AttributeError, match="predict_proba"):
        predict_blocks(fit_tiny(LSTMRegressor, X, y), array(X), method="predict_proba")


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ImportError, match=r"sklearn-rnn\[distributed\]"):
        partial_fit_blocks(tiny(LSTMRegressor), [], [])


def test_packed_sequences_say_their_size():
    """By it Dask knows that they are worth sending once, and how much memory they take."""
    X = packed(make_sequences(lengths=[100] * 50))
    assert X.values.nbytes < sys.getsizeof(X) < X.values.nbytes + 1000
