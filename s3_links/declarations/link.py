"""A link by direct access or AssumeRole."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field

from .access import LinkAccess
from .assumed import AssumedRole
from .buckets import LinkBucket, imports_of
from .choices import given, is_, when, without
from .consumers import Consumer
from .hardening import HardeningChoice, switches
from .part import Part, UnreadableError, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_cross_account.hardening import Hardening

    from .part import Problem


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
            "of them gets access to each of the buckets",
            examples=[[{"account": "account1", "new_role": "reports-reader"}]],
            min_length=1,
        ),
    ]
    buckets: Annotated[
        list[LinkBucket],
        Field(
            description="a list of buckets. Each of the roles gets access to each of them",
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
    def _organizations(self) -> Iterator[Problem]:
        for number, consumer in enumerate(self.consumers):
            with suppress(UnreadableError):
                if consumer.organization:
                    for name in ("organization_id", "same_accounts"):
                        if getattr(self.access, name):
                            yield (
                                ("consumers", number),
                                f"an organization is asked for already, and has many accounts: "
                                f'leave out "{name}" of "access", or make it two links',
                            )

    @rule
    def _with_an_endpoint(self) -> Iterator[Problem]:
        if self.access.vpc_endpoint_ids and self._has_an_instance():
            yield ("access",), _WITHOUT.format('the endpoint of "vpc_endpoint_ids"')

    @rule
    def _with_addresses(self) -> Iterator[Problem]:
        if self.access.source_ips and self._has_an_instance():
            yield ("access",), _WITHOUT.format('an address of "source_ips"')

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


_WITHOUT = 'an "instance" gets a network of its own, without {}: leave out one of them'
