"""The identity of a function or another callable: equal for equal behavior, in every process."""

from __future__ import annotations

import dis
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import joblib


def identify_callable(function: Callable[..., Any], name: str) -> str:
    """Return the name of a callable and a hash of all that its values depend on.

    Of a function that is written in Python, these are its code, its defaults, what it takes from
    the functions around it and from its module; of a `functools.partial` its arguments; of another
    object its attributes and its method `__call__`. Functions of other modules count with their
    own code alone, and functions in C with their names.

    Parameters
    ----------
    function : callable
    name : str
        The parameter that it is the value of, for the message.

    Raises
    ------
    ValueError
        If something that its values depend on cannot be compared.
    """
    named = function.func if isinstance(function, partial) else function
    title = _name(named if hasattr(named, "__qualname__") else type(named))
    if _is_in_c(function):
        return title
    digest = _Digest(getattr(named, "__module__", None))
    try:
        digest.add(function)
    except Exception as error:  # whatever pickle raises where it meets a lock or an open file
        raise ValueError(
            f"checkpoint cannot tell this fit from others, because {name}={function!r} has no "
            f"identity that another process would find again ({error}). Give the name of a scorer "
            "or a function that is defined in a module, or set checkpoint=None."
        ) from error
    return f"{title} (hash {digest.hex()})"


def _name(value: Any) -> str:
    module = getattr(value, "__module__", None)
    return f"{module}.{value.__qualname__}" if module else str(value.__qualname__)


def _is_in_c(value: Any) -> bool:
    """Whether it is a function, a method or a class that has a name and no Python code to see."""
    is_python = isinstance(value, FunctionType | MethodType | partial)
    return callable(value) and hasattr(value, "__qualname__") and not is_python


class _Digest:
    """A hash of values, of which functions count by what they do.

    Parameters
    ----------
    module : str or None
        Functions of this module count with the names of the module that they use.
    """

    def __init__(self, module: str | None) -> None:
        self._digest, self._module = blake2b(digest_size=8), module
        self._seen: dict[int, Any] = {}  # which also keeps them alive, so that no id comes twice

    def hex(self) -> str:
        return self._digest.hexdigest()

    def add(self, value: Any) -> None:
        if callable(value) or isinstance(value, list | dict):
            if id(value) in self._seen:  # a function that calls itself, a list in itself
                self._write("seen", str(list(self._seen).index(id(value))))
                return
            self._seen[id(value)] = value
        self._write(type(value).__name__)
        if isinstance(value, FunctionType):
            self._add_function(value)
        elif isinstance(value, CodeType):
            self._add_code(value)
        elif isinstance(value, MethodType):
            self._add_all(value.__func__, value.__self__)
        elif isinstance(value, partial):
            self._add_all(value.func, value.args, value.keywords)
        elif isinstance(value, ModuleType):
            self._write(value.__name__)
        elif isinstance(value, list | tuple):
            self._add_all(*value)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._add_all(key, item)
        elif _is_in_c(value):
            self._write(_name(value))
        elif callable(value):
            self._write(_name(type(value)))
            self._add_all(type(value).__call__, getattr(value, "__dict__", None))
            if not hasattr(value, "__dict__"):
                self._write(str(joblib.hash(value)))
        else:
            self._write(str(joblib.hash(value)))

    def _add_all(self, *values: Any) -> None:
        self._write(str(len(values)))
        for value in values:
            self.add(value)

    def _add_function(self, function: FunctionType) -> None:
        code = function.__code__
        self._add_all(code, function.__defaults__, function.__kwdefaults__)
        cells = function.__closure__ or ()
        self._add_all(*(cell.cell_contents for cell in cells))
        if function.__module__ == self._module:
            names = sorted(_global_names(code) & function.__globals__.keys())
            self._add_all(*names, *(function.__globals__[name] for name in names))
        else:
            self._write(_name(function))

    def _add_code(self, code: CodeType) -> None:
        """Add what a code does, whatever its file and its lines."""
        self._add_all(code.co_code, code.co_names, code.co_varnames, code.co_freevars)
        for constant in code.co_consts:
            if isinstance(constant, frozenset):  # whose order is another one in every process
                self._add_all(*sorted(constant, key=repr))
            else:
                self.add(constant)

    def _write(self, *texts: str) -> None:
        for text in texts:
            self._digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))


def _global_names(code: CodeType) -> set[str]:
    """Return the names of the module that a code, or one inside it, may look up."""
    names = {
        str(instruction.argval)
        for instruction in dis.get_instructions(code)
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return names.union(*map(_global_names, inner))
