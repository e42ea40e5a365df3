"""What Terraform needs to plan and to deploy stacks: read from their synthesized JSON.

The table says which actions the AWS provider calls for each resource type, as "Actions, resources,
and condition keys for AWS services" in the Service Authorization Reference names them. A type that
is not in it is an error, so that no stack is left out silently.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3_cross_account.key import TAGS
from s3_cross_account.policy import Condition, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3_cross_account.account import Account

_REFERENCE = re.compile(r"\$\{((?:data\.)?[a-z0-9_]+)\.([A-Za-z0-9_-]+)\.([a-z_]+)\}")
_COMPLETED = "?" * 26
"""Stands for what Terraform puts behind a prefix."""
_ARNS_IN_A_STATEMENT = 20

_S3: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
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
        ),
        ("s3:CreateBucket", "s3:DeleteBucket"),
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
    "aws_s3_bucket_replication_configuration": (
        ("s3:GetReplicationConfiguration",),
        ("s3:PutReplicationConfiguration",),
    ),
}
_FORCE_DESTROY = ("s3:ListBucketVersions", "s3:DeleteObject", "s3:DeleteObjectVersion")

_ROLE_READS = ("iam:GetRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies")
_ROLE_WRITES = (
    "iam:DeleteRole",
    "iam:ListInstanceProfilesForRole",
    "iam:UpdateAssumeRolePolicy",
)
_BOUNDED_ROLE_WRITES = ("iam:CreateRole", "iam:PutRolePermissionsBoundary")
_POLICY_READS = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions")
_POLICY_WRITES = (
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
)
_PROFILE_WRITES = (
    "iam:AddRoleToInstanceProfile",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:RemoveRoleFromInstanceProfile",
)
_KEY_READS = (
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
)
_KEY_WRITES = (
    "kms:DisableKeyRotation",
    "kms:EnableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:UpdateKeyDescription",
)
# Neither names nor tags tell the network of an instance from others: these are for the region.
_EC2: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
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
# A new key gets its tags at once; KMS then asks for the second as well.
_KEY_CREATION = ("kms:CreateKey", "kms:TagResource")
_NEED_NOTHING = {"data.aws_iam_policy_document", "data.aws_caller_identity"}
_SERVICES = {
    "aws_s3_bucket_replication_configuration": "s3.amazonaws.com",
    "aws_iam_instance_profile": "ec2.amazonaws.com",
}


@dataclass(frozen=True)
class _Need:
    """Actions on one resource; ``to_plan`` says whether planning takes them too."""

    actions: tuple[str, ...]
    arn: str
    to_plan: bool
    conditions: tuple[Condition, ...] = ()


class Permissions:
    """What the stacks, given as their synthesized JSON, need in ``account``."""

    def __init__(self, stacks: Iterable[Mapping[str, Any]], account: Account) -> None:
        self._account = account
        self._needs = [need for stack in stacks for need in self._of_stack(stack)]

    def state(self, bucket: str, prefix: str) -> None:
        """Add what a state below ``prefix`` in an S3 bucket needs."""
        arn = self._arn("s3", bucket)
        self._needs += [
            _Need(("s3:ListBucket",), arn, to_plan=True),
            _Need(("s3:GetObject",), f"{arn}/{prefix}*", to_plan=True),
            _Need(("s3:PutObject",), f"{arn}/{prefix}*", to_plan=False),
            _Need(("s3:DeleteObject",), f"{arn}/{prefix}*.tflock", to_plan=False),
        ]

    def to_plan(self) -> list[Statement]:
        """Return what reads everything that the stacks made, and changes nothing."""
        return _statements(need for need in self._needs if need.to_plan)

    def to_deploy(self) -> list[Statement]:
        """Return what also makes, changes and removes it."""
        return _statements(self._needs)

    def _of_stack(self, stack: Mapping[str, Any]) -> Iterator[_Need]:
        for section, data in (("resource", ""), ("data", "data.")):
            for type_, blocks in stack.get(section, {}).items():
                for block in blocks.values():
                    if block["provider"] == f"aws.{self._account.alias}":
                        yield from self._of_block(stack, f"{data}{type_}", block)

    def _of_block(
        self, stack: Mapping[str, Any], type_: str, block: Mapping[str, Any]
    ) -> Iterator[_Need]:
        def named(argument: str) -> str:
            return self._resolved(stack, block[argument])

        if type_ in _S3:
            name = _bucket_name(block) if type_ == "aws_s3_bucket" else named("bucket")
            reads, writes = _S3[type_]
            if block.get("force_destroy"):
                arn = f"{self._arn('s3', name)}/*"
                yield _Need(_FORCE_DESTROY[1:], arn, to_plan=False)
                writes += _FORCE_DESTROY[:1]
            yield _Need(reads, self._arn("s3", name), to_plan=True)
            yield _Need(writes, self._arn("s3", name), to_plan=False)
        elif type_ in _EC2:
            reads, writes = _EC2[type_]
            here = _equals("aws:RequestedRegion", self._account.region)
            yield _Need(reads, "*", to_plan=True, conditions=here)
            if writes:
                yield _Need(writes, "*", to_plan=False, conditions=here)
        elif type_ == "aws_iam_role":
            arn = self._arn("iam", f"role/{block['name']}")
            boundary = block.get("permissions_boundary")
            bounded = _equals("iam:PermissionsBoundary", boundary) if boundary else ()
            yield _Need(_ROLE_READS, arn, to_plan=True)
            yield _Need(_ROLE_WRITES, arn, to_plan=False)
            yield _Need(_BOUNDED_ROLE_WRITES, arn, to_plan=False, conditions=bounded)
        elif type_ == "aws_iam_policy":
            arn = self._arn("iam", f"policy/{block['name']}")
            yield _Need(_POLICY_READS, arn, to_plan=True)
            yield _Need(_POLICY_WRITES, arn, to_plan=False)
        elif type_ == "aws_iam_role_policy_attachment":
            arn = self._arn("iam", f"role/{named('role')}")
            only = (
                Condition(
                    test="ArnEquals", variable="iam:PolicyARN", values=(named("policy_arn"),)
                ),
            )
            yield _Need(("iam:ListAttachedRolePolicies",), arn, to_plan=True)
            yield _Need(
                ("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
                arn,
                to_plan=False,
                conditions=only,
            )
        elif type_ == "aws_iam_instance_profile":
            arn = self._arn("iam", f"instance-profile/{block['name']}")
            yield _Need(("iam:GetInstanceProfile",), arn, to_plan=True)
            yield _Need(_PROFILE_WRITES, arn, to_plan=False)
        elif type_ == "aws_kms_key":
            keys = self._arn("kms", "key/*")
            ours = _tagged("aws:ResourceTag")
            yield _Need(_KEY_READS, keys, to_plan=True, conditions=ours)
            yield _Need(_KEY_WRITES, keys, to_plan=False, conditions=ours)
            yield _Need(_KEY_CREATION, "*", to_plan=False, conditions=_tagged("aws:RequestTag"))
        elif type_ == "data.aws_iam_role":
            yield _Need(_ROLE_READS[:1], self._arn("iam", f"role/{block['name']}"), to_plan=True)
        elif type_ == "data.aws_iam_instance_profile":
            arn = self._arn("iam", f"instance-profile/{block['name']}")
            yield _Need(("iam:GetInstanceProfile",), arn, to_plan=True)
        elif type_ == "data.aws_iam_policy":
            yield _Need(_POLICY_READS[:2], block["arn"], to_plan=True)
        elif type_ not in _NEED_NOTHING | {"aws_kms_key_policy"}:
            raise ValueError(f"{type_}: add what it needs to {__name__}")
        if type_ in _SERVICES:
            role = _arn_name(named("role"))
            passed = _equals("iam:PassedToService", _SERVICES[type_])
            arn = self._arn("iam", f"role/{role}")
            yield _Need(("iam:PassRole",), arn, to_plan=False, conditions=passed)

    def _resolved(self, stack: Mapping[str, Any], text: str) -> str:
        """Return an argument with names in place of references."""

        def name(found: re.Match[str]) -> str:
            section = "data" if found[1].startswith("data.") else "resource"
            type_ = found[1].removeprefix("data.")
            block = stack[section][type_][found[2]]
            if type_ == "aws_s3_bucket":
                return _bucket_name(block)
            if found[3] == "arn" and "arn" in block:
                return str(block["arn"])
            if found[3] == "arn":
                return self._arn("iam", f"{type_.removeprefix('aws_iam_')}/{block['name']}")
            return str(block["name"])

        return _REFERENCE.sub(name, text)

    def _arn(self, service: str, name: str) -> str:
        account, region = self._account, ""
        id_ = "" if service == "s3" else account.account_id
        region = account.region if service == "kms" else ""
        return f"arn:{account.partition}:{service}:{region}:{id_}:{name}"


def _bucket_name(block: Mapping[str, Any]) -> str:
    return str(block.get("bucket") or f"{block['bucket_prefix']}{_COMPLETED}")


def _arn_name(text: str) -> str:
    return text.rpartition("/")[2]


def _equals(variable: str, value: str) -> tuple[Condition, ...]:
    return (Condition(test="StringEquals", variable=variable, values=(value,)),)


def _tagged(key: str) -> tuple[Condition, ...]:
    return tuple(c for tag, value in TAGS.items() for c in _equals(f"{key}/{tag}", value))


def _statements(needs: Iterable[_Need]) -> list[Statement]:
    """Put together what is needed of one resource, and the resources that need the same."""
    actions: dict[tuple[str, tuple[Condition, ...]], set[str]] = defaultdict(set)
    for need in needs:
        actions[need.arn, need.conditions].update(need.actions)
    arns: dict[tuple[tuple[str, ...], tuple[Condition, ...]], list[str]] = defaultdict(list)
    for (arn, conditions), names in actions.items():
        arns[tuple(sorted(names)), conditions].append(arn)
    return [
        Statement(
            sid="Deployment",
            actions=names,
            resources=tuple(resources[start : start + _ARNS_IN_A_STATEMENT]),
            conditions=conditions,
        )
        for (names, conditions), resources in arns.items()
        for start in range(0, len(resources), _ARNS_IN_A_STATEMENT)
    ]
