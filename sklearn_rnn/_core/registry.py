"""Registries: the losses and the poolings by the names that users give them."""

from __future__ import annotations

from typing import TypeVar

Part = TypeVar("Part")


class Registry(dict[str, Part]):
    """The values that one parameter of the estimators can have, and the part that each selects.

    ``registry[name] = part`` adds a part, also from outside the package. Modules that use a
    registry read it at each use and keep no copy.

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
