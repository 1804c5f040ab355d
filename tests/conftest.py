"""Shared fixtures: the six classes, seeds and real data."""

import os

# Without it scikit-learn skips a check; SciPy reads it when it is imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

from pathlib import Path

import numpy as np
import pytest

from sklearn_rnn.datasets import load_japanese_vowels

pytest.register_assert_rewrite("tests.helpers", "tests.sequence_checks")

from tests.helpers import CLASSIFIERS, REGRESSORS, SIX  # noqa: E402

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def floating_point_errors():
    """No test may leave NumPy's treatment of overflows and the like changed for those after it."""
    before = np.geterr()
    yield
    assert np.geterr() == before


@pytest.fixture(params=SIX)
def Estimator(request):
    """Each of the six classes."""
    return request.param


@pytest.fixture(params=CLASSIFIERS)
def Classifier(request):
    """Each of the three classifiers."""
    return request.param


@pytest.fixture(params=REGRESSORS)
def Regressor(request):
    """Each of the three regressors."""
    return request.param


@pytest.fixture(params=[0, 1, 2])
def seed(request):
    """Seeds, for what must not depend on luck."""
    return request.param


@pytest.fixture(scope="session")
def japanese_vowels():
    """270 + 370 recordings of nine speakers, 7 to 29 steps of 12 features: real and ragged."""
    return load_japanese_vowels()


@pytest.fixture(scope="session")
def shared_path():
    """Give a function that finds a file of ../shared/data, or skips the test."""

    def find(name):
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"needs {name} of ../shared/data, which is not part of the package")
        return path

    return find


@pytest.fixture(scope="session")
def shared_data(shared_path):
    """Give a function that loads an .npz file of ../shared/data, or skips the test."""

    def load(name):
        with np.load(shared_path(name), allow_pickle=False) as file:
            return dict(file)

    return load
