"""The batches of an epoch: duplicates merged, samples shuffled and cut into batches.

Dimension key: N sequences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sklearn_rnn._core.workspace import Array
from sklearn_rnn._running.packing import TrainingData

# The number of batches in a pool whose sequences are sorted by length: enough for little padding,
# few enough to keep the composition of batches random.
BATCHES_PER_POOL = 32


def merge_duplicates(data: TrainingData, limit: int) -> TrainingData:
    """Return the distinct pairs of a sequence and its target, in the order of their bytes.

    The weights of equal pairs are added up. If there are more than `limit` distinct pairs, so
    that they do not fit into one batch, `data` is returned unchanged.

    The reason: a weight of w must train like w copies of a sample, and in a single batch the order
    of the samples must not matter. Both change sums by rounding only, but training amplifies a
    rounding error of 1e-16 to a visible difference within some hundred updates. In this canonical
    form, both are exactly the same computation.
    """
    places: dict[tuple[bytes, bytes], int] = {}
    first: list[int] = []
    weights: list[Array] = []
    for i in range(data.n_samples):
        steps = slice(data.offsets[i], data.offsets[i + 1])
        targets = steps if data.per_step else slice(i, i + 1)
        key = data.values[steps].tobytes(), data.y[targets].tobytes()
        if key not in places:
            if len(places) == limit:
                return data
            places[key] = len(places)
            first.append(i)
            weights.append(np.zeros_like(data.weight[targets]))
        weights[places[key]] += data.weight[targets]
    order = [place for _, place in sorted(places.items())]
    merged = data.take(np.array(first)[order])
    return replace(merged, weight=np.concatenate([weights[place] for place in order]))


def iter_batches(
    lengths: Array, batch_size: int, rng: np.random.Generator | None
) -> Iterator[Array]:
    """Yield the indices of the sequences in each batch of an epoch.

    `rng` shuffles the sequences. Without `rng`, and in a single batch, where the order changes
    rounding only, they keep their order.

    If lengths differ, the shuffled sequences are divided into pools of many batches. Each pool is
    sorted by length and cut into batches, and the batches of the pool are shuffled. So there is
    little padding, and batches still differ from epoch to epoch, as far as lengths allow. If
    all data fit into one pool, sequences of similar length are always together.
    """
    n = len(lengths)
    if rng is None or n <= batch_size:
        yield from np.split(np.arange(n), range(batch_size, n, batch_size))
        return
    order = rng.permutation(n)
    if (lengths == lengths[0]).all():
        yield from np.split(order, range(batch_size, n, batch_size))
        return
    pool_size = BATCHES_PER_POOL * batch_size
    for pool in np.split(order, range(pool_size, n, pool_size)):
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches = np.split(pool, range(batch_size, len(pool), batch_size))
        for k in rng.permutation(len(batches)):
            yield batches[k]
