"""EC2 instances that work with a role of their account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdktf import TerraformResourceLifecycle
from constructs import Construct

from .bindings import (
    DataAwsAmi,
    DataAwsAmiFilter,
    DataAwsIamPolicy,
    IamInstanceProfile,
    InstanceMetadataOptions,
    InstanceRootBlockDevice,
)
from .bindings import Instance as Ec2Instance
from .document import PolicyDocument
from .hardening import NONE, Hardening
from .policy import service, trust

if TYPE_CHECKING:
    from .account import Account
    from .network import PublicNetwork
    from .role import Role

__all__ = ["Instance", "InstanceBasics"]


# Without minimal images, which lack Session Manager's agent, and those for Amazon ECS.
_STANDARD_IMAGES = "al2023-ami-2023.*-kernel-6.1-x86_64"


class InstanceBasics(Construct):
    """Looks up, in ``account``, what any number of instances share.

    ``ami_id`` is the newest of Amazon's images whose name matches ``image_name``: by default the
    standard Amazon Linux 2023 (x86_64, kernel 6.1). ``trust`` is the trust policy that lets EC2
    hand a role to an instance, and ``session_manager_policy_arn`` AWS's managed policy for signing
    in through Session Manager.

    Follows "IAM roles for Amazon EC2" in the Amazon EC2 User Guide, "Configure instance permissions
    required for Systems Manager" in the AWS Systems Manager User Guide and "AL2023 on Amazon EC2"
    in the Amazon Linux 2023 User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        account: Account,
        image_name: str = _STANDARD_IMAGES,
    ) -> None:
        super().__init__(scope, id_)
        image = DataAwsAmi(
            self,
            "amazon-linux-2023",
            provider=account.provider,
            most_recent=True,
            owners=["amazon"],
            filter=[DataAwsAmiFilter(name="name", values=[image_name])],
        )
        self.ami_id: str = image.id
        self.trust = PolicyDocument(
            self, "trust", account=account, statements=[trust(service("ec2.amazonaws.com"))]
        )
        session_manager = DataAwsIamPolicy(
            self,
            "session-manager-policy",
            provider=account.provider,
            arn=f"arn:{account.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore",
        )
        self.session_manager_policy_arn: str = session_manager.arn


class Instance(Construct):
    """Creates an EC2 instance and the instance profile that gives it ``role``, in its account.

    The role also gets AWS's managed policy for Session Manager, by which ``ssm_command`` signs in.
    The image stays the one that it was made with: with ``replaced_by_newer_image`` each image that
    Amazon publishes replaces the instance at the next deployment. ``hardening`` says how the
    instance hands out credentials, and what its root volume is like.

    Follows "Use IMDSv2", "Amazon EBS-optimized instance types" and "Amazon EBS encryption" in the
    Amazon EC2 and Amazon EBS User Guides.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        role: Role,
        basics: InstanceBasics,
        network: PublicNetwork,
        name: str,
        instance_profile_name: str,
        user_data: str | None = None,
        instance_type: str = "t3.micro",
        replaced_by_newer_image: bool = False,
        hardening: Hardening = NONE,
    ) -> None:
        super().__init__(scope, id_)
        provider = role.account.provider
        role.attach("session-manager", basics.session_manager_policy_arn)
        profile = IamInstanceProfile(
            self,
            "instance-profile",
            provider=provider,
            name=instance_profile_name,
            role=role.name,
        )
        instance = Ec2Instance(
            self,
            "Resource",
            provider=provider,
            ami=basics.ami_id,
            instance_type=instance_type,
            iam_instance_profile=profile.name,
            subnet_id=network.subnet_id,
            vpc_security_group_ids=[network.security_group_id],
            associate_public_ip_address=True,
            user_data=user_data,
            tags={"Name": name},
            metadata_options=(
                InstanceMetadataOptions(http_tokens="required") if hardening.imdsv2 else None
            ),
            root_block_device=(
                InstanceRootBlockDevice(encrypted=True) if hardening.ebs_encryption else None
            ),
            ebs_optimized=hardening.ebs_optimized or None,
            lifecycle=(
                None
                if replaced_by_newer_image
                else TerraformResourceLifecycle(ignore_changes=["ami"])
            ),
        )
        self.ssm_command = (
            f"aws ssm start-session --target {instance.id} --region {role.account.region}"
        )
