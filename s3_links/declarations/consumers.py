"""Who gets access: the roles of a link, and the one that they assume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field

from s3_cross_account.spelling import near_match
from s3_cross_account.trusted_services import KNOWN

from .choices import is_, one_of, when
from .claims import Claim, output
from .claims import role as role_claim
from .named import Named, label
from .names import ALIAS, PROFILE, ROLE, AccountAlias, InstanceProfileName, RoleName, about, text
from .part import Part, claim, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem

_KINDS = {
    "new_role": "new",
    "existing_role": "existing",
    "imported_role": "new",
    "instance_profile": "profile",
}


class Consumer(Named):
    """A role that gets access: a new one, or one that exists."""

    model_config = ConfigDict(
        json_schema_extra={
            **one_of(*_KINDS),
            **when(
                is_(instance=[True]),
                {
                    "required": ["new_role"],
                    "properties": {"trusted_service": {"pattern": "^ec2[.]"}},
                },
            ),
        }
    )

    KINDS = _KINDS

    account: Annotated[AccountAlias, about(ALIAS, "The one that the role is in", "account1")]
    new_role: Annotated[
        RoleName | None,
        about(ROLE, "The link creates the role, and destroys it with itself", "reports-reader"),
    ] = None
    existing_role: Annotated[
        RoleName | None,
        about(ROLE, "The role exists and stays its owner's: the link adds a policy", "web"),
    ] = None
    imported_role: Annotated[
        RoleName | None,
        about(ROLE, "The role exists, and from now on the link manages it", "web"),
    ] = None
    instance_profile: Annotated[
        InstanceProfileName | None,
        about(PROFILE, "The role in it exists, and the link adds a policy to it", "web"),
    ] = None
    trusted_service: Annotated[
        str,
        text(
            "an AWS service principal. The service that hands out the role's sessions: the trust "
            "policy of a new role lets it, and what else it needs is written for it",
            "lambda.amazonaws.com",
            r"^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$",
        ),
    ] = "ec2.amazonaws.com"
    instance: Annotated[
        bool,
        Field(
            description="true or false: whether to create an EC2 instance with the role. It comes "
            "with a network of its own, in the role's account, and costs by the hour",
            examples=[True],
        ),
    ] = False

    @property
    def managed_role(self) -> str | None:
        """The role's name, where this link makes it or takes it over."""
        return self.new_role or self.imported_role

    @property
    def names_its_chain(self) -> bool:
        """Whether the service is told the ARNs of all the roles, from the first to the last."""
        return self.trusted_service.startswith(("redshift.", "redshift-serverless."))

    @property
    def on_instances(self) -> bool:
        """Whether the role is one that EC2 instances have, as far as one can see here."""
        return bool(self.instance_profile) or (
            self.managed_role is not None and self.trusted_service.startswith("ec2.")
        )

    @rule
    def _an_instance(self) -> Iterator[Problem]:
        if self.instance and (self.new_role is None or not self.trusted_service.startswith("ec2.")):
            yield (), '"instance" needs a "new_role" that EC2 may assume'

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        managed = [role_claim(self.account, name) for name in [self.managed_role] if name]
        yield [*managed, output(f"role_arn_{self.label}")]

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


class PassedRole(Part):
    """A role between the consumers and the one that reaches the buckets: a link of a chain."""

    account: Annotated[
        AccountAlias, about(ALIAS, "The one that the role is in: any of the link's", "account1")
    ]
    name: Annotated[
        RoleName,
        about(ROLE, "The link creates it, to be assumed and to assume the next", "reports-gateway"),
    ]

    @property
    def label(self) -> str:
        """What it is called in the names of outputs."""
        return label(self.account, self.name)

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        yield [role_claim(self.account, self.name), output(f"role_arn_{self.label}")]


class AssumedRole(PassedRole):
    """The role to assume, for the pattern ``assume-role``."""

    account: Annotated[
        AccountAlias,
        about(ALIAS, "The one that the role is in: the buckets' one, as a rule", "account2"),
    ]
    name: Annotated[
        RoleName,
        about(ROLE, "The consumers assume it, and it alone reaches the buckets", "reports-reader"),
    ]
    imported: Annotated[
        bool,
        Field(
            description="true or false: whether the role exists and the link takes it over. Left "
            "out, the link creates it",
            examples=[True],
        ),
    ] = False
    external_id: Annotated[
        str | None,
        text(
            "an external id. Who assumes the role must give it",
            "s3-link-7f3a",
            r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
        ),
    ] = None
    through: Annotated[
        list[PassedRole],
        Field(
            description="a list of roles to assume before it, in this order. Each is assumed by "
            "the one before it: a chain of roles, as Amazon Redshift takes it; a session in a "
            "chain lasts an hour at most",
            examples=[[{"account": "account1", "name": "reports-gateway"}]],
        ),
    ] = []

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        yield [role_claim(self.account, self.name)]
