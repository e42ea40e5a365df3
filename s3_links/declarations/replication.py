"""A replication, and its rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
)

from s3_cross_account.replication_rule import STORAGE_CLASSES, ReplicationRule, problems

from .buckets import ReplicatedBucket, imports_of
from .checking import nothing_of
from .hardening import HardeningChoice, switches
from .names import (
    RoleName,
    TagKey,
    TagValue,
)
from .part import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_cross_account.hardening import Hardening


class Rule(Part):
    """What is replicated, and how."""

    priority: Annotated[
        int, Field(description="a number from 1 to 2147483647", examples=[1], ge=1, le=2147483647)
    ] = 1
    prefix: Annotated[
        str,
        Field(
            description="a prefix (1,024 characters at most, no $ or %)",
            examples=["reports/"],
            pattern=r"^[^$%\x00-\x1f]*$",
            max_length=1024,
        ),
    ] = ""
    tags: Annotated[
        dict[TagKey, TagValue],
        Field(description="an object of tags", examples=[{"share": "yes"}], max_length=10),
    ] = {}
    delete_markers: Annotated[bool, Field(description="true or false")] = False
    storage_class: Annotated[
        Literal[STORAGE_CLASSES] | None,  # type: ignore[valid-type]
        Field(description=f"one of {', '.join(STORAGE_CLASSES)}", examples=["STANDARD_IA"]),
    ] = None
    time_control: Annotated[bool, Field(description="true or false")] = False

    @property
    def rule(self) -> ReplicationRule:
        """The rule as the library has it."""
        return ReplicationRule(
            **self.model_dump(exclude={"tags"}), tags=tuple(sorted(self.tags.items()))
        )


_BUCKET_EXAMPLE = {"account": "account1", "new_prefix": "reports-"}


class ReplicationLink(Part):
    """A replication from one bucket to another account's, its own stack and its own state."""

    pattern: Literal["replication"]
    source: Annotated[ReplicatedBucket, Field(description="a bucket", examples=[_BUCKET_EXAMPLE])]
    destination: Annotated[
        ReplicatedBucket,
        Field(description="a bucket", examples=[_BUCKET_EXAMPLE | {"account": "account2"}]),
    ]
    role_name: RoleName
    rules: Annotated[
        list[Rule],
        Field(description="a list of rules", examples=[[{"prefix": "reports/"}]], min_length=1),
    ] = [Rule()]
    both_ways: Annotated[bool, Field(description="true or false")] = False
    batch_role: Annotated[bool, Field(description="true or false")] = False
    hardening: HardeningChoice = False

    @property
    def switches(self) -> Hardening:
        """The hardening as the library has it: versioning is on in any case."""
        return replace(switches(self.hardening), versioning=True)

    @property
    def imports(self) -> list[str]:
        """What the link takes over, each as its resource type and its name."""
        return imports_of(self.buckets)

    @property
    def buckets(self) -> list[ReplicatedBucket]:
        """Both ends."""
        return [self.source, self.destination]

    @field_validator("destination")
    @classmethod
    def _another_end(cls, destination: ReplicatedBucket, info: ValidationInfo) -> ReplicatedBucket:
        if source := info.data.get("source"):
            nothing_of(_between(source, destination))
        return destination

    @field_validator("rules")
    @classmethod
    def _possible(cls, rules: list[Rule]) -> list[Rule]:
        nothing_of(problems([rule.rule for rule in rules]))
        return rules

    @field_validator("both_ways")
    @classmethod
    def _also_back(cls, both_ways: bool, info: ValidationInfo) -> bool:
        source, destination = info.data.get("source"), info.data.get("destination")
        if both_ways and source and destination and destination.key and not source.key:
            raise ValueError('both ways, with a key at one end only: give the source a "key" too')
        return both_ways


def _between(source: ReplicatedBucket, destination: ReplicatedBucket) -> Iterator[str]:
    if (source.account, source.name) == (destination.account, destination.name):
        yield "source and destination are the same bucket: name two"
    elif source.account == destination.account:
        yield "source and destination are in the same account: name two"
    if source.key and not destination.key:
        yield (
            "the source has a KMS key and the destination has none: S3 would not replicate its "
            'objects; give the destination a "key" too'
        )
