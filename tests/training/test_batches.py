"""Every sequence once an epoch, little padding, and duplicates that are one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_rnn._running.packing import TrainingData
from sklearn_rnn._training import batches as module
from sklearn_rnn._training.batches import iter_batches, merge_duplicates
from tests.training.helpers import pack, sequences_of

DETERMINISTIC = settings(max_examples=60, deadline=None, derandomize=True)


# --- iter_batches ---------------------------------------------------------------------------------


@DETERMINISTIC
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=60).map(np.array),
    batch_size=st.integers(1, 20),
    seed=st.none() | st.integers(0, 99),
)
def test_every_index_comes_exactly_once(lengths, batch_size, seed):
    rng = None if seed is None else np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCHES_PER_POOL", 2)
        made = list(iter_batches(lengths, batch_size, rng))
    np.testing.assert_array_equal(np.sort(np.concatenate(made)), np.arange(len(lengths)))
    sizes = sorted(len(index) for index in made)
    assert 0 < sizes[0] <= batch_size
    assert set(sizes[1:]) <= {batch_size}  # one may be smaller, of all pools together


def test_without_a_generator_the_order_is_that_of_the_data():
    made = list(iter_batches(np.array([3, 1, 2, 5, 4]), 2, None))
    assert [list(index) for index in made] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("lengths", [np.full(640, 7), np.arange(640)], ids=["equal", "ragged"])
def test_epochs_of_several_pools_share_no_batch(lengths, monkeypatch):
    monkeypatch.setattr(module, "BATCHES_PER_POOL", 8)

    def batches(seed):
        rng = np.random.default_rng(seed)
        return [{frozenset(i.tolist()) for i in iter_batches(lengths, 8, rng)} for _ in range(3)]

    first, second, third = batches(0)
    assert not first & second
    assert not second & third
    assert batches(0) == [first, second, third]
    assert not batches(1)[0] & first


def test_sequences_of_equal_length_change_company():
    """Also where all of them are in one pool."""
    lengths, rng = np.repeat([3, 9], 32), np.random.default_rng(0)
    first, second = ({frozenset(i) for i in iter_batches(lengths, 8, rng)} for _ in range(2))
    assert not first & second


def test_buckets_leave_little_padding_and_no_order_of_lengths():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 101, size=2000)
    made = list(iter_batches(lengths, 16, rng))
    longest = np.array([lengths[index].max() for index in made])
    padded = sum(len(index) * most for index, most in zip(made, longest, strict=True))
    assert padded < 1.05 * lengths.sum()
    shuffled = rng.permutation(2000).reshape(-1, 16)
    assert (lengths[shuffled].max(axis=1) * 16).sum() > 1.7 * lengths.sum()
    assert abs(np.corrcoef(np.arange(len(longest)), longest)[0, 1]) < 0.3


def test_pools_are_drawn_at_random():
    """With several pools, the short sequences are not all in one of them."""
    rng = np.random.default_rng(0)
    lengths = np.repeat([1, 9], 64 * module.BATCHES_PER_POOL)
    first_pool = np.concatenate(list(iter_batches(lengths, 16, rng))[: module.BATCHES_PER_POOL])
    assert set(lengths[first_pool]) == {1, 9}


# --- merge_duplicates -----------------------------------------------------------------------------

# Few values and few lengths: many duplicates, and sequences that begin like others.
SAMPLES = st.lists(
    st.tuples(
        st.lists(st.sampled_from([0.0, 1.0, -1.0]), min_size=1, max_size=3).map(tuple),
        st.sampled_from([0.0, 1.0]),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=12,
)


def data_of(samples):
    values, offsets = pack([np.array(x)[:, None] for x, _, _ in samples])
    y, weight = (np.array([sample[k] for sample in samples], np.float64) for k in (1, 2))
    return TrainingData(values, offsets, y[:, None], weight)


def samples_of(data):
    xs = [tuple(x[:, 0]) for x in sequences_of(data)]
    return list(zip(xs, data.y[:, 0], data.weight, strict=True))


@DETERMINISTIC
@given(samples=SAMPLES)
def test_merged_pairs_are_distinct_and_keep_their_weight(samples):
    totals = {}
    for x, y, weight in samples:
        totals[x, y] = totals.get((x, y), 0) + weight
    merged = samples_of(merge_duplicates(data_of(samples), 100))
    assert len(merged) == len(totals)
    assert {(x, y): weight for x, y, weight in merged} == totals


@DETERMINISTIC
@given(samples=SAMPLES, order=st.randoms(use_true_random=False))
def test_order_and_copies_leave_no_trace(samples, order):
    """A weight of w, and w copies in any order, are the same data to the last bit."""
    copies = [(x, y, 1) for x, y, weight in samples for _ in range(weight)]
    order.shuffle(copies)
    one, other = (merge_duplicates(data_of(each), 100) for each in (samples, copies))
    for name in ("values", "offsets", "y", "weight"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


@DETERMINISTIC
@given(samples=SAMPLES, limit=st.integers(1, 12))
def test_what_does_not_fit_into_one_batch_is_left_alone(samples, limit):
    data = data_of(samples)
    merged = merge_duplicates(data, limit)
    distinct = len({(x, y) for x, y, _ in samples})
    if distinct > limit:
        assert merged is data
    else:
        assert merged.n_samples == distinct
