"""What one document says of one request: the statements that let it, and those that refuse it.

Follows "IAM JSON policy elements reference" in the IAM User Guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from s3_cross_account.reading import Unreadable
from s3_links.world import OF_RESOURCES

from .conditions import holds
from .logic import Formula, Unknown, contrary, every, some
from .matching import action_matches, resource_matches
from .principals import Named, excepted, named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from s3_cross_account.policy import Statement
    from s3_links.world import Document, Principal

    from .matching import Context

_NAME_PRINCIPALS = frozenset({*OF_RESOURCES} | {"resource control policy", "VPC endpoint policy"})


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, with what is known of its keys; ``bounded``: the caller has a boundary."""

    who: Principal
    action: str
    resource: str
    context: Context
    bounded: bool


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A statement that speaks of the request, how it names the caller, and whether it applies."""

    document: Document
    statement: Statement | Unreadable
    effect: Literal["Allow", "Deny"]
    how: Named
    applies: Formula


def lets(findings: Iterable[Finding], *hows: Named) -> Formula:
    """Return when any of ``findings`` lets the request, naming the caller in one of ``hows``."""
    hows = hows or tuple(Named)
    return some(*(f.applies for f in findings if f.effect == "Allow" and f.how in hows))


def denies(findings: Iterable[Finding]) -> Formula:
    """Return when any of ``findings`` refuses the request."""
    return some(*(f.applies for f in findings if f.effect == "Deny"))


def findings(document: Document, asked: Asked) -> list[Finding]:
    """Return what ``document`` says of a request."""
    result = []
    for statement in document.statements:
        if isinstance(statement, Unreadable):
            result += _either(document, statement)
            continue
        applies = _applies(statement, document, asked)
        if applies is False:
            continue
        effect: Literal["Allow", "Deny"] = statement.effect or "Allow"
        for how, means in _named(statement, document, asked):
            together = every(applies, means)
            if together is not False:
                finding = Finding(
                    document=document,
                    statement=statement,
                    effect=effect,
                    how=how,
                    applies=together,
                )
                result.append(finding)
    return result


def _either(document: Document, statement: Unreadable) -> list[Finding]:
    where = f"the {document.kind} {document.name}"
    allows = Unknown(f"{where} allows it in what can't be read: {statement.reason}")
    denies = Unknown(f"{where} denies it in what can't be read: {statement.reason}")
    part = partial(Finding, document=document, statement=statement, how=Named.DIRECTLY)
    return [part(effect="Allow", applies=allows), part(effect="Deny", applies=denies)]


def _named(statement: Statement, document: Document, asked: Asked) -> list[tuple[Named, Formula]]:
    who = asked.who
    if document.kind not in _NAME_PRINCIPALS:
        return [(Named.DIRECTLY, True)]
    if not statement.not_principals:
        return named(statement.principals, who)
    if statement.effect == "Deny":
        left_out = excepted(statement.not_principals, who, bounded=asked.bounded)
        return [(Named.DIRECTLY, contrary(left_out))]
    # AWS does not support it any more; where it stands, it lets everybody else in.
    found = named(statement.not_principals, who)
    if who.kind in ("user", "role") and all(how is Named.ACCOUNT for how, _ in found):
        unclear = Unknown(f"NotPrincipal, which names the account alone, means {who}")
        return [(Named.DIRECTLY, unclear if found else True)]
    return [(Named.DIRECTLY, contrary(some(*(formula for _, formula in found))))]


def _applies(statement: Statement, document: Document, asked: Asked) -> Formula:
    patterns = statement.not_actions or statement.actions
    covered = any(action_matches(pattern, asked.action) for pattern in patterns)
    if covered is bool(statement.not_actions):
        return False
    on = _on(statement, document, asked)
    if on is False:
        return False
    return every(on, *(holds(condition, asked.context) for condition in statement.conditions))


def _on(statement: Statement, document: Document, asked: Asked) -> Formula:
    arn, context = asked.resource, asked.context
    if statement.not_resources:
        excepted_ = (
            resource_matches(pattern, arn, context, negated=True)
            for pattern in statement.not_resources
        )
        return contrary(some(*excepted_))
    if statement.resources:
        return some(*(resource_matches(p, arn, context) for p in statement.resources))
    if document.kind == "trust policy":
        return True
    return Unknown(f"the {document.kind} {document.name}, which names no resource, means {arn}")
