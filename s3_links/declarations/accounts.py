"""An account: how Terraform reaches it, and what everything created in it shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ConfigDict, Field

from s3_cross_account.settings import AccountSettings, partition, supported

from . import claims
from .choices import is_, when, without
from .names import BUCKET, BucketName, about, text
from .part import Part, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem


class DeclaredAccount(Part, AccountSettings):
    """One account, with the credentials that Terraform works in it with."""

    @property
    def role_arn(self) -> str | None:
        """The ARN of the role to assume, if there is one."""
        return self.assume_role.role_arn if self.assume_role else None

    @property
    def known_id(self) -> str | None:
        """Its id, as far as it is declared."""
        return self.account_id or (self.role_arn and _owner(self.role_arn))

    @property
    def is_foreign(self) -> bool:
        """Whether nobody here has credentials for it."""
        return False

    @rule
    def _credentials(self) -> Iterator[Problem]:
        if not self.is_foreign and self.profile is None and self.assume_role is None:
            yield (
                (),
                'has no credentials: add a profile ("profile": "my-profile") or a role to assume '
                '("assume_role": {"role_arn": …})',
            )

    @rule
    def _role_of_its_partition(self) -> Iterator[Problem]:
        yield from _elsewhere(("assume_role", "role_arn"), self.role_arn, self.region)

    @rule
    def _role_of_its_own(self) -> Iterator[Problem]:
        if self.account_id and self.role_arn and self.account_id != _owner(self.role_arn):
            yield (
                ("account_id",),
                f"is {self.account_id}, but assume_role.role_arn belongs to account "
                f"{_owner(self.role_arn)}: correct one of them",
            )


OF_OWN_ACCOUNTS = (
    "profile",
    "assume_role",
    "permissions_boundary",
    "log_bucket",
    "ignore_tags",
    "tags",
)
"""What is said of an account only in order to work in it."""


class LinkAccount(DeclaredAccount):
    """One account: how Terraform reaches it, and what everything created in it shares.

    A foreign one is not reached: nobody here has credentials for it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            **when(is_(foreign=[True]), {"required": ["account_id"]} | without(*OF_OWN_ACCOUNTS)),
            "else": {"required": ["region"]},
        }
    )

    foreign: Annotated[
        bool,
        Field(
            description="true or false: whether nobody here has credentials for the account, a "
            "partner's or a vendor's. What is to be written there is handed over, as outputs and "
            "by s3-links handover",
            examples=[True],
        ),
    ] = False
    region: Annotated[
        str,
        Field(
            pattern=AccountSettings.model_fields["region"].metadata[0].pattern,
            description="an AWS region. Terraform works in it: what is new in the account is "
            "created there. A foreign account needs none",
            examples=["ap-northeast-1"],
        ),
        AfterValidator(supported),
    ] = ""
    permissions_boundary: Annotated[
        str | None,
        text(
            "the ARN of a managed policy. The permissions boundary of every role that is created "
            "in the account; without it some organizations let nobody create roles",
            "arn:aws:iam::123456789012:policy/boundary",
            r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        ),
    ] = None
    log_bucket: Annotated[
        BucketName | None,
        about(
            BUCKET,
            "One that exists in the account and its region: with the hardening access_logging the "
            "account's buckets log to it, and none is created",
            "my-access-logs",
        ),
    ] = None

    trust_policy_quota: Annotated[
        int,
        Field(
            description="a number of characters from 2048 to 8192. How long a trust policy may be "
            'in the account: the quota "Role trust policy length" of IAM, where it was raised',
            ge=2048,
            le=8192,
            examples=[8192],
        ),
    ] = 2048

    @property
    def is_foreign(self) -> bool:
        """Whether nobody here has credentials for it."""
        return self.foreign

    @rule
    def _a_region(self) -> Iterator[Problem]:
        if not self.foreign and not self.region:
            yield ("region",), "is missing: give an AWS region"

    @rule
    def _nothing_of_an_own_one(self) -> Iterator[Problem]:
        if self.foreign and self.account_id is None:
            yield (
                ("account_id",),
                "is missing: a foreign account is known by its id alone: give it (12 digits)",
            )
        for name in OF_OWN_ACCOUNTS if self.foreign else ():
            if getattr(self, name):
                yield (
                    (name,),
                    "is for an account that is worked in, and nobody here has credentials for a "
                    'foreign one: leave it out, or "foreign"',
                )

    @rule
    def _boundary_of_its_partition(self) -> Iterator[Problem]:
        yield from _elsewhere(("permissions_boundary",), self.permissions_boundary, self.region)

    @rule
    def _boundary_of_its_own(self) -> Iterator[Problem]:
        owner = self.permissions_boundary and _owner(self.permissions_boundary)
        if self.account_id and owner not in (None, self.account_id, "aws"):
            yield (
                ("permissions_boundary",),
                f"belongs to account {owner}, the roles to {self.account_id}: use a policy of "
                "theirs",
            )

    def log_bucket_of(self, alias: str) -> list[claims.Claim]:
        """Return the claims on its log bucket, which somebody else has with its policy."""
        by = f"accounts.{alias}.log_bucket"
        return [
            claimed(alias, name, by=by)
            for name in [self.log_bucket]
            if name
            for claimed in (claims.bucket, claims.bucket_policy)
        ]


def _owner(arn: str) -> str:
    return arn.split(":")[4]


def _elsewhere(place: tuple[str, ...], arn: str | None, region: str) -> Iterator[Problem]:
    own = partition(region)
    other = arn.split(":")[1] if arn else own
    if other != own:
        yield (
            place,
            f"is in the partition {other}, the account's region in {own}: correct one of them",
        )
