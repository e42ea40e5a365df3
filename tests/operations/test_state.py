"""Where state is kept: local, in S3 with a lock, and how it gets there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from s3_links.operations.stack import OperationError, Stack
from s3_links.operations.state import problem, resources
from s3_links.sandbox.access import allowed, root
from s3_links.synthesized import state as synthesized_state
from tests.conftest import PROJECT
from tests.evaluator import Documents, decide
from tests.support.links import accounts, stack_json, synthesize
from tests.support.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from s3_links.sandbox.emulator import Emulator
    from tests.conftest import Terraform

BUCKET = "acme-terraform-state"
S3_STATE = {
    "backend": "s3",
    "account": "account1",
    "bucket": BUCKET,
    "prefix": "s3-links/",
    "create_bucket": True,
}
LINK = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "stateful"}],
    "buckets": [{"account": "account2", "new_prefix": "stateful-"}],
}


def declaration(state: dict[str, Any] | None = None) -> dict[str, Any]:
    more = {} if state is None else {"state": state}
    return {"accounts": accounts(), "links": {"stateful": LINK}, **more}


@pytest.fixture(scope="module")
def place(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A link, deployed with local state, that has moved to a state bucket of its own making."""
    place = Workplace(tmp_path_factory.mktemp("state"), terraform.environment)
    place.declare(declaration())
    result = place.make("deploy", "LINK=stateful", "ARGS=--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "account1: account 111111111111 (pinned) as arn:aws:iam::111111111111:root" in (
        result.stdout
    )
    place.declare(declaration(S3_STATE))
    return place


@pytest.fixture(scope="module")
def moved(place: Workplace) -> Workplace:
    without_bucket = place.operations("check", "stateful")
    assert without_bucket.returncode == 1
    assert f"the state bucket '{BUCKET}' does not exist" in without_bucket.stderr
    assert "move it with `s3-links state move stateful`" in without_bucket.stderr
    assert place.operations_here("plan", "terraform-state").returncode == 0
    applied = place.operations_here("apply", "terraform-state")
    assert applied.returncode == 0, applied.stderr
    # With the bucket there and the state not in it, nothing would be known of what is deployed.
    refused = place.make("diff", "LINK=stateful")
    assert refused.returncode != 0
    assert "terraform.stateful.tfstate: the state of stateful is still here" in refused.stderr
    result = place.operations("state", "move", "stateful")
    assert result.returncode == 0, result.stderr
    return place


def test_the_moved_state_plans_empty(moved: Workplace) -> None:
    planned = moved.make("drift", "LINK=stateful")
    assert planned.returncode == 0, planned.stderr
    assert "No changes." in planned.stdout
    assert (moved.folder / "terraform.stateful.tfstate.moved").exists()


def test_moving_twice_says_that_there_is_nothing_to_move(moved: Workplace) -> None:
    result = moved.operations_here("state", "move", "stateful")
    assert result.returncode != 0
    assert "there is no state to move: it is where it belongs" in result.stderr


def test_an_older_state_does_not_overwrite_the_one_in_the_bucket(moved: Workplace) -> None:
    kept = moved.folder / "terraform.stateful.tfstate.moved"
    older = json.loads(kept.read_text()) | {"lineage": "another"}
    back = moved.folder / "terraform.stateful.tfstate"
    back.write_text(json.dumps(older))
    result = moved.operations_here("state", "move", "stateful")
    back.unlink()
    assert result.returncode == 1
    assert "cannot import state with lineage" in result.stderr


def test_another_place_for_the_state_is_not_a_new_beginning(
    moved: Workplace, emulator: Emulator
) -> None:
    s3 = root(emulator.endpoint, "account1").s3
    moved.declare(declaration(S3_STATE | {"prefix": "elsewhere/"}))
    found = moved.operations_here("check", "stateful")
    assert found.returncode == 1
    told = f"the state of stateful was in s3://{BUCKET}/s3-links/stateful.tfstate at the last run"
    assert told in found.stderr
    s3.put_object(Bucket=BUCKET, Key="elsewhere/stateful.tfstate", Body=b"{}")
    occupied = moved.operations_here("state", "move", "stateful")
    assert "elsewhere/stateful.tfstate: holds a state already" in occupied.stderr
    s3.delete_object(Bucket=BUCKET, Key="elsewhere/stateful.tfstate")
    there = moved.operations_here("state", "move", "stateful")
    assert there.returncode == 0, there.stderr
    assert moved.terraform("stateful", "plan", "-detailed-exitcode").returncode == 0
    # To a file in this folder, and back to where it was.
    moved.declare(declaration())
    assert moved.operations_here("state", "move", "stateful").returncode == 0
    assert moved.terraform("stateful", "plan", "-detailed-exitcode").returncode == 0
    s3.delete_object(Bucket=BUCKET, Key="elsewhere/stateful.tfstate")
    s3.delete_object(Bucket=BUCKET, Key="s3-links/stateful.tfstate")
    moved.declare(declaration(S3_STATE))
    assert moved.operations_here("state", "move", "stateful").returncode == 0


@pytest.mark.cost("planned")
def test_cleaning_keeps_every_state_and_where_each_is(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "Makefile", tmp_path)
    stack = tmp_path / "cdktf.out" / "stacks" / "stateful"
    kept = [
        tmp_path / "terraform.stateful.tfstate",
        stack / ".terraform" / "terraform.tfstate",  # where the state was at the last run
        stack / "errored.tfstate",  # what Terraform could not write there
    ]
    provider = stack / ".terraform" / "providers" / "aws"
    removed = [stack / "cdk.tf.json", stack.parents[1] / "manifest.json", provider / "binary"]
    for file in (*kept, *removed, tmp_path / "plans" / "stateful.tfplan"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    (provider / "linked").symlink_to(kept[0])
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True)
    left = {file for file in tmp_path.rglob("*") if not file.is_dir()}
    assert left == {*kept, tmp_path / "Makefile"}
    assert not provider.exists()
    for file in kept:
        file.unlink()
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True)
    assert [file.name for file in tmp_path.iterdir()] == ["Makefile"]


@pytest.mark.parametrize(
    ("backend", "selected", "told"),
    [
        ("local", None, False),
        ("local", "default\n", False),
        ("local", "mine", True),
        ("s3", "mine", True),
        ("cloud", "s3-stateful", False),  # the stack's own workspace
    ],
)
def test_another_workspace_is_told(
    backend: str, selected: str | None, told: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "cdktf.out" / "stacks" / "stateful"
    (folder / ".terraform").mkdir(parents=True)
    if selected:
        (folder / ".terraform" / "environment").write_text(selected)
    kept = {"bucket": BUCKET, "key": "stateful.tfstate"}
    content = {"terraform": {"backend": {backend: kept}}}
    said = problem(Stack("stateful", folder / "cdk.tf.json", content, digest=""))
    assert ("another workspace is selected" in (said or "")) is told


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"version": 4}'])
def test_a_file_that_is_no_state_is_told(content: str, tmp_path: Path) -> None:
    file = tmp_path / "terraform.stateful.tfstate"
    file.write_text(content)
    with pytest.raises(
        OperationError, match=r"^terraform\.stateful\.tfstate: is no state, or only"
    ):
        resources(file)


@pytest.mark.parametrize(("state", "operation"), [(None, "plan"), (S3_STATE, "state move")])
def test_a_file_that_is_no_state_is_no_new_beginning(
    state: dict[str, Any] | None, operation: str, terraform: Terraform, tmp_path: Path
) -> None:
    place = Workplace(tmp_path, terraform.environment)
    place.declare(declaration(state))
    (tmp_path / "terraform.stateful.tfstate").write_text("")
    result = place.operations_here(*operation.split(), "stateful")
    assert result.returncode == 1
    assert "terraform.stateful.tfstate: is no state, or only a part of one" in result.stderr


@pytest.mark.usefixtures("moved")
def test_each_stack_has_its_own_object(emulator: Emulator) -> None:
    owner = root(emulator.endpoint, "account1")
    keys = [o["Key"] for o in owner.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == ["s3-links/stateful.tfstate"]


@pytest.fixture(scope="module")
def shown(moved: Workplace) -> dict[str, Any]:
    """The bucket's stack, as Terraform shows it."""
    content: dict[str, Any] = json.loads(moved.terraform("terraform-state", "show", "-json").stdout)
    return content


def test_a_state_is_read_as_terraform_shows_it(moved: Workplace, shown: dict[str, Any]) -> None:
    state = json.loads(moved.terraform("terraform-state", "state", "pull").stdout)
    values = shown["values"]
    expected = {r["address"]: r["values"] for r in values["root_module"]["resources"]}
    assert {r["address"]: r["values"] for r in synthesized_state.resources(state)} == expected
    outputs = {name: output["value"] for name, output in values.get("outputs", {}).items()}
    assert synthesized_state.outputs(state) == outputs


def test_the_bucket_is_versioned_encrypted_and_never_public(
    shown: dict[str, Any], emulator: Emulator
) -> None:
    s3 = root(emulator.endpoint, "account1").s3
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    block = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert list(block.values()) == [True] * 4
    documents = Documents(shown)
    account, owner = "arn:aws:iam::111111111111:root", "111111111111"
    question = (account, "s3:GetObject", BUCKET, owner, "s3-links/stateful.tfstate")
    plain = {"aws:SecureTransport": "false"}
    asked = [documents.on_bucket(*question), documents.on_bucket(*question, **plain)]
    assert decide(asked) == [True, False]


@pytest.mark.usefixtures("moved")
def test_the_other_account_cannot_read_the_state(emulator: Emulator) -> None:
    key = "s3-links/stateful.tfstate"
    found = [
        allowed(lambda: root(emulator.endpoint, who).s3.get_object(Bucket=BUCKET, Key=key))  # noqa: B023
        for who in ("account1", "account2")
    ]
    assert found == [True, False]


def test_terraform_refuses_to_destroy_the_bucket(moved: Workplace) -> None:
    result = moved.terraform("terraform-state", "plan", "-destroy", "-no-color")
    assert result.returncode == 1
    assert "Instance cannot be destroyed" in result.stderr


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Kill a run outright, with the provider's processes, which nobody else would end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def initialize(place: Workplace) -> None:
    assert place.operations_here("synth", "stateful").returncode == 0
    assert place.terraform("stateful", "init", "-reconfigure").returncode == 0


@pytest.fixture(scope="module")
def held(moved: Workplace, emulator: Emulator) -> Iterator[subprocess.Popen[str]]:
    """A run that holds the lock: it waits for an answer."""
    owner = root(emulator.endpoint, "account1")
    moved.declare(declaration(S3_STATE) | {"links": {"stateful": LINK | {"hardening": True}}})
    initialize(moved)
    process = subprocess.Popen(
        ["terraform", "apply", "-input=true", "-no-color"],
        cwd=moved.stack("stateful"),
        env=moved.environment | {"TF_INPUT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            owner.s3.head_object(Bucket=BUCKET, Key="s3-links/stateful.tfstate.tflock")
            break
        except ClientError:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield process
    end(process)


def test_a_second_run_is_refused_and_told_who_holds_the_lock(
    moved: Workplace, held: subprocess.Popen[str]
) -> None:
    assert held.poll() is None
    by_terraform = moved.terraform("stateful", "plan", "-no-color")
    assert by_terraform.returncode == 1
    assert "Error acquiring the state lock" in by_terraform.stderr
    assert "Who:" in by_terraform.stderr
    before_planning = moved.make("deploy", "LINK=stateful", "ARGS=--yes")
    assert before_planning.returncode != 0
    assert "the state of stateful is locked by " in before_planning.stderr
    assert "(OperationTypeApply, for 0 minutes)" in before_planning.stderr


def test_a_lock_that_a_killed_run_left_is_explained_and_removed(
    moved: Workplace, held: subprocess.Popen[str]
) -> None:
    end(held)
    found = moved.operations_here("check", "stateful")
    assert found.returncode == 1
    assert "If it was killed, nobody will unlock the state" in found.stderr
    command = found.stderr.split("run `s3-links ")[1].split("`")[0].split()
    assert command[:3] == ["state", "unlock", "stateful"]
    wrong = moved.operations_here(*command[:4], "11111111-1111-1111-1111-111111111111")
    assert wrong.returncode != 0
    unlocked = moved.operations(*command)
    assert unlocked.returncode == 0, unlocked.stderr
    assert moved.operations_here("check", "stateful").returncode == 0


def test_a_killed_run_leaves_no_lock_on_a_local_state(terraform: Terraform, tmp_path: Path) -> None:
    place = Workplace(tmp_path, terraform.environment)
    place.declare(declaration())
    initialize(place)
    process = subprocess.Popen(
        ["terraform", "apply", "-input=true"],
        cwd=place.stack("stateful"),
        env=place.environment | {"TF_INPUT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    leftover = tmp_path / ".terraform.stateful.tfstate.lock.info"
    deadline = time.monotonic() + 60
    while not leftover.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    refused = place.terraform("stateful", "plan", "-no-color")
    end(process)
    assert "Error acquiring the state lock" in refused.stderr
    assert leftover.exists()
    assert place.terraform("stateful", "plan").returncode == 0


def test_hcp_terraform_is_one_workspace_for_each_stack(
    terraform: Terraform, tmp_path: Path
) -> None:
    state = {
        "backend": "hcp-terraform",
        "organization": "acme",
        "project": "s3-links",
        "prefix": "x-",
    }
    assert synthesize(tmp_path, declaration(state)).returncode == 0
    settings = stack_json(tmp_path, "stateful")["terraform"]
    assert settings["cloud"] == {
        "organization": "acme",
        "workspaces": {"name": "x-stateful", "project": "s3-links"},
    }
    assert "backend" not in settings
    folder = tmp_path / "cdktf.out" / "stacks" / "stateful"
    assert terraform(folder, "init", "-backend=false").returncode == 0
    assert terraform(folder, "validate").returncode == 0


def test_hcp_terraform_is_initialized_and_moved_to_in_its_own_way(
    terraform: Terraform, tmp_path: Path
) -> None:
    once = {"TF_REGISTRY_DISCOVERY_RETRY": "0", "HOME": str(tmp_path)}
    place = Workplace(tmp_path, terraform.environment | once)
    nowhere = "terraform.invalid"  # no such host, ever: Terraform gets as far as asking for it
    state = {"backend": "hcp-terraform", "organization": "acme", "hostname": nowhere}
    place.declare(declaration(state))
    result = place.operations_here("plan")
    assert result.returncode == 1
    assert f"https://{nowhere}/" in result.stderr
    assert "option" not in result.stderr
    recorded = place.stack("stateful") / ".terraform" / "terraform.tfstate"
    recorded.parent.mkdir(parents=True, exist_ok=True)
    before = {"type": "s3", "config": {"bucket": BUCKET, "key": "stateful.tfstate"}}
    recorded.write_text(json.dumps({"backend": before}))
    moving = place.operations_here("state", "move", "stateful")
    assert f"moves a state from s3://{BUCKET}/stateful.tfstate by way of a file" in moving.stderr


@pytest.mark.cost("synthesized")
def test_the_backend_has_the_accounts_credentials(tmp_path: Path) -> None:
    role = {"role_arn": "arn:aws:iam::111111111111:role/deploy", "external_id": "link-7f3a"}
    declared = declaration(S3_STATE)
    declared["accounts"]["account1"] |= {"assume_role": role}
    assert synthesize(tmp_path, declared).returncode == 0
    settings = stack_json(tmp_path, "stateful")["terraform"]
    assert settings["backend"]["s3"] == {
        "bucket": BUCKET,
        "key": "s3-links/stateful.tfstate",
        "region": "ap-northeast-1",
        "profile": "account1",
        "assume_role": role,
        "encrypt": True,
        "use_lockfile": True,
    }
    assert settings["required_version"] == ">= 1.10.0"


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"backend": "s4"}, 'state.backend: "s4" is not "local", "s3" or "hcp-terraform"'),
        ({}, 'state.backend: is missing: add "backend": "s3"'),
        (S3_STATE | {"account": "account3"}, 'state.account: "account3" is not among "accounts"'),
        (S3_STATE | {"bucket": "My_Bucket"}, 'state.bucket: "My_Bucket" is not a bucket\'s name'),
        (
            S3_STATE | {"prefix": "/a"},
            'state.prefix: "/a" is not a prefix that ends with / (letters',
        ),
        (S3_STATE | {"dynamodb_table": "x"}, "state.dynamodb_table: unknown key"),
        ({"backend": "local", "bucket": "x"}, "state.bucket: unknown key"),
    ],
)
def test_a_wrong_state_is_told_and_nothing_is_written(
    state: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    result = synthesize(tmp_path, declaration(state))
    assert result.returncode == 1
    assert problem in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "cdktf.out").exists()


def test_a_link_cannot_have_the_name_of_the_bucket_stack(tmp_path: Path) -> None:
    declared = declaration() | {"links": {"terraform-state": LINK}}
    result = synthesize(tmp_path, declared)
    assert "links.terraform-state: is the name of a stack of this project" in result.stderr
