"""The house rules: an import may only point down, and a room has one job.

6  __init__  __main__                                  the roof: nobody imports it
5  preprocessing  datasets ...                         public, one idea each
4  _estimators  _rnn  _lstm  _gru                      the six estimators
3  _training                                           loops; does not know floor 2, nor 2 it
2  _data  sequences  _compat  _typing  _records         what X and y mean; does not know floor 1
1  _running                                            a network over many sequences
0  _core  _files  _version                             NumPy only: the mathematics; verified files
"""

import ast
import io
import re
import sys
import tokenize
from pathlib import Path

import pytest

PACKAGE = "sklearn_rnn"
ROOT = Path(__file__).parents[1] / PACKAGE
MAX_MODULE_LINES = 400
MAX_BODY_LINES = 50

FLOORS = [
    ("_core|_files|_version", 0),
    ("_running", 1),
    ("_data|sequences|_compat|_typing|_records", 2),
    ("_training", 3),
    ("_estimators|_rnn|_lstm|_gru", 4),
    ("__init__|__main__", 6),
]
PUBLIC = 5
SISTERS = [{1, 2}, {2, 3}]
# Third-party packages that a floor may import when it is imported itself.
OUTSIDE = {
    0: {"numpy"},
    1: {"numpy"},
    2: {"numpy", "scipy", "sklearn"},
    3: {"numpy", "scipy", "threadpoolctl"},
    4: {"numpy", "scipy", "sklearn", "joblib", "threadpoolctl"},
    5: {"numpy", "scipy", "sklearn", "joblib", "threadpoolctl"},
    6: {"numpy", "sklearn"},
}
# ... and, inside a function, where the rest works without it.
OPTIONAL = {"dask", "matplotlib", "narwhals", "pandas", "polars", "onnx", "skl2onnx", "torch"}

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
DOCUMENTED = FUNCTION | ast.ClassDef | ast.Module
FORBIDDEN_CALLS = {"eval", "exec", "pickle.load", "pickle.loads", "joblib.load"}


def floor_of(module: str) -> int:
    """Floor of 'sklearn_rnn.a.b', which its first room below the package decides."""
    room = [*module.split("."), "__init__"][1]
    return next((floor for rooms, floor in FLOORS if re.fullmatch(rooms, room)), PUBLIC)


def imports_of(tree: ast.Module, module: str, is_package: bool) -> list[tuple[int, str, bool]]:
    """(line, dotted name, inside a function?) of all that a source imports, relative or not."""
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]
    in_function = {id(node) for function in functions for node in ast.walk(function)}
    package = module.split(".") if is_package else module.split(".")[:-1]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            names = [f"{source}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [(node.lineno, name, id(node) in in_function) for name in names]
    return found


def inside_complaint(module: str, name: str) -> str | None:
    """Why `module` may not import `name`, a room of the package or something in it."""
    here, there = floor_of(module), floor_of(name)
    if {here, there} in SISTERS:
        return f"floor {here} imports {name}: floors {here} and {there} do not know each other"
    if there > here:
        return f"floor {here} climbs to {name} on floor {there}"
    return None


def outside_complaint(module: str, name: str, in_function: bool) -> str | None:
    """Why `module` may not import `name`, something outside the package."""
    floor, package = floor_of(module), name.split(".")[0]
    if package in sys.stdlib_module_names or package in OUTSIDE[floor]:
        return None
    if package in OPTIONAL and in_function and floor >= 2:
        return None
    return f"floor {floor} may not import {name}"


def import_complaints(tree: ast.Module, module: str, is_package: bool, rooms: set[str]):
    for line, name, in_function in imports_of(tree, module, is_package):
        if name.split(".")[0] == PACKAGE:
            # `from sklearn_rnn import X` imports the roof, unless X is a room.
            room = ".".join(name.split(".")[:2])
            complaint = inside_complaint(module, name if room in rooms else PACKAGE)
        else:
            complaint = outside_complaint(module, name, in_function)
            if is_private_sklearn(name) and module != f"{PACKAGE}._compat":
                yield line, f"{name} is private to scikit-learn: only _compat may know it"
        if complaint:
            yield line, complaint


def is_private_sklearn(name: str) -> bool:
    first, *rest = name.split(".")
    return first == "sklearn" and any(re.match(r"_(?!_)", part) for part in rest)


def code_lines(source: str, tree: ast.Module) -> set[int]:
    """Numbers of the lines that hold code: no blank ones, comments or docstrings."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    silent |= {tokenize.ENCODING, tokenize.ENDMARKER}
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def size_complaints(source: str, tree: ast.Module):
    lines = code_lines(source, tree)
    if len(lines) > MAX_MODULE_LINES:
        yield 1, f"{len(lines)} lines of code: more than {MAX_MODULE_LINES}, so two jobs?"
    for node in ast.walk(tree):
        if isinstance(node, FUNCTION):
            body = lines.intersection(range(node.body[0].lineno, node.end_lineno + 1))
            if len(body) > MAX_BODY_LINES:
                yield node.lineno, f"{node.name} has {len(body)} lines: more than {MAX_BODY_LINES}"


def danger_complaints(tree: ast.Module):
    """Calls that run code which data may hide."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if (called := ast.unparse(node.func)) in FORBIDDEN_CALLS:
                yield node.lineno, f"{called} runs whatever it is given"
            if any(ast.unparse(keyword) == "allow_pickle=True" for keyword in node.keywords):
                yield node.lineno, "allow_pickle=True runs whatever it is given"


def complaints(source: str, module: str, is_package: bool = False, rooms: set[str] | None = None):
    """All that is wrong with one source, as 'module:line: what'."""
    tree = ast.parse(source)
    found = [*import_complaints(tree, module, is_package, rooms or set())]
    found += size_complaints(source, tree)
    if module != f"{PACKAGE}.__main__":  # it pickles and loads its own winner
        found += danger_complaints(tree)
    return [f"{module}:{line}: {what}" for line, what in sorted(found)]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = sorted(ROOT.rglob("*.py"))
ROOMS = {".".join(module_name(path).split(".")[:2]) for path in PATHS} - {PACKAGE}


@pytest.mark.parametrize("path", PATHS, ids=[module_name(path) for path in PATHS])
def test_house_rules(path):
    source = path.read_text(encoding="utf-8")
    assert complaints(source, module_name(path), path.name == "__init__.py", ROOMS) == []


LONG_BODY = "def f(x):\n    '''Add.'''\n" + "    x += 1\n" * (MAX_BODY_LINES + 1)
LONG_MODULE = "x = 0\n" * (MAX_MODULE_LINES + 1)
HOUSE = {
    f"{PACKAGE}.{room}" for room in ("_core", "_training", "_estimators", "_compat", "datasets")
}


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("_core.lstm", "from sklearn_rnn._training import trainer", "floor 0 climbs"),
        ("_core.lstm", "from .._estimators.base import x", "floor 0 climbs"),
        ("_core.lstm", "import scipy", "floor 0 may not import scipy"),
        ("_core.lstm", "def f():\n    import torch", "floor 0 may not import torch"),
        ("_training.trainer", "from .. import _compat", "do not know each other"),
        ("_training.trainer", "import sklearn", "floor 3 may not import sklearn"),
        ("_compat", "from ._training.trainer import train", "do not know each other"),
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
        ("_estimators.base", LONG_BODY, "f has 51 lines"),
        ("_estimators.base", LONG_MODULE, "401 lines of code"),
        ("_estimators.base", "eval('1')", "eval runs"),
        ("_estimators.base", "exec('1')", "exec runs"),
        ("_estimators.base", "import pickle\npickle.load(f)", "pickle.load runs"),
        ("_estimators.base", "np.load(f, allow_pickle=True)", "allow_pickle=True runs"),
    ],
)
def test_the_checker_sees_what_is_wrong(module, source, expected):
    found = complaints(source, f"{PACKAGE}.{module}", rooms=HOUSE)
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
    assert complaints(source, f"{PACKAGE}.{module}", rooms=HOUSE) == []
