"""AWS services that deliver into a bucket of another account or read from it, and what they need.

Each service's guide prints the statements of the bucket policy, and of the key policy where the
bucket has a KMS key: they are data here and in :mod:`.export_services`, with the titles of the
documents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .delivery_template import OF_ACCOUNT, OWNED, DeliveryService, Template, arn_like, equals
from .export_services import EXPORTS
from .policy import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SERVICES"]

_OF_TRAIL = equals("aws:SourceArn", "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}")
_OF_LOGS = (OF_ACCOUNT, arn_like("arn:{partition}:logs:{region}:{account}:*"))
_OF_CHANNEL = (OF_ACCOUNT, arn_like("arn:{partition}:config:{region}:{account}:*"))
_OF_DISTRIBUTION = (
    equals("aws:SourceArn", "arn:{partition}:cloudfront::{account}:distribution/{name}"),
)
# Where documents print kms:GenerateDataKey* and kms:ReEncrypt*: those of a symmetric key.
_DATA_KEYS = ("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext")
_ATTRIBUTES = {"access_logs.s3.bucket": "{bucket}", "access_logs.s3.prefix": "{folder}"}
_RE_ENCRYPT = ("kms:ReEncryptFrom", "kms:ReEncryptTo")


def _vended(
    document: str,
    settings: Mapping[str, str],
    *,
    asks: tuple[str, ...] = (),
    same_region: bool = False,
) -> DeliveryService:
    """Return a service whose logs CloudWatch Logs delivers.

    ``s3:ListBucket`` keeps refusals out of the owner's CloudTrail: "Logs sent to Amazon S3" in the
    Amazon CloudWatch Logs User Guide.
    """
    return DeliveryService(
        principal="delivery.logs.amazonaws.com",
        bucket=(
            Template(
                sid="AWSLogDeliveryWrite",
                actions=("s3:PutObject",),
                on="{prefix}AWSLogs/{hive}{account}/*",
                conditions=(OWNED, *_OF_LOGS),
            ),
            Template(
                sid="AWSLogDeliveryAclCheck",
                actions=("s3:GetBucketAcl", "s3:ListBucket"),
                conditions=_OF_LOGS,
            ),
        ),
        key=(
            Template(
                sid="AllowLogsDeliveryToUseTheKey",
                actions=(
                    *("kms:Encrypt", "kms:Decrypt", *_RE_ENCRYPT, *_DATA_KEYS, "kms:DescribeKey"),
                ),
                conditions=_OF_LOGS,
            ),
        ),
        asks=asks,
        same_region=same_region,
        settings=settings,
        documents=(
            document,
            "Logs sent to Amazon S3 (Amazon CloudWatch Logs User Guide)",
        ),
    )


def _balancer(document: str, settings: Mapping[str, str]) -> DeliveryService:
    """Return a load balancer that delivers by itself.

    Its requests carry no source that the documents promise: the path holds the account's id, which
    the service chooses.
    """
    return DeliveryService(
        principal="logdelivery.elasticloadbalancing.amazonaws.com",
        bucket=(
            Template(
                sid="ElasticLoadBalancingWrite",
                actions=("s3:PutObject",),
                on="{prefix}AWSLogs/{account}/*",
                conditions=(),
            ),
        ),
        same_region=True,
        settings=settings,
        documents=(document,),
    )


SERVICES: Final[Mapping[str, DeliveryService]] = {
    "cloudtrail": DeliveryService(
        principal="cloudtrail.amazonaws.com",
        bucket=(
            Template(
                sid="AWSCloudTrailAclCheck",
                actions=("s3:GetBucketAcl",),
                conditions=(_OF_TRAIL,),
            ),
            Template(
                sid="AWSCloudTrailWrite",
                actions=("s3:PutObject",),
                on="{prefix}AWSLogs/{account}/*",
                conditions=(OWNED, _OF_TRAIL),
            ),
            Template(
                sid="AWSCloudTrailOrganizationWrite",
                actions=("s3:PutObject",),
                on="{prefix}AWSLogs/{organization}/*",
                conditions=(OWNED, _OF_TRAIL),
                when="organization_id",
            ),
        ),
        key=(
            Template(
                sid="AllowCloudTrailToEncryptLogs",
                actions=_DATA_KEYS,
                conditions=(
                    Condition(
                        test="StringLike",
                        variable="kms:EncryptionContext:aws:cloudtrail:arn",
                        values=("arn:{partition}:cloudtrail:*:{account}:trail/*",),
                    ),
                    _OF_TRAIL,
                ),
            ),
            # Decrypt because the bucket has an S3 Bucket Key.
            Template(
                sid="AllowCloudTrailToDescribeAndDecrypt",
                actions=("kms:DescribeKey", "kms:Decrypt"),
                conditions=(_OF_TRAIL,),
            ),
        ),
        name="trail",
        asks=("organization_id", "regions"),
        settings={
            "Name": "{name}",
            "S3BucketName": "{bucket}",
            "S3KeyPrefix": "{folder}",
            "KmsKeyId": "{key}",
        },
        documents=(
            "Amazon S3 bucket policy for CloudTrail (AWS CloudTrail User Guide)",
            "Creating a trail for an organization with the AWS CLI (AWS CloudTrail User Guide)",
            "Configure AWS KMS key policies for CloudTrail (AWS CloudTrail User Guide)",
        ),
    ),
    "config": DeliveryService(
        principal="config.amazonaws.com",
        bucket=(
            Template(
                sid="AWSConfigBucketPermissionsCheck",
                actions=("s3:GetBucketAcl",),
                conditions=_OF_CHANNEL,
            ),
            Template(
                sid="AWSConfigBucketExistenceCheck",
                actions=("s3:ListBucket",),
                conditions=_OF_CHANNEL,
            ),
            Template(
                sid="AWSConfigBucketDelivery",
                actions=("s3:PutObject",),
                on="{prefix}AWSLogs/{account}/Config/*",
                conditions=(OWNED, *_OF_CHANNEL),
            ),
        ),
        key=(
            Template(
                sid="AWSConfigKMSPolicy",
                actions=("kms:Decrypt", "kms:GenerateDataKey"),
                conditions=_OF_CHANNEL,
            ),
        ),
        asks=("regions",),
        settings={"s3BucketName": "{bucket}", "s3KeyPrefix": "{folder}", "s3KmsKeyArn": "{key}"},
        documents=(
            "Permissions for the Amazon S3 Bucket for the AWS Config Delivery Channel (AWS Config "
            "Developer Guide)",
            "Permissions for the KMS Key for the AWS Config Delivery Channel (AWS Config Developer "
            "Guide)",
        ),
    ),
    "vpc-flow-logs": _vended(
        "Publish flow logs to Amazon S3 (Amazon VPC User Guide)",
        {"LogDestinationType": "s3", "LogDestination": "{bucket_arn}/{prefix}"},
        asks=("regions", "hive_compatible"),
    ),
    "network-load-balancer": _vended(
        "Enable access logs for your Network Load Balancer (Elastic Load Balancing User Guide)",
        _ATTRIBUTES,
        same_region=True,
    ),
    "log-delivery": _vended(
        "Enabling logging from AWS services (Amazon CloudWatch Logs User Guide)",
        {"destinationResourceArn": "{bucket_arn}", "prefix": "{folder}"},
        asks=("regions",),
    ),
    "application-load-balancer": _balancer(
        "Enable access logs for your Application Load Balancer (Elastic Load Balancing User Guide)",
        _ATTRIBUTES,
    ),
    "classic-load-balancer": _balancer(
        "Enable access logs for your Classic Load Balancer (Elastic Load Balancing User Guide)",
        {"S3BucketName": "{bucket}", "S3BucketPrefix": "{folder}"},
    ),
    **EXPORTS,
    "cloudfront": DeliveryService(
        principal="cloudfront.amazonaws.com",
        bucket=(
            Template(
                sid="AllowCloudFrontServicePrincipalReadOnly",
                actions=("s3:GetObject",),
                on="{prefix}*",
                conditions=_OF_DISTRIBUTION,
            ),
            Template(
                sid="AllowCloudFrontServicePrincipalWrite",
                actions=("s3:PutObject",),
                on="{prefix}*",
                conditions=_OF_DISTRIBUTION,
                when="write",
            ),
        ),
        key=(
            Template(
                sid="AllowCloudFrontToDecrypt",
                actions=("kms:Decrypt",),
                conditions=_OF_DISTRIBUTION,
            ),
            Template(
                sid="AllowCloudFrontToEncrypt",
                actions=("kms:Encrypt", *_DATA_KEYS),
                conditions=_OF_DISTRIBUTION,
                when="write",
            ),
        ),
        name="distribution_ids",
        asks=("write",),
        settings={
            "DomainName": "{bucket}.s3.{bucket_region}.amazonaws.com",
            "OriginPath": "/{folder}",
            "OriginAccessControlOriginType": "s3",
            "SigningBehavior": "always",
        },
        documents=("Restrict access to an Amazon S3 origin (Amazon CloudFront Developer Guide)",),
    ),
}
"""The services that are known, by the word for each in a links file."""
