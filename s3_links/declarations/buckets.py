"""The buckets of a link, and the ends of a replication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    model_validator,
)

from .checking import nothing_of
from .names import (
    AccountAlias,
    BucketName,
    BucketPrefix,
    text,
)
from .part import Part, given, is_, label, one_of, when, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class LinkBucket(Part):
    """A bucket that access is given to: a new one, or one that exists."""

    model_config = ConfigDict(
        json_schema_extra={
            **one_of("new_prefix", "existing", "imported"),
            "allOf": [
                when(given("new_prefix"), without("policy")),
                when(
                    given("existing"),
                    is_(policy=["create", "merge"])
                    | {"not": {"anyOf": [is_(key=["new"]), is_(force_destroy=[True])]}},
                ),
                when(
                    given("imported"),
                    is_(policy=["create", "import"]) | {"not": is_(force_destroy=[True])},
                ),
            ],
        }
    )

    account: AccountAlias
    new_prefix: BucketPrefix | None = None
    existing: BucketName | None = None
    imported: BucketName | None = None
    policy: Annotated[
        Literal["create", "merge", "import"] | None,
        Field(
            description='"create" (nobody owns the bucket policy yet), "merge" (somebody does) or '
            '"import" (this link takes it over)',
            examples=["merge"],
        ),
    ] = None
    key: Annotated[
        str | None,
        text(
            '"new" or the ARN of a customer managed key; the AWS managed key aws/s3 and aliases '
            "cannot be shared with another account",
            "new",
            r"^(new|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$",
        ),
    ] = None
    force_destroy: Annotated[
        bool, Field(description="true or false: whether to delete the bucket with its objects")
    ] = False

    @property
    def label(self) -> str:
        """What the bucket is called in the names of outputs."""
        return label(f"{self.account}_{self.name}")

    @property
    def name(self) -> str:
        """Its name or its prefix."""
        return str(self.existing or self.imported or self.new_prefix)

    @property
    def id(self) -> str:
        """What tells it from every other bucket; an alias has no dot."""
        kinds = {"existing": self.existing, "imported": self.imported}
        kind = next((kind for kind, name in kinds.items() if name), "new")
        return f"{self.account}.{kind}.{self.name}"

    @model_validator(mode="after")
    def _one_bucket(self) -> Self:
        nothing_of(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[str]:
        given = [self.new_prefix, self.existing, self.imported]
        if sum(value is not None for value in given) != 1:
            yield 'give one of "new_prefix", "existing" and "imported"'
            return
        choices = (None,) if self.new_prefix else ("create", "merge" if self.existing else "import")
        if self.policy not in choices:
            yield (
                'a new bucket has no other policy: leave out "policy"'
                if self.new_prefix
                else 'with "existing", say who owns its bucket policy: '
                '"policy": "create" (nobody yet) or "merge" (you get the statements to merge)'
                if self.existing
                else 'with "imported", say whether it has a bucket policy: '
                '"policy": "create" (none) or "import" (one, to be taken over)'
            )
        if self.existing and self.key == "new":
            yield 'an existing bucket has its key: give its ARN, or leave out "key"'
        if self.existing and self.force_destroy:
            yield 'an existing bucket is never deleted: leave out "force_destroy"'
        if self.imported and self.force_destroy:
            yield 'an imported bucket is never deleted: leave out "force_destroy"'


class ReplicatedBucket(LinkBucket):
    """A bucket at one end of a replication; a new one is versioned."""

    versioned: Annotated[
        bool, Field(description="true: an existing bucket is versioned", examples=[True])
    ] = False

    def _contradictions(self) -> Iterator[str]:
        yield from super()._contradictions()
        if self.existing and not self.versioned:
            yield (
                "S3 replicates versioned buckets only: enable versioning on the bucket and say so "
                'with "versioned": true'
            )


def imports_of(buckets: Sequence[LinkBucket], roles: Sequence[str | None] = ()) -> list[str]:
    """Return what is taken over, each as its resource type and its name."""
    return [
        *(f"aws_iam_role/{role}" for role in roles if role),
        *(f"aws_s3_bucket/{bucket.imported}" for bucket in buckets if bucket.imported),
    ]
