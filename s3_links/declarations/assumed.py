"""The role to assume, for the pattern ``assume-role``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from .claims import Claim
from .claims import role as role_claim
from .names import ALIAS, ROLE, AccountAlias, RoleName, about, text
from .part import Part, claim

if TYPE_CHECKING:
    from collections.abc import Iterator


class AssumedRole(Part):
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

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        yield [role_claim(self.account, self.name)]
