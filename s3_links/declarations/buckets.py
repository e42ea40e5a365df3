"""The buckets of a link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr

from s3_cross_account.hardening import LOGS_DAYS, OLD_VERSIONS_DAYS

from . import claims
from .access_points import BucketAccessPoint
from .choices import given, is_, one_of, when, without
from .imported_keys import unfit
from .named import Named
from .names import (
    ALIAS,
    BUCKET,
    PREFIX,
    AccountAlias,
    BucketName,
    BucketPrefix,
    about,
    text,
)
from .notifications import BucketNotification, problems
from .part import claim, rule
from .shared import Owner, Sharer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .claims import Claim
    from .part import Problem

_KINDS = {"new_prefix": "new", "new_name": "named", "existing": "existing", "imported": "imported"}


WHOSE_POLICY = (
    'with "existing", say who owns its bucket policy: '
    '"policy": "create" (nobody yet) or "merge" (you get the statements to merge)'
)
# Of each kind of bucket who may own its policy, and what to say of it.
_NEW = ((None,), 'a new bucket has no other policy: leave out "policy"')
_POLICIES: dict[str, tuple[tuple[str | None, ...], str]] = {
    "new": _NEW,
    "named": _NEW,
    # Without any, a link of the file writes it: :mod:`.sharing` asks for that.
    "existing": (("create", "merge", None), WHOSE_POLICY),
    "imported": (
        ("create", "import"),
        'with "imported", say whether it has a bucket policy: '
        '"policy": "create" (none) or "import" (one, to be taken over)',
    ),
}


CHOICES: list[dict[str, Any]] = [
    when(given("new_prefix"), without("policy", "notification_configuration")),
    when(given("new_name"), without("policy", "notification_configuration")),
    when(
        given("existing"),
        {
            "not": {
                "anyOf": [is_(policy=["import"]), is_(key=["new"]), is_(force_destroy=[True])],
            }
        },
    ),
    when(
        given("imported"),
        is_(policy=["create", "import"]) | {"not": is_(force_destroy=[True])},
    ),
]
"""What a bucket's fields show only together, for the JSON schema."""


class LinkBucket(Named):
    """A bucket that access is given to: a new one, or one that exists."""

    model_config = ConfigDict(json_schema_extra={**one_of(*_KINDS), "allOf": [*CHOICES]})

    KINDS = _KINDS

    account: Annotated[AccountAlias, about(ALIAS, "The one that the bucket is in", "account2")]
    new_prefix: Annotated[
        BucketPrefix | None,
        about(PREFIX, "The link creates the bucket, whose name gets 26 more digits", "reports-"),
    ] = None
    new_name: Annotated[
        BucketName | None,
        about(
            BUCKET,
            "The link creates the bucket with just this name, which nobody else in the partition "
            "of AWS may have",
            "my-reports",
        ),
    ] = None
    existing: Annotated[
        BucketName | None,
        about(BUCKET, "The bucket exists and stays its owner's, with its settings", "my-reports"),
    ] = None
    imported: Annotated[
        BucketName | None,
        about(BUCKET, "The bucket exists, and from now on the link manages it", "my-reports"),
    ] = None
    policy: Annotated[
        Literal["create", "merge", "import"] | None,
        Field(
            description='"create" (nobody owns the bucket policy yet), "merge" (somebody does) or '
            '"import" (this link takes it over). Of a bucket that exists only: a bucket has one '
            "policy, and who writes it replaces the other's. Left out with existing: another link "
            "of the file has the bucket, and writes the policy for both",
            examples=["merge"],
        ),
    ] = None
    key: Annotated[
        str | None,
        text(
            '"new", "none" or the ARN of a customer managed key; the AWS managed key aws/s3 and '
            "aliases cannot be shared with another account. With new the link creates the key, in "
            "the bucket's account; an ARN may be of a third account. Left out, there is none, and "
            "S3's own keys encrypt; with none they do so whatever did before",
            "new",
            r"^(new|none|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)$",
        ),
    ] = None
    imported_key_policy: Annotated[
        dict[str, Any] | None,
        Field(
            description="the policy of a key that exists, as it is. The link takes it over, and "
            "writes its statements to it; print it with aws kms get-key-policy --key-id KEY "
            "--policy-name default --query Policy --output text. Left out, the statements are an "
            "output, to merge by hand",
            examples=[{"Version": "2012-10-17", "Statement": []}],
        ),
    ] = None
    dsse: Annotated[
        bool,
        Field(
            description="true or false: whether objects are encrypted twice (DSSE-KMS). With the "
            "bucket's key, which is then asked for each object, and costs for each",
            examples=[True],
        ),
    ] = False
    notifications: Annotated[
        list[BucketNotification],
        Field(
            description="a list of notifications. What S3 tells a queue, a topic, an event bus or "
            "a function of the other account when something happens to objects",
            examples=[
                [
                    {
                        "to": {"account": "account1", "new_queue": "incoming"},
                        "events": ["s3:ObjectCreated:*"],
                        "prefix": "in/",
                    }
                ]
            ],
        ),
    ] = []
    notification_configuration: Annotated[
        Literal["create", "import", "merge"] | None,
        Field(
            description='"create" (nobody owns the notification configuration yet), "import" (this '
            'link takes it over, and its notifications replace the others) or "merge" (somebody '
            "does: you get the notifications to merge). Of a bucket that exists only, with "
            "notifications: a bucket has one configuration",
            examples=["create"],
        ),
    ] = None
    access_points: Annotated[
        list[BucketAccessPoint],
        Field(
            description="a list of access points. The link creates them, its consumers come "
            "through them alone, each through the one in its account, and the bucket policy "
            "delegates to them; left out, consumers reach the bucket by its name",
            examples=[[{"account": "account1", "name": "reports"}]],
        ),
    ] = []
    keep: Annotated[
        bool,
        Field(
            description="true or false: whether a new bucket stays when its link goes. With its "
            "objects, its settings and its new key, but without the access: `s3-links destroy` "
            "lets Terraform forget them",
            examples=[True],
        ),
    ] = False
    old_versions_days: Annotated[
        int,
        Field(
            description="a number of days, 1 or more. How long overwritten and deleted objects can "
            'be restored, with the hardening "lifecycle"',
            ge=1,
            examples=[30],
        ),
    ] = OLD_VERSIONS_DAYS
    logs_days: Annotated[
        int,
        Field(
            description="a number of days, 1 or more. How long the log bucket keeps access logs "
            'that is created with the hardening "access_logging"',
            ge=1,
            examples=[90],
        ),
    ] = LOGS_DAYS
    force_destroy: Annotated[
        bool,
        Field(
            description="true or false: whether to delete the bucket with its objects. Left out, "
            "a new bucket that is not empty cannot be destroyed",
            examples=[True],
        ),
    ] = False

    _owner: Owner | None = PrivateAttr(None)
    _sharers: tuple[Sharer, ...] = PrivateAttr(())

    @property
    def owner(self) -> Owner | None:
        """The link that makes it and writes its policy, where that is another one of the file."""
        return self._owner

    @property
    def sharers(self) -> tuple[Sharer, ...]:
        """The other links of the file that name it, and whose halves of its policy are written."""
        return self._sharers

    def through(self, account: str | None) -> BucketAccessPoint | None:
        """Return the access point that callers in ``account`` come through: theirs, or its own."""
        of = {point.account: point for point in reversed(self.access_points)}
        return of.get(account or "") or of.get(self.account)

    @property
    def encrypted_by(self) -> str | None:
        """What is said of its key, where it is made."""
        return (self._owner.bucket if self._owner else self).key

    @rule
    def _whose_policy(self) -> Iterator[Problem]:
        kind, _ = self._kind_and_name
        choices, told = _POLICIES[kind]
        if self.policy not in choices:
            yield (), told

    @property
    def encrypted(self) -> bool:
        """Whether a customer managed key encrypts it."""
        return self.key not in (None, "none")

    @property
    def key_arn(self) -> str | None:
        """The ARN of a key that exists."""
        return None if self.key in ("new", "none") else self.key

    @rule
    def _key_of_an_existing_bucket(self) -> Iterator[Problem]:
        if self.existing and self.key in ("new", "none"):
            yield (), 'an existing bucket has its key: give its ARN, or leave out "key"'

    @rule
    def _key_policy(self) -> Iterator[Problem]:
        if self.imported_key_policy is None:
            return
        if self.key_arn is None:
            told = 'is of a key that exists: give the ARN of the "key", or leave this out'
            yield ("imported_key_policy",), told
        for told in unfit(self.imported_key_policy):
            yield ("imported_key_policy",), told

    @rule
    def _encrypted_twice(self) -> Iterator[Problem]:
        if self.dsse and not self.encrypted:
            yield (), '"dsse" needs a "key"'
        if self.dsse and self.existing:
            yield (), 'an existing bucket keeps its encryption: leave out "dsse"'

    @rule
    def _notified(self) -> Iterator[Problem]:
        yield from problems(self.notifications)
        kind, _ = self._kind_and_name
        whose, exists = self.notification_configuration, kind in ("existing", "imported")
        if self.notifications and self.existing and self.policy is None:
            told = "is written with the bucket: declare them in the link that has it"
            yield ("notifications",), f"its notification configuration {told}"
            return
        if self.notifications and exists and whose is None:
            yield (
                (),
                f'with "notifications" of an {kind} bucket, say who owns its notification '
                'configuration: "notification_configuration": "create" (nobody yet), "import" '
                '(this link takes it over) or "merge" (you get the notifications to merge)',
            )
        if whose and not (self.notifications and exists):
            told = "a new bucket has no other" if self.notifications else "there is none to write"
            yield ("notification_configuration",), f"{told}: leave it out"

    @rule
    def _kept(self) -> Iterator[Problem]:
        kind, _ = self._kind_and_name
        if self.keep and kind in ("existing", "imported"):
            yield (), f'an {kind} bucket stays in any case: leave out "keep"'
        if self.keep and self.force_destroy:
            yield (), 'give "keep" or "force_destroy", not both'

    @rule
    def _settings_of_an_existing_bucket(self) -> Iterator[Problem]:
        for field in ("old_versions_days", "logs_days") if self.existing else ():
            if field in self.model_fields_set:
                yield (), f'an existing bucket keeps its settings: leave out "{field}"'

    @rule
    def _only_a_new_bucket_is_deleted(self) -> Iterator[Problem]:
        for kind, name in (("existing", self.existing), ("imported", self.imported)):
            if name and self.force_destroy:
                yield (), f'an {kind} bucket is never deleted: leave out "force_destroy"'

    def _owned(self) -> list[Claim]:
        name = self.new_name or self.imported
        owned = [claims.bucket(self.account, name)] if name else []
        if self.new_name or self.policy in ("create", "import"):
            owned.append(claims.bucket_policy(self.account, self.name))
        if self.notifications and self.notification_configuration in ("create", "import"):
            owned.append(claims.notification_configuration(self.account, self.name))
        return owned

    @claim
    def _policy_of_its_key(self) -> Iterator[list[Claim]]:
        if self.imported_key_policy is not None and self.key_arn is not None:
            yield [claims.key_policy(self.key_arn)]

    @claim
    def _itself(self) -> Iterator[list[Claim]]:
        yield [*self._owned(), claims.output(f"bucket_name_{self.label}")]


def imports_of(buckets: Sequence[LinkBucket], roles: Sequence[str | None] = ()) -> list[str]:
    """Return what is taken over, each as its resource type and its name."""
    keys = [str(bucket.key_arn) for bucket in buckets if bucket.imported_key_policy is not None]
    return [
        *(f"aws_iam_role/{role}" for role in roles if role),
        *(f"aws_s3_bucket/{bucket.imported}" for bucket in buckets if bucket.imported),
        *(f"aws_kms_key_policy/{arn.rpartition('/')[2]}" for arn in keys),
    ]
