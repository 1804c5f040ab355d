"""Our own checks for sequences hold for all six, in every container."""

import pytest

from sklearn_rnn import LSTMClassifier
from tests.helpers import tiny
from tests.sequence_checks import CHECKS, CONTAINERS, Case, check_sequence_estimator

VARIANTS = {
    "plain": (dict(), list(CONTAINERS)),
    "both-ways-max": (dict(bidirectional=True, pooling="max"), ["array", "list"]),
    "two-layers-both-ways-mean": (
        dict(num_layers=2, bidirectional=True, pooling="mean"),
        ["padded", "packed"],
    ),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("variant", VARIANTS)
def test_sequences(Estimator, variant, check):
    params, containers = VARIANTS[variant]
    for container in containers:
        estimator = tiny(Estimator, max_iter=2, **params)
        check(estimator, Case.make(container, estimator))


def test_check_sequence_estimator_runs_all_of_them():
    passed = check_sequence_estimator(tiny(LSTMClassifier, max_iter=1, hidden_size=2))
    assert len(passed) == len(set(passed)) == len(CHECKS) * len(CONTAINERS)


class Careless(LSTMClassifier):
    """Writes into its data: what the checks are for."""

    def fit(self, X, y, sample_weight=None):
        """Fit."""
        X[0][...] = 0
        return super().fit(X, y, sample_weight)


def test_a_fault_is_found_and_its_place_is_named():
    with pytest.raises(ValueError, match="read-only") as caught:
        check_sequence_estimator(tiny(Careless, max_iter=1, hidden_size=2))
    assert caught.value.__notes__[-1].startswith(
        "in check_read_only_memory_map, with X in the container 'array', of Careless("
    )
