"""Policy statements as plain values.

Follows "IAM JSON policy elements reference" in the IAM User Guide. Nothing here needs Node.js: a
statement can be made, compared and rendered in a test of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from .actions import ASSUME_ROLE, LIST_GET_PUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who a resource-based policy speaks of.

    ``type`` is ``"AWS"`` (``identifiers`` are ARNs of roles, users or accounts) or ``"Service"``
    (``identifiers`` are service principals such as ``ec2.amazonaws.com``).
    """

    type: Literal["AWS", "Service"]
    identifiers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document.

    A statement without ``resources`` belongs to a trust policy, one without ``principals`` to an
    identity policy. ``effect`` left at ``None`` is IAM's and Terraform's default, Allow.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    principals: tuple[Principal, ...] = ()
    sid: str | None = None
    effect: Literal["Allow", "Deny"] | None = None


def s3_access(bucket_arn: str, *, sid: str, actions: Sequence[str] = LIST_GET_PUT) -> Statement:
    """Return the identity half of an access to a bucket and every object in it."""
    return Statement(sid=sid, actions=tuple(actions), resources=(bucket_arn, f"{bucket_arn}/*"))


def named_in_bucket_policy(access: Statement, role_arn: str, *, sid: str) -> Statement:
    """Return the resource half of ``access``: the same, with the role as its principal."""
    principal = Principal(type="AWS", identifiers=(role_arn,))
    return replace(access, sid=sid, effect="Allow", principals=(principal,))


def may_assume(role_arn: str, *, sid: str) -> Statement:
    """Return the caller's half of an AssumeRole: its permission to take on ``role_arn``."""
    return Statement(sid=sid, actions=ASSUME_ROLE, resources=(role_arn,))


def trust(type_: Literal["AWS", "Service"], *identifiers: str) -> Statement:
    """Return the role's half of an AssumeRole: a trust policy's statement for ``identifiers``."""
    principal = Principal(type=type_, identifiers=identifiers)
    return Statement(actions=ASSUME_ROLE, principals=(principal,))


def unique_sids(statements: Iterable[Statement]) -> list[Statement]:
    """Return ``statements`` with repeated sids numbered, as one document needs them."""
    seen: dict[str, int] = {}
    result = []
    for statement in statements:
        if statement.sid is None:
            result.append(statement)
            continue
        count = seen[statement.sid] = seen.get(statement.sid, 0) + 1
        sid = statement.sid if count == 1 else f"{statement.sid}{count}"
        result.append(replace(statement, sid=sid))
    return result


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return the policy document of ``statements`` as AWS's JSON has it."""
    return {"Version": "2012-10-17", "Statement": [_rendered(s) for s in unique_sids(statements)]}


def _rendered(statement: Statement) -> dict[str, Any]:
    rendered: dict[str, Any] = {"Sid": statement.sid} if statement.sid else {}
    rendered["Effect"] = statement.effect or "Allow"
    if statement.principals:
        rendered["Principal"] = {p.type: _one_or_list(p.identifiers) for p in statement.principals}
    rendered["Action"] = _one_or_list(statement.actions)
    if statement.resources:
        rendered["Resource"] = _one_or_list(statement.resources)
    return rendered


def _one_or_list(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
