"""Statements as sets of parts, by which documents are compared that say the same otherwise."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable

from .actions import resource_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from s3_cross_account.policy import Statement

    Statements = tuple[Statement | Unreadable, ...]


def aligned(asked: Sequence[Statement], there: Iterable[Statement | Unreadable]) -> Statements:
    """Return what is asked in the statements that are there, as far as they say so much at most."""
    wanted = {part for statement in asked for part in parts(statement)}
    kept = [s for s in there if not isinstance(s, Unreadable) and parts(s) <= wanted]
    left = wanted.difference(*map(parts, kept))
    return (*kept, *(statement for statement in asked if parts(statement) & left))


def parts(statement: Statement | Unreadable) -> frozenset[object]:
    """Return the parts of a statement: of one action, one resource and one principal each."""
    if isinstance(statement, Unreadable):
        return frozenset([statement])
    principals = [f"{p.type} {i}" for p in statement.principals for i in p.identifiers]
    rest = (
        statement.effect or "Allow",
        statement.not_actions,
        statement.not_resources,
        statement.not_principals,
    )
    each = product(
        statement.actions or [""],
        statement.resources or [""],
        principals or [""],
        _conditions(statement),
    )
    return frozenset((*part, *rest) for part in each if _possible(*part[:2]))


def _conditions(statement: Statement) -> list[frozenset[object]]:
    """Return the conditions under which it holds, for each ARN and organization that one names."""
    one_of = [
        [(c.test, c.variable, frozenset([value])) for value in c.values]
        if (c.test, c.variable.lower()) in _NAMING
        else [(c.test, c.variable, frozenset(c.values))]
        for c in statement.conditions
    ]
    return [frozenset(each) for each in product(*one_of)]


_NAMING = (
    *(("ArnEquals", "aws:principalarn"), ("ArnLike", "aws:principalarn")),
    ("StringEquals", "aws:principalorgid"),
)
"""By what a statement names whom it is for, in the place of principals."""


def _possible(action: str, resource: str) -> bool:
    """Return whether there are such requests: S3 has no bucket's action on objects, and vice versa.

    Policies are shorter that name both kinds of action with both kinds of resource.
    """
    if ":s3:::" not in resource or not action.startswith("s3:"):
        return True
    types = resource_types(action)
    if "/" in resource:
        return "bucket" not in types or "object" in types
    return "object" not in types or "bucket" in types or "*" in resource or "?" in resource
