"""Makes constructs without having each of their arguments checked once more.

The bindings hold every argument against its type hints, which they evaluate anew each time: a third
of a synthesis. ``python -O`` leaves that out, but how it is started is not up to a program. What is
made here comes from checked declarations, by code that mypy checks, so it is left out here, too.
"""

from __future__ import annotations

import typing

_STUB = "_typecheckingstub__"
"""Begins the names of the functions whose only purpose is their type hints."""


class _Anything(dict[str, object]):
    """The type hints of a function that takes anything."""

    def __missing__(self, _: str) -> object:
        return typing.Any


def leave_unchecked() -> None:
    """Check no argument of a binding from now on, in this process."""
    import typeguard

    evaluated, anything = typing.get_type_hints, _Anything()

    def hints(of: typing.Any, *args: typing.Any, **options: typing.Any) -> dict[str, typing.Any]:
        if getattr(of, "__name__", "").startswith(_STUB):
            return anything
        return evaluated(of, *args, **options)

    # Generated code calls these by this name.
    vars(typing)["get_type_hints"] = hints
    typeguard.check_type = lambda *_, **__: None
