"""What is granted on a bucket, as a plain value: actions, prefixes and conditions.

An :class:`Access` gives both halves of itself, so that they cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .actions import LIST_GET_PUT, as_listed, known, problems
from .policy import Condition, Principal, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_LIMIT = 1024
"""Bytes of an object's key: "Naming Amazon S3 objects" in the Amazon S3 User Guide."""

# What a prefix cannot hold, because it also stands in policies: "IAM and AWS STS quotas" in the IAM
# User Guide has their alphabet. Terraform makes a policy variable, ${...}, of &{...}.
_UNWRITABLE = (
    (r"[*?]", "* and ? stand for anything in a policy"),
    (r"[$%]|&\{", "$, % and &{ begin an expression"),
    (r"[\x00-\x1f\x7f-\x9f]", "it has a control character"),
    (r"[^\x00-\xff]", "IAM's policies take no characters beyond U+00FF"),
)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a request must fulfil besides coming from the role; written on both halves.

    ``tls_only`` asks for an encrypted connection, ``organization_id`` (``o-...``) that role and
    bucket are in that organization, ``vpc_endpoint_ids`` (``vpce-...``) that the request comes
    through one of these endpoints, and ``same_accounts`` that role and bucket still are in the
    accounts of this declaration.

    With AssumeRole the bucket's halves speak of the assumed role. Who assumes it is asked by its
    trust policy, for the organization and the account. The other two are not: STS takes encrypted
    connections only, and would see an endpoint of its own, not that of S3. The caller's half names
    one role, in one account, and asks nothing more.

    Follows "AWS global condition context keys" in the IAM User Guide.
    """

    tls_only: bool = False
    organization_id: str | None = None
    vpc_endpoint_ids: tuple[str, ...] = ()
    same_accounts: bool = False

    def of_half(
        self, *, organization_key: str, account_key: str, account_id: str | None
    ) -> tuple[Condition, ...]:
        """Return the conditions of one half; its keys name the other side."""
        found: list[tuple[str, str, tuple[str, ...]]] = []
        if self.tls_only:
            found.append(("Bool", "aws:SecureTransport", ("true",)))
        if self.organization_id:
            found.append(("StringEquals", organization_key, (self.organization_id,)))
        if self.vpc_endpoint_ids:
            found.append(("StringEquals", "aws:SourceVpce", self.vpc_endpoint_ids))
        if self.same_accounts and account_id:
            found.append(("StringEquals", account_key, (account_id,)))
        return tuple(Condition(test=t, variable=k, values=v) for t, k, v in found)

    def of_caller(self, *, account_id: str | None) -> tuple[Condition, ...]:
        """Return what a trust policy asks of who assumes the role; ``account_id`` is theirs."""
        return replace(self, tls_only=False, vpc_endpoint_ids=()).of_half(
            organization_key="aws:PrincipalOrgID",
            account_key="aws:PrincipalAccount",
            account_id=account_id,
        )


@dataclass(frozen=True, kw_only=True)
class Access:
    """What is granted on a bucket.

    ``actions`` may be written in any case: IAM ignores it, and they are kept as AWS lists them.
    ``prefixes`` limits the objects and the listing to what lies below them; each ends with ``/``.
    ``as_one_statement`` puts bucket and object actions together on both ARNs, as the reference
    does: AWS ignores the pairs that do not fit, so this grants no more.
    """

    actions: tuple[str, ...] = LIST_GET_PUT
    prefixes: tuple[str, ...] = ()
    conditions: Conditions = Conditions()
    as_one_statement: bool = False

    def __post_init__(self) -> None:
        """Refuse what S3 does not know, and what would grant more than it says."""
        object.__setattr__(self, "actions", as_listed(self.actions))
        found = problems(self.actions)
        if not self.actions:
            found.append("no action is granted: name one at least")
        found += [
            f"the prefix {prefix!r} cannot be used: {problem}"
            for prefix in self.prefixes
            for problem in _prefix_problems(prefix)
        ]
        if self.prefixes and "s3:ListBucketMultipartUploads" in self.actions:
            found.append(
                "'s3:ListBucketMultipartUploads' cannot be limited to a prefix: remove one of them"
            )
        if found:
            raise ValueError("; ".join(found))

    def identity_half(
        self, bucket_arn: str, *, sid: str, account_id: str | None = None
    ) -> list[Statement]:
        """Return the statements of the role's policy; ``account_id`` is the bucket's."""
        conditions = self.conditions.of_half(
            organization_key="aws:ResourceOrgID",
            account_key="aws:ResourceAccount",
            account_id=account_id,
        )
        return [
            replace(statement, conditions=statement.conditions + conditions)
            for statement in self._statements(bucket_arn, sid)
        ]

    def resource_half(
        self,
        bucket_arn: str,
        *,
        sid: str,
        principal: Principal,
        account_id: str | None = None,
        extra: tuple[Condition, ...] = (),
    ) -> list[Statement]:
        """Return the bucket policy's statements; ``account_id`` is the role's."""
        conditions = extra + self.conditions.of_half(
            organization_key="aws:PrincipalOrgID",
            account_key="aws:PrincipalAccount",
            account_id=account_id,
        )
        return [
            replace(
                statement,
                effect="Allow",
                principals=(principal,),
                conditions=statement.conditions + conditions,
            )
            for statement in self._statements(bucket_arn, sid)
        ]

    def _statements(self, bucket_arn: str, sid: str) -> Iterator[Statement]:
        if self.as_one_statement and not self.prefixes:
            resources = (bucket_arn, f"{bucket_arn}/*")
            yield Statement(sid=sid, actions=self.actions, resources=resources)
            return
        on_bucket = tuple(a for a in self.actions if a in known("bucket"))
        listing = tuple(a for a in on_bucket if self.prefixes and a in known("prefix"))
        others = tuple(a for a in on_bucket if a not in listing)
        on_objects = tuple(a for a in self.actions if a in known("object"))
        if listing:
            values = tuple(v for prefix in self.prefixes for v in (prefix, f"{prefix}*"))
            yield Statement(
                sid=f"{sid}Listing",
                actions=listing,
                resources=(bucket_arn,),
                conditions=(Condition(test="StringLike", variable="s3:prefix", values=values),),
            )
        if others:
            yield Statement(sid=f"{sid}Bucket", actions=others, resources=(bucket_arn,))
        if on_objects:
            below = self.prefixes or ("",)
            yield Statement(
                sid=f"{sid}Objects",
                actions=on_objects,
                resources=tuple(f"{bucket_arn}/{prefix}*" for prefix in below),
            )


def _prefix_problems(prefix: str) -> Iterator[str]:
    if not prefix.endswith("/") or prefix == "/":
        yield "it must end with '/', and have a name before it"
    for unwritable, problem in _UNWRITABLE:
        if re.search(unwritable, prefix):
            yield f"{problem}; choose another"
    if (length := len(prefix.encode())) > KEY_LIMIT:
        yield f"it has {length} bytes, and S3's keys {KEY_LIMIT} at most"


REFERENCE = Access(as_one_statement=True)
"""The three actions of the reference deployment, in one statement."""
