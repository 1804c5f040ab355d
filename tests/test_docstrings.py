"""Docstrings are complete, and true of the defaults, attributes and parameters."""

import inspect
import re

import numpy as np
import pytest
from sklearn.base import is_classifier

from sklearn_rnn import (
    Checkpoint,
    RecurrentForecaster,
    RecurrentState,
    SequenceArray,
    make_sequence_scorer,
    make_windows,
    sequences_from_frame,
)
from sklearn_rnn.datasets import (
    load_japanese_vowels,
    load_sequential_digits,
    make_adding_problem,
    make_copy_memory,
    make_parity,
    make_temporal_order,
)
from sklearn_rnn.distributed import dask_backend, partial_fit_blocks, predict_blocks
from sklearn_rnn.inspection import (
    AttributionDisplay,
    GateDisplay,
    GradientFlowDisplay,
    HiddenStateDisplay,
    LossCurveDisplay,
    permutation_importance,
)
from sklearn_rnn.preprocessing import TimestepTransformer
from tests.helpers import CLASSIFIERS, REGRESSORS, SIX, fit_tiny

METHODS = [
    *("fit", "partial_fit", "predict", "predict_proba", "predict_log_proba"),
    *("decision_function", "transform"),
    *("step", "step_proba", "predict_prefixes", "predict_proba_prefixes"),
    *("hidden_states", "attention_weights", "gate_activations", "gradient_flow", "summary"),
    *("input_gradients", "integrated_gradients"),
]


def sections(docstring):
    """Cut a docstring in numpydoc's form into its sections, by title."""
    parts = re.split(r"^([A-Z][A-Za-z ]+)\n-{3,}\n", inspect.cleandoc(docstring), flags=re.M)
    return {"Summary": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def entries(docstring, section):
    """Give {name: type} of the entries of a section."""
    return dict(re.findall(r"^(\w+) : (.*)$", sections(docstring)[section], flags=re.M))


def test_every_parameter_is_documented_in_order(Estimator):
    parameters = inspect.signature(Estimator).parameters
    assert list(entries(Estimator.__doc__, "Parameters")) == list(parameters)


def test_documented_defaults_are_true(Estimator):
    documented = entries(Estimator.__doc__, "Parameters")
    for name, parameter in inspect.signature(Estimator).parameters.items():
        default = re.search(r", default=(.*)$", documented[name])
        assert default, f"{name} has no default in its docstring"
        assert default[1] == repr(parameter.default).replace("'", '"'), name


def test_every_attribute_is_documented(Estimator):
    """All that is there after a fit, and nothing that is not."""
    documented = set(entries(Estimator.__doc__, "Attributes"))
    fitted = fit_tiny(Estimator)
    there = {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")}
    assert documented == there | {
        *("weights_", "n_parameters_", "feature_names_in_", "vocabulary_"),
        *("loss_curve_", "validation_scores_"),
    }


def test_every_attribute_has_a_type_for_type_checkers(Estimator):
    typed = {name for base in Estimator.__mro__ for name in inspect.get_annotations(base)}
    properties = {
        name
        for name, value in inspect.getmembers(Estimator, lambda value: isinstance(value, property))
        if "return" in value.fget.__annotations__
    }
    assert set(entries(Estimator.__doc__, "Attributes")) <= typed | properties


def test_documented_shapes_and_types_of_attributes(Estimator):
    fitted = fit_tiny(Estimator, early_stopping=True, validation_fraction=0.3)
    python = {"int": int, "float": float, "str": str, "list": list, "dict": dict, "None": None}
    for name, kind in entries(Estimator.__doc__, "Attributes").items():
        if name in ("feature_names_in_", "vocabulary_"):
            continue
        value = getattr(fitted, name)
        if kind.startswith("ndarray"):
            assert isinstance(value, np.ndarray), name
            continue
        allowed = [python[word.split()[0]] for word in kind.split(" or ")]
        assert value is None if None in allowed and value is None else type(value) in allowed, name


def test_the_docstring_has_all_its_sections(Estimator):
    expected = [
        *("Summary", "Parameters", "Attributes", "See Also", "Notes", "References", "Examples"),
    ]
    assert list(sections(Estimator.__doc__)) == expected
    others = {E.__name__ for E in SIX} - {Estimator.__name__}
    see_also = set(re.findall(r"^(\w+) : ", sections(Estimator.__doc__)["See Also"], flags=re.M))
    assert see_also <= others
    assert len(see_also) >= 3


def test_references_are_cited_and_exist(Estimator):
    defined = set(re.findall(r"^\.\. \[(\d+)\]", sections(Estimator.__doc__)["References"], re.M))
    cited = set(re.findall(r"\[(\d+)\]_", Estimator.__doc__))
    assert cited <= defined
    assert len(defined) >= 3


def test_methods_say_what_they_take_and_give(Estimator):
    for name in METHODS:
        if not hasattr(Estimator, name):
            assert Estimator in REGRESSORS
            continue
        method = getattr(Estimator, name)
        documented = list(entries(method.__doc__, "Parameters"))
        assert documented == list(inspect.signature(method).parameters)[1:]
        assert "Returns" in sections(method.__doc__)


def test_kind_of_the_six():
    assert all(is_classifier(E()) for E in CLASSIFIERS)
    assert not any(is_classifier(E()) for E in REGRESSORS)


PUBLIC = [
    *SIX,
    AttributionDisplay,
    Checkpoint,
    GateDisplay,
    GradientFlowDisplay,
    HiddenStateDisplay,
    LossCurveDisplay,
    RecurrentForecaster,
    RecurrentState,
    SequenceArray,
    TimestepTransformer,
    dask_backend,
    load_japanese_vowels,
    load_sequential_digits,
    make_adding_problem,
    make_copy_memory,
    make_parity,
    make_sequence_scorer,
    make_temporal_order,
    make_windows,
    partial_fit_blocks,
    permutation_importance,
    predict_blocks,
    sequences_from_frame,
]
# Codes of numpydoc's validation that the house style does without.
LEFT_ALONE = {
    "EX01",  # examples: in the class, not in every method
    "SA01",  # see also, likewise
    "SA04",  # a description after each entry of See Also
    "ES01",  # an extended summary
    "GL08",  # inherited members without a docstring
    "RT02",  # a name for what is returned is welcome
}


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_numpydoc_validates(thing):
    validate = pytest.importorskip("numpydoc.validate")
    path = f"{thing.__module__}.{thing.__qualname__}"
    paths = [path]
    if inspect.isclass(thing):
        own = [n for n in vars(thing) if not n.startswith("_")]
        inherited = [name for name in METHODS if hasattr(thing, name)]
        paths += [f"{path}.{name}" for name in {*own, *inherited}]
    found = [
        (name, code, message)
        for name in paths
        for code, message in validate.validate(name)["errors"]
        if code not in LEFT_ALONE
    ]
    assert found == []
