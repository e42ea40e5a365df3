"""How Terraform reaches an account: validated values, without Node.js.

Follows "Provider configuration" of the Terraform AWS provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AccountSettings", "IgnoredTags", "RoleToAssume"]

FOREIGN_OUTPUT = "foreign_accounts"
"""The output that says which of a stack's accounts have no provider, each as ``alias=id``."""
_PARTITIONS = {"us-gov-": "aws-us-gov", "cn-": "aws-cn", "eusc-": "aws-eusc"}
_SUPPORTED = ("aws", "aws-us-gov")


def partition(region: str) -> str:
    """Return the partition of a region, the second word of every ARN in it."""
    return next((p for begin, p in _PARTITIONS.items() if region.startswith(begin)), "aws")


def across_partitions(regions: Mapping[str, str]) -> str | None:
    """Return what is wrong with a link between accounts, given with their regions.

    Follows "Cross account resource access in IAM" in the IAM User Guide.
    """
    partitions: dict[str, list[str]] = {}
    for alias, region in regions.items():
        partitions.setdefault(partition(region), []).append(f'"{alias}"')
    if len(partitions) < 2:
        return None
    where = " and ".join(f"{', '.join(names)} in {name}" for name, names in partitions.items())
    return f"{where} are in two partitions of AWS: IAM reaches across accounts, never across those"


def supported(region: str) -> str:
    """Return a region, or raise ``ValueError`` where its partition is not supported."""
    if (found := partition(region)) not in _SUPPORTED:
        raise ValueError(
            f'"{region}" is not supported here: the partition {found} has service principals and '
            "values of kms:ViaService of its own, which are not known here; take a region of "
            f"{' or '.join(_SUPPORTED)}"
        )
    return region


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RoleToAssume(_Settings):
    """The role that Terraform assumes to work in an account."""

    role_arn: Annotated[
        str,
        Field(
            pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}$",
            description="the ARN of an IAM role. Its trust policy must let the credentials "
            "assume it",
            examples=["arn:aws:iam::123456789012:role/deploy"],
        ),
    ]
    external_id: Annotated[
        str | None,
        Field(
            min_length=2,
            max_length=1224,
            pattern=r"^[A-Za-z0-9_+=,.@:/-]*$",
            description="an external id (2 to 1,224 letters, digits and +=,.@:/-_). What the "
            "role's trust policy asks for, if it asks for one",
            examples=["s3-link-7f3a"],
        ),
    ] = None
    session_name: Annotated[
        str | None,
        Field(
            min_length=2,
            max_length=64,
            pattern=r"^[A-Za-z0-9_+=,.@-]*$",
            description="a session name (2 to 64 letters, digits and +=,.@-_). What AWS CloudTrail "
            "calls the one who changed something",
            examples=["terraform"],
        ),
    ] = None


def _no_expression(key: str) -> str:
    if "${" in key or "%{" in key:
        raise ValueError("has ${ or %{, which begin an expression of Terraform: no tag has them")
    return key


TagKey = Annotated[
    str,
    Field(
        pattern=r"^[^\x00-\x1f]+$",
        max_length=128,
        description="tag keys",
        examples=["CostCenter"],
    ),
    AfterValidator(_no_expression),
]


TagValue = Annotated[
    str,
    Field(
        pattern=r"^[\w .:/=+@-]*$",
        max_length=256,
        description="tag values",
        examples=["42"],
    ),
]


def _not_of_aws(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError("begins with aws:, as tags do that AWS itself sets: choose another key")
    return key


class IgnoredTags(_Settings):
    """Tags that others set on what Terraform manages, and that it leaves alone.

    ``keys`` names them, ``key_prefixes`` is how their keys begin. Follows "ignore_tags" in
    "Provider configuration" of the Terraform AWS provider.
    """

    keys: Annotated[
        list[TagKey],
        Field(
            description="a list of tag keys. Terraform leaves tags of these keys alone",
            examples=[["CostCenter"]],
        ),
    ] = []
    key_prefixes: Annotated[
        list[TagKey],
        Field(
            description="a list of how tag keys begin. Terraform leaves tags of such keys alone",
            examples=[["acme:"]],
        ),
    ] = []


class AccountSettings(_Settings):
    """One account: where Terraform works in it, and with which credentials.

    ``profile`` names a profile of the AWS configuration files. ``assume_role`` is a role to
    assume, with the profile's credentials or, without a profile, those of the environment.
    ``account_id`` pins the account: Terraform then stops before any change when the credentials
    are those of another one.
    """

    region: Annotated[
        str,
        Field(
            pattern=r"^([a-z]{2}(-gov)?|eusc-[a-z]{2})-"
            r"(central|east|west|(north|south)(east|west)?)-[1-9]$",
            description="an AWS region. Terraform works in it: what is new in the account is "
            "created there",
            examples=["ap-northeast-1"],
        ),
        AfterValidator(supported),
    ]
    profile: Annotated[
        str | None,
        Field(
            pattern=r"^[^\x00-\x20\[\]$%]([^\x00-\x1f\[\]$%]*[^\x00-\x20\[\]$%])?$",
            description="the name of an AWS profile. One of the AWS configuration files: Terraform "
            "works in the account with its credentials",
            examples=["my-profile"],
        ),
    ] = None
    assume_role: Annotated[
        RoleToAssume | None,
        Field(
            description="a role to assume. Terraform assumes it to work in the account, with the "
            "profile's credentials or, without a profile, those of the environment",
            examples=[{"role_arn": "arn:aws:iam::123456789012:role/deploy"}],
        ),
    ] = None
    account_id: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9]{12}$",
            description="an AWS account id (12 digits, as text). Terraform stops before any change "
            "when the credentials are those of another account",
            examples=["123456789012"],
        ),
    ] = None
    tags: Annotated[
        dict[
            Annotated[
                str,
                Field(
                    pattern=r"^[\w .:/=+@-]+$",
                    max_length=128,
                    description="tag keys",
                    examples=["CostCenter"],
                ),
                AfterValidator(_not_of_aws),
            ],
            TagValue,
        ],
        Field(
            description="tags. Everything that is created in the account has them; what is "
            "imported keeps its own",
            examples=[{"CostCenter": "42"}],
            max_length=50,
        ),
    ] = {}
    ignore_tags: Annotated[
        IgnoredTags | None,
        Field(
            description="tags that others set. Terraform leaves them alone on what it manages in "
            "the account",
            examples=[{"keys": ["CostCenter"]}],
        ),
    ] = None
