"""Symptoms that the troubleshooting page names, caused and mended as it says."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_links.sandbox.access import Principal, allowed, root
from s3_links.sandbox.emulator import ACCOUNTS
from tests.conftest import PROJECT
from tests.support.links import accounts
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

ROLE = f"arn:aws:iam::{ACCOUNTS['account1']}:role/symptom-reader"
LINK: dict[str, Any] = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "symptom-reader"}],
    "buckets": [{"account": "account2", "new_prefix": "symptom-"}],
    "access": {"level": "read-only"},
    "hardening": {"public_access_block": True},
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module")
def place(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Workplace:
    place = Workplace(tmp_path_factory.mktemp("symptoms"), terraform.environment)
    settings = accounts()
    # Whoever deploys in account 2 is a role here: AWS's root user is hit by no Deny.
    iam = root(emulator.endpoint, "account2").client("iam")
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=document(anybody))
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.put_role_policy(RoleName="deployer", PolicyName="all", PolicyDocument=document(everything))
    arn = f"arn:aws:iam::{ACCOUNTS['account2']}:role/deployer"
    settings["account2"]["assume_role"] = {"role_arn": arn}
    place.declare({"accounts": settings, "links": {"symptom": LINK}})
    for operation in ("plan", "apply"):
        result = place.operations_here(operation)
        assert result.returncode == 0, result.stderr
    return place


@pytest.fixture
def owner(emulator: Emulator) -> Principal:
    return root(emulator.endpoint, "account2")


@pytest.fixture
def bucket(place: Workplace, owner: Principal) -> str:
    shown = place.terraform("symptom", "output", "-raw", "bucket_name_account2_symptom-")
    owner.s3.put_object(Bucket=shown.stdout, Key="key", Body=b"body")
    return shown.stdout


def readable(emulator: Emulator, bucket: str) -> bool:
    reader = root(emulator.endpoint, "account1").assume(ROLE)
    return allowed(lambda: reader.s3.get_object(Bucket=bucket, Key="key"))


def test_a_second_bucket_policy_overwrites_the_first_until_the_next_deploy(
    place: Workplace, emulator: Emulator, owner: Principal, bucket: str
) -> None:
    assert readable(emulator, bucket)
    second = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNTS['account1']}:role/somebody-else"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    owner.s3.put_bucket_policy(Bucket=bucket, Policy=document(second))
    assert not readable(emulator, bucket)
    drift = place.operations_here("plan", "--refuse", "changes")
    assert drift.returncode == 2
    assert "update `aws_s3_bucket_policy." in drift.stdout
    assert "(changed outside of Terraform)" in drift.stdout
    for operation in ("plan", "apply"):
        assert place.operations_here(operation).returncode == 0
    assert readable(emulator, bucket)


def test_the_public_access_block_refuses_a_public_policy_and_ours_not(
    emulator: Emulator, owner: Principal, bucket: str
) -> None:
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    public |= {"Resource": f"arn:aws:s3:::{bucket}/*"}
    with pytest.raises(ClientError, match="BlockPublicPolicy"):
        owner.s3.put_bucket_policy(Bucket=bucket, Policy=document(public))
    assert readable(emulator, bucket)  # another account's role is not the public


def test_a_deny_that_locks_out_terraform_is_removed_by_the_root_user(
    place: Workplace, emulator: Emulator, owner: Principal, bucket: str
) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-0123abcd"}},
    }
    owner.s3.put_bucket_policy(Bucket=bucket, Policy=document(deny))
    locked = place.operations_here("plan")
    assert locked.returncode == 1
    assert "explicit deny" in locked.stderr
    owner.s3.delete_bucket_policy(Bucket=bucket)
    assert place.operations_here("plan").returncode == 0
    assert place.operations_here("apply").returncode == 0
    assert readable(emulator, bucket)


def test_an_apply_that_is_told_to_end_is_completed_by_the_next(
    place: Workplace, emulator: Emulator, owner: Principal
) -> None:
    consumer = {"account": "account1", "new_role": "interrupted", "instance": True}
    bucket = {"account": "account2", "new_prefix": "interrupted-"}
    link = LINK | {"consumers": [consumer], "buckets": [bucket]}
    place.declare({"accounts": accounts(), "links": {"interrupted": link}})
    assert place.operations_here("plan").returncode == 0
    process = subprocess.Popen(
        ["make", "apply"],
        cwd=place.folder,
        env={"PATH": os.environ["PATH"]} | place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    ec2 = root(emulator.endpoint, "account1").client("ec2")
    deadline = time.monotonic() + 120
    # The last to be made: whatever else the provider is making when it is told to end is lost.
    while not ec2.describe_instances()["Reservations"]:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.terminate()
    told, _ = process.communicate(timeout=120)
    assert "Interrupt received" in told
    assert "Two interrupts received" not in told
    for operation in ("plan", "apply"):
        result = place.operations_here(operation)
        assert result.returncode == 0, result.stderr
    names = [b["Name"] for b in owner.s3.list_buckets()["Buckets"]]
    assert sum(name.startswith("interrupted-") for name in names) == 1


@pytest.mark.parametrize("name", ["troubleshooting.md", "troubleshooting.ja.md"])
def test_every_symptom_is_on_the_page(name: str) -> None:
    text = (PROJECT / "docs" / name).read_text()
    for symptom in (
        "403",
        "404",
        "Invalid principal in policy",
        "AROA",
        "GetObjectTagging",
        "BucketOwnerEnforced",
        "kms:Decrypt",
        "1 hour session limit",
        "PermanentRedirect",
        "AWS account ID not allowed",
        "PutBucketPolicy",
        "BlockPublicPolicy",
        "delete-bucket-policy",
        "survive_role_recreation",
    ):
        assert symptom in text, symptom
