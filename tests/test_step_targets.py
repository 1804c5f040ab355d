"""y at every step: every container becomes one row a step, and answers go back into containers."""

import numpy as np
import pytest

from sklearn_rnn import SequenceArray
from sklearn_rnn._data.step_targets import (
    align_steps,
    arrange_steps,
    flatten_steps,
    has_step_lengths,
    scored_steps,
    scored_values,
    step_weights,
)
from tests.helpers import make_sequences, object_array, packed

LENGTHS = np.array([3, 1, 2])
STEPS = [[0, 1, 2], [3], [4, 5]]
X = make_sequences(LENGTHS)
SCORED = np.ones(6, bool)


def pandas_series(items):
    pd = pytest.importorskip("pandas")
    return [pd.Series(item, index=range(7, 7 + len(item))) for item in items]


def series_of_arrays(items):
    return pytest.importorskip("pandas").Series([np.array(a) for a in items], index=list("cab"))


FORMS = {
    "lists": lambda items: items,
    "tuples": lambda items: tuple(tuple(item) for item in items),
    "arrays": lambda items: [np.array(item) for item in items],
    "columns": lambda items: [np.array(item)[:, None] for item in items],
    "object array": lambda items: object_array([np.array(item) for item in items]),
    "object array of lists": object_array,
    "list of Series": pandas_series,
    "Series of arrays": series_of_arrays,
    "SequenceArray": packed,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_ragged_forms(form):
    np.testing.assert_array_equal(flatten_steps(X, LENGTHS, form(STEPS)), np.arange(6))


@pytest.mark.parametrize("form", ["lists", "arrays", "object array", "SequenceArray"])
def test_ragged_forms_of_several_outputs(form):
    items = [np.array([[k, -k] for k in item]) for item in STEPS]
    expected = np.array([np.arange(6), -np.arange(6)]).T
    np.testing.assert_array_equal(flatten_steps(X, LENGTHS, FORMS[form](items)), expected)


@pytest.mark.parametrize("as_frame", [False, True], ids=["array", "frame"])
def test_arrays(as_frame):
    y, lengths = np.arange(8).reshape(2, 4), np.array([4, 4])
    given = pytest.importorskip("pandas").DataFrame(y, index=[5, 3]) if as_frame else y
    np.testing.assert_array_equal(flatten_steps(np.zeros((2, 4)), lengths, given), np.arange(8))
    both = np.stack([y, -y], axis=2)
    flat = flatten_steps(np.zeros((2, 4, 3)), lengths, both)
    np.testing.assert_array_equal(flat, np.array([np.arange(8), -np.arange(8)]).T)


@pytest.mark.parametrize("leading", [False, True], ids=["padded_after", "padded_before"])
def test_y_is_padded_where_x_is(leading):
    """Whatever stands in y's padding, which need not be NaN."""
    X3, y = packed(X).to_padded(), packed(STEPS).to_padded(padding_value=99)[:, :, 0]
    if leading:
        X3, y = X3[:, ::-1], y[:, ::-1]
    expected = [2, 1, 0, 3, 5, 4] if leading else np.arange(6)
    np.testing.assert_array_equal(flatten_steps(X3, LENGTHS, y), expected)


def test_a_missing_step_inside_x_is_no_padding():
    """A raw X that a pipeline fills in: its targets stay."""
    X3 = np.ones((2, 3, 2))
    X3[0, 1] = np.nan
    y = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(flatten_steps(X3, np.array([3, 3]), y), np.arange(6))


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([[0, 1, 2], [3], [4]], "y has 1 steps in sequence 2, where X has 2"),
        (packed([[0, 1], [3], [4, 5]]), "y has 2 steps in sequence 0, where X has 3"),
        (np.zeros((3, 4)), "y has 4 steps in sequence 0, where X has 3"),
        (np.zeros(3), r"y has shape \(3,\).*return_sequences=False"),
        ([0, 1, 2], r"y has shape \(3,\).*return_sequences=False"),
        (["ab", "c", "de"], r"y has shape \(3,\).*return_sequences=False"),
        (np.zeros((3, 3, 1, 1)), r"y has shape \(3, 3, 1, 1\)"),
        ([[0, 1, 2], 3, [4, 5]], "y of sequence 1 is 3, but with return_sequences=True"),
        (
            [np.ones((3, 2)), np.ones((1, 3)), np.ones((2, 2))],
            r"y of sequence 1 has shape \(1, 3\)",
        ),
        ([np.ones((3, 2)), np.ones(1), np.ones((2, 2))], r"y of sequence 1 has shape \(1,\)"),
    ],
)
def test_what_does_not_fit_x_is_refused_by_name(y, words):
    with pytest.raises(ValueError, match=words):
        flatten_steps(X, LENGTHS, y)


# --- Which steps are scored -----------------------------------------------------------------------


def test_missing_numbers():
    flat = np.array([1.0, np.nan, 3.0])
    np.testing.assert_array_equal(scored_steps(flat), [True, False, True])
    both = np.array([[1.0, 2.0], [np.nan, 1.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(scored_steps(both), [True, False, False])


def test_masked_steps():
    flat = np.ma.array([1, 2, 3], mask=[False, True, False])
    np.testing.assert_array_equal(scored_steps(flat), [True, False, True])
    np.testing.assert_array_equal(scored_values(flat, scored_steps(flat)), [1, 3])
    both = np.ma.array(np.ones((2, 2)), mask=[[False, True], [False, False]])
    np.testing.assert_array_equal(scored_steps(both), [False, True])


def test_masks_and_nan_together():
    flat = np.ma.array([1.0, np.nan, 3.0], mask=[True, False, False])
    np.testing.assert_array_equal(scored_steps(flat), [False, False, True])


def test_a_mask_in_one_sequence_of_many():
    items = [np.array([0, 1, 2]), np.array([3]), np.ma.array([4, 5], mask=[True, False])]
    np.testing.assert_array_equal(
        scored_steps(flatten_steps(X, LENGTHS, items)), [True, True, True, True, False, True]
    )


@pytest.mark.parametrize("missing", [None, float("nan"), np.float64("nan")], ids=repr)
def test_missing_labels_do_not_become_text(missing):
    flat = flatten_steps(X, LENGTHS, [["a", missing, "b"], [missing], ["a", "nan"]])
    scored = scored_steps(flat)
    np.testing.assert_array_equal(scored, [True, False, True, False, True, True])
    assert scored_values(flat, scored).tolist() == ["a", "b", "a", "nan"]


def test_a_sequence_without_labels_beside_those_with_text():
    items = [np.array(["a", "b", "a"]), np.array([np.nan]), np.array(["b", "b"])]
    flat = flatten_steps(X, LENGTHS, items)
    np.testing.assert_array_equal(scored_steps(flat), [True, True, True, False, True, True])


def test_numbers_beside_text_do_not_become_text():
    flat = flatten_steps(X, LENGTHS, [np.array(["a", "b", "a"]), np.array([1]), np.array([1, 2])])
    assert flat.tolist() == ["a", "b", "a", 1, 1, 2]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "string", "boolean", "category"])
def test_missing_values_of_pandas(dtype):
    pd = pytest.importorskip("pandas")
    known = {"Int64": [3, 4], "Float64": [0.5, 1.5], "boolean": [True, False]}
    a, b = known.get(dtype, ["a", "b"])
    items = [pd.Series(values, dtype=dtype) for values in ([a, pd.NA, b], [pd.NA], [b, a])]
    flat = flatten_steps(X, LENGTHS, items)
    scored = scored_steps(flat)
    np.testing.assert_array_equal(scored, [True, False, True, False, True, True])
    assert scored_values(flat, scored).tolist() == [a, b, b, a]


def test_objects_that_are_numbers_become_numbers():
    flat = flatten_steps(X, LENGTHS, [[1, None, 3], [4], [5, None]])
    assert flat.dtype == object
    assert scored_values(flat, scored_steps(flat)).dtype.kind == "i"


# --- Weights --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "weight",
    [
        [2, 1, 3],
        np.array([2.0, 1.0, 3.0]),
        [[2, 2, 2], [1], [3, 3]],
        packed([[2] * 3, [1], [3] * 2]),
    ],
    ids=["list", "array", "step_lists", "SequenceArray"],
)
def test_weights_of_sequences_and_of_steps(weight):
    scored = np.array([True, False, True, True, True, False])
    np.testing.assert_array_equal(step_weights(X, LENGTHS, weight, scored), [2, 0, 2, 1, 3, 0])


def test_no_weights_are_ones():
    np.testing.assert_array_equal(step_weights(X, LENGTHS, None, SCORED), np.ones(6))
    np.testing.assert_array_equal(step_weights(X, LENGTHS, 0.5, SCORED), np.full(6, 0.5))


@pytest.mark.parametrize(
    ("weight", "scored", "words"),
    [
        ([0, 1, 0], [1, 1, 1, 0, 1, 1], "No step is scored"),
        (None, np.zeros(6), "No step is scored: every target is missing"),
        ([[1, 1, 1], [1], [1]], SCORED, "sample_weight has 1 steps in sequence 2"),
        ([[1, 1, 1], [1], [1, -1]], SCORED, "Negative values"),
        ([[1, 1, 1], [1], [1, np.nan]], SCORED, "NaN"),
        ([1, 1], SCORED, "expected \\(3,\\)"),
    ],
)
def test_weights_that_are_refused(weight, scored, words):
    with pytest.raises(ValueError, match=words):
        step_weights(X, LENGTHS, weight, np.array(scored, bool))


# --- Answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_answers_about_ragged_sequences_are_an_object_array(shape):
    rows = np.arange(np.prod(shape)).reshape(shape)
    for container in (X, object_array(X), packed(X), packed(X).to_padded()):
        answers = arrange_steps(container, packed(X), rows)
        assert (answers.dtype, answers.shape) == (object, (3,))
        assert [len(answer) for answer in answers] == LENGTHS.tolist()
        np.testing.assert_array_equal(np.concatenate(list(answers)), rows)


@pytest.mark.parametrize("n", [1, 2])
def test_a_list_of_equal_lengths_is_an_object_array_too(n):
    sequences = make_sequences([3] * n)
    answers = arrange_steps(sequences, packed(sequences), np.arange(3 * n))
    assert (answers.dtype, answers.shape) == (object, (n,))


def test_answers_about_an_array_are_an_array():
    X3, rows = np.zeros((2, 3, 4)), np.arange(12).reshape(6, 2)
    for container in (X3, X3.reshape(2, -1)):
        answers = arrange_steps(container, SequenceArray.from_padded(X3), rows)
        np.testing.assert_array_equal(answers, rows.reshape(2, 3, 2))


def test_targets_answers_and_weights_of_scored_steps_are_aligned():
    answers = object_array([np.array([10, 11, 12]), np.array([13]), np.array([14, 15])])
    y = [[0, np.nan, 2], [np.nan], [4, 5]]
    truth, said, weight = align_steps(X, y, answers)
    assert (truth.tolist(), said.tolist(), weight) == ([0, 2, 4, 5], [10, 12, 14, 15], None)
    _, _, weight = align_steps(X, y, answers, [[1, 2, 3], [4], [5, 6]])
    assert weight.tolist() == [1, 3, 5, 6]


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([[0, 1, 2], [3], [4, 5]], True),
        (object_array([np.zeros((3, 2)), np.zeros((1, 2)), np.zeros((2, 2))]), True),
        (packed(STEPS), True),
        ([[0, 1], [3], [4, 5]], False),
        ([0, 1, 2], False),
        (["abc", "a", "bc"], False),
        (np.zeros((3, 3)), False),
        (object_array([None, 1.5, "a"]), False),
    ],
)
def test_who_has_as_many_targets_as_steps(y, expected):
    assert has_step_lengths(y, LENGTHS) is expected
