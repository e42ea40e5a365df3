"""Makes constructs without holding each of their arguments against its type hints.

The bindings evaluate the hints anew for each object, and that takes them a quarter of a synthesis.
``python -O`` leaves it out, but a program has no say in how it is started. What is made here comes
from declarations that were checked, by code that mypy checks.
"""

from __future__ import annotations

import typing

_STUB = "_typecheckingstub__"
"""Begins the names of the functions that bindings have for their type hints alone."""


class _Anything(dict[str, object]):
    """The type hints of a function that takes anything."""

    def __missing__(self, _: str) -> object:
        return typing.Any


def leave_unchecked() -> None:
    """Let the bindings check nothing from now on, in this process."""
    evaluated, anything = typing.get_type_hints, _Anything()

    def hints(of: typing.Any, *args: typing.Any, **options: typing.Any) -> dict[str, typing.Any]:
        if getattr(of, "__name__", "").startswith(_STUB):
            return anything
        return evaluated(of, *args, **options)

    vars(typing)["get_type_hints"] = hints  # generated code calls it by this name
