"""Which actions the AWS provider calls for a resource type: to read it, and to change it.

Named as in "Actions, resources, and condition keys for AWS services" of the Service Authorization
Reference.
"""

from __future__ import annotations

S3: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "aws_s3_bucket": (
        (
            "s3:GetAccelerateConfiguration",
            "s3:GetBucketAcl",
            "s3:GetBucketCORS",
            "s3:GetBucketLogging",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketPolicy",
            "s3:GetBucketRequestPayment",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetBucketWebsite",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
            "s3:ListTagsForResource",  # the provider's version 6 asks this first
        ),
        ("s3:CreateBucket", "s3:DeleteBucket", "s3:TagResource", "s3:UntagResource"),
    ),
    "aws_s3_bucket_ownership_controls": (
        ("s3:GetBucketOwnershipControls",),
        ("s3:PutBucketOwnershipControls",),
    ),
    "aws_s3_bucket_policy": (
        ("s3:GetBucketPolicy",),
        ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
    ),
    "aws_s3_bucket_public_access_block": (
        ("s3:GetBucketPublicAccessBlock",),
        ("s3:PutBucketPublicAccessBlock",),
    ),
    "aws_s3_bucket_versioning": (("s3:GetBucketVersioning",), ("s3:PutBucketVersioning",)),
    "aws_s3_bucket_server_side_encryption_configuration": (
        ("s3:GetEncryptionConfiguration",),
        ("s3:PutEncryptionConfiguration",),
    ),
    "aws_s3_bucket_logging": (("s3:GetBucketLogging",), ("s3:PutBucketLogging",)),
    "aws_s3_bucket_lifecycle_configuration": (
        ("s3:GetLifecycleConfiguration",),
        ("s3:PutLifecycleConfiguration",),
    ),
    "aws_s3_bucket_replication_configuration": (
        ("s3:GetReplicationConfiguration",),
        ("s3:PutReplicationConfiguration",),
    ),
    "aws_s3_bucket_notification": (("s3:GetBucketNotification",), ("s3:PutBucketNotification",)),
}
# A bucket that is deleted with its objects.
EMPTY_BUCKET = ("s3:ListBucketVersions",)
DELETE_OBJECTS = ("s3:DeleteObject", "s3:DeleteObjectVersion")


ROLE_READS = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
)
ROLE_WRITES = (
    "iam:DeleteRole",
    "iam:ListInstanceProfilesForRole",
    "iam:UpdateAssumeRolePolicy",
)
BOUNDED_ROLE_WRITES = ("iam:CreateRole", "iam:PutRolePermissionsBoundary")
POLICY_READS = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions")
POLICY_WRITES = (
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
)
PROFILE_WRITES = (
    "iam:AddRoleToInstanceProfile",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
)
TAGGING = {
    "aws_iam_instance_profile": ("iam:TagInstanceProfile", "iam:UntagInstanceProfile"),
    "aws_iam_policy": ("iam:TagPolicy", "iam:UntagPolicy"),
    "aws_iam_role": ("iam:TagRole", "iam:UntagRole"),
    "aws_s3_bucket": ("s3:PutBucketTagging",),
    "aws_sqs_queue": ("sqs:TagQueue", "sqs:UntagQueue"),
    "aws_sns_topic": ("sns:TagResource", "sns:UntagResource"),
    "aws_cloudwatch_event_bus": ("events:TagResource", "events:UntagResource"),
    "aws_cloudwatch_event_rule": ("events:TagResource", "events:UntagResource"),
}
"""What tags take besides, where an account's ``tags`` are for everything in it."""
NAMED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "aws_s3_access_point": (
        (
            "s3:GetAccessPoint",
            "s3:GetAccessPointPolicy",
            "s3:GetAccessPointPolicyStatus",
            "s3:ListTagsForResource",  # of the provider's version 6
        ),
        (
            "s3:CreateAccessPoint",
            "s3:DeleteAccessPoint",
            "s3:DeleteAccessPointPolicy",
            "s3:PutAccessPointPolicy",
        ),
    ),
    "aws_sqs_queue": (
        ("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"),
        ("sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"),
    ),
    "aws_sqs_queue_policy": (("sqs:GetQueueAttributes",), ("sqs:SetQueueAttributes",)),
    "data.aws_sqs_queue": (
        ("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"),
        (),
    ),
    "aws_sns_topic": (
        ("sns:GetTopicAttributes", "sns:ListTagsForResource"),
        ("sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes"),
    ),
    "aws_sns_topic_policy": (("sns:GetTopicAttributes",), ("sns:SetTopicAttributes",)),
    "aws_cloudwatch_event_bus": (
        ("events:DescribeEventBus", "events:ListTagsForResource"),
        ("events:CreateEventBus", "events:DeleteEventBus", "events:UpdateEventBus"),
    ),
    "aws_cloudwatch_event_bus_policy": (
        ("events:DescribeEventBus",),
        ("events:PutPermission", "events:RemovePermission"),
    ),
    "aws_cloudwatch_event_rule": (
        ("events:DescribeRule", "events:ListTagsForResource"),
        ("events:DeleteRule", "events:DisableRule", "events:EnableRule", "events:PutRule"),
    ),
    "aws_cloudwatch_event_target": (
        ("events:ListTargetsByRule",),
        ("events:PutTargets", "events:RemoveTargets"),
    ),
    "aws_lambda_permission": (
        ("lambda:GetPolicy",),
        ("lambda:AddPermission", "lambda:RemovePermission"),
    ),
}
"""Of access points and of what notifications go to: each has an ARN that is known beforehand."""
KEY_READS = (
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
)
KEY_WRITES = (
    "kms:DisableKeyRotation",
    "kms:EnableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:UpdateKeyDescription",
)
# Neither names nor tags tell the network of an instance from others: these are for the region.
EC2: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "aws_vpc": (
        (
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcs",
        ),
        ("ec2:CreateVpc", "ec2:DeleteVpc", "ec2:ModifyVpcAttribute"),
    ),
    "aws_subnet": (
        ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
        ("ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:ModifySubnetAttribute"),
    ),
    "aws_internet_gateway": (
        ("ec2:DescribeInternetGateways",),
        (
            "ec2:AttachInternetGateway",
            "ec2:CreateInternetGateway",
            "ec2:DeleteInternetGateway",
            "ec2:DetachInternetGateway",
        ),
    ),
    "aws_route_table": (
        ("ec2:DescribeRouteTables",),
        (
            "ec2:CreateRoute",
            "ec2:CreateRouteTable",
            "ec2:DeleteRoute",
            "ec2:DeleteRouteTable",
            "ec2:ReplaceRoute",
        ),
    ),
    "aws_route_table_association": (
        ("ec2:DescribeRouteTables",),
        (
            "ec2:AssociateRouteTable",
            "ec2:DisassociateRouteTable",
            "ec2:ReplaceRouteTableAssociation",
        ),
    ),
    "aws_security_group": (
        ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"),
        (
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateSecurityGroup",
            "ec2:DeleteSecurityGroup",
            "ec2:RevokeSecurityGroupEgress",
            "ec2:RevokeSecurityGroupIngress",
        ),
    ),
    "aws_default_security_group": (
        ("ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"),
        ("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"),
    ),
    "aws_instance": (
        (
            "ec2:DescribeIamInstanceProfileAssociations",
            "ec2:DescribeInstanceAttribute",
            "ec2:DescribeInstanceCreditSpecifications",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeInstances",
            "ec2:DescribeTags",
            "ec2:DescribeVolumes",
        ),
        (
            "ec2:CreateTags",
            "ec2:DeleteTags",
            "ec2:ModifyInstanceAttribute",
            "ec2:ModifyInstanceMetadataOptions",
            "ec2:RunInstances",
            "ec2:StartInstances",
            "ec2:StopInstances",
            "ec2:TerminateInstances",
        ),
    ),
    "data.aws_ami": (("ec2:DescribeImages",), ()),
}
