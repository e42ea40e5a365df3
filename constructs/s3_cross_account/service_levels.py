"""What AWS services need of a bucket of another account, each as its own document prints it.

What only works within the owner's account, or is the services' own and not the bucket's, is left
out: making buckets and blocking public access to them, listing all buckets of an account.
"""

from __future__ import annotations

from typing import Final

_ATHENA_DATA: Final = ("s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject")
_ATHENA_RESULTS: Final = (
    *_ATHENA_DATA,
    "s3:PutObject",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:AbortMultipartUpload",
)
_DATASYNC: Final = (
    "s3:GetBucketLocation",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:ListMultipartUploadParts",
)
_OF_VERSIONS: Final = ("s3:GetObjectVersion", "s3:GetObjectVersionTagging")

SERVICE_LEVELS: Final = {
    # "Configure cross-account access in Athena to Amazon S3 buckets" in the Amazon Athena User
    # Guide. What it also prints is for parts of uploads: of results, not of data.
    "athena-data": _ATHENA_DATA,
    # "AWS managed policies for Amazon Athena" there, BaseQueryResultsPermissions; not
    # s3:CreateBucket and s3:PutBucketPublicAccessBlock, for a bucket of one's own.
    "athena-results": _ATHENA_RESULTS,
    # "Review IAM permissions needed for ETL jobs" in the AWS Glue User Guide, and the location from
    # "Step 1: Create an IAM policy for the AWS Glue service" in the AWS Glue Developer Guide; not
    # its s3:ListAllMyBuckets and s3:GetBucketAcl, which are for the account's own buckets.
    "glue-source": ("s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject"),
    "glue-target": ("s3:GetBucketLocation", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"),
    # "Configuring AWS DataSync transfers with Amazon S3" in the AWS DataSync User Guide.
    "datasync-source": (*_DATASYNC, *_OF_VERSIONS),
    # "Tutorial: Transferring data between Amazon S3 buckets across AWS accounts" there. The role
    # has more in it, of versions, but the bucket policy does not, and both have to.
    "datasync-destination": (
        *_DATASYNC,
        "s3:PutObject",
        "s3:PutObjectTagging",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
    ),
    # "Allowing read and write access to an Amazon S3 bucket" in the AWS Transfer Family User Guide:
    # the two of ACLs are there because the bucket is another account's.
    "transfer-family": (
        "s3:ListBucket",
        "s3:PutObject",
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        *_OF_VERSIONS,
        "s3:GetObjectAcl",
        "s3:PutObjectAcl",
    ),
    # "Using a CSV manifest to copy objects across AWS accounts" in the Amazon S3 User Guide.
    "batch-copy-source": (
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectTagging",
        "s3:GetObjectVersionAcl",
        *_OF_VERSIONS,
    ),
    # "Granting permissions for Batch Operations" there, "Copy objects: PutObject". A copy is a new
    # version, so that nothing is written to a version that there is.
    "batch-copy-destination": ("s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"),
    # "Cross-account delivery to an Amazon S3 destination" in the Amazon Data Firehose Developer
    # Guide: the bucket is another account's, so that the ACL is in it.
    "firehose": (
        "s3:GetBucketLocation",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:GetObject",
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:AbortMultipartUpload",
    ),
    # "Prerequisites for using Amazon S3 as a target" in the AWS Database Migration Service User
    # Guide.
    "dms-target": ("s3:ListBucket", "s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"),
    # "Requesting a table export in DynamoDB" in the Amazon DynamoDB Developer Guide: of whoever
    # requests the export.
    "dynamodb-export": ("s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"),
}
"""The sets by the names that a declaration uses."""
