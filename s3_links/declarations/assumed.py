"""The role to assume, for the pattern ``assume-role``, and those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from .claims import Claim, output
from .claims import role as role_claim
from .named import label
from .names import ALIAS, ROLE, AccountAlias, RoleName, about, text
from .part import Part, claim

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    self_assuming: Annotated[
        bool,
        Field(
            description="true or false: whether the role may also assume itself, with the external "
            "id if there is one. Databricks' Unity Catalog asks for that",
            examples=[True],
        ),
    ] = False

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        yield [role_claim(self.account, self.name)]
