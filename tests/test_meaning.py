"""Input that would be read otherwise than it was meant is refused with the remedy, or warned of.

Each case is one of a kind: the others of its kind are its parameters.
"""

import contextlib
import warnings
from collections import namedtuple

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    SequenceArray,
    make_sequence_scorer,
)
from sklearn_rnn.interop import from_aeon, from_tslearn
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import (
    CLASSIFIERS,
    LENGTHS,
    assert_same_model,
    assert_unfitted,
    fit_tiny,
    make_sequences,
    make_targets,
    object_array,
    tiny,
    unchanged,
)

N = 12
RNG = np.random.default_rng(0)
RAGGED = make_sequences()
X3 = RNG.normal(size=(N, 5, 2))
NUMBERS = make_targets(GRURegressor())
CODES = np.arange(N) % 2
STEPS = [RNG.normal(size=length) for length in LENGTHS]
MASK = "masked values, and the mask would be lost"


def masked(values):
    """Hide the first value beneath a mask."""
    values = np.ma.array(values, dtype=float, copy=True)
    values[(0,) * values.ndim] = np.ma.masked
    return values


# --- Masks, at every entrance --------------------------------------------------------------------

HIDDEN = [masked(x) for x in RAGGED]
CONTAINERS = {
    "3-d": masked(X3),
    "2-d": masked(X3[:, :, 0]),
    "list": HIDDEN,
    "tuple": tuple(HIDDEN),
    "object-array": object_array(HIDDEN),
    "series": pd.Series(HIDDEN),
    "list-of-rows": [list(x) for x in HIDDEN],
    "rows": list(masked(X3[:, :, 0])),
}


@pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)
def test_a_masked_x_is_refused_by_all(X):
    like = X3[:, :, 0] if np.ndim(X[0]) == 1 and len(X[0]) == 5 else RAGGED
    fitted = fit_tiny(GRUClassifier, like)
    scaler = TimestepTransformer(StandardScaler())
    for call in (
        lambda: tiny(GRURegressor).fit(X, NUMBERS),
        lambda: tiny(GRURegressor).fit(like, NUMBERS, X_val=X, y_val=NUMBERS),
        lambda: fitted.predict(X),
        lambda: fitted.step_proba(X[0]) if like is RAGGED else fitted.predict(X),
        lambda: fitted.input_gradients(X),
        lambda: fitted.integrated_gradients(like, baseline=X),
        lambda: scaler.fit(X),
        lambda: clone(scaler).fit(like).transform(X),
    ):
        with unchanged(fitted, scaler), pytest.raises(ValueError, match=MASK):
            call()


@pytest.mark.parametrize(
    "make",
    [
        lambda: SequenceArray.from_sequences(HIDDEN),
        lambda: SequenceArray.from_sequences([x[:, 0] for x in HIDDEN]),
        lambda: SequenceArray(np.ma.concatenate(HIDDEN), np.cumsum([0, *LENGTHS])),
        lambda: SequenceArray(list(np.ma.concatenate(HIDDEN)), np.cumsum([0, *LENGTHS])),
        lambda: SequenceArray.from_concatenated(np.ma.concatenate(HIDDEN), LENGTHS),
        lambda: SequenceArray.from_concatenated(
            np.concatenate(RAGGED), np.ma.masked_equal(LENGTHS, 7)
        ),
        lambda: SequenceArray.from_padded(masked(X3)),
        lambda: SequenceArray.from_padded(masked(X3), lengths=[5] * N),
        lambda: SequenceArray.from_padded(X3, lengths=np.ma.masked_equal([5] * N, 5)),
        lambda: SequenceArray.from_padded(X3, mask=np.ma.masked_equal(np.ones((N, 5), bool), True)),
        lambda: from_tslearn(masked(X3)),
        lambda: from_aeon(masked(X3)),
        lambda: from_aeon([x.T for x in HIDDEN]),
        lambda: from_aeon(masked(X3[:, :, 0])),
    ],
)
def test_a_mask_has_no_way_into_a_container(make):
    with pytest.raises(ValueError, match=MASK):
        make()


def test_a_mask_that_hides_nothing_is_none():
    whole = np.ma.array(X3)
    expected = fit_tiny(GRURegressor, X3)
    fitted = tiny(GRURegressor).fit(whole, np.ma.array(NUMBERS), np.ma.array(np.ones(N)))
    assert_same_model(fitted, expected)
    np.testing.assert_array_equal(SequenceArray.from_padded(whole).values, X3.reshape(-1, 2))


@pytest.mark.parametrize("baseline", [masked([0.0, 1.0]), [np.ma.masked, 1.0]])
def test_a_masked_baseline_is_refused(baseline):
    with pytest.raises(ValueError, match=f"baseline has {MASK}"):
        fit_tiny(GRURegressor).integrated_gradients(RAGGED, baseline=baseline)


@pytest.mark.parametrize(
    "x_t", [masked([0.0, 1.0]), [masked([0.0, 1.0]), np.zeros(2)], (np.ma.masked, 1.0)]
)
def test_a_masked_observation_is_refused(x_t):
    with pytest.raises(ValueError, match=MASK):
        fit_tiny(GRURegressor).step(x_t)


TARGETS = {
    "array": masked(CODES).astype(int),
    "columns": masked(np.eye(2, dtype=int)[CODES]),
    "list": [np.ma.masked, *CODES[1:].tolist()],
    "list-of-0d": [np.ma.array(1, mask=True), *CODES[1:].tolist()],
    "object-array": np.array([np.ma.masked, *CODES[1:]], dtype=object),
}


@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("Estimator", [LSTMClassifier, GRURegressor])
def test_masked_targets_are_refused(Estimator, y):
    fitted = tiny(Estimator).fit(RAGGED, CODES)
    for call in (
        lambda: tiny(Estimator).fit(RAGGED, y),
        lambda: tiny(Estimator).fit(RAGGED, CODES, X_val=RAGGED, y_val=y),
        lambda: fitted.partial_fit(RAGGED, y),
        lambda: fitted.score(RAGGED, y),
    ):
        with unchanged(fitted), pytest.raises(ValueError, match=f"y has {MASK}. Leave these seq"):
            call()


WEIGHTS = {
    "array": masked(np.ones(N)),
    "list": [np.ma.masked, *np.ones(N - 1).tolist()],
    "series": pd.Series([np.ma.masked, *np.ones(N - 1).tolist()], dtype=object),
}


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("per_step", [False, True])
def test_masked_weights_are_refused(weight, per_step):
    y = STEPS if per_step else NUMBERS
    fitted = tiny(GRURegressor, return_sequences=per_step).fit(RAGGED, y)
    scorer = make_sequence_scorer(lambda y, p, sample_weight: 0.0)
    for call in (
        lambda: clone(fitted).fit(RAGGED, y, weight),
        lambda: clone(fitted).fit(RAGGED, y, X_val=RAGGED, y_val=y, sample_weight_val=weight),
        lambda: fitted.partial_fit(RAGGED, y, sample_weight=weight),
        lambda: fitted.score(RAGGED, y, weight),
        *([lambda: scorer(fitted, RAGGED, y, weight)] if per_step else []),
    ):
        with unchanged(fitted), pytest.raises(ValueError, match=f"sample_weight has {MASK}"):
            call()


def test_masked_steps_are_refused_as_weights_and_welcome_as_targets():
    model = tiny(GRURegressor, return_sequences=True)
    hidden = [masked(y) for y in STEPS]
    missing = [np.ma.filled(y, np.nan) for y in hidden]
    whole = [i for i, length in enumerate(LENGTHS) if length > 1]  # some step is left of each
    X, hidden, missing = ([items[i] for i in whole] for items in (RAGGED, hidden, missing))
    assert_same_model(clone(model).fit(X, hidden), clone(model).fit(X, missing))
    with pytest.raises(ValueError, match=MASK):
        model.fit(X, missing, [masked(np.ones(len(y))) for y in missing])


def test_masked_classes_and_groups_are_refused():
    with pytest.raises(ValueError, match=f"classes has {MASK}"):
        tiny(GRUClassifier).partial_fit(RAGGED, CODES, classes=np.ma.masked_equal([0, 1, 9], 9))
    with pytest.raises(ValueError, match=f"groups has {MASK}"):
        tiny(GRUClassifier).fit(RAGGED, CODES, groups=np.ma.masked_equal(CODES, 1))


# --- What holds no rows, or not in an order ------------------------------------------------------

Padded = namedtuple("Padded", ["data", "lengths"])
Pair = namedtuple("Pair", ["x", "y"])


def test_named_tuples_are_no_sequences():
    fitted, rows = fit_tiny(GRURegressor), fit_tiny(GRURegressor, X3[:, :, 0])
    for call in (fitted.predict, rows.predict, fitted.transform, fitted.predict_prefixes):
        with pytest.raises(TypeError, match=r"X is a Padded.*fields data, lengths.*X\.data"):
            call(Padded(X3, [5] * N))
    with pytest.raises(TypeError, match="y is a Padded"):
        fitted.fit(RAGGED, Padded(NUMBERS, N))
    with pytest.raises(TypeError, match="y is a Padded"):
        tiny(GRURegressor, return_sequences=True).fit(RAGGED, Padded(NUMBERS, N))


def test_named_tuples_may_be_the_rows_of_a_list():
    rows = [Pair(*x[0]) for x in X3]
    assert_same_model(fit_tiny(GRURegressor, rows), fit_tiny(GRURegressor, X3[:, 0]))


def test_packed_sequences_of_pytorch_are_pointed_to_unpack():
    torch = pytest.importorskip("torch")
    tokens = [torch.tensor([1, 2, 3]), torch.tensor([1, 2]), torch.tensor([2])]
    packed = torch.nn.utils.rnn.pack_sequence(tokens)
    model = tiny(GRUClassifier, embedding_size=3).fit([[1, 2, 3], [3, 1, 1]] * 6, CODES)
    methods = ["predict", "predict_proba", "decision_function", "transform", "predict_prefixes"]
    for method in [*methods, "hidden_states", "input_gradients"]:
        with pytest.raises(TypeError, match=r"unpack_sequence\(X\) makes a list of it"):
            getattr(model, method)(packed)
    unpacked = torch.nn.utils.rnn.unpack_sequence(packed)
    np.testing.assert_array_equal(
        model.predict_proba(unpacked), model.predict_proba([[1, 2, 3], [1, 2], [2]])
    )


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (dict, r"a dict.*list\(NAME\.values\(\)\)"),
        (lambda pairs: {i for i, _ in pairs}, "a set"),
        (lambda pairs: (v for _, v in pairs), "a generator"),
        (lambda pairs: dict(pairs).values(), "a dict_values"),
        (lambda pairs: iter(list(pairs)), "a list_iterator"),
    ],
)
def test_dicts_sets_and_iterators_are_no_targets(make, message, per_step):
    y = STEPS if per_step else CODES.tolist()
    model = tiny(GRURegressor, return_sequences=per_step).fit(RAGGED, y)
    with unchanged(model):
        with pytest.raises(TypeError, match="y is " + message.replace("NAME", "y")):
            model.fit(RAGGED, make(enumerate(y)))
        with pytest.raises(TypeError, match="y is " + message.replace("NAME", "y")):
            model.score(RAGGED, make(enumerate(y)))
        with pytest.raises(
            TypeError, match="sample_weight is " + message.replace("NAME", "samp.*")
        ):
            model.fit(RAGGED, y, make(enumerate(np.ones(N))))


def test_a_set_of_classes_is_sorted():
    fitted = tiny(GRUClassifier).partial_fit(RAGGED, CODES, classes={1, 0})
    assert fitted.classes_.tolist() == [0, 1]


# --- Tensors -------------------------------------------------------------------------------------


def test_tensors_that_numpy_cannot_read_name_the_remedy():
    torch = pytest.importorskip("torch")
    model = fit_tiny(GRURegressor, X3)
    remedy = r"tensor\.detach\(\)\.cpu\(\)\.float\(\)"
    learned = torch.tensor(X3, requires_grad=True)
    for X in (learned, [*learned], [*torch.tensor(X3).bfloat16()], torch.tensor(X3).to_sparse()):
        with pytest.raises(ValueError, match=remedy):
            model.predict(X)
    ones = torch.ones(N, requires_grad=True)
    for arguments in ([ones], [NUMBERS, ones]):
        with pytest.raises(ValueError, match=remedy):
            model.fit(X3, *arguments)
        with pytest.raises(ValueError, match=remedy):
            model.score(X3, *arguments)
    with pytest.raises(ValueError, match=remedy):
        model.step(learned[0, 0])
    with pytest.raises(ValueError, match=remedy):
        tiny(GRURegressor, return_sequences=True).fit(X3, learned[:, :, 0])
    np.testing.assert_array_equal(model.predict(learned.detach()), model.predict(X3))


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
def test_weight_normed_modules_are_read_or_refused():
    torch = pytest.importorskip("torch")
    from sklearn_rnn.interop import from_torch

    torch.manual_seed(0)
    lstm, linear = torch.nn.LSTM(2, 3, batch_first=True), torch.nn.Linear(3, 1)
    plain = from_torch(lstm, linear).predict(X3)
    norm = torch.nn.utils.parametrizations.weight_norm
    normed = from_torch(norm(lstm, "weight_hh_l0"), norm(linear)).predict(X3)
    np.testing.assert_allclose(normed, plain, atol=1e-6)

    old = torch.nn.utils.weight_norm(torch.nn.LSTM(2, 3), "weight_ih_l0")
    with pytest.raises(ValueError, match=r"remove_weight_norm\(module, 'weight_ih_l0'\)"):
        from_torch(old, torch.nn.Linear(3, 1))
    with pytest.raises(ValueError, match="remove_weight_norm"):
        from_torch(torch.nn.LSTM(2, 3), torch.nn.utils.weight_norm(torch.nn.Linear(3, 1)))


# --- Tables whose rows are steps -----------------------------------------------------------------


def table(columns, n_rows=None, library=pd):
    n_rows = n_rows or 10 * len(columns)
    return library.DataFrame({c: np.linspace(i, 1, n_rows) for i, c in enumerate(columns)})


FEATURES = [
    ["temperature", "humidity", "pressure", "wind", "rain", "sun"],
    ["open", "high", "low", "close", "volume"],
    ["acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"],
    ["sensor_1", "sensor_2", "sensor_3"],
    ["Channel 0", "Channel 1"],
    ["value"],
    ["hour", "temperature"],
]
TIMES = [
    ["t0", "t1", "t2"],
    ["t-2", "t-1", "t"],
    ["x0", "x1", "x2", "x3"],
    ["lag_1", "lag_2", "lag_12"],
    ["0", "1", "2"],
    [0, 1, 2],
    ["2024-01-01", "2024-01-02"],
    list(pd.date_range("2024", periods=3)),
    list(pd.period_range("2024", periods=3, freq="M")),
    ["Jan", "Feb", "March"],
    ["Mon", "Tue", "Wed"],
    ["Q1 2024", "Q2 2024", "Q3 2024"],
    ["00:00", "06:00", "12:00"],
    ["col0", "col1"],
    ["week 1", "week 2"],
    ["V1", "V2", "V3"],
]


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("columns", FEATURES, ids=str)
def test_columns_that_are_features_are_warned_of(columns, library):
    frame = table(columns, library=library)
    y = np.arange(len(frame)) % 2
    message = (
        r"each row|one for each row.*columns features.*sequences_from_frame\(df, by=, order=\)"
    )
    for model in (tiny(GRUClassifier), TimestepTransformer(StandardScaler())):
        with pytest.warns(UserWarning, match=message) as caught:
            model.fit(frame, y)
        assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(UserWarning, match=message) as caught:
        make_pipeline(StandardScaler().set_output(transform="pandas"), tiny(GRUClassifier)).fit(
            frame if library is pd else frame.to_pandas(), y
        )
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("columns", TIMES, ids=str)
def test_columns_that_may_be_steps_are_not(columns):
    frame = table(columns)
    tiny(GRUClassifier).fit(frame, np.arange(len(frame)) % 2)


def test_other_tables_are_not_warned_of():
    frame = table(FEATURES[0])
    y = np.arange(len(frame)) % 2
    tiny(GRUClassifier).fit(frame.to_numpy(), y)
    tiny(GRUClassifier).fit(frame.iloc[:12], y[:12])  # few rows
    tiny(GRUClassifier, n_timesteps=3).fit(frame, y)
    tiny(GRUClassifier, return_sequences=True).fit(frame, np.tile(y[:, None], (1, 6)))
    tiny(GRUClassifier, embedding_size=2).fit(frame.astype(int), y)
    many = table([f"{a}{b}" for a in "abcdefghij" for b in "klmnop"])
    tiny(GRUClassifier, max_iter=1).fit(many, np.arange(len(many)) % 2)


def test_two_levels_of_rows_are_a_panel():
    frame = table(["a", "b"], 12)
    frame.index = pd.MultiIndex.from_product([range(3), range(4)])
    with pytest.warns(UserWarning, match="sequences_from_frame"):
        tiny(GRUClassifier).fit(frame, CODES)


# --- Labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [(1, 2), (-1, 1), (0, 2), (2, 3)])
@pytest.mark.parametrize("Classifier", CLASSIFIERS)
def test_labels_of_several_columns_are_0_and_1(Classifier, values):
    y = np.asarray(values)[np.c_[CODES, 1 - CODES, CODES[::-1]]]
    fitted = tiny(Classifier).fit(RAGGED, (y == values[1]).astype(int))
    with unchanged(fitted):
        for call in (tiny(Classifier).fit, fitted.fit, fitted.partial_fit):
            with pytest.raises(ValueError, match=r"y has 3 columns.*but y holds"):
                call(RAGGED, y)
        with pytest.raises(ValueError, match=r"y has 3 columns.*but y holds"):
            fitted.score(RAGGED, y)


@pytest.mark.parametrize("dtype", [int, float, bool])
def test_one_hot_labels_are_warned_of(dtype):
    y = np.eye(3, dtype=dtype)[np.arange(N) % 3]
    with pytest.warns(UserWarning, match=r"exactly one 1.*y\.argmax\(axis=1\)") as caught:
        fitted = tiny(GRUClassifier).fit(RAGGED, y)
    assert [warning.filename for warning in caught] == [__file__]
    assert fitted.predict(RAGGED).shape == (N, 3)
    y[0] = True  # a second label for one sequence
    tiny(GRUClassifier).fit(RAGGED, y)


BAD_CLASS_WEIGHTS = [{0: -1.0}, {0: np.inf}, {0: np.nan}, {0: "a"}, {0: None}, {0: 10**400}]


@pytest.mark.parametrize("class_weight", BAD_CLASS_WEIGHTS, ids=lambda w: str(w)[:12])
def test_class_weights_are_finite_and_not_negative(class_weight):
    model = tiny(GRUClassifier, class_weight=class_weight)
    for y in (CODES, np.zeros(N)):
        with pytest.raises(
            ValueError, match="for the class 0: expected a finite number of at least"
        ):
            model.fit(RAGGED, y)
    with pytest.raises(ValueError, match="for the class 0"):
        model.partial_fit(RAGGED, CODES, classes=[0, 1])
    assert_unfitted(model)


def test_classes_are_plain_strings():
    y = object_array(list(np.array(["no", "yes"])[CODES]))  # NumPy's strings, as objects
    for model in (
        tiny(GRUClassifier).fit(RAGGED, y),
        tiny(GRUClassifier).partial_fit(RAGGED, y, classes=object_array(list(np.unique(y)))),
    ):
        assert set(map(type, model.classes_)) == {str}
        assert type(model.predict(RAGGED)[0]) is str
        assert "np.str_" not in repr(model.classes_)


def test_labels_of_several_kinds_have_no_score():
    fitted = tiny(GRUClassifier).fit(RAGGED, CODES)
    for odd in ("a", b"x", np.datetime64("2024")):
        with pytest.raises(ValueError, match="labels must be all strings or all numbers"):
            fitted.score(RAGGED, object_array([0, odd, *CODES[2:]]))


def test_unknown_classes_in_class_weight():
    with pytest.raises(ValueError, match=r"weights for \['no'\].*none for \[0, 1\]"):
        tiny(GRUClassifier, class_weight={"no": 2.0}).fit(RAGGED, CODES)
    # A fold may lack a class that has a weight.
    weights = {0: 1.0, 1: 2.0, 2: 3.0}
    assert_same_model(
        tiny(GRUClassifier, class_weight=weights).fit(RAGGED, CODES),
        tiny(GRUClassifier, class_weight={0: 1.0, 1: 2.0}).fit(RAGGED, CODES),
    )


# --- What has no weight leaves no trace ----------------------------------------------------------


@pytest.mark.parametrize("per_step", [False, True])
def test_a_left_out_sequence_does_not_set_the_longest_length(per_step):
    X = [*RAGGED, RNG.normal(size=(50, 2))]
    y = [*STEPS, RNG.normal(size=50)] if per_step else np.append(NUMBERS, 1.0)
    model = tiny(LSTMRegressor, init="chrono", return_sequences=per_step)
    weight = np.append(np.ones(N), 0)
    assert_same_model(clone(model).fit(X, y, weight), clone(model).fit(RAGGED, y[:N]))


@pytest.mark.parametrize("per_step", [False, True])
def test_a_left_out_sequence_has_no_say_in_the_vocabulary(per_step):
    X = ["abc", "cab", "zebra", "bbbbb"]
    y = [np.arange(len(x)) % 2 for x in X] if per_step else [0, 1, 0, 1]
    model = tiny(GRUClassifier, embedding_size=3, return_sequences=per_step)
    weighted = clone(model).fit(X, y, [1, 1, 0, 2])
    index = [0, 1, 3]
    gone = clone(model).fit([X[i] for i in index], [y[i] for i in index], [1, 1, 2])
    assert weighted.vocabulary_.tolist() == ["a", "b", "c"]
    assert weighted.vocabulary_.dtype == gone.vocabulary_.dtype
    assert_same_model(weighted, gone)
    assert weighted.n_timesteps_in_ == gone.n_timesteps_in_


def test_steps_of_no_weight_may_be_of_any_size():
    y = [np.array(v) for v in STEPS]
    weight = [np.ones(len(v)) for v in STEPS]
    y[0][0], weight[0][0] = 1e300, 0
    missing = [np.array(v) for v in y]
    missing[0][0] = np.nan
    model = tiny(GRURegressor, return_sequences=True)
    assert_same_model(clone(model).fit(RAGGED, y, weight), clone(model).fit(RAGGED, missing))


# --- Tokens --------------------------------------------------------------------------------------

SENTENCES = [["the", "old", "fish"], ["an", "old", "man"], ["the", "sea"]] * 4


def test_a_flat_sentence_is_warned_of():
    model = tiny(GRUClassifier, embedding_size=3).fit(SENTENCES, CODES)
    message = r"No token of X is known: fit has seen 'an', 'fish'.*X holds 't', 'h'.*pass \[X\]"
    for method in ("predict", "predict_proba", "transform", "predict_prefixes", "input_gradients"):
        with pytest.warns(UserWarning, match=message) as caught:
            getattr(model, method)(["the", "old", "fish"])
        assert [warning.filename for warning in caught] == [__file__]
    model.predict([["the", "old", "fish"]])
    model.predict([["the", "new", "moon", "and", "stars"]])  # some are known


def test_most_characters_of_a_model_of_words_are_warned_of():
    model = tiny(GRUClassifier, embedding_size=3).fit([["a", "fish"], ["a", "cat"]] * 6, CODES)
    with pytest.warns(UserWarning, match="Only 1 tokens of X are known"):
        model.predict(["a", "fish"])
    letters = tiny(GRUClassifier, embedding_size=3).fit(["abc", "cab"] * 6, CODES)
    letters.predict(["axyz"])


def test_unknown_numbers_are_warned_of_but_not_single_steps():
    model = tiny(GRUClassifier, embedding_size=3).fit([[1, 2], [3, 1]] * 6, CODES)
    with pytest.warns(UserWarning, match="fit has seen 1, 2, 3, but X holds 7, 8"):
        model.predict([[7, 8]])
    model.step(7)


# --- Validation data that have no say ------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"return_sequences": True}], ids=str)
@pytest.mark.parametrize("Estimator", [GRUClassifier, GRURegressor])
def test_their_loss_is_recorded(Estimator, params):
    per_step = "return_sequences" in params
    y = [(s > 0).astype(int) for s in STEPS] if per_step else CODES
    model = tiny(Estimator, max_iter=5, early_stopping=False, **params)
    plain = clone(model).fit(RAGGED, y)
    watched = clone(model).fit(RAGGED, y, X_val=RAGGED[:6], y_val=y[:6])
    assert_same_model(watched, plain)
    assert np.isnan(plain.history_["validation_loss"]).all()
    assert watched.n_iter_ == plain.n_iter_
    losses = watched.history_["validation_loss"]
    assert losses.shape == (watched.n_iter_,)
    assert np.isfinite(losses).all()
    assert watched.validation_scores_ is None
    assert watched.best_validation_score_ is None

    scored = clone(model).set_params(
        early_stopping=True, validation_scoring="loss", n_iter_no_change=50
    )
    scored.fit(RAGGED, y, X_val=RAGGED[:6], y_val=y[:6])
    np.testing.assert_array_equal(scored.history_["validation_loss"], losses)


@pytest.mark.parametrize("per_step", [False, True])
def test_one_validation_target_is_too_few_for_r2(per_step):
    y = STEPS if per_step else NUMBERS
    model = tiny(GRURegressor, return_sequences=per_step)
    X_val, y_val = [RAGGED[0][:1]], [y[0][:1]] if per_step else y[:1]
    with pytest.raises(ValueError, match=r'hold one target.*validation_scoring="loss"'):
        model.fit(RAGGED, y, X_val=X_val, y_val=y_val)
    assert_unfitted(model)
    model.set_params(validation_scoring="loss").fit(RAGGED, y, X_val=X_val, y_val=y_val)
    model.set_params(early_stopping=False).fit(RAGGED, y, X_val=X_val, y_val=y_val)


# --- In the words of the user's world ------------------------------------------------------------

TOO_LARGE = "holds an integer that is too large for a float"


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.fit([[10**400, 1]] * N, NUMBERS),
        lambda m: m.fit([[[10**400], [1]]] * N, NUMBERS),
        lambda m: m.fit(X3, [10**400] * N),
        lambda m: m.fit(X3, [[10**400, 1]] * N),
        lambda m: m.fit(X3, np.array([10**400] * N, dtype=object)),
        lambda m: m.fit(X3, NUMBERS, [10**400] * N),
        lambda m: m.fit(X3, NUMBERS, 10**400),
        lambda m: m.predict(np.array([[[10**400, 1]]], dtype=object)),
        lambda m: m.step([10**400, 1]),
    ],
)
def test_integers_beyond_a_float(call):
    with pytest.raises(ValueError, match=TOO_LARGE):
        call(fit_tiny(GRURegressor, X3))


@pytest.mark.parametrize("item", [None, np.nan, pd.NA, 3.0])
@pytest.mark.parametrize("make", [list, object_array, pd.Series, tuple])
def test_a_missing_sequence_is_named(make, item):
    X = make([*RAGGED[:3], item, *RAGGED[4:]])
    with pytest.raises(
        ValueError, match=r"Sequence 3 of X is .*Leave out sequences that are missing"
    ):
        tiny(GRURegressor).fit(X, NUMBERS)


def notes_of(error):
    return "\n".join([str(error), *getattr(error, "__notes__", [])])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (X3[:, 0, 0], "Is X one sequence? pass [X]"),
        (X3[:, 0, 0].tolist(), "Is X one sequence? pass [X]"),
        (np.where(np.arange(5) < 3, X3[:, :, 0], np.nan), "NaN stands at the ends of the rows"),
        (
            pd.DataFrame(np.where(np.arange(5) < 3, X3[:, :, 0], np.nan)).convert_dtypes(),
            "np.asarray(X, dtype=float)[:, :, np.newaxis]",
        ),
        ([[1, 2, 3], [4, 5]] * 6, "rows that differ in length (2 to 3)"),
        ([[1, 2, 3], 4] * 6, "rows that differ in length (1 to 3)"),
        ([["a", "b", "c"], ["d"]] * 6, "rows that differ in length (1 to 3). For text and other"),
        (np.array([["a", "b"]] * N), "could not convert string to float: 'a'"),
        (np.array([[["a"], ["b"]]] * N), "could not convert string to float: 'a'"),
        (pd.DataFrame({"t": range(N), "city": ["x"] * N}), "'x', in the column 'city' of X"),
        (pl.DataFrame({"t": range(N), "city": ["x"] * N}), "in the column 'city' of X"),
        (pd.DataFrame({"a": list(map(pd.Series, X3[:, :, 0]))}), "for row in X.to_numpy()]"),
        (pd.DataFrame({"a": [pd.Series(x[:, 0]) for x in RAGGED]}), "Cells of the column 'a' of X"),
        (pl.DataFrame({"a": X3[:, :, 0].tolist()}), "for row in X.rows()]"),
        (pl.DataFrame({"b": [x[:, 0].tolist() for x in RAGGED]}), "Cells of the column 'b' of X"),
        (np.array([[[1, 2], 3.0]] * N, dtype=object), "Cells of X hold arrays or lists"),
    ],
)
def test_what_x_lacks(X, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the notes are looked at, too)
        tiny(GRURegressor).fit(X, NUMBERS)
    assert message in notes_of(caught.value)
    assert "np.str_" not in notes_of(caught.value)


def test_nan_within_rows_is_no_padding():
    X = np.where(np.arange(5) == 2, np.nan, X3[:, :, 0])
    with pytest.raises(ValueError, match="contains NaN") as caught:
        tiny(GRURegressor).fit(X, NUMBERS)
    assert "at the ends of the rows" not in notes_of(caught.value)


def test_the_remedy_for_cells_works():
    nested = pd.DataFrame({k: [pd.Series(x[:, i]) for x in RAGGED] for i, k in enumerate("ab")})
    X = [np.column_stack(row) for row in nested.to_numpy()]
    assert_same_model(fit_tiny(GRURegressor, X), fit_tiny(GRURegressor))
    nested = pl.DataFrame({k: [x[:, i].tolist() for x in RAGGED] for i, k in enumerate("ab")})
    X = [np.column_stack(row) for row in nested.rows()]
    assert_same_model(fit_tiny(GRURegressor, X), fit_tiny(GRURegressor))


@pytest.mark.parametrize(
    "y",
    [
        [np.zeros(length, int) for length in LENGTHS],
        [[0] * length for length in LENGTHS],
        object_array([np.zeros(length, int) for length in LENGTHS]),
        [["a"] * length for length in LENGTHS],
        [["a"] * (i + 1) for i in range(N)],
        [0, [1, 0], *[1] * 10],
        pd.Series([[0] * length for length in LENGTHS]),
        object_array([np.zeros(2)] * N),
        pd.DataFrame({"a": [[0] * length for length in LENGTHS]}),
        pl.Series([[0] * length for length in LENGTHS]),
    ],
)
@pytest.mark.parametrize("Estimator", [GRUClassifier, GRURegressor])
def test_targets_of_each_step_are_pointed_to_return_sequences(Estimator, y):
    with pytest.raises(ValueError, match="return_sequences=True") as caught:
        tiny(Estimator).fit(RAGGED, y)
    assert "inhomogeneous" not in str(caught.value)


@pytest.mark.parametrize(
    "y", [list("ab") * 6, np.array(["1", "2"] * 6), pd.Series(["a", None] * 6), [["a", "b"]] * N]
)
def test_strings_are_no_numbers(y):
    with pytest.raises(ValueError, match=r"y holds strings.*LSTMRegressor.*use LSTMClassifier"):
        tiny(LSTMRegressor).fit(RAGGED, y)


@pytest.mark.parametrize("dtype", ["datetime64[D]", "timedelta64[s]"])
def test_times_are_no_weights(dtype):
    weight = np.arange(1, N + 1).astype(dtype)
    fitted = fit_tiny(GRUClassifier)
    for call in (tiny(GRUClassifier).fit, fitted.score):
        with pytest.raises(ValueError, match=r"sample_weight is of type .*numbers are expected"):
            call(RAGGED, make_targets(fitted), weight)
    with pytest.raises(ValueError, match="sample_weight is of type"):
        tiny(GRURegressor, return_sequences=True).fit(RAGGED, STEPS, weight)


@pytest.mark.parametrize("Estimator", [GRUClassifier, GRURegressor])
def test_fields_are_no_targets(Estimator):
    y = np.zeros(N, dtype=[("a", float), ("b", float)])
    with pytest.raises(ValueError, match=r"y is a structured array.*y\['a'\] takes one field"):
        tiny(Estimator).fit(RAGGED, y)
    with pytest.raises(ValueError, match="sample_weight is a structured array"):
        tiny(Estimator).fit(RAGGED, CODES, y)


@pytest.mark.parametrize(
    "transformer", [SelectKBest(k=1), make_pipeline(StandardScaler(), SelectKBest(k=1))]
)
def test_transformers_that_need_y_are_refused(transformer):
    with pytest.raises(ValueError, match=r"(?s)SelectKBest\(k=1\).* requires y.*VarianceThreshold"):
        TimestepTransformer(transformer).fit(X3, CODES)


def test_tables_of_scikit_learn_point_to_the_timestep_transformer():
    X = SequenceArray.from_sequences(RAGGED)
    pipeline = make_pipeline(StandardScaler(), tiny(LSTMClassifier))
    with pytest.raises(TypeError, match=r"TimestepTransformer\(StandardScaler\(\)\)"):
        pipeline.fit(X, CODES)
    right = make_pipeline(TimestepTransformer(StandardScaler()), tiny(LSTMClassifier))
    assert np.isfinite(cross_val_score(right, X, CODES, cv=2)).all()
    assert (
        GridSearchCV(tiny(RNNClassifier), {"hidden_size": [2]}, cv=2).fit(X, CODES).best_index_ == 0
    )


def test_an_index_of_no_dimensions_gives_a_sequence():
    X = SequenceArray.from_sequences(RAGGED)
    for index in (np.array(2), np.array(2, dtype=np.uint8), np.int64(2)):
        np.testing.assert_array_equal(X[index], RAGGED[2])
    np.testing.assert_array_equal(X[np.array(-1)], RAGGED[-1])
    for wrong in (np.array(True), np.array(2.0), np.array(99)):
        with pytest.raises(IndexError):
            X[wrong]


def test_articles():
    with pytest.raises(TypeError, match="got an int"):
        fit_tiny(GRURegressor).step(np.zeros(2), 3)


# --- Fuzzing: containers x entrances x oddities --------------------------------------------------

ODD_ITEMS = [None, np.nan, 3, "text", 10**400, {}, set(), [], np.ma.masked, object(), 1j, b"x"]
ODD_ITEMS += [np.datetime64("2024"), pd.NaT, pd.NA, [[]], np.zeros((0, 2)), np.zeros((1, 1, 1))]
ODD_ITEMS += [[None], [np.inf], {"a": 1}, (1, "a"), True, np.zeros(2, dtype=[("a", int)])]


@pytest.mark.parametrize("odd", ODD_ITEMS, ids=lambda odd: repr(odd)[:20])
@pytest.mark.parametrize("make", [list, tuple, object_array, pd.Series])
def test_odd_items_are_refused_in_words_or_read(make, odd):
    """Never another kind of error than TypeError and ValueError, and nothing changes by it."""
    model = fit_tiny(GRUClassifier)
    y = list("ab") * 6
    with unchanged(model), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for where in range(5):
            parts = [list(RAGGED), list(y), [1.0] * N, list(RAGGED), [0] * N]
            parts[where][1] = odd
            X, labels, weight, X_val, groups = map(make, parts)
            with contextlib.suppress(TypeError, ValueError):
                tiny(GRUClassifier, max_iter=1).fit(
                    X, labels, weight, X_val=X_val, y_val=y, groups=groups
                )
            with contextlib.suppress(TypeError, ValueError):
                model.predict(X)
            with contextlib.suppress(TypeError, ValueError):
                model.score(RAGGED, labels, weight)
