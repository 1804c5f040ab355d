"""scikit-learn's own checks: all of them, with default parameters, nothing expected to fail."""

import functools
import os
from importlib.util import find_spec
from unittest import SkipTest

import pytest
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_estimator,
    check_inplace_ensure_writeable,
    check_param_validation,
    estimator_checks_generator,
    parametrize_with_checks,
)
from sklearn.utils.validation import has_fit_parameter

from tests.helpers import CLASSIFIERS, SIX

# Also the warnings that other tests may give: of scale, and of a poor fit.
pytestmark = pytest.mark.filterwarnings("error")

# What a seed could decide: thresholds on scores, and comparisons of two trainings.
DEPEND_ON_SEED = {
    "check_class_weight_classifiers",
    "check_classifiers_classes",
    "check_classifiers_one_label",
    "check_classifiers_one_label_sample_weights",
    "check_classifiers_train",
    "check_decision_proba_consistency",
    "check_fit_idempotent",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_regressors_int",
    "check_regressors_train",
    "check_sample_weight_equivalence_on_dense_data",
    "check_supervised_y_2d",
}


@parametrize_with_checks([Estimator() for Estimator in SIX])
def test_check(estimator, check):
    try:
        check(estimator)
    except SkipTest as skipped:
        pytest.fail(f"skipped: {skipped}")


def test_the_environment_lets_no_check_skip_itself():
    assert find_spec("pandas"), "install pandas: without it, scikit-learn skips two checks"
    is_set = os.environ.get("SCIPY_ARRAY_API") == "1"
    assert is_set, "set SCIPY_ARRAY_API=1: without it, scikit-learn skips a check"


def test_no_check_is_left_out(Estimator):
    """All that `check_estimator` runs are among the tests above: so many, and none marked."""
    checks = list(estimator_checks_generator(Estimator(), mark="skip"))
    assert len(checks) >= (73 if Estimator in CLASSIFIERS else 66)
    for estimator, check in checks:
        assert type(estimator) is Estimator
        assert callable(check)


@pytest.mark.slow
def test_check_estimator(Estimator):
    """The same once more, in scikit-learn's own words."""
    results = check_estimator(Estimator(), on_skip="warn", on_fail="raise")
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) >= (73 if Estimator in CLASSIFIERS else 66)


def test_tags_take_no_check_away(Estimator):
    tags = get_tags(Estimator())
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert tags.target_tags.required
    assert not tags.input_tags.allow_nan
    assert not tags.input_tags.sparse
    assert not tags.no_validation
    assert not tags.non_deterministic
    assert tags.requires_fit
    assert has_fit_parameter(Estimator(), "sample_weight")
    if Estimator in CLASSIFIERS:
        assert not tags.classifier_tags.poor_score
        assert tags.classifier_tags.multi_class
        assert tags.classifier_tags.multi_label
    else:
        assert not tags.regressor_tags.poor_score
        assert tags.target_tags.multi_output
    assert hasattr(Estimator(), "class_weight") == (Estimator in CLASSIFIERS)


@pytest.mark.parametrize(
    "check",
    [
        check_param_validation,
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
    ],
)
def test_check_of_its_own_estimators(Estimator, check):
    """What scikit-learn asks of its own estimators only."""
    check(Estimator.__name__, Estimator())


def test_dataframe_names_with_early_stopping(Estimator):
    check_dataframe_column_names_consistency(Estimator.__name__, Estimator(early_stopping=True))


def seed_sensitive_checks(estimator):
    for _, check in estimator_checks_generator(estimator):
        function, options = check, {}
        if isinstance(check, functools.partial):
            function, options = check.func, check.keywords
        # Read-only memory in float64 gives the same bits as other memory, and takes a third of all.
        is_repeated = options == {"readonly_memmap": True}
        if function.__name__ in DEPEND_ON_SEED and not is_repeated:
            yield check


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_checks_hold_for_every_seed(Estimator, seed, monkeypatch):
    original = estimator_checks.set_random_state

    def set_random_state(estimator, random_state=0):
        original(estimator, seed)

    monkeypatch.setattr(estimator_checks, "set_random_state", set_random_state)
    checks = list(seed_sensitive_checks(Estimator(random_state=seed)))
    assert len(checks) >= (12 if Estimator in CLASSIFIERS else 8)
    for check in checks:
        check(Estimator(random_state=seed))
