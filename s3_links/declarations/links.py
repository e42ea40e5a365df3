"""Every link, and the accounts that they are between.

Its models check the files of links, and are what ``links.schema.json`` is generated from, so that
an editor completes and checks them too.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from s3_cross_account.settings import partition

from . import claims, delegated, foreign, sharing, targets
from .accounts import LinkAccount
from .buckets import LinkBucket
from .consumers import Consumer
from .delivery import ServiceDeliveryLink
from .deployment import Deployment, accounts_in
from .imported_keys import out_of_reach
from .link import Link
from .names import (
    JAVASCRIPT,
    REFERENCE_STACK,
    AccountAlias,
    text,
)
from .part import UnreadableError, claim, parts, rule
from .pipeline import STACK as PIPELINE_STACK
from .replication import ReplicationLink
from .state import BUCKET_STACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .part import Problem


AnyLink = Annotated[
    Link | ReplicationLink | ServiceDeliveryLink,
    Field(
        discriminator="pattern",
        description='"direct-access", "assume-role", "replication" or "service-delivery"',
        examples=["direct-access"],
    ),
]


def _free(name: str) -> str:
    if name in (REFERENCE_STACK, BUCKET_STACK, PIPELINE_STACK):
        raise ValueError("is the name of a stack of this project: choose another")
    if name in JAVASCRIPT:
        raise ValueError("is a word of JavaScript, which cdktf is written in: choose another")
    return name


LinkName = Annotated[
    str,
    text("a link's name (small letters, digits, hyphens)", "reports", r"^[a-z][a-z0-9-]{0,62}$"),
    AfterValidator(_free),
]


class Links(Deployment):
    """Every link, and the accounts that they are between."""

    schema_: Annotated[
        str | None,
        Field(
            alias="$schema",
            description="a JSON schema. An editor completes and checks the file by it",
            examples=["./links.schema.json"],
        ),
    ] = None
    accounts: Annotated[
        dict[AccountAlias, LinkAccount],
        Field(
            description="two accounts or more, by their aliases. How Terraform reaches them; links "
            "name them by the aliases",
            examples=[
                {
                    "account1": {"region": "ap-northeast-1", "profile": "account1"},
                    "account2": {"region": "ap-northeast-1", "profile": "account2"},
                }
            ],
            min_length=2,
        ),
    ]
    links: Annotated[
        dict[LinkName, AnyLink],
        Field(
            description="the links by their names. Each becomes a stack of its name, with a state "
            "of its own",
            examples=[{"reports": {}}],
            min_length=1,
        ),
    ]

    @model_validator(mode="after")
    def _connected(self) -> Self:
        sharing.connect(self)
        return self

    @rule
    def _shared_buckets(self) -> Iterator[Problem]:
        yield from sharing.problems(self)

    @rule
    def _partitions(self) -> Iterator[Problem]:
        for name, link in self.links.items():
            aliases = dict.fromkeys(alias for _, alias in accounts_in(link))
            for problem in self.in_two_partitions(aliases):
                yield ("links", name), problem

    @rule
    def _deliveries_within_a_region(self) -> Iterator[Problem]:
        for place, link in parts(self.links, ServiceDeliveryLink, ("links",)):
            with suppress(UnreadableError, KeyError):
                for inner, told in link.elsewhere(lambda alias: self.accounts[alias].region):
                    yield (*place, *inner), told

    @rule
    def _foreign_sides(self) -> Iterator[Problem]:
        yield from foreign.problems(self)

    @rule
    def _access_points(self) -> Iterator[Problem]:
        yield from delegated.problems(self)

    @rule
    def _targets(self) -> Iterator[Problem]:
        yield from targets.problems(self)

    @rule
    def _keys_of_their_buckets(self) -> Iterator[Problem]:
        for place, bucket in parts(self, LinkBucket):
            with suppress(UnreadableError, KeyError):
                if bucket.key_arn is not None:
                    for problem in _unfit_key(bucket.key_arn, self.accounts[bucket.account]):
                        yield (*place, "key"), problem
                if bucket.imported_key_policy is not None and bucket.key_arn:
                    for told in out_of_reach(bucket.key_arn, bucket, self.accounts):
                        yield (*place, "imported_key_policy"), told

    @rule
    def _arns_of_their_accounts(self) -> Iterator[Problem]:
        for place, consumer in parts(self, Consumer):
            for field in ("existing_role", "existing_user"):
                with suppress(UnreadableError, KeyError):
                    arn = getattr(consumer, field) or ""
                    if arn.startswith("arn:"):
                        account = self.accounts[consumer.account]
                        # A foreign account may have no region: it is where the link's others are.
                        others = accounts_in(self.links[str(place[1])])
                        regions = (self.accounts[alias].region for _, alias in others)
                        region = account.region or next(filter(None, regions), "")
                        for problem in _elsewhere(arn, account, region):
                            yield (*place, field), problem

    @rule
    def _roles_of_the_pipeline(self) -> Iterator[Problem]:
        """Nobody gives access to a pipeline's role: it would deploy its own policies."""
        theirs = {role.lower() for role in self.pipeline.roles()} if self.pipeline else ()
        for place, consumer in parts(self.links, Consumer, ("links",)):
            with suppress(UnreadableError):
                role = (consumer.existing_role or "").rpartition("/")[2]
                if role and role.lower() in theirs:
                    told = f"the role {role!r} is the pipeline's: give the access to another role"
                    yield place[:2], told

    @claim
    def _of_the_pipeline(self) -> Iterator[list[claims.Claim]]:
        roles = self.pipeline.roles() if self.pipeline else ()
        own = [alias for alias, account in self.accounts.items() if not account.is_foreign]
        yield [claims.role(alias, name, by="pipeline") for alias in own for name in roles]

    @claim
    def _log_buckets(self) -> Iterator[list[claims.Claim]]:
        for alias, account in self.accounts.items():
            with suppress(UnreadableError):
                yield account.log_bucket_of(alias)

    @rule
    def _claimed_once(self) -> Iterator[Problem]:
        yield from claims.claimed_twice(self)

    def notes(self) -> list[Problem]:
        """Return what cannot be known here of what is declared."""
        return [
            ((*place, "trusted_services" if consumer.trusted_services else "trusted_service"), note)
            for place, consumer in parts(self, Consumer)
            if (note := consumer.note())
        ]


def _elsewhere(arn: str, account: LinkAccount, region: str) -> Iterator[str]:
    _, of, _, _, account_id, _ = arn.split(":")
    if of != partition(region):
        told = f"is in the partition {of}, its account in {partition(region)}"
        yield f"{told}: correct the ARN"
    if account.account_id not in (None, account_id):
        yield (
            f"belongs to account {account_id}, declared is {account.account_id}: correct the ARN, "
            "or declare the account that it is in"
        )


def _unfit_key(key: str, account: LinkAccount) -> Iterator[str]:
    _, key_partition, _, region, _, _ = key.split(":")
    if key_partition != partition(region):
        yield (
            f"is in the partition {key_partition}, its region in {partition(region)}: correct the "
            "ARN"
        )
    if account.region and region != account.region:
        yield (
            f"is in {region}, its bucket in {account.region}: S3 takes keys of the bucket's "
            "region only"
        )


def schema() -> str:
    """Return the JSON schema of a links file."""
    return json.dumps(Links.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
