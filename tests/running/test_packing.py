"""Every sequence once an epoch, little padding, and duplicates that are one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_rnn._running import packing as batches
from sklearn_rnn._running.packing import (
    TrainingData,
    WorkspacePool,
    gather,
    iter_batches,
    merge_duplicates,
)
from tests.training.helpers import make_data, make_network, pack, sequences_of

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
        patch.setattr(batches, "BATCHES_PER_POOL", 2)
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
    monkeypatch.setattr(batches, "BATCHES_PER_POOL", 8)

    def epochs(seed):
        rng = np.random.default_rng(seed)
        return [{frozenset(i.tolist()) for i in iter_batches(lengths, 8, rng)} for _ in range(3)]

    first, second, third = epochs(0)
    assert not first & second
    assert not second & third
    assert epochs(0) == [first, second, third]
    assert not epochs(1)[0] & first


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
    lengths = np.repeat([1, 9], 64 * batches.BATCHES_PER_POOL)
    first_pool = np.concatenate(list(iter_batches(lengths, 16, rng))[: batches.BATCHES_PER_POOL])
    assert set(lengths[first_pool]) == {1, 9}


# --- gather and TrainingData ----------------------------------------------------------------------


@DETERMINISTIC
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    F=st.integers(1, 3),
    choose=st.randoms(use_true_random=False),
)
def test_gather_gives_the_sequences_and_zeros(lengths, F, choose):
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(length, F)) for length in lengths]
    values, offsets = pack(sequences)
    values.setflags(write=False)
    index = np.array(choose.choices(range(len(lengths)), k=5))
    block = gather(values, offsets, index)
    np.testing.assert_array_equal(block.lengths, np.array(lengths)[index])
    assert block.x.shape == (block.lengths.max(), F, 5)
    for column, i in enumerate(index):
        np.testing.assert_array_equal(block.x[: lengths[i], :, column], sequences[i])
        assert not block.x[lengths[i] :, :, column].any()
    assert not np.shares_memory(block.x, values)


def test_gather_keeps_the_dtype():
    data = make_data()
    assert gather(data.values.astype(np.float32), data.offsets, np.array([1])).x.dtype == np.float32


def test_take_packs_the_chosen_anew():
    data = make_data(n=6)
    index = np.array([4, 0, 4, 2])
    taken = data.take(index)
    assert (data.n_samples, taken.n_samples) == (6, 4)
    np.testing.assert_array_equal(taken.lengths, data.lengths[index])
    np.testing.assert_array_equal(taken.y, data.y[index])
    np.testing.assert_array_equal(taken.weight, data.weight[index])
    expected = [sequences_of(data)[i] for i in index]
    for one, other in zip(sequences_of(taken), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_astype_gives_weights_in_units_of_the_largest():
    data = make_data()
    for scale in (1.0, 1e300, 1e-300):
        scaled = TrainingData(data.values, data.offsets, data.y, data.weight * scale)
        made = scaled.astype(np.float32)
        assert (made.y.dtype, made.weight.dtype) == (np.float32, np.float32)
        np.testing.assert_allclose(made.weight, data.weight / data.weight.max(), rtol=1e-6)
        np.testing.assert_array_equal(made.y, data.y.astype(np.float32))


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


# --- WorkspacePool --------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [False, True], ids=["prediction", "training"])
def test_workspaces_are_reused_where_they_serve(training):
    network, _ = make_network()
    pool = WorkspacePool(network, np.float32, training=training)
    first = pool.get(5, 3)
    assert pool.get(5, 3) is first
    assert pool.get(2, 3) is first
    longer = pool.get(8, 3)
    assert longer is not first
    assert longer[0][0].n_steps == 8
    assert longer[0][0].dtype == np.float32
    assert hasattr(longer[0][0], "dh") == training
    assert pool.get(5, 3) is longer
    assert pool.get(5, 4)[0][0].n_columns == pool.n_columns == 4
    assert pool.get(5, 3) is not longer  # one at a time, for the sake of memory


def test_workspaces_have_limits():
    network, _ = make_network()
    pool = WorkspacePool(network, np.float32, training=True, longest=9, at_most=6)
    assert pool.n_columns == 0
    assert pool.get(2, 3)[0][0].n_steps == 6
    assert pool.get(100, 3)[0][0].n_steps == 6
    both_ways, _ = make_network(n_directions=2)
    pool = WorkspacePool(both_ways, np.float32, training=True, longest=9, at_most=6)
    assert pool.get(2, 3)[0][0].n_steps == 9
