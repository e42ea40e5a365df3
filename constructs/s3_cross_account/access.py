"""What is granted on a bucket, as a plain value: actions, prefixes and conditions.

An :class:`Access` gives both halves of itself, so that they cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from .actions import LIST_GET_PUT, as_listed, known, problems
from .addresses import address_range, not_everything
from .policy import Condition, Principal, Statement, granted_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NO_CONDITIONS", "REFERENCE", "Access", "Conditions"]

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


class Asks(NamedTuple):
    """What a condition asks of a request, from which both halves are written."""

    test: str
    key: str
    """The key of the bucket's half, and of the trust policy: it speaks of the role's side."""
    bucket_key: str | None = None
    """The key of the role's half, where that speaks of the bucket's side instead."""
    of_caller: bool = False
    """Whether the trust policy of a role that is assumed asks it too."""
    of_account: bool = False
    """Whether it asks for the other side's account, and not for what is declared."""

    def values(self, declared: Any, account_id: str | None) -> tuple[str, ...]:
        """Return what the key must have, or nothing where nothing is asked."""
        if self.of_account:
            return (account_id,) if declared and account_id else ()
        if declared is True:
            return ("true",)
        return (declared,) if isinstance(declared, str) else tuple(declared or ())


class Conditions(BaseModel):
    """What a request must fulfil besides coming from the role; written on both halves.

    A new condition is one field here, with what it asks and a docstring: the links file, its
    schema and its errors have it by themselves.

    With AssumeRole the bucket's halves speak of the assumed role. Who assumes it is asked by its
    trust policy, for the organization and the account. The others are not: STS takes encrypted
    connections only, would see an endpoint of its own, not that of S3, and may be reached by
    another way than S3. The caller's half names one role, in one account, and asks nothing more.

    Follows "AWS global condition context keys" in the IAM User Guide.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )

    tls_only: Annotated[bool, Asks("Bool", "aws:SecureTransport")] = False
    """true or false: whether the connection must be encrypted"""

    organization_id: Annotated[
        str | None,
        Asks("StringEquals", "aws:PrincipalOrgID", "aws:ResourceOrgID", of_caller=True),
        Field(pattern=r"^o-[a-z0-9]{10,32}$", examples=["o-a1b2c3d4e5"]),
    ] = None
    """an organization's id (role and bucket must be in it)"""

    vpc_endpoint_ids: Annotated[
        tuple[
            Annotated[
                str,
                Field(
                    description="a VPC endpoint's id",
                    pattern=r"^vpce-[0-9a-f]+$",
                    examples=["vpce-0123abcd"],
                ),
            ],
            ...,
        ],
        Asks("StringEquals", "aws:SourceVpce"),
        Field(strict=False, examples=[["vpce-0123abcd"]]),
    ] = ()
    """a list of VPC endpoint ids (the request must come through one of them)"""

    source_ips: Annotated[
        tuple[
            Annotated[
                str,
                Field(
                    description="a range of public IP addresses (IPv4 or IPv6, as CIDR)",
                    examples=["203.0.113.0/24"],
                ),
                AfterValidator(address_range),
            ],
            ...,
        ],
        Asks("IpAddress", "aws:SourceIp"),
        Field(strict=False, examples=[["203.0.113.0/24", "2001:db8::/32"]]),
        AfterValidator(not_everything),
    ] = ()
    """a list of ranges of public IP addresses (the request must come from one of them). A request
    through a VPC endpoint has no public address and is refused, and so is what an AWS service does
    for the role from addresses of AWS: a function of AWS Lambda, Amazon Athena"""

    same_accounts: Annotated[
        bool,
        Asks(
            "StringEquals",
            "aws:PrincipalAccount",
            "aws:ResourceAccount",
            of_caller=True,
            of_account=True,
        ),
    ] = False
    """true or false: whether role and bucket must still be in the accounts of this declaration"""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if found := "; ".join(self._contradictions()):
            raise ValueError(found)
        return self

    def _contradictions(self) -> Iterator[str]:
        if self.vpc_endpoint_ids and self.source_ips:
            yield (
                'no request fulfils both "vpc_endpoint_ids" and "source_ips": through an endpoint '
                "it has no public address; leave out one of them"
            )

    def of_role(self, *, account_id: str | None) -> tuple[Condition, ...]:
        """Return the conditions of the role's half; ``account_id`` is the bucket's."""
        return self._of(lambda asks: asks.bucket_key or asks.key, account_id)

    def of_bucket(self, *, account_id: str | None) -> tuple[Condition, ...]:
        """Return the conditions of the bucket's half; ``account_id`` is the role's."""
        return self._of(lambda asks: asks.key, account_id)

    def of_caller(self, *, account_id: str | None) -> tuple[Condition, ...]:
        """Return what a trust policy asks of who assumes the role; ``account_id`` is theirs."""
        return self._of(lambda asks: asks.key if asks.of_caller else None, account_id)

    def _of(
        self, key: Callable[[Asks], str | None], account_id: str | None
    ) -> tuple[Condition, ...]:
        return tuple(
            Condition(test=asks.test, variable=variable, values=values)
            for name, asks in _ASKED.items()
            if (variable := key(asks)) and (values := asks.values(getattr(self, name), account_id))
        )


NO_CONDITIONS = Conditions()
"""Nothing is asked but that the request comes from the role."""

_ASKED = {
    name: asks
    for name, field in Conditions.model_fields.items()
    for asks in field.metadata
    if isinstance(asks, Asks)
}


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
    conditions: Conditions = NO_CONDITIONS
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
        conditions = self.conditions.of_role(account_id=account_id)
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
        conditions = extra + self.conditions.of_bucket(account_id=account_id)
        return [
            granted_to(principal, statement, *conditions)
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
