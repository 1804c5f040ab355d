"""Every public function, method and constructor says the types of what it takes and returns.

Public is what the `__all__` of a public module names, and the public methods of its classes.
"""

import importlib
import inspect
import pkgutil
from dataclasses import is_dataclass
from typing import Any

import pytest

import sklearn_rnn

# What may be anything: it depends on what was passed, or on what is in a file.
ANYTHING = {
    "from_torch": ["return"],  # one of the six
    "input_gradients": ["return"],  # like X
    "integrated_gradients": ["return"],  # like X
    "inverse_transform": ["return"],  # like X
    "load": ["return"],  # one of the six
    "make_sequence_scorer": ["kwargs"],  # the metric's
    "predict of RecurrentForecaster": ["return"],  # like the series
    "predict_interval of RecurrentForecaster": ["return"],  # like the series
    "transform of TimestepTransformer": ["return"],  # like X
}


def public_modules():
    names = [
        module.name
        for module in pkgutil.walk_packages(sklearn_rnn.__path__, "sklearn_rnn.")
        if not any(part.startswith("_") for part in module.name.split("."))
    ]
    return [sklearn_rnn, *map(importlib.import_module, names)]


def public_things():
    """Give {address: function or class}, each thing once."""
    found = {}
    for module in public_modules():
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing) and thing not in found.values():
                found[f"{module.__name__}.{name}"] = thing
    return found


def functions_of(thing):
    """Yield (name, function) for a function, or for what is public of a class and our own."""
    if not inspect.isclass(thing):
        yield "", inspect.unwrap(thing)
        return
    for name in dir(thing):
        member = inspect.getattr_static(thing, name)
        if name == "__init__" and not is_dataclass(thing):
            yield name, member
        if name.startswith("_"):
            continue
        member = getattr(member, "fn", member)  # scikit-learn's available_if
        member = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if inspect.isfunction(member):
            yield name, inspect.unwrap(member)


def not_annotated(function):
    """Return the parameters, and "return", that have no annotation, or Any, which says nothing."""
    signature = inspect.signature(function)
    annotations = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if name not in ("self", "cls")
    }
    annotations["return"] = signature.return_annotation
    return [name for name, kind in annotations.items() if kind in (signature.empty, "Any", Any)]


def may_be_anything(function):
    name, *owner = reversed(function.__qualname__.split("."))
    return ANYTHING.get(f"{name} of {'.'.join(owner)}", ANYTHING.get(name, []))


THINGS = public_things()


@pytest.mark.parametrize("address", THINGS)
def test_everything_public_is_annotated(address):
    missing = {
        f"{address}.{name}".rstrip("."): gaps
        for name, function in functions_of(THINGS[address])
        if getattr(function, "__module__", "").startswith("sklearn_rnn")
        and (gaps := not_annotated(function)) != may_be_anything(function)
    }
    assert missing == {}


def test_what_is_public_is_found():
    assert {"sklearn_rnn.GRUClassifier", "sklearn_rnn.windows.Windows"} <= set(THINGS)
    assert "sklearn_rnn.inspection.GateDisplay" in THINGS
    names = {name for name, _ in functions_of(sklearn_rnn.GRUClassifier)}
    assert names >= {"__init__", "fit", "predict", "step", "hidden_states", "weights_"}
    names = {name for name, _ in functions_of(sklearn_rnn.preprocessing.TimestepTransformer)}
    assert names >= {"fit", "transform", "inverse_transform"}


def test_a_gap_is_found():
    def function(a: int, b, *, c: str = "", d: Any = None, **kwargs): ...

    assert not_annotated(function) == ["b", "d", "kwargs", "return"]
