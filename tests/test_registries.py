"""What the registries hold is what the face offers."""

from typing import get_args, get_type_hints

import pytest

import sklearn_rnn
from sklearn_rnn._core.losses import LOSSES
from sklearn_rnn._core.pooling import POOLINGS
from sklearn_rnn._registry import ESTIMATORS, estimators_by_name
from tests.helpers import SIX


def test_all_registered_estimators_are_public():
    assert set(SIX) == set(estimators_by_name().values())
    for name, Estimator in estimators_by_name().items():
        assert getattr(sklearn_rnn, name) is Estimator
        assert name in sklearn_rnn.__all__


def test_both_estimators_of_a_pair_have_the_same_cell():
    cells = [pair.cell for pair in ESTIMATORS]
    assert cells == [pair.regressor._cell_class for pair in ESTIMATORS]
    assert len(set(cells)) == len(cells)


def test_constructors_offer_the_registered_poolings(Estimator):
    assert list(get_args(get_type_hints(Estimator.__init__)["pooling"])) == list(POOLINGS)


def test_constructors_offer_the_registered_losses(Regressor):
    assert list(get_args(get_type_hints(Regressor.__init__)["loss"])) == list(LOSSES)


@pytest.mark.parametrize("registry", [LOSSES, POOLINGS], ids=["losses", "poolings"])
def test_unknown_names_are_refused_with_the_known_ones(registry):
    known = ", ".join(registry)
    with pytest.raises(
        ValueError, match=f"{registry.parameter}='odd' is not registered; .*{known}"
    ):
        registry["odd"]
