"""The ends of a replication, and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field

from s3_cross_account.replication_rule import ReplicationRule, problems

from . import claims
from .buckets import CHOICES, LinkBucket
from .choices import given, one_of, when, without
from .names import ROLE, RoleName, about
from .part import Part, claim, rule, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .claims import Claim
    from .part import Problem


class Rule(Part, ReplicationRule):
    """What is replicated, and how."""


class ReplicatedBucket(LinkBucket):
    """A bucket at one end of a replication; a new one is versioned."""

    model_config = ConfigDict(
        json_schema_extra={
            **one_of(*LinkBucket.KINDS),
            "allOf": [
                *CHOICES,
                when(given("new_prefix"), without("replication", "object_lock")),
                when(given("new_name"), without("replication", "object_lock")),
            ],
        }
    )

    versioned: Annotated[
        bool,
        Field(
            description="true or false: whether an existing bucket is versioned. S3 replicates no "
            "other; a new or an imported one is versioned by the link",
            examples=[True],
        ),
    ] = False
    object_lock: Annotated[
        bool,
        Field(
            description="true or false: whether a bucket that exists has Object Lock. Its locks "
            "are then replicated, to buckets that have Object Lock too",
            examples=[True],
        ),
    ] = False
    rules: Annotated[
        list[Rule] | None,
        Field(
            description="a list of rules. What is replicated to this bucket; left out: what the "
            "link's rules say",
            examples=[[{"prefix": "reports/"}]],
            min_length=1,
        ),
    ] = None
    role_name: Annotated[
        RoleName | None,
        about(
            ROLE,
            "S3 copies from this bucket with it; left out: the link's role_name, with -back at its "
            "end on the way back. Of two sources in one account each has its own",
            "copies",
        ),
    ] = None
    replication: Annotated[
        Literal["create", "import", "merge"] | None,
        Field(
            description='"create" (nobody owns the replication configuration yet; what left out '
            'means), "import" (this link takes it over, and its rules replace the others) or '
            '"merge" (somebody does: you get the rules to merge, and role_name is the role that '
            "is in it). Of a source that exists only: a bucket has one configuration, with one "
            "role",
            examples=["merge"],
        ),
    ] = None

    @rule
    def _versioned(self) -> Iterator[Problem]:
        if self.existing and not self.versioned:
            yield (
                (),
                "S3 replicates versioned buckets only: enable versioning on the bucket and say so "
                'with "versioned": true',
            )

    @rule
    def _no_new_lock(self) -> Iterator[Problem]:
        if self.object_lock and not (self.existing or self.imported):
            yield (
                ("object_lock",),
                "a new bucket has no Object Lock, which has no half in another account: whoever "
                "owns the bucket makes it so, and the link names it as a bucket that exists",
            )

    @rule
    def _whose_configuration(self) -> Iterator[Problem]:
        if self.replication and not (self.existing or self.imported):
            told = 'a new bucket has no other replication configuration: leave out "replication"'
            yield (), told

    @rule
    def _possible_rules(self) -> Iterator[Problem]:
        if self.rules is not None:
            yield from possible(self.rules)

    def replicated(self) -> list[Claim]:
        """Return the claim on its replication configuration, where another link could have it."""
        if self.new_prefix or self.replication == "merge":
            return []
        return [claims.replication_configuration(self.account, self.name)]

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        yield self._owned()


def possible(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Yield what is wrong with rules for one destination."""
    if read := [rule for rule in rules if whole(rule)]:
        yield from ((("rules",), told) for told in problems(read))
