"""Who gets access: the roles of a link, and the one that they assume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    ConfigDict,
    Field,
    model_validator,
)

from s3_cross_account.spelling import near_match
from s3_cross_account.trusted_services import KNOWN

from .checking import nothing_of
from .names import (
    AccountAlias,
    InstanceProfileName,
    RoleName,
    text,
)
from .part import Part, is_, label, one_of, when

if TYPE_CHECKING:
    from collections.abc import Iterator


class Consumer(Part):
    """A role that gets access: a new one, or one that exists."""

    model_config = ConfigDict(
        json_schema_extra={
            **one_of("new_role", "existing_role", "imported_role", "instance_profile"),
            **when(
                is_(instance=[True]),
                {
                    "required": ["new_role"],
                    "properties": {"trusted_service": {"pattern": "^ec2[.]"}},
                },
            ),
        }
    )

    account: AccountAlias
    new_role: RoleName | None = None
    existing_role: RoleName | None = None
    imported_role: RoleName | None = None
    instance_profile: InstanceProfileName | None = None
    trusted_service: Annotated[
        str,
        text(
            "an AWS service principal",
            "lambda.amazonaws.com",
            r"^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$",
        ),
    ] = "ec2.amazonaws.com"
    instance: Annotated[
        bool, Field(description="true or false: whether to create an EC2 instance with the role")
    ] = False

    @property
    def label(self) -> str:
        """What the consumer is called in the names of outputs."""
        return label(f"{self.account}_{self.name}")

    @property
    def name(self) -> str:
        """Its role's or its instance profile's name."""
        return str(self.managed_role or self.existing_role or self.instance_profile)

    @property
    def managed_role(self) -> str | None:
        """The role's name, where this link makes it or takes it over."""
        return self.new_role or self.imported_role

    @property
    def id(self) -> str:
        """What tells it from every other consumer; an alias has no dot."""
        kinds = {"new": self.managed_role, "existing": self.existing_role}
        kind = next((kind for kind, name in kinds.items() if name), "profile")
        return f"{self.account}.{kind}.{self.name}"

    @property
    def on_instances(self) -> bool:
        """Whether the role is one that EC2 instances have, as far as one can see here."""
        return bool(self.instance_profile) or (
            self.managed_role is not None and self.trusted_service.startswith("ec2.")
        )

    @model_validator(mode="after")
    def _one_role(self) -> Self:
        nothing_of(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[str]:
        given = [self.new_role, self.existing_role, self.imported_role, self.instance_profile]
        if sum(value is not None for value in given) != 1:
            yield 'give one of "new_role", "existing_role", "imported_role" and "instance_profile"'
        if self.instance and (self.new_role is None or not self.trusted_service.startswith("ec2.")):
            yield '"instance" needs a "new_role" that EC2 may assume'

    def note(self) -> str | None:
        """Return what is not known of the service, where it is named."""
        if "trusted_service" not in self.model_fields_set or self.trusted_service in KNOWN:
            return None
        near = near_match(self.trusted_service, KNOWN)
        return (
            f'"{self.trusted_service}" is not known here: it is taken to need sts:AssumeRole and '
            "no more; where its guide asks for more (sts:TagSession, sts:SetSourceIdentity), make "
            "the role by hand" + (f'. Did you mean "{near}"?' if near else "")
        )


class AssumedRole(Part):
    """The role to assume, for the pattern ``assume-role``."""

    account: AccountAlias
    name: RoleName
    imported: Annotated[
        bool, Field(description="true: the role exists, and this link takes it over")
    ] = False
    external_id: Annotated[
        str | None, text("an external id", "s3-link-7f3a", r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$")
    ] = None
