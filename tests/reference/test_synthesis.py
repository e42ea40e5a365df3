"""The same output everywhere, by each of the ways to run it, and without noise."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from s3_cross_account import successor
from tests.conftest import PROJECT, json_file, run_main
from tests.support.links import accounts, synthesize

pytestmark = pytest.mark.cost("synthesized")


@pytest.mark.cost("planned")
def test_two_folders_give_the_same_bytes(project_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "some" / "other folder"
    result = run_main(other)
    assert (result.stdout, result.stderr) == ("", "")
    assert json_file(other).read_bytes() == json_file(project_folder).read_bytes()


def test_no_path_of_this_machine_is_written(project_folder: Path) -> None:
    text = json_file(project_folder).read_text()
    for path in (project_folder, PROJECT, PROJECT.home()):
        assert f"{path}/" not in text


@pytest.mark.cost("planned")
def test_the_cdktf_command_writes_the_same(project_folder: Path, tmp_path: Path) -> None:
    for name in ("main.py", "cdktf.json", "package.json", "stacks", "constructs"):
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy(source, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(PROJECT / "node_modules")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JSII_SILENCE")}
    result = subprocess.run(
        ["npx", "cdktf", "synth"],
        cwd=tmp_path,
        env=environment
        | {
            "CHECKPOINT_DISABLE": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TF_CLI_CONFIG_FILE": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "Generated Terraform code for the stacks: s3-multi-account-deploy" in output
    assert "end-of-life" not in output
    assert "crash" not in output.lower()
    assert json_file(tmp_path).read_bytes() == json_file(project_folder).read_bytes()


def test_the_reference_stack_is_unchanged_byte_for_byte(project_folder: Path) -> None:
    recorded = (PROJECT / "tests" / "fixtures" / "reference.cdk.tf.json").read_bytes()
    if successor.in_use():  # by `make test-cdktn`
        version = importlib.metadata.version(successor.real_name("cdktf")).encode()
        recorded = recorded.replace(b'"version": "0.21.0"', b'"version": "%s"' % version)
    assert json_file(project_folder).read_bytes() == recorded


GOVERNMENT = {alias: {"region": "us-gov-west-1"} for alias in ("account1", "account2")}
CONSUMERS = [
    {"account": "account1", "new_role": "reader", "instance": True},
    {"account": "account1", "existing_role": "web"},
    {"account": "account1", "instance_profile": "batch"},
]
OWN_BUCKET = {"account": "account2", "new_prefix": "reports-", "key": "new"}
GOVERNED = {
    "accounts": accounts(**GOVERNMENT),
    "state": {
        "backend": "s3",
        "account": "account1",
        "bucket": "terraform-state-of-links",
        "create_bucket": True,
    },
    "pipeline": {"platform": "github", "repository": "organization/links"},
    "links": {
        "direct": {
            "pattern": "direct-access",
            "consumers": CONSUMERS,
            "buckets": [
                OWN_BUCKET,
                {"account": "account2", "existing": "theirs", "policy": "merge"},
            ],
            "access": {"same_accounts": True},
            "survive_role_recreation": True,
            "hardening": True,
        },
        "assume": {
            "pattern": "assume-role",
            "consumers": [{"account": "account1", "new_role": "caller"}],
            "buckets": [OWN_BUCKET],
            "assumed_role": {"account": "account2", "name": "worker"},
        },
        "copies": {
            "pattern": "replication",
            "source": OWN_BUCKET | {"account": "account1"},
            "destination": OWN_BUCKET,
            "role_name": "copier",
            "both_ways": True,
            "batch_role": True,
            "hardening": True,
        },
    },
}


def test_every_arn_is_of_the_accounts_partition(tmp_path: Path) -> None:
    result = synthesize(tmp_path, GOVERNED)
    assert (result.returncode, result.stderr) == (0, "")
    written = list(tmp_path.glob("cdktf.out/stacks/*/cdk.tf.json"))
    assert len(written) == len(GOVERNED["links"]) + 2  # the state's bucket and the pipeline's roles
    for file in written:
        text = file.read_text()
        assert json.loads(text)["provider"]["aws"][0]["region"] == "us-gov-west-1"
        assert "arn:aws-us-gov:" in text or file.parent.name == "terraform-state"
        assert "arn:aws:" not in text, file.parent.name


@pytest.mark.parametrize("folder", ["constructs", "s3_links", "stacks"])
def test_no_arn_is_put_together_with_a_partition_by_hand(folder: str) -> None:
    """A whole ARN stands in examples for people only; the sandbox's accounts are emulated ones."""
    found = [
        f"{file}:{text.lineno}"
        for file in (PROJECT / folder).rglob("*.py")
        if "sandbox" not in file.parts
        for text in ast.walk(ast.parse(file.read_text()))
        if isinstance(text, ast.JoinedStr)
        for part in text.values
        if isinstance(part, ast.Constant) and "arn:aws" in str(part.value)
    ]
    assert found == []
