"""The AWS provider's bindings: the only module that imports them.

Importing them the usual way takes over ten seconds and a gigabyte, so a slim copy is put in their
place first; see :mod:`s3_cross_account.slim`. It holds the modules that are imported here and no
others. To add a resource type, import it here and run ``make bindings``.
"""

from .slim import use_slim_assembly

use_slim_assembly()

# ruff: noqa: E402
from cdktf_cdktf_provider_aws.data_aws_ami import DataAwsAmi, DataAwsAmiFilter
from cdktf_cdktf_provider_aws.data_aws_iam_policy import DataAwsIamPolicy
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.instance import Instance
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderAssumeRole
from cdktf_cdktf_provider_aws.route_table import RouteTable, RouteTableRoute
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.security_group import SecurityGroup, SecurityGroupEgress
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc

__all__ = [
    "AwsProvider",
    "AwsProviderAssumeRole",
    "DataAwsAmi",
    "DataAwsAmiFilter",
    "DataAwsIamPolicy",
    "DataAwsIamPolicyDocument",
    "DataAwsIamPolicyDocumentStatement",
    "DataAwsIamPolicyDocumentStatementCondition",
    "DataAwsIamPolicyDocumentStatementPrincipals",
    "IamInstanceProfile",
    "IamPolicy",
    "IamRole",
    "IamRolePolicyAttachment",
    "Instance",
    "InternetGateway",
    "RouteTable",
    "RouteTableAssociation",
    "RouteTableRoute",
    "S3Bucket",
    "S3BucketOwnershipControls",
    "S3BucketOwnershipControlsRule",
    "S3BucketPolicy",
    "SecurityGroup",
    "SecurityGroupEgress",
    "Subnet",
    "Vpc",
]
