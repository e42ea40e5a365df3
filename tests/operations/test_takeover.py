"""Coming to this project with what is deployed already, and leaving it with the same."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_links.sandbox.access import root
from tests.conftest import STACK, json_file
from tests.support.links import accounts
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from pathlib import Path

    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

WRONG_ELEMENT = "aws_s3_bucket_ownership_controls.bucket_ownership_controls4"
# The data blocks for which the reference names no provider.
OF_THE_DEFAULT_PROVIDER = {
    "aws_ami": ["amazonlinux_2023"],
    "aws_iam_policy": ["systems_manager"],
    "aws_iam_policy_document": [
        *(f"account1-s3-access_{n}" for n in "123"),
        *(f"account2-s3-access_{n}" for n in "12"),
    ],
}


@pytest.fixture(scope="module")
def reference(
    terraform: Terraform, project_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Deploy what the reference deploys, where it is wrong too; return its state."""
    stack = json.loads(json_file(project_folder).read_text())
    controls = stack["resource"]["aws_s3_bucket_ownership_controls"]
    controls["bucket_ownership_controls4"]["bucket"] = "${aws_s3_bucket.bucket2.bucket}"
    for type_, names in OF_THE_DEFAULT_PROVIDER.items():
        for name in names:
            del stack["data"][type_][name]["provider"]
    default = {"region": "ap-northeast-1", "profile": "account1"}
    stack["provider"]["aws"].append(default)
    stack["terraform"]["backend"] = {"local": {}}
    folder = tmp_path_factory.mktemp("reference")
    (folder / "main.tf.json").write_text(json.dumps(stack))
    for command in (("init",), ("apply", "-auto-approve", "-no-color")):
        result = terraform(folder, *command)
        assert result.returncode == 0, result.stderr
    return folder / "terraform.tfstate"


class Takeover:
    """A workplace that goes on with the reference's state."""

    def __init__(self, place: Workplace, state: Path, emulator: Emulator) -> None:
        self.place = place
        shutil.copy(state, place.folder / f"terraform.{STACK}.tfstate")
        outputs = json.loads(state.read_text())["outputs"]
        owner = root(emulator.endpoint, "account2")
        self._buckets = {
            number: (outputs[f"bucket{number}_name"]["value"], owner) for number in "24"
        }
        assert place.run(sys.executable, "main.py").returncode == 0
        self.terraform("init")

    def terraform(self, *arguments: str) -> str:
        result = self.place.terraform(STACK, *arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def apply(self) -> str:
        return self.terraform("apply", "-auto-approve", "-no-color")

    def controlled(self) -> dict[str, bool]:
        """Which of account 2's buckets have ownership controls."""
        found = {}
        for number, (name, owner) in self._buckets.items():
            try:
                owner.s3.get_bucket_ownership_controls(Bucket=name)
                found[number] = True
            except ClientError as error:
                assert error.response["Error"]["Code"] == "OwnershipControlsNotFoundError"  # noqa: PT017
                found[number] = False
        return found

    def uncontrol_bucket_4(self) -> None:
        name, owner = self._buckets["4"]
        owner.s3.delete_bucket_ownership_controls(Bucket=name)


@pytest.fixture(scope="module")
def taken_over(
    reference: Path,
    terraform: Terraform,
    emulator: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Takeover:
    """The way around: Terraform forgets the wrong element before the first apply."""
    place = Workplace(tmp_path_factory.mktemp("takeover"), terraform.environment)
    takeover = Takeover(place, reference, emulator)
    assert takeover.controlled()["2"]
    return takeover


def test_two_applies_repair_it_as_it_is(
    reference: Path, terraform: Terraform, taken_over: Takeover, emulator: Emulator, tmp_path: Path
) -> None:
    plain = Takeover(Workplace(tmp_path, terraform.environment), reference, emulator)
    assert "1 added, 0 changed, 1 destroyed" in plain.apply()
    assert plain.controlled() == {"2": False, "4": True}
    assert "1 added, 0 changed, 0 destroyed" in plain.apply()
    assert plain.controlled() == {"2": True, "4": True}
    taken_over.uncontrol_bucket_4()  # for the other way


def test_forgetting_the_wrong_element_first_takes_one_apply_and_no_gap(
    taken_over: Takeover,
) -> None:
    taken_over.terraform("state", "rm", WRONG_ELEMENT)
    planned = taken_over.place.operations_here("plan")
    assert planned.returncode == 0, planned.stderr
    written = (taken_over.place.folder / "plans" / "summary.json").read_text()
    (summary,) = json.loads(written)["stacks"]
    assert [(c["action"], c["address"]) for c in summary["changes"]] == [("create", WRONG_ELEMENT)]
    assert summary["appears"] == summary["disappears"] == []
    applied = taken_over.place.make("apply")
    assert "1 added, 0 changed, 0 destroyed" in applied.stdout
    assert taken_over.controlled() == {"2": True, "4": True}
    assert taken_over.place.make("drift").returncode == 0


def test_the_hcl_validates_and_plans_empty_over_the_same_state(taken_over: Takeover) -> None:
    """Leaving: what `cdktf synth --hcl` writes goes on with the state that is there."""
    place = taken_over.place
    result = place.run(
        str(place.folder / "node_modules" / ".bin" / "cdktf"), "synth", "--hcl", "-o", "hcl"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    folder = place.folder / "hcl" / "stacks" / STACK
    assert (folder / "cdk.tf").exists()
    assert not (folder / "cdk.tf.json").exists()
    for command in (("init",), ("validate",), ("plan", "-detailed-exitcode", "-no-color")):
        done = place.run("terraform", *command, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "No changes." in done.stdout


EVERYTHING: dict[str, Any] = {
    "accounts": accounts(account1={"log_bucket": "our-logs"}),
    "state": {"backend": "s3", "account": "account1", "bucket": "my-state", "create_bucket": True},
    "pipeline": {"platform": "github", "repository": "acme/s3-links"},
    "links": {
        "access": {
            "pattern": "assume-role",
            "consumers": [
                {"account": "account1", "existing_role": "web"},
                {"account": "account1", "imported_role": "by-hand"},
                {"account": "account1", "new_role": "with-instance", "instance": True},
            ],
            "buckets": [
                {"account": "account2", "new_prefix": "leaving-", "key": "new"},
                {"account": "account2", "existing": "theirs", "policy": "merge"},
                {"account": "account1", "imported": "ours", "policy": "import"},
            ],
            "assumed_role": {"account": "account2", "name": "worker", "external_id": "link-7f3a"},
            "hardening": True,
        },
        "copies": {
            "pattern": "replication",
            "source": {"account": "account1", "new_prefix": "leaving-from-", "key": "new"},
            "destination": {"account": "account2", "new_prefix": "leaving-to-", "key": "new"},
            "role_name": "leaving",
            "both_ways": True,
            "batch_role": True,
            "rules": [{"prefix": "a/", "tags": {"x": "y"}, "time_control": True}],
        },
    },
}


def test_the_hcl_of_every_feature_validates(terraform: Terraform, tmp_path: Path) -> None:
    place = Workplace(tmp_path, terraform.environment)
    place.declare(EVERYTHING)
    command = str(place.folder / "node_modules" / ".bin" / "cdktf")
    assert place.run(command, "synth", "--hcl", "-o", "hcl").returncode == 0
    # The others are modules of the one that imports, which only a root may: a run of Terraform for
    # each would load the provider as often.
    others = {s: {"source": f"../{s}"} for s in ("copies", "pipeline-roles", "terraform-state")}
    folder = tmp_path / "hcl" / "stacks" / "access"
    (folder / "others.tf.json").write_text(json.dumps({"module": others}))
    for arguments in (("init", "-backend=false"), ("validate", "-no-color")):
        done = place.run("terraform", *arguments, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr


# Buckets and roles that were made by hand.

POLICY = {
    "Sid": "ByHand",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::333333333333:root"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::made-by-hand/*",
}
LINK: dict[str, Any] = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "imported_role": "by-hand"}],
    "buckets": [{"account": "account2", "imported": "made-by-hand", "policy": "import"}],
    "access": {"level": "read-only"},
    "hardening": {"versioning": True, "public_access_block": True},
}


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def imported(
    terraform: Terraform, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Workplace:
    """A link that takes over a bucket and a role, planned and applied."""
    s3 = root(emulator.endpoint, "account2").s3
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket="made-by-hand", CreateBucketConfiguration=where)
    s3.put_bucket_tagging(
        Bucket="made-by-hand", Tagging={"TagSet": [{"Key": "team", "Value": "a"}]}
    )
    s3.put_bucket_policy(Bucket="made-by-hand", Policy=document(**POLICY))
    s3.put_object(Bucket="made-by-hand", Key="kept", Body=b"kept")
    iam = root(emulator.endpoint, "account1").client("iam")
    trust = document(
        Effect="Allow", Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole"
    )
    iam.create_role(
        RoleName="by-hand",
        AssumeRolePolicyDocument=trust,
        Description="made by hand",
        MaxSessionDuration=7200,
        Tags=[{"Key": "team", "Value": "a"}],
    )
    everything = document(Effect="Allow", Action="sqs:SendMessage", Resource="*")
    iam.put_role_policy(RoleName="by-hand", PolicyName="inline", PolicyDocument=everything)
    place = Workplace(tmp_path_factory.mktemp("import"), terraform.environment)
    place.declare({"accounts": accounts(), "links": {"taken": LINK}})
    for operation in ("plan", "apply"):
        result = place.operations_here(operation)
        assert result.returncode == 0, result.stderr
    return place


def test_the_plan_takes_over_and_removes_nothing(imported: Workplace) -> None:
    (summary,) = json.loads((imported.folder / "plans" / "summary.json").read_text())["stacks"]
    taken = {
        c["address"].partition(".")[0]: c["action"] for c in summary["changes"] if c["imported"]
    }
    assert taken["aws_s3_bucket_policy"] == "update"
    assert set(taken) == {"aws_iam_role", "aws_s3_bucket", "aws_s3_bucket_policy"}
    assert {c["action"] for c in summary["changes"]} <= {"create", "update", "import"}
    # The policy that the bucket had is replaced, and a reviewer is told what goes with it.
    assert [(a["principal"], a["actions"]) for a in summary["disappears"]] == [
        ("account 333333333333", ["s3:GetObject"])
    ]
    assert ("role by-hand (account1)", ["s3:GetObject"]) in [
        (a["principal"], a["actions"]) for a in summary["appears"]
    ]


@pytest.mark.usefixtures("imported")
def test_what_people_set_by_hand_is_kept(emulator: Emulator) -> None:
    s3 = root(emulator.endpoint, "account2").s3
    tags = s3.get_bucket_tagging(Bucket="made-by-hand")["TagSet"]
    assert tags == [{"Key": "team", "Value": "a"}]
    assert s3.get_object(Bucket="made-by-hand", Key="kept")["Body"].read() == b"kept"
    iam = root(emulator.endpoint, "account1").client("iam")
    role = iam.get_role(RoleName="by-hand")["Role"]
    assert role["Description"] == "made by hand"
    assert role["MaxSessionDuration"] == 7200
    assert iam.list_role_policies(RoleName="by-hand")["PolicyNames"] == ["inline"]
    assert iam.list_role_tags(RoleName="by-hand")["Tags"] == [{"Key": "team", "Value": "a"}]


def test_a_second_plan_is_empty_and_nothing_imported_is_destroyed(imported: Workplace) -> None:
    assert imported.make("drift").returncode == 0
    refused = imported.terraform("taken", "plan", "-destroy", "-no-color")
    assert refused.returncode == 1
    assert "Instance cannot be destroyed" in refused.stderr


def test_a_bucket_without_a_policy_cannot_be_imported_with_one(
    terraform: Terraform, emulator: Emulator, tmp_path: Path
) -> None:
    s3 = root(emulator.endpoint, "account2").s3
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket="without-policy", CreateBucketConfiguration=where)
    place = Workplace(tmp_path, terraform.environment)
    bucket = {"account": "account2", "imported": "without-policy", "policy": "import"}
    consumer = {"account": "account1", "new_role": "another"}
    link = LINK | {"buckets": [bucket], "consumers": [consumer]}
    place.declare({"accounts": accounts(), "links": {"wrong": link}})
    result = place.operations_here("plan")
    assert result.returncode == 1
    assert 'has no bucket policy to import: declare "policy": "create"' in result.stderr
    assert not (tmp_path / "plans").exists()
