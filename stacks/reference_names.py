"""The names that the reference deployment gives to its blocks, by the path of our constructs.

With the block's type each makes its Terraform address, and so whoever deployed the reference can
go on with this project and the same state. Other stacks keep the addresses that cdktf derives.
"""

from __future__ import annotations

import json
import re

from s3_cross_account.references import logical_id

REFERENCE_NAMES = {
    "network/vpc": "vpc",
    "network/internet-gateway": "igw",
    "network/public-subnet": "public",
    "network/public-route-table": "public-rtb",
    "network/public-route-table-association": "public_association",
    "network/security-group": "sg",
    "instance-basics/amazon-linux-2023": "amazonlinux_2023",
    "instance-basics/trust/Resource": "assume_role",
    "instance-basics/session-manager-policy": "systems_manager",
    # Pattern 1
    "direct/role/Resource": "ec2_role_1",
    "direct/role/session-manager": "ssm_1",
    "direct/role/account1-policy-document/Resource": "account1-s3-access_1",
    "direct/role/account1-policy": "account1-s3-access_1",
    "direct/role/account1-policy-attachment": "account1-s3-access_1",
    "direct/role/account2-policy-document/Resource": "account2-s3-access_1",
    "direct/role/account2-policy": "account2-s3-access_1",
    "direct/role/account2-policy-attachment": "account2-s3-access_1",
    "direct/instance/instance-profile": "ec2_instance_profile_1",
    "direct/instance/Resource": "ec2_1",
    "direct/home-bucket/Resource": "bucket1",
    "direct/home-bucket/ownership-controls": "bucket_ownership_controls1",
    "direct/away-bucket/Resource": "bucket2",
    "direct/away-bucket/ownership-controls": "bucket_ownership_controls2",
    "direct/away-bucket/policy-document/Resource": "policy_document2",
    "direct/away-bucket/policy": "bucket2",
    # Pattern 2
    "assume/role/Resource": "ec2_role_2",
    "assume/role/session-manager": "ssm_2",
    "assume/role/account1-policy-document/Resource": "account1-s3-access_2",
    "assume/role/account1-policy": "account1-s3-access_2",
    "assume/role/account1-policy-attachment": "account1-s3-access_2",
    "assume/instance/instance-profile": "ec2_instance_profile_2",
    "assume/instance/Resource": "ec2_2",
    "assume/access/trust/Resource": "assume_role_2",
    "assume/access/assumed-role/Resource": "ec2_role_3",
    "assume/access/assumed-role/account1-policy-document/Resource": "account1-s3-access_3",
    "assume/access/assumed-role/account1-policy": "account1-s3-access_3",
    "assume/access/assumed-role/account1-policy-attachment": "account1-s3-access_3",
    "assume/access/assumed-role/account2-policy-document/Resource": "account2-s3-access_2",
    "assume/access/assumed-role/account2-policy": "account2-s3-access_2",
    "assume/access/assumed-role/account2-policy-attachment": "account2-s3-access_2",
    "assume/home-bucket/Resource": "bucket3",
    "assume/home-bucket/ownership-controls": "bucket_ownership_controls3",
    "assume/home-bucket/policy-document/Resource": "policy_document3",
    "assume/home-bucket/policy": "bucket3",
    "assume/away-bucket/Resource": "bucket4",
    "assume/away-bucket/ownership-controls": "bucket_ownership_controls4",
}


def renamed(written: str) -> str:
    """Return what cdktf wrote with the reference's names in the place of those it derived.

    Each of these ends in a hash, and so is no part of any other text.
    """
    names = {logical_id(path.split("/")): name for path, name in REFERENCE_NAMES.items()}
    text = re.sub("|".join(names), lambda found: names[found[0]], written)
    if not text.startswith("{"):
        return text
    # By their new names the blocks are in another order.
    return json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False)
