"""The identity of functions: the same in every process, and another one for other code."""

import functools
import operator
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, make_scorer

from sklearn_rnn import GRUClassifier, _files
from sklearn_rnn._estimators.code_identity import identify_callable
from tests.helpers import assert_same_model, at_batch, make_sequences, make_targets, raising, tiny

ROOT = Path(__file__).parents[1]
X = make_sequences()
RATE = 2.0


def by_global(estimator, X, y):
    return RATE * estimator.score(X, y)


def by_helper(estimator, X, y):
    return helper(estimator.score(X, y))


def helper(value):
    return value


def countdown(n):
    return 0 if n == 0 else countdown(n - 1)


def weighted(weight):
    return lambda estimator, X, y: weight * estimator.score(X, y)


def scaled(estimator, X, y, factor=1):
    return factor * estimator.score(X, y)


class Scorer:
    def __init__(self, factor, values=()):
        self.factor, self.values = factor, np.array(values)

    def __call__(self, estimator, X, y):
        return self.factor * estimator.score(X, y)

    def method(self, estimator, X, y):
        return self.factor + estimator.score(X, y)


def different(**defaults):
    def score(estimator, X, y, **more):
        return estimator.score(X, y)

    score.__kwdefaults__ = defaults
    return score


DIFFERENT = {
    "lambdas": (lambda e, X, y: e.score(X, y), lambda e, X, y: -e.score(X, y)),
    "constants": (lambda e, X, y: 1, lambda e, X, y: 1.0),
    "attributes": (lambda e, X, y: e.score(X, y), lambda e, X, y: e.scored(X, y)),
    "inner functions": (lambda e, X, y: (lambda: 1)(), lambda e, X, y: (lambda: 2)()),
    "closures": (weighted(1), weighted(2)),
    "closures of arrays": (weighted(np.zeros(3)), weighted(np.ones(3))),
    "closures of functions": (weighted(lambda: 1), weighted(lambda: 2)),
    "keyword defaults": (different(a=1), different(a=2)),
    "partials": (functools.partial(scaled, factor=2), functools.partial(scaled, factor=3)),
    "partials of partials": (
        functools.partial(functools.partial(scaled), factor=2),
        functools.partial(functools.partial(scaled), factor=3),
    ),
    "instances": (Scorer(1), Scorer(2)),
    "arrays of instances": (Scorer(1, [1, 2]), Scorer(1, [1, 3])),
    "bound methods": (Scorer(1).method, Scorer(2).method),
    "method and instance": (Scorer(1).method, Scorer(1)),
    "scorers": (make_scorer(accuracy_score), make_scorer(f1_score)),
    "scorers' options": (make_scorer(f1_score, average="micro"), make_scorer(f1_score)),
    "functions in C": (max, min),
    "operators": (operator.itemgetter(1), operator.itemgetter(2)),
}


@pytest.mark.parametrize("how", DIFFERENT)
def test_other_code_has_another_identity(how):
    one, other = (identify_callable(function, "validation_scoring") for function in DIFFERENT[how])
    assert one != other
    again = [identify_callable(function, "validation_scoring") for function in DIFFERENT[how]]
    assert again == [one, other]


@pytest.mark.parametrize("function", [by_global, by_helper])
def test_what_a_function_takes_from_its_module_counts(function, monkeypatch):
    before = identify_callable(function, "scoring")
    monkeypatch.setitem(globals(), "RATE", 3.0)
    monkeypatch.setitem(globals(), "helper", lambda value: 2 * value)
    assert identify_callable(function, "scoring") != before


def test_where_a_function_stands_does_not_count():
    sources = ["f = lambda e, X, y: e.score(X, y)", "\n\n\nf = lambda e, X, y: e.score(X, y)"]
    functions = []
    for file, source in enumerate(sources):
        space = {"__name__": "a"}
        exec(compile(source, str(file), "exec"), space)
        functions.append(space["f"])
    one, other = (identify_callable(function, "scoring") for function in functions)
    assert one == other
    assert one.startswith("a.<lambda> (hash ")


def test_other_processes_find_the_same():
    """Also where strings hash otherwise: sets and dicts have another order then."""
    code = (
        "from tests import test_code_identity as t\n"
        "from sklearn_rnn._estimators.code_identity import identify_callable\n"
        "f = [g for pair in t.DIFFERENT.values() for g in pair]\n"
        "f += [t.by_global, t.by_helper, t.countdown]\n"
        "f.append(lambda e, X, y: y in {'a', 'b', 'c', 'd'})\n"
        "print([identify_callable(g, 'scoring') for g in f])\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            cwd=ROOT,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


@pytest.mark.parametrize("of", [threading.Lock(), (n for n in range(3))], ids=["lock", "generator"])
def test_what_has_no_identity_is_refused(of):
    with pytest.raises(ValueError, match=r"cannot tell this fit from others, because scoring="):
        identify_callable(weighted(of), "scoring")


# --- In checkpoints -------------------------------------------------------------------------------

VALIDATED = dict(early_stopping=True, validation_fraction=0.3, batch_size=5)


@pytest.mark.parametrize("how", ["lambdas", "closures", "partials", "instances"])
def test_a_checkpoint_tells_functions_apart(how, tmp_path):
    y, path = make_targets(GRUClassifier()), tmp_path / "fit.npz"
    one, other = (
        tiny(GRUClassifier, checkpoint=path, validation_scoring=function, **VALIDATED)
        for function in DIFFERENT[how]
    )
    one.fit(X, y)
    with pytest.raises(ValueError, match=r"belongs to another fit: validation_scoring was .*hash"):
        other.fit(X, y)


def test_a_fit_goes_on_with_the_same_function(tmp_path, monkeypatch):
    y, path = make_targets(GRUClassifier()), tmp_path / "fit.npz"

    def make():
        scoring = weighted(0.5)
        return tiny(GRUClassifier, checkpoint=path, validation_scoring=scoring, **VALIDATED)

    with at_batch(monkeypatch, 4, raising(MemoryError("stopped"))), pytest.raises(MemoryError):
        make().fit(X, y)
    content, _ = _files.read(path, kind="checkpoint", newest=1)
    assert len(content["now"]["history"]) == 1
    assert_same_model(make().fit(X, y), make().set_params(checkpoint=None).fit(X, y))


def test_a_function_without_identity_is_refused_with_a_checkpoint_only(tmp_path):
    y, lock = make_targets(GRUClassifier()), threading.Lock()

    def locked(estimator, X, y):
        with lock:
            return estimator.score(X, y)

    model = tiny(GRUClassifier, validation_scoring=locked, **VALIDATED).fit(X, y)
    with pytest.raises(ValueError, match=r"set checkpoint=None"):
        model.set_params(checkpoint=tmp_path / "fit.npz").fit(X, y)
