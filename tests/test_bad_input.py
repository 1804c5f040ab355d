"""What real estimators do with X, y, weights and parameters that are wrong, odd or extreme.

The rows are those of a table of 88 kinds of input. Whatever is refused is refused before anything
changes: a fitted estimator gives the same bits as before, and an unfitted one stays unfitted.
"""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceArray,
)
from tests.helpers import (
    SIX,
    answers,
    assert_same_answers,
    assert_same_model,
    assert_unfitted,
    fit_tiny,
    make_sequences,
    make_targets,
    object_array,
    scores_of,
    tiny,
    unchanged,
)

RNG = np.random.default_rng(0)
N = 12
X2 = RNG.normal(size=(N, 4))
X3 = RNG.normal(size=(N, 5, 2))
RAGGED = make_sequences()
NUMBERS = make_targets(RNNRegressor())
NAMES = make_targets(RNNClassifier())


def with_value(X, index, value):
    X = X.astype(object) if not isinstance(value, float) else X.copy()
    X[index] = value
    return X


def with_item(items, i, item):
    return [*items[:i], item, *items[i + 1 :]]


def by_id(rows):
    """Make pytest's parameters of (id, *values)."""
    return [pytest.param(*values, id=name) for name, *values in rows]


# --- X -------------------------------------------------------------------------------------------

DICT = {"foo": "bar"}
DATES = np.arange(4 * N).reshape(N, 4).astype("datetime64[h]")
EMPTY = np.zeros((0, 2))

# After "like" comes what a fitted estimator was fitted on before it is asked about X.
BAD_X = [
    ("row-01-none", None, X2, ValueError, "Expected 2D array, got scalar"),
    ("row-02-scalar", 3.0, X2, ValueError, "Expected 2D array, got scalar"),
    ("row-02-text", "abc", X2, ValueError, "could not convert string|Expected 2D array"),
    ("row-03-1d", X2[:, 0], X2, ValueError, "Reshape your data"),
    ("row-03-1d-list", X2[:, 0].tolist(), X2, ValueError, "Reshape your data"),
    ("row-04-4d", np.zeros((N, 2, 2, 2)), X3, ValueError, "dim 4, while dim <= 3 is required"),
    ("row-06-2d", X2[:0], X2, ValueError, r"0 sample\(s\)"),
    ("row-06-3d", X3[:0], X3, ValueError, r"0 sample\(s\)"),
    ("row-06-list", [], RAGGED, ValueError, r"0 sample\(s\)"),
    ("row-07-no-columns", X2[:, :0], X2, ValueError, r"0 feature\(s\) \(shape=\(12, 0\)\) while"),
    ("row-08-no-steps", X3[:, :0], X3, ValueError, "0 time steps"),
    ("row-09-no-features", X3[:, :, :0], X3, ValueError, r"0 feature\(s\)"),
    ("row-10-nan-2d", with_value(X2, (1, 2), np.nan), X2, ValueError, r"Input X contains NaN\."),
    ("row-10-nan-3d", with_value(X3, (1, 2), np.nan), X3, ValueError, "in sequence 1, at step 2"),
    ("row-11-inf-2d", with_value(X2, (1, 2), np.inf), X2, ValueError, "contains infinity or a v"),
    ("row-11-inf-3d", with_value(X3, (1, 2, 0), -np.inf), X3, ValueError, "contains infinity"),
    ("row-13-complex-2d", X2 + 1j, X2, ValueError, "Complex data not supported"),
    ("row-13-complex-3d", X3 + 1j, X3, ValueError, "Complex data not supported"),
    ("row-15-text", with_value(X2, (0, 0), "one"), X2, ValueError, "could not convert string"),
    ("row-17-dict-2d", with_value(X2, (0, 0), DICT), X2, TypeError, "argument must be .* number"),
    ("row-17-dict-3d", with_value(X3, (0, 0, 0), DICT), X3, TypeError, "argument must be .* num"),
    ("row-22-datetime", DATES, X2, ValueError, "datetime64.*numbers are expected"),
    ("row-22-timedelta", DATES - DATES[0], X2, ValueError, "timedelta64.*numbers are expected"),
    ("row-23-masked", np.ma.masked_greater(X2, 1), X2, ValueError, "masked values"),
    ("row-23-masked-3d", np.ma.masked_greater(X3, 1), X3, ValueError, "masked values"),
    (
        "row-24-structured",
        np.zeros(N, dtype=[("a", float), ("b", float)]),
        X2,
        ValueError,
        "structured array|Expected",
    ),
    ("row-25-csr", sparse.csr_array(X2), X2, TypeError, "[Ss]parse"),
    ("row-25-dok", sparse.dok_matrix(X2), X2, TypeError, "[Ss]parse"),
    (
        "row-28-mixed-names",
        pd.DataFrame(X2, columns=["a", "b", 1, 2]),
        X2,
        TypeError,
        "only supported if all input features have string names",
    ),
    (
        "row-29-missing",
        pd.DataFrame(with_value(X2, (0, 0), np.nan)).astype("Float64"),
        X2,
        ValueError,
        "contains NaN",
    ),
    (
        "row-29-category",
        pd.DataFrame({k: pd.Categorical(["x", "y"] * 6) for k in range(4)}),
        X2,
        ValueError,
        "could not convert string to float",
    ),
    ("row-32-widths", with_item(RAGGED, 3, X2), RAGGED, ValueError, "0 has 2 feat.* 3 has 4"),
    ("row-33-empty", with_item(RAGGED, 3, EMPTY), RAGGED, ValueError, "sequence 3 has no steps"),
    ("row-34-1d-among-2d", with_item(RAGGED, 3, X2[0]), RAGGED, ValueError, "2 dim.* 3 has 1"),
    (
        "row-36-nan",
        with_item(RAGGED, 3, with_value(X3[3], (1, 0), np.nan)),
        RAGGED,
        ValueError,
        "sequence 3, at step 1, in feature 0",
    ),
    ("row-37-set", set(range(N)), X2, TypeError, "X is a set"),
    ("row-37-dict", dict.fromkeys(range(N), X3[0]), RAGGED, TypeError, "X is a dict"),
]


@pytest.mark.parametrize(("X", "like", "error", "message"), by_id(BAD_X))
@pytest.mark.parametrize("Estimator", [GRUClassifier, LSTMRegressor])
def test_bad_x_in_fit(Estimator, X, like, error, message):
    y = make_targets(Estimator())
    unfitted, fitted = tiny(Estimator), fit_tiny(Estimator, like)
    with unchanged(unfitted, fitted):
        for estimator in (unfitted, fitted):
            with pytest.raises(error, match=message):
                estimator.fit(X, y)
    assert_unfitted(unfitted)
    assert_same_answers(fitted, fit_tiny(Estimator, like), like)


@pytest.mark.parametrize(("X", "like", "error", "message"), by_id(BAD_X))
@pytest.mark.parametrize("Estimator", [RNNClassifier, GRURegressor])
@pytest.mark.filterwarnings("ignore:X has feature names, but:UserWarning")
def test_bad_x_in_predict(Estimator, X, like, error, message):
    fitted = fit_tiny(Estimator, like)
    with unchanged(fitted):
        for method in ("predict", "transform", "predict_proba", "decision_function"):
            if hasattr(fitted, method):
                with pytest.raises(error, match=message):
                    getattr(fitted, method)(X)


def test_row_37_generator():
    fitted = fit_tiny(LSTMClassifier)
    with pytest.raises(TypeError, match="generator"):
        fitted.predict(sequence for sequence in RAGGED)
    with pytest.raises(TypeError, match="generator"):
        fitted.fit((sequence for sequence in RAGGED), NAMES)


def test_row_21_too_large_for_a_float32_model():
    fitted = fit_tiny(RNNRegressor, X3.astype(np.float32))
    with pytest.raises(ValueError, match=r"too large for dtype\('float32'\)"):
        fitted.predict(np.full((1, 5, 2), 1e300))


# --- X that is odd, and good ---------------------------------------------------------------------

NEGATIVE_STRIDE = X3[:, ::-1].copy()[:, ::-1]
GOOD_X = [
    ("row-05-3d", X3, X3),
    ("row-14-text-of-numbers", X2.astype(str), X2),
    ("row-16-object", X2.astype(object), X2),
    ("row-16-decimals", [[Decimal("0.5")] * 4] * N, np.full((N, 4), 0.5)),
    ("row-18-bool", X2 > 0, (X2 > 0).astype(float)),
    ("row-18-int8", np.int8(X2 * 9), np.int8(X2 * 9).astype(float)),
    ("row-18-uint64", np.uint64(X2 > 0), (X2 > 0).astype(float)),
    ("row-19-float16", X3.astype(np.float16), X3.astype(np.float16).astype(np.float32)),
    ("row-20-longdouble", X3.astype(np.longdouble), X3),
    ("row-30-nested-lists-2d", X2.tolist(), X2),
    ("row-30-nested-lists-3d", X3.tolist(), X3),
    ("row-31-list", list(X3), X3),
    ("row-31-tuple", tuple(X3), X3),
    ("row-31-object", object_array(list(X3)), X3),
    ("row-31-packed", SequenceArray.from_sequences(X3), X3),
    ("row-31-series", pd.Series(list(X3)), X3),
    ("row-34-1d-items", list(X2), X2[:, :, np.newaxis]),
    ("row-35-mixed-dtypes", [np.int8(X3[0] * 9), *X3[1:]], with_item(X3, 0, np.int8(X3[0] * 9))),
    ("row-38-big-endian", X3.astype(">f8"), X3),
    ("row-38-fortran", np.asfortranarray(X3), X3),
    ("row-38-not-contiguous", np.repeat(X3, 2, axis=2)[:, :, ::2], X3),
    ("row-38-negative-stride", NEGATIVE_STRIDE, X3),
    ("row-38-broadcast", np.broadcast_to(X3[0], X3.shape), np.repeat(X3[:1], N, axis=0)),
    ("row-44-zero", np.zeros_like(X3), np.zeros_like(X3)),
    ("row-44-subnormal", np.full_like(X3, 5e-324), np.full_like(X3, 5e-324)),
]


@pytest.mark.parametrize(("X", "same"), by_id(GOOD_X))
@pytest.mark.parametrize("Estimator", [GRUClassifier, RNNRegressor])
def test_odd_x_that_is_read_as(Estimator, X, same):
    """The result is that of the plain array, bit for bit."""
    fitted, plain = fit_tiny(Estimator, X), fit_tiny(Estimator, same)
    assert_same_model(fitted, plain)
    for name, answer in answers(fitted, X).items():
        np.testing.assert_array_equal(answer, answers(plain, same)[name])
        assert answer.dtype.kind in "UO" or np.isfinite(answer).all()


def test_row_12_what_lies_in_the_padding_is_not_read(Estimator):
    garbage = np.concatenate([X3, np.full((N, 2, 2), np.inf)], axis=1)
    fitted = fit_tiny(Estimator, SequenceArray.from_padded(garbage, lengths=[5] * N))
    assert_same_model(fitted, fit_tiny(Estimator, X3))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_row_26_a_frame_is_its_table(Estimator, library):
    table = pytest.importorskip(library).DataFrame({f"step{k}": X2[:, k] for k in range(4)})
    fitted = fit_tiny(Estimator, table)
    assert list(fitted.feature_names_in_) == ["step0", "step1", "step2", "step3"]
    assert_same_model(fitted, fit_tiny(Estimator, X2))
    np.testing.assert_array_equal(fitted.predict(table), fit_tiny(Estimator, X2).predict(X2))


def test_row_39_read_only(Estimator):
    frozen = X3.copy()
    frozen.flags.writeable = False
    fitted = fit_tiny(Estimator, frozen)
    assert_same_model(fitted, fit_tiny(Estimator, X3))
    np.testing.assert_array_equal(fitted.predict(frozen), fitted.predict(X3))


def test_row_27_other_columns(Estimator):
    table = pd.DataFrame(X2, columns=list("abcd"))
    fitted = fit_tiny(Estimator, table)
    for other in (table[list("abdc")], table.rename(columns={"a": "z"})):
        with pytest.raises(ValueError, match="feature names should match"):
            fitted.predict(other)


def test_row_40_a_hundred_thousand_steps(Estimator):
    X = np.random.default_rng(0).normal(size=(1, 100_000, 1))
    fitted = fit_tiny(Estimator, RAGGED_1D, hidden_size=2)
    assert np.isfinite(scores_of(fitted, X)).all()


RAGGED_1D = [sequence[:, :1] for sequence in RAGGED]


@pytest.mark.parametrize("size", [1e10, 1e300])
def test_row_45_huge_values(Estimator, size):
    fitted = fit_tiny(Estimator, size * X3)
    assert np.isfinite(scores_of(fitted, size * X3)).all()
    assert all(np.isfinite(array).all() for array in fitted.weights_.values())


# --- Predict after another kind of fit -----------------------------------------------------------


def test_row_70_no_samples(Estimator):
    for fitted, X in ((fit_tiny(Estimator, X2), X2[:0]), (fit_tiny(Estimator, X3), X3[:0])):
        with unchanged(fitted), pytest.raises(ValueError, match=r"0 sample\(s\)"):
            fitted.predict(X)


def test_row_71_other_number_of_columns(Estimator):
    fitted = fit_tiny(Estimator, X2)
    message = f"X has 3 features, but {Estimator.__name__} is expecting 4 features as input"
    with unchanged(fitted), pytest.raises(ValueError, match=message):
        fitted.predict(X2[:, :3])


def test_row_72_other_number_of_steps(Estimator):
    fitted = fit_tiny(Estimator, X3)
    assert len(fitted.predict(X3[:, :2])) == N


def test_row_73_other_number_of_features(Estimator):
    fitted = fit_tiny(Estimator, X3)
    message = f"X has 1 features, but {Estimator.__name__} is expecting 2 features as input"
    for X in (X3[:, :, :1], [x[:, :1] for x in RAGGED]):
        with unchanged(fitted), pytest.raises(ValueError, match=message):
            fitted.predict(X)


def test_row_74_2d_after_sequences_and_the_other_way_round(Estimator):
    on_sequences, on_rows = fit_tiny(Estimator, X3), fit_tiny(Estimator, X2)
    with unchanged(on_sequences), pytest.raises(ValueError, match=r"one sequence\? pass \[X\]"):
        on_sequences.predict(X3[0])
    with unchanged(on_rows), pytest.raises(ValueError, match="was fitted on a 2-D X"):
        on_rows.predict(X3)


def test_row_75_unfitted(Estimator):
    estimator = Estimator()
    for method in ("predict", "transform", "predict_proba", "predict_log_proba"):
        if hasattr(estimator, method):
            with pytest.raises(NotFittedError):
                getattr(estimator, method)(X3)
    with pytest.raises(NotFittedError):
        estimator.score(X3, NUMBERS)
    with pytest.raises(NotFittedError):
        estimator.get_feature_names_out()


# --- y -------------------------------------------------------------------------------------------

BAD_Y = [
    ("row-46-none", SIX, None, "requires y to be passed, but the target y is None"),
    ("row-47-shorter", SIX, NUMBERS[:-1], "inconsistent numbers of samples"),
    ("row-48-scalar", SIX, 1.0, "the scalar 1.0"),
    ("row-48-0d", SIX, np.array(1.0), "scalar"),
    (
        "row-50-several-columns",
        [RNNClassifier, GRUClassifier],
        np.c_[NUMBERS, NUMBERS].astype(int),
        "multi-?output|multiclass-multioutput|1d array",
    ),
    ("row-52-3d", SIX, np.zeros((N, 2, 2)), r"y|dim 3"),
    ("row-53-y-nan", SIX, with_value(NUMBERS, 3, np.nan), "Input y contains NaN"),
    ("row-53-y-inf", SIX, with_value(NUMBERS, 3, np.inf), "Input y contains infinity"),
    ("row-53-y-nan-among-names", [LSTMClassifier], [*NAMES[:-1], np.nan], "y contains NaN"),
    (
        "row-53-y-missing-name",
        [LSTMClassifier],
        pd.Series([*NAMES[:-1], None], dtype="str"),
        "y contains NaN",
    ),
    (
        "row-53-y-na-among-names",
        [LSTMClassifier],
        np.array([*NAMES[:-1], pd.NA], dtype=object),
        "all strings or all numbers|contains NaN",
    ),
    ("row-54-continuous", [LSTMClassifier], NUMBERS, "Unknown label type: continuous"),
    ("row-56-mixed-object", [RNNClassifier], with_value(NAMES, 3, 1), "all strings or all num"),
    ("row-56-mixed-list", [RNNClassifier], [*NAMES[:-1], 1], "all strings or all numbers"),
    ("row-56-none-label", [RNNClassifier], with_value(NAMES, 3, None), "all strings or all num"),
    ("row-56-none-list", [RNNClassifier], [*NAMES[:-1], None], "all strings or all numbers"),
    ("row-57-names", [GRURegressor], NAMES, "could not convert string to float|strings"),
    ("row-57-names-object", [GRURegressor], NAMES.astype(object), "could not convert string"),
    ("row-58-none", [LSTMRegressor], with_value(NUMBERS, 3, None), "y contains NaN"),
    ("row-59-ragged", SIX, [[1.0], *[[1.0, 2.0]] * (N - 1)], "inhomogeneous|sequence"),
    ("row-13-complex", SIX, NUMBERS + 1j, "Complex data not supported"),
    ("dates", [RNNRegressor], np.arange(N).astype("datetime64[h]"), "y must be numbers"),
    ("durations", [RNNRegressor], np.arange(N).astype("timedelta64[h]"), "y must be numbers"),
]


@pytest.mark.parametrize(
    ("Estimator", "y", "message"),
    [
        pytest.param(Estimator, y, message, id=f"{name}-{Estimator.__name__}")
        for name, estimators, y, message in BAD_Y
        for Estimator in estimators
    ],
)
def test_bad_y(Estimator, y, message):
    unfitted, fitted = tiny(Estimator), fit_tiny(Estimator)
    with unchanged(unfitted, fitted):
        for estimator in (unfitted, fitted):
            with pytest.raises(ValueError, match=message):
                estimator.fit(RAGGED, y)
        with pytest.raises(ValueError, match=message):
            fitted.partial_fit(RAGGED, y)
    assert_unfitted(unfitted)


def test_sparse_y_of_a_regressor():
    estimator = tiny(RNNRegressor)
    with unchanged(estimator), pytest.raises(TypeError, match="Sparse data was passed for y"):
        estimator.fit(RAGGED, sparse.csr_array(NUMBERS[:, None]))


# --- sample_weight -------------------------------------------------------------------------------

ONES = np.ones(N)
BAD_WEIGHTS = [
    ("row-63-negative", with_value(ONES, 3, -1.0), "Negative values in data passed to `sample_w"),
    ("row-64-nan", with_value(ONES, 3, np.nan), "sample_weight contains NaN"),
    ("row-64-inf", with_value(ONES, 3, np.inf), "sample_weight contains infinity"),
    ("row-64-nan-scalar", np.nan, "sample_weight contains NaN"),
    ("row-65-all-zero", np.zeros(N), "at least one non-zero"),
    ("row-65-zero-scalar", 0, "at least one non-zero"),
    ("row-66-length", ONES[:-1], r"sample_weight.shape == \(11,\), expected \(12,\)"),
    ("row-66-2d", ONES[:, None], "must be 1D array or scalar"),
    ("row-66-text", ["heavy"] * N, "could not convert string to float"),
    ("row-66-text-scalar", "heavy", "could not convert string to float|must be 1D array or sca"),
    ("row-13-complex", ONES + 1j, "Complex data not supported"),
]


@pytest.mark.parametrize(("weight", "message"), by_id(BAD_WEIGHTS))
def test_bad_weights(Estimator, weight, message):
    y = make_targets(Estimator())
    unfitted, fitted = tiny(Estimator), fit_tiny(Estimator)
    with unchanged(unfitted, fitted):
        for estimator in (unfitted, fitted):
            with pytest.raises(ValueError, match=message):
                estimator.fit(RAGGED, y, sample_weight=weight)
        with pytest.raises(ValueError, match=message):
            fitted.partial_fit(RAGGED, y, sample_weight=weight)
    assert_unfitted(unfitted)


# --- Parameters ----------------------------------------------------------------------------------

INTEGERS = [
    *("hidden_size", "num_layers", "batch_size", "max_iter", "n_iter_no_change"),
    "average_epochs",
]
NOT_COUNTS = [0, -1, 1.5, True, np.True_, "x", np.nan, None]
BAD_PARAMETERS = {
    **{f"row-80-hidden_size-{value!r}": {"hidden_size": value} for value in ([], (), [8, 8])},
    **{f"row-77-{name}-{value!r}": {name: value} for name in INTEGERS for value in NOT_COUNTS},
    **{
        f"row-77-n_timesteps-{value!r}": {"n_timesteps": value}
        for value in NOT_COUNTS
        if value is not None
    },
    **{
        f"row-78-{name}-{value!r}": {name: value}
        for name in ("learning_rate_init", "max_grad_norm", "epsilon")
        for value in (0, -1.0, np.nan, "x", True)
    },
    **{
        f"row-78-{name}-{value!r}": {name: value}
        for name in ("alpha", "tol")
        for value in (-1.0, np.nan, "x", True, None)
    },
    **{f"row-78-{name}-inf": {name: np.inf} for name in ("learning_rate_init", "alpha", "epsilon")},
    **{
        f"row-78-{name}-{value!r}": {name: value}
        for name in ("momentum", "beta_1", "beta_2")
        for value in (-0.1, 1.0, 1.5, np.nan, "x", True)
    },
    **{
        f"row-81-random_state-{name}": {"random_state": value}
        for name, value in {
            "generator": np.random.default_rng(0),
            "negative": -1,
            "text": "a",
            "float": 1.5,
        }.items()
    },
    **{
        f"row-82-validation_fraction-{value!r}": {
            "validation_fraction": value,
            "early_stopping": True,
        }
        for value in (0, 1, 0.0, 1.0, -0.5, 1.5, np.nan, "x", True)
    },
    **{
        f"{name}-{value!r}": {name: value}
        for name in ("bidirectional", "shuffle", "early_stopping", "warm_start")
        for value in ("yes", 2, None)
    },
    "pooling": {"pooling": "sum"},
    "solver": {"solver": "newton"},
    "verbose": {"verbose": -1},
    "checkpoint": {"checkpoint": 3},
    "checkpoint-bytes": {"checkpoint": b"fit.npz"},
}


@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_bad_parameters(name):
    params = BAD_PARAMETERS[name]
    for Estimator in (LSTMClassifier, RNNRegressor):
        unfitted = tiny(Estimator, **params)
        fitted = fit_tiny(Estimator).set_params(**params)
        message = f"The '{next(iter(params))}' parameter of {Estimator.__name__} must be"
        with unchanged(unfitted, fitted):
            for estimator in (unfitted, fitted):
                with pytest.raises(InvalidParameterError, match=message):
                    estimator.fit(X2, make_targets(estimator))
                with pytest.raises(InvalidParameterError, match=message):
                    estimator.partial_fit(X2, make_targets(estimator))
        assert_unfitted(unfitted)
        fitted.predict(RAGGED)


@pytest.mark.parametrize(
    ("Estimator", "name", "value"),
    [
        (RNNClassifier, "nonlinearity", "logistic"),
        (RNNRegressor, "nonlinearity", None),
        (LSTMClassifier, "forget_bias", np.nan),
        (LSTMRegressor, "forget_bias", np.inf),
        (LSTMRegressor, "forget_bias", True),
        (GRUClassifier, "class_weight", "even"),
        (GRUClassifier, "class_weight", [1, 2, 3]),
    ],
)
def test_bad_own_parameters(Estimator, name, value):
    estimator = tiny(Estimator, **{name: value})
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of"):
        estimator.fit(X2, make_targets(estimator))
    assert_unfitted(estimator)


def test_row_79_batch_larger_than_the_data(Estimator):
    assert_same_model(fit_tiny(Estimator, batch_size=10_000), fit_tiny(Estimator, batch_size=N))


def test_numbers_of_numpy_are_parameters_too(Estimator):
    numpys = fit_tiny(
        Estimator,
        hidden_size=np.int64(4),
        max_iter=np.int32(3),
        learning_rate_init=np.float64(0.01),
        random_state=np.int64(0),
        bidirectional=np.False_,
    )
    assert_same_model(numpys, fit_tiny(Estimator, learning_rate_init=0.01))


def test_row_88_unknown_keyword(Estimator):
    with pytest.raises(TypeError, match="unexpected keyword argument 'hiden_size'"):
        Estimator(hiden_size=3)
    with pytest.raises(TypeError, match="positional argument"):
        Estimator(32, 2)
    with pytest.raises(ValueError, match="Invalid parameter 'hiden_size'"):
        Estimator().set_params(hiden_size=3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'lengths'"):
        Estimator().fit(X3, NUMBERS, lengths=[5] * N)
