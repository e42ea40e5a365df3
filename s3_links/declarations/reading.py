"""Reads as much of a configuration as can be read, as the parts that it is made of.

Where something is wrong, the rest is still held against each other: an unreadable field is simply
not there, and a rule that asks for it ends (:class:`.part.UnreadableError`).
"""

from __future__ import annotations

import types
from contextlib import suppress
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError, create_model

from .part import STRICT, Part, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AnyPart = TypeVar("AnyPart", bound=Part)


def readable(model: type[AnyPart], content: Any) -> AnyPart:
    """Return what can be read of ``content`` as a ``model``: of no object nothing can."""
    with suppress(ValidationError):
        return model.model_validate(content)
    values = dict(_fields(model, content)) if isinstance(content, dict) else {}
    part = model.model_construct(set(content) if isinstance(content, dict) else set())
    vars(part).clear()  # it has put in defaults of what is there and cannot be read
    vars(part).update(values)
    return part


def _fields(model: type[Part], content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in content:
            with suppress(UnreadableError):
                yield name, _read(field.annotation, content[key], _alone(model, name))
        elif not field.is_required():
            yield name, field.get_default(call_default_factory=True)


def _read(annotation: Any, value: Any, alone: type[BaseModel] | None = None) -> Any:
    """Return a value with all that can be read in it, part by part, or raise if it has no parts."""
    for branch in branches(annotation):
        kind, of = get_origin(branch), get_args(branch)
        if kind is list and isinstance(value, list) and parts_among(of[0]):
            return [_read(of[0], item) for item in value]
        if kind is dict and isinstance(value, dict) and parts_among(of[1]):
            return {key: _read(of[1], item) for key, item in value.items()}
    if models := parts_among(annotation):
        if value is None and type(None) in branches(annotation):
            return None
        return readable(meant(models, value), value)
    if alone is not None:
        with suppress(ValidationError):
            return vars(alone.model_validate({"value": value}))["value"]
    raise UnreadableError


@cache
def _alone(model: type[Part], name: str) -> type[BaseModel]:
    """Return a model with just this field."""
    field = model.model_fields[name]
    one: Any = (field.annotation, copy(field))
    return create_model(name, __config__=STRICT, value=one)


def parts_among(annotation: Any) -> list[type[Part]]:
    """Return the parts that a value of this type may be."""
    return [b for b in branches(annotation) if isinstance(b, type) and issubclass(b, Part)]


def meant(models: Sequence[type[Part]], value: Any) -> type[Part]:
    """Return which of several models a value is for: its word says so, else its keys do."""
    keys = set(value) if isinstance(value, dict) else set()
    words = [word for key, word in value.items() if key in _DISCRIMINATORS] if keys else []
    for model in models:
        if any(word in tags(model) for word in words):
            return model
    return max(models, key=lambda model: len(keys & set(model.model_fields)))


_DISCRIMINATORS = ("pattern", "backend")


def tags(branch: Any) -> tuple[Any, ...]:
    """Return the words that choose this model among others."""
    is_model = isinstance(branch, type) and issubclass(branch, BaseModel)
    fields = branch.model_fields if is_model else {}
    field = next((fields[name] for name in _DISCRIMINATORS if name in fields), None)
    return get_args(field.annotation) if field else ()


def branches(annotation: Any) -> list[Any]:
    """Return what a union is of, and of anything else that itself."""
    if get_origin(annotation) is Annotated:
        return branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [branch for arg in get_args(annotation) for branch in branches(arg)]
    return [annotation]
