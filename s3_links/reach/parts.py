"""Statements as sets of parts, by which documents are compared that say the same otherwise."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable

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
    conditions = frozenset((c.test, c.variable, frozenset(c.values)) for c in statement.conditions)
    principals = [f"{p.type} {i}" for p in statement.principals for i in p.identifiers]
    rest = (
        statement.effect or "Allow",
        statement.not_actions,
        statement.not_resources,
        statement.not_principals,
        conditions,
    )
    each = product(statement.actions or [""], statement.resources or [""], principals or [""])
    return frozenset((*part, *rest) for part in each)
