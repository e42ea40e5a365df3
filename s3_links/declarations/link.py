"""A link by direct access or AssumeRole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from .access import LinkAccess
from .buckets import LinkBucket, imports_of
from .checking import nothing_of
from .consumers import AssumedRole, Consumer
from .hardening import HardeningChoice, switches
from .part import Part, given, is_, when, without

if TYPE_CHECKING:
    from s3_cross_account.hardening import Hardening


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
        Field(description='"direct-access" or "assume-role"', examples=["direct-access"]),
    ]
    consumers: Annotated[
        list[Consumer],
        Field(
            description="a list of roles",
            examples=[[{"account": "account1", "new_role": "reports-reader"}]],
            min_length=1,
        ),
    ]
    buckets: Annotated[
        list[LinkBucket],
        Field(
            description="a list of buckets",
            examples=[[{"account": "account2", "new_prefix": "reports-"}]],
            min_length=1,
        ),
    ]
    access: Annotated[
        LinkAccess, Field(description="an access", examples=[{"level": "read-only"}])
    ] = LinkAccess()
    assumed_role: Annotated[
        AssumedRole | None,
        Field(
            description="the role to assume",
            examples=[{"account": "account2", "name": "reports-reader"}],
            validate_default=True,
        ),
    ] = None
    survive_role_recreation: Annotated[bool, Field(description="true or false")] = False
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

    @field_validator("consumers")
    @classmethod
    def _with_services(cls, consumers: list[Consumer], info: ValidationInfo) -> list[Consumer]:
        direct = info.data.get("pattern") == "direct-access"
        nothing_of(
            f'"trusted_service" of "{c.name}": an existing role has its own; with "assume-role" it '
            "says who hands out its sessions, here leave it out"
            for c in consumers
            if direct and c.managed_role is None and "trusted_service" in c.model_fields_set
        )
        return consumers

    @field_validator("access")
    @classmethod
    def _with_instances(cls, access: LinkAccess, info: ValidationInfo) -> LinkAccess:
        if any(c.instance for c in info.data.get("consumers", ())):
            nothing_of(
                f'an "instance" gets a network of its own, without {what}: leave out one of them'
                for what, asked in {
                    'the endpoint of "vpc_endpoint_ids"': access.vpc_endpoint_ids,
                    'an address of "source_ips"': access.source_ips,
                }.items()
                if asked
            )
        return access

    @field_validator("assumed_role")
    @classmethod
    def _of_the_pattern(cls, role: AssumedRole | None, info: ValidationInfo) -> AssumedRole | None:
        pattern = info.data.get("pattern")
        if pattern == "assume-role" and role is None:
            raise ValueError(
                'is missing: the pattern "assume-role" needs a role to assume: add '
                '"assumed_role": {"account": "account2", "name": "reports-worker"}'
            )
        if pattern == "direct-access" and role is not None:
            raise ValueError('is for the pattern "assume-role": leave it out')
        return role
