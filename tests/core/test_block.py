"""A block knows which of its numbers are real, and turns them round in time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_rnn._core.block import Block

LENGTHS = np.array([3, 1, 4])
LENGTHS_OF_A_BLOCK = st.lists(st.integers(1, 6), min_size=1, max_size=5).map(np.array)


def numbered(T, rows, B):
    """An array (T, rows, B) whose numbers are their places, from 1 on."""
    return np.arange(1.0, T * rows * B + 1).reshape(T, rows, B)


def test_sizes_and_real_steps():
    block = Block(numbered(4, 2, 3), LENGTHS)
    assert (block.n_steps, block.n_columns, block.ragged) == (4, 3, True)
    np.testing.assert_array_equal(
        block.real, [[True, True, True], [True, False, True], [True, False, True], [0, 0, True]]
    )
    assert not Block(numbered(4, 2, 3), np.full(3, 4)).ragged


def test_reverse_turns_the_real_steps_round_and_leaves_padding_where_it_is():
    x = np.array([[11, 21, 31], [12, 20, 32], [13, 20, 33], [10, 20, 34]])[:, None, :]
    expected = np.array([[13, 21, 34], [12, 20, 33], [11, 20, 32], [10, 20, 31]])[:, None, :]
    np.testing.assert_array_equal(Block(x, LENGTHS).reverse(x), expected)


@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "ragged"])
def test_reverse_gives_back_every_row(ragged):
    block = Block(numbered(4, 1, 3), LENGTHS if ragged else np.full(3, 4))
    A = numbered(4, 5, 3)
    turned = block.reverse(A)
    for column, length in enumerate(block.lengths):
        np.testing.assert_array_equal(turned[:length, :, column], A[:length, :, column][::-1])


def test_equal_lengths_are_reversed_without_a_copy():
    A = numbered(4, 2, 3)
    assert np.shares_memory(Block(A, np.full(3, 4)).reverse(A), A)


def test_zero_padding():
    A = numbered(4, 2, 3)
    Block(numbered(4, 1, 3), LENGTHS).zero_padding(A)
    for column, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(A[:length, :, column], numbered(4, 2, 3)[:length, :, column])
        assert not A[length:, :, column].any()


def test_zero_padding_reaches_a_view():
    whole = numbered(6, 3, 3)
    Block(numbered(4, 1, 3), LENGTHS).zero_padding(whole[:4, 1:])
    np.testing.assert_array_equal(whole[4:], numbered(6, 3, 3)[4:])
    np.testing.assert_array_equal(whole[:, 0], numbered(6, 3, 3)[:, 0])
    assert not whole[1:4, 1:, 1].any()


def test_without_padding_nothing_is_zeroed():
    A = numbered(4, 2, 3)
    Block(A, np.full(3, 4)).zero_padding(A)
    np.testing.assert_array_equal(A, numbered(4, 2, 3))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(lengths=LENGTHS_OF_A_BLOCK)
def test_twice_reversed_is_as_before(lengths):
    A = numbered(lengths.max(), 2, len(lengths))
    block = Block(A, lengths)
    np.testing.assert_array_equal(block.reverse(block.reverse(A)), A)
    # Reversal moves numbers about: in every column the real ones are still the real ones.
    np.testing.assert_array_equal(
        np.sort(np.where(block.real[:, None], block.reverse(A), 0), axis=0),
        np.sort(np.where(block.real[:, None], A, 0), axis=0),
    )
