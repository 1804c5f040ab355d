"""Registries: the losses and the poolings by the names that users give them."""

from __future__ import annotations

from typing import TypeVar

Part = TypeVar("Part")


class Registry(dict[str, Part]):
    """The values that one parameter of the estimators can have, and the part that each stands for.

    A part is added with ``registry[name] = part``, from outside the package as well: whoever reads
    the registry reads it when it is needed, and keeps no copy.

    Parameters
    ----------
    parameter : str
        The name of the parameter.
    parts : dict
        The parts by name.
    """

    def __init__(self, parameter: str, parts: dict[str, Part]) -> None:
        super().__init__(parts)
        self.parameter = parameter

    def __missing__(self, name: str) -> Part:
        raise ValueError(
            f"{self.parameter}={name!r} is not registered; registered are {', '.join(self)}. If "
            f"another module adds it, import that module first."
        )
