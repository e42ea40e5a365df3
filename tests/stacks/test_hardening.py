"""What hardening makes of buckets and instances, and where access logs go."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_cross_account.bucket import log_bucket_prefix
from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS
from tests.support.links import Deployment, accounts, stack_json, synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("synthesized")

LINK: dict[str, Any] = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "hard-reader", "instance": True}],
    "buckets": [
        {"account": "account2", "new_prefix": "hard-"},
        {"account": "account2", "imported": "by-hand", "policy": "create"},
    ],
}
Resources = dict[str, dict[str, Any]]


def resources(folder: Path, **link: Any) -> Resources:
    """Return the resources of the link, as one list of blocks for each type."""
    result = synthesize(folder, {"accounts": accounts(), "links": {"hard": LINK | link}})
    assert (result.returncode, result.stderr) == (0, "")
    found: Resources = stack_json(folder, "hard")["resource"]
    return found


@pytest.fixture(scope="module")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    return resources(tmp_path_factory.mktemp("hardened"), hardening=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    return resources(tmp_path_factory.mktemp("plain"))


def one(stack: Resources, type_: str) -> dict[str, Any]:
    block: dict[str, Any]
    (block,) = stack[type_].values()
    return block


def of_bucket(stack: Resources, type_: str, part: str) -> list[dict[str, Any]]:
    """Return the blocks of a type whose bucket's address ends so."""
    return [b for b in stack[type_].values() if re.search(rf"{part}_[0-9A-F]{{8}}\.", b["bucket"])]


def test_old_versions_and_unfinished_uploads_are_deleted(hardened: Resources) -> None:
    (lifecycle,) = of_bucket(hardened, "aws_s3_bucket_lifecycle_configuration", "newhard-_bucket")
    (rule,) = lifecycle["rule"]
    assert rule["abort_incomplete_multipart_upload"] == [{"days_after_initiation": 7}]
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": 90}]
    assert rule["expiration"] == [{"expired_object_delete_marker": True}]  # no object expires


def test_an_imported_bucket_keeps_its_lifecycle_rules(hardened: Resources) -> None:
    type_ = "aws_s3_bucket_lifecycle_configuration"
    assert of_bucket(hardened, type_, "importedby-hand_bucket") == []
    assert of_bucket(hardened, "aws_s3_bucket_versioning", "importedby-hand_bucket")


@pytest.mark.parametrize("of", ["newhard-", "importedby-hand"])
def test_a_log_bucket_is_versioned_expires_its_logs_and_can_be_destroyed(
    of: str, hardened: Resources
) -> None:
    logs = f"{of}_bucket_access-logs"
    (lifecycle,) = of_bucket(hardened, "aws_s3_bucket_lifecycle_configuration", logs)
    assert lifecycle["rule"][0]["expiration"] == [{"days": 365}]
    assert of_bucket(hardened, "aws_s3_bucket_versioning", logs)
    (bucket,) = (b for name, b in hardened["aws_s3_bucket"].items() if logs in name)
    assert bucket["force_destroy"]


def test_the_single_switch_makes_a_log_bucket_with_an_expiry_too(tmp_path: Path) -> None:
    stack = resources(tmp_path, hardening={"access_logging": True})
    found = [b["rule"][0] for b in stack["aws_s3_bucket_lifecycle_configuration"].values()]
    assert [rule["expiration"] for rule in found] == [[{"days": 365}]] * 2


NAMES = [
    "reports-",
    "reports",
    "reports-logs-",
    "reports-logs",
    "a" * 37,
    "a" * 36 + "b",
    "a" * 63,
    "a" * 21 + ".b-",
    "a" * 21 + "-b-",
]


def test_no_two_buckets_share_the_prefix_of_a_log_bucket() -> None:
    prefixes = {log_bucket_prefix(name) for name in NAMES}
    assert len(prefixes | set(NAMES)) == 2 * len(NAMES)
    for prefix in prefixes:
        assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*-", prefix), prefix
        assert len(prefix) <= 37
    assert log_bucket_prefix("reports-").startswith("reports-logs-")


def test_a_prefix_that_only_terraform_knows_needs_a_log_bucket() -> None:
    with pytest.raises(ValueError, match="known to Terraform only: give it a log_bucket"):
        log_bucket_prefix("${TfToken[TOKEN.1]}-reports-")


# The image of a link's instance. The names are those of Amazon's images.

REFERENCE_FILTER = "al2023-ami-*-kernel-6.1-x86_64"
STANDARD = ["al2023-ami-2023.6.20241010.0-kernel-6.1-x86_64"]
OTHERS = [
    "al2023-ami-minimal-2023.6.20241010.0-kernel-6.1-x86_64",
    "al2023-ami-ecs-hvm-2023.0.20241010-kernel-6.1-x86_64",
    "al2023-ami-ecs-neuron-hvm-2023.0.20241010-kernel-6.1-x86_64",
]


def test_a_links_instance_has_a_standard_image_and_keeps_it(tmp_path: Path) -> None:
    stack = resources(tmp_path)
    assert one(stack, "aws_instance")["lifecycle"] == {"ignore_changes": ["ami"]}
    image = one(stack_json(tmp_path, "hard")["data"], "aws_ami")
    ((pattern,),) = (filter_["values"] for filter_ in image["filter"])
    assert [fnmatchcase(name, pattern) for name in STANDARD + OTHERS] == [True, *[False] * 3]
    assert all(fnmatchcase(name, REFERENCE_FILTER) for name in STANDARD + OTHERS)


def test_a_hardened_instance(hardened: Resources, plain: Resources) -> None:
    instance = one(hardened, "aws_instance")
    assert instance["metadata_options"] == {"http_tokens": "required"}
    assert instance["root_block_device"] == {"encrypted": True}
    assert instance["ebs_optimized"] is True
    assert not {"metadata_options", "root_block_device", "ebs_optimized"} & set(
        one(plain, "aws_instance")
    )


def test_a_hardened_network_lets_https_out_and_nothing_else(
    hardened: Resources, plain: Resources
) -> None:
    (egress,) = one(hardened, "aws_security_group")["egress"]
    assert (egress["from_port"], egress["to_port"], egress["protocol"]) == (443, 443, "tcp")
    closed = one(hardened, "aws_default_security_group")
    assert (closed["ingress"], closed["egress"]) == ([], [])
    assert "aws_default_security_group" not in plain


# Deployed: account 1 gets a log bucket for its bucket, account 2 has one.

LOGGED: dict[str, Any] = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "logged"}],
    "buckets": [
        {"account": "account1", "new_prefix": "near-"},
        {"account": "account2", "new_prefix": "far-"},
    ],
    "hardening": {"access_logging": True, "versioning": True},
}


@pytest.fixture(scope="module")
def deployment(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    where = {"LocationConstraint": "ap-northeast-1"}
    root(emulator.endpoint, "account2").s3.create_bucket(
        Bucket="our-access-logs", CreateBucketConfiguration=where
    )
    folder = tmp_path_factory.mktemp("logged")
    return Deployment(
        terraform,
        emulator,
        folder,
        {"logged": LOGGED},
        account2={"log_bucket": "our-access-logs"},
    )


def names(deployment: Deployment) -> tuple[str, str]:
    outputs = deployment.outputs("logged")
    return outputs["bucket_name_account1_near-"], outputs["bucket_name_account2_far-"]


def test_logs_go_to_the_log_bucket_of_the_account_below_the_buckets_name(
    deployment: Deployment,
) -> None:
    _, far = names(deployment)
    owner = deployment.roots["account2"].s3
    found = owner.get_bucket_logging(Bucket=far)["LoggingEnabled"]
    assert (found["TargetBucket"], found["TargetPrefix"]) == ("our-access-logs", f"{far}/")
    assert [b["Name"] for b in owner.list_buckets()["Buckets"] if "far-logs" in b["Name"]] == []


def test_what_its_owner_has_to_merge_is_an_output(deployment: Deployment) -> None:
    _, far = names(deployment)
    outputs = deployment.outputs("logged")
    document = json.loads(outputs["log_bucket_policy_to_merge_account2_far-"])
    assert document["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::our-access-logs/{far}/*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{far}"},
                "StringEquals": {"aws:SourceAccount": ACCOUNTS["account2"]},
            },
        }
    ]
    assert "log_bucket_policy_to_merge_account1_near-" not in outputs
    owner = deployment.roots["account2"].s3
    owner.put_bucket_policy(Bucket="our-access-logs", Policy=json.dumps(document))
    assert "No changes." in deployment.plan("logged")


def test_a_log_bucket_is_removed_with_logs_that_came_late(deployment: Deployment) -> None:
    near, far = names(deployment)
    first, second = (deployment.roots[alias].s3 for alias in ACCOUNTS)
    logs = first.get_bucket_logging(Bucket=near)["LoggingEnabled"]["TargetBucket"]
    assert logs.startswith("near-logs-")
    for body in (b"", b"again"):
        first.put_object(Bucket=logs, Key=f"{near}/2026-01-01-00-00-00-X", Body=body)
    second.put_object(Bucket="our-access-logs", Key=f"{far}/2026-01-01-00-00-00-X", Body=b"")
    deployment.destroy("logged")
    with pytest.raises(ClientError, match="Not Found"):
        first.head_bucket(Bucket=logs)
    assert second.list_objects_v2(Bucket="our-access-logs")["KeyCount"] == 1


def test_a_log_bucket_that_begins_like_all_others_is_left_with_its_logs(
    terraform: Terraform, emulator: Emulator, tmp_path: Path
) -> None:
    """As the troubleshooting page says of a deployment by an earlier version."""
    bucket = {"account": "account2", "new_prefix": "aged-"}
    link = LOGGED | {"consumers": [{"account": "account1", "existing_role": "any"}]}
    declared = {"accounts": accounts(), "links": {"aged": link | {"buckets": [bucket]}}}
    folder = tmp_path / "cdktf.out" / "stacks" / "aged"

    def run(*arguments: str, fails: str = "") -> str:
        result = terraform(folder, *arguments, "-no-color")
        assert (result.returncode != 0) is bool(fails), result.stderr
        assert fails in result.stderr
        return result.stdout

    root(emulator.endpoint, "account1").client("iam").create_role(
        RoleName="any", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}'
    )
    assert synthesize(tmp_path, declared).returncode == 0
    before = stack_json(tmp_path, "aged")
    del before["resource"]["aws_s3_bucket_lifecycle_configuration"]
    (logs,) = (b for b in before["resource"]["aws_s3_bucket"].values() if b.get("force_destroy"))
    logs |= {"bucket_prefix": "s3-access-logs-", "force_destroy": False}
    (folder / "cdk.tf.json").write_text(json.dumps(before))
    run("init")
    run("apply", "-auto-approve")
    s3 = root(emulator.endpoint, "account2").s3
    (old,) = (
        b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("s3-access-logs-")
    )
    s3.put_object(Bucket=old, Key="s3/a-log", Body=b"")

    assert synthesize(tmp_path, declared).returncode == 0
    run("apply", "-auto-approve", fails="BucketNotEmpty")
    forgotten = [a for a in run("state", "list").splitlines() if "access-logs_" in a]
    assert terraform(folder, "state", "rm", *forgotten).returncode == 0
    run("apply", "-auto-approve")
    assert s3.list_objects_v2(Bucket=old)["KeyCount"] == 1
    assert "No changes." in run("plan")
    run("destroy", "-auto-approve")
