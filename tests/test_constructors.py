"""The constructors of the six: written from one source, few, grouped, and typed as checked."""

import inspect
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from sklearn_rnn._compat import StrOptions
from tests import constructors

MOST_PARAMETERS = 45
GROUPS = [
    *("# Architecture", "# Loss and penalty", "# Solver", "# Stopping and validation"),
    *("# Run", "# Rarely changed"),
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Copies of the three files, which the program reads and writes instead."""
    for name, text in read(constructors.PACKAGE).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(constructors, "PACKAGE", tmp_path)
    return tmp_path


def read(directory):
    return {name: (directory / name).read_text(encoding="utf-8") for name in constructors.FILES}


def edit(path, old, new):
    """Replace the first occurrence of a text."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- The program ----------------------------------------------------------------------------------


def test_the_six_agree_with_their_source(capsys):
    status = constructors.main(["--check"])
    assert (status, capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        Layers on top of each other;", "        Layers, one above another;"),
        ("        Updates of the weights.\n", "        Number of updates.\n"),
        ("        dropout: float = 0.0,\n", "        dropout: float = 0.5,\n"),
        ("        tol: float = 0.0001,\n", "        tol: int = 0.0001,\n"),
        ("        self.tol = tol\n", ""),
        ("        # Run\n", "        # Running\n"),
    ],
    ids=["parameter", "attribute", "default", "type", "assignment", "group"],
)
def test_a_change_outside_the_source_is_found_and_undone(old, new, files, capsys):
    before = read(files)
    edit(files / "_gru.py", old, new)
    changed = read(files)
    assert constructors.main(["--check"]) == 1
    diff = capsys.readouterr().out
    assert "+++ _gru.py from its source" in diff
    assert f"\n+{old.splitlines()[0]}" in diff
    assert read(files) == changed
    assert constructors.main(["--write"]) == 0
    assert read(files) == before


def test_a_new_parameter_goes_to_all_six(files):
    source = files / "_lstm.py"
    edit(source, "    tol : float", "    patience : int, default=3\n        New.\n    tol : float")
    edit(source, "        tol: float", "        patience: int = 3,\n        tol: float")
    assert constructors.main(["--write"]) == 0
    for text in read(files).values():
        assert text.count("    patience : int, default=3\n        New.\n    tol : float") == 2
        assert text.count("        patience: int = 3,\n        tol: float") == 2
        assert text.count("        self.patience = patience\n        self.tol = tol\n") == 2
    assert constructors.main(["--check"]) == 0


def test_an_entry_of_the_regressors_goes_to_regressors(files):
    new = "Where Huber's loss becomes linear,"
    edit(files / "_lstm.py", "Where Huber's loss turns straight,", new)
    assert constructors.main(["--write"]) == 0
    assert [text.count(new) for text in read(files).values()] == [1, 1, 1]


def test_what_belongs_to_a_class_stays(files):
    for old, new in [
        ("Classify sequences with a first-order", "Sort sequences by a first-order"),
        ("    >>> clf.transform(X[150:]).shape\n", "    >>> clf.transform(X[140:150]).shape\n"),
    ]:
        edit(files / "_rnn.py", old, new)
    assert constructors.main(["--check"]) == 0


def test_a_parameter_of_the_cell_comes_from_its_classifier(files):
    old, new = 'Literal["tanh", "relu"]', 'Literal["tanh", "relu", "sine"]'
    edit(files / "_rnn.py", old, new)
    assert constructors.main(["--write"]) == 0
    assert [text.count(new) for text in read(files).values()] == [2, 0, 0]


def test_a_parameter_without_documentation_is_an_error(files):
    edit(files / "_lstm.py", "        tol: float", "        patience: int = 3,\n        tol: float")
    with pytest.raises(ValueError, match="LSTMClassifier has no entry for patience"):
        constructors.main(["--check"])


# --- What it writes -------------------------------------------------------------------------------


def test_there_are_not_too_many_parameters(Estimator):
    """A new parameter retires an old one, or is a class of its own, such as a transformer."""
    assert len(inspect.signature(Estimator).parameters) <= MOST_PARAMETERS


def test_parameters_stand_in_groups():
    for text in read(constructors.PACKAGE).values():
        lines = [line.strip() for line in text.splitlines()]
        assert [line for line in lines if line.startswith("# ")] == 2 * GROUPS


def choices(annotation):
    """Return the strings that a type allows, and whether it allows None."""
    members = [annotation, *get_args(annotation)]
    literals = [member for member in members if get_origin(member) is Literal]
    strings = {choice for literal in literals for choice in get_args(literal)}
    return strings, type(None) in members


def test_types_allow_what_the_check_allows(Estimator):
    hints = get_type_hints(Estimator.__init__)
    assert hints.pop("return") is type(None)
    assert hints.keys() == inspect.signature(Estimator).parameters.keys()
    del hints["validation_scoring"]  # the names of all scorers are too many to list
    for name, hint in hints.items():
        constraints = Estimator._parameter_constraints[name]
        strings = {option for c in constraints if isinstance(c, StrOptions) for option in c.options}
        # Any seed that scikit-learn accepts, None among them.
        may_be_none = None in constraints or "random_state" in constraints
        assert choices(hint) == (strings, may_be_none), name
