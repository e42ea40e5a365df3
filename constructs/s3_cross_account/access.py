"""What is granted on a bucket, as a plain value: actions, prefixes and conditions.

An :class:`Access` gives both halves of itself, so that they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .actions import LIST_GET_PUT, known, problems
from .policy import Condition, Principal, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a request must fulfil besides coming from the role; written on both halves.

    ``tls_only`` asks for an encrypted connection, ``organization_id`` (``o-...``) that role and
    bucket are in that organization, ``vpc_endpoint_ids`` (``vpce-...``) that the request comes
    through one of these endpoints, and ``same_accounts`` that role and bucket still are in the
    accounts of this declaration.

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


@dataclass(frozen=True, kw_only=True)
class Access:
    """What is granted on a bucket.

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
        found = problems(self.actions)
        if not self.actions:
            found.append("no action is granted: name one at least")
        for prefix in self.prefixes:
            if not prefix.endswith("/") or prefix == "/" or set("*?$%") & set(prefix):
                found.append(f"the prefix {prefix!r} must end with '/' and hold no *, ?, $ or %")
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


REFERENCE = Access(as_one_statement=True)
"""The three actions of the reference deployment, in one statement."""
