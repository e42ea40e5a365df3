"""The access points of a bucket, which other accounts reach it through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from s3_cross_account.through import name_problems

from . import claims
from .named import label
from .names import ALIAS, AccountAlias, about, text
from .part import Part, claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .claims import Claim


def _name(name: str) -> str:
    if found := name_problems(name):
        raise ValueError(found[0])
    return name


class BucketAccessPoint(Part):
    """An access point of a bucket, in the account of those who come through."""

    account: Annotated[
        AccountAlias,
        about(
            ALIAS,
            "The one that has the access point: the consumers' own, which then says who comes "
            "through, or the bucket's",
            "account1",
        ),
    ]
    name: Annotated[
        str,
        text(
            "an access point's name (3 to 50 small letters, digits and hyphens). Taken once in an "
            "account and region",
            "reports",
            r"^[^ ]+$",
        ),
        AfterValidator(_name),
    ]
    vpc_id: Annotated[
        str | None,
        text(
            "a VPC's id. Only requests from this VPC come through, by an endpoint whose policy "
            "lets both, the access point and its bucket; left out, those from the internet do too",
            "vpc-0123abcd",
            r"^vpc-[0-9a-f]+$",
        ),
    ] = None

    @property
    def label(self) -> str:
        """What it is called in the names of outputs."""
        return label(self.account, self.name)

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        yield [
            claims.access_point(self.account, self.name),
            claims.output(f"access_point_arn_{self.label}"),
        ]
