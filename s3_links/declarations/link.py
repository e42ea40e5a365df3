"""A link by direct access or AssumeRole."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field

from s3_cross_account.access import Access, Conditions

from .access import LinkAccess
from .assumed import AssumedRole
from .buckets import LinkBucket, imports_of
from .choices import given, is_, when, without
from .consumers import Consumer
from .grant import Grant, Granted, called, misnamed
from .hardening import HardeningChoice, switches
from .part import Part, UnreadableError, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from s3_cross_account.hardening import Hardening

    from .access_points import BucketAccessPoint
    from .named import Named
    from .part import Place, Problem


class Link(Part):
    """A link by direct access or AssumeRole, its own stack and its own state."""

    model_config = ConfigDict(
        json_schema_extra={
            **when(is_(pattern=["assume-role"]), given("assumed_role")),
            "else": without("assumed_role"),
        }
    )

    pattern: Annotated[
        Literal["direct-access", "assume-role"],
        Field(
            description='"direct-access" or "assume-role". With the first, bucket policies name '
            "the roles; with the second, the roles assume another one, which reaches the buckets",
            examples=["direct-access"],
        ),
    ]
    consumers: Annotated[
        list[Consumer],
        Field(
            description="a list of roles, users, permission sets, accounts or organizations. Each "
            "of them gets access to each of the buckets, unless grants say otherwise",
            examples=[[{"account": "account1", "new_role": "reports-reader"}]],
            min_length=1,
        ),
    ]
    buckets: Annotated[
        list[LinkBucket],
        Field(
            description="a list of buckets. Each of the roles gets access to each of them, unless "
            "grants say otherwise",
            examples=[[{"account": "account2", "new_prefix": "reports-"}]],
            min_length=1,
        ),
    ]
    access: Annotated[
        LinkAccess,
        Field(
            description="an access. What is granted, and under which conditions; left out: "
            "listing, reading and writing the whole buckets",
            examples=[{"level": "read-only"}],
        ),
    ] = LinkAccess()
    grants: Annotated[
        list[Grant],
        Field(
            description="a list of grants. Where not every role gets the same to every bucket: "
            "what two of them give to the same role on the same bucket adds up",
            examples=[[{"consumers": ["reports-reader"], "access": {"level": "read-only"}}]],
        ),
    ] = []
    assumed_role: Annotated[
        AssumedRole | None,
        Field(
            description="the role to assume. Of the pattern assume-role only; the link creates it "
            "or takes it over",
            examples=[{"account": "account2", "name": "reports-reader"}],
        ),
    ] = None
    survive_role_recreation: Annotated[
        bool,
        Field(
            description="true or false: whether the access outlives that a role is deleted and "
            "made again. Policies then name the role's account and, in a condition, its ARN; left "
            "out, AWS ties them to the one role, and a new one of its name is refused. Roles of a "
            "foreign account are named so unless this is false: AWS refuses a policy that names a "
            "role before it is there",
            examples=[True],
        ),
    ] = False
    hardening: HardeningChoice = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it."""
        return switches(self.hardening)

    @property
    def granted(self) -> list[Granted]:
        """Which roles get which access to which buckets: of its grants, or all of them to all."""
        if not self.grants:
            return [Granted(self.consumers, self.buckets, self.access)]
        return [
            Granted(
                [consumer for consumer in self.consumers if called(consumer, grant.consumers)],
                [bucket for bucket in self.buckets if called(bucket, grant.buckets)],
                grant.access or self.access,
            )
            for grant in self.grants
        ]

    def accesses(self, consumer: Consumer, bucket: LinkBucket) -> list[LinkAccess]:
        """Return what a role gets to a bucket."""
        return [g.access for g in self.granted if consumer in g.consumers and bucket in g.buckets]

    @property
    def of_caller(self) -> Conditions:
        """What every access asks for, and so the trust policy of a role that is assumed too."""
        first, *others = (access.access.conditions for *_, access in self.granted)
        same = {n: v for n, v in first if all(getattr(other, n) == v for other in others)}
        # What is asked of the caller alone is the same in each, by the rules.
        general = first.asked_by_trust if "conditions" in same else first.asked_of_caller
        return Conditions(**same | {"conditions": general})

    def calling(self, consumer: Consumer) -> str | None:
        """Return the account that a consumer's requests come from: of the role that it assumes."""
        return self.assumed_role.account if self.assumed_role else consumer.account

    def by_access_point(
        self, consumers: Iterable[Consumer], bucket: LinkBucket
    ) -> dict[BucketAccessPoint | None, list[Consumer]]:
        """Return consumers by the access point that they come through, if they do."""
        found: dict[BucketAccessPoint | None, list[Consumer]] = {}
        for consumer in consumers:
            found.setdefault(bucket.through(self.calling(consumer)), []).append(consumer)
        return found

    def asked_at(self, number: int) -> Conditions:
        """Return what the trust policy of a role of the chain asks: of the first, the consumers."""
        return self.of_caller.of_passed_role() if number else self.of_caller

    def reaching(self, access: LinkAccess) -> Access:
        """Return an access as the role has it that reaches the buckets."""
        return access.access.of_assumed_role() if self.assumed_role else access.access

    @property
    def imports(self) -> list[str]:
        """What the link takes over, each as its resource type and its name."""
        roles = [consumer.imported_role for consumer in self.consumers]
        assumed = [self.assumed_role] if self.assumed_role else []
        return imports_of(self.buckets, [*roles, *(role.name for role in assumed if role.imported)])

    @property
    def names_directly(self) -> bool:
        """Whether policies name roles of foreign accounts themselves, which then have to exist."""
        given = "survive_role_recreation" in self.model_fields_set
        return given and not self.survive_role_recreation

    @rule
    def _services(self) -> Iterator[Problem]:
        for consumer in self.consumers if self.pattern == "direct-access" else ():
            with suppress(UnreadableError):
                if (
                    consumer.existing_role or consumer.instance_profile
                ) and "trusted_service" in consumer.model_fields_set:
                    yield (
                        ("consumers",),
                        f'"trusted_service" of "{consumer.name}": an existing role has its own; '
                        'with "assume-role" it says who hands out its sessions, here leave it out',
                    )

    @rule
    def _named_in_grants(self) -> Iterator[Problem]:
        for number, grant in enumerate(self.grants):
            named: dict[str, tuple[list[str] | None, Sequence[Named]]] = {
                "consumers": (grant.consumers, self.consumers),
                "buckets": (grant.buckets, self.buckets),
            }
            for field, (names, parts) in named.items():
                for problem in misnamed(names or (), parts):
                    yield ("grants", number, field), problem

    @rule
    def _organizations(self) -> Iterator[Problem]:
        for number, consumer in enumerate(self.consumers):
            with suppress(UnreadableError):
                if consumer.organization:
                    limits = [("StringEquals", "aws:PrincipalOrgID")]
                    if consumer.organization_path:
                        limits.append(("ForAnyValue:StringLike", "aws:PrincipalOrgPaths"))
                    asked = {
                        name
                        for *_, access in self.granted
                        for name in (
                            *(
                                n
                                for n in ("organization_id", "same_accounts")
                                if getattr(access, n)
                            ),
                            *(c.variable for c in access.general if (c.test, c.variable) in limits),
                        )
                    }
                    for name in sorted(asked, reverse=True):
                        yield (
                            ("consumers", number),
                            f"an organization is asked for already, and has many accounts: "
                            f'leave out "{name}" of "access", or make it two links',
                        )

    @rule
    def _in_a_whole_account(self) -> Iterator[Problem]:
        whole = {c.account for c in self.consumers if c.whole_account}
        for number, consumer in enumerate(self.consumers):
            with suppress(UnreadableError):
                if not consumer.whole_account and consumer.account in whole:
                    yield (
                        ("consumers", number),
                        f'is in {consumer.account}, which has the access as a "whole_account": '
                        "leave out one of them",
                    )

    @rule
    def _granted_something(self) -> Iterator[Problem]:
        named: dict[str, tuple[Sequence[Named], list[list[str] | None]]] = {
            "consumers": (self.consumers, [grant.consumers for grant in self.grants]),
            "buckets": (self.buckets, [grant.buckets for grant in self.grants]),
        }
        for field, (parts, lists) in named.items():
            for number, part in enumerate(parts):
                if lists and not any(called(part, names) for names in lists):
                    yield (field, number), f'"{part.name}" is in no grant: add one, or leave it out'

    @rule
    def _of_the_assumed_role(self) -> Iterator[Problem]:
        for number, grant in enumerate(self.grants if self.pattern == "assume-role" else ()):
            if grant.consumers is not None:
                yield (
                    ("grants", number, "consumers"),
                    "all of them become the same role, which has one access to a bucket: leave "
                    "them out, or declare a link with a role of its own for some",
                )

    @rule
    def _with_an_instance(self) -> Iterator[Problem]:
        if not self._has_an_instance():
            return
        for place, (*_, access) in zip(self._places(), self.granted, strict=True):
            with suppress(UnreadableError):
                if access.vpc_endpoint_ids:
                    yield place, _WITHOUT.format('the endpoint of "vpc_endpoint_ids"')
                if access.source_ips:
                    yield place, _WITHOUT.format('an address of "source_ips"')
                if access.vpc_ids:
                    yield place, _WITHOUT.format('the VPC of "vpc_ids"')

    def _places(self) -> list[Place]:
        """Return the place of each access."""
        if not self.grants:
            return [("access",)]
        return [
            ("grants", number, "access") if grant.access else ("access",)
            for number, grant in enumerate(self.grants)
        ]

    @rule
    def _asked_somewhere(self) -> Iterator[Problem]:
        assumed = self.pattern == "assume-role"
        for place, (_, buckets, access) in zip(self._places(), self.granted, strict=True):
            with suppress(UnreadableError):
                keyed = any(bucket.encrypted_by for bucket in buckets)
                for inner, told in access.without_half(assumed=assumed, keyed=keyed):
                    yield (*place, *inner), told

    @rule
    def _asked_of_the_caller(self) -> Iterator[Problem]:
        first, *others = zip(self._places(), self.granted, strict=True)
        for place, (*_, access) in others if self.pattern == "assume-role" else ():
            if _of_caller(access) != _of_caller(first[1].access):
                yield (
                    place,
                    "what is asked of who assumes the role stands in its one trust policy: give "
                    'each grant the same "mfa", "organization_id", "same_accounts" and '
                    "conditions on the caller",
                )

    @rule
    def _signed_in(self) -> Iterator[Problem]:
        asked = any(access.asks_for_mfa for *_, access in self.granted)
        for number, consumer in enumerate(self.consumers if asked else ()):
            with suppress(UnreadableError):
                if consumer.permission_set:
                    yield (
                        ("consumers", number),
                        '"mfa": the sessions of a permission set do not have it, as people sign '
                        'in to IAM Identity Center, which asks for MFA itself: leave out "mfa"',
                    )
                if consumer.by_service:
                    yield (
                        ("consumers", number),
                        f'"mfa": no session that a service hands out has it, as those of '
                        f'"{consumer.name}" are: name an "existing_role" that people sign in to, '
                        'or leave out "mfa"',
                    )

    def _has_an_instance(self) -> bool:
        for consumer in self.consumers:
            with suppress(UnreadableError):
                if consumer.instance:
                    return True
        return False

    @rule
    def _role_of_the_pattern(self) -> Iterator[Problem]:
        place = ("assumed_role",)
        if self.pattern == "assume-role" and self.assumed_role is None:
            yield (
                place,
                'is missing: the pattern "assume-role" needs a role to assume: add '
                '"assumed_role": {"account": "account2", "name": "reports-worker"}',
            )
        if self.pattern == "direct-access" and self.assumed_role is not None:
            yield place, 'is for the pattern "assume-role": leave it out'


def _of_caller(access: LinkAccess) -> object:
    named = access.mfa, access.organization_id, access.same_accounts
    return named, access.asked_of_caller


_WITHOUT = 'an "instance" gets a network of its own, without {}: leave out one of them'
