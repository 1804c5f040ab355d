"""The house keeps its rules, and the checker of the rules sees what breaks them."""

import pytest

from tests.house import (
    BEGIN,
    FLOORS,
    MAX_BODY_LINES,
    MAX_CLASSES_ABOVE,
    MAX_MODULE_LINES,
    PACKAGE,
    PAGE,
    Source,
    classes_above,
    complaints,
    cycle,
    page_with_picture,
    picture,
    read_house,
    rooms_of,
)

SOURCES = read_house()
ROOMS = rooms_of(SOURCES)


@pytest.mark.parametrize("source", SOURCES, ids=[source.module for source in SOURCES])
def test_house_rules(source):
    assert complaints(source, ROOMS) == []


def test_no_module_imports_itself_through_others():
    assert cycle(SOURCES) == []


def test_few_classes_stand_above_a_final_class():
    above = classes_above(SOURCES)
    assert {name for name in above if above[name] > MAX_CLASSES_ABOVE} == set()
    assert above["LSTMClassifier"] == MAX_CLASSES_ABOVE


def test_all_rooms_that_the_floors_name_are_there():
    assert {room for floor in FLOORS for room in floor.rooms} <= ROOMS


def test_every_room_says_what_it_is_for():
    table = picture(SOURCES)
    for room in ROOMS:
        (line,) = [line for line in table.splitlines() if line.startswith(f"| | `{room}` |")]
        assert len(line.split("|")[3].split()) >= 3, line


def test_the_picture_in_the_documentation_is_this_house():
    page = PAGE.read_text("utf-8")
    assert BEGIN in page
    assert page_with_picture(page, picture(SOURCES)) == page, "python -m tests.house --write"


LONG_BODY = "def f(x):\n    '''Add.'''\n" + "    x += 1\n" * (MAX_BODY_LINES + 1)
LONG_MODULE = "x = 0\n" * (MAX_MODULE_LINES + 1)
HOUSE = {"_core", "_training", "_estimators", "_compat", "datasets"}


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("_core.lstm", "from sklearn_rnn._training import trainer", "floor 0 climbs"),
        ("_core.lstm", "from .._estimators.base import x", "floor 0 climbs"),
        ("_core.lstm", "import scipy", "floor 0 may not import scipy"),
        ("_core.lstm", "def f():\n    import torch", "floor 0 may not import torch"),
        ("_training.trainer", "from .. import _compat", "do not know each other"),
        ("_training.trainer", "import sklearn", "floor 3 may not import sklearn"),
        ("_compat", "from ._training.trainer import train", "floor 2 climbs"),
        ("_estimators.base", "from sklearn_rnn.datasets import load", "floor 4 climbs"),
        ("_estimators.base", "from sklearn_rnn import LSTMClassifier", "floor 4 climbs"),
        ("datasets", "from sklearn_rnn import LSTMClassifier", "floor 5 climbs"),
        (
            "datasets",
            "try:\n    import pandas\nfinally:\n    pass",
            "floor 5 may not import pandas",
        ),
        ("_estimators.base", "from sklearn.base import _fit_context", "private to scikit-learn"),
        ("_estimators.base", "from sklearn.utils._tags import Tags", "private to scikit-learn"),
        ("_estimators.base", "import sklearn.utils._tags", "private to scikit-learn"),
        ("_mgu", "x = 0", "_mgu is a private room that no floor"),
        ("_estimators.base", "def f(model: Any): ...", "f takes model without a type"),
        ("_estimators.base", "def f(*, estimator): ...", "f takes estimator without a type"),
        ("_data.numbers", "def f(x: Any): return x._theta_", "takes x without a type, and"),
        (
            "_data.numbers",
            "def f(x: Any): return x.classes_",
            "takes x without a type, and",
        ),
        ("_estimators.base", LONG_BODY, "f has 51 lines"),
        ("_estimators.base", LONG_MODULE, "401 lines of code"),
        ("_estimators.base", "eval('1')", "eval runs"),
        ("_estimators.base", "exec('1')", "exec runs"),
        ("_estimators.base", "import pickle\npickle.load(f)", "pickle.load runs"),
        ("_estimators.base", "np.load(f, allow_pickle=True)", "allow_pickle=True runs"),
    ],
)
def test_the_checker_sees_what_is_wrong(module, source, expected):
    found = complaints(Source.of(f"{PACKAGE}.{module}", source), HOUSE)
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_core.lstm", "import math\nimport numpy as np\nfrom .cell import Cell"),
        ("_training.trainer", "from sklearn_rnn._core import network"),
        ("_compat", "from sklearn.base import _fit_context\nfrom ._core import network"),
        ("_estimators.base", "from .. import _compat\nfrom .._training.trainer import train"),
        ("_estimators.base", "import sklearn\nfrom sklearn import __version__"),
        ("_estimators.base", "def f(model: FittedModel, x: Any): return model._theta_, x.shape"),
        ("datasets", "def f(model: Any): return model.classes_"),
        ("datasets", "def f():\n    import pandas"),
        (
            "datasets",
            "from sklearn_rnn._estimators.base import x\nfrom sklearn_rnn.datasets import y",
        ),
        ("_estimators.base", "'''Long.\n" + "word\n" * 500 + "'''\n" + "# why\n\n" * 500),
        ("_estimators.base", LONG_BODY.replace("    x += 1\n", "    # why\n", 9)),
        ("__main__", "from sklearn_rnn import LSTMClassifier\nimport pickle\npickle.loads(b)"),
    ],
)
def test_the_checker_keeps_quiet_about_what_is_right(module, source):
    assert complaints(Source.of(f"{PACKAGE}.{module}", source), HOUSE) == []


def test_the_checker_sees_a_circle():
    texts = {"a": "from sklearn_rnn import b", "b": "from .c import x", "c": "import sklearn_rnn.a"}
    sources = [Source.of(f"{PACKAGE}.{room}", text) for room, text in texts.items()]
    assert set(cycle(sources)) == {source.module for source in sources}
    assert cycle(sources[:2]) == []


def test_the_checker_counts_the_classes_above():
    text = "class A: ...\nclass M: ...\nclass B(M, A): ...\nclass C(base.B, object): ..."
    assert classes_above([Source.of(PACKAGE, text)]) == {"A": 0, "M": 0, "B": 1, "C": 2}
