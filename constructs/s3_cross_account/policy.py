"""Policy statements as plain values.

Follows "IAM JSON policy elements reference" in the IAM User Guide. Nothing here needs Node.js: a
statement can be made, compared and rendered in a test of its own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from .actions import ASSUME_ROLE, ASSUME_ROLE_WITH_WEB_IDENTITY, CARRIED, known
from .trusted_services import session_tags, source_of, trust_actions

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Condition",
    "Principal",
    "Statement",
    "deny_without_tls",
    "may_assume",
    "of_account",
    "of_pod",
    "service",
    "trust",
    "trust_pipeline",
    "trust_token",
]

PIPELINE_AUDIENCE = "sts.amazonaws.com"
"""Whom the token of a pipeline's platform is for."""

_OF_TAGS = ("ForAllValues:StringLike", "aws:TagKeys")
"""Asks for the keys of all tags that are passed, and lets in who passes none."""

# Stands for a value that is not known before a deployment, in its longest form: a role's ARN.
_LONGEST_VALUE = "x" * (len("arn:aws-us-gov:iam::123456789012:role/") + 64)
_UNKNOWN = re.compile(r"\$\{(?!aws:)[^}]*\}")


class Reference(str):
    """A reference to what only a deployment knows, with the longest text that it can stand for."""

    longest: str

    def __new__(cls, reference: str, longest: str) -> Self:
        """Return ``reference``, which goes wherever a string does."""
        new = super().__new__(cls, reference)
        new.longest = longest
        return new


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who a resource-based policy speaks of.

    ``type`` is ``"AWS"`` (``identifiers`` are ARNs of roles, users or accounts), ``"Service"``
    (``identifiers`` are service principals such as ``ec2.amazonaws.com``), ``"Federated"``
    (``identifiers`` are ARNs of OIDC providers) or, for everybody, ``"*"``, which only a Deny may
    be for, and what is limited to an organization. ``"CanonicalUser"`` is only read: S3's own name
    of an account.
    """

    type: Literal["AWS", "Service", "Federated", "CanonicalUser", "*"]
    identifiers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition of a statement: ``test`` is the operator, ``variable`` the key."""

    test: str
    variable: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document.

    A statement without ``resources`` belongs to a trust policy, one without ``principals`` to an
    identity policy. ``effect`` left at ``None`` is IAM's and Terraform's default, Allow. What an
    element names by its exceptions (``not_…``) is read from others' policies, never written here.
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[Principal, ...] = ()
    not_principals: tuple[Principal, ...] = ()
    conditions: tuple[Condition, ...] = ()
    sid: str | None = None
    effect: Literal["Allow", "Deny"] | None = None


Naming = tuple[Principal, tuple[Condition, ...]]
"""How a policy names somebody: the principal, and the conditions that belong to it."""


def together(named: Iterable[Naming]) -> list[Naming]:
    """Return those who get the same in as few statements as can say so.

    Principals of one type are named together, and so are the values of a condition that is the
    same but for them.
    """
    merged: dict[object, Naming] = {}
    for principal, conditions in named:
        key: object = (principal, conditions)
        if not conditions:
            key = principal.type
        elif len(conditions) == 1:
            key = (principal, conditions[0].test, conditions[0].variable)
        if key in merged:
            first, asked = merged[key]
            if conditions:
                values = tuple(dict.fromkeys((*asked[0].values, *conditions[0].values)))
                asked = (replace(asked[0], values=values),)
            else:
                names = tuple(dict.fromkeys((*first.identifiers, *principal.identifiers)))
                first = replace(first, identifiers=names)
            principal, conditions = first, asked
        merged[key] = principal, conditions
    return list(merged.values())


def granted_to(principal: Principal, statement: Statement, *conditions: Condition) -> Statement:
    """Return the resource half that belongs to the identity half ``statement``."""
    return replace(
        statement,
        effect="Allow",
        principals=(principal,),
        conditions=statement.conditions + conditions,
    )


def may_assume(role_arn: str, *, sid: str, carried: tuple[str, ...] = ()) -> Statement:
    """Return the caller's half of an AssumeRole: its permission to take on ``role_arn``.

    ``carried`` is what its sessions bring along, of :data:`CARRIED`.
    """
    return Statement(sid=sid, actions=(*ASSUME_ROLE, *carried), resources=(role_arn,))


def account_root(partition: str, account_id: str) -> Principal:
    """Return an account as a principal: whomever its administrators let."""
    return Principal(type="AWS", identifiers=(f"arn:{partition}:iam::{account_id}:root",))


def service(name: str) -> Principal:
    """Return an AWS service as a principal, such as ``ec2.amazonaws.com``."""
    return Principal(type="Service", identifiers=(name,))


def trust(
    principal: Principal, *conditions: Condition, external_id: str | None = None
) -> Statement:
    """Return the role's half of an AssumeRole: a trust policy's statement for ``principal``.

    With ``external_id``, a caller has to give it: see "Access to AWS accounts owned by third
    parties" in the IAM User Guide. A service is allowed what its trust is known to need.
    """
    if external_id:
        given = Condition(test="StringEquals", variable="sts:ExternalId", values=(external_id,))
        conditions = (*conditions, given)
    services = principal.identifiers if principal.type == "Service" else ()
    needed = (action for name in services for action in trust_actions(name))
    return Statement(
        actions=tuple(dict.fromkeys((*ASSUME_ROLE, *needed))),
        principals=(principal,),
        conditions=conditions,
    )


def of_account(service_name: str, *, partition: str, account_id: str) -> tuple[Condition, ...]:
    """Return the conditions by which a trust policy lets a service act for one account only.

    A service acts for many, and could be made to take on a role for another one: see "The confused
    deputy problem" in the IAM User Guide. Nothing is asked of a service whose own document does not
    say that it tells: :data:`~s3_cross_account.trusted_services.SOURCES`.
    """
    asked = source_of(service_name, partition=partition, account_id=account_id)
    return tuple(
        Condition(test=test, variable=variable, values=(value,))
        for variable, (test, value) in asked.items()
    )


def carried(trust: Iterable[Statement]) -> tuple[str, ...]:
    """Return what sessions of a role with this trust policy bring along to the next role."""
    allowed = {action for statement in trust for action in statement.actions}
    return tuple(action for action in CARRIED if action in allowed)


def tags_of(trust: Iterable[Statement]) -> tuple[str, ...]:
    """Return the keys of the session tags that sessions of a role with this trust policy have."""
    found: dict[str, None] = {}
    for statement in trust:
        services = [n for p in statement.principals if p.type == "Service" for n in p.identifiers]
        found |= dict.fromkeys(key for name in services for key in session_tags(name))
        passed = [c.values for c in statement.conditions if (c.test, c.variable) == _OF_TAGS]
        found |= dict.fromkeys(key for keys in passed for key in keys)
    return tuple(found)


def passing(tags: tuple[str, ...], asked: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return what is asked of who passes tags on to a role: that they are none of its own choice.

    A session's tags say whose keys it may read, where a prefix has ``{principal_tag:...}``: whoever
    assumes a role could name any. What ``asked`` says of the tags' keys itself stands.

    Follows "Pass session tags in AWS STS" in the IAM User Guide.
    """
    test, variable = _OF_TAGS
    if not tags or any(condition.variable == variable for condition in asked):
        return asked
    return *asked, Condition(test=test, variable=variable, values=tags)


def allows_everybody(statement: Statement) -> bool:
    """Whether a statement gives something to everybody, and not to one organization alone."""
    named = [text for p in statement.principals for text in (p.type, *p.identifiers)]
    within = any(
        (c.test, c.variable) == ("StringEquals", "aws:PrincipalOrgID")
        and not {"*", "?", "$"} & {sign for value in c.values for sign in value}
        for c in statement.conditions
    )
    return statement.effect != "Deny" and "*" in named and not within


def trust_pipeline(provider_arn: str, *conditions: Condition) -> Statement:
    """Return a trust policy's statement for a pipeline that an OIDC provider vouches for.

    Follows "Create a role for OpenID Connect federation" in the IAM User Guide.
    """
    return Statement(
        actions=ASSUME_ROLE_WITH_WEB_IDENTITY,
        principals=(Principal(type="Federated", identifiers=(provider_arn,)),),
        conditions=conditions,
    )


def trust_token(
    provider_arn: str, *, issuer: str, audience: str, subjects: tuple[str, ...]
) -> Statement:
    """Return a trust policy's statement for whoever has a token of an OIDC provider.

    ``issuer`` is the provider's address without ``https://``. The token has to be for ``audience``
    and about one of ``subjects``, in which ``*`` may stand.

    Follows "Create a role for OpenID Connect federation" in the IAM User Guide.
    """
    test = "StringLike" if any("*" in subject for subject in subjects) else "StringEquals"
    return trust_pipeline(
        provider_arn,
        Condition(test="StringEquals", variable=f"{issuer}:aud", values=(audience,)),
        Condition(test=test, variable=f"{issuer}:sub", values=subjects),
    )


def of_pod(*, namespace: str, service_account: str, cluster_arn: str) -> tuple[Condition, ...]:
    """Return the conditions of a trust policy that only EKS Pod Identity for one account fulfils.

    They ask for the session tags that it sets, of a Kubernetes service account in a cluster.

    Follows "Create IAM role with trust policy required by EKS Pod Identity" and "Grant Pods access
    to AWS resources based on tags" in the Amazon EKS User Guide.
    """
    asked = {
        "eks-cluster-arn": cluster_arn,
        "kubernetes-namespace": namespace,
        "kubernetes-service-account": service_account,
    }
    return tuple(
        Condition(test="StringEquals", variable=f"aws:RequestTag/{tag}", values=(value,))
        for tag, value in asked.items()
    )


def deny_without_tls(bucket_arn: str) -> Statement:
    """Return the statement that refuses every request to a bucket that is not encrypted.

    It cannot lock out who deploys: AWS's own tools always use TLS. Follows "Security best
    practices for Amazon S3" in the Amazon S3 User Guide.
    """
    return Statement(
        sid="DenyWithoutTls",
        effect="Deny",
        actions=("s3:*",),
        resources=(bucket_arn, f"{bucket_arn}/*"),
        principals=(Principal(type="*", identifiers=("*",)),),
        conditions=(Condition(test="Bool", variable="aws:SecureTransport", values=("false",)),),
    )


def unique_sids(statements: Iterable[Statement]) -> list[Statement]:
    """Return ``statements`` with repeated sids numbered, as one document needs them."""
    statements = list(statements)
    taken = {statement.sid for statement in statements}
    seen: dict[str, int] = {}
    result = []
    for statement in statements:
        if statement.sid is None:
            result.append(statement)
            continue
        count = seen.get(statement.sid, 0) + 1
        while count > 1 and f"{statement.sid}{count}" in taken:  # an alias may end with a number
            count += 1
        seen[statement.sid] = count
        sid = statement.sid if count == 1 else f"{statement.sid}{count}"
        result.append(replace(statement, sid=sid))
    return result


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return the policy document of ``statements`` as AWS's JSON has it."""
    return {"Version": "2012-10-17", "Statement": [_rendered(s) for s in unique_sids(statements)]}


def asking(statement: Statement, *conditions: Condition) -> Statement:
    """Return ``statement`` with further conditions."""
    return replace(statement, conditions=statement.conditions + conditions)


def compacted(statements: Iterable[Statement]) -> list[Statement]:
    """Return statements that let the same in fewer words.

    What is for the same principals under the same conditions is put together where every pair of
    action and resource that comes up is one that S3 does not know: a bucket's action on objects, or
    an object's on a bucket.
    """
    merged: list[Statement] = []
    for new in statements:
        for number, other in enumerate(merged):
            if _of_same(other, new) and not (_of_s3(other) & _of_s3(new)):
                merged[number] = replace(
                    other,
                    actions=(*other.actions, *new.actions),
                    resources=(*other.resources, *new.resources),
                )
                break
        else:
            merged.append(new)
    return merged


def join(statements: list[Statement], new: Statement) -> None:
    """Add a statement to others; what differs from one of them in its actions alone joins it."""
    for number, other in enumerate(statements):
        if _of_same(other, new) and other.resources == new.resources:
            actions = tuple(dict.fromkeys((*other.actions, *new.actions)))
            statements[number] = replace(other, actions=actions)
            return
    statements.append(new)


def _of_same(one: Statement, other: Statement) -> bool:
    def without(statement: Statement) -> Statement:
        return replace(statement, sid=None, actions=(), resources=())

    return without(one) == without(other)


def _of_s3(statement: Statement) -> set[str]:
    """Return what a statement is of, buckets or objects, or both where that is not plain."""
    kinds = {"object" if "/" in resource else "bucket" for resource in statement.resources}
    for kind in ("bucket", "object"):
        if kinds == {kind} and {*statement.actions} <= known(kind):
            return kinds
    return {"bucket", "object"}


def size(statements: Iterable[Statement]) -> int:
    """Return how long the document can get, in characters as AWS counts them.

    A value that is not known before a deployment counts with the longest that it can have.
    """
    longest = document(map(_longest, statements))
    rendered = json.dumps(longest, separators=(",", ":"))
    return len(_UNKNOWN.sub(_LONGEST_VALUE, rendered))


def _longest(statement: Statement) -> Statement:
    def told(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(getattr(value, "longest", value) for value in values)

    return replace(
        statement,
        principals=tuple(replace(p, identifiers=told(p.identifiers)) for p in statement.principals),
        conditions=tuple(replace(c, values=told(c.values)) for c in statement.conditions),
        resources=told(statement.resources),
    )


def _rendered(statement: Statement) -> dict[str, Any]:
    rendered: dict[str, Any] = {"Sid": statement.sid} if statement.sid else {}
    rendered["Effect"] = statement.effect or "Allow"
    if statement.principals:
        rendered["Principal"] = _principals(statement.principals)
    if statement.not_principals:
        rendered["NotPrincipal"] = _principals(statement.not_principals)
    if statement.not_actions:
        rendered["NotAction"] = _one_or_list(statement.not_actions)
    else:
        rendered["Action"] = _one_or_list(statement.actions)
    if statement.resources:
        rendered["Resource"] = _one_or_list(statement.resources)
    if statement.not_resources:
        rendered["NotResource"] = _one_or_list(statement.not_resources)
    conditions: dict[str, dict[str, Any]] = {}
    for condition in statement.conditions:
        values = _one_or_list(condition.values)
        conditions.setdefault(condition.test, {})[condition.variable] = values
    return rendered | ({"Condition": conditions} if conditions else {})


def _principals(principals: tuple[Principal, ...]) -> Any:
    if any(principal.type == "*" for principal in principals):
        return "*"
    identifiers: dict[str, tuple[str, ...]] = {}
    for principal in principals:
        identifiers[principal.type] = identifiers.get(principal.type, ()) + principal.identifiers
    return {type_: _one_or_list(names) for type_, names in identifiers.items()}


def _one_or_list(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
