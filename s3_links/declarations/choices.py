"""How the choices between a part's fields stand in the JSON schema, for editors."""

from __future__ import annotations

from typing import Any


def given(key: str) -> dict[str, Any]:
    """Return the schema of what has a value for ``key``: null is none."""
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def one_of(*keys: str) -> dict[str, Any]:
    """Return the schema of what has just one of these keys."""
    return {"oneOf": [given(key) for key in keys]}


def without(*keys: str) -> dict[str, Any]:
    """Return the schema of what has none of these keys."""
    return {"not": {"anyOf": [given(key) for key in keys]}}


def when(condition: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what fulfils ``then``, if it fulfils the condition."""
    return {"if": condition, "then": then}


def filled(key: str) -> dict[str, Any]:
    """Return the schema of what has a list with something in it."""
    return {"required": [key], "properties": {key: {"minItems": 1}}}


def is_(**values: Any) -> dict[str, Any]:
    """Return the schema of what has these values."""
    return {
        "required": list(values),
        "properties": {key: {"enum": value} for key, value in values.items()},
    }
