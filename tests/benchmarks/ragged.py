"""What unequal lengths cost: a ragged fit beside one on equal lengths with as many steps.

python -m tests.benchmarks.ragged

The bar: the median ratio of the times is at most 1.25.
"""

from __future__ import annotations

import time

import numpy as np

from sklearn_rnn import GRUClassifier, LSTMClassifier, RNNClassifier, SequenceArray
from tests.benchmarks.machine import print_machine, run_unforced

N_SAMPLES, N_FEATURES, MEAN_LENGTH, ROUNDS = 1000, 4, 50, 7


def make_data(lengths, rng):
    values = rng.normal(size=(lengths.sum(), N_FEATURES)).astype(np.float32)
    return SequenceArray.from_concatenated(values, lengths), rng.integers(0, 2, len(lengths))


def seconds(estimator, X, y):
    start = time.perf_counter()
    estimator.fit(X, y)
    return time.perf_counter() - start


def main():
    rng = np.random.default_rng(0)
    half = rng.integers(5, 2 * MEAN_LENGTH - 4, N_SAMPLES // 2)
    spread = np.concatenate([half, 2 * MEAN_LENGTH - half])  # as many steps in all
    equal = make_data(np.full(N_SAMPLES, MEAN_LENGTH), rng)
    ragged = make_data(spread, rng)
    assert len(equal[0].values) == len(ragged[0].values)
    print_machine()
    print(f"{N_SAMPLES} sequences of 5 to {2 * MEAN_LENGTH - 5} steps, or all of {MEAN_LENGTH}")
    for estimator_class in (RNNClassifier, LSTMClassifier, GRUClassifier):
        estimator = estimator_class(32, max_iter=3, random_state=0)
        ratios = [seconds(estimator, *ragged) / seconds(estimator, *equal) for _ in range(ROUNDS)]
        low, median, high = np.quantile(ratios, [0, 0.5, 1])
        name = estimator_class.__name__
        print(f"{name:15} ragged / equal {median:.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    run_unforced(main)
