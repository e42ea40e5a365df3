"""What every part of a configuration is, and what is asked of all of them.

The shape of a part is its fields. What these show only together are its rules: they are asked of
whatever could be read, so that one mistake never hides another (:mod:`.reading`).
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Place = tuple[str | int, ...]
Problem = tuple[Place, str]
"""Where something is wrong in a file; what, and how to mend it."""
Of = TypeVar("Of", bound="Part")
Method = TypeVar("Method", bound="Callable[..., Iterator[Any]]")

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
"""Of a part of a configuration: no unknown keys, no values of another type."""


class UnreadableError(Exception):
    """A rule asked for a value that is missing or not as it should be, which is told elsewhere."""


class Part(BaseModel):
    """A part: no unknown keys, and no values of another type."""

    model_config = STRICT

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise UnreadableError(name)
            return super().__getattr__(name)


def whole(part: Part) -> bool:
    """Return whether every field of a part could be read."""
    return vars(part).keys() >= type(part).model_fields.keys()


def rule(method: Method) -> Method:
    """Mark what yields the problems that a part's fields show together, placed within it.

    One idea each: a rule ends where it asks for what could not be read, and the others go on.
    """
    return _marked(method, "rule")


def claim(method: Method) -> Method:
    """Mark what yields that which only one declaration can have; it ends as a rule does."""
    return _marked(method, "claim")


def _marked(method: Method, kind: str) -> Method:
    method.kind = kind  # type: ignore[attr-defined]
    return method


def told(part: Part, kind: str) -> Iterator[Any]:
    """Yield what the part's methods of this kind do, those of its bases first."""
    for method in _methods(type(part), kind):
        with suppress(UnreadableError):
            yield from method(part)


@cache
def _methods(part: type[Part], kind: str) -> list[Callable[[Part], Iterator[Any]]]:
    named = {name: it for base in reversed(part.__mro__) for name, it in vars(base).items()}
    return [it for it in named.values() if getattr(it, "kind", None) == kind]


def parts(value: Any, of: type[Of], place: Place = ()) -> Iterator[tuple[Place, Of]]:
    """Yield the parts of this type in a value, itself among them, with their places."""
    if isinstance(value, of):
        yield place, value
    inside: Any = ()
    if isinstance(value, Part):
        inside = vars(value).items()
    elif isinstance(value, list):
        inside = enumerate(value)
    elif isinstance(value, dict):
        inside = value.items()
    for key, item in inside:
        if isinstance(item, Part | list | dict):
            yield from parts(item, of, (*place, key))


def contradictions(configuration: Part) -> Iterator[Problem]:
    """Yield what the rules of all parts find."""
    for place, part in parts(configuration, Part):
        for inner, problem in told(part, "rule"):
            yield (*place, *inner), problem
