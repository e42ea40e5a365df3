"""Buckets and objects as they are: whose, under which policy, and encrypted with which key.

Follows "Blocking public access to your Amazon S3 storage" and "Controlling ownership of objects and
disabling ACLs for your bucket" in the Amazon S3 User Guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.policies import unknown
from s3_links.world import Bucket

from .reader import UnreadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from s3_links.world import Document

    from .reader import Reader

MANAGED_KEY = "alias/aws/s3"
"""What stands for the AWS managed key of S3, where no key is named."""


_NOT_OURS = ("301", "403", "404")


@dataclass(frozen=True, kw_only=True)
class FoundBucket:
    """A bucket and what else decides: the key of its new objects, and whom its ACL names.

    ``private`` is whether its ACL gives only its owner anything, ``owner`` S3's own name of the
    owner. ``None`` is not known.
    """

    name: str
    resource: Bucket
    region: str
    key: str | None = None
    bucket_key: bool = False
    owner: str | None = None
    private: bool | None = None


@dataclass(frozen=True, kw_only=True)
class FoundObject:
    """An object: whether there is one, whether the bucket's account owns it, and its key."""

    exists: bool | None = None
    owned: bool | None = None
    private: bool | None = None
    key: str | None = None
    bucket_key: bool = False
    replication: str | None = None


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Which account owns a bucket and in which region, empty where none of those asked does.

    ``exists`` is false where there is no bucket of this name at all.
    """

    account: str = ""
    region: str = ""
    exists: bool = True


def owner(reader: Reader, name: str, first: Iterable[str] = ()) -> Owner:
    """Return who owns a bucket, of the accounts that can be asked, ``first`` before the others."""
    codes: dict[str, str] = {}
    for account in dict.fromkeys((*first, *reader.accounts)):
        reply, code = reader.answer(
            account, "s3", "head_bucket", Bucket=name, ExpectedBucketOwner=account
        )
        if not code:
            region = reply.get("BucketRegion") or reader.accounts[account].region
            return Owner(account=account, region=str(region))
        codes[account] = code
    for account, code in codes.items():
        if code not in _NOT_OURS:
            reader.missed(account, "s3", "head_bucket", f"bucket {name}", code)
    return Owner(exists="404" not in codes.values())


def bucket(reader: Reader, name: str, owner: Owner, partition: str) -> FoundBucket:
    """Return a bucket as its owner sees it."""
    return _Bucket(reader, name, owner.account, partition).found(owner.region)


class _Bucket:
    def __init__(self, reader: Reader, name: str, account: str, partition: str) -> None:
        self._reader, self._name, self._account = reader, name, account
        self._arn = f"arn:{partition}:s3:::{name}"
        self._ask = partial(reader.ask, account, "s3", of=f"bucket {name}", Bucket=name)

    def found(self, region: str) -> FoundBucket:
        encryption, policy = self._encryption(), self._policy()
        owner, private = self._acl()
        return FoundBucket(
            name=self._name,
            resource=Bucket(
                arn=self._arn,
                account=self._account,
                policy=policy,
                restrict_public=self._restricts_public(policy),
                ownership=self._ownership(),
            ),
            region=region,
            key=_key(encryption.get("ApplyServerSideEncryptionByDefault", {})),
            bucket_key=bool(encryption.get("BucketKeyEnabled")),
            owner=owner,
            private=private,
        )

    def _policy(self) -> Document | None:
        try:
            reply = self._ask("get_bucket_policy", "NoSuchBucketPolicy")
        except UnreadError as error:
            return unknown("bucket policy", self._account, self._arn, str(error))
        if reply is None:
            return None
        text = reply["Policy"]
        return self._reader.document("bucket policy", self._account, self._arn, lambda: text)

    def _restricts_public(self, policy: Document | None) -> bool | None:
        """Return ``RestrictPublicBuckets``, the bucket's or else the account's."""
        if policy is None:
            return False  # there is nothing that could be public
        absent = "NoSuchPublicAccessBlockConfiguration"
        of_account = partial(
            self._reader.ask,
            *(self._account, "s3control", "get_public_access_block", absent),
            of="the account",
            AccountId=self._account,
        )
        found: bool | None = False
        for asked in (partial(self._ask, "get_public_access_block", absent), of_account):
            try:
                reply = asked()
            except UnreadError:
                found = None
                continue
            if reply and reply["PublicAccessBlockConfiguration"].get("RestrictPublicBuckets"):
                return True
        return found

    def _ownership(self) -> Any:
        try:
            reply = self._ask("get_bucket_ownership_controls", "OwnershipControlsNotFoundError")
        except UnreadError:
            return None
        # Without a rule it is as it was before there were any.
        rules = reply["OwnershipControls"]["Rules"] if reply else []
        return rules[0]["ObjectOwnership"] if rules else "ObjectWriter"

    def _encryption(self) -> dict[str, Any]:
        absent = "ServerSideEncryptionConfigurationNotFoundError"
        try:
            reply = self._ask("get_bucket_encryption", absent)
        except UnreadError:
            return {}
        rules = reply["ServerSideEncryptionConfiguration"]["Rules"] if reply else []
        return rules[0] if rules else {}

    def _acl(self) -> tuple[str | None, bool | None]:
        try:
            acl = self._ask("get_bucket_acl")
        except UnreadError:
            return None, None
        return acl["Owner"]["ID"], _is_private(acl)


def object_(reader: Reader, bucket: FoundBucket, key: str) -> FoundObject:
    """Return an object as the bucket's account sees it."""
    return _Object(reader, bucket, key).found()


class _Object:
    def __init__(self, reader: Reader, bucket: FoundBucket, key: str) -> None:
        self._bucket, self._key = bucket, key
        of = f"object {bucket.name}/{key}"
        account = bucket.resource.account
        self._ask = partial(reader.ask, account, "s3", of=of, Bucket=bucket.name)

    def found(self) -> FoundObject:
        try:
            head = self._ask("head_object", "404", "NoSuchKey", Key=self._key)
        except UnreadError:
            head = {}
        if head is None:
            return FoundObject(exists=False)
        enforced = self._bucket.resource.ownership == "BucketOwnerEnforced"
        key = None
        if str(head.get("ServerSideEncryption")).startswith("aws:kms"):
            key = head.get("SSEKMSKeyId") or self._bucket.key or MANAGED_KEY
        return FoundObject(
            exists=bool(head) or None,
            owned=True if enforced else self._owned(),
            private=True if enforced else self._private(),
            key=key,
            bucket_key=bool(head.get("BucketKeyEnabled")),
            replication=head.get("ReplicationStatus"),
        )

    def _owned(self) -> bool | None:
        """Whether the bucket's account owns it: a list shows the owner to whoever may list."""
        try:
            # The key itself comes first of all that begin with it.
            first = {"MaxItems": 1, "PageSize": 1}
            reply = self._ask(
                "list_objects_v2", Prefix=self._key, FetchOwner=True, PaginationConfig=first
            )
        except UnreadError:
            return None
        owners = [o["Owner"]["ID"] for o in reply.get("Contents", []) if o["Key"] == self._key]
        if not owners or self._bucket.owner is None:
            return None
        return bool(owners[0] == self._bucket.owner)

    def _private(self) -> bool | None:
        try:
            return _is_private(self._ask("get_object_acl", Key=self._key))
        except UnreadError:
            return None


def _is_private(acl: Mapping[str, Any]) -> bool:
    return all(grant["Grantee"].get("ID") == acl["Owner"]["ID"] for grant in acl["Grants"])


def _key(default: Mapping[str, str]) -> str | None:
    if not default.get("SSEAlgorithm", "").startswith("aws:kms"):
        return None
    return default.get("KMSMasterKeyID") or MANAGED_KEY
