"""
Training on more data than memory holds
=======================================

A file of 200 MB, read in blocks of 8 MB: :meth:`~sklearn_rnn.GRURegressor.partial_fit` makes one
pass over each block, and what it needs in memory is the block, its copy and the states of one
batch. It does not depend on the size of the file.
"""

# %%
# The file
# --------
# 50,000 sequences of 100 steps and 10 features, written block by block, so that they are never in
# memory all at once. What is to be predicted is the mean of the first feature over the last ten
# steps; the other nine features are noise.

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import GRURegressor

N, T, F, BLOCK = 50_000, 100, 10, 2_000

directory = tempfile.TemporaryDirectory()
path = Path(directory.name) / "sequences.dat"
rng = np.random.default_rng(0)


def target(X):
    return X[:, -10:, 0].mean(axis=1)


on_disk = np.memmap(path, np.float32, "w+", shape=(N, T, F))
for begin in range(0, N, BLOCK):
    on_disk[begin : begin + BLOCK] = rng.standard_normal((BLOCK, T, F), dtype=np.float32)
on_disk.flush()
del on_disk

n_bytes = path.stat().st_size
print(f"{n_bytes / 1e6:.0f} MB on disk")

# %%
# One pass over it
# ----------------
# The file is mapped, not read: a slice of it comes into memory when it is used. ``tracemalloc``
# counts all that Python and NumPy allocate. (It does not count the pages of the file that the
# operating system keeps while it has room for them, and takes back when it has not.) Each block is
# predicted before it is learned from, so that the score is one on new data.

X = np.memmap(path, np.float32, "r", shape=(N, T, F))
model = GRURegressor(hidden_size=16, batch_size=128, learning_rate_init=0.02, random_state=0)

scores, peaks = [], []
for begin in range(0, N, BLOCK):
    tracemalloc.start()
    block = X[begin : begin + BLOCK]
    if begin > 0:
        scores.append(model.score(block[:500], target(block[:500])))
    model.partial_fit(block, target(block))
    peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()

peak, score = max(peaks), scores[-1]
print(f"at most {peak / 1e6:.0f} MB in memory, {100 * peak / n_bytes:.0f} % of the file")
print(f"R² on the last block, before it was learned from: {score:.3f}")

# %%
# The memory of each block is the same; the score rises with what has been read.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
read = np.arange(1, len(peaks) + 1) * BLOCK
left.plot(read, np.full(len(read), n_bytes / 1e6), "--", label="the file")
left.plot(read, np.array(peaks) / 1e6, label="in memory, at most")
left.set(xlabel="sequences read", ylabel="MB", ylim=(0, None))
left.legend()
right.plot(read[:-1], scores)
right.set(xlabel="sequences read", ylabel="R² on the next block", ylim=(min(0, min(scores)), 1))

# %%
# Blocks or no blocks
# -------------------
# With ``shuffle=False`` and blocks of several whole batches, a pass in blocks makes exactly the
# updates of one pass over an array in memory: the weights have the same bits. (The first block also
# fixes the unit that targets are learned in, and it does so in both.) With shuffling, a block is
# shuffled in itself: write the file in random order.

few = np.array(X[: 3 * BLOCK])
first, rest = few[:BLOCK], few[BLOCK:]
options = dict(hidden_size=16, batch_size=125, shuffle=False, random_state=0)
whole = GRURegressor(**options).partial_fit(first, target(first)).partial_fit(rest, target(rest))
blocks = GRURegressor(**options)
for begin in range(0, len(few), BLOCK):
    blocks.partial_fit(X[begin : begin + BLOCK], target(X[begin : begin + BLOCK]))

print(all(np.array_equal(blocks.weights_[name], w) for name, w in whole.weights_.items()))

del X, block
directory.cleanup()
