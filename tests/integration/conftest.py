"""The Japanese Vowels as the neighbours want them: whole, as rows, as a regression.

All in float64, which is what the neighbours compute in.
"""

from typing import NamedTuple

import numpy as np
import pytest

from sklearn_rnn import SequenceArray


class Split(NamedTuple):
    X_train: object
    y_train: np.ndarray
    X_test: object
    y_test: np.ndarray


@pytest.fixture(scope="session")
def vowels(japanese_vowels):
    """270 + 370 recordings of 7 to 29 steps and 12 coefficients: who of nine speaks?"""
    data = japanese_vowels
    packed = [SequenceArray(X.values.astype(float), X.offsets) for X in (data.X_train, data.X_test)]
    return Split(packed[0], data.y_train, packed[1], data.y_test)


@pytest.fixture(scope="session")
def rows(vowels):
    """The same, the first three coefficients of the first seven steps: rows of 21 numbers."""
    flat = [np.array([x[:7, :3].ravel() for x in X]) for X in (vowels.X_train, vowels.X_test)]
    return Split(flat[0], vowels.y_train, flat[1], vowels.y_test)


@pytest.fixture(scope="session")
def next_values(vowels):
    """What is the first coefficient of the last step, after those before?"""
    parts = []
    for X in (vowels.X_train, vowels.X_test):
        before = SequenceArray.from_sequences(x[:-1] for x in X)
        parts += [before, np.array([x[-1, 0] for x in X])]
    return Split(*parts)


CONTAINERS = {"packed": lambda X: X, "list": list, "padded": lambda X: X.to_padded()}


@pytest.fixture(params=CONTAINERS)
def pack(request):
    """Each way to hand over sequences of unequal length, as a function of a SequenceArray."""
    return CONTAINERS[request.param]
