"""Policy documents that others wrote, read into the statements that are written here.

Follows "Grammar of the IAM JSON policy language" in the IAM User Guide. What a statement cannot
express is kept as ``Unreadable``, with the reason: nothing that may grant access is dropped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from .policy import Condition, Principal, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_STATEMENT_KEYS = {
    "Sid",
    "Effect",
    *("Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
    "Condition",
}
_EMPTY: tuple[object, ...] = (None, "", {}, [])


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A statement, or a whole document, that could not be read: it may let or refuse anything."""

    reason: str
    text: str = ""


class _Problem(Exception):  # noqa: N818 - raised and caught here alone
    """Why a statement cannot be expressed."""


def read(document: object) -> tuple[Statement | Unreadable, ...]:
    """Return the statements of a policy document, as JSON text or parsed.

    No policy at all (``None``, an empty text) has no statements. Policy variables are only known to
    version 2012-10-17: in an older document ``${`` is read as the two characters that it is there,
    and written so that it stays them.
    """
    try:
        if isinstance(document, str) and document.strip():
            document = json.loads(
                document, object_pairs_hook=_without_duplicates, parse_constant=_no_constant
            )
        if document in _EMPTY or (isinstance(document, str) and not document.strip()):
            return ()
        return tuple(_statements(document))
    except (_Problem, ValueError) as error:
        return (Unreadable(reason=str(error), text=_text(document)),)


def _statements(document: object) -> Iterator[Statement | Unreadable]:
    if not isinstance(document, dict):
        raise _Problem(f"a policy document is an object, not {_text(document)}")
    if unknown := set(document) - {"Version", "Id", "Statement"}:
        raise _Problem(f"unknown element {_names(unknown)}")
    version = document.get("Version", "2008-10-17")
    if version not in ("2012-10-17", "2008-10-17"):
        raise _Problem(f"unknown version {_text(version)}")
    content = document.get("Statement", [])
    for item in content if isinstance(content, list) else [content]:
        try:
            yield _statement(item, variables=version == "2012-10-17")
        except _Problem as problem:
            yield Unreadable(reason=str(problem), text=_text(item))


def _statement(item: object, *, variables: bool) -> Statement:
    if not isinstance(item, dict):
        raise _Problem(f"a statement is an object, not {_text(item)}")
    if unknown := set(item) - _STATEMENT_KEYS:
        raise _Problem(f"unknown element {_names(unknown)}")
    if item.get("Effect") not in ("Allow", "Deny"):
        raise _Problem(f"the effect is neither Allow nor Deny: {_text(item.get('Effect'))}")
    for name in ("Principal", "Action", "Resource"):
        if name in item and f"Not{name}" in item:
            raise _Problem(f"both {name} and Not{name}")
    if "Action" not in item and "NotAction" not in item:
        raise _Problem("no Action")
    sid = item.get("Sid") or None
    if not isinstance(sid, str | None):
        raise _Problem(f"the Sid is no text: {_text(sid)}")
    return Statement(
        sid=sid,
        effect=cast('Literal["Allow", "Deny"]', item["Effect"]),
        actions=_texts(item, "Action"),
        not_actions=_texts(item, "NotAction"),
        resources=_escaped(_texts(item, "Resource"), variables),
        not_resources=_escaped(_texts(item, "NotResource"), variables),
        principals=_principals(item, "Principal"),
        not_principals=_principals(item, "NotPrincipal"),
        conditions=tuple(_conditions(item.get("Condition", {}), variables=variables)),
    )


def _texts(item: dict[str, Any], name: str) -> tuple[str, ...]:
    if name not in item:
        return ()
    values = item[name] if isinstance(item[name], list) else [item[name]]
    if not values or not all(isinstance(value, str) and value for value in values):
        raise _Problem(f"{name} is no text and no list of texts: {_text(item[name])}")
    return tuple(values)


def _principals(item: dict[str, Any], name: str) -> tuple[Principal, ...]:
    if name not in item:
        return ()
    content = item[name]
    if content in ("*", ["*"]):
        return (Principal(type="*", identifiers=("*",)),)
    if not isinstance(content, dict) or not content:
        raise _Problem(f"{name} names nobody by a known type: {_text(content)}")
    if unknown := set(content) - set(_PRINCIPAL_TYPES):
        raise _Problem(f"unknown type of {name} {_names(unknown)}")
    return tuple(Principal(type=type_, identifiers=_texts(content, type_)) for type_ in content)


def _conditions(content: object, *, variables: bool) -> Iterator[Condition]:
    if not isinstance(content, dict):
        raise _Problem(f"Condition is no object: {_text(content)}")
    for test, keys in content.items():
        if not isinstance(keys, dict):
            raise _Problem(f"the condition {test} is no object: {_text(keys)}")
        for variable, given in keys.items():
            values = tuple(map(_value, given if isinstance(given, list) else [given]))
            has_variables = variables or not ("String" in test or "Arn" in test)
            yield Condition(test=test, variable=variable, values=_escaped(values, has_variables))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise _Problem(f"a condition's value is no text, number or boolean: {_text(value)}")


def _escaped(values: tuple[str, ...], variables: bool) -> tuple[str, ...]:
    return values if variables else tuple(value.replace("${", "${$}{") for value in values)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Problem("an element is given twice")
    return result


def _no_constant(name: str) -> None:
    raise _Problem(f"{name} is no JSON")


def _names(unknown: set[Any]) -> str:
    return ", ".join(repr(name) for name in sorted(map(str, unknown)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
