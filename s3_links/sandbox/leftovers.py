"""What is left in the emulated accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .access import Principal

_IAM = {
    "role": ("list_roles", "Roles", "RoleName"),
    "instance profile": ("list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
}


def leftovers(owner: Principal) -> list[str]:
    """Return what Terraform makes and is still in the account of this root user.

    A terminated instance stays visible for a while, on AWS too, and does not count; neither do
    the default network and AWS's own policies.
    """
    s3, iam, ec2 = owner.s3, owner.client("iam"), owner.client("ec2")
    found = [f"bucket {b['Name']}" for b in s3.list_buckets()["Buckets"]]
    found += [
        f"{kind} {item[name]}"
        for kind, (call, key, name) in _IAM.items()
        for item in getattr(iam, call)()[key]
        if not item.get("Path", "/").startswith("/aws-service-role/")
    ]
    found += [f"policy {p['PolicyName']}" for p in iam.list_policies(Scope="Local")["Policies"]]
    found += [
        f"instance {instance['InstanceId']}"
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] != "terminated"
    ]
    found += [f"volume {v['VolumeId']}" for v in ec2.describe_volumes()["Volumes"]]
    vpcs = ec2.describe_vpcs()["Vpcs"]
    found += [f"VPC {vpc['VpcId']}" for vpc in vpcs if not vpc.get("IsDefault")]
    groups = ec2.describe_security_groups()["SecurityGroups"]
    found += [f"security group {g['GroupName']}" for g in groups if g["GroupName"] != "default"]
    return found
