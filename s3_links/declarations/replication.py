"""A replication, and its rules."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from s3_cross_account.replication_rule import ReplicationRule, problems

from . import claims
from .buckets import ReplicatedBucket, imports_of
from .hardening import HardeningChoice, switches
from .names import ROLE, RoleName, about
from .part import Part, UnreadableError, claim, rule, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_cross_account.hardening import Hardening

    from .claims import Claim
    from .part import Problem


class Rule(Part, ReplicationRule):
    """What is replicated, and how."""


_BUCKET_EXAMPLE = {"account": "account1", "new_prefix": "reports-"}


class ReplicationLink(Part):
    """A replication from one bucket to another account's, its own stack and its own state."""

    pattern: Annotated[
        Literal["replication"],
        Field(
            description='"replication". S3 copies each object that is written to the source',
            examples=["replication"],
        ),
    ]
    source: Annotated[
        ReplicatedBucket,
        Field(description="a bucket. The one whose objects are copied", examples=[_BUCKET_EXAMPLE]),
    ]
    destination: Annotated[
        ReplicatedBucket,
        Field(
            description="a bucket. The one that they are copied to, of another account, which owns "
            "the copies",
            examples=[_BUCKET_EXAMPLE | {"account": "account2"}],
        ),
    ]
    role_name: Annotated[
        RoleName,
        about(ROLE, "The link creates it in the source's account, for S3 to copy with", "copies"),
    ]
    rules: Annotated[
        list[Rule],
        Field(
            description="a list of rules. What is replicated, and how; left out: every new object",
            examples=[[{"prefix": "reports/"}]],
            min_length=1,
        ),
    ] = [Rule()]
    both_ways: Annotated[
        bool,
        Field(
            description="true or false: whether the destination's own objects are copied back. By "
            "a second role, in the destination's account, whose name ends with -back",
            examples=[True],
        ),
    ] = False
    batch_role: Annotated[
        bool,
        Field(
            description="true or false: whether to create a role for S3 Batch Replication. It "
            "copies what was there before; the output batch_replication_command starts it",
            examples=[True],
        ),
    ] = False
    hardening: HardeningChoice = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it: versioning is on in any case."""
        return switches(self.hardening).model_copy(update={"versioning": True})

    @property
    def imports(self) -> list[str]:
        """What the link takes over, each as its resource type and its name."""
        return imports_of(self.buckets)

    @property
    def buckets(self) -> list[ReplicatedBucket]:
        """Both ends."""
        return [self.source, self.destination]

    @rule
    def _two_buckets(self) -> Iterator[Problem]:
        source, destination = self.source, self.destination
        if source.account != destination.account:
            return
        with suppress(UnreadableError):
            if source.name == destination.name:
                yield ("destination",), "source and destination are the same bucket: name two"
                return
        yield ("destination",), "source and destination are in the same account: name two"

    @rule
    def _keys(self) -> Iterator[Problem]:
        if self.source.key and not self.destination.key:
            yield (
                ("destination",),
                "the source has a KMS key and the destination has none: S3 would not replicate its "
                'objects; give the destination a "key" too',
            )

    @rule
    def _keys_both_ways(self) -> Iterator[Problem]:
        if self.both_ways and self.destination.key and not self.source.key:
            told = 'both ways, with a key at one end only: give the source a "key" too'
            yield ("both_ways",), told

    @rule
    def _possible_rules(self) -> Iterator[Problem]:
        if rules := [rule for rule in self.rules if whole(rule)]:
            yield from ((("rules",), told) for told in problems(rules))

    @claim
    def _role(self) -> Iterator[list[Claim]]:
        yield [claims.role(self.source.account, self.role_name)]

    @claim
    def _role_back(self) -> Iterator[list[Claim]]:
        if self.both_ways:
            yield [claims.role(self.destination.account, f"{self.role_name}-back")]

    @claim
    def _role_of_batches(self) -> Iterator[list[Claim]]:
        if self.batch_role:
            yield [claims.role(self.source.account, f"{self.role_name}-batch")]

    @claim
    def _configuration(self) -> Iterator[list[Claim]]:
        yield self.source.replicated()

    @claim
    def _configuration_back(self) -> Iterator[list[Claim]]:
        if self.both_ways:
            yield self.destination.replicated()
