"""A link goes, and what is to be kept or was taken over stays: in emulated accounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_links.operations.undeclared import parted
from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS
from tests.support.links import accounts
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("deployed")

BUCKET = {"account": "account2", "new_prefix": "kept-", "key": "new", "keep": True}
LINK: dict[str, Any] = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "imported_role": "theirs"}],
    "buckets": [BUCKET, {"account": "account2", "new_prefix": "goes-"}],
    "hardening": {"versioning": True, "public_access_block": True, "tls_only": True},
}


def test_a_link_goes_without_what_is_kept(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    one, two = (root(emulator.endpoint, alias) for alias in ("account1", "account2"))
    iam, s3, kms = one.client("iam"), two.s3, two.client("kms")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}
    document = {"Version": "2012-10-17", "Statement": [trust | {"Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(document))
    place = Workplace(tmp_path_factory.mktemp("kept"), terraform.environment)
    tagged = accounts(account2={"tags": {"CostCenter": "42"}})
    place.declare({"accounts": tagged, "links": {"reports": LINK}})
    for operation in ("plan", "apply"):
        result = place.operations_here(operation)
        assert result.returncode == 0, result.stdout + result.stderr
    (kept,) = (b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("kept-"))
    s3.put_object(Bucket=kept, Key="a", Body=b"kept")
    assert s3.get_bucket_tagging(Bucket=kept)["TagSet"] == [{"Key": "CostCenter", "Value": "42"}]
    assert iam.list_role_tags(RoleName="theirs")["Tags"] == []  # of the other account

    unasked = place.operations_here("destroy", "reports")
    assert "Nothing was destroyed." in unasked.stderr
    assert s3.get_bucket_policy(Bucket=kept)["Policy"]

    result = place.operations_here("destroy", "reports", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "These stay as they are, and Terraform forgets them:" in result.stdout
    assert s3.get_object(Bucket=kept, Key="a")["Body"].read() == b"kept"
    assert s3.get_bucket_versioning(Bucket=kept)["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket=kept)["PublicAccessBlockConfiguration"]
    assert block["BlockPublicPolicy"]
    encryption = s3.get_bucket_encryption(Bucket=kept)["ServerSideEncryptionConfiguration"]
    key = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert "theirs" not in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=kept)
    assert not [b for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("goes-")]
    assert iam.get_role(RoleName="theirs")
    assert iam.list_attached_role_policies(RoleName="theirs")["AttachedPolicies"] == []
    assert place.terraform("reports", "state", "list").stdout.strip() == ""


def test_what_is_declared_to_be_kept_stays_before_it_is_applied() -> None:
    def block(type_: str, name: str, **attributes: str) -> dict[str, Any]:
        return {
            "mode": "managed",
            "type": type_,
            "name": name,
            "instances": [{"attributes": attributes}],
        }

    state = {
        "resources": [
            block("aws_s3_bucket", "b", bucket="reports-1"),
            block("aws_s3_bucket_versioning", "v", bucket="reports-1"),
            block("aws_s3_bucket_policy", "p", bucket="reports-1"),
            block("aws_s3_bucket", "other", bucket="reports-2"),
        ]
    }
    declared = {"kept_resources": {"value": "aws_s3_bucket/${aws_s3_bucket.b.bucket}"}}
    assert parted(state) == (
        [
            "aws_s3_bucket.b",
            "aws_s3_bucket_versioning.v",
            "aws_s3_bucket_policy.p",
            "aws_s3_bucket.other",
        ],
        [],
    )
    assert parted(state, declared) == (
        ["aws_s3_bucket_policy.p", "aws_s3_bucket.other"],
        ["aws_s3_bucket.b", "aws_s3_bucket_versioning.v"],
    )


def test_links_that_need_each_other_are_deployed_in_their_order(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    makes = {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "shared"}],
        "buckets": [{"account": "account2", "new_prefix": "makes-"}],
    }
    needs = makes | {
        "consumers": [{"account": "account1", "existing_role": "shared"}],
        "buckets": [{"account": "account2", "new_prefix": "needs-"}],
    }
    place = Workplace(tmp_path_factory.mktemp("ordered"), terraform.environment)
    place.declare({"accounts": accounts(), "links": {"a-needs": needs, "b-makes": makes}})
    result = place.operations_here("deploy", "a-needs", "b-makes", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.index("makes-") < result.stdout.index("needs-")
    iam = root(emulator.endpoint, "account1").client("iam")
    attached = iam.list_attached_role_policies(RoleName="shared")["AttachedPolicies"]
    assert len(attached) == 2


def test_a_link_goes_that_shares_the_bucket_of_another_one(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lake = {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "lake-reader"}],
        "buckets": [{"account": "account2", "new_name": "destroyed-lake", "force_destroy": True}],
    }
    loader = {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "loader"}],
        "buckets": [{"account": "account2", "existing": "destroyed-lake"}],
    }
    one, two = (root(emulator.endpoint, alias) for alias in ("account1", "account2"))
    place = Workplace(tmp_path_factory.mktemp("shared"), terraform.environment)
    place.declare({"accounts": accounts(), "links": {"loader": loader, "lake": lake}})
    result = place.operations_here("deploy", "loader", "lake", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    session = one.assume(f"arn:aws:iam::{ACCOUNTS['account1']}:role/loader")
    session.s3.put_object(Bucket="destroyed-lake", Key="a", Body=b"shared")

    unasked = place.operations_here("destroy", "lake")
    assert "These name its buckets, and reach nothing there any more: `loader`." in unasked.stdout
    result = place.operations_here("destroy", "loader", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "take `loader` out of the links file, and deploy `lake`" in result.stdout
    assert two.s3.get_object(Bucket="destroyed-lake", Key="a")["Body"].read() == b"shared"

    place.declare({"accounts": accounts(), "links": {"lake": lake}})
    result = place.operations_here("deploy", "lake", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Access that disappears" in result.stdout
    assert "loader" not in two.s3.get_bucket_policy(Bucket="destroyed-lake")["Policy"]
    assert "lake-reader" in two.s3.get_bucket_policy(Bucket="destroyed-lake")["Policy"]
