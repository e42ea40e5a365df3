"""What the links expect to find: looked at before anything is planned, with the same credentials.

Terraform learns of a missing role half-way, and of a bucket policy that it replaces never.
"""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3_links.declarations.delivery import ServiceDeliveryLink
from s3_links.declarations.imported_keys import statements
from s3_links.declarations.link import Link
from s3_links.declarations.replicated import ReplicatedBucket
from s3_links.declarations.replication import ReplicationLink

from . import state
from .credentials import Credentials, CredentialsError
from .existing_principals import Makers, makers, principals
from .existing_targets import targets
from .key_policies import ImportedKey
from .looking import Finding, RefusedError, UnknownError, asked
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.links import AnyLink
    from s3_links.declarations.replication import Way

    from .stack import Stack


def findings(
    stacks: Sequence[Stack], links: Mapping[str, AnyLink], accounts: Mapping[str, str]
) -> list[Finding]:
    """Return what is found of everything that the links of ``stacks`` name as existing.

    In a foreign account nothing is looked at.

    ``accounts`` are the ids that the aliases reach.
    """
    providers = {p["alias"]: p for stack in stacks for p in stack.providers}
    credentials = functools.cache(lambda alias: Credentials(providers[alias]))

    def answered(question: _Question) -> list[Finding]:
        if question.alias not in providers:
            told = f"{question.what} is not looked at: {question.alias} is a foreign account"
            return [Finding(question.place, told)]
        try:
            return list(question.look(credentials(question.alias)))
        except (UnknownError, CredentialsError) as error:
            told = f"{question.what} is unknown, it may not be looked at here: {error}"
            return [Finding(question.place, told)]

    made = makers(links)
    questions = [
        question
        for stack in stacks
        if stack.name in links
        for question in _questions(stack, links[stack.name], accounts, made)
    ]
    with ThreadPoolExecutor() as pool:
        return [finding for found in pool.map(answered, questions) for finding in found]


@dataclass(frozen=True)
class _Question:
    """What is to be looked at, in which account and how."""

    place: str
    what: str
    alias: str
    look: Callable[[Credentials], Iterator[Finding]]


def _questions(
    stack: Stack, link: AnyLink, accounts: Mapping[str, str], made: Makers
) -> Iterator[_Question]:
    for where, bucket, way in _buckets(link):
        if not bucket.new_prefix:
            place = f"links.{stack.name}.{where}"
            keyless = isinstance(link, ServiceDeliveryLink) and not link.takes_key
            there = _Bucket(place, bucket, stack, accounts, way, keyless)
            look = there.look_whether_free if bucket.new_name else there.look
            yield _Question(place, f"the bucket {bucket.name!r}", bucket.account, look)
        if bucket.imported_key_policy is not None and bucket.key_arn:
            place, arn = f"links.{stack.name}.{where}.imported_key_policy", bucket.key_arn
            ids = {id_: alias for alias, id_ in accounts.items()}
            alias = ids.get(arn.split(":")[4], bucket.account)
            key = ImportedKey(place, arn, statements(bucket), stack)
            yield _Question(place, f"the key policy of {arn}", alias, key.look)
    for where, what, alias, look_for in principals(link, made):
        place = f"links.{stack.name}.{where}"
        yield _Question(place, what, alias, functools.partial(look_for, place))
    named = ((where, bucket) for where, bucket, _ in _buckets(link))
    for where, what, alias, look_for in targets(named, accounts, lambda type_: _made(stack, type_)):
        place = f"links.{stack.name}.{where}"
        yield _Question(place, what, alias, functools.partial(look_for, place))


def _made(stack: Stack, type_: str) -> bool | None:
    """Whether a stack's state has a resource of a type; nothing where it is not known."""
    try:
        found = state.content(stack)
    except OperationError:
        return None
    return any(r["type"] == type_ for r in (found or {}).get("resources", ()))


def _buckets(link: AnyLink) -> Iterator[tuple[str, LinkBucket, Way | None]]:
    """Yield the place of each bucket, the bucket, and what is to be replicated from it."""
    if isinstance(link, ReplicationLink):
        ways = {way.source.label: way for way in link.ways}
        yield from ((end.where, end.bucket, ways.get(end.label)) for end in link.ends)
    elif isinstance(link, Link):
        yield from ((f"buckets[{n}]", bucket, None) for n, bucket in enumerate(link.buckets))
    else:
        yield "bucket", link.bucket, None


@dataclass(frozen=True)
class _Bucket:
    """An existing bucket as it is declared."""

    place: str
    declared: LinkBucket
    stack: Stack
    accounts: Mapping[str, str]
    way: Way | None
    """What is to be replicated from it."""
    keyless: bool
    """Whether the service that delivers into it takes no KMS key."""

    def look(self, credentials: Credentials) -> Iterator[Finding]:
        if owner := self.declared.owner:
            yield self._tells(
                f'is of the link "{owner.name}", which writes its policy for this one too: deploy '
                "that first, and again where this one's access or roles change"
            )
            return
        s3, name = credentials.client("s3"), self.declared.name
        account, reply = self.accounts[self.declared.account], None
        try:
            reply = asked(lambda: s3.head_bucket(Bucket=name), "404")
            if reply is None:
                yield self._stops('does not exist: correct the name, or declare a "new_prefix"')
                return
            asked(lambda: s3.head_bucket(Bucket=name, ExpectedBucketOwner=account))
            yield from self._of_region(reply) or [self._tells("is there")]
        except RefusedError as error:
            # Seen, it has another owner; unseen, it may be one that the caller may not look at.
            if reply or not self._may_be_of_account(s3):
                yield self._stops(
                    f"belongs to another account than {account}: declare the account that owns it"
                )
                return
            yield self._tells(f"is unknown, it may not be looked at here: {error}")
        for question in (
            self._policy,
            self._versioning,
            self._encryption,
            self._ownership,
            self._replication,
            self._notifications,
        ):
            try:
                yield from question(s3)
            except UnknownError as error:
                what = question.__name__.strip("_")
                yield self._tells(f"its {what} is unknown, may not be looked at here: {error}")

    def look_whether_free(self, credentials: Credentials) -> Iterator[Finding]:
        """Look whether a new bucket can have this name, where the link has not made it yet."""
        s3, made = credentials.client("s3"), self._written("aws_s3_bucket")
        if made:
            return
        try:
            taken = asked(lambda: s3.head_bucket(Bucket=self.declared.name), "404") is not None
        except RefusedError:  # by the owner of a bucket
            taken = True
        if taken and made is None:
            yield self._tells("is there: whether this link made it is unknown")
        elif taken:
            yield self._stops(
                "is there already, and names of buckets are global: choose another name, or "
                'declare it as "existing" or "imported"'
            )

    def _may_be_of_account(self, s3: Any) -> bool:
        try:
            buckets = asked(lambda: s3.list_buckets(Prefix=self.declared.name))["Buckets"]
        except RefusedError:
            return True
        return any(bucket["Name"] == self.declared.name for bucket in buckets)

    def _of_region(self, reply: Mapping[str, Any]) -> list[Finding]:
        alias = self.declared.account
        (provider,) = (p for p in self.stack.providers if p["alias"] == alias)
        region = reply.get("BucketRegion", provider["region"])
        if region == provider["region"]:
            return []
        return [
            self._stops(
                f"is in {region}, the account {alias!r} is declared in {provider['region']}: "
                "declare an account of the bucket's region"
            )
        ]

    def _stops(self, told: str) -> Finding:
        return Finding(self.place, f"the bucket {self.declared.name!r} {told}", stops=True)

    def _tells(self, told: str) -> Finding:
        return Finding(self.place, f"the bucket {self.declared.name!r} {told}")

    def _policy(self, s3: Any) -> Iterator[Finding]:
        if self.declared.policy == "merge":
            return
        name = self.declared.name
        policy = asked(lambda: s3.get_bucket_policy(Bucket=name), "NoSuchBucketPolicy")
        ours = self._written("aws_s3_bucket_policy")
        if policy and ours is None:
            yield self._tells("has a bucket policy: this link's or another's, its state is unknown")
        elif policy and not ours and self.declared.policy == "create":
            yield self._stops(
                'has a bucket policy already, which "policy": "create" would replace: declare '
                '"policy": "merge" (you get the statements to merge), or the bucket as "imported" '
                'with "policy": "import" (this link takes it over)'
            )
        elif not policy and not ours and self.declared.policy == "import":
            yield self._stops('has no bucket policy to import: declare "policy": "create"')

    def _notifications(self, s3: Any) -> Iterator[Finding]:
        whose, name = self.declared.notification_configuration, self.declared.name
        if whose not in ("create", "import"):
            return
        reply = asked(lambda: s3.get_bucket_notification_configuration(Bucket=name))
        there = {*reply} - {"ResponseMetadata"}
        ours = self._written("aws_s3_bucket_notification")
        if there and whose == "create" and ours is False:
            yield self._stops(
                'has notifications already, which "notification_configuration": "create" would '
                'replace: declare "merge" (you get the notifications to merge) or "import" (this '
                "link takes it over, and its notifications replace the others)"
            )
        elif there and ours is False:
            yield self._tells(f"has {', '.join(sorted(there))}: the declared ones replace them")

    def _written(self, type_: str) -> bool | None:
        """Whether the state has such a resource of this bucket; nothing where it is not known."""
        try:
            found = state.content(self.stack)
        except OperationError:
            return None
        if found is None:
            return None
        return any(
            instance["attributes"]["bucket"] == self.declared.name
            for resource in found.get("resources", [])
            if resource["type"] == type_
            for instance in resource["instances"]
        )

    def _versioning(self, s3: Any) -> Iterator[Finding]:
        if isinstance(self.declared, ReplicatedBucket) and self.declared.existing:
            name = self.declared.name
            status = asked(lambda: s3.get_bucket_versioning(Bucket=name)).get("Status", "off")
            if status != "Enabled":
                yield self._stops(
                    f'is declared as "versioned": true, but its versioning is {status.lower()}: '
                    f"aws s3api put-bucket-versioning --bucket {name} "
                    "--versioning-configuration Status=Enabled"
                )

    def _encryption(self, s3: Any) -> Iterator[Finding]:
        reply = asked(
            lambda: s3.get_bucket_encryption(Bucket=self.declared.name),
            "ServerSideEncryptionConfigurationNotFoundError",
        )
        rules = reply["ServerSideEncryptionConfiguration"]["Rules"] if reply else []
        for default in (rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules):
            if not default.get("SSEAlgorithm", "").startswith("aws:kms"):
                continue
            key = default.get("KMSMasterKeyID", "alias/aws/s3")
            if self.keyless:
                yield self._stops(
                    f"is encrypted with the KMS key {key}, and the service delivers to buckets "
                    "with Amazon S3 managed keys (SSE-S3) only: encrypt it with those"
                )
            elif "alias/aws/s3" in key:
                yield self._stops(
                    "is encrypted with the AWS managed key aws/s3, which cannot be shared: "
                    "encrypt it with a customer managed key, or with SSE-S3"
                )
            elif self.declared.key is None:
                yield self._stops(
                    f"is encrypted with the KMS key {key}: without both halves for it nobody "
                    f'reads or writes; add "key": its ARN'
                )
            elif (
                self.declared.existing
                and key.rpartition("/")[2] != self.declared.key.rpartition("/")[2]
            ):
                yield self._stops(
                    f"is encrypted with the KMS key {key}, declared is {self.declared.key}: "
                    "correct the declaration"
                )

    def _ownership(self, s3: Any) -> Iterator[Finding]:
        if not self.declared.imported:
            return
        name = self.declared.name
        reply = asked(
            lambda: s3.get_bucket_ownership_controls(Bucket=name), "OwnershipControlsNotFoundError"
        )
        rules = reply["OwnershipControls"]["Rules"] if reply else []
        if any(rule["ObjectOwnership"] == "BucketOwnerEnforced" for rule in rules):
            return
        acl = asked(lambda: s3.get_bucket_acl(Bucket=name))
        if any(grant["Grantee"].get("ID") != acl["Owner"]["ID"] for grant in acl["Grants"]):
            yield self._stops(
                'has an ACL that grants others, with which S3 refuses "bucket owner enforced": '
                "move the grants into its bucket policy, then "
                f"aws s3api put-bucket-acl --bucket {name} --acl private"
            )

    def _replication(self, s3: Any) -> Iterator[Finding]:
        if self.way is None:
            return
        name, way = self.declared.name, self.way
        whose = way.source.bucket.replication or "create"
        reply = asked(
            lambda: s3.get_bucket_replication(Bucket=name),
            "ReplicationConfigurationNotFoundError",
        )
        there = reply["ReplicationConfiguration"] if reply else None
        ours = self._written("aws_s3_bucket_replication_configuration")
        if whose == "merge":
            yield from self._merging(there, way)
        elif there and ours is False and whose == "create":
            yield self._stops(
                "replicates already, and S3 keeps one configuration for each bucket: declare "
                '"replication": "import" (this link takes it over, and its rules replace the '
                'others) or "merge" (you get the rules to merge)'
            )
        elif there and ours is False:
            rules = ", ".join(rule.get("ID", "?") for rule in there["Rules"])
            yield self._tells(
                f"replicates already by the rules {rules}: the declared ones replace them, and "
                f"the role {way.role!r} replaces {there['Role']}"
            )
        elif not there and ours is False and whose == "import":
            yield self._stops('has no replication configuration to import: leave out "replication"')

    def _merging(self, there: Mapping[str, Any] | None, way: Way) -> Iterator[Finding]:
        if there is None:
            yield self._stops(
                'has no replication configuration to merge rules into: leave out "replication"'
            )
            return
        role = there["Role"].rpartition("/")[2]
        if role != way.role:
            yield self._stops(
                f"replicates with the role {role!r}, and S3 takes one for all rules: declare it "
                'as the "role_name"'
            )
