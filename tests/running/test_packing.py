"""Blocks gathered from packed sequences, and the workspaces that serve them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_rnn._running.packing import TrainingData, WorkspacePool, gather
from tests.training.helpers import make_data, make_network, pack, sequences_of

DETERMINISTIC = settings(max_examples=60, deadline=None, derandomize=True)


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
