"""return_sequences=True: a target and an answer at every step."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn import LSTMClassifier, LSTMRegressor, SequenceArray
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.forward import raw_predictions_of_steps
from tests.helpers import (
    LENGTHS,
    answers,
    assert_same_model,
    assert_unfitted,
    make_sequences,
    object_array,
    packed,
    pickled,
    same_model,
    tiny,
    unchanged,
)

X = make_sequences()
FULL_BATCH, MINIBATCHES = 12, 5
batch_sizes = pytest.mark.parametrize(
    "batch_size", [FULL_BATCH, MINIBATCHES], ids=["full_batch", "minibatches"]
)


def step(Estimator, **params):
    """Make a tiny estimator with an answer at every step."""
    return tiny(Estimator, return_sequences=True, **params)


def make_step_targets(estimator, lengths=LENGTHS, seed=1):
    """Make a list of (T_i,): three classes of strings, or numbers."""
    rng = np.random.default_rng(seed)
    if is_classifier(estimator):
        names = np.array(["ash", "elm", "oak"])
        return [names[(np.arange(length) + k) % 3] for k, length in enumerate(lengths)]
    return [rng.normal(10, 3, size=length) for length in lengths]


def without(y, hide, missing=None):
    """Hide the targets of some steps, of (sequence, step) pairs, behind None or another thing."""
    return [
        [missing if (i, t) in hide else value for t, value in enumerate(item)]
        for i, item in enumerate(y)
    ]


def flat(answer):
    """Put the steps of all sequences below each other."""
    return np.concatenate(list(answer))


def assert_steps_agree(one, other, sequences=X, tolerance=0.0):
    """Assert that two models answer alike at all steps, in whatever container."""
    for name, answer in answers(one, sequences).items():
        expected, actual = flat(answers(other, sequences)[name]), flat(answer)
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance, err_msg=name)
        else:
            np.testing.assert_array_equal(actual, expected, err_msg=name)


# --- Answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_answers_are_those_of_the_equations(Estimator, num_layers, bidirectional):
    fitted = step(Estimator, num_layers=num_layers, bidirectional=bidirectional)
    fitted.fit(X, make_step_targets(fitted))
    answer = fitted.decision_function(X) if is_classifier(fitted) else fitted.predict(X)
    for x, said in zip(X, answer, strict=True):
        raw = raw_predictions_of_steps(fitted.weights_, x)
        expected = raw if is_classifier(fitted) else raw[:, 0]
        np.testing.assert_allclose(said, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_shapes_of_answers_about_an_array(Classifier):
    X3 = np.random.default_rng(0).normal(size=(10, 4, 2))
    fitted = step(Classifier).fit(X3, np.arange(40).reshape(10, 4) % 3)
    assert fitted.predict(X3).shape == (10, 4)
    assert fitted.predict_proba(X3).shape == fitted.decision_function(X3).shape == (10, 4, 3)
    assert fitted.predict_log_proba(X3).shape == (10, 4, 3)
    assert fitted.transform(X3).shape == (10, 4, 4)
    two = step(Classifier, bidirectional=True).fit(X3, np.arange(40).reshape(10, 4) % 2)
    assert two.decision_function(X3).shape == (10, 4)
    assert two.predict_proba(X3).shape == (10, 4, 2)
    assert two.transform(X3).shape == (10, 4, 8)


def test_shapes_of_answers_about_ragged_sequences(Classifier):
    fitted = step(Classifier).fit(X, make_step_targets(Classifier()))
    for name, answer in answers(fitted, X).items():
        assert (answer.dtype, answer.shape) == (object, (12,)), name
        width = {"predict": (), "transform": (4,)}.get(name, (3,))
        assert [part.shape for part in answer] == [(length, *width) for length in LENGTHS], name
    assert fitted.predict(X)[0].dtype == fitted.classes_.dtype


def test_answers_agree_with_each_other(Classifier):
    fitted = step(Classifier).fit(X, make_step_targets(Classifier()))
    probabilities, scores = flat(fitted.predict_proba(X)), flat(fitted.decision_function(X))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(flat(fitted.predict_log_proba(X))), probabilities)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, shares)
    np.testing.assert_array_equal(flat(fitted.predict(X)), fitted.classes_[scores.argmax(axis=1)])


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one_way", "both_ways"])
def test_a_sequence_alone_gets_the_same_answers(Estimator, bidirectional):
    fitted = step(Estimator, bidirectional=bidirectional).fit(X, make_step_targets(Estimator()))
    together = fitted.transform(X)
    for x, expected in zip(X, together, strict=True):
        np.testing.assert_allclose(fitted.transform([x])[0], expected, rtol=0, atol=1e-12)


def test_one_direction_does_not_see_the_future(Estimator):
    """What is answered at step t is what is answered about the first t steps."""
    fitted = step(Estimator).fit(X, make_step_targets(Estimator()))
    x = X[2]
    whole = fitted.transform([x])[0]
    for t in range(1, len(x) + 1):
        np.testing.assert_allclose(fitted.transform([x[:t]])[0], whole[:t], rtol=0, atol=1e-12)


def test_both_directions_see_it(Estimator):
    fitted = step(Estimator, bidirectional=True).fit(X, make_step_targets(Estimator()))
    moved = X[2].copy()
    moved[-1] += 1
    before, after = fitted.transform([X[2]])[0], fitted.transform([moved])[0]
    np.testing.assert_array_equal(before[:-1, :4], after[:-1, :4])
    assert (before[:, 4:] != after[:, 4:]).all()


def test_the_last_step_is_the_embedding_without_return_sequences():
    """The same weights, read at the last step only."""
    fitted = step(LSTMRegressor).fit(X, make_step_targets(LSTMRegressor()))
    last = tiny(LSTMRegressor).fit(X, np.arange(12.0))
    last._theta_ = fitted._theta_
    expected = [states[-1] for states in fitted.transform(X)]
    np.testing.assert_array_equal(last.transform(X), expected)


def test_pooling_has_no_say(Estimator):
    y = make_step_targets(Estimator())
    fits = [step(Estimator, pooling=pooling).fit(X, y) for pooling in ("last", "mean", "max")]
    assert_same_model(fits[1], fits[0])
    assert_same_model(fits[2], fits[0])


def test_float32_stays(Estimator):
    X32, y = [x.astype(np.float32) for x in X], make_step_targets(Estimator())
    fitted = step(Estimator).fit(X32, y)
    assert {part.dtype for part in fitted.transform(X32)} == {np.dtype(np.float32)}
    assert_steps_agree(fitted, step(Estimator).fit(X, y), X32, tolerance=1e-3)


# --- Containers of X and y ------------------------------------------------------------------------

CONTAINERS = {
    "list": lambda items: items,
    "tuple": tuple,
    "object_array": object_array,
    "SequenceArray": packed,
    "nan_padded": lambda items: packed(items).to_padded(),
    "Series": lambda items: pytest.importorskip("pandas").Series(items),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_ragged_x_in_every_container(Estimator, container):
    y = make_step_targets(Estimator())
    fitted = step(Estimator).fit(container(X), y)
    assert_same_model(fitted, step(Estimator).fit(X, y))
    said = fitted.predict(container(X))
    assert (said.dtype, said.shape) == (object, (12,))
    np.testing.assert_array_equal(flat(said), flat(fitted.predict(X)))
    assert fitted.score(container(X), y) == fitted.score(X, y)


@pytest.mark.parametrize("make", ["columns", "object_array", "SequenceArray", "Series", "padded"])
def test_ragged_y_in_every_container(make):
    y = make_step_targets(LSTMRegressor())
    expected = step(LSTMRegressor).fit(X, y)
    sequences, given = X, None
    if make == "columns":
        given = [item[:, None] for item in y]
    elif make == "object_array":
        given = object_array(y)
    elif make == "SequenceArray":
        given = packed(y)
    elif make == "Series":
        given = pytest.importorskip("pandas").Series(y, index=range(5, 17))
    else:
        sequences, given = packed(X).to_padded(), packed(y).to_padded()[:, :, 0]
    fitted = step(LSTMRegressor).fit(sequences, given)
    assert_same_model(fitted, expected)
    assert fitted.score(sequences, given) == expected.score(X, y)


def test_rows_arrays_and_lists_are_the_same_sequences(Estimator):
    X3 = np.random.default_rng(0).normal(size=(12, 5, 2))
    y = np.stack(make_step_targets(Estimator(), [5] * 12))
    cube = step(Estimator).fit(X3, y)
    rows = step(Estimator, n_timesteps=5).fit(X3.reshape(12, 10), y)
    assert_same_model(cube, rows)
    assert_same_model(cube, step(Estimator).fit(list(X3), list(y)))
    np.testing.assert_array_equal(rows.predict(X3.reshape(12, 10)), cube.predict(X3))
    assert cube.predict(list(X3)).dtype == object
    one_feature = step(Estimator).fit(X3[:, :, 0], y)
    assert one_feature.predict(X3[:, :, 0]).shape == (12, 5)
    assert_same_model(one_feature, step(Estimator).fit(X3[:, :, :1], y))


def test_frames(Estimator):
    pd = pytest.importorskip("pandas")
    X3 = np.random.default_rng(0).normal(size=(12, 5, 2))
    y = np.stack(make_step_targets(Estimator(), [5] * 12))
    frames = [pd.DataFrame(x, columns=["one", "two"]) for x in X3]
    fitted = step(Estimator).fit(frames, [pd.Series(item) for item in y])
    assert_same_model(fitted, step(Estimator).fit(X3, y))
    rows = pd.DataFrame(X3.reshape(12, -1)).rename(columns=str)
    fitted = step(Estimator, n_timesteps=5).fit(rows, pd.DataFrame(y))
    assert_same_model(fitted, step(Estimator).fit(X3, y))


def test_sequences_of_other_lengths_may_come_later(Estimator):
    fitted = step(Estimator).fit(np.zeros((12, 5, 2)), make_step_targets(Estimator(), [5] * 12))
    assert fitted.predict(np.ones((3, 9, 2))).shape == (3, 9)
    assert [len(said) for said in fitted.predict(X)] == list(LENGTHS)


# --- Kinds of targets -----------------------------------------------------------------------------


@pytest.mark.parametrize("as_array", [False, True], ids=["ragged", "array"])
def test_multilabel(Classifier, as_array):
    rng = np.random.default_rng(0)
    sequences = make_sequences([5] * 12) if as_array else X
    y = [(x @ [[1, 0, 1], [0, 1, 1]] + rng.normal(size=3) > 0).astype(int) for x in sequences]
    given = (np.stack(sequences), np.stack(y)) if as_array else (sequences, y)
    fitted = step(Classifier, max_iter=50, learning_rate_init=0.05).fit(*given)
    np.testing.assert_array_equal(fitted.classes_, [0, 1, 2])
    labels, probabilities = flat(fitted.predict(given[0])), flat(fitted.predict_proba(given[0]))
    np.testing.assert_array_equal(labels, probabilities > 0.5)
    assert probabilities.shape == flat(y).shape
    assert fitted.score(*given) == accuracy_score(flat(y), labels)
    assert (labels == flat(y)).mean() > 0.8


def test_several_outputs(Regressor):
    y = [np.column_stack([100 * x.sum(axis=1), x[:, 0] - 7]) for x in X]
    fitted = step(Regressor, max_iter=100, learning_rate_init=0.05).fit(X, y)
    said = fitted.predict(X)
    assert [part.shape for part in said] == [(length, 2) for length in LENGTHS]
    assert fitted.score(X, y) == r2_score(flat(y), flat(said)) > 0.8


def test_two_classes_and_one(Classifier):
    two = step(Classifier).fit(X, [np.where(x[:, 0] > 0, "yes", "no") for x in X])
    assert two.n_outputs_ == 1
    assert two.decision_function(X)[0].shape == (LENGTHS[0],)
    np.testing.assert_array_equal(flat(two.predict(X)) == "yes", flat(two.decision_function(X)) > 0)
    one = step(Classifier).fit(X, [["only"] * length for length in LENGTHS])
    assert set(flat(one.predict(X))) == {"only"}
    assert (flat(one.predict_proba(X)) == 1).all()
    assert one.score(X, [["only"] * length for length in LENGTHS]) == 1


def test_labels_keep_their_kind(Classifier):
    for y in ([x[:, 0] > 0 for x in X], [(x[:, 0] > 0) * 5 - 2 for x in X]):
        fitted = step(Classifier).fit(X, y)
        assert fitted.predict(X)[0].dtype == y[0].dtype
        np.testing.assert_array_equal(fitted.classes_, np.unique(flat(y)))


def test_it_learns_what_only_the_past_can_tell(Estimator):
    """The target is whether the running sum is positive, or that sum."""
    sequences = make_sequences(np.random.default_rng(3).integers(3, 9, 80), n_features=1)
    sums = [x[:, 0].cumsum() for x in sequences]
    y = [s > 0 for s in sums] if is_classifier(Estimator()) else sums
    fitted = step(Estimator, hidden_size=8, max_iter=60, learning_rate_init=0.02)
    assert fitted.fit(sequences[:60], y[:60]).score(sequences[60:], y[60:]) > 0.9


# --- Steps that are not scored --------------------------------------------------------------------

HIDDEN = {(0, 0), (0, 4), (2, 6), (3, 0), (5, 1), (10, 2), (10, 3)}


def test_hidden_targets_have_no_say(Estimator):
    """None, or for numbers NaN, or a mask over whatever number."""
    y = make_step_targets(Estimator())
    fitted = step(Estimator).fit(X, without(y, HIDDEN))
    assert not same_model(fitted, step(Estimator).fit(X, y))
    assert_same_model(step(Estimator).fit(X, without(y, HIDDEN, np.nan)), fitted)
    masks = [[(i, t) in HIDDEN for t in range(len(item))] for i, item in enumerate(y)]
    masked = [np.ma.array(item, mask=mask) for item, mask in zip(y, masks, strict=True)]
    assert_same_model(step(Estimator).fit(X, masked), fitted)
    for item, mask in zip(masked, masks, strict=True):
        item.data[mask] = y[0][0]
    assert_same_model(step(Estimator).fit(X, masked), fitted)
    assert_same_model(step(Estimator).fit(X, object_array(masked)), fitted)


def test_a_masked_array(Estimator):
    X3 = np.random.default_rng(0).normal(size=(12, 5, 2))
    y = np.stack(make_step_targets(Estimator(), [5] * 12))
    mask = np.random.default_rng(1).random((12, 5)) < 0.4
    fitted = step(Estimator).fit(X3, np.ma.array(y, mask=mask))
    lists = without(y, set(zip(*np.nonzero(mask), strict=True)))
    assert_same_model(fitted, step(Estimator).fit(X3, lists))
    assert fitted.score(X3, np.ma.array(y, mask=mask)) == fitted.score(X3, lists)


@batch_sizes
def test_a_hidden_step_is_one_of_weight_zero(Estimator, batch_size):
    y = make_step_targets(Estimator())
    weight = [[(i, t) not in HIDDEN for t in range(len(item))] for i, item in enumerate(y)]
    hidden = step(Estimator, batch_size=batch_size).fit(X, without(y, HIDDEN))
    weightless = step(Estimator, batch_size=batch_size).fit(X, y, weight)
    assert_same_model(weightless, hidden)
    assert hidden.loss_curve_ == weightless.loss_curve_
    np.testing.assert_allclose(hidden.score(X, y, weight), hidden.score(X, without(y, HIDDEN)))


def test_inputs_after_the_last_scored_step_give_no_gradient(Estimator):
    """In one direction to the last bit, in many updates; in both directions they have a say."""
    y = make_step_targets(Estimator())
    hide = {(i, t) for i, item in enumerate(y) for t in range(len(item)) if t > len(item) // 2}
    moved = [x.copy() for x in X]
    for i, t in hide:
        moved[i][t] += 10
    params = dict(batch_size=MINIBATCHES, max_iter=10)
    for bidirectional in (False, True):
        first, second = (
            step(Estimator, bidirectional=bidirectional, **params).fit(sequences, without(y, hide))
            for sequences in (X, moved)
        )
        assert same_model(first, second) is not bidirectional


def test_steps_after_the_last_scored_one_may_as_well_be_cut(Estimator):
    y = make_step_targets(Estimator())
    hide = {(i, t) for i, item in enumerate(y) for t in range(len(item)) if t > len(item) // 2}
    ends = [len(item) // 2 + 1 for item in y]
    cut = step(Estimator).fit(
        [x[:end] for x, end in zip(X, ends, strict=True)],
        [item[:end] for item, end in zip(y, ends, strict=True)],
    )
    assert_steps_agree(step(Estimator).fit(X, without(y, hide)), cut, tolerance=1e-9)


def test_a_sequence_without_targets_may_as_well_be_left_out(Estimator):
    y = make_step_targets(Estimator())
    hide = {(2, t) for t in range(LENGTHS[2])}
    for batch_size in (FULL_BATCH, MINIBATCHES):
        hidden = step(Estimator, batch_size=batch_size).fit(X, without(y, hide))
        gone = step(Estimator, batch_size=batch_size).fit(X[:2] + X[3:], y[:2] + y[3:])
        assert_same_model(hidden, gone)


def test_a_target_missing_in_one_output_is_missing(Regressor):
    y = [np.column_stack([x[:, 0], x[:, 1]]) for x in X]
    partly, fully = ([item.copy() for item in y] for _ in range(2))
    partly[2][3, 1] = np.nan
    fully[2][3] = np.nan
    assert_same_model(step(Regressor).fit(X, partly), step(Regressor).fit(X, fully))


def test_only_the_last_step_scored_is_a_target_a_sequence(Regressor):
    """The same gradient as that of the last state without return_sequences."""
    y = make_step_targets(Regressor())
    ends = np.array([item[-1] for item in y])
    last = [np.append(np.full(len(item) - 1, np.nan), item[-1]) for item in y]
    many = step(Regressor, max_iter=10).fit(X, last)
    one = tiny(Regressor, max_iter=10).fit(X, ends)
    for name, weight in one.weights_.items():
        np.testing.assert_allclose(many.weights_[name], weight, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(many.loss_curve_, one.loss_curve_, rtol=1e-9)


# --- Weights --------------------------------------------------------------------------------------

WEIGHT = np.array([2, 0, 1, 3, 1, 1, 0, 2, 1, 4, 1, 2])


def test_a_weight_of_w_means_w_copies(Estimator, seed):
    y = make_step_targets(Estimator())
    params = dict(random_state=seed, max_iter=50, learning_rate_init=0.02)
    weighted = step(Estimator, **params).fit(X, y, WEIGHT)
    index = np.random.default_rng(seed).permutation(np.repeat(np.arange(12), WEIGHT))
    copies = step(Estimator, **params).fit([X[i] for i in index], [y[i] for i in index])
    assert_same_model(weighted, copies)
    score = copies.score([X[i] for i in index], [y[i] for i in index])
    np.testing.assert_allclose(weighted.score(X, y, WEIGHT), score)


def test_weights_of_steps_are_copies_of_steps(Estimator, seed):
    """A sequence twice, its steps scored 2 and 1, 0 and 3 times: once with the sums."""
    y = make_step_targets(Estimator())
    rng = np.random.default_rng(seed)
    first, second = ([rng.integers(0, 4, length) for length in LENGTHS] for _ in range(2))
    both = [a + b for a, b in zip(first, second, strict=True)]
    once = step(Estimator, max_iter=50).fit(X, y, both)
    twice = step(Estimator, max_iter=50).fit(X + X, y + y, first + second)
    assert_same_model(once, twice)


def test_the_order_of_sequences_changes_nothing_in_one_batch(Estimator, seed):
    y = without(make_step_targets(Estimator()), HIDDEN)
    order = np.random.default_rng(seed).permutation(12)
    plain = step(Estimator, max_iter=50).fit(X, y)
    mixed = step(Estimator, max_iter=50).fit([X[i] for i in order], [y[i] for i in order])
    assert_same_model(mixed, plain)
    assert mixed.loss_curve_ == plain.loss_curve_


@batch_sizes
def test_a_weight_of_a_sequence_is_that_of_its_steps(Estimator, batch_size):
    y, weight = make_step_targets(Estimator()), np.linspace(0.5, 2, 12)
    of_steps = [np.full(length, w) for length, w in zip(LENGTHS, weight, strict=True)]
    params = dict(batch_size=batch_size)
    fitted = step(Estimator, **params).fit(X, y, weight)
    assert_same_model(step(Estimator, **params).fit(X, y, of_steps), fitted)
    assert_same_model(step(Estimator, **params).fit(X, y, packed(of_steps)), fitted)
    assert_same_model(step(Estimator, **params).fit(X, y, 8 * weight), fitted)
    assert fitted.score(X, y, weight) == fitted.score(X, y, of_steps)
    assert not same_model(step(Estimator, **params).fit(X, y), fitted)


def test_class_weight_is_a_weight_of_the_steps_of_a_class(Classifier):
    y, factors = make_step_targets(Classifier()), {"ash": 1, "elm": 5, "oak": 2}
    weighted = step(Classifier, class_weight=factors).fit(X, y)
    by_hand = [[factors[label] for label in item] for item in y]
    assert_same_model(weighted, step(Classifier).fit(X, y, by_hand))


def test_balanced_gives_each_class_the_same_total(Classifier):
    y = without(make_step_targets(Classifier()), HIDDEN)
    scored = [label for item in y for label in item if label is not None]
    share = {label: len(scored) / (3 * scored.count(label)) for label in set(scored)}
    balanced = step(Classifier, class_weight="balanced").fit(X, y)
    dictionary = step(Classifier, class_weight=share).fit(X, y)
    assert_steps_agree(balanced, dictionary, tolerance=1e-9)


@pytest.mark.parametrize("label", ["ash", "oak"])  # the first class is the code 0
def test_balanced_where_a_class_has_no_weight(Classifier, label):
    y = make_step_targets(Classifier())
    weight = [item != label for item in y]
    balanced = step(Classifier, class_weight="balanced").fit(X, y, weight)
    assert label in balanced.classes_
    assert label not in flat(balanced.predict(X))
    others = [[None if value == label else value for value in item] for item in y]
    first = step(Classifier, class_weight="balanced")
    first.partial_fit(X, others, classes=["ash", "elm", "oak"])
    assert np.isfinite(first.loss_)


# --- Training that goes on or stops ---------------------------------------------------------------


def test_partial_fits_are_a_fit(Estimator):
    y = make_step_targets(Estimator())
    once = step(Estimator, max_iter=3).fit(X, y)
    classes = {"classes": ["oak", "ash", "elm"]} if is_classifier(once) else {}
    steps = step(Estimator)
    for _ in range(3):
        steps.partial_fit(X, y, **classes)
    assert_same_model(steps, once)


def test_partial_fit_knows_classes_that_come_later(Classifier):
    first = step(Classifier).partial_fit(X[:2], [["b"] * 5, ["b", None]], classes=["a", "b", "c"])
    first.partial_fit(X[2:4], [["a"] * 7, ["c"]])
    assert first.predict_proba(X)[0].shape == (LENGTHS[0], 3)
    with unchanged(first), pytest.raises(ValueError, match="'d'"):
        first.partial_fit(X[3:4], [["d"]])


def test_warm_starts_are_a_fit(Estimator):
    y = make_step_targets(Estimator())
    once = step(Estimator, max_iter=3, batch_size=MINIBATCHES).fit(X, y)
    warm = step(Estimator, max_iter=1, warm_start=True, batch_size=MINIBATCHES)
    for _ in range(3):
        warm.fit(X, y)
    assert_same_model(warm, once)
    warm.set_params(return_sequences=False)
    with unchanged(warm), pytest.raises(ValueError, match="fitted with return_sequences=True"):
        warm.fit(X, [item[-1] for item in y])


def test_early_stopping_scores_the_scored_steps(Estimator):
    lengths = LENGTHS * 3
    sequences, y = make_sequences(lengths), make_step_targets(Estimator(), lengths)
    y = without(y, HIDDEN - {(3, 0)})  # with it, sequence 3 would be left out of the split
    params = dict(early_stopping=True, validation_fraction=0.3, max_iter=8)
    fitted = step(Estimator, **params).fit(sequences, y)
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert len(fitted.validation_scores_) == fitted.n_iter_
    again = step(Estimator, **params).fit(sequences, y)
    assert_same_model(again, fitted)
    # What the score is of: one whole sequence after the other, as score itself has it.
    rng = np.random.default_rng(np.random.RandomState(0).randint(2**31 - 1))
    split = dict(test_size=round(0.3 * 36), random_state=int(rng.integers(2**31 - 1)))
    _, validation = train_test_split(np.arange(36), **split)
    score = fitted.score([sequences[i] for i in validation], [y[i] for i in validation])
    np.testing.assert_allclose(fitted.best_validation_score_, score, rtol=1e-9)


def test_score_is_flat_over_the_scored_steps(Estimator):
    y = make_step_targets(Estimator())
    fitted = step(Estimator).fit(X, y)
    metric = accuracy_score if is_classifier(fitted) else r2_score
    assert fitted.score(X, y) == metric(flat(y), flat(fitted.predict(X)))
    kept = [[(i, t) not in HIDDEN for t in range(len(item))] for i, item in enumerate(y)]
    kept = flat(kept)
    expected = metric(flat(y)[kept], flat(fitted.predict(X))[kept])
    assert fitted.score(X, without(y, HIDDEN)) == expected


def test_score_is_that_of_what_was_fitted():
    """Not of a parameter that was changed since."""
    y = make_step_targets(LSTMClassifier())
    fitted = step(LSTMClassifier).fit(X, y)
    expected = fitted.score(X, y)
    assert fitted.set_params(return_sequences=False).score(X, y) == expected


# --- Among scikit-learn's tools -------------------------------------------------------------------


def pipeline(Estimator, **params):
    return make_pipeline(TimestepTransformer(StandardScaler()), step(Estimator, **params))


@pytest.mark.parametrize("container", [list, object_array, packed, None])
def test_cross_validation(Estimator, container):
    y = make_step_targets(Estimator())
    if container is None:  # without NaN, which scikit-learn looks for in a classifier's y
        sequences = np.random.default_rng(0).normal(size=(12, 5, 2))
        y = np.stack(make_step_targets(Estimator(), [5] * 12))
    else:
        sequences = container(X)
    model = pipeline(Estimator)
    scores = cross_val_score(model, sequences, y, cv=3, error_score="raise")
    said = cross_val_predict(model, sequences, y, cv=3)
    for score, (train, test) in zip(scores, KFold(3).split(np.arange(12)), strict=True):
        take = (lambda A, index: A[index]) if container is None else lambda A, i: [A[k] for k in i]
        fold = pipeline(Estimator).fit(take(sequences, train), take(y, train))
        np.testing.assert_allclose(fold.score(take(sequences, test), take(y, test)), score)
        expected = fold.predict(take(sequences, test))
        np.testing.assert_array_equal(flat(said[test]), flat(expected))
    assert said.shape == ((12, 5) if container is None else (12,))


@pytest.mark.parametrize("form", [list, object_array, packed, lambda y: [*map(list, y)]])
def test_with_a_splitter_y_may_have_every_form(form):
    y = [(x[:, 0] > 0).astype(int) for x in X]
    expected = cross_val_score(step(LSTMClassifier), X, y, cv=KFold(3), error_score="raise")
    scores = cross_val_score(step(LSTMClassifier), X, form(y), cv=KFold(3), error_score="raise")
    np.testing.assert_array_equal(scores, expected)


def test_cross_validation_with_missing_targets(Estimator):
    X3, y = np.random.default_rng(0).normal(size=(12, 5, 2)), make_step_targets(Estimator())
    hidden = np.stack(make_step_targets(Estimator(), [5] * 12)).astype(object)
    hidden[:, 3] = None
    for sequences, given in ((X, without(y, HIDDEN)), (X3, hidden)):
        scores = cross_val_score(
            step(Estimator), sequences, given, cv=KFold(3), error_score="raise"
        )
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search(n_jobs):
    y = make_step_targets(LSTMClassifier())
    grid = {"lstmclassifier__hidden_size": [2, 3], "lstmclassifier__bidirectional": [False, True]}
    search = GridSearchCV(pipeline(LSTMClassifier), grid, cv=2, n_jobs=n_jobs, error_score="raise")
    search.fit(X, y)
    assert search.predict(X).shape == (12,)
    assert_same_model(search.best_estimator_[-1], clone(search.best_estimator_).fit(X, y)[-1])


def test_pickle_and_clone(Estimator):
    fitted = step(Estimator, bidirectional=True).fit(X, make_step_targets(Estimator()))
    assert_steps_agree(pickled(fitted), fitted)
    again = clone(fitted)
    assert again.return_sequences
    assert_unfitted(again)
    check_is_fitted(fitted)


def test_nothing_that_is_given_is_written_into(Estimator):
    sequences, y = make_sequences(), make_step_targets(Estimator())
    weight = [np.ones(length) for length in LENGTHS]
    for array in (*sequences, *y, *weight):
        array.flags.writeable = False
    fitted = step(Estimator).fit(sequences, y, weight)
    with unchanged(fitted):
        fitted.score(sequences, y, weight)
        answers(fitted, sequences)


# --- What is refused ------------------------------------------------------------------------------

Y = make_step_targets(LSTMRegressor())


def refuse(Estimator, y, words, sample_weight=None, sequences=X, **params):
    """Assert that fit refuses y in these words, and an estimator that was fitted stays so."""
    estimator = tiny(Estimator, **{"return_sequences": True, **params})
    with pytest.raises(ValueError, match=words):
        estimator.fit(sequences, y, sample_weight)
    assert_unfitted(estimator)
    fitted = step(Estimator).fit(X, make_step_targets(Estimator()))
    before = fitted.weights_
    fitted.set_params(**{"return_sequences": True, **params})
    with pytest.raises(ValueError, match=words):
        fitted.fit(sequences, y, sample_weight)
    np.testing.assert_equal(fitted.weights_, before)


def test_a_sequence_of_another_length_is_named(Estimator):
    y = make_step_targets(Estimator())
    y[4] = y[4][:-1]
    refuse(Estimator, y, "y has 3 steps in sequence 4, where X has 4")
    refuse(Estimator, y[:5], "inconsistent numbers of samples")
    array = np.stack(make_step_targets(Estimator(), [5] * 12))
    refuse(Estimator, array[:, 1:], "y has 4 steps in sequence 0", sequences=np.zeros((12, 5, 2)))


def test_a_target_a_sequence_is_refused(Estimator):
    whole = np.array([item[0] for item in make_step_targets(Estimator())])
    for y in (whole, whole.tolist(), whole.astype(object)):
        refuse(Estimator, y, r"y has shape \(12,\).*set return_sequences=False")


def test_a_target_a_step_is_refused_without_return_sequences(Estimator):
    y = make_step_targets(Estimator())
    forms = [y, object_array(y), [item.tolist() for item in y]]
    if not is_classifier(Estimator()):
        forms.append(packed(y))
    for form in forms:
        words = "y has a target for each step of X: did you mean return_sequences=True?"
        refuse(Estimator, form, words, return_sequences=False)


def test_an_array_with_a_label_a_step_is_refused_without_return_sequences(Classifier):
    y = np.stack(make_step_targets(Classifier(), [5] * 12))
    for form in (y, np.stack([y, y], axis=2)):
        params = dict(sequences=np.zeros((12, 5, 2)), return_sequences=False)
        refuse(Classifier, form, "did you mean return_sequences=True?", **params)


def test_several_targets_a_sequence_are_no_targets_a_step(Regressor):
    """(n, T) for a regressor is T outputs of each sequence."""
    X3 = np.random.default_rng(0).normal(size=(12, 5, 2))
    assert tiny(Regressor).fit(X3, X3[:, :, 0]).predict(X3).shape == (12, 5)


def test_where_nothing_is_scored(Estimator):
    y = make_step_targets(Estimator())
    refuse(Estimator, [[None] * length for length in LENGTHS], "No step is scored")
    weight = [np.arange(length) == 0 for length in LENGTHS]
    hidden = without(y, {(i, 0) for i in range(12)})
    refuse(Estimator, hidden, "No step is scored", sample_weight=weight)


def test_score_where_nothing_is_scored(Estimator):
    fitted = step(Estimator).fit(X, make_step_targets(Estimator()))
    with pytest.raises(ValueError, match="No step is scored"):
        fitted.score(X, [[None] * length for length in LENGTHS])


def test_targets_of_the_wrong_kind(Regressor, Classifier):
    refuse(Regressor, make_step_targets(Classifier()), "numeric|convert")
    refuse(Classifier, Y, "continuous")
    infinite = [item.copy() for item in Y]
    infinite[3][0] = np.inf
    refuse(Regressor, infinite, "infinity")


def test_numbers_beside_text(Classifier):
    y = make_step_targets(Classifier())
    y[1] = np.array([1, 2])
    refuse(Classifier, y, "labels of types")


def test_class_weight_and_multilabel(Classifier):
    y = [np.ones((length, 2), int) for length in LENGTHS]
    refuse(Classifier, y, "class_weight is not supported", class_weight="balanced")


def test_later_targets_of_another_kind(Classifier):
    y = make_step_targets(Classifier())
    fitted = step(Classifier, warm_start=True).fit(X, y)
    labels = [np.ones((length, 3), int) * [0, 1, 0] for length in LENGTHS]
    with unchanged(fitted), pytest.raises(ValueError, match="multilabel target"):
        fitted.fit(X, labels)


def test_a_sequence_array_is_what_lists_are():
    y = SequenceArray.from_concatenated(np.arange(49)[:, None] % 2, LENGTHS)
    fitted = step(LSTMClassifier).fit(packed(X), y)
    assert fitted.score(packed(X), y) == fitted.score(X, list(y))
