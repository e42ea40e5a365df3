"""AWS services that export what they know into a bucket of another account, and what they need.

Data for :mod:`.delivery_services`: what their guides print, with the titles of the documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .delivery_template import OF_ACCOUNT, OWNED, DeliveryService, Template, arn_like
from .policy import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_BUCKET = (OF_ACCOUNT, arn_like("arn:{partition}:s3:::{name}"))
_OF_DETECTOR = (OF_ACCOUNT, arn_like("arn:{partition}:guardduty:{region}:{account}:detector/*"))
_OF_DASHBOARD = (OF_ACCOUNT, arn_like("arn:{partition}:s3:{region}:{account}:storage-lens/*"))
_OF_SYNC = (OF_ACCOUNT, arn_like("arn:{partition}:ssm:*:{account}:resource-data-sync/*"))
_OF_LOG_GROUP = (OF_ACCOUNT, arn_like("arn:{partition}:logs:{region}:{account}:log-group:*"))
_OF_MACIE = (
    OF_ACCOUNT,
    Condition(
        test="ArnLike",
        variable="aws:SourceArn",
        values=(
            "arn:{partition}:macie2:{region}:{account}:export-configuration:*",
            "arn:{partition}:macie2:{region}:{account}:classification-job/*",
        ),
    ),
)

EXPORTS: Final[Mapping[str, DeliveryService]] = {
    "s3-inventory": DeliveryService(
        principal="s3.amazonaws.com",
        bucket=(
            Template(
                sid="S3InventoryWrite",
                actions=("s3:PutObject",),
                # "Locating your inventory list": the source bucket's name follows the prefix.
                on="{prefix}{name}/*",
                conditions=(OWNED, *_OF_BUCKET),
            ),
        ),
        key=(
            Template(
                sid="AllowS3InventoryToUseTheKey",
                actions=("kms:GenerateDataKey",),
                conditions=_OF_BUCKET,
            ),
        ),
        name="source_buckets",
        same_region=True,
        settings={
            "Bucket": "{bucket_arn}",
            "Prefix": "{folder}",
            "SSEKMS.KeyId": "{key}",
        },
        documents=(
            "Examples of Amazon S3 bucket policies (Amazon S3 User Guide)",
            "Configuring Amazon S3 Inventory (Amazon S3 User Guide)",
        ),
    ),
    "s3-storage-lens": DeliveryService(
        principal="storage-lens.s3.amazonaws.com",
        bucket=(
            Template(
                sid="S3StorageLensWrite",
                actions=("s3:PutObject",),
                on="{prefix}StorageLens/{account}/*",
                conditions=(OWNED, *_OF_DASHBOARD),
            ),
            Template(
                sid="S3StorageLensOrganizationWrite",
                actions=("s3:PutObject",),
                on="{prefix}StorageLens/{organization}/*",
                conditions=(OWNED, *_OF_DASHBOARD),
                when="organization_id",
            ),
        ),
        key=(
            Template(
                sid="AllowS3StorageLensToUseTheKey",
                actions=("kms:GenerateDataKey",),
                conditions=_OF_DASHBOARD,
            ),
        ),
        asks=("organization_id",),
        same_region=True,
        settings={"Arn": "{bucket_arn}", "Prefix": "{folder}", "SSEKMS.KeyId": "{key}"},
        documents=(
            "Examples of Amazon S3 bucket policies (Amazon S3 User Guide)",
            "Encrypting your S3 Storage Lens metrics exports (Amazon S3 User Guide)",
        ),
    ),
    # Whoever starts an export task writes as well, by a link of the role's that shares the bucket.
    "cloudwatch-logs": DeliveryService(
        principal="logs.{region}.{dns_suffix}",
        bucket=(
            Template(
                sid="AllowCloudWatchLogsGetBucketAcl",
                actions=("s3:GetBucketAcl",),
                conditions=_OF_LOG_GROUP,
            ),
            Template(
                sid="AllowCloudWatchLogsPutObject",
                actions=("s3:PutObject",),
                on="{prefix}*",
                conditions=(OWNED, *_OF_LOG_GROUP),
            ),
        ),
        key=(
            Template(
                sid="AllowCloudWatchLogsToUseTheKey",
                actions=("kms:GenerateDataKey", "kms:Decrypt"),
                conditions=(),
            ),
        ),
        same_region=True,
        settings={"destination": "{bucket}", "destinationPrefix": "{folder}"},
        documents=(
            "Export log data to Amazon S3 using the AWS CLI (Amazon CloudWatch Logs User Guide)",
        ),
    ),
    # One account has one detector in a region, so that any detector of theirs is that.
    "guardduty": DeliveryService(
        principal="guardduty{opt_in}.amazonaws.com",
        bucket=(
            Template(
                sid="AllowGuardDutyGetBucketLocation",
                actions=("s3:GetBucketLocation",),
                conditions=_OF_DETECTOR,
            ),
            Template(
                sid="AllowGuardDutyPutObject",
                actions=("s3:PutObject",),
                on="{prefix}*",
                conditions=_OF_DETECTOR,
            ),
        ),
        key=(
            Template(
                sid="AllowGuardDutyToUseTheKey",
                actions=("kms:GenerateDataKey",),
                conditions=_OF_DETECTOR,
            ),
        ),
        asks=("regions",),
        only_with_key=True,
        settings={"DestinationArn": "{bucket_arn}/{prefix}", "KmsKeyArn": "{key}"},
        documents=(
            "Exporting generated GuardDuty findings to Amazon S3 buckets (Amazon GuardDuty "
            "User Guide)",
        ),
    ),
    "macie": DeliveryService(
        principal="macie{opt_in}.amazonaws.com",
        bucket=(
            Template(
                sid="AllowMacieGetBucketLocation",
                actions=("s3:GetBucketLocation",),
                conditions=_OF_MACIE,
            ),
            Template(
                sid="AllowMaciePutObject",
                actions=("s3:PutObject",),
                on="{prefix}*",
                conditions=_OF_MACIE,
            ),
        ),
        key=(
            Template(
                sid="AllowMacieToUseTheKey",
                actions=("kms:GenerateDataKey", "kms:Encrypt"),
                conditions=_OF_MACIE,
            ),
        ),
        asks=("regions",),
        only_with_key=True,
        settings={"bucketName": "{bucket}", "keyPrefix": "{folder}", "kmsKeyArn": "{key}"},
        documents=(
            "Storing and retaining sensitive data discovery results (Amazon Macie User Guide)",
        ),
    ),
    "systems-manager": DeliveryService(
        principal="ssm.amazonaws.com",
        bucket=(
            Template(
                sid="SSMBucketPermissionsCheck",
                actions=("s3:GetBucketAcl",),
                conditions=_OF_SYNC,
            ),
            Template(
                sid="SSMBucketDelivery",
                actions=("s3:PutObject",),
                on="{prefix}*/accountid={account}/*",
                conditions=(OWNED, *_OF_SYNC),
            ),
        ),
        key=(
            Template(
                sid="AllowSSMToUseTheKey",
                actions=("kms:GenerateDataKey",),
                conditions=_OF_SYNC,
            ),
        ),
        settings={
            "BucketName": "{bucket}",
            "Prefix": "{folder}",
            "Region": "{bucket_region}",
            "AWSKMSKeyARN": "{key}",
        },
        documents=("Creating a resource data sync for Inventory (AWS Systems Manager User Guide)",),
    ),
}
"""The services, by the word for each in a links file."""
