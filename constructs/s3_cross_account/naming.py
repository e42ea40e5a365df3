"""How policies name whoever has no ARN of its own there: plain values, without Node.js."""

from __future__ import annotations

from .policy import Condition


def organization_limits(id_: str, path: str | None) -> tuple[Condition, ...]:
    """Return the conditions that only somebody in the organization, or in its unit, fulfils."""
    within = Condition(test="StringEquals", variable="aws:PrincipalOrgID", values=(id_,))
    if path is None:
        return (within,)
    # The key has several values, one for each path of the account.
    test = "ForAnyValue:StringLike"
    return within, Condition(test=test, variable="aws:PrincipalOrgPaths", values=(path,))


def permission_set_arns(partition: str, account_id: str, name: str) -> tuple[str, ...]:
    """Return patterns of the ARNs that the role of a permission set may have in an account.

    Its path has the region of IAM Identity Center, but for us-east-1. Its name ends with 16
    characters: ``*`` in their place would also mean the permission sets whose names begin alike.
    """
    path = f"arn:{partition}:iam::{account_id}:role/aws-reserved/sso.amazonaws.com"
    role = f"AWSReservedSSO_{name}_{'?' * 16}"
    return f"{path}/*/{role}", f"{path}/{role}"


def arns_by_name(
    partition: str, account_id: str, kind: str, name: str, path: str | None
) -> tuple[str, ...]:
    """Return the ARNs that a role or a user may have, with a pattern for an unknown path."""
    start = f"arn:{partition}:iam::{account_id}:{kind}"
    return (f"{start}{path}{name}",) if path else (f"{start}/{name}", f"{start}/*/{name}")
