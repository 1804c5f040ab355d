"""The house: on which floor each room stands, what it may import, and what no room may do.

A room is a module or a folder right below the package; the first part of a module's name decides
its floor. An import may only point to the same floor or to one below.

    python -m tests.house             prints the picture of the house
    python -m tests.house --write     writes it into docs/developing.md
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

PACKAGE = "sklearn_rnn"
ROOT = Path(__file__).parents[1] / PACKAGE
PAGE = ROOT.parent / "docs" / "developing.md"
BEGIN, END = "<!-- house: begin -->", "<!-- house: end -->"

MAX_MODULE_LINES = 400
MAX_BODY_LINES = 50
MAX_CLASSES_ABOVE = 4


@dataclass(frozen=True)
class Floor:
    """Rooms that stand side by side.

    Parameters
    ----------
    title : str
        What the floor is for.
    rooms : tuple of str
        The private ones; public rooms that are named nowhere stand on the floor `PUBLIC`.
    outside : frozenset of str
        Third-party packages that it may import when it is imported itself.
    strangers : frozenset of int
        Floors below that it may not import either.
    """

    title: str
    rooms: tuple[str, ...]
    outside: frozenset[str]
    strangers: frozenset[int] = frozenset()


_NUMPY = frozenset({"numpy"})
_SKLEARN = frozenset({"numpy", "scipy", "sklearn"})
_ALL = _SKLEARN | {"joblib", "threadpoolctl"}
FLOORS = (
    Floor("the mathematics; verified files", ("_core", "_files", "_version"), _NUMPY),
    Floor(
        "a network over many sequences",
        ("_running",),
        frozenset({"numpy", "joblib", "threadpoolctl"}),
    ),
    Floor(
        "what X and y mean",
        ("_data", "sequences", "_records", "_typing", "_compat"),
        _SKLEARN,
        frozenset({1}),
    ),
    Floor(
        "the training loop",
        ("_training",),
        frozenset({"numpy", "scipy"}),
        frozenset({2}),
    ),
    Floor("the six estimators", ("_estimators", "_rnn", "_lstm", "_gru", "_registry"), _ALL),
    Floor("public, one idea each", (), _ALL),
    Floor(
        "the roof, which no other room imports",
        ("__init__", "__main__"),
        frozenset({"numpy", "sklearn"}),
    ),
)
PUBLIC = 5
# ... and, inside a function or for type checkers, where the rest works without it.
OPTIONAL = {
    "dask",
    "distributed",
    "matplotlib",
    "narwhals",
    "pandas",
    "polars",
    "onnx",
    "skl2onnx",
    "torch",
}

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
DOCUMENTED = FUNCTION | ast.ClassDef | ast.Module
FORBIDDEN_CALLS = {"eval", "exec", "pickle.load", "pickle.loads", "joblib.load"}


class Source(NamedTuple):
    """A module: its dotted name, its text, and what Python makes of it."""

    module: str
    text: str
    tree: ast.Module
    is_package: bool = False

    @classmethod
    def of(cls, module: str, text: str, is_package: bool = False) -> Source:
        return cls(module, text, ast.parse(text), is_package)

    @property
    def room(self) -> str:
        return room_of(self.module)


def room_of(module: str) -> str:
    """Return the room of 'sklearn_rnn.a.b': 'a'; of the package itself '__init__'."""
    return [*module.split("."), "__init__"][1]


def floor_of(room: str) -> int | None:
    """Return the floor of a room; None of a private one that the house does not know."""
    for number, floor in enumerate(FLOORS):
        if room in floor.rooms:
            return number
    return None if room.startswith("_") else PUBLIC


# ---- imports ----


def imports_of(source: Source) -> list[tuple[int, str, bool]]:
    """Return (line, dotted name, later?) of all that is imported, relative or not.

    Later is what is imported inside a function, or for type checkers alone.
    """
    blocks = [
        node for node in ast.walk(source.tree) if isinstance(node, FUNCTION) or _is_for_types(node)
    ]
    later = {id(node) for block in blocks for node in ast.walk(block)}
    package = source.module.split(".") if source.is_package else source.module.split(".")[:-1]
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            origin = ".".join([*base, *filter(None, [node.module])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [(node.lineno, name, id(node) in later) for name in names]
    return found


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported_module(name: str, modules: set[str]) -> str | None:
    """Return the module of ours that importing this dotted name imports."""
    while name not in modules:
        if "." not in name:
            return None
        name = name.rpartition(".")[0]
    return name


def inside_complaint(here: int, room: str) -> str | None:
    """Return why floor `here` may not import a room of the package, if it may not."""
    there = floor_of(room)
    if there is None:
        return f"{room} is a private room that no floor in tests/house.py names"
    if there in FLOORS[here].strangers:
        return f"floor {here} imports {room}: floors {here} and {there} do not know each other"
    if there > here:
        return f"floor {here} climbs to {room} on floor {there}"
    return None


def outside_complaint(here: int, name: str, later: bool) -> str | None:
    """Return why floor `here` may not import something outside the package, if it may not."""
    package = name.split(".")[0]
    if package in sys.stdlib_module_names or package in FLOORS[here].outside:
        return None
    if package in OPTIONAL and later and here >= 2:
        return None
    return f"floor {here} may not import {name}"


def import_complaints(source: Source, rooms: set[str]) -> Iterator[tuple[int, str]]:
    here = floor_of(source.room)
    if here is None:
        yield 1, f"{source.room} is a private room that no floor in tests/house.py names"
        return
    for line, name, later in imports_of(source):
        if name.split(".")[0] == PACKAGE:
            # `from sklearn_rnn import X` imports the roof, unless X is a room.
            room = room_of(name)
            complaint = inside_complaint(here, room if room in rooms else "__init__")
        else:
            complaint = outside_complaint(here, name, later)
            if is_private_sklearn(name) and source.room != "_compat":
                yield line, f"{name} is private to scikit-learn: only _compat may know it"
        if complaint:
            yield line, complaint


def is_private_sklearn(name: str) -> bool:
    first, *rest = name.split(".")
    return first == "sklearn" and any(re.match(r"_(?!_)", part) for part in rest)


def cycle(sources: list[Source]) -> list[str]:
    """Return modules that import each other in a circle, or nothing."""
    modules = {source.module for source in sources}
    graph: dict[str, set[str]] = {}
    for source in sources:
        names = {imported_module(name, modules) for _, name, _ in imports_of(source)}
        graph[source.module] = {name for name in names if name} - {source.module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


# ---- sizes ----


def code_lines(source: Source) -> set[int]:
    """Return the numbers of the lines that hold code: no blank ones, comments or docstrings."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    silent |= {tokenize.ENCODING, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(source.tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def size_complaints(source: Source) -> Iterator[tuple[int, str]]:
    lines = code_lines(source)
    if len(lines) > MAX_MODULE_LINES:
        yield 1, f"{len(lines)} lines of code: more than {MAX_MODULE_LINES}, so two jobs?"
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTION):
            body = lines.intersection(range(node.body[0].lineno, node.end_lineno + 1))
            if len(body) > MAX_BODY_LINES:
                yield node.lineno, f"{node.name} has {len(body)} lines: more than {MAX_BODY_LINES}"


# ---- calls that run code which data may hide ----


def danger_complaints(source: Source) -> Iterator[tuple[int, str]]:
    if source.room == "__main__":  # it pickles and loads its own winner
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            if (called := ast.unparse(node.func)) in FORBIDDEN_CALLS:
                yield node.lineno, f"{called} runs whatever it is given"
            if any(ast.unparse(keyword) == "allow_pickle=True" for keyword in node.keywords):
                yield node.lineno, "allow_pickle=True runs whatever it is given"


# ---- values go down, nothing calls up ----


def model_complaints(source: Source) -> Iterator[tuple[int, str]]:
    """Find estimators that are handed to a helper without a type, on floors up to the six.

    Those are parameters annotated Any, or not at all, that are called a model or an estimator, or
    whose private or fitted attributes the function takes.
    """
    here = floor_of(source.room)
    if here is None or here >= PUBLIC:
        return
    for function in ast.walk(source.tree):
        if not isinstance(function, FUNCTION):
            continue
        arguments = function.args
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            annotation = argument.annotation and ast.unparse(argument.annotation)
            if argument.arg in ("self", "cls") or annotation not in (None, "Any"):
                continue
            if argument.arg in ("model", "estimator"):
                yield function.lineno, f"{function.name} takes {argument.arg} without a type"
            for attribute in _inner_attributes(function, argument.arg):
                yield (
                    function.lineno,
                    f"{function.name} takes {argument.arg} without a type, and from it {attribute}",
                )


def _inner_attributes(function: ast.AST, name: str) -> list[str]:
    """Return the private and the fitted attributes that a function takes from this name."""
    return [
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        and re.fullmatch(r"_(?!_).*|.*(?<!_)_", node.attr)
    ]


def classes_above(sources: list[Source]) -> dict[str, int]:
    """Return how many classes of ours stand above each class, in the longest chain of bases."""
    bases = {
        node.name: [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    }

    def depth(name: str) -> int:
        return max((1 + depth(base) for base in bases[name] if base in bases), default=0)

    return {name: depth(name) for name in bases}


# ---- the whole house ----


def complaints(source: Source, rooms: set[str]) -> list[str]:
    """Return all that is wrong with one source, as 'module:line: what'."""
    found = [
        *import_complaints(source, rooms),
        *size_complaints(source),
        *danger_complaints(source),
        *model_complaints(source),
    ]
    return [f"{source.module}:{line}: {what}" for line, what in sorted(found)]


def read_house() -> list[Source]:
    """Return the sources of the package."""
    sources = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        sources.append(Source.of(module, path.read_text(encoding="utf-8"), is_package))
    return sources


def rooms_of(sources: list[Source]) -> set[str]:
    return {source.room for source in sources}


def picture(sources: list[Source]) -> str:
    """Return the house as a Markdown table, the roof first."""
    titles = {
        source.room: " ".join((ast.get_docstring(source.tree) or "").split("\n\n")[0].split())
        for source in sources
        if source.module.count(".") <= 1
    }
    lines = ["| Floor | Room | What it is for | May import |", "|---|---|---|---|"]
    for number in reversed(range(len(FLOORS))):
        floor = FLOORS[number]
        below = [k for k in range(number + 1) if k not in floor.strangers]
        allowed = f"floors {', '.join(map(str, below))}; {', '.join(sorted(floor.outside))}"
        lines.append(f"| **{number}** | | **{floor.title}** | {allowed} |")
        for room in sorted(room for room in titles if floor_of(room) == number):
            lines.append(f"| | `{room}` | {titles[room]} | |")
    return "\n".join(lines)


def page_with_picture(page: str, table: str) -> str:
    """Return the page with this picture between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def main(arguments: list[str]) -> None:
    table = picture(read_house())
    if arguments == ["--write"]:
        PAGE.write_text(page_with_picture(PAGE.read_text("utf-8"), table), "utf-8")
    else:
        print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
