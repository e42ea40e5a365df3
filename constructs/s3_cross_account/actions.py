"""Named sets of S3 actions, and which actions there are.

Follows "Actions, resources, and condition keys for Amazon S3" in the Service Authorization
Reference, of which ``s3_actions.json`` holds the names.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from .service_levels import SERVICE_LEVELS
from .spelling import near_match

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "COPY_WITH_TAGS",
    "LEVELS",
    "LIST_GET_PUT",
    "READ_ONLY",
    "READ_WRITE_DELETE",
    "WRITE_ONLY",
]

LIST_GET_PUT: Final = ("s3:PutObject", "s3:GetObject", "s3:ListBucket")
"""List a bucket, read and write its objects: what the patterns grant by default.

Enough for ``aws s3 ls`` and for ``aws s3 cp`` in both directions; not for deleting.
"""

READ_ONLY: Final = ("s3:GetObject", "s3:ListBucket")
"""List a bucket and read its objects."""

WRITE_ONLY: Final = ("s3:PutObject", "s3:AbortMultipartUpload")
"""Write objects, and give up an upload in parts; see nothing of what is there."""

COPY_WITH_TAGS: Final = (*LIST_GET_PUT, "s3:GetObjectTagging", "s3:PutObjectTagging")
"""What ``aws s3 sync`` and ``aws s3 cp`` need for large objects too.

Version 2 of the AWS CLI reads and writes tags when it copies objects of more than 8 MB from bucket
to bucket.
"""

READ_WRITE_DELETE: Final = (*COPY_WITH_TAGS, "s3:DeleteObject", "s3:AbortMultipartUpload")
"""Also delete objects: for ``aws s3 mv`` and ``aws s3 sync --delete``."""

GENERAL_LEVELS: Final = {
    "list-get-put": LIST_GET_PUT,
    "read-only": READ_ONLY,
    "write-only": WRITE_ONLY,
    "copy-with-tags": COPY_WITH_TAGS,
    "read-write-delete": READ_WRITE_DELETE,
}
LEVELS: Final = {**GENERAL_LEVELS, **SERVICE_LEVELS}
"""The sets by the names that a declaration uses: of what people do, and of what services need."""

OF_THE_WHOLE_BUCKET: Final = "s3:ListBucketMultipartUploads"
"""Lists keys, of uploads in parts that are not complete, and cannot be limited to a prefix."""

ASSUME_ROLE: Final = ("sts:AssumeRole",)
ASSUME_ROLE_WITH_WEB_IDENTITY: Final = ("sts:AssumeRoleWithWebIdentity",)
"""Take on a role. The role's trust policy and the caller's identity policy both need it."""

CARRIED: Final = ("sts:TagSession", "sts:SetSourceIdentity")
"""What a session may have that goes on with it: transitive tags, a source identity.

Where a role's trust policy needs one of these, whoever goes on from that role to another needs it
again, in the other role's trust policy and in its own identity policy: "Pass session tags in AWS
STS" and "Monitor and control actions taken with assumed roles" in the IAM User Guide.
"""

# What "Allows access to the AWS account and enables IAM policies" covers by kms:*, action by
# action: an administrator's, none that decrypts.
KEY_ADMINISTRATION: Final = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""What a key's own account may do with it by IAM."""

KEY_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey")
"""What writing objects needs of their key, and what its account may do through S3."""

REPLICATION_ON_SOURCE: Final = ("s3:GetReplicationConfiguration", "s3:ListBucket")
REPLICATION_ON_SOURCE_OBJECTS: Final = (
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
)
REPLICATION_OF_LOCKS: Final = ("s3:GetObjectRetention", "s3:GetObjectLegalHold")
"""What replicating from a bucket with Object Lock needs besides: "Object Lock considerations"
in the Amazon S3 User Guide."""

REPLICATION_ON_DESTINATION_OBJECTS: Final = (
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
    "s3:ReplicateTags",
    "s3:ObjectOwnerOverrideToBucketOwner",
)
"""What a replication role needs: "Setting up permissions for live replication" in the Amazon S3
User Guide."""

# AWS's list has the first. A bucket key, which our buckets have and existing ones may have, is made
# by the second, and verified by the third before S3 uses it.
REPLICATION_INTO_KEY: Final = ("kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt")

BATCH_ON_SOURCE: Final = ("s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration")
BATCH_ON_SOURCE_OBJECTS: Final = ("s3:InitiateReplication",)
"""What the role of a Batch Replication job needs: "Configuring an IAM role for S3 Batch
Replication" in the Amazon S3 User Guide."""

_READING: Final = ("s3:Get", "s3:List")
OPERATIONS: Final = {
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
    "s3:GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketReplication": ("s3:GetReplicationConfiguration",),
    "s3:GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListBuckets": ("s3:ListAllMyBuckets",),
    "s3:ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:ListObjects": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListParts": ("s3:ListMultipartUploadParts",),
    "s3:PutBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "s3:SelectObjectContent": ("s3:GetObject",),
    "s3:UploadPart": ("s3:PutObject",),
    "s3:UploadPartCopy": ("s3:GetObject", "s3:PutObject"),
}
"""Operations that are called otherwise than the actions that they need.

Follows "Required permissions for Amazon S3 API operations" in the Amazon S3 User Guide. A copy
needs the first of its two at its source, the second at its target.
"""


def from_source(*, locked: bool) -> tuple[str, ...]:
    """Return what replicating objects needs of them, in a ``locked`` bucket of their locks too."""
    return (*REPLICATION_ON_SOURCE_OBJECTS, *(REPLICATION_OF_LOCKS if locked else ()))


def into_replica(*, away: bool) -> tuple[str, ...]:
    """Return what replicating into a bucket needs, ``away`` in another account.

    Within one no owner changes: "Changing the replica owner" in the Amazon S3 User Guide.
    """
    every = REPLICATION_ON_DESTINATION_OBJECTS
    return every if away else tuple(a for a in every if a != "s3:ObjectOwnerOverrideToBucketOwner")


def of_level(level: str, *, below_prefixes: bool) -> tuple[str, ...]:
    """Return a level's actions; below prefixes, without the one that would show other keys.

    Services list uploads in parts to give up those that were left behind: the bucket's owner does
    it by a lifecycle rule as well.
    """
    return tuple(a for a in LEVELS[level] if not (below_prefixes and a == OF_THE_WHOLE_BUCKET))


@cache
def known(kind: str) -> frozenset[str]:
    """Return the actions on a ``"bucket"``, on an ``"object"``, or that know ``"prefix"``."""
    names: list[str] = json.loads(files(__package__).joinpath("s3_actions.json").read_text())[kind]
    return frozenset(names)


@cache
def _by_lower_case() -> dict[str, str]:
    return {action.lower(): action for action in known("bucket") | known("object")}


def as_listed(actions: Iterable[str]) -> tuple[str, ...]:
    """Return ``actions`` as AWS lists them, each once: IAM ignores their case."""
    return tuple(dict.fromkeys(_by_lower_case().get(a.lower(), a) for a in actions))


def problems(actions: Iterable[str]) -> list[str]:
    """Return what is wrong with ``actions``, written as AWS lists them: one line each."""
    every = sorted(_by_lower_case().values())
    found = []
    for action in actions:
        if action in every:
            continue
        if "*" in action:
            found.append(f"{action!r} is a wildcard: name each action")
            continue
        needed = OPERATIONS.get(action)
        near = " and ".join(repr(name) for name in needed or () if name in every)
        if needed is None and (
            name := near_match(action if ":" in action else f"s3:{action}", every)
        ):
            near = repr(name)
        remedy = f"write {near}" if near else "remove it"
        found.append(f"{action!r} is no S3 action on a bucket or an object: {remedy}")
    return found


def reads(actions: Iterable[str]) -> bool:
    """Whether ``actions`` read objects: they then need to decrypt."""
    return any(a.startswith(_READING) for a in set(actions) & known("object"))


def writes(actions: Iterable[str]) -> bool:
    """Whether ``actions`` write objects: they then need new data keys."""
    return bool({"s3:PutObject", "s3:ReplicateObject"} & set(actions))


def of_key(actions: Iterable[str]) -> tuple[str, ...]:
    """Return what S3 actions need of a bucket's key: writing in parts decrypts too."""
    granted = tuple(actions)
    return KEY_USE if writes(granted) else ("kms:Decrypt",) if reads(granted) else ()
