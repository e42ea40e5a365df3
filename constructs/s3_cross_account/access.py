"""What is granted on a bucket, as a plain value: actions, prefixes and conditions.

An :class:`Access` gives both halves of itself, so that they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from . import condition_keys
from .actions import (
    ASSUME_ROLE,
    KEY_USE,
    LIST_GET_PUT,
    OF_THE_WHOLE_BUCKET,
    as_listed,
    known,
    problems,
)
from .addresses import address_range, not_everything
from .policy import Condition, Principal, Statement, granted_to
from .prefixes import as_pattern, prefix_problems
from .through import objects_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["NO_CONDITIONS", "REFERENCE", "Access", "Conditions"]


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
    of_session: bool = True
    """Whether the halves of a role that is assumed ask it, and not its trust policy alone."""

    def values(self, declared: Any, account_id: str | None) -> tuple[str, ...]:
        """Return what the key must have, or nothing where nothing is asked."""
        if self.of_account:
            return (account_id,) if declared and account_id else ()
        if declared is True:
            return ("true",)
        return (declared,) if isinstance(declared, str) else tuple(declared or ())


Value = Annotated[
    condition_keys.Value,
    Field(description="a text, a number, true or false", examples=["203.0.113.0/24"]),
]
Values = Annotated[
    Value | list[Value],
    Field(description="a value or a list of values", examples=[["203.0.113.0/24"]]),
]


class Conditions(BaseModel):
    """What a request must fulfil besides coming from the role; written on both halves.

    A new condition is one field here, with what it asks and a docstring: the links file, its
    schema and its errors have it by themselves.

    With AssumeRole the bucket's halves speak of the assumed role. Who assumes it is asked by its
    trust policy, for the organization and the account. The others are not: STS takes encrypted
    connections only, would see an endpoint of its own, not that of S3, and may be reached by
    another way than S3. The caller's half names one role, in one account, and asks nothing more.

    The general ``conditions`` stand wherever a request may have their key: on both halves of the
    actions that know it; on both halves of a bucket's key what speaks of the caller and the time,
    as S3 asks KMS in the caller's name but not from its address; and with AssumeRole in the trust
    policy, where what speaks of the caller alone stands nowhere else.

    Follows "AWS global condition context keys" and "Forward access sessions" in the IAM User Guide.
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

    vpc_ids: Annotated[
        tuple[
            Annotated[
                str,
                Field(
                    description="a VPC's id",
                    pattern=r"^vpc-[0-9a-f]+$",
                    examples=["vpc-0123abcd"],
                ),
            ],
            ...,
        ],
        Asks("StringEquals", "aws:SourceVpc"),
        Field(strict=False, examples=[["vpc-0123abcd"]]),
    ] = ()
    """a list of VPC ids (the request must come from one of them, through a VPC endpoint there)"""

    tls_version: Annotated[
        Literal["1.2", "1.3"] | None,
        Asks("NumericGreaterThanEquals", "s3:TlsVersion"),
        Field(examples=["1.2"]),
    ] = None
    """"1.2" or "1.3" (the connection must be encrypted by this version of TLS or a later one)"""

    mfa: Annotated[
        bool,
        Asks("Bool", "aws:MultiFactorAuthPresent", of_caller=True, of_session=False),
    ] = False
    """true or false: whether who gets access must have signed in with multi-factor authentication.
    With AssumeRole that is asked of who assumes the role; no session that a service hands out has
    it"""

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

    conditions: Annotated[
        dict[str, dict[str, Values]],
        Field(examples=[{"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}]),
    ] = {}
    """an object of condition operators, each with condition keys and their values, as a policy has
    them. Any other condition: it is written wherever a request may have the key, of the actions
    that know it, and a key that no request here has is refused. With AssumeRole what speaks of the
    caller (its tags, its session) is asked of who assumes the role. {principal_tag:team} in a text
    stands for the tag team of whoever makes the request"""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        found = [*self._contradictions(), *(told for _, told in self._wrong())]
        if found:
            raise ValueError("; ".join(found))
        return self

    def _contradictions(self) -> Iterator[str]:
        for name in ("vpc_endpoint_ids", "vpc_ids"):
            if getattr(self, name) and self.source_ips:
                yield (
                    f'no request fulfils both "{name}" and "source_ips": through an endpoint '
                    "it has no public address; leave out one of them"
                )

    def _wrong(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield what is wrong with the general conditions, and where."""
        seen = set[tuple[str, str]]()
        for test, keys in self.conditions.items():
            if not keys:
                yield (test,), "has no condition key: name one, or leave it out"
            for key, values in keys.items():
                for told in condition_keys.problems(test, key, _listed(values)):
                    yield (test, key), told
                listed = condition_keys.as_listed(key)
                same = (test, listed.lower())  # in the names of tags IAM ignores the case as well
                if same in seen:
                    yield (test, key), "is given twice, in letters of another case"
                seen.add(same)
                given = self.conditions.get("Null", {}).get(key)
                if (
                    test.startswith("ForAllValues:")
                    and listed in _OF_ORGANIZATIONS
                    and given is not False
                ):
                    yield (
                        (test, key),
                        "lets in what is in no organization at all: write ForAnyValue in its "
                        f'place, or add "Null": {{"{key}": false}}',
                    )
                for name, asks in _ASKED.items():
                    mine = asks.test == test and listed in (asks.key, asks.bucket_key)
                    if mine and getattr(self, name):
                        yield (test, key), f'"{name}" asks this already: leave out one of them'

    @property
    def general(self) -> tuple[Condition, ...]:
        """The general conditions, their keys as AWS writes them."""
        return tuple(
            Condition(
                test=test,
                variable=condition_keys.as_listed(key),
                values=tuple(as_pattern(condition_keys.as_text(v)) for v in _listed(values)),
            )
            for test, keys in self.conditions.items()
            for key, values in keys.items()
        )

    def unplaced(
        self, actions: Iterable[str], *, assumed: bool, keyed: bool
    ) -> Iterator[tuple[tuple[str, str], str]]:
        """Yield the general conditions that no half asks where ``actions`` are granted, and why.

        ``assumed``: a trust policy says who assumes a role; ``keyed``: a bucket has a KMS key.
        """
        halves = [*actions, *(ASSUME_ROLE if assumed else ()), *(KEY_USE if keyed else ())]
        for asked in self.general:
            if any(condition_keys.has_value(action, asked.variable) for action in halves):
                continue
            told = "no action that is granted knows it: leave it out"
            if condition_keys.has_value(KEY_USE[0], asked.variable):
                told = 'no bucket here has a "key", of which alone it can be asked: leave it out'
            if condition_keys.has_value(ASSUME_ROLE[0], asked.variable):
                told = 'only a role that is assumed can ask it: take the pattern "assume-role"'
            yield (asked.test, asked.variable), told

    def of_session(self) -> Conditions:
        """Return what is asked of the sessions of a role that is assumed: not who assumed it."""
        theirs = {name: False for name, asks in _ASKED.items() if not asks.of_session}
        kept = self._chosen(lambda key: not _of_caller_alone(key))
        return self.model_copy(update={**theirs, "conditions": kept})

    def of_passed_role(self) -> Conditions:
        """Return what is asked of a role that is assumed itself, and assumes the next.

        Its sessions have neither the tags nor the sign-in of who assumed it, who was asked for
        them: "Chaining roles with session tags" in "Pass session tags in AWS STS" in the IAM User
        Guide, of those that are not transitive.
        """
        kept = self._chosen(lambda key: not key.startswith(_OF_PEOPLE))
        return self.model_copy(update={"mfa": False, "conditions": kept})

    @property
    def asked_of_caller(self) -> dict[str, dict[str, Values]]:
        """The general conditions that the trust policy of a role that is assumed asks alone."""
        return self._chosen(_of_caller_alone)

    @property
    def asked_by_trust(self) -> dict[str, dict[str, Values]]:
        """All the general conditions that it asks: also those that the other halves ask too."""
        return self._chosen(lambda key: condition_keys.has_value(ASSUME_ROLE[0], key))

    def _chosen(self, chosen: Callable[[str], bool]) -> dict[str, dict[str, Values]]:
        return {
            test: kept
            for test, keys in self.conditions.items()
            if (kept := {k: v for k, v in keys.items() if chosen(condition_keys.as_listed(k))})
        }

    def of_role(self, *, account_id: str | None) -> tuple[Condition, ...]:
        """Return the conditions of the role's half; ``account_id`` is the bucket's."""
        return self._of(lambda asks: asks.bucket_key or asks.key, account_id)

    def of_bucket(self, *, account_id: str | None) -> tuple[Condition, ...]:
        """Return the conditions of the bucket's half; ``account_id`` is the role's."""
        return self._of(lambda asks: asks.key, account_id)

    def of_action(self, action: str) -> tuple[Condition, ...]:
        """Return the general conditions that requests for ``action`` can be asked, on any half."""
        return tuple(c for c in self.general if condition_keys.has_value(action, c.variable))

    def of_key(self) -> tuple[Condition, ...]:
        """Return what both halves of a bucket's key ask of the requests that S3 makes."""
        return self.of_action(KEY_USE[0])

    def of_caller(
        self, *, account_id: str | None, actions: tuple[str, ...] = ASSUME_ROLE
    ) -> tuple[Condition, ...]:
        """Return what a trust policy asks of who assumes the role; ``account_id`` is theirs.

        Of ``actions`` together it can only ask what requests for each of them have.
        """
        named = self._of(lambda asks: asks.key if asks.of_caller else None, account_id)
        general = [c for c in self.general if all(c in self.of_action(a) for a in actions)]
        return (*named, *general)

    def _of(
        self, key: Callable[[Asks], str | None], account_id: str | None
    ) -> tuple[Condition, ...]:
        return tuple(
            Condition(test=asks.test, variable=variable, values=values)
            for name, asks in _ASKED.items()
            if (variable := key(asks)) and (values := asks.values(getattr(self, name), account_id))
        )


# "Set operators for multi-valued context keys" in the IAM User Guide: no value is among all values.
_OF_ORGANIZATIONS = ("aws:PrincipalOrgPaths", "aws:ResourceOrgPaths", "aws:VpceOrgPaths")


_OF_PEOPLE = (
    *("aws:PrincipalTag/", "aws:MultiFactorAuth", "aws:username", "aws:userid"),
    *("aws:PrincipalType", "aws:FederatedProvider", "identitystore:UserId"),
)


def _listed(values: Values) -> tuple[Value, ...]:
    return tuple(values) if isinstance(values, list) else (values,)


def _of_caller_alone(key: str) -> bool:
    """Whether only the trust policy asks ``key``, where a role is assumed."""
    return key not in condition_keys.ANY_TIME and condition_keys.has_value(ASSUME_ROLE[0], key)


_ASKED = {
    name: asks
    for name, field in Conditions.model_fields.items()
    for asks in field.metadata
    if isinstance(asks, Asks)
}
NO_CONDITIONS = Conditions()
"""Nothing is asked but that the request comes from the role."""


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
            for problem in prefix_problems(prefix)
        ]
        asked = self.conditions.unplaced(self.actions, assumed=True, keyed=True)
        found += [f"{key!r}: {told}" for (_, key), told in asked]
        if self.prefixes and OF_THE_WHOLE_BUCKET in self.actions:
            found.append(
                f"{OF_THE_WHOLE_BUCKET!r} cannot be limited to a prefix: remove one of them"
            )
        if self.prefixes and ("StringLike", "s3:prefix") in [
            (c.test, c.variable) for c in self.conditions.general
        ]:
            found.append("'s3:prefix' by StringLike is asked by the prefixes: remove one of them")
        if found:
            raise ValueError("; ".join(found))

    def identity_half(
        self, on_arn: str, *, sid: str, account_id: str | None = None
    ) -> list[Statement]:
        """Return the statements of the role's policy; ``account_id`` is the bucket's.

        ``on_arn`` is the ARN of a bucket, or of an access point.
        """
        conditions = self.conditions.of_role(account_id=account_id)
        return [
            replace(statement, conditions=statement.conditions + conditions)
            for statement in self._asked(on_arn, sid)
        ]

    def resource_half(
        self,
        on_arn: str,
        *,
        sid: str,
        principal: Principal,
        account_id: str | None = None,
        extra: tuple[Condition, ...] = (),
    ) -> list[Statement]:
        """Return the statements of the bucket's or access point's policy; the id is the role's."""
        conditions = extra + self.conditions.of_bucket(account_id=account_id)
        return [
            granted_to(principal, statement, *conditions) for statement in self._asked(on_arn, sid)
        ]

    def of_assumed_role(self) -> Access:
        """Return it as a role has it that is assumed, whose trust policy asks for the caller."""
        return replace(self, conditions=self.conditions.of_session())

    @property
    def patterns(self) -> tuple[str, ...]:
        """The prefixes as policies have them: with a variable for a tag of the caller."""
        return tuple(map(as_pattern, self.prefixes))

    def _asked(self, on_arn: str, sid: str) -> Iterator[Statement]:
        """Yield the statements, each with the general conditions that its actions know."""
        for statement in self._statements(on_arn, sid):
            groups: dict[tuple[Condition, ...], list[str]] = {}
            for action in statement.actions:
                groups.setdefault(self.conditions.of_action(action), []).append(action)
            for asked, actions in groups.items():
                conditions = statement.conditions + asked
                yield replace(statement, actions=tuple(actions), conditions=conditions)

    def _statements(self, on_arn: str, sid: str) -> Iterator[Statement]:
        objects = objects_of(on_arn)
        if self.as_one_statement and not self.prefixes:
            resources = (on_arn, f"{objects}*")
            yield Statement(sid=sid, actions=self.actions, resources=resources)
            return
        on_bucket = tuple(a for a in self.actions if a in known("bucket"))
        listing = tuple(a for a in on_bucket if self.prefixes and a in known("prefix"))
        others = tuple(a for a in on_bucket if a not in listing)
        on_objects = tuple(a for a in self.actions if a in known("object"))
        if listing:
            values = tuple(v for prefix in self.patterns for v in (prefix, f"{prefix}*"))
            yield Statement(
                sid=f"{sid}Listing",
                actions=listing,
                resources=(on_arn,),
                conditions=(Condition(test="StringLike", variable="s3:prefix", values=values),),
            )
        if others:
            yield Statement(sid=f"{sid}Bucket", actions=others, resources=(on_arn,))
        if on_objects:
            below = self.patterns or ("",)
            yield Statement(
                sid=f"{sid}Objects",
                actions=on_objects,
                resources=tuple(f"{objects}{prefix}*" for prefix in below),
            )


REFERENCE = Access(as_one_statement=True)
"""The three actions of the reference deployment, in one statement."""
